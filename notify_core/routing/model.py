"""A plan and its legs, and what it is made from. Nothing here decides."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import attrs

from notify_core.config.model import Because, IfUnknown, Mode, Quiet, Until
from notify_core.contact import Contact
from notify_core.message import Message
from notify_core.outcome import RefusalScope
from notify_core.provider import Capabilities
from notify_core.routing.facts import Facts
from notify_core.text import PartCount


@attrs.frozen(kw_only=True)
class Leg:
    """One step of a plan, ready to be sent: the message as this channel carries it, and to whom.

    A leg that is given up after a time is worth delivering for no longer: ``expires`` is what the
    provider is told of that, if it can be told. The receipts of ``distrusted`` providers are not
    believed for this recipient.
    """

    channel: str
    message: Message
    address: str = attrs.field(repr=False)
    address_kind: str
    providers: tuple[str, ...]
    until: Until = Until.ACCEPTED
    within: timedelta | None = None
    on: frozenset[Because] = frozenset(Because)
    if_unknown: IfUnknown = IfUnknown.RECONCILE
    expires: timedelta | None = None
    distrusted: frozenset[str] = frozenset()
    parts: PartCount | None = None
    notes: tuple[str, ...] = ()


@attrs.frozen
class LeftOut:
    """A leg of the route that cannot be for this recipient, and why.

    ``allowed`` says that the route foresees it (``needs_alternative``). ``place`` is where the leg
    stands in the route, from 0.
    """

    channel: str
    reason: str
    allowed: bool = False
    place: int = 0


@attrs.frozen(kw_only=True)
class Plan:
    """What will be done for one recipient: a finite list of legs.

    While it is ``quiet`` in one of the ``zones`` no attempt begins. ``facts`` are what the routes
    were tried with, as far as they may be kept; None in a plan that an earlier version stored.
    """

    delivery_id: str
    message_id: str
    recipient: Contact
    route: str
    mode: Mode
    if_unknown: IfUnknown
    next_on: frozenset[RefusalScope]
    deadline: timedelta | None
    legs: tuple[Leg, ...]
    left_out: tuple[LeftOut, ...] = ()
    warnings: tuple[str, ...] = ()
    quiet: Quiet | None = None
    zones: tuple[str, ...] = ()
    facts: Facts | None = None

    @property
    def all_of(self) -> bool:
        """True when every leg is wanted, not the first that does its work."""
        return self.mode is Mode.ALL_OF


@attrs.frozen
class Catalog:
    """What a plan may use: message types by channel, capabilities by provider.

    ``keeps_time`` says that we ourselves wait for the time at which a message is to be sent.
    """

    message_types: Mapping[str, type[Message]]
    capabilities: Mapping[str, Capabilities]
    keeps_time: bool = False


@attrs.frozen(kw_only=True)
class Subject:
    """One recipient of one message, made ready for the decision.

    ``delivery_id`` is new for each send; ``draw`` is the same whenever this message is sent or
    explained for this recipient. ``zones`` are those that the recipient may be in, as far as
    anybody knows.
    """

    delivery_id: str
    draw: str
    message: Message
    recipient: Contact
    facts: Facts
    zones: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
