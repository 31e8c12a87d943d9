"""``notify send`` and ``cost``: one message, described by the same options."""

from __future__ import annotations

import contextlib
import functools
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from notify_core.cli import shapes, tables
from notify_core.cli.exits import Exit, exit_of_report
from notify_core.cli.options import config_option, json_option, message_options, read_message
from notify_core.cli.output import answer, only_answer_on_stdout, printable
from notify_core.cli.session import Session, opened
from notify_core.errors import NotifyError
from notify_core.message import Message
from notify_core.plugins import Plugins


@click.command()
@message_options
@click.option("--enqueue", is_flag=True, help="Only write it; a worker sends it.")
@config_option
@json_option
@click.pass_context
def send(
    context: click.Context, /, config: Path, as_json: bool, enqueue: bool, **given: Any
) -> None:
    """Send a message.

    CHANNEL is its type: sms, mail, call, … With --json the answer is one JSON document.
    """
    with _in_doubt_if_cut_short(), opened(config, context.obj) as session:
        message = read_message(given, session.plugins.message_types())
        if enqueue:
            _enqueue(session, message, as_json=as_json)
            return
        with only_answer_on_stdout(as_json):
            report = session.notifier.send(message)
        able = session.notifier.providers
    askable = {name for name in able if able[name].ask_after_s}
    kept = session.config.journal is not None
    as_tables = functools.partial(tables.report_tables, askable=askable, kept=kept)
    answer(shapes.report_shape(report), as_tables, as_json=as_json)
    context.exit(exit_of_report(report))


def _enqueue(session: Session, message: Message, *, as_json: bool) -> None:
    ids = session.notifier.enqueue(message)
    recipients = [str(contact) for contact in message.contacts()]
    answer(shapes.enqueued_shape(recipients, ids), tables.enqueued_tables, as_json=as_json)


@click.command()
@message_options
@config_option
@json_option
@click.pass_obj
def cost(plugins: Plugins, /, config: Path, as_json: bool, **given: Any) -> None:
    """Ask what a message would cost.

    The first provider of the first leg is asked, once per recipient; nothing is sent.
    """
    with opened(config, plugins) as session, only_answer_on_stdout(as_json):
        message = read_message(given, plugins.message_types())
        estimates = session.notifier.estimate(message)
    recipients = [str(contact) for contact in message.contacts()]
    shape = shapes.estimates_shape(recipients, estimates)
    answer(shape, tables.estimates_tables, as_json=as_json)


@contextlib.contextmanager
def _in_doubt_if_cut_short() -> Iterator[None]:
    """Never let a send that did not come to its end look like *nothing went*, or like success.

    Ctrl-C is such an end; so is a provider that calls ``sys.exit``, and a defect, after which
    Python would exit with 1. What the core noted about the recipients is shown.
    """
    try:
        yield
    except (NotifyError, click.ClickException):  # before anything was sent
        raise
    except BaseException as error:  # whatever ended it: a doubt must not look like a failure
        if isinstance(error, Exception):
            traceback.print_exception(error)
        click.echo("error: interrupted; it may have gone, do not send it again", err=True)
        for note in getattr(error, "__notes__", ()):
            click.echo("\n".join(printable(line) for line in note.splitlines()), err=True)
        raise click.exceptions.Exit(Exit.UNKNOWN) from None
