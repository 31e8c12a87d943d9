"""``notify worker``: what it does once, how it is told to stop, and what it leaves behind."""

from __future__ import annotations

import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from notify_core import Notifier, Sms
from notify_core.cli.working import Hangups, reloading
from notify_core.delivery import Stage
from notify_core.journal.model import Filter
from tests.cli_runs import CONFIG, NUMBER, TEXT, Run, answer, enqueued, notifier, runner, sent

ROOT = Path(__file__).parents[1]
PATIENCE_S = 30.0


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return runner(tmp_path)


def stage_of(run: Run, delivery_id: str) -> str:
    shape = answer(run("deliveries", delivery_id, "--json"))
    return str(shape["delivery"]["stage"])


# --- once -----------------------------------------------------------------------------------


def test_once_carries_on_what_is_due_and_ends(run: Run) -> None:
    """What is not due yet is left; the answer counts what was done."""
    first, second = enqueued(run), enqueued(run, tag="picky")
    waiting = sent(run, tag="busy")

    result = run("worker", "--once", "--json")

    assert result.exit_code == 0
    assert answer(result) == {
        "ended": 2,
        "held": 0,
        "attempts": {"accepted": 1, "refused": 1, "not_sent": 0, "unknown": 0},
        "times": 2,
    }
    assert [stage_of(run, each) for each in (first, second, waiting)] == [
        "ended",
        "ended",
        "under_way",
    ]


def test_once_is_readable(run: Run) -> None:
    """Only what there was is counted out."""
    enqueued(run)
    enqueued(run, tag="mute")

    lines = run("worker", "--once", "--quiet").stdout.splitlines()

    assert lines[-1] == "worker ended: 1 delivery ended, 1 held; 2 attempts: 1 accepted, 1 unknown"
    assert (
        run("worker", "--once").stdout == "worker ended: 0 deliveries ended, 0 held; 0 attempts\n"
    )


def test_what_a_provider_prints_stays_out_of_the_json(run: Run) -> None:
    enqueued(run)

    result = run("worker", "--once", "--json")

    assert answer(result)["ended"] == 1
    assert "printed by good" in result.stderr


@pytest.mark.parametrize(
    ("options", "logged"),
    [((), True), (("--verbose",), True), (("--quiet",), False)],
)
def test_each_attempt_is_a_line_in_the_log_unless_it_is_to_be_quiet(
    run: Run, options: tuple[str, ...], logged: bool
) -> None:
    """On standard error, with the time; what is wrong is told in any case."""
    made = enqueued(run, tag="locked")

    told = run("worker", "--once", *options).stderr

    line = re.compile(rf"^[-+:T\d]+ INFO notify_core\.\w+: delivery {made} attempt 1", re.M)
    assert logged == bool(line.search(told))
    assert "ERROR notify_core.health: provider locked is stopped: key is wrong" in told
    assert "\x1b" not in told


def test_the_logging_is_left_as_it_was(run: Run) -> None:
    """The command may be called by a program that logs in its own way."""
    root = logging.getLogger()
    before = root.level, list(root.handlers), logging.getLogger("notify_core").level

    run("worker", "--once", "--verbose")

    assert (root.level, root.handlers, logging.getLogger("notify_core").level) == before


def test_concurrency_is_that_of_the_option(tmp_path: Path) -> None:
    """Those for what is urgent are fewer, if need be."""
    run = runner(tmp_path, CONFIG + "worker: {concurrency: 8, reserved: 6}\n")

    with stopped_soon():
        shown = run("worker", "--concurrency", "3").stdout
    with stopped_soon():
        usual = run("worker").stdout

    assert shown.startswith("worker ready: 3 at once, 2 of them for what is urgent alone\n")
    assert usual.startswith("worker ready: 8 at once, 6 of them for what is urgent alone\n")


def test_no_concurrency_at_all_is_wrong_usage(run: Run) -> None:
    assert run("worker", "--concurrency", "0").exit_code == 2


@contextmanager
def stopped_soon() -> Iterator[None]:
    """Send this process the signal to stop, again and again as long as it is heard."""
    before = signal.getsignal(signal.SIGTERM)
    done = threading.Event()

    def stop() -> None:
        while not done.wait(0.05):
            if signal.getsignal(signal.SIGTERM) not in (before, signal.SIG_DFL):
                os.kill(os.getpid(), signal.SIGTERM)
                return

    thread = threading.Thread(target=stop)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


# --- as a process ---------------------------------------------------------------------------


@contextmanager
def worker_process(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Run a worker on the configuration in the folder, from when it says that it is ready."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    with (folder / "worker.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "notify_core.cli", "worker", *options],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": path},
        )
    slow = threading.Timer(PATIENCE_S, process.kill)
    with process:
        try:
            slow.start()
            assert process.stdout is not None
            assert process.stdout.readline().startswith("worker ready: ")
            slow.cancel()
            yield process
        finally:
            slow.cancel()
            process.kill()


def ended(process: subprocess.Popen[str], number: signal.Signals) -> tuple[int, str]:
    """Send a signal; return the exit code, and what was printed meanwhile."""
    process.send_signal(number)
    printed, _ = process.communicate(timeout=PATIENCE_S)
    return process.returncode, printed


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)


def has_begun(sending: Notifier, delivery_id: str) -> bool:
    entry = sending.journal.load(delivery_id)
    return entry is not None and bool(entry.progress.attempts)


