"""Entries as rows of the tables, and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs

from notify_core.delivery import Stage
from notify_core.errors import JournalError, MessageError, PluginError
from notify_core.ids import first_id_of
from notify_core.journal.codec import (
    GONE,
    contact_doc,
    dumps,
    loads,
    outcome_word,
    plan_doc,
    progress_doc,
    read_contact,
    read_plan,
    read_progress,
)
from notify_core.journal.model import ERASED, Entry, delivery_of
from notify_core.journal.seal import Seal
from notify_core.message import Message, Priority
from notify_core.outcome import Unknown
from notify_core.plain.messages import MessageReader
from notify_core.progress import Wish

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_PAST_EVERY_ID = "g"  # ids are hexadecimal digits


def milliseconds(moment: datetime) -> int:
    """Return a moment as the columns have it: milliseconds since 1970, rounded up."""
    return -(-(moment - _EPOCH) // _MILLISECOND)


def moment_of(milliseconds: int) -> datetime:
    """Return the moment that a column tells."""
    return _EPOCH + milliseconds * _MILLISECOND


def has_come(due: datetime, now: datetime) -> bool:
    """Tell whether a moment of a column has come: in the millisecond to which it was rounded up."""
    return milliseconds(due) <= milliseconds(now)


def _or_none(moment: datetime | None) -> int | None:
    return None if moment is None else milliseconds(moment)


def ids_between(
    after: datetime | None = None, before: datetime | None = None, after_id: str | None = None
) -> dict[str, str]:
    """Return ``above``, the least id of a search, and ``below``, which none of it reaches.

    The newest come first, so the search goes on below ``after_id``, the id that came last.
    """
    return {
        "above": "" if after is None else first_id_of(after),
        "below": after_id or (_PAST_EVERY_ID if before is None else first_id_of(before)),
    }


def storable(value: object) -> str:
    """Return what a plugin gives as a text that every database takes."""
    return str(value).replace("\0", "\\0").encode(errors="backslashreplace").decode()


def columns_of(entry: Entry) -> dict[str, object]:
    """Return the columns of an entry that never change."""
    return {
        "message_id": entry.plan.message_id,
        "number": entry.number,
        "priority": int(entry.priority),
        "deadline_at": _or_none(entry.deadline_at),
        "created_at": milliseconds(entry.created_at),
        "config": entry.config,
        "route": entry.plan.route,
        "recipient": dumps(contact_doc(entry.plan.recipient)),
        "plan": dumps(plan_doc(entry.plan)),
    }


def standing_of(entry: Entry, now: datetime) -> dict[str, object]:
    """Return the columns that tell how an entry stands.

    Channel, provider, its id, outcome and cost are for people who look for deliveries; what
    carries them on reads the progress.
    """
    delivery = delivery_of(entry)
    last = delivery.attempts[-1] if delivery.attempts else None
    due_at = _or_none(entry.due_at)
    waits = entry.owner is None and entry.stage is not Stage.ENDED
    # What is in doubt keeps its pause: it is there so that a question finds what is late.
    pauses = due_at is not None and isinstance(delivery.outcome, Unknown)
    return {
        "id": entry.id,
        "lease": entry.lease,
        "progress": dumps(progress_doc(entry.progress)),
        "stage": entry.stage.value,
        "stage_if_wished": (Stage.UNDER_WAY if waits else entry.stage).value,
        "wish": entry.wish and entry.wish.value,
        "owner": entry.owner,
        "due_at": due_at,
        "due_if_wished": milliseconds(now) if waits and not pauses else due_at,
        "changed_at": milliseconds(now),
        "channel": delivery.channel or (last and last.channel),
        "provider": delivery.provider or (last and last.provider),
        "provider_id": None if delivery.provider_id is None else storable(delivery.provider_id),
        "outcome": outcome_word(delivery.outcome)
        if last or delivery.stage is Stage.ENDED
        else None,
        "cost": None if delivery.cost is None else str(delivery.cost),
    }


def with_wish(entry: Entry, wish: str | None, stage: str, due_at: int | None) -> Entry:
    """Return an entry that was written, with the wish that has come and what follows from it."""
    known = None if wish is None else Wish(wish)
    if known is entry.wish:
        return entry
    moment = None if due_at is None else moment_of(due_at)
    return attrs.evolve(entry, wish=known, stage=Stage(stage), due_at=moment)


_DAMAGE = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)
"""What reading a row ends with that is damaged, or that a newer program has written."""


class EntryReader:
    """Make entries of rows. ``types`` are the message types by channel."""

    def __init__(self, types: Mapping[str, type[Message]], seal: Seal) -> None:
        self._types = types
        self._messages = MessageReader(types)
        self._seal = seal

    def read(self, row: tuple[Any, ...]) -> Entry:
        """Make the entry of a row: ``statements.COLUMNS``, then the content.

        Raises ``JournalError`` if it could not be carried on: its text is sealed with a key that
        is not here, or a plugin is missing.
        """
        content = row[17]
        return self._entry(row, None if content is None else self._message(content))

    def view(self, row: tuple[Any, ...]) -> Entry:
        """Make the entry of a row for somebody who only looks: its message may be missing."""
        try:
            return self.read(row)
        except JournalError:
            return self._entry(row, None)

    def _entry(self, row: tuple[Any, ...], message: Message | None) -> Entry:
        try:
            return self._made(row, message)
        except _DAMAGE as error:
            told = f"{type(error).__name__}: {error}"
            raise JournalError(f"delivery {row[0]} cannot be understood: {told}") from error

    def _made(self, row: tuple[Any, ...], message: Message | None) -> Entry:
        (delivery_id, _, message_id, number, priority, stage, due_at, deadline_at) = row[:8]
        (owner, lease, wish, created_at, config, route, recipient, plan, progress) = row[8:17]
        planned = read_plan(
            loads(plan),
            message,
            delivery_id=delivery_id,
            message_id=message_id,
            recipient=ERASED if recipient is None else read_contact(loads(recipient)),
            route=route,
            types=self._types,
        )
        return Entry(
            message=message or GONE,
            plan=planned,
            progress=read_progress(loads(progress), planned),
            config=config,
            created_at=moment_of(created_at),
            number=number,
            priority=Priority(priority),
            deadline_at=None if deadline_at is None else moment_of(deadline_at),
            stage=Stage(stage),
            due_at=None if due_at is None else moment_of(due_at),
            owner=owner,
            lease=lease,
            wish=None if wish is None else Wish(wish),
        )

    def _message(self, content: str) -> Message:
        try:
            return self._messages.read(loads(self._seal.opened(content)))
        except (MessageError, PluginError, *_DAMAGE) as error:
            raise JournalError(f"a stored message cannot be made again: {error}") from error
