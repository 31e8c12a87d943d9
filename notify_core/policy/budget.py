"""How many repeated attempts a provider is given, so that repeating does not make it worse.

A bucket of tokens for each provider: an attempt that is made for the first time adds a share of
one, a repeated one takes a whole. A full bucket lets some trouble pass unnoticed, and time fills
it slowly, so that what waits for a repetition gets its turn even if nothing new comes.
"""

from __future__ import annotations

import attrs

FULL = 100.0
_TOKENS_PER_SECOND = 1.0


@attrs.frozen
class Budget:
    """What a provider's bucket held at a moment, which is in seconds of any clock."""

    tokens: float = FULL
    at: float = 0.0


def first_attempt(budget: Budget, share: float, now: float) -> Budget:
    """Return the budget after an attempt that repeats none; ``share`` is the policy's."""
    filled = _filled(budget, now)
    return attrs.evolve(filled, tokens=min(FULL, filled.tokens + share))


def repeated_attempt(budget: Budget, now: float) -> Budget | None:
    """Return the budget after a repeated attempt; None if there may be none yet."""
    filled = _filled(budget, now)
    if filled.tokens < 1:
        return None
    return attrs.evolve(filled, tokens=filled.tokens - 1)


def _filled(budget: Budget, now: float) -> Budget:
    passed = max(now - budget.at, 0.0)
    return Budget(min(FULL, budget.tokens + passed * _TOKENS_PER_SECOND), now)
