"""All that a change of the configuration does, as far as it was looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from notify_core.change_plan.recorded import RecordedChanges
from notify_core.change_plan.tried import Tried, Verdict
from notify_core.config.model import Config, ProviderConfig, digest


@attrs.frozen(kw_only=True)
class ProviderChanges:
    """The providers that are new, that are gone, and that have another type or other settings."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]


@attrs.frozen(kw_only=True)
class ChangePlan:
    """What a change does. ``recorded`` is None where no journal was looked at."""

    old: Config
    new: Config
    tried: Sequence[Tried]
    recorded: RecordedChanges | None

    @property
    def changes(self) -> bool:
        """Whether any message that was looked at goes otherwise, or may, or a test breaks."""
        moved = self.recorded is not None and self.recorded.changed
        return moved or any(each.verdict is not Verdict.SAME for each in self.tried)

    @property
    def digests(self) -> tuple[str, str]:
        """The hashes of both configurations, as ``explain`` and the journal have them."""
        return digest(self.old), digest(self.new)

    @property
    def providers(self) -> ProviderChanges:
        """How the providers differ. Messages that go by one of them are not said to move."""
        before, after = _by_name(self.old), _by_name(self.new)
        both = [name for name in before if name in after]
        return ProviderChanges(
            added=tuple(name for name in after if name not in before),
            removed=tuple(name for name in before if name not in after),
            changed=tuple(name for name in both if before[name] != after[name]),
        )


def _by_name(config: Config) -> Mapping[str, ProviderConfig]:
    return {provider.name: provider for provider in config.providers}
