"""Files that travel with a message, read and checked when the message is made.

The bytes are taken at once: a retry sends the same bytes even if the file has changed, and a
file object, which can be read only once, is as good as a path.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePath
from typing import BinaryIO

import attrs

from notify_core.errors import AttachmentError

MAX_ATTACHMENT_BYTES = 25 * 1024 * 1024
"""Default limit of one file; what a provider allows is often less, and checked by it."""


@attrs.frozen
class Attachment:
    """A named piece of bytes. ``name`` is a base name: directories never travel."""

    name: str
    content: bytes = attrs.field(repr=lambda content: f"<{len(content)} bytes>")

    def __attrs_post_init__(self) -> None:
        if not self.name or self.name != PurePath(self.name).name:
            raise AttachmentError(self.name, "the name must be a plain file name")
        if any(ord(character) < 32 for character in self.name):
            raise AttachmentError(self.name, "the name holds control characters")
        if not isinstance(self.content, bytes):
            raise AttachmentError(
                self.name, f"the content is {type(self.content).__name__}, not bytes"
            )

    @classmethod
    def from_path(
        cls, path: str | os.PathLike[str], *, max_bytes: int = MAX_ATTACHMENT_BYTES
    ) -> Attachment:
        """Read a file now. Raises ``AttachmentError`` if that cannot be done or it is too large."""
        try:
            with Path(path).open("rb") as file:
                content = file.read(max_bytes + 1)
        except OSError as error:
            raise AttachmentError(os.fspath(path), _why(error)) from error
        return cls(Path(path).name, _within(content, max_bytes, os.fspath(path)))

    @classmethod
    def from_file(
        cls, file: BinaryIO, name: str | None = None, *, max_bytes: int = MAX_ATTACHMENT_BYTES
    ) -> Attachment:
        """Read an open binary file from where it stands to its end; it is left open.

        ``name`` defaults to the base name of ``file.name``.
        """
        shown = name or _name_of(file)
        try:
            content = file.read(max_bytes + 1)
        except OSError as error:
            raise AttachmentError(shown, _why(error)) from error
        if not isinstance(content, bytes):
            raise AttachmentError(shown, "opened as text; open it with mode 'rb'")
        return cls(shown, _within(content, max_bytes, shown))


def _name_of(file: BinaryIO) -> str:
    name = getattr(file, "name", None)
    if not isinstance(name, str):
        raise AttachmentError("<file object>", "it has no name; pass name='…'")
    return PurePath(name).name


def _within(content: bytes, max_bytes: int, shown: str) -> bytes:
    if len(content) > max_bytes:
        raise AttachmentError(shown, f"larger than {max_bytes} bytes")
    return content


def _why(error: OSError) -> str:
    match error:
        case FileNotFoundError():
            return "there is no such file"
        case IsADirectoryError():
            return "it is a directory; attach the files in it one by one"
        case PermissionError():
            return "not allowed to read it"
        case _:
            return f"cannot be read: {error.strerror or error}"


def attachments_of(value: object) -> tuple[Attachment, ...]:
    """Turn what a caller gave (one or many attachments or paths) into attachments."""
    if isinstance(value, Attachment | str | os.PathLike):
        value = (value,)
    if not isinstance(value, tuple | list):
        raise AttachmentError(repr(type(value)), "give an Attachment, a path, or a list of them")
    return tuple(
        item if isinstance(item, Attachment) else Attachment.from_path(item) for item in value
    )
