"""What to say, and to whom: one frozen, validated class per channel.

A message is checked when it is made, so that what reaches a provider is well formed. Nothing
here does I/O but for reading an attachment that is given as a path.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

import attrs

from notify_core.attachment import Attachment, attachments_of
from notify_core.contact import EMAIL, PHONE, TELEGRAM, Contact, Recipient, mask
from notify_core.errors import MessageError, RecipientError
from notify_core.ids import new_id
from notify_core.validate import (
    require_aware,
    require_duration,
    require_kind,
    require_line,
    require_optional_line,
    require_str,
    require_text,
    require_url,
)

# A provider gets it with up to seven characters more, and forty is what the shortest takes.
_ID_SHAPE = re.compile(r"[A-Za-z0-9._-]{1,33}")


class Priority(enum.IntEnum):
    """How much a message may wait, lowest first."""

    LOW = 10
    """A campaign."""
    NORMAL = 20
    """The default."""
    HIGH = 30
    """Somebody waits for it, a one-time code for example."""
    CRITICAL = 40
    """An alarm; passes whatever may be passed."""


def _as_recipients(value: Recipient | Iterable[Recipient]) -> tuple[Recipient, ...]:
    if isinstance(value, str | Contact) or not isinstance(value, Iterable):
        return (value,)
    return tuple(value)


def _as_tags(value: str | Iterable[str]) -> frozenset[str]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        value = (value,)
    for tag in (tags := tuple(value)):
        require_line("a tag", tag)
        require_text("a tag", tag)
    return frozenset(tags)


def _as_alternatives(value: Message | Iterable[Message]) -> tuple[Message, ...]:
    return tuple(value) if isinstance(value, Iterable) else (value,)


@attrs.frozen(kw_only=True, repr=False, eq=False)
class Message:
    """What every message has in common. Use one of its subclasses.

    ``to`` is an address, a ``Contact`` or many of them; an alternative needs none. ``sender``
    is the name or address to send from. ``send_at`` is an aware datetime, ``valid_for`` how long
    the message is worth delivering. ``key`` is the application's idempotency key. ``extra``
    holds a provider type's own parameters, ``{"smsc": {"tinyurl": 1}}``. ``alternatives`` say
    the same on other channels. ``id`` is ours and made with the message.

    Raises ``MessageError`` when a value cannot be. The ``repr`` shows neither text nor
    addresses.
    """

    channel: ClassVar[str] = ""
    address_kinds: ClassVar[tuple[str, ...]] = (PHONE,)

    to: tuple[Recipient, ...] = attrs.field(default=(), converter=_as_recipients)
    sender: str | None = None
    tags: frozenset[str] = attrs.field(default=frozenset(), converter=_as_tags)
    priority: Priority = Priority.NORMAL
    send_at: datetime | None = None
    valid_for: timedelta | None = None
    key: str | None = None
    extra: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    alternatives: tuple[Message, ...] = attrs.field(default=(), converter=_as_alternatives)
    id: str = attrs.field(factory=new_id)

    def __attrs_post_init__(self) -> None:
        if not self.channel:
            raise MessageError(f"{type(self).__name__} has no channel; use one of its subclasses")
        if not isinstance(self.priority, Priority):
            raise MessageError(f"priority is {self.priority!r}; use notify_core.Priority")
        require_aware("send_at", self.send_at)
        require_duration("valid_for", self.valid_for)
        require_optional_line("sender", self.sender)
        require_optional_line("key", self.key)
        if not isinstance(self.id, str) or not _ID_SHAPE.fullmatch(self.id):
            raise MessageError("id must be 1 to 33 letters, digits, dots, underscores or hyphens")
        _check_extra(self.extra)
        _check_alternatives(self)
        self.contacts()
        self.check()

    def check(self) -> None:
        """Raise ``MessageError`` if what the channel adds cannot be. For subclasses."""

    def contacts(self) -> tuple[Contact, ...]:
        """Return the recipients as contacts, in the order given."""
        return tuple(
            recipient if isinstance(recipient, Contact) else self.contact_for(recipient)
            for recipient in self.to
        )

    @classmethod
    def contact_for(cls, address: str) -> Contact:
        """Read a bare address as this channel understands it."""
        if not isinstance(address, str):
            raise RecipientError(f"a recipient is a str or a Contact, not {type(address).__name__}")
        match cls.address_kinds[0]:
            case "phone":
                return Contact(phone=address)
            case "email":
                return Contact(email=address)
            case "telegram":
                return Contact(telegram=address)
            case kind:
                return Contact(other={kind: address})

    @property
    def body(self) -> str | None:
        """The text that the recipient reads, where the channel has one: for counting parts."""
        return None

    @property
    def files(self) -> tuple[Attachment, ...]:
        """The files that travel with it."""
        return ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} to {len(self.to)}>"


def _check_extra(extra: object) -> None:
    if not isinstance(extra, Mapping) or not all(
        isinstance(value, Mapping) for value in extra.values()
    ):
        raise MessageError("extra maps a provider type to its parameters: {'smsc': {'tinyurl': 1}}")


def _check_alternatives(message: Message) -> None:
    channels = [message.channel]
    for alternative in message.alternatives:
        if not isinstance(alternative, Message):
            raise MessageError(f"an alternative is a message, not {type(alternative).__name__}")
        if alternative.channel in channels:
            raise MessageError(f"two messages for the channel {alternative.channel!r}")
        if alternative.to:
            raise MessageError(
                "an alternative goes to the recipients of the main message; drop `to`"
            )
        if alternative.alternatives:
            raise MessageError("an alternative has alternatives; give them to the main message")
        channels.append(alternative.channel)


@attrs.frozen(kw_only=True, repr=False, eq=False)
class _Text(Message):
    text: str

    def check(self) -> None:
        require_text("text", self.text)

    @property
    def body(self) -> str | None:
        return self.text


@attrs.frozen(kw_only=True, repr=False, eq=False)
class Sms(_Text):
    """A short message."""

    channel = "sms"


@attrs.frozen(kw_only=True, repr=False, eq=False)
class Flash(_Text):
    """A short message that is shown at once and not stored."""

    channel = "flash"


@attrs.frozen(kw_only=True)
class Button:
    """A button under a chat message: what it says and where it leads."""

    caption: str
    url: str

    def __attrs_post_init__(self) -> None:
        require_text("caption", self.caption)
        require_line("caption", self.caption)
        require_url("url", self.url)


@attrs.frozen(kw_only=True, repr=False, eq=False)
class Viber(_Text):
    """A Viber message, with a picture (an attachment or an address) and a button if wanted."""

    channel = "viber"

    image: Attachment | str | None = None
    button: Button | None = None

    def check(self) -> None:
        require_text("text", self.text)
        require_kind("image", self.image, Attachment | str, "an Attachment or an address")
        require_kind("button", self.button, Button, "notify_core.Button")
        if isinstance(self.image, str):
            require_url("image", self.image, "for a file write Attachment.from_path(…)")

    @property
    def files(self) -> tuple[Attachment, ...]:
        return (self.image,) if isinstance(self.image, Attachment) else ()


@attrs.frozen(kw_only=True, repr=False, eq=False)
class Telegram(_Text):
    """A Telegram message. ``bot`` (``@name_bot``) sends it from that bot.

    A recipient is ``@username``, ``#id`` or a phone number.
    """

    channel = "telegram"
    address_kinds = (TELEGRAM, PHONE)

    bot: str | None = None

    def check(self) -> None:
        require_text("text", self.text)
        require_optional_line("bot", self.bot)
        if self.bot is not None and not re.fullmatch(r"@[A-Za-z0-9_]+", self.bot):
            raise MessageError(f"bot is {self.bot!r}; write it as @name_bot")

    @classmethod
    def contact_for(cls, address: str) -> Contact:
        if not isinstance(address, str):
            return super().contact_for(address)
        try:
            if address.startswith(("@", "#")):
                return Contact(telegram=address)
            return Contact(phone=address)
        except RecipientError:
            raise RecipientError(
                f"{mask(address)!r} cannot be a Telegram recipient; "
                "write it as @username, #id or +79991234567"
            ) from None


@attrs.frozen(kw_only=True, repr=False, eq=False)
class WhatsApp(_Text):
    """A WhatsApp message, with the address of a picture or film if wanted."""

    channel = "whatsapp"

    media_url: str | None = None

    def check(self) -> None:
        require_text("text", self.text)
        if self.media_url is not None:
            require_url("media_url", self.media_url)


@attrs.frozen(kw_only=True, repr=False, eq=False)
class Social(_Text):
    """A message to the recipient's account in a social network, found by the phone number."""

    channel = "social"


