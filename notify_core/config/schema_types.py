"""JSON Schemas of types: scalars, and attrs classes whose attributes are keys."""

from __future__ import annotations

import collections.abc
import enum
import re
import types
from collections.abc import Iterable, Iterator, Mapping
from datetime import time, timedelta
from decimal import Decimal
from typing import Any, TypeAlias, Union, get_args, get_origin, get_type_hints

import attrs

from notify_core.config import values
from notify_core.config.structure import keys_of
from notify_core.config.written import one_line, written
from notify_core.secret import Secret

Schema: TypeAlias = dict[str, Any]

NOTHING: Mapping[str, Schema] = types.MappingProxyType({})
NEVER: Schema = {"not": {}}
NULL: Schema = {"type": "null"}
_OBJECT: Schema = {"type": "object"}

# A file is absolute: /run/secrets/name, or C:/name where there are drives.
_REFERENCE = r"\$\{(?:env:[^{}]+|file:(?:/|[A-Za-z]:)[^{}]*)\}"
_EVERY_BRACE_IS_RIGHT = rf"^(?:\$\$\{{|{_REFERENCE}|(?!\$\$?\{{)[\s\S])*$"
_SINGLE = ["string", "number", "boolean"]

_TEXT: Schema = {"type": _SINGLE}
_SECRET: Schema = {
    "type": _SINGLE,
    "minLength": 1,
    "not": {"type": "string", "pattern": r"^\$[A-Z_][A-Z0-9_]*$"},
}
_WHOLE: Schema = {"type": "integer"}
_NUMBER: Schema = {"type": "number"}


def pattern_of(expression: re.Pattern[str]) -> str:
    """Return a regular expression for a whole text in the dialect of JSON Schema."""
    return f"^(?:{re.sub(r'[(][?]P<[^>]+>', '(?:', expression.pattern)})$"


def _words(words: Iterable[str]) -> str:
    """Return the pattern of some words in any case."""
    any_case = ("".join(f"[{c.upper()}{c}]" for c in word) for word in words)
    return f"^(?:{'|'.join(any_case)})$"


def _text(pattern: str) -> Schema:
    return {"type": "string", "pattern": pattern}


_SCALARS: Mapping[type, tuple[str, Schema]] = {
    str: ("text", _TEXT),
    Secret: ("secret", _SECRET),
    int: ("whole", {"anyOf": [_WHOLE, _text(pattern_of(values.WHOLE))]}),
    float: ("number", {"anyOf": [_NUMBER, _text(pattern_of(values.NUMBER))]}),
    Decimal: ("number", {"anyOf": [_NUMBER, _text(pattern_of(values.NUMBER))]}),
    bool: ("truth", {"anyOf": [{"type": "boolean"}, _text(_words(values.TRUE + values.FALSE))]}),
    timedelta: ("duration", _text(pattern_of(values.DURATION))),
    time: ("time", _text(pattern_of(values.TIME))),
}
_EXAMPLES = {"duration": ["20s", "5m", "1h30m", "500ms", "2d"], "time": ["09:00", "21:00"]}


def definitions() -> dict[str, Schema]:
    """Return the scalars by name, each also in the form that takes references to secrets."""
    found = {}
    for name, plain in _SCALARS.values():
        examples = {"examples": _EXAMPLES[name]} if name in _EXAMPLES else {}
        found[name] = plain | examples
        found[f"{name}-or-reference"] = _or_reference(plain) | examples
    return found | {"reference": _text(f"{_REFERENCE}")}


def _or_reference(plain: Schema) -> Schema:
    if plain.get("type") == _SINGLE:  # a text may hold several, and each ${ must begin one
        return {"allOf": [plain, {"pattern": _EVERY_BRACE_IS_RIGHT}]}
    return {"anyOf": [plain, ref("reference")]}


def ref(name: str) -> Schema:
    """Refer to a definition of the whole schema."""
    return {"$ref": f"#/$defs/{name}"}


def one_or_more(item: Schema, *, least: int = 0, unique: bool = False) -> Schema:
    """Describe a list, for one value of which the value alone will do."""
    several: Schema = {"type": "array", "items": item}
    if least:
        several["minItems"] = least
    if unique:
        several["uniqueItems"] = True
    return {"anyOf": [item, several]}


