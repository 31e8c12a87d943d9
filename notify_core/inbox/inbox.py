"""The inbox, as the rest of the framework and applications see it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar, overload

import attrs

from notify_core.callback import Incoming, IncomingKind, Trust
from notify_core.chores import Chore
from notify_core.clock import Clock
from notify_core.config.problems import unaskable
from notify_core.config.sections import IncomingConfig
from notify_core.errors import ConfigError, JournalError, Problem
from notify_core.health import HealthBoard
from notify_core.inbox.asking import Asker
from notify_core.inbox.handlers import Handler, Subscription, name_of
from notify_core.inbox.matching import Matcher
from notify_core.inbox.telling import Teller
from notify_core.journal.cursors import CursorStore
from notify_core.journal.incoming import Companion, IncomingStore
from notify_core.journal.received import Received, Standing, Wanted
from notify_core.journal.sightings import Sighting, time_of
from notify_core.keeping import Kept
from notify_core.policy.words import Said
from notify_core.registry import Registry
from notify_core.suppression import Suppressions

_log = logging.getLogger(__name__)

_H = TypeVar("_H", bound=Handler)


class Inbox:
    """Takes in what people send, keeps it, and tells the application."""

    def __init__(
        self,
        registry: Registry,
        board: HealthBoard,
        kept: Kept,
        suppressions: Suppressions,
        config: IncomingConfig,
        clock: Clock,
    ) -> None:
        self._kept = kept
        self._suppressions = suppressions
        self._clock = clock
        self._subscriptions: list[Subscription] = []
        self._store = IncomingStore(kept.journal.database, kept.journal.seal)
        self._matcher = Matcher(journal=kept.journal, store=self._store, answers=config.answers)
        self._asker = Asker(
            registry=registry,
            board=board,
            kept=kept,
            store=self._store,
            cursors=CursorStore(kept.journal.database),
            pauses=config.poll,
            sighted=self._matcher.sighted,
            hear=self._hear,
            clock=clock,
        )
        self._teller = Teller(
            registry=registry,
            kept=kept,
            store=self._store,
            suppressions=suppressions,
            subscriptions=lambda: tuple(self._subscriptions),
            needs_handlers=config.needs_handlers,
            clock=clock,
        )
        _refuse_unable(config, self._asker.able)

    def accompany(self, companion: Companion) -> None:
        """Have ``companion`` write beside each message that is new, in the same transaction."""
        self._store.accompany(companion)

    def take_over(self, other: Inbox) -> None:
        """Tell all those whom another inbox tells, also those who come to either later."""
        self._subscriptions = other._subscriptions

    # --- taking in --------------------------------------------------------------------------

    def take(self, incoming: Incoming, told_at: datetime | None = None) -> None:
        """Keep what came in, once however often it is told; of a hint, ask the provider soon.

        ``told_at`` is when a provider told it, which is now if it is not given. Raises
        ``JournalError``.
        """
        if incoming.trust is Trust.HINT:
            self._look_up(incoming.provider)
            return
        sighting = self._matcher.sighted(incoming, told_at or self._clock.now())
        if time_of(incoming) is None and incoming.provider in self._asker.able:
            self._take_timeless(sighting)
        else:
            self._keep(sighting)

    def _take_timeless(self, told: Sighting) -> None:
        """Take what a provider told by a call without a time, and can be asked for.

        Such a call can be overheard, and sent again by anybody. So it is believed if it cannot be
        a replay, a stop word always, and a start word never: that the provider is asked for.
        """
        said = self._suppressions.said(told.incoming)
        is_believed = said is not Said.START and not self._may_be_replayed(told)
        if is_believed:
            self._keep(told)
        elif said is Said.STOP:
            self._suppressions.hear(attrs.evolve(told.incoming, received_at=told.at))
        # A start word takes back only what was said before the question before: so after a stop
        # word there is one.
        if said is not None or not is_believed:
            self._look_up(told.incoming.provider)

    def _may_be_replayed(self, told: Sighting) -> bool:
        return told.incoming.provider_id is None and self._store.may_be_said_before(told)

    def _keep(self, told: Sighting) -> None:
        if new := self._store.add([told], self._clock.now()):
            self._hear(new)
            self._kept.journal.wake()

    def _hear(self, received_ids: Sequence[str]) -> None:
        """Let stop words act at once, though nobody may be there to be told for a while."""
        for received_id in received_ids:
            received = self._store.load(received_id)
            if received is not None and received.problem is None:
                self._teller.hear(received)

    def _look_up(self, provider: str) -> None:
        if provider in self._asker.able:
            self._asker.hurry(provider)
            self._kept.journal.wake()
        else:
            _log.warning(
                "provider %s: a message that nobody proves is dropped; it cannot be asked for",
                provider,
            )

    # --- telling ----------------------------------------------------------------------------

    @overload
    def on_message(self, handler: _H) -> _H: ...

    @overload
    def on_message(
        self,
        *,
        words: str | Iterable[str] = (),
        to: str | Iterable[str] = (),
        provider: str | Iterable[str] = (),
        kind: IncomingKind | None = None,
    ) -> Callable[[_H], _H]: ...

    def on_message(
        self,
        handler: Any = None,
        *,
        words: str | Iterable[str] = (),
        to: str | Iterable[str] = (),
        provider: str | Iterable[str] = (),
        kind: IncomingKind | None = None,
    ) -> Any:
        """Have a function called by the worker with each message and the delivery it answers.

        It is a decorator, with or without what narrows it down: ``words``, one of which the text
        begins with, in whatever spelling; ``to``, numbers of ours; ``provider``; ``kind``. Each
        message is told at least once: again if the process dies meanwhile, and, after growing
        pauses, if the function raises; then those that did not raise are left out. Register
        before the worker begins, and the same in every process.
        """

        def registered(function: _H) -> _H:
            made = Subscription(
                name=name_of(function, (each.name for each in self._subscriptions)),
                handler=function,
                words=words,
                to=to,
                provider=provider,
                kind=kind,
            )
            self._subscriptions.append(made)
            return function

        return registered if handler is None else registered(handler)

    def tell_again(self, received_id: str) -> bool:
        """Have those told who failed; False if they are to be told anyway.

        Who has been told already is left out. Raises ``JournalError`` if there is none of that
        id.
        """
        return self._store.repeat(self.get(received_id), self._clock.now())

    # --- asking -----------------------------------------------------------------------------

    def get(self, received_id: str) -> Received:
        """Return what came in under an id. Raises ``JournalError`` if there is none."""
        found = self._store.load(received_id)
        if found is None:
            raise JournalError(f"no message {received_id!r} that came in is in the journal")
        return found

    def search(
        self,
        *,
        sender: str | None = None,
        provider: str | None = None,
        kind: IncomingKind | None = None,
        standing: Standing | None = None,
        delivery_id: str | None = None,
        after: datetime | None = None,
        before: datetime | None = None,
        after_id: str | None = None,
        limit: int = 50,
    ) -> Sequence[Received]:
        """Return what came in, the newest first; what is None does not matter.

        ``after`` and ``before`` are about when it was kept; the next page goes on ``after_id``,
        the id of the last one.
        """
        wanted = Wanted(
            sender=sender,
            provider=provider,
            kind=kind,
            standing=standing,
            delivery_id=delivery_id,
            after=after,
            before=before,
            after_id=after_id,
            limit=limit,
        )
        return self._store.search(wanted)

    @property
    def askable(self) -> Sequence[str]:
        """The providers that can be asked for what came in."""
        return self._asker.able

    def ask(self, provider: str) -> int | None:
        """Ask a provider now for what came in, in this thread; return how much is new.

        If it has more than it tells at once, a worker asks for that 20 s later. None if it was
        asked less than 20 s before, or is being asked. Raises ``ProviderError``.
        """
        if provider not in self._asker.able:
            raise _unable(provider, self._asker.able)
        self._asker.hurry(provider)
        new = self._asker.ask(provider)
        return None if new is None else len(new)

    def chores(self) -> Sequence[Chore]:
        """Return what a worker does for it: asking providers, and telling the application."""
        return [self._asker, self._teller]


def _refuse_unable(config: IncomingConfig, able: Sequence[str]) -> None:
    """Refuse what the loader refuses too, for a configuration that was not read from a file."""
    for provider in config.poll:
        if provider not in able:
            raise _unable(provider, able)


def _unable(provider: str, able: Sequence[str]) -> ConfigError:
    problem = unaskable(provider, able)
    return ConfigError([Problem("configuration", 0, 0, f"incoming.poll.{provider}", problem)])
