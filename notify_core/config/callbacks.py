"""The section ``callbacks``, and the names of providers in it."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from notify_core.config.nodes import Node
from notify_core.config.problems import Gathering, unknown
from notify_core.config.sections import Callbacks
from notify_core.config.structure import structure
from notify_core.errors import Problem


def read_callbacks(node: Node, providers: Collection[str]) -> Callbacks:
    """Read how calls are taken in. Raises ``ConfigError``.

    A misspelt name would let everybody call for the provider that was meant.
    """
    gathering = Gathering()
    with gathering:
        gathering.add(_strangers(node.get("networks"), providers))
        callbacks = structure(node, Callbacks)
    gathering.raise_if_any()
    return callbacks


def _strangers(names: Node | None, providers: Collection[str]) -> Iterator[Problem]:
    for name, entry in names.entries().items() if names and names.is_mapping else ():
        if name not in providers:
            yield entry.key.problem(unknown(name, "a provider here", providers))
