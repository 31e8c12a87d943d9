"""What is followed after a provider has taken it: the table of tracks.

There is one track for each leg that a provider has taken or may have taken. It says by which ids
the provider knows the message, and when somebody asks next what became of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import attrs

from notify_core.clock import Clock
from notify_core.delivery import Attempt
from notify_core.journal.database import Database
from notify_core.journal.dialects import among_due
from notify_core.journal.enlist import Executor
from notify_core.journal.model import ERASED, Entry
from notify_core.journal.rows import milliseconds, moment_of
from notify_core.outcome import Accepted, Receipt, Unknown
from notify_core.progress import telling_attempt


@attrs.frozen(kw_only=True)
class Track:
    """A message that a provider has taken, as it is followed.

    It is asked about until ``follow_until``; it was asked about ``asked`` times, at last at
    ``asked_at``.
    """

    own_id: str
    delivery_id: str
    provider: str
    since: datetime
    follow_until: datetime
    asked: int = 0
    asked_at: datetime | None = None


@attrs.frozen(kw_only=True)
class Asked:
    """What follows for a track from a question: when the next one is, None if there is none.

    One that could not be put does not count.
    """

    own_id: str
    asked_at: datetime | None
    poll_at: datetime | None
    counts: bool = True


_ADD: Final = """
INSERT INTO notify_tracks (
    own_id, delivery_id, provider, provider_id, address, since, follow_until, asked, poll_at
) VALUES (
    :own_id, :delivery_id, :provider, :provider_id, :address, :since, :follow_until, 0, :poll_at
)
ON CONFLICT (own_id) DO UPDATE SET
    provider = excluded.provider,
    provider_id = COALESCE(excluded.provider_id, notify_tracks.provider_id),
    poll_at = COALESCE(notify_tracks.poll_at, CASE
        WHEN notify_tracks.asked = 0 THEN excluded.poll_at
    END)
WHERE (notify_tracks.provider_id IS NULL AND excluded.provider_id IS NOT NULL)
    OR (notify_tracks.asked = 0 AND notify_tracks.poll_at IS NULL AND excluded.poll_at IS NOT NULL)
"""

_COLUMNS: Final = "own_id, delivery_id, provider, since, follow_until, asked, asked_at"

_FIND: Final = f"""
SELECT {_COLUMNS} FROM notify_tracks
WHERE provider = :provider AND (
    own_id = :own_id OR (provider_id = :provider_id AND address IN (:address, :with_plus))
)
"""

_DUE: Final = """
    SELECT own_id FROM notify_tracks
    WHERE provider = :provider AND poll_at <= :now
    ORDER BY poll_at LIMIT :most
"""
_AMONG_DUE: Final = among_due(_DUE)
_CLAIM: Final = f"""
UPDATE notify_tracks SET owner = :owner, poll_at = :until
WHERE own_id {{among}}
RETURNING {_COLUMNS}
"""

_ASKED: Final = """
UPDATE notify_tracks SET
    owner = NULL, asked = asked + :counts, asked_at = :asked_at, poll_at = :poll_at
WHERE own_id = :own_id AND owner = :owner
"""

# Whoever is asking just now learns what the hint is about. Hints let nobody ask more often, and
# put no question off that is due before.
_SOON: Final = """
UPDATE notify_tracks SET poll_at = CASE
    WHEN poll_at <= :now OR poll_at <= asked_at + :least THEN poll_at
    WHEN asked_at IS NOT NULL AND asked_at + :least > :now THEN asked_at + :least
    ELSE CAST(:now AS BIGINT)
END
WHERE own_id = :own_id AND owner IS NULL
"""

_NEXT: Final = """
SELECT min(poll_at) FROM notify_tracks WHERE provider = :provider AND poll_at IS NOT NULL
"""

FORGET: Final = """
UPDATE notify_tracks SET
    provider_id = NULL, address = NULL, poll_at = NULL, owner = NULL, asked = asked + 1
