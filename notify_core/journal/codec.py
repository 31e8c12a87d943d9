"""Entries as JSON documents, and back.

Two documents describe a delivery beside the message: its *plan* (what was decided) and its
*progress* (what has happened). What one of them can be told from another is not written twice:
an attempt's address is that of its leg, which is that of the recipient.

Names of keys are part of the stored format: they are read by later versions, never renamed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

from notify_core.adaptation import adapt
from notify_core.config.model import Because, IfUnknown, Mode, Quiet, Until, Weekday
from notify_core.contact import Contact
from notify_core.delivery import Attempt, LegResult, Skip
from notify_core.errors import JournalError, MessageError
from notify_core.message import Message
from notify_core.outcome import (
    Accepted,
    FailureScope,
    NotSent,
    Outcome,
    Receipt,
    RefusalScope,
    Refused,
    State,
    Status,
    Unknown,
)
from notify_core.plain.messages import plain
from notify_core.progress import Progress, attempt_of, telling_attempt
from notify_core.routing import Facts, Leg, Plan
from notify_core.text import Alphabet, PartCount

Doc: TypeAlias = dict[str, Any]


def dumps(doc: object) -> str:
    """Write a document. What a plugin put into a raw answer never makes it fail."""
    try:
        text = _dumped(doc)
        text.encode()  # half a character cannot be stored
    except (TypeError, ValueError, RecursionError):
        return _dumped(_tamed(doc, _DEEPEST))
    return text


def _dumped(doc: object) -> str:
    return json.dumps(doc, ensure_ascii=False, separators=(",", ":"), default=_shown)


_DEEPEST = 16
"""How many levels are kept of what JSON cannot hold, for it may have itself within it."""
_LARGEST_BITS = 1000


def _tamed(value: object, levels: int) -> object:
    """Return what JSON can hold of a value, so many levels deep."""
    match value:
        case str():
            return value.encode(errors="backslashreplace").decode()
        case dict() if levels:
            return {_key(key): _tamed(each, levels - 1) for key, each in value.items()}
        case list() | tuple() if levels:
            return [_tamed(each, levels - 1) for each in value]
        case dict() | list() | tuple():
            return "…"
        case int() if value.bit_length() > _LARGEST_BITS:
            return "a large number"
        case None | bool() | int() | float():
            return value
        case _:
            return _shown(value)


def _key(key: object) -> str:
    return str(_tamed(key if isinstance(key, str) else _shown(key), 0))


def _shown(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # somebody else's code, for what is only there to be looked at
        return f"<{type(value).__name__}>"


def loads(text: str) -> Any:
    """Read a document."""
    return json.loads(text)


def fingerprint(message: Message) -> str:
    """Return what tells messages apart that say different things, or to others.

    Neither the id nor the key counts, nor do the ids of alternatives.
    """
    said = plain(message)
    for doc in (said, *said.get("alternatives", ())):
        doc.pop("id", None)
        doc.pop("key", None)
    return hashlib.blake2b(dumps(said).encode(), digest_size=16).hexdigest()


# --- the plan -------------------------------------------------------------------------------


def plan_doc(plan: Plan) -> Doc:
    """Return the document of a plan; its message and recipient are kept elsewhere."""
    return _filled(
        mode=plan.mode.value,
        if_unknown=plan.if_unknown.value,
        next_on=sorted(scope.value for scope in plan.next_on),
        deadline=_seconds(plan.deadline),
        legs=[_leg_doc(leg, plan.if_unknown) for leg in plan.legs],
        warnings=list(plan.warnings),
        quiet=None if plan.quiet is None else _quiet_doc(plan.quiet),
        zones=list(plan.zones),
        facts=None if plan.facts is None else _facts_doc(plan.facts),
    )


def read_plan(
    doc: Doc,
    message: Message | None,
    *,
    delivery_id: str,
    message_id: str,
    recipient: Contact,
    route: str,
    types: Mapping[str, type[Message]],
) -> Plan:
    """Make the plan again; without the message, its legs carry a placeholder."""
    return Plan(
        delivery_id=delivery_id,
        message_id=message_id,
        recipient=recipient,
        route=route,
        mode=Mode(doc["mode"]),
        if_unknown=IfUnknown(doc["if_unknown"]),
        next_on=frozenset(RefusalScope(scope) for scope in doc.get("next_on", ())),
        deadline=_span(doc.get("deadline")),
        legs=tuple(
            _read_leg(leg, doc["if_unknown"], message, recipient, types) for leg in doc["legs"]
        ),
        warnings=tuple(doc.get("warnings", ())),
        quiet=_read_quiet(doc["quiet"]) if "quiet" in doc else None,
        zones=tuple(doc.get("zones", ())),
        facts=_read_facts(doc["facts"]) if "facts" in doc else None,
    )


def _facts_doc(facts: Facts) -> Doc:
    return _filled(
        channel=facts.channel,
        tags=sorted(facts.tags),
        priority=None if facts.priority == _USUAL else facts.priority,
        sender=facts.sender,
        number=facts.number,
        country=facts.country,
        domain=facts.domain,
    )


def _read_facts(doc: Doc) -> Facts:
    return Facts(
        channel=doc["channel"],
        tags=frozenset(doc.get("tags", ())),
        priority=doc.get("priority", _USUAL),
        sender=doc.get("sender"),
        number=doc.get("number"),
        country=doc.get("country"),
        domain=doc.get("domain"),
    )


_USUAL = "normal"

_EVERY_REASON = frozenset(Because)


def _leg_doc(leg: Leg, if_unknown: IfUnknown) -> Doc:
    return _filled(
        channel=leg.channel,
        kind=leg.address_kind,
        providers=list(leg.providers),
        until=None if leg.until is Until.ACCEPTED else leg.until.value,
        within=_seconds(leg.within),
        not_on=sorted(each.value for each in _EVERY_REASON - leg.on),
        if_unknown=None if leg.if_unknown is if_unknown else leg.if_unknown.value,
        expires=_seconds(leg.expires),
        distrusted=sorted(leg.distrusted),
        parts=None if leg.parts is None else _parts_doc(leg.parts),
        notes=list(leg.notes),
    )


def _read_leg(
    doc: Doc,
    if_unknown: str,
    message: Message | None,
    recipient: Contact,
    types: Mapping[str, type[Message]],
) -> Leg:
    return Leg(
        channel=doc["channel"],
        message=_as_carried(message, doc["channel"], types),
        address=recipient.address(doc["kind"]) or ERASED_ADDRESS,
        address_kind=doc["kind"],
        providers=tuple(doc["providers"]),
        until=Until(doc.get("until", Until.ACCEPTED.value)),
        within=_span(doc.get("within")),
        on=_EVERY_REASON - frozenset(map(Because, doc.get("not_on", ()))),
        if_unknown=IfUnknown(doc.get("if_unknown", if_unknown)),
        expires=_span(doc.get("expires")),
        distrusted=frozenset(doc.get("distrusted", ())),
        parts=_read_parts(doc["parts"]) if "parts" in doc else None,
        notes=tuple(doc.get("notes", ())),
    )


def _as_carried(
    message: Message | None, channel: str, types: Mapping[str, type[Message]]
) -> Message:
    if message is None:
        return GONE
    if channel not in types:
        raise JournalError(
            f"a stored leg goes by {channel!r}, a channel that no installed plugin brings; "
            "install the plugin that was there when it was planned"
        )
    try:
        return adapt(message, types[channel]).message
    except MessageError as error:
        raise JournalError(f"a stored message cannot be carried on: {error}") from error


def _parts_doc(parts: PartCount) -> Doc:
    return _filled(
        parts=parts.parts,
        alphabet=parts.alphabet.value,
        units=parts.units,
        culprits="".join(parts.culprits),
        without=parts.parts_without,
    )


def _read_parts(doc: Doc) -> PartCount:
    return PartCount(
        parts=doc["parts"],
        alphabet=Alphabet(doc["alphabet"]),
        units=doc.get("units", 0),
        culprits=tuple(doc.get("culprits", "")),
        parts_without=doc.get("without"),
    )


class _Gone(Message):
    """Stands for a message whose text is no longer kept; it is never sent."""

    channel = "gone"


GONE: Message = _Gone()
"""The message of a leg whose text is no longer kept."""

ERASED_ADDRESS = "erased"
"""The address of a leg whose recipient is no longer kept."""


# --- the progress ---------------------------------------------------------------------------


def progress_doc(progress: Progress) -> Doc:
    """Return the document of a delivery's progress."""
    return _filled(
        ended=progress.ended,
        waiting=list(progress.waiting),
        open=list(progress.open),
        done=[_result_doc(result) for result in progress.done],
        round=progress.round if progress.round > 1 else None,
        attempts=[_attempt_doc(attempt) for attempt in progress.attempts],
        skipped=[[skip.provider, skip.reason] for skip in progress.skipped],
        questions=[None if told is None else _status_doc(told) for told in progress.questions],
        tried=progress.tried,
        idle_until=_time(progress.idle_until),
        idle_because=progress.idle_because,
        rested=progress.rested,
        unanswered=progress.unanswered or None,
        gives_up_at=_time(progress.gives_up_at),
        looked=progress.looked,
    )


