"""One run: an application, workers and a gateway, while processes die and answers are lost."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import attrs

from notify_core.delivery import Attempt
from notify_core.notifier import Notifier
from notify_core.outcome import Accepted, NotSent
from notify_smsc_emulator import Emulator, FaultKind, Settings
from tests.crash.crew import Crew
from tests.crash.ledger import Call, read_ledger
from tests.crash.outages import Outage
from tests.crash.plan import Scale, jobs_of
from tests.crash.processes import Place
from tests.crash.verdict import Evidence, caught_by, faults_of, kept_in

_LOOK_EVERY_S = 0.01
_LOOK_AT_JOURNAL_EVERY_S = 0.2
_PATIENCE_S = 60.0
_KILLS_IN_OUTAGE = 0.02
"""The chance, each time we look, that somebody is killed while the journal is away."""

_WHILE_ALL_SEND = 0.6
"""The share of a run after which senders begin to be done."""

_LOST_ANSWERS = (FaultKind.DROP, FaultKind.CUT, FaultKind.NO_ANSWER, FaultKind.SERVER_ERROR)

# The pauses between questions are short, as nobody may be killed for minutes in a test.
_CONFIG = """\
version: 1
providers:
  smsc:
    type: smsc
    login: {login}
    password: {password}
    host: {host}
    https: false
    reserve_hosts: []
    read_timeout: 400ms
    ask_after: [50ms, 100ms, 150ms, 200ms]
retry: {{rounds: 20, first: 100ms, longest: 1s}}
journal: {{url: "{url}", lease: {lease_s}s, pool_size: 8}}
worker: {{concurrency: 8, reserved: 2}}
routes:
  - {{name: default, send: {{via: smsc}}}}
