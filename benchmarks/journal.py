"""What the journal costs, against the outbox that people write by hand.

    python benchmarks/journal.py [throughput|size|growth|idle|urgent] [--postgresql]

Without a part all of them run, some minutes in all. ``--folder`` says on which disk the files of
SQLite lie; on one in memory a commit costs nothing, and the figures say nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import multiprocessing
import random
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

import attrs
from databases import Place, Postgresql, Sqlite
from gateway_stub import Answering
from outbox import Outbox, Row
from send import TEXT, gateway

from notify_core import Notifier, Priority, Secret, Sms
from notify_core.config.model import (
    Config,
    Durability,
    JournalConfig,
    LegConfig,
    ProviderConfig,
    Route,
    Via,
    WorkerConfig,
)
from notify_core.journal.model import Part
from notify_smsc.config import SmscConfig

T = TypeVar("T")

HANDS = 16
CALLS_A_ROUND = 200
LANES = tuple(sorted(Priority, reverse=True))
numbers = itertools.count()


# --- contenders -----------------------------------------------------------------------------


def notifier(
    url: str, port: int, durability: Durability = Durability.FULL, hands: int = HANDS
) -> Notifier:
    """Return what an application has: one provider, one route, a journal."""
    provider = SmscConfig(
        login="bench",
        password=Secret("secret"),
        host=f"127.0.0.1:{port}",
        reserve_hosts=(),
        https=False,
    )
    return Notifier(
        Config(
            providers=(ProviderConfig(name="smsc", type="smsc", settings=provider),),
            routes=(Route(name="default", legs=(LegConfig(via=Via(providers=("smsc",))),)),),
            journal=JournalConfig(url=Secret(url), durability=durability),
            worker=WorkerConfig(concurrency=hands, reserved=hands // 4),
        )
    )


def message(number: int, **more: Any) -> Sms:
    """Return a message that nobody else gets."""
    return Sms(to=phone(number), text=TEXT.format(number), **more)


def phone(number: int) -> str:
    return f"+7999{number % 10**7:07d}"


def messages(count: int, **more: Any) -> list[Sms]:
    return [message(number, **more) for number in itertools.islice(numbers, count)]


def work(sender: Notifier) -> None:
    """Have a worker carry on all that is under way."""
    with sender.worker():
        while sender.journal.next_due(LANES) is not None:
            time.sleep(0.02)


# --- tables ---------------------------------------------------------------------------------


@attrs.frozen
class Contender:
    """``run`` is measured, with so many messages; ``prepare`` makes ready for it."""

    name: str
    run: Callable[[int], object]
    prepare: Callable[[int], object] = lambda _: None


@attrs.frozen
class Cost:
    """Microseconds a message, by the clock and of this process's processor time."""

    wall: float
    cpu: float


def measure(contender: Contender, count: int) -> Cost:
    contender.prepare(count)
    wall, cpu = time.perf_counter(), time.process_time()
    contender.run(count)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Cost(wall / count * 1e6, cpu / count * 1e6)


def compare(title: str, contenders: Sequence[Contender], args: argparse.Namespace) -> None:
    """Print one table: each contender's rate, and its ratio to that of the first, by rounds."""
    for each in contenders:
        measure(each, 50)
    rounds = [
        {each.name: measure(each, args.messages) for each in contenders} for _ in range(args.rounds)
    ]
    first = contenders[0].name
    print(f"\n{title}, {args.rounds} rounds of {args.messages} messages\n")
    print("| contender | messages a second | ratio to the first | CPU µs a message |")
    print("|---|---:|---:|---:|")
    for name in rounds[0]:
        rates = [1e6 / each[name].wall for each in rounds]
        ratios = [each[first].wall / each[name].wall for each in rounds]
        cpu = [each[name].cpu for each in rounds]
        print(f"| {name} | {spread(rates, 0)} | {spread(ratios, 2)} | {spread(cpu, 0)} |")


