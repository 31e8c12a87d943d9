"""Rules about providers and how legs choose among them."""

from __future__ import annotations

from collections.abc import Iterator

from notify_core.config.lint.rule import Rule, Severity
from notify_core.config.lint.sheet import Sheet
from notify_core.config.problems import quoted
from notify_core.errors import Problem

_LIKE_PERCENT = range(95, 106)
_HARDLY = 1000
"""Who is drawn less than once in so many is not really part of a spread."""


def _unused_providers(sheet: Sheet) -> Iterator[Problem]:
    used = {name for leg in sheet.legs for name in leg.leg.via.providers}
    asked = {*sheet.config.incoming.poll, *sheet.config.callbacks.networks}
    for provider in sheet.providers.values():
        if provider.name not in used | asked:
            yield provider.key.problem(
                "no route sends by this provider, and nothing is asked of it; use it, or take it "
                "away"
            )


def _same_accounts(sheet: Sheet) -> Iterator[Problem]:
    """Yield the providers behind one that has the same account: both fail together."""
    for leg in sheet.legs:
        seen: dict[tuple[str, str], str] = {}
        for name, node in leg.providers():
            account = sheet.providers[name].account
            if account is not None and account in seen:
                yield node.problem(
                    f"{quoted(name)} has the same account as {quoted(seen[account])}, so what "
                    "stops one stops the other; give it an account of its own, or leave it out"
                )
            elif account is not None:
                seen[account] = name


def _odd_spreads(sheet: Sheet) -> Iterator[Problem]:
    for leg in sheet.legs:
        weights = leg.leg.via.weights
        total = sum(weights)
        if len(set(weights)) > 1 and total in _LIKE_PERCENT and total != 100:
            yield leg.place("via.spread").problem(
                f"the weights add up to {total}; if they are meant as percent, that should be 100"
            )


def _lopsided_spreads(sheet: Sheet) -> Iterator[Problem]:
    for leg in sheet.legs:
        weights = leg.leg.via.weights
        for (name, node), weight in zip(leg.providers(), weights, strict=False):
            if weight * _HARDLY < sum(weights):
                yield node.problem(
                    f"{quoted(name)} is drawn first once in {sum(weights) // weight} messages, too "
                    "rarely to show whether it works; give it more, or write via as a list"
                )


PROVIDER_RULES = (
    Rule(name="unused-provider", severity=Severity.WARNING, find=_unused_providers),
    Rule(name="same-account", severity=Severity.WARNING, find=_same_accounts),
    Rule(name="odd-spread", severity=Severity.ADVICE, find=_odd_spreads),
    Rule(name="lopsided-spread", severity=Severity.ADVICE, find=_lopsided_spreads),
)
