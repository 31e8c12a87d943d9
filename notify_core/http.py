"""HTTP for provider plugins: ``requests`` kept cheap, and its exceptions made outcomes.

One ``HttpClient`` lives as long as its provider and is shared by threads. It keeps connections,
makes one ``SSLContext`` (reading the CA bundle costs 14 ms, and plain requests does it for
every connection), looks at the environment once (proxies, CA bundle) and never repeats a
request by itself. Later changes of the environment need a new client. Addresses can hold
passwords and texts, so they stay out of the logs of ``urllib3``.

``requests`` is imported with this module, so only a provider that speaks HTTP pays for it.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator, Mapping
from http.client import HTTPException
from typing import Any, TypeAlias, cast
from urllib.parse import urlsplit

import attrs
import requests
import urllib3
from requests.adapters import DEFAULT_POOLBLOCK, BaseAdapter, HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_environ_proxies
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import NewConnectionError

from notify_core.outcome import FailureScope, NotSent, Unknown


@attrs.frozen
class HttpReply:
    """An answer that arrived whole. ``content_type`` is lower-case, without parameters."""

    status: int
    body: bytes = attrs.field(repr=False)
    content_type: str = ""


class UnreadableCaBundle(requests.RequestException):
    """The file of trusted certificates is missing or holds none. Nothing has left."""


class HttpClient:
    """Send single HTTP requests and tell apart what did not leave and what may have.

    Certificates are verified. Redirects are not followed. ``ca_file`` is a CA bundle to trust in
    place of the one named by ``REQUESTS_CA_BUNDLE`` or ``CURL_CA_BUNDLE`` or the usual one.
    ``pool_size`` is the number of connections kept per host: as many as threads that send.

    With ``session`` every request goes through the adapter that the session has for the address,
    with the session's ``verify`` (if that is False, nothing is verified), ``cert`` and
    ``proxies``. If the adapter is an ``HTTPAdapter`` whose ``max_retries`` would repeat a request,
    every answer is *not sent*. ``urllib3`` then logs addresses at level DEBUG, as always.
    """

    def __init__(
        self,
        *,
        session: requests.Session | None = None,
        connect_timeout_s: float = 5.0,
        read_timeout_s: float = 30.0,
        ca_file: str | None = None,
        pool_size: int = 64,
    ) -> None:
        self._owned = session is None
        self._session = session or _lean_session(ca_file, pool_size)
        self._timeout = (connect_timeout_s, read_timeout_s)
        self._environ_proxies: dict[_Origin, dict[str, str]] = {}

    def get(
        self, url: str, *, headers: Mapping[str, str] | None = None
    ) -> HttpReply | NotSent | Unknown:
        """Send a GET request; ``url`` is complete and encoded."""
        return self._send(_prepared("GET", url, None, headers or {}))

    def post(
        self,
        url: str,
        body: bytes,
        content_type: str,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> HttpReply | NotSent | Unknown:
        """Send a POST request with a body that is encoded already."""
        said = {"Content-Type": content_type, **(headers or {})}
        return self._send(_prepared("POST", url, body, said))

    def close(self) -> None:
        """Close the connections, unless the session was the caller's."""
        if self._owned:
            self._session.close()

    def _send(self, request: requests.PreparedRequest) -> HttpReply | NotSent | Unknown:
        session = self._session
        url = str(request.url)
        try:
            # Asked on each send, so that a test that mounts an adapter later is heard.
            adapter = session.get_adapter(url)
            if _repeats(adapter):
                return _WOULD_REPEAT
            response = adapter.send(
                request,
                stream=False,
                timeout=self._timeout,
                verify=True if session.verify is None else session.verify,
                cert=session.cert,
                proxies=self._proxies(url) if self._owned else session.proxies,
            )
            body = response.content or b""  # None where an adapter gave no body.
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            return outcome_of(error)
        content_type = str(response.headers.get("Content-Type", "")).partition(";")[0]
        return HttpReply(response.status_code, body, content_type.strip().lower())

    def _proxies(self, url: str) -> dict[str, str]:
        origin = _origin(url)
        if origin not in self._environ_proxies:
            self._environ_proxies[origin] = get_environ_proxies(url)
        return self._environ_proxies[origin]


