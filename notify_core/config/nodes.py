"""What stands in the file, with its place and path, before anything is converted.

A value stays the text that was written (``no`` is a country, ``0123`` a password), because only
the attribute that it is for can say what it means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import attrs
import yaml

from notify_core.config.problems import quoted
from notify_core.errors import ConfigError, Problem

NULL = "tag:yaml.org,2002:null"
MERGE = "tag:yaml.org,2002:merge"


@attrs.frozen(eq=False)
class Node:
    """A value or a key of the file, under the path by which it was reached."""

    raw: yaml.Node
    file: str
    path: str = ""

    @property
    def line(self) -> int:
        """The line where it begins, from 1."""
        return int(self.raw.start_mark.line) + 1

    def problem(self, message: str) -> Problem:
        """Describe a mistake at this place."""
        column = self.raw.start_mark.column + 1
        return Problem(self.file, self.line, column, self.path, message)

    def error(self, message: str) -> ConfigError:
        """Make the error for one mistake at this place."""
        return ConfigError([self.problem(message)])

    def wrong_kind(self, expected: str) -> ConfigError:
        """Make the error for a list where a text should be, and the like. Quotes nothing."""
        return self.error(f"{self._kind} stands here; expected {expected}")

    @property
    def is_list(self) -> bool:
        return isinstance(self.raw, yaml.SequenceNode)

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.raw, yaml.MappingNode)

    @property
    def is_null(self) -> bool:
        """True for ``null``, ``~`` and a value that is left out."""
        return self.raw.tag == NULL

    @property
    def scalar(self) -> str | None:
        """A single value as it was written, None if this is none."""
        return self.raw.value if isinstance(self.raw, yaml.ScalarNode) else None

    def text(self, expected: str = "a text") -> str:
        """Return a single value as it was written. Raises ``ConfigError`` for anything else."""
        if self.is_null or self.scalar is None:
            raise self.wrong_kind(expected)
        return self.scalar

    def items(self) -> list[Node]:
        """Return the items of a list. Raises ``ConfigError`` for anything else."""
        if not isinstance(self.raw, yaml.SequenceNode):
            raise self.wrong_kind("a list")
        return [
            Node(item, self.file, f"{self.path}[{index}]")
            for index, item in enumerate(self.raw.value)
        ]

    def items_or_self(self) -> list[Node]:
        """Return the items of a list, and of anything else the thing itself."""
        return self.items() if self.is_list else [self]

    def entries(self) -> dict[str, Entry]:
        """Return the entries of a mapping by key, those merged with ``<<`` behind its own.

        Of a key that is written twice it is the first. Raises ``ConfigError`` for anything but
        a mapping.
        """
        if not isinstance(self.raw, yaml.MappingNode):
            raise self.wrong_kind("a mapping (key: value)")
        found: dict[str, Entry] = {}
        for key, value in _pairs(self.raw):
            if key.value not in found:
                path = below(self.path, key.value)
                found[key.value] = Entry(Node(key, self.file, path), Node(value, self.file, path))
        return found

    def get(self, key: str) -> Node | None:
        """Return the value of a key; None if it is not there or this is not a mapping."""
        entry = self.entries().get(key) if self.is_mapping else None
        return entry.value if entry else None

    def path_for(self, other: Node) -> str:
        """Return the path in a message about ``other``, which may stand in another file."""
        return self.path if self.file == other.file else f"{self.path} of {self.file}"

    @property
    def _kind(self) -> str:
        if self.is_mapping:
            return "a mapping"
        if self.is_list:
            return "a list"
        return "nothing" if self.is_null else "a single value"


@attrs.frozen
class Entry:
    """A key of a mapping and its value, both under the path of the value."""

    key: Node
    value: Node


@attrs.frozen(eq=False)
class Joined(Node):
    """A list or mapping that several files write together: ``parts``, in their order.

    Each item and each entry keeps the file, the line and the path where it is written. Of a key
    that several parts have it is the first.
    """

    parts: tuple[Node, ...] = ()

    def items(self) -> list[Node]:
        return [item for part in self.parts for item in part.items()]

    def entries(self) -> dict[str, Entry]:
        found: dict[str, Entry] = {}
        for part in self.parts:
            for key, entry in part.entries().items():
                found.setdefault(key, entry)
        return found


@attrs.frozen(eq=False)
class Whole(Node):
    """The root of a file; ``sections`` stand in place of its own entries, or beside them."""

    sections: Mapping[str, Entry] = attrs.field(factory=dict)

    def entries(self) -> dict[str, Entry]:
        return {**super().entries(), **self.sections}


def below(path: str, key: str) -> str:
    """Return the path of a key."""
    if not re.fullmatch(r"[\w-]+", key):
        return f'{path}["{key}"]'
    return f"{path}.{key}" if path else key


def doubled(names: Sequence[Node]) -> Iterator[Problem]:
    """Yield a problem for each name or key that was given before, here or in another file."""
    first: dict[str, Node] = {}
    for node in names:
        name = node.scalar
        if name is None:
            continue
        before = first.setdefault(name, node)
        if before is not node:
            yield node.problem(f"{quoted(name)} is given twice, first in {_place(before, node)}")


def _place(before: Node, seen_from: Node) -> str:
    if before.file == seen_from.file:
        return f"line {before.line}"
    return f"{before.file}:{before.line}"


def walk(root: Node) -> Iterator[Node]:
    """Yield every value once, under the path where it is written."""
    seen: set[int] = set()
    todo = [root]
    while todo:
        node = todo.pop()
        if id(node.raw) not in seen:
            seen.add(id(node.raw))
            yield node
            todo.extend(reversed(_children(node)))


def _children(node: Node) -> list[Node]:
    if not isinstance(node.raw, yaml.MappingNode):
        return node.items() if node.is_list else []
    return [
        Node(value, node.file, below(node.path, key.value))
        for key, value in node.raw.value
        if isinstance(key, yaml.ScalarNode)
    ]


def _pairs(raw: yaml.MappingNode) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
    """Yield the pairs of a mapping in the order of their precedence.

    What was merged already adds nothing when it is merged again: merges of merges stay linear.
    """
    seen: set[int] = set()
    todo = [raw]
    while todo:
        mapping = todo.pop()
        if id(mapping) in seen:
            continue
        seen.add(id(mapping))
        for key, value in mapping.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != MERGE:
                yield key, value
        todo.extend(reversed(_merged(mapping)))


def _merged(mapping: yaml.MappingNode) -> list[yaml.MappingNode]:
    values = [value for key, value in mapping.value if key.tag == MERGE]
    found: list[yaml.MappingNode] = []
    for value in values:
        items = value.value if isinstance(value, yaml.SequenceNode) else [value]
        found += [item for item in items if isinstance(item, yaml.MappingNode)]
    return found
