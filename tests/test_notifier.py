"""The front door: what an application sees of a send."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest

from notify_core.config.model import (
    Config,
    IfUnknown,
    JournalConfig,
    LegConfig,
    Mode,
    Quiet,
    Route,
    TextAtRest,
    Until,
    Via,
    When,
)
from notify_core.config.sections import Callbacks, IncomingConfig, Suppression
from notify_core.contact import Contact
from notify_core.delivery import Attempt, Delivery
from notify_core.errors import (
    ConfigError,
    JournalError,
    KeyConflict,
    MessageError,
    NotifyError,
    PluginError,
    ProviderError,
    RecipientError,
    UnsupportedFeature,
)
from notify_core.hookspecs import hookimpl
from notify_core.message import Mail, Message, Priority, Sms
from notify_core.notifier import Notifier
from notify_core.outcome import (
    Accepted,
    Estimate,
    FailureScope,
    NotSent,
    Outcome,
    RefusalScope,
    Refused,
    State,
    Status,
    Unknown,
)
from notify_core.plugins import Plugins
from notify_core.provider import Capabilities, ProviderType
from notify_core.secret import Secret
from notify_core.testing import (
    ManualClock,
    ScriptedProvider,
    accepted,
    notifier_with,
    scripted_config,
)

DOWN = NotSent("out of reach", FailureScope.PROVIDER)
AT_NIGHT = Quiet(from_=time(21), to=time(9), zone=ZoneInfo("UTC"))


def journalled(config: Config) -> Config:
    return attrs.evolve(config, journal=JournalConfig(url=Secret("memory:")))


def via(provider: str) -> tuple[LegConfig, ...]:
    return (LegConfig(via=Via(providers=(provider,))),)


class Listener:
    def __init__(self) -> None:
        self.changed: list[Delivery] = []

    @hookimpl
    def notify_status_changed(self, delivery: Delivery) -> None:
        self.changed.append(delivery)


class TestRecipients:
    """Bad input is told before anything is sent, to anybody."""

    @pytest.mark.parametrize(
        ("to", "words"),
        [
            ((), "the message has no recipient; set `to`"),
            (["+79990000001", "123"], "has no country code"),
            (["+79990000001", "+7999"], "too short or too long"),
            (["+79990000001", "+7 999 000-00-01"], r"\+79…01 is named twice"),
            (["+79990000001", Contact(phone="+79990000001", email="a@b.c")], "is named twice"),
        ],
    )
    def test_one_bad_recipient_keeps_the_whole_message_back(
        self, to: list[str], words: str
    ) -> None:
        provider = ScriptedProvider()

        with pytest.raises(RecipientError, match=words):
            notifier_with(scripted_config(a=provider)).send(Sms(to=to, text="hi"))

        assert provider.sent == []

    def test_a_number_is_sent_in_international_form_and_the_report_says_so(self) -> None:
        provider = ScriptedProvider()
        config = attrs.evolve(scripted_config(a=provider), default_region="RU")

        (delivery,) = notifier_with(config).send(Sms(to="8 (999) 000-00-01", text="hi"))

        assert provider.sent[0][1].address == "+79990000001"
        assert delivery.warnings == ("the number was written otherwise and is sent as +79…01",)

    def test_a_number_in_international_form_is_no_news(self) -> None:
        (delivery,) = notifier_with(scripted_config(a=ScriptedProvider())).send(
            Sms(to="+79990000001", text="hi")
        )

        assert delivery.warnings == ()

    def test_routes_see_the_country_of_the_normalised_number(self) -> None:
        routes = (
            Route(name="kz", when=When(country=("KZ",)), legs=via("a")),
            Route(name="default", legs=via("a")),
        )
        notifier = notifier_with(scripted_config(*routes, a=ScriptedProvider()))

        report = notifier.send(Sms(to=["+77010000001", "+79990000001"], text="hi"))

        assert [delivery.route for delivery in report] == ["kz", "default"]

    def test_routes_see_the_mail_domain_in_lower_case(self) -> None:
        routes = (
            Route(name="ours", when=When(recipient_domain=("example.org",)), legs=via("a")),
            Route(name="default", legs=via("a")),
        )
        notifier = notifier_with(scripted_config(*routes, a=ScriptedProvider()))

        (delivery,) = notifier.send(Mail(to="ann@Example.ORG", subject="s", text="t"))

        assert delivery.route == "ours"


def test_explaining_sends_nothing_and_plans_what_a_send_carries_out() -> None:
    provider = ScriptedProvider()
    notifier = notifier_with(scripted_config(a=provider))
    message = Sms(to="+79990000001", text="hi")

    (decision,) = notifier.explain(message)
    assert provider.sent == []
    (delivery,) = notifier.send(message)

    assert (delivery.route, delivery.channel) == (
        decision.plan.route,
        decision.plan.legs[0].channel,
    )


def test_explaining_and_sending_draw_the_same_provider_of_a_spread() -> None:
    spread = (LegConfig(via=Via(providers=("a", "b", "c"), weights=(1, 1, 1))),)
    route = Route(name="default", legs=spread)
    providers = {name: ScriptedProvider() for name in "abc"}
    notifier = notifier_with(scripted_config(route, **providers))

    for _ in range(20):
        message = Sms(to="+79990000001", text="hi")
        (decision,) = notifier.explain(message)
        (delivery,) = notifier.send(message)

        assert delivery.provider == decision.plan.legs[0].providers[0]


def test_a_message_that_is_sent_twice_is_two_messages_to_the_provider() -> None:
    """Asked about one of them, it must not answer for the other."""
    provider = ScriptedProvider()
    notifier = notifier_with(scripted_config(a=provider))
    message = Sms(to="+79990000001", text="hi")

    for each in (message, message, attrs.evolve(message, text="other")):
        notifier.send(each)

    assert len({attempt.own_id for _, attempt in provider.sent}) == 3


def test_an_interrupt_says_what_has_gone_and_what_may_have() -> None:
    def interrupted(*_: object) -> Outcome:
        raise KeyboardInterrupt

    def gone(_message: Message, attempt: Attempt) -> Outcome:
        return accepted(attempt)

    notifier = notifier_with(scripted_config(a=ScriptedProvider([gone, interrupted])))

    with pytest.raises(KeyboardInterrupt) as caught:
        notifier.send(Sms(to=["+79990000001", "+79990000002", "+79990000003"], text="hi"))

    (note,) = caught.value.__notes__
    assert "+79…01 by sms via a (route default): accepted" in note
    assert "may have gone, do not repeat: +79…02" in note
    assert "+79…03" not in note


def test_an_interrupted_provider_can_be_used_again() -> None:
    def interrupted(*_: object) -> Outcome:
        raise KeyboardInterrupt

    notifier = notifier_with(scripted_config(a=ScriptedProvider([interrupted])))
    with pytest.raises(KeyboardInterrupt):
        notifier.send(Sms(to="+79990000001", text="hi"))

    assert notifier.send(Sms(to="+79990000001", text="hi")).ok


def test_an_interrupt_after_the_last_delivery_hides_nothing() -> None:
    """Whatever comes between the last delivery and the report."""
    notifier = notifier_with(
        scripted_config(a=ScriptedProvider()), plugins=[("interrupting", Interrupting())]
    )

    with pytest.raises(KeyboardInterrupt) as caught:
        notifier.send(Sms(to="+79990000001", text="hi"))

    assert "+79…01" in caught.value.__notes__[0]


class Interrupting:
    @hookimpl
    def notify_attempt_finished(self) -> None:
        raise KeyboardInterrupt


def test_closing_twice_does_nothing_to_the_next_notifier() -> None:
    plugins = Plugins()
    provider = ScriptedProvider()
    first = notifier_of(plugins, provider)
    first.close()
    second = notifier_of(plugins, ScriptedProvider())

    first.close()

    assert second.send(Sms(to="+79990000001", text="hi")).ok
    assert provider.closed


def notifier_of(plugins: Plugins, provider: ScriptedProvider) -> Notifier:
    kind = ProviderType(
        name="scripted",
        config_class=ScriptedProvider,
        capabilities=lambda made: made.capabilities,
        factory=lambda made, _tools: made,
    )

    class Brings:
        @hookimpl
        def notify_provider_types(self) -> list[ProviderType]:
            return [kind]

    if not plugins.manager.has_plugin("scripted"):
        plugins.register(Brings(), "scripted")
    return Notifier(scripted_config(a=provider), plugins=plugins, clock=ManualClock())


def test_plugins_that_could_not_be_used_are_free_again() -> None:
    class Sms2(Sms):
        pass

    class Doubling:
        @hookimpl
        def notify_message_types(self) -> list[type[Message]]:
            return [Sms2]

    plugins = Plugins()
    plugins.register(Doubling(), "doubling")
    with pytest.raises(PluginError, match="two plugins bring this channel"):
        notifier_of(plugins, ScriptedProvider())

    plugins.manager.unregister(name="doubling")

    assert notifier_of(plugins, ScriptedProvider()).send(Sms(to="+79990000001", text="hi")).ok


def test_a_closed_notifier_sends_nothing() -> None:
    notifier = notifier_with(scripted_config(a=ScriptedProvider()))
    notifier.close()

    with pytest.raises(NotifyError, match="the notifier is closed"):
        notifier.send(Sms(to="+79990000001", text="hi"))


A_WHILE = timedelta(seconds=9)
THEN = LegConfig(via=Via(providers=("a",)))
WAITS = attrs.evolve(THEN, until=Until.DELIVERED, within=A_WHILE)


@pytest.mark.parametrize(
    ("route", "problem"),
    [
        (
            Route(name="default", legs=(attrs.evolve(WAITS, within=None), THEN)),
            "legs[0]: until needs within, or the next leg might never follow",
        ),
        (
            Route(name="default", legs=(attrs.evolve(WAITS, within=None),) * 2),
            "legs[0]: until needs within, or the next leg might never follow",
        ),
        (
            Route(name="default", legs=(WAITS, THEN), mode=Mode.ALL_OF),
            "legs[0]: no leg of all_of waits for a receipt",
        ),
        (
            Route(name="default", legs=(attrs.evolve(THEN, if_unknown=IfUnknown.NEXT), THEN)),
            "legs[0]: IfUnknown.NEXT stands only on a leg that waits for a receipt",
        ),
        (
            Route(name="default", legs=(WAITS, THEN), if_unknown=IfUnknown.NEXT),
            "if_unknown: IfUnknown.NEXT belongs to a leg",
        ),
    ],
)
def test_a_wait_that_makes_no_sense_is_refused_whoever_wrote_it(route: Route, problem: str) -> None:
    config = journalled(scripted_config(route, a=ScriptedProvider()))

    with pytest.raises(ConfigError) as caught:
        notifier_with(config)

    assert str(caught.value) == f"configuration: routes.default.{problem}"


def test_networks_of_a_provider_that_does_not_exist_are_a_mistake_whoever_wrote_it() -> None:
    """They would let everybody call for the one that was meant."""
    callbacks = Callbacks(networks={"smcs": ("192.0.2.0/24",)})
    config = attrs.evolve(scripted_config(smsc=ScriptedProvider()), callbacks=callbacks)

    with pytest.raises(ConfigError, match=r'"smcs" is not a provider here; did you mean "smsc"\?'):
        notifier_with(config)


def test_a_leg_that_waits_without_a_journal_is_refused_whoever_wrote_it() -> None:
    config = scripted_config(Route(name="default", legs=(WAITS,)), a=ScriptedProvider())

    with pytest.raises(ConfigError) as caught:
        notifier_with(config)

    (problem,) = caught.value.problems
    assert str(problem) == (
        "configuration: routes.default.legs[0]: until needs a journal, where messages wait"
    )
    assert (problem.line, problem.column) == (0, 0)


def test_a_leg_that_would_follow_when_its_text_is_gone_is_refused_whoever_wrote_it() -> None:
    config = journalled(
        scripted_config(Route(name="default", legs=(WAITS, THEN)), a=ScriptedProvider())
    )
    assert config.journal is not None
    forgetful = attrs.evolve(config.journal, text=TextAtRest.NEVER)

    with pytest.raises(ConfigError, match="never keeps no text for it"):
        notifier_with(attrs.evolve(config, journal=forgetful))


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ({"suppression": Suppression(consent=("promo",))}, "suppression: needs a journal"),
        (
            {"incoming": IncomingConfig(poll={"a": timedelta(minutes=1)})},
            "incoming: needs a journal",
        ),
    ],
)
def test_what_needs_a_list_or_a_cursor_is_refused_without_a_journal_to_keep_it(
    section: dict[str, Any], problem: str
) -> None:
    """Else what needs consent would be sent without one."""
    config = attrs.evolve(scripted_config(a=ScriptedProvider()), **section)

    with pytest.raises(ConfigError, match=problem):
        notifier_with(config)


def test_quiet_time_without_a_journal_is_refused_whoever_wrote_it() -> None:
    night = Route(name="default", legs=via("a"), quiet=AT_NIGHT)

    with pytest.raises(ConfigError) as caught:
        notifier_with(scripted_config(night, a=ScriptedProvider()))

    assert str(caught.value) == (
        "configuration: routes.default.quiet: needs a journal, where messages wait"
    )


class TestAllOf:
    """A route that wants every leg."""

    SMS_AND_MAIL = Route(
        name="both",
        mode=Mode.ALL_OF,
        legs=(
            LegConfig(via=Via(providers=("a",))),
            LegConfig(via=Via(providers=("a",)), channel="mail"),
        ),
    )
    MESSAGE = Sms(
        to=Contact(phone="+79990000001", email="ann@example.org"),
        text="hi",
        alternatives=Mail(subject="s", text="hi"),
    )

    def test_a_recipient_whom_not_every_leg_reaches_is_told_before_anything_is_sent(self) -> None:
        provider = ScriptedProvider()
        message = attrs.evolve(self.MESSAGE, to="+79990000001")

        with pytest.raises(RecipientError, match=r"not every leg reaches .* no email address"):
            notifier_with(scripted_config(self.SMS_AND_MAIL, a=provider)).send(message)

        assert provider.sent == []

    def test_a_part_that_went_is_neither_success_nor_failure(self) -> None:
        refused = Refused("no such mailbox", RefusalScope.RECIPIENT)
        provider = ScriptedProvider([lambda _, attempt: accepted(attempt), refused])

        report = notifier_with(scripted_config(self.SMS_AND_MAIL, a=provider)).send(self.MESSAGE)

        assert (report.ok, report.failed, len(report.partly)) == (False, (), 1)
        assert str(report.deliveries[0]).endswith(
            "by sms via a (route both) in part, the rest: refused (recipient): no such mailbox"
        )


def test_a_key_is_refused_without_a_journal_because_nothing_could_remember_it() -> None:
    notifier = notifier_with(scripted_config(a=ScriptedProvider()))

    with pytest.raises(UnsupportedFeature, match="key: no journal can remember it"):
        notifier.send(Sms(to="+79990000001", text="hi", key="order-17"))


@pytest.mark.parametrize(
    ("what", "arguments"),
    [
        ("enqueue", (Sms(to="+79990000001", text="hi"),)),
        ("enqueue_many", ([],)),
        ("worker", ()),
        ("get", ("an-id",)),
        ("wait", ("an-id",)),
        ("hold", ("an-id",)),
        ("cancel", ("an-id",)),
        ("release", ("an-id",)),
    ],
)
def test_what_takes_a_journal_says_so_without_one(what: str, arguments: tuple[Any, ...]) -> None:
    notifier = notifier_with(scripted_config(a=ScriptedProvider()))

    with pytest.raises(JournalError, match="needs a journal; write journal: sqlite"):
        getattr(notifier, what)(*arguments)


class TestWithAJournal:
    """What is otherwise as soon as there is a journal to keep what waits."""

    def test_a_key_that_was_used_sends_nothing_and_reports_what_became_of_the_first(self) -> None:
        provider = ScriptedProvider()
        message = Sms(to="+79990000001", text="hi", key="order-17")
        with notifier_with(journalled(scripted_config(a=provider))) as notifier:
            first = notifier.send(message)

            again = notifier.send(Sms(to="+79990000001", text="hi", key="order-17"))

        assert (again.message_id, again.deliveries) == (message.id, first.deliveries)
        assert len(provider.sent) == 1

    def test_a_key_that_was_used_for_something_else_is_refused(self) -> None:
        provider = ScriptedProvider()
        first = Sms(to="+79990000001", text="hi", key="order-17")
        with notifier_with(journalled(scripted_config(a=provider))) as notifier:
            notifier.send(first)

            with pytest.raises(KeyConflict) as caught:
                notifier.send(Sms(to="+79990000001", text="ho", key="order-17"))

        assert (caught.value.key, caught.value.message_id) == ("order-17", first.id)
        assert len(provider.sent) == 1

    def test_the_journal_waits_for_the_appointed_time(self) -> None:
        """So that any provider will do, and the message can be cancelled until then."""
        clock = ManualClock()
        provider = ScriptedProvider()
        in_an_hour = clock.now() + timedelta(hours=1)
        with notifier_with(journalled(scripted_config(a=provider)), clock=clock) as notifier:
            report = notifier.send(Sms(to="+79990000001", text="hi", send_at=in_an_hour))
            notifier.worker().work_off()
            early = len(provider.sent)
            clock.advance(3600)
            notifier.worker().work_off()
            delivery = notifier.get(report.deliveries[0].id)

        assert report.under_way == report.deliveries
        assert report.deliveries[0].next_at == in_an_hour
        assert (early, delivery.accepted) == (0, True)
        ((message, _),) = provider.sent
        assert message.send_at is None

    def test_a_provider_that_cannot_wait_for_a_time_is_refused_without_one(self) -> None:
        notifier = notifier_with(scripted_config(a=ScriptedProvider()))
        in_an_hour = ManualClock().now() + timedelta(hours=1)

        with pytest.raises(UnsupportedFeature, match="cannot send at a given time"):
            notifier.send(Sms(to="+79990000001", text="hi", send_at=in_an_hour))

    def test_the_deadline_counts_from_the_appointed_time(self) -> None:
        clock = ManualClock()
        route = Route(name="default", legs=via("a"), deadline=timedelta(minutes=5))
        config = journalled(scripted_config(route, a=ScriptedProvider()))
        with notifier_with(config, clock=clock) as notifier:
            (in_time, late) = (
                notifier.enqueue(
                    Sms(to="+79990000001", text="hi", send_at=clock.now() + timedelta(hours=hours))
                )[0]
                for hours in (2, 1)
            )

            clock.advance(2 * 3600 + 299)
            notifier.worker().work_off()

            assert notifier.get(in_time).accepted
            assert notifier.get(late).outcome == NotSent(
                "the deadline passed before it could be tried", FailureScope.WITHHELD
            )

    def test_what_comes_in_the_quiet_time_waits_for_its_end(self) -> None:
        clock = ManualClock(datetime(2030, 1, 1, 22, tzinfo=UTC))
        provider = ScriptedProvider()
        night = Route(name="default", legs=via("a"), quiet=AT_NIGHT)
        with notifier_with(journalled(scripted_config(night, a=provider)), clock=clock) as notifier:
            (delivery,) = notifier.send(Sms(to="+79990000001", text="hi"))
            (alarm,) = notifier.send(
                Sms(to="+79990000001", text="fire", priority=Priority.CRITICAL)
            )

        assert delivery.next_at == datetime(2030, 1, 2, 9, tzinfo=UTC)
        assert str(delivery) == (
            "+79…01 (route default): not sent (withheld): it was not tried yet; "
            "carried on by a worker"
        )
        assert alarm.accepted

    def test_what_would_wait_beyond_its_deadline_is_not_sent(self) -> None:
        clock = ManualClock(datetime(2030, 1, 1, 22, tzinfo=UTC))
        night = Route(name="default", legs=via("a"), quiet=AT_NIGHT, deadline=timedelta(minutes=5))
        config = journalled(scripted_config(night, a=ScriptedProvider()))
        with notifier_with(config, clock=clock) as notifier:
            (delivery,) = notifier.send(Sms(to="+79990000001", text="hi"))

        assert delivery.outcome == NotSent(
            "the deadline passes before an attempt may begin", FailureScope.WITHHELD
        )

    def test_a_journal_that_cannot_be_opened_leaves_no_provider_open(self) -> None:
        provider = ScriptedProvider()
        config = attrs.evolve(
            scripted_config(a=provider), journal=JournalConfig(url=Secret("sqlite:////no/such/x"))
        )

        with pytest.raises(JournalError):
            notifier_with(config)

        assert provider.closed


def test_the_deadline_counts_from_the_call_for_every_recipient() -> None:
    clock = ManualClock()

    def slow(*_: object) -> Outcome:
        clock.advance(8)
        return DOWN

    provider = ScriptedProvider([slow, slow, slow])
    route = Route(name="default", legs=via("a"), deadline=timedelta(seconds=8))
    notifier = notifier_with(scripted_config(route, a=provider), clock=clock)

    report = notifier.send(Sms(to=["+79990000001", "+79990000002"], text="hi"))

    assert len(provider.sent) == 1
    assert str(report.deliveries[1].outcome) == (
        "not sent (withheld): the deadline passed before it could be tried"
    )


class TestEstimate:
    """What a message would cost, asked before it is sent."""

    class Priced(ScriptedProvider):
        """Keeps the attempts that it was asked about."""

        def __init__(self) -> None:
            super().__init__()
            self.priced: list[tuple[Message, Attempt]] = []

        @hookimpl
        def notify_estimate(self, message: Message, attempt: Attempt) -> Estimate:  # type: ignore[override]
            self.priced.append((message, attempt))
            return Estimate(provider=attempt.provider, cost=Decimal(len(self.priced)))

    def test_is_asked_for_each_recipient_of_the_first_provider_of_the_first_leg(self) -> None:
        first, second = self.Priced(), self.Priced()
        legs = (
            LegConfig(via=Via(providers=("a", "b")), channel="viber"),
            LegConfig(via=Via(providers=("b",))),
        )
        config = scripted_config(Route(name="default", legs=legs), a=first, b=second)

        estimates = notifier_with(config).estimate(
            Sms(to=["+79990000001", "+79990000002"], text="hi")
        )

        assert [(each.provider, each.cost) for each in estimates] == [
            ("a", Decimal(1)),
            ("a", Decimal(2)),
        ]
        assert (len(first.sent), second.priced) == (0, [])

    def test_is_asked_with_the_message_and_the_address_as_they_would_be_sent(self) -> None:
        clock = ManualClock()
        provider = self.Priced()
        route = Route(name="default", legs=(LegConfig(via=Via(providers=("a",)), channel="viber"),))

        notifier_with(scripted_config(route, a=provider), clock=clock).estimate(
            Sms(to="+7 999 000-00-01", text="hi")
        )

        ((message, attempt),) = provider.priced
        assert (message.channel, message.body) == ("viber", "hi")
        assert attempt == Attempt(
            id=f"{attempt.delivery_id}-1-1",
            delivery_id=attempt.delivery_id,
            own_id=f"{attempt.delivery_id}-1",
            number=1,
            provider="a",
            channel="viber",
            address="+79990000001",
            address_kind="phone",
            started_at=clock.now(),
        )

    def test_is_not_asked_of_a_provider_that_is_left_alone(self) -> None:
        bad_login = NotSent("authorise error", FailureScope.ACCOUNT)
        notifier = notifier_with(scripted_config(a=ScriptedProvider([bad_login])))
        notifier.send(Sms(to="+79990000001", text="hi"))

        with pytest.raises(ProviderError, match=r"cost query: .*stopped: authorise error"):
            notifier.estimate(Sms(to="+79990000001", text="hi"))


class TestStatus:
    """Following an accepted delivery."""

    def test_a_new_status_is_told_to_listeners(self) -> None:
        listener = Listener()
        provider = ScriptedProvider(statuses=[State.SENT, State.SENT, State.DELIVERED])
        notifier = notifier_with(scripted_config(a=provider), plugins=[("listener", listener)])
        (delivery,) = notifier.send(Sms(to="+79990000001", text="hi"))

        for _ in range(3):
            delivery = notifier.fetch_status(delivery)

        states = [changed.status.state for changed in listener.changed if changed.status]
        assert states == [State.SENT, State.DELIVERED]

    def test_a_status_never_moves_backwards(self) -> None:
        told = [State.DELIVERED, State.NOT_FOUND, State.SENT, State.UNKNOWN, State.READ]
        notifier = notifier_with(scripted_config(a=ScriptedProvider(statuses=told)))
        (delivery,) = notifier.send(Sms(to="+79990000001", text="hi"))

        states = []
        for _ in told:
            delivery = notifier.fetch_status(delivery)
            states.append(delivery.status and delivery.status.state)

        assert states == [State.DELIVERED] * 4 + [State.READ]

    @pytest.mark.parametrize(
        ("state", "expected"),
        [(State.SENT, Accepted), (State.REJECTED, Refused), (State.NOT_FOUND, Unknown)],
    )
    def test_a_held_delivery_is_asked_about_too(self, state: State, expected: type) -> None:
        lost = Unknown("lost", raw={"host": "h"})
        told = Status(state=state, final=state is State.REJECTED)
        provider = ScriptedProvider([lost], statuses=[ProviderError("a", "status", DOWN), told])
        held = attrs.evolve(provider.capabilities, ask_after_s=(1.0,))
        notifier = notifier_with(scripted_config(a=with_capabilities(provider, held)))
        (delivery,) = notifier.send(Sms(to="+79990000001", text="hi"))
        assert delivery.held

        followed = notifier.fetch_status(delivery)

        assert isinstance(followed.outcome, expected)
        assert followed.status == told
        assert provider.asked[-1].raw == {"host": "h"}

    def test_a_delivery_that_was_not_accepted_has_nothing_to_ask_about(self) -> None:
        provider = ScriptedProvider([DOWN] * 3)
        notifier = notifier_with(scripted_config(a=provider))
        (delivery,) = notifier.send(Sms(to="+79990000001", text="hi"))

        assert notifier.fetch_status(delivery) == delivery
        assert provider.asked == []

    def test_a_provider_that_does_not_answer_is_an_error(self) -> None:
        provider = ScriptedProvider(statuses=[ProviderError("a", "status", DOWN)])
        notifier = notifier_with(scripted_config(a=provider))
        (delivery,) = notifier.send(Sms(to="+79990000001", text="hi"))

        with pytest.raises(ProviderError):
            notifier.fetch_status(delivery)


def with_capabilities(provider: ScriptedProvider, able: Capabilities) -> ScriptedProvider:
    provider.capabilities = able
    return provider


@pytest.mark.parametrize("question", ["check", "health", "resume", "provider"])
def test_a_provider_that_is_not_there_is_named_with_those_that_are(question: str) -> None:
    notifier = notifier_with(scripted_config(a=ScriptedProvider(), b=ScriptedProvider()))

    with pytest.raises(ConfigError, match="'scren' is not a provider here; known: a, b"):
        getattr(notifier, question)("scren")


@pytest.mark.parametrize("given", ["hello", [Sms(to="+79990000001", text="hi")]])
def test_what_is_no_message_is_told(given: Any) -> None:
    with pytest.raises(MessageError, match=r"one message is sent at a time, not (str|list)"):
        notifier_with(scripted_config(a=ScriptedProvider())).send(given)


CONFIG = """
version: 1
plugins: [shouting]
providers: {loud: {type: shouting}}
routes: [{name: default, send: {via: loud}}]
"""

ONE_FILE_PLUGIN = """
import attrs
from notify_core import Accepted, Capabilities, ProviderType, Receipt, hookimpl


