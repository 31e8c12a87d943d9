"""What is written in the journal is read as it was."""

from __future__ import annotations

import enum
import json
import math
import types
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notify_core.adaptation import adapt, can_adapt
from notify_core.attachment import Attachment
from notify_core.clock import SystemClock
from notify_core.config.model import (
    Because,
    IfUnknown,
    JournalConfig,
    Mode,
    Quiet,
    Retry,
    Until,
    Weekday,
)
from notify_core.contact import Contact
from notify_core.errors import JournalError, MessageError
from notify_core.journal.base import Journal
from notify_core.journal.codec import (
    dumps,
    fingerprint,
    loads,
    outcome_doc,
    plan_doc,
    progress_doc,
    read_outcome,
    read_plan,
    read_progress,
)
from notify_core.journal.model import Entry
from notify_core.journal.opening import open_journal
from notify_core.message import (
    MESSAGE_TYPES,
    Binary,
    BinaryForm,
    Button,
    Call,
    Flash,
    Hlr,
    Mail,
    Message,
    Mms,
    Ping,
    Priority,
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
    Outcome,
    Receipt,
    RefusalScope,
    Refused,
    State,
    Status,
    Unknown,
)
from notify_core.plain.messages import MessageReader, plain
from notify_core.progress import (
    Ask,
    Await,
    Circumstances,
    CloseLeg,
    End,
    Look,
    Pause,
    Progress,
    Rest,
    Rules,
    Stay,
    Try,
    Wish,
    asked_anew,
    attempt_answered,
    attempt_began,
    begin,
    leg_closed,
    looked,
    merged,
    next_action,
    provider_left_alone,
    provider_skipped,
    question_answered,
    rested,
    round_began,
    status_learned,
    waiting_began,
)
from notify_core.routing import Facts, Leg, Plan
from notify_core.secret import Secret
from notify_core.text import count_parts

NOW = datetime(2030, 1, 1, tzinfo=UTC)
SCHEDULES = {"a": (1.0, 2.0), "b": (), "c": (1.0,)}
TYPES = {each.channel: each for each in MESSAGE_TYPES}

# --- strategies: messages -------------------------------------------------------------------

_LINE_ENDS = "\u2028\u2029"
lines = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters=_LINE_ENDS))
words = lines.filter(str.strip)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
sayings = texts.filter(str.strip)
urls = st.sampled_from(["https://example.org/picture.png", "http://example.org/?q=ы"])
files = st.builds(Attachment, st.just("файл.bin"), st.binary(max_size=9))
spans = st.integers(1, 10**9).map(lambda number: timedelta(milliseconds=number))
moments = st.datetimes(
    datetime(2000, 1, 1),
    datetime(2100, 1, 1),
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))]),
)
plain_values: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)
kept_values = plain_values.filter(lambda value: "Infinity" not in json.dumps(value))
phones = st.sampled_from(["+79990000001", "+79990000002", "8 (999) 000-00-03"])
contacts = st.builds(
    Contact,
    phone=phones,
    email=st.none() | st.just("name@example.org"),
    telegram=st.none() | st.just("@somebody"),
    other=st.dictionaries(st.sampled_from(["pager", "fax"]), words, max_size=2),
)


def of_type(kind: type[Message], **own: st.SearchStrategy[Any]) -> st.SearchStrategy[Message]:
    """Messages of one type, with whatever every message may have."""
    return st.builds(
        kind,
        sender=st.none() | lines,
        tags=st.frozensets(words, max_size=2),
        priority=st.sampled_from(Priority),
        send_at=st.none() | moments,
        valid_for=st.none() | spans,
        key=st.none() | lines,
        extra=st.dictionaries(words, st.dictionaries(words, kept_values, max_size=2), max_size=2),
        **own,
    )