def lasting(pattern: str) -> Schema:
    """Describe a duration that is long enough for one of the patterns below."""
    return {"allOf": [ref("duration"), {"pattern": pattern}]}


A_MOMENT = "[1-9]"
"""More than zero."""

A_SECOND = "[1-9][0-9]*(?:[dhs]|m(?!s))|[1-9][0-9]{3,}ms"
"""At least one second."""


def words(meanings: Iterable[object]) -> Schema:
    """Describe one of some words."""
    return {"enum": [str(written(each)) for each in meanings]}


def type_schema(
    hint: Any,
    *,
    references: bool = False,
    unreadable: Schema = NEVER,
    within: tuple[type, ...] = (),
) -> Schema:
    """Describe what an attribute of this type can be written as.

    With ``references`` a value may refer to a variable or file. ``unreadable`` describes a type
    that has no YAML of its own, ``within`` are the classes whose attribute it is: one that holds
    its own kind is described down to the first repetition.
    """

    def of(part: Any) -> Schema:
        return type_schema(part, references=references, unreadable=unreadable, within=within)

    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType) and arguments[1:] == (types.NoneType,):
        return {"anyOf": [of(arguments[0]), NULL]}
    if origin is tuple and arguments[1:] == (...,):
        return one_or_more(of(arguments[0]))
    if origin is collections.abc.Mapping and arguments[0] is str:
        return {"type": "object", "additionalProperties": of(arguments[1])}
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return {"anyOf": [words(hint), ref("reference")]} if references else words(hint)
    if isinstance(hint, type) and attrs.has(hint):
        is_new = hint not in within
        return class_schema(hint, references=references, within=within) if is_new else _OBJECT
    if hint in _SCALARS:
        name, _ = _SCALARS[hint]
        return ref(f"{name}-or-reference" if references else name)
    return unreadable


def class_schema(
    cls: type,
    overrides: Mapping[str, Schema] = NOTHING,
    *,
    references: bool = False,
    besides: Mapping[str, Schema] = NOTHING,
    leaving_out: Iterable[str] = (),
    unreadable: Schema = NEVER,
    within: tuple[type, ...] = (),
) -> Schema:
    """Describe the mapping of which a class is made.

    ``overrides`` describe keys that need more than their type, ``besides`` are keys that somebody
    else reads, and ``leaving_out`` are attributes that are no keys.
    """
    hints = get_type_hints(cls)
    properties = dict(besides)
    required = []
    for key, field in keys_of(cls).items():
        if key not in leaving_out:
            own = overrides.get(key) or type_schema(
                hints[field.name],
                references=references,
                unreadable=unreadable,
                within=(*within, cls),
            )
            properties[key] = dict(_about(cls, field, own))
            if field.default is attrs.NOTHING:
                required.append(key)
    return {
        "type": "object",
        "description": one_line(_first_sentence(cls)),
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def limited(schema: Schema, limits: Mapping[str, Schema]) -> Schema:
    """Add to the properties of a class what it checks of them itself."""
    added = {key: own | limits.get(key, {}) for key, own in schema["properties"].items()}
    return schema | {"properties": added}


def _about(cls: type, field: attrs.Attribute[Any], own: Schema) -> Iterator[tuple[str, Any]]:
    """Yield a schema with what is known of its key: what it means, and the default."""
    yield from own.items()
    told = [each for each in _sentences(cls) if f"``{field.name}``" in each]
    if told and "description" not in own:
        yield "description", one_line(" ".join(told))
    default = _default(field.default)
    if default is not None:
        yield "default", default


def _default(default: Any) -> Any:
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        default = None if default.takes_self else default.factory()
    return None if _is_secret(default) else written(default)


def _is_secret(default: object) -> bool:
    return isinstance(default, Secret) or default is attrs.NOTHING


def _sentences(cls: type) -> list[str]:
    return re.split(r"(?<=[.?!])\s+(?=[A-Z`])", " ".join((cls.__doc__ or "").split()))


def _first_sentence(cls: type) -> str:
    return _sentences(cls)[0]
