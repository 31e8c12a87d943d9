"""Addresses of the application are told what happens: signed, once if it can be, never less.

The receivers are real sockets on loopback, and check signatures as the specification says.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import logging
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notify_core.callback import Incoming
from notify_core.config.model import Config, JournalConfig
from notify_core.config.sections import WebhookConfig
from notify_core.contact import Contact
from notify_core.delivery import Attempt, Delivery, LegResult, Stage
from notify_core.errors import ConfigError, JournalError
from notify_core.journal.base import Journal
from notify_core.journal.database import Watch
from notify_core.journal.enlist import Dialect, Executor
from notify_core.journal.model import Entry
from notify_core.journal.seal import Unsealed
from notify_core.journal.sql import SqlJournal
from notify_core.journal.sqlite import SqliteDatabase
from notify_core.journal.webhooks import Claimed, Telling, WebhookStore
from notify_core.keeping import Kept, Leases
from notify_core.message import MESSAGE_TYPES, Sms
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
from notify_core.secret import Secret
from notify_core.testing import ManualClock, ScriptedProvider, notifier_with, scripted_config
from notify_core.webhooks import Webhooks, try_out
from notify_core.webhooks.events import event_of
from notify_core.webhooks.posting import Answer, Poster, retry_after_s
from notify_core.webhooks.signing import new_secret, signed
from notify_core.webhooks.verdicts import Verdict, verdict
from tests.webhook_receiver import SECRET, Receiver, Reply

TYPES = {each.channel: each for each in MESSAGE_TYPES}
NUMBER = "+79991234567"
TEXT = "the words of the message"
OTHER_SECRET = "whsec_" + base64.b64encode(b"another secret, of 32 bytes long").decode()
NOW = datetime(2030, 1, 1, tzinfo=UTC)
PATIENCE_S = 10.0


# --- a receiver -----------------------------------------------------------------------------


@pytest.fixture
def receivers() -> Iterator[Callable[[], Receiver]]:
    with contextlib.ExitStack() as stack:

        def made() -> Receiver:
            receiver = Receiver()
            stack.callback(receiver.close)
            return receiver

        yield made


@pytest.fixture
def receiver(receivers: Callable[[], Receiver]) -> Receiver:
    return receivers()


# --- a process ------------------------------------------------------------------------------


class OwnDatabase:
    """A process's way to the shared database, which can be cut."""

    def __init__(self, database: SqliteDatabase) -> None:
        self.dialect: Dialect = database.dialect
        self.is_cut = False
        self._database = database

    def write(self, work: Callable[[Executor], Any]) -> Any:
        if self.is_cut:
            raise JournalError("the journal is out of reach")
        return self._database.write(work)

    def read(self, work: Callable[[Executor], Any]) -> Any:
        return self._database.read(work)

    def watch(self) -> Watch:
        return self._database.watch()

    def wake(self) -> None:
        self._database.wake()

    def check(self) -> list[str]:
        return self._database.check()

    def cut(self) -> None:
        self.is_cut = True

    def close(self) -> None:
        self._database.close()


@attrs.frozen
class Process:
    """What one process has of the webhooks."""

    kept: Kept
    webhooks: Webhooks
    clock: ManualClock

    @property
    def store(self) -> WebhookStore:
        return WebhookStore(self.kept.journal.database)

    def note(self, *ids: str) -> None:
        """Have it told that these messages came in."""

        def work(executor: Executor) -> None:
            for each in ids:
                self.webhooks.note_incoming(executor, each, incoming(), None)

        self.kept.journal.database.write(work)

    def work_off(self) -> int:
        """Do what a worker does that has nothing else to do."""
        return sum(chore.work_off() for chore in self.webhooks.chores())

    def next_due(self) -> Sequence[datetime | None]:
        return [chore.next_due() for chore in self.webhooks.chores()]

    def states(self) -> dict[str, int]:
        found = {each.value: len(self.store.all(each, 1000)) for each in Telling}
        return {name: count for name, count in found.items() if count}


Start: TypeAlias = Callable[..., Process]


def incoming() -> Incoming:
    return Incoming(provider="smsc", sender=NUMBER, text=TEXT, provider_id="77")


def webhook(receiver: Receiver, *secrets: str, **more: Any) -> WebhookConfig:
    given = secrets or (SECRET,)
    return WebhookConfig(url=receiver.url, secrets=tuple(map(Secret, given)), **more)


