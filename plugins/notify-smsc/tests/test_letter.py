"""Letters to the gateway: their grammar, how they are written, and how a server takes them."""

from __future__ import annotations

import email
import email.policy
import socket
import ssl
from collections.abc import Callable
from contextlib import AbstractContextManager
from email.message import EmailMessage
from typing import Any

import attrs
import pytest
import trustme
from aiosmtpd.smtp import AuthResult

from notify_core.errors import MessageError
from notify_core.outcome import FailureScope, NotSent, RefusalScope, Refused, Unknown
from notify_core.secret import Secret
from notify_smsc.formats import Format
from notify_smsc.letter import (
    MAX_LETTER_BYTES,
    Letter,
    MailServer,
    Relayed,
    list_text,
    submit,
)
from notify_smsc.wire import Credentials

Serving = Callable[..., AbstractContextManager[int]]


@pytest.fixture
def letter() -> Letter:
    return Letter(
        credentials=Credentials("alice", Secret("s3cret")),
        sender_address="shop@mysite.example",
        phones="79990000001,79990000002",
        text="Код: 4821, никому",
    )


def parsed(content: bytes) -> EmailMessage:
    return email.message_from_bytes(content, policy=email.policy.default)


# The grammar


def test_the_short_form_is_that_of_the_library(letter: Letter) -> None:
    assert letter.body() == ("alice:s3cret:0:0:0,0,:79990000001,79990000002:Код: 4821, никому")


def test_every_field_has_its_place(letter: Letter) -> None:
    full = attrs.evolve(
        letter, id="77", time="+5", translit=1, format=Format.VIBER, sender="MyShop"
    )

    assert full.body().startswith("alice:s3cret:77:+5:1,10,MyShop:7999")


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"tz": "-1"}, "alice:s3cret:0:0,-1:0,0,,:"),
        ({"tz": ""}, "alice:s3cret:0:0,:0,0,,:"),
        ({"test": True}, "alice:s3cret:0:0,:0,0,,1:"),
        ({"tz": "3", "test": True, "sender": "S"}, "alice:s3cret:0:0,3:0,0,S,1:"),
    ],
)
def test_a_time_zone_or_a_test_needs_the_long_form(
    letter: Letter, change: dict[str, Any], fields: str
) -> None:
    assert attrs.evolve(letter, **change).body().startswith(fields)


def test_an_api_key_stands_alone_after_an_empty_login(letter: Letter) -> None:
    by_key = attrs.evolve(letter, credentials=Credentials.of_api_key(Secret("KEY")))

    assert by_key.body().startswith(":KEY:0:0:")


def test_a_list_stands_where_the_text_is_and_needs_no_phones(letter: Letter) -> None:
    messages = [("79990000001", "a:b"), ("79990000002,79990000003", "one\r\ntwo")]

    many = attrs.evolve(letter, phones="", text=list_text(messages))

    assert many.body() == (
        "alice:s3cret:0:0:0,0,::79990000001:a:b\n79990000002,79990000003:one\\ntwo"
    )


@pytest.mark.parametrize("bad", [":", "\n", "\r", ","])
@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("login", lambda bad: {"credentials": Credentials(f"ali{bad}ce", Secret("s3cret"))}),
        ("password", lambda bad: {"credentials": Credentials("alice", Secret(f"s3c{bad}ret"))}),
        ("id", lambda bad: {"id": f"1{bad}2"}),
        ("time", lambda bad: {"time": f"12{bad}00"}),
        ("tz", lambda bad: {"tz": f"1{bad}2"}),
        ("sender", lambda bad: {"sender": f"My{bad}Shop"}),
    ],
)
def test_a_field_that_would_shift_the_others_is_refused_and_not_quoted(
    letter: Letter, field: str, change: Callable[[str], dict[str, Any]], bad: str
) -> None:
    shifted = attrs.evolve(letter, **change(bad))

    with pytest.raises(MessageError, match=f"^{field}: a .* would shift the fields") as caught:
        shifted.body()

    assert "s3c" not in str(caught.value)


@pytest.mark.parametrize("phones", ["79990000001:x", "79990000001\n79990000002"])
def test_phones_may_have_commas_but_nothing_that_ends_the_field(
    letter: Letter, phones: str
) -> None:
    with pytest.raises(MessageError, match=r"^phones: "):
        attrs.evolve(letter, phones=phones).body()
    with pytest.raises(MessageError, match=r"^phones: "):
        list_text([(phones, "x")])


