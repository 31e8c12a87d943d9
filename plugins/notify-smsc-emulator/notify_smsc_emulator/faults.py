"""Faults that can be switched on, and which request meets which."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from attrs import evolve, field, fields_dict, frozen
from attrs.validators import and_, ge, instance_of, optional

from .model import Script


class FaultKind(StrEnum):
    """What goes wrong."""

    NO_ANSWER = "no_answer"
    """The connection stays open and nothing comes."""
    DROP = "drop"
    """The connection is closed without a byte."""
    CUT = "cut"
    """The connection is closed after ``cut_after`` bytes of the body."""
    SLOW = "slow"
    """The right answer comes after ``seconds``."""
    HTML = "html"
    """A page of a proxy, with status 200."""
    SERVER_ERROR = "server_error"
    """Status 500 with an HTML page."""
    WRONG_JSON = "wrong_json"
    """Status 200 with JSON that breaks off, or with ``body``."""
    EMPTY = "empty"
    """Status 200 without a body."""


def _read_script(value: Script | str | None) -> Script | None:
    return None if value is None else Script(value)


def _whole(least: int, *, or_none: bool = False) -> Any:
    validator = and_(instance_of(int), ge(least))
    return optional(validator) if or_none else validator


@frozen(kw_only=True)
class Fault:
    """One fault and the requests it is meant for."""

    kind: FaultKind = field(converter=FaultKind)
    script: Script | None = field(default=None, converter=_read_script)
    """The script whose requests meet it; None for all."""
    times: int | None = field(default=1, validator=_whole(1, or_none=True))
    """How many requests meet it; None for all until it is cleared."""
    registered: bool = field(default=True, validator=instance_of(bool))
    """Whether the request takes effect before the fault; a slow one else after the wait."""
    seconds: float = field(default=1.0, validator=[instance_of((int, float)), ge(0)])
    """The delay of `FaultKind.SLOW`, in real seconds whatever the clock says."""
    cut_after: int = field(default=0, validator=_whole(0))
    """The bytes of the body that still leave with `FaultKind.CUT`."""
    body: str | None = field(default=None, validator=optional(instance_of(str)))
    """Sent in place of the usual body of HTML, SERVER_ERROR and WRONG_JSON."""

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> "Fault":
        """Make a fault from JSON; raise ValueError or TypeError that names what is wrong."""
        if unknown := sorted(values.keys() - fields_dict(cls).keys()):
            known = ", ".join(fields_dict(cls))
            raise ValueError(f"{', '.join(unknown)}: not known here; known: {known}")
        if "kind" not in values:
            raise ValueError(f"kind is missing; known: {', '.join(FaultKind)}")
        return cls(**values)


class Faults:
    """The faults that wait for requests; the one that was switched on first comes first."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Switch a fault on."""
        self._waiting.append(fault)

    def clear(self) -> None:
        """Switch all faults off."""
        self._waiting.clear()

    def take(self, script: Script) -> Fault | None:
        """Return the fault that a request to the script meets, and count it."""
        for place, fault in enumerate(self._waiting):
            if fault.script in (None, script):
                self._count(place, fault)
                return fault
        return None

    def _count(self, place: int, fault: Fault) -> None:
        if fault.times == 1:
            del self._waiting[place]
        elif fault.times is not None:
            self._waiting[place] = evolve(fault, times=fault.times - 1)