BY_TYPE: Mapping[type[Message], st.SearchStrategy[Message]] = {
    Sms: of_type(Sms, text=sayings),
    Flash: of_type(Flash, text=sayings),
    Viber: of_type(
        Viber,
        text=sayings,
        image=st.none() | files | urls,
        button=st.none() | st.builds(Button, caption=words, url=urls),
    ),
    Telegram: of_type(Telegram, text=sayings, bot=st.none() | st.just("@name_bot")),
    WhatsApp: of_type(WhatsApp, text=sayings, media_url=st.none() | urls),
    Mail: of_type(
        Mail, subject=words, text=texts, html=sayings, attachments=st.lists(files, max_size=2)
    ),
    Call: st.one_of(
        of_type(
            Call,
            text=sayings,
            voice=st.none() | lines,
            answer_within=st.none() | spans,
            retry_pause=st.none() | spans,
            attempts=st.none() | st.integers(1, 9),
        ),
        of_type(Call, audio=st.lists(files, min_size=1, max_size=2)),
    ),
    Mms: of_type(Mms, subject=lines, text=sayings, attachments=st.lists(files, max_size=2)),
    WapPush: of_type(WapPush, url=urls, title=words),
    Hlr: of_type(Hlr),
    Binary: of_type(
        Binary,
        data=st.binary(min_size=1, max_size=9),
        form=st.sampled_from(BinaryForm),
        pid=st.none() | st.integers(0, 255),
        dcs=st.none() | st.integers(0, 255),
    ),
    Ping: of_type(Ping),
    Social: of_type(Social, text=sayings),
}


@st.composite
def messages(draw: st.DrawFn) -> Message:
    """A message of any type to anybody, which may bring alternatives."""
    kinds = draw(st.lists(st.sampled_from(MESSAGE_TYPES), min_size=1, max_size=3, unique=True))
    first, *others = [draw(BY_TYPE[kind]) for kind in kinds]
    to = draw(st.lists(contacts | phones, max_size=2))
    if first.channel == "mail":
        to = [contact for contact in to if isinstance(contact, Contact)]
    return attrs.evolve(first, to=to, alternatives=tuple(others))


# --- strategies: plans, and what may happen -------------------------------------------------

quiets = st.builds(
    Quiet,
    from_=st.just(time(21)),
    to=st.just(time(9, 30)),
    days=st.sampled_from([(), (Weekday.SAT, Weekday.SUN)]),
)


facts = st.builds(
    Facts,
    channel=words,
    tags=st.frozensets(words, max_size=2),
    priority=st.sampled_from(["low", "normal", "high", "critical"]),
    sender=st.none() | words,
    number=st.sampled_from([None, "+799912…"]),
    country=st.sampled_from([None, "RU"]),
    domain=st.sampled_from([None, "example.org"]),
)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """A plan for a message by its own channel, and by others that can carry it."""
    message, recipient = draw(messages()), draw(contacts)
    return Plan(
        delivery_id="0" * 24,
        message_id=message.id,
        recipient=recipient,
        route=draw(words),
        mode=draw(st.sampled_from(Mode)),
        if_unknown=draw(st.sampled_from(IfUnknown)),
        next_on=draw(st.frozensets(st.sampled_from(RefusalScope))),
        deadline=draw(st.none() | spans),
        legs=tuple(draw(leg(kind, message, recipient)) for kind in carrying(message)),
        warnings=tuple(draw(st.lists(words, max_size=2))),
        quiet=draw(st.none() | quiets),
        zones=draw(st.sampled_from([(), ("Europe/Moscow", "Asia/Omsk")])),
        facts=draw(st.none() | facts),
    )


def carrying(message: Message) -> list[type[Message]]:
    """The types of the legs: some that the message can become."""
    alternatives = [type(each) for each in message.alternatives]
    declared = [kind for kind in (Sms, Call) if can_adapt(type(message), kind)]
    wanted = dict.fromkeys([type(message), *alternatives, *declared])
    return [kind for kind in wanted if becomes(message, kind)]


