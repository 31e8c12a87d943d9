"""Who may ask, and how often.

Blocking: https://smscentre.com/faq/99 ; repeated sends: https://smscentre.com/api/smpp/send/sms/ ;
balance and simultaneous requests: https://smscentre.com/api/http/balance/get_balance
"""

from collections import defaultdict, deque
from collections.abc import Hashable, Mapping
from hmac import compare_digest

from attrs import frozen

from .model import TOO_MANY_AT_ONCE, ErrorCode, Refused
from .orders import Order
from .settings import SendField, Settings

_MINUTE_S = 60
_AT_ONCE = 14


@frozen
class _Limit:
    """At most so many within so many seconds; ``rest_s`` is how long a block lasts."""

    count: int
    window_s: float
    rest_s: float = 0


_WRONG_LOGINS = _Limit(5, 30 * _MINUTE_S, 30 * _MINUTE_S)
_WRONG_SENDS = _Limit(100, 10 * _MINUTE_S, 10 * _MINUTE_S)
_SAME_SEND = _Limit(1, _MINUTE_S)
_SAME_PRICE = _Limit(5, _MINUTE_S)
_STATUS = _Limit(5, _MINUTE_S)
_BALANCE = _Limit(10, _MINUTE_S)
_SAME_OPERATOR = _Limit(3, _MINUTE_S)
_ANY_OPERATOR = _Limit(100, _MINUTE_S)


class _Counts:
    """Counts events by key within the last seconds."""

    def __init__(self) -> None:
        self._times: defaultdict[Hashable, deque[float]] = defaultdict(deque)

    def note(self, key: Hashable, now: float) -> None:
        self._times[key].append(now)

    def count(self, key: Hashable, window_s: float, now: float) -> int:
        times = self._times[key]
        while times and times[0] <= now - window_s:
            times.popleft()
        return len(times)

    def forget(self, key: Hashable) -> None:
        self._times.pop(key, None)


class Guard:
    """Knows the credentials and remembers what was asked when. Every refusal is a `Refused`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._counts = _Counts()
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
        if self._counts.count(key, limit.window_s, now) >= limit.count:
            self._blocked_until[client] = now + limit.rest_s
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

    def _ask(self, key: Hashable, limit: _Limit, now: float) -> None:
        if not self._settings.rate_rules:
            return
        if self._counts.count(key, limit.window_s, now) >= limit.count:
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
