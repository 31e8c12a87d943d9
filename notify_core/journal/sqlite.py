"""SQLite as the journal's database: one file, no server, many threads and processes.

One connection writes. Threads that want to write at the same time share a transaction, and with
it the one wait for the disk (group commit).
"""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Generic, TypeVar

import attrs

from notify_core.config.model import Durability
from notify_core.errors import JournalError
from notify_core.journal.database import Birthplace, Watch
from notify_core.journal.enlist import Dialect, Executor

T = TypeVar("T")

_BUSY_S = 30.0
"""How long another process may hold the file before we give up."""
_LOOK_EVERY_S = 0.1
"""How often a waiting worker looks whether somebody has written, which costs some 5 µs."""
_LOOK_AGAIN_S = 0.01
_MEMORY = ":memory:"


class SqliteDatabase:
    """A file, or with the path ``:memory:`` the memory of this process."""

    dialect = Dialect.SQLITE

    def __init__(self, path: str, durability: Durability = Durability.FULL) -> None:
        self._path = path
        self._pragmas = (
            *(() if path == _MEMORY else ("PRAGMA journal_mode = WAL",)),
            f"PRAGMA synchronous = {durability.name}",
        )
        self._birthplace = Birthplace(path)
        self._writer = self._connect()
        self._group = _GroupCommit(self._commit)
        self._readers: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        self._watches: weakref.WeakSet[_Watch] = weakref.WeakSet()
        self._closed = False

    def write(self, work: Callable[[Executor], T]) -> T:
        self._check_usable()
        return self._group.run(work)

    def read(self, work: Callable[[Executor], T]) -> T:
        self._check_usable()
        if self._path == _MEMORY:
            return self._group.run(work)
        with self._reader() as connection, _translated(self._path):
            return work(_Executor(connection))

    def watch(self) -> Watch:
        self._check_usable()
        watch = self._new_watch()
        self._watches.add(watch)
        return watch

    def wake(self) -> None:
        for watch in list(self._watches):
            watch.woken.set()

    def check(self) -> list[str]:
        rows = self.read(lambda executor: executor.execute("PRAGMA integrity_check", {}))
        return [f"{self._path}: {row[0]}" for row in rows if row[0] != "ok"]

    def close(self) -> None:
        if self._closed or not self._birthplace.is_here:
            return
        self._closed = True
        self._group.drain()
        self.wake()
        self._writer.close()
        while not self._readers.empty():
            self._readers.get_nowait().close()

    def _commit(self, jobs: Sequence[_Job[Any]]) -> None:
        """Run the jobs in one transaction."""
        if all(job.is_empty for job in jobs):
            return
        executor = _Executor(self._writer)
        self._begin()
        with _translated(self._path):
            try:
                for job in jobs:
                    job.run(executor)
                self._writer.execute("COMMIT")
            except BaseException:  # raised again: whatever ended it, nothing of it stays
                # A full disk has SQLite roll back by itself.
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    def _begin(self) -> None:
        try:
            with _translated(self._path):
                self._writer.execute("BEGIN IMMEDIATE")
        except JournalError as error:
            raise _NotBegun(str(error)) from error

    # --- connections ------------------------------------------------------------------------

    def _new_watch(self) -> _Watch:
        if self._path == _MEMORY:  # there is no other connection: what it has changed is counted
            return _Watch(lambda: self._writer.total_changes, lambda: None)
        connection = self._connect()
        return _Watch(partial(_data_version, connection), connection.close)

    def _connect(self) -> sqlite3.Connection:
        with _translated(self._path):
            connection = sqlite3.connect(
                self._path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
            )
            try:
                for pragma in self._pragmas:
                    _execute_patiently(connection, pragma)
            except BaseException:  # raised again: an interrupt must not leave it open either
                connection.close()
                raise
        return connection

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = self._readers.get_nowait()
        except queue.Empty:
            connection = self._connect()
        try:
            yield connection
        finally:
            if self._closed:
                connection.close()
            else:
                self._readers.put(connection)

    def _check_usable(self) -> None:
        if self._closed:
            raise JournalError(f"journal {self._path}: it is closed")
        self._birthplace.check()


def _execute_patiently(connection: sqlite3.Connection, statement: str) -> None:
    """Execute a statement of those for which SQLite itself does not wait.

    A file that several processes open for the first time is busy while one of them makes it WAL.
    """
    end = time.monotonic() + _BUSY_S
    while True:
        try:
            connection.execute(statement)
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
        time.sleep(_LOOK_AGAIN_S)


class _Watch:
    """Looks at a number that changes whenever somebody has written."""

    def __init__(self, version: Callable[[], int], close: Callable[[], None]) -> None:
        self.woken = threading.Event()
        self.close = close
        self._ask = version
        self._seen = self._version()

    def wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and self._version() == self._seen:
            if self.woken.wait(min(left, _LOOK_EVERY_S)):
                break
        self.woken.clear()
        self._seen = self._version()

    def _version(self) -> int:
        with _translated("watch"):
            return self._ask()


