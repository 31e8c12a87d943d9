"""What we do in place of each quirk of the vendor's PHP library.

The tags are those of ``tests/golden/README.md``; a test is named after its tag. Cases come from the
golden data, whose recorded results show the quirk and so are not expected here.
"""

from __future__ import annotations

import email
import email.policy
import inspect
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from notify_core.attachment import Attachment
from notify_core.errors import AttachmentError, MessageError, ProviderError
from notify_core.outcome import NotSent, Unknown
from notify_smsc.smsc_api import SmscApi

GOLDEN = Path(__file__).parents[3] / "tests" / "golden"
CASES = {
    case["id"]: case
    for path in sorted(GOLDEN.glob("*.jsonl"))
    for case in map(json.loads, path.read_text("utf-8").splitlines())
}
ANSWER = "1001,1,2.40,97.60"

Sent = list[requests.PreparedRequest]


def tagged(tag: str, *, beside: Sequence[str] = ()) -> list[str]:
    """Return the single calls with a tag and no other, except for those named."""
    allowed = {tag, *beside}
    return [
        name
        for name, case in CASES.items()
        if tag in case["quirks"] and allowed.issuperset(case["quirks"]) and "call" in case
    ]


@pytest.fixture
def play(
    network: Callable[..., Any], smsc_api: Callable[..., Any], arguments: Callable[..., Any]
) -> Callable[[str], tuple[Callable[[], Any], Sent]]:
    """Return a function that prepares a case: the call to make, and the list of what it sends."""

    def prepared(name: str) -> tuple[Callable[[], Any], Sent]:
        case = CASES[name]
        session, sent = network(case["script"], case["settings"]["charset"])

        def call() -> Any:
            api = smsc_api(case["settings"], session=session, smtp_host="mail.invalid")
            given = arguments(case["call"], case.get("fixtures", ()))
            return getattr(api, case["call"]["function"])(**given)

        return call, sent

    return prepared


def params(request: requests.PreparedRequest, charset: str = "utf-8") -> list[tuple[str, str]]:
    """Return the decoded parameters of a request that is not multipart."""
    body = request.body if isinstance(request.body, bytes) else b""
    form = urlsplit(str(request.url)).query or body.decode("ascii")
    return parse_qsl(form, keep_blank_values=True, encoding=charset, errors="strict")


def body(request: requests.PreparedRequest) -> bytes:
    assert isinstance(request.body, bytes)
    return request.body


def hosts(sent: Sent) -> list[str]:
    return [urlsplit(str(request.url)).netloc for request in sent]


def test_every_tag_has_a_test_named_after_it() -> None:
    table = (GOLDEN / "README.md").read_text("utf-8").partition("## Quirks")[2]
    tags = set(re.findall(r"^\| `([a-z0-9-]+)` \|", table, re.MULTILINE))
    tags.update(tag for case in CASES.values() for tag in case["quirks"])
    names = [name for name, _ in inspect.getmembers(sys.modules[__name__], inspect.isfunction)]

    untested = [
        tag
        for tag in sorted(tags)
        if not any(name.startswith(f"test_{tag.replace('-', '_')}__") for name in names)
    ]

    assert len(tags) > 20
    assert untested == []


# All GET and all https cases.


def test_https_is_the_default_and_certificates_are_verified(network: Callable[..., Any]) -> None:
    session, sent = network([{"status": 200, "body": ANSWER}], "utf-8")

    SmscApi("alice", "s3cret", session=session).send_sms("79990000001", "x")

    assert str(sent[0].url).startswith("https://smsc.ru/sys/send.php?")
    assert session.get_adapter("https://smsc.ru").options[0]["verify"] is True


def test_a_wrong_certificate_is_no_connection_so_nothing_was_sent(play: Callable[..., Any]) -> None:
    call, sent = play("send-https-wrong-name")

    with pytest.raises(ProviderError) as caught:
        call()

    assert isinstance(caught.value.outcome, NotSent)
    assert len(sent) == 5


# The tags, in the order of the README.


