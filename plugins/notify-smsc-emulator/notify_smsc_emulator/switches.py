"""What was switched on for some of the things that come: the next one, the next few, or all."""

from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from attrs import field
from attrs.validators import ge, instance_of, optional


class Counted(Protocol):
    """A switch that says how often it works."""

    @property
    def times(self) -> int | None:
        """How many things meet it; None for all until it is cleared."""


_T = TypeVar("_T", bound=Counted)


class Switches(Generic[_T]):
    """The switches that wait, in the order in which they were switched on."""

    def __init__(self) -> None:
        self._waiting: list[tuple[_T, int | None]] = []

    def add(self, switch: _T) -> None:
        """Switch something on."""
        self._waiting.append((switch, switch.times))

    def clear(self) -> None:
        """Switch everything off."""
        self._waiting.clear()

    def take(self, meets: Callable[[_T], bool]) -> _T | None:
        """Return the first switch that is met, and count it."""
        return next(iter(self._take(meets, 1)), None)

    def take_all(self, meets: Callable[[_T], bool]) -> tuple[_T, ...]:
        """Return every switch that is met, and count each of them."""
        return self._take(meets, len(self._waiting))

    def _take(self, meets: Callable[[_T], bool], most: int) -> tuple[_T, ...]:
        met: list[_T] = []
        left: list[tuple[_T, int | None]] = []
        for switch, times in self._waiting:
            if len(met) == most or not meets(switch):
                left.append((switch, times))
                continue
            met.append(switch)
            if times != 1:
                left.append((switch, None if times is None else times - 1))
        self._waiting = left
        return tuple(met)


def whole(least: int, *, or_none: bool = False) -> Any:
    """Return a validator for whole numbers from ``least`` on."""
    return _or_none([instance_of(int), ge(least)], or_none)


def seconds(default: float | None) -> Any:
    """Return a field for a time in seconds; None is allowed where it is the default."""
    validator = _or_none([instance_of((int, float)), ge(0)], default is None)
    return field(default=default, validator=validator)


def times() -> Any:
    """Return the field ``times``."""
    return field(default=1, validator=whole(1, or_none=True))


def text(default: str | None = "") -> Any:
    """Return a field for a text; None is allowed where it is the default."""
    return field(default=default, validator=_or_none([instance_of(str)], default is None))


def _or_none(validators: list[Any], allowed: bool) -> Any:
    return optional(validators) if allowed else validators
