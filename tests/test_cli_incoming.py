"""``notify incoming``: what it shows of what people sent, and what it hides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import pytest
from click.testing import CliRunner, Result

from notify_core import (
    Capabilities,
    Notifier,
    Plugins,
    ProviderError,
    ProviderType,
    ReceiptKind,
    Tools,
    Unknown,
    hookimpl,
)
from notify_core.callback import Incoming, IncomingKind, IncomingPage, Trust
from notify_core.cli.app import make_app
from tests.cli_runs import answer

SENDER = "+79991234567"
TEXT = "the words of the message"
CONFIG = """
version: 1
default_region: RU
journal: sqlite:///notify.db
providers:
  box: {type: mailbox}
  dead: {type: mailbox, answers: false}
  deaf: {type: mailbox, can_be_asked: false}
routes:
  - {name: default, send: {via: box}}
"""
AT = datetime(2030, 1, 1, 12, tzinfo=UTC)


@attrs.frozen(kw_only=True)
class MailboxConfig:
    answers: bool = True
    can_be_asked: bool = True


@attrs.frozen
class Mailbox:
    """A provider with two messages, that carries none."""

    _config: MailboxConfig
    _name: str

    @property
    def capabilities(self) -> Capabilities:
        return capabilities(self._config)

    @hookimpl
    def notify_send(self) -> None:
        """Carry nothing."""

    @hookimpl
    def notify_fetch_incoming(self) -> IncomingPage:
        print("printed by a provider")
        if not self._config.answers:
            raise ProviderError(self._name, "incoming", Unknown("no answer"))
        return IncomingPage(messages=(message("1"), message("2")), after="2")

    def close(self) -> None:
        """Nothing is open."""


def capabilities(config: MailboxConfig) -> Capabilities:
    kinds = {ReceiptKind.POLL} if config.can_be_asked else set()
    return Capabilities(channels={"sms"}, incoming=frozenset(kinds))  # type: ignore[arg-type]


def made(config: MailboxConfig, tools: Tools) -> Mailbox:
    return Mailbox(config, tools.name)


class MailboxType:
    @hookimpl
    def notify_provider_types(self) -> Sequence[ProviderType]:
        return [
            ProviderType(
                name="mailbox",
                config_class=MailboxConfig,
                capabilities=capabilities,
                factory=made,
            )
        ]


def plugins() -> Plugins:
    found = Plugins()
    found.register(MailboxType(), "mailbox")
    return found


def message(provider_id: str | None = None, **more: Any) -> Incoming:
    facts: dict[str, Any] = {"provider": "box", "sender": SENDER, "to": "1234", "text": TEXT}
    facts |= {"provider_id": provider_id, "received_at": AT, "trust": Trust.PROVEN}
    return Incoming(**facts | more)


@attrs.frozen
class Shell:
    """Runs commands in a folder with a configuration."""

    folder: Path

    def __call__(self, *arguments: str) -> Result:
        environ = {"NOTIFY_CONFIG": str(self.folder / "notify.yaml")}
        return CliRunner().invoke(make_app(plugins()), arguments, env=environ)

    def take(self, *messages: Incoming, handler: Callable[..., object] | None = None) -> list[str]:
        """Have these come in; with a handler, told as well. Return the ids, the oldest first."""
        path = self.folder / "notify.yaml"
        with Notifier.from_file(path, plugins=plugins(), environ={}) as notifier:
            if handler is not None:
                notifier.inbox.on_message(handler)
            for each in messages:
                notifier.inbox.take(each)
            if handler is not None:
                notifier.worker().work_off()
            return [each.id for each in reversed(notifier.inbox.search())]


@pytest.fixture
def run(tmp_path: Path) -> Shell:
    (tmp_path / "notify.yaml").write_text(CONFIG)
    return Shell(tmp_path)


def listed(run: Shell, *options: str) -> list[str]:
    return [each["id"] for each in answer(run("incoming", "list", *options, "--json"))["incoming"]]


def failing(incoming: Incoming, _: object) -> None:
    raise ValueError(incoming.text)


# --- list, show -----------------------------------------------------------------------------


def test_the_list_hides_texts_and_numbers(run: Shell) -> None:
    """In the table as in the JSON: it may be on somebody's screen."""
    run.take(message("1"))

    for result in (run("incoming", "list"), run("incoming", "list", "--json")):
        assert result.exit_code == 0
        assert TEXT not in result.output
        assert SENDER not in result.output
    assert "+79…67" in run("incoming", "list").output


def test_the_list_is_what_the_options_look_for(run: Shell) -> None:
    text, call = run.take(
        message("1"), message(kind=IncomingKind.CALL, sender="x", provider="dead")
    )

    assert listed(run) == [call, text]
    assert listed(run, "--from", "8 999 123-45-67") == [text]
    assert listed(run, "--provider", "dead") == [call]
    assert listed(run, "--kind", "call") == [call]
    assert listed(run, "--standing", "waiting") == [call, text]
    assert listed(run, "--standing", "told") == []
    assert listed(run, "--delivery", "x") == []
    assert listed(run, "--until", "1h") == []
    assert listed(run, "--since", "1h") == [call, text]


def test_the_list_comes_in_pages(run: Shell) -> None:
    """The line at the end says how to go on."""
    first, second = run.take(message("1"), message("2"))

    assert f"more: --after {second}" in run("incoming", "list", "--limit", "1").stdout
    assert listed(run, "--limit", "1", "--after", second) == [first]
    assert "none" in run("incoming", "list", "--after", first).stdout


