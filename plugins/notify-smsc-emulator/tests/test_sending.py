"""What send.php takes and answers."""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import quote_plus

import pytest
import requests

from notify_smsc_emulator import Channel, Emulator, ManualClock, Settings, Status

Ask = Callable[..., requests.Response]


@pytest.mark.parametrize(
    ("fmt", "cost", "expected"),
    [
        (0, 0, "OK - 1 SMS, ID - 7"),
        (0, 1, "1.20 (1 SMS)"),
        (0, 2, "OK - 1 SMS, ID - 7, COST - 1.20"),
        (0, 3, "OK - 1 SMS, ID - 7, COST - 1.20, BALANCE - 998.80"),
        (1, 0, "7,1"),
        (1, 1, "1.20,1"),
        (1, 2, "7,1,1.20"),
        (1, 3, "7,1,1.20,998.80"),
        (2, 0, "<result><id>7</id><cnt>1</cnt></result>"),
        (2, 1, "<result><cost>1.20</cost><cnt>1</cnt></result>"),
        (2, 2, "<result><id>7</id><cnt>1</cnt><cost>1.20</cost></result>"),
        (
            2,
            3,
            "<result><id>7</id><cnt>1</cnt><cost>1.20</cost><balance>998.80</balance></result>",
        ),
        (3, 0, '{"id":7,"cnt":1}'),
        (3, 1, '{"cost":"1.20","cnt":1}'),
        (3, 2, '{"id":7,"cnt":1,"cost":"1.20"}'),
        (3, 3, '{"id":7,"cnt":1,"cost":"1.20","balance":"998.80"}'),
    ],
)
def test_success_has_a_shape_for_each_fmt_and_cost(
    send: Ask, fmt: int, cost: int, expected: str
) -> None:
    assert expected == send(fmt=fmt, cost=cost, id=7).text


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [
        (0, "ERROR = 1 (parameters error)"),
        (1, "0,-1"),
        (2, "<result><error>parameters error</error><error_code>1</error_code></result>"),
        (3, '{"error":"parameters error","error_code":1}'),
    ],
)
def test_an_error_has_a_shape_for_each_fmt(send: Ask, fmt: int, expected: str) -> None:
    assert expected == send(fmt=fmt, mes="").text


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [
        (0, "ERROR = 7 (invalid number), ID - 5"),
        (1, "5,-7"),
        (
            2,
            "<result><error>invalid number</error><error_code>7</error_code><id>5</id></result>",
        ),
        (3, '{"error":"invalid number","error_code":7,"id":5}'),
    ],
)
def test_a_refused_number_still_has_an_id(send: Ask, fmt: int, expected: str) -> None:
    assert expected == send(fmt=fmt, phones="123", id=5).text


def test_a_price_query_sends_nothing(send: Ask, gateway: Emulator) -> None:
    send(cost=1)
    assert gateway.caught() == ()


def test_a_message_is_caught_as_it_was_sent(send: Ask, gateway: Emulator) -> None:
    send(phones="+79990000001", mes="Код 1", sender="Shop", id="order-1", tinyurl=1)
    [message] = gateway.caught()
    assert (
        message.id,
        message.phone,
        message.text,
        message.sender,
        message.params["tinyurl"],
    ) == ("order-1", "79990000001", "Код 1", "Shop", "1")


def test_credentials_are_not_kept_with_the_message(send: Ask, gateway: Emulator) -> None:
    send()
    assert not {"login", "psw", "apikey"} & gateway.caught()[0].params.keys()


@pytest.mark.parametrize("charset", ["windows-1251", "utf-8", "koi8-r"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_text_is_decoded_in_the_charset_that_the_request_names(
    gateway: Emulator, session: requests.Session, charset: str, method: str
) -> None:
    form = f"login=test&psw=test&phones=79990000001&charset={charset}&mes="
    form += quote_plus("Привет, мир".encode(charset))
    url = f"{gateway.url}/sys/send.php"
    if method == "GET":
        session.get(f"{url}?{form}", timeout=10)
    else:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        session.post(url, data=form, headers=headers, timeout=10)
    assert [message.text for message in gateway.caught()] == ["Привет, мир"]


@pytest.mark.parametrize("charset", ["", "utf8", "latin-1"])
def test_without_a_known_charset_the_text_is_windows_1251(
    send: Ask, gateway: Emulator, charset: str
) -> None:
    send(mes="Привет".encode("windows-1251"), charset=charset)
    assert [message.text for message in gateway.caught()] == ["Привет"]


@pytest.mark.parametrize("charset", ["windows-1251", "utf-8", "koi8-r"])
def test_the_answer_is_written_in_the_charset_of_the_request(
    send: Ask, ask: Ask, charset: str
) -> None:
    send(mes="Привет".encode(charset), charset=charset, id=1)
    answer = ask("status", id=1, phone="79990000001", all=1, charset=charset)
    assert json.loads(answer.content.decode(charset))["message"] == "Привет"


def test_json_stays_whole_when_the_charset_lacks_a_letter(
    gateway: Emulator, session: requests.Session, ask: Ask
) -> None:
    params = {"login": "test", "psw": "test", "phones": "79990000001", "mes": "🙂", "id": 1}
    session.post(f"{gateway.url}/rest/send/", json=params, timeout=10)
    answer = ask("status", id=1, phone="79990000001", all=1, charset="windows-1251")
    assert json.loads(answer.content.decode("windows-1251"))["message"] == "🙂"


def test_the_rest_address_takes_json_and_answers_json(
    gateway: Emulator, session: requests.Session
) -> None:
    params = {"apikey": "test-key", "phones": "79990000001", "mes": "Привет", "cost": 3}
    answer = session.post(f"{gateway.url}/rest/send/", json=params, timeout=10)
    assert answer.json() == {"id": 1, "cnt": 1, "cost": "1.20", "balance": "998.80"}


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"\xff"])
def test_a_broken_json_body_is_a_request_without_credentials(
    gateway: Emulator, session: requests.Session, body: bytes
) -> None:
    answer = session.post(f"{gateway.url}/rest/send/", data=body, timeout=10)
    assert answer.json()["error_code"] == 2


