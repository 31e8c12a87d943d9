"""What leaves over HTTP, byte by byte, and what every failure of it is called.

The servers are real sockets on loopback: only they can hang up in the middle of a word.
"""

from __future__ import annotations

import inspect
import json
import logging
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from http.client import RemoteDisconnected
from pathlib import Path
from typing import Any, cast

import attrs
import pytest
import requests
import trustme
import urllib3
from requests.adapters import BaseAdapter, HTTPAdapter

from notify_core.http import HttpClient, HttpReply, outcome_of
from notify_core.outcome import FailureScope, NotSent, Unknown

CANARY = "canary-7331"
SOON = 0.1  # Seconds, where a time-out is what is wanted; elsewhere none may come between.
Client = Callable[..., HttpClient]
Serve = Callable[..., "Server"]


# --- A server that does as it is told ---------------------------------------------------------


@attrs.frozen
class Answer:
    """Bytes to send for a request, and whether to hang up (or cut off hard) after them."""

    data: bytes = b""
    keep: bool = False
    reset: bool = False


def reply(body: bytes = b"ok", *headers: str, status: str = "200 OK", keep: bool = True) -> Answer:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return Answer("\r\n".join([*head, "", ""]).encode() + body, keep=keep)


SILENCE = Answer(keep=True)
OK = reply()


class Server:
    """Accept connections, read requests whole, and answer each with the next answer.

    The last answer is given for ever. ``accepted`` counts connections, ``requests`` holds the
    bytes of every request that arrived whole.
    """

    def __init__(self, *answers: Answer, context: ssl.SSLContext | None = None) -> None:
        self.accepted = 0
        self.requests: list[bytes] = []
        self.hung_up = threading.Semaphore(0)
        self._answers = list(answers)
        self._context = context
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.authority = f"127.0.0.1:{self.port}"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        for endpoint in (self._listener, *self._open):
            with suppress(OSError):
                endpoint.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.accepted += 1
                self._open.append(connection)
                self._threads.append(threading.Thread(target=self._serve, args=[connection]))
                self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), self._secured(connection) as secured:
            while request := _read_request(secured):
                self.requests.append(request)
                answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
                secured.sendall(answer.data)
                if answer.reset:
                    secured.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                if not answer.keep:
                    break
        connection.close()
        self.hung_up.release()

    def _secured(self, connection: socket.socket) -> socket.socket:
        if self._context is None:
            return connection
        return self._context.wrap_socket(connection, server_side=True)


def _read_request(connection: socket.socket) -> bytes:
    """Return one whole request, or nothing when the other side has gone."""
    data = b""
    while not _is_whole(data):
        piece = connection.recv(65536)
        if not piece:
            return b""
        data += piece
    return data


def _is_whole(data: bytes) -> bool:
    head, end, body = data.partition(b"\r\n\r\n")
    return bool(end) and len(body) >= int(_headers(head).get("content-length", 0))


def _headers(request: bytes) -> dict[str, str]:
    lines = request.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    pairs = (line.split(": ", 1) for line in lines)
    return {name.lower(): value for name, value in pairs}


