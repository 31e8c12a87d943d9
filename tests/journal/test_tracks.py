"""What is followed after a provider has taken it, and when somebody asks about it next."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import timedelta

import attrs
import pytest

from notify_core.config.model import Retry
from notify_core.delivery import Stage
from notify_core.journal.base import Journal
from notify_core.journal.model import Entry, Part
from notify_core.journal.tracks import Asked, Track, Tracks
from notify_core.message import Sms
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
from notify_core.progress import (
    GIVEN_UP,
    attempt_answered,
    attempt_began,
    begin,
    leg_closed,
    question_answered,
)
from notify_core.progress.state import Rules
from notify_core.testing import ManualClock
from tests.journal.making import NOW, waiting

SECOND = timedelta(seconds=1)
FOLLOW = timedelta(days=2)
LEASE = 60 * SECOND
NUMBER = "+79990000001"
LOST = Unknown("lost")
DOWN = NotSent("out of reach", FailureScope.PROVIDER)


@pytest.fixture
def tracks(journal: Journal) -> Tracks:
    """The tracks of a journal whose provider ``a`` is asked after 5 seconds, ``c`` never."""
    tracks = Tracks(journal.database, {"a": 5.0, "b": 5.0}, FOLLOW, ManualClock(NOW))
    journal.accompany(tracks.note)
    return tracks


def sms(**more: object) -> Sms:
    return Sms(to=NUMBER, text="hi", **more)  # type: ignore[arg-type]


def taken(provider: str = "a", provider_id: str | None = "17") -> Accepted:
    return Accepted(Receipt(provider=provider, address=NUMBER, provider_id=provider_id))


def answered(entry: Entry, answer: Outcome | None, provider: str = "a") -> Entry:
    progress, _ = attempt_began(entry.plan, entry.progress, provider, NOW)
    done = progress if answer is None else attempt_answered(progress, answer, NOW)
    return attrs.evolve(entry, progress=done)


def with_two_legs(entry: Entry) -> Entry:
    (leg,) = entry.plan.legs
    plan = attrs.evolve(entry.plan, legs=(leg, attrs.evolve(leg, providers=("b",))))
    return attrs.evolve(entry, plan=plan, progress=begin(plan))


def given_up(entry: Entry) -> Entry:
    return attrs.evolve(entry, progress=leg_closed(entry.plan, entry.progress, GIVEN_UP))


def accepted_in(
    journal: Journal, number: int = 1, provider_id: str | None = "17", **more: object
) -> Entry:
    entry = answered(waiting(sms(**more), number), taken(provider_id=provider_id))
    journal.add([entry])
    return entry


def found(tracks: Tracks, entry: Entry, number: int = 1, provider: str = "a") -> Sequence[Track]:
    return tracks.find(provider, f"{entry.id}-{number}", None, NUMBER)


def claimed(
    tracks: Tracks, after_s: float, owner: str = "me", provider: str = "a", limit: int = 99
) -> list[str]:
    now = NOW + after_s * SECOND
    return sorted(t.own_id for t in tracks.claim(provider, owner, now, now + LEASE, limit))


def asked(tracks: Tracks, own_id: str, at_s: float, again_s: float | None) -> None:
    at = NOW + at_s * SECOND
    again = None if again_s is None else NOW + again_s * SECOND
    tracks.asked("me", [Asked(own_id=own_id, asked_at=at, poll_at=again)])


# --- what is followed -----------------------------------------------------------------------


def test_what_a_provider_has_taken_is_followed_from_then_on(
    journal: Journal, tracks: Tracks
) -> None:
    entry = accepted_in(journal)

    assert found(tracks, entry) == [
        Track(
            own_id=f"{entry.id}-1",
            delivery_id=entry.id,
            provider="a",
            since=NOW,
            follow_until=NOW + FOLLOW + timedelta(hours=1),
        )
    ]
    assert tracks.next_due() == NOW + 5 * SECOND


@pytest.mark.parametrize("answer", [None, DOWN], ids=["unheard", "not sent"])
def test_what_no_provider_has_taken_is_not_followed(
    journal: Journal, tracks: Tracks, answer: Outcome | None
) -> None:
    entry = answered(waiting(sms()), answer)
    journal.add([entry])

    assert found(tracks, entry) == []
    assert tracks.next_due() is None


def test_what_is_in_doubt_is_found_by_its_id_and_asked_about_when_it_was_taken(
    journal: Journal, tracks: Tracks
) -> None:
    """Whoever carries it on asks while it is in doubt; a call of the provider may tell before."""
    lost = answered(waiting(sms()), Unknown("the answer was lost", provider_id="17"))
    journal.add([lost])

    (track,) = tracks.find("a", None, "17", NUMBER)
    assert tracks.next_due() is None

    taken_after_all = attrs.evolve(lost.progress.attempts[0], resolved=taken())
    attempts = (taken_after_all,)
    journal.write(attrs.evolve(lost, progress=attrs.evolve(lost.progress, attempts=attempts)))

    assert tracks.find("a", None, "17", NUMBER) == [track]
    assert tracks.next_due() == NOW + 60 * SECOND


@pytest.mark.parametrize("answer", [None, LOST, taken()], ids=["unheard", "lost", "taken"])
def test_what_may_have_gone_on_a_leg_that_was_given_up_is_followed(
    journal: Journal, tracks: Tracks, answer: Outcome | None
) -> None:
    entry = given_up(answered(with_two_legs(waiting(sms())), answer))
    journal.add([entry])

    (track,) = found(tracks, entry)
    assert (track.provider, track.since) == ("a", NOW)


def test_each_leg_of_a_delivery_is_followed_by_itself(journal: Journal, tracks: Tracks) -> None:
    first = given_up(answered(with_two_legs(waiting(sms())), taken()))
    journal.add([first])

    journal.write(answered(first, taken("b", "18"), "b"))

    assert len(found(tracks, first, 1, "a")) == len(found(tracks, first, 2, "b")) == 1


def test_what_is_written_again_is_followed_as_it_was(journal: Journal, tracks: Tracks) -> None:
    entry = accepted_in(journal)
    claimed(tracks, 5.0)
    asked(tracks, f"{entry.id}-1", 5.0, 60.0)

    journal.write(attrs.evolve(entry, stage=Stage.ENDED, due_at=None))

    (track,) = found(tracks, entry)
    assert (track.asked, track.asked_at) == (1, NOW + 5 * SECOND)
    assert tracks.next_due() == NOW + 60 * SECOND


def test_a_provider_that_is_never_asked_is_followed_all_the_same(
    journal: Journal, tracks: Tracks
) -> None:
    """It may call."""
    entry = answered(waiting(sms()), taken("c"), "c")
    journal.add([entry])

    assert len(found(tracks, entry, provider="c")) == 1
    assert tracks.next_due() is None


def test_what_was_found_by_asking_is_not_asked_about_at_once_again(
    journal: Journal, tracks: Tracks
) -> None:
    lost = answered(waiting(sms()), LOST)
    rules = Rules(retry=Retry(), ask_after_s={"a": (1.0,)})
    progress = question_answered(lost.plan, lost.progress, Status(state=State.SENT), rules)
    entry = attrs.evolve(lost, progress=progress)

    journal.add([entry])

    assert tracks.next_due() == NOW + 60 * SECOND


@pytest.mark.parametrize(
    ("valid_for", "followed"),
    [
        (None, FOLLOW),
        (timedelta(hours=5), timedelta(hours=5)),
        (timedelta(days=9), FOLLOW),
    ],
)
def test_a_message_is_followed_for_as_long_as_it_was_worth_delivering_and_a_little_longer(
    journal: Journal, tracks: Tracks, valid_for: timedelta | None, followed: timedelta
) -> None:
    entry = accepted_in(journal, valid_for=valid_for)

    (track,) = found(tracks, entry)
    assert track.follow_until == NOW + followed + timedelta(hours=1)


def test_an_id_of_the_provider_that_is_heard_later_is_added(
    journal: Journal, tracks: Tracks
) -> None:
    entry = accepted_in(journal, provider_id=None)
    assert tracks.find("a", None, "17", NUMBER) == []

    known = attrs.evolve(entry.progress.attempts[0], answer=taken())
    journal.write(attrs.evolve(entry, progress=attrs.evolve(entry.progress, attempts=(known,))))

    assert [each.own_id for each in tracks.find("a", None, "17", NUMBER)] == [f"{entry.id}-1"]


# --- finding --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("provider", "own_id", "provider_id", "address", "is_found"),
    [
        ("a", "own", None, NUMBER, True),
        ("a", "own", None, "", True),
        ("a", None, "17", NUMBER, True),
        ("a", None, "17", NUMBER.removeprefix("+"), True),
        ("a", "another", "17", NUMBER, True),
        ("a", None, "17", "+79990000002", False),
        ("a", None, "18", NUMBER, False),
        ("a", None, None, NUMBER, False),
        ("a", "another", None, NUMBER, False),
        ("b", "own", "17", NUMBER, False),
    ],
)
def test_a_message_is_found_by_our_id_or_by_that_of_its_provider_and_its_address(
    journal: Journal,
    tracks: Tracks,
    provider: str,
    own_id: str | None,
    provider_id: str | None,
    address: str,
    is_found: bool,
) -> None:
    entry = accepted_in(journal)
    given = f"{entry.id}-1" if own_id == "own" else own_id

    assert bool(tracks.find(provider, given, provider_id, address)) is is_found


def test_a_message_whose_provider_told_no_id_is_not_found_without_one(
    journal: Journal, tracks: Tracks
) -> None:
    accepted_in(journal, provider_id=None)

    assert tracks.find("a", None, None, NUMBER) == []
    assert tracks.find("a", "", "", NUMBER) == []


# --- asking ---------------------------------------------------------------------------------


def test_what_is_due_is_claimed_once_until_the_lease_ends(journal: Journal, tracks: Tracks) -> None:
    entry = accepted_in(journal)

    assert claimed(tracks, 4.9) == []
    assert claimed(tracks, 5.0) == [f"{entry.id}-1"]
    assert claimed(tracks, 64.9, "another") == []
    assert claimed(tracks, 65.0, "another") == [f"{entry.id}-1"]


def test_no_more_is_claimed_than_can_be_asked_about_at_once(
    journal: Journal, tracks: Tracks
) -> None:
    for number in range(1, 6):
        accepted_in(journal, number)

    batches = [claimed(tracks, 5.0, limit=2) for _ in range(4)]

    assert [len(batch) for batch in batches] == [2, 2, 1, 0]
    assert len({own_id for batch in batches for own_id in batch}) == 5


def test_what_is_of_another_provider_is_not_claimed(journal: Journal, tracks: Tracks) -> None:
    accepted_in(journal)

    assert claimed(tracks, 5.0, provider="b") == []


def test_of_many_who_claim_at_once_each_gets_others(journal: Journal, tracks: Tracks) -> None:
    for number in range(1, 41):
        accepted_in(journal, number)
    together = threading.Barrier(4)
    batches: list[list[str]] = []

    def claim_some(owner: str) -> None:
        together.wait()
        while batch := claimed(tracks, 5.0, owner, limit=3):
            batches.append(batch)

    threads = [threading.Thread(target=claim_some, args=(f"owner-{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    own_ids = [own_id for batch in batches for own_id in batch]
    assert len(own_ids) == len(set(own_ids)) == 40


def test_what_was_asked_about_is_due_when_it_was_said_and_counted(
    journal: Journal, tracks: Tracks
) -> None:
    entry = accepted_in(journal)
    claimed(tracks, 5.0)

    asked(tracks, f"{entry.id}-1", 6.0, 20.0)

    (track,) = found(tracks, entry)
    assert (track.asked, track.asked_at) == (1, NOW + 6 * SECOND)
    assert (claimed(tracks, 19.9), claimed(tracks, 20.0)) == ([], [f"{entry.id}-1"])


def test_whoever_has_lost_it_notes_nothing(journal: Journal, tracks: Tracks) -> None:
    entry = accepted_in(journal)
    claimed(tracks, 5.0)
    claimed(tracks, 65.0, "another")

    asked(tracks, f"{entry.id}-1", 66.0, None)

    (track,) = found(tracks, entry)
    assert track.asked == 0


def test_what_nobody_asks_about_any_more_is_never_due(journal: Journal, tracks: Tracks) -> None:
    entry = accepted_in(journal)
    claimed(tracks, 5.0)

    asked(tracks, f"{entry.id}-1", 6.0, None)

    assert tracks.next_due() is None
    assert len(found(tracks, entry)) == 1


def test_a_hint_makes_it_due_at_once_unless_it_was_asked_about_a_moment_ago(
    journal: Journal, tracks: Tracks
) -> None:
    entry = accepted_in(journal)
    own_id = f"{entry.id}-1"

    tracks.ask_soon([own_id], NOW + SECOND, 15 * SECOND)
    assert tracks.next_due() == NOW + SECOND

    claimed(tracks, 1.0)
    tracks.ask_soon([own_id], NOW + 2 * SECOND, 15 * SECOND)
    asked(tracks, own_id, 3.0, 600.0)
    assert tracks.next_due() == NOW + 600 * SECOND

    tracks.ask_soon([own_id], NOW + 4 * SECOND, 15 * SECOND)
    assert tracks.next_due() == NOW + 18 * SECOND


def test_a_hint_never_puts_a_question_off(journal: Journal, tracks: Tracks) -> None:
    entry = accepted_in(journal)
    own_id = f"{entry.id}-1"
    claimed(tracks, 5.0)
    asked(tracks, own_id, 5.0, 8.0)

    tracks.ask_soon([own_id], NOW + 6 * SECOND, 15 * SECOND)

    assert tracks.next_due() == NOW + 8 * SECOND


# --- keeping house --------------------------------------------------------------------------


def ended_in(journal: Journal) -> Entry:
    entry = accepted_in(journal)
    closed = leg_closed(entry.plan, entry.progress)
    journal.write(attrs.evolve(entry, progress=closed, stage=Stage.ENDED, due_at=None))
    return entry


def test_what_is_erased_is_asked_about_no_more_and_not_found_by_its_address(
    journal: Journal, tracks: Tracks
) -> None:
    entry = ended_in(journal)

    journal.erase(NUMBER)

    assert tracks.next_due() is None
    assert tracks.find("a", None, "17", NUMBER) == []
    assert len(found(tracks, entry)) == 1


def test_what_is_purged_is_followed_no_more(journal: Journal, tracks: Tracks) -> None:
    entry = ended_in(journal)

    journal.purge(Part.ROWS, NOW + timedelta(days=50_000))

    assert found(tracks, entry) == []
