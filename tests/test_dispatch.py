"""What follows from an outcome: retries, the next provider, the next leg, questions, holding."""

from __future__ import annotations

import logging
from datetime import timedelta

import attrs
import pytest

from notify_core.config.model import (
    Breaker,
    IfUnknown,
    JournalConfig,
    LegConfig,
    Mode,
    Retry,
    Route,
    Via,
)
from notify_core.contact import Contact
from notify_core.delivery import Attempt, Delivery, LegResult
from notify_core.dispatch import Dispatcher, message_to_send
from notify_core.errors import JournalError, ProviderError
from notify_core.health import HealthBoard, Obstacle, OwnHealth
from notify_core.hookspecs import hookimpl
from notify_core.journal.codec import GONE
from notify_core.journal.model import Entry
from notify_core.keeping import LeftOff, Memory
from notify_core.message import Mail, Message, Sms
from notify_core.notifier import Notifier
from notify_core.outcome import (
    Accepted,
    FailureScope,
    NotSent,
    Outcome,
    Receipt,
    RefusalScope,
    Refused,
    State,
    Status,
    Unknown,
)
from notify_core.plugins import Plugins
from notify_core.policy.breaker import Health, after, obstacle
from notify_core.progress import (
    Step,
    attempt_answered,
    attempt_began,
    begin,
    goes_on,
    next_step,
    overall,
)
from notify_core.provider import Capabilities, ProviderType
from notify_core.registry import ProviderSpec, Registry
from notify_core.secret import Secret
from notify_core.testing import ManualClock, ScriptedProvider, notifier_with, scripted_config

ACCEPTED = Accepted(Receipt(provider="a", address="+79990000001"))
BAD_NUMBER = Refused("no such number", RefusalScope.RECIPIENT)
BAD_TEXT = Refused("forbidden text", RefusalScope.CONTENT)
NOT_ALLOWED = Refused("no contract", RefusalScope.ACCOUNT)
DOWN = NotSent("out of reach", FailureScope.PROVIDER)
BAD_LOGIN = NotSent("authorise error", FailureScope.ACCOUNT)
BUSY = NotSent("too many requests", FailureScope.THROTTLED)
KEPT_BACK = NotSent("it was cancelled", FailureScope.WITHHELD)
LOST = Unknown("the answer was lost")


def sms() -> Sms:
    return Sms(to="+79990000001", text="hello")


def send(notifier: Notifier) -> Delivery:
    (delivery,) = notifier.send(sms())
    return delivery


def leg(*providers: str, channel: str | None = None) -> LegConfig:
    return LegConfig(via=Via(providers=providers), channel=channel)


def result(outcome: Outcome) -> LegResult:
    return LegResult(channel="sms", outcome=outcome)


def route(*legs: LegConfig, mode: Mode = Mode.FIRST_OF) -> Route:
    return Route(name="default", legs=legs, mode=mode)


@pytest.mark.parametrize(
    ("outcome", "step"),
    [
        (ACCEPTED, Step.SETTLED),
        (BAD_NUMBER, Step.SETTLED),
        (BAD_TEXT, Step.SETTLED),
        (NOT_ALLOWED, Step.DROP_PROVIDER),
        (DOWN, Step.NEXT_PROVIDER),
        (BUSY, Step.NEXT_PROVIDER),
        (BAD_LOGIN, Step.DROP_PROVIDER),
        (KEPT_BACK, Step.DROP_PROVIDER),
        (LOST, Step.SETTLED),
    ],
    ids=str,
)
def test_an_outcome_decides_what_the_leg_does(outcome: Outcome, step: Step) -> None:
    assert next_step(outcome) is step


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (ACCEPTED, False),
        (BAD_NUMBER, True),
        (BAD_TEXT, False),
        (NOT_ALLOWED, True),
        (DOWN, True),
        (KEPT_BACK, True),
        (LOST, False),
    ],
    ids=str,
)
def test_an_outcome_decides_whether_the_next_leg_is_tried(outcome: Outcome, expected: bool) -> None:
    notifier = notifier_with(scripted_config(a=ScriptedProvider()))
    (decision,) = notifier.explain(sms())
    (planned,) = decision.plan.legs

    assert goes_on(decision.plan, planned, result(outcome)) is expected


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([ACCEPTED, ACCEPTED], ACCEPTED),
        ([ACCEPTED, BAD_NUMBER], BAD_NUMBER),
        ([BAD_NUMBER, DOWN, ACCEPTED], DOWN),
        ([LOST, DOWN, ACCEPTED], LOST),
    ],
)
def test_all_of_ends_as_its_least_good_leg(outcomes: list[Outcome], expected: Outcome) -> None:
    assert overall(Mode.ALL_OF, [result(outcome) for outcome in outcomes]) == expected


