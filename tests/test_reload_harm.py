"""What a reload must not do to what stands around it: health, plugins, threads, calls."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import attrs
import pytest

from notify_core.callback import IncomingPage
from notify_core.clock import Clock
from notify_core.config.load import load
from notify_core.config.model import Config
from notify_core.errors import ConfigError, NotifyError, PluginError, ProviderError
from notify_core.hookspecs import hookimpl
from notify_core.message import Sms
from notify_core.notifier import Notifier
from notify_core.outcome import FailureScope, NotSent, Outcome
from notify_core.plugins import Plugins
from notify_core.provider import ProviderType, ReceiptKind, is_same
from notify_core.server.intake import Head, LiveIntake, Reason
from notify_core.testing import ManualClock
from tests.marked import CAN, Ledger, MarkedConfig, MarkedProvider, MarkedType, notifier_of, written
from tests.test_reload import (
    BAD_LOGIN,
    PATIENCE_S,
    Gate,
    in_thread,
    kept_in,
    route_of,
    sms,
    stopped,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return written(tmp_path / "notify.yaml", "first", {"a": "a1", "b": "b1"})


def test_a_late_answer_of_the_old_provider_does_not_stop_the_new_one(
    path: Path, ledger: Ledger
) -> None:
    """The password is mended while a send with the wrong one is on its way."""
    gate = Gate("a1")

    def answer(mark: str) -> Outcome | None:
        gate(mark)
        return BAD_LOGIN if mark == "a1" else None

    ledger.on_send = answer
    with notifier_of(path, ledger) as notifier:
        thread, _ = in_thread(lambda: notifier.send(sms()))
        assert gate.reached.wait(PATIENCE_S)
        written(path, "second", {"a": "a2", "b": "b1"})
        notifier.reload()
        gate.opened.set()
        thread.join(PATIENCE_S)

        assert not notifier.health("a").stopped


def test_a_plugin_that_the_file_names_no_more_hears_nothing_more(
    path: Path, ledger: Ledger, tmp_path: Path
) -> None:
    (tmp_path / "leaving.py").write_text(
        "from notify_core import hookimpl\n"
        "heard = []\n"
        "@hookimpl\n"
        "def notify_before_send(attempt): heard.append(attempt)\n"
    )
    with notifier_of(path, ledger) as notifier:
        written(path, "second", {"a": "a1"}, more="plugins: [leaving]")
        notifier.reload()
        notifier.send(sms())
        written(path, "third", {"a": "a1"})
        reloaded = notifier.reload()
        notifier.send(sms())

    import leaving  # type: ignore[import-not-found]  # noqa: PLC0415

    assert len(leaving.heard) == 1 or "plugins" in reloaded.needs_restart


def test_a_file_that_a_restart_would_refuse_is_refused_by_a_reload_too(
    path: Path, ledger: Ledger, tmp_path: Path
) -> None:
    (tmp_path / "bringing.py").write_text(
        "import attrs\n"
        "from notify_core.hookspecs import hookimpl\n"
        "from notify_core.provider import ProviderType\n"
        "from tests.marked import CAN, MarkedConfig, MarkedProvider, Ledger\n"
        "@hookimpl\n"
        "def notify_provider_types():\n"
        "    return [ProviderType(name='brought', config_class=MarkedConfig,\n"
        "        capabilities=lambda _: CAN,\n"
        "        factory=lambda s, t: MarkedProvider(t.name, s.mark, Ledger()))]\n"
    )

    def brought(more: str) -> None:
        path.write_text(
            f"version: 1\nproviders: {{a: {{type: brought, mark: x}}}}\n{more}\n"
            "routes: [{name: r, send: {via: a}}]\n"
        )

    with notifier_of(path, ledger) as notifier:
        brought("plugins: [bringing]")
        notifier.reload()
        brought("")
        with pytest.raises((ConfigError, PluginError)):
            notifier.reload()


def test_closing_under_a_send_closes_a_provider_of_two_versions_once(
    path: Path, ledger: Ledger
) -> None:
    gate = ledger.on_send = Gate("a1")
    with notifier_of(path, ledger) as notifier:
        thread, _ = in_thread(lambda: notifier.send(sms()))
        assert gate.reached.wait(PATIENCE_S)
        written(path, "second", {"a": "a1"})
        notifier.reload()
    gate.opened.set()
    thread.join(PATIENCE_S)

    assert [each.times_closed for each in ledger.made] == [1, 1]


def test_a_provider_that_exits_while_it_is_closed_costs_no_report(
    path: Path, ledger: Ledger
) -> None:
    gate = ledger.on_send = Gate("a1")
    with notifier_of(path, ledger) as notifier:
        thread, got = in_thread(lambda: notifier.send(sms()))
        assert gate.reached.wait(PATIENCE_S)
        old = ledger.made[0]

        def leave() -> None:
            raise SystemExit(1)

        old.close = leave  # type: ignore[method-assign]
        written(path, "second", {"a": "a2"})
        notifier.reload()
        gate.opened.set()
        thread.join(PATIENCE_S)
        assert got


def test_a_setting_that_waits_for_a_restart_is_named_until_it_is_back_or_restarted(
    path: Path, ledger: Ledger
) -> None:
    with notifier_of(path, ledger) as notifier:
        worker = "worker: {concurrency: 2, reserved: 1}"
        written(path, "second", {"a": "a1"}, more=worker)
        assert notifier.reload().needs_restart == ("worker",)
        written(path, "third", {"a": "a1"}, more=worker)
        still = notifier.reload().needs_restart
        written(path, "fourth", {"a": "a1"})
        back = notifier.reload().needs_restart

        assert (still, back) == (("worker",), ())


def test_a_relative_path_is_that_of_the_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A daemon goes to the root of the file system after its start."""
    text = "version: 1\nproviders: {s: {type: console}}\nroutes: [{name: %s, send: {via: s}}]\n"
    (tmp_path / "notify.yaml").write_text(text % "first")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with Notifier.from_file("notify.yaml") as notifier:
        monkeypatch.chdir(tmp_path / "elsewhere")
        (tmp_path / "notify.yaml").write_text(text % "second")
        notifier.reload()
        assert route_of(notifier) == "second"


