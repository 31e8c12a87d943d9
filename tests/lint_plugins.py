"""The plugins under which the configurations of ``config/lint`` and ``config/rich`` are linted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import attrs

import notify_console
from notify_core.hookspecs import hookimpl
from notify_core.message import MESSAGE_TYPES
from notify_core.plugins import Plugins
from notify_core.provider import Capabilities, Provider, ProviderType, ReceiptKind
from notify_smsc import plugin as smsc

HOOK = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ENVIRON = {"KEY": "hunter3", "OTHER_KEY": "hunter4", "HOOK": HOOK, "DB_PASSWORD": "hunter5"}


@attrs.frozen(kw_only=True)
class NoSettings:
    """Nothing to set."""


@attrs.frozen(kw_only=True)
class PollsterSettings:
    """When it may first be asked; never, without."""

    first: timedelta | None = None


def letters(_: NoSettings) -> Capabilities:
    return Capabilities(channels=frozenset({"mail"}))


def pollster(settings: PollsterSettings) -> Capabilities:
    first = settings.first
    return Capabilities(
        channels=frozenset(each.channel for each in MESSAGE_TYPES),
        receipts=frozenset({ReceiptKind.POLL}),
        poll_after_s=(first.total_seconds(),) if first else (),
        validity=True,
    )


def never_made(*_: object) -> Provider:
    raise AssertionError("linting a configuration makes no provider")


class Odd:
    """A plugin with one type that takes mail only, and one that must be asked."""

    @hookimpl
    def notify_provider_types(self) -> Sequence[ProviderType]:
        return [
            ProviderType(
                name="letters",
                config_class=NoSettings,
                capabilities=letters,
                factory=never_made,
            ),
            ProviderType(
                name="pollster",
                config_class=PollsterSettings,
                capabilities=pollster,
                factory=never_made,
            ),
        ]


def plugins() -> Plugins:
    made = Plugins()
    made.register(smsc, "smsc")
    made.register(notify_console, "console")
    made.register(Odd(), "odd")
    return made
