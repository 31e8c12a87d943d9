"""What ``notify config`` answers: as JSON, and what is printed of it."""

from __future__ import annotations

from rich.console import RenderableType

from notify_core.cli.shapes import Shape
from notify_core.cli.tables import counted, line
from notify_core.config.model import Config
from notify_core.config.shown import Setting, Tree, flat


def check_shape(file: str, config: Config) -> Shape:
    """``notify config check`` of a file without a mistake."""
    return {
        "ok": True,
        "file": file,
        "files": [str(path) for path in config.files],
        "providers": [provider.name for provider in config.providers],
        "routes": [route.name for route in config.routes],
    }


def show_shape(file: str, config: Config, tree: Tree) -> Shape:
    """``notify config show``."""
    return {
        "file": file,
        "files": [str(path) for path in config.files],
        "values": [_value(path, setting) for path, setting in flat(tree)],
    }


def _value(path: str, setting: Setting) -> Shape:
    return {
        "path": path,
        "value": setting.value,
        "source": "default" if setting.file is None else "file",
        "file": setting.file,
        "line": setting.line,
        "references": list(setting.references),
    }


def check_tables(shape: Shape) -> list[RenderableType]:
    """``notify config check``."""
    counts = [counted(len(shape[f"{one}s"]), one) for one in ("provider", "route")]
    if len(shape["files"]) > 1:
        counts.append(counted(len(shape["files"]), "file"))
    return [line(f"OK: {', '.join(counts)}")]
