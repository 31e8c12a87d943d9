"""Write ``docs/hooks.md`` from the docstrings in ``notify_core/hookspecs.py``.

    python docs/generate_hooks.py

A test holds the page equal to what this makes.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from notify_core import hookspecs

PAGE = Path(__file__).with_name("hooks.md")

_TOP = """\
# Hooks

*For plugin authors. Made from the docstrings in
[`notify_core/hookspecs.py`](../notify_core/hookspecs.py) by
[`generate_hooks.py`](generate_hooks.py): change it there.*

[Writing a provider](writing-a-provider.md) shows how they are used.
"""

_SECTION = re.compile(r"^# --- (?P<title>.+?) -+$", re.MULTILINE)
_HOOK = re.compile(r"^def (?P<name>notify_\w+)\(", re.MULTILINE)


def page() -> str:
    """Return the whole page."""
    source = inspect.getsource(hookspecs)
    return "\n".join([_TOP, _prose(inspect.getdoc(hookspecs) or ""), *_sections(source)])


def hook_names() -> list[str]:
    """Return the names of the hooks in the order of the file."""
    return _HOOK.findall(inspect.getsource(hookspecs))


def _sections(source: str) -> Iterator[str]:
    starts = list(_SECTION.finditer(source))
    ends = [start.start() for start in starts[1:]] + [len(source)]
    for start, end in zip(starts, ends, strict=True):
        title = start["title"]
        yield f"\n## {title[0].upper()}{title[1:]}"
        for name in _HOOK.findall(source[start.end() : end]):
            yield _hook(hookspecs, name)


def _hook(module: ModuleType, name: str) -> str:
    function: Callable[..., Any] = getattr(module, name)
    first = "\nThe first answer counts." if function.notify_spec["firstresult"] else ""
    text = _prose(inspect.getdoc(function) or "")
    return f"\n### {name}\n\n```text\n{_signature(function)}\n```\n\n{text}\n{first}".rstrip()


def _signature(function: Callable[..., Any]) -> str:
    # The annotations are texts, for the module does not evaluate them.
    parameters = inspect.signature(function).parameters.values()
    given = ", ".join(f"{each.name}: {each.annotation}" for each in parameters)
    answer = inspect.signature(function).return_annotation
    return f"{function.__name__}({given}) -> {answer}"


def _prose(docstring: str) -> str:
    return docstring.replace("``", "`")


def main() -> None:
    """Write the page."""
    PAGE.write_text(page() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
