"""The postman: posts callbacks when their time has come, again if nobody took them."""

import asyncio
import heapq
from random import Random

import aiohttp
from attrs import evolve, field, frozen
from yarl import URL

from .callbacks import Notice, Written, about_status, is_reported, write
from .clock import Clock
from .disorder import Disorder, disturb
from .gateway import Gateway
from .model import CallbackKind
from .settings import Settings, address
from .switches import Switches

_ANSWER_S = 10


@frozen(kw_only=True)
class SentReceipt:
    """One attempt at a callback; without an answer the handler was not reached."""

    url: str
    fields: dict[str, str]
    attempt: int
    answer_status: int | None
    kind: CallbackKind
    method: str


@frozen(kw_only=True)
class Handlers:
    """Where each kind of callback goes; None: nowhere."""

    status: str | None = address()
    incoming: str | None = address()
    calls: str | None = address()

    def of(self, kind: CallbackKind) -> str | None:
        """Return the address for a kind of callback."""
        match kind:
            case CallbackKind.STATUS:
                return self.status
            case CallbackKind.INCOMING:
                return self.incoming
            case CallbackKind.CALL:
                return self.calls


@frozen(order=True)
class _Waiting:
    at: float
    serial: int
    """Keeps the order of those that come at the same time."""
    written: Written = field(order=False)
    attempt: int = field(default=1, order=False)


class Postman:
    """Posts the callbacks whose time has come."""

    def __init__(self, gateway: Gateway, settings: Settings, clock: Clock) -> None:
        self._gateway = gateway
        self._settings = settings
        self._clock = clock
        self._waiting: list[_Waiting] = []
        self._serial = 0
        self._random = Random(0)
        self._one_round = asyncio.Lock()
        self._places = asyncio.Semaphore(settings.callback_at_once)
        self.handlers = Handlers(
            status=settings.callback_url,
            incoming=settings.incoming_url,
            calls=settings.calls_url,
        )
        self.disorders: Switches[Disorder] = Switches()
        self.sent: list[SentReceipt] = []

    def clear(self) -> None:
        """Forget what was posted and what is to be posted, and be orderly again."""
        self._waiting.clear()
        self._random = Random(0)
        self.disorders.clear()
        self.sent.clear()

    def tell(self, notice: Notice) -> None:
        """Take a callback to its handler, in its time; without a handler it is forgotten."""
        url = self.handlers.of(notice.kind)
        if url is None:
            return
        met = self.disorders.take_all(
            lambda disorder: disorder.fits(notice.kind, notice.phone, notice.status)
        )
        late_s = self._settings.receipt_late_s
        manner = disturb((*notice.disorders, *met), late_s, self._random)
        written = write(notice, url, manner, secret_stripped=self._settings.secret_stripped)
        for after_s in manner.times_s:
            self._keep(written, notice.at + after_s)

    def _keep(self, written: Written, at: float, attempt: int = 1) -> None:
        self._serial += 1
        heapq.heappush(self._waiting, _Waiting(at, self._serial, written, attempt))

    async def post_due(self, session: aiohttp.ClientSession) -> None:
        """Post everything that is due now; returns when each was answered or given up."""
        async with self._one_round:
            now = self._clock.now()
            for due in self._gateway.take_due(now):
                if is_reported(due, self._settings):
                    self.tell(about_status(due))
            ready = []
            while self._waiting and self._waiting[0].at <= now:
                ready.append(heapq.heappop(self._waiting))
            await asyncio.gather(*(self._post(session, waiting) for waiting in ready))

    async def _post(self, session: aiohttp.ClientSession, waiting: _Waiting) -> None:
        written, attempt = waiting.written, waiting.attempt
        async with self._places:
            status = await _call(session, written)
        self.sent.append(_sent(written, attempt, status))
        if status != 200 and attempt < self._settings.callback_attempts:
            again = self._clock.now() + self._settings.callback_pause_s
            self._keep(written, again, attempt + 1)

    def direct(self, **urls: str | None) -> None:
        """Set the addresses that are named: ``status``, ``incoming``, ``calls``."""
        self.handlers = evolve(self.handlers, **urls)


def _sent(written: Written, attempt: int, status: int | None) -> SentReceipt:
    return SentReceipt(
        url=written.url,
        fields=dict(written.fields),
        attempt=attempt,
        answer_status=status,
        kind=written.kind,
        method=written.method,
    )


async def _call(session: aiohttp.ClientSession, written: Written) -> int | None:
    by_get = written.method == "GET"
    try:
        async with session.request(
            written.method,
            URL(written.url, encoded=True),
            data=None if by_get else written.body,
            headers={} if by_get else {"Content-Type": written.content_type},
            timeout=aiohttp.ClientTimeout(total=_ANSWER_S),
            allow_redirects=False,
        ) as response:
            return response.status
    except (aiohttp.ClientError, TimeoutError):
        return None
