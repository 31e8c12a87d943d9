"""The key ``include``: further files with providers, routes and their tests, read as one."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs

from notify_core.config.model import Config
from notify_core.config.nodes import Entry, Joined, Node, Whole, doubled
from notify_core.config.problems import Gathering, listed, quoted, unknown
from notify_core.config.source import compose, read_text, spelling_problems
from notify_core.config.structure import keys_of
from notify_core.errors import ConfigError, Problem

SHARED = ("providers", "routes", "tests")
"""The keys that an included file can have."""

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_LISTS = frozenset({"routes", "tests"})


@attrs.frozen
class Included:
    """A file and those that it includes, as if they were one; ``paths`` are of the latter."""

    root: Node
    paths: tuple[Path, ...] = ()


def with_included(root: Node, folder: Path | None, gathering: Gathering) -> Included:
    """Read the files that ``root`` includes; what is wrong with them goes to ``gathering``.

    Patterns are relative to ``folder``, that of the including file. A file that two patterns
    match is read once, at the place of the first. Raises ``ConfigError`` if a file cannot be read
    at all: what is missing then would be taken for a mistake elsewhere.
    """
    node = root.get("include")
    if node is None:
        return Included(root)
    if folder is None:
        raise node.error("only a file can include others; this text lies in no folder")
    unreadable = Gathering()
    paths = _paths(node, folder, unreadable)
    gathering.files += paths.values()
    parts: list[Node] = []
    for path, name in paths.items():
        with unreadable:
            parts.append(_read(path, name, root.file, gathering))
    unreadable.raise_if_any()
    return Included(_joined(root, parts, gathering), tuple(paths))


def patterns_in(path: Path) -> tuple[str, ...]:
    """Return what a file wants to include, as far as that can be read."""
    try:
        node = compose(read_text(path, str(path)), str(path)).get("include")
        return () if node is None else tuple(each.text() for each in node.items_or_self())
    except ConfigError:
        return ()


def matches(pattern: str, folder: Path) -> list[str]:
    """Return the files that a pattern stands for, from a folder on; none if it makes no sense."""
    try:
        found = glob.glob(pattern, root_dir=folder, recursive=True)
    except (ValueError, OSError):
        return []
    return sorted(match for match in found if (folder / match).is_file())


def _paths(node: Node, folder: Path, gathering: Gathering) -> dict[Path, str]:
    """Return the files by path, each with its name for people, in the order of reading."""
    paths: dict[Path, str] = {}
    for pattern in node.items_or_self():
        with gathering:
            for match in _matches(pattern, folder):
                name = str(Path(node.file).parent / match)
                paths.setdefault((folder / match).resolve(), name)
    return paths


def _matches(node: Node, folder: Path) -> Sequence[str]:
    pattern = node.text("the name of a file, or a pattern like routes/*.yaml")
    if _ADDRESS.match(pattern):
        raise node.error(f"{quoted(pattern)} is an address; only files can be included")
    if "\0" in pattern:  # the operating system takes it for the end of the name
        raise node.error(f"{quoted(pattern)} holds a character that no name of a file can hold")
    files = matches(pattern, folder)
    if not files:
        is_folder = (folder / pattern).is_dir()
        hint = "write routes/*.yaml for those in a folder" if is_folder else _LOOKED_FOR
        raise node.error(f"{quoted(pattern)} matches no file; {hint}")
    own = (folder / Path(node.file).name).resolve()
    if any((folder / match).resolve() == own for match in files):
        raise node.error(
            f"{quoted(pattern)} matches the including file itself; put the others into a folder "
            "of their own"
        )
    return files


_LOOKED_FOR = "it is looked for from the folder of the including file on"


def _read(path: Path, name: str, including: str, gathering: Gathering) -> Node:
    root = compose(read_text(path, name), name, beginning="routes:")
    gathering.add(spelling_problems(root))
    gathering.add(_key_problems(root, including))
    return root


def _key_problems(root: Node, including: str) -> Iterator[Problem]:
    for key, entry in root.entries().items():
        if key == "include":
            yield entry.key.problem(
                f"an included file includes no other; name that one in {including}"
            )
        elif key not in SHARED and key in keys_of(Config):
            yield entry.key.problem(
                f"{quoted(key)} stands only in {including}; an included file has: {listed(SHARED)}"
            )
        elif key not in SHARED:
            yield entry.key.problem(unknown(key, "a key of an included file", SHARED))


# --- joining --------------------------------------------------------------------------------


def _joined(root: Node, parts: Sequence[Node], gathering: Gathering) -> Node:
    """Return the root with the sections of all files.

    Included routes stand before those of the including file, whose last one is for the rest;
    of the providers its own come first.
    """
    sections: dict[str, Entry] = {}
    for key in SHARED:
        own, others = _entries(key, [root]), _entries(key, parts)
        # The reader would tell it only of the first.
        gathering.add(_kind_problems(key, others))
        entries = [*others, *own] if key in _LISTS else [*own, *others]
        fitting = [entry for entry in entries if _fits(key, entry.value)]
        if fitting and all(entry in fitting for entry in own):
            sections[key] = _join(fitting)
    if providers := sections.get("providers"):
        gathering.add(doubled([each.key for each in _pairs(providers.value)]))
    return Whole(root.raw, root.file, root.path, sections)


def _entries(key: str, roots: Sequence[Node]) -> list[Entry]:
    return [entry for root in roots if (entry := root.entries().get(key))]


def _join(entries: Sequence[Entry]) -> Entry:
    first, parts = entries[0], tuple(entry.value for entry in entries)
    return Entry(first.key, Joined(first.value.raw, first.value.file, first.value.path, parts))


def _pairs(section: Node) -> Iterator[Entry]:
    for part in section.parts if isinstance(section, Joined) else ():
        yield from part.entries().values()


def _kind_problems(key: str, entries: Sequence[Entry]) -> Iterator[Problem]:
    expected = "a list; begin each with - name:" if key in _LISTS else "a mapping (key: value)"
    for entry in entries:
        if not _fits(key, entry.value):
            yield from entry.value.wrong_kind(expected).problems


def _fits(key: str, value: Node) -> bool:
    return value.is_list if key in _LISTS else value.is_mapping
