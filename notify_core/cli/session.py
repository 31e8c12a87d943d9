"""A configuration, opened for one command."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import attrs

from notify_core.config.load import load
from notify_core.config.model import Config
from notify_core.errors import ConfigError, Problem
from notify_core.notifier import Notifier
from notify_core.plugins import Plugins


@attrs.frozen
class Session:
    """What a command works with."""

    config: Config
    plugins: Plugins
    notifier: Notifier


@contextlib.contextmanager
def opened(path: Path, plugins: Plugins) -> Iterator[Session]:
    """Read the configuration and hold its notifier open. Raises ``ConfigError``."""
    config = load(path, plugins, os.environ)
    with _notifier(path, config, plugins) as notifier:
        yield Session(config, plugins, notifier)


def _notifier(path: Path, config: Config, plugins: Plugins) -> Notifier:
    try:
        return Notifier(config, plugins=plugins)
    except (OSError, ValueError) as error:  # a file that a provider needs, for example
        raise ConfigError([Problem(str(path), 0, 0, "providers", str(error))]) from error
