"""What a value of a message must be, each with the sentence that says what is wrong.

Values are never quoted: they are texts and addresses.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from types import UnionType

from notify_core.errors import MessageError

CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""What a name, subject or header never holds: controls, line ends and halves of characters."""

_HALF_PAIR = re.compile("[\ud800-\udfff]")


def require_text(name: str, value: object) -> None:
    """Raise ``MessageError`` unless ``value`` is a text that is not blank."""
    require_str(name, value)
    if not str(value).strip():
        raise MessageError(f"{name} is empty")


def require_str(name: str, value: object) -> None:
    """Raise ``MessageError`` unless ``value`` is a str that can be sent; it may be blank."""
    if not isinstance(value, str):
        raise MessageError(f"{name} is {type(value).__name__}, not str")
    if "\x00" in value:
        raise MessageError(f"{name} holds a NUL character")
    if _HALF_PAIR.search(value):
        raise MessageError(f"{name} holds half of a surrogate pair, which is no character")


def require_line(name: str, value: object) -> None:
    """Raise ``MessageError`` unless ``value`` is a str without line ends or control characters."""
    if not isinstance(value, str):
        raise MessageError(f"{name} is {type(value).__name__}, not str")
    if CONTROL_CHARACTERS.search(value):
        raise MessageError(f"{name} holds control characters")


def require_optional_line(name: str, value: object) -> None:
    """Raise ``MessageError`` unless ``value`` is None or a str on one line."""
    if value is not None:
        require_line(name, value)


def require_url(name: str, value: object, fix: str = "") -> None:
    """Raise ``MessageError`` unless ``value`` is an http(s) address."""
    require_line(name, value)
    if not re.fullmatch(r"https?://[^\s/]\S*", str(value)):
        raise MessageError(f"{name} is not an http(s) address" + (f"; {fix}" if fix else ""))


def require_aware(name: str, value: object) -> None:
    """Raise ``MessageError`` unless ``value`` is None or a datetime with a zone."""
    if value is None:
        return
    if not isinstance(value, datetime):
        raise MessageError(f"{name} is {type(value).__name__}; use an aware datetime")
    if value.utcoffset() is None:
        raise MessageError(f"{name} has no time zone; use an aware datetime")


def require_duration(name: str, value: object) -> None:
    """Raise ``MessageError`` unless ``value`` is None or a timedelta longer than zero."""
    if value is None:
        return
    if not isinstance(value, timedelta):
        raise MessageError(f"{name} is {type(value).__name__}; use a timedelta")
    if value <= timedelta(0):
        raise MessageError(f"{name} must be longer than zero")


def require_kind(name: str, value: object, kinds: type | UnionType, fix: str) -> None:
    """Raise ``MessageError`` unless ``value`` is None or of these types."""
    if value is not None and not isinstance(value, kinds):
        raise MessageError(f"{name} is {type(value).__name__}; use {fix}")
