"""A database to the journal: something that runs a piece of work in a transaction."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Protocol, TypeVar

import attrs

from notify_core.errors import JournalError
from notify_core.journal.enlist import Dialect, Executor

T = TypeVar("T")


class Watch(Protocol):
    """Waits for changes. For one thread."""

    def wait(self, seconds: float) -> None:
        """Wait that long, or until somebody may have written since the last wait has ended."""

    def close(self) -> None:
        """Let go of its connection."""


class Database(Protocol):
    """Runs pieces of work. Every method may be called from any thread.

    What the database or its driver raises becomes ``JournalError``; what the work raises besides
    comes through, and nothing of the work is written.
    """

    @property
    def dialect(self) -> Dialect:
        """Which of the statements' dialects it speaks."""

    def write(self, work: Callable[[Executor], T]) -> T:
        """Run ``work`` in a transaction and return when it is committed.

        It may be run again if a transaction failed that it shared with others, so it must do
        nothing but execute statements.
        """

    def read(self, work: Callable[[Executor], T]) -> T:
        """Run ``work``, which changes nothing."""

    def watch(self) -> Watch:
        """Return what waits for changes from now on."""

    def wake(self) -> None:
        """End every ``Watch.wait`` of this process."""

    def check(self) -> list[str]:
        """Return what the database finds wrong with its own files, in words."""

    def close(self) -> None:
        """Let go of every connection. A second time does nothing."""


@attrs.frozen
class Birthplace:
    """The process that opened a database: its connections are of no use in one that it forks.

    ``place`` names the database in the error.
    """

    place: str
    process: int = attrs.field(factory=os.getpid)

    @property
    def is_here(self) -> bool:
        """Whether this is that process."""
        return os.getpid() == self.process

    def check(self) -> None:
        """Raise ``JournalError`` in another process."""
        if not self.is_here:
            raise JournalError(
                f"journal {self.place}: this process was forked from the one that opened it, and "
                "open connections do not survive that; make the Notifier after the fork"
            )
