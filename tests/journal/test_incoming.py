"""What people send is kept once, however often it is told, and handed to one worker at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notify_core.callback import Incoming, IncomingKind, Trust
from notify_core.clock import SystemClock
from notify_core.config.model import JournalConfig, TextAtRest
from notify_core.errors import JournalError
from notify_core.journal.base import Journal
from notify_core.journal.cursors import LEAST_PAUSE, CursorStore
from notify_core.journal.incoming import IncomingStore
from notify_core.journal.incoming_purge import waiting_from
from notify_core.journal.model import Part
from notify_core.journal.opening import open_journal
from notify_core.journal.received import Received, Standing, Wanted
from notify_core.journal.sightings import WINDOW, Sighting
from notify_core.secret import Secret
from tests.journal.making import NOW, TYPES, journal_config

SENDER = "+79991234567"
LEASE = NOW + timedelta(seconds=60)
MINUTE = timedelta(minutes=1)
AT_ONCE = timedelta(0)


def polled(provider_id: str, at: datetime = NOW, **more: object) -> Sighting:
    """A message as a provider tells it that is asked."""
    return told(at, provider_id=provider_id, received_at=at, **more)


def called(at: datetime = NOW, **more: object) -> Sighting:
    """The same as a call tells it, which has neither id nor time."""
    return told(at, **more)


def told(at: datetime, **more: object) -> Sighting:
    facts = {"provider": "a", "sender": SENDER, "to": "1234", "text": "yes", "trust": Trust.PROVEN}
    return Sighting(incoming=Incoming(**facts | more), at=at)  # type: ignore[arg-type]


@pytest.fixture
def store(journal: Journal) -> IncomingStore:
    return IncomingStore(journal.database, journal.seal)


@pytest.fixture
def cursors(journal: Journal) -> CursorStore:
    return CursorStore(journal.database)


@pytest.fixture(scope="module")
def in_memory() -> Iterator[Journal]:
    """A journal for many examples of one test, which empties it."""
    config = JournalConfig(url=Secret("memory:"))
    opened = open_journal(config, TYPES, SystemClock())
    yield opened
    opened.close()


def kept(store: IncomingStore) -> Sequence[Received]:
    return store.search(Wanted(limit=1000))


def add(store: IncomingStore, *sightings: Sighting) -> list[str]:
    """Tell these one after the other; return the ids of what is new."""
    return [each for one in sightings for each in store.add([one], NOW)]


# --- once -----------------------------------------------------------------------------------


def test_all_that_was_told_comes_back(store: IncomingStore) -> None:
    """A row is the message again."""
    message = told(
        NOW,
        provider_id="77",
        received_at=NOW,
        sent_at=NOW - MINUTE,
        channel="viber",
        raw={"mes": "yes", "n": [1, None]},
    )

    (received_id,) = store.add([attrs.evolve(message, delivery_id="d")], NOW)

    found = store.load(received_id)
    assert found is not None
    assert found.incoming == message.incoming
    assert (found.at, found.delivery_id, found.standing) == (NOW, "d", Standing.WAITING)


def test_one_id_is_one_message(store: IncomingStore) -> None:
    """Even if it says something else the second time."""
    assert len(add(store, polled("1"), polled("1"), polled("1", text="otherwise"))) == 1


def test_two_ids_are_two_messages(store: IncomingStore) -> None:
    """Somebody who says yes twice within a minute says it twice."""
    assert len(add(store, polled("1"), polled("2", NOW + MINUTE))) == 2


@pytest.mark.parametrize(
    "other",
    [
        {"provider": "b"},
        {"sender": "+79991234568"},
        {"to": "4321"},
        {"text": "no"},
        {"kind": IncomingKind.CALL},
    ],
    ids=lambda other: next(iter(other)),
)
def test_what_differs_is_another_message(store: IncomingStore, other: dict[str, object]) -> None:
    """A call tells no id; what it says is all there is."""
    assert len(add(store, called(), called(**other))) == 2


def test_a_call_that_is_repeated_is_one_message(store: IncomingStore) -> None:
    """Within some minutes; later it is somebody who says so again."""
    later, much_later = NOW + WINDOW, NOW + WINDOW * 2 + MINUTE

    assert len(add(store, called(), called(later))) == 1
    assert len(add(store, called(much_later))) == 1


def test_a_call_with_a_time_is_known_by_it(store: IncomingStore) -> None:
    """One that is replayed days later is known; another second is another call."""
    first = told(NOW, kind=IncomingKind.CALL, received_at=NOW)
    second = told(NOW + MINUTE, kind=IncomingKind.CALL, received_at=NOW + MINUTE)

    assert len(add(store, first, second, first, second)) == 2


def test_line_ends_and_plus_signs_make_no_difference(store: IncomingStore) -> None:
    """A form writes them otherwise than JSON."""
    one = called(text="yes,\r\nplease", to="+79990000000")

    assert len(add(store, one, polled("1", text="yes,\nplease", to="79990000000"))) == 1


@pytest.mark.parametrize("order", [*permutations(range(4))], ids=str)
def test_two_equal_messages_by_both_ways_are_two_in_any_order(
    store: IncomingStore, order: tuple[int, ...]
) -> None:
    """Each is told by a call and, with its id, by polling."""
    later = NOW + MINUTE
    ways = [polled("1"), polled("2", later), called(NOW + MINUTE / 2), called(later + MINUTE)]

    add(store, *(ways[number] for number in order))

    assert {each.incoming.provider_id for each in kept(store)} == {"1", "2"}


_MESSAGES = st.lists(
    st.tuples(
        st.sampled_from([SENDER, "+79991234568"]),
        st.sampled_from(["yes", "no"]),
        st.integers(0, 3),  # hours: what is said again within minutes is tested above
    ),
    unique=True,
    min_size=1,
    max_size=5,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(messages=_MESSAGES, data=st.data())
def test_shuffled_and_doubled_tellings_end_alike(
    in_memory: Journal, messages: list[tuple[str, str, int]], data: st.DataObject
) -> None:
    """Each message is told by polling, perhaps by calls too, in any order and any number."""
    in_memory.database.write(lambda executor: executor.execute("DELETE FROM notify_incoming", {}))
    store = IncomingStore(in_memory.database, in_memory.seal)
    tellings = []
    for number, (sender, text, hour) in enumerate(messages):
        at = NOW + timedelta(hours=hour)
        by_polling = polled(str(number), at, sender=sender, text=text)
        by_call = called(at + MINUTE, sender=sender, text=text)
        tellings += [by_polling] * data.draw(st.integers(1, 2))
        tellings += [by_call] * data.draw(st.integers(0, 2))

    add(store, *data.draw(st.permutations(tellings)))

    found = [(each.incoming.provider_id, each.incoming.text, each.at) for each in kept(store)]
    assert sorted(found) == [
        (str(number), text, NOW + timedelta(hours=hour))
        for number, (_, text, hour) in enumerate(messages)
    ]


def test_those_who_tell_at_once_make_one_of_it(journal: Journal, store: IncomingStore) -> None:
    """A receiver and a poller: the second looks only when the first has committed."""
    other = IncomingStore(journal.database, journal.seal)
    second = threading.Thread(target=lambda: other.add([polled("1")], NOW))

    def begin_the_second(*_: object) -> None:
        second.start()
        second.join(0.3)  # it must still be waiting then

    store.accompany(begin_the_second)
    store.add([called()], NOW)
    second.join()

    assert [each.incoming.provider_id for each in kept(store)] == ["1"]


def test_what_is_told_with_a_name_later_keeps_the_time_of_the_call(store: IncomingStore) -> None:
    """Where the provider tells none: it is asked much later than it has called."""
    add(store, called())

    add(store, told(NOW + 100 * MINUTE, provider_id="1", text="yes"))

    (found,) = kept(store)
    assert (found.at, found.incoming.provider_id) == (NOW, "1")


def test_a_message_that_nobody_kept_cannot_have_been_said_before(store: IncomingStore) -> None:
    """What was said within minutes is a repeated call, and not a replay."""
    much_later = NOW + WINDOW + MINUTE
    assert not store.may_be_said_before(called(much_later))

    add(store, called())

    assert store.may_be_said_before(called(much_later))
    assert not store.may_be_said_before(called(NOW + MINUTE))
    assert not store.may_be_said_before(called(much_later, text="no"))


def test_what_is_kept_no_more_may_be_anything(journal: Journal, store: IncomingStore) -> None:
    """Of this sender alone."""
    add(store, called())
    heard(store)
    journal.purge(Part.TEXT, datetime(2100, 1, 1, tzinfo=UTC))

    assert store.may_be_said_before(called(text="no"))
    assert not store.may_be_said_before(called(text="no", sender="+79991234568"))


def test_what_no_database_takes_is_kept(store: IncomingStore) -> None:
    """Whatever a plugin gives: a NUL, half a character, an object."""
    strange = {"text": "a\0b\ud800", "raw": {"x": object()}, "sender": "a\0\ud800"}

    add(store, called(**strange), called(**strange))

    (found,) = kept(store)
    assert found.incoming.sender == "a\\0\\ud800"
    assert found.incoming.text.startswith("a")


# --- telling --------------------------------------------------------------------------------


def test_two_workers_never_have_the_same(store: IncomingStore) -> None:
    """What one has the others leave alone until its lease has ended."""
    add(store, polled("1"), polled("2"))

    mine, yours = store.claim("me", NOW, LEASE), store.claim("you", NOW, LEASE)
    taken_over = store.claim("you", LEASE, LEASE + MINUTE)

    assert mine is not None
    assert yours is not None
    assert mine.id != yours.id
    assert store.claim("third", NOW, LEASE) is None
    assert taken_over is not None
    assert taken_over.tries == 2


def test_a_lost_lease_is_noticed(store: IncomingStore) -> None:
    """Whoever comes back too late does not overwrite what the other has written."""
    add(store, polled("1"))
    slow = store.claim("me", NOW, LEASE)
    quick = store.claim("me", LEASE, LEASE + MINUTE)
    assert slow is not None
    assert quick is not None

    assert store.settle(quick, None)
    assert not store.settle(slow, NOW)
    assert kept(store)[0].standing is Standing.TOLD


def test_who_has_been_told_and_who_failed_is_kept(store: IncomingStore) -> None:
    """It is due again until it is given up, and then found by that."""
    add(store, polled("1"), polled("2"))
    claimed = store.claim("me", NOW, LEASE)
    assert claimed is not None
    told = attrs.evolve(claimed, done=("x",), failed={"y": "ValueError"})

    store.settle(told, NOW + MINUTE)
    waits = store.claim("me", NOW + MINUTE, LEASE + MINUTE)
    assert waits is not None
    while waits.id != claimed.id:
        store.settle(waits, None)
        waits = store.claim("me", NOW + MINUTE, LEASE + MINUTE)
        assert waits is not None
    assert (waits.done, waits.failed, waits.tries) == (("x",), {"y": "ValueError"}, 2)
    store.settle(waits, None)

    assert [each.id for each in store.search(Wanted(standing=Standing.GIVEN_UP))] == [claimed.id]
    assert len(store.search(Wanted(standing=Standing.TOLD))) == 1
    assert store.search(Wanted(standing=Standing.WAITING)) == []


def test_what_is_given_up_can_be_told_again(store: IncomingStore) -> None:
    """To those who have not heard; one that is due anyway is left alone."""
    add(store, polled("1"))
    claimed = store.claim("me", NOW, LEASE)
    assert claimed is not None
    assert not store.repeat(claimed, NOW)
    store.settle(attrs.evolve(claimed, done=("x",), failed={"y": "ValueError"}), None)

    assert store.repeat(claimed, NOW)

    again = store.claim("me", NOW, LEASE)
    assert again is not None
    assert again.tries == 1


def test_the_next_to_be_told_is_known(store: IncomingStore) -> None:
    assert store.next_due() is None

    add(store, polled("1"))

    assert store.next_due() == NOW


# --- cursors --------------------------------------------------------------------------------


def test_one_worker_at_a_time_asks_a_provider(cursors: CursorStore) -> None:
    """Until the end of the lease nobody else does."""
    cursors.plan("a", NOW, MINUTE)

    assert cursors.claim("a", "me", NOW, LEASE) is not None
    assert cursors.claim("a", "you", NOW, LEASE) is None
    assert cursors.claim("a", "you", LEASE, LEASE + MINUTE) is not None


def test_the_cursor_moves_with_what_is_kept(cursors: CursorStore, store: IncomingStore) -> None:
    """Both or neither: what fails while it is kept leaves the cursor where it was."""
    cursors.plan("a", NOW, MINUTE)
    cursor = cursors.claim("a", "me", NOW, LEASE)
    assert cursor is not None

    with pytest.raises(JournalError):
        cursors.move(cursor, "5", LEASE, lambda executor: _broken(executor, store))
    assert kept(store) == []

    new = cursors.move(
        cursor, "5", LEASE, lambda executor: store.added(executor, [polled("1")], NOW)
    )
    again = cursors.claim("a", "me", LEASE, LEASE + MINUTE)
    assert len(new) == 1
    assert again is not None
    assert again.after == "5"


def _broken(executor: object, store: IncomingStore) -> list[str]:
    store.added(executor, [polled("1")], NOW)  # type: ignore[arg-type]
    raise JournalError("the disk is full")


def test_until_when_all_was_told_is_known(cursors: CursorStore) -> None:
    """A question that was not answered, or not with all, changes nothing about it."""
    for minute, has_told_all in enumerate((False, True, False)):
        at = NOW + minute * MINUTE
        cursors.hurry("a", at)
        cursor = cursors.claim("a", "me", at, at + MINUTE)
        assert cursor is not None
        assert cursor.told_until == (NOW + MINUTE if minute > 1 else None)
        cursors.move(cursor, "5", None, lambda _: [], has_told_all=has_told_all)

    cursors.hurry("a", NOW + 3 * MINUTE)
    last = cursors.claim("a", "me", NOW + 3 * MINUTE, NOW + 4 * MINUTE)

    assert last is not None
    assert last.told_until == NOW + MINUTE


def test_who_has_lost_the_lease_keeps_nothing(cursors: CursorStore, store: IncomingStore) -> None:
    """Somebody else is told the same, and moves the cursor."""
    cursors.plan("a", NOW, MINUTE)
    slow = cursors.claim("a", "me", NOW, LEASE)
    quick = cursors.claim("a", "you", LEASE, LEASE + MINUTE)
    assert slow is not None
    assert quick is not None

    cursors.move(slow, "5", NOW, lambda executor: store.added(executor, [polled("1")], NOW))

    assert kept(store) == []
    assert cursors.due() == {"a": LEASE + MINUTE}


def test_a_hint_is_never_followed_more_often_than_the_least_pause(cursors: CursorStore) -> None:
    """Anybody can make such a call, and the provider allows few questions."""
    assert cursors.hurry("a", NOW) == NOW
    cursor = cursors.claim("a", "me", NOW, LEASE)
    assert cursor is not None
    cursors.move(cursor, None, None, lambda _: [])
    assert cursors.due() == {}

    soon = cursors.hurry("a", NOW + timedelta(seconds=5))

    assert soon == NOW + LEAST_PAUSE
    assert cursors.due() == {"a": soon}
    assert cursors.hurry("a", NOW + timedelta(hours=1)) == NOW + timedelta(hours=1)
    assert cursors.due() == {"a": soon}


def test_a_hint_during_a_question_has_it_asked_once_more(cursors: CursorStore) -> None:
    """What it is about may have come after the provider was asked."""
    cursors.plan("a", NOW, MINUTE)
    cursor = cursors.claim("a", "me", NOW, LEASE)
    assert cursor is not None

    cursors.hurry("a", NOW + timedelta(seconds=2))
    cursors.move(cursor, "5", NOW + timedelta(hours=1), lambda _: [])

    assert cursors.due() == {"a": NOW + LEAST_PAUSE}


def test_a_shorter_pause_counts_at_once(cursors: CursorStore) -> None:
    """A configuration that is changed need not wait for the old pause to end."""
    cursors.plan("a", NOW, timedelta(days=1))
    cursor = cursors.claim("a", "me", NOW, LEASE)
    assert cursor is not None
    cursors.move(cursor, None, NOW + timedelta(days=1), lambda _: [])

    cursors.plan("a", NOW, MINUTE)

    assert cursors.due() == {"a": NOW + MINUTE}


# --- asking ---------------------------------------------------------------------------------


def test_the_newest_come_first_page_by_page(store: IncomingStore) -> None:
    """A page goes on behind the last one of the page before."""
    ids = add(store, *(polled(str(number)) for number in range(5)))

    first = store.search(Wanted(limit=3))
    second = store.search(Wanted(limit=3, after_id=first[-1].id))

    assert [each.id for each in (*first, *second)] == sorted(ids, reverse=True)


def test_what_is_looked_for_is_found(store: IncomingStore) -> None:
    (one,) = add(store, attrs.evolve(polled("1"), delivery_id="d"))
    (two,) = add(store, polled("2", provider="b", sender="x", kind=IncomingKind.CALL))

    def found(wanted: Wanted) -> list[str]:
        return [each.id for each in store.search(wanted)]

    assert found(Wanted(sender=SENDER)) == [one]
    assert found(Wanted(provider="b")) == [two]
    assert found(Wanted(kind=IncomingKind.CALL)) == [two]
    assert found(Wanted(delivery_id="d")) == [one]
    assert found(Wanted(before=datetime(2020, 1, 1, tzinfo=UTC))) == []
    assert len(found(Wanted(after=datetime(2020, 1, 1, tzinfo=UTC)))) == 2


# --- keeping house --------------------------------------------------------------------------


def heard(store: IncomingStore) -> None:
    """Have everything told."""
    while received := store.claim("me", NOW, LEASE):
        store.settle(received, None)


def test_what_is_old_is_purged_once_it_was_told(journal: Journal, store: IncomingStore) -> None:
    """First what it says, then from whom, then the rest."""
    add(store, polled("1"), polled("2"))
    late = datetime(2100, 1, 1, tzinfo=UTC)
    assert journal.purge(Part.TEXT, late) == 0
    heard(store)

    assert journal.purge(Part.TEXT, datetime(2020, 1, 1, tzinfo=UTC)) == 0
    assert (journal.purge(Part.TEXT, late), journal.purge(Part.TEXT, late)) == (2, 0)
    bare = kept(store)[0]
    assert (bare.incoming.text, bare.incoming.sender, bare.text_kept) == ("", SENDER, False)
    assert (journal.purge(Part.NUMBERS, late), journal.purge(Part.NUMBERS, late)) == (2, 0)
    assert kept(store)[0].incoming.sender == ""
    assert add(store, polled("1")) == []
    assert (journal.purge(Part.ROWS, late), kept(store)) == (2, [])


def test_what_somebody_sent_is_erased_once_it_was_told(
    journal: Journal, store: IncomingStore
) -> None:
    """Nothing of others, and what the application has still to hear is counted."""
    add(store, polled("1"), polled("2", sender="+79991234568"))
    assert journal.erase(SENDER) == (0, 1)
    assert len(waiting_from(journal.database, SENDER)) == 1
    heard(store)

    assert journal.erase(SENDER) == (1, 0)

    assert sorted(each.incoming.sender for each in kept(store)) == ["", "+79991234568"]


def test_nothing_of_number_or_text_is_left_in_the_row(
    journal: Journal, store: IncomingStore
) -> None:
    """Nor a hash of them: numbers are few enough to try them all."""
    add(store, called(text="a word"), polled("1"))
    heard(store)
    journal.erase(SENDER)

    rows = journal.database.read(
        lambda executor: executor.execute("SELECT id, fingerprint FROM notify_incoming", {})
    )
    fingerprints = {fingerprint for _, fingerprint in rows}
    assert fingerprints - {each for each, _ in rows} == {polled("1").fingerprint}


def test_a_journal_without_texts_has_them_until_they_are_told(tmp_path: Path) -> None:
    """Else nobody could be told: a message that came in cannot be asked for again."""
    config = journal_config(f"sqlite:///{tmp_path / 'notify.db'}", text=TextAtRest.NEVER)
    opened = open_journal(config, TYPES, SystemClock())
    store = IncomingStore(opened.database, opened.seal)

    add(store, polled("1"))
    before = kept(store)[0]
    heard(store)
    after = kept(store)[0]
    opened.close()

    assert (before.incoming.text, after.incoming.text) == ("yes", "")


def test_a_text_whose_key_is_lost_is_told_to_nobody(tmp_path: Path) -> None:
    """It says what is wrong, and the row stays."""
    fernet = pytest.importorskip("cryptography.fernet")
    keys = [Secret(fernet.Fernet.generate_key().decode()) for _ in range(2)]
    url = f"sqlite:///{tmp_path / 'notify.db'}"
    for key in keys:
        opened = open_journal(journal_config(url, text_keys=(key,)), TYPES, SystemClock())
        store = IncomingStore(opened.database, opened.seal)
        add(store, polled("1"))
        (found,) = kept(store)
        opened.close()

    assert found.problem is not None
    assert "another key" in found.problem
    assert b"yes" not in (tmp_path / "notify.db").read_bytes()
