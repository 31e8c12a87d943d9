"""When two tellings are of one message. Pure.

A provider may tell of a message twice: by a call, which has no id of it and perhaps no time, and
when it is asked, with both. And a call that got no answer is repeated. So:

* Two ids tell two messages apart, and one id makes one of them, whatever else they say.
* Without an id on both sides, two times of the provider do the same.
* Else they are one message if sender, number of ours and text are the same, and their times lie
  within ``WINDOW``.

A provider that tells no times is asked at its own pace: what it names then is the message that was
told without a name before, however long ago it can have been (``REACH``). Each is named once.
When that was said is not known otherwise than by the questions (``since``).

Somebody who writes the same twice within that time is heard twice where the provider is asked,
which counts, and once where it only calls, for a repeated call looks no different.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

import attrs

from notify_core.callback import Incoming

WINDOW: Final = timedelta(minutes=10)
"""How far the times of one message may lie apart: that of a call that was repeated, and clocks."""

REACH: Final = timedelta(days=8)
"""How far back a provider that tells no times can be asked, with some room."""

LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Before anything was said."""


@attrs.frozen(kw_only=True)
class Sighting:
    """Something that came in, as it was told once.

    ``at`` is the provider's time of it, else when it was told or asked for. ``delivery_id`` is
    the delivery that it seems to answer. ``since`` is after when it was said, if nothing else is
    known of its time.
    """

    incoming: Incoming
    at: datetime
    delivery_id: str | None = None
    since: datetime | None = None

    @property
    def fingerprint(self) -> str | None:
        """What only this message has; None without an id.

        Nothing of what was said or by whom goes into it: numbers are few enough to try them all.
        """
        told = self.incoming
        if told.provider_id is None:
            return None
        facts = "\0".join((told.provider, told.kind.value, told.provider_id))
        digest = hashlib.blake2b(facts.encode(errors="backslashreplace"), digest_size=16)
        return digest.hexdigest()


def time_of(incoming: Incoming) -> datetime | None:
    """Return the provider's own time of a message, or None if it tells none."""
    return incoming.received_at or incoming.sent_at


def same_as(told: Sighting, known: Iterable[Sighting]) -> Sighting | None:
    """Return the one that is of the same message, the nearest in time; None if it is a new one."""
    found = [each for each in known if is_same(told, each)]
    return min(found, key=lambda each: abs(each.at - told.at), default=None)


def is_same(one: Sighting, other: Sighting) -> bool:
    """Tell whether what is told now, ``one``, is of the same message as what is known."""
    ids = (one.incoming.provider_id, other.incoming.provider_id)
    if None not in ids:
        return one.fingerprint == other.fingerprint
    if not says_the_same(one.incoming, other.incoming):
        return False
    times = (time_of(one.incoming), time_of(other.incoming))
    if ids == (None, None) and None not in times:
        return times[0] == times[1]
    if ids[0] is not None and times == (None, None):
        # A provider that tells no times is asked much later than it has called.
        return one.at - REACH <= other.at <= one.at + WINDOW
    return abs(one.at - other.at) <= WINDOW


def says_the_same(one: Incoming, other: Incoming) -> bool:
    """Tell whether two messages are of one sender, to one number, with one text."""
    return (
        (one.provider, one.kind, one.sender) == (other.provider, other.kind, other.sender)
        and _words(one) == _words(other)
        and (one.to is None or other.to is None or _number(one.to) == _number(other.to))
    )


def _words(incoming: Incoming) -> list[str]:
    # A form ends its lines otherwise than JSON.
    return incoming.text.split()


def _number(to: str) -> str:
    return to.removeprefix("+")
