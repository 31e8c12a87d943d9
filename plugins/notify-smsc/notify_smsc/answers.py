"""What an answer of the gateway proves. Only ``fmt=3`` (JSON) is read; anything odd is *unknown*.

Shapes: https://smscentre.com/api/http/send/sms ,
https://smsc.ru/api/http/status_messages/status_answer/ ,
https://smscentre.com/api/http/balance/balance_answer
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias, TypeVar

import attrs

from notify_core.http import HttpReply
from notify_core.outcome import (
    Accepted,
    Account,
    Estimate,
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
from notify_smsc.addresses import is_group, same_phone
from notify_smsc.codes import (
    HLR_FIELDS,
    QUERY_TYPES,
    describe,
    judge,
    question_error,
    send_error,
)
from notify_smsc.fields import (
    Fields,
    Unreadable,
    check_id,
    count_of,
    error_of,
    integer,
    json_of,
    money,
    object_of,
    phone_of,
    rows_of,
    unreadable,
)

Failure: TypeAlias = Refused | NotSent | Unknown
Reply: TypeAlias = HttpReply | NotSent | Unknown

_T = TypeVar("_T")

_CODE = "code"
_NO_MONEY = 24
_CALLABLE = re.compile(r"\+?[0-9]{3,15}")


@attrs.frozen(kw_only=True)
class Sent:
    """Which send an answer must be about. ``counts_parts``: ``cnt`` is a number of messages."""

    provider: str
    phone: str = attrs.field(repr=False)
    id: str
    own_id: str
    counts_parts: bool = True
    tells_code: bool = False

    def receipt(self, fields: Fields, **known: Any) -> Receipt:
        """Make the receipt. A code that nobody asked for is a secret and stays out."""
        raw = {name: value for name, value in fields.items() if name != _CODE or self.tells_code}
        return Receipt(
            provider=self.provider,
            address=self.phone,
            own_id=self.own_id,
            provider_id=self.id,
            raw=raw,
            **known,
        )


@attrs.frozen(kw_only=True)
class OperatorInfo:
    """What the gateway knows of a number: https://smsc.ru/api/http/ (``get_operator``)."""

    country: str = ""
    operator: str = ""
    region: str = ""
    mcc: str = ""
    mnc: str = ""
    tz: str = ""


# --- send -----------------------------------------------------------------------------------


def read_sent(reply: Reply, sent: Sent) -> Outcome:
    """Return the outcome of a send to one recipient."""
    if not isinstance(reply, HttpReply):
        return reply
    try:
        fields = object_of(reply)
        return _error_of_send(fields, sent) or _sent(fields, sent)
    except Unreadable as error:
        return Unknown(str(error))


def read_sent_list(reply: Reply, lines: Sequence[Sent]) -> tuple[Outcome, ...]:
    """Return the outcome of every line of a list, in order; no recipient stands there twice.

    A line is accepted only if the answer names its number and says nothing against it.
    """
    if not isinstance(reply, HttpReply):
        return (reply,) * len(lines)
    try:
        fields = object_of(reply)
        return tuple(_line_outcome(fields, line, alone=len(lines) == 1) for line in lines)
    except Unreadable as error:
        return (Unknown(str(error)),) * len(lines)


def _line_outcome(fields: Fields, line: Sent, *, alone: bool) -> Outcome:
    failure = _error_of_send(fields, line)
    if isinstance(failure, Refused) and failure.scope is RefusalScope.RECIPIENT and not alone:
        return Unknown("one number was refused, and the answer does not tell which", failure.code)
    return failure or _line_sent(fields, line)


def _error_of_send(fields: Fields, sent: Sent) -> Failure | None:
    if "error" not in fields and "error_code" not in fields:
        return None
    number, text = error_of(fields)
    if "id" not in fields:
        return send_error(number, text)
    check_id(fields, sent.id)
    return send_error(number, text, sent.receipt(fields))


