"""The JSON Schema of routes: the grammar that ``routes`` reads, as far as a schema can tell it."""

from __future__ import annotations

from collections.abc import Iterable
from zoneinfo import available_timezones

from notify_core.config.model import Because, IfUnknown, LegConfig, Quiet, Route, Until, When
from notify_core.config.schema_types import (
    A_MOMENT,
    A_SECOND,
    NEVER,
    Schema,
    class_schema,
    lasting,
    one_or_more,
    ref,
    words,
)
from notify_core.message import Priority
from notify_core.outcome import RefusalScope

_COUNTRY: Schema = {"type": "string", "pattern": "^[A-Z]{2}$"}
_NAME: Schema = {"type": ["string", "number", "boolean"], "pattern": r"^[^\r\n]*\S[^\r\n]*$"}
_PROVIDERS: Schema = one_or_more(ref("text"), least=1, unique=True)
_PREFIX: Schema = {"type": "string", "pattern": r"^\+[0-9]+$"}
_WEIGHT: Schema = {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string"}]}
_TRUE: Schema = {"enum": [True, "true", "yes", "on"]}
_OF_SEND = ("legs", "mode", "if_unknown", "next_on")


def route_definitions(channels: Iterable[str]) -> dict[str, Schema]:
    """Return what a route is made of, by name. ``channels`` are those of the message types."""
    return {
        "channel": {"enum": sorted(channels)},
        "country": _COUNTRY,
        "name": _NAME,
        "zone": _zones(),
        "when": _when(),
        "quiet": _quiet(),
        "leg": _leg(),
        "send": _send(),
        "route": _route(),
        "route-that-cannot-wait": _cannot_wait(),
    }


def routes_schema() -> Schema:
    """Describe the list of routes."""
    return {"type": "array", "minItems": 1, "items": ref("route")}


def _route() -> Schema:
    found = class_schema(
        Route,
        {
            "name": ref("name"),
            "when": ref("when"),
            "deadline": lasting(A_MOMENT),
            "quiet": ref("quiet"),
        },
        besides={"send": ref("send")},
        leaving_out=_OF_SEND,
    )
    return found | {"required": ["name", "send"]}


def _when() -> Schema:
    conditions = {
        "channel": ref("channel"),
        "tags": ref("text"),
        "priority": words(Priority),
        "country": ref("country"),
        # A plain +7999 is a number to an editor, which then shows no sign.
        "number_prefix": {"anyOf": [{"type": "integer"}, _PREFIX]},
        "recipient_domain": {"type": ["string", "number"], "pattern": r"^[^@\s]+$"},
        "sender": ref("text"),
    }
    return class_schema(When, {key: one_or_more(each, least=1) for key, each in conditions.items()})


def _zones() -> Schema:
    # Those with a prefix are not among the available ones, but there.
    known = {"enum": ["recipient", *sorted(available_timezones())]}
    return {"anyOf": [known, {"type": "string", "pattern": "^(?:posix|right)/"}]}


def _quiet() -> Schema:
    days = class_schema(Quiet)["properties"]["days"]["anyOf"][0]
    several = one_or_more(days, least=1, unique=True)
    several["anyOf"][1]["maxItems"] = 6
    found = class_schema(
        Quiet,
        {"days": several, "zone": ref("zone"), "unless": one_or_more(words(Priority))},
    )
    return found | {
        "anyOf": [{"required": ["from", "to"]}, {"required": ["days"]}],
        "dependentRequired": {"from": ["to"], "to": ["from"]},
    }


# --- send -----------------------------------------------------------------------------------


def _send() -> Schema:
    together = {"if_unknown": _if_unknown_of_send()}
    next_on = one_or_more(words(RefusalScope))
    alone = {**ref("leg"), "properties": together}
    return {
        "type": "object",
        "anyOf": [
            alone,
            _several("first_of", ref("leg"), {**together, "next_on": next_on}),
            _several("all_of", {**ref("leg"), **_only_accepted()}, together),
        ],
    }


def _several(form: str, leg: Schema, options: dict[str, Schema]) -> Schema:
    return {
        "type": "object",
        "properties": {form: {"type": "array", "minItems": 1, "items": leg}, **options},
        "required": [form],
        "additionalProperties": False,
    }


def _if_unknown_of_send() -> Schema:
    return words(each for each in IfUnknown if each is not IfUnknown.NEXT)


def _leg() -> Schema:
    found = class_schema(
        LegConfig,
        {
            "via": _via(),
            "channel": ref("channel"),
            "within": lasting(A_SECOND),
            "on": one_or_more(words(Because), unique=True),
            "if_unknown": words(IfUnknown),
            "distrust": {
                "type": "object",
                "additionalProperties": one_or_more(ref("country"), least=1),
            },
        },
    )
    return found | {"allOf": [_needs_a_channel(), _only_where_it_waits()]}


def _via() -> Schema:
    weights = {"type": "object", "minProperties": 2, "additionalProperties": _WEIGHT}
    spread = {
        "type": "object",
        "properties": {"spread": weights},
        "required": ["spread"],
        "additionalProperties": False,
    }
    return {"anyOf": [*_PROVIDERS["anyOf"], spread]}


def _needs_a_channel() -> Schema:
    needs = {"properties": {"needs_alternative": _TRUE}, "required": ["needs_alternative"]}
    return {"if": needs, "then": {"required": ["channel"]}}


def _only_where_it_waits() -> Schema:
    waiting = words(each for each in Until if each is not Until.ACCEPTED)
    without: Schema = dict.fromkeys(("within", "on", "distrust"), NEVER)
    return {
        "if": {"not": {"properties": {"until": waiting}, "required": ["until"]}},
        "then": {"properties": {**without, "if_unknown": _if_unknown_of_send()}},
    }


def _only_accepted() -> Schema:
    return {"properties": {"until": words([Until.ACCEPTED])}}


def _cannot_wait() -> Schema:
    """Describe what a route has not in a file without a journal."""
    legs = {"items": _only_accepted()}
    until = _only_accepted()["properties"]
    send = {"properties": {**until, "first_of": legs, "all_of": legs}}
    return {"properties": {"quiet": NEVER, "send": send}}
