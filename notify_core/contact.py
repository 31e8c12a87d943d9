"""To whom: a person or machine with one or several kinds of address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeAlias

import attrs

from notify_core.errors import RecipientError
from notify_core.validate import CONTROL_CHARACTERS

PHONE = "phone"
EMAIL = "email"
TELEGRAM = "telegram"

_EMAIL_SHAPE = re.compile(r"[^@\s,;:<>\"]+@[^@\s,;:<>\"]+")
_PHONE_SHAPE = re.compile(r"(?=(?:[^0-9]*[0-9]){3})\+?[0-9 ()./\-]+")
_TELEGRAM_SHAPE = re.compile(r"@[A-Za-z0-9_]{3,}|#[0-9]+")
_OTHER_SHAPE = re.compile(r".*\S.*")


@attrs.frozen(kw_only=True, repr=False)
class Contact:
    """A person or machine with one or several kinds of address.

    ``telegram`` is ``@username`` or ``#id``. ``other`` holds the address kinds of third-party
    channels by name. The ``repr`` shows masked addresses only.
    """

    phone: str | None = None
    email: str | None = None
    telegram: str | None = None
    other: Mapping[str, str] = attrs.field(factory=dict, hash=False)

    def __attrs_post_init__(self) -> None:
        _check_shape(PHONE, self.phone, _PHONE_SHAPE, "write it as +79991234567")
        _check_shape(EMAIL, self.email, _EMAIL_SHAPE, "write it as name@example.org")
        _check_shape(TELEGRAM, self.telegram, _TELEGRAM_SHAPE, "write it as @username or #id")
        _check_other(self.other)
        if not (self.phone or self.email or self.telegram or self.other):
            raise RecipientError("a Contact needs at least one address")

    def address(self, kind: str) -> str | None:
        """Return the address of that kind as it was given, or None."""
        if kind == PHONE:
            return self.phone
        if kind == EMAIL:
            return self.email
        if kind == TELEGRAM:
            return self.telegram
        return self.other.get(kind)

    def __repr__(self) -> str:
        return f"Contact({self})"

    def __str__(self) -> str:
        known = (self.phone, self.email, self.telegram, *self.other.values())
        return ", ".join(mask(address) for address in known if address)


Recipient: TypeAlias = str | Contact


def mask(address: str) -> str:
    """Shorten an address so that a log can carry it: ``+79…01``, ``a…@example.org``."""
    local, at, domain = address.rpartition("@")
    if at and local:
        return f"{local[0]}…@{domain}"
    return f"{address[:3]}…{address[-2:]}" if len(address) > 6 else "…"


def _check_shape(kind: str, value: str | None, shape: re.Pattern[str], fix: str) -> None:
    if value is None:
        return
    if not isinstance(value, str):
        raise RecipientError(f"the {_called(kind)} is {type(value).__name__}, not str")
    if CONTROL_CHARACTERS.search(value) or not shape.fullmatch(value):
        article = "an" if kind == EMAIL else "a"
        raise RecipientError(f"{mask(value)!r} cannot be {article} {_called(kind)}; {fix}")


def _called(kind: str) -> str:
    return "phone number" if kind == PHONE else f"{kind} address"


def _check_other(other: object) -> None:
    if not isinstance(other, Mapping):
        raise RecipientError("other maps a kind of address to the address: {'pager': '1234'}")
    for kind, value in other.items():
        if kind in (PHONE, EMAIL, TELEGRAM):
            raise RecipientError(f"other holds a {_called(kind)}; write {kind}=…")
        if value is None:
            raise RecipientError(f"the {kind} address is None; leave it out")
        _check_shape(str(kind), value, _OTHER_SHAPE, "write it on one line")
