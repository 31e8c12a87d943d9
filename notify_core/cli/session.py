"""A configuration, opened for one command."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs

from notify_core.clock import SystemClock
from notify_core.config.load import load
from notify_core.config.model import Config
from notify_core.errors import JournalError
from notify_core.journal.base import Journal
from notify_core.journal.opening import open_journal
from notify_core.notifier import Notifier
from notify_core.plugins import Plugins


@attrs.frozen
class Session:
    """What a command works with."""

    config: Config
    plugins: Plugins
    notifier: Notifier


@attrs.frozen
class Housekeeping:
    """What a command works with that needs the journal and no provider."""

    config: Config
    journal: Journal


@contextlib.contextmanager
def opened(
    path: Path, plugins: Plugins, change: Callable[[Config], Config] | None = None
) -> Iterator[Session]:
    """Read the configuration and hold its notifier open. Raises ``ConfigError``.

    ``change`` makes another configuration of it, as the options of the command want it.
    """

    def reread(plugins: Plugins) -> Config:
        config = _read(path, plugins)
        return config if change is None else change(config)

    config = reread(plugins)
    with Notifier(config, plugins=plugins, reread=reread) as notifier:
        yield Session(config, plugins, notifier)


@contextlib.contextmanager
def opened_journal(
    path: Path, plugins: Plugins, *, to_migrate: bool = False
) -> Iterator[Housekeeping]:
    """Read the configuration and hold its journal open; no provider is made.

    Raises ``ConfigError``, and ``JournalError`` if there is no journal or it cannot be used.
    """
    config = _read(path, plugins)
    if config.journal is None:
        raise JournalError(
            "there is no journal; write journal: sqlite:///notify.db in the configuration"
        )
    types = plugins.message_types()
    journal = open_journal(config.journal, types, SystemClock(), to_migrate=to_migrate)
    with contextlib.closing(journal):
        yield Housekeeping(config, journal)


def _read(path: Path, plugins: Plugins) -> Config:
    config = load(path.absolute(), plugins, os.environ, name=str(path))
    if config.journal is None or config.journal.url.reveal().partition(":")[0] != "memory":
        return config
    # It would end with the command, and with it whatever is left to a worker.
    return attrs.evolve(config, journal=None)
