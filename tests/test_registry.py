"""Calling one configured provider through the hooks, with everybody else's code kept apart."""

from __future__ import annotations

import logging
from collections.abc import Generator, Sequence
from decimal import Decimal

import pytest

from notify_core.delivery import Attempt
from notify_core.errors import (
    ConfigError,
    MessageError,
    PluginError,
    Problem,
    ProviderError,
    UnsupportedFeature,
)
from notify_core.hookspecs import hookimpl
from notify_core.message import Message, Sms
from notify_core.outcome import (
    Accepted,
    Account,
    Estimate,
    Outcome,
    Receipt,
    RefusalScope,
    Refused,
    State,
    Status,
    Unknown,
)
from notify_core.plugins import Plugins
from notify_core.provider import Capabilities, Provider, ProviderType
from notify_core.registry import ProviderSpec, Registry
from notify_core.testing import (
    ManualClock,
    ScriptedProvider,
    accepted,
    notifier_with,
    scripted_config,
)

MESSAGE = Sms(to="+79990000001", text="canary-text-5151")


class Tagging:
    """A wrapper that leaves a trace around every send."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    @hookimpl(wrapper=True)
    def notify_send(self, attempt: Attempt) -> Generator[None, Outcome, Outcome]:
        outcome = yield
        self.seen.append((attempt.provider, type(outcome).__name__))
        return outcome


class Answering:
    """A plugin that would answer in the provider's place."""

    @hookimpl
    def notify_send(self) -> Outcome:
        return Refused("stray", RefusalScope.CONTENT)


class FailingListener:
    @hookimpl
    def notify_attempt_finished(self, message: Message) -> None:
        raise RuntimeError(f"cannot log {message.body}")


class Listener:
    def __init__(self) -> None:
        self.finished: list[Attempt] = []

    @hookimpl
    def notify_attempt_finished(self, attempt: Attempt) -> None:
        self.finished.append(attempt)


def test_exactly_one_provider_answers() -> None:
    first, second = ScriptedProvider(), ScriptedProvider()

    notifier_with(scripted_config(a=first, b=second)).send(MESSAGE)

    assert len(first.sent) == 1
    assert second.sent == []


def test_a_wrapper_stands_around_every_provider() -> None:
    wrapper = Tagging()
    config = scripted_config(
        a=ScriptedProvider([Refused("x", RefusalScope.ACCOUNT)]), b=ScriptedProvider()
    )

    notifier_with(config, plugins=[("tagging", wrapper)]).send(MESSAGE)

    assert wrapper.seen == [("a", "Refused"), ("b", "Accepted")]


def test_a_plugin_that_would_answer_for_a_provider_is_refused() -> None:
    with pytest.raises(PluginError, match="'stray': notify_send is answered by providers"):
        notifier_with(scripted_config(a=ScriptedProvider()), plugins=[("stray", Answering())])


def test_a_listener_that_fails_disturbs_neither_the_send_nor_its_neighbours(
    caplog: pytest.LogCaptureFixture,
) -> None:
    listener = Listener()
    notifier = notifier_with(
        scripted_config(a=ScriptedProvider()),
        plugins=[("listener", listener), ("failing", FailingListener())],
    )

    report = notifier.send(MESSAGE)

    assert report.ok
    assert len(listener.finished) == 1
    lines = [record.getMessage() for record in caplog.records]
    assert lines == ["plugin failing failed in notify_attempt_finished: RuntimeError"]


def test_a_message_error_of_a_provider_is_a_refusal_of_the_content() -> None:
    provider = ScriptedProvider([MessageError("no such voice")])

    (delivery,) = notifier_with(scripted_config(a=provider)).send(MESSAGE)

    assert delivery.outcome == Refused("no such voice", RefusalScope.CONTENT)


