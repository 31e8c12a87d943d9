"""Asking the providers of a plan what each of its legs would cost. Nothing is sent."""

from __future__ import annotations

import attrs

from notify_core.clock import Clock
from notify_core.errors import MessageError, ProviderError
from notify_core.health import HealthBoard
from notify_core.outcome import Estimate
from notify_core.progress import attempt_of
from notify_core.registry import Registry
from notify_core.routing import LegPrice, Plan, PlanPrice, price_of


@attrs.frozen
class Pricer:
    """Asks for prices. An answer that does not come is told, not raised."""

    registry: Registry
    board: HealthBoard
    clock: Clock

    def price(self, plan: Plan) -> PlanPrice:
        """Ask every provider of every leg, and work out what the plan costs at most."""
        return price_of(plan, [self._leg(plan, leg) for leg in range(len(plan.legs))])

    def estimate(self, plan: Plan, leg: int, provider: str) -> Estimate:
        """Ask one provider about one leg, from 0. Raises ``ProviderError`` or ``MessageError``."""
        attempt = attempt_of(plan, leg, number=1, provider=provider, started_at=self.clock.now())
        with self.board.question(provider, "cost"):
            return self.registry.estimate(plan.legs[leg].message, attempt)

    def _leg(self, plan: Plan, leg: int) -> LegPrice:
        estimates: list[Estimate] = []
        unknown: list[str] = []
        for provider in plan.legs[leg].providers:
            try:
                estimates.append(self._asked(plan, leg, provider))
            except (ProviderError, MessageError) as error:
                unknown.append(str(error))
        return LegPrice(
            channel=plan.legs[leg].channel, estimates=tuple(estimates), unknown=tuple(unknown)
        )

    def _asked(self, plan: Plan, leg: int, provider: str) -> Estimate:
        if not self.registry.capabilities[provider].cost:
            raise MessageError(f"provider {provider} cannot say what a message costs")
        return self.estimate(plan, leg, provider)
