"""What the tests of a journal are made of: entries in every state, and comparing them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar

import attrs

from notify_core.adaptation import adapt
from notify_core.clock import Clock
from notify_core.config.model import IfUnknown, Mode
from notify_core.contact import Contact
from notify_core.delivery import Stage, stage_after
from notify_core.ids import first_id_of
from notify_core.journal.base import Journal
from notify_core.journal.model import Entry, Filter, Key
from notify_core.message import Flash, Message, Priority, Sms
from notify_core.outcome import Accepted, Outcome, Receipt, Unknown
from notify_core.plain.messages import plain
from notify_core.progress import attempt_answered, attempt_began, begin, leg_closed
from notify_core.routing import Leg, Plan
from notify_core.testing.clock import ManualClock
from notify_core.text import count_parts

T = TypeVar("T")
E = TypeVar("E", bound=Exception)

LEASE = timedelta(seconds=60)
LANES = tuple(sorted(Priority, reverse=True))
THREADS = 16
SECOND = timedelta(seconds=1)
PATIENCE_S = 10.0
"""How long what should happen at once may take on a busy machine."""
ADDRESS = "+79990000001"
TEXT = "canary text 5167"
_ANY = Sms(text="stands for a message that is compared by itself")


class JournalCase:
    """Opens journals and makes entries. See ``JournalContract``."""

    shared: ClassVar[bool] = True

    def open(self, clock: Clock) -> Journal:
        """Open the journal of this test, for messages of the core."""
        raise NotImplementedError

    def setup_method(self) -> None:
        """Set the clock back; the journal is opened by whoever needs it first."""
        self.clock = ManualClock()
        self._opened: list[Journal] = []
        self._made = 0

    def teardown_method(self) -> None:
        """Close every journal that the test has opened."""
        for journal in self._opened:
            journal.close()

    @property
    def journal(self) -> Journal:
        """The journal of this test."""
        return self._opened[0] if self._opened else self._open()

    def _open(self) -> Journal:
        journal = self.open(self.clock)
        self._opened.append(journal)
        return journal

    def _several(self) -> tuple[Journal, Journal]:
        """Return the journal as two processes have it open, if they can."""
        return self.journal, self._open() if self.shared else self.journal

    def _now(self, seconds: float = 0) -> datetime:
        return self.clock.now() + timedelta(seconds=seconds)

    def _entry(self, **wanted: Any) -> Entry:
        """Make an entry that waits for a worker; see ``_entry_to``."""
        return self._entry_to(Contact(phone=wanted.pop("address", ADDRESS)), **wanted)

    def _entry_to(
        self,
        recipient: Contact,
        *,
        due_in: float = 0,
        lane: Priority = Priority.NORMAL,
        legs: int = 1,
        message: Message | None = None,
        key: Key | None = None,
        **others: Any,
    ) -> Entry:
        self._made += 1
        delivery_id = f"{first_id_of(self._now())}{self._made:012x}"
        message = message or Sms(to=recipient, text=TEXT, id=f"m-{self._made}", priority=lane)
        plan = _plan(delivery_id, message, recipient, legs)
        entry = Entry(
            message=message,
            plan=plan,
            progress=begin(plan),
            config="",
            created_at=self._now(),
            priority=lane,
            due_at=self._now(due_in),
            lease=1,
            key=key,
        )
        return attrs.evolve(entry, **others)

    def _entries_to(self, *addresses: str, apart: float = 0) -> list[Entry]:
        """Make the deliveries of one message, so many seconds after each other."""
        message = Sms(to=addresses, text=TEXT)
        entries = []
        for number, contact in enumerate(message.contacts(), start=1):
            entries.append(self._entry_to(contact, message=message, number=number))
            self.clock.advance(apart)
        return entries

    def _keyed(self, name: str, *addresses: str) -> list[Entry]:
        """Make the deliveries of one message with a key that is remembered for an hour."""
        entries = self._entries_to(*(addresses or (ADDRESS,)))
        key = Key(name, entries[0].message.id, entries[0].id, "fingerprint", self._now(3600))
        return [attrs.evolve(entry, key=key) for entry in entries]

    def _added(self, **wanted: Any) -> Entry:
        entry = self._entry(**wanted)
        self.journal.add([entry])
        return entry

    def _added_apart(self, count: int) -> list[Entry]:
        """Add deliveries that were made a second after each other."""
        entries = []
        for _ in range(count):
            entries.append(self._added())
            self.clock.advance(1)
        return entries

    def _ended(self, address: str = ADDRESS) -> Entry:
        return self._carried(self._entry(address=address), accepted(address))

    def _held(self) -> Entry:
        return self._carried(self._entry(), Unknown("lost"))

    def _answered(self, entry: Entry, answer: Outcome) -> Entry:
        progress, _ = attempt_began(entry.plan, entry.progress, "a", self._now())
        return attrs.evolve(entry, progress=attempt_answered(progress, answer, self._now(0.5)))

    def _carried(self, entry: Entry, answer: Outcome) -> Entry:
        """Carry it to the end, or to the leg that follows."""
        answered = self._answered(entry, answer)
        progress = leg_closed(entry.plan, answered.progress)
        stage = stage_after(answer) if progress.ended else Stage.UNDER_WAY
        return attrs.evolve(entry, progress=progress, stage=stage, owner=None, due_at=None)

    def _left(self, entry: Entry, due_in: float = 0, **changes: Any) -> Entry:
        return attrs.evolve(entry, owner=None, due_at=self._now(due_in), **changes)

    def _claim(
        self,
        owner: str = "me",
        lanes: Sequence[Priority] = LANES,
        limit: int = 100,
        journal: Journal | None = None,
    ) -> list[Entry]:
        until = self.clock.now() + LEASE
        return list((journal or self.journal).claim(owner, self._now(), until, lanes, limit))

    def _try_to_claim(self, entry: Entry, journal: Journal | None = None) -> Entry | None:
        until = self.clock.now() + LEASE
        return (journal or self.journal).claim_one(entry.id, "me", self._now(), until)

    def _claim_one(self, entry: Entry) -> Entry:
        claimed = self._try_to_claim(entry)
        assert claimed is not None
        return claimed

    def _loaded(self, entry: Entry) -> Entry:
        loaded = self.journal.load(entry.id)
        assert loaded is not None
        return loaded

    def _assert_stored(self, entry: Entry) -> None:
        assert told(self._loaded(entry)) == told(entry)

    def _assert_found(self, entry: Entry, **wanted: Any) -> None:
        assert ids(self.journal.search(Filter(**wanted))) == [entry.id]

    def _assert_woken(self, act: Callable[[Journal], object]) -> None:
        """Act in another journal while somebody waits in this one."""
        _, other = self._several()
        watch = self.journal.watch()
        timer = threading.Timer(0.05, act, [other])
        try:
            settle(watch.wait)
            timer.start()
            waited = seconds(lambda: watch.wait(3 * PATIENCE_S))
        finally:
            timer.join()
            watch.close()
        assert waited < PATIENCE_S


def _plan(delivery_id: str, message: Message, recipient: Contact, legs: int) -> Plan:
    """Plan an SMS, and with two legs a flash message after it."""
    return Plan(
        delivery_id=delivery_id,
        message_id=message.id,
        recipient=recipient,
        route="default",
        mode=Mode.FIRST_OF,
        if_unknown=IfUnknown.RECONCILE,
        next_on=frozenset(),
        deadline=timedelta(minutes=5),
        legs=tuple(_leg(message, recipient, kind) for kind in (Sms, Flash)[:legs]),
        warnings=("a warning",),
    )


def _leg(message: Message, recipient: Contact, kind: type[Message]) -> Leg:
    return Leg(
        channel=kind.channel,
        message=adapt(message, kind).message,
        address=recipient.phone or "",
        address_kind="phone",
        providers=("a", "b"),
        parts=count_parts(message.body or ""),
        notes=("a note",),
    )


def accepted(address: str = ADDRESS) -> Accepted:
    receipt = Receipt(provider="a", address=address, provider_id="17", raw={"is": "raw answer"})
    return Accepted(receipt)


def told(entry: Entry) -> tuple[object, ...]:
    """Return what can be compared of an entry. Messages are equal if they say the same."""
    legs = tuple(attrs.evolve(leg, message=_ANY) for leg in entry.plan.legs)
    bare = attrs.evolve(entry, message=_ANY, plan=attrs.evolve(entry.plan, legs=legs), key=None)
    return bare, plain(entry.message), [plain(leg.message) for leg in entry.plan.legs]


def ids(entries: Sequence[Entry]) -> list[str]:
    return [entry.id for entry in entries]


def key_of(entries: Sequence[Entry]) -> Key:
    key = entries[0].key
    assert key is not None
    return key


class Failed(Exception):
    """What goes wrong in somebody else's code."""


def failing(_entry: Entry) -> Entry:
    raise Failed


@contextmanager
def raises(kind: type[E]) -> Iterator[list[E]]:
    """Expect an error, and give it in a list when the block has ended."""
    caught: list[E] = []
    try:
        yield caught
    except kind as error:
        caught.append(error)
    assert caught, f"no {kind.__name__} was raised"


def at_once(work: Callable[[int], T]) -> list[T]:
    """Do something in many threads that begin together; return what each has returned."""
    start = threading.Barrier(THREADS)

    def begin_together(number: int) -> T:
        start.wait()
        return work(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(begin_together, range(THREADS)))


def settle(wait: Callable[[float], None]) -> None:
    """Wait until nothing that has happened before is told any more."""
    while seconds(lambda: wait(0.04)) < 0.03:
        pass


def seconds(work: Callable[[], object]) -> float:
    begun = time.monotonic()
    work()
    return time.monotonic() - begun
