"""A provider that tells of its own accord what became of messages, for tests of receipts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

import attrs

from notify_core.callback import CallbackRequest, StatusEvent, Trust
from notify_core.clock import Clock
from notify_core.config.model import (
    Config,
    JournalConfig,
    LegConfig,
    Route,
    Until,
    Via,
)
from notify_core.delivery import Delivery
from notify_core.hookspecs import hookimpl
from notify_core.notifier import Notifier
from notify_core.outcome import State, Status
from notify_core.provider import Capabilities, ReceiptKind
from notify_core.secret import Secret
from notify_core.testing import ManualClock, ScriptedProvider, scripted_config
from notify_core.testing.provider import EVERY_CHANNEL, Answer, StatusAnswer

FOLLOWED = Capabilities(
    channels=EVERY_CHANNEL,
    own_id=True,
    ask_after_s=(1.0, 2.0),
    receipts=frozenset(ReceiptKind),
    poll_after_s=(5.0, 10.0, 60.0),
    poll_batch=50,
    validity=True,
)
"""Of a provider that can be asked, and calls."""

NEVER_ASKED = attrs.evolve(
    FOLLOWED, ask_after_s=(), receipts=frozenset({ReceiptKind.CALLBACK}), poll_after_s=()
)
"""Of a provider that only calls."""


class CallingProvider(ScriptedProvider):
    """A scripted provider whose calls hold statuses as JSON; see ``call``."""

    def __init__(
        self,
        answers: Iterable[Answer] = (),
        statuses: Iterable[StatusAnswer] = (),
        capabilities: Capabilities = FOLLOWED,
    ) -> None:
        super().__init__(answers, statuses, capabilities)

    @hookimpl
    def notify_parse_callback(self, request: CallbackRequest) -> Sequence[StatusEvent]:
        return [read_event(doc) for doc in json.loads(request.body)]


def event(
    delivery: Delivery, status: Status | State, *, leg: int = 1, trust: Trust = Trust.PROVEN
) -> StatusEvent:
    """What a provider says of one leg of a delivery."""
    told = status if isinstance(status, Status) else Status(state=status)
    return StatusEvent(
        address=delivery.recipient.phone or "",
        own_id=f"{delivery.id}-{leg}",
        status=told,
        trust=trust,
    )


def call(clock: Clock, events: Iterable[StatusEvent]) -> CallbackRequest:
    """The call that tells these events."""
    docs = [
        {
            "address": each.address,
            "own_id": each.own_id,
            "provider_id": each.provider_id,
            "state": each.status.state.value,
            "final": each.status.final,
            "trust": each.trust.value,
        }
        for each in events
    ]
    return CallbackRequest(method="POST", body=json.dumps(docs).encode(), received_at=clock.now())


def read_event(doc: dict[str, Any]) -> StatusEvent:
    return StatusEvent(
        address=doc["address"],
        own_id=doc["own_id"],
        provider_id=doc["provider_id"],
        status=Status(state=State(doc["state"]), final=doc["final"]),
        trust=Trust(doc["trust"]),
    )


def tell(notifier: Notifier, clock: ManualClock, *events: StatusEvent, provider: str = "a") -> None:
    """Let a provider call, and a worker do what follows now."""
    notifier.receiver.accept(provider, call(clock, events))
    notifier.worker().work_off()


def leg(*providers: str, within_s: float | None = None, **more: Any) -> LegConfig:
    """A leg that waits for so long until its message is delivered, or does not wait."""
    waits = {} if within_s is None else {"within": timedelta(seconds=within_s)}
    until = Until.ACCEPTED if within_s is None else Until.DELIVERED
    return LegConfig(via=Via(providers=providers), **({"until": until} | waits | more))


def config(*legs: LegConfig, **providers: ScriptedProvider) -> Config:
    """A configuration with one route of these legs and a journal in memory."""
    made = scripted_config(Route(name="default", legs=legs), **providers)
    return kept_at("memory:", made)


def kept_at(url: str, made: Config) -> Config:
    """The configuration with its journal there."""
    return attrs.evolve(made, journal=JournalConfig(url=Secret(url)))
