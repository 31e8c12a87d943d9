"""What the receipts of this provider tell of where a message is known.

The keys of ``Receipt.raw`` that are our own. *Accepted* over HTTP has the gateway's id; all else
is told here.
"""

from __future__ import annotations

from collections.abc import Mapping

from notify_core.outcome import Receipt

_HOST = "host"
_RELAY = "relay"


def may_know(host: str) -> Mapping[str, object]:
    """Return what to keep of a message in doubt: the host that may have it."""
    return {_HOST: host}


def taken_by_mail_server(answer: str) -> Mapping[str, object]:
    """Return what to keep of a letter: the words with which a mail server took it."""
    return {_RELAY: answer}


def is_letter_taken(receipt: Receipt) -> bool:
    """Tell whether a mail server is known to have the letter."""
    return _RELAY in receipt.raw


def is_in_doubt(receipt: Receipt) -> bool:
    """Tell whether nobody is known to have taken the message."""
    return not receipt.provider_id and not is_letter_taken(receipt)


def host_to_ask(receipt: Receipt) -> str | None:
    """Return the one host that may have a message in doubt, if that is known."""
    host = receipt.raw.get(_HOST) if is_in_doubt(receipt) else None
    return host if isinstance(host, str) else None