def becomes(message: Message, kind: type[Message]) -> bool:
    try:
        adapt(message, kind)
    except MessageError:
        return False
    return True


def leg(kind: type[Message], message: Message, recipient: Contact) -> st.SearchStrategy[Leg]:
    carried = adapt(message, kind).message
    return st.builds(
        Leg,
        channel=st.just(kind.channel),
        message=st.just(carried),
        address=st.just(recipient.address("phone")),
        address_kind=st.just("phone"),
        providers=st.permutations(tuple(SCHEDULES)).map(lambda names: tuple(names[:2])),
        until=st.sampled_from(Until),
        within=st.none() | spans,
        on=st.frozensets(st.sampled_from(Because)),
        if_unknown=st.sampled_from(IfUnknown),
        expires=st.none() | spans,
        distrusted=st.frozensets(st.sampled_from(tuple(SCHEDULES))),
        parts=st.just(None if carried.body is None else count_parts(carried.body)),
        notes=st.lists(words, max_size=2).map(tuple),
    )


maybe_word = st.none() | words
money = st.none() | st.decimals(allow_nan=False, allow_infinity=False, places=2)
raws = st.dictionaries(st.text(), kept_values, max_size=2)
receipts = st.builds(
    Receipt,
    provider=words,
    address=words,
    own_id=maybe_word,
    provider_id=maybe_word,
    parts=st.none() | st.integers(0, 9),
    cost=money,
    balance=money,
    currency=maybe_word,
    raw=raws,
)
outcomes: st.SearchStrategy[Outcome] = st.one_of(
    st.builds(Accepted, receipts),
    st.builds(
        Refused, texts, st.sampled_from(RefusalScope), maybe_word, receipt=st.none() | receipts
    ),
    st.builds(
        NotSent,
        texts,
        st.sampled_from(FailureScope),
        st.none() | st.integers(0, 40) | st.floats(0, 40),
        maybe_word,
    ),
    st.builds(Unknown, texts, maybe_word, raws),
)
statuses = st.builds(
    Status,
    state=st.sampled_from(State),
    final=st.booleans(),
    code=maybe_word,
    error=maybe_word,
    detail=texts,
    at=st.none() | moments,
    provider_id=maybe_word,
    raw=raws,
)

Draw = Callable[[st.SearchStrategy[Any]], Any]


def story(plan: Plan, rules: Rules, draw: Draw) -> Iterator[Progress]:
    """Carry a plan out with whatever hypothesis draws; yield each step."""
    progress = begin(plan)
    for _ in range(30):
        yield progress
        if told := draw(st.none() | statuses):
            attempts = [*(each for leg in progress.done for each in leg.attempts)]
            for attempt in [*attempts, *progress.attempts][-2:]:
                progress = status_learned(plan, progress, attempt.own_id, attempt.provider, told)
            yield progress
        match next_action(plan, progress, rules, circumstances(draw)):
            case End() | Stay():
                break
            case action:
                progress = after(plan, progress, action, rules, draw)
    yield asked_anew(progress)


def circumstances(draw: Draw) -> Circumstances:
    left_s = draw(st.sampled_from([math.inf, math.inf, math.inf, 3.0, 0.0]))
    wish = draw(st.sampled_from([None, None, None, None, Wish.CANCEL]))
    passed = draw(st.sampled_from([timedelta(0), timedelta(days=30_000)]))
    return Circumstances(now=NOW + passed, left_s=left_s, wish=wish)


def after(plan: Plan, progress: Progress, action: object, rules: Rules, draw: Draw) -> Progress:
    match action:
        case CloseLeg() as close:
            return leg_closed(plan, progress, close)
        case Pause(seconds) | Ask(seconds) | Rest(seconds) if seconds > 0:
            return rested(progress)
        case Await(span):
            return waiting_began(progress, NOW + span)
        case Look():
            return looked(plan, progress, draw(st.none() | statuses))
        case Pause():
            return round_began(progress, rules)
        case Ask():
            return question_answered(plan, progress, draw(st.none() | statuses), rules)
        case Try(provider):
            return tried(plan, progress, provider, draw)
    raise AssertionError(action)