_WOULD_REPEAT = NotSent(
    "the adapter in the session would repeat requests; mount one with max_retries=0",
    FailureScope.ACCOUNT,
)


def _repeats(adapter: BaseAdapter) -> bool:
    """Tell whether urllib3 would send a request again by itself: a GET, whatever was heard."""
    if not isinstance(adapter, HTTPAdapter):
        return False
    total = urllib3.Retry.from_int(adapter.max_retries).total
    return total is None or total > 0


_CERTAINLY_NOT_CONNECTED = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.ClosedPoolError,
    urllib3.exceptions.EmptyPoolError,
    urllib3.exceptions.LocationValueError,
    urllib3.exceptions.URLSchemeUnknown,
    urllib3.exceptions.ProxySchemeUnsupported,
    ssl.SSLCertVerificationError,
    socket.gaierror,
    requests.exceptions.ConnectTimeout,
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    requests.exceptions.URLRequired,
    requests.exceptions.InvalidHeader,
    requests.exceptions.InvalidJSONError,
    ConnectionRefusedError,
    UnreadableCaBundle,
)

# Kinds of the above by inheritance or by what stands around them, yet raised on reading an answer.
_ON_READING = (
    requests.exceptions.JSONDecodeError,
    urllib3.exceptions.InvalidHeader,
)


def outcome_of(error: BaseException) -> NotSent | Unknown:
    """Translate an exception of requests or urllib3: the one place where that is done.

    *Not sent* only where the request cannot have left: name, connection and TLS errors, a proxy
    that was not reached, and requests that could not be built. Everything else may have gone:
    *unknown*. It is meant for a single request: where redirects are followed, the first one may
    have been obeyed. The reason names the class of the innermost error and never quotes it,
    because it can hold the address with the credentials in it.
    """
    links = tuple(_chain(error))
    innermost = type(links[-1]).__name__
    if any(map(_before_leaving, links)) and not any(map(_on_reading, links)):
        return NotSent(f"no connection ({innermost})", FailureScope.PROVIDER)
    return Unknown(f"no whole answer ({innermost})")


def _before_leaving(link: BaseException) -> bool:
    return isinstance(link, _CERTAINLY_NOT_CONNECTED) or _is_refused_tunnel(link)


def _on_reading(link: BaseException) -> bool:
    return isinstance(link, _ON_READING)


