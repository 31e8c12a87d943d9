"""From a message to the deliveries that it asks for, before anything is written or sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import attrs

from notify_core.config.model import Config, TextAtRest, digest
from notify_core.contact import Contact, mask
from notify_core.errors import MessageError, RecipientError, UnsupportedFeature
from notify_core.ids import new_id
from notify_core.journal.codec import fingerprint
from notify_core.journal.model import Entry, Key
from notify_core.message import Message
from notify_core.phones import PhoneNumbers
from notify_core.progress import begin
from notify_core.routing import Catalog, Decision, Facts, Plan, Subject, decide


class Planner:
    """Decides for each recipient of a message, under one configuration."""

    def __init__(self, config: Config, catalog: Catalog) -> None:
        self._routes = config.routes
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
        if not isinstance(message, Message):
            raise MessageError(f"one message is sent at a time, not {type(message).__name__}")
        if not message.to:
            raise RecipientError("the message has no recipient; set `to`")
        if message.key is not None and self._journal is None:
            raise UnsupportedFeature("key: no journal can remember it; leave it out")
        if message.send_at is not None and self._keeps_no_text():
            raise UnsupportedFeature("send_at: with journal.text: never nothing can be sent later")
        subjects = [
            self._subject(message, contact, number)
            for number, contact in enumerate(message.contacts(), start=1)
        ]
        decisions = [decide(self._routes, subject, self._catalog) for subject in subjects]
        _refuse_doubles(decision.plan for decision in decisions)
        return decisions

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
        contact, country = given, None
        zones: tuple[str, ...] = ()
        warnings: tuple[str, ...] = ()
        if given.phone is not None:
            phone = self._phones.normalise(given.phone)
            contact = attrs.evolve(given, phone=phone.number)
            country = self._phones.country(phone.number) if self._asks_for_country else None
            zones = self._phones.zones(phone.number) if self._asks_for_zones else ()
            if phone.rewritten:
                warnings = (
                    f"the number was written otherwise and is sent as {mask(phone.number)}",
                )
        facts = Facts(
            channel=message.channel,
            tags=message.tags,
            priority=message.priority.name.lower(),
            sender=message.sender,
            number=contact.phone,
            country=country,
            domain=contact.email.rpartition("@")[2].lower() if contact.email else None,
        )
        return Subject(
            # Not made from the id of the message: that can be sent again, or changed and sent,
            # and each time the provider must be able to tell which one we ask about.
            delivery_id=new_id(),
            draw=f"{message.id}-{number}",
            message=message,
            recipient=contact,
            facts=facts,
            zones=zones,
            warnings=warnings,
        )


_HERE = "here"
"""The owner of a delivery that is carried out where it was made."""


def _refuse_doubles(plans: Iterable[Plan]) -> None:
    seen: set[tuple[str, str]] = set()
    for plan in plans:
        ways = {(leg.channel, leg.address) for leg in plan.legs}
        if not seen.isdisjoint(ways):
            raise RecipientError(f"{plan.recipient} is named twice; each gets one message")
        seen |= ways
