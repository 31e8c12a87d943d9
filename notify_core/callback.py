"""What a provider tells us of its own accord: calls to our address, and what they mean.

A call is kept as it came (``CallbackRequest``) and given to the provider's
``notify_parse_callback``, which checks who it is from and says what it tells.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

import attrs

from notify_core.outcome import Status


@attrs.frozen(kw_only=True)
class CallbackRequest:
    """One call to our address, as it came.

    ``query`` is what follows the question mark, undecoded; ``headers`` have their names in lower
    case. ``remote`` is the address that the call came from. Anybody can make such a call, and it
    can hold secrets and texts: nothing of it is shown.
    """

    method: str
    query: str = attrs.field(default="", repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    body: bytes = attrs.field(default=b"", repr=False)
    remote: str = ""
    received_at: datetime


class Trust(enum.Enum):
    """How far something that a call tells can be believed."""

    PROVEN = "proven"
    """It is signed by the provider, with all that counts in it."""
    HINT = "hint"
    """Anybody may have made it up. It only says where to look: the provider is asked."""


@attrs.frozen(kw_only=True)
class StatusEvent:
    """A provider says what became of a message.

    The message is the one with this ``provider_id``, or this ``own_id``, to this ``address``.
    """

    address: str = attrs.field(repr=False)
    status: Status
    provider_id: str | None = None
    own_id: str | None = None
    trust: Trust = Trust.HINT


class IncomingKind(enum.Enum):
    """What came in."""

    MESSAGE = "message"
    """A text."""
    CALL = "call"
    """A call that confirms a number; it has no text."""


@attrs.frozen(kw_only=True)
class Incoming:
    """Something that somebody sent to us through a provider.

    ``sender`` is who it is from and ``to`` the number of ours. ``provider_id`` is the provider's
    id of it, where it tells one. ``sent_at`` and ``received_at`` are times of the provider, in
    UTC. ``raw`` is what the provider told, credentials and signatures excluded.
    """

    provider: str
    sender: str = attrs.field(repr=False)
    to: str | None = attrs.field(default=None, repr=False)
    text: str = attrs.field(default="", repr=False)
    kind: IncomingKind = IncomingKind.MESSAGE
    channel: str = "sms"
    provider_id: str | None = None
    sent_at: datetime | None = None
    received_at: datetime | None = None
    trust: Trust = Trust.HINT
    raw: Mapping[str, object] = attrs.field(factory=dict, repr=False)


CallbackEvent: TypeAlias = StatusEvent | Incoming


@attrs.frozen(kw_only=True)
class IncomingPage:
    """What a provider has for us when it is asked: ``messages``, the oldest first.

    ``after`` is what to give to the next question, so that it goes on behind the last of these;
    ``more`` says that there is more to be had at once.
    """

    messages: Sequence[Incoming]
    after: str | None
    more: bool = False
