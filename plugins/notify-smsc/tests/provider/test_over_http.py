"""Stories over real sockets: a provider and a gateway that misbehaves on demand."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import attrs
import pytest

from notify_core.attachment import Attachment
from notify_core.delivery import Attempt
from notify_core.errors import MessageError, ProviderError, UnsupportedFeature
from notify_core.message import (
    Binary,
    BinaryForm,
    Call,
    Flash,
    Hlr,
    Mail,
    Message,
    Mms,
    Ping,
    Sms,
    Social,
    Telegram,
    Viber,
    WapPush,
    WhatsApp,
)
from notify_core.outcome import (
    Accepted,
    FailureScope,
    NotSent,
    Receipt,
    Refused,
    State,
    Unknown,
)
from notify_core.progress import receipt_to_ask
from notify_core.secret import Secret
from notify_smsc.addresses import MessageIds, message_id
from notify_smsc.plugin import SmscProvider
from notify_smsc_emulator import Emulator, FaultKind, Settings

MakeAttempt = Callable[..., Attempt]
Connect = Callable[..., SmscProvider]

TEXT = "Код 4242"


# --- sending ----------------------------------------------------------------------------------


def test_a_message_goes_out_and_is_followed_to_the_end(
    smsc: SmscProvider, gateway: Emulator, attempt: MakeAttempt
) -> None:
    """Accepted, on its way, delivered."""
    outcome = smsc.notify_send(Sms(text=TEXT, sender="Shop"), attempt())

    assert isinstance(outcome, Accepted)
    (caught,) = gateway.caught()
    assert (caught.text, caught.phone, caught.sender) == (TEXT, "79991234567", "Shop")
    assert outcome.receipt.provider_id == str(caught.id)
    assert outcome.receipt.cost == Decimal("1.20")
    states = []
    for seconds in (1, 2, 0):
        states += [status.state for status in smsc.notify_fetch_status([outcome.receipt])]
        gateway.advance(seconds)
    assert states == [State.WAITING, State.SENT, State.DELIVERED]


@pytest.mark.parametrize(
    ("message", "channel"),
    [
        (Flash(text="t"), "flash"),
        (WapPush(url="https://a.b", title="T"), "push"),
        (Hlr(), "hlr"),
        (Binary(data=b"\x01\xff&="), "bin"),
        (Binary(data=b"\x01\xff&=", form=BinaryForm.BYTES), "bin"),
        (Ping(), "ping"),
        (Mms(subject="s", attachments=Attachment("a.png", b"\x00\xffpng")), "mms"),
        (Call(text="t", voice="w"), "call"),
        (Call(audio=Attachment("a.mp3", b"mp3")), "call"),
        (Viber(text="t", image=Attachment("я.png", b"png")), "viber"),
        (Social(text="t"), "soc"),
        (Telegram(text="4242"), "tg"),
        (Telegram(text="t", bot="@shop_bot"), "bot"),
        (WhatsApp(text="t", media_url="https://a.b/c.png"), "bot"),
    ],
)
def test_every_channel_arrives_as_itself(
    connect: Connect, gateway: Emulator, attempt: MakeAttempt, message: Message, channel: str
) -> None:
    """One message, on the channel that was asked for."""
    smsc = connect(gateway.host, whatsapp_bot="79990000000")

    assert isinstance(smsc.notify_send(message, attempt()), Accepted)

    (caught,) = gateway.caught()
    assert caught.channel == channel


def test_files_and_bytes_arrive_unchanged(
    smsc: SmscProvider, gateway: Emulator, attempt: MakeAttempt
) -> None:
    """Whatever bytes they are made of."""
    everything = bytes(range(256))
    mail = Mail(
        subject="Тема", text="t", sender="a@b.ru", attachments=Attachment("а.bin", everything)
    )
    binary = Binary(data=everything.replace(b"\\", b""), form=BinaryForm.BYTES)

    assert isinstance(smsc.notify_send(mail, attempt("you@example.org", kind="email")), Accepted)
    assert isinstance(smsc.notify_send(binary, attempt(own_id="d2-1")), Accepted)

    letter, bytes_message = gateway.caught()
    assert [(file.name, file.content) for file in letter.files] == [("а.bin", everything)]
    assert bytes_message.text.encode("latin-1") == binary.data


def test_a_request_carries_what_makes_answers_safe(
    smsc: SmscProvider, gateway: Emulator, attempt: MakeAttempt
) -> None:
    """JSON, UTF-8, a word about every number, our id; the credentials only in the body."""
    smsc.notify_send(Sms(text=TEXT), attempt())

    (request,) = gateway.requests()
    assert request.method == "POST"
    assert {param.place for param in request.params} == {"body"}
    sent = request.values
    assert (sent["fmt"], sent["charset"], sent["op"], sent["cost"]) == ("3", "utf-8", "1", "3")
    assert sent["phones"] == "+79991234567"


def test_a_string_id_is_kept_by_the_gateway(
    connect: Connect, gateway: Emulator, attempt: MakeAttempt
) -> None:
    """And can be asked for, like a number."""
    smsc = connect(gateway.host, message_ids=MessageIds.STRING)

    outcome = smsc.notify_send(Sms(text=TEXT), attempt(own_id="d1-1"))

    assert isinstance(outcome, Accepted)
    assert gateway.caught()[0].id == "d1-1"
    (status,) = smsc.notify_fetch_status([receipt_to_ask(attempt(own_id="d1-1"))])
    assert status.state is not State.NOT_FOUND


def test_a_key_opens_the_account(connect: Connect, gateway: Emulator, attempt: MakeAttempt) -> None:
    """In place of login and password."""
    smsc = connect(gateway.host, login=None, password=None, api_key=Secret("test-key"))

    assert isinstance(smsc.notify_send(Sms(text=TEXT), attempt()), Accepted)


def test_what_cannot_be_expressed_leaves_nothing(
    smsc: SmscProvider, gateway: Emulator, attempt: MakeAttempt
) -> None:
    """Refused before a byte has gone."""
    with pytest.raises(UnsupportedFeature):
        smsc.notify_send(Sms(text="__CALL__ hello"), attempt())

    assert gateway.requests() == ()


def test_a_code_that_the_gateway_makes_up_is_told_on_request_only(
    smsc: SmscProvider, gateway: Emulator, attempt: MakeAttempt
) -> None:
    """To the caller, and to no log."""
    call = Call(text="code", extra={"smsc": {"allow": ["code"]}})

    outcome = smsc.notify_send(call, attempt())

    assert isinstance(outcome, Accepted)
    code = outcome.receipt.raw["code"]
    assert code == gateway.caught()[0].code
    assert "code" not in repr(outcome)


# --- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phone", "kind", "code"),
    [
        ("+79990005503", NotSent, "3"),
        ("+79990005506", Refused, "6"),
        ("+79990005507", Refused, "7"),
        ("+79990005508", Refused, "8"),
        ("+79990005509", NotSent, "9"),
    ],
)
def test_a_refusal_of_the_gateway_is_an_outcome(
    smsc: SmscProvider, attempt: MakeAttempt, phone: str, kind: type, code: str
) -> None:
    """With the gateway's own number."""
    outcome = smsc.notify_send(Sms(text=TEXT), attempt(phone))

    assert type(outcome) is kind
    assert not isinstance(outcome, Accepted)
    assert outcome.code == code


