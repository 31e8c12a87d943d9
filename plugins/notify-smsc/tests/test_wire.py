"""The HTTP side of the gateway: encoding, host names, and which host is asked when."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_core.attachment import Attachment
from notify_core.errors import MessageError
from notify_core.http import HttpClient, HttpReply
from notify_core.outcome import NotSent, Unknown
from notify_core.secret import Secret
from notify_smsc.formats import Format, format_of
from notify_smsc.wire import (
    Credentials,
    Gateway,
    encode_form,
    encode_multipart,
    host_names,
)

HOSTS = ("a.example", "b.example", "c.example")
OK = {"status": 200, "body": "97.60"}
EMPTY = {"status": 200, "body": ""}
REFUSED = {"connect": "refused"}
DROPPED = {"drop": "before_reply"}


@pytest.fixture
def gateway(network: Callable[..., Any]) -> Callable[..., tuple[Gateway, list[Any]]]:
    """Return a function that makes a gateway with three hosts from a script."""

    def scripted(*script: Any, https: bool = True) -> tuple[Gateway, list[Any]]:
        session, sent = network(script, "utf-8")
        return Gateway(HttpClient(session=session), HOSTS, https=https), sent

    return scripted


class File(NamedTuple):
    name: str
    content: bytes


# Credentials


def test_a_login_goes_with_its_password() -> None:
    credentials = Credentials("alice", Secret("s3cret"))

    assert credentials.params() == (("login", "alice"), ("psw", "s3cret"))


def test_an_api_key_goes_alone() -> None:
    assert Credentials.of_api_key(Secret("KEY")).params() == (("apikey", "KEY"),)


def test_credentials_are_not_printed() -> None:
    assert "s3cret" not in repr(Credentials("alice", Secret("s3cret")))


def test_an_empty_password_is_refused() -> None:
    with pytest.raises(MessageError, match="password or API key is empty"):
        Credentials("alice", Secret(""))


# Formats


@pytest.mark.parametrize(
    ("number", "flag"),
    [
        (0, ()),
        (1, (("flash", "1"),)),
        (2, (("push", "1"),)),
        (3, (("hlr", "1"),)),
        (4, (("bin", "1"),)),
        (5, (("bin", "2"),)),
        (6, (("ping", "1"),)),
        (7, (("mms", "1"),)),
        (8, (("mail", "1"),)),
        (9, (("call", "1"),)),
        (10, (("viber", "1"),)),
        (11, (("soc", "1"),)),
        (13, (("tg", "1"),)),
    ],
)
def test_a_format_is_asked_for_by_its_flag(number: int, flag: tuple[Any, ...]) -> None:
    assert format_of(number).flag == flag


@pytest.mark.parametrize("number", [-1, 12, 14])
def test_a_number_without_a_format_is_refused(number: int) -> None:
    with pytest.raises(MessageError, match=f"format: {number} is not a format"):
        format_of(number)


def test_every_format_has_its_flag() -> None:
    assert len({kind.flag for kind in Format}) == len(Format)


# Encoding


@given(st.lists(st.tuples(st.text("abc[].", min_size=1), st.text(st.characters(codec="utf-8")))))
def test_a_form_decodes_to_what_was_encoded(params: list[tuple[str, str]]) -> None:
    form = encode_form(params, "utf-8").decode("ascii")

    assert parse_qsl(form, keep_blank_values=True) == params


@pytest.mark.parametrize(
    ("charset", "form"),
    [
        ("utf-8", b"mes=%D0%96+%2B%26%3D%0A"),
        ("windows-1251", b"mes=%C6+%2B%26%3D%0A"),
        ("koi8-r", b"mes=%F6+%2B%26%3D%0A"),
    ],
)
def test_values_are_bytes_in_the_charset(charset: str, form: bytes) -> None:
    assert encode_form([("mes", "Ж +&=\n")], charset) == form


def test_a_character_that_does_not_fit_is_named_by_its_code_point_alone() -> None:
    with pytest.raises(MessageError) as caught:
        encode_form([("mes", "секрет 👋")], "windows-1251")

    assert str(caught.value) == "mes: the character U+1F44B does not exist in windows-1251"
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_half_of_a_surrogate_pair_does_not_fit_into_utf_8() -> None:
    with pytest.raises(MessageError, match=r"U\+D83D"):
        encode_multipart([("mes", "\ud83d")], (), "utf-8")


def test_files_are_parts_after_the_parameters() -> None:
    files = [Attachment("pic.png", b"\x00\r\n--PNG"), Attachment("b.txt", b"")]

    body, content_type = encode_multipart([("mes", "Ж")], files, "windows-1251")

    boundary = content_type.removeprefix("multipart/form-data; boundary=").encode()
    assert body == b"".join(
        [
            b"--%b\r\n" % boundary,
            b'Content-Disposition: form-data; name="mes"\r\n\r\n\xc6\r\n',
            b"--%b\r\n" % boundary,
            b'Content-Disposition: form-data; name="file0"; filename="pic.png"\r\n',
            b"Content-Type: application/octet-stream\r\n\r\n\x00\r\n--PNG\r\n",
            b"--%b\r\n" % boundary,
            b'Content-Disposition: form-data; name="file1"; filename="b.txt"\r\n',
            b"Content-Type: application/octet-stream\r\n\r\n\r\n",
            b"--%b--\r\n" % boundary,
        ]
    )


def test_a_boundary_is_never_used_twice() -> None:
    assert encode_multipart([], [], "utf-8") != encode_multipart([], [], "utf-8")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ('say "hi".txt', b"say %22hi%22.txt"),
        ("new\r\nline.txt", b"new%0D%0Aline.txt"),
        (r"a\b.txt", rb"a\b.txt"),
        ("а.txt", b"\xe0.txt"),
        ("/srv/app/b.txt", b"b.txt"),
    ],
)
def test_a_file_name_is_a_base_name_that_cannot_end_its_quotes(name: str, shown: bytes) -> None:
    body, _ = encode_multipart([], [File(name, b"")], "windows-1251")

    assert b'filename="' + shown + b'"\r\n' in body


def test_a_name_of_a_parameter_cannot_begin_another_header() -> None:
    body, _ = encode_multipart([('a"\r\nX: y', "1")], [], "utf-8")

    assert b'name="a%22%0D%0AX: y"\r\n\r\n1' in body


# Hosts


def test_reserve_names_stand_before_the_host() -> None:
    assert host_names("smsc.ru") == (
        "smsc.ru",
        "www2.smsc.ru",
        "www3.smsc.ru",
        "www4.smsc.ru",
        "www5.smsc.ru",
    )
    assert host_names("gateway.example", reserve=()) == ("gateway.example",)


def test_a_gateway_without_hosts_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="at least one host"):
        Gateway(HttpClient(), ())


@pytest.mark.parametrize(
    ("script", "may_repeat", "asked", "outcome"),
    [
        ([OK], False, 1, HttpReply),
        ([REFUSED, OK], False, 2, HttpReply),
        ([REFUSED, REFUSED, REFUSED], False, 3, NotSent),
        ([DROPPED], False, 1, Unknown),
        ([REFUSED, DROPPED], False, 2, Unknown),
        ([EMPTY], False, 1, HttpReply),
        ([{"status": 503, "body": ""}], False, 1, HttpReply),
        ([DROPPED, OK], True, 2, HttpReply),
        ([EMPTY, OK], True, 2, HttpReply),
        ([EMPTY, REFUSED, DROPPED], True, 3, Unknown),
        ([EMPTY, EMPTY, EMPTY], True, 3, HttpReply),
        ([{"status": 502, "body": "<html>"}], True, 1, HttpReply),
    ],
)
def test_the_next_host_is_asked_only_while_that_does_no_harm(
    gateway: Callable[..., Any], script: list[Any], may_repeat: bool, asked: int, outcome: type
) -> None:
    made, sent = gateway(*script)

    answer = made.call("balance", [("fmt", "1")], may_repeat=may_repeat)

    assert isinstance(answer, outcome)
    assert [str(request.url) for request in sent] == [
        f"https://{host}/sys/balance.php" for host in HOSTS[:asked]
    ]


@pytest.mark.parametrize(
    ("script", "host", "kind"),
    [
        ([OK], "a.example", HttpReply),
        ([DROPPED], "a.example", Unknown),
        ([REFUSED, EMPTY], "b.example", HttpReply),
        ([REFUSED, REFUSED, DROPPED], "c.example", Unknown),
        ([REFUSED, REFUSED, REFUSED], "c.example", NotSent),
    ],
)
def test_a_send_tells_the_host_that_may_have_taken_it(
    gateway: Callable[..., Any], script: list[Any], host: str, kind: type
) -> None:
    made, sent = gateway(*script)

    heard = made.send([("mes", "x")])

    assert (heard.host, type(heard.reply)) == (host, kind)
    assert [request.method for request in sent] == ["POST"] * len(script)


def test_each_call_begins_at_the_first_host(gateway: Callable[..., Any]) -> None:
    made, sent = gateway(REFUSED, OK, OK)

    made.call("status", [])
    made.call("status", [])

    hosts = [request.url.split("/")[2] for request in sent]
    assert hosts == ["a.example", "b.example", "a.example"]


@pytest.mark.parametrize(
    ("length", "method"), [(0, "GET"), (2000, "GET"), (2001, "POST"), (5000, "POST")]
)
def test_a_get_that_would_be_too_long_is_a_post(
    length: int, method: str, gateway: Callable[..., Any]
) -> None:
    made, sent = gateway(OK)
    text = "x" * (length - len("https://a.example/sys/send.php?mes="))

    made.call("send", [("mes", text)], post=False)

    assert sent[0].method == method
    assert (sent[0].body is None) is (method == "GET")


def test_the_method_is_decided_for_the_first_host(gateway: Callable[..., Any]) -> None:
    made, sent = gateway(REFUSED, OK)
    text = "x" * (2000 - len("https://a.example/sys/send.php?mes="))

    made.call("send", [("mes", text)], post=False)

    assert [request.method for request in sent] == ["GET", "GET"]


def test_files_are_posted_as_parts_whatever_was_asked(gateway: Callable[..., Any]) -> None:
    made, sent = gateway(OK)

    made.call("send", [("mes", "x")], files=[Attachment("a.txt", b"A")], post=False)

    assert sent[0].method == "POST"
    assert sent[0].headers["Content-Type"].startswith("multipart/form-data; boundary=")


def test_a_redirect_is_returned_and_not_followed(gateway: Callable[..., Any]) -> None:
    moved = {"status": 302, "body": "", "headers": {"Location": "https://elsewhere.example/"}}
    made, sent = gateway(moved)

    answer = made.call("send", [])

    assert answer == HttpReply(302, b"", "")
    assert len(sent) == 1


# The same over real sockets


class _Site:
    """A web server that answers all requests with the same bytes, and counts them."""

    def __init__(self, answer: bytes) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._answer = answer
        self.requests = 0
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"

    def serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection:
                    connection.recv(65536)
                    self.requests += 1
                    connection.sendall(self._answer)

    def close(self) -> None:
        # Wakes the thread that waits for a connection.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def site() -> Iterator[Callable[[bytes], _Site]]:
    """Return a function that starts a web server on loopback."""
    with contextlib.ExitStack() as stack:

        def started(answer: bytes) -> _Site:
            made = _Site(answer)
            thread = threading.Thread(target=made.serve)
            thread.start()
            stack.callback(thread.join)
            stack.callback(made.close)
            return made

        yield started


@pytest.fixture
def client() -> Iterator[HttpClient]:
    made = HttpClient()
    yield made
    made.close()


ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n97.60"


def test_a_port_that_refuses_leads_to_the_next_host(
    client: HttpClient, site: Callable[[bytes], _Site]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        dead = f"127.0.0.1:{closed.getsockname()[1]}"
    live = site(ANSWER)

    answer = Gateway(client, (dead, live.host), https=False).call("send", [("mes", "x")])

    assert answer == HttpReply(200, b"97.60", "")
    assert live.requests == 1


def test_an_https_handshake_that_fails_leads_to_the_next_host(
    client: HttpClient, site: Callable[[bytes], _Site]
) -> None:
    plain, other = site(b"no TLS here"), site(b"nor here")

    answer = Gateway(client, (plain.host, other.host)).call("send", [("mes", "x")])

    assert isinstance(answer, NotSent)
    assert (plain.requests, other.requests) == (1, 1)


@pytest.mark.parametrize("cut", [b"", b"HTTP/1.1 2", ANSWER[:-2]])
def test_a_send_whose_answer_is_cut_is_unknown_and_goes_nowhere_else(
    cut: bytes, client: HttpClient, site: Callable[[bytes], _Site]
) -> None:
    broken, other = site(cut), site(ANSWER)

    answer = Gateway(client, (broken.host, other.host), https=False).call("send", [("mes", "x")])

    assert isinstance(answer, Unknown)
    assert (broken.requests, other.requests) == (1, 0)


def test_a_question_whose_answer_is_cut_is_asked_at_the_next_host(
    client: HttpClient, site: Callable[[bytes], _Site]
) -> None:
    broken, other = site(b""), site(ANSWER)
    gateway = Gateway(client, (broken.host, other.host), https=False)

    answer = gateway.call("balance", [], may_repeat=True)

    assert answer == HttpReply(200, b"97.60", "")
    assert (broken.requests, other.requests) == (1, 1)
