"""Every number that the gateway documents, and what it means to us."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_core.outcome import (
    FailureScope,
    NotSent,
    Receipt,
    RefusalScope,
    Refused,
    State,
    Unknown,
)
from notify_smsc.codes import (
    DELIVERY_ERRORS,
    STATUSES,
    ErrorClass,
    delivery_error,
    describe,
    judge,
    question_error,
    send_error,
)

DUPLICATE = "duplicate request, wait a minute"
CONCURRENT = "too many concurrent requests"
ARRIVED = {State.DELIVERED, State.READ, State.CLICKED}
FAILED = {State.EXPIRED, State.UNDELIVERED, State.REJECTED}


@pytest.mark.parametrize(
    ("number", "text", "kind", "scope"),
    [
        (1, "", Refused, RefusalScope.CONTENT),
        (2, "authorise error", NotSent, FailureScope.ACCOUNT),
        (3, "no money", NotSent, FailureScope.ACCOUNT),
        (4, "ip is blocked", NotSent, FailureScope.ACCOUNT),
        (5, "", Refused, RefusalScope.CONTENT),
        (6, "message is denied", Refused, RefusalScope.CONTENT),
        (7, "invalid number", Refused, RefusalScope.RECIPIENT),
        (8, "can't to deliver", Refused, RefusalScope.RECIPIENT),
        (9, CONCURRENT, NotSent, FailureScope.THROTTLED),
        (9, DUPLICATE, Unknown, None),
        (9, "", Unknown, None),
        (9, "something new", Unknown, None),
        (0, "", Unknown, None),
        (10, "", Unknown, None),
        (-1, "", Unknown, None),
    ],
)
def test_an_error_of_a_send_has_its_outcome(
    number: int, text: str, kind: type, scope: object
) -> None:
    """Each documented number leads to one outcome and keeps its raw value."""
    outcome = send_error(number, text)

    assert type(outcome) is kind
    assert getattr(outcome, "scope", None) is scope
    assert outcome.code == str(number)


def test_a_blocked_address_waits_for_the_longer_of_the_documented_times() -> None:
    """A shorter pause would make the block last."""
    outcome = send_error(4)

    assert isinstance(outcome, NotSent)
    assert outcome.retry_after_s == 1800


def test_a_refused_message_keeps_the_id_under_which_it_was_registered() -> None:
    """The gateway's support asks for it."""
    receipt = Receipt(provider="smsc", address="+79991234567", provider_id="175")

    assert send_error(7, "invalid number", receipt) == Refused(
        "wrong phone number format", RefusalScope.RECIPIENT, "7", receipt
    )


def test_a_message_without_money_names_its_id() -> None:
    """Whoever tops up has to delete it first, should another provider have taken over."""
    receipt = Receipt(provider="smsc", address="+79991234567", provider_id="175")

    outcome = send_error(3, "no money", receipt)

    assert outcome == NotSent(
        "not enough money; registered as 175: delete that before a top-up, which may send it",
        FailureScope.ACCOUNT,
        code="3",
    )


@pytest.mark.parametrize("number", range(1, 10))
def test_the_text_of_an_error_is_not_quoted(number: int) -> None:
    """Nobody promises what the provider's sentence holds."""
    assert "CANARY" not in repr(send_error(number, "CANARY duplicate concurrent"))


@given(st.integers().filter(lambda number: not 1 <= number <= 9), st.text())
def test_an_unknown_error_of_a_send_is_unknown(number: int, text: str) -> None:
    """It keeps its raw value and says neither sent nor not sent."""
    assert send_error(number, text) == Unknown("an error that is not documented", str(number))


def test_error_9_of_a_question_is_a_limit_of_queries() -> None:
    """A question has no duplicate that could have been accepted."""
    outcome = question_error(9, DUPLICATE)

    assert isinstance(outcome, NotSent)
    assert outcome.scope is FailureScope.THROTTLED


