"""From a YAML file to a ``Config``, or to every mistake in it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import attrs

from notify_core.config.callbacks import read_callbacks
from notify_core.config.checks import Known, journal_problems
from notify_core.config.includes import with_included
from notify_core.config.incoming import read_incoming
from notify_core.config.journal import read_journal
from notify_core.config.model import Breaker, Config, Retry, WorkerConfig
from notify_core.config.nodes import Node
from notify_core.config.problems import Gathering, quoted
from notify_core.config.providers import ProviderReader, ReadProvider
from notify_core.config.references import References
from notify_core.config.routes import read_country, read_routes
from notify_core.config.sections import Receipts, Suppression
from notify_core.config.source import compose, read_text, spelling_problems
from notify_core.config.structure import Reader, read_each, structure
from notify_core.config.webhooks import read_webhooks
from notify_core.errors import PluginError, Problem
from notify_core.message import Message
from notify_core.plugins import Plugins
from notify_core.provider import ProviderType

VERSION = 1


@attrs.frozen(kw_only=True)
class Loaded:
    """A configuration, and what stands in its files: ``root``, with the included ones joined."""

    config: Config
    root: Node


def load(
    path: str | os.PathLike[str],
    plugins: Plugins,
    environ: Mapping[str, str],
    name: str | None = None,
) -> Config:
    """Read a file. Raises ``ConfigError`` with every problem, in file order.

    The plugins that the file names are loaded into ``plugins``. ``environ`` is where
    ``${env:NAME}`` is looked up. ``name`` stands for the path in the problems.
    """
    return read(path, plugins, environ, name).config


def loads(
    text: str, name: str, plugins: Plugins, environ: Mapping[str, str], folder: Path | None = None
) -> Config:
    """Read a text as ``load`` reads a file; ``name`` stands for the file in the problems.

    ``folder`` is where a journal lies that is named without a folder, and where files are looked
    for that the text includes.
    """
    return _read_text(text, name, plugins, environ, folder).config


def read(
    path: str | os.PathLike[str],
    plugins: Plugins,
    environ: Mapping[str, str],
    name: str | None = None,
) -> Loaded:
    """Read a file as ``load`` does, and return also what stands in it."""
    name = str(path) if name is None else name
    text = read_text(Path(path), name)
    absolute = Path(path).resolve()
    with _importable_from(absolute.parent):
        loaded = _read_text(text, name, plugins, environ, absolute.parent)
    files = (absolute, *loaded.config.files)
    return attrs.evolve(loaded, config=attrs.evolve(loaded.config, files=files))


def load_named_plugins(path: Path, plugins: Plugins) -> None:
    """Load the plugins that a file names, whatever else is wrong with it."""
    root = compose(read_text(path, str(path)), str(path))
    with _importable_from(path.resolve().parent):
        _load_plugins(root, plugins)


def _read_text(
    text: str, name: str, plugins: Plugins, environ: Mapping[str, str], folder: Path | None
) -> Loaded:
    gathering = Gathering()
    gathering.files.append(name)
    with gathering:
        own = compose(text, name)
        gathering.add(spelling_problems(own))
        gathering.add(_version_problems(own))
        included = with_included(own, folder, gathering)
        config = _config(included.root, plugins, References(environ), gathering, folder)
    gathering.raise_if_any()
    return Loaded(config=attrs.evolve(config, files=included.paths), root=included.root)


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
    # The tests of the routes are read by who runs them: nobody else waits for them or fails.
    return structure(root, Config, readers, besides=("tests",))


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
        plugins.load(node.text(), by_config=True)
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
