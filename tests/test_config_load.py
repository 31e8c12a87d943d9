"""A file becomes a ``Config``, or every mistake in it is told with its place and a fix.

``config/bad`` holds one mistake per file, with the exact message beside it. ``config/good``
holds what an operator may write; what becomes of it stands below.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import attrs
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from notify_core.config.checks import journal_problems
from notify_core.config.load import load, loads
from notify_core.config.model import (
    Because,
    Breaker,
    Config,
    Durability,
    IfUnknown,
    JournalConfig,
    LegConfig,
    Mode,
    ProviderConfig,
    Quiet,
    Retention,
    Retry,
    Route,
    TextAtRest,
    Until,
    Via,
    Weekday,
    When,
    WorkerConfig,
)
from notify_core.config.sections import Callbacks, IncomingConfig, Suppression, WebhookConfig
from notify_core.config.source import compose
from notify_core.errors import ConfigError, PluginError, Problem
from notify_core.hookspecs import hookimpl
from notify_core.message import Priority
from notify_core.outcome import RefusalScope
from notify_core.plugins import Plugins
from notify_core.provider import Capabilities, Provider, ProviderType, ReceiptKind
from notify_core.secret import Secret

CONFIGS = Path(__file__).parent / "config"
BAD = sorted((CONFIGS / "bad").glob("*.yaml"))
GOOD = sorted((CONFIGS / "good").glob("*.yaml"))

CANARY = "hunter2'\\canary"
HOOK = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ENVIRON = {"KEY": CANARY, "PORT": "465", "EMPTY": "", "NOTHING_SECRET": "smpp", "HOOK": HOOK}


class Transport(enum.Enum):
    """How the gateway is reached."""

    HTTP = "http"
    SMPP = "smpp"


@attrs.frozen(kw_only=True)
class Proxy:
    """Something nested."""

    host: str
    port: int = 3128
    password: Secret | None = None

    def __attrs_post_init__(self) -> None:
        if self.port == 0:
            raise ValueError("proxy.port: must not be 0")


@attrs.frozen(kw_only=True)
class GatewayConfig:
    """Every kind of attribute that a provider can have."""

    key: Secret
    login: str = "nobody"
    port: int = 2775
    share: float = 1.0
    price: Decimal = Decimal("1.50")
    secure: bool = True
    patience: timedelta = timedelta(seconds=5)
    transport: Transport = Transport.HTTP
    hosts: tuple[str, ...] = ()
    pauses: tuple[timedelta, ...] = ()
    headers: Mapping[str, str] = attrs.field(factory=dict)
    proxies: Mapping[str, Proxy] = attrs.field(factory=dict)
    proxy: Proxy | None = None
    token: Secret | None = None
    shape: complex = 0j
    open_from: time | None = None
    class_: str = ""

    def __attrs_post_init__(self) -> None:
        if not 1 <= self.port <= 65535:
            raise ValueError(f"port: {self.port} is not between 1 and 65535")
        if not self.login:
            raise ValueError("an empty 'login' is refused")
        if self.login == self.key.reveal():
            raise ValueError(f"login {self.login!r} is the key, {self.key.reveal()}")
        if self.proxy and not self.secure:
            raise ValueError("a proxy needs a secure connection")


@attrs.frozen(kw_only=True)
class LettersConfig:
    """Nothing but a sender."""

    sender: str = ""


def gateway_capabilities(_: GatewayConfig) -> Capabilities:
    return Capabilities(
        channels=frozenset({"sms", "viber", "telegram", "call", "mail"}),
        receipts=frozenset(ReceiptKind),
        incoming=frozenset(ReceiptKind),
    )


def letters_capabilities(_: LettersConfig) -> Capabilities:
    return Capabilities(channels=frozenset({"mail"}))


def never_made(*_: object) -> Provider:
    raise AssertionError("reading a configuration makes no provider")


class TwoTypes:
    """A plugin with a gateway that takes nearly everything and one that takes mail."""

    @hookimpl
    def notify_provider_types(self) -> Sequence[ProviderType]:
        return [
            ProviderType(
                name="gateway",
                config_class=GatewayConfig,
                capabilities=gateway_capabilities,
                factory=never_made,
            ),
            ProviderType(
                name="letters",
                config_class=LettersConfig,
                capabilities=letters_capabilities,
                factory=never_made,
            ),
        ]


def two_types() -> Plugins:
    plugins = Plugins()
    plugins.register(TwoTypes(), "two-types")
    return plugins


def config_of(path: Path) -> Config:
    return loads(path.read_text(encoding="utf-8"), path.name, two_types(), ENVIRON)


def problems_of(text: str, plugins: Plugins | None = None) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        loads(text, "test.yaml", plugins or two_types(), ENVIRON)
    return caught.value.problems


# --- bad ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_mistake_is_told_with_its_place_and_its_fix(path: Path) -> None:
    if path.stem.startswith("syntax") and not yaml.__with_libyaml__:
        pytest.skip("the words are those of libyaml")
    expected = path.with_suffix(".txt").read_text(encoding="utf-8")

    with pytest.raises(ConfigError) as caught:
        config_of(path)

    assert f"{caught.value}\n" == expected


def test_every_bad_file_holds_one_mistake() -> None:
    told = [path.with_suffix(".txt").read_text(encoding="utf-8") for path in BAD]

    assert [text.count("\n") for text in told] == [1] * len(BAD)


def test_all_mistakes_of_a_file_are_told_at_once_in_their_order() -> None:
    problems = problems_of(
        """\
