"""What a plan costs at most, of what its legs cost."""

from __future__ import annotations

from decimal import Decimal

import pytest

from notify_core.config.model import LegConfig, Mode, Route, Until, Via, When
from notify_core.errors import ProviderError
from notify_core.message import MESSAGE_TYPES, Sms
from notify_core.outcome import Estimate, Unknown
from notify_core.provider import Capabilities
from notify_core.routing import (
    Catalog,
    Facts,
    LegPrice,
    Plan,
    RouteTable,
    Subject,
    decide,
    parts_of,
    price_of,
)
from notify_core.testing import ScriptedProvider, notifier_with, scripted_config

ABLE = Capabilities(channels=frozenset({"sms", "viber", "call"}), cost=True)
CATALOG = Catalog({each.channel: each for each in MESSAGE_TYPES}, {"a": ABLE, "b": ABLE})
LONG = "x" * 170


def plan(*untils: Until, mode: Mode = Mode.FIRST_OF, text: str = LONG) -> Plan:
    """Plan a leg by SMS for each of these, and decide on them."""
    legs = tuple(LegConfig(via=Via(providers=("a", "b")), until=until) for until in untils)
    message = Sms(to="+79991234567", text=text)
    subject = Subject(
        delivery_id="d",
        draw="d",
        message=message,
        recipient=message.contacts()[0],
        facts=Facts(channel="sms"),
    )
    routes = [Route(name="default", when=When(), legs=legs, mode=mode)]
    return decide(RouteTable(routes), subject, CATALOG).plan


def estimate(cost: str, currency: str | None = "RUB", provider: str = "a") -> Estimate:
    return Estimate(provider=provider, cost=Decimal(cost), currency=currency)


def leg(*costs: str) -> LegPrice:
    return LegPrice(channel="sms", estimates=tuple(estimate(cost) for cost in costs))


TAKEN, ARRIVED, SEEN = Until.ACCEPTED, Until.DELIVERED, Until.READ


@pytest.mark.parametrize(
    ("untils", "costs", "most"),
    [
        ((TAKEN,), ("3",), "3"),
        # What did not go costs nothing, so only one of them is paid.
        ((TAKEN, TAKEN, TAKEN), ("3", "5", "4"), "5"),
        # What went and is given up is paid, and what follows it too.
        ((ARRIVED, TAKEN), ("3", "5"), "8"),
        ((ARRIVED, SEEN, TAKEN), ("3", "5", "4"), "12"),
        ((TAKEN, ARRIVED, TAKEN), ("3", "5", "4"), "9"),
        ((TAKEN, ARRIVED, TAKEN), ("30", "5", "4"), "30"),
        ((ARRIVED, TAKEN, TAKEN), ("3", "5", "4"), "8"),
        ((ARRIVED,), ("3",), "3"),
    ],
)
def test_a_leg_is_paid_if_it_went_whether_or_not_it_arrived(
    untils: tuple[Until, ...], costs: tuple[str, ...], most: str
) -> None:
    assert price_of(plan(*untils), [leg(cost) for cost in costs]).cost == Decimal(most)


def test_all_of_is_paid_whole() -> None:
    both = plan(TAKEN, TAKEN, mode=Mode.ALL_OF)

    assert price_of(both, [leg("3"), leg("5")]).cost == 8


def test_of_the_providers_of_a_leg_the_dearest_counts() -> None:
    price = price_of(plan(TAKEN), [leg("3", "5")])

    assert (price.cost, price.currency) == (Decimal("5"), "RUB")


@pytest.mark.parametrize(
    "legs",
    [
        [leg("3"), LegPrice(channel="sms", unknown=("b: no answer",))],
        [leg("3"), LegPrice(channel="sms", estimates=(estimate("3", "EUR"),))],
        [leg("3"), LegPrice(channel="sms", estimates=(estimate("3", None),))],
        [leg("3"), LegPrice(channel="sms", estimates=(estimate("3"), estimate("3", "EUR")))],
        [leg("3"), LegPrice(channel="sms", estimates=(estimate("3"),), unknown=("b",))],
    ],
    ids=["unknown", "another currency", "no currency", "two currencies", "partly known"],
)
def test_what_is_not_known_of_one_leg_is_not_known_of_the_plan(legs: list[LegPrice]) -> None:
    assert price_of(plan(TAKEN, TAKEN), legs).cost is None


def test_parts_are_counted_as_costs_are() -> None:
    assert parts_of(plan(ARRIVED, TAKEN)) == 4
    assert parts_of(plan(TAKEN, TAKEN)) == 2
    assert parts_of(plan(TAKEN, TAKEN, mode=Mode.ALL_OF, text="x")) == 2


# --- asking ---------------------------------------------------------------------------------


def test_every_provider_of_a_leg_is_asked_and_none_is_sent_by() -> None:
    cheap = ScriptedProvider(capabilities=ABLE, estimate=estimate("1"))
    dear = ScriptedProvider(capabilities=ABLE, estimate=estimate("2", provider="dear"))

    with notifier_with(scripted_config(cheap=cheap, dear=dear)) as notifier:
        (decision,) = notifier.explain(Sms(to="+79991234567", text="hello"))
        price = notifier.price(decision.plan)

    assert price.cost == 2
    assert [each.cost for each in price.legs[0].estimates] == [1, 2]
    assert cheap.sent == dear.sent == []


def test_a_provider_that_does_not_say_is_told_and_not_raised() -> None:
    down = ProviderError("down", "cost", Unknown("no answer"))
    providers = {
        "down": ScriptedProvider(capabilities=ABLE, estimate=down),
        "mute": ScriptedProvider(capabilities=Capabilities(channels=frozenset({"sms"}))),
    }

    with notifier_with(scripted_config(**providers)) as notifier:
        (decision,) = notifier.explain(Sms(to="+79991234567", text="hello"))
        (leg_price,) = notifier.price(decision.plan).legs

    assert leg_price.cost is None
    assert "no answer" in leg_price.unknown[0]
    assert leg_price.unknown[1] == "provider mute cannot say what a message costs"
