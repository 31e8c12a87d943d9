"""Calls of the gateway: what they tell, how far they are believed, and which have no effect."""

from __future__ import annotations

import hashlib
import json
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_core.callback import (
    CallbackEvent,
    CallbackRequest,
    Incoming,
    IncomingKind,
    StatusEvent,
    Trust,
)
from notify_core.errors import CallbackError
from notify_core.outcome import State
from notify_core.secret import Secret
from notify_smsc.callbacks import read_callback
from notify_smsc.config import CallbackConfig
from notify_smsc.signatures import Digest

SECRET = "k3y-of-the-handler"
NOW = datetime(2030, 1, 1, tzinfo=UTC)
TS = str(int(NOW.timestamp()))
SETTINGS = CallbackConfig(secrets=(Secret(SECRET),))
UTF_8 = "charset=utf-8"

STATUS = {"id": "182", "phone": "79991234567", "status": "1", "err": "0", "type": "0"}
MESSAGE = {"phone": "79991234567", "mes": "Да, жду", "to": "79990000000"}
CONFIRMATION = {"phone": "79991234567", "ts": TS, "waitcall": "74950000000"}

Fields = dict[str, str]


def signature(fields: Fields, secret: str = SECRET, charset: str = "utf-8") -> bytes:
    """Return what the gateway makes a digest of."""
    names: tuple[str, ...] = ("phone", "mes", "to")
    names = ("id", "phone", "status") if "status" in fields else names
    names = ("phone", "ts") if "waitcall" in fields else names
    return ":".join([*(fields[name] for name in names), secret]).encode(charset)


def signed(fields: Fields, *, secret: str = SECRET, charset: str = "utf-8") -> dict[str, str]:
    return {**fields, "sha1": hashlib.sha1(signature(fields, secret, charset)).hexdigest()}


def form(fields: Fields, charset: str = "utf-8") -> bytes:
    return urlencode(fields, encoding=charset).encode()


def request(
    body: bytes = b"",
    query: str = UTF_8,
    content_type: str = "",
    method: str = "POST",
    received_at: datetime = NOW,
) -> CallbackRequest:
    headers = {"content-type": content_type} if content_type else {}
    return CallbackRequest(
        method=method, query=query, headers=headers, body=body, received_at=received_at
    )


def events(
    body: bytes = b"", settings: CallbackConfig = SETTINGS, **how: Any
) -> list[CallbackEvent]:
    return list(read_callback(request(body, **how), settings, "smsc"))


def told(fields: Fields, settings: CallbackConfig = SETTINGS, **how: Any) -> Any:
    """Return the one event of a form."""
    (event,) = events(form(fields), settings, **how)
    return event


# --- what a call tells ----------------------------------------------------------------------------


def test_a_signed_status_is_proven() -> None:
    """With everything that a delivery is found by, and what the gateway said."""
    event = told(signed(STATUS | {"cost": "1.20", "sender_id": "Shop", "ts": TS}))

    assert isinstance(event, StatusEvent)
    assert event.trust is Trust.PROVEN
    assert (event.provider_id, event.address) == ("182", "+79991234567")
    status = event.status
    assert (status.state, status.final) == (State.DELIVERED, True)
    assert (status.code, status.error, status.provider_id) == ("1", "0", "182")
    assert status.raw == STATUS | {"cost": "1.20", "sender_id": "Shop", "ts": TS}


def test_what_is_not_signed_is_not_taken_for_true() -> None:
    """A replayed call could be given a time that makes it the latest; its cost is only raw."""
    event = told(signed(STATUS | {"cost": "999", "ts": "1900000000"}))

    assert event.trust is Trust.PROVEN
    assert event.status.at is None
    assert event.status.raw["cost"] == "999"


def test_zero_is_a_status() -> None:
    """Passed to the operator; not an empty field."""
    event = told(signed(STATUS | {"status": "0"}))

    assert (event.status.state, event.trust) == (State.SENT, Trust.PROVEN)


@pytest.mark.parametrize(
    ("phone", "address"),
    [
        ("79991234567", "+79991234567"),
        ("+79991234567", "+79991234567"),
        ("123", "123"),
        ("you@example.org", "you@example.org"),
        ("@nick_name", "@nick_name"),
        ("#12345", "#12345"),
    ],
)
def test_an_address_is_as_receipts_have_it(phone: str, address: str) -> None:
    """So that the delivery is found."""
    assert told(signed(STATUS | {"phone": phone})).address == address