def test_a_message_that_did_not_leave_goes_to_the_next_provider_at_once() -> None:
    clock = ManualClock()
    first, second = ScriptedProvider([DOWN]), ScriptedProvider()

    delivery = send(notifier_with(scripted_config(a=first, b=second), clock=clock))

    assert delivery.provider == "b"
    assert clock.slept == []


def test_all_providers_are_tried_before_the_first_pause() -> None:
    clock = ManualClock()
    first, second = ScriptedProvider([DOWN]), ScriptedProvider([DOWN])

    delivery = send(notifier_with(scripted_config(a=first, b=second), clock=clock))

    assert [attempt.provider for attempt in delivery.attempts] == ["a", "b", "a"]
    assert clock.slept == [1.0]


def test_the_pauses_grow_and_the_rounds_end() -> None:
    clock = ManualClock()
    config = attrs.evolve(
        scripted_config(a=ScriptedProvider([DOWN] * 9)),
        retry=Retry(rounds=4, first=timedelta(seconds=2), factor=3, longest=timedelta(seconds=10)),
    )

    delivery = send(notifier_with(config, clock=clock))

    assert delivery.outcome == DOWN
    assert clock.slept == [2.0, 6.0, 10.0]


def test_a_provider_that_asks_for_a_pause_gets_it() -> None:
    clock = ManualClock()
    busy = NotSent("slow down", FailureScope.THROTTLED, retry_after_s=7)

    delivery = send(notifier_with(scripted_config(a=ScriptedProvider([busy])), clock=clock))

    assert delivery.accepted
    assert clock.slept == [7]


def test_the_pause_that_one_provider_asks_for_is_kept_though_another_failed_since() -> None:
    clock = ManualClock()
    busy = NotSent("slow down", FailureScope.THROTTLED, retry_after_s=20)
    config = scripted_config(a=ScriptedProvider([busy]), b=ScriptedProvider([DOWN]))

    delivery = send(notifier_with(config, clock=clock))

    assert delivery.accepted
    assert clock.slept == [20]


def test_a_provider_that_wants_too_long_a_pause_leaves_the_next_round_to_the_others() -> None:
    busy = NotSent("slow down", FailureScope.THROTTLED, retry_after_s=1800)
    first = ScriptedProvider([busy])

    delivery = send(notifier_with(scripted_config(a=first, b=ScriptedProvider([DOWN]))))

    assert delivery.provider == "b"
    assert len(first.sent) == 1


def test_a_pause_longer_than_the_policy_allows_is_not_waited_for() -> None:
    clock = ManualClock()
    busy = NotSent("slow down", FailureScope.THROTTLED, retry_after_s=1800)

    delivery = send(notifier_with(scripted_config(a=ScriptedProvider([busy])), clock=clock))

    assert delivery.outcome == busy
    assert clock.slept == []


def test_no_attempt_begins_after_the_deadline() -> None:
    clock = ManualClock()

    def slow(*_: object) -> Outcome:
        clock.advance(20)
        return DOWN

    provider = ScriptedProvider([slow, slow])
    limited = attrs.evolve(route(leg("a")), deadline=timedelta(seconds=21))

    delivery = send(notifier_with(scripted_config(limited, a=provider), clock=clock))

    assert len(delivery.attempts) == 1
    assert delivery.outcome == DOWN


def test_no_attempt_begins_after_the_message_has_lost_its_worth() -> None:
    clock = ManualClock()

    def slow(*_: object) -> Outcome:
        clock.advance(200)
        return DOWN

    able = Capabilities(channels=frozenset({"sms"}), validity=True)
    provider = ScriptedProvider([slow, slow], capabilities=able)
    notifier = notifier_with(scripted_config(a=provider), clock=clock)

    (delivery,) = notifier.send(attrs.evolve(sms(), valid_for=timedelta(minutes=3)))

    assert len(delivery.attempts) == 1
    assert delivery.outcome == DOWN


