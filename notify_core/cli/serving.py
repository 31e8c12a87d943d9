"""``notify serve``: take in what providers send, until a signal says to stop."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import attrs
import click

from notify_core.cli.options import config_option, reload_option
from notify_core.cli.session import Session, opened
from notify_core.cli.working import hangups, logging_at, reloading, stopped_by_signals
from notify_core.config.model import Config
from notify_core.errors import ConfigError, Problem
from notify_core.plugins import Plugins
from notify_core.server.intake import callback_names
from notify_core.server.standalone import listening
from notify_core.server.wsgi import callback_app


@click.command()
@click.option("--listen", metavar="HOST:PORT", help="Where, in place of the configuration.")
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    help="How many calls at once, in place of the configuration.",
)
@click.option("--with-worker", is_flag=True, help="Be a worker too, in the same process.")
@reload_option
@click.option("--quiet", "level", flag_value="WARNING", help="Log only what is wrong.")
@click.option("--verbose", "level", flag_value="DEBUG", help="Log more.")
@config_option
@click.pass_obj
def serve(
    plugins: Plugins,
    /,
    listen: str | None,
    threads: int | None,
    with_worker: bool,
    reload: bool,
    level: str | None,
    config: Path,
) -> None:
    """Take in what providers send: receipts and messages.

    Each call is kept in the journal and understood by a worker: this one, with --with-worker, or
    any other. SIGTERM or Ctrl-C ends it. It speaks HTTP without encryption: put a reverse proxy
    with TLS before it.

    It goes on with a configuration that has changed as soon as it sees the file, or at SIGHUP; one
    that cannot be used leaves the one before live.
    """
    change = functools.partial(_changed, listen, threads)
    with (
        hangups() as asked,
        logging_at(level or "INFO"),
        opened(config, plugins, change) as session,
        reloading(session.notifier, config, asked, watches=reload),
    ):
        _serve(session, with_worker=with_worker)


def _serve(session: Session, *, with_worker: bool) -> None:
    names = _names(session)
    stopping = threading.Event()
    with contextlib.ExitStack() as stack:
        stack.enter_context(stopped_by_signals(stopping.set))
        if with_worker:
            stack.enter_context(session.notifier.worker())
        app = callback_app(session.notifier)
        address = stack.enter_context(listening(app, session.config.callbacks))
        click.echo(f"listening on {address}")
        for name in names:
            click.echo(f"  {name}: {address}/{quote(name)}")
        stopping.wait()
    click.echo("stopped listening")


def _names(session: Session) -> Sequence[str]:
    names = callback_names(session.notifier.providers)
    if not names:
        problem = "no provider here ever calls; there is nothing to listen to"
        raise ConfigError([Problem("notify serve", 0, 0, "providers", problem)])
    return names


def _changed(listen: str | None, threads: int | None, config: Config) -> Config:
    callbacks = config.callbacks
    if threads is not None:
        callbacks = attrs.evolve(callbacks, threads=threads)
    if listen is not None:
        try:
            callbacks = attrs.evolve(callbacks, listen=listen)
        except ValueError as error:
            raise click.UsageError(f"--{error}") from None
    return attrs.evolve(config, callbacks=callbacks)
