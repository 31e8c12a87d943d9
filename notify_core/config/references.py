"""References in the settings of a provider: ``${env:NAME}`` and ``${file:/path}``.

They stand for secrets, so nothing here puts what they stand for into a message.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs

# $${ is a literal ${; a ${ that begins neither of the two forms is a mistake.
_REFERENCE = re.compile(r"\$\$\{|\$\{(?:(?P<kind>env|file):(?P<name>[^{}]+)\})?")


def names_in(text: str) -> Iterator[str]:
    """Yield what the references in a text name: ``env:SMSC_API_KEY``, ``file:/run/secrets/a``."""
    for match in _REFERENCE.finditer(text):
        if match["kind"]:
            yield f"{match['kind']}:{match['name']}"


def nothing_but_references(text: str) -> bool:
    """Tell whether a text holds nothing of its own, so that nothing of it need be hidden."""
    return any(names_in(text)) and not _REFERENCE.sub(_without, text)


def _without(match: re.Match[str]) -> str:
    return "" if match["kind"] else match[0]


class BadReference(ValueError):
    """A reference that cannot be resolved. The message names it and never a value."""


@attrs.frozen
class References:
    """Where references are looked up."""

    environ: Mapping[str, str] = attrs.field(repr=False)

    def resolve(self, text: str) -> str:
        """Return ``text`` with its references replaced. Raises ``BadReference``."""
        return _REFERENCE.sub(self._replacement, text)

    def values_in(self, text: str) -> Iterator[str]:
        """Yield what the references in ``text`` stand for, those that stand for something."""
        for match in _REFERENCE.finditer(text):
            with contextlib.suppress(BadReference):
                if match["kind"]:
                    yield self._replacement(match)

    def _replacement(self, match: re.Match[str]) -> str:
        if match[0] == "$${":
            return "${"
        if match["kind"] == "env":
            return self._variable(match["name"])
        if match["kind"] == "file":
            return _content(match["name"])
        raise BadReference(
            "${ begins no reference; write ${env:NAME} or ${file:/path}, and $${ for a plain ${"
        )

    def _variable(self, name: str) -> str:
        if name not in self.environ:
            raise BadReference(f"the environment variable {name} is not set")
        return self.environ[name]


def _content(path: str) -> str:
    if not Path(path).is_absolute():
        raise BadReference(f"the path {path} is not absolute; write ${{file:/run/secrets/name}}")
    try:
        content = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise BadReference(f"the file {path} is not UTF-8 text") from None
    except (OSError, ValueError) as error:  # ValueError: a path that no system could have
        reason = error.strerror if isinstance(error, OSError) else error
        raise BadReference(f"the file {path} cannot be read: {reason}") from None
    return content.removesuffix("\n")