@pytest.mark.parametrize(
    "name",
    tagged(
        "resend-after-delivery",
        beside=[
            "failure-hidden",
            "post-only-on-retry",
            "extra-not-encoded",
            "debug-output",
            "debug-prints-url",
        ],
    ),
)
def test_resend_after_delivery__a_send_that_may_have_arrived_is_unknown_and_not_repeated(
    name: str, play: Callable[..., Any]
) -> None:
    call, sent = play(name)
    script = CASES[name]["script"]
    arrived = next(number for number, step in enumerate(script, 1) if "connect" not in step)

    with pytest.raises(ProviderError) as caught:
        call()

    assert isinstance(caught.value.outcome, Unknown)
    assert len(sent) == arrived


@pytest.mark.parametrize("name", ["seq-dead-keepalive-post", "seq-dead-keepalive-files"])
def test_resend_after_delivery__nor_below_us_when_a_kept_connection_dies(
    name: str,
    network: Callable[..., Any],
    smsc_api: Callable[..., Any],
    arguments: Callable[..., Any],
) -> None:
    case = CASES[name]
    script = [step for call in case["calls"] for step in call["script"]]
    session, sent = network(script, "utf-8")
    api = smsc_api(case["settings"], session=session)
    first, second = (call["call"] for call in case["calls"])
    getattr(api, first["function"])(**first["arguments"])

    with pytest.raises(ProviderError) as caught:
        api.send_sms(**arguments(second, case.get("fixtures", ())))

    assert isinstance(caught.value.outcome, Unknown)
    assert len(sent) == 2


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("balance-refused5", NotSent),
        ("balance-retry5", Unknown),
        ("cost-retry5", Unknown),
        ("send-https-wrong-name", NotSent),
    ],
)
def test_failure_hidden__no_answer_from_any_host_is_an_error_that_says_what_is_known(
    name: str, outcome: type, play: Callable[..., Any]
) -> None:
    call, sent = play(name)

    with pytest.raises(ProviderError) as caught:
        call()

    assert isinstance(caught.value.outcome, outcome)
    assert hosts(sent) == ["m.smsc.ru", *(f"www{n}.m.smsc.ru" for n in (2, 3, 4, 5))]


@pytest.mark.parametrize("name", ["balance-error2", "balance-error4", "balance-error9"])
def test_failure_hidden__only_an_error_answer_to_the_balance_is_false_as_in_the_library(
    name: str, play: Callable[..., Any]
) -> None:
    call, _ = play(name)

    assert call() is False


@pytest.mark.parametrize("name", tagged("http-status-ignored", beside=["answer-not-checked"]))
def test_http_status_ignored__any_other_status_than_200_is_no_answer(
    name: str, play: Callable[..., Any]
) -> None:
    call, sent = play(name)

    with pytest.raises(ProviderError, match="HTTP status"):
        call()

    assert len(sent) == 1


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("balance-newline", "97.60"),
        ("send-answer-crlf", ["1001", "1", "2.40", "97.60"]),
    ],
)
def test_answer_not_checked__a_line_end_after_the_answer_is_not_part_of_it(
    name: str, expected: object, play: Callable[..., Any]
) -> None:
    call, _ = play(name)

    assert call() == expected


@pytest.mark.parametrize(
    "name",
    [
        "balance-currency",
        "balance-decimal-comma",
        "send-answer-fmt0",
        "send-answer-short",
        "send-answer-five",
    ],
)
def test_answer_not_checked__fields_of_another_form_are_no_answer(
    name: str, play: Callable[..., Any]
) -> None:
    call, _ = play(name)

    with pytest.raises(ProviderError, match="cannot be read") as caught:
        call()

    assert isinstance(caught.value.outcome, Unknown)


