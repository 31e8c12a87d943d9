"""What the documents say is what the code does.

Every Python block of a page is executed, in order, in one namespace and one empty folder, with
the plugins of this checkout installed and no network but loopback. Every YAML block is loaded.
Hidden comments before a block steer this:

    <!-- file: notify.yaml -->   write the block into the folder
    <!-- output -->              the block is what the Python block before it prints
    <!-- wrong -->               the block is refused, with the text of the block after it
    <!-- not run: reason -->     compile it only
    <!-- source: path -->        the block is the whole of that file
    <!-- run -->                 the lines after $ are commands, the others what they print
    <!-- run -->                 the lines after ``$`` are commands, with what they print
    <!-- setup … -->             Python to run before what follows
"""

from __future__ import annotations

import contextlib
import io
import re
import runpy
import shlex
import socket
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import distributions
from itertools import zip_longest
from pathlib import Path
from typing import Any

import attrs
import pytest
import yaml
from click.testing import CliRunner

import notify_core
from notify_console import ConsoleConfig
from notify_core import ConfigError, Plugins, errors, hookspecs
from notify_core.cli.app import make_app
from notify_core.cli.exits import Exit
from notify_core.config import model, sections
from notify_core.config.load import loads
from notify_core.message import MESSAGE_TYPES, Message
from notify_core.outcome import FailureScope, RefusalScope, State
from notify_smsc import codes, extras, inband
from notify_smsc.config import CallbackConfig, SmscConfig, SmtpConfig

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
REPLAYED = DOCS / "operators-tutorial.md"  # step by step, in a test of its own

_BLOCK = re.compile(
    r"(?P<comment>(?:<!--(?:(?!-->).)*-->\n+)*)```(?P<language>\w*)\n(?P<code>.*?)^```$",
    re.M | re.S,
)
_COMMENT = re.compile(r"<!-- (?P<word>[\w ]+?)(?::|\n| -->)(?P<rest>.*?)(?:-->|\Z)", re.S)
_LINK = re.compile(r"(?<!!)\[(?:[^\]\[]|\[[^\]]*\])*\]\((?P<target>[^)\s]+)\)")
_ID = re.compile(r"\b(?:[0-9a-f]{12}){1,2}\b")  # of ours, or the hash of a configuration
_TIME = re.compile(r"\b\d{4}-\d\d-\d\dT[\d:.]+(?:\+00:00)?")


@attrs.frozen
class Block:
    """A fenced block with the words of the comments before it."""

    language: str
    code: str
    line: int
    words: dict[str, str]


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found_blocks = list(_BLOCK.finditer(text))
    attached = sum(found["comment"].count("<!--") for found in found_blocks)
    assert attached == text.count("\n<!--"), f"{page}: a comment stands before no block"
    return [
        Block(
            language=found["language"],
            code=found["code"],
            line=text.count("\n", 0, found.start("code")) + 1,
            words={
                comment["word"]: comment["rest"].removesuffix(" ")
                for comment in re.finditer(_COMMENT, found["comment"])
            },
        )
        for found in found_blocks
    ]


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def mentions(name: str, word: str) -> bool:
    """Tell whether a page has ``word`` as code, alone or at the beginning of some code."""
    return bool(re.search(rf"(?<!`)`{re.escape(word)}\b", text_of(name)))


# --- the blocks -----------------------------------------------------------------------------


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that makes the plugins of this checkout look installed."""
    folder = tmp_path_factory.mktemp("site")
    for project in sorted((ROOT / "plugins").glob("*/pyproject.toml")):
        about = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
        points = about.get("entry-points", {}).get("notify.plugins", {})
        info = folder / f"{about['name'].replace('-', '_')}-0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {about['name']}\nVersion: 0\n"
        )
        lines = [f"{name} = {value}" for name, value in points.items()]
        (info / "entry_points.txt").write_text("\n".join(["[notify.plugins]", *lines, ""]))
    return folder


@pytest.fixture
def sandbox(installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return an empty folder to run in; only what listens on this machine can be reached."""
    before = set(sys.modules)
    folder = tmp_path / "sandbox"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(installed))
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(socket, "getaddrinfo", _loopback_only(socket.getaddrinfo))
    monkeypatch.setenv("SMSC_API_KEY", "not-a-key")
    with contextlib.chdir(folder):
        yield folder
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None)
        if file and Path(file).is_relative_to(folder):
            del sys.modules[name]


