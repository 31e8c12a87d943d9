"""What the tests of a configuration show, and what could be changed without any of them failing.

There is an item for each route, for each of its legs, for each value of its conditions and for each
condition. Only tests that pass and name the route that they expect show anything:

- a *route*: a message takes it;
- a *leg*: a message takes the route, the leg is planned, and the test says which legs it expects;
- a *value*: a message takes the route, and of the values of this condition it has this one alone;
- a *condition*: a message comes as far as the route and every condition of it holds but this one.

So of what is covered nothing can be taken away without a test that fails: not the route, not the
leg, not a value among others, not a condition.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Sequence
from decimal import ROUND_FLOOR, Decimal

import attrs

from notify_core.config.model import Route
from notify_core.route_tests.running import Result
from notify_core.routing import Considered, Plan, conditions


class Kind(enum.Enum):
    """What of a configuration tests can show to work."""

    ROUTE = "route"
    """A message takes the route."""
    LEG = "leg"
    """A message takes the route, with this leg."""
    VALUE = "value"
    """This value lets a message take the route."""
    CONDITION = "condition"
    """This condition alone keeps a message out."""

    @property
    def plural(self) -> str:
        """The word for several of them."""
        return f"{self.value}s"


@attrs.frozen(kw_only=True)
class Item:
    """One thing to be shown. ``leg`` counts from 1."""

    kind: Kind
    route: str
    leg: int | None = None
    condition: str | None = None
    value: str | None = None

    @property
    def wanted(self) -> str:
        """What a test must do to cover it."""
        match self.kind:
            case Kind.ROUTE:
                return "a message that takes it"
            case Kind.LEG:
                return f"a message that takes it with leg {self.leg}, and expects its legs"
            case Kind.VALUE:
                return f"a message that takes it by {self.condition} {self.value} alone"
            case Kind.CONDITION:
                return f"a message for which all holds but {self.condition}"


@attrs.frozen(kw_only=True)
class Coverage:
    """The items of a configuration, in its order, and those that tests cover."""

    items: tuple[Item, ...]
    covered: frozenset[Item]

    @property
    def missing(self) -> Sequence[Item]:
        """What no test covers, in the order of the configuration."""
        return [item for item in self.items if item not in self.covered]

    def counts(self, kind: Kind | None = None) -> tuple[int, int]:
        """Return how many items are covered, and how many there are."""
        items = [item for item in self.items if kind in (None, item.kind)]
        return sum(item in self.covered for item in items), len(items)

    @property
    def percent(self) -> Decimal:
        """The share that is covered, rounded down: 100 is said of nothing less."""
        covered, items = self.counts()
        share = Decimal(100 * covered) / max(items, 1)
        return share.quantize(Decimal("0.1"), ROUND_FLOOR)


def coverage(routes: Sequence[Route], results: Iterable[Result]) -> Coverage:
    """Return what the results show of the routes."""
    shown = frozenset(item for result in results for item in _shown_by(result))
    return Coverage(items=tuple(_items(routes)), covered=shown)


def _items(routes: Sequence[Route]) -> Iterator[Item]:
    for route in routes:
        yield Item(kind=Kind.ROUTE, route=route.name)
        yield from (_leg(route.name, place) for place in range(len(route.legs)))
        for condition, wanted in conditions(route.when):
            yield from (_value(route.name, condition, value) for value in dict.fromkeys(wanted))
            yield _condition(route.name, condition)


def _shown_by(result: Result) -> Iterator[Item]:
    if not result.passed or result.test.expect.route is None:
        return
    for considered in result.tried:
        yield from _shown_by_route(considered)
    if result.test.expect.legs is not None:
        for plan in result.plans:
            yield from _shown_by_plan(plan)


def _shown_by_route(considered: Sequence[Considered]) -> Iterator[Item]:
    *missed, taken = considered
    yield Item(kind=Kind.ROUTE, route=taken.route)
    for check in taken.checks:
        if len(set(check.by)) == 1:
            yield _value(taken.route, check.condition, check.by[0])
    for route in missed:
        failed = [check for check in route.checks if not check.held]
        if len(failed) == 1:
            yield _condition(route.route, failed[0].condition)


def _shown_by_plan(plan: Plan) -> Iterator[Item]:
    left_out = {leg.place for leg in plan.left_out}
    for place in range(len(plan.legs) + len(left_out)):
        if place not in left_out:
            yield _leg(plan.route, place)


def _leg(route: str, place: int) -> Item:
    return Item(kind=Kind.LEG, route=route, leg=place + 1)


def _value(route: str, condition: str, value: str) -> Item:
    return Item(kind=Kind.VALUE, route=route, condition=condition, value=value)


def _condition(route: str, condition: str) -> Item:
    return Item(kind=Kind.CONDITION, route=route, condition=condition)
