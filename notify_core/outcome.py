"""What a call to a provider told us, and what became of a message afterwards.

The four outcomes are the centre of the framework: *accepted*, *refused*, *not sent* and
*unknown* are different facts with different consequences, and no bool can tell them apart.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import TypeAlias

import attrs
from attrs.validators import instance_of, optional


def _check_pause(_outcome: object, _attribute: object, seconds: float | None) -> None:
    given = seconds is not None
    if given and not (isinstance(seconds, int | float) and 0 <= seconds <= _A_YEAR_S):
        raise ValueError("retry_after_s is a pause in seconds, from 0 to a year")


_A_YEAR_S = 366 * 86_400.0
_A_TEXT = instance_of(str)
_A_TEXT_OR_NONE = optional(_A_TEXT)
_MONEY_OR_NONE = optional(instance_of(Decimal))


def _check_raw(_owner: object, _attribute: object, raw: object) -> None:
    if not isinstance(raw, Mapping):
        raise TypeError("raw maps names to values")


class RefusalScope(enum.Enum):
    """What a refusal is about, and so how far it reaches."""

    RECIPIENT = "recipient"
    """This address: another channel may still reach the person."""
    CONTENT = "content"
    """This text, sender or parameter: it would be refused again unchanged."""
    ACCOUNT = "account"
    """This account may not, or this provider cannot: another one may."""


class FailureScope(enum.Enum):
    """What stood in the way of a message that certainly did not leave."""

    PROVIDER = "provider"
    """The provider is out of reach or out of order; counts against its health."""
    ACCOUNT = "account"
    """Credentials, balance or a block: stops the provider at once, for everything."""
    THROTTLED = "throttled"
    """Too many at once: says nothing against the provider, wants a pause."""
    WITHHELD = "withheld"
    """We kept it back: its time had not come or was over, or somebody cancelled it."""


class State(enum.Enum):
    """What became of a message, in words that are the same for every provider."""

    WAITING = "waiting"
    """The provider holds it: scheduled, queued or on its way to the operator."""
    PAUSED = "paused"
    """Stopped before it left; somebody can resume it."""
    SENT = "sent"
    """Handed to the operator; no receipt yet."""
    DELIVERED = "delivered"
    """Reached the device or mailbox."""
    READ = "read"
    """Opened by the recipient."""
    CLICKED = "clicked"
    """A link in it was opened."""
    EXPIRED = "expired"
    """Its validity ended first."""
    UNDELIVERED = "undelivered"
    """The attempt to deliver it failed."""
    REJECTED = "rejected"
    """Forbidden by the operator, a filter, a list or a limit."""
    SIMULATED = "simulated"
    """The account is in test mode: nothing was delivered."""
    NOT_FOUND = "not_found"
    """The provider knows no such message: an answer to a query, not a fate."""
    UNKNOWN = "unknown"
    """A code that this version does not know; never counted as delivered or failed."""


@attrs.frozen(kw_only=True)
class Receipt:
    """Proof of acceptance, as far as the provider gives one.

    ``own_id`` is the id that we chose and sent along, ``provider_id`` the one to quote to the
    provider's support. Money is in ``currency`` where the provider tells it. ``raw`` is the
    provider's own answer, credentials excluded; it is kept out of the ``repr``.
    """

    provider: str = attrs.field(validator=_A_TEXT)
    address: str = attrs.field(repr=False, validator=_A_TEXT)
    own_id: str | None = attrs.field(default=None, validator=_A_TEXT_OR_NONE)
    provider_id: str | None = attrs.field(default=None, validator=_A_TEXT_OR_NONE)
    parts: int | None = attrs.field(default=None, validator=optional(instance_of(int)))
    cost: Decimal | None = attrs.field(default=None, validator=_MONEY_OR_NONE)
    balance: Decimal | None = attrs.field(default=None, validator=_MONEY_OR_NONE)
    currency: str | None = attrs.field(default=None, validator=_A_TEXT_OR_NONE)
    raw: Mapping[str, object] = attrs.field(factory=dict, repr=False, validator=_check_raw)


@attrs.frozen
class Accepted:
    """The provider took the message."""

    receipt: Receipt = attrs.field(validator=instance_of(Receipt))

    def __str__(self) -> str:
        provider_id = self.receipt.provider_id or self.receipt.own_id
        return f"accepted as {provider_id}" if provider_id else "accepted"


@attrs.frozen
class Refused:
    """Certain and permanent: this message, as it is, will not go this way.

    ``code`` is the provider's own number or word. ``receipt`` is there when the provider
    registered the refused message under an id.
    """

    reason: str
    scope: RefusalScope = attrs.field(validator=instance_of(RefusalScope))
    code: str | None = None
    receipt: Receipt | None = None

    def __str__(self) -> str:
        return f"refused ({self.scope.value}): {self.reason}"


@attrs.frozen
class NotSent:
    """Certain that nothing went out; it may work later or elsewhere.

    ``retry_after_s`` is the pause that the provider asked for, in seconds.
    """

    reason: str
    scope: FailureScope = attrs.field(validator=instance_of(FailureScope))
    retry_after_s: float | None = attrs.field(default=None, validator=_check_pause)
    code: str | None = None

    def __str__(self) -> str:
        return f"not sent ({self.scope.value}): {self.reason}"


@attrs.frozen
class Unknown:
    """It may have gone. Never sent again because of doubt; the provider is asked instead.

    ``raw`` is what the provider wants to be told when it is asked: it comes back to it in the
    ``raw`` of the receipt. ``provider_id`` is the id under which it will tell of the message by
    itself, if it took it and that is known.
    """

    reason: str
    code: str | None = None
    raw: Mapping[str, object] = attrs.field(factory=dict, repr=False)
    provider_id: str | None = attrs.field(default=None, validator=_A_TEXT_OR_NONE)

    def __str__(self) -> str:
        return f"unknown: {self.reason}"


Outcome: TypeAlias = Accepted | Refused | NotSent | Unknown


@attrs.frozen(kw_only=True)
class Status:
    """What became of one message, as the provider last told it.

    ``code`` and ``error`` are the provider's own values beside the normalised ``state``;
    ``detail`` is the provider's wording. ``final`` says that no later status is expected
    other than *read* or *clicked*. ``at`` is when the provider saw the change, in UTC.
    ``provider_id`` is the provider's id of the message, where it tells one.
    """

    state: State = attrs.field(validator=instance_of(State))
    final: bool = False
    code: str | None = attrs.field(default=None, validator=_A_TEXT_OR_NONE)
    error: str | None = attrs.field(default=None, validator=_A_TEXT_OR_NONE)
    detail: str = attrs.field(default="", validator=_A_TEXT)
    at: datetime | None = attrs.field(default=None, validator=optional(instance_of(datetime)))
    provider_id: str | None = attrs.field(default=None, validator=_A_TEXT_OR_NONE)
    raw: Mapping[str, object] = attrs.field(factory=dict, repr=False, validator=_check_raw)


ARRIVED_STATES = frozenset({State.DELIVERED, State.READ, State.CLICKED})
"""The states of a message that has reached the recipient."""

_RANK: Mapping[State, int] = MappingProxyType(
    {
        State.NOT_FOUND: 0,
        State.UNKNOWN: 1,
        State.WAITING: 2,
        State.PAUSED: 2,
        State.SENT: 3,
        State.EXPIRED: 4,
        State.REJECTED: 4,
        State.UNDELIVERED: 4,
        State.DELIVERED: 5,
        # An account in test mode delivers nothing, though it says so.
        State.SIMULATED: 6,
        State.READ: 7,
        State.CLICKED: 8,
    }
)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def advanced(known: Status | None, told: Status) -> Status:
    """Return the later of two statuses: a status never moves backwards.

    Whatever the order in which statuses are told, and however often, the same one is left: the
    one that is furthest, among equals one that is final, and among these the one that the provider
    saw last.
    """
    return told if known is None or _place(told) > _place(known) else known


def _place(status: Status) -> tuple[object, ...]:
    return (
        _RANK[status.state],
        status.final,
        _seen_at(status),
        status.state.value,
        status.code or "",
        status.error or "",
        status.detail,
        status.provider_id or "",
    )


def _seen_at(status: Status) -> datetime:
    """Return when the provider saw it; a time without a zone is in UTC, as it should say."""
    if status.at is None:
        return _LONG_AGO
    return status.at if status.at.tzinfo else status.at.replace(tzinfo=UTC)


@attrs.frozen(kw_only=True)
class Estimate:
    """What a message would cost. Money is in ``currency`` where the provider tells it."""

    provider: str
    cost: Decimal
    parts: int | None = None
    currency: str | None = None


@attrs.frozen(kw_only=True)
class Account:
    """What a provider says of our account when it is asked whether it works."""

    provider: str
    balance: Decimal | None = None
    credit: Decimal | None = None
    currency: str | None = None
