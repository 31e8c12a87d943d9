"""Signatures of the gateway's calls: a digest of the told fields and a secret, joined by ``:``.

https://smscentre.com/api/http/miscellaneous/callback/ . The secret stands in the handler's address
(``sha1=<secret>``); the call has the digest in a field of that name. It is no HMAC, and it covers
neither a time nor the kind of the call. So nothing but the shapes of the fields keeps two readings
of one signed text apart, and a call can be repeated by whoever has seen it.
"""

from __future__ import annotations

import enum
import hashlib
import hmac
import re
import zlib
from collections.abc import Sequence
from typing import TypeAlias

import attrs

from notify_core.errors import CallbackError
from notify_core.secret import Secret

Pairs: TypeAlias = Sequence[tuple[str, str]]
"""Names and values as they came, repeated names included."""

CRC32 = "crc32"

# A colon would blur where the secret begins, and beyond ASCII nobody knows its bytes.
_SECRET = re.compile(r"[!-9;-~]+")


class Digest(enum.Enum):
    """A digest that proves a call. ``crc32``, which the gateway also knows, does not."""

    MD5 = "md5"
    """Weak against whoever can choose the text that is signed."""
    SHA1 = "sha1"
    """The strongest that the gateway knows."""


DIGEST_FIELDS = frozenset({*(digest.value for digest in Digest), CRC32})
"""The fields of a call that hold digests."""


def is_usable(secret: Secret) -> bool:
    """Tell whether a secret can be told from what it signs: ASCII, no blanks and no colons."""
    return _SECRET.fullmatch(secret.reveal()) is not None


@attrs.frozen(kw_only=True)
class Signatures:
    """What signatures are believed: by any of these secrets, with digests of these names."""

    secrets: tuple[Secret, ...] = ()
    names: frozenset[str] = frozenset(digest.value for digest in Digest)

    def prove(self, told: Pairs, *parts: bytes) -> bool:
        """Tell whether these parts are signed; ``told`` are all the digests that came along.

        All of them must fit: ``CallbackError`` for one that does not. Without any, or without a
        secret to compare with, nothing is proven.
        """
        if not self.secrets or not told:
            return False
        if any(name not in self.names for name, _ in told):
            raise CallbackError("signed with a digest that is not accepted")
        text = b":".join(parts)
        if not all(self._fits(name, value, text) for name, value in told):
            raise CallbackError("the signature fits no secret")
        return True

    def holds(self, value: str) -> bool:
        """Tell whether this is one of the secrets itself."""
        return _is_among(value.encode(), self._keys())

    def _fits(self, name: str, value: str, text: bytes) -> bool:
        signed = [text + b":" + key for key in self._keys()]
        expected = [digest for each in signed for digest in _digests(name, each)]
        return _is_among(value.lower().encode(), expected)

    def _keys(self) -> list[bytes]:
        return [secret.reveal().encode() for secret in self.secrets]


def _is_among(value: bytes, expected: Sequence[bytes]) -> bool:
    # Counted, so that all are compared and the time does not tell which one it was.
    return sum(hmac.compare_digest(value, each) for each in expected) > 0


def _digests(name: str, text: bytes) -> tuple[bytes, ...]:
    if name == CRC32:
        number = zlib.crc32(text)
        # Which of the two the gateway writes is not documented.
        return b"%d" % number, b"%08x" % number
    return (hashlib.new(name, text, usedforsecurity=False).hexdigest().encode(),)
