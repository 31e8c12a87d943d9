"""How rules name things in their messages."""

from __future__ import annotations

from collections.abc import Sequence


def joined(words: Sequence[str], last: str = "and") -> str:
    """Return words as a sentence has them: ``a, b and c``."""
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
