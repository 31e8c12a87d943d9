"""What happens to a text on its way: transliteration, counting of parts, cutting.

160 or 70 characters fit one SMS, https://smscentre.com/api/http/send/sms ; 153 or 67 each part
of a longer one. That characters outside GSM 7-bit make the whole text count as 70, and that
those of its extension count twice, is the GSM standard (3GPP TS 23.038), not the vendor's word.
"""

from math import ceil

_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_TWICE = frozenset("^{}[]~\\|€\f")

_BINARY_PART = 140

# Neither of the vendor's tables is known: these only bring a text into the GSM alphabet.
_CYRILLIC = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"
_SOUNDS = "a b v g d e yo zh z i y k l m n o p r s t u f h c ch sh sch ' y ' e yu ya"
_LOOKS = "a 6 B r g e e }I{ 3 u u K /I M H o n p c m y (|) x u, 4 w w, 'b b| b 3 I-O 9"
_BY_SOUND = dict(zip(_CYRILLIC, _SOUNDS.split(), strict=True))
_BY_LOOKS = dict(zip(_CYRILLIC, _LOOKS.split(), strict=True))


def transliterate(text: str, mode: str) -> str:
    """Write Cyrillic in Latin letters: mode ``1`` by sound, ``2`` by looks, else not at all."""
    match mode:
        case "1":
            return "".join(_by_sound(letter) for letter in text)
        case "2":
            return "".join(_BY_LOOKS.get(letter.lower(), letter) for letter in text)
        case _:
            return text


def _by_sound(letter: str) -> str:
    latin = _BY_SOUND.get(letter.lower(), letter)
    return latin.capitalize() if letter.isupper() and latin != letter else latin


def count_parts(text: str) -> int:
    """Return how many SMS a text needs, at least one."""
    units, one, many = _measure(text)
    return 1 if units <= one else len(_split(text, many))


def cut_to_parts(text: str, parts: int) -> str:
    """Return the longest beginning of the text that fits into so many parts."""
    if count_parts(text) <= parts:
        return text
    _, one, many = _measure(text)
    pieces = _split(text, one if parts == 1 else many)
    return "".join(pieces[:parts])


def count_binary_parts(size: int) -> int:
    """Return how many SMS so many bytes need, at least one."""
    return max(1, ceil(size / _BINARY_PART))


def _measure(text: str) -> tuple[int, int, int]:
    """Return the length in units, the units of a single SMS and those of a part."""
    if all(letter in _GSM or letter in _GSM_TWICE for letter in text):
        return sum(_units(letter) for letter in text), 160, 153
    return sum(_units(letter) for letter in text), 70, 67


def _units(letter: str) -> int:
    if letter in _GSM_TWICE:
        return 2
    return 2 if ord(letter) > 0xFFFF else 1


def _split(text: str, size: int) -> list[str]:
    """Cut into pieces of at most ``size`` units, never through a letter."""
    pieces, used = [""], 0
    for letter in text:
        units = _units(letter)
        if used + units > size:
            pieces.append("")
            used = 0
        pieces[-1] += letter
        used += units
    return pieces
