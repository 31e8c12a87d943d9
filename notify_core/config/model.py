"""The configuration as the rest of the framework sees it: frozen, complete, checked.

The attributes are the keys of the YAML. ``load`` makes these objects; nothing else needs to know
that there was a file.
"""

from __future__ import annotations

import enum
from datetime import timedelta

import attrs

from notify_core.message import Priority
from notify_core.outcome import RefusalScope


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


class IfUnknown(enum.Enum):
    """What follows an answer that leaves open whether the message went."""

    RECONCILE = "reconcile"
    """Ask the provider by our own id; what stays unknown is held."""
    HOLD = "hold"
    """Hold it at once for somebody to look at."""


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
    others skip it.
    """

    via: Via
    channel: str | None = None
    until: Until = Until.ACCEPTED
    within: timedelta | None = None
    needs_alternative: bool = False


NEXT_ON = (RefusalScope.RECIPIENT, RefusalScope.ACCOUNT)
"""The refusals after which another leg may do better, unless the route says otherwise."""


@attrs.frozen(kw_only=True)
class Route:
    """A named rule: which messages, and what to do with them.

    ``next_on`` are the kinds of refusal after which the next leg is tried; after another one the
    delivery is refused. ``deadline`` counts from the call of ``send``; no attempt begins after
    it.
    """

    name: str
    legs: tuple[LegConfig, ...]
    when: When = When()
    mode: Mode = Mode.FIRST_OF
    if_unknown: IfUnknown = IfUnknown.RECONCILE
    next_on: tuple[RefusalScope, ...] = NEXT_ON
    deadline: timedelta | None = None


@attrs.frozen(kw_only=True)
class Retry:
    """How often and how patiently a message that did not leave is tried again.

    ``rounds`` is how often the providers of a leg are gone through. The pause before round *n*
    is ``first * factor ** (n - 2)``, at most ``longest``, shortened or lengthened by up to the
    share ``jitter``.
    """

    rounds: int = 3
    first: timedelta = timedelta(seconds=1)
    factor: float = 2.0
    longest: timedelta = timedelta(seconds=30)
    jitter: float = 0.2

    def __attrs_post_init__(self) -> None:
        if self.rounds < 1:
            raise ValueError("rounds must be at least 1")
        if self.factor < 1:
            raise ValueError("factor must be at least 1")
        if not 0 <= self.jitter < 1:
            raise ValueError("jitter is a share, from 0 to below 1")


@attrs.frozen(kw_only=True)
class Breaker:
    """When a provider that fails is left alone: after ``failures`` in a row, for ``pause``."""

    failures: int = 5
    pause: timedelta = timedelta(seconds=30)

    def __attrs_post_init__(self) -> None:
        if self.failures < 1:
            raise ValueError("failures must be at least 1")


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
    how numbers without a leading ``+`` are read; without it they are refused.
    """

    providers: tuple[ProviderConfig, ...]
    routes: tuple[Route, ...]
    version: int = 1
    plugins: tuple[str, ...] = ()
    default_region: str | None = None
    retry: Retry = Retry()
    breaker: Breaker = Breaker()
