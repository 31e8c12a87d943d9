"""What is added, and who gets it."""

from __future__ import annotations

import attrs

from notify_core.errors import JournalError
from notify_core.journal.model import Filter
from notify_core.message import Priority
from notify_core.outcome import FailureScope, NotSent
from notify_core.progress import attempt_began
from notify_core.testing.journal.case import (
    LANES,
    JournalCase,
    ids,
    raises,
    told,
)


class Claiming(JournalCase):
    """What is added, and who gets it."""

    # --- adding ---------------------------------------------------------------------------

    def test_what_was_added_is_loaded_as_it_was(self) -> None:
        """Message, plan, progress and everything else; only the key is not loaded."""
        entry = self._entry(due_in=5, deadline_at=self._now(300), config="abc", number=3)

        self.journal.add([entry])

        self._assert_stored(entry)

    def test_an_entry_with_a_history_is_loaded_as_it_was(self) -> None:
        """An attempt that is open, after a leg that came to nothing."""
        entry = self._entry(legs=2)
        failed = self._carried(entry, NotSent("out of order", FailureScope.PROVIDER, 5, "17"))
        progress, _ = attempt_began(entry.plan, failed.progress, "b", self._now(1))
        begun = attrs.evolve(entry, progress=progress, owner="here", due_at=self._now(60))

        self.journal.add([begun])

        self._assert_stored(begun)

    def test_deliveries_of_one_message_are_loaded_as_they_were(self) -> None:
        """They share what the message says, and nothing else."""
        entries = self._entries_to("+79990000001", "+79990000002")

        self.journal.add(entries)

        for entry in entries:
            self._assert_stored(entry)

    def test_a_delivery_that_was_never_added_is_none(self) -> None:
        assert self.journal.load("0" * 24) is None

    def test_entries_are_added_all_or_none(self) -> None:
        """A delivery that is there already has the others left out too."""
        there = self._added()
        new = self._entry()

        with raises(JournalError):
            self.journal.add([new, there])

        assert self.journal.load(new.id) is None

    def test_no_entries_are_added_to_no_effect(self) -> None:
        self.journal.add([])

        assert ids(self.journal.search(Filter())) == []

    # --- claiming -------------------------------------------------------------------------

    def test_what_is_due_is_claimed(self) -> None:
        """It is leased to whoever claims it until then, under the next number."""
        entry = self._added()

        (claimed,) = self._claim("me")

        leased = attrs.evolve(entry, owner="me", lease=entry.lease + 1, due_at=self._now(60))
        assert told(claimed) == told(leased)
        self._assert_stored(leased)

    def test_what_is_not_due_yet_is_not_claimed(self) -> None:
        self._added(due_in=0.001)

        assert self._claim() == []

    def test_what_has_become_due_is_claimed(self) -> None:
        entry = self._added(due_in=5)
        self.clock.advance(5)

        assert ids(self._claim()) == [entry.id]

    def test_the_first_lane_is_claimed_first(self) -> None:
        """Whatever has been waiting for longer in the others."""
        low, high = self._added(lane=Priority.LOW), self._added(lane=Priority.HIGH)

        claimed = [self._claim(limit=1), self._claim(limit=1)]

        assert [ids(each) for each in claimed] == [[high.id], [low.id]]

    def test_what_has_been_due_for_longest_is_claimed_first(self) -> None:
        late, later = self._added(due_in=-1), self._added(due_in=-2)

        claimed = [self._claim(limit=1), self._claim(limit=1)]

        assert [ids(each) for each in claimed] == [[later.id], [late.id]]

    def test_other_lanes_are_left_alone(self) -> None:
        self._added(lane=Priority.NORMAL)

        assert self._claim(lanes=[Priority.HIGH, Priority.LOW]) == []

    def test_no_more_are_claimed_than_are_wanted(self) -> None:
        """Over all lanes together."""
        for lane in (*LANES, *LANES):
            self._added(lane=lane)

        assert len(self._claim(limit=5)) == 5
        assert len(self._claim(limit=5)) == 3

    def test_nothing_is_claimed_twice(self) -> None:
        self._added()
        self._claim("me")

        assert self._claim("another") == []
        assert self._claim("me") == []

    def test_what_was_claimed_is_due_again_when_its_lease_has_ended(self) -> None:
        """Whoever had it has not come back in time; the number tells the two apart."""
        entry = self._added()
        (first,) = self._claim("me")
        self.clock.advance(60)

        (second,) = self._claim("another")

        assert (second.id, second.owner) == (entry.id, "another")
        assert second.lease == first.lease + 1

    def test_what_has_ended_is_never_claimed(self) -> None:
        self.journal.add([self._ended()])
        self.clock.advance(10**6)

        assert self._claim() == []

    def test_what_is_held_is_never_claimed(self) -> None:
        self.journal.add([self._held()])
        self.clock.advance(10**6)

        assert self._claim() == []

    def test_one_that_is_due_is_claimed(self) -> None:
        """Like any, but no other with it."""
        entry, other = self._added(), self._added()

        claimed = self._claim_one(entry)

        assert (claimed.owner, claimed.lease) == ("me", entry.lease + 1)
        assert told(claimed) == told(self._loaded(entry))
        self._assert_stored(other)

    def test_one_is_not_claimed_before_it_is_due(self) -> None:
        """What is in doubt waits so that a question finds what is late."""
        entry = self._added(due_in=5)

        assert self._try_to_claim(entry) is None

    def test_one_that_somebody_has_is_not_claimed(self) -> None:
        entry = self._added()
        self._claim("another")

        assert self._try_to_claim(entry) is None

    def test_one_whose_lease_has_ended_is_claimed(self) -> None:
        entry = self._added()
        self._claim("another")
        self.clock.advance(60)

        assert self._claim_one(entry).owner == "me"

    def test_one_that_has_ended_is_not_claimed(self) -> None:
        entry = self._ended()
        self.journal.add([entry])

        assert self._try_to_claim(entry) is None

    def test_one_that_is_held_is_not_claimed(self) -> None:
        entry = self._held()
        self.journal.add([entry])

        assert self._try_to_claim(entry) is None

    def test_one_that_was_never_added_is_not_claimed(self) -> None:
        assert self._try_to_claim(self._entry()) is None

    # --- when something is due ------------------------------------------------------------

    def test_nothing_is_due_in_an_empty_journal(self) -> None:
        assert self.journal.next_due(LANES) is None

    def test_the_earliest_of_the_lanes_is_due_next(self) -> None:
        self._added(lane=Priority.LOW, due_in=1)
        self._added(lane=Priority.HIGH, due_in=3)
        self._added(lane=Priority.NORMAL, due_in=2)

        lanes = [Priority.HIGH, Priority.NORMAL]
        assert self.journal.next_due(lanes) == self._now(2)

    def test_what_is_claimed_is_not_due_before_its_lease_ends(self) -> None:
        self._added()
        self._claim()

        assert self.journal.next_due(LANES) == self._now(60)

    def test_what_has_ended_or_is_held_is_not_due(self) -> None:
        self.journal.add([self._ended(), self._held()])

        assert self.journal.next_due(LANES) is None
