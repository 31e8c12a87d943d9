"""The grammar of a test: ``name``, ``message`` and ``expect``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from types import MappingProxyType
from typing import Any

import attrs

from notify_core.config.model import Config
from notify_core.config.nodes import Node
from notify_core.config.problems import Gathering, quoted, unknown
from notify_core.config.structure import Reader, read_each, read_name, read_scalar, structure
from notify_core.errors import (
    AdaptationError,
    AttachmentError,
    MessageError,
    Problem,
    RecipientError,
    UnsupportedFeature,
)
from notify_core.message import Message
from notify_core.plain.messages import MessageReader
from notify_core.route_tests.model import Expected, ExpectedLeg, RouteTest

REFUSALS: Mapping[str, type[MessageError]] = MappingProxyType(
    {
        each.__name__: each
        for each in (
            AdaptationError,
            AttachmentError,
            MessageError,
            RecipientError,
            UnsupportedFeature,
        )
    }
)
"""The errors with which a message can be refused before it is sent."""


@attrs.frozen(kw_only=True)
class _Keys:
    name: str
    message: Message | MessageError
    expect: Expected


@attrs.frozen(kw_only=True)
class _ViaKeys:
    spread: tuple[str, ...]


@attrs.frozen(kw_only=True)
class _LegKeys:
    channel: str
    via: tuple[tuple[str, ...], bool] = ((), True)


class RouteTestReader:
    """Reads tests of the routes of one configuration."""

    def __init__(self, config: Config, types: Mapping[str, type[Message]]) -> None:
        self._types = types
        self._messages = MessageReader(types)
        self._routes = [route.name for route in config.routes]
        self._providers = [provider.name for provider in config.providers]

    def read_all(self, node: Node) -> tuple[RouteTest, ...]:
        """Read a list of tests. Raises ``ConfigError`` with every problem."""
        if not node.is_list:
            raise node.wrong_kind("a list; begin each with - name:")
        return read_each(node, self._read)

    def _read(self, node: Node) -> RouteTest:
        keys = structure(
            node, _Keys, {"name": read_name, "message": self._message, "expect": self._expected}
        )
        message = keys.message
        if isinstance(message, MessageError) and keys.expect.error is None:
            place = _place_of(message, node.entries()["message"].value)
            raise place.error(f"{message}; if that is what is tested, expect it as an error")
        if isinstance(message, Message) and not _has_id(node):
            message = attrs.evolve(message, id=_id_of(keys.name))
        return RouteTest(
            name=keys.name, message=message, expect=keys.expect, file=node.file, line=node.line
        )

    # --- the message --------------------------------------------------------------------------

    def _message(self, node: Node) -> Message | MessageError:
        """Read the message, or the error with which making it is refused."""
        gathering = Gathering()
        gathering.add(self._name_problems(node))
        gathering.raise_if_any()
        try:
            return self._messages.read(_plain(node))
        except MessageError as error:
            return error

    def _name_problems(self, node: Node) -> Iterator[Problem]:
        """Yield what is misspelt, which no test means to be refused."""
        given = node.entries()
        channel = given["channel"].value if "channel" in given else None
        if channel is None:
            yield node.problem('"channel" is missing; write channel: sms')
            return
        kind = self._types.get(channel.text("a channel"))
        if kind is None:
            yield channel.problem(unknown(channel.text(), "a channel", self._types))
            return
        known = ["channel", *(field.name for field in attrs.fields(kind))]
        for name, entry in given.items():
            if name not in known:
                yield entry.key.problem(unknown(name, f"a field of {kind.channel}", known))

    # --- what is expected ---------------------------------------------------------------------

    def _expected(self, node: Node) -> Expected:
        readers: dict[str, Reader] = {
            "route": partial(_one_of, known=self._routes, what="a route of this configuration"),
            "legs": partial(read_each, read=self._leg),
            "parts": partial(_bound, kind=int),
            "cost": partial(_bound, kind=Decimal),
            "error": _read_error,
            "words": Node.text,
        }
        expected = structure(node, Expected, readers)
        gathering = Gathering()
        gathering.add(_contradictions(node, expected))
        gathering.raise_if_any()
        return expected

    def _leg(self, node: Node) -> ExpectedLeg:
        if not node.is_mapping:
            return ExpectedLeg(channel=self._channel(node))
        keys = structure(node, _LegKeys, {"channel": self._channel, "via": self._via})
        providers, in_order = keys.via
        return ExpectedLeg(channel=keys.channel, via=providers, in_order=in_order)

    def _channel(self, node: Node) -> str:
        return _one_of(node, known=list(self._types), what="a channel")

    def _via(self, node: Node) -> tuple[tuple[str, ...], bool]:
        if not node.is_mapping:
            return read_each(node, self._provider), True
        read_spread = partial(read_each, read=self._provider)
        return structure(node, _ViaKeys, {"spread": read_spread}).spread, False

    def _provider(self, node: Node) -> str:
        return _one_of(node, known=self._providers, what="a provider of this configuration")


def _one_of(node: Node, *, known: Sequence[str], what: str) -> str:
    text = node.text()
    if text not in known:
        raise node.error(unknown(text, what, known))
    return text


def _bound(node: Node, *, kind: type[int] | type[Decimal]) -> int | Decimal:
    bound = read_scalar(node, kind)
    if bound < 0:
        raise node.error(f"{quoted(node.text())} is less than nothing")
    return bound


def _read_error(node: Node) -> type[MessageError]:
    return REFUSALS[_one_of(node, known=list(REFUSALS), what="an error of a message")]


def _contradictions(node: Node, expected: Expected) -> Iterator[Problem]:
    """Yield what a test cannot expect, or what does not belong together."""
    given = node.entries()
    if expected.route is None and expected.error is None:
        yield node.problem("expects nothing; write route: and the name of one, or error:")
    if expected.words is not None and expected.error is None:
        yield given["words"].key.problem("needs error beside it: they are words of a refusal")
    for name in ("legs", "parts", "cost"):
        if name in given and expected.error is not None:
            yield given[name].key.problem("cannot stand beside error: what is refused has no plan")


# --- from nodes to plain values -------------------------------------------------------------


def _plain(node: Node) -> Any:
    """Return a value as an option of the command line would give it: texts, lists, objects."""
    if node.is_mapping:
        return {key: _plain(entry.value) for key, entry in node.entries().items()}
    if node.is_list:
        return [_plain(item) for item in node.items()]
    return None if node.is_null else node.scalar


def _place_of(error: MessageError, message: Node) -> Node:
    """Return where the value stands that an error begins with, or the whole message."""
    name, colon, _ = str(error).partition(":")
    entry = message.entries().get(name) if colon else None
    return entry.value if entry else message


def _has_id(node: Node) -> bool:
    message = node.get("message")
    return message is not None and message.get("id") is not None


def _id_of(name: str) -> str:
    """Return the id of a message that has none, so that a test draws the same provider each time.

    Only its own name decides it: another test that is put before it changes nothing.
    """
    return f"test-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
