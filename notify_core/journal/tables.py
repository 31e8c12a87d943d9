"""The tables of the journal, as a list of numbered steps from one version to the next.

A small runner of our own and no migration tool: Alembic would make SQLAlchemy a dependency of the
embedded journal, and what it brings beyond numbered steps (branches, generated scripts, a folder
of files beside the application) is for schemas that change with an application's models.

A step is never changed once it is released; a new one is added. Times are milliseconds since
1970, in UTC.
"""

from __future__ import annotations

from collections.abc import Sequence

from notify_core.errors import JournalError
from notify_core.journal.enlist import Dialect, Executor

STEPS: Sequence[Sequence[str]] = (
    (
        # What a message says, once for all its recipients; "content" is null when it is purged.
        """
        CREATE TABLE notify_contents (
            id TEXT PRIMARY KEY,
            content TEXT
        )
        """,
        # "due_at" is null when nothing is to be done; while somebody has the delivery leased it
        # is the end of the lease. "recipient" is null when it is purged.
        """
        CREATE TABLE notify_deliveries (
            id TEXT PRIMARY KEY,
            content_id TEXT NOT NULL,
            message_id TEXT NOT NULL,
            number INTEGER NOT NULL,
            priority INTEGER NOT NULL,
            stage TEXT NOT NULL,
            due_at BIGINT,
            deadline_at BIGINT,
            owner TEXT,
            lease INTEGER NOT NULL,
            wish TEXT,
            created_at BIGINT NOT NULL,
            changed_at BIGINT NOT NULL,
            config TEXT NOT NULL,
            route TEXT NOT NULL,
            recipient TEXT,
            plan TEXT NOT NULL,
            progress TEXT NOT NULL,
            channel TEXT,
            provider TEXT,
            provider_id TEXT,
            outcome TEXT,
            cost TEXT
        )
        """,
        """
        CREATE INDEX notify_deliveries_due ON notify_deliveries (priority, due_at)
        WHERE due_at IS NOT NULL
        """,
        "CREATE INDEX notify_deliveries_content ON notify_deliveries (content_id)",
        "CREATE INDEX notify_deliveries_held ON notify_deliveries (id) WHERE stage = 'held'",
        # By whom a delivery is found when somebody asks what became of it.
        """
        CREATE TABLE notify_addresses (
            address TEXT NOT NULL,
            delivery_id TEXT NOT NULL,
            PRIMARY KEY (address, delivery_id)
        ) {without_rowid}
        """,
        "CREATE INDEX notify_addresses_delivery ON notify_addresses (delivery_id)",
        """
        CREATE TABLE notify_keys (
            idempotency_key TEXT PRIMARY KEY,
            message_id TEXT NOT NULL,
            content_id TEXT NOT NULL,
            fingerprint TEXT NOT NULL,
            until BIGINT NOT NULL
        )
        """,
        "CREATE TABLE notify_providers (name TEXT PRIMARY KEY, health TEXT NOT NULL)",
    ),
    (
        # What is followed after a provider has taken it, one row for each leg of a delivery.
        # "poll_at" is null when nobody need ask any more; "asked_at" is when somebody did last.
        # "address" and "provider_id" are null when they are purged.
        """
        CREATE TABLE notify_tracks (
            own_id TEXT PRIMARY KEY,
            delivery_id TEXT NOT NULL,
            provider TEXT NOT NULL,
            provider_id TEXT,
            address TEXT,
            since BIGINT NOT NULL,
            follow_until BIGINT NOT NULL,
            asked INTEGER NOT NULL,
            asked_at BIGINT,
            poll_at BIGINT,
            owner TEXT
        )
        """,
        """
        CREATE INDEX notify_tracks_due ON notify_tracks (provider, poll_at)
        WHERE poll_at IS NOT NULL
        """,
        "CREATE INDEX notify_tracks_provider_id ON notify_tracks (provider_id)",
        "CREATE INDEX notify_tracks_delivery ON notify_tracks (delivery_id)",
        # Calls of providers as they came; "due_at" is null when nothing is to be done any more.
        """
        CREATE TABLE notify_calls (
            id TEXT PRIMARY KEY,
            provider TEXT NOT NULL,
            request TEXT,
            received_at BIGINT NOT NULL,
            tries INTEGER NOT NULL,
            due_at BIGINT,
            owner TEXT,
            result TEXT
        )
        """,
        # Each call is in one of these: it waits, somebody has it, or it was given up. The first has
        # all that is needed to count those that wait.
        """
        CREATE INDEX notify_calls_due ON notify_calls (due_at, provider, owner)
        WHERE due_at IS NOT NULL AND owner IS NULL
        """,
        "CREATE INDEX notify_calls_leased ON notify_calls (due_at) WHERE owner IS NOT NULL",
        """
        CREATE INDEX notify_calls_given_up ON notify_calls (received_at, id)
        WHERE due_at IS NULL
        """,
        # What people sent to us. One message that is told twice has one "fingerprint". "due_at" is
        # null when nobody is to be told any more; "told" says who has been, and who failed.
        """
        CREATE TABLE notify_incoming (
            id TEXT PRIMARY KEY,
            fingerprint TEXT NOT NULL,
            provider TEXT NOT NULL,
            kind TEXT NOT NULL,
            channel TEXT NOT NULL,
            sender TEXT,
            content TEXT,
            received_at BIGINT NOT NULL,
            delivery_id TEXT,
            tries INTEGER NOT NULL,
            due_at BIGINT,
            owner TEXT,
            told TEXT
        )
        """,
        "CREATE UNIQUE INDEX notify_incoming_fingerprint ON notify_incoming (fingerprint)",
        "CREATE INDEX notify_incoming_due ON notify_incoming (due_at) WHERE due_at IS NOT NULL",
        "CREATE INDEX notify_incoming_sender ON notify_incoming (sender)",
        # How far a provider has been asked for what came in, and when it is asked again. "due_at"
        # is null when it is not, until a call hints that there is something. What was said before
        # "told_until" has been told.
        """
        CREATE TABLE notify_cursors (
            provider TEXT PRIMARY KEY,
            after TEXT,
            asked_at BIGINT,
            told_until BIGINT,
            due_at BIGINT,
            owner TEXT
        )
        """,
        # Who is sent nothing (with a tag: nothing of that kind), and who has agreed to a tag. What
        # one "source" has said stays beside what another has.
        """
        CREATE TABLE notify_suppressions (
            address TEXT NOT NULL,
            tag TEXT NOT NULL,
            kind TEXT NOT NULL,
            reason TEXT NOT NULL,
            source TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            PRIMARY KEY (address, tag, kind, source)
        ) {without_rowid}
        """,
        # What an address of the application is told. "due_at" is null when nothing is to be done
        # any more: "body" is null of what it has been told, and there of what was given up. "about"
        # is the delivery or message that it is told of, and "standing" how that has stood "since".
        """
        CREATE TABLE notify_webhooks (
            id TEXT PRIMARY KEY,
            url TEXT NOT NULL,
            body TEXT,
            created_at BIGINT NOT NULL,
            tries INTEGER NOT NULL,
            due_at BIGINT,
            owner TEXT,
            answer TEXT,
            about TEXT,
            standing TEXT,
            since BIGINT
        )
        """,
        """
        CREATE INDEX notify_webhooks_due ON notify_webhooks (url, due_at)
        WHERE due_at IS NOT NULL
        """,
        "CREATE INDEX notify_webhooks_created ON notify_webhooks (created_at)",
        "CREATE INDEX notify_webhooks_about ON notify_webhooks (about, since)",
    ),
)

