"""The suppression list as a file: CSV with a header, one row for each thing that is on it."""

from __future__ import annotations

import csv
import enum
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeVar

import attrs

from notify_core.errors import Problem
from notify_core.journal.suppressions import Kind, Listed, Source
from notify_core.validate import require_line

E = TypeVar("E", bound=enum.Enum)

COLUMNS: Final = ("address", "kind", "tag", "source", "reason", "created_at")
"""The header of an export. An import needs the first alone, and takes them in any order."""


def row_of(listed: Listed) -> Sequence[str]:
    """Return what is written of one thing on the list, in the order of the columns."""
    return (
        listed.address,
        listed.kind.value,
        listed.tag or "",
        listed.source.value,
        listed.reason,
        listed.created_at.isoformat(),
    )


@attrs.frozen
class Row:
    """A row that was read. ``is_dated`` says that it tells itself when it was made."""

    listed: Listed
    is_dated: bool


class RowReader:
    """Read the rows of a list.

    ``name`` is that of the file in the problems; ``address_of`` makes an address what it is on the
    list, or raises ``ValueError``. A row that does not say when was made ``now``.
    """

    def __init__(self, name: str, address_of: Callable[[str], str], now: datetime) -> None:
        self._name = name
        self._address_of = address_of
        self._now = now

    def read(self, lines: Iterable[str]) -> Iterator[Row | Problem]:
        """Yield each row, or what is wrong with it. Nothing is read below a wrong header."""
        rest = iter(lines)
        header = next(rest, "").removeprefix("\ufeff")
        # Spreadsheets write semicolons where the decimal sign is a comma.
        separator = ";" if ";" in header and "," not in header else ","
        names = [name.strip(' "\r\n').lower() for name in header.split(separator)]
        if problem := _problem_of_header(names):
            yield Problem(self._name, 1, 1, "", problem)
        else:
            yield from self._rows(rest, names, separator)

    def _rows(
        self, lines: Iterable[str], names: Sequence[str], separator: str
    ) -> Iterator[Row | Problem]:
        reader = csv.reader(lines, delimiter=separator, strict=True)
        try:
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    yield self._row(names, cells, reader.line_num + 1)
        except csv.Error as error:  # where the next row begins cannot be told
            message = f"is not CSV: {error}; nothing was read from here on"
            yield Problem(self._name, reader.line_num + 1, 1, "", message)

    def _row(self, names: Sequence[str], cells: Sequence[str], number: int) -> Row | Problem:
        try:
            if len(cells) > len(names):
                raise ValueError(f"there are {len(cells)} cells, and {len(names)} columns")
            given = dict(zip(names, map(str.strip, cells), strict=False))
            listed = self._listed(dict.fromkeys(COLUMNS, "") | given)
        except ValueError as error:
            return Problem(self._name, number, 1, "", str(error))
        return Row(listed, is_dated=bool(given.get("created_at")))

    def _listed(self, given: Mapping[str, str]) -> Listed:
        require_line("tag", given["tag"])
        require_line("reason", given["reason"])
        listed = Listed(
            address=self._address_of(given["address"]),
            kind=_member("kind", given["kind"], Kind.SUPPRESSED),
            tag=given["tag"] or None,
            source=_member("source", given["source"], Source.OPERATOR),
            reason=given["reason"],
            created_at=self._moment(given["created_at"]),
        )
        if listed.kind is Kind.CONSENT and listed.tag is None:
            raise ValueError("tag is empty; consent is to a tag")
        return listed

    def _moment(self, text: str) -> datetime:
        moment = _time_of(text) if text else self._now
        if moment > self._now:  # no word of the person could take it back until then
            raise ValueError(f"created_at: {text!r} is still to come")
        return moment


def _time_of(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.utcoffset() is None:
        raise ValueError(f"created_at: {text!r} is no time like 2030-01-31T12:00:00+03:00")
    return moment


def _member(column: str, text: str, default: E) -> E:
    try:
        return type(default)(text) if text else default
    except ValueError:
        known = ", ".join(str(each.value) for each in type(default))
        raise ValueError(f"{column}: {text!r} is not known; known: {known}") from None


def _problem_of_header(names: Sequence[str]) -> str | None:
    if "address" not in names:
        return f"has no column address; begin the file with: {','.join(COLUMNS)}"
    if strange := [name for name in names if name not in COLUMNS]:
        return f"{strange[0]!r} is not a column; known: {', '.join(COLUMNS)}"
    if len(set(names)) < len(names):
        return "names a column twice"
    return None
