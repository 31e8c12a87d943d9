"""What follows from an answer: told, again later, given up, or gone. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

import attrs

from notify_core.journal.webhooks import Claimed, Telling

_PAUSES_S = (5.0, 60.0, 300.0, 1800.0, 7200.0, 21_600.0)
"""How long to wait after a first failure, a second, and so on; the last for all that follow."""
_JITTER = 0.2
_GONE = 410
_BUSY = (429, 503)


@attrs.frozen
class Verdict:
    """How something stands after a try; ``due_at`` is when the next one is made."""

    telling: Telling
    due_at: datetime | None = None


def verdict(
    status: int | None,
    asked_for_s: float | None,
    told: Claimed,
    now: datetime,
    retry_for: timedelta,
    chance: float,
) -> Verdict:
    """Return what follows from an HTTP status, or from None where there was none.

    ``asked_for_s`` is the pause that the address asks for, and ``chance`` a random number from 0
    to 1 that places ours within the jitter.
    """
    if is_success(status):
        return Verdict(Telling.TOLD)
    if status == _GONE:
        return Verdict(Telling.GONE)
    pause_s = max(_pause_s(told.tries, chance), rest_s(status, asked_for_s))
    due_at = now + timedelta(seconds=pause_s)
    if due_at > told.begun_at + retry_for:
        return Verdict(Telling.GIVEN_UP)
    return Verdict(Telling.WAITING, due_at)


def is_success(status: int | None) -> bool:
    """Tell whether an HTTP status says that the address has it."""
    return status is not None and 200 <= status <= 299


def rest_s(status: int | None, asked_for_s: float | None) -> float:
    """Return for how many seconds the address wants to be left alone altogether."""
    return (asked_for_s or 0.0) if status in _BUSY else 0.0


def _pause_s(tries_before: int, chance: float) -> float:
    pause = _PAUSES_S[min(tries_before, len(_PAUSES_S) - 1)]
    return pause * (1 + _JITTER * (2 * chance - 1))
