"""The answers as tables for people, made from the shapes that ``--json`` prints. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import timedelta

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from notify_core.cli.output import printable
from notify_core.cli.shapes import Shape
from notify_core.config.values import duration_text

_STYLES = {
    "accepted": "green",
    "delivered": "green",
    "read": "green",
    "clicked": "green",
    "ok": "green",
    "refused": "red",
    "not_sent": "red",
    "unknown": "bold yellow",
    "partly": "bold yellow",
    "under_way": "cyan",
    "held": "bold yellow",
    "paused": "yellow",
    "stopped": "red",
}


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """Make a table; None is an empty cell, and a word such as ``refused`` has its colour."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in columns:
        # Folded where the terminal is narrow, never cut: half an id cannot be asked about.
        made.add_column(name, overflow="fold")
    for row in rows:
        made.add_row(*(_cell(value) for value in row))
    return made


def line(text: str, style: str = "") -> Text:
    """Make a line below a table."""
    return Text(printable(text), style)


def span_of(seconds: float) -> str:
    """Return a duration as the configuration has it."""
    return duration_text(timedelta(seconds=seconds))


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return how many things there are: ``1 message``, ``2 messages``."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def _cell(value: object) -> Text:
    text = "" if value is None else printable(str(value))
    return Text(text.replace("_", " ") if text in _STYLES else text, _STYLES.get(text, ""))


_ANY_WIDTH = 10_000


class WideTable:
    """One table of the columns that have something to tell; two where the terminal is narrow.

    The columns of the second one are ``second``, behind the ``key`` that stands in both.
    """

    def __init__(
        self,
        columns: Sequence[str],
        rows: Sequence[Sequence[object]],
        *,
        key: str,
        second: Sequence[str],
    ) -> None:
        self._columns = columns
        self._rows = rows
        self._key = key
        self._second = second
        self._told = [
            name
            for number, name in enumerate(columns)
            if any(row[number] is not None for row in rows)
        ]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        whole = self._table(self._told)
        width = console.measure(whole, options=options.update(width=_ANY_WIDTH)).maximum
        if width <= options.max_width:
            yield whole
            return
        yield self._table([name for name in self._told if name not in self._second])
        second = [name for name in self._told if name in self._second]
        if second:
            yield self._table([self._key, *second])

    def _table(self, wanted: Sequence[str]) -> Table:
        shown = [number for number, name in enumerate(self._columns) if name in wanted]
        return table(
            [self._columns[number] for number in shown],
            [[row[number] for number in shown] for row in self._rows],
        )


# --- send -----------------------------------------------------------------------------------


_RECEIPT = ("Id", "Parts", "Cost", "Balance", "Status")
_DELIVERY = ("To", "Route", "Channel", "Provider", "Outcome", *_RECEIPT)


def report_tables(
    shape: Shape, askable: Collection[str], *, kept: bool = False
) -> list[RenderableType]:
    """``notify send``; ``askable`` are the providers that know a message by our own id.

    ``kept`` says that a journal has the deliveries.
    """
    deliveries = shape["deliveries"]
    rows = [
        (
            each["recipient"],
            each["route"],
            each["channel"] or _last(each, "channel"),
            each["provider"] or _last(each, "provider"),
            _standing(each),
            each["provider_id"] or each["own_id"] or _id_in_doubt(each),
            each["parts"],
            each["cost"],
            each["balance"],
            each["status"] and each["status"]["state"],
        )
        for each in deliveries
    ]
    notes = (note for each in deliveries for note in _notes(each, askable, kept=kept))
    return [WideTable(_DELIVERY, rows, key="To", second=_RECEIPT), *notes]


def enqueued_tables(shape: Shape) -> list[RenderableType]:
    """``notify send --enqueue``."""
    rows = [(each["recipient"], each["id"]) for each in shape["enqueued"]]
    return [table(("To", "Id"), rows), line("enqueued; a worker sends it: notify worker")]


def _last(delivery: Shape, fact: str) -> object:
    """Return a fact of the last attempt, for a delivery that nobody accepted."""
    return delivery["attempts"][-1][fact] if delivery["attempts"] else None


def _id_in_doubt(delivery: Shape) -> object:
    return _last(delivery, "own_id") if delivery["outcome"] == "unknown" else None


def _standing(delivery: Shape) -> str:
    """Return the word for a delivery; one that may still go is not called *not sent*."""
    if delivery["stage"] == "ended" or delivery["outcome"] == "unknown":
        return outcome_words(delivery)
    return str(delivery["stage"])


