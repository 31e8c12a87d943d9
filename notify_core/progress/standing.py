"""How the legs of a delivery stand, and the delivery as a whole."""

from __future__ import annotations

from collections.abc import Sequence

from notify_core.config.model import Mode
from notify_core.delivery import LegResult
from notify_core.outcome import Accepted, FailureScope, NotSent, Outcome, Refused, Unknown
from notify_core.progress.decisions import leg_under_way
from notify_core.progress.receipts import telling_attempt
from notify_core.progress.state import CloseLeg, Progress
from notify_core.routing import Leg, Plan

UNHEARD = Unknown("the answer was never heard")
"""The outcome of an attempt that nobody has heard of."""

_NOT_YET = CloseLeg("it was not tried yet")


def standing(plan: Plan, progress: Progress) -> tuple[LegResult, ...]:
    """Return how the legs stand: those that are over, and the one under way.

    A leg on which nothing has happened yet counts only where every leg is wanted: what was
    accepted before it is not all.
    """
    begun = progress.attempts or progress.skipped
    if progress.ended or (progress.done and not begun and not plan.all_of):
        return progress.done
    under_way = leg_result(leg_under_way(plan, progress), progress, _NOT_YET)
    return (*progress.done, under_way)


def leg_result(leg: Leg, progress: Progress, close: CloseLeg) -> LegResult:
    """Sum up what has happened on the leg under way, if it is closed so."""
    telling = telling_attempt(progress.attempts)
    heard = _untried(progress, close.why) if telling is None else telling.outcome or UNHEARD
    return LegResult(
        channel=leg.channel,
        outcome=close.refused or heard,
        attempts=progress.attempts,
        skipped=progress.skipped,
        parts=leg.parts,
        status=telling.status if telling else None,
        given_up=close.given_up,
        distrusted=telling is not None and telling.provider in leg.distrusted,
    )


def _untried(progress: Progress, why: str) -> NotSent:
    if not progress.skipped:
        return NotSent(why, FailureScope.WITHHELD)
    reasons = "; ".join(f"{skip.provider} is {skip.reason}" for skip in progress.skipped)
    return NotSent(f"no provider may be tried: {reasons}", FailureScope.PROVIDER)


def overall(mode: Mode, legs: Sequence[LegResult]) -> Outcome:
    """Return the outcome of a delivery as its legs stand.

    With ``all_of`` it is the least good one. Of ``first_of`` it is that of the leg that has
    arrived, else the last one's; but where that came to nothing, what was given up before may
    still arrive.
    """
    if mode is Mode.ALL_OF:
        return max((leg.outcome for leg in legs), key=_gravity)
    arrived = [leg.outcome for leg in legs if leg.arrived]
    last = legs[-1].outcome
    if arrived or isinstance(last, Accepted | Unknown):
        return arrived[0] if arrived else last
    pending = [leg.outcome for leg in legs if leg.may_arrive]
    return max([last, *pending], key=_hope)


def _gravity(outcome: Outcome) -> int:
    order: tuple[type, ...] = (Accepted, Refused, NotSent, Unknown)
    return order.index(type(outcome))


def _hope(outcome: Outcome) -> int:
    match outcome:
        case Unknown():
            return 2
        case Accepted():
            return 1
        case _:
            return 0
