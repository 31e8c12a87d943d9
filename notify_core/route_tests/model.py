"""A test of the routes as it is written, and what is wrong with one that failed."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import attrs

from notify_core.config.model import Config
from notify_core.errors import MessageError
from notify_core.message import Message
from notify_core.plugins import Plugins


@attrs.frozen(kw_only=True)
class ExpectedLeg:
    """A leg that a plan must have; with ``via`` by these providers, ``in_order`` or in any."""

    channel: str
    via: tuple[str, ...] = ()
    in_order: bool = True


@attrs.frozen(kw_only=True)
class Expected:
    """What must become of a message: which way it takes, or how it is refused.

    What is None or empty may be anything. ``parts`` and ``cost`` are the most that the plan may
    come to; ``error`` is the class of the refusal, and ``words`` must stand in what it says.
    """

    route: str | None = None
    legs: tuple[ExpectedLeg, ...] | None = None
    parts: int | None = None
    cost: Decimal | None = None
    error: type[MessageError] | None = None
    words: str | None = None


@attrs.frozen(kw_only=True)
class RouteTest:
    """One test. ``message`` is an error where already making it is refused, as is expected.

    ``file`` and ``line`` are where it is written.
    """

    name: str
    message: Message | MessageError
    expect: Expected
    file: str
    line: int


@attrs.frozen(kw_only=True)
class Suite:
    """The tests of one configuration, and what is needed to run them."""

    path: Path
    config: Config
    plugins: Plugins
    tests: tuple[RouteTest, ...]
