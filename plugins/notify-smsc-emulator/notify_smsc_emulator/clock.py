"""Clocks that a test may drive."""

import time
from typing import Protocol


class Clock(Protocol):
    """Tells unix time in seconds and can be moved forward."""

    def now(self) -> float:
        """Return the present unix time."""

    def advance(self, seconds: float) -> None:
        """Move forward."""


class RealClock:
    """The time of the machine, plus whatever it was advanced by.

    With a ``speed`` of 20 it runs twenty times as fast, from the time at which it was made.
    """

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._start = time.time()
        self._ahead_s = 0.0

    def now(self) -> float:
        """Return the time of the machine, made faster, plus the advance."""
        return self._start + (time.time() - self._start) * self._speed + self._ahead_s

    def advance(self, seconds: float) -> None:
        """Run ahead of the machine by that much more."""
        self._ahead_s += seconds


class ManualClock:
    """Stands still until it is advanced."""

    def __init__(self, start: float = 1_750_000_000.0) -> None:
        self._now = start

    def now(self) -> float:
        """Return the time it was left at."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move forward."""
        self._now += seconds
