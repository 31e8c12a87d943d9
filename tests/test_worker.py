"""A worker carries on what is due: in which lane, when, how it stops, and what it survives."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import attrs
import pytest

from notify_core import (
    Accepted,
    Attempt,
    Capabilities,
    Delivery,
    FailureScope,
    Message,
    MessageError,
    Notifier,
    NotSent,
    Outcome,
    Priority,
    Secret,
    Sms,
    Stage,
    hookimpl,
)
from notify_core.clock import Clock, SystemClock
from notify_core.config.model import (
    Breaker,
    Config,
    JournalConfig,
    LegConfig,
    Quiet,
    Retry,
    Route,
    Via,
    WorkerConfig,
)
from notify_core.testing import (
    ManualClock,
    ScriptedProvider,
    accepted,
    notifier_with,
    scripted_config,
)
from notify_core.testing.provider import EVERY_CHANNEL

BAD_LOGIN = NotSent("authorise error", FailureScope.ACCOUNT)
DOWN = NotSent("out of reach", FailureScope.PROVIDER)
SOON_S = 10.0
"""More than anything here takes, on a machine that has much else to do."""


def sms(text: str = "hello", **more: object) -> Sms:
    return Sms(to="+79990000001", text=text, **more)  # type: ignore[arg-type]


def texts(provider: ScriptedProvider) -> list[str | None]:
    return [message.body for message, _ in provider.sent]


def until(holds: Callable[[], bool]) -> bool:
    """Wait for something that other threads do."""
    end = time.monotonic() + SOON_S
    while not holds() and time.monotonic() < end:
        time.sleep(0.01)
    return holds()


@pytest.fixture
def file(tmp_path: Path) -> JournalConfig:
    return JournalConfig(url=Secret(f"sqlite:///{tmp_path}/notify.db"))


MakeNotifier = Callable[..., Notifier]


@pytest.fixture
def make(file: JournalConfig) -> Iterator[MakeNotifier]:
    """Return a function that makes notifiers on one journal."""
    with ExitStack() as stack:

        def made(
            *routes: Route,
            clock: Clock | None = None,
            plugins: Sequence[tuple[str, object]] = (),
            worker: WorkerConfig = WorkerConfig(concurrency=4, reserved=1),  # noqa: B008
            journal: JournalConfig = file,
            retry: Retry = Retry(jitter=0),  # noqa: B008
            breaker: Breaker = Breaker(),  # noqa: B008
            **providers: ScriptedProvider,
        ) -> Notifier:
            config: Config = attrs.evolve(
                scripted_config(*routes, **providers),
                journal=journal,
                worker=worker,
                retry=retry,
                breaker=breaker,
            )
            notifier = notifier_with(config, clock=clock or SystemClock(), plugins=plugins)
            return stack.enter_context(notifier)

        yield made


class Blocked(ScriptedProvider):
    """Let no message that is not urgent through before it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = threading.Event()
        self.inside = threading.Semaphore(0)

    @hookimpl
    def notify_send(self, message: Message, attempt: Attempt) -> Outcome:
        if message.priority < Priority.HIGH:
            self.inside.release()
            assert self.let_go.wait(SOON_S)
        self.sent.append((message, attempt))
        return accepted(attempt)


# --- what is due ----------------------------------------------------------------------------


def test_what_was_enqueued_is_sent(make: MakeNotifier) -> None:
    provider = ScriptedProvider()
    notifier = make(a=provider)
    (delivery_id,) = notifier.enqueue(sms())

    with notifier.worker():
        delivery = notifier.wait(delivery_id, timeout_s=SOON_S)

    assert delivery.accepted
    assert texts(provider) == ["hello"]


def test_what_comes_while_it_waits_wakes_it(make: MakeNotifier) -> None:
    notifier, application = make(a=ScriptedProvider()), make(a=ScriptedProvider())

    with notifier.worker():
        time.sleep(0.2)
        (delivery_id,) = application.enqueue(sms())

        assert application.wait(delivery_id, timeout_s=SOON_S).accepted


