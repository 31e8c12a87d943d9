"""Who may call a provider, as the threads of one process agree on it."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta

import pytest

from notify_core.config.model import Breaker
from notify_core.errors import JournalError, ProviderError
from notify_core.health import HealthBoard, Obstacle, OwnHealth
from notify_core.outcome import (
    Accepted,
    FailureScope,
    NotSent,
    Outcome,
    Receipt,
    RefusalScope,
    Refused,
    Unknown,
)
from notify_core.policy.breaker import Health
from notify_core.testing import ManualClock

ACCEPTED = Accepted(Receipt(provider="a", address="+79990000001"))
REFUSED = Refused("no such number", RefusalScope.RECIPIENT)
LOST = Unknown("the answer was lost")
DOWN = NotSent("out of reach", FailureScope.PROVIDER)
BAD_LOGIN = NotSent("authorise error", FailureScope.ACCOUNT)

AT_ONCE = Breaker(failures=1, pause=timedelta(seconds=30))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


class TestObstacles:
    """What stands against an attempt, and until when."""

    def test_nothing_stands_against_a_provider_that_nobody_has_called(
        self, clock: ManualClock
    ) -> None:
        assert HealthBoard(AT_ONCE, clock).claim("a") is None

    def test_a_pause_says_when_it_ends(self, clock: ManualClock) -> None:
        board = HealthBoard(AT_ONCE, clock)
        board.record("a", DOWN)
        end = clock.now() + timedelta(seconds=30)

        clock.advance(10)

        assert board.claim("a") == Obstacle("left alone for 20 s: out of reach", end)

    def test_a_pause_that_the_provider_asked_for_ends_when_it_said(
        self, clock: ManualClock
    ) -> None:
        board = HealthBoard(AT_ONCE, clock)
        board.record("a", NotSent("blocked", FailureScope.ACCOUNT, retry_after_s=1800))

        obstacle = board.claim("a")

        assert obstacle is not None
        assert obstacle.until == clock.now() + timedelta(minutes=30)

    def test_whoever_waits_for_a_stopped_provider_looks_again_in_a_minute(
        self, clock: ManualClock
    ) -> None:
        """Nobody can say when somebody will have mended it."""
        board = HealthBoard(AT_ONCE, clock)
        board.record("a", BAD_LOGIN)

        assert board.claim("a") == Obstacle(
            "stopped: authorise error", clock.now() + timedelta(minutes=1)
        )

    def test_a_provider_that_was_resumed_is_tried_at_once(self, clock: ManualClock) -> None:
        board = HealthBoard(AT_ONCE, clock)
        board.record("a", BAD_LOGIN)

        board.resume("a")

        assert board.claim("a") is None
        assert board.health("a") == Health()

    def test_one_provider_says_nothing_of_another(self, clock: ManualClock) -> None:
        board = HealthBoard(AT_ONCE, clock)

        board.record("a", DOWN)

        assert board.claim("b") is None

    def test_of_many_threads_one_finds_out_whether_a_pause_has_helped(
        self, clock: ManualClock
    ) -> None:
        board = HealthBoard(AT_ONCE, clock)
        board.record("a", DOWN)
        clock.advance(30)
        together = threading.Barrier(8)
        claims: list[Obstacle | None] = []

        def claim() -> None:
            together.wait()
            claims.append(board.claim("a"))

        threads = [threading.Thread(target=claim) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert claims.count(None) == 1


class TestRecord:
    """What is learnt from the end of an attempt."""

    @pytest.mark.parametrize("outcome", [ACCEPTED, REFUSED, LOST], ids=str)
    def test_what_is_no_fault_of_the_provider_need_not_be_kept(
        self, clock: ManualClock, outcome: Outcome
    ) -> None:
        store = Counting()
        board = HealthBoard(AT_ONCE, clock, store)
        board.claim("a")
        asked = store.asked

        board.record("a", outcome)

        assert (store.asked, store.swapped) == (asked, 0)

    def test_a_health_is_replaced_only_if_it_is_still_the_one_that_is_known(self) -> None:
        store = OwnHealth()
        assert store.swap_health("a", Health(), Health(failures=1))

        assert not store.swap_health("a", Health(), Health(failures=9))
        assert store.health("a") == Health(failures=1)

    def test_failures_of_many_threads_are_all_counted(self, clock: ManualClock) -> None:
        board = HealthBoard(Breaker(failures=1000), clock)

        threads = [
            threading.Thread(target=lambda: [board.record("a", DOWN) for _ in range(50)])
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert board.health("a").failures == 200

    def test_a_health_that_cannot_be_kept_costs_a_line_in_the_log(
        self, clock: ManualClock, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The outcome itself is worth more."""
        caplog.set_level(logging.ERROR)

        HealthBoard(AT_ONCE, clock, Broken()).record("a", DOWN)

        assert [record.getMessage() for record in caplog.records] == [
            "the health of provider a cannot be kept: the disk is full"
        ]


