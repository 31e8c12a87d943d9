"""Where a call comes from, and whether calls may come from there."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import attrs

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Read networks, which the configuration has checked."""
    return tuple(ipaddress.ip_network(text) for text in texts)


@attrs.frozen
class Gate:
    """Finds out who calls, and lets some in.

    ``allowed`` are, by provider, the networks that may call; a provider that is not there may be
    called from anywhere. ``proxies`` are reverse proxies of our own.
    """

    allowed: Mapping[str, Sequence[Network]]
    proxies: Sequence[Network]

    @classmethod
    def of(cls, allowed: Mapping[str, Iterable[str]], proxies: Iterable[str]) -> Gate:
        """Make one of the texts in a configuration."""
        read = {name: networks(texts) for name, texts in allowed.items()}
        return cls(read, networks(proxies))

    def source(self, peer: str, forwarded_for: str) -> Address | None:
        """Return who calls; None if that cannot be told.

        A header is believed if one of our proxies has written it, and only what that proxy has
        added: the last address that is not a proxy itself. What stands before it anybody can have
        made up.
        """
        source = _address(peer)
        for hop in reversed(forwarded_for.split(",") if forwarded_for else ()):
            if source is None or not _within(source, self.proxies):
                break
            source = _address(hop)
        return source

    def lets_in(self, provider: str, source: Address | None) -> bool:
        """Tell whether a call for this provider may come from there."""
        allowed = self.allowed.get(provider)
        return allowed is None or (source is not None and _within(source, allowed))


def _within(address: Address, some: Iterable[Network]) -> bool:
    return any(address in network for network in some)


def _address(text: str) -> Address | None:
    """Read an address as servers and proxies write it, with a port or without."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
