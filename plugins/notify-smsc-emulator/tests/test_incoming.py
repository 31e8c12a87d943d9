"""Messages and calls that come in: posted, and read from get.php."""

import hashlib
from collections.abc import Callable

import pytest
import requests

from notify_smsc_emulator import CallbackKind, CallbackReceiver, Emulator, ManualClock, Settings

Ask = Callable[..., requests.Response]

PHONE = "79990000001"
OURS = "79990000900"
NO_MESSAGES = {"error": "no messages", "error_code": 3}


@pytest.fixture
def answers(ask: Ask) -> Ask:
    """Ask for the incoming messages."""

    def get(**params: str | int) -> requests.Response:
        return ask("get", get_answers=1, **params)

    return get


def ids(answer: requests.Response) -> list[int]:
    return [row["id"] for row in answer.json()]


def receive(gateway: Emulator, count: int) -> None:
    for number in range(1, count + 1):
        gateway.receive(PHONE, f"text {number}", OURS)


def test_an_incoming_message_can_be_read(answers: Ask, gateway: Emulator) -> None:
    gateway.receive("+7 999 000-00-01", "Привет", OURS)
    assert answers().json() == [
        {
            "id": 1,
            "received": "15.06.2025 18:06:40",
            "phone": PHONE,
            "message": "Привет",
            "to_phone": OURS,
            "sent": "15.06.2025 18:06:40",
        }
    ]


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [
        (
            0,
            f"id = 1, received = 15.06.2025 18:06:40, phone = {PHONE}, message = a, "
            f"to_phone = {OURS}, sent = 15.06.2025 18:06:40",
        ),
        (1, f"1,15.06.2025 18:06:40,{PHONE},a,{OURS},15.06.2025 18:06:40"),
        (
            2,
            "<result><row><id>1</id><received>15.06.2025 18:06:40</received>"
            f"<phone>{PHONE}</phone><message>a</message><to_phone>{OURS}</to_phone>"
            "<sent>15.06.2025 18:06:40</sent></row></result>",
        ),
    ],
)
def test_incoming_messages_have_a_shape_for_each_fmt(
    answers: Ask, gateway: Emulator, fmt: int, expected: str
) -> None:
    gateway.receive(PHONE, "a", OURS)
    assert expected == answers(fmt=fmt).text


def test_only_those_after_an_id_are_told(answers: Ask, gateway: Emulator) -> None:
    receive(gateway, 4)
    assert ids(answers(after_id=2)) == [3, 4]
    assert answers(after_id=4).json() == NO_MESSAGES


def test_not_more_are_told_than_were_asked_for(answers: Ask, gateway: Emulator) -> None:
    receive(gateway, 4)
    assert ids(answers(after_id=1, cnt=2)) == [2, 3]


def test_only_those_to_one_number_are_told(answers: Ask, gateway: Emulator) -> None:
    gateway.receive(PHONE, "a", OURS)
    gateway.receive(PHONE, "b", "79990000901")
    assert ids(answers(to_phone="+79990000901")) == [2]


def test_only_those_of_the_last_hours_are_told(answers: Ask, gateway: Emulator) -> None:
    gateway.receive(PHONE, "a", OURS)
    gateway.advance(3600)
    gateway.receive(PHONE, "b", OURS)
    assert ids(answers(hour=1)) == [2]
    assert ids(answers(hour=2)) == [1, 2]


@pytest.mark.parametrize(
    "wrong", [{"cnt": 10001}, {"cnt": 0}, {"hour": 169}, {"after_id": "x"}, {"get_answers": 0}]
)
def test_a_wrong_question_is_error_1(ask: Ask, wrong: dict[str, int]) -> None:
    assert ask("get", **{"get_answers": 1} | wrong).json()["error_code"] == 1


class TestAnotherGuess:
    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(rate_rules=False, answers_newest_first=True, empty_inbox_refused=False)

    def test_the_newest_can_come_first(self, answers: Ask, gateway: Emulator) -> None:
        receive(gateway, 4)
        assert ids(answers(cnt=2)) == [4, 3]

    def test_an_empty_inbox_can_be_an_empty_list(self, answers: Ask) -> None:
        assert answers().json() == []


