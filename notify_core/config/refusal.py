"""What a configuration class refuses: shown at the key it means, in words without a secret."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import attrs

from notify_core.config.nodes import Node, below, walk
from notify_core.config.references import References
from notify_core.errors import ConfigError
from notify_core.secret import Secret

_MASK = "********"
# Before "must" and "is" the key can go, as before a colon: the path says it.
_BEGINNING = re.compile(r"(?P<keys>[\w.]+)(?:(?P<said_by_path>: | (?=must |is ))| )")


def refusal(
    node: Node,
    error: ValueError | TypeError,
    keys: Collection[str],
    values: Mapping[str, object],
    references: References | None,
) -> ConfigError:
    """Make the error for what a class with these ``keys`` refused to be made of ``values``.

    A message that begins with a key (``port: …``, ``smtp.port: …``) or quotes one is shown at
    that key. Secrets, and what references stand for, are masked.
    """
    message = str(error.args[0]) if error.args else type(error).__name__
    hidden = set(_secrets_in(values))
    if references:
        hidden.update(_referred_to(node, references))
    place, rest = _place(node, message, keys)
    return place.error(_masked(rest, hidden))


def _place(node: Node, message: str, keys: Collection[str]) -> tuple[Node, str]:
    if match := _BEGINNING.match(message):
        # A nested class may name its key as the whole provider would: smtp.port.
        words = match["keys"].removeprefix(f"{node.path.rpartition('.')[2]}.").split(".")
        if words[0] in keys:
            rest = message[match.end() :] if match["said_by_path"] else message
            return _descend(node, words), rest
    for key in keys:
        if re.search(rf"(['\"`]){re.escape(key)}\1", message):
            return _descend(node, [key]), message
    return node, message


def _descend(node: Node, words: list[str]) -> Node:
    """Return the value of a key within keys; of one that is not given, the place around it."""
    for word in words:
        node = node.get(word) or Node(node.raw, node.file, below(node.path, word))
    return node


def _secrets_in(value: Any) -> Iterator[str]:
    if isinstance(value, Secret):
        yield value.reveal()
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _secrets_in(each)
    elif isinstance(value, tuple):
        for each in value:
            yield from _secrets_in(each)
    elif attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            yield from _secrets_in(getattr(value, field.name))


def _referred_to(node: Node, references: References) -> Iterator[str]:
    for each in walk(node):
        yield from references.values_in(each.scalar or "")


def _masked(message: str, hidden: Collection[str]) -> str:
    """Mask texts as they are and as ``repr`` shows them, the longest first."""
    shown = {form for text in hidden if text for form in (text, repr(text)[1:-1])}
    for text in sorted(shown, key=len, reverse=True):
        message = message.replace(text, _MASK)
    return message
