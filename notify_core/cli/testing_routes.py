"""``notify config test``: do the routes what their tests say, and what do the tests leave out?"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator
from pathlib import Path

import click

from notify_core.cli.excerpts import showing_lines
from notify_core.cli.exits import Exit
from notify_core.cli.forgetting import forgetful
from notify_core.cli.options import DEFAULT_CONFIG, json_option
from notify_core.cli.output import answer, only_answer_on_stdout
from notify_core.cli.route_test_shapes import Tested, tested_shape, tested_tables
from notify_core.notifier import Notifier
from notify_core.route_tests.coverage import coverage
from notify_core.route_tests.junit import junit
from notify_core.route_tests.model import Suite
from notify_core.route_tests.reading import read_suite
from notify_core.route_tests.running import AskPrice, run_all


def _a_number(_: click.Context, __: click.Parameter, share: float | None) -> float | None:
    """Refuse what is no number and passes every range: no coverage would ever be too low."""
    if share is not None and math.isnan(share):
        raise click.BadParameter("nan is not a number")
    return share


@click.command("test")
@click.argument(
    "file", type=click.Path(path_type=Path), default=DEFAULT_CONFIG, envvar="NOTIFY_CONFIG"
)
@click.option(
    "--fail-under",
    type=click.FloatRange(0, 100),
    callback=_a_number,
    metavar="PERCENT",
    help="Fail if less of the routes is covered.",
)
@click.option("--junit", "junit_path", type=click.Path(path_type=Path), help="Write JUnit XML.")
@click.option("--price", is_flag=True, help="Ask the providers, for tests that bound the cost.")
@json_option
@click.pass_context
def test(
    context: click.Context,
    /,
    file: Path,
    fail_under: float | None,
    junit_path: Path | None,
    price: bool,
    as_json: bool,
) -> None:
    """Run the tests of the routes.

    They stand in FILE under tests, and beside it in files *.routes.yaml. Shown is what failed, and
    what of the routes no test covers. Nothing is sent.
    """
    with showing_lines(context, as_json=as_json):
        suite = read_suite(file, context.obj, os.environ)
    with only_answer_on_stdout(as_json), _asking(suite, priced=price) as ask_price:
        results = run_all(suite, ask_price)
    tested = Tested(str(file), results, coverage(suite.config.routes, results), fail_under)
    if junit_path is not None:
        _write(junit_path, junit(str(file), results, tested.coverage, tested.too_low))
    answer(tested_shape(tested), tested_tables, as_json=as_json)
    context.exit(Exit.OK if tested.ok else Exit.FAILED)


@contextlib.contextmanager
def _asking(suite: Suite, *, priced: bool) -> Iterator[AskPrice | None]:
    """Hold open what asks for prices, if that is wanted; otherwise no provider is made."""
    if not priced:
        yield None
        return
    with Notifier(forgetful(suite.config), plugins=suite.plugins) as notifier:
        yield notifier.price


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"{path} cannot be written: {error.strerror}") from None
