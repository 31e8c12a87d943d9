"""How far each provider has been asked for what came in, in the journal's database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import attrs

from notify_core.journal.database import Database
from notify_core.journal.dialects import lock_provider, tell_workers
from notify_core.journal.enlist import Executor
from notify_core.journal.rows import has_come, milliseconds, moment_of

LEAST_PAUSE: Final = timedelta(seconds=20)
"""A provider is never asked more often than this, however many calls hint that it should be."""

_ADD: Final = """
INSERT INTO notify_cursors (provider, after, asked_at, told_until, due_at, owner)
VALUES (:provider, NULL, NULL, NULL, :due_at, NULL)
ON CONFLICT (provider) DO NOTHING RETURNING provider
"""

_SOONER: Final = """
UPDATE notify_cursors SET due_at = :due_at
WHERE provider = :provider AND (due_at IS NULL OR due_at > :due_at)
"""

_ASKED_AT: Final = "SELECT asked_at FROM notify_cursors WHERE provider = :provider"

_DUE: Final = "SELECT provider, due_at FROM notify_cursors WHERE due_at IS NOT NULL"

# One row, so that nobody passes: who waits for it finds that it is not due any more.
_CLAIM: Final = """
UPDATE notify_cursors SET owner = :owner, asked_at = :now, due_at = :until
WHERE provider = :provider AND due_at <= :now
RETURNING after, told_until
"""

# One that is due before the lease has ended was hurried meanwhile: what there is may have come
# after the provider was asked.
_MOVE: Final = """
UPDATE notify_cursors SET after = :after, owner = NULL,
    told_until = COALESCE(CAST(:told_until AS BIGINT), told_until),
    due_at = CASE
        WHEN due_at < :until AND (CAST(:next AS BIGINT) IS NULL OR due_at < :next) THEN due_at
        ELSE CAST(:next AS BIGINT)
    END
WHERE provider = :provider AND owner = :owner
RETURNING provider
"""


@attrs.frozen(kw_only=True)
class Cursor:
    """A provider that somebody is about to ask, at ``asked_at``, for what is behind ``after``.

    What was said before ``told_until`` was told in answer to earlier questions; None if nobody
    knows. ``until`` is the end of the lease.
    """

    provider: str
    after: str | None
    asked_at: datetime
    told_until: datetime | None
    owner: str
    until: datetime


class CursorStore:
    """Says when a provider is asked, and how far it has been. Raises ``JournalError``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def plan(self, provider: str, now: datetime, pause: timedelta) -> None:
        """Have a provider asked: now if it never was, and else no later than after a pause."""

        def work(executor: Executor) -> None:
            if not executor.execute(_ADD, _due(provider, now)):
                executor.execute(_SOONER, _due(provider, now + pause))

        self._database.write(work)

    def hurry(self, provider: str, now: datetime) -> datetime:
        """Have a provider asked soon; return when, at the latest.

        That is at once, unless it was asked less than ``LEAST_PAUSE`` before.
        """

        def work(executor: Executor) -> datetime:
            lock_provider(executor, provider)
            if executor.execute(_ADD, _due(provider, now)):
                soon = now
            else:
                ((asked_at,),) = executor.execute(_ASKED_AT, {"provider": provider})
                soon = _soonest(asked_at, now)
                executor.execute(_SOONER, _due(provider, soon))
            tell_workers(executor)
            return soon

        return self._database.write(work)

    def claim(self, provider: str, owner: str, now: datetime, until: datetime) -> Cursor | None:
        """Lease the cursor of a provider if it is due; None if it is not."""
        due = self.due().get(provider)
        if due is None or not has_come(due, now):
            return None
        given = {
            "provider": provider,
            "owner": owner,
            "now": milliseconds(now),
            "until": milliseconds(until),
        }
        rows = self._database.write(lambda executor: executor.execute(_CLAIM, given))
        if not rows:
            return None
        ((after, told_until),) = rows
        return Cursor(
            provider=provider,
            after=after,
            asked_at=now,
            told_until=None if told_until is None else moment_of(told_until),
            owner=owner,
            until=until,
        )

    def move(
        self,
        cursor: Cursor,
        after: str | None,
        next_at: datetime | None,
        keep: Callable[[Executor], list[str]],
        *,
        has_told_all: bool = False,
    ) -> list[str]:
        """Give up a leased cursor, which stands behind ``after`` now and is due at ``next_at``.

        ``keep`` keeps what the provider has told, in the same transaction; what it returns is
        returned. Neither is done if the lease is somebody else's by now, who is told the same.
        """
        given = _given(cursor, after, next_at) | {
            "told_until": milliseconds(cursor.asked_at) if has_told_all else None
        }

        def work(executor: Executor) -> list[str]:
            lock_provider(executor, cursor.provider)
            moved = executor.execute(_MOVE, given)
            return keep(executor) if moved else []

        return self._database.write(work)

    def due(self) -> dict[str, datetime]:
        """Return when each provider is to be asked; those that are not are left out."""
        rows = self._database.read(lambda executor: executor.execute(_DUE, {}))
        return {provider: moment_of(due_at) for provider, due_at in rows}


def _due(provider: str, due_at: datetime) -> dict[str, object]:
    return {"provider": provider, "due_at": milliseconds(due_at)}


def _soonest(asked_at: int | None, now: datetime) -> datetime:
    return now if asked_at is None else max(now, moment_of(asked_at) + LEAST_PAUSE)


def _given(cursor: Cursor, after: str | None, next_at: datetime | None) -> dict[str, object]:
    return {
        "provider": cursor.provider,
        "owner": cursor.owner,
        "until": milliseconds(cursor.until),
        "after": after,
        "next": None if next_at is None else milliseconds(next_at),
    }
