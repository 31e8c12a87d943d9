"""What runs in the processes that are killed: an application that sends, and a worker."""

from __future__ import annotations

import logging
import multiprocessing
import os
import resource
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import attrs

from notify_core.errors import JournalError
from notify_core.notifier import Notifier
from tests.crash.ledger import Call, Ledger, read_ledger
from tests.crash.plan import Job, Kind

JOURNAL_AWAY = 3
"""How a process ends that cannot open the journal; somebody has to start it again."""

_THREADS = 4
_BEFORE_REPETITION_S = 0.1
_LOOK_EVERY_S = 0.02


@attrs.frozen
class Place:
    """Where everything of a run is."""

    folder: Path

    @property
    def config(self) -> Path:
        """The configuration of all processes."""
        return self.folder / "config.yaml"

    @property
    def limit(self) -> Path:
        """Holds how many bytes a file may have for our processes; no file, no limit."""
        return self.folder / "limit"

    def ledger(self, sender: str) -> Path:
        """The ledger of a sender."""
        return self.folder / f"{sender}.ledger"

    def log(self, name: str) -> Path:
        """What a process, and those that had its name before, have logged."""
        return self.folder / f"{name}.log"


def run_sender(place: Place, name: str, jobs: Sequence[Job]) -> None:
    """Send what the ledger does not say was sent."""
    _settle_in(place, name)
    known = read_ledger(place.ledger(name))
    left = [job for job in jobs if not known.get(job.number, Call()).is_over(job)]
    ledger = Ledger(place.ledger(name))
    with _opened(place) as notifier, ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(partial(_carry_out, notifier, ledger), left))


def run_worker(place: Place, name: str) -> None:
    """Carry on what is due, until killed."""
    _settle_in(place, name)
    with _opened(place) as notifier:
        try:
            notifier.worker().run()
        except JournalError:  # it went away between opening it and working
            sys.exit(JOURNAL_AWAY)


def _carry_out(notifier: Notifier, ledger: Ledger, job: Job) -> None:
    """Make a call; if the journal is away, make it again with the same key until it is back."""
    while True:
        ledger.begins(job.number)
        try:
            return _call(notifier, ledger, job)
        except JournalError:
            ledger.failed(job.number)
        if not job.has_key:
            return None
        time.sleep(_BEFORE_REPETITION_S)


def _call(notifier: Notifier, ledger: Ledger, job: Job) -> None:
    match job.kind:
        case Kind.ENQUEUE:
            (message,) = job.messages
            ledger.returned(job.number, notifier.enqueue(message))
        case Kind.ENQUEUE_MANY:
            ids = notifier.enqueue_many(job.messages)
            ledger.returned(job.number, [each for several in ids for each in several])
        case _:
            (message,) = job.messages
            report = notifier.send(message)
            ledger.returned(job.number, [each.id for each in report], report.deliveries)


def _opened(place: Place) -> Notifier:
    try:
        return Notifier.from_file(place.config)
    except JournalError as error:
        logging.getLogger(__name__).warning("%s", error)
        sys.exit(JOURNAL_AWAY)


def _settle_in(place: Place, name: str) -> None:
    """Log into a file, and see to it that we know of a full disk and of the end of the run."""
    log = os.open(place.log(name), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(log, sys.stderr.fileno())
    logging.basicConfig(format="%(process)d %(levelname)s %(name)s %(message)s")
    _obey(place.limit)
    threading.Thread(target=_look_around, args=(place.limit,), daemon=True).start()


def _look_around(limit: Path) -> None:
    run = multiprocessing.parent_process()
    while run is None or run.is_alive():
        time.sleep(_LOOK_EVERY_S)
        _obey(limit)
    os._exit(1)  # the run is gone; nobody else would end us


def _obey(limit: Path) -> None:
    """Let no file grow beyond what the file ``limit`` says; the system then refuses to write."""
    _, hardest = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        wanted = int(limit.read_text())
    except FileNotFoundError:
        wanted = hardest
    resource.setrlimit(resource.RLIMIT_FSIZE, (wanted, hardest))
