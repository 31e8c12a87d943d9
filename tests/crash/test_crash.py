"""Senders and workers are killed at any point: nothing is lost, nothing comes twice.

These are the short forms; ``make crash`` runs the long ones.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.outages import FileLimit, NoOutage, Outage, ServerCrash
from tests.crash.plan import Scale
from tests.crash.processes import Place
from tests.crash.run import Figures, crash_run
from tests.postgres import PostgresServer

WORKERS = pytest.mark.parametrize("workers", [1, 2, 4])

_NO_OUTAGE = NoOutage()


def short_run(folder: Path, url: str, outage: Outage = _NO_OUTAGE, **more: int) -> Figures:
    """Make a run of some seconds; a failure names its seed."""
    scale = Scale(
        messages=80,
        kills=5,
        lease_s=1,
        outage_s=1.2,
        lost_questions=0.0,  # each of them is asked again after two seconds
        seed=random.randrange(10_000),
        **{"workers": 2, **more},
    )
    print(scale)
    return crash_run(scale, url, folder, outage)


def assert_kept(figures: Figures, kills: int = 5) -> None:
    """See that every promise was kept, and that the run was one that could break them."""
    assert figures.faults == []
    assert figures.kills == kills
    assert figures.lost_arrived + figures.lost_on_the_way > 0
    assert figures.accepted == figures.deliveries


@WORKERS
def test_on_sqlite_nothing_is_lost_or_doubled_when_processes_are_killed(
    tmp_path: Path, workers: int
) -> None:
    """With one worker, two and four."""
    figures = short_run(tmp_path, f"sqlite:///{tmp_path}/notify.db", workers=workers)

    assert_kept(figures)


@WORKERS
def test_on_postgresql_nothing_is_lost_or_doubled_when_processes_are_killed(
    tmp_path: Path, postgres_url: str, workers: int
) -> None:
    """With one worker, two and four."""
    figures = short_run(tmp_path, postgres_url, workers=workers)

    assert_kept(figures)


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server that may be stopped."""
    with PostgresServer() as server:
        yield server


def test_a_database_server_that_crashes_meanwhile_costs_nothing_but_time(
    tmp_path: Path, own_server: PostgresServer
) -> None:
    """What the application could not write it writes again, under the same key."""
    figures = short_run(tmp_path, own_server.url, ServerCrash(own_server), outages=2)

    assert_kept(figures)
    assert figures.failed_calls + figures.restarts > 0


def test_a_disk_that_is_full_meanwhile_costs_nothing_but_time(tmp_path: Path) -> None:
    """What the application could not write it writes again, under the same key."""
    outage = FileLimit(Place(tmp_path))

    figures = short_run(tmp_path, f"sqlite:///{tmp_path}/notify.db", outage, outages=2)

    assert_kept(figures)
    assert figures.failed_calls + figures.restarts > 0
