"""The front door: one object that an application makes once and sends with."""

from __future__ import annotations

import contextlib
import os
import random
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType

import attrs

from notify_core.carrying import Carrier, released
from notify_core.clock import Clock, SystemClock
from notify_core.config.model import Config, Until
from notify_core.config.sections import Callbacks
from notify_core.delivery import Delivery, Report
from notify_core.errors import (
    ConfigError,
    JournalError,
    MessageError,
    NotifyError,
    Problem,
)
from notify_core.inbox import Inbox
from notify_core.journal.base import Journal
from notify_core.journal.model import Entry, Key, KeyTaken, delivery_of
from notify_core.keeping import Kept
from notify_core.message import Message
from notify_core.outbox import Outbox
from notify_core.outcome import (
    Account,
    Estimate,
    Receipt,
    Status,
)
from notify_core.planning import Replay
from notify_core.plugins import Plugins
from notify_core.policy.breaker import Health
from notify_core.progress import Wish
from notify_core.provider import Capabilities, Provider, is_same
from notify_core.receiving import Receiver
from notify_core.routing import Decision, Plan, PlanPrice
from notify_core.suppression import Suppressions
from notify_core.tracking import has_come
from notify_core.versions import (
    ConfigVersion,
    Lasting,
    LiveCarrier,
    Reloaded,
    Version,
    Versions,
    after,
    changes,
    live_chores,
    registry_of,
)
from notify_core.ways_back import WaysBack
from notify_core.worker import Worker

