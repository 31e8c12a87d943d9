"""The processes of a run: started, killed, and started again."""

from __future__ import annotations

import multiprocessing
import random
import signal
import time
from collections.abc import Callable, Sequence
from multiprocessing.process import BaseProcess

import attrs

from tests.crash.plan import SENDERS, Job
from tests.crash.processes import JOURNAL_AWAY, Place, run_sender, run_worker

# Each process is the fork of one that has imported everything: it spends its short life at work.
_MAKE = multiprocessing.get_context("forkserver")
_MAKE.set_forkserver_preload(
    [
        "notify_core.config.load",
        "notify_core.http",
        "notify_smsc.http",
        "phonenumbers",
        "psycopg",
        "sqlalchemy",
        "tests.crash.processes",
    ]
)

_BEFORE_RESTART_S = 0.1


class Ended(Exception):
    """A process ended as none should; the message has what it logged last."""


@attrs.define
class Member:
    """One who is always there: whoever dies has a successor of the same name."""

    place: Place
    name: str
    target: Callable[..., None]
    jobs: Sequence[Sequence[Job]] = ()
    kills: int = 0
    restarts: int = 0
    is_done: bool = False
    _process: BaseProcess | None = None
    _not_before: float = 0.0

    @property
    def is_alive(self) -> bool:
        """Whether there is a process that can be killed."""
        return self._process is not None and self._process.is_alive()

    def revive(self) -> None:
        """See to it that somebody is there, unless the work is done."""
        if self.is_done or self.is_alive or time.monotonic() < self._not_before:
            return
        if self._process is not None and self._took_leave(self._process.exitcode):
            return
        self._process = _MAKE.Process(target=self.target, args=(self.place, self.name, *self.jobs))
        self._process.start()

    def kill(self) -> bool:
        """Kill whoever is there, at whatever point they are; False if they were quicker to end."""
        if self._process is None or not self._process.is_alive():
            return False
        self._process.kill()
        self._process.join()
        return self._process.exitcode == -signal.SIGKILL

    def _took_leave(self, code: int | None) -> bool:
        """Take note of how a process has ended; True if nobody is to follow it now."""
        if code == -signal.SIGKILL:
            return False
        if code == JOURNAL_AWAY:
            self._process = None
            self.restarts += 1
            self._not_before = time.monotonic() + _BEFORE_RESTART_S
        elif code == 0:
            self.is_done = True
        else:
            log = self.place.log(self.name)
            words = log.read_text()[-3000:] if log.exists() else ""
            raise Ended(f"{self.name} ended with {code}:\n{words}")
        return True


class Crew:
    """All the processes; those that send are done at some time, the workers never."""

    def __init__(self, place: Place, jobs: Sequence[Job], workers: int) -> None:
        self.senders = [
            Member(place, f"sender-{number}", run_sender, [jobs[number::SENDERS]])
            for number in range(SENDERS)
        ]
        self.workers = [Member(place, f"worker-{number}", run_worker) for number in range(workers)]

    @property
    def all_sent(self) -> bool:
        """Whether the application has nothing left to do."""
        return all(sender.is_done for sender in self.senders)

    @property
    def restarts(self) -> int:
        """How often a process could not open the journal and was started again."""
        return sum(member.restarts for member in self._members)

    def revive(self) -> None:
        """Give everybody who has died a successor. Raises ``Ended``."""
        for member in self._members:
            member.revive()

    def kill_one(self, chance: random.Random) -> bool:
        """Kill somebody; False if that was not possible."""
        alive = [member for member in self._members if member.is_alive]
        if not alive:
            return False
        victim = chance.choice(alive)
        killed = victim.kill()
        victim.kills += killed
        return killed

    def dismiss(self) -> None:
        """End whoever is still there; they are not counted."""
        for member in self._members:
            member.kill()

    @property
    def _members(self) -> Sequence[Member]:
        return [*self.senders, *self.workers]