# --- open when this was written -------------------------------------------------------------


class AskableProvider(MarkedProvider):
    """One that has nothing to tell."""

    capabilities = attrs.evolve(
        CAN,
        incoming=frozenset({ReceiptKind.POLL, ReceiptKind.CALLBACK}),
        receipts=frozenset({ReceiptKind.CALLBACK}),
    )

    @hookimpl
    def notify_fetch_incoming(self) -> IncomingPage:
        return IncomingPage(messages=(), after=None)


@attrs.frozen
class AskableType:
    """Brings the provider type ``askable``."""

    ledger: Ledger

    @hookimpl
    def notify_provider_types(self) -> list[ProviderType]:
        return [
            ProviderType(
                name="askable",
                config_class=MarkedConfig,
                capabilities=lambda _: AskableProvider.capabilities,
                factory=lambda settings, tools: AskableProvider(
                    tools.name, settings.mark, self.ledger
                ),
            )
        ]


@contextmanager
def askable(folder: Path, clock: Clock | None = None) -> Iterator[tuple[Notifier, Path]]:
    ledger = Ledger()
    path = askable_file(folder / "notify.yaml", "first")
    plugins = [("askable", AskableType(ledger))]
    with notifier_of(path, ledger, plugins=plugins, clock=clock) as notifier:
        yield notifier, path


def askable_file(path: Path, route: str) -> Path:
    written(path, route, {"a": "a1"}, more=kept_in(path.parent))
    path.write_text(path.read_text().replace("type: marked", "type: askable"))
    return path


def test_an_inbox_of_an_earlier_version_does_no_harm_to_a_provider_that_was_kept(
    tmp_path: Path,
) -> None:
    """An application that kept it asks in vain, but the provider has done nothing wrong."""
    clock = ManualClock()
    with askable(tmp_path, clock) as (notifier, path):
        inbox = notifier.inbox
        askable_file(path, "second")
        notifier.reload()
        for _ in range(12):
            clock.sleep(120)
            with pytest.raises(ProviderError):
                inbox.ask("a")

        assert notifier.health("a").closed_until is None


