"""What several tests of the journal need."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from notify_core.clock import SystemClock
from notify_core.journal.base import Journal
from notify_core.journal.opening import open_journal
from tests.journal.making import TYPES, empty, journal_config
from tests.postgres import PostgresServer


@pytest.fixture(scope="module")
def postgresql_url(postgres: PostgresServer) -> Iterator[str]:
    """One database for all the tests of a module: to make one takes longer than any of them."""
    url = postgres.new_database()
    yield url
    postgres.drop_database(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    """A journal in each of the databases."""
    if request.param == "sqlite":
        config = journal_config(f"sqlite:///{tmp_path / 'notify.db'}")
    else:
        config = journal_config(request.getfixturevalue("postgresql_url"))
    opened = open_journal(config, TYPES, SystemClock())
    if request.param == "postgresql":
        empty(config.url.reveal())
    yield opened
    opened.close()
