"""What messages say, as it lies in the journal: as it is, encrypted, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from notify_core.errors import JournalError
from notify_core.secret import Secret

_MARK = "fernet:"


class Seal(Protocol):
    """Closes a text before it is written, and opens it after it was read."""

    def closed(self, text: str) -> str | None:
        """Return what is written; None for nothing at all."""

    def opened(self, stored: str) -> str:
        """Return the text. Raises ``JournalError`` if it cannot be opened."""


class Unsealed:
    """Write it as it is."""

    def closed(self, text: str) -> str | None:
        return text

    def opened(self, stored: str) -> str:
        if stored.startswith(_MARK):
            raise JournalError("a text in the journal is encrypted; set journal.text_keys")
        return stored


class LeftOut(Unsealed):
    """Do not write it."""

    def closed(self, text: str) -> str | None:  # noqa: ARG002
        return None


class Encrypted(Unsealed):
    """Encrypt it with Fernet (AES-128 in CBC mode, authenticated): https://cryptography.io

    The first key encrypts; all of them decrypt, so that keys can be changed. What was written
    before there was a key is read as it is.
    """

    def __init__(self, keys: Sequence[Secret]) -> None:
        try:
            from cryptography import fernet  # noqa: PLC0415 - an optional dependency
        except ImportError:
            raise JournalError(
                "journal.text_keys needs the package cryptography; "
                "install it with: pip install 'notify-core[encryption]'"
            ) from None
        try:
            self._fernet = fernet.MultiFernet([fernet.Fernet(key.reveal()) for key in keys])
        except ValueError:
            raise JournalError(
                "journal.text_keys is no Fernet key: 32 bytes in URL-safe base64; make one with: "
                "python -c 'from cryptography.fernet import Fernet; "
                "print(Fernet.generate_key().decode())'"
            ) from None
        self._refused = fernet.InvalidToken

    def closed(self, text: str) -> str | None:
        return _MARK + self._fernet.encrypt(text.encode()).decode()

    def opened(self, stored: str) -> str:
        if not stored.startswith(_MARK):
            return stored
        try:
            return self._fernet.decrypt(stored.removeprefix(_MARK)).decode()
        except self._refused:
            raise JournalError(
                "a text in the journal was encrypted with another key; add that key to "
                "journal.text_keys behind the new one"
            ) from None
