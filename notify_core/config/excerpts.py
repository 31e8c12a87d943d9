"""The line of a file in which a problem stands, without the secrets and comments in it.

Messages quote no secret, and a line that is printed beside them must not either. So what is
hidden is what no message would quote: the values of secrets, and those of keys that nobody knows.
"""

from __future__ import annotations

import collections.abc
import re
import types as builtin_types
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Union, get_args, get_origin, get_type_hints

import attrs
import yaml

from notify_core.config.model import Config, JournalConfig, LegConfig, Quiet, Route, When
from notify_core.config.nodes import Node
from notify_core.config.references import nothing_but_references
from notify_core.config.sections import WebhookConfig
from notify_core.config.source import compose
from notify_core.config.structure import keys_of
from notify_core.config.written import MASK
from notify_core.errors import ConfigError, Problem
from notify_core.provider import ProviderType
from notify_core.secret import Secret

_UNREAD = "…"
_FIRST_KEY = re.compile(r"\s*(?:- +)*[\w.-]+:(?=\s|$)|\s*")


@attrs.frozen
class Excerpt:
    """A line that may be shown; ``column`` counts from 0 and is where the problem is in it."""

    text: str
    column: int


def excerpt(problem: Problem, text: str, types: Mapping[str, ProviderType]) -> Excerpt | None:
    """Return the line of ``text`` in which the problem stands, None if it stands in none.

    ``types`` are the provider types, which say what is secret.
    """
    lines = text.splitlines()
    if not 0 < problem.line <= len(lines):
        return None
    line, column = lines[problem.line - 1], problem.column - 1
    try:
        root = compose(text, problem.file)
    except ConfigError:
        return _of_unreadable(line, column)
    end = _comment_at(line, _spans(_scalars(root.raw), problem.line - 1, line))
    hidden = _spans((node.raw for node in _hidden(root, types)), problem.line - 1, line)
    return _masked(line[:end].rstrip(), column, sorted(hidden))


def _of_unreadable(line: str, column: int) -> Excerpt:
    """Show no more than the first key: where YAML cannot be read, anything may be a secret."""
    shown = _FIRST_KEY.match(line)
    kept = shown[0] if shown else ""
    if not line[len(kept) :].strip():
        return Excerpt(kept, min(column, len(kept)))
    return Excerpt(f"{kept} {_UNREAD}", min(column, len(kept) + 1))


# --- a part of a line -----------------------------------------------------------------------

_Span = tuple[int, int]


def _spans(nodes: Iterable[yaml.Node], number: int, line: str) -> list[_Span]:
    """Return where in a line (by its number, from 0) the nodes stand that reach into it."""
    spans = []
    for node in nodes:
        first, last = node.start_mark, node.end_mark
        if first.line <= number <= last.line:
            indentation = len(line) - len(line.lstrip())
            start = first.column if first.line == number else indentation
            end = last.column if last.line == number else len(line)
            spans.append((start, end))
    return [(start, end) for start, end in spans if start < end]


def _scalars(root: yaml.Node) -> Iterator[yaml.Node]:
    seen: set[int] = set()
    todo: list[yaml.Node] = [root]
    while todo:
        node = todo.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.ScalarNode):
            yield node
        elif isinstance(node, yaml.MappingNode):
            todo.extend(part for pair in node.value for part in pair)
        else:
            todo.extend(node.value)


def _comment_at(line: str, values: list[_Span]) -> int:
    """Return where the comment of a line begins. Nobody knows what stands in one."""
    for match in re.finditer(r"(?:^|(?<=\s))#", line):
        if not any(start <= match.start() < end for start, end in values):
            return match.start()
    return len(line)


def _masked(line: str, column: int, hidden: list[_Span]) -> Excerpt:
    parts: list[str] = []
    done, shift = 0, 0
    for start, end in hidden:
        if start < done:  # within what is hidden already
            continue
        parts += [line[done:start], MASK]
        if column >= end:
            shift += len(MASK) - (min(end, len(line)) - start)
        elif column > start:
            shift += start - column
        done = end
    return Excerpt("".join([*parts, line[done:]]), column + shift)


# --- what is hidden -------------------------------------------------------------------------

_IN_ROUTES = frozenset(
    {key for cls in (Route, When, LegConfig, Quiet) for key in keys_of(cls)}
    | {"send", "first_of", "all_of", "spread"}
)
_TESTS = "tests"
_BY_NAME = ("spread", "distrust")


def _hidden(root: Node, types: Mapping[str, ProviderType]) -> Iterator[Node]:
    hints = get_type_hints(Config)
    for key, entry in root.entries().items() if root.is_mapping else ():
        if key == "providers":
            yield from _in_providers(entry.value, types)
        elif key == "routes":
            yield from _in_routes(entry.value)
        elif key == "journal":
            hint = JournalConfig if entry.value.is_mapping else Secret
            yield from _in_value(entry.value, hint)
        elif key == _TESTS:
            continue  # no message quotes less of them
        elif key in keys_of(Config):
            yield from _in_value(entry.value, hints[key])
        else:
            yield entry.value


def _in_providers(node: Node, types: Mapping[str, ProviderType]) -> Iterator[Node]:
    for entry in node.entries().values() if node.is_mapping else ():
        settings = entry.value
        named = settings.get("type")
        provider_type = types.get(named.scalar or "") if named else None
        known = provider_type.config_class if provider_type else None
        yield from _in_class(settings, known, besides=("type",))
    if not node.is_mapping:
        yield node


def _in_class(node: Node, cls: type | None, besides: tuple[str, ...] = ()) -> Iterator[Node]:
    """Yield what is secret among the keys of a class; of no known class, everything is."""
    if not node.is_mapping:
        yield node
        return
    hints = get_type_hints(cls) if cls else {}
    fields = keys_of(cls) if cls else {}
    for key, entry in node.entries().items():
        if cls is WebhookConfig and key == "url":  # its path may be what lets a caller in
            yield from _in_value(entry.value, Secret)
        elif key in fields:
            yield from _in_value(entry.value, hints[fields[key].name])
        elif key not in besides:
            yield entry.value


def _in_value(node: Node, hint: Any) -> Iterator[Node]:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, builtin_types.UnionType):
        yield from _in_value(node, arguments[0])
    elif origin is tuple:
        for item in node.items_or_self():
            yield from _in_value(item, arguments[0])
    elif origin is collections.abc.Mapping and node.is_mapping:
        for entry in node.entries().values():
            yield from _in_value(entry.value, arguments[1])
    elif isinstance(hint, type) and attrs.has(hint):
        yield from _in_class(node, hint)
    elif hint is Secret:
        if not nothing_but_references(node.scalar or ""):
            yield node
    elif node.scalar is None:  # where a single value should be, nothing was looked at
        yield node


def _in_routes(node: Node, *, names: bool = False) -> Iterator[Node]:
    """Yield the values of unknown keys; with ``names`` the keys are names of providers."""
    for item in node.items() if node.is_list else ():
        yield from _in_routes(item)
    for key, entry in node.entries().items() if node.is_mapping else ():
        if names or key in _IN_ROUTES:
            yield from _in_routes(entry.value, names=key in _BY_NAME)
        else:
            yield entry.value