@pytest.fixture(params=["sqlite", "postgresql"])
def journal_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'notify.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def started() -> Iterator[Start]:
    """Return what starts a process, by default on a journal of its own in memory."""
    with contextlib.ExitStack() as stack:

        def start(*config: WebhookConfig, url: str = "memory", clock: ManualClock) -> Process:
            kept = Kept.open(JournalConfig(url=Secret(url)), TYPES, clock)
            stack.callback(kept.close)
            webhooks = Webhooks(kept, config, clock, chance=lambda: 0.5)
            kept.journal.accompany(webhooks.note)
            stack.callback(webhooks.close)
            return Process(kept, webhooks, clock)

        yield start


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def process(started: Start, receiver: Receiver, clock: ManualClock) -> Process:
    """A process with one receiver."""
    return started(webhook(receiver), clock=clock)


# --- signatures -----------------------------------------------------------------------------


def test_a_signature_is_that_of_the_published_example() -> None:
    """https://github.com/standard-webhooks/standard-webhooks, the tests of its libraries."""
    at = datetime.fromtimestamp(1614265330, UTC)

    headers = signed("msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}', [Secret(SECRET)])

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_a_receiver_can_verify_what_it_is_told(process: Process, receiver: Receiver) -> None:
    """With the id, the time of the call and the bytes of the body."""
    process.note("in-1")

    process.work_off()

    (call,) = receiver.calls
    assert call.is_signed_with(SECRET)
    assert not call.is_signed_with(OTHER_SECRET)
    assert str(int(NOW.timestamp())) == call.timestamp


def test_a_secret_is_changed_without_a_call_that_cannot_be_verified(
    started: Start, receiver: Receiver, clock: ManualClock
) -> None:
    """While there are two, each call bears the signatures of both."""
    process = started(webhook(receiver, OTHER_SECRET, SECRET), clock=clock)
    process.note("in-1")

    process.work_off()

    (call,) = receiver.calls
    assert call.is_signed_with(SECRET)
    assert call.is_signed_with(OTHER_SECRET)


def test_a_new_secret_can_be_configured() -> None:
    """And is another one each time."""
    one, another = new_secret(), new_secret()

    WebhookConfig(url="https://example.org/", secrets=(Secret(one), Secret(another)))
    assert one != another


# --- the configuration ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "secret",
    [
        "a password",
        "whsec_",
        "whsec_not base64 at all, in no way!",
        "whsec_" + base64.b64encode(b"23 bytes are too few...").decode(),
        "whsec_" + base64.b64encode(bytes(65)).decode(),
        "whpk_" + base64.b64encode(bytes(32)).decode(),
    ],
)
def test_a_secret_of_another_form_is_refused_and_not_repeated(secret: str) -> None:
    """Receivers would decode it, and verify nothing."""
    with pytest.raises(ValueError, match="secrets must be whsec_") as caught:
        WebhookConfig(url="https://example.org/notify", secrets=(Secret(secret),))

    assert secret not in str(caught.value).replace("whsec_ and", "")


def test_a_secret_needs_no_padding() -> None:
    """Some tools leave the signs of equality out."""
    secret = "whsec_" + base64.b64encode(bytes(25)).decode().rstrip("=")

    assert WebhookConfig(url="https://example.org/notify", secrets=(Secret(secret),)).secrets


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("example.org/notify", "is no address"),
        ("ftp://example.org/notify", "is no address"),
        ("https:///notify", "is no address"),
        ("https://example.org:99999/", "is no address"),
        ("https://[::1/", "is no address"),
        ("https://example.org/a b", "is no address"),
        ("https://example.org/\n", "is no address"),
        ("https://user:password@example.org/", "must hold no password"),
        ("https://user@example.org/", "must hold no password"),
    ],
)
def test_what_is_no_address_is_refused(url: str, problem: str) -> None:
    """Before anything is to be told there."""
    with pytest.raises(ValueError, match=f"url {problem}"):
        WebhookConfig(url=url, secrets=(Secret(SECRET),))


@pytest.mark.parametrize(
    "times",
    [
        {"timeout": timedelta(milliseconds=500)},
        {"timeout": timedelta(minutes=2)},
        {"retry_for": timedelta(seconds=1)},
        {"retry_for": timedelta(days=15)},
    ],
)
def test_times_have_bounds(times: dict[str, timedelta]) -> None:
    """What is told is remembered for longer than it is tried."""
    with pytest.raises(ValueError, match=f"{next(iter(times))} must be from"):
        WebhookConfig(url="https://example.org/", secrets=(Secret(SECRET),), **times)


