"""The keys of a provider: what is taken, and what is said of mistakes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest

from notify_core.config.load import load
from notify_core.plugins import Plugins
from notify_core.secret import Secret
from notify_smsc.addresses import MessageIds
from notify_smsc.calls import Charset
from notify_smsc.config import CallbackConfig, SmscConfig, SmtpConfig, Transport
from notify_smsc.extras import EXTRAS
from notify_smsc.inband import CODE, COMMANDS
from notify_smsc.signatures import Digest

LOGIN: dict[str, Any] = {"login": "me", "password": Secret("CANARY")}
LETTER: dict[str, Any] = {"transport": Transport.SMTP}
FROM = SmtpConfig(from_address="me@example.org")


def seconds(*values: float) -> tuple[timedelta, ...]:
    return tuple(timedelta(seconds=value) for value in values)


def test_a_login_with_its_password_is_enough() -> None:
    """Everything else has a safe default."""
    config = SmscConfig(**LOGIN)

    assert config.https
    assert config.hosts == ("smsc.ru", *(f"www{n}.smsc.ru" for n in (2, 3, 4, 5)))
    assert config.message_ids is MessageIds.NUMBER
    assert config.ask_after_s == (2, 5, 15, 30)
    assert config.credentials.params() == (("login", "me"), ("psw", "CANARY"))


def test_a_key_replaces_login_and_password() -> None:
    """The gateway wants the key alone."""
    assert SmscConfig(api_key=Secret("k")).credentials.params() == (("apikey", "k"),)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({}, "credentials are missing; give login and password, or api_key"),
        ({"login": "me"}, "credentials are missing"),
        ({"password": Secret("CANARY")}, "credentials are missing"),
        (LOGIN | {"api_key": Secret("CANARY")}, "give either api_key, or login and password"),
        (LOGIN | {"login": ""}, "login: it is empty"),
        (LOGIN | {"password": Secret("")}, "password: it is empty"),
        ({"api_key": Secret("")}, "api_key: it is empty"),
        (LOGIN | {"transport": "smtp"}, "transport: it is http or smtp"),
        (LOGIN | {"message_ids": "string"}, "message_ids: it is number or string"),
        (LOGIN | {"host": "https://smsc.ru"}, "host: 'https://smsc.ru' is not a host"),
        (LOGIN | {"host": "smsc.ru/sys"}, "is not a host"),
        (LOGIN | {"reserve_hosts": ("a b",)}, "reserve_hosts: 'a b' is not a host"),
        (LOGIN | {"https": False}, "https: without it the password travels in the clear"),
        (
            LOGIN | {"host": "localhost", "https": False, "reserve_hosts": ("smsc.ru",)},
            "https: without it",
        ),
        (LOGIN | {"connect_timeout": timedelta(0)}, "connect_timeout: must be longer than zero"),
        (LOGIN | {"read_timeout": timedelta(0)}, "read_timeout: must be longer than zero"),
        (LOGIN | {"pool_size": 0}, "pool_size: must be at least 1"),
        (LOGIN | {"ask_after": seconds(0)}, "ask_after: every pause"),
        (LOGIN | {"ask_after": seconds(1, 1, 1, 1, 1, 1)}, "ask_after: the gateway allows 5"),
        (LOGIN | {"sender": "Имя"}, "sender: it must be at most 11"),
        (LOGIN | {"sender": "TwelveLetter"}, "sender: it must be at most 11"),
        (LOGIN | {"telegram_bot": "bot"}, "telegram_bot: 'bot'; write it as @name_bot"),
        (LOGIN | {"whatsapp_bot": "wa:1"}, "whatsapp_bot: write the number of the bot"),
        (LOGIN | LETTER, "smtp.from_address: it is missing"),
        (LOGIN | LETTER | {"login": "a:b", "smtp": FROM}, "login: a letter"),
        (LOGIN | LETTER | {"password": Secret("CANARY,"), "smtp": FROM}, "password: a letter"),
    ],
)
def test_a_mistake_is_named_with_its_key_and_never_with_a_secret(
    keys: dict[str, Any], words: str
) -> None:
    """What construction refuses is shown beside the place in the file."""
    with pytest.raises(ValueError, match=r".") as caught:
        SmscConfig(**keys)

    assert words in str(caught.value)
    assert "CANARY" not in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"port": 0}, "smtp.port: 0 is not a port"),
        ({"login": "me"}, "smtp.login and smtp.password belong together"),
        ({"login": "я", "password": Secret("CANARY")}, "takes ASCII only"),
    ],
)
def test_a_mistake_in_the_mail_server_is_named(keys: dict[str, Any], words: str) -> None:
    """The nested keys have their own sentences."""
    with pytest.raises(ValueError, match=words):
        SmtpConfig(**keys)


@pytest.mark.parametrize(
    "secret", ["", "CANARY:", "CANARY CANARY", "CANARY\n", "CANARYж"], ids=ascii
)
def test_a_secret_that_cannot_be_told_from_what_it_signs_is_refused(secret: str) -> None:
    """A colon separates the fields, and nobody knows the bytes of other letters."""
    with pytest.raises(ValueError, match=r"callback.secrets\[1\]: it must be") as caught:
        CallbackConfig(secrets=(Secret("right"), Secret(secret)))

    assert "CANARY" not in str(caught.value)


def test_secrets_without_a_digest_are_a_mistake() -> None:
    """Nothing could be proven with them."""
    with pytest.raises(ValueError, match=r"callback.digests: there is none"):
        CallbackConfig(secrets=(Secret("x"),), digests=())

    assert CallbackConfig(secrets=(Secret("x"),), digests=(), allow_crc32=True)


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "127.0.0.1:80", "[::1]:80"])
def test_plain_http_is_for_this_machine(host: str) -> None:
    """An emulator needs no certificate, and no reserve name exists for it."""
    assert SmscConfig(**LOGIN, host=host, https=False).hosts == (host,)


def test_plain_http_elsewhere_must_be_asked_for() -> None:
    """A gateway inside a container network is somebody's decision."""
    assert not SmscConfig(**LOGIN, host="emulator", https=False, allow_plain_http=True).https


