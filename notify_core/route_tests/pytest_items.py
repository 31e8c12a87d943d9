"""Tests of routes as pytest sees them: an item for each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from notify_core.errors import NotifyError
from notify_core.planning import Planner
from notify_core.plugins import Plugins
from notify_core.route_tests.model import RouteTest
from notify_core.route_tests.reading import read_file
from notify_core.route_tests.running import planner_of, run


def items_of(file: pytest.File) -> Iterator[pytest.Item]:
    """Read a file and its configuration; yield its tests in their order."""
    try:
        suite = read_file(file.path, Plugins.discover(), os.environ)
    except NotifyError as error:
        # Without a traceback: it is a mistake in a file, not in a program.
        raise file.CollectError(str(error)) from None
    planner = planner_of(suite)
    for test in suite.tests:
        yield RouteItem.from_parent(file, name=test.name, test=test, planner=planner)


class RouteFailure(Exception):
    """A message did not take the way that its test expects."""


class RouteItem(pytest.Item):
    """One test of the routes."""

    def __init__(self, *, test: RouteTest, planner: Planner, **more: Any) -> None:
        super().__init__(**more)
        self._test = test
        self._planner = planner

    def runtest(self) -> None:
        """Run the test."""
        result = run(self._test, self._planner)
        for note in result.notes:
            self.add_report_section("call", "note", note)
        if not result.passed:
            raise RouteFailure("\n".join(result.failures))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show what is wrong, and not our own code."""
        if isinstance(excinfo.value, RouteFailure):
            return f"{self._test.file}:{self._test.line}: {self.name}\n{excinfo.value}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Say where the test stands; pytest counts lines from 0."""
        return self.path, self._test.line - 1, self.name
