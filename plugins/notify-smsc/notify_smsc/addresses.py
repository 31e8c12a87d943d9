"""Recipients, senders and ids as the gateway writes them.

Parameters ``phones``, ``sender`` and ``id``: https://smscentre.com/api/http/send/sms
"""

from __future__ import annotations

import enum
import hashlib
import re

from notify_core.contact import EMAIL, TELEGRAM, mask
from notify_core.errors import RecipientError, UnsupportedFeature

GROUP = "smsc_group"
"""The kind of address that is a group of the account's address book: its number."""

LONGEST_SENDER_NAME = 11

_LARGEST_ID = 2**31 - 1
# Bare digits are a group up to this length and a phone from there on, so that a receipt, which
# tells no kind of address, cannot take one for the other.
_SHORTEST_PHONE = 7

_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_TOLD_NUMBER = re.compile(r"[1-9][0-9]{6,14}")
_SEPARATORS = re.compile(r"[ ()./\-]+")
_DOMESTIC = re.compile(r"0[0-9]*|8[0-9]{10}")
_GROUP = re.compile(r"G[0-9]+")
_EMAIL = re.compile(r"[^@\s,;:<>\"]+@[^@\s,;:<>\"]+")
_NICKNAME = re.compile(r"@[A-Za-z0-9_]+|#[0-9]+")
_SENDER_NAME = re.compile(r"[ -~]{1,11}")
_SENDER_NUMBER = re.compile(r"\+?[0-9]{1,15}")
_ID = re.compile(r"[A-Za-z0-9._-]{1,40}")


class MessageIds(enum.Enum):
    """The form of the ids that we choose."""

    NUMBER = "number"
    """A number from 1 to 2147483647, which every version of the gateway takes."""
    STRING = "string"
    """Up to 40 letters, digits and ``. - _``, which newer documentation allows."""


def message_id(own_id: str, form: MessageIds) -> str:
    """Return the id to send for an id of ours; the same one every time."""
    if form is MessageIds.STRING:
        # Digits alone would be read as a number, and be refused when it is a large one.
        if _ID.fullmatch(own_id) and not own_id.isdigit():
            return own_id
        return hashlib.sha256(own_id.encode()).hexdigest()[:39] + "-"
    number = int.from_bytes(hashlib.sha256(own_id.encode()).digest()[:8], "big")
    return str(number % _LARGEST_ID + 1)


def phone_to_send(address: str, kind: str) -> str:
    """Return what to write into ``phones`` for an address; ``RecipientError`` if nothing.

    A number gets a leading ``+``, which keeps the gateway from "correcting" it.
    """
    if kind == GROUP:
        return _group(address)
    if kind == EMAIL:
        return _matching(_EMAIL, address, "an e-mail address")
    if kind == TELEGRAM:
        return _matching(_NICKNAME, address, "a Telegram recipient; write @username or #id")
    return phone_number(address)


def phone_to_ask(address: str) -> str:
    """Return what to write into ``phone`` of a status query for the address of a receipt."""
    if _EMAIL.fullmatch(address) or _NICKNAME.fullmatch(address) or _GROUP.fullmatch(address):
        return address
    return _group(address) if _is_short(address) else phone_number(address)


def phone_number(address: str) -> str:
    """Return a phone number as the gateway is told it; ``RecipientError`` for anything else."""
    compact = _SEPARATORS.sub("", address)
    if _DOMESTIC.fullmatch(compact):
        raise RecipientError(
            f"{mask(address)!r} may be a number without country code; write it with + before that"
        )
    return _matching(
        _PHONE,
        compact if compact.startswith("+") else f"+{compact}",
        "a phone number; write it as +79991234567",
    )


def proves_absence(phone: str) -> bool:
    """Tell whether *not found* for this recipient can be believed.

    Queries are documented for numbers and e-mail addresses only. A group or a nickname that is
    not found may have been served all the same.
    """
    return phone.startswith("+") or _EMAIL.fullmatch(phone) is not None


def address_told(phone: str) -> str:
    """Return an address that the gateway tells as receipts have it: a number with its ``+``.

    Short numbers, mail addresses, nicknames and names are as they are told.
    """
    return f"+{phone}" if _TOLD_NUMBER.fullmatch(phone) else phone


def same_phone(sent: str, told: str) -> bool:
    """Tell whether an answer is about the recipient that we sent."""
    return sent.lstrip("+@#").casefold() == told.strip().lstrip("+@#").casefold()


def is_group(phone: str) -> bool:
    """Tell whether a recipient as sent is a group."""
    return _GROUP.fullmatch(phone) is not None


def is_sender(sender: str) -> bool:
    """Tell whether the gateway takes this as the sender of a short message.

    At most 11 Latin letters, digits, blanks and signs, or 15 digits. ``.`` means none at all.
    """
    return bool(_SENDER_NAME.fullmatch(sender) or _SENDER_NUMBER.fullmatch(sender))


def check_sender(sender: str) -> str:
    """Return the sender of a short message, or raise ``UnsupportedFeature``."""
    if sender and not is_sender(sender):
        raise UnsupportedFeature(
            f"sender: at most {LONGEST_SENDER_NAME} Latin letters, digits, blanks and signs, "
            "or at most 15 digits"
        )
    return sender


def _is_short(address: str) -> bool:
    return address.isdecimal() and len(address) < _SHORTEST_PHONE


def _group(address: str) -> str:
    if _is_short(address):
        return f"G{address}"
    return _matching(_GROUP, address, "a group; write its number, with a G before 7 or more digits")


def _matching(shape: re.Pattern[str], address: str, what: str) -> str:
    if not shape.fullmatch(address):
        raise RecipientError(f"{mask(address)!r} is not {what}")
    return address
