"""What ``notify config test`` answers: as JSON, and the lines that are printed of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

import attrs
from rich.console import RenderableType

from notify_core.cli.shapes import Shape
from notify_core.cli.tables import line
from notify_core.route_tests.coverage import Coverage, Item, Kind
from notify_core.route_tests.running import Result


@attrs.frozen
class Tested:
    """The tests of a configuration, once they have run. ``fail_under`` is a share in percent."""

    file: str
    results: Sequence[Result]
    coverage: Coverage
    fail_under: float | None = None

    @property
    def ok(self) -> bool:
        """Whether there are tests, all pass and they cover enough."""
        passed = all(result.passed for result in self.results)
        return bool(self.results) and passed and self.too_low is None

    @property
    def too_low(self) -> str | None:
        """What to say if less is covered than was asked for, and nothing otherwise."""
        covered, items = self.coverage.counts()
        # Not the rounded share: 89.96 is not 90.
        if self.fail_under is None or 100 * covered >= Decimal(str(self.fail_under)) * items:
            return None
        return f"coverage {self.coverage.percent} % is below {self.fail_under:g} %"


def tested_shape(tested: Tested) -> Shape:
    """``notify config test``."""
    failed = sum(not result.passed for result in tested.results)
    return {
        "ok": tested.ok,
        "file": tested.file,
        "passed": len(tested.results) - failed,
        "failed": failed,
        "tests": [_result(result) for result in tested.results],
        "coverage": _coverage(tested.coverage),
        "too_low": tested.too_low,
    }


def _result(result: Result) -> Shape:
    return {
        "name": result.test.name,
        "file": result.test.file,
        "line": result.test.line,
        "passed": result.passed,
        "failures": list(result.failures),
        "notes": list(result.notes),
    }


def _coverage(coverage: Coverage) -> Shape:
    return {
        "percent": float(coverage.percent),
        **_counts(coverage, None),
        **{kind.plural: _counts(coverage, kind) for kind in Kind},
        "missing": [_item(item) for item in coverage.missing],
    }


def _counts(coverage: Coverage, kind: Kind | None) -> Shape:
    covered, items = coverage.counts(kind)
    return {"covered": covered, "items": items}


def _item(item: Item) -> Shape:
    return {
        "kind": item.kind.value,
        "route": item.route,
        "leg": item.leg,
        "condition": item.condition,
        "value": item.value,
        "wanted": item.wanted,
    }


# --- for people -----------------------------------------------------------------------------


def tested_tables(shape: Shape) -> list[RenderableType]:
    """``notify config test``."""
    return list(_lines(shape))


def _lines(shape: Shape) -> Iterator[RenderableType]:
    for test in shape["tests"]:
        yield from _failure(test)
    yield line(f"{shape['passed']} passed, {shape['failed']} failed")
    if not shape["tests"]:
        yield line("no tests: write them under tests:, or in a file *.routes.yaml beside it")
    yield line(_covered(shape["coverage"]))
    for item in shape["coverage"]["missing"]:
        yield line(f"  {item['route']}: {item['wanted']}")
    if shape["too_low"] is not None:
        yield line(shape["too_low"], "red")


def _failure(test: Shape) -> Iterator[RenderableType]:
    if not test["passed"]:
        yield line(f"FAILED {test['name']} ({test['file']}:{test['line']})", "red")
    for told in (*test["failures"], *test["notes"]):
        who = "" if not test["passed"] else f"{test['name']}: "
        yield line(f"  {who}{told}")


def _covered(coverage: Shape) -> str:
    kinds = ", ".join(
        f"{kind.plural} {coverage[kind.plural]['covered']} of {coverage[kind.plural]['items']}"
        for kind in Kind
    )
    missing = "; not covered:" if coverage["missing"] else ""
    return f"coverage {coverage['percent']} %: {kinds}{missing}"
