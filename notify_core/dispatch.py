"""Carrying a plan out: the heart of the framework.

``Dispatcher.deliver`` does what ``progress.next_action`` decides, one action after the other,
and tells ``progress`` what came of it.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

import attrs

from notify_core.clock import Clock
from notify_core.config.model import Retry
from notify_core.config.sections import FOLLOW
from notify_core.contact import mask
from notify_core.delivery import Attempt, Stage
from notify_core.errors import JournalError, ProviderError
from notify_core.health import HealthBoard, Obstacle
from notify_core.journal.codec import GONE
from notify_core.journal.model import Entry, delivery_of
from notify_core.keeping import Keeper, LeftOff
from notify_core.message import Message
from notify_core.outcome import RefusalScope, Refused, Status
from notify_core.policy.quiet import quiet_until
from notify_core.progress import (
    Action,
    Ask,
    Await,
    Circumstances,
    CloseLeg,
    End,
    Look,
    Pause,
    Progress,
    Rest,
    Rules,
    Stay,
    Try,
    Wish,
    attempt_answered,
    attempt_began,
    attempt_is_over,
    leg_closed,
    leg_under_way,
    looked,
    next_action,
    provider_left_alone,
    provider_skipped,
    question_answered,
    receipt_of,
    rested,
    round_began,
    telling_attempt,
    waiting_began,
)
from notify_core.registry import Registry

_log = logging.getLogger(__name__)


def nobody(_address: str, _tags: Collection[str]) -> str | None:
    """Let nothing stand against anybody."""
    return None


class Dispatcher:
    """Carry deliveries out. One is shared by all threads; it keeps no state of a delivery.

    ``chance`` returns a random number from 0 to 1, for the jitter of pauses. ``follow`` is how
    long a receipt is waited for where the leg does not say, and ``against`` returns what stands
    against a message with these tags to this address.
    """

    def __init__(
        self,
        registry: Registry,
        board: HealthBoard,
        retry: Retry,
        clock: Clock,
        chance: Callable[[], float],
        keeper: Keeper,
        follow: timedelta = FOLLOW,
        against: Callable[[str, Collection[str]], str | None] = nobody,
    ) -> None:
        self._registry = registry
        self._board = board
        self._clock = clock
        self._chance = chance
        self._keeper = keeper
        self._against = against
        self._able = registry.capabilities
        schedules = {name: able.ask_after_s for name, able in self._able.items()}
        self._hasty = Rules(retry=retry, ask_after_s=schedules, follow=follow)
        self._insistent = attrs.evolve(self._hasty, insistent=keeper.patient)
        self._patient = attrs.evolve(self._insistent, patient=keeper.patient)

    def deliver(self, entry: Entry) -> Entry:
        """Do what is next until nothing is left to do here; no answer of a provider makes it raise.

        What is returned has ended, is held, or is left to whoever claims it when it is due.
        Raises ``LeaseLost``, and ``LeftOff`` or, before a first attempt, ``JournalError`` if the
        journal fails before anything (more) has left.
        """
        while True:
            match self._next(entry):
                case Try(provider):
                    entry = self._try(entry, provider)
                case (Ask(seconds) | Pause(seconds) | Rest(seconds)) as wait if seconds > 0:
                    entry = self._keeper.rest(_rested(entry, wait), seconds)
                    if entry.owner is None:
                        return entry
                case Ask():
                    entry = self._ask(entry)
                case Pause():
                    entry = _with(entry, round_began(entry.progress, self._rules(entry)))
                case Await(span):
                    until = self._clock.now() + span
                    entry = _with(entry, waiting_began(entry.progress, until))
                case Look():
                    entry = _with(entry, looked(entry.plan, entry.progress, self._look(entry)))
                case CloseLeg() as close:
                    entry = _closed(entry, close)
                case Stay():
                    return self._keeper.end(entry, Stage.HELD)
                case End():
                    return self._keeper.end(entry, _last_stage(entry))

    def _next(self, entry: Entry) -> Action:
        now = self._clock.now()
        at = Circumstances(
            now=now,
            left_s=_seconds_until(entry.deadline_at, now),
            early_s=self._early_s(entry, now),
            chance=self._chance(),
            wish=entry.wish,
        )
        return next_action(entry.plan, entry.progress, self._rules(entry), at)

    def _rules(self, entry: Entry) -> Rules:
        """Wait for a provider on the last leg alone: elsewhere the next leg is the way to take.

        With ``all_of`` it would be the next leg that waits, which may go by another way.
        """
        if entry.plan.all_of:
            return self._hasty
        is_last = len(entry.progress.done) + 1 >= len(entry.plan.legs)
        return self._patient if is_last else self._insistent

    def _early_s(self, entry: Entry, now: datetime) -> float:
        """Return the time until an attempt may begin; who cannot wait leaves it to the provider."""
        begins = max(now, entry.begins_at) if self._keeper.patient else now
        if entry.plan.quiet is not None:
            begins = quiet_until(begins, entry.plan.quiet, entry.plan.zones) or begins
        return (begins - now).total_seconds()

    def _try(self, entry: Entry, provider: str) -> Entry:
        """Make one attempt at a provider, unless something stands against it."""
        expires = self._may_expire(entry, provider)
        message = message_to_send(entry, self._clock.now(), expires=expires)
        if message is None:
            return _closed(entry, CloseLeg("its text is not kept"))
        try:
            refused = self._refused(entry, message)
            if refused is not None:
                return _closed(entry, CloseLeg(refused=refused))
            against = self._obstacle(entry, provider)
            if against is not None:
                return _with(entry, self._put_off(entry, provider, against))
            now = self._clock.now()
            progress, attempt = attempt_began(entry.plan, entry.progress, provider, now)
            begun = self._keeper.begin(entry, progress)
        except JournalError as error:
            raise LeftOff(entry) from error
        if begun.wish is not None:
            return begun
        self._registry.tell("notify_before_send", message=message, attempt=attempt)
        answer = self._registry.send(message, attempt)
        self._board.record(provider, answer)
        return self._heard(begun, attempt_answered(progress, answer, self._clock.now()))

    def _may_expire(self, entry: Entry, provider: str) -> bool:
        """Tell whether a provider can be told for how long the message of a leg is worth it."""
        able = self._able.get(provider)
        leg = leg_under_way(entry.plan, entry.progress)
        return able is not None and leg.expires is not None and able.can_expire(leg.expires)

    def _refused(self, entry: Entry, message: Message) -> Refused | None:
        address = leg_under_way(entry.plan, entry.progress).address
        against = self._against(address, entry.message.tags | message.tags)
        return None if against is None else Refused(against, RefusalScope.RECIPIENT)

    def _obstacle(self, entry: Entry, provider: str) -> Obstacle | None:
        if provider not in self._hasty.ask_after_s:
            return Obstacle("not in the configuration any more", self._clock.now())
        again = any(attempt.provider == provider for attempt in entry.progress.attempts)
        return self._board.claim(provider, again=again)

    def _put_off(self, entry: Entry, provider: str, against: Obstacle) -> Progress:
        """Wait for a provider that is left alone if that is possible, else leave it out."""
        if self._rules(entry).patient and provider in self._hasty.ask_after_s:
            # All who wait for one provider would come back at one moment.
            spread = self._chance() * _SPREAD * (against.until - self._clock.now())
            until = against.until + spread
            return provider_left_alone(entry.progress, provider, until, against.reason)
        return provider_skipped(entry.progress, provider, against.reason)

    def _ask(self, entry: Entry) -> Entry:
        """Ask, by our own id, what became of the last attempt."""
        try:
            status = self._status_of(entry.progress.attempts[-1])
        except JournalError as error:
            raise LeftOff(entry) from error
        return self._heard(
            entry, question_answered(entry.plan, entry.progress, status, self._rules(entry))
        )

    def _look(self, entry: Entry) -> Status | None:
        """Ask once more about an attempt whose leg is about to be given up."""
        attempt = telling_attempt(entry.progress.attempts)
        able = self._able.get(attempt.provider) if attempt else None
        if attempt is None or able is None or not able.can_be_asked:
            return None
        try:
            return self._status_of(attempt)
        except JournalError as error:
            raise LeftOff(entry) from error

    def _status_of(self, attempt: Attempt) -> Status | None:
        try:
            with self._board.question(attempt.provider, "status"):
                (status,) = self._registry.fetch_status(attempt.provider, [receipt_of(attempt)])
        except ProviderError:
            return None
        return status

    def _heard(self, entry: Entry, progress: Progress) -> Entry:
        """Tell how the last attempt ended, once nothing more will be asked about it."""
        if attempt_is_over(entry.plan, progress, self._rules(entry)):
            attempt = progress.attempts[-1]
            _log.info(
                "delivery %s attempt %d provider %s channel %s to %s: %s",
                attempt.delivery_id,
                attempt.number,
                attempt.provider,
                attempt.channel,
                mask(attempt.address),
                type(attempt.outcome).__name__,
            )
            message = leg_under_way(entry.plan, progress).message
            self._registry.tell("notify_attempt_finished", message=message, attempt=attempt)
        return _with(entry, progress)


def message_to_send(entry: Entry, now: datetime, *, expires: bool = False) -> Message | None:
    """Return the message as the leg under way carries it; None if its text is not kept.

    A time that has come is not told to the provider. One that is worth delivering for a limited
    time is so for what is left of it, in whole minutes, rounded up: providers count in minutes.
    With ``expires`` it is so for no longer than its leg waits, either.
    """
    if entry.message is GONE:
        return None
    leg = leg_under_way(entry.plan, entry.progress)
    message = leg.message
    if message.send_at is not None and message.send_at <= now:
        message = attrs.evolve(message, send_at=None)
    limits = [leg.expires] if expires and leg.expires is not None else []
    if message.valid_for is not None:
        passed = max(now - entry.begins_at, timedelta(0))
        left = _MINUTE * max(math.ceil((message.valid_for - passed) / _MINUTE), 1)
        limits.append(min(left, message.valid_for))
    valid_for = min(limits, default=None)
    return message if valid_for == message.valid_for else attrs.evolve(message, valid_for=valid_for)


def _with(entry: Entry, progress: Progress) -> Entry:
    return attrs.evolve(entry, progress=progress)


def _closed(entry: Entry, close: CloseLeg) -> Entry:
    return _with(entry, leg_closed(entry.plan, entry.progress, close))


def _rested(entry: Entry, wait: Ask | Pause | Rest) -> Entry:
    return entry if isinstance(wait, Rest) else _with(entry, rested(entry.progress))


def _last_stage(entry: Entry) -> Stage:
    """Return the stage of a delivery that is over; one in doubt is held until somebody ends it."""
    return Stage.ENDED if entry.wish is Wish.CANCEL else delivery_of(entry).stage


def _seconds_until(moment: datetime | None, now: datetime) -> float:
    return math.inf if moment is None else (moment - now).total_seconds()


_MINUTE = timedelta(minutes=1)
_SPREAD = 0.5