VERSION = len(STEPS)
"""The version of the tables that this program works with."""

_VERSION_TABLE = "CREATE TABLE IF NOT EXISTS notify_schema (version INTEGER NOT NULL)"


def version_of(executor: Executor) -> int:
    """Return the version of the tables; 0 if there are none."""
    if not executor.execute(_HAS_VERSION[executor.dialect], {}):
        return 0
    rows = executor.execute("SELECT version FROM notify_schema", {})
    return int(rows[0][0]) if rows else 0


_HAS_VERSION = {
    Dialect.SQLITE: "SELECT 1 FROM sqlite_master WHERE name = 'notify_schema'",
    Dialect.POSTGRESQL: (
        "SELECT 1 FROM information_schema.tables "
        "WHERE table_name = 'notify_schema' AND table_schema = current_schema()"
    ),
}

# Two processes that find no tables both want to make them; the second finds them made.
_LOCK = {Dialect.SQLITE: "SELECT 1", Dialect.POSTGRESQL: "SELECT pg_advisory_xact_lock(5511786)"}


# Saves SQLite a second copy of a table that is nothing but its key.
_WORDS = {
    Dialect.SQLITE: {"without_rowid": "WITHOUT ROWID"},
    Dialect.POSTGRESQL: {"without_rowid": ""},
}


def migrated(executor: Executor, steps: Sequence[Sequence[str]] = STEPS) -> tuple[int, int]:
    """Bring the tables to this version, in one transaction; return the old version and the new.

    Raises ``JournalError`` if a newer program has made them.
    """
    version = len(steps)
    executor.execute(_LOCK[executor.dialect], {})
    found = version_of(executor)
    refuse_newer(found, version)
    if found == version:
        return found, found
    executor.execute(_VERSION_TABLE, {})
    for step in steps[found:]:
        for statement in step:
            executor.execute(statement.format(**_WORDS[executor.dialect]), {})
    executor.execute("DELETE FROM notify_schema", {})
    executor.execute("INSERT INTO notify_schema (version) VALUES (:version)", {"version": version})
    return found, version


def refuse_newer(version: int, known: int = VERSION) -> None:
    """Raise ``JournalError`` for tables that a newer program has made."""
    if version > known:
        raise JournalError(
            f"the journal has version {version}, made by a newer notify-core; "
            f"this one knows versions up to {known}: upgrade it"
        )


def refuse_older(version: int, needed: int = VERSION) -> None:
    """Raise ``JournalError`` for tables that an older program has made."""
    if 0 < version < needed:
        raise JournalError(
            f"the journal has version {version}, this notify-core needs {needed}; "
            "run: notify journal migrate"
        )
