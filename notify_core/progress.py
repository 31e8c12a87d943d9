"""How far a delivery has come, and what is to be done next: a state machine without I/O.

``Progress`` is all that must be known to carry a delivery on. Each event makes a new one, and
``next_action`` reads it and decides. Nothing here looks at a clock or calls a provider, so every
order of events can be tested; ``dispatch`` does what is decided.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

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
    tried: bool = False
    idle_until: datetime | None = None
    idle_because: str = ""
    rested: bool = False
    unanswered: int = 0
    ended: bool = False


@attrs.frozen(kw_only=True)
class Rules:
    """What decisions hang on beside the plan.

    ``ask_after_s`` is each provider's schedule of questions, in seconds. ``insistent`` says
    that a question without a usable answer is asked again, and ``patient`` that a delivery waits
    as long as a provider asks for, and for one that only a person can mend: waiting must cost
    nothing, and there must be no other way to take instead.
    """

    retry: Retry
    ask_after_s: Mapping[str, tuple[float, ...]]
    insistent: bool = False
    patient: bool = False


class Wish(enum.Enum):
    """What somebody wants of a delivery that is under way."""

    HOLD = "hold"
    """Let nothing be done until it is released."""
    CANCEL = "cancel"
    """Begin no attempt any more; what has gone is still found out."""


@attrs.frozen(kw_only=True)
class Circumstances:
    """What decisions hang on that changes by itself.

    ``left_s`` is the time to the deadline in seconds, ``early_s`` that until an attempt may begin
    (0 if it may: its time has come, and it is not quiet), ``chance`` a random number from 0 to 1
    for the jitter, and ``wish`` what somebody wants of the delivery.
    """

    now: datetime
    left_s: float = math.inf
    early_s: float = 0.0
    chance: float = 0.5
    wish: Wish | None = None


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
class Rest:
    """Wait so many seconds, then decide anew."""

    seconds: float


@attrs.frozen
class CloseLeg:
    """The leg under way is over. ``why`` says so where it was not tried."""

    why: str = "the deadline passed before it could be tried"


@attrs.frozen
class Stay:
    """Do nothing until somebody releases it."""


@attrs.frozen
class End:
    """Nothing is left to do."""


Action: TypeAlias = Try | Ask | Pause | Rest | CloseLeg | Stay | End

CANCELLED = CloseLeg("it was cancelled")
"""What follows a cancellation, as soon as nothing is in doubt."""


# --- decisions ------------------------------------------------------------------------------


def next_action(plan: Plan, progress: Progress, rules: Rules, at: Circumstances) -> Action:
    """Decide what is to be done now.

    An attempt in doubt is asked about; it is never made again before its absence is certain.
    """
    if progress.ended:
        return End()
    if at.wish is Wish.HOLD:
        return Stay()
    last = progress.attempts[-1] if progress.attempts else None
    is_accepted = _accepted(progress.attempts) is not None
    if last is not None and not is_accepted and not attempt_is_over(plan, progress, rules):
        return Ask(0.0 if progress.rested else _pause_before_question(plan, progress, rules))
    if at.wish is Wish.CANCEL:
        return CANCELLED
    is_settled = last is not None and next_step(last.outcome) is Step.SETTLED
    if is_accepted or is_settled or at.left_s <= 0:
        return CloseLeg()
    if progress.waiting:
        return _try_in_time(progress.waiting[0], at)
    return _next_round(progress, rules, at)


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
    if progress.round >= rules.retry.rounds or not _open_again(progress, rules):
        return CloseLeg()
    seconds = _pause(progress, rules, at.chance)
    return Pause(seconds) if seconds < at.left_s else CloseLeg()


_LEAST_PAUSE_S = 0.05


def _pause_before_question(plan: Plan, progress: Progress, rules: Rules) -> float:
    if progress.unanswered:
        return min(2.0**progress.unanswered, _LONGEST_BEFORE_QUESTION_S)
    return _schedule(plan, progress.attempts[-1], rules)[len(progress.questions)]


_LONGEST_BEFORE_QUESTION_S = 300.0
_MOST_UNANSWERED = 24
"""After so many for one question, which take about an hour and a half, it counts as unanswered."""


def _open_again(progress: Progress, rules: Rules) -> tuple[str, ...]:
    """Return the providers for the next round: those that do not ask for too long a pause.

    Who is patient waits for the one that asks for the shortest, if all of them ask for too long.
    """
    candidates = _candidates(progress, rules)
    longest = rules.retry.longest.total_seconds()
    if rules.patient and candidates:
        longest = max(longest, min(_wanted(progress, name) for name in candidates))
    return tuple(name for name in candidates if _wanted(progress, name) <= longest)


def _candidates(progress: Progress, rules: Rules) -> tuple[str, ...]:
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
    return rules.ask_after_s.get(attempt.provider, ()) if asks else ()


# --- events ---------------------------------------------------------------------------------


def begin(plan: Plan, done: tuple[LegResult, ...] = ()) -> Progress:
    """Begin the leg after those that are done."""
    providers = plan.legs[len(done)].providers
    return Progress(waiting=providers, open=providers, done=done)


def attempt_began(
    plan: Plan, progress: Progress, provider: str, started_at: datetime
) -> tuple[Progress, Attempt]:
    """Open an attempt. Its own id is the same each time this leg comes to this provider."""
    number = len(progress.attempts) + 1
    attempt = attempt_of(
        plan, len(progress.done), number=number, provider=provider, started_at=started_at
    )
    attempts = (*progress.attempts, attempt)
    waiting = _without(progress.waiting, provider)
    progress = attrs.evolve(
        progress,
        attempts=attempts,
        waiting=waiting,
        questions=(),
        tried=True,
        rested=False,
        unanswered=0,
    )
    return progress, attempt


def attempt_of(
    plan: Plan, leg: int, *, number: int, provider: str, started_at: datetime, **known: Any
) -> Attempt:
    """Make an attempt on one of the legs, which count from 0; ``known`` is what came of it."""
    return Attempt(
        id=f"{plan.delivery_id}-{leg + 1}-{number}",
        delivery_id=plan.delivery_id,
        own_id=f"{plan.delivery_id}-{leg + 1}",
        number=number,
        provider=provider,
        channel=plan.legs[leg].channel,
        address=plan.legs[leg].address,
        address_kind=plan.legs[leg].address_kind,
        started_at=started_at,
        **known,
    )


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
    if status is None and rules.insistent and progress.unanswered < _MOST_UNANSWERED:
        return attrs.evolve(progress, unanswered=progress.unanswered + 1, rested=False)
    progress = attrs.evolve(
        progress, questions=(*progress.questions, status), rested=False, unanswered=0
    )
    if not _in_doubt(attempt):
        return progress
    if status is not None and status.state is not State.NOT_FOUND:
        found = outcome_if_found(attempt, status)
        return _with_last(progress, attrs.evolve(attempt, resolved=found, status=status))
    schedule = _schedule(plan, attempt, rules)
    if len(progress.questions) >= len(schedule) and None not in progress.questions:
        absent = _absent(attempt.provider, len(progress.questions))
        progress = attrs.evolve(progress, waiting=(), open=(attempt.provider,))
        return _with_last(progress, attrs.evolve(attempt, resolved=absent))
    return progress


def merged(known: Progress, told: Progress) -> Progress:
    """Add to what is ``known`` the answers that only ``told`` has.

    Two carried one delivery on, because one of them was thought dead: each has heard what the
    other has not. An answer outweighs what asking found out, for it came from the call itself.
    """
    answers = {attempt.id: attempt for attempt in _attempts(told) if attempt.answer is not None}

    def with_answer(attempt: Attempt) -> Attempt:
        heard = answers.get(attempt.id)
        if heard is None or isinstance(attempt.answer, Accepted | Refused | NotSent):
            return attempt
        certain = not isinstance(heard.answer, Unknown)
        return attrs.evolve(
            attempt,
            answer=heard.answer,
            finished_at=heard.finished_at,
            resolved=None if certain else attempt.resolved,
        )

    done = tuple(_with_attempts(result, with_answer) for result in known.done)
    attempts = tuple(with_answer(attempt) for attempt in known.attempts)
    if attempts == known.attempts:
        return attrs.evolve(known, done=done)
    # The pause that is over was one before a question; what comes next may be another thing.
    known = attrs.evolve(known, done=done, attempts=attempts, rested=False)
    return _with_last(known, attempts[-1])


def _attempts(progress: Progress) -> tuple[Attempt, ...]:
    return (*(each for leg in progress.done for each in leg.attempts), *progress.attempts)


def _with_attempts(result: LegResult, change: Callable[[Attempt], Attempt]) -> LegResult:
    attempts = tuple(change(attempt) for attempt in result.attempts)
    if attempts == result.attempts:
        return result
    heard = (_accepted(attempts) or attempts[-1]).outcome or _UNHEARD
    # Who has asked since the leg was over can know more than who has heard no clear answer.
    says_more = not isinstance(heard, Unknown) or isinstance(result.outcome, Unknown)
    outcome = heard if says_more else result.outcome
    return attrs.evolve(result, attempts=attempts, outcome=outcome)


def asked_anew(progress: Progress) -> Progress:
    """Let a delivery that ended in doubt be asked about once more, from the beginning.

    Only the last leg can be gone back to. Of ``first_of`` it is the only one that can be in doubt.
    """
    if not progress.ended or not progress.done:
        return progress
    last = progress.done[-1]
    if not isinstance(last.outcome, Unknown):
        return progress
    return Progress(
        waiting=(),
        open=tuple({attempt.provider: None for attempt in last.attempts[-1:]}),
        done=progress.done[:-1],
        attempts=last.attempts,
        skipped=last.skipped,
        tried=True,
        rested=True,
    )


def provider_skipped(progress: Progress, provider: str, reason: str) -> Progress:
    """Take note that a provider could not be tried; it is not tried again on this leg."""
    return attrs.evolve(
        progress,
        waiting=_without(progress.waiting, provider),
        open=_without(progress.open, provider),
        skipped=(*progress.skipped, Skip(provider, reason)),
    )


def provider_left_alone(
    progress: Progress, provider: str, until: datetime, reason: str = "left alone"
) -> Progress:
    """Take note that a provider may not be tried before then; its turn in this round is over."""
    return attrs.evolve(
        progress,
        waiting=_without(progress.waiting, provider),
        idle_until=min(until, progress.idle_until or until),
        idle_because=f"{provider} is {reason}",
    )


def rested(progress: Progress) -> Progress:
    """Take note that the pause before what comes next is over."""
    return attrs.evolve(progress, rested=True)


def round_began(progress: Progress, rules: Rules) -> Progress:
    """Let every provider that is still open have its turn again.

    A round in which nobody could be tried does not count.
    """
    providers = _open_again(progress, rules)
    return attrs.evolve(
        progress,
        waiting=providers,
        open=_candidates(progress, rules) if rules.patient else providers,
        round=progress.round + 1 if progress.tried else progress.round,
        tried=False,
        idle_until=None,
        idle_because="",
        rested=False,
    )


def leg_closed(plan: Plan, progress: Progress, why: str = CloseLeg().why) -> Progress:
    """Sum the leg under way up, and begin the next one if there is to be one.

    ``why`` is the reason if nobody was tried.
    """
    result = _leg_result(leg_under_way(plan, progress), progress, why)
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


def standing(plan: Plan, progress: Progress) -> tuple[LegResult, ...]:
    """Return how the legs stand: those that are over, and the one under way.

    A leg on which nothing has happened yet counts only where every leg is wanted: what was
    accepted before it is not all.
    """
    begun = progress.attempts or progress.skipped
    if progress.ended or (progress.done and not begun and not plan.all_of):
        return progress.done
    under_way = _leg_result(leg_under_way(plan, progress), progress, "it was not tried yet")
    return (*progress.done, under_way)


def _leg_result(leg: Leg, progress: Progress, why: str) -> LegResult:
    last = progress.attempts[-1] if progress.attempts else None
    telling = _accepted(progress.attempts) or last
    return LegResult(
        channel=leg.channel,
        outcome=_untried(progress, why) if telling is None else telling.outcome or _UNHEARD,
        attempts=progress.attempts,
        skipped=progress.skipped,
        parts=leg.parts,
        status=telling.status if telling else None,
    )


def _accepted(attempts: Sequence[Attempt]) -> Attempt | None:
    """Return the attempt that was accepted, which need not be the last: an answer can be late."""
    return next((each for each in attempts if isinstance(each.outcome, Accepted)), None)


_UNHEARD = Unknown("the answer was never heard")


def _untried(progress: Progress, why: str) -> NotSent:
    if not progress.skipped:
        return NotSent(why, FailureScope.WITHHELD)
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
