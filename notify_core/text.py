"""Counting the parts of a short message before it is sent.

The alphabet is that of 3GPP TS 23.038 (GSM 7-bit default alphabet and its extension table,
whose characters count two). One part holds 160 septets or 70 UCS-2 units; in a longer message
each part carries a header and holds 153 or 67.
"""

from __future__ import annotations

import enum

import attrs

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("^{}\\[~]|€\f")
_GSM = _BASIC | _EXTENSION


class Alphabet(enum.Enum):
    """How the characters of a short message are coded on the air."""

    GSM_7 = "gsm7"
    """Seven bits: 160 in one part, 153 in each of several."""
    UCS_2 = "ucs2"
    """Sixteen bits: 70 in one part, 67 in each of several."""


# More different foreign characters than this are a language, not a slip of the keyboard.
_MOST_CULPRITS = 3

_LIMITS = {Alphabet.GSM_7: (160, 153), Alphabet.UCS_2: (70, 67)}


@attrs.frozen
class PartCount:
    """How many parts a text needs, in which alphabet, and how many units it is long.

    ``culprits`` are the characters that alone keep the text from the 7-bit alphabet, and
    ``parts_without`` the parts it would need without them; both are empty or None when the
    text is 7-bit anyway, or mostly is not.
    """

    parts: int
    alphabet: Alphabet
    units: int
    culprits: tuple[str, ...] = attrs.field(default=(), repr=False)
    parts_without: int | None = None

    @property
    def warning(self) -> str | None:
        """Say so when a stray character multiplies the parts."""
        if self.parts_without is None or self.parts < 2 * self.parts_without:
            return None
        codes = ", ".join(f"U+{ord(character):04X}" for character in self.culprits)
        verb = "makes" if len(self.culprits) == 1 else "make"
        return (
            f"{codes} {verb} this {self.parts} parts; "
            f"{self.parts_without} without, in the 7-bit alphabet"
        )


def count_parts(text: str) -> PartCount:
    """Count the parts of ``text`` as one short message."""
    foreign = sorted(set(text) - _GSM)
    if not foreign:
        return PartCount(_parts(text, Alphabet.GSM_7), Alphabet.GSM_7, _septets(text))
    counted = PartCount(_parts(text, Alphabet.UCS_2), Alphabet.UCS_2, _utf16_units(text))
    if len(foreign) > _MOST_CULPRITS:
        return counted
    without = "".join("?" if character in foreign else character for character in text)
    return attrs.evolve(
        counted, culprits=tuple(foreign), parts_without=_parts(without, Alphabet.GSM_7)
    )


def _parts(text: str, alphabet: Alphabet) -> int:
    units = _char_units(text, alphabet)
    single, several = _LIMITS[alphabet]
    if sum(units) <= single:
        return 1
    parts, room = 1, several
    for unit in units:
        if unit > room:
            parts, room = parts + 1, several
        room -= unit
    return parts


def _char_units(text: str, alphabet: Alphabet) -> list[int]:
    if alphabet is Alphabet.GSM_7:
        return [2 if character in _EXTENSION else 1 for character in text]
    return [2 if ord(character) > 0xFFFF else 1 for character in text]


def _septets(text: str) -> int:
    return sum(_char_units(text, Alphabet.GSM_7))


def _utf16_units(text: str) -> int:
    return sum(_char_units(text, Alphabet.UCS_2))
