"""The letters of the vendor's PHP library, and those of SmscApi at a real mail server.

Compared are the addresses, the charset and the decoded body. How the body travels is better here:
the library writes 8 bits without saying so.
"""

from __future__ import annotations

import email
import email.policy
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest

LETTERS = Path(__file__).parents[3] / "tests" / "golden" / "send_sms_mail.jsonl"
CASES = [json.loads(line) for line in LETTERS.read_text("utf-8").splitlines()]


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case["id"]) for case in CASES if not case["quirks"]]
)
def test_a_letter_says_what_that_of_the_library_says(
    case: Mapping[str, Any], smsc_api: Callable[..., Any], mailbox: tuple[int, list[Any]]
) -> None:
    port, letters = mailbox
    api = smsc_api(case["settings"], smtp_host="127.0.0.1", smtp_port=port)

    returned = api.send_sms_mail(**case["call"]["arguments"])

    (wire,) = case["wire"]
    (envelope,) = letters
    letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
    assert returned is case["returned"]
    assert envelope.rcpt_tos == [wire["to"]]
    assert (letter["To"], letter["From"]) == (wire["to"], wire["from"])
    assert letter["Subject"] == wire["subject"]
    assert letter.get_content_type() == "text/plain"
    assert letter.get_content_charset() == case["settings"]["charset"]
    assert letter.get_payload(decode=True) == unquote_to_bytes(wire["body_bytes"])
