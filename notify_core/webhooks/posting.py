"""One call to an address of the application, and what came of it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import attrs
import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies

from notify_core._version import __version__
from notify_core.http import outcome_of

_LITTLE = 4096
"""So many bytes of an answer are read, that the connection may be used again."""
_DIGITS = 10
_LONGEST_PAUSE_S = 86_400.0
_FAILURES = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)


@attrs.frozen
class Answer:
    """What an address answered: a status of HTTP, or None and the ``failure``.

    ``retry_after_s`` is the pause in seconds that it has asked for.
    """

    status: int | None
    failure: str = ""
    retry_after_s: float | None = None

    def __str__(self) -> str:
        return self.failure if self.status is None else str(self.status)


class Poster:
    """Calls one address. Threads may share it.

    Certificates are verified, redirects are not followed, nothing is repeated, and no credentials
    are looked for on this machine. Proxies and certificates are those that the environment names
    when it is made, as for providers.
    """

    def __init__(self, url: str, timeout_s: float, threads: int) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._session = requests.Session()
        self._session.trust_env = False  # it would look for a password in ~/.netrc
        self._session.verify = _ca_bundle() or True
        self._session.proxies = get_environ_proxies(url)
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=threads, max_retries=0)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def post(self, body: bytes, headers: Mapping[str, str], now: datetime) -> Answer:
        """Make one call."""
        said = {
            "Content-Type": "application/json",
            "User-Agent": f"notify-core/{__version__}",
            **headers,
        }
        try:
            with self._called(body, said) as response:
                asked_for = retry_after_s(response.headers.get("Retry-After"), now)
                return Answer(response.status_code, retry_after_s=asked_for)
        except _FAILURES as error:
            return Answer(None, outcome_of(error).reason)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    @contextlib.contextmanager
    def _called(self, body: bytes, headers: Mapping[str, str]) -> Iterator[requests.Response]:
        with self._session.post(
            self._url,
            data=body,
            headers=headers,
            timeout=self._timeout_s,
            allow_redirects=False,
            stream=True,
        ) as response:
            _read_a_little(response)
            yield response


def _read_a_little(response: requests.Response) -> None:
    length = response.headers.get("Content-Length", "")
    if length.isdecimal() and len(length) < _DIGITS and int(length) <= _LITTLE:
        with contextlib.suppress(*_FAILURES):  # the status says all that counts
            response.raw.read(_LITTLE)


def retry_after_s(header: str | None, now: datetime) -> float | None:
    """Return the pause that an address asks for, in seconds, a day at most; None if it asks none.

    It says so in seconds or by a date: https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
    """
    if header is None:
        return None
    if header.strip().isdecimal():
        return min(float(header), _LONGEST_PAUSE_S)
    try:
        until = parsedate_to_datetime(header)
    except ValueError:
        return None
    if until.tzinfo is None:  # "-0000", which says that nobody knows
        until = until.replace(tzinfo=UTC)
    return min(max((until - now).total_seconds(), 0.0), _LONGEST_PAUSE_S)


def _ca_bundle() -> str | None:
    return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
