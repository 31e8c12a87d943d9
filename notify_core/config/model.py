"""The configuration as the rest of the framework sees it: frozen, complete, checked.

The attributes are the keys of the YAML. ``load`` makes these objects; nothing else needs to know
that there was a file.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Mapping
from datetime import time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import attrs

from notify_core.config.sections import (
    Callbacks,
    IncomingConfig,
    Receipts,
    Suppression,
    WebhookConfig,
)
from notify_core.message import Priority
from notify_core.outcome import RefusalScope
from notify_core.secret import Secret


class Mode(enum.Enum):
    """How the legs of a route belong together."""

    FIRST_OF = "first_of"
    """In order, until one has done its work."""
    ALL_OF = "all_of"
    """Every one of them."""


class Until(enum.Enum):
    """What ends a leg with success."""

    ACCEPTED = "accepted"
    """The provider took the message."""
    DELIVERED = "delivered"
    """A receipt says that it reached the recipient."""
    READ = "read"
    """A receipt says that the recipient opened it."""


class Because(enum.Enum):
    """Why a leg that waited for a receipt is followed by the next one."""

    UNDELIVERED = "undelivered"
    """A receipt says that it could not be delivered."""
    REFUSED = "refused"
    """The provider refused it, of a kind in ``next_on``, or a receipt says that it is forbidden."""
    EXPIRED = "expired"
    """The time for it is over: no receipt came within it, or one says so."""


class IfUnknown(enum.Enum):
    """What follows an answer that leaves open whether the message went."""

    RECONCILE = "reconcile"
    """Ask the provider by our own id; what stays unknown is held."""
    HOLD = "hold"
    """Hold it at once for somebody to look at."""
    NEXT = "next"
    """Ask, and take the next leg when the time for this one is over: both may arrive."""


class Weekday(enum.Enum):
    """A day of the week, in the order of ``date.weekday()``."""

    MON = "mon"
    """Monday."""
    TUE = "tue"
    """Tuesday."""
    WED = "wed"
    """Wednesday."""
    THU = "thu"
    """Thursday."""
    FRI = "fri"
    """Friday."""
    SAT = "sat"
    """Saturday."""
    SUN = "sun"
    """Sunday."""


@attrs.frozen(kw_only=True)
class When:
    """The conditions of a route. All that are given must hold; an empty one always does.

    Within one condition any value is enough: ``tags: [otp, login]`` matches a message that
    carries either. ``country`` holds ISO 3166 codes of the normalised number, ``number_prefix``
    beginnings of it in international form, ``recipient_domain`` mail domains in lower case.
    """

    channel: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    priority: tuple[Priority, ...] = ()
    country: tuple[str, ...] = ()
    number_prefix: tuple[str, ...] = ()
    recipient_domain: tuple[str, ...] = ()
    sender: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Via:
    """The providers of a leg in order of preference.

    With ``weights`` (as many as providers) the first one is drawn by weight for each delivery,
    and the others stand behind it in their order.
    """

    providers: tuple[str, ...]
    weights: tuple[int, ...] = ()


@attrs.frozen(kw_only=True)
class LegConfig:
    """One step of a route. ``channel`` None is the message's own.

    With ``needs_alternative`` the leg is for messages that bring their own text for its channel;
    others skip it. A leg that waits ``until`` a receipt comes does so ``within`` a time that
    begins when a provider has taken the message; ``on`` says after what the next leg follows.
    ``if_unknown`` None is that of the route. ``distrust`` are, by provider, the countries whose
    receipts are not believed: there the time alone decides.
    """

    via: Via
    channel: str | None = None
    until: Until = Until.ACCEPTED
    within: timedelta | None = None
    on: tuple[Because, ...] = tuple(Because)
    if_unknown: IfUnknown | None = None
    distrust: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict, hash=False)
    needs_alternative: bool = False


NEXT_ON = (RefusalScope.RECIPIENT, RefusalScope.ACCOUNT)
"""The refusals after which another leg may do better, unless the route says otherwise."""


@attrs.frozen(kw_only=True)
class Quiet:
    """When the messages of a route wait, by the clock on a wall.

    Each day from ``from_`` until ``to``, which is on the next day if it is not the later one, and
    the whole of ``days``. ``zone`` says whose clock, None the recipient's. Messages of the
    priorities in ``unless`` do not wait.
    """

    from_: time | None = None
    to: time | None = None
    days: tuple[Weekday, ...] = ()
    zone: ZoneInfo | None = None
    unless: tuple[Priority, ...] = (Priority.CRITICAL,)

    def __attrs_post_init__(self) -> None:
        if self.from_ is None and self.to is None and not self.days:
            raise ValueError("give from and to, or days, or both")
        if self.from_ is None and self.to is not None:
            raise ValueError("from must be given beside to")
        if self.to is None and self.from_ is not None:
            raise ValueError("to must be given beside from")
        if self.to is not None and self.to == self.from_:
            raise ValueError("to must differ from from; for whole days write days: [sat, sun]")
        if set(self.days) == set(Weekday):
            raise ValueError("days must leave a day on which messages may go")


@attrs.frozen(kw_only=True)
class Route:
    """A named rule: which messages, and what to do with them.

    ``next_on`` are the kinds of refusal after which the next leg is tried; after another one the
    delivery is refused. ``deadline`` counts from the call of ``send``; no attempt begins after
    it. What comes in the ``quiet`` time waits for its end.
    """

    name: str
    legs: tuple[LegConfig, ...]
    when: When = When()
    mode: Mode = Mode.FIRST_OF
    if_unknown: IfUnknown = IfUnknown.RECONCILE
    next_on: tuple[RefusalScope, ...] = NEXT_ON
    deadline: timedelta | None = None
    quiet: Quiet | None = None


@attrs.frozen(kw_only=True)
class Retry:
    """How often and how patiently a message that did not leave is tried again.

    ``rounds`` is how often the providers of a leg are gone through. The pause before round *n*
    is ``first * factor ** (n - 2)``, at most ``longest``, shortened or lengthened by up to the
    share ``jitter``. ``budget`` is how many repeated attempts a provider is given for one that
    repeats none, beyond a reserve for short trouble.
    """

    rounds: int = 3
    first: timedelta = timedelta(seconds=1)
    factor: float = 2.0
    longest: timedelta = timedelta(seconds=30)
    jitter: float = 0.2
    budget: float = 0.2

    def __attrs_post_init__(self) -> None:
        if self.rounds < 1:
            raise ValueError("rounds must be at least 1")
        if self.factor < 1:
            raise ValueError("factor must be at least 1")
        if not 0 <= self.jitter < 1:
            raise ValueError("jitter is a share, from 0 to below 1")
        if self.budget < 0:
            raise ValueError("budget must be at least 0")


@attrs.frozen(kw_only=True)
class Breaker:
    """When a provider that fails is left alone: after ``failures`` in a row, for ``pause``."""

    failures: int = 5
    pause: timedelta = timedelta(seconds=30)

    def __attrs_post_init__(self) -> None:
        if self.failures < 1:
            raise ValueError("failures must be at least 1")


class TextAtRest(enum.Enum):
    """What the journal keeps of what messages say."""

    KEEP = "keep"
    """The text, until it is purged."""
    NEVER = "never"
    """Nothing. What cannot be sent at once cannot be sent at all."""


class Durability(enum.Enum):
    """What a change that SQLite has confirmed survives."""

    FULL = "full"
    """The death of the process and a power cut. Each commit waits for the disk."""
    NORMAL = "normal"
    """The death of the process. A power cut may take the last moments."""


@attrs.frozen(kw_only=True)
class Retention:
    """How long ended deliveries are kept: what they say, to whom, and the rest of them."""

    text: timedelta = timedelta(days=7)
    numbers: timedelta = timedelta(days=90)
    rows: timedelta = timedelta(days=400)

    def __attrs_post_init__(self) -> None:
        if self.text > self.numbers:
            raise ValueError("text must not be kept longer than numbers")
        if self.numbers > self.rows:
            raise ValueError("numbers must not be kept longer than rows")


@attrs.frozen(kw_only=True)
class JournalConfig:
    """Where deliveries are kept, and how.

    ``url`` is ``sqlite:///file``, ``postgresql://…`` or ``memory:``. What is carried on is
    somebody else's once it has not been heard of for a ``lease``. A ``key`` of a message is
    remembered for ``keys``. With ``text_keys`` texts are encrypted, with the first of them.
    """

    url: Secret
    durability: Durability = Durability.FULL
    lease: timedelta = timedelta(seconds=60)
    keys: timedelta = timedelta(days=1)
    text: TextAtRest = TextAtRest.KEEP
    text_keys: tuple[Secret, ...] = ()
    retention: Retention = Retention()
    pool_size: int = 20

    def __attrs_post_init__(self) -> None:
        if self.lease < timedelta(seconds=1):
            raise ValueError("lease must be at least 1s")
        if self.keys <= timedelta(0):
            raise ValueError("keys must be longer than zero")
        if self.pool_size < 1:
            raise ValueError("pool_size must be at least 1")


@attrs.frozen(kw_only=True)
class WorkerConfig:
    """How much a worker does at once.

    ``reserved`` of its ``concurrency`` are for messages that somebody waits for (priority high
    and critical). A worker that is asked to stop gives what is under way ``stop_within`` to end.
    """

    concurrency: int = 16
    reserved: int = 4
    stop_within: timedelta = timedelta(seconds=30)

    def __attrs_post_init__(self) -> None:
        if self.concurrency < 1:
            raise ValueError("concurrency must be at least 1")
        if not 0 <= self.reserved < self.concurrency:
            limit = f"0 or more, and less than concurrency, which is {self.concurrency}"
            raise ValueError(f"reserved is {self.reserved}; it must be {limit}")


@attrs.frozen(kw_only=True)
class ProviderConfig:
    """One provider of the configuration: its name, its type and the type's own settings."""

    name: str
    type: str
    settings: object


