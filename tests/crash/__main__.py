"""The long form of the crash test: ``python -m tests.crash --help``."""

from __future__ import annotations

import argparse
import secrets
import sys
from collections.abc import Sequence

import attrs

from tests.crash.plan import Scale
from tests.crash.run import Figures
from tests.crash.variants import VARIANTS, Variant, run_variant

_COLUMNS = (
    "messages",
    "deliveries",
    "kills_of_senders",
    "kills_of_workers",
    "failed_calls",
    "lost_arrived",
    "lost_on_the_way",
    "lost_questions",
    "found_open",
    "found_by_asking",
    "absent_by_asking",
    "accepted",
    "held",
    "not_sent",
    "seconds",
)


def main() -> None:
    """Run what the command line says, print the figures, and fail if a promise was broken."""
    given = _parsed(sys.argv[1:])
    broken = False
    for variant in _wanted(given):
        print(f"{variant}, seed {given.seed}", flush=True)
        scale = Scale(
            messages=given.messages,
            kills=given.kills,
            workers=variant.workers,
            outages=variant.outages,
            seed=given.seed,
        )
        figures = run_variant(variant, scale)
        print(_told(figures), flush=True)
        broken = broken or bool(figures.faults)
    sys.exit(broken)


def _parsed(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--journal", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--restarts", type=int, default=0, help="of PostgreSQL, as in a power cut")
    parser.add_argument("--disk-full", type=int, default=0, help="times; of SQLite")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10_000))
    parser.add_argument("--all", action="store_true", help="every variant, one after the other")
    return parser.parse_args(words)


def _wanted(given: argparse.Namespace) -> Sequence[Variant]:
    if given.all:
        return VARIANTS
    return [
        Variant(
            journal=given.journal,
            workers=given.workers,
            restarts=given.restarts,
            full=given.disk_full,
        )
    ]


def _told(figures: Figures) -> str:
    """Write the figures in lines, and every fault below them."""
    values = attrs.asdict(figures, recurse=False)
    lines = [f"  {name.replace('_', ' '):<18}{values[name]:>8.0f}" for name in _COLUMNS]
    for word in ("lost:", "doubled:", "untrue:", "reported"):
        lines.append(f"  {word:<18}{figures.count(word):>8}")
    return "\n".join([*lines, *(f"  BROKEN {fault}" for fault in figures.faults)])


if __name__ == "__main__":
    main()
