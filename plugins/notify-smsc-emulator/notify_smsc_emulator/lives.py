"""Lives of messages: which statuses one will have, and when its time is over."""

from typing import Any

from attrs import field, frozen
from attrs.converters import optional

from . import switches
from .model import Channel, Status, Step

EXPIRED_ERR = 6
"""The ``err`` of a message whose life time ran out: subscriber offline (our choice)."""


def _read_course(value: Any) -> tuple[Step, ...]:
    if not isinstance(value, list | tuple):
        raise TypeError("course: a list of [seconds, status] or [seconds, status, err] is expected")
    steps = tuple(_read_step(item) for item in value)
    if [step.at for step in steps] != sorted(step.at for step in steps):
        raise ValueError("course: its seconds must not go back")
    return steps


def _read_step(item: Any) -> Step:
    if not isinstance(item, list | tuple) or len(item) not in (2, 3):
        raise TypeError("course: [seconds, status] or [seconds, status, err] is expected")
    after_s, status, *err = item
    if not all(isinstance(number, int | float) for number in (after_s, *err)):
        raise TypeError("course: seconds and err are numbers")
    if not after_s >= 0:
        raise ValueError("course: seconds are counted from the acceptance on")
    return Step(float(after_s), Status(status), int(err[0]) if err else None)


@frozen(kw_only=True)
class Life:
    """One course of statuses and the messages it is meant for."""

    course: tuple[Step, ...] = field(converter=_read_course)
    """Given as ``[seconds, status]`` or ``[seconds, status, err]``.

    Seconds count from the acceptance on, or from the appointed time. Before the first one the
    message is waiting.
    """
    channel: Channel | None = field(default=None, converter=optional(Channel))
    """The channel whose messages live so; None for all."""
    phone: str = switches.text()
    """How the recipient ends; empty for all."""
    times: int | None = switches.times()
    """How many messages live so; None for all until it is cleared."""

    def fits(self, phone: str, channel: Channel) -> bool:
        """Tell whether a message to this recipient lives so."""
        return self.channel in (None, channel) and phone.endswith(self.phone)

    def steps(self, received: float, start: float) -> tuple[Step, ...]:
        """Lay out the statuses of a message that was received, and is to go at ``start``."""
        later = (Step(start + step.at, step.status, step.err) for step in self.course)
        return (Step(received, Status.WAITING), *later)


def honour_life(steps: tuple[Step, ...], start: float, life_s: float) -> tuple[Step, ...]:
    """End the statuses at the life time: what is not delivered by then is expired.

    ``life_s`` 0 means that there is none. Whoever can never be found, or is stopped for good,
    does not expire either.
    """
    end = start + life_s
    in_time = tuple(step for step in steps if step.at <= end)
    ended = any(step.status >= Status.DELIVERED for step in in_time)
    out_of_sight = in_time == steps and steps[-1].status < Status.WAITING
    if not life_s or ended or out_of_sight:
        return steps
    return (*in_time, Step(end, Status.EXPIRED, EXPIRED_ERR))