version: 1
plugins: no_such_plugin_anywhere
default_region: ru
retry: {rounds: 0}
providers:
  main: {type: gateway, port: many, kay: x}
  post: {type: leters}
  post: {type: letters}
routes:
  - name: promo
    when: {channel: smss, country: russia}
    send: {via: {spread: {main: 0, mian: 1}}, until: read, if_unknown: next}
    deadline: 0s
  - name: promo
    when: {channel: sms}
    send: {first_of: [{channel: mail, via: main}, {via: post, within: 5s}]}
  - name: default
    when: {tags: otp}
    send: {via: [post, post]}
"""
    )

    assert [(problem.line, problem.path) for problem in problems] == [
        (2, "plugins"),
        (3, "default_region"),
        (4, "retry.rounds"),
        (6, "providers.main.port"),
        (6, "providers.main.kay"),
        (7, "providers.post.type"),
        (8, "providers.post"),
        (11, "routes[0].when.channel"),
        (11, "routes[0].when.country"),
        (12, "routes[0].send.via.spread.main"),
        (12, "routes[0].send.via.spread.mian"),
        (12, "routes[0].send.until"),
        (12, "routes[0].send.if_unknown"),
        (13, "routes[0].deadline"),
        (14, "routes[1].name"),
        (16, "routes[1].send.first_of[0].channel"),
        (16, "routes[1].send.first_of[1].within"),
        (18, "routes[2].when"),
        (19, "routes[2].send.via[1]"),
    ]


def test_a_problem_carries_its_place_as_data() -> None:
    (problem,) = problems_of(MINIMAL.replace("via: main", "via: mian"))

    assert problem == Problem(
        file="test.yaml",
        line=6,
        column=17,
        path="routes[0].send.via",
        message='"mian" is not a provider of this file; did you mean "main"? known: main',
    )


def test_a_plugin_that_failed_is_named_where_its_type_is_missing() -> None:
    plugins = two_types()
    plugins.failures.append(PluginError("pigeon", "cannot be imported: no wings"))

    (problem,) = problems_of(MINIMAL.replace("letters", "pigeon"), plugins)

    assert problem.message == (
        '"pigeon" is not a provider type; known: gateway, letters; install the plugin that brings '
        "it; not loaded: plugin 'pigeon': cannot be imported: no wings"
    )


def test_what_a_class_refuses_of_its_keys_is_told_beside_other_mistakes() -> None:
    text = f"""\
