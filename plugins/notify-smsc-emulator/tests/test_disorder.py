"""Callbacks that come late, twice, in another order, by GET, forged, or never."""

import hashlib
from collections.abc import Callable
from random import Random

import pytest
import requests

from notify_smsc_emulator import CallbackReceiver, Disorder, Emulator, Settings
from notify_smsc_emulator.disorder import disturb

Ask = Callable[..., requests.Response]

PHONE = "79990000001"
SECRET = "s3cret"


@pytest.fixture
def settings(handler: CallbackReceiver) -> Settings:
    return Settings(rate_rules=False, callback_url=handler.url(f"charset=utf-8&sha1={SECRET}"))


def told(gateway: Emulator) -> list[tuple[str, str]]:
    """Return id and status of every call, in their order."""
    return [(sent.fields["id"], sent.fields["status"]) for sent in gateway.receipts()]


def test_a_delayed_callback_comes_so_many_seconds_later(send: Ask, gateway: Emulator) -> None:
    gateway.disorder("delay", seconds=20)
    send(id=1)
    gateway.advance(22)
    assert told(gateway) == []
    gateway.advance(1)
    assert told(gateway) == [("1", "1")]


def test_a_delay_is_the_usual_one_unless_told_otherwise(send: Ask, gateway: Emulator) -> None:
    gateway.disorder("delay")
    send(id=1)
    gateway.advance(32)
    assert told(gateway) == []
    gateway.advance(1)
    assert told(gateway) == [("1", "1")]


def test_a_dropped_callback_never_comes_and_the_status_is_known_all_the_same(
    send: Ask, ask: Ask, gateway: Emulator
) -> None:
    gateway.disorder("drop")
    send(id=1)
    gateway.advance(3600)
    assert told(gateway) == []
    assert ask("status", id=1, phone=PHONE).json()["status"] == 1


def test_a_duplicate_comes_as_often_as_was_said(send: Ask, gateway: Emulator) -> None:
    gateway.disorder("duplicate", copies=2)
    send(id=1)
    gateway.advance(60)
    assert told(gateway) == [("1", "1")] * 3


def test_copies_can_lie_apart(send: Ask, gateway: Emulator) -> None:
    gateway.disorder("duplicate", copies=2, seconds=10)
    send(id=1)
    seen = []
    for seconds in (3, 10, 10):
        gateway.advance(seconds)
        seen.append(len(told(gateway)))
    assert seen == [1, 2, 3]


def test_shuffled_callbacks_come_in_another_order_and_all_of_them(
    send: Ask, gateway: Emulator
) -> None:
    gateway.disorder("shuffle", times=None, seconds=30)
    for message_id in range(1, 9):
        send(id=message_id)
    gateway.advance(60)
    ids = [int(message_id) for message_id, _ in told(gateway)]
    assert ids != sorted(ids)
    assert sorted(ids) == list(range(1, 9))


def test_after_clearing_they_are_shuffled_the_same_way_again(send: Ask, gateway: Emulator) -> None:
    orders = []
    for _ in range(2):
        gateway.disorder("shuffle", times=None, seconds=30)
        for message_id in range(1, 9):
            send(id=message_id)
        gateway.advance(60)
        orders.append(told(gateway))
        gateway.clear()
    assert orders[0] == orders[1]


def test_a_callback_by_get_has_its_fields_in_the_query(
    send: Ask, gateway: Emulator, handler: CallbackReceiver
) -> None:
    gateway.disorder("get")
    send(id=1, sender="Магазин")
    gateway.advance(60)
    [call] = handler.calls
    assert (call.method, call.body) == ("GET", b"")
    fields = call.form()
    assert (fields["id"], fields["status"], fields["sender_id"]) == ("1", "1", "Магазин")


def test_a_forged_callback_is_signed_with_another_secret(send: Ask, gateway: Emulator) -> None:
    gateway.disorder("forge")
    send(id=1)
    send(id=2)
    gateway.advance(60)
    right = [
        sent.fields["sha1"] == hashlib.sha1(f"{place}:{PHONE}:1:{SECRET}".encode()).hexdigest()
        for place, sent in enumerate(gateway.receipts(), start=1)
    ]
    assert right == [False, True]


def test_disorder_is_over_after_so_many_callbacks(send: Ask, gateway: Emulator) -> None:
    gateway.disorder("drop", times=2)
    for message_id in (1, 2, 3):
        send(id=message_id)
    gateway.advance(60)
    assert told(gateway) == [("3", "1")]


