"""The keys of an SMSC provider in the YAML, checked when they are read."""

from __future__ import annotations

import enum
import ipaddress
import re
from collections.abc import Sequence
from datetime import timedelta
from itertools import accumulate

import attrs

from notify_core.secret import Secret
from notify_smsc.addresses import LONGEST_SENDER_NAME, MessageIds, is_sender
from notify_smsc.calls import Charset
from notify_smsc.parameters import Defaults
from notify_smsc.signatures import CRC32, Digest, Signatures, is_usable
from notify_smsc.wire import Credentials, host_names

MOST_QUERIES_A_MINUTE = 5
_HOST = re.compile(r"(?:[A-Za-z0-9.\-]+|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?")


class Transport(enum.Enum):
    """How requests travel."""

    HTTP = "http"
    """To the scripts of the gateway; everything it can do."""
    SMTP = "smtp"
    """As letters: texts only, without an answer; statuses are still asked over HTTP."""


@attrs.frozen(kw_only=True)
class SmtpConfig:
    """The mail server that takes the letters: https://smsc.ru/api/smtp/send

    By default it is that of the gateway itself. ``from_address`` stands on the envelope.
    ``login`` and ``password`` are for a relay of your own; the gateway's server wants none.
    """

    host: str | None = None
    port: int = 25
    # The letter holds the password of the account, and the server's TLS is not documented:
    # going without it has to be somebody's decision.
    starttls: bool = True
    login: str | None = None
    password: Secret | None = None
    from_address: str | None = None
    test: bool = False

    def __attrs_post_init__(self) -> None:
        if not 1 <= self.port <= 65535:
            raise ValueError(f"smtp.port: {self.port} is not a port; write 1 to 65535")
        if (self.login is None) != (self.password is None):
            raise ValueError("smtp.login and smtp.password belong together; give both or neither")
        if self.password and not (f"{self.login}{self.password.reveal()}").isascii():
            raise ValueError("smtp.login, smtp.password: a mail server takes ASCII only")


@attrs.frozen(kw_only=True)
class CallbackConfig:
    """What is believed of calls: https://smscentre.com/api/http/miscellaneous/callback/

    ``secrets`` are those of the handler's address at the gateway; several at once let them be
    rotated. Without any, all calls are hints. ``digests`` are those that prove something, with
    ``allow_crc32`` also one that is no protection. ``charset`` is how a call is read that does
    not say it.
    """

    secrets: tuple[Secret, ...] = ()
    digests: tuple[Digest, ...] = tuple(Digest)
    allow_crc32: bool = False
    charset: Charset = Charset.WINDOWS_1251

    def __attrs_post_init__(self) -> None:
        for place, secret in enumerate(self.secrets):
            if not is_usable(secret):
                raise ValueError(
                    f"callback.secrets[{place}]: it must be of Latin letters, digits and signs "
                    "other than a colon, and not empty; is the variable or file behind it set?"
                )
        if self.secrets and not self.signatures.names:
            raise ValueError("callback.digests: there is none; write [sha1]")

    @property
    def signatures(self) -> Signatures:
        """What signatures are believed."""
        names = {digest.value for digest in self.digests}
        return Signatures(
            secrets=self.secrets,
            names=frozenset(names | {CRC32} if self.allow_crc32 else names),
        )


