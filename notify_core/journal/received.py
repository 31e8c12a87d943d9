"""What somebody sent to us as the journal has it, and as a row of its table."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import attrs

from notify_core.callback import Incoming, IncomingKind, Trust
from notify_core.errors import JournalError
from notify_core.journal.codec import dumps, loads
from notify_core.journal.rows import moment_of
from notify_core.journal.seal import Seal
from notify_core.journal.sightings import Sighting

COLUMNS: Final = (
    "id, provider, kind, channel, sender, content, received_at, delivery_id, tries, due_at, owner, "
    "told"
)
"""What a ``Received`` is made of."""

WITH_FAILURES: Final = '{"failed":{"%'
"""What the column ``told`` is like where somebody failed: that key is written first."""


class Standing(enum.Enum):
    """Whether those have been told who wanted to know of a message."""

    WAITING = "waiting"
    """Somebody is still to be told, now or after a pause."""
    TOLD = "told"
    """Everybody has been."""
    GIVEN_UP = "given_up"
    """Somebody failed each time. What failed is in ``failed``."""


@attrs.frozen(kw_only=True)
class Received:
    """Something that came in, as the journal has it.

    ``at`` is the provider's time of it, else when it was told or asked for; ``since`` is after
    when it was said, if nothing else is known of that. ``delivery_id`` is the delivery that it
    seems to answer. ``done`` names who has been told, ``failed`` who failed the last time, with
    the kind of the error. ``problem`` says why what it said cannot be read; it is None if that is
    kept, or was purged (``text_kept``).
    """

    id: str
    incoming: Incoming
    at: datetime
    since: datetime | None = None
    delivery_id: str | None = None
    tries: int = 0
    due_at: datetime | None = None
    owner: str | None = None
    done: tuple[str, ...] = ()
    failed: Mapping[str, str] = attrs.field(factory=dict)
    text_kept: bool = True
    problem: str | None = None

    @property
    def standing(self) -> Standing:
        """Whether everybody has been told."""
        if self.due_at is not None:
            return Standing.WAITING
        return Standing.GIVEN_UP if self.failed else Standing.TOLD


@attrs.frozen(kw_only=True)
class Wanted:
    """Which of what came in is looked for; what is None does not matter. The newest come first.

    ``after`` and ``before`` are about when it was kept; an ``after_id`` goes on after the one
    that came last.
    """

    sender: str | None = None
    provider: str | None = None
    kind: IncomingKind | None = None
    standing: Standing | None = None
    delivery_id: str | None = None
    after: datetime | None = None
    before: datetime | None = None
    after_id: str | None = None
    limit: int = 50


# --- rows -----------------------------------------------------------------------------------


def received_of(row: tuple[Any, ...], seal: Seal) -> Received:
    """Make one of a row: ``COLUMNS``."""
    (received_id, provider, kind, channel, sender, content, at, delivery_id, tries) = row[:9]
    (due_at, owner, told) = row[9:]
    doc, problem = _opened(content, seal)
    heard = loads(told) if told else {}
    incoming = Incoming(
        provider=provider,
        sender=sender or "",
        kind=IncomingKind(kind),
        channel=channel,
        trust=Trust.PROVEN,
        **_facts(doc),
    )
    return Received(
        id=received_id,
        incoming=incoming,
        at=moment_of(at),
        since=_moment(doc.get("since")),
        delivery_id=delivery_id,
        tries=tries,
        due_at=None if due_at is None else moment_of(due_at),
        owner=owner,
        done=tuple(heard.get("done", ())),
        failed=heard.get("failed", {}),
        text_kept=content is not None,
        problem=problem,
    )


def content_of(told: Sighting) -> str:
    """Return what goes into the column ``content``, before it is sealed."""
    incoming = told.incoming
    return dumps(
        {
            "to": incoming.to,
            "text": incoming.text,
            "provider_id": incoming.provider_id,
            "sent_at": _iso(incoming.sent_at),
            "received_at": _iso(incoming.received_at),
            "since": _iso(told.since),
            "raw": dict(incoming.raw),
        }
    )


def told_of(received: Received) -> str:
    """Return what goes into the column ``told``: who has been told, and who failed."""
    # The key that ``WITH_FAILURES`` looks for comes first.
    return dumps({"failed": dict(received.failed), "done": list(received.done)})


def _opened(content: str | None, seal: Seal) -> tuple[Mapping[str, Any], str | None]:
    if content is None:
        return {}, None
    try:
        return loads(seal.opened(content)), None
    except JournalError as error:
        return {}, str(error)


def _facts(doc: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a document says as the attributes of an ``Incoming``; nothing of none."""
    if not doc:
        return {}
    times = {name: _moment(doc[name]) for name in ("sent_at", "received_at")}
    return {name: doc[name] for name in ("to", "text", "provider_id", "raw")} | times


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
