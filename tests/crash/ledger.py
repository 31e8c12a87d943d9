"""What a sender has done, line by line, so that it is known after the sender was killed."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from notify_core.delivery import Delivery
from tests.crash.plan import Job


@attrs.frozen
class Told:
    """What a report said of one delivery; ``outcome`` is the name of its class."""

    id: str
    outcome: str
    stage: str


@attrs.frozen
class Call:
    """What is known of a job: whether it was begun, failed, and what the call returned.

    ``ids`` are those of the deliveries; ``told`` is what the report said, if there was one.
    """

    begun: bool = False
    failures: int = 0
    ids: tuple[str, ...] | None = None
    told: tuple[Told, ...] = ()

    @property
    def returned(self) -> bool:
        """Whether the application knows that the message is safe."""
        return self.ids is not None

    def is_over(self, job: Job) -> bool:
        """Tell whether the application does no more for it; without a key it dares not."""
        return self.returned or (self.begun and not job.has_key)


class Ledger:
    """Written by one sender, whose threads share it; a line stays when its writer is killed."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def begins(self, job: int) -> None:
        """Note that the call is about to be made."""
        self._note({"job": job, "is": "begun"})

    def failed(self, job: int) -> None:
        """Note that the call has raised ``JournalError``."""
        self._note({"job": job, "is": "failed"})

    def returned(self, job: int, ids: Sequence[str], told: Sequence[Delivery] = ()) -> None:
        """Note what the call has returned."""
        said = [[each.id, type(each.outcome).__name__, each.stage.value] for each in told]
        self._note({"job": job, "is": "returned", "ids": list(ids), "told": said})

    def _note(self, line: Mapping[str, object]) -> None:
        # Whoever is killed can leave half a line, if it goes over the end of a page of memory.
        os.write(self._file, b"\n" + json.dumps(line).encode())


def read_ledger(path: Path) -> dict[int, Call]:
    """Return what a ledger says of each job."""
    calls: dict[int, Call] = {}
    for line in _lines(path):
        calls[line["job"]] = _after(calls.get(line["job"], Call()), line)
    return calls


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text().splitlines() if path.exists() else ():
        with contextlib.suppress(ValueError):  # half a line is as good as none
            yield json.loads(line)


def _after(call: Call, line: dict[str, Any]) -> Call:
    match line["is"]:
        case "begun":
            return attrs.evolve(call, begun=True)
        case "failed":
            return attrs.evolve(call, failures=call.failures + 1)
        case _:
            told = tuple(Told(*each) for each in line["told"])
            return attrs.evolve(call, ids=tuple(line["ids"]), told=told)
