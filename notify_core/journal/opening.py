"""From the configuration of a journal to the journal."""

from __future__ import annotations

from collections.abc import Mapping

from notify_core.clock import Clock
from notify_core.config.model import JournalConfig, TextAtRest
from notify_core.errors import JournalError
from notify_core.journal.base import Journal
from notify_core.journal.database import Database
from notify_core.journal.postgresql import PostgresqlDatabase
from notify_core.journal.seal import Encrypted, LeftOut, Seal, Unsealed
from notify_core.journal.sql import SqlJournal
from notify_core.journal.sqlite import SqliteDatabase
from notify_core.message import Message


def open_journal(
    config: JournalConfig,
    types: Mapping[str, type[Message]],
    clock: Clock,
    *,
    to_migrate: bool = False,
) -> Journal:
    """Open a journal; its tables are made if there are none. Raises ``JournalError``.

    Tables of an older version are refused, but for those who want ``to_migrate`` them.
    """
    seal, database = _seal(config), _database(config)
    try:
        return SqlJournal(database, types, seal, clock, to_migrate=to_migrate)
    except BaseException:  # raised again: an interrupt must not leave it open either
        database.close()
        raise


def _database(config: JournalConfig) -> Database:
    url = config.url.reveal()
    scheme, _, rest = url.partition(":")
    match scheme:
        case "memory":
            return SqliteDatabase(":memory:", config.durability)
        case "sqlite" if rest.removeprefix("///"):
            return SqliteDatabase(rest.removeprefix("///"), config.durability)
        case "postgresql" | "postgres" | "postgresql+psycopg":
            return PostgresqlDatabase(url, config.pool_size)
        case _:
            # The url is not repeated: it can hold a password.
            raise JournalError(
                "journal.url is of no kind that is known; write sqlite:///notify.db, "
                "postgresql://user@host/database or memory:"
            )


def _seal(config: JournalConfig) -> Seal:
    if config.text is TextAtRest.NEVER:
        return LeftOut()
    return Encrypted(config.text_keys) if config.text_keys else Unsealed()