def read_progress(doc: Doc, plan: Plan) -> Progress:
    """Make the progress of a planned delivery again."""
    done = tuple(_read_result(each, plan, leg) for leg, each in enumerate(doc.get("done", ())))
    attempts = doc.get("attempts", ())
    return Progress(
        ended=doc.get("ended", False),
        waiting=tuple(doc.get("waiting", ())),
        open=tuple(doc.get("open", ())),
        done=done,
        round=doc.get("round", 1),
        attempts=tuple(_read_attempt(each, plan, len(done)) for each in attempts),
        skipped=_read_skips(doc),
        questions=tuple(
            None if told is None else _status(told) for told in doc.get("questions", ())
        ),
        tried=doc.get("tried", False),
        idle_until=_moment(doc.get("idle_until")),
        idle_because=doc.get("idle_because", ""),
        rested=doc.get("rested", False),
        unanswered=doc.get("unanswered", 0),
        gives_up_at=_moment(doc.get("gives_up_at")),
        looked=doc.get("looked", False),
    )


def _result_doc(result: LegResult) -> Doc:
    last = result.attempts[-1].outcome if result.attempts else None
    return _filled(
        # The outcome of a leg is that of its last attempt, if there was any that was heard of.
        outcome=None if result.outcome is last else outcome_doc(result.outcome),
        attempts=[_attempt_doc(attempt) for attempt in result.attempts],
        skipped=[[skip.provider, skip.reason] for skip in result.skipped],
        status=None if result.status is None else _status_doc(result.status),
        given_up=result.given_up,
    )


