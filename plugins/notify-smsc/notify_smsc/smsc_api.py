"""The functions of the vendor's PHP library, with its names, arguments and return values.

For people who come from ``smsc_api.php`` 3.8 (https://smsc.ru/api/code/libraries/http_smtp/php/) or
a port of it. New code is better off with the provider, whose outcomes say more. What this
class does otherwise than the library is in the docstring of ``SmscApi``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias, TypeVar
from urllib.parse import parse_qsl

import requests

from notify_core.attachment import Attachment
from notify_core.errors import AttachmentError, MessageError, ProviderError
from notify_core.http import HttpClient, HttpReply
from notify_core.outcome import NotSent, Unknown
from notify_core.secret import Secret
from notify_smsc import plain
from notify_smsc.formats import Format, format_of
from notify_smsc.letter import Letter, MailServer, Relayed, submit
from notify_smsc.wire import CHARSETS, Credentials, Gateway, Param, Script, Upload, host_names

Query: TypeAlias = str | Mapping[str, object] | Iterable[tuple[str, object]]
Files: TypeAlias = Sequence[str | os.PathLike[str] | Attachment]

_T = TypeVar("_T")
_PROVIDER = "smsc"
_ID = re.compile(r"[0-9A-Za-z._-]{1,40}")
_LARGEST_ID = 2**31 - 1
_CREDENTIAL_NAMES = ("login", "psw", "apikey")


class _File(NamedTuple):
    """A file under any name that a file can have; attachments are choosier."""

    name: str
    content: bytes


class SmscApi:
    """The vendor's library as a class. An empty ``login``: ``password`` is an API key.

    All HTTP goes through the adapters of ``session``, if one is given, with its ``verify``,
    ``cert`` and ``proxies``; its headers, ``auth`` and ``trust_env`` are not used. With an adapter
    that would repeat requests (``max_retries``) every call raises ``ProviderError``, and nothing
    leaves. Mail goes to ``smtp_host``, by default the gateway's own server, ``send.<host>``,
    without TLS.

    Without ``post``, everything stands in the address of the request, password and text too.
    Proxies show it in their logs, and so does ``urllib3`` at level DEBUG with a ``session`` of
    the caller. ``post=True`` avoids that.

    As in the library, the gateway obeys commands in ``message`` and ``phones``: ``__CALL__`` and
    other prefixes, ``~~~``, ``{menu:``, ``{button,``, ``<file``, and ``G1`` for a whole group. Do
    not pass on words or numbers of strangers unchecked; the provider refuses them.

    Otherwise than in the library,

    * certificates are verified unless ``session`` says otherwise, and https is the default;
    * a message that may have arrived is never sent again: the next host is asked only while no
      connection was made. Questions (status, cost, balance) do go on to the next host;
    * no answer, or one that is none (an HTML page, a status other than 200) raises
      ``ProviderError``. For ``send_sms`` its ``outcome`` is *not sent* or *unknown*. Error answers
      of the gateway are returned as ever: ``[id, "-N"]``, and False for ``get_balance``;
    * arguments are checked, texts and extra parameters encoded, and files read first. What
      cannot be sent as it is raises ``MessageError``, before anything has left.
    """

    def __init__(
        self,
        login: str,
        password: str,
        *,
        post: bool = False,
        https: bool = True,
        charset: str = "utf-8",
        host: str = "smsc.ru",
        session: requests.Session | None = None,
        smtp_host: str | None = None,
        smtp_port: int = 25,
        smtp_from: str | None = None,
    ) -> None:
        if charset not in CHARSETS:
            raise MessageError(f"charset: {charset!r} is not known; known: {', '.join(CHARSETS)}")
        self._credentials = Credentials(login, Secret(password))
        self._post = post
        self._charset = charset
        self._host = host
        self._client = HttpClient(session=session)
        self._gateway = Gateway(self._client, host_names(host), https=https)
        self._mail_server = MailServer(host=smtp_host or f"send.{host}", port=smtp_port)
        self._mail_from = smtp_from or f"api@{host}"

    def close(self) -> None:
        """Close the connections, unless the session was the caller's."""
        self._client.close()

    def send_sms(
        self,
        phones: str,
        message: str,
        translit: int | str = 0,
        time: int | str = 0,
        id: int | str = 0,
        format: int | str = 0,
        sender: str | bool | None = False,
        query: Query = "",
        files: Files = (),
    ) -> list[str]:
        """Send a message; return ``[id, count, cost, balance]`` or ``[id, "-N"]``.

        ``phones`` is one string, separated by commas or semicolons. A ``sender`` of False or None
        leaves the account's name in place, an empty one sends without. ``query`` holds further
        parameters (a mapping, pairs, or urlencoded in ``charset``); it cannot replace one that
        is set here. ``files`` are paths or attachments.
        """
        extras = _extras(query, self._charset)
        params = [
            ("cost", "3"),
            ("phones", _checked_phones(phones, extras)),
            ("mes", _text("message", message)),
            ("translit", _checked_translit(translit)),
            ("id", _checked_id(id)),
            *_format(format).flag,
            *_sender(sender),
            *_time(time),
        ]
        answer = self._call("send", "send", params, extras, files=_uploads(files))
        return list(_readable("send", plain.parse_send(answer)))

    def send_sms_mail(
        self,
        phones: str,
        message: str,
        translit: int | str = 0,
        time: int | str = 0,
        id: int | str = 0,
        format: int | str = 0,
        sender: str = "",
    ) -> bool:
        """Send a message by mail; return True when the mail server has taken the letter.

        That is all there is: what the gateway makes of it, only ``get_status`` tells. A letter
        that was not taken, or perhaps not, raises ``ProviderError`` with the outcome.
        """
        letter = Letter(
            credentials=self._credentials,
            sender_address=self._mail_from,
            phones=_checked_phones(phones, ()),
            text=_text("message", message),
            id=_checked_id(id),
            time=_text("time", time),
            translit=int(_checked_translit(translit)),
            format=_format(format),
            sender=_text("sender", sender),
            charset=self._charset,
            host=self._host,
        )
        outcome = submit(letter, self._mail_server)
        if not isinstance(outcome, Relayed):
            raise ProviderError(_PROVIDER, "mail", outcome)
        return True

    def get_sms_cost(
        self,
        phones: str,
        message: str,
        translit: int | str = 0,
        format: int | str = 0,
        sender: str | bool | None = False,
        query: Query = "",
    ) -> list[str]:
        """Ask what a message would cost; return ``[cost, count]`` or ``["0", "-N"]``."""
        extras = _extras(query, self._charset)
        params = [
            ("cost", "1"),
            ("phones", _checked_phones(phones, extras)),
            ("mes", _text("message", message)),
            *_sender(sender),
            ("translit", _checked_translit(translit)),
            *_format(format).flag,
        ]
        answer = self._call("cost", "send", params, extras, may_repeat=True)
        return list(_readable("cost", plain.parse_cost(answer)))

    def get_status(
        self, id: int | str, phone: str, all: int | str = 0
    ) -> list[str] | list[list[str]]:
        """Ask what became of a message; return its fields or ``["0", "-N"]``.

        For several, give the ids and the phones as lists of equal length, separated by commas;
        a comma after a single id makes a list of it. The result is then a list of rows, but for
        an error still one pair. With ``all`` 1 or 2 the row holds more and the text, which
        is the rest of it: a comment, if the gateway adds one, cannot be told from it.
        """
        ids = _checked_ids(id, phone)
        detail = _number("all", all, 2)
        params = [("phone", phone), ("id", str(id)), ("all", str(detail))]
        answer = self._call("status", "status", params, may_repeat=True)
        if "," not in str(id):
            return list(_readable("status", plain.parse_status(answer, detail)))
        rows = _readable("status", plain.parse_statuses(answer, detail, ids))
        return list(rows) if isinstance(rows, plain.ErrorAnswer) else [list(row) for row in rows]

    def get_balance(self) -> str | bool:
        """Ask for the balance; return it as a string, or False for an error answer."""
        answer = self._call("balance", "balance", (), may_repeat=True)
        balance = _readable("balance", plain.parse_balance(answer))
        return balance if isinstance(balance, str) else False

    def _call(
        self,
        question: str,
        script: Script,
        params: Iterable[Param],
        extras: Sequence[Param] = (),
        files: Sequence[Upload] = (),
        may_repeat: bool = False,
    ) -> str:
        common = (*self._credentials.params(), ("fmt", "1"), ("charset", self._charset))
        own = (*common, *params)
        _refuse_duplicates(own, extras, len(files))
        reply = self._gateway.call(
            script,
            (*own, *extras),
            charset=self._charset,
            files=files,
            post=self._post,
            may_repeat=may_repeat,
        )
        return _answer_text(question, reply, self._charset)


def _answer_text(question: str, reply: HttpReply | NotSent | Unknown, charset: str) -> str:
    if not isinstance(reply, HttpReply):
        raise ProviderError(_PROVIDER, question, reply)
    if reply.status != 200:
        raise _no_answer(question, f"answered with HTTP status {reply.status}")
    if not reply.body:
        raise _no_answer(question, "the answer is empty")
    return _readable(question, _decoded(reply.body, charset))


def _decoded(body: bytes, charset: str) -> str | None:
    try:
        return body.decode(charset)
    except UnicodeDecodeError:
        return None


def _readable(question: str, answer: _T | None) -> _T:
    if answer is None:
        raise _no_answer(question, "the answer cannot be read")
    return answer


def _no_answer(question: str, reason: str) -> ProviderError:
    return ProviderError(_PROVIDER, question, Unknown(reason))


def _extras(query: Query, charset: str) -> tuple[Param, ...]:
    if isinstance(query, str):
        return _urldecoded(query, charset)
    pairs = query.items() if isinstance(query, Mapping) else query
    return tuple((name, _text(f"query: {name}", value)) for name, value in pairs)


def _urldecoded(query: str, charset: str) -> tuple[Param, ...]:
    try:
        return tuple(parse_qsl(query, keep_blank_values=True, encoding=charset, errors="strict"))
    except UnicodeDecodeError:
        pass  # Raised below: this error holds the text.
    raise MessageError(f"query: percent-encoded in another charset than {charset}")


def _refuse_duplicates(own: Sequence[Param], extras: Sequence[Param], files: int) -> None:
    taken = {name for name, _ in own}.union(_CREDENTIAL_NAMES)
    taken.update(f"file{number}" for number in range(files))
    if clashes := sorted(taken.intersection(name for name, _ in extras)):
        raise MessageError(f"query: {', '.join(clashes)} cannot be set there; use the arguments")


def _uploads(files: Files) -> tuple[Upload, ...]:
    if isinstance(files, str | Mapping):
        raise AttachmentError("files", "give a list of paths or attachments")
    return tuple(file if isinstance(file, Attachment) else _read(Path(file)) for file in files)


def _read(path: Path) -> Upload:
    try:
        return _File(path.name, path.read_bytes())
    except (OSError, ValueError) as error:
        raise AttachmentError(str(path), f"cannot be read ({type(error).__name__})") from error


def _sender(sender: str | bool | None) -> tuple[Param, ...]:
    given = sender is not None and sender is not False
    return (("sender", _text("sender", sender)),) if given else ()


def _time(time: int | str) -> tuple[Param, ...]:
    value = _text("time", time)
    return () if value in ("", "0") else (("time", value),)


def _format(format: int | str) -> Format:
    return format_of(_number("format", format, 13))


def _checked_translit(translit: int | str) -> str:
    return str(_number("translit", translit, 2))


def _checked_phones(phones: str, extras: Iterable[Param]) -> str:
    value = _text("phones", phones)
    if not value.strip(" ,;") and all(name != "list" for name, _ in extras):
        raise MessageError("phones: there is none")
    return value


def _checked_ids(ids: int | str, phones: str) -> list[str]:
    """Check that there is a phone for each id; the comma that ends a list is none."""
    found = [_checked_id(one) for one in _text("id", ids).removesuffix(",").split(",")]
    numbers = _text("phone", phones).removesuffix(",").split(",")
    if len(found) != len(numbers) or not all(numbers):
        raise MessageError("phone: one for each id, separated by commas in the same order")
    # The gateway answers for the id 00042 with 42.
    return [str(int(one)) if one.isdigit() else one for one in found]


def _checked_id(id: int | str) -> str:
    value = _text("id", id)
    digits = value.removeprefix("-").isdigit()
    if not _ID.fullmatch(value) or (digits and not 0 <= int(value) <= _LARGEST_ID):
        raise MessageError(
            f"id: a number up to {_LARGEST_ID}, or up to 40 of the characters A-Z a-z 0-9 . - _"
        )
    return value


def _number(name: str, value: int | str, largest: int) -> int:
    text = _text(name, value)
    if not (text.isascii() and text.isdigit() and int(text) <= largest):
        raise MessageError(f"{name}: a number from 0 to {largest}")
    return int(text)


def _text(name: str, value: object) -> str:
    # In PHP false is 0 here and an empty string there; in Python it would be "False".
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise MessageError(f"{name}: {type(value).__name__} given, int or str expected")
    return str(value)
