"""A provider that prints messages: for development, and as an example of a plugin."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from notify_core import (
    Accepted,
    Attempt,
    Capabilities,
    Message,
    Outcome,
    ProviderType,
    Receipt,
    Tools,
    hookimpl,
)
from notify_core.message import MESSAGE_TYPES


@attrs.frozen(kw_only=True)
class ConsoleConfig:
    """The keys of a ``type: console`` provider. ``prefix`` is printed before each message."""

    prefix: str = ""


class Console:
    """Print each message with its text: do not use it where logs are kept."""

    def __init__(self, config: ConsoleConfig, tools: Tools) -> None:
        self.capabilities = capabilities(config)
        self._prefix = config.prefix
        self._name = tools.name

    @hookimpl
    def notify_send(self, message: Message, attempt: Attempt) -> Outcome:
        text = message.body or f"({type(message).__name__})"
        print(f"{self._prefix}{attempt.channel} to {attempt.address}: {text}")
        receipt = Receipt(provider=self._name, address=attempt.address, own_id=attempt.own_id)
        return Accepted(receipt)

    def close(self) -> None:
        """Nothing is held open."""


def capabilities(_config: ConsoleConfig) -> Capabilities:
    """Take every channel of the core; there is nothing to ask about a printed line."""
    return Capabilities(channels=frozenset(each.channel for each in MESSAGE_TYPES))


@hookimpl
def notify_provider_types() -> Sequence[ProviderType]:
    return [
        ProviderType(
            name="console", config_class=ConsoleConfig, capabilities=capabilities, factory=Console
        )
    ]
