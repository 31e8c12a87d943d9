"""The options that say which deliveries of the journal are meant."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import click

from notify_core.cli.options import LOOKS_LIKE_A_NUMBER, Given, read_moment
from notify_core.delivery import Stage
from notify_core.errors import RecipientError
from notify_core.journal.model import Filter
from notify_core.phones import PhoneNumbers

_Command = TypeVar("_Command", bound=Callable[..., Any])

_OUTCOMES = ("accepted", "refused", "not_sent", "unknown")

_FILTER_OPTIONS = (
    click.option("--stage", type=click.Choice([stage.value for stage in Stage])),
    click.option("--outcome", type=click.Choice(_OUTCOMES), help="What is known so far."),
    click.option("--route", help="The name of the route."),
    click.option("--provider", help="The provider that accepted it or was tried last."),
    click.option("--to", metavar="ADDRESS", help="The whole address."),
    click.option("--message", metavar="ID", help="The id of the message."),
    click.option(
        "--since", metavar="TIME", callback=read_moment, help="Made since then: 2h ago, or a time."
    ),
    click.option(
        "--until", metavar="TIME", callback=read_moment, help="Made before then: 2h ago, or a time."
    ),
)


def filter_options(command: _Command) -> _Command:
    """Add the options that say which deliveries are meant; they are passed on as keywords."""
    return functools.reduce(lambda made, add: add(made), reversed(_FILTER_OPTIONS), command)


def read_filter(given: Given, region: str | None, **more: Any) -> Filter:
    """Return what the options look for; ``more`` are further attributes of the filter."""
    stage = given["stage"]
    return Filter(
        stage=None if stage is None else Stage(stage),
        outcome=given["outcome"],
        route=given["route"],
        provider=given["provider"],
        address=None if given["to"] is None else kept_address(given["to"], region),
        message_id=given["message"],
        after=given["since"],
        before=given["until"],
        **more,
    )


def kept_address(given: str, region: str | None) -> str:
    """Return an address as the journal has it: a number in international form."""
    if not LOOKS_LIKE_A_NUMBER.fullmatch(given):
        return given
    try:
        return PhoneNumbers(region).normalise(given).number
    except RecipientError:  # it may be an address of another kind
        return given
