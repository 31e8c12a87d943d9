"""Rules about secrets, and about what travels in the clear."""

from __future__ import annotations

import collections.abc
import ipaddress
import re
import types as builtin_types
from collections.abc import Iterator, Sequence
from typing import Any, Union, get_args, get_origin, get_type_hints

import attrs

from notify_core.config.lint.rule import Rule, Severity
from notify_core.config.lint.sheet import Sheet, place_of
from notify_core.config.nodes import Node
from notify_core.config.references import names_in
from notify_core.config.sections import WebhookConfig
from notify_core.config.structure import keys_of
from notify_core.errors import Problem
from notify_core.secret import Secret

_PASSWORD = re.compile(
    r"://(?:\$\{[^{}]*\}|[^:/?\s@])*:(?P<before>(?:\$\{[^{}]*\}|[^/?\s@])+)@"
    r"|[?&](?:ssl)?password=(?P<behind>[^&\s]+)"
)
"""A password in the address of a database: before the host, or among what stands behind ``?``."""


def _literal_secrets(sheet: Sheet) -> Iterator[Problem]:
    for node in _secrets(sheet):
        yield node.problem(
            "a secret stands in the file, where whoever reads or copies it has it; write "
            "${env:NAME} or ${file:/path}"
        )


def _plain_webhooks(sheet: Sheet) -> Iterator[Problem]:
    for webhook, node in zip(sheet.config.webhooks, _webhooks(sheet), strict=True):
        if webhook.url.startswith("http:") and not is_loopback(webhook.host):
            yield place_of(node, "url").problem(
                "what is told there can be read and changed on the way; write https"
            )


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, so that nothing travels."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


# --- where secrets stand --------------------------------------------------------------------


def _secrets(sheet: Sheet) -> Iterator[Node]:
    """Yield the values that are secret and stand in the file."""
    journal = sheet.root.get("journal")
    if journal is not None:
        yield from _addresses_with_password(journal)
    yield from (node for node in _of_class_secret(sheet) if _is_literal(node.scalar or ""))


def _of_class_secret(sheet: Sheet) -> Iterator[Node]:
    for provider in sheet.providers.values():
        yield from _in_class(provider.node, provider.type.config_class)
    keys = place_of(sheet.root, "journal").get("text_keys")
    yield from keys.items_or_self() if keys else ()
    for webhook in _webhooks(sheet):
        yield from _in_class(webhook, WebhookConfig)


def _is_literal(text: str) -> bool:
    return not any(names_in(text))


def _webhooks(sheet: Sheet) -> Sequence[Node]:
    webhooks = sheet.root.get("webhooks")
    return webhooks.items_or_self() if webhooks else ()


def _addresses_with_password(journal: Node) -> Iterator[Node]:
    url = journal.get("url") if journal.is_mapping else journal
    # An address is secret for the password that it can have; most have none. A reference in
    # another part of it hides none.
    found = _PASSWORD.finditer(url.scalar or "") if url is not None else ()
    if url is not None and any(_is_literal(each["before"] or each["behind"]) for each in found):
        yield url


def _in_class(node: Node, cls: type) -> Iterator[Node]:
    hints, fields = get_type_hints(cls), keys_of(cls)
    for key, entry in node.entries().items():
        if key in fields:
            yield from _in_value(entry.value, hints[fields[key].name])


def _in_value(node: Node, hint: Any) -> Iterator[Node]:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Secret:
        yield node
    elif origin in (Union, builtin_types.UnionType):
        yield from () if node.is_null else _in_value(node, arguments[0])
    elif origin is tuple:
        for item in node.items_or_self():
            yield from _in_value(item, arguments[0])
    elif origin is collections.abc.Mapping:
        for entry in node.entries().values():
            yield from _in_value(entry.value, arguments[1])
    elif isinstance(hint, type) and attrs.has(hint):
        yield from _in_class(node, hint)


SECRECY_RULES = (
    Rule(name="literal-secret", severity=Severity.WARNING, find=_literal_secrets),
    Rule(name="plain-webhook", severity=Severity.WARNING, find=_plain_webhooks),
)
