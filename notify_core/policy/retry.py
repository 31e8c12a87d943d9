"""How long to wait before a message that did not leave is tried again."""

from __future__ import annotations

from notify_core.config.model import Retry
from notify_core.outcome import NotSent, Outcome


def pause_before(round_number: int, retry: Retry, chance: float) -> float:
    """Return the pause in seconds before a round, from the second on; rounds count from 1.

    ``chance`` is a random number from 0 to 1 that places the pause within the jitter.
    """
    pause, longest = retry.first.total_seconds(), retry.longest.total_seconds()
    for _ in range(round_number - 2):
        if pause >= longest:
            break
        pause *= retry.factor
    return min(pause, longest) * (1 + retry.jitter * (2 * chance - 1))


def wanted_pause(outcome: Outcome | None) -> float:
    """Return the pause that a provider asked for, in seconds; 0 if it asked for none."""
    return (outcome.retry_after_s or 0.0) if isinstance(outcome, NotSent) else 0.0
