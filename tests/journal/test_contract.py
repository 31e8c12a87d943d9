"""The journals that come with the framework keep the contract of all journals."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from notify_core.clock import Clock
from notify_core.config.model import Durability
from notify_core.journal.base import Journal
from notify_core.journal.opening import open_journal
from notify_core.testing import JournalContract
from tests.journal.making import TYPES, empty, journal_config


def opened(clock: Clock, url: str, durability: Durability = Durability.FULL) -> Journal:
    return open_journal(journal_config(url, durability=durability), TYPES, clock)


class TestMemory(JournalContract):
    shared = False

    def open(self, clock: Clock) -> Journal:
        return opened(clock, "memory:")


class TestSqlite(JournalContract):
    @pytest.fixture(autouse=True)
    def where(self, tmp_path: Path) -> None:
        self.url = f"sqlite:///{tmp_path / 'journal.db'}"

    def open(self, clock: Clock) -> Journal:
        return opened(clock, self.url)


class TestSqliteThatTrustsTheMachine(TestSqlite):
    def open(self, clock: Clock) -> Journal:
        return opened(clock, self.url, Durability.NORMAL)


class TestPostgresql(JournalContract):
    @pytest.fixture(autouse=True)
    def where(self, postgresql_url: str) -> Iterator[None]:
        self.url = postgresql_url
        yield
        empty(postgresql_url)

    def open(self, clock: Clock) -> Journal:
        return opened(clock, self.url)
