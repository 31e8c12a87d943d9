"""A handler of callbacks for tests: takes every call and remembers it."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl

from attrs import field, frozen

_POLL_S = 0.01


class _Server(ThreadingHTTPServer):
    # Of more than five calls at once the system would leave some waiting for a second.
    request_queue_size = 128


@frozen
class ReceivedCall:
    """One call as it came."""

    method: str
    query: str = field(repr=False)
    """What follows the question mark, undecoded; it holds the secret."""
    body: bytes
    content_type: str

    def form(self) -> dict[str, str]:
        """Return the fields of a call by form or by GET."""
        charset = self.content_type.partition("charset=")[2] or "utf-8"
        raw = self.query if self.method == "GET" else self.body.decode("ascii")
        return dict(parse_qsl(raw, keep_blank_values=True, encoding=charset))


class CallbackReceiver:
    """Listens on loopback as long as the ``with`` block; answers 200 unless told otherwise."""

    def __init__(self) -> None:
        self.calls: list[ReceivedCall] = []
        """Every call, oldest first."""
        self.replies: list[int] = []
        """The statuses of the next answers."""

    def url(self, query: str = "") -> str:
        """Return its address with this query."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/?{query}"

    def __enter__(self) -> Self:
        """Start to listen on a free port."""
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL_S,))
        self._thread.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Stop; what was received stays."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler(receiver: CallbackReceiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.path.partition("?")[2]
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            kind = self.headers.get("Content-Type", "")
            receiver.calls.append(ReceivedCall(self.command, query, body, kind))
            self.send_response(receiver.replies.pop(0) if receiver.replies else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST  # noqa: N815 (likewise)

        def log_message(self, *_args: object) -> None:
            """Write no log: it would hold the secret."""

    return Handler
