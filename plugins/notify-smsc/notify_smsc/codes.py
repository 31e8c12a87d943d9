"""What the numbers of the gateway mean: one table each for errors, statuses and delivery errors.

Beside every number stand the provider's words. A number that is in no table keeps its raw value
and is *unknown*: it is never counted as delivered, failed, sent or not sent.

Sources: https://smscentre.com/api/http/send/sms (errors of a send),
https://smscentre.com/api/http/status_messages/statuses/ (statuses),
https://smscentre.com/api/smpp/errors (delivery errors), https://smscentre.com/faq/99 (blocking).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType

import attrs

from notify_core.outcome import (
    FailureScope,
    NotSent,
    Receipt,
    RefusalScope,
    Refused,
    State,
    Unknown,
)

# --- errors of a send -----------------------------------------------------------------------

BLOCK_S = 30 * 60.0
"""How long a blocked address waits: the longer of the documented 10 and 30 minutes."""

_DUPLICATE = "duplicate"
_CONCURRENT = "concurrent"


@attrs.frozen
class _Refusal:
    words: str
    scope: RefusalScope


@attrs.frozen
class _Failure:
    words: str
    scope: FailureScope
    retry_after_s: float | None = None


SEND_ERRORS: Mapping[int, _Refusal | _Failure] = MappingProxyType(
    {
        1: _Refusal("wrong parameters", RefusalScope.CONTENT),
        2: _Failure(
            "wrong login or password, or this address is not on the account's list",
            FailureScope.ACCOUNT,
        ),
        # The answer brings an id. Nothing has gone out when it arrives, so this is not sent and
        # stops the provider; whether a top-up sends the registered message is not documented.
        3: _Failure("not enough money", FailureScope.ACCOUNT),
        4: _Failure("this address is blocked for a while", FailureScope.ACCOUNT, BLOCK_S),
        5: _Refusal("wrong date format", RefusalScope.CONTENT),
        6: _Refusal("forbidden: text, sender or mass sending", RefusalScope.CONTENT),
        7: _Refusal("wrong phone number format", RefusalScope.RECIPIENT),
        8: _Refusal("cannot be delivered to this number", RefusalScope.RECIPIENT),
    }
)
"""Error 9 is not here: it means two things and only its text tells them apart."""


def send_error(
    number: int, text: str = "", receipt: Receipt | None = None
) -> Refused | NotSent | Unknown:
    """Return what an error of ``send.php`` says of the message.

    ``receipt`` is for a refused message that was registered under an id all the same. The
    provider's ``text`` is looked at but never quoted: nobody promises what it holds.
    """
    code = str(number)
    match SEND_ERRORS.get(number):
        case _Refusal(words, scope):
            return Refused(words, scope, code=code, receipt=receipt)
        case _Failure(words, scope, retry_after_s):
            return NotSent(words + _registered(receipt), scope, retry_after_s, code)
    return _too_often(text) if number == 9 else Unknown("an error that is not documented", code)


def _registered(receipt: Receipt | None) -> str:
    if receipt is None:
        return ""
    return f"; registered as {receipt.provider_id}: delete that before a top-up, which may send it"


def _too_often(text: str) -> NotSent | Unknown:
    if _CONCURRENT in text.lower():
        return NotSent("too many requests at once", FailureScope.THROTTLED, code="9")
    if _DUPLICATE in text.lower():
        return Unknown("the same request was seen within a minute: probably accepted", "9")
    return Unknown("a repeated request or too many at once", "9")


# --- errors of a question -------------------------------------------------------------------


def question_error(number: int, text: str = "") -> Refused | NotSent | Unknown:
    """Return what an error of ``status.php``, ``balance.php`` or a price query says.

    The numbers are those of a send; 9 can only be a limit of queries here.
    """
    if number == 9:
        return NotSent("too many queries", FailureScope.THROTTLED, code="9")
    return send_error(number, text)


# --- statuses -------------------------------------------------------------------------------


@attrs.frozen
class StatusCode:
    """One status: the provider's words, our state and whether a later status is expected."""

    words: str
    state: State
    final: bool


STATUSES: Mapping[int, StatusCode] = MappingProxyType(
    {
        -3: StatusCode("not found", State.NOT_FOUND, final=False),
        # A paused mailing can go on.
        -2: StatusCode("stopped", State.PAUSED, final=False),
        -1: StatusCode("waiting to be sent", State.WAITING, final=False),
        0: StatusCode("passed to the operator", State.SENT, final=False),
        1: StatusCode("delivered", State.DELIVERED, final=True),
        2: StatusCode("read", State.READ, final=True),
        3: StatusCode("expired", State.EXPIRED, final=True),
        4: StatusCode("link clicked", State.CLICKED, final=True),
        6: StatusCode("blocked by a spam filter", State.REJECTED, final=True),
        20: StatusCode("cannot be delivered", State.UNDELIVERED, final=True),
        22: StatusCode("wrong number", State.UNDELIVERED, final=True),
        23: StatusCode("forbidden", State.REJECTED, final=True),
        # Whether it goes out after a top-up is not documented, so it is not over.
        24: StatusCode("not enough money", State.PAUSED, final=False),
        25: StatusCode("unreachable number", State.UNDELIVERED, final=True),
    }
)


HLR_FIELDS = frozenset({"imsi", "msc", "mcc", "mnc", "cn", "net", "rcn", "rnet"})
"""What only the status of an HLR query has."""

QUERY_TYPES = frozenset({"4", "5"})
"""The ``type`` of HLR queries and pings, in the full data of a status and in calls."""


# --- delivery errors ------------------------------------------------------------------------


