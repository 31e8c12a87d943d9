"""Letters that become messages."""

import smtplib
from collections.abc import Iterator
from decimal import Decimal
from email.message import EmailMessage

import pytest

from notify_smsc_emulator import Channel, Emulator, Status, Transport
from notify_smsc_emulator.answers import Refusal
from notify_smsc_emulator.smtp import read_body

BODY = "test:test:7:0:0,0,Shop:79990000001:Привет: мир, ура"
TO = "send@send.m.smsc.ru"


@pytest.fixture
def server(gateway: Emulator) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP("127.0.0.1", gateway.smtp_port, timeout=10) as connected:
        yield connected


def letter(body: str, charset: str = "utf-8") -> bytes:
    """A letter as the vendor's library writes it."""
    head = f"To: {TO}\r\nSubject: \r\nFrom: a@b.example\nContent-Type: text/plain"
    head += f"; charset={charset}" if charset else ""
    return head.encode() + b"\r\n\r\n" + body.encode(charset or "koi8-r") + b"\r\n"


@pytest.mark.parametrize("charset", ["utf-8", "windows-1251", "koi8-r", ""])
def test_a_letter_is_decoded_in_its_charset_or_koi8_r(
    gateway: Emulator, server: smtplib.SMTP, charset: str
) -> None:
    server.sendmail("a@b.example", TO, letter(BODY, charset))
    [message] = gateway.caught()
    assert (
        message.id,
        message.phone,
        message.text,
        message.sender,
        message.transport,
    ) == (7, "79990000001", "Привет: мир, ура", "Shop", Transport.SMTP)


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "8bit"])
def test_a_letter_with_a_transfer_encoding_is_decoded(
    gateway: Emulator, server: smtplib.SMTP, encoding: str
) -> None:
    mail = EmailMessage()
    mail["To"], mail["From"], mail["Subject"] = TO, "a@b.example", ""
    mail.set_content(BODY, cte=encoding)
    server.send_message(mail)
    assert [message.text for message in gateway.caught()] == ["Привет: мир, ура"]


def test_a_letter_with_a_list_becomes_several_messages(
    gateway: Emulator, server: smtplib.SMTP
) -> None:
    body = "test:test:7:,:0,0,,::79990000001:a\r\n79990000002:b"
    server.sendmail("a@b.example", TO, letter(body))
    assert [(message.phone, message.text) for message in gateway.caught()] == [
        ("79990000001", "a"),
        ("79990000002", "b"),
    ]


def test_a_letter_with_an_api_key_is_accepted(gateway: Emulator, server: smtplib.SMTP) -> None:
    server.sendmail("a@b.example", TO, letter(":test-key:::,0,:79990000001:a"))
    assert len(gateway.caught()) == 1


@pytest.mark.parametrize(
    ("form", "channel"),
    [("0", Channel.SMS), ("1", Channel.FLASH), ("9", Channel.CALL), ("12", Channel.SMS)],
)
def test_the_format_of_a_letter_is_the_number_of_the_library(
    gateway: Emulator, server: smtplib.SMTP, form: str, channel: Channel
) -> None:
    server.sendmail("a@b.example", TO, letter(f"test:test:::0,{form},:79990000001:a"))
    assert [channel] == [message.channel for message in gateway.caught()]


def test_a_letter_that_asks_for_mail_needs_no_subject(
    gateway: Emulator, server: smtplib.SMTP
) -> None:
    server.sendmail("a@b.example", TO, letter("test:test:::0,8,a@b.example:bob@c.example:a"))
    assert [message.channel for message in gateway.caught()] == [Channel.MAIL]


def test_a_dot_alone_on_a_line_is_part_of_the_text(gateway: Emulator, server: smtplib.SMTP) -> None:
    server.sendmail("a@b.example", TO, letter("test:test:::,,:79990000001:a\r\n.\r\nb"))
    assert [message.text for message in gateway.caught()] == ["a\r\n.\r\nb"]


def test_a_test_letter_is_free_and_ends_with_err_200(
    gateway: Emulator, server: smtplib.SMTP
) -> None:
    server.sendmail("a@b.example", TO, letter("test:test:::,0,,1:79990000001:a"))
    gateway.advance(60)
    [message] = gateway.caught()
    assert (message.cost, message.status, message.err) == (Decimal(0), Status.DELIVERED, 200)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("Hello", 1),
        ("test:wrong:::,0,:79990000001:a", 2),
        ("test:test::tomorrow:,0,:79990000001:a", 5),
    ],
)
def test_a_wrong_letter_is_accepted_and_becomes_nothing(
    gateway: Emulator, server: smtplib.SMTP, body: str, error: int
) -> None:
    server.sendmail("a@b.example", TO, letter(body))
    [seen] = gateway.letters()
    assert isinstance(seen.answer, Refusal)
    assert (error, ()) == (seen.answer.code, gateway.caught())


@pytest.mark.parametrize("address", ["bob@send.smsc.ru", "send@smsc.ru"])
def test_another_address_is_refused(server: smtplib.SMTP, address: str) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        server.sendmail("a@b.example", address, letter(BODY))


def test_a_letter_above_100_kb_is_refused(gateway: Emulator, server: smtplib.SMTP) -> None:
    with pytest.raises(smtplib.SMTPResponseException) as refused:
        server.sendmail("a@b.example", TO, letter(BODY + "a" * 100 * 1024))
    assert (refused.value.smtp_code, gateway.caught()) == (552, ())


def test_of_a_letter_in_two_forms_the_plain_one_counts() -> None:
    mail = EmailMessage()
    mail.set_content("plain")
    mail.add_alternative("<p>html</p>", subtype="html")
    assert read_body(mail.as_bytes()) == "plain\n"


def test_of_a_letter_in_html_the_text_counts() -> None:
    mail = EmailMessage()
    mail.set_content("<p>[text]a:b &amp; c[/text]</p>", subtype="html")
    assert read_body(mail.as_bytes()) == "[text]a:b & c[/text]\n"


def test_a_letter_in_an_unknown_charset_is_koi8_r() -> None:
    raw = b"Content-Type: text/plain; charset=klingon\r\n\r\n" + "да".encode("koi8-r")
    assert read_body(raw) == "да"


def test_letters_are_forgotten_with_all_else(gateway: Emulator, server: smtplib.SMTP) -> None:
    server.sendmail("a@b.example", TO, letter(BODY))
    gateway.clear()
    assert (gateway.letters(), gateway.caught()) == ((), ())
