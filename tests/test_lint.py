"""What the loader accepts and nobody is likely to mean is found, and nothing else is.

``config/lint`` holds one such thing per file, with the exact finding beside it. ``config/rich``
holds configurations in which everything is meant.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner, Result

from notify_core.cli.app import make_app
from notify_core.config.lint import Rule, Severity, Sheet
from notify_core.config.lint.engine import Linted, all_rules, lint
from notify_core.config.lint.silencing import NO_REASON, UNKNOWN, UNUSED, silencings_in
from notify_core.config.load import read
from notify_core.config.model import Route
from notify_core.errors import ConfigError, PluginError, Problem
from notify_core.hookspecs import hookimpl
from notify_core.message import Sms
from notify_core.planning import Planner
from notify_core.plugins import Plugins
from notify_core.provider import ProviderType
from notify_core.routing import Catalog
from tests.lint_plugins import ENVIRON, NoSettings, letters, never_made, plugins

HERE = Path(__file__).parent
CONFIGS = HERE / "config"
PLANTED = sorted((CONFIGS / "lint").glob("*.yaml"))
RICH = sorted((CONFIGS / "rich").glob("*.yaml"))

SHADOWED = """\
version: 1
providers:
  screen: {type: console}
routes:
  - {name: sms, when: {channel: sms}, send: {via: screen}}
  - {name: code, when: {channel: sms, tags: otp}, send: {via: screen}}
  - {name: default, send: {via: screen}}
