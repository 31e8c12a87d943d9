"""Who may ask, and how often.

Blocking: https://smscentre.com/faq/99 ; repeated sends: https://smscentre.com/api/smpp/send/sms/ ;
balance and simultaneous requests: https://smscentre.com/api/http/balance/get_balance
A minute is ``Settings.rate_minute_s``.
"""

from collections.abc import Hashable, Mapping
from hmac import compare_digest

from attrs import frozen

from .counters import Counts
from .model import TOO_MANY_AT_ONCE, ErrorCode, Refused
from .orders import Order
from .settings import SendField, Settings

_AT_ONCE = 14


@frozen
class _Limit:
    """At most so many within so many minutes; ``rest`` is how many minutes a block lasts."""

    count: int
    minutes: int = 1
    rest: int = 0


_WRONG_LOGINS = _Limit(5, 30, 30)
_WRONG_SENDS = _Limit(100, 10, 10)
_SAME_SEND = _Limit(1)
_SAME_PRICE = _Limit(5)
_STATUS = _Limit(5)
_BALANCE = _Limit(10)
_SAME_OPERATOR = _Limit(3)
_ANY_OPERATOR = _Limit(100)
_SAME_LIST = _Limit(3)

_CREDENTIALS = frozenset({"login", "psw", "apikey"})


class Guard:
    """Knows the credentials and remembers what was asked when. Every refusal is a `Refused`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._counts = Counts()
        self._minute_s = settings.rate_minute_s
        self._blocked_until: dict[str, float] = {}

    def admit(self, client: str, params: Mapping[str, str], at_once: int, now: float) -> None:
        """Let a request in, or not. ``at_once`` counts the requests in work, this one included."""
        rules = self._settings.rate_rules
        if rules and at_once > _AT_ONCE:
            raise Refused(ErrorCode.TOO_OFTEN, TOO_MANY_AT_ONCE)
        if rules and self._blocked_until.get(client, 0) > now:
            raise Refused(ErrorCode.BLOCKED)
        if not self._knows(params):
            self._count_towards_block("login", client, _WRONG_LOGINS, now)
            raise Refused(ErrorCode.AUTHORISATION)

    def _knows(self, params: Mapping[str, str]) -> bool:
        """An API key counts whatever login stands beside it; a key in ``psw`` does not."""
        if "apikey" in params:
            return _same(params["apikey"], self._settings.api_key)
        login = _same(params.get("login", ""), self._settings.login)
        return _same(params.get("psw", ""), self._settings.password) and login

    def sent(self, client: str, ok: bool, now: float) -> None:
        """Note how a send ended: a hundred wrong ones in a row block the client."""
        if ok:
            self._counts.forget(("send", client))
        else:
            self._count_towards_block("send", client, _WRONG_SENDS, now)

    def _count_towards_block(self, kind: str, client: str, limit: _Limit, now: float) -> None:
        key = (kind, client)
        self._counts.note(key, now)
        if self._counts.count(key, limit.minutes * self._minute_s, now) >= limit.count:
            self._blocked_until[client] = now + limit.rest * self._minute_s
            self._counts.forget(key)

    def send(self, order: Order, now: float) -> None:
        """Refuse a send identical to one of the last minute; refused ones do not prolong it."""
        self._ask(("same send", _likeness(order, self._settings)), _SAME_SEND, now)

    def price(self, order: Order, now: float) -> None:
        """Refuse the sixth identical price query within a minute."""
        self._ask(("same price", _likeness(order, self._settings)), _SAME_PRICE, now)

    def status(self, message_id: str, phone: str, now: float) -> None:
        """Refuse the sixth query for one message within a minute."""
        self._ask(("status", message_id, phone), _STATUS, now)

    def balance(self, now: float) -> None:
        """Refuse the eleventh query within a minute."""
        self._ask("balance", _BALANCE, now)

    def operator(self, phone: str, now: float) -> None:
        """Refuse the fourth query for one number, or the 101st for any, within a minute."""
        self._ask(("operator", phone), _SAME_OPERATOR, now)
        self._ask("operator", _ANY_OPERATOR, now)

    def list(self, params: Mapping[str, str], now: float) -> None:
        """Refuse the fourth identical query for a list within a minute."""
        asked = sorted(pair for pair in params.items() if pair[0] not in _CREDENTIALS)
        self._ask(("list", tuple(asked)), _SAME_LIST, now)

    def _ask(self, key: Hashable, limit: _Limit, now: float) -> None:
        if not self._settings.rate_rules:
            return
        if self._counts.count(key, limit.minutes * self._minute_s, now) >= limit.count:
            raise Refused(ErrorCode.TOO_OFTEN)
        self._counts.note(key, now)


def _same(given: str, expected: str) -> bool:
    return compare_digest(given.encode(), expected.encode())


def _likeness(order: Order, settings: Settings) -> Hashable:
    """Reduce a send to what is compared with other sends."""
    letters = order.letters
    parts: Mapping[SendField, Hashable] = {
        SendField.CHANNEL: tuple(letter.channel for letter in letters),
        SendField.PHONES: tuple(letter.phone for letter in letters),
        SendField.TEXT: tuple(letter.text for letter in letters),
        SendField.SENDER: order.sender,
        SendField.ID: order.message_id,
        SendField.TIME: order.params.get("time", ""),
        SendField.SUBJECT: order.params.get("subj", ""),
    }
    return tuple((name, parts[name]) for name in sorted(settings.identical_by))
