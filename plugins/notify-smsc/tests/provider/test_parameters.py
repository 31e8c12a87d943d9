"""From a message to the parameters of a send: a table per channel, limits and refusals."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from notify_core.attachment import Attachment
from notify_core.delivery import Attempt
from notify_core.errors import MessageError, RecipientError, UnsupportedFeature
from notify_core.message import (
    Binary,
    BinaryForm,
    Button,
    Call,
    Flash,
    Hlr,
    Mail,
    Message,
    Mms,
    Ping,
    Sms,
    Social,
    Telegram,
    Viber,
    WapPush,
    WhatsApp,
)
from notify_smsc.addresses import MessageIds
from notify_smsc.parameters import Defaults, SendOrder, send_order

PICTURE = Attachment("a.png", b"png")
SOUND = Attachment("a.mp3", b"mp3")
MB = 1024 * 1024
FIXED = {"charset": "utf-8", "fmt": "3", "op": "1"}
BOTS = Defaults(telegram_bot="@shop_bot", whatsapp_bot="79990000000", mail_sender="me@example.org")

Order = Callable[..., SendOrder]


@pytest.fixture
def order(attempt: Callable[..., Attempt]) -> Order:
    """Return a function that makes the order for a message to an address."""

    def make(message: Message, defaults: Defaults = BOTS, **where: Any) -> SendOrder:
        return send_order(message, attempt(**where), defaults)

    return make


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (Sms(text="Привет"), {"mes": "Привет"}),
        (Sms(text="two\nlines"), {"mes": "two\nlines"}),
        (Sms(text="t", sender="Shop"), {"mes": "t", "sender": "Shop"}),
        (Sms(text="t", sender=""), {"mes": "t", "sender": ""}),
        (Flash(text="t"), {"mes": "t", "flash": "1"}),
        (WapPush(url="https://a.b", title="T"), {"mes": "https://a.b\nT", "push": "1"}),
        (Hlr(), {"mes": "", "hlr": "1"}),
        (Ping(), {"mes": "", "ping": "1"}),
        (Social(text="t"), {"mes": "t", "soc": "1"}),
        (Binary(data=b"\x01\xff"), {"mes": "01ff", "bin": "2"}),
        (
            Binary(data=b"\x01", pid=64, dcs=8),
            {"mes": "01\n~~~\npid: 64, dcs: 8", "bin": "2"},
        ),
        (Binary(data=b"\x01", dcs=8), {"mes": "01\n~~~\ndcs: 8", "bin": "2"}),
        (Binary(data=b"\x01\xff", form=BinaryForm.BYTES), {"mes": "\x01\xff", "bin": "1"}),
        (Viber(text="t"), {"mes": "t", "viber": "1"}),
        (
            Viber(
                text="t", image="https://a.b/c.png", button=Button(caption="Go", url="https://g")
            ),
            {"mes": "t{button,https://g,Go}", "viber": "1", "fileurl": "https://a.b/c.png"},
        ),
        (Telegram(text="t"), {"mes": "t", "bot": "@shop_bot"}),
        (Telegram(text="t", bot="@other_bot"), {"mes": "t", "bot": "@other_bot"}),
        (WhatsApp(text="t"), {"mes": "t", "bot": "wa:79990000000"}),
        (
            WhatsApp(text="t", media_url="https://a.b/c.png"),
            {"mes": "t\n<file https://a.b/c.png>", "bot": "wa:79990000000"},
        ),
        (Mms(subject="s"), {"mes": "", "mms": "1", "subj": "s"}),
        (Mms(text="t", attachments=PICTURE), {"mes": "t", "mms": "1"}),
        (Call(text="t"), {"mes": "t", "call": "1"}),
        (Call(audio=SOUND), {"mes": "", "call": "1"}),
        (
            Call(
                text="t",
                voice="w2",
                answer_within=timedelta(seconds=20),
                retry_pause=timedelta(minutes=1),
                attempts=3,
            ),
            {"mes": "t", "call": "1", "voice": "w2", "param": "20,60,3"},
        ),
    ],
)
def test_a_message_becomes_these_parameters_and_no_others(
    order: Order, message: Message, expected: dict[str, str]
) -> None:
    """One line per channel; what all have in common is added."""
    made = order(message)

    assert dict(made.params) == {"phones": "+79991234567", "id": made.id} | expected | FIXED
    assert len(made.params) == len(dict(made.params))


def test_a_mail_of_html_alone_carries_it_as_its_body(order: Order) -> None:
    """The documentation says: text or HTML."""
    message = Mail(subject="s", html="<p>t</p>", sender="me@example.org")

    made = order(message, address="you@example.org", kind="email")

    assert dict(made.params)["mes"] == "<p>t</p>"


def test_a_mail_needs_a_subject_a_text_and_the_address_it_is_from(order: Order) -> None:
    """All three are mandatory for the gateway."""
    made = order(Mail(subject="s", text="t"), address="you@example.org", kind="email")

    assert dict(made.params) == FIXED | {
        "phones": "you@example.org",
        "mes": "t",
        "id": made.id,
        "mail": "1",
        "subj": "s",
        "sender": "me@example.org",
    }


@pytest.mark.parametrize(
    ("message", "names"),
    [
        (Viber(text="t", image=PICTURE), ["a.png"]),
        (Mms(text="t", attachments=[PICTURE, SOUND]), ["a.png", "a.mp3"]),
        (Call(audio=[SOUND]), ["a.mp3"]),
        (Sms(text="t"), []),
    ],
)
def test_files_travel_with_the_order(order: Order, message: Message, names: list[str]) -> None:
    """None is left out, and they keep their order."""
    assert [file.name for file in order(message).files] == names


def test_bytes_go_through_the_form_one_to_one(order: Order) -> None:
    """Everything else of the request is ASCII, so the encoding can be that of bytes."""
    assert order(Binary(data=b"\xff", form=BinaryForm.BYTES)).encoding == "latin-1"
    assert order(Binary(data=b"\xff")).encoding == "utf-8"


def test_the_default_sender_is_for_short_messages_that_name_none(order: Order) -> None:
    """A name for SMS means nothing for a call or a query."""
    shop = Defaults(sender="Shop")

    assert dict(order(Sms(text="t"), shop).params)["sender"] == "Shop"
    assert dict(order(Sms(text="t", sender=""), shop).params)["sender"] == ""
    assert "sender" not in dict(order(Call(text="t"), shop).params)
    assert "sender" not in dict(order(Hlr(), shop).params)


def test_without_a_bot_telegram_carries_a_code(order: Order) -> None:
    """The documented use of ``tg`` is a confirmation code."""
    assert dict(order(Telegram(text="0420"), Defaults()).params)["tg"] == "1"


# --- recipients -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "kind", "phone"),
    [
        ("+79991234567", "phone", "+79991234567"),
        ("+7 (999) 123-45-67", "phone", "+79991234567"),
        ("79991234567", "phone", "+79991234567"),
        ("you@example.org", "email", "you@example.org"),
        ("@nick_name", "telegram", "@nick_name"),
        ("#123456", "telegram", "#123456"),
        ("12", "smsc_group", "G12"),
        ("G1234567", "smsc_group", "G1234567"),
    ],
)
def test_an_address_is_written_as_the_gateway_reads_it(
    order: Order, address: str, kind: str, phone: str
) -> None:
    """A number has a leading plus, so that nobody corrects it."""
    assert order(Sms(text="t"), address=address, kind=kind).phone == phone


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("89991234567", "phone"),
        ("0099912345", "phone"),
        ("+7999123456789012", "phone"),
        ("123", "phone"),
        ("G12", "phone"),
        ("+79991234567,+79990000000", "phone"),
        ("+79991234567;G1", "phone"),
        ("a@b.ru,c@d.ru", "email"),
        ("nick", "telegram"),
        ("@nick,@other", "telegram"),
        ("all", "smsc_group"),
        ("1234567", "smsc_group"),
    ],
)
def test_an_address_that_could_mean_something_else_is_refused(
    order: Order, address: str, kind: str
) -> None:
    """A domestic number, a list, or a group that nobody asked for."""
    with pytest.raises(RecipientError) as caught:
        order(Sms(text="t"), address=address, kind=kind)

    assert address not in str(caught.value) or len(address) < 6


# --- ids --------------------------------------------------------------------------------------


def test_the_same_own_id_is_always_the_same_number(order: Order) -> None:
    """So that a repeated attempt cannot be a second message, and can be asked for."""
    first, again, other = (order(Sms(text="t"), own_id=own) for own in ("d1-1", "d1-1", "d1-2"))

    assert first.id == again.id
    assert first.id != other.id
    assert 1 <= int(first.id) <= 2**31 - 1


@pytest.mark.parametrize("own_id", ["d1-1", "a" * 40])
def test_a_string_id_is_our_own(order: Order, own_id: str) -> None:
    """Where it fits, the gateway's records show our id."""
    strings = Defaults(message_ids=MessageIds.STRING)

    assert order(Sms(text="t"), strings, own_id=own_id).id == own_id


