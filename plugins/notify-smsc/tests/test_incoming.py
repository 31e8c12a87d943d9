"""What came in, as the gateway tells it when it is asked."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_core.callback import Incoming, IncomingPage, Trust
from notify_core.http import HttpReply
from notify_core.outcome import FailureScope, NotSent, Unknown
from notify_smsc.incoming import MOST_ROWS, page_of, read_incoming


def row(number: int, **changed: Any) -> dict[str, Any]:
    return {
        "id": number,
        "received": "28.12.2029 19:20:22",
        "phone": "79991234567",
        "message": f"text {number}",
        "to_phone": "79990000000",
        "sent": "28.12.2029 19:20:20",
    } | changed


def answer(body: Any) -> HttpReply:
    return HttpReply(200, json.dumps(body).encode(), "application/json")


def messages(*rows: Any) -> tuple[Incoming, ...]:
    read = read_incoming(answer(list(rows)), "smsc")
    assert isinstance(read, tuple)
    return read


def test_a_message_is_told_with_what_is_known_of_it() -> None:
    """No time: the zone of those of the gateway is not documented."""
    (message,) = messages(row(7, message="Да\nжду"))

    assert message.provider == "smsc"
    assert (message.sender, message.to) == ("+79991234567", "+79990000000")
    assert (message.text, message.provider_id) == ("Да\nжду", "7")
    assert message.trust is Trust.PROVEN
    assert (message.received_at, message.sent_at) == (None, None)
    assert message.raw["received"] == "28.12.2029 19:20:22"
    assert "message" not in message.raw


def test_the_oldest_comes_first_whatever_the_order_of_the_answer() -> None:
    """It is not documented; ids grow, as numbers and not as texts."""
    told = messages(row(10), row(9), row(11))

    assert [message.provider_id for message in told] == ["9", "10", "11"]


def test_a_short_number_stays_as_it_is() -> None:
    """It has no country."""
    (message,) = messages(row(1, phone="900", to_phone=None))

    assert (message.sender, message.to) == ("900", None)


def test_a_message_that_no_journal_can_hold_does_not_stop_the_others() -> None:
    """What cannot be is replaced."""
    body = b'[{"id": "1", "phone": 79991234567, "message": "a\\ud800b\\u0000"}]'

    read = read_incoming(HttpReply(200, body, "application/json"), "smsc")

    assert isinstance(read, tuple)
    assert [message.text for message in read] == ["a\ufffdb\ufffd"]


@pytest.mark.parametrize("empty", [[], {"error": "no messages", "error_code": 3}])
def test_no_messages_are_no_failure(empty: Any) -> None:
    """Error 3 says so in the history."""
    assert read_incoming(answer(empty), "smsc") == ()


@pytest.mark.parametrize(
    ("body", "scope"),
    [
        ({"error": "authorise error", "error_code": 2}, FailureScope.ACCOUNT),
        ({"error": "ip is blocked", "error_code": 4}, FailureScope.ACCOUNT),
        ({"error": "too many", "error_code": 9}, FailureScope.THROTTLED),
    ],
)
def test_an_error_is_told(body: Any, scope: FailureScope) -> None:
    """With what it is about."""
    failure = read_incoming(answer(body), "smsc")

    assert isinstance(failure, NotSent)
    assert failure.scope is scope


@pytest.mark.parametrize(
    "body",
    [{}, {"id": 1}, {"error": "no number"}, "text", 7, [1], [row(1), None], [row(1, id=None)]],
)
def test_anything_odd_is_no_answer(body: Any) -> None:
    """So the question is asked again."""
    assert isinstance(read_incoming(answer(body), "smsc"), Unknown)


@given(st.binary())
def test_no_bytes_break_the_reader(body: bytes) -> None:
    """Whatever a proxy sends."""
    read_incoming(HttpReply(200, body, "text/html"), "smsc")


def test_a_page_ends_where_it_must_and_says_whether_there_is_more() -> None:
    """Each page goes on behind the one before; the last one leaves its place unchanged."""
    all_of_them = messages(row(1), row(2), row(3))

    first = page_of(all_of_them, None, 2)
    second = page_of(all_of_them, first.after, 2)
    third = page_of(all_of_them, second.after, 2)

    assert first == IncomingPage(messages=all_of_them[:2], after="2", more=True)
    assert second == IncomingPage(messages=all_of_them[2:], after="3", more=False)
    assert third == IncomingPage(messages=(), after="3", more=False)


@pytest.mark.parametrize(("told", "more"), [(MOST_ROWS, True), (MOST_ROWS - 1, False)])
def test_an_answer_that_is_full_may_not_be_all_there_is(told: int, more: bool) -> None:
    """The gateway tells no more than it is asked for, and does not say that it has more."""
    page = page_of(messages(*map(row, range(1, told + 1))), None, told)

    assert (len(page.messages), page.more) == (told, more)


def test_a_message_that_is_known_is_not_told_again() -> None:
    """How ``after_id`` and ``hour`` go together is not documented."""
    page = page_of(messages(row(5), row(6)), "5", 10)

    assert [message.provider_id for message in page.messages] == ["6"]
