"""What people sent to us, in the journal's database: kept once, handed out to be told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias

import attrs

from notify_core.callback import Incoming, IncomingKind
from notify_core.ids import new_id
from notify_core.journal.database import Database
from notify_core.journal.dialects import among_due, lock_provider, tell_workers
from notify_core.journal.enlist import Executor
from notify_core.journal.received import (
    COLUMNS,
    WITH_FAILURES,
    Received,
    Standing,
    Wanted,
    content_of,
    received_of,
    told_of,
)
from notify_core.journal.rows import ids_between, milliseconds, moment_of, storable
from notify_core.journal.seal import Seal
from notify_core.journal.sightings import (
    LONG_AGO,
    REACH,
    WINDOW,
    Sighting,
    same_as,
    says_the_same,
    time_of,
)

Companion: TypeAlias = Callable[[Executor, str, Incoming, str | None], None]
"""Writes what belongs to a message that is new: its id, the message, the delivery it answers.

It may be called again for what was not committed, so it must do nothing but execute statements.
"""

_ADD: Final = """
INSERT INTO notify_incoming (
    id, fingerprint, provider, kind, channel, sender, content, received_at, delivery_id, tries,
    due_at, owner, told
) VALUES (
    :id, :fingerprint, :provider, :kind, :channel, :sender, :content, :received_at, :delivery_id,
    0, :due_at, NULL, NULL
)
"""

_KNOWN: Final = "SELECT 1 FROM notify_incoming WHERE fingerprint = :fingerprint"

_NEAR: Final = f"""
SELECT {COLUMNS} FROM notify_incoming
WHERE sender = :sender AND provider = :provider AND kind = :kind AND content IS NOT NULL
    AND received_at >= :since AND received_at <= :until
"""

_GONE: Final = """
SELECT 1 FROM notify_incoming
WHERE sender = :sender AND provider = :provider AND kind = :kind AND content IS NULL
LIMIT 1
"""

_LEARN: Final = """
UPDATE notify_incoming SET fingerprint = :fingerprint, channel = :channel, content = :content,
    received_at = :received_at
WHERE id = :id
"""

_DELIVERED: Final = """
SELECT id FROM notify_deliveries WHERE outcome = 'accepted'
    AND id IN (SELECT delivery_id FROM notify_addresses WHERE address = :address)
ORDER BY id DESC LIMIT :most
"""

_IS_DUE: Final = "SELECT 1 FROM notify_incoming WHERE due_at <= :now LIMIT 1"

_DUE: Final = """
    SELECT id FROM notify_incoming WHERE due_at <= :now ORDER BY due_at, id LIMIT 1
"""

_AMONG_DUE: Final = among_due(_DUE)

_CLAIM: Final = f"""
UPDATE notify_incoming SET owner = :owner, tries = tries + 1, due_at = :until WHERE id {{among}}
RETURNING {COLUMNS}
"""

_SETTLE: Final = """
UPDATE notify_incoming SET owner = NULL, due_at = CAST(:due_at AS BIGINT), told = :told,
    content = CASE WHEN :keeps = 1 OR CAST(:due_at AS BIGINT) IS NOT NULL THEN content END
