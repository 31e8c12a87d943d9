"""The databases that the journal is measured in, as a program sees that knows only the driver."""

from __future__ import annotations

import itertools
import sqlite3
import sys
import threading
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, nullcontext
from pathlib import Path
from typing import Any, Protocol

from notify_core.config.model import Durability


class Place(Protocol):
    """A database that journals and outboxes are made in."""

    name: str
    lock: str
    """What lets those who look for a row pass each other."""

    @property
    def turn(self) -> AbstractContextManager[object]:
        """What the threads of a program wait for before they write."""

    def new_url(self) -> str:
        """Return the address of an empty database."""

    def connect(self, url: str, durability: Durability = Durability.FULL) -> Any:
        """Return a connection of the driver that commits each statement."""

    def statement(self, text: str) -> str:
        """Return a statement, written for SQLite, as the driver wants it."""

    def insert(self, url: str, table: str, columns: Sequence[str], rows: Iterable[Any]) -> None:
        """Write very many rows."""

    def size(self, url: str) -> int:
        """Return how many bytes the tables and indexes take on the disk."""

    def compact(self, url: str) -> None:
        """Write the tables anew, without gaps."""


class Sqlite:
    """Files in a folder."""

    name = "SQLite"
    lock = ""

    def __init__(self, folder: Path) -> None:
        # Without it threads sleep until the file happens to be free.
        self.turn = threading.Lock()
        self._files = (folder / f"{number}.db" for number in itertools.count())

    def new_url(self) -> str:
        return f"sqlite:///{next(self._files)}"

    def connect(self, url: str, durability: Durability = Durability.FULL) -> sqlite3.Connection:
        connection = sqlite3.connect(
            _file(url), isolation_level=None, timeout=30, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {durability.name}")
        return connection

    def statement(self, text: str) -> str:
        return text

    def insert(self, url: str, table: str, columns: Sequence[str], rows: Iterable[Any]) -> None:
        marks = ", ".join("?" * len(columns))
        with closing(self.connect(url)) as connection:
            connection.execute("BEGIN")
            connection.executemany(
                f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows
            )
            connection.execute("COMMIT")

    def size(self, url: str) -> int:
        with closing(self.connect(url)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return Path(_file(url)).stat().st_size

    def compact(self, url: str) -> None:
        with closing(self.connect(url)) as connection:
            connection.execute("VACUUM")


def _file(url: str) -> str:
    return url.removeprefix("sqlite:///")


class Postgresql:
    """Databases of a server that the tests know how to start; it writes to the disk."""

    name = "PostgreSQL"
    lock = "FOR UPDATE SKIP LOCKED"

    def __init__(self, stack: ExitStack) -> None:
        self.turn = nullcontext()
        sys.path.append(str(Path(__file__).parents[1]))
        from tests.postgres import PostgresServer  # noqa: PLC0415 - only where it is asked for

        self._server = stack.enter_context(PostgresServer(durable=True))

    def new_url(self) -> str:
        return self._server.new_database()

    def connect(self, url: str, durability: Durability = Durability.FULL) -> Any:
        import psycopg  # noqa: PLC0415 - only where it is asked for

        setting = {Durability.FULL: "on", Durability.NORMAL: "off"}[durability]
        return psycopg.connect(
            url.replace("+psycopg", ""),
            autocommit=True,
            options=f"-c synchronous_commit={setting}",
        )

    def statement(self, text: str) -> str:
        return text.replace("?", "%s")

    def insert(self, url: str, table: str, columns: Sequence[str], rows: Iterable[Any]) -> None:
        with closing(self.connect(url)) as connection:
            with connection.cursor().copy(
                f"COPY {table} ({', '.join(columns)}) FROM STDIN"
            ) as copy:
                for row in rows:
                    copy.write_row(row)
            connection.execute(f"VACUUM ANALYZE {table}")

    def size(self, url: str) -> int:
        with closing(self.connect(url)) as connection:
            connection.execute("VACUUM")
            total = (
                "SELECT sum(pg_total_relation_size(oid)) FROM pg_class "
                "WHERE relkind = 'r' AND relname LIKE 'notify%'"
            )
            return int(connection.execute(total).fetchone()[0])

    def compact(self, url: str) -> None:
        with closing(self.connect(url)) as connection:
            connection.execute("VACUUM FULL")
