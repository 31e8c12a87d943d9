"""Asking providers what became of messages, before anybody else asks."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from notify_core.clock import Clock
from notify_core.delivery import Attempt
from notify_core.errors import JournalError, ProviderError
from notify_core.journal.model import Entry
from notify_core.journal.tracks import Asked, Track, Tracks
from notify_core.keeping import Kept
from notify_core.outcome import NotSent
from notify_core.policy.polling import next_poll
from notify_core.progress import attempt_by, is_followed, receipt_of
from notify_core.provider import Capabilities
from notify_core.tracking import Told, Tracker, learned

_log = logging.getLogger(__name__)

_AFTER_NO_QUESTION = timedelta(minutes=1)
"""How long what could not be asked waits for the next try, which counts as the first."""


class Poller:
    """Asks, as a chore, about all that is followed, many messages in one question."""

    name = "statuses"

    def __init__(
        self,
        kept: Kept,
        tracks: Tracks,
        tracker: Tracker,
        capabilities: Mapping[str, Capabilities],
        clock: Clock,
    ) -> None:
        self._kept = kept
        self._tracks = tracks
        self._tracker = tracker
        self._able = {name: able for name, able in capabilities.items() if able.can_be_polled}
        self._clock = clock

    def work_off(self) -> int:
        return sum(self._ask_some(name) for name in self._able)

    def next_due(self) -> datetime | None:
        return self._tracks.next_due()

    def _ask_some(self, provider: str) -> int:
        """Ask a provider one question about what is due; return how many messages it is about."""
        owner, now = self._kept.leases.owner, self._clock.now()
        most = self._able[provider].poll_batch
        tracks = self._tracks.claim(provider, owner, now, now + self._kept.config.lease, most)
        if tracks:
            entries = {track.own_id: self._entry(track) for track in tracks}
            self._ask(provider, tracks, entries)
        return len(tracks)

    def _entry(self, track: Track) -> Entry | None:
        try:
            return self._kept.journal.load(track.delivery_id)
        except JournalError as error:  # a damaged one; nobody asks about it, and about all others
            _log.error("delivery %s is followed no longer: %s", track.delivery_id, error)
            return None

    def _ask(
        self, provider: str, tracks: Sequence[Track], entries: Mapping[str, Entry | None]
    ) -> None:
        attempts = {own_id: _attempt(entry, own_id) for own_id, entry in entries.items()}
        asked = [own_id for own_id, attempt in attempts.items() if attempt is not None]
        receipts = [receipt_of(attempt) for attempt in attempts.values() if attempt is not None]
        has_asked = True
        try:
            statuses = self._tracker.query(provider, receipts) if receipts else ()
        except ProviderError as error:  # the board has taken note; the next question comes later
            statuses, has_asked = (), not isinstance(error.outcome, NotSent)
        known = dict(entries)
        for own_id, status in zip(asked, statuses, strict=False):
            entry, told = entries[own_id], [Told(own_id, provider, status)]
            if entry is not None and learned(entry, told, self._clock.now()) != entry:
                known[own_id] = self._tracker.learn(entry.id, told)
        after = [self._after(each, known[each.own_id], has_asked=has_asked) for each in tracks]
        self._tracks.asked(self._kept.leases.owner, after)

    def _after(self, track: Track, entry: Entry | None, *, has_asked: bool) -> Asked:
        now = self._clock.now()
        at = next_poll(track.asked + 1, self._able[track.provider].poll_after_s, now)
        if not has_asked:
            at = now + _AFTER_NO_QUESTION
        is_over = entry is None or not is_followed(entry.plan, entry.progress, track.own_id)
        return Asked(
            own_id=track.own_id,
            asked_at=now if has_asked else track.asked_at,
            counts=has_asked,
            poll_at=None if is_over or at > track.follow_until else at,
        )


def _attempt(entry: Entry | None, own_id: str) -> Attempt | None:
    return None if entry is None else attempt_by(entry.progress, own_id)