def test_wrong_credentials_stop_the_account(
    connect: Connect, gateway: Emulator, attempt: MakeAttempt
) -> None:
    """Five of them would block the address."""
    smsc = connect(gateway.host, password=Secret("CANARY"))

    outcome = smsc.notify_send(Sms(text=TEXT), attempt())

    assert isinstance(outcome, NotSent)
    assert outcome.scope is FailureScope.ACCOUNT
    with pytest.raises(ProviderError) as caught:
        smsc.notify_check()
    assert caught.value.outcome == outcome
    assert "CANARY" not in f"{caught.value!r} {outcome!r}"


# --- lost answers -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [kind for kind in FaultKind if kind is not FaultKind.SLOW])
@pytest.mark.parametrize("registered", [True, False])
def test_a_lost_answer_is_unknown_and_asking_tells_the_truth(
    connect: Connect,
    gateway: Emulator,
    attempt: MakeAttempt,
    kind: FaultKind,
    registered: bool,
) -> None:
    """Whatever went wrong, the message was sent once or not at all, and the gateway knows."""
    smsc = connect(gateway.host, read_timeout=timedelta(seconds=0.2))
    gateway.fault(kind, script="send", registered=registered)

    outcome = smsc.notify_send(Sms(text=TEXT), attempt())

    assert isinstance(outcome, Unknown)
    assert len(gateway.requests()) == 1
    (status,) = smsc.notify_fetch_status([receipt_to_ask(attempt())])
    assert (status.state is not State.NOT_FOUND) is registered
    assert len(gateway.caught()) == registered


