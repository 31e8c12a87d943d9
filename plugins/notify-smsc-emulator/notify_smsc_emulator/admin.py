"""The emulator's own addresses: the page, the caught messages, faults, reset and clock."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from .answers import money
from .clock import Clock
from .faults import Fault, Faults
from .gateway import Gateway
from .model import CaughtMessage
from .page import content_policy, load_template, render_page
from .settings import Settings


class Admin:
    """Serves people and test scripts; the gateway's clients never come here."""

    def __init__(
        self,
        gateway: Gateway,
        faults: Faults,
        settings: Settings,
        clock: Clock,
        *,
        reset: Callable[[], None],
        advance: Callable[[float], Awaitable[None]],
    ) -> None:
        self._gateway = gateway
        self._faults = faults
        self._settings = settings
        self._clock = clock
        self._reset = reset
        self._advance = advance
        self._template = load_template()

    def add_routes(self, app: web.Application) -> None:
        """Add the page and the endpoints."""
        app.router.add_get("/", self._show)
        app.router.add_get("/_emulator/messages", self._tell_messages)
        app.router.add_post("/_emulator/faults", self._add_fault)
        app.router.add_delete("/_emulator/faults", self._clear_faults)
        app.router.add_post("/_emulator/reset", self._start_over)
        app.router.add_post("/_emulator/clock", self._move_clock)

    async def _show(self, _http: web.Request) -> web.Response:
        messages = self._gateway.caught(self._clock.now())
        text = render_page(self._template, messages, self._gateway.balance, self._settings.currency)
        headers = {"Content-Security-Policy": content_policy()}
        return web.Response(text=text, content_type="text/html", headers=headers)

    async def _tell_messages(self, _http: web.Request) -> web.Response:
        messages = self._gateway.caught(self._clock.now())
        return web.json_response(
            {
                "now": self._clock.now(),
                "balance": money(self._gateway.balance),
                "messages": [describe(message) for message in messages],
            }
        )

    async def _add_fault(self, http: web.Request) -> web.Response:
        try:
            self._faults.add(Fault.read(await _read_object(http)))
        except (ValueError, TypeError) as exc:
            return _complain(exc)
        return web.json_response({"ok": True})

    async def _clear_faults(self, _http: web.Request) -> web.Response:
        self._faults.clear()
        return web.json_response({"ok": True})

    async def _start_over(self, _http: web.Request) -> web.Response:
        self._reset()
        return web.json_response({"ok": True})

    async def _move_clock(self, http: web.Request) -> web.Response:
        try:
            seconds = float((await _read_object(http)).get("advance", 0))
        except (ValueError, TypeError) as exc:
            return _complain(exc)
        await self._advance(seconds)
        return web.json_response({"now": self._clock.now()})


async def _read_object(http: web.Request) -> dict[str, Any]:
    values = json.loads(await http.text() or "{}")
    if not isinstance(values, dict):
        raise TypeError("a JSON object is expected")
    return values


def _complain(exc: Exception) -> web.Response:
    return web.json_response({"error": str(exc.args[0] if exc.args else exc)}, status=400)


def describe(message: CaughtMessage) -> dict[str, Any]:
    """Return a message as JSON knows it; of files only name and size."""
    return {
        "serial": message.serial,
        "id": message.id,
        "phone": message.phone,
        "text": message.text,
        "channel": message.channel,
        "sender": message.sender,
        "params": dict(message.params),
        "files": [{"name": file.name, "size": len(file.content)} for file in message.files],
        "transport": message.transport,
        "received_at": message.received_at.isoformat(),
        "send_at": message.send_at.isoformat(),
        "parts": message.parts,
        "cost": money(message.cost),
        "error": message.error,
        "status": message.status,
        "err": message.err,
        "deleted": message.deleted,
    }
