"""To whom nothing is sent: those who said stop, and those who never agreed.

The list is in the journal. Nobody keeps a copy of it, so that what is written to it holds for the
next attempt of every process.
"""

from __future__ import annotations

import csv
import logging
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from itertools import islice
from tempfile import SpooledTemporaryFile
from typing import IO, Final

from notify_core.callback import Incoming, IncomingKind
from notify_core.clock import Clock
from notify_core.config.sections import Suppression
from notify_core.contact import mask
from notify_core.errors import ListError, Problem, RecipientError
from notify_core.journal.base import Journal
from notify_core.journal.listing import COLUMNS, Row, RowReader, row_of
from notify_core.journal.suppressions import Kind, Listed, Source, SuppressionTable
from notify_core.phones import PhoneNumbers
from notify_core.policy.words import Said, Words
from notify_core.validate import CONTROL_CHARACTERS, require_line, require_text

_log = logging.getLogger(__name__)

__all__ = ["Kind", "Listed", "Source", "Suppressions"]


class Suppressions:
    """The suppression list, and what the configuration makes of it.

    Addresses are given in any form: numbers are read as those of recipients are, e-mail addresses
    and names in Telegram are the same in capitals. Every method raises ``JournalError``, those
    that take an address ``RecipientError`` if it cannot be one, and a tag ``MessageError``.
    """

    def __init__(
        self, journal: Journal, config: Suppression, phones: PhoneNumbers, clock: Clock
    ) -> None:
        self._table = SuppressionTable(journal.database)
        self._config = config
        self._phones = phones
        self._clock = clock

    # --- what decides -----------------------------------------------------------------------

    def against(self, address: str, tags: Collection[str]) -> str | None:
        """Return what stands against a message with these tags to this address, or None.

        Asked before every attempt, about an address as the plan has it. What is returned holds
        neither the address nor anybody's words.
        """
        if not self._always.isdisjoint(tags):
            return None
        return objection(self._table.of(folded(address)), tags, self._config.consent)

    def said(self, incoming: Incoming) -> Said | None:
        """Return which of the words a message says; None if it says none of them."""
        is_text = incoming.kind is IncomingKind.MESSAGE
        return self._words.said(incoming.text) if is_text else None

    def hear(self, incoming: Incoming, since: datetime | None = None) -> None:
        """Put the sender on the list if the message says stop, and take him off if it says start.

        Given is what can be believed: anybody else could lift a suppression. A message that is
        heard twice has no further effect, nor has a start word that was not said after the last
        stop word. ``since`` is given if all that is known of the time of a message is that it was
        said after that: then a start word takes back only what was said before it.
        """
        said = self.said(incoming)
        address = self._address_of_sender(incoming.sender) if said else None
        if address is None:
            return
        said_at = min(incoming.sent_at or incoming.received_at or self._now(), self._now())
        if said is Said.STOP:
            self._stop(address, said_at)
        else:
            # When in doubt the suppression stays: a start word can be said again.
            self._start(address, said_at if since is None else min(said_at, since + _LEAST))

    # --- what people decide -----------------------------------------------------------------

    def add(
        self,
        address: str,
        tag: str | None = None,
        *,
        reason: str = "",
        source: Source = Source.OPERATOR,
    ) -> None:
        """Let nothing be sent to an address any more, or nothing with a tag."""
        self._put(address, Kind.SUPPRESSED, tag, source, reason)

    def remove(self, address: str, tag: str | None = None) -> Sequence[Listed]:
        """Take an address off the list, whoever has put it there; return what is gone.

        Without a tag what is about every message is removed, and what is about a tag stays.
        """
        return self._table.remove(self._listed_as(address), Kind.SUPPRESSED, _checked(tag))

    def consent(
        self, address: str, tag: str, source: Source = Source.PERSON, *, reason: str = ""
    ) -> None:
        """Keep that somebody has agreed to messages with a tag; ``reason`` says where.

        It takes back nothing: who has said stop gets nothing until he is removed from the list.
        """
        require_text("a tag", tag)
        self._put(address, Kind.CONSENT, tag, source, reason)

    def withdraw(self, address: str, tag: str) -> Sequence[Listed]:
        """Forget that somebody has agreed to messages with a tag; return what is gone."""
        return self._table.remove(self._listed_as(address), Kind.CONSENT, _checked(tag))

    # --- what is on the list ----------------------------------------------------------------

    def state(self, address: str) -> Sequence[Listed]:
        """Return all that is on the list about an address."""
        return self._table.of(self._listed_as(address))

    def refusal(self, address: str, tags: Collection[str] = ()) -> str | None:
        """Return what ``against`` says, of an address in any form."""
        return self.against(self._listed_as(address), tags)

    def entries(self) -> Iterator[Listed]:
        """Yield the whole list, by address."""
        return self._table.all()

    def export_to(self, file: IO[str]) -> int:
        """Write the whole list as CSV; return how many rows there are. ADDRESSES ARE SHOWN."""
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        count = 0
        for listed in self.entries():
            writer.writerow(row_of(listed))
            count += 1
        return count

    def import_from(self, lines: Iterable[str], name: str = "the list") -> int:
        """Read rows of CSV, such as ``export_to`` writes, and return how many there are.

        Every row is read before the first is written. Raises ``ListError`` with what is wrong, and
        then nothing is written. If the journal fails in the middle some rows are written: read the
        same file in again, which changes nothing about them.
        """
        reader = RowReader(name, self._listed_as, self._now())
        # What was read lies in a file of its own: a list can be larger than the memory, and its
        # lines may come from where they cannot be read twice.
        with SpooledTemporaryFile(_IN_MEMORY, "w+", encoding="utf-8", newline="") as checked:
            _check(reader.read(lines), checked)
            checked.seek(0)
            rows = (row for row in reader.read(checked) if isinstance(row, Row))
            return sum(self._written(page) for page in _pages(rows))

    # --- within -----------------------------------------------------------------------------

    @cached_property
    def _always(self) -> frozenset[str]:
        return frozenset(self._config.always)

    @cached_property
    def _words(self) -> Words:
        # 10 ms, which only a process pays that is told what comes in.
        config = self._config
        return Words.known(config.stop_words, config.start_words, config.ignored_words)

    @property
    def _tags(self) -> Sequence[str | None]:
        return self._config.tags or (None,)

    def _now(self) -> datetime:
        return self._clock.now()

    def _stop(self, address: str, said_at: datetime) -> None:
        listed = [
            Listed(address=address, tag=tag, source=Source.MESSAGE, created_at=said_at)
            for tag in self._tags
        ]
        self._table.put(listed)
        _log.info("%s said stop; nothing is sent there of what it is about", mask(address))

    def _start(self, address: str, said_at: datetime) -> None:
        count = self._table.take_back(address, self._tags, said_at)
        _log.info("%s said start; %d suppressions are lifted", mask(address), count)

    def _put(self, address: str, kind: Kind, tag: str | None, source: Source, reason: str) -> None:
        require_line("reason", reason)
        listed = Listed(
            address=self._listed_as(address),
            kind=kind,
            tag=_checked(tag),
            source=source,
            reason=reason,
            created_at=self._now(),
        )
        self._table.put([listed])

    def _written(self, page: Sequence[Row]) -> int:
        for is_dated in (True, False):
            listed = [row.listed for row in page if row.is_dated is is_dated]
            self._table.put(listed, renews=is_dated)
        return len(page)

    def _listed_as(self, given: str) -> str:
        """Return an address as the list has it. Raises ``RecipientError``."""
        given = given.strip()
        if not given or CONTROL_CHARACTERS.search(given):
            raise RecipientError("an address is empty, or holds control characters")
        if _NUMBER.fullmatch(given):
            return self._phones.normalise(given).number
        if _is_spoilt_number(given):
            raise RecipientError(f"{mask(given)!r} is no phone number; write it as +79991234567")
        return folded(given)

    def _address_of_sender(self, given: str) -> str | None:
        """Return a sender as the list has him, or None for what cannot be one.

        Gateways tell numbers in international form, but often without the plus sign.
        """
        given = given.strip()
        if not 0 < len(given) <= _LONGEST:
            return None
        for tried in (f"+{given}", given) if _DIGITS.fullmatch(given) else (given,):
            try:
                return self._listed_as(tried)
            except RecipientError:
                continue
        return folded(given) if given.isprintable() else None


