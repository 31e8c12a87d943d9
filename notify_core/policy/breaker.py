"""The health of a provider: a small state machine over the outcomes of its attempts.

Only what is the provider's own fault counts. A bad recipient or text never does, and what is
unknown says nothing either way. An account failure (credentials, balance, a block) stops the
provider at once: asking again makes it worse.
"""

from __future__ import annotations

import attrs

from notify_core.config.model import Breaker
from notify_core.outcome import Accepted, FailureScope, NotSent, Outcome, Refused


@attrs.frozen
class Health:
    """How a provider stands. ``closed_until`` is in seconds since 1970.

    It is ``probed`` while an attempt finds out whether a pause has helped, and ``stopped`` while
    only a person can make it work again. ``gap_s`` is there while it comes back gradually: the
    pause between two attempts, which halves with each one that succeeds.
    """

    failures: int = 0
    closed_until: float | None = None
    reason: str = ""
    stopped: bool = False
    probed: bool = False
    gap_s: float | None = None


_FIRST_GAP_S = 1.0
_LAST_GAP_S = 0.05


def obstacle(health: Health, now: float) -> str | None:
    """Return why the provider is to be left alone now, or None."""
    if health.stopped:
        return f"stopped: {health.reason}"
    if health.closed_until is not None and now < health.closed_until:
        return f"left alone for {health.closed_until - now:.0f} s: {health.reason}"
    return None


def probing(health: Health, breaker: Breaker, now: float) -> Health:
    """Return the health while one attempt finds out whether a pause has helped.

    The pause is set anew, so that other threads keep away until the attempt has ended; one that
    comes back gradually keeps them away for a moment only.
    """
    if health.closed_until is None:
        return health
    pause_s = breaker.pause.total_seconds() if health.gap_s is None else health.gap_s
    return attrs.evolve(health, closed_until=now + pause_s, probed=True)


def after(
    health: Health, outcome: Outcome, breaker: Breaker, now: float, *, gradual: bool = False
) -> Health:
    """Return the health after an attempt that ended so.

    With ``gradual`` a provider that works again is not given everything at once that has waited
    for it.

    Only an acceptance shows that the provider works: a refusal can be our own plugin's, before
    anything was asked, and leaves it to the next attempt to find out. An acceptance that was
    under way before the provider was closed does not open it again, and no late failure
    shortens its pause.
    """
    match outcome:
        case Accepted() if health.probed or health.closed_until is None:
            return health if health.stopped else _reopened(health, now, gradual=gradual)
        case Refused() if health.probed:
            return attrs.evolve(health, closed_until=now, probed=False)
        case NotSent(scope=FailureScope.PROVIDER):
            return _after_failure(health, outcome, breaker, now)
        case NotSent(scope=FailureScope.ACCOUNT):
            return _after_account_failure(health, outcome, now)
        case _:
            return health


def _reopened(health: Health, now: float, *, gradual: bool) -> Health:
    gap_s = _FIRST_GAP_S if health.gap_s is None else health.gap_s / 2
    if not gradual or health.closed_until is None or gap_s < _LAST_GAP_S:
        return Health()
    return Health(health.failures, now + gap_s, "it comes back gradually", gap_s=gap_s)


def _after_failure(health: Health, outcome: NotSent, breaker: Breaker, now: float) -> Health:
    failures = health.failures + 1
    if failures < breaker.failures or health.stopped:
        return attrs.evolve(health, failures=failures)
    pause = max(breaker.pause.total_seconds(), outcome.retry_after_s or 0.0)
    return _closed(health, failures, now + pause, outcome.reason)


def _after_account_failure(health: Health, outcome: NotSent, now: float) -> Health:
    if health.stopped or outcome.retry_after_s is None:
        reason = health.reason if health.stopped else outcome.reason
        return Health(health.failures, None, reason, stopped=True)
    return _closed(health, health.failures, now + outcome.retry_after_s, outcome.reason)


def _closed(health: Health, failures: int, until: float, reason: str) -> Health:
    """Close for that long, or for longer if something else has asked for it."""
    if not health.probed and health.closed_until is not None and health.closed_until > until:
        return attrs.evolve(health, failures=failures)
    return Health(failures, until, reason)
