"""Faults that can be switched on, and which request meets which."""

from attrs import field, frozen
from attrs.converters import optional
from attrs.validators import instance_of

from . import switches
from .model import Choice, Script
from .switches import Switches


class FaultKind(Choice):
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


@frozen(kw_only=True)
class Fault:
    """One fault and the requests it is meant for."""

    kind: FaultKind = field(converter=FaultKind)
    script: Script | None = field(default=None, converter=optional(Script))
    """The script whose requests meet it; None for all."""
    times: int | None = switches.times()
    """How many requests meet it; None for all until it is cleared."""
    registered: bool = field(default=True, validator=instance_of(bool))
    """Whether the request takes effect before the fault; a slow one else after the wait."""
    seconds: float = switches.seconds(1.0)
    """The delay of `FaultKind.SLOW`, in real seconds whatever the clock says."""
    cut_after: int = field(default=0, validator=switches.whole(0))
    """The bytes of the body that still leave with `FaultKind.CUT`."""
    body: str | None = switches.text(None)
    """Sent in place of the usual body of HTML, SERVER_ERROR and WRONG_JSON."""


class Faults(Switches[Fault]):
    """The faults that wait for requests; the one that was switched on first comes first."""

    def meet(self, script: Script) -> Fault | None:
        """Return the fault that a request to the script meets, and count it."""
        return self.take(lambda fault: fault.script in (None, script))