@pytest.mark.parametrize("own_id", ["a" * 41, "имя", "12345678901", "a b"])
def test_an_id_that_does_not_fit_is_replaced(order: Order, own_id: str) -> None:
    """Up to 40 letters, digits and signs; digits alone would be a number."""
    made = order(Sms(text="t"), Defaults(message_ids=MessageIds.STRING), own_id=own_id).id

    assert made != own_id
    assert len(made) == 40
    assert not made.isdigit()


# --- times ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 1, 3, tzinfo=timezone(timedelta(hours=3))),
    ],
)
def test_a_moment_is_unix_time(order: Order, moment: datetime) -> None:
    """No zone of the account can move it."""
    assert dict(order(Sms(text="t", send_at=moment)).params)["time"] == "01767225600"


@pytest.mark.parametrize(
    ("valid_for", "valid"),
    [
        (timedelta(minutes=1), "00:01"),
        (timedelta(seconds=119), "00:01"),
        (timedelta(hours=1, minutes=30), "01:30"),
        (timedelta(hours=24), "24:00"),
    ],
)
def test_the_life_time_is_in_hours_and_minutes(
    order: Order, valid_for: timedelta, valid: str
) -> None:
    """Rounded down, so that nothing arrives too late."""
    assert dict(order(Sms(text="t", valid_for=valid_for)).params)["valid"] == valid