def _loopback_only(look_up: Any) -> Any:
    def checked(host: Any, *rest: Any, **more: Any) -> Any:
        assert host in ("127.0.0.1", "localhost", "::1"), f"the network is asked for {host}"
        return look_up(host, *rest, **more)

    return checked


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_python_block_runs(page: Path, sandbox: Path) -> None:
    """The blocks of a page run one after the other and print what the page says."""
    namespace: dict[str, Any] = {"__name__": "__page__"}
    printed = ""
    with contextlib.ExitStack() as stack:
        namespace["stack"] = stack
        for block in blocks_of(page):
            if setup := block.words.get("setup"):
                exec(compile(setup, f"{page.name} (setup)", "exec"), namespace)
            if "output" in block.words:
                assert _shown(printed) == _shown(block.code), f"{page.name}:{block.line}"
            if "run" in block.words:
                seen = _session(block)
                assert _shown(seen) == _shown(block.code), f"{page.name}:{block.line}"
            _write(sandbox, block)
            if block.language == "python" and "file" not in block.words:
                printed = _run(page, block, namespace)


def _write(sandbox: Path, block: Block) -> None:
    if name := block.words.get("file"):
        path = sandbox / name.strip()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.code, encoding="utf-8")


def _run(page: Path, block: Block, namespace: dict[str, Any]) -> str:
    # The line numbers of an error are those of the page.
    code = compile("\n" * (block.line - 1) + block.code, str(page), "exec")
    if block.words.keys() & {"not run", "source"}:
        return ""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(code, namespace)
    return output.getvalue()


def _session(block: Block) -> str:
    """Run the commands of a block and return it with what they print."""
    lines = []
    exit_code = 0
    for command in re.findall(r"^\$ (.+)$", block.code, re.M):
        lines.append(f"$ {command}\n")
        if command == "echo $?":
            lines.append(f"{exit_code}\n")
            continue
        program, *arguments = shlex.split(command)
        assert program == "notify"
        result = CliRunner().invoke(make_app(Plugins.discover()), arguments, prog_name=program)
        exit_code = result.exit_code
        lines.append(result.output)
    return "".join(lines)


def _shown(text: str) -> str:
    """Return a text without what differs from run to run."""
    lines = "\n".join(line.rstrip() for line in text.strip().splitlines())
    return _TIME.sub("…", _ID.sub("…", lines))


@pytest.mark.parametrize("page", [each for each in PAGES if each != REPLAYED], ids=name_of)
def test_every_configuration_loads(page: Path, installed: Path, sandbox: Path) -> None:
    """A YAML block is a whole configuration, or a part of one; one marked as wrong is refused."""
    blocks = blocks_of(page)
    for block in blocks:
        _write(sandbox, block)
    for block, following in zip_longest(blocks, blocks[1:]):
        if block.language != "yaml":
            continue
        if "wrong" in block.words:
            assert following is not None
            with pytest.raises(ConfigError) as caught:
                _load(block.code, installed, sandbox)
            assert str(caught.value).strip() == following.code.strip(), f"{page}:{block.line}"
        else:
            _load(_whole(block.code), installed, sandbox)


_WEBHOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def _load(text: str, installed: Path, sandbox: Path) -> model.Config:
    for path in set(re.findall(r"\$\{file:(/[^}]+)\}", text)):
        (sandbox / Path(path).name).write_text("not-a-secret\n")
        text = text.replace(path, str(sandbox / Path(path).name))
    variables = dict.fromkeys(re.findall(r"\$\{env:([^}]+)\}", text), "not-a-secret")
    variables |= {name: _WEBHOOK_SECRET for name in variables if "WEBHOOK" in name}
    return loads(text, "notify.yaml", _plugins(installed), variables, sandbox)


def _plugins(installed: Path) -> Plugins:
    plugins = Plugins.from_entry_points(
        point for each in distributions(path=[str(installed)]) for point in each.entry_points
    )
    assert not plugins.failures
    return plugins


