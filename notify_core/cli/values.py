"""One plain value (of JSON or an option) as the annotation of an attribute asks for it.

``ValueError`` says what a value should be and does not quote it: it may be a message's text.
"""

from __future__ import annotations

import base64
import enum
import json
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs

from notify_core.attachment import Attachment
from notify_core.config.values import parse_bool, parse_decimal, parse_duration

_WEB = ("http://", "https://")


def read(value: object, wanted: Any) -> Any:
    """Return ``value`` as the annotation ``wanted`` says."""
    origin = typing.get_origin(wanted) or wanted
    if origin in (typing.Union, types.UnionType):
        return read(value, _choose(value, typing.get_args(wanted)))
    if origin in (tuple, frozenset):
        item = typing.get_args(wanted)[0]
        return origin(read(each, item) for each in many(value))
    if origin is Any or isinstance(value, origin):
        return value
    if issubclass(origin, enum.Enum):
        return _member(value, origin)
    if origin is Attachment:
        return _attachment(value)
    if issubclass(origin, Mapping):
        return _object(value)
    if attrs.has(origin):
        return _instance(_object(value), origin)
    return _scalar(value, origin)


def many(value: object) -> Sequence[object]:
    """Return a list as it is, and anything else as its only item."""
    return value if isinstance(value, list | tuple) else [value]


def mentions(wanted: Any, sought: type) -> bool:
    """Tell whether an annotation is, or has within it, the type ``sought``."""
    return wanted is sought or any(mentions(part, sought) for part in typing.get_args(wanted))


def _choose(value: object, options: Sequence[Any]) -> Any:
    """Return which type of a union a value is meant for."""
    if value is None and types.NoneType in options:
        return types.NoneType
    real = [option for option in options if option is not types.NoneType]
    if Attachment in real and isinstance(value, str):
        return str if str in real and value.startswith(_WEB) else Attachment
    if str in real and isinstance(value, str):
        return str
    composed = [option for option in real if isinstance(option, type) and attrs.has(option)]
    return composed[0] if composed and isinstance(value, dict) else real[0]


def _member(value: object, wanted: type[enum.Enum]) -> enum.Enum:
    for member in wanted:
        if value in (member.value, member.name.lower()):
            return member
    raise ValueError(f"write one of {', '.join(member.name.lower() for member in wanted)}")


def _attachment(value: object) -> Attachment:
    match value:
        case str():
            return Attachment.from_path(value)
        case {"name": str(name), "content_base64": str(content), **rest} if not rest:
            return Attachment(name, base64.b64decode(content, validate=True))
        case _:
            raise ValueError('write a path, or {"name": …, "content_base64": …}')


def _object(value: object) -> dict[str, Any]:
    """Return an object; in an option it is written as JSON."""
    found = json.loads(value) if isinstance(value, str) and value.startswith("{") else value
    if not isinstance(found, dict):
        raise ValueError("write an object: {…}")
    return found


def _instance(values: dict[str, Any], wanted: type[attrs.AttrsInstance]) -> object:
    hints = typing.get_type_hints(wanted)
    known = attrs.fields_dict(wanted)
    if unknown := sorted(values.keys() - known.keys()):
        raise ValueError(f"{', '.join(unknown)} is not known here; known: {', '.join(known)}")
    return wanted(**{name: read(value, hints[name]) for name, value in values.items()})


def _scalar(value: object, wanted: type) -> object:
    if wanted not in _SCALARS:
        raise ValueError(f"a {wanted.__name__} cannot be written here")
    words, parse = _SCALARS[wanted]
    # JSON has numbers for what an option can only spell.
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"write {words}")
    try:
        return parse(str(value))
    except ValueError:
        # Not the parser's own words: some quote the value.
        raise ValueError(f"write {words}") from None


def _not_a_text(_: str) -> str:
    raise ValueError


_SCALARS: Mapping[type, tuple[str, Callable[[str], object]]] = types.MappingProxyType(
    {
        str: ("a text", _not_a_text),
        int: ("a whole number", int),
        float: ("a number", float),
        bool: ("true or false", parse_bool),
        Decimal: ("a number", parse_decimal),
        timedelta: ("a duration like 5m", parse_duration),
        datetime: ("a time with its zone, like 2030-01-31T12:00:00+03:00", datetime.fromisoformat),
        bytes: ("hexadecimal digits", bytes.fromhex),
    }
)
