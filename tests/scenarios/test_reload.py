"""Other configurations while a gateway is sent to: nothing is lost, nothing doubled."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import attrs
import pytest

from notify_core.config.model import Config, LegConfig, ProviderConfig, Route, Via
from notify_core.errors import ConfigError
from notify_core.message import Sms
from notify_core.notifier import Notifier
from notify_core.outcome import Accepted
from notify_smsc_emulator import CuttingProxy, Emulator

MakeNotifier = Callable[..., Notifier]

THREADS = 8
RELOADS = 200
PATIENCE_S = 30


@contextmanager
def traffic(notifier: Notifier) -> Iterator[Sequence[tuple[str, str]]]:
    """Send from several threads until the block ends; give each text and what came of it."""
    stopping = threading.Event()
    sent: list[tuple[str, str]] = []

    def send(number: int) -> None:
        count = 0
        while not stopping.is_set():
            count += 1
            text = f"{number}-{count}"
            (delivery,) = notifier.send(Sms(to="+79990000001", text=text))
            sent.append((text, type(delivery.outcome).__name__))

    threads = [threading.Thread(target=send, args=(each,)) for each in range(THREADS)]
    for thread in threads:
        thread.start()
    try:
        yield sent
    finally:
        stopping.set()
        for thread in threads:
            thread.join(PATIENCE_S)


def routed(config: Config, name: str, *providers: ProviderConfig) -> Config:
    """The configuration with one route through all of these providers."""
    legs = (LegConfig(via=Via(providers=tuple(each.name for each in providers))),)
    return attrs.evolve(config, providers=providers, routes=(Route(name=name, legs=legs),))


def test_reloads_under_load_lose_and_double_nothing_and_keep_connections(
    gateway: Emulator, make_notifier: MakeNotifier
) -> None:
    """The first provider never changes, so that a thread needs one connection for all it sends."""
    with CuttingProxy(gateway.http_port) as proxy:
        notifier = make_notifier(proxy.port)
        first = notifier.config
        (smsc,) = first.providers
        spare = attrs.evolve(smsc, name="spare")
        bad = attrs.evolve(smsc, name="bad", settings=object())
        with traffic(notifier) as sent:
            for number in range(RELOADS):
                changed = attrs.evolve(spare.settings, read_timeout=timedelta(seconds=10 + number))
                providers = (smsc, attrs.evolve(spare, settings=changed))
                if number % 4 == 3:
                    with pytest.raises(ConfigError):
                        notifier.reload(routed(first, "bad", smsc, bad))
                else:
                    notifier.reload(routed(first, f"route-{number}", *providers))

        assert proxy.accepted <= THREADS
    assert len(sent) > THREADS
    assert {outcome for _, outcome in sent} == {Accepted.__name__}
    assert Counter(each.text for each in gateway.caught()) == Counter(text for text, _ in sent)
