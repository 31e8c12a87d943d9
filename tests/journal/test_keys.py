"""One key, one message: whoever asks, how often, from how many threads and processes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from time import sleep

import attrs
import pytest

from notify_core.clock import Clock, SystemClock
from notify_core.delivery import Attempt
from notify_core.errors import KeyConflict
from notify_core.journal.model import Filter
from notify_core.message import Message, Sms
from notify_core.notifier import Notifier
from notify_core.outcome import Outcome, RefusalScope, Refused
from notify_core.testing import ManualClock, ScriptedProvider, accepted, notifier_with
from notify_smsc_emulator import Emulator, Settings
from tests.journal.caller import KEYS, PASSWORD, smsc_notifier
from tests.journal.caller import THREADS as THREADS_OF_CALLER
from tests.journal.making import config_with, empty

THREADS = 32
PROCESSES = 4
ROOT = Path(__file__).parents[2]
DAY_S = 86_400


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of each kind with an empty journal."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'journal.db'}"
        return
    url: str = request.getfixturevalue("postgresql_url")
    yield url
    empty(url)


@attrs.frozen
class Sender:
    """A notifier, and what its provider was given."""

    notifier: Notifier
    provider: ScriptedProvider

    def sent(self) -> int:
        """Have a worker send what is due; return how many messages have gone by then."""
        self.notifier.worker().work_off()
        return len(self.provider.sent)


Start = Callable[..., Sender]


@pytest.fixture
def start(url: str) -> Iterator[Start]:
    """Return a function that makes a notifier with these answers of its provider."""
    made: list[Notifier] = []

    def start(*answers: object, clock: Clock | None = None) -> Sender:
        provider = ScriptedProvider(answers)  # type: ignore[arg-type]
        made.append(notifier_with(config_with(url, provider), clock=clock or ManualClock()))
        return Sender(made[-1], provider)

    yield start
    for notifier in made:
        notifier.close()


def keyed(text: str = "your order is on its way", key: str = "order-17") -> Sms:
    return Sms(to="+79990000001", text=text, key=key)


def send(sender: Sender, message: Sms) -> tuple[str, ...]:
    return tuple(delivery.id for delivery in sender.notifier.send(message))


def enqueue(sender: Sender, message: Sms) -> tuple[str, ...]:
    return sender.notifier.enqueue(message)


Call = Callable[[Sender, Sms], tuple[str, ...]]
both = pytest.mark.parametrize("call", [send, enqueue])


def slowly(_message: Message, attempt: Attempt) -> Outcome:
    """Answer when the others have come, too."""
    sleep(0.1)
    return accepted(attempt)


def at_once(work: Callable[[int], object]) -> list[object]:
    """Do something in many threads that begin together; return what each returned or raised."""
    barrier = Barrier(THREADS)

    def begin_together(number: int) -> object:
        barrier.wait()
        try:
            return work(number)
        except KeyConflict as error:
            return error

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(begin_together, range(THREADS)))


# --- one after the other --------------------------------------------------------------------


@both
def test_a_key_that_was_used_sends_nothing(start: Start, call: Call) -> None:
    """Both calls are told of the same deliveries, also if they were made elsewhere."""
    sender, other = start(), start()

    first = call(sender, keyed())
    second = call(other, keyed())

    assert second == first
    assert sender.sent() + other.sent() == 1


def test_what_was_enqueued_is_not_sent_by_who_comes_later(start: Start) -> None:
    """Nor the other way round."""
    sender = start()

    enqueued = enqueue(sender, keyed(key="first enqueued"))
    sent = send(sender, keyed(key="first sent"))

    assert send(sender, keyed(key="first enqueued")) == enqueued
    assert enqueue(sender, keyed(key="first sent")) == sent
    assert sender.sent() == 2


def test_what_was_refused_is_reported_again_and_not_sent_again(start: Start) -> None:
    """A key stands for what became of its message, whatever that is."""
    sender = start(Refused("no such number", RefusalScope.RECIPIENT))
    (first,) = sender.notifier.send(keyed())

    (second,) = sender.notifier.send(keyed())

    assert second == first
    assert isinstance(second.outcome, Refused)
    assert sender.sent() == 1


@both
def test_a_key_is_free_again_when_its_time_is_over(start: Start, call: Call) -> None:
    clock = ManualClock()
    sender = start(clock=clock)
    first = call(sender, keyed())
    sender.sent()
    clock.advance(DAY_S)

    second = call(sender, keyed())

    assert second != first
    assert sender.sent() == 2


@both
def test_a_key_is_not_free_before_its_time_is_over(start: Start, call: Call) -> None:
    clock = ManualClock()
    sender = start(clock=clock)
    first = call(sender, keyed())
    sender.sent()
    clock.advance(DAY_S - 1)

    second = call(sender, keyed())

    assert second == first
    assert sender.sent() == 1


@both
def test_another_message_under_the_key_is_refused_until_its_time_is_over(
    start: Start, call: Call
) -> None:
    clock = ManualClock()
    sender = start(clock=clock)
    call(sender, keyed())

    with pytest.raises(KeyConflict):
        call(sender, keyed("something else"))
    clock.advance(DAY_S)
    call(sender, keyed("something else"))

    assert sender.sent() == 2


# --- many threads ---------------------------------------------------------------------------


@both
def test_of_many_threads_with_one_key_one_sends(start: Start, call: Call) -> None:
    """All of them are told of the same deliveries."""
    senders = [start(slowly, clock=SystemClock()) for _ in range(2)]

    told = at_once(lambda number: call(senders[number % 2], keyed()))

    assert len(set(told)) == 1
    assert sum(sender.sent() for sender in senders) == 1


def test_those_who_did_not_send_report_what_became_of_it(start: Start) -> None:
    """They wait until whoever sends has been told."""
    sender = start(slowly, clock=SystemClock())

    reports = at_once(lambda _: sender.notifier.send(keyed()))

    assert {str(report).partition(": ")[2] for report in reports} == {
        "1 of 1 accepted\n  +79…01 by sms via a (route default): accepted as 1"
    }


def test_of_many_threads_with_two_messages_for_one_key_one_message_wins(start: Start) -> None:
    """Whoever comes with the other is told so, and nothing of it is sent."""
    sender = start(slowly, clock=SystemClock())

    told = at_once(lambda number: send(sender, keyed(text=f"text {number % 2}")))

    refused = [each for each in told if isinstance(each, KeyConflict)]
    assert len(refused) == THREADS / 2
    assert len({each for each in told if isinstance(each, tuple)}) == 1
    assert sender.sent() == 1


# --- many processes -------------------------------------------------------------------------


def run_callers(url: str, port: int) -> list[dict[str, list[list[str]]]]:
    """Let processes use the same keys at once; return what their calls were told."""
    command = [sys.executable, "-m", "tests.journal.caller", url, str(port)]
    processes = [
        subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(PROCESSES)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return [json.loads(process.communicate()[0]) for process in processes]


def test_of_many_processes_with_one_key_one_sends(url: str) -> None:
    """Over real connections, by send and by enqueue with a worker in each process."""
    settings = Settings(rate_rules=False, password=PASSWORD)
    with Emulator(settings) as gateway, smsc_notifier(url, gateway.http_port) as notifier:
        answers = run_callers(url, gateway.http_port)
        notifier.worker().work_off()
        caught = Counter(message.text for message in gateway.caught())
        stored = notifier.journal.search(Filter(limit=999))

    names = [f"{kind}-{number}" for kind in ("sent", "enqueued") for number in range(KEYS)]
    told = {name: [ids for answer in answers for ids in answer[name]] for name in names}
    assert caught == {f"for {name}": 2 for name in names}
    assert {name: len(ids) for name, ids in told.items()} == dict.fromkeys(
        names, PROCESSES * THREADS_OF_CALLER
    )
    assert {name: len({tuple(each) for each in ids}) for name, ids in told.items()} == (
        dict.fromkeys(names, 1)
    )
    assert {len(each) for ids in told.values() for each in ids} == {2}
    assert len(stored) == 2 * len(names)
