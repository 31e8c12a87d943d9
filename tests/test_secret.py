"""A secret is read on purpose or not at all."""

from __future__ import annotations

import copy
import dataclasses
import io
import json
import logging
import pickle
import pprint
import traceback
from collections.abc import Callable

import attrs
import pytest

from notify_core.secret import Secret

CANARY = "canary-7331"
SECRET = Secret(CANARY)


@attrs.frozen
class AttrsConfig:
    api_key: Secret


@dataclasses.dataclass(frozen=True)
class DataclassConfig:
    api_key: Secret


def _logged(secret: Secret) -> str:
    stream = io.StringIO()
    record = logging.LogRecord("x", logging.INFO, "x.py", 1, "key %s %r", (secret, secret), None)
    logging.StreamHandler(stream).emit(record)
    return stream.getvalue()


def _traceback_with_locals(secret: Secret) -> str:
    config = [AttrsConfig(secret), DataclassConfig(secret), {"api_key": secret}]
    try:
        raise ValueError(config)
    except ValueError as error:
        lines = traceback.TracebackException.from_exception(error, capture_locals=True).format()
        return "".join(lines)


@pytest.mark.parametrize(
    "show",
    [
        pytest.param(repr, id="repr"),
        pytest.param(str, id="str"),
        pytest.param(ascii, id="ascii"),
        pytest.param(lambda secret: f"{secret}", id="f-string"),
        pytest.param(lambda secret: f"{secret!r}", id="f-string with repr"),
        pytest.param(lambda secret: f"{secret:>20}", id="f-string with a width"),
        pytest.param(lambda secret: "{}".format(secret), id="format"),  # noqa: UP032
        pytest.param(lambda secret: "%s %r" % (secret, secret), id="percent"),  # noqa: UP031
        pytest.param(lambda secret: repr([{"key": (secret,)}]), id="inside containers"),
        pytest.param(lambda secret: repr(AttrsConfig(secret)), id="attrs class"),
        pytest.param(lambda secret: repr(DataclassConfig(secret)), id="dataclass"),
        pytest.param(lambda secret: repr(attrs.asdict(AttrsConfig(secret))), id="attrs as dict"),
        pytest.param(
            lambda secret: repr(dataclasses.asdict(DataclassConfig(secret))), id="dataclass as dict"
        ),
        pytest.param(pprint.pformat, id="pprint"),
        pytest.param(lambda secret: json.dumps({"key": secret}, default=str), id="json with str"),
        pytest.param(_logged, id="logging"),
        pytest.param(_traceback_with_locals, id="traceback with locals"),
    ],
)
def test_a_secret_is_shown_as_a_mask(show: Callable[[Secret], str]) -> None:
    shown = show(SECRET)

    assert ("********" in shown, CANARY in shown) == (True, False)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_secret_is_not_pickled(protocol: int) -> None:
    with pytest.raises(TypeError) as refusal:
        pickle.dumps({"key": SECRET}, protocol)

    assert str(refusal.value) == "a Secret is not pickled; reveal() it where it is used"


def test_a_secret_does_not_become_json_by_itself() -> None:
    with pytest.raises(TypeError, match="not JSON serializable") as refusal:
        json.dumps({"key": SECRET})

    assert CANARY not in str(refusal.value)


def test_a_secret_has_no_attribute_dictionary() -> None:
    assert not hasattr(SECRET, "__dict__")


def test_the_mask_says_nothing_of_the_length() -> None:
    assert str(Secret("a")) == str(Secret("a" * 100))


def test_a_secret_is_revealed_on_purpose() -> None:
    assert SECRET.reveal() == CANARY


def test_equal_secrets_are_equal_and_hash_alike() -> None:
    assert {SECRET, Secret(CANARY)} == {Secret(CANARY)}


@pytest.mark.parametrize("other", [Secret("another"), CANARY, None])
def test_a_secret_equals_nothing_else(other: object) -> None:
    assert other != SECRET


@pytest.mark.parametrize(("value", "truth"), [("a", True), ("", False)])
def test_an_empty_secret_is_false(value: str, truth: bool) -> None:
    assert bool(Secret(value)) is truth


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_a_copy_is_the_secret_itself(duplicate: Callable[[Secret], Secret]) -> None:
    assert duplicate(SECRET) is SECRET
