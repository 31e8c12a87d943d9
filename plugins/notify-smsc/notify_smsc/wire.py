"""The HTTP side of the gateway: credentials, encoding, host names and the walk over hosts.

Shared by the provider and by ``SmscApi``. Addresses and parameters: https://smsc.ru/api/http/
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import Literal, Protocol, TypeAlias
from urllib.parse import quote_plus

import attrs

from notify_core.errors import MessageError
from notify_core.http import HttpClient, HttpReply
from notify_core.outcome import NotSent, Unknown
from notify_core.secret import Secret

CHARSETS = ("utf-8", "windows-1251", "koi8-r")
"""What the gateway reads, by its own names."""

Param: TypeAlias = tuple[str, str]
Script: TypeAlias = Literal["send", "status", "balance", "info", "get", "wait_call"]

_RESERVE = ("www2", "www3", "www4", "www5")
_LONGEST_URL = 2000
"""In bytes, with scheme and host; what is longer goes by POST, as in the vendor's library."""


@attrs.frozen
class Credentials:
    """A login with its password, or an API key alone: the login is empty then."""

    login: str
    password: Secret

    def __attrs_post_init__(self) -> None:
        if not self.password:
            raise MessageError("credentials: the password or API key is empty")

    @classmethod
    def of_api_key(cls, api_key: Secret) -> Credentials:
        """Make the credentials of an account that is opened by a key alone."""
        return cls("", api_key)

    def params(self) -> tuple[Param, ...]:
        """Return the parameters that lead every request."""
        if not self.login:
            return (("apikey", self.password.reveal()),)
        return (("login", self.login), ("psw", self.password.reveal()))


class Upload(Protocol):
    """A file to send: an ``Attachment`` is one. Of ``name`` only the base name travels."""

    @property
    def name(self) -> str: ...

    @property
    def content(self) -> bytes: ...


def host_names(host: str, reserve: Sequence[str] = _RESERVE) -> tuple[str, ...]:
    """Return the hosts to ask, in order: the main one, then the reserve names before it."""
    return (host, *(f"{name}.{host}" for name in reserve))


def encode_text(name: str, value: str, charset: str) -> bytes:
    """Encode one value; ``MessageError`` names the first character that does not fit.

    Raised outside the handler: the codec's own error holds the whole text.
    """
    try:
        return value.encode(charset)
    except UnicodeEncodeError as error:
        misfit = ord(value[error.start])
    raise MessageError(f"{name}: the character U+{misfit:04X} does not exist in {charset}")


def encode_form(params: Iterable[Param], charset: str) -> bytes:
    """Encode a query or a urlencoded body, with the values in ``charset``."""
    return "&".join(
        f"{_quoted(name, name, charset)}={_quoted(name, value, charset)}" for name, value in params
    ).encode("ascii")


def _quoted(name: str, value: str, charset: str) -> str:
    # Most names and values are digits and letters; quoting costs ten times this question.
    if value.isascii() and value.isalnum():
        return value
    return quote_plus(encode_text(name, value, charset))


def encode_multipart(
    params: Iterable[Param], files: Iterable[Upload], charset: str
) -> tuple[bytes, str]:
    """Encode a body with files; return it with its content type.

    The files are the parts ``file0``, ``file1`` and so on, after the parameters.
    """
    boundary = secrets.token_hex(16)
    pieces: list[bytes] = []
    for name, value in params:
        pieces += _part(boundary, _disposition(name, charset), encode_text(name, value, charset))
    for number, file in enumerate(files):
        head = _file_head(f"file{number}", file.name, charset)
        pieces += _part(boundary, head, file.content)
    pieces.append(f"--{boundary}--\r\n".encode("ascii"))
    return b"".join(pieces), f"multipart/form-data; boundary={boundary}"


def _part(boundary: str, head: bytes, content: bytes) -> tuple[bytes, ...]:
    return (b"--", boundary.encode("ascii"), b"\r\n", head, b"\r\n\r\n", content, b"\r\n")


