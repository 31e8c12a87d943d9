"""Files are read once, when the message is made, and only their base name travels."""

from __future__ import annotations

import io
import os
import re
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, cast

import attrs
import pytest

from notify_core.attachment import Attachment, attachments_of
from notify_core.errors import AttachmentError

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    path.write_bytes(PNG)
    return path


class Unreadable(io.BytesIO):
    """A file object whose reading fails."""

    name = "/srv/secret/plan.pdf"

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def read(self, _size: int | None = -1, /) -> bytes:
        raise self._error


def test_a_path_gives_the_base_name_and_the_bytes(path: Path) -> None:
    assert Attachment.from_path(path) == Attachment("picture.png", PNG)


def test_a_path_may_be_a_str(path: Path) -> None:
    assert Attachment.from_path(str(path)) == Attachment("picture.png", PNG)


def test_the_bytes_are_those_of_the_moment_of_construction(path: Path) -> None:
    attachment = Attachment.from_path(path)

    path.unlink()

    assert attachment.content == PNG


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing.pdf"

    with pytest.raises(AttachmentError) as refusal:
        Attachment.from_path(missing)

    assert str(refusal.value) == f"attachment {str(missing)!r}: there is no such file"


def test_an_error_carries_the_name_as_an_attribute(tmp_path: Path) -> None:
    with pytest.raises(AttachmentError) as refusal:
        Attachment.from_path(tmp_path)

    assert refusal.value.name == str(tmp_path)


@pytest.mark.parametrize(
    ("place", "why"),
    [
        (".", "it is a directory; attach the files in it one by one"),
        ("picture.png/inside.txt", "cannot be read: Not a directory"),
        ("a\x00b", "cannot be read: embedded null byte"),
        ("n" * 300, "cannot be read: File name too long"),
    ],
)
def test_a_path_that_cannot_be_read_says_why(path: Path, place: str, why: str) -> None:
    with pytest.raises(AttachmentError, match=f": {re.escape(why)}$"):
        Attachment.from_path(f"{path.parent}/{place}")


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (PermissionError(13, "Permission denied"), "not allowed to read it"),
        (OSError(5, "Input/output error"), "cannot be read: Input/output error"),
        (OSError("timed out"), "cannot be read: timed out"),
        (
            ValueError("I/O operation on closed file"),
            "cannot be read: I/O operation on closed file",
        ),
    ],
)
def test_a_file_object_that_cannot_be_read_says_why(error: Exception, why: str) -> None:
    with pytest.raises(AttachmentError) as refusal:
        Attachment.from_file(Unreadable(error))

    assert str(refusal.value) == f"attachment 'plan.pdf': {why}"


def test_the_error_of_the_operating_system_is_the_cause() -> None:
    error = PermissionError(13, "Permission denied")

    with pytest.raises(AttachmentError) as refusal:
        Attachment.from_file(Unreadable(error))

    assert refusal.value.__cause__ is error


@pytest.mark.parametrize(
    "read",
    [
        lambda path: Attachment.from_path(path, max_bytes=7),
        lambda _path: Attachment.from_file(io.BytesIO(PNG), "picture.png", max_bytes=7),
    ],
)
def test_a_file_larger_than_the_limit_is_refused(
    path: Path, read: Callable[[Path], Attachment]
) -> None:
    with pytest.raises(AttachmentError, match=r"picture.png': larger than 7 bytes$"):
        read(path)


def test_a_file_as_large_as_the_limit_is_taken(path: Path) -> None:
    assert Attachment.from_path(path, max_bytes=8).content == PNG


def test_a_file_without_end_is_read_no_further_than_the_limit() -> None:
    with pytest.raises(AttachmentError, match="larger than 1000 bytes"):
        Attachment.from_path("/dev/zero", max_bytes=1000)


def test_a_file_object_is_read_from_where_it_stands_and_left_open(path: Path) -> None:
    with path.open("rb") as file:
        file.seek(1)

        attachment = Attachment.from_file(file)

        assert (attachment, file.closed) == (Attachment("picture.png", PNG[1:]), False)


def test_a_pipe_is_read_to_its_end_though_it_gives_a_piece_at_a_time() -> None:
    reading, writing = os.pipe()
    pieces = [b"a" * 70_000, b"b" * 70_000]

    def write() -> None:
        with os.fdopen(writing, "wb", buffering=0) as pipe:
            for piece in pieces:
                pipe.write(piece)

    writer = threading.Thread(target=write)
    writer.start()

    with os.fdopen(reading, "rb", buffering=0) as pipe:
        attachment = Attachment.from_file(cast(BinaryIO, pipe), "dump.bin")
    writer.join()

    assert attachment.content == b"".join(pieces)


