"""What a message may add in ``extra["smsc"]``, and what it may not say in its text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from notify_core.delivery import Attempt
from notify_core.errors import MessageError, UnsupportedFeature
from notify_core.message import (
    Binary,
    BinaryForm,
    Call,
    Mail,
    Message,
    Mms,
    Sms,
    Telegram,
    Viber,
    WapPush,
)
from notify_smsc.extras import EXTRAS, OURS
from notify_smsc.inband import COMMANDS
from notify_smsc.parameters import Defaults, send_order

Params = Callable[[Message], dict[str, str]]


@pytest.fixture
def params(attempt: Callable[..., Attempt]) -> Params:
    """Return a function that makes the parameters for a message."""
    return lambda message: dict(send_order(message, attempt(), Defaults()).params)


def sms(**extra: Any) -> Sms:
    return Sms(text="t", extra={"smsc": extra})


GOOD: list[tuple[str, Any, str]] = [
    ("translit", 0, "0"),
    ("translit", "2", "2"),
    ("tinyurl", 1, "1"),
    ("tinyurl", True, "1"),
    ("maxsms", 3, "3"),
    ("time", "0101261230", "0101261230"),
    ("time", "01.01.26 12:30", "01.01.26 12:30"),
    ("time", "9-21", "9-21"),
    ("time", "01767225600", "01767225600"),
    ("time", "+30", "+30"),
    ("time", 0, "0"),
    ("period", 0.1, "0.1"),
    ("period", 720, "720"),
    ("imgcode", "a1B2", "a1B2"),
    ("userip", "192.0.2.1", "192.0.2.1"),
    ("userip", "2001:db8::1", "2001:db8::1"),
    ("fileurl", "https://a.b/c.png", "https://a.b/c.png"),
    ("pp", 42, "42"),
]

BAD: list[tuple[str, Any]] = [
    ("translit", 3),
    ("tinyurl", "yes"),
    ("maxsms", 0),
    ("maxsms", "3&cost=1"),
    ("time", "tomorrow"),
    ("time", "3101261261"),
    ("time", "32.01.26 12:30"),
    ("time", "21-9"),
    ("time", "9-25"),
    ("tz", "Moscow"),
    ("tz", 12),
    ("period", 0),
    ("period", 721),
    ("freq", 0),
    ("freq", 1441),
    ("imgcode", "a b"),
    ("userip", "localhost"),
    ("fileurl", "ftp://a.b"),
    ("pp", "me"),
    ("voice", "bass"),
    ("param", "9,10,1"),
    ("param", "10,10"),
    ("subj", "two\nlines"),
    ("smsreq", 9),
    ("translit", None),
    ("translit", [1]),
]


@pytest.mark.parametrize(("name", "value", "sent"), GOOD)
def test_a_documented_parameter_is_passed_on(
    params: Params, name: str, value: Any, sent: str
) -> None:
    """In every documented form."""
    assert params(sms(**{name: value}))[name] == sent


def test_parameters_that_need_each_other_go_together(params: Params) -> None:
    """``tz`` shifts ``time``; ``freq`` divides ``period``."""
    made = params(sms(time="9-21", tz=-1.5, period=24, freq=60))

    assert (made["tz"], made["freq"]) == ("-1.5", "60")


@pytest.mark.parametrize(
    ("message", "name", "sent"),
    [
        (Call(text="t", extra={"smsc": {"voice": "m2"}}), "voice", "m2"),
        (Call(text="t", extra={"smsc": {"param": "35,3600,9"}}), "param", "35,3600,9"),
        (Mms(text="t", extra={"smsc": {"subj": "Тема"}}), "subj", "Тема"),
        (Telegram(text="t", bot="@a_bot", extra={"smsc": {"smsreq": 30}}), "smsreq", "30"),
    ],
)
def test_some_are_for_one_channel(params: Params, message: Message, name: str, sent: str) -> None:
    """There they are passed on."""
    assert params(message)[name] == sent


def test_every_parameter_of_the_table_is_shown_above() -> None:
    """A parameter added to the code is added to the test."""
    shown = {name for name, *_ in GOOD} | {"tz", "freq", "voice", "param", "subj", "smsreq"}

    assert shown == set(EXTRAS)


def _holder(name: str, value: Any) -> Message:
    """Make a message in which nothing but the value is wrong."""
    needed: dict[str, dict[str, Any]] = {"tz": {"time": "9-21"}, "freq": {"period": 24}}
    extra: dict[str, dict[str, Any]] = {"smsc": {name: value} | needed.get(name, {})}
    if name in ("voice", "param"):
        return Call(text="t", extra=extra)
    if name == "subj":
        return Mms(text="t", extra=extra)
    if name == "smsreq":
        return Telegram(text="t", bot="@a_bot", extra=extra)
    return Sms(text="t", extra=extra)


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_value_of_another_form_is_refused(params: Params, name: str, value: Any) -> None:
    """With the name and the form, and nothing is sent."""
    with pytest.raises(MessageError, match=f"extra smsc.{name}: must be"):
        params(_holder(name, value))


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_parameter_that_we_set_is_refused_with_the_way_to_say_it(
    params: Params, name: str
) -> None:
    """No message can change the credentials, the recipients or the channel."""
    with pytest.raises(MessageError, match=f"extra smsc.{name}: cannot be given here; "):
        params(sms(**{name: "1"}))


def test_an_unknown_name_is_refused_with_the_known_ones(params: Params) -> None:
    """A slip of the pen would otherwise be a feature that silently does not work."""
    with pytest.raises(MessageError, match=r"smsc\.tinyrul: not known; known: allow, fileurl,"):
        params(sms(tinyrul=1))


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (sms(tz=1), "does nothing without time"),
        (sms(freq=1), "does nothing without period"),
        (sms(smsreq=30), "works with a bot only"),
        (sms(voice="m"), "only for messages of the type Call"),
        (sms(subj="s"), "only for messages of the type Mms"),
        (
            Sms(text="t", send_at=datetime(2026, 1, 1, tzinfo=UTC), extra={"smsc": {"time": "0"}}),
            "smsc.time: the message says it already",
        ),
        (Call(text="t", voice="m", extra={"smsc": {"voice": "w"}}), "says it already"),
        (
            Viber(text="t", image="https://a.b/c", extra={"smsc": {"fileurl": "https://a.b"}}),
            "says it already",
        ),
        (
            Mail(subject="s", text="t", sender="a@b.ru", extra={"smsc": {"subj": "x"}}),
            "only for messages of the type Mms",
        ),
    ],
)
def test_a_parameter_that_would_do_nothing_or_fight_is_refused(
    params: Params, message: Message, words: str
) -> None:
    """Each thing is said once, where it has an effect."""
    with pytest.raises(MessageError, match=words):
        params(message)


def test_parameters_of_other_providers_are_not_ours(params: Params) -> None:
    """The same message may go through several providers."""
    assert "ttl" not in params(Sms(text="t", extra={"other": {"ttl": 1}}))


# --- commands in the text -----------------------------------------------------------------------

COMMAND_TEXTS = [
    ("prefix", "__CALL__ hello"),
    ("prefix", "__VIBER__hello"),
    ("prefix", "__SOC__hello"),
    ("prefix", "__PING__"),
    ("prefix", " \n__HLR__"),
    ("prefix", "__call__ hello"),
    ("prefix", "__MMS__ new one"),
    ("comment", "hello\n~~~\nhidden"),
    ("comment", "~~~"),
    ("comment", "hello\r\n ~~~ hidden"),
    ("menu", "hello {menu: 1}"),
    ("menu", "hello\n{ MENU :1}"),
    ("button", "hello {button,https://evil,Go}"),
    ("file", "hello <file https://evil>"),
    ("file", "hello\n< FILE\thttps://evil>"),
    ("newline", r"C:\new"),
]


@pytest.mark.parametrize(("name", "text"), COMMAND_TEXTS)
@pytest.mark.parametrize("kind", [Sms, Viber, Call])
def test_a_command_in_a_text_is_refused_by_name(
    params: Params, kind: type[Any], name: str, text: str
) -> None:
    """Words of a stranger must not switch the channel or make a call; the text is not quoted."""
    with pytest.raises(UnsupportedFeature, match=rf"'allow': \['{name}'\]") as caught:
        params(kind(text=text))

    assert "hello" not in str(caught.value)
    assert "evil" not in str(caught.value)


@pytest.mark.parametrize(("name", "text"), COMMAND_TEXTS)
def test_a_message_may_allow_itself_a_command(params: Params, name: str, text: str) -> None:
    """By name: the others stay refused."""
    allowed = Sms(text=text, extra={"smsc": {"allow": [name]}})
    others = Sms(text=text, extra={"smsc": {"allow": sorted(set(COMMANDS) - {name})}})

    assert params(allowed)["mes"] == text
    assert "allow" not in params(allowed)
    with pytest.raises(UnsupportedFeature):
        params(others)


@pytest.mark.parametrize(
    "message",
    [
        WapPush(url="https://a.b", title="{menu: 1}"),
        WapPush(url="https://a.b/\\n~~~", title="t"),
        Mms(text="<file https://evil>"),
        Binary(data=b"__CALL__", form=BinaryForm.BYTES),
        Binary(data=b"1\n~~~\n2", form=BinaryForm.BYTES),
        Telegram(text="{button,https://evil,Go}", bot="@a_bot"),
    ],
)
def test_no_channel_lets_a_command_through(params: Params, message: Message) -> None:
    """Wherever strangers' words can stand."""
    with pytest.raises(UnsupportedFeature):
        params(message)


@pytest.mark.parametrize("text", ["code", " Code ", "CODE"])
def test_a_call_that_says_code_is_refused(params: Params, text: str) -> None:
    """The gateway would make one up and speak that."""
    with pytest.raises(UnsupportedFeature, match="'code'"):
        params(Call(text=text))

    assert params(Call(text=text, extra={"smsc": {"allow": "code"}}))["mes"] == text


@pytest.mark.parametrize(
    "text",
    [
        "code",
        "a_b __init__ c",
        "1 ~ 2 ~~~ 3",
        "{name}",
        "a < b, profile",
        "C:\\dir",
        "__init__.py is missing",
    ],
)
def test_ordinary_texts_pass(params: Params, text: str) -> None:
    """Signs alone are no commands."""
    assert params(Sms(text=text))["mes"] == text


@pytest.mark.parametrize("value", ["everything", ["menu", "x"], [["menu"]], 1, None, {"menu": 1}])
def test_only_known_commands_can_be_allowed(params: Params, value: Any) -> None:
    """Nobody can allow all at once by mistake."""
    with pytest.raises(MessageError, match=r"smsc\.allow: a list of button, code, comment"):
        params(sms(allow=value))