def test_a_send_that_was_lost_is_not_tried_at_the_reserve_host(
    connect: Connect, gateway: Emulator, attempt: MakeAttempt
) -> None:
    """The first host may have taken it."""
    smsc = connect(gateway.host, reserve_hosts=(gateway.host,))
    gateway.fault("drop", script="send")

    assert isinstance(smsc.notify_send(Sms(text=TEXT), attempt()), Unknown)
    assert len(gateway.caught()) == 1


def test_a_host_that_cannot_be_reached_is_replaced(
    connect: Connect, gateway: Emulator, attempt: MakeAttempt
) -> None:
    """Nothing can have arrived there."""
    smsc = connect(f"127.0.0.1:{_closed_port()}", reserve_hosts=(gateway.host,))

    assert isinstance(smsc.notify_send(Sms(text=TEXT), attempt()), Accepted)
    assert len(gateway.caught()) == 1


def test_nobody_there_is_not_sent(connect: Connect, attempt: MakeAttempt) -> None:
    """It counts against the provider's health, and may be tried elsewhere."""
    outcome = connect(f"127.0.0.1:{_closed_port()}").notify_send(Sms(text=TEXT), attempt())

    assert isinstance(outcome, NotSent)
    assert outcome.scope is FailureScope.PROVIDER


def test_a_duplicate_is_unknown_and_found_by_asking(connect: Connect, attempt: MakeAttempt) -> None:
    """The first request was accepted: the second must not count as a failure."""
    with Emulator() as strict:
        smsc = connect(strict.host)
        smsc.notify_send(Sms(text=TEXT), attempt())

        again = smsc.notify_send(Sms(text=TEXT), attempt())

        assert again == Unknown(
            "the same request was seen within a minute: probably accepted",
            "9",
            {"host": strict.host},
            message_id(attempt().own_id, MessageIds.NUMBER),
        )
        (status,) = smsc.notify_fetch_status([receipt_to_ask(attempt())])
        assert status.state is not State.NOT_FOUND
        assert len(strict.caught()) == 1


@pytest.mark.parametrize("kind", ["drop", "empty", "html"])
def test_a_send_in_doubt_tells_which_host_may_have_it(
    connect: Connect, gateway: Emulator, attempt: MakeAttempt, kind: str
) -> None:
    """The first one that could be reached, and no other."""
    smsc = connect(f"127.0.0.1:{_closed_port()}", reserve_hosts=(gateway.host, "127.0.0.1:1"))
    gateway.fault(kind, script="send")

    outcome = smsc.notify_send(Sms(text=TEXT), attempt())

    assert isinstance(outcome, Unknown)
    assert outcome.raw == {"host": gateway.host}


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


# --- statuses ---------------------------------------------------------------------------------


def test_many_statuses_are_asked_in_few_queries(
    smsc: SmscProvider, gateway: Emulator, attempt: MakeAttempt
) -> None:
    """In the order of the receipts, those that are not found included."""
    made = attempt()
    smsc.notify_send(Sms(text=TEXT), made)
    receipts = [receipt_to_ask(attempt(own_id=f"nope-{n}")) for n in range(60)]
    receipts[40] = receipt_to_ask(made)

    statuses = smsc.notify_fetch_status(receipts)

    found = [n for n, status in enumerate(statuses) if status.state is not State.NOT_FOUND]
    assert found == [40]
    assert len(gateway.requests()) == 3


