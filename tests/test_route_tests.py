"""Tests of routes: how they are read, and what they find."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from notify_core.errors import ConfigError
from notify_core.outcome import Estimate
from notify_core.route_tests.reading import read_file, read_suite
from notify_core.route_tests.running import Result, run_all
from notify_core.routing import LegPrice, Plan, PlanPrice, price_of
from tests.cli_runs import plugins, runner
from tests.route_suites import BOUND, CONFIG, TESTS, suite_of, written


def results_of(folder: Path, tests: str) -> Sequence[Result]:
    return run_all(suite_of(folder, CONFIG + tests))


def one(folder: Path, message: str, expect: str) -> Result:
    """Run one test on the configuration above."""
    text = f"tests:\n  - name: it\n    message: {message}\n    expect: {expect}\n"
    (result,) = results_of(folder, text)
    return result


SMS = '{channel: sms, to: "+79991234567", text: hello}'
BAD_LEG = "{channel: sms, via: god}"
CODE = '{channel: sms, to: "+79991234567", text: hello, tags: otp}'


def problems(folder: Path, tests: str) -> str:
    with pytest.raises(ConfigError) as caught:
        suite_of(folder, CONFIG + tests)
    return str(caught.value).replace(f"{folder}/", "")


# --- running --------------------------------------------------------------------------------


def test_tests_that_say_what_the_routes_do_pass(tmp_path: Path) -> None:
    results = run_all(suite_of(tmp_path))

    assert [result.failures for result in results] == [()] * 6


@pytest.mark.parametrize(
    ("message", "expect", "failure"),
    [
        (SMS, "{route: code}", "route: expected code, takes default (tags fails: wanted otp or "),
        (CODE, "{route: default}", "route: expected default, takes code (code stands before it)"),
        (CODE, "{route: code, legs: [sms]}", "legs: expected sms, planned telegram, sms"),
        (
            CODE,
            "{route: code, legs: [telegram, {channel: sms, via: spare}]}",
            "leg 2 (sms): expected via spare, planned via good, spare",
        ),
        (
            CODE,
            "{route: code, legs: [telegram, {channel: sms, via: [spare, good]}]}",
            "leg 2 (sms): expected via spare, good, planned via good, spare",
        ),
        (
            SMS,
            "{route: default, legs: {channel: sms, via: {spread: good}}}",
            "leg 1 (sms): expected via good in any order, planned via ",
        ),
        (
            '{channel: sms, to: "+79991234567", text: "' + "x" * 200 + '"}',
            "{route: default, parts: 1}",
            "parts: at most 1 expected, 2 in the worst case",
        ),
        (SMS, "{error: RecipientError}", "error: expected RecipientError, but it goes, by route"),
        (
            '{channel: sms, to: "1234567", text: hello}',
            "{route: default}",
            "refused: RecipientError: ",
        ),
        (
            '{channel: sms, to: "1234567", text: hello}',
            "{error: UnsupportedFeature}",
            "error: expected UnsupportedFeature, is RecipientError: ",
        ),
        (
            '{channel: sms, to: "1234567", text: hello}',
            "{error: RecipientError, words: hamster}",
            "words: expected “hamster” in: RecipientError: ",
        ),
        (
            '{channel: sms, to: "1234567", text: hello}',
            "{error: RecipientError, route: default}",
            "route: no route was tried, expected default",
        ),
        (
            "{channel: sms, to: {email: a@b.ru}, text: hello}",
            "{error: RecipientError, route: code}",
            "route: expected code, takes default (",
        ),
    ],
)
def test_a_test_that_fails_says_what_was_expected_and_what_is(
    tmp_path: Path, message: str, expect: str, failure: str
) -> None:
    result = one(tmp_path, message, expect)

    assert not result.passed
    assert any(each.startswith(failure) for each in result.failures), result.failures


@pytest.mark.parametrize(
    ("message", "expect"),
    [
        ("{channel: sms, to: {email: a@b.ru}, text: hello}", "{error: MessageError}"),
        (
            "{channel: sms, to: {email: a@b.ru}, text: hello}",
            "{error: RecipientError, route: default, words: no leg reaches}",
        ),
        ('{channel: sms, to: "+79991234567", text: ""}', "{error: MessageError, words: empty}"),
        (
            '{channel: sms, to: ["+79991234567", "+77011234567"], text: hello, tags: login}',
            "{route: code, legs: [telegram, sms]}",
        ),
        (
            '{channel: sms, to: "+79991234567", text: hello, priority: high, valid_for: 5m}',
            "{error: UnsupportedFeature, words: valid_for}",
        ),
    ],
)
def test_a_refusal_and_several_recipients_can_be_expected(
    tmp_path: Path, message: str, expect: str
) -> None:
    result = one(tmp_path, message, expect)

    assert result.failures == ()


def test_each_recipient_must_take_the_route(tmp_path: Path) -> None:
    to = '{channel: sms, to: ["+79991234567", "+4915112345678"], text: hello, tags: otp}'

    result = one(tmp_path, to, "{route: code}")

    assert result.failures == (
        "route: expected code, takes default (country fails: wanted RU or KZ, is DE)",
    )


def test_the_same_provider_of_a_spread_is_drawn_each_time(tmp_path: Path) -> None:
    drawn = {one(tmp_path, SMS, "{route: default}").plans[0].legs[0].providers for _ in range(20)}

    assert len(drawn) == 1


def test_no_provider_is_made_to_run_tests(tmp_path: Path) -> None:
    """A certificate that is not there yet keeps nobody from testing the routes."""
    text = (CONFIG + TESTS).replace(
        "letters: {type: fake}", "letters: {type: fake, sends: impossible}"
    )

    assert all(result.passed for result in run_all(suite_of(tmp_path, text)))


# --- bounds on the cost ---------------------------------------------------------------------


def costing(cost: str) -> Estimate:
    return Estimate(provider="good", cost=Decimal(cost), currency="RUB")


def two_each(plan: Plan) -> PlanPrice:
    return price_of(
        plan, [LegPrice(channel=leg.channel, estimates=(costing("2"),)) for leg in plan.legs]
    )


def nobody_says(plan: Plan) -> PlanPrice:
    return price_of(plan, [LegPrice(channel=leg.channel, unknown=("down",)) for leg in plan.legs])


def test_a_bound_on_the_cost_is_not_looked_at_unless_providers_are_asked(tmp_path: Path) -> None:
    (result,) = run_all(suite_of(tmp_path, CONFIG + BOUND))

    assert result.passed
    assert result.notes == ("cost: not looked at, since no provider was asked",)


def test_a_message_that_may_cost_more_than_its_bound_fails(tmp_path: Path) -> None:
    (result,) = run_all(suite_of(tmp_path, CONFIG + BOUND), two_each)

    assert result.failures == ("cost: at most 1.99 expected, 2 RUB in the worst case",)


def test_a_cost_that_nobody_says_is_no_cost_within_a_bound(tmp_path: Path) -> None:
    (result,) = run_all(suite_of(tmp_path, CONFIG + BOUND), nobody_says)

    assert result.failures == ("cost: cannot be told: down",)


# --- reading --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("test", "problem"),
    [
        (
            "{name: x, message: {channel: smss}, expect: {route: code}}",
            'tests[0].message.channel: "smss" is not a channel; did you mean "sms"?',
        ),
        (
            "{name: x, message: {channel: sms, txt: x}, expect: {route: code}}",
            'tests[0].message.txt: "txt" is not a field of sms; did you mean "text"?',
        ),
        (
            "{name: x, message: {to: a}, expect: {route: code}}",
            'tests[0].message: "channel" is missing; write channel: sms',
        ),
        (
            f"{{name: x, message: {SMS}, expect: {{route: coda}}}}",
            'expect.route: "coda" is not a route of this configuration; did you mean "code"?',
        ),
        (
            f"{{name: x, message: {SMS}, expect: {{route: code, legs: [smss]}}}}",
            'expect.legs[0]: "smss" is not a channel; did you mean "sms"?',
        ),
        (
            f"{{name: x, message: {SMS}, expect: {{route: code, legs: {BAD_LEG}}}}}",
            'expect.legs.via: "god" is not a provider of this configuration; did you mean "good"?',
        ),
        (
            f"{{name: x, message: {SMS}, expect: {{error: RecipientErr}}}}",
            'expect.error: "RecipientErr" is not an error of a message; did you mean "Recipient',
        ),
        (f"{{name: x, message: {SMS}, expect: {{}}}}", "expect: expects nothing; write route:"),
        (
            f"{{name: x, message: {SMS}, expect: {{route: code, words: x}}}}",
            "expect.words: needs error beside it",
        ),
        (
            f"{{name: x, message: {SMS}, expect: {{error: MessageError, parts: 1}}}}",
            "expect.parts: cannot stand beside error",
        ),
        (
            f"{{name: x, message: {SMS}, expect: {{route: code, cost: -1}}}}",
            'expect.cost: "-1" is less than nothing',
        ),
        (f"{{name: x, message: {SMS}}}", 'tests[0]: "expect" is missing'),
        (
            "{name: x, message: {channel: sms, text: x, priority: hi}, expect: {route: code}}",
            "message.priority: priority: write one of low, normal, high, critical; if that is what",
        ),
        ("nothing", "tests[0]: a single value stands here; expected a mapping"),
    ],
)
def test_a_mistake_in_a_test_is_told_with_its_place(
    tmp_path: Path, test: str, problem: str
) -> None:
    told = problems(tmp_path, f"tests:\n  - {test}\n")

    assert told.startswith("notify.yaml:17:")
    assert problem in told


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    told = problems(
        tmp_path,
        f"tests:\n  - {{name: x, message: {SMS}, expect: {{route: a}}}}\n"
        f"  - {{name: x, message: {SMS}, expect: {{route: b}}}}\n",
    )

    assert [line.split(": ")[1] for line in told.splitlines()] == [
        "tests[0].expect.route",
        "tests[1].name",
        "tests[1].expect.route",
    ]


def test_the_application_reads_no_tests(tmp_path: Path) -> None:
    """A mistake in one keeps nothing from being sent."""
    run = runner(tmp_path, CONFIG + "tests: nonsense\n")

    assert run("send", "sms", "--to", "+79991234567", "--text", "x").exit_code == 0
    assert run("config", "test", str(tmp_path / "notify.yaml")).exit_code == 4


def test_tests_may_stand_in_files_beside_the_configuration(tmp_path: Path) -> None:
    written(tmp_path, TESTS, "codes.routes.yaml")
    written(tmp_path, f"config: notify.yaml\n{BOUND}", "cost.routes.yaml")

    suite = suite_of(tmp_path, CONFIG)

    assert len(suite.tests) == 7
    assert suite.tests[-1].file.endswith("cost.routes.yaml")


def test_tests_may_stand_in_the_files_that_a_configuration_includes(tmp_path: Path) -> None:
    written(tmp_path, TESTS, "codes.routes.yaml")

    suite = suite_of(tmp_path, f"{CONFIG}include: codes.routes.yaml\n{BOUND}")

    assert len(suite.tests) == 7


def test_tests_of_another_configuration_are_left_alone(tmp_path: Path) -> None:
    """By the key ``config``, or by the name of the file."""
    written(tmp_path, CONFIG, "shop.yaml")
    written(tmp_path, BOUND, "shop.routes.yaml")
    written(tmp_path, f"config: shop.yaml\n{TESTS}", "more.routes.yaml")

    assert suite_of(tmp_path, CONFIG).tests == ()
    assert len(read_suite(tmp_path / "shop.yaml", plugins(), {}).tests) == 7


def test_a_name_is_given_once_in_all_the_files(tmp_path: Path) -> None:
    written(tmp_path, BOUND, "cost.routes.yaml")

    told = problems(tmp_path, BOUND)

    assert told.startswith('cost.routes.yaml:3:11: tests[0].name: "cheap" is given twice, first in')


def test_a_file_of_tests_names_its_configuration(tmp_path: Path) -> None:
    written(tmp_path, CONFIG)
    file = written(tmp_path, TESTS, "any.routes.yaml")

    assert len(read_file(file, plugins(), {}).tests) == 6


def test_a_file_of_tests_without_a_configuration_says_what_is_missing(tmp_path: Path) -> None:
    file = written(tmp_path, TESTS, "any.routes.yaml")

    with pytest.raises(ConfigError, match=r"there is no .*notify\.yaml; name the file with config"):
        read_file(file, plugins(), {})


def test_tests_of_a_configuration_that_is_not_there_are_not_passed_over(tmp_path: Path) -> None:
    """Nobody would run them, and nothing would say so."""
    written(tmp_path, f"config: shpo.yaml\n{TESTS}", "shop.routes.yaml")

    assert problems(tmp_path, TESTS).endswith("there is no shpo.yaml; name the file with config: …")


def test_a_file_of_that_name_that_holds_no_tests_may_be_about_anything(tmp_path: Path) -> None:
    written(tmp_path, "config: elsewhere.yaml\nrows: []\n", "other.routes.yaml")

    assert len(suite_of(tmp_path).tests) == 6


def test_a_name_that_no_file_can_have_is_told_with_its_place(tmp_path: Path) -> None:
    written(tmp_path, f'config: "a\\0b"\n{TESTS}', "shop.routes.yaml")

    assert problems(tmp_path, TESTS).startswith(
        "shop.routes.yaml:1:9: config: holds a character that no name of a file can hold"
    )


def test_folders_and_what_editors_leave_beside_are_no_tests(tmp_path: Path) -> None:
    (tmp_path / "old.routes.yaml").mkdir()
    (tmp_path / ".#notify.routes.yaml").symlink_to("somebody@example.org.4711")

    assert len(suite_of(tmp_path).tests) == 6
