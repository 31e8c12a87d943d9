"""A worker asks what became of messages, many in one question, ever more rarely."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import attrs
import pytest

from notify_core.callback import Trust
from notify_core.config.model import Config, IfUnknown, Until
from notify_core.delivery import Delivery
from notify_core.errors import ProviderError
from notify_core.hookspecs import hookimpl
from notify_core.message import Sms
from notify_core.notifier import Notifier
from notify_core.outcome import FailureScope, NotSent, Receipt, State, Status, Unknown
from notify_core.policy.polling import next_poll
from notify_core.provider import Capabilities, ReceiptKind
from notify_core.testing import ManualClock, notifier_with
from tests.followed import FOLLOWED, NEVER_ASKED, CallingProvider, config, event, kept_at, leg, tell

SENT = Status(state=State.SENT)
DELIVERED = Status(state=State.DELIVERED, final=True)
READ = Status(state=State.READ, final=True)
UNDELIVERED = Status(state=State.UNDELIVERED, final=True)
DOWN = NotSent("out of reach", FailureScope.PROVIDER)
BAD_LOGIN = NotSent("authorise error", FailureScope.ACCOUNT)


class Counting(CallingProvider):
    """Says the next of a list to each question, whatever it is about; notes when it was asked."""

    def __init__(
        self,
        clock: ManualClock,
        told: Sequence[Status | BaseException] = (),
        capabilities: Capabilities = FOLLOWED,
    ) -> None:
        super().__init__(capabilities=capabilities)
        self.questions: list[tuple[float, int]] = []
        self._clock = clock
        self._told = [*told]

    @hookimpl
    def notify_fetch_status(self, receipts: Sequence[Receipt]) -> Sequence[Status]:
        self.asked.extend(receipts)
        self.questions.append((self._clock.monotonic(), len(receipts)))
        answer = self._told.pop(0) if self._told else SENT
        if isinstance(answer, BaseException):
            raise answer
        return [answer] * len(receipts)

    @property
    def asked_at(self) -> list[float]:
        return [at for at, _ in self.questions]


@attrs.define
class Scene:
    """A notifier, its clock and the provider ``a``."""

    notifier: Notifier
    clock: ManualClock
    provider: Counting

    def send(self, count: int = 1) -> Sequence[Delivery]:
        to = [f"+7999{number:07}" for number in range(count)]
        return self.notifier.send(Sms(to=to, text="hi")).deliveries

    def work_until(self, end_s: float, step_s: float = 1.0) -> None:
        """Let a worker do what is due, every second or more rarely."""
        while self.clock.monotonic() < end_s:
            self.clock.advance(step_s)
            self.notifier.worker().work_off()


@contextmanager
def scene(
    *told: Status | BaseException,
    until: Until | None = None,
    capabilities: Capabilities = FOLLOWED,
) -> Iterator[Scene]:
    clock = ManualClock()
    provider = Counting(clock, told, capabilities)
    followed = leg("a") if until is None else leg("a", within_s=86_400, until=until)
    with notifier_with(config(followed, a=provider), clock=clock) as notifier:
        yield Scene(notifier, clock, provider)


@pytest.mark.parametrize(
    ("asked", "pause_s"), [(0, 4.0), (1, 8.0), (2, 30.0), (3, 30.0), (9_999, 30.0)]
)
def test_the_last_pause_is_that_of_all_later_questions(asked: int, pause_s: float) -> None:
    now = ManualClock().now()

    assert next_poll(asked, (4.0, 8.0, 30.0), now) == now + timedelta(seconds=pause_s)


@pytest.mark.parametrize(
    ("able", "expected"),
    [
        (FOLLOWED, True),
        (NEVER_ASKED, False),
        (attrs.evolve(FOLLOWED, poll_after_s=()), False),
        (attrs.evolve(FOLLOWED, receipts=frozenset({ReceiptKind.CALLBACK})), False),
    ],
)
def test_a_provider_is_asked_if_it_can_be_and_says_how_often(
    able: Capabilities, expected: bool
) -> None:
    assert able.can_be_polled is expected


def test_a_provider_is_asked_after_its_pauses_until_a_status_is_final() -> None:
    with scene(SENT, SENT, SENT, SENT, DELIVERED) as on:
        (delivery,) = on.send()

        on.work_until(400)

        assert on.provider.asked_at == [5, 15, 75, 135, 195]
        assert on.notifier.get(delivery.id).status == DELIVERED


@pytest.mark.parametrize("end", [DELIVERED, UNDELIVERED, READ], ids=str)
def test_nobody_asks_after_the_end(end: Status) -> None:
    with scene(end) as on:
        on.send()

        on.work_until(200)

        assert on.provider.asked_at == [5]


def test_one_that_waits_to_be_read_is_asked_about_after_it_was_delivered() -> None:
    with scene(DELIVERED, DELIVERED, READ, until=Until.READ) as on:
        on.send()

        on.work_until(200)

        assert on.provider.asked_at == [5, 15, 75]


def test_nobody_asks_about_what_a_call_has_told_the_end_of() -> None:
    with scene() as on:
        (delivery,) = on.send()
        tell(on.notifier, on.clock, event(delivery, DELIVERED))

        on.work_until(200)

        assert len(on.provider.asked_at) <= 1


def test_what_was_asked_about_at_a_hint_is_asked_about_again_in_its_time() -> None:
    with scene() as on:
        (delivery,) = on.send()
        on.work_until(1)
        tell(on.notifier, on.clock, event(delivery, DELIVERED, trust=Trust.HINT))

        on.work_until(100)

        assert on.provider.asked_at == [1, 11, 71]


def test_many_messages_are_asked_about_in_one_question() -> None:
    with scene(capabilities=attrs.evolve(FOLLOWED, poll_batch=20)) as on:
        on.send(50)

        on.work_until(6)

        assert on.provider.questions == [(5, 20), (5, 20), (5, 10)]
        assert len({each.own_id for each in on.provider.asked}) == 50


def test_a_provider_is_asked_with_what_it_has_said_of_a_message_itself() -> None:
    with scene() as on:
        (delivery,) = on.send()

        on.work_until(5)

        assert on.provider.asked == [delivery.receipt]


def test_a_message_is_followed_no_longer_than_the_configuration_says() -> None:
    """Two days and a little, for a provider that never tells the end."""
    rarely = attrs.evolve(FOLLOWED, poll_after_s=(3600.0,))
    with scene(capabilities=rarely) as on:
        on.send()

        on.work_until(5 * 86_400, step_s=1800)

        assert len(on.provider.asked) == 49


@pytest.mark.parametrize(
    "failure",
    [
        ProviderError("a", "status", Unknown("the answer was lost")),
        RuntimeError("it failed"),
        SystemExit(),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_a_question_without_an_answer_is_asked_again_after_the_next_pause(
    failure: BaseException,
) -> None:
    with scene(failure, DELIVERED) as on:
        (delivery,) = on.send()

        on.work_until(100)

        assert on.provider.asked_at == [5, 15]
        assert on.notifier.get(delivery.id).status == DELIVERED


def test_a_question_that_could_not_be_put_does_not_count() -> None:
    """Else what was accepted before an outage would be asked about ever more rarely for it."""
    outage = [ProviderError("a", "status", DOWN)] * 3
    with scene(*outage, SENT, DELIVERED) as on:
        (delivery,) = on.send()

        on.work_until(300)

        assert on.provider.asked_at == [5, 65, 125, 185, 195]
        assert on.notifier.get(delivery.id).status == DELIVERED


def kept_in(path: Path, provider: Counting) -> Config:
    return kept_at(f"sqlite:///{path}", config(leg("a"), a=provider))


def damage(path: Path, delivery: Delivery) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "UPDATE notify_deliveries SET progress = '{' WHERE id = ?", [delivery.id]
        )


def test_a_damaged_delivery_spoils_no_question_about_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "notify.db"
    clock = ManualClock()
    provider = Counting(clock, [DELIVERED])
    with notifier_with(kept_in(path, provider), clock=clock) as notifier:
        damaged, sound = notifier.send(Sms(to=["+79990000001", "+79990000002"], text="hi"))
        damage(path, damaged)

        clock.advance(5)
        notifier.worker().work_off()

        assert notifier.get(sound.id).status == DELIVERED
        assert [each.own_id for each in provider.asked] == [f"{sound.id}-1"]
    assert f"delivery {damaged.id} is followed no longer" in caplog.text


def test_nobody_is_asked_about_damaged_deliveries_alone(tmp_path: Path) -> None:
    path = tmp_path / "notify.db"
    clock = ManualClock()
    provider = Counting(clock)
    with notifier_with(kept_in(path, provider), clock=clock) as notifier:
        (damaged,) = notifier.send(Sms(to="+79990000001", text="hi"))
        damage(path, damaged)

        clock.advance(5)
        notifier.worker().work_off()

    assert provider.questions == []


def test_an_authorisation_error_stops_the_questions_until_it_is_mended() -> None:
    with scene(ProviderError("a", "status", BAD_LOGIN), DELIVERED) as on:
        (delivery,) = on.send()
        on.work_until(300)
        assert on.provider.asked_at == [5]

        on.notifier.resume("a")
        on.work_until(400)

        assert len(on.provider.asked_at) == 2
        assert on.notifier.get(delivery.id).status == DELIVERED


def test_a_message_that_is_not_found_is_still_followed_and_its_acceptance_stands() -> None:
    absent = Status(state=State.NOT_FOUND)
    with scene(absent, DELIVERED) as on:
        (delivery,) = on.send()
        on.work_until(6)
        assert on.notifier.get(delivery.id).accepted

        on.work_until(16)

        assert on.notifier.get(delivery.id).status == DELIVERED


def test_what_was_given_up_in_doubt_is_asked_about_too() -> None:
    """So a message that turns up late is not forgotten."""
    clock = ManualClock()
    rarely = attrs.evolve(FOLLOWED, ask_after_s=(300.0,), poll_after_s=(30.0,))
    first = CallingProvider([Unknown("lost")], [State.NOT_FOUND, DELIVERED], rarely)
    legs = (leg("a", within_s=20, if_unknown=IfUnknown.NEXT), leg("b"))
    with notifier_with(config(*legs, a=first, b=CallingProvider()), clock=clock) as notifier:
        (delivery,) = notifier.send(Sms(to="+79990000001", text="hi"))
        for _ in range(120):
            clock.advance(1)
            notifier.worker().work_off()

        late = notifier.get(delivery.id)

    assert [result.status for result in late.late] == [DELIVERED]
    assert (late.accepted, late.receipts[1].provider) == (True, "b")


def test_workers_that_ask_at_once_ask_about_each_message_once() -> None:
    with scene(capabilities=attrs.evolve(FOLLOWED, poll_batch=7)) as on:
        on.send(20)
        on.clock.advance(5)
        workers = [on.notifier.worker() for _ in range(3)]

        for worker in workers:
            worker.work_off()

        assert len(on.provider.asked) == 20