@attrs.frozen(kw_only=True, repr=False, eq=False)
class Mail(Message):
    """An e-mail. ``text`` or ``html`` is needed; with both, ``text`` is the plain alternative."""

    channel = "mail"
    address_kinds = (EMAIL,)

    subject: str
    text: str = ""
    html: str = ""
    attachments: tuple[Attachment, ...] = attrs.field(default=(), converter=attachments_of)

    def check(self) -> None:
        require_text("subject", self.subject)
        require_line("subject", self.subject)
        require_str("text", self.text)
        require_str("html", self.html)
        require_text("text or html", self.text.strip() or self.html)

    @property
    def files(self) -> tuple[Attachment, ...]:
        return self.attachments


@attrs.frozen(kw_only=True, repr=False, eq=False)
class Call(Message):
    """A voice call that speaks ``text`` or plays ``audio`` (one of them).

    ``voice`` is a name that the provider knows. ``answer_within`` is how long it rings,
    ``retry_pause`` the time between ``attempts``.
    """

    channel = "call"

    text: str = ""
    audio: tuple[Attachment, ...] = attrs.field(default=(), converter=attachments_of)
    voice: str | None = None
    answer_within: timedelta | None = None
    retry_pause: timedelta | None = None
    attempts: int | None = None

    def check(self) -> None:
        require_str("text", self.text)
        if bool(self.text.strip()) == bool(self.audio):
            raise MessageError("a call needs either text or audio")
        require_optional_line("voice", self.voice)
        require_duration("answer_within", self.answer_within)
        require_duration("retry_pause", self.retry_pause)
        require_kind("attempts", self.attempts, int, "a whole number")
        if self.attempts is not None and self.attempts < 1:
            raise MessageError("attempts must be at least 1")

    @property
    def files(self) -> tuple[Attachment, ...]:
        return self.audio


