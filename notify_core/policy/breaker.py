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
    """How a provider stands. ``closed_until`` is on the monotonic clock, in seconds.

    It is ``probed`` while an attempt finds out whether a pause has helped, and ``stopped`` while
    only a person can make it work again.
    """

    failures: int = 0
    closed_until: float | None = None
    reason: str = ""
    stopped: bool = False
    probed: bool = False


def obstacle(health: Health, now: float) -> str | None:
    """Return why the provider is to be left alone now, or None."""
    if health.stopped:
        return f"stopped: {health.reason}"
    if health.closed_until is not None and now < health.closed_until:
        return f"left alone for {health.closed_until - now:.0f} s: {health.reason}"
    return None


def probing(health: Health, breaker: Breaker, now: float) -> Health:
    """Return the health while one attempt finds out whether a pause has helped.

    The pause is set anew, so that other threads keep away until the attempt has ended.
    """
    if health.closed_until is None:
        return health
    return attrs.evolve(health, closed_until=now + breaker.pause.total_seconds(), probed=True)


def after(health: Health, outcome: Outcome, breaker: Breaker, now: float) -> Health:
    """Return the health after an attempt that ended so.

    Only an acceptance shows that the provider works: a refusal can be our own plugin's, before
    anything was asked, and leaves it to the next attempt to find out. An acceptance that was
    under way before the provider was closed does not open it again, and no late failure
    shortens its pause.
    """
    match outcome:
        case Accepted() if health.probed or health.closed_until is None:
            return health if health.stopped else Health()
        case Refused() if health.probed:
            return attrs.evolve(health, closed_until=now, probed=False)
        case NotSent(scope=FailureScope.PROVIDER):
            return _after_failure(health, outcome, breaker, now)
        case NotSent(scope=FailureScope.ACCOUNT):
            return _after_account_failure(health, outcome, now)
        case _:
            return health


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
