"""``notify journal …``: keeping house. No provider is made for it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from notify_core.cli import journal_shapes as shapes
from notify_core.cli import journal_tables as tables
from notify_core.cli.exits import Exit
from notify_core.cli.filters import filter_options, kept_address, read_filter
from notify_core.cli.journal_shapes import Purged
from notify_core.cli.options import config_option, json_option, read_span
from notify_core.cli.output import answer
from notify_core.cli.session import Housekeeping, opened_journal
from notify_core.config.model import Retention
from notify_core.delivery import Stage
from notify_core.journal.base import Journal
from notify_core.journal.incoming_purge import waiting_from
from notify_core.journal.model import Filter, Part
from notify_core.plugins import Plugins


@click.group()
def journal() -> None:
    """Keep house in the journal."""


@journal.command()
@config_option
@json_option
@click.pass_obj
def migrate(plugins: Plugins, /, config: Path, as_json: bool) -> None:
    """Bring the tables to the version of this program.

    Stop the workers and applications of the old version first.
    """
    with opened_journal(config, plugins, to_migrate=True) as session:
        before, now = session.journal.migrate()
    answer(shapes.migrated_shape(before, now), tables.migrated_tables, as_json=as_json)


@journal.command()
@config_option
@json_option
@click.pass_context
def check(context: click.Context, /, config: Path, as_json: bool) -> None:
    """Look for what is wrong with the journal.

    Every delivery is read. The exit code is 1 if something is wrong.
    """
    with opened_journal(config, context.obj) as session:
        wrong = session.journal.check()
    answer(shapes.checked_shape(wrong), tables.checked_tables, as_json=as_json)
    if wrong:
        context.exit(Exit.FAILED)


@journal.command()
@config_option
@json_option
@click.pass_obj
def stats(plugins: Plugins, /, config: Path, as_json: bool) -> None:
    """Count what there is to do, and say how late the oldest of it is."""
    with opened_journal(config, plugins) as session:
        backlog = session.journal.backlog(datetime.now(UTC))
    answer(shapes.stats_shape(backlog), tables.stats_tables, as_json=as_json)


# --- removing -------------------------------------------------------------------------------


@journal.command()
@click.option(
    "--older-than",
    metavar="SPAN",
    callback=read_span,
    help="Made so long ago, in place of what the configuration says.",
)
@click.option(
    "--what",
    type=click.Choice([part.value for part in Part]),
    help="Only this. With --older-than the default is text.",
)
@config_option
@json_option
@click.pass_obj
def purge(
    plugins: Plugins,
    /,
    older_than: timedelta | None,
    what: str | None,
    config: Path,
    as_json: bool,
) -> None:
    """Remove what is old of deliveries that have ended.

    Without options what journal.retention says: text, then numbers, then rows.
    """
    with opened_journal(config, plugins) as session:
        ages = _ages(session, older_than, None if what is None else Part(what))
        purged = [_purged(session.journal, part, age) for part, age in ages]
    answer(shapes.purged_shape(purged), tables.purged_tables, as_json=as_json)


def _ages(
    session: Housekeeping, older_than: timedelta | None, what: Part | None
) -> Sequence[tuple[Part, timedelta]]:
    """Return what is to be removed and how old it must be, the most private first."""
    if older_than is not None:
        return [(what or Part.TEXT, older_than)]
    kept = session.config.journal.retention if session.config.journal else Retention()
    ages = ((Part.TEXT, kept.text), (Part.NUMBERS, kept.numbers), (Part.ROWS, kept.rows))
    return [(part, age) for part, age in ages if what in (None, part)]


def _purged(journal: Journal, part: Part, age: timedelta) -> Purged:
    before = datetime.now(UTC) - age
    return Purged(part, before, journal.purge(part, before))


@journal.command()
@click.option("--recipient", required=True, metavar="ADDRESS", help="The whole address.")
@config_option
@json_option
@click.pass_context
def erase(context: click.Context, /, recipient: str, config: Path, as_json: bool) -> None:
    """Erase what the journal has of a recipient.

    The addresses, and what the messages say, of every delivery that has ended, and of what came
    in from there. Others are left, and the exit code is 6: cancel them, and erase again.
    """
    with opened_journal(config, context.obj) as session:
        region = session.config.default_region
        # As it was typed too: what looks like a number can be an address of another kind.
        addresses = dict.fromkeys((kept_address(recipient, region), recipient))
        erased = sum(session.journal.erase(address)[0] for address in addresses)
        found = (each for address in addresses for each in _not_ended(session.journal, address))
        left = list(dict.fromkeys(found))
        database = session.journal.database
        waiting = [each for address in addresses for each in waiting_from(database, address)]
    answer(shapes.erased_shape(erased, left, waiting), tables.erased_tables, as_json=as_json)
    if left or waiting:
        context.exit(Exit.PARTLY)


def _not_ended(journal: Journal, address: str) -> Iterator[str]:
    for stage in (Stage.UNDER_WAY, Stage.HELD):
        found = journal.export(Filter(address=address, stage=stage))
        yield from (entry.id for entry in found)


# --- export ---------------------------------------------------------------------------------


@journal.command()
@filter_options
@config_option
@click.pass_obj
def export(plugins: Plugins, /, config: Path, **given: Any) -> None:
    """Write whole deliveries, one JSON document in each line.

    For whoever asks what is kept of them. ADDRESSES AND TEXTS ARE SHOWN: mind where the lines go.
    """
    with opened_journal(config, plugins) as session:
        wanted = read_filter(given, session.config.default_region)
        for entry in session.journal.export(wanted):
            _write(json.dumps(shapes.exported_shape(entry), default=repr))


def _write(line: str) -> None:
    try:
        click.echo(line)
    except BrokenPipeError:  # whoever reads has had enough
        raise
    except OSError as error:
        raise click.ClickException(f"the export is not whole: {error.strerror}") from error
