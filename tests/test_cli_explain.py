"""``notify explain``: a message or a stored delivery, its price, and the configuration."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from notify_core.journal.model import Part
from tests.cli_runs import CONFIG, NUMBER, Run, answer, enqueued, notifier, runner, sent

MESSAGE = ("sms", "--to", NUMBER, "--text", "hello")
LATER = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return runner(tmp_path)


def test_a_message_is_explained_as_its_file_or_its_options_describe_it(
    run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "message.json"
    file.write_text(json.dumps({"channel": "sms", "to": NUMBER, "text": "hello", "tags": ["both"]}))

    by_file = answer(run("explain", "--message", str(file), "--json"))
    by_options = answer(run("explain", *MESSAGE, "--tag", "both", "--json"))

    assert by_file["decisions"] == by_options["decisions"]
    assert by_file["decisions"][0]["route"] == "both"
    assert len(by_file["config"]) == 12


def test_the_price_is_unknown_until_providers_are_asked(run: Run) -> None:
    (decision,) = answer(run("explain", *MESSAGE, "--json"))["decisions"]

    assert decision["price"] == {
        "asked": False,
        "parts": 1,
        "cost": None,
        "currency": None,
        "legs": [],
    }
    assert "costs at most: unknown; --price asks" in run("explain", *MESSAGE).stdout


def test_with_price_every_leg_has_what_its_providers_say(run: Run) -> None:
    result = run("explain", *MESSAGE, "--tag", "both", "--price", "--json")

    (decision,) = answer(result)["decisions"]
    assert (decision["price"]["cost"], decision["price"]["currency"]) == ("2.40", "RUB")
    assert decision["price"]["legs"][1] == {
        "channel": "telegram",
        "cost": "1.20",
        "estimates": [{"provider": "busy", "parts": 1, "cost": "1.20", "currency": "RUB"}],
        "unknown": [],
    }
    assert "busy 1.20 RUB" in run("explain", *MESSAGE, "--tag", "both", "--price").stdout


def test_a_provider_that_does_not_say_leaves_the_price_unknown(run: Run) -> None:
    result = run("explain", *MESSAGE, "--tag", "foggy", "--price")

    assert result.exit_code == 0
    assert "costs at most: unknown" in result.stdout
    assert "sms: " in result.stdout


def test_quiet_hours_are_shown_with_the_clock_that_counts(tmp_path: Path) -> None:
    quiet = 'quiet: {from: "21:00", to: "09:00", days: [sun]}, send: {via: good}}'
    run = runner(
        tmp_path, CONFIG.replace("{name: default, send: {via: good}}", "{name: default, " + quiet)
    )

    (decision,) = answer(run("explain", *MESSAGE, "--json"))["decisions"]

    told = decision["plan"]["quiet"]
    assert (told["from"], told["to"], told["days"]) == ("21:00", "09:00", ["sun"])
    assert "Europe/Moscow" in told["zones"]
    assert (
        "quiet from 21:00 to 09:00 and on sun, by the clock of" in run("explain", *MESSAGE).stdout
    )


# --- a stored delivery ----------------------------------------------------------------------


def test_a_stored_delivery_is_explained_by_what_was_known_then(run: Run) -> None:
    delivery_id = sent(run, tag="both")

    shape = answer(run("explain", "--delivery", delivery_id, "--json"))

    assert shape["delivery"]["id"] == delivery_id
    assert shape["delivery"]["config"] == shape["config"]
    assert shape["decisions"][0]["route"] == "both"
    assert shape["decisions"][0]["considered"][-1]["matched"] is True
    assert shape["now"] == {
        "agrees": True,
        "route": "both",
        "plan": shape["decisions"][0]["plan"],
        "unsure": [],
        "problem": None,
    }
    assert "now: the same" in run("explain", "--delivery", delivery_id).stdout


def test_other_routes_show_what_they_would_decide_now(run: Run, tmp_path: Path) -> None:
    delivery_id = sent(run, tag="both")
    run = runner(tmp_path, CONFIG.replace("when: {tags: both}", "when: {tags: neither}"))

    shape = answer(run("explain", "--delivery", delivery_id, "--json"))

    assert (shape["now"]["agrees"], shape["now"]["route"]) == (False, "default")
    assert shape["delivery"]["config"] != shape["config"]
    assert [leg["channel"] for leg in shape["now"]["plan"]["legs"]] == ["sms"]
    assert "now: otherwise, by route default" in run("explain", "--delivery", delivery_id).stdout


def test_a_delivery_whose_text_and_number_are_purged_has_still_its_route(
    run: Run, tmp_path: Path
) -> None:
    delivery_id = sent(run, tag="picky")
    with notifier(tmp_path) as keeping:
        keeping.journal.purge(Part.TEXT, LATER)
        keeping.journal.purge(Part.NUMBERS, LATER)

    shape = answer(run("explain", "--delivery", delivery_id, "--json"))

    assert (shape["now"]["agrees"], shape["now"]["route"]) == (True, "picky")
    assert shape["now"]["plan"] is None
    told = run("explain", "--delivery", delivery_id).stdout
    assert "the plan cannot be made again: what the message says, or to whom it went" in told
    assert run("explain", "--delivery", delivery_id, "--price").exit_code == 2


def test_a_stored_delivery_can_be_priced(run: Run) -> None:
    delivery_id = enqueued(run, tag="twice")

    (decision,) = answer(run("explain", "--delivery", delivery_id, "--price", "--json"))[
        "decisions"
    ]

    assert decision["price"]["cost"] == "1.20"


@pytest.mark.parametrize("more", [("sms",), ("--tag", "otp"), ("--to", NUMBER)])
def test_a_delivery_and_a_message_are_not_explained_at_once(
    run: Run, more: tuple[str, ...]
) -> None:
    result = run("explain", "--delivery", "x", *more)

    assert result.exit_code == 2
    assert "--delivery says which message is meant" in result.stderr


def test_a_delivery_that_is_not_there_is_told(run: Run) -> None:
    result = run("explain", "--delivery", "nothing")

    assert result.exit_code == 8
    assert "no delivery 'nothing' is in the journal" in result.stderr


def test_no_whole_number_is_kept_with_the_facts(run: Run, tmp_path: Path) -> None:
    """The recipient is purged by age; what the routes looked at stays."""
    delivery_id = sent(run)

    with notifier(tmp_path) as keeping:
        entry = keeping.journal.load(delivery_id)

    assert entry is not None
    assert entry.plan.facts is not None
    assert entry.plan.facts.number == "+799912…"
