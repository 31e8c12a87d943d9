"""Stories over real sockets of what comes back: calls, messages, and the id to know them by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import attrs
import pytest

from notify_core.callback import CallbackRequest, Incoming, IncomingKind, StatusEvent, Trust
from notify_core.delivery import Attempt
from notify_core.errors import CallbackError, ProviderError, RecipientError
from notify_core.message import Sms
from notify_core.outcome import Accepted, State
from notify_core.progress import receipt_to_ask
from notify_core.secret import Secret
from notify_smsc.config import CallbackConfig
from notify_smsc.plugin import SmscProvider
from notify_smsc_emulator import Emulator, ManualClock, Settings

MakeAttempt = Callable[..., Attempt]
Connect = Callable[..., SmscProvider]

SECRET = "k3y-of-the-handler"
CALLBACK = CallbackConfig(secrets=(Secret(SECRET),))
PHONE = "+79991234567"
OURS = "79990000000"
NOW = datetime.fromtimestamp(ManualClock().now(), UTC)


@attrs.frozen
class Handler:
    """Our address, and the calls that it got."""

    url: str
    calls: list[CallbackRequest]


@pytest.fixture
def handler() -> Iterator[Handler]:
    """Listen on loopback for the calls of the gateway."""
    calls: list[CallbackRequest] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            calls.append(
                CallbackRequest(
                    method=self.command,
                    query=self.path.partition("?")[2],
                    headers={name.lower(): value for name, value in self.headers.items()},
                    body=body,
                    received_at=NOW,
                )
            )
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield Handler(f"http://127.0.0.1:{server.server_port}/smsc", calls)
        server.shutdown()
        thread.join()


@pytest.fixture
def smsc(connect: Connect, gateway: Emulator) -> SmscProvider:
    """A provider that knows the secret of the handler."""
    return connect(gateway.host, callback=CALLBACK)


def told(smsc: SmscProvider, handler: Handler) -> list[Any]:
    """Return what all calls so far tell."""
    return [event for call in handler.calls for event in smsc.notify_parse_callback(call)]


# --- calls ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["", "&fmt=2", "&fmt=3"], ids=["form", "xml", "json"])
@pytest.mark.parametrize("charset", ["utf-8", "windows-1251", "koi8-r"])
@pytest.mark.parametrize("digest", ["md5", "sha1"])
def test_what_the_gateway_tells_is_proven(
    smsc: SmscProvider, gateway: Emulator, handler: Handler, form: str, charset: str, digest: str
) -> None:
    """A message that came in, and a call, in every form that can be asked for."""
    url = f"{handler.url}?charset={charset}&{digest}={SECRET}{form}"
    gateway.post_to(incoming=url, calls=url)

    assert smsc.wait_call(PHONE) == gateway.settings.call_number
    gateway.receive(PHONE, "Да: жду & <верю>", OURS)
    gateway.call(PHONE)

    message, call = told(smsc, handler)
    assert isinstance(message, Incoming)
    assert (message.text, message.sender) == ("Да: жду & <верю>", PHONE)
    assert (message.to, message.trust) == (f"+{OURS}", Trust.PROVEN)
    assert (call.kind, call.sender) == (IncomingKind.CALL, PHONE)
    assert (call.sent_at, call.trust) == (NOW, Trust.PROVEN)


@pytest.mark.parametrize("how", ["get", "post"])
def test_a_call_leads_to_the_message_that_was_sent(
    smsc: SmscProvider, gateway: Emulator, handler: Handler, attempt: MakeAttempt, how: str
) -> None:
    """By the id and the address of its receipt, whatever became of the address of the handler."""
    gateway.post_to(status=f"{handler.url}?charset=utf-8&sha1={SECRET}")
    if how == "get":
        gateway.disorder("get", times=None)

    outcome = smsc.notify_send(Sms(text="t"), attempt(PHONE))
    gateway.advance(60)

    assert isinstance(outcome, Accepted)
    (event,) = told(smsc, handler)
    assert isinstance(event, StatusEvent)
    assert event.trust is Trust.PROVEN
    assert event.status.state is State.DELIVERED
    assert (event.provider_id, event.address) == (
        outcome.receipt.provider_id,
        outcome.receipt.address,
    )
    assert SECRET not in str(event.status.raw)


def test_a_forged_call_is_refused(
    smsc: SmscProvider, gateway: Emulator, handler: Handler, attempt: MakeAttempt
) -> None:
    """Its signature is made with another secret."""
    gateway.post_to(status=f"{handler.url}?sha1={SECRET}")
    gateway.disorder("forge")

    smsc.notify_send(Sms(text="t"), attempt(PHONE))
    gateway.advance(60)

    with pytest.raises(CallbackError, match="fits no secret"):
        told(smsc, handler)


def test_what_happens_in_test_mode_is_asked_for(
    connect: Connect, handler: Handler, attempt: MakeAttempt
) -> None:
    """A signed *delivered* that the error beside it denies; that error is not signed."""
    settings = Settings(rate_rules=False, virtual=True)
    with Emulator(settings, clock=ManualClock()) as gateway:
        smsc = connect(gateway.host, callback=CALLBACK)
        gateway.post_to(status=f"{handler.url}?sha1={SECRET}")
        smsc.notify_send(Sms(text="t"), attempt(PHONE))
        gateway.advance(60)

    (event,) = told(smsc, handler)
    assert (event.status.state, event.trust) == (State.SIMULATED, Trust.HINT)


# --- messages that are asked for ------------------------------------------------------------------


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("by_mail", [False, True], ids=["http", "smtp"])
def test_messages_are_fetched_page_by_page_and_none_twice(
    connect: Connect, connect_by_mail: Connect, newest_first: bool, by_mail: bool
) -> None:
    """In whatever order the gateway tells them, and whichever way others go out."""
    settings = Settings(rate_rules=False, answers_newest_first=newest_first)
    with Emulator(settings, clock=ManualClock()) as gateway:
        smsc = (
            connect_by_mail(gateway.host, gateway.smtp_port) if by_mail else connect(gateway.host)
        )
        for number in (1, 2, 3):
            gateway.receive(PHONE, f"Ответ {number}", OURS)

        first = smsc.notify_fetch_incoming(None, 2)
        second = smsc.notify_fetch_incoming(first.after, 2)
        third = smsc.notify_fetch_incoming(second.after, 2)

    assert [message.text for message in first.messages] == ["Ответ 1", "Ответ 2"]
    assert [message.text for message in second.messages] == ["Ответ 3"]
    assert (first.more, second.more, third.messages) == (True, False, ())
    assert third.after == second.after == "3"


@pytest.mark.parametrize("refused", [False, True])
def test_an_empty_inbox_is_an_empty_page(connect: Connect, refused: bool) -> None:
    """Whether the gateway says so by an error or by an empty list."""
    settings = Settings(rate_rules=False, empty_inbox_refused=refused)
    with Emulator(settings, clock=ManualClock()) as gateway:
        page = connect(gateway.host).notify_fetch_incoming("7", 10)

    assert (list(page.messages), page.after, page.more) == ([], "7", False)


def test_a_message_told_both_ways_says_the_same(
    smsc: SmscProvider, gateway: Emulator, handler: Handler
) -> None:
    """So that it can be known for one."""
    gateway.post_to(incoming=f"{handler.url}?charset=utf-8&sha1={SECRET}")

    gateway.receive(PHONE, " Да ", OURS)

    (called,) = told(smsc, handler)
    (asked,) = smsc.notify_fetch_incoming(None, 10).messages
    for message in (called, asked):
        assert (message.sender, message.to, message.text) == (PHONE, f"+{OURS}", " Да ")


@pytest.mark.parametrize("kind", ["html", "drop", "server_error"])
def test_messages_that_cannot_be_fetched_are_a_failure_not_an_empty_page(
    smsc: SmscProvider, gateway: Emulator, kind: str
) -> None:
    """Somebody may be waiting for an answer to them."""
    gateway.fault(kind, script="get", times=None)

    with pytest.raises(ProviderError, match="did not answer the incoming query"):
        smsc.notify_fetch_incoming(None, 10)


# --- numbers to call, ids to be known by ----------------------------------------------------------


def test_a_number_to_call_is_for_phones(smsc: SmscProvider) -> None:
    """A mail address cannot call."""
    with pytest.raises(RecipientError):
        smsc.wait_call("you@example.org")


def test_no_number_to_call_is_a_failure(smsc: SmscProvider, gateway: Emulator) -> None:
    """And it is not asked for twice: what that costs is not documented."""
    gateway.fault("html", script="wait_call", times=None)

    with pytest.raises(ProviderError, match="did not answer the call query"):
        smsc.wait_call(PHONE)

    assert len(gateway.requests()) == 1


@pytest.mark.parametrize("count", [1, 2])
def test_a_status_tells_the_id_that_calls_will_name(
    smsc: SmscProvider, gateway: Emulator, attempt: MakeAttempt, count: int
) -> None:
    """Also of a message whose answer was lost, which has no other way to be matched."""
    attempts = [attempt(PHONE, own_id=f"d1-{number}") for number in range(count)]
    gateway.fault("drop", script="send", times=None)
    for each in attempts:
        smsc.notify_send(Sms(text="t"), each)

    statuses = smsc.notify_fetch_status([receipt_to_ask(each) for each in attempts])

    assert [status.provider_id for status in statuses] == [
        str(caught.id) for caught in gateway.caught()
    ]


def test_a_message_that_is_not_found_has_no_id(smsc: SmscProvider, attempt: MakeAttempt) -> None:
    """There is none that a call could name."""
    (status,) = smsc.notify_fetch_status([receipt_to_ask(attempt(PHONE))])

    assert (status.state, status.provider_id) == (State.NOT_FOUND, None)