def test_what_is_due_later_is_sent_then_and_not_before(make: MakeNotifier) -> None:
    clock, provider = ManualClock(), ScriptedProvider()
    notifier = make(a=provider, clock=clock)
    (delivery_id,) = notifier.enqueue(sms(send_at=clock.now() + timedelta(hours=2)))
    worker = notifier.worker()

    worker.work_off()
    clock.advance(7199)
    worker.work_off()
    before = list(provider.sent)
    clock.advance(1)
    worker.work_off()

    assert before == []
    ((message, _),) = provider.sent
    assert message.send_at is None
    assert notifier.get(delivery_id).accepted


def test_the_urgent_is_sent_before_what_came_earlier(make: MakeNotifier) -> None:
    provider = ScriptedProvider()
    notifier = make(a=provider, clock=ManualClock())
    for priority in (Priority.LOW, Priority.NORMAL, Priority.CRITICAL, Priority.HIGH):
        notifier.enqueue(sms(priority.name, priority=priority))

    notifier.worker().work_off()

    assert texts(provider) == ["CRITICAL", "HIGH", "NORMAL", "LOW"]


def test_a_code_does_not_wait_for_a_campaign_that_stands_still(make: MakeNotifier) -> None:
    provider = Blocked()
    notifier = make(a=provider)
    notifier.enqueue_many([sms(f"campaign {n}", priority=Priority.LOW) for n in range(20)])

    with notifier.worker():
        for _ in range(3):
            assert provider.inside.acquire(timeout=SOON_S)
        (code,) = notifier.enqueue(sms("code", priority=Priority.HIGH))
        delivery = notifier.wait(code, timeout_s=SOON_S)
        sent = texts(provider)
        provider.let_go.set()

    assert delivery.accepted
    assert sent == ["code"]


def test_two_workers_share_the_work_and_double_none(make: MakeNotifier) -> None:
    providers = ScriptedProvider(), ScriptedProvider()
    first, second = (make(a=provider) for provider in providers)
    first.enqueue_many([sms(f"text {n}") for n in range(200)])

    with first.worker(), second.worker():
        assert until(lambda: not first.journal.backlog(datetime.now(UTC)).under_way)

    sent = [text for provider in providers for text in texts(provider)]
    assert sorted(sent, key=str) == sorted(f"text {n}" for n in range(200))


# --- stopping and surviving -----------------------------------------------------------------


def test_stopping_ends_what_is_under_way_and_gives_up_the_rest_at_once(
    make: MakeNotifier,
) -> None:
    slow = Blocked()
    notifier, other = make(a=slow), make(a=(quick := ScriptedProvider()))
    notifier.enqueue_many([sms(f"text {n}") for n in range(12)])
    worker = notifier.worker()
    running = threading.Thread(target=worker.run)
    running.start()
    for _ in range(3):
        assert slow.inside.acquire(timeout=SOON_S)

    worker.stop()
    assert until(lambda: other.journal.backlog(datetime.now(UTC)).due == 9)
    other.worker().work_off()
    slow.let_go.set()
    running.join(SOON_S)

    assert len(slow.sent) == 3
    assert len(quick.sent) == 9
    assert not other.journal.backlog(datetime.now(UTC)).under_way


def test_nothing_is_begun_after_it_was_asked_to_stop(make: MakeNotifier) -> None:
    provider = ScriptedProvider()
    notifier = make(a=provider)
    notifier.enqueue(sms())
    worker = notifier.worker()

    worker.stop()

    assert worker.work_off() == 0
    assert provider.sent == []


