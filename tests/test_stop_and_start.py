"""Who says stop is stopped, and only a start that was certainly said later takes it back.

The provider here is one of the hardest kind: asked, it names each message by an id and tells no
times; its calls tell neither, so that anybody who has overheard one can send it again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import attrs
import pytest

from notify_core import (
    Capabilities,
    Delivery,
    FailureScope,
    Notifier,
    NotSent,
    ProviderError,
    ReceiptKind,
    Secret,
    hookimpl,
)
from notify_core.callback import Incoming, IncomingPage, Trust
from notify_core.config.model import JournalConfig, TextAtRest
from notify_core.config.sections import IncomingConfig
from notify_core.journal.model import Part
from notify_core.suppression import Source
from notify_core.testing import ManualClock, ScriptedProvider, notifier_with, scripted_config
from notify_core.testing.provider import EVERY_CHANNEL

SENDER = "+79991234567"
MINUTE = timedelta(minutes=1)
HOUR_S = 3600
ABLE = Capabilities(channels=EVERY_CHANNEL, own_id=True, incoming=frozenset({ReceiptKind.POLL}))
DOWN = ProviderError("a", "incoming", NotSent("out of reach", FailureScope.PROVIDER))


def message(text: str, provider_id: str | None = None) -> Incoming:
    return Incoming(
        provider="a", sender=SENDER, text=text, provider_id=provider_id, trust=Trust.PROVEN
    )


class Gateway(ScriptedProvider):
    """Names what came in, at most ``most`` at a time, unless it ``is_down``."""

    def __init__(self) -> None:
        super().__init__(capabilities=ABLE)
        self.messages: list[Incoming] = []
        self.most = 100
        self.is_down = False

    @hookimpl
    def notify_fetch_incoming(self, after: str | None) -> IncomingPage:
        if self.is_down:
            raise DOWN
        last = int(after or 0)
        page = self.messages[last : last + self.most]
        end = last + len(page)
        return IncomingPage(messages=page, after=str(end), more=end < len(self.messages))


@attrs.define
class Story:
    """Somebody who writes, a provider that tells of it, and a notifier that is told."""

    notifier: Notifier
    gateway: Gateway
    clock: ManualClock

    def say(self, text: str, *, is_called: bool = True) -> None:
        """Have the provider take a message, and perhaps call."""
        self.gateway.messages.append(message(text, str(len(self.gateway.messages) + 1)))
        if is_called:
            self.call(text)

    def call(self, text: str) -> None:
        """Call, as the provider does, or whoever has overheard it."""
        self.notifier.inbox.take(message(text))
        self.work()

    def hint(self) -> None:
        """Call without a signature, as anybody can."""
        self.notifier.inbox.take(attrs.evolve(message("anything"), trust=Trust.HINT))
        self.work()

    def later(self, seconds: float = HOUR_S) -> None:
        self.clock.advance(seconds)
        self.work()

    def work(self) -> None:
        self.notifier.worker().work_off()

    @property
    def is_stopped(self) -> bool:
        return bool(self.notifier.suppressions.state(SENDER))


class Stories:
    """Makes them, and closes what they use."""

    def __init__(self) -> None:
        self.stack = ExitStack()

    def new(self, *, poll: timedelta | None = None, text: TextAtRest = TextAtRest.KEEP) -> Story:
        gateway, clock = Gateway(), ManualClock()
        config = attrs.evolve(
            scripted_config(a=gateway),
            journal=JournalConfig(url=Secret("memory:"), text=text, lease=MINUTE),
            incoming=IncomingConfig(poll={} if poll is None else {"a": poll}),
        )
        notifier = self.stack.enter_context(notifier_with(config, clock=clock))
        return Story(notifier, gateway, clock)


@pytest.fixture
def stories() -> Iterator[Stories]:
    made = Stories()
    with made.stack:
        yield made


@pytest.fixture
def story(stories: Stories) -> Story:
    return stories.new()


@pytest.mark.parametrize("text", [TextAtRest.KEEP, TextAtRest.NEVER])
@pytest.mark.parametrize("poll", [None, MINUTE])
@pytest.mark.parametrize("is_called", [True, False])
def test_who_says_start_after_a_stop_is_written_to_again(
    stories: Stories, text: TextAtRest, poll: timedelta | None, is_called: bool
) -> None:
    """By whatever way the words are learned, and as often as somebody changes his mind."""
    story = stories.new(poll=poll, text=text)

    for _ in range(2):
        story.say("stop", is_called=is_called)
        story.hint()
        story.later(20)
        assert story.is_stopped
        story.later()
        story.say("start", is_called=is_called)
        story.hint()
        story.later(20)
        assert not story.is_stopped
        story.later()


@pytest.mark.parametrize("poll", [None, MINUTE])
@pytest.mark.parametrize("text", [TextAtRest.KEEP, TextAtRest.NEVER])
def test_a_start_that_somebody_sends_again_takes_nothing_back(
    stories: Stories, text: TextAtRest, poll: timedelta | None
) -> None:
    """Whether the journal has kept what was said or not."""
    story = stories.new(poll=poll, text=text)
    story.say("start")
    story.later()
    story.say("stop")
    story.later()

    story.call("start")
    story.later()

    assert story.is_stopped


def test_a_start_of_which_nothing_is_kept_takes_nothing_back(story: Story) -> None:
    """Nor when the journal has forgotten that it has ever been said."""
    story.say("start")
    story.later()
    story.say("stop")
    story.notifier.journal.purge(Part.ROWS, datetime(2100, 1, 1, tzinfo=UTC))
    story.later()

    story.call("start")

    assert story.is_stopped


@pytest.mark.parametrize("poll", [None, MINUTE])
def test_a_start_whose_call_was_lost_takes_no_later_stop_back(
    stories: Stories, poll: timedelta | None
) -> None:
    """It is learned long after the stop, by a question that anybody can bring about."""
    story = stories.new(poll=poll)
    story.say("start", is_called=False)
    story.say("stop")
    story.later()

    story.hint()

    assert story.is_stopped


def test_a_start_is_heard_in_the_order_of_its_page_even_when_it_is_told_again(
    story: Story,
) -> None:
    """Whoever tells it dies; it is told once more when the stop has been heard."""
    dying = [KeyboardInterrupt()]

    @story.notifier.inbox.on_message
    def handler(_incoming: Incoming, _delivery: Delivery | None) -> None:
        if dying:
            raise dying.pop()

    story.hint()
    story.clock.advance(HOUR_S)
    story.say("start", is_called=False)
    story.say("stop", is_called=False)
    with pytest.raises(KeyboardInterrupt):
        story.hint()
    story.work()
    assert story.is_stopped

    story.later(MINUTE.total_seconds())

    assert story.is_stopped
    assert [each.tries for each in story.notifier.inbox.search()] == [1, 2]


def test_a_start_takes_nothing_back_that_was_said_since_the_last_question(story: Story) -> None:
    """It may have been said before that. Said again, it counts."""
    story.hint()
    story.later()
    story.notifier.suppressions.add(SENDER, source=Source.PERSON, reason="a form")
    story.later()

    story.say("start")
    assert story.is_stopped
    story.later()
    story.say("start")

    assert not story.is_stopped


def test_a_question_without_an_answer_is_no_last_question(stories: Stories) -> None:
    """What was said before it had still to be told."""
    story = stories.new(poll=MINUTE)
    story.work()
    story.gateway.is_down = True
    story.clock.advance(30)
    story.say("start", is_called=False)
    story.notifier.suppressions.add(SENDER, source=Source.PERSON, reason="a form")
    story.later(60)

    story.gateway.is_down = False
    story.later(HOUR_S)

    assert [each.incoming.text for each in story.notifier.inbox.search()] == ["start"]
    assert story.is_stopped


def test_a_question_that_was_not_told_all_is_no_last_question(stories: Stories) -> None:
    """What it left out was said before it."""
    story = stories.new(poll=MINUTE)
    story.work()
    story.clock.advance(30)
    story.gateway.most = 1
    story.say("hello", is_called=False)
    story.say("start", is_called=False)
    story.notifier.suppressions.add(SENDER, source=Source.PERSON, reason="a form")
    story.later(30)
    assert len(story.notifier.inbox.search()) == 1

    story.later(20)

    assert len(story.notifier.inbox.search()) == 2
    assert story.is_stopped


@pytest.mark.parametrize("text", [TextAtRest.KEEP, TextAtRest.NEVER])
def test_a_stop_counts_at_once_though_the_provider_does_not_answer(
    stories: Stories, text: TextAtRest
) -> None:
    """A call that is not believed otherwise may always stop."""
    story = stories.new(text=text)
    story.gateway.is_down = True
    story.call("stop")
    story.notifier.suppressions.remove(SENDER)
    story.later()

    story.notifier.inbox.take(message("stop"))

    assert story.is_stopped


def test_a_journal_without_texts_hears_a_message_once_however_often_it_is_told(
    stories: Stories,
) -> None:
    """By calls, which it cannot compare, and by asking."""
    story = stories.new(text=TextAtRest.NEVER)
    heard: list[str] = []
    story.notifier.inbox.on_message(lambda incoming, _: heard.append(incoming.text))

    story.say("hello")
    for _ in range(3):
        story.call("hello")
        story.later(60)

    assert heard == ["hello"]
