"""What an answer proves: accepted only on proof, unknown on anything odd."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_core.http import HttpReply
from notify_core.outcome import (
    Accepted,
    Account,
    Estimate,
    FailureScope,
    NotSent,
    Outcome,
    RefusalScope,
    Refused,
    State,
    Status,
    Unknown,
)
from notify_smsc.answers import (
    OperatorInfo,
    Sent,
    read_account,
    read_deleted,
    read_estimate,
    read_number_to_call,
    read_operator,
    read_sent,
    read_sent_list,
    read_status,
    read_statuses,
)

SENT = Sent(provider="smsc", phone="+79991234567", id="182", own_id="d1-1")
GROUP = Sent(provider="smsc", phone="G12", id="182", own_id="d1-1")
LINES = tuple(
    Sent(provider="smsc", phone=phone, id="182", own_id="d1-1")
    for phone in ("+79990000001", "+79990000002")
)
GOOD = {"id": 182, "cnt": 1, "cost": "3.8", "balance": "286.55"}


def reply(answer: Any, status: int = 200) -> HttpReply:
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return HttpReply(status, body, "application/json")


def row(phone: str = "79991234567", *, status: str = "", error: str = "") -> dict[str, str]:
    return {"phone": phone, "mccmnc": "25001", "cost": "1.9", "status": status, "error": error}


def sent(answer: Any, what: Sent = SENT, status: int = 200) -> Outcome:
    return read_sent(reply(answer, status), what)


# --- send -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        GOOD,
        GOOD | {"id": "182"},
        GOOD | {"cost": 3.8, "balance": 286.55, "cnt": "1"},
        GOOD | {"phones": [row()]},
        GOOD | {"phones": [row("+79991234567", status="0", error="0")]},
        GOOD | {"phones": [row(status="-1")]},
    ],
)
def test_a_whole_answer_about_our_message_is_proof(answer: dict[str, Any]) -> None:
    """Ids and amounts may be numbers or strings."""
    outcome = sent(answer)

    assert isinstance(outcome, Accepted)
    receipt = outcome.receipt
    assert (receipt.provider_id, receipt.own_id, receipt.address) == ("182", "d1-1", SENT.phone)
    assert (receipt.parts, receipt.cost) == (1, Decimal("3.8"))
    assert receipt.balance == Decimal("286.55")


def test_cost_and_balance_may_be_missing() -> None:
    """They are no proof of anything."""
    outcome = sent({"id": 182, "cnt": 1})

    assert isinstance(outcome, Accepted)
    assert outcome.receipt.cost is None


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"  \n",
        b"<html>Welcome</html>",
        b"OK - 1 SMS, ID - 182",
        b"182,1",
        b'{"id":182,"cnt":1',
        b'{"id":182,"id":182,"cnt":1}',
        b'\xff\xfe{"id":182,"cnt":1}',
        b'{"id":182,"cnt":1,"cost":NaN}',
        b"[" * 100_000,
        b'{"id":' + b"1" * 5000 + b',"cnt":1}',
        [GOOD],
        "OK",
        None,
        {},
        {"cnt": 1},
        {"id": 182},
        GOOD | {"id": 183},
        GOOD | {"id": True},
        GOOD | {"id": None},
        GOOD | {"id": 182.0},
        GOOD | {"cnt": 0},
        GOOD | {"cnt": -1},
        GOOD | {"cnt": True},
        GOOD | {"cnt": "one"},
        GOOD | {"cost": "much"},
        GOOD | {"cost": True},
        GOOD | {"balance": []},
        GOOD | {"error": "oops"},
        GOOD | {"error_code": None},
        GOOD | {"error_code": 0},
        GOOD | {"phones": []},
        GOOD | {"phones": "79991234567"},
        GOOD | {"phones": ["79991234567"]},
        GOOD | {"phones": [row("79990000000")]},
        GOOD | {"phones": [row(), row("79990000000")]},
        GOOD | {"phones": [row(error="6")]},
        GOOD | {"phones": [row(status="99")]},
        GOOD | {"phones": [row(status="3")]},
        GOOD | {"phones": [row(status="?")]},
        {"error": "invalid number"},
        {"error": "x", "error_code": "?"},
        {"error": "invalid number", "error_code": 7, "id": 999},
    ],
)
def test_anything_odd_is_unknown(answer: Any) -> None:
    """It may have been accepted all the same."""
    assert isinstance(sent(answer), Unknown)


@pytest.mark.parametrize("status", [204, 301, 400, 401, 403, 404, 429, 500, 502, 503])
def test_another_http_status_is_unknown_whatever_the_body(status: int) -> None:
    """The gateway reports errors in the body; a proxy may have spoken after it."""
    assert sent(GOOD, status=status) == Unknown(f"HTTP status {status}")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"error": "e", "error_code": 7, "id": 182}, RefusalScope.RECIPIENT),
        ({"error": "e", "error_code": "7"}, RefusalScope.RECIPIENT),
        ({"error": "e", "error_code": 6, "id": "182"}, RefusalScope.CONTENT),
        ({"error": "e", "error_code": 2}, FailureScope.ACCOUNT),
        ({"error": "e", "error_code": 3, "id": 182}, FailureScope.ACCOUNT),
        (GOOD | {"phones": [row(status="22", error="7")]}, RefusalScope.RECIPIENT),
        (GOOD | {"phones": [row(status="25", error="8")]}, RefusalScope.RECIPIENT),
        (GOOD | {"phones": [row(status="23")]}, RefusalScope.RECIPIENT),
        (GOOD | {"phones": [row(status="24", error="3")]}, FailureScope.ACCOUNT),
    ],
)
def test_an_error_is_read_wherever_it_stands(answer: dict[str, Any], expected: object) -> None:
    """Of the request as a whole, or beside the number in a success."""
    outcome = sent(answer)

    assert isinstance(outcome, Refused | NotSent)
    assert outcome.scope is expected


def test_a_refusal_with_an_id_brings_the_receipt() -> None:
    """The message is registered with the gateway."""
    outcome = sent({"error": "e", "error_code": 7, "id": 182})

    assert isinstance(outcome, Refused)
    assert outcome.receipt is not None
    assert outcome.receipt.provider_id == "182"


def test_a_group_served_in_part_is_unknown() -> None:
    """Neither a success nor a reason to send it all again."""
    rows = [row("79990000001"), row("79990000002", status="25", error="8")]

    assert sent(GOOD | {"phones": rows}, GROUP) == Unknown(
        "accepted for 1 of 2 numbers of the group"
    )
    assert isinstance(sent(GOOD | {"phones": rows[:1]}, GROUP), Accepted)


def test_the_code_of_a_call_stays_a_secret_unless_it_was_asked_for() -> None:
    """It is what the recipient proves himself with."""
    asked = Sent(provider="smsc", phone=SENT.phone, id="182", own_id="d", tells_code=True)
    plain, told = sent(GOOD | {"code": "0420"}), sent(GOOD | {"code": "0420"}, asked)

    assert isinstance(plain, Accepted)
    assert "code" not in plain.receipt.raw
    assert isinstance(told, Accepted)
    assert told.receipt.raw["code"] == "0420"
    assert "0420" not in repr(told) + str(told)


def test_the_count_of_a_call_is_not_a_number_of_parts() -> None:
    """The sources disagree on what it counts."""
    call = Sent(provider="smsc", phone=SENT.phone, id="182", own_id="d", counts_parts=False)
    outcome = sent(GOOD | {"cnt": 12}, call)

    assert isinstance(outcome, Accepted)
    assert outcome.receipt.parts is None
    assert outcome.receipt.raw["cnt"] == 12


@pytest.mark.parametrize(
    "outcome", [Unknown("no whole answer"), NotSent("no connection", FailureScope.PROVIDER)]
)
def test_what_the_network_says_passes_through(outcome: NotSent | Unknown) -> None:
    """There is no answer to read."""
    assert read_sent(outcome, SENT) is outcome
    assert read_sent_list(outcome, LINES) == (outcome, outcome)
    assert read_status(outcome) is outcome
    assert read_deleted(outcome) is outcome


FIELD_NAMES = [
    *("id", "cnt", "cost", "balance", "error", "error_code", "phones", "phone", "status", "err"),
    *("last_timestamp", "imsi", "code", "currency", "result"),
]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(FIELD_NAMES),
            inner | st.sampled_from([182, "182", 1, "1", 7, 9, "+79991234567", -3]),
            max_size=6,
        )
    ),
    max_leaves=12,
)


@given(json_values | st.binary())
def test_no_answer_breaks_a_reader_or_is_accepted_without_our_id(answer: Any) -> None:
    """Random JSON and random bytes: never an exception, never a success without proof."""
    got = reply(answer)
    outcome = read_sent(got, SENT)
    if isinstance(outcome, Accepted):
        assert str(answer["id"]) == "182"
        assert int(answer["cnt"]) > 0
        assert "error" not in answer
    assert len(read_sent_list(got, LINES)) == 2
    assert isinstance(read_status(got), Status | Refused | NotSent | Unknown)
    read_statuses(got, [("182", "+79991234567")])
    read_estimate(got, SENT)
    read_account(got, "smsc")
    read_operator(got)
    read_deleted(got)


# --- lists ------------------------------------------------------------------------------------


def test_every_line_of_a_list_has_its_own_outcome() -> None:
    """One bad number says nothing about the others, and is not hidden by them."""
    rows = [row("79990000001"), row("79990000002", status="22", error="7")]
    first, second = read_sent_list(reply(GOOD | {"phones": rows}), LINES)

    assert isinstance(first, Accepted)
    assert first.receipt.cost == Decimal("1.9")
    assert isinstance(second, Refused)


@pytest.mark.parametrize("extra", [{}, {"phones": [row("79990000001")]}])
def test_a_line_that_the_answer_does_not_name_is_unknown(extra: dict[str, Any]) -> None:
    """A success as a whole is no proof for each."""
    outcomes = read_sent_list(reply(GOOD | extra), LINES)

    assert isinstance(outcomes[1], Unknown)
    assert isinstance(outcomes[0], Accepted if extra else Unknown)


def test_an_error_of_a_whole_list_does_not_blame_every_number() -> None:
    """Which one was wrong, and what became of the others, is not told."""
    outcomes = read_sent_list(reply({"error": "e", "error_code": 7, "id": 182}), LINES)

    assert [type(outcome) for outcome in outcomes] == [Unknown, Unknown]


def test_an_error_of_the_account_is_one_for_every_line() -> None:
    """Nothing went out."""
    outcomes = read_sent_list(reply({"error": "e", "error_code": 2}), LINES)

    assert [type(outcome) for outcome in outcomes] == [NotSent, NotSent]


# --- questions --------------------------------------------------------------------------------


def test_a_status_keeps_the_raw_codes_and_the_moment() -> None:
    """The unix time counts, for the zone of the date is not documented."""
    answer = {"status": 20, "err": "6", "last_date": "x", "last_timestamp": 1577550022}
    status = read_status(reply(answer))

    assert isinstance(status, Status)
    assert (status.state, status.final) == (State.UNDELIVERED, True)
    assert (status.code, status.error) == ("20", "6")
    assert status.at == datetime(2019, 12, 28, 16, 20, 22, tzinfo=UTC)
    assert status.detail == "cannot be delivered: the subscriber is offline"


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ({"status": -3}, State.NOT_FOUND),
        ({"status": "1"}, State.DELIVERED),
        ({"status": 1, "err": 200}, State.SIMULATED),
        ({"status": 77}, State.UNKNOWN),
        ({"status": 1, "imsi": "250"}, State.SENT),
        ({"status": 1, "type": 5}, State.SENT),
        ({"status": 1, "imsi": "250", "err": 0}, State.DELIVERED),
        ({"status": 1, "imsi": "", "err": 1}, State.UNDELIVERED),
    ],
)
def test_a_status_has_its_state(answer: dict[str, Any], state: State) -> None:
    """HLR answers are known by their fields."""
    status = read_status(reply(answer))

    assert isinstance(status, Status)
    assert status.state is state


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"status": None},
        {"status": 1, "err": "x"},
        {"status": 1, "last_timestamp": "soon"},
        {"status": 1, "last_timestamp": 10**12 - 1},
        {"status": 1, "error": "x"},
        [{"status": 1}],
    ],
)
def test_a_status_that_cannot_be_read_is_no_status(answer: Any) -> None:
    """Least of all *not found*."""
    assert isinstance(read_status(reply(answer)), Unknown)


def test_several_statuses_come_in_the_order_of_the_questions() -> None:
    """They are matched by id and number, not by place."""
    rows = [{"status": -3, "id": 2, "phone": "72"}, {"status": 1, "id": "1", "phone": "71"}]
    statuses = read_statuses(reply(rows), [("1", "+71"), ("2", "+72")])

    assert isinstance(statuses, tuple)
    assert [status.code for status in statuses] == ["1", "-3"]


@pytest.mark.parametrize(
    "answer",
    [
        [{"status": 1, "id": 1, "phone": "71"}],
        [{"status": 1, "id": 1, "phone": "71"}, {"status": 1, "id": 2, "phone": "79"}],
        [{"status": 1, "id": 1, "phone": "71"}, {"error": "e", "id": 2, "phone": "72"}],
    ],
)
def test_a_message_that_an_answer_leaves_out_spoils_no_other(answer: Any) -> None:
    """Nothing is guessed about it: it is neither found nor absent."""
    statuses = read_statuses(reply(answer), [("1", "+71"), ("2", "+72")])

    assert isinstance(statuses, tuple)
    assert [status.state for status in statuses] == [State.DELIVERED, State.UNKNOWN]


@pytest.mark.parametrize("answer", [{"status": 1}, [1, 2], [], "1"])
def test_an_answer_that_tells_of_none_of_the_messages_is_no_answer(answer: Any) -> None:
    assert isinstance(read_statuses(reply(answer), [("1", "+71"), ("2", "+72")]), Unknown)


def test_an_error_of_a_question_is_told() -> None:
    """The core decides what follows."""
    limited = reply({"error": "too many", "error_code": 9})

    assert read_status(limited) == read_statuses(limited, []) == read_account(limited, "smsc")
    assert read_status(limited) == NotSent("too many queries", FailureScope.THROTTLED, code="9")


def test_a_price_is_an_amount_and_sends_nothing() -> None:
    """An answer with an id would mean that it was sent."""
    assert read_estimate(reply({"cost": "0.30", "cnt": 1}), SENT) == Estimate(
        provider="smsc", cost=Decimal("0.30"), parts=1
    )
    assert isinstance(read_estimate(reply(GOOD), SENT), Unknown)
    assert isinstance(read_estimate(reply({"cnt": 1}), SENT), Unknown)


def test_a_price_for_a_number_that_cannot_be_reached_is_a_refusal() -> None:
    """A price of nothing would be misleading."""
    answer = {"cost": "0.00", "cnt": 1, "phones": [row(status="25", error="8")]}

    assert isinstance(read_estimate(reply(answer), SENT), Refused)


@pytest.mark.parametrize(
    ("answer", "account"),
    [
        ({"balance": "250.80"}, Account(provider="smsc", balance=Decimal("250.80"))),
        (
            {"balance": -1.5, "credit": "100", "currency": "RUR"},
            Account(provider="smsc", balance=Decimal("-1.5"), credit=Decimal(100), currency="RUR"),
        ),
    ],
)
def test_the_account_tells_what_is_left(answer: dict[str, Any], account: Account) -> None:
    """Credit and currency only where they are told."""
    assert read_account(reply(answer), "smsc") == account


def test_an_operator_is_told_in_the_gateways_words() -> None:
    """Error 3 means another thing here than in a send."""
    assert read_operator(reply({"country": "Россия", "mcc": 250})) == OperatorInfo(
        country="Россия", mcc="250"
    )
    assert isinstance(read_operator(reply({"error": "e", "error_code": 3})), Refused)
    assert isinstance(read_operator(reply({"x": 1})), Unknown)


@pytest.mark.parametrize("answer", [b"OK", b'"OK"', b"OK\n", b'{"result":"OK"}'])
def test_a_deletion_is_believed_on_the_word_ok(answer: bytes) -> None:
    """The shape of the answer is not documented; the word is what clients expect."""
    assert read_deleted(reply(answer)) is None


@pytest.mark.parametrize("answer", [b"", b"1", b"{}", b'{"result":"no"}', b'{"status":-3}'])
def test_any_other_answer_to_a_deletion_is_unknown(answer: bytes) -> None:
    """It may still go out."""
    assert isinstance(read_deleted(reply(answer)), Unknown)


def test_a_message_that_could_not_be_deleted_is_a_refusal() -> None:
    """Error 5 has this meaning here."""
    outcome = read_deleted(reply({"error": "e", "error_code": 5}))

    assert isinstance(outcome, Refused)
    assert outcome.reason == "the message could not be deleted"


@pytest.mark.parametrize("number", ["79990009999", "+79990009999", 79990009999, "900"])
def test_a_number_to_call_is_told_as_the_gateway_writes_it(number: Any) -> None:
    """Somebody is going to dial it."""
    assert read_number_to_call(reply({"phone": number})) == str(number)


@pytest.mark.parametrize("answer", [{}, {"phone": ""}, {"phone": "OK"}, {"phone": None}, [], b""])
def test_an_answer_without_a_number_to_call_is_unknown(answer: Any) -> None:
    """Nobody can be told to call nothing."""
    assert isinstance(read_number_to_call(reply(answer)), Unknown)