def test_webhooks_without_a_journal_are_refused() -> None:
    """Nothing would keep what is to be told."""
    config = attrs.evolve(scripted_config(example=ScriptedProvider()), webhooks=(_anywhere(),))

    with pytest.raises(ConfigError, match="webhooks: needs a journal"):
        notifier_with(config)


def test_one_address_is_not_given_twice() -> None:
    """Nobody could say with which secrets it is called."""
    with pytest.raises(ConfigError, match="webhooks: two have one url"):
        notifier_with(_config(_anywhere(), _anywhere()))


def _anywhere() -> WebhookConfig:
    return WebhookConfig(url="https://example.org/notify", secrets=(Secret(SECRET),))


def _config(
    *webhooks: WebhookConfig, provider: ScriptedProvider | None = None, url: str = "memory"
) -> Config:
    return attrs.evolve(
        scripted_config(example=provider or ScriptedProvider()),
        journal=JournalConfig(url=Secret(url)),
        webhooks=webhooks,
    )


# --- what is told ---------------------------------------------------------------------------


def test_an_application_is_told_how_a_delivery_has_ended(receiver: Receiver) -> None:
    """By the ids that it knows, in words that are the same for every provider."""
    clock = ManualClock()
    with notifier_with(_config(webhook(receiver)), clock=clock) as notifier:
        (delivery,) = notifier.send(Sms(to=NUMBER, text=TEXT))
        notifier.worker().work_off()

    (call,) = receiver.calls
    data = call.told["data"]
    assert call.told["type"] == "delivery.status_changed"
    assert call.told["timestamp"] == "2030-01-01T00:00:00+00:00"
    assert data["delivery_id"] == delivery.id
    assert data["message_id"] == delivery.message_id
    assert (data["stage"], data["outcome"]) == ("ended", "accepted")
    assert (data["channel"], data["provider"]) == ("sms", "example")
    assert [leg["outcome"] for leg in data["legs"]] == ["accepted"]


def test_neither_text_nor_address_is_told(receiver: Receiver, process: Process) -> None:
    """An application that wants more of a delivery asks for it, by its id."""
    refused = Refused(f"{NUMBER} does not take {TEXT}", RefusalScope.RECIPIENT, "7")
    status = Status(state=State.REJECTED, final=True, code="20", error="253", detail=TEXT)
    leg = attrs.evolve(_leg(refused), status=status)
    process.note("in-1")
    process.work_off()

    event = event_of(_delivery(leg))

    assert event is not None
    for body in (event.body(NOW), receiver.calls[0].body.decode()):
        assert TEXT not in body
        assert NUMBER not in body
        assert "+79…67" in body
    assert '"code":"7"' in event.body(NOW)
    assert '"code":"20","error":"253"' in event.body(NOW)


def test_an_application_is_told_that_a_message_came_in(
    receiver: Receiver, process: Process
) -> None:
    """Once, however often it is noted."""
    process.note("in-1")
    process.note("in-1")

    process.work_off()

    (call,) = receiver.calls
    assert call.told["type"] == "message.received"
    assert call.told["data"]["incoming_id"] == "in-1"
    assert call.told["data"]["provider_id"] == "77"


def _attempt(answer: Outcome | None) -> Attempt:
    return Attempt(
        id="a",
        delivery_id="d",
        own_id="o",
        number=1,
        provider="smsc",
        channel="sms",
        address=NUMBER,
        address_kind="phone",
        started_at=NOW,
        answer=answer,
    )


def _leg(outcome: Outcome, *, answer: Outcome | None = None) -> LegResult:
    return LegResult(channel="sms", outcome=outcome, attempts=(_attempt(answer or outcome),))


def _delivery(*legs: LegResult, stage: Stage = Stage.ENDED) -> Delivery:
    return Delivery(
        id="d",
        message_id="m",
        recipient=Contact(phone=NUMBER),
        route="default",
        legs=legs,
        outcome=legs[-1].outcome if legs else NotSent("not yet", FailureScope.WITHHELD),
        stage=stage,
    )