def outcome_words(delivery: Shape) -> str:
    """Return the word for a delivery; that of a part which may have gone outweighs the others."""
    partly = delivery["partly"] and delivery["outcome"] != "unknown"
    return "partly" if partly else str(delivery["outcome"])


def _notes(delivery: Shape, askable: Collection[str], *, kept: bool) -> Iterator[RenderableType]:
    who = delivery["recipient"]
    if delivery["partly"]:
        yield line(f"{who}: some of it went. Do not repeat the whole:", "bold")
        yield from (line(f"  {leg['channel']}: {_leg_result(leg)}") for leg in delivery["legs"])
    elif delivery["outcome"] != "accepted":
        yield line(f"{who}: {_why(delivery)}")
    if delivery["stage"] == "under_way":
        yield line(f"{who}: it is not over; a worker carries it on. Do not send it again.", "bold")
    elif delivery["outcome"] == "unknown":
        yield line(f"{who}: it may have gone. Do not send it again. To find out:", "bold")
        yield from _questions(delivery, askable)
    if kept and delivery["stage"] != "ended":
        yield line(f"  notify deliveries {delivery['id']}")
    for skip in delivery["skipped"]:
        yield line(f"{who}: {skip['provider']} was not tried: {skip['reason']}")
    for warning in delivery["warnings"]:
        yield line(f"{who}: {warning}", "yellow")


def _leg_result(leg: Shape) -> str:
    if leg["outcome"] == "accepted":
        return f"accepted by {leg['provider']} as {leg['provider_id'] or leg['own_id']}"
    return _why(leg)


def _why(failed: Shape) -> str:
    scope = f" ({failed['scope']})" if failed["scope"] else ""
    return f"{failed['outcome'].replace('_', ' ')}{scope}: {failed['reason']}"


def _questions(delivery: Shape, askable: Collection[str]) -> Iterator[RenderableType]:
    for attempt in delivery["attempts"]:
        if attempt["outcome"] != "unknown":
            continue
        provider, own_id = attempt["provider"], attempt["own_id"]
        if provider in askable:
            yield line(f"  notify status --provider {provider} --own-id {own_id} --to ADDRESS")
        else:
            yield line(f"  provider {provider} cannot be asked; look it up there")


# --- cost, status, balance ------------------------------------------------------------------


def estimates_tables(shape: Shape) -> list[RenderableType]:
    """``notify cost``."""
    rows = [
        (each["recipient"], each["provider"], each["parts"], each["cost"], each["currency"])
        for each in shape["estimates"]
    ]
    made: list[RenderableType] = [table(("To", "Provider", "Parts", "Cost", "Currency"), rows)]
    if shape["total"] is not None and len(rows) > 1:
        made.append(line(f"together {shape['total']}"))
    return made


def statuses_tables(shape: Shape) -> list[RenderableType]:
    """``notify status``."""
    rows = [
        (
            each["id"] or each["own_id"],
            each["to"],
            each["state"],
            "yes" if each["final"] else "no",
            each["code"],
            each["error"],
            each["detail"],
            each["at"],
        )
        for each in shape["statuses"]
    ]
    return [table(["Id", "To", "State", "Final", "Code", "Error", "Detail", "At"], rows)]


def accounts_tables(shape: Shape) -> list[RenderableType]:
    """``notify balance``."""
    rows = [
        (each["provider"], each["balance"], each["credit"], each["currency"], each["error"])
        for each in shape["accounts"]
    ]
    return [table(("Provider", "Balance", "Credit", "Currency", "Error"), rows)]


# --- providers ------------------------------------------------------------------------------


def providers_tables(shape: Shape) -> list[RenderableType]:
    """``notify providers``."""
    rows = [
        (
            each["name"],
            each["type"],
            ", ".join(each["channels"]),
            ", ".join(_abilities(each["capabilities"])),
            each["health"]["state"],
        )
        for each in shape["providers"]
    ]
    return [
        table(("Provider", "Type", "Channels", "Can", "Health"), rows),
        line(f"installed types: {', '.join(shape['types']) or 'none'}"),
        *(line(f"failed: {failure['message']}", "red") for failure in shape["failures"]),
    ]


def _abilities(capabilities: Shape) -> Iterator[str]:
    for name, value in capabilities.items():
        if value is True:
            yield name.replace("_", " ")
    both = capabilities["receipts"] == capabilities["incoming"]
    told = {"receipts and messages": "receipts"} if both else _WAYS_BACK
    for what, name in told.items():
        if capabilities[name]:
            yield f"{what} by {' and '.join(capabilities[name])}"


_WAYS_BACK = {"receipts": "receipts", "messages": "incoming"}