def test_a_message_that_came_in_is_proven_and_its_text_is_not_in_raw() -> None:
    """Texts are kept in one place."""
    event = told(signed(MESSAGE))

    assert isinstance(event, Incoming)
    assert (event.kind, event.trust) == (IncomingKind.MESSAGE, Trust.PROVEN)
    assert (event.sender, event.to) == ("+79991234567", "+79990000000")
    assert event.text == "Да, жду"
    assert event.raw == {"phone": "79991234567", "to": "79990000000"}


def test_the_published_test_vector_is_proven() -> None:
    """Of a public client: phone 123, text, to 234, secret zxc."""
    fields = {
        "phone": "123",
        "mes": "text",
        "to": "234",
        "sha1": "b6f768ce7614d7858cc4a6116f8ffd0dc236a3cd",
    }

    event = told(fields, CallbackConfig(secrets=(Secret("zxc"),)))

    assert (event.sender, event.text, event.to) == ("123", "text", "234")
    assert event.trust is Trust.PROVEN


def test_a_confirming_call_is_proven_and_has_its_time() -> None:
    """That time is signed."""
    event = told(signed(CONFIRMATION))

    assert isinstance(event, Incoming)
    assert (event.kind, event.trust) == (IncomingKind.CALL, Trust.PROVEN)
    assert (event.sender, event.channel, event.text) == ("+79991234567", "call", "")
    assert event.sent_at == NOW
    assert event.raw["waitcall"] == "74950000000"


@pytest.mark.parametrize("age", [timedelta(days=2), timedelta(days=-2)])
def test_a_confirming_call_of_another_day_is_a_replay(age: timedelta) -> None:
    """Who has seen the call once could confirm the number for ever."""
    with pytest.raises(CallbackError, match="of another day"):
        events(form(signed(CONFIRMATION)), received_at=NOW + age)


@pytest.mark.parametrize("fields", [STATUS, MESSAGE])
def test_what_is_not_signed_is_a_hint(fields: Fields) -> None:
    """The provider is asked then."""
    assert told(fields).trust is Trust.HINT


def test_a_confirming_call_that_is_not_signed_has_no_effect() -> None:
    """Nobody could be asked whether it was made."""
    with pytest.raises(CallbackError, match="without a signature"):
        events(form(CONFIRMATION))


@pytest.mark.parametrize("fields", [STATUS, MESSAGE])
def test_without_a_secret_everything_is_a_hint(fields: Fields) -> None:
    """There is nothing to compare a signature with."""
    assert told(signed(fields), CallbackConfig()).trust is Trust.HINT


def test_without_a_secret_a_confirming_call_has_no_effect() -> None:
    """Whatever it is signed with."""
    with pytest.raises(CallbackError, match="without a signature"):
        events(form(signed(CONFIRMATION)), CallbackConfig())


@pytest.mark.parametrize(
    ("changed", "state"),
    [
        ({"err": "200"}, State.SIMULATED),
        ({"err": "6"}, State.UNDELIVERED),
        ({"err": "245"}, State.UNKNOWN),
        ({"status": "20", "err": "200"}, State.SIMULATED),
        ({"type": "4"}, State.DELIVERED),
        ({"type": "5", "err": ""}, State.SENT),
        ({"imsi": "250011234567890"}, State.DELIVERED),
        ({"status": "-3"}, State.NOT_FOUND),
    ],
)
def test_a_state_that_hangs_on_what_is_not_signed_is_a_hint(changed: Fields, state: State) -> None:
    """The signature covers id, phone and status; the provider is asked about the rest."""
    event = told(signed(STATUS | changed))

    assert (event.status.state, event.trust) == (state, Trust.HINT)


