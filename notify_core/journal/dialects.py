"""What has to be said to PostgreSQL otherwise than to SQLite, and more than one table needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from notify_core.journal.enlist import Dialect, Executor

CHANNEL: Final = "notify_due"
"""The channel of NOTIFY that tells when something has become due."""

_WAKE: Final = f"SELECT pg_notify('{CHANNEL}', '')"

_LOCK_PROVIDER: Final = "SELECT pg_advisory_xact_lock(5511787, hashtext(CAST(:provider AS TEXT)))"


def among_due(select: str) -> Mapping[Dialect, str]:
    """Return what follows a key in ``WHERE``, so that rows are claimed which nobody else claims.

    ``select`` selects the keys of those that are due. Workers on PostgreSQL pass each other; SQLite
    has one writer.
    """
    # An array is made once. A plan that looked into a subquery for each row would pass over the
    # rows that are claimed already, and so never come to its limit.
    return {
        Dialect.SQLITE: f"IN ({select})",
        Dialect.POSTGRESQL: f"= ANY (ARRAY ({select} FOR UPDATE SKIP LOCKED))",
    }


def tell_workers(executor: Executor) -> None:
    """Tell waiting workers of what is written, once it is committed."""
    # On SQLite a worker sees by itself that somebody has written.
    if executor.dialect is Dialect.POSTGRESQL:
        executor.execute(_WAKE, {})


def lock_provider(executor: Executor, provider: str) -> None:
    """Let nobody else write what this provider tells until the transaction ends."""
    # On SQLite there is one writer anyway.
    if executor.dialect is Dialect.POSTGRESQL:
        executor.execute(_LOCK_PROVIDER, {"provider": provider})
