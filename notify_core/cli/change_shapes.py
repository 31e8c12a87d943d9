"""What ``notify config plan`` answers, as JSON-able values. Pure; see ``shapes``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs

from notify_core.change_plan.changes import ChangePlan
from notify_core.change_plan.costs import CostChange, Rate
from notify_core.change_plan.recorded import Change, Group, Mover, RecordedChanges
from notify_core.change_plan.tried import Tried, Verdict
from notify_core.change_plan.ways import Decided, Way, WayLeg
from notify_core.cli.explain_shapes import plan_shape
from notify_core.cli.shapes import Shape, iso, money, seconds
from notify_core.config.model import Quiet
from notify_core.route_tests.running import Result


def change_shape(old: str, new: str, plan: ChangePlan) -> Shape:
    """``notify config plan``; ``old`` and ``new`` are the files."""
    before, after = plan.digests
    return {
        "changes": plan.changes,
        "old": {"file": old, "config": before},
        "new": {"file": new, "config": after},
        "providers": {name: list(names) for name, names in attrs.asdict(plan.providers).items()},
        "tests": {
            **{
                verdict.value: sum(each.verdict is verdict for each in plan.tried)
                for verdict in Verdict
            },
            "tests": [_tried(each) for each in plan.tried],
        },
        "recorded": None if plan.recorded is None else _recorded(plan.recorded),
    }


LISTED: Final = ("delivery", "change", "old_route", "new_route")
"""The header of what ``--list`` writes."""


def listed_row(mover: Mover) -> Sequence[str]:
    """Return what is written of a delivery that would go otherwise."""
    if mover.pair is None or mover.change is None:
        return (mover.id, "unsure", "", "")
    return (mover.id, mover.change.value, mover.pair.old.route, mover.pair.new.route)


# --- tests ----------------------------------------------------------------------------------


def _tried(tried: Tried) -> Shape:
    return {
        "name": tried.test.name,
        "file": tried.test.file,
        "line": tried.test.line,
        "verdict": tried.verdict.value,
        "in_old": tried.in_old,
        "in_new": tried.in_new,
        "expects_otherwise": tried.expects_otherwise,
        "old": _result(tried.old),
        "new": _result(tried.new),
    }


def _result(result: Result) -> Shape:
    """What came of a test; ``plans`` are empty where the message was refused."""
    return {
        "passed": result.passed,
        "failures": list(result.failures),
        "routes": [considered[-1].route for considered in result.tried],
        "plans": [plan_shape(plan) for plan in result.plans],
    }


# --- recorded messages ----------------------------------------------------------------------


def _recorded(recorded: RecordedChanges) -> Shape:
    return {
        "since": iso(recorded.since),
        "until": iso(recorded.until),
        "messages": recorded.messages,
        "unmoved": recorded.unmoved,
        **{change.value: recorded.count(change) for change in Change},
        "unsure": recorded.unsure,
        "unsure_examples": list(recorded.unsure_examples),
        "refused_by_both": recorded.refused_by_both,
        "recorded_otherwise": recorded.otherwise,
        "groups": [_group(group) for group in recorded.groups],
        "costs": [_cost(cost) for cost in recorded.costs],
        "cost_unknown": recorded.cost_unknown,
        "rates": [_rate(rate) for rate in recorded.rates],
    }


def _group(group: Group) -> Shape:
    return {
        "change": group.change.value,
        "messages": group.messages,
        "drawn_the_same": group.drawn_the_same,
        "differs": list(group.differs),
        "old": _decided(group.pair.old),
        "new": _decided(group.pair.new),
        "examples": list(group.examples),
        "costs": [_cost(cost) for cost in group.costs],
        "cost_unknown": group.cost_unknown,
    }


def _decided(decided: Decided) -> Shape:
    return {
        "route": decided.route,
        "refused": decided.refused,
        "way": None if decided.way is None else _way(decided.way),
    }


def _way(way: Way) -> Shape:
    return {
        "mode": way.mode.value,
        "next_on": sorted(scope.value for scope in way.next_on),
        "deadline_s": seconds(way.deadline),
        "quiet": None if way.quiet is None else _quiet(way.quiet),
        "legs": [_leg(leg) for leg in way.legs],
    }


def _leg(leg: WayLeg) -> Shape:
    return {
        "channel": leg.channel,
        "providers": list(leg.providers),
        "weights": list(leg.weights),
        "passed_over": list(leg.passed_over),
        "until": leg.until.value,
        "within_s": seconds(leg.within),
        "on": sorted(each.value for each in leg.on),
        "if_unknown": leg.if_unknown.value,
        "distrusted": sorted(leg.distrusted),
        "needs_alternative": leg.optional,
    }


def _quiet(quiet: Quiet) -> Shape:
    return {
        "from": None if quiet.from_ is None else f"{quiet.from_:%H:%M}",
        "to": None if quiet.to is None else f"{quiet.to:%H:%M}",
        "days": [day.value for day in quiet.days],
        "zone": None if quiet.zone is None else quiet.zone.key,
    }


def _cost(cost: CostChange) -> Shape:
    return {
        "currency": cost.currency,
        "messages": cost.messages,
        "old": money(cost.old),
        "new": money(cost.new),
        "difference": money(cost.difference),
    }


def _rate(rate: Rate) -> Shape:
    return {
        "provider": rate.provider,
        "channel": rate.channel,
        "country": rate.country,
        "currency": rate.currency,
        "cost": money(rate.cost),
        "attempts": rate.attempts,
    }
