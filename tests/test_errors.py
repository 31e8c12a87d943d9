"""The tree of errors is the one drawn, and each error carries its facts."""

from __future__ import annotations

import inspect
import re

import pytest

from notify_core import errors
from notify_core.errors import (
    AttachmentError,
    ConfigError,
    KeyConflict,
    MessageError,
    NotifyError,
    PluginError,
    Problem,
    ProviderError,
)
from notify_core.outcome import Unknown

Edges = set[tuple[str, str]]


def drawn(text: str) -> Edges:
    """Read the edges (parent, child) of a tree drawn with box characters."""
    path: list[str] = []
    edges: Edges = set()
    for line in text.splitlines():
        if branch := re.match(r"((?:[│ ]   )*(?:[├└]── )?)([A-Z]\w+)(?: {2,}|$)", line):
            depth = len(branch[1]) // 4
            path[depth:] = [branch[2]]
            if depth:
                edges.add((path[depth - 1], path[depth]))
    return edges


def real(base: type[BaseException]) -> Edges:
    classes = [
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, base) and kind is not base
    ]
    return {(kind.__mro__[1].__name__, kind.__name__) for kind in classes}


def test_the_tree_drawn_at_the_top_is_the_tree_of_classes() -> None:
    assert drawn(errors.__doc__ or "") == real(NotifyError)


def test_the_tree_drawn_at_the_top_is_not_empty() -> None:
    assert ("MessageError", "RecipientError") in drawn(errors.__doc__ or "")


def test_every_error_of_the_module_is_in_the_tree() -> None:
    members = inspect.getmembers(errors, inspect.isclass)

    strangers = [
        name
        for name, kind in members
        if issubclass(kind, Exception) and not issubclass(kind, NotifyError)
    ]

    assert strangers == []


def test_a_message_error_is_a_value_error_too() -> None:
    assert issubclass(MessageError, ValueError)


@pytest.mark.parametrize(
    ("problem", "line"),
    [
        (
            Problem("notify.yaml", 12, 5, "routes[2].when.channel", "no such channel"),
            "notify.yaml:12:5: routes[2].when.channel: no such channel",
        ),
        (Problem("notify.yaml", 3, 1, "", "a tab"), "notify.yaml:3:1: a tab"),
        (
            Problem("notify.yaml", 0, 0, "", "there is no such file"),
            "notify.yaml: there is no such file",
        ),
        (Problem("notify.yaml", 0, 0, "routes", "missing"), "notify.yaml: routes: missing"),
    ],
)
def test_a_problem_names_the_place_the_thing_and_the_fault(problem: Problem, line: str) -> None:
    assert str(problem) == line


def test_a_config_error_shows_every_problem_in_the_order_given() -> None:
    problems = [Problem("a.yaml", 1, 1, "", "first"), Problem("a.yaml", 2, 1, "", "second")]

    error = ConfigError(problems)

    assert (error.problems, str(error)) == (
        tuple(problems),
        "a.yaml:1:1: first\na.yaml:2:1: second",
    )


def test_a_plugin_error_names_the_plugin() -> None:
    error = PluginError("notify-smsc", "cannot be imported")

    assert (error.plugin, str(error)) == ("notify-smsc", "plugin 'notify-smsc': cannot be imported")


def test_an_attachment_error_names_the_file() -> None:
    error = AttachmentError("a.pdf", "too large")

    assert (error.name, str(error)) == ("a.pdf", "attachment 'a.pdf': too large")


def test_a_key_conflict_names_the_key_and_the_message_that_has_it() -> None:
    error = KeyConflict("order-17", "m")

    assert (error.key, error.message_id, str(error)) == (
        "order-17",
        "m",
        "key 'order-17' belongs to message m, which says something else or goes to others; "
        "give each message a key of its own",
    )


def test_a_provider_error_names_the_provider_and_carries_the_outcome() -> None:
    outcome = Unknown("no whole answer")

    error = ProviderError("smsc", "balance", outcome)

    assert (error.provider, error.outcome, str(error)) == (
        "smsc",
        outcome,
        "provider 'smsc' did not answer the balance query: unknown: no whole answer",
    )
