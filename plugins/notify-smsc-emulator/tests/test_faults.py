"""Faults that are switched on."""

from collections.abc import Callable

import pytest
import requests

from notify_smsc_emulator import Emulator, Fault, FaultKind
from notify_smsc_emulator.faults import Faults
from notify_smsc_emulator.model import Script

Ask = Callable[..., requests.Response]
PAGE = "<html>"


def is_registered(gateway: Emulator) -> bool:
    return len(gateway.caught()) == 1


@pytest.mark.parametrize("registered", [True, False])
def test_no_answer_hangs_until_the_client_gives_up(
    session: requests.Session, gateway: Emulator, registered: bool
) -> None:
    gateway.fault("no_answer", registered=registered)
    params = {"apikey": "test-key", "phones": "79990000001", "mes": "a"}
    with pytest.raises(requests.ReadTimeout):
        session.post(f"{gateway.url}/sys/send.php", data=params, timeout=0.3)
    assert registered is is_registered(gateway)


@pytest.mark.parametrize("registered", [True, False])
def test_drop_closes_without_a_byte(send: Ask, gateway: Emulator, registered: bool) -> None:
    gateway.fault("drop", registered=registered)
    with pytest.raises(requests.ConnectionError):
        send()
    assert registered is is_registered(gateway)


@pytest.mark.parametrize("registered", [True, False])
def test_cut_breaks_off_within_the_body(
    gateway: Emulator, session: requests.Session, registered: bool
) -> None:
    gateway.fault("cut", cut_after=5, registered=registered)
    params = {"apikey": "test-key", "phones": "79990000001", "mes": "a", "fmt": "3"}
    url = f"{gateway.url}/sys/send.php"
    with session.post(url, data=params, timeout=10, stream=True) as answer:
        received = answer.raw.read(5)
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            assert answer.content
    assert len(received) == 5
    assert registered is is_registered(gateway)


@pytest.mark.parametrize("registered", [True, False])
def test_a_slow_answer_is_right_when_it_comes(
    send: Ask, gateway: Emulator, registered: bool
) -> None:
    gateway.fault("slow", seconds=0.05, registered=registered)
    answer = send()
    assert answer.json() == {"id": 1, "cnt": 1}
    assert answer.elapsed.total_seconds() >= 0.05


def test_a_slow_answer_that_nobody_waits_for_registers_nothing_if_so_wished(
    session: requests.Session, gateway: Emulator
) -> None:
    gateway.fault("slow", script="send", seconds=0.2, registered=False)
    gateway.fault("slow", script="balance", seconds=0.4)
    params = {"apikey": "test-key", "phones": "79990000001", "mes": "a"}
    with pytest.raises(requests.ReadTimeout):
        session.post(f"{gateway.url}/sys/send.php", data=params, timeout=0.05)
    # Answered when the send would have been, had the client waited.
    session.get(f"{gateway.url}/sys/balance.php", timeout=10)
    assert not is_registered(gateway)


@pytest.mark.parametrize(
    ("kind", "status", "beginning"),
    [
        (FaultKind.HTML, 200, PAGE),
        (FaultKind.SERVER_ERROR, 500, PAGE),
        (FaultKind.WRONG_JSON, 200, '{"id":1,"cnt":'),
        (FaultKind.EMPTY, 200, ""),
    ],
)
@pytest.mark.parametrize("registered", [True, False])
def test_another_body_takes_the_place_of_the_answer(
    send: Ask,
    gateway: Emulator,
    kind: FaultKind,
    status: int,
    beginning: str,
    registered: bool,
) -> None:
    gateway.fault(kind, registered=registered)
    answer = send()
    assert (status, beginning) == (answer.status_code, answer.text[: len(beginning)])
    assert bool(answer.text) is (kind is not FaultKind.EMPTY)
    assert registered is is_registered(gateway)


def test_the_wrong_body_can_be_chosen(send: Ask, gateway: Emulator) -> None:
    gateway.fault("wrong_json", body="[]")
    assert send().json() == []


def test_a_fault_is_over_after_so_many_requests(send: Ask, gateway: Emulator) -> None:
    gateway.fault("empty", times=2)
    assert [send().text for _ in range(3)] == ["", "", '{"id":3,"cnt":1}']


def test_a_fault_meets_only_its_script(send: Ask, ask: Ask, gateway: Emulator) -> None:
    gateway.fault("empty", script="status")
    assert send(id=1).text == '{"id":1,"cnt":1}'
    assert ask("status", id=1, phone="79990000001").text == ""


def test_faults_are_met_in_the_order_in_which_they_were_switched_on() -> None:
    faults = Faults()
    faults.add(Fault(kind="drop", script="send"))
    faults.add(Fault(kind="empty", times=None))
    met = [faults.meet(script) for script in (Script.STATUS, Script.SEND, Script.SEND)]
    assert [fault.kind for fault in met if fault] == ["empty", "drop", "empty"]


def test_a_fault_that_is_not_met_is_not_used_up() -> None:
    faults = Faults()
    faults.add(Fault(kind="drop"))
    faults.add(Fault(kind="empty"))
    met = [faults.meet(Script.SEND) for _ in range(3)]
    assert [fault and fault.kind for fault in met] == ["drop", "empty", None]


def test_clearing_ends_faults(send: Ask, gateway: Emulator) -> None:
    gateway.fault("empty", times=None)
    gateway.clear()
    assert send().text == '{"id":1,"cnt":1}'


def test_a_request_that_meets_a_fault_is_seen(send: Ask, gateway: Emulator) -> None:
    gateway.fault("empty", registered=False)
    send(mes="a")
    assert [request.values["mes"] for request in gateway.requests()] == ["a"]


def test_a_fault_can_be_switched_on_over_http(
    send: Ask, gateway: Emulator, session: requests.Session
) -> None:
    fault = {"kind": "server_error", "script": "send", "times": 1, "registered": False}
    session.post(f"{gateway.url}/_emulator/faults", json=fault, timeout=10)
    assert send().status_code == 500


def test_faults_can_be_switched_off_over_http(
    send: Ask, gateway: Emulator, session: requests.Session
) -> None:
    gateway.fault("empty", times=None)
    session.delete(f"{gateway.url}/_emulator/faults", timeout=10)
    assert send().text == '{"id":1,"cnt":1}'


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "kind"),
        ({"kind": "fire"}, "fire"),
        ({"kind": "drop", "script": "jobs"}, "jobs"),
        ({"kind": "drop", "times": 0}, "times"),
        ({"kind": "cut", "cut_after": 1.5}, "cut_after"),
        ({"kind": "slow", "seconds": "long"}, "seconds"),
        ({"kind": "drop", "time": 1}, "time"),
        ([], "object"),
    ],
)
def test_a_wrong_fault_is_refused_with_a_reason(
    gateway: Emulator, session: requests.Session, body: object, named: str
) -> None:
    answer = session.post(f"{gateway.url}/_emulator/faults", json=body, timeout=10)
    assert answer.status_code == 400
    assert named in answer.json()["error"]
