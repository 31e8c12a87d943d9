"""What routes may look at, and how the conditions of a route are held against it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import attrs

from notify_core.config.model import Route, When
from notify_core.contact import mask

_SHOWN_DIGITS = 6
_KEPT_DIGITS = 6
_HIDDEN_DIGITS = 3
"""So many of a number are never kept, however short it is."""
_CUT = "…"


@attrs.frozen(kw_only=True)
class Facts:
    """What routes may look at, about one message and one recipient.

    ``number`` is in international form, or its beginning and ``…``; ``country`` None also stands
    for *not asked for*.
    """

    channel: str
    tags: frozenset[str] = frozenset()
    priority: str = "normal"
    sender: str | None = None
    number: str | None = attrs.field(default=None, repr=False)
    country: str | None = None
    domain: str | None = None

    def to_keep(self) -> Facts:
        """Return what may be kept for as long as the delivery is: of a number its beginning."""
        if self.number is None or self.number.endswith(_CUT):
            return self
        kept = max(0, min(_KEPT_DIGITS, len(self.number) - 1 - _HIDDEN_DIGITS))
        return attrs.evolve(self, number=f"{self.number[: 1 + kept]}{_CUT}")

    def leaves_open(self, prefix: str) -> bool:
        """Tell whether the number may begin so, but too little of it is kept to say."""
        if not self._is_cut:
            return False
        begins = (self.number or "").removesuffix(_CUT)
        return len(prefix) > len(begins) and prefix.startswith(begins)

    def leaves_failing(self, check: Check) -> bool:
        """Tell whether a check that fails fails for sure, and not for what is no longer kept."""
        match check.condition:
            case "number_prefix":
                return not any(self.leaves_open(prefix) for prefix in check.wanted)
            case "country":
                return self.country is not None or not self._is_cut
            case _:
                return True

    @property
    def _is_cut(self) -> bool:
        return self.number is not None and self.number.endswith(_CUT)


@attrs.frozen
class Check:
    """One condition of a route held against one message: what was wanted and what was seen.

    ``by`` are the wanted values that the message has; any one of them is enough.
    """

    condition: str
    wanted: tuple[str, ...]
    seen: str
    by: tuple[str, ...]

    @property
    def held(self) -> bool:
        return bool(self.by)

    def __str__(self) -> str:
        verdict = "holds" if self.held else "fails"
        return f"{self.condition} {verdict}: wanted {' or '.join(self.wanted)}, is {self.seen}"


@attrs.frozen
class Considered:
    """A route that was tried: it matched when every check held."""

    route: str
    checks: tuple[Check, ...]

    @property
    def matched(self) -> bool:
        return all(check.held for check in self.checks)


def consider(routes: Iterable[Route], facts: Facts) -> tuple[Considered, ...]:
    """Try routes in their order, up to the first that matches.

    This is what *the first route that matches* means. ``RouteTable`` finds the same one sooner,
    and does not say why.
    """
    tried: list[Considered] = []
    for route in routes:
        tried.append(Considered(route.name, checks(route.when, facts)))
        if tried[-1].matched:
            break
    return tuple(tried)


def checks(when: When, facts: Facts) -> tuple[Check, ...]:
    """Hold every condition of a route against the facts, in the order of the model."""
    seen = _seen(facts)
    return tuple(
        Check(condition, wanted, seen[condition], _held_by(condition, wanted, facts))
        for condition, wanted in conditions(when)
    )


def conditions(when: When) -> Sequence[tuple[str, tuple[str, ...]]]:
    """Return the conditions that are given, each with its values as facts have them."""
    every = (
        ("channel", when.channel),
        ("tags", when.tags),
        ("priority", tuple(priority.name.lower() for priority in when.priority)),
        ("country", when.country),
        ("number_prefix", when.number_prefix),
        ("recipient_domain", when.recipient_domain),
        ("sender", when.sender),
    )
    return [(condition, wanted) for condition, wanted in every if wanted]


def values(condition: str, facts: Facts) -> Collection[str]:
    """Return what a message has of that which a condition looks at, except for numbers."""
    match condition:
        case "tags":
            return facts.tags
        case "recipient_domain":
            value = facts.domain
        case _:
            value = getattr(facts, condition)
    return () if value is None else (value,)


def _held_by(condition: str, wanted: tuple[str, ...], facts: Facts) -> tuple[str, ...]:
    if condition == "number_prefix":
        return tuple(prefix for prefix in wanted if (facts.number or "").startswith(prefix))
    seen = values(condition, facts)
    return tuple(value for value in wanted if value in seen)


def _seen(facts: Facts) -> Mapping[str, str]:
    number = facts.number or ""
    return {
        "channel": facts.channel,
        "tags": ", ".join(sorted(facts.tags)) or "no tag",
        "priority": facts.priority,
        "country": facts.country or "absent",
        "number_prefix": f"{number[:_SHOWN_DIGITS]}…" if number else "no number",
        "recipient_domain": facts.domain or "absent",
        "sender": _shown_sender(facts.sender),
    }


def _shown_sender(sender: str | None) -> str:
    is_address = sender is not None and ("@" in sender or sender.lstrip("+").isdigit())
    return mask(sender or "") if is_address else sender or "absent"