def _sent(fields: Fields, sent: Sent) -> Outcome:
    check_id(fields, sent.id)
    count = count_of(fields)
    rows = rows_of(fields)
    failure = _failure_among(rows, sent) if rows is not None else None
    return failure or Accepted(
        sent.receipt(
            fields,
            parts=count if sent.counts_parts else None,
            cost=money(fields, "cost"),
            balance=money(fields, "balance"),
        )
    )


def _line_sent(fields: Fields, line: Sent) -> Outcome:
    check_id(fields, line.id)
    count_of(fields)
    own = [row for row in rows_of(fields) or () if same_phone(line.phone, phone_of(row))]
    if not own:
        return Unknown("the answer does not tell what became of this number")
    failures = [failure for row in own if (failure := _failure_of(row, line))]
    receipt = line.receipt(own[0], cost=money(own[0], "cost"))
    return failures[0] if failures else Accepted(receipt)


def _failure_among(rows: Sequence[Fields], sent: Sent) -> Failure | None:
    """Return what the list of numbers says against a success, if anything."""
    if is_group(sent.phone):
        bad = sum(_failure_of(row, sent) is not None for row in rows)
        taken = len(rows) - bad
        return Unknown(f"accepted for {taken} of {len(rows)} numbers of the group") if bad else None
    own = [row for row in rows if same_phone(sent.phone, phone_of(row))]
    if not own or len(own) < len(rows):
        return Unknown("the answer lists other numbers than ours")
    return next((failure for row in own if (failure := _failure_of(row, sent))), None)


def _failure_of(row: Fields, sent: Sent) -> Failure | None:
    """Return what one line of ``phones`` says against the number.

    ``status`` is filled when something is wrong. ``error`` alone is ambiguous, for the numbers
    of errors of a send and of a delivery overlap.
    """
    status = integer(row.get("status") or 0, "status")
    error = str(row.get("error") or "0")
    state = judge(status).state
    if state in (State.UNDELIVERED, State.REJECTED):
        words = describe(status)
        return Refused(words, RefusalScope.RECIPIENT, str(status), sent.receipt(row))
    if status == _NO_MONEY:
        return NotSent(describe(status), FailureScope.ACCOUNT, code=str(status))
    if error != "0" or state not in (State.WAITING, State.SENT, State.DELIVERED):
        code = error if error != "0" else str(status)
        return Unknown("accepted, and yet an error beside the number", code)
    return None


# --- questions ------------------------------------------------------------------------------


def read_status(reply: Reply) -> Status | Failure:
    """Return the status of one message."""
    return _read(reply, _status)


def read_statuses(reply: Reply, asked: Sequence[tuple[str, str]]) -> tuple[Status, ...] | Failure:
    """Return the statuses of several messages, in the order of ``asked`` (ids and phones)."""
    if not isinstance(reply, HttpReply):
        return reply
    try:
        rows = json_of(reply)
        if isinstance(rows, dict):
            return question_failure(rows) or unreadable("one answer to several questions")
        statuses = tuple(_status_among(rows, *pair) for pair in asked)
        known = [each for each in statuses if each.state is not State.UNKNOWN or each.code]
        return statuses if known else unreadable("no status for any of the messages")
    except Unreadable as error:
        return Unknown(str(error))


def read_estimate(reply: Reply, sent: Sent) -> Estimate | Failure:
    """Return what a send would cost."""

    def estimate(fields: Fields) -> Estimate | Failure:
        if "id" in fields:
            unreadable("an id in answer to a price query")
        rows = rows_of(fields)
        if rows is not None and (failure := _failure_among(rows, sent)):
            return failure
        cost = money(fields, "cost")
        if cost is None:
            unreadable("no cost in answer to a price query")
        parts = count_of(fields) if sent.counts_parts else None
        return Estimate(provider=sent.provider, cost=cost, parts=parts)

    return _read(reply, estimate)


def read_account(reply: Reply, provider: str) -> Account | Failure:
    """Return the balance; the credit and the currency where they are told."""

    def account(fields: Fields) -> Account:
        balance = money(fields, "balance")
        if balance is None:
            unreadable("no balance in answer to a balance query")
        return Account(
            provider=provider,
            balance=balance,
            credit=money(fields, "credit"),
            currency=str(fields["currency"]) if fields.get("currency") else None,
        )

    return _read(reply, account)


