"""What is answered to a request, whatever server it came through."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notify_core.callback import CallbackRequest
from notify_core.config.model import Config, JournalConfig
from notify_core.config.sections import Callbacks
from notify_core.errors import JournalError, NotifyError
from notify_core.notifier import Notifier
from notify_core.secret import Secret
from notify_core.server.asgi import AsgiApp, callback_asgi_app
from notify_core.server.intake import Head, Intake, Reason
from notify_core.server.networks import Gate
from notify_core.server.wsgi import WsgiApp, callback_app
from notify_core.testing import ManualClock, ScriptedProvider, notifier_with, scripted_config
from tests.callers import CALLS, NEVER_CALLS, NOON, Caller

CANARY = "canary-secret-8191"
LARGEST = 100
PROVIDERS = {"smsc": CALLS, "почта": CALLS, "mute": NEVER_CALLS}


class Shelf:
    """Stands for the receiver: remembers what it was to keep, or cannot keep it."""

    def __init__(self, error: Exception | None = None) -> None:
        self.kept: list[tuple[str, CallbackRequest]] = []
        self.error = error

    def accept(self, provider: str, request: CallbackRequest) -> None:
        if self.error is not None:
            raise self.error
        self.kept.append((provider, request))


def intake(shelf: Shelf | None = None, **config: Any) -> Intake:
    settings = Callbacks(**({"largest": LARGEST} | config))
    return Intake(PROVIDERS, settings, shelf or Shelf(), ManualClock(NOON))


def post(path: str = "/smsc", **more: Any) -> Head:
    return Head(**({"method": "POST", "path": path, "peer": "192.0.2.7"} | more))


# --- the head -------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/smsc", "/smsc/", "smsc", "/callbacks/of/smsc", "/почта"])
def test_the_last_part_of_the_path_is_the_provider(path: str) -> None:
    assert intake().look_at(post(path)) is None


@pytest.mark.parametrize(
    "path", ["", "/", "/smscc", "/SMSC", "/mute", "/smsc/more", "/..", "/smsc%2F", "/%73msc", "//"]
)
def test_what_is_no_provider_that_calls_is_not_found(path: str) -> None:
    """One that the configuration has and that never calls neither."""
    assert intake().look_at(post(path)) is Reason.NOT_FOUND


@pytest.mark.parametrize(
    ("method", "reason"),
    [
        ("POST", None),
        ("GET", None),
        ("HEAD", Reason.KEPT),
        ("PUT", Reason.WRONG_METHOD),
        ("OPTIONS", Reason.WRONG_METHOD),
        ("post", Reason.WRONG_METHOD),
        ("", Reason.WRONG_METHOD),
    ],
)
def test_calls_are_made_by_post_or_get(method: str, reason: Reason | None) -> None:
    """HEAD only looks whether there is anything; nothing is read or kept for it."""
    assert intake().look_at(post(method=method)) is reason


@pytest.mark.parametrize(
    ("length", "reason"),
    [
        ("0", None),
        ("100", None),
        ("0000000100", None),
        ("101", Reason.TOO_LARGE),
        ("9" * 20, Reason.TOO_LARGE),
        ("9" * 5_000, Reason.BROKEN),
        ("", Reason.BROKEN),
        ("-1", Reason.BROKEN),
        ("+1", Reason.BROKEN),
        ("1e1", Reason.BROKEN),
        ("5, 5", Reason.BROKEN),
        ("٣", Reason.BROKEN),
    ],
)
def test_the_length_is_judged_before_anything_is_read(length: str, reason: Reason | None) -> None:
    assert intake().look_at(post(headers={"content-length": length})) is reason


# --- where it comes from --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("peer", "lets_in"),
    [
        ("192.0.2.7", True),
        ("192.0.2.7:4711", True),
        ("::ffff:192.0.2.7", True),
        ("2001:db8::7", True),
        ("[2001:db8::7]:4711", True),
        ("198.51.100.7", False),
        ("2001:db9::7", False),
        ("unix:", False),
        ("", False),
        ("smsc.example", False),
    ],
)
def test_only_the_networks_of_a_provider_may_call_for_it(peer: str, lets_in: bool) -> None:
    """Whoever cannot be told is not let in, and for other providers anybody may call."""
    door = intake(networks={"smsc": ("192.0.2.0/24", "2001:db8::/32")})

    assert door.look_at(post(peer=peer)) is (None if lets_in else Reason.FORBIDDEN)
    assert door.look_at(post("/почта", peer=peer)) is None


@pytest.mark.parametrize(
    ("peer", "forwarded", "source"),
    [
        ("192.0.2.7", "198.51.100.1", "192.0.2.7"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "192.0.2.7", "192.0.2.7"),
        ("10.0.0.1", "198.51.100.1, 192.0.2.7", "192.0.2.7"),
        ("10.0.0.1", "192.0.2.7, 10.0.0.2, 10.0.0.3", "192.0.2.7"),
        ("10.0.0.1", "198.51.100.1,192.0.2.7:443 ,10.0.0.2", "192.0.2.7"),
        ("10.0.0.1", "[2001:db8::7]:443", "2001:db8::7"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "192.0.2.7, unknown", None),
        ("10.0.0.1", "192.0.2.7,", None),
        ("somewhere", "192.0.2.7", None),
    ],
)
def test_a_header_is_believed_as_far_as_our_own_proxies_wrote_it(
    peer: str, forwarded: str, source: str | None
) -> None:
    """The last address that is no proxy; what stands before it anybody can have made up."""
    gate = Gate.of({}, ["10.0.0.0/8"])

    assert str(gate.source(peer, forwarded)) == str(source)


def test_without_proxies_the_header_says_nothing() -> None:
    door = intake(networks={"smsc": ("192.0.2.0/24",)})
    headers = {"x-forwarded-for": "192.0.2.7"}

    assert door.look_at(post(peer="198.51.100.7", headers=headers)) is Reason.FORBIDDEN


# --- keeping --------------------------------------------------------------------------------


def test_what_is_kept_is_the_call_and_what_its_signature_needs() -> None:
    """No cookie, no credentials, nothing of a proxy's."""
    shelf = Shelf()
    headers = {
        "content-type": "application/json",
        "x-hub-signature-256": "sha256=1",
        "webhook-id": "2",
        "x-request-timestamp": "3",
        "authorization": CANARY,
        "cookie": CANARY,
        "x-forwarded-for": CANARY,
        "user-agent": "Mozilla",
    }
    head = post(method="GET", query="id=%37", headers=headers)

    assert intake(shelf).take(head, b"body") is Reason.KEPT
    ((provider, request),) = shelf.kept
    assert provider == "smsc"
    assert request == CallbackRequest(
        method="GET",
        query="id=%37",
        headers={
            "content-type": "application/json",
            "x-hub-signature-256": "sha256=1",
            "webhook-id": "2",
            "x-request-timestamp": "3",
        },
        body=b"body",
        remote="192.0.2.7",
        received_at=NOON,
    )


