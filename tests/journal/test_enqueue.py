"""Enqueueing in a transaction of the application: a message exists exactly when its data do."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from time import sleep

import attrs
import pytest

from notify_core.errors import JournalError, KeyConflict, RecipientError
from notify_core.journal.enlist import Dialect
from notify_core.journal.model import Filter
from notify_core.message import Sms
from notify_core.notifier import Notifier
from notify_core.testing import ManualClock, ScriptedProvider, notifier_with
from tests.journal.making import config_with, empty
from tests.journal.test_enlist import (
    KINDS,
    Kind,
    rolled_back,
    with_engine_begin,
    with_psycopg,
    with_sqlite3,
)

MESSAGE = Sms(to=["+79990000001", "+79990000002"], text="your order is on its way")
KEYED = attrs.evolve(MESSAGE, key="order-17")
ONE_OF_EACH = [Kind(Dialect.SQLITE, with_sqlite3), Kind(Dialect.POSTGRESQL, with_psycopg)]

every_kind = pytest.mark.parametrize("kind", KINDS, ids=str)
one_of_each = pytest.mark.parametrize("kind", ONE_OF_EACH, ids=str)


@attrs.frozen
class Shop:
    """An application whose database the journal is in."""

    notifier: Notifier
    provider: ScriptedProvider
    clock: ManualClock

    def stored(self) -> set[str]:
        """The ids of all deliveries that anybody can see."""
        return {entry.id for entry in self.notifier.journal.search(Filter(limit=999))}

    def sent(self) -> list[str]:
        """Have a worker send what is due; return which deliveries a provider was given by then."""
        self.notifier.worker().work_off()
        return [attempt.delivery_id for _, attempt in self.provider.sent]


@pytest.fixture
def url(kind: Kind, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database with an empty journal."""
    if kind.dialect is Dialect.SQLITE:
        yield f"sqlite:///{tmp_path / 'application.db'}"
        return
    url: str = request.getfixturevalue("postgresql_url")
    yield url
    empty(url)


@pytest.fixture
def shop(url: str) -> Iterator[Shop]:
    provider, clock = ScriptedProvider(), ManualClock()
    with notifier_with(config_with(url, provider), clock=clock) as notifier:
        yield Shop(notifier, provider, clock)


def fresh(message: Sms) -> Sms:
    """The same message as another process, or the same one later, makes it."""
    return attrs.evolve(message, id=f"again-{id(object())}")


# --- with every kind of connection ----------------------------------------------------------


@every_kind
def test_what_the_application_commits_is_sent_once(kind: Kind, url: str, shop: Shop) -> None:
    """One delivery for each recipient, and nobody sees them before."""
    with kind.transaction(url) as connection:
        ids = shop.notifier.enqueue(MESSAGE, connection=connection)
        before = shop.stored()

    assert before == set()
    assert shop.stored() == set(ids)
    assert sorted(shop.sent()) == sorted(ids)
    assert len(ids) == 2


@every_kind
def test_what_the_application_rolls_back_never_was(kind: Kind, url: str, shop: Shop) -> None:
    """Nor was its key, which is free for the next attempt."""
    with rolled_back(kind, url) as connection:
        shop.notifier.enqueue_many([KEYED, MESSAGE], connection=connection)

    assert shop.stored() == set()
    assert shop.sent() == []
    assert set(shop.notifier.enqueue(fresh(KEYED))) == shop.stored()


@every_kind
def test_a_key_of_the_same_transaction_stands_for_its_deliveries(
    kind: Kind, url: str, shop: Shop
) -> None:
    """Though nobody else can see them yet."""
    with kind.transaction(url) as connection:
        first = shop.notifier.enqueue(KEYED, connection=connection)
        second = shop.notifier.enqueue(fresh(KEYED), connection=connection)

    assert second == first
    assert shop.stored() == set(first)


@every_kind
def test_a_key_that_is_taken_leaves_the_transaction_as_it_is(
    kind: Kind, url: str, shop: Shop
) -> None:
    """What else is enqueued in it is committed with it."""
    first = shop.notifier.enqueue(KEYED)

    with kind.transaction(url) as connection:
        second = shop.notifier.enqueue(fresh(KEYED), connection=connection)
        (other,) = shop.notifier.enqueue_many([MESSAGE], connection=connection)

    assert second == first
    assert shop.stored() == {*first, *other}


@every_kind
def test_a_key_of_another_message_leaves_nothing_in_the_transaction(
    kind: Kind, url: str, shop: Shop
) -> None:
    """Not even the keys of the messages that were to go with it, though all else is committed."""
    first = shop.notifier.enqueue(KEYED)
    other = attrs.evolve(MESSAGE, key="order-18")

    with kind.transaction(url) as connection, pytest.raises(KeyConflict):
        shop.notifier.enqueue_many(
            [other, MESSAGE, attrs.evolve(KEYED, text="something else")], connection=connection
        )

    assert shop.stored() == set(first)
    again = shop.notifier.enqueue(fresh(other))
    assert shop.stored() == {*first, *again}
    assert len(again) == 2


# --- many at once ---------------------------------------------------------------------------