@pytest.fixture(autouse=True)
def environ(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Keep the proxies and bundles of the machine out; return what sets a variable."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch.setenv


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:

        def start(*answers: Answer, context: ssl.SSLContext | None = None) -> Server:
            server = Server(*answers, context=context)
            stack.callback(server.close)
            return server

        yield start


@pytest.fixture
def client() -> Iterator[Client]:
    with ExitStack() as stack:

        def make(**options: Any) -> HttpClient:
            made = HttpClient(**({"connect_timeout_s": 9.0, "read_timeout_s": 9.0} | options))
            stack.callback(made.close)
            return made

        yield make


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    return tls_for(authority, "127.0.0.1")


def tls_for(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def post(client: HttpClient, server: Server, scheme: str = "http") -> HttpReply | NotSent | Unknown:
    return client.post(f"{scheme}://{server.authority}/send", b"a=1", "text/plain")


# --- What leaves ------------------------------------------------------------------------------


def test_a_get_leaves_as_it_was_written(serve: Serve, client: Client) -> None:
    server = serve(OK)

    client().get(f"http://{server.authority}/a%20b?x=%2B1&y=")

    (request,) = server.requests
    assert request.partition(b"\r\n")[0] == b"GET /a%20b?x=%2B1&y= HTTP/1.1"


def test_a_get_says_little_of_itself(serve: Serve, client: Client) -> None:
    server = serve(OK)

    client().get(f"http://{server.authority}/")

    (headers,) = map(_headers, server.requests)
    assert {name: headers[name] for name in headers if name != "user-agent"} == {
        "host": server.authority,
        "accept-encoding": "identity",
        "accept": "*/*",
    }


def test_headers_of_the_callers_travel_with_a_request(serve: Serve, client: Client) -> None:
    server = serve(OK, OK)
    mine = {"Authorization": "Bearer abc"}

    client().get(f"http://{server.authority}/", headers=mine)
    client().post(f"http://{server.authority}/", b"{}", "application/json", headers=mine)

    assert [_headers(request)["authorization"] for request in server.requests] == ["Bearer abc"] * 2


@pytest.mark.parametrize("body", [b"", b"a=1&b=2", bytes(range(256)), b"x" * 200_000])
def test_a_post_carries_its_body_length_and_type(serve: Serve, client: Client, body: bytes) -> None:
    server = serve(OK)

    client().post(f"http://{server.authority}/send", body, "application/x-test; charset=utf-8")

    (request,) = server.requests
    head, _, arrived = request.partition(b"\r\n\r\n")
    headers = _headers(request)
    assert (head.partition(b"\r\n")[0], arrived) == (b"POST /send HTTP/1.1", body)
    assert (headers["content-length"], headers["content-type"]) == (
        str(len(body)),
        "application/x-test; charset=utf-8",
    )


@pytest.mark.parametrize("tail", ["", "?x=1"])
def test_an_address_without_a_path_asks_for_the_root(
    serve: Serve, client: Client, tail: str
) -> None:
    server = serve(OK)

    client().get(f"http://{server.authority}{tail}")

    assert server.requests[0].startswith(f"GET /{tail} HTTP/1.1".encode())


# --- What comes back --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "whole"),
    [
        (reply(b"OK", "Content-Type: text/plain"), HttpReply(200, b"OK", "text/plain")),
        (
            reply(b"{}", "Content-Type: Application/JSON; charset=utf-8", status="400 Bad Request"),
            HttpReply(400, b"{}", "application/json"),
        ),
        (reply(b"", status="500 Oh No"), HttpReply(500, b"", "")),
        (Answer(b"HTTP/1.1 204 No Content\r\n\r\n", keep=True), HttpReply(204, b"", "")),
        (
            Answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"),
            HttpReply(200, b"ab", ""),
        ),
        (Answer(b"HTTP/1.0 200 OK\r\n\r\nuntil the end"), HttpReply(200, b"until the end", "")),
        (
            Answer(b"HTTP/1.1 100 Continue\r\n\r\n" + OK.data, keep=True),
            HttpReply(200, b"ok", ""),
        ),
    ],
    ids=["ok", "refusal", "error", "no content", "chunked", "until closed", "interim"],
)
def test_a_whole_answer_of_any_status_is_a_reply(
    serve: Serve, client: Client, answer: Answer, whole: HttpReply
) -> None:
    assert post(client(), serve(answer)) == whole


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Again", "308 For Good"])
def test_a_redirect_is_not_followed(serve: Serve, client: Client, status: str) -> None:
    server = serve(reply(b"", "Location: /elsewhere", status=status))

    answer = post(client(), server)

    assert (answer, len(server.requests)) == (HttpReply(int(status[:3]), b"", ""), 1)


def test_a_reply_does_not_show_its_body() -> None:
    assert repr(HttpReply(200, CANARY.encode(), "text/plain")) == (
        "HttpReply(status=200, content_type='text/plain')"
    )


# --- Connections ------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_connection_is_kept_for_the_next_request(
    serve: Serve, client: Client, tls: ssl.SSLContext, ca_file: Path, scheme: str
) -> None:
    server = serve(OK, context=tls if scheme == "https" else None)
    sender = client(ca_file=str(ca_file))

    answers = [post(sender, server, scheme) for _ in range(5)]

    assert (answers, server.accepted) == ([HttpReply(200, b"ok", "")] * 5, 1)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_kept_connection_that_has_died_costs_a_connection_and_no_second_request(
    serve: Serve, client: Client, tls: ssl.SSLContext, ca_file: Path, scheme: str
) -> None:
    server = serve(attrs.evolve(OK, keep=False), context=tls if scheme == "https" else None)
    sender = client(ca_file=str(ca_file))
    post(sender, server, scheme)
    assert server.hung_up.acquire(timeout=5)

    answer = post(sender, server, scheme)

    assert (answer, server.accepted, len(server.requests)) == (HttpReply(200, b"ok", ""), 2, 2)


def test_a_kept_connection_that_dies_under_a_request_makes_no_second_request(
    serve: Serve, client: Client
) -> None:
    server = serve(OK, Answer(), OK)
    sender = client()
    post(sender, server)

    answer = post(sender, server)

    assert (answer, len(server.requests)) == (Unknown("no whole answer (RemoteDisconnected)"), 2)


