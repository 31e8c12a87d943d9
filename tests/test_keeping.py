"""What is kept between the steps of a delivery, and what follows when it cannot be kept."""

from __future__ import annotations

import queue
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import pytest

from notify_core import (
    Accepted,
    Attempt,
    FailureScope,
    JournalError,
    KeyConflict,
    Message,
    Notifier,
    NotSent,
    Outcome,
    Priority,
    Receipt,
    RefusalScope,
    Refused,
    Secret,
    Sms,
    Stage,
    State,
    Status,
    Unknown,
    hookimpl,
)
from notify_core.clock import SystemClock
from notify_core.config.model import Config, JournalConfig, LegConfig, Retry, Route, Via
from notify_core.journal.codec import fingerprint
from notify_core.journal.model import Entry, Filter, Part
from notify_core.journal.seal import Unsealed
from notify_core.journal.sql import SqlJournal
from notify_core.journal.sqlite import SqliteDatabase
from notify_core.keeping import Journalled, Kept, Leases
from notify_core.progress import Wish, attempt_began
from notify_core.testing import (
    ManualClock,
    ScriptedProvider,
    accepted,
    notifier_with,
    scripted_config,
)

LOST = Unknown("the answer was lost")
DOWN = NotSent("out of reach", FailureScope.PROVIDER)
BUSY = NotSent("too many requests", FailureScope.THROTTLED, retry_after_s=5)
BAD_NUMBER = Refused("no such number", RefusalScope.RECIPIENT)
ONE, TWO, THREE = "+79990000001", "+79990000002", "+79990000003"


def sms(*to: str, **more: object) -> Sms:
    return Sms(to=to or (ONE,), text="hello", **more)  # type: ignore[arg-type]


@attrs.define
class Place:
    """A journal in a file, and notifiers on it."""

    url: Secret
    stack: ExitStack
    clock: ManualClock = attrs.field(factory=ManualClock)

    @property
    def path(self) -> str:
        return self.url.reveal().removeprefix("sqlite:///")

    def notifier(self, *routes: Route, real_time: bool = False, **more: object) -> Notifier:
        """Return a notifier; ``lease`` beside the providers is the length of its leases."""
        lease = more.pop("lease", timedelta(seconds=60))
        config: Config = attrs.evolve(
            scripted_config(*routes, **more),  # type: ignore[arg-type]
            journal=JournalConfig(url=self.url, lease=lease),  # type: ignore[arg-type]
            retry=Retry(jitter=0),
        )
        clock = SystemClock() if real_time else self.clock
        return self.stack.enter_context(notifier_with(config, clock=clock))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with ExitStack() as stack:
        yield Place(Secret(f"sqlite:///{tmp_path}/notify.db"), stack)


class Looks(ScriptedProvider):
    """Do something while a message is being sent."""

    def __init__(self, look: Callable[[Attempt], object], outcome: Outcome | None = None) -> None:
        super().__init__()
        self._look = look
        self._outcome = outcome

    @hookimpl
    def notify_send(self, message: Message, attempt: Attempt) -> Outcome:
        self.sent.append((message, attempt))
        self._look(attempt)
        return self._outcome or accepted(attempt)


# --- before and after the request -----------------------------------------------------------


def test_the_attempt_is_in_the_journal_before_the_request_leaves(place: Place) -> None:
    seen: list[tuple[int, Outcome | None]] = []
    other = place.notifier(a=ScriptedProvider())

    def look(attempt: Attempt) -> None:
        (found,) = other.get(attempt.delivery_id).attempts
        seen.append((found.number, found.answer))

    place.notifier(a=Looks(look)).send(sms())

    assert seen == [(1, None)]


def test_all_recipients_are_written_before_the_first_message_leaves(place: Place) -> None:
    written: list[int] = []
    other = place.notifier(a=ScriptedProvider())
    provider = Looks(lambda _: written.append(len(other.journal.search(Filter()))))

    place.notifier(a=provider).send(sms(ONE, TWO, THREE))

    assert written == [3, 3, 3]


def test_nothing_leaves_if_the_journal_cannot_be_written(place: Place) -> None:
    provider = ScriptedProvider()
    notifier = place.notifier(a=provider)

    with journal_away(place), pytest.raises(JournalError, match="no such table"):
        notifier.send(sms())

    assert provider.sent == []
    assert notifier.journal.search(Filter()) == []


