"""Carrying a plan out: the heart of the framework.

``Dispatcher.deliver`` goes through the legs, a leg goes through its providers in rounds, a try
is one attempt with its question if the answer was unknown. What follows from an outcome is
decided by the small pure functions at the end.
"""

from __future__ import annotations

import enum
import logging
from collections.abc import Callable, Iterator

import attrs

from notify_core.clock import Clock
from notify_core.config.model import IfUnknown, Mode, Retry
from notify_core.contact import mask
from notify_core.delivery import Attempt, Delivery, LegResult, Skip
from notify_core.errors import ProviderError
from notify_core.health import HealthBoard
from notify_core.outcome import (
    Accepted,
    FailureScope,
    NotSent,
    Outcome,
    Receipt,
    RefusalScope,
    Refused,
    State,
    Status,
    Unknown,
)
from notify_core.policy.retry import pause_before, wanted_pause
from notify_core.registry import Registry
from notify_core.routing import Leg, Plan

_log = logging.getLogger(__name__)


class Dispatcher:
    """Carry out plans. One is shared by all threads; it keeps no state of a delivery.

    ``chance`` returns a random number from 0 to 1, for the jitter of pauses.
    """

    def __init__(
        self,
        registry: Registry,
        board: HealthBoard,
        retry: Retry,
        clock: Clock,
        chance: Callable[[], float],
    ) -> None:
        self._registry = registry
        self._board = board
        self._retry = retry
        self._clock = clock
        self._chance = chance

    def deliver(self, plan: Plan, began: float) -> Delivery:
        """Go through the legs until one has done its work, or must be the last; never raises.

        ``began`` is the monotonic time from which the plan's deadline counts.
        """
        time_left = self._countdown(plan, began)
        results: list[LegResult] = []
        for number, leg in enumerate(plan.legs, start=1):
            results.append(self._run(_Run(plan, leg, number), time_left))
            if not goes_on(plan, results[-1].outcome):
                break
        return Delivery(
            id=plan.delivery_id,
            message_id=plan.message_id,
            recipient=plan.recipient,
            route=plan.route,
            legs=tuple(results),
            outcome=overall(plan.mode, [result.outcome for result in results]),
            warnings=plan.warnings,
        )

    def _run(self, run: _Run, time_left: Callable[[], float]) -> LegResult:
        """Go through the providers in rounds until an outcome settles the leg."""
        for round_number in range(1, self._retry.rounds + 1):
            if not (run.open and self._pause(run, round_number, time_left)):
                break
            for provider in run.open:
                if time_left() <= 0:
                    return run.result()
                self._try(run, provider)
                if run.settled:
                    return run.result()
        return run.result()

    def _try(self, run: _Run, provider: str) -> None:
        """Make one attempt at one provider, unless something stands against it."""
        against = self._board.claim(provider)
        if against is not None:
            run.skip(provider, against)
            return
        attempt = run.next_attempt(provider, self._clock)
        message = run.leg.message
        self._registry.tell("notify_before_send", message=message, attempt=attempt)
        answer = self._registry.send(message, attempt)
        self._board.record(provider, answer)
        attempt = attrs.evolve(attempt, answer=answer)
        if isinstance(answer, Unknown) and run.plan.if_unknown is IfUnknown.RECONCILE:
            attempt = self._resolve(attempt)
        attempt = attrs.evolve(attempt, finished_at=self._clock.now())
        run.add(attempt)
        _log.info(
            "delivery %s attempt %d provider %s channel %s to %s: %s",
            attempt.delivery_id,
            attempt.number,
            provider,
            attempt.channel,
            mask(attempt.address),
            type(attempt.outcome).__name__,
        )
        self._registry.tell("notify_attempt_finished", message=message, attempt=attempt)

    def _resolve(self, attempt: Attempt) -> Attempt:
        """Ask the provider, by our own id, what became of an attempt with an unknown answer."""
        asked = Receipt(provider=attempt.provider, address=attempt.address, own_id=attempt.own_id)
        statuses = tuple(self._ask(asked))
        found = next((status for status in statuses if _is_found(status)), None)
        if found is not None:
            return attrs.evolve(attempt, resolved=Accepted(asked), status=found)
        if statuses and all(status is not None for status in statuses):
            return attrs.evolve(attempt, resolved=_absent(attempt.provider, len(statuses)))
        return attempt

    def _ask(self, asked: Receipt) -> Iterator[Status | None]:
        """Yield one status per question of the provider's schedule, None for no usable answer."""
        for pause in self._registry.capabilities[asked.provider].ask_after_s:
            self._clock.sleep(pause)
            try:
                with self._board.question(asked.provider, "status"):
                    (status,) = self._registry.fetch_status(asked.provider, [asked])
            except ProviderError:
                yield None
                continue
            yield status
            if _is_found(status):
                return

    def _pause(self, run: _Run, round_number: int, time_left: Callable[[], float]) -> bool:
        """Wait before a round; False if it is not worth waiting."""
        if round_number == 1:
            return True
        wanted = wanted_pause(run.outcome)
        pause = max(pause_before(round_number, self._retry, self._chance()), wanted)
        if wanted > self._retry.longest.total_seconds() or pause >= time_left():
            return False
        self._clock.sleep(pause)
        return True

    def _countdown(self, plan: Plan, began: float) -> Callable[[], float]:
        if plan.deadline is None:
            return lambda: float("inf")
        end = began + plan.deadline.total_seconds()
        return lambda: end - self._clock.monotonic()


