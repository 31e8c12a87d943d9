"""How long messages live, and that a test chooses what becomes of them."""

from collections.abc import Callable
from itertools import pairwise
from math import nan
from time import monotonic, sleep

import pytest
import requests

from notify_smsc_emulator import (
    CallbackReceiver,
    Emulator,
    Life,
    ManualClock,
    RealClock,
    Settings,
    Status,
    Step,
)
from notify_smsc_emulator.lives import honour_life

Ask = Callable[..., requests.Response]

PHONE = "79990000001"
WAITING = Step(100, Status.WAITING)


def statuses(gateway: Emulator) -> list[int]:
    return [int(message.status) for message in gateway.caught()]


def over_time(gateway: Emulator, *seconds: float) -> list[int]:
    """Return the status of the one message after each of the pauses."""
    seen = []
    for pause in seconds:
        gateway.advance(pause)
        seen += statuses(gateway)
    return seen


def test_a_message_lives_as_it_was_told(send: Ask, gateway: Emulator) -> None:
    gateway.live([[0, 0], [5, 1], [9, 2]])
    send()
    assert over_time(gateway, 0, 4, 1, 3, 1) == [0, 0, 1, 1, 2]


def test_before_the_first_step_it_is_waiting(send: Ask, gateway: Emulator) -> None:
    gateway.live([[5, 20, 255]])
    send()
    assert over_time(gateway, 4, 1) == [-1, 20]
    assert [message.err for message in gateway.caught()] == [255]


def test_a_message_that_is_to_go_later_lives_from_then_on(send: Ask, gateway: Emulator) -> None:
    gateway.live([[0, 0], [5, 1]])
    send(time="+1")
    assert over_time(gateway, 59, 1, 5) == [-1, 0, 1]


def test_a_life_is_for_its_channel_and_recipient(send: Ask, gateway: Emulator) -> None:
    gateway.live([[0, 0]], channel="tg", phone="0001", times=None)
    send(tg=1, mes="1234")
    send()
    send(tg=1, mes="1234", phones="79990000002")
    gateway.advance(60)
    assert statuses(gateway) == [0, 1, 1]


def test_a_life_is_over_after_so_many_messages(send: Ask, gateway: Emulator) -> None:
    gateway.live([[0, 20]])
    send()
    send()
    gateway.advance(60)
    assert statuses(gateway) == [20, 1]


def test_a_price_query_uses_no_life_up(send: Ask, gateway: Emulator) -> None:
    gateway.live([[0, 20]])
    send(cost=1)
    send()
    assert statuses(gateway) == [20]


def test_lives_can_be_chosen_and_taken_back_over_http(
    send: Ask, gateway: Emulator, session: requests.Session
) -> None:
    url = f"{gateway.url}/_emulator/lives"
    session.post(url, json={"course": [[0, 20, 6]], "times": None}, timeout=10)
    send()
    session.delete(url, timeout=10)
    send()
    gateway.advance(60)
    assert statuses(gateway) == [20, 1]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "course"),
        ({"course": 5}, "course"),
        ({"course": [5]}, "course"),
        ({"course": [[5]]}, "course"),
        ({"course": [[5, 99]]}, "99"),
        ({"course": [[-1, 1]]}, "course"),
        ({"course": [["soon", 1]]}, "course"),
        ({"course": [[5, 20, None]]}, "course"),
        ({"course": [[5, 0], [4, 1]]}, "course"),
        ({"course": [], "channel": "fax"}, "fax"),
    ],
)
def test_a_wrong_life_is_refused_with_a_reason(
    gateway: Emulator, session: requests.Session, body: object, named: str
) -> None:
    answer = session.post(f"{gateway.url}/_emulator/lives", json=body, timeout=10)
    assert answer.status_code == 400
    assert named in answer.json()["error"]


@pytest.mark.parametrize("ending", ["7700", "7791"])
def test_a_message_that_is_not_delivered_in_its_life_time_expires(
    send: Ask, gateway: Emulator, ending: str
) -> None:
    send(phones=f"7999000{ending}", valid="00:01")
    gateway.advance(59)
    assert statuses(gateway)[0] <= Status.PASSED
    gateway.advance(1)
    assert statuses(gateway) == [Status.EXPIRED]


def test_an_expired_message_is_reported(handler: CallbackReceiver) -> None:
    settings = Settings(callback_url=handler.url())
    with Emulator(settings, clock=ManualClock()) as gateway:
        params = {"apikey": "test-key", "phones": "79990007700", "mes": "a", "valid": "00:01"}
        requests.post(f"{gateway.url}/sys/send.php", data=params, timeout=10)
        gateway.advance(60)
    assert [call.form()["status"] for call in handler.calls] == ["3"]


@pytest.mark.parametrize(
    ("after_s", "status"), [(59, Status.DELIVERED), (60, Status.DELIVERED), (61, Status.EXPIRED)]
)
def test_one_second_too_late_is_too_late(
    send: Ask, gateway: Emulator, after_s: int, status: Status
) -> None:
    gateway.live([[0, 0], [after_s, 1]])
    send(valid="00:01")
    gateway.advance(3600)
    assert statuses(gateway) == [status]


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param((WAITING, Step(110, Status.DELIVERED)), id="delivered in time"),
        pytest.param(
            (WAITING, Step(110, Status.DELIVERED), Step(500, Status.READ)), id="read afterwards"
        ),
        pytest.param((Step(100, Status.NOT_FOUND),), id="never found"),
        pytest.param((Step(100, Status.STOPPED),), id="stopped"),
    ],
)
def test_some_messages_never_expire(steps: tuple[Step, ...]) -> None:
    assert steps == honour_life(steps, 100, 60)