WHERE id = :id AND owner = :owner AND tries = :tries
RETURNING id
"""

_REPEAT: Final = """
UPDATE notify_incoming SET owner = NULL, due_at = :now, tries = 0, told = :told
WHERE id = :id AND due_at IS NULL
RETURNING id
"""

_NEXT_DUE: Final = "SELECT min(due_at) FROM notify_incoming WHERE due_at IS NOT NULL"

_LOAD: Final = f"SELECT {COLUMNS} FROM notify_incoming WHERE id = :id"

_SEARCH: Final = f"""
SELECT {COLUMNS} FROM notify_incoming
WHERE id < :below AND id >= :above {{conditions}}
ORDER BY id DESC LIMIT :most
"""

_CONDITIONS: Final = {
    "sender": "sender = :sender",
    "provider": "provider = :provider",
    "kind": "kind = :kind",
    "delivery_id": "delivery_id = :delivery_id",
}

# Words and not parameters, so that the partial index serves.
_IN_STANDING: Final = {
    Standing.WAITING: "due_at IS NOT NULL",
    Standing.TOLD: "due_at IS NULL AND COALESCE(told, '') NOT LIKE :failures",
    Standing.GIVEN_UP: "due_at IS NULL AND told LIKE :failures",
}


def _from_sender(told: Sighting, since: datetime, until: datetime) -> dict[str, object]:
    return {
        "sender": told.incoming.sender,
        "provider": told.incoming.provider,
        "kind": told.incoming.kind.value,
        "since": milliseconds(since),
        "until": milliseconds(until),
    }


class IncomingStore:
    """Keeps what came in, hands it out, and is told who has heard. Raises ``JournalError``."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal
        self._claim = _CLAIM.format(among=_AMONG_DUE[database.dialect])
        # A journal that must hold no texts holds them until the application has been told.
        self._keeps_texts = seal.closed("") is not None
        self._companions: list[Companion] = []

    def accompany(self, companion: Companion) -> None:
        """Have ``companion`` write beside all that is new, in the same transaction."""
        self._companions.append(companion)

    # --- keeping ----------------------------------------------------------------------------

    def add(self, sightings: Sequence[Sighting], now: datetime) -> list[str]:
        """Keep what is new; return the ids of that."""
        added: list[str] = []

        def work(executor: Executor) -> None:
            added[:] = self.added(executor, sightings, now)

        self._database.write(work)
        return added

    def added(self, executor: Executor, sightings: Sequence[Sighting], now: datetime) -> list[str]:
        """Keep what is new, within a transaction; return the ids of that."""
        # Whoever adds looks first whether it is known: one at a time for a provider.
        # In one order, whoever adds them: who waits for another must not be waited for.
        for provider in sorted({each.incoming.provider for each in sightings}):
            lock_provider(executor, provider)
        # In the order in which they were told, also within one millisecond.
        names = sorted(new_id() for _ in sightings)
        ids = [
            self._added(executor, name, _storable(each), now)
            for name, each in zip(names, sightings, strict=True)
        ]
        added = [each for each in ids if each is not None]
        if added:
            tell_workers(executor)
        return added

    def _added(
        self, executor: Executor, received_id: str, told: Sighting, now: datetime
    ) -> str | None:
        """Keep one, if it is new; what is known may learn its id."""
        mark = told.fingerprint
        if mark is not None and executor.execute(_KNOWN, {"fingerprint": mark}):
            return None
        near = self._near(executor, told)
        known = same_as(told, near.values())
        if known is None:
            executor.execute(_ADD, self._row(received_id, told, now))
            for companion in self._companions:
                companion(executor, received_id, told.incoming, told.delivery_id)
            return received_id
        if mark is not None:
            known_id = next(each for each, sighting in near.items() if sighting is known)
            executor.execute(_LEARN, self._row(known_id, _learned(told, known), now))
        return None

    def may_be_said_before(self, told: Sighting) -> bool:
        """Tell whether what is told now, without a name, may be what was told before.

        That is so if the same sender said the same longer ago than one message is told twice, or
        something of which the text is kept no more.
        """
        if not self._keeps_texts:
            return True
        given = _from_sender(told, LONG_AGO, told.at - WINDOW)

        def work(executor: Executor) -> tuple[bool, Sequence[tuple[Any, ...]]]:
            return bool(executor.execute(_GONE, given)), executor.execute(_NEAR, given)

        is_any_gone, rows = self._database.read(work)
        return is_any_gone or any(
            each.problem is not None or says_the_same(told.incoming, each.incoming)
            for each in (received_of(row, self._seal) for row in rows)
        )

    def _near(self, executor: Executor, told: Sighting) -> Mapping[str, Sighting]:
        """Return, by id, what the same sender sent at about that time.

        One that has an id and no time can be of any time that a provider can be asked for.
        """
        since = told.at - (WINDOW if time_of(told.incoming) or not told.fingerprint else REACH)
        given = _from_sender(told, since, told.at + WINDOW)
        found = (received_of(row, self._seal) for row in executor.execute(_NEAR, given))
        return {
            each.id: Sighting(incoming=each.incoming, at=each.at, since=each.since)
            for each in found
            if each.problem is None
        }

    def _row(self, received_id: str, told: Sighting, now: datetime) -> dict[str, object]:
        incoming = told.incoming
        text = content_of(told)
        return {
            "id": received_id,
            "fingerprint": told.fingerprint or received_id,
            "provider": incoming.provider,
            "kind": incoming.kind.value,
            "channel": incoming.channel,
            "sender": incoming.sender,
            "content": self._seal.closed(text) if self._keeps_texts else text,
            "received_at": milliseconds(told.at),
            "delivery_id": told.delivery_id,
            "due_at": milliseconds(now),
        }

    # --- telling ----------------------------------------------------------------------------

    def claim(self, owner: str, now: datetime, until: datetime) -> Received | None:
        """Lease the one that has been due for longest, and count the try; None if none is due."""
        given = {"owner": owner, "now": milliseconds(now), "until": milliseconds(until)}
        if not self._database.read(lambda executor: executor.execute(_IS_DUE, given)):
            return None
        rows = self._database.write(lambda executor: executor.execute(self._claim, given))
        return received_of(rows[0], self._seal) if rows else None

    def settle(self, received: Received, again_at: datetime | None) -> bool:
        """Write who has been told of one that is leased, and when the others are told again.

        False if the lease is somebody else's by now.
        """
        given = {
            "id": received.id,
            "owner": received.owner,
            "tries": received.tries,
            "due_at": None if again_at is None else milliseconds(again_at),
            "told": told_of(received),
            "keeps": int(self._keeps_texts),
        }
        return bool(self._database.write(lambda executor: executor.execute(_SETTLE, given)))

    def repeat(self, received: Received, now: datetime) -> bool:
        """Make one due again for those who failed; False if it is due anyway."""
        kept = attrs.evolve(received, failed={})
        given = {"id": received.id, "now": milliseconds(now), "told": told_of(kept)}

        def work(executor: Executor) -> bool:
            tell_workers(executor)
            return bool(executor.execute(_REPEAT, given))

        return self._database.write(work)

    def next_due(self) -> datetime | None:
        """Return when somebody is to be told next, or None."""
        ((due,),) = self._database.read(lambda executor: executor.execute(_NEXT_DUE, {}))
        return None if due is None else moment_of(due)

    # --- asking -----------------------------------------------------------------------------

    def delivered(self, address: str, most: int) -> list[str]:
        """Return the ids of the last deliveries to an address that were accepted."""
        given = {"address": address, "most": most}
        rows = self._database.read(lambda executor: executor.execute(_DELIVERED, given))
        return [row[0] for row in rows]

    def load(self, received_id: str) -> Received | None:
        """Return one as it stands, or None if there is none."""
        rows = self._database.read(lambda executor: executor.execute(_LOAD, {"id": received_id}))
        return received_of(rows[0], self._seal) if rows else None

    def search(self, wanted: Wanted) -> Sequence[Received]:
        """Return what is looked for, the newest first."""
        given: dict[str, object] = {
            **ids_between(wanted.after, wanted.before, wanted.after_id),
            "most": wanted.limit,
        }
        conditions = []
        for name, condition in _CONDITIONS.items():
            value = getattr(wanted, name)
            if value is not None:
                given[name] = value.value if isinstance(value, IncomingKind) else value
                conditions.append(f"AND {condition}")
        if wanted.standing is not None:
            conditions.append(f"AND {_IN_STANDING[wanted.standing]}")
            given["failures"] = WITH_FAILURES
        statement = _SEARCH.format(conditions=" ".join(conditions))
        rows = self._database.read(lambda executor: executor.execute(statement, given))
        return [received_of(row, self._seal) for row in rows]


def _storable(told: Sighting) -> Sighting:
    """Return what a plugin gives with texts that every database takes, and gives back so."""
    given = told.incoming
    plain = attrs.evolve(
        given,
        sender=storable(given.sender),
        text=storable(given.text),
        channel=storable(given.channel),
        to=None if given.to is None else storable(given.to),
        provider_id=None if given.provider_id is None else storable(given.provider_id),
    )
    return attrs.evolve(told, incoming=plain)


def _learned(told: Sighting, known: Sighting) -> Sighting:
    """Return what is told now of a message that is known, with the better one of two times."""
    if time_of(told.incoming) is not None:
        return told
    return attrs.evolve(told, at=known.at, since=known.since)
