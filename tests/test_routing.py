"""Which route a message takes, and the plan that follows."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_core.config.model import (
    Because,
    IfUnknown,
    LegConfig,
    Mode,
    Quiet,
    Route,
    Until,
    Via,
    When,
)
from notify_core.contact import Contact
from notify_core.errors import AdaptationError, RecipientError, UnsupportedFeature
from notify_core.message import (
    MESSAGE_TYPES,
    Attachment,
    Button,
    Mail,
    Message,
    Priority,
    Sms,
    Viber,
)
from notify_core.provider import Capabilities
from notify_core.routing import (
    Catalog,
    Decision,
    Facts,
    Plan,
    RouteTable,
    Subject,
    checks,
    decide,
)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EVERYTHING = Capabilities(
    channels=frozenset(each.channel for each in MESSAGE_TYPES), attachments=True
)
CATALOG = Catalog(
    message_types={each.channel: each for each in MESSAGE_TYPES},
    capabilities={
        "a": EVERYTHING,
        "b": EVERYTHING,
        "c": EVERYTHING,
        "mail-only": Capabilities(channels=frozenset({"mail"})),
        "narrow": Capabilities(channels=frozenset({"sms"}), text_limit=10),
        "timing": Capabilities(channels=frozenset({"sms"}), scheduling=True, validity=True),
        "grouping": Capabilities(channels=frozenset({"sms"}), address_kinds=("group",)),
        "expiring": attrs.evolve(EVERYTHING, validity=True),
        "day-at-most": attrs.evolve(EVERYTHING, validity=True, longest_validity=DAY),
    },
)
ANY = When()
NOW = datetime(2030, 1, 1, tzinfo=UTC)
TEN = Sms(to="+79990000001", text="x" * 10)
CODE = Facts(
    channel="sms",
    tags=frozenset({"otp", "login"}),
    priority="high",
    sender="Shop",
    number="+79990000001",
    country="RU",
    domain="example.org",
)


def leg(*providers: str, channel: str | None = None, needs_alternative: bool = False) -> LegConfig:
    via = Via(providers=providers or ("a",))
    return LegConfig(via=via, channel=channel, needs_alternative=needs_alternative)


def route(name: str = "default", *legs: LegConfig, when: When = ANY) -> Route:
    return Route(name=name, legs=legs or (leg(),), when=when)


def subject(message: Message | None = None, recipient: Contact | None = None) -> Subject:
    message = message or Sms(to="+79990000001", text="hello")
    facts = Facts(channel=message.channel, tags=message.tags)
    return Subject(
        delivery_id="d",
        draw=f"{message.id}-1",
        message=message,
        recipient=recipient or message.contacts()[0],
        facts=facts,
    )


def decision(one: Route, of: Subject | None = None) -> Decision:
    return decide(RouteTable([one]), of or subject(), CATALOG)


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (When(), True),
        (When(channel=("sms",)), True),
        (When(channel=("mail", "sms")), True),
        (When(channel=("mail",)), False),
        (When(tags=("otp",)), True),
        (When(tags=("promo", "login")), True),
        (When(tags=("promo",)), False),
        (When(priority=(Priority.HIGH, Priority.CRITICAL)), True),
        (When(priority=(Priority.LOW,)), False),
        (When(country=("KZ", "RU")), True),
        (When(country=("KZ",)), False),
        (When(number_prefix=("+7999",)), True),
        (When(number_prefix=("+49", "+7999")), True),
        (When(number_prefix=("+7998",)), False),
        (When(recipient_domain=("example.org",)), True),
        (When(recipient_domain=("example.com",)), False),
        (When(sender=("Shop",)), True),
        (When(sender=("shop",)), False),
        (When(channel=("sms",), tags=("otp",), country=("RU",)), True),
        (When(channel=("sms",), tags=("otp",), country=("KZ",)), False),
    ],
    ids=str,
)
def test_a_route_matches_when_every_condition_holds(when: When, expected: bool) -> None:
    assert all(check.held for check in checks(when, CODE)) is expected


@pytest.mark.parametrize(
    "when",
    [
        When(country=("RU",)),
        When(number_prefix=("+",)),
        When(recipient_domain=("example.org",)),
        When(sender=("Shop",)),
        When(tags=("otp",)),
    ],
    ids=str,
)
def test_a_condition_on_what_is_absent_does_not_hold(when: When) -> None:
    assert not all(check.held for check in checks(when, Facts(channel="mail")))


def test_the_first_route_that_matches_is_taken_and_the_others_are_not_looked_at() -> None:
    routes = [
        route("mail", when=When(channel=("mail",))),
        route("sms", when=When(channel=("sms",))),
        route("default"),
    ]

    made = decide(RouteTable(routes), subject(), CATALOG)

    assert made.plan.route == "sms"
    assert [considered.route for considered in made.considered] == ["mail", "sms"]


def test_routes_of_which_none_matches_are_a_mistake_of_the_caller() -> None:
    """The loader lets no such configuration through."""
    with pytest.raises(ValueError, match="no route matches"):
        decide(RouteTable([route("mail", when=When(channel=("mail",)))]), subject(), CATALOG)


def test_a_decision_says_what_was_wanted_and_what_was_seen() -> None:
    routes = [route("mail", when=When(channel=("mail",))), route("default")]

    made = decide(RouteTable(routes), subject(), CATALOG)

    (check,) = made.considered[0].checks
    assert str(check) == "channel fails: wanted mail, is sms"


@pytest.mark.parametrize(
    ("when", "facts", "seen"),
    [
        (When(tags=("otp",)), CODE, "login, otp"),
        (When(tags=("otp",)), Facts(channel="sms"), "no tag"),
        (When(priority=(Priority.LOW,)), CODE, "high"),
        (When(country=("RU",)), CODE, "RU"),
        (When(country=("RU",)), Facts(channel="sms"), "absent"),
        (When(number_prefix=("+7",)), CODE, "+79990…"),
        (When(number_prefix=("+7",)), Facts(channel="mail"), "no number"),
        (When(recipient_domain=("b.ru",)), CODE, "example.org"),
        (When(recipient_domain=("b.ru",)), Facts(channel="sms"), "absent"),
        (When(sender=("Shop",)), CODE, "Shop"),
        (When(sender=("Shop",)), Facts(channel="sms"), "absent"),
    ],
    ids=str,
)
def test_a_decision_says_of_each_condition_what_was_seen(
    when: When, facts: Facts, seen: str
) -> None:
    (check,) = checks(when, facts)

    assert check.seen == seen


def test_the_conditions_of_a_route_are_shown_in_the_order_of_the_model() -> None:
    everything = When(
        sender=("Shop",),
        recipient_domain=("example.org",),
        number_prefix=("+7",),
        country=("RU",),
        priority=(Priority.LOW, Priority.HIGH),
        tags=("otp",),
        channel=("sms",),
    )

    made = checks(everything, CODE)

    assert [check.condition for check in made] == [
        "channel",
        "tags",
        "priority",
        "country",
        "number_prefix",
        "recipient_domain",
        "sender",
    ]
    assert made[2].wanted == ("low", "high")
    assert str(made[2]) == "priority holds: wanted low or high, is high"


def test_a_decision_never_shows_a_whole_number() -> None:
    routes = [route("x", when=When(number_prefix=("+1",))), route()]

    made = decide(RouteTable(routes), subject(), CATALOG)

    shown = f"{made!r} {CODE!r}"
    assert "9990000001" not in shown
    assert "hello" not in shown


@pytest.mark.parametrize(
    ("sender", "shown"), [("Shop", "Shop"), ("+79991234567", "+79…67"), ("ann@b.ru", "a…@b.ru")]
)
def test_a_decision_masks_a_sender_that_is_an_address(sender: str, shown: str) -> None:
    (check,) = checks(When(sender=("x",)), Facts(channel="sms", sender=sender))

    assert check.seen == shown


def test_a_failover_list_keeps_its_order() -> None:
    assert decision(route("r", leg("b", "a"))).plan.legs[0].providers == ("b", "a")


def test_a_spread_draws_the_first_provider_by_weight() -> None:
    spread = LegConfig(via=Via(providers=("a", "b"), weights=(80, 20)))

    first = [decision(route("r", spread)).plan.legs[0].providers[0] for _ in range(2000)]

    assert 0.74 < first.count("a") / len(first) < 0.86


def test_a_spread_has_the_others_behind_the_one_that_was_drawn() -> None:
    spread = LegConfig(via=Via(providers=("a", "b", "c"), weights=(1, 1, 1)))

    orders = {decision(route("r", spread)).plan.legs[0].providers for _ in range(200)}

    assert orders == {("a", "b", "c"), ("b", "a", "c"), ("c", "a", "b")}


def test_explaining_a_spread_twice_gives_the_same_order() -> None:
    spread = route("r", LegConfig(via=Via(providers=("a", "b"), weights=(1, 1))))
    of = subject()

    assert decision(spread, of) == decision(spread, of)


def test_a_leg_on_another_channel_carries_the_adapted_message() -> None:
    (planned,) = decision(route("r", leg("a", channel="viber"))).plan.legs

    assert type(planned.message) is Viber
    assert planned.message.body == "hello"


def test_a_leg_on_another_channel_prefers_the_alternative() -> None:
    message = Sms(to="+79990000001", text="short", alternatives=[Viber(text="long and pretty")])

    (planned,) = decision(route("r", leg("a", channel="viber")), subject(message)).plan.legs

    assert planned.message.body == "long and pretty"


def test_a_picture_that_is_dropped_is_told() -> None:
    message = Viber(to="+79990000001", text="x", image="https://example.org/a.png")

    plan = decision(route("r", leg("a", channel="sms")), subject(message)).plan

    assert plan.warnings == ("adapted from viber to sms: the picture is dropped",)


def test_a_leg_that_would_lose_the_meaning_is_an_error() -> None:
    message = Viber(
        to="+79990000001", text="x", button=Button(caption="Buy", url="https://example.org")
    )

    with pytest.raises(AdaptationError, match="the button would be lost"):
        decision(route("r", leg("a", channel="sms")), subject(message))


def test_a_leg_that_needs_an_alternative_is_left_out_for_messages_without_one() -> None:
    both = route("r", leg("a", channel="mail", needs_alternative=True), leg("a"))

    plan = decision(both).plan

    assert [each.channel for each in plan.legs] == ["sms"]
    assert str(plan.left_out[0].reason) == "the message brings no alternative for it"


def test_a_leg_that_needs_an_alternative_is_planned_for_messages_that_bring_it() -> None:
    message = Sms(to="+79990000001", text="x", alternatives=[Viber(text="y")])
    both = route("r", leg("a", channel="viber", needs_alternative=True), leg("a"))

    plan = decision(both, subject(message)).plan

    assert [each.channel for each in plan.legs] == ["viber", "sms"]
    assert plan.left_out == ()


def test_a_leg_that_needs_an_alternative_is_planned_for_messages_of_its_own_type() -> None:
    plan = decision(route("r", leg("a", channel="sms", needs_alternative=True))).plan

    assert [each.channel for each in plan.legs] == ["sms"]


def test_a_leg_without_an_address_of_its_kind_is_left_out() -> None:
    message = Sms(to="+79990000001", text="x", alternatives=[Mail(subject="s", text="x")])

    plan = decision(route("r", leg("a", channel="mail"), leg("a")), subject(message)).plan

    assert [each.channel for each in plan.legs] == ["sms"]
    assert plan.left_out[0].reason == "the recipient has no email address"


def test_a_recipient_whom_no_leg_reaches_is_an_error() -> None:
    message = Sms(to=Contact(email="ann@example.org"), text="x")

    with pytest.raises(RecipientError, match=r"no leg reaches a…@example\.org"):
        decision(route(), subject(message))


def test_a_provider_that_cannot_express_the_message_is_left_out_of_the_leg() -> None:
    plan = decision(route("r", leg("mail-only", "a"))).plan

    assert plan.legs[0].providers == ("a",)
    assert plan.warnings == ("provider mail-only is passed over: it has no channel sms",)


def test_a_message_that_no_provider_of_a_leg_can_express_is_an_error() -> None:
    with pytest.raises(UnsupportedFeature, match="mail-only: it has no channel sms"):
        decision(route("r", leg("mail-only")))


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (Mail(to="ann@example.org", subject="s", text="t"), "it has no channel mail"),
        (attrs.evolve(TEN, send_at=NOW), r"it cannot send at a given time \(send_at\)"),
        (attrs.evolve(TEN, valid_for=HOUR), r"it cannot limit the validity \(valid_for\)"),
        (attrs.evolve(TEN, text="x" * 11), "the text is longer than 10 characters"),
    ],
    ids=["channel", "send_at", "valid_for", "text"],
)
def test_what_the_only_provider_of_a_leg_lacks_is_told(message: Message, why: str) -> None:
    with pytest.raises(UnsupportedFeature, match=f"^narrow: {why}$"):
        decision(route("r", leg("narrow")), subject(message))


@pytest.mark.parametrize(
    "message",
    [
        TEN,
        attrs.evolve(TEN, send_at=NOW, valid_for=HOUR, text="x" * 160),
        Mail(to="ann@example.org", subject="s", text="t"),
    ],
    ids=["narrow", "timed", "mail"],
)
def test_a_leg_keeps_the_providers_that_can_express_the_message(message: Message) -> None:
    (planned,) = decision(
        route("r", leg("narrow", "timing", "mail-only")), subject(message)
    ).plan.legs

    narrow, timing = message is TEN, message.channel == "sms"
    able = {"narrow": narrow, "timing": timing, "mail-only": message.channel == "mail"}
    assert planned.providers == tuple(name for name in able if able[name])


def test_with_a_journal_any_provider_will_do_for_a_message_with_an_appointed_time() -> None:
    """The journal waits for it; the provider is not told of a time that has come."""
    keeping = attrs.evolve(CATALOG, keeps_time=True)

    plan = decide(
        RouteTable([route("r", leg("narrow"))]), subject(attrs.evolve(TEN, send_at=NOW)), keeping
    ).plan

    assert plan.legs[0].providers == ("narrow",)
    assert plan.legs[0].message.send_at == NOW


def test_a_journal_limits_no_validity_in_place_of_a_provider() -> None:
    keeping = attrs.evolve(CATALOG, keeps_time=True)

    with pytest.raises(UnsupportedFeature, match="cannot limit the validity"):
        decide(
            RouteTable([route("r", leg("narrow"))]),
            subject(attrs.evolve(TEN, valid_for=HOUR)),
            keeping,
        )


AT_NIGHT = Quiet(from_=time(21), to=time(9))
IN_MOSCOW = attrs.evolve(AT_NIGHT, zone=ZoneInfo("Europe/Moscow"))


@pytest.mark.parametrize(
    ("quiet", "recipient", "zones"),
    [
        (AT_NIGHT, ("Asia/Omsk", "Asia/Tomsk"), ("Asia/Omsk", "Asia/Tomsk")),
        (IN_MOSCOW, ("Asia/Omsk",), ("Europe/Moscow",)),
        (IN_MOSCOW, (), ("Europe/Moscow",)),
    ],
)
def test_a_plan_keeps_the_quiet_time_and_whose_clock_counts(
    quiet: Quiet, recipient: tuple[str, ...], zones: tuple[str, ...]
) -> None:
    of = attrs.evolve(subject(), zones=recipient)

    plan = decision(attrs.evolve(route(), quiet=quiet), of).plan

    assert (plan.quiet, plan.zones, plan.warnings) == (quiet, zones, ())


def test_a_quiet_time_that_nobody_can_tell_is_not_kept_and_that_is_told() -> None:
    plan = decision(attrs.evolve(route(), quiet=AT_NIGHT)).plan

    assert plan.zones == ()
    assert plan.warnings == ("the quiet time is not kept: nothing tells the recipient's time zone",)


def test_a_message_that_must_not_wait_has_no_quiet_time() -> None:
    alarm = subject(attrs.evolve(TEN, priority=Priority.CRITICAL))

    plan = decision(attrs.evolve(route(), quiet=AT_NIGHT), alarm).plan

    assert (plan.quiet, plan.zones, plan.warnings) == (None, (), ())


def test_files_go_only_to_providers_that_carry_them() -> None:
    message = Mail(
        to="ann@example.org", subject="s", text="t", attachments=Attachment("a.txt", b"x")
    )

    with pytest.raises(UnsupportedFeature, match="it cannot carry files"):
        decision(route("r", leg("mail-only")), subject(message))


def test_an_address_kind_of_one_provider_goes_to_that_provider_only() -> None:
    group = Contact(other={"group": "12"})

    (planned,) = decision(route("r", leg("a", "grouping")), subject(recipient=group)).plan.legs

    assert planned.providers == ("grouping",)
    assert planned.address_kind == "group"


def test_a_short_message_is_counted_before_it_is_sent() -> None:
    message = Sms(to="+79990000001", text="x" * 150 + "“quoted”")

    plan = decision(route(), subject(message)).plan

    assert plan.legs[0].parts is not None
    assert plan.legs[0].parts.parts == 3
    assert "3 parts; 1 without" in plan.warnings[0]


def test_a_message_of_a_channel_without_parts_is_not_counted() -> None:
    (planned,) = decision(route("r", leg("a", channel="viber"))).plan.legs

    assert planned.parts is None


@given(
    wanted=st.sets(st.sampled_from(["otp", "promo", "login"]), min_size=1),
    tags=st.sets(st.sampled_from(["otp", "promo", "login", "other"])),
)
def test_one_tag_of_those_wanted_is_enough(wanted: set[str], tags: set[str]) -> None:
    (check,) = checks(When(tags=tuple(wanted)), Facts(channel="sms", tags=frozenset(tags)))

    assert check.held is bool(wanted & tags)


def test_all_of_plans_every_leg() -> None:
    both = Route(name="r", legs=(leg(channel="viber"), leg()), mode=Mode.ALL_OF)

    assert [planned.channel for planned in decision(both).plan.legs] == ["viber", "sms"]


def test_all_of_names_the_legs_that_are_missed_and_not_those_that_may_be() -> None:
    legs = (
        leg("a", channel="viber", needs_alternative=True),
        leg("a", channel="mail"),
        leg("a"),
    )
    message = Sms(to="+79990000001", text="x", alternatives=[Mail(subject="s", text="x")])

    with pytest.raises(RecipientError) as caught:
        decision(Route(name="r", legs=legs, mode=Mode.ALL_OF), subject(message))

    assert str(caught.value) == (
        "route r: not every leg reaches +79…01 (mail: the recipient has no email address)"
    )


def test_all_of_goes_without_a_leg_that_needs_an_alternative() -> None:
    legs = (leg("a", channel="viber", needs_alternative=True), leg("a"))

    plan = decision(Route(name="r", legs=legs, mode=Mode.ALL_OF)).plan

    assert [each.channel for each in plan.legs] == ["sms"]
    assert plan.warnings == ("leg viber is left out: the message brings no alternative for it",)


# --- legs that wait for a receipt -----------------------------------------------------------


def waiting(provider: str = "expiring", within_s: float | None = 90, **more: Any) -> LegConfig:
    within = None if within_s is None else timedelta(seconds=within_s)
    via = Via(providers=tuple(provider.split()))
    return LegConfig(via=via, **({"until": Until.DELIVERED, "within": within} | more))


def planned(*legs: LegConfig, message: Message = TEN, mode: Mode = Mode.FIRST_OF) -> Plan:
    return decision(Route(name="r", legs=legs, mode=mode), subject(message)).plan


def test_a_leg_keeps_what_it_waits_for_how_long_and_after_what_the_next_one_follows() -> None:
    on = (Because.EXPIRED, Because.REFUSED)
    config = waiting("a", 20, until=Until.READ, on=on, if_unknown=IfUnknown.NEXT)

    first, second = planned(config, leg()).legs

    assert (first.until, first.within, first.on) == (
        Until.READ,
        timedelta(seconds=20),
        frozenset(on),
    )
    assert (first.if_unknown, second.if_unknown) == (IfUnknown.NEXT, IfUnknown.RECONCILE)
    assert (second.until, second.within, second.on) == (Until.ACCEPTED, None, frozenset(Because))


@pytest.mark.parametrize(
    ("of_leg", "of_route", "expected"),
    [
        (None, IfUnknown.RECONCILE, IfUnknown.RECONCILE),
        (None, IfUnknown.HOLD, IfUnknown.HOLD),
        (IfUnknown.RECONCILE, IfUnknown.HOLD, IfUnknown.RECONCILE),
        (IfUnknown.NEXT, IfUnknown.HOLD, IfUnknown.NEXT),
    ],
)
def test_what_follows_a_doubt_is_as_the_leg_says_else_as_the_route_does(
    of_leg: IfUnknown | None, of_route: IfUnknown, expected: IfUnknown
) -> None:
    legs = (waiting(if_unknown=of_leg), leg())

    plan = decision(Route(name="r", legs=legs, if_unknown=of_route)).plan

    assert (plan.legs[0].if_unknown, plan.legs[1].if_unknown) == (expected, of_route)


@pytest.mark.parametrize(
    ("within_s", "valid_for", "expires"),
    [
        (59.9, None, None),
        (60, None, timedelta(minutes=1)),
        (90, None, timedelta(minutes=1)),
        (119.9, None, timedelta(minutes=1)),
        (3600, None, HOUR),
        # What the application wants is the less of the two, if it is.
        (3600, timedelta(minutes=5), timedelta(minutes=5)),
        (90, HOUR, timedelta(minutes=1)),
        (None, None, None),
    ],
)
def test_a_message_that_is_given_up_is_worth_delivering_for_whole_minutes_and_no_longer(
    within_s: float | None, valid_for: timedelta | None, expires: timedelta | None
) -> None:
    message = attrs.evolve(TEN, valid_for=valid_for)

    first, _ = planned(waiting(within_s=within_s), leg("expiring"), message=message).legs

    assert first.expires == expires
    assert first.message.valid_for == valid_for


@pytest.mark.parametrize(
    "legs",
    [
        # The last one is given up for nothing.
        (leg("expiring"), waiting()),
        # Nothing follows when its time is over.
        (waiting(on=(Because.UNDELIVERED, Because.REFUSED)), leg("expiring")),
        # It does not wait.
        (leg("expiring"), leg("expiring")),
    ],
    ids=["last", "not on expired", "not waiting"],
)
def test_a_message_after_which_no_other_follows_is_worth_it_for_as_long_as_it_says(
    legs: tuple[LegConfig, ...],
) -> None:
    plan = planned(*legs)

    assert [each.expires for each in plan.legs] == [None, None]
    assert plan.warnings == ()


@pytest.mark.parametrize(
    ("provider", "within_s", "unable"),
    [
        ("expiring", 90, None),
        ("expiring", 59, "expiring"),
        ("a", 90, "a"),
        ("expiring a", 90, "a"),
        ("a b", 90, "a and b"),
        ("day-at-most", 86_400, None),
        ("day-at-most", 86_399, None),
        ("day-at-most", 86_460, "day-at-most"),
        ("expiring day-at-most", 86_460, "day-at-most"),
    ],
)
def test_that_both_may_arrive_is_told_where_a_provider_cannot_be_told_to_give_up(
    provider: str, within_s: float, unable: str | None
) -> None:
    plan = planned(waiting(provider, within_s), leg("expiring", channel="viber"))

    told = [] if unable is None else [f"{unable} cannot be told to give the message up within"]
    assert [w for w in plan.warnings if "may both arrive" in w] == list(plan.warnings)
    assert len(plan.warnings) == len(told)
    assert all(each in plan.warnings[0] for each in told)


def test_that_both_may_arrive_is_said_in_a_sentence() -> None:
    plan = planned(waiting("a", 90), leg())

    assert plan.warnings == (
        "sms and the leg after it may both arrive: a cannot be told to give the message up "
        "within 1m30s",
    )


@given(st.integers(1_000, 10**8))
def test_no_provider_is_told_a_longer_time_than_the_leg_waits(milliseconds: int) -> None:
    within_s = milliseconds / 1000

    first, _ = planned(waiting(within_s=within_s), leg("expiring")).legs

    assert first.within is not None
    if first.expires is not None:
        assert first.expires <= first.within < first.expires + timedelta(minutes=1)
        assert first.expires % timedelta(minutes=1) == timedelta(0)


@pytest.mark.parametrize(
    ("country", "distrusted"),
    [
        ("KZ", frozenset({"a", "b"})),
        ("UZ", frozenset({"a"})),
        ("RU", frozenset()),
        (None, frozenset()),
    ],
)
def test_receipts_are_distrusted_by_the_country_of_the_recipient(
    country: str | None, distrusted: frozenset[str]
) -> None:
    config = waiting("a b", distrust={"a": ("KZ", "UZ"), "b": ("KZ",)})
    of = subject(TEN)
    of = attrs.evolve(of, facts=attrs.evolve(of.facts, country=country))

    first, second = decision(Route(name="r", legs=(config, leg())), of).plan.legs

    assert (first.distrusted, second.distrusted) == (distrusted, frozenset())
