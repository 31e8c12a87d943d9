"""What the commands for the journal answer, as JSON-able values. Pure; see ``shapes``.

Only what ``notify journal export`` answers holds addresses and what messages say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs

from notify_core.cli.explain_shapes import plan_shape
from notify_core.cli.history import Event
from notify_core.cli.shapes import (
    Shape,
    delivery_shape,
    health_shape,
    iso,
    outcome_shape,
)
from notify_core.contact import Contact
from notify_core.delivery import Attempt, Delivery
from notify_core.journal.codec import ERASED_ADDRESS, GONE, contact_doc
from notify_core.journal.model import ERASED, Backlog, Entry, Part, delivery_of
from notify_core.outcome import Accepted, Outcome, Refused, Unknown
from notify_core.plain.messages import plain
from notify_core.policy.breaker import Health

# --- deliveries -----------------------------------------------------------------------------


def deliveries_shape(entries: Sequence[Entry], *, more: bool) -> Shape:
    """``notify deliveries``; ``next`` is what ``--after`` takes, null on the last page."""
    return {
        "deliveries": [_kept(entry) for entry in entries],
        "next": entries[-1].id if more else None,
    }


def history_shape(entry: Entry, events: Iterable[Event]) -> Shape:
    """``notify deliveries ID``."""
    return {
        "delivery": {**_kept(entry), "plan": plan_shape(entry.plan)},
        "timeline": [
            {"at": iso(event.at), "event": event.what, "detail": event.says} for event in events
        ],
    }


def _kept(entry: Entry) -> Shape:
    """One delivery as ``notify send`` shows it, and what only a journal knows."""
    return {
        **delivery_shape(delivery_of(entry)),
        "message_id": entry.plan.message_id,
        "number": entry.number,
        "priority": entry.priority.name.lower(),
        "config": entry.config,
        "created_at": iso(entry.created_at),
        "deadline_at": iso(entry.deadline_at),
        "wish": None if entry.wish is None else entry.wish.value,
        "leased": entry.owner is not None,
        "text_kept": entry.message is not GONE,
    }


@attrs.frozen
class Decided:
    """What came of a decision about one delivery; ``problem`` is None if all was done as asked."""

    delivery_id: str
    delivery: Delivery | None = None
    problem: str | None = None


def decided_shape(wanted: str, decided: Iterable[Decided]) -> Shape:
    """``notify hold``, ``release`` and ``cancel``."""
    return {"wanted": wanted, "deliveries": [_decided(each) for each in decided]}


def _decided(each: Decided) -> Shape:
    delivery = each.delivery
    return {
        "id": each.delivery_id,
        "done": each.problem is None,
        "problem": each.problem,
        "recipient": None if delivery is None else str(delivery.recipient),
        "stage": None if delivery is None else delivery.stage.value,
        "next_at": None if delivery is None else iso(delivery.next_at),
        "partly": delivery is not None and delivery.partly,
        **outcome_shape(None if delivery is None else delivery.outcome),
    }


def resumed_shape(provider: str, before: Health, now: Health) -> Shape:
    """``notify resume``."""
    return {"provider": provider, "before": health_shape(before), "health": health_shape(now)}


# --- keeping house --------------------------------------------------------------------------


def migrated_shape(before: int, now: int) -> Shape:
    """``notify journal migrate``; a version 0 is that of no tables."""
    return {"before": before, "version": now}


def checked_shape(wrong: Sequence[str]) -> Shape:
    """``notify journal check``."""
    return {"ok": not wrong, "wrong": list(wrong)}


@attrs.frozen
class Purged:
    """How many deliveries, or messages for their text, had a part that was removed.

    What came in is counted with them.
    """

    part: Part
    before: datetime
    count: int


def purged_shape(purged: Iterable[Purged]) -> Shape:
    """``notify journal purge``."""
    return {
        "purged": [
            {"what": each.part.value, "before": iso(each.before), "count": each.count}
            for each in purged
        ]
    }


def erased_shape(erased: int, left: Sequence[str], waiting: Sequence[str]) -> Shape:
    """``notify journal erase``; ``left`` are the ids of those that have not ended.

    ``waiting`` are those of messages that came in and that the application has not heard yet.
    """
    return {"erased": erased, "left": list(left), "waiting": list(waiting)}


def stats_shape(backlog: Backlog) -> Shape:
    """``notify journal stats``; ``oldest_due_s`` is how late the oldest is."""
    oldest = backlog.oldest_due
    return {
        "under_way": backlog.under_way,
        "due": backlog.due,
        "held": backlog.held,
        "oldest_due_s": None if oldest is None else oldest.total_seconds(),
    }


def exported_shape(entry: Entry) -> Shape:
    """One line of ``notify journal export``, with the addresses and what the message says."""
    recipient = _addresses(entry.plan.recipient)
    kept, attempts = _kept(entry), delivery_of(entry).attempts
    told = zip(kept["attempts"], attempts, strict=True)
    return {
        **kept,
        "recipient": recipient,
        "message": _message(entry, recipient),
        "attempts": [
            {**shape, "address": _address(attempt), "raw": _raw(attempt)} for shape, attempt in told
        ],
    }


def _address(attempt: Attempt) -> str | None:
    return None if attempt.address == ERASED_ADDRESS else attempt.address


def _addresses(contact: Contact) -> Shape | None:
    return None if contact == ERASED else contact_doc(contact)


def _message(entry: Entry, recipient: Shape | None) -> Shape | None:
    """Return what the message says; its other recipients are nobody's business here."""
    if entry.message is GONE:
        return None
    return {**plain(entry.message), "to": [recipient]}


def _raw(attempt: Attempt) -> list[Mapping[str, Any]]:
    """Return what the provider answered, word for word: to the call, and to questions."""
    answers = [_raw_of(outcome) for outcome in (attempt.answer, attempt.resolved)]
    status = {} if attempt.status is None else attempt.status.raw
    return [dict(raw) for raw in (*answers, status) if raw]


def _raw_of(outcome: Outcome | None) -> Mapping[str, Any]:
    match outcome:
        case Accepted(receipt) | Refused(receipt=receipt) if receipt is not None:
            return receipt.raw
        case Unknown(raw=raw):
            return raw
        case _:
            return {}


# --- work -----------------------------------------------------------------------------------


def worked_shape(
    ended: int, held: int, attempts: Mapping[str, int], times: int | None = None
) -> Shape:
    """``notify worker``; ``times`` is how often something was done, with ``--once``."""
    return {"ended": ended, "held": held, "attempts": dict(attempts), "times": times}
