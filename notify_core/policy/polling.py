"""When a provider is asked what became of a message: often at first, then ever more rarely."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta


def next_poll(asked: int, pauses_s: Sequence[float], now: datetime) -> datetime:
    """Return when to ask again after so many questions; the last pause is that of all others."""
    return now + timedelta(seconds=pauses_s[min(asked, len(pauses_s) - 1)])
