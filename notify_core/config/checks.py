"""What the parts of a route mean to one another, to the channels and to the providers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs

from notify_core.adaptation import can_adapt
from notify_core.config.model import LegConfig
from notify_core.config.nodes import Node, doubled
from notify_core.config.problems import listed, quoted
from notify_core.errors import Problem
from notify_core.message import Message
from notify_core.provider import Capabilities


@attrs.frozen(kw_only=True)
class Known:
    """What the names in a route may stand for.

    ``providers`` are all of the file; one whose own settings are wrong has None.
    """

    channels: Mapping[str, type[Message]]
    providers: Mapping[str, Capabilities | None]


def order_problems(routes: Sequence[Node]) -> Iterator[Problem]:
    """Yield what is wrong with the routes as a whole.

    Names are given once, the last route matches everything, and none that matches everything
    stands before another. It looks at what is written, so that a mistake within a route hides
    none of these.
    """
    yield from doubled([name for route in routes if (name := route.get("name"))])
    catch_all = next((route for route in routes if _matches_everything(route)), None)
    if catch_all:
        for route in routes[routes.index(catch_all) + 1 :]:
            yield route.problem(f"can never match: {catch_all.path} before it matches everything")
    elif (when := routes[-1].get("when")) and when.is_mapping:
        yield when.problem("the last route must match everything; add one without a when")


def waiting_problems(root: Node) -> Iterator[Problem]:
    """Yield what lets messages wait in a file without a journal to keep them."""
    journal, routes = root.get("journal"), root.get("routes")
    if journal and not journal.is_null:
        return
    for route in routes.items() if routes and routes.is_list else []:
        if route.get("quiet"):
            yield route.entries()["quiet"].key.problem(
                '"quiet" needs a journal, where messages wait; write journal: sqlite:///notify.db '
                "at the top level of the file"
            )


def leg_problems(
    node: Node, leg: LegConfig, known: Known, named: Sequence[str]
) -> Iterator[Problem]:
    """Yield what a leg cannot do. ``named`` are the channels that the route's ``when`` names."""
    yield from _not_carried(node, leg, known, named)
    if leg.needs_alternative and leg.channel is None:
        place = node.get("needs_alternative") or node
        yield place.problem("needs a channel beside it: the alternative is for another channel")
    if leg.channel is not None and not leg.needs_alternative:
        yield from _not_adapted(node.get("channel") or node, leg.channel, known, named)


def _matches_everything(route: Node) -> bool:
    when = route.get("when")
    return route.is_mapping and (when is None or (when.is_mapping and not when.entries()))


def _not_carried(
    node: Node, leg: LegConfig, known: Known, named: Sequence[str]
) -> Iterator[Problem]:
    channels = [leg.channel] if leg.channel else named
    for provider in _providers(node):
        capabilities = known.providers.get(provider.text())
        for channel in channels:
            if capabilities and channel not in capabilities.channels:
                why = "" if leg.channel else ", which the when of this route names"
                yield provider.problem(
                    f"{quoted(provider.text())} does not carry {quoted(channel)}{why}; "
                    f"it carries: {listed(capabilities.channels)}"
                )


def _providers(leg: Node) -> list[Node]:
    via = leg.entries()["via"].value
    if via.is_mapping:
        return [entry.key for entry in via.entries()["spread"].value.entries().values()]
    return via.items_or_self()


def _not_adapted(
    place: Node, channel: str, known: Known, named: Sequence[str]
) -> Iterator[Problem]:
    for source in named:
        if not can_adapt(known.channels[source], known.channels[channel]):
            yield place.problem(
                f"a {source} message cannot become {channel}, and the when of this route names "
                f"{source}; if these messages bring a text of their own for {channel}, write "
                "needs_alternative: true"
            )
