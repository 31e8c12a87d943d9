"""What became of every message, held against what was promised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import attrs

from notify_core.delivery import Delivery
from notify_core.journal.base import Journal
from notify_core.journal.model import Filter, delivery_of
from notify_core.message import Sms
from notify_core.outcome import Accepted, NotSent, Refused, Unknown
from notify_smsc_emulator import Emulator
from tests.crash.ledger import Call, Told
from tests.crash.plan import Job

Wanted = tuple[str, str]
"""A text and its recipient: each is to arrive once."""


@attrs.frozen(kw_only=True)
class Evidence:
    """All there is to know after a run.

    ``calls`` is what the application knows of its jobs, ``kept`` the deliveries that the journal
    has of each text and recipient, and ``caught`` how often it arrived at the gateway.
    """

    jobs: Sequence[Job]
    calls: Mapping[int, Call]
    kept: Mapping[Wanted, Sequence[Delivery]]
    caught: Mapping[Wanted, int]

    @property
    def by_id(self) -> Mapping[str, Delivery]:
        """The deliveries of the journal by id."""
        return {each.id: each for several in self.kept.values() for each in several}


def caught_by(emulator: Emulator) -> Mapping[Wanted, int]:
    """Count how often each text has arrived for each recipient."""
    return Counter((each.text, f"+{each.phone}") for each in emulator.caught())


def kept_in(journal: Journal) -> Mapping[Wanted, Sequence[Delivery]]:
    """Return the deliveries of a journal by text and recipient."""
    kept: dict[Wanted, list[Delivery]] = {}
    for entry in journal.export(Filter()):
        assert isinstance(entry.message, Sms)
        wanted = entry.message.text, str(entry.plan.recipient.phone)
        kept.setdefault(wanted, []).append(delivery_of(entry))
    return kept


def faults_of(evidence: Evidence) -> Sequence[str]:
    """Return what went wrong, in words; nothing if every promise was kept."""
    return [
        *_lost(evidence),
        *_doubled(evidence),
        *_unknown_to_the_journal(evidence),
        *_untrue(evidence),
        *_badly_reported(evidence),
    ]


def _lost(evidence: Evidence) -> Iterator[str]:
    """Look for what the application was told is safe, or has repeated until it was."""
    by_id = evidence.by_id
    for job in evidence.jobs:
        call = evidence.calls.get(job.number, Call())
        yield from (f"lost: {each}, of {job}" for each in call.ids or () if each not in by_id)
        if job.has_key:
            missing = [wanted for wanted in job.wanted if wanted not in evidence.kept]
            yield from (f"lost: {wanted}, of {job}" for wanted in missing)


def _doubled(evidence: Evidence) -> Iterator[str]:
    for wanted, count in evidence.caught.items():
        if count > 1:
            deliveries = evidence.kept.get(wanted, ())
            yield f"doubled: {wanted} arrived {count} times; {_history(deliveries)}"
    for wanted, deliveries in evidence.kept.items():
        if len(deliveries) > 1:
            yield f"doubled: {wanted} is {len(deliveries)} deliveries; {_history(deliveries)}"


def _unknown_to_the_journal(evidence: Evidence) -> Iterator[str]:
    for wanted in evidence.caught.keys() - evidence.kept.keys():
        yield f"not in the journal: {wanted}, which has arrived"


def _untrue(evidence: Evidence) -> Iterator[str]:
    """Look for what the journal says of a delivery and the gateway contradicts."""
    for wanted, deliveries in evidence.kept.items():
        for delivery in deliveries:
            if _contradicts(delivery, evidence.caught.get(wanted, 0)):
                count = evidence.caught.get(wanted, 0)
                yield f"untrue: {wanted} arrived {count} times; {_history([delivery])}"


def _contradicts(delivery: Delivery, arrived: int) -> bool:
    match delivery.outcome:
        case _ if delivery.under_way:
            return True
        case Accepted():
            return arrived == 0
        case Refused() | NotSent():
            return arrived > 0
        case _:
            return False


def _badly_reported(evidence: Evidence) -> Iterator[str]:
    """Look for what ``send`` has reported and the journal, later, contradicts."""
    by_id = evidence.by_id
    for call in evidence.calls.values():
        for told in call.told:
            delivery = by_id.get(told.id)
            if delivery is not None and not _agree(told, delivery):
                yield f"reported as {told.outcome}, {told.stage}: {_history([delivery])}"


def _agree(told: Told, delivery: Delivery) -> bool:
    """What is under way or unknown can still become anything; all else is final."""
    if told.stage == "under_way" or told.outcome == Unknown.__name__:
        return True
    return told.outcome == type(delivery.outcome).__name__


def _history(deliveries: Sequence[Delivery]) -> str:
    """Tell all that the journal knows of deliveries, for whoever looks for the cause."""
    lines = [
        f"{each.id} {each.stage.value} {each.outcome}: "
        + "; ".join(
            f"attempt {attempt.number} began {attempt.started_at:%H:%M:%S.%f}, "
            f"answer {attempt.answer}, resolved {attempt.resolved}"
            for attempt in each.attempts
        )
        for each in deliveries
    ]
    return " | ".join(lines) or "not in the journal"
