"""The page that shows what was caught, and lets messages and calls come in."""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from importlib.resources import files
from string import Template

from .answers import money
from .incoming import Inbox, IncomingMessage
from .model import CaughtMessage, Status
from .specials import SPECIALS, Special

_CODE = re.compile("`(.+?)`")
_MOST = 200
"""How many messages the page shows; it is fetched every two seconds."""
_EMPTY = "<p>No messages yet.</p>"

# Only the messages are replaced, so that an opened table stays open.
_SCRIPT = """
setInterval(async () => {
  const answer = await fetch(location.pathname).catch(() => null);
  if (!answer || !answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const now = document.querySelector("main"), next = page.querySelector("main");
  if (now.innerHTML !== next.innerHTML) now.replaceWith(next);
}, 2000);
"""


def content_policy() -> str:
    """Return the Content-Security-Policy: our own script and nothing from anywhere else."""
    digest = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
    script = f"script-src 'sha256-{digest}'"
    own = "style-src 'unsafe-inline'; connect-src 'self'; form-action 'self'"
    return f"default-src 'none'; {script}; {own}"


def load_template() -> Template:
    """Read the page's frame."""
    return Template((files(__package__) / "page.html").read_text("utf-8"))


def render_page(
    template: Template, messages: Sequence[CaughtMessage], inbox: Inbox, *, balance: str
) -> str:
    """Write the page, newest message first."""
    shown = messages[-_MOST:]
    articles = "\n".join(_article(message) for message in reversed(shown))
    parts = [_summary(messages, len(shown), balance), *_inflow(inbox), articles or _EMPTY]
    return template.substitute(
        messages="\n".join(parts),
        specials="\n".join(_special_row(special) for special in SPECIALS),
        script=_SCRIPT,
    )


def _summary(messages: Sequence[CaughtMessage], shown: int, balance: str) -> str:
    summary = f"{_counted(len(messages), 'message')}, balance {balance}"
    if shown < len(messages):
        summary += f"; the last {shown} are shown"
    return f"<p>{escape(summary)}</p>"


def _inflow(inbox: Inbox) -> list[str]:
    callers = [_caller(phone) for phone in inbox.awaited]
    return callers + [_incoming(message) for message in reversed(inbox.messages[-_MOST:])]


def _caller(phone: str) -> str:
    button = "<button>It calls</button>"
    return (
        '<article class="open"><h2><span class="channel">call</span>'
        f'<span>{escape(phone)}</span><span class="status">its call is awaited</span></h2>'
        f"{_form('calls', {'phone': phone}, button)}</article>"
    )


def _incoming(message: IncomingMessage) -> str:
    at = datetime.fromtimestamp(message.at, UTC)
    return (
        '<article><h2><span class="channel">in</span>'
        f"<span>{escape(message.phone)} to {escape(message.to)}</span>"
        f'<span class="status">came in</span></h2><pre>{escape(message.text)}</pre>'
        f"<footer>{at:%Y-%m-%d %H:%M:%S} UTC · id {message.id}</footer></article>"
    )


def _article(message: CaughtMessage) -> str:
    return (
        f'<article class="{_class(message)}"><h2>'
        f'<span class="channel">{message.channel}</span>'
        f"<span>{escape(message.phone)}</span>"
        f'<span class="status">{escape(_status(message))}</span></h2>'
        f"{_subject(message)}<pre>{escape(message.text)}</pre>"
        f"<footer>{escape(' · '.join(_facts(message)))}</footer>{_choices(message)}</article>"
    )


def _choices(message: CaughtMessage) -> str:
    """Return buttons that end a message which has not ended yet."""
    if message.error is not None or message.status > Status.DELIVERED:
        return ""
    buttons = "".join(
        f'<button name="status" value="{int(status)}">{status.name.lower()}</button>'
        for status in (Status.DELIVERED, Status.READ, Status.EXPIRED, Status.FAILED)
        if status > message.status
    )
    return _form("status", {"id": str(message.id), "phone": message.phone}, buttons)


def _form(path: str, fields: Mapping[str, str], buttons: str) -> str:
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">'
        for name, value in fields.items()
    )
    return f'<form method="post" action="/_emulator/{path}">{hidden}{buttons}</form>'


def _subject(message: CaughtMessage) -> str:
    subject = message.params.get("subj")
    return f"<h3>{escape(subject)}</h3>" if subject else ""


def _class(message: CaughtMessage) -> str:
    if message.error is not None or message.status >= Status.EXPIRED:
        return "" if message.status is Status.CLICKED else "failed"
    return "open" if message.status <= Status.PASSED else ""


def _status(message: CaughtMessage) -> str:
    # In the language of the page, unlike the words that the gateway answers with.
    status = f"{int(message.status)} {message.status.name.lower().replace('_', ' ')}"
    if message.error is not None:
        return f"refused: error {int(message.error)} {message.error.text}"
    if message.deleted:
        return "deleted"
    return status if message.err is None else f"{status}, err {message.err}"


def _facts(message: CaughtMessage) -> list[str]:
    facts = [
        f"{message.received_at:%Y-%m-%d %H:%M:%S} UTC",
        f"id {message.id}",
        f"from {message.sender or 'default sender'}",
        _counted(message.parts, "part"),
        f"cost {money(message.cost)}",
        f"by {message.transport}",
    ]
    facts += [f"{file.name} ({_counted(len(file.content), 'byte')})" for file in message.files]
    return facts


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _special_row(special: Special) -> str:
    meaning = _CODE.sub(r"<code>\1</code>", escape(special.meaning))
    cells = (f"…{special.ending}", f"{special.name}@…", meaning)
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
