"""What rules look at: a configuration that was read, with the place in the file of each part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import attrs

from notify_core.config.lint.numbers import CallingCodes
from notify_core.config.lint.reach import Meetings
from notify_core.config.load import Loaded
from notify_core.config.model import Because, Config, LegConfig, Mode, Route, Until
from notify_core.config.nodes import Node
from notify_core.message import Message
from notify_core.plugins import Plugins
from notify_core.provider import Capabilities, ProviderType


def place_of(node: Node, path: str) -> Node:
    """Return the node below another by its keys, ``callback.secrets``, as far as it is written."""
    for key in path.split("."):
        below = node.get(key)
        if below is None:
            break
        node = below
    return node


@attrs.frozen(kw_only=True)
class ProviderPlace:
    """A provider; ``key`` is its name in the file and ``node`` what stands behind it.

    ``account`` tells providers apart that do not fail together, None where the type cannot say.
    """

    name: str
    type: ProviderType
    settings: object
    capabilities: Capabilities
    key: Node
    node: Node

    @property
    def account(self) -> tuple[str, str] | None:
        account = self.type.account(self.settings)
        return None if account is None else (self.type.name, account)

    def place(self, path: str) -> Node:
        """Return where a setting is written; what it is part of, if it has its default."""
        return place_of(self.node, path)


@attrs.frozen(kw_only=True)
class LegPlace:
    """A leg of a route. ``channel`` is its own, ``sources`` the channels that its route names."""

    leg: LegConfig
    node: Node
    route: Route
    number: int
    sources: tuple[str, ...]

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that it can have, none if any can come."""
        return (self.leg.channel,) if self.leg.channel else self.sources

    @property
    def waits(self) -> bool:
        """Tell whether it waits for a receipt."""
        return self.leg.until is not Until.ACCEPTED

    @property
    def is_followed(self) -> bool:
        """Tell whether another leg follows when the time for this one is over."""
        is_last = self.number == len(self.route.legs) - 1
        gives_up = self.waits and Because.EXPIRED in self.leg.on
        return gives_up and not is_last and self.route.mode is Mode.FIRST_OF

    def place(self, key: str) -> Node:
        """Return where the value of a key is written; the leg, if it has its default."""
        return place_of(self.node, key)

    def providers(self) -> Iterator[tuple[str, Node]]:
        """Yield the names of its providers with their places."""
        via = place_of(self.node, "via")
        spread = via.get("spread")
        if spread is not None:
            yield from ((name, entry.key) for name, entry in spread.entries().items())
        else:
            yield from ((node.text(), node) for node in via.items_or_self())


@attrs.frozen(kw_only=True)
class RoutePlace:
    """A route; ``number`` counts from 0."""

    route: Route
    node: Node
    number: int

    @property
    def legs(self) -> Sequence[LegPlace]:
        return [
            LegPlace(
                leg=leg,
                node=node,
                route=self.route,
                number=number,
                sources=self.route.when.channel,
            )
            for number, (leg, node) in enumerate(
                zip(self.route.legs, self._leg_nodes(), strict=True)
            )
        ]

    def _leg_nodes(self) -> Sequence[Node]:
        send = place_of(self.node, "send")
        legs = send.get("first_of") or send.get("all_of")
        return [send] if legs is None else legs.items_or_self()

    def place(self, path: str) -> Node:
        """Return where the value of a key is written; the route, if it has its default."""
        return place_of(self.node, path)

    def shown_for(self, other: Node) -> str:
        """Return how a message about ``other`` names this route."""
        return f"{self.node.path_for(other)} ({self.route.name})"


@attrs.frozen(kw_only=True, slots=False)
class Sheet:
    """A configuration that was read without a mistake, and where everything in it stands.

    ``channels`` are the known message types. ``codes`` are what is known of telephone numbers.
    """

    config: Config
    root: Node
    types: Mapping[str, ProviderType]
    channels: Mapping[str, type[Message]]
    codes: CallingCodes = attrs.field(factory=CallingCodes)

    @classmethod
    def of(cls, loaded: Loaded, plugins: Plugins) -> Sheet:
        """Make the sheet of what ``load.read`` has returned."""
        return cls(
            config=loaded.config,
            root=loaded.root,
            types=plugins.provider_types(),
            channels=plugins.message_types(),
        )

    @cached_property
    def routes(self) -> Sequence[RoutePlace]:
        """The routes in their order."""
        nodes = self.root.entries()["routes"].value.items()
        return [
            RoutePlace(route=route, node=node, number=number)
            for number, (route, node) in enumerate(zip(self.config.routes, nodes, strict=True))
        ]

    @cached_property
    def meetings(self) -> Meetings:
        """Which routes can take anything at all from others."""
        return Meetings([each.route.when for each in self.routes])

    @cached_property
    def providers(self) -> Mapping[str, ProviderPlace]:
        """The providers by name."""
        entries = self.root.entries()["providers"].value.entries()
        return {
            each.name: ProviderPlace(
                name=each.name,
                type=self.types[each.type],
                settings=each.settings,
                capabilities=self.types[each.type].capabilities(each.settings),
                key=entries[each.name].key,
                node=entries[each.name].value,
            )
            for each in self.config.providers
        }

    def providers_of(self, type_name: str) -> Sequence[ProviderPlace]:
        """Return the providers of one type."""
        return [each for each in self.providers.values() if each.type.name == type_name]

    @property
    def legs(self) -> Iterator[LegPlace]:
        """All legs of all routes."""
        for route in self.routes:
            yield from route.legs
