"""The section ``webhooks``: addresses of the application, or a single one."""

from __future__ import annotations

from functools import partial

from notify_core.config.nodes import Node, doubled
from notify_core.config.problems import Gathering
from notify_core.config.references import References
from notify_core.config.sections import WebhookConfig
from notify_core.config.structure import read_each, structure


def read_webhooks(node: Node, references: References) -> tuple[WebhookConfig, ...]:
    """Read the addresses. Raises ``ConfigError``; of two that are the same too."""
    gathering = Gathering()
    gathering.add(doubled(_urls(node)))
    webhooks: tuple[WebhookConfig, ...] = ()
    with gathering:
        webhooks = read_each(node, partial(structure, cls=WebhookConfig, references=references))
    gathering.raise_if_any()
    return webhooks


def _urls(node: Node) -> list[Node]:
    items = [item for item in node.items_or_self() if item.is_mapping]
    return [url for item in items if (url := item.get("url"))]
