"""``notify providers``: what there is, without asking anybody."""

from __future__ import annotations

from pathlib import Path

import click
from click.core import ParameterSource

from notify_core.cli import shapes, tables
from notify_core.cli.options import config_option, json_option
from notify_core.cli.output import answer
from notify_core.cli.session import opened
from notify_core.plugins import Plugins


@click.command()
@config_option
@json_option
@click.pass_context
def providers(context: click.Context, /, config: Path, as_json: bool) -> None:
    """Show the providers that there are.

    The configured ones, the installed types, and the plugins that failed.
    """
    plugins: Plugins = context.obj
    configured = [] if _nothing_configured(context, config) else _configured(config, plugins)
    shape = shapes.providers_shape(configured, plugins.provider_types(), plugins.failures)
    answer(shape, tables.providers_tables, as_json=as_json)


def _nothing_configured(context: click.Context, path: Path) -> bool:
    """Tell whether there is no configuration yet, which is no mistake when just looking."""
    named = context.get_parameter_source("config") is not ParameterSource.DEFAULT
    return not named and not path.exists()


def _configured(path: Path, plugins: Plugins) -> list[shapes.ProviderFacts]:
    with opened(path, plugins) as session:
        capabilities = session.notifier.providers
        return [
            shapes.ProviderFacts(
                provider.name,
                provider.type,
                capabilities[provider.name],
                session.notifier.health(provider.name),
            )
            for provider in session.config.providers
        ]