retry: {{rounds: 0, jitter: 1, first: 2, often: yes}}
breaker: {{failures: 0, pause: 5}}
{MINIMAL}"""

    assert [f"{problem.path}: {problem.message}" for problem in problems_of(text)] == [
        "retry.rounds: must be at least 1",
        "retry.jitter: is a share, from 0 to below 1",
        'retry.first: "2" has no unit; write 20s, 5m, 1h30m, 500ms or 2d',
        'retry.often: "often" is not a key here; '
        "known: budget, factor, first, jitter, longest, rounds",
        "breaker.failures: must be at least 1",
        'breaker.pause: "5" has no unit; write 20s, 5m, 1h30m, 500ms or 2d',
    ]


@pytest.mark.parametrize("zone", ["Europe", "/etc/localtime", '""', '"\\0"', "x" * 300])
def test_whatever_is_no_time_zone_is_refused(zone: str) -> None:
    """A zone is found by its name in a folder; a name may be that of anything there."""
    (problem,) = problems_of(f"{JOURNALLED}    quiet: {{days: sun, zone: {zone}}}\n")

    assert problem.path == "routes[0].quiet.zone"
    assert "is not a time zone" in problem.message


WAITS = "routes: [{name: default, send: {via: main}, quiet: {days: sun}}]\n"


@pytest.mark.parametrize("text", [WAITS, f"{WAITS}journal:\n"])
def test_messages_wait_only_in_a_file_with_a_journal(text: str) -> None:
    assert [str(problem) for problem in journal_problems(compose(text, "test.yaml"))] == [
        'test.yaml:1:45: routes[0].quiet: "quiet" needs a journal, where messages wait; write '
        "journal: sqlite:///notify.db at the top level of the file"
    ]


@pytest.mark.parametrize(
    "text",
    [
        f"{WAITS}journal: sqlite:///notify.db\n",
        "routes: [{name: default, send: {via: main}}]",
        "routes: [1, [], {quiet: }]\njournal: x",
        "routes: nothing",
        "routes: [1, [], {}]",
        "[]",
    ],
)
def test_where_nothing_waits_or_a_journal_is_there_is_no_such_problem(text: str) -> None:
    assert list(journal_problems(compose(text, "test.yaml"))) == []


def test_two_plugins_with_one_type_are_a_problem_of_the_file() -> None:
    plugins = two_types()
    plugins.register(TwoTypes(), "the-same-types")

    (problem,) = problems_of(MINIMAL, plugins)

    assert problem.message == "plugin 'gateway': two plugins bring this provider type"


def test_a_file_that_is_missing_is_told(tmp_path: Path) -> None:
    path = tmp_path / "notify.yaml"

    with pytest.raises(ConfigError) as caught:
        load(path, two_types(), {})

    assert str(caught.value) == f"{path}: cannot be read: No such file or directory"


def test_a_file_that_is_not_utf_8_is_told_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "notify.yaml"
    path.write_bytes("version: 1\n# Привет\n".encode("cp1251"))

    with pytest.raises(ConfigError) as caught:
        load(path, two_types(), {})

    assert str(caught.value) == f"{path}:2:1: this line is not UTF-8; save the file as UTF-8"


# --- good -----------------------------------------------------------------------------------

MINIMAL = """\
version: 1
providers:
  main: {type: letters}
routes:
  - name: default
    send: {via: main}
