"""What ``notify config lint`` answers: as JSON, and the lines that are printed of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from notify_core.cli.shapes import Shape

if TYPE_CHECKING:
    from notify_core.config.lint import Finding
    from notify_core.config.lint.engine import Linted


def lint_shape(linted: Linted, *, strict: bool) -> Shape:
    """``notify config lint``. ``advice`` is how much was found that does not count."""
    counted = linted.weighing(strict=strict)
    return {
        "ok": not counted,
        "files": list(linted.files),
        "findings": [_finding(each) for each in counted],
        "silenced": [{**_finding(each), "reason": why} for each, why in linted.silenced],
        "advice": len(linted.findings) - len(counted),
    }


def _finding(finding: Finding) -> Shape:
    problem = finding.problem
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "path": problem.path,
        "message": problem.message,
    }


def lint_lines(shape: Shape) -> Iterator[str]:
    """One line for each finding, in the form that editors read, and a last one that counts."""
    for each in shape["findings"]:
        place = f"{each['file']}:{each['line']}:{each['column']}"
        subject = f"{each['path']}: " if each["path"] else ""
        rule = f"[{each['severity']}: {each['rule']}]"
        yield f"{place}: {subject}{each['message']} {rule}"
    yield ", ".join(_counts(shape))


def _counts(shape: Shape) -> Iterator[str]:
    number = len(shape["findings"])
    yield f"{number} finding{'s' if number > 1 else ''}" if number else "OK: no findings"
    if shape["silenced"]:
        yield f"{len(shape['silenced'])} silenced"
    if shape["advice"]:
        yield f"{shape['advice']} more with --strict"