@pytest.mark.parametrize(
    ("changed", "state"),
    [
        ({"status": "20", "err": "1"}, State.UNDELIVERED),
        ({"status": "2", "type": "8", "flag": "40"}, State.READ),
        ({"status": "99"}, State.UNKNOWN),
        ({"err": "", "type": "", "imsi": ""}, State.DELIVERED),
    ],
)
def test_a_state_that_is_signed_is_proven_whatever_stands_beside_it(
    changed: Fields, state: State
) -> None:
    """What is not signed cannot change it."""
    event = told(signed(STATUS | changed))

    assert (event.status.state, event.trust) == (state, Trust.PROVEN)


# --- signatures -----------------------------------------------------------------------------------


@pytest.mark.parametrize("digest", list(Digest))
@pytest.mark.parametrize("fields", [STATUS, MESSAGE, CONFIRMATION])
def test_both_digests_prove_in_either_case(fields: Fields, digest: Digest) -> None:
    """Whether the gateway writes them in capitals is nobody's promise."""
    proof = hashlib.new(digest.value, signature(fields)).hexdigest()

    for written in (proof, proof.upper()):
        assert told({**fields, digest.value: written}).trust is Trust.PROVEN


def test_an_old_and_a_new_secret_are_believed_while_they_are_rotated() -> None:
    """The gateway changes over at some moment between."""
    both = CallbackConfig(secrets=(Secret("old"), Secret("new")))

    for secret in ("old", "new"):
        assert told(signed(STATUS, secret=secret), both).trust is Trust.PROVEN


def forged() -> dict[str, dict[str, str]]:
    right = signed(STATUS)
    return {
        "another status": right | {"status": "20"},
        "another id": right | {"id": "183"},
        "another phone": right | {"phone": "79991234568"},
        "another text": signed(MESSAGE) | {"mes": "Нет"},
        "another number of ours": signed(MESSAGE) | {"to": "79990000001"},
        "another time of a call": signed(CONFIRMATION) | {"ts": str(int(TS) + 1)},
        "another secret": signed(STATUS, secret="guess"),
        "cut short": right | {"sha1": right["sha1"][:-1]},
        "empty": right | {"sha1": ""},
        "no hexadecimal digits": right | {"sha1": "ж" * 40},
        "one right and one wrong": right | {"md5": "0" * 32},
        "in the field of the other": {**STATUS, "md5": right["sha1"]},
    }


@pytest.mark.parametrize("fields", forged().values(), ids=forged())
def test_a_forged_call_has_no_effect(fields: Fields) -> None:
    """Not even as a hint: somebody is at work there."""
    with pytest.raises(CallbackError, match="the signature fits no secret"):
        events(form(fields))


def test_the_time_of_a_status_is_no_part_of_its_signature() -> None:
    """So the same call with another time is as right as before, and tells no more."""
    first, again = (told(signed(STATUS | {"ts": ts})) for ts in ("1", "2"))

    assert attrs.evolve(first.status, raw={}) == attrs.evolve(again.status, raw={})


def test_a_digest_that_is_not_configured_proves_nothing() -> None:
    """The operator wants sha1 and nothing else."""
    strict = CallbackConfig(secrets=(Secret(SECRET),), digests=(Digest.SHA1,))
    by_md5 = {**STATUS, "md5": hashlib.md5(signature(STATUS)).hexdigest()}

    with pytest.raises(CallbackError, match="a digest that is not accepted"):
        events(form(by_md5), strict)


@pytest.mark.parametrize("form_of_number", ["{}", "{:08x}"])
def test_crc32_proves_only_if_somebody_insists(form_of_number: str) -> None:
    """Whoever has seen one call can make any other."""
    insisting = CallbackConfig(secrets=(Secret(SECRET),), allow_crc32=True)
    status = STATUS | {"id": "2"}  # Its number has a zero in front.
    number = zlib.crc32(signature(status))
    assert f"{number:08x}".startswith("0")
    fields = {**status, "crc32": form_of_number.format(number)}

    assert told(fields, insisting).trust is Trust.PROVEN
    with pytest.raises(CallbackError, match="a digest that is not accepted"):
        events(form(fields))


def test_one_signed_text_cannot_be_read_as_another_kind() -> None:
    """``id:phone:status`` of a status is no ``phone:mes:to``, nor the other way round."""
    proof = signed(STATUS)["sha1"]
    as_message = {"phone": "182", "mes": "79991234567", "to": "1", "sha1": proof}

    with pytest.raises(CallbackError, match="to is missing or not"):
        events(form(as_message))


