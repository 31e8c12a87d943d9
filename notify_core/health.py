"""How every provider stands, shared by all threads; the decisions are in ``policy.breaker``."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from notify_core.clock import Clock
from notify_core.config.model import Breaker
from notify_core.errors import ProviderError
from notify_core.outcome import FailureScope, NotSent, Outcome
from notify_core.policy.breaker import Health, after, obstacle, probing

_log = logging.getLogger(__name__)


class HealthBoard:
    """Say whether a provider may be called, and learn from how its calls end."""

    def __init__(self, breaker: Breaker, clock: Clock) -> None:
        self._breaker = breaker
        self._clock = clock
        self._lock = threading.Lock()
        self._health: dict[str, Health] = {}

    def health(self, provider: str) -> Health:
        """Return how a provider stands now."""
        return self._health.get(provider, Health())

    def claim(self, provider: str) -> str | None:
        """Ask to make an attempt: None if it may be made, else what stands against it.

        After a pause one caller gets through to find out whether it has helped.
        """
        with self._lock:
            now = self._clock.monotonic()
            health = self.health(provider)
            against = obstacle(health, now)
            if against is None:
                self._health[provider] = probing(health, self._breaker, now)
            return against

    def record(self, provider: str, outcome: Outcome) -> None:
        """Take the outcome of an attempt or a question into account."""
        with self._lock:
            before = self.health(provider)
            health = after(before, outcome, self._breaker, self._clock.monotonic())
            self._health[provider] = health
        if health.stopped and not before.stopped:
            _log.error("provider %s is stopped: %s", provider, health.reason)

    @contextmanager
    def question(self, provider: str, about: str) -> Iterator[None]:
        """Let a question to a provider through, and learn from its failure.

        Raises ``ProviderError`` before anything is asked while something stands against it.
        """
        health = self.health(provider)
        against = obstacle(health, self._clock.monotonic())
        if against is not None:
            scope = FailureScope.ACCOUNT if health.stopped else FailureScope.PROVIDER
            raise ProviderError(provider, about, NotSent(against, scope))
        try:
            yield
        except ProviderError as error:
            self.record(provider, error.outcome)
            raise

    def resume(self, provider: str) -> None:
        """Forget everything against a provider, after somebody has mended it."""
        with self._lock:
            self._health.pop(provider, None)
