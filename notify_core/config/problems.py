"""Collecting the mistakes of a file, and the words in which they are told."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Iterable
from types import TracebackType

from notify_core.errors import ConfigError, Problem

_LONGEST_QUOTE = 60


class Gathering:
    """Collect the problems of several readings, so that one mistake does not hide the next.

    ``with gathering:`` keeps the ``ConfigError`` that is raised inside and goes on behind it.
    ``files`` are those that are read, in the order in which their problems are told.
    """

    def __init__(self) -> None:
        self.files: list[str] = []
        self._problems: list[Problem] = []

    def __enter__(self) -> None:
        return

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> bool:
        if not isinstance(error, ConfigError):
            return False
        self.add(error.problems)
        return True

    def add(self, problems: Iterable[Problem]) -> None:
        """Add what a check has found."""
        self._problems.extend(problems)

    def raise_if_any(self) -> None:
        """Raise ``ConfigError`` with what was collected, each once and in file order."""
        if self._problems:
            raise ConfigError(sorted(dict.fromkeys(self._problems), key=self._rank))

    def _rank(self, problem: Problem) -> tuple[int, int, int]:
        file = self.files.index(problem.file) if problem.file in self.files else len(self.files)
        return file, problem.line, problem.column


def quoted(text: str) -> str:
    """Return a text of the file for a message: on one line, and cut if it is long."""
    if len(text) > _LONGEST_QUOTE:
        text = f"{text[:_LONGEST_QUOTE]}…"
    return json.dumps(text, ensure_ascii=False)


def listed(words: Iterable[str]) -> str:
    """Return known words for a message, sorted, each once."""
    return ", ".join(sorted(set(words))) or "none"


def nearest(text: str, known: Iterable[str]) -> str | None:
    """Return the known word that was probably meant, if one is near."""
    return next(iter(difflib.get_close_matches(text.lower(), list(known), n=1)), None)


def unknown(text: str, what: str, known: Collection[str]) -> str:
    """Say that a text is none of the known words, and which was probably meant."""
    near = nearest(text, known)
    guess = f"did you mean {quoted(near)}? " if near else ""
    return f"{quoted(text)} is not {what}; {guess}known: {listed(known)}"


def unaskable(provider: str, able: Iterable[str]) -> str:
    """Say that a provider cannot be asked for what came in, and which can."""
    return (
        f"{quoted(provider)} cannot be asked for messages that came in; these can: {listed(able)}"
    )