def tried(plan: Plan, progress: Progress, provider: str, draw: Draw) -> Progress:
    match draw(st.integers(0, 9)):
        case 0:
            return provider_skipped(progress, provider, "stopped")
        case 1 if not plan.all_of:
            return provider_left_alone(progress, provider, NOW + timedelta(seconds=9))
        case 2:  # nobody has heard the answer
            return attempt_began(plan, progress, provider, draw(moments))[0]
        case _:
            begun, _ = attempt_began(plan, progress, provider, draw(moments))
            return attempt_answered(begun, draw(outcomes), draw(moments))


rules = st.integers(1, 3).map(
    lambda rounds: Rules(retry=Retry(rounds=rounds), ask_after_s=SCHEDULES)
)

# --- plans and progress ---------------------------------------------------------------------


def stored(doc: object) -> Any:
    """What comes back of a document."""
    return loads(dumps(doc))


def read_again(plan: Plan, message: Message) -> Plan:
    return read_plan(
        stored(plan_doc(plan)),
        message,
        delivery_id=plan.delivery_id,
        message_id=plan.message_id,
        recipient=plan.recipient,
        route=plan.route,
        types=TYPES,
    )


def comparable(plan: Plan) -> object:
    """Messages are equal if they say the same."""
    said = [(type(leg.message), attrs.asdict(leg.message)) for leg in plan.legs]
    legs = tuple(attrs.evolve(leg, message=plan.legs[0].message) for leg in plan.legs)
    return attrs.asdict(attrs.evolve(plan, legs=legs)), said


@given(plans())
@settings(deadline=None, max_examples=50)
def test_a_plan_is_read_as_it_was(plan: Plan) -> None:
    """With the message that the application gave, which each leg carries in its own way."""
    message = plan.legs[0].message

    again = read_again(plan, MessageReader(TYPES).read(stored(plain(message))))

    assert comparable(again) == comparable(plan)


@given(plans(), rules, st.data())
@settings(deadline=None, max_examples=60)
def test_every_step_of_a_delivery_is_read_as_it_was(
    plan: Plan, with_rules: Rules, data: st.DataObject
) -> None:
    """Whatever happens, and in whatever order."""
    for progress in story(plan, with_rules, data.draw):
        assert read_progress(stored(progress_doc(progress)), plan) == progress


@given(plans(), rules, st.data())
@settings(deadline=None, max_examples=30)
def test_what_two_have_heard_of_one_delivery_is_read_as_it_was(
    plan: Plan, with_rules: Rules, data: st.DataObject
) -> None:
    *_, known = story(plan, with_rules, data.draw)
    *_, heard = story(plan, with_rules, data.draw)

    progress = merged(known, heard)

    assert read_progress(stored(progress_doc(progress)), plan) == progress


@given(outcomes)
def test_an_outcome_is_read_as_it_was(outcome: Outcome) -> None:
    assert read_outcome(stored(outcome_doc(outcome)), "+79990000001") == outcome


def test_what_was_decided_only_to_plan_is_not_kept() -> None:
    """The zones are kept, and not whose they were; a message that passes has no quiet time."""
    plan = attrs.evolve(
        planned(SMS), quiet=Quiet(days=(Weekday.SUN,), unless=()), zones=("Europe/Moscow",)
    )

    assert read_again(plan, SMS).quiet == Quiet(days=(Weekday.SUN,))
    assert read_again(plan, SMS).zones == ("Europe/Moscow",)


def planned(message: Message) -> Plan:
    recipient = Contact(phone="+79990000001")
    leg = Leg(
        channel=message.channel,
        message=message,
        address="+79990000001",
        address_kind="phone",
        providers=("a",),
    )
    return Plan(
        delivery_id="0" * 24,
        message_id=message.id,
        recipient=recipient,
        route="default",
        mode=Mode.FIRST_OF,
        if_unknown=IfUnknown.RECONCILE,
        next_on=frozenset(),
        deadline=None,
        legs=(leg,),
    )


