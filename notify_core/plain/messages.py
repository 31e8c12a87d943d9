"""From plain values, as a JSON file or options give them, to a typed message, and back.

What a message type has is read from its attrs class, so the types of plugins work like those of
the core. Nothing here does I/O but for reading attachments that are given as paths.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import attrs

from notify_core.attachment import Attachment
from notify_core.errors import MessageError, PluginError
from notify_core.message import Message
from notify_core.plain.values import as_json, many, mentions, read, written

MessageTypes: TypeAlias = Mapping[str, type[Message]]


class MessageReader:
    """Make messages of plain values; ``known`` are the message types by channel."""

    def __init__(self, known: MessageTypes) -> None:
        self._known = known
        self._hints: dict[type[Message], Mapping[str, Any]] = {}

    def read(self, values: object) -> Message:
        """Make the message that ``values`` describe; their ``channel`` names its type.

        Raises ``MessageError`` that names the value and what it should be.
        """
        if not isinstance(values, Mapping):
            raise MessageError('a message is an object: {"channel": "sms", "to": …, "text": …}')
        target = message_type(values.get("channel"), self._known)
        given = {name: value for name, value in values.items() if name != "channel"}
        _check_names(target, given)
        hints = self._hints_of(target)
        converted = {
            name: self._alternatives(value) if name == "alternatives" else _read(name, value, hints)
            for name, value in given.items()
        }
        return _construct(target, converted)

    def _alternatives(self, value: object) -> tuple[Message, ...]:
        return tuple(self.read(each) for each in many(value))

    def _hints_of(self, target: type[Message]) -> Mapping[str, Any]:
        # Worked out once: it takes longer than all the rest.
        if target not in self._hints:
            self._hints[target] = _hints(target)
        return self._hints[target]


def make_message(values: object, known: MessageTypes) -> Message:
    """Make one message; see ``MessageReader.read``."""
    return MessageReader(known).read(values)


def plain(message: Message) -> dict[str, Any]:
    """Return the values that describe a message, without those that are the default.

    ``MessageReader.read`` makes an equal message of them. Raises ``MessageError`` for a value that
    JSON cannot hold.
    """
    values: dict[str, Any] = {"channel": message.channel}
    for field in attrs.fields(type(message)):
        value = getattr(message, field.name)
        if field.name == "alternatives":
            value = [plain(alternative) for alternative in value]
        if field.name == "id" or not _is_default(field, value):
            values[field.name] = _written(field.name, value)
    return values


def _is_default(field: attrs.Attribute[Any], value: object) -> bool:
    default: Any = field.default
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        return not value and default.factory in _EMPTY
    return bool(value == default)


_EMPTY = (dict, list, tuple, frozenset, set)
"""The factories of a default that is empty."""


def _written(name: str, value: object) -> Any:
    try:
        return as_json(value) if name == "extra" else written(value)
    except ValueError as error:
        raise MessageError(f"{name}: {error}") from error


def message_type(channel: object, known: MessageTypes) -> type[Message]:
    """Return the message type of a channel, or raise ``MessageError`` that names them all."""
    if not isinstance(channel, str) or channel not in known:
        wrong = f"{channel!r} is not a channel" if channel else "the channel is missing"
        raise MessageError(f"{wrong}; known: {', '.join(sorted(known))}")
    return known[channel]


def file_field(target: type[Message]) -> str | None:
    """Return the name of the attribute that takes files, or None if the type has none."""
    hints = _hints(target)
    names = (field.name for field in attrs.fields(target))
    return next((name for name in names if mentions(hints[name], Attachment)), None)


def _hints(target: type[Message]) -> Mapping[str, Any]:
    try:
        return typing.get_type_hints(target)
    except NameError as error:
        raise PluginError(
            target.channel, f"{target.__name__} has an annotation that is not imported: {error}"
        ) from error


def _check_names(target: type[Message], given: Iterable[str]) -> None:
    fields = attrs.fields(target)
    names = [field.name for field in fields]
    for name in given:
        if name not in names:
            raise MessageError(f"{target.channel} has no {name}; it has {', '.join(names)}")
    for field in fields:
        if field.default is attrs.NOTHING and field.name not in given:
            raise MessageError(f"{target.channel} needs {field.name}")


def _construct(make: Callable[..., Message], values: Mapping[str, Any]) -> Message:
    try:
        return make(**values)
    except MessageError:
        raise
    except (TypeError, ValueError) as error:  # a validator of somebody else's class
        raise MessageError(str(error)) from error


def _read(name: str, value: object, hints: Mapping[str, Any]) -> Any:
    try:
        return read(value, hints[name])
    except MessageError:
        raise
    except ValueError as error:
        raise MessageError(f"{name}: {error}") from error
