"""The emulated gateway and a notifier in front of it, over real sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from notify_core.config.model import Config, LegConfig, ProviderConfig, Route, Via
from notify_core.hookspecs import hookimpl
from notify_core.notifier import Notifier
from notify_core.plugins import Plugins
from notify_core.provider import ProviderType
from notify_core.secret import Secret
from notify_core.testing import ManualClock
from notify_smsc.config import SmscConfig
from notify_smsc.plugin import notify_provider_types
from notify_smsc_emulator import Emulator, Settings

# The gateway's own guard against repeated sends would hide a message that we send twice.
_UNGUARDED = Settings(rate_rules=False, password="canary-secret-9177")


class _Smsc:
    @hookimpl
    def notify_provider_types(self) -> list[ProviderType]:
        return list(notify_provider_types())


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator(_UNGUARDED) as gateway:
        yield gateway


@pytest.fixture
def gateway(emulator: Emulator) -> Emulator:
    """The emulator, emptied."""
    emulator.clear()
    return emulator


MakeNotifier = Callable[..., Notifier]


@pytest.fixture
def make_notifier() -> Iterator[MakeNotifier]:
    """Return a function that makes a notifier of SMSC providers: name → overrides of settings."""
    made: list[Notifier] = []

    def make(
        port: int, *routes: Route, clock: ManualClock | None = None, **more: object
    ) -> Notifier:
        plugins = Plugins()
        plugins.register(_Smsc(), "smsc")
        settings = SmscConfig(
            login="test",
            password=Secret(str(more.pop("password", _UNGUARDED.password))),
            host=f"127.0.0.1:{port}",
            https=False,
            **more,  # type: ignore[arg-type]
        )
        default = Route(name="default", legs=(LegConfig(via=Via(providers=("smsc",))),))
        config = Config(
            providers=(ProviderConfig(name="smsc", type="smsc", settings=settings),),
            routes=routes or (default,),
        )
        made.append(Notifier(config, plugins=plugins, clock=clock or ManualClock()))
        return made[-1]

    yield make
    for notifier in made:
        notifier.close()
