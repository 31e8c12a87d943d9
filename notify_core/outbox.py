"""Messages that are written now and sent later by a worker."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from notify_core.config.model import JournalConfig, TextAtRest
from notify_core.errors import JournalError, KeyConflict
from notify_core.journal.base import Journal
from notify_core.journal.model import Entry, Key, KeyTaken


class Outbox:
    """Adds messages to a journal, each key once."""

    def __init__(self, journal: Journal, config: JournalConfig) -> None:
        self._journal = journal
        self._config = config

    def add(
        self, batches: Sequence[Sequence[Entry]], connection: object | None
    ) -> Sequence[tuple[str, ...]]:
        """Write the deliveries of many messages, all or none; return their ids by message.

        A key that is known stands for the deliveries of the first message that had it.
        """
        self._check_text_is_kept()
        ids: dict[str, tuple[str, ...]] = {}
        new: dict[str, Sequence[Entry]] = {}
        for entries in batches:
            first = new.setdefault(_name(entries), entries)
            if first is not entries and first[0].key is not None:
                _check_same(entries[0], first[0].key)
            ids.setdefault(_name(entries), tuple(entry.id for entry in first))
        while new and (holders := self._add(new, connection)):
            for holder in holders:
                entries = new.pop(f"key {holder.key}")
                first = self.first_of(entries[0], holder, connection)
                ids[_name(entries)] = tuple(each.id for each in first)
        return [ids[_name(entries)] for entries in batches]

    def first_of(
        self, entry: Entry, holder: Key, connection: object | None = None
    ) -> Sequence[Entry]:
        """Return the deliveries of the message that had the key of this entry first.

        Raises ``KeyConflict`` if that says something else, and ``JournalError`` if nobody knows
        any more what became of it.
        """
        _check_same(entry, holder)
        first = self._journal.of_key(holder, connection)
        if not first:
            raise JournalError(
                f"key {holder.key!r} was used for message {holder.message_id}, whose deliveries "
                "are purged; give a new message a new key"
            )
        return first

    def _add(self, new: dict[str, Sequence[Entry]], connection: object | None) -> Sequence[Key]:
        """Write what is new; return the keys that turned out to be taken, and by whom."""
        waiting = [
            attrs.evolve(entry, owner=None, lease=1)
            for entries in new.values()
            for entry in entries
        ]
        try:
            self._journal.add(waiting, connection)
        except KeyTaken as taken:
            return taken.holders
        self._journal.wake()
        return ()

    def _check_text_is_kept(self) -> None:
        if self._config.text is TextAtRest.NEVER:
            raise JournalError(
                "with journal.text: never nothing can be enqueued; use send, or text: keep"
            )


def _name(entries: Sequence[Entry]) -> str:
    key = entries[0].key
    return f"id {entries[0].id}" if key is None else f"key {key.key}"


def _check_same(entry: Entry, holder: Key) -> None:
    if entry.key is not None and entry.key.fingerprint != holder.fingerprint:
        raise KeyConflict(holder.key, holder.message_id)
