"""What a message accepts, what it refuses and in which words, and what it never shows."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_core.attachment import Attachment
from notify_core.contact import Contact, mask
from notify_core.errors import AttachmentError, MessageError, RecipientError
from notify_core.message import (
    MESSAGE_TYPES,
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
    Priority,
    Sms,
    Social,
    Telegram,
    Viber,
    WapPush,
    WhatsApp,
)

PHONE = "+79991234567"
CANARY = "canary-7331"
FILE = Attachment("plan.pdf", b"%PDF")
HALF_PAIR = "half \ud83d of it"

EXAMPLES: dict[type[Message], dict[str, Any]] = {
    Sms: {"text": CANARY},
    Flash: {"text": CANARY},
    Viber: {"text": CANARY, "image": FILE, "button": Button(caption="Open", url="https://x.org/")},
    Telegram: {"text": CANARY, "bot": "@shop_bot"},
    WhatsApp: {"text": CANARY, "media_url": "https://x.org/a.png"},
    Mail: {"subject": CANARY, "text": CANARY, "html": f"<p>{CANARY}", "attachments": FILE},
    Call: {"text": CANARY, "voice": "m2", "attempts": 3, "answer_within": timedelta(seconds=20)},
    Mms: {"subject": CANARY, "text": CANARY, "attachments": [FILE]},
    WapPush: {"url": f"https://x.org/{CANARY}", "title": CANARY},
    Hlr: {},
    Binary: {"data": CANARY.encode()},
    Ping: {},
    Social: {"text": CANARY},
}


@attrs.frozen(kw_only=True, repr=False, eq=False)
class Page(Message):
    """A message type of somebody else, with a channel and a kind of address of its own."""

    channel = "pager"
    address_kinds = ("pager",)

    tone: int

    def check(self) -> None:
        if not 1 <= self.tone <= 9:
            raise MessageError("tone is 1 to 9")


@attrs.frozen(kw_only=True, repr=False, eq=False)
class Sticker(Message):
    """A message type of somebody else for a kind of address that the core knows."""

    channel = "sticker"
    address_kinds = ("telegram",)


def build(kind: type[Message], **more: Any) -> Message:
    to = f"{CANARY}@example.org" if kind is Mail else PHONE
    return kind(**({"to": to} | EXAMPLES[kind] | more))


every_type = pytest.mark.parametrize("kind", MESSAGE_TYPES, ids=lambda kind: kind.__name__)


def test_every_message_type_of_the_core_has_an_example_here() -> None:
    assert set(MESSAGE_TYPES) == set(EXAMPLES)


def test_no_two_message_types_share_a_channel() -> None:
    channels = [kind.channel for kind in MESSAGE_TYPES]

    assert sorted(set(channels)) == sorted(channels)


@every_type
def test_a_message_cannot_be_changed(kind: type[Message]) -> None:
    message = build(kind)

    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        message.key = "another"  # type: ignore[misc]


@every_type
def test_a_message_takes_no_attribute_that_it_does_not_have(kind: type[Message]) -> None:
    message = build(kind)

    assert not hasattr(message, "__dict__")


@every_type
def test_a_message_is_given_by_keyword_only(kind: type[Message]) -> None:
    with pytest.raises(TypeError, match="positional"):
        kind(PHONE, CANARY)  # type: ignore[call-arg]


@every_type
@pytest.mark.parametrize("show", [repr, str, "{}".format], ids=["repr", "str", "format"])
def test_a_message_shows_neither_text_nor_address(
    kind: type[Message], show: Callable[[object], str]
) -> None:
    message = build(kind, sender=CANARY, key=CANARY, tags=CANARY, extra={"smsc": {"x": CANARY}})

    shown = show(message)

    assert shown == f"<{kind.__name__} {message.id} to 1>"


@every_type
def test_a_message_of_any_type_may_have_no_recipient_yet(kind: type[Message]) -> None:
    assert build(kind, to=()).contacts() == ()


AWARE = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        # What every message has.
        (lambda: Message(to=PHONE), "Message has no channel; use one of its subclasses"),
        (lambda: sms(to=5), "a recipient is a str or a Contact, not int"),
        (lambda: sms(to=None), "a recipient is a str or a Contact, not NoneType"),
        (lambda: sms(to=[PHONE, None]), "a recipient is a str or a Contact, not NoneType"),
        (lambda: sms(to=PHONE.encode()), "a recipient is a str or a Contact, not int"),
        (lambda: sms(to=""), "'…' cannot be a phone number; write it as +79991234567"),
        (lambda: sms(to="G12"), "'…' cannot be a phone number; write it as +79991234567"),
        (lambda: sms(to="A7"), "'…' cannot be a phone number; write it as +79991234567"),
        (lambda: sms(to="--- ()"), "'…' cannot be a phone number; write it as +79991234567"),
        (
            lambda: sms(to=PHONE + "\n"),
            "'+79…7\\n' cannot be a phone number; write it as +79991234567",
        ),
        (
            lambda: sms(to=f"{PHONE},+79991234568"),
            "'+79…68' cannot be a phone number; write it as +79991234567",
        ),
        (
            lambda: sms(to="٧٩٩٩١٢٣٤"),
            "'٧٩٩…٣٤' cannot be a phone number; write it as +79991234567",
        ),
        (lambda: sms(text=None), "text is NoneType, not str"),
        (lambda: sms(text=b"hello"), "text is bytes, not str"),
        (lambda: sms(text=""), "text is empty"),
        (lambda: sms(text=" \n\t"), "text is empty"),
        (lambda: sms(text="a\x00b"), "text holds a NUL character"),
        (
            lambda: sms(text=HALF_PAIR),
            "text holds half of a surrogate pair, which is no character",
        ),
        (lambda: sms(priority=20), "priority is 20; use notify_core.Priority"),
        (lambda: sms(priority="high"), "priority is 'high'; use notify_core.Priority"),
        (
            lambda: sms(send_at=datetime(2030, 1, 1)),
            "send_at has no time zone; use an aware datetime",
        ),
        (lambda: sms(send_at=date(2030, 1, 1)), "send_at is date; use an aware datetime"),
        (lambda: sms(send_at="2030-01-01"), "send_at is str; use an aware datetime"),
        (lambda: sms(valid_for=timedelta(0)), "valid_for must be longer than zero"),
        (lambda: sms(valid_for=timedelta(hours=-1)), "valid_for must be longer than zero"),
        (lambda: sms(valid_for=60), "valid_for is int; use a timedelta"),
        (lambda: sms(sender=5), "sender is int, not str"),
        (lambda: sms(sender="Shop\r\nBcc: x"), "sender holds control characters"),
        (lambda: sms(sender="Shop\u2028"), "sender holds control characters"),
        (lambda: sms(key=7), "key is int, not str"),
        (lambda: sms(key="a\nb"), "key holds control characters"),
        (lambda: sms(tags=5), "a tag is int, not str"),
        (lambda: sms(tags=["otp", None]), "a tag is NoneType, not str"),
        (lambda: sms(tags=["otp\n"]), "a tag holds control characters"),
        (lambda: sms(tags=""), "a tag is empty"),
        (lambda: sms(tags=["otp", " "]), "a tag is empty"),
        (
            lambda: sms(id="a b"),
            "id must be 1 to 33 letters, digits, dots, underscores or hyphens",
        ),
        (
            lambda: sms(id="x" * 34),
            "id must be 1 to 33 letters, digits, dots, underscores or hyphens",
        ),
        (lambda: sms(id=""), "id must be 1 to 33 letters, digits, dots, underscores or hyphens"),
        (lambda: sms(id=7), "id must be 1 to 33 letters, digits, dots, underscores or hyphens"),
        (
            lambda: sms(extra={"tinyurl": 1}),
            "extra maps a provider type to its parameters: {'smsc': {'tinyurl': 1}}",
        ),
        (
            lambda: sms(extra=[("smsc", {})]),
            "extra maps a provider type to its parameters: {'smsc': {'tinyurl': 1}}",
        ),
        # Alternatives.
        (lambda: sms(alternatives=["hello"]), "an alternative is a message, not str"),
        (lambda: sms(alternatives=5), "an alternative is a message, not int"),
        (lambda: sms(alternatives=[Sms(text="b")]), "two messages for the channel 'sms'"),
        (
            lambda: sms(alternatives=[Call(text="b"), Call(text="c")]),
            "two messages for the channel 'call'",
        ),
        (
            lambda: sms(alternatives=[Call(to=PHONE, text="b")]),
            "an alternative goes to the recipients of the main message; drop `to`",
        ),
        (
            lambda: sms(alternatives=[Call(text="b", alternatives=[Flash(text="c")])]),
            "an alternative has alternatives; give them to the main message",
        ),
        # What each channel adds.
        (
            lambda: Viber(text="a", image="picture.png"),
            "image is not an http(s) address; for a file write Attachment.from_path(…)",
        ),
        (lambda: Viber(text="a", image=b"png"), "image is bytes; use an Attachment or an address"),  # type: ignore[arg-type]
        (lambda: Viber(text="a", button="Open"), "button is str; use notify_core.Button"),  # type: ignore[arg-type]
        (lambda: Button(caption=" ", url="https://x.org"), "caption is empty"),
        (lambda: Button(caption="a\nb", url="https://x.org"), "caption holds control characters"),
        (lambda: Button(caption="a", url="javascript:x"), "url is not an http(s) address"),
        (lambda: Button(caption="a", url="https://"), "url is not an http(s) address"),
        (lambda: Button(caption="a", url="https://x.org/a b"), "url is not an http(s) address"),
        (lambda: Button(caption="a", url="https://x.org/\n"), "url holds control characters"),
        (lambda: Button(caption="a", url=None), "url is NoneType, not str"),  # type: ignore[arg-type]
        (lambda: Telegram(text="a", bot="shop_bot"), "bot is 'shop_bot'; write it as @name_bot"),
        (lambda: Telegram(text="a", bot=5), "bot is int, not str"),  # type: ignore[arg-type]
        (
            lambda: Telegram(to="annette", text="a"),
            "'ann…te' cannot be a Telegram recipient; write it as @username, #id or +79991234567",
        ),
        (
            lambda: Telegram(to="@ann-marie", text="a"),
            "'@an…ie' cannot be a Telegram recipient; write it as @username, #id or +79991234567",
        ),
        (lambda: Telegram(to=5, text="a"), "a recipient is a str or a Contact, not int"),  # type: ignore[arg-type]
        (lambda: WhatsApp(text="a", media_url="x.org"), "media_url is not an http(s) address"),
        (lambda: Mail(subject=" ", text="a"), "subject is empty"),
        (lambda: Mail(subject="a\r\nBcc: x@y.org", text="a"), "subject holds control characters"),
        (
            lambda: Mail(subject=HALF_PAIR, text="a"),
            "subject holds half of a surrogate pair, which is no character",
        ),
        (lambda: Mail(subject="a"), "text or html is empty"),
        (lambda: Mail(subject="a", text=" ", html=" "), "text or html is empty"),
        (lambda: Mail(subject="a", text=None, html="b"), "text is NoneType, not str"),  # type: ignore[arg-type]
        (lambda: Mail(subject="a", text="b", html=b"c"), "html is bytes, not str"),  # type: ignore[arg-type]
        (lambda: Call(), "a call needs either text or audio"),
        (lambda: Call(text=" "), "a call needs either text or audio"),
        (lambda: Call(text="a", audio=FILE), "a call needs either text or audio"),
        (lambda: Call(text=None), "text is NoneType, not str"),  # type: ignore[arg-type]
        (lambda: Call(text="a", voice="m\n"), "voice holds control characters"),
        (lambda: Call(text="a", attempts=0), "attempts must be at least 1"),
        (lambda: Call(text="a", attempts="3"), "attempts is str; use a whole number"),  # type: ignore[arg-type]
        (lambda: Call(text="a", answer_within=20), "answer_within is int; use a timedelta"),  # type: ignore[arg-type]
        (
            lambda: Call(text="a", retry_pause=timedelta(0)),
            "retry_pause must be longer than zero",
        ),
        (lambda: Mms(attachments=FILE), "an MMS needs a subject or a text"),
        (lambda: Mms(text="a\x00"), "text holds a NUL character"),
        (lambda: Mms(subject="a\nb"), "subject holds control characters"),
        (lambda: WapPush(url="x.org", title="a"), "url is not an http(s) address"),
        (lambda: WapPush(url="https://x.org", title=""), "title is empty"),
        (lambda: WapPush(url="https://x.org", title="a\tb"), "title holds control characters"),
        (lambda: Binary(data=b""), "data must be bytes, and not empty"),
        (lambda: Binary(data="00"), "data must be bytes, and not empty"),  # type: ignore[arg-type]
        (lambda: Binary(data=b"a", pid=256), "pid is 256; it is one byte, 0 to 255"),
        (lambda: Binary(data=b"a", dcs=-1), "dcs is -1; it is one byte, 0 to 255"),
        (lambda: Binary(data=b"a", dcs="4"), "dcs is str; use a whole number"),  # type: ignore[arg-type]
        (lambda: Binary(data=b"a", form="hex"), "form is 'hex'; use notify_core.BinaryForm"),  # type: ignore[arg-type]
        (
            lambda: Binary.from_hex("0Z"),
            "not hexadecimal: non-hexadecimal number found in fromhex() arg at position 1",
        ),
        # Contacts.
        (lambda: Contact(), "a Contact needs at least one address"),
        (lambda: Contact(phone=79991234567), "the phone number is int, not str"),  # type: ignore[arg-type]
        (
            lambda: Contact(email="ann"),
            "'…' cannot be an email address; write it as name@example.org",
        ),
        (
            lambda: Contact(email="ann@example.org\nBcc: x"),
            "'a…@example.org\\nBcc: x' cannot be an email address; write it as name@example.org",
        ),
        (
            lambda: Contact(email="ann@example.org,bob@example.org"),
            "'a…@example.org' cannot be an email address; write it as name@example.org",
        ),
        (
            lambda: Contact(email="Ann <ann@example.org>"),
            "'A…@example.org>' cannot be an email address; write it as name@example.org",
        ),
        (
            lambda: Contact(email="ann@example.org\x7f"),
            "'a…@example.org\\x7f' cannot be an email address; write it as name@example.org",
        ),
        (
            lambda: Contact(telegram="annette"),
            "'ann…te' cannot be a telegram address; write it as @username or #id",
        ),
        (
            lambda: Contact(telegram="#12a"),
            "'…' cannot be a telegram address; write it as @username or #id",
        ),
        (
            lambda: Contact(other={"pager": ""}),
            "'…' cannot be a pager address; write it on one line",
        ),
        (
            lambda: Contact(other={"pager": "12345678\n"}),
            "'123…8\\n' cannot be a pager address; write it on one line",
        ),
        (lambda: Contact(other={"pager": 5}), "the pager address is int, not str"),  # type: ignore[dict-item]
        (lambda: Contact(other={"pager": None}), "the pager address is None; leave it out"),  # type: ignore[dict-item]
        (lambda: Contact(other={"phone": PHONE}), "other holds a phone number; write phone=…"),
        (
            lambda: Contact(other="pager"),  # type: ignore[arg-type]
            "other maps a kind of address to the address: {'pager': '1234'}",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_so_many_words(
    make: Callable[[], object], sentence: str
) -> None:
    with pytest.raises(MessageError, match=f"^{re.escape(sentence)}$"):
        make()


def sms(**values: Any) -> Sms:
    return Sms(**({"to": PHONE, "text": "hello"} | values))


@pytest.mark.parametrize(
    "make",
    [
        lambda: sms(to="G12"),
        lambda: sms(to=5),
        lambda: Contact(),
        lambda: Contact(other={"pager": ""}),
    ],
)
def test_a_bad_address_is_a_recipient_error(make: Callable[[], object]) -> None:
    with pytest.raises(RecipientError):
        make()


@pytest.mark.parametrize("field", ["attachments", "audio"])
def test_what_is_no_file_is_an_attachment_error(field: str) -> None:
    kind, rest = (Mail, {"subject": "a", "text": "b"}) if field == "attachments" else (Call, {})

    with pytest.raises(AttachmentError, match="give an Attachment, a path, or a list of them"):
        kind(**rest, **{field: 5})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "number", ["+79991234567", "8 (999) 123-45-67", "112", "0049.30/12 34", "79991234567"]
)
def test_a_phone_is_kept_as_it_was_given(number: str) -> None:
    assert Contact(phone=number).address("phone") == number


@pytest.mark.parametrize("text", ["привет", "👋", "a\nb\tc", "line\r\nline", "\N{NO-BREAK SPACE}x"])
def test_a_text_may_hold_any_characters_and_lines(text: str) -> None:
    assert Sms(to=PHONE, text=text).body == text


@pytest.mark.parametrize(
    ("kind", "address", "contact"),
    [
        (Sms, PHONE, Contact(phone=PHONE)),
        (Social, PHONE, Contact(phone=PHONE)),
        (Mail, "ann@example.org", Contact(email="ann@example.org")),
        (Telegram, "@annette", Contact(telegram="@annette")),
        (Telegram, "#123456", Contact(telegram="#123456")),
        (Telegram, PHONE, Contact(phone=PHONE)),
        (Sticker, "@annette", Contact(telegram="@annette")),
        (Page, "4711", Contact(other={"pager": "4711"})),
    ],
)
def test_a_bare_address_is_read_as_its_channel_understands_it(
    kind: type[Message], address: str, contact: Contact
) -> None:
    assert kind.contact_for(address) == contact


@pytest.mark.parametrize(
    ("kind", "address"),
    [(Mail, PHONE), (Sms, "ann@example.org"), (Sms, "@annette"), (Telegram, "@a"), (Page, " ")],
)
def test_a_bare_address_of_another_kind_is_refused(kind: type[Message], address: str) -> None:
    with pytest.raises(RecipientError):
        kind.contact_for(address)


@pytest.mark.parametrize(
    ("to", "count"),
    [
        (PHONE, 1),
        (Contact(phone=PHONE), 1),
        ([PHONE, Contact(phone="+79990000001")], 2),
        ((number for number in (PHONE, PHONE, PHONE)), 3),
        ([], 0),
    ],
)
def test_recipients_are_one_or_many_in_the_order_given(to: Any, count: int) -> None:
    message = sms(to=to)

    assert len(message.to) == len(message.contacts()) == count


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("phone", PHONE),
        ("email", "ann@example.org"),
        ("telegram", "@annette"),
        ("pager", "4711"),
        ("fax", None),
    ],
)
def test_a_contact_tells_its_address_of_a_kind(kind: str, address: str | None) -> None:
    contact = Contact(
        phone=PHONE, email="ann@example.org", telegram="@annette", other={"pager": "4711"}
    )

    assert contact.address(kind) == address


@pytest.mark.parametrize("show", [repr, str, "{}".format], ids=["repr", "str", "format"])
def test_a_contact_shows_masked_addresses_only(show: Callable[[object], str]) -> None:
    contact = Contact(
        phone=PHONE, email="annette@example.org", telegram="@annette_b", other={"pager": "471147"}
    )

    shown = show(contact)

    assert shown.removeprefix("Contact(").removesuffix(")") == ("+79…67, a…@example.org, @an…_b, …")


def test_a_contact_cannot_be_changed() -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Contact(phone=PHONE).phone = "+1"  # type: ignore[misc]


def test_a_contact_is_equal_by_its_addresses_and_can_be_a_key() -> None:
    first = Contact(phone=PHONE, other={"pager": "4711"})

    assert {first: "Ann"}[Contact(phone=PHONE, other={"pager": "4711"})] == "Ann"


def test_two_equal_messages_are_two_messages() -> None:
    assert sms() != sms()


@pytest.mark.parametrize("given_as", [("otp", "login"), ["otp", "login"], {"otp", "login"}])
def test_tags_are_one_or_many_without_order(given_as: Any) -> None:
    assert sms(tags=given_as).tags == {"otp", "login"}


def test_a_single_tag_is_not_taken_apart() -> None:
    assert sms(tags="otp").tags == {"otp"}


def test_alternatives_are_one_or_many_messages_of_other_channels() -> None:
    spoken = Call(text="hello")

    assert sms(alternatives=spoken).alternatives == sms(alternatives=[spoken]).alternatives


def test_priorities_are_ordered() -> None:
    assert Priority.LOW < Priority.NORMAL < Priority.HIGH < Priority.CRITICAL


def test_an_aware_time_of_any_zone_is_kept() -> None:
    assert sms(send_at=AWARE).send_at == AWARE


def test_every_message_gets_an_id_of_its_own() -> None:
    ids = {sms().id for _ in range(1000)}

    assert len(ids) == 1000


@pytest.mark.parametrize("id_", [sms().id, "x" * 33, "order_7.A-1"])
def test_an_id_fits_what_providers_take_together_with_the_longest_suffix(id_: str) -> None:
    message = sms(id=id_)

    assert re.fullmatch(r"[A-Za-z0-9._-]{1,40}", f"{message.id}-9999-9")


@pytest.mark.parametrize(
    ("message", "body"),
    [
        (Sms(text="a"), "a"),
        (Telegram(text="a"), "a"),
        (Call(text="a"), None),
        (Mail(subject="a", text="b"), None),
        (Hlr(), None),
        (Page(tone=1), None),
    ],
)
def test_only_texts_to_be_read_on_a_screen_have_a_body(message: Message, body: str | None) -> None:
    assert message.body == body


@pytest.mark.parametrize(
    ("message", "files"),
    [
        (Sms(text="a"), ()),
        (Viber(text="a", image=FILE), (FILE,)),
        (Viber(text="a", image="https://x.org/a.png"), ()),
        (Mail(subject="a", text="b", attachments=[FILE, FILE]), (FILE, FILE)),
        (Mms(text="b", attachments=FILE), (FILE,)),
        (Call(audio=FILE), (FILE,)),
    ],
)
def test_a_message_tells_which_files_travel_with_it(
    message: Message, files: tuple[Attachment, ...]
) -> None:
    assert message.files == files


def test_binary_data_may_be_written_as_hexadecimal_digits_with_blanks() -> None:
    message = Binary.from_hex("06 05 04", to=PHONE, pid=0, dcs=255)

    assert (message.data, message.form, message.dcs) == (b"\x06\x05\x04", BinaryForm.HEX, 255)


def test_a_message_type_of_somebody_else_checks_what_it_adds() -> None:
    with pytest.raises(MessageError, match=r"^tone is 1 to 9$"):
        Page(to="4711", tone=10)


def test_a_message_type_of_somebody_else_checks_what_every_message_has() -> None:
    with pytest.raises(MessageError, match=r"^valid_for must be longer than zero$"):
        Page(to="4711", tone=1, valid_for=timedelta(0))


def test_a_message_type_of_somebody_else_hides_its_address() -> None:
    message = Page(to="4711", tone=1)

    assert repr(message) == f"<Page {message.id} to 1>"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (PHONE, "+79…67"),
        ("annette@example.org", "a…@example.org"),
        ("a@b", "a…@b"),
        ("@annette", "@an…te"),
        ("123456", "…"),
        ("", "…"),
    ],
)
def test_an_address_is_masked(address: str, shown: str) -> None:
    assert mask(address) == shown


@given(st.text(alphabet="0123456789+-() abcdef", max_size=30))
def test_a_mask_shows_the_first_three_and_last_two_characters_at_most(address: str) -> None:
    shown = mask(address)

    assert shown in ("…", f"{address[:3]}…{address[-2:]}")


@given(st.text(alphabet="0123456789+", max_size=6))
def test_a_mask_shows_nothing_of_a_short_address(address: str) -> None:
    assert mask(address) == "…"


@given(st.text(min_size=1), st.text().filter(lambda domain: "@" not in domain))
def test_a_mask_of_an_email_address_shows_the_first_letter_and_the_domain(
    local: str, domain: str
) -> None:
    assert mask(f"{local}@{domain}") == f"{local[0]}…@{domain}"


@given(st.text().filter(lambda text: not any(character in "0123456789" for character in text)))
def test_a_refused_address_is_shown_only_masked(text: str) -> None:
    with pytest.raises(RecipientError) as refusal:
        Contact(phone=text)

    assert str(refusal.value) == (
        f"{mask(text)!r} cannot be a phone number; write it as +79991234567"
    )
