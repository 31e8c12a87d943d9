"""Letters to ``send@send.*`` that become messages: https://smscentre.com/api/smtp"""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape
from ssl import SSLContext

from aiosmtpd.smtp import SMTP, Envelope, Session
from attrs import frozen

from .answers import Answer, Refusal
from .clock import Clock
from .gateway import Gateway
from .grammar import read_letter
from .model import Refused, Request, Script, Transport

LARGEST_LETTER = 100 * 1024
_ADDRESS = re.compile(r"send@send\.[\w.-]+", re.IGNORECASE)


@frozen
class SeenLetter:
    """One letter and what the gateway would have answered, had it been asked over HTTP."""

    sender: str
    body: str
    answer: Answer


class Mailbox:
    """Takes letters; a wrong one is accepted too, for nobody is told what is wrong with it."""

    def __init__(self, gateway: Gateway, clock: Clock) -> None:
        self._gateway = gateway
        self._clock = clock
        self.seen: list[SeenLetter] = []

    async def handle_RCPT(  # noqa: N802 (the name aiosmtpd calls)
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        """Accept the one address there is."""
        if not _ADDRESS.fullmatch(address):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 (the name aiosmtpd calls)
        self, _server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Read the letter and hand it to the gateway."""
        content = envelope.content
        body = read_body(content if isinstance(content, bytes) else b"")
        answer = self._deliver(body, str(session.peer[0]) if session.peer else "")
        self.seen.append(SeenLetter(envelope.mail_from or "", body, answer))
        return "250 OK"

    def _deliver(self, body: str, client: str) -> Answer:
        try:
            params = read_letter(body)
        except Refused as refused:
            return Refusal.of(refused)
        request = Request(
            script=Script.SEND, params=params, transport=Transport.SMTP, client=client
        )
        return self._gateway.answer(request, self._clock.now())


def make_server(mailbox: Mailbox, tls: SSLContext | None) -> SMTP:
    """Make the protocol of one connection; with a certificate STARTTLS is offered."""
    return SMTP(
        mailbox,
        data_size_limit=LARGEST_LETTER,
        hostname="send.localhost",
        ident="notify-smsc-emulator",
        tls_context=tls,
    )


def read_body(letter: bytes) -> str:
    """Return the text of a letter: its plain part, else its HTML without the tags."""
    message = message_from_bytes(letter, policy=policy.default)
    for part in message.walk():
        if part.get_content_type() == "text/plain":
            return _text(part)
    for part in message.walk():
        if part.get_content_type() == "text/html":
            return unescape(re.sub(r"<[^>]*>", "", _text(part)))
    return ""


def _text(part: EmailMessage) -> str:
    """Decode a part; without a charset it is koi8-r."""
    payload = part.get_payload(decode=True)
    raw = payload if isinstance(payload, bytes) else b""
    try:
        return raw.decode(part.get_content_charset("koi8-r"), "replace")
    except LookupError:
        return raw.decode("koi8-r")