def test_threads_share_a_client_without_mixing_answers(serve: Serve, client: Client) -> None:
    servers = [serve(reply(str(number).encode())) for number in range(4)]
    sender = client()
    bodies: dict[int, set[bytes]] = {number: set() for number in range(4)}

    def work(number: int) -> None:
        for _ in range(20):
            answer = post(sender, servers[number])
            bodies[number].add(answer.body if isinstance(answer, HttpReply) else b"?")

    threads = [threading.Thread(target=work, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert bodies == {number: {str(number).encode()} for number in range(4)}


def test_more_hosts_than_pools_are_kept_are_all_reached(serve: Serve, client: Client) -> None:
    servers = [serve(OK) for _ in range(10)]
    sender = client()

    answers = [post(sender, server) for server in servers * 2]

    assert answers == [HttpReply(200, b"ok", "")] * 20


def test_a_closed_client_lets_go_of_its_connections(serve: Serve, client: Client) -> None:
    server = serve(OK)
    sender = client()
    post(sender, server)

    sender.close()

    assert server.hung_up.acquire(timeout=5)


# --- Certificates -----------------------------------------------------------------------------


def test_the_certificates_are_read_once_for_all_connections_and_hosts(
    serve: Serve, client: Client, tls: ssl.SSLContext, ca_file: Path
) -> None:
    servers = [serve(attrs.evolve(OK, keep=False), context=tls) for _ in range(2)]
    sender = client(ca_file=str(ca_file))
    post(sender, servers[0], "https")

    ca_file.unlink()
    answers = [post(sender, server, "https") for server in servers]

    assert answers == [HttpReply(200, b"ok", "")] * 2


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_bundle_named_by_the_environment_is_trusted(
    serve: Serve,
    client: Client,
    tls: ssl.SSLContext,
    ca_file: Path,
    environ: Callable[[str, str], None],
    variable: str,
) -> None:
    server = serve(OK, context=tls)
    environ(variable, str(ca_file))

    assert post(client(), server, "https") == HttpReply(200, b"ok", "")


def test_a_certificate_that_is_not_trusted_is_not_sent_to(
    serve: Serve, client: Client, tls: ssl.SSLContext
) -> None:
    server = serve(OK, context=tls)

    answer = post(client(), server, "https")

    assert (answer, server.requests) == (not_sent("SSLCertVerificationError"), [])


def test_a_certificate_for_another_host_is_not_sent_to(
    serve: Serve, client: Client, authority: trustme.CA, ca_file: Path
) -> None:
    server = serve(OK, context=tls_for(authority, "other.example"))

    answer = post(client(ca_file=str(ca_file)), server, "https")

    assert (answer, server.requests) == (not_sent("SSLCertVerificationError"), [])


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_certificates_that_cannot_be_read_send_nothing(
    serve: Serve, client: Client, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "bad.pem"
    if content is not None:
        path.write_bytes(content)
    server = serve(OK)

    answer = post(client(ca_file=str(path)), server, "https")

    assert (answer, server.accepted) == (not_sent("UnreadableCaBundle"), 0)


# --- Certainly not sent -----------------------------------------------------------------------


def not_sent(name: str) -> NotSent:
    return NotSent(f"no connection ({name})", FailureScope.PROVIDER)


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
def full_port() -> Iterator[int]:
    """A port whose backlog is full, so that connecting to it takes for ever."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        yield int(listener.getsockname()[1])


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_refused_connection_is_not_sent(client: Client, closed_port: int, scheme: str) -> None:
    answer = client().get(f"{scheme}://127.0.0.1:{closed_port}/")

    assert answer == not_sent("ConnectionRefusedError")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_connection_that_takes_too_long_is_not_sent(
    client: Client, full_port: int, scheme: str
) -> None:
    answer = client(connect_timeout_s=SOON).get(f"{scheme}://127.0.0.1:{full_port}/")

    assert answer == not_sent("TimeoutError")


def test_a_host_that_has_no_address_is_not_sent_to(client: Client) -> None:
    no_such_interface = "fe80::1%25nowhere"  # Refused by the resolver without asking anybody.

    assert client().get(f"http://[{no_such_interface}]/") == not_sent("gaierror")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("", "InvalidSchema"),
        ("127.0.0.1/", "InvalidSchema"),
        ("ftp://127.0.0.1/", "InvalidSchema"),
        ("http://[::1/", "InvalidURL"),
        ("http://127.0.0.1:99999/", "InvalidURL"),
        ("http://127.0.0.1:port/", "InvalidURL"),
        ("http:///path", "LocationValueError"),
        ("http://a b/", "LocationParseError"),
        (f"http://{'a' * 64}.example/", "LocationParseError"),
    ],
)
def test_what_cannot_be_an_address_is_not_sent_to(client: Client, url: str, name: str) -> None:
    assert client().get(url) == not_sent(name)


@pytest.mark.parametrize(
    "greeting",
    [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x15\x03\x03\x00\x02\x02\x28"],
    ids=["hangs up", "speaks plain HTTP", "alert"],
)
def test_a_handshake_that_is_cut_is_not_sent(client: Client, greeting: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(greeting)

        thread = threading.Thread(target=hang_up)
        thread.start()
        answer = client().get(f"https://127.0.0.1:{listener.getsockname()[1]}/")
        thread.join()

    assert isinstance(answer, NotSent)


def test_a_handshake_that_takes_too_long_is_not_sent(client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        answer = client(connect_timeout_s=SOON).get(f"https://127.0.0.1:{mute.getsockname()[1]}/")

    assert answer == not_sent("TimeoutError")


# --- Unknown: it may have gone ----------------------------------------------------------------

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LONG = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n"

LOST_ANSWERS = {
    "silence": SILENCE,
    "silence after the headers": Answer(LONG + b"\r\n", keep=True),
    "silence within the body": Answer(LONG + b"\r\nhalf", keep=True),
    "closed without a byte": Answer(),
    "reset without a byte": Answer(reset=True),
    "closed within the status line": Answer(b"HTTP/1.1 2"),
    "closed within the headers": Answer(LONG + b"X-"),
    "closed after the headers": Answer(LONG + b"\r\n"),
    "closed within the body": Answer(LONG + b"\r\nhalf"),
    "reset within the body": Answer(LONG + b"\r\nhalf", reset=True),
    "closed within a chunk": Answer(CHUNKED + b"9\r\nhalf"),
    "closed before the last chunk": Answer(CHUNKED + b"2\r\nab\r\n"),
    "a chunk of no length": Answer(CHUNKED + b"zz\r\nab\r\n"),
    "not HTTP": Answer(b"SMTP ready\r\n"),
    "two lengths": Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc"),
    "not what it says it is coded in": reply(b"plain", "Content-Encoding: gzip"),
}


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("answer", LOST_ANSWERS.values(), ids=LOST_ANSWERS)
def test_a_lost_answer_is_unknown_and_the_request_was_sent_once(
    serve: Serve, client: Client, tls: ssl.SSLContext, ca_file: Path, answer: Answer, scheme: str
) -> None:
    server = serve(answer, context=tls if scheme == "https" else None)

    outcome = post(client(ca_file=str(ca_file), read_timeout_s=SOON), server, scheme)

    assert isinstance(outcome, Unknown)
    assert len(server.requests) == 1


def test_a_lost_answer_leaves_the_client_in_order(serve: Serve, client: Client) -> None:
    server = serve(Answer(LONG + b"\r\nhalf"), OK)
    sender = client()
    post(sender, server)

    assert post(sender, server) == HttpReply(200, b"ok", "")


# --- Proxies ----------------------------------------------------------------------------------


def test_a_proxy_of_the_environment_gets_the_whole_address(
    serve: Serve, client: Client, environ: Callable[[str, str], None]
) -> None:
    proxy = serve(OK)
    environ("http_proxy", f"http://{proxy.authority}")

    client().get("http://gate.example/send?x=1")

    assert proxy.requests[0].startswith(b"GET http://gate.example/send?x=1 HTTP/1.1\r\n")


def test_a_proxy_is_asked_for_a_tunnel_to_a_secure_host(
    serve: Serve, client: Client, environ: Callable[[str, str], None]
) -> None:
    proxy = serve(reply(b"", status="407 Who are you?"))
    environ("https_proxy", f"http://{proxy.authority}")

    answer = client().get("https://gate.example/send")

    assert isinstance(answer, NotSent)
    assert proxy.requests[0].startswith(b"CONNECT gate.example:443 HTTP/1.")


def test_a_proxy_is_given_its_credentials(
    serve: Serve, client: Client, environ: Callable[[str, str], None]
) -> None:
    proxy = serve(OK)
    environ("http_proxy", f"http://user:word@{proxy.authority}")

    client().get("http://gate.example/")

    assert _headers(proxy.requests[0])["proxy-authorization"] == "Basic dXNlcjp3b3Jk"


def test_a_host_excepted_by_the_environment_is_reached_directly(
    serve: Serve, client: Client, closed_port: int, environ: Callable[[str, str], None]
) -> None:
    server = serve(OK)
    environ("http_proxy", f"http://127.0.0.1:{closed_port}")
    environ("no_proxy", "127.0.0.1")

    assert post(client(), server) == HttpReply(200, b"ok", "")


def test_the_environment_is_looked_at_once(
    serve: Serve, client: Client, environ: Callable[[str, str], None]
) -> None:
    first, second = serve(OK), serve(OK)
    sender = client()
    environ("http_proxy", f"http://{first.authority}")
    sender.get("http://gate.example/")

    environ("http_proxy", f"http://{second.authority}")
    sender.get("http://gate.example/")

    assert (len(first.requests), len(second.requests)) == (2, 0)


def test_a_proxy_that_is_out_of_reach_is_not_sent_to(
    client: Client, closed_port: int, environ: Callable[[str, str], None]
) -> None:
    environ("http_proxy", f"http://127.0.0.1:{closed_port}")

    assert client().get("http://gate.example/") == not_sent("ConnectionRefusedError")


@pytest.mark.parametrize("answer", [Answer(), Answer(b"what?\r\n"), Answer(reset=True), SILENCE])
def test_a_tunnel_that_is_not_made_is_not_sent(
    serve: Serve, client: Client, environ: Callable[[str, str], None], answer: Answer
) -> None:
    environ("https_proxy", f"http://{serve(answer).authority}")

    assert isinstance(client(connect_timeout_s=SOON).get("https://gate.example/"), NotSent)


@pytest.mark.parametrize("answer", LOST_ANSWERS.values(), ids=LOST_ANSWERS)
def test_an_answer_lost_behind_a_proxy_is_unknown(
    serve: Serve, client: Client, environ: Callable[[str, str], None], answer: Answer
) -> None:
    proxy = serve(answer)
    environ("http_proxy", f"http://{proxy.authority}")

    sender = client(read_timeout_s=SOON)

    outcome = sender.post("http://gate.example/send", b"a=1", "text/plain")

    assert isinstance(outcome, Unknown)
    assert len(proxy.requests) == 1


# --- A session of the caller ------------------------------------------------------------------


class RecordingAdapter(BaseAdapter):
    """Answer without a network, remember what was asked and how."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__()
        self.asked: list[tuple[str | None, Mapping[str, Any]]] = []
        self.closed = False
        self._error = error

    def send(  # type: ignore[override]
        self, request: requests.PreparedRequest, **options: Any
    ) -> requests.Response:
        self.asked.append((request.url, options))
        if self._error is not None:
            raise self._error
        response = requests.Response()
        response.status_code = 202
        return response

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


def test_a_session_of_the_caller_is_used_with_the_adapter_mounted_in_it(
    session: requests.Session, client: Client
) -> None:
    adapter = RecordingAdapter()
    sender = client(session=session)
    session.mount("https://gate.example/", adapter)

    answer = sender.get("https://gate.example/?x=1")

    assert (answer, adapter.asked[0][0]) == (HttpReply(202, b"", ""), "https://gate.example/?x=1")


def test_a_session_of_the_caller_decides_on_certificates_and_proxies(
    session: requests.Session, client: Client
) -> None:
    adapter = RecordingAdapter()
    session.mount("https://", adapter)
    session.verify, session.cert = "ca.pem", "client.pem"
    session.proxies = {"https": "http://proxy.example"}

    client(session=session).get("https://gate.example/")

    assert adapter.asked[0][1] == {
        "stream": False,
        "timeout": (9.0, 9.0),
        "verify": "ca.pem",
        "cert": "client.pem",
        "proxies": {"https": "http://proxy.example"},
    }


@pytest.mark.parametrize(
    "retries",
    [3, urllib3.Retry(2, allowed_methods=None), urllib3.Retry(None, read=1), None],
    ids=str,
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_nothing_leaves_through_an_adapter_that_would_repeat_it(
    serve: Serve, client: Client, session: requests.Session, method: str, retries: Any
) -> None:
    server = serve(Answer())
    session.mount("http://", HTTPAdapter(max_retries=retries))
    sender, url = client(session=session), f"http://{server.authority}/"

    answer = sender.get(url) if method == "get" else sender.post(url, b"a=1", "text/plain")

    assert answer == NotSent(
        "the adapter in the session would repeat requests; mount one with max_retries=0",
        FailureScope.ACCOUNT,
    )
    assert server.accepted == 0


@pytest.mark.parametrize("retries", [0, False, urllib3.Retry(0, read=5), urllib3.Retry(False)])
def test_an_adapter_that_repeats_nothing_is_used_as_it_is(
    serve: Serve, client: Client, session: requests.Session, retries: Any
) -> None:
    server = serve(Answer())
    session.mount("http://", HTTPAdapter(max_retries=retries))

    answer = client(session=session).get(f"http://{server.authority}/")

    assert isinstance(answer, Unknown)
    assert len(server.requests) == 1


def test_a_session_of_the_caller_is_not_closed(session: requests.Session) -> None:
    adapter = RecordingAdapter()
    session.mount("https://", adapter)

    HttpClient(session=session).close()

    assert not adapter.closed


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (requests.ConnectTimeout(), not_sent("ConnectTimeout")),
        (requests.ReadTimeout(), Unknown("no whole answer (ReadTimeout)")),
        (urllib3.exceptions.ProtocolError(), Unknown("no whole answer (ProtocolError)")),
        (ConnectionResetError(), Unknown("no whole answer (ConnectionResetError)")),
    ],
)
def test_what_an_adapter_raises_becomes_an_outcome(
    session: requests.Session, client: Client, error: Exception, outcome: NotSent | Unknown
) -> None:
    session.mount("https://", RecordingAdapter(error))

    assert client(session=session).get("https://gate.example/") == outcome


@pytest.mark.parametrize("answer", LOST_ANSWERS.values(), ids=LOST_ANSWERS)
def test_an_answer_lost_in_a_plain_session_is_unknown(
    serve: Serve, client: Client, session: requests.Session, answer: Answer
) -> None:
    assert isinstance(post(client(session=session, read_timeout_s=SOON), serve(answer)), Unknown)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_refused_connection_in_a_plain_session_is_not_sent(
    client: Client, session: requests.Session, closed_port: int, scheme: str
) -> None:
    answer = client(session=session).get(f"{scheme}://127.0.0.1:{closed_port}/")

    assert answer == not_sent("ConnectionRefusedError")


def test_a_certificate_not_trusted_in_a_plain_session_is_not_sent_to(
    serve: Serve, client: Client, session: requests.Session, tls: ssl.SSLContext
) -> None:
    answer = post(client(session=session), serve(OK, context=tls), "https")

    assert answer == not_sent("SSLCertVerificationError")


# --- What a reason keeps to itself ------------------------------------------------------------


@pytest.mark.parametrize("answer", LOST_ANSWERS.values(), ids=LOST_ANSWERS)
def test_a_reason_holds_nothing_of_the_address(
    serve: Serve, client: Client, answer: Answer
) -> None:
    place = f"{CANARY}:{CANARY}@{serve(answer).authority}/{CANARY}?psw={CANARY}"

    outcome = client(read_timeout_s=SOON).get(f"http://{place}#{CANARY}")

    assert CANARY not in f"{outcome!r} {outcome}"


@pytest.mark.parametrize(
    "url",
    [
        f"https://{CANARY}@127.0.0.1:1/?{CANARY}",
        f"{CANARY}://x/",
        f"http://{CANARY} x/",
        f"http://x:{CANARY}/",
        f"http://[{CANARY}/",
    ],
)
def test_a_reason_holds_nothing_of_an_address_that_was_not_reached(
    client: Client, url: str
) -> None:
    assert CANARY not in str(client().get(url))


def test_a_reason_holds_nothing_of_a_proxy(
    client: Client, closed_port: int, environ: Callable[[str, str], None]
) -> None:
    environ("http_proxy", f"http://{CANARY}:{CANARY}@127.0.0.1:{closed_port}")

    assert CANARY not in str(client().get("http://gate.example/"))


MISSHAPEN = Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nno header\r\n\r\nok")


@pytest.mark.parametrize("answer", [*LOST_ANSWERS.values(), OK, MISSHAPEN])
@pytest.mark.parametrize("through", ["directly", "proxy"])
def test_a_log_holds_nothing_of_the_address(
    serve: Serve,
    client: Client,
    environ: Callable[[str, str], None],
    caplog: pytest.LogCaptureFixture,
    answer: Answer,
    through: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    server = serve(answer)
    if through == "proxy":
        environ("http_proxy", f"http://{server.authority}")
    host = "gate.example" if through == "proxy" else server.authority

    client(read_timeout_s=SOON).get(f"http://{host}/{CANARY}?psw={CANARY}")

    assert f"/{CANARY}?psw={CANARY} ".encode() in server.requests[0]
    assert "urllib3" in caplog.text
    assert CANARY not in caplog.text


# --- The map of all exceptions ----------------------------------------------------------------

EXPECTED: dict[str, type[NotSent] | type[Unknown]] = {
    # Nothing had been built or connected.
    "requests.ConnectTimeout": NotSent,
    "requests.InvalidHeader": NotSent,
    "requests.InvalidJSONError": NotSent,
    "requests.InvalidProxyURL": NotSent,
    "requests.InvalidSchema": NotSent,
    "requests.InvalidURL": NotSent,
    "requests.MissingSchema": NotSent,
    "requests.URLRequired": NotSent,
    "urllib3.ClosedPoolError": NotSent,
    "urllib3.ConnectTimeoutError": NotSent,
    "urllib3.EmptyPoolError": NotSent,
    "urllib3.LocationParseError": NotSent,
    "urllib3.LocationValueError": NotSent,
    "urllib3.NameResolutionError": NotSent,
    "urllib3.NewConnectionError": NotSent,
    "urllib3.ProxySchemeUnknown": NotSent,
    "urllib3.ProxySchemeUnsupported": NotSent,
    "urllib3.URLSchemeUnknown": NotSent,
    # Reading the answer, or following it.
    "requests.ChunkedEncodingError": Unknown,
    "requests.ContentDecodingError": Unknown,
    "requests.HTTPError": Unknown,
    "requests.JSONDecodeError": Unknown,
    "requests.ReadTimeout": Unknown,
    "requests.RetryError": Unknown,
    "requests.StreamConsumedError": Unknown,
    "requests.TooManyRedirects": Unknown,
    "requests.UnrewindableBodyError": Unknown,
    "urllib3.BodyNotHttplibCompatible": Unknown,
    "urllib3.DecodeError": Unknown,
    "urllib3.FullPoolError": Unknown,
    "urllib3.HeaderParsingError": Unknown,
    "urllib3.HostChangedError": Unknown,
    "urllib3.IncompleteRead": Unknown,
    "urllib3.InvalidChunkLength": Unknown,
    "urllib3.InvalidHeader": Unknown,
    "urllib3.ProtocolError": Unknown,
    "urllib3.ReadTimeoutError": Unknown,
    "urllib3.ResponseError": Unknown,
    "urllib3.ResponseNotChunked": Unknown,
    "urllib3.UnrewindableBodyError": Unknown,
    # Raised before and after; what stands inside decides, and here nothing does.
    "requests.ConnectionError": Unknown,
    "requests.ProxyError": Unknown,
    "requests.RequestException": Unknown,
    "requests.SSLError": Unknown,
    "requests.Timeout": Unknown,
    "urllib3.HTTPError": Unknown,
    "urllib3.MaxRetryError": Unknown,
    "urllib3.PoolError": Unknown,
    "urllib3.ProxyError": Unknown,
    "urllib3.RequestError": Unknown,
    "urllib3.SSLError": Unknown,
    "urllib3.TimeoutError": Unknown,
    "urllib3.TimeoutStateError": Unknown,
}

LEFT_OUT = {
    "requests.FileModeWarning": "a warning",
    "requests.RequestsDependencyWarning": "a warning",
    "requests.RequestsWarning": "a warning",
    "urllib3.DependencyWarning": "a warning",
    "urllib3.HTTPWarning": "a warning",
    "urllib3.InsecurePlatformWarning": "a warning",
    "urllib3.InsecureRequestWarning": "a warning",
    "urllib3.NotOpenSSLWarning": "a warning",
    "urllib3.SecurityWarning": "a warning",
    "urllib3.SystemTimeWarning": "a warning",
}

# Arguments where a single sentence is not enough. The pool, the connection and the answer are
# only quoted or counted by the errors.
POOL = cast(Any, None)
UNPACKED = urllib3.HTTPResponse(body=b"", preload_content=False)
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "requests.JSONDecodeError": ("Expecting value", CANARY, 0),
    "urllib3.ClosedPoolError": (POOL, CANARY),
    "urllib3.EmptyPoolError": (POOL, CANARY),
    "urllib3.FullPoolError": (POOL, CANARY),
    "urllib3.HeaderParsingError": ([], CANARY),
    "urllib3.HostChangedError": (POOL, CANARY),
    "urllib3.IncompleteRead": (1, 2),
    "urllib3.InvalidChunkLength": (UNPACKED, b"zz"),
    "urllib3.MaxRetryError": (POOL, CANARY),
    "urllib3.NameResolutionError": (CANARY, POOL, socket.gaierror(-2, CANARY)),
    "urllib3.NewConnectionError": (POOL, CANARY),
    "urllib3.PoolError": (POOL, CANARY),
    "urllib3.ProxyError": (CANARY, OSError),
    "urllib3.ReadTimeoutError": (POOL, CANARY, CANARY),
    "urllib3.RequestError": (POOL, CANARY, CANARY),
}


def exceptions_of(module: Any, prefix: str) -> dict[str, type[Exception]]:
    return {
        f"{prefix}.{name}": kind
        for name, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, Exception) and kind.__module__ == module.__name__
    }


EXCEPTIONS = {
    name: kind
    for name, kind in (
        exceptions_of(requests.exceptions, "requests")
        | exceptions_of(urllib3.exceptions, "urllib3")
    ).items()
    if kind.__name__ == name.partition(".")[2]  # No second name for a class.
}


def test_the_map_holds_every_exception_of_requests_and_urllib3() -> None:
    assert set(EXCEPTIONS) == set(EXPECTED) | set(LEFT_OUT)


def test_only_warnings_are_left_out_of_the_map() -> None:
    assert [name for name in LEFT_OUT if not issubclass(EXCEPTIONS[name], Warning)] == []


@pytest.mark.parametrize(("name", "expected"), EXPECTED.items(), ids=EXPECTED)
def test_every_exception_is_mapped(name: str, expected: type[NotSent] | type[Unknown]) -> None:
    error = EXCEPTIONS[name](*ARGUMENTS.get(name, (CANARY,)))

    assert type(outcome_of(error)) is expected


@pytest.mark.parametrize("name", EXPECTED)
def test_the_reason_of_a_mapped_exception_does_not_quote_it(name: str) -> None:
    error = EXCEPTIONS[name](*ARGUMENTS.get(name, (CANARY,)))

    assert CANARY not in repr(outcome_of(error))


def caused(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


def retried(reason: Exception) -> urllib3.exceptions.MaxRetryError:
    return urllib3.exceptions.MaxRetryError(POOL, "/", reason)


def through_proxy(error: Exception) -> requests.exceptions.ProxyError:
    return requests.exceptions.ProxyError(
        retried(urllib3.exceptions.ProxyError("Unable to connect to proxy", error))
    )


NEW = urllib3.exceptions.NewConnectionError(POOL, "refused")
RESET = ConnectionResetError(104, "reset")


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        # What may stand inside a ConnectionError.
        (requests.ConnectionError(retried(NEW)), not_sent("NewConnectionError")),
        (requests.ConnectionError(ConnectionRefusedError()), not_sent("ConnectionRefusedError")),
        (caused(requests.ConnectionError(), socket.gaierror()), not_sent("gaierror")),
        (
            requests.ConnectionError(urllib3.exceptions.ProtocolError("aborted", RESET)),
            Unknown("no whole answer (ConnectionResetError)"),
        ),
        (
            requests.ConnectionError(urllib3.exceptions.ReadTimeoutError(POOL, "/", "late")),
            Unknown("no whole answer (ReadTimeoutError)"),
        ),
        # A connection that was not made stays so, whatever was in its way.
        (
            requests.ConnectionError(
                retried(
                    cast(
                        Exception,
                        caused(urllib3.exceptions.NewConnectionError(POOL, "cut"), RESET),
                    )
                )
            ),
            not_sent("ConnectionResetError"),
        ),
        # TLS: only a certificate that is not trusted is certain.
        (
            requests.exceptions.SSLError(
                retried(urllib3.exceptions.SSLError(ssl.SSLCertVerificationError(1, "expired")))
            ),
            not_sent("SSLCertVerificationError"),
        ),
        (
            requests.exceptions.SSLError(
                urllib3.exceptions.SSLError(ssl.SSLError(1, "bad record mac"))
            ),
            Unknown("no whole answer (SSLError)"),
        ),
        (ssl.SSLEOFError(8, "eof"), Unknown("no whole answer (SSLEOFError)")),
        # urllib3 says ProxyError also when the proxy has taken the request.
        (through_proxy(NEW), not_sent("NewConnectionError")),
        (through_proxy(OSError("Tunnel connection failed: 407")), not_sent("OSError")),
        (
            through_proxy(RemoteDisconnected("closed")),
            Unknown("no whole answer (RemoteDisconnected)"),
        ),
        (through_proxy(RESET), Unknown("no whole answer (ConnectionResetError)")),
        (
            through_proxy(urllib3.exceptions.ReadTimeoutError(POOL, "/", "late")),
            Unknown("no whole answer (ReadTimeoutError)"),
        ),
        # Errors of a request by their name, raised on reading an answer.
        (
            requests.exceptions.InvalidHeader(urllib3.exceptions.InvalidHeader("two lengths")),
            Unknown("no whole answer (InvalidHeader)"),
        ),
        (
            caused(
                requests.exceptions.JSONDecodeError("Expecting value", "", 0),
                json.JSONDecodeError("Expecting value", "", 0),
            ),
            Unknown("no whole answer (JSONDecodeError)"),
        ),
        # Strangers.
        (OSError(5, "input/output"), Unknown("no whole answer (OSError)")),
        (TimeoutError(), Unknown("no whole answer (TimeoutError)")),
        (RuntimeError("bug"), Unknown("no whole answer (RuntimeError)")),
    ],
)
def test_an_exception_is_judged_by_what_stands_inside_it(
    error: BaseException, outcome: NotSent | Unknown
) -> None:
    assert outcome_of(error) == outcome


def test_exceptions_that_stand_inside_each_other_come_to_an_end() -> None:
    first, second = OSError(), OSError()
    first.__cause__, second.__cause__ = second, first

    assert outcome_of(first) == Unknown("no whole answer (OSError)")
