"""When the messages of a route with quiet time may go, by the clocks of one zone and of many."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from notify_core.config.model import Quiet, Weekday
from notify_core.message import Priority
from notify_core.policy.quiet import quiet_in, quiet_until, zones_of

WEEKEND = (Weekday.SAT, Weekday.SUN)
NIGHT = Quiet(from_=time(21), to=time(9))
NIGHTS_AND_WEEKENDS = Quiet(from_=time(21), to=time(9), days=WEEKEND)
WEEKENDS = Quiet(days=WEEKEND)

RUSSIA = ("Europe/Kaliningrad", "Europe/Moscow", "Asia/Omsk", "Asia/Kamchatka")
"""From the first clock of the country to the last, ten hours apart."""


def local(text: str, zone: str = "Europe/Moscow", fold: int = 0) -> datetime:
    """Return the moment at which the clocks of a zone show this."""
    shown = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return shown.astimezone(UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text)


# --- one zone -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quiet", "moment", "until"),
    [
        # 2026-03-03 is a Tuesday.
        (NIGHT, "2026-03-03 20:59", None),
        (NIGHT, "2026-03-03 21:00", "2026-03-04 09:00"),
        (NIGHT, "2026-03-04 00:00", "2026-03-04 09:00"),
        (NIGHT, "2026-03-04 08:59:59.999", "2026-03-04 09:00"),
        (NIGHT, "2026-03-04 09:00", None),
        # A window within one day.
        (Quiet(from_=time(12), to=time(14)), "2026-03-03 11:59", None),
        (Quiet(from_=time(12), to=time(14)), "2026-03-03 13:00", "2026-03-03 14:00"),
        (Quiet(from_=time(12), to=time(14)), "2026-03-03 23:00", None),
        # Midnight as an end and as a beginning.
        (Quiet(from_=time(21), to=time(0)), "2026-03-03 23:59", "2026-03-04 00:00"),
        (Quiet(from_=time(21), to=time(0)), "2026-03-04 00:00", None),
        (Quiet(from_=time(0), to=time(9)), "2026-03-03 23:59", None),
        (Quiet(from_=time(0), to=time(9)), "2026-03-03 00:00", "2026-03-03 09:00"),
        # All day but an hour.
        (Quiet(from_=time(13), to=time(12)), "2026-03-03 13:00", "2026-03-04 12:00"),
        # Whole days.
        (WEEKENDS, "2026-03-06 23:59", None),
        (WEEKENDS, "2026-03-07 00:00", "2026-03-09 00:00"),
        (WEEKENDS, "2026-03-08 23:59", "2026-03-09 00:00"),
        (Quiet(days=(Weekday.WED,)), "2026-03-04 12:00", "2026-03-05 00:00"),
        # Both: what one leaves, the other may take.
        (NIGHTS_AND_WEEKENDS, "2026-03-06 20:59", None),
        (NIGHTS_AND_WEEKENDS, "2026-03-06 21:00", "2026-03-09 09:00"),
        (NIGHTS_AND_WEEKENDS, "2026-03-07 12:00", "2026-03-09 09:00"),
        (NIGHTS_AND_WEEKENDS, "2026-03-09 08:00", "2026-03-09 09:00"),
    ],
)
def test_a_message_waits_for_the_end_of_the_quiet_time(
    quiet: Quiet, moment: str, until: str | None
) -> None:
    assert quiet_until(local(moment), quiet, ["Europe/Moscow"]) == (until and local(until))


@pytest.mark.parametrize(
    ("quiet", "moment", "until"),
    [
        # The night is an hour shorter or longer, and ends by the clock.
        (NIGHT, "2026-03-28T20:00Z", "2026-03-29T07:00Z"),
        (NIGHT, "2026-10-24T19:00Z", "2026-10-25T08:00Z"),
        # An end that does not come is the later of 01:30 and 02:30 in winter time …
        (Quiet(from_=time(0), to=time(2, 30)), "2026-03-29T01:29Z", "2026-03-29T01:30Z"),
        (Quiet(from_=time(0), to=time(2, 30)), "2026-03-29T01:30Z", None),
        # … and a beginning that does not come the earlier.
        (Quiet(from_=time(2, 30), to=time(9)), "2026-03-29T00:29Z", None),
        (Quiet(from_=time(2, 30), to=time(9)), "2026-03-29T00:30Z", "2026-03-29T07:00Z"),
        # An end that comes twice is the second, a beginning the first; nothing flaps between.
        (Quiet(from_=time(0), to=time(2, 30)), "2026-10-25T00:45Z", "2026-10-25T01:30Z"),
        (Quiet(from_=time(2, 30), to=time(9)), "2026-10-25T00:29Z", None),
        (Quiet(from_=time(2, 30), to=time(9)), "2026-10-25T00:30Z", "2026-10-25T08:00Z"),
        (Quiet(from_=time(2, 30), to=time(9)), "2026-10-25T01:15Z", "2026-10-25T08:00Z"),
    ],
)
def test_on_the_day_of_a_change_of_the_clocks_it_is_quiet_for_the_longer(
    quiet: Quiet, moment: str, until: str | None
) -> None:
    """In Berlin 02:00 becomes 03:00 on 29 March, and 03:00 becomes 02:00 on 25 October."""
    assert quiet_until(utc(moment), quiet, ["Europe/Berlin"]) == (until and utc(until))


@pytest.mark.parametrize(
    ("moment", "until"),
    [
        ("2026-09-06T02:59Z", None),
        ("2026-09-06T03:00Z", "2026-09-07T03:00Z"),
        ("2026-09-06T04:30Z", "2026-09-07T03:00Z"),
    ],
)
def test_a_day_whose_midnight_is_left_out_is_quiet_from_its_first_possible_beginning(
    moment: str, until: str | None
) -> None:
    """In Santiago that Sunday begins at 01:00; by its new clock 00:00 was an hour before."""
    sundays = Quiet(days=(Weekday.SUN,))

    assert quiet_until(utc(moment), sundays, ["America/Santiago"]) == (until and utc(until))


# --- many zones -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "until"),
    [
        ("2026-03-03T06:59Z", "2026-03-03T07:00Z"),
        ("2026-03-03T07:00Z", None),
        ("2026-03-03T08:59Z", None),
        ("2026-03-03T09:00Z", "2026-03-04T07:00Z"),
        ("2026-03-03T20:00Z", "2026-03-04T07:00Z"),
    ],
)
def test_it_is_quiet_while_it_is_quiet_anywhere_the_number_may_be(
    moment: str, until: str | None
) -> None:
    """From nine in Kaliningrad to nine in Kamchatka there are two hours."""
    assert quiet_until(utc(moment), NIGHT, RUSSIA) == (until and utc(until))


def test_the_weekend_is_quiet_from_where_it_begins_first_to_where_it_ends_last() -> None:
    begun_in_kamchatka = local("2026-03-07 00:00", "Asia/Kamchatka")
    begun_in_kaliningrad = local("2026-03-09 00:00", "Europe/Kaliningrad")

    assert quiet_until(begun_in_kamchatka, WEEKENDS, RUSSIA) == begun_in_kaliningrad


def test_zones_without_a_common_moment_leave_the_first_that_is_quiet_in_the_fewest() -> None:
    """Ten hours of a day are not enough for zones that are ten hours apart."""
    long_night = Quiet(from_=time(20), to=time(10))

    best = quiet_until(utc("2026-03-03T20:00Z"), long_night, RUSSIA)

    assert best == utc("2026-03-04T07:00Z")
    assert quiet_in(best, long_night, RUSSIA) == ("Europe/Kaliningrad",)
    assert quiet_until(best, long_night, RUSSIA) is None


def test_without_any_zone_nothing_waits() -> None:
    assert quiet_until(local("2026-03-04 03:00"), NIGHT, []) is None


def test_the_zones_in_which_it_is_quiet_are_told_by_name() -> None:
    assert quiet_in(local("2026-03-03 20:00"), NIGHT, RUSSIA) == ("Asia/Omsk", "Asia/Kamchatka")


@pytest.mark.parametrize(
    ("zone", "zones"), [(None, RUSSIA), (ZoneInfo("Europe/Samara"), ("Europe/Samara",))]
)
def test_a_named_zone_stands_for_those_of_the_recipient(
    zone: ZoneInfo | None, zones: tuple[str, ...]
) -> None:
    assert zones_of(attrs.evolve(NIGHT, zone=zone), RUSSIA) == zones


# --- what no route can ask for --------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "give from and to, or days, or both"),
        ({"unless": (Priority.HIGH,)}, "give from and to, or days, or both"),
        ({"from_": time(21)}, "to must be given beside from"),
        ({"to": time(0), "days": WEEKEND}, "from must be given beside to"),
        ({"from_": time(9), "to": time(9)}, "to must differ from from"),
        ({"days": tuple(Weekday)}, "days must leave a day on which messages may go"),
    ],
)
def test_a_quiet_time_has_two_ends_or_days_and_leaves_something(
    given: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        Quiet(**given)  # type: ignore[arg-type]


# --- for any moment -------------------------------------------------------------------------

STEP = timedelta(minutes=15)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))
ROUND_MOMENTS = MOMENTS.map(
    lambda each: each.replace(minute=each.minute // 15 * 15, second=0, microsecond=0)
)
TIMES = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
HOURS = st.tuples(TIMES, TIMES).filter(lambda both: both[0] != both[1])
DAYS = st.lists(st.sampled_from(Weekday), unique=True, max_size=6).map(tuple)
QUIETS = st.one_of(
    st.builds(lambda hours, days: Quiet(from_=hours[0], to=hours[1], days=days), HOURS, DAYS),
    st.builds(lambda days: Quiet(days=days), DAYS.filter(bool)),
)
# Offsets that never change; the sign of such a name is the other way round.
UNCHANGED = st.sampled_from(["UTC", "Etc/GMT+11", "Etc/GMT+5", "Etc/GMT-3", "Etc/GMT-12"])
CHANGED = st.sampled_from(
    [
        "Africa/Cairo",
        "America/New_York",
        "America/Santiago",
        "Asia/Kathmandu",
        "Asia/Tehran",
        "Australia/Lord_Howe",
        "Europe/Berlin",
        "Europe/Moscow",
        "Pacific/Apia",
    ]
)


def shows_quiet(moment: datetime, quiet: Quiet, zone: str) -> bool:
    """Tell whether a clock on a wall there shows a quiet day or hour."""
    shown = moment.astimezone(ZoneInfo(zone))
    if list(Weekday)[shown.weekday()] in quiet.days:
        return True
    if quiet.from_ is None or quiet.to is None:
        return False
    if quiet.from_ < quiet.to:
        return quiet.from_ <= shown.time() < quiet.to
    return not quiet.to <= shown.time() < quiet.from_


@given(ROUND_MOMENTS, QUIETS, st.lists(UNCHANGED, min_size=1, max_size=4, unique=True))
@settings(max_examples=50, deadline=None)
def test_it_is_the_first_moment_that_a_search_step_by_step_finds(
    moment: datetime, quiet: Quiet, zones: list[str]
) -> None:
    """Where offsets never change a week is enough: the clocks show the same in the next."""
    week = [moment + number * STEP for number in range(7 * 24 * 4)]

    best = min(week, key=lambda at: sum(shows_quiet(at, quiet, zone) for zone in zones))

    assert (quiet_until(moment, quiet, zones) or moment) == best


@given(MOMENTS, QUIETS, CHANGED)
@settings(max_examples=200, deadline=None)
def test_in_one_zone_there_always_comes_a_moment_that_is_not_quiet(
    moment: datetime, quiet: Quiet, zone: str
) -> None:
    until = quiet_until(moment, quiet, [zone]) or moment

    assert quiet_in(until, quiet, [zone]) == ()
    assert not shows_quiet(until, quiet, zone)
    assert quiet_until(until, quiet, [zone]) is None


@given(MOMENTS, QUIETS, st.lists(CHANGED, min_size=1, max_size=4, unique=True), st.floats(0, 1))
@settings(max_examples=200, deadline=None)
def test_nothing_before_is_less_quiet(
    moment: datetime, quiet: Quiet, zones: list[str], share: float
) -> None:
    until = quiet_until(moment, quiet, zones)
    assume(until is not None)
    assert until is not None

    between = moment + (until - moment) * share * 0.999999

    assert len(quiet_in(between, quiet, zones)) > len(quiet_in(until, quiet, zones))


# The hours around changes of the clocks are where it can go wrong.
@given(MOMENTS, QUIETS, CHANGED)
@example(local("2026-03-29 03:10", "Europe/Berlin"), NIGHT, "Europe/Berlin")
@example(
    local("2026-10-25 02:10", "Europe/Berlin", fold=1),
    Quiet(from_=time(0), to=time(2, 30)),
    "Europe/Berlin",
)
@settings(max_examples=200, deadline=None)
def test_what_a_clock_shows_as_quiet_is_quiet(moment: datetime, quiet: Quiet, zone: str) -> None:
    if shows_quiet(moment, quiet, zone):
        assert quiet_in(moment, quiet, [zone]) == (zone,)


@given(MOMENTS, QUIETS, CHANGED)
@settings(max_examples=200, deadline=None)
def test_what_no_clock_shows_as_quiet_is_quiet_only_around_a_change_of_the_clocks(
    moment: datetime, quiet: Quiet, zone: str
) -> None:
    if quiet_in(moment, quiet, [zone]) and not shows_quiet(moment, quiet, zone):
        around = [moment + timedelta(hours=hours) for hours in (-25, 25)]
        offsets = {each.astimezone(ZoneInfo(zone)).utcoffset() for each in around}
        assert len(offsets) == 2
