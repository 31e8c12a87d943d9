"""What a change of the configuration does, held against what both configurations decide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import attrs
import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notify_core.change_plan.costs import Amount, Rates, cost_changes
from notify_core.change_plan.deciding import Judge, Side
from notify_core.change_plan.draws import Draws
from notify_core.change_plan.recorded import Change, RecordedChanges, recorded_changes
from notify_core.change_plan.regions import Regions
from notify_core.change_plan.ways import Traits, Way, WayLeg, decided_by
from notify_core.config.model import Config, IfUnknown, LegConfig, Mode, Quiet, Route, Via, When
from notify_core.errors import MessageError
from notify_core.journal.model import Entry
from notify_core.journal.recorded import Recorded, RecordedLeg, RecordedReader, Spent
from notify_core.message import MESSAGE_TYPES, Mail, Message, Sms
from notify_core.phones import PhoneNumbers
from notify_core.planning import Planner
from notify_core.provider import Capabilities
from notify_core.routing import Catalog, Facts
from notify_core.testing import ScriptedProvider, scripted_config
from tests import routes_at_random
from tests.recorded_messages import entries, fill, rows_of

NOW = datetime(2030, 1, 8, tzinfo=UTC)
SINCE = NOW - timedelta(days=7)
TYPES = {each.channel: each for each in MESSAGE_TYPES}
CHANNELS = frozenset({"sms", "viber", "call", "mail"})
ABLE = Capabilities(channels=CHANNELS)
CATALOG = Catalog(TYPES, dict.fromkeys(routes_at_random.PROVIDERS, ABLE))


def config(*routes: Route) -> Config:
    names = routes_at_random.PROVIDERS
    return scripted_config(*routes, **{name: ScriptedProvider() for name in names})


def judge(old: Sequence[Route], new: Sequence[Route], catalog: Catalog = CATALOG) -> Judge:
    return Judge(Side(config(*old), catalog), Side(config(*new), catalog), Regions())


def changes(seen: Sequence[Recorded], deciding: Judge) -> RecordedChanges:
    return recorded_changes(seen, deciding, SINCE, NOW)


def by(*providers: str, name: str = "default", when: When | None = None, **leg: Any) -> Route:
    legs = (LegConfig(via=Via(providers=providers)),)
    made = Route(name=name, legs=legs, when=when or When())
    return attrs.evolve(made, legs=(attrs.evolve(legs[0], **leg),))


# --- it is what the two configurations decide -----------------------------------------------


def certain(routes: Sequence[Route]) -> tuple[Route, ...]:
    """Return routes that look at nothing which is not kept."""
    return tuple(
        attrs.evolve(
            route,
            when=attrs.evolve(
                route.when,
                number_prefix=tuple(each for each in route.when.number_prefix if len(each) <= 7),
            ),
            legs=tuple(attrs.evolve(leg, needs_alternative=False) for leg in route.legs),
        )
        for route in routes
    )


def changed(random: Random, routes: Sequence[Route]) -> tuple[Route, ...]:
    """Return routes of which some are gone, moved, drawn otherwise or replaced by others."""
    left = [route for route in routes[:-1] if random.random() < 0.8]
    kept = [_on_other_terms(random, _drawn_anew(random, route)) for route in left]
    others = {route.name: route for route in routes_at_random.routes(random, len(routes) - 1)}
    made = [others[each.name] if random.random() < 0.3 else each for each in kept]
    if random.random() < 0.3:
        random.shuffle(made)
    return (*made, others["default"] if random.random() < 0.2 else routes[-1])


def _drawn_anew(random: Random, route: Route) -> Route:
    """Change the weights of a route's spreads, if it has any."""
    legs = []
    for leg in route.legs:
        weights = tuple(random.randint(1, 9) for _ in leg.via.weights)
        legs.append(attrs.evolve(leg, via=attrs.evolve(leg.via, weights=weights)))
    return attrs.evolve(route, legs=tuple(legs))