@pytest.mark.parametrize("address", ["12", "G1234567", "@nick", "#42"])
def test_not_found_proves_nothing_where_queries_are_not_documented(
    smsc: SmscProvider, address: str
) -> None:
    """Else a group would be served twice."""
    receipt = Receipt(provider="smsc", address=address, own_id="d1-1")

    with pytest.raises(ProviderError, match="proves nothing"):
        smsc.notify_fetch_status([receipt])


def in_doubt(attempt: Attempt, host: str) -> Receipt:
    """Make the receipt with which the core asks after a send that was lost at this host."""
    return attrs.evolve(receipt_to_ask(attempt), raw={"host": host})


def test_a_message_in_doubt_is_asked_for_at_the_host_that_may_have_it(
    connect: Connect, gateway: Emulator, attempt: MakeAttempt
) -> None:
    """Its *not found* is proof; the host before it is not asked."""
    with Emulator() as main:
        smsc = connect(main.host, reserve_hosts=("127.0.0.1:1", gateway.host))

        (status,) = smsc.notify_fetch_status([in_doubt(attempt(), gateway.host)])

        assert status.state is State.NOT_FOUND
        assert (len(main.requests()), len(gateway.requests())) == (0, 1)


@pytest.mark.parametrize("ask", ["notify_fetch_status", "status", "delete"])
def test_no_other_host_answers_for_a_message_in_doubt(
    connect: Connect, gateway: Emulator, attempt: MakeAttempt, ask: str
) -> None:
    """Whether it knows the message is not documented."""
    down = f"127.0.0.1:{_closed_port()}"
    smsc = connect(down, reserve_hosts=(gateway.host,))
    receipt = in_doubt(attempt(), down)

    with pytest.raises(ProviderError, match="no connection"):
        getattr(smsc, ask)([receipt] if ask == "notify_fetch_status" else receipt)

    assert gateway.requests() == ()


@pytest.mark.parametrize("raw", [{}, {"host": "gone.example"}, {"host": 7}])
def test_not_found_proves_nothing_where_the_host_is_not_known(
    connect: Connect, gateway: Emulator, attempt: MakeAttempt, raw: dict[str, object]
) -> None:
    """It may have gone to a host that was not asked, or is not configured any more."""
    smsc = connect(gateway.host, reserve_hosts=("127.0.0.1:1",))
    receipt = attrs.evolve(receipt_to_ask(attempt()), raw=raw)

    with pytest.raises(ProviderError, match="may not be the one it went to"):
        smsc.notify_fetch_status([receipt])


def test_a_host_that_is_not_configured_proves_nothing_even_where_there_is_but_one(
    smsc: SmscProvider, attempt: MakeAttempt
) -> None:
    """The one that is left is another."""
    with pytest.raises(ProviderError, match="may not be the one it went to"):
        smsc.notify_fetch_status([in_doubt(attempt(), "gone.example")])


def test_a_message_found_at_any_host_is_found(
    connect: Connect, gateway: Emulator, attempt: MakeAttempt
) -> None:
    """Only absence needs proof."""
    smsc = connect(gateway.host, reserve_hosts=("127.0.0.1:1",))
    smsc.notify_send(Sms(text=TEXT), attempt())

    (status,) = smsc.notify_fetch_status([receipt_to_ask(attempt())])

    assert status.state is State.WAITING


def test_an_accepted_message_is_asked_for_at_the_reserve_host_too(
    connect: Connect, gateway: Emulator
) -> None:
    """Its absence there decides nothing: it will not be sent again."""
    smsc = connect(f"127.0.0.1:{_closed_port()}", reserve_hosts=(gateway.host,))
    accepted = Receipt(provider="smsc", address="+79991234567", own_id="d", provider_id="77")

    (status,) = smsc.notify_fetch_status([accepted])

    assert status.state is State.NOT_FOUND