ACCEPTED = Accepted(Receipt(provider="smsc", address=NUMBER, provider_id="1"))
NOT_SENT = NotSent("out of reach", FailureScope.PROVIDER)
IN_DOUBT = Unknown("the answer was lost")
UNTRIED = LegResult(channel="sms", outcome=NotSent("not yet", FailureScope.WITHHELD))
OPEN = attrs.evolve(_leg(IN_DOUBT), attempts=(_attempt(None),))


@pytest.mark.parametrize(
    ("legs", "stage", "is_told"),
    [
        ((OPEN,), Stage.UNDER_WAY, False),
        ((_leg(NOT_SENT), OPEN), Stage.UNDER_WAY, False),
        ((_leg(NOT_SENT),), Stage.UNDER_WAY, True),
        ((_leg(ACCEPTED),), Stage.UNDER_WAY, True),
        ((_leg(IN_DOUBT),), Stage.UNDER_WAY, True),
        ((_leg(IN_DOUBT),), Stage.HELD, True),
        ((OPEN,), Stage.HELD, True),
        ((UNTRIED,), Stage.HELD, True),
        ((UNTRIED,), Stage.ENDED, True),
        ((_leg(ACCEPTED),), Stage.ENDED, True),
    ],
)
def test_what_stands_is_told_and_what_is_being_called_is_not(
    legs: tuple[LegResult, ...], stage: Stage, is_told: bool
) -> None:
    """What comes of a call is told a moment later."""
    assert is_told == (event_of(_delivery(*legs, stage=stage)) is not None)


def test_a_delivery_that_waits_for_its_first_attempt_tells_nothing() -> None:
    """That it was enqueued the application knows."""
    with notifier_with(_config(_anywhere())) as notifier:
        notifier.enqueue(Sms(to=NUMBER, text=TEXT))

        assert _waiting(notifier.journal) == []


@pytest.mark.parametrize("begun", [True, False])
def test_what_is_held_again_is_told_again(journal_url: str, begun: bool) -> None:
    """With the release in between, whether a provider has been tried before or not."""
    clock, provider = ManualClock(), ScriptedProvider([NOT_SENT])
    with notifier_with(
        _config(_anywhere(), provider=provider, url=journal_url), clock=clock
    ) as notifier:
        (delivery_id,) = notifier.enqueue(Sms(to=NUMBER, text=TEXT))
        if begun:
            notifier.worker().work_off()
        for _ in range(2):
            clock.advance(0.01)
            notifier.hold(delivery_id)
            clock.advance(0.01)
            notifier.release(delivery_id)

        stages = [stage for stage, _ in _told_of(notifier.journal)]

    assert ["under_way"] * begun + ["held", "under_way"] * 2 == stages


def _told_of(journal: Journal) -> list[tuple[str, str]]:
    """Return what is to be told, as the stage and the outcome, in the order in which it was."""
    rows = journal.database.read(
        lambda executor: executor.execute("SELECT body FROM notify_webhooks ORDER BY since", {})
    )
    told = [json.loads(body)["data"] for (body,) in rows]
    return [(data["stage"], data["outcome"]) for data in told]


def test_without_an_address_nothing_is_kept_and_nothing_is_done(
    started: Start, clock: ManualClock
) -> None:
    """Whoever has no webhooks pays nothing for them."""
    process = started(clock=clock)
    with notifier_with(_config()) as notifier:
        notifier.send(Sms(to=NUMBER, text=TEXT))

        assert _waiting(notifier.journal) == []
    assert process.webhooks.chores() == []


def _waiting(journal: Journal) -> list[str]:
    return [each.id for each in WebhookStore(journal.database).all(Telling.WAITING, 1000)]


# --- in the transaction of what has changed -------------------------------------------------


def _became(entry: Entry, status: Status, *, given_up: bool = False) -> Entry:
    leg = attrs.evolve(entry.progress.done[0], status=status, given_up=given_up)
    return attrs.evolve(entry, progress=attrs.evolve(entry.progress, done=(leg,)))


DELIVERED = Status(state=State.DELIVERED, final=True)


def test_every_change_has_it_told(journal_url: str) -> None:
    """What was accepted and then delivered is two things to tell."""
    with notifier_with(_config(_anywhere(), url=journal_url)) as notifier:
        (delivery,) = notifier.send(Sms(to=NUMBER, text=TEXT))
        accepted = _waiting(notifier.journal)

        notifier.journal.amend(delivery.id, lambda entry: _became(entry, DELIVERED))

        assert len(accepted) == 1
        assert len(_waiting(notifier.journal)) == 2


