"""What must hold of the deliveries in a ``World``, whatever happens to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import attrs

from notify_core.delivery import Attempt, Delivery, LegResult, Stage
from notify_core.journal.model import Entry, delivery_of
from notify_core.outcome import Accepted, NotSent, Refused, Unknown
from notify_core.progress import Wish
from tests.worlds import World


@attrs.define
class Observer:
    """Looks at the journal after each transaction, and notes what may not have happened."""

    world: World
    known: dict[str, Entry] = attrs.field(factory=dict)

    def look(self) -> None:
        for entry in self.world.entries():
            before = self.known.get(entry.id, entry)
            checks = _checks_of(entry) | _checks_since(before, entry) | self._in_time(before, entry)
            self.world.problems += [
                f"not true that {name}: {_brief(entry)}"
                for name, holds in checks.items()
                if not holds
            ]
            self.known[entry.id] = entry

    def _in_time(self, before: Entry, entry: Entry) -> dict[str, bool]:
        then = {attempt.id: attempt for attempt in attempts_of(before)}
        resolved = [
            attempt
            for attempt in attempts_of(entry)
            if isinstance(attempt.resolved, NotSent) and not _is_certain(then[attempt.id])
        ]
        return {"no absence is certain before its time": all(map(self._is_time, resolved))}

    def _is_time(self, attempt: Attempt) -> bool:
        """Whether the schedule of questions about an attempt can be over."""
        schedule = self.world.books[attempt.provider].ask_after_s
        return self.world.clock.now() >= attempt.started_at + timedelta(seconds=sum(schedule))


def _checks_of(entry: Entry) -> dict[str, bool]:
    under_way = entry.stage is Stage.UNDER_WAY
    return {
        "what is under way is due some time, and nothing else": under_way == bool(entry.due_at),
        "nobody has what is over": under_way or entry.owner is None,
        "what has ended is over": entry.stage is not Stage.ENDED or entry.progress.ended,
        "no attempt follows one that is in doubt": all(map(_is_certain, _passed(entry))),
    }


def _checks_since(before: Entry, entry: Entry) -> dict[str, bool]:
    ids, known = _ids(before), _ids(entry)
    cancelled = before.wish is Wish.CANCEL
    return {
        "leases only grow": entry.lease >= before.lease,
        "a new owner has a new lease": (
            entry.owner in (before.owner, None) or entry.lease > before.lease
        ),
        "what has ended stays so": before.stage is not Stage.ENDED or entry.stage is Stage.ENDED,
        "no attempt is forgotten": known[: len(ids)] == ids,
        "no answer is forgotten": all(map(_is_kept, attempts_of(before), attempts_of(entry))),
        "a cancellation is never taken back": not cancelled or entry.wish is Wish.CANCEL,
        "nothing begins against a wish": before.wish is None or ids == known,
    }


def attempts_of(entry: Entry) -> Sequence[Attempt]:
    return delivery_of(entry).attempts


def _brief(entry: Entry) -> str:
    return f"{entry.stage}, {entry.wish}, lease {entry.lease}, {delivery_of(entry)}"


def _ids(entry: Entry) -> list[str]:
    return [attempt.id for attempt in attempts_of(entry)]


def _passed(entry: Entry) -> Sequence[Attempt]:
    """Return all attempts but the last, or with ``all_of`` but the last of each leg."""
    if not entry.plan.all_of:
        return attempts_of(entry)[:-1]
    return [each for leg in delivery_of(entry).legs for each in leg.attempts[:-1]]


def _is_certain(attempt: Attempt) -> bool:
    return isinstance(attempt.outcome, Accepted | Refused | NotSent)


def _is_kept(before: Attempt, after: Attempt) -> bool:
    return before.answer is None or before.answer == after.answer


# --- what the providers have ----------------------------------------------------------------


def taken_of(world: World, attempts: Sequence[Attempt]) -> Counter[tuple[str, str]]:
    """Return how often providers have taken the message of these attempts, by our own ids."""
    asked = {(attempt.provider, attempt.own_id) for attempt in attempts}
    taken = {each: world.books[each[0]].taken[each[1]] for each in asked}
    return Counter({each: times for each, times in taken.items() if times})


def assert_true(world: World, delivery: Delivery) -> None:
    """Hold what a delivery says of itself against what the providers have.

    A request that was thought lost and turns up after all can come a second time, but only to the
    provider that knows it by the same id.
    """
    surprised = delivery.id in world.surprised
    for result in delivery.legs if delivery.all_of else [_as_one(delivery)]:
        taken = taken_of(world, result.attempts)
        assert len(taken) <= 1, f"sent by two ways: {taken}: {delivery}"
        assert surprised or taken.total() in _TRUE_OF[type(result.outcome)], f"{taken}: {result}"


_TRUE_OF = {Accepted: [1], Refused: [0], NotSent: [0], Unknown: [0, 1]}
"""How often a message can have been taken of which this is said."""


def _as_one(delivery: Delivery) -> LegResult:
    return LegResult(channel="any", outcome=delivery.outcome, attempts=delivery.attempts)


def assert_over(world: World, entry: Entry) -> None:
    """Hold a delivery for which nothing is under way any more against all that it may be."""
    delivery, cancelled = delivery_of(entry), entry.wish is Wish.CANCEL
    assert_true(world, delivery)
    assert delivery.held or delivery.stage is Stage.ENDED, f"it is lost: {_brief(entry)}"
    assert not cancelled or entry.stage is Stage.ENDED, f"it goes on: {_brief(entry)}"
    if isinstance(delivery.outcome, Unknown):
        assert delivery.held != cancelled, f"nobody looks: {_brief(entry)}"


def assert_written(world: World) -> None:
    """Hold the journal against what anybody who is alive has heard, in time or late."""
    for heard in world.heard:
        entry = world.journal.load(heard.delivery_id)
        known = {each.id: each for each in attempts_of(entry)} if entry else {}
        assert known[heard.id].answer is not None, f"it is forgotten: {heard}"
