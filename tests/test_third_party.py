"""A provider plugin of somebody else: its own folder, its own channel, only notify-core needed."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

PYPROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "notify-pager"
version = "1.0"
dependencies = ["notify-core"]

[project.entry-points."notify.plugins"]
pager = "notify_pager"

[tool.hatch.build.targets.wheel]
packages = ["notify_pager"]
"""

PLUGIN = '''
"""Sends to pagers: a new channel, a new kind of address and a new provider type."""

import attrs

from notify_core import (
    Accepted, Capabilities, Message, ProviderType, Receipt, Refused, RefusalScope, hookimpl,
)


@attrs.frozen(kw_only=True, repr=False, eq=False)
class Page(Message):
    channel = "page"
    address_kinds = ("pager",)

    digits: str


@attrs.frozen(kw_only=True)
class PagerConfig:
    spool: str
    longest: int = 20


class Pager:
    def __init__(self, config, tools):
        self.capabilities = capabilities(config)
        self._config = config
        self._name = tools.name

    @hookimpl
    def notify_send(self, message, attempt):
        if len(message.digits) > self._config.longest:
            return Refused("too many digits", RefusalScope.CONTENT)
        with open(self._config.spool, "a") as spool:
            spool.write(f"{attempt.address}:{message.digits}\\n")
        return Accepted(Receipt(provider=self._name, address=attempt.address, provider_id="p1"))

    def close(self):
        pass


def capabilities(config):
    return Capabilities(channels=frozenset({"page"}))


@hookimpl
def notify_message_types():
    return [Page]


@hookimpl
def notify_provider_types():
    return [ProviderType(
        name="pager", config_class=PagerConfig, capabilities=capabilities, factory=Pager,
    )]
'''

APPLICATION = """
import json, sys
from notify_core import Notifier
from notify_pager import Page

with Notifier.from_file(sys.argv[1]) as notifier:
    report = notifier.send(Page(to=["4711", "4712"], digits=sys.argv[2]))
print(json.dumps([
    [str(delivery.outcome), delivery.route, delivery.provider] for delivery in report
]))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plugin, written outside the repository and installed with the ordinary tools."""
    folder = tmp_path_factory.mktemp("third-party")
    source, target = folder / "source", folder / "site"
    (source / "notify_pager").mkdir(parents=True)
    (source / "pyproject.toml").write_text(PYPROJECT)
    (source / "notify_pager" / "__init__.py").write_text(PLUGIN)
    command = ["pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--no-build-isolation", "--no-index", "--target", str(target), str(source)]
    subprocess.run([sys.executable, "-m", *command], check=True)
    return target


def run(site: Path, folder: Path, digits: str) -> list[list[str]]:
    config = folder / "notify.yaml"
    config.write_text(
        textwrap.dedent(
            f"""
            version: 1
            providers:
              tower: {{type: pager, spool: {folder / "spool"}, longest: 5}}
            routes:
              - name: pages
                when: {{channel: page}}
                send: {{via: tower}}
              - name: default
                send: {{via: tower}}
            """
        )
    )
    (folder / "application.py").write_text(APPLICATION)
    done = subprocess.run(
        [sys.executable, "-W", "error", str(folder / "application.py"), str(config), digits],
        env={"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=True,
    )
    answer: list[list[str]] = json.loads(done.stdout)
    return answer


def test_an_installed_plugin_brings_a_channel_and_a_provider_type(
    site: Path, tmp_path: Path
) -> None:
    answer = run(site, tmp_path, "911")

    assert answer == [["accepted as p1", "pages", "tower"]] * 2
    assert (tmp_path / "spool").read_text() == "4711:911\n4712:911\n"


def test_what_the_plugin_refuses_is_reported_as_refused(site: Path, tmp_path: Path) -> None:
    answer = run(site, tmp_path, "1234567")

    assert answer == [["refused (content): too many digits", "pages", None]] * 2
    assert not (tmp_path / "spool").exists()
