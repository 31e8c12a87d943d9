"""What lint calls unreachable is never chosen, and what it does not call so can be."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import attrs
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from notify_core.config.lint.numbers import CallingCodes, goes_on
from notify_core.config.lint.reach import Meetings, is_reachable, shadows
from notify_core.config.model import Config, LegConfig, Route, Via, When
from notify_core.contact import Contact
from notify_core.errors import RecipientError
from notify_core.message import MESSAGE_TYPES, Mail, Message, Priority, Sms, Viber
from notify_core.phones import PhoneNumbers
from notify_core.planning import Planner
from notify_core.provider import Capabilities
from notify_core.routing import Catalog, Facts, checks

CODES = CallingCodes()
PHONES = PhoneNumbers()
CATALOG = Catalog(
    message_types={each.channel: each for each in MESSAGE_TYPES},
    capabilities={"main": Capabilities(channels=frozenset({"sms", "mail", "viber"}))},
)
LEGS = (LegConfig(via=Via(providers=("main",))),)

PREFIXES = ["+7", "+79", "+7999", "+77", "+4", "+49", "+491", "+498", "+4989", "+1", "+1242", "+8"]
COUNTRIES = ["RU", "KZ", "DE", "US", "BS", "GB", "XX"]
TAGS = ["otp", "login", "promo"]
SENDERS = ["Shop", "House"]
DOMAINS = ["example.org", "example.com"]
CHANNELS = ["sms", "mail", "viber"]


def some(values: Sequence[str], most: int = 2) -> st.SearchStrategy[tuple[str, ...]]:
    named = st.lists(st.sampled_from(values), min_size=1, max_size=most, unique=True)
    return st.just(()) | named.map(tuple)


def whens() -> st.SearchStrategy[When]:
    priorities = st.lists(st.sampled_from(list(Priority)), max_size=3, unique=True)
    return st.builds(
        When,
        channel=some(CHANNELS),
        tags=some(TAGS),
        priority=priorities.map(tuple),
        country=some(COUNTRIES),
        number_prefix=some(PREFIXES),
        recipient_domain=some(DOMAINS),
        sender=some(SENDERS),
    )


def narrow_whens() -> st.SearchStrategy[When]:
    """Conditions with little beside numbers, so that they often shadow each other."""
    return st.builds(
        When, tags=some(["otp"], 1), country=some(COUNTRIES, 3), number_prefix=some(PREFIXES, 4)
    )


def _is_number(text: str) -> bool:
    try:
        return PHONES.normalise(text).number == text
    except RecipientError:
        return False


NUMBERS = (
    st.tuples(st.sampled_from(PREFIXES), st.text("0123456789", min_size=6, max_size=11))
    .map("".join)
    .filter(_is_number)
)
CONTACTS = st.builds(
    Contact,
    phone=NUMBERS,
    email=st.sampled_from(["a@example.org", "a@example.com", "a@example.net"]),
)


@st.composite
def messages(draw: st.DrawFn) -> Message:
    kind = draw(st.sampled_from([Sms, Mail, Viber]))
    words: dict[str, Any] = {"subject": "s", "text": "t"} if kind is Mail else {"text": "t"}
    message: Message = kind(
        to=draw(CONTACTS),
        tags=draw(st.sets(st.sampled_from([*TAGS, "other"]))),
        priority=draw(st.sampled_from(list(Priority))),
        sender=draw(st.sampled_from([*SENDERS, "Other", None])),
        **words,
    )
    return message


def chosen(conditions: Sequence[When], message: Message) -> int:
    """Send the message through the planner and return the place of the route that it took."""
    routes = [Route(name=str(place), when=when, legs=LEGS) for place, when in enumerate(conditions)]
    config = Config(providers=(), routes=(*routes, Route(name=str(len(routes)), legs=LEGS)))
    (decision,) = Planner(config, CATALOG).decide(message)
    return int(decision.plan.route)


def matches(when: When, facts: Facts) -> bool:
    return all(check.held for check in checks(when, facts))


@given(st.lists(whens() | narrow_whens(), min_size=1, max_size=6), st.lists(messages(), max_size=8))
@settings(max_examples=300, deadline=None)
def test_no_message_takes_a_route_that_is_called_unreachable(
    conditions: list[When], sent: list[Message]
) -> None:
    """Nor is any route that a message takes called unreachable: it is the same."""
    for message in sent:
        place = chosen(conditions, message)
        if place < len(conditions):
            assert shadows(conditions[place], conditions[:place], CODES) is None


@given(st.lists(whens() | narrow_whens(), min_size=1, max_size=6))
@settings(max_examples=300, deadline=None)
def test_routes_that_can_take_nothing_from_a_route_make_no_difference_to_it(
    conditions: list[When],
) -> None:
    *earlier, when = conditions
    places = Meetings(conditions).before(when, len(earlier))

    by = shadows(when, [earlier[place] for place in places], CODES)

    mapped = None if by is None else tuple(places[each] for each in by)
    assert mapped == shadows(when, earlier, CODES)


def test_of_a_thousand_routes_few_can_take_anything_from_another() -> None:
    whens = [When(tags=(f"tag-{number}",), country=("RU",)) for number in range(1000)]
    meetings = Meetings([*whens, When(tags=("tag-7", "tag-9"), number_prefix=("+7",)), When()])

    assert meetings.before(When(tags=("tag-7", "tag-9"), number_prefix=("+7",)), 1000) == [7, 9]
    assert meetings.before(When(tags=("tag-7",)), 1001) == []


ENDINGS = st.tuples(
    st.integers(0, 5), st.sampled_from(PREFIXES), st.text("0123456789", min_size=4, max_size=11)
)


@given(st.lists(narrow_whens(), min_size=2, max_size=6), st.lists(ENDINGS, max_size=12))
@settings(max_examples=300, deadline=None)
def test_no_number_comes_to_a_route_that_is_called_unreachable(
    conditions: list[When], endings: list[tuple[int, str, str]]
) -> None:
    """The other way round: numbers are made for one of the routes, as it wants them."""
    hidden = [
        place
        for place, when in enumerate(conditions)
        if not is_reachable(when, conditions[:place], CODES)
    ]
    for place, prefix, digits in endings:
        when = conditions[place % len(conditions)]
        number = (when.number_prefix or (prefix,))[-1] + digits
        if _is_number(number):
            message = Sms(to=number, text="t", tags=when.tags or ())
            assert chosen(conditions, message) not in hidden


ALL_FACTS = [
    Facts(channel=channel, tags=frozenset(tags), priority=priority.name.lower(), sender=sender)
    for channel, tags, priority, sender in product(
        [*CHANNELS, "other"],
        [(), *((tag,) for tag in TAGS), ("otp", "login"), ("otp", "promo"), tuple(TAGS)],
        Priority,
        [*SENDERS, None],
    )
]


@given(
    st.lists(
        whens().map(
            lambda when: attrs.evolve(when, country=(), number_prefix=(), recipient_domain=())
        ),
        min_size=1,
        max_size=5,
    )
)
@settings(max_examples=200, deadline=None)
def test_but_for_numbers_a_route_is_unreachable_if_and_only_if_no_message_can_take_it(
    conditions: list[When],
) -> None:
    """Compared with trying everything that a message can be."""
    *earlier, when = conditions
    some_message = any(
        matches(when, facts) and not any(matches(other, facts) for other in earlier)
        for facts in ALL_FACTS
    )

    assert is_reachable(when, earlier, CODES) == some_message


@given(st.lists(whens() | narrow_whens(), min_size=1, max_size=6))
@settings(max_examples=200, deadline=None)
def test_of_the_routes_that_shadow_another_none_can_be_left_out(conditions: list[When]) -> None:
    *earlier, when = conditions
    by = shadows(when, earlier, CODES)
    assume(by is not None)
    assert by is not None

    assert not is_reachable(when, [earlier[place] for place in by], CODES)
    for left_out in by:
        rest = [earlier[place] for place in by if place != left_out]
        assert is_reachable(when, rest, CODES)


@given(
    st.sets(st.text("01", min_size=1, max_size=4)),
    st.sets(st.integers(1, 4), min_size=1),
    st.data(),
)
def test_whether_a_number_goes_on_is_what_trying_all_numbers_says(
    avoided: set[str], lengths: set[int], data: st.DataObject
) -> None:
    beginning = data.draw(st.text("01", max_size=2))
    longer = {each for each in avoided if each.startswith(beginning) and each != beginning}
    numbers = ["".join(digits) for length in lengths for digits in product("012", repeat=length)]

    expected = any(
        number.startswith(beginning) and not any(number.startswith(each) for each in longer)
        for number in numbers
    )

    assert goes_on(beginning, longer, lengths) == expected


@pytest.mark.parametrize(
    ("when", "earlier", "expected"),
    [
        (When(), [], None),
        (When(country=("RU",)), [When(number_prefix=("+7",))], (0,)),
        (When(number_prefix=("+7",)), [When(country=("RU", "KZ"))], None),
        (When(number_prefix=("+49",)), [When(country=("DE",))], (0,)),
        (When(number_prefix=("+4",)), [When(country=("DE",))], None),
        (When(number_prefix=("+7999",)), [When(number_prefix=("+7", "+49"))], (0,)),
        (When(number_prefix=("+7",)), [When(number_prefix=("+7999",))], None),
        (When(country=("RU",), number_prefix=("+49",)), [], ()),
        (When(country=("XX",)), [], ()),
        (When(number_prefix=("+7" + "9" * 20,)), [], ()),
        (When(number_prefix=("+800",)), [When(country=("RU",))], None),
        (When(tags=("otp",)), [When(number_prefix=("+",))], None),
        (When(tags=("a", "b")), [When(tags=("a",)), When(tags=("b",))], (0, 1)),
        (When(tags=("a",)), [When(tags=("a",), channel=("sms",))], None),
        (When(channel=("sms",)), [When(priority=tuple(Priority))], (0,)),
    ],
    ids=str,
)
def test_a_route_is_shadowed_by_those_before_it(
    when: When, earlier: list[When], expected: tuple[int, ...] | None
) -> None:
    assert shadows(when, earlier, CODES) == expected


def test_a_country_has_one_calling_code() -> None:
    """What is said of the numbers of a country hangs on that."""
    countries = [country for code in CODES.all for country in CODES.countries(code) if country]

    assert len(countries) == len(set(countries))


def test_a_thousand_routes_do_not_take_long() -> None:
    """Each with a tag of its own, and one behind them that asks for all of these tags."""
    tags = tuple(f"tag-{number}" for number in range(1000))
    earlier = [When(tags=(tag,), country=("RU",)) for tag in tags]

    assert is_reachable(When(tags=tags), earlier, CODES)
