"""A message on another channel: its alternative, a declared crossing, or an error."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from notify_core.adaptation import Adapted, adapt, alternative_for, can_adapt
from notify_core.attachment import Attachment
from notify_core.contact import Contact
from notify_core.errors import AdaptationError
from notify_core.message import (
    MESSAGE_TYPES,
    Binary,
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
FILE = Attachment("a.bin", b"a")

TEXTS: dict[type[Message], dict[str, Any]] = {
    kind: {"text": "hello"} for kind in (Sms, Flash, Viber, Telegram, WhatsApp, Social, Call)
}
OTHERS: dict[type[Message], dict[str, Any]] = {
    Mail: {"subject": "hello", "text": "hello"},
    Mms: {"text": "hello"},
    WapPush: {"url": "https://x.org", "title": "hello"},
    Hlr: {},
    Binary: {"data": b"a"},
    Ping: {},
}
EXAMPLES = TEXTS | OTHERS

CROSSINGS = [(source, target) for source in TEXTS for target in TEXTS if source is not target]
CLOSED = [
    (source, target)
    for source in EXAMPLES
    for target in EXAMPLES
    if source is not target and (source in OTHERS or target in OTHERS)
]


def name(kind: object) -> str:
    return kind.__name__ if isinstance(kind, type) else repr(kind)


def message_of(kind: type[Message], **more: Any) -> Message:
    return kind(**(EXAMPLES[kind] | more))


def text_of(message: Message) -> object:
    return getattr(message, "text", None)


def test_every_message_type_of_the_core_is_in_these_tables() -> None:
    assert set(MESSAGE_TYPES) == set(EXAMPLES)


@pytest.mark.parametrize(("source", "target"), CROSSINGS, ids=name)
def test_text_goes_to_text_with_nothing_lost(source: type[Message], target: type[Message]) -> None:
    adapted = adapt(message_of(source), target)

    assert (type(adapted.message), text_of(adapted.message), adapted.note) == (
        target,
        "hello",
        None,
    )


@pytest.mark.parametrize(("source", "target"), CLOSED, ids=name)
def test_every_other_crossing_is_refused(source: type[Message], target: type[Message]) -> None:
    with pytest.raises(AdaptationError) as refusal:
        adapt(message_of(source), target)

    assert str(refusal.value) == (
        f"a {source.channel} message cannot become {target.channel}: "
        f"no crossing from {source.channel} is declared; "
        f"give it an alternative of type {target.__name__}"
    )


@pytest.mark.parametrize("kind", EXAMPLES, ids=name)
def test_a_message_that_is_right_already_stays_the_same_object(kind: type[Message]) -> None:
    message = message_of(kind)

    assert adapt(message, kind) == Adapted(message)


@pytest.mark.parametrize(
    ("source", "target", "declared"),
    [
        *((*pair, True) for pair in CROSSINGS),
        *((*pair, False) for pair in CLOSED),
        (Mail, Mail, True),
    ],
    ids=name,
)
def test_a_crossing_can_be_asked_for_without_a_message(
    source: type[Message], target: type[Message], declared: bool
) -> None:
    assert can_adapt(source, target) is declared


@pytest.mark.parametrize(
    ("message", "note"),
    [
        (
            Viber(text="hello", image="https://x.org/a.png"),
            "adapted from viber to sms: the picture is dropped",
        ),
        (Viber(text="hello", image=FILE), "adapted from viber to sms: the picture is dropped"),
        (
            WhatsApp(text="hello", media_url="https://x.org/a.png"),
            "adapted from whatsapp to sms: the picture is dropped",
        ),
    ],
)
def test_a_picture_is_dropped_with_a_note(message: Message, note: str) -> None:
    adapted = adapt(message, Sms)

    assert (text_of(adapted.message), adapted.note) == ("hello", note)


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (
            Viber(text="hello", button=Button(caption="Pay", url="https://x.org")),
            "the button would be lost",
        ),
        (Call(audio=FILE), "a recording has no text"),
        (Call(text="  ", audio=FILE), "a recording has no text"),
    ],
)
def test_a_loss_of_meaning_is_refused(message: Message, why: str) -> None:
    with pytest.raises(AdaptationError) as refusal:
        adapt(message, Sms)

    assert str(refusal.value) == (
        f"a {message.channel} message cannot become sms: {why}; give it an alternative of type Sms"
    )


def test_a_refusal_does_not_quote_the_text() -> None:
    with pytest.raises(AdaptationError) as refusal:
        adapt(Mail(subject="canary", text="canary"), Sms)

    assert "canary" not in str(refusal.value)


COMMON: dict[str, Any] = {
    "to": (Contact(phone=PHONE),),
    "sender": "Shop",
    "tags": frozenset({"otp"}),
    "priority": Priority.HIGH,
    "send_at": datetime(2030, 1, 1, tzinfo=UTC),
    "valid_for": timedelta(hours=1),
    "key": "order-7",
    "extra": {"smsc": {"tinyurl": 1}},
    "id": "m-1",
}


@pytest.mark.parametrize("field", COMMON)
def test_an_adapted_message_keeps_what_every_message_has(field: str) -> None:
    adapted = adapt(Sms(text="hello", **COMMON), Call)

    assert getattr(adapted.message, field) == COMMON[field]


def test_an_adapted_message_has_no_alternatives() -> None:
    message = Viber(text="hello", alternatives=[Mail(subject="hello", text="hello")])

    assert adapt(message, Sms).message.alternatives == ()


def test_an_alternative_wins_over_a_crossing() -> None:
    message = Sms(text="short", alternatives=[Telegram(text="long and kind")])

    assert text_of(adapt(message, Telegram).message) == "long and kind"


def test_an_alternative_makes_a_closed_crossing_possible() -> None:
    message = Mail(subject="hello", text="long", to="a@b.org", alternatives=[Sms(text="short")])

    assert text_of(adapt(message, Sms).message) == "short"


def test_an_alternative_saves_what_a_crossing_would_lose() -> None:
    button = Button(caption="Pay", url="https://x.org")
    message = Viber(text="hello", button=button, alternatives=[Sms(text="https://x.org")])

    assert adapt(message, Sms).note is None


@pytest.mark.parametrize(
    "field", ["to", "id", "key", "priority", "tags", "send_at", "valid_for", "extra"]
)
def test_an_alternative_goes_out_as_its_message_does(field: str) -> None:
    message = Sms(text="hello", alternatives=[Call(text="hello")], **COMMON)

    alternative = alternative_for(message, Call)

    assert getattr(alternative, field) == COMMON[field]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sender", "Robot"),
        ("tags", frozenset({"voice"})),
        ("send_at", datetime(2031, 1, 1, tzinfo=UTC)),
        ("valid_for", timedelta(minutes=5)),
        ("extra", {"smsc": {"param": "10,20"}}),
    ],
)
def test_an_alternative_keeps_what_it_has_of_its_own(field: str, value: object) -> None:
    own: dict[str, Any] = {field: value}
    message = Sms(text="hello", alternatives=[Call(text="hello", **own)], **COMMON)

    alternative = alternative_for(message, Call)

    assert getattr(alternative, field) == value


def test_an_alternative_does_not_take_the_sender_of_another_channel() -> None:
    message = Sms(text="hello", sender="Shop", alternatives=[Call(text="hello")])

    alternative = alternative_for(message, Call)

    assert (alternative and alternative.sender) is None


def test_a_message_without_the_alternative_has_none() -> None:
    assert alternative_for(Sms(text="hello"), Call) is None
