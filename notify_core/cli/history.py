"""What has happened to a delivery, and what is next, line by line. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime

import attrs

from notify_core.contact import mask
from notify_core.delivery import Attempt, LegResult, Skip, Stage
from notify_core.journal.model import Entry
from notify_core.outcome import Status
from notify_core.progress import (
    Ask,
    Await,
    Circumstances,
    CloseLeg,
    Look,
    Pause,
    Rest,
    Rules,
    Stay,
    Try,
    Wish,
    next_action,
    round_began,
)
from notify_core.routing import Leg

WISHES = {Wish.HOLD: "it is to be held", Wish.CANCEL: "it is to be cancelled"}


@attrs.frozen
class Event:
    """One line: what happened, in one word and in a sentence; ``at`` where it was noted."""

    what: str
    says: str
    at: datetime | None = None


def history(entry: Entry, rules: Rules, now: datetime) -> list[Event]:
    """Return what has happened to a delivery and what is next, in order."""
    return [*_beginning(entry), *_legs(entry), *_wish(entry), _next(entry, rules, now)]


def _beginning(entry: Entry) -> Iterator[Event]:
    plan, made_at = entry.plan, entry.created_at
    yield Event("made", f"recipient {entry.number} of message {plan.message_id}", made_at)
    ways = "; ".join(_way(leg) for leg in plan.legs)
    says = f"under configuration {entry.config}, route {plan.route}, {plan.mode.value}: {ways}"
    yield Event("planned", says, made_at)


def _way(leg: Leg) -> str:
    return f"{leg.channel} via {', then '.join(leg.providers)}"


def _legs(entry: Entry) -> Iterator[Event]:
    progress = entry.progress
    for number, result in enumerate(progress.done, start=1):
        yield from _leg(result.attempts, result.skipped)
        yield _closed(number, result)
    yield from _leg(progress.attempts, progress.skipped, progress.questions)
    if progress.unanswered:
        yield Event("asked", f"no answer ({progress.unanswered})")


def _leg(
    attempts: tuple[Attempt, ...],
    skipped: tuple[Skip, ...],
    questions: tuple[Status | None, ...] = (),
) -> Iterator[Event]:
    """Yield what happened on one leg; of the questions only those about the last attempt."""
    for attempt in attempts:
        yield from _attempt(attempt, questions if attempt is attempts[-1] else ())
    for skip in skipped:
        yield Event("skipped", f"{skip.provider} is {skip.reason}")


def _attempt(attempt: Attempt, questions: tuple[Status | None, ...]) -> Iterator[Event]:
    where = f"at {attempt.provider} by {attempt.channel} to {mask(attempt.address)}"
    yield Event("began", f"attempt {attempt.number} {where}", attempt.started_at)
    if attempt.answer is not None:
        yield Event("answered", str(attempt.answer), attempt.finished_at)
    for status in questions:
        told = "no answer" if status is None else _told(status)
        yield Event("asked", f"{attempt.provider}: {told}", None if status is None else status.at)
    if attempt.resolved is not None:
        found_at = None if attempt.status is None else attempt.status.at
        yield Event("resolved", str(attempt.resolved), found_at)


def _told(status: Status) -> str:
    state = status.state.value.replace("_", " ")
    return f"{state}: {status.detail}" if status.detail else state


def _closed(number: int, result: LegResult) -> Event:
    status = "" if result.status is None else f"; then {_told(result.status)}"
    given_up = "; given up: no receipt came in time" if result.given_up else ""
    late = ", late" if result.late else ""
    told = f"leg {number}, {result.channel}: {result.outcome}{given_up}{status}{late}"
    return Event("leg over", told)


def _wish(entry: Entry) -> Iterator[Event]:
    if entry.wish is not None:
        yield Event("wish", WISHES[entry.wish])


# --- what is next ---------------------------------------------------------------------------


def _next(entry: Entry, rules: Rules, now: datetime) -> Event:
    if entry.stage is Stage.ENDED:
        return Event("ended", "nothing is left to do")
    if entry.stage is Stage.HELD:
        return Event("held", "until somebody decides: notify release, or notify cancel")
    if entry.owner is not None and entry.due_at is not None and entry.due_at > now:
        return Event("leased", "it is being carried on, and anybody's after that", entry.due_at)
    return Event("due", _next_words(entry, rules, now), entry.due_at)


def _next_words(entry: Entry, rules: Rules, now: datetime) -> str:
    """Say what will be done when it is due, as far as that can be known before."""
    moment = max(now, entry.due_at or now)
    left_s = math.inf
    if entry.deadline_at is not None:
        left_s = (entry.deadline_at - moment).total_seconds()
    at = Circumstances(now=moment, left_s=left_s, wish=entry.wish)
    match next_action(entry.plan, entry.progress, rules, at):
        case Try(provider):
            return f"an attempt at {provider}"
        case Ask():
            return f"{entry.progress.attempts[-1].provider} is asked about the last attempt"
        case Pause():
            providers = round_began(entry.progress, rules).waiting
            return f"the next round: {', then '.join(providers)}"
        case Await() | Look() | Rest() if entry.progress.attempts:
            return "the receipt that it waits for is asked for once more, then the leg is given up"
        case CloseLeg(why):
            return f"this leg is closed: {_why_closed(entry, why)}"
        case Stay():
            return "it is held"
        case _:
            return "it ends"


def _why_closed(entry: Entry, why: str) -> str:
    last = entry.progress.attempts[-1] if entry.progress.attempts else None
    return why if last is None else f"{last.outcome}"
