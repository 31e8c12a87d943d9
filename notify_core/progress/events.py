"""What happens to a delivery: each event makes a new progress of the one before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import attrs

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
    advanced,
)
from notify_core.progress.decisions import (
    Step,
    candidates,
    goes_on,
    leg_under_way,
    next_step,
    open_again,
    schedule,
)
from notify_core.progress.receipts import (
    accepted_attempt,
    an_earlier_leg_arrived,
    in_doubt,
    telling_attempt,
)
from notify_core.progress.standing import UNHEARD, leg_result
from notify_core.progress.state import CloseLeg, Progress, Rules
from notify_core.routing import Plan

_MOST_UNANSWERED = 24
"""After so many for one question, which take about an hour and a half, it counts as unanswered."""

_CLOSE = CloseLeg()


def begin(plan: Plan, done: tuple[LegResult, ...] = ()) -> Progress:
    """Begin the leg after those that are done."""
    providers = plan.legs[len(done)].providers
    return Progress(waiting=providers, open=providers, done=done)


def attempt_began(
    plan: Plan, progress: Progress, provider: str, started_at: datetime
) -> tuple[Progress, Attempt]:
    """Open an attempt. Its own id is the same each time this leg comes to this provider.

    A leg that has waited in doubt waits anew: what it waited for never left.
    """
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
        gives_up_at=None,
        looked=False,
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
    if not in_doubt(attempt):
        return progress
    if status is not None and status.state is not State.NOT_FOUND:
        distrusted = attempt.provider in leg_under_way(plan, progress).distrusted
        found = outcome_if_found(attempt, status, distrusted=distrusted)
        return _with_last(progress, attrs.evolve(attempt, resolved=found, status=status))
    asked_for_good = len(progress.questions) >= len(schedule(plan, progress, rules))
    if asked_for_good and None not in progress.questions:
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
    heard = (accepted_attempt(attempts) or attempts[-1]).outcome or UNHEARD
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


def waiting_began(progress: Progress, until: datetime) -> Progress:
    """Let the leg under way wait for a receipt until then."""
    return attrs.evolve(progress, gives_up_at=until, rested=False)


def looked(plan: Plan, progress: Progress, status: Status | None) -> Progress:
    """Take what the provider said when it was looked at once more; None for no usable answer."""
    progress = attrs.evolve(progress, looked=True)
    attempt = telling_attempt(progress.attempts)
    if status is None or attempt is None:
        return progress
    return status_learned(plan, progress, attempt.own_id, attempt.provider, status)


def status_learned(
    plan: Plan, progress: Progress, own_id: str, provider: str, status: Status
) -> Progress:
    """Take what a provider says has become of a message, however late and how often it says so.

    A message that it knows was taken, whatever was heard of the attempt.
    """
    done = tuple(leg_learned(result, own_id, provider, status) for result in progress.done)
    if progress.ended:
        return attrs.evolve(progress, done=done)
    distrusted = provider in leg_under_way(plan, progress).distrusted
    attempts = _attempts_learned(progress.attempts, own_id, provider, status, distrusted=distrusted)
    if attempts == progress.attempts:
        return attrs.evolve(progress, done=done)
    progress = attrs.evolve(progress, done=done, attempts=attempts)
    # The pause that is over was one before a question; what comes next is another thing.
    return _with_last(attrs.evolve(progress, rested=False), attempts[-1])


def _attempts_learned(
    attempts: tuple[Attempt, ...],
    own_id: str,
    provider: str,
    status: Status,
    *,
    distrusted: bool,
) -> tuple[Attempt, ...]:
    mine = [each for each in attempts if (each.own_id, each.provider) == (own_id, provider)]
    telling = telling_attempt(mine)
    return tuple(
        _told(each, status, distrusted=distrusted) if each is telling else each for each in attempts
    )


def _told(attempt: Attempt, status: Status, *, distrusted: bool) -> Attempt:
    known = attrs.evolve(attempt, status=advanced(attempt.status, status))
    # One that was found as failed and is told of as sent was taken before it failed.
    was_found = isinstance(attempt.resolved, Refused)
    if status.state in (State.NOT_FOUND, State.UNKNOWN) or not (in_doubt(attempt) or was_found):
        return known
    found = outcome_if_found(attempt, status, distrusted=distrusted)
    if was_found and isinstance(found, Refused) and known.status is not None:
        # Told to have failed in two ways: it is refused for the same one, whichever came first.
        found = outcome_if_found(attempt, known.status, distrusted=distrusted)
    return attrs.evolve(known, resolved=found)


def leg_learned(result: LegResult, own_id: str, provider: str, status: Status) -> LegResult:
    """Take what a provider says has become of the message of a leg that is over."""
    attempts = _attempts_learned(
        result.attempts, own_id, provider, status, distrusted=result.distrusted
    )
    if attempts == result.attempts:
        return result
    before, telling = telling_attempt(result.attempts), telling_attempt(attempts)
    # Something about one of them has changed, so there are some.
    assert before is not None
    assert telling is not None
    found_out = telling.outcome if telling.outcome != before.outcome else None
    return attrs.evolve(
        result, attempts=attempts, outcome=found_out or result.outcome, status=telling.status
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
    providers = open_again(progress, rules)
    return attrs.evolve(
        progress,
        waiting=providers,
        open=candidates(progress, rules) if rules.patient else providers,
        round=progress.round + 1 if progress.tried else progress.round,
        tried=False,
        idle_until=None,
        idle_because="",
        rested=False,
    )


def leg_closed(plan: Plan, progress: Progress, close: CloseLeg = _CLOSE) -> Progress:
    """Sum the leg under way up, and begin the next one if there is to be one."""
    leg = leg_under_way(plan, progress)
    result = leg_result(leg, progress, close)
    done = (*progress.done, result)
    is_last = len(done) == len(plan.legs) or an_earlier_leg_arrived(plan, done)
    if not is_last and goes_on(plan, leg, result):
        return begin(plan, done)
    return Progress(waiting=(), open=(), done=done, ended=True)


def receipt_of(attempt: Attempt) -> Receipt:
    """Return what a provider is asked with about an attempt, whether it is in doubt or not."""
    outcome = attempt.outcome
    return outcome.receipt if isinstance(outcome, Accepted) else receipt_to_ask(attempt)


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


def outcome_if_found(attempt: Attempt, status: Status, *, distrusted: bool = False) -> Outcome:
    """Return what is known of an attempt in doubt once its provider knows the message.

    Who is ``distrusted`` is believed that it has the message, and no more.
    """
    failed = status.state in (State.UNDELIVERED, State.REJECTED, State.EXPIRED)
    if status.final and failed and not distrusted:
        reason = status.detail or f"the provider has it as {status.state.value}"
        return Refused(reason, RefusalScope.RECIPIENT, status.code, receipt_to_ask(attempt))
    return Accepted(attrs.evolve(receipt_to_ask(attempt), provider_id=status.provider_id))


def _absent(provider: str, questions: int) -> NotSent:
    return NotSent(
        f"{provider} knows no such message after {questions} questions", FailureScope.PROVIDER
    )


def _without(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return tuple(other for other in names if other != name)
