"""How a delivery stands, who may say so, and what is wished for."""

from __future__ import annotations

import attrs

from notify_core.delivery import Stage
from notify_core.errors import JournalError
from notify_core.journal.model import delivery_of
from notify_core.outcome import Accepted, Receipt, Unknown
from notify_core.progress import Wish
from notify_core.testing.journal.case import (
    LANES,
    Failed,
    JournalCase,
    accepted,
    failing,
    ids,
    raises,
    told,
)


class Writing(JournalCase):
    """How a delivery stands, who may say so, and what is wished for."""

    # --- writing --------------------------------------------------------------------------

    def test_what_was_written_is_loaded_as_it_was(self) -> None:
        """Answered, in doubt, and left to others for a while."""
        entry = self._added()
        (claimed,) = self._claim()
        written = self._left(self._answered(claimed, Unknown("lost", "504", {"id": 7})), due_in=9)

        returned = self.journal.write(written)

        assert returned is not None
        assert told(returned) == told(written)
        self._assert_stored(written)
        assert ids([self._loaded(entry)]) == [entry.id]

    def test_whatever_a_provider_has_answered_is_written(self) -> None:
        """What no database takes as it is must not be lost with the rest."""
        self._added()
        (claimed,) = self._claim()
        odd = "half a \ud800 and a \0"
        receipt = Receipt(provider="a", address=odd, provider_id=odd, raw={odd: object()})

        self.journal.write(self._carried(claimed, Accepted(receipt)))

        assert self._loaded(claimed).stage is Stage.ENDED
        assert delivery_of(self._loaded(claimed)).accepted

    def test_what_was_left_to_others_is_claimed_when_it_is_due(self) -> None:
        self._added()
        (claimed,) = self._claim()
        self.journal.write(self._left(claimed, due_in=9))

        before = self._claim("another")
        self.clock.advance(9)

        assert before == []
        assert ids(self._claim("another")) == [claimed.id]

    def test_what_was_written_as_ended_is_over(self) -> None:
        self._added()
        (claimed,) = self._claim()

        self.journal.write(self._carried(claimed, accepted()))

        assert self._loaded(claimed).stage is Stage.ENDED
        assert self.journal.next_due(LANES) is None

    def test_nobody_is_heard_whose_lease_is_no_longer_the_last(self) -> None:
        """What it writes changes nothing, also if the other has ended the delivery."""
        self._added()
        (mine,) = self._claim("me")
        self.clock.advance(60)
        (other,) = self._claim("another")

        assert self.journal.write(self._carried(mine, accepted())) is None

        self._assert_stored(other)

    def test_whoever_is_late_is_heard_while_nobody_else_has_it(self) -> None:
        """The end of a lease takes nothing away; the next lease does."""
        self._added()
        (mine,) = self._claim("me")
        self.clock.advance(600)

        assert self.journal.write(self._carried(mine, accepted())) is not None

        assert self._loaded(mine).stage is Stage.ENDED

    def test_a_delivery_that_was_never_added_is_not_written(self) -> None:
        entry = self._entry()

        assert self.journal.write(entry) is None
        assert self.journal.load(entry.id) is None

    def test_whoever_writes_is_told_of_a_wish_that_has_come(self) -> None:
        entry = self._added()
        (claimed,) = self._claim()
        self.journal.wish(entry.id, Wish.HOLD, self._now())

        written = self.journal.write(self._left(claimed, due_in=9))

        assert written is not None
        assert written.wish is Wish.HOLD

    def test_what_is_wished_for_meanwhile_is_due_at_once_when_it_is_written(self) -> None:
        """Whoever claims it next sees to it."""
        entry = self._added()
        (claimed,) = self._claim()
        self.journal.wish(entry.id, Wish.CANCEL, self._now())

        self.journal.write(self._left(claimed, due_in=9))

        assert [(each.id, each.wish) for each in self._claim()] == [(entry.id, Wish.CANCEL)]

    def test_what_is_wished_for_meanwhile_is_not_forgotten_when_it_is_held(self) -> None:
        """What is in doubt for good is held, unless it was cancelled just then."""
        self._added()
        (claimed,) = self._claim()
        self.journal.wish(claimed.id, Wish.CANCEL, self._now())

        written = self.journal.write(self._carried(claimed, Unknown("lost")))

        assert written is not None
        self._assert_stored(written)
        assert [(each.id, each.stage) for each in self._claim()] == [(written.id, Stage.UNDER_WAY)]

    def test_what_is_known_to_be_wished_for_does_not_change_when_it_is_due(self) -> None:
        """A question about what was cancelled waits for its time like any other."""
        entry = self._added()
        self.journal.wish(entry.id, Wish.CANCEL, self._now())
        (claimed,) = self._claim()

        self.journal.write(self._left(claimed, due_in=9))

        assert self.journal.next_due(LANES) == self._now(9)

    def test_nothing_is_written_against_a_wish(self) -> None:
        """If it is not to be: before an attempt begins, for instance."""
        entry = self._added()
        (claimed,) = self._claim()
        self.journal.wish(entry.id, Wish.HOLD, self._now())
        before = self._loaded(entry)

        written = self.journal.write(self._answered(claimed, accepted()), unless_wished=True)

        assert written is None
        self._assert_stored(before)

    def test_without_a_wish_it_is_written(self) -> None:
        self._added()
        (claimed,) = self._claim()
        answered = self._answered(claimed, accepted())

        assert self.journal.write(answered, unless_wished=True) is not None

        self._assert_stored(answered)

    def test_nobody_is_heard_under_an_old_lease_whether_or_not_there_is_a_wish(self) -> None:
        self._added()
        (mine,) = self._claim("me")
        self.clock.advance(60)
        (other,) = self._claim("another")

        assert self.journal.write(self._left(mine), unless_wished=True) is None

        self._assert_stored(other)

    # --- leases ---------------------------------------------------------------------------

    def test_a_lease_is_lengthened(self) -> None:
        self._added()
        (claimed,) = self._claim("me")

        self.journal.extend("me", [claimed.id], self._now(90))
        self.clock.advance(60)

        assert self._claim("another") == []
        self._assert_stored(attrs.evolve(claimed, due_at=self._now(30)))

    def test_nobody_lengthens_the_lease_of_another(self) -> None:
        entry = self._added()
        (claimed,) = self._claim("another")

        self.journal.extend("me", [entry.id], self._now(600))

        self._assert_stored(claimed)

    def test_what_nobody_has_is_not_leased_by_lengthening(self) -> None:
        entry = self._added(due_in=5)

        self.journal.extend("me", [entry.id, "0" * 24], self._now(600))

        self._assert_stored(entry)

    def test_what_is_given_up_is_due_at_once(self) -> None:
        self._added()
        (claimed,) = self._claim("me")

        self.journal.release("me", [claimed], self._now())

        self._assert_stored(attrs.evolve(claimed, owner=None, due_at=self._now()))
        assert ids(self._claim("another")) == [claimed.id]

    def test_nobody_gives_up_what_another_has_by_now(self) -> None:
        self._added()
        (mine,) = self._claim("me")
        self.clock.advance(60)
        (other,) = self._claim("another")

        self.journal.release("me", [mine], self._now())

        self._assert_stored(other)

    def test_a_lease_that_has_ended_is_not_given_up_with_the_one_that_followed(self) -> None:
        """The same owner may have claimed it again."""
        self._added()
        (first,) = self._claim("me")
        self.clock.advance(60)
        (second,) = self._claim("me")

        self.journal.release("me", [first], self._now())

        self._assert_stored(second)

    def test_an_entry_is_amended_whoever_has_it(self) -> None:
        """With what was last written, also that somebody has given up a wish."""
        entry = self._added()
        self._claim("another")
        self.journal.wish(entry.id, Wish.HOLD, self._now())

        amended = self.journal.amend(entry.id, lambda known: self._left(known, wish=None))

        assert (amended.owner, amended.wish) == (None, None)
        self._assert_stored(amended)

    def test_whoever_had_an_entry_that_was_amended_has_lost_it(self) -> None:
        entry = self._added()
        (claimed,) = self._claim("another")

        amended = self.journal.amend(entry.id, self._left)

        assert amended.lease == claimed.lease + 1
        assert self.journal.write(self._carried(claimed, accepted())) is None
        self._assert_stored(amended)

    def test_a_delivery_that_was_never_added_is_not_amended(self) -> None:
        with raises(JournalError):
            self.journal.amend("0" * 24, lambda known: known)

    def test_a_change_that_fails_changes_nothing(self) -> None:
        """What it raises comes through."""
        entry = self._added()

        with raises(Failed):
            self.journal.amend(entry.id, failing)

        self._assert_stored(entry)

    # --- wishes ---------------------------------------------------------------------------

    def test_what_is_wished_for_is_due_at_once(self) -> None:
        entry = self._added(due_in=600)

        wished = self.journal.wish(entry.id, Wish.CANCEL, self._now())

        assert wished is not None
        self._assert_stored(wished)
        assert [(each.id, each.wish) for each in self._claim()] == [(entry.id, Wish.CANCEL)]

    def test_a_wish_leaves_it_to_whoever_has_it(self) -> None:
        entry = self._added()
        (claimed,) = self._claim("me")

        self.journal.wish(entry.id, Wish.HOLD, self._now())

        assert self._claim("another") == []
        self._assert_stored(attrs.evolve(claimed, wish=Wish.HOLD))

    def test_what_is_held_goes_on_for_a_wish(self) -> None:
        """Whoever claims it does what follows."""
        entry = self._held()
        self.journal.add([entry])

        self.journal.wish(entry.id, Wish.CANCEL, self._now())

        (claimed,) = self._claim()
        assert (claimed.stage, claimed.wish) == (Stage.UNDER_WAY, Wish.CANCEL)

    def test_what_has_ended_stays_so_whatever_is_wished_for(self) -> None:
        entry = self._ended()
        self.journal.add([entry])

        wished = self.journal.wish(entry.id, Wish.HOLD, self._now())

        assert wished is not None
        assert told(wished) == told(entry)
        self._assert_stored(entry)

    def test_a_wish_is_taken_back(self) -> None:
        entry = self._added()
        self.journal.wish(entry.id, Wish.HOLD, self._now())

        self.journal.wish(entry.id, None, self._now())

        assert self._loaded(entry).wish is None

    def test_a_wish_for_a_delivery_that_was_never_added_is_none(self) -> None:
        assert self.journal.wish("0" * 24, Wish.HOLD, self._now()) is None
