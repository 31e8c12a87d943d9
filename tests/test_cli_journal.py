"""The commands that need a journal: what they show, what they change, and how they exit."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from notify_core.cli.app import make_app
from notify_core.plugins import Plugins
from tests.cli_runs import (
    CONFIG,
    NUMBER,
    OTHER,
    TEXT,
    Run,
    answer,
    enqueued,
    notifier,
    runner,
    sent,
    sms,
)

ROOT = Path(__file__).parents[1]
KEPT_FOR_NO_TIME = CONFIG.replace(
    "journal: sqlite:///notify.db",
    "journal: {url: sqlite:///notify.db, retention: {text: 0s, numbers: 0s, rows: 0s}}",
)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return runner(tmp_path)


def stages(run: Run) -> dict[str, str]:
    """Return the stage of every delivery by id."""
    listed = answer(run("deliveries", "--json"))["deliveries"]
    return {each["id"]: each["stage"] for each in listed}


def ids(run: Run, *options: str) -> list[str]:
    return [each["id"] for each in answer(run("deliveries", *options, "--json"))["deliveries"]]


# --- send -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tag", "stage", "exit_code"),
    [
        (None, "ended", 0),
        ("clear", "ended", 0),
        ("picky", "ended", 1),
        ("mute", "held", 3),
        ("busy", "under_way", 7),
        ("foggy", "under_way", 7),
        ("both", "under_way", 7),
    ],
)
def test_what_is_not_over_exits_7_and_what_is_held_3(
    run: Run, tag: str | None, stage: str, exit_code: int
) -> None:
    """A script must not take what a worker carries on for *not sent*."""
    result = run(*sms("--json", tag=tag))

    (delivery,) = answer(result)["deliveries"]
    assert exit_code == result.exit_code
    assert stage == delivery["stage"]
    assert (delivery["next_at"] is None) == (stage != "under_way")


def test_what_is_held_outweighs_what_is_under_way(run: Run) -> None:
    """Of two recipients one is held; the key makes the second call report how they stand."""
    both = sms("--to", OTHER, "--key", "order-77", tag="busy")

    first = run(*both)
    run("hold", ids(run)[0])
    second = run(*both)

    assert (first.exit_code, second.exit_code) == (7, 3)


def test_what_is_under_way_is_not_called_not_sent(run: Run) -> None:
    """The table says that a worker carries it on, and where to look."""
    shown = run(*sms(tag="busy")).stdout

    assert "under way" in shown.splitlines()[2]
    assert "it is not over; a worker carries it on. Do not send it again." in shown
    assert re.search(r"^  notify deliveries [0-9a-f]{24}$", shown, re.M)


def test_enqueue_only_writes(run: Run) -> None:
    """One id for each recipient, in order; a worker sends."""
    result = run(*sms("--to", OTHER, "--enqueue", "--json"))

    written = answer(result)["enqueued"]
    assert result.exit_code == 0
    assert [each["recipient"] for each in written] == ["+79…67", "+79…68"]
    assert {each["id"]: "under_way" for each in written} == stages(run)


def test_enqueue_is_readable(run: Run) -> None:
    result = run(*sms("--enqueue"))

    assert "a worker sends it: notify worker" in result.stdout
    assert "printed by" not in result.output


def test_what_has_the_same_key_is_sent_once(run: Run) -> None:
    """The second time what became of the first is told."""
    first, second = sent(run, "--key", "order-77"), sent(run, "--key", "order-77")

    assert first == second
    assert run(*sms("--key", "order-77", to=OTHER)).exit_code == 2
    assert enqueued(run, "--key", "order-77") == first


@pytest.mark.parametrize(
    "arguments",
    [
        sms("--enqueue"),
        ("deliveries",),
        ("hold", "x"),
        ("resume", "good"),
        ("worker",),
        *(("journal", each) for each in ("migrate", "check", "stats", "purge", "export")),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("journal", ["", "journal: memory\n"], ids=["none", "in memory"])
def test_what_needs_a_journal_exits_8_without_one(
    tmp_path: Path, arguments: Sequence[str], journal: str
) -> None:
    """One in memory would end with the command, so it counts as none."""
    run = runner(tmp_path, CONFIG.replace("journal: sqlite:///notify.db\n", journal))

    result = run(*arguments)

    assert result.exit_code == 8
    assert "write journal: sqlite:///notify.db in the configuration" in result.stderr


def test_a_journal_that_cannot_be_opened_exits_8_and_nothing_leaves(tmp_path: Path) -> None:
    run = runner(tmp_path, CONFIG.replace("///notify.db", "///absent/notify.db"))

    result = run(*sms("--json"))

    assert result.exit_code == 8
    assert answer(result)["error"]["kind"] == "JournalError"
    assert "the folder must exist" in result.stderr
    assert "printed by" not in result.output


# --- deliveries -----------------------------------------------------------------------------


def test_the_newest_deliveries_come_first(run: Run) -> None:
    """Each with how it stands, and what only a journal knows."""
    first, second = sent(run), sent(run, tag="mute")

    shape = answer(run("deliveries", "--json"))

    assert [each["id"] for each in shape["deliveries"]] == [second, first]
    assert shape["next"] is None
    assert {
        "stage": "held",
        "outcome": "unknown",
        "recipient": "+79…67",
        "route": "mute",
        "priority": "normal",
        "wish": None,
        "leased": False,
        "text_kept": True,
        "deadline_at": None,
        "number": 1,
    }.items() <= shape["deliveries"][0].items()


def test_deliveries_can_be_paged_through(run: Run) -> None:
    """The last page says that it is the last, also where it is full."""
    made = [sent(run) for _ in range(4)]

    first = answer(run("deliveries", "--limit", "2", "--json"))
    last = answer(run("deliveries", "--limit", "2", "--after", first["next"], "--json"))

    assert [each["id"] for each in first["deliveries"]] == [made[3], made[2]]
    assert [each["id"] for each in last["deliveries"]] == [made[1], made[0]]
    assert last["next"] is None
    assert f"more: --after {made[2]}" in run("deliveries", "--limit", "2").stdout


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (("--stage", "held"), ["mute"]),
        (("--outcome", "refused"), ["picky"]),
        (("--route", "default"), ["other", "good"]),
        (("--provider", "mute"), ["mute"]),
        (("--to", OTHER), ["other"]),
        (("--to", "8 (999) 123-45-68"), ["other"]),
        (("--to", "a@example.org"), []),
        (("--since", "1h"), ["other", "mute", "picky", "good"]),
        (("--until", "1h"), []),
        (("--since", "2020-01-01T00:00:00+03:00", "--route", "mute"), ["mute"]),
        (("--until", "2020-01-01T00:00:00Z"), []),
    ],
    ids=lambda each: " ".join(each),
)
def test_deliveries_are_found_by(run: Run, options: Sequence[str], found: list[str]) -> None:
    """A number is found however it is written."""
    made = {"good": sent(run), "picky": sent(run, tag="picky"), "mute": sent(run, tag="mute")}
    made["other"] = sent(run, to=OTHER)

    assert [made[name] for name in found] == ids(run, *options)


def test_the_deliveries_of_a_message_are_found(run: Run) -> None:
    sent(run)
    message_id = answer(run(*sms("--to", OTHER, "--json")))["message_id"]

    found = answer(run("deliveries", "--message", message_id, "--json"))["deliveries"]

    assert [each["message_id"] for each in found] == [message_id] * 2
    assert sorted(each["number"] for each in found) == [1, 2]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--since", "yesterday"), "neither like 2h nor like 2030-01-31T12:00:00+03:00"),
        (("--until", "2030-01-31"), "needs its zone"),
        (("--since", "9999999d"), "neither like 2h"),
        (("--stage", "sent"), "'under_way', 'held', 'ended'"),
        (("--outcome", "fine"), "'accepted', 'refused', 'not_sent', 'unknown'"),
        (("--limit", "0"), "not in the range"),
        (("abc", "--stage", "held"), "leave the others out"),
        (("abc", "--after", "def"), "leave the others out"),
        (("abc",), "no delivery 'abc' is in the journal"),
    ],
)
def test_what_cannot_be_looked_for_is_wrong_usage(
    run: Run, options: Sequence[str], says: str
) -> None:
    result = run("deliveries", *options)

    assert result.exit_code == 2
    assert says in result.stderr


def test_that_there_are_none_is_said(run: Run) -> None:
    assert run("deliveries").stdout == "none\n"


def events(run: Run, delivery_id: str) -> list[tuple[str, str]]:
    """Return what happened to a delivery, without the times."""
    shape = answer(run("deliveries", delivery_id, "--json"))
    return [(each["event"], each["detail"]) for each in shape["timeline"]]


def test_the_timeline_of_a_delivery_goes_from_its_making_to_its_end(run: Run) -> None:
    """Over all legs, with the configuration under which it was planned."""
    made = sent(run, tag="twice")

    delivery = answer(run("deliveries", made, "--json"))["delivery"]

    config, message = delivery["config"], delivery["message_id"]
    plan = "telegram via picky; sms via good"
    assert events(run, made) == [
        ("made", f"recipient 1 of message {message}"),
        ("planned", f"under configuration {config}, route twice, first_of: {plan}"),
        ("began", "attempt 1 at picky by telegram to +79…67"),
        ("answered", "refused (recipient): no such number"),
        ("leg over", "leg 1, telegram: refused (recipient): no such number"),
        ("began", "attempt 1 at good by sms to +79…67"),
        ("answered", "accepted as P-1"),
        ("leg over", "leg 2, sms: accepted as P-1"),
        ("ended", "nothing is left to do"),
    ]
    assert [leg["channel"] for leg in delivery["plan"]["legs"]] == ["telegram", "sms"]


@pytest.mark.parametrize(
    ("tag", "last"),
    [
        ("mute", ("held", "until somebody decides: notify release, or notify cancel")),
        ("busy", ("due", "the next round: busy")),
        ("foggy", ("due", "foggy is asked about the last attempt")),
    ],
)
def test_the_timeline_ends_with_what_is_next(run: Run, tag: str, last: tuple[str, str]) -> None:
    """For what is due with the time, which is that of the delivery."""
    made = sent(run, tag=tag)

    shape = answer(run("deliveries", made, "--json"))

    assert events(run, made)[-1] == last
    assert shape["timeline"][-1]["at"] == shape["delivery"]["next_at"]


def test_the_timeline_of_what_was_enqueued_names_the_attempt_to_come(run: Run) -> None:
    """A wish that was noted stands before what follows from it."""
    made = enqueued(run)

    assert events(run, made)[-1] == ("due", "an attempt at good")
    run("hold", made)
    assert events(run, made)[-2:] == [
        ("wish", "it is to be held"),
        ("held", "until somebody decides: notify release, or notify cancel"),
    ]


def test_the_timeline_tells_what_asking_found_out(run: Run) -> None:
    """The provider has the message though its answer was lost."""
    made = sent(run, tag="clear")

    told = [event for event in events(run, made) if event[0] in ("answered", "resolved")]

    assert told == [
        ("answered", "unknown: the answer was cut"),
        ("resolved", f"accepted as {made}-1"),
    ]


def test_the_timeline_tells_how_often_nobody_answered(run: Run) -> None:
    """A question without an answer is put again, after ever longer pauses."""
    made = sent(run, tag="foggy")

    assert ("asked", "no answer (1)") in events(run, made)


def test_what_is_being_carried_on_is_leased(tmp_path: Path) -> None:
    """Until when, at the end of the timeline."""
    run = runner(tmp_path)
    made = enqueued(run)
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=1)
    with notifier(tmp_path) as somebody:
        somebody.journal.claim_one(made, "somebody", datetime.now(UTC), until)

    shape = answer(run("deliveries", made, "--json"))

    assert events(run, made)[-1] == ("leased", "it is being carried on, and anybody's after that")
    assert shape["timeline"][-1]["at"] == until.isoformat()
    assert shape["delivery"]["leased"] is True


def test_deliveries_are_readable(run: Run) -> None:
    """In a list and in full."""
    made = sent(run, "--priority", "high", tag="mute")

    listed, full = run("deliveries").stdout, run("deliveries", made).stdout

    head, _, row = listed.splitlines()
    assert head.split()[:4] == ["Id", "To", "Stage", "Outcome"]
    assert row.split()[:4] == [made, "+79…67", "held", "unknown"]
    assert re.search(r"^priority +high$", full, re.M)
    assert re.search(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ +began +attempt 1 at mute", full, re.M)


# --- hold, release, cancel, resume ----------------------------------------------------------


def test_what_is_held_goes_on_when_it_is_released(run: Run) -> None:
    """Meanwhile a worker leaves it alone."""
    made = enqueued(run)

    held = run("hold", made, "--json")
    run("worker", "--once", "--quiet")
    assert stages(run) == {made: "held"}
    released = run("release", made, "--json")
    run("worker", "--once", "--quiet")

    assert (held.exit_code, released.exit_code) == (0, 0)
    assert answer(held)["deliveries"][0]["stage"] == "held"
    assert answer(released)["deliveries"][0]["stage"] == "under_way"
    assert stages(run) == {made: "ended"}


def test_what_is_cancelled_is_never_sent(run: Run) -> None:
    """Of several each is told."""
    first, second = enqueued(run), sent(run, tag="mute")

    result = run("cancel", first, second, "--json")
    run("worker", "--once", "--quiet")

    told = answer(result)
    assert result.exit_code == 0
    assert told["wanted"] == "cancel"
    assert [each["outcome"] for each in told["deliveries"]] == ["not_sent", "unknown"]
    assert [each["stage"] for each in told["deliveries"]] == ["ended", "ended"]
    assert stages(run) == {first: "ended", second: "ended"}
    assert events(run, first)[-2:] == [
        ("wish", "it is to be cancelled"),
        ("ended", "nothing is left to do"),
    ]


@pytest.mark.parametrize("command", ["hold", "release", "cancel"])
def test_what_has_ended_cannot_be_decided_about(run: Run, command: str) -> None:
    """Nor what is not there; the others are decided about all the same, and the exit code is 1."""
    gone, made = sent(run), enqueued(run)

    result = run(command, gone, "absent", made, "--json")

    over, absent, done = answer(result)["deliveries"]
    assert result.exit_code == 1
    assert over["problem"] == "it had ended already: accepted as P-1"
    assert absent["problem"] == "no such delivery is in the journal"
    assert (done["done"], done["problem"]) == (True, None)


def test_a_message_of_which_a_part_has_gone_is_not_cancelled_as_asked(run: Run) -> None:
    """What has gone cannot be taken back; the rest is left undone."""
    made = sent(run, tag="both")

    result = run("cancel", made, "--json")

    (told,) = answer(result)["deliveries"]
    assert result.exit_code == 1
    assert told["problem"] == "some of it has gone already"
    assert (told["stage"], told["partly"]) == ("ended", True)


def test_what_is_in_doubt_is_still_asked_about_when_it_is_cancelled(run: Run) -> None:
    """The provider may have it: that is worth knowing."""
    made = sent(run, tag="foggy")

    result = run("cancel", made)

    assert result.exit_code == 0
    assert "nothing more is begun; what has gone is still found out" in result.stdout
    assert stages(run) == {made: "under_way"}


def test_decisions_are_readable(run: Run) -> None:
    made = enqueued(run)

    shown = run("hold", made, "absent").stdout

    assert re.search(rf"^{made} +\+79…67 +held", shown, re.M)
    assert "absent: no such delivery is in the journal" in shown


def test_who_carries_it_on_is_told_of_a_decision(tmp_path: Path) -> None:
    """Before it begins anything more."""
    run = runner(tmp_path)
    made = enqueued(run)
    now = datetime.now(UTC)
    with notifier(tmp_path) as somebody:
        somebody.journal.claim_one(made, "somebody", now, now + timedelta(minutes=1))

    result = run("hold", made)

    assert result.exit_code == 0
    assert "it is held before anything more is begun" in result.stdout


def test_a_stopped_provider_goes_on_when_it_is_resumed(run: Run) -> None:
    """All who use the journal know of it."""
    sent(run, tag="locked")

    result = run("resume", "locked", "--json")

    shape = answer(result)
    assert result.exit_code == 0
    assert shape["provider"] == "locked"
    assert (shape["before"]["state"], shape["health"]["state"]) == ("stopped", "ok")
    told = {each["name"]: each for each in answer(run("providers", "--json"))["providers"]}
    assert told["locked"]["health"] == {"state": "ok", "failures": 0, "reason": None}


def test_resume_is_readable(run: Run) -> None:
    """How it stood before, and how it stands."""
    sent(run, tag="locked")

    shown = run("resume", "locked").stdout

    assert re.search(r"^before +stopped +\d+ +key is wrong", shown, re.M)
    assert re.search(r"^now +ok +0", shown, re.M)
    assert "\x1b" not in shown


def test_a_provider_that_is_not_there_cannot_be_resumed(run: Run) -> None:
    result = run("resume", "nobody")

    assert result.exit_code == 2
    assert "known: good" in result.stderr


# --- journal --------------------------------------------------------------------------------


def test_migrate_makes_the_tables_and_leaves_those_of_this_version(run: Run) -> None:
    first, second = (answer(run("journal", "migrate", "--json")) for _ in range(2))

    assert first == {"before": 0, "version": 2}
    assert second == {"before": 2, "version": 2}
    assert run("journal", "migrate").stdout == "the journal has version 2 already\n"


def test_migrate_says_that_there_was_nothing(run: Run) -> None:
    shown = run("journal", "migrate").stdout

    assert shown == "the journal has version 2 now, nothing before\n"


def in_database(folder: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(folder / "notify.db")) as connection, connection:
        connection.execute(statement)


@pytest.mark.parametrize("command", ["migrate", "check", "stats"])
def test_the_journal_of_a_newer_program_is_refused(run: Run, tmp_path: Path, command: str) -> None:
    sent(run)
    in_database(tmp_path, "UPDATE notify_schema SET version = 99")

    result = run("journal", command)

    assert result.exit_code == 8
    assert "made by a newer notify-core" in result.stderr


def test_check_reads_every_delivery(run: Run, tmp_path: Path) -> None:
    """The exit code is 1 if something is wrong."""
    sent(run)
    broken = sent(run)

    well = run("journal", "check", "--json")
    in_database(tmp_path, f"UPDATE notify_deliveries SET plan = '{{}}' WHERE id = '{broken}'")
    wrong = run("journal", "check", "--json")

    assert (well.exit_code, answer(well)) == (0, {"ok": True, "wrong": []})
    assert wrong.exit_code == 1
    assert [broken in each for each in answer(wrong)["wrong"]] == [True]
    assert broken in run("journal", "check").stdout


def test_check_says_that_all_is_well(run: Run) -> None:
    assert run("journal", "check").stdout == "OK\n"


def test_stats_counts_what_there_is_to_do(run: Run) -> None:
    """Also how late the oldest of it is."""
    sent(run)
    sent(run, tag="mute")
    sent(run, tag="busy")
    enqueued(run)

    shape = answer(run("journal", "stats", "--json"))

    late_s = shape.pop("oldest_due_s")
    assert shape == {"under_way": 2, "due": 1, "held": 1}
    assert 0 <= late_s < 60


def test_stats_is_readable(run: Run) -> None:
    """Where nothing is due nothing is late."""
    _, _, row = run("journal", "stats").stdout.splitlines()

    assert row.split() == ["0", "0", "0"]


def test_purge_does_what_the_configuration_says(tmp_path: Path) -> None:
    """Text, then numbers, then rows; what has not ended is left."""
    run = runner(tmp_path, KEPT_FOR_NO_TIME)
    sent(run)
    left = sent(run, tag="mute")

    purged = answer(run("journal", "purge", "--json"))["purged"]

    assert [(each["what"], each["count"]) for each in purged] == [
        ("text", 1),
        ("numbers", 1),
        ("rows", 1),
    ]
    assert stages(run) == {left: "held"}


def test_purge_keeps_what_is_not_old_enough(run: Run) -> None:
    """Without retention in the configuration the usual times hold."""
    made = sent(run)

    purged = answer(run("journal", "purge", "--json"))["purged"]

    assert [each["count"] for each in purged] == [0, 0, 0]
    assert stages(run) == {made: "ended"}


@pytest.mark.parametrize(
    ("options", "what", "text_kept", "recipient"),
    [
        (("--older-than", "0s"), "text", False, "+79…67"),
        (("--older-than", "0s", "--what", "numbers"), "numbers", False, "…"),
        (("--older-than", "1h"), "text", True, "+79…67"),
        (("--what", "numbers"), "numbers", True, "+79…67"),
    ],
)
def test_purge_takes_the_text_unless_told_otherwise(
    run: Run, options: Sequence[str], what: str, text_kept: bool, recipient: str
) -> None:
    """The least that can be meant."""
    sent(run)

    purged = answer(run("journal", "purge", *options, "--json"))["purged"]

    (left,) = answer(run("deliveries", "--json"))["deliveries"]
    assert [each["what"] for each in purged] == [what]
    assert (left["text_kept"], left["recipient"]) == (text_kept, recipient)


def test_purge_is_readable_and_refuses_what_is_no_span(run: Run) -> None:
    shown, refused = run("journal", "purge"), run("journal", "purge", "--older-than", "90")

    assert [line.split()[0] for line in shown.stdout.splitlines()[2:]] == [
        "text",
        "numbers",
        "rows",
    ]
    assert refused.exit_code == 2
    assert "'90' has no unit; write 20s" in refused.stderr


def exported(run: Run, *options: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run("journal", "export", *options).stdout.splitlines()]


def test_export_writes_whole_deliveries_with_addresses_and_texts(run: Run) -> None:
    """One document in each line, and of several recipients only the one meant."""
    run(*sms("--to", OTHER))

    (line,) = exported(run, "--to", NUMBER)

    assert line["recipient"] == {"phone": NUMBER}
    assert line["message"]["text"] == TEXT
    assert line["message"]["to"] == [{"phone": NUMBER}]
    assert [each["address"] for each in line["attempts"]] == [NUMBER]
    assert OTHER not in json.dumps(line)
    assert len(exported(run)) == 2


def test_export_says_what_is_not_kept_any_more(run: Run) -> None:
    """Null stands for it."""
    sent(run)
    run("journal", "purge", "--older-than", "0s")
    run("journal", "purge", "--older-than", "0s", "--what", "numbers")

    (line,) = exported(run)

    assert (line["message"], line["recipient"]) == (None, None)
    assert [each["address"] for each in line["attempts"]] == [None]
    assert NUMBER not in json.dumps(line)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
def test_an_export_that_cannot_be_written_is_no_success(run: Run, tmp_path: Path) -> None:
    """Half of what is kept of somebody must not look like all of it."""
    sent(run)
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])

    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "notify_core.cli", "journal", "export"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path},
            check=False,
        )

    assert done.returncode != 0
    assert "the export is not whole: No space left on device" in done.stderr


def test_the_help_of_export_warns(run: Run) -> None:
    assert "ADDRESSES AND TEXTS ARE SHOWN" in run("journal", "export", "--help").stdout


def test_erase_removes_a_recipient_and_what_was_said(run: Run) -> None:
    """However the number is written; others are left."""
    sent(run)
    sent(run, to=OTHER)

    result = run("journal", "erase", "--recipient", "8 999 123-45-67", "--json")

    assert result.exit_code == 0
    assert answer(result) == {"erased": 1, "left": [], "waiting": []}
    assert [line["recipient"] for line in exported(run)] == [{"phone": OTHER}, None]


def test_erase_finds_what_only_looks_like_a_number(run: Run) -> None:
    """A pager has numbers too."""
    run("send", "page", "--to", "4711", "--field", "digits=1")

    result = run("journal", "erase", "--recipient", "4711", "--json")

    assert answer(result)["erased"] == 1


def test_erase_exits_6_where_something_was_left(run: Run) -> None:
    """With what to do about it; afterwards nothing is left."""
    sent(run)
    held, waiting = sent(run, tag="mute"), enqueued(run)

    first = run("journal", "erase", "--recipient", NUMBER, "--json")
    shown = run("journal", "erase", "--recipient", NUMBER).stdout
    run("cancel", held, waiting)
    second = run("journal", "erase", "--recipient", NUMBER, "--json")

    assert first.exit_code == 6
    assert answer(first)["erased"] == 1
    assert sorted(answer(first)["left"]) == sorted([held, waiting])
    assert f"  notify cancel {waiting} {held}\n" in shown
    assert (second.exit_code, answer(second)) == (0, {"erased": 2, "left": [], "waiting": []})


def test_the_commands_work_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    """As they do on SQLite."""
    address = f"journal: {postgres_url!r}"
    run = runner(tmp_path, CONFIG.replace("journal: sqlite:///notify.db", address))
    migrated = answer(run("journal", "migrate", "--json"))
    made, held = enqueued(run), sent(run, tag="mute")

    assert migrated["before"] == 0
    assert answer(run("worker", "--once", "--quiet", "--json"))["ended"] == 1
    assert stages(run) == {made: "ended", held: "held"}
    assert ids(run, "--to", NUMBER, "--outcome", "unknown") == [held]
    assert run("cancel", held).exit_code == 0
    assert run("journal", "check").stdout == "OK\n"
    assert len(exported(run, "--since", "1h")) == 2
    assert answer(run("journal", "erase", "--recipient", NUMBER, "--json"))["erased"] == 2
    assert answer(run("journal", "stats", "--json"))["under_way"] == 0


# --- what is shown, and what is documented --------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        sms("--enqueue"),
        ("deliveries",),
        ("deliveries", "--to", NUMBER),
        ("deliveries", "ID"),
        ("hold", "ID"),
        ("release", "ID"),
        ("cancel", "ID"),
        ("worker", "--once", "--verbose"),
        ("journal", "check"),
        ("journal", "stats"),
        ("journal", "purge"),
        ("journal", "erase", "--recipient", NUMBER),
    ],
    ids=" ".join,
)
def test_neither_text_nor_address_is_shown_but_by_export(run: Run, command: Sequence[str]) -> None:
    """Both are the user's own and may stand in a log afterwards."""
    sent(run, tag="mute")
    made = enqueued(run)
    for more in ((), ("--json",)):
        result = run(*(made if word == "ID" else word for word in command), *more)

        assert result.exit_code in (0, 1, 6)
        assert TEXT not in result.output
        assert NUMBER not in result.output
        assert NUMBER[1:] not in result.output


