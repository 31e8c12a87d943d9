"""What importing costs: ``import notify_core`` against ``import pluggy, attrs``.

Each line is a fresh process; contenders take turns, and ratios are taken inside each round.

    python benchmarks/imports.py [--rounds 15]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

FLOOR = "import pluggy, attrs"
CONTENDERS = {
    "pass": ["-c", "pass"],
    FLOOR: ["-c", FLOOR],
    "import notify_core": ["-c", "import notify_core"],
    "from notify_core import Sms": ["-c", "from notify_core import Sms"],
    "from notify_core import Notifier, Sms": ["-c", "from notify_core import Notifier, Sms"],
    "import requests": ["-c", "import requests"],
    "notify --version": ["-m", "notify_core.cli", "--version"],
}


def wall_ms(arguments: list[str]) -> float:
    """Return the milliseconds that a fresh interpreter takes."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - start) * 1e3


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    for arguments in CONTENDERS.values():
        wall_ms(arguments)
    taken = [
        {name: wall_ms(arguments) for name, arguments in CONTENDERS.items()} for _ in range(rounds)
    ]
    print(f"| {rounds} rounds | ms | ratio to `{FLOOR}` |\n|---|---:|---:|")
    for name in CONTENDERS:
        spent = [each[name] for each in taken]
        ratios = [each[name] / each[FLOOR] for each in taken]
        print(
            f"| `{name}` | {statistics.median(spent):.0f} ({min(spent):.0f}–{max(spent):.0f}) "
            f"| {statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f}) |"
        )


if __name__ == "__main__":
    main()
