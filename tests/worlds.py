"""Processes that share one journal, and providers that know what really reached them.

A process is a real ``Notifier``. It dies, or loses the journal, at the use of the journal that a
``Fault`` names, before or after it; a provider answers each call as a ``Call`` says, and while it
is being called other things can happen. Everything is played in one thread, so that hypothesis can
play it again.
"""

from __future__ import annotations

import contextlib
import enum
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Protocol

import attrs

from notify_core.callback import StatusEvent, Trust
from notify_core.config.model import Config, JournalConfig, ProviderConfig, Retry, Route
from notify_core.delivery import Attempt
from notify_core.errors import JournalError, MessageError
from notify_core.hookspecs import hookimpl
from notify_core.journal.database import Watch
from notify_core.journal.enlist import Dialect, Executor
from notify_core.journal.model import Entry, Filter
from notify_core.journal.seal import Unsealed
from notify_core.journal.sql import SqlJournal
from notify_core.journal.sqlite import SqliteDatabase
from notify_core.journal.tracks import Tracks
from notify_core.keeping import Kept, Leases, with_answers_of
from notify_core.message import MESSAGE_TYPES, Message, Priority
from notify_core.notifier import Notifier
from notify_core.outcome import (
    FailureScope,
    NotSent,
    Outcome,
    Receipt,
    RefusalScope,
    Refused,
    State,
    Status,
    Unknown,
    advanced,
)
from notify_core.plugins import Plugins
from notify_core.progress import attempt_answered
from notify_core.provider import Capabilities, ProviderType, ReceiptKind
from notify_core.secret import Secret
from notify_core.testing import ManualClock, accepted

LEASE = timedelta(seconds=60)
_MANY = 300
TYPES: Mapping[str, type[Message]] = {each.channel: each for each in MESSAGE_TYPES}


class Crash(BaseException):
    """The process dies here."""


# --- the journal ----------------------------------------------------------------------------


@attrs.frozen
class Fault:
    """What befalls a process at the ``at``-th use of its journal from now on.

    It ``dies``, or is told that the journal has failed: before the journal has done what it was
    to do, or ``after`` that.
    """

    at: int
    dies: bool
    after: bool


class OwnConnection:
    """A process's way to the shared database; whoever is dead does not come through."""

    dialect = Dialect.SQLITE

    def __init__(self, database: SqliteDatabase, written: Callable[[], None]) -> None:
        self.fault: Fault | None = None
        self.uses = 0
        self.is_dead = False
        self._database = database
        self._written = written

    def befall(self, fault: Fault | None) -> None:
        self.fault, self.uses = fault, 0

    def write(self, work: Callable[[Executor], Any]) -> Any:
        with self._use():
            result = self._database.write(work)
            self._written()
            return result

    def read(self, work: Callable[[Executor], Any]) -> Any:
        with self._use():
            return self._database.read(work)

    def watch(self) -> Watch:
        return self._database.watch()

    def wake(self) -> None:
        self._database.wake()

    def check(self) -> list[str]:
        return self._database.check()

    def close(self) -> None:
        """The database is everybody's."""

    def die(self) -> None:
        self.is_dead = True
        raise Crash

    @contextlib.contextmanager
    def _use(self) -> Iterator[None]:
        if self.is_dead:
            raise Crash
        self.uses += 1
        fault = self.fault if self.fault and self.uses == self.fault.at else None
        if fault and not fault.after:
            self._fail(fault)
        yield
        if fault:
            self._fail(fault)

    def _fail(self, fault: Fault) -> None:
        if fault.dies:
            self.die()
        raise JournalError("the journal is out of reach")


# --- the providers --------------------------------------------------------------------------


class Fate(enum.Enum):
    """What becomes of a request."""

    TAKEN = "taken"
    """The provider has the message and sends it on."""
    FAILED = "failed"
    """The provider has the message, and it has failed for good."""
    LOST = "lost"
    """The provider has never heard of it."""


LOST_ANSWER = Unknown("the answer was lost")
SENT = Status(state=State.SENT)
REJECTED = Status(state=State.REJECTED, final=True)

ANSWERS: Mapping[Fate, Sequence[Outcome | Exception | None]] = {
    Fate.TAKEN: [None, LOST_ANSWER, RuntimeError("it failed afterwards")],
    Fate.FAILED: [LOST_ANSWER, Refused("undeliverable", RefusalScope.RECIPIENT)],
    Fate.LOST: [
        LOST_ANSWER,
        RuntimeError("it failed before"),
        MessageError("it cannot be said"),
        *(Refused("no", scope) for scope in RefusalScope),
        *(NotSent("no", scope) for scope in FailureScope),
        NotSent("in a while", FailureScope.THROTTLED, retry_after_s=7.0),
        NotSent("in an hour", FailureScope.PROVIDER, retry_after_s=3600.0),
        NotSent("no money until then", FailureScope.ACCOUNT, retry_after_s=90.0),
    ],
}
"""All that a provider may truly say of a request with such a fate; None is an acceptance."""


