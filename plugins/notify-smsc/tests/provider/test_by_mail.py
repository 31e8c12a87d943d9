"""Stories of letters: what they carry, what they refuse, and what is known afterwards."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import pytest
from aiosmtpd.smtp import SMTP, Envelope

from notify_core.attachment import Attachment
from notify_core.delivery import Attempt
from notify_core.errors import ProviderError, UnsupportedFeature
from notify_core.message import (
    Binary,
    BinaryForm,
    Call,
    Flash,
    Hlr,
    Mail,
    Message,
    Mms,
    Sms,
    Telegram,
    Viber,
    WapPush,
    WhatsApp,
)
from notify_core.outcome import Accepted, NotSent, Refused, State, Unknown
from notify_core.progress import receipt_to_ask
from notify_core.secret import Secret
from notify_smsc.plugin import SmscProvider
from notify_smsc_emulator import CuttingProxy, Emulator

MakeAttempt = Callable[..., Attempt]
Connect = Callable[..., SmscProvider]

TEXT = "Код: 4242,\nспасибо"


def test_a_letter_becomes_a_message_and_its_status_is_asked_over_http(
    smsc_by_mail: SmscProvider, gateway: Emulator, attempt: MakeAttempt
) -> None:
    """Accepted says that a mail server has it; our id finds the rest."""
    outcome = smsc_by_mail.notify_send(Sms(text=TEXT, sender="Shop"), attempt())

    assert isinstance(outcome, Accepted)
    assert (outcome.receipt.own_id, outcome.receipt.provider_id) == ("d1-1", None)
    (caught,) = gateway.caught()
    assert (caught.text, caught.sender) == (TEXT, "Shop")
    assert caught.transport == "smtp"
    gateway.advance(60)
    (status,) = smsc_by_mail.notify_fetch_status([outcome.receipt])
    assert status.state is State.DELIVERED


@pytest.mark.parametrize(
    ("message", "channel"),
    [
        (Flash(text="t"), "flash"),
        (WapPush(url="https://a.b", title="T"), "push"),
        (Hlr(), "hlr"),
        (Binary(data=b"\x01\xff", pid=1), "bin"),
        (Viber(text="t"), "viber"),
        (Call(text="t"), "call"),
        (Telegram(text="4242"), "tg"),
    ],
)
def test_a_letter_names_the_channel_by_its_number(
    smsc_by_mail: SmscProvider,
    gateway: Emulator,
    attempt: MakeAttempt,
    message: Message,
    channel: str,
) -> None:
    """The numbers of the vendor's library."""
    assert isinstance(smsc_by_mail.notify_send(message, attempt()), Accepted)

    assert gateway.caught()[0].channel == channel


def test_the_fields_of_a_letter_stand_where_they_belong(
    smsc_by_mail: SmscProvider, gateway: Emulator, attempt: MakeAttempt
) -> None:
    """Time, zone, transliteration and an explicit *no sender*."""
    message = Sms(text="t", sender="", extra={"smsc": {"translit": 1, "time": "9-21", "tz": 2}})

    smsc_by_mail.notify_send(message, attempt())

    (letter,) = gateway.letters()
    number = gateway.caught()[0].id
    assert letter.body.rstrip("\r\n") == f"test:test:{number}:9-21,2:1,0,.,:+79991234567:t"


def test_a_moment_is_unix_time(
    smsc_by_mail: SmscProvider, gateway: Emulator, attempt: MakeAttempt
) -> None:
    """As over HTTP."""
    moment = datetime(2030, 1, 1, tzinfo=UTC)

    smsc_by_mail.notify_send(Sms(text="t", send_at=moment), attempt())

    assert gateway.caught()[0].send_at == moment


def test_test_mode_can_be_asked_for(
    connect_by_mail: Connect, gateway: Emulator, attempt: MakeAttempt
) -> None:
    """Then nothing is delivered, and the status says so."""
    smsc = connect_by_mail(gateway.host, gateway.smtp_port, test=True)
    outcome = smsc.notify_send(Sms(text="t"), attempt())
    assert isinstance(outcome, Accepted)
    gateway.advance(60)

    (status,) = smsc.notify_fetch_status([outcome.receipt])

    assert status.state is State.SIMULATED


def test_a_key_opens_the_account(
    connect_by_mail: Connect, gateway: Emulator, attempt: MakeAttempt
) -> None:
    """It stands in the place of the password, with an empty login."""
    smsc = connect_by_mail(
        gateway.host, gateway.smtp_port, login=None, password=None, api_key=Secret("test-key")
    )

    smsc.notify_send(Sms(text="t"), attempt())

    assert len(gateway.caught()) == 1


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (Sms(text="t", valid_for=timedelta(hours=1)), "valid_for"),
        (Sms(text="t", extra={"smsc": {"tinyurl": 1}}), "tinyurl"),
        (Sms(text="t", extra={"smsc": {"maxsms": 1}}), "maxsms"),
        (Sms(text="[text]a:b"), r"\[text\]"),
        (Sms(text="t [/TEXT]"), r"\[text\]"),
        (Call(text="t", voice="w"), "voice"),
        (
            Call(
                text="t",
                answer_within=timedelta(seconds=10),
                retry_pause=timedelta(seconds=10),
                attempts=1,
            ),
            "the timing of a call",
        ),
        (Call(audio=Attachment("a.mp3", b"mp3")), "files"),
        (Viber(text="t", image="https://a.b/c"), "fileurl"),
        (Viber(text="t", image=Attachment("a.png", b"png")), "files"),
        (Mms(subject="s"), "a subject"),
        (Mail(subject="s", text="t", sender="a@b.ru"), "a subject"),
        (Telegram(text="t", bot="@a_bot"), "a bot"),
        (WhatsApp(text="t"), "whatsapp"),
        (Binary(data=b"1", form=BinaryForm.BYTES), "bytes"),
    ],
)
def test_what_a_letter_cannot_carry_is_refused(
    smsc_by_mail: SmscProvider,
    gateway: Emulator,
    attempt: MakeAttempt,
    message: Message,
    words: str,
) -> None:
    """Before anything has left, with the way that can."""
    with pytest.raises(UnsupportedFeature, match=words):
        smsc_by_mail.notify_send(message, attempt())

    assert gateway.letters() == ()


