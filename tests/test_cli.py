"""The commands of ``notify``: what they answer, in words and in JSON, and how they exit."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console, RenderableType

from notify_core import PluginError, Plugins, hookimpl
from notify_core.cli.app import make_app
from notify_core.cli.exits import Exit
from notify_core.cli.tables import report_tables

CONFIG = """
version: 1
default_region: RU
providers:
  good: {type: fake, prints: true}
  picky: {type: fake, sends: refused}
  locked: {type: fake, sends: not_sent}
  foggy: {type: fake, sends: unknown, askable: true, answers: false}
  mute: {type: fake, sends: unknown}
  phones: {type: fake, pages: false}
  slow: {type: fake, sends: interrupted}
  hasty: {type: fake, sends: quits}
  fussy: {type: fake, sends: fussy}
  busy: {type: fake, sends: throttled}
  silent: {type: fake, answers: false}
retry: {rounds: 1}
routes:
  - {name: picky, when: {tags: picky}, send: {via: picky}}
  - {name: locked, when: {tags: locked}, send: {via: locked}}
  - {name: foggy, when: {tags: foggy}, send: {via: foggy}}
  - {name: mute, when: {tags: mute}, send: {via: mute}}
  - {name: slow, when: {tags: slow}, send: {via: slow}}
  - {name: hasty, when: {tags: hasty}, send: {via: hasty}}
  - {name: fussy, when: {tags: fussy}, send: {via: fussy}}
  - {name: busy, when: {tags: busy}, send: {via: busy}}
  - name: both
    when: {tags: both}
    send: {all_of: [{channel: sms, via: good}, {channel: telegram, via: picky}]}
  - name: fog
    when: {tags: fog}
    send: {all_of: [{channel: sms, via: good}, {channel: telegram, via: foggy}]}
  - name: neither
    when: {tags: neither}
    send: {all_of: [{channel: sms, via: locked}, {channel: telegram, via: picky}]}
  - {name: silent, when: {tags: silent}, send: {via: silent}}
  - name: code
    when: {tags: otp, priority: high}
    deadline: 90s
    send:
      first_of:
        - {channel: mail, via: good, needs_alternative: true}
        - {channel: sms, via: [picky, good]}
  - {name: default, send: {via: good}}
