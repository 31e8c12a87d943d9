"""A plugin for the tests of the command line: providers that answer as their YAML says."""

from __future__ import annotations

import time
from collections.abc import Sequence
from decimal import Decimal

import attrs
import click

from notify_core import (
    Accepted,
    Account,
    Attempt,
    Capabilities,
    Estimate,
    FailureScope,
    Message,
    NotSent,
    Outcome,
    ProviderError,
    ProviderType,
    Receipt,
    RefusalScope,
    Refused,
    State,
    Status,
    Tools,
    Unknown,
    hookimpl,
)


@attrs.frozen(kw_only=True, repr=False, eq=False)
class Page(Message):
    """A message type of a third party, with a kind of address and attributes of its own."""

    channel = "page"
    address_kinds = ("pager",)

    digits: str
    level: int = 1


@attrs.frozen(kw_only=True)
class FakeConfig:
    """``sends`` is the outcome of every send; ``answers`` whether questions are answered.

    ``fussy`` accepts all but what goes to a number that ends in 00. With ``prints`` it writes to
    standard output, as a provider for development does. One that is ``askable`` is asked about an
    unknown outcome. With ``pages`` it also takes addresses that are no numbers. A send takes
    ``takes_s`` seconds.
    """

    sends: str = "accepted"
    answers: bool = True
    prints: bool = False
    askable: bool = False
    pages: bool = True
    takes_s: float = 0.0


class Fake:
    def __init__(self, config: FakeConfig, tools: Tools) -> None:
        self.capabilities = capabilities(config)
        self._config = config
        self._name = tools.name
        if config.sends == "impossible":
            raise FileNotFoundError(2, "No such file", "ca.pem")

    @hookimpl
    def notify_send(self, attempt: Attempt) -> Outcome:
        if self._config.prints:
            print(f"printed by {self._name}")
        time.sleep(self._config.takes_s)
        match self._config.sends:
            case "fussy" if attempt.address.endswith("00"):
                return Refused("no such number", RefusalScope.RECIPIENT, "7")
            case "accepted" | "fussy":
                return Accepted(self._receipt(attempt))
            case "refused":
                return Refused("no such number", RefusalScope.RECIPIENT, "7")
            case "not_sent":
                return NotSent("key is wrong \x1b[31m", FailureScope.ACCOUNT, code="2")
            case "throttled":
                return NotSent("too many at once", FailureScope.THROTTLED, retry_after_s=30.0)
            case "interrupted":
                raise KeyboardInterrupt
            case "quits":
                raise SystemExit(0)
            case _:
                return Unknown("the answer was cut")

    @hookimpl
    def notify_fetch_status(self, receipts: Sequence[Receipt]) -> Sequence[Status]:
        self._refuse_to_answer("status")
        return [
            Status(
                state=State.DELIVERED,
                final=True,
                code="1",
                detail=receipt.provider_id or f"ours: {receipt.own_id}",
                error=receipt.address if self._config.pages is False else None,
            )
            for receipt in receipts
        ]

    @hookimpl
    def notify_estimate(self) -> Estimate:
        self._refuse_to_answer("cost")
        return Estimate(provider=self._name, cost=Decimal("1.20"), parts=1, currency="RUB")

    @hookimpl
    def notify_check(self) -> Account:
        self._refuse_to_answer("account")
        return Account(provider=self._name, balance=Decimal("99.50"), currency="RUB")

    def close(self) -> None:
        """Nothing is open."""

    def _receipt(self, attempt: Attempt) -> Receipt:
        return Receipt(
            provider=self._name,
            address=attempt.address,
            own_id=attempt.own_id,
            provider_id="P-1",
            parts=2,
            cost=Decimal("2.40"),
            balance=Decimal("97.10"),
            currency="RUB",
        )

    def _refuse_to_answer(self, question: str) -> None:
        if not self._config.answers:
            raise ProviderError(self._name, question, Unknown("no answer"))


def capabilities(config: FakeConfig) -> Capabilities:
    return Capabilities(
        channels=frozenset({"sms", "telegram", "mail", "call", "binary"})
        | ({"page"} if config.pages else set()),
        ask_after_s=(0.0,) if config.askable else (),
        own_id=True,
        cost=True,
        balance=True,
        attachments=True,
    )


@click.command()
def hello() -> None:
    """Greet."""
    click.echo("hello from a plugin")


@click.command("send")
def usurper() -> None:
    """Take a name that is taken."""
    click.echo("not the real send")


@hookimpl
def notify_provider_types() -> Sequence[ProviderType]:
    return [
        ProviderType(name="fake", config_class=FakeConfig, capabilities=capabilities, factory=Fake)
    ]


@hookimpl
def notify_message_types() -> Sequence[type[Message]]:
    return [Page]


@hookimpl
def notify_cli_commands() -> Sequence[click.Command]:
    return [hello, usurper]
