"""How long to wait before another round, and when a provider is left alone: tables of decisions."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest

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
