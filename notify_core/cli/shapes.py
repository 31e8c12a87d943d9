"""What every command answers, as JSON-able values. Pure; the tables are made from these too.

The shapes are stable: keys are added, never renamed. Money is a decimal in a string, time is ISO
8601 in UTC, a span is in seconds, what is not known is null, and addresses are masked. No message
text appears.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

import attrs

from notify_core.contact import mask
from notify_core.delivery import Attempt, Delivery, LegResult, Report
from notify_core.errors import ConfigError, NotifyError, PluginError, ProviderError
from notify_core.outcome import (
    Accepted,
    Account,
    Estimate,
    NotSent,
    Outcome,
    Receipt,
    Refused,
    Status,
    Unknown,
)
from notify_core.policy.breaker import Health
from notify_core.provider import Capabilities

Shape: TypeAlias = dict[str, Any]

_NO_RECEIPT = Receipt(provider="", address="")


# --- send -----------------------------------------------------------------------------------


def report_shape(report: Report) -> Shape:
    """``notify send``."""
    return {
        "message_id": report.message_id,
        "ok": report.ok,
        "deliveries": [delivery_shape(delivery) for delivery in report],
    }


def delivery_shape(delivery: Delivery) -> Shape:
    """One delivery, as ``notify send`` shows it."""
    receipt = delivery.receipt or _NO_RECEIPT
    return {
        "id": delivery.id,
        "recipient": str(delivery.recipient),
        "route": delivery.route,
        "channel": delivery.channel,
        **outcome_shape(delivery.outcome),
        "partly": delivery.partly,
        "stage": delivery.stage.value,
        "next_at": iso(delivery.next_at),
        "provider": delivery.provider,
        "provider_id": delivery.provider_id,
        "own_id": receipt.own_id,
        "parts": delivery.parts,
        "cost": money(delivery.cost),
        "balance": money(delivery.balance),
        "currency": receipt.currency,
        "status": _status_or_none(delivery.status),
        "legs": [_leg_result(leg) for leg in delivery.legs],
        "attempts": [_attempt(attempt) for attempt in delivery.attempts],
        "skipped": [
            {"channel": leg.channel, "provider": skip.provider, "reason": skip.reason}
            for leg in delivery.legs
            for skip in leg.skipped
        ],
        "warnings": list(delivery.warnings),
    }


def enqueued_shape(recipients: Sequence[str], delivery_ids: Sequence[str]) -> Shape:
    """``notify send --enqueue``, in the order of the recipients."""
    return {
        "enqueued": [
            {"id": delivery_id, "recipient": recipient}
            for recipient, delivery_id in zip(recipients, delivery_ids, strict=True)
        ]
    }


def _leg_result(leg: LegResult) -> Shape:
    """One leg that was tried; what it has no receipt for, its last attempt tells."""
    receipt = _receipt_of(leg.outcome)
    provider, own_id = next(
        ((attempt.provider, attempt.own_id) for attempt in reversed(leg.attempts)), (None, None)
    )
    return {
        "channel": leg.channel,
        **outcome_shape(leg.outcome),
        "provider": receipt.provider or provider,
        "provider_id": receipt.provider_id,
        "own_id": receipt.own_id or own_id,
        "parts": receipt.parts,
        "cost": money(receipt.cost),
        "currency": receipt.currency,
        "status": _status_or_none(leg.status),
        "given_up": leg.given_up,
        "late": leg.late,
    }


def _attempt(attempt: Attempt) -> Shape:
    receipt = _receipt_of(attempt.outcome)
    return {
        "id": attempt.id,
        "number": attempt.number,
        "provider": attempt.provider,
        "channel": attempt.channel,
        "address": mask(attempt.address),
        "own_id": receipt.own_id or attempt.own_id,
        "provider_id": receipt.provider_id,
        **outcome_shape(attempt.outcome),
        "retry_after_s": _retry_after_s(attempt.outcome),
        "answer": outcome_shape(attempt.answer),
        "parts": receipt.parts,
        "cost": money(receipt.cost),
        "status": _status_or_none(attempt.status),
        "started_at": iso(attempt.started_at),
        "finished_at": iso(attempt.finished_at),
    }


def outcome_shape(outcome: Outcome | None) -> Shape:
    """The word for an outcome and the facts beside it."""
    word, reason, scope, code = _facts(outcome)
    return {"outcome": word, "reason": reason, "scope": scope, "code": code}


def _facts(outcome: Outcome | None) -> tuple[str | None, str | None, str | None, str | None]:
    match outcome:
        case Accepted():
            return "accepted", None, None, None
        case Refused(reason, scope, code):
            return "refused", reason, scope.value, code
        case NotSent(reason=reason, scope=failure, code=code):
            return "not_sent", reason, failure.value, code
        case Unknown(reason, code):
            return "unknown", reason, None, code
        case None:
            return None, None, None, None


def _retry_after_s(outcome: Outcome | None) -> float | None:
    return outcome.retry_after_s if isinstance(outcome, NotSent) else None


def _receipt_of(outcome: Outcome | None) -> Receipt:
    if isinstance(outcome, Accepted | Refused):
        return outcome.receipt or _NO_RECEIPT
    return _NO_RECEIPT


# --- cost, status, balance ------------------------------------------------------------------


def estimates_shape(recipients: Sequence[str], estimates: Sequence[Estimate]) -> Shape:
    """``notify cost``; ``total`` is null when the currencies differ."""
    currencies = {estimate.currency for estimate in estimates}
    total = sum((estimate.cost for estimate in estimates), Decimal())
    return {
        "estimates": [
            {
                "recipient": recipient,
                "provider": estimate.provider,
                "parts": estimate.parts,
                "cost": money(estimate.cost),
                "currency": estimate.currency,
            }
            for recipient, estimate in zip(recipients, estimates, strict=True)
        ],
        "total": money(total) if len(currencies) == 1 else None,
    }


def statuses_shape(asked: Sequence[Receipt], statuses: Sequence[Status]) -> Shape:
    """``notify status``, in the order of the ids."""
    return {
        "statuses": [
            {
                "provider": receipt.provider,
                "id": receipt.provider_id,
                "own_id": receipt.own_id,
                "to": mask(receipt.address),
                **_status(status),
            }
            for receipt, status in zip(asked, statuses, strict=True)
        ]
    }


def _status_or_none(status: Status | None) -> Shape | None:
    return None if status is None else _status(status)


def _status(status: Status) -> Shape:
    return {
        "state": status.state.value,
        "final": status.final,
        "code": status.code,
        "error": status.error,
        "detail": status.detail,
        "at": iso(status.at),
    }


def accounts_shape(answers: Mapping[str, Account | ProviderError]) -> Shape:
    """``notify balance``; ``error`` says why a provider told nothing."""
    return {"accounts": [_account(name, answer) for name, answer in answers.items()]}


def _account(provider: str, answer: Account | ProviderError) -> Shape:
    account = answer if isinstance(answer, Account) else Account(provider=provider)
    return {
        "provider": provider,
        "balance": money(account.balance),
        "credit": money(account.credit),
        "currency": account.currency,
        "error": str(answer.outcome) if isinstance(answer, ProviderError) else None,
    }


# --- providers ------------------------------------------------------------------------------


@attrs.frozen
class ProviderFacts:
    """What ``notify providers`` tells of a configured one."""

    name: str
    type: str
    capabilities: Capabilities
    health: Health


def providers_shape(
    providers: Iterable[ProviderFacts],
    types: Iterable[str],
    failures: Iterable[PluginError],
) -> Shape:
    """``notify providers``."""
    return {
        "providers": [_provider(provider) for provider in providers],
        "types": sorted(types),
        "failures": [{"plugin": error.plugin, "message": str(error)} for error in failures],
    }


def _provider(provider: ProviderFacts) -> Shape:
    return {
        "name": provider.name,
        "type": provider.type,
        "channels": sorted(provider.capabilities.channels),
        "capabilities": _capabilities(provider.capabilities),
        "health": health_shape(provider.health),
    }


def _capabilities(able: Capabilities) -> Shape:
    return {
        "address_kinds": list(able.address_kinds),
        "own_id": able.own_id,
        "resolves_unknown": bool(able.ask_after_s),
        "receipts": sorted(kind.value for kind in able.receipts),
        "incoming": sorted(kind.value for kind in able.incoming),
        "scheduling": able.scheduling,
        "validity": able.validity,
        "cost": able.cost,
        "balance": able.balance,
        "attachments": able.attachments,
        "text_limit": able.text_limit,
    }


def health_shape(health: Health) -> Shape:
    """How a provider stands."""
    word = "paused" if health.closed_until is not None else "ok"
    return {
        "state": "stopped" if health.stopped else word,
        "failures": health.failures,
        "reason": health.reason or None,
    }


# --- errors ---------------------------------------------------------------------------------


def error_shape(kind: str, message: str, problems: Sequence[Shape] = ()) -> Shape:
    """What every command answers instead when it fails."""
    return {"error": {"kind": kind, "message": message, "problems": list(problems)}}


def notify_error_shape(error: NotifyError) -> Shape:
    """The same for an error of the framework; ``kind`` is its class."""
    problems = error.problems if isinstance(error, ConfigError) else ()
    return error_shape(
        type(error).__name__, str(error), [attrs.asdict(problem) for problem in problems]
    )


# --- values ---------------------------------------------------------------------------------


def money(amount: Decimal | None) -> str | None:
    """Return an amount as it is written."""
    return None if amount is None else format(amount, "f")


def iso(moment: datetime | None) -> str | None:
    """Return a moment as it is written."""
    return None if moment is None else moment.isoformat()


def seconds(span: timedelta | None) -> float | None:
    """Return a span as it is written."""
    return None if span is None else span.total_seconds()
