"""What people write by hand: a table, a loop, and a state in each row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import requests
from databases import Place

from notify_core.config.model import Durability

Row = tuple[int, str, str]
"""A number that nobody else has, the phone and the text."""


class Outbox:
    """One table in a database of its own."""

    ADD = "INSERT INTO outbox (id, phone, text, state) VALUES (?, ?, ?, 'pending')"
    NEXT = "SELECT id, phone, text FROM outbox WHERE state = 'pending' ORDER BY id LIMIT 1"
    MARK = "UPDATE outbox SET state = ? WHERE id = ?"
    CLAIM = """
        UPDATE outbox SET state = 'sending' WHERE id = (
            SELECT id FROM outbox WHERE state = 'pending' ORDER BY id LIMIT 1 {lock}
        ) RETURNING id, phone, text
    """

    def __init__(self, place: Place, gateway: str, durability: Durability) -> None:
        self._place = place
        self._gateway = gateway
        self._url = place.new_url()
        self._durability = durability
        self._connection = self._connect()
        self._session = requests.Session()
        self._execute(
            "CREATE TABLE outbox (id BIGINT PRIMARY KEY, phone TEXT, text TEXT, state TEXT)"
        )
        self._execute("CREATE INDEX outbox_pending ON outbox (id) WHERE state = 'pending'")

    def add(self, rows: Iterable[Row]) -> None:
        """Write messages, and commit each."""
        for row in rows:
            self._execute(self.ADD, row)

    def add_many(self, rows: Iterable[Row]) -> None:
        """Write messages in one transaction."""
        self._execute("BEGIN")
        cursor = self._connection.cursor()
        cursor.executemany(self._place.statement(self.ADD), list(rows))
        self._execute("COMMIT")

    def loop(self) -> None:
        """Send what is pending, one after the other; each change of a state is committed."""
        while rows := self._execute(self.NEXT).fetchall():
            number = rows[0][0]
            self._execute(self.MARK, ("sending", number))
            post(self._session, self._gateway, *rows[0])
            self._execute(self.MARK, ("sent", number))

    def loops(self, threads: int) -> None:
        """Do so in threads, each with a connection and a session of its own."""
        with ThreadPoolExecutor(threads) as pool:
            for loop in [pool.submit(self._loop_of_thread) for _ in range(threads)]:
                loop.result()

    def _loop_of_thread(self) -> None:
        claim = self._place.statement(self.CLAIM.format(lock=self._place.lock))
        mark = self._place.statement(self.MARK)
        with closing(self._connect()) as connection, requests.Session() as session:
            while True:
                with self._place.turn:
                    rows = connection.execute(claim).fetchall()
                if not rows:
                    return
                post(session, self._gateway, *rows[0])
                with self._place.turn:
                    connection.execute(mark, ("sent", rows[0][0]))

    def _connect(self) -> Any:
        return self._place.connect(self._url, self._durability)

    def _execute(self, text: str, parameters: Sequence[object] = ()) -> Any:
        return self._connection.execute(self._place.statement(text), parameters)


def post(session: requests.Session, url: str, number: int, phone: str, text: str) -> None:
    """Send a message to the gateway, and see that it was taken."""
    form = {
        "login": "bench",
        "psw": "secret",
        "phones": phone,
        "mes": text,
        "id": number,
        "charset": "utf-8",
        "fmt": 3,
        "cost": 3,
        "op": 1,
    }
    response = session.post(url, data=form, timeout=30)
    response.raise_for_status()
    assert response.json()["id"] == number