def test_a_report_is_true_though_the_journal_fails_after_the_message_left(place: Place) -> None:
    broken = ExitStack()
    provider = Looks(lambda _: broken.enter_context(journal_away(place)))
    notifier = place.notifier(a=provider)

    (delivery,) = notifier.send(sms())
    broken.close()
    other = place.notifier(a=(knows := ScriptedProvider(statuses=[State.DELIVERED])))
    place.clock.advance(61)
    other.worker().work_off()
    place.clock.advance(2)
    other.worker().work_off()

    assert delivery.accepted
    assert delivery.warnings == ("the journal could not be told how it stands",)
    assert len(knows.asked) == 1
    assert knows.sent == []
    assert other.get(delivery.id).accepted


def test_what_was_heard_before_the_journal_failed_is_in_the_report(place: Place) -> None:
    """The second attempt cannot be written, so it is not made; a worker makes it later."""
    broken = ExitStack()

    def break_it(_message: Message, _attempt: Attempt) -> Outcome:
        broken.enter_context(journal_away(place))
        return DOWN

    second = ScriptedProvider()
    notifier = place.notifier(a=ScriptedProvider([break_it]), b=second)

    (delivery,) = notifier.send(sms())
    broken.close()
    sent = list(second.sent)
    for _ in range(5):
        place.clock.advance(61)
        notifier.worker().work_off()

    assert sent == []
    assert [attempt.answer for attempt in delivery.attempts] == [DOWN]
    assert delivery.under_way
    assert delivery.warnings[0].startswith("it cannot be carried on now: journal")
    assert notifier.get(delivery.id).accepted


@contextmanager
def journal_away(place: Place) -> Iterator[None]:
    """Let nothing be written: somebody has taken a table away."""
    with closing(sqlite3.connect(place.path)) as connection:
        connection.execute("ALTER TABLE notify_deliveries RENAME TO away")
        yield
        connection.execute("ALTER TABLE away RENAME TO notify_deliveries")


# --- leases ---------------------------------------------------------------------------------


def test_a_lease_lasts_as_long_as_the_message_is_being_sent(place: Place) -> None:
    """The provider takes longer than a lease, and somebody else looks for work meanwhile."""
    other = place.notifier(a=(idle := ScriptedProvider()), real_time=True)
    worked: list[int] = []

    def slow(_: Attempt) -> None:
        for _ in range(8):
            time.sleep(0.3)
            worked.append(other.worker().work_off())

    notifier = place.notifier(a=Looks(slow), real_time=True, lease=timedelta(seconds=1))

    (delivery,) = notifier.send(sms())

    assert delivery.accepted
    assert worked == [0] * 8
    assert idle.asked == []


def test_what_is_heard_under_a_lease_that_was_lost_is_added_to_the_journal(place: Place) -> None:
    """Whoever took over has found nothing yet; the answer of the call itself counts."""
    other = place.notifier(a=ScriptedProvider())

    def stall(_: Attempt) -> None:
        place.clock.advance(61)
        other.worker().work_off()

    (delivery,) = place.notifier(a=Looks(stall)).send(sms())
    other.worker().work_off()

    assert delivery.accepted
    assert other.get(delivery.id).accepted
    assert other.get(delivery.id).receipt == delivery.receipt


def claimed(notifier: Notifier, owner: str, now: datetime) -> Sequence[Entry]:
    until = now + timedelta(seconds=60)
    return notifier.journal.claim(owner, now, until, list(Priority), 1)


def test_who_has_heard_nothing_new_does_not_disturb_who_took_over(place: Place) -> None:
    provider = ScriptedProvider([LOST])
    notifier = place.notifier(a=provider)
    (delivery,) = notifier.send(sms())
    place.clock.advance(2)
    (old,) = claimed(notifier, "old", place.clock.now())
    place.clock.advance(61)
    (new,) = claimed(notifier, "new", place.clock.now())

    carried = notifier._versions.live.carrier.carry(old)

    left = notifier.journal.load(delivery.id)
    assert carried.lease == new.lease
    assert left is not None
    assert (left.lease, left.owner, left.due_at) == (new.lease, "new", new.due_at)


class NotesLeases(SqlJournal):
    """Notes which leases were lengthened."""

    def __init__(self) -> None:
        super().__init__(SqliteDatabase(":memory:"), {}, Unsealed(), SystemClock())
        self.lengthened = queue.SimpleQueue[Sequence[str]]()

    def extend(self, owner: str, delivery_ids: Sequence[str], until: datetime) -> None:
        super().extend(owner, delivery_ids, until)
        self.lengthened.put(list(delivery_ids))


