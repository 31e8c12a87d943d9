"""What the plugin tells the framework, and what it tells nobody."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from itertools import accumulate
from typing import Any

import pytest

from notify_core.clock import SystemClock
from notify_core.delivery import Attempt
from notify_core.errors import MessageError, NotifyError
from notify_core.message import Call, Message, Sms, Telegram, Viber
from notify_core.outcome import Receipt
from notify_core.provider import ReceiptKind, Tools
from notify_core.secret import Secret
from notify_smsc import plugin
from notify_smsc.config import SmscConfig, SmtpConfig, Transport
from notify_smsc.plugin import SmscProvider, capabilities
from notify_smsc_emulator import Emulator, FaultKind

ACCOUNT: dict[str, Any] = {"login": "me", "password": Secret("x")}
LETTER: dict[str, Any] = ACCOUNT | {
    "transport": Transport.SMTP,
    "smtp": SmtpConfig(from_address="me@example.org"),
}
TEXT_CHANNELS = {"sms", "flash", "viber", "telegram", "call", "wap_push", "hlr", "binary", "ping"}

Connect = Callable[..., SmscProvider]
MakeAttempt = Callable[..., Attempt]


def test_it_brings_one_provider_type() -> None:
    """With everything that the framework needs to make an instance."""
    (kind,) = plugin.notify_provider_types()

    assert kind.name == "smsc"
    assert kind.config_class is SmscConfig
    made = kind.factory(SmscConfig(**ACCOUNT), Tools(name="smsc", clock=SystemClock()))
    assert made.capabilities == kind.capabilities(SmscConfig(**ACCOUNT))
    made.close()


def test_http_can_do_all_channels() -> None:
    """WhatsApp only where a bot is configured."""
    plain = capabilities(SmscConfig(**ACCOUNT))
    with_bot = capabilities(SmscConfig(**ACCOUNT, whatsapp_bot="79990000000"))

    assert plain.channels == TEXT_CHANNELS | {"social", "mail", "mms"}
    assert with_bot.channels == plain.channels | {"whatsapp"}
    assert plain.own_id
    assert plain.ask_after_s == (2, 5, 15, 30)
    assert plain.receipts == {ReceiptKind.POLL, ReceiptKind.CALLBACK}
    assert plain.incoming == plain.receipts
    assert plain.address_kinds == ("smsc_group",)
    assert plain.scheduling
    assert plain.longest_validity == timedelta(days=1)
    assert plain.cost
    assert plain.balance
    assert plain.attachments
    assert plain.text_limit == 1000


def test_a_letter_can_do_less_and_says_so() -> None:
    """No files, no life time, no price, and no bot."""
    letter = capabilities(SmscConfig(**LETTER))
    with_bot = capabilities(SmscConfig(**LETTER, telegram_bot="@a_bot"))

    assert letter.channels == TEXT_CHANNELS | {"social", "mail"}
    assert with_bot.channels == letter.channels - {"telegram"}
    assert letter.scheduling
    assert letter.balance
    assert letter.receipts == letter.incoming == {ReceiptKind.POLL, ReceiptKind.CALLBACK}
    assert not letter.validity
    assert not letter.cost
    assert not letter.attachments


def test_the_schedule_of_questions_is_a_key() -> None:
    """Operators know how fast their account answers."""
    pauses = (timedelta(seconds=1), timedelta(seconds=3))

    assert capabilities(SmscConfig(**ACCOUNT, ask_after=pauses)).ask_after_s == (1, 3)


def test_statuses_are_asked_for_within_the_limits_of_the_gateway() -> None:
    """Five questions about a message within a minute, of which one is left to others."""
    told = capabilities(SmscConfig(**ACCOUNT))
    asked_at = list(accumulate(told.poll_after_s))

    assert all(sum(at <= other < at + 60 for other in asked_at) <= 4 for at in asked_at)
    assert told.poll_after_s[-1] == 3600
    assert told.poll_batch == 50


# --- what nobody is told ------------------------------------------------------------------------

CANARY = "CANARY"


def leaky_messages() -> list[Message]:
    """Messages that go, and messages that are refused for many reasons; each holds the word."""
    return [
        Sms(text=CANARY),
        Sms(text=f"{CANARY} __CALL__"),
        Sms(text=f"__CALL__ {CANARY}"),
        Sms(text=CANARY * 200),
        Sms(text=CANARY, sender="TwelveLetter"),
        Sms(text=CANARY, extra={"smsc": {"maxsms": CANARY}}),
        Sms(text=CANARY, extra={"smsc": {"psw": CANARY}}),
        Sms(text=f"[text]{CANARY}"),
        Call(text=f"{CANARY} {{menu: x}}"),
        Viber(text=f"{CANARY}\n~~~"),
        Telegram(text=CANARY),
    ]


def everything_said(smsc: SmscProvider, message: Message, attempt: Attempt) -> str:
    """Return all that a caller or a log can see of a send, a price and a status query."""
    said: list[object] = []
    receipt = Receipt(provider="smsc", address=attempt.address, own_id=attempt.own_id)
    for ask in (
        lambda: smsc.notify_send(message, attempt),
        lambda: smsc.notify_estimate(message, attempt),
        lambda: smsc.notify_fetch_status([receipt]),
        smsc.notify_check,
    ):
        try:
            said.append(ask())
        except NotifyError as error:
            said += [error, error.__cause__, error.__context__]
    return "\n".join(f"{thing!r} {thing}" for thing in said)


@pytest.mark.parametrize("message", leaky_messages(), ids=lambda message: message.channel)
@pytest.mark.parametrize("by_letter", [False, True], ids=["http", "smtp"])
def test_neither_text_nor_secret_is_said(
    connect: Connect,
    connect_by_mail: Connect,
    gateway: Emulator,
    attempt: MakeAttempt,
    caplog: pytest.LogCaptureFixture,
    message: Message,
    by_letter: bool,
) -> None:
    """In outcomes, errors, what caused them, and logs."""
    caplog.set_level(logging.DEBUG, logger="notify_smsc")
    caplog.set_level(logging.DEBUG, logger="notify_core")
    if by_letter:
        smsc = connect_by_mail(gateway.host, gateway.smtp_port, password=Secret(f"p{CANARY}"))
    else:
        smsc = connect(gateway.host, password=Secret(f"p{CANARY}"))

    said = everything_said(smsc, message, attempt())

    assert CANARY not in said
    assert CANARY not in repr(smsc)
    assert CANARY not in caplog.text


@pytest.mark.parametrize("kind", [FaultKind.HTML, FaultKind.WRONG_JSON, FaultKind.SERVER_ERROR])
def test_an_answer_that_echoes_is_not_quoted(
    smsc: SmscProvider, gateway: Emulator, attempt: MakeAttempt, kind: FaultKind
) -> None:
    """A page of a proxy likes to show the request."""
    gateway.fault(kind, body=f"<html>{CANARY}</html>", times=None)

    assert CANARY not in everything_said(smsc, Sms(text="t"), attempt())


def test_an_error_text_that_echoes_is_not_quoted(
    smsc: SmscProvider, gateway: Emulator, attempt: MakeAttempt
) -> None:
    """Nor is the gateway's own sentence."""
    for number in range(1, 12):
        body = f'{{"error":"{CANARY}","error_code":{number}}}'
        gateway.fault(FaultKind.WRONG_JSON, body=body, times=4)
        assert CANARY not in everything_said(smsc, Sms(text="t"), attempt(own_id=f"d{number}"))


def test_nothing_but_a_message_error_leaves_a_send(
    smsc: SmscProvider, attempt: MakeAttempt
) -> None:
    """Anything else would be taken for *unknown*, although nothing has left."""
    for message in leaky_messages():
        with suppress(MessageError):
            smsc.notify_send(message, attempt())
