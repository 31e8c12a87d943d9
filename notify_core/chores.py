"""What a worker does beside carrying deliveries on: asking, reading, telling."""

from __future__ import annotations

import logging
import threading
from datetime import datetime
from typing import Protocol

from notify_core.clock import Clock
from notify_core.errors import JournalError
from notify_core.journal.base import Journal
from notify_core.journal.database import Watch
from notify_core.journal.rows import has_come

_log = logging.getLogger(__name__)

_LEAST_WAIT_S = 0.05
_LONGEST_WAIT_S = 5.0
"""Not everything that makes a chore due wakes who waits in another process."""
_BETWEEN_LOOKS_S = 0.1
"""How long a chore lets others write before it looks again whether it is due."""
_AFTER_FAILURE_S = 1.0


class Chore(Protocol):
    """Something that a worker does when it is due, in a thread of its own.

    Several workers may do the same chore at once: what one has taken the others leave alone, until
    it is done or whoever took it has not come back in time.
    """

    @property
    def name(self) -> str:
        """A word for the log."""

    def work_off(self) -> int:
        """Do what is due now; return how often something was done.

        It returns 0 only if nothing was due, and may return before all is done. Raises
        ``JournalError``.
        """

    def next_due(self) -> datetime | None:
        """Return when there is something to do, as far as anybody knows; None if never."""


def is_due(chore: Chore, clock: Clock) -> bool:
    """Tell whether there is something to do now, as far as anybody knows."""
    due = chore.next_due()
    return due is not None and has_come(due, clock.now())


class KeepAt:
    """Keeps at a chore in the thread that runs it, whatever happens, until it is to stop."""

    def __init__(
        self, chore: Chore, journal: Journal, clock: Clock, stopping: threading.Event
    ) -> None:
        self._chore = chore
        self._journal = journal
        self._clock = clock
        self._stopping = stopping

    def run(self) -> None:
        """Do the chore whenever it is due."""
        watch = self._journal.watch()
        try:
            while not self._stopping.is_set():
                self._do_or_wait(watch)
        finally:
            watch.close()

    def _do_or_wait(self, watch: Watch) -> None:
        try:
            if not is_due(self._chore, self._clock):
                watch.wait(self._seconds_to_next())
                # Whatever is written wakes everybody, and there can be much.
                self._stopping.wait(_BETWEEN_LOOKS_S)
            elif not self._chore.work_off():
                # Somebody else has it in hand.
                self._stopping.wait(_LEAST_WAIT_S)
        except JournalError as error:
            _log.error("the journal cannot be used for %s: %s", self._chore.name, error)
            self._stopping.wait(_AFTER_FAILURE_S)
        except (Exception, SystemExit):  # a plugin or a defect: the chore is to be gone on with
            _log.exception("the worker failed at %s", self._chore.name)
            self._stopping.wait(_AFTER_FAILURE_S)

    def _seconds_to_next(self) -> float:
        due = self._chore.next_due()
        if due is None:
            return _LONGEST_WAIT_S
        seconds = (due - self._clock.now()).total_seconds()
        return min(max(seconds, _LEAST_WAIT_S), _LONGEST_WAIT_S)