@attrs.frozen(kw_only=True)
class Config:
    """A whole configuration.

    ``plugins`` are dotted paths of modules that are plugins. ``default_region`` (ISO 3166) is
    how numbers without a leading ``+`` are read; without it they are refused. ``include`` are
    the patterns of further files with providers and routes; ``files`` are the paths of all that
    was read, for who wants to see them change.
    """

    providers: tuple[ProviderConfig, ...]
    routes: tuple[Route, ...]
    version: int = 1
    plugins: tuple[str, ...] = ()
    default_region: str | None = None
    retry: Retry = Retry()
    breaker: Breaker = Breaker()
    journal: JournalConfig | None = None
    worker: WorkerConfig = WorkerConfig()
    receipts: Receipts = attrs.field(factory=Receipts)
    callbacks: Callbacks = attrs.field(factory=Callbacks)
    incoming: IncomingConfig = attrs.field(factory=IncomingConfig)
    suppression: Suppression = attrs.field(factory=Suppression)
    webhooks: tuple[WebhookConfig, ...] = ()
    include: tuple[str, ...] = ()
    files: tuple[Path, ...] = attrs.field(default=(), eq=False, metadata={"written": False})


def digest(config: Config) -> str:
    """Return what tells configurations apart that would decide otherwise. It holds no secret."""
    providers = [(provider.name, provider.type) for provider in config.providers]
    told = repr((providers, config.routes, config.retry, config.default_region))
    return hashlib.sha256(told.encode()).hexdigest()[:12]
