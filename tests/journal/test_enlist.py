"""Writing in a transaction of the application, on every kind of connection it may have."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import attrs
import django
import django.core.cache
import django.db
import psycopg
import pytest
from django.conf import settings
from django.db import connections, transaction
from psycopg.rows import dict_row
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url, text
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from notify_core.errors import JournalError
from notify_core.journal.enlist import Dialect, enlisted
from tests.postgres import PostgresServer

TABLE = "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE, remark TEXT)"
INSERT = "INSERT INTO note (id, text) VALUES (:id, :text)"
CANARY = "canary-text-7171"


class Rollback(Exception):
    """What goes wrong in an application."""


# What applications do: each opens a transaction, commits it at the end, or rolls it back when
# something goes wrong.

Opening = Callable[[str], AbstractContextManager[Any]]


@contextmanager
def sqlite_opened(url: str, **settings: Any) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(str(make_url(url).database), **settings)) as connection:
        yield connection


@contextmanager
def with_sqlite3(url: str) -> Iterator[sqlite3.Connection]:
    with sqlite_opened(url) as connection, connection:
        yield connection


@contextmanager
def with_explicit_begin(url: str) -> Iterator[sqlite3.Connection]:
    with sqlite_opened(url, isolation_level=None) as connection, connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection


@contextmanager
def with_sqlite3_factories(url: str) -> Iterator[sqlite3.Connection]:
    with with_sqlite3(url) as connection:
        connection.row_factory = lambda cursor, row: {"fields": len(row), "of": cursor}
        connection.text_factory = bytes
        yield connection


def psycopg_opened(url: str, **settings: Any) -> psycopg.Connection[Any]:
    plain = make_url(url).set(drivername="postgresql")
    return psycopg.connect(plain.render_as_string(hide_password=False), **settings)


@contextmanager
def with_psycopg(url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg_opened(url) as connection:
        yield connection


@contextmanager
def with_psycopg_block(url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg_opened(url, autocommit=True) as connection, connection.transaction():
        yield connection


@contextmanager
def with_psycopg_factories(url: str) -> Iterator[psycopg.Connection[Any]]:
    factories = {"row_factory": dict_row, "cursor_factory": psycopg.RawCursor}
    with psycopg_opened(url, **factories) as connection:
        yield connection


def engine_of(url: str, **settings: Any) -> Engine:
    return create_engine(url, poolclass=NullPool, **settings)


def begin_by_listener(url: str) -> Engine:
    """SQLAlchemy's own recipe for transactions of SQLite that hold reads and savepoints too."""
    engine = engine_of(url)
    event.listen(engine, "connect", lambda raw, _: setattr(raw, "isolation_level", None))
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


@contextmanager
def with_engine_begin(url: str) -> Iterator[Connection]:
    with engine_of(url).begin() as connection:
        yield connection


@contextmanager
def with_commit_as_you_go(url: str) -> Iterator[Connection]:
    with engine_of(url).connect() as connection:
        yield connection
        connection.commit()


@contextmanager
def with_begin_by_listener(url: str) -> Iterator[Connection]:
    with begin_by_listener(url).begin() as connection:
        yield connection


@contextmanager
def with_sqlite3_row(url: str) -> Iterator[Connection]:
    with engine_of(url).begin() as connection:
        connection.connection.driver_connection.row_factory = sqlite3.Row
        yield connection


@contextmanager
def with_session(url: str) -> Iterator[Session]:
    with Session(engine_of(url)) as session, session.begin():
        yield session


@contextmanager
def with_fresh_session(url: str) -> Iterator[Session]:
    with Session(engine_of(url)) as session:
        yield session
        session.commit()


@contextmanager
def with_scoped_session(url: str) -> Iterator[scoped_session[Session]]:
    registry = scoped_session(sessionmaker(engine_of(url)))
    try:
        with registry.begin():
            yield registry
    finally:
        registry.remove()


@contextmanager
def django_opened(url: str, **changed: str) -> Iterator[Any]:
    """Let Django's default connection lead to a database for once."""
    if not settings.configured:
        settings.configure(LOGGING_CONFIG=None)
        django.setup()
    of_django = {"default": django_database(make_url(url)) | changed}
    connections.databases.update(connections.configure_settings(of_django))
    try:
        yield django.db.connection
    finally:
        connections["default"].close()
        del connections["default"]