def _file_head(field: str, file_name: str, charset: str) -> bytes:
    shown = encode_text(field, PurePath(file_name).name, charset)
    return (
        _disposition(field, charset)
        + b'; filename="'
        + _escaped(shown)
        + b'"\r\nContent-Type: application/octet-stream'
    )


def _disposition(field: str, charset: str) -> bytes:
    name = _escaped(encode_text(field, field, charset))
    return b'Content-Disposition: form-data; name="' + name + b'"'


def _escaped(value: bytes) -> bytes:
    # As browsers do it: https://html.spec.whatwg.org/multipage/#multipart-form-data
    return value.replace(b"\r", b"%0D").replace(b"\n", b"%0A").replace(b'"', b"%22")


@attrs.frozen
class Heard:
    """What came of a call at the last host that was asked: the only one that can have obeyed."""

    host: str
    reply: HttpReply | NotSent | Unknown


@attrs.frozen
class _Request:
    """A request whose method and body are the same for every host."""

    script: Script
    payload: bytes = attrs.field(repr=False)
    content_type: str
    post: bool


class Gateway:
    """The scripts of the gateway, at the first host that can be reached.

    Holds no state between calls: each one begins at the first host again.
    """

    def __init__(self, client: HttpClient, hosts: Sequence[str], *, https: bool = True) -> None:
        self._client = client
        self._scheme = "https" if https else "http"
        self._hosts = tuple(hosts)
        if not self._hosts:
            raise ValueError("a gateway needs at least one host")

    def call(
        self,
        script: Script,
        params: Iterable[Param],
        *,
        charset: str = "utf-8",
        files: Sequence[Upload] = (),
        post: bool = True,
        may_repeat: bool = False,
    ) -> HttpReply | NotSent | Unknown:
        """Call a script, asking each host at most once and without waiting.

        The next host is asked only while nothing can have arrived. With ``may_repeat``, for
        questions that are harmless to ask twice, it is also asked when an answer was lost or
        empty. Without ``post`` it is a GET, unless there are files or the address at the first
        host would be too long. Any complete answer is returned, whatever its status.
        """
        return self._walk(self._request(script, params, charset, files, post), may_repeat).reply

    def send(
        self, params: Iterable[Param], *, charset: str = "utf-8", files: Sequence[Upload] = ()
    ) -> Heard:
        """Call ``send`` by POST as ``call`` does, and tell the host that may have taken it."""
        request = self._request("send", params, charset, files, post=True)
        return self._walk(request, may_repeat=False)

    def _walk(self, request: _Request, may_repeat: bool) -> Heard:
        first, *others = self._hosts
        heard = self._ask(first, request)
        for host in others:
            if not _asks_on(heard.reply, may_repeat):
                break
            heard = self._ask(host, request)
        return heard

    def _request(
        self,
        script: Script,
        params: Iterable[Param],
        charset: str,
        files: Sequence[Upload],
        post: bool,
    ) -> _Request:
        if files:
            return _Request(script, *encode_multipart(params, files, charset), post=True)
        form = encode_form(params, charset)
        # Decided for the first host, though the reserve names are longer.
        length = len(self._url(self._hosts[0], script)) + len("?") + len(form)
        urlencoded = "application/x-www-form-urlencoded"
        return _Request(script, form, urlencoded, post or length > _LONGEST_URL)

    def _url(self, host: str, script: Script) -> str:
        return f"{self._scheme}://{host}/sys/{script}.php"

    def _ask(self, host: str, request: _Request) -> Heard:
        url = self._url(host, request.script)
        if request.post:
            return Heard(host, self._client.post(url, request.payload, request.content_type))
        return Heard(host, self._client.get(f"{url}?{request.payload.decode('ascii')}"))


def _asks_on(answer: HttpReply | NotSent | Unknown, may_repeat: bool) -> bool:
    match answer:
        case NotSent():
            return True
        case Unknown():
            return may_repeat
        case _:
            return may_repeat and not answer.body
