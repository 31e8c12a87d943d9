"""The suppression list: what is on it, who changes it, and that nothing passes it by."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from typing import Any

import attrs
import pytest

from notify_core import (
    Attempt,
    Contact,
    Delivery,
    Flash,
    Mail,
    Notifier,
    NotSent,
    ReceiptKind,
    RefusalScope,
    Refused,
    Sms,
    Telegram,
    Unknown,
    Viber,
)
from notify_core.callback import Incoming, IncomingKind
from notify_core.config.model import Config, JournalConfig, LegConfig, Mode, Route, Until, Via
from notify_core.config.sections import Suppression
from notify_core.errors import ListError, MessageError, RecipientError
from notify_core.journal.base import Journal
from notify_core.journal.opening import open_journal
from notify_core.message import MESSAGE_TYPES, Message
from notify_core.outcome import FailureScope
from notify_core.phones import PhoneNumbers
from notify_core.secret import Secret
from notify_core.suppression import Kind, Listed, Source, Suppressions, folded, objection
from notify_core.testing import ManualClock, ScriptedProvider, notifier_with, scripted_config
from tests.postgres import PostgresServer

NUMBER = "+79991234567"
OTHER = "+79991234568"
NOW = datetime(2030, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TYPES = {each.channel: each for each in MESSAGE_TYPES}


@pytest.fixture(scope="module")
def server(postgres: PostgresServer) -> Iterator[str]:
    """Return a database for all the tests of this module: to make one takes long."""
    url = postgres.new_database()
    yield url
    postgres.drop_database(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def journal(request: pytest.FixtureRequest) -> Iterator[Journal]:
    """Return an empty journal, one in each kind of database."""
    url = "memory" if request.param == "sqlite" else request.getfixturevalue("server")
    opened = open_journal(JournalConfig(url=Secret(url)), TYPES, ManualClock(NOW))
    opened.database.write(lambda each: each.execute("DELETE FROM notify_suppressions", {}))
    yield opened
    opened.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def listed(journal: Journal, clock: ManualClock) -> Suppressions:
    return suppressions(journal, clock)


def suppressions(journal: Journal, clock: ManualClock, **config: Any) -> Suppressions:
    return Suppressions(journal, Suppression(**config), PhoneNumbers("RU"), clock)


def memory() -> Journal:
    return open_journal(JournalConfig(url=Secret("memory")), TYPES, ManualClock(NOW))


def said(text: str, at: datetime | None = NOW, sender: str = NUMBER) -> Incoming:
    return Incoming(provider="smsc", sender=sender, text=text, sent_at=at)


# --- what the list says ---------------------------------------------------------------------

STOPPED = Listed(address=NUMBER, source=Source.MESSAGE, created_at=NOW)
NO_PROMO = attrs.evolve(STOPPED, tag="promo", source=Source.OPERATOR)
AGREED = Listed(address=NUMBER, kind=Kind.CONSENT, tag="promo", created_at=NOW)


@pytest.mark.parametrize(
    ("on_the_list", "tags", "expected"),
    [
        ([], [], None),
        ([STOPPED], [], "said stop on 2030-01-01"),
        ([STOPPED], ["promo"], "said stop on 2030-01-01"),
        ([NO_PROMO], [], None),
        ([NO_PROMO], ["code"], None),
        (
            [NO_PROMO],
            ["code", "promo"],
            "was suppressed by an operator on 2030-01-01, about 'promo'",
        ),
        ([], ["news"], "has not agreed to 'news'"),
        ([AGREED], ["news"], "has not agreed to 'news'"),
        ([attrs.evolve(AGREED, tag="news")], ["news"], None),
        ([attrs.evolve(AGREED, tag="news"), STOPPED], ["news"], "said stop on 2030-01-01"),
    ],
)
def test_the_list_decides_by_address_and_tag(
    on_the_list: Sequence[Listed], tags: Sequence[str], expected: str | None
) -> None:
    assert objection(on_the_list, tags, ["news"]) == expected


def test_what_is_said_against_a_message_holds_nobodys_words(listed: Suppressions) -> None:
    """It goes to reports and logs."""
    listed.add(NUMBER, reason=f"the one from {NUMBER} complained")

    against = listed.against(NUMBER, ())

    assert against == "was suppressed by an operator on 2030-01-01"


def test_a_tag_of_always_passes_whatever_is_on_the_list(
    journal: Journal, clock: ManualClock
) -> None:
    listed = suppressions(journal, clock, always=("otp",))
    listed.add(NUMBER)

    assert listed.against(NUMBER, ["otp"]) is None
    assert listed.against(NUMBER, ["otp", "promo"]) is None
    assert listed.against(NUMBER, ["promo"]) is not None


# --- who is meant ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("8 (999) 123-45-67", NUMBER),
        (" +7 999 123 45 67 ", NUMBER),
        ("Anna.K@Example.ORG", "anna.k@example.org"),
        ("anna@example.org", "Anna@EXAMPLE.org"),
        ("анна@пример.рф", "анна@xn--e1afmkfd.xn--p1ai"),
        ("@Anna_K", "@anna_k"),
        ("#123456", "#123456"),
        ("Pager of Anna", "Pager of Anna"),
    ],
)
def test_an_address_is_known_in_every_spelling(given: str, asked: str) -> None:
    listed = suppressions(memory(), ManualClock(NOW))

    listed.add(given)

    assert listed.against(asked, ()) is not None
    assert listed.against(f"{asked}x", ()) is None


def test_an_address_of_a_kind_that_nobody_knows_is_left_as_it_is() -> None:
    assert folded("Room:Anna") == "Room:Anna"


@pytest.mark.parametrize(
    "address", ["", "  ", "123", "+7999", "7,99912E+10", "'+79991234567", "+7999\n1234567"]
)
def test_what_cannot_be_an_address_is_refused(address: str) -> None:
    """On the list it would protect nobody."""
    listed = suppressions(memory(), ManualClock(NOW))

    with pytest.raises(RecipientError):
        listed.add(address)


@pytest.mark.parametrize("tag", ["", " ", "pro\nmo"])
def test_what_cannot_be_a_tag_is_refused(tag: str) -> None:
    listed = suppressions(memory(), ManualClock(NOW))

    for change in (listed.add, listed.remove, listed.consent, listed.withdraw):
        with pytest.raises(MessageError):
            change(NUMBER, tag)


# --- what people decide ---------------------------------------------------------------------


def test_what_is_added_stays_until_it_is_removed(listed: Suppressions) -> None:
    listed.add(NUMBER, reason="complained")

    (one,) = listed.state(NUMBER)
    assert one == Listed(address=NUMBER, reason="complained", created_at=NOW)
    assert [one] == list(listed.remove(NUMBER))
    assert [] == list(listed.state(NUMBER)) == list(listed.remove(NUMBER))


def test_what_is_about_a_tag_is_removed_by_that_tag(listed: Suppressions) -> None:
    listed.add(NUMBER)
    listed.add(NUMBER, "promo")

    assert [each.tag for each in listed.remove(NUMBER)] == [None]
    assert [each.tag for each in listed.remove(NUMBER, "promo")] == ["promo"]


def test_removing_takes_off_what_every_source_has_said(listed: Suppressions) -> None:
    listed.hear(said("stop"))
    listed.add(NUMBER)

    assert len(listed.remove(NUMBER)) == 2
    assert listed.against(NUMBER, ()) is None


def test_a_consent_is_kept_until_it_is_withdrawn(journal: Journal, clock: ManualClock) -> None:
    listed = suppressions(journal, clock, consent=("news",))

    assert listed.against(NUMBER, ["news"]) == "has not agreed to 'news'"
    listed.consent(NUMBER, "news", reason="the form at the till")
    assert listed.against(NUMBER, ["news"]) is None
    listed.withdraw(NUMBER, "news")
    assert listed.against(NUMBER, ["news"]) == "has not agreed to 'news'"


def test_a_consent_takes_no_stop_back(journal: Journal, clock: ManualClock) -> None:
    """A list of old consents that is read in again must not make anybody be written to."""
    listed = suppressions(journal, clock, consent=("news",), tags=("news",))
    listed.hear(said("stop"))
    clock.advance(60)

    listed.consent(NUMBER, "news")

    assert listed.against(NUMBER, ["news"]) == "said stop on 2030-01-01, about 'news'"


def test_what_is_said_again_has_the_later_time(listed: Suppressions, clock: ManualClock) -> None:
    listed.add(NUMBER, reason="first")
    clock.advance(60)
    listed.add(NUMBER, reason="second")

    (one,) = listed.state(NUMBER)
    assert (one.reason, one.created_at) == ("second", NOW + MINUTE)


def test_erasing_what_was_sent_to_somebody_leaves_the_list(
    journal: Journal, listed: Suppressions
) -> None:
    """Who was forgotten would be written to again."""
    listed.hear(said("stop"))

    journal.erase(NUMBER)

    assert listed.against(NUMBER, ()) is not None


# --- what people say ------------------------------------------------------------------------


def test_a_stop_word_stops_everything(listed: Suppressions) -> None:
    listed.hear(said("СТОП!"))

    (one,) = listed.state(NUMBER)
    assert one == Listed(address=NUMBER, source=Source.MESSAGE, created_at=NOW)


def test_a_stop_word_is_about_the_tags_that_are_configured(
    journal: Journal, clock: ManualClock
) -> None:
    listed = suppressions(journal, clock, tags=("promo", "news"))

    listed.hear(said("stop"))

    assert listed.against(NUMBER, ["promo"]) is not None
    assert listed.against(NUMBER, ["news"]) is not None
    assert listed.against(NUMBER, ["code"]) is None


def test_a_message_about_something_else_stops_nothing(listed: Suppressions) -> None:
    listed.hear(said("stop by my office at 5"))

    assert listed.against(NUMBER, ()) is None


def test_a_call_has_no_words(listed: Suppressions) -> None:
    listed.hear(attrs.evolve(said("stop"), kind=IncomingKind.CALL))

    assert listed.against(NUMBER, ()) is None


@pytest.mark.parametrize(
    ("sender", "address"),
    [
        (NUMBER, NUMBER),
        ("79991234567", NUMBER),
        ("89991234567", NUMBER),
        ("996700123456", "+996700123456"),
        ("Anna@Example.org", "anna@example.org"),
        ("7788", "7788"),
    ],
)
def test_a_sender_is_who_would_be_sent_to(sender: str, address: str) -> None:
    """Gateways leave the plus sign out."""
    listed = suppressions(memory(), ManualClock(NOW))

    listed.hear(said("stop", sender=sender))

    assert listed.against(address, ()) == "said stop on 2030-01-01"


@pytest.mark.parametrize("sender", ["", "\0", "\ud800", "x" * 1000, " \n"])
def test_what_cannot_be_a_sender_does_no_harm(sender: str) -> None:
    """Anybody can make a call with it, and it would be tried again for ever."""
    listed = suppressions(memory(), ManualClock(NOW))

    listed.hear(said("stop", sender=sender))

    assert list(listed.entries()) == []


def test_a_start_word_takes_back_what_the_person_has_said(
    listed: Suppressions, clock: ManualClock
) -> None:
    listed.hear(said("stop"))
    listed.add(NUMBER, source=Source.PERSON)
    clock.advance(60)

    listed.hear(said("start", NOW + MINUTE))

    assert list(listed.state(NUMBER)) == []


def test_a_start_word_changes_nothing_that_an_operator_has_entered(
    listed: Suppressions, clock: ManualClock
) -> None:
    listed.hear(said("stop"))
    listed.add(NUMBER)
    clock.advance(60)

    listed.hear(said("start", NOW + MINUTE))

    assert [each.source for each in listed.state(NUMBER)] == [Source.OPERATOR]


def test_a_start_word_takes_back_every_stop_word(journal: Journal, clock: ManualClock) -> None:
    """Also one that was said when stop words were about something else."""
    suppressions(journal, clock).hear(said("stop"))
    listed = suppressions(journal, clock, tags=("promo",))
    listed.add(NUMBER, "news", source=Source.PERSON)
    clock.advance(60)

    listed.hear(said("start", NOW + MINUTE))

    assert [each.tag for each in listed.state(NUMBER)] == ["news"]


def test_a_start_word_that_comes_late_takes_nothing_back(listed: Suppressions) -> None:
    """It was said before the last stop word, whatever the order in which they are heard."""
    listed.hear(said("stop", NOW - 3 * MINUTE))
    listed.hear(said("stop", NOW - MINUTE))
    listed.hear(said("start", NOW - 2 * MINUTE))

    assert listed.against(NUMBER, ()) is not None


def test_a_stop_word_that_is_heard_again_changes_nothing(
    listed: Suppressions, clock: ManualClock
) -> None:
    listed.hear(said("stop"))
    clock.advance(60)
    listed.hear(said("stop"))

    (one,) = listed.state(NUMBER)
    assert one.created_at == NOW


def test_a_start_word_takes_no_stop_back_that_was_said_at_the_same_time(
    listed: Suppressions,
) -> None:
    """Nobody knows which came first; so the suppression stays."""
    listed.hear(said("stop"))
    listed.hear(said("start"))

    assert listed.against(NUMBER, ()) is not None


def test_a_start_word_of_unknown_time_takes_back_what_was_said_before_it_for_certain(
    journal: Journal, clock: ManualClock
) -> None:
    """It was said after the moment that is given, and that is all that is known."""
    listed = suppressions(journal, clock, tags=("promo", "news"))
    listed.add(NUMBER, "promo", source=Source.PERSON)
    clock.advance(60)
    since = clock.now()
    clock.advance(60)
    listed.add(NUMBER, "news", source=Source.PERSON)
    clock.advance(60)

    listed.hear(said("start", None), since)

    assert [each.tag for each in listed.state(NUMBER)] == ["news"]


def test_a_time_that_is_still_to_come_counts_as_now(
    listed: Suppressions, clock: ManualClock
) -> None:
    """No start word would take it back until then."""
    listed.hear(said("stop", NOW + 60 * MINUTE))
    clock.advance(60)
    listed.hear(said("start", None))

    assert listed.against(NUMBER, ()) is None


def test_words_of_the_configuration_count(journal: Journal, clock: ManualClock) -> None:
    listed = suppressions(journal, clock, stop_words=("genug",), ignored_words=("cancel",))

    listed.hear(said("cancel"))
    assert listed.against(NUMBER, ()) is None
    listed.hear(said("Genug!"))
    assert listed.against(NUMBER, ()) is not None


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"stop_words": ("!",)}, "no letter"),
        ({"stop_words": ("halt",), "start_words": ("HALT",)}, "named twice"),
        ({"always": ("otp",), "consent": ("otp",)}, "always must not name"),
        ({"tags": ("",)}, "a tag is empty"),
    ],
)
def test_a_section_that_contradicts_itself_is_refused(
    wrong: dict[str, tuple[str, ...]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Suppression(**wrong)


# --- the list as a file ---------------------------------------------------------------------


def exported(listed: Suppressions) -> str:
    file = io.StringIO()
    listed.export_to(file)
    return file.getvalue()


def read_in(listed: Suppressions, text: str) -> int:
    return listed.import_from(io.StringIO(text), "list.csv")


def test_what_is_exported_can_be_read_in(listed: Suppressions, clock: ManualClock) -> None:
    listed.hear(said("stop", NOW - MINUTE))
    listed.add(
        "Anna@example.org", "promo", reason='said "no", twice; angrily', source=Source.PERSON
    )
    listed.consent(OTHER, "news", reason="form")
    text = exported(listed)
    empty = suppressions(memory(), clock)

    assert read_in(empty, text) == 3
    assert exported(empty) == text
    assert len(text.splitlines()) == 4


def test_a_list_of_addresses_alone_is_enough(listed: Suppressions) -> None:
    assert read_in(listed, "\ufeffAddress\n8 999 123-45-67\n\nanna@example.org\n") == 2

    assert [each.kind for each in listed.state(NUMBER)] == [Kind.SUPPRESSED]
    assert listed.against("anna@example.org", ()) is not None


def test_a_list_with_semicolons_is_read(listed: Suppressions) -> None:
    """Spreadsheets write them where the decimal sign is a comma."""
    read_in(listed, f"tag;address;reason\npromo;{NUMBER};a, b\n")

    (one,) = listed.state(NUMBER)
    assert (one.tag, one.reason) == ("promo", "a, b")


@pytest.mark.parametrize("text", ["address\n{number}\n", "address,created_at\n{number},{time}\n"])
def test_a_list_that_is_read_in_twice_changes_nothing(
    listed: Suppressions, clock: ManualClock, text: str
) -> None:
    text = text.format(number=NUMBER, time=NOW.isoformat())
    read_in(listed, text)
    before = exported(listed)
    clock.advance(60)

    read_in(listed, text)

    assert exported(listed) == before


def test_of_a_list_with_a_mistake_nothing_is_read_in(listed: Suppressions) -> None:
    text = f"address,kind,tag,created_at\n{NUMBER},,,\n123,,,\n{OTHER},consent,,\n{OTHER},no,,\n"
    text += f'{OTHER},,,2030-01-01\n"{OTHER}\n",,,2031-01-01T00:00:00Z\n{OTHER},,,,x\n'

    with pytest.raises(ListError) as caught:
        read_in(listed, text)

    assert list(listed.entries()) == []
    assert str(caught.value).splitlines() == [
        "list.csv:3:1: '…' is too short or too long for country code +7",
        "list.csv:4:1: tag is empty; consent is to a tag",
        "list.csv:5:1: kind: 'no' is not known; known: suppressed, consent",
        "list.csv:6:1: created_at: '2030-01-01' is no time like 2030-01-31T12:00:00+03:00",
        "list.csv:8:1: created_at: '2031-01-01T00:00:00Z' is still to come",
        "list.csv:9:1: there are 5 cells, and 4 columns",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no column address"),
        ("+79991234567\n", "has no column address"),
        ("address,tags\n", "'tags' is not a column"),
        ("address,address\n", "names a column twice"),
        ('address,tag\n"+79991234567,promo\n', "is not CSV"),
    ],
)
def test_a_file_that_is_no_list_is_refused(text: str, message: str) -> None:
    listed = suppressions(memory(), ManualClock(NOW))

    with pytest.raises(ListError, match=message):
        read_in(listed, text)


def test_a_file_full_of_mistakes_is_not_read_to_its_end() -> None:
    listed = suppressions(memory(), ManualClock(NOW))

    with pytest.raises(ListError) as caught:
        listed.import_from(chain(["address\n"], repeat("123\n")))

    assert len(caught.value.problems) == 100


def test_a_long_list_goes_through_page_by_page(listed: Suppressions) -> None:
    numbers = [f"+7999{number:07}" for number in range(1203)]

    assert read_in(listed, "\n".join(["address", *reversed(numbers)])) == len(numbers)
    assert [each.address for each in listed.entries()] == numbers


# --- nothing passes the list by -------------------------------------------------------------


def kept(config: Config, **section: Any) -> Config:
    journal = JournalConfig(url=Secret("memory"))
    return attrs.evolve(config, journal=journal, suppression=Suppression(**section))


def routed(provider: ScriptedProvider, *legs: LegConfig, mode: Mode = Mode.FIRST_OF) -> Config:
    route = Route(name="default", legs=legs, mode=mode)
    return scripted_config(route, example=provider)


def leg(channel: str, **more: Any) -> LegConfig:
    return LegConfig(channel=channel, via=Via(providers=("example",)), **more)


def assert_refused(delivery: Delivery, provider: ScriptedProvider, sent: int = 0) -> None:
    outcome = delivery.outcome
    assert isinstance(outcome, Refused)
    assert outcome.scope is RefusalScope.RECIPIENT
    assert "stop" in outcome.reason or "operator" in outcome.reason
    assert len(provider.sent) == sent


def ended(notifier: Notifier, delivery_id: str) -> Delivery:
    notifier.worker().work_off()
    return notifier.get(delivery_id)


def test_nothing_is_sent_in_the_call() -> None:
    provider = ScriptedProvider()
    with notifier_with(kept(scripted_config(example=provider))) as notifier:
        notifier.suppressions.hear(said("stop"))

        stopped, other = notifier.send(Sms(to=[NUMBER, OTHER], text="x"))

        assert_refused(stopped, provider, sent=1)
        assert other.receipt is not None


def test_nothing_is_sent_by_a_worker() -> None:
    """What is on the list by the time when it would be sent, that counts."""
    provider = ScriptedProvider()
    with notifier_with(kept(scripted_config(example=provider))) as notifier:
        message = Sms(to=NUMBER, text="x", key="order-77")
        ((one,), (two,)) = notifier.enqueue_many([message, Flash(to=NUMBER, text="x")])
        notifier.suppressions.add(NUMBER)

        assert_refused(ended(notifier, one), provider)
        assert_refused(notifier.get(two), provider)
        (same,) = notifier.send(message)  # the key reports what became of the first
        assert_refused(same, provider)


def test_nothing_is_sent_again_after_a_failure() -> None:
    provider = ScriptedProvider([NotSent("no connection", FailureScope.PROVIDER)])
    clock = ManualClock()
    with notifier_with(kept(scripted_config(example=provider)), clock=clock) as notifier:
        (delivery,) = notifier.send(Sms(to=NUMBER, text="x"))
        notifier.suppressions.add(NUMBER)
        clock.advance(600)

        assert_refused(ended(notifier, delivery.id), provider, sent=1)


def test_nothing_is_sent_again_after_doubt() -> None:
    """The provider has never heard of it, so that it could be sent once more."""
    provider = ScriptedProvider([Unknown("cut")])
    clock = ManualClock()
    with notifier_with(kept(scripted_config(example=provider)), clock=clock) as notifier:
        (delivery,) = notifier.send(Sms(to=NUMBER, text="x"))
        notifier.suppressions.add(NUMBER)
        for _ in range(9):
            clock.advance(60)
            notifier.worker().work_off()

        assert_refused(notifier.get(delivery.id), provider, sent=1)


def test_nothing_is_sent_after_its_time_has_come() -> None:
    provider = ScriptedProvider()
    clock = ManualClock()
    with notifier_with(kept(scripted_config(example=provider)), clock=clock) as notifier:
        later = clock.now() + timedelta(hours=1)
        (delivery_id,) = notifier.enqueue(Sms(to=NUMBER, text="x", send_at=later))
        notifier.suppressions.add(NUMBER)
        clock.advance(3601)

        assert_refused(ended(notifier, delivery_id), provider)


def test_nothing_is_sent_when_a_held_delivery_is_released() -> None:
    provider = ScriptedProvider()
    with notifier_with(kept(scripted_config(example=provider))) as notifier:
        (delivery_id,) = notifier.enqueue(Sms(to=NUMBER, text="x"))
        notifier.hold(delivery_id)
        notifier.suppressions.add(NUMBER)
        notifier.release(delivery_id)

        assert_refused(ended(notifier, delivery_id), provider)


def test_nothing_is_sent_on_the_next_leg() -> None:
    """The person says stop while the first leg is on its way."""

    def refused(_message: Message, _attempt: Attempt) -> Refused:
        notifier.suppressions.hear(said("stop"))
        return Refused("no such user", RefusalScope.RECIPIENT)

    provider = ScriptedProvider([refused])
    with notifier_with(kept(routed(provider, leg("viber"), leg("sms")))) as notifier:
        (delivery,) = notifier.send(Viber(to=NUMBER, text="x"))

        assert_refused(delivery, provider, sent=1)


def test_nothing_is_sent_on_any_of_several_legs() -> None:
    provider = ScriptedProvider()
    config = kept(routed(provider, leg("telegram"), leg("sms"), mode=Mode.ALL_OF))
    person = Contact(phone=NUMBER, telegram="@anna")
    with notifier_with(config) as notifier:
        notifier.suppressions.add(NUMBER)
        notifier.suppressions.add("@Anna")

        (delivery,) = notifier.send(Sms(to=person, text="x"))

        assert_refused(delivery, provider)


def test_another_address_of_the_same_person_is_not_on_the_list() -> None:
    provider = ScriptedProvider()
    config = kept(routed(provider, leg("telegram"), leg("sms")))
    with notifier_with(config) as notifier:
        notifier.suppressions.add("@anna")

        notifier.send(Sms(to=Contact(phone=NUMBER, telegram="@anna"), text="x"))

        assert [attempt.address for _, attempt in provider.sent] == [NUMBER]


def test_nothing_is_sent_after_a_receipt_was_waited_for() -> None:
    provider = ScriptedProvider()
    legs = (leg("viber", until=Until.DELIVERED, within=MINUTE), leg("sms"))
    clock = ManualClock()
    capable = attrs.evolve(provider.capabilities, receipts=frozenset(ReceiptKind))
    provider = ScriptedProvider(capabilities=capable)
    with notifier_with(kept(routed(provider, *legs)), clock=clock) as notifier:
        (delivery,) = notifier.send(Sms(to=NUMBER, text="x"))
        assert len(provider.sent) == 1
        notifier.suppressions.add(NUMBER)
        for _ in range(9):
            clock.advance(60)
            notifier.worker().work_off()

        assert len(provider.sent) == 1
        assert notifier.get(delivery.id).next_at is None


@pytest.mark.parametrize("own", ["", "news"])
def test_an_alternative_has_the_tags_of_its_message_too(own: str) -> None:
    """However an alternative is tagged, what it says is what the message says."""
    provider = ScriptedProvider()
    sms = Sms(text="x", tags=own) if own else Sms(text="x")
    message = Telegram(
        to=Contact(phone=NUMBER, telegram="@anna"), text="x", tags="promo", alternatives=sms
    )
    with notifier_with(kept(routed(provider, leg("sms")))) as notifier:
        notifier.suppressions.add(NUMBER, "promo")

        (delivery,) = notifier.send(message)

        assert_refused(delivery, provider)


def test_mail_is_known_in_capitals() -> None:
    provider = ScriptedProvider()
    with notifier_with(kept(scripted_config(example=provider))) as notifier:
        notifier.suppressions.add("anna@example.org")

        (delivery,) = notifier.send(Mail(to="Anna@Example.org", subject="x", text="x"))

        assert_refused(delivery, provider)


def test_a_refusal_shows_no_address(caplog: pytest.LogCaptureFixture) -> None:
    provider = ScriptedProvider()
    caplog.set_level("DEBUG")
    with notifier_with(kept(scripted_config(example=provider))) as notifier:
        notifier.suppressions.hear(said("STOP, please"))
        (delivery,) = notifier.send(Sms(to=NUMBER, text="x"))
        shown = f"{delivery!r} {delivery} {notifier.suppressions.state(NUMBER)!r} {caplog.text}"

    assert NUMBER[1:] not in shown
    assert "please" not in shown


def test_a_provider_is_not_blamed_for_a_refusal_of_ours() -> None:
    provider = ScriptedProvider()
    with notifier_with(kept(scripted_config(example=provider))) as notifier:
        before = notifier.health("example")
        notifier.suppressions.add(NUMBER)
        for _ in range(20):
            notifier.send(Sms(to=NUMBER, text="x"))

        assert notifier.health("example") == before


def test_every_process_sees_the_list_at_once(postgres_url: str) -> None:
    """Nobody keeps a copy."""
    provider, url = ScriptedProvider(), JournalConfig(url=Secret(postgres_url))
    config: Config = attrs.evolve(scripted_config(example=provider), journal=url)
    message: Message = Sms(to=NUMBER, text="x")
    with notifier_with(config) as sending, notifier_with(config) as other:
        sending.send(message)
        other.suppressions.add(NUMBER)
        (delivery,) = sending.send(message)

    assert_refused(delivery, provider, sent=1)
