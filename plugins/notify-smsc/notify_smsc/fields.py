"""Fields of an answer, read strictly: what is not as documented makes the whole *unreadable*."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NoReturn, TypeAlias

from notify_core.http import HttpReply

Fields: TypeAlias = Mapping[str, Any]

_MONEY = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,8})?")
_INTEGER = re.compile(r"-?[0-9]{1,12}")


class Unreadable(Exception):
    """An answer is not what the gateway documents. Its text quotes nothing of the answer."""


def _reject(_: str) -> NoReturn:
    raise ValueError


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError
    return fields


# Made once: json.loads makes one for each call. Numbers with a point stay text, for money.
_DECODER = json.JSONDecoder(parse_float=str, parse_constant=_reject, object_pairs_hook=_unique)


def json_of(reply: HttpReply) -> Any:
    """Return what an answer holds; only HTTP 200 with one strict JSON text counts."""
    if reply.status != 200:
        unreadable(f"HTTP status {reply.status}")
    if not reply.body.strip():
        unreadable("an empty answer")
    try:
        return _DECODER.decode(reply.body.decode())
    except (ValueError, RecursionError):
        pass
    return unreadable("an answer that is not JSON")


def object_of(reply: HttpReply) -> dict[str, Any]:
    """Return the fields of an answer that is an object."""
    fields = json_of(reply)
    return fields if isinstance(fields, dict) else unreadable("an answer that is not an object")


def unreadable(reason: str) -> NoReturn:
    """Give an answer up; the reason quotes nothing of it."""
    raise Unreadable(reason)


def error_of(fields: Fields) -> tuple[int, str]:
    """Return the number and the words of an error."""
    return integer(fields.get("error_code"), "error_code"), str(fields.get("error", ""))


def check_id(fields: Fields, expected: str) -> None:
    """Make sure that the answer is about the message with this id, number or text."""
    told = fields.get("id")
    if isinstance(told, bool) or not isinstance(told, int | str):
        unreadable("an answer without an id")
    if str(told) != expected:
        unreadable("an answer with another id than ours")


def count_of(fields: Fields) -> int:
    """Return ``cnt``; a success counts at least one."""
    count = integer(fields.get("cnt"), "cnt")
    return count if count > 0 else unreadable("a success that counts nothing")


def rows_of(fields: Fields) -> list[Fields] | None:
    """Return the lines of ``phones``, which ``op=1`` asks for, or None."""
    rows = fields.get("phones")
    if rows is None:
        return None
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        unreadable("a list of numbers that cannot be read")
    return rows


def phone_of(row: Fields) -> str:
    """Return the recipient that a line is about."""
    return str(row.get("phone", ""))


def integer(value: object, name: str) -> int:
    """Return a whole number, given as one or as text."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        unreadable(f"{name} is missing")
    if not _INTEGER.fullmatch(str(value)):
        unreadable(f"{name} is not a number")
    return int(value)


def money(fields: Fields, name: str) -> Decimal | None:
    """Return an amount, given as a number or as text, or None if there is none."""
    value = fields.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | str):
        unreadable(f"{name} is not an amount")
    if not _MONEY.fullmatch(str(value)):
        unreadable(f"{name} is not an amount")
    return Decimal(value)
