"""Ids that sort by the time at which they were made."""

from __future__ import annotations

import secrets
import time
from datetime import datetime

_TIME_DIGITS = 12
_CHANCE_BYTES = 6


def new_id() -> str:
    """Return 24 hexadecimal digits: 12 of the time in milliseconds, 12 of chance.

    What is stored under such ids is added at the end of an index, which stays as fast when it
    is large.
    """
    milliseconds = time.time_ns() // 1_000_000
    return f"{milliseconds:0{_TIME_DIGITS}x}{secrets.token_hex(_CHANCE_BYTES)}"


def first_id_of(moment: datetime) -> str:
    """Return what sorts before every id made from then on."""
    return f"{int(moment.timestamp() * 1000):0{_TIME_DIGITS}x}"
