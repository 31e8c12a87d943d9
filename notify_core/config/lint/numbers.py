"""What telephone numbers there can be: by calling code, their countries and their lengths."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

_NO_COUNTRY = "001"
"""What the library has in place of a country for codes of no country, like +800."""


class CallingCodes:
    """The calling codes of the world, written ``+7``."""

    def __init__(self) -> None:
        # 17 ms, which every command would pay that is not about numbers.
        import phonenumbers  # noqa: PLC0415

        self._library: Any = phonenumbers

    @property
    def all(self) -> Collection[str]:
        return [f"+{code}" for code in self._library.COUNTRY_CODE_TO_REGION_CODE]

    def of(self, countries: Iterable[str]) -> Collection[str]:
        """Return the codes of these countries. A country has one, and a wrong country none."""
        numbers = {self._library.country_code_for_region(country) for country in countries}
        return [f"+{number}" for number in sorted(numbers) if number]

    def countries(self, code: str) -> tuple[str | None, ...]:
        """Return the countries (ISO 3166) that a number with this code may be found to be in.

        Where several share a code, the library tells them apart by further digits and finds some
        numbers to be in none: None. Which digits these are is not looked at here.
        """
        regions = self._library.COUNTRY_CODE_TO_REGION_CODE[int(code)]
        countries = tuple(None if region == _NO_COUNTRY else region for region in regions)
        return countries if len(countries) == 1 else (*countries, None)

    def lengths(self, code: str) -> Collection[int]:
        """Return how many signs a number with this code may have, with ``+`` and code."""
        number = int(code)
        region = self._library.region_code_for_country_code(number)
        metadata = self._library.PhoneMetadata.metadata_for_region_or_calling_code(number, region)
        return frozenset(len(code) + length for length in metadata.general_desc.possible_length)

    def is_country(self, country: str) -> bool:
        """Tell whether there is any number in a country."""
        return country in self._library.SUPPORTED_REGIONS


def goes_on(beginning: str, avoided: Collection[str], lengths: Collection[int]) -> bool:
    """Tell whether a number of one of these lengths begins so, and with nothing ``avoided``.

    All that is ``avoided`` begins with ``beginning`` and is longer.
    """
    if len(beginning) in lengths:
        return True
    if not avoided:
        return any(length > len(beginning) for length in lengths)
    return any(
        goes_on(longer, [each for each in avoided if each.startswith(longer)], lengths)
        for longer in (f"{beginning}{digit}" for digit in range(10))
        if longer not in avoided
    )
