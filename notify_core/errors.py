"""Every error that the framework raises, in one tree.

NotifyError
├── ConfigError              the configuration file; carries every problem found in it
├── PluginError              a plugin cannot be loaded or breaks the contract
├── MessageError             a message that cannot be made, or not be sent as it is
│   ├── RecipientError       an address that is missing or cannot be an address
│   ├── AttachmentError      a file that is missing, unreadable, a directory or too large
│   ├── AdaptationError      a leg on another channel would lose what the message means
│   ├── KeyConflict          its key was given to a message that says something else
│   └── UnsupportedFeature   the provider cannot express what the message asks for
├── ProviderError            a question (balance, cost, status) that got no usable answer
├── ListError                a file for the suppression list is wrong; carries every problem found
├── CallbackError            a call to our address that is not a provider's, or not understood
├── JournalError             the journal cannot be read or written
└── DeliveryError            ``report.raise_for_failure()``; carries the report

What a provider answers to a send is never an exception: it is an outcome (``outcome.py``).
Exceptions are for mistakes of the configuration, of a plugin or of the caller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from notify_core.delivery import Report
    from notify_core.outcome import Outcome


class NotifyError(Exception):
    """Base of all errors of the framework."""


@attrs.frozen
class Problem:
    """One mistake in a configuration: where it stands, what is wrong and how to mend it.

    ``line`` and ``column`` count from 1; both are 0 for a problem of the file as a whole.
    """

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        subject = f"{self.path}: " if self.path else ""
        return f"{place}: {subject}{self.message}"


class ConfigError(NotifyError):
    """The configuration cannot be used.

    ``problems`` holds the mistakes in file order, as many as can be told at once.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class PluginError(NotifyError):
    """A plugin cannot be loaded or breaks the contract. ``plugin`` is its name."""

    def __init__(self, plugin: str, message: str) -> None:
        self.plugin = plugin
        super().__init__(f"plugin {plugin!r}: {message}")


class MessageError(NotifyError, ValueError):
    """A message cannot be made, or cannot be sent as it is. Nothing has left."""


class RecipientError(MessageError):
    """An address is missing or cannot be an address. Nothing has left."""


class AttachmentError(MessageError):
    """A file cannot be attached. ``name`` is the path or the name that was given."""

    def __init__(self, name: str, message: str) -> None:
        self.name = name
        super().__init__(f"attachment {name!r}: {message}")


class AdaptationError(MessageError):
    """A leg on another channel would lose what the message means. Nothing has left."""


class KeyConflict(MessageError):
    """The key of a message was given to one that says something else. Nothing has left.

    ``key`` is the key, ``message_id`` the id of the message that had it first.
    """

    def __init__(self, key: str, message_id: str) -> None:
        self.key = key
        self.message_id = message_id
        super().__init__(
            f"key {key!r} belongs to message {message_id}, which says something else or goes to "
            "others; give each message a key of its own"
        )


class UnsupportedFeature(MessageError):
    """The provider cannot express what the message asks for; it is never dropped silently.

    A provider may raise it, like any ``MessageError``, from ``notify_send`` before anything
    has left: the core makes it a refusal that leaves the message to other providers.
    """


class ProviderError(NotifyError):
    """A question to a provider got no usable answer. ``outcome`` says what is known of why."""

    def __init__(self, provider: str, question: str, outcome: Outcome) -> None:
        self.provider = provider
        self.outcome = outcome
        super().__init__(f"provider {provider!r} did not answer the {question} query: {outcome}")


class ListError(NotifyError, ValueError):
    """A file cannot be read into the suppression list; nothing of it was.

    ``problems`` holds the mistakes in file order, the first hundred at most.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class CallbackError(NotifyError):
    """A call to our address is forged, or nobody understands it. It has no effect.

    The message says what is wrong without a word of what the call holds.
    """


class JournalError(NotifyError):
    """The journal cannot be read or written; the message says which, and what to do.

    Raised before a message leaves, never after: what has left is in the report, whether or not
    the journal could be told of it.
    """


class DeliveryError(NotifyError):
    """Not every delivery was accepted. ``report`` tells which, with every attempt."""

    def __init__(self, report: Report) -> None:
        self.report = report
        super().__init__(str(report))
