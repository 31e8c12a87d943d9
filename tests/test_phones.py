"""Numbers in whatever form become E.164, or are refused with a masked number."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from notify_core.errors import RecipientError
from notify_core.phones import Phone, PhoneNumbers


@pytest.mark.parametrize(
    ("region", "given", "number"),
    [
        (None, "+7 999 123-45-67", "+79991234567"),
        (None, "+7 (999) 123.45.67", "+79991234567"),
        (None, "+44 (0)20 7946 0000", "+442079460000"),
        ("RU", "8 (999) 123-45-67", "+79991234567"),
        ("RU", "89991234567", "+79991234567"),
        ("RU", "79991234567", "+79991234567"),
        ("RU", "9991234567", "+79991234567"),
        ("RU", "8~10 375 29 123-45-67", "+375291234567"),
        ("KZ", "8 701 123 45 67", "+77011234567"),
        ("DE", "030 123456", "+4930123456"),
        ("DE", "0049 30 123456", "+4930123456"),
        ("GB", "020 7946 0000", "+442079460000"),
    ],
)
def test_a_number_in_another_form_is_rewritten_and_says_so(
    region: str | None, given: str, number: str
) -> None:
    assert PhoneNumbers(region).normalise(given) == Phone(number, rewritten=True)


@pytest.mark.parametrize("region", [None, "RU", "US"])
@pytest.mark.parametrize("given", ["+79991234567", "+77011234567", "+442079460000"])
def test_a_number_in_international_form_stays_as_it_is(region: str | None, given: str) -> None:
    assert PhoneNumbers(region).normalise(given) == Phone(given, rewritten=False)


@pytest.mark.parametrize(
    ("region", "given", "sentence"),
    [
        (
            None,
            "89991234567",
            "'899…67' has no country code; write it with + and the country code, "
            "or set default_region",
        ),
        (
            None,
            "79991234567",
            "'799…67' has no country code; write it with + and the country code, "
            "or set default_region",
        ),
        (None, "+7999123", "'+79…23' is too short or too long for country code +7"),
        (None, "+799912345678", "'+79…78' is too short or too long for country code +7"),
        ("RU", "112", "'…' is too short or too long for country code +7"),
        ("RU", "1234567", "'123…67' is too short or too long for country code +7"),
        ("US", "253-0000", "'253…00' is too short or too long for country code +1"),
        (None, "+999123456789", "'+99…89' cannot be a phone number"),
        (None, "+", "'…' cannot be a phone number"),
        ("RU", "...", "'…' cannot be a phone number"),
        ("RU", "1" * 300, "'111…11' cannot be a phone number"),
    ],
)
def test_what_cannot_be_a_number_is_refused_without_showing_it(
    region: str | None, given: str, sentence: str
) -> None:
    with pytest.raises(RecipientError) as refusal:
        PhoneNumbers(region).normalise(given)

    assert str(refusal.value) == sentence


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("+79991234567", "RU"),
        ("+78121234567", "RU"),
        ("+77011234567", "KZ"),
        ("+77172123456", "KZ"),
        ("+375291234567", "BY"),
        ("+12025550123", "US"),
        ("+14165550123", "CA"),
        ("+442079460000", "GB"),
        ("+80012345678", None),
        ("+15551234567", None),
    ],
)
def test_a_number_belongs_to_a_country(number: str, country: str | None) -> None:
    assert PhoneNumbers().country(number) == country


@pytest.mark.parametrize(
    ("number", "zones"),
    [
        # Where the line ends.
        ("+78121234567", ("Europe/Moscow",)),
        ("+74012123456", ("Europe/Kaliningrad",)),
        ("+40213123456", ("Europe/Bucharest",)),
        ("+12025550123", ("America/New_York",)),
        # Anywhere in the country, which has one clock.
        ("+375291234567", ("Europe/Moscow",)),
        # In no country.
        ("+80012345678", ()),
        ("+870773111632", ()),
    ],
)
def test_a_number_is_in_the_zones_that_its_digits_leave_open(
    number: str, zones: tuple[str, ...]
) -> None:
    assert PhoneNumbers().zones(number) == zones


@pytest.mark.parametrize(
    "number",
    [
        pytest.param("+79991234567", id="mobile"),
        pytest.param("+70001234567", id="of a range that is not known"),
    ],
)
def test_a_russian_number_may_be_anywhere_from_kaliningrad_to_kamchatka(number: str) -> None:
    zones = PhoneNumbers().zones(number)

    assert {"Europe/Kaliningrad", "Europe/Moscow", "Asia/Omsk", "Asia/Kamchatka"} < set(zones)
    assert "Europe/Bucharest" not in zones


def test_every_zone_of_a_number_is_known_also_where_the_system_has_none() -> None:
    """Systems leave out zones, some all and some those with older names; tzdata has them."""
    program = """
from zoneinfo import TZPATH, ZoneInfo
from phonenumbers.tzdata import TIMEZONE_DATA
zones = {ZoneInfo(name) for names in TIMEZONE_DATA.values() for name in names}
print(TZPATH, len(zones) > 200)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONTZPATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "() True\n"
