"""What people send to us: kept, matched to what it answers, and told to the application."""

from notify_core.inbox.handlers import Handler
from notify_core.inbox.inbox import Inbox
from notify_core.journal.received import Received, Standing

__all__ = ["Handler", "Inbox", "Received", "Standing"]
