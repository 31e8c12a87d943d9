"""Taking calls in through any WSGI server: mount ``callback_app`` where the providers call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import attrs

from notify_core.notifier import Notifier
from notify_core.server.intake import Head, Intake, LiveIntake, Reason, answer_to

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


def callback_app(notifier: Notifier) -> WSGIApplication:
    """Return a WSGI application that keeps what providers send to ``/<name of the provider>``.

    A worker understands it later. The name is the last part of the path, so mount it anywhere.
    Raises ``JournalError`` if the notifier has no journal.
    """
    return WsgiApp(LiveIntake(notifier))


@attrs.frozen
class WsgiApp:
    """What ``callback_app`` returns, around anything that takes requests in."""

    _live: Callable[[], Intake]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        head = _head_of(environ)
        answer = answer_to(head, self._reason(head, environ))
        start_response(f"{answer.status} {_phrase(answer.status)}", list(answer.headers))
        return [answer.body]

    def _reason(self, head: Head, environ: WSGIEnvironment) -> Reason:
        intake = self._live()
        reason = intake.look_at(head)
        if reason is not None:
            return reason
        body = _body_of(head, environ, intake.largest)
        return body if isinstance(body, Reason) else intake.take(head, body)


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase


def _head_of(environ: WSGIEnvironment) -> Head:
    # What WSGI calls a text is bytes, one to a character (PEP 3333).
    path = str(environ.get("SCRIPT_NAME", "")) + str(environ.get("PATH_INFO", ""))
    return Head(
        method=str(environ.get("REQUEST_METHOD", "")),
        path=path.encode("latin-1", "replace").decode("utf-8", "replace"),
        query=str(environ.get("QUERY_STRING", "")),
        headers=_headers_of(environ),
        peer=str(environ.get("REMOTE_ADDR", "")),
    )


def _headers_of(environ: Mapping[str, Any]) -> dict[str, str]:
    headers = {
        key.removeprefix("HTTP_").lower().replace("_", "-"): str(value)
        for key, value in environ.items()
        if key.startswith("HTTP_")
    }
    for key, name in (("CONTENT_TYPE", "content-type"), ("CONTENT_LENGTH", "content-length")):
        headers.pop(name, None)
        if environ.get(key):  # an empty one stands for one that is missing
            headers[name] = str(environ[key])
    return headers


def _body_of(head: Head, environ: WSGIEnvironment, largest: int) -> bytes | Reason:
    """Read the body, or say why that cannot be done."""
    ends = bool(environ.get("wsgi.input_terminated"))
    if head.length is None and not ends:
        return Reason.NO_LENGTH if "transfer-encoding" in head.headers else b""
    wanted = largest + 1 if head.length is None else head.length
    try:
        body = _read(environ["wsgi.input"].read, wanted)
    except Exception:  # somebody else's server, which says so in its own way that the caller left
        return Reason.BROKEN
    if head.length is not None:
        return body if len(body) == wanted else Reason.BROKEN
    return body if len(body) <= largest else Reason.TOO_LARGE


def _read(read: Callable[[int], bytes], wanted: int) -> bytes:
    """Read so many bytes, or fewer if there are no more; a server may give them in pieces."""
    pieces: list[bytes] = []
    while wanted > 0 and (piece := read(wanted)):
        pieces.append(piece)
        wanted -= len(piece)
    return b"".join(pieces)
