"""Comments that silence a rule at one place, each with its reason.

# lint: off unreachable-route: campaign of the spring, its tag comes back in May
- name: spring
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

import attrs
import yaml

from notify_core.config.lint.rule import Finding, Rule, Severity
from notify_core.config.problems import quoted, unknown
from notify_core.config.source import scan
from notify_core.errors import Problem

NO_REASON = "silencing-without-reason"
UNUSED = "unused-silencing"
UNKNOWN = "unknown-silencing"

_COMMENT = re.compile(r"(?:^|(?<=\s))#\s*lint:(?P<rest>.*)$")
_OFF = re.compile(r"\s*off\s+(?P<rule>[\w-]+)\s*(?::\s*(?P<reason>.*?))?\s*")
_Place = tuple[int, int]


@attrs.frozen(kw_only=True)
class Silencing:
    """A comment for what is found in ``line``. ``rule`` is None if it cannot be read."""

    file: str
    at: int
    column: int
    line: int
    rule: str | None
    reason: str = ""

    def covers(self, finding: Finding) -> bool:
        place = (finding.problem.file, finding.problem.line)
        return place == (self.file, self.line) and finding.rule == self.rule

    def problem(self, message: str) -> Problem:
        """Describe what is wrong with the comment itself."""
        return Problem(self.file, self.at, self.column, "", message)


def silencings_in(text: str, file: str) -> Iterator[Silencing]:
    """Yield the silencing comments of a text that is YAML."""
    lines, scalars = text.splitlines(), list(_scalars(text))
    for number, line in enumerate(lines):
        comment = _COMMENT.search(line)
        if comment and not _within((number, comment.start()), scalars):
            off = _OFF.fullmatch(comment["rest"])
            yield Silencing(
                file=file,
                at=number + 1,
                column=comment.start() + 1,
                line=_covered(lines, number) + 1,
                rule=off["rule"] if off else None,
                reason=(off["reason"] or "") if off else "",
            )


def _scalars(text: str) -> Iterator[tuple[_Place, _Place]]:
    """Yield from where to where the values stand: what looks like a comment there is none."""
    for token in scan(text):
        if isinstance(token, yaml.ScalarToken):
            start, end = token.start_mark, token.end_mark
            yield (start.line, start.column), (end.line, end.column)


def _within(place: _Place, scalars: Sequence[tuple[_Place, _Place]]) -> bool:
    return any(start <= place < end for start, end in scalars)


def _covered(lines: Sequence[str], number: int) -> int:
    """Return the line that a comment is about: its own, or the one below its block of comments."""
    while number + 1 < len(lines) and lines[number].lstrip().startswith("#"):
        number += 1
    return number


def silencing_findings(
    silencings: Sequence[Silencing], found: Sequence[Finding], rules: Collection[Rule]
) -> Iterator[Finding]:
    """Yield what is wrong with the silencings themselves. These cannot be silenced."""
    names = {rule.name for rule in rules}
    for each in silencings:
        if each.rule is None:
            message = "this silences nothing; write # lint: off <rule>: <reason>"
            yield Finding(UNKNOWN, Severity.WARNING, each.problem(message))
        elif each.rule not in names:
            message = unknown(each.rule, "a rule", names)
            yield Finding(UNKNOWN, Severity.WARNING, each.problem(message))
        elif not any(each.covers(finding) for finding in found):
            message = f"{quoted(each.rule)} finds nothing here; take the comment away"
            yield Finding(UNUSED, Severity.WARNING, each.problem(message))
        elif not each.reason:
            message = f"give the reason: # lint: off {each.rule}: <reason>"
            yield Finding(NO_REASON, Severity.WARNING, each.problem(message))
