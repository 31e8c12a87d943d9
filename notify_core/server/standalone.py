"""A server of our own around the WSGI application, for those who have none: waitress, in threads.

It writes no access log: what stands in a query can be a secret.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from notify_core.config.sections import Callbacks, host_and_port
from notify_core.errors import ConfigError, Problem

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

_LARGEST_HEAD = 32_768
_IDLE_S = 30
"""How long somebody may take to send a request. It bounds those who never end theirs."""
_MOST_CONNECTIONS = 1_000


@contextmanager
def listening(app: WSGIApplication, config: Callbacks) -> Iterator[str]:
    """Serve an application in threads of its own until the block ends; give its address.

    What is under way when the block ends gets some seconds to end. Raises ``ConfigError`` if
    waitress is missing, or the address cannot be listened on.
    """
    sockets: dict[int, Any] = {}
    server = _made(app, config, sockets)
    loop = threading.Thread(target=server.run, name="notify-serve", daemon=True)
    loop.start()
    try:
        yield _address_of(server)
    finally:
        server.task_dispatcher.shutdown()
        # Closed by the thread that waits for them, which ends when there are none any more.
        trigger = next(each for each in sockets.values() if hasattr(each, "thunks"))
        trigger.pull_trigger(partial(_close_all, sockets))
        loop.join()


def _made(app: WSGIApplication, config: Callbacks, sockets: dict[int, Any]) -> Any:
    try:
        import waitress  # noqa: PLC0415 - an optional dependency
    except ImportError:
        raise _error("waitress is needed; install it: pip install 'notify-core[server]'") from None
    # It warns whenever all threads are busy, which under load is always.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    host, port = host_and_port(config.listen)
    try:
        return waitress.create_server(
            app,
            map=sockets,
            host=host,
            port=port,
            threads=config.threads,
            max_request_body_size=config.largest,
            max_request_header_size=_LARGEST_HEAD,
            channel_timeout=_IDLE_S,
            connection_limit=_MOST_CONNECTIONS,
            asyncore_use_poll=True,
            clear_untrusted_proxy_headers=False,  # the application judges them
            log_socket_errors=False,
            ident=None,
        )
    except (OSError, ValueError) as error:  # waitress says with the latter that nobody has the name
        _close_all(sockets)
        reason = getattr(error, "strerror", None) or str(error)
        raise _error(f"{config.listen} cannot be listened on: {reason}") from None


def _close_all(sockets: dict[int, Any]) -> None:
    for each in list(sockets.values()):
        each.close()


def _address_of(server: Any) -> str:
    # A name can stand for several addresses; then the first is as good as any.
    several = getattr(server, "effective_listen", None)
    host, port = several[0] if several else (server.effective_host, server.effective_port)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _error(what: str) -> ConfigError:
    return ConfigError([Problem("notify serve", 0, 0, "callbacks.listen", what)])