def _whole(text: str) -> str:
    """Complete a part of a configuration, so that it can be loaded."""
    part = yaml.safe_load(text)
    if isinstance(part, list):
        text = "routes:\n" + re.sub("^", "  ", text, flags=re.M)
        part = {"routes": part}
    if "version" not in part:
        text = "version: 1\n" + text
    if "journal" not in part and any("quiet" in route for route in part.get("routes", ())):
        text = "journal: sqlite:///notify.db\n" + text
    if "providers" not in part:
        names = ("smsc", "smsc-by-mail", "backup")
        text += "\nproviders: {" + ", ".join(f"{name}: {{type: console}}" for name in names) + "}\n"
    if "routes" not in part:
        first = next(iter(part.get("providers", {"smsc": None})))
        text += f"\nroutes: [{{name: default, send: {{via: {first}}}}}]\n"
    elif "when" in part["routes"][-1]:
        text = text.replace("\nproviders:", "\n  - {name: rest, send: {via: smsc}}\n\nproviders:")
    return text


@pytest.mark.parametrize(
    ("page", "block"),
    [
        pytest.param(page, block, id=f"{name_of(page)}:{block.line}")
        for page in PAGES
        for block in blocks_of(page)
        if "source" in block.words
    ],
)
def test_a_quoted_source_is_the_source(page: Path, block: Block) -> None:
    """A file that a page quotes is quoted whole and as it is."""
    path = (page.parent / block.words["source"].strip()).resolve()

    assert block.code == path.read_text(encoding="utf-8")


# --- links ----------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    """The file is there, and in it the heading."""
    prose = _BLOCK.sub("", page.read_text(encoding="utf-8"))
    for link in _LINK.finditer(prose):
        target, _, anchor = link["target"].partition("#")
        if "://" in target:
            continue
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), link[0]
        if anchor and file.suffix == ".md":
            assert anchor in _anchors(file), link[0]


def _anchors(page: Path) -> set[str]:
    prose = _BLOCK.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", prose, re.M)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


_TEST_LINK = re.compile(r"\[`(?P<name>test_\w+)`\]\((?P<file>[^)]+\.py)\)")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_test_that_is_named_exists(page: Path) -> None:
    """A promise names the test that would fail without it."""
    for link in _TEST_LINK.finditer(page.read_text(encoding="utf-8")):
        source = (page.parent / link["file"]).resolve().read_text(encoding="utf-8")
        assert f"def {link['name']}(" in source, link["name"]


def test_every_page_can_be_reached_from_the_readme() -> None:
    """A page that nothing leads to is not read."""
    reached: set[Path] = set()
    todo = [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page not in reached:
            reached.add(page)
            links = _LINK.findall(_BLOCK.sub("", page.read_text(encoding="utf-8")))
            files = ((page.parent / link.partition("#")[0]).resolve() for link in links)
            todo += [file for file in files if file.suffix == ".md" and file.is_file()]

    assert set(PAGES) <= reached


# --- nothing is left out --------------------------------------------------------------------


HOOKS = runpy.run_path(str(DOCS / "generate_hooks.py"))


def test_the_page_of_hooks_is_the_docstrings() -> None:
    """``python docs/generate_hooks.py`` has been run."""
    assert text_of("docs/hooks.md") == HOOKS["page"]() + "\n"


@pytest.mark.parametrize("hook", HOOKS["hook_names"]())
def test_every_hook_is_documented_and_tested(hook: str) -> None:
    """A hook has its heading in the page, and a test or an example that is run."""
    tests = [
        *ROOT.glob("tests/**/*.py"),
        *ROOT.glob("plugins/*/tests/**/*.py"),
        DOCS / "writing-a-provider.md",
    ]

    assert hasattr(hookspecs, hook)
    assert f"### {hook}\n" in text_of("docs/hooks.md")
    assert any(re.search(rf"\b{hook}\b", test.read_text(encoding="utf-8")) for test in tests)


_NOT_KEYS = {"legs", "mode", "settings", "weights", "files"}
"""Attributes that stand for several keys (``send`` with its forms, the settings, ``spread``), or
for none: the files that were read."""

_FURTHER_KEYS = ("when", "send", "first_of", "all_of", "spread", "type")


@pytest.mark.parametrize(
    "key",
    sorted(
        {
            field.name.removesuffix("_")
            for cls in (*vars(model).values(), *vars(sections).values())
            if attrs.has(cls) and cls.__module__ in (model.__name__, sections.__name__)
            for field in attrs.fields(cls)
        }
        - _NOT_KEYS
        | {*_FURTHER_KEYS}
    ),
)
def test_every_key_of_the_configuration_is_documented(key: str) -> None:
    """Also the keys that only the loader knows."""
    assert mentions("docs/routing.md", key)


def settings_of_the_plugins() -> list[tuple[str, str]]:
    smsc = [each.name for each in attrs.fields(SmscConfig)]
    smtp = [f"smtp.{each.name}" for each in attrs.fields(SmtpConfig)]
    callback = [f"callback.{each.name}" for each in attrs.fields(CallbackConfig)]
    return [
        *(("docs/providers/smsc.md", name) for name in (*smsc, *smtp, *callback)),
        *(("docs/providers/console.md", each.name) for each in attrs.fields(ConsoleConfig)),
    ]


@pytest.mark.parametrize(("page", "key"), settings_of_the_plugins())
def test_every_setting_of_a_provider_is_documented(page: str, key: str) -> None:
    """The page of a provider has each key of its configuration class."""
    assert mentions(page, key)


def _error_classes() -> list[str]:
    return sorted(
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, Exception)
    )