"""
NUMBER = "+79991234567"
TEXT = "the words of the message"

Run = Callable[..., Result]


def fakes() -> object:
    """Import the plugin of the tests as a module."""
    spec = importlib.util.spec_from_file_location(
        "cli_fakes", Path(__file__).with_name("cli_fakes.py")
    )
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def plugins() -> Plugins:
    found = Plugins()
    found.register(fakes(), "fakes")
    return found


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "notify.yaml"
    path.write_text(CONFIG)
    return path


@pytest.fixture
def run(plugins: Plugins, config: Path) -> Run:
    """Run a command that needs a configuration."""

    def run(*arguments: str, stdin: str = "", config: Path = config) -> Result:
        environ = {"NOTIFY_CONFIG": str(config)}
        return CliRunner().invoke(make_app(plugins), arguments, input=stdin, env=environ)

    return run


def answer(result: Result) -> Any:
    """Read the JSON on standard output, which must hold nothing else."""
    return json.loads(result.stdout)


def row(shown: str) -> str:
    """Return the one row of a table of deliveries."""
    return next(line for line in shown.splitlines() if line.startswith("+79"))


def shown(renderables: Sequence[RenderableType], width: int) -> str:
    """Render what stands in a terminal of that width."""
    console = Console(width=width, file=io.StringIO())
    with console.capture() as captured:
        console.print(*renderables)
    return captured.get()


def sms(*more: str) -> Sequence[str]:
    return ("sms", "--to", NUMBER, "--text", TEXT, *more)


# --- send -----------------------------------------------------------------------------------


def test_an_accepted_message_is_told_with_its_receipt_and_exits_0(run: Run) -> None:
    """Everything that the provider told stands in the answer, and the address is masked."""
    result = run("send", *sms("--json"))

    (delivery,) = answer(result)["deliveries"]
    assert result.exit_code == 0
    assert {
        "recipient": "+79…67",
        "route": "default",
        "channel": "sms",
        "outcome": "accepted",
        "reason": None,
        "scope": None,
        "code": None,
        "provider": "good",
        "provider_id": "P-1",
        "parts": 2,
        "cost": "2.40",
        "balance": "97.10",
        "currency": "RUB",
        "status": None,
        "skipped": [],
        "warnings": [],
    }.items() <= delivery.items()
    assert delivery["own_id"].startswith(delivery["id"])
    assert [attempt["provider"] for attempt in delivery["attempts"]] == ["good"]


@pytest.mark.parametrize(
    ("tag", "outcome", "scope", "code", "exit_code"),
    [
        ("picky", "refused", "recipient", "7", 1),
        ("locked", "not_sent", "account", "2", 1),
        ("foggy", "unknown", None, None, 3),
    ],
)
def test_each_outcome_has_its_word_and_its_exit_code(
    run: Run, tag: str, outcome: str, scope: str | None, code: str | None, exit_code: int
) -> None:
    """A script can tell *did not go* from *may have gone*."""
    result = run("send", *sms("--tag", tag, "--json"))

    (delivery,) = answer(result)["deliveries"]
    assert exit_code == result.exit_code
    assert (outcome, scope, code) == (delivery["outcome"], delivery["scope"], delivery["code"])
    assert answer(result)["ok"] is False


@pytest.mark.parametrize(
    ("tag", "outcome", "partly", "exit_code"),
    [
        ("both", "refused", True, 6),
        ("fog", "unknown", True, 3),
        ("neither", "not_sent", False, 1),
    ],
)
def test_of_several_legs_one_that_went_never_looks_like_nothing(
    run: Run, tag: str, outcome: str, partly: bool, exit_code: int
) -> None:
    """A script that repeats after 1 must not repeat what has gone; doubt outweighs that."""
    result = run("send", *sms("--tag", tag, "--json"))

    (delivery,) = answer(result)["deliveries"]
    assert exit_code == result.exit_code
    assert (outcome, partly) == (delivery["outcome"], delivery["partly"])


def test_every_leg_is_told_with_its_receipt(run: Run) -> None:
    """What a leg has no receipt for, its last attempt tells."""
    result = run("send", *sms("--tag", "both", "--json"))

    (delivery,) = answer(result)["deliveries"]
    went, refused = delivery["legs"]
    assert went == {
        "channel": "sms",
        "outcome": "accepted",
        "reason": None,
        "scope": None,
        "code": None,
        "provider": "good",
        "provider_id": "P-1",
        "own_id": delivery["attempts"][0]["own_id"],
        "parts": 2,
        "cost": "2.40",
        "currency": "RUB",
        "status": None,
        "given_up": False,
        "late": False,
    }
    assert {"channel": "telegram", "outcome": "refused", "code": "7"}.items() <= refused.items()
    assert (refused["provider"], refused["provider_id"], refused["cost"]) == ("picky", None, None)
    assert refused["own_id"] == delivery["attempts"][1]["own_id"]


def test_a_message_that_went_in_part_is_shown_as_such(run: Run) -> None:
    """Leg by leg, with the warning not to repeat it."""
    shown = run("send", *sms("--tag", "both")).stdout

    assert "partly" in row(shown)
    assert "some of it went. Do not repeat the whole:" in shown
    assert "  sms: accepted by good as P-1" in shown
    assert "  telegram: refused (recipient): no such number" in shown


def test_a_part_in_doubt_is_not_hidden_by_the_part_that_went(run: Run) -> None:
    """Both warnings, and the question to ask."""
    shown = run("send", *sms("--tag", "fog")).stdout

    assert "unknown" in row(shown)
    assert "  sms: accepted by good as P-1" in shown
    assert "notify status --provider foggy --own-id" in shown


@pytest.mark.parametrize(
    ("tag", "other", "exit_code"),
    [
        ("fussy", "+79991234500", 6),
        ("fussy", "+79991234501", 0),
        ("picky", "+79991234500", 1),
    ],
)
def test_of_several_recipients_one_who_was_reached_never_looks_like_nobody(
    run: Run, tag: str, other: str, exit_code: int
) -> None:
    """``fussy`` accepts the first recipient at least, ``picky`` nobody."""
    result = run("send", *sms("--tag", tag, "--to", other))

    assert exit_code == result.exit_code


def test_the_pause_that_a_provider_asks_for_is_told(run: Run) -> None:
    """In each attempt that was not sent; null in the others."""
    (busy,) = answer(run("send", *sms("--tag", "busy", "--json")))["deliveries"]
    (good,) = answer(run("send", *sms("--json")))["deliveries"]

    assert [attempt["retry_after_s"] for attempt in busy["attempts"]] == [30.0]
    assert [attempt["retry_after_s"] for attempt in good["attempts"]] == [None]


def test_a_message_in_doubt_comes_with_the_question_to_ask(run: Run) -> None:
    """The table is followed by the warning and the command that finds out."""
    result = run("send", *sms("--tag", "foggy"))

    assert "Do not send it again" in result.stdout
    assert "notify status --provider foggy --own-id" in result.stdout


def test_a_provider_that_cannot_be_asked_is_no_one_to_ask(run: Run) -> None:
    """Then somebody has to look there."""
    shown = run("send", *sms("--tag", "mute")).stdout

    assert "provider mute cannot be asked; look it up there" in shown
    assert "notify status" not in shown


def test_in_a_narrow_terminal_neither_id_nor_outcome_is_cut(run: Run) -> None:
    """What does not fit into one table stands in two."""
    shape = answer(run("send", *sms("--json", "--tag", "fog")))
    shape["deliveries"][0]["provider_id"] = "e2d4a7b0c3f6918572a4b6c8-1"

    wide, narrow = (shown(report_tables(shape, askable=()), width) for width in (120, 64))

    assert [wide.count("+79…67 "), narrow.count("+79…67 ")] == [1, 2]
    assert all("e2d4a7b0c3f6918572a4b6c8-1" in each for each in (wide, narrow))
    assert all("unknown" in each for each in (wide, narrow))


@pytest.mark.parametrize("tag", ["picky", "locked", "foggy"])
def test_the_table_names_who_was_asked_last(run: Run, tag: str) -> None:
    """Also where nobody accepted the message."""
    assert row(run("send", *sms("--tag", tag)).stdout).split()[1:4] == [tag, "sms", tag]


def test_a_column_that_is_empty_throughout_is_left_out(run: Run) -> None:
    """Room for those that are not."""
    head = run("send", *sms("--tag", "picky")).stdout.splitlines()[0]

    assert head.split() == ["To", "Route", "Channel", "Provider", "Outcome"]


@pytest.mark.parametrize("tag", ["slow", "hasty"])
def test_an_interrupted_send_may_have_gone(run: Run, tag: str) -> None:
    """Ctrl-C in the middle, or a provider that quits, exits like any other doubt."""
    result = run("send", *sms("--tag", tag))

    assert result.exit_code == 3
    assert "do not send it again" in result.stderr
    assert "+79…67" in result.stderr


def test_what_a_provider_prints_stays_out_of_the_json(run: Run) -> None:
    """Standard output holds one document; the rest goes to standard error."""
    result = run("send", *sms("--json"))

    assert answer(result)["ok"] is True
    assert "printed by good" in result.stderr


@pytest.mark.parametrize("tag", ["good", "picky", "locked", "foggy"])
@pytest.mark.parametrize("command", ["send", "explain", "cost"])
def test_neither_text_nor_address_is_shown(run: Run, command: str, tag: str) -> None:
    """Both are the user's own and may stand in a log afterwards."""
    for more in ((), ("--json",)):
        result = run(command, *sms("--tag", tag, *more))

        assert TEXT not in result.output
        assert NUMBER not in result.output
        assert NUMBER[1:] not in result.output