def test_a_change_that_was_taken_back_tells_nothing(journal_url: str) -> None:
    """What an application is told has happened."""

    def fail(_: Executor, entry: Entry) -> None:
        raise JournalError(f"no room for {entry.id}")

    with notifier_with(_config(_anywhere(), url=journal_url)) as notifier:
        (delivery,) = notifier.send(Sms(to=NUMBER, text=TEXT))
        before = _waiting(notifier.journal)
        notifier.journal.accompany(fail)

        with pytest.raises(JournalError, match="no room"):
            notifier.journal.amend(delivery.id, lambda entry: _became(entry, DELIVERED))

        assert before == _waiting(notifier.journal)


def test_a_message_that_was_rolled_back_tells_nothing(
    started: Start, receiver: Receiver, clock: ManualClock, tmp_path: Path
) -> None:
    """Also in a transaction of the application."""
    path = tmp_path / "notify.db"
    process = started(webhook(receiver), url=f"sqlite:///{path}", clock=clock)
    provider = ScriptedProvider()
    with (
        notifier_with(_config(webhook(receiver), provider=provider, url=f"sqlite:///{path}")) as n,
        contextlib.closing(sqlite3.connect(path)) as connection,
    ):
        n.enqueue(Sms(to=NUMBER, text=TEXT), connection=connection)
        connection.rollback()
        n.worker().work_off()

    assert process.states() == {}


_STATUSES = st.builds(
    Status,
    state=st.sampled_from([State.SENT, State.DELIVERED, State.UNDELIVERED, State.READ]),
    final=st.booleans(),
    code=st.sampled_from([None, "1"]),
)
_STANDINGS = st.lists(st.tuples(_STATUSES, st.booleans()), max_size=6)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(standings=_STANDINGS, data=st.data())
def test_each_change_is_told_once_however_often_it_is_written(
    standings: list[tuple[Status, bool]], data: st.DataObject
) -> None:
    """Writers who are not sure repeat themselves; what stands again later is told again."""
    times = [data.draw(st.integers(1, 3)) for _ in standings]
    with notifier_with(_config(_anywhere())) as notifier:
        (delivery,) = notifier.send(Sms(to=NUMBER, text=TEXT))
        for (status, given_up), count in zip(standings, times, strict=True):
            for turn in range(count):
                # The code is none of what is told, but it has the entry written.
                written = attrs.evolve(status, code=str(turn))
                notifier.journal.amend(
                    delivery.id, partial(_became, status=written, given_up=given_up)
                )

        stood = [(status.state, status.final, given_up) for status, given_up in standings]
        changes = [standing for standing, _ in itertools.groupby(stood)]
        assert 1 + len(changes) == len(_waiting(notifier.journal))


def test_what_has_just_happened_is_due(started: Start, receiver: Receiver) -> None:
    """Although the journal rounds up to milliseconds."""
    clock = ManualClock(NOW + timedelta(microseconds=1))
    process = started(webhook(receiver), clock=clock)
    process.note("in-1")

    assert process.work_off() == 1


def test_each_address_is_told_under_an_id_of_its_own(
    started: Start, receivers: Callable[[], Receiver], clock: ManualClock
) -> None:
    """What one of them has says nothing of the other."""
    one, another = receivers(), receivers()
    process = started(webhook(one), webhook(another), clock=clock)
    process.note("in-1")

    process.work_off()

    assert one.calls[0].told == another.calls[0].told
    assert one.ids != another.ids


# --- never lost -----------------------------------------------------------------------------


def test_what_was_told_is_not_told_again(process: Process, receiver: Receiver) -> None:
    """It is remembered for days, without what it was."""
    process.note("in-1")
    process.work_off()

    process.note("in-1")

    assert process.work_off() == 0
    assert process.next_due() == [None]
    assert process.states() == {"told": 1}
    assert len(receiver.calls) == 1