@pytest.mark.parametrize(
    ("name", "charset", "expected"),
    [
        ("send-query-hash-get", "utf-8", [("subj", "a#b"), ("maxsms", "2")]),
        ("send-query-newline-post", "utf-8", [("subj", "line1\nline2")]),
        ("send-query-plus", "utf-8", [("subj", "a b")]),
        ("send-query-question", "utf-8", [("subj", "why?"), ("maxsms", "1")]),
        ("send-query-leading-amp", "utf-8", [("maxsms", "2")]),
        ("send-query-noeq", "utf-8", [("op", "")]),
        ("send-query-rawcyr-get", "utf-8", [("subj", "Тема")]),
        ("send-query-rawcyr-get-1251", "windows-1251", [("subj", "Тема")]),
        ("send-query-rawcyr-post-1251", "windows-1251", [("subj", "Тема")]),
        ("cost-list-literal-backslash-n", "utf-8", [("list", r"79990000001:a\n79990000002:b")]),
        (
            "cost-list-raw-post",
            "utf-8",
            [("list", "79990000001:Ваш пароль: 123\n79990000002:Ваш пароль: 456")],
        ),
    ],
)
def test_extra_not_encoded__extras_arrive_as_they_were_given(
    name: str, charset: str, expected: list[tuple[str, str]], play: Callable[..., Any]
) -> None:
    call, sent = play(name)

    call()

    assert params(sent[0], charset)[-len(expected) :] == expected


def test_extra_not_encoded__a_newline_in_a_get_extra_is_sent_too(
    network: Callable[..., Any], smsc_api: Callable[..., Any]
) -> None:
    case = CASES["send-query-newline-get"]
    session, sent = network([{"status": 200, "body": ANSWER}], "utf-8")

    smsc_api(case["settings"], session=session).send_sms(**case["call"]["arguments"])

    assert sent[0].method == "GET"
    assert params(sent[0])[-1] == ("subj", "line1\nline2")


def test_extra_not_encoded__an_address_in_an_extra_is_not_rewritten_for_the_next_host(
    network: Callable[..., Any], smsc_api: Callable[..., Any]
) -> None:
    case = CASES["send-retry-rewrites-query"]
    session, sent = network([{"connect": "refused"}, {"status": 200, "body": ANSWER}], "utf-8")

    smsc_api(case["settings"], session=session).send_sms(**case["call"]["arguments"])

    assert hosts(sent) == ["m.smsc.ru", "www2.m.smsc.ru"]
    assert params(sent[1])[-1] == ("subj", "http://m.smsc.ru/a")


@pytest.mark.parametrize("name", tagged("override-by-duplicate", beside=["answer-not-checked"]))
def test_override_by_duplicate__an_extra_that_repeats_a_parameter_is_refused(
    name: str, play: Callable[..., Any]
) -> None:
    call, sent = play(name)

    with pytest.raises(MessageError, match=r"query: .* cannot be set there"):
        call()

    assert sent == []


@pytest.mark.parametrize("name", tagged("format-not-checked"))
def test_format_not_checked__a_number_without_a_format_is_refused(
    name: str, play: Callable[..., Any]
) -> None:
    call, sent = play(name)

    with pytest.raises(MessageError, match=r"^format: "):
        call()

    assert sent == []


@pytest.mark.parametrize("name", tagged("arguments-not-checked", beside=["extra-not-encoded"]))
def test_arguments_not_checked__they_are_checked_before_anything_leaves(
    name: str, play: Callable[..., Any]
) -> None:
    call, sent = play(name)

    with pytest.raises(MessageError, match=r"^(id|phones?|credentials): "):
        call()

    assert sent == []


def test_php_typing__a_bool_is_not_a_number(play: Callable[..., Any]) -> None:
    call, sent = play("send-translit-false")

    with pytest.raises(MessageError, match="translit: bool given"):
        call()

    assert sent == []


def test_php_typing__the_string_zero_is_a_value_for_login_and_extras(
    network: Callable[..., Any],
) -> None:
    session, sent = network([{"status": 200, "body": ANSWER}], "utf-8")

    SmscApi("0", "s3cret", session=session).send_sms("79990000001", "x", query="0")

    assert ("login", "0") in params(sent[0])
    assert ("0", "") in params(sent[0])


def test_php_typing__a_time_of_zero_means_now_as_number_and_as_string(
    play: Callable[..., Any],
) -> None:
    call, sent = play("send-time-zero-str")

    call()

    assert "time" not in dict(params(sent[0]))


def test_php_typing__no_sender_is_the_same_as_none_given(network: Callable[..., Any]) -> None:
    session, sent = network([{"status": 200, "body": ANSWER}], "utf-8")

    SmscApi("alice", "s3cret", session=session).send_sms("79990000001", "x", sender=None)

    assert "sender" not in dict(params(sent[0]))


