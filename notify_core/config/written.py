"""How values are written in a configuration: what ``structure`` reads, the other way."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from datetime import time, timedelta
from decimal import Decimal
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import attrs

from notify_core.config.structure import keys_of
from notify_core.config.values import duration_text
from notify_core.message import Priority
from notify_core.secret import Secret

Plain: TypeAlias = bool | int | float | str | list[Any] | dict[str, Any] | None
"""What JSON and YAML have."""

MASK = "********"


def written(value: object) -> Plain:
    """Return a value of the configuration as it is written; a secret as a mask."""
    match value:
        case Priority():  # before int, which it is
            return value.name.lower()
        case enum.Enum():
            return str(value.value)
        case None | bool() | int() | float() | str():
            return value
        case timedelta():
            return duration_text(value)
        case time():
            return value.isoformat(timespec="minutes")
        case Decimal():
            return format(value, "f")
        case Secret():
            return MASK
        case ZoneInfo():
            return value.key
        case _:
            return _of_several(value)


def one_line(docstring: str | None) -> str:
    """Return a text for readers of the source as one for everybody: a line, without markup."""
    text = " ".join((docstring or "").split())
    return re.sub(r"``(.+?)``", r"\1", text)


def _of_several(value: object) -> Plain:
    if isinstance(value, Mapping):
        return {str(key): written(each) for key, each in value.items()}
    if isinstance(value, frozenset | set):
        return sorted((written(each) for each in value), key=str)
    if isinstance(value, tuple | list):
        return [written(each) for each in value]
    if attrs.has(type(value)):
        return {
            key: written(getattr(value, field.name)) for key, field in keys_of(type(value)).items()
        }
    return str(value)
