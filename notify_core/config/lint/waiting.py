"""Rules about legs that wait for receipts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from notify_core.config.lint.rule import Rule, Severity
from notify_core.config.lint.sheet import LegPlace, ProviderPlace, Sheet
from notify_core.config.lint.words import joined
from notify_core.config.model import Because, Until
from notify_core.config.problems import quoted
from notify_core.config.values import duration_text
from notify_core.errors import Problem
from notify_core.provider import ReceiptKind

_MINUTE = timedelta(minutes=1)

_NEVER_READ = frozenset({"sms", "flash", "call", "mms", "wap_push", "binary", "ping", "hlr"})
"""Channels of which nobody tells that the recipient has opened the message: a handset says that it
has got a short message, and an operator that somebody has answered the telephone."""


def _never_read(sheet: Sheet) -> Iterator[Problem]:
    for leg in sheet.legs:
        if leg.leg.until is Until.READ and leg.channels and _NEVER_READ.issuperset(leg.channels):
            yield leg.place("until").problem(
                f"no receipt says that {joined(leg.channels, 'or')} was read, so the leg is always "
                "given up; write until: delivered"
            )


def _unasked_in_time(sheet: Sheet) -> Iterator[Problem]:
    """Yield the providers that are asked for the receipt too late, and do not call."""
    for leg in sheet.legs:
        for name, node in leg.providers() if leg.waits else ():
            problem = _asked_too_late(leg, sheet.providers[name])
            if problem is not None:
                yield node.problem(problem)


def _asked_too_late(leg: LegPlace, provider: ProviderPlace) -> str | None:
    able, within = provider.capabilities, leg.leg.within
    if able.receipts != {ReceiptKind.POLL}:
        return None
    if not able.poll_after_s:
        return (
            f"{quoted(provider.name)} neither calls nor says how often it may be asked, so no "
            "receipt ever comes"
        )
    first = timedelta(seconds=able.poll_after_s[0])
    if within is None or first < within:
        return None
    return (
        f"{quoted(provider.name)} is first asked after {duration_text(first)}, and within is "
        f"{duration_text(within)}: no receipt can come in time"
    )


def _expiry_without_effect(sheet: Sheet) -> Iterator[Problem]:
    for leg in sheet.legs:
        if leg.leg.distrust and Because.EXPIRED not in leg.leg.on:
            yield leg.place("on").problem(
                "has no expired, and where receipts are distrusted the time alone decides: there "
                "no leg ever follows"
            )


def _idle_distrust(sheet: Sheet) -> Iterator[Problem]:
    for leg in sheet.legs:
        distrust = leg.node.get("distrust")
        for name, entry in distrust.entries().items() if distrust else ():
            if name not in leg.leg.via.providers:
                yield entry.key.problem(f"{quoted(name)} is not a provider of this leg")
                continue
            countries = leg.route.when.country
            for node in entry.value.items_or_self():
                if countries and node.text() not in countries:
                    yield node.problem(
                        f"the when of this route lets only {joined(countries, 'or')} come"
                    )


def _both_may_arrive(sheet: Sheet) -> Iterator[Problem]:
    """Yield where a leg that was given up may still arrive. The plan warns of the same."""
    for leg in sheet.legs:
        if not leg.is_followed or leg.leg.within is None:
            continue
        unable = _cannot_expire(leg, sheet)
        if leg.leg.within < _MINUTE:
            yield leg.place("within").problem(
                "a provider is told in whole minutes when to give a message up, so this leg and "
                "the next one may both arrive; write 1m or more"
            )
        elif unable:
            yield leg.place("within").problem(
                f"{joined(unable)} cannot be told to give a message up, so this leg and the next "
                "one may both arrive"
            )


def _cannot_expire(leg: LegPlace, sheet: Sheet) -> list[str]:
    # Too long is another matter: within-beyond-validity tells it.
    names = leg.leg.via.providers
    return [name for name in names if not sheet.providers[name].capabilities.validity]


WAITING_RULES = (
    Rule(name="never-read", severity=Severity.WARNING, find=_never_read),
    Rule(name="unasked-in-time", severity=Severity.WARNING, find=_unasked_in_time),
    Rule(name="distrust-without-expired", severity=Severity.WARNING, find=_expiry_without_effect),
    Rule(name="idle-distrust", severity=Severity.WARNING, find=_idle_distrust),
    Rule(name="both-may-arrive", severity=Severity.ADVICE, find=_both_may_arrive),
)
