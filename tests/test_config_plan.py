"""``notify config plan``: what a change of the configuration would do, before it is live."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from notify_core.cli.app import make_app
from notify_core.clock import SystemClock
from notify_core.config.model import JournalConfig
from notify_core.contact import Contact
from notify_core.journal.base import Journal
from notify_core.journal.opening import open_journal
from notify_core.message import Mail, Message, Sms
from notify_core.route_tests.reading import read_suite
from notify_core.route_tests.running import planner_of
from notify_core.secret import Secret
from tests.cli_runs import plugins
from tests.recorded_messages import entries, fill, rows_of
from tests.routes_at_random import NUMBERS

RUSSIAN, KAZAKH, GERMAN, AMERICAN, _ = NUMBERS

OLD = """
version: 1
journal: sqlite:///notify.db
providers:
  a: {type: fake}
  b: {type: fake}
  c: {type: fake}
routes:
  - name: code
    when: {tags: otp}
    send: {via: [a, b]}
  - name: promo
    when: {tags: promo}
    send: {via: {spread: {a: 80, b: 20}}}
  - name: default
    send: {via: a}
"""
NEW = OLD.replace(
    "when: {tags: otp}\n    send: {via: [a, b]}",
    "when: {tags: otp, country: RU}\n    send: {via: [a, b]}",
)
TESTS = """
tests:
  - name: a code to Germany
    message: {channel: sms, to: "+4915112345678", text: "1234", tags: otp}
    expect: {route: code}
  - name: news
    message: {channel: sms, to: "+79991234567", text: "News"}
    expect: {route: default, legs: {channel: sms, via: a}}
