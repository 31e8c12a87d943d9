"""No secret, no text and no whole number in logs, errors or representations, on any path."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable

import pytest

from notify_core.contact import Contact
from notify_core.delivery import Attempt
from notify_core.errors import NotifyError
from notify_core.hookspecs import hookimpl
from notify_core.message import Call, Mail, Message, Sms, Telegram, Viber
from notify_core.notifier import Notifier
from notify_core.testing import ScriptedProvider, notifier_with, scripted_config
from notify_smsc_emulator import Emulator

MakeNotifier = Callable[..., Notifier]

SECRET = "canary-secret-9177"
TEXT = "canary-text-5513"
NUMBER = "9994445511"

FAULTS = ["drop", "html", "server_error", "wrong_json", "empty", "cut"]
NUMBERS = [f"+7{NUMBER}", *(f"+7999000550{code}" for code in (3, 6, 7, 8, 9))]


def everything_shown(notifier: Notifier, message: Message) -> str:
    """Send, and return all that a log, a console or a bug report could come to hold."""
    shown = [repr(message), str(message)]
    try:
        shown.append(repr(notifier.explain(message)))
        report = notifier.send(message)
    except NotifyError as error:
        return "".join([*shown, *traceback.format_exception(error)])
    for value in (
        report,
        *report.deliveries,
        *report.deliveries[0].legs,
        *report.deliveries[0].attempts,
    ):
        shown += [repr(value), str(value)]
    try:
        report.raise_for_failure()
        shown.append(repr(notifier.fetch_status(report.deliveries[0])))
    except NotifyError as error:
        shown += traceback.format_exception(error)
    return "".join(shown)


def assert_clean(shown: str) -> None:
    for canary in (SECRET, TEXT, NUMBER):
        assert canary not in shown


@pytest.fixture(autouse=True)
def everything_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("script", ["send", "status", None])
def test_faults_of_the_line_show_nothing(
    gateway: Emulator,
    make_notifier: MakeNotifier,
    caplog: pytest.LogCaptureFixture,
    fault: str,
    script: str | None,
) -> None:
    gateway.fault(
        fault, script=script, times=None, body=f"{TEXT} {SECRET}" if fault == "html" else None
    )
    notifier = make_notifier(gateway.http_port)

    shown = everything_shown(notifier, Sms(to=f"+7{NUMBER}", text=TEXT))

    assert_clean(shown + caplog.text)


@pytest.mark.parametrize("number", NUMBERS)
def test_refusals_show_nothing(
    gateway: Emulator, make_notifier: MakeNotifier, caplog: pytest.LogCaptureFixture, number: str
) -> None:
    shown = everything_shown(make_notifier(gateway.http_port), Sms(to=number, text=TEXT))

    assert_clean(shown + caplog.text)


def test_an_authorisation_error_shows_nothing(
    gateway: Emulator, make_notifier: MakeNotifier, caplog: pytest.LogCaptureFixture
) -> None:
    notifier = make_notifier(gateway.http_port, password=f"{SECRET}-wrong")

    shown = everything_shown(notifier, Sms(to=f"+7{NUMBER}", text=TEXT))

    assert_clean(shown + caplog.text)


def test_a_provider_out_of_reach_shows_nothing(
    make_notifier: MakeNotifier, caplog: pytest.LogCaptureFixture
) -> None:
    shown = everything_shown(make_notifier(1), Sms(to=f"+7{NUMBER}", text=TEXT))

    assert_clean(shown + caplog.text)


@pytest.mark.parametrize(
    "message",
    [
        Sms(to=f"+7{NUMBER}", text=f"{TEXT} <file http://x>"),
        Sms(to=f"+7{NUMBER}", text=TEXT, extra={"smsc": {"psw": SECRET}}),
        Sms(to=f"+7{NUMBER}", text=TEXT * 90),
        Call(to=f"+7{NUMBER}", text=f"{TEXT} {{menu: 1}}"),
        Viber(to=f"+7{NUMBER}", text=f"{TEXT} \\n"),
        Telegram(to=f"+7{NUMBER}", text=TEXT),
        Mail(to=f"{TEXT}@example.org", subject=TEXT, text=TEXT),
        Sms(to=Contact(email="ann@example.org"), text=TEXT),
        Sms(to=f"8{NUMBER}", text=TEXT),
    ],
    ids=lambda message: type(message).__name__,
)
def test_messages_that_cannot_be_sent_show_nothing(
    gateway: Emulator,
    make_notifier: MakeNotifier,
    caplog: pytest.LogCaptureFixture,
    message: Message,
) -> None:
    shown = everything_shown(make_notifier(gateway.http_port), message)

    assert_clean(shown + caplog.text)


class Careless:
    """A listener whose error quotes what it was told."""

    @hookimpl
    def notify_before_send(self, message: Message, attempt: Attempt) -> None:
        raise RuntimeError(f"{message.body} to {attempt.address}")


def test_plugins_that_fail_with_the_text_in_their_error_show_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    provider = ScriptedProvider([RuntimeError(f"{SECRET} {TEXT} {NUMBER}")] * 3)
    notifier = notifier_with(scripted_config(a=provider), plugins=[("careless", Careless())])

    shown = everything_shown(notifier, Sms(to=f"+7{NUMBER}", text=TEXT))

    assert_clean(shown + caplog.text)