"""


class Stuck(Exception):
    """Nothing has happened for a long time."""


@attrs.frozen(kw_only=True)
class Figures:
    """What a run has done and found; ``faults`` are broken promises, in words."""

    messages: int
    deliveries: int
    kills_of_senders: int
    kills_of_workers: int
    outages: int
    failed_calls: int
    restarts: int
    lost_arrived: int
    lost_on_the_way: int
    lost_questions: int
    found_open: int
    found_by_asking: int
    absent_by_asking: int
    accepted: int
    held: int
    not_sent: int
    seconds: float
    faults: Sequence[str]

    @property
    def kills(self) -> int:
        """How many processes were killed."""
        return self.kills_of_senders + self.kills_of_workers

    def count(self, word: str) -> int:
        """Count the faults of a kind: ``lost``, ``doubled`` and so on."""
        return sum(fault.startswith(word) for fault in self.faults)


def crash_run(scale: Scale, url: str, folder: Path, outage: Outage) -> Figures:
    """Run it, and return what came of it. Raises ``Ended`` or ``Stuck``."""
    settings = Settings(rate_rules=False, balance=Decimal(10**9))
    with Emulator(settings) as emulator:
        place = _settled(folder, emulator, scale, url)
        return _Run(scale, place, emulator, outage).figures()


def _settled(folder: Path, emulator: Emulator, scale: Scale, url: str) -> Place:
    place = Place(folder)
    place.config.write_text(
        _CONFIG.format(
            login=emulator.settings.login,
            password=emulator.settings.password,
            host=emulator.host,
            url=url,
            lease_s=scale.lease_s,
        )
    )
    return place


class _Run:
    """The run itself: looks around all the time, and does what is to happen at this point."""

    def __init__(self, scale: Scale, place: Place, emulator: Emulator, outage: Outage) -> None:
        self._scale = scale
        self._place = place
        self._emulator = emulator
        self._outage = outage
        self._chance = random.Random(scale.seed)
        self._jobs = jobs_of(scale.messages)
        self._deliveries = sum(len(list(job.wanted)) for job in self._jobs)
        self._crew = Crew(place, self._jobs, scale.workers)
        self._kill_at = self._points(scale.kills)
        self._outage_at = self._points(scale.outages, _WHILE_ALL_SEND)
        self._lose_at = self._points(round(scale.lost * self._deliveries))
        self._back_at: float | None = None
        self._traffic = _Traffic(emulator)
        self._lost_arrived = 0
        self._lost_on_the_way = 0
        self._lost_questions = 0

    def figures(self) -> Figures:
        """Run to the end and look at what has come of it."""
        began = time.monotonic()
        try:
            self._let_it_happen()
        finally:
            self._crew.dismiss()
        return self._counted(time.monotonic() - began)

    def _points(self, count: int, share: float = 0.95) -> list[int]:
        """Choose when something happens, in sends within a share of the run, the last first."""
        last = int(self._deliveries * share)
        return sorted((self._chance.randint(1, last) for _ in range(count)), reverse=True)

    # --- while it runs ------------------------------------------------------------------------

    def _let_it_happen(self) -> None:
        while not (self._crew.all_sent and not self._lies_ahead() and self._is_worked_off()):
            self._crew.revive()
            if time.monotonic() - self._traffic.moved_at > _PATIENCE_S:
                raise Stuck(f"no request for {_PATIENCE_S:.0f} s; {self._traffic.sends} sends")
            self._traffic.look()
            self._lose_answers()
            self._begin_or_end_outage()
            self._kill()
            time.sleep(_LOOK_EVERY_S)

    def _lies_ahead(self) -> bool:
        return bool(self._kill_at or self._outage_at or self._back_at)

    def _is_worked_off(self) -> bool:
        with Notifier.from_file(self._place.config) as notifier:
            end = time.monotonic() + _LOOK_AT_JOURNAL_EVERY_S
            while time.monotonic() < end:
                if not notifier.journal.backlog(datetime.now(UTC)).under_way:
                    return True
                time.sleep(_LOOK_EVERY_S)
        return False

    def _has_come(self, points: list[int]) -> bool:
        """Tell whether the next of these points has come, and take it off."""
        if points and self._traffic.sends >= points[-1]:
            points.pop()
            return True
        return False

    def _lose_answers(self) -> None:
        while self._has_come(self._lose_at):
            arrives = self._chance.random() < 0.5
            kind = self._chance.choice(_LOST_ANSWERS)
            cut_after = self._chance.randint(0, 9)
            self._emulator.fault(kind, script="send", registered=arrives, cut_after=cut_after)
            self._lost_arrived += arrives
            self._lost_on_the_way += not arrives
            if self._chance.random() < self._scale.lost_questions:
                self._emulator.fault(kind, script="status", cut_after=cut_after)
                self._lost_questions += 1

    def _kill(self) -> None:
        # Where exactly in its work somebody is killed is left to the operating system.
        if self._is_time_to_kill() and self._crew.kill_one(self._chance):
            self._kill_at.pop()

    def _is_time_to_kill(self) -> bool:
        if not self._kill_at:
            return False
        in_outage = self._back_at is not None and self._chance.random() < _KILLS_IN_OUTAGE
        return in_outage or self._traffic.sends >= self._kill_at[-1]

    def _begin_or_end_outage(self) -> None:
        if self._back_at is None and self._has_come(self._outage_at):
            self._outage.begin()
            longest = self._scale.outage_s
            self._back_at = time.monotonic() + self._chance.uniform(longest / 2, longest)
        elif self._back_at is not None and time.monotonic() >= self._back_at:
            self._outage.end()
            self._back_at = None

    # --- afterwards ---------------------------------------------------------------------------

    def _counted(self, seconds: float) -> Figures:
        calls = self._calls()
        with Notifier.from_file(self._place.config) as notifier:
            kept = kept_in(notifier.journal)
            wrong = notifier.journal.check()
        caught = caught_by(self._emulator)
        evidence = Evidence(jobs=self._jobs, calls=calls, kept=kept, caught=caught)
        deliveries = [each for several in kept.values() for each in several]
        attempts = [attempt for each in deliveries for attempt in each.attempts]
        return Figures(
            messages=self._scale.messages,
            deliveries=len(deliveries),
            kills_of_senders=sum(member.kills for member in self._crew.senders),
            kills_of_workers=sum(member.kills for member in self._crew.workers),
            outages=self._scale.outages,
            failed_calls=sum(call.failures for call in calls.values()),
            restarts=self._crew.restarts,
            lost_arrived=self._lost_arrived,
            lost_on_the_way=self._lost_on_the_way,
            lost_questions=self._lost_questions,
            found_open=sum(_was_open(attempt) for attempt in attempts),
            found_by_asking=sum(isinstance(each.resolved, Accepted) for each in attempts),
            absent_by_asking=sum(isinstance(each.resolved, NotSent) for each in attempts),
            accepted=sum(each.accepted for each in deliveries),
            held=sum(each.held for each in deliveries),
            not_sent=sum(isinstance(each.outcome, NotSent) for each in deliveries),
            seconds=seconds,
            faults=[*faults_of(evidence), *self._defects(), *wrong],
        )

    def _calls(self) -> dict[int, Call]:
        ledgers = [read_ledger(self._place.ledger(each.name)) for each in self._crew.senders]
        return {job: call for ledger in ledgers for job, call in ledger.items()}

    def _defects(self) -> Sequence[str]:
        """Look for what no process should ever log."""
        logs = self._place.folder.glob("*.log")
        return [
            f"a traceback in {log.name}: {log.read_text()[-2000:]}"
            for log in logs
            if "Traceback" in log.read_text()
        ]


def _was_open(attempt: Attempt) -> bool:
    """Tell whether somebody was killed between beginning an attempt and writing its answer."""
    return attempt.answer is None


class _Traffic:
    """How many sends the gateway has seen: how far the run has come."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._seen = 0
        self.sends = 0
        self.moved_at = time.monotonic()

    def look(self) -> None:
        """Count those that have come since."""
        requests = self._emulator.requests()
        new = requests[self._seen :]
        self._seen = len(requests)
        self.sends += sum(request.path.endswith("/send.php") for request in new)
        if new:
            self.moved_at = time.monotonic()
