"""The emulator as a whole: its thread, its ports, its command."""

import json
import os
import signal
import smtplib
import ssl
import subprocess
import sys

import pluggy
import pytest
import requests
import trustme
from click.testing import CliRunner

import notify_smsc_emulator
from notify_core import PluginError, hookspecs
from notify_smsc_emulator import (
    CallbackReceiver,
    Emulator,
    ManualClock,
    Place,
    Settings,
    plugin,
)
from notify_smsc_emulator.cli import emulator as command

PARAMS = {"login": "test", "psw": "test", "phones": "79990000001", "mes": "a"}


def test_it_listens_on_loopback_only_on_ports_of_the_systems_choice() -> None:
    with Emulator() as one, Emulator() as other:
        hosts = {one.host, other.host}
        assert len(hosts) == 2
        assert all(host.startswith("127.0.0.1:") for host in hosts)


def test_it_tells_what_it_has_seen_after_it_has_stopped() -> None:
    with Emulator() as stopped:
        requests.post(f"{stopped.url}/sys/send.php", data=PARAMS, timeout=10)
    assert (len(stopped.caught()), len(stopped.requests())) == (1, 1)


def test_outside_a_with_block_it_has_no_address() -> None:
    with pytest.raises(RuntimeError, match="with block"):
        _ = Emulator().url


def test_a_port_that_is_taken_is_an_error_of_the_start(gateway: Emulator) -> None:
    with pytest.raises(OSError, match="address already in use"):
        Emulator(http_port=gateway.http_port).__enter__()


def test_a_request_is_seen_in_full(gateway: Emulator) -> None:
    url = f"{gateway.url}/sys/send.php?a=1&&a=2"
    requests.post(url, data={"b": "3"}, headers={"Host": "smsc.ru"}, timeout=10)
    [seen] = gateway.requests()
    assert (seen.method, seen.path, seen.host) == ("POST", "/sys/send.php", "smsc.ru")
    assert [(param.name, param.value, param.place) for param in seen.params] == [
        ("a", "1", Place.QUERY),
        ("a", "2", Place.QUERY),
        ("b", "3", Place.BODY),
    ]


def test_with_real_time_statuses_advance_by_themselves() -> None:
    settings = Settings(hand_over_s=0, delivery_s=0)
    with Emulator(settings) as gateway:
        requests.post(f"{gateway.url}/sys/send.php", data=PARAMS, timeout=10)
        assert [message.status for message in gateway.caught()] == [1]


def test_real_time_can_be_advanced_too() -> None:
    with Emulator() as gateway:
        requests.post(f"{gateway.url}/sys/send.php", data=PARAMS, timeout=10)
        gateway.advance(60)
        assert [message.status for message in gateway.caught()] == [1]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


def test_with_a_certificate_it_speaks_https(authority: trustme.CA, tls: ssl.SSLContext) -> None:
    with authority.cert_pem.tempfile() as trusted, Emulator(tls=tls) as gateway:
        answer = requests.post(
            f"{gateway.url}/sys/send.php", data=PARAMS, verify=trusted, timeout=10
        )
    assert answer.text == "OK - 1 SMS, ID - 1"


def test_with_a_certificate_it_offers_starttls(authority: trustme.CA, tls: ssl.SSLContext) -> None:
    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)
    with (
        Emulator(tls=tls, clock=ManualClock()) as gateway,
        smtplib.SMTP("localhost", gateway.smtp_port, timeout=10) as server,
    ):
        server.starttls(context=trusted)
        server.sendmail("a@b.example", "send@send.smsc.ru", b"\r\ntest:test:::,,:79990000001:a")
        assert len(gateway.caught()) == 1


def test_the_plugin_brings_the_command() -> None:
    manager = pluggy.PluginManager("notify")
    manager.add_hookspecs(hookspecs)
    manager.register(plugin)
    manager.check_pending()
    [commands] = manager.hook.notify_cli_commands()
    assert command in commands


