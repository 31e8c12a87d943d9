"""What a call of the gateway says, in whichever form it is written.

https://smscentre.com/api/http/miscellaneous/callback/ : a form, ``fmt=2`` XML or ``fmt=3`` JSON, by
GET or POST, in one of three charsets. How XML and JSON are laid out is not documented: read is one
flat set of fields, or a list of such sets. Anybody can make such a call, so everything has a limit,
and an error quotes nothing of it.
"""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Mapping
from typing import NoReturn

import attrs

from notify_core.callback import CallbackRequest
from notify_core.errors import CallbackError
from notify_smsc.codes import HLR_FIELDS
from notify_smsc.forms import BytePairs, read_form, read_parts
from notify_smsc.signatures import DIGEST_FIELDS, Pairs
from notify_smsc.xmlcalls import records_of_xml


class Charset(enum.Enum):
    """How the bytes of a call are to be read: what stands in the handler's address."""

    UTF_8 = "utf-8"
    """Takes every text."""
    WINDOWS_1251 = "windows-1251"
    """What the gateway uses unless it is told another."""
    KOI8_R = "koi8-r"
    """For forms only: JSON and XML do not come in it."""


KNOWN_FIELDS = (
    DIGEST_FIELDS
    | HLR_FIELDS
    | {"id", "phone", "status", "err", "type", "cost", "sender_id", "ts", "flag"}
    | {"mes", "to", "waitcall"}
)
"""The fields that calls are seen to have."""

_LARGEST = 1_048_576
_MOST_RECORDS = 1_000

_SPELLINGS: Mapping[str, Charset] = {
    "utf-8": Charset.UTF_8,
    "utf8": Charset.UTF_8,
    "windows-1251": Charset.WINDOWS_1251,
    "cp1251": Charset.WINDOWS_1251,
    "koi8-r": Charset.KOI8_R,
    "koi8_r": Charset.KOI8_R,
}
_CHARSET = re.compile(r"\bcharset=\"?([A-Za-z0-9_-]{1,20})", re.IGNORECASE)
_XML_ENCODING = re.compile(rb"<\?xml[^>]{0,80}\bencoding=[\"']([A-Za-z0-9_-]{1,20})")
_IMPOSSIBLE = re.compile("[\0\ud800-\udfff]")
_BOM = b"\xef\xbb\xbf"


@attrs.frozen(kw_only=True)
class Call:
    """What a call says of one message: its fields and, apart, its digests."""

    fields: Mapping[str, str] = attrs.field(repr=False)
    digests: Pairs = attrs.field(repr=False)
    charset: Charset

    def text(self, name: str) -> str:
        """Return a field, or the empty text if it is not there."""
        return self.fields.get(name, "")

    def signed(self, name: str) -> bytes:
        """Return the bytes of a field as they are signed: in the charset of the handler.

        No charset here writes a text in two ways, so for a form these are the bytes that came.
        """
        try:
            return self.text(name).encode(self.charset.value)
        except UnicodeEncodeError:
            pass  # Raised below: this error holds the text.
        raise CallbackError("a text that its charset does not have, so that no signature fits")


def read_calls(request: CallbackRequest, charset: Charset) -> list[Call]:
    """Return what a call says, message by message; ``charset`` holds if the call names none.

    What stands in the body goes before what stands in the query. Raises ``CallbackError``.
    """
    if request.method.upper() not in ("GET", "POST"):
        raise CallbackError("neither GET nor POST")
    if len(request.body) + len(request.query) > _LARGEST:
        raise CallbackError("larger than any call of the gateway")
    query = read_form(request.query.encode("latin-1", "replace"))
    charset, records = _records(request, _asked_charset(query) or _told_charset(request) or charset)
    if len(records) > _MOST_RECORDS:
        raise CallbackError("more messages than any call of the gateway")
    return [_call((*record, *_besides(query, record, charset)), charset) for record in records]