WHERE delivery_id = :id
"""
"""Removes by what a provider knows the messages of a delivery; nobody asks any more."""

DROP: Final = "DELETE FROM notify_tracks WHERE delivery_id = :id"


class Tracks:
    """The tracks of a journal.

    ``first_poll_s`` is, by provider, how long after it has taken a message it is asked first; a
    provider that is not named is never asked. What is taken is followed for ``follow`` at most.
    """

    def __init__(
        self,
        database: Database,
        first_poll_s: Mapping[str, float],
        follow: timedelta,
        clock: Clock,
    ) -> None:
        self._clock = clock
        self._database = database
        self._first_poll_s = first_poll_s
        self._follow = follow
        self._claim = _CLAIM.format(among=_AMONG_DUE[database.dialect])

    def note(self, executor: Executor, entry: Entry) -> None:
        """Begin to follow what has been taken since, in the transaction that writes it.

        A message is followed as long as it was worth delivering, and a little longer, since a
        receipt takes its time.
        """
        if entry.plan.recipient == ERASED:
            return
        rows = [self._row(entry, attempt) for attempt in _followed(entry)]
        executor.execute_many(_ADD, rows)

    def find(
        self, provider: str, own_id: str | None, provider_id: str | None, address: str
    ) -> Sequence[Track]:
        """Return the tracks that a provider can mean."""
        given = {
            "provider": provider,
            "own_id": own_id or "",
            "provider_id": provider_id or "",
            "address": address,
            "with_plus": f"+{address}",  # numbers are often told without it
        }
        rows = self._database.read(lambda executor: executor.execute(_FIND, given))
        return [_track(row) for row in rows]

    def claim(
        self, provider: str, owner: str, now: datetime, until: datetime, limit: int
    ) -> Sequence[Track]:
        """Take up to so many tracks that are due; until then nobody else gets them."""
        given = {
            "provider": provider,
            "owner": owner,
            "now": milliseconds(now),
            "until": milliseconds(until),
            "most": limit,
        }
        rows = self._database.write(lambda executor: executor.execute(self._claim, given))
        return [_track(row) for row in rows]

    def asked(self, owner: str, asked: Sequence[Asked]) -> None:
        """Note that somebody who had claimed them has asked."""
        rows = [
            {
                "own_id": each.own_id,
                "owner": owner,
                "counts": int(each.counts),
                "asked_at": None if each.asked_at is None else milliseconds(each.asked_at),
                "poll_at": None if each.poll_at is None else milliseconds(each.poll_at),
            }
            for each in asked
        ]
        self._database.write(lambda executor: executor.execute_many(_ASKED, rows))

    def ask_soon(self, own_ids: Sequence[str], now: datetime, least: timedelta) -> None:
        """Let these be asked about now, but no sooner than ``least`` after the last question."""
        rows = [
            {"own_id": own_id, "now": milliseconds(now), "least": least // _MILLISECOND}
            for own_id in own_ids
        ]
        self._database.write(lambda executor: executor.execute_many(_SOON, rows))

    def next_due(self) -> datetime | None:
        """Return when the next track is due."""

        def work(executor: Executor) -> list[int]:
            found = [
                executor.execute(_NEXT, {"provider": name})[0][0] for name in self._first_poll_s
            ]
            return [each for each in found if each is not None]

        due = self._database.read(work)
        return moment_of(min(due)) if due else None

    def _row(self, entry: Entry, attempt: Attempt) -> dict[str, object]:
        outcome = attempt.outcome
        is_taken = isinstance(outcome, Accepted)
        named = outcome.receipt if isinstance(outcome, Accepted) else attempt.answer
        provider_id = named.provider_id if isinstance(named, Receipt | Unknown) else None
        since = attempt.finished_at or attempt.started_at
        # Whoever carries on what is in doubt asks about it; a call may tell before.
        is_polled = is_taken or _was_given_up(entry, attempt)
        first_s = self._first_poll_s.get(attempt.provider) if is_polled else None
        follow = min(entry.message.valid_for or self._follow, self._follow)
        return {
            "own_id": attempt.own_id,
            "delivery_id": entry.id,
            "provider": attempt.provider,
            "provider_id": provider_id,
            "address": attempt.address,
            "since": milliseconds(since),
            "follow_until": milliseconds(since + follow + _GRACE),
            "poll_at": None
            if first_s is None
            else milliseconds(self._first_poll(attempt, since, first_s)),
        }

    def _first_poll(self, attempt: Attempt, since: datetime, first_s: float) -> datetime:
        is_plain = attempt.resolved is None and isinstance(attempt.answer, Accepted)
        if is_plain:
            return since + timedelta(seconds=first_s)
        # It was asked about a moment ago, and a provider has its limits.
        return self._clock.now() + timedelta(seconds=max(first_s, _AFTER_QUESTIONS_S))


_MILLISECOND = timedelta(milliseconds=1)
_GRACE = timedelta(hours=1)
_AFTER_QUESTIONS_S = 60.0


def _followed(entry: Entry) -> Iterator[Attempt]:
    """Yield the attempts that a provider has taken, or may have taken."""
    progress = entry.progress
    for result in progress.done:
        telling = telling_attempt(result.attempts)
        if telling is not None and isinstance(result.outcome, Accepted | Unknown):
            yield telling
    telling = telling_attempt(progress.attempts)
    if telling is not None and isinstance(telling.outcome, Accepted | Unknown):
        yield telling


def _was_given_up(entry: Entry, attempt: Attempt) -> bool:
    return any(attempt in leg.attempts and leg.given_up for leg in entry.progress.done)


def _track(row: tuple[Any, ...]) -> Track:
    own_id, delivery_id, provider, since, follow_until, asked, asked_at = row
    return Track(
        own_id=own_id,
        delivery_id=delivery_id,
        provider=provider,
        since=moment_of(since),
        follow_until=moment_of(follow_until),
        asked=asked,
        asked_at=None if asked_at is None else moment_of(asked_at),
    )
