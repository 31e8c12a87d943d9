"""What the parts of a route mean to one another, to the channels and to the providers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs

from notify_core.adaptation import can_adapt
from notify_core.config.model import IfUnknown, LegConfig, TextAtRest, Until
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
            path = catch_all.path_for(route)
            yield route.problem(f"can never match: {path} before it matches everything")
    elif (when := routes[-1].get("when")) and when.is_mapping:
        yield when.problem("the last route must match everything; add one without a when")


NEXT_BELONGS_TO_A_WAIT = (
    '"next" stands only in a leg that waits for a receipt: elsewhere the message may have gone, '
    "and would arrive twice; use reconcile or hold"
)


def journal_problems(root: Node) -> Iterator[Problem]:
    """Yield what a file asks for and has no journal for, or none that keeps what it takes."""
    journal, routes = root.get("journal"), root.get("routes")
    if journal and not journal.is_null:
        yield from _forgotten_texts(journal, routes)
        return
    for name in ("callbacks", "incoming", "suppression", "webhooks"):
        if root.get(name):
            yield root.entries()[name].key.problem(
                "needs a journal to keep things in; write journal: sqlite:///notify.db at the top "
                "level of the file"
            )
    for route in routes.items() if routes and routes.is_list else []:
        for key in _waiting_keys(route):
            yield key.problem(
                f"{quoted(key.text())} needs a journal, where messages wait; write "
                "journal: sqlite:///notify.db at the top level of the file"
            )


def _forgotten_texts(journal: Node, routes: Node | None) -> Iterator[Problem]:
    """Yield the legs that others follow later, where no text is kept for these."""
    text = journal.get("text") if journal.is_mapping else None
    if text is None or text.scalar != TextAtRest.NEVER.value:
        return
    for route in routes.items() if routes and routes.is_list else []:
        for leg in _legs(route.get("send"))[:-1]:
            if _waits(leg):
                yield leg.entries()["until"].key.problem(
                    "the next leg could not be sent, since journal.text: never keeps no text for "
                    "it; write text: keep, or let only the last leg wait"
                )


def _waiting_keys(route: Node) -> Iterator[Node]:
    """Yield the keys of a route that let messages wait."""
    if route.get("quiet"):
        yield route.entries()["quiet"].key
    for leg in _legs(route.get("send")):
        if _waits(leg):
            yield leg.entries()["until"].key


def _waits(leg: Node) -> bool:
    until = leg.get("until")
    return until is not None and until.scalar in (Until.DELIVERED.value, Until.READ.value)


def _legs(send: Node | None) -> list[Node]:
    """Return the legs below a ``send``, as far as they can be told."""
    if not send or not send.is_mapping:
        return []
    form = next((form for form in ("first_of", "all_of") if send.get(form)), None)
    legs = send.get(form) if form else None
    found = [send] if legs is None else legs.items_or_self()
    return [leg for leg in found if leg.is_mapping]


def waiting_legs_problems(send: Node, form: str) -> Iterator[Problem]:
    """Yield what is wrong with how the legs of a route wait for receipts."""
    legs = _legs(send)
    for leg in legs:
        until, waits = leg.get("until"), _waits(leg)
        if until and waits and form == "all_of":
            yield until.problem(
                "no leg of all_of waits for a receipt: each is sent at once; use first_of"
            )
        if not waits:
            yield from _only_beside_waiting(leg)
        elif leg is not legs[-1] and not leg.get("within"):
            yield leg.entries()["until"].key.problem(
                "needs within beside it: without a time the next leg might never follow"
            )


def _only_beside_waiting(leg: Node) -> Iterator[Problem]:
    """Yield the keys that say something only of a leg that waits for a receipt."""
    for name in ("within", "on", "distrust"):
        if leg.get(name):
            yield leg.entries()[name].key.problem(
                "needs until: delivered or until: read beside it, or nothing is waited for"
            )
    if_unknown = leg.get("if_unknown")
    if if_unknown and if_unknown.scalar == IfUnknown.NEXT.value:
        yield if_unknown.problem(NEXT_BELONGS_TO_A_WAIT)


def leg_problems(
    node: Node, leg: LegConfig, known: Known, named: Sequence[str]
) -> Iterator[Problem]:
    """Yield what a leg cannot do. ``named`` are the channels that the route's ``when`` names."""
    yield from _not_carried(node, leg, known, named)
    yield from _no_receipts(node, leg, known)
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


def _no_receipts(node: Node, leg: LegConfig, known: Known) -> Iterator[Problem]:
    """Yield the providers of a leg that waits for a receipt which they never give."""
    for provider in _providers(node) if leg.until is not Until.ACCEPTED else []:
        capabilities = known.providers.get(provider.text())
        if capabilities and not capabilities.receipts:
            yield provider.problem(
                f"{quoted(provider.text())} gives no receipts, so nothing can wait until "
                f"{leg.until.value}; use another provider, or until: accepted"
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
