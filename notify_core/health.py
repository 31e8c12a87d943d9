"""How every provider stands; the decisions are in ``policy.breaker``."""

from __future__ import annotations

import copy
import logging
import math
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Protocol

import attrs

from notify_core.clock import Clock
from notify_core.config.model import Breaker
from notify_core.errors import JournalError, ProviderError
from notify_core.outcome import FailureScope, NotSent, Outcome
from notify_core.policy.breaker import Health, after, obstacle, probing
from notify_core.policy.budget import Budget, first_attempt, repeated_attempt

_log = logging.getLogger(__name__)

_LOOK_AGAIN = timedelta(minutes=1)
"""How long somebody waits for a provider that only a person can make work again."""


_NEXT_REPEAT = timedelta(seconds=5)


class HealthStore(Protocol):
    """Where the health of providers is kept; a journal is one, for all who use it."""

    def health(self, provider: str) -> Health:
        """Return how a provider stands."""

    def swap_health(self, provider: str, known: Health, now: Health) -> bool:
        """Replace the health of a provider, if it is still the one that is known."""


class OwnHealth:
    """Keeps the health for the threads of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._health: dict[str, Health] = {}

    def health(self, provider: str) -> Health:
        return self._health.get(provider, Health())

    def swap_health(self, provider: str, known: Health, now: Health) -> bool:
        with self._lock:
            if self.health(provider) != known:
                return False
            self._health[provider] = now
            return True


@attrs.frozen
class Obstacle:
    """What stands against an attempt, and until when at least."""

    reason: str
    until: datetime


class HealthBoard:
    """Say whether a provider may be called, and learn from how its calls end.

    ``repeats`` is how many repeated attempts a provider is given for one that repeats none; each
    process counts its own. With ``gradual`` a provider that was left alone comes back step by
    step, for callers who can wait until it has. What another process has found out about a
    provider that was well is seen after ``trusted_s`` seconds at the latest.
    """

    def __init__(
        self,
        breaker: Breaker,
        clock: Clock,
        store: HealthStore | None = None,
        *,
        repeats: float = 1.0,
        gradual: bool = False,
        trusted_s: float = 0.0,
    ) -> None:
        self._breaker = breaker
        self._trusted_s = trusted_s
        self._seen_at: dict[str, float] = {}
        self._repeats = repeats
        self._budgets: dict[str, Budget] = {}
        self._lock = threading.Lock()
        self._clock = clock
        self._store = store or OwnHealth()
        self._gradual = gradual
        self._seen: dict[str, Health] = {}
        self._replaced: frozenset[str] = frozenset()
        self._own = OwnHealth()

    def under(self, breaker: Breaker, repeats: float) -> HealthBoard:
        """Return a board with other rules that goes by the same memory."""
        board = copy.copy(self)
        board._breaker, board._repeats = breaker, repeats
        board._seen, board._seen_at = dict(self._seen), dict(self._seen_at)
        board._replaced, board._own = frozenset(), OwnHealth()
        return board

    def replaced(self, providers: Iterable[str]) -> None:
        """Keep to itself from now on how these stand: others go by their names."""
        self._replaced |= frozenset(providers)
        for provider in self._replaced:
            self._seen.pop(provider, None)

    def health(self, provider: str) -> Health:
        """Return how a provider stands now."""
        self._seen[provider] = self._memory(provider).health(provider)
        self._seen_at[provider] = self._clock.monotonic()
        return self._seen[provider]

    def _memory(self, provider: str) -> HealthStore:
        return self._own if provider in self._replaced else self._store

    def _is_well(self, provider: str) -> bool:
        """Tell whether a provider was well a moment ago, without asking the store."""
        seen_at = self._seen_at.get(provider, -math.inf)
        recently = self._clock.monotonic() - seen_at < self._trusted_s
        return recently and self._seen.get(provider) == Health()

    def claim(self, provider: str, *, again: bool = False) -> Obstacle | None:
        """Ask to make an attempt: None if it may be made, else what stands against it.

        ``again`` says that it repeats one. After a pause one caller gets through to find out
        whether it has helped.
        """
        too_many = self._too_many_repeats(provider) if again else None
        against = too_many or self._closed(provider)
        if against is None:
            self._count(provider, again=again)
        return against

    def _too_many_repeats(self, provider: str) -> Obstacle | None:
        with self._lock:
            if repeated_attempt(self._budget(provider), self._now()) is not None:
                return None
        until = self._clock.now() + _NEXT_REPEAT
        return Obstacle("given no more repeated attempts for now: too many have failed", until)

    def _count(self, provider: str, *, again: bool) -> None:
        with self._lock:
            budget, now = self._budget(provider), self._now()
            left = repeated_attempt(budget, now) if again else None
            self._budgets[provider] = left or first_attempt(budget, self._repeats, now)

    def _budget(self, provider: str) -> Budget:
        return self._budgets.get(provider, Budget(at=self._now()))

    def _closed(self, provider: str) -> Obstacle | None:
        if self._is_well(provider):
            return None
        while True:
            now = self._now()
            health = self.health(provider)
            against = obstacle(health, now)
            if against is not None:
                return Obstacle(against, self._until(health))
            probed = probing(health, self._breaker, now)
            if probed == health or self._swap(provider, health, probed):
                return None

    def record(self, provider: str, outcome: Outcome) -> None:
        """Take the outcome of an attempt or a question into account.

        A store that cannot be told of it costs a line in the log: the outcome itself is worth
        more.
        """

        def change(health: Health) -> Health:
            return after(health, outcome, self._breaker, self._now(), gradual=self._gradual)

        # Mostly all is well and stays so: then the store need not be asked.
        if self._seen.get(provider) == Health() == change(Health()):
            return
        try:
            before, health = self._change(provider, change)
        except JournalError as error:
            _log.error("the health of provider %s cannot be kept: %s", provider, error)
            return
        if health.stopped and not before.stopped:
            _log.error("provider %s is stopped: %s", provider, health.reason)

    @contextmanager
    def question(self, provider: str, about: str) -> Iterator[None]:
        """Let a question to a provider through, and learn from its failure.

        Raises ``ProviderError`` before anything is asked while something stands against it.
        """
        health = self.health(provider)
        against = obstacle(health, self._now())
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
        self._change(provider, lambda _: Health())

    def _change(self, provider: str, change: Callable[[Health], Health]) -> tuple[Health, Health]:
        """Change the health; return it as it was and as it is."""
        while True:
            before = self.health(provider)
            changed = change(before)
            if changed == before or self._swap(provider, before, changed):
                return before, changed

    def _swap(self, provider: str, known: Health, now: Health) -> bool:
        swapped = self._memory(provider).swap_health(provider, known, now)
        if swapped:
            self._seen[provider] = now
        return swapped

    def _until(self, health: Health) -> datetime:
        if health.closed_until is None:
            return self._clock.now() + _LOOK_AGAIN
        return datetime.fromtimestamp(health.closed_until, self._clock.now().tzinfo)

    def _now(self) -> float:
        return self._clock.now().timestamp()
