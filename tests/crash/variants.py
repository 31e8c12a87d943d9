"""The kinds of journal, and what can happen to each."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import attrs

from tests.crash.outages import FileLimit, FullDisk, NoOutage, Outage, ServerCrash
from tests.crash.plan import Scale
from tests.crash.processes import Place
from tests.crash.run import Figures, crash_run
from tests.postgres import PostgresServer

_DATABASE = "notify.db"
_DISK = "24m"
"""The size of the disk that gets full; a journal of 10,000 messages needs the most of it."""


@attrs.frozen(kw_only=True)
class Variant:
    """One kind of run: ``restarts`` are those of PostgreSQL, and ``full`` how often the disk is."""

    journal: str
    workers: int
    restarts: int = 0
    full: int = 0

    def __str__(self) -> str:
        happens = f", {self.restarts} restarts" if self.restarts else ""
        happens += f", disk full {self.full} times" if self.full else ""
        return f"{self.journal}, {self.workers} workers{happens}"

    @property
    def outages(self) -> int:
        """How often the journal is away."""
        return self.restarts + self.full


VARIANTS = (
    *(Variant(journal="sqlite", workers=workers) for workers in (1, 2, 4)),
    *(Variant(journal="postgresql", workers=workers) for workers in (1, 2, 4)),
    Variant(journal="postgresql", workers=2, restarts=10),
    Variant(journal="sqlite", workers=2, full=10),
)


def run_variant(variant: Variant, scale: Scale) -> Figures:
    """Run one variant with all that it needs, in a folder that is removed afterwards."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="notify-crash-")))
        if variant.journal == "postgresql":
            server = stack.enter_context(PostgresServer(durable=True))
            return crash_run(scale, server.url, folder, ServerCrash(server))
        disk = folder / "disk"
        disk.mkdir()
        outage: Outage = NoOutage()
        if variant.full:
            outage = stack.enter_context(_small_disk(disk / _DATABASE, Place(folder)))
        return crash_run(scale, f"sqlite:///{disk / _DATABASE}", folder, outage)


@contextlib.contextmanager
def _small_disk(database: Path, place: Place) -> Iterator[Outage]:
    """Mount a small file system; without the right to do so, limit what files may have."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_DISK}", "notify-crash", str(database.parent)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        yield FileLimit(place)
        return
    try:
        yield FullDisk(database)
    finally:
        subprocess.run(["umount", "--lazy", str(database.parent)], check=True)
