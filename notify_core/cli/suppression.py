"""``notify suppress …`` and ``notify consent …``: to whom nothing is sent. No provider is made."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO

import click
from rich.console import RenderableType

from notify_core.cli.exits import Exit
from notify_core.cli.options import config_option, json_option
from notify_core.cli.output import answer
from notify_core.cli.session import opened_journal
from notify_core.cli.shapes import Shape, iso
from notify_core.cli.tables import line, table
from notify_core.clock import SystemClock
from notify_core.contact import mask
from notify_core.phones import PhoneNumbers
from notify_core.plugins import Plugins
from notify_core.suppression import Listed, Source, Suppressions

_LIMIT = 100

_tag_option = click.option("--tag", help="Only messages with this tag; without it, all.")
_needed_tag_option = click.option("--tag", required=True, help="The tag that it is about.")
_reason_option = click.option("--reason", default="", help="Why, and where the proof is.")
_source_option = click.option(
    "--source",
    type=click.Choice([Source.OPERATOR.value, Source.PERSON.value]),
    help="Who has said so.",
)


@click.group()
def suppress() -> None:
    """Say to whom nothing is sent, and look it up."""


@click.group()
def consent() -> None:
    """Keep who has agreed to messages with a tag."""


# --- one address ----------------------------------------------------------------------------


@suppress.command()
@click.argument("address")
@_tag_option
@_reason_option
@_source_option
@config_option
@json_option
@click.pass_obj
def add(
    plugins: Plugins,
    /,
    address: str,
    tag: str | None,
    reason: str,
    source: str | None,
    config: Path,
    as_json: bool,
) -> None:
    """Let nothing be sent to ADDRESS any more.

    It holds for the next attempt, also of what waits already. A start word of the person takes it
    back only with --source person.
    """
    with _opened(config, plugins) as suppressions:
        suppressions.add(address, tag, reason=reason, source=Source(source or "operator"))
        _answer(suppressions, address, as_json=as_json)


@suppress.command()
@click.argument("address")
@_tag_option
@config_option
@json_option
@click.pass_context
def remove(
    context: click.Context, /, address: str, tag: str | None, config: Path, as_json: bool
) -> None:
    """Take ADDRESS off the list, whoever has put it there.

    Without --tag what is about all messages is removed, and what is about a tag stays. The exit
    code is 1 if there was nothing to remove.
    """
    with _opened(config, context.obj) as suppressions:
        removed = suppressions.remove(address, tag)
        _answer(suppressions, address, as_json=as_json)
    if not removed:
        context.exit(Exit.FAILED)


@suppress.command()
@click.argument("address")
@click.option("--tag", "tags", multiple=True, help="A tag of the message. May be repeated.")
@config_option
@json_option
@click.pass_context
def check(
    context: click.Context, /, address: str, tags: tuple[str, ...], config: Path, as_json: bool
) -> None:
    """Say whether a message would be sent to ADDRESS. The exit code is 1 if not."""
    with _opened(config, context.obj) as suppressions:
        against = suppressions.refusal(address, tags)
        shape = _shape(suppressions, address) | {"sent": against is None, "reason": against}
        answer(shape, _checked_tables, as_json=as_json)
    if against is not None:
        context.exit(Exit.FAILED)


@consent.command("add")
@click.argument("address")
@_needed_tag_option
@_reason_option
@_source_option
@config_option
@json_option
@click.pass_obj
def add_consent(
    plugins: Plugins,
    /,
    address: str,
    tag: str,
    reason: str,
    source: str | None,
    config: Path,
    as_json: bool,
) -> None:
    """Keep that whoever has ADDRESS has agreed to messages with a tag.

    It does not take back a stop.
    """
    with _opened(config, plugins) as suppressions:
        suppressions.consent(address, tag, Source(source or "person"), reason=reason)
        _answer(suppressions, address, as_json=as_json)


@consent.command()
@click.argument("address")
@_needed_tag_option
@config_option
@json_option
@click.pass_context
def withdraw(
    context: click.Context, /, address: str, tag: str, config: Path, as_json: bool
) -> None:
    """Forget that somebody has agreed. The exit code is 1 if nobody had."""
    with _opened(config, context.obj) as suppressions:
        withdrawn = suppressions.withdraw(address, tag)
        _answer(suppressions, address, as_json=as_json)
    if not withdrawn:
        context.exit(Exit.FAILED)


# --- the whole list -------------------------------------------------------------------------


@suppress.command("list")
@_tag_option
@click.option("--limit", type=click.IntRange(min=1), default=_LIMIT, show_default=True)
@config_option
@json_option
@click.pass_obj
def list_(plugins: Plugins, /, tag: str | None, limit: int, config: Path, as_json: bool) -> None:
    """Show the list, by address. Addresses are masked; ``export`` shows them."""
    with _opened(config, plugins) as suppressions:
        wanted = (each for each in suppressions.entries() if tag in (None, each.tag))
        found = list(islice(wanted, limit + 1))
    shape = {"listed": [_listed(each) for each in found[:limit]], "more": len(found) > limit}
    answer(shape, _list_tables, as_json=as_json)


@suppress.command("import")
@click.argument("file", metavar="FILE")
@config_option
@json_option
@click.pass_obj
def import_(plugins: Plugins, /, file: str, config: Path, as_json: bool) -> None:
    """Read a list in from CSV; - is standard input.

    The first line names the columns: address, and if you want kind, tag, source, reason and
    created_at. If one line is wrong nothing is read in. What is on the list already stays.
    """
    with _opened(config, plugins) as suppressions, _reading(file) as lines:
        count = suppressions.import_from(lines, "standard input" if file == "-" else file)
    answer({"imported": count}, _imported_tables, as_json=as_json)


@suppress.command()
@config_option
@click.pass_obj
def export(plugins: Plugins, /, config: Path) -> None:
    """Write the whole list as CSV. ADDRESSES ARE SHOWN: mind where it goes."""
    with _opened(config, plugins) as suppressions:
        try:
            suppressions.export_to(sys.stdout)
        except BrokenPipeError:  # whoever reads has had enough
            raise
        except OSError as error:
            raise click.ClickException(f"the export is not whole: {error.strerror}") from error


@contextlib.contextmanager
def _reading(file: str) -> Iterator[IO[str]]:
    try:
        with click.open_file(file, encoding="utf-8-sig") as lines:
            yield lines
    except OSError as error:
        raise click.UsageError(f"{file}: {error.strerror or 'cannot be read'}") from error
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{file}: is not UTF-8; save it as CSV in UTF-8") from error


# --- within ---------------------------------------------------------------------------------


@contextlib.contextmanager
def _opened(path: Path, plugins: Plugins) -> Iterator[Suppressions]:
    with opened_journal(path, plugins) as session:
        phones = PhoneNumbers(session.config.default_region)
        yield Suppressions(session.journal, session.config.suppression, phones, SystemClock())


def _answer(suppressions: Suppressions, address: str, *, as_json: bool) -> None:
    answer(_shape(suppressions, address), _state_tables, as_json=as_json)


def _shape(suppressions: Suppressions, address: str) -> Shape:
    """Return what is on the list about an address now."""
    return {
        "address": mask(address),
        "listed": [_listed(each) for each in suppressions.state(address)],
    }


def _listed(listed: Listed) -> Shape:
    return {
        "address": mask(listed.address),
        "kind": listed.kind.value,
        "tag": listed.tag,
        "source": listed.source.value,
        "reason": listed.reason,
        "created_at": iso(listed.created_at),
    }


_COLUMNS = ("Address", "Kind", "Tag", "Source", "Since", "Reason")


def _table_of(listed: Sequence[Shape]) -> RenderableType:
    names = ("address", "kind", "tag", "source", "since", "reason")
    rows = ({**each, "since": f"{each['created_at'][:19]}Z"} for each in listed)
    return table(_COLUMNS, [[row[name] for name in names] for row in rows])


def _state_tables(shape: Shape) -> Sequence[RenderableType]:
    if not shape["listed"]:
        return [line(f"{shape['address']} is not on the list")]
    return [_table_of(shape["listed"])]


def _checked_tables(shape: Shape) -> Sequence[RenderableType]:
    told = line("it is sent") if shape["sent"] else line(f"it is refused: {shape['reason']}", "red")
    return [*_state_tables(shape), told]


def _list_tables(shape: Shape) -> Sequence[RenderableType]:
    if not shape["listed"]:
        return [line("none")]
    more = [line("there are more; --limit shows them, and export all")] if shape["more"] else []
    return [_table_of(shape["listed"]), *more]


def _imported_tables(shape: Shape) -> Sequence[RenderableType]:
    return [line(f"read in: {shape['imported']}")]
