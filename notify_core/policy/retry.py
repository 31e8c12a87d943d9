"""How long to wait before a message that did not leave is tried again."""

from __future__ import annotations

from notify_core.config.model import Retry
from notify_core.outcome import NotSent, Outcome


def pause_before(round_number: int, retry: Retry, chance: float) -> float:
    """Return the pause in seconds before a round, from the second on; rounds count from 1.

    ``chance`` is a random number from 0 to 1 that places the pause within the jitter.
    """
    # The exponent is held back so that a late round cannot overflow a float.
    growth = min(retry.factor ** min(round_number - 2, 64), 1e9)
    pause = min(retry.first.total_seconds() * growth, retry.longest.total_seconds())
    return pause * (1 + retry.jitter * (2 * chance - 1))


def wanted_pause(outcome: Outcome | None) -> float:
    """Return the pause that a provider asked for, in seconds; 0 if it asked for none."""
    return (outcome.retry_after_s or 0.0) if isinstance(outcome, NotSent) else 0.0
