"""The answers of ``notify incoming`` as tables for people. Pure; see ``tables``."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType

from notify_core.cli.journal_tables import short
from notify_core.cli.shapes import Shape
from notify_core.cli.tables import WideTable, line, table

_COLUMNS = ("Id", "At", "From", "To", "Standing", "Kind", "Provider", "Answers", "Next")
_ALSO = ("Kind", "Provider", "Answers", "Next")


def received_list_tables(shape: Shape) -> list[RenderableType]:
    """``notify incoming list``."""
    if not shape["incoming"]:
        return [line("none")]
    rows = [
        (
            each["id"],
            short(each["at"]),
            each["sender"],
            each["to"],
            each["standing"].replace("_", " "),
            each["kind"],
            each["provider"],
            each["delivery_id"],
            short(each["next_at"]),
        )
        for each in shape["incoming"]
    ]
    made: list[RenderableType] = [WideTable(_COLUMNS, rows, key="Id", second=_ALSO)]
    if shape["next"] is not None:
        made.append(line(f"more: --after {shape['next']}"))
    return made


def received_tables(shape: Shape) -> list[RenderableType]:
    """``notify incoming show``."""
    message = shape["message"]
    facts = (
        ("id", message["id"]),
        ("at", short(message["at"])),
        ("from", message["sender"]),
        ("to", message["to"]),
        ("text", message["text"]),
        ("kind", message["kind"]),
        ("channel", message["channel"]),
        ("provider", message["provider"]),
        ("provider's id", message["provider_id"]),
        ("answers", message["delivery_id"]),
        ("standing", message["standing"].replace("_", " ")),
        ("tries", message["tries"]),
        ("next", short(message["next_at"])),
    )
    known = [fact for fact in facts if fact[1] is not None]
    return [table(("Fact", "Value"), known), *_told(message), *_problems(message)]


def _told(message: Shape) -> Iterator[RenderableType]:
    rows = [(name, "told") for name in message["done"]]
    rows += [(name, f"failed: {kind}") for name, kind in message["failed"].items()]
    if rows:
        yield table(("Who", "How"), rows)


def _problems(message: Shape) -> Iterator[RenderableType]:
    if message["problem"] is not None:
        yield line(f"what it says cannot be read: {message['problem']}", "bold")
    elif not message["text_kept"]:
        yield line("what it said is no longer kept")
    if message["standing"] == "given_up":
        yield line(f"when that is mended: notify incoming tell-again {message['id']}")


def told_again_tables(shape: Shape) -> list[RenderableType]:
    """``notify incoming tell-again``."""
    rows = [
        (each["id"], "a worker tells it again" if each["done"] else "it is to be told anyway")
        for each in shape["incoming"]
    ]
    return [table(("Id", "What"), rows)]


def polled_tables(shape: Shape) -> list[RenderableType]:
    """``notify incoming poll``."""
    rows = [(each["provider"], _new(each), each["error"]) for each in shape["polled"]]
    return [table(("Provider", "New", "Error"), rows)] if rows else [line("none can be asked")]


def _new(polled: Shape) -> object:
    asked_before = polled["new"] is None and polled["error"] is None
    return "asked a moment ago" if asked_before else polled["new"]
