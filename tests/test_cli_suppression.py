"""``notify suppress`` and ``notify consent``: what they change, what they show, how they exit."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli_runs import CONFIG, NUMBER, OTHER, Run, answer, notifier, runner, sms

WITH_CONSENT = CONFIG + "suppression: {consent: [news], always: [otp]}\n"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return runner(tmp_path, WITH_CONSENT)


def test_who_is_added_is_sent_nothing(run: Run) -> None:
    added = run("suppress", "add", "8 999 123-45-67", "--reason", "complained", "--json")

    (listed,) = answer(added)["listed"]
    assert (listed["kind"], listed["source"], listed["tag"]) == ("suppressed", "operator", None)
    assert listed["reason"] == "complained"
    assert run(*sms()).exit_code == 1


def test_who_is_removed_is_sent_to_again(run: Run) -> None:
    run("suppress", "add", NUMBER)

    removed = run("suppress", "remove", NUMBER, "--json")

    assert (removed.exit_code, answer(removed)["listed"]) == (0, [])
    assert run(*sms()).exit_code == 0
    assert run("suppress", "remove", NUMBER).exit_code == 1


def test_a_tag_alone_can_be_suppressed(run: Run) -> None:
    run("suppress", "add", NUMBER, "--tag", "promo", "--source", "person")

    assert run("suppress", "check", NUMBER).exit_code == 0
    assert run("suppress", "check", NUMBER, "--tag", "promo", "--tag", "x").exit_code == 1
    assert run("suppress", "check", NUMBER, "--tag", "promo", "--tag", "otp").exit_code == 0
    assert run("suppress", "remove", NUMBER).exit_code == 1
    assert run("suppress", "remove", NUMBER, "--tag", "promo").exit_code == 0


def test_check_says_why(run: Run) -> None:
    checked = run("suppress", "check", NUMBER, "--tag", "news")

    assert "+79…67 is not on the list" in checked.stdout
    assert "it is refused: has not agreed to 'news'" in checked.stdout
    assert checked.exit_code == 1


def test_a_consent_is_added_and_withdrawn(run: Run) -> None:
    added = run("consent", "add", NUMBER, "--tag", "news", "--reason", "form", "--json")

    (listed,) = answer(added)["listed"]
    assert (listed["kind"], listed["source"], listed["tag"]) == ("consent", "person", "news")
    assert run("suppress", "check", NUMBER, "--tag", "news").exit_code == 0
    assert run("consent", "withdraw", NUMBER, "--tag", "news").exit_code == 0
    assert run("consent", "withdraw", NUMBER, "--tag", "news").exit_code == 1


def test_a_consent_names_its_tag(run: Run) -> None:
    assert run("consent", "add", NUMBER).exit_code == 2


def test_the_list_masks_addresses(run: Run) -> None:
    run("suppress", "add", NUMBER)
    run("suppress", "add", OTHER, "--tag", "promo")

    shown = run("suppress", "list").stdout

    assert "+79…67" in shown
    assert NUMBER not in shown
    assert len(answer(run("suppress", "list", "--tag", "promo", "--json"))["listed"]) == 1


def test_the_list_says_that_there_is_more(run: Run) -> None:
    for number in (NUMBER, OTHER):
        run("suppress", "add", number)

    shown = answer(run("suppress", "list", "--limit", "1", "--json"))

    assert (len(shown["listed"]), shown["more"]) == (1, True)
    assert "there are more" in run("suppress", "list", "--limit", "1").stdout
    assert answer(run("suppress", "list", "--json"))["more"] is False


def test_an_empty_list_is_told(run: Run) -> None:
    assert run("suppress", "list").stdout == "none\n"


def test_what_is_exported_can_be_read_in_elsewhere(run: Run, tmp_path: Path) -> None:
    run("suppress", "add", NUMBER, "--reason", "причина")
    file = tmp_path / "list.csv"
    file.write_text(run("suppress", "export").stdout, encoding="utf-8")
    (tmp_path / "elsewhere").mkdir()
    elsewhere = runner(tmp_path / "elsewhere")

    assert answer(elsewhere("suppress", "import", str(file), "--json")) == {"imported": 1}
    assert elsewhere("suppress", "export").stdout == file.read_text(encoding="utf-8")


def test_a_wrong_line_is_told_and_nothing_is_read_in(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text(f"address\n{NUMBER}\n123\n", encoding="utf-8")

    result = run("suppress", "import", str(file))

    assert result.exit_code == 1
    assert f"error: {file}:3:1: '…' is too short" in result.stderr
    assert run("suppress", "list").stdout == "none\n"


def test_a_file_that_cannot_be_read_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "old.csv").write_bytes("address,reason\n+79991234567,причина\n".encode("cp1251"))

    missing = run("suppress", "import", str(tmp_path / "none.csv"))
    old = run("suppress", "import", str(tmp_path / "old.csv"))

    assert (missing.exit_code, old.exit_code) == (2, 2)
    assert "No such file" in missing.stderr
    assert "save it as CSV in UTF-8" in old.stderr


def test_what_cannot_be_an_address_is_wrong_usage(run: Run) -> None:
    assert run("suppress", "add", "123").exit_code == 2


def test_without_a_journal_there_is_no_list(tmp_path: Path) -> None:
    run = runner(tmp_path, CONFIG.replace("journal: sqlite:///notify.db\n", ""))

    assert run("suppress", "list").exit_code == 8


def test_an_erased_person_stays_on_the_list(run: Run, tmp_path: Path) -> None:
    """Who was forgotten would be written to again."""
    run(*sms())
    run("suppress", "add", NUMBER)

    erased = run("journal", "erase", "--recipient", NUMBER)

    assert erased.exit_code == 0
    with notifier(tmp_path) as opened:
        assert opened.suppressions.against(NUMBER, ()) is not None
