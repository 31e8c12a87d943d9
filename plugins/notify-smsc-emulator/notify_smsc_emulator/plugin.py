"""What the distribution brings to the framework: a command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from notify_core.hookspecs import hookimpl

if TYPE_CHECKING:
    import click


@hookimpl
def notify_cli_commands() -> Sequence[click.Command]:
    """Bring ``notify emulator`` and ``notify demo``."""
    # Loaded with every plugin, also where there is no command line and no aiohttp is wanted.
    from .cli import emulator  # noqa: PLC0415
    from .demo import demo  # noqa: PLC0415

    return [emulator, demo]
