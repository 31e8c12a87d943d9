"""The JSON Schema accepts what the loader accepts, and refuses what a schema can see."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from notify_core.config.load import loads
from notify_core.config.model import Config, LegConfig, Quiet, Route, When
from notify_core.config.nodes import Node
from notify_core.config.schema import included_schema, schema
from notify_core.config.schema_types import class_schema
from notify_core.config.source import compose
from notify_core.errors import ConfigError
from notify_core.plugins import Plugins
from notify_core.secret import Secret
from tests.test_config_example import EXAMPLE
from tests.test_config_load import (
    BAD,
    DAMAGE,
    ENVIRON,
    GOOD,
    MINIMAL,
    WHOLE,
    problems_of,
    two_types,
)

AN_OBJECT_KNOWS_NO_SPELLING = "how it is spelled is lost when YAML becomes values"
ANOTHER_PLACE = "what a name stands for is told elsewhere in the file"
WHAT_PROVIDERS_CAN = "what a provider can do is known when it is configured"
ORDER = "a schema sees no order, and no last item"
OUTSIDE = "it depends on the environment, on files or on what can be imported"
CHECKED_BY_CODE = "the class of the plugin checks it in Python"
COMPARED = "a schema compares no two values"
TIME = "a schema does not reckon with durations"

NO_SCHEMA_CAN_SEE = {
    "callbacks-network-of-an-unknown-provider": ANOTHER_PLACE,
    "distrust-of-an-unknown-provider": ANOTHER_PLACE,
    "incoming-of-an-unknown-provider": ANOTHER_PLACE,
    "spread-unknown": ANOTHER_PLACE,
    "via-unknown": ANOTHER_PLACE,
    "incoming-of-a-provider-that-cannot": WHAT_PROVIDERS_CAN,
    "leg-channel-carried-by-none": WHAT_PROVIDERS_CAN,
    "leg-channel-not-carried": WHAT_PROVIDERS_CAN,
    "leg-does-not-carry-the-channel-of-when": WHAT_PROVIDERS_CAN,
    "leg-without-adaptation": ANOTHER_PLACE,
    "spread-not-carried": WHAT_PROVIDERS_CAN,
    "until-without-receipts": WHAT_PROVIDERS_CAN,
    "incoming-polled-too-often": TIME,
    "receipts-follow-too-short": TIME,
    "webhook-retried-too-long": TIME,
    "webhook-too-patient": TIME,
    "journal-retention-rows-too-short": TIME,
    "journal-retention-text-longer-than-numbers": TIME,
    "quiet-from-is-to": COMPARED,
    "suppression-always-and-consent": COMPARED,
    "worker-all-reserved": COMPARED,
    "worker-with-less-than-is-reserved": COMPARED,
    "webhook-twice": COMPARED,
    "route-name-twice": COMPARED,
    "route-last-with-conditions": ORDER,
    "route-unreachable": ORDER,
    "until-without-a-text": ORDER,
    "until-without-within": ORDER,
    "journal-text-keys-empty": OUTSIDE,
    "journal-variable-not-set": OUTSIDE,
    "journal-variable-of-no-known-kind": OUTSIDE,
    "journal-variable-that-is-no-address": OUTSIDE,
    "plugin-that-is-a-package": OUTSIDE,
    "plugin-that-is-not-there": OUTSIDE,
    "reference-not-of-the-enum": OUTSIDE,
    "reference-with-a-wrong-type": OUTSIDE,
    "secret-empty": OUTSIDE,
    "secret-file-missing": OUTSIDE,
    "secret-variable-not-set": OUTSIDE,
    "webhook-secret-of-another-form": OUTSIDE,
    "setting-nested-refused": CHECKED_BY_CODE,
    "setting-refused": CHECKED_BY_CODE,
    "setting-refused-by-quoting": CHECKED_BY_CODE,
    "settings-refused-as-a-whole": CHECKED_BY_CODE,
    "settings-refused-with-a-secret": CHECKED_BY_CODE,
    "key-that-is-a-list": AN_OBJECT_KNOWS_NO_SPELLING,
    "key-twice": AN_OBJECT_KNOWS_NO_SPELLING,
    "merge-of-a-text": AN_OBJECT_KNOWS_NO_SPELLING,
    "provider-twice": AN_OBJECT_KNOWS_NO_SPELLING,
    "setting-octal": AN_OBJECT_KNOWS_NO_SPELLING,
    "tag": AN_OBJECT_KNOWS_NO_SPELLING,
    "when-number-prefix-without-plus": AN_OBJECT_KNOWS_NO_SPELLING,
}
"""The mistakes that pass the schema, each with the reason."""


def values(node: Node) -> Any:
    """Return what an editor sees: the values of YAML 1.2, with everything merged."""
    if node.is_mapping:
        return {key: values(entry.value) for key, entry in node.entries().items()}
    if node.is_list:
        return [values(item) for item in node.items()]
    return None if node.is_null else _single(node.scalar or "", quoted=bool(node.raw.style))


def _single(text: str, *, quoted: bool) -> object:
    if quoted:
        return text
    if re.fullmatch(r"true|True|TRUE|false|False|FALSE", text):
        return text.lower() == "true"
    if re.fullmatch(r"[-+]?[0-9]+", text):
        return int(text)
    if re.fullmatch(r"0o[0-7]+|0x[0-9a-fA-F]+", text):
        return int(text, 0)
    if re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", text):
        return float(text)
    return float("inf") if re.fullmatch(r"[-+]?\.(inf|Inf|INF)", text) else text


def validator(plugins: Plugins | None = None) -> Draft202012Validator:
    found = plugins or two_types()
    return Draft202012Validator(schema(found.provider_types(), found.message_types()))


VALIDATOR = validator()
MESSAGES = two_types().message_types()


def complaints(text: str) -> list[str]:
    """Return the places of which the schema complains, as the loader writes them."""
    found = VALIDATOR.iter_errors(values(compose(text, "test.yaml")))
    return [_place(error.absolute_path) for error in found]


def _place(path: Any) -> str:
    place = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in path)
    return place.removeprefix(".")


def is_yaml(path: Path) -> bool:
    """Tell whether an editor could read the file at all."""
    try:
        compose(path.read_text(encoding="utf-8"), path.name)
    except ConfigError:
        return False
    return True


READABLE = [path for path in BAD if is_yaml(path)]


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(schema(two_types().provider_types(), MESSAGES))
    Draft202012Validator.check_schema(included_schema(two_types().provider_types(), MESSAGES))


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_good_file_is_accepted(path: Path) -> None:
    assert complaints(path.read_text(encoding="utf-8")) == []


def test_the_example_is_accepted() -> None:
    plugins = Plugins()
    plugins.load("notify_smsc.plugin")
    plugins.load("notify_console")
    example = compose(EXAMPLE.read_text(encoding="utf-8"), EXAMPLE.name)

    assert list(validator(plugins).iter_errors(values(example))) == []


@pytest.mark.parametrize("path", READABLE, ids=lambda path: path.stem)
def test_a_bad_file_is_refused_unless_no_schema_can_see_why(path: Path) -> None:
    """And a mistake of the list is none that it sees, or the list would say too much."""
    refused = bool(complaints(path.read_text(encoding="utf-8")))

    assert refused is (path.stem not in NO_SCHEMA_CAN_SEE)


def test_the_list_of_what_no_schema_can_see_names_files_that_are_there() -> None:
    assert NO_SCHEMA_CAN_SEE.keys() <= {path.stem for path in READABLE}


@pytest.mark.parametrize(
    "path",
    [path for path in READABLE if path.stem not in NO_SCHEMA_CAN_SEE],
    ids=lambda path: path.stem,
)
def test_a_bad_file_is_refused_for_its_mistake(path: Path) -> None:
    """The schema complains of the place that the loader names, or of one around it or in it."""
    text = path.read_text(encoding="utf-8")
    (problem,) = problems_of(text)

    for place in complaints(text):
        assert problem.path.startswith(place) or place.startswith(problem.path)


@given(st.sampled_from(WHOLE), DAMAGE)
@settings(max_examples=300, deadline=None)
def test_what_the_loader_accepts_the_schema_accepts(
    text: str, damage: tuple[int, int, list[str]]
) -> None:
    start, length, words = damage
    damaged = text[:start] + "".join(words) + text[start + length :]
    try:
        loads(damaged, "test.yaml", two_types(), ENVIRON)
    except ConfigError:
        return

    assert complaints(damaged) == []


# --- tests of routes ------------------------------------------------------------------------

MESSAGE = "message: {channel: sms, to: '+79991234567', text: Hello, tags: otp}"


@pytest.mark.parametrize(
    "test",
    [
        f"name: a, {MESSAGE}, expect: {{route: default}}",
        f"name: a, {MESSAGE}, expect: {{route: x, legs: [sms, {{channel: call, via: b}}]}}",
        f"name: a, {MESSAGE}, expect: {{route: x, legs: {{channel: sms, via: {{spread: [b]}}}}}}",
        f"name: a, {MESSAGE}, expect: {{route: x, parts: 1, cost: 1.50}}",
        f"name: a, {MESSAGE}, expect: {{error: RecipientError, words: no number}}",
    ],
)
def test_a_test_of_a_route_is_accepted(test: str) -> None:
    assert complaints(f"{MINIMAL}tests: [{{{test}}}]") == []


@pytest.mark.parametrize(
    "test",
    [
        f"name: a, {MESSAGE}",
        f"name: a, {MESSAGE}, expect: {{}}",
        f"name: a, {MESSAGE}, expect: {{rout: default}}",
        f"name: a, {MESSAGE}, expect: {{route: x, words: no number}}",
        f"name: a, {MESSAGE}, expect: {{error: MessageError, parts: 1}}",
        "name: a, message: {channel: smss}, expect: {route: x}",
        "name: a, message: {channel: sms, txt: Hello}, expect: {route: x}",
        "name: a, message: {text: Hello}, expect: {route: x}",
    ],
)
def test_a_test_with_a_mistake_is_refused(test: str) -> None:
    assert complaints(f"{MINIMAL}tests: [{{{test}}}]") != []


# --- an included file -----------------------------------------------------------------------


def accepts_included(text: str) -> bool:
    plugins = two_types()
    found = included_schema(plugins.provider_types(), plugins.message_types())
    return Draft202012Validator(found).is_valid(values(compose(text, "test.yaml")))


@pytest.mark.parametrize(
    "text",
    [
        "providers: {post: {type: letters}}",
        "routes: [{name: promo, when: {tags: promo}, send: {via: post, until: read}}]",
    ],
)
def test_an_included_file_has_providers_or_routes(text: str) -> None:
    assert accepts_included(text)


@pytest.mark.parametrize(
    "text", ["version: 1", "include: x", "routes: {}", "routes: [{nam: x}]", "providers: {a: {}}"]
)
def test_an_included_file_has_nothing_else(text: str) -> None:
    assert not accepts_included(text)


# --- what an editor shows -------------------------------------------------------------------


def shown_schema() -> Any:
    return schema(two_types().provider_types(), two_types().message_types())


@pytest.mark.parametrize(
    ("definition", "cls", "without"),
    [
        (None, Config, {"files"}),
        ("route", Route, {"legs", "mode", "if_unknown", "next_on"}),
        ("when", When, set()),
        ("leg", LegConfig, set()),
        ("quiet", Quiet, set()),
    ],
)
def test_every_key_stands_in_the_schema(
    definition: str | None, cls: type[attrs.AttrsInstance], without: set[str]
) -> None:
    whole = shown_schema()
    keys = {each.name.removesuffix("_") for each in attrs.fields(cls)} - without

    assert keys <= (whole["$defs"][definition] if definition else whole)["properties"].keys()


def test_a_provider_has_the_settings_of_its_type_with_their_defaults() -> None:
    found = shown_schema()["$defs"]["provider-gateway"]

    assert found["description"] == "Every kind of attribute that a provider can have."
    assert found["required"] == ["key"]
    assert found["properties"]["patience"] == {
        "$ref": "#/$defs/duration-or-reference",
        "default": "5s",
    }
    assert found["properties"]["transport"]["default"] == "http"
    assert found["properties"]["transport"]["anyOf"][0] == {"enum": ["http", "smpp"]}
    assert "proxy" in found["properties"]


def test_a_key_is_described_in_the_words_of_its_class() -> None:
    retry = shown_schema()["properties"]["retry"]["properties"]

    assert retry["jitter"]["description"].startswith("The pause before round *n* is first *")
    assert retry["rounds"] == {
        "$ref": "#/$defs/whole",
        "description": "rounds is how often the providers of a leg are gone through.",
        "default": 3,
        "minimum": 1,
    }


@attrs.frozen
class WithSecret:
    """``key`` is one that nobody chose."""

    key: Secret = attrs.field(factory=lambda: Secret("hunter2"))
    keys: tuple[Secret, ...] = attrs.field(factory=lambda: (Secret("hunter2"),))


@attrs.frozen
class Branch:
    """A class that holds its own kind."""

    name: str
    branches: tuple[Branch, ...] = ()


def test_a_class_that_holds_its_own_kind_is_described_once() -> None:
    branches = class_schema(Branch)["properties"]["branches"]

    assert branches["anyOf"][0] == {"type": "object"}


def test_the_default_of_a_secret_is_not_in_the_schema() -> None:
    found = class_schema(WithSecret)

    assert "hunter2" not in str(found)
    assert "default" not in found["properties"]["key"]
