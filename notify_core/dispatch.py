"""Carrying a plan out: the heart of the framework.

``Dispatcher.deliver`` does what ``progress.next_action`` decides, one action after the other,
and tells ``progress`` what came of it.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable

from notify_core.clock import Clock
from notify_core.config.model import Mode, Retry
from notify_core.contact import mask
from notify_core.delivery import Attempt, Delivery
from notify_core.errors import ProviderError
from notify_core.health import HealthBoard
from notify_core.outcome import Status
from notify_core.progress import (
    Ask,
    CloseLeg,
    End,
    Pause,
    Progress,
    Rules,
    Try,
    attempt_answered,
    attempt_began,
    attempt_is_over,
    begin,
    leg_closed,
    leg_under_way,
    next_action,
    overall,
    provider_skipped,
    question_answered,
    receipt_to_ask,
    round_began,
)
from notify_core.registry import Registry
from notify_core.routing import Plan

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
        self._clock = clock
        self._chance = chance
        schedules = {name: able.ask_after_s for name, able in registry.capabilities.items()}
        self._rules = Rules(retry=retry, ask_after_s=schedules)

    def deliver(self, plan: Plan, began: float) -> Delivery:
        """Do what is next until nothing is left to do; no answer of a provider makes it raise.

        ``began`` is the monotonic time from which the plan's deadline counts.
        """
        progress = begin(plan)
        while True:
            left_s = self._time_left(plan, began)
            match next_action(plan, progress, self._rules, left_s=left_s, chance=self._chance()):
                case Try(provider):
                    progress = self._try(plan, progress, provider)
                case Ask(after_s):
                    self._clock.sleep(after_s)
                    progress = self._ask(plan, progress)
                case Pause(seconds):
                    self._clock.sleep(seconds)
                    progress = round_began(progress, self._rules)
                case CloseLeg():
                    progress = leg_closed(plan, progress)
                case End():
                    return _delivery(plan, progress)

    def _try(self, plan: Plan, progress: Progress, provider: str) -> Progress:
        """Make one attempt at a provider, unless something stands against it."""
        against = self._board.claim(provider)
        if against is not None:
            return provider_skipped(progress, provider, against)
        message = leg_under_way(plan, progress).message
        progress, attempt = attempt_began(plan, progress, provider, self._clock.now())
        self._registry.tell("notify_before_send", message=message, attempt=attempt)
        answer = self._registry.send(message, attempt)
        self._board.record(provider, answer)
        progress = attempt_answered(progress, answer, self._clock.now())
        self._tell_if_over(plan, progress)
        return progress

    def _ask(self, plan: Plan, progress: Progress) -> Progress:
        """Ask, by our own id, what became of the last attempt."""
        status = self._status_of(progress.attempts[-1])
        progress = question_answered(plan, progress, status, self._rules)
        self._tell_if_over(plan, progress)
        return progress

    def _status_of(self, attempt: Attempt) -> Status | None:
        try:
            with self._board.question(attempt.provider, "status"):
                (status,) = self._registry.fetch_status(attempt.provider, [receipt_to_ask(attempt)])
        except ProviderError:
            return None
        return status

    def _tell_if_over(self, plan: Plan, progress: Progress) -> None:
        """Tell how the last attempt ended, once nothing more will be asked about it."""
        if not attempt_is_over(plan, progress, self._rules):
            return
        attempt = progress.attempts[-1]
        _log.info(
            "delivery %s attempt %d provider %s channel %s to %s: %s",
            attempt.delivery_id,
            attempt.number,
            attempt.provider,
            attempt.channel,
            mask(attempt.address),
            type(attempt.outcome).__name__,
        )
        message = leg_under_way(plan, progress).message
        self._registry.tell("notify_attempt_finished", message=message, attempt=attempt)

    def _time_left(self, plan: Plan, began: float) -> float:
        if plan.deadline is None:
            return math.inf
        return began + plan.deadline.total_seconds() - self._clock.monotonic()


def _delivery(plan: Plan, progress: Progress) -> Delivery:
    return Delivery(
        id=plan.delivery_id,
        message_id=plan.message_id,
        recipient=plan.recipient,
        route=plan.route,
        legs=progress.done,
        outcome=overall(plan.mode, [result.outcome for result in progress.done]),
        warnings=plan.warnings,
        all_of=plan.mode is Mode.ALL_OF,
    )
