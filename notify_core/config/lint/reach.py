"""Whether any message can come to a route, decided from the conditions of the routes.

A message comes to a route if every condition of it holds, and of each route before it one fails.
Conditions only ever ask for something, so a message that is to fail the others has of everything
that the route does not ask for nothing at all, and of what it asks for one value. Each value
leaves some of the earlier routes *standing*: those whose condition it fulfils, or which have
none there. If one value of each kind can be chosen so that no route is left standing by all of
them, these values are a message that comes to the route; else there is none.

It is exact but for two things, of which it errs to the side of *can be reached*: channels that no
plugin brings are thought possible, and so is each country of a calling code for each of its
numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from notify_core.config.lint.numbers import CallingCodes, goes_on
from notify_core.config.model import When
from notify_core.message import Priority

_OPEN = ("channel", "tags", "recipient_domain", "sender")
"""Conditions whose values are no closed set: a message may have one that no route names."""

_MOST = 1000
"""Of more different sets of standing routes nobody wants to wait for the answer."""


def shadows(when: When, earlier: Sequence[When], codes: CallingCodes) -> tuple[int, ...] | None:
    """Return which earlier routes take all messages of a route, by their places.

    One if one is enough, else some of which none can be left out; none at all if no message can
    be as the route wants it. None: a message can come to the route.
    """
    if is_reachable(when, earlier, codes):
        return None
    if not is_reachable(when, [], codes):
        return ()
    for place, other in enumerate(earlier):
        if not is_reachable(when, [other], codes):
            return (place,)
    needed = list(range(len(earlier)))
    for place in range(len(earlier)):
        rest = [other for other in needed if other != place]
        if not is_reachable(when, [earlier[other] for other in rest], codes):
            needed = rest
    return tuple(needed)


def is_reachable(when: When, earlier: Sequence[When], codes: CallingCodes) -> bool:
    """Tell whether a message can match this route and none of the earlier ones."""
    kinds = list(_kinds(when, earlier, codes))
    if not all(kinds):
        return False
    standing = {(1 << len(earlier)) - 1}
    for choices in kinds:
        standing = {left & choice for left in standing for choice in choices}
        if len(standing) > _MOST:
            return True
        standing = _least(standing)
    return 0 in standing


class Meetings:
    """Which routes can take anything at all from others: found by what they ask for.

    Sets of routes are whole numbers, with a bit for each; see ``routing.RouteTable``.
    """

    def __init__(self, whens: Sequence[When]) -> None:
        self._without = {name: _bits([not getattr(each, name) for each in whens]) for name in _OPEN}
        self._wanting: dict[tuple[str, str], int] = {}
        self._not_about_numbers = _bits([not _is_about_numbers(each) for each in whens])
        for place, each in enumerate(whens):
            for key in ((name, value) for name in _OPEN for value in getattr(each, name)):
                self._wanting[key] = self._wanting.get(key, 0) | 1 << place

    def before(self, when: When, place: int) -> Sequence[int]:
        """Return the places of the routes before this one that can take what ``when`` lets in."""
        found = (1 << place) - 1
        for name in _OPEN:
            met = self._without[name]
            for value in getattr(when, name):
                met |= self._wanting.get((name, value), 0)
            found &= met
        return _places(found if _is_about_numbers(when) else found & self._not_about_numbers)


def _is_about_numbers(when: When) -> bool:
    return bool(when.country or when.number_prefix)


def _places(found: int) -> Sequence[int]:
    places: list[int] = []
    while found:
        lowest = found & -found
        places.append(lowest.bit_length() - 1)
        found ^= lowest
    return places


def _least(sets: set[int]) -> set[int]:
    """Leave out the sets that hold another one: fewer routes standing is never worse."""
    kept: set[int] = set()
    for each in sorted(sets, key=int.bit_count):
        if not any(each & other == other for other in kept):
            kept.add(each)
    return kept


def _kinds(when: When, earlier: Sequence[When], codes: CallingCodes) -> Iterator[set[int]]:
    """Yield for each kind of condition what its possible values leave standing, as bits."""
    for name in _OPEN:
        theirs = [getattr(each, name) for each in earlier]
        values = [value for value in getattr(when, name) if can_be(name, value)]
        yield {_standing(value, theirs) for value in values or _nothing(getattr(when, name))}
    priorities = [each.priority for each in earlier]
    yield {_standing(value, priorities) for value in when.priority or Priority}
    yield set(_numbers(when, earlier, codes))


def can_be(condition: str, value: str) -> bool:
    """Tell whether a message can have this value: none carries a blank tag."""
    return condition != "tags" or bool(value.strip())


def _nothing(wanted: Sequence[str]) -> Sequence[None]:
    """Return what stands for *nothing of this kind*, which is no choice if something is wanted."""
    return () if wanted else (None,)


def _standing(value: object, theirs: Sequence[tuple[object, ...]]) -> int:
    return _bits([not wanted or value in wanted for wanted in theirs])


def _bits(flags: Sequence[bool]) -> int:
    return int("".join("01"[flag] for flag in reversed(flags)) or "0", 2)


# --- numbers: country and number_prefix are about one thing ---------------------------------


@attrs.frozen
class _Numbers:
    """Numbers that the routes cannot tell apart. ``begins`` is None for *no number*."""

    begins: str | None
    country: str | None

    def fit(self, when: When) -> bool:
        in_country = not when.country or self.country in when.country
        return in_country and (
            not when.number_prefix or (self.begins or "").startswith(when.number_prefix)
        )


def _numbers(when: When, earlier: Sequence[When], codes: CallingCodes) -> Iterator[int]:
    if not when.country and not when.number_prefix:
        yield _bits([_Numbers(None, None).fit(other) for other in earlier])
        return
    named = {prefix for other in earlier for prefix in other.number_prefix}
    for code in codes.of(when.country) if when.country else codes.all:
        for numbers in _with_code(code, when, named, codes):
            yield _bits([numbers.fit(other) for other in earlier])


def _with_code(code: str, when: When, named: set[str], codes: CallingCodes) -> Iterator[_Numbers]:
    countries = [
        country for country in codes.countries(code) if not when.country or country in when.country
    ]
    for root in _roots(code, when.number_prefix) if countries else ():
        for begins in {root, *(prefix for prefix in named if prefix.startswith(root))}:
            longer = [each for each in named if each.startswith(begins) and each != begins]
            if goes_on(begins, longer, codes.lengths(code)):
                yield from (_Numbers(begins, country) for country in countries)


def _roots(code: str, prefixes: Sequence[str]) -> Iterator[str]:
    """Yield how the numbers begin that have the code and one of the prefixes."""
    for prefix in prefixes or (code,):
        if prefix.startswith(code):
            yield prefix
        elif code.startswith(prefix):
            yield code
