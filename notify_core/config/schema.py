"""A JSON Schema of the configuration, for editors: what a file can hold, with this installation.

It is made of the attrs classes of the core and of the installed provider types. An editor reads
YAML 1.2 and sees values, not their spelling; where the loader takes the text of any single value,
the schema takes numbers and words like ``true`` too.
"""

from __future__ import annotations

from collections.abc import Mapping

from notify_core.config.includes import SHARED
from notify_core.config.model import Breaker, Config, JournalConfig, Retry, WorkerConfig
from notify_core.config.schema_routes import route_definitions, routes_schema
from notify_core.config.schema_tests import test_definitions
from notify_core.config.schema_types import (
    A_MOMENT,
    A_SECOND,
    Schema,
    class_schema,
    definitions,
    lasting,
    limited,
    one_or_more,
    ref,
)
from notify_core.config.sections import Callbacks, WebhookConfig
from notify_core.message import Message
from notify_core.provider import ProviderType

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_ONE: Schema = {"minimum": 1}
_ZERO: Schema = {"minimum": 0}
_JOURNAL = (
    r"^(?:memory:?|(?:postgres|postgresql|memory)(?:\+\w+)?://[\s\S]*"
    r"|sqlite:///(?!:memory:$).+)$"
)
_NETWORK: Schema = {
    "type": "string",
    "pattern": r"^(?:[0-9.]+(?:/(?:[0-9]|[12][0-9]|3[0-2]|[0-9]+\.[0-9.]+))?"
    r"|[0-9A-Fa-f.]*:[0-9A-Fa-f.:]+(?:/[0-9]{1,3})?)$",
}
_LISTEN: Schema = {"type": "string", "pattern": r"^[^@]+:[0-9]{1,5}$"}
_ADDRESS: Schema = {"type": "string", "pattern": r"^[Hh][Tt][Tt][Pp][Ss]?://[^/@\s]+(?:[/?#]\S*)?$"}
# 24 to 64 bytes in base64, with or without what fills it up.
_HOOK_SECRET: Schema = {"type": "string", "pattern": "^whsec_[A-Za-z0-9+/]{32,86}={0,2}$"}
_NEED_A_JOURNAL = ("callbacks", "incoming", "suppression", "webhooks")


def schema(types: Mapping[str, ProviderType], messages: Mapping[str, type[Message]]) -> Schema:
    """Return the schema of a configuration with these provider types and message types."""
    return _document(_root(), types, messages)


def included_schema(
    types: Mapping[str, ProviderType], messages: Mapping[str, type[Message]]
) -> Schema:
    """Return the schema of a file that another one includes."""
    sections = {
        "providers": _providers(least=0),
        "routes": {"type": "array", "items": ref("route")},
        "tests": _tests(),
    }
    root = {
        "type": "object",
        "description": "Providers, routes and tests that belong to another file.",
        "properties": {key: sections[key] for key in SHARED},
        "additionalProperties": False,
    }
    return _document(root, types, messages)


def _document(
    root: Schema, types: Mapping[str, ProviderType], messages: Mapping[str, type[Message]]
) -> Schema:
    brought = {f"provider-{name}": _provider_of(each) for name, each in sorted(types.items())}
    return {
        "$schema": DIALECT,
        "title": "configuration of notify-core",
        **root,
        "$defs": {
            **definitions(),
            **route_definitions(messages),
            **test_definitions(messages),
            "provider": _provider(types),
            **brought,
        },
    }


def _root() -> Schema:
    overrides = {
        "version": {"enum": [1, "1"]},
        "default_region": ref("country"),
        "providers": _providers(least=1),
        "routes": routes_schema(),
        "journal": _journal(),
        "webhooks": one_or_more(_webhook()),
        "retry": _retry(),
        "breaker": limited(class_schema(Breaker), {"failures": _ONE}),
        "worker": limited(class_schema(WorkerConfig), {"concurrency": _ONE, "reserved": _ZERO}),
        "callbacks": _callbacks(),
    }
    found = class_schema(Config, overrides, besides={"tests": _tests()}, unreadable={})
    whole = {"required": ["providers", "routes"]}
    return found | {
        "required": ["version"],
        "anyOf": [whole, {"required": ["include"]}],
        "dependentRequired": {key: ["journal"] for key in _NEED_A_JOURNAL},
        "if": {"not": {"required": ["journal"]}},
        "then": {"properties": {"routes": {"items": ref("route-that-cannot-wait")}}},
    }


def _tests() -> Schema:
    return {"type": "array", "items": ref("test")}


def _retry() -> Schema:
    below_one = {"minimum": 0, "exclusiveMaximum": 1}
    limits = {"rounds": _ONE, "factor": _ONE, "jitter": below_one, "budget": _ZERO}
    return limited(class_schema(Retry), limits)


def _callbacks() -> Schema:
    networks = {"type": "object", "additionalProperties": one_or_more(_NETWORK)}
    overrides = {"networks": networks, "proxies": one_or_more(_NETWORK), "listen": _LISTEN}
    return limited(class_schema(Callbacks, overrides), {"largest": _ONE, "threads": _ONE})


def _journal() -> Schema:
    url = _or_reference({"type": "string", "pattern": _JOURNAL})
    times = {"lease": _or_reference(lasting(A_SECOND)), "keys": _or_reference(lasting(A_MOMENT))}
    whole = class_schema(JournalConfig, {"url": url, **times}, references=True)
    return {"anyOf": [url, limited(whole, {"pool_size": _ONE})]}


def _webhook() -> Schema:
    secrets = one_or_more(_or_reference(_HOOK_SECRET), least=1)
    overrides = {"url": _or_reference(_ADDRESS), "secrets": secrets}
    return class_schema(WebhookConfig, overrides, references=True)


def _or_reference(plain: Schema) -> Schema:
    return {"anyOf": [plain, ref("reference")]}


# --- providers ------------------------------------------------------------------------------


def _providers(least: int) -> Schema:
    return {
        "type": "object",
        "minProperties": least,
        "propertyNames": {"pattern": r"\S"},
        "additionalProperties": ref("provider"),
    }


def _provider(types: Mapping[str, ProviderType]) -> Schema:
    """Describe a provider by its type, so that an editor offers the keys of that type alone."""
    return {
        "type": "object",
        "properties": {"type": {"enum": sorted(types)}},
        "required": ["type"],
        "allOf": [
            {
                "if": {"properties": {"type": {"const": name}}, "required": ["type"]},
                "then": ref(f"provider-{name}"),
            }
            for name in sorted(types)
        ],
    }


def _provider_of(provider_type: ProviderType) -> Schema:
    of_type = {"type": {"const": provider_type.name}}
    return class_schema(provider_type.config_class, references=True, besides=of_type)
