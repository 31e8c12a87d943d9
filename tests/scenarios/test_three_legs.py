"""Telegram until delivered within 20 s, else SMS until delivered within 60 s, else a call.

Over real sockets: the gateway is asked, and calls an address of ours. Where the time passes by
itself the times of the route are shorter, and the worker is a process that can be killed.
"""

from __future__ import annotations

import contextlib
import itertools
import random
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from notify_core.config.model import Until
from notify_core.delivery import Stage
from notify_core.notifier import Notifier
from notify_core.outcome import Accepted, State
from notify_smsc_emulator import Emulator, Settings
from tests.scenarios.waiting_processes import (
    CALL,
    SMS,
    TELEGRAM,
    Scene,
    Sent,
    Times,
    called,
    caught,
    code_to,
    defects_in,
    mend,
    scene,
    sent_to,
    until,
    workers,
    write_config,
)

ANNA = "+79991100001"
AS_WRITTEN = Times()

SetScene = Callable[..., Scene]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where the journal is."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path / 'notify.db'}"


@pytest.fixture
def set_scene(tmp_path: Path, url: str) -> Iterator[SetScene]:
    """Return a function that sets a scene; ``calls``: the gateway tells of its own accord."""
    with contextlib.ExitStack() as stack:
        yield lambda times=AS_WRITTEN, calls=False: stack.enter_context(
            scene(tmp_path, url, times, calls=calls)
        )


@pytest.fixture(params=[False, True], ids=["asked", "called"])
def play(request: pytest.FixtureRequest, set_scene: SetScene) -> Scene:
    """A scene in which receipts come by asking, or by a call."""
    return set_scene(calls=request.param)


def never(scene: Scene, *channels: str) -> None:
    """Let no receipt come for messages on these channels."""
    for channel in channels:
        scene.gateway.live([[0, 0]], channel=channel, times=None)


# --- the time that was really asked for -----------------------------------------------------


def test_what_telegram_delivers_in_time_is_sent_nowhere_else(play: Scene) -> None:
    play.gateway.live([[0, 0], [6, 1]], channel="bot")

    delivery_id = play.send(ANNA)
    play.pass_time(15)
    delivery = play.notifier.get(delivery_id)
    play.pass_time(120)

    assert play.sent(ANNA) == [TELEGRAM]
    assert delivery.stage is Stage.ENDED
    assert delivery.channel == "telegram"
    assert delivery.status is not None
    assert delivery.status.state is State.DELIVERED


def test_what_telegram_does_not_deliver_goes_by_sms_after_20_seconds(play: Scene) -> None:
    never(play, "bot")

    delivery_id = play.send(ANNA)
    play.pass_time(19)
    before = play.sent(ANNA)
    play.pass_time(1)
    then = play.sent(ANNA)
    play.pass_time(120)
    delivery = play.notifier.get(delivery_id)

    assert before == [TELEGRAM]
    assert then == [TELEGRAM, SMS]
    assert play.sent(ANNA) == then
    assert delivery.channel == "sms"
    assert delivery.legs[0].may_arrive
    assert delivery.stage is Stage.ENDED


def test_what_neither_delivers_is_said_in_a_call(play: Scene) -> None:
    never(play, "bot", "sms")

    delivery_id = play.send(ANNA)
    play.pass_time(120)
    delivery = play.notifier.get(delivery_id)
    began, *later = [each.received_at for each in caught(play.gateway, ANNA)]

    assert play.sent(ANNA) == [TELEGRAM, SMS, CALL]
    assert [(moment - began).total_seconds() for moment in later] == [20, 80]
    assert delivery.channel == "call"
    assert delivery.status is not None
    assert delivery.status.state is State.DELIVERED


def test_without_any_receipt_each_leg_has_its_turn_and_no_more_follows(play: Scene) -> None:
    never(play, "bot", "sms", "call")

    delivery_id = play.send(ANNA)
    play.pass_time(200)
    delivery = play.notifier.get(delivery_id)

    assert play.sent(ANNA) == [TELEGRAM, SMS, CALL]
    assert delivery.stage is Stage.ENDED
    assert isinstance(delivery.outcome, Accepted)
    assert delivery.legs[0].given_up
    assert delivery.cost == Decimal("3.60")


