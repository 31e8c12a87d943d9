"""What is known of a delivery under way, what decisions hang on, and what can be decided."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TypeAlias

import attrs

from notify_core.config.model import Retry
from notify_core.config.sections import FOLLOW
from notify_core.delivery import Attempt, LegResult, Skip
from notify_core.outcome import Refused, Status


@attrs.frozen(kw_only=True)
class Progress:
    """What has happened to a delivery so far.

    ``done`` are the legs that are over. All else is about the leg under way: the ``round``, the
    providers ``waiting`` for their turn in it, those ``open`` for the next one, the attempts, the
    providers that were skipped, and the answers to the questions about the last attempt (None
    where there was no usable one). A leg that waits for a receipt is given up at ``gives_up_at``,
    after its provider has been ``looked`` at once more.
    """

    waiting: tuple[str, ...]
    open: tuple[str, ...]
    done: tuple[LegResult, ...] = ()
    round: int = 1
    attempts: tuple[Attempt, ...] = ()
    skipped: tuple[Skip, ...] = ()
    questions: tuple[Status | None, ...] = ()
    tried: bool = False
    idle_until: datetime | None = None
    idle_because: str = ""
    rested: bool = False
    unanswered: int = 0
    gives_up_at: datetime | None = None
    looked: bool = False
    ended: bool = False


@attrs.frozen(kw_only=True)
class Rules:
    """What decisions hang on beside the plan.

    ``ask_after_s`` is each provider's schedule of questions, in seconds. ``follow`` is how long a
    receipt is waited for where the leg does not say. ``insistent`` says that a question without a
    usable answer is asked again, and ``patient`` that a delivery waits as long as a provider asks
    for, and for one that only a person can mend: waiting must cost nothing, and there must be no
    other way to take instead.
    """

    retry: Retry
    ask_after_s: Mapping[str, tuple[float, ...]]
    follow: timedelta = FOLLOW
    insistent: bool = False
    patient: bool = False


class Wish(enum.Enum):
    """What somebody wants of a delivery that is under way."""

    HOLD = "hold"
    """Let nothing be done until it is released."""
    CANCEL = "cancel"
    """Begin no attempt any more; what has gone is still found out."""


@attrs.frozen(kw_only=True)
class Circumstances:
    """What decisions hang on that changes by itself.

    ``left_s`` is the time to the deadline in seconds, ``early_s`` that until an attempt may begin
    (0 if it may: its time has come, and it is not quiet), ``chance`` a random number from 0 to 1
    for the jitter, and ``wish`` what somebody wants of the delivery.
    """

    now: datetime
    left_s: float = math.inf
    early_s: float = 0.0
    chance: float = 0.5
    wish: Wish | None = None


@attrs.frozen
class Try:
    """Make an attempt at this provider."""

    provider: str


@attrs.frozen
class Ask:
    """Wait so many seconds, then ask what became of the last attempt."""

    after_s: float


@attrs.frozen
class Pause:
    """Wait so many seconds, then begin the next round."""

    seconds: float


@attrs.frozen
class Rest:
    """Wait so many seconds, then decide anew."""

    seconds: float


@attrs.frozen
class Await:
    """Begin to wait for a receipt, for so long."""

    span: timedelta


@attrs.frozen
class Look:
    """Ask once more whether a receipt has come, before the leg is given up."""


@attrs.frozen
class CloseLeg:
    """The leg under way is over. ``why`` says so where it was not tried.

    ``given_up`` says that the receipt it waited for has not come in time. ``refused`` is why it
    may not be tried (any more).
    """

    why: str = "the deadline passed before it could be tried"
    refused: Refused | None = None
    given_up: bool = False


@attrs.frozen
class Stay:
    """Do nothing until somebody releases it."""


@attrs.frozen
class End:
    """Nothing is left to do."""


Action: TypeAlias = Try | Ask | Pause | Rest | Await | Look | CloseLeg | Stay | End

CANCELLED = CloseLeg("it was cancelled")
"""What follows a cancellation, as soon as nothing is in doubt."""

ARRIVED = CloseLeg("it was not needed any more: a leg before it had arrived")
"""What follows a receipt for a leg that had been given up."""

GIVEN_UP = CloseLeg(given_up=True)
"""What follows when no receipt has come in time."""
