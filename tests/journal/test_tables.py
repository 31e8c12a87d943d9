"""The tables of the journal: made once, brought to a new version, refused where they do not fit."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import NullPool, create_engine, text

from notify_core.clock import SystemClock
from notify_core.errors import JournalError
from notify_core.journal import statements, tables
from notify_core.journal.base import Journal
from notify_core.journal.database import Database
from notify_core.journal.opening import open_journal
from notify_core.journal.postgresql import PostgresqlDatabase
from notify_core.journal.sqlite import SqliteDatabase
from notify_core.message import Sms
from tests.journal.making import TYPES, journal_config, waiting
from tests.postgres import PostgresServer

THREADS = 16
PROCESSES = 4
ROOT = Path(__file__).parents[2]
NEWER = (*tables.STEPS, ("ALTER TABLE notify_providers ADD COLUMN remark TEXT",))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'journal.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.new_database()
    yield url
    server.drop_database(url)


def opened(url: str, *, to_migrate: bool = False) -> Journal:
    return open_journal(journal_config(url), TYPES, SystemClock(), to_migrate=to_migrate)


def database_of(url: str) -> Database:
    if url.startswith("sqlite"):
        return SqliteDatabase(url.removeprefix("sqlite:///"))
    return PostgresqlDatabase(url, pool_size=1)


def change(url: str, statement: str) -> None:
    with create_engine(url, poolclass=NullPool).begin() as connection:
        connection.execute(text(statement))


def ask(url: str, statement: str) -> object:
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return connection.execute(text(statement)).scalar_one()


# --- versions -------------------------------------------------------------------------------


def test_the_tables_are_made_when_a_journal_is_first_opened(url: str) -> None:
    opened(url).close()

    assert ask(url, "SELECT version FROM notify_schema") == tables.VERSION


def test_a_journal_of_a_newer_version_is_refused(url: str) -> None:
    opened(url).close()
    change(url, f"UPDATE notify_schema SET version = {tables.VERSION + 1}")

    with pytest.raises(JournalError) as caught:
        opened(url)

    assert str(caught.value) == (
        f"the journal has version {tables.VERSION + 1}, made by a newer notify-core; "
        f"this one knows versions up to {tables.VERSION}: upgrade it"
    )


def test_a_journal_of_a_newer_version_is_not_migrated(url: str) -> None:
    opened(url).close()
    change(url, f"UPDATE notify_schema SET version = {tables.VERSION + 1}")

    with (
        closing(opened(url, to_migrate=True)) as journal,
        pytest.raises(JournalError, match="made by a newer notify-core"),
    ):
        journal.migrate()

    assert ask(url, "SELECT version FROM notify_schema") == tables.VERSION + 1


def test_a_journal_of_an_older_version_says_how_to_migrate_it() -> None:
    with pytest.raises(JournalError) as caught:
        tables.refuse_older(3, needed=4)

    assert str(caught.value) == (
        "the journal has version 3, this notify-core needs 4; run: notify journal migrate"
    )


@pytest.mark.parametrize("version", [0, 4])
def test_a_journal_that_fits_or_is_none_is_not_refused(version: int) -> None:
    tables.refuse_older(version, needed=4)
    tables.refuse_newer(version, known=4)


def test_only_the_steps_that_are_missing_are_done(url: str) -> None:
    """What is in the tables stays."""
    with closing(opened(url)) as journal:
        journal.add([waiting(Sms(to="+79990000001", text="hi"))])

    with closing(database_of(url)) as database:
        moved = database.write(lambda executor: tables.migrated(executor, NEWER))
        again = database.write(lambda executor: tables.migrated(executor, NEWER))

    assert moved == (tables.VERSION, tables.VERSION + 1)
    assert again == (tables.VERSION + 1, tables.VERSION + 1)
    assert ask(url, "SELECT count(*) FROM notify_deliveries") == 1
    assert ask(url, "SELECT count(remark) FROM notify_providers") == 0


def test_a_step_that_fails_leaves_the_tables_as_they_were(url: str) -> None:
    """All of it is one transaction."""
    opened(url).close()
    failing = (*NEWER, ("ALTER TABLE no_such_table ADD COLUMN remark TEXT",))

    with closing(database_of(url)) as database, pytest.raises(JournalError):
        database.write(lambda executor: tables.migrated(executor, failing))

    assert ask(url, "SELECT version FROM notify_schema") == tables.VERSION
    opened(url).close()


def test_nothing_is_made_for_who_is_to_migrate(url: str) -> None:
    """Before it is asked to."""
    with closing(opened(url, to_migrate=True)) as journal:
        with pytest.raises(JournalError):
            journal.load("0" * 24)

        assert journal.migrate() == (0, tables.VERSION)
        assert journal.load("0" * 24) is None


# --- together -------------------------------------------------------------------------------


def test_many_threads_that_open_a_new_journal_make_its_tables_once(url: str) -> None:
    start = Barrier(THREADS)

    def open_and_use(number: int) -> None:
        start.wait()
        with closing(opened(url)) as journal:
            journal.add([waiting(Sms(to="+79990000001", text="hi"), number)])

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(open_and_use, range(1, THREADS + 1)))

    assert ask(url, "SELECT count(*) FROM notify_schema") == 1
    assert ask(url, "SELECT count(*) FROM notify_deliveries") == THREADS


OPENS = """\
import sys
from notify_core.clock import SystemClock
from notify_core.journal.opening import open_journal
from notify_core.message import Sms
from tests.journal.making import TYPES, journal_config, waiting

print("ready", flush=True)
for url in sys.stdin.readline().split():
    journal = open_journal(journal_config(url), TYPES, SystemClock())
    journal.add([waiting(Sms(to="+79990000001", text="hi"), int(sys.argv[1]))])
    journal.close()
"""


def test_many_processes_that_open_a_new_journal_make_its_tables_once(url: str) -> None:
    """A file of SQLite is made often, for it takes luck to be there in the wrong moment."""
    urls = [f"{url}{number}" for number in range(20)] if url.startswith("sqlite") else [url]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", OPENS, str(number)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(1, PROCESSES + 1)
    ]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()

    for process in processes:
        assert process.stdin is not None
        process.stdin.write(f"{' '.join(urls)}\n")
        process.stdin.flush()
    for process in processes:
        process.communicate()

    assert [process.returncode for process in processes] == [0] * PROCESSES
    for each in urls:
        assert ask(each, "SELECT count(*) FROM notify_deliveries") == PROCESSES


# --- statements -----------------------------------------------------------------------------

FRAGMENTS = {"COLUMNS"}
STATEMENTS = {
    name: value
    for name, value in vars(statements).items()
    if name.isupper() and isinstance(value, str) and not name.startswith("_")
}


@pytest.mark.parametrize("name", sorted(STATEMENTS.keys() - FRAGMENTS))
def test_every_statement_that_writes_says_so_with_its_first_word(name: str) -> None:
    """Python's sqlite3 opens a transaction for no other: https://docs.python.org/3/library/sqlite3

    What only reads begins with SELECT; no other word is used.
    """
    first = STATEMENTS[name].split()[0]

    assert first in ("INSERT", "UPDATE", "DELETE", "SELECT")


@pytest.mark.parametrize("name", sorted(STATEMENTS))
def test_a_statement_has_colons_for_its_parameters_alone_and_no_per_cent_sign(name: str) -> None:
    """Whatever the driver of an application makes of them."""
    without_parameters = re.sub(r"(?<![:\w]):[a-z_]+\b", "", STATEMENTS[name])

    assert not set(without_parameters) & {":", "%"}
