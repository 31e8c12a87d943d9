"""A configuration, opened for one command."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import attrs

from notify_core.config.load import load
from notify_core.config.model import Config
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
    with Notifier(config, plugins=plugins) as notifier:
        yield Session(config, plugins, notifier)
