"""For commands that make a notifier and must leave the journal of the configuration alone."""

from __future__ import annotations

import attrs

from notify_core.config.model import Config
from notify_core.secret import Secret


def forgetful(config: Config) -> Config:
    """Return a configuration whose journal is nobody's, and all else of it as it was."""
    if config.journal is None:
        return config
    return attrs.evolve(config, journal=attrs.evolve(config.journal, url=Secret("memory")))
