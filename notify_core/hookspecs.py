"""Every hook of the framework. A plugin implements those it wants, with ``@hookimpl``.

There are three kinds. *Addressed* hooks are called for one configured provider, and exactly
that one answers; wrappers (``@hookimpl(wrapper=True)``) of any plugin stand around them.
*Events* tell every listener, each in isolation: one that fails costs a line in the log.
*Extension points* are asked once, when the plugins are loaded.

A hook implementation may leave out arguments that it does not need.
"""

# A specification has no body.
# mypy: disable-error-code="empty-body"

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    import click

    from notify_core.callback import CallbackEvent, CallbackRequest, Incoming, IncomingPage
    from notify_core.config.lint import Rule
    from notify_core.delivery import Attempt, Delivery
    from notify_core.message import Message
    from notify_core.outcome import Account, Estimate, Outcome, Receipt, Status
    from notify_core.provider import ProviderType

PROJECT = "notify"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


# --- addressed to one configured provider ---------------------------------------------------


@hookspec(firstresult=True)
def notify_send(message: Message, attempt: Attempt) -> Outcome | None:
    """Send one message to the one address in ``attempt`` and say what is known of it.

    Called once per attempt, in the thread of the sender, from several threads at once. Give
    ``attempt.own_id`` to the provider where it takes an id of ours. Never repeat a request that
    may have arrived: return ``Unknown`` and let the core ask.

    An exception becomes an outcome. ``MessageError`` (raise it before anything has left) is a
    refusal of the content, or, as ``UnsupportedFeature``, one that leaves the message to other
    providers and channels. Any other is *unknown*, and so is None.
    """


@hookspec(firstresult=True)
def notify_fetch_status(receipts: Sequence[Receipt]) -> Sequence[Status] | None:
    """Ask what became of the messages of these receipts; answer in the same order.

    Also called with a receipt of ``own_id`` and ``address`` alone, after an unknown answer.
    With a journal also called by itself, with up to ``poll_batch`` receipts, as often as
    ``poll_after_s`` says. A message that the provider does not know has the state ``NOT_FOUND``,
    and one of several of which it has told nothing usable has ``UNKNOWN``. Raise
    ``ProviderError`` if there is no usable answer at all; *not found* must never stand for that.
    """


@hookspec(firstresult=True)
def notify_estimate(message: Message, attempt: Attempt) -> Estimate | None:
    """Ask what sending this would cost; nothing is sent.

    Called when the application or the ``notify cost`` command asks. Raise ``ProviderError`` if
    there is no usable answer.
    """


@hookspec(firstresult=True)
def notify_check() -> Account | None:
    """Ask whether the credentials work, and for the balance; nothing is sent.

    Called by ``notifier.check`` and ``notify balance``. Raise ``ProviderError`` with the
    outcome if they do not.
    """


@hookspec(firstresult=True)
def notify_parse_callback(request: CallbackRequest) -> Sequence[CallbackEvent] | None:
    """Say what a call to our address tells, and how far it can be believed.

    Called after the call has been kept and answered, once or, after a crash, again; from several
    threads at once. Nobody has checked the call yet: anybody can have made it. Compare
    signatures in constant time, and raise ``CallbackError`` for one that does not fit and for
    what cannot be understood; such a call has no effect. What is not signed, or not in all that
    counts, is a ``HINT``. An empty list says that the call tells nothing.
    """


@hookspec(firstresult=True)
def notify_fetch_incoming(after: str | None, limit: int) -> IncomingPage | None:
    """Ask for the messages that came in behind ``after``, up to ``limit``, the oldest first.

    ``after`` is what the last answer gave for this, None at first. Called as often as the
    configuration says. Raise ``ProviderError`` if there is no usable answer.
    """


# --- events: every listener, each in isolation ----------------------------------------------


@hookspec
def notify_before_send(message: Message, attempt: Attempt) -> None:
    """Learn that an attempt is about to leave. Called before each attempt; cannot stop it."""


@hookspec
def notify_attempt_finished(message: Message, attempt: Attempt) -> None:
    """Learn how an attempt ended, resolution of an unknown answer included.

    Called once per attempt, after ``notify_before_send`` for the same ``attempt.id``.
    """


@hookspec
def notify_status_changed(delivery: Delivery) -> None:
    """Learn that a delivery stands otherwise than it did.

    Called by ``notifier.fetch_status`` when a status is new and, with a journal, by whoever
    carries a delivery on that ``enqueue`` or ``send`` has left to a worker, when its outcome or
    its stage has changed. ``delivery`` is how it stands now. It is called after that is written;
    if the process dies in between it is not called for this change, so ask the journal for what
    must not be missed.
    """


@hookspec
def notify_message_received(incoming: Incoming, delivery: Delivery | None) -> None:
    """Learn that somebody has sent us a message, or has called to confirm a number.

    ``delivery`` is the one that it seems to answer, if any. Called by the worker after the
    message is kept, once for each; if the process dies in between, once more.
    """


# --- extension points: asked once -----------------------------------------------------------


@hookspec
def notify_provider_types() -> Sequence[ProviderType]:
    """Bring provider types. Two of one name are refused when the plugins are loaded."""


@hookspec
def notify_message_types() -> Sequence[type[Message]]:
    """Bring message types, each with a ``channel`` of its own that is a lower-case word."""


@hookspec
def notify_lint_rules() -> Sequence[Rule]:
    """Bring rules for ``notify config lint``, each named after your provider type: ``pigeon-…``.

    Called when a configuration is linted, after it was read without a mistake. Import
    ``notify_core.config.lint`` inside. Two rules of one name are refused.
    """


@hookspec
def notify_cli_commands() -> Sequence[click.Command]:
    """Bring commands for ``notify``. Called by the command line only; import click inside."""
