"""What takes the journal away for a while: a server that crashes, a disk that is full."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import Protocol

import attrs

from tests.crash.processes import Place
from tests.postgres import PostgresServer


class Outage(Protocol):
    """Something that happens to the journal, and passes."""

    def begin(self) -> None:
        """Take the journal away."""

    def end(self) -> None:
        """Give it back."""


class NoOutage:
    """Nothing happens."""

    def begin(self) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""


@attrs.frozen
class ServerCrash:
    """The server dies as in a power cut, and comes back."""

    server: PostgresServer

    def begin(self) -> None:
        """Stop it without a goodbye."""
        self.server.stop("immediate")

    def end(self) -> None:
        """Start it; it recovers what was committed."""
        self.server.start()


@attrs.frozen
class FullDisk:
    """A file system that has no room; only the database is on it."""

    database: Path

    def begin(self) -> None:
        """Fill it to the last byte."""
        _shorten_log(self.database)
        ballast = os.open(self._ballast, os.O_WRONLY | os.O_CREAT)
        try:
            for size in (2**16, 2**9, 1):
                _fill(ballast, bytes(size))
        finally:
            os.close(ballast)

    def end(self) -> None:
        """Make room."""
        self._ballast.unlink()

    @property
    def _ballast(self) -> Path:
        return self.database.with_name("ballast")


def _shorten_log(database: Path) -> None:
    """Let the log of SQLite begin anew; for a while it would find room within itself."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _fill(file: int, piece: bytes) -> None:
    try:
        while True:
            os.write(file, piece)
    except OSError:  # it is full
        return


@attrs.frozen
class FileLimit:
    """The system lets the files of our processes grow no more; that needs no rights.

    What they note beside the journal has to stay possible, so the limit is above that. The log
    of SQLite is much longer before it begins anew.
    """

    place: Place

    def begin(self) -> None:
        """Set the limit; the processes take note within some hundredths of a second."""
        noted = [*self.place.folder.glob("*.ledger"), *self.place.folder.glob("*.log")]
        limit = max([_LEAST_LIMIT, *(2 * path.stat().st_size for path in noted)])
        half_written = self.place.limit.with_name("limit.new")
        half_written.write_text(str(limit))
        half_written.rename(self.place.limit)

    def end(self) -> None:
        """Let them grow."""
        self.place.limit.unlink()


_LEAST_LIMIT = 2**17
