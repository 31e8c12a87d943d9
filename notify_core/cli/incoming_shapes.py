"""What ``notify incoming`` answers, as JSON-able values. Pure; see ``shapes``.

Only ``notify incoming show`` holds an address and what a message says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from notify_core.cli.shapes import Shape, iso
from notify_core.contact import mask
from notify_core.inbox import Received


def received_list_shape(found: Sequence[Received], *, more: bool) -> Shape:
    """``notify incoming list``; ``next`` is what ``--after`` takes, null on the last page."""
    return {
        "incoming": [_kept(each) for each in found],
        "next": found[-1].id if more else None,
    }


def received_shape(received: Received) -> Shape:
    """``notify incoming show``, with the sender and the text."""
    told = received.incoming
    return {
        "message": {
            **_kept(received),
            "sender": told.sender or None,
            "text": told.text if received.text_kept else None,
            "provider_id": told.provider_id,
            "sent_at": iso(told.sent_at),
            "received_at": iso(told.received_at),
            "done": list(received.done),
            "failed": dict(received.failed),
            "problem": received.problem,
        }
    }


def _kept(received: Received) -> Shape:
    told = received.incoming
    return {
        "id": received.id,
        "at": iso(received.at),
        "provider": told.provider,
        "kind": told.kind.value,
        "channel": told.channel,
        "sender": mask(told.sender) if told.sender else None,
        "to": told.to,
        "delivery_id": received.delivery_id,
        "standing": received.standing.value,
        "tries": received.tries,
        "next_at": iso(received.due_at),
        "text_kept": received.text_kept,
    }


def told_again_shape(again: Iterable[tuple[str, bool]]) -> Shape:
    """``notify incoming tell-again``; ``done`` is false for one that is due anyway."""
    return {"incoming": [{"id": each, "done": done} for each, done in again]}


@attrs.frozen
class Polled:
    """What came of asking a provider: how much is new, None if it was asked a moment ago."""

    provider: str
    new: int | None = None
    error: str | None = None


def polled_shape(asked: Iterable[Polled]) -> Shape:
    """``notify incoming poll``."""
    return {"polled": [attrs.asdict(each) for each in asked]}
