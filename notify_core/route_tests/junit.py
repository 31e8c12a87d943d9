"""The results of tests as JUnit XML, which CI servers read. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from notify_core.route_tests.coverage import Coverage, Kind
from notify_core.route_tests.running import Result


def junit(name: str, results: Sequence[Result], coverage: Coverage, too_low: str | None) -> str:
    """Return the report of one suite.

    ``too_low`` says that the coverage is below what was asked for: that is a case which failed,
    because some servers look at nothing else.
    """
    cases = [_case(result) for result in results]
    if too_low is not None:
        cases.append(_failed(_element("testcase", classname=name, name="coverage"), [too_low]))
    failed = sum(case.find("failure") is not None for case in cases)
    counts = {"tests": str(len(cases)), "failures": str(failed), "errors": "0"}
    suite = _element("testsuite", name=name, **counts)
    suite.append(_properties(coverage))
    suite.extend(cases)
    root = _element("testsuites", **counts)
    root.append(suite)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(result: Result) -> ElementTree.Element:
    test = result.test
    case = _element(
        "testcase", classname=test.file, name=test.name, file=test.file, line=str(test.line)
    )
    if result.notes:
        notes = _element("system-out")
        notes.text = _legal("\n".join(result.notes))
        case.append(notes)
    return case if result.passed else _failed(case, result.failures)


def _failed(case: ElementTree.Element, why: Sequence[str]) -> ElementTree.Element:
    failure = _element("failure", message=why[0])
    failure.text = _legal("\n".join(why))
    case.append(failure)
    return case


def _properties(coverage: Coverage) -> ElementTree.Element:
    properties = _element("properties")
    properties.append(_element("property", name="coverage", value=str(coverage.percent)))
    for kind in Kind:
        covered, items = coverage.counts(kind)
        value = f"{covered} of {items}"
        properties.append(_element("property", name=f"coverage.{kind.plural}", value=value))
    return properties


def _element(tag: str, **attributes: str) -> ElementTree.Element:
    return ElementTree.Element(tag, {key: _legal(value) for key, value in attributes.items()})


def _legal(text: str) -> str:
    """Return a text without what XML cannot hold, not even escaped."""
    return "".join(
        character if character.isprintable() or character == "\n" else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )
