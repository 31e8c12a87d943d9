"""The commands about webhooks: what they show, what they change, and how they exit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from notify_core.config.sections import webhook_key
from notify_core.secret import Secret
from tests.cli_runs import CONFIG, NUMBER, TEXT, Run, answer, runner, sent
from tests.webhook_receiver import SECRET, Receiver, Reply


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def run(tmp_path: Path, receiver: Receiver) -> Run:
    webhooks = f"webhooks: [{{url: '{receiver.url}', secrets: '{SECRET}', retry_for: 1m}}]\n"
    return runner(tmp_path, CONFIG + webhooks)


def listed(run: Run, *options: str) -> list[dict[str, Any]]:
    return list(answer(run("webhooks", "list", *options, "--json"))["webhooks"])


def test_what_waits_is_listed_and_a_worker_tells_it(run: Run, receiver: Receiver) -> None:
    """What was told is listed only if somebody asks for it."""
    delivery = sent(run)
    (waiting,) = listed(run)

    run("worker", "--once")

    assert (waiting["state"], waiting["tries"], waiting["answer"]) == ("waiting", 0, None)
    assert listed(run) == []
    (told,) = listed(run, "--state", "told")
    assert (told["id"], told["answer"]) == (waiting["id"], "200")
    assert [call.told["data"]["delivery_id"] for call in receiver.calls] == [delivery]


def test_an_address_that_is_gone_is_listed_and_told_again_if_somebody_says_so(
    run: Run, receiver: Receiver
) -> None:
    """Nothing that happened meanwhile at that time is lost but what came after it was gone."""
    receiver.replies.append(Reply(410))
    sent(run)
    run("worker", "--once")
    states = [each["state"] for each in listed(run)]

    retried = run("webhooks", "retry", "--json")
    run("worker", "--once")

    assert states == ["gone", "given_up"]
    assert answer(retried) == {"retried": 1, "unknown": []}
    assert listed(run) == []
    assert receiver.ids[0] == receiver.ids[1]


def test_one_thing_is_begun_anew_by_its_id(run: Run, receiver: Receiver) -> None:
    """And an id that is none is told, with 1."""
    receiver.replies.append(Reply(410))
    sent(run)
    run("worker", "--once")
    (given_up,) = listed(run, "--state", "given_up")

    result = run("webhooks", "retry", given_up["id"], "msg_none", "--json")

    assert answer(result) == {"retried": 1, "unknown": ["msg_none"]}
    assert result.exit_code == 1


@pytest.mark.parametrize(("status", "exit_code"), [(200, 0), (204, 0), (302, 1), (500, 1)])
def test_an_address_is_tested_and_its_answer_shown(
    run: Run, receiver: Receiver, status: int, exit_code: int
) -> None:
    """The exit code says whether it has taken the call."""
    receiver.replies.append(Reply(status, body=b""))

    result = run("webhooks", "test", "--json")

    assert result.exit_code == exit_code
    assert [each["answer"] for each in answer(result)["tests"]] == [str(status)]
    assert receiver.calls[0].is_signed_with(SECRET)


def test_an_address_that_is_not_configured_is_not_called(run: Run, receiver: Receiver) -> None:
    """The command is no way to sign calls to others."""
    result = run("webhooks", "test", receiver.url + "/other")

    assert result.exit_code == 2
    assert receiver.calls == []


def test_a_new_secret_can_be_used(run: Run) -> None:
    """As it is printed."""
    made = run("webhooks", "secret").stdout.strip()

    assert len(webhook_key(Secret(made))) == 32


def test_no_table_shows_a_secret_or_what_was_told(run: Run, receiver: Receiver) -> None:
    """Nor does the JSON."""
    receiver.replies.append(Reply(410))
    sent(run)
    results = [
        run("worker", "--once"),
        run("webhooks", "list"),
        run("webhooks", "list", "--json"),
        run("webhooks", "test"),
        run("webhooks", "retry"),
    ]

    shown = "".join(result.output for result in results)
    assert "given_up" in shown
    assert "begun anew: 1" in shown
    for hidden in (SECRET, TEXT, NUMBER, "delivery.status_changed"):
        assert hidden not in shown
