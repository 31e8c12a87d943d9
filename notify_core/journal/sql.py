"""The journal in a database: the same code for SQLite and for PostgreSQL."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import attrs

from notify_core.clock import Clock
from notify_core.errors import JournalError
from notify_core.ids import first_id_of
from notify_core.journal import calls, incoming_purge, tables, tracks
from notify_core.journal import statements as sql
from notify_core.journal.base import Companion
from notify_core.journal.codec import (
    addresses_of,
    dumps,
    loads,
    without_traces,
)
from notify_core.journal.database import Database, Watch
from notify_core.journal.dialects import tell_workers
from notify_core.journal.enlist import Dialect, Executor, enlisted
from notify_core.journal.model import Backlog, Entry, Filter, Key, KeyTaken, Part
from notify_core.journal.rows import (
    EntryReader,
    columns_of,
    ids_between,
    milliseconds,
    moment_of,
    standing_of,
    with_wish,
)
from notify_core.journal.seal import Seal
from notify_core.message import Message, Priority
from notify_core.plain.messages import plain
from notify_core.policy.breaker import Health
from notify_core.progress import Wish

_log = logging.getLogger(__name__)

_PAGE = 500
_WISH = 10
"""The place of the wish among the columns of an entry."""
_ROW_LOCK = {Dialect.SQLITE: "", Dialect.POSTGRESQL: "FOR UPDATE OF notify_deliveries"}


class SqlJournal:
    """A ``Journal`` in a database. ``types`` are the message types by channel.

    The tables are made if there are none; those of an older version are refused. With
    ``to_migrate`` both are left to ``migrate``, before which nothing else works.
    """

    def __init__(
        self,
        database: Database,
        types: Mapping[str, type[Message]],
        seal: Seal,
        clock: Clock,
        *,
        to_migrate: bool = False,
    ) -> None:
        self.database: Database = database
        self.seal: Seal = seal
        self._clock = clock
        self._reader = EntryReader(types, seal)
        self._companions: list[Companion] = []
        dialect = database.dialect
        self._claim = sql.CLAIM.format(among=sql.AMONG_DUE[dialect])
        self._load_locked = sql.LOAD_LOCKED.format(lock=_ROW_LOCK[dialect])
        self._to_address = sql.TO_ADDRESS.format(lock=_ROW_LOCK[dialect])
        if not to_migrate:
            self._prepare()

    def accompany(self, companion: Companion) -> None:
        self._companions.append(companion)

    # --- carrying deliveries on -------------------------------------------------------------

    def add(self, entries: Sequence[Entry], connection: object | None = None) -> None:
        contents, rows, addresses = self._as_rows(entries)
        keys = {entry.key.key: entry.key for entry in entries if entry.key is not None}

        def work(executor: Executor) -> None:
            self._add_keys(executor, [*keys.values()])
            executor.execute_many(sql.ADD_CONTENT, contents)
            executor.execute_many(sql.ADD_DELIVERY, rows)
            executor.execute_many(sql.ADD_ADDRESS, addresses)
            self._written_beside(executor, entries)
            if any(entry.owner is None for entry in entries):
                tell_workers(executor)

        if connection is None:
            self.database.write(work)
        else:
            work(enlisted(connection))

    def claim(
        self, owner: str, now: datetime, until: datetime, lanes: Sequence[Priority], limit: int
    ) -> Sequence[Entry]:
        given = {"owner": owner, "now": milliseconds(now), "until": milliseconds(until)}

        def work(executor: Executor) -> list[tuple[Any, ...]]:
            rows: list[tuple[Any, ...]] = []
            for lane in lanes:
                wanted = given | {"priority": int(lane), "most": limit - len(rows)}
                rows += sorted(executor.execute(self._claim, wanted))
                if len(rows) >= limit:
                    break
            return rows

        return [*self._readable(self.database.write(work))]

    def claim_one(
        self, delivery_id: str, owner: str, now: datetime, until: datetime
    ) -> Entry | None:
        given = {
            "id": delivery_id,
            "owner": owner,
            "now": milliseconds(now),
            "until": milliseconds(until),
        }
        return self._changed_one(sql.CLAIM_ONE, given)

    def write(self, entry: Entry, *, unless_wished: bool = False) -> Entry | None:
        statement = sql.WRITE_UNLESS_WISHED if unless_wished else sql.WRITE
        given = self._standing(entry)

        def work(executor: Executor) -> Entry | None:
            rows = executor.execute(statement, given)
            if not rows:
                return None
            written = with_wish(entry, *rows[0])
            self._written_beside(executor, [written])
            if entry.owner is None and entry.due_at is not None:
                tell_workers(executor)
            return written

        return self.database.write(work)

    def amend(self, delivery_id: str, change: Callable[[Entry], Entry]) -> Entry:
        def work(executor: Executor) -> Entry:
            rows = executor.execute(self._load_locked, {"id": delivery_id})
            if not rows:
                raise JournalError(f"no delivery {delivery_id!r} is in the journal")
            known = self._reader.view(rows[0])
            changed = change(known)
            if changed == known:
                return known
            executor.execute(sql.AMEND, self._standing(changed))
            amended = attrs.evolve(changed, lease=changed.lease + 1)
            self._written_beside(executor, [amended])
            tell_workers(executor)
            return amended

        return self.database.write(work)

    def extend(self, owner: str, delivery_ids: Sequence[str], until: datetime) -> None:
        given = [
            {"id": each, "owner": owner, "until": milliseconds(until)} for each in delivery_ids
        ]
        self.database.write(lambda executor: executor.execute_many(sql.EXTEND, given))

    def release(self, owner: str, entries: Sequence[Entry], now: datetime) -> None:
        given = [
            {"id": entry.id, "lease": entry.lease, "owner": owner, "now": milliseconds(now)}
            for entry in entries
        ]

        def work(executor: Executor) -> None:
            executor.execute_many(sql.RELEASE, given)
            tell_workers(executor)

        self.database.write(work)

    def next_due(self, lanes: Sequence[Priority]) -> datetime | None:
        def work(executor: Executor) -> list[int]:
            found = [
                executor.execute(sql.NEXT_DUE, {"priority": int(lane)})[0][0] for lane in lanes
            ]
            return [each for each in found if each is not None]

        due = self.database.read(work)
        return moment_of(min(due)) if due else None

    def watch(self) -> Watch:
        return self.database.watch()

    def wake(self) -> None:
        self.database.wake()

    # --- asking -----------------------------------------------------------------------------

    def load(self, delivery_id: str) -> Entry | None:
        entries = self._read(sql.LOAD, {"id": delivery_id})
        return entries[0] if entries else None

    def of_key(self, key: Key, connection: object | None = None) -> Sequence[Entry]:
        def work(executor: Executor) -> Sequence[tuple[Any, ...]]:
            found = executor.execute(sql.FIND_KEY, {"key": key.key})
            content = {"content_id": found[0][1]} if found else {"content_id": ""}
            return executor.execute(sql.OF_CONTENT, content)

        rows = self.database.read(work) if connection is None else work(enlisted(connection))
        return [self._reader.view(row) for row in rows]

    def search(self, wanted: Filter) -> Sequence[Entry]:
        given: dict[str, object] = {
            **ids_between(wanted.after, wanted.before, wanted.after_id),
            "most": wanted.limit,
        }
        conditions = [] if wanted.stage is None else [f"AND {sql.IN_STAGE[wanted.stage]}"]
        for name, condition in sql.CONDITIONS.items():
            if getattr(wanted, name) is not None:
                given[name] = getattr(wanted, name)
                conditions.append(f"AND {condition}")
        return self._read(sql.SEARCH.format(conditions=" ".join(conditions)), given)

    def backlog(self, now: datetime) -> Backlog:
        def work(executor: Executor) -> tuple[int, int, int, int | None]:
            ((under_way,),) = executor.execute(sql.UNDER_WAY, {})
            ((held,),) = executor.execute(sql.HELD, {})
            ((due, oldest),) = executor.execute(sql.DUE, {"now": milliseconds(now)})
            return under_way, held, due, oldest

        under_way, held, due, oldest = self.database.read(work)
        late = None if oldest is None else max(now - moment_of(oldest), timedelta(0))
        return Backlog(under_way=under_way, due=due, held=held, oldest_due=late)

    # --- deciding ---------------------------------------------------------------------------

    def wish(self, delivery_id: str, wish: Wish | None, now: datetime) -> Entry | None:
        given = {"id": delivery_id, "wish": wish and wish.value, "now": milliseconds(now)}

        def work(executor: Executor) -> Sequence[tuple[Any, ...]]:
            tell_workers(executor)
            return executor.execute(sql.WISH, given)

        rows = self.database.write(work)
        return self._reader.view(rows[0]) if rows else self.load(delivery_id)

    def health(self, provider: str) -> Health:
        rows = self.database.read(lambda executor: executor.execute(sql.HEALTH, {"name": provider}))
        return _read_health(rows[0][0]) if rows else Health()

    def swap_health(self, provider: str, known: Health, now: Health) -> bool:
        given = {"name": provider, "known": _health_text(known), "now": _health_text(now)}
        first = {"name": provider, "health": given["now"]}

        def work(executor: Executor) -> bool:
            if known == Health() and executor.execute(sql.ADD_HEALTH, first):
                return True
            return bool(executor.execute(sql.SWAP_HEALTH, given))

        return self.database.write(work)

    # --- keeping house ----------------------------------------------------------------------

    def purge(self, part: Part, before: datetime) -> int:
        purged, after = incoming_purge.purge(self.database, part, before), ""
        while ids := self._purge_page(part, after, first_id_of(before)):
            purged, after = purged + len(ids), max(ids)
        # Whatever part is too old: a call that was given up can hold any of it.
        calls.Calls(self.database, self.seal).purge(before)
        return purged

    def erase(self, address: str) -> tuple[int, int]:
        def work(executor: Executor) -> tuple[int, int]:
            rows = executor.execute(self._to_address, {"address": address})
            over = [row for row in rows if row[3] == 0]
            for delivery_id, progress, content_id, _ in over:
                _purge_numbers(executor, delivery_id, progress, content_id)
            calls.erase(executor)
            erased, waiting = incoming_purge.erase(executor, address)
            return len(over) + erased, len(rows) - len(over) + waiting

        return self.database.write(work)

    def export(self, wanted: Filter) -> Iterator[Entry]:
        page = attrs.evolve(wanted, limit=_PAGE)
        while entries := self.search(page):
            yield from entries
            page = attrs.evolve(page, after_id=entries[-1].id)

    def migrate(self) -> tuple[int, int]:
        return self.database.write(tables.migrated)

    def check(self) -> Sequence[str]:
        return [*self.database.check(), *self._unreadable()]

    def close(self) -> None:
        self.database.close()

    # --- within -----------------------------------------------------------------------------

    def _prepare(self) -> None:
        version = self.database.read(tables.version_of)
        tables.refuse_newer(version)
        tables.refuse_older(version)
        if version == 0:
            self.migrate()

    def _written_beside(self, executor: Executor, entries: Sequence[Entry]) -> None:
        for companion in self._companions:
            for entry in entries:
                companion(executor, entry)

    def _as_rows(
        self, entries: Sequence[Entry]
    ) -> tuple[list[dict[str, object]], list[dict[str, object]], list[dict[str, object]]]:
        """Return the rows of new entries; those of one message share its content."""
        contents: dict[int, dict[str, object]] = {}
        rows: list[dict[str, object]] = []
        addresses: list[dict[str, object]] = []
        for entry in entries:
            if id(entry.message) not in contents:
                text = self.seal.closed(dumps(plain(entry.message)))
                contents[id(entry.message)] = {"id": entry.id, "content": text}
            content_id = contents[id(entry.message)]["id"]
            rows.append(columns_of(entry) | {"content_id": content_id} | self._standing(entry))
            addresses += [
                {"address": address, "delivery_id": entry.id}
                for address in addresses_of(entry.plan.recipient)
            ]
        return list(contents.values()), rows, addresses

    def _add_keys(self, executor: Executor, keys: Sequence[Key]) -> None:
        """Add keys, all or none: the transaction may be one of the application, that goes on.

        In one order, whoever adds them: who waits for another must not be waited for.
        """
        ordered = sorted(keys, key=lambda key: key.key)
        holders = {key.key: self._add_key(executor, key) for key in ordered}
        taken = [holder for holder in holders.values() if holder is not None]
        if taken:
            added = [
                {"key": key.key, "content_id": key.content_id}
                for key in ordered
                if holders[key.key] is None
            ]
            executor.execute_many(sql.DROP_KEY, added)
            raise KeyTaken(taken)

    def _add_key(self, executor: Executor, key: Key) -> Key | None:
        """Add a key; return the one that stands for another message already, if one does."""
        given = {
            "key": key.key,
            "message_id": key.message_id,
            "content_id": key.content_id,
            "fingerprint": key.fingerprint,
            "until": milliseconds(key.until),
            "now": milliseconds(self._clock.now()),
        }
        if executor.execute(sql.ADD_KEY, given):
            return None
        ((message_id, content_id, fingerprint, until),) = executor.execute(
            sql.FIND_KEY, {"key": key.key}
        )
        if content_id == key.content_id:
            return None
        return Key(key.key, message_id, content_id, fingerprint, moment_of(until))

    def _standing(self, entry: Entry) -> dict[str, object]:
        return standing_of(entry, self._clock.now())

    def _readable(self, rows: Sequence[tuple[Any, ...]]) -> Iterator[Entry]:
        """Yield what can be carried on. What cannot is claimed again when its lease has ended.

        To hold or to cancel a delivery nobody need be able to send it.
        """
        for row in rows:
            try:
                yield self._reader.view(row) if row[_WISH] else self._reader.read(row)
            except JournalError as error:
                _log.error("delivery %s cannot be carried on: %s", row[0], error)

    def _changed_one(self, statement: str, given: Mapping[str, object]) -> Entry | None:
        rows = self.database.write(lambda executor: executor.execute(statement, given))
        return self._reader.view(rows[0]) if rows else None

    def _read(self, statement: str, given: Mapping[str, object]) -> list[Entry]:
        rows = self.database.read(lambda executor: executor.execute(statement, given))
        return [self._reader.view(row) for row in rows]

    def _purge_page(self, part: Part, after: str, below: str) -> list[str]:
        """Purge some hundreds and return their ids; nothing when all is done."""
        given = {"after": after, "below": below, "most": _PAGE}
        # What is learned meanwhile must not be overwritten.
        lock = _ROW_LOCK[self.database.dialect]
        now = {"now": milliseconds(self._clock.now())}

        def work(executor: Executor) -> list[str]:
            rows = executor.execute(_OLD[part].format(lock=lock), given)
            for row in rows:
                _PURGE[part](executor, *row)
            executor.execute(sql.PURGE_KEYS, now)
            return [row[0] for row in rows]

        return self.database.write(work)

    def _unreadable(self) -> Iterator[str]:
        given: dict[str, object] = {**ids_between(), "most": _PAGE}
        statement = sql.SEARCH.format(conditions="")
        while rows := self.database.read(lambda executor: executor.execute(statement, given)):
            for row in rows:
                yield from self._problem_of(row)
            given["below"] = rows[-1][0]

    def _problem_of(self, row: tuple[Any, ...]) -> Iterator[str]:
        try:
            self._reader.read(row)
        except JournalError as error:
            yield f"delivery {row[0]}: {error}"


def _purge_text(executor: Executor, content_id: str) -> None:
    executor.execute(sql.PURGE_TEXT, {"id": content_id})


def _purge_numbers(executor: Executor, delivery_id: str, progress: str, content_id: str) -> None:
    """Remove the addresses, and with them the content, which names the recipients too."""
    _erase_numbers(executor, delivery_id, progress)
    executor.execute(tracks.FORGET, {"id": delivery_id})
    executor.execute(sql.FORGET_ADDRESS, {"id": delivery_id})
    executor.execute(sql.FORGET_CONTENT, {"content_id": content_id})


def _purge_row(executor: Executor, delivery_id: str, content_id: str) -> None:
    executor.execute(tracks.DROP, {"id": delivery_id})
    executor.execute(sql.FORGET_ADDRESS, {"id": delivery_id})
    executor.execute(sql.PURGE_ROW, {"id": delivery_id})
    executor.execute(sql.PURGE_CONTENT, {"content_id": content_id})


_OLD = {Part.TEXT: sql.OLD_TEXTS, Part.NUMBERS: sql.OLD_WITH_NUMBERS, Part.ROWS: sql.OLD_ROWS}
_PURGE: Mapping[Part, Callable[..., None]] = {
    Part.TEXT: _purge_text,
    Part.NUMBERS: _purge_numbers,
    Part.ROWS: _purge_row,
}


def _erase_numbers(executor: Executor, delivery_id: str, progress: str) -> None:
    bare = dumps(without_traces(loads(progress)))
    executor.execute(sql.ERASE_NUMBERS, {"id": delivery_id, "progress": bare})


def _health_text(health: Health) -> str:
    return dumps(attrs.asdict(health))


def _read_health(text: str) -> Health:
    return Health(**loads(text))
