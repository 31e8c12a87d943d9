"""What the vendor's PHP library puts on the wire, SmscApi puts there too.

All recorded cases that show nothing but the contract (``quirks`` is empty) are played: the same
hosts in the same order, method, path, place and bytes of the parameters, files and result.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes, urlsplit

import pytest
import requests

GOLDEN = Path(__file__).parents[3] / "tests" / "golden"
FUNCTIONS = ("send_sms", "get_sms_cost", "get_status", "get_balance")


def contract(name: str) -> list[Any]:
    """Return the cases of a file that show no quirk, each with its id."""
    lines = (GOLDEN / f"{name}.jsonl").read_text("utf-8").splitlines()
    cases = [json.loads(line) for line in lines]
    return [pytest.param(case, id=case["id"]) for case in cases if not case["quirks"]]


@pytest.mark.parametrize("case", [case for name in FUNCTIONS for case in contract(name)])
def test_a_call_is_on_the_wire_what_the_library_makes_of_it(
    case: Mapping[str, Any],
    network: Callable[..., Any],
    smsc_api: Callable[..., Any],
    arguments: Callable[..., Any],
) -> None:
    session, sent = network(case["script"], case["settings"]["charset"])
    call = getattr(smsc_api(case["settings"], session=session), case["call"]["function"])

    returned = call(**arguments(case["call"], case.get("fixtures", ())))

    assert returned == case["returned"]
    assert [_host(request) for request in sent] == _expected_hosts(case)
    assert [_as_recorded(request) for request, _ in _arrived(case, sent)] == [
        _recorded(wire) for _, wire in _arrived(case, sent)
    ]


@pytest.mark.parametrize("case", contract("sequences"))
def test_calls_in_a_row_do_not_disturb_each_other(
    case: Mapping[str, Any],
    network: Callable[..., Any],
    smsc_api: Callable[..., Any],
    arguments: Callable[..., Any],
    mailbox: tuple[int, list[Any]],
) -> None:
    by_http = [call for call in case["calls"] if call["call"]["function"] != "send_sms_mail"]
    script = [step for call in by_http for step in call["script"]]
    session, sent = network(script, case["settings"]["charset"])
    api = smsc_api(case["settings"], session=session, smtp_host="127.0.0.1", smtp_port=mailbox[0])

    returned = [
        getattr(api, call["call"]["function"])(**arguments(call["call"], case.get("fixtures", ())))
        for call in case["calls"]
    ]

    assert returned == [call["returned"] for call in case["calls"]]
    assert [_as_recorded(request) for request in sent] == [
        _recorded(wire) for call in by_http for wire in call["wire"]
    ]


def _arrived(case: Mapping[str, Any], sent: list[Any]) -> list[tuple[Any, Any]]:
    return [(sent[wire["attempt"] - 1], wire) for wire in case["wire"]]


def _expected_hosts(case: Mapping[str, Any]) -> list[str]:
    arrived = {wire["attempt"]: wire["host"] for wire in case["wire"]}
    return [
        arrived.get(attempt) or step["host"] for attempt, step in enumerate(case["script"], start=1)
    ]


def _host(request: requests.PreparedRequest) -> str:
    return urlsplit(str(request.url)).netloc


def _recorded(wire: Mapping[str, Any]) -> dict[str, Any]:
    parts = wire["parts"] or ()
    return {
        "address": (wire["method"], wire["scheme"], wire["host"], wire["path"]),
        "content_type": wire["headers"]["content-type"],
        "params": Counter(
            (param["in"], param["name"].encode("latin-1"), unquote_to_bytes(param["bytes"]))
            for param in wire["params"]
        ),
        "files": [
            (
                part["name"].encode(),
                unquote_to_bytes(part["filename_bytes"]),
                part["content_type"],
                part["sha256"],
            )
            for part in parts
            if part["filename"] is not None
        ],
    }


def _as_recorded(request: requests.PreparedRequest) -> dict[str, Any]:
    url = urlsplit(str(request.url))
    content_type, _, boundary = (request.headers.get("Content-Type") or "").partition("; boundary=")
    body = request.body if isinstance(request.body, bytes) else b""
    params = _pairs("query", url.query.encode())
    files: list[Any] = []
    if boundary:
        found, files = _parts(body, boundary)
        params += found
    else:
        params += _pairs("body", body)
    return {
        "address": (request.method, url.scheme, url.netloc, url.path),
        "content_type": content_type or None,
        "params": Counter(params),
        "files": files,
    }


def _pairs(place: str, form: bytes) -> list[tuple[str, bytes, bytes]]:
    # latin-1 in both directions: whatever the charset, the bytes come back.
    pairs = parse_qsl(form.decode("ascii"), keep_blank_values=True, encoding="latin-1")
    return [(place, name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs]


def _parts(body: bytes, boundary: str) -> tuple[list[Any], list[Any]]:
    start, *pieces, end = (b"\r\n" + body).split(b"\r\n--" + boundary.encode())
    assert (start, end) == (b"", b"--\r\n")
    params, files = [], []
    for piece in pieces:
        head, _, content = piece.partition(b"\r\n\r\n")
        match = re.fullmatch(
            rb'\r\nContent-Disposition: form-data; name="([^"]*)"'
            rb'(?:; filename="([^"]*)"\r\nContent-Type: ([^\r]*))?',
            head,
        )
        assert match is not None
        name, filename, content_type = match.groups()
        if filename is None:
            params.append(("part", name, content))
        else:
            digest = hashlib.sha256(content).hexdigest()
            files.append((name, filename, content_type.decode(), digest))
    return params, files