@pytest.mark.parametrize(
    "fields",
    [
        {"phone": "79991234567:Да", "mes": " жду", "to": "79990000000"},
        {"phone": "79991234567", "mes": "Да", "to": "жду:79990000000"},
        {"id": "1:2", "phone": "79991234567", "status": "1"},
        {"id": "1", "phone": "2:79991234567", "status": "1"},
    ],
)
def test_a_colon_cannot_move_from_one_field_to_the_next(fields: Fields) -> None:
    """The signed text would be the same."""
    with pytest.raises(CallbackError, match="not of the gateway's form"):
        events(form(signed(fields)))


def test_a_text_may_have_colons() -> None:
    """It is the one field that can, and it stands between two that cannot."""
    assert told(signed(MESSAGE | {"mes": "a:b::1"})).text == "a:b::1"


# --- what the query holds -------------------------------------------------------------------------


def test_a_call_may_come_by_get() -> None:
    """All of it is in the query then."""
    query = f"{UTF_8}&{form(signed(MESSAGE)).decode()}"

    (event,) = events(query=query, method="GET")

    assert isinstance(event, Incoming)
    assert (event.text, event.trust) == ("Да, жду", Trust.PROVEN)


def test_the_body_goes_before_the_query() -> None:
    """As the newest of the public handlers does it."""
    query = f"{UTF_8}&status=20&id=7"

    assert told(signed(STATUS), query=query).status.state is State.DELIVERED


def test_a_field_that_holds_the_secret_is_not_kept() -> None:
    """Whatever its name is: what comes back in a body is not documented."""
    event = told(signed(STATUS | {"cost": SECRET, "key": SECRET}))

    assert event.status.raw == STATUS


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_secret_in_our_own_address_is_no_digest_and_is_kept_nowhere(method: str) -> None:
    """Whether the gateway takes it out of the address that it calls is not documented."""
    query = f"{UTF_8}&sha1={SECRET}"
    fields = form(signed(STATUS))
    if method == "GET":
        (event,) = events(query=f"{query}&{fields.decode()}", method=method)
    else:
        (event,) = events(fields, query=query)

    assert isinstance(event, StatusEvent)
    assert event.trust is Trust.PROVEN
    assert SECRET not in str(event.status.raw)


def test_the_secret_alone_is_no_signature() -> None:
    """An address that leaks must not be enough."""
    assert told(STATUS, query=f"{UTF_8}&sha1={SECRET}").trust is Trust.HINT


def test_words_of_our_own_in_the_address_are_not_kept() -> None:
    """Such as a token that the operator has put there."""
    event = told(signed(STATUS), query=f"{UTF_8}&token=CANARY")

    assert "CANARY" not in str(event)
    assert "token" not in event.status.raw


def test_a_field_that_is_there_twice_must_say_the_same() -> None:
    """One of the two would be unsigned."""
    body = form(signed(STATUS))

    assert len(events(body + b"&status=1")) == 1
    with pytest.raises(CallbackError, match="twice, with different values"):
        events(body + b"&status=20")


def test_every_digest_must_fit_where_there_are_several() -> None:
    """Also under one name."""
    body = form(signed(STATUS))

    assert events(body + b"&" + body.partition(b"sha1=")[2].join([b"sha1=", b""]))
    with pytest.raises(CallbackError, match="fits no secret"):
        events(body + b"&sha1=" + b"0" * 40)


# --- forms, charsets ------------------------------------------------------------------------------


@pytest.mark.parametrize("charset", ["utf-8", "windows-1251", "koi8-r"])
def test_a_text_is_read_and_checked_in_the_charset_of_the_handler(charset: str) -> None:
    """Named in its address; the bytes that are signed are those that came."""
    body = form(signed(MESSAGE, charset=charset), charset)

    (event,) = events(body, query=f"charset={charset}")

    assert isinstance(event, Incoming)
    assert (event.text, event.trust) == ("Да, жду", Trust.PROVEN)


def test_a_charset_may_be_told_by_the_header() -> None:
    """If the address has none."""
    form_type = "application/x-www-form-urlencoded; charset=KOI8-R"
    body = form(signed(MESSAGE, charset="koi8-r"), "koi8-r")

    (event,) = events(body, query="", content_type=form_type)

    assert isinstance(event, Incoming)
    assert event.text == "Да, жду"