def _on_other_terms(random: Random, route: Route) -> Route:
    """Change one of what holds for all legs of a route, every third time."""
    terms: tuple[dict[str, Any], ...] = (
        {"quiet": Quiet(from_=time(22), to=time(8))},
        {"quiet": None},
        {"deadline": timedelta(hours=1)},
        {"next_on": ()},
        {"if_unknown": IfUnknown.HOLD},
    )
    return attrs.evolve(route, **random.choice(terms)) if random.random() < 0.33 else route


def truth(planner: Planner, message: Message) -> object:
    """Return what a configuration decides, as far as it does not hang on a text."""
    try:
        (decision,) = planner.decide(message)
    except MessageError:
        return "refused"
    plan = decision.plan
    legs = [
        (leg.channel, leg.providers, leg.until, leg.within, leg.on, leg.if_unknown)
        for leg in plan.legs
    ]
    return plan.route, plan.mode, plan.deadline, plan.quiet, plan.next_on, legs


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_a_message_moves_exactly_if_the_two_configurations_decide_otherwise(seed: int) -> None:
    """For routes and messages at random, of which all is kept that the routes look at."""
    random = Random(seed)
    old = certain(routes_at_random.routes(random, 8))
    new = certain(changed(random, old))
    deciding, before, after = judge(old, new), _planner(old), _planner(new)
    for message in (routes_at_random.message(random) for _ in range(12)):
        facts = kept(message)
        seen = Recorded(id="1", draw=f"{message.id}-1", route="?", facts=facts, legs=())

        found = changes([seen], deciding)

        assert found.unsure == 0
        assert found.unmoved == (truth(before, message) == truth(after, message))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32))
def test_where_too_little_is_kept_nothing_wrong_is_said(seed: int) -> None:
    """Routes look at countries that were not asked for, and at more digits than are kept."""
    random = Random(seed)
    old = _without_alternatives(routes_at_random.routes(random, 6))
    new = _without_alternatives(changed(random, old))
    deciding, before, after = judge(old, new), _planner(old), _planner(new)
    for message in (routes_at_random.message(random) for _ in range(12)):
        facts = attrs.evolve(kept(message), country=None)
        seen = Recorded(id="1", draw=f"{message.id}-1", route="?", facts=facts, legs=())

        found = changes([seen], deciding)

        if not found.unsure:
            assert found.unmoved == (truth(before, message) == truth(after, message))


def _without_alternatives(routes: Sequence[Route]) -> tuple[Route, ...]:
    return tuple(
        attrs.evolve(
            route,
            legs=tuple(attrs.evolve(leg, needs_alternative=False) for leg in route.legs),
        )
        for route in routes
    )


def _planner(routes: Sequence[Route]) -> Planner:
    return Planner(config(*routes), CATALOG)


_ASKING = (by("a", name="abroad", when=When(country=("XK",))), by("a"))
"""Routes that ask for countries and refuse nothing."""


def kept(message: Message) -> Facts:
    """Return what the journal keeps of a message."""
    return _planner(_ASKING).decide(message)[0].facts.to_keep()


# --- what is missing ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("begins", "possible"),
    [
        ("+491511…", ["DE"]),
        ("+799912…", ["RU"]),
        ("+7…", ["RU", "KZ", None]),
        ("+121255…", ["US", "CA", None]),
        ("+800123…", [None]),
        ("+…", [None]),
    ],
)
def test_the_beginning_of_a_number_leaves_countries_open(
    begins: str, possible: Sequence[str | None]
) -> None:
    assert Regions().possible(begins) == possible


def test_the_country_of_a_number_is_among_those_that_its_beginning_leaves_open() -> None:
    """For a number of each kind in every country that the library knows, if it is of one."""
    phones, regions, wrong = PhoneNumbers(), Regions(), []
    for number in _examples():
        begins = Facts(channel="sms", number=number).to_keep().number
        assert begins is not None
        country = phones.country(number)
        if country is not None and country not in regions.possible(begins):
            wrong.append((number, country))

    assert wrong == []


def _examples() -> Iterator[str]:
    for region in phonenumbers.SUPPORTED_REGIONS:
        for kind in (0, 1, 3, 4):  # fixed line, mobile, toll-free, premium rate
            number = phonenumbers.example_number_for_type(region, kind)
            if number is not None:
                yield f"+{number.country_code}{number.national_number}"


