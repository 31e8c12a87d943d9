"""The state machine of a delivery: whatever happens, in whatever order."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime

import attrs
from hypothesis import given
from hypothesis import strategies as st

from notify_core.config.model import IfUnknown, Mode, Retry
from notify_core.contact import Contact
from notify_core.delivery import Attempt
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
    leg_closed,
    next_action,
    overall,
    provider_skipped,
    question_answered,
    round_began,
)
from notify_core.routing import Leg, Plan

NOW = datetime(2030, 1, 1, tzinfo=UTC)
SCHEDULES = {"a": (1.0, 2.0), "b": (), "c": (1.0,)}
MESSAGE = Sms(to="+79990000001", text="hi")

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
plans = st.builds(
    lambda legs, mode, if_unknown, next_on: Plan(
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
            )
            for providers in legs
        ),
    ),
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
