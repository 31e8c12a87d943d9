"""The effective configuration, and for each value where it comes from. It shows no secret."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias

import attrs

from notify_core.config.model import Config, JournalConfig, LegConfig, Quiet, Route, Until
from notify_core.config.nodes import Node, below
from notify_core.config.references import names_in, nothing_but_references
from notify_core.config.sections import WebhookConfig
from notify_core.config.structure import keys_of
from notify_core.config.written import MASK, Plain, written
from notify_core.secret import Secret

_WITHOUT_SECRET = re.compile(
    r"memory:?|sqlite:///[^?]*"
    r"|[\w+]+://(?:[^:@/?]+(?::(?P<password>[^@]*))?@)?[^:@/?]*(?::[0-9]+)?(?:/[^:@?]*)?"
)
_HOST = re.compile(r"\w+://[^/?#]+")

# They change nothing without a journal, and the loader refuses them there.
_ONLY_WITH_A_JOURNAL = ("callbacks", "incoming", "suppression", "webhooks")
_ON_THEIR_OWN = ("version", "include", "providers", "routes")
_OF_SEND = ("name", "when", "legs", "mode", "if_unknown", "next_on")


@attrs.frozen(kw_only=True)
class Setting:
    """A value with its origin: a line of a file, or the default where ``file`` is None.

    ``references`` are the names of those in the text, like ``env:SMSC_API_KEY``; it is shown as
    it is written then. A value that is None is not set.
    """

    value: Plain
    file: str | None = None
    line: int | None = None
    references: tuple[str, ...] = ()


Tree: TypeAlias = "Setting | dict[str, Tree] | list[Tree]"
"""Settings under the keys by which they are written."""


def shown(config: Config, root: Node) -> dict[str, Tree]:
    """Return a configuration as it is in effect; ``root`` is what it was read from."""
    tree: dict[str, Tree] = {"version": shown_tree(config.version, root.get("version"))}
    for key, field in keys_of(Config).items():
        node = root.get(key)
        needless = key in _ONLY_WITH_A_JOURNAL and config.journal is None
        if key not in _ON_THEIR_OWN and not needless:
            tree[key] = _section(getattr(config, field.name), node)
    providers = root.get("providers")
    tree["providers"] = {
        provider.name: _provider(provider.type, provider.settings, _below(providers, provider.name))
        for provider in config.providers
    }
    nodes = root.entries()["routes"].value.items()
    tree["routes"] = [_route(*each) for each in zip(config.routes, nodes, strict=True)]
    return tree


def flat(tree: Tree, path: str = "") -> Iterator[tuple[str, Setting]]:
    """Yield the settings with their paths."""
    match tree:
        case Setting():
            yield path, tree
        case list():
            for number, item in enumerate(tree):
                yield from flat(item, f"{path}[{number}]")
        case _:
            for key, value in tree.items():
                yield from flat(value, below(path, key))


def _section(value: object, node: Node | None) -> Tree:
    if isinstance(value, JournalConfig) and node and not node.is_mapping:
        return {**_keys(value, None), "url": _setting(value.url, node)}
    return shown_tree(value, node)


def shown_tree(value: object, node: Node | None) -> Tree:
    """Return what a value says; ``node`` is where it is written, None for a default."""
    if attrs.has(type(value)):
        return _keys(value, node)
    if isinstance(value, tuple) and node and any(attrs.has(type(each)) for each in value):
        return [shown_tree(*each) for each in _pairs(value, node)]
    if isinstance(value, Mapping) and value and node:
        return {key: shown_tree(each, _below(node, key)) for key, each in value.items()}
    return _setting(value, node)


def _keys(value: object, node: Node | None) -> dict[str, Tree]:
    tree: dict[str, Tree] = {
        key: shown_tree(getattr(value, field.name), _below(node, key))
        for key, field in keys_of(type(value)).items()
    }
    if isinstance(value, WebhookConfig):
        tree["url"] = _host_only(_setting(value.url, _below(node, "url")))
    return tree


def _below(node: Node | None, key: str) -> Node | None:
    return node.get(key) if node else None


# --- a value --------------------------------------------------------------------------------


def _setting(value: object, node: Node | None) -> Setting:
    if node is None:
        return Setting(value=_default(value))
    texts = [item.scalar or "" for item in node.items_or_self()]
    return Setting(
        value=_as_written(value, node),
        file=node.file,
        line=node.line,
        references=tuple(name for text in texts for name in names_in(text)),
    )


def _default(value: object) -> Plain:
    """Return a default as it would be written; None for one that would be refused there."""
    if isinstance(value, Secret | complex):
        return None
    return written(value)


def _as_written(value: object, node: Node) -> Plain:
    if isinstance(value, tuple):
        return [_as_written(*each) for each in _pairs(value, node)]
    text = node.scalar
    if isinstance(value, Secret):
        return _of_secret(text or "", node)
    if text is not None and ("${" in text or value is None) and not node.is_null:
        return text
    return written(value)


def _pairs(values: tuple[object, ...], node: Node) -> Iterator[tuple[object, Node]]:
    items = node.items_or_self()
    # A class may make more or fewer of them; then what is written says nothing of a single one.
    return zip(values, items if len(items) == len(values) else [node] * len(values), strict=True)


def _of_secret(text: str, node: Node) -> Plain:
    if nothing_but_references(text):
        return text
    return _address(text) if node.path in ("journal", "journal.url") else MASK


def _address(text: str) -> str:
    """Return the address of a journal, unless it has a password of its own."""
    found = _WITHOUT_SECRET.fullmatch(text)
    password = found["password"] if found else None
    harmless = found is not None and (password is None or nothing_but_references(password))
    return text if harmless else MASK


def _host_only(url: Setting) -> Setting:
    """Hide what stands behind the host of a webhook: it may be what lets a caller in."""
    host = _HOST.match(str(url.value))
    if host is None or url.references:
        return url
    rest = str(url.value)[host.end() :]
    return attrs.evolve(url, value=f"{host[0]}/{MASK}" if rest.strip("/") else url.value)


# --- providers and routes -------------------------------------------------------------------


def _provider(type_: str, settings: object, node: Node | None) -> Tree:
    return {"type": _setting(type_, _below(node, "type")), **_keys(settings, node)}


def _route(route: Route, node: Node) -> Tree:
    when = _given(route.when, node.get("when"))
    tree: dict[str, Tree] = {
        "name": _setting(route.name, node.get("name")),
        "when": when or _setting({}, node.get("when")),
    }
    others = (key for key in keys_of(Route) if key not in _OF_SEND)
    for key in others:
        if given := node.get(key):
            value = getattr(route, key)
            tree[key] = (
                _quiet(value, given) if isinstance(value, Quiet) else shown_tree(value, given)
            )
    return {**tree, "send": _send(route, node.entries()["send"].value)}


def _given(value: object, node: Node | None) -> dict[str, Tree]:
    """Return only the keys that are written."""
    return {key: each for key, each in _keys(value, node).items() if _below(node, key)}


def _quiet(quiet: Quiet, node: Node) -> Tree:
    rest = {"zone": Setting(value="recipient"), "unless": _setting(quiet.unless, None)}
    return _in_order(Quiet, {**rest, **_given(quiet, node)})


def _send(route: Route, node: Node) -> Tree:
    form = next(form for form in ("via", "first_of", "all_of") if node.get(form))
    if form == "via":
        tree = {**_leg(route.legs[0], node)}
    else:
        legs = zip(route.legs, node.entries()[form].value.items(), strict=True)
        tree = {form: [_leg(*each) for each in legs]}
    if form == "first_of":
        tree["next_on"] = _setting(route.next_on, node.get("next_on"))
    return {**tree, "if_unknown": _setting(route.if_unknown, node.get("if_unknown"))}


def _leg(leg: LegConfig, node: Node) -> dict[str, Tree]:
    via = node.entries()["via"].value
    plain = _via(leg, via)
    tree: dict[str, Tree] = {"until": _setting(leg.until, None)}
    if leg.until is not Until.ACCEPTED:
        tree["on"] = _setting(leg.on, None)
    tree |= _given(leg, node)
    tree["via"] = Setting(value=plain, file=via.file, line=via.line)
    return _in_order(LegConfig, tree)


def _in_order(cls: type, tree: Mapping[str, Tree]) -> dict[str, Tree]:
    return {key: tree[key] for key in keys_of(cls) if key in tree}


def _via(leg: LegConfig, node: Node) -> Plain:
    names = list(leg.via.providers)
    if leg.via.weights:
        return {"spread": dict(zip(names, leg.via.weights, strict=True))}
    return names if node.is_list else names[0]
