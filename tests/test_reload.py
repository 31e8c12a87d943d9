"""Going on with another configuration while messages are sent."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from notify_core.callback import Incoming, Trust
from notify_core.config.model import digest
from notify_core.delivery import Stage
from notify_core.errors import ConfigError, NotifyError, PluginError, ProviderError
from notify_core.hookspecs import hookimpl
from notify_core.message import Message, Sms
from notify_core.notifier import Notifier
from notify_core.outcome import FailureScope, NotSent, Outcome
from notify_core.testing import ScriptedProvider, notifier_with, scripted_config
from tests.marked import Ledger, notifier_of, written

NUMBER = "+79990000001"
PATIENCE_S = 20
BAD_LOGIN = NotSent("wrong password", FailureScope.ACCOUNT)


def sms(to: str = NUMBER) -> Sms:
    return Sms(to=to, text="hi")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return written(tmp_path / "notify.yaml", "first", {"a": "a1", "b": "b1"})


@pytest.fixture
def notifier(path: Path, ledger: Ledger) -> Iterator[Notifier]:
    with notifier_of(path, ledger) as made:
        yield made


def route_of(notifier: Notifier) -> str:
    (decision,) = notifier.explain(sms())
    return decision.plan.route


# --- what changes and what stays ------------------------------------------------------------


def test_what_is_sent_after_a_reload_goes_as_the_file_says_now(
    notifier: Notifier, path: Path, ledger: Ledger
) -> None:
    notifier.send(sms())
    written(path, "second", {"a": "a2", "b": "b1"})

    reloaded = notifier.reload()
    notifier.send(sms())

    assert [mark for _, mark in ledger.sent] == ["a1", "a2"]
    assert route_of(notifier) == "second"
    assert (reloaded.changed, reloaded.version.number) == (True, 2)


def test_a_provider_whose_settings_have_not_changed_is_the_same_one(
    notifier: Notifier, path: Path, ledger: Ledger
) -> None:
    before = notifier.provider("b")
    written(path, "second", {"a": "a2", "b": "b1", "c": "c1"})

    reloaded = notifier.reload()

    assert notifier.provider("b") is before
    assert (reloaded.made, reloaded.kept, reloaded.dropped) == (("a", "c"), ("b",), ())
    assert ledger.open_marks() == ["b1", "a2", "c1"]


def test_a_provider_that_is_in_the_file_no_more_is_closed(
    notifier: Notifier, path: Path, ledger: Ledger
) -> None:
    written(path, "second", {"a": "a1"})

    assert notifier.reload().dropped == ("b",)
    assert ledger.open_marks() == ["a1"]
    assert [*notifier.providers] == ["a"]


def test_a_file_that_says_the_same_changes_nothing(notifier: Notifier, path: Path) -> None:
    path.write_text("# a comment\n" + path.read_text())

    reloaded = notifier.reload()

    assert (reloaded.changed, reloaded.version.number) == (False, 1)


def test_the_version_that_is_live_tells_its_number_and_what_it_decides_by(
    notifier: Notifier, path: Path
) -> None:
    first = notifier.version
    written(path, "second", {"a": "a1"})
    notifier.reload()

    assert (first.number, notifier.version.number) == (1, 2)
    assert first.digest != notifier.version.digest == digest(notifier.config)
    assert str(notifier.version) == f"configuration version 2 ({notifier.version.digest})"


def test_closing_a_notifier_closes_each_provider_once(path: Path, ledger: Ledger) -> None:
    with notifier_of(path, ledger) as notifier:
        for number in range(3):
            written(path, f"route-{number}", {"a": "a1", "b": f"b{number}"})
            notifier.reload()

    assert [each.times_closed for each in ledger.made] == [1] * len(ledger.made)


# --- what cannot be used --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("version: 1\n", '"providers" is missing'),
        ("version: [", "notify.yaml:"),
        ("version: 1\nproviders: {a: {type: marked, mark: x}}\nplugins: [no.such]\n", "no.such"),
    ],
)
def test_a_bad_file_leaves_the_last_good_one_live(
    notifier: Notifier, path: Path, ledger: Ledger, text: str, problem: str
) -> None:
    path.write_text(text)

    with pytest.raises((ConfigError, PluginError), match=problem):
        notifier.reload()

    notifier.send(sms())
    assert (notifier.version.number, route_of(notifier)) == (1, "first")
    assert [mark for _, mark in ledger.sent] == ["a1"]
    assert ledger.open_marks() == ["a1", "b1"]


def test_a_provider_that_cannot_be_made_takes_no_other_along() -> None:
    good = ScriptedProvider()
    config = scripted_config(a=good)
    with notifier_with(config) as notifier:
        broken = attrs.evolve(config.providers[0], name="b", settings=object())
        bad = attrs.evolve(config, providers=(*config.providers, broken))

        with pytest.raises((ConfigError, PluginError)):
            notifier.reload(bad)

        assert not good.closed
        assert notifier.send(sms()).ok


class Listener:
    def __init__(self) -> None:
        self.heard = 0

    @hookimpl
    def notify_attempt_finished(self) -> None:
        self.heard += 1


def test_plugins_go_over_and_hear_of_everything_once(path: Path, ledger: Ledger) -> None:
    listener = Listener()
    with notifier_of(path, ledger, plugins=[("listener", listener)]) as notifier:
        notifier.send(sms())
        written(path, "second", {"a": "a2"})
        notifier.reload()
        notifier.send(sms())

    assert listener.heard == 2


def test_a_plugin_that_a_bad_file_names_hears_of_nothing(
    notifier: Notifier, path: Path, tmp_path: Path
) -> None:
    (tmp_path / "eavesdropping.py").write_text(
        "from notify_core import hookimpl\n"
        "heard = []\n"
        "@hookimpl\n"
        "def notify_before_send(attempt): heard.append(attempt)\n"
    )
    written(path, "second", {"a": "a1"}, more="plugins: [eavesdropping]\nbreaker: {failures: 0}")
    with pytest.raises(ConfigError, match="failures"):
        notifier.reload()
    notifier.send(sms())
    written(path, "second", {"a": "a1"}, more="plugins: [eavesdropping]")

    notifier.reload()
    notifier.send(sms())

    import eavesdropping  # type: ignore[import-not-found]  # noqa: PLC0415

    assert len(eavesdropping.heard) == 1


def test_a_notifier_that_was_made_from_a_config_is_given_the_next_one() -> None:
    first, second = ScriptedProvider(), ScriptedProvider()
    with notifier_with(scripted_config(a=first)) as notifier:
        with pytest.raises(NotifyError, match="has no file to read anew"):
            notifier.reload()
        notifier.reload(scripted_config(a=second))
        notifier.send(sms())

    assert (len(first.sent), len(second.sent)) == (0, 1)


def test_a_closed_notifier_is_not_reloaded(path: Path, ledger: Ledger) -> None:
    with notifier_of(path, ledger) as notifier:
        pass
    written(path, "second", {"a": "a2"})

    with pytest.raises(NotifyError, match="the notifier is closed"):
        notifier.reload()
    assert ledger.open_marks() == []


# --- what only a restart can change ---------------------------------------------------------


def kept_in(tmp_path: Path) -> str:
    return f"journal: sqlite:///{tmp_path / 'notify.db'}"


@pytest.mark.parametrize("more", ["", "journal: sqlite:///other.db"])
def test_the_journal_is_the_same_as_long_as_the_notifier_lives(
    tmp_path: Path, ledger: Ledger, more: str
) -> None:
    path = written(tmp_path / "notify.yaml", "first", {"a": "a1"}, more=kept_in(tmp_path))
    with notifier_of(path, ledger) as notifier:
        written(path, "second", {"a": "a1"}, more=more)

        with pytest.raises(ConfigError, match="journal: cannot change while it is in use; restart"):
            notifier.reload()
        assert route_of(notifier) == "first"


def test_how_long_the_journal_keeps_things_can_change(tmp_path: Path, ledger: Ledger) -> None:
    url = tmp_path / "notify.db"
    path = written(tmp_path / "notify.yaml", "first", {"a": "a1"}, more=kept_in(tmp_path))
    with notifier_of(path, ledger) as notifier:
        kept = f"journal: {{url: 'sqlite:///{url}', retention: {{text: 1d}}}}"
        written(path, "second", {"a": "a1"}, more=kept)

        assert notifier.reload().changed


@attrs.frozen(kw_only=True, repr=False, eq=False)
class Page(Message):
    channel = "page"
    address_kinds = ("pager",)


class Pages:
    @hookimpl
    def notify_message_types(self) -> list[type[Message]]:
        return [Page]


def test_other_kinds_of_message_need_a_restart(
    notifier: Notifier, path: Path, tmp_path: Path
) -> None:
    (tmp_path / "paging.py").write_text(
        "from tests.test_reload import Pages\n_pages = Pages()\n"
        "notify_message_types = _pages.notify_message_types\n"
    )
    written(path, "second", {"a": "a1"}, more="plugins: [paging]")

    with pytest.raises(ConfigError, match=r"plugins \(they bring other message types\): cannot"):
        notifier.reload()
    assert (route_of(notifier), notifier.version.number) == ("first", 1)


def test_settings_of_what_runs_already_are_named(notifier: Notifier, path: Path) -> None:
    more = "worker: {concurrency: 2, reserved: 1}"
    written(path, "second", {"a": "a1"}, more=more)

    assert notifier.reload().needs_restart == ("worker",)


# --- health ---------------------------------------------------------------------------------


def stopped(notifier: Notifier, ledger: Ledger) -> None:
    ledger.on_send = lambda mark: BAD_LOGIN if mark == "a1" else None
    notifier.send(sms())
    assert notifier.health("a").stopped


def test_a_provider_that_was_stopped_gets_another_chance_with_its_new_settings(
    notifier: Notifier, path: Path, ledger: Ledger
) -> None:
    stopped(notifier, ledger)
    written(path, "second", {"a": "a2", "b": "b1"})

    notifier.reload()

    assert not notifier.health("a").stopped
    assert notifier.send(sms()).ok


def test_a_provider_that_was_stopped_stays_so_when_others_change(
    notifier: Notifier, path: Path, ledger: Ledger
) -> None:
    stopped(notifier, ledger)
    written(path, "second", {"a": "a1", "b": "b2"})

    notifier.reload()

    assert notifier.health("a").stopped


# --- under way ------------------------------------------------------------------------------


class Gate:
    """Holds one provider up in the middle of a call."""

    def __init__(self, mark: str) -> None:
        self._mark = mark
        self.reached = threading.Event()
        self.opened = threading.Event()

    def __call__(self, mark: str) -> Outcome | None:
        if mark == self._mark:
            self.reached.set()
            assert self.opened.wait(PATIENCE_S)
        return None


def in_thread(act: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    got: list[Any] = []
    thread = threading.Thread(target=lambda: got.append(act()))
    thread.start()
    return thread, got


def test_what_is_under_way_ends_under_the_version_it_began_with(
    notifier: Notifier, path: Path, ledger: Ledger
) -> None:
    """The second recipient follows after the reload, and still goes as was decided."""
    gate = ledger.on_send = Gate("a1")
    thread, got = in_thread(
        lambda: notifier.send(Sms(to=["+79990000001", "+79990000002"], text="hi"))
    )
    assert gate.reached.wait(PATIENCE_S)
    written(path, "second", {"a": "a2"})

    notifier.reload()
    assert ledger.open_marks() == ["a1", "b1", "a2"]
    gate.opened.set()
    thread.join(PATIENCE_S)

    (report,) = got
    assert report.ok
    assert {delivery.route for delivery in report.deliveries} == {"first"}
    assert [mark for _, mark in ledger.sent] == ["a1", "a1"]
    assert ledger.open_marks() == ["a2"]
    assert ledger.late == []


def test_a_provider_that_two_versions_have_is_closed_when_both_are_over(
    notifier: Notifier, path: Path, ledger: Ledger
) -> None:
    gate = ledger.on_send = Gate("a1")
    thread, _ = in_thread(lambda: notifier.send(sms()))
    assert gate.reached.wait(PATIENCE_S)
    for route, providers in (("second", {"a": "a1", "c": "c1"}), ("third", {"d": "d1"})):
        written(path, route, providers)
        notifier.reload()

    assert ledger.open_marks() == ["a1", "b1", "d1"]
    gate.opened.set()
    thread.join(PATIENCE_S)
    assert ledger.open_marks() == ["d1"]
    assert max(each.times_closed for each in ledger.made) == 1


def test_a_delivery_in_the_journal_keeps_its_plan_and_goes_on_under_the_new_version(
    tmp_path: Path, ledger: Ledger
) -> None:
    more = kept_in(tmp_path)
    path = written(tmp_path / "notify.yaml", "first", {"a": "a1", "b": "b1"}, more=more)
    with notifier_of(path, ledger) as notifier:
        (kept,) = notifier.enqueue(sms())
        written(path, "second", {"b": "b2"}, more=more)
        notifier.reload()

        notifier.worker().work_off()

        delivery = notifier.get(kept)
        assert (delivery.route, delivery.stage) == ("first", Stage.ENDED)
        assert [mark for _, mark in ledger.sent] == ["b2"]


def test_a_worker_that_runs_goes_on_under_the_new_version(tmp_path: Path, ledger: Ledger) -> None:
    more = kept_in(tmp_path)
    path = written(tmp_path / "notify.yaml", "first", {"a": "a1"}, more=more)
    with notifier_of(path, ledger) as notifier, notifier.worker():
        first = notifier.enqueue(sms())
        came_to_an_end(notifier, *first)
        written(path, "second", {"a": "a2"}, more=more)
        notifier.reload()
        second = notifier.enqueue(sms())
        came_to_an_end(notifier, *second)

    assert [mark for _, mark in ledger.sent] == ["a1", "a2"]


def came_to_an_end(notifier: Notifier, *ids: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while any(notifier.get(each).under_way for each in ids):
        assert time.monotonic() < end
        time.sleep(0.01)


def test_who_listens_to_the_inbox_still_does(tmp_path: Path, ledger: Ledger) -> None:
    more = kept_in(tmp_path)
    path = written(tmp_path / "notify.yaml", "first", {"a": "a1"}, more=more)
    heard: list[str | None] = []
    with notifier_of(path, ledger) as notifier:
        inbox = notifier.inbox
        inbox.on_message(lambda incoming, _: heard.append(incoming.text))
        written(path, "second", {"a": "a2"}, more=more)
        notifier.reload()

        notifier.inbox.take(
            Incoming(provider="a", sender=NUMBER, text="yes", provider_id="1", trust=Trust.PROVEN)
        )
        notifier.worker().work_off()

    assert heard == ["yes"]


def test_a_provider_of_an_earlier_version_can_be_asked_no_more(
    notifier: Notifier, path: Path
) -> None:
    (delivery,) = notifier.send(sms())
    written(path, "second", {"b": "b1"})
    notifier.reload()

    with pytest.raises(ProviderError, match="the configuration has no such provider any more"):
        notifier.fetch_status(delivery)


# --- under load -----------------------------------------------------------------------------

THREADS = 8
RELOADS = 200


class Traffic:
    """Threads that send as fast as they can until they are told to stop."""

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier
        self._stopping = threading.Event()
        self.reports: list[Any] = []
        self.errors: list[BaseException] = []
        self._threads = [threading.Thread(target=self._send, args=(n,)) for n in range(THREADS)]

    def __enter__(self) -> Traffic:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(PATIENCE_S)

    def _send(self, number: int) -> None:
        to = [f"+7999{number:03}{each:04}" for each in range(3)]
        while not self._stopping.is_set():
            try:
                self.reports.append(self._notifier.send(Sms(to=to, text="hi")))
            except BaseException as error:
                self.errors.append(error)
                return


def on_its_way(_: str) -> Outcome | None:
    """Take the time of a network, in which others get their turn."""
    time.sleep(0.002)
    return None


@pytest.mark.parametrize("kept", [False, True], ids=["in memory", "in a journal"])
def test_reloads_under_load_lose_nothing_double_nothing_and_mix_no_two_versions(
    tmp_path: Path, ledger: Ledger, *, kept: bool
) -> None:
    """Version n has the route ``route-n`` and the provider with the mark ``n``, and no other."""
    more = kept_in(tmp_path) if kept else ""
    path = written(tmp_path / "notify.yaml", "route-0", {"p": "0", "same": "same"}, more=more)
    ledger.on_send = on_its_way
    refused = 0
    with notifier_of(path, ledger) as notifier, Traffic(notifier) as traffic:
        for number in range(1, RELOADS + 1):
            if number % 2:
                written(path, f"route-{number}", {"p": str(number), "same": "same"}, more=more)
                notifier.reload()
            else:
                path.write_text("version: 1\nproviders: {p: {type: marked}}\n")
                with pytest.raises(ConfigError):
                    notifier.reload()
                refused += 1

        assert refused == RELOADS // 2
    assert traffic.errors == []
    deliveries = [each for report in traffic.reports for each in report.deliveries]
    marks = dict(ledger.sent)
    assert all(each.accepted for each in deliveries)
    assert Counter(each.id for each in deliveries) == Counter(each for each, _ in ledger.sent)
    assert max(Counter(each for each, _ in ledger.sent).values()) == 1
    assert {(each.route, marks[each.id]) for each in deliveries} <= {
        (f"route-{number}", str(number)) for number in range(RELOADS + 1)
    }
    for report in traffic.reports:
        assert len({each.route for each in report.deliveries}) == 1
    assert ledger.late == []
    assert len({each.route for each in deliveries}) > 10
    # Each is closed once, and the one that never changed was made once.
    assert [each.times_closed for each in ledger.made] == [1] * len(ledger.made)
    assert [each.mark for each in ledger.made].count("same") == 1
