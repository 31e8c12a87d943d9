"""A page of steps, replayed: its files are written, its commands run, their output compared.

    python -m tests.tutorial            say where the operators' tutorial is out of date
    python -m tests.tutorial --write    write what the commands print now into the page

In a page there are, in the order in which they are replayed,

    **`name`** and a block          the whole of a file
    **`name`** and a block of diff  a change of it: lines with - go, with + come, others are there
    a block of console              after each $ a command, and below it what it prints
    a block of log                  what ``notify worker &`` logs of a file that has changed

What differs from run to run is made the same in one place, ``Names``. All else is as it is.
"""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import tomllib
from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint
from pathlib import Path

import attrs
from click.testing import CliRunner

from notify_core import Plugins
from notify_core.cli.app import make_app
from notify_smsc_emulator import Emulator, ManualClock, Settings

ROOT = Path(__file__).parents[1]
TUTORIAL = ROOT / "docs" / "operators-tutorial.md"

_STEP = re.compile(
    r"(?:^\*\*`(?P<file>[^`\n]+)`\*\*\n\n)?^```(?P<language>\w+)\n(?P<code>.*?)^```$", re.M | re.S
)
_COMMAND = re.compile(r"^\$ (.+)$", re.M)
_PLAIN = frozenset({"cat", "cp", "mkdir", "touch"})
_PATIENCE_S = 60
_BARE = {"SMSC_API_KEY": None, "NOTIFY_CONFIG": None}  # set on the machine of whoever runs this
_ADDRESS = "127.0.0.1:8025"  # where ``notify emulator`` listens, and where the page has it


class StaleStep(Exception):
    """A step of a page cannot be done: it does not fit what the steps before have left."""