def leased(sending: Notifier) -> list[str]:
    return [entry.id for entry in sending.journal.export(Filter()) if entry.owner is not None]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_sends_what_another_process_enqueues_and_ends_when_it_is_told(
    tmp_path: Path, number: signal.Signals
) -> None:
    """It exits with 0, says what it did, and has nothing leased."""
    runner(tmp_path)
    with worker_process(tmp_path) as process, notifier(tmp_path) as sending:
        (made,) = sending.enqueue(Sms(to=NUMBER, text=TEXT))
        delivery = sending.wait(made, timeout_s=PATIENCE_S)
        exit_code, printed = ended(process, number)

        assert delivery.accepted
        assert exit_code == 0
        assert "worker ended: 1 delivery ended, 0 held; 1 attempt: 1 accepted" in printed
        assert leased(sending) == []


def test_a_worker_ends_what_is_under_way_before_it_ends(tmp_path: Path) -> None:
    """The signal comes in the middle of a call that takes its time."""
    runner(tmp_path)
    with worker_process(tmp_path) as process, notifier(tmp_path) as sending:
        (made,) = sending.enqueue(Sms(to=NUMBER, text=TEXT, tags="slow"))
        wait_until(lambda: has_begun(sending, made))
        exit_code, printed = ended(process, signal.SIGTERM)

        assert exit_code == 0
        assert "1 attempt: 1 accepted" in printed
        assert sending.get(made).stage is Stage.ENDED


def test_a_second_signal_ends_a_worker_at_once(tmp_path: Path) -> None:
    """What was in the middle is left open in the journal, to be asked about."""
    runner(tmp_path, CONFIG.replace("takes_s: 0.7", "takes_s: 60.0"))
    with worker_process(tmp_path) as process, notifier(tmp_path) as sending:
        (made,) = sending.enqueue(Sms(to=NUMBER, text=TEXT, tags="slow"))
        wait_until(lambda: has_begun(sending, made))
        process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert process.poll() is None
        exit_code, _ = ended(process, signal.SIGTERM)

        assert exit_code == -signal.SIGTERM
        assert [each.outcome for each in sending.get(made).attempts] == [None]


# --- with another configuration -------------------------------------------------------------

BROKEN = "version: 1\n"


def log_of(folder: Path) -> str:
    return (folder / "worker.log").read_text()


def test_a_worker_goes_on_with_a_changed_file_and_not_with_a_bad_one(tmp_path: Path) -> None:
    runner(tmp_path)
    path = tmp_path / "notify.yaml"
    text = path.read_text()
    with worker_process(tmp_path) as process:
        path.write_text(BROKEN)
        wait_until(lambda: "stays live" in log_of(tmp_path))
        path.write_text(text + "breaker: {failures: 7}\n")
        wait_until(lambda: "is live" in log_of(tmp_path))
        exit_code, _ = ended(process, signal.SIGTERM)

    assert exit_code == 0
    assert re.findall(r"(ERROR|INFO) notify_core.watching: (.*)", log_of(tmp_path)) == [
        ("ERROR", ANY_FAILURE),
        ("INFO", ANY_SUCCESS),
    ]


class Like(str):
    """A text that is like a pattern."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and re.fullmatch(self, other) is not None

    __hash__ = str.__hash__


VERSION = r"configuration version {} \([0-9a-f]{{12}}\)"
ANY_FAILURE = Like(
    f"the configuration cannot be used, {VERSION.format(1)} stays live: "
    'notify.yaml:1:1: "providers" is missing(.|\\n)*'
)
ANY_SUCCESS = Like(rf"{VERSION.format(2)} is live; providers: kept \w+(, \w+)*")


def test_a_worker_reads_its_files_at_sighup_even_if_it_watches_none(tmp_path: Path) -> None:
    runner(tmp_path)
    path = tmp_path / "notify.yaml"
    path.write_text(path.read_text() + "breaker: {failures: 7}\n")
    with worker_process(tmp_path, "--no-reload") as process:
        path.write_text(path.read_text().replace("7", "8"))
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: "is live" in log_of(tmp_path))
        exit_code, _ = ended(process, signal.SIGTERM)

    assert log_of(tmp_path).count("is live") == 1
    assert exit_code == 0


@pytest.mark.parametrize("watches", [True, False])
def test_files_are_watched_as_long_as_it_is_wanted(tmp_path: Path, *, watches: bool) -> None:
    runner(tmp_path)

    def watching() -> bool:
        return any(each.name == "notify-watch" for each in threading.enumerate())

    with notifier(tmp_path) as working:
        with reloading(working, tmp_path / "notify.yaml", Hangups(), watches=watches):
            meanwhile = watching()

        assert (meanwhile, watching()) == (watches, False)


def test_a_hangup_that_comes_before_anybody_can_answer_it_is_answered_then() -> None:
    """Whoever deploys may ask for a reload right after a start."""
    asked, done = Hangups(), threading.Event()
    asked.answer()

    with asked.lead_to(done.set):
        assert done.wait(PATIENCE_S)


def test_a_hangup_at_the_end_does_nothing() -> None:
    asked, done = Hangups(), threading.Event()
    with asked.lead_to(done.set):
        pass
    asked.answer()

    assert not done.is_set()
