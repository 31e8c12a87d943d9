"""``include``: further files with providers and routes, each mistake told where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from notify_core.config.load import load, loads, read
from notify_core.config.model import Config
from notify_core.errors import ConfigError
from tests.test_config_load import MINIMAL, two_types

MAIN = """\
version: 1
include: [routes/*.yaml]
providers:
  main: {type: letters}
routes:
  - name: default
    send: {via: main}
"""
PROMO = """\
providers:
  post: {type: letters}
routes:
  - name: promo
    when: {tags: promo}
    send: {via: [post, main]}
"""
ALARM = "routes: [{name: alarm, when: {priority: critical}, send: {via: post}}]\n"


def written(folder: Path, files: Mapping[str, str]) -> Path:
    """Write files, and return the path of the including one."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text, encoding="utf-8")
    return folder / "notify.yaml"


def config_of(folder: Path, files: Mapping[str, str]) -> Config:
    return load(written(folder, files), two_types(), {})


def told(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Return the problems, with file names as if the command ran in the folder."""
    with pytest.raises(ConfigError) as caught:
        config_of(folder, files)
    return str(caught.value).replace(f"{folder}/", "").splitlines()


def test_included_routes_stand_before_those_of_the_including_file(tmp_path: Path) -> None:
    """In the order of the includes, and of one pattern by name."""
    files = {"notify.yaml": MAIN, "routes/b.yaml": PROMO, "routes/a.yaml": ALARM}

    config = config_of(tmp_path, files)

    assert [route.name for route in config.routes] == ["alarm", "promo", "default"]
    assert [provider.name for provider in config.providers] == ["main", "post"]
    assert config.include == ("routes/*.yaml",)


def test_a_file_that_two_patterns_match_is_read_once_at_the_first(tmp_path: Path) -> None:
    main = MAIN.replace("[routes/*.yaml]", "[routes/b.yaml, 'routes/*.yaml']")
    files = {"notify.yaml": main, "routes/b.yaml": PROMO, "routes/a.yaml": ALARM}

    config = config_of(tmp_path, files)

    assert [route.name for route in config.routes] == ["promo", "alarm", "default"]


def test_a_file_can_lie_anywhere(tmp_path: Path) -> None:
    """Also outside the folder of the including file, by a whole path too."""
    (tmp_path / "b.yaml").write_text(PROMO, encoding="utf-8")
    (tmp_path / "a.yaml").write_text(ALARM, encoding="utf-8")
    main = MAIN.replace("[routes/*.yaml]", f"[../b.yaml, {tmp_path}/a.yaml]")

    config = config_of(tmp_path / "conf", {"notify.yaml": main})

    assert [route.name for route in config.routes] == ["promo", "alarm", "default"]


def test_the_including_file_need_not_have_routes_or_providers(tmp_path: Path) -> None:
    routes = MINIMAL.partition("\n")[2]

    config = config_of(
        tmp_path, {"notify.yaml": "version: 1\ninclude: all.yaml\n", "all.yaml": routes}
    )

    assert [route.name for route in config.routes] == ["default"]


def test_a_configuration_knows_the_files_it_was_read_from(tmp_path: Path) -> None:
    """Somebody may want to see them change. What is read from others is equal all the same."""
    files = {"notify.yaml": MAIN, "routes/b.yaml": PROMO, "routes/a.yaml": ALARM}

    config = config_of(tmp_path, files)

    folder = tmp_path.resolve()
    assert config.files == tuple(
        folder / name for name in ("notify.yaml", "routes/a.yaml", "routes/b.yaml")
    )
    assert loads(MINIMAL, "a.yaml", two_types(), {}) == config_of(
        tmp_path / "other", {"notify.yaml": MINIMAL}
    )


def test_what_was_read_keeps_the_file_in_which_it_stands(tmp_path: Path) -> None:
    path = written(tmp_path, {"notify.yaml": MAIN, "routes/b.yaml": PROMO})

    routes = read(path, two_types(), {}).root.entries()["routes"].value.items()

    assert [(Path(route.file).name, route.line, route.path) for route in routes] == [
        ("b.yaml", 4, "routes[0]"),
        ("notify.yaml", 6, "routes[0]"),
    ]


def test_every_mistake_is_told_with_its_own_file_and_line(tmp_path: Path) -> None:
    """Those of the including file first, then those of the included ones in their order."""
    files = {
        "notify.yaml": MAIN.replace("via: main", "via: mian"),
        "routes/b.yaml": PROMO.replace("tags", "tag"),
        "routes/a.yaml": ALARM.replace("critical", "criticl"),
    }

    assert told(tmp_path, files) == [
        'notify.yaml:7:17: routes[0].send.via: "mian" is not a provider of this file; '
        'did you mean "main"? known: main, post',
        'routes/a.yaml:1:41: routes[0].when.priority: "criticl" is not a priority; '
        'did you mean "critical"? known: critical, high, low, normal',
        'routes/b.yaml:5:12: routes[0].when.tag: "tag" is not a key here; did you mean "tags"? '
        "known: channel, country, number_prefix, priority, recipient_domain, sender, tags",
    ]


def test_a_name_that_two_files_give_is_told_with_both_places(tmp_path: Path) -> None:
    again = PROMO.replace("post: {", "main: {").replace("[post, main]", "main")
    files = {
        "notify.yaml": MAIN.replace("default", "promo"),
        "routes/a.yaml": again,
        "routes/b.yaml": PROMO.replace("name: promo", "name: news"),
    }

    assert told(tmp_path, files) == [
        'notify.yaml:6:11: routes[0].name: "promo" is given twice, first in routes/a.yaml:4',
        'routes/a.yaml:2:3: providers.main: "main" is given twice, first in notify.yaml:4',
    ]


def test_a_route_that_an_included_one_hides_is_told_with_both_files(tmp_path: Path) -> None:
    files = {"notify.yaml": MAIN, "routes/a.yaml": "routes: [{name: all, send: {via: main}}]\n"}

    assert told(tmp_path, files) == [
        "notify.yaml:6:5: routes[0]: can never match: routes[0] of routes/a.yaml before it "
        "matches everything"
    ]


@pytest.mark.parametrize(
    ("include", "problem"),
    [
        (
            "nowhere/*.yaml",
            'notify.yaml:2:10: include: "nowhere/*.yaml" matches no file; it is looked for from '
            "the folder of the including file on",
        ),
        (
            "[routes/*.yaml, absent.yaml]",
            'notify.yaml:2:26: include[1]: "absent.yaml" matches no file; it is looked for from '
            "the folder of the including file on",
        ),
        (
            "routes",
            'notify.yaml:2:10: include: "routes" matches no file; write routes/*.yaml for those '
            "in a folder",
        ),
        (
            "'*.yaml'",
            'notify.yaml:2:10: include: "*.yaml" matches the including file itself; put the '
            "others into a folder of their own",
        ),
        (
            "https://example.org/routes.yaml",
            'notify.yaml:2:10: include: "https://example.org/routes.yaml" is an address; only '
            "files can be included",
        ),
        (
            '"x\\0/*"',
            'notify.yaml:2:10: include: "x\\u0000/*" holds a character that no name of a file can '
            "hold",
        ),
        (
            "{routes: x}",
            "notify.yaml:2:10: include: a mapping stands here; expected the name of a file, or a "
            "pattern like routes/*.yaml",
        ),
        (
            "null",
            "notify.yaml:2:10: include: nothing stands here; expected the name of a file, or a "
            "pattern like routes/*.yaml",
        ),
    ],
)
def test_a_pattern_that_names_no_file_is_refused(
    include: str, problem: str, tmp_path: Path
) -> None:
    """What would be missing then is not told as a mistake too."""
    main = MAIN.replace("[routes/*.yaml]", include)
    files = {"notify.yaml": main.replace("via: main", "via: post"), "routes/b.yaml": PROMO}

    assert told(tmp_path, files) == [problem]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("include: x.yaml\n", "1:1: include: an included file includes no other; name that one in"),
        (
            "version: 1\n",
            '1:1: version: "version" stands only in notify.yaml; an included file has: '
            "providers, routes, tests",
        ),
        (
            "route: []\n",
            '1:1: route: "route" is not a key of an included file; did you mean "routes"? '
            "known: providers, routes, tests",
        ),
        ("", " is empty; begin it with routes:"),
        ("- name: x\n", "1:1: a list stands here; expected a mapping (key: value)"),
        ("routes: {name: x}\n", "1:9: routes: a mapping stands here; expected a list; begin each"),
        ("providers: [x]\n", "1:12: providers: a list stands here; expected a mapping"),
        ("a: 1\na: 2\n", '2:1: a: "a" is given twice, first in line 1'),
        ("routes: ]", "1:9: not YAML: "),
    ],
)
def test_what_does_not_belong_into_an_included_file_is_refused(
    text: str, problem: str, tmp_path: Path
) -> None:
    messages = told(tmp_path, {"notify.yaml": MAIN, "routes/a.yaml": text})

    assert any(message.startswith(f"routes/a.yaml:{problem}") for message in messages)


def test_a_section_of_the_including_file_of_a_wrong_kind_is_told_as_ever(tmp_path: Path) -> None:
    files = {"notify.yaml": "version: 1\ninclude: a.yaml\nroutes: x\n", "a.yaml": PROMO}

    assert told(tmp_path, files) == [
        "notify.yaml:3:9: routes: a single value stands here; expected a list; begin each with "
        "- name:"
    ]


def test_a_text_that_lies_nowhere_includes_nothing() -> None:
    with pytest.raises(ConfigError) as caught:
        loads(MAIN, "notify.yaml", two_types(), {})

    assert "this text lies in no folder" in str(caught.value)


def test_an_anchor_belongs_to_its_file(tmp_path: Path) -> None:
    main = MAIN.replace("main: {", "main: &main {")
    part = "providers: {other: *main}\n"

    (message,) = told(tmp_path, {"notify.yaml": main, "routes/a.yaml": part})

    assert message.startswith("routes/a.yaml:1:20: not YAML: ")
