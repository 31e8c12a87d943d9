"""``notify config lint``: what the loader accepts and nobody is likely to mean."""

from __future__ import annotations

import os
from pathlib import Path

import click

from notify_core.cli.excerpts import showing_lines
from notify_core.cli.exits import Exit
from notify_core.cli.lint_shapes import lint_lines, lint_shape
from notify_core.cli.options import DEFAULT_CONFIG, json_option
from notify_core.cli.output import print_json, printable
from notify_core.plugins import Plugins


@click.command()
@click.argument(
    "file", type=click.Path(path_type=Path), default=DEFAULT_CONFIG, envvar="NOTIFY_CONFIG"
)
@click.option("--strict", is_flag=True, help="Give advice too, and count it.")
@json_option
@click.pass_context
def lint(context: click.Context, /, file: Path, strict: bool, as_json: bool) -> None:
    """Find what is likely not meant.

    FILE must be without mistakes. What is found is shown with the rule that found it; a comment
    in the line, or in the one above, silences the rule there: # lint: off <rule>: <reason>
    """
    # It would be imported for every command, and brings all that the loader needs.
    from notify_core.config.lint.engine import lint as lint_file  # noqa: PLC0415

    plugins: Plugins = context.obj
    with showing_lines(context, as_json=as_json):
        shape = lint_shape(lint_file(file, plugins, os.environ), strict=strict)
    if as_json:
        print_json(shape)
    else:
        for row in lint_lines(shape):
            click.echo(printable(row))
    context.exit(Exit.OK if shape["ok"] else Exit.FAILED)