RUSSIA = When(country=("RU",))
LONG = When(number_prefix=("+79991234",))


@pytest.mark.parametrize(
    ("number", "country", "when", "moved", "unsure"),
    [
        ("+799912…", "RU", RUSSIA, 1, 0),
        ("+799912…", "KZ", RUSSIA, 0, 0),
        ("+799912…", None, RUSSIA, 1, 0),
        ("+770112…", None, RUSSIA, 0, 0),
        ("+7…", None, RUSSIA, 0, 1),
        ("+491511…", None, RUSSIA, 0, 0),
        ("+799912…", "RU", LONG, 0, 1),
        ("+791612…", "RU", LONG, 0, 0),
        (None, None, LONG, 0, 0),
    ],
)
def test_what_is_missing_matters_only_where_it_could_decide(
    number: str | None, country: str | None, when: When, moved: int, unsure: int
) -> None:
    deciding = judge([by("a")], [by("b", name="more", when=when), by("a")])
    facts = Facts(channel="sms", number=number, country=country, domain="example.org")

    found = changes([Recorded(id="1", draw="x-1", route="default", facts=facts, legs=())], deciding)

    assert (found.count(Change.MOVES), found.unsure) == (moved, unsure)


def test_what_both_decide_for_every_missing_piece_is_sure() -> None:
    """Whether or not the number is Russian, it goes by b now."""
    old = [by("a")]
    new = [by("b", name="default", when=RUSSIA), by("b")]
    facts = Facts(channel="sms", number="+799912…")

    found = changes([_seen(facts)], judge(old, new))

    assert (found.count(Change.MOVES), found.unsure) == (1, 0)


def _seen(facts: Facts | None) -> Recorded:
    return Recorded(id="1", draw="x-1", route="default", facts=facts, legs=())


def test_of_what_an_earlier_version_stored_nothing_is_known_unless_nothing_changes() -> None:
    old, new = [by("a")], [by("b")]

    assert changes([_seen(None)], judge(old, new)).unsure == 1
    assert changes([_seen(None)], judge(old, old)).unsure == 0


# --- ways and refusals ----------------------------------------------------------------------

SMS_ALONE = Catalog(
    TYPES, {"a": ABLE, "b": attrs.evolve(ABLE, channels=frozenset({"sms"})), "c": ABLE}
)


@pytest.mark.parametrize(
    ("facts", "leg", "mode", "refused"),
    [
        (Facts(channel="sms", number="+7…"), {}, Mode.FIRST_OF, None),
        (Facts(channel="viber", number="+7…"), {}, Mode.FIRST_OF, "viber: b cannot carry it"),
        (
            Facts(channel="mail", domain="example.org"),
            {"channel": "sms"},
            Mode.FIRST_OF,
            "a mail message cannot become sms, but by a text of its own for it",
        ),
        (
            Facts(channel="mail", domain="example.org"),
            {"channel": "sms", "needs_alternative": True},
            Mode.FIRST_OF,
            "no leg reaches the recipient",
        ),
        (
            Facts(channel="fax", number="+7…"),
            {},
            Mode.FIRST_OF,
            "fax: no installed plugin brings this channel",
        ),
        (Facts(channel="sms"), {}, Mode.ALL_OF, "no leg reaches the recipient"),
    ],
)
def test_a_route_refuses_what_its_facts_already_rule_out(
    facts: Facts, leg: dict[str, Any], mode: Mode, refused: str | None
) -> None:
    route = attrs.evolve(by("b", **leg), mode=mode)

    assert decided_by(route, Traits(facts=facts), SMS_ALONE).refused == refused


def test_a_provider_that_lacks_the_channel_is_not_part_of_the_way() -> None:
    decided = decided_by(
        by("b", "a"), Traits(facts=Facts(channel="viber", number="+7…")), SMS_ALONE
    )

    assert decided.way is not None
    assert decided.way.legs[0].providers == ("a",)