def test_one_is_shown_in_full(run: Shell) -> None:
    """With sender and text, and who has been told."""
    (received_id,) = run.take(message("77"), handler=lambda *_: None)

    shown = answer(run("incoming", "show", received_id, "--json"))["message"]

    assert (shown["sender"], shown["text"], shown["provider_id"]) == (SENDER, TEXT, "77")
    assert (shown["standing"], shown["tries"], shown["failed"]) == ("told", 1, {})
    table = run("incoming", "show", received_id).stdout
    assert TEXT in table
    assert "notify_message_received" in table


def test_a_text_cannot_drive_the_terminal(run: Shell) -> None:
    """Anybody may send it."""
    (received_id,) = run.take(message("1", text="\x1b[31mred"))

    assert "\x1b" not in run("incoming", "show", received_id).stdout


def test_what_failed_is_shown_by_its_kind(run: Shell) -> None:
    (received_id,) = run.take(message("1"), handler=failing)

    shown = run("incoming", "show", received_id).stdout

    assert "failed: ValueError" in shown
    assert "waiting" in shown


def test_what_is_not_there_exits_8(run: Shell) -> None:
    assert run("incoming", "show", "x").exit_code == 8
    assert run("incoming", "tell-again", "x").exit_code == 8


def test_without_a_journal_it_exits_8(tmp_path: Path) -> None:
    (tmp_path / "notify.yaml").write_text(CONFIG.replace("journal: sqlite:///notify.db\n", ""))

    assert Shell(tmp_path)("incoming", "list").exit_code == 8


# --- tell-again -----------------------------------------------------------------------------


def test_what_was_told_can_be_told_again(run: Shell) -> None:
    """What is due anyway is not, and the exit code says so."""
    (told,) = run.take(message("1"), handler=lambda *_: None)
    waits = run.take(message("2"))[-1]

    result = run("incoming", "tell-again", told, waits, "--json")

    assert answer(result)["incoming"] == [
        {"id": told, "done": True},
        {"id": waits, "done": False},
    ]
    assert result.exit_code == 1
    assert "it is to be told anyway" in run("incoming", "tell-again", waits).stdout
    assert set(listed(run, "--standing", "waiting")) == {told, waits}


# --- poll -----------------------------------------------------------------------------------


def test_polling_tells_how_much_is_new(run: Shell) -> None:
    """One that does not answer does not keep the others from being asked."""
    result = run("incoming", "poll", "--json")

    box, dead = answer(result)["polled"]
    assert box == {"provider": "box", "new": 2, "error": None}
    assert (dead["provider"], dead["new"]) == ("dead", None)
    assert "no answer" in dead["error"]
    assert result.exit_code == 5


def test_a_provider_is_not_asked_twice_in_a_moment(run: Shell) -> None:
    run("incoming", "poll", "box")

    result = run("incoming", "poll", "box")

    assert result.exit_code == 0
    assert "asked a moment ago" in result.stdout


@pytest.mark.parametrize(
    ("name", "told"),
    [("deaf", '"deaf" cannot be asked'), ("nobody", "'nobody' is not a provider here")],
)
def test_who_cannot_be_asked_is_wrong_usage(run: Shell, name: str, told: str) -> None:
    result = run("incoming", "poll", "box", name)

    assert result.exit_code == 2
    assert told in result.output
    assert listed(run) == []


# --- keeping house --------------------------------------------------------------------------


def test_erase_and_purge_reach_what_came_in(run: Shell) -> None:
    """What the application has not heard yet is left, and listed."""
    (waits,) = run.take(message("1"))
    left = run("journal", "erase", "--recipient", SENDER, "--json")
    assert (left.exit_code, answer(left)["waiting"]) == (6, [waits])
    assert waits in run("journal", "erase", "--recipient", SENDER).stdout
    run.take(handler=lambda *_: None)

    erased = run("journal", "erase", "--recipient", "8 999 123-45-67", "--json")

    assert (erased.exit_code, answer(erased)["erased"]) == (0, 1)
    assert "what it said is no longer kept" in run("incoming", "show", waits).stdout
    purged = run("journal", "purge", "--older-than", "0s", "--what", "rows", "--json")
    assert answer(purged)["purged"][0]["count"] == 1
    assert listed(run) == []


# --- the configuration ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ("{poll: {box: 5s}}", "incoming.poll.box: must be at least 20s"),
        ("{poll: {deaf: 1m}}", "cannot be asked for messages that came in; these can: box, dead"),
        ("{poll: {bax: 1m}}", 'did you mean "box"?'),
        ("{polls: {box: 1m}}", 'did you mean "poll"?'),
    ],
)
def test_mistakes_are_told_with_their_place(run: Shell, section: str, says: str) -> None:
    (run.folder / "notify.yaml").write_text(f"{CONFIG}incoming: {section}\n")

    result = run("incoming", "list")

    assert result.exit_code == 4
    assert f"notify.yaml:{CONFIG.count(chr(10)) + 1}:" in result.output
    assert says in result.output


def test_what_is_configured_is_read(run: Shell) -> None:
    section = "incoming: {poll: {box: 1m}, answers: 1d, needs_handlers: true}\n"
    (run.folder / "notify.yaml").write_text(CONFIG + section)

    assert run("incoming", "list").exit_code == 0
