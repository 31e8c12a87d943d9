"""What was decided for the deliveries of a journal, read from both databases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import attrs
import psycopg
import pytest

from notify_core.delivery import Attempt, LegResult, Stage
from notify_core.errors import JournalError
from notify_core.journal.model import Entry
from notify_core.journal.recorded import (
    Recorded,
    RecordedLeg,
    RecordedReader,
    Spent,
    source_of,
)
from notify_core.journal.statements import PURGE_ROW
from notify_core.message import Sms
from notify_core.outcome import (
    Accepted,
    FailureScope,
    NotSent,
    Outcome,
    Receipt,
    RefusalScope,
    Refused,
    Unknown,
)
from notify_core.progress import Progress, attempt_of
from notify_core.routing import Facts
from tests.journal.making import NOW, waiting
from tests.recorded_messages import fill, rows_of

FACTS = Facts(channel="sms", tags=frozenset({"otp"}), number="+799912…", country="RU")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'notify.db'}"
    return str(request.getfixturevalue("postgres_url"))


def paid(cost: str | None, currency: str | None = "RUB", said: object = None) -> Accepted:
    amount = None if cost is None else Decimal(cost)
    raw = {} if said is None else {"said": said}
    return Accepted(
        Receipt(provider="a", address="+79991234567", cost=amount, currency=currency, raw=raw)
    )


def ended(*answers: Outcome, resolved: Outcome | None = None) -> Entry:
    """Return a delivery of one leg that has ended after these answers."""
    entry = waiting(Sms(to="+79991234567", text="the words of the message"))
    entry = attrs.evolve(entry, plan=attrs.evolve(entry.plan, facts=FACTS))
    attempts = [_attempt(entry, number, each) for number, each in enumerate(answers, start=1)]
    if resolved is not None:
        attempts[-1] = attrs.evolve(attempts[-1], resolved=resolved)
    last = attempts[-1].outcome
    assert last is not None
    result = LegResult(channel="sms", outcome=last, attempts=tuple(attempts))
    progress = Progress(ended=True, waiting=(), open=(), done=(result,))
    return attrs.evolve(entry, progress=progress, stage=Stage.ENDED, due_at=None)


def _attempt(entry: Entry, number: int, answer: Outcome) -> Attempt:
    return attempt_of(
        entry.plan,
        0,
        number=number,
        provider="a",
        started_at=NOW,
        answer=answer,
        finished_at=NOW,
    )


def read(url: str, entries: Sequence[Entry], count: int = 1) -> list[Recorded]:
    """Write so many rows of deliveries of the last week, and read them."""
    since = NOW - timedelta(days=7)
    fill(url, (row for _, row in rows_of(entries, count, since, NOW)))
    return list(RecordedReader(url).between(since, NOW))


def test_what_routes_look_at_is_read_and_neither_text_nor_address(url: str) -> None:
    (found,) = read(url, [ended(paid("2.50"))])

    assert found.facts == FACTS
    assert found.legs == (RecordedLeg(channel="sms", providers=("a",)),)
    assert found.draw == f"{0:024x}-1"
    assert "9991234567" not in repr(found)


@pytest.mark.parametrize(
    ("answers", "resolved", "cost"),
    [
        ((paid("2.50"),), None, Decimal("2.50")),
        ((NotSent("later", FailureScope.PROVIDER), paid("2.50")), None, Decimal("2.50")),
        ((Unknown("cut"),), paid("3"), Decimal("3")),
        ((paid(None),), None, None),
        ((Refused("no", RefusalScope.RECIPIENT),), None, None),
    ],
    ids=["at once", "the second time", "found out later", "not told", "refused"],
)
def test_what_an_accepted_attempt_has_cost_is_read(
    url: str, answers: tuple[Outcome, ...], resolved: Outcome | None, cost: Decimal | None
) -> None:
    (found,) = read(url, [ended(*answers, resolved=resolved)])

    expected = [] if cost is None else [(("a", "sms"), cost, "RUB")]
    assert [((each.provider, each.channel), each.cost, each.currency) for each in found.spent] == (
        expected
    )


def test_a_currency_that_was_not_told_stays_unknown(url: str) -> None:
    (found,) = read(url, [ended(paid("1", currency=None))])

    assert found.spent == (Spent(provider="a", channel="sms", cost=Decimal(1), currency=None),)


def test_an_answer_with_a_zero_character_spoils_nothing(url: str) -> None:
    """PostgreSQL cannot look into it; SQLite can."""
    (found,) = read(url, [ended(paid("1", said="\0"))])

    assert found.facts == FACTS
    assert len(found.spent) <= 1


def test_what_an_earlier_version_stored_has_no_facts(url: str) -> None:
    entry = ended(paid("1"))

    (found,) = read(url, [attrs.evolve(entry, plan=attrs.evolve(entry.plan, facts=None))])

    assert found.facts is None


def test_a_database_without_a_journal_is_refused_and_stays_without(postgres_url: str) -> None:
    with pytest.raises(JournalError, match="this is no journal: there are no tables of one"):
        RecordedReader(postgres_url)

    with psycopg.connect(postgres_url.replace("+psycopg", "")) as server:
        assert server.execute("SELECT to_regclass('notify_schema')").fetchone() == (None,)


def test_nothing_can_be_written_where_a_journal_is_read(url: str) -> None:
    """Should a statement ever try: both databases refuse it."""
    read(url, [ended(paid("1"))])

    with pytest.raises(JournalError, match=r"read-?only"):
        source_of(url).read(lambda executor: executor.execute(PURGE_ROW, {"id": "1"}))


def test_pages_leave_out_nothing_and_read_nothing_twice(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'notify.db'}"

    found = read(url, [ended(paid("1")), ended(paid("2"))], count=12_001)

    ids = [each.id for each in found]
    assert len(set(ids)) == 12_001
    assert ids == sorted(ids, reverse=True)
