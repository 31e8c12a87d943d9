"""What addresses of the application are told: a row for each thing, until long after it is told."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import attrs

from notify_core.journal.database import Database
from notify_core.journal.dialects import among_due, tell_workers
from notify_core.journal.enlist import Executor
from notify_core.journal.rows import milliseconds, moment_of

_PAGE: Final = 500

# Of an address that is gone there is a row with -1 tries, which hinders any other.
_ADD: Final = """
INSERT INTO notify_webhooks (id, url, body, created_at, tries, due_at, about, standing, since)
SELECT CAST(:id AS TEXT), CAST(:url AS TEXT), CAST(:body AS TEXT), CAST(:now AS BIGINT), 0,
    CAST(:now AS BIGINT), CAST(:about AS TEXT), CAST(:standing AS TEXT), CAST(:since AS BIGINT)
WHERE NOT EXISTS (SELECT 1 FROM notify_webhooks WHERE id = :gone)
ON CONFLICT (id) DO NOTHING
RETURNING id
"""

_LAST: Final = """
SELECT standing, since FROM notify_webhooks WHERE about = :about AND url = :url
ORDER BY since DESC LIMIT 1
"""

_DUE_AT_URL: Final = """
    SELECT id FROM notify_webhooks WHERE url = :url AND due_at <= :now
    ORDER BY due_at LIMIT :most
"""

_AMONG_DUE: Final = among_due(_DUE_AT_URL)

_CLAIM: Final = """
UPDATE notify_webhooks SET owner = :owner, due_at = :until
WHERE id {among}
RETURNING id, body, created_at, tries
"""

# By whoever has it alone: what another worker has taken over is for that one to say.
_SETTLE: Final = """
UPDATE notify_webhooks SET
    due_at = CAST(:due_at AS BIGINT), body = CASE WHEN :told = 1 THEN NULL ELSE body END,
    answer = :answer, tries = tries + 1, owner = NULL
