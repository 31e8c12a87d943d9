"""Functions of the application that want to know what comes in."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from typing import TypeAlias

import attrs

from notify_core.callback import Incoming, IncomingKind
from notify_core.delivery import Delivery

Handler: TypeAlias = Callable[[Incoming, Delivery | None], object]
"""Takes what came in and the delivery that it seems to answer. What it returns is not looked at."""


def _names(given: str | Iterable[str]) -> frozenset[str]:
    return frozenset((given,) if isinstance(given, str) else given)


def _numbers(given: str | Iterable[str]) -> frozenset[str]:
    return frozenset(number.removeprefix("+") for number in _names(given))


def _words(given: str | Iterable[str]) -> frozenset[str]:
    folded = frozenset(first_word(word) for word in _names(given))
    if "" in folded:
        raise ValueError("words: a word is letters or digits, without a space")
    return folded


@attrs.frozen(kw_only=True)
class Subscription:
    """A handler and what it wants to know. An empty set stands for anything.

    ``name`` is under which the journal knows that it has been told.
    """

    name: str
    handler: Handler
    words: frozenset[str] = attrs.field(default=frozenset(), converter=_words)
    to: frozenset[str] = attrs.field(default=frozenset(), converter=_numbers)
    provider: frozenset[str] = attrs.field(default=frozenset(), converter=_names)
    kind: IncomingKind | None = None

    def wants(self, incoming: Incoming) -> bool:
        """Tell whether the handler is to be told of it."""
        return (
            (not self.words or first_word(incoming.text) in self.words)
            and (not self.to or (incoming.to or "").removeprefix("+") in self.to)
            and (not self.provider or incoming.provider in self.provider)
            and self.kind in (None, incoming.kind)
        )


def first_word(text: str) -> str:
    """Return the first word of a text in one spelling: ``« Stop! » please`` begins with stop."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    for word in folded.split():
        bare = _bare(word)
        if bare:
            return bare
    return ""


def _bare(word: str) -> str:
    """Return a word without the signs around it."""
    signs = "".join(each for each in word if not each.isalnum())
    return word.strip(signs)


def name_of(handler: Handler, taken: Iterable[str]) -> str:
    """Return a name for a handler that is the same in every process that registers it so."""
    kind = type(handler)
    module = getattr(handler, "__module__", kind.__module__)
    name = f"{module}.{getattr(handler, '__qualname__', kind.__qualname__)}"
    others = sum(each.partition("#")[0] == name for each in taken)
    return f"{name}#{others + 1}" if others else name
