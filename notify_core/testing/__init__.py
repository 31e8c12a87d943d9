"""For tests of applications and plugins: a clock to drive and a provider to script.

Nothing of this is imported by the rest of the framework.
"""

from notify_core.testing.clock import ManualClock
from notify_core.testing.provider import (
    ScriptedProvider,
    accepted,
    notifier_with,
    scripted_config,
)

__all__ = [
    "ManualClock",
    "ScriptedProvider",
    "accepted",
    "notifier_with",
    "scripted_config",
]
