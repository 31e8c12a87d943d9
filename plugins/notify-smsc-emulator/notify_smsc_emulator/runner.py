"""The emulator in a thread of its own."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from contextlib import AsyncExitStack
from ssl import SSLContext
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp
from aiohttp import web
from aiosmtpd.smtp import SMTP
from attrs import frozen

from .admin import Admin
from .clock import Clock, RealClock
from .controls import Controls
from .counters import Counters
from .decoding import SeenRequest
from .disorder import Disorder, DisorderKind
from .faults import Fault, FaultKind
from .incoming import AwaitedCall, IncomingMessage
from .lives import Life
from .model import CallbackKind, CaughtMessage, Channel, Script, Status
from .postman import SentReceipt
from .settings import Settings
from .smtp import SeenLetter, make_server
from .stage import Stage

_LARGEST_REQUEST = 32 * 2**20
_TICK_S = 0.02
_HANGING_S = 0.01
_T = TypeVar("_T")


@frozen
class _Running:
    """What there is while the emulator runs."""

    loop: asyncio.AbstractEventLoop
    stop: asyncio.Event
    http_port: int
    smtp_port: int


class Emulator:
    """A gateway that runs as long as the ``with`` block.

    Its methods may be called from any thread. Port 0 lets the operating system choose one.
    With ``tls`` the HTTP side speaks HTTPS only and the SMTP side offers STARTTLS.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        host: str = "127.0.0.1",
        http_port: int = 0,
        smtp_port: int = 0,
        tls: SSLContext | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self._host = host
        self._ports = http_port, smtp_port
        self._tls = tls
        self._stage = Stage(self.settings, clock or RealClock(self.settings.speed))
        self._running: _Running | None = None
        self._thread: threading.Thread | None = None

    # --- where it is --------------------------------------------------------------------------

    @property
    def host(self) -> str:
        """Host and port of the HTTP side."""
        return f"{self._host}:{self._need_running().http_port}"

    @property
    def url(self) -> str:
        """Address of the HTTP side, without a slash at the end."""
        return f"{'https' if self._tls else 'http'}://{self.host}"

    @property
    def http_port(self) -> int:
        """Port of the HTTP side."""
        return self._need_running().http_port

    @property
    def smtp_port(self) -> int:
        """Port of the SMTP side."""
        return self._need_running().smtp_port

    # --- what it has seen; also after it has stopped ------------------------------------------

    def caught(self) -> tuple[CaughtMessage, ...]:
        """Return the messages as they stand now, oldest first."""
        return self._call(self._stage.caught)

    def requests(self) -> tuple[SeenRequest, ...]:
        """Return every HTTP request, oldest first, those that met a fault included."""
        return self._call(lambda: tuple(self._stage.api.seen))

    def letters(self) -> tuple[SeenLetter, ...]:
        """Return every letter, oldest first, with what was made of it."""
        return self._call(lambda: tuple(self._stage.mailbox.seen))

    def receipts(self) -> tuple[SentReceipt, ...]:
        """Return every attempt at a callback, oldest first."""
        return self._call(lambda: tuple(self._stage.postman.sent))

    def incoming(self) -> tuple[IncomingMessage, ...]:
        """Return what came in, oldest first."""
        return self._call(lambda: self._stage.gateway.inbox.messages)

    def counters(self) -> Counters:
        """Return how much was asked, and how often it was too much."""
        return self._call(self._stage.gateway.tally.read)

    # --- what can be done to it ---------------------------------------------------------------

    def fault(
        self,
        kind: FaultKind | str,
        *,
        script: Script | str | None = None,
        times: int | None = 1,
        registered: bool = True,
        seconds: float = 1.0,
        cut_after: int = 0,
        body: str | None = None,
    ) -> None:
        """Switch a fault on for the next ``times`` requests; see `Fault` for the meanings."""
        fault = Fault(
            kind=kind,
            script=script,
            times=times,
            registered=registered,
            seconds=seconds,
            cut_after=cut_after,
            body=body,
        )
        self._call(lambda: self._stage.faults.add(fault))

    def disorder(
        self,
        kind: DisorderKind | str,
        *,
        callback: CallbackKind | str | None = None,
        phone: str = "",
        status: Status | int | None = None,
        times: int | None = 1,
        seconds: float | None = None,
        copies: int = 1,
    ) -> None:
        """Disturb the next ``times`` callbacks; see `Disorder` for the meanings."""
        disorder = Disorder(
            kind=kind,
            callback=callback,
            phone=phone,
            status=status,
            times=times,
            seconds=seconds,
            copies=copies,
        )
        self._call(lambda: self._stage.postman.disorders.add(disorder))

    def live(
        self,
        course: Sequence[Sequence[float]],
        *,
        channel: Channel | str | None = None,
        phone: str = "",
        times: int | None = 1,
    ) -> None:
        """Choose the statuses of the next ``times`` messages; see `Life` for the meanings.

        ``course`` holds ``[seconds, status]`` or ``[seconds, status, err]``.
        """
        life = Life(course=course, channel=channel, phone=phone, times=times)
        self._call(lambda: self._stage.gateway.lives.add(life))

    def post_to(self, **urls: str | None) -> None:
        """Set the addresses for ``status``, ``incoming`` and ``calls``; None: nowhere."""
        self._call(lambda: self._stage.postman.direct(**urls))

    def become(
        self,
        message_id: int | str,
        status: Status | int,
        *,
        phone: str | None = None,
        err: int | None = None,
    ) -> CaughtMessage:
        """Let the last message with this id have the status; returns when that is posted."""
        to = Status(status)
        return self._await(self._stage.become(message_id, to, phone=phone, err=err))

    def receive(self, phone: str, text: str, to: str) -> IncomingMessage:
        """Let somebody send a message to a number of the account; returns when it is posted."""
        return self._await(self._stage.receive(phone, text, to))

    def call(self, phone: str) -> AwaitedCall:
        """Let somebody call who is waited for; returns when that is posted."""
        return self._await(self._stage.call(phone))

    def clear(self) -> None:
        """Forget messages, requests, faults, disorder and blocks, and fill the balance up again."""
        self._call(self._stage.reset)

    def advance(self, seconds: float) -> None:
        """Move the clock forward; returns when the receipts that became due are posted."""
        self._await(self._stage.advance(seconds))

    # --- life ---------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        """Start; returns when both ports are open."""
        started: Future[_Running] = Future()
        self._thread = threading.Thread(
            target=self._run, args=(started,), name="smsc-emulator", daemon=True
        )
        self._thread.start()
        self._running = started.result()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Stop; requests that hang are dropped."""
        running, self._running = self._need_running(), None
        running.loop.call_soon_threadsafe(running.stop.set)
        if self._thread is not None:
            self._thread.join()

    def _need_running(self) -> _Running:
        if self._running is None:
            raise RuntimeError("the emulator is not running: use it in a with block")
        return self._running

    def _call(self, function: Callable[[], _T]) -> _T:
        """Call a function where the emulator lives, so that nothing changes meanwhile."""
        if self._running is None:
            return function()

        async def call() -> _T:
            return function()

        return asyncio.run_coroutine_threadsafe(call(), self._running.loop).result()

    def _await(self, action: Coroutine[Any, Any, _T]) -> _T:
        """Do something where the emulator lives; it has to run."""
        if self._running is None:
            action.close()
        loop = self._need_running().loop
        return asyncio.run_coroutine_threadsafe(action, loop).result()

    def _run(self, started: "Future[_Running]") -> None:
        try:
            asyncio.run(self._serve(started))
        except Exception as exc:
            # Before the start it belongs to the caller of __enter__, afterwards to nobody.
            if started.done():
                raise
            started.set_exception(exc)

    async def _serve(self, started: "Future[_Running]") -> None:
        async with AsyncExitStack() as stack:
            session = await stack.enter_async_context(aiohttp.ClientSession())
            self._stage.open(session)
            http_port = await self._open_http(stack)
            smtp_port = await self._open_smtp(stack)
            stop = asyncio.Event()
            loop = asyncio.get_running_loop()
            started.set_result(_Running(loop, stop, http_port, smtp_port))
            ticking = asyncio.create_task(self._tick())
            await stop.wait()
            ticking.cancel()

    async def _open_http(self, stack: AsyncExitStack) -> int:
        runner = web.AppRunner(
            self._make_app(),
            access_log=None,
            handler_cancellation=True,
            shutdown_timeout=_HANGING_S,
        )
        await runner.setup()
        stack.push_async_callback(_close_http, runner)
        site = web.TCPSite(runner, self._host, self._ports[0], ssl_context=self._tls)
        await site.start()
        port: int = runner.addresses[0][1]
        return port

    def _make_app(self) -> web.Application:
        app = web.Application(client_max_size=_LARGEST_REQUEST)
        Admin(self._stage).add_routes(app)
        Controls(self._stage).add_routes(app)
        self._stage.api.add_routes(app)
        return app

    async def _open_smtp(self, stack: AsyncExitStack) -> int:
        loop = asyncio.get_running_loop()
        connections: list[SMTP] = []

        def connect() -> SMTP:
            connections.append(make_server(self._stage.mailbox, self._tls))
            return connections[-1]

        server = await loop.create_server(connect, self._host, self._ports[1])
        stack.callback(_close_smtp, server, connections)
        port: int = server.sockets[0].getsockname()[1]
        return port

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            await self._stage.post_due()


async def _close_http(runner: web.AppRunner) -> None:
    """Drop the connections first: one over TLS would wait for the client's goodbye."""
    for connection in runner.server.connections if runner.server else []:
        if connection.transport is not None:
            connection.transport.abort()
    await runner.cleanup()


def _close_smtp(server: asyncio.Server, connections: list[SMTP]) -> None:
    """Close the connections too: before Python 3.12 a server leaves them open."""
    server.close()
    for connection in connections:
        if connection.transport is not None:
            connection.transport.close()
