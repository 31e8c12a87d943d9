"""Looking for what the loader accepts and nobody is likely to mean.

Plugins bring rules of their own through ``notify_lint_rules``: a ``Rule`` gets a ``Sheet`` and
yields problems. ``docs/lint.md`` has a section for each rule.
"""

from notify_core.config.lint.rule import Finding, Rule, Severity
from notify_core.config.lint.sheet import LegPlace, ProviderPlace, RoutePlace, Sheet

__all__ = ["Finding", "LegPlace", "ProviderPlace", "RoutePlace", "Rule", "Severity", "Sheet"]
