"""Problems of a configuration with the lines in which they stand, and a caret under the place."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click
from rich.cells import cell_len

from notify_core.cli.exits import Exit
from notify_core.cli.output import printable
from notify_core.config.excerpts import Excerpt, excerpt
from notify_core.config.source import read_text
from notify_core.errors import ConfigError, PluginError, Problem
from notify_core.plugins import Plugins
from notify_core.provider import ProviderType

_WIDEST = 96
_CUT = "…"


@contextlib.contextmanager
def showing_lines(context: click.Context, *, as_json: bool) -> Iterator[None]:
    """End a command about a configuration with what is wrong in it, and with the lines of that.

    As JSON it is the error that all commands have.
    """
    try:
        yield
    except ConfigError as error:
        if as_json:
            raise
        print_problems(error.problems, context.obj)
        context.exit(Exit.CONFIG)


def print_problems(problems: Sequence[Problem], plugins: Plugins) -> None:
    """Say on standard error what is wrong, each problem with its line."""
    types = _types(plugins)
    texts: dict[str, str | None] = {}
    for problem in problems:
        click.echo(f"error: {printable(str(problem))}", err=True)
        if problem.file not in texts:
            texts[problem.file] = _text_of(problem)
        for row in _rows(problem, texts[problem.file], types):
            click.echo(row, err=True)


def _types(plugins: Plugins) -> Mapping[str, ProviderType]:
    # Two plugins with one type are a problem that is told; then what is secret is not known.
    with contextlib.suppress(PluginError):
        return plugins.provider_types()
    return {}


def _text_of(problem: Problem) -> str | None:
    # A problem of no file stands in no line; a file may be gone or spoilt by now.
    with contextlib.suppress(ConfigError):
        return read_text(Path(problem.file), problem.file) if problem.line else None
    return None


def _rows(problem: Problem, text: str | None, types: Mapping[str, ProviderType]) -> Iterator[str]:
    found = excerpt(problem, text, types) if text is not None else None
    if found is None:
        return
    shown = _cut(found)
    number = str(problem.line)
    before = " " * cell_len(printable(shown.text[: shown.column]))
    yield f"  {number} | {printable(shown.text)}".rstrip()
    yield f"  {' ' * len(number)} | {before}^"


def _cut(found: Excerpt) -> Excerpt:
    """Return as much of a long line as fits, with the place in it."""
    if len(found.text) <= _WIDEST:
        return found
    start = max(0, min(found.column - _WIDEST // 2, len(found.text) - _WIDEST))
    end = start + _WIDEST
    left, right = _CUT if start else "", _CUT if end < len(found.text) else ""
    text = f"{left}{found.text[start:end]}{right}"
    return Excerpt(text, found.column - start + len(left))
