"""What one message costs: ``notifier.send(Sms)`` against a bare ``requests.Session.post`` loop.

Both talk to the same local gateway (``gateway_stub.py``, a process of its own) over a kept
connection, in turn, in one run. A message is made anew each time: a number and a Cyrillic text.
The bare loop encodes the same form, checks the status and reads the JSON. Figures are processor
time of this process per message; ratios are taken inside each round, so that a noisy machine
does not matter.

    python benchmarks/send.py [--messages 1000] [--rounds 9]
"""

from __future__ import annotations

import argparse
import cProfile
import itertools
import pstats
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
import trustme

from notify_core import Notifier, Sms

HERE = Path(__file__).parent
TEXT = "Ваш код подтверждения {}"
CONFIG = """
version: 1
providers:
  smsc:
    type: smsc
    login: bench
    password: ${{env:BENCH_PASSWORD}}
    host: 127.0.0.1:{port}
    reserve_hosts: []
    https: {https}
    {ca}
routes:
  - name: default
    send: {{via: smsc}}
"""


@contextmanager
def gateway(*certificate: str) -> Iterator[int]:
    """Run the stub and yield its port."""
    command = [sys.executable, str(HERE / "gateway_stub.py"), *certificate]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def bare(url: str, verify: str | bool) -> Callable[[int], None]:
    """Return what people write by hand."""
    session = requests.Session()

    def send(number: int) -> None:
        form = {
            "login": "bench",
            "psw": "secret",
            "phones": f"+7999{number:07d}",
            "mes": TEXT.format(number),
            "id": number + 1,
            "charset": "utf-8",
            "fmt": 3,
            "cost": 3,
            "op": 1,
        }
        response = session.post(url, data=form, timeout=30, verify=verify)
        response.raise_for_status()
        assert response.json()["id"] == number + 1

    return send


def framework(notifier: Notifier) -> Callable[[int], None]:
    """Return the whole way: message, route, hooks, transport, outcome, report."""

    def send(number: int) -> None:
        report = notifier.send(Sms(to=f"+7999{number:07d}", text=TEXT.format(number)))
        assert report.ok, report

    return send


def cost(send: Callable[[int], None], numbers: Iterator[int], messages: int) -> float:
    """Return microseconds of processor time per message."""
    start = time.process_time()
    for number in itertools.islice(numbers, messages):
        send(number)
    return (time.process_time() - start) / messages * 1e6


def compare(scheme: str, rows: dict[str, Callable[[int], None]], args: argparse.Namespace) -> None:
    """Print one table: each contender's cost and its ratio to the first, round by round."""
    numbers = itertools.count()
    for send in rows.values():
        cost(send, numbers, 50)
    rounds = [
        {name: cost(send, numbers, args.messages) for name, send in rows.items()}
        for _ in range(args.rounds)
    ]
    first = next(iter(rows))
    print(f"\n{scheme}, {args.rounds} rounds of {args.messages} messages\n")
    print("| contender | CPU µs a message | ratio to the bare loop |\n|---|---:|---:|")
    for name in rows:
        spent = [each[name] for each in rounds]
        ratios = [each[name] / each[first] for each in rounds]
        print(f"| {name} | {_spread(spent, 0)} | {_spread(ratios, 2)} |")


def _spread(values: list[float], digits: int) -> str:
    median, low, high = statistics.median(values), min(values), max(values)
    return f"{median:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def profile(send: Callable[[int], None], messages: int) -> None:
    """Print where the time of a send goes, by package, as shares of the profiled time."""
    profiler = cProfile.Profile()
    numbers = itertools.count(5_000_000)
    profiler.runcall(cost, send, numbers, messages)
    spent: Counter[str] = Counter()
    for (file, _, name), (_, _, own, _, _) in pstats.Stats(profiler).stats.items():  # type: ignore[attr-defined]
        spent[_package(file, name)] += own
    total = sum(spent.values())
    print("\nWhere the time goes (own time by package, under the profiler)\n")
    print("| package | share |\n|---|---:|")
    for package, own in spent.most_common(12):
        print(f"| {package} | {own / total:.0%} |")


def _package(file: str, name: str) -> str:
    for package in (
        *("notify_core", "notify_smsc", "phonenumbers", "pluggy", "attr", "requests"),
        *("urllib3", "http", "ssl", "socket", "email", "json", "urllib"),
    ):
        if f"/{package}/" in file or file.endswith(f"/{package}.py"):
            return package
    if file == "~":
        return "sockets (built in)" if "socket" in name.lower() else "built in"
    return "attr (generated)" if file.startswith("<attrs") else "other"


def run(
    scheme: str, certificate: tuple[str, ...], ca: str | None, args: argparse.Namespace
) -> None:
    """Compare over one scheme."""
    with gateway(*certificate) as port, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "notify.yaml"
        path.write_text(
            CONFIG.format(port=port, https=str(bool(ca)).lower(), ca=f"ca_file: {ca}" if ca else "")
        )
        url = f"{scheme}://127.0.0.1:{port}/sys/send.php"
        with Notifier.from_file(path, environ={"BENCH_PASSWORD": "secret"}) as notifier:
            rows = {
                "requests.Session.post": bare(url, ca or True),
                "notifier.send(Sms)": framework(notifier),
            }
            compare(scheme.upper(), rows, args)
            if args.profile:
                profile(rows["notifier.send(Sms)"], args.messages)


def main() -> None:
    """Compare over HTTP and HTTPS."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--no-profile", dest="profile", action="store_false")
    args = parser.parse_args()
    authority = trustme.CA()
    with tempfile.TemporaryDirectory() as folder:
        files = [str(Path(folder) / name) for name in ("ca.pem", "cert.pem", "key.pem")]
        issued = authority.issue_cert("127.0.0.1")
        authority.cert_pem.write_to_path(files[0])
        issued.cert_chain_pems[0].write_to_path(files[1])
        issued.private_key_pem.write_to_path(files[2])
        run("http", (), None, args)
        run("https", (files[1], files[2]), files[0], args)


if __name__ == "__main__":
    main()
