"""SQLite as the journal's database: shared commits, full disks, forks and files that are none."""

from __future__ import annotations

import itertools
import os
import signal
import sqlite3
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from time import monotonic, sleep

import attrs
import pytest

from notify_core.clock import SystemClock
from notify_core.config.model import Durability
from notify_core.errors import JournalError
from notify_core.journal.base import Journal
from notify_core.journal.enlist import Executor
from notify_core.journal.model import Entry, Filter
from notify_core.journal.opening import open_journal
from notify_core.journal.seal import Unsealed
from notify_core.journal.sql import SqlJournal
from notify_core.journal.sqlite import SqliteDatabase
from notify_core.message import Priority, Sms
from tests.journal.making import NOW, TYPES, journal_config, waiting

THREADS = 32
PATIENCE_S = 10.0
INSERT = "INSERT INTO note (id) VALUES (:id)"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def database(path: Path) -> Iterator[SqliteDatabase]:
    """A database with one table, to write numbers in."""
    with closing(SqliteDatabase(str(path))) as database:
        database.write(
            lambda executor: executor.execute("CREATE TABLE note (id INTEGER PRIMARY KEY)", {})
        )
        yield database


def writing(number: int) -> Callable[[Executor], object]:
    return lambda executor: executor.execute(INSERT, {"id": number})


def written(database: SqliteDatabase) -> list[int]:
    rows = database.read(lambda executor: executor.execute("SELECT id FROM note ORDER BY id", {}))
    return [row[0] for row in rows]


# --- shared commits -------------------------------------------------------------------------


def commits_in(wal: bytes) -> int:
    """Count the commits in a write-ahead log: https://www.sqlite.org/fileformat2.html#walformat

    The second number before each page is not zero where that page ends a transaction.
    """
    (page_size,) = struct.unpack(">8xI", wal[:12])
    frames = range(32, len(wal), 24 + page_size)
    return sum(struct.unpack(">4xI", wal[at : at + 8])[0] != 0 for at in frames)


def commits(path: Path) -> int:
    return commits_in(path.with_name(f"{path.name}-wal").read_bytes())