@pytest.mark.parametrize(
    ("query", "headers", "body"),
    [
        ("q" * 101, {}, b""),
        ("", {}, b"b" * 101),
        ("q" * 50, {"content-type": "t" * 30}, b"b" * 30),
    ],
)
def test_the_size_is_that_of_all_together(
    query: str, headers: Mapping[str, str], body: bytes
) -> None:
    shelf = Shelf()

    assert intake(shelf).take(post(query=query, headers=headers), body) is Reason.TOO_LARGE
    assert shelf.kept == []


@pytest.mark.parametrize(
    ("error", "logged"),
    [
        (JournalError("the disk is full"), "the disk is full"),
        (NotifyError("the notifier is closed"), "the notifier is closed"),
        (RuntimeError(CANARY), "RuntimeError"),
    ],
)
def test_a_call_that_cannot_be_kept_is_to_be_repeated(
    error: Exception, logged: str, caplog: pytest.LogCaptureFixture
) -> None:
    """No 200 for what is lost, and no 500 for what is a defect."""
    assert intake(Shelf(error)).take(post(), b"") is Reason.UNAVAILABLE
    assert caplog.messages == [f"calls of provider smsc cannot be kept (1): {logged}"]


def test_a_flood_that_cannot_be_kept_does_not_fill_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A line a minute for each provider and reason says how many there were."""
    shelf, clock = Shelf(JournalError("the disk is full")), ManualClock(NOON)
    door = Intake(PROVIDERS, Callbacks(), shelf, clock)
    for _ in range(1_000):
        door.take(post(), b"")
    clock.advance(60)
    shelf.error = JournalError("it is locked")
    door.take(post(), b"")

    assert caplog.messages == [
        "calls of provider smsc cannot be kept (1): the disk is full",
        "calls of provider smsc cannot be kept (999): the disk is full",
        "calls of provider smsc cannot be kept (1): it is locked",
    ]


# --- through WSGI ---------------------------------------------------------------------------


class Response:
    """What an application answered."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""

    def start(self, status: str, headers: list[tuple[str, str]]) -> None:
        assert not self.status
        self.status = int(status.split(" ", 1)[0])
        self.headers = {name.lower(): text for name, text in headers}