def _data_version(connection: sqlite3.Connection) -> int:
    """Return a number of the file that changes when another connection commits."""
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


class _NotBegun(JournalError):
    """No transaction could be begun: another process holds the file, for example."""


class _GroupCommit:
    """Has whoever comes first commit what everybody has brought, then hands the lead on.

    Each of the others sleeps until its own work is done or the lead is its own. A common lock
    would wake them one after the other, only to find that there is nothing left to do.
    """

    def __init__(self, commit: Callable[[Sequence[_Job[Any]]], None]) -> None:
        self._commit = commit
        self._lock = threading.Lock()
        self._brought: list[_Job[Any]] = []
        self._is_led = False

    def run(self, work: Callable[[Executor], T]) -> T:
        """Run a piece of work; return when it is committed, or raise what it raised."""
        return self._done(_Job(work))

    def drain(self) -> None:
        """Return when what was brought before is done."""
        self._done(_Job(_nothing, is_empty=True))

    def _done(self, job: _Job[T]) -> T:
        try:
            with self._lock:
                self._brought.append(job)
                job.leads, self._is_led = not self._is_led, True
            if not job.leads:
                job.sleep()
            if job.leads:
                self._lead()
        except BaseException:  # raised again: whoever is interrupted must not keep the lead
            self._withdraw(job)
            raise
        return job.result()

    def _lead(self) -> None:
        jobs: list[_Job[Any]] = []
        try:
            with self._lock:
                jobs, self._brought = self._brought, []
            self._carry_out(jobs)
        finally:
            self._hand_on()
            for job in jobs:
                job.end()

    def _hand_on(self) -> None:
        with self._lock:
            heir = self._brought[0] if self._brought else None
            self._is_led = heir is not None
            if heir is not None:
                heir.leads = True
        if heir is not None:
            heir.wake()

    def _withdraw(self, job: _Job[Any]) -> None:
        """Let others go on without somebody who was interrupted before the work began."""
        with self._lock:
            waits = job in self._brought
            if waits:
                self._brought.remove(job)
        if waits and job.leads:
            self._hand_on()

    def _carry_out(self, jobs: Sequence[_Job[Any]]) -> None:
        """Run the jobs in one transaction, or each by itself if one of them fails."""
        try:
            self._commit(jobs)
        except _NotBegun as error:  # nobody's work is to blame, and nobody is to wait again
            for job in jobs:
                job.error = error
        except Exception as error:  # it belongs to whoever brought the job
            if len(jobs) > 1:
                for job in jobs:
                    self._carry_out([job])
            else:
                jobs[0].error = error
        else:
            for job in jobs:
                job.is_done = True


class _Job(Generic[T]):
    """A piece of work that somebody waits for, and what came of it."""

    def __init__(self, work: Callable[[Executor], T], *, is_empty: bool = False) -> None:
        self.leads = False
        self.is_empty = is_empty
        self.is_done = False
        self.error: Exception | None = None
        self._work = work
        self._result: T | None = None
        self._asleep = threading.Lock()
        self._asleep.acquire()

    @property
    def is_over(self) -> bool:
        return self.is_done or self.error is not None

    def run(self, executor: Executor) -> None:
        self._result = self._work(executor)

    def sleep(self) -> None:
        self._asleep.acquire()

    def wake(self) -> None:
        self._asleep.release()

    def end(self) -> None:
        """Wake whoever waits for it; if it is not over, whoever led was interrupted."""
        if not self.is_over:
            self.error = JournalError("the writing was interrupted; it may have been done")
        self.wake()

    def result(self) -> T:
        if self.error is not None:
            raise self.error
        return self._result  # type: ignore[return-value]


def _nothing(_: Executor) -> None:
    """Do no work."""


@attrs.frozen
class _Executor:
    """Execute statements on a connection of our own."""

    _connection: sqlite3.Connection
    dialect: Dialect = Dialect.SQLITE

    def execute(
        self, statement: str, parameters: Mapping[str, object]
    ) -> Sequence[tuple[Any, ...]]:
        return self._connection.execute(statement, parameters).fetchall()

    def execute_many(self, statement: str, parameters: Sequence[Mapping[str, object]]) -> None:
        self._connection.executemany(statement, parameters)


@contextmanager
def _translated(path: str) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, UnicodeEncodeError, OverflowError) as error:
        raise JournalError(f"journal {path}: {error}{_fix(error)}") from error


def _fix(error: Exception) -> str:
    match getattr(error, "sqlite_errorname", ""):
        case "SQLITE_FULL" | "SQLITE_IOERR_WRITE":
            return "; make room on the disk"
        case "SQLITE_CANTOPEN":
            return "; the folder must exist, and be ours to write"
        case "SQLITE_READONLY":
            return "; it must be ours to write"
        case "SQLITE_NOTADB":
            return "; name a file that does not exist yet, or one that a journal made"
        case "SQLITE_BUSY":
            return f"; another process has held it for {_BUSY_S:.0f} s"
        case _:
            return ""
