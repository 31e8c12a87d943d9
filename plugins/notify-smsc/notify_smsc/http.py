"""The gateway over HTTP: one call per question, one outcome per recipient.

https://smsc.ru/api/http/ . A send is never repeated here: what may have arrived is *unknown*,
and asking is the core's decision. Questions are harmless and may go to the next host. But whether
the hosts know the same messages is not documented, so only the host that may have taken a message
can tell that it has not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

import attrs

from notify_core.callback import IncomingPage
from notify_core.delivery import Attempt
from notify_core.errors import MessageError, ProviderError
from notify_core.http import HttpClient
from notify_core.message import Call, Message
from notify_core.outcome import (
    Account,
    Estimate,
    NotSent,
    Outcome,
    Receipt,
    Refused,
    State,
    Status,
    Unknown,
)
from notify_smsc.addresses import message_id, phone_number, phone_to_ask, proves_absence
from notify_smsc.answers import (
    OperatorInfo,
    Reply,
    Sent,
    read_account,
    read_deleted,
    read_estimate,
    read_number_to_call,
    read_operator,
    read_sent,
    read_sent_list,
    read_status,
    read_statuses,
)
from notify_smsc.config import SmscConfig
from notify_smsc.incoming import LONGEST_HISTORY_H, MOST_ROWS, page_of, read_incoming
from notify_smsc.letter import list_text
from notify_smsc.parameters import CHARSET, SendOrder, send_order
from notify_smsc.receipts import host_to_ask, is_in_doubt, may_know
from notify_smsc.wire import Gateway, Heard, Param, Script

STATUSES_IN_A_QUERY = 50
"""How many messages one status query asks for; what the gateway takes is not documented."""

_QUESTION: tuple[Param, ...] = (("charset", CHARSET), ("fmt", "3"))
_SEND = ("cost", "3")
_PRICE_ONLY = ("cost", "1")

# What differs from line to line of a list; everything else holds for the whole request.
_OF_A_LINE = frozenset({"phones", "mes"})

_T = TypeVar("_T")


class HttpTransport:
    """One account over HTTP. Shared by threads; ``name`` is the provider's in receipts."""

    def __init__(self, name: str, config: SmscConfig, client: HttpClient | None = None) -> None:
        self._name = name
        self._config = config
        self._client = client or _client(config)
        self._gateway = Gateway(self._client, config.hosts, https=config.https)
        # A question may wait for one silent host more, not for five of them.
        self._answering = Gateway(self._client, config.hosts[:2], https=config.https)
        self._single = {
            host: Gateway(self._client, (host,), https=config.https) for host in config.hosts
        }
        self._credentials = config.credentials
        self._defaults = config.defaults

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    # --- sending ------------------------------------------------------------------------------

    def send(self, message: Message, attempt: Attempt) -> Outcome:
        """Send to one recipient; ``MessageError`` leaves before anything else does.

        *Unknown* tells in its ``raw`` which host may have taken the message.
        """
        order = send_order(message, attempt, self._defaults)
        heard = self._call_send((*order.params, _SEND), order)
        outcome = read_sent(heard.reply, self._sent(message, order, attempt.own_id))
        return _with_traces(outcome, heard.host, self._sent_id(attempt))

    def send_list(self, messages: Sequence[tuple[Message, Attempt]]) -> tuple[Outcome, ...]:
        """Send one text each to many recipients in one request, with one outcome per line.

        All attempts share one ``own_id``, and no recipient comes twice: a status is asked by id
        and recipient. Only texts and recipients may differ. ``MessageError`` leaves before
        anything else does.
        """
        orders = [send_order(message, attempt, self._defaults) for message, attempt in messages]
        shared = _shared_params(orders)
        lines = [
            self._sent(message, order, attempt.own_id)
            for (message, attempt), order in zip(messages, orders, strict=True)
        ]
        text = list_text((order.phone, dict(order.params)["mes"]) for order in orders)
        heard = self._call_send((("list", text), *shared, _SEND), orders[0])
        return tuple(
            _with_traces(outcome, heard.host, self._sent_id(attempt))
            for outcome, (_, attempt) in zip(
                read_sent_list(heard.reply, lines), messages, strict=True
            )
        )

    def estimate(self, message: Message, attempt: Attempt) -> Estimate:
        """Ask what a send would cost; nothing is sent."""
        order = send_order(message, attempt, self._defaults)
        reply = self._answering.call(
            "send",
            (*self._credentials.params(), *order.params, _PRICE_ONLY),
            charset=order.encoding,
            files=order.files,
            may_repeat=True,
        )
        sent = self._sent(message, order, attempt.own_id)
        return self._answered("price", read_estimate(reply, sent))

    # --- questions ----------------------------------------------------------------------------

    def status(self, receipt: Receipt, *, detail: int = 0) -> Status:
        """Ask what became of one message.

        ``detail`` 1 adds to ``raw`` the full data, the text of the message included; 2 adds
        country, operator and region.
        """
        phone, sent_id = self._key(receipt)
        params = (("phone", phone), ("id", sent_id), ("all", str(detail)))
        reply = self._ask("status", *params, at=self._place(receipt))
        return self._believable(receipt, self._answered("status", read_status(reply)))

    def statuses(self, receipts: Sequence[Receipt]) -> tuple[Status, ...]:
        """Ask what became of several messages, in the order of the receipts."""
        places = [self._place(receipt) for receipt in receipts]
        found = {place: self._statuses_at(place, receipts) for place in dict.fromkeys(places)}
        return tuple(next(found[place]) for place in places)

    def account(self) -> Account:
        """Ask for the balance: it is also the question whether the credentials work."""
        reply = self._ask("balance", ("cur", "1"))
        return self._answered("balance", read_account(reply, self._name))

    def operator(self, phone: str) -> OperatorInfo:
        """Ask whose number this is."""
        reply = self._ask("info", ("get_operator", "1"), ("phone", phone_to_ask(phone)))
        return self._answered("operator", read_operator(reply))

    def incoming(self, after: str | None, limit: int) -> IncomingPage:
        """Ask for what came in behind ``after``, the id of a message, oldest first.

        In which order the gateway takes the first so many is not documented. So it is asked for
        all that it tells, and the page is cut from that here.
        """
        behind = (("after_id", after),) if after else ()
        reply = self._ask(
            "get",
            ("get_answers", "1"),
            ("cnt", str(MOST_ROWS)),
            ("hour", str(LONGEST_HISTORY_H)),
            *behind,
        )
        rows = self._answered("incoming", read_incoming(reply, self._name))
        return page_of(rows, after, limit)

    def number_to_call(self, phone: str) -> str:
        """Ask which number somebody with this phone must call to confirm it."""
        params = (("phone", phone_number(phone)), *_QUESTION)
        # Not repeated: whether it takes a number out of a stock is not documented.
        reply = self._call("wait_call", params, at=None)
        return self._answered("call", read_number_to_call(reply))

    def delete(self, receipt: Receipt) -> None:
        """Delete a message that still waits; ``ProviderError`` unless the gateway says it did."""
        phone, sent_id = self._key(receipt)
        params = (("phone", phone), ("id", sent_id), ("del", "1"))
        # Not repeated: the second time the message would be gone, which looks like a failure.
        reply = self._call("status", (*params, *_QUESTION), at=self._place(receipt))
        failure = read_deleted(reply)
        if failure is not None:
            raise ProviderError(self._name, "deletion", failure)

    def _statuses_at(self, place: str | None, receipts: Sequence[Receipt]) -> Iterator[Status]:
        """Ask what became of those of the messages that are asked for at this place."""
        own = [receipt for receipt in receipts if self._place(receipt) == place]
        for start in range(0, len(own), STATUSES_IN_A_QUERY):
            yield from self._chunk_of_statuses(place, own[start : start + STATUSES_IN_A_QUERY])

    def _chunk_of_statuses(
        self, place: str | None, receipts: Sequence[Receipt]
    ) -> tuple[Status, ...]:
        if len(receipts) == 1:
            return (self.status(receipts[0]),)
        keys = [self._key(receipt) for receipt in receipts]
        phones = ",".join(phone for phone, _ in keys)
        ids = ",".join(sent_id for _, sent_id in keys)
        reply = self._ask("status", ("phone", phones), ("id", ids), at=place)
        asked = [(sent_id, phone) for phone, sent_id in keys]
        statuses = self._answered("status", read_statuses(reply, asked))
        return tuple(map(self._as_one_of_many, receipts, statuses))

    def _as_one_of_many(self, receipt: Receipt, status: Status) -> Status:
        """Return a status; a *not found* that proves nothing must not spoil all other answers."""
        try:
            return self._believable(receipt, status)
        except ProviderError as error:
            return Status(state=State.UNKNOWN, code=status.code, detail=str(error.outcome))

    def _sent_id(self, attempt: Attempt) -> str:
        return message_id(attempt.own_id, self._config.message_ids)

    def _key(self, receipt: Receipt) -> tuple[str, str]:
        """Return the two things under which the gateway knows a message: recipient and id."""
        if receipt.provider_id:
            return phone_to_ask(receipt.address), receipt.provider_id
        if receipt.own_id is None:
            raise MessageError("a receipt without an id: nothing to ask for")
        return phone_to_ask(receipt.address), message_id(receipt.own_id, self._config.message_ids)

    def _place(self, receipt: Receipt) -> str | None:
        """Return the one host that must be asked for a message, or None for any.

        A host that is not configured (any more) is told no credentials.
        """
        host = host_to_ask(receipt)
        return host if host in self._single else None

    def _believable(self, receipt: Receipt, status: Status) -> Status:
        """Return a status with the id that it was asked for by, which calls will tell it by."""
        if status.state is not State.NOT_FOUND:
            return attrs.evolve(status, provider_id=self._key(receipt)[1])
        if doubt := self._doubt_about_absence(receipt):
            unknown = Unknown(f"not found, which proves nothing {doubt}", "-3")
            raise ProviderError(self._name, "status", unknown)
        return status

    def _doubt_about_absence(self, receipt: Receipt) -> str | None:
        """Return why *not found* is no proof that a message does not exist, or None if it is."""
        if not proves_absence(phone_to_ask(receipt.address)):
            return "for a group or a nickname"
        # Whoever took the message, nothing is decided by its absence.
        if not is_in_doubt(receipt) or self._place(receipt):
            return None
        elsewhere = host_to_ask(receipt) is not None or len(self._single) > 1
        return "at a host that may not be the one it went to" if elsewhere else None

    # --- calls --------------------------------------------------------------------------------

    def _sent(self, message: Message, order: SendOrder, own_id: str) -> Sent:
        return Sent(
            provider=self._name,
            phone=order.phone,
            id=order.id,
            own_id=own_id,
            # For calls the sources disagree: seconds, or blocks of five.
            counts_parts=not isinstance(message, Call),
            tells_code=order.tells_code,
        )

    def _call_send(self, params: tuple[Param, ...], order: SendOrder) -> Heard:
        return self._gateway.send(
            (*self._credentials.params(), *params), charset=order.encoding, files=order.files
        )

    def _ask(self, script: Script, *params: Param, at: str | None = None) -> Reply:
        return self._call(script, (*params, *_QUESTION), at=at, may_repeat=True)

    def _call(
        self, script: Script, params: tuple[Param, ...], *, at: str | None, may_repeat: bool = False
    ) -> Reply:
        gateway = self._single[at] if at else self._answering
        return gateway.call(script, (*self._credentials.params(), *params), may_repeat=may_repeat)

    def _answered(self, question: str, answer: _T | Refused | NotSent | Unknown) -> _T:
        if isinstance(answer, Refused | NotSent | Unknown):
            raise ProviderError(self._name, question, answer)
        return answer


