"""From the parameters of ``send.php`` to an order: everything that is wanted, nothing done.

Parameters: https://smscentre.com/api/http/send/sms
"""

import re
from collections.abc import Mapping
from enum import IntEnum

from attrs import frozen

from . import grammar
from .model import Channel, ErrorCode, File, MessageId, Refused, Request, Transport
from .settings import Settings
from .specials import find_special
from .texts import count_binary_parts, count_parts, cut_to_parts, transliterate

_LONGEST_TEXT = 1000
_OWN_FIELDS = frozenset({"login", "psw", "apikey", "phones", "mes", "id", "sender"})
_TEXTLESS = frozenset({Channel.HLR, Channel.PING})
_COUNTED = frozenset({Channel.SMS, Channel.FLASH, Channel.PUSH})


class CostLevel(IntEnum):
    """The values of ``cost``."""

    SEND = 0
    """Send and answer the id."""
    PRICE = 1
    """Answer the price and send nothing."""
    SEND_PRICE = 2
    """Send and answer the price too."""
    SEND_PRICE_BALANCE = 3
    """Send and answer price and balance too."""


@frozen(kw_only=True)
class Letter:
    """One text for one recipient, measured, with what is wrong about it."""

    phone: str
    channel: Channel
    text: str
    comment: str
    parts: int
    error: ErrorCode | None


@frozen(kw_only=True)
class Order:
    """A send or a price query, read and found to be in order."""

    letters: tuple[Letter, ...]
    sender: str | None
    message_id: MessageId | None
    send_at: float
    life_s: float
    cost: CostLevel
    per_phone: bool
    """``op=1`` was given."""
    errors: bool
    """``err=1`` was given."""
    test: bool
    params: Mapping[str, str]
    files: tuple[File, ...]


def read_order(request: Request, settings: Settings, now: float) -> Order:
    """Read what is to be sent, or raise `Refused` when the request as a whole is wrong."""
    params = request.params
    channel = _read_channel(params)
    _check_channel(channel, request)
    zone_hours = grammar.read_zone(params.get("tz", ""), settings.zone_hours)
    return Order(
        letters=_read_letters(channel, request),
        sender=params.get("sender"),
        message_id=grammar.read_id(params.get("id", "")),
        send_at=grammar.read_time(params.get("time", ""), now, zone_hours),
        life_s=grammar.read_life(params.get("valid", "")),
        cost=CostLevel(grammar.read_number(params.get("cost", ""), 0, 3, 0)),
        per_phone=params.get("op") == "1",
        errors=params.get("err") == "1",
        test=params.get("test") == "1",
        params={name: value for name, value in params.items() if name not in _OWN_FIELDS},
        files=request.files,
    )


def _read_channel(params: Mapping[str, str]) -> Channel:
    """Two flags at once are refused: which of them would win is not documented."""
    wanted = [
        channel
        for channel in Channel
        if channel is not Channel.SMS and params.get(channel.value, "0") not in ("", "0")
    ]
    if len(wanted) > 1:
        raise Refused(ErrorCode.PARAMETERS)
    return wanted[0] if wanted else Channel.SMS


def _check_channel(channel: Channel, request: Request) -> None:
    params = request.params
    # A letter has no field for the subject, so over SMTP none is asked for.
    subject = params.get("subj") or request.transport is Transport.SMTP
    if channel is Channel.MAIL and not (subject and params.get("sender")):
        raise Refused(ErrorCode.PARAMETERS)
    if channel is Channel.BIN and params["bin"] not in ("1", "2"):
        raise Refused(ErrorCode.PARAMETERS)


def _read_letters(channel: Channel, request: Request) -> tuple[Letter, ...]:
    params = request.params
    if params.get("list"):
        pairs = grammar.read_list(params["list"], params.get("nl") == "1")
    else:
        pairs = ((params.get("phones", ""), params.get("mes", "")),)
    letters = tuple(
        _read_letter(channel, phone, text, request)
        for phones, text in pairs
        for phone in grammar.split_phones(phones)
    )
    if not letters:
        raise Refused(ErrorCode.PARAMETERS)
    return letters


def _read_letter(channel: Channel, phone: str, text: str, request: Request) -> Letter:
    text, comment = grammar.split_comment(text)
    if channel is Channel.SMS:
        prefixed, text = grammar.split_prefix(text)
        channel = prefixed or channel
    if channel is not Channel.BIN:
        text = _rewrite(text, request.params)
    _check_text(channel, text, request)
    clean = grammar.clean_phone(phone)
    return Letter(
        phone=clean,
        channel=channel,
        text=text,
        comment=comment,
        parts=_count(channel, text, request.params),
        error=_check_recipient(channel, clean),
    )


def _rewrite(text: str, params: Mapping[str, str]) -> str:
    text = transliterate(text.replace("\\n", "\n"), params.get("translit", "0"))
    parts = grammar.read_number(params.get("maxsms", ""), 0, 255, 0)
    return cut_to_parts(text, parts) if parts else text


def _check_text(channel: Channel, text: str, request: Request) -> None:
    if channel is Channel.BIN:
        if not text or (request.params["bin"] == "2" and not _is_hex(text)):
            raise Refused(ErrorCode.PARAMETERS)
        return
    if len(text) > _LONGEST_TEXT:
        raise Refused(ErrorCode.PARAMETERS)
    if not text and channel not in _TEXTLESS and not _has_other_content(channel, request):
        raise Refused(ErrorCode.PARAMETERS)


def _has_other_content(channel: Channel, request: Request) -> bool:
    """An MMS may be a subject or files alone, a call sound files, Viber a picture."""
    if channel is Channel.MMS and request.params.get("subj"):
        return True
    with_files = channel in (Channel.MMS, Channel.CALL, Channel.VIBER)
    return with_files and bool(request.files or request.params.get("fileurl"))


def _is_hex(text: str) -> bool:
    return len(text) % 2 == 0 and re.fullmatch(r"[0-9A-Fa-f]+", text) is not None


def _count(channel: Channel, text: str, params: Mapping[str, str]) -> int:
    if channel is Channel.BIN:
        return count_binary_parts(len(text) // (2 if params["bin"] == "2" else 1))
    return count_parts(text) if channel in _COUNTED else 1


def _check_recipient(channel: Channel, phone: str) -> ErrorCode | None:
    special = find_special(phone)
    if special:
        return special.error
    return None if _is_address(channel, phone) else ErrorCode.NUMBER


def _is_address(channel: Channel, phone: str) -> bool:
    if channel is Channel.MAIL:
        return re.fullmatch(r"[^@\s]+@[^@\s]+", phone) is not None
    if channel is Channel.SOC and re.fullmatch(r"[a-z]+:\w+", phone):
        return True
    if channel in (Channel.BOT, Channel.TG) and re.fullmatch(r"@\w+|#-?\w+", phone):
        return True
    return re.fullmatch(r"\d{8,15}", phone) is not None
