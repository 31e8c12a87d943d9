"""What stops a provider and what does not, counted at the gateway."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from notify_core.errors import ProviderError
from notify_core.message import Sms
from notify_core.notifier import Notifier
from notify_core.outcome import FailureScope, NotSent, Refused
from notify_core.policy.breaker import Health
from notify_smsc_emulator import Emulator

MakeNotifier = Callable[..., Notifier]


def sms(number: str) -> Sms:
    return Sms(to=number, text="hello")


@pytest.mark.parametrize(
    "number", ["+79990005506", "+79990005507", "+79990005508"], ids=["text", "number", "route"]
)
def test_a_refused_message_never_changes_the_health_of_the_provider(
    gateway: Emulator, make_notifier: MakeNotifier, number: str
) -> None:
    notifier = make_notifier(gateway.http_port)

    reports = [notifier.send(sms(number)) for _ in range(20)]

    assert all(isinstance(report.deliveries[0].outcome, Refused) for report in reports)
    assert notifier.health("smsc") == Health()


def test_after_an_authorisation_error_no_further_request_leaves(
    gateway: Emulator, make_notifier: MakeNotifier
) -> None:
    notifier = make_notifier(gateway.http_port, password="wrong")

    outcomes = [notifier.send(sms("+79990000001")).deliveries[0].outcome for _ in range(5)]
    with pytest.raises(ProviderError):
        notifier.check("smsc")
    with pytest.raises(ProviderError):
        notifier.estimate(sms("+79990000001"))

    assert len(gateway.requests()) == 1
    assert all(isinstance(outcome, NotSent) for outcome in outcomes)


def test_an_authorisation_error_in_a_balance_query_stops_the_provider_too(
    gateway: Emulator, make_notifier: MakeNotifier
) -> None:
    notifier = make_notifier(gateway.http_port, password="wrong")
    with pytest.raises(ProviderError):
        notifier.check("smsc")

    (delivery,) = notifier.send(sms("+79990000001"))

    assert isinstance(delivery.outcome, NotSent)
    assert [request.path for request in gateway.requests()] == ["/sys/balance.php"]


def test_a_provider_out_of_reach_is_not_sent_and_counts(make_notifier: MakeNotifier) -> None:
    notifier = make_notifier(1)

    (delivery,) = notifier.send(sms("+79990000001"))

    assert isinstance(delivery.outcome, NotSent)
    assert delivery.outcome.scope is FailureScope.PROVIDER
    assert notifier.health("smsc").failures == 3
