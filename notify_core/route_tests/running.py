"""Running tests of routes: the same decision as a send, held against what is expected.

Nothing is sent, and no provider is made: what the types of the providers declare is enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import attrs

from notify_core.errors import MessageError
from notify_core.message import Message
from notify_core.planning import Planner
from notify_core.route_tests.model import Expected, ExpectedLeg, RouteTest, Suite
from notify_core.routing import Catalog, Considered, Decision, Leg, Plan, PlanPrice, parts_of

AskPrice: TypeAlias = Callable[[Plan], PlanPrice]
"""Finds out what a plan costs at most, from its providers."""


@attrs.frozen(kw_only=True)
class Result:
    """What came of a test: nothing is in ``failures`` if it passed.

    ``tried`` are, for each recipient, the routes that were tried; ``plans`` what followed, none
    if the message was refused. ``notes`` tell what was not looked at.
    """

    test: RouteTest
    failures: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    tried: tuple[tuple[Considered, ...], ...] = ()
    plans: tuple[Plan, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.failures


def planner_of(suite: Suite) -> Planner:
    """Return what decides as a notifier with this configuration does."""
    keeps_time = suite.config.journal is not None
    return Planner(suite.config, attrs.evolve(catalog_of(suite), keeps_time=keeps_time))


def catalog_of(suite: Suite) -> Catalog:
    """Return what its plans may use, by what the types of the providers declare."""
    types = suite.plugins.provider_types()
    capabilities = {
        provider.name: types[provider.type].capabilities(provider.settings)
        for provider in suite.config.providers
    }
    return Catalog(suite.plugins.message_types(), capabilities)


def run_all(suite: Suite, ask_price: AskPrice | None = None) -> Sequence[Result]:
    """Run the tests of a suite in their order. With ``ask_price`` a bound on the cost is kept."""
    planner = planner_of(suite)
    return [run(test, planner, ask_price) for test in suite.tests]


def run(test: RouteTest, planner: Planner, ask_price: AskPrice | None = None) -> Result:
    """Run one test."""
    if isinstance(test.message, MessageError):
        return _refused(test, test.message, ())
    try:
        decisions = planner.decide(test.message)
    except MessageError as error:
        return _refused(test, error, _tried(test.message, planner))
    return _decided(test, decisions, ask_price)


# --- refused --------------------------------------------------------------------------------


def _refused(
    test: RouteTest, error: MessageError, tried: tuple[tuple[Considered, ...], ...]
) -> Result:
    failures = list(_wrong_refusal(error, test.expect))
    for considered in tried:
        failures += _wrong_route(considered, test.expect)
    if not tried and test.expect.route is not None:
        failures.append(f"route: no route was tried, expected {test.expect.route}")
    return Result(test=test, failures=tuple(dict.fromkeys(failures)), tried=tried)


def _tried(message: Message, planner: Planner) -> tuple[tuple[Considered, ...], ...]:
    try:
        return tuple(planner.consider(message))
    except MessageError:  # it was refused before any route was tried
        return ()


def _wrong_refusal(error: MessageError, expect: Expected) -> Iterator[str]:
    told = f"{type(error).__name__}: {error}"
    if expect.error is None:
        yield f"refused: {told}"
    elif not isinstance(error, expect.error):
        yield f"error: expected {expect.error.__name__}, is {told}"
    elif expect.words is not None and expect.words not in str(error):
        yield f"words: expected “{expect.words}” in: {told}"


# --- decided --------------------------------------------------------------------------------


def _decided(test: RouteTest, decisions: Sequence[Decision], ask_price: AskPrice | None) -> Result:
    expect = test.expect
    failures = [
        wrong
        for decision in decisions
        for wrong in (
            *_no_refusal(decision.plan, expect),
            *_wrong_route(decision.considered, expect),
            *_wrong_plan(decision.plan, expect),
            *_too_dear(decision.plan, expect, ask_price),
        )
    ]
    unpriced = expect.cost is not None and ask_price is None
    return Result(
        test=test,
        failures=tuple(dict.fromkeys(failures)),
        notes=("cost: not looked at, since no provider was asked",) if unpriced else (),
        tried=tuple(decision.considered for decision in decisions),
        plans=tuple(decision.plan for decision in decisions),
    )


def _no_refusal(plan: Plan, expect: Expected) -> Iterator[str]:
    if expect.error is not None:
        yield f"error: expected {expect.error.__name__}, but it goes, by route {plan.route}"


def _wrong_route(considered: Sequence[Considered], expect: Expected) -> Iterator[str]:
    taken = considered[-1].route
    if expect.route in (None, taken):
        return
    missed = next((each for each in considered if each.route == expect.route), None)
    if missed is None:
        why = f"{taken} stands before it"
    else:
        why = "; ".join(str(check) for check in missed.checks if not check.held)
    yield f"route: expected {expect.route}, takes {taken} ({why})"


def _wrong_plan(plan: Plan, expect: Expected) -> Iterator[str]:
    if expect.legs is not None:
        yield from _wrong_legs(plan, expect.legs)
    parts = parts_of(plan)
    if expect.parts is not None and parts > expect.parts:
        yield f"parts: at most {expect.parts} expected, {parts} in the worst case"


def _wrong_legs(plan: Plan, expected: Sequence[ExpectedLeg]) -> Iterator[str]:
    wanted, planned = [leg.channel for leg in expected], [leg.channel for leg in plan.legs]
    if wanted != planned:
        left_out = "".join(f"; {leg.channel} left out: {leg.reason}" for leg in plan.left_out)
        yield f"legs: expected {_listed(wanted)}, planned {_listed(planned)}{left_out}"
        return
    for number, (leg, planned_leg) in enumerate(zip(expected, plan.legs, strict=True), start=1):
        if not _goes_by(planned_leg, leg):
            order = "" if leg.in_order else " in any order"
            yield (
                f"leg {number} ({leg.channel}): expected via {_listed(leg.via)}{order}, "
                f"planned via {_listed(planned_leg.providers)}"
            )


def _goes_by(planned: Leg, expected: ExpectedLeg) -> bool:
    if not expected.via:
        return True
    if expected.in_order:
        return planned.providers == expected.via
    return sorted(planned.providers) == sorted(expected.via)


def _too_dear(plan: Plan, expect: Expected, ask_price: AskPrice | None) -> Iterator[str]:
    if expect.cost is None or ask_price is None:
        return
    price = ask_price(plan)
    if price.cost is None:
        reasons = [reason for leg in price.legs for reason in leg.unknown]
        yield f"cost: cannot be told: {'; '.join(reasons) or 'the currencies differ'}"
    elif price.cost > expect.cost:
        currency = f" {price.currency}" if price.currency else ""
        yield f"cost: at most {expect.cost} expected, {price.cost}{currency} in the worst case"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"