def _read_result(doc: Doc, plan: Plan, leg: int) -> LegResult:
    attempts = tuple(_read_attempt(each, plan, leg) for each in doc.get("attempts", ()))
    address, telling = plan.legs[leg].address, telling_attempt(attempts)
    told = read_outcome(doc["outcome"], address) if "outcome" in doc else attempts[-1].outcome
    assert told is not None
    return LegResult(
        channel=plan.legs[leg].channel,
        outcome=told,
        attempts=attempts,
        skipped=_read_skips(doc),
        parts=plan.legs[leg].parts,
        status=_status(doc["status"]) if "status" in doc else None,
        given_up=doc.get("given_up", False),
        distrusted=telling is not None and telling.provider in plan.legs[leg].distrusted,
    )


def _read_skips(doc: Doc) -> tuple[Skip, ...]:
    return tuple(Skip(provider, reason) for provider, reason in doc.get("skipped", ()))


def _attempt_doc(attempt: Attempt) -> Doc:
    return _filled(
        number=attempt.number,
        provider=attempt.provider,
        started_at=_time(attempt.started_at),
        answer=None if attempt.answer is None else outcome_doc(attempt.answer),
        resolved=None if attempt.resolved is None else outcome_doc(attempt.resolved),
        status=None if attempt.status is None else _status_doc(attempt.status),
        finished_at=_time(attempt.finished_at),
    )


def _read_attempt(doc: Doc, plan: Plan, leg: int) -> Attempt:
    address = plan.legs[leg].address
    return attempt_of(
        plan,
        leg,
        number=doc["number"],
        provider=doc["provider"],
        started_at=datetime.fromisoformat(doc["started_at"]),
        answer=read_outcome(doc["answer"], address) if "answer" in doc else None,
        resolved=read_outcome(doc["resolved"], address) if "resolved" in doc else None,
        status=_status(doc["status"]) if "status" in doc else None,
        finished_at=_moment(doc.get("finished_at")),
    )


# --- outcomes -------------------------------------------------------------------------------


def outcome_word(outcome: Outcome) -> str:
    """Return the one word for an outcome."""
    match outcome:
        case Accepted():
            return "accepted"
        case Refused():
            return "refused"
        case NotSent():
            return "not_sent"
        case Unknown():
            return "unknown"


def outcome_doc(outcome: Outcome) -> Doc:
    """Return the document of an outcome; ``is`` names which it is."""
    word = outcome_word(outcome)
    match outcome:
        case Accepted(receipt):
            return _filled(**{"is": word}, receipt=_receipt_doc(receipt))
        case Refused(reason, scope, code, receipt):
            told = None if receipt is None else _receipt_doc(receipt)
            return _filled(
                **{"is": word}, reason=reason, scope=scope.value, code=code, receipt=told
            )
        case NotSent(reason, failure, retry_after_s, code):
            return _filled(
                **{"is": word},
                reason=reason,
                scope=failure.value,
                retry_after_s=retry_after_s,
                code=code,
            )
        case Unknown(reason, code, raw, provider_id):
            return _filled(
                **{"is": word}, reason=reason, code=code, raw=dict(raw), provider_id=provider_id
            )