def test_a_receipt_that_comes_a_second_too_late_is_kept_with_its_cost(play: Scene) -> None:
    play.gateway.live([[0, 0], [21, 1]], channel="bot")
    never(play, "sms")

    delivery_id = play.send(ANNA)
    play.pass_time(200)
    delivery = play.notifier.get(delivery_id)

    assert play.sent(ANNA) == [TELEGRAM, SMS]
    assert [leg.channel for leg in delivery.late] == ["telegram"]
    assert delivery.cost == Decimal("2.40")
    assert delivery.channel == "telegram"
    assert delivery.stage is Stage.ENDED


def test_a_receipt_that_comes_at_the_last_moment_is_looked_for(set_scene: SetScene) -> None:
    """Nobody has asked for it before, and no call tells of it."""
    play = set_scene()
    play.gateway.live([[0, 0], [19, 1]], channel="bot")

    delivery_id = play.send(ANNA)
    play.pass_time(20)

    assert play.sent(ANNA) == [TELEGRAM]
    assert play.notifier.get(delivery_id).stage is Stage.ENDED


def test_what_a_call_says_is_undelivered_goes_on_at_once(set_scene: SetScene) -> None:
    play = set_scene(calls=True)
    play.gateway.live([[0, 0], [6, 20, 1]], channel="bot")

    play.send(ANNA)
    play.pass_time(6)

    assert play.sent(ANNA) == [TELEGRAM, SMS]


def test_what_asking_says_is_undelivered_goes_on_at_once(set_scene: SetScene) -> None:
    play = set_scene()
    play.gateway.live([[0, 0], [6, 20, 1]], channel="bot")

    play.send(ANNA)
    play.pass_time(12)

    assert play.sent(ANNA) == [TELEGRAM, SMS]


def test_after_a_cancellation_no_further_leg_begins(play: Scene) -> None:
    never(play, "bot")

    delivery_id = play.send(ANNA)
    play.pass_time(10)
    cancelled = play.notifier.cancel(delivery_id)
    play.pass_time(200)

    assert play.sent(ANNA) == [TELEGRAM]
    assert cancelled.stage is Stage.ENDED
    assert play.notifier.get(delivery_id).accepted


def test_the_gateway_is_never_asked_too_often_about_one_message(play: Scene) -> None:
    """Its own rules are on: it would refuse the sixth question within a minute."""
    never(play, "bot", "sms", "call")

    for number in range(20):
        play.send(f"+7999110{number:04d}")
    play.pass_time(300)

    counted = play.gateway.counters()
    assert counted.too_often == 0
    assert counted.most_status_queries <= 5
    assert counted.requests["send"] == 60


def test_a_receipt_is_taken_once_however_often_and_whenever_it_is_told(
    set_scene: SetScene,
) -> None:
    play = set_scene(calls=True)
    play.gateway.live([[0, 0], [3, 1], [4, 2]], channel="bot")
    play.gateway.disorder("duplicate", callback="status", copies=3, seconds=1, times=None)
    play.gateway.disorder("shuffle", callback="status", seconds=5, times=None)

    delivery_id = play.send(ANNA)
    play.pass_time(60)
    delivery = play.notifier.get(delivery_id)

    assert len(play.gateway.receipts()) == 8
    assert delivery.status is not None
    assert delivery.status.state is State.READ
    assert play.sent(ANNA) == [TELEGRAM]


def test_a_receipt_that_proves_nothing_is_asked_about_and_puts_no_question_off(
    set_scene: SetScene,
) -> None:
    play = set_scene(calls=True)
    play.gateway.post_to(status=play.address)
    play.gateway.live([[0, 0], [6, 1]], channel="bot")

    delivery_id = play.send(ANNA)
    play.pass_time(11)
    before = play.notifier.get(delivery_id)
    play.pass_time(1)
    after = play.notifier.get(delivery_id)

    assert [each.answer_status for each in play.gateway.receipts()] == [200]
    assert before.under_way
    assert after.stage is Stage.ENDED