def django_database(url: URL) -> dict[str, Any]:
    database = {
        "ENGINE": {
            "sqlite": "django.db.backends.sqlite3",
            "postgresql": "django.db.backends.postgresql",
        }[url.get_backend_name()],
        "NAME": url.database,
        "USER": url.username,
        "PASSWORD": url.password,
        "HOST": url.host,
        "PORT": url.port,
        "OPTIONS": dict(url.query),
    }
    return {key: value for key, value in database.items() if value}


@contextmanager
def with_django(url: str) -> Iterator[Any]:
    with django_opened(url) as connection, transaction.atomic():
        yield connection


@contextmanager
def with_django_wrapper(url: str) -> Iterator[Any]:
    with django_opened(url), transaction.atomic():
        yield connections["default"]


@contextmanager
def with_django_by_hand(url: str) -> Iterator[Any]:
    with django_opened(url) as connection:
        transaction.set_autocommit(False)
        yield connection
        transaction.commit()


@attrs.frozen
class Kind:
    """A way for an application to be in a transaction of a database."""

    dialect: Dialect
    transaction: Opening

    def __str__(self) -> str:
        return f"{self.transaction.__name__}-{self.dialect.value}"


ON_SQLITE = (
    with_sqlite3,
    with_explicit_begin,
    with_sqlite3_factories,
    with_begin_by_listener,
    with_sqlite3_row,
)
ON_POSTGRESQL = (with_psycopg, with_psycopg_block, with_psycopg_factories)
ON_BOTH = (
    with_engine_begin,
    with_commit_as_you_go,
    with_session,
    with_fresh_session,
    with_scoped_session,
    with_django,
    with_django_wrapper,
    with_django_by_hand,
)
KINDS = [
    *(Kind(Dialect.SQLITE, opening) for opening in (*ON_SQLITE, *ON_BOTH)),
    *(Kind(Dialect.POSTGRESQL, opening) for opening in (*ON_POSTGRESQL, *ON_BOTH)),
]


@contextmanager
def rolled_back(kind: Kind, url: str) -> Iterator[Any]:
    """A transaction of an application in which something goes wrong at the end."""
    with suppress(Rollback), kind.transaction(url) as connection:
        yield connection
        raise Rollback


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'application.db'}"


@pytest.fixture(scope="module")
def postgresql_url(postgres: PostgresServer) -> Iterator[str]:
    """One database for all the tests: to make one takes longer than any of them."""
    url = postgres.new_database()
    yield url
    postgres.drop_database(url)


