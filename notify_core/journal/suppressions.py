"""The table of those to whom nothing is sent, and of those who have agreed to something."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import attrs

from notify_core.journal.database import Database
from notify_core.journal.enlist import Executor
from notify_core.journal.rows import milliseconds, moment_of


class Kind(enum.Enum):
    """What is on the list about an address."""

    SUPPRESSED = "suppressed"
    """It is sent nothing, or nothing with the tag."""
    CONSENT = "consent"
    """Whoever has it has agreed to messages with the tag."""


class Source(enum.Enum):
    """Who has said so."""

    MESSAGE = "message"
    """The person, with a stop word."""
    PERSON = "person"
    """The person in another way, on a form for example. A start word takes back both."""
    OPERATOR = "operator"
    """Somebody who answers for the sending. No word of the person changes it."""


@attrs.frozen(kw_only=True)
class Listed:
    """One line of the list. Without a ``tag`` it is about every message.

    ``reason`` is for people: why, and where the proof is. ``created_at`` is when it was said, the
    last time if the same source has said it several times.
    """

    address: str = attrs.field(repr=False)
    kind: Kind = Kind.SUPPRESSED
    tag: str | None = None
    source: Source = Source.OPERATOR
    reason: str = attrs.field(default="", repr=False)
    created_at: datetime


_COLUMNS: Final = "address, tag, kind, source, reason, created_at"
_KEY: Final = "address, tag, kind, source"

_OF: Final = f"SELECT {_COLUMNS} FROM notify_suppressions WHERE address = :address"

# What is known already is replaced by what was said later, and by nothing else: so a list can be
# read in twice, and what comes late changes nothing.
_PUT: Final = f"""
INSERT INTO notify_suppressions ({_COLUMNS})
VALUES (:address, :tag, :kind, :source, :reason, :created_at)
ON CONFLICT ({_KEY}) DO UPDATE SET reason = excluded.reason, created_at = excluded.created_at
WHERE excluded.created_at > notify_suppressions.created_at AND :renews = 1
"""

_REMOVE: Final = f"""
DELETE FROM notify_suppressions WHERE address = :address AND tag = :tag AND kind = :kind
RETURNING {_COLUMNS}
"""

_TAKE_BACK: Final = f"""
DELETE FROM notify_suppressions
WHERE address = :address AND kind = 'suppressed' AND created_at < :said_at
    AND (source = 'message' OR (source = 'person' AND tag = :tag))
RETURNING {_KEY}
"""

_PAGE: Final = f"""
SELECT {_COLUMNS} FROM notify_suppressions
WHERE ({_KEY}) > (:address, :tag, :kind, :source)
ORDER BY {_KEY} LIMIT :most
"""
_PAGE_SIZE: Final = 500

_EVERY_TAG: Final = ""
"""How the column has a line without a tag."""


class SuppressionTable:
    """Reads and writes the list. Every method raises ``JournalError``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, address: str) -> Sequence[Listed]:
        """Return what is on the list about an address: one look at the index."""
        given = {"address": address}
        rows = self._database.read(lambda executor: executor.execute(_OF, given))
        return [_listed(row) for row in sorted(rows)]

    def put(self, listed: Sequence[Listed], *, renews: bool = True) -> None:
        """Write lines, in one transaction.

        A line that the same source has written before keeps its time and reason, unless the new
        one is later and ``renews``.
        """
        # In one order, whoever writes: who waits for another must not be waited for.
        rows = sorted((_row(each) for each in listed), key=_key)
        given = [row | {"renews": int(renews)} for row in rows]
        self._database.write(lambda executor: executor.execute_many(_PUT, given))

    def remove(self, address: str, kind: Kind, tag: str | None) -> Sequence[Listed]:
        """Remove the lines of every source about this tag; return them."""
        given = {"address": address, "kind": kind.value, "tag": tag or _EVERY_TAG}
        rows = self._database.write(lambda executor: executor.execute(_REMOVE, given))
        return [_listed(row) for row in sorted(rows)]

    def take_back(self, address: str, tags: Sequence[str | None], said_at: datetime) -> int:
        """Remove what stop words have made, and what the person has said about these tags.

        What was said at ``said_at`` or later stays. Returns how many lines are gone.
        """
        given = [
            {"address": address, "tag": tag or _EVERY_TAG, "said_at": milliseconds(said_at)}
            for tag in tags
        ]

        def work(executor: Executor) -> int:
            return sum(len(executor.execute(_TAKE_BACK, each)) for each in given)

        return self._database.write(work)

    def all(self) -> Iterator[Listed]:
        """Yield the whole list by address, a page at a time."""
        after: Mapping[str, object] = dict.fromkeys(("address", "tag", "kind", "source"), "")
        while page := self._page(after):
            yield from page
            after = _row(page[-1])

    def _page(self, after: Mapping[str, object]) -> Sequence[Listed]:
        given = {name: after[name] for name in ("address", "tag", "kind", "source")}
        given["most"] = _PAGE_SIZE
        rows = self._database.read(lambda executor: executor.execute(_PAGE, given))
        return [_listed(row) for row in rows]


def _row(listed: Listed) -> dict[str, object]:
    return {
        "address": listed.address,
        "tag": listed.tag or _EVERY_TAG,
        "kind": listed.kind.value,
        "source": listed.source.value,
        "reason": listed.reason,
        "created_at": milliseconds(listed.created_at),
    }


def _key(row: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in ("address", "tag", "kind", "source"))


def _listed(row: tuple[Any, ...]) -> Listed:
    address, tag, kind, source, reason, created_at = row
    return Listed(
        address=address,
        kind=Kind(kind),
        tag=tag or None,
        source=Source(source),
        reason=reason,
        created_at=moment_of(created_at),
    )
