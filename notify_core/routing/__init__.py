"""From a message and a recipient to a plan: pure, finite, decided before anything is sent.

``decide`` is the only way to a plan. ``notifier.explain`` shows what it returns and
``notifier.send`` carries it out, so the two cannot disagree.

``facts`` says what a route may look at, ``matching`` finds the first one that matches, ``legs``
makes the plan that ``model`` describes.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from notify_core.config.model import Route
from notify_core.routing.facts import Check, Considered, Facts, checks, conditions, consider
from notify_core.routing.legs import plan
from notify_core.routing.matching import RouteTable
from notify_core.routing.model import Catalog, LeftOut, Leg, Plan, Subject
from notify_core.routing.price import LegPrice, PlanPrice, parts_of, price_of

__all__ = [
    "Catalog",
    "Check",
    "Considered",
    "Decision",
    "Facts",
    "LeftOut",
    "Leg",
    "LegPrice",
    "Plan",
    "PlanPrice",
    "RouteTable",
    "Subject",
    "checks",
    "conditions",
    "consider",
    "decide",
    "parts_of",
    "price_of",
]


@attrs.frozen
class Decision:
    """The plan of the first route that matched, and why none before it did."""

    plan: Plan
    facts: Facts
    _routes: Sequence[Route] = attrs.field(repr=False, eq=False)

    @property
    def considered(self) -> tuple[Considered, ...]:
        """The routes that were tried, in order, each with its checks; the last one matched.

        Worked out anew each time: it takes as long as there are routes, and ``send`` has no use
        for it.
        """
        return consider(self._routes, self.facts)


def decide(table: RouteTable, subject: Subject, catalog: Catalog) -> Decision:
    """Find the first route that matches and plan its legs.

    The last route matches everything (the loader sees to it). Raises ``RecipientError`` if no
    leg can reach the recipient, ``AdaptationError`` or ``UnsupportedFeature`` if a leg cannot
    carry the message.
    """
    route = table.routes[table.place(subject.facts)]
    return Decision(plan(route, subject, catalog), subject.facts, table.routes)