def test_reserve_hosts_can_be_named_or_left_out() -> None:
    """Only www2 is documented; the vendor's libraries know more."""
    assert SmscConfig(**LOGIN, reserve_hosts=()).hosts == ("smsc.ru",)
    assert SmscConfig(**LOGIN, reserve_hosts=("www3.smsc.ru",)).hosts == ("smsc.ru", "www3.smsc.ru")


def test_letters_go_to_the_gateways_own_server_with_tls_unless_told_otherwise() -> None:
    """The password of the account stands in the letter."""
    config = SmscConfig(**LOGIN, **LETTER, host="smsc.kz:443", smtp=FROM)

    assert (config.smtp_host, config.smtp.starttls) == ("send.smsc.kz", True)


def test_no_secret_is_in_the_repr() -> None:
    """A configuration is logged sooner or later."""
    smtp = SmtpConfig(login="a", password=Secret("CANARY"))
    config = SmscConfig(**LOGIN, smtp=smtp, callback=CallbackConfig(secrets=(Secret("CANARY"),)))

    assert "CANARY" not in repr(config)


# --- what the README claims -----------------------------------------------------------------------

NESTED = {"smtp": SmtpConfig, "callback": CallbackConfig}
README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_the_readme_names_every_key_and_every_word() -> None:
    """A key that nobody can find is not there."""
    keys = [field.name for field in attrs.fields(SmscConfig) if field.name not in NESTED]
    nested = [f"{key}.{field.name}" for key, cls in NESTED.items() for field in attrs.fields(cls)]

    unnamed = [
        word for word in (*keys, *nested, *EXTRAS, *COMMANDS, CODE) if f"`{word}" not in README
    ]

    assert unnamed == []


def test_the_configuration_in_the_readme_is_read(tmp_path: Path) -> None:
    """As it stands there."""
    file = tmp_path / "notify.yaml"
    example = README.partition("```yaml\n")[2].partition("```")[0]
    file.write_text(f"plugins: [notify_smsc.plugin]\n{example}", encoding="utf-8")
    environ = {"SMSC_API_KEY": "k", "SMSC_LOGIN": "me", "SMSC_PASSWORD": "p"}

    config = load(file, Plugins(), environ)

    assert [provider.type for provider in config.providers] == ["smsc", "smsc"]


def test_what_is_believed_of_calls_is_read_from_the_file(tmp_path: Path) -> None:
    """Secrets by reference, the other keys by their words."""
    file = tmp_path / "notify.yaml"
    file.write_text(
        """
        version: 1
        plugins: [notify_smsc.plugin]
        providers:
          smsc:
            type: smsc
            api_key: k
            callback:
              secrets: ["${env:NEW}", "${env:OLD}"]
              digests: [sha1]
              allow_crc32: true
              charset: utf-8
        routes:
          - {name: default, send: {via: smsc}}
        """,
        encoding="utf-8",
    )

    config = load(file, Plugins(), {"NEW": "new", "OLD": "old"})

    settings = config.providers[0].settings
    assert isinstance(settings, SmscConfig)
    assert settings.callback == CallbackConfig(
        secrets=(Secret("new"), Secret("old")),
        digests=(Digest.SHA1,),
        allow_crc32=True,
        charset=Charset.UTF_8,
    )
