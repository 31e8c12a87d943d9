"""Cut, slow and broken answers of a send: nothing goes twice, and every report is true."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notify_core.delivery import Delivery
from notify_core.message import Sms
from notify_core.notifier import Notifier
from notify_core.outcome import Accepted, NotSent, Refused
from notify_core.testing import ManualClock
from notify_smsc_emulator import CuttingProxy, Emulator

MakeNotifier = Callable[..., Notifier]

ONE_REQUEST = 600
"""More bytes than a request of these tests has."""
ONE_REPLY = 500

MANY = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def send_one(notifier: Notifier) -> Delivery:
    (delivery,) = notifier.send(Sms(to="+79990000001", text="hello"))
    return delivery


def assert_true(delivery: Delivery, gateway: Emulator) -> None:
    """Hold a report against what the gateway caught."""
    caught = len(gateway.caught())
    assert caught <= 1, "sent twice"
    if isinstance(delivery.outcome, Accepted):
        assert caught == 1
    if isinstance(delivery.outcome, NotSent | Refused):
        assert caught == 0


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("side", ["cut_request_after", "cut_reply_after"])
def test_a_line_cut_at_any_byte_is_resolved_into_one_message_and_a_true_report(
    gateway: Emulator, make_notifier: MakeNotifier, side: str, reset: bool
) -> None:
    """Every position in turn, up to the first at which nothing is missed any more."""
    for cut in itertools.count():
        gateway.clear()
        with CuttingProxy(gateway.http_port, times=1, reset=reset, **{side: cut}) as proxy:
            delivery = send_one(make_notifier(proxy.port))

        assert_true(delivery, gateway)
        assert delivery.accepted
        if isinstance(delivery.attempts[0].answer, Accepted):
            break
    assert cut > 250


@given(
    cut_request=st.none() | st.integers(0, ONE_REQUEST),
    cut_reply=st.none() | st.integers(0, ONE_REPLY),
    times=st.integers(1, 6),
    reset=st.booleans(),
)
@MANY
def test_a_line_that_keeps_breaking_never_makes_a_second_message(
    gateway: Emulator,
    make_notifier: MakeNotifier,
    cut_request: int | None,
    cut_reply: int | None,
    times: int,
    reset: bool,
) -> None:
    gateway.clear()
    with CuttingProxy(
        gateway.http_port,
        cut_request_after=cut_request,
        cut_reply_after=cut_reply,
        times=times,
        reset=reset,
    ) as proxy:
        delivery = send_one(make_notifier(proxy.port))

    assert_true(delivery, gateway)


@pytest.mark.parametrize("registered", [True, False], ids=["arrived", "did not arrive"])
@pytest.mark.parametrize("kind", ["drop", "html", "server_error", "wrong_json", "empty", "cut"])
def test_a_broken_answer_is_resolved_by_asking(
    gateway: Emulator, make_notifier: MakeNotifier, kind: str, registered: bool
) -> None:
    gateway.fault(kind, script="send", registered=registered)

    delivery = send_one(make_notifier(gateway.http_port))

    assert_true(delivery, gateway)
    assert delivery.accepted
    sends = [request.path for request in gateway.requests()].count("/sys/send.php")
    assert sends == (1 if registered else 2)


def test_an_answer_that_never_comes_is_resolved_by_asking(
    gateway: Emulator, make_notifier: MakeNotifier
) -> None:
    gateway.fault("no_answer", script="send")

    delivery = send_one(make_notifier(gateway.http_port, read_timeout=timedelta(milliseconds=200)))

    assert delivery.accepted
    assert_true(delivery, gateway)


def test_a_message_that_nobody_can_be_asked_about_is_held(
    gateway: Emulator, make_notifier: MakeNotifier
) -> None:
    gateway.fault("drop", script="send")
    gateway.fault("html", script="status", times=None)

    delivery = send_one(make_notifier(gateway.http_port))

    assert delivery.held
    assert_true(delivery, gateway)


def test_a_message_that_is_known_only_later_is_not_sent_again(
    gateway: Emulator, make_notifier: MakeNotifier
) -> None:
    """The gateway may answer *not found* right after a send."""

    class Together(ManualClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            gateway.advance(seconds)

    gateway.fault("drop", script="send")
    notifier = make_notifier(gateway.http_port, clock=Together())

    (delivery,) = notifier.send(Sms(to="+79990007793", text="hello"))

    assert delivery.accepted
    assert len(gateway.caught()) == 1


@pytest.mark.parametrize(
    ("number", "scope"),
    [("+79990005506", "text"), ("+79990005507", "number"), ("+79990005508", "route")],
)
def test_a_refusal_that_was_lost_is_no_acceptance(
    gateway: Emulator, make_notifier: MakeNotifier, number: str, scope: str
) -> None:
    """The gateway knows a message that it refused, under our id."""
    gateway.fault("drop", script="send")

    (delivery,) = make_notifier(gateway.http_port).send(Sms(to=number, text=scope))

    assert isinstance(delivery.outcome, Refused)
    assert [request.path for request in gateway.requests()].count("/sys/send.php") == 1


def test_a_second_request_after_a_certain_absence_has_the_same_id(
    gateway: Emulator, make_notifier: MakeNotifier
) -> None:
    gateway.fault("drop", script="send", registered=False)

    send_one(make_notifier(gateway.http_port))

    ids = {
        request.values["id"] for request in gateway.requests() if request.path == "/sys/send.php"
    }
    assert len(ids) == 1