@pytest.mark.parametrize(
    ("status", "state", "final"),
    [
        (-3, State.NOT_FOUND, False),
        (-2, State.PAUSED, False),
        (-1, State.WAITING, False),
        (0, State.SENT, False),
        (1, State.DELIVERED, True),
        (2, State.READ, True),
        (3, State.EXPIRED, True),
        (4, State.CLICKED, True),
        (6, State.REJECTED, True),
        (20, State.UNDELIVERED, True),
        (22, State.UNDELIVERED, True),
        (23, State.REJECTED, True),
        (24, State.PAUSED, False),
        (25, State.UNDELIVERED, True),
    ],
)
def test_a_status_has_its_state(status: int, state: State, final: bool) -> None:
    """Each documented status leads to one state; the paused ones are not final."""
    judged = judge(status)

    assert (judged.state, judged.final) == (state, final)


def test_every_documented_status_is_in_the_table_above() -> None:
    """A status added to the code is added to the test."""
    assert set(STATUSES) == {-3, -2, -1, 0, 1, 2, 3, 4, 6, 20, 22, 23, 24, 25}


@given(st.integers().filter(lambda status: status not in STATUSES), st.none() | st.integers())
def test_an_unknown_status_is_never_delivered_nor_failed(status: int, err: int | None) -> None:
    """It stays open, whatever error stands beside it; only test mode explains itself."""
    judged = judge(status, err)

    expected = State.SIMULATED if err == 200 else State.UNKNOWN
    assert judged.state is expected
    assert judged.final is (err == 200)


@pytest.mark.parametrize(
    ("err", "kind"),
    [
        (0, "none"),
        (1, "recipient"),
        (6, "temporary"),
        (11, "channel"),
        (12, "recipient"),
        (13, "temporary"),
        (21, "channel"),
        (200, "test"),
        (219, "temporary"),
        (220, "temporary"),
        (237, "temporary"),
        (238, "setup"),
        (239, "setup"),
        (240, "temporary"),
        (241, "content"),
        (242, "recipient"),
        (243, "setup"),
        (244, "setup"),
        (245, "unsure"),
        (246, "setup"),
        (247, "setup"),
        (248, "route"),
        (249, "recipient"),
        (250, "setup"),
        (251, "setup"),
        (252, "recipient"),
        (253, "content"),
        (254, "setup"),
        (255, "route"),
    ],
)
def test_a_delivery_error_has_its_class(err: int, kind: str) -> None:
    """Each documented delivery error says what it is about, in words."""
    assert delivery_error(err).kind is ErrorClass(kind)
    assert delivery_error(err).words


def test_every_documented_delivery_error_is_classified() -> None:
    """No more and no fewer than the vendor lists."""
    assert set(DELIVERY_ERRORS) == {0, 1, 6, 11, 12, 13, 21, 200, 219, 220} | set(range(237, 256))


@pytest.mark.parametrize("status", [-1, 0, 1, 2, 20])
def test_virtual_sending_is_never_delivery(status: int) -> None:
    """In test mode nothing reaches anybody, whatever the status says."""
    assert judge(status, 200).state is State.SIMULATED


@pytest.mark.parametrize("status", [1, 20])
def test_a_status_that_was_not_received_is_unknown(status: int) -> None:
    """Error 245 says that the gateway does not know either."""
    judged = judge(status, 245)

    assert (judged.state, judged.final) == (State.UNKNOWN, False)


@pytest.mark.parametrize("err", sorted(set(DELIVERY_ERRORS) - {0, 200, 245}))
def test_delivered_beside_an_error_is_not_delivered(err: int) -> None:
    """An HLR query that was carried out found nobody there."""
    assert judge(1, err).state is State.UNDELIVERED


@given(st.integers().filter(lambda err: err not in DELIVERY_ERRORS))
def test_an_unknown_delivery_error_makes_nothing_delivered(err: int) -> None:
    """The known failure of the status stands; a known success does not."""
    assert judge(1, err).state is State.UNKNOWN
    assert judge(20, err).state is State.UNDELIVERED
    assert delivery_error(err).kind is ErrorClass.UNDOCUMENTED


def test_an_hlr_answer_without_an_error_code_is_not_over() -> None:
    """Only the error code tells whether the subscriber is there."""
    assert judge(1, None, is_hlr=True).state is State.SENT
    assert judge(1, 0, is_hlr=True).state is State.DELIVERED


def test_words_name_the_status_and_the_error() -> None:
    """People read them in reports."""
    assert describe(20, 6) == "cannot be delivered: the subscriber is offline"
    assert describe(1, 0) == "delivered"
    assert describe(1, 1) == "the subscriber does not exist"
    assert describe(77, 1) == "a status that is not documented: the subscriber does not exist"
