"""What the journal keeps: a delivery with all that is needed to carry it on."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import datetime, timedelta

import attrs

from notify_core.contact import Contact
from notify_core.delivery import Delivery, Stage, stage_after
from notify_core.message import Message, Priority
from notify_core.progress import Progress, Wish, overall, standing
from notify_core.routing import Plan

ERASED = Contact(other={"erased": "erased"})
"""Stands for a recipient whose addresses are no longer kept."""


@attrs.frozen
class Key:
    """An application's idempotency key and what it stands for.

    ``content_id`` is the id of the first delivery, ``fingerprint`` that of what the message says;
    the key is remembered until ``until``.
    """

    key: str
    message_id: str
    content_id: str
    fingerprint: str
    until: datetime


@attrs.frozen(kw_only=True)
class Entry:
    """One delivery as the journal has it.

    ``message`` is what the application gave. ``config`` is the hash of the configuration under
    which it was planned. No attempt begins after ``deadline_at``. ``due_at`` is when something is
    to be done; while somebody carries it on (``owner``), that is the end of the lease. ``lease``
    counts the leases: whoever writes under an old one is not heard. 0 is an entry that nobody has
    written yet; only such a one has a ``key``.
    """

    message: Message
    plan: Plan
    progress: Progress
    config: str
    created_at: datetime
    number: int = 1
    priority: Priority = Priority.NORMAL
    deadline_at: datetime | None = None
    stage: Stage = Stage.UNDER_WAY
    due_at: datetime | None = None
    owner: str | None = None
    lease: int = 0
    wish: Wish | None = None
    key: Key | None = None

    @property
    def id(self) -> str:
        """The id of the delivery."""
        return self.plan.delivery_id

    @property
    def begins_at(self) -> datetime:
        """When the first attempt may begin: when it was made, or at its appointed time."""
        return max(self.created_at, self.message.send_at or self.created_at)


def delivery_of(entry: Entry) -> Delivery:
    """Return how a delivery stands, as applications see it."""
    plan, legs = entry.plan, standing(entry.plan, entry.progress)
    outcome = overall(plan.mode, legs)
    # One in doubt that somebody has cancelled has ended, though nobody knows how.
    is_decided = entry.stage is Stage.ENDED or not entry.progress.ended
    stage = entry.stage if is_decided else stage_after(outcome)
    return Delivery(
        id=plan.delivery_id,
        message_id=plan.message_id,
        recipient=plan.recipient,
        route=plan.route,
        legs=legs,
        outcome=outcome,
        warnings=plan.warnings,
        all_of=plan.all_of,
        stage=stage,
        next_at=entry.due_at if stage is Stage.UNDER_WAY else None,
    )


class KeyTaken(Exception):
    """Keys of messages to be added belong to others, the ``holders``. Nothing was written."""

    def __init__(self, holders: Sequence[Key]) -> None:
        self.holders = tuple(holders)
        super().__init__(", ".join(holder.key for holder in holders))


@attrs.frozen(kw_only=True)
class Filter:
    """Which deliveries are looked for; what is None does not matter. The newest come first.

    ``outcome`` is the word of the outcome (``accepted``, ``not_sent``, …). ``before`` and
    ``after`` are about when the delivery was made; an ``after_id`` goes on after the delivery
    that came last.
    """

    stage: Stage | None = None
    outcome: str | None = None
    route: str | None = None
    provider: str | None = None
    address: str | None = None
    message_id: str | None = None
    after: datetime | None = None
    before: datetime | None = None
    after_id: str | None = None
    limit: int = 50


class Part(enum.Enum):
    """What of old deliveries is purged, the most private first."""

    TEXT = "text"
    """What the messages say."""
    NUMBERS = "numbers"
    """The addresses of the recipients, and the providers' raw answers."""
    ROWS = "rows"
    """The deliveries themselves."""


@attrs.frozen(kw_only=True)
class Backlog:
    """How much there is to do: what is due and how late the oldest of it is."""

    under_way: int
    due: int
    held: int
    oldest_due: timedelta | None
