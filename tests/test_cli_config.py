"""``notify config check``, ``schema`` and ``show``: what they print, and how they exit."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from notify_core.cli.app import make_app
from notify_core.hookspecs import hookimpl
from notify_core.plugins import Plugins
from notify_core.provider import ProviderType
from tests import cli_fakes
from tests.cli_runs import answer, plugins
from tests.test_config_includes import MAIN, PROMO

CONFIG = """\
version: 1
providers:
  main: {type: fake, sends: "${env:OUTCOME}"}
routes:
  - name: default
    send: {via: main}
"""


def run(folder: Path, *arguments: str, known: Plugins | None = None) -> Result:
    """Run ``notify config`` in a folder."""
    environ = {"OUTCOME": "accepted", "NOTIFY_CONFIG": None}
    with contextlib.chdir(folder):
        app = make_app(known or plugins())
        return CliRunner().invoke(app, ["config", *arguments], env=environ)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "notify.yaml").write_text(CONFIG)
    return tmp_path


@pytest.fixture
def several(folder: Path) -> Path:
    """Return a folder with a configuration that includes another file."""
    (folder / "notify.yaml").write_text(MAIN.replace("letters", "fake"))
    (folder / "routes").mkdir()
    (folder / "routes" / "promo.yaml").write_text(PROMO.replace("letters", "fake"))
    return folder


# --- what is wrong --------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["check", "lint", "show", "test"])
def test_each_command_about_a_configuration_shows_mistakes_with_their_lines(
    command: str, folder: Path
) -> None:
    """Whichever is run first, nobody has to run another one to see where the mistake is."""
    (folder / "notify.yaml").write_text(CONFIG.replace("via: main", "via: mian"))

    result = run(folder, command)

    assert result.exit_code == 4
    assert result.stderr.endswith("  6 |     send: {via: mian}\n    |                 ^\n")
    assert answer(run(folder, command, "--json"))["error"]["problems"][0]["line"] == 6


# --- check ----------------------------------------------------------------------------------


def test_check_shows_the_line_with_a_caret_under_the_place(folder: Path) -> None:
    (folder / "notify.yaml").write_text(CONFIG.replace("via: main", "via: mian"))

    result = run(folder, "check")

    assert result.exit_code == 4
    assert result.stdout == ""
    assert result.stderr == (
        'error: notify.yaml:6:17: routes[0].send.via: "mian" is not a provider of this file; '
        'did you mean "main"? known: main\n'
        "  6 |     send: {via: mian}\n"
        "    |                 ^\n"
    )


def test_check_shows_the_lines_of_every_file(several: Path) -> None:
    promo = several / "routes" / "promo.yaml"
    promo.write_text(promo.read_text().replace("tags", "tag"))
    main = several / "notify.yaml"
    main.write_text(main.read_text().replace("via: main", "via: mian"))

    result = run(several, "check")

    rows = result.stderr.splitlines()
    assert rows[1:3] == ["  7 |     send: {via: mian}", "    |                 ^"]
    assert rows[3].startswith("error: routes/promo.yaml:5:12: routes[0].when.tag: ")
    assert rows[4:] == ["  5 |     when: {tag: ********}", "    |            ^"]


def test_check_cuts_a_long_line_around_the_place(folder: Path) -> None:
    tags = ", ".join(f"tag-{number}" for number in range(60))
    text = CONFIG.replace(
        "  - name: default",
        f"  - {{name: long, when: {{tags: [{tags}], chanel: sms, sender: [{tags}]}}, "
        "send: {via: main}}\n  - name: default",
    )
    (folder / "notify.yaml").write_text(text)

    _, line, caret = run(folder, "check").stderr.splitlines()

    assert len(line) < 110
    assert line.startswith("  5 | …")
    assert line.endswith("…")
    assert line[caret.index("^") :].startswith("chanel: ")


def test_the_caret_stands_right_behind_wide_characters(folder: Path) -> None:
    """They take two columns of a terminal each."""
    text = CONFIG.replace("default", "既定").replace(
        "{via: main}", "{via: {spread: {既定: 1, main: 1}}}"
    )
    (folder / "notify.yaml").write_text(text)

    rows = run(folder, "check").stderr.splitlines()

    assert rows[1:] == [
        "  6 |     send: {via: {spread: {既定: 1, main: 1}}}",
        "    |                           ^",
    ]


def test_check_prints_nothing_that_drives_a_terminal(folder: Path) -> None:
    (folder / "notify.yaml").write_text(CONFIG.replace("via: main", 'via: "\x85main", a: b'))

    assert "\x85" not in run(folder, "check").stderr


def test_what_stands_in_no_line_is_told_without_one(folder: Path) -> None:
    result = run(folder, "check", "absent.yaml")

    assert result.exit_code == 4
    assert result.stderr == "error: absent.yaml: cannot be read: No such file or directory\n"


def test_check_tells_problems_as_json(folder: Path) -> None:
    (folder / "notify.yaml").write_text(CONFIG.replace("via: main", "via: mian"))

    result = run(folder, "check", "--json")

    (problem,) = answer(result)["error"]["problems"]
    assert result.exit_code == 4
    assert problem.pop("message").startswith('"mian" is not a provider')
    assert problem == {"file": "notify.yaml", "line": 6, "column": 17, "path": "routes[0].send.via"}


@pytest.mark.parametrize("journal", ["sqlite:///notify.db", "postgresql://nobody@127.0.0.1:1/x"])
def test_check_leaves_the_journal_alone(folder: Path, journal: str) -> None:
    """It need not be there, and is not made: a server of CI has none."""
    (folder / "notify.yaml").write_text(f"journal: {journal}\n{CONFIG}")

    result = run(folder, "check")

    assert (result.exit_code, result.stdout) == (0, "OK: 1 provider, 1 route\n")
    assert [path.name for path in folder.iterdir()] == ["notify.yaml"]


def test_check_tells_a_key_of_the_journal_that_is_none(folder: Path) -> None:
    journal = "journal: {url: sqlite:///notify.db, text_keys: [no-key]}"
    (folder / "notify.yaml").write_text(f"{journal}\n{CONFIG}")

    assert run(folder, "check").exit_code == 8


def test_check_counts_the_files_where_there_are_several(several: Path) -> None:
    in_words, as_json = run(several, "check"), run(several, "check", "--json")

    assert in_words.stdout == "OK: 2 providers, 2 routes, 2 files\n"
    assert answer(as_json) == {
        "ok": True,
        "file": "notify.yaml",
        "files": [str((several / name).resolve()) for name in ("notify.yaml", "routes/promo.yaml")],
        "providers": ["main", "post"],
        "routes": ["promo", "default"],
    }


def test_two_plugins_with_one_type_are_told_without_a_traceback(folder: Path) -> None:
    """Then nobody knows what of a provider is secret, so nothing of it is shown."""
    known = plugins()
    known.register(_AlsoFake(), "also-fake")
    text = CONFIG.replace("version: 1", "version: 1\nbreker: {}")
    (folder / "notify.yaml").write_text(text.replace("{type: fake, sends:", "{type: fake, key:"))

    result = run(folder, "check", known=known)

    assert result.exit_code == 4
    assert "two plugins bring this provider type" in result.stderr


class _AlsoFake:
    """A second plugin that brings the type of the first."""

    @hookimpl
    def notify_provider_types(self) -> Sequence[ProviderType]:
        return cli_fakes.notify_provider_types()


# --- schema ---------------------------------------------------------------------------------


def test_schema_prints_a_schema_with_the_installed_types(folder: Path) -> None:
    result = run(folder, "schema")

    document = json.loads(result.stdout)
    Draft202012Validator.check_schema(document)
    assert result.exit_code == 0
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "askable" in document["$defs"]["provider-fake"]["properties"]
    assert "page" in document["$defs"]["channel"]["enum"]


def test_schema_is_written_where_an_editor_finds_it(folder: Path) -> None:
    result = run(folder, "schema", "--output", "notify.schema.json")

    assert result.stdout == "written to notify.schema.json\n"
    assert json.loads((folder / "notify.schema.json").read_text()) == json.loads(
        run(folder, "schema").stdout
    )


def test_schema_of_an_included_file_has_only_its_keys(folder: Path) -> None:
    document = json.loads(run(folder, "schema", "--included").stdout)

    assert document["properties"].keys() == {"providers", "routes", "tests"}


def test_schema_needs_no_configuration(tmp_path: Path) -> None:
    """But one that is named must be there."""
    looking, named = run(tmp_path, "schema"), run(tmp_path, "schema", "absent.yaml")

    assert looking.exit_code == 0
    assert named.exit_code == 4


PLUGIN = """\
import attrs
from notify_core import Capabilities, ProviderType, hookimpl

