"""The proxy that cuts."""

import socket

import pytest

from notify_smsc_emulator import CuttingProxy, Emulator, Settings

BODY = b"apikey=test-key&phones=79990000001&mes=Hello&fmt=3"
REQUEST = (
    b"POST /sys/send.php HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(BODY)
) + BODY


@pytest.fixture
def settings() -> Settings:
    return Settings(rate_rules=False)


def talk(port: int, request: bytes = REQUEST) -> bytes:
    """Send, read to the end; a reset is the end too."""
    reply = b""
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        try:
            client.sendall(request)
            while chunk := client.recv(65536):
                reply += chunk
        except ConnectionError:
            pass
    return reply


def test_without_limits_everything_passes(gateway: Emulator) -> None:
    with CuttingProxy(gateway.http_port) as proxy:
        assert talk(proxy.port).endswith(b'{"id":1,"cnt":1}')


@pytest.mark.parametrize("reset", [True, False])
def test_a_request_takes_effect_exactly_when_all_of_it_arrived(
    gateway: Emulator, reset: bool
) -> None:
    for count in range(len(REQUEST) + 1):
        gateway.clear()
        with CuttingProxy(gateway.http_port, cut_request_after=count, reset=reset) as proxy:
            reply = talk(proxy.port)
        assert (count, b"") == (count, reply)
        assert (count, count == len(REQUEST)) == (count, len(gateway.caught()) == 1)


def test_a_request_in_small_pieces_is_cut_at_the_same_byte(gateway: Emulator) -> None:
    with (
        CuttingProxy(gateway.http_port, cut_request_after=len(REQUEST)) as proxy,
        socket.create_connection(("127.0.0.1", proxy.port), 10) as client,
    ):
        for place in range(0, len(REQUEST), 7):
            client.sendall(REQUEST[place : place + 7])
        assert client.recv(100) == b""
    assert len(gateway.caught()) == 1


@pytest.mark.parametrize("reset", [True, False])
def test_a_cut_reply_breaks_off_at_the_byte_and_the_request_took_effect(
    gateway: Emulator, reset: bool
) -> None:
    for count in range(len(talk(gateway.http_port))):
        gateway.clear()
        with CuttingProxy(gateway.http_port, cut_reply_after=count, reset=reset) as proxy:
            reply = talk(proxy.port)
        assert (count, 1) == (len(reply), len(gateway.caught()))


def test_a_reset_is_seen_as_one(gateway: Emulator) -> None:
    with (
        CuttingProxy(gateway.http_port, cut_request_after=10, reset=True) as proxy,
        socket.create_connection(("127.0.0.1", proxy.port), 10) as client,
    ):
        client.sendall(REQUEST[:10])
        with pytest.raises(ConnectionResetError):
            client.recv(1)


def test_only_so_many_connections_are_cut(gateway: Emulator) -> None:
    with CuttingProxy(gateway.http_port, cut_reply_after=0, times=1) as proxy:
        replies = [talk(proxy.port) for _ in range(2)]
    assert [bool(reply) for reply in replies] == [False, True]


def test_a_target_that_is_not_there_closes_the_connection() -> None:
    with CuttingProxy(9) as proxy:
        assert talk(proxy.port) == b""


def test_open_connections_are_closed_with_the_proxy(gateway: Emulator) -> None:
    with CuttingProxy(gateway.http_port) as proxy:
        client = socket.create_connection(("127.0.0.1", proxy.port), 10)
        client.sendall(b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 404")
    with client:
        assert client.recv(1) == b""
