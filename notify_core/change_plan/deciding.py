"""Which route a message takes under one configuration or another, of what is kept of it.

Of a number only its beginning is kept, and its country where the routes of then asked for it. So
a message stands for several: one for each way in which what is missing could make a difference. A
decision is told of all of them, and only where it is the same for all is it known.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator, Mapping, Sequence

import attrs

from notify_core.change_plan.regions import Regions
from notify_core.change_plan.ways import Decided, Traits, decided_by
from notify_core.config.model import Config, Route
from notify_core.routing import Catalog, Facts, RouteTable, consider

_CUT = "…"
_LAST = "\uffff"
"""Sorts behind every digit."""


@attrs.frozen
class Side:
    """One of the two configurations."""

    config: Config
    catalog: Catalog
    _table: RouteTable = attrs.field(
        default=attrs.Factory(lambda self: RouteTable(self.config.routes), takes_self=True),
        repr=False,
        eq=False,
    )

    def decide(self, traits: Traits) -> Decided:
        """Return what is decided for a message of which all is known that routes look at."""
        route = self._table.routes[self._table.place(traits.facts)]
        return decided_by(route, traits, self.catalog)


@attrs.frozen
class Pair:
    """What the old and the new configuration decide for one message."""

    old: Decided
    new: Decided

    @property
    def differs(self) -> bool:
        """Whether the message goes otherwise; one that both refuse goes by neither."""
        return self.old != self.new and not (self.old.refused and self.new.refused)


class Judge:
    """Decides under both configurations, once for each distinct message.

    ``regions`` tells which countries the beginning of a number leaves open.
    """

    def __init__(self, old: Side, new: Side, regions: Regions) -> None:
        self.old, self.new = old, new
        routes = (*old.config.routes, *new.config.routes)
        self._missing = Missing(routes, regions)
        self._known: dict[Traits, Sequence[Pair]] = {}
        self._shared: dict[Pair, Pair] = {}

    def pairs(self, traits: Traits) -> Sequence[Pair]:
        """Return what may be decided for a message, each once."""
        if traits not in self._known:
            readings = self._missing.readings(traits.facts)
            pairs = [self._pair(attrs.evolve(traits, facts=facts)) for facts in readings]
            self._known[traits] = list(dict.fromkeys(pairs))
        return self._known[traits]

    @property
    def is_one(self) -> bool:
        """Whether both are the same, so that nothing need be known of a message."""
        old, new = self.old, self.new
        return old.config.routes == new.config.routes and old.catalog == new.catalog

    def country(self, facts: Facts) -> str | None:
        """Return the country of a message, where it is known."""
        return facts.country or self._missing.only_country(facts)

    def _pair(self, traits: Traits) -> Pair:
        """Return one object for all that are equal: there are few, and very many messages."""
        pair = Pair(self.old.decide(traits), self.new.decide(traits))
        return self._shared.setdefault(pair, pair)


class Missing:
    """What of a kept message could make a difference to routes, and is not kept."""

    def __init__(self, routes: Iterable[Route], regions: Regions) -> None:
        every = list(routes)
        self._countries = frozenset(_countries(every))
        self._by_prefix = _by_prefix(every)
        self._prefixes = sorted(self._by_prefix)
        self._regions = regions

    def readings(self, facts: Facts) -> Iterator[Facts]:
        """Yield the message with all that could be missing of it, in each way that matters."""
        for number in self._numbers(facts):
            for country in self._possible(facts):
                yield attrs.evolve(facts, number=number, country=country)

    def only_country(self, facts: Facts) -> str | None:
        """Return the country of a number that tells it by its beginning."""
        possible = [] if facts.number is None else self._regions.possible(facts.number)
        return possible[0] if len(possible) == 1 else None

    def _numbers(self, facts: Facts) -> Iterator[str | None]:
        yield facts.number
        for prefix in self._beginning_with(facts.number):
            if facts.leaves_open(prefix) and self._may_matter(prefix, facts):
                yield f"{prefix}{_CUT}"

    def _may_matter(self, prefix: str, facts: Facts) -> bool:
        """Tell whether a route would take a message whose number begins so."""
        longer = attrs.evolve(facts, number=f"{prefix}{_CUT}")
        return any(consider([route], longer)[0].matched for route in self._by_prefix[prefix])

    def _beginning_with(self, number: str | None) -> Sequence[str]:
        """Return the prefixes that begin as a number does; there may be thousands of others."""
        begins = (number or "").removesuffix(_CUT)
        first = bisect.bisect_left(self._prefixes, begins)
        return self._prefixes[first : bisect.bisect_left(self._prefixes, f"{begins}{_LAST}")]

    def _possible(self, facts: Facts) -> Iterable[str | None]:
        """Return a country for each that a route names, and one for all that none names."""
        if facts.country is not None or facts.number is None or not self._countries:
            return [facts.country]
        possible = self._regions.possible(facts.number)
        named = [country for country in possible if country in self._countries]
        return [*named, *[each for each in possible if each not in self._countries][:1]]


def _by_prefix(routes: Iterable[Route]) -> Mapping[str, Sequence[Route]]:
    """Return the routes by their prefixes, as they are for numbers of whatever country."""
    found: dict[str, list[Route]] = {}
    for route in routes:
        anywhere = attrs.evolve(route, when=attrs.evolve(route.when, country=()))
        for prefix in route.when.number_prefix:
            found.setdefault(prefix, []).append(anywhere)
    return found


def _countries(routes: Iterable[Route]) -> Iterator[str]:
    for route in routes:
        yield from route.when.country
        for leg in route.legs:
            for countries in leg.distrust.values():
                yield from countries
