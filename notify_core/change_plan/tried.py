"""Two configurations held against the tests of their routes.

Each test runs on both. Where both files have a test of one name, each configuration is held against
its own, for with a change of the routes what is expected of them may have changed.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence

import attrs

from notify_core.planning import decided
from notify_core.route_tests.model import RouteTest, Suite
from notify_core.route_tests.running import Result, planner_of, run


class Verdict(enum.Enum):
    """What becomes of a test with the change."""

    BREAKS = "breaks"
    """It passes on the old configuration and fails on the new one."""
    MENDS = "mends"
    """It fails on the old configuration and passes on the new one."""
    MOVES = "moves"
    """It passes on both or fails on both, and its message goes otherwise."""
    SAME = "same"
    """It passes on both or fails on both, and its message goes as before."""


@attrs.frozen(kw_only=True)
class Tried:
    """A test and what came of it on both configurations.

    ``in_old`` and ``in_new`` say which of them has it.
    """

    old: Result
    new: Result
    in_old: bool
    in_new: bool

    @property
    def test(self) -> RouteTest:
        """The test as the new configuration has it, or else the old one."""
        return self.new.test

    @property
    def expects_otherwise(self) -> bool:
        """Whether the change has changed what is expected too."""
        return self.old.test.expect != self.new.test.expect

    @property
    def verdict(self) -> Verdict:
        """What becomes of the test."""
        if self.old.passed != self.new.passed:
            return Verdict.BREAKS if self.old.passed else Verdict.MENDS
        return Verdict.SAME if _goes(self.old) == _goes(self.new) else Verdict.MOVES


def tried_tests(old: Suite, new: Suite) -> Sequence[Tried]:
    """Run the tests of both configurations on both, those of the old one first. Asks no prices."""
    before, after = _by_name(old), _by_name(new)
    planners = planner_of(old), planner_of(new)
    return [
        Tried(
            old=run(before.get(name) or after[name], planners[0]),
            new=run(after.get(name) or before[name], planners[1]),
            in_old=name in before,
            in_new=name in after,
        )
        for name in {**before, **after}
    ]


def _by_name(suite: Suite) -> Mapping[str, RouteTest]:
    return {test.name: test for test in suite.tests}


def _goes(result: Result) -> object:
    """Return which way the message of a test goes, without what it is told in words."""
    routes = [considered[-1].route for considered in result.tried]
    return routes, [decided(plan) for plan in result.plans]
