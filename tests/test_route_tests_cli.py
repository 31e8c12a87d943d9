"""``notify config test``, its JUnit XML, and the plugin of pytest that runs the same tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli_runs import Run, answer, runner
from tests.route_suites import BOUND, CONFIG, TESTS, written

WRONG = TESTS.replace("{route: mail, legs: mail}", "{route: code}")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return runner(tmp_path, CONFIG + TESTS)


# --- the command ----------------------------------------------------------------------------


def test_tests_that_pass_are_counted_with_their_coverage(run: Run) -> None:
    result = run("config", "test")

    assert result.exit_code == 0
    assert result.stdout == (
        "6 passed, 0 failed\n"
        "coverage 100.0 %: routes 3 of 3, legs 4 of 4, values 5 of 5, conditions 3 of 3\n"
    )


def test_what_failed_is_shown_with_its_place(tmp_path: Path) -> None:
    result = runner(tmp_path, CONFIG + WRONG)("config", "test")

    assert result.exit_code == 1
    assert f"FAILED a letter ({tmp_path}/notify.yaml:30)\n" in result.stdout
    assert "  route: expected code, takes mail (tags fails: wanted otp or login" in result.stdout
    assert "  mail: a message that takes it\n" in result.stdout


def test_the_json_has_each_test_and_what_no_test_covers(tmp_path: Path) -> None:
    shape = answer(runner(tmp_path, CONFIG + WRONG)("config", "test", "--json"))

    assert (shape["ok"], shape["passed"], shape["failed"]) == (False, 5, 1)
    assert [test["name"] for test in shape["tests"] if not test["passed"]] == ["a letter"]
    assert shape["coverage"]["conditions"] == {"covered": 3, "items": 3}
    assert shape["coverage"]["missing"][0] == {
        "kind": "route",
        "route": "mail",
        "leg": None,
        "condition": None,
        "value": None,
        "wanted": "a message that takes it",
    }


@pytest.mark.parametrize(("percent", "code"), [("0", 0), ("80", 0), ("80.1", 1), ("100", 1)])
def test_less_coverage_than_asked_for_is_a_failure(tmp_path: Path, percent: str, code: int) -> None:
    """Without its letter 12 of 15 items are covered."""
    kept = TESTS.replace("message: {channel: mail", "message: {channel: sms").replace(
        "to: ann@example.org, subject: Hi, text: Hello", 'to: "+79991234567", text: x'
    )
    run = runner(tmp_path, CONFIG + kept.replace("{route: mail, legs: mail}", "{route: default}"))

    assert run("config", "test", "--fail-under", percent).exit_code == code


def test_a_share_that_is_no_number_is_refused(run: Run) -> None:
    result = run("config", "test", "--fail-under", "nan")

    assert result.exit_code == 2
    assert "nan is not a number" in result.output


def test_a_configuration_without_tests_does_not_pass(tmp_path: Path) -> None:
    """A file that was not checked out must not look like success."""
    result = runner(tmp_path, CONFIG)("config", "test")

    assert result.exit_code == 1
    assert "no tests: write them under tests:" in result.stdout


def test_a_mistake_in_a_test_is_one_of_the_configuration(tmp_path: Path) -> None:
    result = runner(tmp_path, CONFIG + "tests: [{nam: x}]\n")("config", "test")

    assert result.exit_code == 4
    assert '"nam" is not a key here; did you mean "name"?' in result.stderr


def test_a_bound_on_the_cost_is_held_against_what_the_providers_say(tmp_path: Path) -> None:
    """The fake asks 1.20 for anything; its default draws between two."""
    run = runner(tmp_path, CONFIG + BOUND.replace("1.99", "1.19"))

    assert run("config", "test").exit_code == 0
    assert "cheap: cost: not looked at" in run("config", "test").stdout
    result = run("config", "test", "--price")
    assert result.exit_code == 1
    assert "cost: at most 1.19 expected, 1.20 RUB in the worst case" in result.stdout


def test_tests_open_no_journal(tmp_path: Path) -> None:
    run = runner(tmp_path, f"{CONFIG}journal: sqlite:///notify.db\n{BOUND}")

    assert run("config", "test").exit_code == 0
    assert run("config", "test", "--price").exit_code == 0
    assert not (tmp_path / "notify.db").exists()


# --- JUnit XML ------------------------------------------------------------------------------


def test_junit_xml_has_a_case_for_each_test_and_one_for_the_coverage(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    run = runner(tmp_path, CONFIG + WRONG)

    run("config", "test", "--junit", str(report), "--fail-under", "90")

    suite = ElementTree.parse(report).getroot()[0]
    cases = suite.findall("testcase")
    assert (suite.attrib["tests"], suite.attrib["failures"]) == ("7", "2")
    assert [case.attrib["name"] for case in cases if case.find("failure") is not None] == [
        "a letter",
        "coverage",
    ]
    assert cases[0].attrib["line"] == "18"
    assert suite.find("properties/property[@name='coverage.routes']").attrib["value"] == "2 of 3"  # type: ignore[union-attr]


def test_junit_xml_holds_only_what_xml_can_hold(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    odd = 'words: "\\u0001 <&> ]]> \\uFFFE"'
    text = TESTS.replace("words: no country code", odd)

    runner(tmp_path, CONFIG + text)("config", "test", "--junit", str(report))

    (failure,) = ElementTree.parse(report).getroot().iter("failure")
    assert "<&> ]]>" in (failure.text or "")


def test_a_report_that_cannot_be_written_is_told(run: Run, tmp_path: Path) -> None:
    result = run("config", "test", "--junit", str(tmp_path / "nowhere" / "report.xml"))

    assert result.exit_code == 2
    assert "cannot be written" in result.stderr


# --- pytest ---------------------------------------------------------------------------------

REAL = """
version: 1
providers: {screen: {type: console}, spare: {type: console}, letters: {type: console}}
routes:
  - {name: code, when: {tags: otp}, send: {via: [screen, spare]}}
  - {name: default, send: {via: screen}}
