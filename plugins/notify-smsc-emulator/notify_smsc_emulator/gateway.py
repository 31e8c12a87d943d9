"""The gateway in memory: takes a decoded request and a time, returns an answer. No I/O."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from . import grammar
from .answers import (
    Answer,
    Balance,
    Deleted,
    Inflow,
    NumberToCall,
    OperatorInfo,
    PhoneInfo,
    Refusal,
    Row,
    Sent,
    Statuses,
    money,
)
from .counters import Tally
from .guard import Guard
from .incoming import Inbox
from .lives import Life, honour_life
from .model import (
    NO_MESSAGES,
    TOO_MANY_AT_ONCE,
    CaughtMessage,
    Channel,
    ErrorCode,
    MessageId,
    Refused,
    Request,
    Script,
    Status,
    Step,
)
from .operators import NOBODY, Operator
from .orders import CostLevel, Letter, Order, read_order
from .settings import Settings
from .specials import find_special, hlr_steps, plan_steps, virtual_steps
from .store import Due, Store
from .switches import Switches

_FREE = Decimal(0)


class Gateway:
    """One account: its balance, its messages, its memory of who asked what.

    Not safe for threads; the time is always given in unix seconds and never goes back.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.clear()

    def clear(self) -> None:
        """Forget everything and fill the balance up again."""
        self._guard = Guard(self._settings)
        self._store = Store()
        self.tally = Tally(self._settings.rate_minute_s)
        self.inbox = Inbox(self._settings)
        self.lives: Switches[Life] = Switches()
        self._balance = self._settings.balance
        self._last_id = 0

    @property
    def balance(self) -> Decimal:
        """What is left on the account."""
        return self._balance

    def caught(self, now: float) -> tuple[CaughtMessage, ...]:
        """Return the messages as they stand, oldest first."""
        return self._store.all(now)

    def take_due(self, now: float) -> tuple[Due, ...]:
        """Return the changes of status that nobody has taken yet."""
        return self._store.take_due(now)

    def answer(self, request: Request, now: float, at_once: int = 1) -> Answer:
        """Answer one request; ``at_once`` counts the requests in work, this one included."""
        try:
            self._guard.admit(request.client, request.params, at_once, now)
            answer = self._answer(request, now)
        except Refused as refused:
            self.tally.answered(request.script, refused.code)
            return Refusal.of(refused)
        self.tally.answered(request.script, None)
        return answer

    def become(
        self, message_id: str, status: Status, now: float, *, phone: str | None, err: int | None
    ) -> CaughtMessage:
        """Let the last message with the id have a status; raise LookupError if there is none."""
        message = self._store.latest(message_id, phone, now)
        return self._store.change(message, Step(now, status, err))

    def _answer(self, request: Request, now: float) -> Answer:
        match request.script:
            case Script.SEND:
                return self._send(request, now)
            case Script.STATUS:
                return self._status(request, now)
            case Script.BALANCE:
                return self._tell_balance(request, now)
            case Script.INFO:
                return self._tell_operator(request, now)
            case Script.GET:
                return self._tell_incoming(request, now)
            case Script.WAIT_CALL:
                return NumberToCall(self.inbox.await_call(request.params, now))

    # --- send.php -----------------------------------------------------------------------------

    def _send(self, request: Request, now: float) -> Sent:
        try:
            sent = self._carry_out(request, read_order(request, self._settings, now), now)
        except Refused:
            self._guard.sent(request.client, ok=False, now=now)
            raise
        self._guard.sent(request.client, ok=True, now=now)
        return sent

    def _carry_out(self, request: Request, order: Order, now: float) -> Sent:
        letters = order.letters
        if any(letter.error is ErrorCode.TOO_OFTEN for letter in letters):
            raise Refused(ErrorCode.TOO_OFTEN, TOO_MANY_AT_ONCE)
        good = [letter for letter in letters if letter.error is None]
        cost = sum((self._price(letter, order) for letter in good), _FREE)
        if order.cost is CostLevel.PRICE:
            return self._estimate(order, good, cost, now)
        self._guard.send(order, now)
        message_id = order.message_id or self._next_id()
        failure = letters[0].error if not good else None
        if cost > self._balance + self._settings.credit:
            failure = ErrorCode.NO_MONEY
        self._register(request, order, message_id, failure, now)
        if failure is not None:
            raise Refused(failure, message_id=message_id)
        self._balance -= cost
        return self._sent(order, good, cost, message_id)

    def _estimate(self, order: Order, good: Sequence[Letter], cost: Decimal, now: float) -> Sent:
        self._guard.price(order, now)
        if not good and (error := order.letters[0].error):
            raise Refused(error)
        return self._sent(order, good, cost, None)

    def _sent(
        self, order: Order, good: Sequence[Letter], cost: Decimal, message_id: MessageId | None
    ) -> Sent:
        lines = tuple(self._info(letter, order) for letter in order.letters)
        return Sent(
            level=order.cost,
            parts=sum(letter.parts for letter in good),
            cost=cost,
            balance=self._balance,
            message_id=message_id,
            code=None if message_id is None else _code(order.letters[0], message_id),
            phones=lines if order.per_phone else None,
            errors=tuple(line for line in lines if line.error) if order.errors else None,
        )

    def _info(self, letter: Letter, order: Order) -> PhoneInfo:
        error = letter.error
        return PhoneInfo(
            phone=letter.phone,
            mccmnc=Operator.of(letter.phone).mccmnc,
            cost=money(self._price(letter, order)),
            status="" if error is None else str(int(error.final_status)),
            error="" if error is None else str(int(error)),
        )

    def _price(self, letter: Letter, order: Order) -> Decimal:
        free = self._settings.virtual or order.test or letter.error is not None
        return _FREE if free else self._settings.price * letter.parts

    def _next_id(self) -> int:
        self._last_id += 1
        while self._store.knows_id(self._last_id):
            self._last_id += 1
        return self._last_id

    def _register(
        self,
        request: Request,
        order: Order,
        message_id: MessageId,
        failure: ErrorCode | None,
        now: float,
    ) -> None:
        """Keep the messages; those that are refused too, since they have an id."""
        for letter in order.letters:
            error = letter.error or failure
            self._store.add(
                CaughtMessage(
                    serial=self._store.next_serial,
                    id=message_id,
                    phone=letter.phone,
                    text=letter.text,
                    channel=letter.channel,
                    sender=order.sender,
                    params=order.params,
                    files=order.files,
                    transport=request.transport,
                    received_at=datetime.fromtimestamp(now, UTC),
                    send_at=datetime.fromtimestamp(order.send_at, UTC),
                    parts=letter.parts,
                    cost=_FREE if error else self._price(letter, order),
                    error=error,
                    comment=letter.comment,
                    code=_code(letter, message_id),
                    steps=self._steps(letter, order, error, now),
                ).at(now)
            )

    def _steps(
        self, letter: Letter, order: Order, error: ErrorCode | None, now: float
    ) -> tuple[Step, ...]:
        if error is not None:
            return (Step(now, error.final_status),)
        if self._settings.virtual or order.test:
            return virtual_steps(self._settings, now, order.send_at)
        start = max(now, order.send_at)
        steps = honour_life(self._course(letter, order, now, start), start, order.life_s)
        return hlr_steps(steps) if letter.channel is Channel.HLR else steps

    def _course(self, letter: Letter, order: Order, now: float, start: float) -> tuple[Step, ...]:
        life = self.lives.take(lambda life: life.fits(letter.phone, letter.channel))
        if life is not None:
            return life.steps(now, start)
        special = find_special(letter.phone)
        return plan_steps(special, self._settings, now, order.send_at, order.life_s)

    # --- the other scripts --------------------------------------------------------------------

    def _status(self, request: Request, now: float) -> Statuses | Deleted:
        params = request.params
        ids, phones = params.get("id", ""), params.get("phone", "")
        pairs = _pair(ids, phones)
        for message_id, phone in pairs:
            self.tally.status_query(message_id, phone, now)
        for message_id, phone in pairs:
            self._guard.status(message_id, phone, now)
        rows = tuple(
            Row(message_id, phone, self._store.find(message_id, phone, now))
            for message_id, phone in pairs
        )
        if params.get("del") == "1":
            return self._delete(rows)
        return Statuses(
            rows=rows,
            multiple="," in ids or "," in phones,
            level=grammar.read_number(params.get("all", ""), 0, 2, 0),
            zone=self._settings.zone,
        )

    def _delete(self, rows: Sequence[Row]) -> Deleted:
        """Delete messages that still wait; others are error 5, and then nothing is deleted."""
        messages = [row.message for row in rows if row.message is not None]
        waiting = [message for message in messages if message.status is Status.WAITING]
        if len(waiting) < len(rows):
            raise Refused(ErrorCode.NOT_DELETED, "message could not be deleted")
        for message in waiting:
            self._store.delete(message)
            self._balance += message.cost
        return Deleted()

    def _tell_balance(self, request: Request, now: float) -> Balance:
        self._guard.balance(now)
        if request.params.get("cur", "0") in ("", "0"):
            return Balance(self._balance)
        return Balance(self._balance, self._settings.credit, self._settings.currency)

    def _tell_operator(self, request: Request, now: float) -> OperatorInfo:
        phone = grammar.clean_phone(request.params.get("phone", ""))
        if request.params.get("get_operator") != "1" or not phone:
            raise Refused(ErrorCode.PARAMETERS)
        self._guard.operator(phone, now)
        operator = Operator.of(phone)
        if operator is NOBODY:
            raise Refused(ErrorCode.OPERATOR_NOT_FOUND, "operator not found")
        return OperatorInfo(operator)

    def _tell_incoming(self, request: Request, now: float) -> Inflow:
        if request.params.get("get_answers") != "1":
            raise Refused(ErrorCode.PARAMETERS)
        self._guard.list(request.params, now)
        found = self.inbox.find(request.params, now)
        if not found and self._settings.empty_inbox_refused:
            raise Refused(ErrorCode.NO_MESSAGES, NO_MESSAGES)
        return Inflow(messages=found, zone=self._settings.zone)


def _code(letter: Letter, message_id: MessageId) -> str | None:
    """Make up the code for ``mes=code&call=1``; the same id always has the same code."""
    if letter.channel is not Channel.CALL or letter.text != "code":
        return None
    return f"{sum(str(message_id).encode()) * 7919 % 10_000:04}"


def _pair(ids: str, phones: str) -> list[tuple[str, str]]:
    """Match ids with phones in order; a single one of either serves all of the other."""
    wanted = [piece.strip() for piece in ids.split(",") if piece.strip()]
    numbers = [grammar.clean_phone(phone) for phone in phones.split(",") if phone.strip()]
    if len(wanted) == 1:
        wanted *= len(numbers)
    if len(numbers) == 1:
        numbers *= len(wanted)
    if not wanted or len(wanted) != len(numbers):
        raise Refused(ErrorCode.PARAMETERS)
    return list(zip(wanted, numbers, strict=True))
