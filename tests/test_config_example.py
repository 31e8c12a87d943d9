"""``config.example.yaml`` is valid as it stands and leaves no key out."""

from __future__ import annotations

import re
from datetime import time
from pathlib import Path

import attrs
import pytest

from notify_core.config.lint.engine import lint
from notify_core.config.load import load
from notify_core.config.model import (
    Breaker,
    Config,
    JournalConfig,
    LegConfig,
    Quiet,
    Retention,
    Retry,
    Route,
    Weekday,
    When,
    WorkerConfig,
)
from notify_core.plugins import Plugins
from notify_core.secret import Secret
from notify_smsc.config import CallbackConfig, SmscConfig, SmtpConfig

EXAMPLE = Path(__file__).parents[1] / "config.example.yaml"
ENVIRON = {
    "SMSC_API_KEY": "a-key",
    "SMSC_LOGIN": "a-login",
    "SMSC_PASSWORD": "a-password",
    "NOTIFY_WEBHOOK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
}

# How the keys of ``send`` are kept, and what was read: not keys themselves.
NOT_WRITTEN = {"legs", "mode", "files"}
WEEKEND = (Weekday.SAT, Weekday.SUN)
OF_SEND = {"send", "via", "spread", "first_of", "all_of"}


def example() -> Config:
    plugins = Plugins()
    plugins.load("notify_smsc.plugin")
    plugins.load("notify_console")
    return load(EXAMPLE, plugins, ENVIRON)


def keys(*classes: type[attrs.AttrsInstance]) -> set[str]:
    return {field.name.removesuffix("_") for each in classes for field in attrs.fields(each)}


def test_the_example_is_valid_as_it_stands() -> None:
    config = example()

    assert [provider.type for provider in config.providers] == ["smsc", "smsc", "console"]
    assert [route.name for route in config.routes] == [
        "one-time-code",
        "promo",
        "mail-to-the-house",
        "mail",
        "alarm",
        "default",
    ]


def test_nothing_in_the_example_is_hardly_meant() -> None:
    plugins = Plugins()
    plugins.load("notify_smsc.plugin")
    plugins.load("notify_console")

    assert lint(EXAMPLE, plugins, ENVIRON).weighing(strict=False) == []


def test_a_key_that_shows_its_default_shows_the_right_one() -> None:
    config = example()

    assert config.retry == Retry()
    assert config.breaker == Breaker()
    assert config.journal == JournalConfig(url=Secret(f"sqlite:///{EXAMPLE.parent}/notify.db"))
    assert config.worker == WorkerConfig()
    assert config.routes[1].quiet == Quiet(from_=time(21), to=time(9), days=WEEKEND)
    assert config.routes[0].next_on == config.routes[-1].next_on
    shown = config.providers[0].settings
    assert isinstance(shown, SmscConfig)
    given_as_examples = {
        "api_key": None,
        "login": "x",
        "password": Secret("x"),
        "reserve_hosts": None,
        "sender": None,
        "mail_sender": None,
        "telegram_bot": None,
        "whatsapp_bot": None,
    }
    assert attrs.evolve(shown, **given_as_examples) == SmscConfig(login="x", password=Secret("x"))


@pytest.mark.parametrize(
    "key",
    sorted(
        (keys(Config, Route, When, Quiet, LegConfig) - NOT_WRITTEN)
        | keys(Retry, Breaker, JournalConfig, Retention, WorkerConfig)
        | OF_SEND
        | keys(SmscConfig, SmtpConfig, CallbackConfig)
    ),
)
def test_every_key_stands_in_the_example(key: str) -> None:
    assert re.search(rf"\b{key}: ?", EXAMPLE.read_text(encoding="utf-8"))
