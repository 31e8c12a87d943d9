"""Calls in XML (``fmt=2``). Their layout is not documented.

Read is a root whose children are the fields, or one whose children hold the fields of one message
each. Anybody can send such a document, so it may have no DOCTYPE, without which there are no
entities of its own, and no depth.
"""

from __future__ import annotations

from typing import NoReturn
from xml.parsers import expat

import attrs

from notify_core.errors import CallbackError
from notify_smsc.signatures import Pairs

_DEEPEST = 3
_MOST_ELEMENTS = 10_000


@attrs.define
class _Element:
    name: str
    texts: list[str] = attrs.field(factory=list)
    children: list[_Element] = attrs.field(factory=list)

    def fields(self) -> Pairs:
        return [(child.name, "".join(child.texts)) for child in self.children]


class _Reader:
    """Builds the elements of a document while expat reads it."""

    def __init__(self) -> None:
        self.root = _Element("")
        self._open = [self.root]
        self._count = 0

    def start(self, name: str, _attributes: object) -> None:
        self._count += 1
        if len(self._open) > _DEEPEST or self._count > _MOST_ELEMENTS:
            raise CallbackError("XML that is too deep or too long")
        element = _Element(name)
        self._open[-1].children.append(element)
        self._open.append(element)

    def end(self, _name: str) -> None:
        self._open.pop()

    def data(self, text: str) -> None:
        self._open[-1].texts.append(text)

    def refuse(self, *_declared: object) -> NoReturn:
        raise CallbackError("XML with a DOCTYPE")


def records_of_xml(text: str) -> list[Pairs]:
    """Return the fields of each message in a document that is decoded already."""
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.data
    parser.StartDoctypeDeclHandler = reader.refuse
    if not _is_read(parser, text):
        raise CallbackError("XML that is broken")
    (root,) = reader.root.children
    if any(child.children for child in root.children):
        return [child.fields() for child in root.children]
    return [root.fields()]


def _is_read(parser: expat.XMLParserType, text: str) -> bool:
    try:
        # A text, not bytes: so the encoding that the document declares is not looked at again.
        parser.Parse(text, True)
    except expat.ExpatError:
        return False
    return True