class ErrorClass(enum.Enum):
    """What a delivery error is about."""

    NONE = "none"
    """No error: the subscriber is there."""
    RECIPIENT = "recipient"
    """This number, for good or for long."""
    TEMPORARY = "temporary"
    """This number, now."""
    CHANNEL = "channel"
    """This number, on this channel: another may reach it."""
    CONTENT = "content"
    """The text, its links or its sound."""
    SETUP = "setup"
    """The account, its contract, its limits or its senders."""
    ROUTE = "route"
    """The way to the operator."""
    TEST = "test"
    """The account is in test mode: nothing was delivered."""
    UNSURE = "unsure"
    """What became of it is not known."""
    UNDOCUMENTED = "undocumented"
    """A number that this version does not know."""


@attrs.frozen
class DeliveryError:
    """One delivery error: the provider's words and what it is about."""

    words: str
    kind: ErrorClass


DELIVERY_ERRORS: Mapping[int, DeliveryError] = MappingProxyType(
    {
        0: DeliveryError("no error", ErrorClass.NONE),
        1: DeliveryError("the subscriber does not exist", ErrorClass.RECIPIENT),
        6: DeliveryError("the subscriber is offline", ErrorClass.TEMPORARY),
        11: DeliveryError("no SMS service", ErrorClass.CHANNEL),
        12: DeliveryError("error in the phone or SIM", ErrorClass.RECIPIENT),
        13: DeliveryError("the subscriber is blocked", ErrorClass.TEMPORARY),
        21: DeliveryError("the handset does not support the service", ErrorClass.CHANNEL),
        200: DeliveryError("virtual sending", ErrorClass.TEST),
        219: DeliveryError("the SIM was replaced", ErrorClass.TEMPORARY),
        220: DeliveryError("the operator's queue is full", ErrorClass.TEMPORARY),
        237: DeliveryError("no answer", ErrorClass.TEMPORARY),
        238: DeliveryError("no template", ErrorClass.SETUP),
        239: DeliveryError("forbidden IP address", ErrorClass.SETUP),
        240: DeliveryError("busy or rejected", ErrorClass.TEMPORARY),
        241: DeliveryError("conversion error, or parts are missing", ErrorClass.CONTENT),
        242: DeliveryError("answering machine", ErrorClass.RECIPIENT),
        243: DeliveryError("no contract", ErrorClass.SETUP),
        244: DeliveryError("mailings are forbidden", ErrorClass.SETUP),
        245: DeliveryError("status not received", ErrorClass.UNSURE),
        246: DeliveryError("time restriction", ErrorClass.SETUP),
        247: DeliveryError("message limit exceeded", ErrorClass.SETUP),
        248: DeliveryError("no route", ErrorClass.ROUTE),
        249: DeliveryError("wrong number format", ErrorClass.RECIPIENT),
        250: DeliveryError("the number is forbidden by the settings", ErrorClass.SETUP),
        251: DeliveryError("daily limit per number exceeded", ErrorClass.SETUP),
        252: DeliveryError("the number is forbidden", ErrorClass.RECIPIENT),
        253: DeliveryError("spam filter", ErrorClass.CONTENT),
        254: DeliveryError("the sender is forbidden", ErrorClass.SETUP),
        255: DeliveryError("refused by the operator without a code", ErrorClass.ROUTE),
    }
)

_ARRIVED = frozenset({State.DELIVERED, State.READ, State.CLICKED})
_UNKNOWN_STATUS = StatusCode("a status that is not documented", State.UNKNOWN, final=False)
_UNKNOWN_ERROR = DeliveryError("an error that is not documented", ErrorClass.UNDOCUMENTED)
_SIMULATED = StatusCode("virtual sending", State.SIMULATED, final=True)
_PENDING_QUERY = StatusCode("waiting for the network's answer", State.SENT, final=False)


def delivery_error(number: int) -> DeliveryError:
    """Return what a delivery error means; one without a meaning is *undocumented*."""
    return DELIVERY_ERRORS.get(number, _UNKNOWN_ERROR)


def judge(status: int, err: int | None = None, *, is_hlr: bool = False) -> StatusCode:
    """Return what a status means together with the delivery error beside it.

    An HLR query or a ping is *delivered* when it has been carried out: only ``err`` tells
    whether the subscriber is there. So an HLR answer without one is not over, and *delivered*
    beside an error is not delivered.
    """
    known = STATUSES.get(status, _UNKNOWN_STATUS)
    arrived = known.state in _ARRIVED
    match delivery_error(err).kind if err is not None else None:
        case None:
            return _PENDING_QUERY if is_hlr and arrived else known
        case ErrorClass.TEST:
            return _SIMULATED
        case ErrorClass.UNSURE if known.final:
            return attrs.evolve(known, state=State.UNKNOWN, final=False)
        case ErrorClass.UNDOCUMENTED if arrived:
            return attrs.evolve(known, state=State.UNKNOWN, final=False)
        case ErrorClass.NONE | ErrorClass.UNSURE | ErrorClass.UNDOCUMENTED:
            return known
        case _:
            return attrs.evolve(known, state=State.UNDELIVERED) if arrived else known


def describe(status: int, err: int | None = None, *, is_hlr: bool = False) -> str:
    """Return the words for a status and the delivery error beside it.

    Of *delivered* beside an error only the error is told: nothing was delivered.
    """
    words = judge(status, err, is_hlr=is_hlr).words
    if not err:
        return words
    trouble = delivery_error(err).words
    known = STATUSES.get(status, _UNKNOWN_STATUS)
    return trouble if known.state in _ARRIVED else f"{words}: {trouble}"