@attrs.frozen
class Config:
    pass


class Shouting:
    capabilities = Capabilities(channels=frozenset({"sms"}))

    def __init__(self, config, tools):
        self.name = tools.name

    @hookimpl
    def notify_send(self, message, attempt):
        print(message.text.upper())
        return Accepted(Receipt(provider=self.name, address=attempt.address))

    def close(self):
        pass


@hookimpl
def notify_provider_types():
    return [ProviderType(
        name="shouting", config_class=Config, factory=Shouting,
        capabilities=lambda config: Shouting.capabilities,
    )]
"""


@pytest.fixture
def one_file(tmp_path: Path) -> Path:
    """A configuration with its plugin beside it."""
    (tmp_path / "shouting.py").write_text(ONE_FILE_PLUGIN)
    (tmp_path / "notify.yaml").write_text(CONFIG)
    return tmp_path / "notify.yaml"


def test_a_plugin_of_one_file_lies_beside_the_configuration(one_file: Path) -> None:
    """In a process of its own: a module that was imported stays."""
    command = ["-m", "notify_core.cli", "send", "sms", "--to", "+79990000001", "--text", "hello"]

    done = subprocess.run(
        [sys.executable, "-P", *command, "--config", str(one_file)],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )

    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "HELLO"), done.stderr


def test_a_notifier_without_plugins_loads_those_of_its_configuration() -> None:
    config = attrs.evolve(
        scripted_config(a=ScriptedProvider()), plugins=("no_such_module_for_test",)
    )

    with pytest.raises(PluginError, match="'no_such_module_for_test': cannot be imported"):
        Notifier(config)


def test_a_file_is_read_with_the_plugins_that_are_given(tmp_path: Path) -> None:
    @attrs.frozen
    class Settings:
        pass

    class Quiet:
        @hookimpl
        def notify_provider_types(self) -> list[ProviderType]:
            return [
                ProviderType(
                    name="quiet",
                    config_class=Settings,
                    capabilities=lambda _: Capabilities(channels=frozenset({"sms"})),
                    factory=lambda _settings, _tools: ScriptedProvider(),
                )
            ]

    path = tmp_path / "notify.yaml"
    path.write_text(
        "{version: 1, providers: {q: {type: quiet}}, routes: [{name: default, send: {via: q}}]}\n"
    )
    plugins = Plugins()
    plugins.register(Quiet(), "quiet")

    with Notifier.from_file(path, plugins=plugins, environ={}) as notifier:
        assert list(notifier.providers) == ["q"]


def test_reading_a_file_leaves_the_import_path_alone(tmp_path: Path) -> None:
    (tmp_path / "notify.yaml").write_text("version: 1\n")
    before = list(sys.path)

    with pytest.raises(ConfigError):
        Notifier.from_file(tmp_path / "notify.yaml", plugins=Plugins())

    assert sys.path == before


def test_a_recipient_without_the_address_of_any_leg_is_told_before_a_send() -> None:
    provider = ScriptedProvider()
    message = Sms(to=["+79990000001", Contact(email="ann@example.org")], text="hi")

    with pytest.raises(RecipientError, match="no leg reaches"):
        notifier_with(scripted_config(a=provider)).send(message)

    assert provider.sent == []