class TestWithRateRules:
    @pytest.fixture
    def settings(self) -> Settings:
        return Settings()

    def test_the_fourth_identical_question_within_a_minute_is_error_9(
        self, answers: Ask, gateway: Emulator
    ) -> None:
        receive(gateway, 1)
        codes = [type(answers().json()) for _ in range(3)]
        assert codes == [list] * 3
        assert answers().json()["error_code"] == 9

    def test_other_credentials_make_no_other_question(
        self, answers: Ask, gateway: Emulator
    ) -> None:
        gateway.receive(PHONE, "a", OURS)
        for _ in range(3):
            answers()
        assert answers(apikey="test-key").json()["error_code"] == 9
        assert ids(answers(cnt=1)) == [1]
        gateway.advance(60)
        assert ids(answers()) == [1]


def start(**urls: str) -> Emulator:
    return Emulator(Settings(**urls), clock=ManualClock())


def test_an_incoming_message_is_posted_when_receive_returns(handler: CallbackReceiver) -> None:
    with start(incoming_url=handler.url("charset=utf-8")) as gateway:
        gateway.receive(PHONE, "Привет & до свидания", OURS)
    assert [call.form() for call in handler.calls] == [
        {"phone": PHONE, "mes": "Привет & до свидания", "to": OURS}
    ]


@pytest.mark.parametrize("charset", ["utf-8", "koi8-r", "windows-1251"])
def test_the_signature_is_made_of_the_bytes_in_the_charset_of_the_url(
    handler: CallbackReceiver, charset: str
) -> None:
    with start(incoming_url=handler.url(f"charset={charset}&sha1=zxc")) as gateway:
        gateway.receive(PHONE, "Привет", OURS)
    expected = hashlib.sha1(f"{PHONE}:Привет:{OURS}:zxc".encode(charset)).hexdigest()
    assert expected == handler.calls[0].form()["sha1"]


def test_json_in_koi8_r_does_not_exist_so_text_and_signature_are_utf_8(
    handler: CallbackReceiver,
) -> None:
    with start(incoming_url=handler.url("charset=koi8-r&fmt=3&md5=zxc")) as gateway:
        gateway.receive(PHONE, "Привет", OURS)
    expected = hashlib.md5(f"{PHONE}:Привет:{OURS}:zxc".encode()).hexdigest()
    assert f'"md5":"{expected}"' in handler.calls[0].body.decode("utf-8")


def test_a_known_signature_of_an_incoming_message_is_reproduced(handler: CallbackReceiver) -> None:
    with start(incoming_url=handler.url("charset=utf-8&sha1=zxc")) as gateway:
        gateway.receive("123", "text", "234")
    assert handler.calls[0].form()["sha1"] == "b6f768ce7614d7858cc4a6116f8ffd0dc236a3cd"


def test_without_an_address_an_incoming_message_can_only_be_read(
    handler: CallbackReceiver,
) -> None:
    with start(callback_url=handler.url()) as gateway:
        gateway.receive(PHONE, "a", OURS)
        assert [message.text for message in gateway.incoming()] == ["a"]
    assert handler.calls == []


def test_the_addresses_can_be_set_while_it_runs(
    handler: CallbackReceiver, session: requests.Session
) -> None:
    with start() as gateway:
        gateway.post_to(incoming=handler.url())
        gateway.receive(PHONE, "a", OURS)
        body = {"incoming": None, "calls": handler.url()}
        session.post(f"{gateway.url}/_emulator/handlers", json=body, timeout=10)
        gateway.receive(PHONE, "b", OURS)
    assert [call.form()["mes"] for call in handler.calls] == ["a"]


def test_a_wrong_name_of_an_address_is_refused(
    gateway: Emulator, session: requests.Session
) -> None:
    body = {"statuses": "http://127.0.0.1:1/"}
    answer = session.post(f"{gateway.url}/_emulator/handlers", json=body, timeout=10)
    assert (answer.status_code, "statuses" in answer.text) == (400, True)


@pytest.mark.parametrize(
    "url", [5, "", "hooks.example.org/in", "ftp://h/", "http:///in", "http://[", "http://h:99999/"]
)
def test_an_address_that_is_none_is_refused_and_stops_no_callback(
    handler: CallbackReceiver, session: requests.Session, url: object
) -> None:
    with start(incoming_url=handler.url()) as gateway:
        body = {"status": url, "incoming": None}
        answer = session.post(f"{gateway.url}/_emulator/handlers", json=body, timeout=10)
        gateway.receive(PHONE, "a", OURS)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("status: it is no address; write one like http://")
    assert len(handler.calls) == 1