def over_wsgi(app: Any, body: Any = b"", **environ: Any) -> Response:
    stream = io.BytesIO(body) if isinstance(body, bytes) else body
    response = Response()
    given = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "/callbacks",
        "PATH_INFO": "/smsc",
        "REMOTE_ADDR": "192.0.2.7",
        "wsgi.input": stream,
    }
    response.body = b"".join(app(given | environ, response.start))
    return response


def wsgi(shelf: Shelf | None = None, **config: Any) -> WsgiApp:
    door = intake(shelf, **config)
    return WsgiApp(lambda: door)


class Broken(io.BytesIO):
    """A body whose sender hangs up."""

    def read(self, *_: Any) -> bytes:
        raise OSError(CANARY)


class InPieces(io.BytesIO):
    """A body that comes byte by byte."""

    def read(self, *_: Any) -> bytes:
        return super().read(1)


@pytest.mark.parametrize(
    ("body", "environ", "status", "taken"),
    [
        (b"12345", {"CONTENT_LENGTH": "5"}, 200, b"12345"),
        (b"12345rest", {"CONTENT_LENGTH": "5"}, 200, b"12345"),
        (InPieces(b"12345"), {"CONTENT_LENGTH": "5"}, 200, b"12345"),
        (b"1234", {"CONTENT_LENGTH": "5"}, 400, None),
        (b"12345", {"CONTENT_LENGTH": "five"}, 400, None),
        (b"12345", {"CONTENT_LENGTH": ""}, 200, b""),
        (b"12345", {}, 200, b""),
        (b"12345", {"HTTP_CONTENT_LENGTH": "3"}, 200, b""),
        (b"12345", {"wsgi.input_terminated": True}, 200, b"12345"),
        (b"1" * 101, {"wsgi.input_terminated": True}, 413, None),
        (b"12345", {"HTTP_TRANSFER_ENCODING": "chunked"}, 411, None),
        (b"1" * 101, {"CONTENT_LENGTH": "101"}, 413, None),
        (Broken(), {"CONTENT_LENGTH": "5"}, 400, None),
    ],
)
def test_a_body_is_taken_whole_or_not_at_all(
    body: object, environ: Mapping[str, Any], status: int, taken: bytes | None
) -> None:
    """As long as the request says; where it says nothing, as far as the server says it ends."""
    shelf = Shelf()

    assert over_wsgi(wsgi(shelf), body, **environ).status == status
    assert [request.body for _, request in shelf.kept] == ([] if taken is None else [taken])


def test_wsgi_hands_on_what_came_undecoded() -> None:
    """The path alone is decoded: it is bytes, one to a character."""
    shelf = Shelf()
    over_wsgi(
        wsgi(shelf),
        PATH_INFO="/почта/".encode().decode("latin-1"),
        QUERY_STRING="mes=%D0%BF+%00",
        CONTENT_TYPE="text/plain",
        HTTP_X_SIGNATURE="\xff",
    )

    ((provider, request),) = shelf.kept
    assert provider == "почта"
    assert request.query == "mes=%D0%BF+%00"
    assert request.headers == {"content-type": "text/plain", "x-signature": "\xff"}


@pytest.mark.parametrize(
    ("environ", "config", "status", "headers"),
    [
        ({}, {}, 200, {"cache-control": "no-store"}),
        ({"PATH_INFO": "/nobody"}, {}, 404, {}),
        ({"REQUEST_METHOD": "DELETE"}, {}, 405, {"allow": "GET, HEAD, POST"}),
        ({}, {"networks": {"smsc": ("198.51.100.0/24",)}}, 403, {}),
    ],
)
def test_every_answer_is_a_line_of_text(
    environ: Mapping[str, Any],
    config: Mapping[str, Any],
    status: int,
    headers: Mapping[str, str],
) -> None:
    response = over_wsgi(wsgi(**config), **environ)

    assert response.status == status
    assert response.headers.items() >= headers.items()
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.headers["content-length"] == str(len(response.body))
    assert response.body.endswith(b"\n")


