"""What was decided for the deliveries of a journal, read without writing a word there.

Of each delivery only what routes look at is read, the plan, and what its attempts cost: no text, no
address, no answer of a provider. So there is nothing to open, and no key is needed.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import quote

import attrs

from notify_core.errors import JournalError
from notify_core.journal import tables
from notify_core.journal.codec import loads, read_plan
from notify_core.journal.enlist import Dialect, Executor, enlisted
from notify_core.journal.model import ERASED
from notify_core.journal.postgresql import PostgresqlDatabase
from notify_core.journal.rows import ids_between
from notify_core.routing import Facts, Plan

T = TypeVar("T")

_PAGE = 5_000
_BUSY_S = 30.0


@attrs.frozen(kw_only=True)
class RecordedLeg:
    """A leg of a plan as it was stored."""

    channel: str
    providers: tuple[str, ...]


@attrs.frozen(kw_only=True)
class Spent:
    """What one accepted attempt has cost. ``currency`` None is one that was not told."""

    provider: str
    channel: str
    cost: Decimal
    currency: str | None


@attrs.frozen(kw_only=True)
class Recorded:
    """What was decided for a delivery. ``facts`` None: an earlier version kept none.

    ``draw`` is what the draw among providers hangs on.
    """

    id: str
    draw: str
    route: str
    facts: Facts | None
    legs: tuple[RecordedLeg, ...]
    spent: tuple[Spent, ...] = ()


class RecordedReader:
    """Reads the deliveries of one journal. Raises ``JournalError``, as every method does.

    ``url`` is that of a configuration. Nothing is made or migrated: tables of another version are
    refused, and so is a journal that is not there.
    """

    def __init__(self, url: str) -> None:
        self._source = source_of(url)
        self._plans: dict[tuple[str, str], Plan] = {}
        self._source.read(_check_version)

    def between(self, since: datetime, until: datetime) -> Iterator[Recorded]:
        """Yield the deliveries that were made then, the newest first."""
        given: dict[str, object] = {**ids_between(since, until), "most": _PAGE}
        while rows := self._page(given):
            yield from map(self._recorded, rows)
            given["below"] = rows[-1][0]

    def _page(self, given: Mapping[str, object]) -> Sequence[tuple[Any, ...]]:
        return self._source.read(
            lambda executor: executor.execute(_PAGE_OF[executor.dialect], given)
        )

    def _recorded(self, row: tuple[Any, ...]) -> Recorded:
        delivery_id, message_id, number, route, plan, spent = row
        try:
            planned = self._plan(route, plan)
            return Recorded(
                id=delivery_id,
                draw=f"{message_id}-{number}",
                route=route,
                facts=planned.facts,
                legs=_legs(planned),
                spent=tuple(_spent(planned, spent)) if spent else (),
            )
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            told = f"{type(error).__name__}: {error}"
            raise JournalError(f"delivery {delivery_id} cannot be understood: {told}") from error

    def _plan(self, route: str, text: str) -> Plan:
        """Return the plan of a text; most deliveries share theirs with others."""
        known = self._plans.get((route, text))
        if known is None:
            if len(self._plans) >= _MOST_PLANS:
                self._plans.clear()
            known = self._plans[route, text] = _planned(route, text)
        return known


_MOST_PLANS = 20_000


def _planned(route: str, text: str) -> Plan:
    return read_plan(
        loads(text), None, delivery_id="", message_id="", recipient=ERASED, route=route, types={}
    )


def _legs(plan: Plan) -> tuple[RecordedLeg, ...]:
    return tuple(RecordedLeg(channel=leg.channel, providers=leg.providers) for leg in plan.legs)


def _spent(plan: Plan, text: str) -> Iterator[Spent]:
    for leg, provider, cost, currency in loads(text):
        yield Spent(
            provider=provider,
            channel=plan.legs[leg].channel,
            cost=Decimal(cost),
            currency=currency,
        )


# --- the statements -------------------------------------------------------------------------

_SELECT: Final = """
SELECT id, message_id, number, route, plan, {spent} FROM notify_deliveries
WHERE id >= :above AND id < :below ORDER BY id DESC LIMIT :most
"""

# Legs count from 0. An attempt that was resolved later has cost what was found out then. What the
# provider has said besides stays where it is: it can hold an address.
_SPENT_ON_SQLITE: Final = """
CASE WHEN cost IS NOT NULL THEN (
    SELECT json_group_array(json_array(
        place, json_extract(outcome, '$.receipt.provider'),
        json_extract(outcome, '$.receipt.cost'), json_extract(outcome, '$.receipt.currency')
    )) FROM (
        SELECT leg.key AS place, COALESCE(
            json_extract(attempt.value, '$.resolved'), json_extract(attempt.value, '$.answer')
        ) AS outcome
        FROM json_each(progress, '$.done') AS leg, json_each(leg.value, '$.attempts') AS attempt
    )
    WHERE json_extract(outcome, '$.is') = 'accepted'
    AND json_extract(outcome, '$.receipt.cost') IS NOT NULL
) END
"""

# PostgreSQL cannot look into a document that holds a zero character; that one tells no cost.
_SPENT_ON_POSTGRESQL: Final = """
CASE WHEN cost IS NOT NULL AND position('\\u0000' IN progress) = 0 THEN (
    SELECT CAST(json_agg(json_build_array(
        place, outcome -> 'receipt' ->> 'provider',
        outcome -> 'receipt' ->> 'cost', outcome -> 'receipt' ->> 'currency'
    )) AS TEXT) FROM (
        SELECT leg.place - 1 AS place,
            COALESCE(attempt -> 'resolved', attempt -> 'answer') AS outcome
        FROM json_array_elements(CAST(progress AS json) -> 'done')
            WITH ORDINALITY AS leg (doc, place),
            json_array_elements(leg.doc -> 'attempts') AS attempt
    ) AS known
    WHERE outcome ->> 'is' = 'accepted' AND outcome -> 'receipt' ->> 'cost' IS NOT NULL
) END
"""

_PAGE_OF: Final = {
    Dialect.SQLITE: _SELECT.format(spent=_SPENT_ON_SQLITE),
    Dialect.POSTGRESQL: _SELECT.format(spent=_SPENT_ON_POSTGRESQL),
}


# --- the databases --------------------------------------------------------------------------


class Source(Protocol):
    """A database that is read and never written."""

    def read(self, work: Callable[[Executor], T]) -> T:
        """Run a piece of work where it cannot write."""


def source_of(url: str) -> Source:
    """Return the database of a journal, for who must not write there."""
    scheme, _, rest = url.partition(":")
    match scheme:
        case "sqlite" if rest.removeprefix("///"):
            return _OnSqlite(rest.removeprefix("///"))
        case "postgresql" | "postgres" | "postgresql+psycopg":
            return _OnPostgresql(url)
        case "memory":
            raise JournalError("a journal in memory is not there for another process to read")
        case _:  # it is not repeated: it can hold a password
            raise JournalError(
                "the journal is of no kind that is known; give a file like notify.db, "
                "sqlite:///notify.db or postgresql://user@host/database"
            )


@attrs.frozen
class _OnSqlite:
    """A file, opened for each piece of work: one that is not there is not made."""

    _path: str

    def read(self, work: Callable[[Executor], T]) -> T:
        # Not mode=ro: SQLite then leaves the files behind that it makes beside one in WAL mode.
        address = f"file:{quote(str(Path(self._path).absolute()))}?mode=rw"
        try:
            connection = sqlite3.connect(address, uri=True, timeout=_BUSY_S)
            with contextlib.closing(connection):
                connection.execute("PRAGMA query_only = ON")
                return work(enlisted(connection))
        except sqlite3.Error as error:
            raise JournalError(f"journal {self._path}: {error}") from error


@attrs.frozen(repr=False)
class _OnPostgresql:
    """A server; its address holds a password."""

    _url: str

    def read(self, work: Callable[[Executor], T]) -> T:
        with contextlib.closing(PostgresqlDatabase(self._url, 1)) as database:
            return database.read(lambda executor: _unwritten(executor, work))


def _unwritten(executor: Executor, work: Callable[[Executor], T]) -> T:
    executor.execute("SET TRANSACTION READ ONLY", {})
    return work(executor)


def _check_version(executor: Executor) -> None:
    version = tables.version_of(executor)
    tables.refuse_newer(version)
    tables.refuse_older(version)
    if version == 0:
        raise JournalError("this is no journal: there are no tables of one")
