"""Reading a configuration, and asking every rule what it finds in it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import attrs

from notify_core.config.lint.legs import LEG_RULES
from notify_core.config.lint.providers import PROVIDER_RULES
from notify_core.config.lint.reaching import REACHING_RULES
from notify_core.config.lint.rule import Finding, Rule, Severity
from notify_core.config.lint.secrecy import SECRECY_RULES
from notify_core.config.lint.sheet import Sheet
from notify_core.config.lint.silencing import Silencing, silencing_findings, silencings_in
from notify_core.config.lint.times import TIME_RULES
from notify_core.config.lint.waiting import WAITING_RULES
from notify_core.config.load import read
from notify_core.config.nodes import Node
from notify_core.config.source import read_text
from notify_core.errors import PluginError
from notify_core.plugins import Plugins

CORE_RULES: tuple[Rule, ...] = (
    *REACHING_RULES,
    *PROVIDER_RULES,
    *LEG_RULES,
    *WAITING_RULES,
    *TIME_RULES,
    *SECRECY_RULES,
)
"""The rules that need no plugin, in the order of ``docs/lint.md``."""


@attrs.frozen(kw_only=True)
class Linted:
    """What was found, in file order; what was silenced, each with its reason; and the files."""

    findings: tuple[Finding, ...]
    silenced: tuple[tuple[Finding, str], ...]
    files: tuple[str, ...]

    def weighing(self, *, strict: bool) -> Sequence[Finding]:
        """Return the findings that count: all if it is strict, else all but advice."""
        return [each for each in self.findings if strict or each.severity is Severity.WARNING]


def lint(path: str | os.PathLike[str], plugins: Plugins, environ: Mapping[str, str]) -> Linted:
    """Find what is likely not meant in a file, and in those that it includes.

    Raises ``ConfigError`` if they cannot be read without a mistake.
    """
    loaded = read(path, plugins, environ)
    files = tuple(dict.fromkeys(_files(loaded.root)))
    silencings = [each for file in files for each in _silencings(file)]
    rules = all_rules(plugins)
    found = list(dict.fromkeys(_found(rules, Sheet.of(loaded, plugins))))
    reasons = {each: _reason(each, silencings) for each in found}
    open_ = [each for each in found if reasons[each] is None]
    findings = [*open_, *silencing_findings(silencings, found, rules)]
    return Linted(
        findings=tuple(sorted(findings, key=lambda each: _rank(each, files))),
        silenced=tuple((each, reason) for each, reason in reasons.items() if reason is not None),
        files=files,
    )


def all_rules(plugins: Plugins) -> Sequence[Rule]:
    """Return the rules of the core and of the plugins. Raises ``PluginError`` for a double name."""
    rules = list(CORE_RULES)
    for brought in plugins.manager.hook.notify_lint_rules():
        rules += brought
    names = [rule.name for rule in rules]
    for name in names:
        if names.count(name) > 1:
            raise PluginError(name, "two plugins bring this rule")
    return rules


def _found(rules: Sequence[Rule], sheet: Sheet) -> Iterator[Finding]:
    for rule in rules:
        for problem in rule.find(sheet):
            yield Finding(rule.name, rule.severity, problem)


def _files(root: Node) -> Iterator[str]:
    """Yield the names of the files that the configuration stands in, as problems have them."""
    yield root.file
    for entry in root.entries()["providers"].value.entries().values():
        yield entry.key.file
    for route in root.entries()["routes"].value.items():
        yield route.file


def _silencings(file: str) -> Iterator[Silencing]:
    return silencings_in(read_text(Path(file), file), file)


def _reason(finding: Finding, silencings: Sequence[Silencing]) -> str | None:
    covering = [each for each in silencings if each.covers(finding)]
    return covering[0].reason if covering else None


def _rank(finding: Finding, files: Sequence[str]) -> tuple[int, int, int, str]:
    problem = finding.problem
    return files.index(problem.file), problem.line, problem.column, finding.rule