def test_a_plugin_that_ends_the_program_ends_neither_the_worker_nor_its_neighbours(
    make: MakeNotifier,
) -> None:
    class Quits(ScriptedProvider):
        @hookimpl
        def notify_send(self, message: Message, attempt: Attempt) -> Outcome:
            if message.body == "quit":
                raise SystemExit(0)
            return super().notify_send(message, attempt)

    provider = Quits()
    notifier = make(a=provider, worker=WorkerConfig(concurrency=1, reserved=0))
    (bad,) = notifier.enqueue(sms("quit"))
    (good,) = notifier.enqueue(sms("go on"))

    with notifier.worker():
        delivery = notifier.wait(good, timeout_s=SOON_S)

    assert delivery.accepted
    assert notifier.get(bad).under_way


@attrs.frozen(kw_only=True, repr=False, eq=False)
class Puzzle(Message):
    """A message type of a third party that can be written, and never be read again."""

    channel = "puzzle"

    kind: Literal["a", "b"] = "a"


def test_one_delivery_that_cannot_be_read_keeps_no_other_from_being_sent(
    make: MakeNotifier,
) -> None:
    class Brings:
        @hookimpl
        def notify_message_types(self) -> Sequence[type[Message]]:
            return [Puzzle]

    every = EVERY_CHANNEL | {"puzzle"}
    provider = ScriptedProvider(capabilities=Capabilities(channels=every))
    notifier = make(a=provider, plugins=[("puzzles", Brings())])
    with contextlib.suppress(MessageError):
        notifier.enqueue(Puzzle(to="+79990000001", kind="b"))
    (good,) = notifier.enqueue(sms())

    with notifier.worker():
        assert notifier.wait(good, timeout_s=SOON_S).accepted


def test_a_worker_takes_no_more_urgent_messages_than_it_can_begin_soon(
    make: MakeNotifier,
) -> None:
    class Stuck(ScriptedProvider):
        let_go = threading.Event()

        @hookimpl
        def notify_send(self, attempt: Attempt) -> Outcome:
            assert self.let_go.wait(SOON_S)
            return accepted(attempt)

    notifier = make(a=Stuck(), worker=WorkerConfig(concurrency=2, reserved=1))
    notifier.enqueue_many([sms(f"code {n}", priority=Priority.HIGH) for n in range(300)])

    with notifier.worker():
        time.sleep(0.5)
        still_due = notifier.journal.backlog(datetime.now(UTC)).due
        Stuck.let_go.set()

    assert still_due > 250


def test_one_worker_takes_over_from_another_that_died(make: MakeNotifier) -> None:
    class Dies(ScriptedProvider):
        """Takes the message, and nobody hears of it."""

        @hookimpl
        def notify_send(self, message: Message, attempt: Attempt) -> Outcome:
            super().notify_send(message, attempt)
            raise KeyboardInterrupt

    clock, dying = ManualClock(), Dies()
    knows = ScriptedProvider()
    first, second = make(a=dying, clock=clock), make(a=knows, clock=clock)
    (delivery_id,) = first.enqueue(sms())
    with pytest.raises(KeyboardInterrupt):
        first.worker().work_off()

    second.worker().work_off()
    too_early = list(knows.asked)
    clock.advance(61)
    second.worker().work_off()
    clock.advance(2)
    second.worker().work_off()

    assert too_early == []
    assert [receipt.own_id for receipt in knows.asked] == [f"{delivery_id}-1"]
    assert knows.sent == []


def test_who_interrupts_working_off_leaves_the_rest_to_others_at_once(make: MakeNotifier) -> None:
    def interrupt(_message: Message, _attempt: Attempt) -> Outcome:
        raise KeyboardInterrupt

    clock, quick = ManualClock(), ScriptedProvider()
    first = make(a=ScriptedProvider([interrupt]), clock=clock)
    second = make(a=quick, clock=clock)
    first.enqueue_many([sms(f"text {n}") for n in range(3)])

    with pytest.raises(KeyboardInterrupt):
        first.worker().work_off()
    second.worker().work_off()

    assert len(quick.sent) == 2


