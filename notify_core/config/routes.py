"""The section ``routes``: the grammar of ``when``, ``send`` and its legs."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from types import MappingProxyType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import attrs

from notify_core.config.checks import (
    NEXT_BELONGS_TO_A_WAIT,
    Known,
    leg_problems,
    order_problems,
    waiting_legs_problems,
)
from notify_core.config.model import (
    NEXT_ON,
    Because,
    IfUnknown,
    LegConfig,
    Mode,
    Quiet,
    Route,
    Until,
    Via,
    Weekday,
    When,
)
from notify_core.config.nodes import Node, doubled
from notify_core.config.problems import Gathering, nearest, quoted, unknown
from notify_core.config.structure import (
    Reader,
    read_each,
    read_name,
    read_scalar,
    read_word,
    structure,
)
from notify_core.errors import ConfigError
from notify_core.message import Priority
from notify_core.outcome import RefusalScope

_PRIORITIES = MappingProxyType({each.name.lower(): each for each in Priority})
_IF_UNKNOWN = MappingProxyType({each.value: each for each in IfUnknown})
_WEEKDAYS = MappingProxyType({each.value: each for each in Weekday})
_UNTIL = MappingProxyType({each.value: each for each in Until})
_RECIPIENT = "recipient"
_FORMS = ("via", "first_of", "all_of")
_LEG_KEYS = tuple(field.name for field in attrs.fields(LegConfig))
_ELSEWHERE = MappingProxyType(
    {
        "next_on": "stands only beside first_of",
        "deadline": "belongs to the route, beside send",
        "quiet": "belongs to the route, beside send",
    }
)

_BECAUSE = MappingProxyType({each.value: each for each in Because})


@attrs.frozen(kw_only=True)
class _Options:
    """The keys that stand beside the legs."""

    if_unknown: IfUnknown = IfUnknown.RECONCILE


@attrs.frozen(kw_only=True)
class _FirstOfOptions(_Options):
    """Those beside ``first_of``: only there a refusal can lead on."""

    next_on: tuple[RefusalScope, ...] = NEXT_ON


@attrs.frozen(kw_only=True)
class _Send:
    legs: tuple[LegConfig, ...]
    mode: Mode
    options: _Options


@attrs.frozen(kw_only=True)
class _RouteKeys:
    """The keys of a route as they are written."""

    name: str
    send: _Send
    when: When = attrs.field(factory=When)
    deadline: timedelta | None = None
    quiet: Quiet | None = None


def read_routes(node: Node, known: Known) -> tuple[Route, ...]:
    """Read the routes in their order. Raises ``ConfigError`` with every problem."""
    if not node.is_list:
        raise node.wrong_kind("a list; begin each with - name:")
    items = node.items()
    if not items:
        raise node.error("there is no route; give at least one, without a when")
    gathering = Gathering()
    gathering.add(order_problems(items))
    routes: list[Route] = []
    for item in items:
        with gathering:
            routes.append(_read_route(item, known))
    gathering.raise_if_any()
    return tuple(routes)


def read_country(node: Node) -> str:
    """Read a country or region: two capital letters of ISO 3166."""
    text = node.text("a country, like KZ")
    if not re.fullmatch("[A-Z]{2}", text):
        raise node.error(f"{quoted(text)} is not a country; write two capital letters, like KZ")
    return text


def _read_route(node: Node, known: Known) -> Route:
    named = _named_channels(node, known)
    keys = structure(
        node,
        _RouteKeys,
        {
            "name": read_name,
            "when": partial(_read_when, known=known),
            "send": partial(_read_send, known=known, named=named),
            "deadline": _read_deadline,
            "quiet": _read_quiet,
        },
    )
    return Route(
        name=keys.name,
        when=keys.when,
        legs=keys.send.legs,
        mode=keys.send.mode,
        deadline=keys.deadline,
        quiet=keys.quiet,
        **attrs.asdict(keys.send.options, recurse=False),
    )


def _named_channels(route: Node, known: Known) -> tuple[str, ...]:
    """Return the known channels of ``when``, also if something else in ``when`` is wrong."""
    when = route.get("when")
    channels = when.get("channel") if when else None
    names = [item.scalar for item in channels.items_or_self()] if channels else []
    return tuple(name for name in names if name and name in known.channels)


# --- when -----------------------------------------------------------------------------------


def _read_when(node: Node, known: Known) -> When:
    readers: dict[str, Reader] = {
        "channel": partial(_read_channel, known=known),
        "tags": Node.text,
        "priority": _read_priority,
        "country": read_country,
        "number_prefix": _read_number_prefix,
        "recipient_domain": _read_domain,
        "sender": Node.text,
    }
    return structure(node, When, {key: partial(_some, read=read) for key, read in readers.items()})


def _some(node: Node, read: Reader) -> tuple[object, ...]:
    # An empty condition would hold for every message, and nobody writes one to say that.
    if node.is_list and not node.items():
        raise node.error("the list is empty; name a value or leave the key out")
    return read_each(node, read)


def _read_channel(node: Node, known: Known) -> str:
    channel = node.text("a channel")
    if channel not in known.channels:
        raise node.error(unknown(channel, "a channel", known.channels))
    return channel


def _read_priority(node: Node) -> Priority:
    return read_word(node, _PRIORITIES, "a priority")


def _read_number_prefix(node: Node) -> str:
    text = node.text("the beginning of a number, like +7999")
    if not re.fullmatch(r"\+[0-9]+", text):
        raise node.error(f"{quoted(text)} begins no number; write + and digits, like +7999")
    return text


def _read_domain(node: Node) -> str:
    text = node.text("a mail domain")
    if not re.fullmatch(r"[^@\s]+", text):
        raise node.error(f"{quoted(text)} is not a mail domain; write what follows the @")
    return text.lower()


# --- quiet ----------------------------------------------------------------------------------


def _read_quiet(node: Node) -> Quiet:
    readers: dict[str, Reader] = {
        "days": _read_days,
        "zone": _read_zone,
        "unless": partial(read_each, read=_read_priority),
    }
    return structure(node, Quiet, readers)


def _read_days(node: Node) -> tuple[object, ...]:
    gathering = Gathering()
    gathering.add(doubled(node.items_or_self()))
    with gathering:
        days = _some(node, partial(read_word, meanings=_WEEKDAYS, what="a day"))
    gathering.raise_if_any()
    return days


def _read_zone(node: Node) -> ZoneInfo | None:
    name = node.text("recipient, or a time zone like Europe/Moscow")
    if name == _RECIPIENT:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder of zones is an OSError
        raise node.error(_no_zone(name)) from None


def _no_zone(name: str) -> str:
    """Say that no zone has this name. The known ones are too many to be listed."""
    known = {each.lower(): each for each in (*available_timezones(), _RECIPIENT)}
    near = nearest(name, known)
    guess = f"did you mean {quoted(known[near])}? " if near else ""
    return (
        f"{quoted(name)} is not a time zone; {guess}write recipient, or a name like Europe/Moscow"
    )


# --- send -----------------------------------------------------------------------------------


def _read_send(node: Node, known: Known, named: Sequence[str]) -> _Send:
    if not node.is_mapping:
        raise _no_mapping(node, known)
    form = _form(node)
    read_leg = partial(_read_leg, known=known, named=named)
    gathering = Gathering()
    with gathering:
        legs = _read_legs(node, form, read_leg)
    gathering.add(waiting_legs_problems(node, form))
    # A leg on its own and the options share one mapping: each reader leaves the other's keys.
    with gathering:
        options = structure(
            node,
            _FirstOfOptions if form == "first_of" else _Options,
            {"if_unknown": _read_if_unknown},
            besides=_LEG_KEYS if form == "via" else (form,),
            elsewhere=_ELSEWHERE,
        )
    gathering.raise_if_any()
    return _Send(
        legs=legs, mode=Mode.ALL_OF if form == "all_of" else Mode.FIRST_OF, options=options
    )


def _no_mapping(node: Node, known: Known) -> ConfigError:
    """Make the error for providers that stand bare where a ``via`` holds them."""
    names = _names_in(node, known)
    via = f"[{', '.join(names)}]" if node.is_list and names else next(iter(names), "name")
    return node.wrong_kind(f"a mapping (key: value); write {{via: {via}}}")


def _names_in(node: Node, known: Known) -> list[str]:
    names = [item.scalar for item in node.items_or_self()]
    return [name for name in names if name and name in known.providers]


def _form(send: Node) -> str:
    given = [form for form in _FORMS if form in send.entries()]
    if len(given) != 1:
        raise send.error("give one of via, first_of and all_of, and only one")
    return given[0]


def _read_if_unknown(node: Node) -> IfUnknown:
    if_unknown = read_word(node, _IF_UNKNOWN)
    if if_unknown is IfUnknown.NEXT:
        raise node.error(NEXT_BELONGS_TO_A_WAIT)
    return if_unknown


def _read_legs(send: Node, form: str, read_leg: Callable[..., LegConfig]) -> tuple[LegConfig, ...]:
    if form == "via":
        return (read_leg(send, besides=("if_unknown",)),)
    legs = send.entries()[form].value
    if not legs.items():
        raise legs.error("there is no leg; give at least one")
    return read_each(legs, read_leg)


def _read_leg(
    node: Node, known: Known, named: Sequence[str], besides: tuple[str, ...] = ()
) -> LegConfig:
    if not node.is_mapping:
        raise _no_mapping(node, known)
    readers: dict[str, Reader] = {
        "channel": partial(_read_channel, known=known),
        "via": partial(_read_via, known=known),
        "until": partial(read_word, meanings=_UNTIL),
        "within": _read_within,
        "on": _read_on,
        "if_unknown": _left_to_others if besides else partial(read_word, meanings=_IF_UNKNOWN),
        "distrust": partial(_read_distrust, known=known),
    }
    leg = structure(node, LegConfig, readers, besides=besides, elsewhere=_ELSEWHERE)
    gathering = Gathering()
    gathering.add(leg_problems(node, leg, known, named))
    gathering.raise_if_any()
    return leg


def _left_to_others(_node: Node) -> None:
    """Read nothing of a key that stands for the whole route."""


def _read_within(node: Node) -> timedelta:
    within = read_scalar(node, timedelta)
    if within < _SHORTEST_WAIT:
        raise node.error("a receipt takes a moment; within must be at least 1s")
    return within


_SHORTEST_WAIT = timedelta(seconds=1)


def _read_on(node: Node) -> tuple[Because, ...]:
    gathering = Gathering()
    gathering.add(doubled(node.items_or_self()))
    with gathering:
        on = read_each(node, partial(read_word, meanings=_BECAUSE, what="a reason to go on"))
    gathering.raise_if_any()
    return on


def _read_distrust(node: Node, known: Known) -> dict[str, tuple[object, ...]]:
    """Read, by provider, the countries whose receipts are not believed."""
    if not node.is_mapping:
        raise node.wrong_kind("providers with countries; write {name: [KZ, UZ]}")
    distrust: dict[str, tuple[object, ...]] = {}
    gathering = Gathering()
    for name, entry in node.entries().items():
        with gathering:
            _read_provider(entry.key, known)
        with gathering:
            distrust[name] = _some(entry.value, read_country)
    gathering.raise_if_any()
    return distrust


def _read_deadline(node: Node) -> timedelta:
    deadline = read_scalar(node, timedelta)
    if deadline <= timedelta(0):
        raise node.error("a deadline must be longer than zero")
    return deadline


# --- via ------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class _SpreadKeys:
    """The keys of a ``via`` that is a mapping, as they are written."""

    spread: Via


def _read_via(node: Node, known: Known) -> Via:
    if node.is_mapping:
        return structure(node, _SpreadKeys, {"spread": partial(_read_spread, known=known)}).spread
    if node.is_list and not node.items():
        raise node.error("there is no provider; name at least one")
    gathering = Gathering()
    gathering.add(doubled(node.items_or_self()))
    with gathering:
        providers = read_each(node, partial(_read_provider, known=known))
    gathering.raise_if_any()
    return Via(providers=providers)


def _read_spread(node: Node, known: Known) -> Via:
    if not node.is_mapping:
        first, *rest = _names_in(node, known) or ["name"]
        weights_by_name = [f"{first}: 80", *(f"{name}: 20" for name in rest or ["another"])]
        raise node.wrong_kind(f"weights; write {{{', '.join(weights_by_name)}}}")
    weights: dict[str, int] = {}
    gathering = Gathering()
    for name, entry in node.entries().items():
        with gathering:
            _read_provider(entry.key, known)
        with gathering:
            weights[name] = _read_weight(entry.value)
    if len(node.entries()) < 2:
        gathering.add([node.problem("a spread needs two providers or more; or write via: name")])
    gathering.raise_if_any()
    return Via(providers=tuple(weights), weights=tuple(weights.values()))


def _read_provider(node: Node, known: Known) -> str:
    name = node.text("the name of a provider")
    # Without any provider that one mistake has been told; the routes are not to repeat it.
    if known.providers and name not in known.providers:
        raise node.error(unknown(name, "a provider of this file", known.providers))
    return name


def _read_weight(node: Node) -> int:
    weight = read_scalar(node, int)
    if weight < 1:
        raise node.error(
            "a weight must be at least 1; leave the provider out to send nothing there"
        )
    return weight
