"""Bytes of a request into parameters.

The charset of the values is itself a parameter of the request, so the bytes are taken apart
first and decoded afterwards: https://smscentre.com/api/http/send/sms
"""

import json
from collections.abc import Iterable
from enum import StrEnum
from urllib.parse import unquote_to_bytes

from attrs import frozen

CHARSETS = ("windows-1251", "utf-8", "koi8-r")


class Place(StrEnum):
    """Where in the request a parameter stood."""

    QUERY = "query"
    BODY = "body"
    PART = "part"
    JSON = "json"


@frozen
class RawParam:
    """A parameter as bytes."""

    name: bytes
    value: bytes
    place: Place


@frozen
class Param:
    """A parameter as text."""

    name: str
    value: str
    place: Place


@frozen
class SeenRequest:
    """One HTTP request to the gateway, whatever came of it."""

    method: str
    path: str
    host: str
    """The Host header."""
    params: tuple[Param, ...]
    """In their order, with those that occur twice."""
    files: tuple[str, ...] = ()
    """The names of the parts that are files."""

    @property
    def values(self) -> dict[str, str]:
        """The parameters as the gateway understands them: of two with one name the last counts."""
        return {param.name: param.value for param in self.params}


def split_form(raw: bytes, place: Place) -> list[RawParam]:
    """Take apart a query or a urlencoded body; empty pieces between two ``&`` are nothing."""
    params = []
    for piece in raw.split(b"&"):
        if piece:
            name, _, value = piece.partition(b"=")
            params.append(RawParam(_unquote(name), _unquote(value), place))
    return params


def _unquote(raw: bytes) -> bytes:
    return unquote_to_bytes(raw.replace(b"+", b" "))


def split_json(raw: bytes) -> list[RawParam]:
    """Take apart the JSON object of ``/rest/send/``; what is not one has no parameters."""
    try:
        values = json.loads(raw)
    except ValueError:
        return []
    if not isinstance(values, dict):
        return []
    return [
        RawParam(name.encode(), _as_text(value).encode("utf-8", "replace"), Place.JSON)
        for name, value in values.items()
    ]


def _as_text(value: object) -> str:
    match value:
        case bool():
            return str(int(value))
        case None:
            return ""
        case list():
            return ",".join(_as_text(item) for item in value)
        case _:
            return str(value)


def find_charset(params: Iterable[RawParam], default: str = CHARSETS[0]) -> str:
    """Return the charset that the request declares; one that is not known is the default."""
    found = default
    for param in params:
        if param.name == b"charset":
            name = param.value.decode("latin-1").lower()
            found = name if name in CHARSETS else default
    return found


def decode(params: list[RawParam], charset: str) -> tuple[Param, ...]:
    """Decode the parameters; bytes that the charset lacks become U+FFFD.

    The text of ``bin=1`` is not text: it becomes one character per byte.
    """
    binary = any(param.name == b"bin" and param.value == b"1" for param in params)
    return tuple(
        Param(
            param.name.decode(charset, "replace"),
            param.value.decode(
                "latin-1" if binary and param.name == b"mes" else charset, "replace"
            ),
            param.place,
        )
        for param in params
    )
