"""Files that travel with a message, read and checked when the message is made.

The bytes are taken at once: a retry sends the same bytes even if the file has changed, and a
file object, which can be read only once, is as good as a path.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePath
from typing import BinaryIO

import attrs

from notify_core.errors import AttachmentError
from notify_core.validate import CONTROL_CHARACTERS

MAX_ATTACHMENT_BYTES = 25 * 1024 * 1024
"""Default limit of one file; what a provider allows is often less, and checked by it."""

_PLAIN_NAME = re.compile(r"(?!\.\.?$)[^/\\]+")


@attrs.frozen
class Attachment:
    """A named piece of bytes. ``name`` is a base name: directories never travel."""

    name: str
    content: bytes = attrs.field(repr=lambda content: f"<{len(content)} bytes>")

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.name, str) or not _PLAIN_NAME.fullmatch(self.name):
            raise AttachmentError(self.name, "the name must be a plain file name")
        if CONTROL_CHARACTERS.search(self.name):
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
        except (OSError, ValueError) as error:
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
            content = _read(file, max_bytes + 1)
        except (OSError, ValueError, TypeError) as error:
            raise AttachmentError(shown, _why(error)) from error
        return cls(shown, _within(content, max_bytes, shown))


def _name_of(file: BinaryIO) -> str:
    name = getattr(file, "name", None)
    if not isinstance(name, str):
        raise AttachmentError("<file object>", "it has no name; pass name='…'")
    return PurePath(name).name


def _read(file: BinaryIO, most: int) -> bytes:
    """Read to the end or to ``most`` bytes: one ``read`` of a pipe gives what is there by now."""
    content = bytearray()
    while len(content) < most and (piece := file.read(most - len(content))):
        content += piece  # A TypeError where the file gives str.
    return bytes(content)


def _within(content: bytes, max_bytes: int, shown: str) -> bytes:
    if len(content) > max_bytes:
        raise AttachmentError(shown, f"larger than {max_bytes} bytes")
    return content


def _why(error: Exception) -> str:
    match error:
        case FileNotFoundError():
            return "there is no such file"
        case IsADirectoryError():
            return "it is a directory; attach the files in it one by one"
        case PermissionError():
            return "not allowed to read it"
        case UnicodeError() | TypeError():
            return "opened as text; open it with mode 'rb'"
        case OSError(strerror=str(reason)):
            return f"cannot be read: {reason}"
        case _:
            return f"cannot be read: {error}"


def attachments_of(value: object) -> tuple[Attachment, ...]:
    """Turn what a caller gave (one or many attachments or paths) into attachments."""
    return tuple(map(_attachment_of, value if isinstance(value, tuple | list) else (value,)))


def _attachment_of(item: object) -> Attachment:
    if isinstance(item, Attachment):
        return item
    if isinstance(item, str | os.PathLike):
        return Attachment.from_path(item)
    fix = "give an Attachment, a path, or a list of them"
    if hasattr(item, "read"):
        fix += "; for an open file use Attachment.from_file"
    raise AttachmentError(type(item).__name__, fix)
