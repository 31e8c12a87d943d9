"""The life of a delivery with a journal: whatever happens to it, in whatever order.

Processes send, work, die, lose the journal, come back late and are told what to do, while
providers answer as they like, but truly. What a delivery says of itself is held against what the
providers really have; ``truth`` says what must hold.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any, TypeAlias

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from notify_core.config.model import IfUnknown, LegConfig, Mode, Route, Via, When
from notify_core.delivery import Stage
from notify_core.errors import JournalError, ProviderError
from notify_core.journal.model import Entry, delivery_of
from notify_core.message import Sms
from notify_core.outcome import Accepted, Outcome
from notify_core.progress import Wish
from tests.truth import Observer, assert_over, assert_true, assert_written, attempts_of, taken_of
from tests.worlds import ANSWERS, Call, Crash, Fate, Fault, Happening, Process, Question, World

PROVIDERS = {"a": (1.0, 2.0), "b": (5.0,), "c": ()}
"""The providers, and when each is asked about what is in doubt; ``c`` cannot be."""


def leg(*providers: str, channel: str | None = None) -> LegConfig:
    return LegConfig(via=Via(providers=providers), channel=channel)


def route(name: str, *legs: LegConfig, **more: Any) -> Route:
    return Route(name=name, when=When(tags=(name,)), legs=legs, **more)


ROUTES = (
    route("two-legs", leg("a", "c"), leg("b", channel="flash")),
    route("every-leg", leg("a"), leg("b", "c", channel="flash"), mode=Mode.ALL_OF),
    route("held", leg("a", "b"), if_unknown=IfUnknown.HOLD),
    route("hurried", leg("b", "a"), deadline=timedelta(seconds=20)),
    Route(name="default", legs=(leg("a", "b", "c"),)),
)


def sms(tag: str = "default", recipients: int = 1) -> Sms:
    # Ids of the same millisecond sort by chance, and hypothesis wants to play everything again.
    time.sleep(0.001)
    return Sms(to=[f"+7999000000{n}" for n in range(recipients)], text="hi", tags=tag)


@contextmanager
def new_world(routes: Sequence[Route] = ROUTES, *, follows: bool = False) -> Iterator[World]:
    world = World(routes, PROVIDERS, follows=follows)
    world.observers.append(Observer(world).look)
    try:
        yield world
    finally:
        world.close()


# --- what can come between ------------------------------------------------------------------


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
class ComeBack:
    """A process that seemed to be dead tells what it has heard."""

    which: int = 0

    def happen(self, world: World) -> None:
        world.come_back(self.which)


@attrs.frozen
class Decide:
    """Somebody decides about the newest delivery."""

    number: int
    wanted: str

    def happen(self, world: World) -> None:
        newest = world.entries()[0]
        world.aside(self.number, partial(decide, wanted=self.wanted, delivery_id=newest.id))


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
comings_back = st.builds(ComeBack, st.integers(0, 3))
happenings = passes | st.builds(Decide, numbers, wishes) | comings_back
taken_over = numbers.map(lambda number: (Pass(70.0, number),))
meanwhile = st.just(()) | taken_over | st.lists(happenings, min_size=1, max_size=4).map(tuple)
rarely = st.sampled_from([False, False, False, True])


@st.composite
def calls(draw: st.DrawFn, late: st.SearchStrategy[bool]) -> Call:
    fate = draw(st.sampled_from(Fate))
    answer = draw(st.sampled_from(ANSWERS[fate]))
    return Call(fate, answer, draw(rarely), draw(late), draw(meanwhile))


questions = st.builds(Question, st.booleans(), rarely, meanwhile)
faults = st.none() | st.builds(Fault, st.integers(1, 8), st.booleans(), st.booleans())
route_numbers = st.integers(0, len(ROUTES) - 1)


# --- everything at once ---------------------------------------------------------------------


class Lives(RuleBasedStateMachine):
    """Two processes, three providers, and all that can come between them."""

    late: st.SearchStrategy[bool] = st.just(False)
    routes: Sequence[Route] = ROUTES
    follows = False

    def __init__(self) -> None:
        super().__init__()
        self._resources = ExitStack()
        self.world = self._resources.enter_context(new_world(self.routes, follows=self.follows))

    @initialize(number=numbers, which=route_numbers, script=st.data(), fault=faults)
    def send_one(self, number: int, which: int, script: Any, fault: Fault | None) -> None:
        self.send(number, which, script, fault)

    @rule(number=numbers, which=route_numbers, script=st.data(), fault=faults)
    def send(self, number: int, which: int, script: Any, fault: Fault | None) -> None:
        tag = self.routes[which].name
        before = {entry.id for entry in self.world.entries()}
        said = self._play(number, lambda process: process.send(sms(tag)), script, fault)
        if isinstance(said, JournalError):
            new = [entry for entry in self.world.entries() if entry.id not in before]
            self._assert_nothing_left(new, fault)
        elif not isinstance(said, Crash) and fault is None:
            (delivery,) = said
            assert delivery == delivery_of(self._loaded(delivery.id))

    @rule(number=numbers, which=route_numbers, fault=faults)
    def enqueue(self, number: int, which: int, fault: Fault | None) -> None:
        tag = self.routes[which].name
        self.world.play(number, lambda process: process.enqueue(sms(tag)), fault=fault)

    @rule(number=numbers, script=st.data(), fault=faults)
    def work(self, number: int, script: Any, fault: Fault | None) -> None:
        self._play(number, lambda process: process.worker().work_off(), script, fault)

    @rule(number=numbers, wanted=wishes, which=st.integers(0, 3), script=st.data(), fault=faults)
    def decide(
        self, number: int, wanted: str, which: int, script: Any, fault: Fault | None
    ) -> None:
        if entries := self.world.entries():
            delivery_id = entries[which % len(entries)].id
            act = partial(decide, wanted=wanted, delivery_id=delivery_id)
            self._play(number, act, script, fault)

    @rule(happening=passes | comings_back)
    def let_happen(self, happening: Happening) -> None:
        happening.happen(self.world)

    @rule(number=numbers, provider=st.sampled_from([*PROVIDERS]))
    def resume(self, number: int, provider: str) -> None:
        if provider in self.world.processes[number].providers:
            self.world.play(number, lambda process: process.resume(provider))

    @invariant()
    def nothing_forbidden_has_happened(self) -> None:
        assert not self.world.problems, self.world.problems[0]

    @invariant()
    def what_has_ended_is_true(self) -> None:
        for entry in self.world.entries():
            if entry.stage is Stage.ENDED:
                assert_true(self.world, delivery_of(entry))

    def teardown(self) -> None:
        with self._resources:
            come_to_an_end(self.world)

    def _play(self, number: int, act: Any, script: Any, fault: Fault | None) -> Any:
        planned = script.draw(st.lists(calls(self.late), min_size=1, max_size=4), label="calls")
        asked = script.draw(st.lists(questions, max_size=4), label="questions")
        said = self.world.play(number, act, planned, asked, fault)
        if fault is None:
            assert_written(self.world)
        return said

    def _loaded(self, delivery_id: str) -> Entry:
        entry = self.world.journal.load(delivery_id)
        assert entry is not None
        return entry

    def _assert_nothing_left(self, new: Sequence[Entry], fault: Fault | None) -> None:
        """What ``send`` has raised for has not gone, and is not written by us to go later."""
        assert not any(taken_of(self.world, attempts_of(entry)) for entry in new)
        assert not new or (fault is not None and fault.after)


class LivesWithLateRequests(Lives):
    """As ``Lives``, and a request can be on its way for longer than anybody waits for it."""

    late = st.booleans()


def come_to_an_end(world: World) -> None:
    """Let each delivery end, or be held; release what somebody holds, and once more."""
    for _ in range(2):
        world.settle()
        assert not world.problems, world.problems[0]
        for entry in world.entries():
            assert_over(world, entry)
            if entry.wish is Wish.HOLD:
                world.play(0, partial(decide, wanted="release", delivery_id=entry.id))


QUICK = settings(
    max_examples=60,
    stateful_step_count=7,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def test_whatever_happens_no_message_goes_twice_none_is_lost_and_what_is_said_is_true() -> None:
    run_state_machine_as_test(Lives, settings=QUICK)


def test_a_request_that_arrives_late_surprises_nobody_before_its_lease_has_ended() -> None:
    run_state_machine_as_test(LivesWithLateRequests, settings=QUICK)


# --- every seam in turn ---------------------------------------------------------------------

ONE_CALL = [
    Call(),
    Call(Fate.TAKEN, ANSWERS[Fate.TAKEN][1]),
    Call(Fate.LOST, ANSWERS[Fate.LOST][0]),
]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("dies", [False, True], ids=["fails", "dies"])
@pytest.mark.parametrize("call", ONE_CALL, ids=["accepted", "taken", "lost"])
def test_at_whichever_use_the_journal_fails_or_the_process_dies_the_message_goes_once(
    call: Call, dies: bool, after: bool
) -> None:
    """Or never, and then the sender was told that nothing has left."""
    for at in count(1):
        with new_world() as world:
            said = world.play(
                0, lambda process: process.send(sms()), [call], fault=Fault(at, dies, after)
            )
            come_to_an_end(world)
            if world.entries():
                assert [type(delivery_of(each).outcome) for each in world.entries()] == [Accepted]
            else:
                assert isinstance(said, JournalError | Crash)
            if world.last_uses < at:
                return


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("dies", [False, True], ids=["fails", "dies"])
def test_at_whichever_use_of_the_journal_a_worker_fails_or_dies_another_goes_on(
    dies: bool, after: bool
) -> None:
    for at in count(1):
        with new_world() as world:
            world.play(1, lambda process: process.enqueue(sms()))
            world.play(0, lambda process: process.worker().work_off(), fault=Fault(at, dies, after))
            come_to_an_end(world)
            assert [type(delivery_of(each).outcome) for each in world.entries()] == [Accepted]
            if world.last_uses < at:
                return


@pytest.mark.parametrize("wish", ["hold", "cancel"])
def test_a_wish_that_comes_during_the_call_cuts_no_pause_before_a_question_short(wish: str) -> None:
    """A provider that is asked at once may not know yet what it has taken."""
    with new_world() as world:
        lost = Call(Fate.TAKEN, ANSWERS[Fate.TAKEN][1], meanwhile=(Decide(1, wish),))
        world.play(0, lambda process: process.send(sms("hurried")), [lost])

        (entry,) = world.entries()
        assert entry.due_at == world.clock.now() + timedelta(seconds=5)
        come_to_an_end(world)


# --- the order of what is independent -------------------------------------------------------

Ending: TypeAlias = tuple[type[Outcome], Stage, int]


def ending(fate: Fate, answer: Outcome | None, order: Sequence[str]) -> Ending:
    """Return how a delivery ends whose sender was thought dead, if these things happen to it."""
    with new_world() as world:
        world.play(0, lambda process: process.send(sms()), [Call(fate, answer, dies=True)])
        Pass(60.0, 1).happen(world)
        can_happen: dict[str, Happening] = {
            "come back": ComeBack(),
            "ask": Pass(10.0, 1),
            **{wanted: Decide(0, wanted) for wanted in ("hold", "cancel", "fetch")},
        }
        for event in order:
            can_happen[event].happen(world)
        come_to_an_end(world)
        delivery = delivery_of(world.entries()[0])
        return type(delivery.outcome), delivery.stage, taken_of(world, delivery.attempts).total()


fates_and_answers = st.sampled_from(
    [
        (fate, answer)
        for fate, answers in ANSWERS.items()
        for answer in answers
        if not isinstance(answer, Exception)
    ]
)


@settings(max_examples=60, deadline=None)
@given(fates_and_answers, st.sampled_from(["hold", "cancel"]), st.data())
def test_how_a_delivery_ends_does_not_hang_on_the_order_of_what_is_independent(
    said: tuple[Fate, Outcome | None], wish: str, script: Any
) -> None:
    """A late answer, even told twice, what asking finds out, and what somebody wants of it.

    What was never there may be sent again once it was asked about; then what comes later finds
    something else.
    """
    fate, answer = said
    asking = [] if fate is Fate.LOST else ["ask"]
    events = ["come back", "come back", "fetch", wish, *asking]
    order = script.draw(st.permutations(events), label="order")

    assert ending(fate, answer, order) == ending(fate, answer, events)
