"""Which countries the beginning of a number leaves open."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Sequence
from typing import Any

_CUT = "…"
_NO_COUNTRY = "001"
"""The library's region of numbers that belong to no country."""
_FURTHER_DIGITS = 2
"""No list of leading digits is longer than what is kept of a number and so many more."""


class Regions:
    """Countries by the beginning of a number in international form."""

    def __init__(self) -> None:
        # As slow to import as it is for ``PhoneNumbers``, which says how slow.
        import phonenumbers  # noqa: PLC0415

        self._library: Any = phonenumbers
        self._known: dict[str, Sequence[str | None]] = {}

    def possible(self, begins: str) -> Sequence[str | None]:
        """Return the countries that a number may be of; None stands for none.

        Where several share a code, a number that nobody has is of none of them. That is only
        told where more than one is left: otherwise each number of such a code would be in doubt.
        """
        if begins not in self._known:
            self._known[begins] = self._possible(begins.removeprefix("+").removesuffix(_CUT))
        return self._known[begins]

    def _possible(self, digits: str) -> Sequence[str | None]:
        by_code = self._library.COUNTRY_CODE_TO_REGION_CODE
        code = next(
            (n for n in (1, 2, 3) if digits[:n].isdigit() and int(digits[:n]) in by_code), 0
        )
        regions = by_code[int(digits[:code])] if code else ()
        left = [region for region in regions if self._may_be(region, digits[code:])]
        known = [region for region in left if region != _NO_COUNTRY]
        return known if len(known) == 1 else [*known, None]

    def _may_be(self, region: str, national: str) -> bool:
        """Tell whether a number that begins so can have the leading digits of a region."""
        leading = self._leading(region)
        if leading is None:
            return True
        return any(leading.match(f"{national}{more}") for more in _completions())

    def _leading(self, region: str) -> re.Pattern[str] | None:
        metadata = self._library.PhoneMetadata.metadata_for_region(region, None)
        digits = None if metadata is None else metadata.leading_digits
        return None if digits is None else re.compile(digits)


@functools.cache
def _completions() -> Sequence[str]:
    """Return what may follow, the nothing first, so that what is told already is found at once."""
    digits = "0123456789"
    return [
        "".join(more)
        for length in range(_FURTHER_DIGITS + 1)
        for more in itertools.product(digits, repeat=length)
    ]
