"""Settings as YAML, each with a comment that says where it comes from."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping

import attrs
import yaml
from rich.cells import cell_len

from notify_core.config.shown import Setting, Tree
from notify_core.config.written import Plain

_COMMENTS_FROM = 44
_KINDS = {"env": "environment variable", "file": "file"}


@attrs.frozen
class _Row:
    text: str
    comment: str = ""

    def __str__(self) -> str:
        blanks = " " * (_COMMENTS_FROM - cell_len(self.text))
        return f"{self.text}{blanks or ' '} # {self.comment}" if self.comment else self.text


def yaml_lines(tree: Mapping[str, Tree]) -> list[str]:
    """Return the settings as lines of YAML. What is not set stands there as a comment."""
    return [str(row) for row in _mapping(tree, "")]


def _mapping(tree: Mapping[str, Tree], indent: str) -> Iterator[_Row]:
    for key, value in tree.items():
        name = f"{indent}{_key(key)}:"
        match value:
            case Setting(value=None):
                yield _Row(f"{indent}# {_key(key)}:", "not set")
            case Setting():
                yield _Row(f"{name} {_text(value.value)}", origin_words(value))
            case list():
                yield _Row(name)
                yield from _list(value, f"{indent}  ")
            case _ if not value:
                yield _Row(f"{name} {{}}")
            case _:
                yield _Row(name)
                yield from _mapping(value, f"{indent}  ")


def _list(items: list[Tree], indent: str) -> Iterator[_Row]:
    for item in items:
        rows = list(_mapping(item, f"{indent}  ")) if isinstance(item, dict) else []
        for number, row in enumerate(rows):
            # The first key of an item stands behind its dash.
            text = f"{indent}- {row.text[len(indent) + 2 :]}" if number == 0 else row.text
            yield attrs.evolve(row, text=text)


def origin_words(setting: Setting) -> str:
    """Say where a value comes from."""
    if setting.file is None:
        return "default"
    places = [f"{setting.file}:{setting.line}"]
    for name in setting.references:
        kind, _, rest = name.partition(":")
        places.append(f"{_KINDS[kind]} {rest}")
    return ", ".join(places)


def _key(key: str) -> str:
    # A key like "on" is a text here, as every key is.
    return key if re.fullmatch(r"[^\W\d][\w-]*", key) else _text(key)


def _text(value: Plain) -> str:
    """Return a value on one line of YAML."""
    text = yaml.safe_dump(
        value,
        allow_unicode=True,
        default_flow_style=True,
        default_style='"' if isinstance(value, str) and not value.isprintable() else None,
        sort_keys=False,
        width=math.inf,
    )
    return text.strip().removesuffix("...").strip()