def entry_of(message: Message, clock: ManualClock) -> Entry:
    able = Capabilities(channels=frozenset({"sms"}), validity=True, scheduling=True)
    notifier = notifier_with(scripted_config(a=ScriptedProvider(capabilities=able)), clock=clock)
    (decision,) = notifier.explain(message)
    return Entry(
        message=message,
        plan=decision.plan,
        progress=begin(decision.plan),
        config="",
        created_at=clock.now(),
    )


@pytest.mark.parametrize(
    ("valid_for", "passed_s", "told"),
    [
        (timedelta(hours=2), 0, timedelta(hours=2)),
        (timedelta(hours=2), 59, timedelta(hours=2)),
        (timedelta(hours=2), 60, timedelta(minutes=119)),
        (timedelta(hours=2), 61, timedelta(minutes=119)),
        (timedelta(hours=2), 7140, timedelta(minutes=1)),
        (timedelta(hours=2), 7199, timedelta(minutes=1)),
        # The clock goes on while we decide; a provider takes no validity of nothing.
        (timedelta(hours=2), 7200, timedelta(minutes=1)),
        (timedelta(seconds=90), 10, timedelta(seconds=90)),
        (timedelta(seconds=90), 40, timedelta(minutes=1)),
    ],
)
def test_a_provider_is_told_how_long_the_message_is_still_worth_delivering(
    valid_for: timedelta, passed_s: float, told: timedelta
) -> None:
    clock = ManualClock()
    entry = entry_of(attrs.evolve(sms(), valid_for=valid_for), clock)

    clock.advance(passed_s)

    message = message_to_send(entry, clock.now())
    assert message is not None
    assert message.valid_for == told


@pytest.mark.parametrize(
    ("expires_m", "valid_for", "passed_s", "told"),
    [
        (1, None, 0, timedelta(minutes=1)),
        (1, timedelta(hours=2), 0, timedelta(minutes=1)),
        (5, timedelta(minutes=5), 0, timedelta(minutes=5)),
        (5, timedelta(minutes=5), 60, timedelta(minutes=4)),
        (5, timedelta(hours=2), 7140, timedelta(minutes=1)),
        (None, timedelta(hours=2), 0, timedelta(hours=2)),
        (None, None, 0, None),
    ],
)
def test_a_message_is_worth_delivering_for_no_longer_than_its_leg_waits(
    expires_m: int | None, valid_for: timedelta | None, passed_s: float, told: timedelta | None
) -> None:
    clock = ManualClock()
    entry = entry_of(attrs.evolve(sms(), valid_for=valid_for), clock)
    expires = None if expires_m is None else timedelta(minutes=expires_m)
    (planned,) = entry.plan.legs
    plan = attrs.evolve(entry.plan, legs=(attrs.evolve(planned, expires=expires),))
    entry = attrs.evolve(entry, plan=plan)
    clock.advance(passed_s)

    able = message_to_send(entry, clock.now(), expires=True)
    unable = message_to_send(entry, clock.now())

    assert able is not None
    assert able.valid_for == told
    assert unable is not None
    assert (unable.valid_for is None) is (valid_for is None)


def test_what_a_message_is_worth_counts_from_its_appointed_time() -> None:
    clock = ManualClock()
    later = clock.now() + timedelta(hours=1)
    entry = entry_of(attrs.evolve(sms(), send_at=later, valid_for=timedelta(hours=2)), clock)

    before = message_to_send(entry, clock.now())
    clock.advance(3600 + 600)
    after_it = message_to_send(entry, clock.now())

    assert before is not None
    assert (before.send_at, before.valid_for) == (later, timedelta(hours=2))
    assert after_it is not None
    assert (after_it.send_at, after_it.valid_for) == (None, timedelta(minutes=110))


def test_a_message_whose_text_is_not_kept_cannot_be_sent() -> None:
    clock = ManualClock()

    assert message_to_send(attrs.evolve(entry_of(sms(), clock), message=GONE), clock.now()) is None


