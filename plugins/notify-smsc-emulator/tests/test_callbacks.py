"""Receipts by callback."""

import hashlib
import json
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from xml.etree import ElementTree

import pytest
import requests

from notify_smsc_emulator import CallbackReceiver, Emulator, ManualClock, Settings

PHONE = "79990000001"
SECRET = "s3cret"


Start = Callable[..., Emulator]


@pytest.fixture
def start(handler: CallbackReceiver) -> Iterator[Start]:
    """Start an emulator that reports to the handler with this query in its URL."""
    with ExitStack() as stack:

        def enter(query: str = "", passed: bool = False) -> Emulator:
            settings = Settings(callback_url=handler.url(query), callback_passed=passed)
            return stack.enter_context(Emulator(settings, clock=ManualClock()))

        yield enter


def send(gateway: Emulator, **params: str | int) -> None:
    usual = {"apikey": "test-key", "phones": PHONE, "mes": "a", "id": 7, "charset": "utf-8"}
    requests.post(f"{gateway.url}/sys/send.php", data=usual | params, timeout=10)


def test_a_delivery_is_reported_with_form_fields(start: Start, handler: CallbackReceiver) -> None:
    gateway = start()
    send(gateway, sender="Shop")
    gateway.advance(60)
    assert handler.calls[0].form() == {
        "id": "7",
        "phone": PHONE,
        "status": "1",
        "err": "0",
        "cost": "1.20",
        "sender_id": "Shop",
        "ts": "1750000003",
        "type": "0",
    }


def test_nothing_is_reported_before_its_time(start: Start, handler: CallbackReceiver) -> None:
    gateway = start()
    send(gateway)
    gateway.advance(2)
    assert handler.calls == []


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("md5", lambda data: hashlib.md5(data).hexdigest()),
        ("sha1", lambda data: hashlib.sha1(data).hexdigest()),
        ("crc32", lambda data: str(zlib.crc32(data))),
    ],
)
def test_a_receipt_is_signed_as_the_url_asks(
    start: Start, handler: CallbackReceiver, name: str, digest: Callable[[bytes], str]
) -> None:
    gateway = start(f"{name}={SECRET}")
    send(gateway)
    gateway.advance(60)
    assert digest(f"7:{PHONE}:1:{SECRET}".encode()) == handler.calls[0].form()[name]


def test_a_known_signature_is_reproduced(start: Start, handler: CallbackReceiver) -> None:
    gateway = start("md5=zxc")
    send(gateway)
    gateway.advance(60)
    assert handler.calls[0].form()["md5"] == "84e65c16bb0a253111672dae5e828990"


@pytest.mark.parametrize("charset", ["utf-8", "koi8-r", "windows-1251"])
def test_a_receipt_comes_in_the_charset_of_the_url(
    start: Start, handler: CallbackReceiver, charset: str
) -> None:
    gateway = start(f"charset={charset}")
    send(gateway, sender="Магазин")
    gateway.advance(60)
    assert handler.calls[0].content_type.endswith(charset)
    assert handler.calls[0].form()["sender_id"] == "Магазин"


def test_without_charset_a_receipt_comes_in_windows_1251(
    start: Start, handler: CallbackReceiver
) -> None:
    gateway = start()
    send(gateway, sender="Магазин")
    gateway.advance(60)
    assert b"sender_id=%CC%E0%E3%E0%E7%E8%ED" in handler.calls[0].body


def test_a_receipt_can_be_json(start: Start, handler: CallbackReceiver) -> None:
    gateway = start("fmt=3&charset=utf-8")
    send(gateway)
    gateway.advance(60)
    fields = json.loads(handler.calls[0].body)
    assert (fields["id"], fields["phone"], fields["status"]) == ("7", PHONE, "1")


def test_a_receipt_can_be_xml(start: Start, handler: CallbackReceiver) -> None:
    gateway = start("fmt=2&charset=utf-8")
    send(gateway, sender="<&>")
    gateway.advance(60)
    assert ElementTree.fromstring(handler.calls[0].body).findtext("sender_id") == "<&>"


def test_every_change_after_delivery_is_reported(start: Start, handler: CallbackReceiver) -> None:
    gateway = start()
    send(gateway, phones="79990007702")
    gateway.advance(60)
    assert [handler.calls[place].form()["status"] for place in (0, 1)] == ["1", "2"]


def test_status_0_is_reported_if_wished(start: Start, handler: CallbackReceiver) -> None:
    gateway = start(passed=True)
    send(gateway)
    gateway.advance(60)
    assert [handler.calls[place].form()["status"] for place in (0, 1)] == ["0", "1"]


def test_an_hlr_receipt_tells_about_the_subscriber(start: Start, handler: CallbackReceiver) -> None:
    gateway = start()
    send(gateway, hlr=1, mes="")
    gateway.advance(60)
    assert handler.calls[0].form()["imsi"] == "250019990000001"


def test_a_failed_callback_is_repeated_after_a_minute(
    start: Start, handler: CallbackReceiver
) -> None:
    gateway = start()
    handler.replies += [500, 500]
    send(gateway)
    for _ in range(3):
        gateway.advance(60)
    assert [receipt.answer_status for receipt in gateway.receipts()] == [500, 500, 200]


def test_after_three_attempts_the_gateway_gives_up(start: Start, handler: CallbackReceiver) -> None:
    gateway = start()
    handler.replies += [500] * 5
    send(gateway)
    for _ in range(5):
        gateway.advance(60)
    assert len(handler.calls) == 3


def test_a_deleted_message_is_not_reported(start: Start, handler: CallbackReceiver) -> None:
    gateway = start()
    send(gateway, time="+10")
    params = {"apikey": "test-key", "id": 7, "phone": PHONE, "del": 1}
    requests.post(f"{gateway.url}/sys/status.php", data=params, timeout=10)
    gateway.advance(3600)
    assert handler.calls == []


def test_a_handler_that_is_not_there_does_no_harm() -> None:
    settings = Settings(callback_url="http://127.0.0.1:9/")
    with Emulator(settings, clock=ManualClock()) as gateway:
        send(gateway)
        gateway.advance(60)
        assert [receipt.answer_status for receipt in gateway.receipts()] == [None]