def test_a_provider_is_told_when_to_come_again() -> None:
    response = over_wsgi(wsgi(Shelf(JournalError("full"))))

    assert (response.status, response.headers["retry-after"]) == (503, "30")


def test_head_is_answered_as_get_would_be_without_a_body() -> None:
    """Nothing of it is kept."""
    shelf = Shelf()
    response = over_wsgi(wsgi(shelf), REQUEST_METHOD="HEAD")

    assert (response.status, response.body, response.headers["content-length"]) == (200, b"", "3")
    assert shelf.kept == []


# --- through ASGI ---------------------------------------------------------------------------


Event = MutableMapping[str, Any]


def over_asgi(app: Any, events: Sequence[Event], **scope: Any) -> Response:
    """Call an application once, as a server would, with these events."""
    sent: list[Event] = []
    given = {
        "type": "http",
        "method": "POST",
        "path": "/callbacks/smsc",
        "query_string": b"",
        "headers": [],
        "client": ("192.0.2.7", 4711),
    }
    asyncio.run(_driven(app, given | scope, events, sent))
    return _response(sent)


async def _driven(app: Any, scope: Event, events: Sequence[Event], sent: list[Event]) -> None:
    coming = iter(events)

    async def receive() -> Event:
        return next(coming)

    async def send(event: Event) -> None:
        sent.append(event)

    await app(scope, receive, send)


def _response(sent: Sequence[Event]) -> Response:
    response = Response()
    if sent:
        start, body = sent
        headers = [(name.decode(), text.decode()) for name, text in start["headers"]]
        response.start(str(start["status"]), headers)
        response.body = body["body"]
    return response


def asgi(shelf: Shelf | None = None, **config: Any) -> AsgiApp:
    door = intake(shelf, **config)
    return AsgiApp(lambda: door)


def body_of(*pieces: bytes) -> list[Event]:
    last = len(pieces) - 1
    return [
        {"type": "http.request", "body": piece, "more_body": number < last}
        for number, piece in enumerate(pieces)
    ]


GONE: Event = {"type": "http.disconnect"}


@pytest.mark.parametrize(
    ("events", "length", "status", "taken"),
    [
        (body_of(b"12", b"", b"345"), b"5", 200, b"12345"),
        (body_of(b"12345"), None, 200, b"12345"),
        ([{"type": "http.request"}], None, 200, b""),
        (body_of(b"12345"), b"6", 400, None),
        (body_of(b"12345"), b"4", 400, None),
        (body_of(b"12345"), b"five", 400, None),
        (body_of(b"1" * 60, b"1" * 60, b"never read"), None, 413, None),
        (body_of(b"never read"), b"101", 413, None),
        ([*body_of(b"12", b"345")[:1], GONE], b"5", 0, None),
        ([GONE], None, 0, None),
    ],
)
def test_over_asgi_a_body_is_taken_whole_or_not_at_all(
    events: list[Event], length: bytes | None, status: int, taken: bytes | None
) -> None:
    """Who has hung up is not answered."""
    shelf = Shelf()
    headers = [] if length is None else [(b"content-length", length)]

    assert over_asgi(asgi(shelf), events, headers=headers).status == status
    assert [request.body for _, request in shelf.kept] == ([] if taken is None else [taken])


def test_asgi_hands_on_what_came_undecoded() -> None:
    """Headers that come twice are joined, as WSGI servers do."""
    shelf = Shelf()
    over_asgi(
        asgi(shelf),
        body_of(b"\xff"),
        path="/почта",
        query_string=b"mes=%D0%BF+%00\xff",
        headers=[(b"X-Signature", b"\xff"), (b"x-signature", b"2"), (b"Cookie", b"c")],
        client=None,
    )

    ((provider, request),) = shelf.kept
    assert provider == "почта"
    assert (request.query, request.body) == ("mes=%D0%BF+%00\xff", b"\xff")
    assert (request.headers, request.remote) == ({"x-signature": "\xff, 2"}, "")


@pytest.mark.parametrize("method", ["DELETE", "HEAD"])
def test_both_servers_answer_the_same(method: str) -> None:
    wsgi_answer = over_wsgi(wsgi(), REQUEST_METHOD=method)
    asgi_answer = over_asgi(asgi(), [], method=method)

    assert vars(wsgi_answer) == vars(asgi_answer)


