"""The answer of ``notify config plan`` as tables for people. Pure; see ``tables``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType

from notify_core.cli.journal_tables import short
from notify_core.cli.shapes import Shape
from notify_core.cli.tables import WideTable, counted, line, span_of, table

_WORDS = {
    "moves": "otherwise",
    "newly_refused": "newly refused",
    "no_longer_refused": "no longer refused",
}
_GROUP = ("Messages", "What", "Old", "New", "Cost", "For example")


def change_tables(shape: Shape) -> list[RenderableType]:
    """``notify config plan``."""
    return list(_parts(shape))


def _parts(shape: Shape) -> Iterator[RenderableType]:
    yield from _providers(shape["providers"])
    if shape["tests"]["tests"]:
        yield from _tests(shape["tests"])
    if shape["recorded"] is not None:
        yield from _recorded(shape["recorded"])
    yield line("something changes" if shape["changes"] else "nothing changes", "bold")


def _providers(providers: Shape) -> Iterator[RenderableType]:
    for word, names in providers.items():
        if names:
            yield line(f"providers {word}: {', '.join(names)}")


# --- tests ----------------------------------------------------------------------------------


def _tests(tests: Shape) -> Iterator[RenderableType]:
    yield line(
        f"tests: {tests['breaks']} broken, {tests['mends']} mended, "
        f"{tests['moves']} otherwise, {tests['same']} as before"
    )
    told = [test for test in tests["tests"] if test["verdict"] != "same"]
    if told:
        rows = [_test(test) for test in told]
        yield table(("Test", "Verdict", "Old", "New"), rows)
    for test in told:
        if test["verdict"] == "breaks":
            yield from (line(f"{test['name']}: {each}", "red") for each in test["new"]["failures"])


def _test(test: Shape) -> Sequence[object]:
    verdict = f"{test['verdict']}, expects otherwise" if test["expects_otherwise"] else None
    return (test["name"], verdict or test["verdict"], _result(test["old"]), _result(test["new"]))


def _result(result: Shape) -> str:
    if not result["plans"]:
        return f"{', '.join(result['routes']) or 'no route'}: refused"
    told = [
        f"{route}: {_legs(plan)}"
        for route, plan in zip(result["routes"], result["plans"], strict=True)
    ]
    return "; ".join(dict.fromkeys(told))


# --- recorded messages ----------------------------------------------------------------------


def _recorded(recorded: Shape) -> Iterator[RenderableType]:
    yield line(
        f"journal: {counted(recorded['messages'], 'message')} since {short(recorded['since'])}: "
        f"{recorded['moves']} otherwise, {recorded['newly_refused']} newly refused, "
        f"{recorded['no_longer_refused']} no longer refused, {recorded['unmoved']} as before, "
        f"{recorded['unsure']} unsure"
    )
    if recorded["groups"]:
        rows = [_group(group) for group in recorded["groups"]]
        yield WideTable(_GROUP, rows, key="Messages", second=("Old", "New"))
    for group in recorded["groups"]:
        yield from _drawn_the_same(group)
    yield from _notes(recorded)
    yield from _costs(recorded)


def _drawn_the_same(group: Shape) -> Iterator[RenderableType]:
    if group["drawn_the_same"]:
        yield line(
            f"{group['old']['route']}: of those that take the spread, {group['drawn_the_same']} "
            "are drawn as before"
        )


def _notes(recorded: Shape) -> Iterator[RenderableType]:
    if recorded["unsure"]:
        examples = ", ".join(recorded["unsure_examples"])
        unsure = counted(recorded["unsure"], "message")
        yield line(
            f"unsure of {unsure}, of which too little is kept (the country, or more digits of the "
            f"number): {examples}",
            "yellow",
        )
    if recorded["refused_by_both"]:
        yield line(f"refused by both: {recorded['refused_by_both']}")
    if recorded["recorded_otherwise"]:
        yield line(
            f"recorded otherwise than the old configuration decides: "
            f"{recorded['recorded_otherwise']}; that does not come of the change"
        )


def _costs(recorded: Shape) -> Iterator[RenderableType]:
    for cost in recorded["costs"]:
        yield line(
            f"cost of {counted(cost['messages'], 'message')}: {_amount(cost['old'], cost)}, "
            f"then {_amount(cost['new'], cost)} ({_signed(cost)})"
        )
    if recorded["cost_unknown"]:
        unknown = counted(recorded["cost_unknown"], "message")
        yield line(f"nothing tells what {unknown} would cost", "yellow")
    if recorded["costs"]:
        attempts = sum(each["attempts"] for each in recorded["rates"] if each["country"] is None)
        yield line(f"by what {attempts} recorded attempts have cost on average")


def _group(group: Shape) -> Sequence[object]:
    return (
        group["messages"],
        f"{_WORDS[group['change']]}: {', '.join(group['differs'])}",
        _decided(group["old"]),
        _decided(group["new"]),
        "; ".join(_signed(cost) for cost in group["costs"]) or None,
        ", ".join(group["examples"]),
    )


def _decided(decided: Shape) -> str:
    if decided["refused"] is not None:
        return f"{decided['route']}: refused: {decided['refused']}"
    return f"{decided['route']}: {_legs(decided['way'])}{_terms(decided['way'])}"


def _legs(way: Shape) -> str:
    between = " and " if way["mode"] == "all_of" else ", else "
    return between.join(_leg(leg) for leg in way["legs"])


def _leg(leg: Shape) -> str:
    weights = leg.get("weights") or [None] * len(leg["providers"])
    named = [
        name if weight is None else f"{name} {weight}"
        for name, weight in zip(leg["providers"], weights, strict=True)
    ]
    via = (" or " if leg.get("weights") else ", then ").join(named)
    until = "" if leg["until"] == "accepted" else f" until {leg['until']}"
    within = "" if leg["within_s"] is None else f" within {span_of(leg['within_s'])}"
    brought = " if it brings a text for it" if leg.get("needs_alternative") else ""
    return f"{leg['channel']} via {via}{until}{within}{brought}"


def _terms(way: Shape) -> str:
    deadline = f"; deadline {span_of(way['deadline_s'])}" if way["deadline_s"] is not None else ""
    return f"{deadline}; quiet hours" if way["quiet"] else deadline


def _amount(cost: str, of: Shape) -> str:
    return f"{cost} {of['currency'] or ''}".rstrip()


def _signed(cost: Shape) -> str:
    more = cost["difference"]
    return _amount(more if more.startswith("-") else f"+{more}", cost)
