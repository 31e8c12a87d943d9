"""Keys, looking for deliveries, and how providers stand."""

from __future__ import annotations

import itertools
from datetime import timedelta

import attrs

from notify_core.contact import Contact
from notify_core.delivery import Stage
from notify_core.journal.model import Filter, KeyTaken
from notify_core.policy.breaker import Health
from notify_core.testing.journal.case import (
    SECOND,
    JournalCase,
    ids,
    key_of,
    raises,
    told,
)


class Asking(JournalCase):
    """Keys, looking for deliveries, and how providers stand."""

    # --- keys -----------------------------------------------------------------------------

    def test_entries_are_found_by_their_key(self) -> None:
        """In the order of their numbers."""
        entries = self._keyed("order-17", "+79990000001", "+79990000002")

        self.journal.add(entries)

        assert ids(self.journal.of_key(key_of(entries))) == ids(entries)

    def test_a_key_that_is_not_known_has_no_entries(self) -> None:
        assert ids(self.journal.of_key(key_of(self._keyed("order-17")))) == []

    def test_a_key_that_is_taken_has_nothing_written(self) -> None:
        """Who has it is told, and what else was to be added is left out."""
        first, second = self._keyed("order-17"), self._keyed("order-17")
        self.journal.add(first)
        other = self._entry()

        with raises(KeyTaken) as caught:
            self.journal.add([other, *second])

        assert [taken.holders for taken in caught] == [(key_of(first),)]
        assert self.journal.load(other.id) is None
        assert self.journal.load(second[0].id) is None
        assert ids(self.journal.of_key(key_of(second))) == ids(first)

    def test_other_keys_beside_one_that_is_taken_stay_free(self) -> None:
        self.journal.add(self._keyed("order-17"))
        other = self._keyed("order-18")
        with raises(KeyTaken):
            self.journal.add([*other, *self._keyed("order-17")])

        self.journal.add(other)

        assert ids(self.journal.of_key(key_of(other))) == ids(other)

    def test_a_key_whose_time_is_over_is_free(self) -> None:
        self.journal.add(self._keyed("order-17"))
        self.clock.advance(3600)
        second = self._keyed("order-17")

        self.journal.add(second)

        assert ids(self.journal.of_key(key_of(second))) == ids(second)

    def test_a_key_is_taken_until_its_time_is_over(self) -> None:
        self.journal.add(self._keyed("order-17"))
        self.clock.advance(3599.999)

        with raises(KeyTaken):
            self.journal.add(self._keyed("order-17"))

    def test_a_key_is_not_taken_by_what_it_stands_for_itself(self) -> None:
        """Deliveries of one message may be added one after the other."""
        one, two = self._keyed("order-17", "+79990000001", "+79990000002")
        self.journal.add([one])

        self.journal.add([two])

        self._assert_stored(two)

    # --- looking for deliveries -----------------------------------------------------------

    def test_the_newest_are_found_first(self) -> None:
        old, new = self._added_apart(2)

        assert ids(self.journal.search(Filter())) == [new.id, old.id]

    def test_no_more_are_found_than_are_wanted(self) -> None:
        _, _, new = self._added_apart(3)

        assert ids(self.journal.search(Filter(limit=1))) == [new.id]

    def test_a_search_goes_on_after_the_delivery_that_came_last(self) -> None:
        old, middle, new = self._added_apart(3)

        pages = [
            self.journal.search(Filter(limit=2)),
            self.journal.search(Filter(limit=2, after_id=middle.id)),
            self.journal.search(Filter(limit=2, after_id=old.id)),
        ]

        assert [ids(page) for page in pages] == [[new.id, middle.id], [old.id], []]

    def test_deliveries_are_found_by_when_they_were_made(self) -> None:
        """From the one moment on, and before the other."""
        begin = self._now()
        _, two, three, _ = self._added_apart(4)

        wanted = Filter(after=begin + SECOND, before=begin + 3 * SECOND)

        assert ids(self.journal.search(wanted)) == [three.id, two.id]

    def test_deliveries_are_found_by_their_stage(self) -> None:
        under_way, held, ended = self._entry(), self._held(), self._ended()
        self.journal.add([under_way, held, ended])

        self._assert_found(under_way, stage=Stage.UNDER_WAY)
        self._assert_found(held, stage=Stage.HELD)
        self._assert_found(ended, stage=Stage.ENDED)

    def test_deliveries_are_found_by_their_outcome(self) -> None:
        """One that nobody has tried yet has none."""
        accepted, unknown = self._ended(), self._held()
        self.journal.add([accepted, unknown, self._entry()])

        self._assert_found(accepted, outcome="accepted")
        self._assert_found(unknown, outcome="unknown")
        assert ids(self.journal.search(Filter(outcome="not_sent"))) == []

    def test_deliveries_are_found_by_their_route(self) -> None:
        other = self._entry()
        other = attrs.evolve(other, plan=attrs.evolve(other.plan, route="other"))
        self.journal.add([self._entry(), other])

        self._assert_found(other, route="other")

    def test_deliveries_are_found_by_their_provider(self) -> None:
        ended = self._ended()
        self.journal.add([self._entry(), ended])

        self._assert_found(ended, provider="a")

    def test_deliveries_are_found_by_any_address(self) -> None:
        entry = self._entry_to(Contact(phone="+79990000009", other={"pager": "17"}))
        self.journal.add([self._entry(), entry])

        self._assert_found(entry, address="+79990000009")
        self._assert_found(entry, address="17")

    def test_deliveries_are_found_by_their_message(self) -> None:
        entry = self._entry()
        self.journal.add([self._entry(), entry])

        self._assert_found(entry, message_id=entry.message.id)

    def test_all_that_is_asked_for_must_hold(self) -> None:
        entry = self._ended()
        self.journal.add([entry])

        self._assert_found(entry, outcome="accepted", stage=Stage.ENDED)
        assert ids(self.journal.search(Filter(outcome="accepted", stage=Stage.HELD))) == []

    def test_all_that_are_looked_for_are_exported(self) -> None:
        """The newest first, whatever the limit."""
        entries = self._added_apart(5)
        self.journal.add([self._held()])

        wanted = Filter(stage=Stage.UNDER_WAY, limit=2)
        exported = list(itertools.islice(self.journal.export(wanted), 9))

        assert [told(each) for each in exported] == [told(each) for each in reversed(entries)]

    def test_what_there_is_to_do_is_counted(self) -> None:
        self._added(due_in=-4)
        self._added(due_in=-7)
        self._added(due_in=5)
        self.journal.add([self._held(), self._ended()])

        backlog = self.journal.backlog(self._now())

        assert (backlog.under_way, backlog.held) == (3, 1)
        assert (backlog.due, backlog.oldest_due) == (2, timedelta(seconds=7))

    def test_what_somebody_carries_on_is_not_due(self) -> None:
        self._added()
        self._claim()

        backlog = self.journal.backlog(self._now())

        assert (backlog.under_way, backlog.due, backlog.oldest_due) == (1, 0, None)

    def test_what_nobody_carries_on_any_more_is_due(self) -> None:
        """Since its lease has ended."""
        self._added()
        self._claim()

        backlog = self.journal.backlog(self._now(63))

        assert (backlog.due, backlog.oldest_due) == (1, timedelta(seconds=3))

    # --- the health of providers ----------------------------------------------------------

    def test_a_provider_of_which_nothing_is_known_is_well(self) -> None:
        assert self.journal.health("a") == Health()

    def test_the_health_of_a_provider_is_kept(self) -> None:
        """Every part of it, and apart from that of others."""
        closed = Health(3, 1893456000.25, "out of order", stopped=True, probed=True, gap_s=0.5)

        assert self.journal.swap_health("a", Health(), closed)

        assert self.journal.health("a") == closed
        assert self.journal.health("b") == Health()

    def test_the_health_of_a_provider_is_replaced_by_who_knows_it(self) -> None:
        self.journal.swap_health("a", Health(), Health(failures=1))

        assert self.journal.swap_health("a", Health(failures=1), Health())

        assert self.journal.health("a") == Health()

    def test_the_health_of_a_provider_stays_for_who_does_not_know_it(self) -> None:
        """Of two who have seen the same, the second is told to look again."""
        assert self.journal.swap_health("a", Health(), Health(failures=1))

        assert not self.journal.swap_health("a", Health(), Health(failures=2))
        assert not self.journal.swap_health("b", Health(failures=1), Health(failures=2))

        assert self.journal.health("a") == Health(failures=1)
        assert self.journal.health("b") == Health()

    def test_the_health_of_a_provider_is_kept_again_after_it_was_well(self) -> None:
        self.journal.swap_health("a", Health(), Health(failures=1))
        self.journal.swap_health("a", Health(failures=1), Health())

        assert self.journal.swap_health("a", Health(), Health(failures=2))

        assert self.journal.health("a") == Health(failures=2)
