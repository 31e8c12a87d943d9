"""Routes and messages at random, of so few values that they often meet."""

from __future__ import annotations

from datetime import time, timedelta
from random import Random
from typing import Any, TypeVar

from notify_core.config.model import LegConfig, Mode, Quiet, Route, Until, Via, When
from notify_core.contact import Contact
from notify_core.message import Call, Mail, Message, Priority, Sms, Viber

T = TypeVar("T")

CHANNELS = ("sms", "viber", "call", "mail")
TAGS = ("otp", "promo", "login", "alarm")
COUNTRIES = ("RU", "KZ", "DE", "US")
NUMBERS = ("+79991234567", "+77011234567", "+4915112345678", "+12025550123", "+79161234567")
PREFIXES = ("+7", "+7999", "+7999123", "+49", "+1202555", "+7701")
DOMAINS = ("example.org", "example.com")
SENDERS = ("Shop", "Bank")
PROVIDERS = ("a", "b", "c")


def some(random: Random, values: tuple[T, ...]) -> tuple[T, ...]:
    """Choose nothing most of the time, and otherwise one value or a few."""
    if random.random() < 0.65:
        return ()
    return tuple(random.sample(values, random.randint(1, min(3, len(values)))))


def when(random: Random) -> When:
    return When(
        channel=some(random, CHANNELS),
        tags=some(random, TAGS),
        priority=some(random, tuple(Priority)),
        country=some(random, COUNTRIES),
        number_prefix=some(random, PREFIXES),
        recipient_domain=some(random, DOMAINS),
        sender=some(random, SENDERS),
    )


def routes(random: Random, count: int) -> tuple[Route, ...]:
    """Make routes with conditions, and a last one that has none."""
    conditional = [_route(random, f"route-{number}", when(random)) for number in range(count)]
    return (*conditional, _route(random, "default", When()))


def message(random: Random) -> Message:
    number, domain = random.choice(NUMBERS), random.choice(DOMAINS)
    kind: type[Message] = random.choice([Sms, Sms, Viber, Call, Mail])
    both = Contact(phone=number, email=f"ann@{domain}")
    either = f"ann@{domain}" if kind is Mail else number
    values: dict[str, Any] = {
        "to": both if random.random() < 0.4 else either,
        "tags": random.sample(TAGS, random.randint(0, 2)),
        "priority": random.choice(tuple(Priority)),
        "sender": None if kind is Call else random.choice((None, *SENDERS)),
        "text": "hello" * random.randint(1, 60),
    }
    if kind is Mail:
        values["subject"] = "s"
    return kind(**values)


def _route(random: Random, name: str, condition: When) -> Route:
    mode = random.choice([Mode.FIRST_OF, Mode.FIRST_OF, Mode.ALL_OF])
    legs = tuple(_leg(random, mode) for _ in range(random.randint(1, 3)))
    quiet = Quiet(from_=time(21), to=time(9)) if random.random() < 0.2 else None
    return Route(name=name, when=condition, legs=legs, mode=mode, quiet=quiet)


def _leg(random: Random, mode: Mode) -> LegConfig:
    providers = tuple(random.sample(PROVIDERS, random.randint(1, 3)))
    weights = tuple(random.randint(1, 9) for _ in providers) if random.random() < 0.3 else ()
    waits = mode is Mode.FIRST_OF and random.random() < 0.3
    return LegConfig(
        via=Via(providers=providers, weights=weights),
        channel=random.choice((None, None, "sms", "viber")),
        until=Until.DELIVERED if waits else Until.ACCEPTED,
        within=timedelta(minutes=2) if waits else None,
        needs_alternative=random.random() < 0.1,
    )