class FailingAfterwards:
    """A wrapper that fails once the provider has answered."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    @hookimpl(wrapper=True)
    def notify_send(self) -> Generator[None, Outcome, Outcome]:
        yield
        raise self._error


@pytest.mark.parametrize("error", [MessageError("x"), UnsupportedFeature("x"), RuntimeError("x")])
def test_a_wrapper_that_fails_after_the_answer_leaves_it_unknown(error: Exception) -> None:
    """The message has gone: no provider may get it again, and no report may call it refused."""
    second = ScriptedProvider()
    mute = ScriptedProvider(capabilities=Capabilities(channels=frozenset({"sms"})))
    plugins = [("failing", FailingAfterwards(error))]

    (delivery,) = notifier_with(scripted_config(a=mute, b=second), plugins=plugins).send(MESSAGE)

    assert delivery.held
    assert (len(mute.sent), second.sent) == (1, [])


class Within:
    @hookimpl(wrapper=True, trylast=True)
    def notify_send(self) -> Generator[None, Outcome, Outcome]:
        return (yield)


class WrappingAnEvent:
    @hookimpl(wrapper=True)
    def notify_before_send(self) -> Generator[None, None, None]:
        return (yield)


@pytest.mark.parametrize(
    ("plugin", "words"),
    [
        (Within(), "no wrapper stands within the core's; drop trylast"),
        (WrappingAnEvent(), "tells listeners one by one; drop wrapper=True"),
    ],
)
def test_a_hook_that_could_not_do_what_it_means_to_is_refused(plugin: object, words: str) -> None:
    with pytest.raises(PluginError, match=words):
        notifier_with(scripted_config(a=ScriptedProvider()), plugins=[("misfit", plugin)])


def test_a_provider_may_call_itself_the_last() -> None:
    """It is alone in answering: the order says nothing."""

    class Last(ScriptedProvider):
        @hookimpl(trylast=True)
        def notify_send(self, attempt: Attempt) -> Outcome:  # type: ignore[override]
            return accepted(attempt)

    assert notifier_with(scripted_config(a=Last())).send(MESSAGE).ok


class TestPluginsOfANotifier:
    """A set of plugins belongs to one notifier, so that nobody answers in another's place."""

    SPEC = ProviderSpec(
        name="a",
        type=ProviderType(
            name="scripted",
            config_class=dict,
            capabilities=lambda _: Capabilities(channels=frozenset()),
            factory=lambda _settings, _tools: ScriptedProvider(),
        ),
        settings=None,
    )

    def test_a_second_notifier_cannot_have_them(self) -> None:
        plugins = Plugins()
        Registry(plugins, [self.SPEC], ManualClock())

        with pytest.raises(PluginError, match="these plugins belong to another notifier"):
            Registry(plugins, [self.SPEC], ManualClock())

        assert plugins.manager.has_plugin("provider:a")

    def test_a_plugin_cannot_be_added_to_them(self) -> None:
        plugins = Plugins()
        Registry(plugins, [self.SPEC], ManualClock())

        with pytest.raises(PluginError, match="comes too late"):
            plugins.register(Listener(), "late")

    def test_they_are_free_again_when_it_is_closed(self) -> None:
        plugins = Plugins()
        Registry(plugins, [self.SPEC], ManualClock()).close()

        assert Registry(plugins, [self.SPEC], ManualClock()).capabilities.keys() == {"a"}

    def test_they_are_free_again_when_it_could_not_be_made(self) -> None:
        plugins = Plugins()
        plugins.register(Answering(), "stray")
        with pytest.raises(PluginError):
            Registry(plugins, [self.SPEC], ManualClock())

        assert not plugins.manager.has_plugin("provider:a")