def read_outcome(doc: Doc, address: str) -> Outcome:
    """Make an outcome again; ``address`` is where the attempt went."""
    receipt = _read_receipt(doc["receipt"], address) if "receipt" in doc else None
    reason, code = doc.get("reason", ""), doc.get("code")
    match doc["is"]:
        case "accepted" if receipt is not None:
            return Accepted(receipt)
        case "refused":
            return Refused(reason, RefusalScope(doc["scope"]), code, receipt)
        case "not_sent":
            return NotSent(reason, FailureScope(doc["scope"]), doc.get("retry_after_s"), code)
        case _:
            return Unknown(reason, code, doc.get("raw", {}), doc.get("provider_id"))


def _receipt_doc(receipt: Receipt) -> Doc:
    return _filled(
        provider=receipt.provider,
        address=receipt.address,
        own_id=receipt.own_id,
        provider_id=receipt.provider_id,
        parts=receipt.parts,
        cost=_money(receipt.cost),
        balance=_money(receipt.balance),
        currency=receipt.currency,
        raw=dict(receipt.raw),
    )


def _read_receipt(doc: Doc, address: str) -> Receipt:
    return Receipt(
        provider=doc["provider"],
        address=doc.get("address", address),
        own_id=doc.get("own_id"),
        provider_id=doc.get("provider_id"),
        parts=doc.get("parts"),
        cost=_amount(doc.get("cost")),
        balance=_amount(doc.get("balance")),
        currency=doc.get("currency"),
        raw=doc.get("raw", {}),
    )


def _status_doc(status: Status) -> Doc:
    return _filled(
        state=status.state.value,
        final=status.final,
        code=status.code,
        error=status.error,
        detail=status.detail,
        at=_time(status.at),
        provider_id=status.provider_id,
        raw=dict(status.raw),
    )


def _status(doc: Doc) -> Status:
    return Status(
        state=State(doc["state"]),
        final=doc.get("final", False),
        code=doc.get("code"),
        error=doc.get("error"),
        detail=doc.get("detail", ""),
        at=_moment(doc.get("at")),
        provider_id=doc.get("provider_id"),
        raw=doc.get("raw", {}),
    )


# --- recipients -----------------------------------------------------------------------------


def contact_doc(contact: Contact) -> Doc:
    """Return the document of a recipient."""
    return _filled(
        phone=contact.phone,
        email=contact.email,
        telegram=contact.telegram,
        other=dict(contact.other),
    )


def read_contact(doc: Doc) -> Contact:
    """Make a recipient again."""
    return Contact(**doc)


def addresses_of(contact: Contact) -> Sequence[str]:
    """Return every address of a recipient, each once."""
    known = (contact.phone, contact.email, contact.telegram, *contact.other.values())
    return tuple(dict.fromkeys(address for address in known if address))


_TRACES = frozenset({"address", "raw", "reason", "detail", "provider_id"})


def without_traces(doc: Any) -> Any:
    """Return a progress document without what a provider said in words or knows by name.

    Its words can repeat an address or a text.
    """
    if isinstance(doc, list):
        return [without_traces(each) for each in doc]
    if isinstance(doc, dict):
        return {key: without_traces(value) for key, value in doc.items() if key not in _TRACES}
    return doc


# --- values ---------------------------------------------------------------------------------


def _quiet_doc(quiet: Quiet) -> Doc:
    return _filled(
        begins=quiet.from_.isoformat() if quiet.from_ else None,
        ends=quiet.to.isoformat() if quiet.to else None,
        days=[day.value for day in quiet.days],
    )


def _read_quiet(doc: Doc) -> Quiet:
    return Quiet(
        from_=time.fromisoformat(doc["begins"]) if "begins" in doc else None,
        to=time.fromisoformat(doc["ends"]) if "ends" in doc else None,
        days=tuple(Weekday(day) for day in doc.get("days", ())),
    )


def _filled(**values: Any) -> Doc:
    """Leave out what is empty: most of what there could be mostly is."""
    return {
        name: value
        for name, value in values.items()
        if value or (value == 0 and value is not False)
    }


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()


def _span(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