class Held:
    """A piece of work that lasts until it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go_on = threading.Event()

    def __call__(self, _executor: Executor) -> None:
        self.begun.set()
        assert self.go_on.wait(PATIENCE_S)


def while_held(database: SqliteDatabase, works: list[Callable[[Executor], object]]) -> list[object]:
    """Bring pieces of work while another is being done; return what each returned or raised."""
    held = Held()
    with ThreadPoolExecutor(len(works) + 1) as pool:
        first = pool.submit(database.write, held)
        assert held.begun.wait(PATIENCE_S)
        futures = [pool.submit(database.write, work) for work in works]
        sleep(0.1)  # all of them have come to wait
        held.go_on.set()
        first.result()
        return [future.exception() or future.result() for future in futures]


def test_threads_that_write_at_the_same_time_share_a_commit(
    database: SqliteDatabase, path: Path
) -> None:
    """What they bring while another one writes is done in one transaction."""
    before = commits(path)

    while_held(database, [writing(number) for number in range(THREADS)])

    assert written(database) == list(range(THREADS))
    assert commits(path) - before <= 3


def test_each_of_those_who_share_a_commit_gets_its_own_result(database: SqliteDatabase) -> None:
    def counting(number: int) -> Callable[[Executor], int]:
        return lambda executor: executor.execute("SELECT :id + 100", {"id": number})[0][0]

    results = while_held(database, [counting(number) for number in range(THREADS)])

    assert results == [number + 100 for number in range(THREADS)]


def test_a_piece_of_work_that_fails_harms_no_other(database: SqliteDatabase) -> None:
    """Each failure is that of whoever brought it; of its work nothing is written."""

    def failing(executor: Executor) -> None:
        executor.execute(INSERT, {"id": 100})
        raise KeyError("mine")

    works = [writing(1), failing, writing(2), writing(2), writing(3)]
    results = while_held(database, works)

    assert written(database) == [1, 2, 3]
    failed = [result for result in results if isinstance(result, Exception)]
    assert sorted(type(error).__name__ for error in failed) == ["JournalError", "KeyError"]


def test_threads_write_without_end_and_nothing_is_lost(database: SqliteDatabase) -> None:
    numbers = itertools.count()

    def write_some(_: int) -> None:
        for _ in range(20):
            database.write(writing(next(numbers)))

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(write_some, range(THREADS)))

    assert len(written(database)) == THREADS * 20


def test_whoever_is_interrupted_while_waiting_leaves_the_others_to_go_on(
    database: SqliteDatabase,
) -> None:
    """Ctrl-C in the main thread, while a worker writes; the program can still end."""
    held = Held()
    with ThreadPoolExecutor(2) as pool:
        pool.submit(database.write, held)
        assert held.begun.wait(PATIENCE_S)
        main = threading.main_thread().ident
        threading.Timer(0.1, signal.pthread_kill, [main, signal.SIGINT]).start()
        with pytest.raises(KeyboardInterrupt):
            database.write(writing(1))
        held.go_on.set()

        later = pool.submit(database.write, writing(2))

        assert later.exception(PATIENCE_S) is None
    assert 2 in written(database)


# --- full disks -----------------------------------------------------------------------------


def pages(database: SqliteDatabase, most: int) -> None:
    """Let the file have at most so many pages; SQLite keeps those that it has."""
    database.write(lambda executor: executor.execute(f"PRAGMA max_page_count = {most}", {}))


@pytest.fixture
def journal(path: Path) -> Iterator[tuple[SqlJournal, SqliteDatabase]]:
    database = SqliteDatabase(str(path))
    with closing(SqlJournal(database, TYPES, Unsealed(), SystemClock())) as journal:
        yield journal, database


def large(number: int) -> Entry:
    return waiting(Sms(to="+79990000001", text="x" * 100_000), number)


def test_a_full_disk_is_told_with_what_to_do(
    journal: tuple[SqlJournal, SqliteDatabase], path: Path
) -> None:
    """Nothing is written then, and all works as before when there is room."""
    opened, database = journal
    pages(database, 1)

    with pytest.raises(JournalError) as caught:
        opened.add([waiting(Sms(to="+79990000001", text="small"), 1), large(2)])

    assert str(caught.value) == (f"journal {path}: database or disk is full; make room on the disk")
    assert opened.search(Filter()) == []
    pages(database, 10_000)
    opened.add([large(2)])
    assert len(opened.search(Filter())) == 1


def test_a_full_disk_fails_those_alone_whose_work_needs_room(
    journal: tuple[SqlJournal, SqliteDatabase],
) -> None:
    opened, database = journal
    pages(database, 1)
    with pytest.raises(JournalError, match="make room"):
        opened.add([large(1)])

    assert opened.swap_health("a", opened.health("a"), attrs.evolve(opened.health("a"), failures=1))

    assert opened.health("a").failures == 1


def journal_at(path: Path) -> Journal:
    return open_journal(journal_config(f"sqlite:///{path}"), TYPES, SystemClock())


# --- what cannot be used --------------------------------------------------------------------

FORKS = """\
import os
import signal
import sys
from notify_core.errors import JournalError
from notify_core.journal.sqlite import SqliteDatabase

database = SqliteDatabase(sys.argv[1])
child = os.fork()
if not child:
    for use in (database.write, database.read, lambda _: database.watch()):
        try:
            use(lambda executor: executor.execute("SELECT 1", {}))
        except JournalError as error:
            print(error, flush=True)
    database.close()
    os._exit(0)
os.waitpid(child, 0)
database.write(lambda executor: executor.execute("SELECT 1", {}))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_process_that_was_forked_is_told_what_to_do(path: Path) -> None:
    """The one that has forked it goes on, whatever the other closes."""
    answer = subprocess.run(
        [sys.executable, "-c", FORKS, path], capture_output=True, text=True, check=True
    )

    told = (
        f"journal {path}: this process was forked from the one that opened it, and open "
        "connections do not survive that; make the Notifier after the fork"
    )
    assert answer.stdout.splitlines() == [told] * 3


@pytest.mark.parametrize("name", ["missing/journal.db", "file/journal.db", "folder"])
def test_a_file_that_cannot_be_made_is_told_with_what_to_do(tmp_path: Path, name: str) -> None:
    """Its folder does not exist, is none, or it is one itself."""
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    path = tmp_path / name

    with pytest.raises(JournalError) as caught:
        SqliteDatabase(str(path))

    assert str(caught.value) == (
        f"journal {path}: unable to open database file; the folder must exist, and be ours to write"
    )


