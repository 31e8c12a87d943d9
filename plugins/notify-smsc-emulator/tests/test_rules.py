"""Credentials and the limits on how often one may ask."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from time import monotonic, sleep

import pytest
import requests

from notify_smsc_emulator import Emulator, ManualClock, SendField, Settings

Ask = Callable[..., requests.Response]

PHONE = "79990000001"
DUPLICATE = {"error": "duplicate request, wait a minute", "error_code": 9}
CROWDED = {"error": "too many concurrent requests", "error_code": 9}


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.mark.parametrize(
    "credentials",
    [
        {"login": "test", "psw": "wrong"},
        {"login": "wrong", "psw": "test"},
        {"login": "test", "psw": "test-key"},
        {"login": "test", "psw": "test", "apikey": "wrong"},
        {"login": "", "psw": ""},
    ],
)
def test_wrong_credentials_are_error_2(ask: Ask, credentials: dict[str, str]) -> None:
    assert ask("balance", **credentials).json() == {"error": "authorise error", "error_code": 2}


def test_an_api_key_replaces_login_and_password(
    gateway: Emulator, session: requests.Session
) -> None:
    params = {"apikey": "test-key", "fmt": "1"}
    answer = session.get(f"{gateway.url}/sys/balance.php", params=params, timeout=10)
    assert answer.text == "1000.00"


def test_five_wrong_logins_block_the_client_for_half_an_hour(ask: Ask, gateway: Emulator) -> None:
    for _ in range(5):
        ask("balance", psw="wrong")
    assert ask("balance").json() == {"error": "ip is blocked", "error_code": 4}
    gateway.advance(30 * 60)
    assert ask("balance").json() == {"balance": "1000.00"}


def test_wrong_logins_are_forgotten_after_half_an_hour(ask: Ask, gateway: Emulator) -> None:
    for _ in range(4):
        ask("balance", psw="wrong")
    gateway.advance(30 * 60)
    ask("balance", psw="wrong")
    assert ask("balance").json() == {"balance": "1000.00"}


def test_a_hundred_wrong_sends_in_a_row_block_for_ten_minutes(send: Ask, gateway: Emulator) -> None:
    for _ in range(100):
        send(mes="")
    assert send().json()["error_code"] == 4
    gateway.advance(10 * 60)
    assert send().json() == {"id": 1, "cnt": 1}


def test_an_identical_send_within_a_minute_is_error_9(send: Ask, gateway: Emulator) -> None:
    send()
    gateway.advance(59)
    assert send().json() == DUPLICATE
    assert len(gateway.caught()) == 1


def test_after_a_minute_the_same_may_be_sent_again(send: Ask, gateway: Emulator) -> None:
    send()
    send()
    gateway.advance(60)
    assert send().json() == {"id": 2, "cnt": 1}


def test_another_id_does_not_make_another_send(send: Ask) -> None:
    send(id=1)
    assert send(id=2).json() == DUPLICATE


@pytest.mark.parametrize(
    "other", [{"mes": "Other"}, {"sender": "Shop"}, {"flash": 1}, {"phones": "79990000002"}]
)
def test_another_text_sender_channel_or_recipient_does(send: Ask, other: dict[str, str]) -> None:
    send()
    assert send(**other).json() == {"id": 2, "cnt": 1}


class TestComparingIds:
    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(identical_by=frozenset({SendField.ID, SendField.TEXT}))

    def test_what_makes_sends_identical_can_be_chosen(self, send: Ask) -> None:
        send(id=1)
        assert send(id=2).json() == {"id": 2, "cnt": 1}


def test_a_send_refused_with_an_id_counts_as_sent(send: Ask) -> None:
    send(phones="123")
    assert send(phones="123").json() == DUPLICATE


def test_a_send_refused_for_its_form_does_not_count(send: Ask) -> None:
    send(time="tomorrow")
    assert send().json() == {"id": 1, "cnt": 1}


def test_the_sixth_identical_price_query_within_a_minute_is_error_9(send: Ask) -> None:
    for _ in range(5):
        send(cost=1)
    assert send(cost=1).json() == DUPLICATE


def test_the_sixth_query_for_one_message_within_a_minute_is_error_9(
    send: Ask, ask: Ask, gateway: Emulator
) -> None:
    send(id=1)
    for _ in range(5):
        ask("status", id=1, phone=PHONE)
    assert ask("status", id=1, phone=PHONE).json()["error_code"] == 9
    gateway.advance(60)
    assert ask("status", id=1, phone=PHONE).json()["status"] == 1


def test_the_eleventh_balance_query_within_a_minute_is_error_9(ask: Ask) -> None:
    for _ in range(10):
        ask("balance")
    assert ask("balance").json()["error_code"] == 9


def test_the_fourth_identical_operator_query_within_a_minute_is_error_9(ask: Ask) -> None:
    for _ in range(3):
        ask("info", get_operator=1, phone=PHONE)
    assert ask("info", get_operator=1, phone=PHONE).json()["error_code"] == 9


@contextmanager
def hanging(gateway: Emulator, count: int) -> Iterator[None]:
    """Keep so many requests in work."""
    gateway.fault("no_answer", times=count)
    with ExitStack() as stack:
        for _ in range(count):
            address = ("127.0.0.1", gateway.http_port)
            client = stack.enter_context(socket.create_connection(address, 10))
            client.sendall(b"GET /sys/balance.php?apikey=test-key HTTP/1.1\r\nHost: a\r\n\r\n")
        deadline = monotonic() + 10
        while len(gateway.requests()) < count and monotonic() < deadline:
            sleep(0.005)
        yield


def test_the_fifteenth_simultaneous_request_is_error_9(send: Ask, gateway: Emulator) -> None:
    with hanging(gateway, 14):
        assert send().json() == CROWDED
    assert gateway.caught() == ()


def test_the_fourteenth_simultaneous_request_is_served(send: Ask, gateway: Emulator) -> None:
    with hanging(gateway, 13):
        assert send().json() == {"id": 1, "cnt": 1}


def test_all_rules_can_be_switched_off() -> None:
    with Emulator(Settings(rate_rules=False), clock=ManualClock()) as gateway:
        url = f"{gateway.url}/sys/send.php"
        right = {"apikey": "test-key", "phones": PHONE, "mes": "a", "fmt": "1"}
        with requests.Session() as session:
            for _ in range(6):
                session.post(url, data={"apikey": "wrong"}, timeout=10)
            answers = [session.post(url, data=right, timeout=10).text for _ in range(2)]
    assert answers == ["1,1", "2,1"]