SMS = Sms(to="+79990000001", text="hello")


# --- raw answers ----------------------------------------------------------------------------


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError


def endless() -> dict[str, object]:
    raw: dict[str, object] = {}
    raw["self"] = raw
    return raw


def deep() -> dict[str, object]:
    raw: dict[str, object] = {}
    for _ in range(100_000):
        raw = {"in": raw}
    return raw


RAW: Mapping[str, Mapping[Any, object]] = {
    "an object": {"what": object()},
    "bytes": {"what": b"\xff\x00"},
    "a set": {"what": {1, 2}},
    "an exception": {"what": ValueError("no")},
    "a mapping that is no dict": {"what": types.MappingProxyType({"a": 1})},
    "a key that is a tuple": {(1, 2): 3},
    "a key that is bytes": {"in": [{b"key": 1}]},
    "keys of several kinds": {1: 1, "1": 2, None: 3},
    "half a character": {"what": "\ud800", "\udfff": 1},
    "a NUL": {"what": "a\0b"},
    "no number": {"what": [math.nan, math.inf, Decimal("NaN")]},
    "a number too large to print": {"what": 10**5000},
    "itself": endless(),
    "far too deep": deep(),
    "something that cannot be shown": {"what": Unprintable()},
}


@pytest.mark.parametrize("raw", RAW.values(), ids=RAW)
@pytest.mark.parametrize("outcome", ["accepted", "refused", "unknown"])
def test_a_raw_answer_that_json_cannot_hold_does_not_fail(
    raw: Mapping[str, object], outcome: str
) -> None:
    """What else the outcome says is read as it was, and the bytes are those of a text."""
    receipt = Receipt(provider="a", address="+79990000001", provider_id="17", raw=raw)
    answer: Outcome = {
        "accepted": Accepted(receipt),
        "refused": Refused("no", RefusalScope.CONTENT, receipt=receipt),
        "unknown": Unknown("lost", raw=raw),
    }[outcome]

    text = dumps(outcome_doc(answer))
    again = read_outcome(loads(text), "+79990000001")

    assert text.encode()
    assert without_raw(again) == without_raw(answer)


def without_raw(outcome: Outcome) -> Outcome:
    match outcome:
        case Accepted(receipt):
            return Accepted(attrs.evolve(receipt, raw={}))
        case Refused(receipt=Receipt() as receipt):
            return attrs.evolve(outcome, receipt=attrs.evolve(receipt, raw={}))
        case Unknown():
            return attrs.evolve(outcome, raw={})
    raise AssertionError(outcome)


def test_what_json_can_hold_beside_what_it_cannot_is_kept() -> None:
    """The parts are written one by one."""
    raw = {"id": 17, "what": object(), "list": ["a", b"b"]}

    again = stored({"raw": raw})["raw"]

    assert (again["id"], again["list"][0]) == (17, "a")


def test_a_secret_in_a_raw_answer_is_not_written() -> None:
    assert "canary" not in dumps({"raw": {"password": Secret("canary-3371")}})


# --- messages -------------------------------------------------------------------------------


def comparable_message(message: Message) -> object:
    return type(message), attrs.asdict(message)


@pytest.mark.parametrize("kind", MESSAGE_TYPES, ids=lambda kind: kind.channel)
@given(data=st.data())
@settings(deadline=None, max_examples=25)
def test_a_message_of_every_type_is_read_as_it_was(
    kind: type[Message], data: st.DataObject
) -> None:
    message = data.draw(BY_TYPE[kind])

    again = MessageReader(TYPES).read(stored(plain(message)))

    assert comparable_message(again) == comparable_message(message)


