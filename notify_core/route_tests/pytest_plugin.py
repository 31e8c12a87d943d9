"""The plugin of pytest: collects the files ``*.routes.yaml`` that hold tests of routes.

It is loaded by every pytest of an environment where this is installed, so it imports nothing until
such a file is to be run, and leaves alone files of that name that are somebody else's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

_OURS = re.compile(rb"""^(?:\xef\xbb\xbf)?(["']?)tests\1[ \t]*:""", re.M)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect a file of tests; see the documentation of pytest for the hook."""
    if file_path.name.endswith(".routes.yaml") and _is_ours(file_path):
        return RoutesFile.from_parent(parent, path=file_path)
    return None


class RoutesFile(pytest.File):
    """A file ``*.routes.yaml``, with the configuration that it is about."""

    def collect(self) -> Iterator[pytest.Item]:
        """Read the file and its configuration; yield its tests in their order."""
        # Not at the top: it takes a quarter of a second, and pytest makes a collector of each file
        # of a folder even if another one is to be run.
        from notify_core.route_tests.pytest_items import items_of  # noqa: PLC0415

        yield from items_of(self)


def _is_ours(path: Path) -> bool:
    """Tell whether a line of a file begins with the key that every file of tests has."""
    try:
        return bool(_OURS.search(path.read_bytes()))
    except OSError:
        return False
