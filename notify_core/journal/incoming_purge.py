"""Removing what people sent to us, part by part: with age, and on demand."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from notify_core.ids import first_id_of
from notify_core.journal.database import Database
from notify_core.journal.enlist import Executor
from notify_core.journal.model import Part

_PAGE: Final = 500

_OLD: Final = {
    Part.TEXT: "content IS NOT NULL",
    Part.NUMBERS: "sender IS NOT NULL",
    Part.ROWS: "1 = 1",
}

_SELECT_OLD: Final = """
SELECT id FROM notify_incoming
WHERE id > :after AND id < :below AND due_at IS NULL AND {having}
ORDER BY id LIMIT :most
"""

_PURGE: Final = {
    Part.TEXT: "UPDATE notify_incoming SET content = NULL WHERE id = :id AND due_at IS NULL",
    Part.NUMBERS: (
        "UPDATE notify_incoming SET content = NULL, sender = NULL WHERE id = :id AND due_at IS NULL"
    ),
    Part.ROWS: "DELETE FROM notify_incoming WHERE id = :id AND due_at IS NULL",
}

_ERASE: Final = """
UPDATE notify_incoming SET content = NULL, sender = NULL
WHERE sender = :sender AND due_at IS NULL
RETURNING id
"""

_WAITING_FROM: Final = """
SELECT id FROM notify_incoming WHERE sender = :sender AND due_at IS NOT NULL ORDER BY id
"""


def purge(database: Database, part: Part, before: datetime) -> int:
    """Remove a part of what came in before then and has been told; return how many had it.

    With the numbers goes the text. It goes page by page, so that nobody waits long to write.
    """
    purged, after = 0, ""
    statement = _SELECT_OLD.format(having=_OLD[part])

    def work(executor: Executor) -> list[str]:
        given = {"after": after, "below": first_id_of(before), "most": _PAGE}
        ids = [row[0] for row in executor.execute(statement, given)]
        executor.execute_many(_PURGE[part], [{"id": each} for each in ids])
        return ids

    while ids := database.write(work):
        purged, after = purged + len(ids), max(ids)
    return purged


def erase(executor: Executor, address: str) -> tuple[int, int]:
    """Remove text and number of what came from an address; return how many, and how many stay.

    What the application is still to be told of stays until it has been.
    """
    given = {"sender": address}
    erased = len(executor.execute(_ERASE, given))
    return erased, len(executor.execute(_WAITING_FROM, given))


def waiting_from(database: Database, address: str) -> list[str]:
    """Return the ids of what came from an address that the application is still to be told of."""
    rows = database.read(lambda executor: executor.execute(_WAITING_FROM, {"sender": address}))
    return [row[0] for row in rows]