def test_statuses_from_several_hosts_come_in_the_order_of_the_receipts(
    connect: Connect, gateway: Emulator, attempt: MakeAttempt
) -> None:
    """Each host is asked once for all its messages."""
    with Emulator(Settings(rate_rules=False)) as main:
        connect(main.host).notify_send(Sms(text=TEXT), attempt(own_id="a"))
        connect(gateway.host).notify_send(Sms(text=TEXT), attempt(own_id="b"))
        smsc = connect(main.host, reserve_hosts=(gateway.host,))
        asked = [("a", main), ("b", gateway), ("x", main), ("y", gateway), ("b", gateway)]

        statuses = smsc.notify_fetch_status(
            [in_doubt(attempt(own_id=own_id), at.host) for own_id, at in asked]
        )

        found = [status.state is not State.NOT_FOUND for status in statuses]
        assert found == [True, True, False, False, True]
        # Beside the send.
        assert (len(main.requests()), len(gateway.requests())) == (2, 2)


@pytest.mark.parametrize("question", ["status", "balance", "price", "operator"])
def test_a_question_goes_to_two_hosts_at_most(
    connect: Connect, gateway: Emulator, attempt: MakeAttempt, question: str
) -> None:
    """Else a gateway that is silent at all its hosts would hold the caller for minutes."""
    down = f"127.0.0.1:{_closed_port()}"
    smsc = connect(down, reserve_hosts=(down, gateway.host))
    accepted = Receipt(provider="smsc", address="+79991234567", own_id="d", provider_id="77")
    questions: dict[str, Callable[[], object]] = {
        "status": lambda: smsc.notify_fetch_status([accepted]),
        "balance": smsc.notify_check,
        "price": lambda: smsc.notify_estimate(Sms(text=TEXT), attempt()),
        "operator": lambda: smsc.operator("+79991234567"),
    }

    with pytest.raises(ProviderError, match="no connection"):
        questions[question]()

    assert gateway.requests() == ()


def test_a_status_that_gets_no_answer_is_not_not_found(
    smsc: SmscProvider, gateway: Emulator, attempt: MakeAttempt
) -> None:
    """The core must not take silence for absence."""
    gateway.fault("html", script="status")

    with pytest.raises(ProviderError):
        smsc.notify_fetch_status([receipt_to_ask(attempt())])


def test_a_receipt_without_an_id_cannot_be_asked_for(smsc: SmscProvider) -> None:
    """That is a mistake of the caller, and no absence."""
    with pytest.raises(MessageError, match="without an id"):
        smsc.notify_fetch_status([Receipt(provider="smsc", address="+79991234567")])


def test_a_question_that_was_lost_may_go_to_the_reserve_host(
    connect: Connect, gateway: Emulator
) -> None:
    """Asking twice harms nobody."""
    smsc = connect(gateway.host, reserve_hosts=(gateway.host,))
    gateway.fault("drop", script="balance")

    assert smsc.notify_check().balance == Decimal("1000.00")


def test_the_full_data_are_given_on_request(smsc: SmscProvider, attempt: MakeAttempt) -> None:
    """The usual query leaves the text with the gateway."""
    outcome = smsc.notify_send(Sms(text=TEXT), attempt())
    assert isinstance(outcome, Accepted)

    (usual,) = smsc.notify_fetch_status([outcome.receipt])
    full = smsc.status(outcome.receipt, detail=2)

    assert "message" not in usual.raw
    assert full.raw["message"] == TEXT
    assert full.raw["country"]
    assert TEXT not in repr(full)


def test_an_hlr_query_tells_about_the_subscriber(
    smsc: SmscProvider, gateway: Emulator, attempt: MakeAttempt
) -> None:
    """Delivered when the subscriber is there, not delivered when nobody is."""
    receipts = []
    for phone in ("+79991234567", "+79990006601"):
        outcome = smsc.notify_send(Hlr(), attempt(phone, own_id=phone))
        assert isinstance(outcome, Accepted)
        receipts.append(outcome.receipt)
    gateway.advance(60)

    there, nobody = smsc.notify_fetch_status(receipts)

    assert (there.state, nobody.state) == (State.DELIVERED, State.UNDELIVERED)
    assert there.raw["imsi"]
    assert nobody.detail == "the subscriber does not exist"