@given(messages())
@settings(deadline=None, max_examples=50)
def test_recipients_and_alternatives_are_read_as_they_were(message: Message) -> None:
    again = MessageReader(TYPES).read(stored(plain(message)))

    assert comparable_message(again) == comparable_message(message)
    assert [type(each) for each in again.alternatives] == [
        type(each) for each in message.alternatives
    ]


def test_a_duration_is_kept_in_milliseconds_rounded_up() -> None:
    """So that one that is longer than zero stays so."""
    message = attrs.evolve(SMS, valid_for=timedelta(days=3, microseconds=1))

    again = MessageReader(TYPES).read(stored(plain(message)))

    assert again.valid_for == timedelta(days=3, milliseconds=1)


CANNOT_BE_KEPT: Mapping[str, object] = {
    "an object": object(),
    "no number": math.nan,
    "half a character": "\ud800",
    "a key that is no text": {1: 2},
}


@pytest.mark.parametrize("value", CANNOT_BE_KEPT.values(), ids=CANNOT_BE_KEPT)
def test_a_message_that_cannot_be_kept_is_refused_by_name(value: object) -> None:
    """Before anything is written or sent."""
    message = attrs.evolve(SMS, extra={"smsc": {"option": value}})

    with pytest.raises(MessageError, match=r"^extra: "):
        plain(message)


# --- what a message says --------------------------------------------------------------------

TWO = attrs.evolve(
    SMS, key="order-17", alternatives=(Mail(subject="hello", text="hello", key="other"),)
)


@pytest.mark.parametrize(
    "other",
    [
        attrs.evolve(TWO, id="another"),
        attrs.evolve(TWO, key="another"),
        attrs.evolve(TWO, key=None),
        attrs.evolve(TWO, alternatives=(Mail(subject="hello", text="hello"),)),
        MessageReader(TYPES).read(stored(plain(TWO))),
    ],
    ids=["id", "key", "no key", "id and key of an alternative", "read again"],
)
def test_messages_that_say_the_same_have_one_fingerprint(other: Message) -> None:
    assert fingerprint(other) == fingerprint(TWO)


