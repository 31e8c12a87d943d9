"""What status.php, balance.php and info.php answer."""

from collections.abc import Callable
from decimal import Decimal

import pytest
import requests

from notify_smsc_emulator import Emulator, Settings, Status

Ask = Callable[..., requests.Response]

PHONE = "79990000001"
START = 1_750_000_000


def test_a_message_waits_then_leaves_then_arrives(send: Ask, ask: Ask, gateway: Emulator) -> None:
    send(id=1)
    seen = []
    for seconds in (0, 1, 2):
        gateway.advance(seconds)
        seen.append(ask("status", id=1, phone=PHONE).json()["status"])
    assert seen == [Status.WAITING, Status.PASSED, Status.DELIVERED]


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [
        (0, "Status = 1, check_time = 15.06.2025 18:06:43"),
        (1, f"1,{START + 3},0"),
        (
            2,
            "<result><status>1</status><last_date>15.06.2025 18:06:43</last_date>"
            f"<last_timestamp>{START + 3}</last_timestamp></result>",
        ),
        (
            3,
            f'{{"status":1,"last_date":"15.06.2025 18:06:43","last_timestamp":{START + 3}}}',
        ),
    ],
)
def test_a_status_has_a_shape_for_each_fmt(
    send: Ask, ask: Ask, gateway: Emulator, fmt: int, expected: str
) -> None:
    send(id=1)
    gateway.advance(10)
    assert expected == ask("status", id=1, phone=PHONE, fmt=fmt).text


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (0, f"1,{START + 3},0"),
        (1, f"1,{START + 3},0,{START},{PHONE},1.20,Shop,Доставлено,a, b"),
        (
            2,
            f"1,{START + 3},0,{START},{PHONE},1.20,Россия,Эмулятор,Москва,Shop,Доставлено,a, b",
        ),
    ],
)
def test_all_adds_fields_before_the_text_which_is_last(
    send: Ask, ask: Ask, gateway: Emulator, level: int, expected: str
) -> None:
    send(id=1, mes="a, b", sender="Shop")
    gateway.advance(10)
    assert expected == ask("status", id=1, phone=PHONE, fmt=1, all=level).text


@pytest.mark.parametrize(
    ("level", "place"), [pytest.param(1, 14, id="all=1"), pytest.param(2, 17, id="all=2")]
)
def test_an_hlr_query_names_hlr_as_its_sender(send: Ask, ask: Ask, level: int, place: int) -> None:
    send(id=1, mes="", hlr=1)
    fields = ask("status", id=1, phone=PHONE, fmt=1, all=level).text.split(",")
    assert fields[place] == "HLR"


def test_a_finished_hlr_query_tells_about_the_subscriber(
    send: Ask, ask: Ask, gateway: Emulator
) -> None:
    send(id=1, mes="", hlr=1)
    gateway.advance(10)
    answer = ask("status", id=1, phone=PHONE).json()
    assert {name: answer[name] for name in answer if name not in _ALWAYS} == {
        "err": 0,
        "imsi": "250019990000001",
        "msc": "79990000000",
        "mcc": "250",
        "mnc": "01",
        "cn": "Россия",
        "net": "Эмулятор",
        "rcn": "",
        "rnet": "",
    }


_ALWAYS = {"status", "last_date", "last_timestamp"}


def test_the_json_of_all_2_has_every_field(send: Ask, ask: Ask) -> None:
    send(id=1)
    expected = (
        "status last_date last_timestamp send_date send_timestamp phone cost sender_id "
        "status_name message comment mccmnc sms_cnt type country operator operator_orig region"
    )
    assert expected.split() == list(ask("status", id=1, phone=PHONE, all=2).json())


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [(0, "Status = -3"), (1, "-3,0,0"), (2, "<result><status>-3</status></result>")],
)
def test_an_unknown_message_is_status_minus_3(ask: Ask, fmt: int, expected: str) -> None:
    assert expected == ask("status", id=9, phone=PHONE, fmt=fmt).text


def test_an_unknown_message_in_a_list_has_no_dates(ask: Ask) -> None:
    answer = ask("status", id="138,", phone=f"{PHONE},").json()
    assert answer == [{"status": -3, "id": 138, "phone": PHONE}]


@pytest.mark.parametrize(
    ("ids", "phones"),
    [
        pytest.param("1,", PHONE, id="comma after the id"),
        pytest.param("1", f"{PHONE},", id="comma after the phone"),
        pytest.param("1,", f"{PHONE},", id="both"),
    ],
)
def test_a_trailing_comma_makes_a_list_of_one(send: Ask, ask: Ask, ids: str, phones: str) -> None:
    send(id=1)
    assert [row["id"] for row in ask("status", id=ids, phone=phones).json()] == [1]