def objection(
    listed: Sequence[Listed], tags: Collection[str], needs_consent: Collection[str]
) -> str | None:
    """Return what the list has against a message with these tags, or None. Pure."""
    agreed = {each.tag for each in listed if each.kind is Kind.CONSENT}
    for each in listed:
        if each.kind is Kind.SUPPRESSED and (each.tag is None or each.tag in tags):
            return _told(each)
    lacking = sorted({*needs_consent}.intersection(tags) - agreed)
    return f"has not agreed to {lacking[0]!r}" if lacking else None


def _told(listed: Listed) -> str:
    about = "" if listed.tag is None else f", about {listed.tag!r}"
    return f"{_WORDS[listed.source]} on {listed.created_at:%Y-%m-%d}{about}"


_LEAST: Final = timedelta(milliseconds=1)
"""The list knows no shorter time."""

_WORDS: Final = {
    Source.MESSAGE: "said stop",
    Source.PERSON: "asked to be sent nothing",
    Source.OPERATOR: "was suppressed by an operator",
}


# --- addresses ------------------------------------------------------------------------------

_NUMBER: Final = re.compile(r"(?=(?:[^0-9]*[0-9]){3})\+?[0-9 ()./\-]+")
_DIGITS: Final = re.compile(r"[0-9]{7,15}")
_TELEGRAM_NAME: Final = re.compile(r"@[A-Za-z0-9_]+")
_LONGEST: Final = 320
"""No address of a mailbox is longer, and none of another kind that anybody has."""