def test_a_provider_that_cannot_be_closed_does_not_keep_the_others_open(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Stuck(ScriptedProvider):
        def close(self) -> None:
            raise RuntimeError("canary")

    second = ScriptedProvider()

    notifier_with(scripted_config(a=Stuck(), b=second)).close()

    assert second.closed
    assert [record.getMessage() for record in caplog.records] == [
        "provider a failed to close: RuntimeError"
    ]


def test_what_one_provider_cannot_express_is_left_to_the_next() -> None:
    first = ScriptedProvider([UnsupportedFeature("no pictures")])

    (delivery,) = notifier_with(scripted_config(a=first, b=ScriptedProvider())).send(MESSAGE)

    assert delivery.attempts[0].outcome == Refused("no pictures", RefusalScope.ACCOUNT)
    assert delivery.provider == "b"


@pytest.mark.parametrize("answer", ["yes", True, object()], ids=lambda value: type(value).__name__)
def test_an_answer_that_is_no_outcome_is_unknown(answer: object) -> None:
    provider = ScriptedProvider([lambda _message, _attempt: answer])  # type: ignore[list-item, return-value]

    (delivery,) = notifier_with(scripted_config(a=provider)).send(MESSAGE)

    assert isinstance(delivery.attempts[0].answer, Unknown)


def test_an_exception_of_a_plugin_is_logged_without_its_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    provider = ScriptedProvider([RuntimeError("canary-secret-7272")])

    report = notifier_with(scripted_config(a=provider)).send(MESSAGE)

    assert "provider a failed in notify_send: RuntimeError" in caplog.messages
    assert "canary" not in caplog.text
    assert "canary" not in f"{report!r}{report}{report.deliveries[0].attempts}"


class TestQuestions:
    """Status, cost and account: an answer or a ``ProviderError``."""

    def test_a_status_comes_back_for_each_receipt_in_order(self) -> None:
        provider = ScriptedProvider(statuses=[State.SENT, State.DELIVERED])
        notifier = notifier_with(scripted_config(a=provider))
        receipts = [Receipt(provider="a", address="x"), Receipt(provider="a", address="y")]

        statuses = notifier.query_status("a", receipts)

        assert [status.state for status in statuses] == [State.SENT, State.DELIVERED]

    def test_an_account_comes_back(self) -> None:
        account = Account(provider="a")

        assert (
            notifier_with(scripted_config(a=ScriptedProvider(account=account))).check("a")
            == account
        )

    def test_a_provider_that_cannot_answer_says_so(self) -> None:
        with pytest.raises(ProviderError, match="account query: unknown: the plugin of a cannot"):
            notifier_with(scripted_config(a=ScriptedProvider())).check("a")

    def test_an_exception_of_the_plugin_is_translated_without_its_words(self) -> None:
        provider = ScriptedProvider(account=RuntimeError("canary-secret"))

        with pytest.raises(ProviderError) as caught:
            notifier_with(scripted_config(a=provider)).check("a")

        assert "RuntimeError" in str(caught.value)
        assert "canary" not in str(caught.value)

    @pytest.mark.parametrize("error", [MessageError("canary"), ValueError("canary")])
    def test_no_error_of_a_plugin_hangs_on_the_one_that_is_raised(self, error: Exception) -> None:
        provider = ScriptedProvider(statuses=[error])

        with pytest.raises(ProviderError) as caught:
            notifier_with(scripted_config(a=provider)).query_status(
                "a", [Receipt(provider="a", address="x")]
            )

        assert caught.value.__context__ is None
        assert caught.value.__cause__ is None

    def test_an_account_that_is_none_is_no_answer(self) -> None:
        with pytest.raises(ProviderError, match=r"account query: .*answered str"):
            notifier_with(scripted_config(a=Chatty())).check("a")

    def test_an_estimate_that_is_none_is_no_answer(self) -> None:
        with pytest.raises(ProviderError, match=r"cost query: .*answered str"):
            notifier_with(scripted_config(a=Chatty())).estimate(MESSAGE)

    def test_an_estimate_comes_back(self) -> None:
        estimate = Estimate(provider="a", cost=Decimal("0.10"))
        notifier = notifier_with(scripted_config(a=ScriptedProvider(estimate=estimate)))

        assert notifier.estimate(MESSAGE) == [estimate]

    def test_an_estimate_may_find_the_message_wrong(self) -> None:
        wrong = ScriptedProvider(estimate=MessageError("no such voice"))

        with pytest.raises(MessageError, match="no such voice"):
            notifier_with(scripted_config(a=wrong)).estimate(MESSAGE)

    def test_a_status_that_is_none_is_no_answer(self) -> None:
        with pytest.raises(ProviderError, match="answered str for a status"):
            notifier_with(scripted_config(a=Chatty())).query_status(
                "a", [Receipt(provider="a", address="x")]
            )

    def test_too_few_statuses_are_no_answer(self) -> None:
        with pytest.raises(ProviderError, match="answered list for 1"):
            notifier_with(scripted_config(a=Forgetful())).query_status(
                "a", [Receipt(provider="a", address="x")]
            )


class Chatty(ScriptedProvider):
    @hookimpl
    def notify_fetch_status(self) -> Sequence[Status]:  # type: ignore[override]
        return ["delivered"]  # type: ignore[list-item]

    @hookimpl
    def notify_check(self) -> Account:
        return "works"  # type: ignore[return-value]

    @hookimpl
    def notify_estimate(self) -> Estimate:
        return "cheap"  # type: ignore[return-value]


class Forgetful(ScriptedProvider):
    @hookimpl
    def notify_fetch_status(self) -> Sequence[Status]:  # type: ignore[override]
        return []


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (FileNotFoundError(2, "No such file", "ca.pem"), "No such file: ca.pem"),
        (OSError("canary"), "OSError"),
        (RuntimeError("canary"), "its plugin failed with RuntimeError"),
    ],
    ids=repr,
)
def test_a_provider_that_cannot_be_made_is_a_mistake_of_the_configuration(
    error: Exception, words: str
) -> None:
    def missing(*_: object) -> Provider:
        raise error

    broken = ProviderType(
        name="broken",
        config_class=dict,
        capabilities=lambda _: Capabilities(channels=frozenset()),
        factory=missing,
    )
    spec = ProviderSpec(name="a", type=broken, settings={})

    with pytest.raises(ConfigError) as caught:
        Registry(Plugins(), [spec], ManualClock())

    assert caught.value.problems == (Problem("configuration", 0, 0, "providers.a", words),)


