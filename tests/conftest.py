"""What tests of every kind may ask for: a real database server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.marked import Ledger
from tests.postgres import NoPostgres, PostgresServer


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server for the whole run, started when the first test asks for it.

    A test that stops a server starts one of its own. Without a server the tests fail: one that is
    skipped would look like one that passes.
    """
    server = PostgresServer()
    try:
        server.start()
    except NoPostgres as exc:
        pytest.fail(str(exc), pytrace=False)
    with server:
        yield server


@pytest.fixture
def ledger() -> Ledger:
    """What the providers of ``tests.marked`` are asked to do, for this test alone."""
    return Ledger()


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """The URL of an empty database, for this test alone."""
    url = postgres.new_database()
    yield url
    postgres.drop_database(url)
