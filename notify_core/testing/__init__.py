"""For tests of applications and plugins: a clock to drive, a provider to script, contracts.

Nothing of this is imported by the rest of the framework.
"""

from notify_core.testing.clock import ManualClock
from notify_core.testing.journal import JournalContract
from notify_core.testing.provider import (
    ScriptedProvider,
    accepted,
    notifier_with,
    scripted_config,
)

__all__ = [
    "JournalContract",
    "ManualClock",
    "ScriptedProvider",
    "accepted",
    "notifier_with",
    "scripted_config",
]
