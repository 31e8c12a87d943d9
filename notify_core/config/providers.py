"""The section ``providers``: name → type and the settings of that type."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import attrs

from notify_core.config.model import ProviderConfig
from notify_core.config.nodes import Node
from notify_core.config.problems import Gathering, listed, nearest, unknown
from notify_core.config.references import References
from notify_core.config.structure import read_name, structure
from notify_core.errors import PluginError
from notify_core.provider import Capabilities, ProviderType


@attrs.frozen(kw_only=True)
class ReadProvider:
    """A provider that was read, and what it will be able to do."""

    config: ProviderConfig
    capabilities: Capabilities


@attrs.frozen
class ProviderReader:
    """Reads providers by their types; ``failures`` are the plugins that might have brought more."""

    types: Mapping[str, ProviderType]
    failures: Sequence[PluginError]
    references: References

    def read_all(self, root: Node, gathering: Gathering) -> dict[str, ReadProvider | None]:
        """Return the providers by name, None for one whose mistakes went to ``gathering``."""
        node = root.get("providers")
        if node is None:
            return {}
        entries = node.entries()
        if not entries:
            raise node.error("there is no provider; give at least one")
        found: dict[str, ReadProvider | None] = dict.fromkeys(entries)
        for name, entry in entries.items():
            with gathering:
                read_name(entry.key)
                found[name] = self._read(name, entry.value)
        return found

    def _read(self, name: str, node: Node) -> ReadProvider:
        provider_type = self._type_of(node)
        settings: object = structure(
            node, provider_type.config_class, references=self.references, besides=("type",)
        )
        return ReadProvider(
            config=ProviderConfig(name=name, type=provider_type.name, settings=settings),
            capabilities=provider_type.capabilities(settings),
        )

    def _type_of(self, node: Node) -> ProviderType:
        if "type" not in node.entries():
            raise node.error(f'"type" is missing; known types: {listed(self.types)}')
        place = node.entries()["type"].value
        name = place.text("the type of a provider")
        if name not in self.types:
            raise place.error(self._unknown_type(name))
        return self.types[name]

    def _unknown_type(self, name: str) -> str:
        message = unknown(name, "a provider type", self.types)
        if re.fullmatch(r"[a-z][a-z0-9-]*", name) and not nearest(name, self.types):
            message += "; install the plugin that brings it"
        for failure in self.failures:
            message += f"; not loaded: {failure}"
        return message
