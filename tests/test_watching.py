"""Files that change while they are watched."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from notify_core.message import Sms
from notify_core.notifier import Notifier
from notify_core.watching import FileWatch
from tests.marked import Ledger, notifier_of, written

PATIENCE_S = 20


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return written(tmp_path / "notify.yaml", "first", {"a": "a1"})


@pytest.fixture
def notifier(path: Path) -> Iterator[Notifier]:
    with notifier_of(path, Ledger()) as made:
        yield made


@pytest.fixture
def watch(notifier: Notifier, path: Path) -> FileWatch:
    watching = FileWatch(notifier, path)
    looks(watching)
    return watching


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "notify_core.watching")
    return caplog


def told(log: pytest.LogCaptureFixture) -> Sequence[tuple[str, str]]:
    return [
        (record.levelname, record.getMessage())
        for record in log.records
        if record.name == "notify_core.watching"
    ]


def route_of(notifier: Notifier) -> str:
    (decision,) = notifier.explain(Sms(to="+79990000001", text="hi"))
    return decision.plan.route


def looks(watch: FileWatch, times: int = 3) -> None:
    for _ in range(times):
        watch.look()


def test_files_that_stay_as_they_are_are_not_read_again(
    watch: FileWatch, notifier: Notifier, log: pytest.LogCaptureFixture
) -> None:
    looks(watch, 5)

    assert notifier.version.number == 1
    assert told(log) == []


def test_a_file_that_has_changed_is_gone_on_with_when_it_has_come_to_rest(
    watch: FileWatch, notifier: Notifier, path: Path
) -> None:
    written(path, "second", {"a": "a1"})
    watch.look()
    assert route_of(notifier) == "first"

    watch.look()
    assert route_of(notifier) == "second"


def test_what_has_come_of_it_is_in_the_log(
    watch: FileWatch, notifier: Notifier, path: Path, log: pytest.LogCaptureFixture
) -> None:
    more = "worker: {concurrency: 2, reserved: 1}"
    written(path, "second", {"b": "b1", "a": "a1"}, more=more)
    looks(watch)
    written(path, "third", {"b": "b1"}, more=more)
    looks(watch)

    assert told(log) == [
        ("INFO", told_version(2, notifier, log) + " is live; providers: made b; kept a"),
        ("WARNING", "only a restart puts into force: worker"),
        ("INFO", f"{notifier.version} is live; providers: kept b; dropped a"),
        ("WARNING", "only a restart puts into force: worker"),
    ]


def told_version(number: int, notifier: Notifier, log: pytest.LogCaptureFixture) -> str:
    assert notifier.version.number > number
    return log.records[0].getMessage().partition(" is live")[0]


def test_a_file_that_only_looks_otherwise_changes_nothing(
    watch: FileWatch, notifier: Notifier, path: Path, log: pytest.LogCaptureFixture
) -> None:
    path.write_text(path.read_text() + "# a comment\n")
    looks(watch, 5)

    assert told(log) == [("INFO", f"nothing has changed: {notifier.version} goes on")]


def test_a_bad_file_is_told_of_once_and_leaves_the_last_good_one_live(
    watch: FileWatch, notifier: Notifier, path: Path, log: pytest.LogCaptureFixture
) -> None:
    path.write_text("version: 2\n")
    looks(watch, 5)

    ((level, message),) = told(log)
    assert level == "ERROR"
    assert message == (
        f"the configuration cannot be used, {notifier.version} stays live: "
        f'{path}:1:10: version: "2" is not a version that can be read; known: 1'
    )
    assert route_of(notifier) == "first"


def test_a_bad_file_that_is_mended_is_gone_on_with(
    watch: FileWatch, notifier: Notifier, path: Path
) -> None:
    path.write_text("version: 2\n")
    looks(watch)
    written(path, "second", {"a": "a1"})
    looks(watch)

    assert route_of(notifier) == "second"


def test_a_file_that_goes_away_and_comes_back_is_seen(
    watch: FileWatch, notifier: Notifier, path: Path
) -> None:
    path.unlink()
    looks(watch)
    assert route_of(notifier) == "first"

    written(path, "second", {"a": "a1"})
    looks(watch)
    assert route_of(notifier) == "second"


def test_another_file_in_its_place_is_seen_though_it_is_as_large_and_as_old(
    watch: FileWatch, notifier: Notifier, path: Path
) -> None:
    """Editors and tools that deploy write a new file and move it there."""
    before = path.stat()
    new = written(path.with_suffix(".new"), "third", {"a": "a1"})
    os.utime(new, ns=(before.st_atime_ns, before.st_mtime_ns))
    new.replace(path)
    looks(watch)

    assert route_of(notifier) == "third"


def test_a_link_that_points_elsewhere_is_seen(tmp_path: Path) -> None:
    """Whoever deploys so leaves the release before in its place."""
    releases = [tmp_path / "1", tmp_path / "2"]
    for number, release in enumerate(releases, start=1):
        release.mkdir()
        written(release / "notify.yaml", f"release-{number}", {"a": "a1"})
    current = tmp_path / "current"
    current.symlink_to(releases[0])
    path = current / "notify.yaml"
    with notifier_of(path, Ledger()) as notifier:
        watch = FileWatch(notifier, path)
        current.unlink()
        current.symlink_to(releases[1])
        looks(watch)

        assert route_of(notifier) == "release-2"


# --- included files -------------------------------------------------------------------------

ROUTE = "routes:\n  - {name: %s, when: {channel: sms}, send: {via: a}}\n"


def test_included_files_are_watched_and_new_ones_found(tmp_path: Path) -> None:
    more = tmp_path / "more"
    more.mkdir()
    (more / "b.yaml").write_text(ROUTE % "b")
    path = written(tmp_path / "notify.yaml", "main", {"a": "a1"}, more="include: more/*.yaml")
    with notifier_of(path, Ledger()) as notifier:
        watch = FileWatch(notifier, path)
        (more / "b.yaml").write_text(ROUTE % "changed")
        looks(watch)
        changed = route_of(notifier)
        (more / "a.yaml").write_text(ROUTE % "new")
        looks(watch)
        new = route_of(notifier)
        looks(watch, 5)

        assert (changed, new, notifier.version.number) == ("changed", "new", 3)


def test_a_file_that_was_wrong_and_is_not_live_yet_is_watched_too(
    notifier: Notifier, path: Path
) -> None:
    more = path.parent / "more.yaml"
    watch = FileWatch(notifier, path)
    more.write_text("routes: {}\n")
    written(path, "main", {"a": "a1"}, more="include: more.yaml")
    looks(watch)
    assert route_of(notifier) == "first"

    more.write_text(ROUTE % "mended")
    looks(watch)
    assert route_of(notifier) == "mended"


# --- in a thread ----------------------------------------------------------------------------


def test_in_a_thread_of_its_own_it_looks_until_the_block_ends(
    notifier: Notifier, path: Path
) -> None:
    with FileWatch(notifier, path, every_s=0.005):
        written(path, "second", {"a": "a1"})
        end = time.monotonic() + PATIENCE_S
        while route_of(notifier) != "second":
            assert time.monotonic() < end
            time.sleep(0.005)
    written(path, "third", {"a": "a1"})

    assert route_of(notifier) == "second"


def test_being_asked_it_reads_the_files_whatever_they_look_like(
    watch: FileWatch, notifier: Notifier, log: pytest.LogCaptureFixture
) -> None:
    """What a reference stands for can have changed."""
    watch.reload()

    assert told(log) == [("INFO", f"nothing has changed: {notifier.version} goes on")]


# --- in spite of everything -----------------------------------------------------------------


@pytest.mark.parametrize("what", ["import", "factory"])
def test_a_plugin_that_calls_exit_does_not_end_the_watching(
    path: Path, ledger: Ledger, tmp_path: Path, what: str
) -> None:
    name = f"quitting_{what}"
    if what == "import":
        (tmp_path / f"{name}.py").write_text("import sys\nsys.exit(3)\n")
    else:
        (tmp_path / f"{name}.py").write_text(
            "import sys\nfrom notify_core.hookspecs import hookimpl\n"
            "@hookimpl\ndef notify_provider_types():\n    sys.exit(3)\n"
        )
    with notifier_of(path, ledger) as notifier:
        watch = FileWatch(notifier, path)
        written(path, "second", {"a": "a1"}, more=f"plugins: [{name}]")
        looks(watch)
        assert route_of(notifier) == "first"
        written(path, "third", {"a": "a1"})
        looks(watch)
        assert route_of(notifier) == "third"


def test_a_missing_included_file_that_comes_later_is_seen(path: Path, ledger: Ledger) -> None:
    """A deploy writes the including file before the included one."""
    with notifier_of(path, ledger) as notifier:
        watch = FileWatch(notifier, path)
        written(path, "main", {"a": "a1"}, more="include: more.yaml")
        looks(watch)
        path.with_name("more.yaml").write_text(
            "routes:\n  - {name: more, when: {channel: sms}, send: {via: a}}\n"
        )
        looks(watch)

        assert route_of(notifier) == "more"


def test_a_mistake_that_is_mended_in_another_new_file_is_seen(path: Path, ledger: Ledger) -> None:
    """The problem is told of where the name is used; it is mended where it belongs."""
    more = path.with_name("more.yaml")
    more.write_text("providers:\n  smcs: {type: marked, mark: x}\n")
    text = (
        "version: 1\nproviders: {a: {type: marked, mark: a1}}\ninclude: more.yaml\n"
        "routes: [{name: main, send: {via: smsc}}]\n"
    )
    with notifier_of(path, ledger) as notifier:
        watch = FileWatch(notifier, path)
        path.write_text(text)
        looks(watch)
        assert route_of(notifier) == "first"
        more.write_text("providers:\n  smsc: {type: marked, mark: x}\n")
        looks(watch)

        assert route_of(notifier) == "main"


def test_another_text_of_the_same_size_with_the_time_of_the_old_one_is_seen(
    path: Path, ledger: Ledger
) -> None:
    """What is unpacked or copied with its times can have the same time, size and number."""
    with notifier_of(path, ledger) as notifier:
        watch = FileWatch(notifier, path)
        before = path.stat()
        written(path, "third", {"a": "a1"})
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        looks(watch)

        assert route_of(notifier) == "third"


def test_a_file_that_changes_before_it_is_watched_is_seen(path: Path, ledger: Ledger) -> None:
    """Making the notifier takes its time: a journal is opened, plugins are imported."""
    with notifier_of(path, ledger) as notifier:
        written(path, "second", {"a": "a1"})
        watch = FileWatch(notifier, path)
        looks(watch)

        assert route_of(notifier) == "second"


def test_a_release_that_says_the_same_is_looked_at_in_its_own_place(tmp_path: Path) -> None:
    releases = [tmp_path / "1", tmp_path / "2"]
    for release in releases:
        (release / "more").mkdir(parents=True)
        (release / "more" / "x.yaml").write_text("tests: []\n")
        written(release / "notify.yaml", "main", {"a": "a1"}, more="include: more/*.yaml")
    current = tmp_path / "current"
    current.symlink_to(releases[0])
    path = current / "notify.yaml"
    with notifier_of(path, Ledger()) as notifier:
        watch = FileWatch(notifier, path)
        current.unlink()
        current.symlink_to(releases[1])
        looks(watch)
        (releases[1] / "more" / "x.yaml").write_text(
            "routes:\n  - {name: new, when: {channel: sms}, send: {via: a}}\n"
        )
        looks(watch)

        assert route_of(notifier) == "new"


def test_a_file_that_is_written_all_the_time_does_not_hold_up_another_for_ever(
    path: Path, ledger: Ledger
) -> None:
    busy = path.with_name("busy.yaml")
    busy.write_text("tests: []\n")
    with notifier_of(path, ledger) as notifier:
        watch = FileWatch(notifier, path)
        written(path, "second", {"a": "a1"}, more="include: busy.yaml")
        looks(watch)
        written(path, "third", {"a": "a1"}, more="include: busy.yaml")
        for number in range(120):
            busy.write_text(f"tests: []\n{'#' * number}")
            watch.look()

        assert route_of(notifier) == "third"
