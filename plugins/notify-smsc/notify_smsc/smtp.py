"""The gateway by letter: texts go out through a mail server, and no answer comes back.

https://smsc.ru/api/smtp/send . What became of a message is asked over HTTP, with the same
credentials and our own id.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import attrs

from notify_core.delivery import Attempt
from notify_core.errors import ProviderError, UnsupportedFeature
from notify_core.message import Message
from notify_core.outcome import Accepted, Outcome, Receipt, State, Status, Unknown
from notify_core.secret import Secret
from notify_smsc.config import SmscConfig
from notify_smsc.extras import allowed_commands
from notify_smsc.formats import Format
from notify_smsc.http import HttpTransport
from notify_smsc.inband import NO_SUBJECT
from notify_smsc.letter import Letter, MailServer, Relayed, submit
from notify_smsc.parameters import CHARSET, SendOrder, send_order
from notify_smsc.receipts import is_letter_taken, taken_by_mail_server
from notify_smsc.wire import Param

_CARRIED = frozenset({"phones", "mes", "id", "sender", "time", "tz", "translit"})
_MEANINGLESS = frozenset({"charset", "fmt", "op"})
_FORMATS: Mapping[Param, Format] = MappingProxyType(
    {flag: kind for kind in Format for flag in kind.flag}
)
_OUR_WORDS = MappingProxyType(
    {
        "valid": "valid_for",
        "subj": f"a subject (unless the message allows its loss: smsc.allow: [{NO_SUBJECT}])",
        "bot": "a bot",
        "param": "the timing of a call",
    }
)
# The gateway looks for its fields between these, wherever they stand in the letter.
_TAG = re.compile(r"\[\s*/?\s*text\s*\]", re.IGNORECASE)
_NO_SENDER = "."


class SmtpTransport:
    """One account by letter; ``http`` answers its questions."""

    def __init__(self, name: str, config: SmscConfig, http: HttpTransport) -> None:
        self._name = name
        self._config = config
        self._http = http
        self._server = _server(config)

    def send(self, message: Message, attempt: Attempt) -> Outcome:
        """Hand the letter to the mail server: *accepted* says that it was taken there.

        ``MessageError`` leaves before anything else does.
        """
        order = send_order(message, attempt, self._config.defaults)
        if NO_SUBJECT in allowed_commands(message):
            order = _without_subject(order)
        outcome = submit(letter_of(order, self._config), self._server)
        if not isinstance(outcome, Relayed):
            return outcome
        receipt = Receipt(
            provider=self._name,
            address=order.phone,
            own_id=attempt.own_id,
            raw=taken_by_mail_server(outcome.answer),
        )
        return Accepted(receipt)

    def statuses(self, receipts: Sequence[Receipt]) -> tuple[Status, ...]:
        """Ask what became of the messages, over HTTP.

        A letter can be under way for long. So *not found* is no proof of absence unless the mail
        server is known to have taken it, and is no usable answer then.
        """
        statuses = self._http.statuses(receipts)
        for receipt, status in zip(receipts, statuses, strict=True):
            if status.state is State.NOT_FOUND and not is_letter_taken(receipt):
                unknown = Unknown("not found, but the letter may still be under way", "-3")
                raise ProviderError(self._name, "status", unknown)
        return statuses


def letter_of(order: SendOrder, config: SmscConfig) -> Letter:
    """Return the letter for a send; ``UnsupportedFeature`` for what no letter can carry."""
    _check_carried(order)
    params = dict(order.params)
    kinds = [_FORMATS[param] for param in order.params if param in _FORMATS]
    if _TAG.search(params["mes"]):
        raise UnsupportedFeature("the text holds [text], a sign of the letter; send it over HTTP")
    return Letter(
        credentials=config.credentials,
        sender_address=config.smtp.from_address or "",
        phones=order.phone,
        text=params["mes"],
        id=order.id,
        time=params.get("time", "0"),
        translit=int(params.get("translit", "0")),
        format=kinds[0] if kinds else Format.SMS,
        # An empty field means the default sender here; a message that has an empty sender none.
        sender=params["sender"] or _NO_SENDER if "sender" in params else "",
        tz=params.get("tz"),
        test=config.smtp.test,
        charset=CHARSET,
        host=config.host_name,
    )


def _without_subject(order: SendOrder) -> SendOrder:
    params = tuple((name, value) for name, value in order.params if name != "subj")
    return attrs.evolve(order, params=params)


def _check_carried(order: SendOrder) -> None:
    if order.files:
        raise UnsupportedFeature("files: a letter cannot carry them; send it over HTTP")
    if order.encoding != CHARSET:
        raise UnsupportedFeature("bytes: a letter cannot carry them; use BinaryForm.HEX")
    for name, value in order.params:
        if name not in _CARRIED | _MEANINGLESS and (name, value) not in _FORMATS:
            what = _OUR_WORDS.get(name, name)
            raise UnsupportedFeature(f"{what}: a letter cannot carry it; send it over HTTP")


def _server(config: SmscConfig) -> MailServer:
    return MailServer(
        host=config.smtp_host,
        port=config.smtp.port,
        starttls=config.smtp.starttls,
        login=config.smtp.login or "",
        password=config.smtp.password or Secret(""),
        timeout_s=config.read_timeout.total_seconds(),
        tls=ssl.create_default_context(cafile=config.ca_file) if config.smtp.starttls else None,
    )
