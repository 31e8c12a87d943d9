"""The index finds the same route as trying one after another, at a cost that hardly grows."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notify_core.config.model import LegConfig, Route, Via, When
from notify_core.message import Priority
from notify_core.routing import Facts, RouteTable, consider
from tests import routes_at_random

LEG = LegConfig(via=Via(providers=("a",)))
CODE = Facts(
    channel="sms",
    tags=frozenset({"otp", "login"}),
    priority="high",
    sender="Shop",
    number="+79991234567",
    country="RU",
    domain="example.org",
)


def table(*conditions: When) -> RouteTable:
    return RouteTable(
        [
            Route(name=str(place), when=when, legs=(LEG,))
            for place, when in enumerate([*conditions, When()])
        ]
    )


def a_few(values: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), max_size=3, unique=True).map(tuple)


whens = st.builds(
    When,
    channel=a_few(routes_at_random.CHANNELS),
    tags=a_few(routes_at_random.TAGS),
    priority=st.lists(st.sampled_from(Priority), max_size=2).map(tuple),
    country=a_few(routes_at_random.COUNTRIES),
    number_prefix=a_few(routes_at_random.PREFIXES),
    recipient_domain=a_few(routes_at_random.DOMAINS),
    sender=a_few(routes_at_random.SENDERS),
)
facts = st.builds(
    Facts,
    channel=st.sampled_from(routes_at_random.CHANNELS),
    tags=st.frozensets(st.sampled_from((*routes_at_random.TAGS, "other")), max_size=3),
    priority=st.sampled_from([each.name.lower() for each in Priority]),
    sender=st.none() | st.sampled_from((*routes_at_random.SENDERS, "Other")),
    number=st.none() | st.sampled_from((*routes_at_random.NUMBERS, "+7", "+799912…")),
    country=st.none() | st.sampled_from((*routes_at_random.COUNTRIES, "FR")),
    domain=st.none() | st.sampled_from((*routes_at_random.DOMAINS, "example.net")),
)


@given(conditions=st.lists(whens, max_size=12), seen=facts)
@settings(max_examples=500)
def test_the_index_finds_the_route_that_is_found_by_trying(
    conditions: list[When], seen: Facts
) -> None:
    """The naive function says what the first route that matches is."""
    made = table(*conditions)

    assert made.routes[made.place(seen)].name == consider(made.routes, seen)[-1].route


@given(conditions=st.lists(whens, max_size=12), seen=facts)
def test_the_set_of_matching_routes_has_each_route_that_matches_alone(
    conditions: list[When], seen: Facts
) -> None:
    made = table(*conditions)

    alone = [place for place, each in enumerate(made.routes) if consider([each], seen)[0].matched]
    assert [place for place in range(len(made.routes)) if made.matching(seen) >> place & 1] == alone


def test_many_routes_at_random_are_found_as_by_trying() -> None:
    random = Random(4)
    made = RouteTable(routes_at_random.routes(random, 2000))

    for _ in range(200):
        seen = Facts(
            channel=random.choice(routes_at_random.CHANNELS),
            tags=frozenset(random.sample(routes_at_random.TAGS, 1)),
            number=random.choice(routes_at_random.NUMBERS),
            country=random.choice(routes_at_random.COUNTRIES),
        )
        assert made.routes[made.place(seen)].name == consider(made.routes, seen)[-1].route


@pytest.mark.parametrize(
    ("number", "place"),
    [("+79991234567", 0), ("+79981234567", 1), ("+7", 1), ("+", 2), (None, 2)],
)
def test_a_number_is_looked_up_by_each_beginning_that_any_route_names(
    number: str | None, place: int
) -> None:
    made = table(When(number_prefix=("+7999", "+49")), When(number_prefix=("+7",)))

    assert made.place(Facts(channel="sms", number=number)) == place


def test_routes_of_which_none_matches_are_a_mistake_of_the_caller() -> None:
    made = RouteTable([Route(name="mail", when=When(channel=("mail",)), legs=(LEG,))])

    with pytest.raises(ValueError, match="no route matches"):
        made.place(CODE)


def test_of_a_number_the_beginning_is_kept_and_never_all() -> None:
    assert CODE.to_keep().number == "+799912…"
    assert Facts(channel="sms", number="+2901234").to_keep().number == "+2901…"
    assert Facts(channel="sms", number="+12").to_keep().number == "+…"
    assert Facts(channel="mail").to_keep().number is None


def test_what_is_kept_already_is_kept_as_it_is() -> None:
    kept = CODE.to_keep()

    assert kept.to_keep() == kept


@pytest.mark.parametrize(
    ("prefix", "open_"), [("+7", False), ("+799912", False), ("+7999123", True), ("+499", False)]
)
def test_a_number_that_was_cut_leaves_open_what_lies_behind_the_cut(
    prefix: str, open_: bool
) -> None:
    assert CODE.to_keep().leaves_open(prefix) is open_
    assert CODE.leaves_open(prefix) is False