"""
SMALL = """
tests:
  - name: a code
    message: {channel: sms, to: "+79991234567", text: "1234", tags: otp}
    expect: {route: code}
  - name: no code
    message: {channel: sms, to: "+79991234567", text: "1234"}
    expect: {route: code}
"""
PLUGIN = "notify_core.route_tests.pytest_plugin"


def pytest_in(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest as it would run with the plugin installed, which loads it by its entry point."""
    console = "import notify_console; notify_console.__name__"
    (folder / "conftest.py").write_text(f"{console}\n")
    command = [sys.executable, "-m", "pytest", "-p", PLUGIN, "-W", "error", "-q", *arguments]
    environ = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, check=False
    )


def test_pytest_runs_the_tests_of_a_file_and_shows_what_failed(tmp_path: Path) -> None:
    written(tmp_path, REAL)
    written(tmp_path, SMALL, "notify.routes.yaml")

    ran = pytest_in(tmp_path)

    assert "1 failed, 1 passed" in ran.stdout
    assert "notify.routes.yaml:6: no code" in ran.stdout
    assert "route: expected code, takes default (tags fails: wanted otp, is no tag)" in ran.stdout
    assert "Traceback" not in ran.stdout


@pytest.mark.parametrize("text", [f"\ufeff{SMALL.lstrip()}", SMALL.replace("tests:", "'tests' :")])
def test_pytest_overlooks_no_file_of_tests_for_how_it_is_written(tmp_path: Path, text: str) -> None:
    """Editors of Windows put a mark before the first character."""
    written(tmp_path, REAL)
    written(tmp_path, text, "notify.routes.yaml")

    assert "1 failed, 1 passed" in pytest_in(tmp_path).stdout


def test_pytest_tells_a_mistake_in_a_file_in_its_own_words(tmp_path: Path) -> None:
    written(tmp_path, REAL)
    written(tmp_path, SMALL.replace("{route: code}", "{route: coda}"), "notify.routes.yaml")

    ran = pytest_in(tmp_path)

    assert '"coda" is not a route of this configuration; did you mean "code"?' in ran.stdout
    assert "Traceback" not in ran.stdout


def test_pytest_leaves_alone_files_of_that_name_that_are_somebody_elses(tmp_path: Path) -> None:
    written(tmp_path, "routes:\n  /api: {tests: [1]}\n", "gateway.routes.yaml")
    written(tmp_path, "def test_theirs():\n    pass\n", "test_theirs.py")

    assert "1 passed" in pytest_in(tmp_path).stdout


def test_pytest_reads_no_file_that_is_not_to_be_run(tmp_path: Path) -> None:
    """A mistake in one keeps no other test from running."""
    written(tmp_path, "tests: nonsense\n", "notify.routes.yaml")
    theirs = written(tmp_path, "def test_theirs():\n    pass\n", "test_theirs.py")

    assert "1 passed" in pytest_in(tmp_path, str(theirs)).stdout


def test_the_plugin_imports_next_to_nothing() -> None:
    """Every pytest of the environment loads it."""
    code = (
        "import sys, pytest; before = set(sys.modules)\n"
        "import notify_core.route_tests.pytest_plugin\n"
        "print(*sorted(each for each in set(sys.modules) - before if 'notify' in each))"
    )

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    loaded = set(ran.stdout.split())
    assert PLUGIN in loaded
    assert not loaded & {"notify_core.notifier", "notify_core.message", "notify_core.config.load"}