def start(*options: str) -> "subprocess.Popen[str]":
    """Start the command in a process of its own, on ports of the system's choice."""
    program = "from notify_smsc_emulator.cli import emulator; emulator()"
    return subprocess.Popen(
        [sys.executable, "-c", program, "--http-port", "0", "--smtp-port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def test_the_command_says_where_things_are_and_runs_until_interrupted() -> None:
    with start("--login", "bob", "--balance", "1.50") as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(7)]
        page = requests.get(lines[0].split()[1], timeout=10)
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
    assert (lines[3], "balance 1.50" in page.text) == ("login     bob, password test\n", True)
    assert (rest, process.returncode) == ("stopped\n", 0)


def test_in_json_the_command_prints_one_line_and_no_secret() -> None:
    callback = "http://127.0.0.1:1/in?secret=hidden"
    options = ("--password", "hidden", "--api-key", "hidden", "--callback-url", callback)
    with start("--json", *options) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        told = json.loads(line)
        page = requests.get(told["page"], timeout=10)
        with smtplib.SMTP(told["host"], told["smtp_port"], timeout=10) as server:
            greeted, _ = server.noop()
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
    assert (page.status_code, greeted) == (200, 250)
    assert told["gateway"] == f"http://127.0.0.1:{told['http_port']}/sys/send.php"
    assert (told["callback_url"], "hidden" in line) == ("http://127.0.0.1:1/in", False)
    assert told["credentials"] == ["login", "password", "api_key"]
    assert (rest, process.returncode) == ("", 0)


def test_the_command_takes_addresses_of_handlers_and_a_speed(handler: CallbackReceiver) -> None:
    urls = ("--callback-url", handler.url(), "--incoming-url", handler.url())
    with start("--json", *urls, "--calls-url", handler.url(), "--speed", "1000") as process:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        requests.post(f"{url}/sys/send.php", data=PARAMS, timeout=10)
        requests.post(f"{url}/sys/wait_call.php", data=PARAMS | {"phone": "1"}, timeout=10)
        incoming = '{"phone": "1", "text": "a", "to": "2"}'
        # As curl -d does it: JSON that is called a form.
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        told = requests.post(
            f"{url}/_emulator/incoming", data=incoming, headers=headers, timeout=10
        )
        requests.post(f"{url}/_emulator/calls", json={"phone": "1"}, timeout=10)
        requests.post(f"{url}/_emulator/clock", json={"advance": 60}, timeout=10)
        process.send_signal(signal.SIGINT)
    assert told.json()["text"] == "a"
    signs = {"status", "mes", "waitcall"}
    assert signs == {name for call in handler.calls for name in call.form()} & signs


def test_a_port_that_is_taken_is_told_with_the_way_out(gateway: Emulator) -> None:
    port = str(gateway.http_port)
    result = CliRunner().invoke(command, ["--http-port", port, "--smtp-port", "0", "--json"])
    assert isinstance(result.exception, PluginError)
    assert port in str(result.exception)
    assert "--http-port 0" in str(result.exception)


def test_an_amount_that_is_none_is_refused_by_the_command() -> None:
    result = CliRunner().invoke(command, ["--balance", "much"])
    assert (result.exit_code, "'much' is not an amount" in result.output) == (2, True)


@pytest.mark.parametrize("option", ["--callback-url", "--incoming-url", "--calls-url"])
def test_an_address_that_is_none_is_refused_by_the_command(option: str) -> None:
    result = CliRunner().invoke(command, [option, "hooks.example.org/in?sha1=hidden"])
    assert (result.exit_code, option in result.output) == (2, True)
    assert "it is no address; write one like http://" in result.output
    assert "hidden" not in result.output


def test_what_is_public_is_sorted_and_there() -> None:
    names = notify_smsc_emulator.__all__
    assert names == [name for name in names if hasattr(notify_smsc_emulator, name)]
