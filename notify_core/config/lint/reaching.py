"""Rules about which messages come to which route."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import attrs

from notify_core.config.lint.reach import can_be, shadows
from notify_core.config.lint.rule import Rule, Severity
from notify_core.config.lint.sheet import RoutePlace, Sheet
from notify_core.config.lint.words import joined
from notify_core.config.model import When
from notify_core.config.nodes import Node
from notify_core.config.problems import quoted
from notify_core.errors import Problem

_OFTEN_MEANT: Mapping[str, str] = MappingProxyType({"UK": "GB", "EN": "GB", "EL": "GR", "SU": "RU"})
"""Letters that people write for a country, and what ISO 3166 has for it."""


def _unreachable_routes(sheet: Sheet) -> Iterator[Problem]:
    twins = _twins(sheet)
    for route in sheet.routes:
        if route.number not in twins:
            by = _shadows(route.route.when, route, sheet)
            if by is not None:
                yield route.node.problem(
                    f"can never match: {_why(by, route.route.when, route, sheet)}"
                )


def _twin_routes(sheet: Sheet) -> Iterator[Problem]:
    for number, twin in _twins(sheet).items():
        node = sheet.routes[number].node
        yield node.problem(
            f"can never match: {twin.shown_for(node)} before it has the same conditions"
        )


def _idle_values(sheet: Sheet) -> Iterator[Problem]:
    for route in sheet.routes:
        if _shadows(route.route.when, route, sheet) is None:
            yield from _idle_values_of(route, sheet)


def _strange_countries(sheet: Sheet) -> Iterator[Problem]:
    for node in _country_nodes(sheet):
        country = node.text()
        if not sheet.codes.is_country(country):
            meant = _OFTEN_MEANT.get(country)
            hint = f"; did you mean {quoted(meant)}?" if meant else ""
            yield node.problem(f"no telephone number is in {quoted(country)}{hint}")


# --- shadows --------------------------------------------------------------------------------


def _shadows(when: When, route: RoutePlace, sheet: Sheet) -> tuple[int, ...] | None:
    places = sheet.meetings.before(when, route.number)
    by = shadows(when, [sheet.routes[place].route.when for place in places], sheet.codes)
    return None if by is None else tuple(places[each] for each in by)


def _why(by: Sequence[int], when: When, route: RoutePlace, sheet: Sheet) -> str:
    """Say why nothing comes: no message is so, or these routes take what is."""
    if by:
        return _taken(by, route.node, sheet)
    if when.tags and not any(can_be("tags", tag) for tag in when.tags):
        return "no message carries a blank tag"
    return "no telephone number fits its country and its number_prefix"


def _taken(by: Sequence[int], node: Node, sheet: Sheet) -> str:
    """Say which routes take what would come here."""
    names = joined([sheet.routes[place].shown_for(node) for place in by])
    if len(by) == 1:
        return f"{names} takes all such messages before"
    return f"{names} together take all such messages before"


def _twins(sheet: Sheet) -> Mapping[int, RoutePlace]:
    """Return, by the place of a route, the first one that has the same conditions before it."""
    first: dict[frozenset[object], RoutePlace] = {}
    found: dict[int, RoutePlace] = {}
    for route in sheet.routes:
        twin = first.setdefault(_as_set(route.route.when), route)
        if twin is not route:
            found[route.number] = twin
    return found


def _as_set(when: When) -> frozenset[object]:
    return frozenset((name, frozenset(values)) for name, values in _conditions(when).items())


def _conditions(when: When) -> Mapping[str, tuple[object, ...]]:
    return attrs.asdict(when, recurse=False)


# --- single values --------------------------------------------------------------------------


def _idle_values_of(route: RoutePlace, sheet: Sheet) -> Iterator[Problem]:
    for condition, values in _conditions(route.route.when).items():
        nodes = route.place(f"when.{condition}").items_or_self() if len(values) > 1 else []
        for place, node in enumerate(nodes):
            why = _why_idle(condition, place, route, sheet)
            if why is not None:
                yield node.problem(f"{quoted(node.text())} makes no difference here: {why}")


def _why_idle(condition: str, place: int, route: RoutePlace, sheet: Sheet) -> str | None:
    values = _conditions(route.route.when)[condition]
    value = values[place]
    if condition == "country" and not sheet.codes.is_country(str(value)):
        return None  # that is a finding of its own
    if value in values[:place]:
        return "it is named twice"
    if condition == "number_prefix":
        shorter = [each for each in values if each != value and str(value).startswith(str(each))]
        if shorter:
            return f"all such numbers begin with {shorter[0]}, which is named too"
    one: dict[str, Any] = {condition: (value,)}
    alone = attrs.evolve(route.route.when, **one)
    by = _shadows(alone, route, sheet)
    return None if by is None else _why(by, alone, route, sheet)


def _country_nodes(sheet: Sheet) -> Iterator[Node]:
    for route in sheet.routes:
        if route.route.when.country:
            yield from route.place("when.country").items_or_self()
    for leg in sheet.legs:
        distrust = leg.node.get("distrust")
        for entry in distrust.entries().values() if distrust else ():
            yield from entry.value.items_or_self()
    region = sheet.root.get("default_region")
    if region is not None:
        yield region


REACHING_RULES = (
    Rule(name="unreachable-route", severity=Severity.WARNING, find=_unreachable_routes),
    Rule(name="twin-route", severity=Severity.WARNING, find=_twin_routes),
    Rule(name="idle-value", severity=Severity.ADVICE, find=_idle_values),
    Rule(name="no-such-country", severity=Severity.WARNING, find=_strange_countries),
)