def test_a_lease_that_two_threads_have_is_kept_alive_until_both_have_done() -> None:
    """The first has lost its own and does not know it yet; the second has a new one."""
    with closing(NotesLeases()) as journal:
        leases = Leases(journal, SystemClock(), timedelta(seconds=0.03))
        leases.hold(["one", "two"])
        leases.hold(["one"])

        leases.drop(["one", "two"])
        journal.lengthened.get(timeout=5)
        after_the_first = journal.lengthened.get(timeout=5)
        leases.drop(["one"])
        time.sleep(0.1)
        leases.close()
        while not journal.lengthened.empty():
            journal.lengthened.get()

    assert after_the_first == ["one"]


class ThinksBetterOfIt(SqlJournal):
    """Whoever wanted a delivery held takes the wish back just before it is looked at."""

    def load(self, delivery_id: str) -> Entry | None:
        self.wish(delivery_id, None, datetime(2030, 1, 1, tzinfo=UTC))
        return super().load(delivery_id)


def test_an_attempt_is_written_though_somebody_wanted_it_held_for_a_moment(place: Place) -> None:
    """What is not written may not leave."""
    notifier = place.notifier(a=ScriptedProvider())
    notifier.enqueue(sms())
    database = SqliteDatabase(place.path)
    with closing(ThinksBetterOfIt(database, {"sms": Sms}, Unsealed(), place.clock)) as journal:
        leases = Leases(journal, place.clock, timedelta(seconds=60))
        keeper = Journalled(Kept(journal, leases, JournalConfig(url=place.url)), place.clock)
        (entry,) = claimed(notifier, leases.owner, place.clock.now())
        journal.wish(entry.id, Wish.HOLD, place.clock.now())

        began, attempt = attempt_began(entry.plan, entry.progress, "a", place.clock.now())
        begun = keeper.begin(entry, began)

    assert begun.wish is None
    assert notifier.get(entry.id).attempts == (attempt,)


# --- decisions while something is in doubt ---------------------------------------------------


@pytest.mark.parametrize("wish", [Wish.CANCEL, Wish.HOLD])
def test_a_decision_does_not_cut_short_the_pause_before_a_question(
    place: Place, wish: Wish
) -> None:
    """It is there so that a message that is late is found."""
    provider = ScriptedProvider([LOST])
    notifier = place.notifier(a=provider)
    (delivery,) = notifier.send(sms())

    getattr(notifier, wish.value)(delivery.id)
    notifier.worker().work_off()

    assert provider.asked == []


def test_a_cancellation_is_not_forgotten_by_holding_and_releasing(place: Place) -> None:
    provider = ScriptedProvider([DOWN])
    notifier = place.notifier(a=provider)
    (delivery,) = notifier.send(sms())
    notifier.journal.wish(delivery.id, Wish.CANCEL, place.clock.now())

    notifier.journal.wish(delivery.id, Wish.HOLD, place.clock.now())
    place.clock.advance(60)
    notifier.worker().work_off()

    assert notifier.get(delivery.id).stage is Stage.ENDED
    assert len(provider.sent) == 1


def test_a_cancellation_is_not_taken_back_by_releasing_what_is_being_sent(place: Place) -> None:
    provider = Looks(lambda attempt: decide_against(attempt.delivery_id), DOWN)
    notifier = place.notifier(a=provider)

    def decide_against(delivery_id: str) -> None:
        notifier.cancel(delivery_id)
        notifier.release(delivery_id)

    (delivery,) = notifier.send(sms())
    for _ in range(5):
        place.clock.advance(61)
        notifier.worker().work_off()

    assert len(provider.sent) == 1
    assert notifier.get(delivery.id).stage is Stage.ENDED


def test_a_pause_that_was_cut_short_by_holding_is_made_again(place: Place) -> None:
    provider = ScriptedProvider([LOST])
    notifier = place.notifier(a=provider)
    (delivery,) = notifier.send(sms())
    place.clock.advance(1)
    notifier.hold(delivery.id)

    notifier.release(delivery.id)
    notifier.worker().work_off()
    at_once = list(provider.asked)
    place.clock.advance(1)
    notifier.worker().work_off()

    assert at_once == []
    assert len(provider.asked) == 1


# --- statuses of what somebody kept ---------------------------------------------------------


