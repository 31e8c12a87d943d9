"""The clock of the machine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from notify_core.clock import Clock, SystemClock

CLOCK: Clock = SystemClock()


def test_now_is_aware_and_in_utc() -> None:
    assert CLOCK.now().utcoffset() == timedelta(0)


def test_now_is_the_wall_time() -> None:
    before = datetime.now(UTC)

    now = CLOCK.now()

    assert before <= now <= datetime.now(UTC)


def test_monotonic_time_never_goes_backwards() -> None:
    readings = [CLOCK.monotonic() for _ in range(1000)]

    assert readings == sorted(readings)


def test_sleep_waits_that_long() -> None:
    started = CLOCK.monotonic()

    CLOCK.sleep(0.01)

    assert CLOCK.monotonic() - started >= 0.01
