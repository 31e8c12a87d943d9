"""A provider that calls us, in a form of its own, and stand-ins for what its calls are told to.

A call is a form: ``sig=good`` signs it, ``sig=none`` makes hints of it; ``id`` is a receipt,
``proven`` one that is signed by itself, ``from`` somebody's message.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl

from notify_core.callback import (
    CallbackEvent,
    CallbackRequest,
    Incoming,
    StatusEvent,
    Trust,
)
from notify_core.clock import Clock
from notify_core.config.model import JournalConfig, TextAtRest
from notify_core.errors import CallbackError
from notify_core.hookspecs import hookimpl
from notify_core.keeping import Kept
from notify_core.message import MESSAGE_TYPES
from notify_core.outcome import State, Status
from notify_core.provider import Capabilities, ReceiptKind
from notify_core.secret import Secret
from notify_core.testing import ScriptedProvider

CALLS = Capabilities(
    channels=frozenset({"sms"}),
    own_id=True,
    receipts=frozenset({ReceiptKind.CALLBACK}),
    incoming=frozenset({ReceiptKind.CALLBACK}),
)
NEVER_CALLS = Capabilities(channels=frozenset({"sms"}))
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


class Caller(ScriptedProvider):
    """Say what calls tell."""

    def __init__(self, capabilities: Capabilities = CALLS) -> None:
        super().__init__(capabilities=capabilities)
        self.parsed: list[CallbackRequest] = []

    @hookimpl
    def notify_parse_callback(self, request: CallbackRequest) -> Sequence[CallbackEvent]:
        self.parsed.append(request)
        return events_of(request)


def events_of(request: CallbackRequest) -> Sequence[CallbackEvent]:
    """Return what a form tells. Raises ``CallbackError`` for one that is not signed."""
    raw = request.body.decode("latin-1") or request.query
    fields = parse_qsl(raw, keep_blank_values=True, max_num_fields=None)
    trust = _TRUST.get(dict(fields).get("sig", ""))
    if trust is None:
        raise CallbackError("the signature does not fit")
    return [event for name, value in fields if (event := _event(name, value, trust)) is not None]


_TRUST = {"good": Trust.PROVEN, "none": Trust.HINT}


def _event(name: str, value: str, trust: Trust) -> CallbackEvent | None:
    match name:
        case "id" | "proven":
            return StatusEvent(
                address="+79990000001",
                provider_id=value,
                status=Status(state=State.DELIVERED, final=True),
                trust=Trust.PROVEN if name == "proven" else trust,
            )
        case "from":
            return Incoming(provider="smsc", sender=value, text="yes")
        case _:
            return None


def form(body: str | bytes = "sig=good&id=1", **more: object) -> CallbackRequest:
    """Return a call with this body."""
    given: dict[str, object] = {
        "method": "POST",
        "body": body.encode() if isinstance(body, str) else body,
        "remote": "192.0.2.7",
        "received_at": NOON,
    }
    return CallbackRequest(**(given | more))  # type: ignore[arg-type]


class Statuses:
    """Take in receipts of the messages that are ``known``; count how often each came."""

    def __init__(self, known: Collection[str] | None = None) -> None:
        self.known = None if known is None else set(known)
        self.taken: Counter[str] = Counter()
        self._lock = threading.Lock()

    def take(self, _: str, event: StatusEvent) -> bool:
        if self.known is not None and event.provider_id not in self.known:
            return False
        with self._lock:
            self.taken[str(event.provider_id)] += 1
        return True


class Messages:
    """Take in what people send; count how often each came, and remember when they were told."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()
        self.told_at: set[datetime] = set()
        self._lock = threading.Lock()

    def take(self, incoming: Incoming, told_at: datetime) -> None:
        with self._lock:
            self.taken[incoming.sender] += 1
            self.told_at.add(told_at)


class Forms:
    """Parse forms without a plugin around them; ``failing`` is called before."""

    def __init__(self, failing: Callable[[], None] = lambda: None) -> None:
        self.parsed: list[CallbackRequest] = []
        self.failing = failing

    def parse_callback(self, _: str, request: CallbackRequest) -> Sequence[CallbackEvent]:
        self.parsed.append(request)
        self.failing()
        return events_of(request)


def kept(
    clock: Clock,
    url: str = "memory:",
    text: TextAtRest = TextAtRest.KEEP,
    text_keys: tuple[Secret, ...] = (),
) -> Kept:
    """Open a journal."""
    config = JournalConfig(url=Secret(url), text=text, text_keys=text_keys)
    return Kept.open(config, {each.channel: each for each in MESSAGE_TYPES}, clock)


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder / 'notify.db'}"


def rows_of(journal: Kept) -> list[dict[str, object]]:
    """Return the calls that are in the journal, the oldest first."""
    columns = ("provider", "request", "tries", "due_at", "owner", "result")
    statement = f"SELECT {', '.join(columns)} FROM notify_calls ORDER BY id"
    rows = journal.journal.database.read(lambda executor: executor.execute(statement, {}))
    return [dict(zip(columns, row, strict=True)) for row in rows]
