"""What the gateway answers, as values; `formats` writes them down."""

from datetime import timezone
from decimal import Decimal

from attrs import frozen

from .incoming import IncomingMessage
from .model import CaughtMessage, MessageId, Refused
from .operators import Operator
from .orders import CostLevel


@frozen
class PhoneInfo:
    """One line of ``phones`` for ``op=1`` and of ``errors`` for ``err=1``; all strings."""

    phone: str
    mccmnc: str
    cost: str
    status: str
    error: str

    @property
    def fields(self) -> dict[str, str]:
        """The line with the names it has in the answer."""
        return {
            "phone": self.phone,
            "mccmnc": self.mccmnc,
            "cost": self.cost,
            "status": self.status,
            "error": self.error,
        }


@frozen(kw_only=True)
class Sent:
    """The answer to a send or, without an id, to a price query."""

    level: CostLevel
    parts: int
    cost: Decimal
    balance: Decimal
    message_id: MessageId | None = None
    code: str | None = None
    phones: tuple[PhoneInfo, ...] | None = None
    errors: tuple[PhoneInfo, ...] | None = None


@frozen
class Refusal:
    """The answer that says no."""

    code: int
    text: str
    message_id: MessageId | None = None

    @classmethod
    def of(cls, refused: Refused) -> "Refusal":
        """Turn the exception into the answer."""
        return cls(refused.code, refused.text, refused.message_id)


@frozen
class Row:
    """The status of one message; None stands for one that is not found."""

    asked_id: str
    asked_phone: str
    message: CaughtMessage | None


@frozen(kw_only=True)
class Statuses:
    """The answer to a status query; ``level`` is the ``all`` of the question."""

    rows: tuple[Row, ...]
    multiple: bool
    level: int
    zone: timezone


@frozen
class Balance:
    """The answer to a balance query; without currency if it was not asked for."""

    balance: Decimal
    credit: Decimal = Decimal(0)
    currency: str | None = None


@frozen
class OperatorInfo:
    """The answer to ``get_operator``."""

    operator: Operator


@frozen
class Deleted:
    """The answer to a successful ``del=1``."""


@frozen(kw_only=True)
class Inflow:
    """The answer to ``get_answers``: what came in."""

    messages: tuple[IncomingMessage, ...]
    zone: timezone


@frozen
class NumberToCall:
    """The answer of ``wait_call.php``."""

    phone: str


Answer = Sent | Refusal | Statuses | Balance | OperatorInfo | Deleted | Inflow | NumberToCall


def money(amount: Decimal) -> str:
    """Write an amount as the gateway does: a dot and two places."""
    return f"{amount:.2f}"