def test_however_many_receipts_prove_nothing_the_gateway_is_not_asked_too_often(
    set_scene: SetScene,
) -> None:
    """They come every second, from after two of the usual questions on."""
    play = set_scene(calls=True)
    play.gateway.post_to(status=play.address)
    never(play, "bot", "sms")
    play.gateway.disorder("duplicate", callback="status", copies=60, seconds=1, times=None)

    play.send(ANNA)
    play.pass_time(13)
    message = caught(play.gateway, ANNA)[0]
    play.gateway.become(message.id, 1)
    play.gateway.become(message.id, 0)
    play.pass_time(87)

    assert len(play.gateway.receipts()) > 60
    assert play.gateway.counters().too_often == 0


def test_a_forged_receipt_lets_nothing_end(set_scene: SetScene) -> None:
    play = set_scene(calls=True)
    play.gateway.live([[0, 0]], channel="bot")
    play.gateway.disorder("forge", callback="status", times=None)

    delivery_id = play.send(ANNA)
    message = caught(play.gateway, ANNA)[0]
    play.gateway.become(message.id, 1)
    play.gateway.become(message.id, 0)
    play.pass_time(19)

    assert [each.answer_status for each in play.gateway.receipts()] == [200]
    assert play.notifier.get(delivery_id).under_way


# --- answers that were lost -----------------------------------------------------------------


def test_a_message_whose_answer_was_lost_is_known_by_the_call_about_it(
    set_scene: SetScene,
) -> None:
    play = set_scene(calls=True)
    play.gateway.live([[0, 0], [1, 1]], channel="bot")
    play.gateway.fault("drop", script="send")

    delivery_id = play.send(ANNA)
    unknown = play.notifier.get(delivery_id)
    play.pass_time(8)
    delivery = play.notifier.get(delivery_id)
    play.pass_time(200)

    assert not unknown.accepted
    assert delivery.stage is Stage.ENDED
    assert delivery.status is not None
    assert delivery.status.state is State.DELIVERED
    assert play.sent(ANNA) == [TELEGRAM]


def test_a_message_that_is_waited_for_in_doubt_is_not_sent_again(set_scene: SetScene) -> None:
    """The next leg follows in its time. What becomes of the first is found out later."""
    play = set_scene(Times(more=", if_unknown: next"), calls=False)
    play.gateway.live([[0, 0], [5, 1]], channel="bot")
    play.gateway.fault("drop", script="send")
    play.gateway.fault("server_error", script="status", times=None)

    delivery_id = play.send(ANNA)
    play.pass_time(21)
    given_up = play.sent(ANNA)
    mend(play.gateway)
    play.pass_time(200)
    delivery = play.notifier.get(delivery_id)

    assert given_up == [TELEGRAM, SMS]
    assert play.sent(ANNA) == [TELEGRAM, SMS]
    assert [leg.channel for leg in delivery.late] == ["telegram"]


def test_a_call_about_a_message_in_doubt_ends_the_doubt_though_nobody_can_ask(
    set_scene: SetScene,
) -> None:
    """The provider had it all the time, so no other leg follows."""
    play = set_scene(calls=True)
    play.gateway.live([[0, 0], [5, 1]], channel="bot")
    play.gateway.fault("drop", script="send")
    play.gateway.fault("server_error", script="status", times=None)

    delivery_id = play.send(ANNA)
    play.pass_time(200)

    assert play.notifier.get(delivery_id).status.state is State.DELIVERED
    assert play.sent(ANNA) == [TELEGRAM]


# --- the time of this machine, and processes ------------------------------------------------

SHORT = Times(first="2s", second="2s", lease="2s", ask_after="[200ms, 500ms]")
"""Below a minute nothing can be told to expire."""
IN_SHORT = [TELEGRAM, Sent("sms"), CALL]


SHORTER = Times(first="1s", second="1s", lease="2s", ask_after="[200ms, 500ms]")


@pytest.fixture
def gateway() -> Iterator[Emulator]:
    with Emulator(Settings(rate_rules=False, hand_over_s=0, delivery_s=0.3)) as emulator:
        yield emulator


