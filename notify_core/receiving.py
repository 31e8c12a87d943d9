"""Calls of providers: kept first, understood later.

Whoever calls is answered when the call is kept, so that a slow plugin or a message that is not
known yet never makes a provider wait or repeat. A chore of the worker does the rest. If it is
killed, at any point, the call is done once more: all that follows from one is the same the second
time. One that kills whoever does it is done alone, and not for ever.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Final, Protocol

from notify_core.callback import CallbackEvent, CallbackRequest, Incoming, StatusEvent, Trust
from notify_core.clock import Clock
from notify_core.errors import CallbackError, JournalError, ProviderError
from notify_core.ids import new_id
from notify_core.journal.calls import Call, Calls, Settled
from notify_core.keeping import Kept
from notify_core.sparing import Sparing

_log = logging.getLogger(__name__)

AGAIN_AFTER_S: Final = (1.0, 5.0, 30.0, 300.0, 1800.0)
"""When a call is tried again that was not understood, or is about a message nobody knows yet."""
HINT_AGAIN_AFTER_S: Final = (5.0,)
"""The same of a message that only hints are about: anybody can make them up, and what they hint at
is asked about anyway."""
MOST_CLAIMS: Final = len(AGAIN_AFTER_S) + 3
"""A call is given up that was taken so often and never settled. Two of these times a process may
have ended for another reason."""
MOST_WAITING: Final = 65_000
"""So many calls of a provider are kept that nobody has understood yet: a thousand a second for a
minute, and no more of those that anybody can send. Who is refused beyond is to come again."""

_COUNTED_EVERY_S: Final = 5.0
_FULL_FOR_S: Final = 1.0
_NEVER_CAME_BACK: Final = "failed: whoever did it never came back, time and again"
_IN_BULK: Final = 100
_HANDS: Final = 8
"""So many calls are done at once. On SQLite they share their commits."""
_MOST_GIVEN_UP: Final = {"refused": 1_000, "unmatched": 1_000, "failed": 10_000}
"""So many are kept of each kind. Anybody can send calls that come to nothing: nobody shall be able
to fill the disk with them."""
_TRIM_EVERY: Final = 1_000
"""After so many more were given up, those of them that are too many are removed."""
_LONGEST_REASON: Final = 200
_LOOKS: Final = 10
_LOOK_AGAIN_S: Final = 0.001


class Parser(Protocol):
    """Says what calls tell. The registry is one."""

    def parse_callback(self, name: str, request: CallbackRequest) -> Sequence[CallbackEvent]:
        """Raise ``CallbackError`` for a call without effect, ``ProviderError`` for no answer."""


class TakesStatuses(Protocol):
    """Takes in what became of messages. The tracker is one."""

    def take(self, provider: str, event: StatusEvent) -> bool:
        """Return False if nobody knows the message yet."""


class TakesMessages(Protocol):
    """Takes in what people send. The inbox is one."""

    def take(self, incoming: Incoming, told_at: datetime) -> None:
        """Keep it, once however often it is told; ``told_at`` is when the call came."""


class _Unmatched(Exception):
    """A status is of a message that nobody knows, yet or at all.

    ``pauses_s`` are those after which it is worth while to look again.
    """

    def __init__(self, unknown: Sequence[CallbackEvent]) -> None:
        is_proven = any(event.trust is Trust.PROVEN for event in unknown)
        self.pauses_s = AGAIN_AFTER_S if is_proven else HINT_AGAIN_AFTER_S
        super().__init__("unmatched")


class Receiver:
    """Keeps the calls of providers and, as a chore, does what they tell."""

    name = "callbacks"

    def __init__(
        self,
        parser: Parser,
        kept: Kept,
        tracker: TakesStatuses,
        inbox: TakesMessages,
        clock: Clock,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._parser = parser
        self._kept = kept
        self._tracker = tracker
        self._inbox = inbox
        self._clock = clock
        self._calls = Calls(kept.journal.database, kept.journal.seal)
        self._counter = _Counter()
        self._room = _Room(self._calls.waiting, most_waiting, clock)
        self._given_up = Sparing(clock)
        self._untrimmed = _TRIM_EVERY  # nobody knows what another process has left

    def accept(self, provider: str, request: CallbackRequest) -> None:
        """Keep a call; it is understood later. Raises ``JournalError``: then it is not kept.

        It is not if too many of this provider wait already.
        A journal that must not hold texts cannot hold a call either. Then it is understood at
        once, and is a ``JournalError`` if that would have to be tried again.
        """
        stored = self._calls.sealed(request)
        if stored is None:
            self._do_unkept(provider, request)
            return
        self._room.take(provider)
        now = self._clock.now()
        with self._counter:
            self._calls.add(new_id(), provider, stored, request.received_at, now)
        self._kept.journal.wake()

    def work_off(self) -> int:
        """Do some of the calls that are due; return how many. Raises ``JournalError``."""
        owner, now = self._kept.leases.owner, self._clock.now()
        calls = self._calls.claim(owner, now, now + self._kept.config.lease, _IN_BULK)
        if calls:
            settled = self._settled(calls)
            self._calls.settle(owner, settled)
            self._tell(settled)
            self._trim(settled)
        return len(calls)

    def next_due(self) -> datetime | None:
        """Return when the next call is due; None if there is none."""
        return self._calls.next_due()

    def _settled(self, calls: Sequence[Call]) -> Sequence[Settled]:
        if len(calls) == 1:
            return [self._settle(calls[0])]
        with ThreadPoolExecutor(_HANDS, thread_name_prefix="notify-calls") as hands:
            return [*hands.map(self._settle, calls)]

    def _settle(self, call: Call) -> Settled:
        if call.tries > MOST_CLAIMS:
            return Settled(call=call, result=_NEVER_CAME_BACK)
        self._counter.give_way()
        try:
            self._do(call.provider, self._calls.request_of(call))
        except CallbackError as error:
            return Settled(call=call, result=_result("refused", str(error)))
        except _Unmatched as error:
            return self._later(call, "unmatched", error.pauses_s)
        except (Exception, SystemExit) as error:  # a plugin or a defect; the others go on
            return self._later(call, _result("failed", _words(error)))
        return Settled(call=call)

    def _later(self, call: Call, result: str, pauses_s: Sequence[float] = AGAIN_AFTER_S) -> Settled:
        """Have a call tried again; after the last time, give it up."""
        if call.tries > len(pauses_s):
            return Settled(call=call, result=result)
        pause = timedelta(seconds=pauses_s[call.tries - 1])
        return Settled(call=call, again_at=self._clock.now() + pause)

    def _do(self, provider: str, request: CallbackRequest) -> None:
        """Do all that a call tells. What was done before is done again without effect."""
        events = self._parser.parse_callback(provider, request)
        unknown = [
            event for event in events if not self._take(provider, event, request.received_at)
        ]
        if unknown:
            raise _Unmatched(unknown)

    def _take(self, provider: str, event: CallbackEvent, told_at: datetime) -> bool:
        match event:
            case StatusEvent():
                return self._tracker.take(provider, event)
            case Incoming():
                self._inbox.take(event, told_at)
                return True

    def _do_unkept(self, provider: str, request: CallbackRequest) -> None:
        try:
            self._do(provider, request)
        except CallbackError as error:
            self._log_given_up(provider, _result("refused", str(error)))
        except _Unmatched as error:
            self._log_given_up(provider, str(error))
        except (Exception, SystemExit) as error:  # a plugin or a defect: it must come again
            raise JournalError(
                f"a call of {provider} failed ({_words(error)}), and none can be kept with "
                "journal.text: never; it must be repeated"
            ) from None

    def _tell(self, settled: Sequence[Settled]) -> None:
        given_up = [(each.call.provider, each.result) for each in settled if each.result]
        for (provider, result), times in Counter(given_up).items():
            self._log_given_up(provider, result, times)

    def _log_given_up(self, provider: str, result: str, times: int = 1) -> None:
        """Log what was given up, but sparingly: anybody can send calls that come to nothing."""
        for (name, why), count in self._given_up.due(provider, result, times):
            _log.warning("calls of provider %s given up (%d): %s", name, count, why)

    def _trim(self, settled: Sequence[Settled]) -> None:
        given_up = sum(each.result is not None for each in settled)
        self._untrimmed += given_up
        if given_up and self._untrimmed >= _TRIM_EVERY:
            self._untrimmed = 0
            self._calls.trim(_MOST_GIVEN_UP)


class _Room:
    """How many more calls of each provider may be kept, until those that wait are understood.

    It is counted now and then, and not for each call, which would cost more than to keep it. In
    between other processes may keep some too, so the bound is not one to the last call.
    """

    def __init__(self, waiting: Callable[[str, int], int], most: int, clock: Clock) -> None:
        self._waiting = waiting
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._left: dict[str, int] = {}
        self._until_s: dict[str, float] = {}

    def take(self, provider: str) -> None:
        """Take the room of one call. Raises ``JournalError`` if there is none."""
        with self._lock:
            now_s = self._clock.monotonic()
            # Who has used up what was counted counts anew, but not all the time.
            if now_s >= self._until_s.get(provider, now_s):
                self._count(provider, now_s)
            if not self._left[provider]:
                raise JournalError(
                    f"{self._most} calls of {provider} wait to be understood; is a worker running?"
                )
            self._left[provider] -= 1
            if not self._left[provider]:
                self._until_s[provider] = now_s

    def _count(self, provider: str, now_s: float) -> None:
        left = self._most - self._waiting(provider, self._most)
        self._left[provider] = left
        self._until_s[provider] = now_s + (_COUNTED_EVERY_S if left else _FULL_FOR_S)


class _Counter:
    """Where calls are handed in, and who works behind it in the same process.

    Handing in comes first: who calls is waiting, and what was handed in can wait. A thread that
    works gives way for a moment and no longer, so that the work gets done however many come.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queue = 0

    def __enter__(self) -> None:
        with self._lock:
            self._queue += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._queue -= 1

    def give_way(self) -> None:
        """Wait until nobody hands anything in, but not for long."""
        # It looks again and again. To be woken whenever nobody is there, which is a thousand times
        # a second, would cost those who hand in a fifth of their time.
        for _ in range(_LOOKS):
            if not self._queue:
                return
            time.sleep(_LOOK_AGAIN_S)


def _result(word: str, reason: str) -> str:
    return f"{word}: {_one_line(reason)}"


def _words(error: BaseException) -> str:
    # Of errors that are not ours never the words: they can hold what the call holds.
    ours = isinstance(error, ProviderError | JournalError)
    return str(error) if ours else type(error).__name__


def _one_line(text: str) -> str:
    return "".join(each if each.isprintable() else " " for each in text[:_LONGEST_REASON])
