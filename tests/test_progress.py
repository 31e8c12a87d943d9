"""The state machine of a delivery: whatever happens, in whatever order."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

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
    Action,
    Ask,
    CloseLeg,
    End,
    Pause,
    Progress,
    Rules,
    Try,
    attempt_answered,
    attempt_began,
    begin,
    goes_on,
    leg_closed,
    next_action,
    overall,
    provider_skipped,
    question_answered,
    receipt_to_ask,
    round_began,
)
from notify_core.routing import Leg, Plan
from notify_core.text import count_parts

NOW = datetime(2030, 1, 1, tzinfo=UTC)
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
                parts=PARTS,
            )
            for providers in legs
        ),
    )


plans = st.builds(
    planned,
    st.lists(st.permutations("abc").map(lambda names: names[:2]), min_size=1, max_size=3),
    st.sampled_from(Mode),
    st.sampled_from(IfUnknown),
    st.frozensets(st.sampled_from(RefusalScope)),
)
rules = st.integers(1, 3).map(lambda n: Rules(retry=Retry(rounds=n), ask_after_s=SCHEDULES))


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
    """Carry a plan out with whatever hypothesis draws for answers, skips and the deadline."""
    story = Story(plan, with_rules, [], begin(plan))
    while True:
        left_s = draw(st.sampled_from([math.inf, math.inf, math.inf, 3.0, 0.0]))
        action = next_action(plan, story.progress, with_rules, left_s=left_s, chance=0.5)
        match action:
            case End():
                return story
            case CloseLeg():
                story.progress = leg_closed(plan, story.progress)
            case Pause():
                story.progress = round_began(story.progress, with_rules)
            case Ask():
                story.progress = question_answered(plan, story.progress, draw(told), with_rules)
            case Try(provider) if draw(st.integers(0, 9)) == 0:
                story.progress = provider_skipped(story.progress, provider, "stopped")
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

    outcome = overall(plan.mode, story.outcomes())
    if isinstance(outcome, Accepted):
        wanted = story.outcomes() if plan.mode is Mode.ALL_OF else story.outcomes()[-1:]
        assert all(isinstance(each, Accepted) for each in wanted)


@given(plans, rules)
def test_an_attempt_whose_answer_nobody_heard_is_asked_about_before_anything_else(
    plan: Plan, with_rules: Rules
) -> None:
    provider = plan.legs[0].providers[0]
    progress, _ = attempt_began(plan, begin(plan), provider, NOW)

    action = next_action(plan, progress, with_rules, left_s=math.inf, chance=0.5)

    asks = SCHEDULES[provider] and plan.if_unknown is IfUnknown.RECONCILE
    assert isinstance(action, Ask if asks else CloseLeg)


@given(plans, rules)
def test_an_attempt_that_stays_unheard_ends_unknown(plan: Plan, with_rules: Rules) -> None:
    progress, _ = attempt_began(plan, begin(plan), plan.legs[0].providers[0], NOW)
    while isinstance(next_action(plan, progress, with_rules, left_s=9, chance=0.5), Ask):
        progress = question_answered(plan, progress, None, with_rules)

    closed = leg_closed(plan, progress)

    assert closed.done[0].outcome == Unknown("the answer was never heard")


LATER = NOW + timedelta(seconds=3)
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
    assert next_action(TWO, progress, RULES, left_s=left_s, chance=0.5) == action


def test_what_is_in_doubt_is_left_so_where_the_route_holds_it() -> None:
    progress = told_by(TWO_HELD, ("a", LOST))

    assert next_action(TWO_HELD, progress, RULES, left_s=9, chance=0.5) == CloseLeg()


@pytest.mark.parametrize(
    ("round_number", "action"), [(1, Pause(1.0)), (2, Pause(2.0)), (3, CloseLeg())]
)
def test_the_rounds_are_counted(round_number: int, action: Action) -> None:
    progress = attrs.evolve(told_by(TWO, ("a", DOWN), ("b", DOWN)), round=round_number)

    assert next_action(TWO, progress, RULES, left_s=99, chance=0.5) == action


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

    assert next_action(TWO, progress, RULES, left_s=9, chance=0.5) == Ask(1.0)


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
    assert next_action(TWO, progress, RULES, left_s=9, chance=0.5) == CloseLeg()


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

    assert goes_on(first_of, outcome, []) is expected
    assert goes_on(all_of, outcome, [])


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
    assert next_action(plan, closed, RULES, left_s=9, chance=0.5) == Try("c")


def test_the_status_that_a_question_found_is_that_of_the_leg() -> None:
    status = Status(state=State.DELIVERED, final=True)

    closed = leg_closed(TWO, asked(told_by(TWO, ("a", LOST)), status))

    assert closed.done[0].status == status
    assert next_action(TWO, closed, RULES, left_s=9, chance=0.5) == End()


@pytest.mark.parametrize(
    ("progress", "reason"),
    [
        (begin(TWO), "the deadline passed before it could be tried"),
        (
            provider_skipped(provider_skipped(begin(TWO), "a", "stopped"), "b", "left alone"),
            "no provider may be tried: a is stopped; b is left alone",
        ),
    ],
)
def test_a_leg_that_was_not_tried_says_why(progress: Progress, reason: str) -> None:
    (result,) = leg_closed(TWO, progress).done

    assert result.outcome == NotSent(reason, FailureScope.PROVIDER)


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
    assert overall(mode, outcomes) == expected
