"""The command group: the commands of the core and those that plugins bring."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from io import TextIOWrapper
from typing import Any

import click

from notify_core._version import __version__
from notify_core.cli.asking import balance, status
from notify_core.cli.config import config
from notify_core.cli.deliveries import cancel, deliveries, hold, release, resume
from notify_core.cli.exits import EXIT_CODES, exit_of_error
from notify_core.cli.explaining import explain
from notify_core.cli.incoming import incoming
from notify_core.cli.inspecting import providers
from notify_core.cli.journal import journal
from notify_core.cli.linting import lint
from notify_core.cli.output import print_error, print_json
from notify_core.cli.planning_changes import plan
from notify_core.cli.sending import cost, send
from notify_core.cli.serving import serve
from notify_core.cli.shapes import error_shape
from notify_core.cli.suppression import consent, suppress
from notify_core.cli.testing_routes import test
from notify_core.cli.webhooks import webhooks
from notify_core.cli.working import worker
from notify_core.errors import NotifyError
from notify_core.plugins import Plugins

_log = logging.getLogger(__name__)

_WANTS_JSON = "notify_core.cli.wants_json"

_COMMANDS = (send, cost, status, balance, explain, providers, config)
_WITH_A_JOURNAL = (
    *(deliveries, hold, release, cancel, resume, worker, serve, journal, webhooks),
    *(suppress, consent, incoming),
)


config.add_command(lint)
config.add_command(test)
config.add_command(plan)


def run() -> None:
    """Run the command line with the installed plugins."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal that lacks a character must not make a failure of what has been sent.
            stream.reconfigure(errors="backslashreplace")
    make_app(Plugins.discover()).main(prog_name="notify")


def make_app(plugins: Plugins) -> click.Group:
    """Make the command ``notify`` for these plugins."""
    app = _App(
        plugins,
        name="notify",
        help="Send messages as a configuration says, and find out what became of them.",
        epilog=EXIT_CODES,
        context_settings={"help_option_names": ["-h", "--help"], "obj": plugins},
    )
    for command in (*_COMMANDS, *_WITH_A_JOURNAL):
        app.add_command(command)
    return click.version_option(__version__, message="notify %(version)s")(app)


class _App(click.Group):
    """A group that also has the commands of plugins and tells errors without a traceback."""

    def __init__(self, plugins: Plugins, **settings: Any) -> None:
        super().__init__(**settings)
        self._plugins = plugins

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *self._brought()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        # A plugin is asked last: its commands may import much.
        return super().get_command(ctx, cmd_name) or self._brought().get(cmd_name)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # Also an error before the options of the command are read is told as JSON.
        ctx.meta[_WANTS_JSON] = "--json" in args
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        as_json: bool = ctx.meta[_WANTS_JSON]
        try:
            return super().invoke(ctx)
        except NotifyError as error:
            print_error(error, as_json=as_json)
            ctx.exit(exit_of_error(error))
        except click.UsageError as error:
            if as_json:
                print_json(error_shape("UsageError", error.format_message()))
            raise

    def _brought(self) -> Mapping[str, click.Command]:
        brought: dict[str, click.Command] = {}
        for plugin, command in self._plugins.cli_commands():
            name = command.name or ""
            if name in self.commands or name in brought:
                _log.warning("plugin %s: there is a command %r already", plugin, name)
            else:
                brought[name] = command
        return brought
