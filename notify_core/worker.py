"""Carrying on what is due: any number of workers, in threads, processes and machines.

A worker asks the journal *what is due*, which leases it, and has each delivery carried on by the
same code that ``send`` uses. That is all: how far a delivery has come, and what follows, is in
the journal and in ``progress``.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Protocol

import attrs

from notify_core.chores import Chore, KeepAt, is_due
from notify_core.clock import Clock
from notify_core.config.model import WorkerConfig
from notify_core.errors import JournalError
from notify_core.journal.base import Journal
from notify_core.journal.database import Watch
from notify_core.journal.model import Entry
from notify_core.keeping import Leases
from notify_core.message import Priority

_log = logging.getLogger(__name__)

_LANES = tuple(sorted(Priority, reverse=True))
_URGENT = tuple(lane for lane in _LANES if lane >= Priority.HIGH)

_LEAST_WAIT_S = 0.05
_LONGEST_WAIT_S = 60.0
_WHEN_FULL_S = 0.1
"""How often a worker that has its hands full looks for what is urgent."""
_AFTER_FAILURE_S = 1.0
_IN_BULK = 16
"""So many are claimed at once where there are that many; each claim is a commit."""


class Carries(Protocol):
    """Carries deliveries on. A carrier is one."""

    def carry_on(self, entry: Entry) -> Entry:
        """Carry on a delivery that was begun elsewhere."""


class Worker:
    """Carries on what is due, several deliveries at once. Run it once.

    As a context manager it works in threads of its own until the block ends; ``run`` works until
    ``stop`` is called. Lanes are served by priority, and some of the threads are for what is
    urgent alone, so that nobody who waits for a code waits for a campaign.

    ``chores`` returns what else there is to do. They are told apart by their names, and who works
    on takes up those that come later.
    """

    def __init__(
        self,
        journal: Journal,
        carrier: Carries,
        leases: Leases,
        config: WorkerConfig,
        clock: Clock,
        chores: Callable[[], Sequence[Chore]] = tuple,
    ) -> None:
        self._journal = journal
        self._carrier = carrier
        self._leases = leases
        self._config = config
        self._clock = clock
        self._chores = chores
        self._queue = _Queue(config)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def run(self) -> None:
        """Work until ``stop`` is called, then end what is under way and give up the rest."""
        watch = self._journal.watch()
        hands = [self._hired(number) for number in range(self._config.concurrency)]
        others: dict[str, _Helper] = {}
        try:
            while not self._stopping.is_set():
                self._staff(others)
                self._claim_or_wait(watch)
        finally:
            watch.close()
            self._end(hands, [*others.values()])

    def stop(self) -> None:
        """Ask it to stop; ``run`` returns when it has.

        A signal handler calls it from a thread of its own: what it interrupts may hold a lock.
        """
        self._stopping.set()
        self._queue.wake()
        self._journal.wake()

    def work_off(self) -> int:
        """Do all that is due now, in this thread; return how often something was done.

        After ``stop`` nothing more is begun.
        """
        done = 0
        while times := self._carry_due() + self._do_chores():
            done += times
        return done

    def _do_chores(self) -> int:
        done = 0
        for chore in self._chores():
            while not self._stopping.is_set() and is_due(chore, self._clock):
                times = chore.work_off()
                done += times
                if not times:
                    break
        return done

    def _carry_due(self) -> int:
        done = 0
        while not self._stopping.is_set() and (entries := deque(self._claim(_LANES, _IN_BULK))):
            try:
                while entries and not self._stopping.is_set():
                    self._carry(entries.popleft())
                    done += 1
            finally:
                self._give_up(entries)
        return done

    def __enter__(self) -> Worker:
        self._thread = threading.Thread(target=self.run, name="notify-worker", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        if self._thread is not None:
            self._thread.join()

    # --- what is due --------------------------------------------------------------------------

    def _claim_or_wait(self, watch: Watch) -> None:
        try:
            if self._claim_some():
                return
            if self._queue.is_full:
                self._queue.wait_for_room(_WHEN_FULL_S)
            else:
                watch.wait(self._seconds_to_next())
        except JournalError as error:
            _log.error("the worker cannot use the journal: %s", error)
            self._stopping.wait(_AFTER_FAILURE_S)
        except Exception:  # a defect: there must be somebody to go on
            _log.exception("the worker could not see what is due")
            self._stopping.wait(_AFTER_FAILURE_S)

    def _claim_some(self) -> bool:
        """Claim as much as there is room for; what is urgent has room of its own."""
        any_room, urgent_room = self._queue.room()
        claimed = self._take_in(_LANES, any_room)
        if claimed == any_room:
            claimed += self._take_in(_URGENT, urgent_room - claimed)
        return claimed > 0

    def _take_in(self, lanes: Sequence[Priority], limit: int) -> int:
        entries = self._claim(lanes, limit)
        for entry in entries:
            self._queue.put(entry)
        return len(entries)

    def _claim(self, lanes: Sequence[Priority], limit: int) -> Sequence[Entry]:
        if limit <= 0:
            return []
        owner, now = self._leases.owner, self._clock.now()
        entries = self._journal.claim(owner, now, self._leases.until(), lanes, limit)
        self._leases.hold(entry.id for entry in entries)
        return entries

    def _seconds_to_next(self) -> float:
        due = self._journal.next_due(_LANES)
        if due is None:
            return _LONGEST_WAIT_S
        seconds = (due - self._clock.now()).total_seconds()
        # What is due and could not be claimed is in somebody's hands just now.
        return min(max(seconds, _LEAST_WAIT_S), _LONGEST_WAIT_S)

    # --- do this one --------------------------------------------------------------------------

    def _hired(self, number: int) -> threading.Thread:
        return _started(f"notify-worker-{number}", self._carry_all, number)

    def _hired_for(self, chore: Chore) -> _Helper:
        stopping = threading.Event()
        keep_at = KeepAt(chore, self._journal, self._clock, stopping)
        return _Helper(_started(f"notify-worker-{chore.name}", keep_at.run), stopping)

    def _staff(self, hired: dict[str, _Helper]) -> None:
        """Have somebody for each chore that there is now, and nobody for the others."""
        chores = {chore.name: chore for chore in self._chores()}
        for name in hired.keys() - chores.keys():
            hired.pop(name).stopping.set()
        for name in chores.keys() - hired.keys():
            hired[name] = self._hired_for(chores[name])

    def _carry_all(self, number: int) -> None:
        urgent_only = number < self._config.reserved
        while (entry := self._queue.take(urgent_only=urgent_only)) is not None:
            self._carry(entry)
            self._queue.done(entry)

    def _carry(self, entry: Entry) -> None:
        try:
            self._carrier.carry_on(entry)
        except KeyboardInterrupt:  # somebody who sits before ``work_off``
            raise
        except BaseException:  # a plugin that calls sys.exit, or a defect: the others go on
            # It is claimed again when its lease has ended; what it had begun is asked about.
            _log.exception("delivery %s cannot be carried on", entry.id)
        finally:
            self._leases.drop([entry.id])

    def _give_up(self, waiting: Sequence[Entry]) -> None:
        if not waiting:
            return
        self._leases.drop(entry.id for entry in waiting)
        try:
            self._journal.release(self._leases.owner, waiting, self._clock.now())
        except JournalError as error:
            _log.error("%d deliveries stay leased for a while: %s", len(waiting), error)

    def _end(self, hands: Sequence[threading.Thread], helpers: Sequence[_Helper]) -> None:
        """End what is under way, and give up what was not begun."""
        for helper in helpers:
            helper.stopping.set()
        self._journal.wake()  # those who wait for something to do are to see it
        self._give_up(self._queue.close())
        others = [helper.thread for helper in helpers]
        end = self._clock.monotonic() + self._config.stop_within.total_seconds()
        for hand in (*hands, *others):
            hand.join(max(end - self._clock.monotonic(), 0.0))
        busy = sum(hand.is_alive() for hand in hands)
        if busy:
            _log.error("%d deliveries are left in the middle; they are asked about later", busy)
        for other in others:
            if other.is_alive():
                _log.error("%s is left in the middle; another worker does it later", other.name)


@attrs.frozen
class _Helper:
    """Somebody who keeps at a chore."""

    thread: threading.Thread
    stopping: threading.Event


def _started(name: str, target: Callable[..., None], *args: object) -> threading.Thread:
    thread = threading.Thread(target=target, args=args, name=name, daemon=True)
    thread.start()
    return thread


class _Queue:
    """What was claimed and not begun yet, in two lanes, with a bound for each.

    It holds as much again as there are hands, and some more if they are few, so that claims can be
    made in bulk. Hands for what is urgent alone and shared ones wait apart, and each thing that
    happens wakes only whom it concerns.
    """

    def __init__(self, config: WorkerConfig) -> None:
        self._urgent: deque[Entry] = deque()
        self._others: deque[Entry] = deque()
        shared = config.concurrency - config.reserved
        self._most_others = shared + max(shared, _IN_BULK)
        self._most = self._most_others + config.reserved
        self._urgent_out = 0
        self._others_out = 0
        self._closed = False
        # A signal handler may come to ``wake`` while its own thread has the lock.
        lock = threading.RLock()
        self._for_urgent = threading.Condition(lock)
        self._for_shared = threading.Condition(lock)
        self._for_room = threading.Condition(lock)

    def room(self) -> tuple[int, int]:
        """Return how many of any kind are wanted, and how many urgent ones.

        Those that are not urgent are wanted in bulk, when none of them waits any more. One that is
        urgent is wanted unless such a one waits already.
        """
        with self._for_room:
            left = self._most - self._urgent_out - self._others_out
            any_kind = min(self._most_others - self._others_out, left)
            return (0 if self._others else max(any_kind, 0)), max(left, 0 if self._urgent else 1)

    @property
    def is_full(self) -> bool:
        """Whether nothing that is not urgent is wanted."""
        return self.room()[0] == 0

    def put(self, entry: Entry) -> None:
        with self._for_shared:
            if entry.priority in _URGENT:
                self._urgent.append(entry)
                self._urgent_out += 1
                self._for_urgent.notify()
            else:
                self._others.append(entry)
                self._others_out += 1
            self._for_shared.notify()

    def take(self, *, urgent_only: bool) -> Entry | None:
        """Wait for the next one, the urgent first; None when there will be no more."""
        turn = self._for_urgent if urgent_only else self._for_shared
        with turn:
            turn.wait_for(
                lambda: self._closed or self._urgent or (self._others and not urgent_only)
            )
            if self._closed:
                return None
            return self._urgent.popleft() if self._urgent else self._others.popleft()

    def done(self, entry: Entry) -> None:
        with self._for_room:
            if entry.priority in _URGENT:
                self._urgent_out -= 1
            else:
                self._others_out -= 1
            if not self._others:
                self._for_room.notify()

    def wait_for_room(self, seconds: float) -> None:
        """Wait that long, or until more may be wanted than was."""
        with self._for_room:
            self._for_room.wait(seconds)

    def wake(self) -> None:
        with self._for_room:
            self._for_room.notify_all()

    def close(self) -> Sequence[Entry]:
        """Give nothing out any more; return what was not taken."""
        with self._for_room:
            self._closed = True
            self._for_urgent.notify_all()
            self._for_shared.notify_all()
            return [*self._urgent, *self._others]
