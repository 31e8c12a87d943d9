"""The tutorial of operators, replayed; and what replays it."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.tutorial import TUTORIAL, Names, StaleStep, changed, replaying

PAGE = TUTORIAL.read_text(encoding="utf-8")


def replayed(page: str, folder: Path) -> str:
    """Return a page as it must be, when its steps are done in an empty folder."""
    with replaying(folder) as replay:
        return replay.page(page)


# --- the page -------------------------------------------------------------------------------


def test_the_tutorial_says_what_its_commands_print(tmp_path: Path) -> None:
    """Otherwise run ``python -m tests.tutorial --write``, and read what it changed."""
    assert replayed(PAGE, tmp_path) == PAGE


def test_the_commands_of_the_job_in_ci_pass_with_the_files_of_the_tutorial(tmp_path: Path) -> None:
    """Whoever copies the job has one that is green."""
    with replaying(tmp_path) as replay:
        replay.page(PAGE)
        job = yaml.safe_load((tmp_path / "ci.yaml").read_text(encoding="utf-8"))["routes"]
        replay.environment = dict(job["variables"])
        commands = [each for each in job["script"] if each.startswith("notify ")]
        codes = {each: replay.exit_code_of(*shlex.split(each)) for each in commands}

    assert len(codes) >= 3
    assert set(codes.values()) == {0}, codes


@pytest.mark.parametrize(
    "command",
    ["check", "lint", "schema", "show", "test --fail-under", "test --junit", "plan --against"],
)
def test_the_tutorial_uses_each_command_for_routes(command: str) -> None:
    """A reader has seen all of them once."""
    name, _, option = command.partition(" ")
    told = [line for line in PAGE.splitlines() if line.startswith(f"$ notify config {name}")]

    assert any(option in line for line in told)


# --- what replays it ------------------------------------------------------------------------


def test_what_a_page_says_otherwise_is_corrected(tmp_path: Path) -> None:
    """What a command prints is compared with nothing left out."""
    page = "Look:\n\n```console\n$ touch notify.yaml\n$ notify config check\nOK\n```\n\nDone.\n"

    assert replayed(page, tmp_path) == page.replace(
        "OK\n", "error: notify.yaml: is empty; begin it with version: 1\n"
    )


def test_an_output_without_a_line_end_leaves_the_block_whole(tmp_path: Path) -> None:
    """The fence stands in a line of its own whatever a program prints."""
    page = "**`a.txt`**\n\n```text\nno end\n```\n\n```console\n$ cat a.txt\n```\n"

    assert replayed(page, tmp_path).endswith("$ cat a.txt\nno end\n```\n")


@pytest.mark.parametrize("command", ["rm -r routes", "notify providers | sh"])
def test_a_command_that_the_tutorial_does_not_know_is_refused(command: str, tmp_path: Path) -> None:
    """A page is text of others: it cannot make this machine do anything."""
    with pytest.raises(StaleStep, match="the tutorial"):
        replayed(f"```console\n$ {command}\n```\n", tmp_path)


@pytest.mark.parametrize("name", ["../elsewhere.yaml", "/etc/elsewhere.yaml"])
def test_a_page_writes_only_in_its_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(StaleStep, match="outside"):
        replayed(f"**`{name}`**\n\n```yaml\nversion: 1\n```\n", tmp_path)


@pytest.mark.parametrize(
    ("diff", "after"),
    [
        (" a\n-b\n+x\n", "a\nx\nc\na\n"),
        (" c\n+d\n", "a\nb\nc\nd\na\n"),
        ("-b\n@@\n-c\n", "a\na\n"),
    ],
)
def test_a_change_is_made_where_its_lines_are(diff: str, after: str) -> None:
    assert changed("a\nb\nc\na\n", diff) == after


@pytest.mark.parametrize(("diff", "places"), [(" d\n-b\n", 0), ("-a\n", 2)])
def test_a_change_that_fits_in_no_place_or_in_several_is_refused(diff: str, places: int) -> None:
    """A reader would not know where, either."""
    with pytest.raises(StaleStep, match=f"{places} places"):
        changed("a\nb\nc\na\n", diff)


_LINES = st.lists(st.text("abc: -+#", max_size=6), unique=True, min_size=1, max_size=8)


@given(old=_LINES, new=_LINES, cut=st.integers(0, 7))
def test_a_change_shown_as_a_diff_turns_the_old_file_into_the_new_one(
    old: list[str], new: list[str], cut: int
) -> None:
    """Whatever the lines begin with, and blank lines too."""
    kept = old[:cut]
    diff = [f" {line}" for line in kept]
    diff += [f"-{line}" for line in old[cut:]] + [f"+{line}" for line in new]

    assert changed(_text(old), _text(diff)) == _text([*kept, *new])


def _text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


_ID = "0123456789abcdef01234567"


def test_ids_times_and_addresses_are_the_same_in_every_run() -> None:
    """And two ids are two on the page."""
    ours, others = (Names(address) for address in ("127.0.0.1:41001", "127.0.0.1:41002"))
    text = "{0} at {1}, then {2} at 2026-01-02T03:04:05.678Z in 1.23s"

    made = ours.on_page(text.format(_ID, "127.0.0.1:41001", _ID[::-1]))
    again = others.on_page(text.format(_ID[::-1], "127.0.0.1:41002", _ID))

    assert made == again
    first, second = made.split(" at 127.0.0.1:8025, then ")
    assert first != second.split()[0]
    assert second.endswith(" at 2026-11-23T09:30:00Z in 0.05s")


def test_an_id_of_the_page_is_understood_in_a_command() -> None:
    """So a reader sees one id in a table and in the command about it."""
    names = Names("127.0.0.1:41001")
    written = names.on_page(_ID)

    assert written != _ID
    assert names.here(f"notify deliveries {written}") == f"notify deliveries {_ID}"
