"""What SmscApi adds to the recorded calls of the library: typed errors, and ways to give things."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from requests.adapters import HTTPAdapter

from notify_core.attachment import Attachment
from notify_core.errors import AttachmentError, MessageError, NotifyError, ProviderError
from notify_core.outcome import NotSent, Unknown
from notify_smsc.smsc_api import SmscApi
from notify_smsc_emulator import Emulator, Settings

ANSWER = {"status": 200, "body": "1001,1,2.40,97.60"}
ACCEPTED = ["1001", "1", "2.40", "97.60"]

Made = tuple[SmscApi, list[requests.PreparedRequest]]


@pytest.fixture
def api(network: Callable[..., Any]) -> Callable[..., Made]:
    """Return a function that makes a client from a script, and the list of what it sends."""

    def scripted(*script: Any, **settings: Any) -> Made:
        session, sent = network(script, settings.get("charset", "utf-8"))
        return SmscApi("alice", "s3cret", session=session, **settings), sent

    return scripted


def params(request: requests.PreparedRequest, charset: str = "utf-8") -> list[tuple[str, str]]:
    query = urlsplit(str(request.url)).query
    return parse_qsl(query, keep_blank_values=True, encoding=charset)


@pytest.mark.parametrize(
    "query",
    [
        "subj=%D0%A2%D0%B5%D0%BC%D0%B0&maxsms=2",
        {"subj": "Тема", "maxsms": 2},
        [("subj", "Тема"), ("maxsms", "2")],
    ],
)
def test_extras_can_be_given_in_three_forms(api: Callable[..., Made], query: Any) -> None:
    client, sent = api(ANSWER)

    client.send_sms("79990000001", "x", query=query)

    assert params(sent[0])[-2:] == [("subj", "Тема"), ("maxsms", "2")]


def test_urlencoded_extras_are_in_the_charset_of_the_client(api: Callable[..., Made]) -> None:
    client, sent = api(ANSWER, charset="windows-1251")

    client.send_sms("79990000001", "x", query="subj=%D2%E5%EC%E0")

    assert params(sent[0], "windows-1251")[-1] == ("subj", "Тема")


def test_extras_in_another_charset_are_refused_without_quoting_them(
    api: Callable[..., Made],
) -> None:
    client, _ = api(charset="utf-8")

    with pytest.raises(MessageError, match="another charset than utf-8") as caught:
        client.send_sms("79990000001", "x", query="subj=%D2%E5%EC%E0")

    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "name", ["login", "psw", "apikey", "fmt", "charset", "cost", "phones", "mes", "translit", "id"]
)
def test_an_extra_cannot_take_the_place_of_a_parameter(api: Callable[..., Made], name: str) -> None:
    client, sent = api()

    with pytest.raises(MessageError, match=f"query: {name} cannot be set there"):
        client.send_sms("79990000001", "x", query={name: "1"})

    assert sent == []


def test_an_extra_cannot_take_the_place_of_a_file(api: Callable[..., Made]) -> None:
    client, _ = api()

    with pytest.raises(MessageError, match="file0 cannot be set there"):
        client.send_sms("79990000001", "x", files=[Attachment("a.txt", b"A")], query={"file0": "x"})


def test_files_can_be_attachments_and_paths(api: Callable[..., Made], tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_bytes(b"B")
    client, sent = api(ANSWER)

    client.send_sms("79990000001", "x", files=[Attachment("a.txt", b"A"), tmp_path / "b.txt"])

    body = sent[0].body
    assert isinstance(body, bytes)
    assert body.index(b'name="file0"; filename="a.txt"') < body.index(
        b'name="file1"; filename="b.txt"'
    )


def test_a_single_path_is_not_taken_for_a_list_of_letters(api: Callable[..., Made]) -> None:
    client, _ = api()

    with pytest.raises(AttachmentError, match="give a list"):
        client.send_sms("79990000001", "x", files="pic.png")


@pytest.mark.parametrize("id", ["order-7.a_B", "0", 2147483647])
def test_an_id_may_be_a_number_or_a_word(api: Callable[..., Made], id: Any) -> None:
    client, sent = api(ANSWER)

    client.send_sms("79990000001", "x", id=id)

    assert ("id", str(id)) in params(sent[0])


@pytest.mark.parametrize(
    "arguments",
    [
        {"id": "x" * 41},
        {"id": "заказ"},
        {"id": True},
        {"translit": 3},
        {"translit": "-1"},
        {"time": False},
        {"format": None},
        {"sender": True},
        {"phones": None},
        {"phones": ["79990000001"]},
        {"message": b"x"},
    ],
)
def test_an_argument_of_another_form_is_refused(
    api: Callable[..., Made], arguments: dict[str, Any]
) -> None:
    client, sent = api()

    (name,) = arguments
    with pytest.raises(MessageError, match=f"^{name}: "):
        client.send_sms(**{"phones": "79990000001", "message": "x", **arguments})

    assert sent == []


def test_an_id_with_leading_zeros_is_found_in_the_answer(api: Callable[..., Made]) -> None:
    rows = "1,1893456000,0,42,79990000001\n20,1893456000,6,43,79990000002"
    client, _ = api({"status": 200, "body": rows})

    found = client.get_status("00042,43", "79990000001,79990000002")

    assert [row[3] for row in found] == ["42", "43"]


def test_an_unknown_charset_is_refused() -> None:
    with pytest.raises(MessageError, match="known: utf-8, windows-1251, koi8-r"):
        SmscApi("alice", "s3cret", charset="utf8")


@pytest.mark.parametrize(
    ("id", "phone"),
    [("7,8", "79990000001"), ("7", ""), ("", "79990000001"), (",7", ",79990000001"), ("7,8", ",")],
)
def test_each_id_needs_its_phone(api: Callable[..., Made], id: str, phone: str) -> None:
    client, sent = api()

    with pytest.raises(MessageError, match=r"^(id|phone): "):
        client.get_status(id, phone)

    assert sent == []


@pytest.mark.parametrize(
    ("failure", "outcome", "asked"),
    [
        (requests.exceptions.ConnectionError(), Unknown, 1),
        (requests.exceptions.ConnectionError("refused"), Unknown, 1),
        (requests.exceptions.ReadTimeout(), Unknown, 1),
        (requests.exceptions.SSLError(), Unknown, 1),
        (requests.exceptions.ChunkedEncodingError(), Unknown, 1),
        (requests.exceptions.ConnectTimeout(), NotSent, 5),
        (requests.exceptions.ConnectionError(ConnectionRefusedError(111, "")), NotSent, 5),
        (requests.exceptions.ConnectionError(socket.gaierror(-2, "")), NotSent, 5),
    ],
)
def test_a_send_goes_on_to_the_next_host_only_when_none_was_reached(
    failure: Exception, outcome: type, asked: int
) -> None:
    session, failing = failing_session(failure)

    with pytest.raises(ProviderError) as caught:
        SmscApi("alice", "s3cret", session=session).send_sms("79990000001", "x")

    assert isinstance(caught.value.outcome, outcome)
    assert len(failing.asked) == asked


def test_a_question_goes_on_whatever_happened() -> None:
    session, failing = failing_session(requests.exceptions.ConnectionError())

    with pytest.raises(ProviderError):
        SmscApi("alice", "s3cret", session=session).get_balance()

    assert len(failing.asked) == 5


class Failing(requests.adapters.BaseAdapter):
    """Fail in the same way for every request."""

    def __init__(self, failure: Exception) -> None:
        super().__init__()
        self.failure = failure
        self.asked: list[str | None] = []

    def send(  # type: ignore[override]
        self, request: requests.PreparedRequest, **_options: object
    ) -> requests.Response:
        self.asked.append(request.url)
        raise self.failure

    def close(self) -> None:
        """Nothing is open."""


def failing_session(failure: Exception) -> tuple[requests.Session, Failing]:
    session, adapter = requests.Session(), Failing(failure)
    session.mount("https://", adapter)
    return session, adapter


def test_an_empty_answer_to_a_send_is_not_asked_for_again(api: Callable[..., Made]) -> None:
    client, sent = api({"status": 200, "body": ""})

    with pytest.raises(ProviderError, match="the answer is empty"):
        client.send_sms("79990000001", "x")

    assert len(sent) == 1


def test_bytes_that_are_not_in_the_charset_are_no_answer(network: Callable[..., Any]) -> None:
    session, _ = network([{"status": 200, "body": "Ж"}], "windows-1251")

    with pytest.raises(ProviderError, match="cannot be read"):
        SmscApi("alice", "s3cret", session=session).send_sms("79990000001", "x")


def test_an_error_answer_is_a_value_and_no_exception(api: Callable[..., Made]) -> None:
    client, _ = api({"status": 200, "body": "502,-3"})

    assert client.send_sms("79990000001", "x", id=502) == ["502", "-3"]


def test_a_list_needs_no_phones(api: Callable[..., Made]) -> None:
    client, sent = api(ANSWER)

    client.send_sms("", "", query={"list": "79990000001:one\n79990000002:two"})

    assert params(sent[0])[-1] == ("list", "79990000001:one\n79990000002:two")


def test_a_session_that_was_given_stays_open(api: Callable[..., Made]) -> None:
    client, _ = api(ANSWER)

    client.close()

    assert client.send_sms("79990000001", "x") == ACCEPTED


def test_a_session_that_repeats_requests_sends_nothing() -> None:
    session = requests.Session()
    session.mount("http://", HTTPAdapter(max_retries=3))
    with Emulator(Settings(rate_rules=False)) as gateway:
        gateway.fault("drop", script="send")
        client = SmscApi("test", "test", host=gateway.host, https=False, session=session)

        with pytest.raises(ProviderError, match="max_retries=0") as caught:
            client.send_sms("79990000001", "x")

        assert isinstance(caught.value.outcome, NotSent)
        assert gateway.caught() == ()


def test_no_log_holds_a_secret_or_a_text(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Emulator(Settings(password="canary-secret")) as gateway:
        client = SmscApi("test", "canary-secret", host=gateway.host, https=False)

        client.send_sms("79990000001", "canary-text")
        client.close()

        assert gateway.requests()[0].method == "GET"
    assert "200" in caplog.text
    assert "canary" not in caplog.text


def test_a_letter_that_no_server_took_is_an_error_with_the_outcome() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    client = SmscApi("alice", "s3cret", smtp_host="127.0.0.1", smtp_port=port)

    with pytest.raises(ProviderError) as caught:
        client.send_sms_mail("79990000001", "x")

    assert isinstance(caught.value.outcome, NotSent)


def test_letters_come_from_the_gateway_itself_unless_told_otherwise(
    mailbox: tuple[int, list[Any]],
) -> None:
    port, letters = mailbox

    SmscApi("", "KEY", smtp_host="127.0.0.1", smtp_port=port).send_sms_mail("79990000001", "x")

    assert letters[0].mail_from == "api@smsc.ru"
    assert b"\r\n\r\n:KEY:0:0:0,0,:79990000001:x\r\n" in letters[0].content


def test_no_error_quotes_a_secret_or_a_text(api: Callable[..., Made]) -> None:
    client, _ = api({"status": 502, "body": "s3cret Код 4821"})

    with pytest.raises(NotifyError) as caught:
        client.send_sms("79990000001", "Код 4821")

    assert "s3cret" not in f"{caught.value!r}{client!r}"
    assert "4821" not in repr(caught.value)
