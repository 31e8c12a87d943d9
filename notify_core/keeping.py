"""What a delivery goes through between its steps: kept in a journal, or in memory alone."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Protocol

import attrs

from notify_core.clock import Clock
from notify_core.config.model import JournalConfig
from notify_core.delivery import Stage
from notify_core.errors import JournalError
from notify_core.ids import new_id
from notify_core.journal.base import Journal
from notify_core.journal.model import Entry, delivery_of
from notify_core.journal.opening import open_journal
from notify_core.message import Message
from notify_core.progress import Progress, merged

_log = logging.getLogger(__name__)


@attrs.frozen
class Kept:
    """A journal, and what this process has leased in it."""

    journal: Journal
    leases: Leases
    config: JournalConfig

    @classmethod
    def open(cls, config: JournalConfig, types: Mapping[str, type[Message]], clock: Clock) -> Kept:
        """Open the journal of a configuration. Raises ``JournalError``."""
        journal = open_journal(config, types, clock)
        return cls(journal, Leases(journal, clock, config.lease), config)

    def close(self) -> None:
        """Let what is leased be, and the journal go."""
        self.leases.close()
        self.journal.close()


class LeaseLost(Exception):
    """Somebody else carries the delivery on. ``entry`` is how the journal has it."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        super().__init__(entry.id)


class LeftOff(Exception):
    """No attempt can begin, since it cannot be written; ``entry`` is how the delivery stands.

    What has been heard so far is true. The ``JournalError`` is the cause.
    """

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        super().__init__(entry.id)


class Keeper(Protocol):
    """Keeps a delivery between its steps."""

    @property
    def patient(self) -> bool:
        """Whether a delivery can wait for a provider that is left alone."""

    def begin(self, entry: Entry, began: Progress) -> Entry:
        """Keep that an attempt begins, before its request leaves.

        If somebody wants the delivery held or cancelled, the entry comes back with that wish and
        without the attempt. Raises ``JournalError`` or ``LeaseLost``: then nothing may leave.
        """

    def rest(self, entry: Entry, seconds: float) -> Entry:
        """Wait that long before the next step, or leave it to whoever claims it when it is due.

        The entry has no owner any more if it is left to others. Raises ``JournalError`` if it is
        new and cannot be kept, and ``LeaseLost``.
        """

    def end(self, entry: Entry, stage: Stage) -> Entry:
        """Keep that no more will be done, or none until somebody decides. Raises as ``rest``."""


class Memory:
    """Keeps nothing: the caller waits, and what is under way dies with the process."""

    patient = False

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def begin(self, entry: Entry, began: Progress) -> Entry:
        return attrs.evolve(entry, progress=began)

    def rest(self, entry: Entry, seconds: float) -> Entry:
        self._clock.sleep(seconds)
        return entry

    def end(self, entry: Entry, stage: Stage) -> Entry:
        return attrs.evolve(entry, stage=stage)


class Journalled:
    """Keeps every step in a journal; what has to wait is left to a worker."""

    patient = True

    def __init__(self, kept: Kept, clock: Clock) -> None:
        self._journal = kept.journal
        self._leases = kept.leases
        self._clock = clock

    def begin(self, entry: Entry, began: Progress) -> Entry:
        begun = attrs.evolve(
            entry, progress=began, owner=self._leases.owner, due_at=self._leases.until()
        )
        if entry.lease == 0:
            return self._in_time(self._added(begun))
        written = self._journal.write(begun, unless_wished=True)
        return self._wished(entry, began) if written is None else self._in_time(written)

    def rest(self, entry: Entry, seconds: float) -> Entry:
        due_at = self._clock.now() + timedelta(seconds=seconds)
        return self._written(attrs.evolve(entry, owner=None, due_at=due_at))

    def end(self, entry: Entry, stage: Stage) -> Entry:
        # A pause that is cut short is made again: it is there so that a provider has time.
        progress = attrs.evolve(entry.progress, rested=False)
        return self._written(
            attrs.evolve(entry, progress=progress, stage=stage, owner=None, due_at=None)
        )

    def _in_time(self, begun: Entry) -> Entry:
        """Let nothing leave under a lease that has ended while it was being written.

        Somebody else may have asked for the message by now, and have sent it.
        """
        if begun.due_at is not None and begun.due_at <= self._clock.now():
            raise LeaseLost(begun)
        return begun

    def _added(self, entry: Entry) -> Entry:
        added = attrs.evolve(entry, lease=1)
        self._journal.add([added])
        return added

    def _wished(self, entry: Entry, began: Progress) -> Entry:
        known = self._journal.load(entry.id)
        if known is None:
            raise JournalError(f"delivery {entry.id} is no longer in the journal")
        if known.lease != entry.lease:
            return self._told_late(entry)
        if known.wish is None:  # it was taken back meanwhile
            return self.begin(entry, began)
        return attrs.evolve(entry, wish=known.wish)

    def _written(self, entry: Entry) -> Entry:
        if entry.lease == 0:
            return self._added(entry)
        try:
            return self._journal.write(entry) or self._told_late(entry)
        except JournalError as error:
            # What has been heard is true all the same. The lease ends, and whoever takes over
            # finds an open attempt and asks.
            _log.error("delivery %s: the journal was not told how it stands: %s", entry.id, error)
            return with_warning(entry, "the journal could not be told how it stands")

    def _told_late(self, entry: Entry) -> Entry:
        """Add what we have heard to what somebody else has made of the delivery since."""
        now = self._clock.now()
        known = self._journal.load(entry.id)
        if known is not None and merged(known.progress, entry.progress) == known.progress:
            raise LeaseLost(known)  # nothing is new, and whoever has it now is not to be disturbed
        amended = self._journal.amend(entry.id, lambda known: with_answers_of(known, entry, now))
        raise LeaseLost(amended)


