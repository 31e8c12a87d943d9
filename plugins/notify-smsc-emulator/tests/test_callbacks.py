"""Receipts by callback."""

import hashlib
import json
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs
from xml.etree import ElementTree

import pytest
import requests
from attrs import define, field

from notify_smsc_emulator import Emulator, ManualClock, Settings

PHONE = "79990000001"
SECRET = "s3cret"


@define
class Handler:
    """The application's side: takes receipts and answers with the next of ``replies``, or 200."""

    port: int = 0
    replies: list[int] = field(factory=list)
    bodies: list[bytes] = field(factory=list)
    content_types: list[str] = field(factory=list)

    def form(self, place: int = 0) -> dict[str, str]:
        charset = self.content_types[place].partition("charset=")[2]
        pairs = parse_qs(self.bodies[place].decode(), keep_blank_values=True, encoding=charset)
        return {name: values[-1] for name, values in pairs.items()}


@pytest.fixture
def handler() -> Iterator[Handler]:
    state = Handler()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            state.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            state.content_types.append(self.headers["Content-Type"])
            self.send_response(state.replies.pop(0) if state.replies else 200)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        state.port = server.server_address[1]
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield state
        server.shutdown()
        thread.join()


Start = Callable[..., Emulator]


@pytest.fixture
def start(handler: Handler) -> Iterator[Start]:
    """Start an emulator that reports to the handler with this query in its URL."""
    running: list[Emulator] = []

    def enter(query: str = "", passed: bool = False) -> Emulator:
        settings = Settings(
            callback_url=f"http://127.0.0.1:{handler.port}/status?{query}",
            callback_passed=passed,
        )
        running.append(Emulator(settings, clock=ManualClock()).__enter__())
        return running[0]

    yield enter
    for emulator in running:
        emulator.__exit__(None, None, None)


def send(gateway: Emulator, **params: str | int) -> None:
    usual = {"apikey": "test-key", "phones": PHONE, "mes": "a", "id": 7, "charset": "utf-8"}
    requests.post(f"{gateway.url}/sys/send.php", data=usual | params, timeout=10)


def test_a_delivery_is_reported_with_form_fields(start: Start, handler: Handler) -> None:
    gateway = start()
    send(gateway, sender="Shop")
    gateway.advance(60)
    assert handler.form() == {
        "id": "7",
        "phone": PHONE,
        "status": "1",
        "err": "0",
        "cost": "1.20",
        "sender_id": "Shop",
        "ts": "1750000003",
        "type": "0",
    }


def test_nothing_is_reported_before_its_time(start: Start, handler: Handler) -> None:
    gateway = start()
    send(gateway)
    gateway.advance(2)
    assert handler.bodies == []


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("md5", lambda data: hashlib.md5(data).hexdigest()),
        ("sha1", lambda data: hashlib.sha1(data).hexdigest()),
        ("crc32", lambda data: str(zlib.crc32(data))),
    ],
)
def test_a_receipt_is_signed_as_the_url_asks(
    start: Start, handler: Handler, name: str, digest: Callable[[bytes], str]
) -> None:
    gateway = start(f"{name}={SECRET}")
    send(gateway)
    gateway.advance(60)
    assert digest(f"7:{PHONE}:1:{SECRET}".encode()) == handler.form()[name]


def test_a_known_signature_is_reproduced(start: Start, handler: Handler) -> None:
    gateway = start("md5=zxc")
    send(gateway)
    gateway.advance(60)
    assert handler.form()["md5"] == "84e65c16bb0a253111672dae5e828990"


@pytest.mark.parametrize("charset", ["utf-8", "koi8-r", "windows-1251"])
def test_a_receipt_comes_in_the_charset_of_the_url(
    start: Start, handler: Handler, charset: str
) -> None:
    gateway = start(f"charset={charset}")
    send(gateway, sender="Магазин")
    gateway.advance(60)
    assert handler.content_types[0].endswith(charset)
    assert handler.form()["sender_id"] == "Магазин"


def test_without_charset_a_receipt_comes_in_windows_1251(start: Start, handler: Handler) -> None:
    gateway = start()
    send(gateway, sender="Магазин")
    gateway.advance(60)
    assert b"sender_id=%CC%E0%E3%E0%E7%E8%ED" in handler.bodies[0]


def test_a_receipt_can_be_json(start: Start, handler: Handler) -> None:
    gateway = start("fmt=3&charset=utf-8")
    send(gateway)
    gateway.advance(60)
    fields = json.loads(handler.bodies[0])
    assert (fields["id"], fields["phone"], fields["status"]) == ("7", PHONE, "1")


def test_a_receipt_can_be_xml(start: Start, handler: Handler) -> None:
    gateway = start("fmt=2&charset=utf-8")
    send(gateway, sender="<&>")
    gateway.advance(60)
    assert ElementTree.fromstring(handler.bodies[0]).findtext("sender_id") == "<&>"


def test_every_change_after_delivery_is_reported(start: Start, handler: Handler) -> None:
    gateway = start()
    send(gateway, phones="79990007702")
    gateway.advance(60)
    assert [handler.form(place)["status"] for place in (0, 1)] == ["1", "2"]


def test_status_0_is_reported_if_wished(start: Start, handler: Handler) -> None:
    gateway = start(passed=True)
    send(gateway)
    gateway.advance(60)
    assert [handler.form(place)["status"] for place in (0, 1)] == ["0", "1"]


def test_an_hlr_receipt_tells_about_the_subscriber(start: Start, handler: Handler) -> None:
    gateway = start()
    send(gateway, hlr=1, mes="")
    gateway.advance(60)
    assert handler.form()["imsi"] == "250019990000001"


def test_a_failed_callback_is_repeated_after_a_minute(start: Start, handler: Handler) -> None:
    gateway = start()
    handler.replies += [500, 500]
    send(gateway)
    for _ in range(3):
        gateway.advance(60)
    assert [receipt.answer_status for receipt in gateway.receipts()] == [500, 500, 200]


def test_after_three_attempts_the_gateway_gives_up(start: Start, handler: Handler) -> None:
    gateway = start()
    handler.replies += [500] * 5
    send(gateway)
    for _ in range(5):
        gateway.advance(60)
    assert len(handler.bodies) == 3


def test_a_deleted_message_is_not_reported(start: Start, handler: Handler) -> None:
    gateway = start()
    send(gateway, time="+10")
    params = {"apikey": "test-key", "id": 7, "phone": PHONE, "del": 1}
    requests.post(f"{gateway.url}/sys/status.php", data=params, timeout=10)
    gateway.advance(3600)
    assert handler.bodies == []


def test_a_handler_that_is_not_there_does_no_harm() -> None:
    settings = Settings(callback_url="http://127.0.0.1:9/")
    with Emulator(settings, clock=ManualClock()) as gateway:
        send(gateway)
        gateway.advance(60)
        assert [receipt.answer_status for receipt in gateway.receipts()] == [None]