class Happening(Protocol):
    """Something that comes between."""

    def happen(self, world: World) -> None:
        """Let it come."""


@attrs.frozen
class Call:
    """How a provider is called: what becomes of the request, and what the caller hears.

    ``meanwhile`` happens after the request has arrived and before the caller hears of it; if it is
    ``late``, before it arrives. A caller that ``dies`` hears nothing.
    """

    fate: Fate = Fate.TAKEN
    answer: Outcome | Exception | None = None
    dies: bool = False
    late: bool = False
    meanwhile: tuple[Happening, ...] = ()


@attrs.frozen
class Question:
    """How a question to a provider goes: it ``answers`` what is true, or not at all."""

    answers: bool = True
    dies: bool = False
    meanwhile: tuple[Happening, ...] = ()


class Books:
    """What a provider knows: what it has taken, and what has failed, by our own ids.

    ``became`` is all that a message that was taken has come through since, the last at the end.

    ``absences`` counts how often it has said *not found* although the lease of somebody who was
    calling it had not ended, or (``excused``) since it had.
    """

    def __init__(self, name: str, ask_after_s: tuple[float, ...]) -> None:
        self.name = name
        self.ask_after_s = ask_after_s
        self.taken: Counter[str] = Counter()
        self.failed: set[str] = set()
        self.became: dict[str, list[Status]] = {}
        self.asked: Counter[str] = Counter()
        self.absences: list[tuple[str, float]] = []

    def enter(self, own_id: str, fate: Fate) -> None:
        if fate is Fate.TAKEN:
            self.taken[own_id] += 1
        if fate is Fate.FAILED:
            self.failed.add(own_id)

    def move_on(self, own_id: str, status: Status) -> None:
        """Let a message come further, if it can from where it is."""
        known = self.history(own_id)
        if known and advanced(known[-1], status) != known[-1]:
            self.became[own_id] = [*known, status]

    def history(self, own_id: str) -> Sequence[Status]:
        """Return all that can truly be told of a message; nothing of one that is not known."""
        if self.taken[own_id]:
            return self.became.get(own_id, [SENT])
        return [REJECTED] if own_id in self.failed else []

    def status(self, own_id: str, now: float) -> Status:
        """Say what is true."""
        self.asked[own_id] += 1
        if known := self.history(own_id):
            return known[-1]
        self.absences.append((own_id, now))
        return Status(state=State.NOT_FOUND)

    def was_absent_for_good(self, own_id: str, since: float) -> bool:
        """Whether it has said *not found* to a whole schedule of questions since then."""
        said = [at for absent, at in self.absences if absent == own_id and at >= since]
        return len(said) >= len(self.ask_after_s) > 0


_POLL_AFTER_S = (4.0, 20.0, 600.0)
_FOLLOWED: Mapping[str, Any] = {
    "receipts": frozenset(ReceiptKind),
    "poll_after_s": _POLL_AFTER_S,
    "poll_batch": 10,
}


class Door:
    """The provider plugin of one process."""

    def __init__(self, world: World, books: Books, connection: OwnConnection) -> None:
        self.capabilities = Capabilities(
            channels=frozenset(TYPES),
            own_id=True,
            ask_after_s=books.ask_after_s,
            attachments=True,
            **(_FOLLOWED if world.follows else {}),
        )
        self._world = world
        self._books = books
        self._connection = connection

    @hookimpl
    def notify_send(self, attempt: Attempt) -> Outcome:
        self._world.called(attempt)
        call = self._world.next_call()
        began = self._world.clock.monotonic()
        if not call.late:
            self._books.enter(attempt.own_id, call.fate)
        self._let_happen(call.meanwhile)
        if call.late:
            self._world.arrived_late(self._books, attempt, began)
            self._books.enter(attempt.own_id, call.fate)
        if call.dies:
            self._world.freeze(attempt, call.answer or accepted(attempt))
        self._end(dies=call.dies)
        self._world.heard.append(attempt)
        if isinstance(call.answer, Exception):
            raise call.answer
        return call.answer or accepted(attempt)

    @hookimpl
    def notify_fetch_status(self, receipts: Sequence[Receipt]) -> Sequence[Status] | None:
        question = self._world.next_question()
        now = self._world.clock.monotonic()
        said = [self._books.status(receipt.own_id or "", now) for receipt in receipts]
        self._let_happen(question.meanwhile)
        self._end(dies=question.dies)
        return said if question.answers else None

    def close(self) -> None:
        """Nothing is to be let go."""

    def _let_happen(self, meanwhile: Sequence[Happening]) -> None:
        for happening in meanwhile:
            self._world.let_happen(happening)

    def _end(self, *, dies: bool) -> None:
        if dies or self._connection.is_dead:
            self._connection.die()


