"""A gateway that only answers: one acceptance per POST, as fast as Python can.

Run as a process of its own so that its processor time is not the client's:
``python gateway_stub.py [CERTIFICATE KEY]`` prints its port and serves until it is ended.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import sys

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_ID = re.compile(rb"(?:^|&)id=(\d+)")


class Answering(asyncio.Protocol):
    """Answer each whole request with the id that it brought."""

    def __init__(self) -> None:
        self._seen = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._seen += data
        head, found, body = self._seen.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not found or length is None or len(body) < int(length[1]):
            return
        self._seen = b""
        own = _ID.search(body)
        answer = b'{"id":%s,"cnt":1,"cost":"1.5","balance":"97.60"}' % (own[1] if own else b"1")
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nServer: stub\r\nContent-Type: application/json\r\n"
            b"Connection: keep-alive\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer)
        )


async def main() -> None:
    """Serve on a port that the system chooses."""
    context = None
    if len(sys.argv) == 3:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1], sys.argv[2])
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Answering, "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
