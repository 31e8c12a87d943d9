"""What people send reaches the application: by calls and by asking, once, and after failures."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest

from notify_core import (
    Capabilities,
    Delivery,
    FailureScope,
    JournalError,
    Notifier,
    NotSent,
    ProviderError,
    ReceiptKind,
    Secret,
    Sms,
    hookimpl,
)
from notify_core.callback import Incoming, IncomingKind, IncomingPage, Trust
from notify_core.config.model import JournalConfig, TextAtRest
from notify_core.config.sections import IncomingConfig
from notify_core.errors import ConfigError
from notify_core.inbox import Received, Standing
from notify_core.inbox.handlers import first_word
from notify_core.journal.enlist import Executor
from notify_core.journal.model import Part
from notify_core.testing import ManualClock, ScriptedProvider, notifier_with, scripted_config
from notify_core.testing.provider import EVERY_CHANNEL, IncomingAnswer

SENDER = "+79991234567"
PAUSE = timedelta(seconds=30)
LEASE = timedelta(seconds=60)
ASKS_NOBODY = IncomingConfig()
ABLE = Capabilities(channels=EVERY_CHANNEL, own_id=True, incoming=frozenset({ReceiptKind.POLL}))
DOWN = ProviderError("a", "incoming", NotSent("out of reach", FailureScope.PROVIDER))


def message(text: str = "yes", **more: Any) -> Incoming:
    facts = {"provider": "a", "sender": SENDER, "to": "1234", "trust": Trust.PROVEN}
    return Incoming(text=text, **facts | more)


def asked(*answers: IncomingAnswer) -> ScriptedProvider:
    """A provider that can be asked, and what it answers."""
    return ScriptedProvider(capabilities=ABLE, incoming=answers)


def page(*ids: int, more: bool = False) -> IncomingPage:
    """A page of messages with these ids; the cursor is the last of them."""
    told = tuple(message(f"text {each}", provider_id=str(each)) for each in ids)
    return IncomingPage(messages=told, after=str(ids[-1]) if ids else None, more=more)


class World:
    """Notifiers on one journal: each is as another process."""

    def __init__(self, url: str, file: Path | None = None) -> None:
        self.clock = ManualClock()
        self.file = str(file)
        self._url = url
        self._stack = ExitStack()

    def notifier(
        self,
        *plugins: tuple[str, object],
        incoming: IncomingConfig = ASKS_NOBODY,
        text: TextAtRest = TextAtRest.KEEP,
        **providers: ScriptedProvider,
    ) -> Notifier:
        journal = JournalConfig(url=Secret(self._url), lease=LEASE, text=text)
        config = scripted_config(**providers or {"a": ScriptedProvider()})
        config = attrs.evolve(config, journal=journal, incoming=incoming)
        made = notifier_with(config, plugins=plugins, clock=self.clock)
        return self._stack.enter_context(made)

    def close(self) -> None:
        self._stack.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(f"sqlite:///{tmp_path / 'notify.db'}", file=tmp_path / "notify.db")
    yield made
    made.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def any_world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """The same on each of the databases."""
    on_file = request.param == "sqlite"
    made = World(
        f"sqlite:///{tmp_path / 'notify.db'}"
        if on_file
        else request.getfixturevalue("postgres_url")
    )
    yield made
    made.close()


@attrs.define
class Heard:
    """A handler that keeps what it is told, and raises what it is given to raise."""

    raises: list[BaseException] = attrs.field(factory=list)
    texts: list[str] = attrs.field(factory=list)
    deliveries: list[Delivery | None] = attrs.field(factory=list)

    def __call__(self, incoming: Incoming, delivery: Delivery | None) -> None:
        self.texts.append(incoming.text)
        self.deliveries.append(delivery)
        if self.raises:
            raise self.raises.pop(0)


def listening(notifier: Notifier, *raises: BaseException, **filters: Any) -> Heard:
    heard = Heard(raises=list(raises))
    notifier.inbox.on_message(**filters)(heard)
    return heard


def work(notifier: Notifier) -> int:
    """Do all that is due now."""
    return notifier.worker().work_off()


def only(notifier: Notifier) -> Received:
    (found,) = notifier.inbox.search()
    return found


def standings(notifier: Notifier) -> Sequence[Standing]:
    return [each.standing for each in notifier.inbox.search()]


# --- once -----------------------------------------------------------------------------------


def test_a_proven_message_reaches_plugins_and_handlers_once(any_world: World) -> None:
    """However often it is told."""
    told: list[str] = []

    class Listener:
        @hookimpl
        def notify_message_received(self, incoming: Incoming) -> None:
            told.append(incoming.text)

    notifier = any_world.notifier(("listener", Listener()))
    heard = listening(notifier)

    for _ in range(3):
        notifier.inbox.take(message())
        work(notifier)

    assert (told, heard.texts) == (["yes"], ["yes"])
    assert standings(notifier) == [Standing.TOLD]


def test_by_a_call_and_by_asking_it_is_told_once(world: World) -> None:
    """The call comes first; the id comes with the answer."""
    found = message(provider_id="7", received_at=world.clock.now())
    notifier = world.notifier(a=asked([found]), incoming=IncomingConfig(poll={"a": PAUSE}))
    heard = listening(notifier)

    notifier.inbox.take(message())
    work(notifier)

    assert heard.texts == ["yes"]
    assert only(notifier).incoming.provider_id == "7"


def test_a_call_that_waited_counts_from_when_it_was_told(world: World) -> None:
    """A worker that was down for hours must not make two messages of one."""
    received_at = world.clock.now()
    notifier = world.notifier()

    notifier.inbox.take(message(provider_id="7", received_at=received_at))
    world.clock.advance(36_000)
    notifier.inbox.take(message(), told_at=received_at)

    assert len(notifier.inbox.search()) == 1


def test_a_hint_is_never_kept_and_has_the_provider_asked(world: World) -> None:
    """Anybody can have made it up; what the provider says is what counts."""
    provider = asked(page(1))
    notifier = world.notifier(a=provider)
    heard = listening(notifier)

    notifier.inbox.take(message("made up", trust=Trust.HINT))
    assert notifier.inbox.search() == []
    work(notifier)

    assert heard.texts == ["text 1"]
    assert provider.asked_behind == [None]


def test_many_hints_make_few_questions(world: World) -> None:
    """The gateway allows three equal questions a minute."""
    provider = asked()
    notifier = world.notifier(a=provider)

    for _ in range(60):
        notifier.inbox.take(message(trust=Trust.HINT))
        work(notifier)
        world.clock.advance(1)

    assert len(provider.asked_behind) == 3


def test_a_hint_of_who_cannot_be_asked_is_dropped(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """It leaves one line in the log, without a word of it."""
    notifier = world.notifier()

    for provider in ("a", "unknown"):
        notifier.inbox.take(message("made up", provider=provider, trust=Trust.HINT))
    work(notifier)

    assert notifier.inbox.search() == []
    assert len(caplog.records) == 2
    assert "made up" not in caplog.text
    assert SENDER not in caplog.text


def test_what_is_written_beside_is_written_once_with_it(world: World) -> None:
    """In one transaction: what fails beside it leaves it unkept, to be told again."""
    notifier = world.notifier()
    beside: list[tuple[str, str | None]] = []
    full = [JournalError("the disk is full")]

    def companion(_: Executor, received_id: str, incoming: Incoming, __: str | None) -> None:
        if full:
            raise full.pop()
        beside.append((received_id, incoming.text))

    notifier.inbox.accompany(companion)
    with pytest.raises(JournalError):
        notifier.inbox.take(message())
    assert notifier.inbox.search() == []
    notifier.inbox.take(message())
    notifier.inbox.take(message())

    assert beside == [(only(notifier).id, "yes")]


# --- what it answers ------------------------------------------------------------------------


def sent(notifier: Notifier, text: str = "Are you coming?", to: str = SENDER) -> str:
    (delivery,) = notifier.send(Sms(to=to, text=text))
    return delivery.id


def test_a_message_answers_the_last_delivery_to_its_sender(any_world: World) -> None:
    """The handler is told which; a number is the same with and without its plus."""
    notifier = any_world.notifier()
    heard = listening(notifier)
    sent(notifier)
    any_world.clock.advance(60)
    last = sent(notifier)
    sent(notifier, to="+79991234568")
    any_world.clock.advance(60)

    notifier.inbox.take(message(sender=SENDER.removeprefix("+")))
    work(notifier)

    assert [last] == [each.id for each in heard.deliveries if each]
    assert only(notifier).delivery_id == last
    assert only(notifier).incoming.sender == SENDER


def test_a_delivery_by_the_same_provider_is_preferred(world: World) -> None:
    """It is the number of that provider which was answered."""
    first = world.notifier(a=ScriptedProvider())
    mine = sent(first)
    other = world.notifier(b=ScriptedProvider(), a=ScriptedProvider())
    world.clock.advance(60)
    latest = sent(other)
    world.clock.advance(60)

    other.inbox.take(message(provider="a"))
    other.inbox.take(message(provider="c"))

    assert {each.incoming.provider: each.delivery_id for each in other.inbox.search()} == {
        "a": mine,
        "c": latest,
    }


def test_nothing_is_answered_that_is_too_old_or_went_later(world: World) -> None:
    """Within ``incoming.answers``; what was sent after the message is no question to it."""
    notifier = world.notifier(incoming=IncomingConfig(answers=timedelta(hours=1)))
    before = world.clock.now()
    world.clock.advance(7200)
    sent(notifier)
    world.clock.advance(7200)

    notifier.inbox.take(message("late", provider_id="1"))
    notifier.inbox.take(message("early", provider_id="2", received_at=before))

    assert [each.delivery_id for each in notifier.inbox.search()] == [None, None]


def test_what_did_not_go_is_not_answered(world: World) -> None:
    """A delivery that was refused, or is in doubt, asks nobody anything."""
    notifier = world.notifier(a=ScriptedProvider([NotSent("down", FailureScope.ACCOUNT)]))
    sent(notifier)

    notifier.inbox.take(message())

    assert only(notifier).delivery_id is None


def damage(world: World, delivery_id: str) -> None:
    with closing(sqlite3.connect(world.file)) as connection, connection:
        statement = "UPDATE notify_deliveries SET plan = '{}' WHERE id = ?"
        connection.execute(statement, (delivery_id,))


def test_a_damaged_delivery_is_not_answered(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """It leaves one line in the log; the page is kept, and the delivery before it is answered."""
    notifier, _, heard = polling(world, page(1))
    good = sent(notifier)
    world.clock.advance(60)
    bad = sent(notifier)
    damage(world, bad)
    world.clock.advance(60)

    work(notifier)

    assert heard.texts == ["text 1"]
    assert only(notifier).delivery_id == good
    assert [record.message for record in caplog.records if bad in record.message] == [
        f"delivery {bad} is answered by nothing: "
        f"delivery {bad} cannot be understood: KeyError: 'mode'"
    ]


def test_a_message_that_answers_what_is_damaged_since_is_told_all_the_same(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """As one that answers nothing."""
    notifier = world.notifier()
    heard = listening(notifier)
    asked_about = sent(notifier)
    notifier.inbox.take(message())
    damage(world, asked_about)

    work(notifier)

    assert (heard.texts, heard.deliveries) == (["yes"], [None])
    assert f"delivery {asked_about} cannot be understood" in caplog.text


# --- asking ---------------------------------------------------------------------------------


def polling(world: World, *answers: IncomingAnswer) -> tuple[Notifier, ScriptedProvider, Heard]:
    provider = asked(*answers)
    notifier = world.notifier(a=provider, incoming=IncomingConfig(poll={"a": PAUSE}))
    return notifier, provider, listening(notifier)


def test_a_provider_is_asked_behind_what_it_has_told(any_world: World) -> None:
    """After the pause; what was told before is known."""
    notifier, provider, heard = polling(any_world, page(1, 2), page(3, 4))

    work(notifier)
    any_world.clock.advance(PAUSE.total_seconds() - 1)
    work(notifier)
    assert provider.asked_behind == [None]
    any_world.clock.advance(1)
    work(notifier)

    assert provider.asked_behind == [None, "2"]
    assert heard.texts == [f"text {number}" for number in (1, 2, 3, 4)]


def test_what_a_provider_has_more_of_is_asked_for_after_the_least_pause(world: World) -> None:
    """However long the pause of the configuration is, and however much there is."""
    provider = asked(page(1, 2, more=True), page(3, 4, more=True), page(5))
    notifier = world.notifier(a=provider, incoming=IncomingConfig(poll={"a": timedelta(days=1)}))
    heard = listening(notifier)

    work(notifier)
    assert provider.asked_behind == [None]
    for seconds in (19, 1, 19, 1, 60):
        world.clock.advance(seconds)
        work(notifier)

    assert provider.asked_behind == [None, "2", "4"]
    assert heard.texts == [f"text {number}" for number in (1, 2, 3, 4, 5)]


def test_the_cursor_survives_the_process(world: World) -> None:
    """Another one goes on where it was."""
    work(polling(world, page(1))[0])
    world.clock.advance(PAUSE.total_seconds())
    notifier, provider, heard = polling(world, page(1, 2))

    work(notifier)

    assert provider.asked_behind == ["1"]
    assert heard.texts == ["text 2"]


def test_a_page_that_gets_no_further_is_not_asked_for_for_ever(world: World) -> None:
    """Though it says there is more: it is asked after its pause, like any other."""
    stuck = IncomingPage(messages=(), after=None, more=True)
    notifier, provider, _ = polling(world, stuck, stuck, stuck)

    work(notifier)
    world.clock.advance(PAUSE.total_seconds() - 1)
    work(notifier)

    assert len(provider.asked_behind) == 1


def test_what_a_provider_tells_when_asked_needs_no_other_proof(world: World) -> None:
    """And is kept under the name that it has in this configuration."""
    notifier, _, heard = polling(world, [message(trust=Trust.HINT, provider="elsewhere")])

    work(notifier)

    assert heard.texts == ["yes"]
    assert only(notifier).incoming.provider == "a"


def test_a_provider_that_does_not_answer_is_asked_again_after_the_pause(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """The cursor stays, and the others are asked all the same."""
    other = asked(page(7))
    provider = asked(DOWN, page(1))
    config = IncomingConfig(poll={"a": PAUSE, "b": PAUSE})
    notifier = world.notifier(a=provider, b=other, incoming=config)
    heard = listening(notifier)

    work(notifier)
    assert heard.texts == ["text 7"]
    assert "out of reach" in caplog.text
    world.clock.advance(PAUSE.total_seconds())
    work(notifier)

    assert provider.asked_behind == [None, None]
    assert heard.texts == ["text 7", "text 1"]


def test_a_question_that_died_with_its_process_is_asked_by_another(world: World) -> None:
    """When the lease of the cursor has ended; until then nobody asks."""

    class Dies(ScriptedProvider):
        @hookimpl
        def notify_fetch_incoming(self) -> IncomingPage:  # type: ignore[override]
            raise KeyboardInterrupt

    dying = world.notifier(a=Dies(capabilities=ABLE), incoming=IncomingConfig(poll={"a": PAUSE}))
    with pytest.raises(KeyboardInterrupt):
        work(dying)
    notifier, provider, heard = polling(world, page(1))

    work(notifier)
    assert provider.asked_behind == []
    world.clock.advance(LEASE.total_seconds())
    work(notifier)

    assert heard.texts == ["text 1"]


def test_the_next_question_is_when_a_worker_must_wake(world: World) -> None:
    notifier, _, _ = polling(world)
    work(notifier)

    (due,) = {each.next_due() for each in notifier.inbox.chores() if each.next_due() is not None}

    assert due == world.clock.now() + PAUSE


def test_nobody_else_has_to_be_asked(world: World) -> None:
    """A provider that cannot be is refused where it is configured, and where it is asked."""
    able = {"a": asked(), "b": ScriptedProvider()}
    with pytest.raises(ConfigError, match=r'"b" cannot be asked .* these can: a'):
        world.notifier(incoming=IncomingConfig(poll={"b": PAUSE}), **able)
    with pytest.raises(ConfigError, match='"b" cannot be asked'):
        world.notifier(**able).inbox.ask("b")


def test_asking_by_hand_returns_how_much_is_new(world: World) -> None:
    """None if it was asked a moment ago, though there be more."""
    notifier = world.notifier(a=asked(page(1, 2, more=True), page(2, 3), DOWN))

    assert notifier.inbox.ask("a") == 2
    assert notifier.inbox.ask("a") is None
    world.clock.advance(20)
    assert notifier.inbox.ask("a") == 1
    world.clock.advance(20)
    with pytest.raises(ProviderError):
        notifier.inbox.ask("a")
    assert notifier.inbox.askable == ["a"]


# --- telling --------------------------------------------------------------------------------


def test_only_the_handler_that_failed_is_told_again(any_world: World) -> None:
    """After a pause. What it raised is no secret's way into the log."""
    notifier = any_world.notifier()
    good, bad = listening(notifier), listening(notifier, ValueError("yes"), SystemExit(1))
    notifier.inbox.take(message())

    work(notifier)
    work(notifier)
    assert (good.texts, bad.texts) == (["yes"], ["yes"])
    assert list(only(notifier).failed.values()) == ["ValueError"]
    any_world.clock.advance(10)
    work(notifier)
    any_world.clock.advance(60)
    work(notifier)

    assert (good.texts, bad.texts) == (["yes"], ["yes"] * 3)
    assert standings(notifier) == [Standing.TOLD]


