"""``notify explain``: which way a message takes or a delivery took, and why."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from notify_core.cli import explain_shapes as shapes
from notify_core.cli import explain_tables as tables
from notify_core.cli.exits import exit_of_error
from notify_core.cli.options import config_option, json_option, message_options, read_message
from notify_core.cli.output import answer, only_answer_on_stdout, print_error
from notify_core.cli.session import Session, opened
from notify_core.cli.shapes import Shape
from notify_core.config.model import digest
from notify_core.contact import Contact
from notify_core.errors import MessageError
from notify_core.message import Message
from notify_core.planning import Planner
from notify_core.routing import Catalog, Considered, Plan, PlanPrice


@click.command()
@message_options
@click.option("--delivery", metavar="ID", help="A delivery of the journal in place of a message.")
@click.option("--price", is_flag=True, help="Ask the providers what each leg would cost.")
@config_option
@json_option
@click.pass_context
def explain(
    context: click.Context,
    /,
    config: Path,
    as_json: bool,
    delivery: str | None,
    price: bool,
    **given: Any,
) -> None:
    """Show which way a message would take.

    The routes that are tried with each check, and the plan leg by leg; nothing is sent.
    """
    if delivery is not None and any(value not in (None, ()) for value in given.values()):
        raise click.UsageError("--delivery says which message is meant; leave the others out")
    refusal: MessageError | None = None
    with opened(config, context.obj) as session, only_answer_on_stdout(as_json):
        try:
            if delivery is not None:
                shape = _delivery(session, delivery, priced=price)
            else:
                shape = _message(session, given, priced=price)
        except _Refused as refused:
            shape, refusal = refused.shape, refused.error
    answer(shape, tables.explain_tables, as_json=as_json)
    if refusal is not None:
        print_error(refusal, as_json=False)
        context.exit(exit_of_error(refusal))


class _Refused(Exception):
    """A message takes a route and cannot be sent by it; ``shape`` has what was tried."""

    def __init__(self, error: MessageError, shape: Shape) -> None:
        super().__init__(str(error))
        self.error = error
        self.shape = shape


def _message(session: Session, given: dict[str, Any], *, priced: bool) -> Shape:
    message = read_message(given, session.plugins.message_types())
    try:
        decisions = session.notifier.explain(message)
    except MessageError as error:
        tried = _tried(session, message)
        raise _Refused(error, shapes.refused_shape(error, digest(session.config), tried)) from None
    prices = [_price(session, decision.plan, priced=priced) for decision in decisions]
    told = list(zip(decisions, prices, strict=True))
    return shapes.decisions_shape(message.id, digest(session.config), told)


def _tried(session: Session, message: Message) -> Sequence[tuple[Contact, Sequence[Considered]]]:
    """Return, for each recipient, the routes that are tried; raises what refuses it before that."""
    # No plan is made of them, so nobody need say what the providers can do.
    planner = Planner(session.config, Catalog(session.plugins.message_types(), {}))
    return list(zip(message.contacts(), planner.consider(message), strict=True))


def _delivery(session: Session, delivery_id: str, *, priced: bool) -> Shape:
    replay = session.notifier.replay(delivery_id)
    if priced and replay.problem is not None:
        raise click.UsageError(f"--price: {replay.problem}")
    price = _price(session, replay.entry.plan, priced=priced)
    return shapes.replay_shape(digest(session.config), replay, price)


def _price(session: Session, plan: Plan, *, priced: bool) -> PlanPrice | None:
    return session.notifier.price(plan) if priced else None
