"""All that comes back to us: receipts, calls of providers, messages of people, and who is told."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from notify_core.chores import Chore
from notify_core.clock import Clock
from notify_core.config.model import Config
from notify_core.health import HealthBoard
from notify_core.inbox import Inbox
from notify_core.journal.enlist import Executor
from notify_core.journal.model import Entry
from notify_core.journal.tracks import Tracks
from notify_core.keeping import Kept
from notify_core.phones import PhoneNumbers
from notify_core.polling import Poller
from notify_core.receiving import Receiver
from notify_core.registry import Registry
from notify_core.suppression import Suppressions
from notify_core.tracking import Tracker
from notify_core.webhooks import Webhooks


@attrs.frozen(kw_only=True)
class WaysBack:
    """What takes in all that comes back to us. Only a journal can keep it."""

    tracker: Tracker
    suppressions: Suppressions
    inbox: Inbox
    receiver: Receiver
    poller: Poller
    webhooks: Webhooks

    _tracks: Tracks

    @classmethod
    def open(
        cls,
        config: Config,
        kept: Kept,
        registry: Registry,
        board: HealthBoard,
        clock: Clock,
        before: WaysBack | None = None,
    ) -> WaysBack:
        """Make them around a journal; who listens to ``before`` listens to the new ones too."""
        tracks = _tracks(config, kept, registry, clock)
        tracker = Tracker(registry, board, kept, tracks, clock)
        phones = PhoneNumbers(config.default_region)
        suppressions = Suppressions(kept.journal, config.suppression, phones, clock)
        webhooks = Webhooks(kept, config.webhooks, clock)
        inbox = Inbox(registry, board, kept, suppressions, config.incoming, clock)
        inbox.accompany(webhooks.note_incoming)
        if before is not None:
            inbox.take_over(before.inbox)
        return cls(
            tracker=tracker,
            suppressions=suppressions,
            inbox=inbox,
            receiver=Receiver(registry, kept, tracker, inbox, clock),
            poller=Poller(kept, tracks, tracker, registry.capabilities, clock),
            webhooks=webhooks,
            tracks=tracks,
        )

    def note(self, executor: Executor, entry: Entry) -> None:
        """Write beside an entry, in the same transaction, what is followed and who is told."""
        self._tracks.note(executor, entry)
        self.webhooks.note(executor, entry)

    def chores(self) -> Sequence[Chore]:
        """Return what a worker does beside carrying deliveries on."""
        return [self.poller, self.receiver, *self.inbox.chores(), *self.webhooks.chores()]

    def close(self) -> None:
        """Let go of connections."""
        self.webhooks.close()


def _tracks(config: Config, kept: Kept, registry: Registry, clock: Clock) -> Tracks:
    able = registry.capabilities
    first_poll_s = {name: each.poll_after_s[0] for name, each in able.items() if each.can_be_polled}
    return Tracks(kept.journal.database, first_poll_s, config.receipts.follow, clock)
