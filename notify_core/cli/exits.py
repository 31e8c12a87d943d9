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
    """Refused or not sent: it certainly did not go."""
    USAGE = 2
    """Wrong usage, or a message that cannot be sent as it is; nothing has left."""
    UNKNOWN = 3
    """It may have gone: do NOT send again, ask for the status."""
    CONFIG = 4
    """The configuration or the installation cannot be used; nothing has left."""
    NO_ANSWER = 5
    """A provider did not answer a question (cost, status, balance)."""


# The first character tells click to leave the lines as they are.
EXIT_CODES = """\b
Exit codes:
  0  all accepted, or the question answered
  1  refused or not sent: it certainly did not go
  2  wrong usage or a wrong message; nothing has left
  3  unknown: it may have gone, do NOT send it again
  4  the configuration cannot be used; nothing has left
  5  a provider did not answer a question"""


def exit_of_report(report: Report) -> Exit:
    """Return the exit code of a send: a delivery in doubt outweighs one that failed."""
    if report.held:
        return Exit.UNKNOWN
    return Exit.OK if report.ok else Exit.FAILED


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
