"""Commands that the gateway reads out of the text of a message.

Whoever can put words into a text could otherwise make a call of an SMS, hide a part of it or
show a button, so a text with a command is refused unless the message allows that command by
name: ``extra={"smsc": {"allow": ["menu"]}}``.

Sources: https://smscentre.com/api/http/send/sms (``\\n``, comments, ``code``),
https://smscentre.com/api/http/send/voice/voicemenu/ , https://smscentre.com/api/http/send/whatsapp
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType

import attrs

from notify_core.errors import MessageError, UnsupportedFeature


@attrs.frozen
class _Command:
    shape: re.Pattern[str]
    what: str
    fix: str


COMMANDS: Mapping[str, _Command] = MappingProxyType(
    {
        "prefix": _Command(
            re.compile(r"\A[\s\ufeff]*__(?:(?i:call|viber|soc|ping|hlr)|[A-Z]+)__"),
            "a prefix such as __CALL__, which changes the channel",
            "send a message of that channel's type",
        ),
        "comment": _Command(
            re.compile(r"(?:\A|[\n\r\v\f\x85\u2028\u2029]|\\n)[ \t]*~~~"),
            "a line ~~~, which hides what follows",
            "take it out",
        ),
        "menu": _Command(
            re.compile(r"(?i)\{\s*menu\s*:"), "{menu:, a voice menu", "write it without the {"
        ),
        "button": _Command(
            re.compile(r"(?i)\{\s*button\s*,"),
            "{button,, a button under a message",
            "use Viber(button=Button(…))",
        ),
        "file": _Command(
            re.compile(r"(?i)<\s*file\b"),
            "<file, a file to fetch and send",
            "use WhatsApp(media_url=…)",
        ),
        "newline": _Command(
            re.compile(r"\\n"),
            "a backslash and n, which become a line break",
            "write a line break, or another character for the backslash",
        ),
    }
)
"""What may stand in any text, by the name under which a message allows it."""

CODE = "code"
"""The name that allows the text ``code`` of a call, for which the gateway makes up a code."""

NO_SUBJECT = "no_subject"
"""The name that allows a mail by letter to go without its subject, which a letter cannot carry."""

_ANY_SIGN = re.compile(r"__|~~~|\{|<|\\")


def check_text(text: str, allowed: Collection[str] = ()) -> str:
    """Return the text, or raise ``UnsupportedFeature`` if it holds a command not allowed."""
    # One look for all of them: hardly any text has one of these signs.
    if _ANY_SIGN.search(text):
        for name in _commands_in(text):
            if name not in allowed:
                raise UnsupportedFeature(_refusal(COMMANDS[name].what, COMMANDS[name].fix, name))
    return text


def check_spoken(text: str, allowed: Collection[str] = ()) -> str:
    """Return the text of a call, which must not be the word ``code`` either."""
    if text.strip().casefold() == CODE and CODE not in allowed:
        what = "nothing but the word code, which makes the gateway invent one"
        raise UnsupportedFeature(_refusal(what, "say more than that", CODE))
    return check_text(text, allowed)


def read_allowed(value: object) -> frozenset[str]:
    """Read ``allow`` of a message's extra parameters; ``MessageError`` for other names."""
    names = (value,) if isinstance(value, str) else value
    known = sorted((*COMMANDS, CODE, NO_SUBJECT))
    if not isinstance(names, tuple | list | set | frozenset) or any(
        name not in known for name in names
    ):
        raise MessageError(f"extra smsc.allow: a list of {', '.join(known)}")
    return frozenset(names)


def _commands_in(text: str) -> Iterator[str]:
    return (name for name, command in COMMANDS.items() if command.shape.search(text))


def _refusal(what: str, fix: str, name: str) -> str:
    return (
        f"the text holds {what}; {fix}, or allow it with extra={{'smsc': {{'allow': ['{name}']}}}}"
    )
