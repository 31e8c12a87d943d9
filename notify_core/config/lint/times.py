"""Rules about times that do not fit each other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from notify_core.config.lint.rule import Rule, Severity
from notify_core.config.lint.sheet import RoutePlace, Sheet
from notify_core.config.model import Quiet
from notify_core.config.problems import quoted
from notify_core.config.values import duration_text
from notify_core.errors import Problem
from notify_core.message import Priority

_DAY = timedelta(days=1)


def _beyond_deadlines(sheet: Sheet) -> Iterator[Problem]:
    for route in sheet.routes:
        yield from _beyond_deadline(route)


def _beyond_deadline(route: RoutePlace) -> Iterator[Problem]:
    """Yield the first leg that waits until no other leg may begin."""
    waited, deadline = timedelta(0), route.route.deadline
    for leg in route.legs if deadline is not None else ():
        if not leg.is_followed or leg.leg.within is None:
            continue
        waited += leg.leg.within
        if deadline is not None and waited >= deadline:
            yield leg.place("within").problem(
                f"by then {duration_text(waited)} are over and so is the deadline, "
                f"{duration_text(deadline)}: the next leg follows only a receipt that says that "
                "this one failed"
            )
            return


def _beyond_validity(sheet: Sheet) -> Iterator[Problem]:
    for leg in sheet.legs:
        for name in leg.leg.via.providers:
            longest = sheet.providers[name].capabilities.longest_validity
            if longest is not None and leg.leg.within is not None and leg.leg.within > longest:
                yield leg.place("within").problem(
                    f"{quoted(name)} gives a message up after {duration_text(longest)} at the "
                    "latest; to wait longer brings nothing"
                )


def _beyond_follow(sheet: Sheet) -> Iterator[Problem]:
    follow = sheet.config.receipts.follow
    for leg in sheet.legs:
        if leg.leg.within is not None and leg.leg.within > follow:
            yield leg.place("within").problem(
                f"receipts are followed for {duration_text(follow)} only; set "
                "receipts.follow to as much"
            )


def _idle_quiet(sheet: Sheet) -> Iterator[Problem]:
    for route in sheet.routes:
        quiet = route.route.quiet
        coming = set(route.route.when.priority or Priority)
        if quiet is not None and coming <= set(quiet.unless):
            yield route.place("quiet").problem(
                "nothing ever waits: messages of every priority that comes here are let through "
                "by unless"
            )


def _quiet_beyond_deadlines(sheet: Sheet) -> Iterator[Problem]:
    for route in sheet.routes:
        quiet, deadline = route.route.quiet, route.route.deadline
        if quiet is not None and deadline is not None and deadline < _longest(quiet):
            yield route.place("deadline").problem(
                f"is shorter than the quiet time, which lasts "
                f"{duration_text(_longest(quiet))} or longer: what comes at its beginning is not "
                "sent at all"
            )


def _longest(quiet: Quiet) -> timedelta:
    """Return how long it is quiet at least once a week."""
    if quiet.days:
        return _DAY
    if quiet.from_ is None or quiet.to is None:
        return timedelta(0)
    first, last = (datetime.combine(date.min, each) for each in (quiet.from_, quiet.to))
    return (last - first) % _DAY


def _no_deadlines(sheet: Sheet) -> Iterator[Problem]:
    for route in sheet.routes:
        if sheet.config.journal is not None and route.route.deadline is None:
            yield route.node.problem(
                "has no deadline: with a journal a message may wait here for a provider that is "
                "stopped, however long that takes"
            )


TIME_RULES = (
    Rule(name="within-beyond-deadline", severity=Severity.WARNING, find=_beyond_deadlines),
    Rule(name="within-beyond-validity", severity=Severity.WARNING, find=_beyond_validity),
    Rule(name="within-beyond-follow", severity=Severity.WARNING, find=_beyond_follow),
    Rule(name="idle-quiet", severity=Severity.WARNING, find=_idle_quiet),
    Rule(name="quiet-beyond-deadline", severity=Severity.ADVICE, find=_quiet_beyond_deadlines),
    Rule(name="no-deadline", severity=Severity.ADVICE, find=_no_deadlines),
)