def spread(values: Sequence[float], digits: int) -> str:
    middle, low, high = statistics.median(values), min(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


# --- throughput -----------------------------------------------------------------------------


def throughput(places: Sequence[Place], args: argparse.Namespace) -> None:
    """Compare sending and enqueueing with an outbox written by hand."""
    for place in places:
        kinds = Durability if place.name == "SQLite" else (Durability.FULL,)
        for durability in kinds:
            with gateway() as port, ExitStack() as stack:
                title = f"{place.name}, durability {durability.value}"
                contend(title, place, port, durability, stack, args)


def contend(
    title: str,
    place: Place,
    port: int,
    durability: Durability,
    stack: ExitStack,
    args: argparse.Namespace,
) -> None:
    def ours(hands: int = HANDS) -> Notifier:
        return stack.enter_context(notifier(place.new_url(), port, durability, hands))

    outbox = Outbox(place, f"http://127.0.0.1:{port}/sys/send.php", durability)
    added = Outbox(place, "", durability)
    one, many = ours(1), ours()
    compare(
        title,
        [
            Contender("outbox by hand", lambda _: outbox.loop(), by_hand(outbox.add_many)),
            Contender(
                f"outbox by hand, {HANDS} threads",
                lambda _: outbox.loops(HANDS),
                by_hand(outbox.add_many),
            ),
            Contender("worker, 1 hand", lambda _: work(one), enqueue_many(one)),
            Contender(f"worker, {HANDS} hands", lambda _: work(many), enqueue_many(many)),
            Contender("`notifier.send`", send(ours())),
            Contender(f"`notifier.send`, {HANDS} threads", send(ours(), HANDS)),
        ],
        args,
    )
    compare(
        f"{title}, writing",
        [
            Contender("`INSERT` and commit", by_hand(added.add)),
            Contender("`notifier.enqueue`", enqueue(ours())),
            Contender("`INSERT`s in one transaction", by_hand(added.add_many)),
            Contender("`notifier.enqueue_many`", enqueue_many(ours())),
        ],
        args,
    )


def by_hand(add: Callable[[Iterable[Row]], None]) -> Callable[[int], None]:
    def run(count: int) -> None:
        some = itertools.islice(numbers, count)
        add((number + 1, phone(number), TEXT.format(number)) for number in some)

    return run


def send(sender: Notifier, threads: int = 1) -> Callable[[int], None]:
    def run(count: int) -> None:
        if threads == 1:
            reports = [sender.send(each) for each in messages(count)]
        else:
            with ThreadPoolExecutor(threads) as pool:
                reports = list(pool.map(sender.send, messages(count)))
        assert all(report.ok for report in reports)

    return run


def enqueue(sender: Notifier) -> Callable[[int], None]:
    def run(count: int) -> None:
        for each in messages(count):
            sender.enqueue(each)

    return run


def enqueue_many(sender: Notifier, **more: Any) -> Callable[[int], None]:
    def run(count: int) -> None:
        while count > 0:
            sender.enqueue_many(messages(min(count, 2000), **more))
            count -= 2000

    return run


# --- size -----------------------------------------------------------------------------------


def size(places: Sequence[Place], args: argparse.Namespace) -> None:
    """Print how much an ended delivery takes on the disk, and what is left when it is purged."""
    count = 10 * args.messages
    print(f"\nBytes on the disk for each of {count:,} deliveries that have ended\n")
    print("| database | as written | compact | … without text | … and without numbers |")
    print("|---|---:|---:|---:|---:|")
    for place in places:
        with gateway() as port:
            taken = [f"{each / count:.0f}" for each in _sizes(place, port, count)]
            print(f"| {place.name} | {' | '.join(taken)} |")


def _sizes(place: Place, port: int, count: int) -> Iterator[int]:
    url = place.new_url()
    with notifier(url, port) as sender:
        empty = place.size(url)
        enqueue_many(sender)(count)
        work(sender)
        yield place.size(url) - empty
        later = datetime.now(UTC) + timedelta(days=1)
        for purged in ((), (Part.TEXT,), (Part.NUMBERS,)):
            for part in purged:
                sender.journal.purge(part, later)
            place.compact(url)
            yield place.size(url) - empty


# --- growth ---------------------------------------------------------------------------------


def growth(places: Sequence[Place], args: argparse.Namespace) -> None:
    """Print what a call costs with few rows and with many."""
    for place in places:
        with gateway() as port, ExitStack() as stack:
            few, many = (
                stack.enter_context(_grown(place, port, rows)) for rows in (1000, args.rows)
            )
            _compare_grown(place, few, many, args)


def _compare_grown(place: Place, few: Notifier, many: Notifier, args: argparse.Namespace) -> None:
    print(f"\n{place.name}, 1,000 and {args.rows:,} deliveries, {args.rounds} rounds\n")
    print("| call | µs with few | µs with many | ratio |\n|---|---:|---:|---:|")
    for name, call in CALLS.items():
        rounds = [_in_turn(call, few, many) for _ in range(args.rounds + 1)][1:]
        small, large = ([each[column] for each in rounds] for column in (0, 1))
        ratios = [each[1] / each[0] for each in rounds]
        print(f"| {name} | {spread(small, 0)} | {spread(large, 0)} | {spread(ratios, 2)} |")


def _in_turn(call: Callable[[Notifier], float], *senders: Notifier) -> list[float]:
    """Return the mean of a round of calls to each, in microseconds."""
    taken = [[call(sender) for sender in senders] for _ in range(CALLS_A_ROUND)]
    return [statistics.mean(column) * 1e6 for column in zip(*taken, strict=True)]


def _enqueue_one(sender: Notifier) -> float:
    (each,) = messages(1)
    return timed(lambda: sender.enqueue(each))[0]


def _claim_some(sender: Notifier) -> float:
    """Claim as much as a worker does at once, and give it up again."""
    journal, now = sender.journal, datetime.now(UTC)
    until = now + timedelta(minutes=1)
    taken, entries = timed(lambda: journal.claim("bench", now, until, LANES, HANDS))
    assert len(entries) == HANDS
    journal.release("bench", entries, now)
    return taken


def _next_due(sender: Notifier) -> float:
    return timed(lambda: sender.journal.next_due(LANES))[0]


def timed(call: Callable[[], T]) -> tuple[float, T]:
    """Return how many seconds a call takes, and what it returns."""
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


CALLS: Mapping[str, Callable[[Notifier], float]] = {
    "enqueue": _enqueue_one,
    f"claim {HANDS}": _claim_some,
    "ask when the next is due": _next_due,
}


def _grown(place: Place, port: int, rows: int) -> Notifier:
    """Fill a journal with copies: of 50, one is due, one is for next year, the others have ended.

    It does not wait for the disk: that takes as long with few rows as with many, and would hide
    what does not.
    """
    url = place.new_url()
    sender = notifier(url, port, Durability.NORMAL)
    copied = _originals(place, sender, url)
    chance = random.Random(1)
    first = int(time.time() * 1000) - rows
    ids = [f"{first + number:012x}{chance.randrange(2**48):012x}" for number in range(rows)]
    content = _row(place, url, "notify_contents", str(copied[0]["id"]))["content"]
    place.insert(url, "notify_contents", ("id", "content"), ((each, content) for each in ids))
    place.insert(url, "notify_deliveries", tuple(copied[0]), _copies(copied, ids))
    addresses = ((phone(chance.randrange(10**7)), each) for each in ids)
    place.insert(url, "notify_addresses", ("address", "delivery_id"), addresses)
    return sender


def _originals(place: Place, sender: Notifier, url: str) -> Sequence[dict[str, object]]:
    next_year = datetime.now(UTC) + timedelta(days=365)
    ((ended,), (scheduled,)) = sender.enqueue_many([message(0), message(0, send_at=next_year)])
    sender.worker().work_off()
    (due,) = sender.enqueue(message(0))
    wanted = (*[ended] * 48, scheduled, due)
    return [_row(place, url, "notify_deliveries", each) for each in wanted]


def _row(place: Place, url: str, table: str, delivery_id: str) -> dict[str, object]:
    with closing(place.connect(url)) as connection:
        cursor = connection.cursor()
        wanted = f"SELECT * FROM {table} WHERE id = ?"
        cursor.execute(place.statement(wanted), (delivery_id,))
        names = [column[0] for column in cursor.description]
        return dict(zip(names, cursor.fetchone(), strict=True))


def _copies(copied: Sequence[dict[str, object]], ids: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    for each, row in zip(ids, itertools.cycle(copied), strict=False):
        yield tuple((row | {"id": each, "content_id": each, "message_id": each}).values())


# --- in a process of its own ----------------------------------------------------------------


@contextmanager
def process(target: Callable[..., None], *arguments: object) -> Iterator[Connection]:
    """Run a function in a new process, with one end of a pipe; yield the other end."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    child = context.Process(target=target, args=(there, *arguments), daemon=True)
    child.start()
    try:
        yield here
    finally:
        child.terminate()
        child.join()


def worker_process(pipe: Connection, url: str, port: int) -> None:
    """Work, and tell how much processor time it took whenever somebody asks."""
    with notifier(url, port) as sender, sender.worker():
        while True:
            pipe.send(time.process_time())
            pipe.recv()


def idle(places: Sequence[Place], args: argparse.Namespace) -> None:
    """Print what a worker takes that has nothing to do."""
    print(f"\nA worker with nothing to do, for {args.seconds:.0f} s\n")
    print("| database | share of a processor |\n|---|---:|")
    for place in places:
        with gateway() as port:
            print(f"| {place.name} | {_idle(place, port, args.seconds):.2%} |")


def _idle(place: Place, port: int, seconds: float) -> float:
    """The journal has a message for tomorrow and some that have gone."""
    url = place.new_url()
    with notifier(url, port) as sender:
        sender.enqueue(message(0, send_at=datetime.now(UTC) + timedelta(days=1)))
        enqueue_many(sender)(100)
        sender.worker().work_off()
    with process(worker_process, url, port) as pipe:
        pipe.recv()
        time.sleep(2)
        before = _processor_time(pipe)
        time.sleep(seconds)
        return (_processor_time(pipe) - before) / seconds


def _processor_time(pipe: Connection) -> float:
    pipe.send(None)
    return float(pipe.recv())


# --- urgent ---------------------------------------------------------------------------------


ANSWERS_AFTER_S = 0.02
_CODE = re.compile(rb"phones=(?:%2B|\+)?(7900\d{7})")


class SlowlyAnswering(Answering):
    """Answers after a while, and tells when a code has come."""

    def __init__(self, pipe: Connection) -> None:
        super().__init__()
        self._pipe = pipe

    def data_received(self, data: bytes) -> None:
        if found := _CODE.search(data):
            self._pipe.send((f"+{found[1].decode()}", time.monotonic()))
        asyncio.get_running_loop().call_later(ANSWERS_AFTER_S, super().data_received, data)


def gateway_process(pipe: Connection) -> None:
    """Send the port, then the arrival of each code."""
    asyncio.run(_serve(pipe))


async def _serve(pipe: Connection) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SlowlyAnswering(pipe), "127.0.0.1", 0)
    pipe.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def urgent(places: Sequence[Place], args: argparse.Namespace) -> None:
    """Print how long codes wait while a campaign is going out."""
    print(
        f"\n{args.codes} codes beside a campaign of {args.campaign:,}, ms: median, 99 %, longest\n"
    )
    print("| database | `enqueue` | until the gateway has it | campaign, messages a second |")
    print("|---|---:|---:|---:|")
    for place in places:
        _urgent(place, args)


def _urgent(place: Place, args: argparse.Namespace) -> None:
    url = place.new_url()
    with process(gateway_process) as arrivals:
        port = arrivals.recv()
        with notifier(url, port) as sender:
            enqueue_many(sender, priority=Priority.LOW)(args.campaign)
            with process(worker_process, url, port) as pipe:
                pipe.recv()
                time.sleep(2)
                start, before = time.monotonic(), sender.journal.backlog(datetime.now(UTC))
                calls, waits = _send_codes(sender, arrivals, args.codes)
                taken, after = time.monotonic() - start, sender.journal.backlog(datetime.now(UTC))
    assert after.under_way > 1000, "the campaign was over too soon"
    rate = (before.under_way - after.under_way) / taken
    print(f"| {place.name} | {percentiles(calls)} | {percentiles(waits)} | {rate:.0f} |")


def _send_codes(
    sender: Notifier, arrivals: Connection, count: int
) -> tuple[Sequence[float], Sequence[float]]:
    """Return how long each call took, and how long each code then waited, in seconds."""
    calls: list[float] = []
    returned: dict[str, float] = {}
    arrived: dict[str, float] = {}
    for number in range(count):
        code = Sms(to=f"+7900{number:07d}", text=TEXT.format(number), priority=Priority.HIGH)
        start = time.monotonic()
        sender.enqueue(code)
        returned[str(code.to[0])] = time.monotonic()
        calls.append(time.monotonic() - start)
        time.sleep(random.uniform(0.05, 0.15))
        while arrivals.poll():
            arrived.update([arrivals.recv()])
    while len(arrived) < count:
        arrived.update([arrivals.recv()])
    return calls, [arrived[each] - returned[each] for each in returned]


def percentiles(seconds: Sequence[float]) -> str:
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return ", ".join(f"{each * 1e3:.0f}" for each in (cuts[49], cuts[98], max(seconds)))


# --- all ------------------------------------------------------------------------------------


PARTS = {part.__name__: part for part in (throughput, size, growth, idle, urgent)}


def main() -> None:
    """Run one part, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", nargs="?", choices=PARTS, help="default: all")
    parser.add_argument("--postgresql", action="store_true", help="measure it beside SQLite")
    parser.add_argument(
        "--folder", help="where the files of SQLite lie; default: as the system has"
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--messages", type=int, default=500, help="in a round")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the large journal")
    parser.add_argument("--seconds", type=float, default=20, help="of an idle worker")
    parser.add_argument("--codes", type=int, default=300)
    parser.add_argument("--campaign", type=int, default=50_000)
    args = parser.parse_args()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(dir=args.folder))
        places: list[Place] = [Sqlite(Path(folder))]
        if args.postgresql:
            places.append(Postgresql(stack))
        for name in [args.part] if args.part else PARTS:
            PARTS[name](places, args)


if __name__ == "__main__":
    main()
