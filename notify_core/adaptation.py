"""Declared crossings between channels: what a message becomes when it brings no alternative.

Text goes to text. A picture beside the text is dropped with a note; whatever else would be lost
(a button, a file, a subject) is an error, because the recipient would not get the meaning.
"""

from __future__ import annotations

import attrs

from notify_core.errors import AdaptationError
from notify_core.message import Call, Flash, Message, Sms, Social, Telegram, Viber, WhatsApp

_TEXT_TYPES: tuple[type[Message], ...] = (Sms, Flash, Viber, Telegram, WhatsApp, Social, Call)
_COMMON = tuple(field.name for field in attrs.fields(Message))


@attrs.frozen
class Adapted:
    """The message for another channel, and what was left out on the way (None: nothing)."""

    message: Message
    note: str | None = None


def can_adapt(source: type[Message], target: type[Message]) -> bool:
    """Say whether a crossing is declared between two message types."""
    return source is target or (source in _TEXT_TYPES and target in _TEXT_TYPES)


def adapt(message: Message, target: type[Message]) -> Adapted:
    """Carry ``message`` over to ``target``: by its alternative if it brings one, else as declared.

    The result has the id, recipients, tags and times of ``message``. Raises ``AdaptationError``
    when the meaning would be lost.
    """
    if type(message) is target:
        return Adapted(message)
    alternative = alternative_for(message, target)
    if alternative is not None:
        return Adapted(alternative)
    if not can_adapt(type(message), target):
        raise _lost(message, target, f"no crossing from {message.channel} is declared")
    note = _what_is_dropped(message, target)
    values = {name: getattr(message, name) for name in _COMMON} | {
        "to": message.contacts(),
        "alternatives": (),
        "text": message.body or _spoken(message, target),
    }
    return Adapted(target(**values), note)


def alternative_for(message: Message, target: type[Message]) -> Message | None:
    """Return the alternative of that type, addressed and timed like ``message``, or None.

    Sender, tags and extra are those of the alternative where it has its own.
    """
    for alternative in message.alternatives:
        if type(alternative) is target:
            return attrs.evolve(
                alternative,
                to=message.contacts(),
                id=message.id,
                key=message.key,
                priority=message.priority,
                tags=alternative.tags or message.tags,
                send_at=alternative.send_at or message.send_at,
                valid_for=alternative.valid_for or message.valid_for,
                extra=alternative.extra or message.extra,
            )
    return None


def _what_is_dropped(message: Message, target: type[Message]) -> str | None:
    if isinstance(message, Viber) and message.button is not None:
        raise _lost(message, target, "the button would be lost")
    picture = isinstance(message, Viber) and message.image is not None
    media = isinstance(message, WhatsApp) and message.media_url is not None
    if picture or media:
        return f"adapted from {message.channel} to {target.channel}: the picture is dropped"
    return None


def _spoken(message: Message, target: type[Message]) -> str:
    if isinstance(message, Call) and message.text.strip():
        return message.text
    raise _lost(message, target, "a recording has no text")


def _lost(message: Message, target: type[Message], why: str) -> AdaptationError:
    return AdaptationError(
        f"a {message.channel} message cannot become {target.channel}: {why}; "
        f"give it an alternative of type {target.__name__}"
    )
