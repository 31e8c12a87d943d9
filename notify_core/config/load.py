"""From a YAML file to a ``Config``, or to every mistake in it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from notify_core.config.callbacks import read_callbacks
from notify_core.config.checks import Known, journal_problems
from notify_core.config.incoming import read_incoming
from notify_core.config.journal import read_journal
from notify_core.config.model import Breaker, Config, Retry, WorkerConfig
from notify_core.config.nodes import Node
from notify_core.config.problems import Gathering, quoted
from notify_core.config.providers import ProviderReader, ReadProvider
from notify_core.config.references import References
from notify_core.config.routes import read_country, read_routes
from notify_core.config.sections import Receipts, Suppression
from notify_core.config.source import compose, spelling_problems
from notify_core.config.structure import Reader, read_each, structure
from notify_core.config.webhooks import read_webhooks
from notify_core.errors import ConfigError, PluginError, Problem
from notify_core.message import Message
from notify_core.plugins import Plugins
from notify_core.provider import ProviderType

VERSION = 1


def load(path: str | os.PathLike[str], plugins: Plugins, environ: Mapping[str, str]) -> Config:
    """Read a file. Raises ``ConfigError`` with every problem, in file order.

    The plugins that the file names are loaded into ``plugins``. ``environ`` is where
    ``${env:NAME}`` is looked up.
    """
    text = _read(Path(path))
    folder = Path(path).resolve().parent
    with _importable_from(folder):
        return loads(text, str(path), plugins, environ, folder)


def loads(
    text: str, name: str, plugins: Plugins, environ: Mapping[str, str], folder: Path | None = None
) -> Config:
    """Read a text as ``load`` reads a file; ``name`` stands for the file in the problems.

    ``folder`` is where a journal lies that is named without a folder.
    """
    gathering = Gathering()
    with gathering:
        config = _config(compose(text, name), plugins, References(environ), gathering, folder)
    gathering.raise_if_any()
    return config


@contextmanager
def _importable_from(folder: Path) -> Iterator[None]:
    """Let a plugin of one file lie beside the configuration, for people who never publish it."""
    # At the end: it never stands in for an installed module of the same name.
    sys.path.append(str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def _config(
    root: Node,
    plugins: Plugins,
    references: References,
    gathering: Gathering,
    folder: Path | None,
) -> Config:
    """Make the configuration. Mistakes go to ``gathering`` or, where nothing can follow, up."""
    gathering.add(spelling_problems(root))
    gathering.add(_version_problems(root))
    gathering.add(journal_problems(root))
    with gathering:
        _load_plugins(root, plugins)
    types, channels = _brought_by(plugins, root)
    providers: dict[str, ReadProvider | None] = {}
    with gathering:
        reader = ProviderReader(types, plugins.failures, references)
        providers = reader.read_all(root, gathering)
    known = Known(
        channels=channels,
        providers={name: read.capabilities if read else None for name, read in providers.items()},
    )
    readers: dict[str, Reader] = {
        "version": lambda _: VERSION,
        "default_region": read_country,
        "providers": lambda _: tuple(read.config for read in providers.values() if read),
        "routes": partial(read_routes, known=known),
        "retry": partial(structure, cls=Retry, checks_keys_alone=True),
        "breaker": partial(structure, cls=Breaker, checks_keys_alone=True),
        "journal": partial(read_journal, references=references, folder=folder),
        "worker": partial(structure, cls=WorkerConfig),
        "receipts": partial(structure, cls=Receipts),
        "callbacks": partial(read_callbacks, providers=providers),
        "incoming": partial(read_incoming, providers=known.providers),
        "suppression": partial(structure, cls=Suppression),
        "webhooks": partial(read_webhooks, references=references),
    }
    return structure(root, Config, readers)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        problem = Problem(str(path), 0, 0, "", f"cannot be read: {error.strerror}")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        problem = Problem(str(path), line, 1, "", "this line is not UTF-8; save the file as UTF-8")
    raise ConfigError([problem])


def _version_problems(root: Node) -> Iterator[Problem]:
    if "version" not in root.entries():
        yield root.problem(f'"version" is missing; begin the file with version: {VERSION}')
        return
    version = root.entries()["version"].value
    if version.text("a version") != str(VERSION):
        # Raised, not gathered: the rest of such a file follows rules of its own.
        raise version.error(
            f"{quoted(version.text())} is not a version that can be read; known: {VERSION}"
        )


def _load_plugins(root: Node, plugins: Plugins) -> None:
    if node := root.get("plugins"):
        read_each(node, partial(_load_plugin, plugins=plugins))


def _load_plugin(node: Node, plugins: Plugins) -> None:
    try:
        plugins.load(node.text())
    except PluginError as error:
        raise node.error(f"{error}{_plugin_hint(node.text())}") from None


def _plugin_hint(name: str) -> str:
    """Say what to write to somebody who wrote the name of a package."""
    if "-" in name:
        return "; installed plugins need no mention; a dotted path of a module stands here"
    return ""


def _brought_by(
    plugins: Plugins, root: Node
) -> tuple[Mapping[str, ProviderType], Mapping[str, type[Message]]]:
    try:
        return plugins.provider_types(), plugins.message_types()
    except PluginError as error:
        raise root.error(str(error)) from None
