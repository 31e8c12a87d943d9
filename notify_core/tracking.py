"""Finding out what became of deliveries."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from notify_core.config.model import Mode, Until
from notify_core.delivery import Delivery, LegResult, Stage, stage_after
from notify_core.health import HealthBoard
from notify_core.journal.base import Journal
from notify_core.journal.model import Entry, delivery_of
from notify_core.outcome import Accepted, Receipt, State, Status, Unknown, advanced
from notify_core.progress import outcome_if_found, overall, receipt_to_ask
from notify_core.registry import Registry


class Tracker:
    """Asks providers what became of deliveries, and tells the journal if there is one."""

    def __init__(self, registry: Registry, board: HealthBoard, journal: Journal | None) -> None:
        self._registry = registry
        self._board = board
        self._journal = journal

    def query(self, provider: str, receipts: Sequence[Receipt]) -> Sequence[Status]:
        """Ask for statuses, in the order of ``receipts``. Raises ``ProviderError``."""
        with self._board.question(provider, "status"):
            return self._registry.fetch_status(provider, receipts)

    def fetch(self, delivery: Delivery) -> Delivery:
        """Ask what became of every leg, as the journal has it. Raises ``ProviderError``."""
        given, delivery = delivery, self._known(delivery)
        legs = tuple(self._with_status(leg) for leg in delivery.legs)
        mode = Mode.ALL_OF if delivery.all_of else Mode.FIRST_OF
        outcome = overall(mode, [leg.outcome for leg in legs])
        stage = delivery.stage if outcome == delivery.outcome else stage_after(outcome)
        stage = Stage.UNDER_WAY if delivery.under_way else stage
        told = attrs.evolve(delivery, legs=legs, outcome=outcome, stage=stage)
        updated = self._noted(told)
        if [leg.status for leg in updated.legs] != [leg.status for leg in given.legs]:
            self._registry.tell("notify_status_changed", delivery=updated)
        return updated

    def _known(self, delivery: Delivery) -> Delivery:
        """Return the delivery as it stands by now: what somebody kept of it may be old."""
        entry = None if self._journal is None else self._journal.load(delivery.id)
        return delivery if entry is None else delivery_of(entry)

    def _with_status(self, leg: LegResult) -> LegResult:
        match leg.outcome:
            case Accepted(receipt):
                return attrs.evolve(leg, status=advanced(leg.status, self._ask(receipt)))
            case Unknown() if leg.attempts:
                attempt = leg.attempts[-1]
                status = self._ask(receipt_to_ask(attempt))
                found = status.state is not State.NOT_FOUND
                outcome = outcome_if_found(attempt, status) if found else leg.outcome
                return attrs.evolve(leg, status=status, outcome=outcome)
            case _:
                return leg

    def _ask(self, receipt: Receipt) -> Status:
        (status,) = self.query(receipt.provider, [receipt])
        return status

    def _noted(self, told: Delivery) -> Delivery:
        """Write what a provider told of a delivery, if the journal has it and it is over."""
        known = None if self._journal is None else self._journal.load(told.id)
        if self._journal is None or known is None or not known.progress.ended:
            return told
        return delivery_of(self._journal.amend(told.id, lambda entry: learned(entry, told)))


def has_come(delivery: Delivery, until: Until) -> bool:
    """Tell whether a delivery has come so far, or no more will be done for it."""
    status = delivery.status
    if until is Until.ACCEPTED or status is None or not delivery.accepted:
        return not delivery.under_way and (until is Until.ACCEPTED or not delivery.accepted)
    if status.state is State.DELIVERED:
        return until is Until.DELIVERED
    return status.final or status.state in (State.READ, State.CLICKED)


def learned(known: Entry, told: Delivery) -> Entry:
    """Return an entry that has ended with what a provider told of it since."""
    if not known.progress.ended:
        return known
    legs = tuple(
        _learned_of_leg(leg, told.legs[number]) if number < len(told.legs) else leg
        for number, leg in enumerate(known.progress.done)
    )
    entry = attrs.evolve(known, progress=attrs.evolve(known.progress, done=legs))
    return attrs.evolve(entry, stage=delivery_of(entry).stage)


def _learned_of_leg(known: LegResult, told: LegResult) -> LegResult:
    if [each.id for each in known.attempts] != [each.id for each in told.attempts]:
        return known  # what was told is of an earlier time
    status = known.status if told.status is None else advanced(known.status, told.status)
    outcome = told.outcome if isinstance(known.outcome, Unknown) else known.outcome
    return attrs.evolve(known, status=status, outcome=outcome)
