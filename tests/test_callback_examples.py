"""The examples of the page on callbacks, each with real requests to it."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.test_docs import DOCS, ROOT, blocks_of

PATIENCE_S = 60.0

SERVE = """
import runpy, sys
from notify_core.config.sections import Callbacks
from notify_core.server.standalone import listening

made = runpy.run_path(sys.argv[1])
app = made.get("app") or made["application"]
with listening(app, Callbacks(listen="127.0.0.1:0")) as address, made["notifier"]:
    print(address, flush=True)
    sys.stdin.read()
"""

OVER_ASGI = """
import runpy, sys
from fastapi.testclient import TestClient

app = runpy.run_path(sys.argv[1])["app"]
with TestClient(app) as client:
    answers = [client.get("/"), client.post("/callbacks/smsc", content=b"id=1"),
               client.post("/callbacks/nobody", content=b"id=1")]
print([(each.status_code, each.text) for each in answers])
"""

SETTINGS = """
SECRET_KEY = "for tests"
ROOT_URLCONF = "shop.urls"
ALLOWED_HOSTS = ["*"]
MIDDLEWARE = ["django.middleware.csrf.CsrfViewMiddleware"]
"""

URLS = """
from django.http import HttpResponse
from django.urls import path

urlpatterns = [path("", lambda request: HttpResponse("the shop"))]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the files of the page."""
    for block in blocks_of(DOCS / "callbacks.md"):
        if "file" in block.words:
            (tmp_path / block.words["file"].strip()).write_text(block.code)
    return tmp_path


@contextmanager
def running(folder: Path, *command: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(folder)]),
            "SMSC_API_KEY": "not-a-key",
            "SMSC_CALLBACK": "notasecret",
        },
    )
    slow = threading.Timer(PATIENCE_S, process.kill)
    with process:
        try:
            slow.start()
            yield process
        finally:
            slow.cancel()
            process.kill()


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def asked(address: str, body: bytes | None = None) -> tuple[int, str]:
    """Return status and text, the latter only of what is well."""
    try:
        with urllib.request.urlopen(address, body, PATIENCE_S) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, ""


def calls_in(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "notify.db")) as connection:
        ((count,),) = connection.execute("SELECT count(*) FROM notify_calls")
    return int(count)


@pytest.mark.parametrize("file", ["flask_shop.py", "django_wsgi.py"])
def test_calls_are_taken_in_beside_the_pages_of_a_shop(folder: Path, file: str) -> None:
    """What is not under /callbacks is the shop's."""
    (folder / "shop").mkdir()
    (folder / "shop/settings.py").write_text(SETTINGS)
    (folder / "shop/urls.py").write_text(URLS)
    with running(folder, "-c", SERVE, file) as process:
        address = line_of(process)

        assert asked(f"{address}/") == (200, "the shop")
        assert asked(f"{address}/callbacks/smsc?sha1=x", b"id=1") == (200, "ok\n")
        assert asked(f"{address}/callbacks/nobody", b"id=1") == (404, "")
        assert asked(f"{address}/elsewhere/smsc", b"id=1") == (404, "")
    assert calls_in(folder) == 1


def test_calls_are_taken_in_beside_a_shop_on_fastapi(folder: Path) -> None:
    with running(folder, "-c", OVER_ASGI, "fastapi_shop.py") as process:
        shown, _ = process.communicate(timeout=PATIENCE_S)

    assert shown == "[(200, '\"the shop\"'), (200, 'ok\\n'), (404, 'no such address\\n')]\n"
    assert calls_in(folder) == 1


def test_a_program_of_its_own_takes_calls_in(folder: Path) -> None:
    """With the worker in it, the call is understood, and refused, for nobody has signed it well."""
    with running(folder, "-c", PORT) as free:
        address = f"127.0.0.1:{line_of(free)}"
    with running(folder, "own_server.py", address):
        wait_for(address)

        assert asked(f"http://{address}/smsc", b"id=1&phone=1&status=1&sha1=0") == (200, "ok\n")


PORT = "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1])"


def wait_for(address: str) -> None:
    """Wait until somebody listens there."""
    host, port = address.split(":")
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            with socket.create_connection((host, int(port))):
                return
        except ConnectionRefusedError:
            assert time.monotonic() < end, "it took too long"
            time.sleep(0.05)
