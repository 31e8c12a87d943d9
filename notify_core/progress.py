"""How far a delivery has come, and what is to be done next: a state machine without I/O.

``Progress`` is all that must be known to carry a delivery on. Each event makes a new one, and
``next_action`` reads it and decides. Nothing here looks at a clock or calls a provider, so every
order of events can be tested; ``dispatch`` does what is decided.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

import attrs

from notify_core.config.model import IfUnknown, Mode, Retry
from notify_core.delivery import Attempt, LegResult, Skip
from notify_core.outcome import (
    Accepted,
    FailureScope,
    NotSent,
    Outcome,
    Receipt,
    RefusalScope,
    Refused,
    State,
    Status,
    Unknown,
)
from notify_core.policy.retry import pause_before, wanted_pause
from notify_core.routing import Leg, Plan


@attrs.frozen(kw_only=True)
class Progress:
    """What has happened to a delivery so far.

    ``done`` are the legs that are over. All else is about the leg under way: the ``round``, the
    providers ``waiting`` for their turn in it, those ``open`` for the next one, the attempts, the
    providers that were skipped, and the answers to the questions about the last attempt (None
    where there was no usable one).
    """

    waiting: tuple[str, ...]
    open: tuple[str, ...]
    done: tuple[LegResult, ...] = ()
    round: int = 1
    attempts: tuple[Attempt, ...] = ()
    skipped: tuple[Skip, ...] = ()
    questions: tuple[Status | None, ...] = ()
    ended: bool = False


@attrs.frozen(kw_only=True)
class Rules:
    """What decisions hang on beside the plan.

    ``ask_after_s`` is each provider's schedule of questions, in seconds.
    """

    retry: Retry
    ask_after_s: Mapping[str, tuple[float, ...]]


@attrs.frozen
class Try:
    """Make an attempt at this provider."""

    provider: str


@attrs.frozen
class Ask:
    """Wait so many seconds, then ask what became of the last attempt."""

    after_s: float


@attrs.frozen
class Pause:
    """Wait so many seconds, then begin the next round."""

    seconds: float


@attrs.frozen
class CloseLeg:
    """The leg under way is over."""


@attrs.frozen
class End:
    """Nothing is left to do."""


Action: TypeAlias = Try | Ask | Pause | CloseLeg | End


# --- decisions ------------------------------------------------------------------------------


def next_action(
    plan: Plan, progress: Progress, rules: Rules, *, left_s: float, chance: float
) -> Action:
    """Decide what is to be done now.

    ``left_s`` is the time to the deadline in seconds, ``chance`` a random number from 0 to 1
    for the jitter. An attempt in doubt is asked about; it is never made again before its absence
    is certain.
    """
    if progress.ended:
        return End()
    last = progress.attempts[-1] if progress.attempts else None
    if last is not None and not attempt_is_over(plan, progress, rules):
        return Ask(_schedule(plan, last, rules)[len(progress.questions)])
    if left_s <= 0 or (last is not None and next_step(last.outcome) is Step.SETTLED):
        return CloseLeg()
    if progress.waiting:
        return Try(progress.waiting[0])
    if progress.round >= rules.retry.rounds or not _open_again(progress, rules):
        return CloseLeg()
    seconds = _pause(progress, rules, chance)
    return Pause(seconds) if seconds < left_s else CloseLeg()


def _open_again(progress: Progress, rules: Rules) -> tuple[str, ...]:
    """Return the providers for the next round: those that do not ask for too long a pause."""
    longest = rules.retry.longest.total_seconds()
    return tuple(name for name in progress.open if _wanted(progress, name) <= longest)


def _pause(progress: Progress, rules: Rules, chance: float) -> float:
    wanted = max(_wanted(progress, provider) for provider in _open_again(progress, rules))
    return max(pause_before(progress.round + 1, rules.retry, chance), wanted)


def _wanted(progress: Progress, provider: str) -> float:
    outcomes = [each.outcome for each in progress.attempts if each.provider == provider]
    return wanted_pause(outcomes[-1] if outcomes else None)


def attempt_is_over(plan: Plan, progress: Progress, rules: Rules) -> bool:
    """Say whether everything is known of the last attempt that will be known by asking."""
    last = progress.attempts[-1]
    return not _in_doubt(last) or len(progress.questions) >= len(_schedule(plan, last, rules))


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


def goes_on(plan: Plan, outcome: Outcome, attempts: Sequence[Attempt]) -> bool:
    """Decide whether the next leg is tried after one that ended so, with these attempts.

    Every leg of ``all_of`` is tried. Of ``first_of``, the next one after a message that did not
    leave or was refused in a scope that the route names; never after an unknown outcome, nor
    on a leg where only the provider's *not found* made a *not sent* of one: a message that turns
    up late would come twice, and no id would tell the two apart.
    """
    if plan.mode is Mode.ALL_OF:
        return True
    if any(isinstance(attempt.resolved, NotSent) for attempt in attempts):
        return False
    match outcome:
        case NotSent():
            return True
        case Refused(scope=scope):
            return scope in plan.next_on
        case _:
            return False


def overall(mode: Mode, outcomes: Sequence[Outcome]) -> Outcome:
    """Return the outcome of a delivery: its last leg's, or with ``all_of`` the least good one."""
    if mode is Mode.FIRST_OF:
        return outcomes[-1]
    return max(outcomes, key=_gravity)


