"""A receiver of webhooks on loopback, which checks signatures as the specification says."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import attrs

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@attrs.frozen
class Call:
    """A call as it came."""

    id: str
    timestamp: str
    signatures: str
    body: bytes
    authorization: str | None = None

    @property
    def told(self) -> Any:
        return json.loads(self.body)

    def is_signed_with(self, secret: str) -> bool:
        """Check it as the specification says: by the bytes behind ``whsec_``, of any signature."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        content = f"{self.id}.{self.timestamp}.".encode() + self.body
        expected = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
        return f"v1,{expected}" in self.signatures.split(" ")


@attrs.frozen
class Reply:
    """A status and headers; before it is sent, something may ``happen``."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    happen: Callable[[], object] = lambda: None
    body: bytes = b'{"ok": true}'


class Receiver(ThreadingHTTPServer):
    """Takes calls, and answers each with the next reply, else with success."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.calls: list[Call] = []
        self.replies: deque[Reply] = deque()
        self.connections = 0
        self.url = f"http://127.0.0.1:{self.server_port}/notify"
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def get_request(self) -> Any:
        self.connections += 1
        return super().get_request()

    def handle_error(self, *_: object) -> None:
        """Let who calls hang up when it likes."""

    def close(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    @property
    def ids(self) -> list[str]:
        return [call.id for call in self.calls]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        event_id, at, signatures = (
            self.headers[f"webhook-{each}"] for each in ("id", "timestamp", "signature")
        )
        authorization = self.headers["Authorization"]
        self.server.calls.append(Call(event_id, at, signatures, body, authorization))
        replies = self.server.replies
        reply = replies.popleft() if replies else Reply()
        reply.happen()
        self.send_response(reply.status)
        for name, value in (*reply.headers, ("Content-Length", str(len(reply.body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
