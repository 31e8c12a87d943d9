"""Journals with deliveries that were really decided and encoded, made in bulk."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import Any

import attrs
import psycopg

from notify_core.clock import SystemClock
from notify_core.config.model import JournalConfig
from notify_core.delivery import LegResult, Stage
from notify_core.journal.model import Entry
from notify_core.journal.opening import open_journal
from notify_core.journal.rows import columns_of, standing_of
from notify_core.message import MESSAGE_TYPES, Message
from notify_core.outcome import Accepted, Receipt
from notify_core.planning import Planner
from notify_core.progress import Progress, attempt_of
from notify_core.secret import Secret

PRICES = {"a": Decimal("2.50"), "b": Decimal("1.50"), "c": Decimal("4")}
"""What a message costs by each provider; another one does not tell."""


def entries(planner: Planner, message: Message, now: datetime) -> Sequence[Entry]:
    """Return the deliveries of a message as they stand once a provider has taken each."""
    return [taken(entry, now) for entry in planner.entries(message, now)]


def taken(entry: Entry, now: datetime, currency: str = "RUB") -> Entry:
    """Return a delivery of which the first provider of the first leg has taken the message."""
    leg = entry.plan.legs[0]
    receipt = Receipt(
        provider=leg.providers[0],
        address=leg.address,
        cost=PRICES.get(leg.providers[0]),
        currency=currency,
        raw={"said": "to +79991234567: the words of the message"},
    )
    outcome = Accepted(receipt)
    attempt = attempt_of(
        entry.plan,
        0,
        number=1,
        provider=leg.providers[0],
        started_at=now,
        answer=outcome,
        finished_at=now,
    )
    result = LegResult(channel=leg.channel, outcome=outcome, attempts=(attempt,))
    progress = Progress(ended=True, waiting=(), open=(), done=(result,))
    return attrs.evolve(entry, progress=progress, stage=Stage.ENDED, due_at=None, owner=None)


def rows_of(
    templates: Sequence[Entry], count: int, since: datetime, until: datetime, seed: int = 1
) -> Iterator[tuple[Entry, dict[str, Any]]]:
    """Yield so many rows of deliveries at random times, each with the one that it is made after.

    Encoded is each of the templates, once. The ids differ, and with them what is drawn.
    """
    random = Random(seed)
    encoded = [columns_of(each) | standing_of(each, each.created_at) for each in templates]
    first, last = (int(each.timestamp() * 1000) for each in (since, until))
    for number in range(count):
        place = random.randrange(len(templates))
        made = random.randrange(first, last)
        own = {
            "id": f"{made:012x}{number:012x}",
            "content_id": f"{made:012x}{number:012x}",
            "message_id": f"{number:024x}",
            "created_at": made,
        }
        yield templates[place], encoded[place] | own


COLUMNS = (
    *("id", "content_id", "message_id", "number", "priority", "stage", "due_at", "deadline_at"),
    *("owner", "lease", "wish", "created_at", "changed_at", "config", "route", "recipient"),
    *("plan", "progress", "channel", "provider", "provider_id", "outcome", "cost"),
)


def fill(url: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Make a journal and write rows of deliveries into it, as fast as its database can."""
    types = {each.channel: each for each in MESSAGE_TYPES}
    open_journal(JournalConfig(url=Secret(url)), types, SystemClock()).close()
    named = f"notify_deliveries ({', '.join(COLUMNS)})"
    values = (tuple(row[name] for name in COLUMNS) for row in rows)
    if url.startswith("sqlite"):
        marks = ", ".join("?" * len(COLUMNS))
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            connection.executemany(f"INSERT INTO {named} VALUES ({marks})", values)
            connection.commit()
        return
    with (
        psycopg.connect(url.replace("+psycopg", "")) as server,
        server.cursor().copy(f"COPY {named} FROM STDIN") as copy,
    ):
        for row in values:
            copy.write_row(row)
