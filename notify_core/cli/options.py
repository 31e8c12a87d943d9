"""The options that commands share, and the plain values that those of a message stand for."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import attrs
import click

from notify_core.config.values import parse_duration
from notify_core.errors import MessageError, RecipientError
from notify_core.message import Message, Priority
from notify_core.plain.messages import MessageTypes, file_field, make_message, message_type

Given: TypeAlias = Mapping[str, Any]
"""What was given to the options of a message, by parameter name; None or () where nothing was."""

_Command = TypeVar("_Command", bound=Callable[..., Any])

DEFAULT_CONFIG = "notify.yaml"

LOOKS_LIKE_A_NUMBER = re.compile(r"\+?[\d\s()./-]+")
"""What may be a telephone number, in whatever form."""

config_option = click.option(
    "--config",
    "config",
    type=click.Path(path_type=Path),
    envvar="NOTIFY_CONFIG",
    default=DEFAULT_CONFIG,
    show_default=True,
    show_envvar=True,
    help="The configuration.",
)
reload_option = click.option(
    "--reload/--no-reload",
    default=True,
    help="Whether to go on with a changed configuration by itself.  [default: it does]",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")

# Parameter name and attribute of the message, for the options that are passed on as they are.
_PASSED_ON = {
    "text": "text",
    "sender": "sender",
    "tag": "tags",
    "priority": "priority",
    "subject": "subject",
    "html": "html",
    "send_at": "send_at",
    "valid_for": "valid_for",
    "key": "key",
    "bot": "bot",
    "voice": "voice",
    "hex_data": "data",
    "url": "url",
    "title": "title",
}
_KINDS = ("phone", "email", "telegram")

_MESSAGE_OPTIONS = (
    click.argument("channel", required=False),
    click.option("--to", multiple=True, metavar="ADDRESS", help="Whom to. May be repeated."),
    click.option("--phone", help="A phone number of the one recipient, for other channels."),
    click.option("--email", help="A mail address of the one recipient."),
    click.option("--telegram", help="@username or #id of the one recipient."),
    click.option("--text", help="What to say; - reads it from standard input."),
    click.option("--text-file", metavar="PATH", help="The same from a file; - is standard input."),
    click.option("--sender", help="The name or address to send from."),
    click.option("--tag", multiple=True, help="A tag for the routes. May be repeated."),
    click.option(
        "--priority",
        type=click.Choice([member.name.lower() for member in Priority]),
        help="How much it may wait.",
    ),
    click.option("--send-at", metavar="TIME", help="When, like 2030-01-31T12:00:00+03:00."),
    click.option("--valid-for", metavar="SPAN", help="How long it is worth sending, like 5m."),
    click.option("--key", help="Your own key: what has the same key is sent once."),
    click.option("--subject", help="mail, mms."),
    click.option("--html", help="mail."),
    click.option("--attach", multiple=True, metavar="PATH", help="A file. May be repeated."),
    click.option("--bot", help="telegram: the bot that sends, @name_bot."),
    click.option("--voice", help="call: the voice that speaks."),
    click.option("--hex", "hex_data", metavar="DIGITS", help="binary: the data."),
    click.option("--url", help="wap_push."),
    click.option("--title", help="wap_push."),
    click.option(
        "--extra", multiple=True, metavar="TYPE.NAME=VALUE", help="For one provider type."
    ),
    click.option(
        "--field", multiple=True, metavar="NAME=VALUE", help="Any other attribute of the message."
    ),
    click.option(
        "--message", metavar="FILE.json", help="A whole message instead of all these; - reads it."
    ),
)


def read_span(
    context: click.Context,  # noqa: ARG001
    option: click.Parameter,  # noqa: ARG001
    text: str | None,
) -> timedelta | None:
    """Read a duration as the configuration has it; a callback of an option."""
    try:
        return None if text is None else parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} {error}") from error


def read_moment(
    context: click.Context,  # noqa: ARG001
    option: click.Parameter,  # noqa: ARG001
    text: str | None,
) -> datetime | None:
    """Read a time, or a duration, which means so long ago; a callback of an option."""
    if text is None:
        return None
    moment = _so_long_ago(text) or _time_of(text)
    if moment is None:
        raise click.BadParameter(f"{text!r} is neither like 2h nor like {_TIME}")
    if moment.tzinfo is None:
        raise click.BadParameter(f"{text!r} needs its zone, like {_TIME}")
    return moment


_TIME = "2030-01-31T12:00:00+03:00"


def _so_long_ago(text: str) -> datetime | None:
    try:
        return datetime.now(UTC) - parse_duration(text)
    except (ValueError, OverflowError):
        return None


def _time_of(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def message_options(command: _Command) -> _Command:
    """Add the options that describe a message; they are passed on as keywords."""
    return functools.reduce(lambda made, add: add(made), reversed(_MESSAGE_OPTIONS), command)


def read_message(given: Given, known: MessageTypes) -> Message:
    """Make the message that the options describe. Raises ``MessageError``; reads files."""
    if given["message"] is None:
        message = make_message(values_of(_with_text(given), known), known)
        if not message.to:
            raise RecipientError("the message has no recipient; give --to")
        return message
    if any(value not in (None, ()) for name, value in given.items() if name != "message"):
        raise MessageError("--message holds the whole message; leave the other options out")
    try:
        return make_message(json.loads(_read_text(given["message"])), known)
    except json.JSONDecodeError as error:
        raise MessageError(f"{given['message']} is not JSON: {error}") from error


def values_of(given: Given, known: MessageTypes) -> dict[str, Any]:
    """Return what the options say as the values of a message file would. Pure."""
    values = {
        attribute: given[option]
        for option, attribute in _PASSED_ON.items()
        if given[option] not in (None, ())
    }
    target = message_type(given["channel"], known)
    fields = dict(_pair("--field", field) for field in given["field"])
    _check_zone(values.get("send_at"))
    return {
        "channel": given["channel"],
        "to": _recipients(given, target),
        **values,
        **_files(given["attach"], target),
        **_extra(given["extra"]),
        **fields,
    }


def _with_text(given: Given) -> Given:
    if given["text_file"] is not None and given["text"] is not None:
        raise MessageError("give --text or --text-file, not both")
    source = "-" if given["text"] == "-" else given["text_file"]
    return given if source is None else {**given, "text": _without_line_end(_read_text(source))}


def _without_line_end(text: str) -> str:
    # Editors and echo put one there, and nobody means it.
    return text.removesuffix("\n").removesuffix("\r")


def _read_text(source: str) -> str:
    try:
        with click.open_file(source, encoding="utf-8") as file:
            return str(file.read())
    except OSError as error:
        raise MessageError(f"{source}: {error.strerror or 'cannot be read'}") from error
    except UnicodeDecodeError as error:
        raise MessageError(f"{source}: is not UTF-8") from error


def _check_zone(send_at: str | None) -> None:
    """Say it as somebody who types the option can mend it; the message says it in Python."""
    try:
        lacks_zone = send_at is not None and datetime.fromisoformat(send_at).tzinfo is None
    except ValueError:  # no time at all, which is told when it is read
        return
    if lacks_zone:
        raise MessageError("--send-at: add the zone, like 2030-01-31T12:00:00+03:00")


def _recipients(given: Given, target: type[Message]) -> list[Any]:
    added = {kind: given[kind] for kind in _KINDS if given[kind] is not None}
    if not added:
        return list(given["to"])
    if len(given["to"]) > 1:
        raise MessageError("--phone, --email and --telegram are for one recipient; give one --to")
    known = [attrs.asdict(target.contact_for(address)) for address in given["to"]]
    return [{**(known[0] if known else {}), **added}]


def _files(paths: Iterable[str], target: type[Message]) -> dict[str, Any]:
    paths = list(paths)
    if not paths:
        return {}
    name = file_field(target)
    if name is None:
        raise MessageError(f"{target.channel} carries no files; leave --attach out")
    return {name: paths[0] if len(paths) == 1 else paths}


def _extra(given: Iterable[str]) -> dict[str, Any]:
    extra: dict[str, dict[str, str]] = {}
    for each in given:
        name, value = _pair("--extra", each)
        provider_type, dot, parameter = name.partition(".")
        if not dot:
            raise MessageError("--extra: write it as TYPE.NAME=VALUE, smsc.tinyurl=1")
        extra.setdefault(provider_type, {})[parameter] = value
    return {"extra": extra} if extra else {}


def _pair(option: str, text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise MessageError(f"{option}: write it as NAME=VALUE")
    return name, value
