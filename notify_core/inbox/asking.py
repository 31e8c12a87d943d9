"""Asking providers, as a chore, for what came in."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import attrs

from notify_core.callback import Incoming, IncomingPage
from notify_core.clock import Clock
from notify_core.errors import ProviderError
from notify_core.health import HealthBoard
from notify_core.journal.cursors import LEAST_PAUSE, Cursor, CursorStore
from notify_core.journal.incoming import IncomingStore
from notify_core.journal.sightings import LONG_AGO, Sighting, time_of
from notify_core.keeping import Kept
from notify_core.provider import ReceiptKind
from notify_core.registry import Registry

_log = logging.getLogger(__name__)

_LIMIT = 1000
"""So much is asked for at once; it is kept in one transaction."""
_AFTER_FAILURE = timedelta(minutes=1)
"""How long a provider is left alone that did not answer and has no pause of its own."""

Sighted = Callable[[Incoming, datetime], Sighting]


@attrs.frozen(kw_only=True)
class Asker:
    """Asks the providers that can be asked: those of ``pauses`` again and again.

    The others are asked when a call that proves nothing has hinted that something came in.
    """

    name = "incoming messages"

    registry: Registry
    board: HealthBoard
    kept: Kept
    store: IncomingStore
    cursors: CursorStore
    pauses: Mapping[str, timedelta]
    sighted: Sighted
    hear: Callable[[Sequence[str]], None]
    clock: Clock
    _planned: set[str] = attrs.field(factory=set, init=False)

    @property
    def able(self) -> Sequence[str]:
        """The providers that can be asked for what came in."""
        capabilities = self.registry.capabilities
        return [name for name, can in capabilities.items() if ReceiptKind.POLL in can.incoming]

    def work_off(self) -> int:
        self._plan()
        return sum(self._ask_if_due(name) for name in self.able)

    def next_due(self) -> datetime | None:
        self._plan()
        due = self.cursors.due()
        return min((due[name] for name in self.able if name in due), default=None)

    def hurry(self, provider: str) -> datetime:
        """Have a provider asked soon; return when."""
        return self.cursors.hurry(provider, self.clock.now())

    def ask(self, provider: str) -> list[str] | None:
        """Ask a provider if it is due; return the ids of what is new, None if it is not due.

        Raises ``ProviderError``; then it is asked again after a pause.
        """
        now = self.clock.now()
        cursor = self.cursors.claim(provider, self.kept.leases.owner, now, self.kept.leases.until())
        if cursor is None:
            return None
        try:
            page = self._page(cursor)
        except ProviderError:
            pause = self.pauses.get(provider, _AFTER_FAILURE)
            self.cursors.move(cursor, cursor.after, self.clock.now() + pause, lambda _: [])
            raise
        return self._take(cursor, page)

    def _plan(self) -> None:
        """Have those asked that the configuration names, once in the life of a process."""
        for name in set(self.pauses).intersection(self.able) - self._planned:
            self.cursors.plan(name, self.clock.now(), self.pauses[name])
            self._planned.add(name)

    def _ask_if_due(self, provider: str) -> int:
        try:
            return 0 if self.ask(provider) is None else 1
        except ProviderError as error:
            _log.warning("%s", error)
            return 1

    def _page(self, cursor: Cursor) -> IncomingPage:
        with self.board.question(cursor.provider, "incoming"):
            return self.registry.fetch_incoming(cursor.provider, cursor.after, _LIMIT)

    def _take(self, cursor: Cursor, page: IncomingPage) -> list[str]:
        """Keep what a provider has told and move the cursor behind it, both or neither."""
        now = self.clock.now()
        sightings = [self._sighting(cursor, each) for each in page.messages]
        new = self.cursors.move(
            cursor,
            page.after,
            self._next_at(cursor, page, now),
            lambda executor: self.store.added(executor, sightings, now),
            has_told_all=not page.more,
        )
        if new:
            self.hear(new)
            self.kept.journal.wake()
        return new

    def _sighting(self, cursor: Cursor, told: Incoming) -> Sighting:
        # Its name is that of this configuration, whatever the plugin calls itself.
        sighting = self.sighted(attrs.evolve(told, provider=cursor.provider), cursor.asked_at)
        if time_of(told) is not None:
            return sighting
        return attrs.evolve(sighting, since=cursor.told_until or LONG_AGO)

    def _next_at(self, cursor: Cursor, page: IncomingPage, now: datetime) -> datetime | None:
        # A page that says there is more and does not get any further would be asked for for ever.
        if page.more and page.after != cursor.after:
            return max(now, cursor.asked_at + LEAST_PAUSE)
        pause = self.pauses.get(cursor.provider)
        return None if pause is None else now + pause