def test_a_file_that_is_no_database_is_left_as_it_is(path: Path) -> None:
    path.write_text("my diary " * 100)

    with pytest.raises(JournalError) as caught:
        journal_at(path)

    assert str(caught.value) == (
        f"journal {path}: file is not a database; "
        "name a file that does not exist yet, or one that a journal made"
    )
    assert path.read_text() == "my diary " * 100


def test_a_database_of_an_application_is_given_the_tables(path: Path) -> None:
    """The journal may live beside its own, whose tables stay what they are."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY)")
        connection.execute("INSERT INTO orders VALUES (17)")

    with closing(journal_at(path)) as journal:
        assert journal.check() == []

    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT id FROM orders").fetchall() == [(17,)]


def test_a_file_that_another_process_is_writing_is_waited_for(path: Path) -> None:
    """For as long as it takes, within half a minute."""
    with (
        closing(SqliteDatabase(str(path))) as database,
        closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        threading.Timer(0.2, other.execute, ["COMMIT"]).start()

        assert database.write(lambda executor: executor.execute("SELECT 17", {})) == [(17,)]


def test_a_damaged_file_is_found_by_the_check(path: Path) -> None:
    """What SQLite finds is told with the name of the file, what we find with the delivery."""
    with closing(journal_at(path)) as journal:
        journal.add([waiting(Sms(to="+79990000001", text="x" * 50_000), 1)])
    content = bytearray(path.read_bytes())
    content[-4096:] = b"\0" * 4096  # the last page of the text
    content[36:40] = struct.pack(">I", 1)  # a page that nothing uses, it says
    path.write_bytes(content)

    with closing(journal_at(path)) as journal:
        problems = journal.check()

    of_the_file, of_the_delivery = problems
    assert of_the_file.startswith(f"{path}: ")
    assert of_the_delivery.startswith(f"delivery {1:024x}: a stored message cannot be made again")


def test_a_damaged_delivery_does_not_keep_others_from_being_claimed(path: Path) -> None:
    """It is told in the log, and in the check."""
    with closing(journal_at(path)) as journal:
        journal.add([waiting(Sms(to="+79990000001", text="hi"), number) for number in (1, 2, 3)])
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE notify_contents SET content = '{' WHERE id LIKE '%1'")
            connection.execute("UPDATE notify_deliveries SET plan = '{}' WHERE id LIKE '%2'")

        claimed = journal.claim("me", NOW, NOW, [Priority.NORMAL], 9)

        assert [entry.id for entry in claimed] == [f"{3:024x}"]
        assert len(journal.check()) == 2


def test_a_journal_that_is_closed_says_so(path: Path) -> None:
    database = SqliteDatabase(str(path))
    database.close()

    for use in (database.write, database.read, lambda _: database.watch()):
        with pytest.raises(JournalError, match="it is closed"):
            use(lambda executor: executor.execute("SELECT 1", {}))


def test_closing_waits_for_whoever_writes(database: SqliteDatabase) -> None:
    held = Held()
    with ThreadPoolExecutor(2) as pool:
        writing_now = pool.submit(database.write, held)
        assert held.begun.wait(PATIENCE_S)
        closing_now = pool.submit(database.close)
        sleep(0.1)
        held.go_on.set()
        closing_now.result()

        assert writing_now.exception() is None


def test_closing_does_not_wait_for_another_process(path: Path) -> None:
    """Nothing is to be written, so it is no matter who is writing."""
    database = SqliteDatabase(str(path))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        begun = monotonic()

        database.close()

        assert monotonic() - begun < PATIENCE_S


# --- durability -----------------------------------------------------------------------------


@pytest.mark.parametrize(("durability", "synchronous"), [("full", 2), ("normal", 1)])
def test_how_much_is_written_to_the_disk_is_as_configured(
    path: Path, durability: str, synchronous: int
) -> None:
    """https://www.sqlite.org/pragma.html#pragma_synchronous, with a write-ahead log."""
    with closing(SqliteDatabase(str(path), Durability(durability))) as database:
        assert database.write(lambda executor: executor.execute("PRAGMA synchronous", {})) == [
            (synchronous,)
        ]
        assert database.write(lambda executor: executor.execute("PRAGMA journal_mode", {})) == [
            ("wal",)
        ]
