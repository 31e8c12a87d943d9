"""The four outcomes and the words in which they are shown."""

from __future__ import annotations

import enum
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import reduce
from random import Random

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_core.outcome import (
    ARRIVED_STATES,
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
    advanced,
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
        (NotSent("cancelled", FailureScope.WITHHELD), "not sent (withheld): cancelled"),
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


NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
WAITING = Status(state=State.WAITING)
PAUSED = Status(state=State.PAUSED)
SENT = Status(state=State.SENT)
SENT_FOR_GOOD = Status(state=State.SENT, final=True)
DELIVERED = Status(state=State.DELIVERED)
DELIVERED_FOR_GOOD = Status(state=State.DELIVERED, final=True)
READ = Status(state=State.READ, final=True)
CLICKED = Status(state=State.CLICKED, final=True)
REJECTED = Status(state=State.REJECTED, final=True)
UNDELIVERED = Status(state=State.UNDELIVERED, final=True)
NOT_FOUND = Status(state=State.NOT_FOUND)
NEW_CODE = Status(state=State.UNKNOWN)


@pytest.mark.parametrize(
    ("known", "told"),
    [
        (None, NOT_FOUND),
        (None, SENT),
        (NOT_FOUND, NEW_CODE),
        (NOT_FOUND, WAITING),
        (NEW_CODE, WAITING),
        (PAUSED, SENT),
        (SENT, SENT_FOR_GOOD),
        (SENT, DELIVERED),
        (SENT_FOR_GOOD, DELIVERED),
        (DELIVERED, DELIVERED_FOR_GOOD),
        (DELIVERED_FOR_GOOD, READ),
        (READ, CLICKED),
        # What is final is not taken back by what says less.
        (attrs.evolve(UNDELIVERED, final=False), Status(state=State.EXPIRED, final=True)),
        (attrs.evolve(SENT, at=NOON), SENT_FOR_GOOD),
        # A message that was given up by mistake may arrive; one that has arrived stays so.
        (REJECTED, DELIVERED),
        (REJECTED, READ),
        *(
            (SENT, Status(state=state, final=True))
            for state in (State.EXPIRED, State.UNDELIVERED, State.REJECTED, State.SIMULATED)
        ),
        *(
            (Status(state=state, final=True), DELIVERED_FOR_GOOD)
            for state in (State.EXPIRED, State.UNDELIVERED)
        ),
        # An account in test mode delivers nothing, whatever it says.
        (DELIVERED_FOR_GOOD, Status(state=State.SIMULATED, final=True)),
    ],
    ids=str,
)
def test_of_two_statuses_the_one_that_is_further_is_left_in_whichever_order_they_are_told(
    known: Status | None, told: Status
) -> None:
    assert advanced(known, told) == told
    if known is not None:
        assert advanced(told, known) == told


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (WAITING, PAUSED),
        (PAUSED, WAITING),
        (UNDELIVERED, REJECTED),
        (REJECTED, UNDELIVERED),
        (REJECTED, attrs.evolve(REJECTED, detail="told once more")),
    ],
    ids=str,
)
def test_of_two_that_are_equally_far_the_one_that_the_provider_saw_last_is_left(
    earlier: Status, later: Status
) -> None:
    earlier, later = attrs.evolve(earlier, at=NOON), attrs.evolve(later, at=NOON + SECOND)

    assert advanced(earlier, later) == advanced(later, earlier) == later


def test_a_time_without_a_zone_is_one_of_utc() -> None:
    """Nobody makes plugins give one, and two statuses must not become incomparable."""
    earlier = attrs.evolve(SENT, at=NOON.replace(tzinfo=None))
    later = attrs.evolve(SENT, at=NOON + SECOND)

    assert advanced(earlier, later) == advanced(later, earlier) == later


moments = st.none() | st.sampled_from([NOON, NOON + SECOND])
some_statuses = st.builds(
    Status,
    state=st.sampled_from(State),
    final=st.booleans(),
    at=moments,
    code=st.sampled_from([None, "1", "20"]),
    error=st.sampled_from([None, "6"]),
    detail=st.sampled_from(["", "absent"]),
    provider_id=st.sampled_from([None, "55"]),
)


@given(st.lists(some_statuses, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_however_often_and_in_whichever_order_statuses_are_told_the_same_one_is_left(
    told: list[Status], chance: Random
) -> None:
    again = told + told[:2]
    chance.shuffle(again)

    assert reduce(advanced, again) == reduce(advanced, told)


@given(some_statuses, some_statuses)
def test_a_status_never_moves_backwards(known: Status, told: Status) -> None:
    left = advanced(known, told)

    assert left in (known, told)
    assert advanced(left, known) == left
    if known.state in ARRIVED_STATES:
        assert left.state in {*ARRIVED_STATES, State.SIMULATED}


@pytest.mark.parametrize("state", [State.READ, State.CLICKED])
@pytest.mark.parametrize(
    "end", [State.DELIVERED, State.EXPIRED, State.UNDELIVERED, State.REJECTED, State.SIMULATED]
)
def test_a_reader_is_believed_whatever_the_provider_had_said(end: State, state: State) -> None:
    read = Status(state=state, final=True)

    assert advanced(Status(state=end, final=True), read) == read


def test_money_is_exact() -> None:
    estimate = Estimate(provider="smsc", cost=Decimal("0.10"))
    account = Account(provider="smsc", balance=Decimal("0.20"))

    assert estimate.cost + (account.balance or 0) == Decimal("0.30")
