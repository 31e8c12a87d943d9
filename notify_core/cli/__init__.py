"""The command line ``notify``. This module is what starts it, and answers ``--version`` at once."""

from __future__ import annotations

import sys

from notify_core._version import __version__

_EXTRA = ("click", "rich")
_CANNOT_START = 4


def main() -> None:
    """Run ``notify``; the exit code is that of the command."""
    if sys.argv[1:] == ["--version"]:
        print(f"notify {__version__}")
        return
    try:
        # After the version, because the rest takes a hundred times as long to import; and guarded,
        # because click and rich are an extra.
        from notify_core.cli.app import run  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name not in _EXTRA:
            raise
        print("error: the command line needs: pip install 'notify-core[cli]'", file=sys.stderr)
        sys.exit(_CANNOT_START)
    run()
