"""Fixtures: an emulator whose clock stands still, and a short way to ask it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from notify_smsc_emulator import CallbackReceiver, Emulator, ManualClock, Settings

Ask = Callable[..., requests.Response]


@pytest.fixture
def settings() -> Settings:
    """The usual account without rate rules; a module that tests the rules overrides it."""
    return Settings(rate_rules=False)


@pytest.fixture
def gateway(settings: Settings) -> Iterator[Emulator]:
    with Emulator(settings, clock=ManualClock()) as running:
        yield running


@pytest.fixture
def handler() -> Iterator[CallbackReceiver]:
    """The application's side: takes callbacks."""
    with CallbackReceiver() as receiver:
        yield receiver


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as opened:
        opened.trust_env = False
        yield opened


@pytest.fixture
def ask(gateway: Emulator, session: requests.Session) -> Ask:
    """POST to a script with the right credentials, UTF-8 and JSON unless told otherwise."""

    def post(script: str, **params: Any) -> requests.Response:
        usual = {"login": "test", "psw": "test", "charset": "utf-8", "fmt": 3}
        url = f"{gateway.url}/sys/{script}.php"
        return session.post(url, data=usual | params, timeout=10)

    return post


@pytest.fixture
def send(ask: Ask) -> Ask:
    """Send a short SMS to one number unless told otherwise."""

    def post(**params: Any) -> requests.Response:
        return ask("send", **{"phones": "79990000001", "mes": "Hello"} | params)

    return post
