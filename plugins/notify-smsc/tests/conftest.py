"""What the tests of the wire share: a scripted network, and a real mail server on loopback."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import requests
import urllib3
from aiosmtpd.smtp import SMTP, Envelope
from requests.adapters import BaseAdapter

from notify_smsc.smsc_api import SmscApi

Step = Mapping[str, Any]
Requests = list[requests.PreparedRequest]


class ScriptedNetwork(BaseAdapter):
    """Answer the requests of a session from a script of the golden data's form; keep them."""

    def __init__(self, script: Sequence[Step], charset: str) -> None:
        super().__init__()
        self._script = script
        self._charset = charset
        self.requests: Requests = []
        self.options: list[Mapping[str, object]] = []

    def send(  # type: ignore[override]
        self, request: requests.PreparedRequest, **options: object
    ) -> requests.Response:
        assert len(self.requests) < len(self._script), "a request that the script does not know"
        step = self._script[len(self.requests)]
        self.requests.append(request)
        self.options.append(options)
        if failure := _failure(step):
            raise failure
        response = requests.Response()
        response.status_code = step["status"]
        response.headers.update(step.get("headers", {}))
        response._content = step["body"].encode(self._charset)
        return response

    def close(self) -> None:
        """Nothing is open."""


def _failure(step: Step) -> requests.RequestException | None:
    """Make the exception of requests, with what urllib3 puts into it."""
    errors = urllib3.exceptions
    match step:
        case {"connect": "timeout"}:
            return requests.exceptions.ConnectTimeout(_given_up(errors.ConnectTimeoutError()))
        case {"connect": "tls-name-mismatch" | "tls-untrusted"}:
            unverified = errors.SSLError(ssl.SSLCertVerificationError())
            return requests.exceptions.SSLError(_given_up(unverified))
        case {"connect": _}:
            pool = urllib3.HTTPConnectionPool("host.invalid")
            refused = errors.NewConnectionError(pool, "refused")  # type: ignore[arg-type]
            return requests.exceptions.ConnectionError(_given_up(refused))
        case {"drop": _}:
            cut = errors.ProtocolError("Connection aborted.", ConnectionResetError())
            return requests.exceptions.ConnectionError(cut)
        case {"delay_s": delay_s} if delay_s > 60:
            return requests.exceptions.ReadTimeout(errors.ReadTimeoutError(None, "/", ""))  # type: ignore[arg-type]
    return None


def _given_up(reason: Exception) -> urllib3.exceptions.MaxRetryError:
    pool = urllib3.HTTPConnectionPool("host.invalid")
    return urllib3.exceptions.MaxRetryError(pool, "/", reason)


@pytest.fixture
def network() -> Callable[..., tuple[requests.Session, Requests]]:
    """Return a function that makes a session from a script, and the list of what it will send."""

    def scripted(script: Sequence[Step], charset: str) -> tuple[requests.Session, Requests]:
        session, adapter = requests.Session(), ScriptedNetwork(script, charset)
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        return session, adapter.requests

    return scripted


@pytest.fixture
def smsc_api() -> Callable[..., SmscApi]:
    """Return a function that makes the client from the settings of a golden case."""

    def from_settings(settings: Step, **more: Any) -> SmscApi:
        return SmscApi(
            settings["login"],
            settings["password"],
            post=bool(settings["post"]),
            https=bool(settings["https"]),
            charset=settings["charset"],
            smtp_from=settings["smtp_from"],
            host="m.smsc.ru",
            **more,
        )

    return from_settings


@pytest.fixture
def arguments(tmp_path: Path) -> Callable[[Step, Sequence[Step]], dict[str, Any]]:
    """Return a function that writes the files of a case and returns arguments that name them."""

    def with_files(call: Step, fixtures: Sequence[Step]) -> dict[str, Any]:
        for fixture in fixtures:
            path = tmp_path / fixture["path"].removeprefix("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(base64.b64decode(fixture["content_base64"]))
        given = dict(call["arguments"])
        if isinstance(given.get("files"), list):
            given["files"] = [tmp_path / path.removeprefix("/") for path in given["files"]]
        return given

    return with_files


class Mailbox:
    """A handler of aiosmtpd that keeps the envelopes; a test may put another answer in place."""

    def __init__(self) -> None:
        self.letters: list[Envelope] = []

    async def handle_DATA(  # noqa: N802 - the name is aiosmtpd's
        self, _server: SMTP, _session: object, envelope: Envelope
    ) -> str:
        self.letters.append(envelope)
        return "250 2.0.0 OK queued as 4F2A"


@contextlib.contextmanager
def _serving(handler: object, **options: Any) -> Iterator[int]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def listen() -> asyncio.Server:
        return await loop.create_server(
            lambda: SMTP(handler, hostname="mail.example", loop=loop, **options), "127.0.0.1", 0
        )

    async def leave() -> None:
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        # A transport that was aborted closes its socket in one of the next rounds of the loop.
        await asyncio.sleep(0.01)

    server = asyncio.run_coroutine_threadsafe(listen(), loop).result()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(leave(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def serving() -> Callable[..., contextlib.AbstractContextManager[int]]:
    """Return a context manager: a mail server with this handler, as the number of its port."""
    return _serving


@pytest.fixture
def mailbox() -> Iterator[tuple[int, list[Envelope]]]:
    """Run a mail server that takes every letter; give its port and the letters."""
    handler = Mailbox()
    with _serving(handler) as port:
        yield port, handler.letters