def test_files_arrive_with_name_and_content(gateway: Emulator, session: requests.Session) -> None:
    params = {"login": "test", "psw": "test", "phones": "79990000001", "mms": "1", "subj": "x"}
    files = {
        "file0": ("a.jpg", b"\xff\xd8", "application/octet-stream"),
        "file1": ("b.txt", b"", "application/octet-stream"),
    }
    session.post(f"{gateway.url}/sys/send.php", data=params, files=files, timeout=10)
    [message] = gateway.caught()
    assert [(file.name, file.content) for file in message.files] == [
        ("a.jpg", b"\xff\xd8"),
        ("b.txt", b""),
    ]


def test_parts_of_a_multipart_request_are_decoded_in_its_charset(
    gateway: Emulator, session: requests.Session
) -> None:
    values = {"login": "test", "psw": "test", "phones": "79990000001", "charset": "koi8-r"}
    parts: dict[str, Any] = {name: (None, value) for name, value in values.items()}
    parts["mes"] = (None, "Привет".encode("koi8-r"))
    session.post(f"{gateway.url}/sys/send.php", files=parts, timeout=10)
    assert [message.text for message in gateway.caught()] == ["Привет"]


@pytest.mark.parametrize(
    ("params", "channel"),
    [
        ({}, Channel.SMS),
        ({"flash": 0}, Channel.SMS),
        ({"flash": 1}, Channel.FLASH),
        ({"push": 1}, Channel.PUSH),
        ({"hlr": 1, "mes": ""}, Channel.HLR),
        ({"ping": 1, "mes": ""}, Channel.PING),
        ({"bin": 1}, Channel.BIN),
        ({"bin": 2, "mes": "0605"}, Channel.BIN),
        ({"mms": 1, "subj": "Photo", "mes": ""}, Channel.MMS),
        (
            {"mail": 1, "subj": "Hi", "sender": "a@b.example", "phones": "bob@c.example"},
            Channel.MAIL,
        ),
        ({"call": 1}, Channel.CALL),
        ({"viber": 1}, Channel.VIBER),
        ({"soc": 1, "phones": "vk:123"}, Channel.SOC),
        ({"tg": 1}, Channel.TG),
        ({"bot": "@shop_bot", "phones": "@bob"}, Channel.BOT),
        ({"mes": "__HLR__"}, Channel.HLR),
        ({"mes": "__CALL__Hello"}, Channel.CALL),
    ],
)
def test_the_channel_follows_from_flag_or_prefix(
    send: Ask, gateway: Emulator, params: dict[str, Any], channel: Channel
) -> None:
    send(**params)
    assert [channel] == [message.channel for message in gateway.caught()]


@pytest.mark.parametrize(
    ("params", "error"),
    [
        pytest.param({"phones": ""}, 1, id="no recipient"),
        pytest.param({"mes": ""}, 1, id="no text"),
        pytest.param({"mes": "a" * 1001}, 1, id="text too long"),
        pytest.param({"flash": 1, "call": 1}, 1, id="two channels"),
        pytest.param({"mail": 1, "phones": "a@b.example"}, 1, id="mail without subject"),
        pytest.param({"bin": 2, "mes": "06050"}, 1, id="half a byte"),
        pytest.param({"bin": 3}, 1, id="unknown bin"),
        pytest.param({"id": "a b"}, 1, id="bad id"),
        pytest.param({"cost": 4}, 1, id="bad cost"),
        pytest.param({"valid": 25}, 1, id="lives too long"),
        pytest.param({"maxsms": "x"}, 1, id="bad maxsms"),
        pytest.param({"tz": "MSK"}, 1, id="bad zone"),
        pytest.param({"list": "no separator"}, 1, id="bad list"),
        pytest.param({"time": "tomorrow"}, 5, id="bad time"),
        pytest.param({"phones": "G12"}, 7, id="a group: the emulator has none"),
        pytest.param({"phones": "bob@shop.example"}, 7, id="an address for SMS"),
    ],
)
def test_a_wrong_request_is_refused_with_its_number(
    send: Ask, params: dict[str, Any], error: int
) -> None:
    assert error == send(**params).json()["error_code"]


