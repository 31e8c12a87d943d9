"""What became of 10,000 messages: how soon three workers know, and how often they ask.

    python benchmarks/polling.py [--messages 10000] [--workers 3] [--postgresql]

A gateway in this process delivers each message between 0 and 90 seconds after it took it, and one
in twenty not at all; each of its answers takes 50 ms. It has its own rules on: it refuses the sixth
question about one message within a minute, and the fifteenth request at the same time. Each worker
is a process.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from multiprocessing.context import SpawnProcess
from pathlib import Path

import attrs
from databases import Place, Postgresql, Sqlite

from notify_core import Notifier, Secret, Sms
from notify_core.config.model import (
    Config,
    JournalConfig,
    LegConfig,
    ProviderConfig,
    Route,
    Via,
    WorkerConfig,
)
from notify_core.journal.rows import moment_of
from notify_smsc.config import SmscConfig
from notify_smsc_emulator import CaughtMessage, Emulator, Settings, Status

MOST_A_MINUTE = 5
MOST_AT_ONCE = 14
PATIENCE_S = 600.0
LOOK_EVERY_S = 0.5
ANSWER_S = 0.05
ENDINGS = 100
"""Messages live according to the last two digits of their number."""


def config(url: str, host: str) -> Config:
    """Return what the application and its workers have: one provider, one route, a journal."""
    provider = SmscConfig(login="test", password=Secret("test"), host=host, https=False)
    return Config(
        providers=(ProviderConfig(name="smsc", type="smsc", settings=provider),),
        routes=(Route(name="default", legs=(LegConfig(via=Via(providers=("smsc",))),)),),
        journal=JournalConfig(url=Secret(url), pool_size=8),
        # Three workers with three hands each, and the question of each, are twelve at once.
        worker=WorkerConfig(concurrency=3, reserved=1),
    )


def let_live(gateway: Emulator) -> None:
    """Let messages arrive at different times, and some never; let every answer take its time."""
    gateway.fault("slow", times=None, seconds=ANSWER_S)
    for ending in range(ENDINGS):
        end = [1 + ending * 0.9, 20, 1] if ending % 20 == 7 else [1 + ending * 0.9, 1]
        gateway.live([[1, 0], end], phone=f"{ending:02d}", times=None)


def work(url: str, host: str) -> None:
    """Be a worker until killed."""
    with Notifier(config(url, host)) as notifier:
        notifier.worker().run()


@contextmanager
def workers(count: int, url: str, host: str) -> Iterator[Sequence[SpawnProcess]]:
    make = multiprocessing.get_context("spawn")
    found = [make.Process(target=work, args=(url, host), daemon=True) for _ in range(count)]
    try:
        for each in found:
            each.start()
        yield found
    finally:
        for each in found:
            each.kill()
            each.join()


@attrs.frozen(kw_only=True)
class Figures:
    """What a run has come to; ``lags_s`` is how long after it was so a final status was known."""

    messages: int
    sent_s: float
    known_s: float
    lags_s: Sequence[float]
    without: int
    requests: int
    most_a_minute: int
    most_at_once: int
    too_often: int
    cpu_s: float

    def rows(self) -> Iterator[tuple[str, str]]:
        """Yield the lines of the table."""
        lags = statistics.quantiles(self.lags_s, n=20)
        yield "messages", f"{self.messages}"
        yield "all accepted after", f"{self.sent_s:.0f} s"
        yield "all final and known after", f"{self.known_s:.0f} s"
        yield "without a final status", f"{self.without}"
        yield "known after it was so, median", f"{statistics.median(self.lags_s):.1f} s"
        yield "known after it was so, 95 %", f"{lags[-1]:.1f} s"
        yield "status requests", f"{self.requests}"
        yield "of these for one message", f"{self.requests / self.messages:.3f}"
        yield (
            f"most questions about one message a minute (allowed {MOST_A_MINUTE})",
            (f"{self.most_a_minute}"),
        )
        yield f"most requests at once (allowed {MOST_AT_ONCE})", f"{self.most_at_once}"
        yield "answers *too often*", f"{self.too_often}"
        yield (
            "processor time of the workers for one message",
            (f"{self.cpu_s / self.messages * 1e3:.1f} ms"),
        )


def measure(place: Place, args: argparse.Namespace) -> Figures:
    url = place.new_url()
    with Emulator(Settings(balance=Decimal(10**9))) as gateway, ExitStack() as stack:
        let_live(gateway)
        notifier = stack.enter_context(Notifier(config(url, gateway.host)))
        notifier.enqueue_many([message(number) for number in range(args.messages)])
        crew = stack.enter_context(workers(args.workers, url, gateway.host))
        began = time.monotonic()
        wait_for(lambda: gateway.counters().requests.get("send", 0) >= args.messages)
        sent_s = time.monotonic() - began
        wait_for(lambda: open_tracks(notifier) == 0)
        known_s = time.monotonic() - began
        cpu_s = sum(cpu_of(each) for each in crew)
        return figures(notifier, gateway, args.messages, sent_s, known_s, cpu_s)


def figures(
    notifier: Notifier,
    gateway: Emulator,
    messages: int,
    sent_s: float,
    known_s: float,
    cpu_s: float,
) -> Figures:
    counted = gateway.counters()
    ended = {str(each.id): each for each in gateway.caught()}
    lags = [lag_s(asked_at, ended[own]) for own, asked_at in asked(notifier)]
    return Figures(
        messages=messages,
        sent_s=sent_s,
        known_s=known_s,
        lags_s=lags,
        without=sum(each.status < Status.DELIVERED for each in ended.values()),
        requests=counted.requests["status"],
        most_a_minute=counted.most_status_queries,
        most_at_once=counted.most_at_once,
        too_often=counted.too_often,
        cpu_s=cpu_s,
    )


def message(number: int) -> Sms:
    # The gateway does as told by numbers whose last six digits begin with 00.
    return Sms(to=f"+7999{1_100_000 + number}", text=f"message {number}")


def wait_for(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > end:
            raise SystemExit("it takes too long")
        time.sleep(LOOK_EVERY_S)


def open_tracks(notifier: Notifier) -> int:
    """Return how many messages are still to be asked about."""
    statement = "SELECT count(*) FROM notify_tracks WHERE poll_at IS NOT NULL"
    rows = notifier.journal.database.read(lambda executor: executor.execute(statement, {}))
    return int(rows[0][0])


def asked(notifier: Notifier) -> Sequence[tuple[str, float]]:
    """Return, by the gateway's id, when each was asked about for the last time."""
    statement = "SELECT provider_id, asked_at FROM notify_tracks"
    rows = notifier.journal.database.read(lambda executor: executor.execute(statement, {}))
    return [(str(own), moment_of(asked_at).timestamp()) for own, asked_at in rows]


def lag_s(asked_at: float, ended: CaughtMessage) -> float:
    return max(asked_at - ended.changed_at, 0.0)


def cpu_of(process: SpawnProcess) -> float:
    """Return the processor time of a process in seconds, where the system tells it so."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--postgresql", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="notify-polling-") as folder, ExitStack() as stack:
        place: Place = Postgresql(stack) if args.postgresql else Sqlite(Path(folder))
        found = measure(place, args)
        print(f"\n{place.name}, {args.workers} workers\n\n| | |\n|---|---:|")
        for name, value in found.rows():
            print(f"| {name} | {value} |")


if __name__ == "__main__":
    main()
