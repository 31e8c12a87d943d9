"""What ``notify config lint`` looks for in the settings of an account; see ``docs/lint.md``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import accumulate
from typing import cast

from notify_core.config.lint import ProviderPlace, Rule, Severity, Sheet
from notify_core.errors import Problem
from notify_smsc.config import (
    MOST_QUERIES_A_MINUTE,
    SmscConfig,
    Transport,
    is_loopback,
    most_within_a_minute,
)

_BRIEF = timedelta(seconds=30)
"""The gateway has mostly filed a message after a few seconds; nobody says after how many at most.
The default asks for 52 seconds."""


def _accounts(sheet: Sheet) -> Iterator[tuple[ProviderPlace, SmscConfig]]:
    for place in sheet.providers_of("smsc"):
        yield place, cast(SmscConfig, place.settings)


def _plain_http(sheet: Sheet) -> Iterator[Problem]:
    for place, config in _accounts(sheet):
        if not config.https and not all(is_loopback(host) for host in config.hosts):
            yield place.place("https").problem(
                "the password and every text travel in the clear; leave https on"
            )


def _clear_letters(sheet: Sheet) -> Iterator[Problem]:
    for place, config in _accounts(sheet):
        by_letter = config.transport is Transport.SMTP
        if by_letter and not config.smtp.starttls and not is_loopback(config.smtp_host):
            yield place.place("smtp.starttls").problem(
                "each letter holds the password and travels in the clear; leave starttls on"
            )


def _test_mode(sheet: Sheet) -> Iterator[Problem]:
    for place, config in _accounts(sheet):
        if config.transport is Transport.SMTP and config.smtp.test:
            yield place.place("smtp.test").problem(
                "the gateway checks letters and sends nothing, and they count as accepted"
            )


def _no_telegram_bot(sheet: Sheet) -> Iterator[Problem]:
    """Yield the legs that make Telegram of other messages, which cannot name a bot themselves."""
    accounts = {place.name: config for place, config in _accounts(sheet)}
    for leg in sheet.legs:
        becomes = leg.leg.channel == "telegram" and leg.sources != ("telegram",)
        for name, place in leg.providers() if becomes and not leg.leg.needs_alternative else ():
            if name in accounts and not accounts[name].telegram_bot:
                yield place.problem(
                    "without telegram_bot it carries a code of digits by Telegram and nothing "
                    "else; set telegram_bot for this account"
                )


def _crc32(sheet: Sheet) -> Iterator[Problem]:
    for place, config in _accounts(sheet):
        if config.callback.allow_crc32:
            yield place.place("callback.allow_crc32").problem(
                "a crc32 can be made to fit without the secret, so anybody can forge a call; "
                "choose md5 or sha1 at the gateway"
            )


def _unsigned_callbacks(sheet: Sheet) -> Iterator[Problem]:
    for place in _called_without_secret(sheet):
        yield place.place("callback.secrets").problem(
            "calls are taken in, and without callback.secrets none of them is believed: anybody "
            "can make one, and each is but a hint to ask"
        )


def _called_without_secret(sheet: Sheet) -> Iterator[ProviderPlace]:
    """Yield the accounts whose networks are named or, if none is, the first one for all.

    An account has one address for calls, so of several providers one with secrets is enough.
    """
    if sheet.root.get("callbacks") is None:
        return
    accounts = list(_accounts(sheet))
    named = [each for each in accounts if each[0].name in sheet.config.callbacks.networks]
    if not named and not any(config.callback.secrets for _, config in accounts):
        named = accounts[:1]
    yield from (place for place, config in named if not config.callback.secrets)


def _brief_questions(sheet: Sheet) -> Iterator[Problem]:
    for place, config in _accounts(sheet):
        asked = sum(config.ask_after, timedelta(0))
        if config.ask_after and asked < _BRIEF and sheet.config.retry.rounds > 1:
            yield place.place("ask_after").problem(
                f"a message that the gateway has not filed after {asked.total_seconds():g}s is "
                "taken for absent and sent again, and the same request within a minute is refused "
                "(error 9); ask for 30s or longer"
            )


def _many_questions(sheet: Sheet) -> Iterator[Problem]:
    """Yield the schedules that can go beyond the limit once a lost answer was found out.

    Only those that somebody has written: the default is not for operators to mend.
    """
    for place, config in _accounts(sheet):
        written, most = place.node.get("ask_after"), _most_questions(place, config)
        if written is not None and most > MOST_QUERIES_A_MINUTE:
            yield written.problem(
                f"with the questions for the status that follow there can be {most} about one "
                f"message within a minute; the gateway answers {MOST_QUERIES_A_MINUTE}"
            )


def _most_questions(place: ProviderPlace, config: SmscConfig) -> int:
    """Count, for each question that may bring the answer, those before it and those after."""
    found = list(accumulate(config.ask_after_s))
    schedules = [
        [*found[: number + 1], *(moment + after for after in _polls(place))]
        for number, moment in enumerate(found)
    ]
    return max((most_within_a_minute(each) for each in schedules), default=0)


def _polls(place: ProviderPlace) -> Sequence[float]:
    return list(accumulate(place.capabilities.poll_after_s))


RULES = (
    Rule(name="smsc-plain-http", severity=Severity.WARNING, find=_plain_http),
    Rule(name="smsc-clear-letters", severity=Severity.WARNING, find=_clear_letters),
    Rule(name="smsc-test-mode", severity=Severity.WARNING, find=_test_mode),
    Rule(name="smsc-no-telegram-bot", severity=Severity.WARNING, find=_no_telegram_bot),
    Rule(name="smsc-crc32", severity=Severity.WARNING, find=_crc32),
    Rule(name="smsc-unsigned-callbacks", severity=Severity.WARNING, find=_unsigned_callbacks),
    Rule(name="smsc-brief-questions", severity=Severity.WARNING, find=_brief_questions),
    Rule(name="smsc-many-questions", severity=Severity.ADVICE, find=_many_questions),
)
