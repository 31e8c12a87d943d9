"""Write inside a transaction of the application: a message exists exactly when its data do.

No library is imported here that the application has not imported: a connection is recognised by
the names of its classes. The transaction stays the application's. Nothing is committed, rolled
back or set on its connection.
"""

from __future__ import annotations

import enum
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol

import attrs

from notify_core.errors import JournalError

if TYPE_CHECKING:
    import sqlite3

    import psycopg
    from sqlalchemy import Connection, TextClause
    from sqlalchemy.orm import Session, scoped_session


class Dialect(enum.Enum):
    """The databases that the statements of the journal are written for."""

    SQLITE = "sqlite"
    """SQLite 3."""
    POSTGRESQL = "postgresql"
    """PostgreSQL."""


class Executor(Protocol):
    """Executes statements of the journal, which name their parameters ``:so``.

    A statement has no other colon and no per cent sign. One that writes begins with ``INSERT``,
    ``UPDATE`` or ``DELETE``: for no other, ``WITH … INSERT`` neither, does Python's ``sqlite3``
    open the transaction that the message is to be part of.

    Whatever the database refuses is a ``JournalError`` that holds no parameter. Its cause is of
    the driver's class, or None where that could hold one. PostgreSQL gives up the whole
    transaction of the application with a statement that failed: until it rolls back, to a
    savepoint or altogether, every statement of its own fails too. SQLite takes back the statement
    alone.
    """

    @property
    def dialect(self) -> Dialect: ...

    def execute(
        self, statement: str, parameters: Mapping[str, object]
    ) -> Sequence[tuple[Any, ...]]:
        """Execute one statement and return its rows, ``()`` where it returns none."""
        ...

    def execute_many(self, statement: str, parameters: Sequence[Mapping[str, object]]) -> None:
        """Execute a statement that returns no rows once for each of the parameters."""
        ...


def enlisted(connection: object) -> Executor:
    """Return what writes in the transaction that is open on a connection of the application.

    Taken are a ``sqlite3.Connection``, a ``psycopg.Connection``, a ``Connection``, ``Session`` or
    ``scoped_session`` of SQLAlchemy, and Django's ``connection`` and ``connections["…"]``. Where
    the library opens the transaction with the first statement it need not be open yet. A
    connection that would commit each statement by itself is a ``JournalError``, as is anything
    else; it says what to pass instead.

    The executor is for this transaction. It may be used where the connection may, and no later.
    Of a ``Session`` with several databases pass the ``Connection`` to the right one.
    What the application has SQLAlchemy or Django log of its SQL shows the parameters of the
    journal too.
    """
    names = [_full_name(kind) for kind in type(connection).__mro__]
    for name in names:
        if name in _KINDS:
            return _KINDS[name](connection)
    advice = next((_ADVICE[name] for name in names if name in _ADVICE), _USUAL_ADVICE)
    raise _refusal(connection, f"is not a connection that the journal can write on; {advice}")


class _Cursor(Protocol):
    """As much of a DB-API cursor as is needed."""

    @property
    def description(self) -> Sequence[Any] | None: ...

    def execute(self, statement: str, parameters: Mapping[str, object], /) -> object: ...

    def executemany(
        self, statement: str, parameters: Sequence[Mapping[str, object]], /
    ) -> object: ...

    def fetchall(self) -> Sequence[Any]: ...


class _DjangoConnection(Protocol):
    """As much of a connection of Django as is needed; Django brings no types."""

    vendor: str
    alias: str
    in_atomic_block: bool

    def get_autocommit(self) -> bool: ...

    def cursor(self) -> Any: ...


@attrs.frozen
class _CursorExecutor:
    """Executes with DB-API cursors, a fresh one for each call."""

    dialect: Dialect
    _cursor: Callable[[], AbstractContextManager[_Cursor]]
    _written: Callable[[str], str]
    _error: type[Exception]

    def execute(
        self, statement: str, parameters: Mapping[str, object]
    ) -> Sequence[tuple[Any, ...]]:
        with _translated(self._error), self._cursor() as cursor:
            cursor.execute(self._written(statement), parameters)
            return () if cursor.description is None else _tuples(cursor.fetchall())

    def execute_many(self, statement: str, parameters: Sequence[Mapping[str, object]]) -> None:
        if not parameters:  # Django would send the statement with its placeholders as they are
            return
        with _translated(self._error), self._cursor() as cursor:
            cursor.executemany(self._written(statement), parameters)


@attrs.frozen
class _SqlalchemyExecutor:
    """Executes on a ``Connection`` of SQLAlchemy, which begins its transaction if need be."""

    dialect: Dialect
    _connection: Connection
    _text: Callable[[str], TextClause]
    _error: type[Exception]

    def execute(
        self, statement: str, parameters: Mapping[str, object]
    ) -> Sequence[tuple[Any, ...]]:
        with _translated(self._error):
            result = self._connection.execute(self._text(statement), dict(parameters))
            return _tuples(result.fetchall()) if result.returns_rows else ()

    def execute_many(self, statement: str, parameters: Sequence[Mapping[str, object]]) -> None:
        if not parameters:  # SQLAlchemy would execute the statement once, without parameters
            return
        with _translated(self._error):
            self._connection.execute(self._text(statement), [dict(each) for each in parameters])


