"""The record of a send: attempts, legs, deliveries and the report that holds them."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

import attrs

from notify_core.contact import Contact
from notify_core.errors import DeliveryError
from notify_core.outcome import (
    ARRIVED_STATES,
    Accepted,
    NotSent,
    Outcome,
    Receipt,
    Refused,
    Status,
    Unknown,
)
from notify_core.text import PartCount


@attrs.frozen(kw_only=True)
class Attempt:
    """One call to one provider.

    It is open (``answer`` is None) from before the request leaves until the call has returned.
    ``own_id`` is the id under which the provider can be asked; it is the same for all attempts
    of one leg, and of no other, so that an attempt repeated after a certain absence is known to
    the provider as the same message. ``resolved`` is what asking found out about an unknown
    answer, and ``status`` what the provider said of the message then.
    """

    id: str
    delivery_id: str
    own_id: str
    number: int
    provider: str
    channel: str
    address: str = attrs.field(repr=False)
    address_kind: str
    started_at: datetime
    answer: Outcome | None = None
    resolved: Outcome | None = None
    status: Status | None = None
    finished_at: datetime | None = None

    @property
    def outcome(self) -> Outcome | None:
        """What is known now: the resolution if there is one, else the answer."""
        return self.resolved or self.answer


@attrs.frozen
class Skip:
    """A provider that was not tried, and why."""

    provider: str
    reason: str


@attrs.frozen(kw_only=True)
class LegResult:
    """What happened on one leg.

    ``parts`` is our own count, made before sending; ``status`` what became of the message, as
    far as anybody knows. ``given_up`` says that the receipt it waited for did not come in time,
    and ``distrusted`` that receipts of its provider are not believed for this recipient.
    """

    channel: str
    outcome: Outcome
    attempts: tuple[Attempt, ...] = ()
    skipped: tuple[Skip, ...] = ()
    parts: PartCount | None = None
    status: Status | None = None
    given_up: bool = False
    distrusted: bool = False

    @property
    def arrived(self) -> bool:
        """True when a receipt that is believed says that the message reached the recipient."""
        is_told = self.status is not None and self.status.state in ARRIVED_STATES
        return is_told and not self.distrusted

    @property
    def late(self) -> bool:
        """True when it arrived after it had been given up."""
        return self.given_up and self.arrived

    @property
    def may_arrive(self) -> bool:
        """True when it was given up and nothing says that it will not arrive."""
        is_over = self.status is not None and self.status.final and not self.distrusted
        return self.given_up and not is_over and isinstance(self.outcome, Accepted | Unknown)


class Stage(enum.Enum):
    """Whether anything is still to be done for a delivery."""

    UNDER_WAY = "under_way"
    """Something is: an attempt, a question, or waiting for its time. A worker carries it on."""
    HELD = "held"
    """Nothing is done until somebody decides: it may have gone, or somebody holds it."""
    ENDED = "ended"
    """Nothing is left to do."""


def stage_after(outcome: Outcome) -> Stage:
    """Return the stage of a delivery of which no more will be done, and which stands so."""
    return Stage.HELD if isinstance(outcome, Unknown) else Stage.ENDED


@attrs.frozen(kw_only=True, repr=False)
class Delivery:
    """One message to one recipient: its route, its legs and how it stands.

    ``outcome`` is what is known now; while the delivery is under way it may still change, and
    ``next_at`` is when it is carried on. ``all_of`` says that the route wanted every leg.
    ``warnings`` are things the caller should know although the message went: a number that was
    normalised, a character that doubles the parts, a picture that an adaptation dropped, a leg or
    a provider that was left out.
    """

    id: str
    message_id: str
    recipient: Contact
    route: str
    legs: tuple[LegResult, ...]
    outcome: Outcome
    warnings: tuple[str, ...] = ()
    all_of: bool = False
    stage: Stage = attrs.field(
        default=attrs.Factory(lambda self: stage_after(self.outcome), takes_self=True)
    )
    next_at: datetime | None = None

    @property
    def accepted(self) -> bool:
        """True when a provider took it; False says nothing about the three other outcomes."""
        return isinstance(self.outcome, Accepted)

    @property
    def held(self) -> bool:
        """True when somebody must look: it may have gone and nobody could say, or it is held."""
        return self.stage is Stage.HELD

    @property
    def under_way(self) -> bool:
        """True while a worker has something left to do; do not send it again."""
        return self.stage is Stage.UNDER_WAY

    @property
    def partly(self) -> bool:
        """True when a leg of ``all_of`` was accepted though the whole was not."""
        return not self.accepted and bool(self.receipts)

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """All attempts of all legs, in order."""
        return tuple(attempt for leg in self.legs for attempt in leg.attempts)

    @property
    def status(self) -> Status | None:
        """What became of it, or None if nobody knows anything yet.

        That of the leg that arrived, else of the last one that may have gone, else of the last
        one that has a status; of ``all_of`` that of the first leg that has one.
        """
        telling = self._telling()
        gone = [leg for leg in telling if isinstance(leg.outcome, Accepted | Unknown)]
        known = [leg.status for leg in telling if leg.status is not None]
        if gone and not self.all_of:
            return gone[0].status
        return known[0] if known else None

    @property
    def late(self) -> tuple[LegResult, ...]:
        """The legs that arrived after they had been given up; their cost is in ``cost`` too."""
        return tuple(leg for leg in self.legs if leg.late)

    @property
    def receipts(self) -> tuple[Receipt, ...]:
        """The receipts of all legs that were accepted; one unless the route says ``all_of``."""
        outcomes = [leg.outcome for leg in self.legs]
        return tuple(outcome.receipt for outcome in outcomes if isinstance(outcome, Accepted))

    @property
    def receipt(self) -> Receipt | None:
        """The receipt of the leg that arrived, else of the last one accepted, or None.

        Of ``all_of`` it is the first one.
        """
        outcomes = [leg.outcome for leg in self._telling()]
        return next((each.receipt for each in outcomes if isinstance(each, Accepted)), None)

    @property
    def channel(self) -> str | None:
        """The channel of the leg that ``receipt`` is of, or None."""
        telling = self._telling()
        return next((leg.channel for leg in telling if isinstance(leg.outcome, Accepted)), None)

    @property
    def provider(self) -> str | None:
        """The provider that accepted it, or None."""
        return self.receipt.provider if self.receipt else None

    @property
    def provider_id(self) -> str | None:
        """The provider's id of the message, or None."""
        return self.receipt.provider_id if self.receipt else None

    @property
    def parts(self) -> int | None:
        """The parts that the provider counted, over all receipts, or None if it told none."""
        counted = [receipt.parts for receipt in self.receipts if receipt.parts is not None]
        return sum(counted) if counted else None

    @property
    def cost(self) -> Decimal | None:
        """What it cost, over all receipts, or None if no provider told."""
        costs = [receipt.cost for receipt in self.receipts if receipt.cost is not None]
        return sum(costs, Decimal()) if costs else None

    @property
    def balance(self) -> Decimal | None:
        """The balance that the provider told last, or None."""
        told = [receipt.balance for receipt in self.receipts if receipt.balance is not None]
        return told[-1] if told else None

    def _telling(self) -> Sequence[LegResult]:
        """Return the legs in the order in which they say how the delivery stands."""
        if self.all_of:
            return self.legs
        arrived = [leg for leg in self.legs if leg.arrived]
        return [*arrived, *reversed(self.legs)]

    def __str__(self) -> str:
        way = f" by {self.channel} via {self.provider}" if self.receipts else ""
        part = " in part, the rest" if self.partly else ""
        on = "; carried on by a worker" if self.under_way else ""
        return f"{self.recipient}{way} (route {self.route}){part}: {self.outcome}{on}"

    def __repr__(self) -> str:
        return f"<Delivery {self.id} to {self}>"