def _is_refused_tunnel(link: BaseException) -> bool:
    """Tell a CONNECT that a proxy refused from any other ``ProxyError``.

    urllib3 says ``ProxyError`` also when a proxy took the request and closed without an answer,
    because by then the connection has forgotten that it was made (seen in 2.8).
    """
    return isinstance(link, urllib3.exceptions.ProxyError) and type(link.original_error) is OSError


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Walk from an error to what is inside it: urllib3 keeps reasons, requests arguments."""
    seen: set[int] = set()
    link: Any = error
    while isinstance(link, BaseException) and id(link) not in seen:
        seen.add(id(link))
        yield link
        inner = [argument for argument in link.args if isinstance(argument, BaseException)]
        link = getattr(link, "reason", None) or (inner[0] if inner else link.__cause__)


_Origin: TypeAlias = tuple[str, str | None, int | None]


def _origin(url: str) -> _Origin:
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port
    except ValueError:
        raise requests.exceptions.InvalidURL("this cannot be an address") from None


def _prepared(
    method: str, url: str, body: bytes | None, said: Mapping[str, str]
) -> requests.PreparedRequest:
    # Filled by hand: Session.prepare_request costs more than the rest of a send.
    request = requests.PreparedRequest()
    request.method = method
    request.url = url
    request.body = body
    headers: CaseInsensitiveDict[str] = CaseInsensitiveDict()
    headers["Accept"] = "*/*"
    headers.update(said)
    if body is not None:
        headers["Content-Length"] = str(len(body))
    request.headers = headers
    request.hooks = {"response": []}
    return request


def _lean_session(ca_file: str | None, pool_size: int) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    adapter = _LeanAdapter(ca_file, pool_size)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _ssl_context(ca_file: str | None) -> ssl.SSLContext:
    bundle = ca_file or os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    bundle = bundle or DEFAULT_CA_BUNDLE_PATH
    if os.path.isdir(bundle):
        return ssl.create_default_context(capath=bundle)
    try:
        return ssl.create_default_context(cafile=bundle)
    except OSError:
        raise UnreadableCaBundle("no certificates can be read from it") from None


class _HttpConnection(HTTPConnection):
    """Say for certain that a connection was not made, and keep the target of a request.

    For TLS too: a handshake that fails or times out is not a request that left.
    """

    target = ""

    def connect(self) -> None:
        try:
            super().connect()
        except (OSError, HTTPException) as error:
            raise NewConnectionError(self, type(error).__name__) from error

    def putrequest(
        self, method: str, url: str, skip_host: bool = False, skip_accept_encoding: bool = False
    ) -> None:
        super().putrequest(method, self.target or url, skip_host, skip_accept_encoding)


class _HttpsConnection(_HttpConnection, HTTPSConnection):
    """The same over TLS."""


class _HttpPool(urllib3.HTTPConnectionPool):
    """Show urllib3 no target: it logs what it is shown, and errors hold it too."""

    ConnectionCls = _HttpConnection

    def _make_request(self, conn: Any, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        # A connection serves one request at a time, so it can hold the target meanwhile.
        cast(_HttpConnection, conn).target = url
        return super()._make_request(conn, method, "/(hidden)", *args, **kwargs)


class _HttpsPool(_HttpPool, urllib3.HTTPSConnectionPool):
    ConnectionCls = _HttpsConnection


class _LeanAdapter(HTTPAdapter):
    """An adapter that answers its own look-ups from memory and never resends."""

    def __init__(self, ca_file: str | None, pool_size: int) -> None:
        self._ca_file = ca_file
        self._context: ssl.SSLContext | None = None
        self._pools: dict[_Origin, ConnectionPool] = {}
        super().__init__(pool_connections=8, pool_maxsize=pool_size, max_retries=0)

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = DEFAULT_POOLBLOCK, **kwargs: Any
    ) -> None:
        super().init_poolmanager(connections, maxsize, block, **kwargs)
        _use_own_pools(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> urllib3.ProxyManager:
        manager: urllib3.ProxyManager = super().proxy_manager_for(proxy, **kwargs)
        _use_own_pools(manager)
        return manager

    def get_connection_with_tls_context(
        self,
        request: requests.PreparedRequest,
        verify: bool | str | None,
        proxies: Any = None,
        cert: Any = None,
    ) -> ConnectionPool:
        origin = _origin(str(request.url))
        pool = self._pools.get(origin)
        if pool is None:
            pool = super().get_connection_with_tls_context(request, verify, proxies, cert)
            if isinstance(pool, urllib3.HTTPSConnectionPool):
                pool.conn_kw["ssl_context"] = self._shared_context()
            self._pools[origin] = pool
        return pool

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Leave it to the shared context, which verifies; requests would read the bundle anew."""

    def build_response(self, req: Any, resp: Any) -> requests.Response:
        response = requests.Response()
        response.status_code = resp.status
        response.headers = resp.headers
        response.raw = resp
        response.url = req.url
        return response

    def close(self) -> None:
        super().close()
        self._pools.clear()

    def _shared_context(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = _ssl_context(self._ca_file)
        return self._context


def _use_own_pools(manager: urllib3.PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
