"""``python -m notify_core.cli``: the same as ``notify``."""

from notify_core.cli import main

main()