class _Run:
    """One leg while it is carried out: what has been tried, and what is still open."""

    def __init__(self, plan: Plan, leg: Leg, number: int) -> None:
        self.plan = plan
        self.leg = leg
        self.open = leg.providers
        self.outcome: Outcome | None = None
        self.settled = False
        self._number = number
        self._attempts: list[Attempt] = []
        self._skipped: dict[str, str] = {}

    def next_attempt(self, provider: str, clock: Clock) -> Attempt:
        """Open an attempt. Its own id is the same each time the leg comes to this provider."""
        delivery_id = self.plan.delivery_id
        number = len(self._attempts) + 1
        return Attempt(
            id=f"{delivery_id}-{self._number}-{number}",
            delivery_id=delivery_id,
            own_id=f"{delivery_id}-{self._number}",
            number=number,
            provider=provider,
            channel=self.leg.channel,
            address=self.leg.address,
            address_kind=self.leg.address_kind,
            started_at=clock.now(),
        )

    def add(self, attempt: Attempt) -> None:
        """Take an attempt that has ended, and what follows from its outcome."""
        self._attempts.append(attempt)
        self.outcome = attempt.outcome
        step = next_step(attempt.outcome)
        self.settled = step is Step.SETTLED
        if step is Step.DROP_PROVIDER:
            self._drop(attempt.provider)

    def skip(self, provider: str, reason: str) -> None:
        """Take note that a provider could not be tried; it is not tried again on this leg."""
        self._skipped[provider] = reason
        self._drop(provider)

    def result(self) -> LegResult:
        """Sum the leg up."""
        attempts = tuple(self._attempts)
        return LegResult(
            channel=self.leg.channel,
            outcome=self.outcome or self._untried(),
            attempts=attempts,
            skipped=tuple(Skip(name, reason) for name, reason in self._skipped.items()),
            parts=self.leg.parts,
            status=attempts[-1].status if attempts else None,
        )

    def _drop(self, provider: str) -> None:
        self.open = tuple(name for name in self.open if name != provider)

    def _untried(self) -> NotSent:
        if not self._skipped:
            return NotSent("the deadline passed before it could be tried", FailureScope.PROVIDER)
        reasons = "; ".join(f"{name} is {reason}" for name, reason in self._skipped.items())
        return NotSent(f"no provider may be tried: {reasons}", FailureScope.PROVIDER)


class Step(enum.Enum):
    """What a leg does after an attempt."""

    SETTLED = "settled"
    """The leg is over."""
    NEXT_PROVIDER = "next provider"
    """The next provider, and this one again in the next round."""
    DROP_PROVIDER = "drop provider"
    """The next provider; this one is not tried again on this leg."""


def next_step(outcome: Outcome | None) -> Step:
    """Decide what a leg does after an outcome.

    Only what certainly did not leave goes on to another provider. A recipient or a content that
    is refused would be refused again; an account that may not is left out.
    """
    match outcome:
        case NotSent(scope=FailureScope.PROVIDER | FailureScope.THROTTLED):
            return Step.NEXT_PROVIDER
        case NotSent() | Refused(scope=RefusalScope.ACCOUNT):
            return Step.DROP_PROVIDER
        case _:
            return Step.SETTLED


def goes_on(plan: Plan, outcome: Outcome) -> bool:
    """Decide whether the next leg is tried after one that ended so.

    Every leg of ``all_of`` is tried. Of ``first_of``, the next one after a message that did not
    leave or was refused in a scope that the route names; never after an unknown outcome.
    """
    if plan.mode is Mode.ALL_OF:
        return True
    match outcome:
        case NotSent():
            return True
        case Refused(scope=scope):
            return scope in plan.next_on
        case _:
            return False


def overall(mode: Mode, outcomes: list[Outcome]) -> Outcome:
    """Return the outcome of a delivery: its last leg's, or with ``all_of`` the least good one."""
    if mode is Mode.FIRST_OF:
        return outcomes[-1]
    return max(outcomes, key=_gravity)


def _gravity(outcome: Outcome) -> int:
    order: tuple[type, ...] = (Accepted, Refused, NotSent, Unknown)
    return order.index(type(outcome))


def _is_found(status: Status | None) -> bool:
    return status is not None and status.state is not State.NOT_FOUND


def _absent(provider: str, questions: int) -> NotSent:
    return NotSent(
        f"{provider} knows no such message after {questions} questions", FailureScope.PROVIDER
    )
