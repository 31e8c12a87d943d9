"""What the gateway tells by calling us, and how far that can be believed.

https://smscentre.com/api/http/miscellaneous/callback/ . Three kinds of calls are told apart by
their fields: what became of a message, a message that came in, a call that confirms a number. A
signature covers ``id:phone:status``, ``phone:mes:to`` or ``phone:ts`` and nothing beside. What
depends on another field is therefore a hint, and so is all that is not signed.

The kind is not signed either, so the shapes below must keep one signed text from being read as
another: a status has at most two digits, a number of ours at least three, and none of the fields
but a text has a colon.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import attrs

from notify_core.callback import (
    CallbackEvent,
    CallbackRequest,
    Incoming,
    IncomingKind,
    StatusEvent,
    Trust,
)
from notify_core.errors import CallbackError
from notify_core.outcome import State, Status
from notify_smsc.addresses import address_told
from notify_smsc.calls import Call, read_calls
from notify_smsc.codes import HLR_FIELDS, QUERY_TYPES, describe, judge
from notify_smsc.config import CallbackConfig
from notify_smsc.signatures import DIGEST_FIELDS, Signatures

LONGEST_CALL_AGE = timedelta(days=1)
"""How far the time of a confirming call may be from now. It is signed, so it ends replays."""

_ID = re.compile(r"[A-Za-z0-9._-]{1,40}")
_ADDRESS = re.compile(
    r"\+?[0-9]{1,15}"  # a number, also a short one
    r"|[@#][A-Za-z0-9_]{1,64}"  # Telegram
    r"|[^@\s,;:<>\"]{1,64}@[^@\s,;:<>\"]{1,255}"
)
_SENDER = re.compile(r"\+?[0-9]{1,15}|[A-Za-z0-9 ._&+-]{1,11}")
_OWN_NUMBER = re.compile(r"\+?[0-9]{3,15}")
_STATUS = re.compile(r"-?[0-9]{1,2}")
_ERROR = re.compile(r"-?[0-9]{1,4}")
_TIME = re.compile(r"[0-9]{9,11}")

_NOT_KEPT = DIGEST_FIELDS | {"mes", "message", "comment", "login", "psw", "apikey", "charset"}


def read_callback(
    request: CallbackRequest, settings: CallbackConfig, provider: str
) -> Sequence[CallbackEvent]:
    """Return what a call tells; ``CallbackError`` if it is forged or cannot be understood.

    Of several messages in one call all must be right, or none counts.
    """
    reading = _Reading(settings.signatures, provider, request.received_at)
    return [reading.event(call) for call in read_calls(request, settings.charset)]


@attrs.frozen
class _Reading:
    """What is needed to understand a call."""

    signatures: Signatures
    provider: str
    received_at: datetime

    def event(self, call: Call) -> CallbackEvent:
        # By what is there, not by what it holds: the status "0" is one.
        fields = call.fields
        if "waitcall" in fields:
            return self._confirmation(call)
        if "mes" in fields and "status" not in fields:
            return self._message(call)
        if "status" in fields and "mes" not in fields:
            return self._status(call)
        raise CallbackError("neither a status nor a message nor a confirming call")

    def _status(self, call: Call) -> StatusEvent:
        code = int(_checked(call, "status", _STATUS))
        message_id = _checked(call, "id", _ID)
        phone = _checked(call, "phone", _ADDRESS)
        proven = self._is_proven(call, "id", "phone", "status")
        return StatusEvent(
            address=address_told(phone),
            provider_id=message_id,
            status=self._told(call, code, message_id),
            trust=Trust.PROVEN if proven and _is_all_signed(call, code) else Trust.HINT,
        )

    def _told(self, call: Call, code: int, message_id: str) -> Status:
        err = _err(call)
        judged = judge(code, err, is_hlr=_is_query(call))
        return Status(
            state=judged.state,
            final=judged.final,
            code=str(code),
            error=None if err is None else str(err),
            detail=describe(code, err, is_hlr=_is_query(call)),
            # Not ``ts``: it is not signed, so an old call could be made to look like a new one.
            at=None,
            provider_id=message_id,
            raw=self._raw(call),
        )

    def _message(self, call: Call) -> Incoming:
        phone = _checked(call, "phone", _SENDER)
        to = _checked(call, "to", _OWN_NUMBER) if call.text("to") else None
        proven = self._is_proven(call, "phone", "mes", "to")
        return Incoming(
            provider=self.provider,
            sender=address_told(phone),
            to=address_told(to) if to else None,
            text=call.text("mes"),
            trust=Trust.PROVEN if proven else Trust.HINT,
            raw=self._raw(call),
        )

    def _confirmation(self, call: Call) -> Incoming:
        phone = _checked(call, "phone", _SENDER)
        called_at = _moment(_checked(call, "ts", _TIME))
        if not self._is_proven(call, "phone", "ts"):
            raise CallbackError("a confirming call without a signature; nobody can be asked for it")
        if abs(self.received_at - called_at) > LONGEST_CALL_AGE:
            raise CallbackError("a confirming call of another day: it is repeated")
        return Incoming(
            provider=self.provider,
            sender=address_told(phone),
            kind=IncomingKind.CALL,
            channel="call",
            sent_at=called_at,
            trust=Trust.PROVEN,
            raw=self._raw(call),
        )

    def _is_proven(self, call: Call, *signed: str) -> bool:
        # The address of the handler holds the secret in the place of a digest, and whether the
        # gateway takes it out of the address that it calls is not documented.
        digests = [pair for pair in call.digests if not self.signatures.holds(pair[1])]
        return self.signatures.prove(digests, *map(call.signed, signed))

    def _raw(self, call: Call) -> Mapping[str, object]:
        return {
            name: value
            for name, value in call.fields.items()
            if name not in _NOT_KEPT and not self.signatures.holds(value)
        }


def _checked(call: Call, name: str, shape: re.Pattern[str]) -> str:
    value = call.text(name)
    if not shape.fullmatch(value):
        raise CallbackError(f"{name} is missing or not of the gateway's form")
    return value


def _err(call: Call) -> int | None:
    return int(_checked(call, "err", _ERROR)) if call.text("err") else None


def _is_query(call: Call) -> bool:
    """Tell whether it is about an HLR query or a ping."""
    return call.text("type") in QUERY_TYPES or any(call.text(name) for name in HLR_FIELDS)


def _is_all_signed(call: Call, code: int) -> bool:
    """Tell whether the state follows from what is signed alone.

    ``err`` and ``type`` can change it: *delivered* in test mode is not delivered. *Not found* is
    an answer to a question and no fate.
    """
    by_code = judge(code)
    return (
        not _is_query(call)
        and judge(code, _err(call)) == by_code
        and by_code.state is not State.NOT_FOUND
    )


def _moment(stamp: str) -> datetime:
    return datetime.fromtimestamp(int(stamp), UTC)