@pytest.mark.parametrize("text", ["a [text]b", "[/TEXT]", "[ text ]"])
def test_a_text_cannot_begin_another_command(letter: Letter, text: str) -> None:
    with pytest.raises(MessageError, match=r"^text: "):
        attrs.evolve(letter, text=text).body()


# The letter


@pytest.mark.parametrize("charset", ["utf-8", "windows-1251", "koi8-r"])
@pytest.mark.parametrize(
    "text", ["Ж" * 5000, "a" * 5000, "one\ntwo", "one\r\n.\r\ntwo", "a\rb\0", "", "тире\n.\n"]
)
def test_the_body_arrives_as_it_is_in_its_charset(letter: Letter, charset: str, text: str) -> None:
    written = attrs.evolve(letter, text=text, charset=charset)

    content = written.to_bytes()

    mail = parsed(content)
    assert content.isascii()
    assert max(len(line) for line in content.split(b"\r\n")) <= 998
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content_charset() == charset
    assert mail.get_payload(decode=True) == (written.body() + "\r\n").encode(charset)


def test_plain_ascii_is_left_readable(letter: Letter) -> None:
    content = attrs.evolve(letter, text="Code 4821").to_bytes()

    assert b"\r\n\r\nalice:s3cret:0:0:0,0,:79990000001,79990000002:Code 4821\r\n" in content


def test_the_head_says_from_whom_and_to_whom_and_nothing_of_the_content(letter: Letter) -> None:
    mail = parsed(attrs.evolve(letter, sender_address="Магазин <shop@mysite.example>").to_bytes())

    assert (mail["From"], mail["To"]) == ("Магазин <shop@mysite.example>", "send@send.smsc.ru")
    assert mail["Subject"] == ""
    assert mail["MIME-Version"] == "1.0"
    assert mail["Message-ID"].endswith("@mysite.example>")


def test_a_character_that_does_not_fit_is_refused(letter: Letter) -> None:
    with pytest.raises(MessageError, match=r"U\+1F44B does not exist in koi8-r"):
        attrs.evolve(letter, text="👋", charset="koi8-r").to_bytes()


def test_a_letter_larger_than_the_gateway_takes_is_refused(letter: Letter) -> None:
    with pytest.raises(MessageError, match=f"the gateway takes {MAX_LETTER_BYTES}"):
        attrs.evolve(letter, text="Ж" * 50_000).to_bytes()


@pytest.mark.parametrize(
    "address", ["", "shop", "магазин@почта.example", "a@b.example\r\nBcc: c@d.example"]
)
def test_a_sender_address_that_not_every_server_takes_is_refused(
    letter: Letter, address: str
) -> None:
    with pytest.raises(MessageError, match=r"^from: "):
        attrs.evolve(letter, sender_address=address).to_bytes()


def test_neither_secret_nor_text_is_printed(letter: Letter) -> None:
    server = MailServer(host="mail.example", login="alice", password=Secret("s3cret"))

    shown = f"{letter!r} {server!r}"

    assert not any(part in shown for part in ("s3cret", "4821", "7999"))


# The mail server


def at(port: int, **more: Any) -> MailServer:
    return MailServer(host="127.0.0.1", port=port, timeout_s=5.0, **more)


def test_a_letter_that_is_taken_is_relayed(letter: Letter, mailbox: tuple[int, list[Any]]) -> None:
    port, letters = mailbox

    outcome = submit(letter, at(port))

    (envelope,) = letters
    assert outcome == Relayed("2.0.0 OK queued as 4F2A")
    assert envelope.mail_from == "shop@mysite.example"
    assert envelope.rcpt_tos == ["send@send.smsc.ru"]
    assert parsed(envelope.content).get_payload(decode=True) == (letter.body() + "\r\n").encode()


def test_lines_that_begin_with_a_dot_arrive(letter: Letter, mailbox: tuple[int, list[Any]]) -> None:
    port, letters = mailbox
    dotted = attrs.evolve(letter, text="one\r\n.\r\n..two")

    submit(dotted, at(port))

    assert letters[0].content.endswith(b":one\r\n.\r\n..two\r\n")


