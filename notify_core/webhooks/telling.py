"""Telling: what is to be told is written with the change it tells of, and posted by a worker."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from notify_core.callback import Incoming
from notify_core.chores import Chore
from notify_core.clock import Clock
from notify_core.config.sections import WebhookConfig
from notify_core.ids import new_id
from notify_core.journal.enlist import Executor
from notify_core.journal.model import Entry, delivery_of
from notify_core.journal.rows import has_come, milliseconds
from notify_core.journal.webhooks import Claimed, StandingSince, Telling, WebhookStore
from notify_core.keeping import Kept
from notify_core.webhooks.events import Event, event_of, event_of_incoming, trial
from notify_core.webhooks.signing import signed
from notify_core.webhooks.verdicts import Verdict, rest_s, verdict

if TYPE_CHECKING:
    from notify_core.webhooks.posting import Answer, Poster

_log = logging.getLogger(__name__)

_AT_ONCE = 8
"""So many calls are made to one address at the same time."""
_SPARE = timedelta(seconds=10)
_TOLD_KEPT = timedelta(days=3)
"""For so long it is remembered that something was told, lest it be told twice."""
_OTHERS_KEPT = timedelta(days=30)
_HOUSE_EVERY = timedelta(hours=1)


class Webhooks:
    """Tells each address what happens to deliveries, and what comes in.

    Without an address it costs nothing.
    """

    def __init__(
        self,
        kept: Kept,
        config: Sequence[WebhookConfig],
        clock: Clock,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._store = WebhookStore(kept.journal.database)
        self._urls = [each.url for each in config]
        self._clock = clock
        self._endpoints = [_Endpoint(each, self._store, kept, clock, chance) for each in config]

    def chores(self) -> Sequence[Chore]:
        """Return what a worker does: a chore for each address, so that none waits for another."""
        return self._endpoints

    def note_incoming(
        self, executor: Executor, incoming_id: str, incoming: Incoming, delivery_id: str | None
    ) -> None:
        """Have it told that something came in, in the transaction in which it is kept.

        ``delivery_id`` is the delivery that it answers. A second time does nothing.
        """
        self._tell(executor, event_of_incoming(incoming_id, incoming, delivery_id))

    def close(self) -> None:
        """Let go of every connection."""
        for endpoint in self._endpoints:
            endpoint.close()

    def note(self, executor: Executor, entry: Entry) -> None:
        """Have it told how a delivery stands now, in the transaction in which that is kept."""
        if not self._endpoints:
            return
        event = event_of(delivery_of(entry))
        if event is not None:
            self._tell(executor, event)

    def _tell(self, executor: Executor, event: Event) -> None:
        """Have each address told, unless that is what it was told last.

        Deliveries are written one change after the other, so what was told last of one is how it
        stood before this change. Whoever writes the same once more, who is not sure, tells nothing.
        """
        now = self._clock.now()
        for url in self._urls:
            last = self._store.last(executor, url, event.about)
            if not event.is_told_after(last.standing if last else None):
                continue
            # After the last, though the clock of another machine may be ahead.
            since = max(milliseconds(now), last.since + 1 if last else 0)
            stands = StandingSince(about=event.about, standing=event.standing, since=since)
            self._store.add(executor, url, event.id_at(url, since), stands, event.body(now), now)


class _Caller:
    """Makes signed calls to an address. Threads may share it."""

    def __init__(self, config: WebhookConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._poster: Poster | None = None
        self._lock = threading.Lock()

    def call(self, event_id: str, body: str) -> Answer:
        now, content = self._clock.now(), body.encode()
        headers = signed(event_id, now, content, self._config.secrets)
        return self._made().post(content, headers, now)

    def close(self) -> None:
        with self._lock:
            if self._poster is not None:
                self._poster.close()

    def _made(self) -> Poster:
        # requests is 60 ms that a process need not pay which leaves the calls to a worker.
        from notify_core.webhooks.posting import Poster  # noqa: PLC0415

        with self._lock:
            if self._poster is None:
                timeout_s = self._config.timeout.total_seconds()
                self._poster = Poster(self._config.url, timeout_s, _AT_ONCE)
            return self._poster


class _Endpoint:
    """What a worker does for one address."""

    def __init__(
        self,
        config: WebhookConfig,
        store: WebhookStore,
        kept: Kept,
        clock: Clock,
        chance: Callable[[], float],
    ) -> None:
        self.name = f"webhook {config.host}"
        self._config = config
        self._store = store
        self._owner = kept.leases.owner
        # A call may take the time to connect, and that to answer.
        self._lease = max(kept.config.lease, 2 * config.timeout + _SPARE)
        self._clock = clock
        self._chance = chance
        self._caller = _Caller(config, clock)
        self._rests_until: datetime | None = None
        self._house_at = clock.now()

    def work_off(self) -> int:
        now = self._clock.now()
        self._keep_house(now)
        due = self.next_due()
        if due is None or not has_come(due, now):
            return 0
        until = now + self._lease
        claimed = self._store.claim(self._config.url, self._owner, now, until, _AT_ONCE)
        self._call_all(claimed)
        return len(claimed)

    def next_due(self) -> datetime | None:
        due = self._store.next_due(self._config.url)
        if due is None or self._rests_until is None:
            return due
        return max(due, self._rests_until)

    def close(self) -> None:
        self._caller.close()

    def _call_all(self, claimed: Sequence[Claimed]) -> None:
        if not claimed:
            return
        with ThreadPoolExecutor(len(claimed), thread_name_prefix="notify-webhook") as pool:
            rests = [*pool.map(self._call, claimed)]
        self._rests_until = max((rest for rest in rests if rest is not None), default=None)

    def _call(self, told: Claimed) -> datetime | None:
        """Tell one thing; return until when the address is to be left alone, if it asks for that.

        If the process dies before the answer is written, it is told again under the same id.
        """
        answer = self._caller.call(told.id, told.body)
        now = self._clock.now()
        asked_for_s, chance = answer.retry_after_s, self._chance()
        self._settle(
            told,
            answer,
            verdict(answer.status, asked_for_s, told, now, self._config.retry_for, chance),
            now,
        )
        rest = rest_s(answer.status, asked_for_s)
        return now + timedelta(seconds=rest) if rest else None

    def _settle(self, told: Claimed, answer: Answer, follows: Verdict, now: datetime) -> None:
        said = str(answer)
        if follows.telling is Telling.GONE:
            _log.error("%s wants no webhooks any more: it answered %s", self.name, said)
            self._store.give_url_up(self._config.url, said, now)
            return
        if follows.telling is Telling.GIVEN_UP:
            tries = told.tries + 1
            _log.error("%s: %s is given up after %d tries: %s", self.name, told.id, tries, said)
        self._store.settle(told.id, self._owner, said, follows.telling, follows.due_at)

    def _keep_house(self, now: datetime) -> None:
        if now >= self._house_at:
            self._house_at = now + _HOUSE_EVERY
            self._store.purge(now - _TOLD_KEPT, now - _OTHERS_KEPT)


def try_out(config: WebhookConfig, clock: Clock) -> Answer:
    """Tell an address that this is a test, once, and return what it answered."""
    caller, event = _Caller(config, clock), trial(new_id())
    try:
        now = clock.now()
        return caller.call(event.id_at(config.url, milliseconds(now)), event.body(now))
    finally:
        caller.close()
