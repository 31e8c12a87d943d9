"""Do this one: carry a single delivery as far as it goes now."""

from __future__ import annotations

import contextlib
from datetime import datetime

import attrs

from notify_core.delivery import Stage, stands_otherwise
from notify_core.dispatch import Dispatcher
from notify_core.errors import JournalError
from notify_core.journal.model import Entry, delivery_of
from notify_core.keeping import LeaseLost, Leases, LeftOff, with_warning
from notify_core.progress import Wish, asked_anew
from notify_core.registry import Registry


class Carrier:
    """Carries deliveries on, one at a time. Shared by all threads."""

    def __init__(self, registry: Registry, dispatcher: Dispatcher, leases: Leases | None) -> None:
        self._registry = registry
        self._dispatcher = dispatcher
        self._leases = leases

    def carry(self, entry: Entry) -> Entry:
        """Do what can be done now, and return how the delivery stands then.

        Raises ``JournalError`` if the delivery is new and cannot be written; then nothing has
        left. If the journal fails later the delivery is left to whoever takes it over.
        """
        held = self._leases.held(entry.id) if self._leases else contextlib.nullcontext()
        with held:
            try:
                return self._dispatcher.deliver(entry)
            except LeaseLost as lost:
                return lost.entry
            except LeftOff as left:
                if left.entry.lease == 0 and left.__cause__ is not None:
                    raise left.__cause__ from None
                return with_warning(left.entry, f"it cannot be carried on now: {left.__cause__}")

    def carry_on(self, entry: Entry) -> Entry:
        """Carry on a delivery that was begun elsewhere, and tell if it stands otherwise then."""
        carried = self.carry(entry)
        before, after = delivery_of(entry), delivery_of(carried)
        if stands_otherwise(before, after):
            self._registry.tell("notify_status_changed", delivery=after)
        return carried


def released(entry: Entry, now: datetime) -> Entry:
    """Return an entry that was held as it goes on; one in doubt is asked about anew.

    A cancellation stays one. Raises ``JournalError`` if nothing can be asked anew.
    """
    if entry.stage is not Stage.HELD:
        return attrs.evolve(entry, wish=None) if entry.wish is Wish.HOLD else entry
    progress = asked_anew(entry.progress)
    if progress.ended:
        raise JournalError(
            f"delivery {entry.id} is in doubt on a leg that others followed, so it cannot go on; "
            "ask for its status, or cancel it"
        )
    return attrs.evolve(
        entry, progress=progress, wish=None, stage=Stage.UNDER_WAY, due_at=now, owner=None
    )
