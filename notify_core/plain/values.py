"""One plain value (of JSON or an option) as the annotation of an attribute asks for it, and back.

``ValueError`` says what a value should be and does not quote it: it may be a message's text.
"""

from __future__ import annotations

import base64
import enum
import json
import math
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


def written(value: object) -> Any:
    """Return a value as JSON can hold it, so that ``read`` makes it again.

    Raises ``ValueError`` for one that JSON cannot hold.
    """
    match value:
        case enum.Enum() if isinstance(value, str | int):
            return value.value  # it stands for a text or a number, and may be read as one
        case enum.Enum():
            return value.name.lower()
        case str():
            return _whole_text(value)
        case None | bool() | int():
            return value
        case float() if math.isfinite(value):
            return value
        case datetime():
            return value.isoformat()
        case timedelta():
            return _duration(value)
        case Decimal():
            return str(value)
        case bytes():
            return value.hex()
        case Attachment(name, content):
            return {"name": name, "content_base64": base64.b64encode(content).decode()}
        case _:
            return _written_whole(value)


def as_json(value: object) -> Any:
    """Return a value that nothing describes, and that must come back as it is.

    Raises ``ValueError`` for one that JSON would change.
    """
    if isinstance(value, Mapping):
        return {_key(key): as_json(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(each) for each in value]
    if value is None or isinstance(value, str | int) or _is_finite(value):
        return written(value)
    raise ValueError(f"a {type(value).__name__} cannot be kept; use a text, a number or a list")


def _is_finite(value: object) -> bool:
    return isinstance(value, float) and math.isfinite(value)


def _written_whole(value: object) -> Any:
    if isinstance(value, frozenset | set):
        return sorted((written(each) for each in value), key=repr)
    if isinstance(value, Mapping):
        return {_key(key): written(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [written(each) for each in value]
    if attrs.has(type(value)):
        given = attrs.asdict(value, recurse=False)  # type: ignore[arg-type]
        return {name: written(each) for name, each in given.items() if each not in (None, {})}
    raise ValueError(f"a {type(value).__name__} cannot be kept; use a text, a number or a list")


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise ValueError(f"a key is {type(key).__name__}, not str")
    return _whole_text(key)


def _whole_text(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("it holds half of a surrogate pair, which is no character") from None
    return value


def _duration(span: timedelta) -> str:
    milliseconds = math.ceil(span / timedelta(milliseconds=1)) - span.days * 86_400_000
    seconds, rest = divmod(milliseconds, 1000)
    return f"{span.days}d{seconds}s{rest}ms"


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
