"""Telephone numbers: read in whatever form, sent in international form, never changed silently."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import attrs

from notify_core.contact import mask
from notify_core.errors import RecipientError

# In the library Kaliningrad has the clock of Bucharest, which it left when Russia gave up summer
# time: for half a year that is an hour wrong.
_RUSSIAN_ZONES = MappingProxyType({"Europe/Bucharest": "Europe/Kaliningrad"})


@attrs.frozen
class Phone:
    """A number in international form (E.164). ``rewritten`` says that it was given otherwise."""

    number: str
    rewritten: bool = False


class PhoneNumbers:
    """Read numbers. ``default_region`` (ISO 3166) is where a number without ``+`` belongs."""

    def __init__(self, default_region: str | None = None) -> None:
        # 17 ms, which only those pay who send to numbers.
        import phonenumbers  # noqa: PLC0415

        self._library = phonenumbers
        self._default_region = default_region

    def normalise(self, given: str) -> Phone:
        """Return the number in international form.

        Only its possibility (country code and length) is judged: lists of numbers in use lag
        behind the operators. Raises ``RecipientError``.
        """
        if not given.startswith("+") and self._default_region is None:
            raise RecipientError(
                f"{mask(given)!r} has no country code; write it with + and the country code, "
                "or set default_region"
            )
        try:
            parsed = self._library.parse(given, self._default_region)
        except self._library.NumberParseException as error:
            raise RecipientError(f"{mask(given)!r} cannot be a phone number") from error
        if not self._is_whole(parsed):
            raise RecipientError(
                f"{mask(given)!r} is too short or too long for country code +{parsed.country_code}"
            )
        number = self._library.format_number(parsed, self._library.PhoneNumberFormat.E164)
        return Phone(number, rewritten=number != given)

    def _is_whole(self, parsed: Any) -> bool:
        # Not is_possible_number: that is content with a local number, which lacks the area code.
        possible = self._library.ValidationResult.IS_POSSIBLE
        return bool(self._library.is_possible_number_with_reason(parsed) == possible)

    def country(self, number: str) -> str | None:
        """Return the ISO 3166 code of a number in international form, or None if it has none."""
        region = self._library.region_code_for_number(self._library.parse(number))
        return region if region and region != "001" else None

    def zones(self, number: str) -> tuple[str, ...]:
        """Return the time zones that a number in international form may be in.

        They are all of the country where the number does not tell more, as a Russian mobile one,
        and none for a number of no country. The names stand for clocks, not for places: Minsk is
        in Europe/Moscow.
        """
        # Only routes with quiet hours ask for zones.
        from phonenumbers import timezone  # noqa: PLC0415

        parsed, unknown = self._library.parse(number), (timezone.UNKNOWN_TIMEZONE,)
        names = timezone.time_zones_for_number(parsed)
        if names == unknown:
            # The range may only be newer than the library; the digits still say where it is.
            names = timezone.time_zones_for_geographical_number(parsed)
        corrected = _RUSSIAN_ZONES if parsed.country_code == 7 else {}
        return () if names == unknown else tuple(corrected.get(name, name) for name in names)
