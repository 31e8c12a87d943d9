"""How rules name things in their messages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

_UNITS = ((86_400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def span(duration: timedelta) -> str:
    """Return a duration as the file has it, like ``1m30s``."""
    rest, shown = duration.total_seconds(), ""
    for seconds, unit in _UNITS:
        number, rest = divmod(rest, seconds)
        shown += f"{number:g}{unit}" if number else ""
    milliseconds = f"{rest * 1000:g}ms" if rest else ""
    return f"{shown}{milliseconds}" or "0s"


def joined(words: Sequence[str], last: str = "and") -> str:
    """Return words as a sentence has them: ``a, b and c``."""
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
