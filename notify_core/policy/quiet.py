"""When the messages of a route with quiet time may go.

It is quiet from one moment to another, not while a clock shows this or that. On a day on which
the clocks are changed, a wall time may come twice or not at all; then the quiet time is the
longest that can be meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import TypeAlias
from zoneinfo import ZoneInfo

from notify_core.config.model import Quiet, Weekday

_Span: TypeAlias = tuple[datetime, datetime]
"""A beginning, which belongs to it, and an end, which does not, in UTC."""

_WEEKDAYS = tuple(Weekday)
_ONE_DAY = timedelta(days=1)
_MIDNIGHT = time()

# A week has every gap that there is, but one that a change of the clocks takes away; the next
# week has that one again.
_DAYS_AHEAD = 15


def zones_of(quiet: Quiet, recipient: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the zones that count: the one of ``quiet``, or the recipient's.

    ``recipient`` are those that ``PhoneNumbers.zones`` gives, or none for an address that says
    nothing about a zone.
    """
    return (quiet.zone.key,) if quiet.zone else tuple(recipient)


def quiet_until(moment: datetime, quiet: Quiet, zones: Sequence[str]) -> datetime | None:
    """Return when a message may go, in UTC, or None if it may go at once.

    It may go when it is quiet in none of the zones. Zones far apart may leave no such moment;
    then it may go when it is quiet in the fewest of them, at the first such moment of the next
    two weeks. ``quiet_in`` tells which those are. Without any zone a message never waits.
    """
    if not quiet_in(moment, quiet, zones):
        return None
    spans = [tuple(_spans(moment, quiet, ZoneInfo(zone), _DAYS_AHEAD)) for zone in zones]
    best = _least_quiet(moment, spans)
    return None if best == moment else best


def quiet_in(moment: datetime, quiet: Quiet, zones: Sequence[str]) -> tuple[str, ...]:
    """Return those of the zones in which a moment is in the quiet time."""
    return tuple(
        zone for zone in zones if _within(moment, _spans(moment, quiet, ZoneInfo(zone), 0))
    )


def _least_quiet(moment: datetime, spans_of_zones: Sequence[Sequence[_Span]]) -> datetime:
    """Return the first of the moments ahead at which it is quiet in the fewest zones."""

    def quiet_zones(at: datetime) -> int:
        return sum(_within(at, spans) for spans in spans_of_zones)

    # It becomes less quiet only where a span ends.
    last = moment + _DAYS_AHEAD * _ONE_DAY
    ends = {end for spans in spans_of_zones for _, end in spans if moment < end <= last}
    ahead = sorted({moment, *ends})
    silent = next((at for at in ahead if not quiet_zones(at)), None)
    return silent or min(ahead, key=quiet_zones)


def _within(moment: datetime, spans: Iterable[_Span]) -> bool:
    return any(begin <= moment < end for begin, end in spans)


def _spans(moment: datetime, quiet: Quiet, zone: tzinfo, days_ahead: int) -> Iterator[_Span]:
    """Yield the quiet spans that touch the day of a moment or so many days after it."""
    today = moment.astimezone(zone).date()
    # The night of the day before ends today; a change of the clocks at midnight may let the
    # first span of a day begin on the day before.
    for number in range(-1, days_ahead + 2):
        yield from _spans_of(today + number * _ONE_DAY, quiet, zone)


def _spans_of(day: date, quiet: Quiet, zone: tzinfo) -> Iterator[_Span]:
    next_day = day + _ONE_DAY
    if _WEEKDAYS[day.weekday()] in quiet.days:
        yield _span((day, _MIDNIGHT), (next_day, _MIDNIGHT), zone)
    if quiet.from_ is not None and quiet.to is not None:
        last_day = day if quiet.from_ < quiet.to else next_day
        yield _span((day, quiet.from_), (last_day, quiet.to), zone)


def _span(begin: tuple[date, time], end: tuple[date, time], zone: tzinfo) -> _Span:
    return min(_readings(*begin, zone)), max(_readings(*end, zone))


def _readings(day: date, at: time, zone: tzinfo) -> Iterator[datetime]:
    """Yield the two moments that a wall time can mean, which on most days are the same.

    Of a time that comes twice they are these; of one that is left out, those by the clock before
    and after the change.
    """
    for fold in (0, 1):
        yield datetime.combine(day, at.replace(fold=fold), zone).astimezone(UTC)
