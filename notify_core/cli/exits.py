"""What the exit code says to a script."""

from __future__ import annotations

import enum

from notify_core.delivery import Report
from notify_core.errors import (
    ConfigError,
    JournalError,
    MessageError,
    NotifyError,
    PluginError,
    ProviderError,
)


class Exit(enum.IntEnum):
    """The exit codes of every command."""

    OK = 0
    """All accepted, the question answered, or done as asked."""
    FAILED = 1
    """Refused or not sent: certainly nothing went. Or not done as asked."""
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
    UNDER_WAY = 7
    """Not over yet: a worker carries it on; do NOT send it again."""
    JOURNAL = 8
    """There is no journal, or it cannot be read or written; nothing has left."""


# The first character tells click to leave the lines as they are.
EXIT_CODES = """\b
Exit codes:
  0  all accepted, the question answered, or done as asked
  1  refused or not sent: certainly nothing went; or not done as asked
  2  wrong usage or a wrong message; nothing has left
  3  unknown: it may have gone, do NOT send it again
  4  the configuration cannot be used; nothing has left
  5  a provider did not answer a question
  6  some went, some certainly did not: do NOT repeat the whole, see the report
  7  not over yet: a worker carries it on, do NOT send it again
  8  no journal, or one that cannot be read or written; nothing has left"""


def exit_of_report(report: Report) -> Exit:
    """Return the exit code of a send.

    Doubt outweighs all, then what is not over, and what went outweighs what failed.
    """
    if report.held:
        return Exit.UNKNOWN
    if report.under_way:
        return Exit.UNDER_WAY
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
        case JournalError():
            return Exit.JOURNAL
        case MessageError():
            return Exit.USAGE
        case _:
            return Exit.FAILED
