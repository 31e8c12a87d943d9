"""What becomes of what providers tell: who is believed, what it changes, who is told."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import attrs
import pytest

from notify_core.callback import StatusEvent, Trust
from notify_core.clock import SystemClock
from notify_core.config.model import IfUnknown, Until
from notify_core.contact import Contact
from notify_core.delivery import Attempt, Delivery, LegResult, Stage
from notify_core.errors import ProviderError
from notify_core.hookspecs import hookimpl
from notify_core.journal.model import ERASED, Entry, Part
from notify_core.message import Message, Sms
from notify_core.notifier import Notifier
from notify_core.outcome import (
    Accepted,
    FailureScope,
    NotSent,
    Outcome,
    Receipt,
    RefusalScope,
    Refused,
    State,
    Status,
    Unknown,
)
from notify_core.progress import (
    GIVEN_UP,
    Wish,
    attempt_answered,
    attempt_began,
    begin,
    leg_closed,
    rested,
    waiting_began,
)
from notify_core.testing import ManualClock, accepted, notifier_with, scripted_config
from notify_core.tracking import Told, has_come, learned
from tests.followed import FOLLOWED, NEVER_ASKED, CallingProvider, config, event, leg, tell

SENT = Status(state=State.SENT)
DELIVERED = Status(state=State.DELIVERED, final=True)
READ = Status(state=State.READ, final=True)
UNDELIVERED = Status(state=State.UNDELIVERED, final=True)
LOST = Unknown("the answer was lost")
DOWN = NotSent("out of reach", FailureScope.PROVIDER)


def sms() -> Sms:
    return Sms(to="+79990000001", text="hi")


class Diary:
    """Writes down what listeners are told."""

    def __init__(self) -> None:
        self.changes: list[tuple[str, str | None]] = []

    @hookimpl
    def notify_status_changed(self, delivery: Delivery) -> None:
        state = delivery.status.state.value if delivery.status else None
        self.changes.append((delivery.stage.value, state))


@attrs.define
class Scene:
    """A notifier with a journal, its clock and its listener."""

    notifier: Notifier
    clock: ManualClock
    diary: Diary

    def send(self) -> Delivery:
        (delivery,) = self.notifier.send(sms())
        return delivery

    def tell(self, *events: StatusEvent, provider: str = "a") -> None:
        tell(self.notifier, self.clock, *events, provider=provider)

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.notifier.worker().work_off()


@contextmanager
def scene(*legs: Any, **providers: CallingProvider) -> Iterator[Scene]:
    clock, diary = ManualClock(), Diary()
    made = config(*(legs or (leg("a"),)), **(providers or {"a": CallingProvider()}))
    with notifier_with(made, clock=clock, plugins=[("diary", diary)]) as notifier:
        yield Scene(notifier, clock, diary)


# --- calls ----------------------------------------------------------------------------------


def test_what_a_provider_proves_is_written() -> None:
    with scene() as on:
        delivery = on.send()

        on.tell(event(delivery, DELIVERED))

        assert on.notifier.get(delivery.id).status == DELIVERED


def test_a_provider_that_has_proven_what_it_says_is_not_asked_sooner_for_it() -> None:
    provider = CallingProvider()
    with scene(a=provider) as on:
        delivery = on.send()

        on.tell(event(delivery, SENT))

        assert provider.asked == []


def test_a_hint_is_not_believed_and_makes_the_provider_be_asked() -> None:
    provider = CallingProvider(statuses=[SENT])
    with scene(a=provider) as on:
        delivery = on.send()

        on.tell(event(delivery, DELIVERED, trust=Trust.HINT))

        assert [each.own_id for each in provider.asked] == [f"{delivery.id}-1"]
        assert on.notifier.get(delivery.id).status == SENT


def test_however_many_hints_come_the_provider_is_asked_three_times_a_minute() -> None:
    provider = CallingProvider(
        statuses=[SENT] * 9, capabilities=attrs.evolve(FOLLOWED, poll_after_s=(3600.0,))
    )
    with scene(a=provider) as on:
        delivery = on.send()

        for _ in range(59):
            on.tell(event(delivery, DELIVERED, trust=Trust.HINT))
            on.pass_time(1.0)

        assert len(provider.asked) == 3


def test_a_message_is_known_by_the_id_of_its_provider_and_its_address() -> None:
    """However the number is written there."""
    with scene() as on:
        delivery = on.send()
        told = attrs.evolve(event(delivery, DELIVERED), own_id=None, provider_id="1")

        on.tell(attrs.evolve(told, address="+79990000002"))
        assert on.notifier.get(delivery.id).status is None

        on.tell(attrs.evolve(told, address="79990000001"))
        assert on.notifier.get(delivery.id).status == DELIVERED


def test_what_another_provider_says_under_our_id_is_about_nothing() -> None:
    with scene(leg("a"), a=CallingProvider(), b=CallingProvider()) as on:
        delivery = on.send()

        on.tell(event(delivery, DELIVERED), provider="b")

        assert on.notifier.get(delivery.id).status is None


def test_a_call_that_is_there_before_the_answer_is_understood_later() -> None:
    """The call came while the provider was still being called."""
    clock = ManualClock()
    told: list[Notifier] = []

    def quick(_message: Message, attempt: Attempt) -> Outcome:
        (notifier,) = told
        tell(notifier, clock, event(notifier.get(attempt.delivery_id), DELIVERED))
        return accepted(attempt)

    made = config(leg("a"), a=CallingProvider([quick]))
    with notifier_with(made, clock=clock) as notifier:
        told.append(notifier)
        (delivery,) = notifier.send(sms())
        assert notifier.get(delivery.id).status is None

        clock.advance(1.0)
        notifier.worker().work_off()

        assert notifier.get(delivery.id).status == DELIVERED


def test_a_provider_that_only_calls_is_never_asked() -> None:
    provider = CallingProvider(capabilities=NEVER_ASKED)
    with scene(leg("a", within_s=20), leg("b"), a=provider, b=CallingProvider()) as on:
        delivery = on.send()

        on.tell(event(delivery, SENT, trust=Trust.HINT))
        on.pass_time(20.0)

        assert provider.asked == []
        assert on.notifier.get(delivery.id).channel == "sms"
        assert on.notifier.get(delivery.id).provider == "b"


# --- who is told ----------------------------------------------------------------------------


def test_listeners_are_told_once_of_each_change() -> None:
    with scene() as on:
        delivery = on.send()
        states = [SENT, SENT, DELIVERED, SENT, DELIVERED, READ, DELIVERED]

        for status in states:
            on.tell(event(delivery, status))

        assert on.diary.changes == [("ended", "sent"), ("ended", "delivered"), ("ended", "read")]


def test_listeners_are_told_of_a_receipt_and_of_the_end_of_the_wait_for_it() -> None:
    with scene(leg("a", within_s=20), leg("a", channel="flash")) as on:
        delivery = on.send()

        on.tell(event(delivery, SENT))
        on.tell(event(delivery, DELIVERED))

        assert on.diary.changes == [
            ("under_way", "sent"),
            ("under_way", "delivered"),
            ("ended", "delivered"),
        ]


def test_what_an_answer_to_a_question_repeats_is_told_once() -> None:
    with scene(a=CallingProvider(statuses=[SENT, SENT, DELIVERED])) as on:
        delivery = on.send()

        on.tell(event(delivery, SENT))
        for _ in range(3):
            on.pass_time(60.0)

        assert on.diary.changes == [("ended", "sent"), ("ended", "delivered")]


# --- fetch_status ---------------------------------------------------------------------------


def test_fetching_the_status_of_one_that_waits_lets_it_go_on_at_once() -> None:
    waiting = leg("a", within_s=20), leg("a", channel="flash")
    with scene(*waiting, a=CallingProvider(statuses=[UNDELIVERED])) as on:
        delivery = on.notifier.fetch_status(on.send())
        assert (delivery.under_way, delivery.status) == (True, UNDELIVERED)

        on.notifier.worker().work_off()

        again = on.notifier.get(delivery.id)
        assert (again.stage, again.channel, again.status) == (Stage.ENDED, "flash", None)


def test_fetching_asks_about_every_leg_and_gives_the_status_of_the_one_that_arrived() -> None:
    provider = CallingProvider(statuses=[SENT, DELIVERED, SENT])
    waiting = leg("a", within_s=2), leg("a", channel="flash")
    with scene(*waiting, a=provider) as on:
        delivery = on.send()
        on.pass_time(2.0)
        assert len(on.notifier.get(delivery.id).legs) == 2

        fetched = on.notifier.fetch_status(delivery)

        assert [each.own_id for each in provider.asked[-2:]] == [
            f"{delivery.id}-1",
            f"{delivery.id}-2",
        ]
        assert [result.status for result in fetched.legs] == [DELIVERED, SENT]
        assert (fetched.status, fetched.channel) == (DELIVERED, "sms")
        assert [result.channel for result in fetched.late] == ["sms"]


def test_fetching_asks_about_no_leg_that_did_not_go() -> None:
    provider = CallingProvider([Refused("no such user", RefusalScope.RECIPIENT)], statuses=[SENT])
    with scene(leg("a", channel="viber"), leg("a"), a=provider) as on:
        delivery = on.notifier.fetch_status(on.send())

        assert [each.own_id for each in provider.asked] == [f"{delivery.id}-2"]


def test_listeners_are_told_once_of_what_fetching_finds_out() -> None:
    with scene(a=CallingProvider(statuses=[SENT, SENT])) as on:
        delivery = on.notifier.fetch_status(on.send())

        on.notifier.fetch_status(delivery)

        assert on.diary.changes == [("ended", "sent")]


def test_who_waits_for_something_to_do_is_woken_by_what_fetching_finds_out() -> None:
    undelivered = CallingProvider(statuses=[UNDELIVERED])
    with scene(leg("a", within_s=20), leg("a", channel="flash"), a=undelivered) as on:
        delivery = on.send()
        watch = on.notifier.journal.watch()
        watch.wait(0)

        on.notifier.fetch_status(delivery)

        began = time.monotonic()
        watch.wait(30)
        assert time.monotonic() - began < 10


def test_the_status_of_what_the_journal_has_forgotten_is_told_to_whoever_kept_it() -> None:
    with scene(a=CallingProvider(statuses=[DELIVERED])) as on:
        delivery = on.send()
        on.notifier.journal.purge(Part.ROWS, on.clock.now() + timedelta(days=1))

        fetched = on.notifier.fetch_status(delivery)

        assert (fetched.status, fetched.stage) == (DELIVERED, Stage.ENDED)
        assert on.diary.changes == [("ended", "delivered")]


def test_what_cannot_be_asked_leaves_a_delivery_that_waits_as_it_was() -> None:
    refusing = CallingProvider(statuses=[ProviderError("a", "status", DOWN)])
    with scene(leg("a", within_s=20), a=refusing) as on:
        delivery = on.send()

        with pytest.raises(ProviderError):
            on.notifier.fetch_status(delivery)

        assert on.notifier.get(delivery.id) == delivery


def test_a_held_delivery_ends_when_its_provider_tells_of_it() -> None:
    """Somebody asks; it is told of no other way, since nobody knows that it was taken."""
    provider = CallingProvider([LOST], statuses=[DELIVERED])
    with scene(leg("a", within_s=20, if_unknown=IfUnknown.HOLD), a=provider) as on:
        delivery = on.send()
        assert delivery.held

        fetched = on.notifier.fetch_status(delivery)

        assert (fetched.stage, fetched.accepted, fetched.status) == (Stage.ENDED, True, DELIVERED)


# --- wait -----------------------------------------------------------------------------------


def standing(
    outcome: Outcome, status: Status | None = None, stage: Stage = Stage.ENDED
) -> Delivery:
    return Delivery(
        id="d",
        message_id="m",
        recipient=Contact(phone="+79990000001"),
        route="r",
        legs=(LegResult(channel="sms", outcome=outcome, status=status),),
        outcome=outcome,
        stage=stage,
    )


TAKEN = Accepted(Receipt(provider="a", address="+79990000001"))
GOING = Stage.UNDER_WAY


@pytest.mark.parametrize(
    ("delivery", "is_accepted", "is_delivered", "is_read"),
    [
        (standing(DOWN, stage=GOING), False, False, False),
        (standing(LOST, stage=GOING), False, False, False),
        (standing(TAKEN, stage=GOING), True, False, False),
        (standing(TAKEN, SENT, GOING), True, False, False),
        (standing(TAKEN, DELIVERED, GOING), True, True, False),
        (standing(TAKEN, READ, GOING), True, True, True),
        (standing(TAKEN, Status(state=State.CLICKED), GOING), True, True, True),
        # The next leg follows.
        (standing(TAKEN, UNDELIVERED, GOING), True, False, False),
        # No more will be done.
        (standing(DOWN), True, True, True),
        (standing(LOST, stage=Stage.HELD), True, True, True),
        (standing(LOST, Status(state=State.UNKNOWN), Stage.HELD), True, True, True),
        (standing(TAKEN, UNDELIVERED), True, True, True),
        (standing(TAKEN, DELIVERED), True, True, True),
        # But a receipt may still come.
        (standing(TAKEN), True, False, False),
        (standing(TAKEN, SENT), True, False, False),
        (standing(TAKEN, attrs.evolve(DELIVERED, final=False)), True, True, False),
    ],
)
def test_a_delivery_is_waited_for_until_it_has_come_so_far_or_no_further(
    delivery: Delivery, is_accepted: bool, is_delivered: bool, is_read: bool
) -> None:
    come = [has_come(delivery, until) for until in Until]

    assert come == [is_accepted, is_delivered, is_read]


def test_a_leg_that_failed_does_not_end_the_wait_for_the_one_that_followed_it() -> None:
    with scene(leg("a", within_s=20), leg("a", channel="flash")) as on:
        delivery = on.send()
        on.tell(event(delivery, UNDELIVERED))

        followed = on.notifier.get(delivery.id)

        assert (followed.channel, followed.status) == ("flash", None)
        assert not has_come(followed, Until.DELIVERED)


def test_waiting_until_it_is_delivered_ends_when_a_worker_has_asked() -> None:
    """The worker runs beside, on a real clock."""
    able = attrs.evolve(FOLLOWED, poll_after_s=(0.05,))
    provider = CallingProvider(statuses=[SENT, SENT, DELIVERED], capabilities=able)
    made = config(leg("a", within_s=20), leg("a", channel="flash"), a=provider)
    with notifier_with(made, clock=SystemClock()) as notifier, notifier.worker():
        (delivery,) = notifier.send(sms())

        delivered = notifier.wait(delivery.id, until=Until.DELIVERED, timeout_s=20)

        assert delivered.status == DELIVERED
        assert delivered.channel == "sms"
        assert len(provider.asked) == 3


# --- without a journal ----------------------------------------------------------------------

CLOCK = ManualClock()
NOW = CLOCK.now()
IN_A_WHILE = NOW + timedelta(seconds=20)


def leg_of(*answers: Outcome, number: int = 1) -> LegResult:
    """A leg that is over, of which the last attempt says how it stands."""
    attempts = [
        Attempt(
            id=f"d-{number}-{nth}",
            delivery_id="d",
            own_id=f"d-{number}",
            number=nth,
            provider="a",
            channel="sms",
            address="+79990000001",
            address_kind="phone",
            started_at=NOW,
            answer=answer,
        )
        for nth, answer in enumerate(answers, 1)
    ]
    return LegResult(channel="sms", outcome=answers[-1], attempts=tuple(attempts))


def fetched_alone(
    delivery: Delivery, *statuses: Status, times: int = 1
) -> tuple[Delivery, CallingProvider, Diary]:
    """Ask about a delivery that somebody has kept, and no journal."""
    provider, diary = CallingProvider(statuses=statuses), Diary()
    with notifier_with(scripted_config(a=provider), plugins=[("diary", diary)]) as notifier:
        for _ in range(times):
            delivery = notifier.fetch_status(delivery)
    return delivery, provider, diary


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # Its doubt has ended, and with it what somebody had to look at.
        ((LOST, Stage.HELD), (Accepted, Stage.ENDED)),
        # Somebody holds it, or has it in hand.
        ((TAKEN, Stage.HELD), (Accepted, Stage.HELD)),
        ((LOST, Stage.UNDER_WAY), (Accepted, Stage.UNDER_WAY)),
    ],
)
def test_what_is_found_out_ends_a_delivery_that_was_held_for_its_doubt_alone(
    before: tuple[Outcome, Stage], after: tuple[type[Outcome], Stage]
) -> None:
    outcome, stage = before
    kept = attrs.evolve(standing(outcome, stage=stage), legs=(leg_of(outcome),))

    known, _, _ = fetched_alone(kept, DELIVERED)

    assert (type(known.outcome), known.stage) == after
    assert known.status == DELIVERED


def test_one_of_which_every_leg_is_wanted_is_as_the_least_good_of_them_though_one_arrives() -> None:
    both = (leg_of(TAKEN), leg_of(DOWN, number=2))

    known, _, _ = fetched_alone(attrs.evolve(standing(DOWN), legs=both, all_of=True), DELIVERED)

    assert (known.outcome, known.status) == (DOWN, DELIVERED)


def test_listeners_are_told_once_of_what_is_found_out_twice() -> None:
    kept = attrs.evolve(standing(TAKEN), legs=(leg_of(TAKEN),))

    _, _, diary = fetched_alone(kept, SENT, SENT, times=2)

    assert diary.changes == [("ended", "sent")]


def test_a_provider_is_asked_about_the_attempt_that_it_has_accepted() -> None:
    """An answer can be late: the attempt after it went because nobody had heard it."""
    named = Accepted(attrs.evolve(TAKEN.receipt, provider_id="17"))
    kept = attrs.evolve(standing(named), legs=(attrs.evolve(leg_of(named, DOWN), outcome=named),))

    _, provider, _ = fetched_alone(kept, SENT)

    assert [each.provider_id for each in provider.asked] == ["17"]


# --- what follows from a status -------------------------------------------------------------


def entry_of(*legs: Any, answer: Outcome | None = TAKEN) -> Entry:
    """A delivery whose first attempt was answered so, leased by somebody."""
    made = config(*legs, a=CallingProvider(), b=CallingProvider())
    with notifier_with(made, clock=CLOCK) as notifier:
        (decision,) = notifier.explain(sms())
    plan = decision.plan
    entry = Entry(
        message=plan.legs[0].message,
        plan=plan,
        progress=begin(plan),
        config="",
        created_at=NOW,
        due_at=IN_A_WHILE,
        owner="somebody",
        lease=3,
    )
    return attempted(entry, "a", answer)


def attempted(entry: Entry, provider: str, answer: Outcome | None) -> Entry:
    progress, _ = attempt_began(entry.plan, entry.progress, provider, NOW)
    answered = progress if answer is None else attempt_answered(progress, answer, NOW)
    return attrs.evolve(entry, progress=answered)


def waiting(entry: Entry) -> Entry:
    """It waits for a receipt, and nobody has it."""
    progress = waiting_began(entry.progress, IN_A_WHILE)
    return attrs.evolve(entry, progress=progress, owner=None)


def given_up(entry: Entry) -> Entry:
    return attrs.evolve(entry, progress=leg_closed(entry.plan, entry.progress, GIVEN_UP))


def told_of(entry: Entry, status: Status, *, number: int = 1) -> Entry:
    return learned(entry, [Told(f"{entry.id}-{number}", "a", status)], NOW)


WAITS, THEN = leg("a", within_s=20), leg("b")


@pytest.mark.parametrize("status", [DELIVERED, READ, UNDELIVERED], ids=str)
def test_what_decides_a_wait_makes_the_delivery_due_at_once(status: Status) -> None:
    entry = told_of(waiting(entry_of(WAITS, THEN)), status)

    assert (entry.due_at, entry.owner, entry.stage) == (NOW, None, Stage.UNDER_WAY)


def test_what_decides_nothing_leaves_it_due_when_it_was() -> None:
    entry = told_of(waiting(entry_of(WAITS, THEN)), SENT)

    assert (entry.due_at, entry.owner) == (IN_A_WHILE, None)
    assert entry.progress.attempts[0].status == SENT


def test_what_is_known_already_changes_nothing() -> None:
    entry = told_of(waiting(entry_of(WAITS, THEN)), SENT)

    assert told_of(entry, SENT) is entry
    assert told_of(entry, Status(state=State.WAITING)) is entry
    assert told_of(entry, DELIVERED, number=2) is entry


@pytest.mark.parametrize("status", [SENT, DELIVERED], ids=str)
def test_what_is_told_before_the_answer_of_the_call_is_acted_on_at_once(status: Status) -> None:
    """The message was taken, so there is nothing left to wait for in the answer."""
    entry = told_of(entry_of(WAITS, THEN, answer=None), status)

    assert (entry.due_at, entry.owner) == (NOW, None)
    assert isinstance(entry.progress.attempts[0].outcome, Accepted)


@pytest.mark.parametrize("status", [SENT, DELIVERED], ids=str)
def test_what_is_told_of_another_leg_takes_it_from_nobody_who_calls_a_provider(
    status: Status,
) -> None:
    """Whoever took over would ask about a message that is on its way."""
    calling = attempted(given_up(entry_of(WAITS, leg("a"))), "a", None)

    entry = told_of(calling, status)

    assert (entry.due_at, entry.owner) == (IN_A_WHILE, "somebody")
    assert entry.progress.done[0].status == status


def test_who_has_it_and_calls_nobody_loses_it_to_whoever_goes_on_at_once() -> None:
    """The lease is lost with every change; nobody shall have to wait for its end."""
    entry = told_of(attrs.evolve(waiting(entry_of(WAITS, THEN)), owner="somebody"), SENT)

    assert (entry.due_at, entry.owner) == (NOW, None)


def test_what_is_told_of_one_in_doubt_ends_the_doubt_at_once() -> None:
    doubtful = attrs.evolve(entry_of(WAITS, THEN, answer=LOST), owner=None)

    entry = told_of(doubtful, SENT)

    assert (entry.due_at, entry.owner) == (NOW, None)


@pytest.mark.parametrize("status", [SENT, UNDELIVERED], ids=str)
def test_what_is_told_of_another_leg_cuts_no_pause_before_a_question_short(
    status: Status,
) -> None:
    """The pause is there so that a question finds what is late."""
    second = attempted(given_up(entry_of(WAITS, leg("a"))), "a", LOST)
    pausing = attrs.evolve(second, progress=rested(second.progress), owner=None)

    entry = told_of(pausing, status)

    assert (entry.due_at, entry.progress.rested) == (IN_A_WHILE, True)


def test_a_pause_before_a_question_that_is_cut_short_is_made_again() -> None:
    """Somebody goes on at once since an earlier leg has arrived, and asks in time all the same."""
    second = attempted(given_up(entry_of(WAITS, leg("a"))), "a", LOST)
    pausing = attrs.evolve(second, progress=rested(second.progress), owner=None)

    entry = told_of(pausing, DELIVERED)

    assert (entry.due_at, entry.progress.rested) == (NOW, False)


def test_one_that_is_held_stays_so_until_it_is_released() -> None:
    held = attrs.evolve(
        waiting(entry_of(WAITS, THEN)), stage=Stage.HELD, wish=Wish.HOLD, due_at=None
    )

    entry = told_of(held, DELIVERED)

    assert (entry.stage, entry.due_at, entry.owner) == (Stage.HELD, None, None)


@pytest.mark.parametrize(
    ("stage", "after"), [(Stage.HELD, Stage.ENDED), (Stage.ENDED, Stage.ENDED)]
)
def test_one_that_was_over_in_doubt_has_ended_when_it_is_told_of(
    stage: Stage, after: Stage
) -> None:
    doubtful = entry_of(leg("a"), answer=LOST)
    over = attrs.evolve(
        doubtful,
        progress=leg_closed(doubtful.plan, doubtful.progress),
        stage=stage,
        owner=None,
        due_at=None,
    )

    entry = told_of(over, DELIVERED)

    assert (entry.stage, entry.due_at, entry.owner) == (after, None, None)
    assert isinstance(entry.progress.done[0].outcome, Accepted)


def wished_when_it_was_over(wish: Wish) -> Entry:
    """It was held in doubt; somebody wants something, and nobody has done it yet."""
    doubtful = entry_of(leg("a"), answer=LOST)
    progress = leg_closed(doubtful.plan, doubtful.progress)
    return attrs.evolve(doubtful, progress=progress, wish=wish, owner=None, due_at=NOW)


@pytest.mark.parametrize("wish", Wish)
def test_one_that_ends_by_what_it_is_told_of_is_due_no_more(wish: Wish) -> None:
    entry = told_of(wished_when_it_was_over(wish), DELIVERED)

    assert (entry.stage, entry.due_at, entry.owner) == (Stage.ENDED, None, None)


def test_a_cancellation_of_one_that_stays_in_doubt_is_still_to_be_done() -> None:
    entry = told_of(wished_when_it_was_over(Wish.CANCEL), Status(state=State.NOT_FOUND))

    assert (entry.stage, entry.due_at, entry.wish) == (Stage.UNDER_WAY, NOW, Wish.CANCEL)


def test_one_in_doubt_that_failed_after_all_has_ended_as_refused() -> None:
    doubtful = entry_of(leg("a"), answer=LOST)
    progress = leg_closed(doubtful.plan, doubtful.progress)
    held = attrs.evolve(doubtful, progress=progress, stage=Stage.HELD, owner=None, due_at=None)

    entry = told_of(held, UNDELIVERED)

    assert entry.stage is Stage.ENDED
    assert isinstance(entry.progress.done[0].outcome, Refused)


def test_of_one_that_was_erased_no_words_and_no_name_are_kept() -> None:
    entry = waiting(entry_of(WAITS, THEN))
    erased = attrs.evolve(entry, plan=attrs.evolve(entry.plan, recipient=ERASED))
    told = attrs.evolve(
        DELIVERED, code="1", detail="to Anna", provider_id="17", raw={"phone": "79990000001"}
    )

    known = told_of(erased, told)

    assert known.progress.attempts[0].status == attrs.evolve(DELIVERED, code="1")
    assert told_of(entry, told).progress.attempts[0].status == told


# --- late -----------------------------------------------------------------------------------


def costing(amount: str) -> Any:
    def answer(_message: Message, attempt: Attempt) -> Outcome:
        taken = accepted(attempt, provider_id=attempt.own_id)
        return Accepted(attrs.evolve(taken.receipt, cost=Decimal(amount)))

    return answer


def test_a_receipt_that_comes_late_is_counted_with_its_cost() -> None:
    provider = CallingProvider([costing("0.10"), costing("2.50")], capabilities=NEVER_ASKED)
    with scene(leg("a", within_s=20), leg("a", channel="call"), a=provider) as on:
        delivery = on.send()
        on.pass_time(20.0)
        assert on.notifier.get(delivery.id).channel == "call"

        on.tell(event(delivery, DELIVERED))

        late = on.notifier.get(delivery.id)
        assert (late.channel, late.status, late.cost) == ("sms", DELIVERED, Decimal("2.60"))
        assert [result.channel for result in late.late] == ["sms"]
        assert on.diary.changes[-1] == ("ended", "delivered")
