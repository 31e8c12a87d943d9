"""From a route and a recipient to the plan: which legs, by which providers, and what to warn of."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import timedelta

import attrs

from notify_core.adaptation import adapt, alternative_for
from notify_core.config.model import (
    Because,
    LegConfig,
    Mode,
    Quiet,
    Route,
    Until,
    Via,
)
from notify_core.config.values import duration_text
from notify_core.errors import RecipientError, UnsupportedFeature
from notify_core.message import Message
from notify_core.policy.quiet import zones_of
from notify_core.provider import Capabilities
from notify_core.routing.model import Catalog, LeftOut, Leg, Plan, Subject
from notify_core.text import PartCount, count_parts

_COUNTED_CHANNELS = frozenset({"sms", "flash"})
_MINUTE = timedelta(minutes=1)


def plan(route: Route, subject: Subject, catalog: Catalog) -> Plan:
    """Plan the legs of a route for one recipient; see ``decide`` for what it raises."""
    planned = [_plan_leg(route, place, subject, catalog) for place in range(len(route.legs))]
    legs = tuple(leg for leg in planned if isinstance(leg, Leg))
    left_out = tuple(leg for leg in planned if isinstance(leg, LeftOut))
    _check_reach(route, legs, left_out, subject)
    quiet = _quiet(route, subject)
    zones = zones_of(quiet, subject.zones) if quiet else ()
    return Plan(
        delivery_id=subject.delivery_id,
        message_id=subject.message.id,
        recipient=subject.recipient,
        route=route.name,
        mode=route.mode,
        if_unknown=route.if_unknown,
        next_on=frozenset(route.next_on),
        deadline=route.deadline,
        legs=legs,
        left_out=left_out,
        warnings=(
            *subject.warnings,
            *(f"leg {leg.channel} is left out: {leg.reason}" for leg in left_out),
            *(note for leg in legs for note in leg.notes),
            *([_NO_ZONE] if quiet and not zones else ()),
        ),
        quiet=quiet,
        zones=zones,
        facts=subject.facts.to_keep(),
    )


_NO_ZONE = "the quiet time is not kept: nothing tells the recipient's time zone"


def _quiet(route: Route, subject: Subject) -> Quiet | None:
    passes = route.quiet is None or subject.message.priority in route.quiet.unless
    return None if passes else route.quiet


def _check_reach(
    route: Route, legs: Sequence[Leg], left_out: Sequence[LeftOut], subject: Subject
) -> None:
    """Raise ``RecipientError`` if no leg is left, or one that the route wants in any case."""
    wanted = [leg for leg in left_out if route.mode is Mode.ALL_OF and not leg.allowed]
    if legs and not wanted:
        return
    which = "not every leg" if legs else "no leg"
    reasons = "; ".join(f"{leg.channel}: {leg.reason}" for leg in wanted or left_out)
    raise RecipientError(f"route {route.name}: {which} reaches {subject.recipient} ({reasons})")


def _plan_leg(route: Route, place: int, subject: Subject, catalog: Catalog) -> Leg | LeftOut:
    config, message = route.legs[place], subject.message
    target = catalog.message_types[config.channel or message.channel]
    if config.needs_alternative and not _brings(message, target):
        why = "the message brings no alternative for it"
        return LeftOut(target.channel, why, allowed=True, place=place)
    adapted = adapt(message, target)
    providers, passed_over = _able(
        _in_order(config.via, subject.draw), _as_told(adapted.message, subject, catalog), catalog
    )
    kinds = _address_kinds(target, providers, catalog)
    kind = next((kind for kind in kinds if subject.recipient.address(kind) is not None), None)
    if kind is None:
        why = f"the recipient has no {' or '.join(kinds)} address"
        return LeftOut(target.channel, why, place=place)
    parts = _count(adapted.message)
    able = tuple(name for name in providers if kind in _taken_by(name, target, catalog))
    is_followed = _is_followed(route, place)
    expires = _expires(config, adapted.message) if is_followed else None
    both = _may_both_arrive(config, target, able, expires, catalog) if is_followed else None
    notes = (adapted.note, *passed_over, parts.warning if parts else None, both)
    return Leg(
        channel=target.channel,
        message=adapted.message,
        address=subject.recipient.address(kind) or "",
        address_kind=kind,
        providers=able,
        until=config.until,
        within=config.within,
        on=frozenset(config.on),
        if_unknown=config.if_unknown or route.if_unknown,
        expires=expires,
        distrusted=_distrusted(config, subject.facts.country),
        parts=parts,
        notes=tuple(note for note in notes if note),
    )


def _is_followed(route: Route, number: int) -> bool:
    """Tell whether another leg follows when the time for this one, from 0 on, is over."""
    leg, is_last = route.legs[number], number + 1 == len(route.legs)
    gives_up = leg.until is not Until.ACCEPTED and Because.EXPIRED in leg.on
    return gives_up and not is_last and route.mode is Mode.FIRST_OF


def _expires(leg: LegConfig, message: Message) -> timedelta | None:
    """Return for how long the message of a leg that is given up is worth delivering.

    In whole minutes and no longer than the leg waits, so that it has expired before the next one.
    """
    if leg.within is None or leg.within < _MINUTE:
        return None
    waits = leg.within // _MINUTE * _MINUTE
    return waits if message.valid_for is None else min(waits, message.valid_for)


def _may_both_arrive(
    leg: LegConfig,
    target: type[Message],
    providers: Sequence[str],
    expires: timedelta | None,
    catalog: Catalog,
) -> str | None:
    """Return what to say of a leg that may arrive after the next one has left, or None."""
    unable = [
        name
        for name in providers
        if expires is None or not catalog.capabilities[name].can_expire(expires)
    ]
    if not unable:
        return None
    waited = "any time" if leg.within is None else duration_text(leg.within)
    return (
        f"{target.channel} and the leg after it may both arrive: {' and '.join(unable)} cannot be "
        f"told to give the message up within {waited}"
    )


def _distrusted(leg: LegConfig, country: str | None) -> frozenset[str]:
    return frozenset(name for name, countries in leg.distrust.items() if country in countries)


def _as_told(message: Message, subject: Subject, catalog: Catalog) -> Message:
    """Return what a provider is told of a message: no time that we wait for ourselves."""
    is_ours = catalog.keeps_time and message.send_at == subject.message.send_at
    return attrs.evolve(message, send_at=None) if is_ours and message.send_at else message


def _brings(message: Message, target: type[Message]) -> bool:
    return type(message) is target or alternative_for(message, target) is not None


def _in_order(via: Via, draw: str) -> tuple[str, ...]:
    """Put the provider that the weights draw first, the others behind it.

    The draw hangs on the message and the recipient alone: explaining it twice gives one order.
    """
    if not via.weights:
        return via.providers
    ticket = zlib.crc32(draw.encode()) % sum(via.weights)
    for provider, weight in zip(via.providers, via.weights, strict=True):
        if ticket < weight:
            return (provider, *(other for other in via.providers if other != provider))
        ticket -= weight
    raise AssertionError("the ticket is below the sum of the weights")


def _able(
    providers: tuple[str, ...], message: Message, catalog: Catalog
) -> tuple[tuple[str, ...], list[str]]:
    """Return the providers that can express the message, and a note for each of the others.

    Raises ``UnsupportedFeature`` if none can.
    """
    lacking = {name: _lacks(catalog.capabilities[name], message) for name in providers}
    reasons = {name: why for name, why in lacking.items() if why is not None}
    able = tuple(name for name in providers if name not in reasons)
    if not able:
        raise UnsupportedFeature("; ".join(f"{name}: {why}" for name, why in reasons.items()))
    return able, [f"provider {name} is passed over: {why}" for name, why in reasons.items()]


def _lacks(capabilities: Capabilities, message: Message) -> str | None:
    """Return what of the message this provider cannot express, or None."""
    limit = capabilities.text_limit
    if message.channel not in capabilities.channels:
        return f"it has no channel {message.channel}"
    if message.send_at is not None and not capabilities.scheduling:
        return "it cannot send at a given time (send_at)"
    if message.valid_for is not None and not capabilities.validity:
        return "it cannot limit the validity (valid_for)"
    if message.files and not capabilities.attachments:
        return "it cannot carry files"
    if limit is not None and message.body is not None and len(message.body) > limit:
        return f"the text is longer than {limit} characters"
    return None


def _address_kinds(
    target: type[Message], providers: tuple[str, ...], catalog: Catalog
) -> tuple[str, ...]:
    kinds = (kind for name in providers for kind in _taken_by(name, target, catalog))
    return tuple(dict.fromkeys(kinds))


def _taken_by(provider: str, target: type[Message], catalog: Catalog) -> tuple[str, ...]:
    return target.address_kinds + catalog.capabilities[provider].address_kinds


def _count(message: Message) -> PartCount | None:
    if message.channel in _COUNTED_CHANNELS and message.body is not None:
        return count_parts(message.body)
    return None