def test_a_reload_that_is_refused_leaves_a_stopped_provider_stopped(
    tmp_path: Path, ledger: Ledger
) -> None:
    more = kept_in(tmp_path)
    path = written(tmp_path / "notify.yaml", "first", {"a": "a1", "b": "b1"}, more=more)
    with notifier_of(path, ledger) as notifier:
        stopped(notifier, ledger)
        written(path, "second", {"a": "a2", "b": "b1"}, more=more)
        plugins = Plugins()
        plugins.register(MarkedType(ledger), "marked")
        good = load(path, plugins, {})
        asked = attrs.evolve(good.incoming, poll={"a": timedelta(seconds=60)})
        with pytest.raises(ConfigError):
            notifier.reload(attrs.evolve(good, incoming=asked))

        assert notifier.health("a").stopped


class Making(list[MarkedProvider]):
    """Does something else each time a provider is made."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__()
        self._act = act

    def append(self, made: MarkedProvider) -> None:
        super().append(made)
        self._act()


@pytest.mark.parametrize("where", ["making", "closing"])
def test_a_provider_that_reloads_while_it_is_made_or_closed_blocks_nobody(
    path: Path, ledger: Ledger, where: str
) -> None:
    """It is told that this cannot be, in whatever words."""
    notifier = notifier_of(path, ledger)
    old = ledger.made[0]
    if where == "making":
        ledger.made = Making(notifier.reload)
    else:
        old.close = notifier.reload  # type: ignore[assignment, method-assign]
    written(path, "second", {"a": "a2", "b": "b1"})

    def reload() -> str:
        try:
            return str(notifier.reload())
        except NotifyError as error:
            return str(error)

    got: list[str] = []
    thread = threading.Thread(target=lambda: got.append(reload()), daemon=True)
    thread.start()
    thread.join(2)

    assert got


def test_a_plugin_that_the_application_has_loaded_itself_stays(
    path: Path, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file names it, so no file can take it away."""
    (tmp_path / "own_listener.py").write_text(
        "from notify_core import hookimpl\n"
        "heard = []\n"
        "@hookimpl\n"
        "def notify_before_send(attempt): heard.append(attempt)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    plugins = Plugins()
    plugins.register(MarkedType(ledger), "marked")
    plugins.load("own_listener")

    def reread(plugins: Plugins) -> Config:
        return load(path, plugins, {})

    with Notifier(reread(plugins), plugins=plugins, reread=reread) as notifier:
        notifier.send(sms())
        written(path, "second", {"a": "a2"})
        notifier.reload()
        notifier.send(sms())

    import own_listener  # type: ignore[import-not-found]  # noqa: PLC0415

    assert len(own_listener.heard) == 2


def test_the_plugins_of_a_notifier_stay_closed_after_its_first_version_is_over(
    path: Path, ledger: Ledger
) -> None:
    """What is registered then would be without effect until the next reload."""
    plugins = Plugins()
    plugins.register(MarkedType(ledger), "marked")

    def reread(plugins: Plugins) -> Config:
        return load(path, plugins, {})

    with Notifier(reread(plugins), plugins=plugins, reread=reread) as notifier:
        written(path, "second", {"a": "a2"})
        notifier.reload()

        with pytest.raises(PluginError, match="comes too late"):
            plugins.register(object(), "late")


def test_a_call_that_comes_after_the_notifier_was_closed_is_to_be_repeated(tmp_path: Path) -> None:
    """Whoever answers requests raises nothing."""
    head = Head(method="POST", path="/a", headers={"content-length": "2"}, peer="127.0.0.1")
    with askable(tmp_path) as (notifier, path):
        intake = LiveIntake(notifier)
        askable_file(path, "second")
        notifier.reload()

    assert intake().take(head, b"hi") is Reason.UNAVAILABLE


def test_an_old_send_does_not_use_up_the_trial_of_the_new_provider(
    path: Path, ledger: Ledger
) -> None:
    """The new one has a pause; the second recipient of a send under way has the old one."""
    path = written(path, "first", {"a": "a1"})
    clock = ManualClock()
    with notifier_of(path, ledger, clock=clock) as notifier:
        gate = Gate("a1")

        def answer(mark: str) -> Outcome | None:
            gate(mark)
            return NotSent("busy", FailureScope.PROVIDER) if mark == "a2" else None

        ledger.on_send = answer
        both = Sms(to=["+79990000001", "+79990000002"], text="hi")
        thread, _ = in_thread(lambda: notifier.send(both))
        assert gate.reached.wait(PATIENCE_S)
        written(path, "second", {"a": "a2"})
        notifier.reload()
        while notifier.health("a").closed_until is None:
            notifier.send(sms())
        clock.sleep(3600)
        before = notifier.health("a")
        gate.opened.set()
        thread.join(PATIENCE_S)

        assert notifier.health("a") == before


def test_an_interrupt_while_a_provider_is_closed_leaves_no_other_one_open(
    path: Path, ledger: Ledger
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with notifier_of(path, ledger) as notifier:
        ledger.made[0].close = interrupt  # type: ignore[method-assign]
        written(path, "second", {"a": "a2", "b": "b2"})
        with pytest.raises(KeyboardInterrupt):
            notifier.reload()

        assert ledger.made[1].times_closed == 1


def test_webhooks_that_come_and_go_leave_no_threads(tmp_path: Path, ledger: Ledger) -> None:
    def hook(number: int) -> str:
        key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
        url = f"https://h{number}.example.org/"
        return f"webhooks: [{{url: '{url}', secrets: {key}}}]\n{kept_in(tmp_path)}"

    def threads() -> int:
        return sum(each.name.startswith("notify-worker-webhook") for each in threading.enumerate())

    path = written(tmp_path / "notify.yaml", "first", {"a": "a1"}, more=hook(0))
    with notifier_of(path, ledger) as notifier, notifier.worker():
        for number in range(1, 6):
            written(path, f"route-{number}", {"a": "a1"}, more=hook(number))
            notifier.reload()
            wait_until(partial(runs, f"notify-worker-webhook h{number}"))
        wait_until(lambda: threads() == 1)


def runs(name: str) -> bool:
    return any(each.name.startswith(name) for each in threading.enumerate())


def wait_until(condition: Callable[[], bool], patience_s: float = 8) -> None:
    end = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)


def test_a_type_of_another_plugin_is_another_type(
    path: Path, ledger: Ledger, tmp_path: Path
) -> None:
    """Both plugins bring the same name and take the same settings."""
    for name in ("one_maker", "other_maker"):
        (tmp_path / f"{name}.py").write_text(
            "from notify_core.hookspecs import hookimpl\n"
            "from notify_core.provider import ProviderType\n"
            "from tests.marked import CAN, Ledger, MarkedConfig, MarkedProvider\n"
            "def made(settings, tools):\n"
            f"    return MarkedProvider(tools.name, '{name}', Ledger())\n"
            "@hookimpl\n"
            "def notify_provider_types():\n"
            "    return [ProviderType(name='made', config_class=MarkedConfig,\n"
            "        capabilities=lambda _: CAN, factory=made)]\n"
        )

    def named(plugin: str) -> None:
        path.write_text(
            f"version: 1\nproviders: {{a: {{type: made, mark: x}}}}\nplugins: [{plugin}]\n"
            "routes: [{name: r, send: {via: a}}]\n"
        )

    with notifier_of(path, ledger) as notifier:
        named("one_maker")
        notifier.reload()
        named("other_maker")
        notifier.reload()

        made = notifier.provider("a")
        assert isinstance(made, MarkedProvider)
        assert made.mark == "other_maker"


class Incomparable:
    """Settings of a plugin whose author has made a mistake."""

    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    __hash__ = object.__hash__


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (MarkedConfig(mark="a"), MarkedConfig(mark="a"), True),
        (MarkedConfig(mark="a"), MarkedConfig(mark="b"), False),
        (Incomparable(), Incomparable(), False),
    ],
)
def test_settings_that_cannot_be_compared_are_other_settings(
    one: object, other: object, *, expected: bool
) -> None:
    assert is_same(one, other) is expected


def test_a_plugin_that_did_not_fit_is_read_again_when_it_is_mended(
    path: Path, ledger: Ledger, tmp_path: Path
) -> None:
    plugin = tmp_path / "misfitting.py"
    plugin.write_text("def notify_before_send(attempt): ...\n")
    with notifier_of(path, ledger) as notifier:
        written(path, "second", {"a": "a1"}, more="plugins: [misfitting]")
        with pytest.raises((ConfigError, PluginError), match="not marked with @hookimpl"):
            notifier.reload()

        plugin.write_text("# mended: it has no hooks any more, and another length\n")
        notifier.reload()

        assert route_of(notifier) == "second"
