"""Finding the tests of a configuration and reading them, as strictly as the configuration.

They stand in the configuration itself, under ``tests``, and in files beside it whose names end in
``.routes.yaml``. Of an application that sends nobody reads them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

from notify_core.config.load import Loaded, read
from notify_core.config.nodes import Node, doubled
from notify_core.config.problems import Gathering
from notify_core.config.source import compose, read_text, spelling_problems
from notify_core.config.structure import structure
from notify_core.errors import ConfigError, Problem
from notify_core.plugins import Plugins
from notify_core.route_tests.grammar import RouteTestReader
from notify_core.route_tests.model import RouteTest, Suite

SUFFIX = ".routes.yaml"
_USUAL_CONFIG = "notify.yaml"


@attrs.frozen(kw_only=True)
class _FileKeys:
    """The keys of a file of tests."""

    tests: Node
    config: str | None = None


def read_suite(path: Path, plugins: Plugins, environ: Mapping[str, str]) -> Suite:
    """Read a configuration and its tests: its own, those that it includes and those beside it.

    Raises ``ConfigError`` with every problem of the configuration, or else of the tests.
    """
    loaded = read(path, plugins, environ)
    beside = [file for file in _beside(path) if file.resolve() not in loaded.config.files]
    files = [file for file in beside if _is_about(path.resolve(), file)]
    return _suite(path, loaded, plugins, files, with_own=True)


def read_file(file: Path, plugins: Plugins, environ: Mapping[str, str]) -> Suite:
    """Read one file of tests and the configuration that it is about. Raises ``ConfigError``."""
    path = _config_of(file, _root(file))
    _check_is_there(path, file)
    return _suite(path, read(path, plugins, environ), plugins, [file], with_own=False)


def _suite(
    path: Path, loaded: Loaded, plugins: Plugins, files: Sequence[Path], *, with_own: bool
) -> Suite:
    reader = RouteTestReader(loaded.config, plugins.message_types())
    gathering = Gathering()
    gathering.files += [str(path), *map(str, files)]
    lists = [loaded.root.get("tests")] if with_own else []
    for file in files:
        with gathering:
            lists.append(_tests_of(_root(file)))
    tests: list[RouteTest] = []
    for node in filter(None, lists):
        with gathering:
            tests += reader.read_all(node)
    gathering.add(doubled([name for node in filter(None, lists) for name in _names(node)]))
    gathering.raise_if_any()
    return Suite(path=path, config=loaded.config, plugins=plugins, tests=tuple(tests))


def _beside(path: Path) -> Sequence[Path]:
    # A hidden one is an editor's: it puts down that a file is open, or keeps a copy.
    found = [each for each in path.parent.glob(f"*{SUFFIX}") if not each.name.startswith(".")]
    return sorted(each for each in found if not each.is_dir())


def _is_about(path: Path, file: Path) -> bool:
    root = _root(file)
    about = _config_of(file, root)
    if root.get("tests") is not None:  # or else it is somebody else's
        _check_is_there(about, file)
    return about == path


def _check_is_there(path: Path, file: Path) -> None:
    """Raise ``ConfigError`` for tests of a configuration that is not there: nobody runs them."""
    if not path.exists():
        problem = f"there is no {path}; name the file with config: …"
        raise ConfigError([Problem(str(file), 0, 0, "", problem)])


def _root(file: Path) -> Node:
    return compose(read_text(file, str(file)), str(file), beginning="tests:")


def _tests_of(root: Node) -> Node:
    gathering = Gathering()
    gathering.add(spelling_problems(root))
    with gathering:
        keys = structure(root, _FileKeys, {"tests": lambda node: node})
    gathering.raise_if_any()
    return keys.tests


def _config_of(file: Path, root: Node) -> Path:
    """Return the configuration that a file of tests is about.

    The one that it names, or that of its own name: ``shop.routes.yaml`` is about ``shop.yaml``.
    It need not be there.
    """
    named = root.get("config")
    if named is not None and "\0" in (named.scalar or ""):
        raise named.error("holds a character that no name of a file can hold")
    if named is not None and named.scalar is not None:
        return (file.parent / named.scalar).resolve()
    namesake = file.with_name(f"{file.name.removesuffix(SUFFIX)}.yaml")
    found = namesake if namesake.exists() else file.with_name(_USUAL_CONFIG)
    return found.resolve()


def _names(tests: Node) -> Sequence[Node]:
    items = tests.items() if tests.is_list else []
    return [name for item in items if (name := item.get("name"))]
