"""The configured providers and the one way to call them: through the hooks.

Every provider is registered in the plugin manager as ``provider:<name>``. After the last one
the set is closed and a hook caller is kept for each provider that leaves the others out:
wrappers of any plugin apply, and exactly one provider answers.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Collection, Generator, Mapping, Sequence
from typing import Any

import attrs
import pluggy

from notify_core.callback import (
    CallbackEvent,
    CallbackRequest,
    Incoming,
    IncomingPage,
    StatusEvent,
)
from notify_core.clock import Clock
from notify_core.delivery import Attempt
from notify_core.errors import (
    CallbackError,
    ConfigError,
    MessageError,
    NotifyError,
    PluginError,
    Problem,
    ProviderError,
    UnsupportedFeature,
)
from notify_core.hookspecs import hookimpl
from notify_core.message import Message
from notify_core.outcome import (
    Accepted,
    Account,
    Estimate,
    FailureScope,
    NotSent,
    Outcome,
    Receipt,
    RefusalScope,
    Refused,
    Status,
    Unknown,
)
from notify_core.plugins import Plugins
from notify_core.provider import Capabilities, Provider, ProviderType, Tools, is_same

_log = logging.getLogger(__name__)

_CLOSED = NotSent(
    "the notifier is closed, or goes by another configuration since", FailureScope.PROVIDER
)

_GONE = NotSent("the configuration has no such provider any more", FailureScope.PROVIDER)

_ADDRESSED = (
    "notify_send",
    "notify_fetch_status",
    "notify_estimate",
    "notify_check",
    "notify_parse_callback",
    "notify_fetch_incoming",
)
_INNERMOST = "core:outcomes"
_EVENTS = (
    "notify_before_send",
    "notify_attempt_finished",
    "notify_status_changed",
    "notify_message_received",
)


@attrs.frozen(kw_only=True)
class ProviderSpec:
    """A provider to be made: its name, its type and its settings."""

    name: str
    type: ProviderType
    settings: object

    def makes_the_same(self, other: ProviderSpec) -> bool:
        """Tell whether the other one stands for the same provider, made by the same plugin."""
        is_alike = (self.name, *_origin(self.type)) == (other.name, *_origin(other.type))
        return is_alike and is_same(self.settings, other.settings)


def _origin(kind: ProviderType) -> tuple[object, ...]:
    # The type itself is made anew each time a plugin is asked.
    factory = kind.factory
    made_by = getattr(factory, "__module__", None), getattr(factory, "__qualname__", None)
    return kind.name, kind.config_class, *made_by


class Registry:
    """Make the providers, register them and call them by name.

    Raises ``ConfigError`` if a provider cannot be made from its settings, ``PluginError`` if the
    plugins do not fit together or belong to another notifier. Nothing can be added afterwards: a
    hook caller that leaves the *known* other providers out would let a newcomer answer in
    another's place.

    The providers of ``before`` that would be made the same again are not made again: both
    registries have them. They must not share their plugins.
    """

    def __init__(
        self,
        plugins: Plugins,
        specs: Sequence[ProviderSpec],
        clock: Clock,
        before: Registry | None = None,
    ) -> None:
        self._plugins = plugins
        self._manager = plugins.manager
        self._specs = {spec.name: spec for spec in specs}
        self._providers: dict[str, Provider] = {}
        self.closed = False
        plugins.take()
        try:
            for spec in specs:
                kept = before.has_made(spec) if before else None
                self._add(spec, kept or _made(spec, Tools(name=spec.name, clock=clock)))
            plugins.admit(_InnermostWrapper(), _INNERMOST)
            _refuse_misfits(self._manager)
        except BaseException:  # raised again: nobody would close what has been made
            self.close(but=before.providers if before else ())
            raise
        self._callers = {
            name: {hook: self._caller(hook, name) for hook in _ADDRESSED}
            for name in self._providers
        }
        self._listeners = {event: _listeners(self._manager, event) for event in _EVENTS}

    @property
    def capabilities(self) -> Mapping[str, Capabilities]:
        """What each provider can do, by name, in the order of the configuration."""
        return {name: provider.capabilities for name, provider in self._providers.items()}

    @property
    def providers(self) -> Collection[Provider]:
        """The provider objects, in the order of the configuration."""
        return self._providers.values()

    def has_made(self, spec: ProviderSpec) -> Provider | None:
        """Return the provider here that would be made the same again, if there is one."""
        mine = self._specs.get(spec.name)
        return self._providers[spec.name] if mine and mine.makes_the_same(spec) else None

    def provider(self, name: str) -> Provider:
        """Return the provider object itself, for what only its own type offers.

        Raises ``KeyError`` if there is none of that name.
        """
        return self._providers[name]

    def send(self, message: Message, attempt: Attempt) -> Outcome:
        """Make one attempt. Whatever the plugins do, the answer is an outcome."""
        if self.closed:
            return _CLOSED
        try:
            answer = self._callers[attempt.provider]["notify_send"](
                message=message, attempt=attempt
            )
        except Exception as error:  # a wrapper that failed; the provider may have sent before
            return _failed(attempt.provider, error)
        return _outcome_of(attempt.provider, answer)

    def fetch_status(self, name: str, receipts: Sequence[Receipt]) -> Sequence[Status]:
        """Ask for statuses, in the order of ``receipts``. Raises ``ProviderError``."""
        statuses = self._ask(name, "notify_fetch_status", "status", receipts=receipts)
        if not isinstance(statuses, Sequence) or len(statuses) != len(receipts):
            raise _broken(name, "status", f"answered {_kind(statuses)} for {len(receipts)}")
        for status in statuses:
            if not isinstance(status, Status):
                raise _broken(name, "status", f"answered {_kind(status)} for a status")
        return statuses

    def estimate(self, message: Message, attempt: Attempt) -> Estimate:
        """Ask what it would cost. Raises ``ProviderError`` or ``MessageError``."""
        estimate = self._ask(
            attempt.provider,
            "notify_estimate",
            "cost",
            (ProviderError, MessageError),
            message=message,
            attempt=attempt,
        )
        if not isinstance(estimate, Estimate):
            raise _broken(attempt.provider, "cost", f"answered {_kind(estimate)}")
        return estimate

    def check(self, name: str) -> Account:
        """Ask whether the account works. Raises ``ProviderError``."""
        account = self._ask(name, "notify_check", "account")
        if not isinstance(account, Account):
            raise _broken(name, "account", f"answered {_kind(account)}")
        return account

    def parse_callback(self, name: str, request: CallbackRequest) -> Sequence[CallbackEvent]:
        """Say what a call tells. Raises ``CallbackError`` if it has no effect, and
        ``ProviderError`` if the plugin cannot say.
        """
        events = self._ask(
            name,
            "notify_parse_callback",
            "callback",
            (ProviderError, CallbackError),
            request=request,
        )
        if not isinstance(events, Sequence) or not all(
            isinstance(event, StatusEvent | Incoming) for event in events
        ):
            raise _broken(name, "callback", f"answered {_kind(events)}")
        return events

    def fetch_incoming(self, name: str, after: str | None, limit: int) -> IncomingPage:
        """Ask for what came in behind ``after``. Raises ``ProviderError``."""
        page = self._ask(name, "notify_fetch_incoming", "incoming", after=after, limit=limit)
        if not isinstance(page, IncomingPage):
            raise _broken(name, "incoming", f"answered {_kind(page)}")
        return page

    def tell(self, event: str, **facts: object) -> None:
        """Tell every listener of an event; one that fails costs one line in the log."""
        for listener in self._listeners[event]:
            try:
                listener.function(*(facts[argument] for argument in listener.argnames))
            except (Exception, SystemExit) as error:  # it must not disturb a send or its neighbours
                _log.error("plugin %s failed in %s: %s", listener.plugin_name, event, _kind(error))

    def close(self, but: Collection[Provider] = ()) -> None:
        """Unregister every provider and close it; one that fails costs one line in the log.

        Those in ``but`` stay open: another registry has them. A second time does nothing.
        """
        if self.closed:
            return
        self.closed = True
        self._give_back()
        lasting = {id(provider) for provider in but}
        with contextlib.ExitStack() as closing:  # an interrupt leaves none of the others open
            for name, provider in self._providers.items():
                if id(provider) not in lasting:
                    closing.callback(_close, name, provider)

    def _add(self, spec: ProviderSpec, provider: Provider) -> None:
        self._plugins.admit(provider, f"provider:{spec.name}")
        self._providers[spec.name] = provider
        _check_contract(spec.name, provider, self._manager)

    def _give_back(self) -> None:
        for name in (_INNERMOST, *(f"provider:{name}" for name in self._providers)):
            if self._manager.has_plugin(name):
                self._manager.unregister(name=name)
        self._plugins.give_back()

    def _caller(self, hook: str, name: str) -> pluggy.HookCaller:
        others = [provider for other, provider in self._providers.items() if other != name]
        return self._manager.subset_hook_caller(hook, remove_plugins=others)

    def _ask(
        self,
        name: str,
        hook: str,
        question: str,
        may_raise: tuple[type[NotifyError], ...] = (ProviderError,),
        **facts: object,
    ) -> Any:
        if self.closed:
            raise ProviderError(name, question, _CLOSED)
        if name not in self._callers:
            raise ProviderError(name, question, _GONE)
        answer, failure = None, "cannot answer it"
        try:
            answer = self._callers[name][hook](**facts)
        except may_raise:
            raise
        except (Exception, SystemExit) as error:  # somebody else's code
            failure = f"failed with {_kind(error)}"
        if answer is None:
            # Raised outside the handler: the error of the plugin can hold a text or a secret.
            raise _broken(name, question, failure)
        return answer


class _InnermostWrapper:
    """Stand directly around the providers and make what they raise an outcome.

    What a wrapper of somebody else raises further out comes after the provider has answered, so
    it can be no refusal: ``Registry.send`` calls it unknown.
    """

    @hookimpl(wrapper=True, trylast=True)
    def notify_send(self, attempt: Attempt) -> Generator[None, object, object]:
        try:
            return (yield)
        except UnsupportedFeature as error:
            # It says what this provider cannot do, not that the message is wrong.
            return Refused(str(error), RefusalScope.ACCOUNT)
        except MessageError as error:
            return Refused(str(error), RefusalScope.CONTENT)
        except Exception as error:  # somebody else's code; it may have failed after sending
            return _failed(attempt.provider, error)


def _close(name: str, provider: Provider) -> None:
    try:
        provider.close()
    except (Exception, SystemExit) as error:  # somebody else's code
        _log.error("provider %s failed to close: %s", name, _kind(error))


def _made(spec: ProviderSpec, tools: Tools) -> Provider:
    try:
        return spec.type.factory(spec.settings, tools)
    except OSError as error:  # a file that its settings name, for example
        reason = f"{error.strerror}: {error.filename}" if error.filename else _kind(error)
    except (Exception, SystemExit) as error:  # somebody else's code; its words can be a secret
        reason = f"its plugin failed with {_kind(error)}"
    raise ConfigError([Problem("configuration", 0, 0, f"providers.{spec.name}", reason)])


def _check_contract(name: str, provider: Provider, manager: pluggy.PluginManager) -> None:
    """Raise ``PluginError`` for what would otherwise make every send *unknown*."""
    hooks = {caller.name for caller in manager.get_hookcallers(provider) or ()}
    if "notify_send" not in hooks:
        raise PluginError(f"provider:{name}", "it has no notify_send marked with @hookimpl")
    if not isinstance(getattr(provider, "capabilities", None), Capabilities):
        raise PluginError(f"provider:{name}", "its attribute `capabilities` is no Capabilities")


def _failed(provider: str, error: Exception) -> Unknown:
    _log.error("provider %s failed in notify_send: %s", provider, _kind(error))
    return Unknown(f"the plugin of {provider} failed with {_kind(error)}")


def _outcome_of(provider: str, answer: object) -> Outcome:
    if isinstance(answer, Accepted | Refused | NotSent | Unknown):
        return answer
    return Unknown(f"the plugin of {provider}, or a wrapper around it, answered {_kind(answer)}")


def _listeners(manager: pluggy.PluginManager, event: str) -> Sequence[pluggy.HookImpl]:
    # pluggy keeps them in reverse order of the calls.
    return tuple(reversed(_impls(manager, event)))


def _refuse_misfits(manager: pluggy.PluginManager) -> None:
    """Refuse hooks that would answer in a provider's place, or that would never be called."""
    for hook in _ADDRESSED:
        for impl in _impls(manager, hook):
            if not _wraps(impl) and not impl.plugin_name.startswith("provider:"):
                raise PluginError(
                    impl.plugin_name,
                    f"{hook} is answered by providers; use @hookimpl(wrapper=True) to stand "
                    "around it, or bring a provider type",
                )
            if _wraps(impl) and impl.trylast and impl.plugin_name != _INNERMOST:
                raise PluginError(
                    impl.plugin_name, f"{hook}: no wrapper stands within the core's; drop trylast"
                )
    for event in _EVENTS:
        for impl in _impls(manager, event):
            if _wraps(impl):
                raise PluginError(
                    impl.plugin_name, f"{event} tells listeners one by one; drop wrapper=True"
                )


def _impls(manager: pluggy.PluginManager, hook: str) -> Sequence[pluggy.HookImpl]:
    caller: pluggy.HookCaller = getattr(manager.hook, hook)
    return caller.get_hookimpls()


def _wraps(impl: pluggy.HookImpl) -> bool:
    return impl.wrapper or impl.hookwrapper


def _broken(name: str, question: str, what: str) -> ProviderError:
    return ProviderError(name, question, Unknown(f"the plugin of {name} {what}"))


def _kind(value: object) -> str:
    # Never the value or the error's own words: they can hold a text or a secret.
    return type(value).__name__
