"""The small languages inside the parameters."""

import string
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_smsc_emulator import grammar
from notify_smsc_emulator.model import Channel, ErrorCode, Refused

NOON_IN_MOSCOW = datetime(2025, 3, 10, 9, 0, tzinfo=UTC).timestamp()
HOUR = 3600
FIELD = st.text(st.characters(exclude_characters=":,\r\n[]", exclude_categories=["Cs"]), max_size=8)
WORD = st.text(string.ascii_letters, min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("value", "after_s"),
    [
        pytest.param("", 0, id="nothing: now"),
        pytest.param("0", 0, id="zero: now"),
        pytest.param("1003251330", 1.5 * HOUR, id="DDMMYYhhmm"),
        pytest.param("10.03.25 13:30", 1.5 * HOUR, id="DD.MM.YY hh:mm"),
        pytest.param("0903251330", 0, id="yesterday: now"),
        pytest.param(f"0{int(NOON_IN_MOSCOW) + 7}", 7, id="unix time"),
        pytest.param("01", 0, id="unix time of long ago: now"),
        pytest.param("+90", 1.5 * HOUR, id="minutes from now"),
        pytest.param("10-18", 0, id="inside the window: now"),
        pytest.param("15-18", 3 * HOUR, id="before the window: when it opens"),
        pytest.param("8-12", 20 * HOUR, id="after the window: tomorrow"),
        pytest.param("0-24", 0, id="any hour: now"),
    ],
)
def test_each_form_of_time_is_understood(value: str, after_s: float) -> None:
    assert after_s == grammar.read_time(value, NOON_IN_MOSCOW, 0) - NOON_IN_MOSCOW


def test_the_zone_is_counted_from_moscow() -> None:
    assert grammar.read_time("1003251700", NOON_IN_MOSCOW, 3) - NOON_IN_MOSCOW == 2 * HOUR


@pytest.mark.parametrize(
    "value", ["tomorrow", "3202251330", "10.03.25", "18-8", "8-25", " 90", "-90", "12", "+"]
)
def test_any_other_time_is_error_5(value: str) -> None:
    with pytest.raises(Refused) as refused:
        grammar.read_time(value, NOON_IN_MOSCOW, 0)
    assert ErrorCode.DATE is refused.value.code


@given(st.text(max_size=20))
def test_a_time_is_never_in_the_past_and_never_breaks_the_reader(value: str) -> None:
    try:
        at = grammar.read_time(value, NOON_IN_MOSCOW, 0)
    except Refused:
        return
    assert at >= NOON_IN_MOSCOW


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", None),
        ("0", None),
        ("1", 1),
        ("2147483647", 2147483647),
        ("order.7_x-Y", "order.7_x-Y"),
        ("a" * 40, "a" * 40),
    ],
)
def test_an_id_is_an_integer_or_a_short_string(value: str, expected: object) -> None:
    assert expected == grammar.read_id(value)


@pytest.mark.parametrize("value", ["2147483648", "a" * 41, "a b", "заказ", "a:b", "1\n"])
def test_any_other_id_is_error_1(value: str) -> None:
    with pytest.raises(Refused) as refused:
        grammar.read_id(value)
    assert ErrorCode.PARAMETERS is refused.value.code


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("", 0), ("1", HOUR), ("24", 24 * HOUR), ("00:01", 60), ("24:00", 24 * HOUR)],
)
def test_a_life_time_is_hours_or_hours_and_minutes(value: str, seconds: int) -> None:
    assert seconds == grammar.read_life(value)


@pytest.mark.parametrize("value", ["0", "25", "00:00", "24:01", "1:30", "12:60", "soon"])
def test_any_other_life_time_is_error_1(value: str) -> None:
    with pytest.raises(Refused) as refused:
        grammar.read_life(value)
    assert ErrorCode.PARAMETERS is refused.value.code


@pytest.mark.parametrize(
    ("phone", "expected"),
    [
        ("+79990000001", "79990000001"),
        ("79990000001", "79990000001"),
        ("89990000001", "79990000001"),
        ("+89990000001", "89990000001"),
        ("8 (999) 000-00-01", "79990000001"),
        ("Bob@shop.example", "Bob@shop.example"),
        ("@nick", "@nick"),
    ],
)
def test_a_number_is_stored_without_plus_and_corrected_only_without_one(
    phone: str, expected: str
) -> None:
    assert expected == grammar.clean_phone(phone)


