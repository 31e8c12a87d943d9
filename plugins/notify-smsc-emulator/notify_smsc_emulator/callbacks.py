"""Receipts by callback: what they say, how they are signed, how they are posted.

Handler address, formats and signatures: https://smscentre.com/api/http/miscellaneous/callback/
"""

import asyncio
import hashlib
import json
import zlib
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs, urlencode, urlsplit
from xml.sax.saxutils import escape

import aiohttp
from attrs import frozen

from .answers import money
from .clock import Clock
from .decoding import CHARSETS
from .gateway import Gateway
from .model import Channel, Status
from .operators import subscriber
from .settings import Settings
from .store import Due

_ANSWER_S = 10

_DIGESTS: Mapping[str, Callable[[bytes], str]] = {
    "md5": lambda data: hashlib.md5(data).hexdigest(),
    "sha1": lambda data: hashlib.sha1(data).hexdigest(),
    # Decimal, as PHP's crc32(): how the vendor writes it is not documented.
    "crc32": lambda data: str(zlib.crc32(data)),
}


@frozen
class Receipt:
    """A callback ready to be posted."""

    fields: Mapping[str, str]
    body: bytes
    content_type: str


@frozen
class SentReceipt:
    """One attempt at a callback; without an answer the handler was not reached."""

    url: str
    fields: Mapping[str, str]
    attempt: int
    answer_status: int | None


@frozen(order=True)
class _Waiting:
    at: float
    receipt: Receipt
    attempt: int = 1


def make_receipt(due: Due, url: str) -> Receipt:
    """Write the receipt in the charset, format and signature that the handler's URL asks for."""
    query = {name: values[-1] for name, values in parse_qs(urlsplit(url).query).items()}
    charset = query.get("charset", CHARSETS[0]).lower()
    if charset not in CHARSETS:
        charset = CHARSETS[0]
    fields = _fields(due)
    fields |= _signatures(fields, query, charset)
    match query.get("fmt"):
        case "3":
            body = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
            return _pack(fields, body, "application/json", charset)
        case "2":
            inner = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in fields.items())
            return _pack(fields, f"<callback>{inner}</callback>", "text/xml", charset)
        case _:
            body = urlencode(fields, encoding=charset, errors="replace")
            return _pack(fields, body, "application/x-www-form-urlencoded", charset)


def _pack(fields: Mapping[str, str], body: str, kind: str, charset: str) -> Receipt:
    # JSON and XML never come in koi8-r.
    used = "utf-8" if charset == "koi8-r" and "form" not in kind else charset
    return Receipt(fields, body.encode(used, "replace"), f"{kind}; charset={used}")


def _fields(due: Due) -> dict[str, str]:
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
    fields: Mapping[str, str], query: Mapping[str, str], charset: str
) -> dict[str, str]:
    signed = f"{fields['id']}:{fields['phone']}:{fields['status']}"
    return {
        name: digest(f"{signed}:{query[name]}".encode(charset, "replace"))
        for name, digest in _DIGESTS.items()
        if name in query
    }


def is_reported(due: Due, settings: Settings) -> bool:
    """Tell whether a change is a delivery status that the handler hears of."""
    least = Status.PASSED if settings.callback_passed else Status.DELIVERED
    return due.step.status >= least


class Postman:
    """Posts the receipts whose time has come."""

    def __init__(self, gateway: Gateway, settings: Settings, clock: Clock) -> None:
        self._gateway = gateway
        self._settings = settings
        self._clock = clock
        self._waiting: list[_Waiting] = []
        self._one_round = asyncio.Lock()
        self.sent: list[SentReceipt] = []

    def clear(self) -> None:
        """Forget what was posted and what is to be posted."""
        self._waiting.clear()
        self.sent.clear()

    async def post_due(self, session: aiohttp.ClientSession) -> None:
        """Post everything that is due now, one receipt after the other."""
        async with self._one_round:
            now = self._clock.now()
            due = self._gateway.take_due(now)
            url = self._settings.callback_url
            if url is None:
                return
            self._waiting += [
                _Waiting(now, make_receipt(change, url))
                for change in due
                if is_reported(change, self._settings)
            ]
            ready = [waiting for waiting in self._waiting if waiting.at <= now]
            self._waiting = [waiting for waiting in self._waiting if waiting.at > now]
            for waiting in ready:
                await self._post(session, url, waiting)

    async def _post(self, session: aiohttp.ClientSession, url: str, waiting: _Waiting) -> None:
        receipt, attempt = waiting.receipt, waiting.attempt
        status = await _call(session, url, receipt)
        self.sent.append(SentReceipt(url, receipt.fields, attempt, status))
        if status != 200 and attempt < self._settings.callback_attempts:
            again = waiting.at + self._settings.callback_pause_s
            self._waiting.append(_Waiting(again, receipt, attempt + 1))


async def _call(session: aiohttp.ClientSession, url: str, receipt: Receipt) -> int | None:
    headers = {"Content-Type": receipt.content_type}
    timeout = aiohttp.ClientTimeout(total=_ANSWER_S)
    try:
        async with session.post(
            url, data=receipt.body, headers=headers, timeout=timeout, allow_redirects=False
        ) as response:
            return response.status
    except (aiohttp.ClientError, TimeoutError):
        return None