@pytest.mark.parametrize("query", ["", "charset=klingon"])
def test_without_a_charset_it_is_the_gateways_own(query: str) -> None:
    """Windows-1251, as documented."""
    body = form(signed(MESSAGE, charset="windows-1251"), "windows-1251")

    (event,) = events(body, query=query)

    assert isinstance(event, Incoming)
    assert event.text == "Да, жду"


def test_bytes_of_another_charset_are_no_text() -> None:
    """Better none than a wrong one: it can be fetched."""
    with pytest.raises(CallbackError, match="a text that is not utf-8"):
        events(form(MESSAGE, "windows-1251"))


def multipart(fields: Fields) -> bytes:
    parts = [
        f'--B\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    return ("".join(parts) + "--B--\r\n").encode()


def as_json(fields: object) -> bytes:
    return json.dumps(fields, ensure_ascii=False).encode()


def as_xml(*records: Fields, head: str = "") -> str:
    written = [
        "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
        for fields in records
    ]
    if len(written) > 1:
        written = [f"<message>{fields}</message>" for fields in written]
    return f"{head}<callback>{''.join(written)}</callback>"


@pytest.mark.parametrize("fields", [STATUS, MESSAGE, CONFIRMATION])
def test_every_form_tells_the_same(fields: Fields) -> None:
    """A form, one in parts, JSON and XML."""
    whole = signed(fields)

    expected = events(form(whole))

    assert events(multipart(whole), content_type='multipart/form-data; boundary="B"') == expected
    assert events(as_json(whole), query=f"{UTF_8}&fmt=3") == expected
    assert events(as_json([whole])) == expected
    assert events(as_xml(whole).encode(), query=f"{UTF_8}&fmt=2") == expected
    assert events(b"\xef\xbb\xbf" + as_json(whole) + b"\n") == expected


def test_several_messages_in_one_call_are_several_events() -> None:
    """Whether the gateway sends lists is not documented."""
    whole = [signed(STATUS), signed(MESSAGE)]

    for body in (as_json(whole), as_xml(*whole).encode()):
        assert [type(event) for event in events(body)] == [StatusEvent, Incoming]


def test_one_forged_message_spoils_the_whole_call() -> None:
    """Such a list is not the gateway's."""
    with pytest.raises(CallbackError, match="fits no secret"):
        events(as_json([signed(STATUS), signed(STATUS) | {"status": "2"}]))


def test_numbers_in_json_are_signed_as_they_are_written() -> None:
    """An id may be a number there; a field that says nothing may be null."""
    fields = {**signed(STATUS), "id": 182, "status": 1, "err": 0, "type": None}

    (event,) = events(as_json(fields))

    assert isinstance(event, StatusEvent)
    assert (event.trust, event.provider_id) == (Trust.PROVEN, "182")


def test_what_json_holds_beside_the_fields_of_the_gateway_does_no_harm() -> None:
    """A newer one may tell more."""
    assert len(events(as_json({**signed(STATUS), "extra": {"a": [1]}, "ok": True}))) == 1


def test_escapes_in_json_are_the_text() -> None:
    """And are signed as that, in the charset of the handler."""
    fields = signed(MESSAGE, charset="windows-1251")

    (event,) = events(json.dumps(fields).encode(), query="charset=windows-1251")

    assert event.trust is Trust.PROVEN


def test_a_text_that_the_charset_does_not_have_fits_no_signature() -> None:
    """JSON can bring it all the same."""
    fields = signed(MESSAGE | {"mes": "👋"})

    with pytest.raises(CallbackError, match="a text that its charset does not have"):
        events(json.dumps(fields).encode(), query="charset=windows-1251")


@pytest.mark.parametrize("charset", ["utf-8", "windows-1251"])
def test_a_document_may_name_its_charset(charset: str) -> None:
    """It knows best, whatever the address says."""
    head = f'<?xml version="1.0" encoding="{charset}"?>\n'
    body = as_xml(signed(MESSAGE, charset=charset), head=head).encode(charset)

    (event,) = events(body, query="charset=koi8-r")

    assert isinstance(event, Incoming)
    assert (event.text, event.trust) == ("Да, жду", Trust.PROVEN)


def test_documents_do_not_come_in_koi8() -> None:
    """The gateway does not use it for them; UTF-8 is what remains, unless they say another."""
    assert len(events(as_json(signed(MESSAGE)), query="charset=koi8-r")) == 1
    told = events(
        json.dumps(signed(MESSAGE, charset="windows-1251"), ensure_ascii=False).encode("cp1251"),
        query="charset=koi8-r",
        content_type="application/json; charset=windows-1251",
    )
    assert [event.trust for event in told] == [Trust.PROVEN]


# --- what has no effect ---------------------------------------------------------------------------

BOMB = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    "<x><mes>&b;</mes></x>"
)
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x><mes>&a;</mes></x>'

