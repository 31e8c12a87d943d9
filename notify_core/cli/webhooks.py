"""``notify webhooks …``: what addresses of the application are told. No provider is made for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import RenderableType

from notify_core.cli.exits import Exit
from notify_core.cli.options import config_option, json_option
from notify_core.cli.output import answer
from notify_core.cli.session import Housekeeping, opened_journal
from notify_core.cli.shapes import Shape, iso
from notify_core.cli.tables import line, table
from notify_core.clock import SystemClock
from notify_core.config.sections import WebhookConfig
from notify_core.journal.webhooks import Telling, Told, WebhookStore
from notify_core.plugins import Plugins
from notify_core.webhooks import try_out
from notify_core.webhooks.signing import new_secret
from notify_core.webhooks.verdicts import is_success

_ENDED = (Telling.GIVEN_UP, Telling.GONE)
_USUAL = (Telling.GONE, Telling.GIVEN_UP, Telling.WAITING)


@click.group()
def webhooks() -> None:
    """See to what addresses of the application are told."""


@webhooks.command("list")
@click.option(
    "--state",
    type=click.Choice([each.value for each in Telling]),
    help="Only these. Without it: all but told.",
)
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True)
@config_option
@json_option
@click.pass_obj
def list_(plugins: Plugins, /, state: str | None, limit: int, config: Path, as_json: bool) -> None:
    """Show what is still to be told, and what was given up."""
    wanted = _USUAL if state is None else (Telling(state),)
    with opened_journal(config, plugins) as session:
        store = WebhookStore(session.journal.database)
        told = [each for telling in wanted for each in store.all(telling, limit)]
        urls = [each.url for each in session.config.webhooks]
    shape = {"webhooks": [_shape(each, urls) for each in told[:limit]]}
    answer(shape, _listed, as_json=as_json)


@webhooks.command()
@click.argument("ids", nargs=-1)
@config_option
@json_option
@click.pass_context
def retry(context: click.Context, /, ids: Sequence[str], config: Path, as_json: bool) -> None:
    """Begin anew with what was given up: with these IDS, or with all.

    An address that was gone is told again. A worker does it: notify worker.
    """
    with opened_journal(config, context.obj) as session:
        retried, unknown = _retried(session, ids)
    answer({"retried": retried, "unknown": unknown}, _retried_lines, as_json=as_json)
    if unknown:
        context.exit(Exit.FAILED)


@webhooks.command()
@click.argument("url", required=False)
@config_option
@json_option
@click.pass_context
def test(context: click.Context, /, url: str | None, config: Path, as_json: bool) -> None:
    """Call each address, or the one with this URL, with a test, and show what it answers.

    The exit code is 1 if one of them does not answer with success.
    """
    with opened_journal(config, context.obj) as session:
        results = [_test(each) for each in _wanted(session.config.webhooks, url)]
    answer({"tests": results}, _tested_tables, as_json=as_json)
    if not all(each["ok"] for each in results):
        context.exit(Exit.FAILED)


@webhooks.command()
@json_option
def secret(as_json: bool) -> None:
    """Make a new secret. Whoever has it can call in our name."""
    answer({"secret": new_secret()}, lambda made: [line(made["secret"])], as_json=as_json)


def _retried(session: Housekeeping, ids: Sequence[str]) -> tuple[int, Sequence[str]]:
    """Begin anew; return with how many, and the ids that nothing was given up under."""
    store, now = WebhookStore(session.journal.database), datetime.now(UTC)
    if not ids:
        urls = [each.url for each in session.config.webhooks]
        return sum(store.retry(now, url=url) for url in urls), []
    found = {each: store.find(each) for each in ids}
    given_up = {each: known for each, known in found.items() if known and known.telling in _ENDED}
    retried = sum(_retry(store, known, now) for known in given_up.values())
    return retried, [each for each in ids if each not in given_up]


def _retry(store: WebhookStore, given_up: Told, now: datetime) -> int:
    event_id = None if given_up.telling is Telling.GONE else given_up.id
    return store.retry(now, url=given_up.url, event_id=event_id)


def _wanted(known: Sequence[WebhookConfig], url: str | None) -> Sequence[WebhookConfig]:
    wanted = [each for each in known if url in (None, each.url)]
    if not wanted:
        raise click.UsageError(
            "no webhook is configured" if url is None else f"{url} is no webhook here"
        )
    return wanted


def _test(config: WebhookConfig) -> Shape:
    said = try_out(config, SystemClock())
    return {
        "url": config.url,
        "ok": is_success(said.status),
        "status": said.status,
        "answer": str(said),
    }


def _shape(told: Told, urls: Sequence[str]) -> Shape:
    return {
        "id": told.id,
        "url": told.url,
        "configured": told.url in urls,
        "state": told.telling.value,
        "since": iso(told.begun_at),
        "tries": told.tries,
        "next_at": iso(told.due_at),
        "answer": told.answer,
    }


def _listed(shape: Shape) -> list[RenderableType]:
    if not shape["webhooks"]:
        return [line("none")]
    columns = ("Id", "Url", "State", "Since", "Tries", "Next", "Last answer")
    keys = ("id", "url", "state", "since", "tries", "next_at", "answer")
    made: list[RenderableType] = [
        table(columns, [[each[key] for key in keys] for each in shape["webhooks"]])
    ]
    if not all(each["configured"] for each in shape["webhooks"]):
        made.append(line("some are for an address that is not configured; nobody tells them"))
    return made


def _retried_lines(shape: Shape) -> list[RenderableType]:
    unknown = (line(f"{each}: nothing was given up under this id") for each in shape["unknown"])
    return [line(f"begun anew: {shape['retried']}"), *unknown]


def _tested_tables(shape: Shape) -> list[RenderableType]:
    return [table(("Url", "Answer"), [(each["url"], each["answer"]) for each in shape["tests"]])]