def test_an_address_that_is_none_is_refused_by_the_settings_without_its_secret() -> None:
    with pytest.raises(ValueError, match=r"^incoming_url: it is no address") as caught:
        Settings(incoming_url="hooks.example.org/in?sha1=hidden")
    assert "hidden" not in str(caught.value)


def test_a_message_can_come_in_over_http(
    answers: Ask, gateway: Emulator, session: requests.Session
) -> None:
    url = f"{gateway.url}/_emulator/incoming"
    body = {"phone": PHONE, "text": "Привет", "to": OURS}
    told = session.post(url, json=body, timeout=10).json()
    assert (told["id"], told["text"]) == (1, "Привет")
    assert session.get(url, timeout=10).json() == {"messages": [told]}
    assert answers().json()[0]["message"] == "Привет"


def test_a_message_without_a_text_is_refused(gateway: Emulator, session: requests.Session) -> None:
    url = f"{gateway.url}/_emulator/incoming"
    answer = session.post(url, json={"phone": PHONE, "to": OURS}, timeout=10)
    assert (answer.status_code, answer.json()) == (400, {"error": "text: missing"})


def test_a_message_can_be_typed_into_the_page(gateway: Emulator, session: requests.Session) -> None:
    form = {"phone": PHONE, "text": "Привет <b>", "to": OURS}
    page = session.post(f"{gateway.url}/_emulator/incoming", data=form, timeout=10)
    assert (page.url, "Привет &lt;b&gt;" in page.text) == (f"{gateway.url}/", True)


def test_everything_that_came_in_can_be_forgotten(answers: Ask, gateway: Emulator) -> None:
    receive(gateway, 1)
    gateway.clear()
    assert answers().json() == NO_MESSAGES


def test_wait_call_gives_a_number_to_call(ask: Ask) -> None:
    assert ask("wait_call", phone=PHONE).json() == {"phone": "79990009999"}
    assert ask("wait_call", phone=PHONE, fmt=1).text == "79990009999"


def test_wait_call_without_a_number_is_error_1(ask: Ask) -> None:
    assert ask("wait_call").json()["error_code"] == 1


def wait_for_call(gateway: Emulator) -> None:
    params = {"apikey": "test-key", "phone": PHONE}
    requests.post(f"{gateway.url}/sys/wait_call.php", data=params, timeout=10)


def test_a_call_that_was_waited_for_is_posted(handler: CallbackReceiver) -> None:
    with start(calls_url=handler.url("md5=zxc")) as gateway:
        wait_for_call(gateway)
        gateway.call(PHONE)
        [sent] = gateway.receipts()
    digest = hashlib.md5(f"{PHONE}:1750000000:zxc".encode()).hexdigest()
    assert sent.kind is CallbackKind.CALL
    assert handler.calls[0].form() == {
        "phone": PHONE,
        "ts": "1750000000",
        "waitcall": "1",
        "md5": digest,
    }


def test_a_call_that_nobody_waits_for_is_refused(
    gateway: Emulator, session: requests.Session
) -> None:
    url = f"{gateway.url}/_emulator/calls"
    answer = session.post(url, json={"phone": PHONE}, timeout=10)
    assert (answer.status_code, PHONE in answer.json()["error"]) == (400, True)


def test_a_call_is_waited_for_once(gateway: Emulator) -> None:
    wait_for_call(gateway)
    gateway.call(PHONE)
    with pytest.raises(LookupError, match=PHONE):
        gateway.call(PHONE)


def test_who_is_waited_for_is_told_and_shown(gateway: Emulator, session: requests.Session) -> None:
    wait_for_call(gateway)
    url = f"{gateway.url}/_emulator/calls"
    assert session.get(url, timeout=10).json() == {"awaited": [PHONE]}
    assert "its call is awaited" in session.get(f"{gateway.url}/", timeout=10).text
    session.post(url, data={"phone": PHONE}, timeout=10)
    assert session.get(url, timeout=10).json() == {"awaited": []}


def test_callbacks_are_told_without_the_secret(
    handler: CallbackReceiver, session: requests.Session
) -> None:
    with start(incoming_url=handler.url("sha1=hidden")) as gateway:
        gateway.receive(PHONE, "a", OURS)
        told = session.get(f"{gateway.url}/_emulator/receipts", timeout=10)
    [receipt] = told.json()["receipts"]
    assert (receipt["kind"], receipt["method"], receipt["answer_status"]) == (
        "incoming",
        "POST",
        200,
    )
    assert "hidden" not in told.text