def stands_otherwise(before: Delivery, after: Delivery) -> bool:
    """Tell whether listeners are told of a change: of the outcome, the stage or a status."""
    return _standing(before) != _standing(after)


def _standing(delivery: Delivery) -> tuple[object, ...]:
    statuses = [leg.status for leg in delivery.legs]
    return type(delivery.outcome), delivery.stage, statuses


@attrs.frozen(kw_only=True, repr=False)
class Report:
    """What became of a send: one delivery per recipient, in the order of ``message.to``."""

    message_id: str
    deliveries: tuple[Delivery, ...]

    @property
    def ok(self) -> bool:
        """True when every delivery was accepted."""
        return all(delivery.accepted for delivery in self.deliveries)

    @property
    def failed(self) -> tuple[Delivery, ...]:
        """The deliveries of which certainly nothing went, nor will: refused or not sent."""
        return tuple(
            delivery
            for delivery in self.deliveries
            if isinstance(delivery.outcome, Refused | NotSent)
            and delivery.stage is Stage.ENDED
            and not delivery.partly
        )

    @property
    def partly(self) -> tuple[Delivery, ...]:
        """The deliveries of which some legs were accepted and others not. Do not repeat them."""
        return tuple(delivery for delivery in self.deliveries if delivery.partly)

    @property
    def held(self) -> tuple[Delivery, ...]:
        """The deliveries that may have gone, or are held. Do not send them again; look them up."""
        return tuple(delivery for delivery in self.deliveries if delivery.held)

    @property
    def under_way(self) -> tuple[Delivery, ...]:
        """The deliveries that a worker carries on. Do not send them again."""
        return tuple(delivery for delivery in self.deliveries if delivery.under_way)

    def raise_for_failure(self) -> None:
        """Raise ``DeliveryError`` unless every delivery was accepted."""
        if not self.ok:
            raise DeliveryError(self)

    def __iter__(self) -> Iterator[Delivery]:
        return iter(self.deliveries)

    def __len__(self) -> int:
        return len(self.deliveries)

    def __str__(self) -> str:
        return "\n".join([self._head(), *(f"  {delivery}" for delivery in self.deliveries)])

    def __repr__(self) -> str:
        return f"<Report {self._head()}>"

    def _head(self) -> str:
        accepted = sum(delivery.accepted for delivery in self.deliveries)
        return f"message {self.message_id}: {accepted} of {len(self)} accepted"