def test_a_table_in_a_pipe_has_no_colours_and_no_control_characters(run: Run) -> None:
    """Also where the reason of a provider holds an escape sequence."""
    result = run("send", *sms("--tag", "locked"))

    assert "not sent" in result.stdout
    assert "\x1b" not in result.output


def test_the_caller_is_warned_of_a_number_that_was_rewritten(run: Run) -> None:
    """In the table and in the JSON."""
    national = ("sms", "--to", "8 999 123-45-67", "--text", TEXT)

    (delivery,) = answer(run("send", *national, "--json"))["deliveries"]
    assert "written otherwise" in delivery["warnings"][0]
    assert "written otherwise" in run("send", *national).stdout


def test_a_provider_that_was_not_tried_is_named_with_the_reason(run: Run) -> None:
    """The first recipient finds out that the account does not work; the second is spared."""
    two = (*sms("--tag", "locked"), "--to", "+79991234568")

    first, second = answer(run("send", *two, "--json"))["deliveries"]
    assert first["skipped"] == []
    assert [skip["provider"] for skip in second["skipped"]] == ["locked"]
    assert "locked was not tried: stopped" in run("send", *two).stdout


# --- cost, explain, status, balance ---------------------------------------------------------


def test_cost_is_told_per_recipient_and_together(run: Run) -> None:
    """Nothing is sent."""
    result = run("cost", *sms("--to", "+79991234568", "--json"))

    assert answer(result)["total"] == "2.40"
    assert answer(result)["estimates"][0] == {
        "recipient": "+79…67",
        "provider": "good",
        "parts": 1,
        "cost": "1.20",
        "currency": "RUB",
    }
    assert "printed by" not in result.output