_LOOK_EVERY_S = 0.05


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
        reread: Callable[[Plugins], Config] | None = None,
    ) -> None:
        """Make all that the configuration names.

        ``reread`` reads the configuration anew for ``reload``, and loads the plugins that it
        names.
        """
        plugins = plugins or _discover(config)
        clock = clock or SystemClock()
        self._clock = clock
        self._reread = reread
        self._reloading = threading.Lock()
        self._reloader: int | None = None
        first, self._lasting = _first(config, plugins, clock, chance, self._opened)
        self._versions = Versions(first)
        self._plugins = plugins
        plugins.reserved = True
        if self._kept is not None:
            self._kept.journal.accompany(self._versions.note)

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
        known = os.environ if environ is None else environ
        # The same file later too: a daemon goes to another folder.
        reread = partial(load, Path(path).absolute(), environ=known, name=os.fspath(path))
        return cls(reread(plugins), plugins=plugins, clock=clock, reread=reread)

    # --- sending ------------------------------------------------------------------------------

    def send(self, message: Message) -> Report:
        """Send a message to each of its recipients, in this thread, and report what happened.

        Raises ``MessageError`` before anything is sent if the message or one of its recipients
        cannot be sent as it is; nothing that a provider does is raised. With a journal, what has
        to wait is left to a worker: such a delivery is ``under_way`` in the report. A message
        with a ``key`` that was used within the time for ``keys`` is not sent; what is reported is
        what became of the first. Raises ``JournalError`` before anything leaves.
        """
        with self._versions.use() as version:
            entries = version.planner.entries(message, self._clock.now())
            try:
                return self._send(message, entries, version.carrier)
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
        with self._versions.use() as version:
            now = self._clock.now()
            made = [version.planner.entries(message, now) for message in messages]
            return outbox.add(made, connection)

    def worker(self) -> Worker:
        """Return a worker for this process: ``with notifier.worker(): …``, or ``run()``."""
        kept, versions = self._need_journal("a worker"), self._versions
        return Worker(
            kept.journal,
            LiveCarrier(versions),
            kept.leases,
            versions.live.config.worker,
            self._clock,
            partial(live_chores, versions),
        )

    def explain(self, message: Message) -> Sequence[Decision]:
        """Return, for each recipient, the routes tried and the plan; nothing is sent.

        ``send`` carries out what this returns. Raises what ``send`` raises.
        """
        with self._versions.use() as version:
            return version.planner.decide(message)

    def estimate(self, message: Message) -> Sequence[Estimate]:
        """Ask, for each recipient, what the first leg would cost at its first provider.

        Raises ``MessageError`` or ``ProviderError``.
        """
        with self._versions.use() as version:
            plans = [decision.plan for decision in version.planner.decide(message)]
            return [version.pricer.estimate(plan, 0, plan.legs[0].providers[0]) for plan in plans]

    def price(self, plan: Plan) -> PlanPrice:
        """Ask every provider of a plan, and return what it costs at most, leg by leg.

        A provider that does not say is told of in the answer; nothing is raised.
        """
        with self._versions.use() as version:
            return version.pricer.price(plan)

    def replay(self, delivery_id: str) -> Replay:
        """Decide once more about a delivery of the journal, from what was known when it was made.

        Nothing is sent. Raises ``JournalError`` if there is no such delivery.
        """
        entry = self._need_journal("replay").journal.load(delivery_id)
        if entry is None:
            raise _no_delivery(delivery_id)
        with self._versions.use() as version:
            return version.planner.replay(entry)

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
        with self._versions.use() as version:
            return version.tracker.fetch(delivery)

    def query_status(self, provider: str, receipts: Sequence[Receipt]) -> Sequence[Status]:
        """Ask a provider what became of messages, in the order of ``receipts``.

        Raises ``ProviderError``, or ``ConfigError`` if there is no provider of that name.
        """
        with self._having(provider) as version:
            return version.tracker.query(provider, receipts)

    def check(self, provider: str) -> Account:
        """Ask a provider whether the account works, and for the balance.

        Raises ``ProviderError``, or ``ConfigError`` if there is no provider of that name.
        """
        with self._having(provider) as version, version.board.question(provider, "account"):
            return version.registry.check(provider)

    @property
    def providers(self) -> Mapping[str, Capabilities]:
        """The configured providers and what they can do, in the order of the configuration."""
        return self._versions.live.registry.capabilities

    def provider(self, name: str) -> Provider:
        """Return a provider object, for what only its own type offers.

        Do not keep it: a reload closes one whose settings have changed. Raises ``ConfigError`` if
        there is none of that name.
        """
        with self._having(name) as version:
            return version.registry.provider(name)

    def health(self, provider: str) -> Health:
        """Return how a provider stands: its failures, its pause, or why it is stopped.

        Raises ``ConfigError`` if there is none of that name.
        """
        with self._having(provider) as version:
            return version.board.health(provider)

    def resume(self, provider: str) -> None:
        """Let a provider that was stopped be tried again, after somebody has mended it.

        Raises ``ConfigError`` if there is none of that name.
        """
        with self._having(provider) as version:
            version.board.resume(provider)

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

    # --- the configuration --------------------------------------------------------------------

    def reload(self, config: Config | None = None) -> Reloaded:
        """Go on with the configuration as its file is now, or with ``config``.

        All of it takes effect at once, or none: whatever this raises, the one before stays live.
        What is under way ends as it began; a stored delivery keeps its plan. A provider whose
        settings have not changed keeps its connections.

        Raises ``ConfigError`` with the problems of the file, ``PluginError`` for a plugin that
        does not fit, ``JournalError`` if the journal cannot be used, and ``NotifyError`` if there
        is no file to read.
        """
        if self._reloader == threading.get_ident():
            raise NotifyError("a reload cannot be begun by what another one makes or closes")
        with self._reloading, self._as_reloader():
            before = self._versions.live
            plugins = before.plugins.copy()
            config = self._read_anew(plugins) if config is None else _named(config, plugins)
            if is_same(config, before.config):
                return Reloaded(version=before.name, changed=False)
            version = after(before, config, plugins, self._lasting)
            self._go_on_with(version, before)
        if self._kept is not None:
            self._kept.journal.wake()
        return changes(before, version, self._lasting)

    @property
    def version(self) -> ConfigVersion:
        """Which configuration is live."""
        return self._versions.live.name

    @property
    def config(self) -> Config:
        """The configuration that is live."""
        return self._versions.live.config

    # --- what comes back ----------------------------------------------------------------------

    @property
    def receiver(self) -> Receiver:
        """What takes in the calls of providers. Raises ``JournalError`` without a journal.

        Like the inbox and the suppression list it is that of the live configuration: after a
        reload, ask for it anew.
        """
        return self._need_ways_back("taking calls in").receiver

    @property
    def callbacks(self) -> Callbacks:
        """What the configuration says of the calls of providers."""
        return self.config.callbacks

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
        with contextlib.ExitStack() as closing:
            closing.callback(setattr, self._plugins, "reserved", False)
            closing.callback(self._lasting.close)
            closing.callback(self._versions.close)

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
        return Kept.open(config.journal, types, self._clock) if config.journal else None

    @property
    def _kept(self) -> Kept | None:
        return self._lasting.kept

    @contextlib.contextmanager
    def _having(self, provider: str) -> Iterator[Version]:
        """Use the live version. Raises ``ConfigError`` if it has no such provider."""
        with self._versions.use() as version:
            known = version.registry.capabilities
            if provider not in known:
                names = ", ".join(known)
                raise _wrong("providers", f"{provider!r} is not a provider here; known: {names}")
            yield version

    @contextlib.contextmanager
    def _as_reloader(self) -> Iterator[None]:
        self._reloader = threading.get_ident()
        try:
            yield
        finally:
            self._reloader = None

    def _read_anew(self, plugins: Plugins) -> Config:
        if self._reread is None:
            raise NotifyError(
                "this notifier was made from a Config and has no file to read anew; give reload "
                "the Config to go on with"
            )
        return self._reread(plugins)

    def _go_on_with(self, version: Version, before: Version) -> None:
        try:
            self._versions.replace(version)
        except NotifyError:  # closed meanwhile, and with it what both have
            version.close(before.registry.providers)
            raise

    def _need_ways_back(self, what: str) -> WaysBack:
        self._need_journal(what)
        back = self._versions.live.ways_back
        assert back is not None  # there is one wherever there is a journal
        return back

    def _send(self, message: Message, entries: Sequence[Entry], carrier: Carrier) -> Report:
        done: list[Delivery] = []
        try:
            for entry in self._written_ahead(entries):
                done.append(delivery_of(carrier.carry(entry)))
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
        if mine is None:
            return delivery_of(entry)
        with self._versions.use() as version:
            return delivery_of(version.carrier.carry(mine))

    def _need_journal(self, what: str) -> Kept:
        self._versions.check_open()
        if self._kept is None:
            raise JournalError(
                f"{what} needs a journal; write journal: sqlite:///notify.db in the configuration"
            )
        return self._kept


def _discover(config: Config) -> Plugins:
    plugins = Plugins.discover()
    _named(config, plugins)
    return plugins


def _named(config: Config, plugins: Plugins) -> Config:
    """Load the plugins that a configuration names."""
    for dotted_path in config.plugins:
        plugins.load(dotted_path, by_config=True)
    return config


def _first(
    config: Config,
    plugins: Plugins,
    clock: Clock,
    chance: Callable[[], float],
    opened: Callable[[Config, Mapping[str, type[Message]]], Kept | None],
) -> tuple[Version, Lasting]:
    """Make the first version, and what all later ones share with it."""
    registry = registry_of(config, plugins, clock)
    with contextlib.ExitStack() as undoing:
        undoing.callback(registry.close)
        types = plugins.message_types()
        kept = opened(config, types)
        lasting = Lasting(clock=clock, chance=chance, types=types, kept=kept, begun=config)
        undoing.callback(lasting.close)
        version = Version.of(config, plugins, registry, lasting)
        undoing.pop_all()
    return version, lasting


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
