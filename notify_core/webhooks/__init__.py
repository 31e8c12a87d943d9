"""Telling addresses of the application what happens to deliveries, by Standard Webhooks.

https://www.standardwebhooks.com, the specification 1.0.0, read in 2026.
"""

from notify_core.webhooks.telling import Webhooks, try_out

__all__ = ["Webhooks", "try_out"]
