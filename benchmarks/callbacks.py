"""How many calls of a provider are taken in a second, and that none is lost.

    python benchmarks/callbacks.py [--rate 1000] [--seconds 10] [--connections 16]
        [--worker same|apart|none] [--postgresql]

A server with its worker, as ``notify serve --with-worker`` has them, runs in a process of its own;
with ``--worker apart`` the worker runs in another, as with ``notify serve`` and ``notify worker``,
and with ``--worker none`` the calls are only taken in. The journal holds a delivery for each call.
The calls are receipts that are signed as a gateway signs them, over connections that are kept, each
sent when its time has come, whether or not the ones before have been answered on other connections:
so a slow answer is not made up for by fewer calls. With ``--rate 0`` each connection sends as fast
as it is answered.
"""

from __future__ import annotations

import argparse
import enum
import hashlib
import hmac
import multiprocessing
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import attrs
from databases import Place, Postgresql, Sqlite

from notify_core import Accepted, Notifier, Plugins, Receipt, Secret, Sms, State, Status
from notify_core.callback import CallbackRequest, StatusEvent, Trust
from notify_core.config.model import (
    Config,
    JournalConfig,
    LegConfig,
    ProviderConfig,
    Route,
    Via,
    WorkerConfig,
)
from notify_core.config.sections import Callbacks
from notify_core.delivery import Attempt
from notify_core.errors import CallbackError
from notify_core.hookspecs import hookimpl
from notify_core.journal.model import Filter, delivery_of
from notify_core.message import Priority
from notify_core.outcome import Outcome
from notify_core.provider import Capabilities, ProviderType, ReceiptKind, Tools
from notify_core.server.standalone import listening
from notify_core.server.wsgi import callback_app

KEY = b"the secret of the benchmark"
LANES = tuple(sorted(Priority, reverse=True))
IN_BULK = 1_000
BEFORE_S = 0.2
"""So long the threads of the callers have to be ready."""
CAPABILITIES = Capabilities(
    channels=frozenset({"sms"}), own_id=True, receipts=frozenset({ReceiptKind.CALLBACK})
)


# --- the provider ---------------------------------------------------------------------------


@attrs.frozen
class NoSettings:
    """There is nothing to set."""


class Gateway:
    """Takes everything, under our own id, and calls back with a signature."""

    capabilities = CAPABILITIES

    @hookimpl
    def notify_send(self, attempt: Attempt) -> Outcome:
        receipt = Receipt(
            provider=attempt.provider,
            address=attempt.address,
            own_id=attempt.own_id,
            provider_id=attempt.own_id,
        )
        return Accepted(receipt)

    @hookimpl
    def notify_parse_callback(self, request: CallbackRequest) -> Sequence[StatusEvent]:
        fields = dict(parse_qsl(request.body.decode()))
        expected = signature(fields["id"], fields["phone"], fields["status"])
        if not hmac.compare_digest(expected, fields["sha1"]):
            raise CallbackError("the signature does not fit")
        status = Status(state=State.DELIVERED, final=True, code=fields["status"])
        return [
            StatusEvent(
                address=fields["phone"],
                provider_id=fields["id"],
                status=status,
                trust=Trust.PROVEN,
            )
        ]

    def close(self) -> None:
        """Have nothing to let go of."""


class Types:
    """Bring the one type."""

    @hookimpl
    def notify_provider_types(self) -> Sequence[ProviderType]:
        return [
            ProviderType(
                name="gateway",
                config_class=NoSettings,
                capabilities=lambda _: CAPABILITIES,
                factory=_gateway,
            )
        ]


def _gateway(_settings: NoSettings, _tools: Tools) -> Gateway:
    return Gateway()


def signature(message_id: str, phone: str, status: str) -> str:
    return hashlib.sha1(
        b":".join([message_id.encode(), phone.encode(), status.encode(), KEY])
    ).hexdigest()