@pytest.mark.parametrize("name", _error_classes())
def test_every_error_is_documented(name: str) -> None:
    """Each class of the tree has a heading with its cause and fix."""
    assert f"## {name}\n" in text_of("docs/errors.md")


@pytest.mark.parametrize("kind", MESSAGE_TYPES)
def test_every_message_type_is_documented_with_its_fields(kind: type[Message]) -> None:
    """A row with the class and the channel, and each field that the type adds."""
    page = "docs/messages.md"
    own = {each.name for each in attrs.fields(kind)}

    assert mentions(page, kind.__name__)
    assert mentions(page, kind.channel)
    for name in own:
        assert mentions(page, name), name


@pytest.mark.parametrize("word", [each.value for each in (*State, *RefusalScope, *FailureScope)])
def test_every_state_and_scope_is_explained(word: str) -> None:
    """The words of the vocabulary stand in one place."""
    assert mentions("docs/concepts.md", word)


@pytest.mark.parametrize(
    "command",
    [
        "config check",
        "config lint",
        "config plan",
        "config schema",
        "config show",
        "config test",
        *sorted(make_app(Plugins()).commands),
    ],
)
def test_every_command_is_documented(command: str) -> None:
    """Each command of the core has a row, and a section with an example."""
    page = text_of("docs/cli.md")

    assert mentions("docs/cli.md", command)
    assert re.search(rf"^## {command}", page, re.M)
    assert f"$ notify {command}" in page


@pytest.mark.parametrize("code", Exit)
def test_every_exit_code_is_documented(code: Exit) -> None:
    """A script can look up what it got."""
    assert f"| {code.value} | " in text_of("docs/cli.md")


def test_every_option_is_documented() -> None:
    """The options of ``send``, which those of ``cost`` and ``explain`` equal, and the others."""
    options = {
        option
        for command in make_app(Plugins()).commands.values()
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("--")
    }

    assert [each for each in sorted(options) if f"`{each}" not in text_of("docs/cli.md")] == []


def test_every_key_of_the_json_is_documented() -> None:
    """Scripts rely on them."""
    files = ("shapes.py", "explain_shapes.py", "route_test_shapes.py", "change_shapes.py")
    source = "".join(text_of(f"notify_core/cli/{file}") for file in files)
    keys = set(re.findall(r'[{ ]"(\w+)": ', source))

    assert [key for key in sorted(keys) if not mentions("docs/cli.md", key)] == []


@pytest.mark.parametrize(
    "number", [*(str(each) for each in (*codes.SEND_ERRORS, 9)), *map(str, codes.STATUSES)]
)
def test_every_number_of_the_gateway_is_documented(number: str) -> None:
    """Errors of a send and statuses; delivery errors are a link."""
    assert f"\n| {number} | " in text_of("docs/providers/smsc.md")


@pytest.mark.parametrize(
    "name", [*extras.EXTRAS, *inband.COMMANDS, extras.ALLOW, inband.CODE, inband.NO_SUBJECT]
)
def test_every_extra_of_the_gateway_is_documented(name: str) -> None:
    """Further parameters, and the commands that a text may be allowed to hold."""
    assert mentions("docs/providers/smsc.md", name)


@pytest.mark.parametrize("name", notify_core.__all__)
def test_every_public_name_is_mentioned(name: str) -> None:
    """What is exported is documented."""
    assert any(re.search(rf"\b{name}\b", page.read_text(encoding="utf-8")) for page in PAGES)