def test_asking_about_a_delivery_that_was_kept_forgets_nothing_that_came_since(
    place: Place,
) -> None:
    two_ways = Route(
        name="default",
        legs=(
            LegConfig(via=Via(providers=("a",)), channel="viber"),
            LegConfig(via=Via(providers=("b",)), channel="sms"),
        ),
    )
    notifier = place.notifier(
        two_ways,
        a=ScriptedProvider([DOWN] * 3),
        b=ScriptedProvider(statuses=[State.DELIVERED]),
    )
    (kept,) = notifier.send(sms())
    for _ in range(3):
        place.clock.advance(30)
        notifier.worker().work_off()

    fetched = notifier.fetch_status(kept)

    assert [leg.channel for leg in kept.legs] == ["viber"]
    assert [leg.channel for leg in fetched.legs] == ["viber", "sms"]
    assert fetched.accepted
    assert notifier.get(kept.id) == fetched


def test_a_delivery_that_somebody_holds_stays_held_when_it_is_asked_about(place: Place) -> None:
    notifier = place.notifier(a=ScriptedProvider())
    (delivery_id,) = notifier.enqueue(sms())
    held = notifier.hold(delivery_id)

    assert notifier.fetch_status(held).held


# --- what people are told -------------------------------------------------------------------


def test_an_interrupt_names_those_whom_a_worker_will_send_to(place: Place) -> None:
    def interrupt(_: Attempt) -> None:
        raise KeyboardInterrupt

    notifier = place.notifier(a=Looks(interrupt))

    with pytest.raises(KeyboardInterrupt) as caught:
        notifier.send(sms(ONE, TWO, THREE))

    assert caught.value.__notes__[0].splitlines()[1:] == [
        "  nothing",
        "may have gone, do not repeat: +79…01",
        "a worker will send it, do not repeat: +79…02",
        "a worker will send it, do not repeat: +79…03",
    ]


def test_what_cannot_be_kept_is_refused_before_anything_leaves(place: Place) -> None:
    provider = ScriptedProvider()
    notifier = place.notifier(a=provider)

    with pytest.raises(ValueError, match="extra: a object cannot be kept") as caught:
        notifier.send(sms(extra={"smsc": {"x": object()}}))

    assert not hasattr(caught.value, "__notes__")
    assert provider.sent == []


def test_a_key_whose_deliveries_are_purged_is_no_success(place: Place) -> None:
    notifier = place.notifier(a=ScriptedProvider())
    notifier.send(sms(key="order-17"))
    place.clock.advance(3600)
    notifier.journal.purge(Part.ROWS, place.clock.now())

    with pytest.raises(JournalError, match="whose deliveries are purged; give a new message"):
        notifier.send(sms(key="order-17"))


def test_many_keys_that_are_taken_are_found_out_at_once(place: Place) -> None:
    notifier = place.notifier(a=ScriptedProvider())
    messages = [sms(key=f"order-{number}") for number in range(300)]
    first = notifier.enqueue_many(messages)
    began = time.process_time()

    again = notifier.enqueue_many([sms(key=f"order-{number}") for number in range(300)])

    assert again == first
    assert time.process_time() - began < 5


def test_a_key_for_another_text_is_refused(place: Place) -> None:
    notifier = place.notifier(a=ScriptedProvider())
    notifier.send(sms(key="order-17"))

    with pytest.raises(KeyConflict, match="says something else"):
        notifier.send(Sms(to=ONE, text="another text", key="order-17"))


def test_a_fingerprint_does_not_show_the_order_of_a_set() -> None:
    tags = {"b", "a", "c"}

    assert fingerprint(sms(tags=tags)) == fingerprint(sms(tags=sorted(tags)))


# --- acceptances that come late --------------------------------------------------------------


def test_an_acceptance_that_comes_late_is_the_outcome_though_others_were_tried_since(
    place: Place,
) -> None:
    """The first attempt was thought absent; the second did not leave."""
    took_over = ScriptedProvider([DOWN] * 9)
    other = place.notifier(a=took_over)

    def stall(_: Attempt) -> None:
        for pause in (61, 1, 2, 1):
            place.clock.advance(pause)
            other.worker().work_off()

    (delivery,) = place.notifier(a=Looks(stall)).send(sms())
    for _ in range(5):
        place.clock.advance(60)
        other.worker().work_off()

    assert len(took_over.sent) == 1
    assert isinstance(delivery.outcome, Accepted)
    assert isinstance(other.get(delivery.id).outcome, Accepted)


def test_plugins_cannot_put_into_a_receipt_what_could_not_be_kept() -> None:
    with pytest.raises(TypeError):
        Receipt(provider="a", address=ONE, cost=1.5)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Status(state=State.SENT, at="2030-01-01")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="from 0 to a year"):
        NotSent("later", FailureScope.THROTTLED, retry_after_s=1.9e12)
