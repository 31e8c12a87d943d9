"""The line in which a problem stands is shown with a place in it, and without a secret."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notify_core.config.excerpts import Excerpt, excerpt
from notify_core.config.load import loads
from notify_core.errors import ConfigError, Problem
from tests.test_config_load import DAMAGE, ENVIRON, FORMS, MINIMAL, WHOLE, two_types

TYPES = two_types().provider_types()


def problems_in(text: str) -> tuple[Problem, ...]:
    try:
        loads(text, "test.yaml", two_types(), ENVIRON)
    except ConfigError as error:
        return error.problems
    return ()


def shown(text: str) -> list[str]:
    """Return the excerpts of all problems of a text, each with a ^ before the place."""
    found = [excerpt(problem, text, TYPES) for problem in problems_in(text)]
    return [
        f"{each.text[: each.column]}^{each.text[each.column :]}"
        for each in found
        if each is not None
    ]


def provider(settings: str) -> str:
    return MINIMAL.replace("{type: letters}", f"{{type: gateway, {settings}}}")


def test_a_line_is_shown_with_the_place_of_the_problem() -> None:
    assert shown(MINIMAL.replace("via: main", "via: mian")) == ["    send: {via: ^mian}"]


def test_a_secret_in_the_line_is_masked_and_the_place_is_right() -> None:
    assert shown(provider("key: sesame, port: many")) == [
        "  main: {type: gateway, key: ********, port: ^many}"
    ]


def test_a_secret_that_is_wrong_is_masked_at_its_place() -> None:
    assert shown(provider("key: [sesame, open]")) == ["  main: {type: gateway, key: ^********}"]


def test_references_alone_are_shown() -> None:
    assert shown(provider("key: '${env:NOT_SET}'")) == [
        "  main: {type: gateway, key: ^'${env:NOT_SET}'}"
    ]


def test_the_value_of_a_key_that_nobody_knows_is_masked() -> None:
    """It may be a secret whose key is misspelt."""
    assert shown(provider("kay: sesame")) == ["  main: {type: gateway, ^kay: ********}"]


def test_of_a_provider_of_an_unknown_type_nothing_but_the_type_is_shown() -> None:
    assert shown(MINIMAL.replace("letters", "leters, key: sesame")) == [
        "  main: {type: ^leters, key: ********}"
    ]


def test_a_comment_is_not_shown() -> None:
    """Somebody may have kept the old password in it."""
    assert shown(MINIMAL.replace("{via: main}", "{via: 'a # b'}  # sesame")) == [
        "    send: {via: ^'a # b'}"
    ]


def test_a_secret_over_several_lines_is_masked_in_each() -> None:
    text = MINIMAL.replace(
        "{type: letters}", "{type: gateway, key: 'open\n    sesame', port: many}"
    )

    assert shown(text) == ["    ********, port: ^many}"]


def test_the_address_of_a_journal_is_masked() -> None:
    assert shown(f"journal: sesame\n{MINIMAL}") == ["journal: ^********"]


def test_the_address_of_a_webhook_is_masked() -> None:
    text = f"webhooks: {{url: https://example.org/sesame, secrets: 1}}\njournal: memory\n{MINIMAL}"

    assert shown(text) == ["webhooks: {url: ********, secrets: ^********}"]


def test_in_a_route_the_value_of_an_unknown_key_is_masked() -> None:
    assert shown(MINIMAL.replace("{via: main}", "{via: {spread: {main: 1}}, key: sesame}")) == [
        "    send: {via: {spread: ^{main: 1}}, key: ********}",
        "    send: {via: {spread: {main: 1}}, ^key: ********}",
    ]


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("key: sesame: open", "key: ^…"),
        ("  - key: [sesame", None),
        ("\tkey: sesame", "^\tkey: …"),
        ("  'sesame", None),
    ],
)
def test_where_yaml_cannot_be_read_only_the_first_key_is_shown(line: str, seen: str | None) -> None:
    """There anything may be a secret that lacks its quotes."""
    (found,) = shown(f"version: 1\n{line}\n") or [""]

    assert "sesame" not in found
    assert seen is None or found == seen


def test_a_problem_of_the_whole_file_has_no_line() -> None:
    assert excerpt(Problem("a.yaml", 0, 0, "", "is empty"), "", TYPES) is None
    assert excerpt(Problem("a.yaml", 9, 1, "", "was longer before"), "a: 1\n", TYPES) is None


def test_a_place_behind_the_end_of_a_line_is_kept() -> None:
    problem = Problem("a.yaml", 1, 9, "", "something is missing")

    assert excerpt(problem, "retry:\n", TYPES) == Excerpt("retry:", 8)


# Where a key stands there is no secret: messages quote it.
@pytest.mark.parametrize("form", [form for form in FORMS if form != "{}: x"])
@pytest.mark.parametrize("attribute", ["key", "token", "proxy: {host: h, password", "kay"])
@pytest.mark.parametrize("other", ["port: 0", "nonsense: 1", "port: ${env:KEY}"])
def test_no_line_shows_a_secret(form: str, attribute: str, other: str) -> None:
    value = form.format("hunter2")
    end = "}" if "{" in attribute else ""

    for text in (
        provider(f"{attribute}: {value}{end}, {other}"),
        MINIMAL.replace(
            "{type: letters}", f"\n    type: gateway\n    {attribute}: {value}{end}\n    {other}"
        ),
    ):
        assert "hunter2" not in "\n".join(shown(text))


@given(st.sampled_from(WHOLE), DAMAGE)
@settings(max_examples=200, deadline=None)
def test_every_problem_of_a_damaged_file_has_its_line(
    text: str, damage: tuple[int, int, list[str]]
) -> None:
    start, length, words = damage
    damaged = text[:start] + "".join(words) + text[start + length :]

    for problem in problems_in(damaged):
        found = excerpt(problem, damaged, TYPES)
        is_there = 0 < problem.line <= len(damaged.splitlines())
        assert (found is not None) is is_there
