"""The front door: one object that an application makes once and sends with."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

import attrs

from notify_core.carrying import Carrier, released
from notify_core.clock import Clock, SystemClock
from notify_core.config.model import Config, Until
from notify_core.config.refusing import refuse_waiting
from notify_core.config.sections import Callbacks
from notify_core.delivery import Delivery, Report
from notify_core.dispatch import Dispatcher, nobody
from notify_core.errors import (
    ConfigError,
    JournalError,
    MessageError,
    NotifyError,
    Problem,
)
from notify_core.health import HealthBoard
from notify_core.inbox import Inbox
from notify_core.journal.base import Journal
from notify_core.journal.model import Entry, Key, KeyTaken, delivery_of
from notify_core.keeping import Journalled, Keeper, Kept, Memory
from notify_core.message import Message
from notify_core.outbox import Outbox
from notify_core.outcome import (
    Account,
    Estimate,
    Receipt,
    Status,
)
from notify_core.planning import Planner, Replay
from notify_core.plugins import Plugins
from notify_core.policy.breaker import Health
from notify_core.pricing import Pricer
from notify_core.progress import Wish
from notify_core.provider import Capabilities, Provider
from notify_core.receiving import Receiver
from notify_core.registry import ProviderSpec, Registry
from notify_core.routing import Catalog, Decision, Plan, PlanPrice
from notify_core.suppression import Suppressions
from notify_core.tracking import Tracker, has_come
from notify_core.ways_back import WaysBack
from notify_core.worker import Worker

_LOOK_EVERY_S = 0.05
_HEALTH_TRUSTED_S = 0.25
"""How long the journal need not be asked whether a provider is still well."""


class Notifier:
    """Send messages as a configuration says. Make one per application; it is thread-safe.

    Use it as a context manager or call ``close`` at the end. ``plugins`` defaults to all that
    are installed.
    """

    def __init__(
        self,
        config: Config,
        *,
        plugins: Plugins | None = None,
        clock: Clock | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        refuse_waiting(config)
        plugins = plugins or _discover(config)
        clock = clock or SystemClock()
        types = plugins.message_types()
        self._config = config
        self._clock = clock
        self._registry = Registry(plugins, _specs(config, plugins), clock)
        self._kept = self._opened(config, types)
        journal = self._kept.journal if self._kept else None
        catalog = Catalog(types, self._registry.capabilities, keeps_time=journal is not None)
        self._planner = Planner(config, catalog)
        self._board = HealthBoard(
            config.breaker,
            clock,
            journal,
            repeats=config.retry.budget,
            gradual=journal is not None,
            trusted_s=_HEALTH_TRUSTED_S if journal is not None else 0.0,
        )
        self._pricer = Pricer(self._registry, self._board, clock)
        self._ways_back = self._opened_back()
        self._tracker = (
            self._ways_back.tracker if self._ways_back else Tracker(self._registry, self._board)
        )
        leases = self._kept.leases if self._kept else None
        self._carrier = Carrier(self._registry, self._dispatcher(chance), leases)

    @classmethod
    def from_file(
        cls,
        path: str | os.PathLike[str],
        *,
        plugins: Plugins | None = None,
        environ: Mapping[str, str] | None = None,
        clock: Clock | None = None,
    ) -> Notifier:
        """Read a YAML configuration.

        Raises ``ConfigError`` with the problems in it, as many as can be told at once.

        ``environ`` is where ``${env:NAME}`` is looked up; it defaults to that of the process.
        """
        # YAML is 15 ms that an application with a Config of its own need not pay.
        from notify_core.config.load import load  # noqa: PLC0415

        plugins = plugins or Plugins.discover()
        config = load(Path(path), plugins, os.environ if environ is None else environ)
        return cls(config, plugins=plugins, clock=clock)

    # --- sending ------------------------------------------------------------------------------

    def send(self, message: Message) -> Report:
        """Send a message to each of its recipients, in this thread, and report what happened.

        Raises ``MessageError`` before anything is sent if the message or one of its recipients
        cannot be sent as it is; nothing that a provider does is raised. With a journal, what has
        to wait is left to a worker: such a delivery is ``under_way`` in the report. A message
        with a ``key`` that was used within the time for ``keys`` is not sent; what is reported is
        what became of the first. Raises ``JournalError`` before anything leaves.
        """
        entries = self._new_entries(message)
        try:
            return self._send(message, entries)
        except KeyTaken as taken:
            return self._report_of_first(entries[0], taken.holders[0])

    def enqueue(self, message: Message, *, connection: object | None = None) -> tuple[str, ...]:
        """Write a message for a worker to send; return the ids of its deliveries, in order.

        With ``connection`` it is written in the transaction that is open there, and exists exactly
        if that is committed: a ``sqlite3`` or psycopg connection, a connection or session of
        SQLAlchemy, or Django's. The journal must be in the same database. A ``key`` that was used
        returns the ids of the first message. Raises what ``send`` raises; nothing has left.
        """
        (ids,) = self.enqueue_many([message], connection=connection)
        return ids

    def enqueue_many(
        self, messages: Iterable[Message], *, connection: object | None = None
    ) -> Sequence[tuple[str, ...]]:
        """Write many messages in one transaction, all or none; see ``enqueue``.

        Give it some thousands at a time: meanwhile nobody else writes on SQLite.
        """
        kept = self._need_journal("enqueue")
        outbox = Outbox(kept.journal, kept.config)
        return outbox.add([self._new_entries(message) for message in messages], connection)

    def worker(self) -> Worker:
        """Return a worker for this process: ``with notifier.worker(): …``, or ``run()``."""
        kept = self._need_journal("a worker")
        chores = self._need_ways_back("a worker").chores()
        return Worker(
            kept.journal, self._carrier, kept.leases, self._config.worker, self._clock, chores
        )

    def explain(self, message: Message) -> Sequence[Decision]:
        """Return, for each recipient, the routes tried and the plan; nothing is sent.

        ``send`` carries out what this returns. Raises what ``send`` raises.
        """
        self._check_open()
        return self._planner.decide(message)

    def estimate(self, message: Message) -> Sequence[Estimate]:
        """Ask, for each recipient, what the first leg would cost at its first provider.

        Raises ``MessageError`` or ``ProviderError``.
        """
        plans = [decision.plan for decision in self.explain(message)]
        return [self._pricer.estimate(plan, 0, plan.legs[0].providers[0]) for plan in plans]

    def price(self, plan: Plan) -> PlanPrice:
        """Ask every provider of a plan, and return what it costs at most, leg by leg.

        A provider that does not say is told of in the answer; nothing is raised.
        """
        self._check_open()
        return self._pricer.price(plan)

    def replay(self, delivery_id: str) -> Replay:
        """Decide once more about a delivery of the journal, from what was known when it was made.

        Nothing is sent. Raises ``JournalError`` if there is no such delivery.
        """
        entry = self._need_journal("replay").journal.load(delivery_id)
        if entry is None:
            raise _no_delivery(delivery_id)
        return self._planner.replay(entry)

    # --- asking -------------------------------------------------------------------------------

    def get(self, delivery_id: str) -> Delivery:
        """Return a delivery as the journal has it. Raises ``JournalError`` if there is none."""
        entry = self._need_journal("get").journal.load(delivery_id)
        if entry is None:
            raise _no_delivery(delivery_id)
        return delivery_of(entry)

    def wait(
        self, delivery_id: str, *, until: Until = Until.ACCEPTED, timeout_s: float = 30.0
    ) -> Delivery:
        """Wait until a delivery is accepted (delivered, read), or no more will be done for it.

        After ``timeout_s`` seconds it is returned as it stands then.
        """
        end = self._clock.monotonic() + timeout_s
        while True:
            delivery = self.get(delivery_id)
            left_s = end - self._clock.monotonic()
            if left_s <= 0 or has_come(delivery, until):
                return delivery
            self._clock.sleep(min(_LOOK_EVERY_S, left_s))

    def fetch_status(self, delivery: Delivery) -> Delivery:
        """Ask what became of a delivery and return it with what is known now.

        A held delivery is asked about too: if the provider knows the message, the outcome
        follows; *not found* leaves it unknown. Tells ``notify_status_changed`` if a status is
        new, and the journal if there is one. Raises ``ProviderError``.
        """
        return self._tracker.fetch(delivery)

    def query_status(self, provider: str, receipts: Sequence[Receipt]) -> Sequence[Status]:
        """Ask a provider what became of messages, in the order of ``receipts``.

        Raises ``ProviderError``, or ``ConfigError`` if there is no provider of that name.
        """
        self._check_known(provider)
        return self._tracker.query(provider, receipts)

    def check(self, provider: str) -> Account:
        """Ask a provider whether the account works, and for the balance.

        Raises ``ProviderError``, or ``ConfigError`` if there is no provider of that name.
        """
        self._check_known(provider)
        with self._board.question(provider, "account"):
            return self._registry.check(provider)

    @property
    def providers(self) -> Mapping[str, Capabilities]:
        """The configured providers and what they can do, in the order of the configuration."""
        return self._registry.capabilities

    def provider(self, name: str) -> Provider:
        """Return a provider object, for what only its own type offers.

        Raises ``ConfigError`` if there is none of that name.
        """
        self._check_known(name)
        return self._registry.provider(name)

    def health(self, provider: str) -> Health:
        """Return how a provider stands: its failures, its pause, or why it is stopped.

        Raises ``ConfigError`` if there is none of that name.
        """
        self._check_known(provider)
        return self._board.health(provider)

    def resume(self, provider: str) -> None:
        """Let a provider that was stopped be tried again, after somebody has mended it.

        Raises ``ConfigError`` if there is none of that name.
        """
        self._check_known(provider)
        self._board.resume(provider)

    # --- deciding -----------------------------------------------------------------------------

    def hold(self, delivery_id: str) -> Delivery:
        """Let nothing be done for a delivery until it is released; what is in doubt stays so."""
        return self._wish(delivery_id, Wish.HOLD)

    def cancel(self, delivery_id: str) -> Delivery:
        """Let no attempt begin any more. What has gone is still found out.

        One that has ended stays as it is. One that is in doubt for good ends so.
        """
        return self._wish(delivery_id, Wish.CANCEL)

    def release(self, delivery_id: str) -> Delivery:
        """Let a held delivery go on. One that is in doubt is asked about anew.

        Raises ``JournalError`` if there is no such delivery.
        """
        journal, now = self._need_journal("release").journal, self._clock.now()
        entry = journal.amend(delivery_id, lambda known: released(known, now))
        journal.wake()
        return delivery_of(entry)

    # --- what comes back ----------------------------------------------------------------------

    @property
    def receiver(self) -> Receiver:
        """What takes in the calls of providers. Raises ``JournalError`` without a journal."""
        return self._need_ways_back("taking calls in").receiver

    @property
    def callbacks(self) -> Callbacks:
        """What the configuration says of the calls of providers."""
        return self._config.callbacks

    @property
    def inbox(self) -> Inbox:
        """What people send to us. Raises ``JournalError`` without a journal."""
        return self._need_ways_back("the inbox").inbox

    @property
    def suppressions(self) -> Suppressions:
        """To whom nothing is sent. Raises ``JournalError`` without a journal."""
        return self._need_ways_back("the suppression list").suppressions

    @property
    def journal(self) -> Journal:
        """The journal, for those who keep house. Raises ``JournalError`` if there is none."""
        return self._need_journal("this").journal

    def close(self) -> None:
        """Let go of every connection."""
        self._registry.close()
        if self._ways_back is not None:
            self._ways_back.close()
        if self._kept is not None:
            self._kept.close()

    def __enter__(self) -> Notifier:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _opened(self, config: Config, types: Mapping[str, type[Message]]) -> Kept | None:
        if config.journal is None:
            return None
        try:
            return Kept.open(config.journal, types, self._clock)
        except BaseException:  # raised again: nobody would close what was opened before
            self._registry.close()
            raise

    def _dispatcher(self, chance: Callable[[], float]) -> Dispatcher:
        clock, kept, back = self._clock, self._kept, self._ways_back
        keeper: Keeper = Journalled(kept, clock) if kept else Memory(clock)
        return Dispatcher(
            self._registry,
            self._board,
            self._config.retry,
            clock,
            chance,
            keeper,
            self._config.receipts.follow,
            back.suppressions.against if back else nobody,
        )

    def _opened_back(self) -> WaysBack | None:
        if self._kept is None:
            return None
        return WaysBack.open(self._config, self._kept, self._registry, self._board, self._clock)

    def _need_ways_back(self, what: str) -> WaysBack:
        self._need_journal(what)
        assert self._ways_back is not None  # there is one wherever there is a journal
        return self._ways_back

    def _new_entries(self, message: Message) -> Sequence[Entry]:
        self._check_open()
        return self._planner.entries(message, self._clock.now())

    def _send(self, message: Message, entries: Sequence[Entry]) -> Report:
        done: list[Delivery] = []
        try:
            for entry in self._written_ahead(entries):
                done.append(delivery_of(self._carrier.carry(entry)))
        except (JournalError, MessageError, KeyTaken):  # before anything has left
            raise
        except BaseException as error:  # an interrupt: what has gone must not be forgotten
            error.add_note(_interrupted(message, done, entries, kept=self._kept is not None))
            raise
        return Report(message_id=message.id, deliveries=tuple(done))

    def _written_ahead(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Write several deliveries before the first of them leaves.

        A single one is written with its first attempt, which is one commit less.
        """
        if self._kept is None or len(entries) == 1:
            return entries
        owner, until = self._kept.leases.owner, self._kept.leases.until()
        leased = [attrs.evolve(entry, lease=1, owner=owner, due_at=until) for entry in entries]
        self._kept.journal.add(leased)
        return leased

    def _report_of_first(self, entry: Entry, holder: Key) -> Report:
        """Report what became of the message that had the key first, once it is not being sent."""
        kept = self._need_journal("key")
        outbox = Outbox(kept.journal, kept.config)
        end = self._clock.monotonic() + kept.config.lease.total_seconds()
        first = outbox.first_of(entry, holder)
        while any(each.owner for each in first) and self._clock.monotonic() < end:
            self._clock.sleep(_LOOK_EVERY_S)
            first = outbox.first_of(entry, holder)
        deliveries = tuple(delivery_of(each) for each in first)
        return Report(message_id=holder.message_id, deliveries=deliveries)

    def _wish(self, delivery_id: str, wish: Wish) -> Delivery:
        kept = self._need_journal(wish.value)
        entry = kept.journal.wish(delivery_id, wish, self._clock.now())
        if entry is None:
            raise _no_delivery(delivery_id)
        # Nothing is sent for it, so nobody need wait for a worker to take note.
        owner, until = kept.leases.owner, kept.leases.until()
        mine = kept.journal.claim_one(delivery_id, owner, self._clock.now(), until)
        return delivery_of(entry if mine is None else self._carrier.carry(mine))

    def _need_journal(self, what: str) -> Kept:
        self._check_open()
        if self._kept is None:
            raise JournalError(
                f"{what} needs a journal; write journal: sqlite:///notify.db in the configuration"
            )
        return self._kept

    def _check_open(self) -> None:
        if self._registry.closed:
            raise NotifyError("the notifier is closed")

    def _check_known(self, provider: str) -> None:
        if provider not in self.providers:
            known = ", ".join(self.providers)
            raise _wrong("providers", f"{provider!r} is not a provider here; known: {known}")


