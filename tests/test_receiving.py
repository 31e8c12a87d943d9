"""Calls of providers: what is kept of them, when they are understood, and what comes of them."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar, cast

import pytest
from cryptography.fernet import Fernet
from hypothesis import given, settings
from hypothesis import strategies as st

from notify_core.callback import CallbackRequest
from notify_core.config.model import TextAtRest
from notify_core.errors import JournalError, ProviderError
from notify_core.journal.calls import Calls, Settled
from notify_core.journal.database import Database
from notify_core.journal.enlist import Executor
from notify_core.journal.model import Part
from notify_core.keeping import Kept
from notify_core.outcome import Unknown
from notify_core.receiving import AGAIN_AFTER_S, MOST_WAITING, Receiver
from notify_core.secret import Secret
from notify_core.testing import ManualClock
from tests.callers import NOON, Forms, Messages, Statuses, form, kept, rows_of, sqlite_url

T = TypeVar("T")
CANARY = "canary-secret-8191"
FAILED = """
INSERT INTO notify_calls (id, provider, request, received_at, tries, result)
VALUES (:id, :provider, :request, :received_at, 6, 'failed: ProviderError')
"""


class Desk:
    """A receiver with all that it works with."""

    def __init__(
        self,
        journal: Kept,
        clock: ManualClock,
        parser: Forms | None = None,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self.journal = journal
        self.clock = clock
        self.parser = parser or Forms()
        self.statuses = Statuses()
        self.messages = Messages()
        self.receiver = Receiver(
            self.parser, journal, self.statuses, self.messages, clock, most_waiting
        )

    def take(self, *bodies: str) -> None:
        for body in bodies:
            self.receiver.accept("smsc", form(body))

    def work_until_all_is_over(self) -> None:
        """Work whenever something is due, until nothing is any more."""
        self.times_of_work()

    def times_of_work(self) -> list[float]:
        """Do the same, and return when there was something to do, in seconds since noon."""
        times = []
        while (due := self.receiver.next_due()) is not None:
            self.clock.advance(max((due - self.clock.now()).total_seconds(), 0))
            times.append((self.clock.now() - NOON).total_seconds())
            self.receiver.work_off()
        return times


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def journal(request: pytest.FixtureRequest, clock: ManualClock, tmp_path: Path) -> Iterator[Kept]:
    """Return an empty journal of each kind."""
    urls: dict[str, Callable[[], str]] = {
        "memory": lambda: "memory:",
        "sqlite": lambda: sqlite_url(tmp_path),
        "postgresql": lambda: request.getfixturevalue("postgres_url"),
    }
    with closing(kept(clock, urls[request.param]())) as opened:
        yield opened


@pytest.fixture
def desk(journal: Kept, clock: ManualClock) -> Desk:
    return Desk(journal, clock)


@pytest.fixture
def in_memory(clock: ManualClock) -> Iterator[Kept]:
    with closing(kept(clock)) as opened:
        yield opened


def failing_with(error: BaseException) -> Forms:
    def fail() -> None:
        raise error

    return Forms(fail)


# --- what a call tells ----------------------------------------------------------------------


def test_a_call_is_kept_before_it_is_understood(desk: Desk) -> None:
    """Nothing of the plugin runs while the provider waits."""
    desk.take("sig=good&id=7")

    assert desk.parser.parsed == []
    assert desk.receiver.next_due() == desk.clock.now()


def test_what_a_call_tells_is_given_to_whom_it_is_for(desk: Desk) -> None:
    """Receipts go to the tracker, messages to the inbox; one call may tell several."""
    desk.take("sig=good&id=7&id=8", "sig=good&from=%2B79990000002")

    assert desk.receiver.work_off() == 2
    assert desk.statuses.taken == {"7": 1, "8": 1}
    assert desk.messages.taken == {"+79990000002": 1}


def test_a_message_was_told_when_its_call_came(desk: Desk) -> None:
    """However much later it is understood."""
    desk.take("sig=good&from=5")
    desk.clock.advance(3600)
    desk.receiver.work_off()

    assert desk.messages.told_at == {NOON}


def test_a_call_is_understood_as_it_came(desk: Desk) -> None:
    """Every byte of it, what no text can hold too."""
    request = form(
        query="a=%ff&b=%00&c=\xe9+\x00",
        headers={"content-type": "text/xml; charset=windows-1251", "x-signature": "\xff"},
        body=bytes(range(256)),
    )
    desk.receiver.accept("smsc", request)
    desk.receiver.work_off()

    assert desk.parser.parsed == [request]


def test_nothing_is_left_of_a_call_that_was_understood(desk: Desk) -> None:
    """A call can hold the secret it is signed with."""
    desk.take("sig=good&id=7")
    desk.receiver.work_off()

    assert rows_of(desk.journal) == []
    assert desk.receiver.next_due() is None
    assert desk.receiver.work_off() == 0


def test_a_hundred_calls_are_done_at_once_and_the_rest_later(desk: Desk) -> None:
    """Work comes in bites, so that a worker can stop in between."""
    desk.take(*(f"sig=good&id={number}" for number in range(120)))

    assert [desk.receiver.work_off() for _ in range(3)] == [100, 20, 0]
    assert desk.statuses.taken == Counter(str(number) for number in range(120))


# --- what comes to nothing ------------------------------------------------------------------


def test_a_forged_call_has_no_effect_and_says_why(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """It is kept for whoever wonders, and the log counts it without a word of it."""
    desk.take(f"sig=bad&id=7&note={CANARY}", f"sig=bad&id=8&note={CANARY}")
    desk.receiver.work_off()

    assert desk.statuses.taken == {}
    assert [row["result"] for row in rows_of(desk.journal)] == [
        "refused: the signature does not fit"
    ] * 2
    assert desk.receiver.next_due() is None
    assert caplog.messages == [
        "calls of provider smsc given up (2): refused: the signature does not fit"
    ]


def test_a_receipt_may_come_before_its_message_is_known(desk: Desk) -> None:
    """The answer of the send is written a moment later."""
    desk.statuses.known = {"8"}
    desk.take("sig=good&id=7")
    desk.receiver.work_off()
    assert desk.receiver.next_due() == NOON + timedelta(seconds=1)

    desk.statuses.known.add("7")
    desk.clock.advance(1)
    desk.receiver.work_off()

    assert desk.statuses.taken == {"7": 1}
    assert rows_of(desk.journal) == []


def test_a_receipt_of_a_message_that_nobody_ever_knows_is_given_up(desk: Desk) -> None:
    """The pauses grow to half an hour; another program may use the same account."""
    desk.statuses.known = set()
    desk.take("sig=good&id=7")

    assert desk.times_of_work() == [0.0, 1.0, 6.0, 36.0, 336.0, 2136.0]
    (row,) = rows_of(desk.journal)
    assert (row["result"], row["tries"]) == ("unmatched", len(AGAIN_AFTER_S) + 1)


def test_a_hint_about_a_message_that_nobody_knows_is_looked_at_once_more(desk: Desk) -> None:
    """Anybody can send such calls: they shall not lie there for half an hour."""
    desk.statuses.known = set()
    desk.take("sig=none&id=7")

    assert desk.times_of_work() == [0.0, 5.0]
    assert [row["result"] for row in rows_of(desk.journal)] == ["unmatched"]


def test_a_call_that_proves_one_of_what_it_tells_is_tried_as_often_as_any(desk: Desk) -> None:
    desk.statuses.known = set()
    desk.take("sig=none&id=7&proven=8")

    assert len(desk.times_of_work()) == 1 + len(AGAIN_AFTER_S)


def test_calls_beyond_what_may_wait_are_to_be_repeated(journal: Kept, clock: ManualClock) -> None:
    """Of one provider. There is room again when some are understood."""
    desk = Desk(journal, clock, most_waiting=3)
    desk.take("sig=good&id=1", "sig=good&id=2", "sig=good&id=3")

    with pytest.raises(JournalError, match=r"^3 calls of smsc wait to be understood"):
        desk.take("sig=good&id=4")
    desk.receiver.accept("another", form())
    desk.receiver.work_off()
    clock.advance(1)
    desk.take("sig=good&id=4")

    assert len(rows_of(journal)) == 1


def test_calls_that_another_process_keeps_take_room_too(
    in_memory: Kept, clock: ManualClock
) -> None:
    """It is seen within seconds."""
    one, another = (Desk(in_memory, clock, most_waiting=3) for _ in range(2))
    one.take("sig=good&id=1")
    another.take("sig=good&id=2", "sig=good&id=3")
    clock.advance(5)

    with pytest.raises(JournalError, match="wait to be understood"):
        one.take("sig=good&id=4")


def test_true_calls_of_a_busy_minute_all_have_room() -> None:
    """A thousand a second, and no worker."""
    assert MOST_WAITING >= 60 * 1000


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (
            ProviderError("smsc", "status", Unknown("the connection was cut")),
            "failed: provider 'smsc' did not answer the status query: unknown: the connection was"
            " cut",
        ),
        (JournalError("no room"), "failed: no room"),
        (RuntimeError(CANARY), "failed: RuntimeError"),
        (SystemExit(CANARY), "failed: SystemExit"),
    ],
)
def test_a_call_that_fails_is_tried_again_and_then_given_up(
    in_memory: Kept, clock: ManualClock, error: BaseException, result: str
) -> None:
    """The words of what is not ours are kept out: they could hold what the call holds."""
    desk = Desk(in_memory, clock, failing_with(error))
    desk.take("sig=good&id=7")
    desk.work_until_all_is_over()

    assert [row["result"] for row in rows_of(in_memory)] == [result]
    assert len(desk.parser.parsed) == 6


def test_a_plugin_that_is_mended_in_between_understands_the_call(
    in_memory: Kept, clock: ManualClock
) -> None:
    """Nothing is lost by a failure."""
    desk = Desk(in_memory, clock, failing_with(RuntimeError()))
    desk.take("sig=good&id=7")
    desk.receiver.work_off()
    desk.parser.failing = lambda: None
    clock.advance(1)
    desk.receiver.work_off()

    assert desk.statuses.taken == {"7": 1}


def test_one_call_that_fails_stands_in_nobodys_way(in_memory: Kept, clock: ManualClock) -> None:
    desk = Desk(in_memory, clock)
    desk.take("sig=bad", "sig=good&id=7", "sig=bad", "sig=good&id=8")
    desk.receiver.work_off()

    assert desk.statuses.taken == {"7": 1, "8": 1}
    assert len(rows_of(in_memory)) == 2


def test_a_reason_is_one_short_line(
    in_memory: Kept, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """A plugin may quote what somebody has made up."""
    desk = Desk(in_memory, clock, failing_with(JournalError("a\x1b[31m\nb\ud800" + "c" * 999)))
    desk.take("x")
    desk.work_until_all_is_over()

    (row,) = rows_of(in_memory)
    assert str(row["result"]).startswith("failed: a [31m b ccc")
    assert len(str(row["result"])) == 208
    assert caplog.text.count("\n") == 1


def test_calls_that_come_to_nothing_never_fill_the_disk(
    in_memory: Kept, clock: ManualClock
) -> None:
    """Of those that were refused the newest thousand are kept, and some that came since."""
    desk = Desk(in_memory, clock)
    desk.take(*("sig=bad" for _ in range(2_300)))
    most = 0
    while desk.receiver.work_off():
        most = max(most, sum(row["result"] is not None for row in rows_of(in_memory)))

    assert 1_000 <= len(rows_of(in_memory)) < 2_000
    assert most < 2_000


def test_of_the_calls_that_failed_the_newest_ten_thousand_are_kept(
    in_memory: Kept, clock: ManualClock
) -> None:
    """The oldest go when another one is given up."""
    failed = [
        {"id": f"{number:024d}", "provider": "smsc", "request": "{}", "received_at": number}
        for number in range(10_100)
    ]
    in_memory.journal.database.write(lambda executor: executor.execute_many(FAILED, failed))
    desk = Desk(in_memory, clock)
    desk.take("sig=bad")
    desk.receiver.work_off()

    kinds = Counter(str(row["result"])[:7] for row in rows_of(in_memory))
    assert kinds == {"failed:": 10_000, "refused": 1}


def test_a_flood_that_comes_to_nothing_does_not_fill_the_log(
    in_memory: Kept, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """A line a minute for each kind says how many there were."""
    desk = Desk(in_memory, clock)
    for seconds in (0, 59, 1):
        clock.advance(seconds)
        desk.take("sig=bad", "sig=bad", "sig=bad")
        desk.receiver.work_off()

    assert caplog.messages == [
        f"calls of provider smsc given up ({times}): refused: the signature does not fit"
        for times in (3, 3)
    ]


# --- crashes and leases ---------------------------------------------------------------------


def test_a_call_that_somebody_died_over_is_done_by_the_next(
    journal: Kept, clock: ManualClock
) -> None:
    """Not before the lease has ended: whoever has it may only be slow."""
    first, second = Desk(journal, clock), Desk(journal, clock)
    first.take("sig=good&id=7")
    Calls(journal.journal.database, journal.journal.seal).claim(
        "somebody else", clock.now(), clock.now() + timedelta(seconds=60), 10
    )

    assert second.receiver.work_off() == 0
    clock.advance(60)
    assert second.receiver.work_off() == 1
    assert second.statuses.taken == {"7": 1}


def test_a_call_that_kills_whoever_does_it_takes_others_with_it_once(
    in_memory: Kept, clock: ManualClock
) -> None:
    """After that it is done alone, and in the end not any more."""
    desk = Desk(in_memory, clock)
    desk.parser.failing = lambda: die_over(desk, "kills")
    desk.take("sig=good&id=1", "kills", *(f"sig=good&id={number}" for number in range(2, 9)))
    deaths = 0
    while (due := desk.receiver.next_due()) is not None:
        clock.advance(max((due - clock.now()).total_seconds(), 0))
        try:
            desk.receiver.work_off()
        except Dies:
            deaths += 1

    assert deaths == 8
    (row,) = rows_of(in_memory)
    assert row["result"] == "failed: whoever did it never came back, time and again"
    assert max(desk.statuses.taken.values()) <= 2
    assert set(desk.statuses.taken) == {str(number) for number in range(1, 9)}


def die_over(desk: Desk, word: str) -> None:
    if desk.parser.parsed[-1].body == word.encode():
        raise Dies


def test_what_somebody_died_over_is_taken_alone(journal: Kept) -> None:
    """Before what is new, so that it does not wait for ever."""
    calls = Calls(journal.journal.database, journal.journal.seal)
    for number in range(3):
        calls.add(str(number), "smsc", "{}", NOON, NOON)
    later, until = NOON + timedelta(seconds=60), NOON + timedelta(seconds=120)
    calls.claim("dead", NOON, later, 2)

    claimed = [
        [(call.id, call.tries) for call in calls.claim("me", later, until, 9)] for _ in range(4)
    ]

    assert claimed == [[("0", 2)], [("1", 2)], [("2", 1)], []]


def test_who_comes_back_too_late_changes_nothing(journal: Kept) -> None:
    """Another one of the same process, even, has it by now."""
    calls = Calls(journal.journal.database, journal.journal.seal)
    calls.add("1", "smsc", "{}", NOON, NOON)
    (late,) = calls.claim("me", NOON, NOON + timedelta(seconds=60), 10)
    (now,) = calls.claim("me", NOON + timedelta(seconds=60), NOON + timedelta(seconds=120), 10)

    calls.settle("me", [Settled(call=late)])
    assert len(rows_of(journal)) == 1
    calls.settle("me", [Settled(call=now)])
    assert rows_of(journal) == []


def test_two_workers_never_have_the_same_call(journal: Kept) -> None:
    calls = Calls(journal.journal.database, journal.journal.seal)
    for number in range(5):
        calls.add(str(number), "smsc", "{}", NOON, NOON)
    until = NOON + timedelta(seconds=60)

    claimed = [
        [call.id for call in calls.claim(owner, NOON, until, 3)] for owner in ("a", "b", "c")
    ]

    assert claimed == [["0", "1", "2"], ["3", "4"], []]


def test_a_journal_that_fails_in_the_middle_leaves_the_calls_to_the_next(
    clock: ManualClock, tmp_path: Path
) -> None:
    """What was done before is done again, with no other effect."""
    with closing(kept(clock, sqlite_url(tmp_path))) as first:
        desk = Desk(first, clock)
        desk.take("sig=good&id=7")
        desk.parser.failing = first.journal.close
        with pytest.raises(JournalError):
            desk.receiver.work_off()
        assert desk.statuses.taken == {"7": 1}
    clock.advance(60)
    with closing(kept(clock, sqlite_url(tmp_path))) as second:
        again = Desk(second, clock)
        again.receiver.work_off()

        assert again.statuses.taken == {"7": 1}
        assert rows_of(second) == []


def test_while_some_hand_calls_in_others_do_them(clock: ManualClock, tmp_path: Path) -> None:
    """At the same time, on one file; each is done exactly once."""
    with closing(kept(clock, sqlite_url(tmp_path))) as journal:
        desk = Desk(journal, clock)
        hands = [Thread(target=_hand_in, args=(desk, number, 25)) for number in range(4)]
        for hand in hands:
            hand.start()
        while any(hand.is_alive() for hand in hands) or desk.receiver.next_due():
            desk.receiver.work_off()

        assert desk.statuses.taken == Counter(str(number) for number in range(100))


def _hand_in(desk: Desk, number: int, count: int) -> None:
    desk.take(*(f"sig=good&id={number * count + turn}" for turn in range(count)))


class Dies(BaseException):
    """Stands for the end of the process."""


@settings(max_examples=40, deadline=None)
@given(
    calls=st.lists(st.sampled_from(["good", "bad", "unknown", "known later"]), max_size=8),
    deaths=st.sets(st.integers(0, 20), max_size=2),
)
def test_whenever_it_dies_every_call_comes_to_its_end(calls: list[str], deaths: set[int]) -> None:
    """Each is done at least once, and what is forged never is."""
    clock = ManualClock(NOON)
    steps = iter(range(10_000))

    def may_die() -> None:
        if next(steps) in deaths:
            raise Dies

    with closing(kept(clock)) as journal:
        desk = Desk(journal, clock, Forms(may_die))
        desk.statuses.known = {f"{n}" for n, kind in enumerate(calls) if kind == "good"}
        for number, kind in enumerate(calls):
            desk.take(f"sig={'bad' if kind == 'bad' else 'good'}&id={number}")
        _work_through_deaths(desk, calls)
        results = Counter(str(row["result"]).partition(":")[0] for row in rows_of(journal))

    done = {str(n) for n, kind in enumerate(calls) if kind in ("good", "known later")}
    assert set(desk.statuses.taken) == done
    expected = Counter(refused=calls.count("bad"), unmatched=calls.count("unknown"))
    assert results == +expected


def _work_through_deaths(desk: Desk, calls: list[str]) -> None:
    while (due := desk.receiver.next_due()) is not None:
        desk.clock.advance(max((due - desk.clock.now()).total_seconds(), 0))
        if desk.clock.now() > NOON and desk.statuses.known is not None:
            desk.statuses.known |= {f"{n}" for n, kind in enumerate(calls) if kind == "known later"}
        try:
            desk.receiver.work_off()
        except Dies:
            desk.clock.advance(1)


# --- texts at rest --------------------------------------------------------------------------


def test_a_call_is_encrypted_like_any_text(clock: ManualClock) -> None:
    key = Secret(Fernet.generate_key().decode())
    with closing(kept(clock, text_keys=(key,))) as journal:
        desk = Desk(journal, clock)
        desk.take(f"sig=good&id=7&note={CANARY}")
        (row,) = rows_of(journal)
        assert CANARY not in str(row["request"])

        desk.receiver.work_off()
        assert desk.statuses.taken == {"7": 1}


def test_a_call_that_cannot_be_opened_waits_for_its_key(clock: ManualClock, tmp_path: Path) -> None:
    """Nobody has understood it yet, so it is not thrown away."""
    old, new = (Secret(Fernet.generate_key().decode()) for _ in range(2))
    with closing(kept(clock, sqlite_url(tmp_path), text_keys=(old,))) as journal:
        Desk(journal, clock).take("sig=good&id=7")
    with closing(kept(clock, sqlite_url(tmp_path), text_keys=(new,))) as journal:
        Desk(journal, clock).receiver.work_off()
    clock.advance(1)
    with closing(kept(clock, sqlite_url(tmp_path), text_keys=(new, old))) as journal:
        desk = Desk(journal, clock)
        desk.receiver.work_off()

        assert desk.statuses.taken == {"7": 1}


@pytest.fixture
def textless(clock: ManualClock) -> Iterator[Desk]:
    """Return a desk whose journal must not hold texts."""
    with closing(kept(clock, text=TextAtRest.NEVER)) as journal:
        yield Desk(journal, clock)


def test_a_call_that_must_not_be_kept_is_understood_at_once(textless: Desk) -> None:
    textless.take("sig=good&id=7&from=5")

    assert textless.statuses.taken == {"7": 1}
    assert textless.messages.taken == {"5": 1}
    assert rows_of(textless.journal) == []


def test_a_call_that_must_not_be_kept_and_comes_to_nothing_is_told(
    textless: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """To repeat it would help nobody."""
    textless.statuses.known = set()
    textless.take("sig=bad", "sig=good&id=7")

    assert caplog.messages == [
        "calls of provider smsc given up (1): refused: the signature does not fit",
        "calls of provider smsc given up (1): unmatched",
    ]


def test_a_call_that_must_not_be_kept_and_fails_is_to_be_repeated(textless: Desk) -> None:
    """The server answers that it could not be kept."""
    textless.parser.failing = failing_with(RuntimeError(CANARY)).failing

    with pytest.raises(JournalError, match=r"^a call of smsc failed \(RuntimeError\)") as caught:
        textless.take("sig=good&id=7")
    assert CANARY not in str(caught.value)


def test_what_cannot_be_read_again_says_so_without_a_word_of_it(
    in_memory: Kept,
) -> None:
    """A row that somebody has damaged."""
    calls = Calls(in_memory.journal.database, in_memory.journal.seal)
    calls.add("1", "smsc", f'{{"method": "{CANARY}"}}', NOON, NOON)
    (call,) = calls.claim("me", NOON, NOON + timedelta(seconds=60), 1)

    with pytest.raises(JournalError, match=r"^a call that was kept cannot be read again$"):
        calls.request_of(call)
    assert CANARY not in repr(call)


# --- purging --------------------------------------------------------------------------------


@pytest.mark.parametrize("part", Part)
def test_purging_anything_removes_old_calls_that_came_to_nothing(desk: Desk, part: Part) -> None:
    """Each can hold texts and numbers. What is still to be done stays, however old it is."""
    desk.statuses.known = set()
    desk.take("sig=bad", "sig=good&id=7")
    desk.receiver.work_off()

    desk.journal.journal.purge(part, NOON)
    assert len(rows_of(desk.journal)) == 2

    desk.journal.journal.purge(part, NOON + timedelta(milliseconds=1))
    assert [row["result"] for row in rows_of(desk.journal)] == [None]


def test_erasing_somebody_removes_all_calls_that_came_to_nothing(desk: Desk) -> None:
    """Nobody can tell whose number is in which. What is still to be done stays."""
    desk.statuses.known = set()
    desk.take("sig=bad&phone=79990000001", "sig=bad", "sig=good&id=7")
    desk.receiver.work_off()

    erased = desk.journal.journal.erase("+79990000001")

    assert erased == (0, 0)
    assert [row["result"] for row in rows_of(desk.journal)] == [None]


class Recording:
    """A database that remembers the statements about calls which it was given."""

    def __init__(self, database: Database) -> None:
        self.dialect = database.dialect
        self.statements: dict[str, Mapping[str, object]] = {}
        self._database = database

    def read(self, work: Callable[[Executor], T]) -> T:
        return self._database.read(lambda executor: work(_Recorder(executor, self.statements)))

    def write(self, work: Callable[[Executor], T]) -> T:
        return self._database.write(lambda executor: work(_Recorder(executor, self.statements)))


class _Recorder:
    def __init__(self, executor: Executor, statements: dict[str, Mapping[str, object]]) -> None:
        self.dialect = executor.dialect
        self._executor = executor
        self._statements = statements

    def execute(self, statement: str, given: Mapping[str, object]) -> Sequence[tuple[Any, ...]]:
        self._statements[statement] = given
        return self._executor.execute(statement, given)

    def execute_many(self, statement: str, given: Sequence[Mapping[str, object]]) -> None:
        if given:
            self._statements[statement] = given[0]
        self._executor.execute_many(statement, given)


def test_no_statement_goes_through_all_the_calls_there_are(in_memory: Kept) -> None:
    """What waits does not hold up who purges, nor what was given up who works."""
    recording = Recording(in_memory.journal.database)
    calls = Calls(cast("Database", recording), in_memory.journal.seal)
    calls.add("1", "smsc", "{}", NOON, NOON)
    claimed = calls.claim("me", NOON, NOON, 10)
    calls.claim("me", NOON, NOON, 10)
    calls.settle("me", [Settled(call=each, result="failed: x") for each in claimed])
    calls.trim({"failed": 1})
    calls.purge(NOON)
    calls.waiting("smsc", 10)
    calls.next_due()

    def plans(executor: Executor) -> list[str]:
        return [
            str(step[-1])
            for statement, given in recording.statements.items()
            for step in executor.execute(f"EXPLAIN QUERY PLAN {statement}", given)
        ]

    found = in_memory.journal.database.read(plans)
    scans = [plan for plan in found if plan.startswith("SCAN notify_calls")]
    assert found
    assert [plan for plan in scans if "INDEX notify_calls_" not in plan] == []


# --- any call at all ------------------------------------------------------------------------


TEXTS = st.text(max_size=20)


@settings(max_examples=60, deadline=None)
@given(
    request=st.builds(
        CallbackRequest,
        method=st.sampled_from(["GET", "POST"]),
        query=TEXTS,
        headers=st.dictionaries(TEXTS, TEXTS, max_size=3),
        body=st.binary(max_size=60),
        remote=TEXTS,
        received_at=st.just(NOON),
    )
)
def test_any_call_is_kept_and_comes_back_as_it_was(request: CallbackRequest) -> None:
    """Whatever it holds, half characters too; nothing of it is an error of the journal."""
    clock = ManualClock(NOON)
    with closing(kept(clock)) as journal:
        desk = Desk(journal, clock)
        desk.receiver.accept("smsc", request)
        desk.receiver.work_off()

    assert desk.parser.parsed == [request]


def test_postgresql_takes_what_no_text_of_its_own_can_hold(
    postgres_url: str, clock: ManualClock
) -> None:
    """A NUL, half a character."""
    with closing(kept(clock, postgres_url)) as journal:
        desk = Desk(journal, clock)
        desk.receiver.accept("smsc", form(query="\x00\ud800", body=b"\x00\xff"))
        desk.receiver.work_off()

        assert [each.body for each in desk.parser.parsed] == [b"\x00\xff"]


def test_nothing_of_a_call_is_logged(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """At no level; not of one that is understood, nor of one that is not."""
    caplog.set_level(logging.DEBUG)
    desk.statuses.known = {CANARY}
    for signature in ("good", "bad"):
        desk.receiver.accept("smsc", form(f"sig={signature}&id={CANARY}", query=CANARY))
    desk.receiver.work_off()

    assert CANARY not in caplog.text