HOSTILE: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "neither a status nor a message"),
    "noise": (b"\x00\xff\xfe&&==%zz", "neither a status nor a message"),
    "only an id": (b"id=1", "neither a status nor a message"),
    "both kinds at once": (form(STATUS | {"mes": "x"}), "neither a status nor a message"),
    "cut short": (form(STATUS)[:10], "neither a status nor a message"),
    "no id": (b"phone=79991234567&status=1", "id is missing"),
    "no phone": (b"id=1&status=1", "phone is missing"),
    "an empty status": (b"id=1&phone=79991234567&status=", "status is missing"),
    "no number as status": (b"id=1&phone=79991234567&status=ok", "status is missing or not"),
    "a long status": (b"id=1&phone=79991234567&status=100", "status is missing or not"),
    "digits of another script": (
        form(STATUS | {"status": "١"}),
        "status is missing or not",
    ),
    "a line end after the status": (form(STATUS | {"status": "1\n"}), "status is missing or not"),
    "no number as error": (form(STATUS | {"err": "x"}), "err is missing or not"),
    "an id with a path": (form(STATUS | {"id": "../1"}), "id is missing or not"),
    "a sender in letters of all kinds": (form(MESSAGE | {"phone": "Ж"}), "phone is missing or"),
    "a call without a time": (b"phone=79991234567&waitcall=1", "ts is missing"),
    "a call of no time": (form(CONFIRMATION | {"ts": "soon"}), "ts is missing or not"),
    "a zero": (form(MESSAGE | {"mes": "a\0b"}), "characters that cannot be"),
    "half a character": (b'{"phone":"123","mes":"\\ud800"}', "characters that cannot be"),
    "many fields": (b"a=1&" * 300, "more fields than"),
    "a large body": (b"a" * 1_100_000, "larger than"),
    "broken JSON": (b'{"id": "1", "status"', "JSON that is broken"),
    "deep JSON": (b"[" * 100_000, "JSON that is broken"),
    "not a number in JSON": (b'{"id": NaN}', "JSON that is broken"),
    "JSON of texts": (b'["id"]', "JSON that is no object"),
    "JSON with a nested field": (b'{"id":{"a":"b"},"status":"1"}', "no text and no number"),
    "JSON with a truth": (b'{"id":true,"status":"1"}', "no text and no number"),
    "a long list": (b"[" + b"{}," * 2_000 + b"{}]", "more messages than"),
    "broken XML": (b"<a><b></a>", "XML that is broken"),
    "a bomb": (BOMB.encode(), "XML with a DOCTYPE"),
    "a file from outside": (OUTSIDE.encode(), "XML with a DOCTYPE"),
    "an unknown entity": (b"<x><mes>&a;</mes></x>", "XML that is broken"),
    "deep XML": (b"<a>" * 50_000, "too deep or too long"),
    "fields within fields": (b"<a><b><c><d>1</d></c></b></a>", "too deep or too long"),
    "long XML": (b"<a>" + b"<b/>" * 20_000 + b"</a>", "too deep or too long"),
    "a page": (b"<!DOCTYPE html><html><p>Hello</p></html>", "XML with a DOCTYPE"),
    "XML of two depths": (b"<a><b>1</b><c><d>1</d></c></a>", "neither a status"),
}


@pytest.mark.parametrize(("body", "words"), HOSTILE.values(), ids=HOSTILE)
def test_what_cannot_be_understood_has_no_effect(body: bytes, words: str) -> None:
    """And nothing of it is quoted, or hangs on the error."""
    with pytest.raises(CallbackError, match=words) as caught:
        events(body)

    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


