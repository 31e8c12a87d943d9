"""What an address of the application is told, as JSON. Pure.

Addresses are masked, and there is no text: neither what a message says nor the free words of a
provider, which may quote it. The application knows the delivery by its id, and asks us for more.
Keys are added, never renamed.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

import attrs

from notify_core.callback import Incoming
from notify_core.contact import mask
from notify_core.delivery import Delivery, LegResult
from notify_core.journal.codec import dumps, outcome_word
from notify_core.outcome import Accepted, NotSent, Outcome, Refused, Status

Shape: TypeAlias = dict[str, Any]

_ID_DIGITS = 32


class EventType(enum.Enum):
    """What an address is told of."""

    STATUS_CHANGED = "delivery.status_changed"
    """A delivery stands otherwise than it did."""
    MESSAGE_RECEIVED = "message.received"
    """Somebody has sent us something."""
    TEST = "webhook.test"
    """Nothing has happened: somebody tries whether the address can be told."""


@attrs.frozen(kw_only=True)
class Event:
    """Something to tell: of what it is ``about``, that it has come to stand so.

    ``stands`` is all that makes one standing another than the one before. One that is not
    ``news`` is told only to who was told something of it before, which is true no longer.
    """

    type: EventType
    about: str
    stands: object = None
    news: bool = True
    data: Mapping[str, object]

    @property
    def standing(self) -> str:
        """A word for how it stands: the same for the same standing."""
        return _digest(self.stands)

    def is_told_after(self, last: str | None) -> bool:
        """Tell whether it is told to who was told ``last`` that something stands so."""
        return self.news if last is None else last != self.standing

    def id_at(self, url: str, since: int) -> str:
        """Return the id under which an address is told it, however often that is tried.

        What stands so again is told again, so it takes ``since`` when it does. The id has no full
        stop, which stands between the parts that are signed.
        """
        return "msg_" + _digest([url, self.type.value, self.about, self.standing, since])

    def body(self, now: datetime) -> str:
        """Return what is told: the event and when it came."""
        told = {"type": self.type.value, "timestamp": now.isoformat(), "data": self.data}
        return dumps(told)


def _digest(told: object) -> str:
    return hashlib.sha256(dumps(told).encode()).hexdigest()[:_ID_DIGITS]


# --- deliveries -----------------------------------------------------------------------------


def event_of(delivery: Delivery) -> Event | None:
    """Return what there is to tell of how a delivery stands.

    None while a provider is being called: what comes of that is told a moment later. It is no
    news that nothing has happened to it yet, but that it is held no longer is.
    """
    if delivery.under_way and any(attempt.outcome is None for attempt in delivery.attempts):
        return None
    legs = [_leg_shape(leg) for leg in delivery.legs]
    stands: Shape = {
        "stage": delivery.stage.value,
        "outcome": outcome_word(delivery.outcome),
        "legs": [_marks_of(leg) for leg in delivery.legs],
    }
    return Event(
        type=EventType.STATUS_CHANGED,
        about=delivery.id,
        stands=stands,
        news=bool(delivery.attempts) or not delivery.under_way,
        data=_delivery_shape(delivery) | {"legs": legs},
    )


def _marks_of(leg: LegResult) -> Sequence[object]:
    status = leg.status
    became = None if status is None else [status.state.value, status.final]
    return [leg.channel, outcome_word(leg.outcome), became, leg.given_up]


def _delivery_shape(delivery: Delivery) -> Shape:
    currencies = [receipt.currency for receipt in delivery.receipts if receipt.currency]
    return {
        "delivery_id": delivery.id,
        "message_id": delivery.message_id,
        "recipient": str(delivery.recipient),
        "route": delivery.route,
        "channel": delivery.channel,
        "provider": delivery.provider,
        "provider_id": delivery.provider_id,
        "stage": delivery.stage.value,
        **_outcome_shape(delivery.outcome),
        "status": _status_shape(delivery.status),
        "late": bool(delivery.late),
        "parts": delivery.parts,
        "cost": None if delivery.cost is None else str(delivery.cost),
        "currency": currencies[0] if currencies else None,
    }


def _leg_shape(leg: LegResult) -> Shape:
    return {
        "channel": leg.channel,
        "provider": _provider_of(leg),
        **_outcome_shape(leg.outcome),
        "status": _status_shape(leg.status),
        "given_up": leg.given_up,
        "late": leg.late,
    }


def _provider_of(leg: LegResult) -> str | None:
    if isinstance(leg.outcome, Accepted):
        return leg.outcome.receipt.provider
    return leg.attempts[-1].provider if leg.attempts else None


def _outcome_shape(outcome: Outcome) -> Shape:
    return {
        "outcome": outcome_word(outcome),
        "scope": outcome.scope.value if isinstance(outcome, Refused | NotSent) else None,
        "code": None if isinstance(outcome, Accepted) else outcome.code,
    }


def _status_shape(status: Status | None) -> Shape | None:
    if status is None:
        return None
    return {
        "state": status.state.value,
        "final": status.final,
        "code": status.code,
        "error": status.error,
        "at": _iso(status.at),
    }


# --- messages -------------------------------------------------------------------------------


def event_of_incoming(incoming_id: str, incoming: Incoming, delivery_id: str | None) -> Event:
    """Return what there is to tell of a message of ours; ``delivery_id`` is what it answers."""
    data = {
        "incoming_id": incoming_id,
        "delivery_id": delivery_id,
        "kind": incoming.kind.value,
        "channel": incoming.channel,
        "provider": incoming.provider,
        "provider_id": incoming.provider_id,
        "sender": mask(incoming.sender),
        "to": incoming.to,
        "sent_at": _iso(incoming.sent_at),
        "received_at": _iso(incoming.received_at),
    }
    return Event(type=EventType.MESSAGE_RECEIVED, about=incoming_id, data=data)


def trial(chance: str) -> Event:
    """Return an event that tells nothing but that the address can be told."""
    return Event(type=EventType.TEST, about=chance, data={})


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
