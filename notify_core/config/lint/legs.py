"""Rules about what the legs of a route can carry, and about their order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType

import attrs

from notify_core.adaptation import can_adapt
from notify_core.config.lint.reach import is_reachable
from notify_core.config.lint.rule import Rule, Severity
from notify_core.config.lint.sheet import LegPlace, RoutePlace, Sheet
from notify_core.config.lint.words import joined
from notify_core.config.model import Mode, When
from notify_core.config.problems import listed, quoted
from notify_core.errors import Problem
from notify_core.message import Priority

_COST: Mapping[str, int] = MappingProxyType(
    {
        "mail": 0,
        **dict.fromkeys(("telegram", "viber", "whatsapp", "social"), 1),
        **dict.fromkeys(("sms", "flash"), 2),
        "mms": 3,
        "call": 4,
    }
)
"""Channels by what a message on them takes, the cheapest first.

A letter costs next to nothing, a message in a chat less than one that an operator is paid for, and
a call takes somebody's attention beside its price. Tariffs differ, so it is advice and no more.
"""


_EFFECT: Mapping[Mode, str] = MappingProxyType(
    {
        Mode.ALL_OF: "everybody gets the message twice",
        Mode.FIRST_OF: "what did not go there does not go here",
    }
)
"""What comes of two legs that go the same way."""


def _uncarried_channels(sheet: Sheet) -> Iterator[Problem]:
    """Yield the legs that cannot have what the file itself says that is sent.

    Only of routes without conditions: whether mail with some tag is ever sent, no file tells.
    """
    for route in sheet.routes:
        if route.route.when == When():
            coming = [each for each in _named_channels(sheet) if _comes(each, route, sheet)]
            for leg in route.legs:
                yield from _not_for(coming, leg, sheet)


def _not_for(coming: Sequence[str], leg: LegPlace, sheet: Sheet) -> Iterator[Problem]:
    for channel in coming:
        if leg.leg.channel is None and not _carry(leg, channel, sheet):
            yield leg.place("via").problem(
                f"{joined(leg.leg.via.providers)} cannot carry {channel}, and {channel} messages "
                "come here that no route before takes; such a message is refused"
            )
        if leg.leg.channel is not None and _is_lost(channel, leg.leg.channel, leg, sheet):
            yield leg.place("channel").problem(
                f"a {channel} message cannot become {leg.leg.channel}, and {channel} messages come "
                "here that no route before takes; write needs_alternative: true"
            )


def _idle_providers(sheet: Sheet) -> Iterator[Problem]:
    """Yield the providers of a leg that can carry nothing of what comes to it."""
    reachable = [each for each in sheet.routes if _is_reachable(each.route.when, each, sheet)]
    for route in reachable:
        for leg in route.legs:
            for name, node in leg.providers() if not leg.channels else ():
                carried = sheet.providers[name].capabilities.channels
                if carried and not any(_comes(each, route, sheet) for each in carried):
                    yield node.problem(
                        f"{quoted(name)} carries only {listed(carried)}, and the routes before "
                        "take all such messages"
                    )


def _repeated_legs(sheet: Sheet) -> Iterator[Problem]:
    for route in sheet.routes:
        for number, leg in enumerate(route.legs):
            twin = next((each for each in route.legs[:number] if _same_way(each, leg, sheet)), None)
            if twin is not None:
                yield leg.node.problem(
                    f"goes the same way as {twin.node.path}, the same channel by the same account: "
                    f"{_EFFECT[route.route.mode]}"
                )


def _dear_legs_first(sheet: Sheet) -> Iterator[Problem]:
    for route in sheet.routes:
        if route.route.mode is Mode.FIRST_OF and not _is_alarm(route):
            for leg, following in pairwise(route.legs):
                if _costs_more(leg, following, sheet):
                    yield leg.node.problem(
                        f"{leg.channels[0]} stands before {following.channels[0]}, which costs "
                        "less and is then tried only if this fails; change their order"
                    )


def _contacts_needed(sheet: Sheet) -> Iterator[Problem]:
    for leg in sheet.legs:
        if leg.route.mode is Mode.ALL_OF and leg.leg.channel is not None:
            for source in leg.sources:
                if _kinds(leg, sheet).isdisjoint(sheet.channels[source].address_kinds):
                    kinds = joined(sheet.channels[leg.leg.channel].address_kinds, "or")
                    yield leg.place("channel").problem(
                        f"a {source} message to a bare address has no {kinds} address, and all_of "
                        "then refuses the whole of it; send such messages to a Contact, or use "
                        "first_of"
                    )


# --- facts ----------------------------------------------------------------------------------


def _named_channels(sheet: Sheet) -> Sequence[str]:
    named = [channel for route in sheet.routes for channel in route.route.when.channel]
    return list(dict.fromkeys(named))


def _comes(channel: str, route: RoutePlace, sheet: Sheet) -> bool:
    return _is_reachable(attrs.evolve(route.route.when, channel=(channel,)), route, sheet)


def _is_reachable(when: When, route: RoutePlace, sheet: Sheet) -> bool:
    places = sheet.meetings.before(when, route.number)
    earlier = [sheet.routes[place].route.when for place in places]
    return is_reachable(when, earlier, sheet.codes)


def _carry(leg: LegPlace, channel: str, sheet: Sheet) -> bool:
    names = leg.leg.via.providers
    return any(channel in sheet.providers[name].capabilities.channels for name in names)


def _is_lost(channel: str, target: str, leg: LegPlace, sheet: Sheet) -> bool:
    """Tell whether a message cannot become that of the leg, nor skip it."""
    adapts = can_adapt(sheet.channels[channel], sheet.channels[target])
    return not adapts and not leg.leg.needs_alternative


def _kinds(leg: LegPlace, sheet: Sheet) -> frozenset[str]:
    """Return the kinds of address that a leg on a channel of its own can do with."""
    names = leg.leg.via.providers
    own = (kind for name in names for kind in sheet.providers[name].capabilities.address_kinds)
    return frozenset((*sheet.channels[leg.leg.channel or ""].address_kinds, *own))


def _same_way(one: LegPlace, other: LegPlace, sheet: Sheet) -> bool:
    return (
        set(one.channels) == set(other.channels)
        and _accounts(one, sheet) == _accounts(other, sheet)
        and one.leg.needs_alternative == other.leg.needs_alternative
    )


def _accounts(leg: LegPlace, sheet: Sheet) -> set[object]:
    return {sheet.providers[name].account or name for name in leg.leg.via.providers}


def _is_alarm(route: RoutePlace) -> bool:
    """Tell whether a route is for what may cost anything."""
    return set(route.route.when.priority) == {Priority.CRITICAL}


def _costs_more(leg: LegPlace, following: LegPlace, sheet: Sheet) -> bool:
    """Tell whether a leg costs more than the next one; only where the providers tell costs."""
    if not (_tells_cost(leg, sheet) and _tells_cost(following, sheet)):
        return False
    first, second = _costs(leg), _costs(following)
    return bool(first and second) and min(first) > max(second)


def _costs(leg: LegPlace) -> Sequence[int]:
    known = [_COST[channel] for channel in leg.channels if channel in _COST]
    return known if len(known) == len(leg.channels) else ()


def _tells_cost(leg: LegPlace, sheet: Sheet) -> bool:
    return all(sheet.providers[name].capabilities.cost for name in leg.leg.via.providers)


LEG_RULES = (
    Rule(name="uncarried-channel", severity=Severity.WARNING, find=_uncarried_channels),
    Rule(name="idle-provider", severity=Severity.WARNING, find=_idle_providers),
    Rule(name="repeated-leg", severity=Severity.WARNING, find=_repeated_legs),
    Rule(name="dear-leg-first", severity=Severity.ADVICE, find=_dear_legs_first),
    Rule(name="needs-contact", severity=Severity.ADVICE, find=_contacts_needed),
)
