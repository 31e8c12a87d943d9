"""The configured providers and the one way to call them: through the hooks.

Every provider is registered in the plugin manager as ``provider:<name>``. After the last one
the set is closed and a hook caller is kept for each provider that leaves the others out:
wrappers of any plugin apply, and exactly one provider answers.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import pluggy

from notify_core.clock import Clock
from notify_core.delivery import Attempt
from notify_core.errors import (
    ConfigError,
    MessageError,
    PluginError,
    Problem,
    ProviderError,
    UnsupportedFeature,
)
from notify_core.message import Message
from notify_core.outcome import (
    Accepted,
    Account,
    Estimate,
    NotSent,
    Outcome,
    Receipt,
    RefusalScope,
    Refused,
    Status,
    Unknown,
)
from notify_core.plugins import Plugins
from notify_core.provider import Capabilities, Provider, ProviderType, Tools

_log = logging.getLogger(__name__)

_ADDRESSED = ("notify_send", "notify_fetch_status", "notify_estimate", "notify_check")
_EVENTS = ("notify_before_send", "notify_attempt_finished", "notify_status_changed")


@attrs.frozen(kw_only=True)
class ProviderSpec:
    """A provider to be made: its name, its type and its settings."""

    name: str
    type: ProviderType
    settings: object


class Registry:
    """Make the providers, register them and call them by name.

    Raises ``ConfigError`` if a provider cannot be made from its settings. Nothing can be added
    afterwards: a hook caller that leaves the *known* other providers out
    would let a newcomer answer in another's place.
    """

    def __init__(self, plugins: Plugins, specs: Sequence[ProviderSpec], clock: Clock) -> None:
        self._manager = plugins.manager
        self._providers: dict[str, Provider] = {}
        for spec in specs:
            self._add(plugins, spec, clock)
        _refuse_stray_answers(self._manager)
        self._callers = {
            name: {hook: self._caller(hook, name) for hook in _ADDRESSED}
            for name in self._providers
        }
        self._listeners = {event: _listeners(self._manager, event) for event in _EVENTS}

    @property
    def capabilities(self) -> Mapping[str, Capabilities]:
        """What each provider can do, by name, in the order of the configuration."""
        return {name: provider.capabilities for name, provider in self._providers.items()}

    def provider(self, name: str) -> Provider:
        """Return the provider object itself, for what only its own type offers.

        Raises ``KeyError`` if there is none of that name.
        """
        return self._providers[name]

    def send(self, message: Message, attempt: Attempt) -> Outcome:
        """Make one attempt. Whatever the plugin does, the answer is an outcome."""
        try:
            outcome = self._callers[attempt.provider]["notify_send"](
                message=message, attempt=attempt
            )
        except UnsupportedFeature as error:
            # It says what this provider cannot do, not that the message is wrong.
            return Refused(str(error), RefusalScope.ACCOUNT)
        except MessageError as error:
            return Refused(str(error), RefusalScope.CONTENT)
        except Exception as error:  # somebody else's code; it may have failed after sending
            _log.error("provider %s failed in notify_send: %s", attempt.provider, _kind(error))
            return Unknown(f"the plugin of {attempt.provider} failed with {_kind(error)}")
        if not isinstance(outcome, Accepted | Refused | NotSent | Unknown):
            return Unknown(f"the plugin of {attempt.provider} answered {_kind(outcome)}")
        return outcome

    def fetch_status(self, name: str, receipts: Sequence[Receipt]) -> Sequence[Status]:
        """Ask for statuses, in the order of ``receipts``. Raises ``ProviderError``."""
        statuses = self._ask(name, "notify_fetch_status", "status", receipts=receipts)
        if not isinstance(statuses, Sequence) or len(statuses) != len(receipts):
            raise _broken(name, "status", f"answered {_kind(statuses)} for {len(receipts)}")
        return statuses

    def estimate(self, message: Message, attempt: Attempt) -> Estimate:
        """Ask what it would cost. Raises ``ProviderError`` or ``MessageError``."""
        estimate = self._ask(
            attempt.provider, "notify_estimate", "cost", message=message, attempt=attempt
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

    def tell(self, event: str, **facts: object) -> None:
        """Tell every listener of an event; one that fails costs one line in the log."""
        for listener in self._listeners[event]:
            try:
                listener.function(*(facts[argument] for argument in listener.argnames))
            except Exception as error:  # a listener must not disturb a send or its neighbours
                _log.error("plugin %s failed in %s: %s", listener.plugin_name, event, _kind(error))

    def close(self) -> None:
        """Unregister and close every provider."""
        for name, provider in self._providers.items():
            self._manager.unregister(name=f"provider:{name}")
            provider.close()

    def _add(self, plugins: Plugins, spec: ProviderSpec, clock: Clock) -> None:
        try:
            provider = spec.type.factory(spec.settings, Tools(name=spec.name, clock=clock))
        except (OSError, ValueError) as error:  # a file that its settings name, for example
            problem = Problem("configuration", 0, 0, f"providers.{spec.name}", str(error))
            raise ConfigError([problem]) from error
        plugins.register(provider, f"provider:{spec.name}")
        self._providers[spec.name] = provider

    def _caller(self, hook: str, name: str) -> pluggy.HookCaller:
        others = [provider for other, provider in self._providers.items() if other != name]
        return self._manager.subset_hook_caller(hook, remove_plugins=others)

    def _ask(self, name: str, hook: str, question: str, **facts: object) -> Any:
        try:
            answer = self._callers[name][hook](**facts)
        except (ProviderError, MessageError):
            raise
        except Exception as error:  # somebody else's code
            raise _broken(name, question, f"failed with {_kind(error)}") from None
        if answer is None:
            raise _broken(name, question, "cannot answer it")
        return answer


def _listeners(manager: pluggy.PluginManager, event: str) -> Sequence[pluggy.HookImpl]:
    caller: pluggy.HookCaller = getattr(manager.hook, event)
    # pluggy keeps them in reverse order of the calls.
    return tuple(reversed(caller.get_hookimpls()))


def _refuse_stray_answers(manager: pluggy.PluginManager) -> None:
    """Refuse a plugin that would answer in the place of the provider that is asked."""
    for hook in _ADDRESSED:
        caller: pluggy.HookCaller = getattr(manager.hook, hook)
        for impl in caller.get_hookimpls():
            wraps = impl.wrapper or impl.hookwrapper
            if not wraps and not impl.plugin_name.startswith("provider:"):
                raise PluginError(
                    impl.plugin_name,
                    f"{hook} is answered by providers; use @hookimpl(wrapper=True) to stand "
                    "around it, or bring a provider type",
                )


def _broken(name: str, question: str, what: str) -> ProviderError:
    return ProviderError(name, question, Unknown(f"the plugin of {name} {what}"))


def _kind(value: object) -> str:
    # Never the value or the error's own words: they can hold a text or a secret.
    return type(value).__name__
