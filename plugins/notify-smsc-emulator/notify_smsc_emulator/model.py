"""The words of the gateway: channels, statuses, errors, and the message that was caught.

The numbers and their meanings are the vendor's:
https://smscentre.com/api/http/status_messages/statuses/ (statuses),
https://smscentre.com/api/smpp/errors (delivery errors),
https://smscentre.com/api/http/send/sms (parameters).
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Self

from attrs import evolve, field, frozen

MessageId = int | str
"""Integers 1…2147483647, or up to 40 characters of ``A-Z a-z 0-9 . - _``."""


class Choice(StrEnum):
    """Words to choose from; a wrong one is refused with the known ones."""

    @classmethod
    def _missing_(cls, value: object) -> Self:
        raise ValueError(f"{value!r} is not a {cls.__name__}; known: {', '.join(cls)}")


class Channel(Choice):
    """What a message travels as; each value but ``sms`` is also its request parameter."""

    SMS = "sms"
    FLASH = "flash"
    PUSH = "push"
    HLR = "hlr"
    BIN = "bin"
    PING = "ping"
    MMS = "mms"
    MAIL = "mail"
    CALL = "call"
    VIBER = "viber"
    SOC = "soc"
    TG = "tg"
    BOT = "bot"

    @property
    def type_number(self) -> int | None:
        """The ``type`` in statuses and receipts; unknown for the Telegram channels."""
        return _TYPE_NUMBERS.get(self)


_TYPE_NUMBERS: Mapping[Channel, int] = {
    Channel.SMS: 0,
    Channel.FLASH: 1,
    Channel.BIN: 2,
    Channel.PUSH: 3,
    Channel.HLR: 4,
    Channel.PING: 5,
    Channel.MMS: 6,
    Channel.CALL: 7,
    Channel.MAIL: 8,
    Channel.VIBER: 10,
    Channel.SOC: 12,
}


class Transport(StrEnum):
    """The door through which a message came."""

    HTTP = "http"
    SMTP = "smtp"


class Script(Choice):
    """The scripts that answer; a fault can be bound to one of them."""

    SEND = "send"
    STATUS = "status"
    BALANCE = "balance"
    INFO = "info"
    GET = "get"
    WAIT_CALL = "wait_call"


class CallbackKind(Choice):
    """What the application is called back about; each kind has its own address."""

    STATUS = "status"
    """A message has a new status."""
    INCOMING = "incoming"
    """Somebody has sent a message to a number of the account."""
    CALL = "call"
    """Somebody has called the number that ``wait_call.php`` gave out."""


class Status(IntEnum):
    """What became of a message."""

    NOT_FOUND = -3
    STOPPED = -2
    WAITING = -1
    PASSED = 0
    DELIVERED = 1
    READ = 2
    EXPIRED = 3
    CLICKED = 4
    SPAM = 6
    FAILED = 20
    WRONG_NUMBER = 22
    FORBIDDEN = 23
    NO_MONEY = 24
    UNREACHABLE = 25

    @classmethod
    def _missing_(cls, value: object) -> Self:
        raise ValueError(f"{value!r} is not a Status; known: {', '.join(map(str, cls))}")

    @property
    def words(self) -> str:
        """The name of the status as ``status_name`` gives it (the wording is ours)."""
        return _STATUS_WORDS[self]


_STATUS_WORDS: Mapping[Status, str] = {
    Status.NOT_FOUND: "Сообщение не найдено",
    Status.STOPPED: "Остановлено",
    Status.WAITING: "Ожидает отправки",
    Status.PASSED: "Передано оператору",
    Status.DELIVERED: "Доставлено",
    Status.READ: "Прочитано",
    Status.EXPIRED: "Просрочено",
    Status.CLICKED: "Нажата ссылка",
    Status.SPAM: "Отклонено спам-фильтром",
    Status.FAILED: "Невозможно доставить",
    Status.WRONG_NUMBER: "Неверный номер",
    Status.FORBIDDEN: "Запрещено",
    Status.NO_MONEY: "Недостаточно средств",
    Status.UNREACHABLE: "Недоступный номер",
}


class ErrorCode(IntEnum):
    """The error numbers of ``send.php``, most of them shared by the other scripts."""

    PARAMETERS = 1
    AUTHORISATION = 2
    NO_MONEY = 3
    BLOCKED = 4
    DATE = 5
    DENIED = 6
    NUMBER = 7
    UNDELIVERABLE = 8
    TOO_OFTEN = 9

    # Three scripts use a number of their own meaning.
    OPERATOR_NOT_FOUND = 3
    NO_MESSAGES = 3
    NOT_DELETED = 5

    @property
    def text(self) -> str:
        """The sentence beside the number; those of 1 and 5 are not known and are ours."""
        return _ERROR_TEXTS[self]

    @property
    def final_status(self) -> Status:
        """The status of a message that was registered although it was refused (our choice)."""
        return _REFUSED_STATUSES.get(self, Status.FAILED)


_ERROR_TEXTS: Mapping[ErrorCode, str] = {
    ErrorCode.PARAMETERS: "parameters error",
    ErrorCode.AUTHORISATION: "authorise error",
    ErrorCode.NO_MONEY: "no money",
    ErrorCode.BLOCKED: "ip is blocked",
    ErrorCode.DATE: "invalid date format",
    ErrorCode.DENIED: "message is denied",
    ErrorCode.NUMBER: "invalid number",
    ErrorCode.UNDELIVERABLE: "can't to deliver",
    ErrorCode.TOO_OFTEN: "duplicate request, wait a minute",
}

_REFUSED_STATUSES: Mapping[ErrorCode, Status] = {
    ErrorCode.NO_MONEY: Status.NO_MONEY,
    ErrorCode.DENIED: Status.FORBIDDEN,
    ErrorCode.NUMBER: Status.WRONG_NUMBER,
    ErrorCode.UNDELIVERABLE: Status.UNREACHABLE,
}

NO_MESSAGES = "no messages"
TOO_MANY_AT_ONCE = "too many concurrent requests"


class Refused(Exception):
    """The gateway says no: a number, its text, and the id if one was given out."""

    def __init__(
        self, code: ErrorCode, text: str | None = None, message_id: MessageId | None = None
    ) -> None:
        super().__init__(code)
        self.code = code
        self.text = text or code.text
        self.message_id = message_id


@frozen
class File:
    """A file of a multipart request."""

    name: str
    content: bytes = field(repr=lambda content: f"<{len(content)} bytes>")


@frozen(kw_only=True)
class Request:
    """A decoded question to the gateway, whichever door it came through."""

    script: Script
    params: Mapping[str, str]
    files: tuple[File, ...] = ()
    transport: Transport = Transport.HTTP
    client: str = "127.0.0.1"


@frozen
class Step:
    """From ``at`` (unix seconds) on the message has this status."""

    at: float
    status: Status
    err: int | None = None


@frozen(kw_only=True)
class CaughtMessage:
    """One message to one recipient, as it stood when it was asked for."""

    serial: int
    """Position among all messages since the start, from 1; unlike the id it is unique."""
    id: MessageId
    phone: str
    """Number without ``+``, or e-mail address, or nickname."""
    text: str
    """As the recipient sees it; for ``bin=1`` one character per byte."""
    channel: Channel
    sender: str | None
    params: Mapping[str, str]
    """The other parameters of the request, without the credentials."""
    files: tuple[File, ...]
    transport: Transport
    received_at: datetime
    send_at: datetime
    parts: int
    cost: Decimal
    error: ErrorCode | None = None
    """Set when the request was refused and yet an id was given out."""
    comment: str = ""
    code: str | None = None
    """The code that the gateway made up for ``mes=code&call=1``."""
    deleted: bool = False
    steps: tuple[Step, ...] = field(repr=False)
    status: Status = Status.WAITING
    err: int | None = None
    changed_at: float = 0.0
    """Unix time of the last change of the status."""

    def at(self, now: float) -> "CaughtMessage":
        """Return the message with the status it has at ``now``."""
        step = [step for step in self.steps if step.at <= now or step is self.steps[0]][-1]
        return evolve(self, status=step.status, err=step.err, changed_at=step.at)
