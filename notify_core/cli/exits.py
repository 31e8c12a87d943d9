"""What the exit code says to a script."""

from __future__ import annotations

import enum

from notify_core.delivery import Report
from notify_core.errors import ConfigError, MessageError, NotifyError, PluginError, ProviderError


class Exit(enum.IntEnum):
    """The exit codes of every command."""

    OK = 0
    """All accepted, or the question answered."""
    FAILED = 1
    """Refused or not sent: certainly nothing went."""
    USAGE = 2
    """Wrong usage, or a message that cannot be sent as it is; nothing has left."""
    UNKNOWN = 3
    """It may have gone: do NOT send again, ask for the status."""
    CONFIG = 4
    """The configuration or the installation cannot be used; nothing has left."""
    NO_ANSWER = 5
    """A provider did not answer a question (cost, status, balance)."""
    PARTLY = 6
    """Some went and some certainly did not: do NOT repeat the whole, see the report."""


# The first character tells click to leave the lines as they are.
EXIT_CODES = """\b
Exit codes:
  0  all accepted, or the question answered
  1  refused or not sent: certainly nothing went
  2  wrong usage or a wrong message; nothing has left
  3  unknown: it may have gone, do NOT send it again
  4  the configuration cannot be used; nothing has left
  5  a provider did not answer a question
  6  some went, some certainly did not: do NOT repeat the whole, see the report"""


def exit_of_report(report: Report) -> Exit:
    """Return the exit code of a send: doubt outweighs all, and what went outweighs what failed."""
    if report.held:
        return Exit.UNKNOWN
    if report.ok:
        return Exit.OK
    return Exit.PARTLY if any(delivery.receipts for delivery in report) else Exit.FAILED


def exit_of_error(error: NotifyError) -> Exit:
    """Return the exit code of a command that ended with this error."""
    match error:
        case ConfigError() | PluginError():
            return Exit.CONFIG
        case ProviderError():
            return Exit.NO_ANSWER
        case MessageError():
            return Exit.USAGE
        case _:
            return Exit.FAILED
