"""The answer of ``notify explain`` as tables for people. Pure; see ``tables``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType

from notify_core.cli.shapes import Shape
from notify_core.cli.tables import WideTable, line, span_of, table
from notify_core.config.model import Because

_LEG = ("Leg", "Channel", "To", "Providers", "Until", "Within", "Parts", "Costs")
_HOW_IT_WAITS = ("Until", "Within", "Parts", "Costs")


def explain_tables(shape: Shape) -> list[RenderableType]:
    """``notify explain``, of a message, one that is refused or a stored delivery."""
    if "tried" in shape:
        return [*_refused(shape), line(f"configuration {shape['config']}")]
    made = [part for decision in shape["decisions"] for part in _decision(decision)]
    if "delivery" in shape:
        return [*made, *_then_and_now(shape)]
    return [*made, line(f"configuration {shape['config']}")]


def _refused(shape: Shape) -> Iterator[RenderableType]:
    for tried in shape["tried"]:
        yield line(f"{tried['recipient']}: route {tried['considered'][-1]['route']}", "bold")
        yield _routes(tried["considered"])


def _routes(considered: Sequence[Shape]) -> RenderableType:
    rows = [
        (route["route"], "yes" if route["matched"] else "no", _checks(route["checks"]))
        for route in considered
    ]
    return table(("Route", "Matched", "Checks"), rows)


def _decision(decision: Shape) -> Iterator[RenderableType]:
    plan, price = decision["plan"], decision["price"]
    yield line(f"{decision['recipient']}: route {decision['route']}", "bold")
    yield _routes(decision["considered"])
    yield line(_policy(plan))
    if plan["quiet"]:
        yield line(_quiet(plan["quiet"]))
    yield from _legs(plan, price["legs"] or [None] * len(plan["legs"]))
    yield line(_worst_case(price))
    for leg in price["legs"]:
        yield from (line(f"{leg['channel']}: {reason}", "yellow") for reason in leg["unknown"])
    told = _told_beside_legs(plan)
    for warning in decision["warnings"]:
        if warning not in told:
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
            yield from _legs(now["plan"], [None] * len(now["plan"]["legs"]))
    if now["problem"] is not None:
        yield line(f"the plan cannot be made again: {now['problem']}", "yellow")
    for route in now["unsure"]:
        yield line(f"too little of the number is kept to say whether it was for {route}", "yellow")


def _checks(checks: Sequence[Shape]) -> str:
    return "; ".join(_check(check) for check in checks) or "no condition"


def _check(check: Shape) -> str:
    verdict = "holds" if check["held"] else "fails"
    wanted = " or ".join(check["wanted"])
    return f"{check['condition']} {verdict}: wanted {wanted}, is {check['seen']}"


def _policy(plan: Shape) -> str:
    several = len(plan["legs"]) > 1
    told = [plan["mode"]] if several else []
    if plan["deadline_s"]:
        told.append(f"deadline: {span_of(plan['deadline_s'])}")
    told.append(f"if unknown: {plan['if_unknown']}")
    if several and plan["mode"] == "first_of":
        told.append(f"next leg after a refusal of: {', '.join(plan['next_on']) or 'none'}")
    return "; ".join(told)


def _quiet(quiet: Shape) -> str:
    hours = [f"from {quiet['from']} to {quiet['to']}"] if quiet["from"] else []
    days = [f"on {', '.join(quiet['days'])}"] if quiet["days"] else []
    zones = ", ".join(quiet["zones"]) or "no known zone: it is not kept"
    return f"quiet {' and '.join([*hours, *days])}, by the clock of {zones}"


def _legs(plan: Shape, prices: Sequence[Shape | None]) -> Iterator[RenderableType]:
    """Make the table of the legs, and below it what is to be said of single ones."""
    rows = [
        (number, *_leg(leg, price))
        for number, (leg, price) in enumerate(zip(plan["legs"], prices, strict=True), start=1)
    ]
    yield WideTable(_LEG, rows, key="Leg", second=_HOW_IT_WAITS)
    for number, leg in enumerate(plan["legs"], start=1):
        yield from (line(f"leg {number}: {note}", "yellow") for note in leg["notes"])
    for leg in plan["left_out"]:
        yield line(f"left out: {leg['channel']}: {leg['reason']}")


def _told_beside_legs(plan: Shape) -> frozenset[str]:
    """Return the warnings that ``_legs`` tells in its own way."""
    notes = (note for leg in plan["legs"] for note in leg["notes"])
    left_out = (f"leg {each['channel']} is left out: {each['reason']}" for each in plan["left_out"])
    return frozenset((*notes, *left_out))


def _leg(leg: Shape, price: Shape | None) -> tuple[object, ...]:
    parts = leg["parts"]
    return (
        leg["channel"],
        f"{leg['address']} ({leg['address_kind']})",
        ", then ".join(leg["providers"]),
        _awaited(leg),
        None if leg["within_s"] is None else span_of(leg["within_s"]),
        parts and f"{parts['count']} ({parts['alphabet']})",
        (price and _estimates(price)) or None,
    )


def _estimates(price: Shape) -> str:
    return ", ".join(
        f"{each['provider']} {each['cost']} {each['currency'] or ''}".rstrip()
        for each in price["estimates"]
    )


def _awaited(leg: Shape) -> str:
    """Say what ends a leg with success, and what is unusual in how it waits."""
    if leg["until"] == "accepted":
        return "accepted"
    some = len(leg["on"]) < len(Because)
    after = f"; next leg only after: {', '.join(leg['on'])}" if some else ""
    told = f"; expires after {span_of(leg['expires_s'])}" if leg["expires_s"] else ""
    doubt = "; goes on in doubt" if leg["if_unknown"] == "next" else ""
    distrusted = f"; not believed: {', '.join(leg['distrusted'])}" if leg["distrusted"] else ""
    return f"{leg['until']}{after}{told}{doubt}{distrusted}"


def _worst_case(price: Shape) -> str:
    parts = f" and {price['parts']} SMS parts" if price["parts"] > 1 else ""
    if not price["asked"]:
        return f"costs at most: unknown{parts}; --price asks"
    if price["cost"] is None:
        return f"costs at most: unknown{parts}"
    return f"costs at most: {price['cost']} {price['currency'] or ''}".rstrip() + parts