class Handler:
    """Answer one step of the dialogue with a reply, or by cutting the connection."""

    def __init__(self, step: str, reply: str | None) -> None:
        setattr(self, f"handle_{step}", self._handle)
        self._reply = reply

    async def _handle(self, server: Any, *_arguments: object) -> str:
        if self._reply is None:
            server.transport.abort()
            return "250 nobody hears this"
        return self._reply


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
def test_a_rejection_for_good_is_a_refusal(letter: Letter, step: str, serving: Serving) -> None:
    with serving(Handler(step, "554 5.7.1 no relaying for s3cret")) as port:
        outcome = submit(letter, at(port))

    assert isinstance(outcome, Refused)
    assert outcome.code == "554"
    assert outcome.scope is (RefusalScope.CONTENT if step == "DATA" else RefusalScope.ACCOUNT)
    assert "s3cret" not in repr(outcome)


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
def test_a_rejection_for_now_means_not_sent(letter: Letter, step: str, serving: Serving) -> None:
    with serving(Handler(step, "451 4.3.0 try later")) as port:
        outcome = submit(letter, at(port))

    assert isinstance(outcome, NotSent)
    assert (outcome.scope, outcome.code) == (FailureScope.PROVIDER, "451")


@pytest.mark.parametrize("step", ["MAIL", "RCPT"])
def test_a_connection_lost_before_the_content_means_not_sent(
    letter: Letter, step: str, serving: Serving
) -> None:
    with serving(Handler(step, None)) as port:
        outcome = submit(letter, at(port))

    assert isinstance(outcome, NotSent)


def test_a_connection_lost_after_the_content_is_unknown(letter: Letter, serving: Serving) -> None:
    with serving(Handler("DATA", None)) as port:
        outcome = submit(letter, at(port))

    assert isinstance(outcome, Unknown)


def test_an_answer_to_the_content_that_is_no_smtp_is_unknown(
    letter: Letter, serving: Serving
) -> None:
    with serving(Handler("DATA", "what?")) as port:
        outcome = submit(letter, at(port))

    assert isinstance(outcome, Unknown)


def test_no_server_means_not_sent(letter: Letter) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    outcome = submit(letter, at(port))

    assert outcome == NotSent(
        "the mail server did not get as far as the letter (ConnectionRefusedError)",
        FailureScope.PROVIDER,
    )


def test_a_server_that_never_speaks_means_not_sent(letter: Letter) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        outcome = submit(letter, MailServer(host="127.0.0.1", port=port, timeout_s=0.05))

    assert isinstance(outcome, NotSent)


def test_a_letter_never_goes_out_in_the_clear_where_starttls_was_asked_for(
    letter: Letter, mailbox: tuple[int, list[Any]]
) -> None:
    port, letters = mailbox

    outcome = submit(letter, at(port, starttls=True))

    assert isinstance(outcome, NotSent)
    assert letters == []


def test_a_server_that_offers_no_login_gets_no_letter(
    letter: Letter, mailbox: tuple[int, list[Any]]
) -> None:
    port, letters = mailbox

    outcome = submit(letter, at(port, login="relay", password=Secret("pass")))

    assert isinstance(outcome, NotSent)
    assert letters == []


def test_a_login_that_the_server_cannot_be_told_is_refused_without_quoting_it() -> None:
    with pytest.raises(MessageError, match="must be ASCII"):
        MailServer(host="mail.example", login="relay", password=Secret("пароль"))


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def guarded(authority: trustme.CA) -> dict[str, Any]:
    """Return the options of a server that wants STARTTLS and a password."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    def authenticator(*arguments: Any) -> AuthResult:
        data = arguments[-1]
        right = (data.login, data.password) == (b"relay", b"right")
        return AuthResult(success=right, handled=right)

    return {
        "tls_context": context,
        "require_starttls": True,
        "auth_required": True,
        "authenticator": authenticator,
    }


@pytest.fixture
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def test_starttls_and_login_come_before_the_letter(
    letter: Letter, guarded: dict[str, Any], trusting: ssl.SSLContext, serving: Serving
) -> None:
    with serving(object(), **guarded) as port:
        outcome = submit(
            letter,
            at(port, starttls=True, tls=trusting, login="relay", password=Secret("right")),
        )

    assert isinstance(outcome, Relayed)


def test_a_wrong_password_stops_the_account_and_not_the_server(
    letter: Letter, guarded: dict[str, Any], trusting: ssl.SSLContext, serving: Serving
) -> None:
    with serving(object(), **guarded) as port:
        outcome = submit(
            letter,
            at(port, starttls=True, tls=trusting, login="relay", password=Secret("wrong")),
        )

    assert isinstance(outcome, NotSent)
    assert (outcome.scope, outcome.code) == (FailureScope.ACCOUNT, "535")


def test_a_certificate_that_is_not_trusted_means_not_sent(
    letter: Letter, guarded: dict[str, Any], serving: Serving
) -> None:
    with serving(object(), **guarded) as port:
        outcome = submit(letter, at(port, starttls=True))

    assert isinstance(outcome, NotSent)
    assert "SSLCertVerificationError" in outcome.reason
