"""The promise of the transports: at every byte of a conversation a cut leads to an honest outcome.

*Not sent* only if the gateway has caught nothing, *accepted* only if it has caught exactly one
message, *unknown* in all other cases, and never more than one message.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from notify_core.delivery import Attempt
from notify_core.message import Sms
from notify_core.outcome import Accepted, NotSent, Outcome, Unknown
from notify_smsc.plugin import SmscProvider
from notify_smsc_emulator import CuttingProxy, Emulator, ManualClock, Settings

MakeAttempt = Callable[..., Attempt]
Connect = Callable[..., SmscProvider]


@pytest.fixture(scope="module")
def shared() -> Iterator[Emulator]:
    """One gateway for all positions; each has its own id."""
    with Emulator(Settings(rate_rules=False), clock=ManualClock()) as running:
        yield running


def check(outcome: Outcome, caught: int) -> None:
    """The promise itself."""
    assert caught <= 1
    match outcome:
        case Accepted():
            assert caught == 1
        case NotSent():
            assert caught == 0
        case _:
            assert isinstance(outcome, Unknown)


def cut_everywhere(
    gateway: Emulator, send: Callable[[CuttingProxy, str], Outcome], target: int, cut: str
) -> Counter[str]:
    """Cut one conversation at each byte until one passes whole; count the outcomes.

    Every seventh cut is made a second time, with a reset in place of an orderly end.
    """
    outcomes: Counter[str] = Counter()
    for reset, step in ((False, 1), (True, 7)):
        for position in range(0, 100_000, step):
            before = len(gateway.caught())
            with CuttingProxy(target, reset=reset, **{cut: position}) as proxy:
                outcome = send(proxy, f"{cut}-{reset}-{position}")
            check(outcome, len(gateway.caught()) - before)
            outcomes[type(outcome).__name__] += 1
            if isinstance(outcome, Accepted):
                break
    return outcomes


@pytest.mark.parametrize("cut", ["cut_request_after", "cut_reply_after"])
def test_every_cut_of_a_request_or_its_reply_is_honest_over_http(
    shared: Emulator, connect: Connect, attempt: MakeAttempt, cut: str
) -> None:
    """Head and body, first byte to last: what has left is unknown until the reply is whole."""

    def send(proxy: CuttingProxy, own_id: str) -> Outcome:
        # The reserve host is the gateway itself: a second send would be caught.
        smsc = connect(f"127.0.0.1:{proxy.port}", reserve_hosts=(shared.host,))
        outcome = smsc.notify_send(Sms(text="Код 4242"), attempt(own_id=own_id))
        smsc.close()
        return outcome

    outcomes = cut_everywhere(shared, send, shared.http_port, cut)

    assert outcomes["Accepted"] == 2
    assert outcomes["Unknown"] > 200
    assert outcomes["NotSent"] == 0


@pytest.mark.parametrize("cut", ["cut_request_after", "cut_reply_after"])
def test_every_cut_of_a_letter_or_its_replies_is_honest(
    shared: Emulator, connect_by_mail: Connect, attempt: MakeAttempt, cut: str
) -> None:
    """Before the letter itself leaves nothing can have been sent; afterwards it may have been."""

    def send(proxy: CuttingProxy, own_id: str) -> Outcome:
        smsc = connect_by_mail(shared.host, proxy.port)
        outcome = smsc.notify_send(Sms(text="Код 4242"), attempt(own_id=own_id))
        smsc.close()
        return outcome

    outcomes = cut_everywhere(shared, send, shared.smtp_port, cut)

    assert outcomes["Accepted"] == 2
    assert outcomes["NotSent"] > 50
    assert outcomes["Unknown"] > 5