@pytest.mark.parametrize(
    "open_as_text",
    [
        lambda path: path.open(encoding="ascii"),
        lambda path: path.open(encoding="latin-1"),
        lambda _path: io.StringIO("text"),
    ],
    ids=["undecodable", "decodable", "in memory"],
)
def test_a_file_opened_as_text_is_refused(path: Path, open_as_text: Callable[[Path], Any]) -> None:
    with (
        open_as_text(path) as file,
        pytest.raises(AttachmentError, match=r"'a\.txt': opened as text; open it with mode 'rb'$"),
    ):
        Attachment.from_file(file, "a.txt")


def test_a_temporary_file_opened_as_text_is_refused() -> None:
    with tempfile.NamedTemporaryFile("w+") as file:
        file.write("text")
        file.seek(0)

        with pytest.raises(AttachmentError, match="opened as text"):
            Attachment.from_file(cast(BinaryIO, file), "a.txt")


def test_a_file_object_without_a_name_asks_for_one() -> None:
    with pytest.raises(AttachmentError) as refusal:
        Attachment.from_file(io.BytesIO(PNG))

    assert str(refusal.value) == "attachment '<file object>': it has no name; pass name='…'"


def test_a_file_object_named_by_a_number_asks_for_a_name(path: Path) -> None:
    with (
        os.fdopen(os.open(path, os.O_RDONLY), "rb") as file,
        pytest.raises(AttachmentError, match="it has no name"),
    ):
        Attachment.from_file(file)


def test_a_name_given_wins_over_that_of_the_file_object(path: Path) -> None:
    with path.open("rb") as file:
        assert Attachment.from_file(file, "other.png").name == "other.png"


@pytest.mark.parametrize(
    "name", ["", ".", "..", "/etc/passwd", "a/b", "a/", "..\\evil.exe", "C:\\a.txt", None, 5]
)
def test_a_name_that_is_not_a_plain_file_name_is_refused(name: Any) -> None:
    with pytest.raises(AttachmentError) as refusal:
        Attachment(name, PNG)

    assert str(refusal.value) == f"attachment {name!r}: the name must be a plain file name"


@pytest.mark.parametrize("name", ["a\nb.txt", "a\x00", "a\x7f", "a\u2028b", "a\udcff.txt"])
def test_a_name_with_control_characters_is_refused(name: str) -> None:
    with pytest.raises(AttachmentError) as refusal:
        Attachment(name, PNG)

    assert str(refusal.value) == f"attachment {name!r}: the name holds control characters"


@pytest.mark.parametrize(
    "name", ["план.pdf", ".env", "a b.txt", "10.00\u202fAM.png", "...", "a..b", 'say "hi".txt']
)
def test_a_plain_name_of_any_language_is_taken(name: str) -> None:
    assert Attachment(name, PNG).name == name


@pytest.mark.parametrize(("content", "kind"), [("text", "str"), (bytearray(b"a"), "bytearray")])
def test_a_content_that_is_not_bytes_is_refused(content: Any, kind: str) -> None:
    with pytest.raises(AttachmentError) as refusal:
        Attachment("a.txt", content)

    assert str(refusal.value) == f"attachment 'a.txt': the content is {kind}, not bytes"


def test_an_attachment_shows_its_name_and_size_but_not_its_bytes() -> None:
    shown = repr(Attachment("a.txt", b"canary"))

    assert shown == "Attachment(name='a.txt', content=<6 bytes>)"


def test_an_attachment_cannot_be_changed() -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Attachment("a.txt", PNG).content = b""  # type: ignore[misc]


def test_one_or_many_paths_and_attachments_become_attachments(path: Path) -> None:
    expected = Attachment("picture.png", PNG)

    assert [
        attachments_of(given) for given in (path, str(path), expected, [path, expected], ())
    ] == [
        (expected,),
        (expected,),
        (expected,),
        (expected, expected),
        (),
    ]


@pytest.mark.parametrize(("value", "kind"), [(b"bytes", "bytes"), (None, "NoneType"), ([5], "int")])
def test_what_is_neither_path_nor_attachment_is_refused(value: object, kind: str) -> None:
    with pytest.raises(AttachmentError) as refusal:
        attachments_of(value)

    assert str(refusal.value) == (
        f"attachment {kind!r}: give an Attachment, a path, or a list of them"
    )


@pytest.mark.parametrize("several", [False, True])
def test_an_open_file_is_refused_with_the_way_to_give_it(several: bool) -> None:
    file = io.BytesIO(b"bytes")

    with pytest.raises(AttachmentError) as refusal:
        attachments_of([file] if several else file)

    assert str(refusal.value) == (
        "attachment 'BytesIO': give an Attachment, a path, or a list of them; "
        "for an open file use Attachment.from_file"
    )