class _DoorType:
    """Bring the type ``door``, whose settings are the provider itself."""

    @hookimpl
    def notify_provider_types(self) -> Sequence[ProviderType]:
        return [
            ProviderType(
                name="door",
                config_class=Door,
                capabilities=lambda door: door.capabilities,
                factory=lambda door, _tools: door,
            )
        ]


# --- the processes --------------------------------------------------------------------------


class Process(Notifier):
    """A notifier that reaches the shared journal by a connection of its own."""

    def __init__(self, config: Config, connection: OwnConnection, clock: ManualClock) -> None:
        self.connection = connection
        plugins = Plugins()
        plugins.register(_DoorType(), "door")
        super().__init__(config, plugins=plugins, clock=clock, chance=lambda: 0.5)

    def be_told(self, provider: str, event: StatusEvent) -> bool:
        """Take in what a provider tells of its own accord; False if nobody knows of it yet."""
        return self._versions.live.tracker.take(provider, event)

    def _opened(self, config: Config, types: Mapping[str, type[Message]]) -> Kept:
        assert config.journal is not None
        journal = SqlJournal(self.connection, types, Unsealed(), self._clock)
        return Kept(journal, Leases(journal, self._clock, config.journal.lease), config.journal)


class World:
    """A journal, providers, and two processes that use them.

    If it ``follows`` what becomes of messages, providers are asked and call, see ``tell``.

    ``heard`` are the attempts whose answer somebody who is alive has heard during the last play,
    ``last_uses`` how often its process has used the journal. ``surprised`` are the deliveries of
    which a request arrived after everybody had a right to think it lost.
    """

    def __init__(
        self,
        routes: Sequence[Route],
        providers: Mapping[str, tuple[float, ...]],
        *,
        follows: bool = False,
    ) -> None:
        self.clock = ManualClock()
        self.follows = follows
        self.books = {name: Books(name, schedule) for name, schedule in providers.items()}
        self.problems: list[str] = []
        self.surprised: set[str] = set()
        self.heard: list[Attempt] = []
        self.last_uses = 0
        self.observers: list[Callable[[], None]] = []
        self._database = SqliteDatabase(":memory:")
        self.journal = SqlJournal(self._database, TYPES, Unsealed(), self.clock)
        first_poll_s = dict.fromkeys(providers, _POLL_AFTER_S[0]) if follows else {}
        tracks = Tracks(self._database, first_poll_s, timedelta(days=2), self.clock)
        self.journal.accompany(tracks.note)
        self._routes = tuple(routes)
        self._gone: frozenset[str] = frozenset()
        self._calls: list[Call] = []
        self._questions: list[Question] = []
        self._called: dict[str, Entry] = {}
        self._frozen: list[Entry] = []
        self._depth = 0
        self.processes = [self._started(), self._started()]

    # --- what happens ---------------------------------------------------------------------

    def play(
        self,
        number: int,
        act: Callable[[Process], Any],
        calls: Sequence[Call] = (),
        questions: Sequence[Question] = (),
        fault: Fault | None = None,
    ) -> Any:
        """Let a process do something; return what it says, or how it has failed.

        What is not scripted by ``calls`` and ``questions`` goes well.
        """
        self._calls, self._questions, self.heard = list(calls), list(questions), []
        self.processes[number].connection.befall(fault)
        try:
            return self._acted(number, act)
        finally:
            self._calls, self._questions = [], []
            self.last_uses = self.processes[number].connection.uses
            self._restart_the_dead()
            self.processes[number].connection.befall(None)

    def tell(self, number: int, own_id: str, status: Status, fault: Fault | None = None) -> Any:
        """Let the provider of a message tell a process of it, and prove it."""
        provider = next(name for name, books in self.books.items() if books.history(own_id))
        event = StatusEvent(address="", own_id=own_id, status=status, trust=Trust.PROVEN)
        return self.play(number, lambda process: process.be_told(provider, event), fault=fault)

    def reload(self, routes: Sequence[Route], gone: Collection[str] = ()) -> None:
        """Start both processes anew with other routes, and without some providers."""
        self._routes, self._gone = tuple(routes), frozenset(gone)
        for process in self.processes:
            process.connection.is_dead = True
        self._restart_the_dead()

    def let_happen(self, happening: Happening) -> None:
        """Let something happen while a provider is being called, but not within such a thing."""
        if self._depth:
            return
        self._depth += 1
        try:
            happening.happen(self)
        finally:
            self._depth -= 1

    def aside(self, number: int, act: Callable[[Process], Any]) -> None:
        """Let a process do something while another one is at it."""
        self._acted(number, act)

    def next_call(self) -> Call:
        return self._calls.pop(0) if self._calls else Call()

    def next_question(self) -> Question:
        return self._questions.pop(0) if self._questions else Question()

    def freeze(self, attempt: Attempt, answer: Outcome | Exception) -> None:
        """Remember what a process has heard that seems to be dead, and may only be very slow."""
        heard = LOST_ANSWER if isinstance(answer, Exception) else answer
        known = self._called[attempt.id]
        progress = attempt_answered(known.progress, heard, self.clock.now())
        self._frozen.append(attrs.evolve(known, progress=progress))

    def come_back(self, which: int) -> None:
        """Let one of those who seemed to be dead tell the journal what it has heard."""
        if self._frozen:
            told = self._frozen[which % len(self._frozen)]
            now = self.clock.now()
            if self.journal.write(attrs.evolve(told, owner=None, due_at=now)) is None:
                self.journal.amend(told.id, lambda known: with_answers_of(known, told, now))
            self._written()

    def carry_on_until(self, end: float, number: int) -> None:
        """Let the time pass, and a process carry on what becomes due before that moment."""
        for _ in range(_MANY):
            said = self._acted(number, lambda process: process.worker().work_off())
            due_in = self._due_in()
            failed = isinstance(said, BaseException)
            if failed or due_in is None or self.clock.monotonic() + due_in > end:
                return
            self.clock.advance(due_in)
        self.problems.append("something is due again and again")

    def settle(self) -> None:
        """Let the time pass, and a process carry on what is due, until nothing is under way.

        Whatever a provider was stopped for is mended.
        """
        for _ in range(_MANY):
            for name in self.processes[0].providers:
                self.processes[0].resume(name)
            self.processes[0].worker().work_off()
            due_in = self._due_in()
            if due_in is None:
                return
            self.clock.advance(due_in)
        self.problems.append("something is under way for ever")

    def close(self) -> None:
        for process in self.processes:
            process.close()
        self._database.close()

    def entries(self) -> Sequence[Entry]:
        """Return every delivery as the journal has it, the newest first."""
        return self.journal.search(Filter(limit=100))

    # --- what is seen ---------------------------------------------------------------------

    def called(self, attempt: Attempt) -> None:
        """Hold a call against the journal: the attempt must be open there, and leased."""
        entry = self.journal.load(attempt.delivery_id)
        if entry is None or not entry.progress.attempts:
            self.problems.append(f"{attempt.id} is not in the journal when the provider is called")
            return
        known = entry.progress.attempts[-1]
        if (known.id, known.answer) != (attempt.id, None):
            self.problems.append(f"{attempt.id} is not the open attempt when it is made")
        if entry.owner is None or entry.due_at is None or entry.due_at <= self.clock.now():
            self.problems.append(f"{attempt.id} is not leased when it is made")
        self._called[attempt.id] = entry

    def arrived_late(self, books: Books, attempt: Attempt, began: float) -> None:
        """Excuse what follows if nobody could know that this request was still on its way.

        While the lease of whoever makes it lasts, everybody has to wait for its end.
        """
        if books.was_absent_for_good(attempt.own_id, began + LEASE.total_seconds()):
            self.surprised.add(attempt.delivery_id)

    def _acted(self, number: int, act: Callable[[Process], Any]) -> Any:
        try:
            return act(self.processes[number])
        except (Crash, JournalError) as error:
            return error

    def _due_in(self) -> float | None:
        due_at = self.journal.next_due(tuple(Priority))
        return None if due_at is None else max((due_at - self.clock.now()).total_seconds(), 0.0)

    def _restart_the_dead(self) -> None:
        for number, process in enumerate(self.processes):
            if process.connection.is_dead:
                process.close()
                self.processes[number] = self._started()

    def _started(self) -> Process:
        connection = OwnConnection(self._database, self._written)
        doors = {
            name: Door(self, books, connection)
            for name, books in self.books.items()
            if name not in self._gone
        }
        config = Config(
            providers=tuple(
                ProviderConfig(name=name, type="door", settings=door)
                for name, door in doors.items()
            ),
            routes=self._routes,
            retry=Retry(),
            journal=JournalConfig(url=Secret("memory:"), lease=LEASE),
        )
        return Process(config, connection, self.clock)

    def _written(self) -> None:
        for observe in self.observers:
            observe()