def test_who_dies_before_the_answer_is_written_has_it_told_again_under_the_same_id(
    receiver: Receiver, clock: ManualClock
) -> None:
    """By whoever takes over, when the lease has ended."""
    with contextlib.closing(SqliteDatabase(":memory:")) as database:
        dying, heir = (_process_on(OwnDatabase(database), receiver, clock) for _ in range(2))
        own = dying.kept.journal.database
        assert isinstance(own, OwnDatabase)
        receiver.replies.append(Reply(happen=own.cut))
        dying.note("in-1")
        with pytest.raises(JournalError):
            dying.work_off()

        while_leased = heir.work_off()
        clock.advance(dying.kept.config.lease.total_seconds())
        afterwards = heir.work_off()

        assert (while_leased, afterwards) == (0, 1)
        assert receiver.ids[0] == receiver.ids[1]
        assert heir.states() == {"told": 1}
        for process in (dying, heir):
            process.webhooks.close()


def test_who_answers_late_does_not_undo_what_another_worker_has_heard(
    started: Start, receiver: Receiver, clock: ManualClock, tmp_path: Path
) -> None:
    """What is told stays told, whatever the first one hears after its lease."""
    url = f"sqlite:///{tmp_path / 'notify.db'}"
    slow, heir = (started(webhook(receiver), url=url, clock=clock) for _ in range(2))

    def take_over() -> None:
        clock.advance(slow.kept.config.lease.total_seconds())
        heir.work_off()

    receiver.replies.append(Reply(500, happen=take_over))
    slow.note("in-1")
    slow.work_off()

    assert len(receiver.calls) == 2
    assert heir.states() == {"told": 1}


def _process_on(database: OwnDatabase, receiver: Receiver, clock: ManualClock) -> Process:
    config = JournalConfig(url=Secret("memory"))
    journal = SqlJournal(database, TYPES, Unsealed(), clock)
    kept = Kept(journal, Leases(journal, clock, config.lease), config)
    webhooks = Webhooks(kept, [webhook(receiver)], clock, chance=lambda: 0.5)
    kept.journal.accompany(webhooks.note)
    return Process(kept, webhooks, clock)


def test_two_workers_share_what_is_to_be_told(
    started: Start, receiver: Receiver, clock: ManualClock, journal_url: str
) -> None:
    """Each tells some of it, several at once, and nothing is told twice."""
    workers = [started(webhook(receiver), url=journal_url, clock=clock) for _ in range(2)]
    together = threading.Barrier(16, timeout=PATIENCE_S)
    receiver.replies.extend([Reply(happen=together.wait)] * 16)
    workers[0].note(*(f"in-{number}" for number in range(16)))
    done: list[int] = []

    threads = [
        threading.Thread(target=lambda worker=worker: done.append(worker.work_off()))
        for worker in workers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert done == [8, 8]
    assert {1} == set(Counter(receiver.ids).values())
    assert workers[0].states() == {"told": 16}


def test_an_address_that_is_slow_holds_up_no_other(receivers: Callable[[], Receiver]) -> None:
    """A worker has a thread for each."""
    slow, quick = receivers(), receivers()
    slow_has_answered, quick_was_told = threading.Event(), threading.Event()
    slow.replies.append(Reply(happen=lambda: slow_has_answered.wait(PATIENCE_S)))
    quick.replies.append(Reply(happen=quick_was_told.set))

    with notifier_with(_config(webhook(slow), webhook(quick))) as notifier, notifier.worker():
        notifier.send(Sms(to=NUMBER, text=TEXT))

        assert quick_was_told.wait(PATIENCE_S)
        slow_has_answered.set()

    assert len(slow.calls) == 1


# --- what follows from an answer ------------------------------------------------------------


def told_since(begun_at: datetime, tries: int) -> Claimed:
    return Claimed(id="msg_1", body="{}", begun_at=begun_at, tries=tries)


@pytest.mark.parametrize(
    ("status", "asked_for_s", "tries", "expected"),
    [
        (200, None, 0, Verdict(Telling.TOLD)),
        (204, 60.0, 5, Verdict(Telling.TOLD)),
        (410, None, 0, Verdict(Telling.GONE)),
        (301, None, 0, 5),
        (400, None, 0, 5),
        (404, None, 1, 60),
        (500, None, 2, 300),
        (502, None, 3, 1800),
        (None, None, 4, 7200),
        (None, None, 5, 21_600),
        (None, None, 50, 21_600),
        (429, 30.0, 0, 30),
        (503, 30.0, 1, 60),
        (400, 30.0, 0, 5),
    ],
)
def test_what_is_not_heard_is_told_again_at_growing_intervals(
    status: int | None, asked_for_s: float | None, tries: int, expected: Verdict | int
) -> None:
    """Or later, if an address that is busy asks for that."""
    follows = verdict(status, asked_for_s, told_since(NOW, tries), NOW, timedelta(days=3), 0.5)

    if isinstance(expected, int):
        expected = Verdict(Telling.WAITING, NOW + timedelta(seconds=expected))
    assert expected == follows


@pytest.mark.parametrize(("chance", "pause_s"), [(0.0, 4.0), (1.0, 6.0)])
def test_intervals_differ_by_chance(chance: float, pause_s: float) -> None:
    """So that what failed together does not come back together."""
    follows = verdict(500, None, told_since(NOW, 0), NOW, timedelta(days=3), chance)

    assert NOW + timedelta(seconds=pause_s) == follows.due_at


@pytest.mark.parametrize(
    ("begun_before", "expected"),
    [
        (timedelta(minutes=1), Telling.WAITING),
        (timedelta(minutes=9, seconds=55), Telling.WAITING),
        (timedelta(minutes=9, seconds=56), Telling.GIVEN_UP),
    ],
)
def test_what_would_come_after_its_time_is_given_up(
    begun_before: timedelta, expected: Telling
) -> None:
    """``retry_for`` counts from when it was first to be told."""
    told = told_since(NOW - begun_before, 0)

    follows = verdict(500, None, told, NOW, timedelta(minutes=10), 0.5)

    assert expected is follows.telling


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("0", 0.0),
        (" 120 ", 120.0),
        ("9" * 400, 86_400.0),
        ("Tue, 01 Jan 2030 00:02:00 GMT", 120.0),
        ("Tue, 01 Jan 2030 00:02:00 -0000", 120.0),
        ("Mon, 31 Dec 2029 23:00:00 GMT", 0.0),
        ("Tue, 01 Jan 2099 00:00:00 GMT", 86_400.0),
    ],
)
def test_a_pause_is_asked_for_in_seconds_or_by_a_date(
    header: str | None, expected: float | None
) -> None:
    """What is neither asks for nothing."""
    assert expected == retry_after_s(header, NOW)


