"""How long to wait before another round, and when a provider is left alone: tables of decisions."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_core.config.model import Breaker, Retry
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
from notify_core.policy.breaker import Health, after, obstacle, probing
from notify_core.policy.budget import FULL, Budget, first_attempt, repeated_attempt
from notify_core.policy.retry import pause_before, wanted_pause

ACCEPTED = Accepted(Receipt(provider="a", address="+79990000001"))
REFUSED = Refused("no such number", RefusalScope.RECIPIENT)
LOST = Unknown("the answer was lost")
DOWN = NotSent("out of reach", FailureScope.PROVIDER)
DOWN_FOR_LONG = NotSent("under repair", FailureScope.PROVIDER, retry_after_s=600)
DOWN_BRIEFLY = NotSent("restarting", FailureScope.PROVIDER, retry_after_s=1)
BUSY = NotSent("too many requests", FailureScope.THROTTLED, retry_after_s=7)
BAD_LOGIN = NotSent("authorise error", FailureScope.ACCOUNT)
BLOCKED = NotSent("ip is blocked", FailureScope.ACCOUNT, retry_after_s=1800)

BREAKER = Breaker(failures=3, pause=timedelta(seconds=30))
NOW = 100.0

WELL = Health()
FAILED_ONCE = Health(failures=1)
FAILED_TWICE = Health(failures=2)
STOPPED = Health(failures=2, reason="authorise error", stopped=True)
CLOSED = Health(failures=3, closed_until=120.0, reason="out of reach")
CLOSED_FOR_LONG = Health(failures=3, closed_until=1000.0, reason="ip is blocked")
PROBED = Health(failures=3, closed_until=130.0, reason="out of reach", probed=True)


class TestRetry:
    """The pauses between the rounds."""

    @pytest.mark.parametrize(
        ("round_number", "pause"), [(2, 2.0), (3, 6.0), (4, 18.0), (5, 20.0), (9, 20.0)]
    )
    def test_the_pause_grows_by_the_factor_up_to_the_longest(
        self, round_number: int, pause: float
    ) -> None:
        retry = Retry(first=timedelta(seconds=2), factor=3, longest=timedelta(seconds=20))

        assert pause_before(round_number, retry, chance=0.5) == pause

    @pytest.mark.parametrize(
        ("chance", "pause"), [(0.0, 7.0), (0.25, 8.5), (0.5, 10.0), (0.75, 11.5), (1.0, 13.0)]
    )
    def test_chance_places_the_pause_within_the_jitter(self, chance: float, pause: float) -> None:
        retry = Retry(first=timedelta(seconds=10), jitter=0.3)

        assert pause_before(2, retry, chance) == pytest.approx(pause)

    @pytest.mark.parametrize("round_number", [64, 66, 67, 2000])
    def test_a_late_round_of_a_steep_growth_waits_for_the_longest_pause(
        self, round_number: int
    ) -> None:
        retry = Retry(first=timedelta(seconds=1), factor=1000.0, longest=timedelta(days=30))

        assert pause_before(round_number, retry, chance=0.5) == 30 * 24 * 3600

    @pytest.mark.parametrize(
        ("outcome", "pause"),
        [
            (None, 0.0),
            (ACCEPTED, 0.0),
            (REFUSED, 0.0),
            (LOST, 0.0),
            (DOWN, 0.0),
            (BUSY, 7.0),
            (BLOCKED, 1800.0),
        ],
        ids=str,
    )
    def test_only_what_did_not_leave_can_ask_for_a_pause(
        self, outcome: Outcome | None, pause: float
    ) -> None:
        assert wanted_pause(outcome) == pause


class TestObstacle:
    """What stands against a provider."""

    @pytest.mark.parametrize(
        ("health", "now", "against"),
        [
            (WELL, NOW, None),
            (FAILED_TWICE, NOW, None),
            (STOPPED, NOW, "stopped: authorise error"),
            (CLOSED, 100.0, "left alone for 20 s: out of reach"),
            (CLOSED, 119.0, "left alone for 1 s: out of reach"),
            (CLOSED, 120.0, None),
            (CLOSED, 121.0, None),
            (PROBED, 100.0, "left alone for 30 s: out of reach"),
        ],
    )
    def test_a_provider_is_left_alone_while_it_is_stopped_or_its_pause_lasts(
        self, health: Health, now: float, against: str | None
    ) -> None:
        assert obstacle(health, now) == against


class TestProbing:
    """One attempt after a pause."""

    @pytest.mark.parametrize("health", [WELL, FAILED_TWICE])
    def test_a_provider_that_was_not_closed_is_not_probed(self, health: Health) -> None:
        assert probing(health, BREAKER, NOW) == health

    def test_the_pause_begins_anew_while_an_attempt_finds_out_whether_it_has_helped(self) -> None:
        assert probing(CLOSED, BREAKER, now=125.0) == Health(
            failures=3, closed_until=155.0, reason="out of reach", probed=True
        )


class TestAfter:
    """How a provider stands after an attempt."""

    @pytest.mark.parametrize(
        ("health", "outcome", "expected"),
        [
            # An acceptance shows that the provider works.
            (WELL, ACCEPTED, WELL),
            (FAILED_TWICE, ACCEPTED, WELL),
            (PROBED, ACCEPTED, WELL),
            # Unless it was under way before the provider was closed or stopped.
            (CLOSED, ACCEPTED, CLOSED),
            (STOPPED, ACCEPTED, STOPPED),
            # A refusal can be our own; what is unknown or no fault of the provider says nothing.
            (FAILED_TWICE, REFUSED, FAILED_TWICE),
            (CLOSED, REFUSED, CLOSED),
            (PROBED, REFUSED, attrs.evolve(PROBED, closed_until=NOW, probed=False)),
            (STOPPED, REFUSED, STOPPED),
            (FAILED_TWICE, LOST, FAILED_TWICE),
            (FAILED_TWICE, BUSY, FAILED_TWICE),
            (PROBED, LOST, PROBED),
            (PROBED, BUSY, PROBED),
        ],
    )
    def test_an_answer_clears_the_provider_or_says_nothing_of_it(
        self, health: Health, outcome: Outcome, expected: Health
    ) -> None:
        assert after(health, outcome, BREAKER, NOW) == expected

    @pytest.mark.parametrize(
        ("health", "outcome", "expected"),
        [
            (WELL, DOWN, FAILED_ONCE),
            (FAILED_ONCE, DOWN, FAILED_TWICE),
            (FAILED_ONCE, DOWN_FOR_LONG, FAILED_TWICE),
            (FAILED_TWICE, DOWN, Health(3, 130.0, "out of reach")),
            (FAILED_TWICE, DOWN_BRIEFLY, Health(3, 130.0, "restarting")),
            (FAILED_TWICE, DOWN_FOR_LONG, Health(3, 700.0, "under repair")),
            (PROBED, DOWN, Health(4, 130.0, "out of reach")),
            # The longer pause is kept, whichever was asked for first.
            (CLOSED, DOWN, Health(4, 130.0, "out of reach")),
            (CLOSED_FOR_LONG, DOWN, Health(4, 1000.0, "ip is blocked")),
            # What is stopped stays so, for the reason it was stopped.
            (STOPPED, DOWN, Health(3, None, "authorise error", stopped=True)),
        ],
    )
    def test_failures_in_a_row_close_the_provider(
        self, health: Health, outcome: Outcome, expected: Health
    ) -> None:
        assert after(health, outcome, BREAKER, NOW) == expected

    @pytest.mark.parametrize(
        ("health", "outcome", "expected"),
        [
            (WELL, BAD_LOGIN, Health(0, None, "authorise error", stopped=True)),
            (FAILED_TWICE, BAD_LOGIN, Health(2, None, "authorise error", stopped=True)),
            (CLOSED, BAD_LOGIN, Health(3, None, "authorise error", stopped=True)),
            (PROBED, BAD_LOGIN, Health(3, None, "authorise error", stopped=True)),
            (WELL, BLOCKED, Health(0, 1900.0, "ip is blocked")),
            (CLOSED, BLOCKED, Health(3, 1900.0, "ip is blocked")),
            (STOPPED, BLOCKED, STOPPED),
            (STOPPED, NotSent("no money", FailureScope.ACCOUNT), STOPPED),
        ],
    )
    def test_a_failure_of_the_account_stops_the_provider_or_closes_it_as_long_as_it_says(
        self, health: Health, outcome: Outcome, expected: Health
    ) -> None:
        assert after(health, outcome, BREAKER, NOW) == expected

    @pytest.mark.parametrize(
        ("told", "expected"),
        [
            (1800.0, Health(3, 1900.0, "blocked")),
            (900.5, Health(3, 1000.5, "blocked")),
            (900.0, Health(3, 1000.0, "blocked")),
            (5.0, Health(3, 1000.0, "ip is blocked")),
        ],
    )
    def test_the_longer_of_two_pauses_holds(self, told: float, expected: Health) -> None:
        again = NotSent("blocked", FailureScope.ACCOUNT, retry_after_s=told)

        assert after(CLOSED_FOR_LONG, again, BREAKER, NOW) == expected

    def test_a_probe_that_fails_may_set_a_shorter_pause(self) -> None:
        briefly = NotSent("blocked", FailureScope.ACCOUNT, retry_after_s=5)

        assert after(PROBED, briefly, BREAKER, NOW) == Health(3, 105.0, "blocked")


class TestGradualReturn:
    """A provider that works again, with much waiting for it."""

    def test_the_pause_between_two_attempts_halves_with_each_that_succeeds(self) -> None:
        health, now, gaps = PROBED, NOW, []

        while health.closed_until is not None:
            health = after(health, ACCEPTED, BREAKER, now, gradual=True)
            if health.closed_until is not None:
                gaps.append(health.closed_until - now)
                now = health.closed_until
                health = probing(health, BREAKER, now)

        assert gaps == pytest.approx([1.0, 0.5, 0.25, 0.125, 0.0625])
        assert health == WELL

    def test_whoever_comes_between_two_attempts_is_told_why(self) -> None:
        returning = after(PROBED, ACCEPTED, BREAKER, NOW, gradual=True)

        assert obstacle(returning, NOW) == "left alone for 1 s: it comes back gradually"
        assert obstacle(returning, NOW + 1) is None

    @pytest.mark.parametrize("gap_s", [None, 1.0, 0.0625])
    def test_a_failure_while_coming_back_closes_it_again(self, gap_s: float | None) -> None:
        returning = probing(Health(3, 90.0, "it comes back gradually", gap_s=gap_s), BREAKER, NOW)

        assert after(returning, DOWN, BREAKER, NOW, gradual=True) == Health(
            4, 130.0, "out of reach"
        )

    def test_it_comes_back_from_the_beginning_after_such_a_failure(self) -> None:
        closed = after(
            probing(Health(3, 90.0, "it comes back gradually", gap_s=0.125), BREAKER, NOW),
            DOWN,
            BREAKER,
            NOW,
        )

        again = after(probing(closed, BREAKER, 130.0), ACCEPTED, BREAKER, 130.0, gradual=True)

        assert (again.closed_until, again.gap_s) == (131.0, 1.0)

    def test_an_acceptance_that_was_under_way_before_does_not_hurry_it(self) -> None:
        returning = Health(3, 101.0, "it comes back gradually", gap_s=1.0)

        assert after(returning, ACCEPTED, BREAKER, NOW, gradual=True) == returning

    @pytest.mark.parametrize("outcome", [LOST, BUSY], ids=str)
    def test_what_says_nothing_of_the_provider_leaves_the_next_attempt_to_find_out(
        self, outcome: Outcome
    ) -> None:
        returning = probing(Health(3, 90.0, "it comes back gradually", gap_s=0.5), BREAKER, NOW)

        assert after(returning, outcome, BREAKER, NOW, gradual=True) == returning

    @pytest.mark.parametrize("health", [WELL, FAILED_TWICE])
    def test_a_provider_that_was_never_left_alone_need_not_come_back(self, health: Health) -> None:
        assert after(health, ACCEPTED, BREAKER, NOW, gradual=True) == WELL


class TestBudget:
    """How many repeated attempts a provider is given."""

    def test_a_full_bucket_lets_short_trouble_pass(self) -> None:
        budget: Budget | None = Budget(at=NOW)

        made = 0
        while budget := repeated_attempt(budget, NOW):
            made += 1

        assert made == FULL == 100

    def test_what_is_empty_gives_nothing(self) -> None:
        assert repeated_attempt(Budget(0.9, at=NOW), NOW) is None

    @pytest.mark.parametrize(("share", "left"), [(0.2, 1.2), (0.0, 1.0), (5.0, 6.0), (500.0, FULL)])
    def test_an_attempt_that_repeats_none_adds_its_share(self, share: float, left: float) -> None:
        assert first_attempt(Budget(1.0, at=NOW), share, NOW) == Budget(pytest.approx(left), NOW)

    @pytest.mark.parametrize(
        ("passed", "left"), [(0.0, 3.0), (2.5, 5.5), (96.0, 99.0), (5000.0, 99.0)]
    )
    def test_time_fills_it_slowly(self, passed: float, left: float) -> None:
        """What waits for a repetition gets its turn even if nothing new comes."""
        assert repeated_attempt(Budget(4.0, at=NOW), NOW + passed) == Budget(left, NOW + passed)

    def test_a_clock_that_is_set_back_takes_nothing_away(self) -> None:
        assert repeated_attempt(Budget(4.0, at=NOW), NOW - 50) == Budget(3.0, NOW - 50)

    @given(
        st.floats(0, 2),
        st.lists(st.tuples(st.booleans(), st.floats(0, 3)), min_size=1, max_size=300),
    )
    def test_no_more_is_repeated_than_was_earned(
        self, share: float, calls: list[tuple[bool, float]]
    ) -> None:
        budget, now, firsts, repeats = Budget(at=NOW), NOW, 0, 0

        for repeated, pause in calls:
            now += pause
            left = repeated_attempt(budget, now) if repeated else first_attempt(budget, share, now)
            firsts += not repeated
            repeats += repeated and left is not None
            budget = left or budget

        assert repeats <= FULL + firsts * share + (now - NOW) + 1e-6
        assert 0 <= budget.tokens <= FULL
