"""From a message to the deliveries that it asks for, before anything is written or sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import attrs

from notify_core.config.model import Config, TextAtRest, digest
from notify_core.contact import Contact, mask
from notify_core.errors import JournalError, MessageError, RecipientError, UnsupportedFeature
from notify_core.ids import new_id
from notify_core.journal.codec import GONE, fingerprint, plan_doc
from notify_core.journal.model import ERASED, Entry, Key
from notify_core.message import Message
from notify_core.phones import PhoneNumbers
from notify_core.progress import begin
from notify_core.routing import (
    Catalog,
    Considered,
    Decision,
    Facts,
    Plan,
    RouteTable,
    Subject,
    consider,
    decide,
)


@attrs.frozen
class Replay:
    """A stored delivery, decided once more.

    ``considered`` are the routes that were tried. Of the ``unsure`` ones too little of the number
    is kept to say whether they matched. ``plan`` is None where there is none; ``problem`` says why.
    """

    entry: Entry
    considered: tuple[Considered, ...]
    unsure: tuple[str, ...]
    plan: Plan | None
    problem: str | None = None

    @property
    def route(self) -> str:
        """The name of the route that matched."""
        return self.considered[-1].route

    @property
    def agrees(self) -> bool:
        """Whether the same is decided as then, as far as that can be told."""
        then = self.entry.plan
        if self.plan is None:
            return self.route == then.route
        return self.route == then.route and decided(self.plan) == decided(then)


class Planner:
    """Decides for each recipient of a message, under one configuration."""

    def __init__(self, config: Config, catalog: Catalog) -> None:
        self._table = RouteTable(config.routes)
        self._journal = config.journal
        self._catalog = catalog
        self._phones = PhoneNumbers(config.default_region)
        self._digest = digest(config)
        self._asks_for_country = any(
            route.when.country or any(leg.distrust for leg in route.legs) for route in config.routes
        )
        self._asks_for_zones = any(route.quiet and not route.quiet.zone for route in config.routes)

    def decide(self, message: Message) -> Sequence[Decision]:
        """Return the decision for each recipient. Raises ``MessageError``."""
        subjects = self._subjects(message)
        decisions = [decide(self._table, subject, self._catalog) for subject in subjects]
        _refuse_doubles(decision.plan for decision in decisions)
        return decisions

    def consider(self, message: Message) -> Sequence[tuple[Considered, ...]]:
        """Return, for each recipient, the routes that are tried, whether or not a plan follows.

        Raises ``MessageError`` for what no route is tried for.
        """
        return [consider(self._table.routes, subject.facts) for subject in self._subjects(message)]

    def replay(self, entry: Entry) -> Replay:
        """Decide once more about a stored delivery, from what was known when it was made.

        Raises ``JournalError`` if too little of it is kept.
        """
        facts = self._facts_of(entry)
        tried = consider(self._table.routes, facts)
        unsure = tuple(_unsure(tried, facts))
        try:
            return Replay(entry, tried, unsure, self._planned_again(entry, facts))
        except MessageError as error:
            return Replay(entry, tried, unsure, None, str(error))

    def _planned_again(self, entry: Entry, facts: Facts) -> Plan:
        if entry.message is GONE or entry.plan.recipient == ERASED:
            raise MessageError("what the message says, or to whom it went, is no longer kept")
        phone = entry.plan.recipient.phone
        subject = Subject(
            delivery_id=entry.id,
            draw=_draw(entry.plan.message_id, entry.number),
            message=entry.message,
            recipient=entry.plan.recipient,
            facts=facts,
            zones=self._zones(phone) if phone else (),
        )
        return decide(self._table, subject, self._catalog).plan

    def _facts_of(self, entry: Entry) -> Facts:
        """Return what the routes were tried with, with the whole number where it is still kept."""
        phone, kept = entry.plan.recipient.phone, entry.plan.facts
        if kept is None:  # stored by an earlier version
            if entry.message is GONE:
                raise JournalError(f"of delivery {entry.id} nothing is kept that a route looks at")
            return self._facts(entry.message, entry.plan.recipient)
        if phone is None:
            return kept
        country = kept.country or self._country(phone)
        return attrs.evolve(kept, number=phone, country=country)

    def _subjects(self, message: Message) -> Sequence[Subject]:
        if not isinstance(message, Message):
            raise MessageError(f"one message is sent at a time, not {type(message).__name__}")
        if not message.to:
            raise RecipientError("the message has no recipient; set `to`")
        if message.key is not None and self._journal is None:
            raise UnsupportedFeature("key: no journal can remember it; leave it out")
        if message.send_at is not None and self._keeps_no_text():
            raise UnsupportedFeature("send_at: with journal.text: never nothing can be sent later")
        return [
            self._subject(message, contact, number)
            for number, contact in enumerate(message.contacts(), start=1)
        ]

    def _keeps_no_text(self) -> bool:
        return self._journal is not None and self._journal.text is TextAtRest.NEVER

    def entries(self, message: Message, now: datetime) -> Sequence[Entry]:
        """Return the deliveries as they stand before anything has happened to them."""
        plans = [decision.plan for decision in self.decide(message)]
        key = self._key(message, plans[0].delivery_id, now)
        return [
            self._entry(message, plan, number, key, now)
            for number, plan in enumerate(plans, start=1)
        ]

    def _entry(
        self, message: Message, plan: Plan, number: int, key: Key | None, now: datetime
    ) -> Entry:
        entry = Entry(
            message=message,
            plan=plan,
            progress=begin(plan),
            config=self._digest,
            created_at=now,
            number=number,
            priority=message.priority,
            due_at=now,
            owner=_HERE,
            key=key,
        )
        limits = [limit for limit in (plan.deadline, message.valid_for) if limit is not None]
        deadline = entry.begins_at + min(limits) if limits else None
        return attrs.evolve(entry, deadline_at=deadline)

    def _key(self, message: Message, content_id: str, now: datetime) -> Key | None:
        if message.key is None or self._journal is None:
            return None
        until = now + self._journal.keys
        return Key(message.key, message.id, content_id, fingerprint(message), until)

    def _subject(self, message: Message, given: Contact, number: int) -> Subject:
        contact = given
        zones: tuple[str, ...] = ()
        warnings: tuple[str, ...] = ()
        if given.phone is not None:
            phone = self._phones.normalise(given.phone)
            contact = attrs.evolve(given, phone=phone.number)
            zones = self._zones(phone.number)
            if phone.rewritten:
                warnings = (
                    f"the number was written otherwise and is sent as {mask(phone.number)}",
                )
        return Subject(
            # Not made from the id of the message: that can be sent again, or changed and sent,
            # and each time the provider must be able to tell which one we ask about.
            delivery_id=new_id(),
            draw=_draw(message.id, number),
            message=message,
            recipient=contact,
            facts=self._facts(message, contact),
            zones=zones,
            warnings=warnings,
        )

    def _facts(self, message: Message, contact: Contact) -> Facts:
        return Facts(
            channel=message.channel,
            tags=message.tags,
            priority=message.priority.name.lower(),
            sender=message.sender,
            number=contact.phone,
            country=self._country(contact.phone) if contact.phone else None,
            domain=contact.email.rpartition("@")[2].lower() if contact.email else None,
        )

    def _country(self, number: str) -> str | None:
        return self._phones.country(number) if self._asks_for_country else None

    def _zones(self, number: str) -> tuple[str, ...]:
        return self._phones.zones(number) if self._asks_for_zones else ()


def decided(plan: Plan) -> Mapping[str, object]:
    """Return what of a plan its route and the message decide."""
    doc = plan_doc(plan)
    return {key: value for key, value in doc.items() if key not in ("facts", "warnings")}


def _draw(message_id: str, number: int) -> str:
    return f"{message_id}-{number}"


def _unsure(tried: Iterable[Considered], facts: Facts) -> Iterator[str]:
    """Yield the routes of which too little of a number is kept to say whether they matched."""
    for considered in tried:
        failed = [check for check in considered.checks if not check.held]
        if failed and not any(facts.leaves_failing(check) for check in failed):
            yield considered.route


_HERE = "here"
"""The owner of a delivery that is carried out where it was made."""


def _refuse_doubles(plans: Iterable[Plan]) -> None:
    seen: set[tuple[str, str]] = set()
    for plan in plans:
        ways = {(leg.channel, leg.address) for leg in plan.legs}
        if not seen.isdisjoint(ways):
            raise RecipientError(f"{plan.recipient} is named twice; each gets one message")
        seen |= ways