def test_cost_is_readable(run: Run) -> None:
    result = run("cost", *sms("--to", "+79991234568"))

    assert "good" in result.stdout
    assert "together 2.40" in result.stdout


def test_explain_shows_the_routes_that_were_tried_and_the_plan(run: Run) -> None:
    """Each check with what was wanted and seen, each leg, and those that are left out."""
    result = run("explain", *sms("--tag", "otp", "--priority", "high", "--json"))

    (decision,) = answer(result)["decisions"]
    assert decision["route"] == "code"
    assert decision["considered"][0] == {
        "route": "picky",
        "matched": False,
        "checks": [{"condition": "tags", "wanted": ["picky"], "seen": "otp", "held": False}],
    }
    assert decision["considered"][-1]["matched"] is True
    assert decision["plan"]["deadline_s"] == 90.0
    assert [leg["providers"] for leg in decision["plan"]["legs"]] == [["picky", "good"]]
    assert [leg["channel"] for leg in decision["plan"]["left_out"]] == ["mail"]


def test_explain_is_readable(run: Run) -> None:
    """The words say which conditions held."""
    result = run("explain", *sms("--tag", "otp", "--priority", "high"))

    assert "route code" in result.stdout
    assert "tags holds: wanted otp, is otp; priority holds: wanted high, is high" in result.stdout
    assert "left out: mail" in result.stdout


def test_status_of_several_ids_comes_in_their_order(run: Run) -> None:
    """Ids and addresses belong together pairwise."""
    pairs = ("--id", "A", "--to", NUMBER, "--id", "B", "--to", "a@example.org")
    result = run("status", "--provider", "good", *pairs, "--json")

    first, second = answer(result)["statuses"]
    assert result.exit_code == 0
    assert (first["id"], first["detail"], first["to"]) == ("A", "A", "+79…67")
    assert (second["id"], second["detail"], second["to"]) == ("B", "B", "a…@example.org")
    assert (first["state"], first["final"], first["code"]) == ("delivered", True, "1")


def test_status_can_be_asked_by_our_own_id(run: Run) -> None:
    """After an unknown outcome there is no other."""
    result = run("status", "--provider", "good", "--own-id", "X-1", "--to", NUMBER)

    assert "ours: X-1" in result.stdout


def status_of(run: Run, to: str, provider: str = "phones", **more: Any) -> Result:
    return run("status", "--provider", provider, "--id", "A", "--to", to, "--json", **more)


@pytest.mark.parametrize(
    ("to", "asked"),
    [("8 (999) 123-45-67", NUMBER), ("@somebody", "@somebody"), ("a@b.org", "a@b.org")],
)
def test_status_reads_a_number_as_send_does(run: Run, to: str, asked: str) -> None:
    """The fake tells in ``error`` whom it was asked about."""
    (status,) = answer(status_of(run, to))["statuses"]

    assert status["error"] == asked


