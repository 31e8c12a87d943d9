"""Ids tell things apart and sort by the time at which they were made."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from notify_core.ids import first_id_of, new_id

DAYS = st.datetimes(datetime(1970, 1, 2), datetime(9000, 1, 1), timezones=st.just(UTC))


def test_an_id_is_24_hexadecimal_digits() -> None:
    assert re.fullmatch("[0-9a-f]{24}", new_id())


def test_no_two_ids_are_the_same() -> None:
    assert len({new_id() for _ in range(10_000)}) == 10_000


def test_an_id_begins_with_the_milliseconds_at_which_it_was_made() -> None:
    before = datetime.now(UTC)
    milliseconds = int(new_id()[:12], 16)
    after = datetime.now(UTC)

    made = datetime.fromtimestamp(milliseconds / 1000, UTC)
    assert before - timedelta(milliseconds=1) <= made <= after


def test_an_id_sorts_behind_every_one_of_an_earlier_millisecond() -> None:
    now = datetime.now(UTC)

    assert first_id_of(now - timedelta(seconds=1)) < new_id() < first_id_of(now + timedelta(days=1))


@given(DAYS, DAYS)
def test_what_a_moment_begins_with_sorts_as_the_moments_do(one: datetime, other: datetime) -> None:
    first, second = sorted([one, other])

    assert first_id_of(first) <= first_id_of(second)
    assert len(first_id_of(first)) == len(first_id_of(second)) == 12