WHERE id = :id AND owner = :owner
"""

_ADD_GONE: Final = """
INSERT INTO notify_webhooks (id, url, created_at, tries, answer)
VALUES (:gone, :url, :now, -1, :answer)
ON CONFLICT (id) DO NOTHING
"""

_GIVE_ALL_UP: Final = """
UPDATE notify_webhooks SET due_at = NULL, owner = NULL, answer = :answer
WHERE url = :url AND due_at IS NOT NULL
"""

_NEXT_DUE: Final = """
SELECT min(due_at) FROM notify_webhooks WHERE url = :url AND due_at IS NOT NULL
"""

_SELECT: Final = """
SELECT id, url, created_at, tries, due_at, answer, body FROM notify_webhooks
WHERE {condition} ORDER BY created_at DESC, id LIMIT :most
"""

# Its time begins anew, and with it the intervals.
_RETRY: Final = """
UPDATE notify_webhooks SET due_at = :now, created_at = :now, tries = 0
WHERE due_at IS NULL AND body IS NOT NULL AND {which}
RETURNING url
"""

_FORGET_GONE: Final = "DELETE FROM notify_webhooks WHERE tries < 0 AND url = :url"

_PURGE: Final = """
DELETE FROM notify_webhooks WHERE id IN (
    SELECT id FROM notify_webhooks WHERE created_at < :before AND {condition} LIMIT :most
)
RETURNING id
"""


class Telling(enum.Enum):
    """How far something is with being told."""

    WAITING = "waiting"
    """It is told when its time has come."""
    GIVEN_UP = "given_up"
    """It is not told any more, unless somebody says so."""
    TOLD = "told"
    """The address has said that it has it."""
    GONE = "gone"
    """It is no such thing, but an address that wants to be told nothing any more."""


_IN_TELLING: Final = {
    Telling.WAITING: "due_at IS NOT NULL",
    Telling.GIVEN_UP: "due_at IS NULL AND body IS NOT NULL",
    Telling.TOLD: "due_at IS NULL AND body IS NULL AND tries >= 0",
    Telling.GONE: "tries < 0",
}


@attrs.frozen(kw_only=True)
class Claimed:
    """Something that is due, and leased. ``begun_at`` is since when it is being told."""

    id: str
    body: str = attrs.field(repr=False)
    begun_at: datetime
    tries: int


@attrs.frozen(kw_only=True)
class Told:
    """How something stands: how often it was tried, and what the address answered last."""

    id: str
    url: str = attrs.field(repr=False)
    telling: Telling
    begun_at: datetime
    tries: int
    due_at: datetime | None
    answer: str | None


@attrs.frozen(kw_only=True)
class StandingSince:
    """What an address is told: that something has this ``standing``, and ``since`` when.

    ``since`` is in milliseconds, and greater for each standing of one thing than for the last.
    """

    about: str
    standing: str
    since: int


class WebhookStore:
    """The rows of ``notify_webhooks``. ``JournalError`` is raised as the journal raises it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._claim = _CLAIM.format(among=_AMONG_DUE[database.dialect])

    def last(self, executor: Executor, url: str, about: str) -> StandingSince | None:
        """Return what an address was told last, or is still to be told, of something."""
        rows = executor.execute(_LAST, {"url": url, "about": about})
        return next(
            (StandingSince(about=about, standing=row[0], since=row[1]) for row in rows), None
        )

    def add(
        self,
        executor: Executor,
        url: str,
        event_id: str,
        stands: StandingSince,
        body: str,
        now: datetime,
    ) -> None:
        """Have an address told something, once whatever may come, in a transaction under way."""
        given = {"id": event_id, "url": url, "body": body, "now": milliseconds(now)}
        given |= attrs.asdict(stands) | {"gone": _gone(url)}
        if executor.execute(_ADD, given):
            tell_workers(executor)

    def next_due(self, url: str) -> datetime | None:
        """Return when there is something to tell an address; None if there is nothing."""
        rows = self._database.read(lambda executor: executor.execute(_NEXT_DUE, {"url": url}))
        return None if rows[0][0] is None else moment_of(rows[0][0])

    def claim(
        self, url: str, owner: str, now: datetime, until: datetime, most: int
    ) -> Sequence[Claimed]:
        """Lease some of what is due for an address, what is due longest first."""
        given = {
            "url": url,
            "owner": owner,
            "now": milliseconds(now),
            "until": milliseconds(until),
            "most": most,
        }
        rows = self._database.write(lambda executor: executor.execute(self._claim, given))
        return [
            Claimed(id=row[0], body=row[1], begun_at=moment_of(row[2]), tries=row[3])
            for row in rows
        ]

    def settle(
        self, event_id: str, owner: str, answer: str, telling: Telling, due_at: datetime | None
    ) -> None:
        """Say what came of telling something that is leased."""
        given = {
            "id": event_id,
            "owner": owner,
            "answer": answer,
            "told": int(telling is Telling.TOLD),
            "due_at": None if due_at is None else milliseconds(due_at),
        }
        self._database.write(lambda executor: executor.execute(_SETTLE, given))

    def give_url_up(self, url: str, answer: str, now: datetime) -> None:
        """Tell an address nothing any more, neither what waits nor what is still to come."""
        given = {"url": url, "gone": _gone(url), "answer": answer, "now": milliseconds(now)}

        def work(executor: Executor) -> None:
            executor.execute(_ADD_GONE, given)
            executor.execute(_GIVE_ALL_UP, {"url": url, "answer": answer})

        self._database.write(work)

    def retry(self, now: datetime, *, url: str, event_id: str | None = None) -> int:
        """Begin anew with what was given up at an address, or with one of it.

        An address that was gone is told again. Returns how many have begun anew.
        """
        which = "url = :url" if event_id is None else "url = :url AND id = :id"
        given = {"now": milliseconds(now), "url": url}
        given |= {} if event_id is None else {"id": event_id}

        def work(executor: Executor) -> int:
            executor.execute(_FORGET_GONE, {"url": url})
            rows = executor.execute(_RETRY.format(which=which), given)
            if rows:
                tell_workers(executor)
            return len(rows)

        return self._database.write(work)

    def find(self, event_id: str) -> Told | None:
        """Return how something stands, or None if there is no such thing."""
        return next(iter(self._found("id = :id", id=event_id, most=1)), None)

    def all(self, telling: Telling, most: int) -> Sequence[Told]:
        """Return what stands so, the newest first."""
        return self._found(_IN_TELLING[telling], most=most)

    def purge(self, told_before: datetime, others_before: datetime) -> int:
        """Remove what was told, and what nobody tells any more, if it was begun before then."""
        return self._purge(_IN_TELLING[Telling.TOLD], told_before) + self._purge(
            "1 = 1", others_before
        )

    def _found(self, condition: str, **given: object) -> Sequence[Told]:
        statement = _SELECT.format(condition=condition)
        return [
            _told(row)
            for row in self._database.read(lambda executor: executor.execute(statement, given))
        ]

    def _purge(self, condition: str, before: datetime) -> int:
        given = {"before": milliseconds(before), "most": _PAGE}
        statement = _PURGE.format(condition=condition)
        purged = 0
        while rows := self._database.write(lambda executor: executor.execute(statement, given)):
            purged += len(rows)
        return purged


def _told(row: tuple[Any, ...]) -> Told:
    event_id, url, begun_at, tries, due_at, answer, body = row
    return Told(
        id=event_id,
        url=url,
        telling=_telling(tries, due_at, body),
        begun_at=moment_of(begun_at),
        tries=max(tries, 0),
        due_at=None if due_at is None else moment_of(due_at),
        answer=answer,
    )


def _telling(tries: int, due_at: int | None, body: str | None) -> Telling:
    if tries < 0:
        return Telling.GONE
    if due_at is not None:
        return Telling.WAITING
    return Telling.TOLD if body is None else Telling.GIVEN_UP


def _gone(url: str) -> str:
    return f"gone {url}"