def _with_traces(outcome: Outcome, host: str, sent_id: str) -> Outcome:
    """Add to what is in doubt by what it can be found: the host, and the id that it was given."""
    if isinstance(outcome, Unknown):
        return attrs.evolve(outcome, raw=may_know(host), provider_id=sent_id)
    return outcome


def _client(config: SmscConfig) -> HttpClient:
    return HttpClient(
        connect_timeout_s=config.connect_timeout.total_seconds(),
        read_timeout_s=config.read_timeout.total_seconds(),
        ca_file=config.ca_file,
        pool_size=config.pool_size,
    )


def _shared_params(orders: Sequence[SendOrder]) -> tuple[Param, ...]:
    """Return what holds for every line; ``MessageError`` if anything but the lines differs."""
    if not orders:
        raise MessageError("an empty list")
    shared = [
        tuple(param for param in order.params if param[0] not in _OF_A_LINE) for order in orders
    ]
    if any(other != shared[0] for other in shared):
        raise MessageError("the lines of a list differ in texts and recipients only")
    if any(order.files or order.encoding != CHARSET for order in orders):
        raise MessageError("files and bytes cannot go in a list; send them one by one")
    if len({order.phone for order in orders}) < len(orders):
        raise MessageError("a recipient stands twice in a list; send the second text by itself")
    return shared[0]
