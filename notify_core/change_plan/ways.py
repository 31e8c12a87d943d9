"""What a route does with a message of which only its facts are known.

It is the plan without what hangs on the text, the files and the times of the message: those are
not kept, or not looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TypeAlias

import attrs

from notify_core.adaptation import can_adapt
from notify_core.config.model import Because, IfUnknown, LegConfig, Mode, Quiet, Route, Until
from notify_core.contact import EMAIL, PHONE
from notify_core.outcome import RefusalScope
from notify_core.routing import Catalog, Facts


@attrs.frozen(kw_only=True)
class WayLeg:
    """A leg. With ``weights`` the first provider is drawn for each delivery.

    Those ``passed_over`` can be drawn as well; what they cannot carry goes to those behind them.
    ``optional`` legs are for messages that bring a text of their own for the channel; whether one
    does is not kept.
    """

    channel: str
    providers: tuple[str, ...]
    weights: tuple[int, ...] = ()
    passed_over: tuple[str, ...] = ()
    until: Until = Until.ACCEPTED
    within: timedelta | None = None
    on: frozenset[Because] = frozenset(Because)
    if_unknown: IfUnknown = IfUnknown.RECONCILE
    distrusted: frozenset[str] = frozenset()
    optional: bool = False


@attrs.frozen(kw_only=True)
class Way:
    """What is done with a message: its legs, and the terms that hold for all of them."""

    legs: tuple[WayLeg, ...]
    mode: Mode = Mode.FIRST_OF
    next_on: frozenset[RefusalScope] = frozenset()
    deadline: timedelta | None = None
    quiet: Quiet | None = None

    @property
    def is_drawn(self) -> bool:
        """Whether a provider is drawn in any leg."""
        return any(leg.weights for leg in self.legs)


@attrs.frozen(kw_only=True)
class Decided:
    """What is decided for a message: the route, and its way or why there is none."""

    route: str
    way: Way | None = None
    refused: str | None = None


@attrs.frozen(kw_only=True)
class Traits:
    """What is known of a recorded message: its facts, and channels that it brings a text for."""

    facts: Facts
    brings: frozenset[str] = frozenset()


_Told: TypeAlias = WayLeg | str | None
"""A leg, why nothing can be sent by the route, or None where the leg does not reach anybody."""


def decided_by(route: Route, traits: Traits, catalog: Catalog) -> Decided:
    """Return what a route does with a message."""
    told = [_leg(route, leg, traits, catalog) for leg in route.legs]
    refused = next((each for each in told if isinstance(each, str)), None)
    legs = tuple(leg for leg in told if isinstance(leg, WayLeg))
    if refused is None:
        refused = _unreached(route, told)
    if refused is not None:
        return Decided(route=route.name, refused=refused)
    way = Way(
        legs=legs,
        mode=route.mode,
        next_on=frozenset(route.next_on),
        deadline=route.deadline,
        quiet=_quiet(route, traits.facts),
    )
    return Decided(route=route.name, way=way)


def _unreached(route: Route, told: Sequence[_Told]) -> str | None:
    """Say that the recipient cannot be reached by a leg, or by one that the route wants."""
    if all(leg is None for leg in told):
        return "no leg reaches the recipient"
    if route.mode is Mode.ALL_OF and None in told:
        return "not every leg reaches the recipient"
    return None


def _leg(route: Route, leg: LegConfig, traits: Traits, catalog: Catalog) -> _Told:
    channel = leg.channel or traits.facts.channel
    optional = leg.needs_alternative and channel != traits.facts.channel
    if problem := _problem(channel, optional, traits, catalog):
        return problem
    able = [name for name in leg.via.providers if _carries(name, channel, catalog)]
    if not able and not optional:
        return f"{channel}: {' and '.join(leg.via.providers)} cannot carry it"
    if _certainly_out_of_reach(channel, able, traits.facts, catalog):
        return None
    return WayLeg(
        channel=channel,
        providers=leg.via.providers if leg.via.weights else tuple(able),
        weights=leg.via.weights,
        passed_over=_passed_over(leg, able),
        until=leg.until,
        within=leg.within,
        on=frozenset(leg.on),
        if_unknown=leg.if_unknown or route.if_unknown,
        distrusted=_distrusted(leg, traits.facts.country),
        optional=optional,
    )


def _problem(channel: str, optional: bool, traits: Traits, catalog: Catalog) -> str | None:
    """Say why a message cannot become one of a channel, as far as that can be told."""
    types, own = catalog.message_types, traits.facts.channel
    for name in (channel, own):
        if name not in types:
            return f"{name}: no installed plugin brings this channel"
    if optional or channel in traits.brings or can_adapt(types[own], types[channel]):
        return None
    return f"a {own} message cannot become {channel}, but by a text of its own for it"


def _carries(provider: str, channel: str, catalog: Catalog) -> bool:
    return channel in catalog.capabilities[provider].channels


def _passed_over(leg: LegConfig, able: Sequence[str]) -> tuple[str, ...]:
    """Return who may be drawn and cannot carry it; without weights nobody is told apart."""
    if not leg.via.weights:
        return ()
    return tuple(name for name in leg.via.providers if name not in able)


def _certainly_out_of_reach(
    channel: str, providers: Iterable[str], facts: Facts, catalog: Catalog
) -> bool:
    kinds = {
        *catalog.message_types[channel].address_kinds,
        *(kind for name in providers for kind in catalog.capabilities[name].address_kinds),
    }
    has = {PHONE: facts.number is not None, EMAIL: facts.domain is not None}
    # Whether there is an address of another kind is not kept.
    return not any(has.get(kind, True) for kind in kinds)


def _distrusted(leg: LegConfig, country: str | None) -> frozenset[str]:
    return frozenset(name for name, countries in leg.distrust.items() if country in countries)


def _quiet(route: Route, facts: Facts) -> Quiet | None:
    if route.quiet is None:
        return None
    passes = facts.priority in (priority.name.lower() for priority in route.quiet.unless)
    return None if passes else route.quiet


# --- comparing ------------------------------------------------------------------------------


def differences(old: Decided, new: Decided) -> tuple[str, ...]:
    """Name what differs between two decisions, the route first; nothing if none does."""
    return tuple(_differences(old, new))


def _differences(old: Decided, new: Decided) -> Iterator[str]:
    if old.route != new.route:
        yield "route"
    if (old.way is None) != (new.way is None):
        yield "refused"
    if old.way is not None and new.way is not None:
        before, after = _terms(old.way), _terms(new.way)
        yield from (name for name in before if before[name] != after[name])


def _terms(way: Way) -> Mapping[str, object]:
    return attrs.asdict(way, recurse=False)
