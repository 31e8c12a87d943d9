"""What is to be done next: decisions without I/O, which look at no clock."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from datetime import datetime

from notify_core.config.model import Because, IfUnknown, Mode
from notify_core.delivery import Attempt, LegResult
from notify_core.outcome import Accepted, FailureScope, NotSent, Outcome, RefusalScope, Refused
from notify_core.policy.retry import pause_before, wanted_pause
from notify_core.progress.receipts import (
    an_earlier_leg_arrived,
    in_doubt,
    is_decided,
    may_wait_in_doubt,
    telling_attempt,
    waits,
    why_failed,
)
from notify_core.progress.state import (
    ARRIVED,
    CANCELLED,
    GIVEN_UP,
    Action,
    Ask,
    Await,
    Circumstances,
    CloseLeg,
    End,
    Look,
    Pause,
    Progress,
    Rest,
    Rules,
    Stay,
    Try,
    Wish,
)
from notify_core.routing import Leg, Plan


def next_action(plan: Plan, progress: Progress, rules: Rules, at: Circumstances) -> Action:
    """Decide what is to be done now.

    An attempt in doubt is asked about; it is never made again before its absence is certain.
    """
    if progress.ended:
        return End()
    if at.wish is Wish.HOLD:
        return Stay()
    telling = telling_attempt(progress.attempts)
    if telling is not None and in_doubt(telling) and not attempt_is_over(plan, progress, rules):
        return _in_doubt(plan, progress, rules, at)
    if at.wish is Wish.CANCEL:
        return CANCELLED
    if an_earlier_leg_arrived(plan, progress.done):
        return ARRIVED
    if telling is not None and next_step(telling.outcome) is Step.SETTLED:
        return _settled(plan, progress, rules, telling, at)
    if at.left_s <= 0:
        return CloseLeg()
    if progress.waiting:
        return _try_in_time(progress.waiting[0], at)
    return _next_round(progress, rules, at)


def _in_doubt(plan: Plan, progress: Progress, rules: Rules, at: Circumstances) -> Action:
    """Ask about the last attempt; a leg that may go on in doubt does so when its time is over."""
    pause = 0.0 if progress.rested else _pause_before_question(plan, progress, rules)
    if not may_wait_in_doubt(leg_under_way(plan, progress)) or at.wish is Wish.CANCEL:
        return Ask(pause)
    if progress.gives_up_at is not None and pause < _seconds_left(progress.gives_up_at, at):
        return Ask(pause)
    return _wait(plan, progress, rules, at)


def _settled(
    plan: Plan, progress: Progress, rules: Rules, telling: Attempt, at: Circumstances
) -> Action:
    """Close a leg, unless it waits for a receipt of what a provider has taken."""
    leg = leg_under_way(plan, progress)
    is_taken = isinstance(telling.outcome, Accepted)
    if waits(leg) and is_taken and not is_decided(leg, telling):
        return _wait(plan, progress, rules, at)
    if may_wait_in_doubt(leg) and in_doubt(telling):
        return _wait(plan, progress, rules, at)
    return CloseLeg()


def _wait(plan: Plan, progress: Progress, rules: Rules, at: Circumstances) -> Action:
    """Wait for a receipt. When the time is over the provider is looked at once more."""
    if progress.gives_up_at is None:
        return Await(leg_under_way(plan, progress).within or rules.follow)
    left_s = _seconds_left(progress.gives_up_at, at)
    if left_s > 0:
        return Rest(left_s)
    return GIVEN_UP if progress.looked else Look()


def _seconds_left(moment: datetime, at: Circumstances) -> float:
    return (moment - at.now).total_seconds()


def _try_in_time(provider: str, at: Circumstances) -> Action:
    if at.early_s <= 0:
        return Try(provider)
    late = CloseLeg("the deadline passes before an attempt may begin")
    return Rest(at.early_s) if at.early_s < at.left_s else late


def _next_round(progress: Progress, rules: Rules, at: Circumstances) -> Action:
    if progress.rested:
        return Pause(0.0)
    if progress.idle_until is not None and not progress.tried:
        # Waiting for a provider is no round, and only the deadline ends it.
        seconds = max((progress.idle_until - at.now).total_seconds(), _LEAST_PAUSE_S)
        late = CloseLeg(f"the deadline passes before it can be tried: {progress.idle_because}")
        return Pause(seconds) if seconds < at.left_s else late
    if progress.round >= rules.retry.rounds or not open_again(progress, rules):
        return CloseLeg()
    seconds = _pause(progress, rules, at.chance)
    return Pause(seconds) if seconds < at.left_s else CloseLeg()


_LEAST_PAUSE_S = 0.05


def _pause_before_question(plan: Plan, progress: Progress, rules: Rules) -> float:
    if progress.unanswered:
        return min(2.0**progress.unanswered, _LONGEST_BEFORE_QUESTION_S)
    return schedule(plan, progress, rules)[len(progress.questions)]


_LONGEST_BEFORE_QUESTION_S = 300.0


def open_again(progress: Progress, rules: Rules) -> tuple[str, ...]:
    """Return the providers for the next round: those that do not ask for too long a pause.

    Who is patient waits for the one that asks for the shortest, if all of them ask for too long.
    """
    names = candidates(progress, rules)
    longest = rules.retry.longest.total_seconds()
    if rules.patient and names:
        longest = max(longest, min(_wanted(progress, name) for name in names))
    return tuple(name for name in names if _wanted(progress, name) <= longest)


def candidates(progress: Progress, rules: Rules) -> tuple[str, ...]:
    """Return the providers that may be tried again at all.

    After an absence that only its provider claims, no other one may.
    """
    claimed_absent = any(isinstance(each.resolved, NotSent) for each in progress.attempts)
    stopped = _stopped(progress) if rules.patient and not claimed_absent else ()
    return tuple(dict.fromkeys((*progress.open, *stopped)))


def _stopped(progress: Progress) -> Iterator[str]:
    """Yield the providers whose account was at fault when they were tried last."""
    skipped = {skip.provider for skip in progress.skipped}
    for name, outcome in {each.provider: each.outcome for each in progress.attempts}.items():
        at_fault = isinstance(outcome, NotSent) and outcome.scope is FailureScope.ACCOUNT
        if at_fault and name not in skipped:
            yield name


def _pause(progress: Progress, rules: Rules, chance: float) -> float:
    wanted = max(_wanted(progress, provider) for provider in open_again(progress, rules))
    return max(pause_before(progress.round + 1, rules.retry, chance), wanted)


def _wanted(progress: Progress, provider: str) -> float:
    outcomes = [each.outcome for each in progress.attempts if each.provider == provider]
    return wanted_pause(outcomes[-1] if outcomes else None)


def attempt_is_over(plan: Plan, progress: Progress, rules: Rules) -> bool:
    """Say whether everything is known of the last attempt that will be known by asking."""
    last = progress.attempts[-1]
    return not in_doubt(last) or len(progress.questions) >= len(schedule(plan, progress, rules))


class Step(enum.Enum):
    """What a leg does after an attempt."""

    SETTLED = "settled"
    """The leg is over."""
    NEXT_PROVIDER = "next provider"
    """The next provider, and this one again in the next round."""
    DROP_PROVIDER = "drop provider"
    """The next provider; this one is not tried again on this leg."""


def next_step(outcome: Outcome | None) -> Step:
    """Decide what a leg does after an outcome.

    Only what certainly did not leave goes on to another provider. A recipient or a content that
    is refused would be refused again; an account that may not is left out.
    """
    match outcome:
        case NotSent(scope=FailureScope.PROVIDER | FailureScope.THROTTLED):
            return Step.NEXT_PROVIDER
        case NotSent() | Refused(scope=RefusalScope.ACCOUNT):
            return Step.DROP_PROVIDER
        case _:
            return Step.SETTLED


def goes_on(plan: Plan, leg: Leg, result: LegResult) -> bool:
    """Decide whether the next leg is tried after one that ended so.

    Every leg of ``all_of`` is tried. Of ``first_of``, the next one after a message that did not
    leave or was refused in a scope that the route names, and after one for which the receipt that
    the leg waited for said that it failed, or did not come. Never after an unknown outcome, unless
    the leg says so, nor on a leg where only the provider's *not found* made a *not sent* of one: a
    message that turns up late would come twice, and no id would tell the two apart.
    """
    if plan.mode is Mode.ALL_OF:
        return True
    may_turn_up = any(isinstance(attempt.resolved, NotSent) for attempt in result.attempts)
    match result.outcome:
        case NotSent() | Refused() if may_turn_up:
            return False
        case NotSent():
            return True
        case Refused(scope=scope):
            return scope in plan.next_on and Because.REFUSED in leg.on
        case _:
            return why_failed(leg, result) in leg.on


def schedule(plan: Plan, progress: Progress, rules: Rules) -> tuple[float, ...]:
    """Return the pauses before the questions about the last attempt; none if it is not asked."""
    if leg_under_way(plan, progress).if_unknown is IfUnknown.HOLD:
        return ()
    return rules.ask_after_s.get(progress.attempts[-1].provider, ())


def leg_under_way(plan: Plan, progress: Progress) -> Leg:
    """Return the leg that is being carried out."""
    return plan.legs[len(progress.done)]
