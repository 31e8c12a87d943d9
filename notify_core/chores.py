"""What a worker does beside carrying deliveries on: asking, reading, telling."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


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
