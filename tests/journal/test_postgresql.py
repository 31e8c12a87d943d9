"""PostgreSQL as the journal's database: when the server goes, comes back, and does not answer."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import timedelta
from types import TracebackType
from typing import Self

import attrs
import pytest
from sqlalchemy import make_url

from notify_core.clock import SystemClock
from notify_core.errors import JournalError
from notify_core.journal.base import Journal
from notify_core.journal.enlist import Executor
from notify_core.journal.model import Filter
from notify_core.journal.opening import open_journal
from notify_core.journal.postgresql import PostgresqlDatabase
from notify_core.message import Priority, Sms
from notify_core.testing import ScriptedProvider, notifier_with, scripted_config
from tests.journal.making import TYPES, journal_config, waiting
from tests.postgres import Mode, PostgresServer

THREADS = 16
PATIENCE_S = 20.0


@pytest.fixture(scope="module")
def own() -> Iterator[PostgresServer]:
    """A server that the tests of this module may stop."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
def server(own: PostgresServer) -> PostgresServer:
    """It runs when a test begins, whatever the one before has done."""
    own.start()
    return own


@pytest.fixture
def url(server: PostgresServer) -> Iterator[str]:
    url = server.new_database()
    yield url
    server.start()
    server.drop_database(url)


def opened(url: str) -> Journal:
    return open_journal(journal_config(url, pool_size=4), TYPES, SystemClock())


@pytest.fixture
def journal(url: str) -> Iterator[Journal]:
    with closing(opened(url)) as journal:
        yield journal


def add(journal: Journal, number: int = 1) -> None:
    journal.add([waiting(Sms(to="+79990000001", text="canary text 3391"), number)])


def count(journal: Journal) -> int:
    return len(journal.search(Filter()))


def assert_tells_no_secret(error: JournalError, url: str) -> None:
    """Neither the error nor what led to it has the password or a text."""
    password = make_url(url).password
    assert password is not None
    assert password not in repr(error)
    assert "canary" not in repr(error)
    assert error.__cause__ is None


# --- when the server is away ----------------------------------------------------------------


def test_a_server_that_is_stopped_is_told_and_asked_about(
    journal: Journal, url: str, server: PostgresServer
) -> None:
    server.stop()

    with pytest.raises(JournalError, match=r"; is the server up\?$") as caught:
        add(journal)

    assert str(caught.value).startswith("journal postgresql://127.0.0.1/test_")
    assert_tells_no_secret(caught.value, url)


def test_a_journal_is_not_opened_while_the_server_is_away(url: str, server: PostgresServer) -> None:
    server.stop()

    with pytest.raises(JournalError, match="is the server up") as caught:
        opened(url)

    assert_tells_no_secret(caught.value, url)


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_the_first_use_after_a_restart_works(
    journal: Journal, server: PostgresServer, mode: Mode
) -> None:
    """Nobody is told that the connections of before were cut."""
    add(journal, 1)

    server.restart(mode)
    add(journal, 2)

    assert count(journal) == 2


def test_all_threads_go_on_after_a_restart(journal: Journal, server: PostgresServer) -> None:
    """Each had a connection of before, and there are more of them than connections."""
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda number: add(journal, number), range(THREADS)))
        server.restart()

        list(pool.map(lambda number: add(journal, number), range(THREADS, 2 * THREADS)))

    assert count(journal) == 2 * THREADS


def test_what_failed_while_the_server_was_away_works_when_it_is_back(
    journal: Journal, server: PostgresServer
) -> None:
    server.stop()
    with pytest.raises(JournalError):
        add(journal)

    server.start()
    add(journal)

    assert count(journal) == 1


def test_a_connection_that_is_cut_in_the_middle_has_nothing_done_twice(url: str) -> None:
    """What was done before the cut is gone with the transaction, so it is done again."""
    runs: list[int] = []

    def work(executor: Executor) -> None:
        executor.execute("INSERT INTO note (id) VALUES (17)", {})
        ((process,),) = executor.execute("SELECT pg_backend_pid()", {})
        runs.append(process)
        if len(runs) == 1:
            other.write(
                lambda executor: executor.execute(
                    "SELECT pg_terminate_backend(:process)", {"process": process}
                )
            )
        executor.execute("SELECT 1", {})

    with (
        closing(PostgresqlDatabase(url, pool_size=1)) as database,
        closing(PostgresqlDatabase(url, pool_size=1)) as other,
    ):
        other.write(lambda executor: executor.execute("CREATE TABLE note (id INTEGER)", {}))

        database.write(work)

        assert other.read(lambda executor: executor.execute("SELECT id FROM note", {})) == [(17,)]
    assert len(runs) == 2


# --- when an answer is lost -----------------------------------------------------------------


class LosingProxy:
    """Stands before a server, and once, when it is told to, cuts at a COMMIT.

    ``arrived`` says whether the server has had it by then.
    """

    def __init__(self, target_port: int, *, arrived: bool) -> None:
        self._target = ("127.0.0.1", target_port)
        self._arrived = arrived
        self._loses = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # A blocked accept() is not woken by close() alone.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def lose_the_next(self) -> None:
        self._loses.set()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._carry, args=[client], daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        server = socket.create_connection(self._target)
        with client, server, suppress(OSError):
            while data := self._next(client, server):
                if b"COMMIT" in data and self._loses.is_set():
                    self._loses.clear()
                    self._lose(server, data)
                    return

    def _next(self, client: socket.socket, server: socket.socket) -> bytes:
        """Pass on what comes next, unless it is what is to be lost."""
        (source, *_), _, _ = select.select([client, server], [], [])
        data: bytes = source.recv(65536)
        if not (b"COMMIT" in data and source is client and self._loses.is_set()):
            (server if source is client else client).sendall(data)
        return data

    def _lose(self, server: socket.socket, data: bytes) -> None:
        if self._arrived:
            server.sendall(data)
            server.recv(65536)


