"""Providers that know from which configuration they were made, and a file that names them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import attrs

from notify_core.clock import Clock
from notify_core.config.load import load
from notify_core.config.model import Config
from notify_core.delivery import Attempt
from notify_core.hookspecs import hookimpl
from notify_core.message import MESSAGE_TYPES
from notify_core.notifier import Notifier
from notify_core.outcome import Accepted, Outcome, Receipt
from notify_core.plugins import Plugins
from notify_core.provider import Capabilities, ProviderType, Tools
from notify_core.testing import ManualClock

CAN = Capabilities(
    channels=frozenset(each.channel for each in MESSAGE_TYPES), own_id=True, ask_after_s=(1.0,)
)


@attrs.frozen(kw_only=True)
class MarkedConfig:
    """``mark`` is what tells the provider apart from others of its name."""

    mark: str


class Ledger:
    """What all providers of a test were asked to send, and what became of them."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.sent: list[tuple[str, str]] = []
        """The id of a delivery, and the mark of who sent it."""
        self.late: list[str] = []
        """The marks of those that were asked to send when they were closed already."""
        self.made: list[MarkedProvider] = []
        self.on_send: Callable[[str], Outcome | None] = lambda _: None

    def open_marks(self) -> Sequence[str]:
        return [each.mark for each in self.made if not each.times_closed]


class MarkedProvider:
    """Accepts everything, unless the ledger has something else to be answered."""

    capabilities = CAN

    def __init__(self, name: str, mark: str, ledger: Ledger) -> None:
        self.name = name
        self.mark = mark
        self.times_closed = 0
        self._ledger = ledger
        ledger.made.append(self)

    @hookimpl
    def notify_send(self, attempt: Attempt) -> Outcome:
        answer = self._ledger.on_send(self.mark)
        with self._ledger.lock:
            self._ledger.sent.append((attempt.delivery_id, self.mark))
            if self.times_closed:
                self._ledger.late.append(self.mark)
        receipt = Receipt(
            provider=self.name, address=attempt.address, own_id=attempt.own_id, provider_id="1"
        )
        return answer or Accepted(receipt)

    def close(self) -> None:
        self.times_closed += 1


@attrs.frozen
class MarkedType:
    """Brings the provider type ``marked``."""

    ledger: Ledger

    @hookimpl
    def notify_provider_types(self) -> Sequence[ProviderType]:
        # Made anew each time it is asked, as plugins do.
        return [
            ProviderType(
                name="marked",
                config_class=MarkedConfig,
                capabilities=lambda _: CAN,
                factory=self._made,
            )
        ]

    def _made(self, settings: MarkedConfig, tools: Tools) -> MarkedProvider:
        return MarkedProvider(tools.name, settings.mark, self.ledger)


def written(path: Path, route: str, providers: Mapping[str, str], more: str = "") -> Path:
    """Write a file with one route through all of these providers, given with their marks."""
    lines = [f"  {name}: {{type: marked, mark: {mark!r}}}" for name, mark in providers.items()]
    made = "\n".join(["version: 1", "providers:", *lines, more, "routes:"])
    path.write_text(f"{made}\n  - {{name: {route}, send: {{via: [{', '.join(providers)}]}}}}\n")
    return path


def notifier_of(
    path: Path,
    ledger: Ledger,
    *,
    plugins: Sequence[tuple[str, object]] = (),
    clock: Clock | None = None,
) -> Notifier:
    """Make a notifier for a file, with the type ``marked`` and nothing that is installed."""
    registered = Plugins()
    registered.register(MarkedType(ledger), "marked")
    for name, plugin in plugins:
        registered.register(plugin, name)

    def reread(plugins: Plugins) -> Config:
        return load(path, plugins, {})

    return Notifier(
        load(path, registered, {}),
        plugins=registered,
        clock=clock or ManualClock(),
        chance=lambda: 0.5,
        reread=reread,
    )