"""
CODE = "  - {name: code"
OFF = "# lint: off unreachable-route"


def linted(text: str, folder: Path, made: Plugins | None = None) -> Linted:
    path = folder / "notify.yaml"
    path.write_text(text, encoding="utf-8")
    return lint(path, made or plugins(), ENVIRON)


def found(text: str, folder: Path) -> list[tuple[str, int]]:
    return [(each.rule, each.problem.line) for each in linted(text, folder).findings]


def sheet_of(text: str, folder: Path) -> Sheet:
    path = folder / "notify.yaml"
    path.write_text(text, encoding="utf-8")
    made = plugins()
    return Sheet.of(read(path, made, ENVIRON), made)


# --- the corpus -----------------------------------------------------------------------------


@pytest.mark.parametrize("path", PLANTED, ids=lambda path: path.stem)
def test_what_is_planted_is_found_with_its_place_and_nothing_else_is(path: Path) -> None:
    with contextlib.chdir(path.parent):
        findings = lint(path.name, plugins(), ENVIRON).findings

    expected = path.with_suffix(".txt").read_text(encoding="utf-8")
    assert "".join(f"{finding}\n" for finding in findings) == expected


@pytest.mark.parametrize("path", RICH, ids=lambda path: path.stem)
def test_where_everything_is_meant_nothing_is_found(path: Path) -> None:
    assert lint(path, plugins(), ENVIRON).findings == ()


def test_every_planted_file_holds_one_finding() -> None:
    told = [path.with_suffix(".txt").read_text(encoding="utf-8") for path in PLANTED]

    assert [text.count("\n") for text in told] == [1] * len(PLANTED)


def test_every_rule_finds_something_that_is_planted() -> None:
    told = "".join(path.with_suffix(".txt").read_text(encoding="utf-8") for path in PLANTED)

    names = [rule.name for rule in all_rules(plugins())]
    assert [name for name in (*names, NO_REASON, UNKNOWN, UNUSED) if f": {name}]" not in told] == []


def test_every_rule_has_a_section_and_a_configuration_that_shows_it() -> None:
    """The configurations of the page are run with the other examples of the documents."""
    page = (HERE.parent / "docs" / "lint.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^### ([\w-]+)\n(.*?)(?=^##|\Z)", page, re.M | re.S))

    names = [rule.name for rule in all_rules(plugins())]
    assert sorted(sections) == sorted([*names, NO_REASON, UNKNOWN, UNUSED])
    for name in names:
        assert f": {name}]" in sections[name], name


def test_no_finding_shows_a_secret() -> None:
    told = "".join(path.with_suffix(".txt").read_text(encoding="utf-8") for path in PLANTED)

    assert "hunter" not in told
    assert "whsec_" not in told
    assert "bm90" not in told


# --- silencing ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        SHADOWED.replace(CODE, f"  {OFF}: in May it returns\n{CODE}"),
        SHADOWED.replace("otp}, send: {via: screen}}", f"otp}}, send: {{via: screen}}}}  {OFF}: x"),
        SHADOWED.replace(CODE, f"{OFF}:why\n# and more of it\n{CODE}"),
        SHADOWED.replace(CODE, f"  #lint:off   unreachable-route :   why  \n{CODE}"),
    ],
)
def test_a_finding_is_silenced_in_its_line_or_right_above_it(text: str, tmp_path: Path) -> None:
    result = linted(text, tmp_path)

    assert result.findings == ()
    assert len(result.silenced) == 1
    assert result.silenced[0][1]


def test_a_silencing_is_for_one_place(tmp_path: Path) -> None:
    text = SHADOWED.replace("  - {name: sms", f"  {OFF}: why\n  - {{name: sms")

    assert found(text, tmp_path) == [(UNUSED, 5), ("unreachable-route", 7)]


def test_a_blank_line_parts_a_silencing_from_its_place(tmp_path: Path) -> None:
    text = SHADOWED.replace(CODE, f"  {OFF}: why\n\n{CODE}")

    assert found(text, tmp_path) == [(UNUSED, 6), ("unreachable-route", 8)]


def test_a_silencing_without_a_reason_silences_and_is_told_itself(tmp_path: Path) -> None:
    text = SHADOWED.replace(CODE, f"  {OFF}:\n{CODE}")

    assert found(text, tmp_path) == [(NO_REASON, 6)]


def test_silencings_stand_above_each_other_for_several_rules(tmp_path: Path) -> None:
    text = SHADOWED.replace("  screen:", "  spare: {type: console}\n  screen:").replace(
        "  spare", "  # lint: off twin-route: why\n  # lint: off unused-provider: why\n  spare"
    )

    assert found(text, tmp_path) == [(UNUSED, 3), ("unreachable-route", 9)]


@pytest.mark.parametrize("comment", ["# lint: on x", "# lint: off", "# lint:", "# lint: off a b"])
def test_a_silencing_that_cannot_be_read_is_told(comment: str, tmp_path: Path) -> None:
    text = SHADOWED.replace(CODE, f"  {comment}\n{CODE}")

    assert found(text, tmp_path) == [(UNKNOWN, 6), ("unreachable-route", 7)]


@pytest.mark.parametrize(
    "text",
    [
        'a: "# lint: off x: y"',
        "a: '\n  # lint: off x: y\n  '",
        "a: |\n  # lint: off x: y\n",
        "a: b# lint:off",
        "a: 1 # about lint: off x: y",
    ],
)
def test_what_is_no_comment_silences_nothing(text: str) -> None:
    assert list(silencings_in(text, "test.yaml")) == []


def test_advice_that_is_not_asked_for_can_be_silenced_all_the_same(tmp_path: Path) -> None:
    text = SHADOWED.replace(CODE, f"  {OFF}: why\n{CODE}").replace(
        "version: 1\n", "version: 1\njournal: memory\n"
    )
    quiet = re.sub(r"^(  - \{name)", r"  # lint: off no-deadline: why\n\1", text, flags=re.M)

    assert {each.severity for each in linted(text, tmp_path).findings} == {Severity.ADVICE}
    assert linted(text, tmp_path).weighing(strict=False) == []
    assert linted(quiet, tmp_path).findings == ()


def test_a_tab_where_the_loader_takes_one_hides_no_silencing(tmp_path: Path) -> None:
    """The two loaders of the library do not take tabs in the same places."""
    text = SHADOWED.replace("version: 1", "version:\t1").replace(CODE, f"  {OFF}: why\n{CODE}")

    assert linted(text, tmp_path).findings == ()


# --- included files -------------------------------------------------------------------------


def test_a_finding_and_its_silencing_may_stand_in_an_included_file(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(
        "routes:\n"
        "  - {name: sms, when: {channel: sms}, send: {via: screen}}\n"
        "  - {name: code, when: {channel: sms, tags: otp}, send: {via: screen}}\n"
        f"  {OFF}: why\n"
        "  - {name: login, when: {channel: sms, tags: login}, send: {via: screen}}\n"
    )
    text = "version: 1\ninclude: shop.yaml\nproviders: {screen: {type: console}}\n"

    result = linted(
        f"{text}routes:\n"
        "  - {name: pin, when: {channel: sms, tags: pin}, send: {via: screen}}\n"
        "  - {name: default, send: {via: screen}}\n",
        tmp_path,
    )

    assert [Path(file).name for file in result.files] == ["notify.yaml", "shop.yaml"]
    assert [(Path(each.problem.file).name, each.problem.line) for each in result.findings] == [
        ("notify.yaml", 5),
        ("shop.yaml", 3),
    ]
    assert "shop.yaml (sms) takes all such messages" in result.findings[0].problem.message


# --- what the plan says too -----------------------------------------------------------------


@pytest.mark.parametrize(
    "path", [path for path in PLANTED if "may-arrive" in path.stem], ids=lambda path: path.stem
)
def test_where_both_may_arrive_the_plan_warns_of_it_too(path: Path) -> None:
    assert any("may both arrive" in warning for warning in warnings_of(path))


@pytest.mark.parametrize("name", ["cascade-with-receipts", "distrusted-receipts"])
def test_where_nothing_is_found_the_plan_warns_of_nothing(name: str) -> None:
    assert list(warnings_of(CONFIGS / "rich" / f"{name}.yaml")) == []


def warnings_of(path: Path) -> Iterator[str]:
    made = plugins()
    config = read(path, made, ENVIRON).config
    sheet = Sheet.of(read(path, made, ENVIRON), made)
    able = {name: place.capabilities for name, place in sheet.providers.items()}
    planner = Planner(config, Catalog(made.message_types(), able, keeps_time=True))
    for decision in planner.decide(Sms(to="+79991234567", text="1234", tags="otp")):
        yield from decision.plan.warnings


# --- rules of plugins -----------------------------------------------------------------------


def no_screens(sheet: Sheet) -> Iterator[Problem]:
    for place in sheet.providers_of("console"):
        yield place.place("prefix").problem("nobody looks at a screen")


class Screens:
    """A plugin that brings a rule."""

    @hookimpl
    def notify_lint_rules(self) -> Sequence[Rule]:
        return [Rule(name="console-screen", severity=Severity.WARNING, find=no_screens)]


def test_a_plugin_brings_a_rule_of_its_own(tmp_path: Path) -> None:
    made = plugins()
    made.register(Screens(), "screens")
    text = SHADOWED.replace(CODE, f"  {OFF}: why\n{CODE}")

    (finding,) = linted(text.replace("console}", 'console, prefix: ">"}'), tmp_path, made).findings

    assert str(finding).endswith(
        "notify.yaml:3:35: providers.screen.prefix: nobody looks at a screen "
        "[warning: console-screen]"
    )


def test_two_rules_of_one_name_are_refused(tmp_path: Path) -> None:
    made = plugins()
    made.register(Screens(), "screens")
    made.register(Screens(), "the-same")

    with pytest.raises(PluginError, match="two plugins bring this rule"):
        linted(SHADOWED, tmp_path, made)


def test_a_type_that_says_nothing_of_accounts_shares_none(tmp_path: Path) -> None:
    text = SHADOWED.replace("  screen:", "  spare: {type: console}\n  screen:").replace(
        "via: screen", "via: [screen, spare]"
    )

    assert found(text, tmp_path) == [("unreachable-route", 7)]


def test_a_provider_type_has_an_account_only_if_it_says_so() -> None:
    silent = ProviderType(
        name="letters", config_class=NoSettings, capabilities=letters, factory=never_made
    )

    assert silent.account(NoSettings()) is None
    assert attrs.evolve(silent, account=lambda _: "a").account(NoSettings()) == "a"


def test_the_account_of_the_gateway_shows_neither_login_nor_password(tmp_path: Path) -> None:
    text = SHADOWED.replace("{type: console}", '{type: smsc, login: shop, password: "${env:KEY}"}')

    account = sheet_of(text, tmp_path).providers["screen"].account

    assert account is not None
    assert not {"shop", ENVIRON["KEY"]} & set(re.split(r"\W", " ".join(account)))


# --- the sheet ------------------------------------------------------------------------------


def test_the_sheet_has_a_place_for_every_leg(tmp_path: Path) -> None:
    sheet = sheet_of(
        SHADOWED.replace(
            "tags: otp}, send: {via: screen}",
            "tags: otp}, send: {first_of: [{channel: call, via: screen}, {via: [screen]}]}",
        ),
        tmp_path,
    )

    assert [(leg.node.path, leg.channels, leg.route.name) for leg in sheet.legs] == [
        ("routes[0].send", ("sms",), "sms"),
        ("routes[1].send.first_of[0]", ("call",), "code"),
        ("routes[1].send.first_of[1]", ("sms",), "code"),
        ("routes[2].send", (), "default"),
    ]
    assert all(isinstance(place.route, Route) for place in sheet.routes)


# --- the command ----------------------------------------------------------------------------


def run(text: str, folder: Path, *options: str) -> Result:
    path = folder / "notify.yaml"
    path.write_text(text, encoding="utf-8")
    arguments = ["config", "lint", str(path), *options]
    return CliRunner(env=ENVIRON).invoke(make_app(plugins()), arguments)


def test_the_command_fails_if_anything_is_found(tmp_path: Path) -> None:
    result = run(SHADOWED, tmp_path)

    assert result.exit_code == 1
    assert result.stdout == (
        f"{tmp_path}/notify.yaml:6:5: routes[1]: can never match: routes[0] (sms) takes all such "
        "messages before [warning: unreachable-route]\n1 finding\n"
    )


def test_advice_counts_only_if_it_is_asked_for(tmp_path: Path) -> None:
    text = SHADOWED.replace(CODE, f"  {OFF}: why\n{CODE}").replace(
        "version: 1\n", "version: 1\njournal: memory\n"
    )

    lenient, strict = run(text, tmp_path), run(text, tmp_path, "--strict")

    assert (lenient.exit_code, lenient.stdout) == (
        0,
        "OK: no findings, 1 silenced, 3 more with --strict\n",
    )
    assert strict.exit_code == 1
    assert strict.stdout.endswith("3 findings, 1 silenced\n")


def test_the_findings_can_be_had_as_json(tmp_path: Path) -> None:
    silenced = run(SHADOWED.replace(CODE, f"  {OFF}: why\n{CODE}"), tmp_path, "--json")
    result = run(SHADOWED, tmp_path, "--json")

    finding = {
        "rule": "unreachable-route",
        "severity": "warning",
        "file": f"{tmp_path}/notify.yaml",
        "line": 6,
        "column": 5,
        "path": "routes[1]",
        "message": "can never match: routes[0] (sms) takes all such messages before",
    }
    assert (result.exit_code, silenced.exit_code) == (1, 0)
    assert json.loads(result.stdout) == {
        "ok": False,
        "files": [f"{tmp_path}/notify.yaml"],
        "findings": [finding],
        "silenced": [],
        "advice": 0,
    }
    assert json.loads(silenced.stdout)["silenced"] == [{**finding, "line": 7, "reason": "why"}]


def test_a_file_with_a_mistake_is_not_linted(tmp_path: Path) -> None:
    result = run(SHADOWED.replace("via: screen", "via: scren"), tmp_path)

    assert result.exit_code == 4
    assert '"scren" is not a provider' in result.stderr


def test_a_file_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        lint(tmp_path / "nothing.yaml", plugins(), ENVIRON)
