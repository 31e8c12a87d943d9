"""Finding out what became of deliveries, and taking in what providers tell of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import attrs

from notify_core.callback import StatusEvent, Trust
from notify_core.clock import Clock, SystemClock
from notify_core.config.model import Mode, Until
from notify_core.delivery import Attempt, Delivery, LegResult, Stage, stage_after, stands_otherwise
from notify_core.errors import JournalError
from notify_core.health import HealthBoard
from notify_core.journal.model import ERASED, Entry, delivery_of
from notify_core.journal.tracks import Tracks
from notify_core.keeping import Kept, is_calling
from notify_core.outcome import Accepted, Receipt, State, Status, Unknown
from notify_core.progress import (
    in_doubt,
    is_waited_out,
    leg_learned,
    overall,
    receipt_of,
    status_learned,
    telling_attempt,
)
from notify_core.registry import Registry

_LEAST_BETWEEN_QUESTIONS = timedelta(seconds=20)
"""However many hints come, nobody asks about one message more often because of them.

A provider allows some questions within a minute, and the last look before a leg is given up is one
of them.
"""


@attrs.frozen
class Told:
    """What a provider says of one leg of a delivery: the one with this ``own_id``."""

    own_id: str
    provider: str
    status: Status


class Tracker:
    """Asks providers what became of deliveries, and tells the journal if there is one."""

    def __init__(
        self,
        registry: Registry,
        board: HealthBoard,
        kept: Kept | None = None,
        tracks: Tracks | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._registry = registry
        self._board = board
        self._kept = kept
        self._tracks = tracks
        self._clock = clock or SystemClock()

    def query(self, provider: str, receipts: Sequence[Receipt]) -> Sequence[Status]:
        """Ask for statuses, in the order of ``receipts``. Raises ``ProviderError``."""
        with self._board.question(provider, "status"):
            return self._registry.fetch_status(provider, receipts)

    def take(self, provider: str, event: StatusEvent) -> bool:
        """Take in what a provider told of its own accord.

        What is proven is written, and what is a hint makes the provider be asked soon. False if
        nobody knows (yet) which message it is about. Raises ``JournalError``.
        """
        if self._tracks is None:
            return False
        tracks = self._tracks.find(provider, event.own_id, event.provider_id, event.address)
        for track in tracks:
            if event.trust is Trust.PROVEN:
                self.learn(track.delivery_id, [Told(track.own_id, provider, event.status)])
        if event.trust is Trust.HINT:
            own_ids = [track.own_id for track in tracks]
            self._tracks.ask_soon(own_ids, self._clock.now(), _LEAST_BETWEEN_QUESTIONS)
        return bool(tracks)

    def learn(self, delivery_id: str, told: Sequence[Told]) -> Entry | None:
        """Write what providers say of a delivery, and tell of it if anything has changed.

        None if the journal has no such delivery any more. Raises ``JournalError``.
        """
        if self._kept is None:
            return None
        journal, now = self._kept.journal, self._clock.now()
        known: list[Entry] = []

        def change(entry: Entry) -> Entry:
            known[:] = [entry]
            return learned(entry, told, now)

        try:
            entry = journal.amend(delivery_id, change)
        except JournalError:
            if journal.load(delivery_id) is None:
                return None
            raise
        if entry != known[0]:
            journal.wake()
            self._tell(delivery_of(known[0]), delivery_of(entry))
        return entry

    def fetch(self, delivery: Delivery) -> Delivery:
        """Ask what became of every leg, as the journal has it. Raises ``ProviderError``."""
        given, known = delivery, self._known(delivery)
        told = [self._asked(attempt) for attempt in _in_question(known)]
        entry = self.learn(known.id, told)
        if entry is not None:
            return delivery_of(entry)
        updated = _with_told(known, told)
        self._tell(given, updated)
        return updated

    def _known(self, delivery: Delivery) -> Delivery:
        """Return the delivery as it stands by now: what somebody kept of it may be old."""
        entry = None if self._kept is None else self._kept.journal.load(delivery.id)
        return delivery if entry is None else delivery_of(entry)

    def _asked(self, attempt: Attempt) -> Told:
        (status,) = self.query(attempt.provider, [receipt_of(attempt)])
        return Told(attempt.own_id, attempt.provider, status)

    def _tell(self, before: Delivery, after: Delivery) -> None:
        if stands_otherwise(before, after):
            self._registry.tell("notify_status_changed", delivery=after)


def _in_question(delivery: Delivery) -> Iterator[Attempt]:
    """Yield the attempts of which there is something to find out, one of each leg."""
    for leg in delivery.legs:
        telling = telling_attempt(leg.attempts)
        if telling is not None and isinstance(leg.outcome, Accepted | Unknown):
            yield telling


def _with_told(delivery: Delivery, told: Sequence[Told]) -> Delivery:
    legs = tuple(_leg_with_told(leg, told) for leg in delivery.legs)
    mode = Mode.ALL_OF if delivery.all_of else Mode.FIRST_OF
    outcome = overall(mode, legs)
    stage = delivery.stage if outcome == delivery.outcome else stage_after(outcome)
    stage = Stage.UNDER_WAY if delivery.under_way else stage
    return attrs.evolve(delivery, legs=legs, outcome=outcome, stage=stage)


def _leg_with_told(leg: LegResult, told: Sequence[Told]) -> LegResult:
    for each in told:
        leg = leg_learned(leg, each.own_id, each.provider, each.status)
    return leg


def has_come(delivery: Delivery, until: Until) -> bool:
    """Tell whether a delivery has come so far, or no more will be done for it."""
    if until is Until.ACCEPTED:
        return delivery.accepted or not delivery.under_way
    status = delivery.status
    if status is None or not delivery.accepted:
        return not delivery.under_way and not delivery.accepted
    if status.state in (State.READ, State.CLICKED):
        return True
    if status.state is State.DELIVERED and until is Until.DELIVERED:
        return True
    return status.final and not delivery.under_way


def learned(known: Entry, told: Sequence[Told], now: datetime) -> Entry:
    """Return an entry with what providers say of it.

    It is due at once if that decides what follows, unless whoever has it leased may be calling a
    provider for it just now. One that was over stays so.
    """
    progress = known.progress
    for each in told:
        status = _bare(each.status) if known.plan.recipient == ERASED else each.status
        progress = status_learned(known.plan, progress, each.own_id, each.provider, status)
    if progress == known.progress:
        return known
    entry = attrs.evolve(known, progress=progress)
    if progress.ended:
        is_over = delivery_of(entry).stage is Stage.ENDED
        return attrs.evolve(entry, stage=Stage.ENDED, owner=None, due_at=None) if is_over else entry
    was_in_doubt = any(map(in_doubt, known.progress.attempts[-1:]))
    ends_doubt = was_in_doubt and progress.attempts != known.progress.attempts
    is_news = ends_doubt or is_waited_out(entry.plan, progress)
    # Whoever has it leased loses the lease by this, so somebody else has to go on.
    is_left_alone = entry.owner is None and not is_news
    if entry.stage is Stage.HELD or is_calling(entry) or is_left_alone:
        return entry
    # A pause that is cut short is made again: it is there so that a question finds what is late.
    return attrs.evolve(
        entry, progress=attrs.evolve(progress, rested=False), owner=None, due_at=now
    )


def _bare(status: Status) -> Status:
    """Return a status without what a provider said in words, or knows by name."""
    return attrs.evolve(status, raw={}, detail="", provider_id=None)