"""


def planned(folder: Path, old: str, new: str, *more: str) -> Result:
    """Write both configurations and run ``notify config plan``."""
    (folder / "old.yaml").write_text(old)
    (folder / "new.yaml").write_text(new)
    files = [str(folder / "old.yaml"), str(folder / "new.yaml")]
    return CliRunner().invoke(make_app(plugins()), ["config", "plan", *files, *more])


def shape_of(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def opened(url: str) -> Journal:
    return open_journal(JournalConfig(url=Secret(url)), plugins().message_types(), SystemClock())


def record(folder: Path, text: str, *messages: Message, url: str | None = None) -> Sequence[str]:
    """Write deliveries that a configuration has decided, as a day ago; return their ids."""
    path = folder / "then.yaml"
    path.write_text(text)
    planner = planner_of(read_suite(path, plugins(), {}))
    now = datetime.now(UTC) - timedelta(days=1)
    made = [each for message in messages for each in entries(planner, message, now)]
    journal = opened(url or f"sqlite:///{folder / 'notify.db'}")
    journal.add(made)
    journal.close()
    return [entry.id for entry in made]


def sms(to: str = RUSSIAN, *tags: str) -> Sms:
    return Sms(to=to, text="the words of the message", tags=tags)


def recorded(folder: Path, old: str, new: str, *messages: Message) -> Any:
    """Return what a change does to messages that the old configuration has decided."""
    record(folder, old, *messages)
    return shape_of(planned(folder, old, new, "--against", "--json"))["recorded"]


# --- tests of the routes --------------------------------------------------------------------


def test_a_test_that_passes_before_and_fails_after_is_named(tmp_path: Path) -> None:
    result = planned(tmp_path, OLD + TESTS, NEW + TESTS)

    assert result.exit_code == 0
    assert "tests: 1 broken, 0 mended, 0 otherwise, 1 as before\n" in result.stdout
    assert (
        "a code to Germany: route: expected code, takes default "
        "(country fails: wanted RU, is DE)\n" in result.stdout
    )


def test_the_json_has_the_decision_of_each_test_on_both(tmp_path: Path) -> None:
    shape = shape_of(planned(tmp_path, OLD + TESTS, NEW + TESTS, "--json"))

    germany, news = shape["tests"]["tests"]
    assert (germany["verdict"], germany["in_old"], germany["in_new"]) == ("breaks", True, True)
    assert (germany["old"]["routes"], germany["new"]["routes"]) == (["code"], ["default"])
    assert germany["new"]["plans"][0]["legs"][0]["providers"] == ["a"]
    assert news["verdict"] == "same"
    assert shape["recorded"] is None


@pytest.mark.parametrize(
    ("old", "new", "verdict", "expects_otherwise"),
    [
        (OLD + TESTS, NEW, "breaks", False),
        (OLD, NEW + TESTS, "breaks", False),
        (NEW + TESTS, OLD + TESTS, "mends", False),
        (OLD + TESTS, NEW + TESTS.replace("route: code", "route: default"), "moves", True),
        (OLD + TESTS, OLD + TESTS, "same", False),
    ],
    ids=["in old alone", "in new alone", "mended", "changed with it", "no change"],
)
def test_each_test_runs_on_both_wherever_it_is_written(
    tmp_path: Path, old: str, new: str, verdict: str, expects_otherwise: bool
) -> None:
    shape = shape_of(planned(tmp_path, old, new, "--json"))

    test = shape["tests"]["tests"][0]
    assert test["name"] == "a code to Germany"
    assert (test["verdict"], test["expects_otherwise"]) == (verdict, expects_otherwise)


def test_routes_of_included_files_count(tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text(
        "routes:\n  - name: news\n    when: {tags: promo}\n    send: {via: c}\n"
    )
    new = OLD.replace("version: 1", "version: 1\ninclude: more.yaml")

    (group,) = recorded(tmp_path, OLD, new, sms(RUSSIAN, "promo"))["groups"]

    assert (group["old"]["route"], group["new"]["route"]) == ("promo", "news")


# --- recorded messages ----------------------------------------------------------------------


def test_who_moves_is_grouped_by_routes_and_ways_with_examples(tmp_path: Path) -> None:
    (german, _, _) = record(tmp_path, OLD, sms(GERMAN, "otp"), sms(RUSSIAN, "otp"), sms(GERMAN))

    shape = shape_of(planned(tmp_path, OLD, NEW, "--against", "--json"))["recorded"]

    assert (shape["messages"], shape["moves"], shape["unmoved"], shape["unsure"]) == (3, 1, 2, 0)
    (group,) = shape["groups"]
    assert (group["change"], group["messages"], group["examples"]) == ("moves", 1, [german])
    assert group["differs"] == ["route", "legs"]
    assert (group["old"]["route"], group["new"]["route"]) == ("code", "default")
    assert group["old"]["way"]["legs"][0]["providers"] == ["a", "b"]
    assert group["new"]["way"]["legs"][0]["providers"] == ["a"]


def test_people_are_shown_a_table(tmp_path: Path) -> None:
    (german,) = record(tmp_path, OLD, sms(GERMAN, "otp"))

    rows = planned(tmp_path, OLD, NEW, "--against").stdout.splitlines()

    assert "1 otherwise, 0 newly refused, 0 no longer refused, 0 as before, 0 unsure" in rows[0]
    assert "code: sms via a, then b" in rows[3]
    assert "default: sms via a" in rows[3]
    assert german in rows[3]
    assert rows[-1] == "something changes"


def test_nothing_changes_between_a_file_and_itself(tmp_path: Path) -> None:
    record(tmp_path, OLD, sms(GERMAN, "otp"), sms(RUSSIAN, "promo"), sms(AMERICAN))

    result = planned(tmp_path, OLD, OLD, "--against", "--fail-on-change")

    assert result.exit_code == 0
    assert result.stdout.endswith("nothing changes\n")


def test_fail_on_change_tells_it_to_a_script(tmp_path: Path) -> None:
    record(tmp_path, OLD, sms(GERMAN, "otp"))

    assert planned(tmp_path, OLD, NEW, "--against", "--fail-on-change").exit_code == 1
    assert planned(tmp_path, OLD, NEW, "--against").exit_code == 0


@pytest.mark.parametrize(
    ("to", "counted"),
    [(RUSSIAN, "unmoved"), (KAZAKH, "moves"), (GERMAN, "moves"), (AMERICAN, "unsure")],
)
def test_a_country_that_was_not_asked_for_is_told_by_the_number_or_not_at_all(
    tmp_path: Path, to: str, counted: str
) -> None:
    """The beginning tells Kazakhstan from Russia, and not the United States from Canada."""
    new = NEW.replace("country: RU", "country: [RU, US]")

    shape = recorded(tmp_path, OLD, new, sms(to, "otp"))

    assert shape[counted] == 1


def test_a_prefix_longer_than_what_is_kept_leaves_messages_unsure(tmp_path: Path) -> None:
    new = OLD.replace("tags: otp", 'tags: otp, number_prefix: "+79991234"')
    record(tmp_path, OLD, sms(RUSSIAN, "otp"), sms("+79161234567", "otp"))

    shape = shape_of(planned(tmp_path, OLD, new, "--against", "--json"))["recorded"]

    assert (shape["unsure"], shape["moves"]) == (1, 1)


def test_a_long_prefix_leaves_nothing_unsure_where_the_change_is_elsewhere(tmp_path: Path) -> None:
    """Whether or not the number begins so, both decide the same."""
    long = OLD.replace("tags: otp", 'tags: otp, number_prefix: "+79991234"')
    new = long.replace("{spread: {a: 80, b: 20}}", "c")

    shape = recorded(tmp_path, long, new, sms(RUSSIAN, "otp"), sms(RUSSIAN, "promo"))

    assert (shape["unsure"], shape["unmoved"], shape["moves"]) == (0, 1, 1)


@pytest.mark.parametrize(
    ("old", "new", "change", "why"),
    [
        (
            "- name: default\n    send: {via: a}",
            "- name: default\n    send: {channel: sms, via: a}",
            "newly_refused",
            "a mail message cannot become sms, but by a text of its own for it",
        ),
        (
            "- name: default\n    send: {via: a}",
            "- name: default\n    send: {all_of: [{via: a}, {channel: page, via: a}]}",
            "newly_refused",
            "a mail message cannot become page, but by a text of its own for it",
        ),
    ],
)
def test_who_is_newly_refused_is_told_with_the_reason(
    tmp_path: Path, old: str, new: str, change: str, why: str
) -> None:
    letter = Mail(to="ann@example.org", subject="Hi", text="Hello")

    shape = recorded(tmp_path, OLD, OLD.replace(old, new), letter)

    (group,) = shape["groups"]
    assert (group["change"], group["new"]["refused"]) == (change, why)
    assert shape[change] == 1


def test_who_is_no_longer_refused_is_told_too(tmp_path: Path) -> None:
    letter = Mail(to="ann@example.org", subject="Hi", text="Hello")
    refusing = OLD.replace(
        "default\n    send: {via: a}", "default\n    send: {channel: sms, via: a}"
    )
    record(tmp_path, OLD, letter)

    shape = shape_of(planned(tmp_path, refusing, OLD, "--against", "--json"))["recorded"]

    assert (shape["no_longer_refused"], shape["recorded_otherwise"]) == (1, 1)


def test_a_message_that_brought_its_own_text_is_not_refused(tmp_path: Path) -> None:
    """Its stored plan tells: without such a text it would have had no such leg."""
    by_sms = OLD.replace("default\n    send: {via: a}", "default\n    send: {channel: sms, via: a}")
    letter = Mail(
        to=Contact(phone=RUSSIAN, email="ann@example.org"),
        subject="Hi",
        text="Hello",
        alternatives=[Sms(text="Hello")],
    )

    shape = recorded(
        tmp_path, by_sms, by_sms.replace("channel: sms, via: a", "channel: sms, via: c"), letter
    )

    assert (shape["moves"], shape["newly_refused"]) == (1, 0)


def test_what_another_configuration_had_decided_does_not_count_as_a_move(tmp_path: Path) -> None:
    """Recorded under a third one, by another route than both of them decide."""
    third = OLD.replace("tags: otp", "tags: [otp, promo]")
    record(tmp_path, third, sms(GERMAN, "promo"))

    shape = shape_of(planned(tmp_path, OLD, NEW, "--against", "--json"))["recorded"]

    assert (shape["moves"], shape["unmoved"], shape["recorded_otherwise"]) == (0, 1, 1)


def test_only_messages_of_the_days_count(tmp_path: Path) -> None:
    path = tmp_path / "then.yaml"
    path.write_text(OLD)
    planner = planner_of(read_suite(path, plugins(), {}))
    now = datetime.now(UTC)
    (template,) = entries(planner, sms(GERMAN, "otp"), now)
    since = now - timedelta(days=10)
    rows = [row for _, row in rows_of([template], 200, since, now - timedelta(days=5))]
    fill(f"sqlite:///{tmp_path / 'notify.db'}", rows)

    counts = [
        shape_of(planned(tmp_path, OLD, NEW, "--against", "--days", days, "--json"))["recorded"][
            "messages"
        ]
        for days in ("3", "7", "20")
    ]

    assert counts[0] == 0
    assert 0 < counts[1] < 200
    assert counts[2] == 200


# --- spreads --------------------------------------------------------------------------------


def test_of_a_changed_spread_those_move_whose_draw_changes(tmp_path: Path) -> None:
    new = OLD.replace("a: 80, b: 20", "a: 60, b: 40")
    messages = [sms(GERMAN, "promo") for _ in range(60)]
    moved = _drawn_otherwise(tmp_path, new, messages)

    shape = recorded(tmp_path, OLD, new, *messages)

    (group,) = shape["groups"]
    assert 0 < len(moved) < 60
    assert (group["messages"], group["drawn_the_same"]) == (len(moved), 60 - len(moved))
    assert group["differs"] == ["legs"]
    assert group["old"]["way"]["legs"][0]["weights"] == [80, 20]
    assert shape["unmoved"] == 60 - len(moved)


def _drawn_otherwise(folder: Path, new: str, messages: Sequence[Message]) -> list[Message]:
    planners = []
    for text in (OLD, new):
        (folder / "each.yaml").write_text(text)
        planners.append(planner_of(read_suite(folder / "each.yaml", plugins(), {})))
    before, after = (
        [planner.decide(each)[0].plan.legs[0].providers for each in messages]
        for planner in planners
    )
    return [each for each, old, now in zip(messages, before, after, strict=True) if old != now]


def test_a_changed_spread_is_a_change_even_if_nobody_is_drawn_otherwise(tmp_path: Path) -> None:
    new = OLD.replace("a: 80, b: 20", "a: 8, b: 2000000")
    equal = OLD.replace("a: 80, b: 20", "a: 800000, b: 200000")

    record(tmp_path, OLD, sms(GERMAN, "promo"))
    results = [
        planned(tmp_path, OLD, text, "--against", "--fail-on-change") for text in (new, equal)
    ]

    assert [result.exit_code for result in results] == [1, 1]


# --- costs ----------------------------------------------------------------------------------


def test_the_difference_in_cost_comes_of_what_recorded_attempts_have_cost(tmp_path: Path) -> None:
    """By a 2.50 each, by c 4: two codes that go to c cost 3 more."""
    by_c = OLD.replace("send: {via: [a, b]}", "send: {via: c}")
    record(
        tmp_path, OLD.replace("default\n    send: {via: a}", "default\n    send: {via: c}"), sms()
    )
    record(tmp_path, OLD, sms(GERMAN, "otp"), sms(RUSSIAN, "otp"))

    shape = shape_of(planned(tmp_path, OLD, by_c, "--against", "--json"))["recorded"]

    assert shape["costs"] == [
        {
            "currency": "RUB",
            "messages": 2,
            "old": "5.0000",
            "new": "8.0000",
            "difference": "3.0000",
        }
    ]
    assert shape["cost_unknown"] == 0
    overall = [each for each in shape["rates"] if each["country"] is None]
    assert [(each["provider"], each["cost"], each["attempts"]) for each in overall] == [
        ("a", "2.5000", 2),
        ("c", "4.0000", 1),
    ]


def test_a_provider_of_which_no_cost_is_known_leaves_the_cost_unknown(tmp_path: Path) -> None:
    by_c = OLD.replace("send: {via: [a, b]}", "send: {via: c}")

    shape = recorded(tmp_path, OLD, by_c, sms(GERMAN, "otp"))

    assert (shape["costs"], shape["cost_unknown"]) == ([], 1)


# --- the list -------------------------------------------------------------------------------


def test_the_list_names_every_delivery_that_would_go_otherwise(tmp_path: Path) -> None:
    german, american, _ = record(
        tmp_path, OLD, sms(GERMAN, "otp"), sms(AMERICAN, "otp"), sms(GERMAN)
    )
    new = NEW.replace("country: RU", "country: [RU, US]")
    listed = tmp_path / "moved.csv"

    result = planned(tmp_path, OLD, new, "--against", "--list", str(listed))

    assert result.exit_code == 0
    rows = list(csv.reader(listed.read_text().splitlines()))
    assert rows[0] == ["delivery", "change", "old_route", "new_route"]
    assert sorted(rows[1:]) == sorted(
        [[german, "moves", "code", "default"], [american, "unsure", "", ""]]
    )


# --- the journal ----------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["{folder}/notify.db", "sqlite:///{folder}/notify.db"])
def test_a_journal_is_given_as_a_file_or_as_an_address(tmp_path: Path, form: str) -> None:
    record(tmp_path, OLD, sms(GERMAN, "otp"))
    new = NEW.replace("journal: sqlite:///notify.db\n", "")
    old = OLD.replace("journal: sqlite:///notify.db\n", "")

    shape = shape_of(
        planned(tmp_path, old, new, "--json", f"--against={form.format(folder=tmp_path)}")
    )

    assert shape["recorded"]["moves"] == 1


def test_a_journal_on_postgresql_is_read(tmp_path: Path, postgres_url: str) -> None:
    (german,) = record(tmp_path, OLD, sms(GERMAN, "otp"), url=postgres_url)

    shape = shape_of(planned(tmp_path, OLD, NEW, "--json", "--against", postgres_url))["recorded"]

    assert (shape["moves"], shape["groups"][0]["examples"]) == (1, [german])
    assert shape["rates"][0]["cost"] == "2.5000"


def test_no_text_and_no_number_is_shown(tmp_path: Path) -> None:
    record(tmp_path, OLD, sms(GERMAN, "otp"), sms(RUSSIAN, "promo"))

    result = planned(tmp_path, OLD, NEW, "--against", "--json")

    assert "the words of the message" not in result.output
    assert "15112345678" not in result.output
    assert "9991234567" not in result.output


def test_the_journal_is_left_as_it_was(tmp_path: Path) -> None:
    record(tmp_path, OLD, sms(GERMAN, "otp"))
    before = {path.name: path.read_bytes() for path in tmp_path.glob("notify.db*")}

    planned(tmp_path, OLD, NEW, "--against")

    assert {path.name: path.read_bytes() for path in tmp_path.glob("notify.db*")} == before


# --- errors ---------------------------------------------------------------------------------


def test_without_tests_and_without_a_journal_there_is_nothing_to_go_by(tmp_path: Path) -> None:
    result = planned(tmp_path, OLD, NEW)

    assert result.exit_code == 2
    assert result.stderr.endswith(
        "Error: there is nothing to hold the change against: neither file has tests of its "
        "routes; write some, or give a journal with --against\n"
    )


def test_a_list_needs_a_journal(tmp_path: Path) -> None:
    result = planned(tmp_path, OLD + TESTS, NEW, "--list", "moved.csv")

    assert result.exit_code == 2
    assert result.stderr.endswith(
        "Error: --list writes deliveries of a journal; give one with --against\n"
    )


def test_a_list_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    record(tmp_path, OLD, sms())
    path = tmp_path / "no" / "moved.csv"

    result = planned(tmp_path, OLD, NEW, "--list", str(path), "--against")

    assert result.exit_code == 2
    assert result.stderr.endswith(f"Error: {path} cannot be written: No such file or directory\n")


def test_a_mistake_in_either_file_is_told_with_its_place(tmp_path: Path) -> None:
    result = planned(tmp_path, OLD, NEW.replace("{via: a}", "{via: z}"), "--against")

    assert result.exit_code == 4
    assert result.stderr == (
        f'error: {tmp_path}/new.yaml:16:17: routes[2].send.via: "z" is not a provider of this '
        "file; known: a, b, c\n"
    )


def test_a_configuration_without_a_journal_has_none_to_look_at(tmp_path: Path) -> None:
    old = OLD.replace("journal: sqlite:///notify.db\n", "")

    result = planned(tmp_path, old, NEW, "--against")

    assert result.exit_code == 8
    assert result.stderr == (
        f"error: {tmp_path}/old.yaml names no journal; give one, as --against notify.db\n"
    )


def test_a_journal_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    result = planned(tmp_path, OLD, NEW, "--against")

    assert result.exit_code == 8
    assert result.stderr == (f"error: journal {tmp_path}/notify.db: unable to open database file\n")
    assert not (tmp_path / "notify.db").exists()


def _no_tables(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE something (id TEXT)")
    connection.close()


def _version(path: Path, version: int) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE notify_schema (version INTEGER)")
        connection.execute("INSERT INTO notify_schema VALUES (?)", (version,))
    connection.close()


@pytest.mark.parametrize(
    ("version", "told"),
    [
        (
            1,
            "the journal has version 1, this notify-core needs 2; run: notify journal migrate",
        ),
        (
            99,
            "the journal has version 99, made by a newer notify-core; this one knows versions up "
            "to 2: upgrade it",
        ),
    ],
)
def test_a_journal_of_another_version_is_refused_and_not_migrated(
    tmp_path: Path, version: int, told: str
) -> None:
    _version(tmp_path / "notify.db", version)

    result = planned(tmp_path, OLD, NEW, "--against")

    assert result.exit_code == 8
    assert result.stderr == f"error: {told}\n"


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    _no_tables(tmp_path / "notify.db")
    (tmp_path / "words.txt").write_text("no database " * 100)

    tables = planned(tmp_path, OLD, NEW, "--against")
    words = planned(tmp_path, OLD, NEW, "--against", str(tmp_path / "words.txt"))

    assert tables.stderr == "error: this is no journal: there are no tables of one\n"
    assert words.exit_code == 8
    assert "file is not a database" in words.stderr


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("memory", "a journal in memory is not there for another process to read"),
        (
            "mysql://ann:secret@host/x",
            "the journal is of no kind that is known; give a file like notify.db, "
            "sqlite:///notify.db or postgresql://user@host/database",
        ),
    ],
)
def test_an_address_that_is_none_is_refused_without_its_password(
    tmp_path: Path, url: str, told: str
) -> None:
    result = planned(tmp_path, OLD, NEW, "--against", url)

    assert result.exit_code == 8
    assert result.stderr == f"error: {told}\n"


def test_a_damaged_row_is_named(tmp_path: Path) -> None:
    (german,) = record(tmp_path, OLD, sms(GERMAN, "otp"))
    with sqlite3.connect(tmp_path / "notify.db") as connection:
        connection.execute("UPDATE notify_deliveries SET plan = '{'")
    connection.close()

    result = planned(tmp_path, OLD, NEW, "--against")

    assert result.exit_code == 8
    assert result.stderr.startswith(f"error: delivery {german} cannot be understood: ")
