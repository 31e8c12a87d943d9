"""From a message and an attempt to the parameters of ``send.php``. Pure: nothing is sent here.

What the gateway cannot express, and what it would silently change, is refused with
``UnsupportedFeature``; nothing is dropped.

Parameters and limits: https://smscentre.com/api/http/send/sms , https://smsc.ru/api/http/send/ ,
https://smscentre.com/api/http/send/whatsapp , https://smscentre.com/telegram-bots
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import PurePath

import attrs

from notify_core.attachment import Attachment
from notify_core.delivery import Attempt
from notify_core.errors import MessageError, UnsupportedFeature
from notify_core.message import (
    Binary,
    BinaryForm,
    Button,
    Call,
    Flash,
    Hlr,
    Mail,
    Message,
    Mms,
    Ping,
    Sms,
    Social,
    Telegram,
    Viber,
    WapPush,
    WhatsApp,
)
from notify_smsc.addresses import MessageIds, check_sender, message_id, phone_to_send
from notify_smsc.extras import VOICES, allowed_commands, extra_params, is_call_timing
from notify_smsc.formats import Format
from notify_smsc.inband import CODE, check_spoken, check_text
from notify_smsc.wire import CHARSETS, Param

LONGEST_TEXT = 1000
"""In characters; older documentation says 800."""

LONGEST_VALIDITY = timedelta(hours=24)

CHARSET = CHARSETS[0]

_BYTES = "latin-1"
"""One character per byte: how binary data pass through a form."""

_FIXED: tuple[Param, ...] = (("charset", CHARSET), ("fmt", "3"), ("op", "1"))

_KB = 1024
_MB = 1024 * _KB
_MMS_FILES = frozenset(
    ("jpg", "jpeg", "gif", "png", "wav", "amr", "mp3", "mid", "mp4", "3gp", "txt")
)

# An SMS sender would be wrong or without meaning on the other channels.
_WITH_DEFAULT_SENDER = (Sms, Flash, WapPush, Binary, Viber, Mms, Social)


@attrs.frozen(kw_only=True)
class Defaults:
    """What the configuration adds to a message that does not say it."""

    sender: str | None = None
    mail_sender: str | None = None
    telegram_bot: str | None = None
    whatsapp_bot: str | None = None
    message_ids: MessageIds = MessageIds.NUMBER


@attrs.frozen(kw_only=True)
class SendOrder:
    """A send, ready to be encoded. ``phone`` and ``id`` are as they go out.

    ``params`` lack the credentials and ``cost``; ``encoding`` is how their values become bytes.
    ``tells_code`` says that the message asks for the code that the gateway makes up.
    """

    phone: str = attrs.field(repr=False)
    id: str
    params: tuple[Param, ...] = attrs.field(repr=False)
    files: tuple[Attachment, ...] = ()
    encoding: str = CHARSET
    tells_code: bool = False


@attrs.frozen(kw_only=True)
class _Content:
    """What a channel makes of a message: the text, the parameters it needs, and files."""

    mes: str = ""
    params: tuple[Param, ...] = ()
    files: tuple[Attachment, ...] = ()


@attrs.frozen
class _FileLimits:
    """How many files, how large each and together, in bytes.

    Seen in the constants of a public client only, but a file that is left out or cut is worse
    than a refusal.
    """

    count: int
    each: int
    together: int


_MAIL_LIMITS = _FileLimits(20, 3 * _MB, 15 * _MB)
_MMS_LIMITS = _FileLimits(20, 300 * _KB, 300 * _KB)
_CALL_LIMITS = _FileLimits(4, 3 * _MB, 12 * _MB)


def send_order(message: Message, attempt: Attempt, defaults: Defaults) -> SendOrder:
    """Return what to send for one attempt; ``MessageError`` if the gateway cannot express it."""
    phone = phone_to_send(attempt.address, attempt.address_kind)
    own_id = message_id(attempt.own_id, defaults.message_ids)
    content = _content(message, defaults)
    said = (
        ("phones", phone),
        ("mes", _within_limit(content.mes)),
        ("id", own_id),
        *content.params,
        *_sender(message, defaults),
        *_time(message),
        *_validity(message),
    )
    extras = extra_params(message, frozenset(name for name, _ in said)) if message.extra else ()
    return SendOrder(
        phone=phone,
        id=own_id,
        params=(*said, *extras, *_FIXED),
        files=content.files,
        encoding=_BYTES if ("bin", "1") in content.params else CHARSET,
        tells_code=isinstance(message, Call) and CODE in allowed_commands(message),
    )


def _content(message: Message, defaults: Defaults) -> _Content:
    match message:
        case Sms():
            return _text(message.text, message, Format.SMS)
        case Flash():
            return _text(message.text, message, Format.FLASH)
        case Social():
            return _text(message.text, message, Format.SOCIAL)
        case Hlr():
            return _Content(params=Format.HLR.flag)
        case Ping():
            return _Content(params=Format.PING.flag)
        case WapPush():
            return _text(f"{message.url}\n{message.title}", message, Format.WAP_PUSH)
        case Binary():
            return _binary(message)
        case Viber():
            return _viber(message)
        case Telegram():
            return _telegram(message, defaults)
        case WhatsApp():
            return _whatsapp(message, defaults)
        case Mail():
            return _mail(message)
        case Mms():
            return _mms(message)
        case Call():
            return _call(message)
        case _:
            raise UnsupportedFeature(f"smsc has no channel {message.channel!r}")


def _text(text: str, message: Message, kind: Format) -> _Content:
    return _Content(mes=check_text(text, allowed_commands(message)), params=kind.flag)


def _within_limit(mes: str) -> str:
    if len(mes) > LONGEST_TEXT:
        raise UnsupportedFeature(
            f"the text has {len(mes)} characters with what is added to it; "
            f"the gateway takes {LONGEST_TEXT}"
        )
    return mes


# --- channels -------------------------------------------------------------------------------


def _binary(message: Binary) -> _Content:
    comment = ", ".join(
        f"{name}: {value}"
        for name, value in (("pid", message.pid), ("dcs", message.dcs))
        if value is not None
    )
    tail = f"\n~~~\n{comment}" if comment else ""
    if message.form is BinaryForm.HEX:
        return _Content(mes=message.data.hex() + tail, params=Format.BINARY_HEX.flag)
    # Bytes are searched for commands like a text; hexadecimal digits cannot hold any.
    data = check_text(message.data.decode(_BYTES), allowed_commands(message))
    return _Content(mes=data + tail, params=Format.BINARY.flag)


def _viber(message: Viber) -> _Content:
    text = check_text(message.text, allowed_commands(message))
    text += _button(message.button) if message.button else ""
    match message.image:
        case str(url):
            params = (*Format.VIBER.flag, ("fileurl", url))
            return _Content(mes=text, params=params)
        case Attachment() as file:
            return _Content(mes=text, params=Format.VIBER.flag, files=(file,))
        case _:
            return _Content(mes=text, params=Format.VIBER.flag)


def _button(button: Button) -> str:
    if set("{}") & set(button.caption + button.url) or "," in button.url:
        raise UnsupportedFeature("button: no { or } in it, and no comma in its url; encode them")
    check_text(button.caption)
    check_text(button.url)
    return f"{{button,{button.url},{button.caption}}}"


def _telegram(message: Telegram, defaults: Defaults) -> _Content:
    text = check_text(message.text, allowed_commands(message))
    bot = message.bot or defaults.telegram_bot
    if bot:
        return _Content(mes=text, params=(("bot", bot),))
    if not re.fullmatch(r"[0-9]+", text):
        raise UnsupportedFeature(
            "without a bot, Telegram carries a code of digits and nothing else; "
            "set telegram_bot in the configuration, or Telegram(bot='@name_bot')"
        )
    return _Content(mes=text, params=Format.TELEGRAM.flag)


def _whatsapp(message: WhatsApp, defaults: Defaults) -> _Content:
    if not defaults.whatsapp_bot:
        raise UnsupportedFeature("whatsapp: set whatsapp_bot in the configuration")
    text = check_text(message.text, allowed_commands(message))
    if message.media_url is not None:
        if re.search(r"[<>\s]", check_text(message.media_url)):
            raise UnsupportedFeature("media_url: no <, > or blanks in it; encode them")
        text += f"\n<file {message.media_url}>"
    return _Content(mes=text, params=(("bot", f"wa:{defaults.whatsapp_bot}"),))


def _mail(message: Mail) -> _Content:
    if message.text and message.html:
        raise UnsupportedFeature("text and html: the gateway takes one body; give one of them")
    _check_files(message.attachments, _MAIL_LIMITS)
    return _Content(
        mes=check_text(message.text or message.html, allowed_commands(message)),
        params=(*Format.EMAIL.flag, ("subj", message.subject)),
        files=message.attachments,
    )


def _mms(message: Mms) -> _Content:
    _check_files(message.attachments, _MMS_LIMITS)
    for file in message.attachments:
        if PurePath(file.name).suffix.lstrip(".").lower() not in _MMS_FILES:
            known = ", ".join(sorted(_MMS_FILES))
            raise UnsupportedFeature(f"attachment {file.name!r}: not for an MMS; known: {known}")
    subject = (("subj", message.subject),) if message.subject else ()
    return _Content(
        mes=check_text(message.text, allowed_commands(message)),
        params=(*Format.MMS.flag, *subject),
        files=message.attachments,
    )


def _call(message: Call) -> _Content:
    if message.audio and message.voice:
        raise UnsupportedFeature("voice: it is for text; a call that plays audio has none")
    if message.voice is not None and message.voice not in VOICES:
        raise UnsupportedFeature(f"voice: {message.voice!r} is not known; known: {VOICES}")
    _check_files(message.audio, _CALL_LIMITS)
    voice = (("voice", message.voice),) if message.voice else ()
    return _Content(
        mes=check_spoken(message.text, allowed_commands(message)),
        params=(*Format.CALL.flag, *voice, *_call_timing(message)),
        files=message.audio,
    )


def _call_timing(message: Call) -> tuple[Param, ...]:
    wait, pause, attempts = message.answer_within, message.retry_pause, message.attempts
    if wait is None and pause is None and attempts is None:
        return ()
    if wait is None or pause is None or attempts is None:
        # The three travel together, and what the gateway takes for a missing one is unknown.
        raise UnsupportedFeature("give answer_within, retry_pause and attempts, or none of them")
    param = f"{_seconds(wait)},{_seconds(pause)},{attempts}"
    if not is_call_timing(param):
        raise UnsupportedFeature(
            "answer_within is 10 to 35 s, retry_pause 10 to 3600 s, attempts 1 to 9, in whole ones"
        )
    return (("param", param),)


def _seconds(span: timedelta) -> str:
    seconds = span / timedelta(seconds=1)
    return str(int(seconds)) if seconds == int(seconds) else str(seconds)


def _check_files(files: Sequence[Attachment], limits: _FileLimits) -> None:
    if len(files) > limits.count:
        raise UnsupportedFeature(f"{len(files)} files; the gateway takes {limits.count}")
    for file in files:
        if len(file.content) > limits.each:
            raise UnsupportedFeature(
                f"attachment {file.name!r}: larger than {limits.each // _KB} KB"
            )
    if sum(len(file.content) for file in files) > limits.together:
        raise UnsupportedFeature(f"files: together larger than {limits.together // _KB} KB")


# --- what all channels share ----------------------------------------------------------------


def _sender(message: Message, defaults: Defaults) -> tuple[Param, ...]:
    if isinstance(message, Mail):
        return (("sender", _mail_sender(message, defaults)),)
    sender = message.sender
    if sender is None and isinstance(message, _WITH_DEFAULT_SENDER):
        sender = defaults.sender
    if sender is None:
        return ()
    # Which names the other services take is not documented.
    if isinstance(message, Viber | Telegram | WhatsApp | Social):
        return (("sender", sender),)
    return (("sender", check_sender(sender)),)


def _mail_sender(message: Mail, defaults: Defaults) -> str:
    sender = message.sender or defaults.mail_sender
    if not sender or not re.fullmatch(r"[^@\s,;]+@[^@\s,;]+", sender):
        raise UnsupportedFeature(
            "sender: an e-mail needs the address it is from; give message.sender, "
            "or mail_sender in the configuration"
        )
    return sender


def _time(message: Message) -> tuple[Param, ...]:
    if message.send_at is None:
        return ()
    # Unix time, so that neither the account's zone nor quiet hours of a form can move it.
    moment = int(message.send_at.timestamp())
    if moment <= 0:
        raise MessageError("send_at: before 1970")
    return (("time", f"0{moment}"),)


def _validity(message: Message) -> tuple[Param, ...]:
    if message.valid_for is None:
        return ()
    # Rounded down: a code must not arrive after it has expired.
    minutes = message.valid_for // timedelta(minutes=1)
    if minutes < 1 or message.valid_for > LONGEST_VALIDITY:
        raise UnsupportedFeature("valid_for: the gateway keeps a message 1 minute to 24 hours")
    return (("valid", f"{minutes // 60:02}:{minutes % 60:02}"),)
