"""The answers of the commands for the journal as tables for people. Pure; see ``tables``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from rich.console import RenderableType

from notify_core.cli.shapes import Shape
from notify_core.cli.tables import WideTable, counted, line, outcome_words, table

_DELIVERIES = ("Id", "To", "Stage", "Outcome", "Made", "Route", "Channel", "Provider", "Next")
_ALSO = ("Made", "Route", "Channel", "Provider", "Next")

_PENDING = {
    "hold": "it is being carried on; it is held before anything more is begun",
    "cancel": "nothing more is begun; what has gone is still found out",
}

# --- deliveries -----------------------------------------------------------------------------


def deliveries_tables(shape: Shape) -> list[RenderableType]:
    """``notify deliveries``."""
    deliveries = shape["deliveries"]
    if not deliveries:
        return [line("none")]
    rows = [
        (
            each["id"],
            each["recipient"],
            each["stage"],
            outcome_so_far(each),
            short(each["created_at"]),
            each["route"],
            each["channel"] or _last(each, "channel"),
            each["provider"] or _last(each, "provider"),
            short(each["next_at"]),
        )
        for each in deliveries
    ]
    made: list[RenderableType] = [WideTable(_DELIVERIES, rows, key="Id", second=_ALSO)]
    if shape["next"] is not None:
        made.append(line(f"more: --after {shape['next']}"))
    return made


def history_tables(shape: Shape) -> list[RenderableType]:
    """``notify deliveries ID``."""
    delivery = shape["delivery"]
    outcome = outcome_so_far(delivery)
    facts = (
        ("id", delivery["id"]),
        ("message", delivery["message_id"]),
        ("to", delivery["recipient"]),
        ("priority", delivery["priority"]),
        ("stage", delivery["stage"]),
        ("outcome", outcome),
        ("reason", outcome and delivery["reason"]),
        ("provider's id", delivery["provider_id"]),
        ("cost", delivery["cost"]),
        ("deadline", short(delivery["deadline_at"])),
    )
    events = [(short(each["at"]), each["event"], each["detail"]) for each in shape["timeline"]]
    return [
        table(("Fact", "Value"), [fact for fact in facts if fact[1] is not None]),
        table(("At", "Event", "Detail"), events),
        *(line(warning, "yellow") for warning in delivery["warnings"]),
    ]


def decided_tables(shape: Shape) -> list[RenderableType]:
    """``notify hold``, ``release`` and ``cancel``."""
    deliveries = shape["deliveries"]
    rows = [
        (
            each["id"],
            each["recipient"],
            each["stage"],
            each["outcome"] and outcome_so_far(each),
            short(each["next_at"]),
        )
        for each in deliveries
    ]
    notes = (note for each in deliveries for note in _decision_notes(each, shape["wanted"]))
    return [table(("Id", "To", "Stage", "Outcome", "Next"), rows), *notes]


def _decision_notes(decided: Shape, wanted: str) -> Iterator[RenderableType]:
    if not decided["done"]:
        yield line(f"{decided['id']}: {decided['problem']}", "bold")
    elif decided["stage"] == "under_way" and wanted in _PENDING:
        yield line(f"{decided['id']}: {_PENDING[wanted]}")


def resumed_tables(shape: Shape) -> list[RenderableType]:
    """``notify resume``."""
    rows = [(when, *_health(shape[key])) for when, key in (("before", "before"), ("now", "health"))]
    return [table((shape["provider"], "Health", "Failures", "Reason"), rows)]


def _health(health: Shape) -> tuple[object, ...]:
    return health["state"], health["failures"], health["reason"]


def outcome_so_far(delivery: Shape) -> str | None:
    """Return the word for what is known; None before anything has been tried."""
    untried = delivery["scope"] == "withheld" and delivery["stage"] != "ended"
    return None if untried else outcome_words(delivery)


def _last(delivery: Shape, fact: str) -> object:
    return delivery["attempts"][-1][fact] if delivery["attempts"] else None


def short(moment: str | None) -> str | None:
    """Return a time to the second, in UTC."""
    if moment is None:
        return None
    return f"{datetime.fromisoformat(moment).astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"


# --- keeping house --------------------------------------------------------------------------


def migrated_tables(shape: Shape) -> list[RenderableType]:
    """``notify journal migrate``."""
    before, version = shape["before"], shape["version"]
    if before == version:
        return [line(f"the journal has version {version} already")]
    return [line(f"the journal has version {version} now, {before or 'nothing'} before")]


def checked_tables(shape: Shape) -> list[RenderableType]:
    """``notify journal check``."""
    if shape["ok"]:
        return [line("OK")]
    return [line(each, "red") for each in shape["wrong"]]


def purged_tables(shape: Shape) -> list[RenderableType]:
    """``notify journal purge``."""
    rows = [(each["what"], short(each["before"]), each["count"]) for each in shape["purged"]]
    return [table(("Purged", "Made before", "Count"), rows)]


def erased_tables(shape: Shape) -> list[RenderableType]:
    """``notify journal erase``."""
    left = shape["left"]
    waiting = shape["waiting"]
    number = len(left) + len(waiting)
    made: list[RenderableType] = [line(f"erased: {shape['erased']}, left: {number}")]
    if left:
        made.append(
            line("Those that were left have not ended. Cancel them and erase again:", "bold")
        )
        made.append(line(f"  notify cancel {' '.join(left)}"))
    if waiting:
        says = f"The application has not heard yet of {' '.join(waiting)}. Erase again then."
        made.append(line(says, "bold"))
    return made


def stats_tables(shape: Shape) -> list[RenderableType]:
    """``notify journal stats``."""
    late = shape["oldest_due_s"]
    row = (
        shape["under_way"],
        shape["due"],
        None if late is None else f"{late:.1f} s",
        shape["held"],
    )
    return [table(("Under way", "Due", "Oldest late by", "Held"), [row])]


# --- work -----------------------------------------------------------------------------------


def worked_tables(shape: Shape) -> list[RenderableType]:
    """``notify worker``, when it has ended."""
    counts = shape["attempts"]
    words = ", ".join(
        f"{count} {word.replace('_', ' ')}" for word, count in counts.items() if count
    )
    told = f": {words}" if words else ""
    ended, held = counted(shape["ended"], "delivery", "deliveries"), shape["held"]
    attempts = counted(sum(counts.values()), "attempt")
    return [line(f"worker ended: {ended} ended, {held} held; {attempts}{told}")]
