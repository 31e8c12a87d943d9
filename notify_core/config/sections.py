"""The sections of the configuration about what comes back: receipts, calls, messages, webhooks."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlsplit

import attrs

from notify_core.secret import Secret

FOLLOW = timedelta(days=2)
"""How long what became of a message is asked for, unless the configuration says otherwise."""


@attrs.frozen(kw_only=True)
class Receipts:
    """How deliveries are followed after a provider has taken them.

    A provider that can be asked is asked what became of a message until that is final, or for as
    long as the message was worth delivering (``valid_for``) and no longer than ``follow``.
    """

    follow: timedelta = FOLLOW

    def __attrs_post_init__(self) -> None:
        if self.follow < timedelta(minutes=1):
            raise ValueError("follow must be at least 1m")


@attrs.frozen(kw_only=True)
class Callbacks:
    """How calls of providers are taken in.

    ``networks`` are, by provider, the addresses that may call (``192.0.2.0/24``); without a
    provider's name here any may. ``proxies`` are the networks of reverse proxies of our own, whose
    word is taken on whom they call for. A call of more than ``largest`` bytes is refused.
    ``listen`` and ``threads`` are for ``notify serve``.
    """

    networks: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    proxies: tuple[str, ...] = ()
    largest: int = 65_536
    listen: str = "127.0.0.1:8480"
    threads: int = 8

    def __attrs_post_init__(self) -> None:
        for network in self.proxies:
            _check_network("proxies", network)
        for name, networks in self.networks.items():
            for network in networks:
                _check_network(f"networks.{name}", network)
        if self.largest < 1:
            raise ValueError("largest must be at least 1")
        if self.threads < 1:
            raise ValueError("threads must be at least 1")
        host_and_port(self.listen)


def host_and_port(text: str) -> tuple[str, int]:
    """Split an address to listen on; that of IPv6 stands in brackets. Raises ``ValueError``."""
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or port is None or parts.netloc != text or "@" in text:
        raise ValueError(f'listen is "{text}"; it must be an address and a port: 127.0.0.1:8480')
    return host, port


def _check_network(key: str, text: str) -> None:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        raise ValueError(f'{key}: "{text}" is not a network; write one like 192.0.2.0/24') from None


@attrs.frozen(kw_only=True)
class IncomingConfig:
    """How messages that people send to us come in.

    ``poll`` is, by provider, how often it is asked for them; a provider that is not named is not
    asked. A message is held to answer a delivery that went to its sender at most ``answers``
    before. With ``needs_handlers`` a worker whose process has no handler of its own leaves
    messages to one that has.
    """

    poll: Mapping[str, timedelta] = attrs.field(factory=dict)
    answers: timedelta = timedelta(days=3)
    needs_handlers: bool = False

    def __attrs_post_init__(self) -> None:
        for name, pause in self.poll.items():
            if pause < timedelta(seconds=20):
                raise ValueError(f"poll.{name} must be at least 20s")


@attrs.frozen(kw_only=True)
class Suppression:
    """To whom nothing is sent, and which words put somebody on that list.

    ``stop_words`` and ``start_words`` are words beside the built-in ones, ``ignored_words`` are
    built-in ones that mean something else here. A stop word is about messages with one of the
    ``tags``, or about all if there are none. Messages with a tag of ``always`` go whatever the
    list says, and those with one of ``consent`` go only to who has agreed to that tag.
    """

    stop_words: tuple[str, ...] = ()
    start_words: tuple[str, ...] = ()
    ignored_words: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    always: tuple[str, ...] = ()
    consent: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        both = sorted({*self.always} & {*self.consent, *self.tags})
        if both:
            raise ValueError(f'always must not name "{both[0]}", which is named beside it')
        if "" in (*self.tags, *self.always, *self.consent):
            raise ValueError("a tag is empty")
        _check_words((*self.stop_words, *self.start_words, *self.ignored_words))


def _check_words(words: tuple[str, ...]) -> None:
    seen: set[str] = set()
    for word in words:
        if not any(letter.isalpha() for letter in word):
            raise ValueError(f'"{word}" is no word: it has no letter')
        if word.strip().casefold() in seen:
            raise ValueError(f'the word "{word}" is named twice')
        seen.add(word.strip().casefold())


@attrs.frozen(kw_only=True)
class WebhookConfig:
    """An address of the application that is told what happens to deliveries.

    ``secrets`` sign each call by the rules of Standard Webhooks; several at once let them be
    rotated. A call that is not answered with success within ``timeout`` is repeated, at growing
    intervals, for ``retry_for``.
    """

    url: str
    secrets: tuple[Secret, ...]
    timeout: timedelta = timedelta(seconds=15)
    retry_for: timedelta = timedelta(days=3)

    def __attrs_post_init__(self) -> None:
        _check_url(self.url)
        if not self.secrets:
            raise ValueError("secrets must hold at least one")
        for secret in self.secrets:
            webhook_key(secret)
        if not timedelta(seconds=1) <= self.timeout <= timedelta(minutes=1):
            raise ValueError("timeout must be from 1s to 1m")
        if not timedelta(minutes=1) <= self.retry_for <= timedelta(days=14):
            raise ValueError("retry_for must be from 1m to 14d")

    @property
    def host(self) -> str:
        """What may be shown of the address."""
        return urlsplit(self.url).hostname or ""


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        has_password = parts.username is not None or parts.password is not None
        is_address = bool(parts.hostname) and parts.port != 0 and url.isprintable()
    except ValueError:  # a port or an IPv6 address that is none
        has_password = is_address = False
    if not is_address or parts.scheme not in ("http", "https") or " " in url:
        raise ValueError("url is no address; write https://example.org/notify")
    if has_password:
        raise ValueError("url must hold no password; that the call is ours, its signature proves")


_KEY_BYTES = range(24, 65)


def webhook_key(secret: Secret) -> bytes:
    """Return the bytes of a secret of Standard Webhooks: ``whsec_``, then 24 to 64 in base64.

    Raises ``ValueError``, which does not repeat the secret. A text that is not of this form is
    refused, not used as it is: libraries of receivers would decode it, and verify nothing.
    """
    mark, _, text = secret.reveal().partition("_")
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        key = b""
    if mark != "whsec" or len(key) not in _KEY_BYTES:
        raise ValueError(
            "secrets must be whsec_ and 24 to 64 bytes in base64; make one with: "
            "notify webhooks secret"
        )
    return key
