"""What the coverage of routes counts, and what it promises."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from random import Random

import attrs
import pytest

from notify_core.config.model import Config, LegConfig, ProviderConfig, Route, Via
from notify_core.errors import MessageError
from notify_core.route_tests.coverage import Coverage, Item, Kind, coverage
from notify_core.route_tests.model import Expected, ExpectedLeg, RouteTest, Suite
from notify_core.route_tests.running import planner_of, run_all
from notify_core.routing import conditions
from tests import routes_at_random
from tests.cli_fakes import FakeConfig
from tests.cli_runs import plugins, runner
from tests.route_suites import BOUND, CONFIG, TESTS, suite_of

# --- coverage -------------------------------------------------------------------------------


def covered(tested: Coverage) -> set[str]:
    return {_word(item) for item in tested.covered}


def _word(item: Item) -> str:
    more = [item.leg, item.condition, item.value]
    return " ".join([item.kind.value, item.route, *(str(each) for each in more if each)])


def test_what_tests_show_is_counted_to_the_condition(tmp_path: Path) -> None:
    suite = suite_of(tmp_path)

    tested = coverage(suite.config.routes, run_all(suite))

    assert covered(tested) == {
        *("route code", "route mail", "route default"),
        *("leg code 1", "leg code 2", "leg mail 1", "leg default 1"),
        *("value code tags otp", "value code tags login"),
        *("value code country RU", "value code country KZ", "value mail channel mail"),
        *("condition code tags", "condition code country", "condition mail channel"),
    }
    assert (tested.missing, tested.percent) == ([], Decimal("100.0"))


def test_a_test_that_fails_shows_nothing(tmp_path: Path) -> None:
    suite = suite_of(tmp_path, CONFIG + BOUND.replace("default, cost: 1.99", "code"))

    assert coverage(suite.config.routes, run_all(suite)).covered == frozenset()


def test_a_leg_that_no_test_expects_is_not_covered(tmp_path: Path) -> None:
    suite = suite_of(tmp_path, CONFIG + BOUND)

    assert covered(coverage(suite.config.routes, run_all(suite))) == {
        "route default",
        "condition code tags",
        "condition mail channel",
    }


def test_a_leg_that_is_left_out_is_not_covered(tmp_path: Path) -> None:
    text = CONFIG.replace("{channel: telegram, via", "{channel: mail, needs_alternative: true, via")
    expects = TESTS.replace("legs: [telegram, {", "legs: [{")
    suite = suite_of(tmp_path, text + expects)

    shown = covered(coverage(suite.config.routes, run_all(suite)))

    assert "leg code 2" in shown
    assert "leg code 1" not in shown


def test_a_message_that_has_two_values_of_a_condition_shows_neither(tmp_path: Path) -> None:
    """Take one away, and it still goes by the other."""
    both = 'message: {channel: sms, to: "+79991234567", text: "1", tags: [otp, login]}'
    tests = f"tests:\n  - name: both\n    {both}\n    expect: {{route: code}}\n"
    suite = suite_of(tmp_path, CONFIG + tests)

    assert covered(coverage(suite.config.routes, run_all(suite))) == {
        "route code",
        "value code country RU",
    }


def test_a_share_is_rounded_down() -> None:
    items = tuple(Item(kind=Kind.ROUTE, route=str(number)) for number in range(3000))

    assert Coverage(items=items, covered=frozenset(items[1:])).percent == Decimal("99.9")


# --- forty routes ---------------------------------------------------------------------------

COUNTRIES = ("RU", "KZ", "DE", "US")
NUMBERS = {
    "RU": "+79991234567",
    "KZ": "+77011234567",
    "DE": "+4915112345678",
    "US": "+12025550123",
    "FR": "+33612345678",
}


def forty_routes() -> str:
    """Thirteen subjects in three ways each, and a last route: 40."""
    lines = ["version: 1", "providers: {a: {type: fake}, b: {type: fake}}", "routes:"]
    for number in range(13):
        both = f"tags: t{number}, priority: [high, critical], country: [RU, KZ]"
        lines += [
            f"  - name: high-{number}",
            f"    when: {{{both}}}",
            "    send: {first_of: [{channel: telegram, via: a}, {via: b}]}",
            f"  - name: home-{number}",
            f"    when: {{tags: t{number}, country: RU}}",
            "    send: {via: a}",
            f"  - name: rest-{number}",
            f"    when: {{tags: [t{number}, u{number}]}}",
            "    send: {via: b}",
        ]
    return "\n".join([*lines, "  - {name: default, send: {via: a}}", "tests:", ""])


def example(name: str, tag: str, country: str, priority: str, expect: str) -> str:
    message = (
        f'{{channel: sms, to: "{NUMBERS[country]}", text: x, tags: {tag}, priority: {priority}}}'
    )
    return f"  - {{name: {name}, message: {message}, expect: {{{expect}}}}}"


def five_of(number: int) -> list[str]:
    tag, high = f"t{number}", f"route: high-{number}, legs: [telegram, sms]"
    home, rest = f"route: home-{number}, legs: sms", f"route: rest-{number}, legs: sms"
    return [
        example(f"a{number}", tag, "RU", "high", high),
        example(f"b{number}", tag, "KZ", "critical", high),
        example(f"c{number}", tag, "RU", "normal", home),
        example(f"d{number}", tag, "DE", "high", rest),
        example(f"e{number}", f"u{number}", "RU", "high", rest),
    ]


def whole_suite() -> list[str]:
    every = [test for number in range(13) for test in five_of(number)]
    return [*every, example("none", "other", "FR", "normal", "route: default, legs: sms")]


def test_forty_routes_are_covered_to_the_condition(tmp_path: Path) -> None:
    """By hand: 40 routes, 53 legs, 117 values and 78 conditions, each of them shown."""
    suite = suite_of(tmp_path, forty_routes() + "\n".join(whole_suite()))

    tested = coverage(suite.config.routes, run_all(suite))

    assert tested.missing == []
    assert {kind: tested.counts(kind) for kind in Kind} == {
        Kind.ROUTE: (40, 40),
        Kind.LEG: (53, 53),
        Kind.VALUE: (117, 117),
        Kind.CONDITION: (78, 78),
    }


@pytest.mark.parametrize(
    ("left_out", "missing"),
    [
        ("b7", {"value high-7 country KZ", "value high-7 priority critical"}),
        (
            "c7",
            {
                *("route home-7", "leg home-7 1", "value home-7 tags t7"),
                *("value home-7 country RU", "condition high-7 priority"),
            },
        ),
        ("d7", {"condition high-7 country", "condition home-7 country", "value rest-7 tags t7"}),
        # That its tag keeps a message out of the two before, messages with later tags show too.
        ("e7", {"value rest-7 tags u7"}),
        ("none", {"route default", "leg default 1", "condition rest-12 tags"}),
    ],
)
def test_one_test_less_is_exactly_what_it_showed_less(
    tmp_path: Path, left_out: str, missing: set[str]
) -> None:
    kept = [test for test in whole_suite() if f"name: {left_out}," not in test]
    suite = suite_of(tmp_path, forty_routes() + "\n".join(kept))

    told = coverage(suite.config.routes, run_all(suite)).missing

    assert {_word(item) for item in told} == missing


def test_fail_under_fails_once_a_test_is_taken_away(tmp_path: Path) -> None:
    run = runner(tmp_path, forty_routes() + "\n".join(whole_suite()))
    assert run("config", "test", "--fail-under", "100").exit_code == 0

    run = runner(tmp_path, forty_routes() + "\n".join(whole_suite()[1:]))
    result = run("config", "test", "--fail-under", "100")

    assert result.exit_code == 1
    assert "is below 100 %" in result.stdout


# --- what coverage promises -----------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_of_what_is_covered_nothing_can_be_taken_away_without_a_test_that_fails(seed: int) -> None:
    """Routes and tests at random; each covered item is taken out in its turn."""
    suite = suite_at_random(Random(seed))
    shown = coverage(suite.config.routes, run_all(suite)).covered
    removable = [item for item in shown if can_be_removed(item, suite.config.routes)]
    assert removable

    for item in removable:
        routes = without(item, suite.config.routes)
        changed = attrs.evolve(suite, config=attrs.evolve(suite.config, routes=routes))
        assert not all(result.passed for result in run_all(changed)), item


def can_be_removed(item: Item, routes: Sequence[Route]) -> bool:
    """Tell whether something is left without it: the last route, or another value beside it."""
    if item.kind is not Kind.VALUE:
        return item.route != "default" or item.kind is Kind.LEG
    return len(values_of(item, routes)) > 1


def values_of(item: Item, routes: Sequence[Route]) -> Sequence[str]:
    (route,) = [route for route in routes if route.name == item.route]
    return dict(conditions(route.when))[item.condition or ""]


def without(item: Item, routes: Sequence[Route]) -> tuple[Route, ...]:
    if item.kind is Kind.ROUTE:
        return tuple(route for route in routes if route.name != item.route)
    return tuple(reduced(each, item) if each.name == item.route else each for each in routes)


def reduced(route: Route, item: Item) -> Route:
    if item.leg is not None:
        legs = route.legs[: item.leg - 1] + route.legs[item.leg :]
        return attrs.evolve(route, legs=legs)
    name = item.condition or ""
    written = dict(zip(values_of(item, [route]), getattr(route.when, name), strict=True))
    kept = [value for word, value in written.items() if item.value not in (None, word)]
    return attrs.evolve(route, when=attrs.evolve(route.when, **{name: tuple(kept)}))


def suite_at_random(random: Random) -> Suite:
    """Make routes, and tests that say what these do with messages at random."""
    legs = (LegConfig(via=Via(providers=("a",))), LegConfig(via=Via(providers=("b",))))
    routes = [
        Route(name=f"route-{number}", when=routes_at_random.when(random), legs=legs)
        for number in range(6)
    ]
    config = Config(
        providers=tuple(
            ProviderConfig(name=name, type="fake", settings=FakeConfig()) for name in "ab"
        ),
        routes=(*routes, Route(name="default", legs=legs[:1])),
    )
    suite = Suite(path=Path("notify.yaml"), config=config, plugins=plugins(), tests=())
    tests = [test for number in range(80) for test in saying_what_is(suite, random, number)]
    return attrs.evolve(suite, tests=tuple(tests))


def saying_what_is(suite: Suite, random: Random, number: int) -> list[RouteTest]:
    """Return a test of a message at random, none if it is refused."""
    message = routes_at_random.message(random)
    try:
        (decision,) = planner_of(suite).decide(message)
    except MessageError:
        return []
    legs = tuple(ExpectedLeg(channel=leg.channel, via=leg.providers) for leg in decision.plan.legs)
    expect = Expected(route=decision.plan.route, legs=legs)
    test = RouteTest(name=f"{number}", message=message, expect=expect, file="x", line=number)
    return [test]