class TestTrust:
    """How long a provider that was well is taken for well without asking the store."""

    def test_a_store_that_is_shared_is_not_asked_for_every_attempt(
        self, clock: ManualClock
    ) -> None:
        store = Counting()
        board = HealthBoard(AT_ONCE, clock, store, trusted_s=0.5)

        for _ in range(10):
            board.claim("a")
            clock.advance(0.1)

        assert store.asked == 2

    def test_what_another_process_has_found_out_is_seen_after_that_time(
        self, clock: ManualClock
    ) -> None:
        store = OwnHealth()
        board = HealthBoard(AT_ONCE, clock, store, trusted_s=0.5)
        board.claim("a")

        HealthBoard(AT_ONCE, clock, store).record("a", DOWN)
        before = board.claim("a")
        clock.advance(0.5)

        assert before is None
        assert board.claim("a") is not None

    def test_what_was_found_out_here_is_seen_at_once(self, clock: ManualClock) -> None:
        board = HealthBoard(AT_ONCE, clock, trusted_s=60)
        board.claim("a")

        board.record("a", DOWN)

        assert board.claim("a") is not None

    def test_a_provider_that_was_closed_is_asked_for_each_time(self, clock: ManualClock) -> None:
        store = OwnHealth()
        board = HealthBoard(AT_ONCE, clock, store, trusted_s=60)
        board.record("a", DOWN)
        assert board.claim("a") is not None

        HealthBoard(AT_ONCE, clock, store).resume("a")

        assert board.claim("a") is None


class Counting(OwnHealth):
    """Counts how often it is asked and told."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.swapped = 0

    def health(self, provider: str) -> Health:
        self.asked += 1
        return super().health(provider)

    def swap_health(self, provider: str, known: Health, now: Health) -> bool:
        self.swapped += 1
        return super().swap_health(provider, known, now)


class Broken(OwnHealth):
    """Cannot be written."""

    def swap_health(self, *_: object) -> bool:
        raise JournalError("the disk is full")


class TestGradualReturn:
    """Callers who can wait are let through one by one at first."""

    def test_more_and_more_is_let_through_until_all_is(self, clock: ManualClock) -> None:
        board = HealthBoard(AT_ONCE, clock, gradual=True)
        board.record("a", DOWN)
        clock.advance(30)
        let_through = []

        for _ in range(200):
            if board.claim("a") is None:
                board.record("a", ACCEPTED)
                let_through.append(clock.monotonic() - 30)
            clock.advance(0.03125)

        assert let_through[:6] == [0.0, 1.0, 1.5, 1.75, 1.875, 1.9375]
        assert board.health("a") == Health()
        assert len(let_through) == 200 - 1.9375 / 0.03125 + 5

    def test_without_it_the_first_success_opens_the_provider(self, clock: ManualClock) -> None:
        board = HealthBoard(AT_ONCE, clock)
        board.record("a", DOWN)
        clock.advance(30)
        assert board.claim("a") is None

        board.record("a", ACCEPTED)

        assert [board.claim("a") for _ in range(5)] == [None] * 5

    def test_a_failure_on_the_way_closes_it_again(self, clock: ManualClock) -> None:
        board = HealthBoard(AT_ONCE, clock, gradual=True)
        board.record("a", DOWN)
        for outcome, pause in ((ACCEPTED, 30), (ACCEPTED, 1), (DOWN, 0.5)):
            clock.advance(pause)
            assert board.claim("a") is None
            board.record("a", outcome)

        obstacle = board.claim("a")

        assert obstacle == Obstacle(
            "left alone for 30 s: out of reach", clock.now() + timedelta(seconds=30)
        )


class TestBudget:
    """Repeated attempts are given as far as those that repeat none earn them."""

    def test_repeating_ends_when_the_reserve_is_used_up(self, clock: ManualClock) -> None:
        board = HealthBoard(Breaker(), clock, repeats=0.2)

        given = sum(board.claim("a", again=True) is None for _ in range(150))

        assert given == 100
        assert board.claim("a", again=True) == Obstacle(
            "given no more repeated attempts for now: too many have failed",
            clock.now() + timedelta(seconds=5),
        )

    def test_an_attempt_that_repeats_none_is_always_given(self, clock: ManualClock) -> None:
        board = used_up(clock)

        assert [board.claim("a") for _ in range(5)] == [None] * 5

    def test_five_attempts_earn_one_repetition(self, clock: ManualClock) -> None:
        board = used_up(clock)

        for _ in range(6):  # one more, for a fifth is no exact number
            board.claim("a")

        assert board.claim("a", again=True) is None
        assert board.claim("a", again=True) is not None

    def test_time_earns_one_too(self, clock: ManualClock) -> None:
        board = used_up(clock)

        clock.advance(1)

        assert board.claim("a", again=True) is None
        assert board.claim("a", again=True) is not None

    def test_each_provider_has_its_own(self, clock: ManualClock) -> None:
        assert used_up(clock).claim("b", again=True) is None

    def test_a_repetition_that_is_not_given_finds_out_nothing(self, clock: ManualClock) -> None:
        """The pause of the provider is left for somebody who may call it."""
        board = used_up(clock, Breaker(failures=1, pause=timedelta(seconds=0.5)))
        board.record("a", DOWN)
        clock.advance(0.5)

        assert board.claim("a", again=True) is not None
        assert board.claim("a") is None


def used_up(clock: ManualClock, breaker: Breaker | None = None) -> HealthBoard:
    """Return a board of which provider ``a`` is given no more repetitions."""
    board = HealthBoard(breaker or Breaker(), clock, repeats=0.2)
    while board.claim("a", again=True) is None:
        pass
    return board


class TestQuestions:
    """A question is let through or held back as an attempt is."""

    def test_what_fails_in_a_question_counts(self, clock: ManualClock) -> None:
        board = HealthBoard(AT_ONCE, clock)

        with pytest.raises(ProviderError), board.question("a", "balance"):
            raise ProviderError("a", "balance", DOWN)

        assert board.claim("a") is not None

    def test_a_question_uses_up_nothing(self, clock: ManualClock) -> None:
        board = used_up(clock)

        with board.question("a", "status"):
            pass

        assert board.health("a") == Health()
