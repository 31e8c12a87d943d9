"""From text to nodes, and the mistakes that are YAML's own: syntax, double keys, tags."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import yaml

from notify_core.config.nodes import MERGE, NULL, Node, below, doubled, walk
from notify_core.errors import ConfigError, Problem

_Loader: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_DEPTH = 64  # deeper than any key lies; what is far deeper overruns the stack of the C loader

_PLAIN = ("str", "int", "float", "bool", "timestamp", "value", "map", "seq")
_TAGS = frozenset({NULL, MERGE, *(f"tag:yaml.org,2002:{name}" for name in _PLAIN)})

_HINTS = (
    ("undefined alias", "put a text that begins with * in quotes"),
    ("undefined tag handle", "put a text that begins with ! in quotes"),
    ("mapping values are not allowed", "put a text that holds a colon and a blank in quotes"),
    ("cannot start any token", "put the text in quotes, and indent with blanks, not tabs"),
    ("another document", "a configuration is one document, without a second ---"),
)

# The loader in pure Python quotes these names. They may be a password that lacks its quotes.
_NAMED = re.compile(r"(undefined alias|duplicate anchor|undefined tag handle) '.*?'")


class _Mark(Protocol):
    """A place as either loader gives it, from 0."""

    line: int
    column: int


def read_text(path: Path, file: str) -> str:
    """Return what a file holds; ``file`` is its name for people. Raises ``ConfigError``."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        problem = Problem(file, 0, 0, "", f"cannot be read: {error.strerror}")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        problem = Problem(file, line, 1, "", "this line is not UTF-8; save the file as UTF-8")
    raise ConfigError([problem])


def compose(text: str, file: str, beginning: str = "version: 1") -> Node:
    """Read a YAML text. Raises ``ConfigError`` if it is not one YAML document.

    ``beginning`` is how a file of this kind begins, for whom has an empty one.
    """
    try:
        _check_nesting(text, file)
        raw = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, text, file) from None
    except (yaml.YAMLError, ValueError, OverflowError):  # each loader has its own
        raise ConfigError([_at(None, file, "holds a character that YAML forbids")]) from None
    if raw is None:
        raise ConfigError([_at(None, file, f"is empty; begin it with {beginning}")])
    return Node(raw, file)


def scan(text: str) -> Iterator[yaml.Token]:
    """Yield the tokens of a text that ``compose`` could read."""
    # By the same loader: the two take tabs, for one, in different places.
    yield from yaml.scan(text, Loader=_Loader)


def spelling_problems(root: Node) -> Iterator[Problem]:
    """Yield the mistakes that YAML itself lets pass but no configuration means."""
    for node in walk(root):
        if node.raw.tag not in _TAGS:
            # The tag is not quoted: it may be a password that lacks its quotes.
            yield node.problem("a tag means nothing here; put a text that begins with ! in quotes")
        if isinstance(node.raw, yaml.MappingNode):
            yield from _key_problems(node, node.raw)


def _key_problems(node: Node, raw: yaml.MappingNode) -> Iterator[Problem]:
    keys: list[Node] = []
    for key, value in raw.value:
        if not isinstance(key, yaml.ScalarNode):
            yield Node(key, node.file, node.path).problem("a key must be a single value")
            continue
        keys.append(Node(key, node.file, below(node.path, key.value)))
        if key.tag == MERGE:
            yield from _merge_problems(Node(value, node.file, keys[-1].path))
    yield from doubled(keys)


def _merge_problems(value: Node) -> Iterator[Problem]:
    for item in value.items_or_self():
        if not item.is_mapping:
            yield item.problem("only mappings can be merged with <<")


def _check_nesting(text: str, file: str) -> None:
    """Refuse what is nested beyond sense, and an anchor that contains itself."""
    open_anchors: list[str | None] = []
    for event in yaml.parse(text, Loader=_Loader):
        mark = event.start_mark
        if isinstance(event, yaml.CollectionStartEvent):
            open_anchors.append(event.anchor)
        elif isinstance(event, yaml.CollectionEndEvent):
            open_anchors.pop()
        elif isinstance(event, yaml.AliasEvent) and event.anchor in open_anchors:
            raise ConfigError([_at(mark, file, "the anchor stands within what it repeats")])
        if len(open_anchors) > _DEPTH:
            raise ConfigError([_at(mark, file, f"more than {_DEPTH} lists and mappings deep")])


def _syntax_error(error: yaml.MarkedYAMLError, text: str, file: str) -> ConfigError:
    mark, begun = error.problem_mark, error.context_mark
    what = _NAMED.sub(r"\1", ": ".join(filter(None, [error.context, error.problem])))
    since = f" (begun in line {begun.line + 1})" if begun else ""
    hint = next((f"; {hint}" for words, hint in _HINTS if words in what), "")
    if "flow" in what and "${" in _line(text, mark):
        hint = "; put a value with ${…} in quotes inside { }"
    return ConfigError([_at(mark, file, f"not YAML: {what}{since}{hint}")])


def _line(text: str, mark: _Mark | None) -> str:
    lines = text.splitlines()
    return lines[mark.line] if mark and mark.line < len(lines) else ""


def _at(mark: _Mark | None, file: str, message: str) -> Problem:
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    return Problem(file, line, column, "", message)
