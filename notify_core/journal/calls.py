"""Calls of providers in the journal's database: kept as they came, until they are understood.

What was understood is deleted at once: what it told is where it belongs, and a call can hold
secrets. What nobody can do anything with keeps its request and says why, until it is purged.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import attrs

from notify_core.callback import CallbackRequest
from notify_core.errors import JournalError
from notify_core.journal.database import Database
from notify_core.journal.dialects import among_due, tell_workers
from notify_core.journal.enlist import Executor
from notify_core.journal.rows import milliseconds, moment_of
from notify_core.journal.seal import Seal

_PAGE: Final = 500

_ADD: Final = """
INSERT INTO notify_calls (id, provider, request, received_at, tries, due_at, owner, result)
VALUES (:id, :provider, :request, :received_at, 0, :due_at, NULL, NULL)
"""

# What somebody had, and its lease has ended: the process has died, or is slow.
_ABANDONED: Final = "owner IS NOT NULL"
_WAITING: Final = "owner IS NULL"

_IS_DUE: Final = "SELECT 1 FROM notify_calls WHERE due_at <= :now AND {which} LIMIT 1"

# Both halves have an index of their own.
_NEXT_DUE: Final = f"""
SELECT min(due_at) FROM (
    SELECT min(due_at) AS due_at FROM notify_calls WHERE due_at IS NOT NULL AND {_WAITING}
    UNION ALL SELECT min(due_at) FROM notify_calls WHERE {_ABANDONED}
) AS due
"""

_COUNT_WAITING: Final = f"""
SELECT count(*) FROM (
    SELECT 1 FROM notify_calls
    WHERE due_at IS NOT NULL AND {_WAITING} AND provider = :provider LIMIT :most
) AS waiting
"""

_DUE: Final = """
SELECT id FROM notify_calls WHERE due_at <= :now AND {which} ORDER BY due_at LIMIT :most
"""

_AMONG_DUE: Final = among_due(_DUE)

# The try counts from here: whoever dies over a call cannot count it any more.
_CLAIM: Final = """
UPDATE notify_calls SET owner = :owner, tries = tries + 1, due_at = :until WHERE id {among}
RETURNING id, provider, request, received_at, tries
"""

# A lease that has ended may be somebody else's by now, of the same process too: its end tells.
_LEASED: Final = "id = :id AND owner = :owner AND due_at = :until"

_DONE: Final = f"DELETE FROM notify_calls WHERE {_LEASED}"

_PUT_OFF: Final = f"""
UPDATE notify_calls SET due_at = :due_at, owner = NULL WHERE {_LEASED}
"""

_GIVE_UP: Final = f"""
UPDATE notify_calls SET result = :result, due_at = NULL, owner = NULL WHERE {_LEASED}
"""

# A result begins with the word of its kind.
_OF_KIND: Final = "due_at IS NULL AND substr(result, 1, :letters) = :word"

_TRIM: Final = f"""
DELETE FROM notify_calls WHERE {_OF_KIND} AND (received_at, id) <= (
    SELECT received_at, id FROM notify_calls WHERE {_OF_KIND}
    ORDER BY received_at DESC, id DESC LIMIT 1 OFFSET :most
)
"""

_PURGE: Final = """
DELETE FROM notify_calls WHERE id IN (
    SELECT id FROM notify_calls WHERE due_at IS NULL AND received_at < :before LIMIT :most
)
RETURNING id
"""

_ERASE: Final = "DELETE FROM notify_calls WHERE due_at IS NULL"


@attrs.frozen(kw_only=True)
class Call:
    """A call that is leased. ``until`` is the end of the lease, ``tries`` counts it too.

    ``stored`` is its request as it lies in the journal; see ``Calls.request_of``.
    """

    id: str
    provider: str
    stored: str = attrs.field(repr=False)
    received_at: datetime
    tries: int
    until: datetime


@attrs.frozen(kw_only=True)
class Settled:
    """What became of a call: done, or to be tried again ``again_at``, or given up.

    ``result`` says why it was given up; with neither it is done.
    """

    call: Call
    again_at: datetime | None = None
    result: str | None = None


class Calls:
    """Keeps calls, hands them out, and is told what became of them. Raises ``JournalError``."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal
        among = _AMONG_DUE[database.dialect]
        self._claims = {
            which: _CLAIM.format(among=among.format(which=which))
            for which in (_ABANDONED, _WAITING)
        }

    def sealed(self, request: CallbackRequest) -> str | None:
        """Return a request as it is written; None if the journal must not hold texts."""
        return self._seal.closed(_text_of(request))

    def request_of(self, call: Call) -> CallbackRequest:
        """Return the request of a call. Raises ``JournalError`` if it cannot be read."""
        return _request_of(self._seal.opened(call.stored), call.received_at)

    def add(
        self, call_id: str, provider: str, stored: str, received_at: datetime, due_at: datetime
    ) -> None:
        """Keep a call. When this returns it survives the death of the process."""
        given = {
            "id": call_id,
            "provider": provider,
            "request": stored,
            "received_at": milliseconds(received_at),
            "due_at": milliseconds(due_at),
        }

        def work(executor: Executor) -> None:
            executor.execute(_ADD, given)
            tell_workers(executor)

        self._database.write(work)

    def claim(self, owner: str, now: datetime, until: datetime, limit: int) -> Sequence[Call]:
        """Lease up to ``limit`` calls that are due, the oldest first.

        One that somebody had and never settled comes first, and alone: it may be what has ended
        that process, and must not take others with it again.
        """
        given = {"owner": owner, "now": milliseconds(now), "until": milliseconds(until)}
        rows = self._claimed(_ABANDONED, given | {"most": 1})
        rows = rows or self._claimed(_WAITING, given | {"most": limit})
        return [_call_of(row, until) for row in sorted(rows)]

    def settle(self, owner: str, settled: Sequence[Settled]) -> None:
        """Write what became of calls, in one transaction.

        A call whose lease was lost stays as it is: somebody else sees to it.
        """
        done = [_leased(owner, each) for each in settled if _is_done(each)]
        put_off = [
            _leased(owner, each) | {"due_at": milliseconds(each.again_at)}
            for each in settled
            if each.again_at is not None
        ]
        given_up = [
            _leased(owner, each) | {"result": each.result}
            for each in settled
            if each.result is not None
        ]

        def work(executor: Executor) -> None:
            executor.execute_many(_DONE, done)
            executor.execute_many(_PUT_OFF, put_off)
            executor.execute_many(_GIVE_UP, given_up)

        self._database.write(work)

    def next_due(self) -> datetime | None:
        """Return when the next call is due, None if none is."""
        ((due,),) = self._database.read(lambda executor: executor.execute(_NEXT_DUE, {}))
        return None if due is None else moment_of(due)

    def waiting(self, provider: str, most: int) -> int:
        """Return how many calls of a provider wait; it counts no further than ``most``."""
        given = {"provider": provider, "most": most}
        ((count,),) = self._database.read(lambda executor: executor.execute(_COUNT_WAITING, given))
        return int(count)

    def trim(self, most: Mapping[str, int]) -> None:
        """Remove, for each word that a result begins with, all but so many of the newest."""
        given = [
            {"word": word, "letters": len(word), "most": limit} for word, limit in most.items()
        ]
        self._database.write(lambda executor: executor.execute_many(_TRIM, given))

    def purge(self, before: datetime) -> int:
        """Remove what was given up and had come before then; return how many."""
        given = {"before": milliseconds(before), "most": _PAGE}
        purged = 0
        # Page by page, so that nobody waits long to write.
        while rows := self._database.write(lambda executor: executor.execute(_PURGE, given)):
            purged += len(rows)
        return purged

    def _claimed(self, which: str, given: Mapping[str, object]) -> Sequence[tuple[Any, ...]]:
        # Whoever looks often and finds nothing must not keep others from writing.
        is_due = _IS_DUE.format(which=which)
        if not self._database.read(lambda executor: executor.execute(is_due, given)):
            return []
        statement = self._claims[which]
        return self._database.write(lambda executor: executor.execute(statement, given))


