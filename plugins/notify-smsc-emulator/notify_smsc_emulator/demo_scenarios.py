"""What ``notify demo`` sends, what it breaks on the way, and what must come out."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from notify_core import (
    Attachment,
    Binary,
    BinaryForm,
    Button,
    Call,
    Contact,
    Delivery,
    Flash,
    Hlr,
    Mail,
    Message,
    Mms,
    Ping,
    Sms,
    Social,
    State,
    Telegram,
    Unknown,
    Viber,
    WapPush,
    WhatsApp,
)

from .faults import Fault, FaultKind
from .model import CaughtMessage, Script

_NOTE = Attachment("note.txt", "Приложение\n".encode())
_PICTURE = Attachment("dot.gif", bytes.fromhex("47494638396101000100800000ffffff0000002c00"))


@frozen(kw_only=True)
class Scenario:
    """One message, the faults it meets, and how it must end.

    ``state`` None: nobody can be asked. ``caught`` is how many messages the recipient may get, and
    ``resolved`` says that the answer must be lost and the truth be found by asking.
    """

    title: str
    message: Message
    route: str = "default"
    channel: str | None = None
    provider: str | None = "smsc"
    outcome: str = "accepted"
    state: State | None = State.DELIVERED
    caught: int = 1
    attempts: int = 1
    resolved: bool = False
    faults: tuple[Fault, ...] = ()


@frozen
class Ending:
    """How a scenario ended: the delivery with its status, and what reached the recipient."""

    scenario: Scenario
    delivery: Delivery
    caught: int

    @property
    def surprises(self) -> list[str]:
        """What is not as it must be, in words; empty when all is well."""
        expected, delivery = self.scenario, self.delivery
        status = delivery.status
        compared = {
            "route": (expected.route, delivery.route),
            "channel": (expected.channel or expected.message.channel, delivery.channel),
            "provider": (expected.provider, delivery.provider),
            "outcome": (expected.outcome, outcome_word(delivery)),
            "state": (expected.state, status.state if status else None),
            "caught": (expected.caught, self.caught),
            "attempts": (expected.attempts, len(delivery.attempts)),
            "resolved": (expected.resolved, was_resolved(delivery)),
        }
        if expected.outcome != "accepted":
            del compared["channel"]
        return [
            f"{fact}: {is_} instead of {wanted}"
            for fact, (wanted, is_) in compared.items()
            if wanted != is_
        ]


def outcome_word(delivery: Delivery) -> str:
    """Return the outcome as one word."""
    return {"NotSent": "not sent"}.get(
        type(delivery.outcome).__name__, type(delivery.outcome).__name__.lower()
    )


def was_resolved(delivery: Delivery) -> bool:
    """Tell whether an answer was lost and the provider, when asked, knew what had become of it."""
    return any(
        isinstance(attempt.answer, Unknown) and attempt.resolved is not None
        for attempt in delivery.attempts
    )


def count_caught(delivery: Delivery, messages: Sequence[CaughtMessage]) -> int:
    """Count what reached the recipient; refused messages were given an id but reached nobody."""
    to = delivery.recipient
    addresses = {str(to.phone).lstrip("+"), to.email, to.telegram}
    return sum(message.phone in addresses and message.error is None for message in messages)


def _phone(number: int) -> str:
    return f"+799901001{number:02}"


def scenarios() -> tuple[Scenario, ...]:
    """Return all of them, each with a recipient of its own."""
    return (*_channels(), *_letters(), *_fallbacks(), *_lost())


def _channels() -> tuple[Scenario, ...]:
    bot = "@demo_bot"
    picture, button = "https://example.org/a.png", Button(caption="Open", url="https://example.org")
    return (
        Scenario(title="SMS", message=Sms(to=_phone(1), text="Ваш заказ собран")),
        Scenario(title="flash SMS", message=Flash(to=_phone(2), text="Gate 7 is closing")),
        Scenario(
            title="Viber with picture and button",
            message=Viber(to=_phone(3), text="New in", image=picture, button=button),
        ),
        Scenario(title="Telegram code", message=Telegram(to=_phone(4), text="4711")),
        Scenario(title="Telegram by a bot", message=Telegram(to=_phone(5), text="Hello", bot=bot)),
        Scenario(title="WhatsApp", message=WhatsApp(to=_phone(6), text="Your parcel is here")),
        Scenario(
            title="mail with a file",
            message=Mail(
                to="reader@example.org", subject="Счёт", text="См. файл", attachments=_NOTE
            ),
        ),
        Scenario(title="voice call", message=Call(to=_phone(7), text="Ваш код 1 2 3", voice="w")),
        Scenario(
            title="MMS with a picture",
            message=Mms(to=_phone(8), subject="Photo", text="Look", attachments=_PICTURE),
        ),
        Scenario(
            title="WAP push",
            message=WapPush(to=_phone(9), url="https://example.org/app", title="Get it"),
        ),
        Scenario(title="HLR query", message=Hlr(to=_phone(10))),
        Scenario(
            title="binary, as bytes",
            message=Binary(to=_phone(11), data=b"\x06\x05\x04\x0b\x84\xff", form=BinaryForm.BYTES),
        ),
        Scenario(title="binary, as hex", message=Binary.from_hex("0605040b8423f0", to=_phone(12))),
        Scenario(title="ping", message=Ping(to=_phone(13))),
        Scenario(title="social network", message=Social(to=_phone(14), text="Hello")),
    )


def _letters() -> tuple[Scenario, ...]:
    by_mail = "by-mail"
    messages = {
        "SMS by letter": Sms(to=_phone(21), text="По почте", tags=by_mail),
        "flash by letter": Flash(to=_phone(22), text="By mail", tags=by_mail),
        "call by letter": Call(to=_phone(23), text="By mail", tags=by_mail),
        "mail by letter": Mail(
            to="subscriber@example.org",
            subject="A letter has no field for it",
            text="By mail",
            tags=by_mail,
            extra={"smsc": {"allow": ["no_subject"]}},
        ),
    }
    return tuple(
        Scenario(title=title, message=message, route="letters", provider="smsc-by-mail")
        for title, message in messages.items()
    )


def _fallbacks() -> tuple[Scenario, ...]:
    return (
        Scenario(
            title="first provider out of reach: the second",
            message=Sms(to=_phone(31), text="One of two", tags="failover"),
            route="two-providers",
            provider="backup",
            attempts=2,
        ),
        Scenario(
            title="no such Telegram account: the next channel",
            # The emulator refuses this nickname: error 8, it cannot be delivered.
            message=Telegram(
                to=Contact(telegram="@error_8", phone=_phone(32)), text="4712", tags="otp"
            ),
            route="one-time-code",
            channel="sms",
            attempts=2,
        ),
        Scenario(
            title="dry run",
            message=Sms(to=_phone(33), text="Printed only", tags="dry-run"),
            route="dry-run",
            provider="console",
            state=None,
            caught=0,
        ),
    )


def _lost() -> tuple[Scenario, ...]:
    return (
        Scenario(
            title="answer lost: asked, found, not sent again",
            message=Sms(to=_phone(41), text="Once only"),
            faults=(Fault(kind=FaultKind.DROP, script=Script.SEND),),
            resolved=True,
        ),
        Scenario(
            title="request lost: asked, certainly absent, sent again",
            message=Sms(to=_phone(42), text="Second try"),
            faults=(Fault(kind=FaultKind.DROP, script=Script.SEND, registered=False),),
            resolved=True,
            attempts=2,
        ),
        Scenario(
            title="answers lost for good: held, never sent again",
            message=Sms(to=_phone(43), text="Held"),
            faults=(
                Fault(kind=FaultKind.DROP, script=Script.SEND),
                Fault(kind=FaultKind.SERVER_ERROR, script=Script.STATUS, times=2),
            ),
            provider=None,
            outcome="unknown",
            state=None,
        ),
    )