@pytest.mark.parametrize("method", ["PUT", "HEAD", ""])
def test_other_methods_have_no_effect(method: str) -> None:
    """The gateway uses none of them."""
    with pytest.raises(CallbackError, match="neither GET nor POST"):
        events(form(signed(STATUS)), method=method)


@pytest.mark.parametrize(
    ("body", "content_type", "words"),
    [
        (b"--B\r\n", "multipart/form-data", "without a boundary"),
        (multipart(STATUS)[:60], "multipart/form-data; boundary=B", "cut short"),
        (b"\r\n--B" * 300, "multipart/form-data; boundary=B", "more fields than"),
    ],
)
def test_a_body_in_parts_that_is_broken_has_no_effect(
    body: bytes, content_type: str, words: str
) -> None:
    """Whatever of it could be read."""
    with pytest.raises(CallbackError, match=words):
        events(body, content_type=content_type)


@pytest.mark.parametrize("length", range(0, len(form(signed(MESSAGE))) - 1, 7))
def test_a_message_that_is_cut_short_is_never_proven(length: int) -> None:
    """It is refused, or at most a hint."""
    try:
        trusts = [event.trust for event in events(form(signed(MESSAGE))[:length])]
    except CallbackError:
        trusts = []

    assert Trust.PROVEN not in trusts


# --- whatever comes -------------------------------------------------------------------------------

VALUES = st.one_of(st.sampled_from(["1", "0", "182", "79991234567", "x:y", TS]), st.text())
NAMES = st.sampled_from(
    ["id", "phone", "status", "err", "type", "mes", "to", "waitcall", "ts", "sha1", "md5", "crc32"]
)
RECORDS = st.dictionaries(NAMES, VALUES, max_size=8)
QUERIES = st.one_of(st.text(), st.sampled_from(["", UTF_8, "charset=koi8-r&fmt=3"]))
TYPES = st.sampled_from(["", "application/json", "multipart/form-data; boundary=B", "text/xml"])


def without_effect_or_hint(body: bytes, query: str, content_type: str) -> bool:
    try:
        told = events(body, query=query, content_type=content_type)
    except CallbackError:
        return True
    return all(event.trust is Trust.HINT for event in told)


@given(st.binary(), QUERIES, TYPES)
def test_no_bytes_break_the_reader_or_are_proven(body: bytes, query: str, content: str) -> None:
    """Only who knows the secret can prove anything."""
    assert without_effect_or_hint(body, query, content)


@given(RECORDS, QUERIES)
def test_no_fields_are_proven_without_the_secret(fields: dict[str, str], query: str) -> None:
    """In whatever form they come."""
    writable = {name: value.encode("utf-8", "replace").decode() for name, value in fields.items()}
    assert without_effect_or_hint(form(writable), query, "")
    assert without_effect_or_hint(as_json(writable), query, "")
    assert without_effect_or_hint(as_xml(writable).encode(), query, "")


@given(st.text(st.characters(codec="windows-1251", exclude_characters="\0")))
def test_every_text_of_the_gateway_comes_through_unchanged(text: str) -> None:
    """In the charset that it uses by itself."""
    fields = signed(MESSAGE | {"mes": text}, charset="windows-1251")

    (event,) = events(form(fields, "windows-1251"), query="charset=windows-1251")

    assert isinstance(event, Incoming)
    assert (event.text, event.trust) == (text, Trust.PROVEN)


@given(st.text(alphabet="0123456789abcdef", min_size=40, max_size=40))
def test_no_guess_is_believed(guess: str) -> None:
    """A digest of the right form is no proof."""
    with pytest.raises(CallbackError, match="fits no secret"):
        events(form({**STATUS, "sha1": guess}))


def test_a_call_shows_neither_text_nor_secret() -> None:
    """Not in the repr of an event, and not in that of the settings."""
    event = told(signed(MESSAGE | {"mes": "CANARY"}))

    assert "CANARY" not in repr(event)
    assert SECRET not in repr(SETTINGS)
    assert quote(SECRET) not in repr(request(b"", query=f"sha1={SECRET}"))