def test_all_of_refuses_where_one_leg_does_not_reach_the_recipient() -> None:
    legs = (
        LegConfig(via=Via(providers=("a",))),
        LegConfig(via=Via(providers=("a",)), channel="sms"),
    )
    route = Route(name="both", legs=legs, mode=Mode.ALL_OF)
    traits = Traits(facts=Facts(channel="mail", domain="example.org"), brings=frozenset({"sms"}))

    assert decided_by(route, traits, CATALOG).refused == "not every leg reaches the recipient"


# --- draws ----------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=3, max_size=3), st.uuids())
def test_a_draw_is_that_of_the_send(weights: list[int], message_id: UUID) -> None:
    """The providers that cannot carry it are drawn too, as a send draws them."""
    via = Via(providers=("a", "b", "c"), weights=tuple(weights))
    route = attrs.evolve(by("a"), legs=(LegConfig(via=via),))
    message = Mail(to="ann@example.org", subject="Hi", text="Hello", id=message_id.hex)
    (decision,) = Planner(config(route), SMS_ALONE).decide(message)
    decided = decided_by(route, Traits(facts=decision.facts), SMS_ALONE)

    drawn = Draws("abc").drawn(decided, f"{message.id}-1").way

    assert drawn is not None
    assert drawn.legs[0].providers == decision.plan.legs[0].providers


# --- recorded otherwise ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("route", "legs", "otherwise"),
    [
        ("default", [("sms", ("a", "b"))], 0),
        ("default", [("sms", ("b",))], 0),
        ("default", [("sms", ("b", "a"))], 1),
        ("default", [("sms", ("c",))], 1),
        ("default", [("viber", ("a", "b"))], 1),
        ("other", [("sms", ("a", "b"))], 1),
    ],
    ids=["the same", "one could not carry it", "order", "provider", "channel", "route"],
)
def test_what_was_recorded_otherwise_is_counted_apart(
    route: str, legs: Sequence[tuple[str, tuple[str, ...]]], otherwise: int
) -> None:
    facts = Facts(channel="sms", number="+7…")
    made = tuple(RecordedLeg(channel=channel, providers=names) for channel, names in legs)
    seen = Recorded(id="1", draw="x-1", route=route, facts=facts, legs=made)

    found = changes([seen], judge([by("a", "b")], [by("a", "b")]))

    assert (found.otherwise, found.unmoved) == (otherwise, 1)


# --- costs ----------------------------------------------------------------------------------


def rates(*spent: tuple[str, str, str | None, str | None]) -> Rates:
    made = Rates()
    for provider, cost, currency, country in spent:
        each = Spent(provider=provider, channel="sms", cost=Decimal(cost), currency=currency)
        made.add(each, country)
    return made


def way(*providers: str, mode: Mode = Mode.FIRST_OF) -> Way:
    legs = tuple(WayLeg(channel="sms", providers=(name,)) for name in providers)
    return Way(legs=legs, mode=mode)


@pytest.mark.parametrize(
    ("spent", "country", "cost"),
    [
        ([("a", "1", "RUB", "RU"), ("a", "2", "RUB", "RU")], "RU", Amount(Decimal("1.5"), "RUB")),
        ([("a", "1", "RUB", "RU"), ("a", "5", "RUB", "KZ")], "KZ", Amount(Decimal(5), "RUB")),
        ([("a", "1", "RUB", "RU"), ("a", "5", "RUB", "KZ")], "DE", Amount(Decimal(3), "RUB")),
        ([("a", "1", None, "RU")], "RU", Amount(Decimal(1), None)),
        ([("a", "1", "RUB", "RU"), ("a", "1", "EUR", "RU")], "RU", None),
        ([("b", "1", "RUB", "RU")], "RU", None),
        ([], "RU", None),
    ],
    ids=["average", "country", "all", "no currency", "two currencies", "another", "nothing"],
)
def test_a_cost_is_the_average_of_its_country_or_else_of_all(
    spent: list[tuple[str, str, str | None, str | None]], country: str, cost: Amount | None
) -> None:
    assert rates(*spent).cost(way("a"), country) == cost


