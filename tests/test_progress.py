"""The state machine of a delivery: whatever happens, in whatever order."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_core.config.model import IfUnknown, Mode, Retry
from notify_core.contact import Contact
from notify_core.delivery import Attempt, LegResult, Skip
from notify_core.message import Sms
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
from notify_core.progress import (
    CANCELLED,
    Action,
    Ask,
    Circumstances,
    CloseLeg,
    End,
    Pause,
    Progress,
    Rest,
    Rules,
    Stay,
    Try,
    Wish,
    asked_anew,
    attempt_answered,
    attempt_began,
    begin,
    goes_on,
    leg_closed,
    merged,
    next_action,
    overall,
    provider_left_alone,
    provider_skipped,
    question_answered,
    receipt_to_ask,
    rested,
    round_began,
    standing,
)
from notify_core.routing import Leg, Plan
from notify_core.text import count_parts

NOW = datetime(2030, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(seconds=3)
SCHEDULES = {"a": (1.0, 2.0), "b": (), "c": (1.0,)}
MESSAGE = Sms(to="+79990000001", text="hi")
PARTS = count_parts("hi")

answers = st.sampled_from(
    [
        Accepted(Receipt(provider="a", address="x")),
        *(Refused("no", scope) for scope in RefusalScope),
        *(NotSent("no", scope) for scope in FailureScope),
        NotSent("later", FailureScope.THROTTLED, retry_after_s=5),
        NotSent("much later", FailureScope.THROTTLED, retry_after_s=5000),
        Unknown("lost"),
    ]
)
told = st.sampled_from(
    [None, *(Status(state=state) for state in (State.NOT_FOUND, State.SENT, State.REJECTED))]
)


def planned(
    legs: Sequence[Sequence[str]],
    mode: Mode = Mode.FIRST_OF,
    if_unknown: IfUnknown = IfUnknown.RECONCILE,
    next_on: frozenset[RefusalScope] = frozenset(),
) -> Plan:
    """A plan with these providers on each leg."""
    return Plan(
        delivery_id="d-1",
        message_id="d",
        recipient=Contact(phone="+79990000001"),
        route="r",
        mode=mode,
        if_unknown=if_unknown,
        next_on=next_on,
        deadline=None,
        legs=tuple(
            Leg(
                channel="sms",
                message=MESSAGE,
                address="+79990000001",
                address_kind="phone",
                providers=tuple(providers),
                if_unknown=if_unknown,
                parts=PARTS,
            )
            for providers in legs
        ),
    )


def at(**given: Any) -> Circumstances:
    """Nothing presses and nothing hinders, but for what is given."""
    return Circumstances(now=NOW, **given)


plans = st.builds(
    planned,
    st.lists(st.permutations("abc").map(lambda names: names[:2]), min_size=1, max_size=3),
    st.sampled_from(Mode),
    st.sampled_from([IfUnknown.RECONCILE, IfUnknown.HOLD]),
    st.frozensets(st.sampled_from(RefusalScope)),
)
rules = st.builds(
    lambda rounds, patient: Rules(
        retry=Retry(rounds=rounds), ask_after_s=SCHEDULES, insistent=patient, patient=patient
    ),
    st.integers(1, 3),
    st.booleans(),
)


@attrs.define
class Story:
    """Everything that happened to one delivery, event by event."""

    plan: Plan
    rules: Rules
    attempts: list[Attempt]
    progress: Progress

    def outcomes(self) -> list[Outcome]:
        return [result.outcome for result in self.progress.done]


def tell(plan: Plan, with_rules: Rules, draw: Callable[[st.SearchStrategy], object]) -> Story:
    """Carry a plan out with whatever hypothesis draws.

    That is the answers, the deadline, what stands against a provider, whether a pause is left to
    somebody else, and a cancellation.
    """
    story = Story(plan, with_rules, [], begin(plan))
    waits = draw(st.integers(0, 3))
    wish = None
    while True:
        left_s = draw(st.sampled_from([math.inf, math.inf, math.inf, 3.0, 0.0]))
        wish = wish or draw(st.sampled_from([None] * 9 + [Wish.CANCEL]))
        action = next_action(plan, story.progress, with_rules, at(left_s=left_s, wish=wish))
        match action:
            case End():
                return story
            case CloseLeg() as close:
                story.progress = leg_closed(plan, story.progress, close)
            case Pause(seconds) | Ask(seconds) if seconds > 0 and draw(st.booleans()):
                story.progress = rested(story.progress)
            case Pause():
                story.progress = round_began(story.progress, with_rules)
            case Ask():
                story.progress = question_answered(plan, story.progress, draw(told), with_rules)
            case Try(provider) if draw(st.integers(0, 9)) == 0:
                story.progress = provider_skipped(story.progress, provider, "stopped")
            case Try(provider) if waits and draw(st.booleans()):
                waits -= 1
                story.progress = provider_left_alone(story.progress, provider, LATER)
            case Try(provider):
                story.progress, attempt = attempt_began(plan, story.progress, provider, NOW)
                story.attempts.append(attempt)
                story.progress = attempt_answered(story.progress, draw(answers), NOW)


@given(plans, rules, st.data())
def test_it_always_ends_within_the_rounds_of_its_legs(
    plan: Plan, with_rules: Rules, data: st.DataObject
) -> None:
    story = tell(plan, with_rules, data.draw)

    most = sum(len(leg.providers) for leg in plan.legs) * with_rules.retry.rounds
    assert len(story.attempts) <= most
    assert 1 <= len(story.progress.done) <= len(plan.legs)


@given(plans, rules, st.data())
def test_nothing_is_tried_on_a_leg_after_an_attempt_that_may_have_gone(
    plan: Plan, with_rules: Rules, data: st.DataObject
) -> None:
    story = tell(plan, with_rules, data.draw)

    for result in story.progress.done:
        for attempt in result.attempts[:-1]:
            assert isinstance(attempt.outcome, NotSent | Refused)


@given(plans, rules, st.data())
def test_no_leg_follows_one_that_may_have_gone_unless_all_are_wanted(
    plan: Plan, with_rules: Rules, data: st.DataObject
) -> None:
    story = tell(plan, with_rules, data.draw)

    if plan.mode is Mode.FIRST_OF:
        for outcome in story.outcomes()[:-1]:
            assert isinstance(outcome, NotSent | Refused)
    else:
        assert len(story.outcomes()) == len(plan.legs)


@given(plans, rules, st.data())
def test_an_unknown_answer_becomes_not_sent_only_by_a_whole_schedule_of_not_found(
    plan: Plan, with_rules: Rules, data: st.DataObject
) -> None:
    story = tell(plan, with_rules, data.draw)

    for result in story.progress.done:
        for attempt in result.attempts:
            if isinstance(attempt.answer, Unknown) and isinstance(attempt.outcome, NotSent):
                assert plan.if_unknown is IfUnknown.RECONCILE
                assert SCHEDULES[attempt.provider]


@given(plans, rules, st.data())
def test_all_attempts_of_a_leg_share_an_own_id_and_no_two_legs_do(
    plan: Plan, with_rules: Rules, data: st.DataObject
) -> None:
    story = tell(plan, with_rules, data.draw)

    ids = [{attempt.own_id for attempt in result.attempts} for result in story.progress.done]
    assert all(len(own) <= 1 for own in ids)
    assert len(set().union(*ids)) == sum(len(own) for own in ids)


@given(plans, rules, st.data())
def test_a_delivery_is_accepted_only_if_its_legs_say_so(
    plan: Plan, with_rules: Rules, data: st.DataObject
) -> None:
    story = tell(plan, with_rules, data.draw)

    outcome = overall(plan.mode, story.progress.done)
    if isinstance(outcome, Accepted):
        wanted = story.outcomes() if plan.mode is Mode.ALL_OF else story.outcomes()[-1:]
        assert all(isinstance(each, Accepted) for each in wanted)


@given(plans, rules)
def test_an_attempt_whose_answer_nobody_heard_is_asked_about_before_anything_else(
    plan: Plan, with_rules: Rules
) -> None:
    provider = plan.legs[0].providers[0]
    progress, _ = attempt_began(plan, begin(plan), provider, NOW)

    action = next_action(plan, progress, with_rules, at())

    asks = SCHEDULES[provider] and plan.if_unknown is IfUnknown.RECONCILE
    assert isinstance(action, Ask if asks else CloseLeg)


@given(plans, rules)
def test_an_attempt_that_stays_unheard_ends_unknown(plan: Plan, with_rules: Rules) -> None:
    progress, _ = attempt_began(plan, begin(plan), plan.legs[0].providers[0], NOW)
    while isinstance(next_action(plan, progress, with_rules, at(left_s=9)), Ask):
        progress = question_answered(plan, progress, None, with_rules)

    closed = leg_closed(plan, progress)

    assert closed.done[0].outcome == Unknown("the answer was never heard")


RULES = Rules(retry=Retry(jitter=0), ask_after_s=SCHEDULES)
TWO = planned(["ab"])
TWO_HELD = planned(["ab"], if_unknown=IfUnknown.HOLD)

TAKEN = Accepted(Receipt(provider="a", address="+79990000001"))
BAD_NUMBER = Refused("no such number", RefusalScope.RECIPIENT)
NOT_ALLOWED = Refused("no contract", RefusalScope.ACCOUNT)
DOWN = NotSent("out of reach", FailureScope.PROVIDER)
BAD_LOGIN = NotSent("authorise error", FailureScope.ACCOUNT)
LOST = Unknown("lost", raw={"token": "17"})
ABSENT = Status(state=State.NOT_FOUND)


def busy(seconds: float) -> NotSent:
    return NotSent("slow down", FailureScope.THROTTLED, retry_after_s=seconds)


def told_by(plan: Plan, *events: tuple[str, Outcome]) -> Progress:
    """How far a delivery has come after these answers of these providers."""
    progress = begin(plan)
    for provider, answer in events:
        progress, _ = attempt_began(plan, progress, provider, NOW)
        progress = attempt_answered(progress, answer, LATER)
    return progress


def asked(progress: Progress, *statuses: Status | None, plan: Plan = TWO) -> Progress:
    for status in statuses:
        progress = question_answered(plan, progress, status, RULES)
    return progress


@pytest.mark.parametrize(
    ("progress", "left_s", "action"),
    [
        # The first provider, unless it is too late.
        (begin(TWO), math.inf, Try("a")),
        (begin(TWO), 0.5, Try("a")),
        (begin(TWO), 0.0, CloseLeg()),
        (begin(TWO), -1.0, CloseLeg()),
        # The next one, unless this one has settled it.
        (told_by(TWO, ("a", DOWN)), 9.0, Try("b")),
        (told_by(TWO, ("a", DOWN)), 0.0, CloseLeg()),
        (told_by(TWO, ("a", NOT_ALLOWED)), 9.0, Try("b")),
        (told_by(TWO, ("a", BAD_LOGIN)), 9.0, Try("b")),
        (told_by(TWO, ("a", TAKEN)), 9.0, CloseLeg()),
        (told_by(TWO, ("a", BAD_NUMBER)), 9.0, CloseLeg()),
        # A pause before the next round, unless it would last until the deadline.
        (told_by(TWO, ("a", DOWN), ("b", DOWN)), 9.0, Pause(1.0)),
        (told_by(TWO, ("a", DOWN), ("b", DOWN)), 1.1, Pause(1.0)),
        (told_by(TWO, ("a", DOWN), ("b", DOWN)), 1.0, CloseLeg()),
        (told_by(TWO, ("a", BAD_LOGIN), ("b", DOWN)), 9.0, Pause(1.0)),
        (told_by(TWO, ("a", NOT_ALLOWED), ("b", BAD_LOGIN)), 9.0, CloseLeg()),
        # As long as the providers of the next round ask for, and those that ask too much left out.
        (told_by(TWO, ("a", busy(5)), ("b", DOWN)), 9.0, Pause(5)),
        (told_by(TWO, ("a", busy(5)), ("b", busy(7))), 9.0, Pause(7)),
        (told_by(TWO, ("a", busy(7)), ("b", busy(5))), 9.0, Pause(7)),
        (told_by(TWO, ("a", busy(0.5)), ("b", busy(0.5))), 9.0, Pause(1.0)),
        (told_by(TWO, ("a", busy(5)), ("b", DOWN)), 5.0, CloseLeg()),
        (told_by(TWO, ("a", busy(30)), ("b", DOWN)), 99.0, Pause(30)),
        (told_by(TWO, ("a", busy(31)), ("b", DOWN)), 99.0, Pause(1.0)),
        (told_by(TWO, ("a", busy(31)), ("b", busy(31))), 99.0, CloseLeg()),
        # As long as a provider has asked for last.
        (told_by(TWO, ("a", busy(7)), ("b", DOWN), ("a", busy(3)), ("b", DOWN)), 9.0, Pause(3)),
        # What is in doubt is asked about first, however late it is.
        (told_by(TWO, ("a", LOST)), 9.0, Ask(1.0)),
        (told_by(TWO, ("a", LOST)), 0.0, Ask(1.0)),
        (asked(told_by(TWO, ("a", LOST)), ABSENT), 9.0, Ask(2.0)),
        (asked(told_by(TWO, ("a", LOST)), None), 9.0, Ask(2.0)),
        (asked(told_by(TWO, ("a", LOST)), None, ABSENT), 9.0, CloseLeg()),
        (asked(told_by(TWO, ("a", LOST)), ABSENT, ABSENT), 9.0, Pause(1.0)),
        (told_by(TWO, ("b", LOST)), 9.0, CloseLeg()),
    ],
)
def test_what_has_happened_decides_what_is_done_next(
    progress: Progress, left_s: float, action: Action
) -> None:
    assert next_action(TWO, progress, RULES, at(left_s=left_s)) == action


def test_what_is_in_doubt_is_left_so_where_the_route_holds_it() -> None:
    progress = told_by(TWO_HELD, ("a", LOST))

    assert next_action(TWO_HELD, progress, RULES, at(left_s=9)) == CloseLeg()


@pytest.mark.parametrize(
    ("round_number", "action"), [(1, Pause(1.0)), (2, Pause(2.0)), (3, CloseLeg())]
)
def test_the_rounds_are_counted(round_number: int, action: Action) -> None:
    progress = attrs.evolve(told_by(TWO, ("a", DOWN), ("b", DOWN)), round=round_number)

    assert next_action(TWO, progress, RULES, at(left_s=99)) == action


def test_a_new_round_is_for_those_that_are_open_and_ask_for_no_more_than_is_allowed() -> None:
    plan = planned(["abcd"])
    progress = told_by(plan, ("a", busy(31)), ("b", BAD_LOGIN), ("c", busy(30)), ("d", DOWN))

    began = round_began(progress, RULES)

    assert (began.waiting, began.open, began.round) == (("c", "d"), ("c", "d"), 2)
    assert began.attempts == progress.attempts


def test_a_provider_that_is_skipped_has_no_turn_in_any_round() -> None:
    skipped = provider_skipped(begin(TWO), "a", "stopped")

    assert (skipped.waiting, skipped.open) == (("b",), ("b",))
    assert skipped.skipped == (Skip("a", "stopped"),)


def test_an_attempt_says_all_that_is_known_of_it() -> None:
    plan = planned(["a", "ab"])
    progress = leg_closed(plan, told_by(plan, ("a", DOWN)))

    progress, first = attempt_began(plan, progress, "a", NOW)
    progress = attempt_answered(progress, busy(5), LATER)
    progress, second = attempt_began(plan, progress, "b", LATER)

    assert first == Attempt(
        id="d-1-2-1",
        delivery_id="d-1",
        own_id="d-1-2",
        number=1,
        provider="a",
        channel="sms",
        address="+79990000001",
        address_kind="phone",
        started_at=NOW,
    )
    assert progress.attempts == (attrs.evolve(first, answer=busy(5), finished_at=LATER), second)
    assert (second.id, second.own_id, second.number) == ("d-1-2-2", "d-1-2", 2)


def test_a_new_attempt_is_asked_about_from_the_beginning_of_the_schedule() -> None:
    progress = asked(told_by(TWO, ("a", LOST)), ABSENT, ABSENT)

    progress, _ = attempt_began(TWO, round_began(progress, RULES), "a", NOW)

    assert next_action(TWO, progress, RULES, at(left_s=9)) == Ask(1.0)


@pytest.mark.parametrize("answer", [LOST, TAKEN], ids=str)
def test_a_provider_gets_back_what_it_said_to_an_attempt_in_doubt(answer: Outcome) -> None:
    (attempt,) = told_by(TWO, ("a", answer)).attempts

    assert receipt_to_ask(attempt) == Receipt(
        provider="a",
        address="+79990000001",
        own_id="d-1-1",
        raw={"token": "17"} if answer is LOST else {},
    )


FOUND = Accepted(Receipt(provider="a", address="+79990000001", own_id="d-1-1", raw={"token": "17"}))


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (Status(state=State.WAITING), FOUND),
        (Status(state=State.UNKNOWN), FOUND),
        (Status(state=State.DELIVERED, final=True), FOUND),
        (Status(state=State.REJECTED), FOUND),
        (
            Status(state=State.REJECTED, final=True),
            Refused(
                "the provider has it as rejected",
                RefusalScope.RECIPIENT,
                receipt=FOUND.receipt,
            ),
        ),
        (
            Status(state=State.EXPIRED, final=True, detail="too old", code="3"),
            Refused("too old", RefusalScope.RECIPIENT, "3", FOUND.receipt),
        ),
    ],
    ids=str,
)
def test_what_the_provider_knows_resolves_an_attempt_in_doubt(
    status: Status, outcome: Outcome
) -> None:
    progress = asked(told_by(TWO, ("a", LOST)), status)

    (attempt,) = progress.attempts
    assert (attempt.resolved, attempt.status) == (outcome, status)
    assert next_action(TWO, progress, RULES, at(left_s=9)) == CloseLeg()


def test_what_no_question_finds_did_not_leave_and_stays_with_its_provider() -> None:
    progress = asked(told_by(TWO, ("a", LOST)), ABSENT, ABSENT)

    assert progress.attempts[0].resolved == NotSent(
        "a knows no such message after 2 questions", FailureScope.PROVIDER
    )
    assert (progress.waiting, progress.open) == ((), ("a",))


@pytest.mark.parametrize("statuses", [(ABSENT,), (None, ABSENT), (ABSENT, None), (None, None)])
def test_what_not_every_question_misses_stays_in_doubt(statuses: tuple[Status | None]) -> None:
    progress = asked(told_by(TWO, ("a", LOST)), *statuses)

    assert progress.attempts[0].resolved is None
    assert (progress.waiting, progress.open) == (("b",), ("a", "b"))


@pytest.mark.parametrize(
    ("outcome", "next_on", "expected"),
    [
        (DOWN, frozenset[RefusalScope](), True),
        (BAD_NUMBER, frozenset({RefusalScope.RECIPIENT}), True),
        (BAD_NUMBER, frozenset({RefusalScope.CONTENT, RefusalScope.ACCOUNT}), False),
        (TAKEN, frozenset(RefusalScope), False),
        (LOST, frozenset(RefusalScope), False),
    ],
)
def test_the_next_leg_follows_what_did_not_leave_or_was_refused_as_the_route_names(
    outcome: Outcome, next_on: frozenset[RefusalScope], expected: bool
) -> None:
    first_of = planned(["a", "b"], next_on=next_on)
    all_of = planned(["a", "b"], mode=Mode.ALL_OF, next_on=next_on)

    result = LegResult(channel="sms", outcome=outcome)
    assert goes_on(first_of, first_of.legs[0], result) is expected
    assert goes_on(all_of, all_of.legs[0], result)


def test_the_next_leg_does_not_follow_an_absence_that_only_the_provider_claims() -> None:
    plan = planned(["ab", "b"])
    refuted = asked(told_by(plan, ("a", LOST)), ABSENT, ABSENT, plan=plan)
    progress, _ = attempt_began(plan, round_began(refuted, RULES), "a", NOW)
    progress = attempt_answered(progress, DOWN, LATER)

    assert leg_closed(plan, progress).ended
    assert not leg_closed(plan, told_by(plan, ("a", DOWN))).ended


def test_a_leg_that_is_over_is_summed_up_and_the_next_begins_afresh() -> None:
    plan = planned(["ab", "c"])
    progress = provider_skipped(told_by(plan, ("a", DOWN)), "b", "stopped")

    closed = leg_closed(plan, progress)

    result = LegResult(
        channel="sms",
        outcome=DOWN,
        attempts=progress.attempts,
        skipped=(Skip("b", "stopped"),),
        parts=PARTS,
    )
    assert closed == Progress(waiting=("c",), open=("c",), done=(result,))
    assert next_action(plan, closed, RULES, at(left_s=9)) == Try("c")


def test_the_status_that_a_question_found_is_that_of_the_leg() -> None:
    status = Status(state=State.DELIVERED, final=True)

    closed = leg_closed(TWO, asked(told_by(TWO, ("a", LOST)), status))

    assert closed.done[0].status == status
    assert next_action(TWO, closed, RULES, at(left_s=9)) == End()


@pytest.mark.parametrize(
    ("progress", "reason", "scope"),
    [
        (
            begin(TWO),
            "the deadline passed before it could be tried",
            FailureScope.WITHHELD,
        ),
        (
            provider_left_alone(begin(TWO), "a", LATER),
            "the deadline passed before it could be tried",
            FailureScope.WITHHELD,
        ),
        (
            provider_skipped(provider_skipped(begin(TWO), "a", "stopped"), "b", "left alone"),
            "no provider may be tried: a is stopped; b is left alone",
            FailureScope.PROVIDER,
        ),
    ],
)
def test_a_leg_that_was_not_tried_says_why(
    progress: Progress, reason: str, scope: FailureScope
) -> None:
    (result,) = leg_closed(TWO, progress).done

    assert result.outcome == NotSent(reason, scope)


@pytest.mark.parametrize(
    ("mode", "outcomes", "expected"),
    [
        (Mode.FIRST_OF, [LOST, DOWN, TAKEN], TAKEN),
        (Mode.FIRST_OF, [BAD_NUMBER, DOWN], DOWN),
        (Mode.ALL_OF, [TAKEN, BAD_NUMBER], BAD_NUMBER),
        (Mode.ALL_OF, [DOWN, BAD_NUMBER], DOWN),
        (Mode.ALL_OF, [LOST, DOWN], LOST),
        (Mode.ALL_OF, [BAD_NUMBER, NOT_ALLOWED], BAD_NUMBER),
    ],
)
def test_a_delivery_ends_as_its_last_leg_or_as_the_least_good_of_all(
    mode: Mode, outcomes: list[Outcome], expected: Outcome
) -> None:
    legs = [LegResult(channel="sms", outcome=outcome) for outcome in outcomes]
    assert overall(mode, legs) == expected


# --- not yet, not any more ------------------------------------------------------------------

TOO_LATE = CloseLeg("the deadline passes before an attempt may begin")


@pytest.mark.parametrize(
    ("progress", "left_s", "action"),
    [
        (begin(TWO), math.inf, Rest(5.0)),
        (begin(TWO), 5.1, Rest(5.0)),
        (begin(TWO), 5.0, TOO_LATE),
        (begin(TWO), 0.0, CloseLeg()),
        (told_by(TWO, ("a", DOWN)), math.inf, Rest(5.0)),
        # Only an attempt waits for its time.
        (told_by(TWO, ("a", DOWN), ("b", DOWN)), math.inf, Pause(1.0)),
        (told_by(TWO, ("a", LOST)), math.inf, Ask(1.0)),
        (told_by(TWO, ("a", TAKEN)), math.inf, CloseLeg()),
    ],
)
def test_no_attempt_begins_before_its_time(
    progress: Progress, left_s: float, action: Action
) -> None:
    assert next_action(TWO, progress, RULES, at(early_s=5.0, left_s=left_s)) == action


ENDED = leg_closed(TWO, told_by(TWO, ("a", TAKEN)))


@pytest.mark.parametrize(
    ("progress", "action"),
    [
        (begin(TWO), Stay()),
        (told_by(TWO, ("a", DOWN)), Stay()),
        (told_by(TWO, ("a", LOST)), Stay()),
        (told_by(TWO, ("a", TAKEN)), Stay()),
        (ENDED, End()),
    ],
)
def test_nothing_is_done_while_somebody_holds_it(progress: Progress, action: Action) -> None:
    assert next_action(TWO, progress, RULES, at(wish=Wish.HOLD, left_s=0.0)) == action


@pytest.mark.parametrize(
    ("progress", "action"),
    [
        (begin(TWO), CANCELLED),
        (told_by(TWO, ("a", DOWN)), CANCELLED),
        (told_by(TWO, ("a", DOWN), ("b", DOWN)), CANCELLED),
        (rested(told_by(TWO, ("a", DOWN), ("b", DOWN))), CANCELLED),
        (provider_left_alone(begin(TWO), "a", LATER), CANCELLED),
        (told_by(TWO, ("a", TAKEN)), CANCELLED),
        # What has gone is still found out.
        (told_by(TWO, ("a", LOST)), Ask(1.0)),
        (asked(told_by(TWO, ("a", LOST)), ABSENT), Ask(2.0)),
        (asked(told_by(TWO, ("a", LOST)), ABSENT, ABSENT), CANCELLED),
        (ENDED, End()),
    ],
)
def test_no_attempt_begins_after_a_cancellation(progress: Progress, action: Action) -> None:
    assert next_action(TWO, progress, RULES, at(wish=Wish.CANCEL, early_s=5.0)) == action


@pytest.mark.parametrize(
    ("progress", "outcome"),
    [
        (begin(TWO), NotSent("it was cancelled", FailureScope.WITHHELD)),
        (told_by(TWO, ("a", DOWN)), DOWN),
        (told_by(TWO, ("a", TAKEN)), TAKEN),
        (asked(told_by(TWO, ("a", LOST)), None, None), LOST),
    ],
)
def test_a_cancellation_changes_nothing_of_what_was_tried(
    progress: Progress, outcome: Outcome
) -> None:
    assert leg_closed(TWO, progress, CANCELLED).done[0].outcome == outcome


# --- a provider that is left alone ----------------------------------------------------------

ONE = planned(["a"])


def test_a_provider_that_is_left_alone_has_its_turn_again_in_the_next_round() -> None:
    alone = provider_left_alone(begin(TWO), "a", LATER)

    assert (alone.waiting, alone.open, alone.skipped) == (("b",), ("a", "b"), ())
    assert next_action(TWO, alone, RULES, at()) == Try("b")


@pytest.mark.parametrize("seconds", [(3, 60), (60, 3)])
def test_the_next_round_begins_when_the_first_of_them_may_be_tried(
    seconds: tuple[int, int],
) -> None:
    progress = begin(TWO)
    for provider, pause in zip("ab", seconds, strict=True):
        progress = provider_left_alone(progress, provider, NOW + timedelta(seconds=pause))

    assert next_action(TWO, progress, RULES, at()) == Pause(3.0)


@pytest.mark.parametrize(
    ("until", "left_s", "action"),
    [
        (NOW + timedelta(days=2), math.inf, Pause(172_800.0)),
        (LATER, 3.1, Pause(3.0)),
        (LATER, 3.0, CloseLeg("the deadline passes before it can be tried: a is out of reach")),
        (NOW, math.inf, Pause(0.05)),
        (NOW - timedelta(hours=1), math.inf, Pause(0.05)),
    ],
)
def test_a_provider_is_waited_for_however_long_unless_the_deadline_comes_first(
    until: datetime, left_s: float, action: Action
) -> None:
    left_alone = provider_left_alone(begin(ONE), "a", until, "out of reach")
    progress = attrs.evolve(left_alone, round=3)

    assert next_action(ONE, progress, RULES, at(left_s=left_s)) == action


def test_a_round_in_which_nobody_could_be_tried_does_not_count() -> None:
    progress = begin(ONE)

    for _ in range(50):
        progress = round_began(provider_left_alone(progress, "a", LATER), RULES)

    assert progress == begin(ONE)


def test_a_round_in_which_another_was_tried_counts() -> None:
    progress = provider_left_alone(told_by(TWO, ("b", DOWN)), "a", LATER)

    assert next_action(TWO, progress, RULES, at()) == Pause(1.0)
    began = round_began(progress, RULES)
    assert (began.round, began.waiting, began.tried, began.idle_until) == (
        2,
        ("a", "b"),
        False,
        None,
    )


# --- patience -------------------------------------------------------------------------------

PATIENT = attrs.evolve(RULES, patient=True)
INSISTENT = attrs.evolve(RULES, insistent=True)


@pytest.mark.parametrize(
    ("progress", "hasty", "patient"),
    [
        # As long as a provider asks for, if there is none that asks for less.
        (told_by(TWO, ("a", busy(1800)), ("b", busy(900))), CloseLeg(), Pause(900)),
        (told_by(TWO, ("a", busy(1800)), ("b", DOWN)), Pause(1.0), Pause(1.0)),
        (told_by(TWO, ("a", busy(1800)), ("b", NOT_ALLOWED)), CloseLeg(), Pause(1800)),
        # For somebody who mends the account, but not for a contract.
        (told_by(TWO, ("a", BAD_LOGIN), ("b", NOT_ALLOWED)), CloseLeg(), Pause(1.0)),
        (told_by(TWO, ("a", NOT_ALLOWED), ("b", NOT_ALLOWED)), CloseLeg(), CloseLeg()),
    ],
)
def test_who_is_patient_waits_for_a_provider_that_wants_long_or_must_be_mended(
    progress: Progress, hasty: Action, patient: Action
) -> None:
    assert next_action(TWO, progress, RULES, at()) == hasty
    assert next_action(TWO, progress, PATIENT, at()) == patient


def test_a_provider_that_wants_too_long_a_pause_for_this_round_is_there_in_a_later_one() -> None:
    progress = round_began(told_by(TWO, ("a", busy(1800)), ("b", DOWN)), PATIENT)
    assert (progress.waiting, progress.open) == (("b",), ("a", "b"))

    progress, _ = attempt_began(TWO, progress, "b", LATER)
    progress = attempt_answered(progress, NOT_ALLOWED, LATER)

    assert next_action(TWO, progress, PATIENT, at()) == Pause(1800)
    assert round_began(progress, PATIENT).waiting == ("a",)


def test_a_provider_whose_account_is_at_fault_has_its_turn_again_for_who_is_patient() -> None:
    progress = told_by(TWO, ("a", BAD_LOGIN), ("b", DOWN))

    assert round_began(progress, PATIENT).waiting == ("b", "a")
    assert round_began(progress, RULES).waiting == ("b",)


def test_a_provider_that_is_skipped_does_not_come_back_because_it_was_to_be_mended() -> None:
    """It may not be in the configuration any more; nobody would ever end such rounds."""
    progress = round_began(told_by(ONE, ("a", BAD_LOGIN)), PATIENT)

    skipped = provider_skipped(progress, "a", "not in the configuration any more")

    assert next_action(ONE, skipped, PATIENT, at()) == CloseLeg()


def test_no_other_provider_is_waited_for_after_an_absence_that_only_one_claims() -> None:
    lost = told_by(TWO, ("b", BAD_LOGIN), ("a", LOST))

    absent = asked(lost, ABSENT, ABSENT)

    assert round_began(absent, PATIENT).waiting == ("a",)


def test_a_question_without_an_answer_is_asked_again_by_who_insists() -> None:
    progress = told_by(TWO, ("a", LOST))

    pauses = []
    for _ in range(10):
        progress = question_answered(TWO, progress, None, INSISTENT)
        pauses.append(next_action(TWO, progress, INSISTENT, at()))

    assert pauses[:4] == [Ask(2.0), Ask(4.0), Ask(8.0), Ask(16.0)]
    assert pauses[7:] == [Ask(256.0), Ask(300.0), Ask(300.0)]
    assert progress.questions == ()


def test_an_answer_at_last_counts_as_the_first_would_have() -> None:
    progress = told_by(TWO, ("a", LOST))
    for status in (None, None, ABSENT, None, ABSENT):
        progress = question_answered(TWO, progress, status, INSISTENT)

    assert progress.attempts[0].resolved == NotSent(
        "a knows no such message after 2 questions", FailureScope.PROVIDER
    )


def test_nobody_waits_for_an_answer_for_ever() -> None:
    progress, asked_for = told_by(TWO, ("a", LOST)), 0
    while isinstance(next_action(TWO, progress, INSISTENT, at()), Ask):
        progress = question_answered(TWO, progress, None, INSISTENT)
        asked_for += 1

    assert asked_for == 2 * 25
    assert leg_closed(TWO, progress).done[0].outcome == LOST


def test_a_new_attempt_forgets_what_had_no_answer() -> None:
    progress = question_answered(TWO, told_by(TWO, ("a", LOST)), None, INSISTENT)

    again, _ = attempt_began(TWO, progress, "a", LATER)

    assert next_action(TWO, again, INSISTENT, at()) == Ask(1.0)


# --- pauses that somebody else ends ---------------------------------------------------------


@pytest.mark.parametrize(
    ("progress", "left_s", "action"),
    [
        (told_by(TWO, ("a", DOWN), ("b", DOWN)), 9.0, Pause(0.0)),
        (told_by(TWO, ("a", DOWN), ("b", DOWN)), 0.5, Pause(0.0)),
        (told_by(TWO, ("a", DOWN), ("b", DOWN)), 0.0, CloseLeg()),
        (provider_left_alone(begin(ONE), "a", LATER), 9.0, Pause(0.0)),
        (told_by(TWO, ("a", LOST)), 9.0, Ask(0.0)),
        (told_by(TWO, ("a", LOST)), 0.0, Ask(0.0)),
        (asked(told_by(TWO, ("a", LOST)), ABSENT), 9.0, Ask(0.0)),
    ],
)
def test_a_pause_that_is_over_is_not_made_again(
    progress: Progress, left_s: float, action: Action
) -> None:
    assert next_action(TWO, rested(progress), RULES, at(left_s=left_s)) == action


@pytest.mark.parametrize(
    "progress",
    [
        round_began(rested(told_by(TWO, ("a", DOWN), ("b", DOWN))), RULES),
        asked(rested(told_by(TWO, ("a", LOST))), ABSENT),
        attempt_began(TWO, rested(begin(TWO)), "a", NOW)[0],
        leg_closed(planned(["a", "b"]), rested(told_by(ONE, ("a", DOWN)))),
    ],
)
def test_a_pause_that_is_over_stands_for_no_later_one(progress: Progress) -> None:
    assert not progress.rested


# --- what two have heard --------------------------------------------------------------------


def unheard(plan: Plan = TWO) -> Progress:
    """An attempt whose request may have left, and no answer to it."""
    return attempt_began(plan, begin(plan), "a", NOW)[0]


FOUND_UNHEARD = attrs.evolve(FOUND, receipt=attrs.evolve(FOUND.receipt, raw={}))


@pytest.mark.parametrize("answer", [TAKEN, BAD_NUMBER, DOWN, LOST], ids=str)
def test_an_answer_that_only_the_other_has_heard_is_taken(answer: Outcome) -> None:
    told = told_by(TWO, ("a", answer))

    assert merged(unheard(), told) == told


@pytest.mark.parametrize(
    ("answer", "resolved"),
    [(TAKEN, None), (BAD_NUMBER, None), (DOWN, None), (LOST, FOUND_UNHEARD)],
    ids=str,
)
def test_an_answer_outweighs_what_asking_found_out_unless_it_leaves_it_open(
    answer: Outcome, resolved: Outcome | None
) -> None:
    known = asked(unheard(), Status(state=State.SENT))
    assert known.attempts[0].resolved == FOUND_UNHEARD

    both = merged(known, told_by(TWO, ("a", answer)))

    assert (both.attempts[0].answer, both.attempts[0].resolved) == (answer, resolved)


@pytest.mark.parametrize("answer", [TAKEN, BAD_NUMBER, DOWN], ids=str)
@pytest.mark.parametrize("told", [LOST, DOWN, TAKEN], ids=str)
def test_a_certain_answer_stands(answer: Outcome, told: Outcome) -> None:
    known = told_by(TWO, ("a", answer))

    assert merged(known, told_by(TWO, ("a", told))) == known


@pytest.mark.parametrize("told", [begin(TWO), unheard()])
@pytest.mark.parametrize("known", [rested(asked(unheard(), ABSENT)), leg_closed(TWO, unheard())])
def test_who_has_heard_nothing_adds_nothing(known: Progress, told: Progress) -> None:
    assert merged(known, told) == known


def test_a_question_about_what_is_certain_by_now_changes_nothing() -> None:
    """Its answer was heard by another while the question was asked."""
    certain = merged(asked(unheard(), ABSENT), told_by(TWO, ("a", TAKEN)))

    assert asked(certain, ABSENT).attempts == certain.attempts
    assert asked(certain, ABSENT).open == certain.open


def test_an_answer_is_taken_on_a_leg_that_is_over_too() -> None:
    known = leg_closed(TWO, unheard())
    assert isinstance(known.done[0].outcome, Unknown)

    both = merged(known, told_by(TWO, ("a", TAKEN)))

    assert both.ended
    assert both.done[0].outcome == TAKEN
    assert both.done[0].attempts[0].answer == TAKEN


def test_the_pause_before_a_question_is_none_before_what_follows_from_an_answer() -> None:
    """Else a round would be begun that nobody has counted."""
    known = attrs.evolve(rested(unheard(ONE)), round=3)

    both = merged(known, told_by(ONE, ("a", DOWN)))

    assert next_action(ONE, both, RULES, at()) == CloseLeg()


def test_a_provider_is_dropped_for_an_answer_that_only_the_other_has_heard() -> None:
    both = merged(unheard(), told_by(TWO, ("a", BAD_LOGIN)))

    assert both.open == ("b",)


# --- once more ------------------------------------------------------------------------------


def test_what_ended_in_doubt_is_asked_about_from_the_beginning_and_at_once() -> None:
    plan = planned(["c", "a"])
    begun = leg_closed(plan, told_by(plan, ("c", DOWN)))
    began, _ = attempt_began(plan, provider_skipped(begun, "b", "stopped"), "a", NOW)
    held = leg_closed(plan, asked(attempt_answered(began, LOST, LATER), None, None, plan=plan))
    assert held.ended

    again = asked_anew(held)

    assert next_action(plan, again, RULES, at()) == Ask(0.0)
    assert next_action(plan, asked(again, ABSENT, plan=plan), RULES, at()) == Ask(2.0)
    assert leg_closed(plan, asked(again, None, None, plan=plan)) == held


def test_what_turns_out_absent_when_it_is_asked_about_anew_goes_again_to_its_provider() -> None:
    again = asked(asked_anew(leg_closed(TWO, asked(unheard(), None, None))), ABSENT, ABSENT)

    assert next_action(TWO, again, RULES, at()) == Pause(1.0)
    assert round_began(again, RULES).waiting == ("a",)


def test_what_cannot_be_asked_about_ends_as_it_had_ended() -> None:
    plan = planned(["b"])
    held = leg_closed(plan, told_by(plan, ("b", LOST)))

    again = asked_anew(held)

    assert next_action(plan, again, RULES, at()) == CloseLeg()
    assert leg_closed(plan, again) == held


@pytest.mark.parametrize(
    "progress",
    [begin(TWO), told_by(TWO, ("a", LOST)), ENDED, leg_closed(TWO, begin(TWO))],
)
def test_what_did_not_end_in_doubt_is_not_asked_about_anew(progress: Progress) -> None:
    assert asked_anew(progress) == progress


# --- how it stands meanwhile ----------------------------------------------------------------

NOT_YET = NotSent("it was not tried yet", FailureScope.WITHHELD)


@pytest.mark.parametrize(
    ("progress", "outcomes"),
    [
        (begin(TWO), [NOT_YET]),
        (provider_left_alone(begin(TWO), "a", LATER), [NOT_YET]),
        (unheard(), [Unknown("the answer was never heard")]),
        (told_by(TWO, ("a", DOWN)), [DOWN]),
        (told_by(TWO, ("a", DOWN), ("b", LOST)), [LOST]),
        (
            provider_skipped(begin(TWO), "a", "stopped"),
            [NotSent("no provider may be tried: a is stopped", FailureScope.PROVIDER)],
        ),
        (ENDED, [TAKEN]),
    ],
)
def test_a_delivery_stands_as_its_last_attempt_did(
    progress: Progress, outcomes: list[Outcome]
) -> None:
    assert [leg.outcome for leg in standing(TWO, progress)] == outcomes


@pytest.mark.parametrize(
    ("mode", "first", "outcomes"),
    [
        (Mode.FIRST_OF, DOWN, [DOWN]),
        (Mode.ALL_OF, DOWN, [DOWN, NOT_YET]),
        (Mode.ALL_OF, TAKEN, [TAKEN, NOT_YET]),
    ],
)
def test_a_leg_that_is_still_to_come_counts_where_every_leg_is_wanted(
    mode: Mode, first: Outcome, outcomes: list[Outcome]
) -> None:
    """Else a delivery would be accepted before all of it is."""
    plan = planned(["a", "b"], mode=mode)

    between = leg_closed(plan, told_by(plan, ("a", first)))

    assert [leg.outcome for leg in standing(plan, between)] == outcomes
