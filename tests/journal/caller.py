"""A process that sends and enqueues under the same keys as others.

``python -m tests.journal.caller URL PORT`` uses the journal at the URL and the gateway at the
port. It begins when it reads a line, and prints what each of its calls was told, as JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from notify_core.config.model import Config, JournalConfig, LegConfig, ProviderConfig, Route, Via
from notify_core.hookspecs import hookimpl
from notify_core.message import Sms
from notify_core.notifier import Notifier
from notify_core.plugins import Plugins
from notify_core.provider import ProviderType
from notify_core.secret import Secret
from notify_smsc.config import SmscConfig
from notify_smsc.plugin import notify_provider_types

PASSWORD = "canary-secret-4410"
THREADS = 8
KEYS = 6


class _Smsc:
    @hookimpl
    def notify_provider_types(self) -> list[ProviderType]:
        return list(notify_provider_types())


def smsc_notifier(url: str, port: int) -> Notifier:
    """A notifier that sends through the emulated gateway."""
    plugins = Plugins()
    plugins.register(_Smsc(), "smsc")
    settings = SmscConfig(
        login="test", password=Secret(PASSWORD), host=f"127.0.0.1:{port}", https=False
    )
    config = Config(
        providers=(ProviderConfig(name="smsc", type="smsc", settings=settings),),
        routes=(Route(name="default", legs=(LegConfig(via=Via(providers=("smsc",))),)),),
        journal=JournalConfig(url=Secret(url), lease=timedelta(seconds=30), pool_size=8),
    )
    return Notifier(config, plugins=plugins)


def keyed(kind: str, number: int) -> Sms:
    """The message that stands behind a key, made anew by each who sends it."""
    key = f"{kind}-{number}"
    return Sms(to=["+79990000001", "+79990000002"], text=f"for {key}", key=key)


def calls(notifier: Notifier) -> dict[str, list[list[str]]]:
    """Let all threads use all keys; return the ids of the deliveries that each call was told."""
    told: dict[str, list[list[str]]] = {}

    def call_all(_: int) -> None:
        for number in range(KEYS):
            for kind, call in _calls(notifier).items():
                told.setdefault(f"{kind}-{number}", []).append(call(keyed(kind, number)))

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(call_all, range(THREADS)))
    return told


def _calls(notifier: Notifier) -> dict[str, Callable[[Sms], list[str]]]:
    return {
        "sent": lambda message: [each.id for each in notifier.send(message) if each.accepted],
        "enqueued": lambda message: list(notifier.enqueue(message)),
    }


def main() -> None:
    url, port = sys.argv[1:]
    with smsc_notifier(url, int(port)) as notifier, notifier.worker():
        print("ready", flush=True)
        sys.stdin.readline()
        print(json.dumps(calls(notifier)), flush=True)


if __name__ == "__main__":
    main()
