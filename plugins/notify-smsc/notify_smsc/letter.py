"""Sending by letter: the gateway's mail grammar, and handing a letter to a mail server.

A letter to ``send@send.<host>`` carries everything in its body, separated by colons, the
credentials too (https://smsc.ru/api/smtp/send). Nothing comes back from the gateway: an accepted
letter says only that a mail server has it. Give each one an id, and ask for it by HTTP.
"""

from __future__ import annotations

import contextlib
import re
import smtplib
import ssl
from collections.abc import Iterable, Iterator
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid, parseaddr

import attrs

from notify_core.errors import MessageError
from notify_core.outcome import FailureScope, NotSent, RefusalScope, Refused, Unknown
from notify_core.secret import Secret
from notify_smsc.formats import Format
from notify_smsc.wire import Credentials, encode_text

MAX_LETTER_BYTES = 100 * 1024
"""What the gateway takes, headers and transfer encoding included."""

_LONGEST_LINE = 998
_SHIFTS_FIELDS = re.compile(r"[:\r\n]")
_BEGINS_ANEW = re.compile(r"\[\s*/?\s*text\s*\]", re.IGNORECASE)
_SHIFTS_GROUP = re.compile(r"[:,\r\n]")


@attrs.frozen(kw_only=True)
class Letter:
    """One message, or with empty ``phones`` a list of them as ``list_text`` makes it.

    ``time`` and ``id`` of ``0`` mean *now* and *choose one*. ``tz`` or ``test`` select the longer
    form of the current documentation; without them it is the form of the vendor's PHP library.
    ``sender_address`` is who the letter is from, with or without a name.
    """

    credentials: Credentials
    sender_address: str
    phones: str = attrs.field(repr=False)
    text: str = attrs.field(repr=False)
    id: str = "0"
    time: str = "0"
    translit: int = 0
    format: Format = Format.SMS
    sender: str = ""
    tz: str | None = None
    test: bool = False
    charset: str = "utf-8"
    host: str = "smsc.ru"

    @property
    def recipient(self) -> str:
        """The gateway's mailbox."""
        return f"send@send.{self.host}"

    def body(self) -> str:
        """Return the command, without a final line end.

        A colon, comma or line end in a field before the last would shift all that follow, so
        it is a ``MessageError``, which names the field and not its value. So is ``[text]`` in
        the text: the gateway would begin to read there.
        """
        if _BEGINS_ANEW.search(self.text):
            raise MessageError("text: [text] would begin another command")
        phones = _checked("phones", self.phones, _SHIFTS_FIELDS)
        return ":".join((*self._account(), *self._options(), phones, self.text))

    def _account(self) -> tuple[str, str]:
        credentials = self.credentials
        return (
            _checked("login", credentials.login, _SHIFTS_GROUP),
            _checked("password", credentials.password.reveal(), _SHIFTS_GROUP),
        )

    def _options(self) -> tuple[str, str, str]:
        when = [_checked("time", self.time, _SHIFTS_GROUP)]
        how = [str(self.translit), str(self.format.value)]
        how.append(_checked("sender", self.sender, _SHIFTS_GROUP))
        if self.tz is not None or self.test:
            when.append(_checked("tz", self.tz or "", _SHIFTS_GROUP))
            how.append("1" if self.test else "")
        return _checked("id", self.id, _SHIFTS_GROUP), ",".join(when), ",".join(how)

    def to_bytes(self) -> bytes:
        """Return the whole letter as it goes to a mail server.

        The body ends in CR LF, as PHP's mailer adds it. It is base64 unless it survives as it is:
        a transport may not change what stands between the colons.
        """
        mail = EmailMessage(policy=SMTP)
        mail["From"] = _header(self.sender_address)
        mail["To"] = self.recipient
        mail["Subject"] = ""
        mail["Date"] = formatdate()
        mail["Message-ID"] = make_msgid(domain=self.envelope_sender().rpartition("@")[2])
        body = encode_text("letter", self.body(), self.charset) + b"\r\n"
        encoding = "7bit" if _survives(body) else "base64"
        mail.set_content(body, "text", "plain", cte=encoding, params={"charset": self.charset})
        return _within_limit(mail.as_bytes())

    def envelope_sender(self) -> str:
        """Return the bare address; ``MessageError`` if it cannot be one."""
        address = parseaddr(_header(self.sender_address))[1]
        if "@" not in address or not address.isascii():
            raise MessageError("from: not a mail address that every server takes")
        return address


def list_text(messages: Iterable[tuple[str, str]]) -> str:
    """Write pairs of phones and text as the list of many messages, one a line.

    A line break inside a text becomes the two characters ``\\n``, by which the gateway knows it.
    """
    return "\n".join(
        f"{_checked('phones', phones, _SHIFTS_FIELDS)}:{_one_line(text)}"
        for phones, text in messages
    )


def _one_line(text: str) -> str:
    return "\\n".join(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))


