"""PostgreSQL as the journal's database, for many machines: SQLAlchemy Core over psycopg."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from notify_core.errors import JournalError
from notify_core.journal.database import Birthplace, Watch
from notify_core.journal.dialects import CHANNEL
from notify_core.journal.enlist import Dialect, Executor

if TYPE_CHECKING:
    import psycopg
    import sqlalchemy

T = TypeVar("T")

_LOOK_EVERY_S = 0.5
"""How often a waiting worker looks whether it is to stop."""


class PostgresqlDatabase:
    """A database on a server. ``pool_size`` is how many connections are kept open.

    ``url`` holds a password: no error repeats it.
    """

    dialect = Dialect.POSTGRESQL

    def __init__(self, url: str, pool_size: int) -> None:
        try:
            import psycopg as _psycopg  # noqa: F401, PLC0415 - an optional dependency
            import sqlalchemy  # noqa: PLC0415 - an optional dependency
        except ImportError:
            raise JournalError(
                "a journal on PostgreSQL needs SQLAlchemy and psycopg; "
                "install them with: pip install 'notify-core[postgresql]'"
            ) from None
        self._library = sqlalchemy
        self._place = "postgresql"
        with self._translated():
            made = self._parsed(url)
            self._engine = sqlalchemy.create_engine(
                made, pool_size=pool_size, max_overflow=pool_size, connect_args=_CONNECT
            )
        self._place = f"postgresql://{made.host or ''}/{made.database or ''}"
        self._birthplace = Birthplace(self._place)
        self._texts = _Texts(sqlalchemy.text)
        self._listening = made.set(drivername="postgresql").render_as_string(hide_password=False)
        self._watches: weakref.WeakSet[_Watch] = weakref.WeakSet()

    def write(self, work: Callable[[Executor], T]) -> T:
        self._birthplace.check()
        with self._translated():
            try:
                return self._run(work)
            except self._library.exc.DBAPIError as error:
                if not error.connection_invalidated:
                    raise
            # The server went away and came back since the connection was used last. Nothing of
            # this transaction can have been written, for it was not to be committed yet.
            return self._run(work)

    def read(self, work: Callable[[Executor], T]) -> T:
        return self.write(work)

    def watch(self) -> Watch:
        watch = _Watch(self._listening)
        self._watches.add(watch)
        return watch

    def wake(self) -> None:
        for watch in list(self._watches):
            watch.woken.set()

    def check(self) -> list[str]:
        return []

    def close(self) -> None:
        self.wake()
        self._engine.dispose(close=self._birthplace.is_here)

    def _parsed(self, url: str) -> sqlalchemy.URL:
        try:
            made = self._library.make_url(url)
        except (self._library.exc.ArgumentError, ValueError):
            raise JournalError(_NO_URL) from None
        if "@" in f"{made.host}{made.database}":  # a part of the password
            raise JournalError(_NO_URL)
        return made.set(drivername="postgresql+psycopg")

    def _run(self, work: Callable[[Executor], T]) -> T:
        with self._engine.connect() as connection:
            result = work(_Executor(connection, self._texts))
            try:
                connection.commit()
            except self._library.exc.DBAPIError as error:
                raise JournalError(
                    f"journal {self._place}: {_words(error)}; it may have been written"
                ) from None
        return result

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (self._library.exc.SQLAlchemyError, UnicodeEncodeError) as error:
            # The words of SQLAlchemy hold the parameters: texts and numbers.
            raise JournalError(f"journal {self._place}: {_words(error)}") from None


_NO_URL = (
    "journal.url cannot be read; write postgresql://user:password@host:5432/database, "
    "with %40 for an @ in the password, %2F for a / and %3A for a :"
)
_CONNECT: Mapping[str, Any] = {
    "application_name": "notify",
    "connect_timeout": 10,
    # A server that is gone without a word is found out in a minute, not in hours.
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}


def _words(error: Exception) -> str:
    cause = getattr(error, "orig", None)
    if cause is None:
        return type(error).__name__
    first = str(cause).strip().partition("\n")[0]
    fix = "; is the server up?" if "connect" in first else ""
    return f"{type(cause).__name__}: {first}{fix}"


class _Texts:
    """The statements as SQLAlchemy wants them, each made once."""

    def __init__(self, text: Callable[[str], sqlalchemy.TextClause]) -> None:
        self._text = text
        self._made: dict[str, sqlalchemy.TextClause] = {}

    def __call__(self, statement: str) -> sqlalchemy.TextClause:
        if statement not in self._made:
            self._made[statement] = self._text(statement)
        return self._made[statement]


@attrs.frozen
class _Executor:
    """Execute statements on a connection of our own."""

    _connection: sqlalchemy.Connection
    _text: _Texts
    dialect: Dialect = Dialect.POSTGRESQL

    def execute(
        self, statement: str, parameters: Mapping[str, object]
    ) -> Sequence[tuple[Any, ...]]:
        result = self._connection.execute(self._text(statement), dict(parameters))
        return [tuple(row) for row in result.fetchall()] if result.returns_rows else []

    def execute_many(self, statement: str, parameters: Sequence[Mapping[str, object]]) -> None:
        if parameters:
            given = [dict(each) for each in parameters]
            self._connection.execute(self._text(statement), given)


class _Watch:
    """Waits for word that something has become due, on a connection of its own."""

    def __init__(self, url: str) -> None:
        self.woken = threading.Event()
        self._url = url
        self._connection: psycopg.Connection[Any] | None = None

    def wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self.woken.is_set():
            if self._heard(min(left, _LOOK_EVERY_S)):
                break
        self.woken.clear()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _heard(self, seconds: float) -> bool:
        import psycopg  # noqa: PLC0415 - an optional dependency

        try:
            if self._connection is None:
                self._connection = psycopg.connect(self._url, autocommit=True, **_CONNECT)
                self._connection.execute(f"LISTEN {CHANNEL}")
                return True  # what was written before is not told
            return any(True for _ in self._connection.notifies(timeout=seconds, stop_after=1))
        except psycopg.Error:  # the server is away: whoever waits finds out by asking it
            self.close()
            self.woken.wait(seconds)
            return True
