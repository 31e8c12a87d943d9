"""The console provider: what it prints, what it takes, and the whole way through a notifier."""

from __future__ import annotations

from pathlib import Path

import pytest

import notify_console
from notify_core import Accepted, Hlr, Message, Notifier, Plugins, Sms
from notify_core.message import MESSAGE_TYPES

CONFIG = """
version: 1
providers:
  screen: {type: console, prefix: "[dev] "}
routes:
  - name: default
    send: {via: screen}
"""


@pytest.fixture
def notifier(tmp_path: Path) -> Notifier:
    """Load the configuration with this plugin and no other."""
    path = tmp_path / "notify.yaml"
    path.write_text(CONFIG)
    plugins = Plugins()
    plugins.register(notify_console, "console")
    return Notifier.from_file(path, plugins=plugins, environ={})


@pytest.mark.parametrize(
    ("message", "printed"),
    [
        (Sms(to="+79991234567", text="Привет"), "[dev] sms to +79991234567: Привет\n"),
        (Hlr(to="+79991234567"), "[dev] hlr to +79991234567: (Hlr)\n"),
    ],
    ids=["with a text", "without a text"],
)
def test_a_message_is_printed_with_prefix_channel_address_and_text(
    notifier: Notifier, capsys: pytest.CaptureFixture[str], message: Message, printed: str
) -> None:
    """In place of a text that there is not stands the type."""
    with notifier:
        notifier.send(message)

    assert printed == capsys.readouterr().out


@pytest.mark.parametrize("kind", MESSAGE_TYPES, ids=lambda kind: kind.channel)
def test_every_channel_of_the_core_is_taken(kind: type[Message]) -> None:
    """One provider is enough to develop with."""
    able = notify_console.capabilities(notify_console.ConsoleConfig())

    assert kind.channel in able.channels


def test_a_printed_message_is_accepted_under_our_own_id(notifier: Notifier) -> None:
    """Nobody gives it another; the report reads as that of any provider."""
    with notifier:
        report = notifier.send(Sms(to="+79991234567", text="Hello", id="order-77"))

    (delivery,) = report
    assert report.ok
    assert isinstance(delivery.outcome, Accepted)
    assert (delivery.provider, delivery.channel, delivery.provider_id) == ("screen", "sms", None)
    assert delivery.outcome.receipt.own_id == delivery.attempts[0].own_id


def test_the_prefix_may_be_left_out() -> None:
    assert notify_console.ConsoleConfig().prefix == ""
