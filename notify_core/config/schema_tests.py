"""The JSON Schema of the tests of routes, as they stand beside the routes."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from notify_core.config.schema_types import Schema, one_or_more, ref
from notify_core.message import Message

_BOUND: Schema = {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string"}]}


def test_definitions(messages: Mapping[str, type[Message]]) -> dict[str, Schema]:
    """Return what a test is made of, by name. ``messages`` are the message types by channel."""
    return {"test": _test(), "message": _message(messages), "expected": _expected()}


def _closed(properties: Mapping[str, Schema], *needed: str) -> Schema:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(needed),
        "additionalProperties": False,
    }


def _test() -> Schema:
    parts = {"name": ref("name"), "message": ref("message"), "expect": ref("expected")}
    return _closed(parts, *parts)


def _message(messages: Mapping[str, type[Message]]) -> Schema:
    """Describe a message by its channel. Only names are looked at: its type checks the values."""
    return {
        "type": "object",
        "properties": {"channel": ref("channel")},
        "required": ["channel"],
        "allOf": [
            {
                "if": {"properties": {"channel": {"const": channel}}, "required": ["channel"]},
                "then": {"propertyNames": {"enum": ["channel", *_fields(kind)]}},
            }
            for channel, kind in sorted(messages.items())
        ],
    }


def _fields(kind: type[Message]) -> list[str]:
    return [field.name for field in attrs.fields(kind)]


def _expected() -> Schema:
    providers = one_or_more(ref("text"))
    spread = _closed({"spread": providers}, "spread")
    leg = _closed({"channel": ref("channel"), "via": {"anyOf": [providers, spread]}}, "channel")
    plan = {
        "legs": one_or_more({"anyOf": [ref("channel"), leg]}),
        "parts": _BOUND,
        "cost": _BOUND,
    }
    texts = {"route": ref("text"), "error": ref("text"), "words": ref("text")}
    found = _closed({**texts, **plan})
    return found | {
        "anyOf": [{"required": ["route"]}, {"required": ["error"]}],
        "dependentRequired": {"words": ["error"]},
        "dependentSchemas": {"error": {"properties": {key: {"not": {}} for key in plan}}},
    }
