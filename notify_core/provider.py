"""What a provider is to the core: a type with a configuration class, and instances of it."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, Protocol

import attrs

from notify_core.clock import Clock


class ReceiptKind(enum.Enum):
    """How a provider tells what became of a message."""

    POLL = "poll"
    """It can be asked."""
    CALLBACK = "callback"
    """It calls us."""


def _names(given: Iterable[str]) -> frozenset[str]:
    if isinstance(given, str):
        raise ValueError(f"channels: {given!r} is one text; write {{{given!r}}}")
    return frozenset(given)


@attrs.frozen(kw_only=True)
class Capabilities:
    """What a configured provider can do.

    Routing leaves a provider out of a leg that it cannot carry by its ``channels``, kinds of
    address, ``scheduling``, ``validity``, ``attachments`` and ``text_limit``; the others tell
    people and tools.
    ``address_kinds`` are kinds of address that it takes beside those of the message type.
    ``ask_after_s`` is how an unknown outcome is resolved: ask for the status by our own id
    after each of these pauses, in seconds; found → accepted; all of them *not found* →
    certainly absent. Empty means that it cannot be asked. ``text_limit`` is in characters.
    ``validity`` says that it can be told for how many minutes a message is worth delivering, and
    ``longest_validity`` for how long at most.
    ``receipts`` is how it tells what became of a message, ``incoming`` how it tells what came in.
    ``poll_after_s`` are the pauses, in seconds, before each question what became of a message
    that was accepted, the last one for all that follow: they keep to the provider's limits.
    ``poll_batch`` is how many messages it can be asked about at once.
    """

    channels: frozenset[str] = attrs.field(converter=_names)
    address_kinds: tuple[str, ...] = ()
    own_id: bool = False
    ask_after_s: tuple[float, ...] = ()
    receipts: frozenset[ReceiptKind] = frozenset()
    incoming: frozenset[ReceiptKind] = frozenset()
    poll_after_s: tuple[float, ...] = ()
    poll_batch: int = 1
    scheduling: bool = False
    validity: bool = False
    longest_validity: timedelta | None = None
    cost: bool = False
    balance: bool = False
    attachments: bool = False
    text_limit: int | None = None

    def __attrs_post_init__(self) -> None:
        if self.longest_validity is not None and not self.validity:
            raise ValueError("longest_validity: it cannot limit the validity at all")
        if self.ask_after_s and not self.own_id:
            raise ValueError("ask_after_s: it cannot be asked by an id that it does not take")
        if any(not 0 <= pause < math.inf for pause in self.ask_after_s):
            raise ValueError("ask_after_s: a pause is in seconds, from 0 on")
        if any(not 0 < pause < math.inf for pause in self.poll_after_s):
            raise ValueError("poll_after_s: a pause is in seconds, more than 0")
        if self.poll_batch < 1:
            raise ValueError("poll_batch must be at least 1")

    @property
    def can_be_asked(self) -> bool:
        """Whether it can say what became of a message."""
        return ReceiptKind.POLL in self.receipts or bool(self.ask_after_s)

    @property
    def can_be_polled(self) -> bool:
        """Whether it is asked by itself what became of messages that it has taken."""
        return ReceiptKind.POLL in self.receipts and bool(self.poll_after_s)

    def can_expire(self, after: timedelta) -> bool:
        """Tell whether it can be told that a message is worth delivering for so long."""
        longest = self.longest_validity
        return self.validity and (longest is None or after <= longest)


class Provider(Protocol):
    """A configured instance. Its work is in its hook implementations (``hookspecs``)."""

    @property
    def capabilities(self) -> Capabilities:
        """What this instance can do; never changes."""

    def close(self) -> None:
        """Let go of connections. Called once; nothing is asked of it afterwards."""


@attrs.frozen(kw_only=True)
class Tools:
    """What the core gives to a provider when it is made. ``name`` is its name in the YAML."""

    name: str
    clock: Clock


def _no_account(_settings: object) -> None:
    """Say nothing about the account behind a configuration."""


@attrs.frozen(kw_only=True)
class ProviderType:
    """A kind of provider that a distribution brings.

    ``config_class`` is an attrs class: the keys of the provider in the YAML are its attributes,
    and what its construction refuses (``ValueError``) is shown with the place in the file.
    ``capabilities`` tells from a configuration, without connecting to anything, what an
    instance could do; ``factory`` makes one, and neither connects nor blocks. ``account`` tells
    what instances share that fail together, as a text that holds no secret, or None where that
    cannot be told: ``notify config lint`` warns of a failover between two of one account.
    """

    name: str
    config_class: type
    capabilities: Callable[[Any], Capabilities]
    factory: Callable[[Any, Tools], Provider]
    account: Callable[[Any], str | None] = _no_account


def is_same(one: object, other: object) -> bool:
    """Tell whether two settings say the same; those that cannot be compared do not."""
    try:
        return bool(one == other)
    except Exception:  # somebody else's class
        return False