@pytest.mark.parametrize(
    ("meant", "left"),
    [
        ({"phone": "0001"}, [("2", "1"), ("2", "2")]),
        ({"status": 1}, [("2", "2")]),
        ({"callback": "call"}, [("1", "1"), ("2", "1"), ("2", "2")]),
        ({"callback": "status", "phone": "7702", "status": 2}, [("1", "1"), ("2", "1")]),
    ],
)
def test_disorder_meets_only_what_it_is_meant_for(
    send: Ask, gateway: Emulator, meant: dict[str, str], left: list[tuple[str, str]]
) -> None:
    gateway.disorder("drop", times=None, **meant)
    send(id=1)
    send(id=2, phones="79990007702")
    gateway.advance(60)
    assert sorted(told(gateway)) == left


def test_one_callback_can_meet_several_disorders() -> None:
    disorders = [
        Disorder(kind="delay", seconds=5),
        Disorder(kind="duplicate", seconds=1),
        Disorder(kind="get"),
    ]
    manner = disturb(disorders, 30, Random(0))
    assert (manner.times_s, manner.method) == ((5.0, 6.0), "GET")


@pytest.mark.parametrize(
    ("ending", "statuses"),
    [
        ("4400", []),
        ("4402", ["1", "1"]),
        ("4403", ["1"]),
        ("4404", ["1"]),
        ("4405", ["2", "1"]),
        ("4406", ["1"]),
    ],
)
def test_a_number_brings_about_its_own_disorder(
    send: Ask, gateway: Emulator, ending: str, statuses: list[str]
) -> None:
    send(phones=f"7999000{ending}")
    gateway.advance(60)
    assert statuses == [status for _, status in told(gateway)]


def test_what_is_still_to_come_is_forgotten_with_all_else(send: Ask, gateway: Emulator) -> None:
    gateway.disorder("delay", seconds=60)
    send(id=1)
    gateway.advance(10)
    gateway.clear()
    gateway.advance(3600)
    assert told(gateway) == []


def test_what_comes_by_get_is_a_form_whatever_the_address_asks_for(
    handler: CallbackReceiver, send: Ask, gateway: Emulator
) -> None:
    gateway.post_to(status=handler.url("charset=utf-8&fmt=3"))
    gateway.disorder("get")
    send(id=1)
    gateway.advance(60)
    assert [(call.method, call.form()["status"]) for call in handler.calls] == [("GET", "1")]


def test_disorder_can_be_switched_on_and_off_over_http(
    send: Ask, gateway: Emulator, session: requests.Session
) -> None:
    url = f"{gateway.url}/_emulator/disorder"
    session.post(url, json={"kind": "drop", "times": None}, timeout=10)
    send(id=1)
    gateway.advance(60)
    session.delete(url, timeout=10)
    send(id=2)
    gateway.advance(60)
    assert told(gateway) == [("2", "1")]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "kind"),
        ({"kind": "storm"}, "'storm' is not a DisorderKind; known: delay, shuffle"),
        ({"kind": "drop", "callback": "mail"}, "mail"),
        ({"kind": "drop", "status": 99}, "99 is not a Status; known: -3"),
        ({"kind": "drop", "phone": 1}, "phone"),
        ({"kind": "delay", "seconds": -1}, "seconds"),
        ({"kind": "duplicate", "copies": 0}, "copies"),
        ({"kind": "delay", "second": 1}, "second: not known here; known: kind, callback, phone"),
    ],
)
def test_wrong_disorder_is_refused_with_a_reason(
    gateway: Emulator, session: requests.Session, body: object, named: str
) -> None:
    answer = session.post(f"{gateway.url}/_emulator/disorder", json=body, timeout=10)
    assert answer.status_code == 400
    assert named in answer.json()["error"]


def test_several_callbacks_can_be_under_way_at_once(
    handler: CallbackReceiver, session: requests.Session
) -> None:
    settings = Settings(rate_rules=False, callback_url=handler.url(), callback_at_once=8)
    with Emulator(settings) as gateway:
        phones = ",".join(f"7999000{number:04}" for number in range(1, 41))
        params = {"apikey": "test-key", "phones": phones, "mes": "a"}
        session.post(f"{gateway.url}/sys/send.php", data=params, timeout=10)
        gateway.advance(60)
        assert {sent.answer_status for sent in gateway.receipts()} == {200}
        assert len(handler.calls) == 40


@pytest.mark.parametrize("stripped", [False, True])
def test_the_secret_can_be_left_out_of_the_address_that_is_called(
    handler: CallbackReceiver, session: requests.Session, stripped: bool
) -> None:
    url = handler.url(f"charset=utf-8&sha1={SECRET}")
    settings = Settings(callback_url=url, secret_stripped=stripped)
    with Emulator(settings) as gateway:
        params = {"apikey": "test-key", "phones": PHONE, "mes": "a"}
        session.post(f"{gateway.url}/sys/send.php", data=params, timeout=10)
        gateway.advance(60)
    [call] = handler.calls
    assert stripped is (SECRET not in call.query)
    assert "charset=utf-8" in call.query
    assert "sha1" in call.form()