@pytest.fixture(params=KINDS, ids=str)
def kind(request: pytest.FixtureRequest) -> Kind:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def url(kind: Kind, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database with nothing but an empty table in it."""
    url = request.getfixturevalue(f"{kind.dialect.value}_url")
    with with_engine_begin(url) as connection:
        connection.execute(text(TABLE))
    yield url
    with with_engine_begin(url) as connection:
        connection.execute(text("DROP TABLE note"))


def stored(url: str) -> list[tuple[int, str]]:
    with with_engine_begin(url) as connection:
        rows = connection.execute(text("SELECT id, text FROM note ORDER BY id"))
        return [(row.id, row.text) for row in rows]


# The contract of every kind.


def test_what_is_committed_is_there(kind: Kind, url: str) -> None:
    """The row is there when the application has committed, and not before."""
    with kind.transaction(url) as connection:
        enlisted(connection).execute(INSERT, {"id": 1, "text": "one"})

        before = stored(url)

    assert before == []
    assert stored(url) == [(1, "one")]


def test_what_is_rolled_back_was_never_there(kind: Kind, url: str) -> None:
    """The row goes with the transaction of the application."""
    with rolled_back(kind, url) as connection:
        enlisted(connection).execute(INSERT, {"id": 1, "text": "one"})

    assert stored(url) == []


def test_rows_are_plain_tuples(kind: Kind, url: str) -> None:
    """Whatever rows and texts the application wants of its connection."""
    with kind.transaction(url) as connection:
        executor = enlisted(connection)

        rows = executor.execute(f"{INSERT} RETURNING id, text", {"id": 1, "text": "one"})

    assert list(rows) == [(1, "one")]
    assert [type(row) for row in rows] == [tuple]


def test_a_statement_without_rows_returns_none(kind: Kind, url: str) -> None:
    """No rows are no error."""
    with kind.transaction(url) as connection:
        rows = enlisted(connection).execute(INSERT, {"id": 1, "text": "one"})

    assert rows == ()


def test_a_parameter_is_named_as_often_as_it_is_used(kind: Kind, url: str) -> None:
    """Names are what counts, not places; a text may hold what looks like a parameter."""
    with kind.transaction(url) as connection:
        executor = enlisted(connection)
        executor.execute(INSERT, {"id": 1, "text": ":id 100 % %(id)s"})

        rows = executor.execute(
            "SELECT text FROM note WHERE id = :id AND :id < :limit", {"limit": 2, "id": 1}
        )

    assert list(rows) == [(":id 100 % %(id)s",)]


def test_many_are_written_at_once(kind: Kind, url: str) -> None:
    """In the same transaction."""
    with kind.transaction(url) as connection:
        enlisted(connection).execute_many(
            INSERT, [{"id": 1, "text": "one"}, {"id": 2, "text": "two"}]
        )

    assert stored(url) == [(1, "one"), (2, "two")]


def test_none_of_many_is_nothing(kind: Kind, url: str) -> None:
    """No parameters, no statement."""
    with kind.transaction(url) as connection:
        enlisted(connection).execute_many(INSERT, [])

    assert stored(url) == []


def test_the_dialect_is_known(kind: Kind, url: str) -> None:
    """The journal may need to write a statement in another way."""
    with kind.transaction(url) as connection:
        assert enlisted(connection).dialect is kind.dialect


REFUSED = {
    "twice": ({"id": 2, "text": CANARY, "remark": None}, "UNIQUE|unique"),
    "empty": ({"id": 2, "text": None, "remark": CANARY}, "NOT NULL|not-null"),
    "no text": ({"id": 2, "text": f"{CANARY}\ud800", "remark": CANARY}, "UnicodeEncodeError"),
}


@pytest.mark.parametrize(("parameters", "told"), REFUSED.values(), ids=REFUSED)
def test_an_error_of_the_database_tells_no_parameter(
    parameters: dict[str, Any], told: str, kind: Kind, url: str
) -> None:
    """Neither it nor what led to it, as it would stand in a log."""
    with rolled_back(kind, url) as connection:
        executor = enlisted(connection)
        executor.execute(INSERT, {"id": 1, "text": CANARY})

        with pytest.raises(JournalError, match=told) as caught:
            executor.execute(
                "INSERT INTO note (id, text, remark) VALUES (:id, :text, :remark)", parameters
            )

        assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_the_cause_of_an_error_is_of_the_class_of_the_driver(kind: Kind, url: str) -> None:
    """So an application can tell what to try again."""
    of_driver = {
        Dialect.SQLITE: (sqlite3.IntegrityError, django.db.IntegrityError),
        Dialect.POSTGRESQL: (psycopg.errors.UniqueViolation, django.db.IntegrityError),
    }
    with rolled_back(kind, url) as connection:
        executor = enlisted(connection)

        with pytest.raises(JournalError) as caught:
            executor.execute_many(INSERT, [{"id": 1, "text": "one"}, {"id": 1, "text": "two"}])

        assert isinstance(caught.value.__cause__, of_driver[kind.dialect])


# What is particular to one kind.


@pytest.mark.parametrize("kind", [Kind(Dialect.POSTGRESQL, each) for each in ON_BOTH], ids=str)
def test_a_value_that_postgresql_repeats_is_not_told(kind: Kind, url: str) -> None:
    """'invalid input syntax for type integer: "…"' stays untold but for its class."""
    with rolled_back(kind, url) as connection:
        with pytest.raises(JournalError, match=r"InvalidTextRepresentation|DataError") as caught:
            enlisted(connection).execute("SELECT CAST(:text AS INTEGER)", {"text": CANARY})

        assert CANARY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("kind", [Kind(Dialect.SQLITE, with_sqlite3_factories)], ids=str)
def test_the_factories_of_sqlite3_stay_what_they_were(kind: Kind, url: str) -> None:
    """After a statement, and after one that failed."""
    with kind.transaction(url) as connection:
        before = (connection.row_factory, connection.text_factory)
        executor = enlisted(connection)

        executor.execute(INSERT, {"id": 1, "text": "one"})
        with pytest.raises(JournalError):
            executor.execute(INSERT, {"id": 1, "text": "one"})

        assert (connection.row_factory, connection.text_factory) == before


@pytest.mark.parametrize("kind", [Kind(Dialect.POSTGRESQL, with_psycopg)], ids=str)
def test_a_savepoint_saves_the_transaction_from_a_statement_that_failed(
    kind: Kind, url: str
) -> None:
    """As the docstring says of PostgreSQL."""
    with kind.transaction(url) as connection:
        executor = enlisted(connection)
        executor.execute(INSERT, {"id": 1, "text": "one"})
        with pytest.raises(JournalError), connection.transaction():
            executor.execute(INSERT, {"id": 1, "text": "one"})

        executor.execute(INSERT, {"id": 2, "text": "two"})

    assert stored(url) == [(1, "one"), (2, "two")]


# What is refused.


class CommittingBySetting(sqlite3.Connection):
    """What Python 3.12 makes of ``connect(…, autocommit=True)``."""

    autocommit = True


class TransactingBySetting(sqlite3.Connection):
    """What Python 3.12 makes of ``connect(…, autocommit=False)``."""

    autocommit = False


def closed_sqlite3(url: str) -> AbstractContextManager[Any]:
    with sqlite_opened(url) as connection:
        return nullcontext(connection)


@contextmanager
def cursor_of_sqlite3(url: str) -> Iterator[Any]:
    with sqlite_opened(url) as connection:
        yield connection.cursor()


@contextmanager
def cursor_of_psycopg(url: str) -> Iterator[Any]:
    with psycopg_opened(url) as connection, connection.cursor() as cursor:
        yield cursor


@contextmanager
def pipeline_of_psycopg(url: str) -> Iterator[Any]:
    with psycopg_opened(url) as connection, connection.pipeline():
        yield connection


def closed_psycopg(url: str) -> AbstractContextManager[Any]:
    with psycopg_opened(url) as connection:
        return nullcontext(connection)


def asynchronous_psycopg(url: str) -> AbstractContextManager[Any]:
    async def opened_and_closed() -> psycopg.AsyncConnection[Any]:
        plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        async with await psycopg.AsyncConnection.connect(plain) as connection:
            return connection

    return nullcontext(asyncio.run(opened_and_closed()))


@contextmanager
def autocommit_of_sqlalchemy(url: str) -> Iterator[Any]:
    with engine_of(url, isolation_level="AUTOCOMMIT").begin() as connection:
        yield connection


@contextmanager
def autocommit_of_connection(url: str) -> Iterator[Any]:
    with engine_of(url).connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


@contextmanager
def session_in_autocommit(url: str) -> Iterator[Any]:
    with Session(engine_of(url, isolation_level="AUTOCOMMIT")) as session:
        yield session


@contextmanager
def listener_before_begin(url: str) -> Iterator[Any]:
    with begin_by_listener(url).connect() as connection:
        yield connection


class Connection14(Connection):
    """What SQLAlchemy 1.4 connects with: it commits by itself and so has no way to."""

    @property
    def commit(self) -> Any:
        raise AttributeError


@contextmanager
def connection_of_sqlalchemy_14(url: str) -> Iterator[Any]:
    with Connection14(engine_of(url)) as connection:
        yield connection


@contextmanager
def session_of_nothing(_url: str) -> Iterator[Any]:
    with Session() as session:
        yield session


def closed_sqlalchemy(url: str) -> AbstractContextManager[Any]:
    with with_engine_begin(url) as connection:
        return nullcontext(connection)


@contextmanager
def mysql_of_sqlalchemy(url: str) -> Iterator[Any]:
    engine = engine_of(url)
    engine.dialect.name = "mysql"
    with engine.connect() as connection:
        yield connection


@contextmanager
def cursor_of_django(url: str) -> Iterator[Any]:
    with django_opened(url) as connection, connection.cursor() as cursor:
        yield cursor


def of_class(name: str, module: str) -> Opening:
    """An object of a library that need not be installed for this."""
    made = type(name, (), {"__module__": module})()
    return lambda _url: nullcontext(made)


def just(what: object) -> Opening:
    return lambda _url: nullcontext(what)


COMMITS = "would commit each statement by itself, so that the message could exist without"
NOT_ONE = "is not a connection that the journal can write on"

REFUSALS: dict[str, tuple[Dialect, Opening, tuple[str, ...]]] = {
    "sqlite3 without isolation_level": (
        Dialect.SQLITE,
        lambda url: sqlite_opened(url, isolation_level=None),
        ("sqlite3.Connection", COMMITS, 'execute "BEGIN" first'),
    ),
    "sqlite3 with autocommit": (
        Dialect.SQLITE,
        lambda url: sqlite_opened(url, factory=CommittingBySetting),
        ("CommittingBySetting", COMMITS),
    ),
    "sqlite3 closed": (Dialect.SQLITE, closed_sqlite3, ("Cannot operate on a closed database",)),
    "sqlite3 cursor": (
        Dialect.SQLITE,
        cursor_of_sqlite3,
        ("sqlite3.Cursor", NOT_ONE, "pass the connection of the cursor"),
    ),
    "psycopg with autocommit": (
        Dialect.POSTGRESQL,
        lambda url: psycopg_opened(url, autocommit=True),
        ("psycopg.Connection", COMMITS, "`with connection.transaction():`"),
    ),
    "psycopg closed": (Dialect.POSTGRESQL, closed_psycopg, ("psycopg.Connection is closed",)),
    "psycopg pipeline": (
        Dialect.POSTGRESQL,
        pipeline_of_psycopg,
        ("psycopg.Connection is in pipeline mode",),
    ),
    "psycopg async": (
        Dialect.POSTGRESQL,
        asynchronous_psycopg,
        ("psycopg.AsyncConnection", NOT_ONE, "pass a synchronous psycopg.Connection"),
    ),
    "psycopg cursor": (
        Dialect.POSTGRESQL,
        cursor_of_psycopg,
        ("psycopg.Cursor", NOT_ONE, "pass the connection of the cursor"),
    ),
    "SQLAlchemy AUTOCOMMIT over SQLite": (
        Dialect.SQLITE,
        autocommit_of_sqlalchemy,
        ("sqlalchemy.engine.base.Connection", COMMITS, "`with engine.begin() as connection:`"),
    ),
    "SQLAlchemy AUTOCOMMIT over PostgreSQL": (
        Dialect.POSTGRESQL,
        autocommit_of_sqlalchemy,
        ("sqlalchemy.engine.base.Connection", COMMITS),
    ),
    "SQLAlchemy AUTOCOMMIT of one connection": (
        Dialect.POSTGRESQL,
        autocommit_of_connection,
        ("sqlalchemy.engine.base.Connection", COMMITS),
    ),
    "SQLAlchemy session in AUTOCOMMIT": (Dialect.SQLITE, session_in_autocommit, (COMMITS,)),
    "SQLAlchemy listener before BEGIN": (
        Dialect.SQLITE,
        listener_before_begin,
        (COMMITS, "`with engine.begin() as connection:`"),
    ),
    "SQLAlchemy 1.4": (Dialect.SQLITE, connection_of_sqlalchemy_14, ("Connection14", COMMITS)),
    "SQLAlchemy closed": (Dialect.SQLITE, closed_sqlalchemy, ("Connection is closed",)),
    "SQLAlchemy session of nothing": (
        Dialect.SQLITE,
        session_of_nothing,
        ("sqlalchemy.exc.UnboundExecutionError",),
    ),
    "SQLAlchemy engine": (
        Dialect.SQLITE,
        lambda url: nullcontext(engine_of(url)),
        ("sqlalchemy.engine.base.Engine", NOT_ONE, "`with engine.begin() as connection:`"),
    ),
    "SQLAlchemy sessionmaker": (Dialect.SQLITE, just(sessionmaker()), (NOT_ONE, "call it")),
    "SQLAlchemy async session": (
        Dialect.SQLITE,
        of_class("AsyncSession", "sqlalchemy.ext.asyncio.session"),
        ("AsyncSession", NOT_ONE, "await session.run_sync(lambda session: notifier.enqueue("),
    ),
    "SQLAlchemy over MySQL": (
        Dialect.SQLITE,
        mysql_of_sqlalchemy,
        ("is of the database 'mysql'", "known: sqlite, postgresql"),
    ),
    "Django outside atomic over SQLite": (
        Dialect.SQLITE,
        django_opened,
        ("ConnectionProxy", COMMITS, "`with transaction.atomic(using='default'):`"),
    ),
    "Django outside atomic over PostgreSQL": (Dialect.POSTGRESQL, django_opened, (COMMITS,)),
    "Django with another database": (
        Dialect.SQLITE,
        lambda url: django_opened(url, ENGINE="django.db.backends.dummy"),
        ("is of the database 'unknown'", "known: sqlite, postgresql"),
    ),
    "Django cursor": (
        Dialect.SQLITE,
        cursor_of_django,
        ("CursorWrapper", NOT_ONE, "pass django.db.connection"),
    ),
    "Django connections": (
        Dialect.SQLITE,
        just(connections),
        ("ConnectionHandler", NOT_ONE, "connections['default']"),
    ),
    "psycopg2": (
        Dialect.SQLITE,
        of_class("connection", "psycopg2.extensions"),
        ("psycopg2.extensions.connection", NOT_ONE, "SQLAlchemy or Django"),
    ),
    "pool of psycopg": (
        Dialect.SQLITE,
        of_class("ConnectionPool", "psycopg_pool.pool"),
        (NOT_ONE, "`with pool.connection() as connection:`"),
    ),
    "anything": (
        Dialect.SQLITE,
        just(object()),
        ("builtins.object", NOT_ONE, "pass a sqlite3.Connection, a psycopg.Connection"),
    ),
}


@pytest.mark.parametrize(("dialect", "opening", "told"), REFUSALS.values(), ids=REFUSALS)
def test_what_cannot_keep_the_promise_is_refused(
    dialect: Dialect, opening: Opening, told: tuple[str, ...], request: pytest.FixtureRequest
) -> None:
    """By an error that names it and says what to do."""
    url = request.getfixturevalue(f"{dialect.value}_url")

    with opening(url) as connection, pytest.raises(JournalError) as caught:
        enlisted(connection)

    assert [part for part in told if part not in str(caught.value)] == []


def test_a_cache_of_django_is_refused(sqlite_url: str) -> None:
    """It comes in the same kind of proxy as a connection."""
    with django_opened(sqlite_url), pytest.raises(JournalError, match="is of the database None"):
        enlisted(django.core.cache.cache)


def test_a_refusal_does_not_show_what_it_was_given() -> None:
    """It may be a URL with a password in it."""
    with pytest.raises(JournalError) as caught:
        enlisted(f"postgresql://user:{CANARY}@db/app")

    assert CANARY not in str(caught.value)


def test_sqlite3_that_is_always_in_a_transaction_is_taken(sqlite_url: str) -> None:
    """As Python 3.12 and later have it, whatever the isolation_level."""
    with sqlite_opened(
        sqlite_url, factory=TransactingBySetting, isolation_level=None
    ) as connection:
        assert enlisted(connection).dialect is Dialect.SQLITE


IMPORTS = {
    "import sqlite3; connection = sqlite3.connect(':memory:')": set(),
    "import sqlalchemy; connection = sqlalchemy.create_engine('sqlite://').connect()": {
        "sqlalchemy"
    },
}


@pytest.mark.parametrize(("opened", "expected"), IMPORTS.items())
def test_nothing_is_imported_that_the_application_has_not_imported(
    opened: str, expected: set[str]
) -> None:
    """Recognising a connection needs the names of its classes only."""
    program = f"""
import sys
from notify_core.errors import JournalError
from notify_core.journal.enlist import enlisted
{opened}
enlisted(connection).execute("SELECT 1", {{}})
try:
    enlisted(object())
except JournalError:
    print(*sys.modules)
"""
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    libraries = {"sqlalchemy", "psycopg", "psycopg2", "django"}
    assert libraries & set(answer.stdout.split()) == expected