def test_recipients_are_parted_by_comma_and_semicolon() -> None:
    assert grammar.split_phones("1, 2;3;,") == ("1", "2", "3")


def test_a_list_has_a_text_for_each_line() -> None:
    expected = (("1,2", "a: b; c"), ("3", "d\\ne"))
    assert expected == grammar.read_list("1,2:a: b; c\n3;d\\ne\n")


def test_a_line_without_separator_is_error_1() -> None:
    with pytest.raises(Refused) as refused:
        grammar.read_list("79990000001:a\nand more")
    assert ErrorCode.PARAMETERS is refused.value.code


def test_with_nl_a_line_without_recipient_continues_the_text() -> None:
    expected = (("79990000001", "Dear\nBob: hi"), ("79990000002", "b"))
    assert expected == grammar.read_list("79990000001:Dear\nBob: hi\n79990000002:b", True)


@given(st.lists(st.tuples(st.from_regex(r"7\d{10}", fullmatch=True), WORD), min_size=1))
def test_a_written_list_is_read_back(pairs: list[tuple[str, str]]) -> None:
    written = "\n".join(f"{phone}:{text}" for phone, text in pairs)
    assert tuple(pairs) == grammar.read_list(written)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello", ("Hello", "")),
        ("Hello\n~~~\nfor us", ("Hello", "for us")),
        ("~~~\nfor us", ("", "for us")),
        ("a ~~~ b", ("a ~~~ b", "")),
    ],
)
def test_a_comment_follows_a_line_of_tildes(text: str, expected: tuple[str, str]) -> None:
    assert expected == grammar.split_comment(text)


def test_a_prefix_in_the_text_switches_the_channel() -> None:
    assert grammar.split_prefix("__CALL__ Hello") == (Channel.CALL, "Hello")


def test_a_letter_in_the_form_of_the_library_is_read() -> None:
    params = grammar.read_letter("bob:pass:7:0:1,1,Shop:79990000001:Hi: you, there\r\n")
    expected = {
        "login": "bob",
        "psw": "pass",
        "id": "7",
        "time": "0",
        "tz": "",
        "translit": "1",
        "sender": "Shop",
        "test": "",
        "phones": "79990000001",
        "mes": "Hi: you, there",
        "flash": "1",
    }
    assert expected == params


def test_a_letter_with_zone_test_and_list_is_read() -> None:
    params = grammar.read_letter("bob:pass::+5,2:0,0,,1::1:a\n2:b")
    assert tuple(params[name] for name in ("time", "tz", "test", "list")) == (
        "+5",
        "2",
        "1",
        "1:a\n2:b",
    )


def test_a_letter_with_an_empty_login_bears_an_api_key() -> None:
    assert grammar.read_letter(":key:::,0,:1:a")["apikey"] == "key"


def test_a_tagged_letter_counts_between_its_tags() -> None:
    body = "Dear gateway\n[text]\nbob:pass:::,,:1:a\n[/text]\nsent from my phone"
    assert grammar.read_letter(body)["mes"] == "a"


@pytest.mark.parametrize("body", ["", "Hello", "bob:pass:1:0:0,0,:79990000001", "a:b:c:1,2,3:::"])
def test_a_letter_without_the_grammar_is_error_1(body: str) -> None:
    with pytest.raises(Refused) as refused:
        grammar.read_letter(body)
    assert ErrorCode.PARAMETERS is refused.value.code


@given(FIELD.map(str.strip), FIELD.map(str.strip), FIELD, st.text(max_size=30))
def test_the_text_of_a_letter_may_hold_anything(
    login: str, sender: str, password: str, text: str
) -> None:
    body = f"{login}:{password}:::,,{sender}:79990000001:{text}!"
    params = grammar.read_letter(body)
    tagged = "[text]" in body.lower() and "[/text]" in body.lower()
    assert tagged or (sender, text + "!") == (params["sender"], params["mes"])


@given(st.text())
def test_a_letter_never_breaks_the_reader(body: str) -> None:
    try:
        params = grammar.read_letter(body)
    except Refused:
        return
    assert "mes" in params or "list" in params
