"""Whoever keeps at a chore goes on with it, whatever happens, until he is to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from notify_core.chores import KeepAt, is_due
from notify_core.clock import SystemClock
from notify_core.config.model import JournalConfig
from notify_core.errors import JournalError
from notify_core.journal.opening import open_journal
from notify_core.secret import Secret
from notify_core.testing import ManualClock

SOON_S = 10.0
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
LATER = datetime(2100, 1, 1, tzinfo=UTC)


class Counted:
    """A chore that counts how often it is done, and fails the first times."""

    name = "counting"

    def __init__(self, due: datetime | None, *failures: BaseException, finds: int = 1) -> None:
        self.times = 0
        self.due = due
        self._failures = list(failures)
        self._finds = finds

    def work_off(self) -> int:
        self.times += 1
        if self._failures:
            raise self._failures.pop(0)
        return self._finds

    def next_due(self) -> datetime | None:
        return self.due


@contextmanager
def kept_at(chore: Counted) -> Iterator[None]:
    """Keep at a chore meanwhile."""
    clock, stopping = SystemClock(), threading.Event()
    with closing(open_journal(JournalConfig(url=Secret("memory:")), {}, clock)) as journal:
        hand = threading.Thread(target=KeepAt(chore, journal, clock, stopping).run)
        hand.start()
        try:
            yield
        finally:
            stopping.set()
            journal.wake()
            hand.join(SOON_S)
            assert not hand.is_alive()


def soon(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + SOON_S
    while not holds() and time.monotonic() < end:
        time.sleep(0.01)
    return holds()


@pytest.mark.parametrize("due", [LONG_AGO, LATER, None])
def test_a_chore_is_done_only_when_it_is_due(due: datetime | None) -> None:
    assert is_due(Counted(due), ManualClock()) is (due is LONG_AGO)


def test_what_is_due_in_this_millisecond_is_due_now() -> None:
    """The journal rounds times up to milliseconds, so what is due at once seems a bit later."""
    clock = ManualClock()
    clock.advance(0.0004)
    within, after = (clock.now() + timedelta(microseconds=each) for each in (600, 601))

    assert is_due(Counted(within), clock)
    assert not is_due(Counted(after), clock)


def test_what_is_due_is_done_again_and_again() -> None:
    chore = Counted(LONG_AGO)

    with kept_at(chore):
        assert soon(lambda: chore.times > 3)


def test_what_is_not_due_is_left_alone() -> None:
    chore = Counted(LATER)

    with kept_at(chore):
        time.sleep(0.3)

    assert chore.times == 0


def test_what_somebody_else_has_in_hand_is_not_fought_for() -> None:
    chore = Counted(LONG_AGO, finds=0)

    with kept_at(chore):
        time.sleep(0.5)

    assert 1 <= chore.times <= 11


@pytest.mark.parametrize(
    "failure", [JournalError("away"), RuntimeError("it failed"), SystemExit()], ids=str
)
def test_a_chore_that_fails_is_gone_on_with(
    failure: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    """A plugin that calls sys.exit ends it for nobody."""
    chore = Counted(LONG_AGO, failure)

    with kept_at(chore):
        assert soon(lambda: chore.times > 2)

    assert "counting" in caplog.text