def through(url: str, proxy: LosingProxy) -> str:
    return make_url(url).set(port=proxy.port).render_as_string(hide_password=False)


@pytest.mark.parametrize(("arrived", "stored"), [(True, 1), (False, 0)])
def test_a_commit_of_which_nobody_knows_is_told_and_not_repeated(
    url: str, arrived: bool, stored: int
) -> None:
    """It is not done again in silence: it may have been done, and what it leads to as well."""
    with (
        LosingProxy(make_url(url).port or 0, arrived=arrived) as proxy,
        closing(opened(through(url, proxy))) as journal,
    ):
        add(journal, 1)
        proxy.lose_the_next()

        with pytest.raises(JournalError, match=r"; it may have been written$") as caught:
            add(journal, 2)
        add(journal, 3)

        assert count(journal) == 2 + stored
    assert_tells_no_secret(caught.value, url)


# --- waiting --------------------------------------------------------------------------------


def test_whoever_waits_is_woken_after_a_restart(
    journal: Journal, url: str, server: PostgresServer
) -> None:
    """It hears that the server has gone, which makes it look, and listens again when it is back."""
    watch = journal.watch()
    with closing(opened(url)) as other, closing(watch):
        watch.wait(0.1)
        server.stop()
        watch.wait(0.1)
        server.start()
        while seconds(watch.wait, 0.2) < 0.19:
            pass

        timer = threading.Timer(0.1, add, [other])
        timer.start()
        waited = seconds(watch.wait, 3 * PATIENCE_S)
        timer.join()

    assert waited < PATIENCE_S


def test_whoever_waits_does_not_spin_while_the_server_is_away(
    journal: Journal, server: PostgresServer
) -> None:
    watch = journal.watch()
    with closing(watch):
        watch.wait(0.1)
        server.stop()
        watch.wait(0.1)

        assert seconds(watch.wait, 0.4) > 0.3


def seconds(wait: Callable[[float], None], most: float) -> float:
    begun = time.monotonic()
    wait(most)
    return time.monotonic() - begun


# --- what cannot be used --------------------------------------------------------------------


def test_a_password_that_is_wrong_is_not_repeated(url: str) -> None:
    wrong = make_url(url).set(password="canary-password").render_as_string(hide_password=False)

    with pytest.raises(JournalError, match="password authentication failed") as caught:
        opened(wrong)

    assert_tells_no_secret(caught.value, wrong)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:canary@host:port/database",
        "postgresql://user:p@canary:canary@host/database",
        "postgresql://user:p@canary/canary@host/database",
        "postgresql:canary",
    ],
)
def test_a_url_that_cannot_be_read_is_not_repeated(url: str) -> None:
    """It says how to write one, also with a password that has an @ in it."""
    with pytest.raises(JournalError, match="%40 for an @ in the password") as caught:
        opened(url)

    assert "canary" not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("place", ["127.0.0.1:1", "127.0.0.1:99999999", "[half"])
def test_a_server_that_is_not_there_is_told_without_the_password(place: str) -> None:
    with pytest.raises(JournalError) as caught:
        opened(f"postgresql://user:canary@{place}/database?sslmode=disable")

    assert "canary" not in repr(caught.value)
    assert caught.value.__cause__ is None


def test_a_database_that_does_not_exist_is_named(url: str) -> None:
    missing = make_url(url).set(database="missing").render_as_string(hide_password=False)

    with pytest.raises(JournalError, match='database "missing" does not exist') as caught:
        opened(missing)

    assert_tells_no_secret(caught.value, url)


FORKS = """\
import os
import sys
from notify_core.errors import JournalError
from notify_core.journal.postgresql import PostgresqlDatabase

database = PostgresqlDatabase(sys.argv[1], pool_size=1)
ask = lambda executor: executor.execute("SELECT pg_backend_pid()", {})
before = database.read(ask)
child = os.fork()
if not child:
    try:
        database.write(ask)
    except JournalError as error:
        print(error, flush=True)
    database.close()
    os._exit(0)
os.waitpid(child, 0)
print(database.read(ask) == before)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_process_that_was_forked_is_told_what_to_do(url: str) -> None:
    """The one that has forked it keeps its connections, whatever the other closes."""
    answer = subprocess.run(
        [sys.executable, "-c", FORKS, url], capture_output=True, text=True, check=True
    )

    told, kept = answer.stdout.splitlines()
    assert told.endswith(
        ": this process was forked from the one that opened it, and open connections do not "
        "survive that; make the Notifier after the fork"
    )
    assert kept == "True"


def test_more_threads_than_connections_wait_for_each_other(url: str) -> None:
    with closing(open_journal(journal_config(url, pool_size=1), TYPES, SystemClock())) as journal:
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(lambda number: add(journal, number), range(THREADS)))

        assert count(journal) == THREADS


def test_a_claim_keeps_to_its_limit_though_its_plan_was_made_on_an_empty_table(url: str) -> None:
    """The driver prepares what is executed often, and the server keeps the plan."""
    config = attrs.evolve(scripted_config(a=ScriptedProvider()), journal=journal_config(url))
    with notifier_with(config, clock=SystemClock()) as notifier:
        until = SystemClock().now() + timedelta(minutes=1)

        def claimed() -> int:
            now = SystemClock().now()
            return len(notifier.journal.claim("me", now, until, list(Priority), 5))

        for _ in range(15):
            claimed()
        notifier.enqueue_many([Sms(to="+79990000001", text=f"text {n}") for n in range(300)])

        assert claimed() == 5
