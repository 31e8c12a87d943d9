"""The page and the emulator's own addresses."""

import re
from collections.abc import Callable
from html import escape

import pytest
import requests

from notify_smsc_emulator import SPECIALS, Emulator

Ask = Callable[..., requests.Response]


def page(gateway: Emulator) -> str:
    return requests.get(f"{gateway.url}/", timeout=10).text


def test_the_page_shows_messages_newest_first(send: Ask, gateway: Emulator) -> None:
    send(mes="older")
    send(mes="newer")
    assert page(gateway).index("newer") < page(gateway).index("older")


def test_the_page_shows_what_is_known_of_a_message(send: Ask, gateway: Emulator) -> None:
    send(sender="Shop", id="order-1", flash=1)
    shown = page(gateway)
    facts = ["flash", "79990000001", "Hello", "Shop", "order-1", "1 part", "1.20", "by http"]
    assert facts == [fact for fact in facts if fact in shown]


def test_the_page_shows_the_subject_and_the_status_in_english(send: Ask, gateway: Emulator) -> None:
    send(subj="Order 77", mail=1, phones="ann@example.org", sender="shop@example.org")
    gateway.advance(60)
    shown = page(gateway)
    assert "Order 77" in shown
    assert "1 delivered" in shown
    assert "1 message, balance" in shown


def test_the_page_escapes_everything(gateway: Emulator, session: requests.Session) -> None:
    evil = "<script>alert(1)</script>"
    params = {
        "login": "test",
        "psw": "test",
        "phones": f"{evil}",
        "mes": evil,
        "sender": evil,
        "subj": evil,
        "mms": "1",
    }
    files = {"file0": (evil, b"x")}
    session.post(f"{gateway.url}/sys/send.php", data=params, files=files, timeout=10)
    shown = page(gateway)
    assert evil not in shown
    assert escape(evil) in shown


def test_the_page_takes_a_dollar_sign_for_what_it_is(send: Ask, gateway: Emulator) -> None:
    send(mes="$messages $ ${script}")
    assert "$messages $ ${script}" in page(gateway)


def test_the_page_lists_the_special_recipients(gateway: Emulator) -> None:
    shown = re.sub("</?code>", "`", page(gateway))
    assert all(escape(special.meaning) in shown for special in SPECIALS)


def test_the_page_needs_nothing_from_elsewhere(gateway: Emulator) -> None:
    answer = requests.get(f"{gateway.url}/", timeout=10)
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "form-action 'self'" in answer.headers["Content-Security-Policy"]
    assert "http" not in answer.text


def test_messages_are_told_as_json(send: Ask, gateway: Emulator) -> None:
    send(id=7)
    told = requests.get(f"{gateway.url}/_emulator/messages", timeout=10).json()
    [message] = told["messages"]
    assert (
        told["balance"],
        *(message[name] for name in ("id", "phone", "text", "channel", "status")),
    ) == ("998.80", 7, "79990000001", "Hello", "sms", -1)


def test_everything_can_be_forgotten_over_http(send: Ask, gateway: Emulator) -> None:
    send()
    requests.post(f"{gateway.url}/_emulator/reset", timeout=10)
    assert (gateway.caught(), gateway.requests()) == ((), ())


def test_the_clock_can_be_moved_over_http(send: Ask, gateway: Emulator) -> None:
    send()
    answer = requests.post(f"{gateway.url}/_emulator/clock", json={"advance": 60}, timeout=10)
    assert answer.json() == {"now": 1_750_000_060.0}
    assert [message.status for message in gateway.caught()] == [1]


@pytest.mark.parametrize("seconds", ["soon", "nan", "inf", 10**400, None])
def test_a_clock_moved_by_no_number_is_refused(gateway: Emulator, seconds: object) -> None:
    body = {"advance": seconds}
    answer = requests.post(f"{gateway.url}/_emulator/clock", json=body, timeout=10)
    assert answer.status_code == 400
    assert answer.json() == {"error": "advance: a number of seconds is expected"}


def test_what_is_no_json_is_refused(gateway: Emulator) -> None:
    answer = requests.post(f"{gateway.url}/_emulator/clock", data="{", timeout=10)
    assert (answer.status_code, "this is no JSON" in answer.json()["error"]) == (400, True)


def test_the_emulators_own_addresses_are_not_counted_as_requests(gateway: Emulator) -> None:
    page(gateway)
    assert gateway.requests() == ()