def test_what_failed_is_told_again_with_a_new_time_and_the_same_id(
    process: Process, receiver: Receiver, clock: ManualClock
) -> None:
    """So the signature is fresh, and a receiver knows what it has already."""
    receiver.replies.append(Reply(500))
    process.note("in-1")
    process.work_off()
    too_early = process.work_off()

    clock.advance(5)
    process.work_off()

    first, second = receiver.calls
    assert too_early == 0
    assert first.id == second.id
    assert first.body == second.body
    assert int(first.timestamp) + 5 == int(second.timestamp)
    assert second.is_signed_with(SECRET)
    assert process.states() == {"told": 1}


def test_an_address_that_asks_for_a_pause_is_left_alone(
    process: Process, receiver: Receiver, clock: ManualClock
) -> None:
    """With everything, not with that alone which it refused."""
    receiver.replies.append(Reply(429, (("Retry-After", "120"),)))
    process.note("in-1")
    process.work_off()

    process.note("in-2")
    meanwhile = process.work_off()
    due = process.next_due()
    clock.advance(120)
    afterwards = process.work_off()

    assert (meanwhile, afterwards) == (0, 2)
    assert [NOW + timedelta(seconds=120)] == due


def test_an_address_that_is_gone_is_told_nothing_any_more(
    process: Process, receiver: Receiver
) -> None:
    """Neither what waits nor what happens later, until somebody says so."""
    receiver.replies.append(Reply(410))
    process.note("in-1")
    process.work_off()
    process.note("in-2")
    meanwhile = process.states()

    retried = process.store.retry(NOW, url=receiver.url)
    process.note("in-3")
    process.work_off()

    assert meanwhile == {"given_up": 1, "gone": 1}
    assert retried == 1
    assert process.states() == {"told": 2}


def test_what_was_given_up_is_kept_and_can_be_begun_anew(
    started: Start, receiver: Receiver, clock: ManualClock, journal_url: str
) -> None:
    """With all its intervals."""
    short = webhook(receiver, retry_for=timedelta(minutes=1))
    process = started(short, url=journal_url, clock=clock)
    receiver.replies.extend([Reply(500)] * 3)
    process.note("in-1")
    process.work_off()
    clock.advance(5)
    process.work_off()
    (given_up,) = process.store.all(Telling.GIVEN_UP, 10)

    clock.advance(3600)
    process.store.retry(clock.now(), url=receiver.url, event_id=given_up.id)
    process.work_off()
    (waiting,) = process.store.all(Telling.WAITING, 10)

    assert (given_up.tries, given_up.answer) == (2, "500")
    assert given_up.id == waiting.id
    assert clock.now() + timedelta(seconds=5) == waiting.due_at