def read_operator(reply: Reply) -> OperatorInfo | Failure:
    """Return whose number it is. Error 3 means here that nobody's was found."""

    def operator(fields: Fields) -> OperatorInfo:
        names = [field.name for field in attrs.fields(OperatorInfo)]
        known = {name: str(fields[name]) for name in names if fields.get(name) is not None}
        return OperatorInfo(**known) if known else unreadable("an answer without an operator")

    failure = _read(reply, operator)
    if isinstance(failure, NotSent) and failure.code == "3":
        return Refused("the operator of this number was not found", RefusalScope.RECIPIENT, "3")
    return failure


def read_number_to_call(reply: Reply) -> str | Failure:
    """Return the number that a user must call, as the gateway writes it."""

    def number(fields: Fields) -> str:
        told = phone_of(fields).strip()
        if not _CALLABLE.fullmatch(told):
            unreadable("an answer without a number to call")
        return told

    return _read(reply, number)


def read_deleted(reply: Reply) -> Failure | None:
    """Return None if the gateway says that it has deleted the message.

    The shape of that answer is not documented; the word ``OK`` is what clients expect.
    """
    if not isinstance(reply, HttpReply):
        return reply
    if reply.status == 200 and reply.body.strip() in (b"OK", b'"OK"'):
        return None
    failure = _read(reply, lambda fields: fields.get("result"))
    if failure == "OK":
        return None
    if isinstance(failure, Refused) and failure.code == "5":
        return Refused("the message could not be deleted", RefusalScope.CONTENT, "5")
    return failure if isinstance(failure, Failure) else Unknown("not an answer to a deletion")


def _read(reply: Reply, convert: Callable[[Fields], _T]) -> _T | Failure:
    """Read an answer with ``convert``; errors of the gateway and oddities become failures."""
    if not isinstance(reply, HttpReply):
        return reply
    try:
        fields = object_of(reply)
        return question_failure(fields) or convert(fields)
    except Unreadable as error:
        return Unknown(str(error))


def question_failure(fields: Fields) -> Failure | None:
    """Return the error that an answer to a question tells, if it does."""
    if "error" not in fields and "error_code" not in fields:
        return None
    return question_error(*error_of(fields))


def _status(fields: Fields) -> Status:
    if "error" in fields or "error_code" in fields:
        unreadable("an error beside a status")
    status = integer(fields.get("status"), "status")
    err = integer(fields["err"], "err") if fields.get("err") not in (None, "") else None
    is_hlr = not HLR_FIELDS.isdisjoint(fields) or str(fields.get("type")) in QUERY_TYPES
    judged = judge(status, err, is_hlr=is_hlr)
    return Status(
        state=judged.state,
        final=judged.final,
        code=str(status),
        error=None if err is None else str(err),
        detail=describe(status, err, is_hlr=is_hlr),
        at=_moment(fields),
        raw=fields,
    )


def _moment(fields: Fields) -> datetime | None:
    # The zone of last_date is not documented, so only the unix time counts.
    stamp = integer(fields.get("last_timestamp") or 0, "last_timestamp")
    try:
        return datetime.fromtimestamp(stamp, UTC) if stamp > 0 else None
    except (OverflowError, ValueError, OSError):
        return unreadable("a time that cannot be")


def _status_among(rows: object, message_id: str, phone: str) -> Status:
    """Return one of several statuses; what cannot be read of one must not spoil the others."""
    try:
        return _status(_row_about(rows, message_id, phone))
    except Unreadable as error:
        return Status(state=State.UNKNOWN, detail=str(error))


def _row_about(rows: object, message_id: str, phone: str) -> Fields:
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and _is_about(row, message_id, phone):
            return row
    return unreadable("no status for one of the messages")


def _is_about(row: Fields, message_id: str, phone: str) -> bool:
    return str(row.get("id")) == message_id and same_phone(phone, phone_of(row))