def notifier(url: str, threads: int) -> Notifier:
    plugins = Plugins()
    plugins.register(Types(), "types")
    config = Config(
        providers=(ProviderConfig(name="gateway", type="gateway", settings=NoSettings()),),
        routes=(Route(name="default", legs=(LegConfig(via=Via(providers=("gateway",))),)),),
        journal=JournalConfig(url=Secret(url)),
        worker=WorkerConfig(concurrency=16),
        callbacks=Callbacks(listen="127.0.0.1:0", threads=threads),
    )
    return Notifier(config, plugins=plugins)


# --- the server -----------------------------------------------------------------------------


class Part(enum.Flag):
    """What a process does."""

    SERVER = enum.auto()
    """Takes calls in."""
    WORKER = enum.auto()
    """Does what they tell."""


def run_parts(parts: Part, url: str, threads: int, pipe: Connection) -> None:
    """Serve, or work, or both, until told to stop; then say what processor time that took."""
    with notifier(url, threads) as made, ExitStack() as stack:
        address = ""
        if Part.WORKER in parts:
            stack.enter_context(made.worker())
        if Part.SERVER in parts:
            address = stack.enter_context(listening(callback_app(made), made.callbacks))
        pipe.send(address)
        before = time.process_time()
        pipe.recv()
        pipe.send(time.process_time() - before)


PARTS = {
    "same": [Part.SERVER | Part.WORKER],
    "apart": [Part.SERVER, Part.WORKER],
    "none": [Part.SERVER],
}


class Process:
    """A process with some parts, from when it is ready."""

    def __init__(self, parts: Part, url: str, threads: int) -> None:
        self._pipe, there = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        self._process = context.Process(target=run_parts, args=(parts, url, threads, there))
        self._process.start()
        self.address: str = self._pipe.recv()

    def stop(self) -> float:
        """Stop it; return how many seconds a processor was busy with it."""
        self._pipe.send(None)
        busy_s: float = self._pipe.recv()
        self._process.join()
        return busy_s


# --- the callers ----------------------------------------------------------------------------


@attrs.define
class Caller:
    """One connection, and how its calls were answered."""

    port: int
    requests: Sequence[bytes]
    every_s: float
    statuses: list[int] = attrs.field(factory=list)
    latencies_s: list[float] = attrs.field(factory=list)

    def call_all(self, begin: float) -> None:
        with socket.create_connection(("127.0.0.1", self.port), 60) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for number, request in enumerate(self.requests):
                due = begin + number * self.every_s
                time.sleep(max(due - time.monotonic(), 0))
                since = due if self.every_s else time.monotonic()
                connection.sendall(request)
                self.statuses.append(_status_of(connection))
                self.latencies_s.append(time.monotonic() - since)


def _status_of(connection: socket.socket) -> int:
    answer = b""
    while not answer.endswith(b"\n") or b"\r\n\r\n" not in answer or answer.endswith(b"\r\n\r\n"):
        piece = connection.recv(4_096)
        if not piece:
            return 0
        answer += piece
    return int(answer.split(b" ", 2)[1])


def request_of(message_id: str, phone: str) -> bytes:
    fields = {
        "id": message_id,
        "phone": phone,
        "status": "1",
        "err": "0",
        "ts": "1900000000",
        "sha1": signature(message_id, phone, "1"),
    }
    body = urlencode(fields)
    lines = [
        "POST /gateway HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
    ]
    return ("\r\n".join([*lines, "", ""]) + body).encode()