@attrs.frozen(kw_only=True)
class SmscConfig:
    """One account of the gateway. Give ``login`` and ``password``, or ``api_key``.

    ``reserve_hosts`` are asked, in order, only while nothing can have arrived at the host before;
    None means ``www2.`` to ``www5.<host>``, as in the vendor's libraries; the documentation
    names the first of them. ``sender`` is for short messages that name none,
    ``mail_sender`` for e-mail, which needs one. ``whatsapp_bot`` is a number in digits.
    ``ask_after`` are the pauses between the questions that resolve an unknown outcome; at most
    5 within a minute, as the gateway allows for one message. Without any, none is asked.
    """

    transport: Transport = Transport.HTTP
    login: str | None = None
    password: Secret | None = None
    api_key: Secret | None = None
    host: str = "smsc.ru"
    reserve_hosts: tuple[str, ...] | None = None
    https: bool = True
    allow_plain_http: bool = False
    ca_file: str | None = None
    connect_timeout: timedelta = timedelta(seconds=5)
    read_timeout: timedelta = timedelta(seconds=30)
    pool_size: int = 64
    sender: str | None = None
    mail_sender: str | None = None
    telegram_bot: str | None = None
    whatsapp_bot: str | None = None
    message_ids: MessageIds = MessageIds.NUMBER
    ask_after: tuple[timedelta, ...] = tuple(timedelta(seconds=s) for s in (2, 5, 15, 30))
    callback: CallbackConfig = attrs.field(factory=CallbackConfig)
    smtp: SmtpConfig = attrs.field(factory=SmtpConfig)

    def __attrs_post_init__(self) -> None:
        # A plain "smtp" would otherwise be no error, and go over HTTP.
        if not isinstance(self.transport, Transport):
            raise ValueError("transport: it is http or smtp (in Python: Transport.HTTP)")
        if not isinstance(self.message_ids, MessageIds):
            raise ValueError("message_ids: it is number or string (in Python: MessageIds.NUMBER)")
        self._check_credentials()
        self._check_hosts()
        self._check_numbers()
        self._check_senders()
        self._check_smtp()

    @property
    def credentials(self) -> Credentials:
        """Who we are to the gateway."""
        if self.api_key is not None:
            return Credentials.of_api_key(self.api_key)
        return Credentials(self.login or "", self.password or Secret(""))

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts to ask, in order."""
        if self.reserve_hosts is not None:
            return (self.host, *self.reserve_hosts)
        # The name www2.<address> does not exist for a bare address or a local server.
        return (self.host,) if is_loopback(self.host) else host_names(self.host)

    @property
    def host_name(self) -> str:
        """``host`` without a port."""
        return _name_of(self.host)

    @property
    def smtp_host(self) -> str:
        """The mail server that takes the letters."""
        return self.smtp.host or f"send.{self.host_name}"

    @property
    def defaults(self) -> Defaults:
        """What a message gets that does not say it itself."""
        return Defaults(
            sender=self.sender,
            mail_sender=self.mail_sender,
            telegram_bot=self.telegram_bot,
            whatsapp_bot=self.whatsapp_bot,
            message_ids=self.message_ids,
        )

    @property
    def ask_after_s(self) -> tuple[float, ...]:
        """``ask_after`` in seconds."""
        return tuple(pause.total_seconds() for pause in self.ask_after)

    def _check_credentials(self) -> None:
        if self.api_key is not None and (self.login is not None or self.password is not None):
            raise ValueError("give either api_key, or login and password; not both")
        if self.api_key is None and (self.login is None or self.password is None):
            raise ValueError("credentials are missing; give login and password, or api_key")
        if self.login == "":
            raise ValueError("login: it is empty; write the login, or use api_key instead")
        for name, secret in (("password", self.password), ("api_key", self.api_key)):
            if secret is not None and not secret:
                raise ValueError(f"{name}: it is empty; is the variable or file behind it set?")

    def _check_hosts(self) -> None:
        reserve = (("reserve_hosts", host) for host in self.reserve_hosts or ())
        for key, host in (("host", self.host), *reserve):
            if not _HOST.fullmatch(host):
                raise ValueError(f"{key}: {host!r} is not a host; write smsc.ru, without https://")
            if not (self.https or self.allow_plain_http or is_loopback(host)):
                raise ValueError(
                    "https: without it the password travels in the clear; leave it on, "
                    "or write allow_plain_http: true"
                )

    def _check_numbers(self) -> None:
        for name in ("connect_timeout", "read_timeout"):
            if getattr(self, name) <= timedelta(0):
                raise ValueError(f"{name}: must be longer than zero; write 5s")
        if self.pool_size < 1:
            raise ValueError("pool_size: must be at least 1; write as many as threads that send")
        if any(pause <= timedelta(0) for pause in self.ask_after):
            raise ValueError("ask_after: every pause must be longer than zero; write [2s, 5s]")
        if most_within_a_minute([*accumulate(self.ask_after_s)]) > MOST_QUERIES_A_MINUTE:
            raise ValueError("ask_after: the gateway allows 5 queries a minute; ask less often")

    def _check_senders(self) -> None:
        if self.sender and not is_sender(self.sender):
            raise ValueError(
                f"sender: it must be at most {LONGEST_SENDER_NAME} Latin letters, digits, spaces "
                "or signs, or at most 15 digits"
            )
        if self.telegram_bot is not None and not re.fullmatch(r"@\w+", self.telegram_bot, re.A):
            raise ValueError(f"telegram_bot: {self.telegram_bot!r}; write it as @name_bot")
        if self.whatsapp_bot is not None and not re.fullmatch(r"\d{5,15}", self.whatsapp_bot, re.A):
            raise ValueError("whatsapp_bot: write the number of the bot in digits")

    def _check_smtp(self) -> None:
        if self.transport is not Transport.SMTP:
            return
        if not self.smtp.from_address:
            raise ValueError("smtp.from_address: it is missing; write the address letters are from")
        secrets = {"password": self.password, "api_key": self.api_key}
        texts = {name: secret.reveal() for name, secret in secrets.items() if secret}
        for name, text in ({"login": self.login or ""} | texts).items():
            if re.search(r"[:,\r\n]", text):
                raise ValueError(
                    f"{name}: a letter takes none with a colon, comma or line end; "
                    "change it, or use transport: http"
                )


def _name_of(host: str) -> str:
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]


def is_loopback(host: str) -> bool:
    """Tell whether a host, with or without a port, is this machine."""
    name = _name_of(host)
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def most_within_a_minute(moments: Sequence[float]) -> int:
    """Return how many of these moments, in seconds, lie within one minute at most."""
    counts = (sum(first <= each < first + 60 for each in moments) for first in moments)
    return max(counts, default=0)
