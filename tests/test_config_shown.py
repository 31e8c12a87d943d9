"""What is in effect is shown with its origin, can be read again, and holds no secret."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from notify_core.cli.config_yaml import yaml_lines
from notify_core.config.load import load, read
from notify_core.config.model import Config
from notify_core.config.shown import Setting, flat, shown, shown_tree
from notify_core.config.source import compose
from notify_core.config.structure import structure
from notify_core.secret import Secret
from tests.test_config_example import ENVIRON as EXAMPLE_ENVIRON
from tests.test_config_example import EXAMPLE
from tests.test_config_includes import MAIN, PROMO, written
from tests.test_config_load import CANARY, ENVIRON, GOOD, HOOK, JOURNALLED, MINIMAL, two_types

WITH_SECRETS_OF_THEIR_OWN = {"text-that-looks-like-something-else", "references", "ways-back"}
"""What is masked there cannot be read again."""


def settings_of(folder: Path, text: str) -> dict[str, Setting]:
    """Return the settings of a file by path; the file is called notify.yaml in them."""
    path = written(folder, {"notify.yaml": text})
    loaded = read(path, two_types(), ENVIRON)
    return {
        place: setting
        if setting.file is None
        else Setting(
            value=setting.value,
            file=Path(setting.file).name,
            line=setting.line,
            references=setting.references,
        )
        for place, setting in flat(shown(loaded.config, loaded.root))
    }


def as_yaml(path: Path) -> str:
    loaded = read(path, two_types(), ENVIRON)
    return "\n".join(yaml_lines(shown(loaded.config, loaded.root)))


def again(folder: Path, path: Path) -> Config:
    """Read what is shown of a file."""
    return load(written(folder, {"notify.yaml": as_yaml(path)}), two_types(), ENVIRON)


def test_a_value_of_the_file_has_its_line(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, f"retry: {{rounds: 5}}\n{MINIMAL}")

    assert settings["retry.rounds"] == Setting(value=5, file="notify.yaml", line=1)
    assert settings["providers.main.type"] == Setting(value="letters", file="notify.yaml", line=4)
    assert settings["routes[0].send.via"] == Setting(value="main", file="notify.yaml", line=7)


def test_what_is_not_written_is_a_default(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, f"retry: {{rounds: 5}}\n{MINIMAL}")

    assert settings["retry.longest"] == Setting(value="30s")
    assert settings["default_region"] == Setting(value=None)
    assert settings["routes[0].when"] == Setting(value={})
    assert settings["routes[0].send.until"] == Setting(value="accepted")


def test_a_merged_value_has_the_line_where_it_is_written(tmp_path: Path) -> None:
    text = (Path(GOOD[0].parent) / "anchors-and-merges.yaml").read_text(encoding="utf-8")

    settings = settings_of(tmp_path, text)

    assert (settings["providers.backup.login"].line, settings["providers.backup.port"].line) == (
        6,
        10,
    )


def test_an_included_value_has_the_file_where_it_is_written(tmp_path: Path) -> None:
    path = written(tmp_path, {"notify.yaml": MAIN, "routes/b.yaml": PROMO})
    loaded = read(path, two_types(), {})

    origins = {
        place: (Path(setting.file or "").name, setting.line)
        for place, setting in flat(shown(loaded.config, loaded.root))
    }

    assert origins["routes[0].name"] == ("b.yaml", 4)
    assert origins["routes[1].name"] == ("notify.yaml", 6)
    assert origins["providers.post.type"] == ("b.yaml", 2)


def test_a_reference_is_shown_by_its_name(tmp_path: Path) -> None:
    text = MINIMAL.replace("letters", "gateway, key: '${env:KEY}', port: '${env:PORT}'")

    settings = settings_of(tmp_path, text)

    assert settings["providers.main.key"] == Setting(
        value="${env:KEY}", file="notify.yaml", line=3, references=("env:KEY",)
    )
    assert settings["providers.main.port"].value == "${env:PORT}"
    assert settings["providers.main.port"].references == ("env:PORT",)


@pytest.mark.parametrize(
    ("written_as", "value"),
    [
        ("sesame", "********"),
        ("'x${env:KEY}'", "********"),
        ("'${env:KEY}${env:PORT}'", "${env:KEY}${env:PORT}"),
    ],
)
def test_a_secret_is_masked_unless_it_is_nothing_but_references(
    written_as: str, value: str, tmp_path: Path
) -> None:
    settings = settings_of(tmp_path, MINIMAL.replace("letters", f"gateway, key: {written_as}"))

    assert settings["providers.main.key"].value == value


@pytest.mark.parametrize(
    ("address", "value"),
    [
        ("sqlite:///notify.db", "sqlite:///notify.db"),
        ("memory", "memory"),
        ("postgresql://notify@db/notify", "postgresql://notify@db/notify"),
        ("postgresql://db:5432/notify", "postgresql://db:5432/notify"),
        ("postgresql://notify:${env:KEY}@db/notify", "postgresql://notify:${env:KEY}@db/notify"),
        ("postgresql://notify:sesame@db/notify", "********"),
        ("postgresql://notify:sesame/@db/notify", "********"),
        ("postgresql://notify:se@same@db/notify", "********"),
        ("postgresql://db/notify?password=sesame", "********"),
        ("postgresql://notify:sesame", "********"),
    ],
)
def test_the_address_of_a_journal_is_shown_without_a_password(
    address: str, value: str, tmp_path: Path
) -> None:
    alone = settings_of(tmp_path, f"journal: '{address}'\n{MINIMAL}")
    mapping = settings_of(tmp_path, f"journal: {{url: '{address}'}}\n{MINIMAL}")

    assert alone["journal.url"].value == mapping["journal.url"].value == value


@pytest.mark.parametrize(
    ("url", "value"),
    [
        ("https://example.org", "https://example.org"),
        ("https://example.org/a/sesame", "https://example.org/********"),
        ("https://example.org?key=sesame", "https://example.org/********"),
    ],
)
def test_of_a_webhook_only_the_host_is_shown(url: str, value: str, tmp_path: Path) -> None:
    """What stands behind it may be what lets a caller in."""
    text = f"webhooks: {{url: '{url}', secrets: '${{env:HOOK}}'}}\n{JOURNALLED}"

    settings = settings_of(tmp_path, text)

    assert settings["webhooks[0].url"].value == value
    assert settings["webhooks[0].secrets"].value == ["${env:HOOK}"]


def test_what_needs_a_journal_is_shown_only_with_one(tmp_path: Path) -> None:
    without = settings_of(tmp_path, MINIMAL)
    with_one = settings_of(tmp_path, JOURNALLED)

    assert "callbacks.listen" not in without
    assert with_one["callbacks.listen"] == Setting(value="127.0.0.1:8480")


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_no_secret_is_shown(path: Path) -> None:
    text = as_yaml(path)

    assert CANARY not in text
    assert HOOK not in text
    assert "0123" not in text


@pytest.mark.parametrize(
    "path",
    [path for path in GOOD if path.stem not in WITH_SECRETS_OF_THEIR_OWN],
    ids=lambda path: path.stem,
)
def test_what_is_shown_can_be_read_again(path: Path, tmp_path: Path) -> None:
    """And means the same, beside what it includes: that is part of what is shown."""
    copy = tmp_path / "notify.yaml"
    copy.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")

    assert again(tmp_path, copy) == load(copy, two_types(), ENVIRON)


def test_what_several_files_say_is_shown_as_one(tmp_path: Path) -> None:
    path = written(tmp_path, {"notify.yaml": MAIN, "routes/b.yaml": PROMO})
    config = load(path, two_types(), ENVIRON)

    assert again(tmp_path / "one", path).routes == config.routes


def test_the_example_says_of_itself_that_it_shows_defaults() -> None:
    """Each value of the example has a line there; its comments name the examples."""
    plugins = two_types()
    plugins.load("notify_smsc.plugin")
    plugins.load("notify_console")
    loaded = read(EXAMPLE, plugins, EXAMPLE_ENVIRON)

    lines = yaml_lines(shown(loaded.config, loaded.root))

    assert any(
        line.startswith("    api_key: ${env:SMSC_API_KEY} ")
        and line.endswith(", environment variable SMSC_API_KEY")
        for line in lines
    )
    assert "    # ca_file:                               # not set" in lines


@attrs.frozen
class Changing:
    """A class that keeps something else than what is written."""

    hosts: tuple[str, ...] = attrs.field(converter=lambda hosts: (*hosts, "and.example.org"))
    keys: tuple[Secret, ...] = attrs.field(converter=lambda keys: keys[:1])
    kinds: tuple[str, ...] = attrs.field(converter=frozenset)


def test_what_a_class_makes_of_a_list_is_shown_as_it_is_in_effect() -> None:
    node = compose("{hosts: [a], keys: ['${env:A}', sesame], kinds: [b, a]}", "a.yaml")
    value = structure(node, Changing)

    settings = dict(flat(shown_tree(value, node)))

    assert settings["hosts"].value == ["a", "and.example.org"]
    assert settings["keys"].value == ["********"]
    assert settings["kinds"].value == ["a", "b"]


def test_text_of_any_kind_is_shown_on_one_line(tmp_path: Path) -> None:
    text = MINIMAL.replace(
        "{type: letters}", '{type: gateway, key: k, login: "a: #b\\n\\u0007", headers: {on: "1"}}'
    )
    path = written(tmp_path, {"notify.yaml": text})
    lines = as_yaml(path).splitlines()

    assert any(line.startswith('    login: "a: #b\\n\\a"  ') for line in lines)
    assert any(line.startswith("      on: '1'  ") for line in lines)
