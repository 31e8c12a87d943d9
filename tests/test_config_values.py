"""What the text of a single value means."""

from __future__ import annotations

from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_core.config.references import BadReference, References
from notify_core.config.values import (
    duration_text,
    parse_bool,
    parse_decimal,
    parse_duration,
    parse_float,
    parse_int,
    parse_time,
)


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(0), "0s"),
        (timedelta(milliseconds=500), "500ms"),
        (timedelta(seconds=90), "1m30s"),
        (timedelta(days=1, hours=12), "1d12h"),
    ],
)
def test_a_duration_is_written_in_whole_units_the_longest_first(
    duration: timedelta, text: str
) -> None:
    assert duration_text(duration) == text


@given(st.timedeltas(timedelta(0), timedelta(days=999)).map(lambda each: each // 1000 * 1000))
def test_a_duration_comes_back_as_it_was_written(duration: timedelta) -> None:
    assert parse_duration(duration_text(duration)) == duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("20s", 20), ("5m", 300), ("1h30m", 5400), ("500ms", 0.5), ("2d", 172800), ("90m", 5400)],
)
def test_a_duration_is_numbers_with_units(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    ["", "s", "5", "-5s", "1.5h", "30m1h", "5 m", "5M", "5m\n", "1h30", "٥s", "9" * 30 + "d"],
)
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r"20s, 5m, 1h30m, 500ms or 2d"):
        parse_duration(text)


@given(st.times().map(lambda each: each.replace(second=0, microsecond=0)))
def test_a_time_of_day_comes_back_as_it_was_written(at: time) -> None:
    assert parse_time(f"{at:%H:%M}") == at


@pytest.mark.parametrize(
    "text", ["", "9", "9:00", "24:00", "23:60", "0900", "09:00:00", "09.00", "09:00\n", "٠٩:٠٠"]
)
def test_anything_else_is_no_time_of_day(text: str) -> None:
    with pytest.raises(ValueError, match="from 00:00 to 23:59"):
        parse_time(text)


@pytest.mark.parametrize("text", ["0", "7", "-7", "+7", "999999999999999999"])
def test_a_whole_number_is_decimal_digits(text: str) -> None:
    assert parse_int(text) == int(text)


@pytest.mark.parametrize("text", ["", "0123", "0x10", "1_000", "1.0", "٥", "1e3", "9" * 5000])
def test_anything_else_is_no_whole_number(text: str) -> None:
    with pytest.raises(ValueError, match="is not a whole number"):
        parse_int(text)


@pytest.mark.parametrize("text", ["1", "-0.25", "2.5e3"])
def test_a_number_may_have_a_fraction(text: str) -> None:
    assert parse_float(text) == float(text)
    assert parse_decimal(text) == Decimal(text)


@pytest.mark.parametrize("text", ["", ".inf", "nan", "1,5", "1_0", "1e999"])
def test_a_number_is_finite_and_plain(text: str) -> None:
    with pytest.raises(ValueError, match="is not a number"):
        parse_float(text)


@pytest.mark.parametrize(("text", "value"), [("true", True), ("Yes", True), ("off", False)])
def test_a_boolean_is_one_of_the_words_of_yaml(text: str, value: bool) -> None:
    assert parse_bool(text) is value


@pytest.mark.parametrize("text", ["", "1", "y", "none"])
def test_anything_else_is_no_boolean(text: str) -> None:
    with pytest.raises(ValueError, match="is neither true nor false"):
        parse_bool(text)


# --- references -----------------------------------------------------------------------------


@given(st.text(), st.text())
def test_what_a_variable_holds_is_not_read_again(name_free: str, value: str) -> None:
    text = name_free.replace("$", "")

    assert References({"A": value}).resolve(f"{text}${{env:A}}") == text + value


@given(st.text())
def test_any_text_can_be_written_with_doubled_signs(text: str) -> None:
    assert References({}).resolve(text.replace("${", "$${")) == text


@pytest.mark.parametrize(
    "text", ["${", "${A}", "${env:}", "${ENV:A}", "${env:A", "x${env:${env:A}}"]
)
def test_a_malformed_reference_is_refused(text: str) -> None:
    with pytest.raises(BadReference, match="begins no reference"):
        References({"A": "a"}).resolve(text)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"\xff\xfe")

    with pytest.raises(BadReference) as caught:
        References({}).resolve(f"${{file:{secret}}}")

    assert str(caught.value) == f"the file {secret} is not UTF-8 text"


@pytest.mark.parametrize("path", ["/", "/nonexistent", "/\x00"])
def test_a_file_that_cannot_be_read_is_refused(path: str) -> None:
    with pytest.raises(BadReference, match="cannot be read: "):
        References({}).resolve(f"${{file:{path}}}")


def test_the_environment_is_not_shown() -> None:
    assert repr(References({"A": "hunter2"})) == "References()"
