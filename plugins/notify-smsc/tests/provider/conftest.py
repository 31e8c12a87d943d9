"""What the tests of the provider share: a gateway on loopback, providers for it, attempts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest

from notify_core.clock import SystemClock
from notify_core.delivery import Attempt
from notify_core.provider import Tools
from notify_core.secret import Secret
from notify_smsc.config import SmscConfig, SmtpConfig, Transport
from notify_smsc.plugin import SmscProvider
from notify_smsc_emulator import Emulator, ManualClock, Settings


def _attempt(
    address: str = "+79991234567", *, kind: str = "phone", own_id: str = "d1-1"
) -> Attempt:
    return Attempt(
        id=f"{own_id}-1",
        delivery_id="d1",
        own_id=own_id,
        number=1,
        provider="smsc",
        channel="sms",
        address=address,
        address_kind=kind,
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


@pytest.fixture
def attempt() -> Callable[..., Attempt]:
    """Return a function that makes an attempt at one address."""
    return _attempt


@pytest.fixture
def gateway() -> Iterator[Emulator]:
    """Run a gateway whose clock stands still and whose rate rules are off."""
    with Emulator(Settings(rate_rules=False), clock=ManualClock()) as running:
        yield running


@pytest.fixture
def connect() -> Iterator[Callable[..., SmscProvider]]:
    """Return a function that makes a provider over HTTP for a host; closed after the test."""
    with ExitStack() as stack:

        def make(host: str, **keys: Any) -> SmscProvider:
            given: dict[str, Any] = {"login": "test", "password": Secret("test")} | keys
            config = SmscConfig(host=host, https=False, **given)
            provider = SmscProvider(config, Tools(name="smsc", clock=SystemClock()))
            stack.callback(provider.close)
            return provider

        yield make


@pytest.fixture
def connect_by_mail(connect: Callable[..., SmscProvider]) -> Callable[..., SmscProvider]:
    """Return a function that makes a provider by letter."""

    def make(host: str, port: int, *, test: bool = False, **keys: Any) -> SmscProvider:
        smtp = SmtpConfig(
            host="127.0.0.1", port=port, starttls=False, from_address="me@example.org", test=test
        )
        return connect(host, transport=Transport.SMTP, smtp=smtp, **keys)

    return make


@pytest.fixture
def smsc(connect: Callable[..., SmscProvider], gateway: Emulator) -> SmscProvider:
    """A provider over HTTP for the gateway."""
    return connect(gateway.host)


@pytest.fixture
def smsc_by_mail(connect_by_mail: Callable[..., SmscProvider], gateway: Emulator) -> SmscProvider:
    """A provider by letter for the gateway."""
    return connect_by_mail(gateway.host, gateway.smtp_port)