# --- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (Sms(text="т" * 1001), "1001 characters"),
        (Call(text="т" * 1001), "1001 characters"),
        (Viber(text="т" * 990, button=Button(caption="c", url="https://a.b")), "characters"),
        (Sms(text="t", valid_for=timedelta(seconds=59)), "valid_for"),
        (Sms(text="t", valid_for=timedelta(hours=24, seconds=1)), "valid_for"),
        (Sms(text="t", sender="TwelveLetter"), "sender"),
        (Sms(text="t", sender="Магазин"), "sender"),
        (Sms(text="t", sender="1" * 16), "sender"),
        (Call(text="t", voice="bass"), "voice"),
        (Call(audio=SOUND, voice="m"), "voice"),
        (Call(text="t", attempts=3), "give answer_within, retry_pause and attempts"),
        (
            Call(
                text="t",
                answer_within=timedelta(seconds=9),
                retry_pause=timedelta(seconds=10),
                attempts=1,
            ),
            "answer_within is 10 to 35 s",
        ),
        (
            Call(
                text="t",
                answer_within=timedelta(seconds=10.5),
                retry_pause=timedelta(seconds=10),
                attempts=1,
            ),
            "whole",
        ),
        (Call(audio=[SOUND] * 5), "5 files"),
        (Mail(subject="s", text="t"), "sender"),
        (Mail(subject="s", text="t", html="<p>t</p>", sender="a@b.ru"), "one body"),
        (Mail(subject="s", text="t", sender="a@b.ru", attachments=[PICTURE] * 21), "21 files"),
        (
            Mail(
                subject="s",
                text="t",
                sender="a@b.ru",
                attachments=Attachment("a", b"0" * (3 * MB + 1)),
            ),
            "larger than 3072 KB",
        ),
        (
            Mail(
                subject="s",
                text="t",
                sender="a@b.ru",
                attachments=[Attachment("a", b"0" * 3 * MB)] * 6,
            ),
            "together larger than",
        ),
        (Mms(text="t", attachments=Attachment("a.exe", b"")), "not for an MMS"),
        (Mms(text="t", attachments=Attachment("a.png", b"0" * 307201)), "larger than 300 KB"),
        (Telegram(text="Your code: 42"), "code of digits"),
        (WhatsApp(text="t"), "whatsapp_bot"),
        (Viber(text="t", button=Button(caption="c}", url="https://a.b")), "button"),
        (Viber(text="t", button=Button(caption="c", url="https://a.b/1,2")), "button"),
    ],
)
def test_what_the_gateway_cannot_express_is_refused(
    order: Order, message: Message, words: str
) -> None:
    """Loudly, before anything has left, and without the text."""
    with pytest.raises(UnsupportedFeature, match=words) as caught:
        order(message, Defaults())

    assert "ттт" not in str(caught.value)


def test_a_media_address_cannot_end_its_command(order: Order) -> None:
    """Else it could bring a second file."""
    with pytest.raises(UnsupportedFeature, match="media_url"):
        order(WhatsApp(text="t", media_url="https://a.b/c>d"))


def test_a_message_type_that_it_does_not_know_is_refused(order: Order) -> None:
    """Third parties bring their own."""

    class Pigeon(Message):
        channel = "pigeon"

    with pytest.raises(UnsupportedFeature, match="pigeon"):
        order(Pigeon())


def test_a_moment_before_unix_time_is_a_mistake(order: Order) -> None:
    """It would be read as another form of time."""
    with pytest.raises(MessageError, match="send_at"):
        order(Sms(text="t", send_at=datetime(1969, 1, 1, tzinfo=UTC)))
