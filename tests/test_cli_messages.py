"""Options and message files: how they become typed messages."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import click
import pytest
from click.testing import CliRunner

from notify_core import (
    Binary,
    BinaryForm,
    Button,
    Call,
    Contact,
    Mail,
    Message,
    MessageError,
    PluginError,
    Priority,
    Sms,
    Telegram,
    Viber,
    WapPush,
)
from notify_core.cli.options import message_options, read_message
from notify_core.message import MESSAGE_TYPES
from notify_core.plain.messages import make_message

NUMBER = "+79991234567"
UTC_NOON = datetime(2030, 1, 31, 12, tzinfo=UTC)


@attrs.frozen(kw_only=True, repr=False, eq=False)
class Page(Message):
    """A message type of a third party."""

    channel = "page"
    address_kinds = ("pager",)

    digits: str
    level: int = 1
    ratio: float = 1.0
    loud: bool = False
    repeat_after: timedelta | None = None


KNOWN = {kind.channel: kind for kind in (*MESSAGE_TYPES, Page)}

Read = Callable[..., Any]


@pytest.fixture
def read() -> Read:
    """Return the message that a command line describes; what it raises is raised here."""

    def from_arguments(*arguments: str, stdin: str | bytes = "") -> Any:
        made: list[Message] = []

        @click.command()
        @message_options
        def command(**given: Any) -> None:
            made.append(read_message(given, KNOWN))

        CliRunner().invoke(command, arguments, input=stdin, catch_exceptions=False)
        return made[0]

    return from_arguments


# --- options --------------------------------------------------------------------------------


def test_what_every_message_has(read: Read) -> None:
    message = read(
        *("sms", "--to", NUMBER, "--to", "+79991234568", "--text", "Hello", "--sender", "Shop"),
        *(
            "--tag",
            "a",
            "--tag",
            "b",
            "--priority",
            "high",
        ),
        *("--send-at", "2030-01-31T15:00:00+03:00", "--valid-for", "1h30m"),
        *("--extra", "smsc.tinyurl=1", "--extra", "smsc.maxsms=2", "--extra", "other.x=a=b"),
    )

    assert isinstance(message, Sms)
    assert message.to == (NUMBER, "+79991234568")
    assert (message.text, message.sender) == ("Hello", "Shop")
    assert message.tags == {"a", "b"}
    assert message.priority is Priority.HIGH
    assert message.send_at == UTC_NOON
    assert message.valid_for == timedelta(minutes=90)
    assert message.extra == {"smsc": {"tinyurl": "1", "maxsms": "2"}, "other": {"x": "a=b"}}


def test_what_channels_add(read: Read) -> None:
    mail = read("mail", "--to", "a@example.org", "--subject", "S", "--html", "<b>H</b>")
    telegram = read("telegram", "--to", "@somebody", "--text", "T", "--bot", "@a_bot")
    push = read("wap_push", "--to", NUMBER, "--url", "https://example.org", "--title", "T")
    binary = read("binary", "--to", NUMBER, "--hex", "00 ff", "--field", "form=bytes")

    assert isinstance(mail, Mail)
    assert (mail.subject, mail.html) == ("S", "<b>H</b>")
    assert isinstance(telegram, Telegram)
    assert telegram.bot == "@a_bot"
    assert isinstance(push, WapPush)
    assert (push.url, push.title) == ("https://example.org", "T")
    assert isinstance(binary, Binary)
    assert binary.data == b"\x00\xff"
    assert binary.form is BinaryForm.BYTES


def test_files_go_to_the_attribute_that_takes_files(read: Read, tmp_path: Path) -> None:
    """Attachments of a mail, the sound of a call, the picture of a Viber message."""
    file = tmp_path / "file.wav"
    file.write_bytes(b"RIFF")

    mail = read(
        *("mail", "--to", "a@example.org", "--subject", "S", "--text", "T"),
        *("--attach", str(file), "--attach", str(file)),
    )
    call = read("call", "--to", NUMBER, "--attach", str(file))
    viber = read("viber", "--to", NUMBER, "--text", "T", "--attach", str(file))

    assert [each.name for each in mail.attachments] == ["file.wav", "file.wav"]
    assert isinstance(call, Call)
    assert call.audio[0].content == b"RIFF"
    assert isinstance(viber, Viber)
    assert viber.image.name == "file.wav"


def test_further_attributes_are_given_by_name(read: Read) -> None:
    """Each as its type asks, with JSON for those that are composed."""
    viber = read(
        *("viber", "--to", NUMBER, "--text", "T", "--field", "image=https://example.org/a.png"),
        *("--field", 'button={"caption": "Open", "url": "https://example.org"}'),
    )
    call = read("call", "--to", NUMBER, "--text", "T", "--field", "answer_within=20s")

    assert viber.image == "https://example.org/a.png"
    assert viber.button == Button(caption="Open", url="https://example.org")
    assert call.answer_within == timedelta(seconds=20)


def test_a_message_type_of_a_third_party_works_like_the_others(read: Read) -> None:
    fields = ("digits=911", "level=3", "ratio=0.5", "loud=yes", "repeat_after=5m")
    message = read("page", "--to", "4711", *(part for each in fields for part in ("--field", each)))

    assert isinstance(message, Page)
    assert message.contacts() == (Contact(other={"pager": "4711"}),)
    assert (message.digits, message.level, message.ratio, message.loud) == ("911", 3, 0.5, True)
    assert message.repeat_after == timedelta(minutes=5)


def test_one_recipient_may_have_several_kinds_of_address(read: Read) -> None:
    message = read(
        *("sms", "--to", NUMBER, "--text", "T"),
        *("--email", "a@example.org", "--telegram", "@somebody"),
    )

    assert message.to == (Contact(phone=NUMBER, email="a@example.org", telegram="@somebody"),)


def test_addresses_alone_are_a_recipient(read: Read) -> None:
    message = read("sms", "--phone", NUMBER, "--email", "a@example.org", "--text", "T")

    assert message.to == (Contact(phone=NUMBER, email="a@example.org"),)


@pytest.mark.parametrize("option", [("--text", "-"), ("--text-file", "-")])
def test_text_may_come_from_standard_input(read: Read, option: Sequence[str]) -> None:
    """Its last line end is not part of it; every other is."""
    message = read("sms", "--to", NUMBER, *option, stdin="Строка\n\n")

    assert message.text == "Строка\n"


def test_text_may_come_from_a_file(read: Read, tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    file.write_bytes("Привет\r\n".encode())

    assert read("sms", "--to", NUMBER, "--text-file", str(file)).text == "Привет"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--attach", "a.txt"), "sms carries no files"),
        (("--extra", "tinyurl=1"), "TYPE.NAME=VALUE"),
        (("--extra", "smsc.tinyurl"), "NAME=VALUE"),
        (("--field", "nothing=1"), "sms has no nothing"),
        (("--to", "+79991234568", "--email", "a@example.org"), "for one recipient"),
        (("--text-file", "-"), "not both"),
        (("--send-at", "tomorrow"), "send_at: write a time with its zone"),
        (
            ("--send-at", "2030-01-31T12:00:00"),
            r"--send-at: add the zone, like 2030-01-31T12:00:00\+03:00",
        ),
        (("--valid-for", "5"), "valid_for: write a duration"),
        (("--message", "-"), "leave the other options out"),
    ],
)
def test_options_that_cannot_be_are_refused(
    read: Read, arguments: Sequence[str], says: str
) -> None:
    with pytest.raises(MessageError, match=says):
        read("sms", "--to", NUMBER, "--text", "T", *arguments)


@pytest.mark.parametrize(
    ("content", "says"), [(b"\xff", "not UTF-8"), (b"", "text is empty")], ids=["bytes", "empty"]
)
def test_a_text_that_cannot_be_read_is_refused(read: Read, content: bytes, says: str) -> None:
    with pytest.raises(MessageError, match=says):
        read("sms", "--to", NUMBER, "--text-file", "-", stdin=content)


def test_a_file_that_is_missing_is_named(read: Read) -> None:
    with pytest.raises(MessageError, match=r"absent\.txt"):
        read("sms", "--to", NUMBER, "--text-file", "absent.txt")


# --- message files --------------------------------------------------------------------------


def test_a_message_file_holds_a_whole_message(read: Read, tmp_path: Path) -> None:
    """With contacts, alternatives and files, which options cannot say."""
    file = tmp_path / "message.json"
    values = {
        "channel": "mail",
        "to": [{"email": "a@example.org", "phone": NUMBER}, "b@example.org"],
        "subject": "S",
        "text": "T",
        "tags": ["a"],
        "priority": "critical",
        "attachments": [{"name": "a.txt", "content_base64": "AAE="}],
        "alternatives": [{"channel": "sms", "text": "short"}],
    }
    file.write_text(json.dumps(values))

    message = read("--message", str(file))

    assert isinstance(message, Mail)
    assert message.to == (Contact(email="a@example.org", phone=NUMBER), "b@example.org")
    assert message.attachments[0].content == b"\x00\x01"
    assert message.alternatives[0].body == "short"
    assert message.priority is Priority.CRITICAL


def test_a_message_may_come_from_standard_input(read: Read) -> None:
    values = {"channel": "call", "to": NUMBER, "text": "T", "attempts": 2}

    assert read("--message", "-", stdin=json.dumps(values)).attempts == 2


def test_a_file_that_is_not_json_is_refused(read: Read) -> None:
    with pytest.raises(MessageError, match="is not JSON"):
        read("--message", "-", stdin="{channel: sms}")


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([], "a message is an object"),
        ({}, "the channel is missing"),
        ({"channel": "sms"}, "sms needs text"),
        ({"channel": "sms", "text": 5}, "text: write a text"),
        ({"channel": "sms", "text": "T", "txt": "T"}, "sms has no txt"),
        ({"channel": "sms", "text": "T", "to": [5]}, "to: write a text"),
        ({"channel": "sms", "text": "T", "to": {"fax": "1"}}, "to: fax is not known here"),
        ({"channel": "sms", "text": "T", "priority": "huge"}, "priority: write one of low"),
        ({"channel": "sms", "text": "T", "extra": 5}, "extra: write an object"),
        ({"channel": "sms", "text": "T", "extra": "{"}, "extra: "),
        ({"channel": "sms", "text": "T", "alternatives": [{"channel": "x"}]}, "'x' is not a"),
        ({"channel": "binary", "data": "xyz"}, "data: write hexadecimal digits"),
        ({"channel": "call", "text": "T", "attempts": "many"}, "attempts: write a whole number"),
        ({"channel": "mail", "subject": "S", "attachments": 5}, "attachments: write a path"),
        ({"channel": "mail", "subject": "S", "attachments": "absent.txt"}, "no such file"),
    ],
)
def test_a_value_that_cannot_be_is_named(values: Mapping[str, Any], says: str) -> None:
    with pytest.raises(MessageError, match=says):
        make_message(values, KNOWN)


def test_a_value_that_cannot_be_is_not_quoted() -> None:
    """It may be the text of the message."""
    with pytest.raises(MessageError) as caught:
        make_message({"channel": "page", "digits": "1", "level": "a secret"}, KNOWN)

    assert "secret" not in str(caught.value)


@attrs.frozen(kw_only=True, repr=False, eq=False)
class Strict(Message):
    """A message type whose validator is that of attrs."""

    channel = "strict"

    digits: str = attrs.field(validator=attrs.validators.max_len(3))


@attrs.frozen(kw_only=True, repr=False, eq=False)
class Unresolved(Message):
    """A message type with an annotation that exists for the type checker only."""

    channel = "unresolved"

    when: Nowhere  # noqa: F821


def test_what_the_validator_of_a_third_party_refuses_is_an_error_of_the_message() -> None:
    with pytest.raises(MessageError, match="digits"):
        make_message({"channel": "strict", "digits": "12345"}, {"strict": Strict})


def test_a_message_type_that_cannot_be_read_is_a_fault_of_its_plugin() -> None:
    with pytest.raises(PluginError, match="an annotation that is not imported"):
        make_message({"channel": "unresolved", "when": "now"}, {"unresolved": Unresolved})
