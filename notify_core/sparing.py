"""Logging what anybody can cause as often as they like, without a log that grows as fast."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final, TypeAlias

from notify_core.clock import Clock

Kind: TypeAlias = tuple[str, str]
"""The provider that something is about, and the reason."""

EVERY_S: Final = 60.0
MOST_KINDS: Final = 100
"""So many are told apart at once: reasons may hold words of whoever calls."""


class Sparing:
    """Says what is to be logged: each kind at once, and then once a minute, with how often.

    How often is told when something happens again, of whatever kind. Threads may share it.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._untold: dict[Kind, int] = {}
        self._until_s = clock.monotonic()

    def due(self, provider: str, reason: str, times: int = 1) -> Sequence[tuple[Kind, int]]:
        """Count what has happened so often; return what is to be logged now, and how often."""
        kind = (provider, reason)
        with self._lock:
            told = self._told_before()
            if kind in self._untold:
                self._untold[kind] += times
            elif len(self._untold) < MOST_KINDS:
                self._untold[kind] = 0
                told.append((kind, times))
            return told

    def _told_before(self) -> list[tuple[Kind, int]]:
        """Begin a new minute, if it is time; return what was not told in the last one."""
        now_s = self._clock.monotonic()
        if now_s < self._until_s:
            return []
        self._until_s = now_s + EVERY_S
        told = [(kind, times) for kind, times in self._untold.items() if times]
        self._untold = {kind: 0 for kind, _ in told}
        return told
