"""The SMSC gateway as a provider of the framework: https://smsc.ru/api/"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from notify_core.callback import CallbackEvent, CallbackRequest, IncomingPage
from notify_core.delivery import Attempt
from notify_core.errors import UnsupportedFeature
from notify_core.hookspecs import hookimpl
from notify_core.message import (
    Binary,
    Call,
    Flash,
    Hlr,
    Mail,
    Message,
    Mms,
    Ping,
    Sms,
    Social,
    Telegram,
    Viber,
    WapPush,
    WhatsApp,
)
from notify_core.outcome import Account, Estimate, Outcome, Receipt, Status
from notify_core.provider import Capabilities, ProviderType, ReceiptKind, Tools
from notify_smsc.addresses import GROUP
from notify_smsc.answers import OperatorInfo
from notify_smsc.callbacks import read_callback
from notify_smsc.config import SmscConfig, Transport
from notify_smsc.http import STATUSES_IN_A_QUERY, HttpTransport
from notify_smsc.parameters import LONGEST_TEXT, LONGEST_VALIDITY
from notify_smsc.smtp import SmtpTransport

if TYPE_CHECKING:
    from notify_core.config.lint import Rule

_BY_LETTER = (Sms, Flash, WapPush, Hlr, Binary, Ping, Viber, Social, Call, Telegram, Mail)
_BY_HTTP = (*_BY_LETTER, Mms, WhatsApp)

# The gateway takes five questions about one message within a minute: these are four, which
# leaves one to somebody who looks it up.
POLL_AFTER_S = (4, 8, 15, 30, 60, 120, 300, 600, 1800, 3600)
_BOTH_WAYS = frozenset({ReceiptKind.POLL, ReceiptKind.CALLBACK})


class SmscProvider:
    """One configured account. The hooks are the framework's; the rest is for applications."""

    def __init__(self, config: SmscConfig, tools: Tools) -> None:
        self._name = tools.name
        self._callback = config.callback
        self._capabilities = capabilities(config)
        self._http = HttpTransport(tools.name, config)
        by_letter = config.transport is Transport.SMTP
        self._smtp = SmtpTransport(tools.name, config, self._http) if by_letter else None

    @property
    def capabilities(self) -> Capabilities:
        """What this account can do over its transport."""
        return self._capabilities

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    @hookimpl
    def notify_send(self, message: Message, attempt: Attempt) -> Outcome:
        """Send one message to the one address in the attempt."""
        return (self._smtp or self._http).send(message, attempt)

    @hookimpl
    def notify_fetch_status(self, receipts: Sequence[Receipt]) -> Sequence[Status]:
        """Ask over HTTP, whichever way the messages went."""
        return (self._smtp or self._http).statuses(receipts)

    @hookimpl
    def notify_estimate(self, message: Message, attempt: Attempt) -> Estimate:
        """Ask what a send would cost."""
        if self._smtp:
            raise UnsupportedFeature("a letter has no price query; use transport: http")
        return self._http.estimate(message, attempt)

    @hookimpl
    def notify_check(self) -> Account:
        """Ask for the balance, over HTTP for either transport."""
        return self._http.account()

    @hookimpl
    def notify_parse_callback(self, request: CallbackRequest) -> Sequence[CallbackEvent]:
        """Say what a call of the gateway tells; see ``callbacks``."""
        return read_callback(request, self._callback, self._name)

    @hookimpl
    def notify_fetch_incoming(self, after: str | None, limit: int) -> IncomingPage:
        """Ask for what came in, over HTTP for either transport."""
        return self._http.incoming(after, limit)

    def wait_call(self, phone: str) -> str:
        """Return the number that the owner of this phone must call to confirm it.

        That the call was made, the gateway tells by a signed call to the handler. Raises
        ``ProviderError`` if there is no usable answer.
        """
        return self._http.number_to_call(phone)

    def send_list(self, messages: Sequence[tuple[Message, Attempt]]) -> tuple[Outcome, ...]:
        """Send one text each to many recipients in one request; see ``HttpTransport``."""
        return self._http.send_list(messages)

    def status(self, receipt: Receipt, *, detail: int = 0) -> Status:
        """Ask for one status with the full data in ``raw``; see ``HttpTransport``."""
        return self._http.status(receipt, detail=detail)

    def delete(self, receipt: Receipt) -> None:
        """Delete a message that still waits; ``ProviderError`` unless the gateway says it did."""
        self._http.delete(receipt)

    def operator(self, phone: str) -> OperatorInfo:
        """Ask whose number this is."""
        return self._http.operator(phone)


def capabilities(config: SmscConfig) -> Capabilities:
    """Tell from the configuration what an account can do over its transport."""
    by_http = config.transport is Transport.HTTP
    return Capabilities(
        channels=frozenset(kind.channel for kind in _kinds(config)),
        address_kinds=(GROUP,),
        own_id=True,
        ask_after_s=config.ask_after_s,
        receipts=_BOTH_WAYS,
        incoming=_BOTH_WAYS,
        poll_after_s=POLL_AFTER_S,
        poll_batch=STATUSES_IN_A_QUERY,
        scheduling=True,
        validity=by_http,
        longest_validity=LONGEST_VALIDITY if by_http else None,
        cost=by_http,
        balance=True,
        attachments=by_http,
        text_limit=LONGEST_TEXT,
    )


def account(config: SmscConfig) -> str:
    """Tell accounts apart that do not fail together.

    Another host or transport of one account can work while this one is out of reach.
    """
    who = f"{config.login}" if config.login else f"key {config.credentials.password.reveal()}"
    told = f"{config.transport.value} {config.host} {config.smtp_host} {who}"
    return hashlib.sha256(told.encode()).hexdigest()


def _kinds(config: SmscConfig) -> tuple[type[Message], ...]:
    if config.transport is Transport.HTTP:
        return tuple(kind for kind in _BY_HTTP if kind is not WhatsApp or config.whatsapp_bot)
    # A letter carries codes by Telegram, but has no field for a bot.
    return tuple(kind for kind in _BY_LETTER if kind is not Telegram or not config.telegram_bot)


@hookimpl
def notify_provider_types() -> Sequence[ProviderType]:
    """Bring the provider type ``smsc``."""
    return [
        ProviderType(
            name="smsc",
            config_class=SmscConfig,
            capabilities=capabilities,
            factory=SmscProvider,
            account=account,
        )
    ]


@hookimpl
def notify_lint_rules() -> Sequence[Rule]:
    """Bring what is linted of an account of the gateway."""
    # Only who lints needs them, and with them the loader.
    from notify_smsc.lint import RULES  # noqa: PLC0415

    return RULES
