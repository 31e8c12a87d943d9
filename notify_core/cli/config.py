"""``notify config``: check a configuration, describe what one can hold, show what one says."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click
from click.core import ParameterSource

from notify_core.cli.config_shapes import check_shape, check_tables, show_shape
from notify_core.cli.config_yaml import yaml_lines
from notify_core.cli.excerpts import showing_lines
from notify_core.cli.forgetting import forgetful
from notify_core.cli.options import DEFAULT_CONFIG, json_option
from notify_core.cli.output import answer, print_json
from notify_core.cli.session import opened
from notify_core.config.load import load_named_plugins, read
from notify_core.config.schema import included_schema, schema
from notify_core.config.shown import shown
from notify_core.plugins import Plugins

_file_argument = click.argument(
    "file", type=click.Path(path_type=Path), default=DEFAULT_CONFIG, envvar="NOTIFY_CONFIG"
)


@click.group()
def config() -> None:
    """Work on the configuration."""


@config.command()
@_file_argument
@json_option
@click.pass_context
def check(context: click.Context, /, file: Path, as_json: bool) -> None:
    """Check a configuration.

    The mistakes in FILE, and in the files that it includes, are shown with their lines, as many
    at once as can be told. Its providers are made, but not connected, and its journal is left
    alone.
    """
    with (
        showing_lines(context, as_json=as_json),
        opened(file, context.obj, change=forgetful) as session,
    ):
        shape = check_shape(str(file), session.config)
    answer(shape, check_tables, as_json=as_json)


@config.command("schema")
@_file_argument
@click.option("--output", type=click.Path(path_type=Path), help="Write it into this file.")
@click.option("--included", is_flag=True, help="For files that another one includes.")
@click.pass_context
def describe(context: click.Context, /, file: Path, output: Path | None, included: bool) -> None:
    """Describe what a configuration can hold, as a JSON Schema for editors.

    It has the settings of the installed providers, and of the plugins that FILE names, which need
    not be there.
    """
    plugins: Plugins = context.obj
    if file.exists() or context.get_parameter_source("file") is not ParameterSource.DEFAULT:
        load_named_plugins(file, plugins)
    describes = included_schema if included else schema
    document = describes(plugins.provider_types(), plugins.message_types())
    if output is None:
        print_json(document)
        return
    try:
        output.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")
    except OSError as error:
        raise click.UsageError(f"{output} cannot be written: {error.strerror}") from None
    click.echo(f"written to {output}")


@config.command()
@_file_argument
@json_option
@click.pass_context
def show(context: click.Context, /, file: Path, as_json: bool) -> None:
    """Show the configuration in effect, and where each value comes from.

    That is a line of FILE or of a file that it includes, the default, or the variable or file to
    which it refers. Secrets are masked.
    """
    with showing_lines(context, as_json=as_json):
        loaded = read(file, context.obj, os.environ)
    tree = shown(loaded.config, loaded.root)
    if as_json:
        print_json(show_shape(str(file), loaded.config, tree))
        return
    for row in yaml_lines(tree):
        click.echo(row)