def test_a_provider_that_keeps_failing_is_given_no_more_repeated_attempts() -> None:
    """Trying again makes the trouble of a provider no smaller."""
    busy = ScriptedProvider([BUSY] * 1000)
    config = attrs.evolve(
        scripted_config(a=busy), retry=Retry(rounds=9, first=timedelta(0), budget=0.0)
    )
    notifier = notifier_with(config)

    deliveries = [send(notifier) for _ in range(20)]

    assert len(busy.sent) == 20 + 100
    assert deliveries[-1].legs[0].skipped[0].reason == (
        "given no more repeated attempts for now: too many have failed"
    )


class Unreadable(OwnHealth):
    """A store that is out of reach."""

    def health(self, provider: str) -> Health:
        raise JournalError(f"the health of {provider} cannot be read")


def test_a_delivery_in_doubt_is_left_off_where_its_provider_may_not_be_asked() -> None:
    """What has been heard is kept in what is left off, for whoever carries it on."""
    clock = ManualClock()
    provider = ScriptedProvider()
    dispatcher = Dispatcher(
        registry_of(provider, clock),
        HealthBoard(Breaker(), clock, Unreadable()),
        Retry(),
        clock,
        lambda: 0.5,
        Memory(clock),
    )
    entry = attrs.evolve(entry_of(sms(), clock), owner="me")
    began, _ = attempt_began(entry.plan, entry.progress, "a", clock.now())
    in_doubt = attrs.evolve(entry, progress=attempt_answered(began, LOST, clock.now()))

    with pytest.raises(LeftOff) as caught:
        dispatcher.deliver(in_doubt)

    assert caught.value.entry.progress.attempts == in_doubt.progress.attempts
    assert provider.asked == []


def registry_of(provider: ScriptedProvider, clock: ManualClock) -> Registry:
    kind = ProviderType(
        name="scripted",
        config_class=ScriptedProvider,
        capabilities=lambda made: made.capabilities,
        factory=lambda made, _tools: made,
    )
    return Registry(Plugins(), [ProviderSpec(name="a", type=kind, settings=provider)], clock)


def test_a_refused_recipient_is_not_tried_at_another_provider() -> None:
    second = ScriptedProvider()

    delivery = send(notifier_with(scripted_config(a=ScriptedProvider([BAD_NUMBER]), b=second)))

    assert delivery.outcome == BAD_NUMBER
    assert second.sent == []


def test_a_refused_recipient_is_tried_on_the_next_channel() -> None:
    provider = ScriptedProvider([BAD_NUMBER])
    config = scripted_config(route(leg("a", channel="viber"), leg("a", channel="sms")), a=provider)

    delivery = send(notifier_with(config))

    assert [message.channel for message, _ in provider.sent] == ["viber", "sms"]
    assert delivery.channel == "sms"


def test_a_refused_content_ends_the_delivery() -> None:
    provider = ScriptedProvider([BAD_TEXT])
    config = scripted_config(route(leg("a", channel="viber"), leg("a", channel="sms")), a=provider)

    delivery = send(notifier_with(config))

    assert delivery.outcome == BAD_TEXT
    assert len(provider.sent) == 1


def test_a_refused_content_is_tried_on_the_next_channel_where_the_route_says_so() -> None:
    provider = ScriptedProvider([BAD_TEXT])
    lenient = attrs.evolve(
        route(leg("a", channel="viber"), leg("a", channel="sms")),
        next_on=(RefusalScope.CONTENT,),
    )

    delivery = send(notifier_with(scripted_config(lenient, a=provider)))

    assert delivery.channel == "sms"


def test_an_account_that_may_not_is_left_out_and_the_next_provider_takes_over() -> None:
    first = ScriptedProvider([NOT_ALLOWED])

    delivery = send(notifier_with(scripted_config(a=first, b=ScriptedProvider([DOWN]))))

    assert [attempt.provider for attempt in delivery.attempts] == ["a", "b", "b"]
    assert delivery.accepted


def test_all_of_sends_every_leg_with_an_own_id_each() -> None:
    provider = ScriptedProvider()
    both = route(leg("a", channel="viber"), leg("a", channel="sms"), mode=Mode.ALL_OF)

    delivery = send(notifier_with(scripted_config(both, a=provider)))

    assert delivery.accepted
    own_ids = {attempt.own_id for _, attempt in provider.sent}
    assert len(own_ids) == 2


