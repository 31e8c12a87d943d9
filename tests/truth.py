"""What must hold of the deliveries in a ``World``, whatever happens to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import attrs

from notify_core.config.model import IfUnknown, Until
from notify_core.delivery import Attempt, Delivery, LegResult, Stage
from notify_core.journal.model import Entry, delivery_of
from notify_core.outcome import ARRIVED_STATES, Accepted, NotSent, Refused, Unknown
from notify_core.progress import Wish
from notify_core.routing import Leg
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
        "no attempt of a leg follows one that is in doubt": all(map(_is_certain, _passed(entry))),
        "no leg follows one that is in doubt and does not allow it": all(
            planned.if_unknown is IfUnknown.NEXT and leg.given_up
            for planned, leg in _followed(entry)
            if isinstance(leg.outcome, Unknown)
        ),
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
        "no leg begins while another is alive": _has_waited(before, entry),
        "no leg begins after one has arrived": ids == known or not _has_arrived(entry),
    }


def attempts_of(entry: Entry) -> Sequence[Attempt]:
    return delivery_of(entry).attempts


def _brief(entry: Entry) -> str:
    return f"{entry.stage}, {entry.wish}, lease {entry.lease}, {delivery_of(entry)}"


def _ids(entry: Entry) -> list[str]:
    return [attempt.id for attempt in attempts_of(entry)]


def _passed(entry: Entry) -> Sequence[Attempt]:
    """Return all attempts but the last of each leg."""
    return [each for leg in delivery_of(entry).legs for each in leg.attempts[:-1]]


def _followed(entry: Entry) -> Sequence[tuple[Leg, LegResult]]:
    """Return the legs that another one has followed, which no two of ``all_of`` do."""
    begun = [
        (planned, leg)
        for planned, leg in zip(entry.plan.legs, delivery_of(entry).legs, strict=False)
        if leg.attempts
    ]
    return [] if entry.plan.all_of else begun[:-1]


def _has_waited(before: Entry, entry: Entry) -> bool:
    """Whether nothing was alive of the leg before, if a further one has begun.

    Not of those before it: what has failed can be told of as delivered when others have followed.
    """
    followed = _followed(entry)
    is_further = len(followed) > len(_followed(before))
    return not is_further or _is_over(followed[-1][1])


def _is_over(leg: LegResult) -> bool:
    """Whether nothing of a leg is alive: it did not go, has failed, or was given up."""
    has_failed = leg.status is not None and leg.status.final and not leg.arrived
    return isinstance(leg.outcome, NotSent | Refused) or leg.given_up or has_failed


def _has_arrived(entry: Entry) -> bool:
    """Whether a leg that another one has followed is known to have come as far as it should."""
    return any(
        leg.arrived
        and planned.until is Until.DELIVERED
        and planned.distrusted.isdisjoint(attempt.provider for attempt in leg.attempts)
        for planned, leg in _followed(entry)
    )


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
    for result in delivery.legs:
        taken = taken_of(world, result.attempts)
        assert len(taken) <= 1, f"sent by two ways: {taken}: {delivery}"
        assert surprised or taken.total() in _true_of(world, result), f"{taken}: {result}"
    if not delivery.all_of:
        gone = [leg for leg in delivery.legs if taken_of(world, leg.attempts)]
        for leg in gone[:-1]:  # a provider can say that one has failed, and then that it has not
            assert _is_over(leg) or _failed_after_all(world, leg), f"on two legs: {delivery}"
    assert delivery.outcome in [leg.outcome for leg in delivery.legs]


def _true_of(world: World, leg: LegResult) -> Sequence[int]:
    """Return how often a message can have been taken of which this is said."""
    match leg.outcome:
        case Accepted():
            return [1]
        case Unknown():
            return [0, 1]
        case Refused() if _failed_after_all(world, leg):
            return [0, 1]
        case _:
            return [0]


def _failed_after_all(world: World, leg: LegResult) -> bool:
    """Whether the provider has had it as failed for good at some time."""
    return any(
        status.final and status.state not in ARRIVED_STATES
        for attempt in leg.attempts
        for status in world.books[attempt.provider].history(attempt.own_id)
    )


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
