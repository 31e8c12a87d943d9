"""What comes in: messages to the numbers of the account, and calls that confirm a number.

Incoming messages: https://smscentre.com/api/http/get_data/inbox/ ; awaited calls:
https://smscentre.com/api/http/miscellaneous/waitcall/
"""

from collections.abc import Mapping

from attrs import frozen

from . import grammar
from .model import ErrorCode, Refused
from .settings import Settings

_HOUR_S = 3600
_MOST_ANSWERS = 10_000
_MOST_HOURS = 168
_LARGEST_ID = 999_999_999


@frozen(kw_only=True)
class IncomingMessage:
    """A message that somebody sent to a number of the account."""

    id: int
    phone: str
    """Who sent it."""
    text: str
    to: str
    at: float
    """When it was sent and received, unix time: here it takes no time."""


@frozen(kw_only=True)
class AwaitedCall:
    """A call that came in from a number that was waited for."""

    phone: str
    at: float


class Inbox:
    """The messages that came in, and the callers that are awaited."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._messages: list[IncomingMessage] = []
        self._awaited: dict[str, float] = {}

    @property
    def messages(self) -> tuple[IncomingMessage, ...]:
        """What came in, oldest first."""
        return tuple(self._messages)

    @property
    def awaited(self) -> tuple[str, ...]:
        """The numbers that ``wait_call.php`` was told to wait for."""
        return tuple(self._awaited)

    def receive(self, phone: str, text: str, to: str, now: float) -> IncomingMessage:
        """Take in a message."""
        message = IncomingMessage(
            id=len(self._messages) + 1,
            phone=grammar.clean_phone(phone),
            text=text,
            to=grammar.clean_phone(to),
            at=now,
        )
        self._messages.append(message)
        return message

    def find(self, params: Mapping[str, str], now: float) -> tuple[IncomingMessage, ...]:
        """Return the messages that ``get_answers`` asks for."""
        count = grammar.read_number(params.get("cnt", ""), 1, _MOST_ANSWERS, _MOST_ANSWERS)
        hours = grammar.read_number(params.get("hour", ""), 1, _MOST_HOURS, _MOST_HOURS)
        after = grammar.read_number(params.get("after_id", ""), 0, _LARGEST_ID, 0)
        to = grammar.clean_phone(params.get("to_phone", ""))
        found = [
            message
            for message in self._messages[after:]
            if message.at > now - hours * _HOUR_S and to in ("", message.to)
        ]
        if self._settings.answers_newest_first:
            found.reverse()
        return tuple(found[:count])

    def await_call(self, params: Mapping[str, str], now: float) -> str:
        """Wait for a call from ``phone``; return the number that is to be called."""
        phone = grammar.clean_phone(params.get("phone", ""))
        if not phone.isdigit():
            raise Refused(ErrorCode.PARAMETERS)
        self._awaited[phone] = now
        return self._settings.call_number

    def call(self, phone: str, now: float) -> AwaitedCall:
        """Let somebody call; raise LookupError if nobody waits for it."""
        caller = grammar.clean_phone(phone)
        if self._awaited.pop(caller, None) is None:
            raise LookupError(f"no call from {caller} is awaited")
        return AwaitedCall(phone=caller, at=now)