@pytest.mark.parametrize("calls", [False, True], ids=["asked", "called"])
def test_many_at_once_each_go_as_far_as_they_must(
    tmp_path: Path, url: str, gateway: Emulator, calls: bool
) -> None:
    phones = [f"+7999110{number:04d}" for number in range(30)]
    for phone in phones[10:]:
        gateway.live([[0, 0]], channel="bot", phone=phone[-7:], times=None)
    for phone in phones[20:]:
        gateway.live([[0, 0]], channel="sms", phone=phone[-7:], times=None)

    with (
        Notifier.from_file(write_config(tmp_path, gateway, url, SHORTER)) as notifier,
        called(notifier, gateway, calls),
        notifier.worker(),
    ):
        ids = [notifier.enqueue(code_to(phone))[0] for phone in phones]
        ended = [notifier.wait(each, until=Until.DELIVERED, timeout_s=15) for each in ids]
        until(lambda: all(not notifier.get(each).under_way for each in ids))

    assert [len(sent_to(gateway, phone)) for phone in phones] == [1] * 10 + [2] * 10 + [3] * 10
    last = [each.legs[-1].channel for each in ended]
    assert last == ["telegram"] * 10 + ["sms"] * 10 + ["call"] * 10


def test_a_worker_that_is_killed_while_waiting_is_followed_by_another_in_time(
    tmp_path: Path, url: str, gateway: Emulator
) -> None:
    gateway.live([[0, 0]], times=None)

    with (
        Notifier.from_file(write_config(tmp_path, gateway, url, SHORT)) as notifier,
        workers(tmp_path, 1) as (worker,),
    ):
        (delivery_id,) = notifier.enqueue(code_to(ANNA))
        until(lambda: notifier.get(delivery_id).accepted)
        killed = worker.kill()
        worker.revive()
        until(lambda: not notifier.get(delivery_id).under_way)
        delivery = notifier.get(delivery_id)

    moments = [each.received_at.timestamp() for each in caught(gateway, ANNA)]
    assert killed
    assert sent_to(gateway, ANNA) == IN_SHORT
    assert [later - earlier for earlier, later in itertools.pairwise(moments)] == pytest.approx(
        [2.0, 2.0], abs=0.7
    )
    assert delivery.accepted
    assert defects_in(tmp_path) == []


def test_workers_that_are_killed_again_and_again_send_each_leg_once(
    tmp_path: Path, url: str, gateway: Emulator
) -> None:
    phones = [f"+7999110{number:04d}" for number in range(20)]
    gateway.live([[0, 0]], times=None)
    chance = random.Random(0)

    with (
        Notifier.from_file(write_config(tmp_path, gateway, url, SHORT)) as notifier,
        workers(tmp_path, 2) as crew,
    ):
        ids = [notifier.enqueue(code_to(phone))[0] for phone in phones]
        until(lambda: len(gateway.caught()) >= 1)
        for _ in range(10):
            time.sleep(0.4)
            victim = chance.choice(crew)
            victim.kill()
            victim.revive()
        until(lambda: not any(notifier.get(each).under_way for each in ids), within_s=40)
        ended = [notifier.get(each) for each in ids]

    assert [sent_to(gateway, phone) for phone in phones] == [IN_SHORT] * len(phones)
    assert all(each.accepted for each in ended)
    assert defects_in(tmp_path) == []


def test_a_delivery_that_waits_can_be_cancelled_from_another_process(
    tmp_path: Path, url: str, gateway: Emulator
) -> None:
    gateway.live([[0, 0]], times=None)

    with (
        Notifier.from_file(write_config(tmp_path, gateway, url, SHORT)) as notifier,
        workers(tmp_path, 1),
    ):
        (delivery_id,) = notifier.enqueue(code_to(ANNA))
        until(lambda: notifier.get(delivery_id).accepted)
        notifier.cancel(delivery_id)  # it or the worker ends it, whoever comes first
        until(lambda: notifier.get(delivery_id).stage is Stage.ENDED)
        time.sleep(2.5)

    assert sent_to(gateway, ANNA) == [TELEGRAM]
