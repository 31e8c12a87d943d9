"""``notify explain``: a message or a stored delivery, its price, and the configuration."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from notify_core.journal.model import Part
from tests.cli_runs import CONFIG, NUMBER, OTHER, Run, answer, enqueued, notifier, runner, sent

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


DEFAULT = "{name: default, send: {via: good}}"


@pytest.mark.parametrize(
    ("route", "told"),
    [
        ("send: {via: good}", "if unknown: reconcile"),
        ("deadline: 90m, send: {via: good}", "deadline: 1h30m; if unknown: reconcile"),
        (
            "send: {all_of: [{channel: telegram, via: busy}, {via: good}]}",
            "all_of; if unknown: reconcile",
        ),
        (
            "send: {first_of: [{channel: telegram, via: busy}, {via: good}], next_on: []}",
            "first_of; if unknown: reconcile; next leg after a refusal of: none",
        ),
    ],
)
def test_of_a_plan_is_told_what_matters_to_it(route: str, told: str, tmp_path: Path) -> None:
    """One leg has no next one, and durations are written as in the file."""
    run = runner(tmp_path, CONFIG.replace(DEFAULT, f"{{name: default, {route}}}"))

    assert told in run("explain", *MESSAGE).stdout.splitlines()


def test_a_leg_that_is_left_out_is_told_once(tmp_path: Path) -> None:
    legs = "{first_of: [{channel: mail, via: good, needs_alternative: true}, {via: good}]}"
    run = runner(tmp_path, CONFIG.replace(DEFAULT, f"{{name: default, send: {legs}}}"))

    printed = run("explain", *MESSAGE).stdout

    assert printed.count("left out") == 1
    assert "warning:" not in printed


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


# --- refused --------------------------------------------------------------------------------

NEEDS_MAIL = CONFIG.replace(
    "  - {name: default",
    "  - name: letter\n"
    "    when: {channel: sms}\n"
    "    send: {channel: mail, via: good, needs_alternative: true}\n"
    "  - {name: default",
)
REASON = "route letter: no leg reaches +79…67 (mail: the message brings no alternative for it)"


def test_of_a_refused_message_every_route_that_was_tried_is_shown(tmp_path: Path) -> None:
    result = runner(tmp_path, NEEDS_MAIL)("explain", *MESSAGE, "--to", OTHER, "--json")

    shape = json.loads(result.stdout)
    assert result.exit_code == 2
    assert shape["error"] == {"kind": "RecipientError", "message": REASON, "problems": []}
    assert [each["recipient"] for each in shape["tried"]] == ["+79…67", "+79…68"]
    for tried in shape["tried"]:
        names = [each["route"] for each in tried["considered"]]
        assert (names[0], names[-1], len(names)) == ("picky", "letter", 10)
        assert [each["matched"] for each in tried["considered"]] == [False] * 9 + [True]


def test_of_a_refused_message_people_see_the_routes_and_the_reason(tmp_path: Path) -> None:
    result = runner(tmp_path, NEEDS_MAIL)("explain", *MESSAGE)

    assert result.stdout.startswith("+79…67: route letter\n")
    assert "tags fails: wanted twice, is no tag" in result.stdout
    assert result.stderr == f"error: {REASON}\n"


def test_where_no_route_was_tried_there_is_only_the_error(run: Run) -> None:
    result = run("explain", "sms", "--to", "12", "--text", "hello", "--json")

    assert result.exit_code == 2
    assert json.loads(result.stdout).keys() == {"error"}
