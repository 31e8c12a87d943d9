"""Whom a spread draws for a delivery: asked of the decision itself, so that there is one rule."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from notify_core.change_plan.ways import Decided, Way, WayLeg
from notify_core.config.model import LegConfig, Route, Via
from notify_core.contact import Contact
from notify_core.message import Ping
from notify_core.provider import Capabilities
from notify_core.routing import Catalog, Facts, RouteTable, Subject, decide

_ANY = Ping(to="+12025550123")
_ABLE = Capabilities(channels=frozenset({Ping.channel}))


class Draws:
    """Draws providers as a send does. The tables are made once for each spread."""

    def __init__(self, providers: Iterable[str]) -> None:
        self._catalog = Catalog({Ping.channel: Ping}, dict.fromkeys(providers, _ABLE))
        self._tables: dict[Via, RouteTable] = {}

    def drawn(self, decided: Decided, draw: str) -> Decided:
        """Return a decision with the providers in the order that is drawn for a delivery."""
        way = decided.way
        if way is None or not way.is_drawn:
            return decided
        return attrs.evolve(decided, way=self._way(way, draw))

    def _way(self, way: Way, draw: str) -> Way:
        return attrs.evolve(way, legs=tuple(self._leg(leg, draw) for leg in way.legs))

    def _leg(self, leg: WayLeg, draw: str) -> WayLeg:
        if not leg.weights:
            return leg
        order = self._order(Via(providers=leg.providers, weights=leg.weights), draw)
        able = tuple(name for name in order if name not in leg.passed_over)
        return attrs.evolve(leg, providers=able, weights=(), passed_over=())

    def _order(self, via: Via, draw: str) -> tuple[str, ...]:
        if via not in self._tables:
            route = Route(name="drawn", legs=(LegConfig(via=via),))
            self._tables[via] = RouteTable([route])
        subject = Subject(
            delivery_id="-",
            draw=draw,
            message=_ANY,
            recipient=Contact(phone="+12025550123"),
            facts=Facts(channel=Ping.channel),
        )
        return decide(self._tables[via], subject, self._catalog).plan.legs[0].providers