@pytest.mark.parametrize(
    "name",
    sorted(make_app(Plugins()).commands["journal"].commands),  # type: ignore[attr-defined]
)
def test_every_command_of_the_group_is_documented(name: str) -> None:
    """With a section and its options."""
    page = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
    command = make_app(Plugins()).commands["journal"].commands[name]  # type: ignore[attr-defined]
    options = [each for parameter in command.params for each in parameter.opts]

    assert f"## journal {name}\n" in page
    assert f"$ notify journal {name}" in page
    assert [each for each in options if each.startswith("--") and f"`{each}" not in page] == []


def test_every_key_of_the_json_of_these_commands_is_documented() -> None:
    """Scripts rely on them."""
    page = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
    source = (ROOT / "notify_core/cli/journal_shapes.py").read_text(encoding="utf-8")
    keys = set(re.findall(r'[{ ]"(\w+)": ', source))

    assert [key for key in sorted(keys) if not re.search(rf"(?<!`)`{key}\b", page)] == []


def test_looking_changes_nothing(tmp_path: Path) -> None:
    """It takes no lease and begins no attempt."""
    run = runner(tmp_path)
    made = enqueued(run)

    def standing() -> tuple[object, ...]:
        with notifier(tmp_path) as looking:
            entry = looking.journal.load(made)
        assert entry is not None
        return entry.lease, entry.owner, entry.due_at, entry.progress

    before = standing()
    for command in (("deliveries",), ("deliveries", made), ("journal", "stats")):
        run(*command)

    assert standing() == before