def test_a_signal_handler_may_stop_it(make: MakeNotifier) -> None:
    worker = make(a=ScriptedProvider()).worker()
    before = signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    ask_it = threading.Timer(0.2, signal.raise_signal, [signal.SIGTERM])
    try:
        ask_it.start()
        worker.run()
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_journal_that_fails_for_a_while_is_survived(
    make: MakeNotifier, file: JournalConfig, caplog: pytest.LogCaptureFixture
) -> None:
    notifier = make(a=ScriptedProvider())
    (delivery_id,) = notifier.enqueue(sms())

    with closing(sqlite3.connect(file.url.reveal().removeprefix("sqlite:///"))) as other:
        other.execute("ALTER TABLE notify_deliveries RENAME TO away")
        with notifier.worker():
            assert until(lambda: "the worker cannot use the journal" in caplog.text)
            other.execute("ALTER TABLE away RENAME TO notify_deliveries")
            delivery = notifier.wait(delivery_id, timeout_s=SOON_S)

    assert delivery.accepted


# --- what the application is told -----------------------------------------------------------


def test_an_application_is_told_how_an_enqueued_delivery_has_ended(make: MakeNotifier) -> None:
    told: list[tuple[str, Stage, bool]] = []

    class Listener:
        @hookimpl
        def notify_status_changed(self, delivery: Delivery) -> None:
            told.append((delivery.id, delivery.stage, delivery.accepted))

    notifier = make(a=ScriptedProvider(), plugins=[("listener", Listener())])
    (delivery_id,) = notifier.enqueue(sms())

    notifier.worker().work_off()

    assert told == [(delivery_id, Stage.ENDED, True)]


def test_waiting_for_a_delivery_ends_with_the_patience_of_who_waits(make: MakeNotifier) -> None:
    notifier = make(a=ScriptedProvider(), clock=ManualClock())
    (delivery_id,) = notifier.enqueue(sms())

    assert notifier.wait(delivery_id, timeout_s=5).under_way


# --- how providers stand --------------------------------------------------------------------


def test_a_provider_that_one_has_stopped_is_stopped_for_all_and_one_may_resume_it(
    make: MakeNotifier,
) -> None:
    clock = ManualClock()
    first = make(a=ScriptedProvider([BAD_LOGIN]), clock=clock)
    second = make(a=(other := ScriptedProvider()), clock=clock)
    first.send(sms())

    second.send(sms())
    stopped = second.health("a").stopped
    before = list(other.sent)
    second.resume("a")
    clock.advance(121)
    first.worker().work_off()

    assert stopped
    assert before == []
    assert not first.health("a").stopped
    assert not first.journal.backlog(clock.now()).under_way


def test_deliveries_wait_for_a_provider_that_is_down_and_go_gradually_when_it_is_back(
    make: MakeNotifier,
) -> None:
    clock, provider = ManualClock(), ScriptedProvider([DOWN] * 5)
    notifier = make(a=provider, clock=clock, breaker=Breaker(failures=5))
    notifier.enqueue_many([sms(f"text {n}") for n in range(20)])
    worker = notifier.worker()

    worker.work_off()
    while_down = len(provider.sent)
    clock.advance(46)
    worker.work_off()
    probed = len(provider.sent)
    for _ in range(120):
        clock.advance(1)
        worker.work_off()

    assert while_down == 5
    assert probed == 6
    assert {str(text) for text in texts(provider)} == {f"text {n}" for n in range(20)}
    assert not notifier.journal.backlog(clock.now()).under_way
    assert not notifier.journal.backlog(clock.now()).held


# --- time -----------------------------------------------------------------------------------

TIMED = Capabilities(
    channels=EVERY_CHANNEL,
    own_id=True,
    ask_after_s=(1.0,),
    validity=True,
)


def test_a_code_that_has_become_stale_is_never_sent(make: MakeNotifier) -> None:
    clock, provider = ManualClock(), ScriptedProvider(capabilities=TIMED)
    notifier = make(a=provider, clock=clock)
    (delivery_id,) = notifier.enqueue(sms(valid_for=timedelta(minutes=5)))

    clock.advance(300)
    notifier.worker().work_off()

    outcome = notifier.get(delivery_id).outcome
    assert provider.sent == []
    assert outcome == NotSent("the deadline passed before it could be tried", FailureScope.WITHHELD)


