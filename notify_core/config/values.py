"""Scalars: what the text of a value means for an attribute of a given type.

A ``parse_…`` function raises ``ValueError`` that says what the text is not, without quoting it:
behind a reference the text is a secret.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import time, timedelta
from decimal import Decimal
from types import MappingProxyType

import attrs

from notify_core.secret import Secret

WHOLE = re.compile(r"[+-]?(0|[1-9][0-9]{0,17})")
NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?")
DURATION = re.compile(
    r"(?=.)(?:(?P<days>[0-9]{1,7})d)?(?:(?P<hours>[0-9]{1,7})h)?(?:(?P<minutes>[0-9]{1,7})m)?"
    r"(?:(?P<seconds>[0-9]{1,7})s)?(?:(?P<milliseconds>[0-9]{1,7})ms)?"
)
TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_MILLISECONDS = MappingProxyType(
    {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
)
TRUE = ("true", "yes", "on")
FALSE = ("false", "no", "off")


@attrs.frozen
class Scalar:
    """A type that a single value can have: its name for a message, and how a text becomes one."""

    words: str
    parse: Callable[[str], object]


def parse_int(text: str) -> int:
    """Read a whole number in decimal digits."""
    # No octal and no 1_000: 0123 is a number to nobody who writes a configuration.
    if not WHOLE.fullmatch(text):
        raise ValueError("is not a whole number")
    return int(text)


def parse_float(text: str) -> float:
    """Read a finite number."""
    number = float(_decimal_digits(text))
    if not math.isfinite(number):
        raise ValueError("is not a number")
    return number


def parse_decimal(text: str) -> Decimal:
    """Read a number exactly as it is written."""
    return Decimal(_decimal_digits(text))


def parse_bool(text: str) -> bool:
    """Read one of YAML's words for true and false."""
    if text.lower() not in TRUE + FALSE:
        raise ValueError("is neither true nor false")
    return text.lower() in TRUE


def parse_duration(text: str) -> timedelta:
    """Read a duration: whole numbers with units, the longest first, as in ``1h30m``."""
    if WHOLE.fullmatch(text):
        raise ValueError("has no unit; write 20s, 5m, 1h30m, 500ms or 2d")
    match = DURATION.fullmatch(text)
    if match is None:
        raise ValueError("is not a duration; write it like 20s, 5m, 1h30m, 500ms or 2d")
    return timedelta(**{unit: int(count) for unit, count in match.groupdict("0").items()})


def duration_text(span: timedelta) -> str:
    """Return a duration in whole units, the longest first: ``1h30m``."""
    left = span // timedelta(milliseconds=1)
    parts = ""
    for unit, size in _MILLISECONDS.items():
        count, left = divmod(left, size)
        parts += f"{count}{unit}" if count else ""
    return parts or "0s"


def parse_time(text: str) -> time:
    """Read a time of day: hours and minutes."""
    # No 24:00: as an end it would be 00:00 of the next day, and as a beginning nobody knows.
    if not TIME.fullmatch(text):
        raise ValueError("is not a time of day; write two digits each, from 00:00 to 23:59")
    return time.fromisoformat(text)


def _parse_secret(text: str) -> Secret:
    if not text:
        raise ValueError("is empty")
    return Secret(text)


def _decimal_digits(text: str) -> str:
    if not NUMBER.fullmatch(text):
        raise ValueError("is not a number")
    return text


SCALARS: Mapping[type, Scalar] = MappingProxyType(
    {
        str: Scalar("a text", str),
        int: Scalar("a whole number", parse_int),
        float: Scalar("a number", parse_float),
        Decimal: Scalar("a number", parse_decimal),
        bool: Scalar("true or false", parse_bool),
        timedelta: Scalar("a duration like 20s", parse_duration),
        time: Scalar("a time of day like 09:00", parse_time),
        Secret: Scalar("a secret", _parse_secret),
    }
)
"""The types of single values that an attribute can have, beside enums."""