def test_a_provider_that_takes_no_id_of_ours_cannot_be_asked_by_one() -> None:
    with pytest.raises(ValueError, match="ask_after_s: it cannot be asked by an id"):
        Capabilities(channels=frozenset({"sms"}), ask_after_s=(1.0,))


class Unmarked:
    """A provider whose author forgot ``@hookimpl``."""

    capabilities = Capabilities(channels=frozenset({"sms"}))

    def notify_send(self) -> Outcome:
        return Refused("never called", RefusalScope.CONTENT)

    def close(self) -> None: ...


class WithoutSend:
    capabilities = Capabilities(channels=frozenset({"sms"}))

    def close(self) -> None: ...


class WithoutCapabilities:
    @hookimpl
    def notify_send(self) -> Outcome:
        return Refused("never called", RefusalScope.CONTENT)

    def close(self) -> None: ...


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (Unmarked, "notify_send is not marked with @hookimpl, so it would not be called"),
        (WithoutSend, "it has no notify_send marked with @hookimpl"),
        (WithoutCapabilities, "its attribute `capabilities` is no Capabilities"),
    ],
)
def test_a_provider_that_could_never_send_is_refused_when_it_is_made(
    made: type, words: str
) -> None:
    broken = ProviderType(
        name="broken",
        config_class=dict,
        capabilities=lambda _: Capabilities(channels=frozenset()),
        factory=lambda _settings, _tools: made(),
    )

    with pytest.raises(PluginError, match=words):
        Registry(Plugins(), [ProviderSpec(name="a", type=broken, settings={})], ManualClock())


def test_one_text_is_no_set_of_channels() -> None:
    with pytest.raises(ValueError, match="channels: 'sms' is one text"):
        Capabilities(channels="sms")


def test_closing_the_notifier_closes_every_provider() -> None:
    first, second = ScriptedProvider(), ScriptedProvider()

    with notifier_with(scripted_config(a=first, b=second)):
        pass

    assert (first.closed, second.closed) == (True, True)


def test_an_accepted_delivery_can_be_followed_by_its_status() -> None:
    provider = ScriptedProvider(statuses=[State.DELIVERED])
    notifier = notifier_with(scripted_config(a=provider))
    (delivery,) = notifier.send(MESSAGE)
    assert isinstance(delivery.outcome, Accepted)

    followed = notifier.fetch_status(delivery)

    assert followed.status == Status(state=State.DELIVERED)
