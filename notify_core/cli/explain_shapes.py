"""What ``notify explain`` answers, as JSON-able values. Pure; see ``shapes``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from notify_core.cli.shapes import Shape, iso, money, notify_error_shape, seconds
from notify_core.config.model import Quiet
from notify_core.contact import Contact, mask
from notify_core.errors import MessageError
from notify_core.journal.model import Entry
from notify_core.planning import Replay
from notify_core.routing import (
    Check,
    Considered,
    Decision,
    Leg,
    LegPrice,
    Plan,
    PlanPrice,
    parts_of,
)
from notify_core.text import PartCount


@attrs.frozen
class Priced:
    """A plan and what it costs; ``price`` is None where nobody was asked."""

    plan: Plan
    price: PlanPrice | None = None


# --- a message ------------------------------------------------------------------------------


def decisions_shape(
    message_id: str, config: str, decisions: Sequence[tuple[Decision, PlanPrice | None]]
) -> Shape:
    """``notify explain``; ``config`` is the hash of the configuration."""
    return {
        "message_id": message_id,
        "config": config,
        "decisions": [
            _decided(decision.considered, Priced(decision.plan, price))
            for decision, price in decisions
        ],
    }


def _decided(considered: Sequence[Considered], priced: Priced) -> Shape:
    plan = priced.plan
    return {
        "recipient": str(plan.recipient),
        "route": plan.route,
        "considered": [_considered(route) for route in considered],
        "plan": plan_shape(plan),
        "price": _price(priced),
        "warnings": list(plan.warnings),
    }


def _considered(route: Considered) -> Shape:
    return {
        "route": route.route,
        "matched": route.matched,
        "checks": [_check(check) for check in route.checks],
    }


def _check(check: Check) -> Shape:
    return {
        "condition": check.condition,
        "wanted": list(check.wanted),
        "seen": check.seen,
        "held": check.held,
    }


def refused_shape(
    error: MessageError, config: str, tried: Sequence[tuple[Contact, Sequence[Considered]]]
) -> Shape:
    """``notify explain`` of a message that is refused: beside the error, the routes tried."""
    return {
        **notify_error_shape(error),
        "config": config,
        "tried": [
            {"recipient": str(recipient), "considered": [_considered(each) for each in routes]}
            for recipient, routes in tried
        ],
    }


# --- a stored delivery ----------------------------------------------------------------------


def replay_shape(config: str, replay: Replay, price: PlanPrice | None) -> Shape:
    """``notify explain --delivery``: what was decided then, and what would be decided now."""
    entry = replay.entry
    return {
        "message_id": entry.plan.message_id,
        "config": config,
        "decisions": [_decided(replay.considered, Priced(entry.plan, price))],
        "delivery": _delivery(entry),
        "now": _now(replay),
    }


def _delivery(entry: Entry) -> Shape:
    return {"id": entry.id, "created_at": iso(entry.created_at), "config": entry.config}


def _now(replay: Replay) -> Shape:
    return {
        "agrees": replay.agrees,
        "route": replay.route,
        "plan": None if replay.plan is None else plan_shape(replay.plan),
        "unsure": list(replay.unsure),
        "problem": replay.problem,
    }


# --- a plan ---------------------------------------------------------------------------------


def plan_shape(plan: Plan) -> Shape:
    """What was decided."""
    return {
        "mode": plan.mode.value,
        "if_unknown": plan.if_unknown.value,
        "next_on": sorted(scope.value for scope in plan.next_on),
        "deadline_s": seconds(plan.deadline),
        "quiet": None if plan.quiet is None else _quiet(plan.quiet, plan.zones),
        "legs": [_leg(leg) for leg in plan.legs],
        "left_out": [{"channel": leg.channel, "reason": leg.reason} for leg in plan.left_out],
    }


def _quiet(quiet: Quiet, zones: Sequence[str]) -> Shape:
    return {
        "from": None if quiet.from_ is None else f"{quiet.from_:%H:%M}",
        "to": None if quiet.to is None else f"{quiet.to:%H:%M}",
        "days": [day.value for day in quiet.days],
        "zones": list(zones),
    }


def _leg(leg: Leg) -> Shape:
    return {
        "channel": leg.channel,
        "providers": list(leg.providers),
        "address": mask(leg.address),
        "address_kind": leg.address_kind,
        "until": leg.until.value,
        "within_s": seconds(leg.within),
        "on": sorted(each.value for each in leg.on),
        "if_unknown": leg.if_unknown.value,
        "expires_s": seconds(leg.expires),
        "distrusted": sorted(leg.distrusted),
        "parts": _parts(leg.parts),
        "notes": list(leg.notes),
    }


def _parts(parts: PartCount | None) -> Shape | None:
    if parts is None:
        return None
    return {"count": parts.parts, "alphabet": parts.alphabet.value, "units": parts.units}


def _price(priced: Priced) -> Shape:
    """What the plan costs at most; ``asked`` says whether providers were asked."""
    price = priced.price
    return {
        "asked": price is not None,
        "parts": parts_of(priced.plan),
        "cost": None if price is None else money(price.cost),
        "currency": None if price is None else price.currency,
        "legs": [] if price is None else [_leg_price(leg) for leg in price.legs],
    }


def _leg_price(leg: LegPrice) -> Shape:
    estimates: list[dict[str, Any]] = [
        {
            "provider": estimate.provider,
            "parts": estimate.parts,
            "cost": money(estimate.cost),
            "currency": estimate.currency,
        }
        for estimate in leg.estimates
    ]
    return {
        "channel": leg.channel,
        "cost": money(leg.cost),
        "estimates": estimates,
        "unknown": list(leg.unknown),
    }
