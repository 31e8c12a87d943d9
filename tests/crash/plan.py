"""What a crash run does: how much of everything, and which calls are made."""

from __future__ import annotations

import enum
import itertools
from collections.abc import Iterator, Sequence

import attrs

from notify_core.message import Sms

SENDERS = 2


@attrs.frozen(kw_only=True)
class Scale:
    """How much happens in a run.

    ``kills`` processes are killed, ``outages`` times the journal is away for up to ``outage_s``
    seconds, and a share ``lost`` of the sends gets no usable answer; for each of those,
    ``lost_questions`` questions get none either. What was leased by somebody who is dead waits
    ``lease_s`` seconds. ``seed`` decides who is killed, and when.
    """

    messages: int
    kills: int
    workers: int
    outages: int = 0
    outage_s: float = 2.0
    lost: float = 0.08
    lost_questions: float = 0.1
    lease_s: int = 2
    seed: int = 0


class Kind(enum.Enum):
    """How a job has its messages sent."""

    SEND = "send"
    """Sent at once."""
    SEND_WITHOUT_KEY = "send without a key"
    """Sent at once, and never repeated: nobody could tell the second from the first."""
    SEND_TO_TWO = "send to two"
    """One message to two recipients."""
    ENQUEUE = "enqueue"
    """Left to a worker."""
    ENQUEUE_MANY = "enqueue many"
    """Several at a time left to a worker."""


_PATTERN = (
    (Kind.SEND, 1),
    (Kind.ENQUEUE, 1),
    (Kind.SEND, 1),
    (Kind.SEND_WITHOUT_KEY, 1),
    (Kind.ENQUEUE_MANY, 4),
    (Kind.SEND_TO_TWO, 1),
    (Kind.SEND, 1),
)
"""The jobs in turn, each with the number of its messages."""


@attrs.frozen
class Job:
    """One call of the application: the messages ``first`` to ``last`` and how they are sent."""

    number: int
    kind: Kind
    first: int
    last: int

    @property
    def has_key(self) -> bool:
        """Whether it can be repeated without a second message."""
        return self.kind is not Kind.SEND_WITHOUT_KEY

    @property
    def messages(self) -> Sequence[Sms]:
        """The messages; the same each time but for their ids."""
        return [self._message(number) for number in range(self.first, self.last + 1)]

    @property
    def wanted(self) -> Iterator[tuple[str, str]]:
        """Text and recipient of everything that is to arrive."""
        for message in self.messages:
            for contact in message.contacts():
                yield message.text, str(contact.phone)

    def _message(self, number: int) -> Sms:
        # The emulator does as told by some numbers: those whose last six digits begin with 00.
        recipients = [f"+7999{1_100_000 + number}"]
        if self.kind is Kind.SEND_TO_TWO:
            recipients.append(f"+7999{1_500_000 + number}")
        key = f"message-{number}" if self.has_key else None
        return Sms(to=recipients, text=f"message {number}", key=key)


def jobs_of(messages: int) -> Sequence[Job]:
    """Return the calls that send so many messages."""
    jobs: list[Job] = []
    first = 0
    for kind, count in itertools.cycle(_PATTERN):
        last = min(first + count, messages) - 1
        jobs.append(Job(len(jobs), kind, first, last))
        first = last + 1
        if first >= messages:
            return jobs
    raise AssertionError("a cycle has no end")
