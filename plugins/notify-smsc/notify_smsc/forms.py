"""Forms as they come: names, and values as the bytes that were sent, whatever their charset.

The standard library decodes while it reads; what is signed are the bytes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeAlias
from urllib.parse import unquote_to_bytes

from notify_core.errors import CallbackError

BytePairs: TypeAlias = Sequence[tuple[str, bytes]]
"""Names and values, repeated names included."""

_MOST_FIELDS = 200

_NAME = re.compile(r"[A-Za-z0-9_]{1,40}")
_BOUNDARY = re.compile(r"\bboundary=\"?([A-Za-z0-9'()+_,./:=?-]{1,70})", re.IGNORECASE)
_PART_NAME = re.compile(rb"^content-disposition:[^\r\n]*\bname=\"([^\"\r\n]*)\"", re.I | re.M)


def read_form(form: bytes) -> BytePairs:
    """Read a query or a urlencoded body."""
    pieces = _few(form.split(b"&", _MOST_FIELDS))
    pairs = [piece.partition(b"=")[::2] for piece in pieces]
    return _named([(_unquoted(name), _unquoted(value)) for name, value in pairs])


def read_parts(body: bytes, content_type: str) -> BytePairs:
    """Read a multipart body: its fields, not its files."""
    boundary = _BOUNDARY.search(content_type)
    if boundary is None:
        raise CallbackError("a multipart body without a boundary")
    delimiter = b"\r\n--" + boundary[1].encode()
    _, *parts = _few((b"\r\n" + body).split(delimiter, _MOST_FIELDS + 1))
    if not parts or not parts[-1].startswith(b"--"):
        raise CallbackError("a multipart body that is cut short")
    return _named([_part(part) for part in parts[:-1]])


def _part(part: bytes) -> tuple[bytes, bytes]:
    head, _, value = part.partition(b"\r\n\r\n")
    name = _PART_NAME.search(head)
    return name[1] if name else b"", value


def _few(pieces: list[bytes]) -> list[bytes]:
    if len(pieces) > _MOST_FIELDS:
        raise CallbackError("more fields than any call of the gateway")
    return pieces


def _named(pairs: Sequence[tuple[bytes, bytes]]) -> BytePairs:
    """Leave out what has no name that a field of the gateway could have."""
    texts = [(name.decode("latin-1"), value) for name, value in pairs]
    return [(name, value) for name, value in texts if _NAME.fullmatch(name)]


def _unquoted(value: bytes) -> bytes:
    return unquote_to_bytes(value.replace(b"+", b" "))
