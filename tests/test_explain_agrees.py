"""What ``explain`` shows is what ``send`` does, and what a stored delivery gives once more."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import attrs
import pytest

from notify_core.config.model import JournalConfig, Route, Via, When
from notify_core.contact import Contact
from notify_core.errors import JournalError, MessageError
from notify_core.journal.codec import GONE
from notify_core.journal.model import ERASED, Entry
from notify_core.message import Message, Sms
from notify_core.notifier import Notifier
from notify_core.planning import Planner
from notify_core.routing import Catalog, Plan, RouteTable, consider
from notify_core.secret import Secret
from notify_core.testing import ScriptedProvider, notifier_with, scripted_config
from tests import routes_at_random

KEPT = JournalConfig(url=Secret("memory"))
CONFIGURATIONS, MESSAGES = 400, 25


def notifier(routes: Sequence[Route]) -> Notifier:
    providers = {name: ScriptedProvider() for name in routes_at_random.PROVIDERS}
    return notifier_with(attrs.evolve(scripted_config(*routes, **providers), journal=KEPT))


def explained(notifier: Notifier, message: Message) -> Plan | str:
    """Return the plan, or how the message is refused."""
    try:
        (decision,) = notifier.explain(message)
    except MessageError as error:
        return f"{type(error).__name__}: {error}"
    assert decision.considered == consider(decision._routes, decision.facts)
    assert decision.considered[-1].route == decision.plan.route
    return decision.plan


def sent(notifier: Notifier, message: Message) -> Entry | str:
    """Return the delivery as it is stored, or how the message is refused."""
    try:
        (delivery,) = notifier.send(message)
    except MessageError as error:
        return f"{type(error).__name__}: {error}"
    entry = notifier.journal.load(delivery.id)
    assert entry is not None
    return entry


def shown(plan: Plan) -> tuple[object, ...]:
    """Return what of a plan is the same whenever it is made; messages are not compared whole."""
    legs = [attrs.evolve(leg, message=GONE) for leg in plan.legs]
    return (plan.route, plan.mode, legs, plan.warnings, plan.quiet, plan.zones, plan.facts)


@pytest.mark.parametrize("seed", range(8))
def test_explain_send_and_the_stored_delivery_agree(seed: int) -> None:
    """In all 10,000 messages, 25 under each of 400 configurations; refusals agree too."""
    random = Random(seed)
    for _ in range(CONFIGURATIONS // 8):
        with notifier(routes_at_random.routes(random, random.randint(0, 12))) as each:
            for _ in range(MESSAGES):
                agree(each, routes_at_random.message(random))


def agree(notifier: Notifier, message: Message) -> None:
    foretold, entry = explained(notifier, message), sent(notifier, message)
    if isinstance(foretold, str) or isinstance(entry, str):
        assert foretold == entry
        return
    assert shown(foretold) == shown(entry.plan)
    assert {attempt.provider for attempt in entry.progress.attempts} <= {
        provider for leg in foretold.legs for provider in leg.providers
    }
    replay = notifier.replay(entry.id)
    assert replay.agrees
    assert replay.unsure == ()
    assert replay.plan is not None
    assert shown(replay.plan)[:3] == shown(entry.plan)[:3]
    assert replay.considered == notifier.explain(message)[0].considered


# --- replaying ------------------------------------------------------------------------------


def planner(*routes: Route) -> Planner:
    config = scripted_config(*routes, a=ScriptedProvider(), b=ScriptedProvider())
    config = attrs.evolve(config, journal=KEPT)
    capabilities = ScriptedProvider().capabilities
    return Planner(config, Catalog({"sms": Sms}, {"a": capabilities, "b": capabilities}))


def route(name: str = "default", provider: str = "a", **when: Any) -> Route:
    leg = scripted_config(a=ScriptedProvider()).routes[0].legs[0]
    via = Via(providers=(provider,))
    return Route(name=name, when=When(**when), legs=(attrs.evolve(leg, via=via),))


def entry_of(planner: Planner, message: Message) -> Entry:
    from_then = notifier(())
    (entry,) = planner.entries(message, from_then._clock.now())
    return entry


def without_text(entry: Entry) -> Entry:
    return attrs.evolve(entry, message=GONE)


def without_numbers(entry: Entry) -> Entry:
    return attrs.evolve(entry, message=GONE, plan=attrs.evolve(entry.plan, recipient=ERASED))


CODE = Sms(to="+79991234567", text="hello", tags="otp", sender="Shop")


def test_a_delivery_whose_text_is_purged_is_still_decided_by_the_same_route() -> None:
    then = planner(route("code", tags=("otp",), country=("RU",)), route())

    replay = then.replay(without_text(entry_of(then, CODE)))

    assert (replay.route, replay.agrees, replay.plan) == ("code", True, None)
    assert replay.problem == "what the message says, or to whom it went, is no longer kept"


def test_without_the_number_its_beginning_says_which_route_it_was() -> None:
    then = planner(route("megafon", number_prefix=("+7999",)), route())

    replay = then.replay(without_numbers(entry_of(then, CODE)))

    assert (replay.route, replay.agrees, replay.unsure) == ("megafon", True, ())


def test_without_the_number_a_longer_beginning_is_told_to_be_unsure() -> None:
    """More than six digits are never kept."""
    then = planner(route("house", number_prefix=("+79991234",)), route())

    replay = then.replay(without_numbers(entry_of(then, CODE)))

    assert (replay.route, replay.agrees, replay.unsure) == ("default", False, ("house",))


def test_without_the_number_a_country_that_nobody_asked_for_is_told_to_be_unsure() -> None:
    entry = entry_of(planner(route()), CODE)

    replay = planner(route("home", country=("RU",)), route()).replay(without_numbers(entry))

    assert (replay.route, replay.unsure) == ("default", ("home",))


def test_a_route_that_fails_for_another_reason_is_not_unsure() -> None:
    then = planner(
        route("house", tags=("news",), number_prefix=("+79991234",), country=("KZ",)), route()
    )

    assert then.replay(without_numbers(entry_of(then, CODE))).unsure == ()


def test_a_route_that_matched_by_another_beginning_is_not_unsure() -> None:
    then = planner(route("house", number_prefix=("+79991234", "+7")), route())

    replay = then.replay(without_numbers(entry_of(then, CODE)))

    assert (replay.route, replay.unsure) == ("house", ())


def test_other_routes_may_decide_otherwise() -> None:
    entry = entry_of(planner(route()), CODE)

    replay = planner(route("code", tags=("otp",)), route()).replay(entry)

    assert (replay.route, replay.agrees) == ("code", False)


def test_the_same_route_with_another_provider_decides_otherwise() -> None:
    entry = entry_of(planner(route()), CODE)

    assert planner(route(provider="b")).replay(entry).agrees is False


def test_a_country_that_no_route_asked_for_then_is_found_out_now() -> None:
    entry = entry_of(planner(route()), CODE)

    replay = planner(route("home", country=("RU",)), route()).replay(entry)

    assert replay.route == "home"


def test_a_message_that_could_not_go_now_has_no_plan_and_a_reason() -> None:
    entry = entry_of(planner(route()), CODE)
    by_mail = attrs.evolve(entry.plan, recipient=Contact(email="ann@example.org"))

    replay = planner(route()).replay(attrs.evolve(entry, plan=by_mail))

    assert replay.plan is None
    assert "no leg reaches" in (replay.problem or "")


def test_a_delivery_of_an_earlier_version_is_decided_by_its_message() -> None:
    then = planner(route("code", tags=("otp",)), route())
    entry = entry_of(then, CODE)
    early = attrs.evolve(entry, plan=attrs.evolve(entry.plan, facts=None))

    assert then.replay(early).agrees

    with pytest.raises(JournalError, match="nothing is kept that a route looks at"):
        then.replay(without_text(early))


def test_a_table_is_not_changed_by_what_is_asked_of_it() -> None:
    made = RouteTable([route("code", tags=("otp",)), route()])
    facts = planner(route()).decide(CODE)[0].facts

    assert [made.place(facts) for _ in range(3)] == [0, 0, 0]
