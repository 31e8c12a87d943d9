"""What a receipt means to a leg that waits for one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from notify_core.config.model import Because, IfUnknown, Until
from notify_core.delivery import Attempt, LegResult
from notify_core.outcome import ARRIVED_STATES, Accepted, State, Status, Unknown
from notify_core.progress.state import Progress
from notify_core.routing import Leg, Plan

_ENOUGH: Mapping[Until, frozenset[State]] = MappingProxyType(
    {
        Until.ACCEPTED: frozenset(),
        Until.DELIVERED: ARRIVED_STATES,
        Until.READ: frozenset({State.READ, State.CLICKED}),
    }
)

_FAILED: Mapping[State, Because] = MappingProxyType(
    {
        State.UNDELIVERED: Because.UNDELIVERED,
        State.REJECTED: Because.REFUSED,
        State.EXPIRED: Because.EXPIRED,
    }
)


_HOPELESS = frozenset({*_FAILED, State.SIMULATED})


def waits(leg: Leg) -> bool:
    """Tell whether a leg is not over when a provider has taken the message."""
    return leg.until is not Until.ACCEPTED


def may_wait_in_doubt(leg: Leg) -> bool:
    """Tell whether a leg waits for a receipt although nobody knows if a provider took it."""
    return waits(leg) and leg.if_unknown is IfUnknown.NEXT


def has_reached(leg: Leg, attempt: Attempt) -> bool:
    """Tell whether a believed receipt says that the message came as far as the leg wants."""
    status = _believed(leg, attempt)
    return status is not None and status.state in _ENOUGH[leg.until]


def is_decided(leg: Leg, attempt: Attempt) -> bool:
    """Tell whether no further receipt is waited for: it has arrived, or never will."""
    status = _believed(leg, attempt)
    # What is final and unclear decides nothing: the time does.
    has_failed = status is not None and status.final and status.state in _HOPELESS
    return has_failed or has_reached(leg, attempt)


def is_waited_out(plan: Plan, progress: Progress) -> bool:
    """Tell whether a delivery need not wait for a receipt any longer."""
    telling = telling_attempt(progress.attempts)
    leg = plan.legs[len(progress.done)]
    is_known = telling is not None and is_decided(leg, telling)
    return is_known or an_earlier_leg_arrived(plan, progress.done)


def why_failed(leg: Leg, result: LegResult) -> Because | None:
    """Return why a leg that waited was of no use although a provider took the message."""
    if result.given_up:
        return Because.EXPIRED
    telling = telling_attempt(result.attempts)
    status = _believed(leg, telling) if telling is not None and waits(leg) else None
    return _FAILED.get(status.state) if status is not None and status.final else None


def an_earlier_leg_arrived(plan: Plan, done: Sequence[LegResult]) -> bool:
    """Tell whether a leg that is over has arrived since, so that no further one is needed."""
    if plan.all_of:
        return False
    return any(
        has_reached(leg, attempt)
        for leg, result in zip(plan.legs, done, strict=False)
        for attempt in result.attempts
    )


def is_followed(plan: Plan, progress: Progress, own_id: str) -> bool:
    """Tell whether anything more is expected of the leg with this id.

    What has arrived is over, unless the leg still waits for it to be read.
    """
    attempt = attempt_by(progress, own_id)
    if attempt is None:
        return False
    if attempt.status is None or not attempt.status.final:
        return True
    is_under_way = any(each.own_id == own_id for each in progress.attempts)
    return is_under_way and not is_decided(plan.legs[len(progress.done)], attempt)


def attempt_by(progress: Progress, own_id: str) -> Attempt | None:
    """Return the attempt that tells how the leg with this id stands, or None."""
    legs = [*(result.attempts for result in progress.done), progress.attempts]
    mine = [each for attempts in legs for each in attempts if each.own_id == own_id]
    return telling_attempt(mine)


def accepted_attempt(attempts: Sequence[Attempt]) -> Attempt | None:
    """Return the attempt that was accepted, which need not be the last: an answer can be late."""
    return next((each for each in attempts if isinstance(each.outcome, Accepted)), None)


def telling_attempt(attempts: Sequence[Attempt]) -> Attempt | None:
    """Return the attempt that says how a leg stands: the accepted one, else the last."""
    return accepted_attempt(attempts) or (attempts[-1] if attempts else None)


def in_doubt(attempt: Attempt) -> bool:
    """Tell whether nobody knows if the message of an attempt has gone."""
    return isinstance(attempt.outcome, Unknown | None)


def _believed(leg: Leg, attempt: Attempt) -> Status | None:
    return None if attempt.provider in leg.distrusted else attempt.status
