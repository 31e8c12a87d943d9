"""Reading the comma-separated answers: which forms are answers, and which are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_smsc.plain import (
    CostAnswer,
    ErrorAnswer,
    SendAnswer,
    parse_balance,
    parse_cost,
    parse_send,
    parse_status,
    parse_statuses,
)

SUBSCRIBER = "250011234567890,79168960000,7,25001,Россия,МТС,,"
NO_ANSWERS = ["", "\n", "<html>Oops, sorry</html>", "ERROR = 1 (parameters error)", "1,2,3,4,5,6"]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("1001,1,2.40,97.60", SendAnswer("1001", "1", "2.40", "97.60")),
        ("order-7,0,0,-3.20\r\n", SendAnswer("order-7", "0", "0", "-3.20")),
        ("0,-1", ErrorAnswer("0", "-1")),
        ("502,-10\n", ErrorAnswer("502", "-10")),
        ("1001,1", None),
        ("1001,1,2.40", None),
        ("1001,1,2,40,97,60", None),
        ("1001,-1,2.40,97.60", None),
        *((text, None) for text in NO_ANSWERS),
    ],
)
def test_a_send_is_answered_with_four_fields(text: str, answer: object) -> None:
    assert parse_send(text) == answer


def test_an_error_has_a_number() -> None:
    assert ErrorAnswer("0", "-9").number == 9


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("2.40,1", CostAnswer("2.40", "1")),
        ("0,1", CostAnswer("0", "1")),
        ("0,-6", ErrorAnswer("0", "-6")),
        ("2.40", None),
        *((text, None) for text in NO_ANSWERS),
    ],
)
def test_a_price_is_answered_with_two_fields(text: str, answer: object) -> None:
    assert parse_cost(text) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("97.60", "97.60"),
        ("-12.50\n", "-12.50"),
        ("0", "0"),
        ("0,-2", ErrorAnswer("0", "-2")),
        ("97,60", None),
        ("97.60 RUR", None),
        ("1e3", None),
        *((text, None) for text in NO_ANSWERS),
    ],
)
def test_a_balance_is_a_single_number(text: str, answer: object) -> None:
    assert parse_balance(text) == answer


@pytest.mark.parametrize("all_", [0, 1, 2])
@pytest.mark.parametrize(
    ("text", "fields"),
    [("1,1893456000", 2), ("-3,0,0", 3), (f"1,1893456000,0,{SUBSCRIBER}", 11)],
)
def test_short_statuses_are_read_however_much_was_asked(text: str, fields: int, all_: int) -> None:
    row = parse_status(text, all_)

    assert row == tuple(text.split(","))
    assert len(row) == fields


@pytest.mark.parametrize("all_", [0, 1, 2])
@pytest.mark.parametrize("text", NO_ANSWERS)
def test_what_is_no_status_is_not_read(text: str, all_: int) -> None:
    assert parse_status(text, all_) is None


def test_a_status_query_can_be_answered_with_an_error() -> None:
    assert parse_status("0,-9\n", 1) == ErrorAnswer("0", "-9")


@pytest.mark.parametrize(
    ("all_", "text"),
    [
        (1, f"1,1893456000,0,{SUBSCRIBER},1893455990,79990000001,0.20,HLR,Доступен,"),
        (2, f"1,1893456000,0,{SUBSCRIBER},1893455990,79990000001,,,,0.20,HLR,Доступен,"),
        (1, "20,1893456000,1,,,,,,,,,1893455990,79990000001,0.20,HLR,Недоступен,"),
    ],
)
def test_an_hlr_answer_is_split_to_its_end(all_: int, text: str) -> None:
    assert parse_status(text, all_) == tuple(text.split(","))


HEAD = "1,1893456000,0,1893455990,79990000001,2.40,MyShop,Доставлено"


@given(st.text().filter(lambda text: not text.endswith("\n")))
def test_any_text_stays_in_one_piece(text: str) -> None:
    row = parse_status(f"{HEAD},{text}", 1)

    assert row == (*HEAD.split(","), text)


def test_a_text_that_imitates_an_hlr_answer_stays_a_text() -> None:
    text = "a,b,c,1893455990,79990000001,0.20,HLR,x,y"

    row = parse_status(f"{HEAD},{text}", 1)

    assert row is not None
    assert row[8:] == (text,)


def test_fewer_rows_than_ids_are_an_answer() -> None:
    assert parse_statuses("1,1893456000,0,7,79990000001", 0, ["7", "8"]) == (
        ("1", "1893456000", "0", "7", "79990000001"),
    )


def test_an_id_may_be_asked_for_with_two_phones() -> None:
    text = "1,1893456000,0,7,79990000001\n20,1893456000,6,7,79990000002"

    rows = parse_statuses(text, 0, ["7", "7"])

    assert [row[-1] for row in rows or ()] == ["79990000001", "79990000002"]


def test_rows_of_texts_with_line_breaks_are_told_apart() -> None:
    text = f"{HEAD},one\n\ntwo, three,7\n{HEAD},,8"

    rows = parse_statuses(text, 1, ["7", "8"])

    assert [row[8:] for row in rows or ()] == [("one\n\ntwo, three", "7"), ("", "8")]


@pytest.mark.parametrize(
    "text",
    [
        "1,1893456000,0,9,79990000001",
        "1,1893456000,0,7,79990000001\n1,1893456000,0,7,79990000001",
        "1,1893456000,0",
        "1,1893456000,0,7,79990000001\n\n",
        *NO_ANSWERS,
    ],
)
def test_rows_that_were_not_asked_for_are_not_read(text: str) -> None:
    assert parse_statuses(text, 0, ["7", "8"]) is None


def test_a_text_that_imitates_a_row_makes_the_answer_unreadable() -> None:
    text = f"{HEAD},hello,8\n1,1893456000,0,7"

    assert parse_statuses(text, 1, ["7"]) is None
