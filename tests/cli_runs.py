"""Run the command line in this process, with the plugin of the tests and a journal."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from click.testing import CliRunner, Result

from notify_core import Notifier, Plugins
from notify_core.cli.app import make_app
from tests import cli_fakes

NUMBER = "+79991234567"
OTHER = "+79991234568"
TEXT = "the words of the message"

CONFIG = """
version: 1
plugins: [cli_fakes]
default_region: RU
journal: sqlite:///notify.db
providers:
  good: {type: fake, prints: true}
  picky: {type: fake, sends: refused}
  locked: {type: fake, sends: not_sent}
  mute: {type: fake, sends: unknown}
  foggy: {type: fake, sends: unknown, askable: true, answers: false}
  clear: {type: fake, sends: unknown, askable: true}
  busy: {type: fake, sends: throttled}
  slow: {type: fake, takes_s: 0.7}
routes:
  - {name: picky, when: {tags: picky}, send: {via: picky}}
  - {name: locked, when: {tags: locked}, send: {via: locked}}
  - {name: mute, when: {tags: mute}, send: {via: mute}}
  - {name: foggy, when: {tags: foggy}, send: {via: foggy}}
  - {name: clear, when: {tags: clear}, send: {via: clear}}
  - {name: busy, when: {tags: busy}, send: {via: busy}}
  - {name: slow, when: {tags: slow}, send: {via: slow}}
  - name: both
    when: {tags: both}
    send: {all_of: [{channel: sms, via: good}, {channel: telegram, via: busy}]}
  - name: twice
    when: {tags: twice}
    send: {first_of: [{channel: telegram, via: picky}, {channel: sms, via: good}]}
  - {name: default, send: {via: good}}
"""

Run: TypeAlias = Callable[..., Result]


def plugins() -> Plugins:
    found = Plugins()
    found.register(cli_fakes, "cli_fakes")
    return found


def runner(folder: Path, text: str = CONFIG) -> Run:
    """Write the configuration, and return what runs a command with it."""
    config = folder / "notify.yaml"
    config.write_text(text)

    def run(*arguments: str) -> Result:
        environ = {"NOTIFY_CONFIG": str(config)}
        return CliRunner().invoke(make_app(plugins()), arguments, env=environ)

    return run


def notifier(folder: Path) -> Notifier:
    """Return a notifier on the same configuration, as an application has one."""
    return Notifier.from_file(folder / "notify.yaml", plugins=plugins())


def answer(result: Result) -> Any:
    """Read the JSON on standard output, which must hold nothing else."""
    return json.loads(result.stdout)


def sms(*more: str, tag: str | None = None, to: str = NUMBER) -> Sequence[str]:
    tags = () if tag is None else ("--tag", tag)
    return ("send", "sms", "--to", to, "--text", TEXT, *tags, *more)


def sent(run: Run, *more: str, **which: Any) -> str:
    """Send a message; return the id of its delivery."""
    (delivery,) = answer(run(*sms(*more, "--json", **which)))["deliveries"]
    return str(delivery["id"])


def enqueued(run: Run, *more: str, **which: Any) -> str:
    """Enqueue a message; return the id of its delivery."""
    (delivery,) = answer(run(*sms(*more, "--enqueue", "--json", **which)))["enqueued"]
    return str(delivery["id"])
