"""Many threads, several processes, and who waits for them."""

from __future__ import annotations

from collections import Counter

from notify_core.delivery import Stage
from notify_core.journal.model import Filter, Key, KeyTaken
from notify_core.policy.breaker import Health
from notify_core.progress import Wish
from notify_core.testing.journal.case import (
    PATIENCE_S,
    THREADS,
    JournalCase,
    accepted,
    at_once,
    ids,
    key_of,
    seconds,
    settle,
)


class Together(JournalCase):
    """Many threads, several processes, and who waits for them."""

    # --- together -------------------------------------------------------------------------

    def test_no_two_threads_claim_the_same_delivery(self) -> None:
        """Nor do they leave one: each goes on until nothing is left."""
        entries = [self._entry() for _ in range(THREADS * 5)]
        self.journal.add(entries)
        journals = self._several()

        def claim_all(number: int) -> list[str]:
            claimed: list[str] = []
            while len(claimed) <= len(entries):  # a journal that goes wrong may never say: no more
                some = self._claim(f"owner-{number}", journal=journals[number % 2], limit=3)
                if not some:
                    break
                claimed += ids(some)
            return claimed

        claimed = Counter(delivery_id for ids in at_once(claim_all) for delivery_id in ids)

        assert claimed == Counter(ids(entries))

    def test_one_thread_of_many_gets_a_delivery(self) -> None:
        entry = self._added()
        journals = self._several()

        got = at_once(lambda number: self._try_to_claim(entry, journal=journals[number % 2]))

        assert len([each for each in got if each is not None]) == 1

    def test_one_thread_of_many_gets_a_key(self) -> None:
        """All the others are told the same holder, whose entries are there."""
        messages = [self._keyed("order-17") for _ in range(THREADS)]
        journals = self._several()

        def add(number: int) -> Key | None:
            try:
                journals[number % 2].add(messages[number])
            except KeyTaken as taken:
                return taken.holders[0]
            return None

        holders = at_once(add)

        (winner,) = [number for number, holder in enumerate(holders) if holder is None]
        first = messages[winner]
        assert {holder for holder in holders if holder is not None} == {key_of(first)}
        assert ids(self.journal.of_key(key_of(first))) == ids(first)

    def test_one_thread_of_many_replaces_a_health(self) -> None:
        journals = self._several()

        swapped = at_once(
            lambda number: journals[number % 2].swap_health("a", Health(), Health(number + 1))
        )

        assert swapped.count(True) == 1
        assert self.journal.health("a") == Health(swapped.index(True) + 1)

    def test_many_threads_write_and_read_at_once(self) -> None:
        """Each carries its own through all its steps."""
        entries = [self._entry() for _ in range(THREADS)]
        journals = self._several()

        def carry(number: int) -> None:
            journal, entry = journals[number % 2], entries[number]
            journal.add([entry])
            mine = journal.claim_one(entry.id, f"owner-{number}", self._now(), self._now(60))
            assert mine is not None
            assert journal.write(self._carried(mine, accepted())) is not None
            assert journal.load(entry.id) is not None

        at_once(carry)

        assert len(self.journal.search(Filter(stage=Stage.ENDED))) == THREADS

    # --- waiting --------------------------------------------------------------------------

    def test_whoever_waits_is_woken_by_what_another_adds(self) -> None:
        entry = self._entry()

        self._assert_woken(lambda journal: journal.add([entry]))

    def test_whoever_waits_is_woken_by_what_another_leaves_for_later(self) -> None:
        """It may be due before anything that was known."""
        self._added()
        (claimed,) = self._claim()

        self._assert_woken(lambda journal: journal.write(self._left(claimed, due_in=1)))

    def test_whoever_waits_is_woken_by_what_another_gives_up(self) -> None:
        self._added()
        (claimed,) = self._claim("another")

        self._assert_woken(lambda journal: journal.release("another", [claimed], self._now()))

    def test_whoever_waits_is_woken_by_a_wish(self) -> None:
        entry = self._added(due_in=600)

        self._assert_woken(lambda journal: journal.wish(entry.id, Wish.CANCEL, self._now()))

    def test_whoever_waits_is_woken_by_what_another_amends(self) -> None:
        entry = self._added(due_in=600)

        self._assert_woken(lambda journal: journal.amend(entry.id, self._left))

    def test_whoever_waits_is_woken_by_its_own_process(self) -> None:
        self._assert_woken(lambda _: self.journal.wake())

    def test_whoever_waits_goes_on_when_the_time_is_over(self) -> None:
        watch = self.journal.watch()
        try:
            settle(watch.wait)
            waited = seconds(lambda: watch.wait(0.2))
        finally:
            watch.close()

        assert 0.15 < waited < PATIENCE_S

    def test_a_watch_is_closed_twice_to_no_effect(self) -> None:
        watch = self.journal.watch()
        watch.close()

        watch.close()