def folded(address: str) -> str:
    """Return one form for all spellings of an address; a number must be in international form.

    That a mailbox has capitals which matter is allowed and hardly found; two people whose
    addresses differ in nothing else would at worst be suppressed both.
    """
    local, at, domain = address.rpartition("@")
    if at and local:
        local = unicodedata.normalize("NFC", local)
        return f"{local}@{_ascii_domain(domain)}".casefold()
    return address.lower() if _TELEGRAM_NAME.fullmatch(address) else address


def _ascii_domain(domain: str) -> str:
    if domain.isascii():
        return domain
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return domain


def _is_spoilt_number(address: str) -> bool:
    """Tell whether somebody meant a number: a spreadsheet has shortened it, or quoted it."""
    if address.startswith(("@", "#")):
        return False
    digits = sum(each.isdecimal() for each in address)
    return digits >= _DIGITS_OF_A_NUMBER and not any(
        each.isalpha() and each not in "eE" for each in address
    )


_DIGITS_OF_A_NUMBER: Final = 5


def _checked(tag: str | None) -> str | None:
    if tag is not None:
        require_line("a tag", tag)
        require_text("a tag", tag)
    return tag


# --- reading in -----------------------------------------------------------------------------

_IN_MEMORY: Final = 1 << 22
_PAGE_SIZE: Final = 500
_MOST_PROBLEMS: Final = 100


def _check(rows: Iterator[Row | Problem], checked: IO[str]) -> None:
    """Copy the rows, once all of them are known to be right. Raises ``ListError``."""
    writer = csv.writer(checked)
    writer.writerow(COLUMNS)
    problems: list[Problem] = []
    for row in rows:
        if isinstance(row, Problem):
            problems.append(row)
            if len(problems) == _MOST_PROBLEMS:
                break
        elif not problems:
            writer.writerow(_undated(row))
    if problems:
        raise ListError(problems)


def _undated(row: Row) -> Sequence[str]:
    """Return what is written of a row, with a time only if it has one of its own."""
    *facts, created_at = row_of(row.listed)
    return (*facts, created_at if row.is_dated else "")


def _pages(rows: Iterator[Row]) -> Iterator[Sequence[Row]]:
    while page := list(islice(rows, _PAGE_SIZE)):
        yield page