@pytest.mark.parametrize(("mode", "cost"), [(Mode.FIRST_OF, Decimal(1)), (Mode.ALL_OF, Decimal(4))])
def test_with_all_of_every_leg_is_paid_and_with_first_of_the_first(
    mode: Mode, cost: Decimal
) -> None:
    known = rates(("a", "1", "RUB", "RU"), ("b", "3", "RUB", "RU"))

    assert known.cost(way("a", "b", mode=mode), "RU") == Amount(cost, "RUB")


def test_currencies_are_never_mixed() -> None:
    known = rates(("a", "1", "RUB", None), ("b", "3", "RUB", None), ("c", "2", "EUR", None))
    flows: dict[tuple[Way, Way, str | None], int] = {
        (way("a"), way("b"), None): 10,
        (way("a"), way("c"), None): 5,
        (way("c"), way("c", "a"), None): 2,
    }

    told, unknown = cost_changes(flows, known)

    assert [(each.currency, each.messages, each.difference) for each in told] == [
        ("EUR", 2, Decimal(0)),
        ("RUB", 10, Decimal(20)),
    ]
    assert unknown == 5


# --- many -----------------------------------------------------------------------------------

OLD_ROUTES = (
    by("a", name="code", when=When(tags=("otp",))),
    by("a", name="moscow", when=When(number_prefix=("+7495",))),
    attrs.evolve(
        by("a", name="promo", when=When(tags=("promo",))),
        legs=(LegConfig(via=Via(providers=("a", "b"), weights=(80, 20))),),
    ),
    by("a"),
)
NEW_ROUTES = (
    by("b", name="code-ru", when=When(tags=("otp",), country=("RU",))),
    *OLD_ROUTES[:2],
    attrs.evolve(OLD_ROUTES[2], legs=(LegConfig(via=Via(providers=("a", "b"), weights=(70, 30))),)),
    by("a", channel="sms"),
)
PLANTED = (
    (Sms(to="+79991234567", text="Your code is 1", tags=["otp"]), Change.MOVES),
    (Sms(to="+77011234567", text="Your code is 1", tags=["otp"]), None),
    (Sms(to="+74951234567", text="Hello"), None),
    (Sms(to="+4915112345678", text="Hello"), None),
    (Mail(to="ann@example.org", subject="Hi", text="Hello"), Change.NEWLY_REFUSED),
)
"""Messages, and what becomes of each with the change."""

MANY = 100_000


def _planted() -> dict[str, tuple[Entry, Change | None]]:
    """Return a delivery of each message, by the hash that its rows are known by."""
    asking = (*OLD_ROUTES[:-1], by("a", name="abroad", when=When(country=("XK",))), OLD_ROUTES[-1])
    planner = Planner(config(*asking), CATALOG)
    made = [(entries(planner, message, NOW)[0], change) for message, change in PLANTED]
    return {entry.plan.message_id: (entry, change) for entry, change in made}


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_of_100000_recorded_decisions_exactly_the_planted_movers_are_named(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Each delivery by its id, with what becomes of it, in both databases."""
    url = f"sqlite:///{tmp_path / 'notify.db'}"
    if kind == "postgresql":
        url = request.getfixturevalue("postgres_url")
    expected = _fill(url)
    named: dict[str, Change | None] = {}

    found = recorded_changes(
        RecordedReader(url).between(SINCE, NOW),
        judge(OLD_ROUTES, NEW_ROUTES),
        SINCE,
        NOW,
        lambda mover: named.update({mover.id: mover.change}),
    )

    assert named == expected
    assert (found.messages, found.unsure, found.otherwise) == (MANY, 0, 0)
    assert Counter(named.values()) == {
        change: found.count(change) for change in (Change.MOVES, Change.NEWLY_REFUSED)
    }


def _fill(url: str) -> dict[str, Change | None]:
    """Fill a journal with the planted messages; return those that move, by id."""
    planted = _planted()
    templates = [entry for entry, _ in planted.values()]
    made = list(rows_of(templates, MANY, SINCE, NOW))
    fill(url, (row for _, row in made))
    becomes = [(row["id"], planted[entry.plan.message_id][1]) for entry, row in made]
    return {delivery_id: change for delivery_id, change in becomes if change is not None}