def test_an_attempt_is_repeated_with_the_same_own_id() -> None:
    provider = ScriptedProvider([DOWN, DOWN])

    send(notifier_with(scripted_config(a=provider)))

    assert len({attempt.own_id for _, attempt in provider.sent}) == 1
    assert len({attempt.id for _, attempt in provider.sent}) == 3


class TestUnknown:
    """An answer that leaves open whether the message went."""

    def test_is_accepted_when_the_provider_knows_the_message(self) -> None:
        provider = ScriptedProvider([LOST], statuses=[State.SENT])

        delivery = send(notifier_with(scripted_config(a=provider)))

        assert delivery.accepted
        assert delivery.status is not None
        assert delivery.status.state is State.SENT
        assert len(provider.sent) == 1

    def test_is_asked_about_by_our_own_id_and_the_address_as_sent(self) -> None:
        provider = ScriptedProvider([LOST], statuses=[State.DELIVERED])

        send(notifier_with(scripted_config(a=provider)))

        ((_, attempt),) = provider.sent
        assert provider.asked == [
            Receipt(provider="a", address="+79990000001", own_id=attempt.own_id)
        ]

    def test_is_asked_again_while_the_message_is_not_found(self) -> None:
        clock = ManualClock()
        provider = ScriptedProvider([LOST], statuses=[State.NOT_FOUND, State.SENT])

        delivery = send(notifier_with(scripted_config(a=provider), clock=clock))

        assert delivery.accepted
        assert clock.slept == [1.0, 2.0]

    def test_may_be_sent_again_with_the_same_id_once_its_absence_is_certain(self) -> None:
        provider = ScriptedProvider([LOST], statuses=[State.NOT_FOUND, State.NOT_FOUND])

        delivery = send(notifier_with(scripted_config(a=provider)))

        first, second = (attempt for _, attempt in provider.sent)
        assert delivery.accepted
        assert first.own_id == second.own_id

    def test_goes_again_to_the_same_provider_only(self) -> None:
        """A message that turns up late would come twice, and no id would tell the two apart."""
        first = ScriptedProvider([LOST, DOWN], statuses=[State.NOT_FOUND] * 2)
        second = ScriptedProvider()
        config = scripted_config(
            route(leg("a", "b", channel="viber"), leg("b", channel="sms")), a=first, b=second
        )

        delivery = send(notifier_with(config))

        assert delivery.channel == "viber"
        assert [attempt.provider for attempt in delivery.attempts] == ["a", "a", "a"]

    @pytest.mark.parametrize("refused", [BAD_NUMBER, NOT_ALLOWED])
    def test_goes_to_no_other_leg_when_the_repeated_attempt_is_refused(
        self, refused: Outcome
    ) -> None:
        first = ScriptedProvider([LOST, refused], statuses=[State.NOT_FOUND] * 2)
        second = ScriptedProvider()
        config = scripted_config(
            route(leg("a", channel="viber"), leg("b", channel="sms")), a=first, b=second
        )

        delivery = send(notifier_with(config))

        assert delivery.outcome == refused
        assert second.sent == []

    def test_goes_to_no_other_leg_when_the_same_provider_fails_for_good(self) -> None:
        first = ScriptedProvider([LOST, DOWN, DOWN], statuses=[State.NOT_FOUND] * 2)
        second = ScriptedProvider()
        config = scripted_config(
            route(leg("a", "b", channel="viber"), leg("b", channel="sms")), a=first, b=second
        )

        delivery = send(notifier_with(config))

        assert delivery.outcome == DOWN
        assert second.sent == []

    @pytest.mark.parametrize("state", [State.REJECTED, State.UNDELIVERED, State.EXPIRED])
    def test_is_refused_when_the_provider_has_it_as_failed_for_good(self, state: State) -> None:
        """It may know the message because it refused it."""
        status = Status(state=state, final=True, detail="wrong number", code="22")
        provider = ScriptedProvider([LOST], statuses=[status])
        config = scripted_config(
            route(leg("a", channel="viber"), leg("a", channel="sms")), a=provider
        )

        delivery = send(notifier_with(config))

        receipt = Receipt(provider="a", address="+79990000001", own_id=delivery.attempts[0].own_id)
        assert delivery.legs[0].outcome == Refused(
            "wrong number", RefusalScope.RECIPIENT, "22", receipt
        )
        assert delivery.channel == "sms"

    def test_is_held_when_one_question_got_no_answer(self) -> None:
        no_answer = ProviderError("a", "status", LOST)
        provider = ScriptedProvider([LOST], statuses=[no_answer, State.NOT_FOUND])

        delivery = send(notifier_with(scripted_config(a=provider)))

        assert delivery.held
        assert len(provider.sent) == 1

    def test_is_held_when_the_provider_cannot_be_asked(self) -> None:
        mute = Capabilities(channels=frozenset({"sms"}))
        provider = ScriptedProvider([LOST], capabilities=mute)

        delivery = send(notifier_with(scripted_config(a=provider)))

        assert delivery.held
        assert provider.asked == []

    def test_goes_neither_to_another_provider_nor_to_another_leg(self) -> None:
        mute = Capabilities(channels=frozenset({"sms", "viber"}))
        first = ScriptedProvider([LOST], capabilities=mute)
        second = ScriptedProvider()
        config = scripted_config(
            route(leg("a", "b", channel="viber"), leg("b", channel="sms")), a=first, b=second
        )

        delivery = send(notifier_with(config))

        assert delivery.outcome == LOST
        assert second.sent == []

    def test_is_held_unasked_where_the_route_says_so(self) -> None:
        provider = ScriptedProvider([LOST], statuses=[State.SENT])
        held = attrs.evolve(route(leg("a")), if_unknown=IfUnknown.HOLD)

        delivery = send(notifier_with(scripted_config(held, a=provider)))

        assert delivery.held
        assert provider.asked == []

    def test_is_what_an_exception_of_the_plugin_means(self) -> None:
        mute = Capabilities(channels=frozenset({"sms"}))
        provider = ScriptedProvider([RuntimeError("broken")], capabilities=mute)

        delivery = send(notifier_with(scripted_config(a=provider)))

        assert delivery.outcome == Unknown("the plugin of a failed with RuntimeError")