def test_asgi_begins_and_ends_with_its_server() -> None:
    sent: list[Event] = []
    events = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    asyncio.run(_driven(asgi(), {"type": "lifespan"}, events, sent))

    assert [event["type"] for event in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]


def test_a_websocket_is_closed() -> None:
    sent: list[Event] = []
    asyncio.run(_driven(asgi(), {"type": "websocket", "path": "/smsc"}, [], sent))

    assert [event["type"] for event in sent] == ["websocket.close"]


# --- any request at all ---------------------------------------------------------------------


ANSWERS = {200, 400, 403, 404, 405, 411, 413}
ANY = st.text(st.characters(max_codepoint=255), max_size=30)
LIKELY_LENGTH = st.one_of(st.integers(-1, 120).map(str), ANY)


@settings(max_examples=150, deadline=None)
@given(
    method=st.one_of(st.sampled_from(["GET", "POST", "HEAD"]), ANY),
    path=st.one_of(st.sampled_from(["/smsc", "/a/smsc/", "/mute"]), ANY),
    query=ANY,
    peer=st.one_of(st.sampled_from(["192.0.2.7", "10.0.0.1", "::1"]), ANY),
    forwarded=ANY,
    length=st.one_of(st.none(), LIKELY_LENGTH),
    body=st.binary(max_size=120),
)
def test_any_request_is_answered_and_kept_whole_or_not_at_all(
    method: str, path: str, query: str, peer: str, forwarded: str, length: str | None, body: bytes
) -> None:
    """There is a 200 for nothing but what was kept, and what only looked; and never a 500."""
    shelf = Shelf()
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "REMOTE_ADDR": peer,
        "HTTP_X_FORWARDED_FOR": forwarded,
    }
    if length is not None:
        environ["CONTENT_LENGTH"] = length
    app = wsgi(shelf, networks={"smsc": ("192.0.2.0/24",)}, proxies=("10.0.0.0/8",))
    response = over_wsgi(app, body, **environ)

    assert response.status in ANSWERS
    assert len(shelf.kept) == (response.status == 200 and method != "HEAD")
    for provider, request in shelf.kept:
        assert provider == "smsc"
        assert request.body == body[: int(length or 0)]
        assert request.query == query
        assert request.remote.startswith("192.0.2.")


# --- around a notifier ----------------------------------------------------------------------


def notifier(config: Config | None = None, **providers: ScriptedProvider) -> Notifier:
    made = config or scripted_config(**(providers or {"smsc": Caller()}))
    return notifier_with(attrs.evolve(made, journal=JournalConfig(url=Secret("memory:"))))


@pytest.fixture
def opened() -> Iterator[Notifier]:
    with notifier() as made:
        yield made


MAKERS: Sequence[Callable[[Notifier], Any]] = (callback_app, callback_asgi_app)


@pytest.mark.parametrize("made", MAKERS)
def test_without_a_journal_no_calls_can_be_taken_in(made: Callable[[Notifier], Any]) -> None:
    with (
        notifier_with(scripted_config(smsc=Caller())) as without,
        pytest.raises(JournalError, match=r"^taking calls in needs a journal; write journal: "),
    ):
        made(without)


def test_a_call_is_kept_in_the_journal_of_the_notifier(opened: Notifier) -> None:
    """Through either kind of server."""
    answers = [
        over_wsgi(callback_app(opened), b"sig=good", CONTENT_LENGTH="8"),
        over_asgi(callback_asgi_app(opened), body_of(b"sig=good")),
    ]

    assert [answer.body for answer in answers] == [b"ok\n", b"ok\n"]
    assert opened.receiver.work_off() == 2
    provider = opened.provider("smsc")
    assert isinstance(provider, Caller)
    assert [request.body for request in provider.parsed] == [b"sig=good"] * 2


def test_after_the_notifier_is_closed_calls_are_to_be_repeated() -> None:
    """A server may stop after it."""
    with notifier() as made:
        app = callback_app(made)

    assert over_wsgi(app).status == 503


def test_no_query_is_logged(opened: Notifier, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for path in ("/smsc", "/nobody"):
        over_wsgi(callback_app(opened), PATH_INFO=path, QUERY_STRING=f"md5={CANARY}")
    opened.receiver.work_off()

    assert CANARY not in caplog.text
