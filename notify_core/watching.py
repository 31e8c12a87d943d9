"""Seeing that the files of a configuration have changed, and going on with what they say now."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TypeAlias

from notify_core.config.includes import matches, patterns_in
from notify_core.errors import NotifyError
from notify_core.notifier import Notifier
from notify_core.versions import Reloaded

_log = logging.getLogger(__name__)

_EVERY_S = 1.0
_MOST_LOOKS = 30
"""So often it waits for files that come to no rest."""
_END_WITHIN_S = 5.0

Stamp: TypeAlias = tuple[int, int, int, int] | None
"""What differs when a file has been written, or another one stands in its place."""


class FileWatch:
    """Reloads a notifier when its files have changed; run it in a thread, ``with`` does so.

    It looks every ``every_s`` seconds, which works on every file system, and waits until two looks
    have seen the same: who is still writing is not disturbed. It sees the configuration, what it
    includes, and what newly matches an ``include``. The files of secrets (``${file:…}``) it does
    not look at.
    """

    def __init__(
        self, notifier: Notifier, path: str | os.PathLike[str], every_s: float = _EVERY_S
    ) -> None:
        self._notifier = notifier
        # Not resolved: it can be a link, which will point elsewhere.
        self._path = Path(path).absolute()
        self._every_s = every_s
        self._wanted: frozenset[str] = frozenset()
        self._restless = 0
        self._last = self._stamps()
        # They may have changed since they were read.
        self._read: Mapping[Path, Stamp] | None = None
        self._reloading = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def look(self) -> None:
        """Look once, and reload if the files have changed and nobody is writing them."""
        now = self._stamps()
        is_settled, self._last = now == self._last, now
        if now == self._read:
            self._restless = 0
        elif is_settled or self._restless >= _MOST_LOOKS:
            self._restless = 0
            self._reload(is_first=self._read is None)
        else:
            self._restless += 1

    def reload(self) -> None:
        """Have the files read now, and tell the log what came of it. Raises nothing."""
        self._reload(is_first=False)

    def run(self) -> None:
        """Look again and again until ``stop`` is called."""
        while not self._stopping.wait(self._every_s):
            try:
                self.look()
            except (Exception, SystemExit):  # a defect: the configuration before stays live
                _log.exception("the files of the configuration cannot be looked at")

    def stop(self) -> None:
        """Have ``run`` return."""
        self._stopping.set()

    def __enter__(self) -> FileWatch:
        self._thread = threading.Thread(target=self.run, name="notify-watch", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        if self._thread is not None:
            self._thread.join(_END_WITHIN_S)
            if self._thread.is_alive():  # a file system or a plugin that hangs
                _log.error("a reload is left in the middle; the configuration stays as it was")

    def _reload(self, *, is_first: bool) -> None:
        with self._reloading:
            before = self._stamps()
            if self._succeeds(is_first=is_first):
                self._wanted = frozenset()
            else:
                # What it wants to include may come, or be mended, without another change of it.
                self._wanted = frozenset(patterns_in(self._path))
            # What is looked at now and was not before has just been read, or could not be.
            self._read = {path: before.get(path, stamp) for path, stamp in self._stamps().items()}

    def _succeeds(self, *, is_first: bool) -> bool:
        try:
            reloaded = self._notifier.reload()
        except NotifyError as error:
            _tell_failure(self._notifier, str(error))
            return False
        except (Exception, SystemExit) as error:  # somebody else's plugin
            _tell_failure(self._notifier, f"a plugin failed with {type(error).__name__}")
            return False
        if reloaded.changed or not is_first:
            _tell(reloaded)
        return True

    def _stamps(self) -> Mapping[Path, Stamp]:
        return {path: _stamp(path) for path in {self._path, *self._included()}}

    def _included(self) -> Iterator[Path]:
        folder = self._path.resolve().parent
        for pattern in {*self._notifier.config.include, *self._wanted}:
            yield from (folder / match for match in matches(pattern, folder))


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


def _tell(reloaded: Reloaded) -> None:
    if not reloaded.changed:
        _log.info("nothing has changed: %s goes on", reloaded.version)
        return
    words = ("made", "kept", "dropped")
    told = [f"{word} {', '.join(names)}" for word in words if (names := getattr(reloaded, word))]
    _log.info("%s is live; providers: %s", reloaded.version, "; ".join(told))
    if reloaded.needs_restart:
        _log.warning("only a restart puts into force: %s", ", ".join(reloaded.needs_restart))


def _tell_failure(notifier: Notifier, reason: str) -> None:
    _log.error("the configuration cannot be used, %s stays live: %s", notifier.version, reason)
