"""Signatures of Standard Webhooks: HMAC-SHA256, one for each secret.

Six lines of our own and no dependency: the library ``standardwebhooks`` signs with one secret, and
what it adds is for receivers.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime

from notify_core.config.sections import webhook_key
from notify_core.secret import Secret


def signed(event_id: str, at: datetime, body: bytes, given: Sequence[Secret]) -> Mapping[str, str]:
    """Return the headers of a call made at that time: id, time in seconds, signatures."""
    seconds = str(int(at.timestamp()))
    content = b".".join([event_id.encode(), seconds.encode(), body])
    return {
        "webhook-id": event_id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(_signature(webhook_key(each), content) for each in given),
    }


def new_secret() -> str:
    """Return a secret to sign with, as receivers' libraries take it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def _signature(key: bytes, content: bytes) -> str:
    return "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
