"""What ``notify_core`` exports, and what importing it costs."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import notify_core

STUB = ast.parse(Path(notify_core.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
HEAVY = [
    *("attrs", "attr", "cattrs", "pluggy", "requests", "urllib3", "yaml", "phonenumbers"),
    *("sqlalchemy", "psycopg", "cryptography", "django"),
]


def names_of_the_stub() -> list[str]:
    (names,) = [
        ast.literal_eval(node.value)
        for node in STUB.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    return list(names)


def homes_of_the_stub() -> dict[str, str]:
    return {
        alias.name: str(node.module)
        for node in STUB.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def imported_by(statement: str) -> set[str]:
    """Say which of the heavy packages a fresh interpreter has imported after a statement."""
    program = f"{statement}\nimport sys\nprint(*sorted(set(sys.modules) & set({HEAVY})))"
    return set(subprocess.check_output([sys.executable, "-c", program], text=True).split())


def test_the_package_exports_what_its_stub_says() -> None:
    assert notify_core.__all__ == sorted(names_of_the_stub())


def test_the_stub_imports_what_it_exports() -> None:
    assert sorted(homes_of_the_stub()) == sorted(names_of_the_stub())


@pytest.mark.parametrize(("name", "home"), homes_of_the_stub().items())
def test_an_exported_name_is_the_object_of_its_module(name: str, home: str) -> None:
    assert getattr(notify_core, name) is getattr(importlib.import_module(home), name)


def test_no_exported_name_is_private() -> None:
    assert [name for name in notify_core.__all__ if name.startswith("_")] == ["__version__"]


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"^module 'notify_core' has no attribute 'Smss'$"):
        notify_core.Smss  # type: ignore[attr-defined]  # noqa: B018


def test_the_exported_names_are_listed_for_completion() -> None:
    assert set(notify_core.__all__) <= set(dir(notify_core))


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ("import notify_core", set()),
        ("import notify_core; notify_core.__version__", set()),
        ("from notify_core import NotifyError, Secret", {"attr", "attrs"}),
        ("from notify_core import Sms, Contact", {"attr", "attrs"}),
        ("from notify_core import JournalError, KeyConflict, Stage, Until", {"attr", "attrs"}),
        ("from notify_core import Worker", {"attr", "attrs", "pluggy"}),
        ("from notify_core import Notifier, Sms", {"attr", "attrs", "pluggy"}),
        ("from notify_core import hookimpl, Provider", {"attr", "attrs", "pluggy"}),
    ],
)
def test_a_program_pays_only_for_what_it_imports(statement: str, allowed: set[str]) -> None:
    assert imported_by(statement) <= allowed
