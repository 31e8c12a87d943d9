"""A provider that answers what it is told, and a notifier around such providers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from notify_core.callback import Incoming, IncomingPage
from notify_core.clock import Clock
from notify_core.config.model import Config, LegConfig, ProviderConfig, Route, Via
from notify_core.delivery import Attempt
from notify_core.hookspecs import hookimpl
from notify_core.message import MESSAGE_TYPES, Message
from notify_core.notifier import Notifier
from notify_core.outcome import (
    Accepted,
    Account,
    Estimate,
    Outcome,
    Receipt,
    State,
    Status,
)
from notify_core.plugins import Plugins
from notify_core.provider import Capabilities, ProviderType, Tools
from notify_core.testing.clock import ManualClock

Answer: TypeAlias = Outcome | Exception | Callable[[Message, Attempt], Outcome]
StatusAnswer: TypeAlias = Status | State | Exception
IncomingAnswer: TypeAlias = IncomingPage | Sequence[Incoming] | Exception

EVERY_CHANNEL = frozenset(each.channel for each in MESSAGE_TYPES)


def accepted(attempt: Attempt, provider_id: str = "1") -> Accepted:
    """Return the acceptance of an attempt."""
    return Accepted(
        Receipt(
            provider=attempt.provider,
            address=attempt.address,
            own_id=attempt.own_id,
            provider_id=provider_id,
        )
    )


class ScriptedProvider:
    """Answer each send and each status query with the next of a list; record what was asked.

    An exception in a list is raised, a function of message and attempt is called. A send beyond
    the list is accepted, a status query beyond it answers ``NOT_FOUND``.

    ``incoming`` is what it answers to each question for what came in: a page, or messages alone,
    with which the cursor stays where it is. Beyond the list nothing came in. ``asked_behind`` is
    what it was asked behind.
    """

    def __init__(
        self,
        answers: Iterable[Answer] = (),
        statuses: Iterable[StatusAnswer] = (),
        capabilities: Capabilities | None = None,
        account: Account | Exception | None = None,
        estimate: Estimate | Exception | None = None,
        incoming: Iterable[IncomingAnswer] = (),
    ) -> None:
        self.capabilities = capabilities or Capabilities(
            channels=EVERY_CHANNEL, own_id=True, ask_after_s=(1.0, 2.0), attachments=True
        )
        self.sent: list[tuple[Message, Attempt]] = []
        self.asked: list[Receipt] = []
        self.asked_behind: list[str | None] = []
        self.closed = False
        self._incoming = iter(incoming)
        self._answers = iter(answers)
        self._statuses = iter(statuses)
        self._account = account
        self._estimate = estimate

    @hookimpl
    def notify_send(self, message: Message, attempt: Attempt) -> Outcome:
        self.sent.append((message, attempt))
        answer = next(self._answers, None)
        if isinstance(answer, Exception):
            raise answer
        if answer is None:
            return accepted(attempt)
        return answer(message, attempt) if callable(answer) else answer

    @hookimpl
    def notify_fetch_status(self, receipts: Sequence[Receipt]) -> Sequence[Status]:
        self.asked.extend(receipts)
        return [self._next_status() for _ in receipts]

    @hookimpl
    def notify_check(self) -> Account | None:
        if isinstance(self._account, Exception):
            raise self._account
        return self._account

    @hookimpl
    def notify_estimate(self) -> Estimate | None:
        if isinstance(self._estimate, Exception):
            raise self._estimate
        return self._estimate

    @hookimpl
    def notify_fetch_incoming(self, after: str | None) -> IncomingPage:
        self.asked_behind.append(after)
        answer = next(self._incoming, ())
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, IncomingPage):
            return answer
        return IncomingPage(messages=tuple(answer), after=after)

    def close(self) -> None:
        self.closed = True

    def _next_status(self) -> Status:
        answer = next(self._statuses, State.NOT_FOUND)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Status) else Status(state=answer)


class _ScriptedType:
    """Bring the type ``scripted``, whose settings are the provider itself."""

    @hookimpl
    def notify_provider_types(self) -> Sequence[ProviderType]:
        return [
            ProviderType(
                name="scripted",
                config_class=ScriptedProvider,
                capabilities=_capabilities,
                factory=_itself,
            )
        ]


def _capabilities(provider: ScriptedProvider) -> Capabilities:
    return provider.capabilities


def _itself(provider: ScriptedProvider, _tools: Tools) -> ScriptedProvider:
    return provider


def scripted_config(*routes: Route, **providers: ScriptedProvider) -> Config:
    """Return a configuration of these providers.

    Without ``routes`` there is one, ``default``, that goes through the providers in order.
    """
    default = Route(name="default", legs=(LegConfig(via=Via(providers=tuple(providers))),))
    return Config(
        providers=tuple(
            ProviderConfig(name=name, type="scripted", settings=provider)
            for name, provider in providers.items()
        ),
        routes=routes or (default,),
    )


def notifier_with(
    config: Config, *, plugins: Iterable[tuple[str, object]] = (), clock: Clock | None = None
) -> Notifier:
    """Make a notifier for a configuration of scripted providers, and of nothing installed.

    ``plugins`` are further plugin objects with their names. Pauses pass at once, without jitter,
    on a ``ManualClock`` unless ``clock`` is another.
    """
    registered = Plugins()
    registered.register(_ScriptedType(), "scripted")
    for name, plugin in plugins:
        registered.register(plugin, name)
    return Notifier(config, plugins=registered, clock=clock or ManualClock(), chance=lambda: 0.5)