def test_a_mail_that_allows_the_loss_of_its_subject_goes_by_letter(
    smsc_by_mail: SmscProvider, gateway: Emulator, attempt: MakeAttempt
) -> None:
    """The letter has no field for it; dropping it is somebody's decision."""
    message = Mail(
        subject="s", text="t", sender="a@b.ru", extra={"smsc": {"allow": ["no_subject"]}}
    )

    outcome = smsc_by_mail.notify_send(message, attempt("you@example.org", kind="email"))

    assert isinstance(outcome, Accepted)
    (caught,) = gateway.caught()
    assert (caught.channel, caught.phone, caught.sender) == ("mail", "you@example.org", "a@b.ru")


def test_a_letter_has_no_price(smsc_by_mail: SmscProvider, attempt: MakeAttempt) -> None:
    """What it does not claim it refuses."""
    assert not smsc_by_mail.capabilities.cost
    with pytest.raises(UnsupportedFeature, match="price"):
        smsc_by_mail.notify_estimate(Sms(text="t"), attempt())


def test_not_found_proves_nothing_while_a_letter_may_be_under_way(
    smsc_by_mail: SmscProvider, attempt: MakeAttempt
) -> None:
    """Else it would be sent again, and both would arrive."""
    with pytest.raises(ProviderError, match="under way"):
        smsc_by_mail.notify_fetch_status([receipt_to_ask(attempt())])


def test_a_letter_that_a_server_took_is_asked_for_at_any_host(
    connect_by_mail: Connect, gateway: Emulator, attempt: MakeAttempt
) -> None:
    """No HTTP host had it, and its absence decides nothing."""
    smsc = connect_by_mail("127.0.0.1:1", gateway.smtp_port, reserve_hosts=(gateway.host,))
    outcome = smsc.notify_send(Sms(text="t"), attempt("+79990007794"))
    assert isinstance(outcome, Accepted)

    (status,) = smsc.notify_fetch_status([outcome.receipt])

    assert status.state is State.NOT_FOUND


def test_a_letter_that_a_server_took_may_be_not_found_yet(
    smsc_by_mail: SmscProvider, gateway: Emulator, attempt: MakeAttempt
) -> None:
    """That is a status like another, for it will not be sent again."""
    outcome = smsc_by_mail.notify_send(Sms(text="t"), attempt("+79990007794"))
    assert isinstance(outcome, Accepted)

    (status,) = smsc_by_mail.notify_fetch_status([outcome.receipt])

    assert status.state is State.NOT_FOUND
    assert len(gateway.caught()) == 1


def test_a_lost_answer_of_the_mail_server_is_unknown_and_found_by_asking(
    connect_by_mail: Connect, gateway: Emulator, attempt: MakeAttempt
) -> None:
    """The letter was taken; only nobody heard it."""
    heard = _bytes_before_the_last_reply(gateway.smtp_port)
    with CuttingProxy(gateway.smtp_port, cut_reply_after=heard + 1) as cut:
        smsc = connect_by_mail(gateway.host, cut.port)
        outcome = smsc.notify_send(Sms(text="t"), attempt())

    assert isinstance(outcome, Unknown)
    assert len(gateway.caught()) == 1
    (status,) = smsc.notify_fetch_status([receipt_to_ask(attempt())])
    assert status.state is not State.NOT_FOUND


def _bytes_before_the_last_reply(port: int) -> int:
    """Measure what the mail server says until it waits for the letter."""
    said = 0
    with (
        socket.create_connection(("127.0.0.1", port)) as connection,
        connection.makefile("rwb") as stream,
    ):
        said += len(stream.readline())
        for command in (b"ehlo a", b"mail FROM:<a@b.c>", b"rcpt TO:<send@send.b.c>", b"data"):
            stream.write(command + b"\r\n")
            stream.flush()
            line = b"250-"
            while line[3:4] == b"-":
                line = stream.readline()
                said += len(line)
    return said


class Refusing:
    """A handler of a mail server that answers the letter with this."""

    def __init__(self, answer: str) -> None:
        self._answer = answer

    async def handle_DATA(  # noqa: N802 - the name is aiosmtpd's
        self, _server: SMTP, _session: object, _envelope: Envelope
    ) -> str:
        return self._answer


@pytest.mark.parametrize(
    ("answer", "kind"), [("550 5.7.1 CANARY", Refused), ("451 4.3.0 CANARY", NotSent)]
)
def test_a_mail_server_may_say_no(
    connect_by_mail: Connect,
    serving: Callable[..., AbstractContextManager[int]],
    attempt: MakeAttempt,
    answer: str,
    kind: type,
) -> None:
    """For good or for now; its words are not quoted."""
    with serving(Refusing(answer)) as port:
        outcome = connect_by_mail("localhost", port).notify_send(Sms(text="t"), attempt())

    assert type(outcome) is kind
    assert "CANARY" not in repr(outcome)


def test_no_mail_server_is_not_sent(
    connect_by_mail: Connect, gateway: Emulator, attempt: MakeAttempt
) -> None:
    """Nothing has left."""
    smsc = connect_by_mail(gateway.host, 1)

    assert isinstance(smsc.notify_send(Sms(text="t"), attempt()), NotSent)
