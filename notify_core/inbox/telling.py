"""Telling the application, as a chore, what came in."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import attrs

from notify_core.callback import Incoming, IncomingKind
from notify_core.clock import Clock
from notify_core.delivery import Delivery
from notify_core.errors import JournalError
from notify_core.inbox.handlers import Subscription
from notify_core.journal.incoming import IncomingStore
from notify_core.journal.model import delivery_of
from notify_core.journal.received import Received
from notify_core.keeping import Kept
from notify_core.registry import Registry

_log = logging.getLogger(__name__)

_PAUSES = tuple(timedelta(seconds=each) for each in (10, 60, 300, 1800, 7200, 21600, 43200))
"""How long to wait after each failure; after one more it is given up, a good 20 hours later."""
TRIES = len(_PAUSES) + 1

_SUPPRESSIONS = "suppressions"
_LISTENERS = "notify_message_received"

_Listener = Callable[[Incoming, Delivery | None], object]


class Hears(Protocol):
    """Recognises those who want no more. The suppression list does."""

    def hear(self, incoming: Incoming, since: datetime | None = None) -> None:
        """Do what a message says, if it is one of the words. A second time changes nothing.

        ``since`` is after when it was said, if nothing else is known of that.
        """


@attrs.frozen(kw_only=True)
class Teller:
    """Tells each message to the suppression list, to plugins and to handlers, in this order.

    Each of them is told once if it does not fail, or, if the process dies meanwhile, once more.
    ``subscriptions`` returns those of this process. With ``needs_handlers`` a process without
    any leaves messages to others.
    """

    name = "inbox"

    registry: Registry
    kept: Kept
    store: IncomingStore
    suppressions: Hears
    subscriptions: Callable[[], Sequence[Subscription]]
    needs_handlers: bool
    clock: Clock

    def work_off(self) -> int:
        if self._leaves_it:
            return 0
        leases = self.kept.leases
        received = self.store.claim(leases.owner, self.clock.now(), leases.until())
        if received is None:
            return 0
        told = self._told(received)
        self._log_end(told, kept=self.store.settle(told, self._again_at(told)))
        return 1

    def next_due(self) -> datetime | None:
        return None if self._leaves_it else self.store.next_due()

    @property
    def _leaves_it(self) -> bool:
        return self.needs_handlers and not self.subscriptions()

    def _told(self, received: Received) -> Received:
        """Tell whoever has not been told yet; return who has been, and who failed."""
        if received.problem is not None:
            return attrs.evolve(received, failed={"journal": received.problem})
        if received.tries > TRIES:  # whoever was told last never came back, time and again
            return attrs.evolve(received, failed=received.failed or {"worker": "died"})
        delivery = self._delivery(received)
        done: list[str] = list(received.done)
        failed: dict[str, str] = {}
        for name, listener in self._listeners(received):
            if name in done:
                continue
            failure = _failure(listener, received.incoming, delivery)
            if failure is None:
                done.append(name)
            else:
                failed[name] = failure
                _log.error("%s failed at message %s: %s", name, received.id, failure)
        return attrs.evolve(received, done=tuple(done), failed=failed)

    def hear(self, received: Received) -> None:
        """Tell the suppression list alone, ahead of all others; it is told again with them."""
        for name, listener in self._listeners(received):
            failure = _failure(listener, received.incoming, None) if name == _SUPPRESSIONS else None
            if failure is not None:
                _log.error("%s failed at message %s: %s", name, received.id, failure)

    def _listeners(self, received: Received) -> Iterator[tuple[str, _Listener]]:
        incoming = received.incoming
        if incoming.kind is IncomingKind.MESSAGE:
            # A word that is heard late, or twice, counts from when it was said.
            said = attrs.evolve(incoming, received_at=incoming.received_at or received.at)
            yield _SUPPRESSIONS, lambda _, __: self.suppressions.hear(said, received.since)
        yield _LISTENERS, self._tell_plugins
        for each in self.subscriptions():
            if each.wants(incoming):
                yield each.name, each.handler

    def _tell_plugins(self, incoming: Incoming, delivery: Delivery | None) -> None:
        self.registry.tell(_LISTENERS, incoming=incoming, delivery=delivery)

    def _delivery(self, received: Received) -> Delivery | None:
        if received.delivery_id is None:
            return None
        try:
            entry = self.kept.journal.load(received.delivery_id)
        except JournalError as error:
            self.store.load(received.id)  # raises if it is the journal that fails
            _log.error("message %s is told without its delivery: %s", received.id, error)
            return None
        return None if entry is None else delivery_of(entry)

    def _again_at(self, told: Received) -> datetime | None:
        if not told.failed or told.tries >= TRIES:
            return None
        return self.clock.now() + _PAUSES[told.tries - 1]

    def _log_end(self, told: Received, *, kept: bool) -> None:
        if not kept:
            _log.warning("message %s took longer than a lease; it is told again", told.id)
        elif told.failed and told.tries >= TRIES:
            _log.error("message %s is given up: %s", told.id, ", ".join(sorted(told.failed)))


def _failure(listener: _Listener, incoming: Incoming, delivery: Delivery | None) -> str | None:
    """Tell somebody; return the kind of error that came of it, or None."""
    try:
        listener(incoming, delivery)
    except (Exception, SystemExit) as error:  # somebody else's code: the others are to be told too
        # Never the error's own words: they can hold a text or a number.
        return type(error).__name__
    return None