def _on_sqlite3(connection: sqlite3.Connection) -> Executor:
    import sqlite3  # noqa: PLC0415 - an application that has none of it need not load it

    with _translated(sqlite3.Error):
        if _sqlite_autocommits(connection):
            raise _autocommit(connection, 'execute "BEGIN" first')
    return _CursorExecutor(
        Dialect.SQLITE, lambda: _sqlite_cursor(connection), _as_it_is, sqlite3.Error
    )


def _on_psycopg(connection: psycopg.Connection[Any]) -> Executor:
    from psycopg import Cursor, Error  # noqa: PLC0415 - an optional dependency
    from psycopg.rows import tuple_row  # noqa: PLC0415 - an optional dependency

    _refuse_psycopg(connection)
    # The application's cursor factory is passed by: a RawCursor takes other placeholders.
    return _CursorExecutor(
        Dialect.POSTGRESQL,
        lambda: closing(Cursor(connection, row_factory=tuple_row)),
        _pyformat,
        Error,
    )


def _on_session(session: Session | scoped_session[Any]) -> Executor:
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - an optional dependency

    with _translated(SQLAlchemyError):
        connection = session.connection()
    return _on_sqlalchemy(connection)


def _on_sqlalchemy(connection: Connection) -> Executor:
    from sqlalchemy import text  # noqa: PLC0415 - an optional dependency
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - an optional dependency

    if connection.closed:
        raise _refusal(connection, "is closed; pass one that is open")
    dialect = _dialect(connection, connection.dialect.name)
    with _translated(SQLAlchemyError):
        if _sqlalchemy_autocommits(connection, dialect):
            raise _autocommit(
                connection, "enqueue inside `with engine.begin() as connection:`, not in AUTOCOMMIT"
            )
    return _SqlalchemyExecutor(dialect, connection, text, SQLAlchemyError)


def _on_django(connection: _DjangoConnection) -> Executor:
    # A cache of Django comes in the same kind of proxy, without a vendor.
    dialect = _dialect(connection, getattr(connection, "vendor", None))
    error: type[Exception] = sys.modules["django.db"].Error
    with _translated(error):
        if not connection.in_atomic_block and connection.get_autocommit():
            raise _autocommit(
                connection,
                f"enqueue inside `with transaction.atomic(using={connection.alias!r}):`",
            )
    return _CursorExecutor(dialect, lambda: closing(connection.cursor()), _pyformat, error)


_KINDS: Final[Mapping[str, Callable[[Any], Executor]]] = {
    "sqlite3.Connection": _on_sqlite3,
    "psycopg.Connection": _on_psycopg,
    "sqlalchemy.engine.base.Connection": _on_sqlalchemy,
    "sqlalchemy.orm.session.Session": _on_session,
    "sqlalchemy.orm.scoping.scoped_session": _on_session,
    "django.db.backends.base.base.BaseDatabaseWrapper": _on_django,
    "django.utils.connection.ConnectionProxy": _on_django,
}

_USUAL_ADVICE: Final = (
    "pass a sqlite3.Connection, a psycopg.Connection, a Connection or Session of SQLAlchemy, "
    "or Django's django.db.connection"
)
_IN_RUN_SYNC: Final = (
    "pass the synchronous one inside run_sync: "
    "`await {0}.run_sync(lambda {0}: notifier.enqueue(message, connection={0}))`"
)
_OF_CURSOR: Final = "pass the connection of the cursor"
_ADVICE: Final[Mapping[str, str]] = {
    "sqlalchemy.engine.base.Engine": (
        "pass the connection of `with engine.begin() as connection:`"
    ),
    "sqlalchemy.orm.session.sessionmaker": "call it and pass the session",
    "sqlalchemy.ext.asyncio.engine.AsyncConnection": _IN_RUN_SYNC.format("connection"),
    "sqlalchemy.ext.asyncio.session.AsyncSession": _IN_RUN_SYNC.format("session"),
    "psycopg.AsyncConnection": "pass a synchronous psycopg.Connection",
    "psycopg.Cursor": _OF_CURSOR,
    "psycopg_pool.pool.ConnectionPool": (
        "pass the connection of `with pool.connection() as connection:`"
    ),
    "psycopg2.extensions.connection": (
        "pass a psycopg.Connection (psycopg 3), or use psycopg2 by way of SQLAlchemy or Django"
    ),
    "sqlite3.Cursor": _OF_CURSOR,
    "django.db.backends.utils.CursorWrapper": "pass django.db.connection",
    "django.db.utils.ConnectionHandler": "pass one of them, as in connections['default']",
}


