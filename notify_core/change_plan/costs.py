"""What messages cost on average, by what recorded attempts have really cost.

Amounts of different currencies are never added or compared, and nothing is guessed: where no
attempt of a provider on a channel has told what it cost, the cost is unknown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

import attrs

from notify_core.change_plan.ways import Way, WayLeg
from notify_core.config.model import Mode
from notify_core.journal.recorded import Spent

_STEP = Decimal("0.0001")


@attrs.frozen(kw_only=True)
class Rate:
    """What attempts of a provider on a channel have cost on average, and how many there were.

    ``country`` None is for all countries together, ``currency`` None one that was not told.
    """

    provider: str
    channel: str
    country: str | None
    currency: str | None
    cost: Decimal
    attempts: int


@attrs.frozen
class Amount:
    """A sum of money of one currency."""

    cost: Decimal
    currency: str | None


@attrs.frozen(kw_only=True)
class CostChange:
    """What so many messages cost before and after, of those for which both can be told."""

    currency: str | None
    messages: int
    old: Decimal
    new: Decimal

    @property
    def difference(self) -> Decimal:
        """How much more is paid; less is negative."""
        return self.new - self.old


class Rates:
    """The averages, by provider, channel and country."""

    def __init__(self) -> None:
        self._sums: dict[_Place, dict[str | None, _Sum]] = defaultdict(dict)

    def add(self, spent: Spent, country: str | None) -> None:
        """Count one attempt, in its country and in all together."""
        for place in {(spent.provider, spent.channel, each) for each in (country, None)}:
            known = self._sums[place].setdefault(spent.currency, _Sum())
            known.add(spent.cost)

    def rates(self) -> Iterator[Rate]:
        """Yield every average, those of a country behind the one of all countries."""
        for place in sorted(self._sums, key=lambda place: tuple(each or "" for each in place)):
            provider, channel, country = place
            for currency, known in self._sums[place].items():
                yield Rate(
                    provider=provider,
                    channel=channel,
                    country=country,
                    currency=currency,
                    cost=known.average.quantize(_STEP),
                    attempts=known.count,
                )

    def cost(self, way: Way, country: str | None) -> Amount | None:
        """Return what a message costs that its first leg takes by the first provider.

        With ``all_of`` that is the sum of all legs. None where that is not known, or where there
        is more than one currency.
        """
        legs = way.legs if way.mode is Mode.ALL_OF else way.legs[:1]
        amounts = [self._of_leg(leg, country) for leg in legs]
        known = [amount for amount in amounts if amount is not None]
        currencies = {amount.currency for amount in known}
        if len(known) < len(amounts) or len(currencies) != 1:
            return None
        return Amount(sum((each.cost for each in known), Decimal()), currencies.pop())

    def _of_leg(self, leg: WayLeg, country: str | None) -> Amount | None:
        if not leg.providers:
            return None
        provider = leg.providers[0]
        for place in ((provider, leg.channel, country), (provider, leg.channel, None)):
            known = self._sums.get(place, {})
            if len(known) == 1:
                ((currency, total),) = known.items()
                return Amount(total.average, currency)
        return None


_Place = tuple[str, str, str | None]


class _Sum:
    """Amounts of one currency, added up."""

    def __init__(self) -> None:
        self.count = 0
        self._total = Decimal()

    def add(self, cost: Decimal) -> None:
        self.count += 1
        self._total += cost

    @property
    def average(self) -> Decimal:
        return self._total / self.count


def cost_changes(
    flows: Mapping[tuple[Way, Way, str | None], int], rates: Rates
) -> tuple[Sequence[CostChange], int]:
    """Return what the messages cost before and after, and of how many that is not known.

    ``flows`` counts messages by their old way, their new way and their country.
    """
    changes: dict[str | None, CostChange] = {}
    unknown = 0
    for (before, after, country), messages in flows.items():
        old, new = rates.cost(before, country), rates.cost(after, country)
        if old is None or new is None or old.currency != new.currency:
            unknown += messages
            continue
        change = CostChange(
            currency=old.currency,
            messages=messages,
            old=old.cost * messages,
            new=new.cost * messages,
        )
        changes[old.currency] = _together(changes.get(old.currency), change)
    return [_rounded(change) for _, change in sorted(changes.items(), key=_by_currency)], unknown


def total_of(parts: Iterable[CostChange]) -> Sequence[CostChange]:
    """Add up what groups of messages cost, each currency by itself."""
    totals: dict[str | None, CostChange] = {}
    for part in parts:
        totals[part.currency] = _together(totals.get(part.currency), part)
    return [change for _, change in sorted(totals.items(), key=_by_currency)]


def _by_currency(item: tuple[str | None, CostChange]) -> str:
    return item[0] or ""


def _together(known: CostChange | None, more: CostChange) -> CostChange:
    if known is None:
        return more
    return CostChange(
        currency=known.currency,
        messages=known.messages + more.messages,
        old=known.old + more.old,
        new=known.new + more.new,
    )


def _rounded(change: CostChange) -> CostChange:
    return attrs.evolve(change, old=change.old.quantize(_STEP), new=change.new.quantize(_STEP))
