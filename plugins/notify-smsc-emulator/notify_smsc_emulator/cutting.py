"""A small TCP proxy that breaks a connection after exactly so many bytes."""

import select
import socket
import struct
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

from attrs import define, field

_CHUNK = 65536
_PATIENCE_S = 10.0
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class CuttingProxy:
    """Stands between a client and a server on loopback and cuts.

    ``cut_request_after`` N: the server gets the first N bytes of what the client sends and then
    the end of the stream; the client's connection is closed when the server has closed its own,
    so that whatever the server does with N bytes is done when the client notices.
    ``cut_reply_after`` N: the server gets everything, the client the first N bytes of the reply;
    with 0 the cut comes when the first byte of the reply has arrived here.
    Fewer bytes than N are never cut. ``times`` connections are cut, with None all of them; later
    ones pass through. With ``reset`` the client sees RST, else FIN.
    """

    def __init__(
        self,
        target_port: int,
        *,
        cut_request_after: int | None = None,
        cut_reply_after: int | None = None,
        times: int | None = None,
        reset: bool = False,
    ) -> None:
        self._target_port = target_port
        self._limits = cut_request_after, cut_reply_after
        self._times = times
        self._reset = reset
        self.accepted: int = 0
        """How many connections have come."""
        self._connections: list[_Connection] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, name="cutting-proxy", daemon=True)

    def __enter__(self) -> Self:
        """Start to accept connections."""
        self._thread.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Close everything, connections in use included."""
        # A blocked accept() is not woken by close() alone.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        for connection in self._connections:
            connection.stop()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            cut = self._times is None or self.accepted <= self._times
            self._start(client, *(self._limits if cut else (None, None)))

    def _start(
        self, client: socket.socket, request_left: int | None, reply_left: int | None
    ) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self._target_port), _PATIENCE_S)
        except OSError:
            client.close()
            return
        for end in (client, server):
            # Small pieces would otherwise wait 40 ms for each other.
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _Connection(client, server, request_left, reply_left, self._reset)
        self._connections.append(connection)
        connection.thread.start()


@define(eq=False)
class _Connection:
    """One client and its server. One thread serves both directions: RST needs a lone owner."""

    client: socket.socket
    server: socket.socket
    request_left: int | None
    reply_left: int | None
    reset: bool
    request_cut: bool = False
    thread: threading.Thread = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.thread = threading.Thread(target=self._run, name="cutting-proxy", daemon=True)

    def stop(self) -> None:
        for end in (self.client, self.server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self.thread.join()

    def _run(self) -> None:
        with self.client, self.server, suppress(OSError):
            if self.request_left == 0:
                self._end_request()
            self._carry()
            self._let_go()

    def _carry(self) -> None:
        """Pass bytes on until the reply is cut or the server has closed."""
        sources = [self.client, self.server]
        while True:
            patience_s = _PATIENCE_S if self.request_cut else None
            ready, _, _ = select.select(sources, [], [], patience_s)
            if not ready:
                return
            if self.client in ready and not self._carry_request():
                sources.remove(self.client)
            if self.server in ready and not self._carry_reply():
                return

    def _carry_request(self) -> bool:
        """Pass on what the client has sent; False at the end of its stream."""
        chunk = self.client.recv(_CHUNK)
        if self.request_cut:
            return bool(chunk)
        passed = chunk[: self.request_left]
        if self.request_left is not None:
            self.request_left -= len(passed)
        # Known before the last byte leaves: no reply to it may get through.
        self.request_cut = self.request_left == 0
        self.server.sendall(passed)
        if self.request_cut or not chunk:
            self.server.shutdown(socket.SHUT_WR)
        return bool(chunk)

    def _end_request(self) -> None:
        self.request_cut = True
        self.server.shutdown(socket.SHUT_WR)

    def _carry_reply(self) -> bool:
        """Pass on what the server has sent; False at the cut and at the end of its stream."""
        chunk = self.server.recv(_CHUNK)
        if self.request_cut or not chunk:
            return bool(chunk)
        passed = chunk[: self.reply_left]
        self.client.sendall(passed)
        if self.reply_left is not None:
            self.reply_left -= len(passed)
        return self.reply_left != 0

    def _let_go(self) -> None:
        """Close the client's side as it is wished, leaving nothing unread that would mean RST."""
        if self.reset and (self.request_cut or self.reply_left == 0):
            self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            return
        self.client.shutdown(socket.SHUT_WR)
        self.client.setblocking(False)
        while self.client.recv(_CHUNK):
            pass