"""

JOURNALLED = f"journal: sqlite:///notify.db\n{MINIMAL}"
BY_MAIN = (LegConfig(via=Via(providers=("main",))),)
DEFAULT = Route(name="default", legs=BY_MAIN)


def good(name: str) -> Config:
    return config_of(CONFIGS / "good" / f"{name}.yaml")


def gateway(config: Config, number: int = 0) -> GatewayConfig:
    found = config.providers[number].settings
    assert isinstance(found, GatewayConfig)
    return found


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_good_file_is_read(path: Path) -> None:
    assert config_of(path).routes[-1].when == When()


@pytest.mark.parametrize("name", ["minimal", "json"])
def test_what_is_left_out_has_its_default(name: str) -> None:
    assert good(name) == Config(
        version=1,
        plugins=(),
        default_region=None,
        retry=Retry(),
        breaker=Breaker(),
        journal=None,
        worker=WorkerConfig(),
        providers=(ProviderConfig(name="main", type="letters", settings=LettersConfig()),),
        routes=(DEFAULT,),
    )


def test_settings_get_the_types_of_their_attributes() -> None:
    assert gateway(good("every-kind-of-setting")) == GatewayConfig(
        key=Secret(CANARY),
        login="shop",
        port=465,
        share=0.25,
        price=Decimal("0.10"),
        secure=False,
        patience=timedelta(seconds=90),
        transport=Transport.SMPP,
        hosts=("a.example.org", "b.example.org"),
        pauses=(timedelta(milliseconds=500), timedelta(seconds=2)),
        headers={"X-Shop": "7", "X-Empty": ""},
        proxies={"office": Proxy(host="proxy.example.org", password=Secret(CANARY))},
        token=None,
        open_from=time(9, 30),
        class_="flash",
    )


def test_a_text_is_taken_as_it_is_written() -> None:
    config = good("text-that-looks-like-something-else")

    settings = gateway(config)
    assert settings.key == Secret("0123")
    assert settings.login == "no"
    assert settings.hosts == ("2024-01-01", "1:30", "1_000", "0x10", ".inf", "on", "~")
    assert settings.headers == {"1": "yes", "no": "007"}
    assert config.routes[0].when == When(
        country=("NO", "SE"), tags=("on", "1.0"), number_prefix=("+47",)
    )
    assert config.routes[1].name == "2024"


def test_a_single_value_stands_for_a_list_of_one() -> None:
    config = good("single-value-for-a-list")

    assert gateway(config).hosts == ("a.example.org",)
    assert gateway(config).pauses == (timedelta(seconds=2),)
    assert config.routes[0].when == When(
        channel=("sms",),
        tags=("promo",),
        priority=(Priority.LOW,),
        country=("RU",),
        sender=("MyShop",),
    )
    assert config.routes[1] == DEFAULT


def test_legs_that_wait_for_receipts_are_read() -> None:
    code, default = good("waiting").routes
    main = Via(providers=("main",))

    assert code.legs == (
        LegConfig(
            via=main,
            channel="telegram",
            until=Until.READ,
            within=timedelta(seconds=20),
            on=(Because.UNDELIVERED, Because.EXPIRED),
        ),
        LegConfig(
            via=main,
            channel="viber",
            until=Until.DELIVERED,
            within=timedelta(seconds=90),
            on=(Because.EXPIRED,),
            if_unknown=IfUnknown.NEXT,
            distrust={"main": ("KZ", "UZ")},
        ),
        LegConfig(via=main, channel="call", until=Until.DELIVERED, if_unknown=IfUnknown.HOLD),
    )
    assert default.legs == (LegConfig(via=main, until=Until.DELIVERED),)


def test_the_sections_about_what_comes_back_are_read() -> None:
    config = good("ways-back")

    assert config.callbacks == Callbacks(
        networks={"main": ("192.0.2.0/24", "2001:db8::/32")},
        proxies=("10.0.0.0/8",),
        largest=10_000,
        listen="0.0.0.0:8000",
        threads=4,
    )
    assert config.incoming == IncomingConfig(
        poll={"main": timedelta(minutes=1)}, answers=timedelta(days=1)
    )
    assert config.suppression == Suppression(
        stop_words=("HALT",),
        start_words=("GO",),
        tags=("promo", "news"),
        always=("otp",),
        consent=("news",),
    )
    assert config.webhooks == (
        WebhookConfig(
            url="https://example.org/hooks/notify",
            secrets=(Secret(HOOK), Secret(HOOK)),
            timeout=timedelta(seconds=5),
            retry_for=timedelta(days=1),
        ),
    )


def test_a_merged_key_yields_to_the_nearer_one() -> None:
    config = good("anchors-and-merges")

    assert [gateway(config, number).port for number in range(3)] == [1, 2, 3]
    assert [gateway(config, number).login for number in range(3)] == ["shop"] * 3
    assert config.routes[1].when == When(tags=("promo",), priority=(Priority.LOW,))
    assert {route.legs for route in config.routes} == {BY_MAIN}


def test_references_are_resolved_within_any_value_of_a_provider() -> None:
    settings = gateway(good("references"))

    assert settings.key == Secret("pre-smpp-post")
    assert settings.token == Secret("${env:KEY} is not a reference")
    assert settings.port == 465
    assert settings.transport is Transport.SMPP
    assert settings.login == "shop"
    assert settings.headers == {"Authorization": f"Bearer {CANARY}"}


@pytest.mark.parametrize(
    ("written", "secret"), [("$ecret", "$ecret"), ("$A-1", "$A-1"), ("'${env:SHELL}'", "$NAME")]
)
def test_a_secret_may_begin_with_a_dollar(written: str, secret: str) -> None:
    text = MINIMAL.replace("letters", f"gateway, key: {written}")

    assert gateway(loads(text, "test.yaml", two_types(), {"SHELL": "$NAME"})).key == Secret(secret)


def test_a_secret_file_is_read_without_its_last_line_end(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("two\nlines\n", encoding="utf-8")
    text = MINIMAL.replace("letters", f"gateway, key: '${{file:{secret}}}'")

    config = loads(text, "test.yaml", two_types(), {})

    assert gateway(config).key == Secret("two\nlines")


def test_send_is_a_leg_alone_or_several() -> None:
    routes = {route.name: route for route in good("forms-of-send").routes}

    assert routes["in-order"] == Route(
        name="in-order",
        when=When(channel=("sms",)),
        legs=(
            LegConfig(channel="telegram", via=Via(providers=("main",))),
            LegConfig(via=Via(providers=("main",))),
            LegConfig(channel="call", via=Via(providers=("main",))),
        ),
        mode=Mode.FIRST_OF,
        if_unknown=IfUnknown.HOLD,
        next_on=(RefusalScope.RECIPIENT, RefusalScope.CONTENT),
        deadline=timedelta(minutes=5),
    )
    assert routes["all"].mode is Mode.ALL_OF
    assert routes["all"].legs[1] == LegConfig(
        channel="mail", via=Via(providers=("main", "post")), needs_alternative=True
    )
    assert routes["spread"].legs == (
        LegConfig(via=Via(providers=("main", "post"), weights=(80, 20))),
    )
    assert routes["alone"].legs == (
        LegConfig(channel="mail", via=Via(providers=("post",)), needs_alternative=True),
    )
    assert routes["never-on"].next_on == ()
    assert routes["default"].legs == (LegConfig(via=Via(providers=("post", "main"))),)


def test_conditions_are_read() -> None:
    assert good("conditions").routes[0].when == When(
        channel=("sms", "viber"),
        tags=("otp", "login"),
        priority=(Priority.HIGH, Priority.CRITICAL),
        country=("RU", "KZ"),
        number_prefix=("+7999", "+375"),
        recipient_domain=("example.org", "пример.рф"),
        sender=("MyShop", "79991234567"),
    )


def test_quiet_time_is_read() -> None:
    assert [route.quiet for route in good("quiet").routes] == [
        Quiet(from_=time(21), to=time(9), days=(), zone=None, unless=(Priority.CRITICAL,)),
        Quiet(
            from_=time(0),
            to=time(23, 59),
            days=(Weekday.SAT, Weekday.SUN),
            zone=ZoneInfo("Europe/Moscow"),
            unless=(Priority.HIGH, Priority.CRITICAL),
        ),
        Quiet(days=(Weekday.SUN,), unless=()),
        None,
    ]


def test_retry_and_breaker_are_read() -> None:
    config = good("patience")

    assert config.default_region == "KZ"
    assert config.retry == Retry(
        rounds=5,
        first=timedelta(milliseconds=500),
        factor=3.0,
        longest=timedelta(minutes=90),
        jitter=0.0,
        budget=0.5,
    )
    assert config.breaker == Breaker(
        failures=2,
        pause=timedelta(days=1, hours=2, minutes=3, seconds=4, milliseconds=5),
    )


def test_a_journal_is_an_address_alone_or_a_mapping() -> None:
    alone = good("journal").journal
    mapping = loads(
        f"journal: {{url: 'sqlite:///var/notify.db'}}\n{MINIMAL}", "test.yaml", two_types(), {}
    ).journal

    assert alone == mapping == JournalConfig(url=Secret("sqlite:///var/notify.db"))


def test_what_is_said_of_a_journal_and_a_worker_is_read() -> None:
    config = good("journal-with-every-key")

    assert config.journal == JournalConfig(
        url=Secret(f"postgresql://notify:{CANARY}@db.example.org/notify"),
        durability=Durability.NORMAL,
        lease=timedelta(seconds=90),
        keys=timedelta(days=2),
        text=TextAtRest.KEEP,
        text_keys=(Secret(CANARY), Secret("465")),
        retention=Retention(
            text=timedelta(days=1), numbers=timedelta(days=30), rows=timedelta(days=365)
        ),
        pool_size=5,
    )
    assert config.worker == WorkerConfig(
        concurrency=3, reserved=1, stop_within=timedelta(seconds=5)
    )


def test_what_is_not_said_of_a_journal_has_its_default() -> None:
    config = good("journal-without-texts")

    assert config.journal == JournalConfig(
        url=Secret("memory"),
        text=TextAtRest.NEVER,
        text_keys=(Secret(CANARY),),
        retention=Retention(text=timedelta(0), numbers=timedelta(days=400)),
    )
    assert config.worker == WorkerConfig(concurrency=40, reserved=20)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("sqlite:///notify.db", "sqlite:///{folder}/notify.db"),
        ("sqlite:///var/notify.db", "sqlite:///{folder}/var/notify.db"),
        ("sqlite:///../notify.db", "sqlite:///{folder}/../notify.db"),
        ("sqlite:////var/notify.db", "sqlite:////var/notify.db"),
        ("sqlite:///${env:DATA}/notify.db", "sqlite:////data/notify.db"),
        ("postgresql://notify@db/notify", "postgresql://notify@db/notify"),
        ("postgres://notify@db/notify", "postgres://notify@db/notify"),
        ("postgresql+psycopg://notify@db/notify", "postgresql+psycopg://notify@db/notify"),
        ("memory", "memory"),
        ("'memory:'", "memory:"),
    ],
)
def test_a_journal_lies_beside_the_file_that_names_it(
    written: str, kept: str, tmp_path: Path
) -> None:
    """Wherever the program was started: two of them must not find two journals."""
    path = tmp_path / "notify.yaml"
    path.write_text(f"journal: {written}\n{MINIMAL}", encoding="utf-8")

    journal = load(path, two_types(), {"DATA": "/data"}).journal

    assert journal is not None
    assert journal.url.reveal() == kept.format(folder=tmp_path.resolve())


@pytest.mark.parametrize(
    "address",
    [
        "mysql://notify:hunter2@db/notify",
        "postgressql://notify:hunter2@db/notify",
        "sqlite://hunter2",
        "notify:hunter2@db/notify",
        "hunter2",
        "hunter2:notify",
        "hunter2+notify",
        "$HUNTER2",
        "postgresql://notify:hunter2@db/notify",
    ],
)
@pytest.mark.parametrize("form", ["{}", "{{url: '{}'}}", "{{url: '{}', lease: 0s}}", "['{}']"])
def test_no_message_shows_the_address_of_a_journal(address: str, form: str) -> None:
    """It can hold a password, or be one."""
    told = read_or_refuse(f"journal: {form.format(address)}\nx: 1\n{MINIMAL}")

    assert "hunter2" not in told.lower()
    assert told


def test_a_journal_shows_neither_its_address_nor_its_keys() -> None:
    shown = repr(good("journal-with-every-key"))

    assert CANARY not in shown
    assert "example.org" not in shown


def test_a_plugin_that_the_file_names_is_loaded() -> None:
    plugins = two_types()
    text = (CONFIGS / "good" / "plugins.yaml").read_text(encoding="utf-8")

    config = loads(text, "plugins.yaml", plugins, ENVIRON)

    assert config.plugins == ("json.tool",)
    assert plugins.manager.has_plugin("json.tool")


def test_names_may_be_in_any_script() -> None:
    config = good("names-of-all-kinds")

    assert [provider.name for provider in config.providers] == ["СМС-центр", "main.v2"]
    assert config.routes[0].name == "одноразовый код"


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "notify.yaml"
    path.write_text(MINIMAL, encoding="utf-8-sig")

    assert load(path, two_types(), {}).routes == (DEFAULT,)


# --- for any text ---------------------------------------------------------------------------

PIECES = """
version 1 providers main type gateway key routes name send via first_of all_of spread when channel
sms mail until within deadline 5m quiet from to 21:00 days sat zone UTC unless high retry budget
journal url sqlite:///notify.db memory text_keys never retention rows worker reserved
default_region ${env:KEY} ${ $${ << * & ! ~ [ ] { } : , - | > ' " # % @ ---
"""
LINES = ["\n", "\n  ", "\n    ", "\n  - ", ": ", "&a ", "*a", "<<: *a\n"]
WORDS = st.sampled_from([*PIECES.split(), *LINES])
SOUP = st.one_of(st.text(max_size=200), st.lists(WORDS, max_size=60).map("".join))
DAMAGE = st.tuples(st.integers(0, 2000), st.integers(0, 30), st.lists(WORDS, max_size=5))
WHOLE = [path.read_text(encoding="utf-8") for path in GOOD if path.stem != "plugins"]


def read_or_refuse(text: str) -> str:
    try:
        loads(text, "test.yaml", two_types(), ENVIRON)
    except ConfigError as error:
        return str(error)
    return ""


@given(SOUP)
@settings(max_examples=300, deadline=None)
def test_no_text_raises_anything_but_a_config_error(text: str) -> None:
    read_or_refuse(text)


@given(st.sampled_from(WHOLE), DAMAGE)
@settings(max_examples=300, deadline=None)
def test_a_damaged_file_raises_nothing_else_and_shows_no_secret(
    text: str, damage: tuple[int, int, list[str]]
) -> None:
    start, length, words = damage

    told = read_or_refuse(text[:start] + "".join(words) + text[start + length :])

    assert CANARY not in told


FORMS = ["{}", "'{}'", '"{}"', "[{}]", "{{a: {}}}", "!{}", "*{}", "&{}", "{}: x", "@{}", "{} ${{"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("attribute", ["key", "token", "proxy: {host: h, password", "kay"])
@pytest.mark.parametrize("other", ["port: 0", "login: ''", "nonsense: 1", "port: ${env:KEY}"])
def test_no_message_shows_a_secret(form: str, attribute: str, other: str) -> None:
    value = form.format("hunter2")
    end = "}" if "{" in attribute else ""
    text = MINIMAL.replace(
        "{type: letters}",
        f"\n    type: gateway\n    {attribute}: {value}{end}\n    {other}",
    )

    told = read_or_refuse(text)

    assert "hunter2" not in told
    assert told


def test_what_a_class_refuses_is_told_without_the_secret() -> None:
    text = MINIMAL.replace("letters", "gateway, key: '${env:KEY}', login: '${env:KEY}'")

    with pytest.raises(ConfigError) as caught:
        loads(text, "test.yaml", two_types(), ENVIRON)

    assert caught.value.problems[0].message == 'login "********" is the key, ********'
    assert caught.value.__context__ is None


def test_a_reference_that_is_merged_over_is_not_looked_up() -> None:
    text = MINIMAL.replace(
        "{type: letters}",
        "{<<: {login: '${env:NOT_SET}'}, type: gateway, key: sesame, login: b, port: 0}",
    )

    (problem,) = problems_of(text)

    assert problem.message == "0 is not between 1 and 65535"
