"""What several tests of the journal need."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.postgres import PostgresServer


@pytest.fixture(scope="module")
def postgresql_url(postgres: PostgresServer) -> Iterator[str]:
    """One database for all the tests of a module: to make one takes longer than any of them."""
    url = postgres.new_database()
    yield url
    postgres.drop_database(url)