@pytest.mark.parametrize("name", ["send-files-keys", "send-files-key-offset"])
def test_php_typing__files_have_no_names_of_their_own(name: str, play: Callable[..., Any]) -> None:
    call, sent = play(name)

    with pytest.raises(AttachmentError, match="give a list"):
        call()

    assert sent == []


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("send-files-at-message", b'name="mes"\r\n\r\n@pic.png\r\n'),
        ("send-files-at-sender", b'name="sender"\r\n\r\n@shop\r\n'),
        ("send-files-at-password", b'name="psw"\r\n\r\n@s3cret\r\n'),
    ],
)
def test_nul_before_at__the_value_is_sent_as_it_is(
    name: str, part: bytes, play: Callable[..., Any]
) -> None:
    call, sent = play(name)

    call()

    assert part in body(sent[0])


@pytest.mark.parametrize("name", tagged("path-as-filename"))
def test_path_as_filename__directories_do_not_travel(name: str, play: Callable[..., Any]) -> None:
    call, sent = play(name)
    base_name = Path(CASES[name]["call"]["arguments"]["files"][0]).name

    call()

    assert f'name="file0"; filename="{base_name}"\r\n'.encode() in body(sent[0])


@pytest.mark.parametrize("name", tagged("missing-file-dropped", beside=["resend-after-delivery"]))
def test_missing_file_dropped__a_missing_file_stops_the_message(
    name: str, play: Callable[..., Any]
) -> None:
    call, sent = play(name)

    with pytest.raises(AttachmentError, match="cannot be read"):
        call()

    assert sent == []


def test_unreadable_file__a_directory_stops_the_message(
    play: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "sub").mkdir()
    call, sent = play("send-files-directory")

    with pytest.raises(AttachmentError, match="cannot be read"):
        call()

    assert sent == []


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("send-files-dotted-name", [b'"a.b"', b'"c d"', b'"e[f"']),
        ("send-files-array", [b'"list[]"', b'"list[]"']),
    ],
)
def test_field_names_mangled__names_are_left_alone(
    name: str, names: list[bytes], play: Callable[..., Any]
) -> None:
    call, sent = play(name)

    call()

    found = re.findall(rb'; name=("[^"]*")', body(sent[0]))
    assert found[found.index(b'"mms"') + 1 : -1] == names


@pytest.mark.parametrize(
    ("name", "charset", "text"),
    [
        ("send-text-mismatch-utf8-as-1251", "windows-1251", "Привет, мир"),
        ("send-text-mismatch-1251-as-utf8", "utf-8", "Привет"),
    ],
)
def test_charset_not_converted__a_text_goes_out_in_the_charset_that_is_declared(
    name: str, charset: str, text: str, play: Callable[..., Any]
) -> None:
    call, sent = play(name)

    call()

    assert {("charset", charset), ("mes", text)} <= set(params(sent[0], charset))


def test_charset_not_converted__so_does_a_file_name(play: Callable[..., Any]) -> None:
    call, sent = play("send-files-cyrillic-1251")

    call()

    assert 'filename="отчёт.pdf"'.encode("windows-1251") in body(sent[0])


def test_charset_not_converted__what_does_not_fit_is_refused_without_quoting_the_text() -> None:
    api = SmscApi("alice", "s3cret", charset="koi8-r")

    with pytest.raises(MessageError) as caught:
        api.send_sms("79990000001", "Цена: 5 ₽")

    assert str(caught.value) == "mes: the character U+20BD does not exist in koi8-r"
    assert caught.value.__context__ is None