def _gravity(outcome: Outcome) -> int:
    order: tuple[type, ...] = (Accepted, Refused, NotSent, Unknown)
    return order.index(type(outcome))


def _in_doubt(attempt: Attempt) -> bool:
    return isinstance(attempt.outcome, Unknown | None)


def _schedule(plan: Plan, attempt: Attempt, rules: Rules) -> tuple[float, ...]:
    asks = plan.if_unknown is IfUnknown.RECONCILE
    return rules.ask_after_s[attempt.provider] if asks else ()


# --- events ---------------------------------------------------------------------------------


def begin(plan: Plan, done: tuple[LegResult, ...] = ()) -> Progress:
    """Begin the leg after those that are done."""
    providers = plan.legs[len(done)].providers
    return Progress(waiting=providers, open=providers, done=done)


def attempt_began(
    plan: Plan, progress: Progress, provider: str, started_at: datetime
) -> tuple[Progress, Attempt]:
    """Open an attempt. Its own id is the same each time this leg comes to this provider."""
    leg, leg_number = leg_under_way(plan, progress), len(progress.done) + 1
    number = len(progress.attempts) + 1
    attempt = Attempt(
        id=f"{plan.delivery_id}-{leg_number}-{number}",
        delivery_id=plan.delivery_id,
        own_id=f"{plan.delivery_id}-{leg_number}",
        number=number,
        provider=provider,
        channel=leg.channel,
        address=leg.address,
        address_kind=leg.address_kind,
        started_at=started_at,
    )
    attempts = (*progress.attempts, attempt)
    waiting = _without(progress.waiting, provider)
    return attrs.evolve(progress, attempts=attempts, waiting=waiting, questions=()), attempt


def attempt_answered(progress: Progress, answer: Outcome, finished_at: datetime) -> Progress:
    """Take what the provider said to the open attempt."""
    attempt = progress.attempts[-1]
    return _with_last(progress, attrs.evolve(attempt, answer=answer, finished_at=finished_at))


