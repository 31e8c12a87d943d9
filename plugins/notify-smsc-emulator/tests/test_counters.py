"""What is counted, so that a test can say that a client never asks too often."""

import socket
from collections.abc import Callable
from decimal import Decimal
from time import monotonic

import pytest
import requests

from notify_smsc_emulator import Emulator, ManualClock, Settings
from notify_smsc_emulator.counters import Tally

Ask = Callable[..., requests.Response]

PHONE = "79990000001"


class TestWithRateRules:
    @pytest.fixture
    def settings(self) -> Settings:
        return Settings()

    def test_a_grouped_query_counts_for_each_message_in_it(
        self, send: Ask, ask: Ask, gateway: Emulator
    ) -> None:
        for message_id in (1, 2):
            send(id=message_id, mes=str(message_id))
        for _ in range(4):
            ask("status", id="1,2", phone=PHONE)
        ask("status", id=1, phone=PHONE)
        assert gateway.counters().most_status_queries == 5
        assert gateway.counters().too_often == 0
        assert ask("status", id="2,1", phone=PHONE).json()["error_code"] == 9

    def test_how_often_it_was_too_often_is_counted(
        self, send: Ask, ask: Ask, gateway: Emulator
    ) -> None:
        send(id=1)
        for _ in range(7):
            ask("status", id=1, phone=PHONE)
        counters = gateway.counters()
        assert (counters.too_often, counters.most_status_queries) == (2, 7)
        assert counters.requests == {"send": 1, "status": 7}
        assert counters.errors == {"status": {9: 2}}


def test_queries_are_counted_with_the_rules_switched_off(
    send: Ask, ask: Ask, gateway: Emulator
) -> None:
    send(id=1)
    for _ in range(7):
        ask("status", id=1, phone=PHONE)
    assert (gateway.counters().too_often, gateway.counters().most_status_queries) == (0, 7)


def test_queries_a_minute_apart_do_not_add_up(send: Ask, ask: Ask, gateway: Emulator) -> None:
    send(id=1)
    for _ in range(3):
        ask("status", id=1, phone=PHONE)
        gateway.advance(60)
    assert gateway.counters().most_status_queries == 1


def test_the_minute_of_the_rules_can_be_another() -> None:
    settings = Settings(rate_minute_s=1200)
    with Emulator(settings, clock=ManualClock()) as gateway, requests.Session() as session:
        for _ in range(6):
            gateway.advance(100)
            params = {"apikey": "test-key", "id": 1, "phone": PHONE, "fmt": 3}
            answer = session.post(f"{gateway.url}/sys/status.php", data=params, timeout=10)
        assert answer.json()["error_code"] == 9
        assert gateway.counters().most_status_queries == 6


def test_the_most_requests_at_once_are_counted(gateway: Emulator) -> None:
    gateway.fault("no_answer", times=2)
    question = b"GET /sys/balance.php?apikey=test-key HTTP/1.1\r\nHost: a\r\n\r\n"
    address = ("127.0.0.1", gateway.http_port)
    with socket.create_connection(address, 10) as one, socket.create_connection(address, 10) as two:
        one.sendall(question)
        two.sendall(question)
        deadline = monotonic() + 10
        while gateway.counters().most_at_once < 2 and monotonic() < deadline:
            pass
    assert gateway.counters().most_at_once == 2


def test_counters_are_told_over_http_and_forgotten(
    ask: Ask, gateway: Emulator, session: requests.Session
) -> None:
    ask("balance", psw="wrong")
    url = f"{gateway.url}/_emulator/counters"
    assert session.get(url, timeout=10).json() == {
        "requests": {"balance": 1},
        "errors": {"balance": {"2": 1}},
        "most_status_queries": 0,
        "most_at_once": 1,
        "too_often": 0,
    }
    gateway.clear()
    assert session.get(url, timeout=10).json()["requests"] == {}


def test_ten_thousand_messages_are_asked_for_by_fifties(session: requests.Session) -> None:
    settings = Settings(balance=Decimal(20_000), hand_over_s=0, delivery_s=0)
    with Emulator(settings, clock=ManualClock()) as gateway:
        usual = {"apikey": "test-key", "fmt": 3}
        begun = monotonic()
        for group in range(100):
            phones = ",".join(f"791155{group * 100 + place:05}" for place in range(100))
            params = usual | {"phones": phones, "mes": "a", "id": 1}
            session.post(f"{gateway.url}/sys/send.php", data=params, timeout=10)
        delivered = 0
        for group in range(200):
            phones = ",".join(f"791155{group * 50 + place:05}" for place in range(50))
            params = usual | {"phone": phones, "id": 1}
            answer = session.post(f"{gateway.url}/sys/status.php", data=params, timeout=10)
            delivered += sum(row["status"] == 1 for row in answer.json())
        page = session.get(gateway.url, timeout=10).text
        assert gateway.counters().most_status_queries == 1
    assert delivered == 10_000
    assert "10000 messages" in page
    assert page.count("<article") == 200
    assert monotonic() - begun < 30


def test_the_most_is_told_and_not_the_last() -> None:
    tally = Tally(60)
    for now in (0, 1, 2, 100):
        tally.status_query("1", PHONE, now)
    for count in (1, 3, 2):
        tally.at_once(count)
    assert (tally.read().most_status_queries, tally.read().most_at_once) == (3, 3)