def _checked(field: str, value: str, forbidden: re.Pattern[str]) -> str:
    if found := forbidden.search(value):
        what = {":": "a colon", ",": "a comma"}.get(found[0], "a line end")
        raise MessageError(f"{field}: {what} would shift the fields after it")
    return value


def _header(value: str) -> str:
    if re.search(r"[\r\n]", value):
        raise MessageError("from: a line end in the address")
    return value


def _survives(body: bytes) -> bool:
    lines = body.split(b"\r\n")
    return body.isascii() and all(
        len(line) <= _LONGEST_LINE and not re.search(rb"[\r\n\0]", line) for line in lines
    )


def _within_limit(letter: bytes) -> bytes:
    if len(letter) > MAX_LETTER_BYTES:
        raise MessageError(f"letter: {len(letter)} bytes, the gateway takes {MAX_LETTER_BYTES}")
    return letter


@attrs.frozen(kw_only=True)
class MailServer:
    """A mail server to hand letters to. With ``login``, only after it has accepted the password.

    ``tls`` is the context for STARTTLS: make it once, reading the certificates is slow. Without
    one, each letter makes the usual verifying one.
    """

    host: str
    port: int = 25
    starttls: bool = False
    login: str = ""
    password: Secret = attrs.field(factory=lambda: Secret(""))
    timeout_s: float = 30.0
    tls: ssl.SSLContext | None = attrs.field(default=None, repr=False)

    def __attrs_post_init__(self) -> None:
        # The error of smtplib would hold the password.
        if not (self.login + self.password.reveal()).isascii():
            raise MessageError("mail server: login and password must be ASCII")


@attrs.frozen
class Relayed:
    """A mail server took the letter; whether the gateway did is not known.

    ``answer`` is what the server said, often with the number of the letter in its queue.
    """

    answer: str


def submit(letter: Letter, server: MailServer) -> Relayed | Refused | NotSent | Unknown:
    """Hand one letter to a server; the one place that reads the errors of ``smtplib``.

    Until the content leaves, every failure is *not sent*, unless the server rejects for good (5xx).
    A connection lost afterwards is *unknown*. A ``MessageError`` leaves before anything else.
    """
    content = letter.to_bytes()
    sender, recipient = letter.envelope_sender(), letter.recipient
    try:
        with _connected(server) as smtp:
            rejected = (
                _unless_taken("sender", smtp.mail(sender)[0], RefusalScope.ACCOUNT)
                or _unless_taken("recipient", smtp.rcpt(recipient)[0], RefusalScope.ACCOUNT)
                or _unless_taken("letter", smtp.docmd("DATA")[0], RefusalScope.CONTENT)
            )
            return rejected or _transferred(smtp, content)
    except (smtplib.SMTPException, OSError) as error:
        return _not_sent(error)


@contextlib.contextmanager
def _connected(server: MailServer) -> Iterator[smtplib.SMTP]:
    smtp = smtplib.SMTP(server.host, server.port, timeout=server.timeout_s)
    try:
        if server.starttls:
            smtp.starttls(context=server.tls or ssl.create_default_context())
        smtp.ehlo_or_helo_if_needed()
        if server.login:
            smtp.login(server.login, server.password.reveal())
        yield smtp
        # Its answer is not awaited: what became of the letter is known by now.
        with contextlib.suppress(smtplib.SMTPException, OSError):
            smtp.putcmd("QUIT")
    finally:
        smtp.close()


def _transferred(smtp: smtplib.SMTP, content: bytes) -> Relayed | Refused | NotSent | Unknown:
    # From here on the letter may arrive, whatever is heard of it.
    try:
        smtp.send(re.sub(rb"(?m)^\.", b"..", content) + b".\r\n")
        code, answer = smtp.getreply()
    except (smtplib.SMTPException, OSError) as error:
        return Unknown(f"the letter may have been taken ({type(error).__name__})")
    match code // 100:
        case 2:
            return Relayed(answer.decode("ascii", "replace"))
        case 4 | 5:
            return _rejection("letter", code, RefusalScope.CONTENT)
        case _:
            return Unknown("the letter may have been taken (no SMTP answer)")


def _unless_taken(what: str, code: int, scope: RefusalScope) -> Refused | NotSent | None:
    return None if 200 <= code < 400 else _rejection(what, code, scope)


def _rejection(what: str, code: int, scope: RefusalScope) -> Refused | NotSent:
    """Read a reply by its code alone: the words can quote what was sent."""
    if code >= 500:
        return Refused(f"the mail server refuses the {what} ({code})", scope, str(code))
    reason = f"the mail server does not take the {what} now ({code})"
    return NotSent(reason, FailureScope.PROVIDER, code=str(code))


def _not_sent(error: smtplib.SMTPException | OSError) -> NotSent:
    scope = FailureScope.PROVIDER
    code = getattr(error, "smtp_code", None)
    if isinstance(error, smtplib.SMTPAuthenticationError) and error.smtp_code >= 500:
        scope = FailureScope.ACCOUNT
    return NotSent(
        f"the mail server did not get as far as the letter ({type(error).__name__})",
        scope,
        code=None if code is None else str(code),
    )