@pytest.mark.parametrize(
    ("waited_s", "told"), [(0, 5), (1, 5), (61, 4), (239, 2), (241, 1), (299, 1)]
)
def test_a_provider_is_told_what_is_left_of_the_validity_in_whole_minutes(
    make: MakeNotifier, waited_s: float, told: int
) -> None:
    clock, provider = ManualClock(), ScriptedProvider(capabilities=TIMED)
    notifier = make(a=provider, clock=clock)
    notifier.enqueue(sms(valid_for=timedelta(minutes=5)))

    clock.advance(waited_s)
    notifier.worker().work_off()

    assert [message.valid_for for message, _ in provider.sent] == [timedelta(minutes=told)]


def test_the_deadline_of_a_route_ends_what_has_not_been_tried(make: MakeNotifier) -> None:
    clock, provider = ManualClock(), ScriptedProvider()
    legs = (LegConfig(via=Via(providers=("a",))),)
    notifier = make(
        Route(name="default", legs=legs, deadline=timedelta(seconds=30)), a=provider, clock=clock
    )
    (delivery_id,) = notifier.enqueue(sms())

    clock.advance(31)
    notifier.worker().work_off()

    assert provider.sent == []
    assert notifier.get(delivery_id).stage is Stage.ENDED


@pytest.mark.parametrize(
    ("priority", "sent_at_once"), [(Priority.NORMAL, False), (Priority.CRITICAL, True)]
)
def test_quiet_hours_keep_a_message_until_they_end_unless_it_may_pass(
    make: MakeNotifier, priority: Priority, sent_at_once: bool
) -> None:
    clock = ManualClock(datetime(2030, 1, 1, 20, 30, tzinfo=UTC))
    provider = ScriptedProvider()
    at_night = Quiet(from_=datetime(1, 1, 1, 21).time(), to=datetime(1, 1, 1, 9).time())
    legs = (LegConfig(via=Via(providers=("a",))),)
    notifier = make(Route(name="default", legs=legs, quiet=at_night), a=provider, clock=clock)
    # Almaty: 01:30 in the night.
    notifier.enqueue(Sms(to="+77012345678", text="hello", priority=priority))
    worker = notifier.worker()

    worker.work_off()
    at_once = bool(provider.sent)
    clock.advance(12 * 3600)
    worker.work_off()

    assert at_once is sent_at_once
    assert len(provider.sent) == 1


# --- what somebody decides ------------------------------------------------------------------


def test_what_is_held_waits_until_it_is_released(make: MakeNotifier) -> None:
    clock, provider = ManualClock(), ScriptedProvider()
    notifier = make(a=provider, clock=clock)
    (delivery_id,) = notifier.enqueue(sms())
    worker = notifier.worker()

    held = notifier.hold(delivery_id)
    clock.advance(10_000)
    worker.work_off()
    before = list(provider.sent)
    notifier.release(delivery_id)
    worker.work_off()

    assert held.held
    assert before == []
    assert notifier.get(delivery_id).accepted


def test_what_is_cancelled_is_never_sent(make: MakeNotifier) -> None:
    provider = ScriptedProvider()
    notifier = make(a=provider, clock=ManualClock())
    (delivery_id,) = notifier.enqueue(sms())

    cancelled = notifier.cancel(delivery_id)
    notifier.worker().work_off()

    assert cancelled.stage is Stage.ENDED
    assert cancelled.outcome == NotSent("it was cancelled", FailureScope.WITHHELD)
    assert provider.sent == []


def test_what_has_ended_is_not_changed_by_a_late_decision(make: MakeNotifier) -> None:
    notifier = make(a=ScriptedProvider(), clock=ManualClock())
    (sent,) = notifier.send(sms())

    assert isinstance(notifier.cancel(sent.id).outcome, Accepted)
    assert notifier.hold(sent.id).stage is Stage.ENDED
