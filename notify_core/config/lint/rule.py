"""What a rule is, and what it finds."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable

import attrs

from notify_core.config.lint.sheet import Sheet
from notify_core.errors import Problem


class Severity(enum.Enum):
    """How much a finding weighs."""

    WARNING = "warning"
    """Something does not do what is written, or lets somebody in."""
    ADVICE = "advice"
    """It works as written, and may be meant; told only if it is asked for."""


@attrs.frozen(kw_only=True)
class Rule:
    """One thing that is looked for in a configuration without mistakes.

    ``name`` is one of words and hyphens, and those of a plugin begin with the name of its
    provider type: operators write it to silence the rule. ``find`` yields a problem for each
    place, made with ``Node.problem``. It reads the sheet and nothing else, and quotes no secret.
    """

    name: str
    severity: Severity
    find: Callable[[Sheet], Iterable[Problem]]


@attrs.frozen
class Finding:
    """What a rule says of one place in the file."""

    rule: str
    severity: Severity
    problem: Problem

    def __str__(self) -> str:
        return f"{self.problem} [{self.severity.value}: {self.rule}]"
