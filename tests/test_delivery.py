"""The report of a send: what it adds up, what it says and what it keeps to itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from notify_core.contact import Contact
from notify_core.delivery import Attempt, Delivery, LegResult, Report, Skip, Stage, stage_after
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


def test_a_delivery_has_the_status_of_the_first_leg_that_was_asked_for() -> None:
    status = Status(state=State.DELIVERED)

    one = delivery(leg(UNKNOWN), leg(accepted(), status=status))

    assert one.status == status


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