@pytest.mark.parametrize("provider", ["phones", "good"])
def test_a_number_that_cannot_be_read_is_wrong_usage(
    run: Run, tmp_path: Path, provider: str
) -> None:
    """No provider is asked; here it lacks a country."""
    path = tmp_path / "abroad.yaml"
    path.write_text(CONFIG.replace("default_region: RU\n", ""))

    result = status_of(run, "89991234567", provider, config=path)

    assert result.exit_code == 2
    assert "write it as +79991234567" in result.stderr


def test_what_may_be_another_kind_of_address_is_left_as_it_is(run: Run) -> None:
    """``good`` has pagers, which have numbers too."""
    assert status_of(run, "4711", "good").exit_code == 0
    assert status_of(run, "4711", "phones").exit_code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("--id", "A", "--id", "B", "--to", NUMBER),
        ("--id", "A", "--own-id", "B", "--to", NUMBER),
        ("--to", NUMBER),
    ],
)
def test_ids_and_addresses_that_do_not_pair_are_wrong_usage(
    run: Run, arguments: Sequence[str]
) -> None:
    assert run("status", "--provider", "good", *arguments).exit_code == 2


def test_balance_asks_all_that_can_tell_and_tells_who_did_not(run: Run) -> None:
    """One that is silent does not hide the others, but shows in the exit code."""
    result = run("balance", "--json")

    told = {each["provider"]: each for each in answer(result)["accounts"]}
    assert result.exit_code == 5
    assert (told["good"]["balance"], told["good"]["error"]) == ("99.50", None)
    assert (told["silent"]["balance"], told["silent"]["error"]) == (None, "unknown: no answer")


def test_balance_of_one_provider(run: Run) -> None:
    result = run("balance", "good")

    assert result.exit_code == 0
    assert "99.50" in result.stdout
    assert "silent" not in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("cost", "sms", "--to", NUMBER, "--text", "x", "--tag", "silent"),
        ("status", "--provider", "silent", "--id", "1", "--to", NUMBER),
    ],
)
def test_a_question_without_an_answer_exits_5(run: Run, arguments: Sequence[str]) -> None:
    result = run(*arguments, "--json")

    assert result.exit_code == 5
    assert answer(result)["error"]["kind"] == "ProviderError"


@pytest.mark.parametrize("arguments", [("balance", "nobody"), ("status", "--provider", "nobody")])
def test_a_provider_that_is_not_there_is_wrong_usage(run: Run, arguments: Sequence[str]) -> None:
    result = run(*arguments, *(("--id", "1", "--to", NUMBER) if len(arguments) > 2 else ()))

    assert result.exit_code == 2
    assert "known: good" in result.stderr


# --- providers, config check ----------------------------------------------------------------


def test_providers_shows_what_is_configured_and_installed(run: Run) -> None:
    result = run("providers", "--json")

    first = answer(result)["providers"][0]
    assert (first["name"], first["type"]) == ("good", "fake")
    assert "sms" in first["channels"]
    assert first["capabilities"]["balance"] is True
    assert first["health"] == {"state": "ok", "failures": 0, "reason": None}
    assert answer(result)["types"] == ["fake"]


def test_providers_is_readable(run: Run, plugins: Plugins) -> None:
    """With what each can do, and the plugins that failed."""
    plugins.failures.append(PluginError("broken", "cannot be imported"))

    result = run("providers")

    assert "own id, cost, balance, attachments" in result.stdout
    assert "installed types: fake" in result.stdout
    assert "failed: plugin 'broken': cannot be imported" in result.stdout


def test_providers_needs_no_configuration_to_show_the_types(
    plugins: Plugins, tmp_path: Path
) -> None:
    """But one that is named must be there."""
    runner, app = CliRunner(), make_app(plugins)

    with contextlib.chdir(tmp_path):
        looking = runner.invoke(app, ["providers", "--json"])
        named = runner.invoke(app, ["providers", "--config", "absent.yaml"])

    assert answer(looking)["types"] == ["fake"]
    assert answer(looking)["providers"] == []
    assert named.exit_code == 4


