"""``notify config plan``: what a change of the configuration would do, before it is live."""

from __future__ import annotations

import contextlib
import csv
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import click

from notify_core.change_plan.changes import ChangePlan
from notify_core.change_plan.deciding import Judge, Side
from notify_core.change_plan.recorded import RecordedChanges, Tell, recorded_changes, tell_nobody
from notify_core.change_plan.regions import Regions
from notify_core.change_plan.tried import tried_tests
from notify_core.cli.change_shapes import LISTED, change_shape, listed_row
from notify_core.cli.change_tables import change_tables
from notify_core.cli.exits import Exit
from notify_core.cli.options import json_option
from notify_core.cli.output import answer
from notify_core.clock import SystemClock
from notify_core.errors import JournalError
from notify_core.journal.recorded import RecordedReader
from notify_core.plugins import Plugins
from notify_core.route_tests.model import Suite
from notify_core.route_tests.reading import read_suite
from notify_core.route_tests.running import catalog_of

_OF_OLD = ""
"""Given for ``--against`` without a value: the journal that OLD names."""


@click.command("plan")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option(
    "--against",
    is_flag=False,
    flag_value=_OF_OLD,
    metavar="[JOURNAL]",
    help="Look at the messages of a journal too: a file, a URL, or by itself that of OLD.",
)
@click.option(
    "--days",
    type=click.IntRange(1, 36_500),
    default=7,
    show_default=True,
    help="How old they are at most.",
)
@click.option(
    "--list",
    "list_path",
    type=click.Path(path_type=Path),
    help="Write all deliveries that would go otherwise, as CSV.",
)
@click.option("--fail-on-change", is_flag=True, help="Exit with 1 if anything changes.")
@json_option
@click.pass_context
def plan(
    context: click.Context,
    /,
    old: Path,
    new: Path,
    against: str | None,
    days: int,
    list_path: Path | None,
    fail_on_change: bool,
    as_json: bool,
) -> None:
    """Show what a change of the configuration would do.

    The tests of the routes run on OLD and on NEW, and with --against both decide anew about the
    messages of a journal: which would go otherwise, and what that costs. Nothing is sent or
    written, and no text and no number is read.
    """
    plugins: Plugins = context.obj
    before, after = (read_suite(path, plugins, os.environ) for path in (old, new))
    if against is None and not before.tests and not after.tests:
        raise click.UsageError(
            "there is nothing to hold the change against: neither file has tests of its routes; "
            "write some, or give a journal with --against"
        )
    if against is None and list_path is not None:
        raise click.UsageError("--list writes deliveries of a journal; give one with --against")
    # Opened before the list is: what cannot be read leaves an older list as it is.
    reader = None if against is None else RecordedReader(_url(before, against))
    with _listing(list_path) as tell:
        recorded = None if reader is None else _recorded(before, after, reader, days, tell)
    made = ChangePlan(
        old=before.config,
        new=after.config,
        tried=tried_tests(before, after),
        recorded=recorded,
    )
    answer(change_shape(str(old), str(new), made), change_tables, as_json=as_json)
    context.exit(Exit.FAILED if fail_on_change and made.changes else Exit.OK)


def _recorded(
    old: Suite, new: Suite, reader: RecordedReader, days: int, tell: Tell
) -> RecordedChanges:
    until = SystemClock().now()
    since = until - timedelta(days=days)
    judge = Judge(_side(old), _side(new), Regions())
    return recorded_changes(reader.between(since, until), judge, since, until, tell)


@contextlib.contextmanager
def _listing(path: Path | None) -> Iterator[Tell]:
    """Hold the file open that the deliveries are written to, if one is wanted."""
    if path is None:
        yield tell_nobody
        return
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(LISTED)
            yield lambda mover: writer.writerow(listed_row(mover))
    except OSError as error:
        raise click.UsageError(f"{path} cannot be written: {error.strerror}") from None


def _url(old: Suite, against: str) -> str:
    """Return the URL of a journal that is given as one, as a file, or by the old configuration."""
    if against != _OF_OLD:
        is_url = "://" in against or against.partition(":")[0] == "memory"
        return against if is_url else f"sqlite:///{Path(against).absolute()}"
    if old.config.journal is None:
        raise JournalError(f"{old.path} names no journal; give one, as --against notify.db")
    return old.config.journal.url.reveal()


def _side(suite: Suite) -> Side:
    return Side(suite.config, catalog_of(suite))
