"""``notify incoming …``: what people sent to us."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from notify_core.callback import IncomingKind
from notify_core.cli import incoming_shapes as shapes
from notify_core.cli import incoming_tables as tables
from notify_core.cli.asking import check_known
from notify_core.cli.exits import Exit
from notify_core.cli.filters import kept_address
from notify_core.cli.options import config_option, json_option, read_moment
from notify_core.cli.output import answer, only_answer_on_stdout
from notify_core.cli.session import Session, opened
from notify_core.config.problems import unaskable
from notify_core.errors import ProviderError
from notify_core.inbox import Inbox, Standing
from notify_core.plugins import Plugins

_STANDINGS = [standing.value for standing in Standing]
_KINDS = [kind.value for kind in IncomingKind]

_id = click.argument("received_id", metavar="ID")


@click.group()
def incoming() -> None:
    """Look at what people sent to us."""


@incoming.command(name="list")
@click.option("--from", "sender", metavar="ADDRESS", help="The whole address of the sender.")
@click.option("--provider", help="The provider that it came through.")
@click.option("--kind", type=click.Choice(_KINDS), help="A text, or a call.")
@click.option("--standing", type=click.Choice(_STANDINGS), help="Who has been told.")
@click.option("--delivery", metavar="ID", help="What seems to answer this delivery.")
@click.option("--since", metavar="TIME", callback=read_moment, help="Kept since then.")
@click.option("--until", metavar="TIME", callback=read_moment, help="Kept before then.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many at most."
)
@click.option("--after", metavar="ID", help="Go on behind this one.")
@config_option
@json_option
@click.pass_obj
def list_(plugins: Plugins, /, limit: int, config: Path, as_json: bool, **given: Any) -> None:
    """Show what came in, the newest first, without texts."""
    with opened(config, plugins) as session:
        # One more than is shown tells whether there are more.
        found = session.notifier.inbox.search(**_wanted(session, **given), limit=limit + 1)
    shape = shapes.received_list_shape(found[:limit], more=len(found) > limit)
    answer(shape, tables.received_list_tables, as_json=as_json)


def _wanted(
    session: Session,
    *,
    sender: str | None,
    provider: str | None,
    kind: str | None,
    standing: str | None,
    delivery: str | None,
    since: datetime | None,
    until: datetime | None,
    after: str | None,
) -> dict[str, Any]:
    region = session.config.default_region
    return {
        "sender": None if sender is None else kept_address(sender, region),
        "provider": provider,
        "kind": None if kind is None else IncomingKind(kind),
        "standing": None if standing is None else Standing(standing),
        "delivery_id": delivery,
        "after": since,
        "before": until,
        "after_id": after,
    }


@incoming.command()
@_id
@config_option
@json_option
@click.pass_obj
def show(plugins: Plugins, /, received_id: str, config: Path, as_json: bool) -> None:
    """Show one in full.

    THE SENDER AND THE TEXT ARE SHOWN: mind who looks on.
    """
    with opened(config, plugins) as session:
        received = session.notifier.inbox.get(received_id)
    answer(shapes.received_shape(received), tables.received_tables, as_json=as_json)


@incoming.command(name="tell-again")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@config_option
@json_option
@click.pass_context
def tell_again(
    context: click.Context, /, ids: tuple[str, ...], config: Path, as_json: bool
) -> None:
    """Have those told who failed, after somebody has mended them.

    A worker does it. Who has been told already is left out.
    """
    with opened(config, context.obj) as session:
        inbox = session.notifier.inbox
        for each in ids:  # all are there, or nothing is done
            inbox.get(each)
        again = [(each, inbox.tell_again(each)) for each in ids]
    answer(shapes.told_again_shape(again), tables.told_again_tables, as_json=as_json)
    if not all(is_due_again for _, is_due_again in again):
        context.exit(Exit.FAILED)


@incoming.command()
@click.argument("providers", metavar="[PROVIDER]...", nargs=-1)
@config_option
@json_option
@click.pass_context
def poll(
    context: click.Context, /, providers: tuple[str, ...], config: Path, as_json: bool
) -> None:
    """Ask providers now for what came in.

    Without PROVIDER all that can be asked. A worker tells the application. One that was asked
    less than 20 s ago is not asked again.
    """
    with opened(config, context.obj) as session, only_answer_on_stdout(as_json):
        inbox = session.notifier.inbox
        _check_askable(providers, session)
        asked = [_asked(inbox, name) for name in providers or inbox.askable]
    answer(shapes.polled_shape(asked), tables.polled_tables, as_json=as_json)
    if any(each.error is not None for each in asked):
        context.exit(Exit.NO_ANSWER)


def _check_askable(names: Iterable[str], session: Session) -> None:
    check_known(names, session.notifier)
    askable = session.notifier.inbox.askable
    for name in names:
        if name not in askable:
            raise click.UsageError(unaskable(name, askable))


def _asked(inbox: Inbox, provider: str) -> shapes.Polled:
    try:
        return shapes.Polled(provider, new=inbox.ask(provider))
    except ProviderError as error:
        return shapes.Polled(provider, error=str(error.outcome))
