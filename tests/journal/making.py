"""Deliveries and configurations for the tests of the journal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
from sqlalchemy import NullPool, create_engine, text

from notify_core.config.model import Config, IfUnknown, JournalConfig, Mode, WorkerConfig
from notify_core.journal.model import Entry
from notify_core.message import MESSAGE_TYPES, Message
from notify_core.progress import begin
from notify_core.routing import Leg, Plan
from notify_core.secret import Secret
from notify_core.testing import ScriptedProvider, scripted_config

NOW = datetime(2030, 1, 1, tzinfo=UTC)
TYPES: Mapping[str, type[Message]] = {each.channel: each for each in MESSAGE_TYPES}


def journal_config(url: str, **others: Any) -> JournalConfig:
    return JournalConfig(url=Secret(url), **others)


def config_with(url: str, provider: ScriptedProvider | None = None, **others: Any) -> Config:
    """A configuration of one scripted provider, with a journal."""
    journal = journal_config(url, **{"lease": timedelta(seconds=20), **others})
    worker = WorkerConfig(concurrency=4, reserved=1)
    return attrs.evolve(
        scripted_config(a=provider or ScriptedProvider()), journal=journal, worker=worker
    )


def planned(message: Message, number: int = 1) -> Plan:
    """A plan to send the message as it is, to the first of its recipients."""
    recipient = message.contacts()[0]
    kind = type(message).address_kinds[0]
    leg = Leg(
        channel=message.channel,
        message=message,
        address=recipient.address(kind) or "",
        address_kind=kind,
        providers=("a",),
    )
    return Plan(
        delivery_id=f"{number:024x}",
        message_id=message.id,
        recipient=recipient,
        route="default",
        mode=Mode.FIRST_OF,
        if_unknown=IfUnknown.RECONCILE,
        next_on=frozenset(),
        deadline=None,
        legs=(leg,),
    )


def waiting(message: Message, number: int = 1) -> Entry:
    """A delivery that waits for a worker, as it was enqueued."""
    plan = planned(message, number)
    return Entry(
        message=message,
        plan=plan,
        progress=begin(plan),
        config="",
        created_at=NOW,
        due_at=NOW,
        lease=1,
    )


def empty(url: str) -> None:
    """Remove what is in the journal; its tables stay, for to make them takes longer."""
    with create_engine(url, poolclass=NullPool).begin() as connection:
        tables = connection.execute(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        ).scalars()
        for table in set(tables) - {"notify_schema"}:
            connection.execute(text(f"DELETE FROM {table}"))