@attrs.define
class Names:
    """What differs from run to run, and what the page has in its place.

    The n-th id of a run is always written as the same one, and understood in a command. Times and
    the address of the emulator are those of the page.
    """

    address: str
    _ids: dict[str, str] = attrs.field(factory=dict)

    def on_page(self, text: str) -> str:
        """Return what was printed as the page has it."""
        text = text.replace(self.address, _ADDRESS)
        text = re.sub(r"\b(?:[0-9a-f]{24}|[0-9a-f]{12})\b", self._id, text)
        text = re.sub(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?", "2026-11-23T09:30:00", text)
        text = re.sub(r"(T09:30:00)[+-]\d{4}\b", r"\1+0000", text)
        return re.sub(r"\bin \d+\.\d\ds", "in 0.05s", text)

    def here(self, text: str) -> str:
        """Return what the page has as it is in this run."""
        text = text.replace(_ADDRESS, self.address)
        for real, written in self._ids.items():
            text = text.replace(written, real)
        return text

    def _id(self, found: re.Match[str]) -> str:
        number = str(len(self._ids)).encode()
        made = hashlib.sha256(number).hexdigest()[: len(found[0])]
        return self._ids.setdefault(found[0], made)


class Worker:
    """``notify worker`` as a process, told by a signal that the files have changed.

    It also looks by itself, but not before it has seen the same twice; that is not waited for here.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "notify_core.cli", "worker", "--no-reload"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=_variables(environment),
        )
        # One that says nothing must not keep a run of the tests waiting.
        self._patience = threading.Timer(_PATIENCE_S, self._process.kill)

    def ready(self) -> str:
        """Return what it says when it has begun to work."""
        return self._line_with("worker ready")

    def reloaded(self) -> str:
        """Have it read the files, and return what it logs of them."""
        self._process.send_signal(signal.SIGHUP)
        return self._line_with(" notify_core.watching: ")

    def _line_with(self, words: str) -> str:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if words in line:
                return line
        raise StaleStep(f"the worker has ended and did not say {words!r}")

    def __enter__(self) -> Worker:
        self._patience.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._patience.cancel()
        # Not asked to end: whether it does so soon is the matter of other tests.
        self._process.kill()
        self._process.communicate()


@attrs.define
class Replay:
    """One reader at one machine: a folder, the variables of the shell, the last exit code."""

    folder: Path
    names: Names
    plugins: Plugins
    stack: contextlib.ExitStack
    environment: dict[str, str] = attrs.field(factory=dict)
    exit_code: int = 0
    worker: Worker | None = None

    def page(self, text: str) -> str:
        """Do all steps of a page, and return it with what its commands print."""
        return _STEP.sub(self._step, text)

    def exit_code_of(self, *command: str) -> int:
        """Run one more command."""
        self._program(*command)
        return self.exit_code

    def _step(self, found: re.Match[str]) -> str:
        if found["file"]:
            self._write(found)
        elif found["language"] == "console":
            return f"```console\n{self._session(found['code'])}```"
        elif found["language"] == "log" and self.worker is not None:
            return f"```log\n{self.names.on_page(self.worker.reloaded())}```"
        return found[0]

    def _write(self, found: re.Match[str]) -> None:
        path = (self.folder / found["file"]).resolve()
        if not path.is_relative_to(self.folder.resolve()):
            raise StaleStep(f"{found['file']} is outside of the folder of the tutorial")
        text = self.names.here(found["code"])
        if found["language"] == "diff":
            text = changed(path.read_text(encoding="utf-8"), text)
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def _session(self, code: str) -> str:
        return "".join(
            f"$ {command}\n{self.names.on_page(self._run(self.names.here(command)))}"
            for command in _COMMAND.findall(code)
        )

    def _run(self, command: str) -> str:
        if command == "echo $?":
            return f"{self.exit_code}\n"
        if command == "notify worker &":
            self.worker = self.stack.enter_context(Worker(self.environment))
            return self.worker.ready()
        command, _, following = command.partition(" | ")
        printed = self._program(*shlex.split(command))
        return _piped(printed, shlex.split(following)) if following else printed

    def _program(self, name: str, *arguments: str) -> str:
        if name == "export":
            self.environment |= dict(argument.split("=", 1) for argument in arguments)
            return ""
        if name == "notify":
            return self._notify(arguments)
        if name == "pytest":
            return self._subprocess(sys.executable, "-m", *_PYTEST, *arguments)
        if name not in _PLAIN:
            raise StaleStep(f"the tutorial has no command {name}")
        return self._subprocess(name, *arguments)

    def _notify(self, arguments: tuple[str, ...]) -> str:
        app, environment = make_app(self.plugins), {**_BARE, **self.environment}
        result = CliRunner().invoke(app, arguments, prog_name="notify", env=environment)
        self.exit_code = result.exit_code
        return _without_blanks(result.output)

    def _subprocess(self, *command: str) -> str:
        environment = _variables({**self.environment, **_TERMINAL})
        ran = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
        )
        self.exit_code = ran.returncode
        return _without_blanks(ran.stdout)


_TERMINAL = {
    "COLUMNS": "80",
    "PY_COLORS": "0",
    "PYTEST_ADDOPTS": "",
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # only ours, whatever else is installed here
}
_PYTEST = ("pytest", "-p", "notify_core.route_tests.pytest_plugin", "-p", "no:cacheprovider")


def _variables(of_the_reader: Mapping[str, str]) -> dict[str, str]:
    here = {name: value for name, value in os.environ.items() if name not in _BARE}
    return {**here, **of_the_reader}


def changed(text: str, diff: str) -> str:
    """Return a text with a change made, whose lines begin with a space, ``-`` or ``+``.

    Parts that do not follow each other are divided by ``@@``.
    """
    for part in re.split(r"^@@.*\n", diff, flags=re.M):
        old = _side(part, " -")
        if text.count(old) != 1:
            raise StaleStep(f"{text.count(old)} places in the file are like\n{old}")
        text = text.replace(old, _side(part, " +"))
    return text


def _side(part: str, signs: str) -> str:
    lines = (line or " \n" for line in part.splitlines(keepends=True))
    return "".join(line[1:] for line in lines if line[0] in signs or line == "\n")


def _piped(text: str, command: list[str]) -> str:
    if command[0] not in {"grep", "head"}:
        raise StaleStep(f"the tutorial pipes nothing into {command[0]}")
    return subprocess.run(command, input=text, stdout=subprocess.PIPE, text=True).stdout


def _without_blanks(text: str) -> str:
    # Tables fill their rows with blanks, which editors take away.
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


@contextlib.contextmanager
def replaying(folder: Path) -> Iterator[Replay]:
    """Hold open what a reader has: an empty folder, and an emulator in a second terminal."""
    settings = Settings(api_key="test-key", rate_rules=False)
    plugins = Plugins.from_entry_points(_entry_points())
    with contextlib.ExitStack() as stack:
        emulator = stack.enter_context(Emulator(settings, clock=ManualClock()))
        stack.enter_context(contextlib.chdir(folder))
        yield Replay(folder, Names(emulator.host), plugins, stack)


def _entry_points() -> Iterator[EntryPoint]:
    # The plugins of this checkout as if they were installed, and no others.
    for project in sorted((ROOT / "plugins").glob("*/pyproject.toml")):
        about = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
        for name, value in about.get("entry-points", {}).get("notify.plugins", {}).items():
            yield EntryPoint(name, value, "notify.plugins")


def main(arguments: list[str]) -> int:
    """Compare the page with what its commands print, or write that into it."""
    page = TUTORIAL.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder, replaying(Path(folder)) as replay:
        fresh = replay.page(page)
    if arguments == ["--write"]:
        TUTORIAL.write_text(fresh, encoding="utf-8")
    elif fresh != page:
        sys.stdout.writelines(difflib.unified_diff(page.splitlines(True), fresh.splitlines(True)))
        print(f"{TUTORIAL.name} is out of date; write it anew: python -m tests.tutorial --write")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
