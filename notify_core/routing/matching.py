"""Which route matches first, found by an index and not by trying them one after another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs

from notify_core.config.model import Route
from notify_core.routing.facts import Facts, conditions, values


class RouteTable:
    """The routes of a configuration, in their order, and what finds the first that matches.

    A set of routes is one whole number, with a bit for each route. For each condition there is
    the set of the routes that do not have it, and for each value the set of those that it is
    enough for. Which routes match is then a handful of operations on numbers, of as many bits as
    there are routes: 10,000 of them are 1,250 bytes.

    Made once per configuration; it never changes, so threads may share it.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = tuple(routes)
        self._indexes = [_Index.of(condition, self._routes) for condition in _used(self._routes)]
        self._every = (1 << len(self._routes)) - 1

    @property
    def routes(self) -> Sequence[Route]:
        """The routes, in their order."""
        return self._routes

    def matching(self, facts: Facts) -> int:
        """Return the set of the routes that match: bit *n* is for the route in place *n*."""
        found = self._every
        for index in self._indexes:
            found &= index.holding(facts)
        return found

    def place(self, facts: Facts) -> int:
        """Return the place of the first route that matches, from 0. Raises ``ValueError``."""
        found = self.matching(facts)
        if not found:
            raise ValueError("no route matches; the last route of a configuration has no when")
        return (found & -found).bit_length() - 1


@attrs.frozen
class _Index:
    """One condition: the routes without it, and those for which a value is enough.

    ``lengths`` are those of the values that are beginnings of numbers.
    """

    condition: str
    without: int
    enough: Mapping[str, int]
    lengths: tuple[int, ...] = ()

    @classmethod
    def of(cls, condition: str, routes: Sequence[Route]) -> _Index:
        without, enough = 0, dict[str, int]()
        for place, route in enumerate(routes):
            wanted = dict(conditions(route.when)).get(condition, ())
            if not wanted:
                without |= 1 << place
            for value in wanted:
                enough[value] = enough.get(value, 0) | 1 << place
        lengths = {len(value) for value in enough} if condition == _PREFIX else set()
        return cls(condition, without, enough, tuple(sorted(lengths)))

    def holding(self, facts: Facts) -> int:
        """Return the routes whose condition holds, and those that do not have it."""
        found = self.without
        for value in self._values(facts):
            found |= self.enough.get(value, 0)
        return found

    def _values(self, facts: Facts) -> Iterable[str]:
        if self.condition != _PREFIX:
            return values(self.condition, facts)
        number = facts.number or ""
        return [number[:length] for length in self.lengths if length <= len(number)]


_PREFIX = "number_prefix"


def _used(routes: Sequence[Route]) -> Sequence[str]:
    """Return the conditions that any route has: the others need not be asked."""
    return tuple(
        dict.fromkeys(condition for route in routes for condition, _ in conditions(route.when))
    )
