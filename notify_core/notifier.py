"""The front door: one object that an application makes once and sends with."""

from __future__ import annotations

import os
import random
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

import attrs

from notify_core.clock import Clock, SystemClock
from notify_core.config.model import Config, Mode, Until
from notify_core.contact import Contact, mask
from notify_core.delivery import Delivery, LegResult, Report
from notify_core.dispatch import Dispatcher
from notify_core.errors import (
    ConfigError,
    MessageError,
    NotifyError,
    Problem,
    RecipientError,
    UnsupportedFeature,
)
from notify_core.health import HealthBoard
from notify_core.message import Message
from notify_core.outcome import (
    Accepted,
    Account,
    Estimate,
    Receipt,
    State,
    Status,
    Unknown,
    advanced,
)
from notify_core.phones import PhoneNumbers
from notify_core.plugins import Plugins
from notify_core.policy.breaker import Health
from notify_core.progress import (
    attempt_began,
    begin,
    outcome_if_found,
    overall,
    receipt_to_ask,
)
from notify_core.provider import Capabilities, Provider
from notify_core.registry import ProviderSpec, Registry
from notify_core.routing import Catalog, Decision, Facts, Plan, Subject, decide


class Notifier:
    """Send messages as a configuration says. Make one per application; it is thread-safe.

    Use it as a context manager or call ``close`` at the end. ``plugins`` defaults to all that
    are installed.
    """

    def __init__(
        self,
        config: Config,
        *,
        plugins: Plugins | None = None,
        clock: Clock | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        _refuse_waiting(config)
        plugins = plugins or _discover(config)
        clock = clock or SystemClock()
        self._routes = config.routes
        self._asks_for_country = any(route.when.country for route in config.routes)
        self._phones = PhoneNumbers(config.default_region)
        self._board = HealthBoard(config.breaker, clock)
        self._clock = clock
        message_types = plugins.message_types()
        self._registry = Registry(plugins, _specs(config, plugins), clock)
        self._catalog = Catalog(message_types, self._registry.capabilities)
        self._dispatcher = Dispatcher(self._registry, self._board, config.retry, clock, chance)

    @classmethod
    def from_file(
        cls,
        path: str | os.PathLike[str],
        *,
        plugins: Plugins | None = None,
        environ: Mapping[str, str] | None = None,
        clock: Clock | None = None,
    ) -> Notifier:
        """Read a YAML configuration.

        Raises ``ConfigError`` with the problems in it, as many as can be told at once.

        ``environ`` is where ``${env:NAME}`` is looked up; it defaults to that of the process.
        """
        # YAML is 15 ms that an application with a Config of its own need not pay.
        from notify_core.config.load import load  # noqa: PLC0415

        plugins = plugins or Plugins.discover()
        config = load(Path(path), plugins, os.environ if environ is None else environ)
        return cls(config, plugins=plugins, clock=clock)

    def send(self, message: Message) -> Report:
        """Send a message to each of its recipients, in this thread, and report what happened.

        Raises ``MessageError`` before anything is sent if the message or one of its recipients
        cannot be sent as it is; nothing that a provider does is raised.
        """
        began = self._clock.monotonic()
        decisions = self.explain(message)
        deliveries: list[Delivery] = []
        try:
            for decision in decisions:
                deliveries.append(self._dispatcher.deliver(decision.plan, began))
        except BaseException as error:  # an interrupt: what has gone must not be forgotten
            error.add_note(_interrupted(message, deliveries, decisions))
            raise
        return Report(message_id=message.id, deliveries=tuple(deliveries))

    def explain(self, message: Message) -> Sequence[Decision]:
        """Return, for each recipient, the routes tried and the plan; nothing is sent.

        ``send`` carries out what this returns. Raises what ``send`` raises.
        """
        if not isinstance(message, Message):
            raise MessageError(f"one message is sent at a time, not {type(message).__name__}")
        if self._registry.closed:
            raise NotifyError("the notifier is closed")
        if not message.to:
            raise RecipientError("the message has no recipient; set `to`")
        if message.key is not None:
            raise UnsupportedFeature("key: no journal can remember it; leave it out")
        subjects = [
            self._subject(message, contact, number)
            for number, contact in enumerate(message.contacts(), start=1)
        ]
        decisions = [decide(self._routes, subject, self._catalog) for subject in subjects]
        _refuse_doubles(decision.plan for decision in decisions)
        return decisions

    def estimate(self, message: Message) -> Sequence[Estimate]:
        """Ask, for each recipient, what the first leg would cost at its first provider.

        Raises ``MessageError`` or ``ProviderError``.
        """
        return [self._estimate(decision.plan) for decision in self.explain(message)]

    def fetch_status(self, delivery: Delivery) -> Delivery:
        """Ask what became of a delivery and return it with what is known now.

        A held delivery is asked about too: if the provider knows the message, the outcome
        follows; *not found* leaves it unknown. Tells ``notify_status_changed`` if a status is
        new. Raises ``ProviderError``.
        """
        legs = tuple(self._with_status(leg) for leg in delivery.legs)
        mode = Mode.ALL_OF if delivery.all_of else Mode.FIRST_OF
        outcome = overall(mode, [leg.outcome for leg in legs])
        updated = attrs.evolve(delivery, legs=legs, outcome=outcome)
        if [leg.status for leg in updated.legs] != [leg.status for leg in delivery.legs]:
            self._registry.tell("notify_status_changed", delivery=updated)
        return updated

    def query_status(self, provider: str, receipts: Sequence[Receipt]) -> Sequence[Status]:
        """Ask a provider what became of messages, in the order of ``receipts``.

        Raises ``ProviderError``, or ``ConfigError`` if there is no provider of that name.
        """
        self._check_known(provider)
        with self._board.question(provider, "status"):
            return self._registry.fetch_status(provider, receipts)

    def check(self, provider: str) -> Account:
        """Ask a provider whether the account works, and for the balance.

        Raises ``ProviderError``, or ``ConfigError`` if there is no provider of that name.
        """
        self._check_known(provider)
        with self._board.question(provider, "account"):
            return self._registry.check(provider)

    @property
    def providers(self) -> Mapping[str, Capabilities]:
        """The configured providers and what they can do, in the order of the configuration."""
        return self._registry.capabilities

    def provider(self, name: str) -> Provider:
        """Return a provider object, for what only its own type offers.

        Raises ``ConfigError`` if there is none of that name.
        """
        self._check_known(name)
        return self._registry.provider(name)

    def health(self, provider: str) -> Health:
        """Return how a provider stands: its failures, its pause, or why it is stopped.

        Raises ``ConfigError`` if there is none of that name.
        """
        self._check_known(provider)
        return self._board.health(provider)

    def resume(self, provider: str) -> None:
        """Let a provider that was stopped be tried again, after somebody has mended it.

        Raises ``ConfigError`` if there is none of that name.
        """
        self._check_known(provider)
        self._board.resume(provider)

    def close(self) -> None:
        """Let go of every connection."""
        self._registry.close()

    def __enter__(self) -> Notifier:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _subject(self, message: Message, given: Contact, number: int) -> Subject:
        contact, country = given, None
        warnings: tuple[str, ...] = ()
        if given.phone is not None:
            phone = self._phones.normalise(given.phone)
            contact = attrs.evolve(given, phone=phone.number)
            country = self._phones.country(phone.number) if self._asks_for_country else None
            if phone.rewritten:
                warnings = (
                    f"the number was written otherwise and is sent as {mask(phone.number)}",
                )
        facts = Facts(
            channel=message.channel,
            tags=message.tags,
            priority=message.priority.name.lower(),
            sender=message.sender,
            number=contact.phone,
            country=country,
            domain=contact.email.rpartition("@")[2].lower() if contact.email else None,
        )
        return Subject(
            # Not made from the id of the message: that can be sent again, or changed and sent,
            # and each time the provider must be able to tell which one we ask about.
            delivery_id=secrets.token_hex(12),
            draw=f"{message.id}-{number}",
            message=message,
            recipient=contact,
            facts=facts,
            warnings=warnings,
        )

    def _estimate(self, plan: Plan) -> Estimate:
        leg = plan.legs[0]
        _, attempt = attempt_began(plan, begin(plan), leg.providers[0], self._clock.now())
        with self._board.question(attempt.provider, "cost"):
            return self._registry.estimate(leg.message, attempt)

    def _with_status(self, leg: LegResult) -> LegResult:
        match leg.outcome:
            case Accepted(receipt):
                status = advanced(leg.status, self._ask(receipt))
                return attrs.evolve(leg, status=status)
            case Unknown() if leg.attempts:
                attempt = leg.attempts[-1]
                status = self._ask(receipt_to_ask(attempt))
                found = status.state is not State.NOT_FOUND
                outcome = outcome_if_found(attempt, status) if found else leg.outcome
                return attrs.evolve(leg, status=status, outcome=outcome)
            case _:
                return leg

    def _ask(self, receipt: Receipt) -> Status:
        (status,) = self.query_status(receipt.provider, [receipt])
        return status

    def _check_known(self, provider: str) -> None:
        if provider not in self.providers:
            known = ", ".join(self.providers)
            problem = f"{provider!r} is not a provider here; known: {known}"
            raise ConfigError([Problem("configuration", 0, 0, "providers", problem)])


def _discover(config: Config) -> Plugins:
    plugins = Plugins.discover()
    for dotted_path in config.plugins:
        plugins.load(dotted_path)
    return plugins


def _specs(config: Config, plugins: Plugins) -> Sequence[ProviderSpec]:
    types = plugins.provider_types()
    return [
        ProviderSpec(name=provider.name, type=types[provider.type], settings=provider.settings)
        for provider in config.providers
    ]


def _refuse_doubles(plans: Iterable[Plan]) -> None:
    seen: set[tuple[str, str]] = set()
    for plan in plans:
        ways = {(leg.channel, leg.address) for leg in plan.legs}
        if not seen.isdisjoint(ways):
            raise RecipientError(f"{plan.recipient} is named twice; each gets one message")
        seen |= ways


def _refuse_waiting(config: Config) -> None:
    """Refuse what the loader refuses too, for a configuration that was not read from a file."""
    for route in config.routes:
        for number, leg in enumerate(route.legs):
            if leg.until is not Until.ACCEPTED or leg.within is not None:
                place = f"routes.{route.name}.legs[{number}]"
                problem = "nothing can wait for a receipt without a journal; use Until.ACCEPTED"
                raise ConfigError([Problem("configuration", 0, 0, place, problem)])


def _interrupted(
    message: Message, deliveries: Sequence[Delivery], decisions: Sequence[Decision]
) -> str:
    done = [f"  {delivery}" for delivery in deliveries]
    under_way = [each.plan.recipient for each in decisions[len(deliveries) :][:1]]
    return "\n".join(
        [
            f"interrupted while sending message {message.id}; carried out before:",
            *(done or ["  nothing"]),
            *(f"may have gone, do not repeat: {recipient}" for recipient in under_way),
        ]
    )