OTHERS = {
    "to": attrs.evolve(TWO, to="+79990000002"),
    "to more": attrs.evolve(TWO, to=["+79990000001", "+79990000002"]),
    "sender": attrs.evolve(TWO, sender="Shop"),
    "tags": attrs.evolve(TWO, tags="otp"),
    "priority": attrs.evolve(TWO, priority=Priority.HIGH),
    "send_at": attrs.evolve(TWO, send_at=NOW),
    "valid_for": attrs.evolve(TWO, valid_for=timedelta(minutes=5)),
    "extra": attrs.evolve(TWO, extra={"smsc": {"tinyurl": 1}}),
    "text": attrs.evolve(TWO, text="Hello"),
    "type": Flash(to=TWO.to, text="hello", alternatives=TWO.alternatives),
    "no alternative": attrs.evolve(TWO, alternatives=()),
    "text of an alternative": attrs.evolve(TWO, alternatives=(Mail(subject="hello", text="hi"),)),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_messages_that_say_something_else_have_another_fingerprint(other: Message) -> None:
    assert fingerprint(other) != fingerprint(TWO)


def test_the_fingerprint_sees_every_byte_of_a_file() -> None:
    one, other = [
        Mms(to="+79990000001", subject="s", attachments=[Attachment("a", content)])
        for content in (b"\x00", b"\x01")
    ]

    assert fingerprint(one) != fingerprint(other)


# --- messages of others ---------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Tone:
    """What a pager plays."""

    hertz: int
    length: timedelta


@attrs.frozen(kw_only=True, repr=False, eq=False)
class Pager(Message):
    """A message type of a third party."""

    channel = "pager"
    address_kinds = ("pager",)

    digits: str
    tones: tuple[Tone, ...] = ()
    repeat: int = attrs.field(factory=lambda: 3)
    price: Decimal | None = None


PAGER = Pager(
    to=["1234", Contact(other={"pager": "17"})],
    digits="911",
    tones=(Tone(hertz=440, length=timedelta(seconds=2)),),
    repeat=0,
    price=Decimal("0.10"),
)


def test_a_message_of_a_third_party_is_read_as_it_was() -> None:
    again = MessageReader(TYPES | {"pager": Pager}).read(stored(plain(PAGER)))

    assert comparable_message(again) == comparable_message(PAGER)


def opened(url: str, types: Mapping[str, type[Message]]) -> Journal:
    return open_journal(JournalConfig(url=Secret(url)), types, SystemClock())


def waiting(message: Message) -> Entry:
    plan = planned(message)
    return Entry(
        message=message,
        plan=plan,
        progress=begin(plan),
        config="",
        created_at=NOW,
        due_at=NOW,
        lease=1,
    )


@pytest.fixture
def url(tmp_path: Any) -> str:
    return f"sqlite:///{tmp_path / 'journal.db'}"


def test_a_delivery_of_a_third_party_is_loaded_as_it_was(url: str) -> None:
    journal = opened(url, TYPES | {"pager": Pager})
    journal.add([waiting(PAGER)])

    loaded = journal.load("0" * 24)

    assert loaded is not None
    assert comparable_message(loaded.message) == comparable_message(PAGER)
    assert comparable(loaded.plan) == comparable(planned(PAGER))
    journal.close()


def test_a_plan_by_a_channel_that_nobody_brings_any_more_says_what_to_install() -> None:
    with pytest.raises(JournalError) as caught:
        read_again(planned(PAGER), PAGER)

    assert str(caught.value) == (
        "a stored leg goes by 'pager', a channel that no installed plugin brings; "
        "install the plugin that was there when it was planned"
    )


def test_a_delivery_that_nobody_can_carry_is_found_by_the_check(url: str) -> None:
    """It says which, and that its channel is not known."""
    with_pagers = opened(url, TYPES | {"pager": Pager})
    with_pagers.add([waiting(PAGER)])
    with_pagers.close()
    journal = opened(url, TYPES)

    (problem,) = journal.check()

    assert problem.startswith(f"delivery {'0' * 24}: a stored message cannot be made again: ")
    assert "'pager' is not a channel; known: binary, call" in problem
    journal.close()


def test_a_delivery_that_nobody_can_carry_does_not_keep_others_from_being_claimed(
    url: str,
) -> None:
    """It stays leased for a while, and is there again when its plugin is."""
    with_pagers = opened(url, TYPES | {"pager": Pager})
    with_pagers.add([waiting(PAGER)])
    journal = opened(url, TYPES)
    other = attrs.evolve(waiting(SMS), plan=attrs.evolve(planned(SMS), delivery_id="1" * 24))
    journal.add([other])
    until = NOW + timedelta(seconds=60)

    claimed = journal.claim("me", NOW, until, [Priority.NORMAL], 9)
    later = with_pagers.claim("another", until, until, [Priority.NORMAL], 1)

    assert [each.id for each in claimed] == ["1" * 24]
    assert [each.id for each in later] == ["0" * 24]
    for each in (journal, with_pagers):
        each.close()


class Shop(enum.StrEnum):
    """Names that an application writes as an enum."""

    SENDER = "MyShop"
    TAG = "otp-1"


def test_a_text_that_is_written_as_an_enum_stays_that_text() -> None:
    message = Sms(to="+79990000001", text="hi", sender=Shop.SENDER, tags={Shop.TAG})

    again = MessageReader(TYPES).read(json.loads(json.dumps(plain(message))))

    assert (again.sender, again.tags) == ("MyShop", {"otp-1"})


@pytest.mark.parametrize("value", [Decimal("1.5"), timedelta(1), b"x", object(), {1: 2}])
def test_what_json_would_change_has_no_place_in_extra(value: object) -> None:
    with pytest.raises(MessageError, match="extra: "):
        plain(Sms(to="+79990000001", text="hi", extra={"smsc": {"x": value}}))
