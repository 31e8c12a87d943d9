"""What `notify config plan --against` takes for the messages of a large journal.

Measured is reading the journal and deciding under both configurations, which is all but the reading
of the two files. The messages are alike, or each of a customer and a beginning of a number of its
own; the routes are few or many; and a spread has changed, so that it is drawn for each message, or
it has not.

    python benchmarks/plan.py [--rounds 5] [--messages 100000] [--postgresql]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import attrs
from databases import Place, Postgresql, Sqlite
from routing import CATALOG, PROVIDER, config_of, message_of

from notify_core.change_plan.deciding import Judge, Side
from notify_core.change_plan.recorded import RecordedChanges, recorded_changes
from notify_core.change_plan.regions import Regions
from notify_core.config.model import Config, LegConfig, Route, Via
from notify_core.errors import MessageError
from notify_core.journal.model import Entry
from notify_core.journal.recorded import RecordedReader
from notify_core.planning import Planner
from notify_core.routing import Catalog

sys.path.append(str(Path(__file__).parents[1]))
from tests.recorded_messages import entries, fill, rows_of

NOW = datetime(2030, 1, 8, tzinfo=UTC)
SINCE = NOW - timedelta(days=7)
BOTH = Catalog(CATALOG.message_types, dict.fromkeys("ab", CATALOG.capabilities["a"]))


@attrs.frozen
class Contender:
    """Two configurations of so many routes, and so many kinds of messages."""

    name: str
    routes: int
    kinds: int
    drawn: bool = False

    def config(self, weights: tuple[int, int]) -> Config:
        """Return a configuration; the last route has a spread with these weights."""
        made = config_of(self.routes)
        via = Via(providers=("a", "b"), weights=weights)
        last = Route(name="default", legs=(LegConfig(via=via),))
        providers = (PROVIDER, attrs.evolve(PROVIDER, name="b"))
        return attrs.evolve(made, providers=providers, routes=(*made.routes[:-1], last))

    def judge(self) -> Judge:
        """Return what decides under both: one route in ten has gone, and a spread may differ."""
        old = self.config((80, 20))
        new = self.config((70, 30) if self.drawn else (80, 20))
        left = [route for place, route in enumerate(new.routes) if place % 10 or not place]
        new = attrs.evolve(new, routes=(*left, *({new.routes[-1]} - set(left))))
        return Judge(Side(old, BOTH), Side(new, BOTH), Regions())

    def templates(self) -> Sequence[Entry]:
        """Return so many deliveries that differ in what routes look at."""
        planner, random = Planner(self.config((80, 20)), BOTH), Random(self.routes)
        return list(self._decided(planner, random))

    def _decided(self, planner: Planner, random: Random) -> Iterator[Entry]:
        made = 0
        while made < self.kinds:
            message = message_of(random, random.randrange(max(1, self.kinds)))
            try:
                yield entries(planner, message, NOW)[0]
            except MessageError:  # a number at random is not always one
                continue
            made += 1


CONTENDERS = (
    Contender("10 routes, 20 kinds of messages", 10, 20),
    Contender("10 routes, 20 kinds, a spread has changed", 10, 20, drawn=True),
    Contender("1,000 routes, 20,000 kinds", 1_000, 20_000),
    Contender("10,000 routes, 20,000 kinds", 10_000, 20_000),
)


def planned(contender: Contender, url: str) -> RecordedChanges:
    """Read the journal and decide under both configurations."""
    judge = contender.judge()
    return recorded_changes(RecordedReader(url).between(SINCE, NOW), judge, SINCE, NOW)


def seconds(contender: Contender, url: str) -> float:
    """Return how long that takes, by the clock."""
    start = time.perf_counter()
    assert planned(contender, url).messages
    return time.perf_counter() - start


def measured(place: Place, rounds: int, messages: int) -> Iterator[str]:
    """Yield the rows of the table for one database."""
    urls = {}
    for each in CONTENDERS:
        urls[each.name] = place.new_url()
        rows = rows_of(each.templates(), messages, SINCE, NOW)
        fill(urls[each.name], (row for _, row in rows))
    took = [
        {each.name: seconds(each, urls[each.name]) for each in CONTENDERS} for _ in range(rounds)
    ]
    for each in CONTENDERS:
        yield row_of(place, each, messages, [one[each.name] for one in took])


def row_of(place: Place, contender: Contender, messages: int, took: Sequence[float]) -> str:
    """Return one row of the table."""
    middle = statistics.median(took)
    return (
        f"| {place.name}: {contender.name} | {middle:.1f} ({min(took):.1f}–{max(took):.1f}) "
        f"| {messages / middle:,.0f} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--postgresql", action="store_true", help="measure it beside SQLite")
    options = parser.parse_args()
    title = f"{options.rounds} rounds of {options.messages:,} messages"
    print(f"| {title} | seconds | messages a second |")
    print("|---|---:|---:|")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for place in places(folder, stack, with_server=options.postgresql):
            for row in measured(place, options.rounds, options.messages):
                print(row, flush=True)


def places(folder: Path, stack: ExitStack, *, with_server: bool) -> Iterable[Place]:
    """Return the databases that are measured."""
    return [Sqlite(folder), *([Postgresql(stack)] if with_server else [])]


if __name__ == "__main__":
    main()
