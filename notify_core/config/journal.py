"""The section ``journal``: an address, or a mapping with the address as ``url``."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from notify_core.config.model import JournalConfig
from notify_core.config.nodes import Node
from notify_core.config.problems import listed, unknown
from notify_core.config.references import References, names_in
from notify_core.config.structure import read_scalar, structure
from notify_core.secret import Secret

_EXAMPLE = "sqlite:///notify.db"
_KNOWN = ("sqlite", "postgresql", "memory")
_SCHEME = re.compile(r"(?P<kind>[A-Za-z][A-Za-z0-9]*)(?:\+\w+)?://")
_RELATIVE = re.compile(r"sqlite:///(?!/)(?P<path>.+)")


def read_journal(node: Node, references: References, folder: Path | None) -> JournalConfig:
    """Read where deliveries are kept; a relative path is relative to ``folder``."""
    read_url = partial(_read_url, references=references, folder=folder)
    if not node.is_mapping:
        return JournalConfig(url=read_url(node))
    return structure(node, JournalConfig, {"url": read_url}, references=references)


def _read_url(node: Node, references: References, folder: Path | None) -> Secret:
    node.text(f"an address like {_EXAMPLE}")
    url = read_scalar(node, Secret, references).reveal()
    _check_kind(node, url)
    relative = _RELATIVE.fullmatch(url)
    if relative and folder is not None:
        return Secret(f"sqlite:///{folder / relative['path']}")
    return Secret(url)


def _of_no_kind(node: Node, kind: str) -> str:
    # What a reference stands for is never quoted, not even as much of it as looks like a kind.
    if any(names_in(node.text())):
        return f"stands for an address of no known kind; known: {listed(_KNOWN)}"
    return unknown(kind, "a kind of journal", _KNOWN)


def _check_kind(node: Node, url: str) -> None:
    """Raise ``ConfigError`` for an address of no known kind.

    Nothing of it is quoted but the kind: it can hold a password, or be one.
    """
    if url in ("memory", "memory:"):
        return
    scheme = _SCHEME.match(url)
    if scheme is None:
        raise node.error(f"is no address of a journal; write {_EXAMPLE}")
    if scheme["kind"] not in (*_KNOWN, "postgres"):
        raise node.error(f"{_of_no_kind(node, scheme['kind'])}; write {_EXAMPLE}")
    if url == "sqlite:///:memory:":
        raise node.error("what is kept in memory is written memory")
    if scheme["kind"] == "sqlite" and not re.fullmatch(r"sqlite:///.+", url):
        raise node.error(f"a file follows three slashes; write {_EXAMPLE}, or sqlite:////var/…")
