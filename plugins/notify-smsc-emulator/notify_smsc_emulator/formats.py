"""Answers written in each ``fmt``.

Shapes: https://smscentre.com/api/http/send/sms (send),
https://smsc.ru/api/http/status_messages/status_answer/ (status and errors),
https://smscentre.com/api/http/balance/balance_answer (balance). The README lists the shapes
that the vendor does not show and that are therefore ours.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from enum import IntEnum
from typing import Any
from xml.sax.saxutils import escape

from .answers import (
    Answer,
    Balance,
    Deleted,
    Inflow,
    NumberToCall,
    OperatorInfo,
    Refusal,
    Row,
    Sent,
    Statuses,
    money,
)
from .incoming import IncomingMessage
from .model import CaughtMessage, Channel, MessageId, Status
from .operators import Operator, subscriber
from .orders import CostLevel


class Format(IntEnum):
    """The values of ``fmt``."""

    TEXT = 0
    NUMBERS = 1
    XML = 2
    JSON = 3


def render(answer: Answer, form: Format) -> str:
    """Write the answer in the format that was asked for."""
    match form:
        case Format.JSON:
            return json.dumps(_fields(answer), ensure_ascii=False, separators=(",", ":"))
        case Format.XML:
            return _write_xml(answer)
        case Format.NUMBERS:
            return _write_numbers(answer)
        case Format.TEXT:
            return _write_text(answer)


def encode(answer: Answer, form: Format, charset: str) -> bytes:
    """Write the answer as bytes; what the charset lacks is escaped as the format allows."""
    text = render(answer, form)
    if form is Format.XML:
        return text.encode(charset, "xmlcharrefreplace")
    try:
        return text.encode(charset)
    except UnicodeEncodeError:
        if form is Format.JSON:
            return json.dumps(_fields(answer), separators=(",", ":")).encode(charset)
        return text.encode(charset, "replace")


# --- JSON and XML -----------------------------------------------------------------------------


def _fields(answer: Answer) -> Any:
    match answer:
        case Sent():
            return _sent_fields(answer)
        case Refusal():
            return _refusal_fields(answer)
        case Statuses():
            rows = [_row_fields(row, answer) for row in answer.rows]
            return rows if answer.multiple else rows[0]
        case Balance():
            return _balance_fields(answer)
        case OperatorInfo():
            return answer.operator.fields
        case Deleted():
            return {"result": "OK"}
        case Inflow():
            return [_incoming_fields(message, answer.zone) for message in answer.messages]
        case NumberToCall():
            return {"phone": answer.phone}


def _sent_fields(sent: Sent) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if sent.message_id is not None:
        fields["id"] = sent.message_id
    if sent.level is CostLevel.PRICE:
        fields["cost"] = money(sent.cost)
    fields["cnt"] = sent.parts
    if sent.level >= CostLevel.SEND_PRICE:
        fields["cost"] = money(sent.cost)
    if sent.level is CostLevel.SEND_PRICE_BALANCE:
        fields["balance"] = money(sent.balance)
    if sent.code is not None:
        fields["code"] = sent.code
    if sent.phones is not None:
        fields["phones"] = [line.fields for line in sent.phones]
    if sent.errors:
        fields["errors"] = [line.fields for line in sent.errors]
    return fields


def _refusal_fields(refusal: Refusal) -> dict[str, Any]:
    fields: dict[str, Any] = {"error": refusal.text, "error_code": refusal.code}
    if refusal.message_id is not None:
        fields["id"] = refusal.message_id
    return fields


def _balance_fields(balance: Balance) -> dict[str, str]:
    fields = {"balance": money(balance.balance)}
    if balance.currency is not None:
        if balance.credit:
            fields["credit"] = money(balance.credit)
        fields["currency"] = balance.currency
    return fields


def _row_fields(row: Row, answer: Statuses) -> dict[str, Any]:
    named = {"id": _as_number(row.asked_id), "phone": row.asked_phone} if answer.multiple else {}
    message = row.message
    if message is None:
        return {"status": int(Status.NOT_FOUND), **named}
    fields: dict[str, Any] = {
        "status": int(message.status),
        "last_date": _date(message.changed_at, answer.zone),
        "last_timestamp": int(message.changed_at),
    }
    if message.err is not None:
        fields["err"] = message.err
    if message.channel is Channel.HLR:
        fields |= subscriber(message).fields
    if answer.level >= 1:
        fields |= _full_fields(message, answer.zone)
    if answer.level >= 2:
        fields |= _place_fields(message)
    return fields | named


def _full_fields(message: CaughtMessage, zone: timezone) -> dict[str, Any]:
    sent = message.send_at.timestamp()
    fields: dict[str, Any] = {
        "send_date": _date(sent, zone),
        "send_timestamp": int(sent),
        "phone": message.phone,
        "cost": money(message.cost),
        "sender_id": _sender(message),
        "status_name": message.status.words,
        "message": message.text,
        "comment": message.comment,
        "mccmnc": Operator.of(message.phone).mccmnc,
        "sms_cnt": message.parts,
    }
    if message.channel.type_number is not None:
        fields["type"] = message.channel.type_number
    return fields


def _place_fields(message: CaughtMessage) -> dict[str, str]:
    operator = Operator.of(message.phone)
    return {
        "country": operator.country,
        "operator": operator.name,
        "operator_orig": operator.name,
        "region": operator.region,
    }


def _incoming_fields(message: IncomingMessage, zone: timezone) -> dict[str, Any]:
    return {
        "id": message.id,
        "received": _date(message.at, zone),
        "phone": message.phone,
        "message": message.text,
        "to_phone": message.to,
        "sent": _date(message.at, zone),
    }


def _sender(message: CaughtMessage) -> str:
    return "HLR" if message.channel is Channel.HLR else message.sender or ""


def _as_number(message_id: str) -> MessageId:
    return int(message_id) if message_id.isdecimal() else message_id


def _date(at: float, zone: timezone) -> str:
    return datetime.fromtimestamp(at, zone).strftime("%d.%m.%Y %H:%M:%S")


def _write_xml(answer: Answer) -> str:
    fields = _fields(answer)
    if isinstance(answer, Balance) and answer.currency is None:
        return _element("balance", fields["balance"])
    return _element("result", "OK" if isinstance(answer, Deleted) else fields)


def _element(name: str, value: Any) -> str:
    return f"<{name}>{_content(value)}</{name}>"


def _content(value: Any) -> str:
    if isinstance(value, Mapping):
        return "".join(_element(name, inner) for name, inner in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "".join(_element("row", inner) for inner in value)
    return escape(str(value))


# --- numbers ----------------------------------------------------------------------------------


def _write_numbers(answer: Answer) -> str:
    match answer:
        case Sent():
            return ",".join(_sent_numbers(answer))
        case Refusal():
            return f"{answer.message_id or 0},-{answer.code}"
        case Statuses():
            return "\n".join(",".join(_row_numbers(row, answer)) for row in answer.rows)
        case Inflow():
            return "\n".join(",".join(map(str, row.values())) for row in _fields(answer))
        case Balance() | OperatorInfo() | NumberToCall():
            return ",".join(str(value) for value in _fields(answer).values())
        case Deleted():
            return "OK"


def _sent_numbers(sent: Sent) -> list[str]:
    if sent.level is CostLevel.PRICE:
        return [money(sent.cost), str(sent.parts)]
    numbers = [str(sent.message_id), str(sent.parts), money(sent.cost), money(sent.balance)]
    return numbers[: 2 if sent.level is CostLevel.SEND else 1 + sent.level]


def _row_numbers(row: Row, answer: Statuses) -> list[str]:
    numbers = _status_numbers(row, answer)
    if not answer.multiple:
        return numbers
    return [*numbers, row.asked_id, *([row.asked_phone] if answer.level == 0 else [])]


def _status_numbers(row: Row, answer: Statuses) -> list[str]:
    message = row.message
    if message is None:
        return [str(int(Status.NOT_FOUND)), "0", "0"]
    numbers = [str(int(message.status)), str(int(message.changed_at)), str(message.err or 0)]
    if message.channel is Channel.HLR:
        numbers += subscriber(message).fields.values()
    if answer.level >= 1:
        operator = Operator.of(message.phone)
        places = [operator.country, operator.name, operator.region] if answer.level >= 2 else []
        numbers += [str(int(message.send_at.timestamp())), message.phone, money(message.cost)]
        numbers += [*places, _sender(message), message.status.words, message.text]
    return numbers


# --- text -------------------------------------------------------------------------------------


def _write_text(answer: Answer) -> str:
    match answer:
        case Sent():
            return _sent_text(answer)
        case Refusal():
            tail = "" if answer.message_id is None else f", ID - {answer.message_id}"
            return f"ERROR = {answer.code} ({answer.text}){tail}"
        case Statuses():
            return "\n".join(_row_text(row, answer) for row in answer.rows)
        case Inflow():
            return "\n".join(_named(row) for row in _fields(answer))
        case Balance() | OperatorInfo() | Deleted() | NumberToCall():
            return _write_numbers(answer)


def _sent_text(sent: Sent) -> str:
    if sent.level is CostLevel.PRICE:
        return f"{money(sent.cost)} ({sent.parts} SMS)"
    text = f"OK - {sent.parts} SMS, ID - {sent.message_id}"
    if sent.level >= CostLevel.SEND_PRICE:
        text += f", COST - {money(sent.cost)}"
    if sent.level is CostLevel.SEND_PRICE_BALANCE:
        text += f", BALANCE - {money(sent.balance)}"
    return text + (f", CODE - {sent.code}" if sent.code is not None else "")


def _row_text(row: Row, answer: Statuses) -> str:
    fields = _row_fields(row, answer)
    status, checked = fields.pop("status"), fields.pop("last_date", None)
    fields.pop("last_timestamp", None)
    known = {"Status": status} | ({"check_time": checked} if checked else {})
    return _named(known | fields)


def _named(fields: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in fields.items())
