"""Taking calls in through any ASGI server: mount ``callback_asgi_app`` where the providers call.

What a server and an application say to each other is in
https://asgi.readthedocs.io/en/latest/specs/www.html
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, TypeAlias

import attrs

from notify_core.notifier import Notifier
from notify_core.server.intake import Head, Intake, LiveIntake, Reason, answer_to

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
AsgiApplication: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]


def callback_asgi_app(notifier: Notifier) -> AsgiApplication:
    """Return an ASGI application that keeps what providers send to ``/<name of the provider>``.

    It is for servers on asyncio; the journal is written in threads of its default executor.
    Otherwise it is as ``callback_app``. Raises ``JournalError`` if the notifier has no journal.
    """
    return AsgiApp(LiveIntake(notifier))


class _Gone(Exception):
    """Whoever called has hung up."""


@attrs.frozen
class AsgiApp:
    """What ``callback_asgi_app`` returns, around anything that takes requests in."""

    _live: Callable[[], Intake]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"]:
            case "http":
                await self._answer(scope, receive, send)
            case "websocket":
                await send({"type": "websocket.close", "code": 1000})
            case "lifespan":
                await _live(receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        head = _head_of(scope)
        try:
            answer = answer_to(head, await self._reason(head, receive))
        except _Gone:  # nobody is there to be answered, and what came is not whole
            return
        headers = [(name.lower().encode(), text.encode()) for name, text in answer.headers]
        start = {"type": "http.response.start", "status": answer.status, "headers": headers}
        await send(start)
        await send({"type": "http.response.body", "body": answer.body})

    async def _reason(self, head: Head, receive: Receive) -> Reason:
        intake = self._live()
        reason = intake.look_at(head)
        if reason is not None:
            return reason
        body = await _body_of(head, receive, intake.largest)
        if isinstance(body, Reason):
            return body
        return await asyncio.to_thread(intake.take, head, body)


async def _live(receive: Receive, send: Send) -> None:
    """Say that all is well when the server begins and ends; there is nothing to be done."""
    while True:
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return


def _head_of(scope: Scope) -> Head:
    client = scope.get("client")
    return Head(
        method=scope["method"],
        path=scope["path"],
        query=scope.get("query_string", b"").decode("latin-1"),
        headers=_headers_of(scope.get("headers", ())),
        peer=str(client[0]) if client else "",
    )


def _headers_of(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_text in pairs:
        name, text = raw_name.decode("latin-1").lower(), raw_text.decode("latin-1")
        headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return headers


async def _body_of(head: Head, receive: Receive, largest: int) -> bytes | Reason:
    """Read the body, or say why that cannot be done. Raises ``_Gone``."""
    body = bytearray()
    more = True
    while more:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise _Gone
        body += event.get("body", b"")
        more = event.get("more_body", False)
        if len(body) > largest:
            return Reason.TOO_LARGE
    is_whole = head.length in (None, len(body))
    return bytes(body) if is_whole else Reason.BROKEN