def test_a_provider_that_cannot_be_made_is_a_mistake_of_the_configuration(
    run: Run, tmp_path: Path
) -> None:
    """A file that it names is missing, for example."""
    path = tmp_path / "bad.yaml"
    path.write_text(CONFIG.replace("sends: refused", "sends: impossible"))

    result = run("config", "check", str(path))

    assert result.exit_code == 4
    assert "No such file" in result.stderr


def test_config_check_counts_what_is_right(run: Run, config: Path) -> None:
    result = run("config", "check", str(config))

    assert result.exit_code == 0
    assert result.stdout == "OK: 11 providers, 14 routes\n"


def test_config_check_shows_every_problem_with_its_line(run: Run, tmp_path: Path) -> None:
    """In words with the line of the file below each, in JSON as values."""
    bad = tmp_path / "bad.yaml"
    bad.write_text(CONFIG.replace("type: fake", "typ: fake", 1).replace("via: good", "via: god"))

    in_words = run("config", "check", str(bad))
    as_json = run("config", "check", str(bad), "--json")

    problems = answer(as_json)["error"]["problems"]
    assert in_words.exit_code == as_json.exit_code == 4
    assert in_words.stderr.count("error: ") == len(problems) >= 3
    assert len(in_words.stderr.splitlines()) == 3 * len(problems)
    assert f"error: {bad}:5:" in in_words.stderr
    assert {"file", "line", "column", "path", "message"} == problems[0].keys()


def test_a_configuration_that_is_missing_exits_4(run: Run, tmp_path: Path) -> None:
    result = run("send", *sms(), config=tmp_path / "absent.yaml")

    assert result.exit_code == 4
    assert "absent.yaml" in result.stderr


# --- errors ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("send", "pigeon", "--to", NUMBER), "'pigeon' is not a channel; known: binary"),
        (("send", "--to", NUMBER), "the channel is missing; known: binary"),
        (("send", "sms", "--to", NUMBER), "sms needs text"),
        (("send", *sms("--subject", "Hi")), "sms has no subject; it has to, sender"),
        (("send", "sms", "--text", "x"), "no recipient; give --to"),
        (("send", "sms", "--to", "12", "--text", "x"), "cannot be a phone number"),
        (("send", "mms", "--to", NUMBER, "--text", "x"), "has no channel mms"),
    ],
)
def test_a_message_that_cannot_be_sent_exits_2_and_says_why(
    run: Run, arguments: Sequence[str], says: str
) -> None:
    result = run(*arguments)

    assert result.exit_code == 2
    assert says in result.stderr
    assert result.stdout == ""


def test_wrong_usage_is_told_as_json_too(run: Run) -> None:
    result = run("send", "--frobnicate", "--json")

    assert result.exit_code == 2
    assert answer(result)["error"]["kind"] == "UsageError"
    assert "frobnicate" in result.stderr


# --- commands of plugins --------------------------------------------------------------------


class Failing:
    @hookimpl
    def notify_cli_commands(self) -> None:
        raise RuntimeError("out of order")


def test_a_plugin_brings_a_command(run: Run) -> None:
    assert run("hello").stdout == "hello from a plugin\n"


def test_a_plugin_cannot_take_the_name_of_another_command(
    run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    """The command of the core stays, and the plugin is named in the log."""
    assert "not the real send" not in run("send", *sms()).output
    assert "hello" in run("--help").stdout
    assert "plugin fakes: there is a command 'send' already" in caplog.text


def test_a_plugin_whose_commands_fail_takes_no_other_along(
    run: Run, plugins: Plugins, caplog: pytest.LogCaptureFixture
) -> None:
    plugins.register(Failing(), "failing")

    assert run("hello").exit_code == 0
    assert run("--help").exit_code == 0
    assert "plugin failing: its commands are missing" in caplog.text


def test_help_lists_the_exit_codes(run: Run) -> None:
    shown = run("--help").stdout

    assert "3  unknown: it may have gone, do NOT send it again" in shown
    assert [f"  {code.value}  " in shown for code in Exit] == [True] * len(Exit)
