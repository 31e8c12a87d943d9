"""``notify worker``: carry on what is due, until a signal says to stop."""

from __future__ import annotations

import contextlib
import functools
import logging
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import attrs
import click

from notify_core.cli import journal_shapes as shapes
from notify_core.cli import journal_tables as tables
from notify_core.cli.options import config_option, json_option, reload_option
from notify_core.cli.output import answer, only_answer_on_stdout, printable
from notify_core.cli.session import Session, opened
from notify_core.config.model import Config
from notify_core.delivery import Attempt, Delivery, Stage
from notify_core.hookspecs import hookimpl
from notify_core.journal.codec import outcome_word
from notify_core.notifier import Notifier
from notify_core.plugins import Plugins
from notify_core.watching import FileWatch

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_TALLY = "notify worker"
_OUTCOMES = ("accepted", "refused", "not_sent", "unknown")


@click.command()
@click.option("--once", is_flag=True, help="Carry on what is due now, and end.")
@click.option(
    "--concurrency",
    type=click.IntRange(min=1),
    help="How many at once, in place of the configuration.",
)
@reload_option
@click.option("--quiet", "level", flag_value="WARNING", help="Log only what is wrong.")
@click.option("--verbose", "level", flag_value="DEBUG", help="Log more.")
@config_option
@json_option
@click.pass_obj
def worker(
    plugins: Plugins,
    /,
    once: bool,
    concurrency: int | None,
    reload: bool,
    level: str | None,
    config: Path,
    as_json: bool,
) -> None:
    """Carry on what is due: what was enqueued, and what had to wait.

    SIGTERM or Ctrl-C lets it end what is under way; a second one ends it at once, and what was
    in the middle is asked about later. Start as many as you want, on any machine.

    It goes on with a configuration that has changed as soon as it sees the file, or at SIGHUP; one
    that cannot be used leaves the one before live.
    """
    change = functools.partial(_at_once, concurrency)
    with hangups() as asked, logging_at(level or "INFO"), _counting(plugins) as tally:
        with (
            opened(config, plugins, change) as session,
            only_answer_on_stdout(as_json),
            reloading(session.notifier, config, asked, watches=reload and not once),
        ):
            times = _work(session, once=once)
        shape = shapes.worked_shape(tally.ended, tally.held, tally.attempts, times)
        answer(shape, tables.worked_tables, as_json=as_json)


def _work(session: Session, *, once: bool) -> int | None:
    """Work until told to stop; with ``once`` return how often something was done."""
    made = session.notifier.worker()
    with stopped_by_signals(made.stop):
        if once:
            return made.work_off()
        config = session.config.worker
        click.echo(
            f"worker ready: {config.concurrency} at once, "
            f"{config.reserved} of them for what is urgent alone"
        )
        made.run()
    return None


def _at_once(concurrency: int | None, config: Config) -> Config:
    if concurrency is None:
        return config
    reserved = min(config.worker.reserved, concurrency - 1)
    at_once = attrs.evolve(config.worker, concurrency=concurrency, reserved=reserved)
    return attrs.evolve(config, worker=at_once)


class Hangups:
    """What SIGHUP asks for. One that comes before that is known is answered later."""

    def __init__(self) -> None:
        self._act: Callable[[], None] | None = None
        self._is_owed = False

    @contextlib.contextmanager
    def lead_to(self, act: Callable[[], None]) -> Iterator[None]:
        """Have this done at each of them, until the block ends; then they do nothing."""
        self._act = act
        if self._is_owed:
            self.answer()
        try:
            yield
        finally:
            self._act = None

    def answer(self) -> None:
        """Do what is to be done, in a thread: what it locks, whom it interrupts may have."""
        self._is_owed = self._act is None
        if self._act is not None:
            threading.Thread(target=self._act, name="notify-reload", daemon=True).start()


@contextlib.contextmanager
def hangups() -> Iterator[Hangups]:
    """Take SIGHUP, where there is such a thing, until the block ends."""
    taken = Hangups()

    def handle(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        taken.answer()

    if not hasattr(signal, "SIGHUP"):
        yield taken
        return
    before = signal.signal(signal.SIGHUP, handle)
    try:
        yield taken
    finally:
        signal.signal(signal.SIGHUP, before)


@contextlib.contextmanager
def reloading(notifier: Notifier, path: Path, asked: Hangups, *, watches: bool) -> Iterator[None]:
    """Reload when it is asked for and, if it ``watches``, when the files change."""
    watch = FileWatch(notifier, path)
    with contextlib.ExitStack() as stack:
        stack.enter_context(asked.lead_to(watch.reload))
        if watches:
            stack.enter_context(watch)
        yield


@contextlib.contextmanager
def stopped_by_signals(stopping: Callable[[], None]) -> Iterator[None]:
    """Have it stopped at the first signal, and die of the second."""

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        # In a thread of its own: what it locks, the one that was interrupted may have.
        threading.Thread(target=stopping, name="notify-stop").start()

    before = {each: signal.signal(each, stop) for each in _SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


class _Printable(logging.Formatter):
    """Write no control characters; the reason that a provider gave may hold some."""

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(printable(line) for line in super().format(record).splitlines())


@contextlib.contextmanager
def logging_at(level: str) -> Iterator[None]:
    """Log to standard error; in detail only what is the framework's own.

    Others would write out what they send: addresses and texts.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Printable(_FORMAT, "%Y-%m-%dT%H:%M:%S%z"))
    wanted = logging.getLevelNamesMapping()[level]
    levels = {"": max(logging.INFO, wanted), "notify_core": wanted}
    before = {name: logging.getLogger(name).level for name in levels}
    logging.getLogger().addHandler(handler)
    for name, new in levels.items():
        logging.getLogger(name).setLevel(new)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        for name, old in before.items():
            logging.getLogger(name).setLevel(old)


class _Tally:
    """Count what came of the work, from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._attempts: Counter[str] = Counter()
        self._stages: Counter[Stage] = Counter()

    @hookimpl
    def notify_attempt_finished(self, attempt: Attempt) -> None:
        if attempt.outcome is not None:
            with self._lock:
                self._attempts[outcome_word(attempt.outcome)] += 1

    @hookimpl
    def notify_status_changed(self, delivery: Delivery) -> None:
        with self._lock:
            self._stages[delivery.stage] += 1

    @property
    def attempts(self) -> dict[str, int]:
        return {word: self._attempts[word] for word in _OUTCOMES}

    @property
    def ended(self) -> int:
        return self._stages[Stage.ENDED]

    @property
    def held(self) -> int:
        return self._stages[Stage.HELD]


@contextlib.contextmanager
def _counting(plugins: Plugins) -> Iterator[_Tally]:
    tally = _Tally()
    plugins.register(tally, _TALLY)
    try:
        yield tally
    finally:
        plugins.manager.unregister(name=_TALLY)