def question_answered(
    plan: Plan, progress: Progress, status: Status | None, rules: Rules
) -> Progress:
    """Take what the provider said to a question about the last attempt; None for no answer.

    Found makes the attempt accepted, or refused if the message has already failed for good: a
    provider can know a message that it refused. *Not found* to every question of the schedule
    makes it certain that nothing left, and then only this provider may have it again.
    """
    attempt = progress.attempts[-1]
    progress = attrs.evolve(progress, questions=(*progress.questions, status))
    if status is not None and status.state is not State.NOT_FOUND:
        found = outcome_if_found(attempt, status)
        return _with_last(progress, attrs.evolve(attempt, resolved=found, status=status))
    schedule = _schedule(plan, attempt, rules)
    if len(progress.questions) >= len(schedule) and None not in progress.questions:
        absent = _absent(attempt.provider, len(progress.questions))
        progress = attrs.evolve(progress, waiting=(), open=(attempt.provider,))
        return _with_last(progress, attrs.evolve(attempt, resolved=absent))
    return progress


def provider_skipped(progress: Progress, provider: str, reason: str) -> Progress:
    """Take note that a provider could not be tried; it is not tried again on this leg."""
    return attrs.evolve(
        progress,
        waiting=_without(progress.waiting, provider),
        open=_without(progress.open, provider),
        skipped=(*progress.skipped, Skip(provider, reason)),
    )


def round_began(progress: Progress, rules: Rules) -> Progress:
    """Let every provider that is still open have its turn again."""
    providers = _open_again(progress, rules)
    return attrs.evolve(progress, waiting=providers, open=providers, round=progress.round + 1)


def leg_closed(plan: Plan, progress: Progress) -> Progress:
    """Sum the leg under way up, and begin the next one if there is to be one."""
    result = _leg_result(leg_under_way(plan, progress), progress)
    done = (*progress.done, result)
    if len(done) < len(plan.legs) and goes_on(plan, result.outcome, result.attempts):
        return begin(plan, done)
    return Progress(waiting=(), open=(), done=done, ended=True)


def leg_under_way(plan: Plan, progress: Progress) -> Leg:
    """Return the leg that is being carried out."""
    return plan.legs[len(progress.done)]


def receipt_to_ask(attempt: Attempt) -> Receipt:
    """Return what a provider needs to be asked about an attempt whose answer is in doubt."""
    return Receipt(
        provider=attempt.provider,
        address=attempt.address,
        own_id=attempt.own_id,
        raw=attempt.answer.raw if isinstance(attempt.answer, Unknown) else {},
    )


def _with_last(progress: Progress, attempt: Attempt) -> Progress:
    progress = attrs.evolve(progress, attempts=(*progress.attempts[:-1], attempt))
    if next_step(attempt.outcome) is Step.DROP_PROVIDER:
        return attrs.evolve(progress, open=_without(progress.open, attempt.provider))
    return progress


def _leg_result(leg: Leg, progress: Progress) -> LegResult:
    last = progress.attempts[-1] if progress.attempts else None
    return LegResult(
        channel=leg.channel,
        outcome=_untried(progress) if last is None else last.outcome or _UNHEARD,
        attempts=progress.attempts,
        skipped=progress.skipped,
        parts=leg.parts,
        status=last.status if last else None,
    )


_UNHEARD = Unknown("the answer was never heard")


def _untried(progress: Progress) -> NotSent:
    if not progress.skipped:
        return NotSent("the deadline passed before it could be tried", FailureScope.PROVIDER)
    reasons = "; ".join(f"{skip.provider} is {skip.reason}" for skip in progress.skipped)
    return NotSent(f"no provider may be tried: {reasons}", FailureScope.PROVIDER)


def outcome_if_found(attempt: Attempt, status: Status) -> Outcome:
    """Return what is known of an attempt in doubt once its provider knows the message."""
    failed = status.state in (State.UNDELIVERED, State.REJECTED, State.EXPIRED)
    if status.final and failed:
        reason = status.detail or f"the provider has it as {status.state.value}"
        return Refused(reason, RefusalScope.RECIPIENT, status.code, receipt_to_ask(attempt))
    return Accepted(receipt_to_ask(attempt))


def _absent(provider: str, questions: int) -> NotSent:
    return NotSent(
        f"{provider} knows no such message after {questions} questions", FailureScope.PROVIDER
    )


def _without(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return tuple(other for other in names if other != name)