def test_op_tells_about_every_number(send: Ask) -> None:
    answer = send(phones="79990000001,123", op=1).json()
    assert answer["phones"] == [
        {
            "phone": "79990000001",
            "mccmnc": "25001",
            "cost": "1.20",
            "status": "",
            "error": "",
        },
        {"phone": "123", "mccmnc": "", "cost": "0.00", "status": "22", "error": "7"},
    ]


def test_err_tells_about_wrong_numbers_only(send: Ask) -> None:
    answer = send(phones="79990000001,123", err=1).json()
    assert [line["phone"] for line in answer["errors"]] == ["123"]


def test_without_op_a_partly_refused_list_looks_like_a_smaller_success(send: Ask) -> None:
    assert send(phones="79990000001,123").json() == {"id": 1, "cnt": 1}


def test_a_list_has_a_text_for_each_recipient_and_one_id(send: Ask, gateway: Emulator) -> None:
    send(phones="", mes="", list="79990000001:a\n79990000002:b", id=4)
    assert [(message.id, message.phone, message.text) for message in gateway.caught()] == [
        (4, "79990000001", "a"),
        (4, "79990000002", "b"),
    ]


def test_a_literal_backslash_n_is_a_line_break(send: Ask, gateway: Emulator) -> None:
    send(mes="a\\nb")
    assert [message.text for message in gateway.caught()] == ["a\nb"]


def test_a_comment_is_kept_apart(send: Ask, gateway: Emulator) -> None:
    send(mes="a\n~~~\nfor us")
    assert [(m.text, m.comment) for m in gateway.caught()] == [("a", "for us")]


def test_translit_comes_before_counting(send: Ask) -> None:
    assert send(mes="я" * 71, translit=1).json()["cnt"] == 1


def test_maxsms_cuts_the_text(send: Ask, gateway: Emulator) -> None:
    send(mes="я" * 300, maxsms=2)
    assert [message.parts for message in gateway.caught()] == [2]


def test_every_part_is_paid(send: Ask) -> None:
    assert send(mes="я" * 71, cost=3).json()["balance"] == "997.60"


def test_of_two_parameters_with_one_name_the_last_counts(
    gateway: Emulator, session: requests.Session
) -> None:
    pairs = [("apikey", "test-key"), ("phones", "79990000001"), ("mes", "a"), ("mes", "b")]
    session.post(f"{gateway.url}/sys/send.php", data=pairs, timeout=10)
    assert [message.text for message in gateway.caught()] == ["b"]


def test_ids_are_given_out_in_order_and_never_twice(send: Ask) -> None:
    answers = [send(id=2), send(), send(), send()]
    assert [answer.json()["id"] for answer in answers] == [2, 1, 3, 4]


def test_a_call_with_the_text_code_answers_a_code(send: Ask, gateway: Emulator) -> None:
    code = send(mes="code", call=1).json()["code"]
    assert [code] == [message.code for message in gateway.caught()]


def test_the_same_requests_get_the_same_answers_again(send: Ask, gateway: Emulator) -> None:
    first = [send(mes="code", call=1).text, send(cost=3).text]
    gateway.clear()
    assert first == [send(mes="code", call=1).text, send(cost=3).text]


@pytest.mark.parametrize("script", ["send.php/", "jobs.php", "nothing"])
def test_another_script_is_not_found(
    gateway: Emulator, session: requests.Session, script: str
) -> None:
    assert session.post(f"{gateway.url}/sys/{script}", timeout=10).status_code == 404


class TestMoney:
    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(rate_rules=False, balance=Decimal("2.00"))

    def test_without_money_a_send_is_error_3_with_an_id(self, send: Ask) -> None:
        send()
        assert send().json() == {"error": "no money", "error_code": 3, "id": 2}

    def test_a_message_without_money_costs_nothing_and_is_known(
        self, send: Ask, ask: Ask, gateway: Emulator
    ) -> None:
        send(mes="я" * 100, id=5)
        assert ask("status", id=5, phone="79990000001").json()["status"] == Status.NO_MONEY
        assert [message.cost for message in gateway.caught()] == [0]

    def test_a_price_query_needs_no_money(self, send: Ask) -> None:
        assert send(mes="я" * 100, cost=1).json() == {"cost": "2.40", "cnt": 2}


class TestVirtual:
    @pytest.fixture
    def gateway(self) -> Iterator[Emulator]:
        with Emulator(Settings(virtual=True), clock=ManualClock()) as running:
            yield running

    def test_in_test_mode_messages_are_free_and_end_with_err_200(
        self, send: Ask, gateway: Emulator
    ) -> None:
        send()
        gateway.advance(60)
        [message] = gateway.caught()
        assert (message.cost, message.err) == (Decimal(0), 200)
