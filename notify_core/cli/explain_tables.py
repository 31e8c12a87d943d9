"""The answer of ``notify explain`` as tables for people. Pure; see ``tables``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType

from notify_core.cli.shapes import Shape
from notify_core.cli.tables import line, table

_LEG = ("Leg", "Channel", "To", "Providers", "Until", "Within", "Parts", "Costs", "Notes")


def explain_tables(shape: Shape) -> list[RenderableType]:
    """``notify explain``, of a message or of a stored delivery."""
    made = [part for decision in shape["decisions"] for part in _decision(decision)]
    if "delivery" in shape:
        return [*made, *_then_and_now(shape)]
    return [*made, line(f"configuration {shape['config']}")]


def _decision(decision: Shape) -> Iterator[RenderableType]:
    plan, price = decision["plan"], decision["price"]
    yield line(f"{decision['recipient']}: route {decision['route']}", "bold")
    yield table(
        ("Route", "Matched", "Checks"),
        [
            (route["route"], "yes" if route["matched"] else "no", _checks(route["checks"]))
            for route in decision["considered"]
        ],
    )
    yield line(_policy(plan))
    if plan["quiet"]:
        yield line(_quiet(plan["quiet"]))
    yield _legs(plan, price["legs"] or [None] * len(plan["legs"]))
    for leg in plan["left_out"]:
        yield line(f"left out: {leg['channel']}: {leg['reason']}")
    yield line(_worst_case(price))
    for leg in price["legs"]:
        yield from (line(f"{leg['channel']}: {reason}", "yellow") for reason in leg["unknown"])
    for warning in decision["warnings"]:
        yield line(f"warning: {warning}", "yellow")


def _then_and_now(shape: Shape) -> Iterator[RenderableType]:
    delivery, now = shape["delivery"], shape["now"]
    yield line(
        f"decided at {delivery['created_at']} under configuration {delivery['config']}; "
        f"the routes are those of configuration {shape['config']}"
    )
    if now["agrees"]:
        yield line("now: the same")
    else:
        yield line(f"now: otherwise, by route {now['route']}", "yellow")
        if now["plan"] is not None:
            yield line(_policy(now["plan"]))
            yield _legs(now["plan"], [None] * len(now["plan"]["legs"]))
    if now["problem"] is not None:
        yield line(f"the plan cannot be made again: {now['problem']}", "yellow")
    for route in now["unsure"]:
        yield line(f"too little of the number is kept to say whether it was for {route}", "yellow")


def _checks(checks: Sequence[Shape]) -> str:
    return "; ".join(_check(check) for check in checks) or "no condition"


def _check(check: Shape) -> str:
    verdict = "holds" if check["held"] else "fails"
    return f"{check['condition']} {verdict} (wanted {', '.join(check['wanted'])}; {check['seen']})"


def _policy(plan: Shape) -> str:
    deadline = f", within {plan['deadline_s']:g} s in all" if plan["deadline_s"] else ""
    refusals = ", ".join(plan["next_on"]) or "none"
    return (
        f"{plan['mode']}{deadline}; if unknown: {plan['if_unknown']}; "
        f"next leg after a refusal of: {refusals}"
    )


def _quiet(quiet: Shape) -> str:
    hours = [f"from {quiet['from']} to {quiet['to']}"] if quiet["from"] else []
    days = [f"on {', '.join(quiet['days'])}"] if quiet["days"] else []
    zones = ", ".join(quiet["zones"]) or "no known zone: it is not kept"
    return f"quiet {' and '.join([*hours, *days])}, by the clock of {zones}"


def _legs(plan: Shape, prices: Sequence[Shape | None]) -> RenderableType:
    rows = [
        (number, *_leg(leg, price))
        for number, (leg, price) in enumerate(zip(plan["legs"], prices, strict=True), start=1)
    ]
    told = [name for name in _LEG if name != "Costs" or any(prices)]
    shown = [place for place, name in enumerate(_LEG) if name in told]
    return table(told, [[row[place] for place in shown] for row in rows])


def _leg(leg: Shape, price: Shape | None) -> tuple[object, ...]:
    parts = leg["parts"]
    return (
        leg["channel"],
        f"{leg['address']} ({leg['address_kind']})",
        ", then ".join(leg["providers"]),
        _awaited(leg),
        None if leg["within_s"] is None else f"{leg['within_s']:g} s",
        parts and f"{parts['count']} ({parts['alphabet']})",
        price and _estimates(price),
        "; ".join(leg["notes"]),
    )


def _estimates(price: Shape) -> str:
    return ", ".join(
        f"{each['provider']} {each['cost']} {each['currency'] or ''}".rstrip()
        for each in price["estimates"]
    )


def _awaited(leg: Shape) -> str:
    """Say what ends a leg with success, and what else is known of how it waits."""
    if leg["until"] == "accepted":
        return "accepted"
    doubt = "; goes on in doubt" if leg["if_unknown"] == "next" else ""
    told = f"; expires after {leg['expires_s']:g} s" if leg["expires_s"] else ""
    distrusted = f"; not believed: {', '.join(leg['distrusted'])}" if leg["distrusted"] else ""
    return f"{leg['until']}, or next on: {', '.join(leg['on'])}{told}{doubt}{distrusted}"


def _worst_case(price: Shape) -> str:
    parts = f" and {price['parts']} SMS parts" if price["parts"] > 1 else ""
    if not price["asked"]:
        return f"costs at most: unknown{parts}; --price asks"
    if price["cost"] is None:
        return f"costs at most: unknown{parts}"
    return f"costs at most: {price['cost']} {price['currency'] or ''}".rstrip() + parts