@attrs.frozen(kw_only=True, repr=False, eq=False)
class Mms(Message):
    """A multimedia message: a subject or a text, and files."""

    channel = "mms"

    subject: str = ""
    text: str = ""
    attachments: tuple[Attachment, ...] = attrs.field(default=(), converter=attachments_of)

    def check(self) -> None:
        require_line("subject", self.subject)
        require_str("text", self.text)
        if not (self.subject.strip() or self.text.strip()):
            raise MessageError("an MMS needs a subject or a text")

    @property
    def files(self) -> tuple[Attachment, ...]:
        return self.attachments


@attrs.frozen(kw_only=True, repr=False, eq=False)
class WapPush(Message):
    """A link that old handsets offer to open."""

    channel = "wap_push"

    url: str
    title: str

    def check(self) -> None:
        require_url("url", self.url)
        require_text("title", self.title)
        require_line("title", self.title)


@attrs.frozen(kw_only=True, repr=False, eq=False)
class Hlr(Message):
    """A question to the operator about a number: no text, nothing is shown to anybody."""

    channel = "hlr"


class BinaryForm(enum.Enum):
    """How binary data travel to the gateway."""

    HEX = "hex"
    """As hexadecimal digits, which no character set can harm."""
    BYTES = "bytes"
    """As the bytes themselves."""


@attrs.frozen(kw_only=True, repr=False, eq=False)
class Binary(Message):
    """A binary short message: user data with its header, and PID and DCS if wanted."""

    channel = "binary"

    data: bytes
    form: BinaryForm = BinaryForm.HEX
    pid: int | None = None
    dcs: int | None = None

    @classmethod
    def from_hex(cls, digits: str, **rest: Any) -> Binary:
        """Make it from hexadecimal digits; blanks between bytes are allowed."""
        try:
            data = bytes.fromhex(digits)
        except (TypeError, ValueError) as error:
            raise MessageError(f"not hexadecimal: {error}") from error
        return cls(data=data, **rest)

    def check(self) -> None:
        if not isinstance(self.data, bytes) or not self.data:
            raise MessageError("data must be bytes, and not empty")
        if not isinstance(self.form, BinaryForm):
            raise MessageError(f"form is {self.form!r}; use notify_core.BinaryForm")
        for name, value in (("pid", self.pid), ("dcs", self.dcs)):
            require_kind(name, value, int, "a whole number")
            if value is not None and not 0 <= value <= 255:
                raise MessageError(f"{name} is {value}; it is one byte, 0 to 255")


@attrs.frozen(kw_only=True, repr=False, eq=False)
class Ping(Message):
    """A silent message that finds out whether the handset is reachable."""

    channel = "ping"


MESSAGE_TYPES: tuple[type[Message], ...] = (
    Sms,
    Flash,
    Viber,
    Telegram,
    WhatsApp,
    Mail,
    Call,
    Mms,
    WapPush,
    Hlr,
    Binary,
    Ping,
    Social,
)
"""The message types of the core; plugins add theirs through ``notify_message_types``."""
