"""Purging, erasing, checking."""

from __future__ import annotations

import attrs

from notify_core.journal.codec import GONE
from notify_core.journal.model import ERASED, Filter, Part, delivery_of
from notify_core.testing.journal.case import (
    ADDRESS,
    JournalCase,
    accepted,
    ids,
)


class Housekeeping(JournalCase):
    """Purging, erasing, checking."""

    def test_the_text_of_what_has_ended_is_purged(self) -> None:
        """The rest stays, and it is found as before."""
        entry = self._ended()
        self.journal.add([entry])

        assert self.journal.purge(Part.TEXT, self._now(1)) == 1

        loaded = self._loaded(entry)
        assert loaded.message is GONE
        assert loaded.plan.recipient == entry.plan.recipient
        assert loaded.progress == entry.progress

    def test_the_text_of_what_is_under_way_is_kept(self) -> None:
        entries = [self._entry(), self._held()]
        self.journal.add(entries)

        assert self.journal.purge(Part.TEXT, self._now(1)) == 0

        for entry in entries:
            self._assert_stored(entry)

    def test_the_text_of_several_deliveries_is_kept_while_one_is_under_way(self) -> None:
        one, two = self._entries_to("+79990000001", "+79990000002")
        self.journal.add([self._carried(one, accepted()), two])

        assert self.journal.purge(Part.TEXT, self._now(1)) == 0

        self._assert_stored(two)

    def test_the_text_is_kept_though_another_delivery_was_made_later(self) -> None:
        """Those of one message need not be made in the same moment."""
        one, two = self._entries_to("+79990000001", "+79990000002", apart=5)
        self.journal.add([self._carried(one, accepted()), two])

        assert self.journal.purge(Part.TEXT, self._now(-7)) == 0

        self._assert_stored(two)

    def test_the_numbers_of_what_has_ended_are_purged(self) -> None:
        """The recipient, the text, what providers have answered, and how to find it by them."""
        entry = self._ended()
        self.journal.add([entry])

        assert self.journal.purge(Part.NUMBERS, self._now(1)) == 1

        loaded = self._loaded(entry)
        assert loaded.message is GONE
        assert loaded.plan.recipient == ERASED
        assert ADDRESS not in repr(attrs.asdict(loaded.progress))
        assert "raw answer" not in repr(attrs.asdict(loaded.progress))
        assert ids(self.journal.search(Filter(address=ADDRESS))) == []
        assert delivery_of(loaded).accepted

    def test_the_numbers_of_what_is_under_way_are_kept(self) -> None:
        entries = [self._entry(), self._held()]
        self.journal.add(entries)

        assert self.journal.purge(Part.NUMBERS, self._now(1)) == 0

        for entry in entries:
            self._assert_stored(entry)

    def test_what_has_ended_is_removed(self) -> None:
        under_way, ended = self._entry(), self._ended()
        self.journal.add([under_way, ended])

        assert self.journal.purge(Part.ROWS, self._now(1)) == 1

        assert self.journal.load(ended.id) is None
        self._assert_stored(under_way)

    def test_what_shares_its_text_with_something_removed_is_kept(self) -> None:
        one, two = self._entries_to("+79990000001", "+79990000002")
        self.journal.add([self._carried(one, accepted()), two])

        self.journal.purge(Part.ROWS, self._now(1))

        self._assert_stored(two)

    def test_what_is_not_old_enough_is_kept(self) -> None:
        entry = self._ended()
        self.journal.add([entry])

        purged = [self.journal.purge(part, self._now()) for part in Part]

        assert purged == [0, 0, 0]
        self._assert_stored(entry)

    def test_what_was_purged_is_not_purged_again(self) -> None:
        self.journal.add([self._ended()])

        purged = [[self.journal.purge(part, self._now(1)) for part in Part] for _ in range(2)]

        assert purged == [[1, 1, 1], [0, 0, 0]]

    def test_what_went_to_an_address_is_erased(self) -> None:
        """Text and address; that there was a delivery, and how it ended, stays."""
        mine, other = self._ended(), self._ended(address="+79990000002")
        self.journal.add([mine, other])

        assert self.journal.erase(ADDRESS) == (1, 0)

        loaded = self._loaded(mine)
        assert loaded.message is GONE
        assert loaded.plan.recipient == ERASED
        assert delivery_of(loaded).accepted
        assert ids(self.journal.search(Filter(address=ADDRESS))) == []
        self._assert_stored(other)

    def test_what_is_still_to_go_to_an_address_is_not_erased(self) -> None:
        """How many that are is told."""
        under_way, held = self._entry(), self._held()
        self.journal.add([under_way, held, self._ended()])

        assert self.journal.erase(ADDRESS) == (1, 2)

        self._assert_stored(under_way)
        self._assert_stored(held)

    def test_a_text_that_is_still_to_go_to_others_is_not_erased(self) -> None:
        """Nor is the delivery itself, which is left for when nothing is to go any more."""
        one, two = self._entries_to("+79990000001", "+79990000002")
        ended = self._carried(one, accepted())
        self.journal.add([ended, two])

        assert self.journal.erase("+79990000001") == (0, 1)

        self._assert_stored(ended)
        self._assert_stored(two)

    def test_a_journal_with_deliveries_in_every_stage_is_found_healthy(self) -> None:
        self.journal.add([self._entry(), self._held(), self._ended(), *self._keyed("order-17")])
        self._claim(limit=1)

        assert list(self.journal.check()) == []

    def test_a_purged_journal_is_found_healthy(self) -> None:
        self.journal.add([self._ended(), self._ended()])
        self.journal.purge(Part.TEXT, self._now(1))
        self.journal.erase(ADDRESS)

        assert list(self.journal.check()) == []

    def test_migrating_a_journal_that_is_up_to_date_changes_nothing(self) -> None:
        entry = self._added()

        versions = [self.journal.migrate(), self.journal.migrate()]

        assert len({version for pair in versions for version in pair}) == 1
        self._assert_stored(entry)

    def test_a_journal_is_closed_twice_to_no_effect(self) -> None:
        self.journal.close()

        self.journal.close()