@attrs.frozen
class PigeonConfig:
    loft: str

@hookimpl
def notify_provider_types():
    abilities = lambda config: Capabilities(channels={"sms"})
    pigeon = ProviderType(
        name="pigeon", config_class=PigeonConfig, capabilities=abilities, factory=None
    )
    return [pigeon]
"""


def test_schema_has_the_types_of_plugins_that_the_file_names(folder: Path) -> None:
    """Whatever else is wrong with the file: it may be in the middle of being written."""
    (folder / "own_pigeon.py").write_text(PLUGIN)
    (folder / "notify.yaml").write_text("plugins: [own_pigeon]\nroutes: nothing yet\n")

    document = json.loads(run(folder, "schema").stdout)

    assert "loft" in document["$defs"]["provider-pigeon"]["properties"]


def test_a_schema_that_cannot_be_written_is_wrong_usage(folder: Path) -> None:
    result = run(folder, "schema", "--output", "nowhere/notify.schema.json")

    assert result.exit_code == 2
    assert "cannot be written: No such file or directory" in result.stderr


# --- show -----------------------------------------------------------------------------------


def test_show_prints_yaml_with_the_origin_of_each_value(folder: Path) -> None:
    lines = run(folder, "show").stdout.splitlines()

    assert "    type: fake                               # notify.yaml:3" in lines
    assert (
        "    sends: ${env:OUTCOME}                    "
        "# notify.yaml:3, environment variable OUTCOME" in lines
    )
    assert "  rounds: 3                                  # default" in lines
    assert "# default_region:                            # not set" in lines


def test_show_tells_values_as_json(folder: Path) -> None:
    shown = answer(run(folder, "show", "--json"))

    values = {each.pop("path"): each for each in shown["values"]}
    assert shown["file"] == "notify.yaml"
    assert shown["files"] == [str((folder / "notify.yaml").resolve())]
    assert values["providers.main.sends"] == {
        "value": "${env:OUTCOME}",
        "source": "file",
        "file": "notify.yaml",
        "line": 3,
        "references": ["env:OUTCOME"],
    }
    assert values["retry.rounds"] == {
        "value": 3,
        "source": "default",
        "file": None,
        "line": None,
        "references": [],
    }


def test_show_tells_from_which_file_a_route_is(several: Path) -> None:
    lines = run(several, "show").stdout.splitlines()

    assert "  - name: promo                              # routes/promo.yaml:4" in lines
    assert "  - name: default                            # notify.yaml:6" in lines


def test_a_configuration_with_a_mistake_is_not_shown(folder: Path) -> None:
    (folder / "notify.yaml").write_text(CONFIG.replace("via: main", "via: mian"))

    result = run(folder, "show")

    assert result.exit_code == 4
    assert result.stdout == ""
