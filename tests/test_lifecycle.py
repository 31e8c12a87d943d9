"""The life of a delivery with a journal: whatever happens to it, in whatever order.

Hypothesis lets processes send, work, die, lose the journal, come back late and be told what to do,
while providers answer as they like, but truly. What a delivery says of itself is held against what
the providers really have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import attrs
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from notify_core.config.model import IfUnknown, LegConfig, Mode, Route, Via, When
from notify_core.delivery import Attempt, Delivery, LegResult, Stage
from notify_core.errors import ProviderError
from notify_core.journal.model import Entry, Filter, delivery_of
from notify_core.message import Sms
from notify_core.outcome import Accepted, NotSent, Refused, Unknown
from notify_core.progress import Wish
from tests.processes import (
    ANSWERS,
    Call,
    Crash,
    Fate,
    Fault,
    Process,
    Question,
    World,
)

PROVIDERS = {"a": (1.0, 2.0), "b": (5.0,), "c": ()}
ROUNDS = 3


def leg(*providers: str, channel: str | None = None) -> LegConfig:
    return LegConfig(via=Via(providers=providers), channel=channel)


ROUTES = (
    Route(
        name="two-legs",
        when=When(tags=("two-legs",)),
        legs=(leg("a", "c"), leg("b", channel="flash")),
    ),
    Route(
        name="every-leg",
        when=When(tags=("every-leg",)),
        legs=(leg("a"), leg("b", "c", channel="flash")),
        mode=Mode.ALL_OF,
    ),
    Route(
        name="held",
        when=When(tags=("held",)),
        legs=(leg("a", "b"),),
        if_unknown=IfUnknown.HOLD,
    ),
    Route(
        name="hurried",
        when=When(tags=("hurried",)),
        legs=(leg("b", "a"),),
        deadline=timedelta(seconds=20),
    ),
    Route(name="default", legs=(leg("a", "b", "c"),)),
)


# --- what can happen ------------------------------------------------------------------------


@attrs.frozen
class Pass:
    """So many seconds pass, and a process, if there is one, carries on what becomes due."""

    seconds: float
    number: int | None = None

    def happen(self, world: World) -> None:
        end = world.clock.monotonic() + self.seconds
        if self.number is not None:
            world.carry_on_until(end, self.number)
        world.clock.advance(max(end - world.clock.monotonic(), 0.0))


@attrs.frozen
class Decide:
    """Somebody decides about the newest delivery."""

    number: int
    wanted: str

    def happen(self, world: World) -> None:
        (newest,) = world.journal.search(Filter(limit=1))
        world.aside(self.number, lambda process: decide(process, self.wanted, newest.id))


def decide(process: Process, wanted: str, delivery_id: str) -> object:
    match wanted:
        case "hold":
            return process.hold(delivery_id)
        case "cancel":
            return process.cancel(delivery_id)
        case "release":
            return process.release(delivery_id)
        case _:
            return fetch(process, delivery_id)


def fetch(process: Process, delivery_id: str) -> object:
    try:
        return process.fetch_status(process.get(delivery_id))
    except ProviderError as error:
        return error


numbers = st.integers(0, 1)
wishes = st.sampled_from(["hold", "cancel", "release", "fetch"])
pauses = st.sampled_from([0.5, 1.0, 5.0, 30.0, 61.0, 70.0, 3700.0])
passes = st.builds(Pass, pauses, st.none() | numbers)
happenings = passes | st.builds(Decide, numbers, wishes)
meanwhile = st.just(()) | st.lists(happenings, min_size=1, max_size=3).map(tuple)


@st.composite
def calls(draw: st.DrawFn, late: st.SearchStrategy[bool]) -> Call:
    fate = draw(st.sampled_from(Fate))
    answer = draw(st.sampled_from(ANSWERS[fate]))
    rarely = st.sampled_from([False, False, False, True])
    return Call(fate, answer, draw(rarely), draw(late), draw(meanwhile))


questions = st.builds(
    Question,
    st.booleans(),
    st.sampled_from([False, False, False, True]),
    meanwhile,
)
faults = st.none() | st.builds(Fault, st.integers(1, 8), st.booleans(), st.booleans())


# --- what must hold -------------------------------------------------------------------------


@attrs.define
class Observer:
    """Looks at the journal after each transaction, and notes what may not have happened."""

    world: World
    known: dict[str, Entry] = attrs.field(factory=dict)

    def look(self) -> None:
        now = self.world.clock.now()
        for entry in self.world.journal.search(Filter(limit=100)):
            before = self.known.get(entry.id)
            problems = [*_wrong_in(entry), *(_wrong_since(before, entry, now) if before else ())]
            self.world.problems += [f"{each}: {_brief(entry)}" for each in problems]
            self.known[entry.id] = entry


def _brief(entry: Entry) -> str:
    return f"{entry.stage}, {entry.wish}, lease {entry.lease}, {delivery_of(entry)}"


def _wrong_in(entry: Entry) -> list[str]:
    under_way = entry.stage is Stage.UNDER_WAY
    checks = {
        "what is under way is due some time, and nothing else": under_way == bool(entry.due_at),
        "nobody has what is over": under_way or entry.owner is None,
        "what has ended is over": entry.stage is not Stage.ENDED or entry.progress.ended,
        "no attempt follows one that is in doubt": all(map(_is_certain, _passed(entry))),
    }
    return [name for name, holds in checks.items() if not holds]


def _wrong_since(before: Entry, entry: Entry, now: datetime) -> list[str]:
    checks = {
        "leases only grow": entry.lease >= before.lease,
        "a new owner has a new lease": (
            entry.owner in (before.owner, None) or entry.lease > before.lease
        ),
        "what has ended stays so": before.stage is not Stage.ENDED or entry.stage is Stage.ENDED,
        "no attempt is forgotten": _ids(before) == _ids(entry)[: len(_ids(before))],
        "no answer is forgotten": all(
            map(_is_kept, _attempts(before), _attempts(entry)[: len(_ids(before))])
        ),
        "a cancellation is never taken back": (
            before.wish is not Wish.CANCEL or entry.wish is Wish.CANCEL
        ),
        "nothing begins against a wish": before.wish is None or _ids(before) == _ids(entry),
        "no absence is certain before its time": not [
            attempt.id
            for known, attempt in zip(_attempts(before), _attempts(entry), strict=False)
            if not _is_certain(known) and _is_absent_too_soon(attempt, now)
        ],
    }
    return [name for name, holds in checks.items() if not holds]


def _attempts(entry: Entry) -> Sequence[Attempt]:
    return delivery_of(entry).attempts


def _ids(entry: Entry) -> list[str]:
    return [attempt.id for attempt in _attempts(entry)]


def _passed(entry: Entry) -> list[Attempt]:
    """All attempts but the last of each leg, and of ``first_of`` but the last of all."""
    if not entry.plan.all_of:
        return list(_attempts(entry)[:-1])
    return [each for leg in delivery_of(entry).legs for each in leg.attempts[:-1]]


def _is_certain(attempt: Attempt) -> bool:
    return isinstance(attempt.outcome, Accepted | Refused | NotSent)


def _is_kept(before: Attempt, after: Attempt) -> bool:
    return before.answer is None or before.answer == after.answer


def _is_absent_too_soon(attempt: Attempt, now: datetime) -> bool:
    """Whether it is said not to have left before the schedule of questions can be over."""
    if not isinstance(attempt.resolved, NotSent):
        return False
    schedule = timedelta(seconds=sum(PROVIDERS[attempt.provider]))
    return now < attempt.started_at + schedule


def taken_on(world: World, attempts: Sequence[Attempt]) -> Counter[tuple[str, str]]:
    """Return how often the providers of these attempts have taken the message, by our own ids."""
    asked = {(attempt.provider, attempt.own_id) for attempt in attempts}
    taken = {each: world.books[each[0]].taken[each[1]] for each in asked}
    return Counter({each: times for each, times in taken.items() if times})


def assert_true(world: World, delivery: Delivery) -> None:
    """Hold what a delivery says of itself against what the providers have.

    A request that was thought lost and turns up after all can come a second time, but only to the
    provider that knows it by the same id.
    """
    surprised = delivery.id in world.surprised
    for result in delivery.legs if delivery.all_of else [_as_one(delivery)]:
        taken = taken_on(world, result.attempts)
        assert len(taken) <= 1, f"sent by two ways: {taken}: {delivery}"
        assert surprised or taken.total() in _TRUE_OF[type(result.outcome)], f"{taken}: {result}"


_TRUE_OF = {Accepted: [1], Refused: [0], NotSent: [0], Unknown: [0, 1]}
"""How often a message can have been taken of which this is said."""


def _as_one(delivery: Delivery) -> LegResult:
    return LegResult(channel="any", outcome=delivery.outcome, attempts=delivery.attempts)


class Lives(RuleBasedStateMachine):
    """Two processes, three providers, and all that can come between them."""

    late: st.SearchStrategy[bool] = st.just(False)

    def __init__(self) -> None:
        super().__init__()
        self.world = World(ROUTES, PROVIDERS)
        self.world.observers.append(Observer(self.world).look)

    @rule(
        number=numbers,
        route=st.sampled_from([route.name for route in ROUTES]),
        script=st.data(),
        fault=faults,
    )
    def send(self, number: int, route: str, script: Any, fault: Fault | None) -> None:
        before = self._ids()
        said = self._play(
            number,
            lambda process: process.send(Sms(to="+79990000001", text="hi", tags=route)),
            script,
            fault,
        )
        if isinstance(said, Exception):
            self._assert_nothing_left(before)
        elif not isinstance(said, Crash) and fault is None:
            self._assert_said_as_written(said.deliveries[0])

    @rule(number=numbers, route=st.sampled_from([route.name for route in ROUTES]), fault=faults)
    def enqueue(self, number: int, route: str, fault: Fault | None) -> None:
        message = Sms(to="+79990000001", text="hi", tags=route)
        self.world.play(number, lambda process: process.enqueue(message), fault=fault)

    @rule(number=numbers, script=st.data(), fault=faults)
    def work(self, number: int, script: Any, fault: Fault | None) -> None:
        self._play(number, lambda process: process.worker().work_off(), script, fault)

    @rule(number=numbers, wanted=wishes, which=st.integers(0, 3), script=st.data(), fault=faults)
    def decide(
        self, number: int, wanted: str, which: int, script: Any, fault: Fault | None
    ) -> None:
        ids = self._ids()
        if ids:
            delivery_id = ids[which % len(ids)]
            self._play(number, lambda process: decide(process, wanted, delivery_id), script, fault)

    @rule(time=passes)
    def wait(self, time: Pass) -> None:
        time.happen(self.world)

    @rule(number=numbers, provider=st.sampled_from([*PROVIDERS]))
    def resume(self, number: int, provider: str) -> None:
        self.world.play(number, lambda process: process.resume(provider))

    @invariant()
    def nothing_forbidden_has_happened(self) -> None:
        assert not self.world.problems, self.world.problems[0]

    @invariant()
    def what_is_over_is_true(self) -> None:
        for entry in self.world.journal.search(Filter(limit=100)):
            if entry.stage is Stage.ENDED:
                assert_true(self.world, delivery_of(entry))

    def teardown(self) -> None:
        try:
            self._come_to_an_end()
        finally:
            self.world.close()

    def _come_to_an_end(self) -> None:
        """Nothing is lost: each delivery ends, or is held, and says what is true."""
        for _ in range(2):
            self.world.settle()
            self.nothing_forbidden_has_happened()
            for entry in self.world.journal.search(Filter(limit=100)):
                self._assert_over(entry)
                if entry.wish is Wish.HOLD:
                    self.world.play(0, partial(decide, wanted="release", delivery_id=entry.id))

    def _assert_over(self, entry: Entry) -> None:
        delivery = delivery_of(entry)
        assert not delivery.under_way
        assert_true(self.world, delivery)
        if isinstance(delivery.outcome, Unknown):
            assert delivery.held == (entry.wish is not Wish.CANCEL)
        if entry.wish is Wish.CANCEL:
            assert entry.stage is Stage.ENDED, f"cancelled, and not over: {entry}"

    def _play(self, number: int, act: Any, script: Any, fault: Fault | None) -> Any:
        planned = script.draw(st.lists(calls(self.late), max_size=4), label="calls")
        asked = script.draw(st.lists(questions, max_size=3), label="questions")
        said = self.world.play(number, act, planned, asked, fault)
        if fault is None:
            self._assert_written()
        return said

    def _assert_written(self) -> None:
        """What anybody who is alive has heard is in the journal, in time or late."""
        for heard in self.world.heard:
            entry = self.world.journal.load(heard.delivery_id)
            known = {each.id: each for each in _attempts(entry)} if entry else {}
            assert known[heard.id].answer is not None

    def _ids(self) -> list[str]:
        return [entry.id for entry in self.world.journal.search(Filter(limit=100))]

    def _assert_nothing_left(self, before: list[str]) -> None:
        """What ``send`` has raised for has not gone."""
        for delivery_id in {*self._ids()} - {*before}:
            entry = self.world.journal.load(delivery_id)
            assert entry is not None
            assert not taken_on(self.world, _attempts(entry))

    def _assert_said_as_written(self, said: Delivery) -> None:
        entry = self.world.journal.load(said.id)
        assert entry is not None
        written = delivery_of(entry)
        assert (written.outcome, written.stage) == (said.outcome, said.stage)
        assert written.attempts == said.attempts


class LivesWithLateRequests(Lives):
    """As ``Lives``, and a request can be on its way for longer than anybody waits for it."""

    late = st.booleans()


QUICK = settings(
    max_examples=60,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def test_whatever_happens_no_message_goes_twice_none_is_lost_and_what_is_said_is_true() -> None:
    run_state_machine_as_test(Lives, settings=QUICK)


def test_a_request_that_arrives_late_surprises_nobody_before_its_lease_has_ended() -> None:
    run_state_machine_as_test(LivesWithLateRequests, settings=QUICK)
