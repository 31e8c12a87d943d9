"""The messages of the gateway and what is still to be told about them."""

import heapq

from attrs import evolve, frozen

from .model import CaughtMessage, MessageId, Status, Step


@frozen
class Due:
    """A change of status whose time has come."""

    message: CaughtMessage
    step: Step


class Store:
    """Holds messages in the order in which they came."""

    def __init__(self) -> None:
        self._messages: dict[int, CaughtMessage] = {}
        self._latest: dict[tuple[str, str], int] = {}
        self._ids: set[MessageId] = set()
        self._coming: list[tuple[float, int, int]] = []

    @property
    def next_serial(self) -> int:
        """The serial of the message that comes next."""
        return len(self._messages) + 1

    def add(self, message: CaughtMessage) -> None:
        """Take a message; an id and phone known already now mean this one."""
        self._messages[message.serial] = message
        self._ids.add(message.id)
        self._latest[str(message.id), message.phone] = message.serial
        if message.error is None:
            self._expect(message, 1)

    def _expect(self, message: CaughtMessage, first: int) -> None:
        for place, step in enumerate(message.steps[first:], start=first):
            heapq.heappush(self._coming, (step.at, message.serial, place))

    def change(self, message: CaughtMessage, step: Step) -> CaughtMessage:
        """Let a message have a status from now on, in place of whatever was still to come."""
        past = tuple(earlier for earlier in message.steps if earlier.at <= step.at)
        changed = evolve(message, steps=(*past, step)).at(step.at)
        self._messages[message.serial] = changed
        self._expect(changed, len(past))
        return changed

    def knows_id(self, message_id: int) -> bool:
        """Tell whether any message bears the id."""
        return message_id in self._ids

    def find(self, message_id: str, phone: str, now: float) -> CaughtMessage | None:
        """Return the last message with this id and phone that ``status.php`` can see."""
        serial = self._latest.get((message_id, phone))
        if serial is None:
            return None
        message = self._messages[serial].at(now)
        hidden = message.deleted or message.status is Status.NOT_FOUND
        return None if hidden else message

    def latest(self, message_id: str, phone: str | None, now: float) -> CaughtMessage:
        """Return the last message with this id, hidden or not; LookupError if there is none."""
        for message in reversed(self._messages.values()):
            if str(message.id) == message_id and phone in (None, message.phone):
                return message.at(now)
        number = "" if phone is None else f" and the number {phone}"
        raise LookupError(f"no message has the id {message_id}{number}")

    def delete(self, message: CaughtMessage) -> None:
        """Mark a message as deleted: it is shown, but neither found nor reported any more."""
        self._messages[message.serial] = evolve(message, deleted=True)

    def all(self, now: float) -> tuple[CaughtMessage, ...]:
        """Return every message as it stands."""
        return tuple(message.at(now) for message in self._messages.values())

    def take_due(self, now: float) -> tuple[Due, ...]:
        """Return the changes that have come since the last call, in their order."""
        due = []
        while self._coming and self._coming[0][0] <= now:
            at, serial, place = heapq.heappop(self._coming)
            message = self._messages[serial]
            # What was to come may have been changed meanwhile.
            expected = place < len(message.steps) and message.steps[place].at == at
            if expected and not message.deleted:
                due.append(Due(message.at(at), message.steps[place]))
        return tuple(due)
