"""Who sent a message, and which delivery it seems to answer."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import attrs

from notify_core.callback import Incoming, IncomingKind
from notify_core.contact import PHONE
from notify_core.delivery import Delivery
from notify_core.errors import JournalError, RecipientError
from notify_core.journal.base import Journal
from notify_core.journal.incoming import IncomingStore
from notify_core.journal.model import Filter, delivery_of
from notify_core.journal.sightings import Sighting, time_of
from notify_core.message import MESSAGE_TYPES
from notify_core.outcome import Accepted
from notify_core.phones import PhoneNumbers

_log = logging.getLogger(__name__)

_BY_NUMBER = {each.channel for each in MESSAGE_TYPES if PHONE in each.address_kinds[:1]}
_LOOKED_AT = 20
"""Among so many of the last deliveries to somebody is the one that an answer belongs to."""
_CLOCKS_APART = timedelta(minutes=1)


@attrs.frozen(kw_only=True)
class Matcher:
    """Matches what came in to what was sent, ``answers`` before it at most."""

    journal: Journal
    store: IncomingStore
    answers: timedelta

    def sighted(self, incoming: Incoming, told_at: datetime) -> Sighting:
        """Return what was told, with its sender as recipients are written."""
        known = attrs.evolve(incoming, sender=_address(incoming))
        at = time_of(incoming) or told_at
        return Sighting(incoming=known, at=at, delivery_id=self._answered(known, at))

    def _answered(self, incoming: Incoming, at: datetime) -> str | None:
        """Return the delivery that a message seems to answer: the last one before it.

        One by the same provider is preferred, since it is its number that was answered.
        """
        found = self._accepted_by(incoming.sender)
        recent = [each for each in found if self._is_recent(each, at)]
        same = [each for each in recent if each.provider == incoming.provider]
        return next((each.id for each in (*same, *recent)), None)

    def _accepted_by(self, address: str) -> Sequence[Delivery]:
        """Return the last deliveries to somebody that a provider has accepted."""
        wanted = Filter(address=address, outcome="accepted", limit=_LOOKED_AT)
        try:
            return [delivery_of(entry) for entry in self.journal.search(wanted)]
        except JournalError:  # one of them is damaged; else this raises, too
            ids = self.store.delivered(address, _LOOKED_AT)
            return [each for delivery_id in ids for each in self._read(delivery_id)]

    def _read(self, delivery_id: str) -> Iterator[Delivery]:
        try:
            entry = self.journal.load(delivery_id)
        except JournalError as error:
            _log.error("delivery %s is answered by nothing: %s", delivery_id, error)
            return
        if entry is not None:
            yield delivery_of(entry)

    def _is_recent(self, delivery: Delivery, at: datetime) -> bool:
        went_at = max(
            (each.started_at for each in delivery.attempts if isinstance(each.outcome, Accepted)),
            default=None,
        )
        if went_at is None:
            return False
        return at - self.answers <= went_at <= at + _CLOCKS_APART


def _address(incoming: Incoming) -> str:
    """Return who sent it, as the journal has the recipients: a number in international form."""
    sender = incoming.sender.strip()
    by_number = incoming.kind is IncomingKind.CALL or incoming.channel in _BY_NUMBER
    if not by_number or not sender.removeprefix("+").isdecimal():
        return sender
    try:
        return PhoneNumbers().normalise(f"+{sender.removeprefix('+')}").number
    except RecipientError:  # a short number, or a local one
        return sender
