"""What can be set on the emulator."""

from datetime import timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from attrs import Attribute, field, frozen
from attrs.validators import ge, gt

_MOSCOW_HOURS = 3


class SendField(StrEnum):
    """What may be compared to find out whether a send repeats an earlier one."""

    CHANNEL = "channel"
    PHONES = "phones"
    TEXT = "text"
    SENDER = "sender"
    ID = "id"
    TIME = "time"
    SUBJECT = "subject"


_IDENTICAL_BY = frozenset({SendField.CHANNEL, SendField.PHONES, SendField.TEXT, SendField.SENDER})


def check_address(value: object) -> None:
    """Refuse what no callback can be posted to. It is not repeated, for it may hold a secret."""
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("it is no address; write one like http://host:8000/path?sha1=<secret>")


def _is_address(_instance: object, attribute: "Attribute[str | None]", value: object) -> None:
    try:
        if value is not None:
            check_address(value)
    except ValueError as exc:
        raise ValueError(f"{attribute.name}: {exc}") from None


def address() -> Any:
    """Return a field for the address of a handler; None: there is none."""
    return field(default=None, validator=_is_address)


@frozen(kw_only=True)
class Settings:
    """One account and the rules of its gateway."""

    login: str = "test"
    password: str = "test"
    api_key: str = "test-key"

    balance: Decimal = Decimal("1000.00")
    credit: Decimal = Decimal(0)
    currency: str = "RUR"
    price: Decimal = Decimal("1.20")
    """Of one part, on every channel."""

    hand_over_s: float = field(default=1.0, validator=ge(0))
    """From acceptance (or the appointed time) to status 0, in seconds."""
    delivery_s: float = field(default=2.0, validator=ge(0))
    """From each status to the next one after that, in seconds."""
    late_s: float = field(default=10.0, validator=ge(0))
    """How long ``status.php`` does not know a message to the recipient ``late``, in seconds."""

    speed: float = field(default=1.0, validator=gt(0))
    """How fast the gateway's clock goes against the machine's; 20: a minute takes three seconds.

    Only without a clock of your own. All seconds here and in the requests are of that clock.
    """

    rate_rules: bool = True
    """Off: no blocking, no duplicate check, no limit on queries or simultaneous requests."""
    rate_minute_s: float = field(default=60.0, validator=gt(0))
    """How long a minute of the rate rules is, in seconds of the gateway's clock.

    ``60 * speed`` measures the client by its own minutes.
    """
    identical_by: frozenset[SendField] = _IDENTICAL_BY
    """What two sends must have in common to be the same send; the vendor does not say."""
    virtual: bool = False
    """The account is in test mode: messages are free and end with err 200."""
    zone_hours: int = field(default=0)
    """Zone of the account, in hours relative to Moscow."""

    callback_url: str | None = address()
    """Where statuses go; ``charset``, ``fmt`` and the secret stand in its query."""
    incoming_url: str | None = address()
    """Where incoming messages go, likewise; it may be the same."""
    calls_url: str | None = address()
    """Where it goes that an awaited call came in, likewise; it may be the same."""
    callback_attempts: int = field(default=3, validator=ge(1))
    callback_pause_s: float = field(default=60.0, validator=ge(0))
    """Between two attempts at one receipt, in seconds."""
    callback_passed: bool = False
    """Also report status 0, not only those that follow it."""
    callback_at_once: int = field(default=1, validator=ge(1))
    """How many callbacks may be under way at the same time; 1 keeps them in their order."""
    secret_stripped: bool = False
    """Leave the secret out of the address that is called; the vendor does not say."""
    receipt_late_s: float = field(default=30.0, validator=ge(0))
    """How late a receipt comes that is delayed or shuffled, unless told otherwise, in seconds."""

    call_number: str = "79990009999"
    """The number that ``wait_call.php`` gives out."""
    answers_newest_first: bool = False
    """Of the incoming messages tell the newest, newest first; the vendor does not say."""
    empty_inbox_refused: bool = True
    """Answer error 3 when there is no incoming message, else an empty list."""

    @property
    def zone(self) -> timezone:
        """The zone of the account."""
        return moscow_zone(self.zone_hours)


def moscow_zone(hours: float) -> timezone:
    """Return the zone that is ``hours`` ahead of Moscow."""
    return timezone(timedelta(hours=_MOSCOW_HOURS + hours))
