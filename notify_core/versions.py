"""What is made from one configuration, and how the next one takes its place.

Whoever does something *uses* the version that is live at that moment, and does the whole of it
under that one: no message is routed by a mixture of two. A version that has been replaced lets go
of its providers, those that no other version has, as soon as nobody uses it any more.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import attrs

from notify_core.carrying import Carrier
from notify_core.chores import Chore
from notify_core.clock import Clock
from notify_core.config.model import Config, Retention, digest
from notify_core.config.refusing import refuse_unusable
from notify_core.dispatch import Dispatcher, nobody
from notify_core.errors import ConfigError, JournalError, NotifyError, Problem
from notify_core.health import HealthBoard
from notify_core.journal.enlist import Executor
from notify_core.journal.model import Entry
from notify_core.keeping import Journalled, Keeper, Kept, Memory
from notify_core.message import Message
from notify_core.planning import Planner
from notify_core.plugins import Plugins
from notify_core.pricing import Pricer
from notify_core.provider import Provider
from notify_core.registry import ProviderSpec, Registry
from notify_core.routing import Catalog
from notify_core.tracking import Tracker
from notify_core.ways_back import WaysBack

_log = logging.getLogger(__name__)

_HEALTH_TRUSTED_S = 0.25
"""How long the journal need not be asked whether a provider is still well."""


@attrs.frozen(kw_only=True)
class ConfigVersion:
    """Which configuration is live: the first is number 1.

    ``digest`` is that of what decides about messages, as ``notify explain`` and the journal have
    it; two versions that differ in something else only share it.
    """

    number: int
    digest: str
    live_since: datetime

    def __str__(self) -> str:
        return f"configuration version {self.number} ({self.digest})"


@attrs.frozen(kw_only=True)
class Reloaded:
    """What a reload has changed.

    Of the providers, ``made`` are new or have other settings, ``kept`` have gone on with their
    connections, and ``dropped`` are in the configuration no more. ``needs_restart`` names the
    settings whose change only a restart puts into force.
    """

    version: ConfigVersion
    changed: bool
    made: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    needs_restart: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Lasting:
    """What all versions of a notifier share."""

    clock: Clock
    chance: Callable[[], float]
    types: Mapping[str, type[Message]]
    kept: Kept | None
    begun: Config
    """The configuration of the first version, which what runs already was begun with."""

    def close(self) -> None:
        """Let the journal go."""
        if self.kept is not None:
            self.kept.close()


@attrs.frozen(kw_only=True, eq=False)
class Version:
    """A configuration and all that is made from it. ``ways_back`` needs a journal."""

    name: ConfigVersion
    config: Config
    plugins: Plugins
    registry: Registry
    board: HealthBoard
    planner: Planner
    pricer: Pricer
    tracker: Tracker
    carrier: Carrier
    ways_back: WaysBack | None

    @classmethod
    def of(
        cls,
        config: Config,
        plugins: Plugins,
        registry: Registry,
        lasting: Lasting,
        before: Version | None = None,
    ) -> Version:
        """Make the first version, or the one after ``before``."""
        kept, clock = lasting.kept, lasting.clock
        board = _board(config, lasting, before)
        earlier = before.ways_back if before else None
        back = WaysBack.open(config, kept, registry, board, clock, earlier) if kept else None
        dispatcher = _dispatcher(config, registry, board, lasting, back)
        catalog = Catalog(lasting.types, registry.capabilities, keeps_time=kept is not None)
        return cls(
            name=ConfigVersion(
                number=before.name.number + 1 if before else 1,
                digest=digest(config),
                live_since=clock.now(),
            ),
            config=config,
            plugins=plugins,
            registry=registry,
            board=board,
            planner=Planner(config, catalog),
            pricer=Pricer(registry, board, clock),
            tracker=back.tracker if back else Tracker(registry, board),
            carrier=Carrier(registry, dispatcher, kept.leases if kept else None),
            ways_back=back,
        )

    def close(self, but: Collection[Provider] = ()) -> None:
        """Let go of every connection; providers that are in ``but`` stay as they are."""
        self.registry.close(but)
        if self.ways_back is not None:
            self.ways_back.close()


def registry_of(
    config: Config, plugins: Plugins, clock: Clock, before: Registry | None = None
) -> Registry:
    """Make the providers of a configuration; what it raises is in ``Registry``."""
    refuse_unusable(config)
    types = plugins.provider_types()
    specs = [
        ProviderSpec(name=provider.name, type=types[provider.type], settings=provider.settings)
        for provider in config.providers
    ]
    return Registry(plugins, specs, clock, before)


def after(before: Version, config: Config, plugins: Plugins, lasting: Lasting) -> Version:
    """Make the version that takes the place of another one, which stays as it is.

    Providers whose settings are the same go over to it. Raises ``ConfigError`` for what cannot
    change while it is in use, and what ``registry_of`` raises; then nothing has changed.
    """
    _refuse_unchangeable(before.config, config, plugins, lasting)
    registry = registry_of(config, plugins, lasting.clock, before.registry)
    try:
        return Version.of(config, plugins, registry, lasting, before)
    except BaseException:  # raised again: nobody would close what has been made
        registry.close(before.registry.providers)
        raise


def changes(before: Version, now: Version, lasting: Lasting) -> Reloaded:
    """Say what differs between two versions, and from what is in force since the beginning."""
    made = _made(before.registry, now.registry)
    names = now.registry.capabilities
    return Reloaded(
        version=now.name,
        changed=True,
        made=made,
        kept=tuple(name for name in names if name not in made),
        dropped=tuple(name for name in before.registry.capabilities if name not in names),
        needs_restart=tuple(_needing_restart(lasting.begun, now.config)),
    )


def _made(before: Registry, now: Registry) -> tuple[str, ...]:
    earlier = {id(provider) for provider in before.providers}
    return tuple(name for name in now.capabilities if id(now.provider(name)) not in earlier)


class Versions:
    """The version that is live, and those before it that somebody still uses."""

    def __init__(self, first: Version) -> None:
        self._lock = threading.Lock()
        self._live = first
        self._open = [first]
        self._users: Counter[int] = Counter()
        self._closed = False

    @property
    def live(self) -> Version:
        """The version that is live, for who only looks at it."""
        return self._live

    @contextlib.contextmanager
    def use(self) -> Iterator[Version]:
        """Give the version that is live, and keep it open until the block ends.

        Raises ``NotifyError`` if the notifier is closed.
        """
        with self._lock:
            self.check_open()
            version = self._live
            self._users[version.name.number] += 1
        try:
            yield version
        finally:
            self._left(version)

    def check_open(self) -> None:
        """Raise ``NotifyError`` if the notifier is closed."""
        if self._closed:
            raise NotifyError("the notifier is closed")

    def replace(self, version: Version) -> None:
        """Make another version the live one. Raises ``NotifyError`` if the notifier is closed.

        A provider whose settings have changed is given another chance if it was stopped.
        """
        with self._lock:
            self.check_open()
            for each in self._open:
                # What still comes of a wrong password is nothing against the right one.
                each.board.replaced(_made(each.registry, version.registry))
            before, self._live = self._live, version
            self._open.append(version)
            unused = self._taken_out()
        _resume(version.board, _made(before.registry, version.registry))
        _let_go(unused)

    def note(self, executor: Executor, entry: Entry) -> None:
        """Write beside an entry what the live version has to, in the same transaction."""
        if self._live.ways_back is not None:
            self._live.ways_back.note(executor, entry)

    def close(self) -> None:
        """Close every version, also under those who use it. A second time does nothing."""
        with self._lock:
            self._closed = True
            closing, self._open = self._open, []
        with contextlib.ExitStack() as ending:
            for place, version in enumerate(closing, start=1):
                ending.callback(version.close, _providers_of(closing[place:]))

    def _left(self, version: Version) -> None:
        with self._lock:
            self._users[version.name.number] -= 1
            unused = self._taken_out() if version is not self._live else ()
        _let_go(unused)

    def _taken_out(self) -> Sequence[tuple[Version, Collection[Provider]]]:
        """Take out the versions that are neither live nor used, each with what outlasts it.

        The lock is held: of two that end at once only the later one has what both have.
        """
        unused = [
            each
            for each in self._open
            if each is not self._live and not self._users[each.name.number]
        ]
        return [(each, self._outlasting(each)) for each in unused]

    def _outlasting(self, version: Version) -> Collection[Provider]:
        self._open.remove(version)
        self._users.pop(version.name.number, None)
        return _providers_of(self._open)


def _providers_of(versions: Iterable[Version]) -> Collection[Provider]:
    return [provider for version in versions for provider in version.registry.providers]


def _let_go(unused: Sequence[tuple[Version, Collection[Provider]]]) -> None:
    for version, outlasting in unused:
        # Whoever has kept something of it asks in vain, which is nothing against its providers.
        version.board.replaced(version.registry.capabilities)
        version.close(outlasting)
        _log.info("%s is no longer used", version.name)


def _resume(board: HealthBoard, providers: Iterable[str]) -> None:
    for name in providers:
        try:
            board.resume(name)
        except JournalError as error:
            _log.error("provider %s stays stopped if it was, until it is resumed: %s", name, error)


@attrs.frozen
class LiveCarrier:
    """Carries each delivery on under the version that is live when it is begun."""

    versions: Versions

    def carry_on(self, entry: Entry) -> Entry:
        """Carry on a delivery that was begun elsewhere; see ``Carrier``."""
        with self.versions.use() as version:
            return version.carrier.carry_on(entry)


@attrs.frozen
class LiveChore:
    """Does a chore as the version does it that is live each time; without it there nothing."""

    versions: Versions
    name: str

    def work_off(self) -> int:
        with self.versions.use() as version:
            chore = self._of(version)
            return chore.work_off() if chore else 0

    def next_due(self) -> datetime | None:
        with self.versions.use() as version:
            chore = self._of(version)
            return chore.next_due() if chore else None

    def _of(self, version: Version) -> Chore | None:
        return _chores_by_name(version).get(self.name)


def live_chores(versions: Versions) -> Sequence[Chore]:
    """Return the chores that there are in the version that is live, each with its own name."""
    return [LiveChore(versions, name) for name in _chores_by_name(versions.live)]


def _chores_by_name(version: Version) -> Mapping[str, Chore]:
    """Tell apart those that have one name, like webhooks of one host, by counting them."""
    named: dict[str, Chore] = {}
    times: Counter[str] = Counter()
    for chore in version.ways_back.chores() if version.ways_back else ():
        times[chore.name] += 1
        nth = times[chore.name]
        named[chore.name if nth == 1 else f"{chore.name} ({nth})"] = chore
    return named


# --- making ---------------------------------------------------------------------------------


def _board(config: Config, lasting: Lasting, before: Version | None) -> HealthBoard:
    if before is not None:
        return before.board.under(config.breaker, config.retry.budget)
    journal = lasting.kept.journal if lasting.kept else None
    return HealthBoard(
        config.breaker,
        lasting.clock,
        journal,
        repeats=config.retry.budget,
        gradual=journal is not None,
        trusted_s=_HEALTH_TRUSTED_S if journal is not None else 0.0,
    )


def _dispatcher(
    config: Config,
    registry: Registry,
    board: HealthBoard,
    lasting: Lasting,
    back: WaysBack | None,
) -> Dispatcher:
    clock, kept = lasting.clock, lasting.kept
    keeper: Keeper = Journalled(kept, clock) if kept else Memory(clock)
    return Dispatcher(
        registry,
        board,
        config.retry,
        clock,
        lasting.chance,
        keeper,
        config.receipts.follow,
        back.suppressions.against if back else nobody,
    )


# --- what a reload cannot change ------------------------------------------------------------


def _refuse_unchangeable(
    before: Config, config: Config, plugins: Plugins, lasting: Lasting
) -> None:
    if _lasting_part(before) != _lasting_part(config):
        raise _unchangeable(config, "journal")
    if plugins.message_types() != lasting.types:
        raise _unchangeable(config, "plugins (they bring other message types)")


def _lasting_part(config: Config) -> object:
    """Return what of the journal is in use all the time; the rest is for who keeps house."""
    journal = config.journal
    return journal and attrs.evolve(journal, retention=Retention())


def _unchangeable(config: Config, what: str) -> ConfigError:
    file = str(config.files[0]) if config.files else "configuration"
    problem = "cannot change while it is in use; restart to go on with the change"
    return ConfigError([Problem(file, 0, 0, what, problem)])


def _needing_restart(before: Config, now: Config) -> Iterator[str]:
    if before.worker != now.worker:
        yield "worker"
    for name in ("listen", "threads"):
        if getattr(before.callbacks, name) != getattr(now.callbacks, name):
            yield f"callbacks.{name}"
