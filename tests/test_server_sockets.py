"""The server over real sockets: what people and machines send, whole, broken and hostile."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from notify_core.config.model import JournalConfig
from notify_core.config.sections import Callbacks
from notify_core.errors import ConfigError
from notify_core.notifier import Notifier
from notify_core.secret import Secret
from notify_core.server.standalone import listening
from notify_core.server.wsgi import callback_app
from notify_core.testing import notifier_with, scripted_config
from tests.callers import Caller, sqlite_url

PATIENCE_S = 10.0
CONFIG = Callbacks(listen="127.0.0.1:0", threads=4, largest=2_000)


@pytest.fixture
def notifier(tmp_path: Path) -> Iterator[Notifier]:
    config = attrs.evolve(
        scripted_config(smsc=Caller()),
        journal=JournalConfig(url=Secret(sqlite_url(tmp_path))),
        callbacks=CONFIG,
    )
    with notifier_with(config) as made:
        yield made


@pytest.fixture
def port(notifier: Notifier) -> Iterator[int]:
    with listening(callback_app(notifier), CONFIG) as address:
        yield int(address.rpartition(":")[2])


def exchanged(port: int, sent: bytes) -> bytes:
    """Send bytes and nothing more; return all that is answered."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as connection:
        answer = b""
        with contextlib.suppress(OSError):  # it may not want to hear the rest
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65_536):
                answer += piece
    return answer


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0


def post(body: bytes, *headers: str, path: str = "/smsc") -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers]
    return _head(lines) + body


def _head(lines: list[str]) -> bytes:
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1")


def bodies_of(notifier: Notifier) -> list[bytes]:
    """Have the calls understood; return the bodies that the plugin was given."""
    while notifier.receiver.work_off():
        pass
    provider = notifier.provider("smsc")
    assert isinstance(provider, Caller)
    return [request.body for request in provider.parsed]


WHOLE = {
    "a form": (post(b"sig=good&id=1"), b"sig=good&id=1"),
    "a get": (_head(["GET /smsc?sig=good&id=1 HTTP/1.1", "Host: x"]), b""),
    "windows-1251": (post("mes=Да".encode("windows-1251")), "mes=Да".encode("windows-1251")),
    "no text at all": (post(bytes(range(256))), bytes(range(256))),
    "nothing": (post(b""), b""),
    "an old client": (b"POST /smsc HTTP/1.0\r\nContent-Length: 2\r\n\r\nab", b"ab"),
    "in chunks": (
        _head(["POST /smsc HTTP/1.1", "Host: x", "Transfer-Encoding: chunked"])
        + b"3\r\nsig\r\n5\r\n=good\r\n0\r\n\r\n",
        b"sig=good",
    ),
    "the address whole": (_head(["GET http://x/smsc?sig=good HTTP/1.1", "Host: x"]), b""),
    "json cut short by its sender": (post(b'{"id": '), b'{"id": '),
}


@pytest.mark.parametrize(("sent", "body"), WHOLE.values(), ids=WHOLE)
def test_a_whole_request_is_kept_as_it_is(
    port: int, notifier: Notifier, sent: bytes, body: bytes
) -> None:
    """Whatever it says; that is looked at later."""
    assert status_of(exchanged(port, sent)) == 200
    assert bodies_of(notifier) == [body]


