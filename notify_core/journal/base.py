"""The journal as the rest of the framework sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Protocol, TypeAlias

from notify_core.journal.database import Database, Watch
from notify_core.journal.enlist import Executor
from notify_core.journal.model import Backlog, Entry, Filter, Key, Part
from notify_core.journal.seal import Seal
from notify_core.message import Priority
from notify_core.policy.breaker import Health
from notify_core.progress import Wish

Companion: TypeAlias = Callable[[Executor, Entry], None]
"""Writes what belongs to an entry that was just written, in the same transaction.

It may be called again for what was not committed, so it must do nothing but execute statements.
What it raises ends the transaction.
"""


class Journal(Protocol):
    """Keeps deliveries, says which are due, and hands each to one at a time.

    Every method may be called from any thread and is a transaction of its own: what it has
    returned for survives the death of the process. No transaction is open while a provider is
    called. Every method raises ``JournalError`` if the journal cannot be read or written, and
    then nothing has changed, or, where the connection was lost while the change was being
    confirmed, all of it has.
    """

    @property
    def database(self) -> Database:
        """Where everything is, for those who keep something beside deliveries there."""

    @property
    def seal(self) -> Seal:
        """What closes texts at rest."""

    def accompany(self, companion: Companion) -> None:
        """Have ``companion`` write beside every entry that is added, written or amended."""

    # --- carrying deliveries on -------------------------------------------------------------

    def add(self, entries: Sequence[Entry], connection: object | None = None) -> None:
        """Write new entries, all or none of them, as they are.

        Raises ``KeyTaken`` if one of their keys is remembered already. With ``connection`` the
        entries are written in the transaction that the application has open there.
        """

    def claim(
        self, owner: str, now: datetime, until: datetime, lanes: Sequence[Priority], limit: int
    ) -> Sequence[Entry]:
        """Lease up to ``limit`` entries that are due, those of the first lane first.

        Until the lease ends nobody else gets them. An entry is due as well if whoever had leased
        it has not come back in time.
        """

    def claim_one(
        self, delivery_id: str, owner: str, now: datetime, until: datetime
    ) -> Entry | None:
        """Lease this entry if it is due and nobody has it; None if not."""

    def write(self, entry: Entry, *, unless_wished: bool = False) -> Entry | None:
        """Write how an entry stands now; return it with the wish that has come meanwhile.

        None if its lease is no longer the last one: somebody else has it. With
        ``unless_wished`` also None if somebody wants it held or cancelled.
        """

    def amend(self, delivery_id: str, change: Callable[[Entry], Entry]) -> Entry:
        """Change an entry whoever has it leased; if anything changes, they lose their lease.

        Raises ``JournalError`` if there is no such delivery.
        """

    def extend(self, owner: str, delivery_ids: Sequence[str], until: datetime) -> None:
        """Let those of these entries that ``owner`` still has leased stay so for longer."""

    def release(self, owner: str, entries: Sequence[Entry], now: datetime) -> None:
        """Give up entries that were leased and not begun; they are due at once."""

    def next_due(self, lanes: Sequence[Priority]) -> datetime | None:
        """Return when the next entry of these lanes is due, or None if none is."""

    def watch(self) -> Watch:
        """Return what waits until something may have become due. For one thread."""

    def wake(self) -> None:
        """End every ``Watch.wait`` of this process."""

    # --- asking -----------------------------------------------------------------------------

    def load(self, delivery_id: str) -> Entry | None:
        """Return an entry as it stands, or None if there is none."""

    def of_key(self, key: Key, connection: object | None = None) -> Sequence[Entry]:
        """Return the entries that were added under a key, as seen on ``connection`` if given."""

    def search(self, wanted: Filter) -> Sequence[Entry]:
        """Return entries, the newest first."""

    def backlog(self, now: datetime) -> Backlog:
        """Count what there is to do."""

    # --- deciding ---------------------------------------------------------------------------

    def wish(self, delivery_id: str, wish: Wish | None, now: datetime) -> Entry | None:
        """Say what is wanted of a delivery that has not ended; None takes a wish back.

        It is due at once, unless somebody has it, who then sees the wish before beginning
        another attempt. Returns the entry as it stands, or None if there is none.
        """

    def health(self, provider: str) -> Health:
        """Return how a provider stands, as all who use the journal know it."""

    def swap_health(self, provider: str, known: Health, now: Health) -> bool:
        """Replace the health of a provider, if it is still the one that is known."""

    # --- keeping house ----------------------------------------------------------------------

    def purge(self, part: Part, before: datetime) -> int:
        """Remove a part of what has ended and was made before then; return how many had it.

        With the numbers goes the text, which names the recipients too. What came in counts as a
        delivery that has ended once the application has been told.
        """

    def erase(self, address: str) -> tuple[int, int]:
        """Remove text and addresses of every delivery to a recipient that has ended.

        And of what came in from there. Returns how many were erased, and how many were left:
        those that have not ended, those whose message is still to go to others, and what the
        application is still to be told of.
        """

    def export(self, wanted: Filter) -> Iterator[Entry]:
        """Yield all entries that are looked for, the newest first; ``limit`` does not count."""

    def migrate(self) -> tuple[int, int]:
        """Bring the tables to the version of this program; return the old version and the new."""

    def check(self) -> Sequence[str]:
        """Return what is wrong with the journal, in words; nothing if all is well."""

    def close(self) -> None:
        """Let go of every connection. A second time does nothing."""
