"""Messages that came in, as the gateway tells them when it is asked (``get_answers``).

https://smscentre.com/api/http/get_data/inbox/
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from notify_core.callback import Incoming, IncomingPage, Trust
from notify_core.http import HttpReply
from notify_core.outcome import Unknown
from notify_smsc.addresses import address_told
from notify_smsc.answers import Failure, Reply, question_failure
from notify_smsc.fields import Fields, Unreadable, integer, json_of, unreadable

MOST_ROWS = 10_000
LONGEST_HISTORY_H = 168

_NO_MESSAGES = "3"
_IMPOSSIBLE = re.compile("[\0\ud800-\udfff]")


def read_incoming(reply: Reply, provider: str) -> Sequence[Incoming] | Failure:
    """Return the messages of an answer, the oldest first: ids grow.

    Error 3 says *no messages* in the history and is taken to say it here.
    """
    if not isinstance(reply, HttpReply):
        return reply
    try:
        rows = json_of(reply)
        if isinstance(rows, dict):
            failure = question_failure(rows) or unreadable("messages that are no list")
            return () if failure.code == _NO_MESSAGES else failure
        messages = [_incoming(row, provider) for row in _rows(rows)]
    except Unreadable as error:
        return Unknown(str(error))
    return tuple(sorted(messages, key=_number_of))


def page_of(messages: Sequence[Incoming], after: str | None, limit: int) -> IncomingPage:
    """Cut a page from all that came in behind ``after``."""
    last = int(after) if after else 0
    # Asked for again: how ``after_id`` and ``hour`` go together is not documented.
    behind = tuple(each for each in messages if _number_of(each) > last)
    page = behind[:limit]
    # Where as much came as was asked for, the gateway may have more.
    is_full = len(messages) >= MOST_ROWS
    return IncomingPage(
        messages=page,
        after=page[-1].provider_id if page else after,
        more=is_full or len(page) < len(behind),
    )


def _rows(rows: object) -> Sequence[Fields]:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        unreadable("messages that are no list")
    return rows


def _incoming(row: Fields, provider: str) -> Incoming:
    to = _text(row, "to_phone").strip()
    return Incoming(
        provider=provider,
        sender=address_told(_text(row, "phone").strip()),
        to=address_told(to) if to else None,
        text=_text(row, "message"),
        provider_id=str(integer(row.get("id"), "id")),
        trust=Trust.PROVEN,
        # ``received`` and ``sent`` stay here: their zone is not documented.
        raw={name: _text(row, name) for name in row if name != "message"},
    )


def _text(row: Fields, name: str) -> str:
    """Return a field, without what no journal can hold: one message must not stop all others."""
    value = row.get(name)
    return _IMPOSSIBLE.sub("\ufffd", str(value)) if value is not None else ""


def _number_of(message: Incoming) -> int:
    return int(message.provider_id or 0)