def test_what_is_old_is_forgotten(process: Process, receiver: Receiver, clock: ManualClock) -> None:
    """What was told after days, what was given up after weeks."""
    receiver.replies.extend([Reply(), Reply(410)])
    for number in range(2):
        process.note(f"in-{number}")
        process.work_off()
    before = process.states()

    clock.advance(4 * 86_400)
    process.work_off()
    after_days = process.states()
    clock.advance(27 * 86_400)
    process.work_off()

    assert before == {"told": 1, "given_up": 1, "gone": 1}
    assert after_days == {"given_up": 1, "gone": 1}
    assert process.states() == {}


# --- the call -------------------------------------------------------------------------------


def test_a_redirect_is_not_followed(process: Process, receiver: Receiver) -> None:
    """The address is the operator's to say."""
    receiver.replies.append(Reply(307, (("Location", receiver.url),)))
    process.note("in-1")

    process.work_off()

    (waiting,) = process.store.all(Telling.WAITING, 10)
    assert len(receiver.calls) == 1
    assert waiting.answer == "307"


def test_no_password_is_looked_for_on_the_machine(
    process: Process, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be somebody else's who works there."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login anna password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    process.note("in-1")

    process.work_off()

    assert [call.authorization for call in receiver.calls] == [None]


def test_one_connection_serves_for_many_calls(process: Process, receiver: Receiver) -> None:
    """If the answers are short."""
    for number in range(3):
        process.note(f"in-{number}")
        process.work_off()

    assert len(receiver.calls) == 3
    assert receiver.connections == 1


def test_a_long_answer_is_not_read(process: Process, receiver: Receiver) -> None:
    """The status says all that counts."""
    receiver.replies.append(Reply(body=bytes(5000)))
    for number in range(2):
        process.note(f"in-{number}")
        process.work_off()

    assert process.states() == {"told": 2}
    assert receiver.connections == 2


def test_who_does_not_answer_in_time_has_not_answered(receiver: Receiver) -> None:
    """It may have heard, and is told again."""
    answered = threading.Event()
    receiver.replies.append(Reply(happen=lambda: answered.wait(PATIENCE_S)))
    with contextlib.closing(Poster(receiver.url, 0.1, 1)) as poster:
        answer = poster.post(b"{}", {"webhook-id": "1"}, NOW)
    answered.set()

    assert answer.status is None
    assert "no whole answer" in str(answer)


def test_who_cannot_be_reached_has_not_answered(receivers: Callable[[], Receiver]) -> None:
    """And what it says does not hold the address."""
    gone = receivers()
    gone.close()
    with contextlib.closing(Poster(gone.url, 1.0, 1)) as poster:
        answer = poster.post(b"{}", {}, NOW)

    assert Answer(None, answer.failure) == answer
    assert "127.0.0.1" not in str(answer)


def test_an_address_can_be_tested(receiver: Receiver, clock: ManualClock) -> None:
    """With a call that tells nothing, once."""
    receiver.replies.append(Reply(418))

    answer = try_out(webhook(receiver), clock)

    (call,) = receiver.calls
    assert answer.status == 418
    assert call.told["type"] == "webhook.test"
    assert call.is_signed_with(SECRET)


def test_no_log_holds_a_secret_or_what_was_told(
    started: Start,
    receiver: Receiver,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whatever becomes of it."""
    caplog.set_level(logging.DEBUG)
    process = started(webhook(receiver, retry_for=timedelta(minutes=1)), clock=clock)
    receiver.replies.extend([Reply(500), Reply(500), Reply(410)])
    for number in range(2):
        process.note(f"in-{number}")
        process.work_off()
        clock.advance(58)
        process.work_off()

    shown = caplog.text + repr(process.webhooks) + repr(webhook(receiver))
    assert "is given up after" in caplog.text
    assert "wants no webhooks any more" in caplog.text
    for hidden in (SECRET, receiver.calls[0].body.decode(), "+79…67", receiver.calls[0].signatures):
        assert hidden not in shown