def erase(executor: Executor) -> None:
    """Remove every call that was given up: nobody can tell whose number is in it."""
    executor.execute(_ERASE, {})


def _is_done(settled: Settled) -> bool:
    return settled.again_at is None and settled.result is None


def _leased(owner: str, settled: Settled) -> dict[str, object]:
    call = settled.call
    return {
        "id": call.id,
        "owner": owner,
        "until": milliseconds(call.until),
    }


def _call_of(row: tuple[Any, ...], until: datetime) -> Call:
    call_id, provider, stored, received_at, tries = row
    return Call(
        id=call_id,
        provider=provider,
        stored=stored,
        received_at=moment_of(received_at),
        tries=tries,
        until=until,
    )


def _text_of(request: CallbackRequest) -> str:
    """Return a request as a text in ASCII, which every database takes as it is."""
    return json.dumps(
        {
            "method": request.method,
            "query": request.query,
            "headers": dict(request.headers),
            "body": request.body.decode("latin-1"),
            "remote": request.remote,
        }
    )


def _request_of(text: str, received_at: datetime) -> CallbackRequest:
    try:
        doc = json.loads(text)
        return CallbackRequest(
            method=doc["method"],
            query=doc["query"],
            headers=doc["headers"],
            body=doc["body"].encode("latin-1"),
            remote=doc["remote"],
            received_at=received_at,
        )
    except (AttributeError, LookupError, TypeError, ValueError):
        # Not "from": the error could show what the call holds.
        raise JournalError("a call that was kept cannot be read again") from None