def test_a_list_of_numbers_has_a_line_for_each_message(send: Ask, ask: Ask) -> None:
    send(id=1)
    send(id="b", phones="79990000002")
    answer = ask("status", id="1,b", phone=f"{PHONE},79990000002", fmt=1)
    assert f"-1,{START},0,1,{PHONE}\n-1,{START},0,b,79990000002" == answer.text


def test_one_id_serves_several_phones(send: Ask, ask: Ask) -> None:
    send(id=1, phones=f"{PHONE},79990000002")
    answer = ask("status", id=1, phone=f"{PHONE},79990000002").json()
    assert [row["phone"] for row in answer] == [PHONE, "79990000002"]


@pytest.mark.parametrize(
    ("ids", "phones"), [("", PHONE), ("1", ""), ("1,2,3", f"{PHONE},{PHONE}"), ("", "")]
)
def test_ids_and_phones_that_do_not_match_are_error_1(ask: Ask, ids: str, phones: str) -> None:
    assert ask("status", id=ids, phone=phones).json()["error_code"] == 1


def test_a_repeated_id_answers_for_the_last_message(send: Ask, ask: Ask) -> None:
    send(id=1, mes="first")
    send(id=1, mes="second")
    assert ask("status", id=1, phone=PHONE, all=1).json()["message"] == "second"


@pytest.mark.parametrize("phone", ["+79990000001", "89990000001", "79990000001"])
def test_a_message_is_found_under_any_spelling_of_its_number(
    send: Ask, ask: Ask, phone: str
) -> None:
    send(id=1, phones="+79990000001")
    assert ask("status", id=1, phone=phone).json()["status"] == Status.WAITING


def test_a_mail_is_found_under_its_address(send: Ask, ask: Ask) -> None:
    send(id=1, mail=1, subj="Hi", sender="a@b.example", phones="bob@c.example")
    assert ask("status", id=1, phone="bob@c.example").json()["status"] == Status.WAITING


def test_a_scheduled_message_waits_for_its_time(send: Ask, ask: Ask, gateway: Emulator) -> None:
    send(id=1, time="+10")
    gateway.advance(600)
    assert ask("status", id=1, phone=PHONE).json()["status"] == Status.WAITING
    gateway.advance(1)
    assert ask("status", id=1, phone=PHONE).json()["status"] == Status.PASSED


def test_a_waiting_message_can_be_deleted_and_is_not_found_then(send: Ask, ask: Ask) -> None:
    send(id=1, time="+10")
    assert ask("status", id=1, phone=PHONE, **{"del": 1}).json() == {"result": "OK"}
    assert ask("status", id=1, phone=PHONE).json() == {"status": -3}


def test_a_deleted_message_is_paid_back(send: Ask, ask: Ask) -> None:
    send(id=1, time="+10")
    ask("status", id=1, phone=PHONE, **{"del": 1})
    assert ask("balance").json() == {"balance": "1000.00"}


def test_a_message_that_has_left_cannot_be_deleted(send: Ask, ask: Ask, gateway: Emulator) -> None:
    send(id=1)
    gateway.advance(5)
    answer = ask("status", id=1, phone=PHONE, **{"del": 1}).json()
    assert answer == {"error": "message could not be deleted", "error_code": 5}


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [
        (0, "1000.00"),
        (1, "1000.00"),
        (2, "<balance>1000.00</balance>"),
        (3, '{"balance":"1000.00"}'),
    ],
)
def test_the_balance_has_a_shape_for_each_fmt(ask: Ask, fmt: int, expected: str) -> None:
    assert expected == ask("balance", fmt=fmt).text


def test_cur_adds_the_currency(ask: Ask) -> None:
    assert ask("balance", cur=1).json() == {"balance": "1000.00", "currency": "RUR"}


class TestCredit:
    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(rate_rules=False, balance=Decimal(0), credit=Decimal(5))

    def test_cur_adds_a_credit_that_is_not_zero(self, ask: Ask) -> None:
        expected = {"balance": "0.00", "credit": "5.00", "currency": "RUR"}
        assert expected == ask("balance", cur=1).json()

    def test_a_credit_can_be_spent(self, send: Ask) -> None:
        assert send(cost=3).json()["balance"] == "-1.20"


def test_the_operator_of_a_number_is_told(ask: Ask) -> None:
    answer = ask("info", get_operator=1, phone="+77010000001").json()
    expected = ["country", "operator", "region", "mcc", "mnc", "tz"]
    assert expected == list(answer)
    assert answer["mcc"] == "401"


def test_an_operator_that_is_not_found_is_error_3(ask: Ask) -> None:
    answer = ask("info", get_operator=1, phone="+15550000001").json()
    assert answer == {"error": "operator not found", "error_code": 3}
