"""The emulator's own addresses at which one does something: switches, clock, incoming, statuses.

They take JSON, and those of the page forms too.
"""

import functools
import json
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from aiohttp import web
from attrs import NOTHING, AttrsInstance, fields_dict

from .admin import describe, describe_incoming
from .disorder import Disorder
from .faults import Fault
from .lives import Life
from .model import Status
from .postman import Handlers
from .stage import Stage

_FORM = "application/x-www-form-urlencoded"
_Action = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, object]]]
_DONE = {"ok": True}
_T = TypeVar("_T", bound=AttrsInstance)


class Controls:
    """Does what it is told, or answers 400 and what is wrong."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def add_routes(self, app: web.Application) -> None:
        """Add the endpoints."""
        for path, action in self._actions().items():
            app.router.add_post(f"/_emulator/{path}", functools.partial(_carry_out, action))
        for path, clear in self._clears().items():
            app.router.add_delete(f"/_emulator/{path}", functools.partial(_clear, clear))

    def _actions(self) -> Mapping[str, _Action]:
        return {
            "faults": self._add_fault,
            "disorder": self._add_disorder,
            "lives": self._add_life,
            "handlers": self._set_handlers,
            "status": self._become,
            "incoming": self._receive,
            "calls": self._call,
            "clock": self._move_clock,
            "reset": self._start_over,
        }

    def _clears(self) -> Mapping[str, Callable[[], None]]:
        stage = self._stage
        return {
            "faults": stage.faults.clear,
            "disorder": stage.postman.disorders.clear,
            # Looked up when it is called: a reset makes other ones.
            "lives": lambda: stage.gateway.lives.clear(),
        }

    async def _add_fault(self, values: Mapping[str, Any]) -> Mapping[str, object]:
        self._stage.faults.add(_make(Fault, values))
        return _DONE

    async def _add_disorder(self, values: Mapping[str, Any]) -> Mapping[str, object]:
        self._stage.postman.disorders.add(_make(Disorder, values))
        return _DONE

    async def _add_life(self, values: Mapping[str, Any]) -> Mapping[str, object]:
        self._stage.gateway.lives.add(_make(Life, values))
        return _DONE

    async def _set_handlers(self, values: Mapping[str, Any]) -> Mapping[str, object]:
        self._stage.postman.direct(**_read(values, optional=tuple(fields_dict(Handlers))))
        return _DONE

    async def _become(self, values: Mapping[str, Any]) -> Mapping[str, object]:
        given = _read(values, "id", "status", optional=("phone", "err"))
        message = await self._stage.become(
            given["id"],
            Status(_number(given, "status")),
            phone=given.get("phone"),
            err=None if given.get("err") is None else _number(given, "err"),
        )
        return describe(message)

    async def _receive(self, values: Mapping[str, Any]) -> Mapping[str, object]:
        given = _read(values, "phone", "text", "to")
        texts = {name: str(value) for name, value in given.items()}
        return describe_incoming(await self._stage.receive(**texts))

    async def _call(self, values: Mapping[str, Any]) -> Mapping[str, object]:
        call = await self._stage.call(str(_read(values, "phone")["phone"]))
        return {"phone": call.phone, "ts": int(call.at)}

    async def _move_clock(self, values: Mapping[str, Any]) -> Mapping[str, object]:
        given = {"advance": 0, **_read(values, optional=("advance",))}
        await self._stage.advance(_seconds(given, "advance"))
        return {"now": self._stage.clock.now()}

    async def _start_over(self, _values: Mapping[str, Any]) -> Mapping[str, object]:
        self._stage.reset()
        return _DONE


async def _carry_out(action: _Action, http: web.Request) -> web.Response:
    text = await http.text()
    # By what it looks like: curl calls everything a form, JSON too.
    by_page = http.content_type == _FORM and text.lstrip()[:1] not in ("", "{", "[")
    try:
        done = await action(_read_form(text) if by_page else _read_object(text))
    except (ValueError, TypeError, LookupError) as exc:
        return web.json_response({"error": str(exc.args[0] if exc.args else exc)}, status=400)
    if by_page:
        raise web.HTTPSeeOther("/")
    return web.json_response(done)


async def _clear(clear: Callable[[], None], _http: web.Request) -> web.Response:
    clear()
    return web.json_response(_DONE)


def _read_form(text: str) -> Mapping[str, Any]:
    return dict(parse_qsl(text, keep_blank_values=True))


def _read_object(text: str) -> Mapping[str, Any]:
    try:
        values = json.loads(text or "{}")
    except ValueError as exc:
        raise ValueError(f"this is no JSON: {exc}") from exc
    if not isinstance(values, dict):
        raise TypeError("a JSON object is expected")
    return values


def _make(kind: type[_T], values: Mapping[str, Any]) -> _T:
    """Make a switch from JSON; ValueError or TypeError names what is wrong."""
    fields = fields_dict(kind)
    needed = [name for name, field in fields.items() if field.default is NOTHING]
    optional = tuple(name for name in fields if name not in needed)
    return kind(**_read(values, *needed, optional=optional))


def _read(
    values: Mapping[str, Any], *needed: str, optional: tuple[str, ...] = ()
) -> Mapping[str, Any]:
    known = (*needed, *optional)
    if unknown := sorted(values.keys() - set(known)):
        raise ValueError(f"{', '.join(unknown)}: not known here; known: {', '.join(known)}")
    if missing := [name for name in needed if name not in values]:
        raise ValueError(f"{', '.join(missing)}: missing")
    return values


def _number(values: Mapping[str, Any], name: str) -> int:
    try:
        return int(values[name])
    except (ValueError, TypeError, OverflowError):
        raise ValueError(f"{name}: a whole number is expected") from None


def _seconds(values: Mapping[str, Any], name: str) -> float:
    try:
        seconds = float(values[name])
    except (ValueError, TypeError, OverflowError):
        seconds = math.nan
    if not math.isfinite(seconds):
        raise ValueError(f"{name}: a number of seconds is expected")
    return seconds
