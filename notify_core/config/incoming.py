"""The section ``incoming``: which providers are asked for what people send, and how often."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from notify_core.config.nodes import Node
from notify_core.config.problems import Gathering, unaskable, unknown
from notify_core.config.sections import IncomingConfig
from notify_core.config.structure import structure
from notify_core.errors import Problem
from notify_core.provider import Capabilities, ReceiptKind


def read_incoming(node: Node, providers: Mapping[str, Capabilities | None]) -> IncomingConfig:
    """Read how messages come in. ``providers`` are all of the file, None for a wrong one."""
    gathering = Gathering()
    gathering.add(_poll_problems(node.get("poll"), providers))
    config = IncomingConfig()
    with gathering:
        config = structure(node, IncomingConfig)
    gathering.raise_if_any()
    return config


def _poll_problems(
    poll: Node | None, providers: Mapping[str, Capabilities | None]
) -> Iterator[Problem]:
    able = [name for name, can in providers.items() if can and ReceiptKind.POLL in can.incoming]
    for name, entry in poll.entries().items() if poll and poll.is_mapping else ():
        capabilities = providers.get(name)
        if name not in providers:
            yield entry.key.problem(unknown(name, "a provider here", providers))
        elif capabilities and name not in able:
            yield entry.key.problem(unaskable(name, able))
