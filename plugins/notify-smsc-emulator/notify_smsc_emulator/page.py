"""The page that shows what was caught."""

import base64
import hashlib
import re
from collections.abc import Sequence
from decimal import Decimal
from html import escape
from importlib.resources import files
from string import Template

from .answers import money
from .model import CaughtMessage, Status
from .specials import SPECIALS, Special

_CODE = re.compile("`(.+?)`")
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
    return f"default-src 'none'; {script}; style-src 'unsafe-inline'; connect-src 'self'"


def load_template() -> Template:
    """Read the page's frame."""
    return Template((files(__package__) / "page.html").read_text("utf-8"))


def render_page(
    template: Template, messages: Sequence[CaughtMessage], balance: Decimal, currency: str
) -> str:
    """Write the page, newest message first."""
    articles = "\n".join(_article(message) for message in reversed(messages))
    count = _counted(len(messages), "message")
    summary = f"<p>{count}, balance {money(balance)} {escape(currency)}</p>"
    return template.substitute(
        messages=f"{summary}\n{articles or _EMPTY}",
        specials="\n".join(_special_row(special) for special in SPECIALS),
        script=_SCRIPT,
    )


def _article(message: CaughtMessage) -> str:
    return (
        f'<article class="{_class(message)}"><h2>'
        f'<span class="channel">{message.channel}</span>'
        f"<span>{escape(message.phone)}</span>"
        f'<span class="status">{escape(_status(message))}</span></h2>'
        f"{_subject(message)}<pre>{escape(message.text)}</pre>"
        f"<footer>{escape(' · '.join(_facts(message)))}</footer></article>"
    )


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
