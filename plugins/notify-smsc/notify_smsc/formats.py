"""The vendor's numbers for kinds of message, and the parameter that stands for each.

The numbers are those of ``$format`` in the vendor's PHP library
(https://smsc.ru/api/code/libraries/http_smtp/php/). The ``type`` numbers in answers of
``status.php`` and in callbacks are other numbers.
"""

from __future__ import annotations

import enum

from notify_core.errors import MessageError


class Format(enum.Enum):
    """A kind of message. The library's table has an empty place at 12, which would go as SMS."""

    SMS = 0
    """A text message; no flag."""
    FLASH = 1
    """A text message shown at once and not stored."""
    WAP_PUSH = 2
    """A link with a title, on two lines."""
    HLR = 3
    """A query about the subscriber; no message goes out."""
    BINARY = 4
    """A binary message given as bytes."""
    BINARY_HEX = 5
    """A binary message given as hexadecimal digits."""
    PING = 6
    """A silent message that checks whether the phone can be reached."""
    MMS = 7
    """A multimedia message, with files."""
    EMAIL = 8
    """A letter; the recipients are mail addresses."""
    CALL = 9
    """A voice call that speaks the text."""
    VIBER = 10
    """A Viber message."""
    SOCIAL = 11
    """A message in a social network."""
    TELEGRAM = 13
    """A confirmation code by Telegram."""

    @property
    def flag(self) -> tuple[tuple[str, str], ...]:
        """The parameter that asks for this kind: none or one."""
        return _FLAGS[self]


_FLAGS = {
    Format.SMS: (),
    Format.FLASH: (("flash", "1"),),
    Format.WAP_PUSH: (("push", "1"),),
    Format.HLR: (("hlr", "1"),),
    Format.BINARY: (("bin", "1"),),
    Format.BINARY_HEX: (("bin", "2"),),
    Format.PING: (("ping", "1"),),
    Format.MMS: (("mms", "1"),),
    Format.EMAIL: (("mail", "1"),),
    Format.CALL: (("call", "1"),),
    Format.VIBER: (("viber", "1"),),
    Format.SOCIAL: (("soc", "1"),),
    Format.TELEGRAM: (("tg", "1"),),
}


def format_of(number: int) -> Format:
    """Return the format with the vendor's number; ``MessageError`` if there is none."""
    try:
        return Format(number)
    except ValueError:
        known = "0 to 11 and 13"
    raise MessageError(f"format: {number!r} is not a format of the gateway; known: {known}")
