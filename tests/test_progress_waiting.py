"""The state machine of a delivery whose legs wait for receipts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notify_core.config.model import Because, IfUnknown, Mode, Retry, Until
from notify_core.contact import Contact
from notify_core.delivery import Attempt, LegResult
from notify_core.message import Sms
from notify_core.outcome import (
    ARRIVED_STATES,
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
from notify_core.progress import (
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
    asked_anew,
    attempt_answered,
    attempt_began,
    begin,
    goes_on,
    is_followed,
    is_waited_out,
    leg_closed,
    looked,
    merged,
    next_action,
    overall,
    provider_skipped,
    question_answered,
    rested,
    round_began,
    standing,
    status_learned,
    waiting_began,
)
from notify_core.routing import Leg, Plan

NOW = datetime(2030, 1, 1, tzinfo=UTC)
WITHIN = timedelta(seconds=20)
OVER = NOW + WITHIN
FOLLOW = timedelta(days=2)
SCHEDULES = {"a": (1.0, 2.0), "b": (), "c": (1.0,)}
RULES = Rules(retry=Retry(jitter=0, rounds=2), ask_after_s=SCHEDULES, follow=FOLLOW)
MESSAGE = Sms(to="+79990000001", text="hi")

TAKEN = Accepted(Receipt(provider="a", address="+79990000001", provider_id="1"))
DOWN = NotSent("out of reach", FailureScope.PROVIDER)
KEPT_BACK = NotSent("it was cancelled", FailureScope.WITHHELD)
BAD_NUMBER = Refused("no such number", RefusalScope.RECIPIENT)
BAD_TEXT = Refused("forbidden", RefusalScope.CONTENT)
LOST = Unknown("lost")

SENT = Status(state=State.SENT)
DELIVERED = Status(state=State.DELIVERED, final=True)
READ = Status(state=State.READ, final=True)
UNDELIVERED = Status(state=State.UNDELIVERED, final=True)
REJECTED = Status(state=State.REJECTED, final=True)
EXPIRED = Status(state=State.EXPIRED, final=True)
SIMULATED = Status(state=State.SIMULATED, final=True)
ABSENT = Status(state=State.NOT_FOUND)


def leg(*providers: str, **more: Any) -> Leg:
    return Leg(
        channel="sms",
        message=MESSAGE,
        address="+79990000001",
        address_kind="phone",
        providers=providers,
        **more,
    )


def waiting_leg(*providers: str, **more: Any) -> Leg:
    return leg(*(providers or ("a",)), **({"until": Until.DELIVERED, "within": WITHIN} | more))


def planned(*legs: Leg, mode: Mode = Mode.FIRST_OF) -> Plan:
    return Plan(
        delivery_id="d-1",
        message_id="d",
        recipient=Contact(phone="+79990000001"),
        route="r",
        mode=mode,
        if_unknown=IfUnknown.RECONCILE,
        next_on=frozenset({RefusalScope.RECIPIENT}),
        deadline=None,
        legs=legs,
    )


def at(now: datetime = NOW, **given: Any) -> Circumstances:
    return Circumstances(now=now, **given)


def told_by(plan: Plan, answer: Outcome, progress: Progress | None = None) -> Progress:
    """How far a delivery has come when the first provider of a leg has answered so."""
    progress = progress or begin(plan)
    provider = plan.legs[len(progress.done)].providers[0]
    progress, _ = attempt_began(plan, progress, provider, NOW)
    return attempt_answered(progress, answer, NOW)


def unheard(plan: Plan) -> Progress:
    """An attempt of which nobody has heard the answer."""
    return attempt_began(plan, begin(plan), plan.legs[0].providers[0], NOW)[0]


def awaiting(plan: Plan, answer: Outcome = TAKEN) -> Progress:
    """A delivery whose first leg waits since now."""
    return waiting_began(told_by(plan, answer), OVER)


def learned(
    progress: Progress,
    *statuses: Status,
    number: int = 1,
    provider: str = "a",
    plan: Plan | None = None,
) -> Progress:
    for status in statuses:
        progress = status_learned(plan or PLAN, progress, f"d-1-{number}", provider, status)
    return progress


PLAN = planned(waiting_leg(), leg("b"))

# --- a message that was taken ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("until", "within", "action"),
    [
        (Until.ACCEPTED, None, CloseLeg()),
        (Until.DELIVERED, WITHIN, Await(WITHIN)),
        (Until.READ, WITHIN, Await(WITHIN)),
        (Until.DELIVERED, None, Await(FOLLOW)),
    ],
)
def test_a_leg_waits_from_when_its_message_was_taken_for_as_long_as_it_says(
    until: Until, within: timedelta | None, action: Action
) -> None:
    plan = planned(waiting_leg(until=until, within=within))

    assert next_action(plan, told_by(plan, TAKEN), RULES, at()) == action


@pytest.mark.parametrize("answer", [BAD_NUMBER, BAD_TEXT, DOWN], ids=str)
def test_a_leg_whose_message_was_not_taken_waits_for_nothing(answer: Outcome) -> None:
    with_wait, without = planned(waiting_leg(), leg("b")), planned(leg("a"), leg("b"))

    assert next_action(with_wait, told_by(with_wait, answer), RULES, at()) == next_action(
        without, told_by(without, answer), RULES, at()
    )


def is_end(until: Until, status: Status) -> bool:
    """Whether a leg need not wait any longer, said in another way than by the program."""
    if status.state in ARRIVED_STATES:
        return until is Until.DELIVERED or status.state is not State.DELIVERED
    # What is called final and says nothing of the end is unclear, and left to the time.
    return status.final and status.state.value in (
        "undelivered",
        "rejected",
        "expired",
        "simulated",
    )


@pytest.mark.parametrize("final", [False, True], ids=["not final", "final"])
@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("until", [Until.DELIVERED, Until.READ])
def test_a_leg_waits_until_it_has_arrived_or_never_will_or_its_time_is_over(
    until: Until, state: State, final: bool
) -> None:
    status = Status(state=state, final=final)
    plan = planned(waiting_leg(until=until), leg("b"))
    progress = learned(awaiting(plan), status)
    just_before = OVER - timedelta(seconds=1)

    actions = [
        next_action(plan, progress, RULES, at()),
        next_action(plan, progress, RULES, at(just_before)),
        next_action(plan, progress, RULES, at(OVER)),
        next_action(plan, looked(plan, progress, None), RULES, at(OVER)),
    ]

    if is_end(until, status):
        assert actions == [CloseLeg()] * 4
    else:
        assert actions == [Rest(20.0), Rest(1.0), Look(), GIVEN_UP]


@pytest.mark.parametrize("state", State)
def test_of_a_provider_that_is_not_trusted_the_time_alone_decides(state: State) -> None:
    plan = planned(waiting_leg(distrusted=frozenset({"a"})), leg("b"))
    progress = learned(awaiting(plan), Status(state=state, final=True))

    assert next_action(plan, progress, RULES, at()) == Rest(20.0)
    assert next_action(plan, looked(plan, progress, DELIVERED), RULES, at(OVER)) == GIVEN_UP


def test_who_is_not_trusted_is_believed_that_it_has_the_message_and_no_more() -> None:
    """Else a made-up failure would make the next leg follow before the time is over."""
    distrustful = planned(waiting_leg(distrusted=frozenset({"a"})), leg("b"))
    trusting = planned(waiting_leg(), leg("b"))

    outcomes = [
        type(learned(told_by(plan, LOST), UNDELIVERED, plan=plan).attempts[0].outcome)
        for plan in (distrustful, trusting)
    ]
    asked_for = [
        type(asked(plan, told_by(plan, LOST), UNDELIVERED).attempts[0].outcome)
        for plan in (distrustful, trusting)
    ]

    assert outcomes == asked_for == [Accepted, Refused]


def test_who_is_not_trusted_is_believed_no_more_of_a_leg_that_is_over() -> None:
    wary = waiting_leg(if_unknown=IfUnknown.NEXT, distrusted=frozenset({"a"}))
    plan = planned(wary, leg("c"))
    given_up = leg_closed(plan, awaiting(plan, LOST), GIVEN_UP)

    told = learned(given_up, UNDELIVERED, plan=plan)

    assert isinstance(told.done[0].outcome, Accepted)


@pytest.mark.parametrize(("distrusted", "arrived"), [("a", False), ("b", True)])
def test_a_leg_tells_whether_the_provider_that_took_its_message_is_believed(
    distrusted: str, arrived: bool
) -> None:
    plan = planned(waiting_leg("a", "b", distrusted=frozenset({distrusted})), leg("c"))

    (result,) = leg_closed(plan, learned(awaiting(plan), DELIVERED, plan=plan), GIVEN_UP).done

    assert (result.arrived, result.distrusted) == (arrived, not arrived)


def test_who_is_trusted_is_believed_beside_one_who_is_not() -> None:
    plan = planned(waiting_leg(distrusted=frozenset({"b"})), leg("b"))

    assert next_action(plan, learned(awaiting(plan), DELIVERED), RULES, at()) == CloseLeg()


@pytest.mark.parametrize(
    ("status", "action"),
    [
        (None, GIVEN_UP),
        (ABSENT, GIVEN_UP),
        (SENT, GIVEN_UP),
        (DELIVERED, CloseLeg()),
        (UNDELIVERED, CloseLeg()),
    ],
    ids=str,
)
def test_what_the_last_look_finds_counts_as_if_it_had_come_in_time(
    status: Status | None, action: Action
) -> None:
    assert next_action(PLAN, looked(PLAN, awaiting(PLAN), status), RULES, at(OVER)) == action


@pytest.mark.parametrize("left_s", [9.0, 0.0, -9.0])
def test_the_deadline_ends_no_wait_since_it_is_about_attempts(left_s: float) -> None:
    assert next_action(PLAN, awaiting(PLAN), RULES, at(left_s=left_s)) == Rest(20.0)


@pytest.mark.parametrize(
    ("now", "status", "wish", "action"),
    [
        (NOW, None, Wish.HOLD, Stay()),
        (OVER, None, Wish.HOLD, Stay()),
        (NOW, DELIVERED, Wish.HOLD, Stay()),
        (NOW, None, Wish.CANCEL, CANCELLED),
        (OVER, None, Wish.CANCEL, CANCELLED),
        (NOW, DELIVERED, Wish.CANCEL, CANCELLED),
    ],
)
def test_a_wish_ends_the_wait(
    now: datetime, status: Status | None, wish: Wish, action: Action
) -> None:
    progress = awaiting(PLAN) if status is None else learned(awaiting(PLAN), status)

    assert next_action(PLAN, progress, RULES, at(now, wish=wish)) == action


@pytest.mark.parametrize("statuses", [(), (SENT,), (DELIVERED,)], ids=str)
def test_a_cancelled_wait_ends_the_delivery_as_it_stands(statuses: tuple[Status, ...]) -> None:
    closed = leg_closed(PLAN, learned(awaiting(PLAN), *statuses), CANCELLED)

    (result,) = closed.done
    assert (closed.ended, result.outcome, result.given_up) == (True, TAKEN, False)


def test_a_wait_that_is_over_is_summed_up_with_what_is_known() -> None:
    progress = learned(awaiting(PLAN), SENT)

    closed = leg_closed(PLAN, progress, GIVEN_UP)

    (result,) = closed.done
    assert (result.outcome, result.status, result.given_up) == (TAKEN, SENT, True)
    assert (closed.waiting, closed.gives_up_at, closed.looked) == (("b",), None, False)
    assert next_action(PLAN, closed, RULES, at(OVER)) == Try("b")


# --- a message that may have gone -----------------------------------------------------------


def doubtful(if_unknown: IfUnknown, provider: str = "a") -> Plan:
    return planned(waiting_leg(provider, if_unknown=if_unknown), leg("c"))


def asked(plan: Plan, progress: Progress, *statuses: Status | None) -> Progress:
    for status in statuses:
        progress = question_answered(plan, progress, status, RULES)
    return progress


@pytest.mark.parametrize("answer", [LOST, None], ids=["lost", "unheard"])
@pytest.mark.parametrize(
    ("if_unknown", "provider", "first", "then"),
    [
        (IfUnknown.RECONCILE, "a", Ask(1.0), Ask(1.0)),
        (IfUnknown.RECONCILE, "b", CloseLeg(), CloseLeg()),
        (IfUnknown.HOLD, "a", CloseLeg(), CloseLeg()),
        (IfUnknown.HOLD, "b", CloseLeg(), CloseLeg()),
        (IfUnknown.NEXT, "a", Await(WITHIN), Ask(1.0)),
        (IfUnknown.NEXT, "b", Await(WITHIN), Rest(20.0)),
    ],
)
def test_a_leg_in_doubt_is_asked_about_and_waits_only_where_the_next_one_may_follow(
    answer: Outcome | None, if_unknown: IfUnknown, provider: str, first: Action, then: Action
) -> None:
    plan = doubtful(if_unknown, provider)
    progress = unheard(plan) if answer is None else told_by(plan, answer)

    assert next_action(plan, progress, RULES, at()) == first
    assert next_action(plan, waiting_began(progress, OVER), RULES, at()) == then


@pytest.mark.parametrize(
    ("statuses", "reconcile", "following"),
    [
        ((None,), Ask(2.0), Ask(2.0)),
        ((ABSENT,), Ask(2.0), Ask(2.0)),
        ((None, ABSENT), CloseLeg(), Rest(20.0)),
        ((ABSENT, None), CloseLeg(), Rest(20.0)),
        # Certainly absent: once more to the same provider.
        ((ABSENT, ABSENT), Pause(1.0), Pause(1.0)),
        # Found: from then on it waits, unless it has come to its end.
        ((SENT,), Await(WITHIN), Rest(20.0)),
        ((ABSENT, SENT), Await(WITHIN), Rest(20.0)),
        ((DELIVERED,), CloseLeg(), CloseLeg()),
        ((UNDELIVERED,), CloseLeg(), CloseLeg()),
    ],
    ids=str,
)
def test_what_asking_finds_out_decides_what_follows(
    statuses: tuple[Status | None, ...], reconcile: Action, following: Action
) -> None:
    held, on = doubtful(IfUnknown.RECONCILE), doubtful(IfUnknown.NEXT)

    assert next_action(held, asked(held, told_by(held, LOST), *statuses), RULES, at()) == reconcile
    assert next_action(on, asked(on, awaiting(on, LOST), *statuses), RULES, at()) == following


def test_a_question_that_would_come_after_the_time_is_left_to_the_last_look() -> None:
    plan = doubtful(IfUnknown.NEXT)
    progress = awaiting(plan, LOST)
    before = [OVER - timedelta(seconds=seconds) for seconds in (1.5, 1.0, 0.5)]

    assert [next_action(plan, progress, RULES, at(moment)) for moment in before] == [
        Ask(1.0),
        Rest(1.0),
        Rest(0.5),
    ]
    assert next_action(plan, progress, RULES, at(OVER)) == Look()
    assert next_action(plan, looked(plan, progress, None), RULES, at(OVER)) == GIVEN_UP


def test_a_pause_before_a_question_that_is_over_is_not_made_again() -> None:
    plan = doubtful(IfUnknown.NEXT)

    assert next_action(plan, rested(awaiting(plan, LOST)), RULES, at()) == Ask(0.0)


def test_a_status_that_leaves_it_in_doubt_cuts_no_pause_before_a_question_short() -> None:
    pausing = rested(told_by(PLAN, LOST))

    told = learned(pausing, Status(state=State.UNKNOWN))

    assert next_action(PLAN, told, RULES, at()) == Ask(1.0)


@pytest.mark.parametrize("if_unknown", [IfUnknown.RECONCILE, IfUnknown.NEXT])
def test_what_is_in_doubt_is_still_asked_about_when_it_is_cancelled(if_unknown: IfUnknown) -> None:
    plan = doubtful(if_unknown)
    progress = awaiting(plan, LOST)

    actions = [
        next_action(plan, asked(plan, progress, *statuses), RULES, at(OVER, wish=Wish.CANCEL))
        for statuses in [(), (None,), (None, ABSENT), (SENT,)]
    ]

    assert actions == [Ask(1.0), Ask(2.0), CANCELLED, CANCELLED]


def test_one_in_doubt_that_is_given_up_stays_so_and_the_next_leg_follows() -> None:
    plan = doubtful(IfUnknown.NEXT)

    closed = leg_closed(plan, awaiting(plan, LOST), GIVEN_UP)

    assert (closed.done[0].outcome, closed.done[0].given_up) == (LOST, True)
    assert closed.waiting == ("c",)


def test_a_message_that_goes_again_is_waited_for_anew() -> None:
    """Its time begins when it is taken, and the provider is told how long it is worth it."""
    plan = doubtful(IfUnknown.NEXT)
    absent = looked(plan, asked(plan, awaiting(plan, LOST), ABSENT, ABSENT), None)

    again = told_by(plan, TAKEN, round_began(absent, RULES))

    assert next_action(plan, again, RULES, at(OVER - timedelta(seconds=1))) == Await(WITHIN)
    assert next_action(plan, waiting_began(again, OVER), RULES, at(OVER)) == Look()


def test_a_message_that_went_again_after_a_certain_absence_can_be_given_up() -> None:
    absent = asked(PLAN, told_by(PLAN, LOST), ABSENT, ABSENT)
    again = told_by(PLAN, TAKEN, round_began(absent, RULES))

    assert leg_closed(PLAN, again, GIVEN_UP).waiting == ("b",)


# --- two attempts of one leg ----------------------------------------------------------------


def sent_twice(plan: Plan, answer: Outcome) -> Progress:
    """The message seemed to be absent, so that it went again, to be answered so."""
    absent = asked(plan, unheard(plan), ABSENT, ABSENT)
    return told_by(plan, answer, round_began(absent, RULES))


def taken_at_first(plan: Plan, progress: Progress) -> Progress:
    """The first attempt is heard of after the second: the message was taken at once."""
    return merged(progress, told_by(plan, TAKEN))


def test_of_two_attempts_a_status_is_of_the_one_that_was_taken() -> None:
    progress = taken_at_first(PLAN, sent_twice(PLAN, DOWN))

    told = learned(waiting_began(progress, OVER), DELIVERED)

    assert [each.status for each in told.attempts] == [DELIVERED, None]
    assert next_action(PLAN, told, RULES, at()) == CloseLeg()


def test_no_leg_begins_after_the_first_of_two_attempts_has_arrived() -> None:
    progress = taken_at_first(PLAN, sent_twice(PLAN, DOWN))

    given_up = leg_closed(PLAN, progress, GIVEN_UP)

    assert next_action(PLAN, given_up, RULES, at()) == Try("b")
    assert next_action(PLAN, learned(given_up, DELIVERED), RULES, at()) == ARRIVED


def test_a_leg_that_is_over_is_as_the_one_of_two_attempts_that_was_taken() -> None:
    plan = doubtful(IfUnknown.NEXT)
    given_up = leg_closed(plan, sent_twice(plan, LOST), GIVEN_UP)
    assert given_up.done[0].outcome == LOST

    assert taken_at_first(plan, given_up).done[0].outcome == TAKEN


# --- whether the next leg follows -----------------------------------------------------------

NONE: frozenset[Because] = frozenset()


def results(outcome: Outcome, status: Status | None = None, *, given_up: bool = False) -> LegResult:
    plan = planned(waiting_leg())
    progress = told_by(plan, outcome)
    progress = progress if status is None else learned(progress, status)
    return leg_closed(plan, progress, GIVEN_UP if given_up else CloseLeg()).done[0]


@pytest.mark.parametrize(
    ("result", "because"),
    [
        (results(TAKEN, UNDELIVERED), Because.UNDELIVERED),
        (results(TAKEN, REJECTED), Because.REFUSED),
        (results(TAKEN, EXPIRED), Because.EXPIRED),
        (results(TAKEN, given_up=True), Because.EXPIRED),
        (results(TAKEN, SENT, given_up=True), Because.EXPIRED),
        (results(LOST, given_up=True), Because.EXPIRED),
        (results(BAD_NUMBER), Because.REFUSED),
    ],
)
def test_the_next_leg_follows_for_the_reasons_that_the_leg_names(
    result: LegResult, because: Because
) -> None:
    for reason in Because:
        only, but = frozenset({reason}), frozenset(Because) - {reason}
        assert goes_on(PLAN, waiting_leg(on=only), result) is (reason is because)
        assert goes_on(PLAN, waiting_leg(on=but), result) is (reason is not because)


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        # What did not leave leads on whatever the leg names, for nothing was waited for.
        (results(DOWN), True),
        # A refusal that the route does not name leads on for no leg.
        (results(BAD_TEXT), False),
        (results(LOST), False),
        (results(TAKEN), False),
        (results(TAKEN, DELIVERED), False),
        # In test mode nothing arrives, and nothing is to be tried for that.
        (results(TAKEN, SIMULATED), False),
    ],
)
def test_what_else_a_leg_ends_with_does_not_hang_on_what_it_names(
    result: LegResult, expected: bool
) -> None:
    assert goes_on(PLAN, waiting_leg(), result) is expected
    assert goes_on(PLAN, waiting_leg(on=NONE), result) is expected


@pytest.mark.parametrize("status", [UNDELIVERED, REJECTED, EXPIRED], ids=str)
def test_a_receipt_that_is_not_final_or_not_trusted_leads_on_to_no_leg(status: Status) -> None:
    may_change = attrs.evolve(status, final=False)
    distrustful = waiting_leg(distrusted=frozenset({"a"}))

    assert not goes_on(PLAN, waiting_leg(), results(TAKEN, may_change))
    assert not goes_on(PLAN, distrustful, results(TAKEN, status))
    assert not goes_on(PLAN, leg("a"), results(TAKEN, status))


# --- a receipt that comes late --------------------------------------------------------------


def second_leg(plan: Plan = PLAN, outcome: Outcome = TAKEN) -> Progress:
    """The first leg was given up, and a provider has answered on the second."""
    return told_by(plan, outcome, leg_closed(plan, awaiting(plan), GIVEN_UP))


def test_no_leg_begins_after_an_earlier_one_has_arrived() -> None:
    given_up = leg_closed(PLAN, awaiting(PLAN), GIVEN_UP)

    progress = learned(given_up, DELIVERED)

    assert next_action(PLAN, progress, RULES, at()) == ARRIVED
    closed = leg_closed(PLAN, progress, ARRIVED)
    assert closed.ended
    assert closed.done[1].outcome == NotSent(ARRIVED.why, FailureScope.WITHHELD)
    assert overall(Mode.FIRST_OF, closed.done) == TAKEN


def test_a_third_leg_is_not_begun_though_the_second_has_failed() -> None:
    plan = planned(waiting_leg(), waiting_leg("c"), leg("b"))

    progress = learned(second_leg(plan, DOWN), DELIVERED)

    assert next_action(plan, progress, RULES, at()) == ARRIVED
    assert leg_closed(plan, progress, ARRIVED).ended


def test_a_leg_that_waits_ends_when_one_before_it_has_arrived() -> None:
    plan = planned(waiting_leg(), waiting_leg("c"), leg("b"))
    progress = waiting_began(second_leg(plan), OVER)
    assert next_action(plan, progress, RULES, at()) == Rest(20.0)

    assert next_action(plan, learned(progress, DELIVERED), RULES, at()) == ARRIVED
    assert is_waited_out(plan, learned(progress, DELIVERED))


def test_one_in_doubt_is_found_out_about_though_one_before_it_has_arrived() -> None:
    plan = planned(waiting_leg(), leg("c"))

    progress = learned(second_leg(plan, LOST), DELIVERED)

    assert next_action(plan, progress, RULES, at()) == Ask(1.0)


@pytest.mark.parametrize(
    ("first", "status"),
    [
        (waiting_leg(), SENT),
        (waiting_leg(), UNDELIVERED),
        (waiting_leg(until=Until.READ), DELIVERED),
        (waiting_leg(distrusted=frozenset({"a"})), DELIVERED),
    ],
    ids=str,
)
def test_the_next_leg_goes_on_if_what_comes_late_is_not_what_was_waited_for(
    first: Leg, status: Status
) -> None:
    plan = planned(first, leg("b"))

    progress = learned(leg_closed(plan, awaiting(plan), GIVEN_UP), status)

    assert next_action(plan, progress, RULES, at()) == Try("b")


def test_a_late_receipt_is_the_status_of_its_own_leg() -> None:
    progress = learned(leg_closed(PLAN, second_leg()), SENT, DELIVERED, SENT, DELIVERED)

    assert progress.ended
    assert [result.status for result in progress.done] == [DELIVERED, None]
    assert [result.late for result in progress.done] == [True, False]


@pytest.mark.parametrize("provider", ["b", "c"])
def test_a_status_of_another_provider_under_this_id_is_nobodys(provider: str) -> None:
    progress = awaiting(PLAN)

    assert learned(progress, DELIVERED, provider=provider) == progress


# --- a status of what is in doubt -----------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (SENT, Accepted),
        (DELIVERED, Accepted),
        (SIMULATED, Accepted),
        (attrs.evolve(UNDELIVERED, final=False), Accepted),
        (UNDELIVERED, Refused),
        (REJECTED, Refused),
        (EXPIRED, Refused),
    ],
    ids=str,
)
@pytest.mark.parametrize("answer", [LOST, None], ids=["lost", "unheard"])
def test_a_message_that_its_provider_tells_of_was_taken_or_has_failed(
    answer: Outcome | None, status: Status, outcome: type[Outcome]
) -> None:
    progress = unheard(PLAN) if answer is None else told_by(PLAN, answer)

    (attempt,) = learned(progress, status).attempts

    assert isinstance(attempt.outcome, outcome)
    assert attempt.status == status


def test_one_in_doubt_is_known_by_the_id_that_its_provider_tells() -> None:
    told = attrs.evolve(SENT, provider_id="17")

    (attempt,) = learned(told_by(PLAN, LOST), told).attempts

    assert isinstance(attempt.outcome, Accepted)
    assert attempt.outcome.receipt.provider_id == "17"


@pytest.mark.parametrize("state", [State.NOT_FOUND, State.UNKNOWN])
def test_a_status_that_says_nothing_leaves_it_in_doubt(state: State) -> None:
    (attempt,) = learned(told_by(PLAN, LOST), Status(state=state)).attempts

    assert attempt.outcome == LOST


@pytest.mark.parametrize("answer", [TAKEN, DOWN, BAD_NUMBER], ids=str)
def test_a_status_changes_nothing_of_what_the_call_itself_has_said(answer: Outcome) -> None:
    (attempt,) = learned(told_by(PLAN, answer), UNDELIVERED, DELIVERED).attempts

    assert (attempt.outcome, attempt.status) == (answer, DELIVERED)


def test_one_found_as_failed_and_told_of_as_sent_was_taken_before_it_failed() -> None:
    first, second = (
        learned(told_by(PLAN, LOST), UNDELIVERED, SENT),
        learned(told_by(PLAN, LOST), SENT, UNDELIVERED),
    )

    assert first.attempts == second.attempts
    assert isinstance(first.attempts[0].outcome, Accepted)


def test_a_status_does_not_change_why_a_leg_could_not_be_gone_on_with() -> None:
    """Somebody has said stop after the first attempt, so that there was no second."""
    closed = leg_closed(PLAN, told_by(PLAN, DOWN), CloseLeg(refused=BAD_TEXT))

    (result,) = learned(closed, SENT).done

    assert (result.outcome, result.status) == (BAD_TEXT, SENT)


def test_the_answer_that_comes_late_stands_beside_the_status_that_came_before_it() -> None:
    told = learned(unheard(PLAN), DELIVERED)

    both = merged(told, told_by(PLAN, TAKEN))

    (attempt,) = both.attempts
    assert (attempt.outcome, attempt.status) == (TAKEN, DELIVERED)
    assert next_action(PLAN, both, RULES, at()) == CloseLeg()


def test_an_answer_that_comes_late_to_a_leg_that_was_given_up_brings_its_receipt() -> None:
    plan = doubtful(IfUnknown.NEXT)
    given_up = leg_closed(plan, waiting_began(unheard(plan), OVER), GIVEN_UP)

    both = merged(learned(given_up, DELIVERED), told_by(plan, TAKEN))

    assert (both.done[0].outcome, both.done[0].status, both.done[0].late) == (
        TAKEN,
        DELIVERED,
        True,
    )


def test_a_late_answer_and_a_status_can_come_in_any_order() -> None:
    plan = doubtful(IfUnknown.NEXT)
    given_up = leg_closed(plan, waiting_began(unheard(plan), OVER), GIVEN_UP)
    told = told_by(plan, TAKEN)

    assert merged(learned(given_up, DELIVERED), told) == learned(merged(given_up, told), DELIVERED)


def test_what_is_told_of_one_that_was_held_ends_its_doubt() -> None:
    plan = planned(waiting_leg(if_unknown=IfUnknown.HOLD), leg("b"))
    held = leg_closed(plan, told_by(plan, LOST))
    assert held.ended

    told = learned(held, DELIVERED)

    assert told.ended
    assert isinstance(told.done[0].outcome, Accepted)


def test_one_that_was_given_up_in_doubt_on_the_last_leg_waits_anew_when_it_is_released() -> None:
    plan = planned(waiting_leg(if_unknown=IfUnknown.NEXT))
    held = leg_closed(plan, awaiting(plan, LOST), GIVEN_UP)
    assert held.ended

    assert next_action(plan, asked_anew(held), RULES, at(OVER)) == Await(WITHIN)


# --- what is expected still -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "statuses", "expected"),
    [
        (PLAN, (), False),
        (PLAN, (SENT,), False),
        (PLAN, (DELIVERED,), True),
        (PLAN, (UNDELIVERED,), True),
        (planned(waiting_leg(until=Until.READ)), (DELIVERED,), False),
        (planned(waiting_leg(until=Until.READ)), (READ,), True),
        (planned(waiting_leg(distrusted=frozenset({"a"}))), (DELIVERED,), False),
    ],
)
def test_a_wait_is_over_when_a_receipt_decides_it(
    plan: Plan, statuses: tuple[Status, ...], expected: bool
) -> None:
    assert is_waited_out(plan, learned(awaiting(plan), *statuses)) is expected


@pytest.mark.parametrize(
    ("plan", "statuses", "expected"),
    [
        (PLAN, (), True),
        (PLAN, (SENT,), True),
        (PLAN, (DELIVERED,), False),
        (PLAN, (UNDELIVERED,), False),
        (PLAN, (attrs.evolve(DELIVERED, final=False),), True),
        (planned(waiting_leg(until=Until.READ)), (DELIVERED,), True),
        (planned(waiting_leg(until=Until.READ)), (READ,), False),
    ],
)
def test_a_leg_is_followed_until_nothing_more_is_expected_of_it(
    plan: Plan, statuses: tuple[Status, ...], expected: bool
) -> None:
    assert is_followed(plan, learned(awaiting(plan), *statuses), "d-1-1") is expected


def test_a_leg_that_was_given_up_is_followed_until_its_end() -> None:
    progress = second_leg()

    assert is_followed(PLAN, progress, "d-1-1")
    assert is_followed(PLAN, progress, "d-1-2")
    assert not is_followed(PLAN, learned(progress, DELIVERED), "d-1-1")
    assert not is_followed(PLAN, progress, "d-1-3")


# --- the delivery as a whole ----------------------------------------------------------------


def ended(outcome: Outcome, status: Status | None = None, *, given_up: bool = False) -> LegResult:
    return LegResult(channel="sms", outcome=outcome, status=status, given_up=given_up)


GIVEN_UP_TAKEN = ended(TAKEN, given_up=True)
GIVEN_UP_LOST = ended(LOST, given_up=True)
OTHER = Accepted(Receipt(provider="b", address="+79990000001", provider_id="2"))


@pytest.mark.parametrize(
    ("legs", "expected"),
    [
        ([GIVEN_UP_TAKEN], TAKEN),
        # The leg that arrived, be it late.
        ([ended(TAKEN, DELIVERED, given_up=True), ended(DOWN)], TAKEN),
        ([ended(TAKEN, DELIVERED, given_up=True), ended(OTHER)], TAKEN),
        ([ended(TAKEN, DELIVERED, given_up=True), ended(LOST)], TAKEN),
        ([ended(TAKEN, DELIVERED, given_up=True), ended(OTHER, DELIVERED)], TAKEN),
        ([GIVEN_UP_TAKEN, ended(OTHER, DELIVERED)], OTHER),
        # Else the last one.
        ([GIVEN_UP_TAKEN, ended(OTHER)], OTHER),
        ([GIVEN_UP_LOST, ended(OTHER)], OTHER),
        ([GIVEN_UP_TAKEN, ended(LOST)], LOST),
        ([ended(TAKEN, UNDELIVERED), ended(DOWN)], DOWN),
        ([ended(TAKEN, UNDELIVERED, given_up=True), ended(BAD_NUMBER)], BAD_NUMBER),
        # But where that came to nothing, what was given up may still arrive.
        ([GIVEN_UP_TAKEN, ended(DOWN)], TAKEN),
        ([GIVEN_UP_TAKEN, ended(BAD_NUMBER)], TAKEN),
        ([ended(TAKEN, SENT, given_up=True), ended(DOWN)], TAKEN),
        ([GIVEN_UP_LOST, ended(DOWN)], LOST),
        ([GIVEN_UP_TAKEN, GIVEN_UP_LOST, ended(DOWN)], LOST),
        ([GIVEN_UP_TAKEN, ended(DOWN), ended(KEPT_BACK)], TAKEN),
    ],
)
def test_a_delivery_is_as_the_leg_that_arrived_else_as_the_last_unless_another_may_yet_arrive(
    legs: Sequence[LegResult], expected: Outcome
) -> None:
    assert overall(Mode.FIRST_OF, legs) == expected


def test_a_leg_counts_from_when_a_provider_was_tried_or_left_out() -> None:
    plan = planned(leg("a"), leg("b", "c"))
    second = leg_closed(plan, told_by(plan, DOWN))

    skipped = provider_skipped(second, "b", "left alone")

    assert [result.outcome for result in standing(plan, second)] == [DOWN]
    assert [result.skipped for result in standing(plan, skipped)] == [(), skipped.skipped]


# --- whatever happens -----------------------------------------------------------------------

answers = st.sampled_from([TAKEN, TAKEN, LOST, DOWN, BAD_NUMBER, BAD_TEXT])
ENDS = {State.EXPIRED, State.REJECTED, State.UNDELIVERED, State.SIMULATED, *ARRIVED_STATES}
some_statuses = st.sampled_from(State).map(lambda state: Status(state=state, final=state in ENDS))
questions = st.none() | st.sampled_from([ABSENT, SENT, DELIVERED, UNDELIVERED])
legs_of_all_kinds = st.builds(
    leg,
    st.sampled_from(["a", "b", "c"]),
    until=st.sampled_from(Until),
    within=st.sampled_from([WITHIN, timedelta(seconds=1)]),
    on=st.frozensets(st.sampled_from(Because)),
    if_unknown=st.sampled_from([IfUnknown.RECONCILE, IfUnknown.HOLD]),
    distrusted=st.sampled_from([frozenset(), frozenset("a")]),
)
bold_legs = st.builds(waiting_leg, st.sampled_from(["a", "b"]), if_unknown=st.just(IfUnknown.NEXT))
plans = st.lists(legs_of_all_kinds | bold_legs, min_size=1, max_size=4).map(
    lambda legs: planned(*legs)
)


@attrs.define
class Story:
    """A delivery that is carried out, and what is known of its attempts when the next begins."""

    plan: Plan
    progress: Progress
    now: datetime = NOW
    wish: Wish | None = None
    begun: list[tuple[Attempt, Progress]] = attrs.field(factory=list)
    steps: int = 0

    def learn(self, number: int, status: Status) -> None:
        known = [each for result in self.progress.done for each in result.attempts]
        attempts = [*known, *self.progress.attempts]
        if attempts:
            chosen = attempts[number % len(attempts)]
            self.progress = status_learned(
                self.plan, self.progress, chosen.own_id, chosen.provider, status
            )

    def do(self, action: Action, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self.steps += 1
        plan, progress = self.plan, self.progress
        match action:
            case Await(span):
                self.progress = waiting_began(progress, self.now + span)
            case Look():
                self.progress = looked(plan, progress, draw(questions))
            case Rest(seconds):
                self.now += timedelta(seconds=seconds)
            case Ask(seconds) | Pause(seconds) if seconds:
                self.now += timedelta(seconds=seconds)
                self.progress = rested(progress)
            case Ask():
                self.progress = question_answered(plan, progress, draw(questions), RULES)
            case Pause():
                self.progress = round_began(progress, RULES)
            case CloseLeg() as close:
                self.progress = leg_closed(plan, progress, close)
            case Try(provider):
                self.begun.append((attempt_began(plan, progress, provider, self.now)[1], progress))
                self.progress, _ = attempt_began(plan, progress, provider, self.now)
                if draw(st.integers(0, 5)):
                    self.progress = attempt_answered(self.progress, draw(answers), self.now)


def tell(plan: Plan, draw: Callable[[st.SearchStrategy[Any]], Any]) -> Story:
    """Carry a plan out with whatever hypothesis draws, statuses and a cancellation among it."""
    story = Story(plan, begin(plan))
    while story.steps < 500:
        if draw(st.integers(0, 3)) == 0:
            story.learn(draw(st.integers(0, 9)), draw(some_statuses))
        story.wish = story.wish or draw(st.sampled_from([None] * 12 + [Wish.CANCEL]))
        action = next_action(plan, story.progress, RULES, at(story.now, wish=story.wish))
        if action == End():
            return story
        story.do(action, draw)
    raise AssertionError("it does not come to an end")


def is_over(result: LegResult) -> bool:
    """Whether nothing of a leg is alive: it did not go, has failed for good, or was given up."""
    failed = result.status is not None and result.status.final
    return isinstance(result.outcome, NotSent | Refused) or result.given_up or failed


@settings(deadline=None)
@given(plans, st.data())
def test_no_leg_is_begun_while_one_before_it_is_alive_or_after_one_has_arrived(
    plan: Plan, data: st.DataObject
) -> None:
    story = tell(plan, data.draw)

    for _, known in story.begun:
        for number, result in enumerate(known.done):
            assert is_over(result)
            waited, told = plan.legs[number], result.status
            is_trusted = result.attempts and result.attempts[0].provider not in waited.distrusted
            if told is not None and is_trusted and told.state in ARRIVED_STATES:
                assert waited.until is not Until.DELIVERED
                assert waited.until is Until.ACCEPTED or told.state is State.DELIVERED


@settings(deadline=None)
@given(plans, st.data())
def test_only_a_leg_that_may_go_on_in_doubt_is_followed_by_another(
    plan: Plan, data: st.DataObject
) -> None:
    story = tell(plan, data.draw)

    for _, known in story.begun:
        for number, result in enumerate(known.done):
            if isinstance(result.outcome, Unknown):
                assert plan.legs[number].if_unknown is IfUnknown.NEXT
                assert result.given_up


@settings(deadline=None)
@given(plans, st.data())
def test_no_two_attempts_of_a_leg_can_both_have_gone(plan: Plan, data: st.DataObject) -> None:
    story = tell(plan, data.draw)

    for result in story.progress.done:
        for attempt in result.attempts[:-1]:
            assert isinstance(attempt.outcome, NotSent | Refused)


@pytest.mark.parametrize("turned", [False, True])
def test_one_in_doubt_that_failed_in_two_ways_is_refused_for_the_same_one(turned: bool) -> None:
    failures = [UNDELIVERED, Status(state=State.EXPIRED, final=True, detail="too old")]
    told = learned(told_by(PLAN, LOST), *(failures[::-1] if turned else failures))

    (attempt,) = told.attempts
    assert attempt.status is not None
    assert isinstance(attempt.outcome, Refused)
    named = attempt.status.detail or f"the provider has it as {attempt.status.state.value}"
    assert attempt.outcome.reason == named


@settings(deadline=None)
@given(plans, st.lists(st.tuples(st.integers(0, 9), some_statuses), max_size=6), st.data())
def test_the_end_does_not_hang_on_the_order_in_which_statuses_are_told_once_all_are_told(
    plan: Plan, told: list[tuple[int, Status]], data: st.DataObject
) -> None:
    """Nobody acts in between; each is told once or twice."""
    story = tell(plan, data.draw)
    shuffled = data.draw(st.permutations(told + told[:2]))
    one, other = attrs.evolve(story), attrs.evolve(story)

    for number, status in told:
        one.learn(number, status)
    for number, status in shuffled:
        other.learn(number, status)

    assert other.progress == one.progress


@given(some_statuses, some_statuses)
def test_the_status_of_an_attempt_is_the_furthest_of_those_that_were_told(
    one: Status, other: Status
) -> None:
    (attempt,) = learned(awaiting(PLAN), one, other).attempts

    assert attempt.status == advanced(one, other)
