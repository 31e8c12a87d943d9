"""What can go wrong with callbacks: they come late, twice, in another order, forged or never."""

from collections.abc import Iterable
from random import Random

from attrs import evolve, field, frozen
from attrs.converters import optional

from . import switches
from .model import CallbackKind, Choice, Status


class DisorderKind(Choice):
    """What becomes of a callback."""

    DELAY = "delay"
    """It comes ``seconds`` later."""
    SHUFFLE = "shuffle"
    """It comes at some time within the next ``seconds``: several change their order."""
    DUPLICATE = "duplicate"
    """It comes ``copies`` times more, each ``seconds`` after the one before."""
    DROP = "drop"
    """It never comes."""
    GET = "get"
    """It comes by GET, with its fields in the query."""
    FORGE = "forge"
    """Its signature is made with another secret."""


@frozen(kw_only=True)
class Disorder:
    """One disorder and the callbacks it is meant for; every one that fits is applied."""

    kind: DisorderKind = field(converter=DisorderKind)
    callback: CallbackKind | None = field(default=None, converter=optional(CallbackKind))
    """What the callback is about; None for all."""
    phone: str = switches.text()
    """How the number ends; empty for all."""
    status: Status | None = field(default=None, converter=optional(Status))
    """The status that is told; None for all."""
    times: int | None = switches.times()
    """How many callbacks meet it; None for all until it is cleared."""
    seconds: float | None = switches.seconds(None)
    """On the gateway's clock; None: ``receipt_late_s``, or no time at all between copies."""
    copies: int = field(default=1, validator=switches.whole(1))

    def fits(self, callback: CallbackKind, phone: str, status: Status | None) -> bool:
        """Tell whether a callback meets it."""
        return (
            self.callback in (None, callback)
            and self.status in (None, status)
            and phone.endswith(self.phone)
        )


@frozen
class Manner:
    """How a callback is posted."""

    delay_s: float = 0.0
    copies_s: tuple[float, ...] = (0.0,)
    """When each copy is posted, from the delay on; none: it is dropped."""
    method: str = "POST"
    forged: bool = False

    @property
    def times_s(self) -> tuple[float, ...]:
        """When it is posted, in seconds from the event on."""
        return tuple(self.delay_s + copy_s for copy_s in self.copies_s)


def disturb(disorders: Iterable[Disorder], late_s: float, random: Random) -> Manner:
    """Apply the disorders one after the other; ``late_s`` is for those that name no time."""
    manner = Manner()
    for disorder in disorders:
        manner = _apply(disorder, manner, late_s, random)
    return manner


def _apply(disorder: Disorder, manner: Manner, late_s: float, random: Random) -> Manner:
    pause_s = late_s if disorder.seconds is None else disorder.seconds
    match disorder.kind:
        case DisorderKind.DELAY:
            return evolve(manner, delay_s=manner.delay_s + pause_s)
        case DisorderKind.SHUFFLE:
            return evolve(manner, delay_s=manner.delay_s + random.uniform(0, pause_s))
        case DisorderKind.DUPLICATE:
            copies_s = [(disorder.seconds or 0.0) * copy for copy in range(1, disorder.copies + 1)]
            return evolve(manner, copies_s=(*manner.copies_s, *copies_s))
        case DisorderKind.DROP:
            return evolve(manner, copies_s=())
        case DisorderKind.GET:
            return evolve(manner, method="GET")
        case DisorderKind.FORGE:
            return evolve(manner, forged=True)
