"""Where answers and errors go: one answer on standard output, errors in words on the other."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence

import click
from rich.console import Console, RenderableType

from notify_core.cli.shapes import Shape, notify_error_shape
from notify_core.errors import NotifyError

# A pipe has no width; wide enough that a row stays on one line.
_PIPE_WIDTH = 240


def answer(
    shape: Shape, as_tables: Callable[[Shape], Sequence[RenderableType]], *, as_json: bool
) -> None:
    """Print the answer of a command, as JSON or as the tables that are made of it."""
    if as_json:
        print_json(shape)
    else:
        print_tables(as_tables(shape))


def print_json(shape: Shape) -> None:
    """Print one JSON document. Plain ASCII, so that no terminal or locale can spoil it."""
    _write(json.dumps(shape, indent=2))


def print_tables(renderables: Sequence[RenderableType]) -> None:
    """Print what ``tables`` made; colours only on a terminal."""
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    width = None if is_terminal else _PIPE_WIDTH
    made = io.StringIO()
    console = Console(
        file=made,
        force_terminal=is_terminal,
        width=width,
        highlight=False,
        markup=False,
        emoji=False,
    )
    for renderable in renderables:
        console.print(renderable)
    _write("\n".join(row.rstrip() for row in made.getvalue().splitlines()))


def _write(text: str) -> None:
    try:
        click.echo(text)
    except OSError as error:
        # Nobody reads the answer, or it cannot be written; the exit code must still say what
        # became of the message. What is left in the buffer goes nowhere when Python ends.
        if not isinstance(error, BrokenPipeError):
            click.echo(f"error: the answer cannot be written: {error.strerror}", err=True)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_error(error: NotifyError, *, as_json: bool) -> None:
    """Say on standard error what is wrong, one line per problem; with JSON also as the answer."""
    for line in str(error).splitlines():
        click.echo(f"error: {printable(line)}", err=True)
    if as_json:
        print_json(notify_error_shape(error))


@contextlib.contextmanager
def only_answer_on_stdout(as_json: bool) -> Iterator[None]:
    """Send what providers print elsewhere while the answer must be JSON and nothing else."""
    if not as_json:
        yield
        return
    with contextlib.redirect_stdout(sys.stderr):
        yield


def printable(text: str) -> str:
    """Return a text without control characters, which could drive the terminal."""
    return "".join(character if character.isprintable() else " " for character in text)
