"""The report of a send: what it adds up, what it says and what it keeps to itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import attrs
import pytest

from notify_core.contact import Contact
from notify_core.delivery import (
    Attempt,
    Delivery,
    LegResult,
    Report,
    Skip,
    Stage,
    stage_after,
    stands_otherwise,
)
from notify_core.errors import DeliveryError
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
from notify_core.text import count_parts

PHONE = "+79991234567"
CANARY = "canary-7331"

REFUSED = Refused("no such number", RefusalScope.RECIPIENT)
NOT_SENT = NotSent("out of reach", FailureScope.PROVIDER)
UNKNOWN = Unknown("the answer was cut")


def accepted(provider: str = "smsc", **receipt: Any) -> Accepted:
    return Accepted(Receipt(provider=provider, address=PHONE, raw={"text": CANARY}, **receipt))


def leg(outcome: Outcome, channel: str = "sms", **more: Any) -> LegResult:
    return LegResult(channel=channel, outcome=outcome, **more)


def delivery(*legs: LegResult, **more: Any) -> Delivery:
    values: dict[str, Any] = {
        "id": "m-1",
        "message_id": "m",
        "recipient": Contact(phone=PHONE),
        "route": "otp",
        "legs": legs,
        "outcome": legs[-1].outcome,
    }
    return Delivery(**(values | more))


def report(*outcomes: Outcome) -> Report:
    return Report(message_id="m", deliveries=tuple(delivery(leg(one)) for one in outcomes))


def attempt(**more: Any) -> Attempt:
    values: dict[str, Any] = {
        "id": "m-1-1-1",
        "delivery_id": "m-1",
        "own_id": "m-1-1",
        "number": 1,
        "provider": "smsc",
        "channel": "sms",
        "address": PHONE,
        "address_kind": "phone",
        "started_at": datetime(2030, 1, 1, tzinfo=UTC),
    }
    return Attempt(**(values | more))


@pytest.mark.parametrize(
    ("answer", "resolved", "outcome"),
    [
        (None, None, None),
        (UNKNOWN, None, UNKNOWN),
        (UNKNOWN, NOT_SENT, NOT_SENT),
        (REFUSED, None, REFUSED),
    ],
)
def test_an_attempt_ends_as_it_was_resolved_or_answered(
    answer: Outcome | None, resolved: Outcome | None, outcome: Outcome | None
) -> None:
    assert attempt(answer=answer, resolved=resolved).outcome == outcome


@pytest.mark.parametrize(
    ("outcome", "is_accepted", "is_held"),
    [
        (accepted(), True, False),
        (REFUSED, False, False),
        (NOT_SENT, False, False),
        (UNKNOWN, False, True),
    ],
)
def test_a_delivery_is_accepted_or_held_or_neither(
    outcome: Outcome, is_accepted: bool, is_held: bool
) -> None:
    one = delivery(leg(outcome))

    assert (one.accepted, one.held) == (is_accepted, is_held)


@pytest.mark.parametrize(
    ("outcome", "stage"),
    [
        (accepted(), Stage.ENDED),
        (REFUSED, Stage.ENDED),
        (NOT_SENT, Stage.ENDED),
        (UNKNOWN, Stage.HELD),
    ],
)
def test_of_which_no_more_is_done_has_ended_unless_it_is_in_doubt(
    outcome: Outcome, stage: Stage
) -> None:
    assert stage_after(outcome) is stage
    assert delivery(leg(outcome)).stage is stage


@pytest.mark.parametrize("outcome", [accepted(), REFUSED, NOT_SENT, UNKNOWN])
@pytest.mark.parametrize(
    ("stage", "is_held", "is_under_way"),
    [
        (Stage.UNDER_WAY, False, True),
        (Stage.HELD, True, False),
        (Stage.ENDED, False, False),
    ],
)
def test_a_delivery_is_where_its_stage_says_whatever_is_known_of_it(
    outcome: Outcome, stage: Stage, is_held: bool, is_under_way: bool
) -> None:
    one = delivery(leg(outcome), stage=stage)

    assert (one.held, one.under_way) == (is_held, is_under_way)


def test_a_delivery_gathers_the_attempts_of_all_legs_in_order() -> None:
    first, second, third = attempt(number=1), attempt(number=2), attempt(number=3)

    one = delivery(leg(NOT_SENT, attempts=(first, second)), leg(accepted(), attempts=(third,)))

    assert one.attempts == (first, second, third)


FAILED_THEN_CALLED = delivery(
    leg(NOT_SENT, "telegram"),
    leg(accepted("backup", provider_id="55", parts=2, cost=Decimal("1.50")), "call"),
)
BOTH = delivery(
    leg(accepted("smsc", parts=1, cost=Decimal("0.10"), balance=Decimal(9)), "sms"),
    leg(accepted("backup", parts=2, cost=Decimal("0.20"), balance=Decimal(7)), "call"),
    all_of=True,
)
NOTHING_TOLD = delivery(leg(accepted()))
NOT_ACCEPTED = delivery(leg(REFUSED))


@pytest.mark.parametrize(
    ("what", "of", "value"),
    [
        ("channel", FAILED_THEN_CALLED, "call"),
        ("provider", FAILED_THEN_CALLED, "backup"),
        ("provider_id", FAILED_THEN_CALLED, "55"),
        ("parts", FAILED_THEN_CALLED, 2),
        ("cost", FAILED_THEN_CALLED, Decimal("1.50")),
        ("channel", BOTH, "sms"),
        ("provider", BOTH, "smsc"),
        ("parts", BOTH, 3),
        ("cost", BOTH, Decimal("0.30")),
        ("balance", BOTH, Decimal(7)),
        ("parts", NOTHING_TOLD, None),
        ("cost", NOTHING_TOLD, None),
        ("balance", NOTHING_TOLD, None),
        ("provider_id", NOTHING_TOLD, None),
        ("channel", NOT_ACCEPTED, None),
        ("provider", NOT_ACCEPTED, None),
        ("receipt", NOT_ACCEPTED, None),
        ("cost", NOT_ACCEPTED, None),
    ],
)
def test_a_delivery_tells_what_the_receipts_of_its_legs_say(
    what: str, of: Delivery, value: object
) -> None:
    assert getattr(of, what) == value


def test_a_cost_of_nothing_is_a_cost() -> None:
    assert delivery(leg(accepted(cost=Decimal(0)))).cost == Decimal(0)


# --- legs that waited for a receipt ---------------------------------------------------------

DELIVERED = Status(state=State.DELIVERED, final=True)
READ = Status(state=State.READ, final=True)
SENT = Status(state=State.SENT)
SENT_FOR_GOOD = Status(state=State.SENT, final=True)
UNDELIVERED = Status(state=State.UNDELIVERED, final=True)


def waited(outcome: Outcome, status: Status | None = None, **more: Any) -> LegResult:
    return leg(outcome, "flash", status=status, given_up=True, **more)


FIRST = accepted("first", provider_id="1", parts=1, cost=Decimal("0.10"))
SECOND = accepted("second", provider_id="2", parts=2, cost=Decimal("3.00"))


@pytest.mark.parametrize(
    ("result", "arrived", "late", "may_arrive"),
    [
        (leg(FIRST), False, False, False),
        (leg(FIRST, status=SENT), False, False, False),
        (leg(FIRST, status=DELIVERED), True, False, False),
        (waited(FIRST), False, False, True),
        (waited(UNKNOWN), False, False, True),
        (waited(FIRST, SENT), False, False, True),
        (waited(FIRST, SENT_FOR_GOOD), False, False, False),
        (waited(FIRST, UNDELIVERED), False, False, False),
        (waited(FIRST, DELIVERED), True, True, False),
        (waited(FIRST, READ), True, True, False),
        (waited(REFUSED), False, False, False),
        (waited(NOT_SENT), False, False, False),
    ],
    ids=str,
)
def test_a_leg_that_was_given_up_may_arrive_until_a_receipt_says_that_it_did_or_will_not(
    result: LegResult, arrived: bool, late: bool, may_arrive: bool
) -> None:
    assert (result.arrived, result.late, result.may_arrive) == (arrived, late, may_arrive)


@pytest.mark.parametrize(
    ("one", "status", "channel", "provider"),
    [
        # Of the leg that arrived, be it late.
        (delivery(waited(FIRST, DELIVERED), leg(SECOND)), DELIVERED, "flash", "first"),
        (delivery(waited(FIRST, DELIVERED), leg(SECOND, status=SENT)), DELIVERED, "flash", "first"),
        (delivery(waited(FIRST, SENT), leg(SECOND, status=DELIVERED)), DELIVERED, "sms", "second"),
        # Of two that arrived the first one.
        (delivery(waited(FIRST, DELIVERED), leg(SECOND, status=READ)), DELIVERED, "flash", "first"),
        # Else of the last one that may have gone: what failed before says nothing of it.
        (delivery(waited(FIRST, SENT), leg(SECOND)), None, "sms", "second"),
        (delivery(waited(FIRST, UNDELIVERED), leg(SECOND)), None, "sms", "second"),
        (delivery(waited(FIRST, UNDELIVERED), leg(SECOND, status=SENT)), SENT, "sms", "second"),
        (delivery(waited(FIRST, UNDELIVERED), leg(NOT_SENT)), UNDELIVERED, "flash", "first"),
        # Of all_of the first one in any case.
        (
            delivery(leg(FIRST, status=SENT), leg(SECOND, status=DELIVERED), all_of=True),
            SENT,
            "sms",
            "first",
        ),
    ],
)
def test_a_delivery_is_told_by_the_leg_that_arrived_else_by_the_last_that_may_have_gone(
    one: Delivery, status: Status | None, channel: str, provider: str
) -> None:
    assert (one.status, one.channel, one.provider) == (status, channel, provider)


def test_a_leg_that_arrived_late_is_named_and_its_cost_counts() -> None:
    first = waited(FIRST, DELIVERED)

    one = delivery(first, leg(SECOND, status=SENT))

    assert one.late == (first,)
    assert (one.cost, one.parts) == (Decimal("3.10"), 3)
    assert one.receipts == (FIRST.receipt, SECOND.receipt)


@pytest.mark.parametrize(
    ("change", "is_told"),
    [
        ({}, False),
        ({"warnings": ("a warning",)}, False),
        ({"outcome": NOT_SENT}, True),
        ({"outcome": SECOND}, False),
        ({"stage": Stage.UNDER_WAY}, True),
        ({"legs": (leg(FIRST, status=SENT),)}, True),
        ({"legs": (leg(FIRST, attempts=(attempt(),)),)}, False),
    ],
)
def test_listeners_are_told_of_another_outcome_stage_or_status_and_of_nothing_else(
    change: dict[str, Any], is_told: bool
) -> None:
    before = delivery(leg(FIRST))

    assert stands_otherwise(before, attrs.evolve(before, **change)) is is_told


def test_a_delivery_of_which_nothing_went_has_the_status_of_what_was_refused() -> None:
    """Its provider knew it, and that it had failed, when it was asked about the lost answer."""
    one = delivery(leg(REFUSED, status=UNDELIVERED), leg(NOT_SENT))

    assert one.status == UNDELIVERED


def test_a_delivery_that_nobody_asked_for_has_no_status() -> None:
    assert delivery(leg(accepted())).status is None


@pytest.mark.parametrize(
    ("one", "sentence"),
    [
        (FAILED_THEN_CALLED, "+79…67 by call via backup (route otp): accepted as 55"),
        (NOT_ACCEPTED, "+79…67 (route otp): refused (recipient): no such number"),
        (delivery(leg(UNKNOWN)), "+79…67 (route otp): unknown: the answer was cut"),
        (
            delivery(leg(NOT_SENT), stage=Stage.UNDER_WAY),
            "+79…67 (route otp): not sent (provider): out of reach; carried on by a worker",
        ),
        (
            delivery(leg(accepted()), leg(NOT_SENT), all_of=True, stage=Stage.UNDER_WAY),
            "+79…67 by sms via smsc (route otp) in part, the rest: "
            "not sent (provider): out of reach; carried on by a worker",
        ),
    ],
)
def test_a_delivery_is_said_in_a_sentence(one: Delivery, sentence: str) -> None:
    assert str(one) == sentence


def test_a_report_is_a_sized_row_of_deliveries() -> None:
    one = report(accepted(), REFUSED)

    assert (len(one), tuple(one)) == (2, one.deliveries)


def test_a_report_parts_what_failed_from_what_is_held() -> None:
    one = report(accepted(), REFUSED, UNKNOWN, NOT_SENT)

    assert ([d.outcome for d in one.failed], [d.outcome for d in one.held]) == (
        [REFUSED, NOT_SENT],
        [UNKNOWN],
    )


def test_a_report_parts_what_is_under_way_or_held_from_what_failed() -> None:
    waiting = delivery(leg(NOT_SENT), stage=Stage.UNDER_WAY)
    stopped = delivery(leg(NOT_SENT), stage=Stage.HELD)
    failed = delivery(leg(NOT_SENT))

    one = Report(message_id="m", deliveries=(waiting, stopped, failed))

    assert (one.under_way, one.held, one.failed, one.ok) == (
        (waiting,),
        (stopped,),
        (failed,),
        False,
    )


@pytest.mark.parametrize("outcome", [REFUSED, NOT_SENT, UNKNOWN])
def test_one_delivery_that_was_not_accepted_raises_with_the_report(outcome: Outcome) -> None:
    one = report(accepted(), outcome)

    with pytest.raises(DeliveryError) as failure:
        one.raise_for_failure()

    assert (failure.value.report, str(failure.value), one.ok) == (one, str(one), False)


def test_a_report_of_accepted_deliveries_raises_nothing() -> None:
    one = report(accepted(), accepted())

    one.raise_for_failure()

    assert one.ok


def test_a_report_is_said_line_by_line() -> None:
    assert str(report(accepted(provider_id="55"), UNKNOWN)) == (
        "message m: 1 of 2 accepted\n"
        "  +79…67 by sms via smsc (route otp): accepted as 55\n"
        "  +79…67 (route otp): unknown: the answer was cut"
    )


@pytest.mark.parametrize("show", [repr, str, "{}".format], ids=["repr", "str", "format"])
@pytest.mark.parametrize(
    "record",
    [
        attempt(answer=accepted(), status=Status(state=State.READ, raw={"text": CANARY})),
        leg(
            accepted(),
            attempts=(attempt(answer=accepted()),),
            skipped=(Skip("backup", "stopped"),),
            parts=count_parts(CANARY + "’"),
        ),
        BOTH,
        report(accepted(), UNKNOWN),
    ],
    ids=lambda record: type(record).__name__,
)
def test_no_record_shows_a_text_or_a_whole_address(
    record: object, show: Callable[[object], str]
) -> None:
    shown = show(record)

    assert [secret for secret in (PHONE, CANARY, "’") if secret in shown] == []


@pytest.mark.parametrize("distrusted", [False, True])
def test_a_receipt_that_is_not_believed_decides_nothing(distrusted: bool) -> None:
    """It is shown as it came, but the delivery has neither arrived by it nor is it late."""
    leg = LegResult(
        channel="sms",
        outcome=Unknown("lost"),
        status=Status(state=State.DELIVERED, final=True),
        given_up=True,
        distrusted=distrusted,
    )

    assert (leg.arrived, leg.late, leg.may_arrive) == (
        (False, False, True) if distrusted else (True, True, False)
    )