def test_post_only_on_retry__the_method_is_decided_once(play: Callable[..., Any]) -> None:
    call, sent = play("send-len-1996-refused")

    call()

    assert [request.method for request in sent] == ["GET", "GET"]
    assert len(str(sent[1].url)) == 2001


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "status-multi2-trailing-nl",
            [
                ["1", "1893456000", "0", "1001", "79990000001"],
                ["20", "1893456000", "6", "1002", "79990000002"],
            ],
        ),
        ("status-multi-error-nl", ["0", "-9"]),
        ("status-multi-fakeerr", [["1", "-1", "0", "1001", "79990000001"]]),
    ],
)
def test_status_split_naive__an_error_is_told_from_rows_by_its_whole_form(
    name: str, expected: object, play: Callable[..., Any]
) -> None:
    call, _ = play(name)

    assert call() == expected


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("status-multi-all1-newline", ["Строка 1\nСтрока 2", "Пока"]),
        ("status-all1-text-hlr", ["a,b,c,d,e,f,HLR,g"]),
        # Kept: without a structured format nobody can tell a comment from a text with commas.
        ("status-all1-comment-type", ["Привет,заказ 7,0"]),
    ],
)
def test_status_split_naive__a_text_stays_in_one_piece(
    name: str, texts: list[str], play: Callable[..., Any]
) -> None:
    call, _ = play(name)

    found = call()

    rows = found if isinstance(found[0], list) else [found]
    assert [row[8] for row in rows] == texts


def test_connect_timeout_constant__each_host_has_the_same_time(
    network: Callable[..., Any],
) -> None:
    session, _ = network([{"connect": "refused"}, {"status": 200, "body": ANSWER}], "utf-8")

    SmscApi("alice", "s3cret", session=session).send_sms("79990000001", "x")

    options = session.get_adapter("https://smsc.ru").options
    assert [given["timeout"] for given in options] == [(5.0, 30.0), (5.0, 30.0)]


@pytest.mark.parametrize("name", tagged("debug-output", beside=["failure-hidden"]))
def test_debug_output__nothing_is_printed(
    name: str, play: Callable[..., Any], capfd: pytest.CaptureFixture[str]
) -> None:
    call, _ = play(name)

    call()

    assert capfd.readouterr() == ("", "")


def test_debug_prints_url__no_error_holds_the_address_the_password_or_the_text(
    network: Callable[..., Any],
) -> None:
    session, _ = network([{"connect": "refused"}] * 5, "utf-8")

    with pytest.raises(ProviderError) as caught:
        SmscApi("alice", "s3cret", session=session).send_sms("79990000001", "Код 4821")

    shown = f"{caught.value} {caught.value!r} {caught.value.outcome!r}"
    assert not any(part in shown for part in ("s3cret", "4821", "sys/send", "7999"))


@pytest.mark.parametrize("name", tagged("mail-fields-not-escaped"))
def test_mail_fields_not_escaped__a_field_that_would_shift_the_others_is_refused(
    name: str, play: Callable[..., Any]
) -> None:
    call, _ = play(name)

    with pytest.raises(MessageError, match=r"^(time|sender): .* would shift the fields"):
        call()


@pytest.mark.parametrize("name", tagged("mail-raw-8bit"))
def test_mail_raw_8bit__letters_are_mime_with_short_lines_of_ascii(
    name: str, smsc_api: Callable[..., Any], mailbox: tuple[int, list[Any]]
) -> None:
    case: Mapping[str, Any] = CASES[name]
    port, letters = mailbox
    api = smsc_api(case["settings"], smtp_host="127.0.0.1", smtp_port=port)

    api.send_sms_mail(**case["call"]["arguments"])

    raw = letters[0].content
    letter = email.message_from_bytes(raw, policy=email.policy.default)
    assert raw.isascii()
    assert max(len(line) for line in raw.split(b"\r\n")) <= 78
    assert letter["MIME-Version"] == "1.0"
    assert letter["From"] == case["settings"]["smtp_from"]
    assert letter.get_payload(decode=True) == case["wire"][0]["body_text"].encode()


def test_other_transport__only_the_names_of_the_gateway_are_ever_asked(
    play: Callable[..., Any],
) -> None:
    call, sent = play("send-socket-refused1")

    call()

    assert hosts(sent) == ["m.smsc.ru", "www2.m.smsc.ru"]
    assert all("Host" not in request.headers for request in sent)


def test_other_transport__files_need_no_other_way_than_the_rest(
    network: Callable[..., Any],
) -> None:
    session, sent = network([{"status": 200, "body": ANSWER}], "utf-8")

    SmscApi("alice", "s3cret", session=session).send_sms(
        "79990000001", "x", format=7, files=[Attachment("pic.png", b"PNG")]
    )

    assert b'filename="pic.png"' in body(sent[0])
