"""Typed messages, tested routes and honest outcomes: a plugin-based notification framework.

Everything that an application or a plugin needs is here. A name is imported when it is first
used, so that ``import notify_core`` costs next to nothing and a program pays only for the parts
it takes. Type checkers read ``__init__.pyi``; a test holds the two against each other.
"""

from __future__ import annotations

import importlib

from notify_core._version import __version__ as __version__

_PUBLIC = {
    "attachment": ("Attachment",),
    "callback": (
        "CallbackRequest",
        "Incoming",
        "IncomingKind",
        "IncomingPage",
        "StatusEvent",
        "Trust",
    ),
    "config.model": ("Until",),
    "contact": ("Contact",),
    "delivery": ("Attempt", "Delivery", "LegResult", "Report", "Stage"),
    "errors": (
        "AdaptationError",
        "AttachmentError",
        "CallbackError",
        "ConfigError",
        "DeliveryError",
        "JournalError",
        "KeyConflict",
        "ListError",
        "MessageError",
        "NotifyError",
        "PluginError",
        "ProviderError",
        "RecipientError",
        "UnsupportedFeature",
    ),
    "hookspecs": ("hookimpl",),
    "message": (
        "Binary",
        "BinaryForm",
        "Button",
        "Call",
        "Flash",
        "Hlr",
        "Mail",
        "Message",
        "Mms",
        "Ping",
        "Priority",
        "Sms",
        "Social",
        "Telegram",
        "Viber",
        "WapPush",
        "WhatsApp",
    ),
    "notifier": ("Notifier",),
    "outcome": (
        "Accepted",
        "Account",
        "Estimate",
        "FailureScope",
        "NotSent",
        "Outcome",
        "Receipt",
        "Refused",
        "RefusalScope",
        "State",
        "Status",
        "Unknown",
    ),
    "plugins": ("Plugins",),
    "provider": ("Capabilities", "Provider", "ProviderType", "ReceiptKind", "Tools"),
    "secret": ("Secret",),
    "versions": ("ConfigVersion", "Reloaded"),
    "watching": ("FileWatch",),
    "worker": ("Worker",),
}
_HOME = {name: module for module, names in _PUBLIC.items() for name in names}

__all__ = sorted([*_HOME, "__version__"])


# PEP 562. attrs compiles each of its classes, and requests, YAML and the phone library are far
# larger than this package: 150 ms together, which a program that only makes messages or asks
# for the version should not wait for.
def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
