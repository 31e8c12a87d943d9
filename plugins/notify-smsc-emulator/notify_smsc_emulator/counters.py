"""What was asked and refused how often, so that a test can say: never too often."""

from collections import Counter, defaultdict, deque
from collections.abc import Hashable, Mapping

from attrs import frozen

from .model import ErrorCode, Script


class Counts:
    """Counts events by key within the last seconds."""

    def __init__(self) -> None:
        self._times: defaultdict[Hashable, deque[float]] = defaultdict(deque)

    def note(self, key: Hashable, now: float) -> None:
        """Count one event."""
        self._times[key].append(now)

    def count(self, key: Hashable, window_s: float, now: float) -> int:
        """Return how many there were within the window that ends now."""
        times = self._times[key]
        while times and times[0] <= now - window_s:
            times.popleft()
        return len(times)

    def forget(self, key: Hashable) -> None:
        """Begin at nought again."""
        self._times.pop(key, None)


@frozen(kw_only=True)
class Counters:
    """What a gateway has counted since its start, or since it was cleared."""

    requests: Mapping[str, int]
    """Requests that were answered, by script."""
    errors: Mapping[str, Mapping[int, int]]
    """Errors that were answered, by script and number."""
    most_status_queries: int
    """The most queries for the status of one message within any minute of the rate rules.

    A grouped query counts for each message in it, and a query that was refused counts too; also
    with the rules switched off.
    """
    most_at_once: int
    """The most requests in work at the same time."""

    @property
    def too_often(self) -> int:
        """How often error 9 was answered, for whatever reason."""
        return sum(errors.get(ErrorCode.TOO_OFTEN, 0) for errors in self.errors.values())


class Tally:
    """Counts while the gateway works."""

    def __init__(self, minute_s: float) -> None:
        self._minute_s = minute_s
        self._requests: Counter[str] = Counter()
        self._errors: defaultdict[str, Counter[int]] = defaultdict(Counter)
        self._status_queries = Counts()
        self._most_status_queries = 0
        self._most_at_once = 0

    def answered(self, script: Script, error: int | None) -> None:
        """Count an answer and its error, if it is one."""
        self._requests[script.value] += 1
        if error is not None:
            self._errors[script.value][int(error)] += 1

    def status_query(self, message_id: str, phone: str, now: float) -> None:
        """Count a query for the status of one message."""
        self._status_queries.note((message_id, phone), now)
        count = self._status_queries.count((message_id, phone), self._minute_s, now)
        self._most_status_queries = max(self._most_status_queries, count)

    def at_once(self, count: int) -> None:
        """Note how many requests are in work."""
        self._most_at_once = max(self._most_at_once, count)

    def read(self) -> Counters:
        """Return what has been counted so far."""
        return Counters(
            requests=dict(self._requests),
            errors={script: dict(errors) for script, errors in self._errors.items()},
            most_status_queries=self._most_status_queries,
            most_at_once=self._most_at_once,
        )
