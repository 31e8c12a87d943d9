"""What a decision costs with few routes and with many.

The contenders are tables of so many routes, which take turns; each ratio is taken inside a round.
Beside the time of a decision stands that of trying the routes one after another, which is what
`explain` does, and what making the table takes, once per configuration.

    python benchmarks/routing.py [--rounds 9] [--messages 500]
"""

from __future__ import annotations

import argparse
import statistics
import time
import tracemalloc
from collections.abc import Callable, Sequence
from random import Random

import attrs

from notify_core.config.model import Config, LegConfig, ProviderConfig, Route, Via, When
from notify_core.message import Message, Priority, Sms
from notify_core.planning import Planner
from notify_core.provider import Capabilities
from notify_core.routing import Catalog, RouteTable, consider

SIZES = (10, 100, 1_000, 10_000)
NUMBERS = ("+7999", "+7916", "+7701", "+49151", "+1202", "+44770")
COUNTRIES = ("RU", "KZ", "DE", "US", "GB")
PROVIDER = ProviderConfig(name="a", type="none", settings=None)
LEGS = (LegConfig(via=Via(providers=("a",))),)
CATALOG = Catalog({"sms": Sms}, {"a": Capabilities(channels=frozenset({"sms"}))})


def config_of(size: int) -> Config:
    """Make routes as an operator with so many customers has them: by tag, and by what is beside."""
    routes = [
        Route(name=f"route-{number}", when=when_of(number), legs=LEGS) for number in range(size - 1)
    ]
    return Config(providers=(PROVIDER,), routes=(*routes, Route(name="default", legs=LEGS)))


def when_of(number: int) -> When:
    """Return conditions of one of five kinds, of which nearly all name a customer."""
    customer = f"customer-{number // 5}"
    match number % 5:
        case 0:
            return When(channel=("sms",), tags=(customer,), priority=(Priority.CRITICAL,))
        case 1:
            return When(tags=(customer,), country=(COUNTRIES[number % 4], COUNTRIES[4]))
        case 2:
            prefix = f"{NUMBERS[number % 6]}{number % 10_000:04}"
            return When(number_prefix=(prefix,), sender=(customer,))
        case 3:
            return When(channel=("mail",), recipient_domain=(f"{customer}.example",))
        case _:
            return When(tags=(f"{customer}-promo", f"{customer}-news"), sender=(customer,))


def messages_for(size: int, count: int) -> list[Message]:
    """Make messages of which most take a route anywhere in the table, and some the last one."""
    random = Random(size)
    customers = max(1, (size - 1) // 5)
    return [message_of(random, random.randrange(int(customers * 1.2) + 1)) for _ in range(count)]


def message_of(random: Random, customer: int) -> Message:
    """Make a message of a customer, of one kind or another."""
    name = f"customer-{customer}"
    return Sms(
        to=f"{random.choice(NUMBERS)}{random.randrange(10**7):07}"[:12].ljust(12, "0"),
        text="Your order is ready",
        tags=[random.choice([name, f"{name}-promo", f"{name}-news"])],
        sender=random.choice([name, None]),
        priority=random.choice(tuple(Priority)),
    )


@attrs.frozen
class Contender:
    """A configuration, its planner and messages for it."""

    size: int
    config: Config
    planner: Planner
    table: RouteTable
    messages: Sequence[Message]

    @classmethod
    def of(cls, size: int, count: int) -> Contender:
        config = config_of(size)
        planner = Planner(config, CATALOG)
        messages = [each for each in messages_for(size, 3 * count) if goes(planner, each)][:count]
        return cls(size, config, planner, RouteTable(config.routes), messages)


def goes(planner: Planner, message: Message) -> bool:
    """Tell whether the number of a message is one; those at random are not always."""
    try:
        planner.decide(message)
    except ValueError:
        return False
    return True


def us_each(work: Callable[[], object], times: int) -> float:
    """Return the microseconds of processor time that one of so many takes."""
    start = time.process_time()
    work()
    return (time.process_time() - start) * 1e6 / times


def measured(contender: Contender) -> dict[str, float]:
    """Measure one contender once."""
    planner, table, messages = contender.planner, contender.table, contender.messages
    facts = [planner.decide(message)[0].facts for message in messages]
    some = facts[: max(5, min(len(facts), 20_000 // contender.size))]
    return {
        "decide": us_each(lambda: [planner.decide(each) for each in messages], len(messages)),
        "place": us_each(lambda: [table.place(each) for each in facts], len(facts)),
        "try": us_each(lambda: [consider(table.routes, each) for each in some], len(some)),
    }


def making(contender: Contender) -> tuple[float, float]:
    """Return the milliseconds and the megabytes that making a table takes."""
    took = us_each(lambda: RouteTable(contender.config.routes), 1) / 1e3
    tracemalloc.start()
    table = RouteTable(contender.config.routes)
    size = tracemalloc.get_traced_memory()[0] / 1e6
    tracemalloc.stop()
    assert table.routes
    return took, size


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--messages", type=int, default=500)
    options = parser.parse_args()
    contenders = [Contender.of(size, options.messages) for size in SIZES]
    rounds = [{each.size: measured(each) for each in contenders} for _ in range(options.rounds)]
    print(
        f"| routes, {options.rounds} rounds of {options.messages} messages | decision, µs | ratio "
        "| finding the route, µs | trying one after another, µs | making, ms | MB |"
    )
    print("|---:|---:|---:|---:|---:|---:|---:|")
    for each in contenders:
        print(row(each, rounds))


def row(contender: Contender, rounds: Sequence[dict[int, dict[str, float]]]) -> str:
    """Return one row of the table."""
    size = contender.size
    ratios = [each[size]["decide"] / each[SIZES[0]]["decide"] for each in rounds]
    shown = {
        name: statistics.median(each[size][name] for each in rounds) for name in rounds[0][size]
    }
    took, megabytes = making(contender)
    return (
        f"| {size:,} | {shown['decide']:.0f} "
        f"| {statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f}) "
        f"| {shown['place']:.1f} | {shown['try']:.0f} | {took:.1f} | {megabytes:.1f} |"
    )


if __name__ == "__main__":
    main()
