"""Callbacks: what they say, how they are signed, how they are written.

Handler address, formats and signatures: https://smscentre.com/api/http/miscellaneous/callback/
"""

import hashlib
import json
import zlib
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit
from xml.sax.saxutils import escape

from attrs import frozen

from .answers import money
from .decoding import CHARSETS
from .disorder import Disorder, Manner
from .incoming import AwaitedCall, IncomingMessage
from .model import CallbackKind, Channel, Status
from .operators import subscriber
from .settings import Settings
from .specials import find_special
from .store import Due

_DIGESTS: Mapping[str, Callable[[bytes], str]] = {
    "md5": lambda data: hashlib.md5(data).hexdigest(),
    "sha1": lambda data: hashlib.sha1(data).hexdigest(),
    # Decimal, as PHP's crc32(): how the vendor writes it is not documented.
    "crc32": lambda data: str(zlib.crc32(data)),
}


@frozen(kw_only=True)
class Notice:
    """Something that a handler is to be told."""

    kind: CallbackKind
    at: float
    fields: Mapping[str, str]
    signed: tuple[str, ...]
    """The names of the fields that the signature covers, in their order."""
    status: Status | None = None
    disorders: tuple[Disorder, ...] = ()
    """What the recipient alone brings about."""

    @property
    def phone(self) -> str:
        """The number that it is about."""
        return self.fields["phone"]


@frozen(kw_only=True)
class Written:
    """A callback ready to be posted."""

    kind: CallbackKind
    method: str
    url: str
    fields: Mapping[str, str]
    body: bytes
    content_type: str


def about_status(due: Due) -> Notice:
    """Say what became of a message."""
    special = find_special(due.message.phone)
    met = special.disorders if special else ()
    kind, phone, status = CallbackKind.STATUS, due.message.phone, due.step.status
    return Notice(
        kind=kind,
        at=due.step.at,
        fields=_status_fields(due),
        signed=("id", "phone", "status"),
        status=status,
        disorders=tuple(disorder for disorder in met if disorder.fits(kind, phone, status)),
    )


def about_incoming(message: IncomingMessage) -> Notice:
    """Say what somebody has sent."""
    fields = {"phone": message.phone, "mes": message.text, "to": message.to}
    signed = ("phone", "mes", "to")
    return Notice(kind=CallbackKind.INCOMING, at=message.at, fields=fields, signed=signed)


def about_call(call: AwaitedCall) -> Notice:
    """Say that somebody has called."""
    # The value of waitcall is not known, only that the field is there.
    fields = {"phone": call.phone, "ts": str(int(call.at)), "waitcall": "1"}
    return Notice(kind=CallbackKind.CALL, at=call.at, fields=fields, signed=("phone", "ts"))


def is_reported(due: Due, settings: Settings) -> bool:
    """Tell whether a change is a delivery status that the handler hears of."""
    least = Status.PASSED if settings.callback_passed else Status.DELIVERED
    return due.step.status >= least


def write(notice: Notice, url: str, manner: Manner, *, secret_stripped: bool = False) -> Written:
    """Write the callback in the charset, format and signature that the handler's URL asks for."""
    query = {name: values[-1] for name, values in parse_qs(urlsplit(url).query).items()}
    form = "" if manner.method == "GET" else query.get("fmt", "")
    charset = _charset(query, form)
    fields = {**notice.fields, **_signatures(notice, query, charset, forged=manner.forged)}
    body, content_type = _body(fields, form, charset)
    called = _without_secret(url) if secret_stripped else url
    if manner.method == "GET":
        called, body = f"{called}{'&' if '?' in called else '?'}{body.decode('ascii')}", b""
    return Written(
        kind=notice.kind,
        method=manner.method,
        url=called,
        fields=fields,
        body=body,
        content_type=f"{content_type}; charset={charset}",
    )


def _charset(query: Mapping[str, str], form: str) -> str:
    charset = query.get("charset", "").lower()
    if charset not in CHARSETS:
        return CHARSETS[0]
    # JSON and XML never come in koi8-r.
    return "utf-8" if charset == "koi8-r" and form in ("2", "3") else charset


def _body(fields: Mapping[str, str], form: str, charset: str) -> tuple[bytes, str]:
    match form:
        case "3":
            body = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
            return body.encode(charset, "replace"), "application/json"
        case "2":
            inner = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in fields.items())
            return f"<callback>{inner}</callback>".encode(charset, "replace"), "text/xml"
        case _:
            body = urlencode(fields, encoding=charset, errors="replace")
            return body.encode("ascii"), "application/x-www-form-urlencoded"


def _status_fields(due: Due) -> dict[str, str]:
    message = due.message
    fields = {
        "id": str(message.id),
        "phone": message.phone,
        "status": str(int(due.step.status)),
        "err": str(due.step.err or 0),
        "cost": money(message.cost),
        "sender_id": message.sender or "",
        "ts": str(int(due.step.at)),
    }
    if message.channel.type_number is not None:
        fields["type"] = str(message.channel.type_number)
    if message.channel is Channel.HLR:
        found = subscriber(message).fields
        fields |= {name: found[name] for name in ("imsi", "mcc", "mnc", "cn", "net")}
    return fields


def _signatures(
    notice: Notice, query: Mapping[str, str], charset: str, *, forged: bool
) -> dict[str, str]:
    signed = ":".join(notice.fields[name] for name in notice.signed)
    guess = "not " if forged else ""
    return {
        name: digest(f"{signed}:{guess}{query[name]}".encode(charset, "replace"))
        for name, digest in _DIGESTS.items()
        if name in query
    }


def _without_secret(url: str) -> str:
    parts = urlsplit(url)
    kept = [pair for pair in parse_qsl(parts.query) if pair[0] not in _DIGESTS]
    return parts._replace(query=urlencode(kept)).geturl()
