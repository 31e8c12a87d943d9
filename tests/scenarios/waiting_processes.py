"""What a route that waits for receipts meets: a gateway that calls, an address, workers."""

from __future__ import annotations

import contextlib
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import attrs

from notify_core.config.sections import Callbacks
from notify_core.message import Sms
from notify_core.notifier import Notifier
from notify_core.server.standalone import listening
from notify_core.server.wsgi import callback_app
from notify_core.testing import ManualClock
from notify_smsc_emulator import CaughtMessage, Emulator, Settings
from notify_smsc_emulator import ManualClock as GatewayClock
from tests.crash.crew import Member
from tests.crash.processes import Place, run_worker

SECRET = "receipt-canary-5521"

_CONFIG = """\
version: 1
providers:
  smsc:
    type: smsc
    login: {login}
    password: {password}
    host: {host}
    https: false
    reserve_hosts: []
    read_timeout: 2s
    telegram_bot: "@shop_bot"
    ask_after: {ask_after}
    callback: {{secrets: ["{secret}"]}}
journal: {{url: "{url}", lease: {lease}, pool_size: 8}}
worker: {{concurrency: 4, reserved: 1}}
routes:
  - name: code
    send:
      first_of:
{legs}
"""

_THREE_LEGS = (
    "{{channel: telegram, via: smsc, until: delivered, within: {first}{more}}}",
    "{{channel: sms, via: smsc, until: delivered, within: {second}}}",
    "{{channel: call, via: smsc}}",
)


@attrs.frozen(kw_only=True)
class Times:
    """How long the legs of the route wait, how long a lease is, and when doubts are asked about.

    ``more`` are further keys of the first leg, and ``legs`` other ones in the place of the three.
    """

    first: str = "20s"
    second: str = "60s"
    lease: str = "60s"
    ask_after: str = "[2s, 5s, 15s, 30s]"
    more: str = ""
    legs: tuple[str, ...] = ()

    def legs_of_route(self) -> str:
        """Return the lines of the route with its legs."""
        times = {"first": self.first, "second": self.second, "more": self.more}
        legs = self.legs or tuple(each.format(**times) for each in _THREE_LEGS)
        return "\n".join(f"        - {each}" for each in legs)


@attrs.frozen
class Sent:
    """What the gateway was sent: the channel, and for how long it is worth delivering."""

    channel: str
    valid: str | None = None


TELEGRAM, SMS, CALL = Sent("bot"), Sent("sms", "00:01"), Sent("call")


class Together(ManualClock):
    """Our clock, which takes that of the gateway along."""

    def __init__(self) -> None:
        super().__init__()
        self.of_gateway = GatewayClock(self.now().timestamp())
        self.gateway: Emulator | None = None

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        if self.gateway is not None:
            self.gateway.advance(seconds)


@attrs.frozen
class Scene:
    """A gateway and a notifier whose time passes when it is told to."""

    gateway: Emulator
    notifier: Notifier
    clock: Together
    address: str

    def send(self, phone: str) -> str:
        """Send a code; return the id of its delivery."""
        (delivery,) = self.notifier.send(code_to(phone))
        return delivery.id

    def pass_time(self, seconds: int, workers: Sequence[Notifier] = ()) -> None:
        """Let the time pass, second by second, and all that is due be done."""
        for _ in range(seconds):
            self.clock.advance(1)
            for each in workers or (self.notifier,):
                each.worker().work_off()

    def sent(self, phone: str) -> list[Sent]:
        return sent_to(self.gateway, phone)


def code_to(phone: str, *, key: str | None = None) -> Sms:
    return Sms(to=phone, text=f"Your code is {phone[-4:]}", key=key)


def sent_to(gateway: Emulator, phone: str) -> list[Sent]:
    """Return what the gateway has caught for somebody, oldest first."""
    return [Sent(each.channel.value, each.params.get("valid")) for each in caught(gateway, phone)]


def caught(gateway: Emulator, phone: str) -> list[CaughtMessage]:
    return [each for each in gateway.caught() if each.phone == phone.removeprefix("+")]


def write_config(folder: Path, gateway: Emulator, url: str, times: Times) -> Path:
    """Write the configuration of an application and its workers."""
    path = Place(folder).config
    path.write_text(
        _CONFIG.format(
            login=gateway.settings.login,
            password=gateway.settings.password,
            host=gateway.host,
            secret=SECRET,
            url=url,
            lease=times.lease,
            ask_after=times.ask_after,
            legs=times.legs_of_route(),
        )
    )
    return path


@contextlib.contextmanager
def scene(folder: Path, url: str, times: Times, *, calls: bool) -> Iterator[Scene]:
    """Set a scene whose clock stands still; with ``calls`` the gateway tells of what happens."""
    clock = Together()
    with Emulator(Settings(), clock=clock.of_gateway) as gateway:
        clock.gateway = gateway
        path = write_config(folder, gateway, url, times)
        with (
            Notifier.from_file(path, clock=clock) as notifier,
            called(notifier, gateway, calls) as address,
        ):
            yield Scene(gateway, notifier, clock, address)
        clock.gateway = None


@contextlib.contextmanager
def called(notifier: Notifier, gateway: Emulator, calls: bool = True) -> Iterator[str]:
    """Take in what the gateway tells, at an address of its own: that without a secret."""
    if not calls:
        yield ""
        return
    with listening(callback_app(notifier), Callbacks(listen="127.0.0.1:0")) as address:
        gateway.post_to(status=f"{address}/smsc?charset=utf-8&sha1={SECRET}")
        try:
            yield f"{address}/smsc"
        finally:
            gateway.post_to(status=None)


@contextlib.contextmanager
def workers(folder: Path, count: int) -> Iterator[list[Member]]:
    """Start worker processes; they end with the block."""
    members = [Member(Place(folder), f"worker-{number}", run_worker) for number in range(count)]
    try:
        for member in members:
            member.revive()
        yield members
    finally:
        for member in members:
            member.kill()


def defects_in(folder: Path) -> list[str]:
    """Return what no worker should ever log."""
    return [log.read_text() for log in folder.glob("*.log") if "Traceback" in log.read_text()]


def until(true: Callable[[], bool], within_s: float = 20.0) -> float:
    """Wait until something is so; return how many seconds that took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() < began + within_s, "it takes too long"
        time.sleep(0.02)
    return time.monotonic() - began


def mend(gateway: Emulator) -> None:
    """Let the gateway answer as it should again."""
    request = urllib.request.Request(f"{gateway.url}/_emulator/faults", method="DELETE")
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200