def test_what_a_handler_raises_is_logged_by_its_kind(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Its words can hold the text or a number."""
    notifier = world.notifier()
    listening(notifier, ValueError("a secret text"))
    notifier.inbox.take(message("a secret text"))

    work(notifier)

    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text


def fail_until_given_up(notifier: Notifier, clock: ManualClock) -> int:
    """Let the time pass until nothing is due any more; return the tries."""
    while any(each is Standing.WAITING for each in standings(notifier)):
        work(notifier)
        clock.advance(43_200)
    return only(notifier).tries


def test_a_handler_that_always_fails_is_given_up(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """It is found by that, and can be told again when it is mended."""
    notifier = world.notifier()
    failing = listening(notifier, *(OSError() for _ in range(8)))
    notifier.inbox.take(message())

    assert fail_until_given_up(notifier, world.clock) == 8

    (given_up,) = notifier.inbox.search(standing=Standing.GIVEN_UP)
    assert list(given_up.failed.values()) == ["OSError"]
    assert f"message {given_up.id} is given up" in caplog.text
    assert notifier.inbox.tell_again(given_up.id)
    assert not notifier.inbox.tell_again(given_up.id)
    work(notifier)
    assert len(failing.texts) == 9
    assert standings(notifier) == [Standing.TOLD]


def test_a_worker_that_dies_while_it_tells_has_it_told_again(any_world: World) -> None:
    """By another, when the lease has ended. Those who had heard it hear it once more."""
    dying, other = any_world.notifier(), any_world.notifier()
    first = listening(dying)
    listening(dying, KeyboardInterrupt())
    dying.inbox.take(message())
    with pytest.raises(KeyboardInterrupt):
        work(dying)
    heard = listening(other)

    work(other)
    assert heard.texts == []
    any_world.clock.advance(LEASE.total_seconds())
    work(other)

    assert (first.texts, heard.texts) == (["yes"], ["yes"])


def test_a_message_that_kills_each_worker_is_given_up(world: World) -> None:
    """Else it would kill them for ever."""
    notifier = world.notifier()
    deadly = listening(notifier, *(KeyboardInterrupt() for _ in range(8)))
    notifier.inbox.take(message())
    for _ in range(8):
        with pytest.raises(KeyboardInterrupt):
            work(notifier)
        world.clock.advance(LEASE.total_seconds())

    work(notifier)

    assert len(deadly.texts) == 8
    assert standings(notifier) == [Standing.GIVEN_UP]


def test_a_worker_without_handlers_can_leave_it_to_one_that_has(world: World) -> None:
    """An application that registers handlers, beside workers that know nothing of them."""
    config = IncomingConfig(needs_handlers=True)
    without, having = world.notifier(incoming=config), world.notifier(incoming=config)
    heard = listening(having)

    without.inbox.take(message())
    work(without)
    assert [each.next_due() for each in without.inbox.chores()] == [None, None]
    work(having)

    assert heard.texts == ["yes"]


def test_a_word_to_stop_is_heard_before_the_application(world: World) -> None:
    """A handler that answers finds the sender on the list already."""
    notifier = world.notifier()
    against: list[str | None] = []

    @notifier.inbox.on_message
    def answer(incoming: Incoming, _delivery: Delivery | None) -> None:
        against.append(notifier.suppressions.against(incoming.sender, ()))

    notifier.inbox.take(message("STOP"))
    work(notifier)

    assert against != [None]
    assert len(against) == 1


def test_a_call_says_no_words(world: World) -> None:
    """It is told, and stops nothing."""
    notifier = world.notifier()
    heard = listening(notifier)

    notifier.inbox.take(message("STOP", kind=IncomingKind.CALL))
    work(notifier)

    assert heard.texts == ["STOP"]
    assert notifier.suppressions.against(SENDER, ()) is None


# --- handlers -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filters", "incoming", "is_told"),
    [
        ({"words": "balance"}, message("Balance 17"), True),
        ({"words": ("yes", "ja")}, message("  «JA!»"), True),
        ({"words": "balance"}, message("my balance"), False),
        ({"words": "balance"}, message(""), False),
        ({"to": "+79990000000"}, message(to="79990000000"), True),
        ({"to": ["1234"]}, message(to="4321"), False),
        ({"to": ["1234"]}, message(to=None), False),
        ({"provider": "a"}, message(), True),
        ({"provider": {"b", "c"}}, message(), False),
        ({"kind": IncomingKind.CALL}, message(), False),
        ({"kind": IncomingKind.MESSAGE}, message(), True),
        ({"words": "yes", "to": "4321"}, message(), False),
    ],
)
def test_a_handler_is_told_what_it_wants(
    world: World, filters: dict[str, Any], incoming: Incoming, is_told: bool
) -> None:
    """All that is given has to fit."""
    notifier = world.notifier()
    heard = listening(notifier, **filters)

    notifier.inbox.take(incoming)
    work(notifier)

    assert bool(heard.texts) == is_told


@pytest.mark.parametrize(
    ("text", "word"),
    [("Stop", "stop"), ("« СТОП » пожалуйста", "стоп"), ("ＳＴＯＰ", "stop"), ("?! …", "")],
)
def test_the_first_word_is_the_same_in_any_spelling(text: str, word: str) -> None:
    assert word == first_word(text)


def test_a_word_of_signs_alone_is_refused(world: World) -> None:
    """No message could begin with it."""
    with pytest.raises(ValueError, match="words: a word is letters or digits"):
        listening(world.notifier(), words="!")


def test_a_handler_stays_what_it_is(world: World) -> None:
    """As a decorator, with or without filters."""
    inbox = world.notifier().inbox

    def handler(incoming: Incoming, delivery: Delivery | None) -> None:
        """Do nothing."""

    assert inbox.on_message(handler) is handler
    assert inbox.on_message(words="yes")(handler) is handler


# --- reading --------------------------------------------------------------------------------


def test_what_came_in_is_found(world: World) -> None:
    """The newest first, by sender, kind and page."""
    notifier = world.notifier()
    for number in range(3):
        notifier.inbox.take(message(provider_id=str(number)))
    notifier.inbox.take(message(sender="79991234568", kind=IncomingKind.CALL))
    inbox = notifier.inbox

    first = inbox.search(sender=SENDER, limit=2)
    rest = inbox.search(sender=SENDER, limit=2, after_id=first[-1].id)

    ids = [each.incoming.provider_id for each in (*first, *rest)]
    assert sorted(ids, key=str) == ["0", "1", "2"]
    assert [each.incoming.sender for each in inbox.search(kind=IncomingKind.CALL)] == [
        "+79991234568"
    ]
    assert inbox.get(first[0].id) == first[0]


def test_what_is_not_there_is_an_error(world: World) -> None:
    with pytest.raises(JournalError, match="no message 'x' that came in"):
        world.notifier().inbox.get("x")


@pytest.mark.parametrize(
    ("incoming", "sender"),
    [
        (message(sender="+7 999 123-45-67"), "+7 999 123-45-67"),
        (message(sender="7999"), "7999"),
        (message(sender="79991234567", channel="telegram"), "79991234567"),
        (message(sender=" 79991234567 ", channel="viber"), SENDER),
        (message(sender="Bank"), "Bank"),
    ],
)
def test_a_sender_by_number_is_kept_in_international_form(
    world: World, incoming: Incoming, sender: str
) -> None:
    """As recipients are, so that one is found by the other; anything else stays as it is."""
    notifier = world.notifier()

    notifier.inbox.take(incoming)

    assert only(notifier).incoming.sender == sender


def test_no_text_or_number_is_shown(world: World) -> None:
    """Whoever prints what came in shows nothing of it."""
    notifier = world.notifier()
    notifier.inbox.take(message("a secret text", raw={"mes": "a secret text"}))

    shown = repr(only(notifier))

    assert "secret" not in shown
    assert SENDER not in shown


def test_a_worker_tells_what_comes_in_at_once(world: World) -> None:
    """It waits, and is woken by what is kept."""
    notifier = world.notifier()
    told: list[str] = []
    done = threading.Event()

    @notifier.inbox.on_message
    def handler(incoming: Incoming, _delivery: Delivery | None) -> None:
        told.append(incoming.text)
        done.set()

    with notifier.worker():
        notifier.inbox.take(message())
        assert done.wait(10)

    assert told == ["yes"]


# --- replays --------------------------------------------------------------------------------


def test_a_call_that_is_sent_again_much_later_has_no_effect_where_the_provider_can_say_so(
    world: World,
) -> None:
    """A signed call without an id or a time can be overheard, and sent again by anybody."""
    provider = asked(IncomingPage(messages=(message(provider_id="7"),), after="7"))
    notifier = world.notifier(a=provider)
    heard = listening(notifier)
    notifier.inbox.take(message())
    work(notifier)

    world.clock.advance(3 * 86_400)
    notifier.inbox.take(message())
    work(notifier)

    assert heard.texts == ["yes"]
    assert provider.asked_behind == [None]


def test_who_says_the_same_on_another_day_is_heard_again(world: World) -> None:
    """The provider names two messages."""
    both = (message(provider_id="7"), message(provider_id="8"))
    notifier = world.notifier(a=asked(IncomingPage(messages=both, after="8")))
    heard = listening(notifier)
    notifier.inbox.take(message())
    work(notifier)

    world.clock.advance(3 * 86_400)
    notifier.inbox.take(message())
    work(notifier)

    assert heard.texts == ["yes", "yes"]


def test_what_a_provider_without_times_names_much_later_is_not_new(world: World) -> None:
    provider = asked(IncomingPage(messages=(message(provider_id="7"),), after="7"))
    notifier = world.notifier(a=provider)
    heard = listening(notifier)
    notifier.inbox.take(message())

    world.clock.advance(86_400)
    notifier.inbox.ask("a")
    work(notifier)

    assert heard.texts == ["yes"]
    assert only(notifier).incoming.provider_id == "7"


def test_a_word_to_stop_acts_though_no_handler_is_there(world: World) -> None:
    notifier = world.notifier(incoming=IncomingConfig(needs_handlers=True))

    notifier.inbox.take(message("STOP"))

    assert notifier.suppressions.against(SENDER, ()) is not None


def test_a_message_of_somebody_whose_texts_are_gone_is_named_by_the_provider_first(
    world: World,
) -> None:
    """Nobody can tell any more whether it is a replay of one of them."""
    provider = asked([message("I agree", provider_id="7")], [message("I am here", provider_id="8")])
    notifier = world.notifier(a=provider)
    heard = listening(notifier)
    notifier.inbox.take(message("I agree"))
    notifier.inbox.ask("a")
    work(notifier)
    notifier.journal.purge(Part.TEXT, datetime(2100, 1, 1, tzinfo=UTC))

    for text in ("I am here", "I agree"):
        world.clock.advance(86_400)
        notifier.inbox.take(message(text))
        work(notifier)

    assert heard.texts == ["I agree", "I am here"]
