"""Two configurations held against the deliveries of a journal.

Both decide anew. What was decided when a delivery was made is only counted: where it is otherwise
than the old configuration decides, yet another one was in force then.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TypeAlias

import attrs

from notify_core.adaptation import can_adapt
from notify_core.change_plan.costs import CostChange, Rate, Rates, cost_changes, total_of
from notify_core.change_plan.deciding import Judge, Pair
from notify_core.change_plan.draws import Draws
from notify_core.change_plan.ways import Decided, Traits, Way, WayLeg, differences
from notify_core.journal.recorded import Recorded, RecordedLeg
from notify_core.routing import Catalog

_EXAMPLES = 3


class Change(enum.Enum):
    """What becomes of messages that go otherwise."""

    MOVES = "moves"
    """They go by both configurations, by another route or in another way."""
    NEWLY_REFUSED = "newly_refused"
    """They go by the old configuration, and the new one refuses them."""
    NO_LONGER_REFUSED = "no_longer_refused"
    """The old configuration refuses them, and they go by the new one."""


def _change(pair: Pair) -> Change:
    if pair.new.refused:
        return Change.NEWLY_REFUSED
    return Change.NO_LONGER_REFUSED if pair.old.refused else Change.MOVES


@attrs.frozen(kw_only=True)
class Group:
    """Messages for which both configurations decide the same each.

    Of a spread that has changed, ``drawn_the_same`` are those whose providers stay in their
    order; they are not among the ``messages``. ``examples`` are ids of the newest deliveries.
    ``cost_unknown`` counts those of which nothing is known that a comparison could go by.
    """

    pair: Pair
    messages: int
    drawn_the_same: int = 0
    examples: tuple[str, ...] = ()
    costs: tuple[CostChange, ...] = ()
    cost_unknown: int = 0

    @property
    def change(self) -> Change:
        """What becomes of them."""
        return _change(self.pair)

    @property
    def differs(self) -> tuple[str, ...]:
        """What is otherwise, in words of the configuration."""
        return differences(self.pair.old, self.pair.new)


@attrs.frozen(kw_only=True)
class RecordedChanges:
    """What a change does to the messages that a journal has of a time.

    ``unsure`` are those of which too little is kept to say, ``refused_by_both`` those that go by
    neither. ``otherwise`` counts those that were decided otherwise than the old configuration
    decides; it says nothing about the change.
    """

    since: datetime
    until: datetime
    messages: int
    groups: tuple[Group, ...]
    unsure: int
    unsure_examples: tuple[str, ...]
    refused_by_both: int
    otherwise: int
    rates: tuple[Rate, ...]

    @property
    def changed(self) -> bool:
        """Whether any message goes otherwise, or might, or a way has changed that some take."""
        return bool(self.groups) or self.unsure > 0

    def count(self, change: Change) -> int:
        """Count the messages of one kind of change."""
        return sum(group.messages for group in self.groups if group.change is change)

    @property
    def unmoved(self) -> int:
        """Count the messages that certainly go as before."""
        return self.messages - self.unsure - sum(group.messages for group in self.groups)

    @property
    def costs(self) -> Sequence[CostChange]:
        """What the messages that move cost before and after, each currency by itself."""
        return total_of(cost for group in self.groups for cost in group.costs)

    @property
    def cost_unknown(self) -> int:
        """Count the messages that move and of which that is not known."""
        return sum(group.cost_unknown for group in self.groups)


@attrs.frozen(kw_only=True)
class Mover:
    """One delivery that would go otherwise. ``pair`` None: too little of it is kept to say."""

    id: str
    pair: Pair | None

    @property
    def change(self) -> Change | None:
        """What would become of it."""
        return None if self.pair is None else _change(self.pair)


Tell: TypeAlias = Callable[[Mover], object]
"""Is told of each delivery that would go otherwise, or might."""


def tell_nobody(mover: Mover) -> None:
    """Leave it at the counts."""


def recorded_changes(
    recorded: Iterable[Recorded],
    judge: Judge,
    since: datetime,
    until: datetime,
    tell: Tell = tell_nobody,
) -> RecordedChanges:
    """Hold both configurations against what was recorded, the newest first."""
    tally = _Tally(judge, tell)
    for each in recorded:
        tally.add(each)
    return RecordedChanges(
        since=since,
        until=until,
        messages=tally.messages,
        groups=tuple(sorted(tally.groups(), key=_largest_first)),
        unsure=tally.unsure,
        unsure_examples=tuple(tally.unsure_examples),
        refused_by_both=tally.refused_by_both,
        otherwise=tally.otherwise,
        rates=tuple(tally.rates.rates()),
    )


def _largest_first(group: Group) -> tuple[int, str, str]:
    return -group.messages, group.pair.old.route, group.pair.new.route


class _Tally:
    """Counts deliveries one after another."""

    def __init__(self, judge: Judge, tell: Tell) -> None:
        self._judge = judge
        self._tell = tell
        catalogs = (judge.old.catalog, judge.new.catalog)
        self._draws = Draws({name for each in catalogs for name in each.capabilities})
        self._kept: dict[Pair, _Kept] = {}
        self.messages = self.unsure = self.refused_by_both = self.otherwise = 0
        self.unsure_examples: list[str] = []
        self.rates = Rates()

    def add(self, recorded: Recorded) -> None:
        self.messages += 1
        if recorded.facts is None:
            if not self._judge.is_one:
                self._not_sure(recorded)
            return
        traits = Traits(facts=recorded.facts, brings=_brings(recorded, self._judge.old.catalog))
        pairs = self._judge.pairs(traits)
        country = self._judge.country(recorded.facts)
        for spent in recorded.spent:
            self.rates.add(spent, country)
        self.otherwise += not any(_as_decided(recorded, pair.old) for pair in pairs)
        self._count(recorded, pairs, country)

    def groups(self) -> Iterator[Group]:
        """Yield what goes otherwise, and what takes a spread that has changed."""
        for pair, kept in self._kept.items():
            costs, unknown = cost_changes(kept.flows, self.rates)
            yield Group(
                pair=pair,
                messages=kept.messages,
                drawn_the_same=kept.drawn_the_same,
                examples=tuple(kept.examples),
                costs=tuple(costs),
                cost_unknown=unknown,
            )

    def _count(self, recorded: Recorded, pairs: Sequence[Pair], country: str | None) -> None:
        if not any(pair.differs for pair in pairs):
            self.refused_by_both += all(pair.old.refused is not None for pair in pairs)
        elif len(pairs) > 1:
            self._not_sure(recorded)
        else:
            self._move(recorded, pairs[0], country)

    def _not_sure(self, recorded: Recorded) -> None:
        self.unsure += 1
        self._tell(Mover(id=recorded.id, pair=None))
        if len(self.unsure_examples) < _EXAMPLES:
            self.unsure_examples.append(recorded.id)

    def _move(self, recorded: Recorded, pair: Pair, country: str | None) -> None:
        kept = self._kept.setdefault(pair, _Kept())
        old = self._draws.drawn(pair.old, recorded.draw)
        new = self._draws.drawn(pair.new, recorded.draw)
        if old == new:
            kept.drawn_the_same += 1
        else:
            self._tell(Mover(id=recorded.id, pair=pair))
            kept.add(recorded.id, old.way, new.way, country)


class _Kept:
    """What is counted of one group."""

    def __init__(self) -> None:
        self.messages = self.drawn_the_same = 0
        self.examples: list[str] = []
        self.flows: Counter[tuple[Way, Way, str | None]] = Counter()

    def add(self, delivery_id: str, old: Way | None, new: Way | None, country: str | None) -> None:
        self.messages += 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append(delivery_id)
        if old is not None and new is not None:  # what is refused costs nothing to compare
            self.flows[old, new, country] += 1


# --- what was recorded ----------------------------------------------------------------------


def _brings(recorded: Recorded, catalog: Catalog) -> frozenset[str]:
    """Return the channels that a message must have brought a text for, or it had not gone so."""
    types, facts = catalog.message_types, recorded.facts
    if facts is None or facts.channel not in types:
        return frozenset()
    return frozenset(
        leg.channel
        for leg in recorded.legs
        if leg.channel in types and not can_adapt(types[facts.channel], types[leg.channel])
    )


def _as_decided(recorded: Recorded, decided: Decided) -> bool:
    """Tell whether what was recorded can be what a configuration decides.

    Legs may be missing that hang on what is not kept, and providers that could not carry the text.
    """
    if decided.route != recorded.route or decided.way is None:
        return False
    stored = list(recorded.legs)
    for leg in decided.way.legs:
        if stored and _can_be(stored[0], leg):
            stored.pop(0)
    return not stored


def _can_be(stored: RecordedLeg, leg: WayLeg) -> bool:
    if stored.channel != leg.channel or not set(stored.providers) <= set(leg.providers):
        return False
    order = [name for name in leg.providers if name in stored.providers]
    return bool(leg.weights) or list(stored.providers) == order