HOSTILE = {
    "no request": (b"\x00\xff\x16\x03\x01 garbage\r\n\r\n", {400}),
    "half a head": (b"POST /smsc HTTP/1.1\r\nContent-Le", {0, 400}),
    "half a body": (
        _head(["POST /smsc HTTP/1.1", "Host: x", "Content-Length: 9"]) + b"half",
        {0, 400},
    ),
    "a length that is a word": (
        _head(["POST /smsc HTTP/1.1", "Host: x", "Content-Length: nine"]),
        {400},
    ),
    "a length below zero": (_head(["POST /smsc HTTP/1.1", "Host: x", "Content-Length: -9"]), {400}),
    "two lengths": (post(b"sig=good", "Content-Length: 3"), {400}),
    "a length and chunks": (post(b"0\r\n\r\n", "Transfer-Encoding: gzip, chunked"), {400, 501}),
    "broken chunks": (
        _head(["POST /smsc HTTP/1.1", "Host: x", "Transfer-Encoding: chunked"]) + b"zz\r\nsig",
        {400},
    ),
    "a lot": (post(b"x" * 2_001), {413}),
    "a lot in a query": (_head([f"GET /smsc?{'x' * 2_001} HTTP/1.1", "Host: x"]), {413}),
    "a lot in chunks": (
        _head(["POST /smsc HTTP/1.1", "Host: x", "Transfer-Encoding: chunked"])
        + b"7d1\r\n"
        + b"x" * 2_001
        + b"\r\n0\r\n\r\n",
        {413},
    ),
    "a lot of head": (_head(["GET /smsc HTTP/1.1", f"X: {'x' * 40_000}"]), {0, 431}),
    "nobody": (post(b"sig=good", path="/nobody"), {404}),
    "somewhere else": (post(b"sig=good", path="/../../etc/passwd"), {404}),
    "another method": (_head(["DELETE /smsc HTTP/1.1", "Host: x"]), {405}),
    "a method of its own": (_head(["SMSC\x01 /smsc HTTP/1.1", "Host: x"]), {400, 405}),
    "a look": (_head(["HEAD /smsc HTTP/1.1", "Host: x"]), {200}),
}


@pytest.mark.parametrize(("sent", "statuses"), HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_call_is_not_kept(
    port: int, notifier: Notifier, sent: bytes, statuses: set[int]
) -> None:
    """It gets the answer it deserves, and that is never a 500; the next one is kept."""
    assert status_of(exchanged(port, sent)) in statuses
    assert status_of(exchanged(port, post(b"the next one"))) == 200
    assert bodies_of(notifier) == [b"the next one"]


def test_many_at_once_are_all_kept(port: int, notifier: Notifier) -> None:
    """More than there are threads; each is answered when it is on the disk."""
    statuses: list[int] = []

    def call(number: int) -> None:
        for turn in range(10):
            body = f"sig=bad&n={number}-{turn}".encode()
            statuses.append(status_of(exchanged(port, post(body))))

    callers = [threading.Thread(target=call, args=(number,)) for number in range(12)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()

    assert statuses == [200] * 120
    assert len(set(bodies_of(notifier))) == 120


def test_a_connection_is_kept_for_more_calls(port: int, notifier: Notifier) -> None:
    """Two requests in one write are two calls."""
    one = b"POST /smsc HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\none"
    answer = exchanged(port, one + post(b"two"))

    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert sorted(bodies_of(notifier)) == [b"one", b"two"]


def test_a_call_that_is_repeated_is_done_again_to_the_same_end(
    port: int, notifier: Notifier
) -> None:
    """The server takes it every time; what follows is the business of whom it is told to."""
    statuses = [status_of(exchanged(port, post(b"sig=bad"))) for _ in range(3)]

    assert statuses == [200] * 3
    assert bodies_of(notifier) == [b"sig=bad"] * 3


def test_when_the_journal_is_gone_the_provider_is_to_repeat(port: int, notifier: Notifier) -> None:
    notifier.journal.close()
    answer = exchanged(port, post(b"sig=good"))

    assert status_of(answer) == 503
    assert b"\r\nRetry-After: 30\r\n" in answer


def test_nothing_is_said_of_the_server(port: int) -> None:
    assert b"waitress" not in exchanged(port, post(b"")).lower()


def test_an_address_that_is_taken_is_a_mistake_of_the_configuration(
    port: int, notifier: Notifier
) -> None:
    taken = attrs.evolve(CONFIG, listen=f"127.0.0.1:{port}")
    words = f"127.0.0.1:{port} cannot be listened on: Address already in use"

    with pytest.raises(ConfigError, match=words), listening(callback_app(notifier), taken):
        pass


def test_who_may_call_is_what_the_configuration_says_that_is_live(
    port: int, notifier: Notifier
) -> None:
    """Of providers that came later too; the application is the one that was mounted."""
    config = notifier.config
    (smsc,) = config.providers
    later = attrs.evolve(smsc, name="later", settings=Caller())
    elsewhere = Callbacks(networks={"smsc": ("192.0.2.0/24",)}, largest=2_000)
    asked = [post(b"sig=good"), post(b"sig=good", path="/later")]
    before = [status_of(exchanged(port, each)) for each in asked]

    notifier.reload(attrs.evolve(config, providers=(smsc, later), callbacks=elsewhere))

    assert before == [200, 404]
    assert [status_of(exchanged(port, each)) for each in asked] == [403, 200]
