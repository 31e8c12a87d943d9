"""Strict reading of the gateway's comma-separated answers (``fmt=1``).

Each ``parse_…`` takes the text of an answer and returns its fields, an ``ErrorAnswer``, or None
for a text that is neither: an HTML page, say, or a half of an answer. One line end after
the answer is allowed. The fields stay strings, as the vendor's PHP library returns them.

What one status message looks like depends on ``all`` and on whether it was an HLR query
(https://smsc.ru/api/http/status_messages/status_answer/). Texts stand last and may contain commas
and line breaks, so the layouts are checked from both ends; a text cannot pass for another
row or for an HLR answer. What is still ambiguous is read as None. The JSON answers
(``fmt=3``) have none of these difficulties.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

StatusRow: TypeAlias = tuple[str, ...]
"""The fields of one message in the gateway's order, the text in one piece."""


class ErrorAnswer(NamedTuple):
    """An error: the id of the message, ``0`` if there is none, and ``-`` with the number."""

    id: str
    code: str

    @property
    def number(self) -> int:
        """The vendor's number of the error, positive."""
        return -int(self.code)


class SendAnswer(NamedTuple):
    """A message that was accepted: its id, number of parts, cost, and the balance after it."""

    id: str
    parts: str
    cost: str
    balance: str


class CostAnswer(NamedTuple):
    """What a message would cost, and its number of parts."""

    cost: str
    parts: str


_MONEY = r"-?\d+(?:\.\d+)?"
_ID = r"[0-9A-Za-z._-]{1,40}"
_FIELD = r"[^,\r\n]*"
_HEAD = r"-?\d+,-?\d+,-?\d+"
_SENT_AT = r"\d{1,10}"
_IMSI = r"(?:\d{11,})?"
"""Longer than any time of sending, or empty: so an HLR answer and a text differ at once."""
_SUBSCRIBER = ",".join((_HEAD, _IMSI, *[_FIELD] * 7))

_ERROR = re.compile(rf"({_ID}),(-\d+)")
_SENT = re.compile(rf"({_ID}),(\d+),({_MONEY}),({_MONEY})")
_COST = re.compile(rf"({_MONEY}),(\d+)")
_BALANCE = re.compile(_MONEY)
_NEXT_ROW = re.compile(rf"\r?\n(?={_HEAD},)")


class _Layout(NamedTuple):
    """A form of one message: the whole of it as a pattern, and where its text is, if anywhere."""

    pattern: str
    text_at: int | None = None


_SHORT = _Layout(r"-?\d+,-?\d+(?:,-?\d+)?")
_HLR = _Layout(_SUBSCRIBER)
_LAYOUTS = {
    0: (_SHORT, _HLR),
    1: (
        _SHORT,
        _HLR,
        _Layout(",".join((_SUBSCRIBER, _SENT_AT, _FIELD, _MONEY, "HLR", _FIELD, _FIELD))),
        _Layout(",".join((_HEAD, _SENT_AT, _FIELD, _MONEY, _FIELD, _FIELD, "(?s:.*)")), 8),
    ),
    2: (
        _SHORT,
        _HLR,
        _Layout(",".join((_SUBSCRIBER, _SENT_AT, *[_FIELD] * 4, _MONEY, "HLR", _FIELD, _FIELD))),
        _Layout(",".join((_HEAD, _SENT_AT, *[_FIELD] * 4, _MONEY, _FIELD, _FIELD, "(?s:.*)")), 11),
    ),
}
"""By ``all``. With 2, country, operator and region stand between phone and cost."""


def parse_send(text: str) -> SendAnswer | ErrorAnswer | None:
    """Read the answer to a message sent with ``cost=3``."""
    if found := _SENT.fullmatch(_trimmed(text)):
        return SendAnswer(*found.groups())
    return _error(text)


def parse_cost(text: str) -> CostAnswer | ErrorAnswer | None:
    """Read the answer to a question for the price (``cost=1``)."""
    if found := _COST.fullmatch(_trimmed(text)):
        return CostAnswer(*found.groups())
    return _error(text)


def parse_balance(text: str) -> str | ErrorAnswer | None:
    """Read the answer of ``balance.php``: a number with a decimal point."""
    found = _BALANCE.fullmatch(_trimmed(text))
    return found[0] if found else _error(text)


def parse_status(text: str, all_: int) -> StatusRow | ErrorAnswer | None:
    """Read the answer for a single id, asked with ``all=all_``."""
    return _error(text) or _row(_trimmed(text), all_)


def parse_statuses(
    text: str, all_: int, ids: Sequence[str]
) -> tuple[StatusRow, ...] | ErrorAnswer | None:
    """Read the answer for a list of ids: one message after the other, each on a new line.

    Each ends in its id, with ``all=0`` in id and phone. Only messages that were asked for may
    be there, but not all of them must.
    """
    if error := _error(text):
        return error
    ending = rf",({_ID}),{_FIELD}" if all_ == 0 else rf",({_ID})"
    rows = []
    asked = Counter(ids)
    # Any other line belongs to the text of the message before it.
    for piece in _NEXT_ROW.split(_trimmed(text)):
        end = re.search(ending + r"\Z", piece)
        row = _row(piece[: end.start()], all_) if end else None
        if end is None or row is None or not asked[end[1]]:
            return None
        asked[end[1]] -= 1
        rows.append((*row, *end[0].removeprefix(",").split(",")))
    return tuple(rows)


def _row(text: str, all_: int) -> StatusRow | None:
    for layout in _LAYOUTS[all_]:
        if re.fullmatch(layout.pattern, text):
            return tuple(text.split(",", -1 if layout.text_at is None else layout.text_at))
    return None


def _error(text: str) -> ErrorAnswer | None:
    found = _ERROR.fullmatch(_trimmed(text))
    return ErrorAnswer(*found.groups()) if found else None


def _trimmed(text: str) -> str:
    return text[:-1].removesuffix("\r") if text.endswith("\n") else text
