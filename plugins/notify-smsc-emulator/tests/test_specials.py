"""Special recipients, and the places that list them."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from notify_smsc_emulator import SPECIALS, Emulator, Settings, Special, Status
from notify_smsc_emulator.specials import find_special, plan_steps

Ask = Callable[..., requests.Response]
README = Path(__file__).parent.parent / "README.md"
TABLE_ROW = re.compile(r"^\| `…(\d+)` \| `([\w-]+)` \| (.+) \|$", re.MULTILINE)


@pytest.mark.parametrize(
    ("recipient", "name"),
    [
        ("79990005507", "error-7"),
        ("70000007700", "status-0"),
        ("status-20@shop.example", "status-20"),
        ("Late@shop.example", "late"),
        ("@status_25", "status-25"),
        ("err-200", "err-200"),
    ],
)
def test_a_recipient_is_special_by_its_last_digits_or_its_name(recipient: str, name: str) -> None:
    special = find_special(recipient)
    assert special is not None
    assert name == special.name


@pytest.mark.parametrize(
    "recipient", ["79990000001", "79991234567", "79165550123", "bob@shop.example", "@bob", ""]
)
def test_an_ordinary_recipient_is_not(recipient: str) -> None:
    assert find_special(recipient) is None


def test_no_recipient_is_special_in_two_ways() -> None:
    endings = {special.ending for special in SPECIALS}
    names = {special.name for special in SPECIALS}
    assert (len(SPECIALS), len(SPECIALS)) == (len(endings), len(names))


@pytest.mark.parametrize("special", SPECIALS, ids=lambda special: special.name)
def test_the_plan_of_a_special_recipient_goes_forward_in_time(special: Special) -> None:
    steps = plan_steps(special, Settings(), received=100, send_at=160, life_s=0)
    assert [100, *sorted(step.at for step in steps[1:])] == [step.at for step in steps]


@pytest.mark.parametrize(
    ("ending", "error", "message_id"),
    [("5503", 3, 1), ("5506", 6, 1), ("5507", 7, 1), ("5508", 8, 1), ("5509", 9, None)],
)
def test_a_number_forces_each_refusal(
    send: Ask, ending: str, error: int, message_id: int | None
) -> None:
    answer = send(phones=f"7999000{ending}").json()
    assert (error, message_id) == (answer["error_code"], answer.get("id"))


@pytest.mark.parametrize(
    ("ending", "status", "err"),
    [
        ("7700", 0, None),
        ("7702", 2, None),
        ("7703", 3, 6),
        ("7704", 4, None),
        ("7706", 6, 253),
        ("7720", 20, 255),
        ("7722", 22, 249),
        ("7723", 23, 252),
        ("7724", 24, 247),
        ("7725", 25, 248),
        ("7791", -1, None),
        ("7792", -2, None),
        ("7793", 1, None),
        ("6606", 1, 6),
    ],
)
def test_a_number_forces_each_status(
    send: Ask, ask: Ask, gateway: Emulator, ending: str, status: int, err: int | None
) -> None:
    phone = f"7999000{ending}"
    send(phones=phone, id=1)
    gateway.advance(3600)
    answer = ask("status", id=1, phone=phone).json()
    assert (status, err) == (answer["status"], answer.get("err"))


@pytest.mark.parametrize("err", [1, 11, 219, 255])
def test_a_number_forces_each_delivery_error(send: Ask, gateway: Emulator, err: int) -> None:
    send(phones=f"79990008{err:03}")
    gateway.advance(3600)
    assert [(Status.FAILED, err)] == [(m.status, m.err) for m in gateway.caught()]


def test_a_late_message_is_not_found_at_first(send: Ask, ask: Ask, gateway: Emulator) -> None:
    send(phones="79990007793", id=1)
    assert ask("status", id=1, phone="79990007793").json() == {"status": -3}
    gateway.advance(10)
    assert ask("status", id=1, phone="79990007793").json()["status"] == Status.PASSED


def test_a_lost_message_is_accepted_and_never_found(send: Ask, ask: Ask, gateway: Emulator) -> None:
    assert send(phones="79990007794", id=1).json() == {"id": 1, "cnt": 1}
    gateway.advance(3600)
    assert ask("status", id=1, phone="79990007794").json() == {"status": -3}


def test_an_expiring_message_expires_at_the_end_of_its_life(send: Ask, gateway: Emulator) -> None:
    send(phones="79990007703", valid="00:10")
    gateway.advance(599)
    assert [message.status for message in gateway.caught()] == [Status.PASSED]
    gateway.advance(1)
    assert [message.status for message in gateway.caught()] == [Status.EXPIRED]


def test_an_hlr_query_about_nobody_has_no_subscriber(
    send: Ask, ask: Ask, gateway: Emulator
) -> None:
    send(phones="79990008001", id=1, mes="", hlr=1)
    gateway.advance(60)
    answer = ask("status", id=1, phone="79990008001", fmt=1).text
    assert answer.startswith("20,")
    assert answer.endswith(",1,,,,,,,,")


def test_the_readme_lists_the_special_recipients() -> None:
    rows = [(special.ending, special.name, special.meaning) for special in SPECIALS]
    assert rows == TABLE_ROW.findall(README.read_text("utf-8"))
