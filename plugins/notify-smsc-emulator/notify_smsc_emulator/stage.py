"""The gateway with everything around it, and what can be done to it while it runs.

Everything happens in the emulator's own thread; `Emulator` and `Admin` are two ways to ask for it.
"""

import aiohttp

from .callbacks import about_call, about_incoming
from .clock import Clock
from .faults import Faults
from .gateway import Gateway
from .http import Api
from .incoming import AwaitedCall, IncomingMessage
from .model import CaughtMessage, Status
from .postman import Postman
from .settings import Settings
from .smtp import Mailbox


class Stage:
    """What becomes due by an action has been posted when the action returns."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.gateway = Gateway(settings)
        self.faults = Faults()
        self.api = Api(self.gateway, self.faults, clock)
        self.mailbox = Mailbox(self.gateway, clock)
        self.postman = Postman(self.gateway, settings, clock)
        self._session: aiohttp.ClientSession | None = None

    def open(self, session: aiohttp.ClientSession) -> None:
        """Post callbacks through this session from now on."""
        self._session = session

    def reset(self) -> None:
        """Forget everything but the addresses of the handlers."""
        self.gateway.clear()
        self.faults.clear()
        self.postman.clear()
        self.api.seen.clear()
        self.mailbox.seen.clear()

    def caught(self) -> tuple[CaughtMessage, ...]:
        """Return the messages as they stand now, oldest first."""
        return self.gateway.caught(self.clock.now())

    async def post_due(self) -> None:
        """Post the callbacks that are due."""
        if self._session is not None:
            await self.postman.post_due(self._session)

    async def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self.clock.advance(seconds)
        await self.post_due()

    async def become(
        self, message_id: int | str, status: Status, *, phone: str | None, err: int | None
    ) -> CaughtMessage:
        """Let a message have a status from now on."""
        now = self.clock.now()
        changed = self.gateway.become(str(message_id), status, now, phone=phone, err=err)
        await self.post_due()
        return changed

    async def receive(self, phone: str, text: str, to: str) -> IncomingMessage:
        """Let somebody send a message to a number of the account."""
        message = self.gateway.inbox.receive(phone, text, to, self.clock.now())
        self.postman.tell(about_incoming(message))
        await self.post_due()
        return message

    async def call(self, phone: str) -> AwaitedCall:
        """Let somebody call the number that was given out for it."""
        call = self.gateway.inbox.call(phone, self.clock.now())
        self.postman.tell(about_call(call))
        await self.post_due()
        return call
