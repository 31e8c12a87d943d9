"""What the loader refuses of waiting, for a configuration that was not read from a file."""

from __future__ import annotations

from notify_core.config.model import Config, IfUnknown, LegConfig, Mode, Route, Until
from notify_core.config.sections import IncomingConfig, Suppression
from notify_core.errors import ConfigError, Problem


def refuse_waiting(config: Config) -> None:
    """Raise ``ConfigError`` for what cannot wait, or could not be kept meanwhile."""
    if config.webhooks and config.journal is None:
        raise _wrong("webhooks", "needs a journal, where what is still to be told is kept")
    if len({webhook.url for webhook in config.webhooks}) < len(config.webhooks):
        raise _wrong("webhooks", "two have one url; give it once, with the secrets of both")
    if config.journal is None and config.suppression != Suppression():
        raise _wrong("suppression", "needs a journal, where the list is kept")
    if config.journal is None and config.incoming != IncomingConfig():
        raise _wrong("incoming", "needs a journal, where messages are kept")
    for route in config.routes:
        _refuse_waiting_of(route, has_journal=config.journal is not None)


def _refuse_waiting_of(route: Route, *, has_journal: bool) -> None:
    if route.quiet is not None and not has_journal:
        raise _wrong(f"routes.{route.name}.quiet", "needs a journal, where messages wait")
    if route.if_unknown is IfUnknown.NEXT:
        raise _wrong(f"routes.{route.name}.if_unknown", "IfUnknown.NEXT belongs to a leg")
    for number, leg in enumerate(route.legs):
        problem = _problem_of_waiting(route, leg, has_journal=has_journal)
        if problem is not None:
            raise _wrong(f"routes.{route.name}.legs[{number}]", problem)


def _problem_of_waiting(route: Route, leg: LegConfig, *, has_journal: bool) -> str | None:
    if leg.until is Until.ACCEPTED:
        doubtful = leg.if_unknown is IfUnknown.NEXT
        return "IfUnknown.NEXT stands only on a leg that waits for a receipt" if doubtful else None
    if not has_journal:
        return "until needs a journal, where messages wait"
    if route.mode is Mode.ALL_OF:
        return "no leg of all_of waits for a receipt"
    if leg.within is None and leg is not route.legs[-1]:
        return "until needs within, or the next leg might never follow"
    return None


def _wrong(place: str, problem: str) -> ConfigError:
    return ConfigError([Problem("configuration", 0, 0, place, problem)])