def call(port: int, requests: Sequence[bytes], rate: float, connections: int) -> list[Caller]:
    """Send all of them; return when each is answered."""
    every_s = connections / rate if rate else 0.0
    callers = [
        Caller(port, requests[number::connections], every_s) for number in range(connections)
    ]
    begin = time.monotonic() + BEFORE_S
    threads = [
        threading.Thread(target=caller.call_all, args=(begin + number * every_s / connections,))
        for number, caller in enumerate(callers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return callers


# --- the run --------------------------------------------------------------------------------


def prepared(url: str, count: int) -> list[bytes]:
    """Have so many messages accepted; return the calls that tell of them."""
    with notifier(url, 1) as sender:
        for first in range(0, count, IN_BULK):
            numbers = range(first, min(first + IN_BULK, count))
            sender.enqueue_many(
                [Sms(to=f"+7999{number:07d}", text="Your code is 1234") for number in numbers]
            )
        with sender.worker():
            while sender.journal.next_due(LANES) is not None:
                time.sleep(0.05)
        made = [delivery_of(entry) for entry in sender.journal.export(Filter())]
    return [
        request_of(receipt.provider_id or "", receipt.address)
        for delivery in made
        for receipt in delivery.receipts
    ]


def waited_for(url: str, count: int, end_s: float) -> tuple[int, int, float]:
    """Wait until no call is left; return how many are told, how many are left, and the seconds."""
    begin = time.monotonic()
    with notifier(url, 1) as reader:
        left = count
        while left:
            left = reader.journal.database.read(
                lambda executor: int(
                    executor.execute("SELECT count(*) FROM notify_calls", {})[0][0]
                )
            )
            if time.monotonic() >= begin + end_s:
                break
            time.sleep(0.05)
        seconds = time.monotonic() - begin
        entries = reader.journal.export(Filter())
        told = sum(_is_delivered(delivery_of(entry).status) for entry in entries)
    return told, left, seconds


def _is_delivered(status: Status | None) -> bool:
    return status is not None and status.state is State.DELIVERED


def run(place: Place, args: argparse.Namespace) -> None:
    url = place.new_url()
    count = int((args.rate or args.most) * args.seconds)
    print(f"{place.name}: {count} messages are being sent …", flush=True)
    requests = prepared(url, count)
    processes = [Process(part, url, args.threads) for part in PARTS[args.worker]]
    port = int(processes[0].address.rpartition(":")[2])
    began = time.monotonic()
    callers = call(port, requests, args.rate, args.connections)
    took_s = time.monotonic() - began - BEFORE_S
    told, left, behind_s = waited_for(url, count, 0 if args.worker == "none" else 600)
    busy = [process.stop() for process in processes]
    statuses = [status for caller in callers for status in caller.statuses]
    latencies = sorted(each for caller in callers for each in caller.latencies_s)
    good = statuses.count(200)
    print(
        f"  offered   {count} calls, {count / took_s:.0f} a second, {args.connections} connections"
    )
    print(f"  answered  {good} with 200, {len(statuses) - good} otherwise")
    print(f"  latency   {_quantiles(latencies)}")
    print(f"  done      {told} receipts, the last {behind_s:.1f} s after its call; {left} are left")
    print(f"  processor {' and '.join(f'{1e6 * each / count:.0f} µs' for each in busy)} a call")
    if told + left != count or (left and args.worker != "none"):
        raise SystemExit("calls were lost")


def _quantiles(latencies: Sequence[float]) -> str:
    cuts = statistics.quantiles(latencies, n=1_000)
    shown = {"median": cuts[499], "99 %": cuts[989], "99.9 %": cuts[998], "worst": latencies[-1]}
    return ", ".join(f"{name} {1_000 * seconds:.1f} ms" for name, seconds in shown.items())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--rate", type=float, default=1_000, help="calls a second; 0: as many as go"
    )
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument(
        "--most", type=float, default=1_000, help="how many per second with --rate 0"
    )
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--threads", type=int, default=8, help="of the server")
    parser.add_argument("--worker", choices=PARTS, default="same", help="in which process, if any")
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--folder", type=Path, help="on which disk the files of SQLite lie")
    args = parser.parse_args()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(dir=args.folder))
        run(Postgresql(stack) if args.postgresql else Sqlite(Path(folder)), args)


if __name__ == "__main__":
    main()
