"""The emulator's own addresses at which one reads: the page, and what was caught, as JSON."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from attrs import asdict

from .answers import money
from .incoming import IncomingMessage
from .model import CaughtMessage
from .page import content_policy, load_template, render_page
from .postman import SentReceipt
from .stage import Stage


class Admin:
    """Serves people and test scripts; the gateway's clients never come here."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._template = load_template()

    def add_routes(self, app: web.Application) -> None:
        """Add the page and the endpoints."""
        app.router.add_get("/", self._show)
        app.router.add_get("/_emulator/messages", self._tell_messages)
        app.router.add_get("/_emulator/incoming", self._tell_incoming)
        app.router.add_get("/_emulator/calls", self._tell_awaited)
        app.router.add_get("/_emulator/receipts", self._tell_receipts)
        app.router.add_get("/_emulator/counters", self._tell_counters)

    async def _show(self, _http: web.Request) -> web.Response:
        gateway = self._stage.gateway
        text = render_page(
            self._template,
            self._stage.caught(),
            gateway.inbox,
            balance=f"{money(gateway.balance)} {self._stage.settings.currency}",
        )
        headers = {"Content-Security-Policy": content_policy()}
        return web.Response(text=text, content_type="text/html", headers=headers)

    async def _tell_messages(self, _http: web.Request) -> web.Response:
        return web.json_response(
            {
                "now": self._stage.clock.now(),
                "balance": money(self._stage.gateway.balance),
                "messages": [describe(message) for message in self._stage.caught()],
            }
        )

    async def _tell_incoming(self, _http: web.Request) -> web.Response:
        messages = self._stage.gateway.inbox.messages
        return web.json_response({"messages": [describe_incoming(one) for one in messages]})

    async def _tell_awaited(self, _http: web.Request) -> web.Response:
        return web.json_response({"awaited": list(self._stage.gateway.inbox.awaited)})

    async def _tell_receipts(self, _http: web.Request) -> web.Response:
        sent = self._stage.postman.sent
        return web.json_response({"receipts": [describe_receipt(receipt) for receipt in sent]})

    async def _tell_counters(self, _http: web.Request) -> web.Response:
        counters = self._stage.gateway.tally.read()
        return web.json_response(asdict(counters) | {"too_often": counters.too_often})


def describe_incoming(message: IncomingMessage) -> Mapping[str, object]:
    """Return an incoming message as JSON knows it."""
    at = datetime.fromtimestamp(message.at, UTC)
    return {
        "id": message.id,
        "phone": message.phone,
        "text": message.text,
        "to": message.to,
        "at": at.isoformat(),
    }


def describe_receipt(receipt: SentReceipt) -> Mapping[str, object]:
    """Return an attempt at a callback as JSON knows it, without the query: it holds the secret."""
    return asdict(receipt) | {"url": receipt.url.partition("?")[0]}


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
