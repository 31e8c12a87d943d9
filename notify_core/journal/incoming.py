"""What people sent to us, in the journal's database: kept once, handed out to be told."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

import attrs

from notify_core.callback import Incoming, IncomingKind, Trust
from notify_core.errors import JournalError
from notify_core.ids import first_id_of, new_id
from notify_core.journal import statements as sql
from notify_core.journal.codec import dumps, loads
from notify_core.journal.database import Database
from notify_core.journal.enlist import Dialect, Executor
from notify_core.journal.rows import milliseconds, moment_of
from notify_core.journal.seal import Seal
from notify_core.journal.sightings import (
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

_PAST_EVERY_ID: Final = "g"

# Whoever adds what a provider told looks first whether it is known: one at a time for a provider.
# On SQLite there is one writer anyway.
_LOCK: Final = {
    Dialect.SQLITE: "SELECT 1",
    Dialect.POSTGRESQL: (
        "SELECT pg_advisory_xact_lock(5511787, hashtext(CAST(:provider AS TEXT)))"
    ),
}

_COLUMNS: Final = (
    "id, provider, kind, channel, sender, content, received_at, delivery_id, tries, due_at, owner, "
    "told"
)

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
SELECT {_COLUMNS} FROM notify_incoming
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

# An array is made once; see AMONG_DUE of the deliveries.
_AMONG_DUE: Final = {
    Dialect.SQLITE: f"IN ({_DUE})",
    Dialect.POSTGRESQL: f"= ANY (ARRAY ({_DUE} FOR UPDATE SKIP LOCKED))",
}

_CLAIM: Final = f"""
UPDATE notify_incoming SET owner = :owner, tries = tries + 1, due_at = :until WHERE id {{among}}
RETURNING {_COLUMNS}
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

_LOAD: Final = f"SELECT {_COLUMNS} FROM notify_incoming WHERE id = :id"

_SEARCH: Final = f"""
SELECT {_COLUMNS} FROM notify_incoming
WHERE id < :below AND id >= :above {{conditions}}
ORDER BY id DESC LIMIT :most
"""

_CONDITIONS: Final = {
    "sender": "sender = :sender",
    "provider": "provider = :provider",
    "kind": "kind = :kind",
    "delivery_id": "delivery_id = :delivery_id",
}


class Standing(enum.Enum):
    """Whether those have been told who wanted to know of a message."""

    WAITING = "waiting"
    """Somebody is still to be told, now or after a pause."""
    TOLD = "told"
    """Everybody has been."""
    GIVEN_UP = "given_up"
    """Somebody failed each time. What failed is in ``failed``."""


# Words and not parameters, so that the partial index serves.
_IN_STANDING: Final = {
    Standing.WAITING: "due_at IS NOT NULL",
    Standing.TOLD: "due_at IS NULL AND COALESCE(told, '') NOT LIKE :failures",
    Standing.GIVEN_UP: "due_at IS NULL AND told LIKE :failures",
}
_WITH_FAILURES: Final = '{"failed":{"%'
"""What ``told`` begins with where somebody failed; the document is written with that key first."""


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


def _from_sender(told: Sighting, since: datetime, until: datetime) -> dict[str, object]:
    return {
        "sender": told.incoming.sender,
        "provider": told.incoming.provider,
        "kind": told.incoming.kind.value,
        "since": milliseconds(since),
        "until": milliseconds(until),
    }


LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Before anything was said."""


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
        if added and executor.dialect is Dialect.POSTGRESQL:
            executor.execute(sql.WAKE, {})
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
            for each in map(self.read, rows)
        )

    def _near(self, executor: Executor, told: Sighting) -> Mapping[str, Sighting]:
        """Return, by id, what the same sender sent at about that time.

        One that has an id and no time can be of any time that a provider can be asked for.
        """
        since = told.at - (WINDOW if time_of(told.incoming) or not told.fingerprint else REACH)
        given = _from_sender(told, since, told.at + WINDOW)
        found = (self.read(row) for row in executor.execute(_NEAR, given))
        return {
            each.id: Sighting(incoming=each.incoming, at=each.at, since=each.since)
            for each in found
            if each.problem is None
        }

    def _row(self, received_id: str, told: Sighting, now: datetime) -> dict[str, object]:
        incoming = told.incoming
        text = dumps(_doc(told))
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
        return self.read(rows[0]) if rows else None

    def settle(self, received: Received, again_at: datetime | None) -> bool:
        """Write who has been told of one that is leased, and when the others are told again.

        False if the lease is somebody else's by now.
        """
        given = {
            "id": received.id,
            "owner": received.owner,
            "tries": received.tries,
            "due_at": None if again_at is None else milliseconds(again_at),
            "told": _told(received),
            "keeps": int(self._keeps_texts),
        }
        return bool(self._database.write(lambda executor: executor.execute(_SETTLE, given)))

    def repeat(self, received: Received, now: datetime) -> bool:
        """Make one due again for those who failed; False if it is due anyway."""
        kept = attrs.evolve(received, failed={})
        given = {"id": received.id, "now": milliseconds(now), "told": _told(kept)}

        def work(executor: Executor) -> bool:
            if executor.dialect is Dialect.POSTGRESQL:
                executor.execute(sql.WAKE, {})
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
        return self.read(rows[0]) if rows else None

    def search(self, wanted: Wanted) -> Sequence[Received]:
        """Return what is looked for, the newest first."""
        given: dict[str, object] = {
            "below": wanted.after_id or _id_limit(wanted.before) or _PAST_EVERY_ID,
            "above": _id_limit(wanted.after) or "",
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
            given["failures"] = _WITH_FAILURES
        statement = _SEARCH.format(conditions=" ".join(conditions))
        rows = self._database.read(lambda executor: executor.execute(statement, given))
        return [self.read(row) for row in rows]

    def read(self, row: tuple[Any, ...]) -> Received:
        """Make one of a row: ``_COLUMNS``."""
        (received_id, provider, kind, channel, sender, content, at, delivery_id, tries) = row[:9]
        (due_at, owner, told) = row[9:]
        doc, problem = self._opened(content)
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

    def _opened(self, content: str | None) -> tuple[Mapping[str, Any], str | None]:
        if content is None:
            return {}, None
        try:
            return loads(self._seal.opened(content)), None
        except JournalError as error:
            return {}, str(error)


def lock_provider(executor: Executor, provider: str) -> None:
    """Let nobody else write what this provider tells until the transaction ends."""
    executor.execute(_LOCK[executor.dialect], {"provider": provider})


# --- rows -----------------------------------------------------------------------------------


def _storable(told: Sighting) -> Sighting:
    """Return what a plugin gives with texts that every database takes, and gives back so."""
    given = told.incoming
    plain = attrs.evolve(
        given,
        sender=_plain(given.sender),
        text=_plain(given.text),
        channel=_plain(given.channel),
        to=None if given.to is None else _plain(given.to),
        provider_id=None if given.provider_id is None else _plain(given.provider_id),
    )
    return attrs.evolve(told, incoming=plain)


def _plain(text: str) -> str:
    return str(text).replace("\0", "\\0").encode(errors="backslashreplace").decode()


def _learned(told: Sighting, known: Sighting) -> Sighting:
    """Return what is told now of a message that is known, with the better one of two times."""
    if time_of(told.incoming) is not None:
        return told
    return attrs.evolve(told, at=known.at, since=known.since)


def _doc(told: Sighting) -> dict[str, object]:
    incoming = told.incoming
    return {
        "to": incoming.to,
        "text": incoming.text,
        "provider_id": incoming.provider_id,
        "sent_at": _iso(incoming.sent_at),
        "received_at": _iso(incoming.received_at),
        "since": _iso(told.since),
        "raw": dict(incoming.raw),
    }


def _facts(doc: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a document says as the attributes of an ``Incoming``; nothing of none."""
    if not doc:
        return {}
    times = {name: _moment(doc[name]) for name in ("sent_at", "received_at")}
    return {name: doc[name] for name in ("to", "text", "provider_id", "raw")} | times


def _told(received: Received) -> str:
    # The key that ``_WITH_FAILURES`` looks for comes first.
    return dumps({"failed": dict(received.failed), "done": list(received.done)})


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _id_limit(moment: datetime | None) -> str | None:
    return None if moment is None else first_id_of(moment.astimezone(UTC))