def _dialect(connection: object, name: str | None) -> Dialect:
    try:
        return Dialect(name)
    except ValueError:
        known = ", ".join(dialect.value for dialect in Dialect)
        raise _refusal(
            connection,
            f"is of the database {name!r}, for which the journal has no statements "
            f"(known: {known}); enqueue without connection=, after your transaction",
        ) from None


def _refuse_psycopg(connection: psycopg.Connection[Any]) -> None:
    from psycopg import pq  # noqa: PLC0415 - an optional dependency

    if connection.closed:
        raise _refusal(connection, "is closed; pass one that is open")
    # In a pipeline an answer comes when it is asked for: neither would the rows be known after a
    # statement, nor would its failure be translated.
    if connection.info.pipeline_status != pq.PipelineStatus.OFF:
        raise _refusal(connection, "is in pipeline mode; enqueue outside `connection.pipeline()`")
    if connection.autocommit and connection.info.transaction_status == pq.TransactionStatus.IDLE:
        raise _autocommit(connection, "enqueue inside `with connection.transaction():`")


def _sqlalchemy_autocommits(connection: Connection, dialect: Dialect) -> bool:
    # Outside a transaction SQLAlchemy 1.4 commits by itself, unless it is told to be like 2.0.
    if not (connection.in_transaction() or hasattr(connection, "commit")):
        return True
    # The driver is asked: SQLAlchemy counts a transaction as begun in AUTOCOMMIT as well, and
    # with SQLite the isolation_level None may also mean that a listener executes BEGIN.
    pooled = connection.connection
    if dialect is Dialect.SQLITE:
        return _sqlite_autocommits(pooled.driver_connection)
    return bool(getattr(pooled.dbapi_connection, "autocommit", False))


def _sqlite_autocommits(connection: Any) -> bool:
    """Tell whether an ``INSERT`` would be committed by itself.

    https://docs.python.org/3/library/sqlite3.html#transaction-control: with ``autocommit``
    -1, the only way before Python 3.12, the ``isolation_level`` decides.
    """
    if connection.in_transaction:
        return False
    autocommit = getattr(connection, "autocommit", -1)
    return connection.isolation_level is None if autocommit == -1 else bool(autocommit)


@contextmanager
def _sqlite_cursor(connection: sqlite3.Connection) -> Iterator[sqlite3.Cursor]:
    """Give a cursor that returns tuples and ``str``, whatever the application has set."""
    import sqlite3  # noqa: PLC0415 - see _on_sqlite3

    texts = connection.text_factory
    with closing(sqlite3.Cursor(connection)) as cursor:
        connection.text_factory = str  # a cursor has none of its own
        try:
            yield cursor
        finally:
            connection.text_factory = texts


def _tuples(rows: Sequence[Any]) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in rows]


def _as_it_is(statement: str) -> str:
    return statement


def _pyformat(statement: str) -> str:
    return re.sub(r":(\w+)", r"%(\1)s", statement)


@contextmanager
def _translated(error: type[Exception]) -> Iterator[None]:
    """Make a ``JournalError`` of what the library raises, without the parameters.

    Not even the chain of causes has them: SQLAlchemy writes them behind its message, PostgreSQL
    puts the row into the second line of its own. So the cause is made anew.
    """
    try:
        yield
    except error as raised:
        original = getattr(raised, "orig", None) or raised  # SQLAlchemy keeps the driver's
        cause = _bare(original)
        told = "" if cause is None else f": {cause}"
        raise _failure(f"{_full_name(type(original))}{told}") from cause
    except (ValueError, OverflowError) as raised:
        # What drivers raise for a text or number that they cannot send; the error may hold it.
        raise _failure(_full_name(type(raised))) from None


_READ: Final = frozenset(
    {
        "sqlite3",
        "psycopg",
        "psycopg.errors",
        "psycopg2",
        "psycopg2.errors",
        "sqlalchemy.exc",
        "django.db.utils",
        "django.db.transaction",
    }
)
"""Where the errors are from whose messages were read. pg8000 and asyncpg repeat parameters."""


def _bare(error: Exception) -> Exception | None:
    """Return the error with the first line of its message alone; None if that may not be safe.

    Of the errors that were read a ``DataError`` repeats parameters in its first line: 'invalid
    input syntax for type integer: "…"'.
    """
    kind = type(error)
    if kind.__module__ not in _READ or any(base.__name__ == "DataError" for base in kind.__mro__):
        return None
    return kind(str(error).partition("\n")[0])


def _failure(what: str) -> JournalError:
    return JournalError(f"writing in the transaction of the application failed: {what}")


def _autocommit(connection: object, fix: str) -> JournalError:
    return _refusal(
        connection,
        "would commit each statement by itself, so that the message could exist without your "
        f"data; {fix}",
    )


def _refusal(connection: object, why: str) -> JournalError:
    return JournalError(f"connection: {_full_name(type(connection))} {why}")


def _full_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