class TestHealth:
    """A provider is left alone for its own faults only."""

    def test_a_bad_recipient_never_counts(self) -> None:
        notifier = notifier_with(scripted_config(a=ScriptedProvider([BAD_NUMBER] * 50)))

        for _ in range(50):
            send(notifier)

        assert notifier.health("a").failures == 0

    def test_a_bad_recipient_between_failures_neither_counts_nor_clears(self) -> None:
        """It can be our own plugin that refused, before anything was asked."""
        config = attrs.evolve(
            scripted_config(a=ScriptedProvider([DOWN, BAD_NUMBER, DOWN])), retry=Retry(rounds=1)
        )
        notifier = notifier_with(config)

        for _ in range(3):
            send(notifier)

        assert notifier.health("a").failures == 2

    def test_after_an_authorisation_error_no_further_request_leaves(self) -> None:
        provider = ScriptedProvider([BAD_LOGIN])
        notifier = notifier_with(scripted_config(a=provider))

        first, second = send(notifier), send(notifier)

        assert first.outcome == BAD_LOGIN
        assert isinstance(second.outcome, NotSent)
        assert "stopped: authorise error" in second.outcome.reason
        assert len(provider.sent) == 1

    def test_after_an_authorisation_error_no_question_leaves_either(self) -> None:
        provider = ScriptedProvider([BAD_LOGIN])
        notifier = notifier_with(scripted_config(a=provider))
        send(notifier)

        with pytest.raises(ProviderError, match="stopped: authorise error"):
            notifier.query_status("a", [Receipt(provider="a", address="+79990000001")])

        assert provider.asked == []

    def test_an_authorisation_error_in_a_question_stops_the_provider(self) -> None:
        refused = ProviderError("a", "status", BAD_LOGIN)
        provider = ScriptedProvider([LOST], statuses=[refused])
        notifier = notifier_with(scripted_config(a=provider))

        delivery = send(notifier)

        assert delivery.held
        assert notifier.health("a").stopped
        assert len(provider.asked) == 1

    def test_the_other_provider_goes_on_when_one_is_stopped(self) -> None:
        notifier = notifier_with(
            scripted_config(a=ScriptedProvider([BAD_LOGIN]), b=ScriptedProvider())
        )
        send(notifier)

        delivery = send(notifier)

        assert delivery.provider == "b"
        (leg_result,) = delivery.legs
        assert [skip.provider for skip in leg_result.skipped] == ["a"]

    def test_a_stopped_provider_works_again_when_somebody_says_so(self) -> None:
        notifier = notifier_with(scripted_config(a=ScriptedProvider([BAD_LOGIN])))
        send(notifier)

        notifier.resume("a")

        assert send(notifier).accepted

    def test_a_provider_that_keeps_failing_is_left_alone_and_probed_after_the_pause(self) -> None:
        clock = ManualClock()
        provider = ScriptedProvider([DOWN] * 5)
        config = attrs.evolve(scripted_config(a=provider), retry=Retry(rounds=1))
        notifier = notifier_with(config, clock=clock)
        for _ in range(7):
            send(notifier)
        assert len(provider.sent) == 5

        clock.advance(31)

        assert send(notifier).accepted
        assert notifier.health("a").failures == 0

    def test_a_block_is_not_lifted_by_what_was_under_way_before(self) -> None:
        blocked = NotSent("ip is blocked", FailureScope.ACCOUNT, retry_after_s=1800)
        health = after(Health(), blocked, Breaker(), now=0.0)

        for late in (ACCEPTED, BAD_NUMBER, LOST, *[DOWN] * 9):
            health = after(health, late, Breaker(), now=1.0)

        assert obstacle(health, now=1799.0) is not None

    def test_only_one_attempt_finds_out_whether_a_pause_has_helped(self) -> None:
        clock = ManualClock()
        board = HealthBoard(Breaker(failures=1), clock)
        board.record("a", DOWN)
        clock.advance(31)

        first, second = board.claim("a"), board.claim("a")

        in_half_a_minute = clock.now() + timedelta(seconds=30)
        assert (first, second) == (
            None,
            Obstacle("left alone for 30 s: out of reach", in_half_a_minute),
        )

    def test_a_provider_is_stopped_with_one_line_in_the_log(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        board = HealthBoard(Breaker(), ManualClock())

        for outcome in (DOWN, BAD_LOGIN, BAD_LOGIN, DOWN):
            board.record("a", outcome)

        assert [(each.levelname, each.getMessage()) for each in caplog.records] == [
            ("ERROR", "provider a is stopped: authorise error")
        ]

    @pytest.mark.parametrize(
        ("first", "scope"),
        [
            (BAD_LOGIN, FailureScope.ACCOUNT),
            (
                NotSent("ip is blocked", FailureScope.ACCOUNT, retry_after_s=60),
                FailureScope.PROVIDER,
            ),
        ],
        ids=str,
    )
    def test_a_question_fails_unasked_in_the_scope_of_what_is_against_it(
        self, first: NotSent, scope: FailureScope
    ) -> None:
        board = HealthBoard(Breaker(), ManualClock())
        board.record("a", first)

        with pytest.raises(ProviderError) as caught, board.question("a", "status"):
            pytest.fail("the question was asked")

        assert isinstance(caught.value.outcome, NotSent)
        assert caught.value.outcome.scope is scope

    def test_a_question_that_fails_counts_and_one_that_is_answered_does_not(self) -> None:
        board = HealthBoard(Breaker(), ManualClock())
        with pytest.raises(ProviderError), board.question("a", "status"):
            raise ProviderError("a", "status", DOWN)

        with board.question("a", "status"):
            pass

        assert board.health("a").failures == 1


def test_a_listener_is_told_of_every_attempt_before_and_after() -> None:
    told: list[tuple[str, str | None]] = []
    notifier = notifier_with(
        scripted_config(a=ScriptedProvider([DOWN])), plugins=[("recorder", recorder(told))]
    )

    send(notifier)

    assert told == [
        ("before", None),
        ("finished", "NotSent"),
        ("before", None),
        ("finished", "Accepted"),
    ]


def test_a_listener_is_told_of_the_message_as_the_leg_carries_it() -> None:
    told: list[tuple[str, str | None, str]] = []

    class Reader:
        @hookimpl
        def notify_before_send(self, message: Message, attempt: Attempt) -> None:
            told.append((message.channel, message.body, attempt.id))

        @hookimpl
        def notify_attempt_finished(self, message: Message, attempt: Attempt) -> None:
            told.append((message.channel, message.body, attempt.id))

    config = scripted_config(route(leg("a", channel="viber")), a=ScriptedProvider())

    delivery = send(notifier_with(config, plugins=[("reader", Reader())]))

    assert told == [("viber", "hello", f"{delivery.id}-1-1")] * 2


def test_every_attempt_is_one_line_in_the_log_without_the_text_or_a_whole_address(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    unheard = ScriptedProvider([LOST, DOWN], statuses=[State.NOT_FOUND] * 2)

    delivery = send(notifier_with(scripted_config(a=unheard)))

    line = f"delivery {delivery.id} attempt {{}} provider a channel sms to +79…01: {{}}"
    assert [record.getMessage() for record in caplog.records] == [
        line.format(1, "NotSent"),
        line.format(2, "NotSent"),
        line.format(3, "Accepted"),
    ]


def recorder(told: list[tuple[str, str | None]]) -> object:
    class Recorder:
        @hookimpl
        def notify_before_send(self, attempt: Attempt) -> None:
            told.append(("before", attempt.outcome and type(attempt.outcome).__name__))

        @hookimpl
        def notify_attempt_finished(self, attempt: Attempt) -> None:
            told.append(("finished", type(attempt.outcome).__name__))

    return Recorder()


def test_one_report_holds_a_delivery_for_each_recipient_in_order() -> None:
    provider = ScriptedProvider([BAD_NUMBER])
    notifier = notifier_with(scripted_config(a=provider))

    report = notifier.send(Sms(to=["+79990000001", "+79990000002"], text="hi"))

    assert [type(delivery.outcome) for delivery in report] == [Refused, Accepted]
    assert [str(delivery.recipient) for delivery in report] == ["+79…01", "+79…02"]


def test_the_next_leg_uses_the_kind_of_address_that_its_channel_has() -> None:
    provider = ScriptedProvider([BAD_NUMBER])
    config = scripted_config(route(leg("a", channel="sms"), leg("a", channel="mail")), a=provider)
    message = Sms(
        to=Contact(phone="+79990000001", email="ann@example.org"),
        text="hi",
        alternatives=[Mail(subject="Hi", text="hi")],
    )

    (delivery,) = notifier_with(config).send(message)

    assert delivery.accepted
    assert [attempt.address for _, attempt in provider.sent] == ["+79990000001", "ann@example.org"]


class TestWaitingForAProvider:
    """With a journal waiting costs nothing, unless there is another way to take."""

    @staticmethod
    def journalled(*routes: Route, **providers: ScriptedProvider) -> Notifier:
        config = scripted_config(*routes, **providers)
        return notifier_with(attrs.evolve(config, journal=JournalConfig(url=Secret("memory:"))))

    def test_the_last_leg_waits_until_somebody_has_mended_it(self) -> None:
        with self.journalled(a=ScriptedProvider([BAD_LOGIN])) as notifier:
            delivery = send(notifier)

        assert delivery.under_way
        assert delivery.outcome == BAD_LOGIN

    def test_a_leg_with_another_behind_it_leaves_the_message_to_that(self) -> None:
        two_ways = route(leg("a", channel="viber"), leg("b", channel="sms"))
        first = ScriptedProvider([BAD_LOGIN])

        with self.journalled(two_ways, a=first, b=ScriptedProvider()) as notifier:
            deliveries = send(notifier), send(notifier)

        assert [delivery.channel for delivery in deliveries] == ["sms", "sms"]
        assert [skip.provider for skip in deliveries[1].legs[0].skipped] == ["a"]

    def test_every_leg_of_all_of_goes_at_once(self) -> None:
        both = route(leg("a", channel="viber"), leg("b", channel="sms"), mode=Mode.ALL_OF)
        second = ScriptedProvider()

        with self.journalled(both, a=ScriptedProvider([BAD_LOGIN]), b=second) as notifier:
            delivery = send(notifier)

        assert delivery.partly
        assert len(second.sent) == 1
