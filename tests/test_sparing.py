"""What is logged of that which anybody can cause."""

from __future__ import annotations

from notify_core.sparing import EVERY_S, MOST_KINDS, Sparing
from notify_core.testing import ManualClock
from tests.callers import NOON


def test_what_is_new_is_told_at_once_and_what_comes_again_is_not() -> None:
    sparing = Sparing(ManualClock(NOON))

    assert sparing.due("smsc", "full") == [(("smsc", "full"), 1)]
    assert sparing.due("smsc", "full", 7) == []
    assert sparing.due("smsc", "locked", 2) == [(("smsc", "locked"), 2)]
    assert sparing.due("other", "full") == [(("other", "full"), 1)]


def test_how_often_it_came_again_is_told_once_a_minute() -> None:
    """And not of what has not."""
    clock = ManualClock(NOON)
    sparing = Sparing(clock)
    for reason in ("full", "full", "full", "locked"):
        sparing.due("smsc", reason)

    clock.advance(EVERY_S - 1)
    assert sparing.due("smsc", "full") == []
    clock.advance(1)
    assert sparing.due("smsc", "full", 5) == [(("smsc", "full"), 3)]
    clock.advance(EVERY_S)
    assert sparing.due("smsc", "full") == [(("smsc", "full"), 5)]


def test_what_was_quiet_for_a_minute_is_new() -> None:
    clock = ManualClock(NOON)
    sparing = Sparing(clock)
    sparing.due("smsc", "full")

    clock.advance(EVERY_S)

    assert sparing.due("smsc", "full") == [(("smsc", "full"), 1)]


def test_reasons_that_somebody_makes_up_do_not_fill_the_log() -> None:
    sparing = Sparing(ManualClock(NOON))

    told = [each for number in range(1_000) for each in sparing.due("smsc", str(number))]

    assert len(told) == MOST_KINDS
