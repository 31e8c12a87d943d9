"""What the loader refuses too, for a configuration that was not read from a file."""

from __future__ import annotations

from notify_core.config.model import (
    Config,
    IfUnknown,
    JournalConfig,
    LegConfig,
    Mode,
    Route,
    TextAtRest,
    Until,
)
from notify_core.config.problems import unknown
from notify_core.config.sections import IncomingConfig, Suppression
from notify_core.errors import ConfigError, Problem


def refuse_unusable(config: Config) -> None:
    """Raise ``ConfigError`` for what could not be carried out, or not be kept meanwhile."""
    if config.webhooks and config.journal is None:
        raise _wrong("webhooks", "needs a journal, where what is still to be told is kept")
    _refuse_unknown_networks(config)
    if len({webhook.url for webhook in config.webhooks}) < len(config.webhooks):
        raise _wrong("webhooks", "two have one url; give it once, with the secrets of both")
    if config.journal is None and config.suppression != Suppression():
        raise _wrong("suppression", "needs a journal, where the list is kept")
    if config.journal is None and config.incoming != IncomingConfig():
        raise _wrong("incoming", "needs a journal, where messages are kept")
    for route in config.routes:
        _refuse_waiting_of(route, config.journal)


def _refuse_unknown_networks(config: Config) -> None:
    """Refuse a name that would let everybody in, since it is not that of a provider."""
    known = [provider.name for provider in config.providers]
    for name in config.callbacks.networks:
        if name not in known:
            raise _wrong("callbacks.networks", unknown(name, "a provider here", known))


def _refuse_waiting_of(route: Route, journal: JournalConfig | None) -> None:
    if route.quiet is not None and journal is None:
        raise _wrong(f"routes.{route.name}.quiet", "needs a journal, where messages wait")
    if route.if_unknown is IfUnknown.NEXT:
        raise _wrong(f"routes.{route.name}.if_unknown", "IfUnknown.NEXT belongs to a leg")
    for number, leg in enumerate(route.legs):
        is_last = number + 1 == len(route.legs)
        problem = _problem_of_waiting(route, leg, journal, is_last=is_last)
        if problem is not None:
            raise _wrong(f"routes.{route.name}.legs[{number}]", problem)


def _problem_of_waiting(
    route: Route, leg: LegConfig, journal: JournalConfig | None, *, is_last: bool
) -> str | None:
    if leg.until is Until.ACCEPTED:
        doubtful = leg.if_unknown is IfUnknown.NEXT
        return "IfUnknown.NEXT stands only on a leg that waits for a receipt" if doubtful else None
    if journal is None:
        return "until needs a journal, where messages wait"
    if route.mode is Mode.ALL_OF:
        return "no leg of all_of waits for a receipt"
    if is_last:
        return None
    if journal.text is TextAtRest.NEVER:
        return "the next leg could not be sent: journal.text: never keeps no text for it"
    if leg.within is None:
        return "until needs within, or the next leg might never follow"
    return None


def _wrong(place: str, problem: str) -> ConfigError:
    return ConfigError([Problem("configuration", 0, 0, place, problem)])
