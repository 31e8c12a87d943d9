"""A value that cannot be printed by accident."""

from __future__ import annotations

from typing import Any, NoReturn

_MASK = "********"


class Secret:
    """Hold a password or key; ``reveal()`` is the only way to read it.

    Its ``repr``, ``str`` and format are a mask, and it refuses to be pickled, so that it does
    not reach a log, an error, a journal or another process unless somebody asks for it.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value itself. Call it where the bytes are put on the wire, not earlier."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __repr__(self) -> str:
        return f"Secret({_MASK!r})"

    def __str__(self) -> str:
        return _MASK

    def __format__(self, spec: str) -> str:
        return format(_MASK, spec)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled; reveal() it where it is used")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self