def test_what_would_be_found_too_late_expires_at_the_end() -> None:
    steps = (Step(100, Status.NOT_FOUND), Step(170, Status.PASSED))
    expired = Step(160, Status.EXPIRED, 6)
    assert honour_life(steps, 100, 60) == (steps[0], expired)


@pytest.mark.parametrize(("ending", "after_s"), [("3300", 0), ("3305", 5), ("3390", 90)])
def test_a_number_says_after_how_many_seconds_it_is_reached(
    send: Ask, gateway: Emulator, ending: str, after_s: int
) -> None:
    send(phones=f"7999000{ending}")
    gateway.advance(after_s - 0.5)
    before = statuses(gateway)
    gateway.advance(0.5)
    assert (before != [1] or after_s == 0, statuses(gateway)) == (True, [1])


def test_a_message_becomes_what_it_is_told_and_its_own_course_ends(
    send: Ask, ask: Ask, gateway: Emulator
) -> None:
    send(id=5)
    changed = gateway.become(5, Status.FAILED, err=1)
    gateway.advance(60)
    assert changed.status is Status.FAILED
    answer = ask("status", id=5, phone=PHONE).json()
    assert (answer["status"], answer["err"]) == (20, 1)


def test_what_it_becomes_is_reported_at_once(handler: CallbackReceiver) -> None:
    settings = Settings(callback_url=handler.url())
    with Emulator(settings, clock=ManualClock()) as gateway:
        params = {"apikey": "test-key", "phones": PHONE, "mes": "a", "id": 5}
        requests.post(f"{gateway.url}/sys/send.php", data=params, timeout=10)
        gateway.become(5, 1)
        gateway.advance(10)
        gateway.become(5, 2)
        gateway.advance(60)
    assert [call.form()["status"] for call in handler.calls] == ["1", "2"]


def test_of_several_with_one_id_the_phone_tells_which(send: Ask, gateway: Emulator) -> None:
    send(id=5, phones="79990000001,79990000002")
    gateway.become(5, 20, phone="79990000001")
    assert statuses(gateway) == [20, -1]


def test_a_status_can_be_given_over_http(
    send: Ask, gateway: Emulator, session: requests.Session
) -> None:
    url = f"{gateway.url}/_emulator/status"
    send(id="order-1")
    told = session.post(url, json={"id": "order-1", "status": 2}, timeout=10).json()
    assert (told["id"], told["status"], statuses(gateway)) == ("order-1", 2, [2])


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"id": "order-1", "status": 2}, "the id order-1"),
        ({"id": "5", "phone": "1", "status": 2}, "the id 5 and the number 1"),
        ({"id": "5", "status": "read"}, "status: a whole number is expected"),
        ({"id": "5", "status": 99}, "99 is not a Status; known: -3"),
        ({"id": "5", "status": 2, "err": "busy"}, "err: a whole number is expected"),
        ({}, "id, status: missing"),
    ],
)
def test_a_status_that_cannot_be_given_is_refused_with_a_reason(
    send: Ask, gateway: Emulator, session: requests.Session, body: object, named: str
) -> None:
    send(id=5)
    answer = session.post(f"{gateway.url}/_emulator/status", json=body, timeout=10)
    assert answer.status_code == 400
    assert named in answer.json()["error"]


def test_the_page_has_buttons_that_give_a_status(
    send: Ask, gateway: Emulator, session: requests.Session
) -> None:
    send(id=7)
    assert '<button name="status" value="20">failed' in session.get(gateway.url, timeout=10).text
    form = {"id": "7", "phone": PHONE, "status": "20"}
    session.post(f"{gateway.url}/_emulator/status", data=form, timeout=10)
    assert statuses(gateway) == [20]
    assert "<button name" not in session.get(gateway.url, timeout=10).text


def test_a_fast_clock_goes_as_many_times_as_fast() -> None:
    clock = RealClock(speed=1000)
    before = clock.now()
    sleep(0.01)
    assert clock.now() - before >= 10
    clock.advance(3600)
    assert clock.now() - before >= 3610


def wait_for(gateway: Emulator, count: int) -> list[float]:
    """Return when each of so many callbacks was seen."""
    seen: list[float] = []
    deadline = monotonic() + 10
    while len(seen) < count and monotonic() < deadline:
        seen += [monotonic()] * (len(gateway.receipts()) - len(seen))
        sleep(0.002)
    return seen


def test_lives_can_be_played_faster_over_real_sockets(handler: CallbackReceiver) -> None:
    settings = Settings(speed=50, callback_url=handler.url())
    with Emulator(settings) as gateway:
        gateway.live([[0, 0], [5, 1], [20, 2]], channel="tg")
        params = {"apikey": "test-key", "phones": PHONE, "mes": "1", "tg": 1}
        begun = monotonic()
        requests.post(f"{gateway.url}/sys/send.php", data=params, timeout=10)
        moments = [begun, *wait_for(gateway, 2)]
    pauses = [later - earlier for earlier, later in pairwise(moments)]
    assert len(pauses) == 2
    assert pauses[0] >= 0.1
    assert sum(pauses) >= 0.2
    assert [call.form()["status"] for call in handler.calls] == ["1", "2"]


def test_a_life_reads_its_steps() -> None:
    life = Life(course=[[0, 0], (5, 1, 0)])
    assert life.course == (Step(0, Status.PASSED), Step(5, Status.DELIVERED, 0))


def test_seconds_that_are_no_number_are_refused() -> None:
    with pytest.raises(ValueError, match="course: seconds are counted"):
        Life(course=[[nan, 1]])
