"""From a mapping to the attrs class whose attributes are its keys.

Attributes may be ``str``, ``int``, ``float``, ``bool``, ``Decimal``, ``Secret``, ``timedelta``,
``time``, an enum (by value), another attrs class, and ``X | None``, ``tuple[X, ...]`` (from a
list or a single value) and ``Mapping[str, X]`` of these. The attribute ``from_`` is the key
``from``, which is a word of Python. One with the metadata ``{"written": False}`` is no key.
"""

from __future__ import annotations

import collections.abc
import enum
import re
import types
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import attrs

from notify_core.config.nodes import Node
from notify_core.config.problems import Gathering, listed, nearest, quoted, unknown
from notify_core.config.references import BadReference, References
from notify_core.config.refusal import refusal
from notify_core.config.values import SCALARS
from notify_core.errors import Problem
from notify_core.secret import Secret

T = TypeVar("T")
Reader = Callable[[Node], object]
"""Turns the value of a key into that of an attribute, or raises ``ConfigError``."""

_NO_READERS: Mapping[str, Reader] = types.MappingProxyType({})
_NOT_ELSEWHERE: Mapping[str, str] = types.MappingProxyType({})

# In capitals only, as variables are named: $ecret may well be a password.
_SHELL_VARIABLE = re.compile(r"\$[A-Z_][A-Z0-9_]*")


def structure(
    node: Node,
    cls: type[T],
    readers: Mapping[str, Reader] = _NO_READERS,
    *,
    references: References | None = None,
    besides: tuple[str, ...] = (),
    elsewhere: Mapping[str, str] = _NOT_ELSEWHERE,
    checks_keys_alone: bool = False,
) -> T:
    """Make a ``cls`` of a mapping.

    ``readers`` are for keys that need more than their type, ``besides`` are keys that somebody
    else reads, ``elsewhere`` says where keys belong that have no place here; ``references`` are
    resolved if given. Raises ``ConfigError`` with every problem: unknown and missing keys, values
    of a wrong type and, if there are none of these, what the class refuses.

    ``checks_keys_alone`` is for a class whose keys all have defaults and are checked one by one:
    what it refuses of each is told beside the other problems.
    """
    fields = keys_of(cls)
    hints = get_type_hints(cls)
    gathering = Gathering()
    values: dict[str, Any] = {}
    for key, entry in node.entries().items():
        with gathering:
            if key in fields:
                read = readers.get(key) or partial(
                    _of_type, hint=hints[fields[key].name], references=references
                )
                values[key] = read(entry.value)
    gathering.add(_key_problems(node, fields, besides, elsewhere))
    if checks_keys_alone:
        for key, value in values.items():
            with gathering:
                _make(node, cls, {key: value}, references)
    gathering.raise_if_any()
    return _make(node, cls, values, references)


def read_each(node: Node, read: Callable[[Node], T]) -> tuple[T, ...]:
    """Read every item of a list, or a single value as the only item."""
    gathering = Gathering()
    values: list[T] = []
    for item in node.items_or_self():
        with gathering:
            values.append(read(item))
    gathering.raise_if_any()
    return tuple(values)


def read_name(node: Node) -> str:
    """Read a name, in any script: it is for reports and logs."""
    name = node.text("a name")
    if not name.strip() or not name.isprintable():
        raise node.error("a name is one line of text, and not blank")
    return name


def read_scalar(node: Node, kind: type[T], references: References | None = None) -> T:
    """Read a single value of one of the types in ``values.SCALARS``."""
    scalar = SCALARS[kind]
    text = node.text(scalar.words)
    if kind is Secret and _SHELL_VARIABLE.fullmatch(text):
        raise node.error("a secret of the form $NAME is no reference; write ${env:NAME}")
    try:
        return cast(T, scalar.parse(_resolved(node, text, references)))
    except ValueError as error:
        # The text as it is written, never what a reference stands for.
        subject = "the secret" if kind is Secret else quoted(text)
        raise node.error(f"{subject} {error}") from None


def read_word(
    node: Node,
    meanings: Mapping[str, T],
    what: str = "known here",
    references: References | None = None,
) -> T:
    """Read one of some words. ``what`` says what they are: *a priority*."""
    text = node.text(f"one of: {listed(meanings)}")
    word = _resolved(node, text, references)
    if word not in meanings:
        raise node.error(unknown(text, what, meanings))
    return meanings[word]


def _make(node: Node, cls: type[T], values: Mapping[str, Any], references: References | None) -> T:
    fields = keys_of(cls)
    try:
        return cls(**{str(fields[key].alias): value for key, value in values.items()})
    except (ValueError, TypeError) as error:
        # Not "from error": its words may hold a secret, which refusal() masks.
        raise refusal(node, error, fields, values, references) from None


def keys_of(cls: type) -> Mapping[str, attrs.Attribute[Any]]:
    """Return the attributes of a class by their keys in the file."""
    return {
        field.alias.removesuffix("_"): field
        for field in attrs.fields(cls)
        if field.init and field.alias and field.metadata.get("written", True)
    }


def _key_problems(
    node: Node,
    fields: Mapping[str, attrs.Attribute[Any]],
    besides: tuple[str, ...],
    elsewhere: Mapping[str, str],
) -> Iterator[Problem]:
    given, known = node.entries(), (*besides, *fields)
    misspelt = {key: nearest(key, known) for key in given if key not in known}
    for key in misspelt:
        if key in elsewhere:
            yield given[key].key.problem(f"{quoted(key)} {elsewhere[key]}")
        else:
            yield given[key].key.problem(unknown(key, "a key here", known))
    for key, field in fields.items():
        # A key that was probably meant by a misspelt one is not missing as well.
        if field.default is attrs.NOTHING and key not in (*given, *misspelt.values()):
            yield node.problem(f"{quoted(key)} is missing")


def _of_type(node: Node, hint: Any, references: References | None) -> object:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType) and arguments[1:] == (types.NoneType,):
        return None if node.is_null else _of_type(node, arguments[0], references)
    if origin is tuple and arguments[1:] == (...,):
        return read_each(node, lambda item: _of_type(item, arguments[0], references))
    if origin is collections.abc.Mapping and arguments[0] is str:
        return _of_names(node, arguments[1], references)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        meanings = {str(member.value): member for member in hint}
        return read_word(node, meanings, references=references)
    if isinstance(hint, type) and attrs.has(hint):
        return structure(node, hint, references=references)
    if hint in SCALARS:
        return read_scalar(node, hint, references)
    raise node.error(f"no YAML value can be {hint}, which is what the plugin declares")


def _of_names(node: Node, hint: Any, references: References | None) -> Mapping[str, object]:
    gathering = Gathering()
    values: dict[str, object] = {}
    for key, entry in node.entries().items():
        with gathering:
            values[key] = _of_type(entry.value, hint, references)
    gathering.raise_if_any()
    return values


def _resolved(node: Node, text: str, references: References | None) -> str:
    try:
        return references.resolve(text) if references else text
    except BadReference as error:
        raise node.error(str(error)) from None
