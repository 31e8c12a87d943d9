"""Legs that wait for a receipt: whatever happens, in whatever order, and however many wait.

The lives of ``test_lifecycle`` are played once more with routes that wait. Meanwhile messages
arrive, fail or are read, and providers tell of it: late, twice, in the wrong order, or when asked.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from notify_core.config.model import Because, IfUnknown, LegConfig, Route, Until
from notify_core.delivery import Attempt, Delivery, Stage
from notify_core.errors import JournalError
from notify_core.hookspecs import hookimpl
from notify_core.message import Message, Sms
from notify_core.notifier import Notifier
from notify_core.outcome import (
    Accepted,
    FailureScope,
    NotSent,
    Outcome,
    Receipt,
    State,
    Status,
    Unknown,
)
from notify_core.provider import Capabilities
from notify_core.testing import ManualClock, ScriptedProvider, accepted, notifier_with
from tests.followed import (
    FOLLOWED,
    NEVER_ASKED,
    CallingProvider,
    config,
    event,
    kept_at,
    leg,
    tell,
)
from tests.test_lifecycle import (
    QUICK,
    Lives,
    Pass,
    come_to_an_end,
    faults,
    new_world,
    numbers,
    route,
)
from tests.test_lifecycle import sms as message_to
from tests.worlds import Fault

SENT = Status(state=State.SENT)
DELIVERED = Status(state=State.DELIVERED, final=True)
READ = Status(state=State.READ, final=True)
UNDELIVERED = Status(state=State.UNDELIVERED, final=True)
REJECTED = Status(state=State.REJECTED, final=True)
EXPIRED = Status(state=State.EXPIRED, final=True)
ABSENT = Status(state=State.NOT_FOUND)
LOST = Unknown("the answer was lost")
DOWN = NotSent("out of reach", FailureScope.PROVIDER)

# --- everything at once ---------------------------------------------------------------------

WAITING_ROUTES = (
    route(
        "three-legs",
        leg("a", within_s=20),
        leg("b", "c", within_s=90, channel="flash"),
        leg("a", channel="call"),
    ),
    route(
        "bold",
        leg("c", within_s=15, if_unknown=IfUnknown.NEXT),
        leg("a", within_s=10, channel="flash", if_unknown=IfUnknown.NEXT),
        leg("b", channel="call"),
    ),
    route(
        "to-be-read",
        leg("a", "b", within_s=40, until=Until.READ),
        leg("b", within_s=40, channel="flash", distrust={"b": ("RU",)}),
        leg("c", channel="call"),
    ),
    route(
        "only-undelivered",
        leg("b", within_s=30, on=(Because.UNDELIVERED,), if_unknown=IfUnknown.HOLD),
        leg("a", channel="flash"),
    ),
    Route(name="default", legs=(leg("a", "c", within_s=60), leg("b", within_s=60, channel="call"))),
)
OTHER_ROUTES = (Route(name="default", legs=(leg("b", within_s=5), leg("c", channel="flash"))),)

pauses_on_the_way = st.sampled_from([0.0, 2.0, 21.0, 100.0])
fates = st.sampled_from([SENT, DELIVERED, READ, UNDELIVERED, REJECTED, EXPIRED])


class LivesThatWait(Lives):
    """As ``Lives``, and what becomes of messages is told."""

    routes = WAITING_ROUTES
    follows = True

    @rule(which=st.integers(0, 9), status=fates)
    def come_further(self, which: int, status: Status) -> None:
        if known := self._known():
            provider, own_id = known[which % len(known)]
            self.world.books[provider].move_on(own_id, status)

    @rule(number=numbers, which=st.integers(0, 9), status=fates, seconds=pauses_on_the_way)
    def come_further_and_tell(
        self, number: int, which: int, status: Status, seconds: float
    ) -> None:
        self.come_further(which, status)
        self.be_told(number, which, 0, None)
        Pass(seconds, number).happen(self.world)

    @rule(number=numbers, which=st.integers(0, 9), when=st.integers(0, 5), fault=faults)
    def be_told(self, number: int, which: int, when: int, fault: Fault | None) -> None:
        """Of the newest or of something that is old by now."""
        if known := self._known():
            provider, own_id = known[which % len(known)]
            history = self.world.books[provider].history(own_id)
            self.world.tell(number, own_id, history[-1 - when % len(history)], fault)

    @rule(is_other=st.booleans())
    def reload(self, is_other: bool) -> None:
        """Somebody changes the configuration: other routes, and a provider less."""
        if is_other:
            self.world.reload(OTHER_ROUTES, gone=["a"])
        else:
            self.world.reload(WAITING_ROUTES)

    def teardown(self) -> None:
        with self._resources:
            come_to_an_end(self.world)
            self._tell_all()
            come_to_an_end(self.world)
            for entry in self.world.entries():
                self._assert_told(self.world.processes[0].get(entry.id))

    def _known(self) -> Sequence[tuple[str, str]]:
        """Return what providers have, in an order that is the same each time."""
        legs = [
            f"{entry.id}-{number + 1}"
            for entry in self.world.entries()
            for number in range(len(entry.plan.legs))
        ]
        books = self.world.books.values()
        return [(each.name, own_id) for own_id in legs for each in books if each.history(own_id)]

    def _tell_all(self) -> None:
        for provider, own_id in self._known():
            for status in reversed(self.world.books[provider].history(own_id)):
                self.world.tell(1, own_id, status)

    def _assert_told(self, delivery: Delivery) -> None:
        """What is known of a message is the furthest that it has come."""
        for result in delivery.legs:
            for attempt in result.attempts:
                history = self.world.books[attempt.provider].history(attempt.own_id)
                if isinstance(attempt.outcome, Accepted):
                    assert result.status == history[-1]


def test_whatever_happens_one_leg_is_alive_at_a_time_and_none_begins_after_one_has_arrived() -> (
    None
):
    run_state_machine_as_test(LivesThatWait, settings=settings(QUICK, stateful_step_count=12))


def test_a_provider_hears_that_what_it_tells_could_not_be_written() -> None:
    """So it tells it again; the delivery is there, and nothing of it is known to be wrong."""
    with new_world(WAITING_ROUTES, follows=True) as world:
        world.play(0, lambda process: process.send(message_to("three-legs")))
        (entry,) = world.entries()

        said = [
            world.tell(0, f"{entry.id}-1", SENT, Fault(at=use, dies=False, after=False))
            for use in (1, 2)
        ]

        assert [type(each) for each in said] == [JournalError, JournalError]
        assert world.tell(0, f"{entry.id}-1", SENT) is True
        come_to_an_end(world)


# --- stories --------------------------------------------------------------------------------


def sms(to: str = "+79990000001", **more: Any) -> Sms:
    return Sms(to=to, text="hi", **more)


@attrs.define
class Scene:
    """A notifier on a journal of its own, its clock and its providers."""

    notifier: Notifier
    clock: ManualClock

    def send(self, message: Message | None = None) -> Delivery:
        (delivery,) = self.notifier.send(message or sms())
        return delivery

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.notifier.worker().work_off()

    def tell(self, delivery: Delivery, status: Status, number: int = 1, by: str = "a") -> None:
        tell(self.notifier, self.clock, event(delivery, status, leg=number), provider=by)

    def now(self, delivery: Delivery) -> Delivery:
        return self.notifier.get(delivery.id)


@contextmanager
def scene(*legs: LegConfig, **providers: ScriptedProvider) -> Iterator[Scene]:
    clock = ManualClock()
    made = config(*legs, **(providers or {name: quiet() for name in "abc"}))
    with notifier_with(made, clock=clock) as notifier:
        yield Scene(notifier, clock)


def quiet(*answers: Outcome) -> CallingProvider:
    """A provider that only calls."""
    return CallingProvider(answers, capabilities=NEVER_ASKED)


TELEGRAM_THEN_SMS_THEN_CALL = (
    leg("a", within_s=20, channel="telegram"),
    leg("b", within_s=60),
    leg("c", channel="call"),
)


def ways(delivery: Delivery) -> list[str]:
    """The channels by which it went."""
    return [result.channel for result in delivery.legs if result.attempts]


def test_a_message_that_arrives_in_time_goes_by_the_first_channel_alone() -> None:
    with scene(*TELEGRAM_THEN_SMS_THEN_CALL) as on:
        delivery = on.send(sms(extra={}))
        on.pass_time(19.0)

        on.tell(delivery, DELIVERED)
        on.pass_time(500.0)

        over = on.now(delivery)
        assert (ways(over), over.stage, over.status) == (["telegram"], Stage.ENDED, DELIVERED)


def test_each_channel_has_its_time_and_then_the_next_one_follows() -> None:
    with scene(*TELEGRAM_THEN_SMS_THEN_CALL) as on:
        delivery = on.send()
        followed = []
        for seconds in (19.9, 0.1, 59.9, 0.1, 1000.0):
            on.pass_time(seconds)
            followed.append(ways(on.now(delivery)))

        first, second, third = ["telegram"], ["telegram", "sms"], ["telegram", "sms", "call"]
        assert followed == [first, second, second, third, third]
        assert on.now(delivery).stage is Stage.ENDED
        assert [result.given_up for result in on.now(delivery).legs] == [True, True, False]


@pytest.mark.parametrize("status", [UNDELIVERED, REJECTED, EXPIRED], ids=str)
def test_the_next_channel_follows_at_once_when_one_has_failed(status: Status) -> None:
    with scene(*TELEGRAM_THEN_SMS_THEN_CALL) as on:
        delivery = on.send()

        on.tell(delivery, status)

        assert ways(on.now(delivery)) == ["telegram", "sms"]
        assert [result.given_up for result in on.now(delivery).legs] == [False, False]


def test_a_receipt_that_comes_late_ends_the_wait_on_a_later_channel() -> None:
    with scene(*TELEGRAM_THEN_SMS_THEN_CALL) as on:
        delivery = on.send()
        on.pass_time(20.0)

        on.tell(delivery, DELIVERED)
        on.pass_time(1000.0)

        over = on.now(delivery)
        assert ways(over) == ["telegram", "sms"]
        assert (over.stage, over.channel, over.status) == (Stage.ENDED, "telegram", DELIVERED)
        assert [result.channel for result in over.late] == ["telegram"]


def test_one_that_is_cancelled_while_it_waits_begins_no_other_channel() -> None:
    with scene(*TELEGRAM_THEN_SMS_THEN_CALL) as on:
        delivery = on.send()

        cancelled = on.notifier.cancel(delivery.id)
        on.pass_time(1000.0)

        assert cancelled.stage is Stage.ENDED
        assert ways(on.now(delivery)) == ["telegram"]
        assert on.now(delivery).accepted


def test_one_that_is_held_goes_on_when_it_is_released_as_if_it_had_not_been() -> None:
    with scene(*TELEGRAM_THEN_SMS_THEN_CALL) as on:
        delivery = on.send()
        assert on.notifier.hold(delivery.id).held
        on.pass_time(100.0)
        assert ways(on.now(delivery)) == ["telegram"]

        on.notifier.release(delivery.id)
        on.pass_time(0.0)

        assert ways(on.now(delivery)) == ["telegram", "sms"]


def test_what_arrives_while_it_is_held_ends_it_when_it_is_released() -> None:
    with scene(*TELEGRAM_THEN_SMS_THEN_CALL) as on:
        delivery = on.send()
        on.notifier.hold(delivery.id)
        on.tell(delivery, DELIVERED)
        assert on.now(delivery).held

        on.notifier.release(delivery.id)
        on.pass_time(100.0)

        assert (ways(on.now(delivery)), on.now(delivery).stage) == (["telegram"], Stage.ENDED)


def test_a_deadline_lets_no_other_channel_begin() -> None:
    route = Route(name="default", legs=TELEGRAM_THEN_SMS_THEN_CALL, deadline=timedelta(seconds=15))
    made = attrs.evolve(config(leg("a"), **{name: quiet() for name in "abc"}), routes=(route,))
    clock = ManualClock()
    with notifier_with(made, clock=clock) as notifier:
        on = Scene(notifier, clock)
        delivery = on.send()

        on.pass_time(100.0)

        over = on.now(delivery)
        assert (ways(over), over.stage, over.accepted) == (["telegram"], Stage.ENDED, True)


# --- every order of what can come -----------------------------------------------------------

THREE_THAT_WAIT = (
    leg("a", within_s=20),
    leg("b", within_s=20, channel="flash"),
    leg("c", within_s=20, channel="call"),
)
tellings = st.tuples(st.sampled_from([1, 2, 3]), st.sampled_from([SENT, DELIVERED, UNDELIVERED]))
happenings = (
    tellings | st.sampled_from([0.0, 1.0, 5.0, 20.0]) | st.sampled_from(["hold", "release"])
)
endings = st.sampled_from([[], [], [], ["cancel"]])
schedules = st.tuples(st.lists(happenings, max_size=12), endings, st.lists(happenings, max_size=4))


class Watching(CallingProvider):
    """Notes how the journal has a delivery when it is called; it is out of reach at first."""

    def __init__(self, seen: list[Delivery], failures: int) -> None:
        super().__init__(capabilities=NEVER_ASKED)
        self.notifier: Notifier | None = None
        self._seen = seen
        self._failures = failures

    @hookimpl
    def notify_send(self, attempt: Attempt) -> Outcome:  # type: ignore[override]
        assert self.notifier is not None
        self._seen.append(self.notifier.get(attempt.delivery_id))
        self._failures -= 1
        return DOWN if self._failures >= 0 else accepted(attempt)


@settings(deadline=None)
@given(schedules, st.integers(0, 2))
def test_in_whichever_order_receipts_timers_and_wishes_come_one_leg_is_alive_at_a_time(
    schedule: tuple[list[Any], list[str], list[Any]], failures: int
) -> None:
    """The second provider is out of reach at first."""
    clock, seen = ManualClock(), list[Delivery]()
    providers = {name: Watching(seen, failures if name == "b" else 0) for name in "abc"}
    with notifier_with(config(*THREE_THAT_WAIT, **providers), clock=clock) as notifier:
        for provider in providers.values():
            provider.notifier = notifier
        on = Scene(notifier, clock)
        delivery = on.send()
        before, ending, after = schedule

        for each in [*before, *ending, *after, "release", *[20.0] * 8]:
            let_happen(on, delivery, each)

        over = on.now(delivery)
    assert over.stage is Stage.ENDED
    taken = Counter(each.own_id for each in over.attempts if isinstance(each.answer, Accepted))
    assert {*taken.values()} == {1}
    for known in seen:
        *earlier, begun = known.legs
        assert begun.attempts[-1].answer is None
        assert all(result.given_up or result.status == UNDELIVERED for result in earlier)
        assert not any(result.arrived for result in earlier)


def let_happen(on: Scene, delivery: Delivery, what: Any) -> None:
    match what:
        case float() as seconds:
            on.pass_time(seconds)
        case "hold" | "release" | "cancel":
            getattr(on.notifier, what)(delivery.id)
        case (int() as number, Status() as status):
            known = on.now(delivery).legs
            by = "abc"[number - 1]
            if number <= len(known):
                on.tell(delivery, status, number, by)


# --- in doubt -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("if_unknown", "stage", "channels"),
    [
        (IfUnknown.RECONCILE, Stage.HELD, ["sms"]),
        (IfUnknown.HOLD, Stage.HELD, ["sms"]),
        (IfUnknown.NEXT, Stage.ENDED, ["sms", "call"]),
    ],
)
def test_a_doubt_leads_to_another_channel_only_where_the_leg_says_so(
    if_unknown: IfUnknown, stage: Stage, channels: list[str]
) -> None:
    legs = (leg("a", within_s=20, if_unknown=if_unknown), leg("b", channel="call"))
    with scene(*legs, a=quiet(LOST), b=quiet()) as on:
        delivery = on.send()
        on.pass_time(19.0)
        assert ways(on.now(delivery)) == ["sms"]

        on.pass_time(1.0)

        assert (on.now(delivery).stage, ways(on.now(delivery))) == (stage, channels)


def test_a_doubtful_message_that_arrives_after_all_ends_the_doubt_and_the_delivery() -> None:
    legs = (
        leg("a", within_s=20, if_unknown=IfUnknown.NEXT),
        leg("b", within_s=60, channel="call"),
    )
    with scene(*legs, a=quiet(LOST), b=quiet()) as on:
        delivery = on.send()
        on.pass_time(20.0)

        on.tell(delivery, DELIVERED)

        over = on.now(delivery)
        assert (over.stage, over.status) == (Stage.ENDED, DELIVERED)
        assert isinstance(over.legs[0].outcome, Accepted)


def test_nothing_is_held_when_the_last_leg_is_in_doubt_but_an_earlier_one_has_arrived() -> None:
    legs = (leg("a", within_s=20), leg("b", channel="call"))
    with scene(*legs, a=quiet(), b=quiet(LOST)) as on:
        delivery = on.send()
        on.pass_time(20.0)
        assert on.now(delivery).held

        on.tell(delivery, DELIVERED)

        assert (on.now(delivery).stage, on.now(delivery).accepted) == (Stage.ENDED, True)


# --- what a provider is told, and whom it is believed -----------------------------------------


@pytest.mark.parametrize(
    ("within_s", "told"),
    [(20, None), (60, timedelta(minutes=1)), (179, timedelta(minutes=2))],
)
def test_a_provider_is_told_to_give_a_message_up_before_the_next_one_leaves(
    within_s: float, told: timedelta | None
) -> None:
    first, last = quiet(), quiet()
    with scene(leg("a", within_s=within_s), leg("b"), a=first, b=last) as on:
        on.send()
        on.pass_time(within_s)

        assert [message.valid_for for message, _ in first.sent] == [told]
        assert [message.valid_for for message, _ in last.sent] == [None]


def test_a_provider_that_cannot_be_told_is_not_and_the_report_says_that_both_may_arrive() -> None:
    unable = CallingProvider(capabilities=Capabilities(channels=FOLLOWED.channels))
    with scene(leg("a", within_s=60), leg("b"), a=unable, b=quiet()) as on:
        delivery = on.send()

        assert [message.valid_for for message, _ in unable.sent] == [None]
        assert delivery.warnings == (
            "sms and the leg after it may both arrive: a cannot be told to give the message up "
            "within 1m",
        )


@pytest.mark.parametrize(
    ("number", "channels"),
    [("+77010000001", ["sms", "call"]), ("+79990000001", ["sms"])],
    ids=["KZ", "RU"],
)
def test_where_receipts_are_distrusted_the_time_alone_decides(
    number: str, channels: list[str]
) -> None:
    legs = (leg("a", within_s=20, distrust={"a": ("KZ",)}), leg("b", channel="call"))
    with scene(*legs, a=quiet(), b=quiet()) as on:
        delivery = on.send(sms(number))
        on.tell(delivery, DELIVERED)

        on.pass_time(20.0)

        assert ways(on.now(delivery)) == channels


# --- the same facts in another order ----------------------------------------------------------

TRUE_HISTORIES = [
    [SENT, DELIVERED],
    [SENT, UNDELIVERED],
    [SENT, DELIVERED, READ],
    [Status(state=State.WAITING), SENT, EXPIRED],
    [SENT, REJECTED],
]


def ending(url: str, told: Sequence[Status | str]) -> object:
    """How a delivery ends of which this is told one after the other."""
    clock = ManualClock()
    providers = {name: quiet() for name in "ab"}
    made = kept_at(url, config(leg("a", within_s=90), leg("b", channel="call"), **providers))
    notifier = notifier_with(made, clock=clock)
    (delivery,) = notifier.send(sms())
    for each in told:
        match each:
            case "pass":
                clock.advance(5.0)
                notifier.worker().work_off()
            case "restart":
                notifier = notifier_with(made, clock=clock)
            case "hold":
                notifier.hold(delivery.id)
                notifier.release(delivery.id)
            case Status() as status:
                tell(notifier, clock, event(delivery, status))
    clock.advance(900.0)
    notifier.worker().work_off()
    over = notifier.get(delivery.id)
    notifier.close()
    legs = [(type(each.outcome), each.status, each.given_up) for each in over.legs]
    return over.stage, over.status, over.channel, over.provider_id, legs


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@settings(deadline=None, max_examples=25)
@given(st.sampled_from(TRUE_HISTORIES), st.data())
def test_the_end_does_not_hang_on_the_order_in_which_what_has_become_of_it_is_told(
    tmp_path_factory: pytest.TempPathFactory, history: list[Status], data: st.DataObject
) -> None:
    """Nor on how often, nor on restarts and on what else comes between."""
    between = data.draw(st.lists(st.sampled_from(["pass", "restart", "hold"]), max_size=3))
    again = data.draw(st.lists(st.sampled_from(history), max_size=3))
    events: list[Status | str] = [*history, *again, *between]
    shuffled = data.draw(st.permutations(events))
    place = tmp_path_factory.mktemp("journals")

    assert ending(f"sqlite:///{place / 'one.db'}", shuffled) == ending("memory:", history)


# --- another configuration ------------------------------------------------------------------


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A journal in each of the databases."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'notify.db'}"
    return str(request.getfixturevalue("postgres_url"))


def test_what_waits_goes_on_as_it_was_planned_though_the_routes_are_others_now(url: str) -> None:
    clock = ManualClock()
    before = kept_at(url, config(leg("a", within_s=20), leg("b"), a=quiet(), b=quiet()))
    after = kept_at(url, config(leg("c"), a=quiet(), b=quiet(), c=quiet()))
    with notifier_with(before, clock=clock) as notifier:
        (delivery,) = notifier.send(sms())

    with notifier_with(after, clock=clock) as notifier:
        clock.advance(20.0)
        notifier.worker().work_off()

        assert [each.provider for each in notifier.get(delivery.id).attempts] == ["a", "b"]


def test_what_waits_for_a_provider_that_is_gone_goes_on_when_its_time_is_over(url: str) -> None:
    clock = ManualClock()
    able = CallingProvider()
    before = kept_at(url, config(leg("a", within_s=20), leg("a", "b"), a=able, b=quiet()))
    with notifier_with(before, clock=clock) as notifier:
        (delivery,) = notifier.send(sms())

    with notifier_with(kept_at(url, config(leg("b"), b=quiet())), clock=clock) as notifier:
        clock.advance(20.0)
        notifier.worker().work_off()

        over = notifier.get(delivery.id)
        assert [each.provider for each in over.attempts] == ["a", "b"]
        assert (over.stage, over.legs[0].given_up) == (Stage.ENDED, True)
        assert able.asked == []


# --- a thousand -----------------------------------------------------------------------------

MANY = 1000


class Killed(KeyboardInterrupt):
    """The process ends here, in the middle of a call."""


class Honest(CallingProvider):
    """Takes everything and says so when it is asked; ``meanwhile`` happens during one call."""

    def __init__(self) -> None:
        super().__init__(capabilities=attrs.evolve(NEVER_ASKED, ask_after_s=(1.0,)))
        self.taken: Counter[str] = Counter()
        self.meanwhile: tuple[int, Callable[[], None]] | None = None

    @hookimpl
    def notify_send(self, attempt: Attempt) -> Outcome:  # type: ignore[override]
        self.taken[attempt.own_id] += 1
        if self.meanwhile is not None and self.taken.total() == self.meanwhile[0]:
            self.meanwhile[1]()
        return accepted(attempt)

    @hookimpl
    def notify_fetch_status(self, receipts: Sequence[Receipt]) -> Sequence[Status]:
        return [SENT if self.taken[each.own_id or ""] else ABSENT for each in receipts]


def be_killed() -> None:
    raise Killed


@pytest.mark.parametrize("end", ["stops", "is killed"])
def test_of_a_thousand_that_wait_each_goes_on_once_though_the_worker_ends_in_the_middle(
    url: str, end: str
) -> None:
    clock, first, then = ManualClock(), Honest(), Honest()
    made = kept_at(url, config(leg("a", within_s=20), leg("b", channel="call"), a=first, b=then))
    with notifier_with(made, clock=clock) as notifier:
        ids = [each for (each,) in notifier.enqueue_many([sms()] * MANY)]
        notifier.worker().work_off()
    assert (first.taken.total(), then.taken.total()) == (MANY, 0)

    clock.advance(20.0)
    with notifier_with(made, clock=clock) as notifier:
        worker = notifier.worker()
        then.meanwhile = (MANY // 3, worker.stop if end == "stops" else be_killed)
        with contextlib.suppress(Killed):
            worker.work_off()
    assert then.taken.total() == MANY // 3

    with notifier_with(made, clock=clock) as notifier:
        for seconds in (0.0, 60.0, 1.0):  # what the first one had claimed, and what it was at
            clock.advance(seconds)
            notifier.worker().work_off()
        over = [notifier.get(each) for each in ids]

    assert {*first.taken.values()} == {*then.taken.values()} == {1}
    assert len(then.taken) == MANY
    assert {(each.stage, each.channel) for each in over} == {(Stage.ENDED, "call")}
