"""``notify demo``: what it shows is true, and it would notice if it were not."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest
from click.testing import CliRunner

import notify_console
from notify_core import Plugins, State
from notify_core.cli.app import make_app
from notify_core.config.load import loads
from notify_core.message import MESSAGE_TYPES
from notify_smsc import plugin as smsc
from notify_smsc_emulator import Emulator, Settings
from notify_smsc_emulator import plugin as emulator
from notify_smsc_emulator.demo import configuration, run
from notify_smsc_emulator.demo_scenarios import Ending

ROOT = Path(__file__).parents[1]
FREE_PORTS = ("--http-port", "0", "--smtp-port", "0")
ENTRY_POINTS = """
[notify.plugins]
console = notify_console
smsc = notify_smsc.plugin
smsc-emulator = notify_smsc_emulator.plugin
"""

Story = Mapping[str, Any]


def make_plugins() -> Plugins:
    plugins = Plugins()
    for name, module in (("console", notify_console), ("smsc", smsc), ("emulator", emulator)):
        plugins.register(module, name)
    return plugins


@pytest.fixture(scope="module")
def shown() -> Story:
    """Run the whole demo once and return its JSON."""
    result = CliRunner().invoke(make_app(make_plugins()), ["demo", "--json", *FREE_PORTS])
    assert result.exit_code == 0, result.output
    story: Story = json.loads(result.stdout)
    return story


@pytest.fixture(scope="module")
def endings() -> list[Ending]:
    """Run it once more, for the endings themselves."""
    with Emulator() as gateway:
        return run(gateway, configuration(gateway.http_port, gateway.smtp_port), make_plugins())


def titled(shown: Story, beginning: str) -> Story:
    (found,) = (each for each in shown["scenarios"] if each["title"].startswith(beginning))
    scenario: Story = found
    return scenario


def test_every_channel_of_the_core_goes_over_http(shown: Story) -> None:
    """Each is accepted by the gateway, caught there once, and delivered."""
    over_http = [each for each in shown["scenarios"] if each["delivery"]["provider"] == "smsc"]

    assert {kind.channel for kind in MESSAGE_TYPES} == {
        each["delivery"]["channel"] for each in over_http
    }
    assert all(each["caught"] == 1 for each in over_http)
    assert {"delivered"} == {each["delivery"]["status"]["state"] for each in over_http}


def test_letters_are_followed_like_requests(shown: Story) -> None:
    """No id comes back from a mail server; the status is asked by our own."""
    letters = [each for each in shown["scenarios"] if each["delivery"]["route"] == "letters"]

    assert {"sms", "flash", "call", "mail"} == {each["delivery"]["channel"] for each in letters}
    assert {None} == {each["delivery"]["provider_id"] for each in letters}
    assert {"delivered"} == {each["delivery"]["status"]["state"] for each in letters}


def test_the_second_provider_is_taken_when_the_first_is_out_of_reach(shown: Story) -> None:
    attempts = titled(shown, "first provider out of reach")["delivery"]["attempts"]

    assert [(attempt["provider"], attempt["outcome"]) for attempt in attempts] == [
        ("out-of-reach", "not_sent"),
        ("backup", "accepted"),
    ]


def test_the_second_channel_is_taken_when_the_recipient_is_refused(shown: Story) -> None:
    attempts = titled(shown, "no such Telegram account")["delivery"]["attempts"]

    assert [(attempt["channel"], attempt["outcome"], attempt["scope"]) for attempt in attempts] == [
        ("telegram", "refused", "recipient"),
        ("sms", "accepted", None),
    ]


def test_a_lost_answer_is_resolved_without_a_second_message(shown: Story) -> None:
    scenario = titled(shown, "answer lost")
    (attempt,) = scenario["delivery"]["attempts"]

    assert (attempt["answer"]["outcome"], attempt["outcome"]) == ("unknown", "accepted")
    assert scenario["caught"] == 1


def test_a_request_that_certainly_did_not_arrive_is_sent_again(shown: Story) -> None:
    scenario = titled(shown, "request lost")
    first, second = scenario["delivery"]["attempts"]

    assert (first["answer"]["outcome"], first["outcome"]) == ("unknown", "not_sent")
    assert second["outcome"] == "accepted"
    assert scenario["caught"] == 1


def test_what_nobody_can_tell_is_held(shown: Story) -> None:
    scenario = titled(shown, "answers lost for good")

    assert scenario["delivery"]["outcome"] == "unknown"
    assert len(scenario["delivery"]["attempts"]) == 1
    assert scenario["caught"] == 1


def test_all_is_as_it_must_be(endings: list[Ending]) -> None:
    assert {ending.scenario.title: ending.surprises for ending in endings if ending.surprises} == {}


@pytest.mark.parametrize(
    "wrong",
    [
        {"route": "another"},
        {"channel": "mms"},
        {"provider": "another"},
        {"outcome": "refused"},
        {"state": State.READ},
        {"caught": 2},
        {"attempts": 9},
        {"resolved": True},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_an_ending_that_must_not_be_is_noticed(
    endings: list[Ending], wrong: Mapping[str, Any]
) -> None:
    """Every expectation counts."""
    ending = attrs.evolve(endings[0], scenario=attrs.evolve(endings[0].scenario, **wrong))

    (surprise,) = ending.surprises
    assert surprise.startswith(next(iter(wrong)))


def test_the_configuration_fits_an_emulator_as_it_starts_by_itself() -> None:
    """``notify emulator`` and ``notify send --config demo.yaml`` go together as they are."""
    text = configuration(8025, 2525)
    usual = Settings()

    assert loads(text, "demo.yaml", make_plugins(), {}).providers
    assert f"login: {usual.login}\n" in text
    assert f"password: {usual.password}\n" in text
    assert f"api_key: {usual.api_key}\n" in text


def test_a_port_that_is_taken_is_told_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        arguments = ["demo", "--http-port", port, "--smtp-port", "0"]
        result = CliRunner().invoke(make_app(make_plugins()), arguments)

    assert result.exit_code == 4
    assert port in result.stderr
    assert "--http-port" in result.stderr


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "demo.yaml"
    path.write_text("precious")
    arguments = ["demo", *FREE_PORTS, "--write-config", str(path)]

    result = CliRunner().invoke(make_app(make_plugins()), arguments)

    assert result.exit_code == 2
    assert path.read_text() == "precious"


def test_staying_on_other_ports_needs_a_configuration_that_says_so() -> None:
    result = CliRunner().invoke(make_app(make_plugins()), ["demo", *FREE_PORTS, "--stay"])

    assert result.exit_code == 2
    assert "--write-config" in result.stderr


# --- as processes ---------------------------------------------------------------------------


@pytest.fixture
def environ(tmp_path: Path) -> Mapping[str, str]:
    """Make an environment in which the plugins of this checkout are installed."""
    installed = tmp_path / "checkout-1.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: checkout\nVersion: 1\n")
    (installed / "entry_points.txt").write_text(ENTRY_POINTS)
    folders = (ROOT, *sorted((ROOT / "plugins").iterdir()), tmp_path)
    return {**os.environ, "PYTHONPATH": os.pathsep.join(str(folder) for folder in folders)}


@pytest.fixture
def staying(tmp_path: Path, environ: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Run ``notify demo --stay`` in a process of its own, up to where it waits."""
    command = [*notify("demo", "--stay", *FREE_PORTS), "--write-config", "demo.yaml"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, encoding="utf-8", cwd=tmp_path, env=environ
    ) as process:
        assert process.stdout is not None
        while "Ctrl-C stops it." not in process.stdout.readline():
            assert process.poll() is None
        yield process
        process.kill()


def notify(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "notify_core.cli", *arguments]


def test_it_stays_for_another_terminal(
    staying: subprocess.Popen[str], tmp_path: Path, environ: Mapping[str, str]
) -> None:
    """The written configuration sends to the emulator that stays, until Ctrl-C."""
    arguments = ("sms", "--to", "+79991234567", "--text", "Hello", "--config", "demo.yaml")
    sent = subprocess.run(notify("send", *arguments), cwd=tmp_path, env=environ, check=False)
    staying.send_signal(signal.SIGINT)

    assert sent.returncode == 0
    assert staying.wait(timeout=10) == 0
