"""Finding plugins and asking what they bring.

Plugins are loaded one by one: one that fails to import, misspells a hook or shares its name with
another is reported in ``failures`` and harms nobody else.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import logging
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pluggy

from notify_core import hookspecs
from notify_core.errors import PluginError
from notify_core.hookspecs import PROJECT, hookimpl
from notify_core.message import MESSAGE_TYPES, Message
from notify_core.provider import ProviderType

if TYPE_CHECKING:
    import click

ENTRY_POINT_GROUP = "notify.plugins"

_CHATTY = (
    "the repr of its message type would show texts and addresses in logs; declare the class with "
    "@attrs.frozen(kw_only=True, repr=False, eq=False)"
)

_log = logging.getLogger(__name__)


class _Core:
    """What the core itself brings, through the same hooks as everybody else."""

    @hookimpl
    def notify_message_types(self) -> Sequence[type[Message]]:
        return MESSAGE_TYPES


class Plugins:
    """The plugins of one application.

    ``manager`` is the pluggy manager that holds them; ``failures`` the plugins that could not be
    used, each with its reason. A set that is ``reserved`` belongs to a notifier, whether or not its
    first version is over.
    """

    def __init__(self) -> None:
        self.manager = pluggy.PluginManager(PROJECT)
        self.manager.add_hookspecs(hookspecs)
        self.failures: list[PluginError] = []
        self._owned = False
        self.reserved = False
        self._admitted: set[str] = set()
        self._named: set[str] = set()
        self.register(_Core(), "core")

    @classmethod
    def discover(cls) -> Plugins:
        """Load every installed plugin: the entry points of the group ``notify.plugins``."""
        found = importlib.metadata.entry_points(group=ENTRY_POINT_GROUP)
        return cls.from_entry_points(found)

    @classmethod
    def from_entry_points(cls, found: Iterable[importlib.metadata.EntryPoint]) -> Plugins:
        """Load these entry points; two of one name are both refused, for either could be meant."""
        plugins = cls()
        unique = {(point.name, point.value): point for point in found}.values()
        counted = Counter(point.name for point in unique)
        for point in sorted(unique):
            if counted[point.name] > 1:
                plugins._fail(
                    PluginError(point.name, f"two plugins have this name; {point.value} is one")
                )
            else:
                plugins._load_entry_point(point)
        return plugins

    def register(self, plugin: object, name: str) -> None:
        """Add a plugin object. Raises ``PluginError`` if it does not fit the hooks."""
        if self._owned or self.reserved:
            raise PluginError(name, "comes too late: a notifier uses these plugins already")
        self._add(plugin, name)

    def admit(self, plugin: object, name: str) -> None:
        """Add a plugin object for the notifier that has taken the set, as ``register`` does.

        It is the notifier's own, and no part of a ``copy``.
        """
        self._add(plugin, name)
        self._admitted.add(name)

    def copy(self) -> Plugins:
        """Return a set of its own with the same plugins, which no notifier has taken.

        Those that a configuration has named are left out: one that names them still loads them.
        """
        copied = type(self)()
        copied.failures.extend(self.failures)
        for name, plugin in self.manager.list_name_plugin():
            if plugin is None:
                copied.manager.set_blocked(name)
            elif name not in self._admitted | self._named and not copied.manager.has_plugin(name):
                copied._add(plugin, name)
        return copied

    def _add(self, plugin: object, name: str) -> None:
        if self.manager.has_plugin(name):
            raise PluginError(name, "a plugin of this name is registered already")
        for hook in _unmarked_hooks(plugin):
            raise PluginError(
                name, f"{hook} is not marked with @hookimpl, so it would not be called"
            )
        try:
            self.manager.register(plugin, name)
            self.manager.check_pending()
        except (pluggy.PluginValidationError, ValueError) as error:
            if self.manager.has_plugin(name):
                self.manager.unregister(name=name)
            raise PluginError(name, str(error)) from error

    def take(self) -> None:
        """Close the set for one notifier: a plugin that came later could answer for others.

        Raises ``PluginError`` if a notifier has it already.
        """
        if self._owned or self.reserved:
            raise PluginError("core", "these plugins belong to another notifier; make your own")
        self._owned = True

    def give_back(self) -> None:
        """Open the set again, when its notifier is closed."""
        self._owned = False
        self._admitted.clear()

    def load(self, dotted_path: str, *, by_config: bool = False) -> None:
        """Import a module and add it as a plugin; a second time does nothing.

        ``by_config`` says that a configuration names it; a ``copy`` is without it. Raises
        ``PluginError`` if it cannot be imported or does not fit the hooks.
        """
        if self.manager.has_plugin(dotted_path):
            return
        was_imported = dotted_path in sys.modules
        try:
            module = importlib.import_module(dotted_path)
        except (Exception, SystemExit) as error:  # somebody else's module: say which it was
            raise PluginError(dotted_path, f"cannot be imported: {error!r}") from error
        # An installed plugin that the configuration lists too is one plugin.
        if self.manager.is_registered(module):
            return
        try:
            self.register(module, dotted_path)
        except PluginError:
            if not was_imported:  # whoever mends the file wants it to be read again
                sys.modules.pop(dotted_path, None)
            raise
        if by_config:
            self._named.add(dotted_path)

    def provider_types(self) -> Mapping[str, ProviderType]:
        """Return the provider types by name. Raises ``PluginError`` if two share one."""
        brought: dict[str, ProviderType] = {}
        for types in self.manager.hook.notify_provider_types():
            for provider_type in types:
                if provider_type.name in brought:
                    raise PluginError(provider_type.name, "two plugins bring this provider type")
                brought[provider_type.name] = provider_type
        return brought

    def message_types(self) -> Mapping[str, type[Message]]:
        """Return the message types by channel.

        Raises ``PluginError`` if two share one, or if one would print its text.
        """
        brought: dict[str, type[Message]] = {}
        for types in self.manager.hook.notify_message_types():
            for message_type in types:
                if not (isinstance(message_type, type) and issubclass(message_type, Message)):
                    raise PluginError(
                        repr(message_type), "is brought as a message type, but is none"
                    )
                channel = message_type.channel
                if channel in brought and brought[channel] is not message_type:
                    raise PluginError(channel, "two plugins bring this channel")
                if message_type.__repr__ is not Message.__repr__:
                    raise PluginError(channel, _CHATTY)
                brought[channel] = message_type
        return brought

    def cli_commands(self) -> Iterator[tuple[str, click.Command]]:
        """Yield the commands that plugins add to ``notify``, each with its plugin's name.

        A plugin that fails costs a line in the log and its own commands.
        """
        for impl in self.manager.hook.notify_cli_commands.get_hookimpls():
            try:
                answer: Any = impl.function()
                commands: list[click.Command] = list(answer)
            except Exception as error:  # somebody else's code: the others' commands are wanted
                _log.warning("plugin %s: its commands are missing: %r", impl.plugin_name, error)
                continue
            for command in commands:
                yield impl.plugin_name, command

    def _load_entry_point(self, point: importlib.metadata.EntryPoint) -> None:
        try:
            self.register(point.load(), point.name)
        except PluginError as error:
            self._fail(error)
        except Exception as error:  # somebody else's module: it must not take the others along
            self._fail(PluginError(point.name, f"cannot be imported: {error!r}"))

    def _fail(self, error: PluginError) -> None:
        _log.warning("%s", error)
        self.failures.append(error)


def _unmarked_hooks(plugin: object) -> Iterator[str]:
    for hook in vars(hookspecs):
        found = getattr(plugin, hook, None) if hook.startswith("notify_") else None
        if callable(found) and not hasattr(found, f"{PROJECT}_impl"):
            yield hook