# --- the rest ---------------------------------------------------------------------------------


def test_a_price_is_asked_and_nothing_is_sent(
    smsc: SmscProvider, gateway: Emulator, attempt: MakeAttempt
) -> None:
    """With the same parameters as the send."""
    estimate = smsc.notify_estimate(Sms(text="x" * 200), attempt())

    assert (estimate.cost, estimate.parts) == (Decimal("2.40"), 2)
    assert gateway.caught() == ()


def test_the_balance_comes_with_its_currency(smsc: SmscProvider) -> None:
    """The same question shows that the credentials work."""
    account = smsc.notify_check()

    assert (account.balance, account.currency) == (Decimal("1000.00"), "RUR")


def test_an_operator_is_found(smsc: SmscProvider) -> None:
    """A country at least."""
    assert smsc.operator("+79991234567").country == "Россия"


def test_a_message_that_waits_can_be_deleted(
    smsc: SmscProvider, gateway: Emulator, attempt: MakeAttempt
) -> None:
    """And one that has left cannot."""
    first = smsc.notify_send(Sms(text=TEXT), attempt())
    second = smsc.notify_send(Sms(text="other"), attempt(own_id="d2-1"))
    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)

    smsc.delete(first.receipt)
    gateway.advance(60)

    with pytest.raises(ProviderError, match="could not be deleted"):
        smsc.delete(second.receipt)


# --- lists ------------------------------------------------------------------------------------


def test_a_list_is_one_request_and_one_outcome_per_line(
    smsc: SmscProvider, gateway: Emulator, attempt: MakeAttempt
) -> None:
    """A bad number does not spoil the others, and is not hidden by them."""
    phones = ["+79990000001", "+79990005507", "+79990000002"]
    lines = [(Sms(text=f"Line\nfor: {phone}"), attempt(phone)) for phone in phones]

    outcomes = smsc.send_list(lines)

    assert [type(outcome) for outcome in outcomes] == [Accepted, Refused, Accepted]
    assert len(gateway.requests()) == 1
    assert gateway.caught()[0].text == "Line\nfor: +79990000001"
    statuses = smsc.notify_fetch_status([receipt_to_ask(made) for _, made in lines])
    assert all(status.state is not State.NOT_FOUND for status in statuses)


def test_a_list_whose_answer_is_lost_is_unknown_in_every_line(
    smsc: SmscProvider, gateway: Emulator, attempt: MakeAttempt
) -> None:
    """Any of them may have gone."""
    gateway.fault("cut", script="send", cut_after=30)
    lines = [(Sms(text="t"), attempt(phone)) for phone in ("+79990000001", "+79990000002")]

    outcomes = smsc.send_list(lines)

    assert [type(outcome) for outcome in outcomes] == [Unknown, Unknown]
    hosts = {outcome.raw["host"] for outcome in outcomes if isinstance(outcome, Unknown)}
    assert hosts == {gateway.host}


def bad_lists() -> list[tuple[list[tuple[Message, dict[str, Any]]], str]]:
    one, other = {"address": "+79990000001"}, {"address": "+79990000002"}
    picture = Viber(text="t", image=Attachment("a.png", b"png"))
    return [
        ([], "an empty list"),
        ([(Sms(text="a"), one), (Flash(text="b"), other)], "differ in texts"),
        ([(Sms(text="a"), one), (Sms(text="b"), other | {"own_id": "d2"})], "differ in texts"),
        ([(Sms(text="a"), one), (Sms(text="b"), one)], "stands twice"),
        ([(picture, one)], "files and bytes"),
    ]


@pytest.mark.parametrize(("lines", "words"), bad_lists())
def test_a_list_that_cannot_be_one_request_is_refused(
    smsc: SmscProvider,
    gateway: Emulator,
    attempt: MakeAttempt,
    lines: list[tuple[Message, dict[str, Any]]],
    words: str,
) -> None:
    """Before anything has left."""
    with pytest.raises(MessageError, match=words):
        smsc.send_list([(message, attempt(**where)) for message, where in lines])

    assert gateway.requests() == ()
