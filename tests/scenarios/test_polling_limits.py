"""Hundreds of open messages and three workers: the gateway is asked for all, and never too often.

Its own rules are on: it refuses the sixth question about one message within a minute, and the
fifteenth request at the same time. ``benchmarks/polling.py`` does the same with 10,000 messages,
in processes and in the time of this machine.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs
import pytest

from notify_core.journal.model import Filter
from notify_core.notifier import Notifier
from notify_core.outcome import State
from tests.crash.processes import Place
from tests.scenarios.waiting_processes import Scene, Times, code_to, mend, scene

MESSAGES = 300
IN_A_QUESTION = 50
MOST_A_MINUTE = 5
MOST_AT_ONCE = 14


@attrs.frozen
class Office:
    """A scene with three workers, which do their work at the same time."""

    scene: Scene
    workers: Sequence[Notifier]

    def send_to(self, count: int) -> list[str]:
        messages = [code_to(f"+7999110{number:04d}") for number in range(count)]
        return [ids[0] for ids in self.scene.notifier.enqueue_many(messages)]

    def pass_time(self, seconds: int) -> None:
        with ThreadPoolExecutor(len(self.workers)) as hands:
            for _ in range(seconds):
                self.scene.clock.advance(1)
                list(hands.map(lambda each: each.worker().work_off(), self.workers))

    def states(self) -> set[State | None]:
        found = self.scene.notifier.journal.search(Filter(limit=MESSAGES))
        deliveries = [self.scene.notifier.get(each.id) for each in found]
        return {each.status.state if each.status else None for each in deliveries}


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    url = f"sqlite:///{tmp_path / 'notify.db'}"
    if request.param == "postgresql":
        url = str(request.getfixturevalue("postgres_url"))
    # The route is that of one leg: it does not wait, and yet its messages are followed.
    times = Times(legs=("{channel: sms, via: smsc}",))
    with scene(tmp_path, url, times, calls=False) as here, contextlib.ExitStack() as stack:
        workers = [
            stack.enter_context(Notifier.from_file(Place(tmp_path).config, clock=here.clock))
            for _ in range(3)
        ]
        yield Office(here, workers)


def test_three_workers_find_out_what_became_of_all_and_ask_never_too_often(office: Office) -> None:
    for ending in range(10):
        office.scene.gateway.live([[0, 0], [ending * 9, 1]], phone=str(ending), times=None)

    office.send_to(MESSAGES)
    office.pass_time(120)

    counted = office.scene.gateway.counters()
    assert office.states() == {State.DELIVERED}
    assert counted.too_often == 0
    assert counted.most_status_queries <= MOST_A_MINUTE
    assert counted.most_at_once <= MOST_AT_ONCE


def test_many_messages_are_asked_about_in_one_question(office: Office) -> None:
    """Of three workers each may have one that is not full."""
    office.send_to(MESSAGES)
    office.pass_time(5)

    assert office.states() == {State.DELIVERED}
    asked = office.scene.gateway.counters().requests["status"]
    assert asked <= math.ceil(MESSAGES / IN_A_QUESTION) + 3


def test_what_is_known_for_good_is_not_asked_about_any_more(office: Office) -> None:
    office.send_to(20)
    office.pass_time(5)
    asked = office.scene.gateway.counters().requests["status"]
    office.pass_time(120)

    assert office.scene.gateway.counters().requests["status"] == asked


def test_an_application_may_look_at_a_message_beside_the_workers(office: Office) -> None:
    """Workers leave one question of each minute to somebody who wants to know it now."""
    office.scene.gateway.live([[0, 0]], times=None)

    ids = office.send_to(20)
    office.pass_time(30)
    for each in ids:
        office.scene.notifier.fetch_status(office.scene.notifier.get(each))
    office.pass_time(90)

    assert office.scene.gateway.counters().too_often == 0


def test_a_gateway_that_cannot_answer_is_not_asked_more_often_for_it(office: Office) -> None:
    office.scene.gateway.fault("server_error", script="status", times=None)

    office.send_to(100)
    office.pass_time(70)
    mend(office.scene.gateway)
    office.pass_time(120)

    counted = office.scene.gateway.counters()
    assert office.states() == {State.DELIVERED}
    assert counted.too_often == 0
    assert counted.most_status_queries <= MOST_A_MINUTE
