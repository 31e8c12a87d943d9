"""``notify serve``: what it prints, what it keeps, and how it ends."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner, Result

from notify_core import Capabilities, Plugins, ProviderType, Tools
from notify_core.cli.app import make_app
from tests.callers import CALLS, NEVER_CALLS, Caller

ROOT = Path(__file__).parents[1]
PATIENCE_S = 30.0
CANARY = "canary-secret-8191"

CONFIG = """
version: 1
plugins: [calling]
journal: sqlite:///notify.db
providers:
  smsc: {type: calling}
  other one: {type: calling}
callbacks: {listen: "127.0.0.1:0"}
routes: [{name: default, send: {via: smsc}}]
"""

PLUGIN = """
from notify_core import hookimpl
from tests.test_cli_serve import types

@hookimpl
def notify_provider_types():
    return types()
"""


@attrs.frozen(kw_only=True)
class Settings:
    """Whether it calls at all."""

    calls: bool = True


def types() -> Sequence[ProviderType]:
    return [
        ProviderType(
            name="calling", config_class=Settings, capabilities=_capabilities, factory=_caller
        )
    ]


def _capabilities(settings: Settings) -> Capabilities:
    return CALLS if settings.calls else NEVER_CALLS


def _caller(settings: Settings, _tools: Tools) -> Caller:
    return Caller(_capabilities(settings))


def prepared(folder: Path, text: str = CONFIG) -> Path:
    (folder / "calling.py").write_text(PLUGIN)
    (folder / "notify.yaml").write_text(text)
    return folder / "notify.yaml"


def run(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(make_app(Plugins()), ["serve", "--config", str(config), *arguments])


# --- as a process ---------------------------------------------------------------------------


@contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run the command in the folder until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "notify_core.cli", "serve", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    slow = threading.Timer(PATIENCE_S, process.kill)
    with process:
        try:
            slow.start()
            yield process
        finally:
            slow.cancel()
            process.kill()


def addresses(process: subprocess.Popen[str]) -> dict[str, str]:
    """Wait until it is ready; return the address of each provider."""
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(3)]
    assert re.fullmatch(r"listening on http://127\.0\.0\.1:\d+\n", lines[0]), lines
    return dict(re.findall(r"^  (.+): (http:.+)$", "".join(lines), re.M))


def status_of(address: str, body: bytes) -> int:
    with urllib.request.urlopen(address, body, PATIENCE_S) as response:
        return int(response.status)


def calls_in(folder: Path) -> list[tuple[str, str | None]]:
    """Return the calls in the journal: of which provider, and what came of each."""
    with closing(sqlite3.connect(folder / "notify.db")) as connection:
        found = connection.execute("SELECT provider, result FROM notify_calls ORDER BY id")
        return found.fetchall()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_keeps_calls_until_it_is_told_to_stop(tmp_path: Path, number: signal.Signals) -> None:
    """It says where; a worker elsewhere understands them. No line of it holds a query."""
    prepared(tmp_path)
    with serving(tmp_path, "--verbose") as process:
        found = addresses(process)
        address = f"{found['other one']}?md5={CANARY}"
        assert status_of(address, b"sig=good") == 200
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE_S)

    assert list(found) == ["smsc", "other one"]
    assert found["other one"].endswith("/other%20one")
    assert (process.returncode, out) == (0, "stopped listening\n")
    assert CANARY not in out + err
    assert calls_in(tmp_path) == [("other one", None)]


def test_with_a_worker_calls_are_understood_at_once(tmp_path: Path) -> None:
    prepared(tmp_path)
    with serving(tmp_path, "--with-worker") as process:
        address = addresses(process)["smsc"]
        assert status_of(address, b"sig=bad") == 200
        assert status_of(address, b"sig=good") == 200
        wait_until(lambda: calls_in(tmp_path) == [("smsc", "refused: the signature does not fit")])
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 0


def test_what_was_answered_survives_the_death_of_the_server(tmp_path: Path) -> None:
    """It is killed as soon as the answer is there."""
    prepared(tmp_path)
    with serving(tmp_path) as process:
        address = addresses(process)["smsc"]
        for number in range(5):
            assert status_of(address, f"sig=good&n={number}".encode()) == 200
        process.kill()
        process.communicate()

    assert len(calls_in(tmp_path)) == 5


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)


# --- what it refuses ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "arguments", "code", "words"),
    [
        (CONFIG, ["--listen", "8480"], 2, 'Error: --listen is "8480"; it must be an address'),
        (CONFIG, ["--threads", "0"], 2, "Error: Invalid value for '--threads'"),
        (
            CONFIG.replace("{type: calling}", "{type: calling, calls: false}"),
            [],
            4,
            "error: notify serve: providers: no provider here ever calls",
        ),
        (
            CONFIG.replace("journal: sqlite:///notify.db", "").replace(
                "callbacks:", "worker: {}\n#"
            ),
            [],
            8,
            "error: taking calls in needs a journal",
        ),
        (
            CONFIG,
            ["--listen", "192.0.2.1:1"],
            4,
            "error: notify serve: callbacks.listen: 192.0.2.1:1 cannot be listened on: ",
        ),
    ],
)
def test_what_cannot_be_served_is_told(
    tmp_path: Path, text: str, arguments: Sequence[str], code: int, words: str
) -> None:
    result = run(prepared(tmp_path, text), *arguments)

    assert (result.exit_code, words in result.stderr) == (code, True), result.stderr


WITHOUT_WAITRESS = """
import sys
sys.modules["waitress"] = None
from notify_core.cli import main
sys.argv = ["notify", "serve"]
main()
"""


def test_without_waitress_it_says_what_to_install(tmp_path: Path) -> None:
    """The package is needed for this alone."""
    prepared(tmp_path)
    result = subprocess.run(
        [sys.executable, "-c", WITHOUT_WAITRESS],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=PATIENCE_S,
        check=False,
    )

    assert result.returncode == 4
    assert result.stderr.endswith(
        "waitress is needed; install it: pip install 'notify-core[server]'\n"
    )