def _records(request: CallbackRequest, charset: Charset) -> tuple[Charset, list[Pairs]]:
    """Read the body by what it is: which Content-Type the gateway writes is not documented."""
    body = request.body.removeprefix(_BOM).strip()
    if body.startswith((b"{", b"[")):
        charset = _of_document(charset, request)
        return charset, _records_of_json(_decoded(body, charset))
    if body.startswith(b"<"):
        charset = _declared(body) or _of_document(charset, request)
        return charset, records_of_xml(_decoded(body, charset))
    content_type = request.headers.get("content-type", "")
    in_parts = content_type.lower().startswith("multipart/")
    pairs = read_parts(request.body, content_type) if in_parts else read_form(request.body)
    return charset, [_texts(pairs, charset)]


def _call(pairs: Pairs, charset: Charset) -> Call:
    fields: dict[str, str] = {}
    for name, value in pairs:
        _check(value)
        if name not in DIGEST_FIELDS and fields.setdefault(name, value) != value:
            raise CallbackError("a field that is there twice, with different values")
    digests = tuple(pair for pair in pairs if pair[0] in DIGEST_FIELDS)
    return Call(fields=fields, digests=digests, charset=charset)


def _check(value: str) -> None:
    """Refuse what no journal can hold: JSON can bring half a character, any form a zero."""
    if _IMPOSSIBLE.search(value):
        raise CallbackError("a text with characters that cannot be")


def _besides(query: BytePairs, body: Pairs, charset: Charset) -> Pairs:
    """Return what the query adds. It is of our own address, which can hold more than fields."""
    told = {name for name, _ in body}
    added = [pair for pair in query if pair[0] in KNOWN_FIELDS and pair[0] not in told]
    return _texts(added, charset)


def _texts(pairs: BytePairs, charset: Charset) -> Pairs:
    return [(name, _decoded(value, charset)) for name, value in pairs]


def _decoded(value: bytes, charset: Charset) -> str:
    try:
        return value.decode(charset.value)
    except UnicodeDecodeError:
        pass  # Raised below: this error holds the text.
    raise CallbackError(f"a text that is not {charset.value}")


# --- charsets -------------------------------------------------------------------------------


def _asked_charset(query: BytePairs) -> Charset | None:
    asked = [value.decode("latin-1") for name, value in query if name == "charset"]
    return _spelt(asked[-1]) if asked else None


def _told_charset(request: CallbackRequest) -> Charset | None:
    told = _CHARSET.search(request.headers.get("content-type", ""))
    return _spelt(told[1]) if told else None


def _of_document(charset: Charset, request: CallbackRequest) -> Charset:
    """Return the charset of JSON or XML: never koi8-r. What replaces it is not documented."""
    choices = (charset, _told_charset(request), Charset.UTF_8)
    return next(choice for choice in choices if choice not in (None, Charset.KOI8_R))


def _declared(document: bytes) -> Charset | None:
    declared = _XML_ENCODING.match(document)
    return _spelt(declared[1].decode("ascii")) if declared else None


def _spelt(name: str) -> Charset | None:
    return _SPELLINGS.get(name.lower())


# --- JSON -----------------------------------------------------------------------------------


class _Object(list[tuple[str, object]]):
    """An object with its repeated names, which a dict would lose."""


def _refuse(_constant: str) -> NoReturn:
    raise ValueError


# Numbers stay as they were written: they are signed so.
_DECODER = json.JSONDecoder(
    object_pairs_hook=_Object, parse_int=str, parse_float=str, parse_constant=_refuse
)


def _records_of_json(text: str) -> list[Pairs]:
    document = _json(text)
    records = [document] if isinstance(document, _Object) else document
    return [_fields_of_object(record) for record in records]


def _json(text: str) -> _Object | list[object]:
    try:
        document = _DECODER.decode(text)
    except (ValueError, RecursionError):
        document = None  # Raised below: this error holds the text.
    if not isinstance(document, list):
        raise CallbackError("JSON that is broken")
    return document


def _fields_of_object(record: object) -> Pairs:
    if not isinstance(record, _Object):
        raise CallbackError("JSON that is no object and no list of objects")
    told = [(name, value) for name, value in record if value is not None]
    texts = [(name, value) for name, value in told if isinstance(value, str)]
    if any(name in KNOWN_FIELDS and not isinstance(value, str) for name, value in told):
        raise CallbackError("JSON with a field that is no text and no number")
    return texts
