"""Configurations with tests of their routes, and how they are read."""

from __future__ import annotations

from pathlib import Path

from notify_core.route_tests.model import Suite
from notify_core.route_tests.reading import read_suite
from tests.cli_runs import plugins

CONFIG = """
version: 1
providers:
  good: {type: fake}
  spare: {type: fake}
  letters: {type: fake}
routes:
  - name: code
    when: {tags: [otp, login], country: [RU, KZ]}
    send: {first_of: [{channel: telegram, via: good}, {via: [good, spare]}]}
  - name: mail
    when: {channel: mail}
    send: {via: letters}
  - name: default
    send: {via: {spread: {good: 80, spare: 20}}}
"""

TESTS = """
tests:
  - name: a code goes by Telegram, else by SMS
    message: {channel: sms, to: "+79991234567", text: "1234", tags: otp}
    expect: {route: code, legs: [telegram, {channel: sms, via: [good, spare]}], parts: 1}
  - name: a login in Kazakhstan is a code
    message: {channel: sms, to: "+77011234567", text: "1234", tags: login}
    expect: {route: code}
  - name: a code abroad takes the default
    message: {channel: sms, to: "+4915112345678", text: "1234", tags: otp}
    expect: {route: default, legs: {channel: sms, via: {spread: [spare, good]}}}
  - name: news for Russia take the default
    message: {channel: sms, to: "+79991234567", text: "News"}
    expect: {route: default}
  - name: a letter
    message: {channel: mail, to: ann@example.org, subject: Hi, text: Hello}
    expect: {route: mail, legs: mail}
  - name: a number without a country is refused
    message: {channel: sms, to: "1234567", text: "1234"}
    expect: {error: RecipientError, words: no country code}
"""


def written(folder: Path, text: str = CONFIG + TESTS, name: str = "notify.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def suite_of(folder: Path, text: str = CONFIG + TESTS) -> Suite:
    return read_suite(written(folder, text), plugins(), {})


BOUND = """
tests:
  - name: cheap
    message: {channel: sms, to: "+79991234567", text: hello}
    expect: {route: default, cost: 1.99}
"""
