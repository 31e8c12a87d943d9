"""The command line as a process: how fast it says its version, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

CONFIG = """
version: 1
plugins: [cli_fakes]
providers:
  good: {type: fake}
  foggy: {type: fake, sends: unknown}
routes:
  - {name: foggy, when: {tags: foggy}, send: {via: foggy}}
  - {name: default, send: {via: good}}
"""

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run Python with the core and the plugin of the tests in its path."""
    (tmp_path / "notify.yaml").write_text(CONFIG)

    def python(*arguments: str, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        environ = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}", **more}
        return subprocess.run(
            [sys.executable, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=tmp_path,
            env=environ,
            timeout=60,
            check=False,
        )

    return python


_MODULES = """
import sys
before = set(sys.modules)
sys.argv = ["notify", "--version"]
from notify_core.cli import main
main()
print(*sorted(set(sys.modules) - before))
"""


def test_the_version_is_told_before_anything_else_is_imported(run: Run) -> None:
    """Of the framework only what holds the version; no click, no attrs, no metadata."""
    result = run("-c", _MODULES)

    version, modules = result.stdout.splitlines()
    ours = {name for name in modules.split() if name.startswith("notify_core")}
    assert version.startswith("notify ")
    assert ours == {"notify_core", "notify_core._version", "notify_core.cli"}
    assert not {"click", "rich", "attr", "attrs", "importlib.metadata"} & set(modules.split())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
@pytest.mark.parametrize(("tags", "code"), [((), 0), (("--tag", "foggy"), 3)])
def test_an_answer_that_cannot_be_written_does_not_hide_what_became_of_the_message(
    tmp_path: Path, tags: tuple[str, ...], code: int
) -> None:
    """A script would take 1 for *nothing went* and send again."""
    (tmp_path / "notify.yaml").write_text(CONFIG)
    command = ["-m", "notify_core.cli", "send", "sms", "--to", "+79991234567", "--text", "x"]
    environ = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}

    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, *command, *tags],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env=environ,
            check=False,
        )

    assert done.returncode == code
    assert "error: the answer cannot be written: No space left on device" in done.stderr


def test_the_missing_extra_is_named_in_one_line(run: Run, tmp_path: Path) -> None:
    """Without click and rich there is no traceback, and the version is told all the same."""
    (tmp_path / "click.py").write_text("raise ModuleNotFoundError('no click', name='click')")
    path = f"{tmp_path}{os.pathsep}{ROOT}"

    command = run("-m", "notify_core.cli", "providers", PYTHONPATH=path)
    version = run("-m", "notify_core.cli", "--version", PYTHONPATH=path)

    assert command.returncode == 4
    assert command.stderr == "error: the command line needs: pip install 'notify-core[cli]'\n"
    assert version.returncode == 0


def test_a_plugin_named_in_the_configuration_is_enough_to_send(run: Run) -> None:
    """The whole way, text on standard input and JSON on standard output."""
    result = run(
        *("-m", "notify_core.cli", "send", "sms", "--to", "+79991234567"),
        *("--text-file", "-", "--json"),
        stdin="Привет\n",
    )

    assert result.returncode == 0
    assert json.loads(result.stdout)["deliveries"][0]["provider_id"] == "P-1"


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        ("send sms --to +79991234567 --text x --tag foggy", 3),
        ("send sms --to +7999 --text x", 2),
        ("send", 2),
        ("frobnicate", 2),
        ("send sms --config absent.yaml --to +79991234567 --text x", 4),
        ("config check notify.yaml", 0),
        ("--help", 0),
    ],
)
def test_a_process_ends_with_its_exit_code_and_without_a_traceback(
    run: Run, arguments: str, exit_code: int
) -> None:
    result = run("-m", "notify_core.cli", *arguments.split())

    assert exit_code == result.returncode
    assert "Traceback" not in result.stderr


def test_a_terminal_that_lacks_characters_spoils_nothing(run: Run) -> None:
    """The masked address has a character that ASCII has not."""
    result = run(
        *("-m", "notify_core.cli", "send", "sms", "--to", "+79991234567", "--text", "x"),
        PYTHONIOENCODING="ascii",
    )

    assert result.returncode == 0
    assert "accepted" in result.stdout


def test_an_answer_that_nobody_reads_does_not_change_the_exit_code(run: Run) -> None:
    """``notify send … | head -0`` must not look like *not sent*."""
    program = (
        "import os, subprocess, sys\n"
        "reading, writing = os.pipe()\n"
        "os.close(reading)\n"
        "command = [sys.executable, '-m', 'notify_core.cli', *sys.argv[1:]]\n"
        "sys.exit(subprocess.run(command, stdout=writing).returncode)\n"
    )
    message = ("sms", "--to", "+79991234567", "--text", "x", "--tag")

    for more in ((), ("--json",)):
        assert run("-c", program, "send", *message, "clear", *more).returncode == 0
        assert run("-c", program, "send", *message, "foggy", *more).returncode == 3
