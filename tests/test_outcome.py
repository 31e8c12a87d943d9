"""The four outcomes and the words in which they are shown."""

from __future__ import annotations

import enum
from decimal import Decimal

import attrs
import pytest

from notify_core.outcome import (
    Accepted,
    Account,
    Estimate,
    FailureScope,
    NotSent,
    Outcome,
    Receipt,
    RefusalScope,
    Refused,
    State,
    Status,
    Unknown,
)

ADDRESS = "+79991234567"
CANARY = "canary-7331"
RECEIPT = Receipt(provider="smsc", address=ADDRESS, raw={"text": CANARY})

ACCEPTED = Accepted(attrs.evolve(RECEIPT, own_id="m-1-1", provider_id="55"))
REFUSED = Refused("no such number", RefusalScope.RECIPIENT, code="7", receipt=RECEIPT)
NOT_SENT = NotSent("out of reach", FailureScope.PROVIDER, retry_after_s=2.5)
UNKNOWN = Unknown("the answer was cut")
OUTCOMES: list[Outcome] = [ACCEPTED, REFUSED, NOT_SENT, UNKNOWN]


@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        (ACCEPTED, "accepted as 55"),
        (Accepted(attrs.evolve(RECEIPT, own_id="m-1-1")), "accepted as m-1-1"),
        (Accepted(RECEIPT), "accepted"),
        (REFUSED, "refused (recipient): no such number"),
        (Refused("spam", RefusalScope.CONTENT), "refused (content): spam"),
        (Refused("no contract", RefusalScope.ACCOUNT), "refused (account): no contract"),
        (NOT_SENT, "not sent (provider): out of reach"),
        (NotSent("empty", FailureScope.ACCOUNT), "not sent (account): empty"),
        (NotSent("too many", FailureScope.THROTTLED), "not sent (throttled): too many"),
        (UNKNOWN, "unknown: the answer was cut"),
    ],
)
def test_an_outcome_is_said_in_a_sentence(outcome: Outcome, sentence: str) -> None:
    assert str(outcome) == sentence


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: type(outcome).__name__)
def test_an_outcome_shows_neither_address_nor_raw_answer(outcome: Outcome) -> None:
    shown = f"{outcome} {outcome!r}"

    assert (ADDRESS in shown, CANARY in shown) == (False, False)


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: type(outcome).__name__)
def test_an_outcome_cannot_be_changed(outcome: Outcome) -> None:
    first = attrs.fields(type(outcome))[0].name

    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(outcome, first, None)


def test_the_four_outcomes_are_told_apart_by_their_type() -> None:
    def word(outcome: Outcome) -> str:
        match outcome:
            case Accepted():
                return "accepted"
            case Refused():
                return "refused"
            case NotSent():
                return "not sent"
            case Unknown():
                return "unknown"

    assert [word(outcome) for outcome in OUTCOMES] == ["accepted", "refused", "not sent", "unknown"]


@pytest.mark.parametrize("kind", [State, FailureScope, RefusalScope])
def test_the_words_of_an_enum_are_its_names_in_small_letters(kind: type[enum.Enum]) -> None:
    assert [member.value for member in kind] == [member.name.lower() for member in kind]


def test_a_status_hides_the_raw_answer() -> None:
    assert CANARY not in repr(Status(state=State.DELIVERED, raw={"text": CANARY}))


def test_a_status_is_not_final_unless_it_says_so() -> None:
    assert Status(state=State.SENT).final is False


def test_money_is_exact() -> None:
    estimate = Estimate(provider="smsc", cost=Decimal("0.10"))
    account = Account(provider="smsc", balance=Decimal("0.20"))

    assert estimate.cost + (account.balance or 0) == Decimal("0.30")
