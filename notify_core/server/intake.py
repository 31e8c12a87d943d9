"""From a request over HTTP to its answer: the same for every server, and without any input.

A request comes in two parts, the head and the body, so that what is refused anyway is never read.
"""

from __future__ import annotations

import contextlib
import enum
import logging
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import attrs

from notify_core.callback import CallbackRequest
from notify_core.clock import Clock, SystemClock
from notify_core.config.sections import Callbacks
from notify_core.errors import NotifyError
from notify_core.notifier import Notifier
from notify_core.provider import Capabilities, ReceiptKind
from notify_core.server.networks import Gate
from notify_core.sparing import Sparing

_log = logging.getLogger(__name__)

_METHODS: Final = ("GET", "HEAD", "POST")
_RETRY_AFTER_S: Final = 30
_MOST_DIGITS: Final = 20
"""Python refuses to read a number of thousands of digits, and no length has so many."""

_KEPT_HEADERS: Final = frozenset({"content-encoding", "content-type", "date", "digest"})
_KEPT_WORDS: Final = ("signature", "timestamp", "webhook-")
"""What a signature is checked with. Cookies and credentials of others are none of our business."""


class Reason(enum.Enum):
    """How a request is answered: the status and what is said."""

    KEPT = (200, "ok")
    """It is in the journal: the provider need not repeat it."""
    BROKEN = (400, "the request is not whole")
    """Its length is no number, or fewer bytes came than it says."""
    FORBIDDEN = (403, "not from there")
    """The configuration names networks for this provider, and this is none of them."""
    NOT_FOUND = (404, "no such address")
    """There is no such provider, or it never calls."""
    WRONG_METHOD = (405, "use POST or GET")
    """It is neither POST nor GET, nor HEAD."""
    NO_LENGTH = (411, "say how long the body is")
    """The server cannot tell where the body ends."""
    TOO_LARGE = (413, "too large")
    """It is larger than ``callbacks.largest``."""
    UNAVAILABLE = (503, "cannot be kept now; repeat it")
    """The journal cannot be written. The provider is to repeat it."""


@attrs.frozen
class Answer:
    """What is answered: status, headers, body."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @classmethod
    def of(cls, reason: Reason, *, empty: bool = False) -> Answer:
        """Make the answer for a reason; to HEAD its body stays ``empty``."""
        status, words = reason.value
        body = f"{words}\n".encode()
        headers = [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
        ]
        if reason is Reason.WRONG_METHOD:
            headers.append(("Allow", ", ".join(_METHODS)))
        if reason is Reason.UNAVAILABLE:
            headers.append(("Retry-After", str(_RETRY_AFTER_S)))
        return cls(status, tuple(headers), b"" if empty else body)


@attrs.frozen(kw_only=True)
class Head:
    """All of a request but its body.

    ``query`` is undecoded; ``headers`` have their names in lower case. ``peer`` is the other end
    of the connection.
    """

    method: str
    path: str
    query: str = attrs.field(default="", repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    peer: str = ""

    @property
    def provider(self) -> str:
        """The name in the address: its last part, whatever the application is mounted under."""
        return self.path.rstrip("/").rpartition("/")[2]

    @property
    def is_measured(self) -> bool:
        """Whether what it says of the length of its body, if anything, is a length."""
        text = self.headers.get("content-length", "0")
        return text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS

    @property
    def length(self) -> int | None:
        """What it says of the length of its body, None if nothing; for one that is measured."""
        text = self.headers.get("content-length")
        return None if text is None else int(text)


class TakesCalls(Protocol):
    """Keeps calls. The receiver is one."""

    def accept(self, provider: str, request: CallbackRequest) -> None:
        """Raise ``NotifyError`` for a call that is not kept."""


class Intake:
    """Answers requests: looks at the head, then takes the whole."""

    def __init__(
        self,
        providers: Mapping[str, Capabilities],
        config: Callbacks,
        receiver: TakesCalls,
        clock: Clock,
    ) -> None:
        self.largest = config.largest
        self._names = frozenset(callback_names(providers))
        self._gate = Gate.of(config.networks, config.proxies)
        self._receiver = receiver
        self._clock = clock
        self._unkept = Sparing(clock)

    def look_at(self, head: Head) -> Reason | None:
        """Say why a request is answered without its body; None if that is to be read."""
        if head.provider not in self._names:
            return Reason.NOT_FOUND
        source = self._gate.source(head.peer, head.headers.get("x-forwarded-for", ""))
        if not self._gate.lets_in(head.provider, source):
            return Reason.FORBIDDEN
        if head.method not in _METHODS:
            return Reason.WRONG_METHOD
        if head.method == "HEAD":
            # Somebody looks whether there is anything. It brings nothing, and nothing is kept.
            return Reason.KEPT
        if not head.is_measured:
            return Reason.BROKEN
        return Reason.TOO_LARGE if (head.length or 0) > self.largest else None

    def take(self, head: Head, body: bytes) -> Reason:
        """Keep a request that was looked at, and say how it is answered. Raises nothing."""
        request = self._request_of(head, body)
        if _size_of(request) > self.largest:
            return Reason.TOO_LARGE
        try:
            self._receiver.accept(head.provider, request)
        except NotifyError as error:
            return self._unavailable(head.provider, str(error))
        except Exception as error:  # a defect: whoever calls is to come again, and told nothing
            return self._unavailable(head.provider, type(error).__name__)
        return Reason.KEPT

    def _unavailable(self, provider: str, reason: str) -> Reason:
        for (name, why), times in self._unkept.due(provider, reason):
            _log.error("calls of provider %s cannot be kept (%d): %s", name, times, why)
        return Reason.UNAVAILABLE

    def _request_of(self, head: Head, body: bytes) -> CallbackRequest:
        source = self._gate.source(head.peer, head.headers.get("x-forwarded-for", ""))
        return CallbackRequest(
            method=head.method,
            query=head.query,
            headers={name: text for name, text in head.headers.items() if _is_kept(name)},
            body=body,
            remote="" if source is None else str(source),
            received_at=self._clock.now(),
        )


class LiveIntake:
    """Gives, for each request, the intake that goes by the configuration which is live then.

    Raises ``JournalError`` if the notifier has no journal.
    """

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier
        self._number, self._intake = self._made()

    def __call__(self) -> Intake:
        if self._notifier.version.number != self._number:
            # Of a notifier that is closed the last one says that nothing can be kept.
            with contextlib.suppress(NotifyError):
                self._number, self._intake = self._made()
        return self._intake

    def _made(self) -> tuple[int, Intake]:
        notifier, number = self._notifier, self._notifier.version.number
        made = Intake(notifier.providers, notifier.callbacks, notifier.receiver, SystemClock())
        return number, made


def callback_names(providers: Mapping[str, Capabilities]) -> Sequence[str]:
    """Return the names of the providers that call, in the order of the configuration."""
    return [
        name
        for name, can in providers.items()
        if ReceiptKind.CALLBACK in can.receipts | can.incoming
    ]


def answer_to(head: Head, reason: Reason) -> Answer:
    """Return what is answered to a request for a reason."""
    return Answer.of(reason, empty=head.method == "HEAD")


def _is_kept(name: str) -> bool:
    return name in _KEPT_HEADERS or any(word in name for word in _KEPT_WORDS)


def _size_of(request: CallbackRequest) -> int:
    headers = sum(len(name) + len(text) for name, text in request.headers.items())
    return len(request.query) + headers + len(request.body)