def _discover(config: Config) -> Plugins:
    plugins = Plugins.discover()
    for dotted_path in config.plugins:
        plugins.load(dotted_path)
    return plugins


def _specs(config: Config, plugins: Plugins) -> Sequence[ProviderSpec]:
    types = plugins.provider_types()
    return [
        ProviderSpec(name=provider.name, type=types[provider.type], settings=provider.settings)
        for provider in config.providers
    ]


def _wrong(place: str, problem: str) -> ConfigError:
    return ConfigError([Problem("configuration", 0, 0, place, problem)])


def _no_delivery(delivery_id: str) -> JournalError:
    return JournalError(f"no delivery {delivery_id!r} is in the journal")


def _interrupted(
    message: Message, done: Sequence[Delivery], entries: Sequence[Entry], *, kept: bool
) -> str:
    rest = [each.plan.recipient for each in entries[len(done) :]]
    under_way, later = rest[:1], rest[1:] if kept else []
    return "\n".join(
        [
            f"interrupted while sending message {message.id}; carried out before:",
            *([f"  {delivery}" for delivery in done] or ["  nothing"]),
            *(f"may have gone, do not repeat: {recipient}" for recipient in under_way),
            *(f"a worker will send it, do not repeat: {recipient}" for recipient in later),
        ]
    )