@one_of_each
def test_many_are_written_in_one_transaction(kind: Kind, url: str, shop: Shop) -> None:
    messages = [Sms(to="+79990000001", text=f"number {number}") for number in range(50)]

    with kind.transaction(url) as connection:
        ids = shop.notifier.enqueue_many(messages, connection=connection)

    assert [len(each) for each in ids] == [1] * 50
    assert shop.stored() == {delivery_id for (delivery_id,) in ids}
    assert [message.body for message, _ in shop.provider.sent] == []
    shop.sent()
    assert {message.body for message, _ in shop.provider.sent} == {
        message.text for message in messages
    }


@one_of_each
def test_one_that_cannot_be_sent_keeps_all_of_them_out(kind: Kind, url: str, shop: Shop) -> None:
    with kind.transaction(url) as connection, pytest.raises(RecipientError):
        shop.notifier.enqueue_many([MESSAGE, Sms(text="to nobody")], connection=connection)

    assert shop.stored() == set()


@one_of_each
def test_none_of_many_is_nothing(kind: Kind, url: str, shop: Shop) -> None:
    with kind.transaction(url) as connection:
        assert shop.notifier.enqueue_many([], connection=connection) == []

    assert shop.stored() == set()


@one_of_each
def test_the_same_key_twice_in_one_batch_is_one_message(kind: Kind, url: str, shop: Shop) -> None:
    """In a transaction of the application, and in one of the journal."""
    for number, connect in enumerate((True, False)):
        messages = [attrs.evolve(KEYED, key=f"order-{number}") for _ in range(3)]

        ids = enqueued(kind, url, shop, [fresh(each) for each in messages], connect=connect)

        assert ids[0] == ids[1] == ids[2]
        assert set(ids[0]) <= shop.stored()
        assert len(shop.stored()) == 2 * (number + 1)


def enqueued(
    kind: Kind, url: str, shop: Shop, messages: list[Sms], *, connect: bool
) -> list[tuple[str, ...]]:
    if not connect:
        return list(shop.notifier.enqueue_many(messages))
    with kind.transaction(url) as connection:
        return list(shop.notifier.enqueue_many(messages, connection=connection))


@one_of_each
@pytest.mark.parametrize("connect", [True, False], ids=["in a transaction", "by itself"])
def test_one_key_for_two_messages_of_a_batch_is_refused(
    kind: Kind, url: str, shop: Shop, connect: bool
) -> None:
    messages = [MESSAGE, KEYED, attrs.evolve(KEYED, text="something else")]

    with pytest.raises(KeyConflict) as caught:
        enqueued(kind, url, shop, messages, connect=connect)

    assert (caught.value.key, caught.value.message_id) == ("order-17", KEYED.id)
    assert shop.stored() == set()


@one_of_each
@pytest.mark.parametrize("connect", [True, False], ids=["in a transaction", "by itself"])
def test_known_keys_and_new_ones_of_a_batch_are_told_apart(
    kind: Kind, url: str, shop: Shop, connect: bool
) -> None:
    """The ids come in the order of the messages, those of the first for a key that is known."""
    first = shop.notifier.enqueue(KEYED)
    batch = [attrs.evolve(MESSAGE, key="order-18"), fresh(KEYED), attrs.evolve(MESSAGE, id="x")]

    ids = enqueued(kind, url, shop, batch, connect=connect)

    assert ids[1] == first
    assert shop.stored() == {*first, *ids[0], *ids[2]}


@one_of_each
def test_a_key_whose_time_is_over_is_free_in_a_transaction(
    kind: Kind, url: str, shop: Shop
) -> None:
    first = shop.notifier.enqueue(KEYED)
    shop.clock.advance(86_400)

    (second,) = enqueued(kind, url, shop, [fresh(KEYED)], connect=True)

    assert shop.stored() == {*first, *second}


# --- what goes wrong ------------------------------------------------------------------------


@one_of_each
def test_a_database_without_the_journal_is_told(
    kind: Kind, shop: Shop, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The transaction of the application is in another database than the journal."""
    other = f"sqlite:///{tmp_path / 'other.db'}"
    if kind.dialect is Dialect.POSTGRESQL:
        other = request.getfixturevalue("postgres_url")

    with (
        suppress(Exception),
        kind.transaction(other) as connection,
        pytest.raises(JournalError, match=r"no such table|does not exist"),
    ):
        shop.notifier.enqueue(MESSAGE, connection=connection)

    assert shop.stored() == set()


@pytest.mark.parametrize("kind", [Kind(Dialect.POSTGRESQL, with_engine_begin)], ids=str)
def test_a_key_that_another_transaction_is_using_is_waited_for(
    kind: Kind, url: str, shop: Shop
) -> None:
    """Its commit makes it known, its rollback leaves it free."""
    with ThreadPoolExecutor(1) as pool:
        with rolled_back(kind, url) as connection:
            shop.notifier.enqueue(KEYED, connection=connection)
            later = pool.submit(shop.notifier.enqueue, fresh(KEYED))
            sleep(0.2)
            waits = not later.done()

        ids = later.result()

    assert waits
    assert shop.stored() == set(ids)
