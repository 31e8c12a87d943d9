"""What a plan costs at most: pure, of what was found out about its legs."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import attrs

from notify_core.config.model import Until
from notify_core.outcome import Estimate
from notify_core.routing.model import Plan


@attrs.frozen(kw_only=True)
class LegPrice:
    """What one leg would cost: by each of its providers, or why one does not say.

    Any of them may be the one that takes the message, and no more than one does.
    """

    channel: str
    estimates: tuple[Estimate, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def cost(self) -> Decimal | None:
        """The dearest; None if a provider does not say, or if their currencies differ."""
        if self.unknown or len(self.currencies) != 1:
            return None
        return max(estimate.cost for estimate in self.estimates)

    @property
    def currencies(self) -> frozenset[str | None]:
        """Those of the estimates; None stands for one that was not told."""
        return frozenset(estimate.currency for estimate in self.estimates)


@attrs.frozen(kw_only=True)
class PlanPrice:
    """What a plan costs at most. ``cost`` is None where that cannot be told."""

    legs: tuple[LegPrice, ...]
    cost: Decimal | None
    currency: str | None = None


def price_of(plan: Plan, legs: Sequence[LegPrice]) -> PlanPrice:
    """Return what a plan costs at most, where its ``legs`` cost so much, in their order."""
    currencies = frozenset[str | None]().union(*(leg.currencies for leg in legs))
    costs = [leg.cost for leg in legs]
    known = [cost for cost in costs if cost is not None]
    if len(currencies) != 1 or len(known) != len(costs):
        return PlanPrice(legs=tuple(legs), cost=None)
    return PlanPrice(legs=tuple(legs), cost=at_most(plan, known), currency=next(iter(currencies)))


def parts_of(plan: Plan) -> int:
    """Return how many parts of short messages a plan sends at most."""
    counts = [0 if leg.parts is None else leg.parts.parts for leg in plan.legs]
    return int(at_most(plan, [Decimal(count) for count in counts]))


def at_most(plan: Plan, amounts: Sequence[Decimal]) -> Decimal:
    """Return the most that legs of so much each come to, in the worst case.

    With ``all_of`` that is all of them. With ``first_of`` a leg that waits for a receipt is paid
    and may be given up, so what follows comes on top; one that does not wait ends the plan if it
    is accepted, and costs nothing if it is not.
    """
    if plan.all_of:
        return sum(amounts, Decimal())
    most = Decimal()
    for leg, amount in reversed(list(zip(plan.legs, amounts, strict=True))):
        most = amount + most if leg.until is not Until.ACCEPTED else max(amount, most)
    return most
