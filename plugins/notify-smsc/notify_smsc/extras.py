"""Further parameters of a send that a message may bring in ``extra["smsc"]``.

Each has its check, and nothing is passed on unseen:
https://smscentre.com/api/http/send/sms , https://smsc.ru/api/http/send/
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, TypeAlias

import attrs

from notify_core.errors import MessageError, UnsupportedFeature
from notify_core.message import Call, Message, Mms
from notify_smsc.formats import Format
from notify_smsc.inband import read_allowed
from notify_smsc.wire import Param

ALLOW = "allow"

VOICES = ("m", "m2", "w", "w2", "w3", "w4")
"""The voices of a call; ``w3`` and ``w4`` stand in newer lists only."""

Check: TypeAlias = Callable[[str], bool]


@attrs.frozen
class _Extra:
    form: str
    is_right: Check


def _one_of(*values: str) -> Check:
    return lambda value: value in values


def _within(low: float, high: float, shape: str = r"\d{1,6}") -> Check:
    pattern = re.compile(shape, re.ASCII)
    return lambda value: bool(pattern.fullmatch(value)) and low <= float(value) <= high


def _is_time(value: str) -> bool:
    if hours := re.fullmatch(r"(\d{1,2})-(\d{1,2})", value, re.ASCII):
        return int(hours[1]) < int(hours[2]) <= 24
    if re.fullmatch(r"0\d{1,11}|\+\d{1,7}|0", value, re.ASCII):
        return True
    return _is_date(value, "%d%m%y%H%M", 10) or _is_date(value, "%d.%m.%y %H:%M", 14)


def _is_date(value: str, form: str, length: int) -> bool:
    if len(value) != length:
        return False
    try:
        return bool(datetime.strptime(value, form))
    except ValueError:
        return False


def _is_ip_address(value: str) -> bool:
    try:
        return bool(ipaddress.ip_address(value))
    except ValueError:
        return False


def is_call_timing(value: str) -> bool:
    """Tell whether this is ``w,i,n``: 10…35 s to wait, 10…3600 s between, 1…9 attempts."""
    match = re.fullmatch(r"(\d{1,4}),(\d{1,4}),(\d)", value, re.ASCII)
    if not match:
        return False
    wait, pause, attempts = (int(number) for number in match.groups())
    return 10 <= wait <= 35 and 10 <= pause <= 3600 and 1 <= attempts <= 9


def _matches(shape: str) -> Check:
    pattern = re.compile(shape, re.ASCII)
    return lambda value: bool(pattern.fullmatch(value))


EXTRAS: Mapping[str, _Extra] = MappingProxyType(
    {
        "translit": _Extra("0, 1 or 2", _one_of("0", "1", "2")),
        "tinyurl": _Extra("0 or 1", _one_of("0", "1")),
        "maxsms": _Extra("the most parts, 1 to 255", _within(1, 255)),
        "time": _Extra("DDMMYYhhmm, 'DD.MM.YY hh:mm', h1-h2, 0<unix time> or +<minutes>", _is_time),
        "tz": _Extra("hours from Moscow time, -15 to 11", _within(-15, 11, r"[+-]?\d{1,2}(\.\d)?")),
        "period": _Extra("hours, 0.1 to 720", _within(0.1, 720, r"\d{1,3}(\.\d{1,3})?")),
        "freq": _Extra("minutes, 1 to 1440", _within(1, 1440)),
        "smsreq": _Extra("days, 10 to 999", _within(10, 999)),
        "imgcode": _Extra("the letters and digits of the picture", _matches(r"\w{1,32}")),
        "userip": _Extra("an IP address", _is_ip_address),
        "fileurl": _Extra("an http(s) address", _matches(r"https?://[\x21-\x7e]+")),
        "subj": _Extra("one line", lambda value: bool(value.strip()) and value.isprintable()),
        "voice": _Extra(", ".join(VOICES), _one_of(*VOICES)),
        "param": _Extra("w,i,n: 10…35 s, 10…3600 s, 1…9 attempts", is_call_timing),
        "pp": _Extra("the number of a partner", _within(1, 999999999, r"\d{1,9}")),
    }
)
"""What a message may add, with the form that each value must have."""

_CHANNEL_FLAGS = ("whatsapp", *(name for kind in Format for name, _ in kind.flag))

OURS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("login", "psw", "apikey"), "set it in the provider's configuration"),
        **dict.fromkeys(("phones", "mes"), "it comes from the message"),
        **dict.fromkeys(("list", "nl"), "use send_list"),
        **dict.fromkeys(("fmt", "charset", "cost", "op", "err", "id"), "it is set for each send"),
        "sender": "use message.sender",
        "valid": "use message.valid_for",
        "bot": "use Telegram(bot=…), or telegram_bot and whatsapp_bot of the configuration",
        **dict.fromkeys(_CHANNEL_FLAGS, "send a message of that type"),
    }
)
"""What a message may not add, because this provider sets it, and what to do instead."""

_NEEDS = MappingProxyType({"freq": "period", "tz": "time"})
_ONLY_WITH: Mapping[str, type[Message]] = MappingProxyType(
    {"voice": Call, "param": Call, "subj": Mms}
)


def extra_params(message: Message, taken: frozenset[str]) -> tuple[Param, ...]:
    """Return the further parameters that the message brings, checked.

    ``taken`` are the names that its own fields have used already.
    """
    extra = message.extra.get("smsc")
    if not extra:
        return ()
    wanted = tuple((name, value) for name, value in extra.items() if name != ALLOW)
    for name, _ in wanted:
        _check_name(name, message, taken | extra.keys())
        if name in taken:
            raise MessageError(f"extra smsc.{name}: the message says it already; give it once")
    return tuple((name, _checked(name, value)) for name, value in wanted)


def allowed_commands(message: Message) -> frozenset[str]:
    """Return what the message allows itself: in-band commands, the loss of its subject."""
    extra = message.extra.get("smsc")
    return read_allowed(extra[ALLOW]) if extra and ALLOW in extra else frozenset()


def _check_name(name: str, message: Message, present: frozenset[str]) -> None:
    if name in OURS:
        raise MessageError(f"extra smsc.{name}: cannot be given here; {OURS[name]}")
    if name not in EXTRAS:
        known = ", ".join(sorted((*EXTRAS, ALLOW)))
        raise MessageError(f"extra smsc.{name}: not known; known: {known}")
    if name == "smsreq" and "bot" not in present:
        raise UnsupportedFeature("extra smsc.smsreq: works with a bot only")
    if name in _NEEDS and _NEEDS[name] not in present:
        raise MessageError(f"extra smsc.{name}: does nothing without {_NEEDS[name]}")
    if name in _ONLY_WITH and not isinstance(message, _ONLY_WITH[name]):
        kind = _ONLY_WITH[name].__name__
        raise UnsupportedFeature(f"extra smsc.{name}: only for messages of the type {kind}")


def _checked(name: str, value: Any) -> str:
    # bool is an int: tinyurl=True means 1.
    text = str(int(value)) if isinstance(value, bool) else str(value)
    if not isinstance(value, str | int | float) or not EXTRAS[name].is_right(text):
        raise MessageError(f"extra smsc.{name}: must be {EXTRAS[name].form}")
    return text