def with_answers_of(known: Entry, told: Entry, now: datetime) -> Entry:
    """Return an entry with the answers that only somebody else has heard.

    If there are any it is due at once, so that what follows from them is done, unless whoever has
    it leased may be calling a provider for it just now. One that was over stays so.
    """
    entry = attrs.evolve(known, progress=merged(known.progress, told.progress))
    if entry.progress == known.progress or entry.stage is Stage.ENDED:
        return entry
    if entry.progress.ended:
        is_over = delivery_of(entry).stage is Stage.ENDED
        return attrs.evolve(entry, stage=Stage.ENDED, owner=None, due_at=None) if is_over else entry
    if entry.stage is Stage.HELD or is_calling(entry):
        return entry
    # A pause that is cut short is made again: it is there so that a question finds what is late.
    return attrs.evolve(
        entry, progress=attrs.evolve(entry.progress, rested=False), owner=None, due_at=now
    )


def is_calling(entry: Entry) -> bool:
    """Tell whether whoever has an entry leased may be calling a provider for it just now."""
    attempts = entry.progress.attempts
    return entry.owner is not None and bool(attempts) and attempts[-1].outcome is None


def with_warning(entry: Entry, warning: str) -> Entry:
    """Return an entry whose report says one thing more; the journal is not told of it."""
    plan = attrs.evolve(entry.plan, warnings=(*entry.plan.warnings, warning))
    return attrs.evolve(entry, plan=plan)


class Leases:
    """Keeps alive the leases of what this process carries on.

    Three times within the length of a lease a thread lengthens those that are held.
    """

    def __init__(self, journal: Journal, clock: Clock, lease: timedelta) -> None:
        self.owner = new_id()
        self._journal = journal
        self._clock = clock
        self._lease = lease
        # Two threads may have one: a second begins when the lease of a first is lost.
        self._held: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def until(self) -> datetime:
        """Return when a lease that begins now ends."""
        return self._clock.now() + self._lease

    @contextmanager
    def held(self, *delivery_ids: str) -> Iterator[None]:
        """Keep the leases of these deliveries alive meanwhile."""
        self.hold(delivery_ids)
        try:
            yield
        finally:
            self.drop(delivery_ids)

    def hold(self, delivery_ids: Iterable[str]) -> None:
        """Keep these leases alive until they are dropped."""
        with self._lock:
            self._held.update(delivery_ids)
            if self._thread is None:
                thread = threading.Thread(
                    target=self._keep_alive, name="notify-leases", daemon=True
                )
                thread.start()
                self._thread = thread

    def drop(self, delivery_ids: Iterable[str]) -> None:
        """Let these leases end by themselves."""
        with self._lock:
            self._held -= Counter(delivery_ids)

    def close(self) -> None:
        """Let the thread end."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()

    def _keep_alive(self) -> None:
        while not self._closed.wait(self._lease.total_seconds() / 3):
            with self._lock:
                held = sorted(self._held)
            if not held:
                continue
            try:
                self._journal.extend(self.owner, held, self.until())
            except JournalError as error:
                _log.error("leases cannot be lengthened: %s", error)
