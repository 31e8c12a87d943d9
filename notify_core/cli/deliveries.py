"""``notify deliveries``, ``hold``, ``release``, ``cancel`` and ``resume``: look, and decide."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import click

from notify_core.cli import journal_shapes as shapes
from notify_core.cli import journal_tables as tables
from notify_core.cli.asking import check_known
from notify_core.cli.exits import Exit
from notify_core.cli.filters import filter_options, read_filter
from notify_core.cli.history import history
from notify_core.cli.journal_shapes import Decided
from notify_core.cli.options import config_option, json_option
from notify_core.cli.output import answer, only_answer_on_stdout
from notify_core.cli.session import Session, opened
from notify_core.delivery import Delivery, Stage
from notify_core.errors import JournalError
from notify_core.journal.model import Filter
from notify_core.notifier import Notifier
from notify_core.plugins import Plugins
from notify_core.progress import Rules, Wish

Decision: TypeAlias = Callable[[Notifier, str], Decided]

_ids = click.argument("ids", metavar="ID...", nargs=-1, required=True)


# --- looking --------------------------------------------------------------------------------


@click.command()
@click.argument("delivery_id", metavar="[ID]", required=False)
@filter_options
@click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many at most."
)
@click.option("--after", metavar="ID", help="Go on behind this one.")
@config_option
@json_option
@click.pass_obj
def deliveries(
    plugins: Plugins,
    /,
    delivery_id: str | None,
    limit: int,
    after: str | None,
    config: Path,
    as_json: bool,
    **given: Any,
) -> None:
    """Show the deliveries of the journal.

    Without ID those that the options look for, the newest first; with ID one in full.
    """
    with opened(config, plugins) as session:
        if delivery_id is not None:
            if any(value is not None for value in (after, *given.values())):
                raise click.UsageError("an ID says which one is meant; leave the others out")
            _show(session, delivery_id, as_json=as_json)
            return
        wanted = read_filter(given, session.config.default_region, after_id=after, limit=limit)
        _show_list(session, wanted, as_json=as_json)


def _show_list(session: Session, wanted: Filter, *, as_json: bool) -> None:
    # One more than is shown tells whether there are more.
    found = session.notifier.journal.search(attrs.evolve(wanted, limit=wanted.limit + 1))
    shape = shapes.deliveries_shape(found[: wanted.limit], more=len(found) > wanted.limit)
    answer(shape, tables.deliveries_tables, as_json=as_json)


def _show(session: Session, delivery_id: str, *, as_json: bool) -> None:
    entry = session.notifier.journal.load(delivery_id)
    if entry is None:
        raise click.UsageError(f"no delivery {delivery_id!r} is in the journal")
    events = history(entry, _rules(session), datetime.now(UTC))
    answer(shapes.history_shape(entry, events), tables.history_tables, as_json=as_json)


def _rules(session: Session) -> Rules:
    able = session.notifier.providers
    schedules = {name: able[name].ask_after_s for name in able}
    return Rules(
        retry=session.config.retry,
        ask_after_s=schedules,
        follow=session.config.receipts.follow,
        insistent=True,
    )


# --- deciding -------------------------------------------------------------------------------


@click.command()
@_ids
@config_option
@json_option
@click.pass_context
def hold(context: click.Context, /, ids: tuple[str, ...], config: Path, as_json: bool) -> None:
    """Let nothing be done for deliveries until they are released."""
    _decide_all(context, ids, config, "hold", _hold, as_json=as_json)


@click.command()
@_ids
@config_option
@json_option
@click.pass_context
def release(context: click.Context, /, ids: tuple[str, ...], config: Path, as_json: bool) -> None:
    """Let held deliveries go on.

    What is in doubt is asked about once more, from the beginning.
    """
    _decide_all(context, ids, config, "release", _release, as_json=as_json)


@click.command()
@_ids
@config_option
@json_option
@click.pass_context
def cancel(context: click.Context, /, ids: tuple[str, ...], config: Path, as_json: bool) -> None:
    """Let nothing more be sent for deliveries.

    What has gone is still found out. One that is held in doubt ends so.
    """
    _decide_all(context, ids, config, "cancel", _cancel, as_json=as_json)


def _decide_all(
    context: click.Context,
    ids: Sequence[str],
    config: Path,
    wanted: str,
    decide: Decision,
    *,
    as_json: bool,
) -> None:
    with opened(config, context.obj) as session, only_answer_on_stdout(as_json):
        decided = [_decided(session.notifier, each, decide) for each in ids]
    answer(shapes.decided_shape(wanted, decided), tables.decided_tables, as_json=as_json)
    if any(each.problem is not None for each in decided):
        context.exit(Exit.FAILED)


def _decided(notifier: Notifier, delivery_id: str, decide: Decision) -> Decided:
    journal = notifier.journal  # without one, none of them could be decided about
    if journal.load(delivery_id) is None:
        return Decided(delivery_id, problem="no such delivery is in the journal")
    try:
        return decide(notifier, delivery_id)
    except JournalError as error:
        return Decided(delivery_id, problem=str(error))


def _hold(notifier: Notifier, delivery_id: str) -> Decided:
    delivery = notifier.hold(delivery_id)
    noted = _is_noted(notifier, delivery_id, Wish.HOLD)
    return Decided(delivery_id, delivery, None if noted else _over(delivery))


def _cancel(notifier: Notifier, delivery_id: str) -> Decided:
    delivery = notifier.cancel(delivery_id)
    if not _is_noted(notifier, delivery_id, Wish.CANCEL):
        return Decided(delivery_id, delivery, _over(delivery))
    gone = bool(delivery.receipts)
    return Decided(delivery_id, delivery, "some of it has gone already" if gone else None)


def _release(notifier: Notifier, delivery_id: str) -> Decided:
    delivery = notifier.release(delivery_id)
    ended = delivery.stage is Stage.ENDED
    return Decided(delivery_id, delivery, _over(delivery) if ended else None)


def _is_noted(notifier: Notifier, delivery_id: str, wish: Wish) -> bool:
    """Tell whether the journal has taken the wish; it does not once the delivery has ended."""
    entry = notifier.journal.load(delivery_id)
    return entry is not None and entry.wish is wish


def _over(delivery: Delivery) -> str:
    return f"it had ended already: {delivery.outcome}"


@click.command()
@click.argument("provider")
@config_option
@json_option
@click.pass_obj
def resume(plugins: Plugins, /, provider: str, config: Path, as_json: bool) -> None:
    """Let a stopped provider go on.

    After somebody has mended what had stopped it. What waits for it is tried within two minutes.
    """
    with opened(config, plugins) as session:
        check_known([provider], session.notifier)
        # Asked of the journal: without one there is no health but that of this command.
        before = session.notifier.journal.health(provider)
        session.notifier.resume(provider)
        now = session.notifier.health(provider)
    shape = shapes.resumed_shape(provider, before, now)
    answer(shape, tables.resumed_tables, as_json=as_json)
