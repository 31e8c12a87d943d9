"""Hosts that do not share their messages: none of them answers for another."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from notify_core.message import Sms
from notify_core.notifier import Notifier
from notify_core.testing import ManualClock
from notify_smsc_emulator import CuttingProxy, Emulator, Settings

MakeNotifier = Callable[..., Notifier]

# Those of the gateway in ``conftest``: one account at all hosts.
_SETTINGS = Settings(rate_rules=False, password="canary-secret-9177")
MESSAGE = Sms(to="+79990000001", text="hello")


class FirstSleep(ManualClock):
    """Let something happen in the first pause: after the send, before the first question."""

    def __init__(self, event: Callable[[], object]) -> None:
        super().__init__()
        self._event = event

    def sleep(self, seconds: float) -> None:
        if not self.slept:
            self._event()
        super().sleep(seconds)


@pytest.fixture
def reserve() -> Iterator[Emulator]:
    """A second gateway with a store of its own."""
    with Emulator(_SETTINGS) as running:
        yield running


def test_a_reserve_host_that_knows_nothing_does_not_make_a_message_go_twice(
    gateway: Emulator, reserve: Emulator, make_notifier: MakeNotifier
) -> None:
    """The main host takes the send, its answer is cut, and then it is gone."""
    with ExitStack() as line:
        main = line.enter_context(CuttingProxy(gateway.http_port, cut_reply_after=0))
        notifier = make_notifier(
            main.port, clock=FirstSleep(line.close), reserve_hosts=(reserve.host,)
        )

        (delivery,) = notifier.send(MESSAGE)

    assert delivery.held
    assert (len(gateway.caught()), len(reserve.caught())) == (1, 0)


def test_a_message_that_the_reserve_host_took_is_found_there(
    reserve: Emulator, make_notifier: MakeNotifier
) -> None:
    """The main host is back when the question comes, and knows nothing."""
    reserve.fault("drop", script="send")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    main = Emulator(_SETTINGS, http_port=port)
    with ExitStack() as line:
        clock = FirstSleep(lambda: line.enter_context(main))
        notifier = make_notifier(port, clock=clock, reserve_hosts=(reserve.host,))

        (delivery,) = notifier.send(MESSAGE)

        assert main.requests() == ()
    assert delivery.accepted
    assert len(reserve.caught()) == 1


def test_a_message_that_its_host_does_not_know_is_sent_again(
    gateway: Emulator, reserve: Emulator, make_notifier: MakeNotifier
) -> None:
    """The host that alone can have it says that it has not: that is proof."""
    gateway.fault("drop", script="send", registered=False)

    (delivery,) = make_notifier(gateway.http_port, reserve_hosts=(reserve.host,)).send(MESSAGE)

    assert delivery.accepted
    assert (len(gateway.caught()), len(reserve.caught())) == (1, 0)
