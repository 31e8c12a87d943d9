"""The scripts of the gateway over HTTP: read, ask the gateway, answer or fail as ordered."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from aiohttp import BodyPartReader, MultipartReader, web
from attrs import frozen

from .answers import Refusal
from .clock import Clock
from .decoding import (
    Place,
    RawParam,
    SeenRequest,
    decode,
    find_charset,
    split_form,
    split_json,
)
from .faults import Fault, FaultKind, Faults
from .formats import Format, encode
from .gateway import Gateway
from .model import ErrorCode, File, Request, Script

_HTML = "<html><head><title>Bad gateway</title></head><body>Oops, sorry</body></html>"
_BODIES = {
    FaultKind.HTML: ("text/html", _HTML),
    FaultKind.SERVER_ERROR: ("text/html", _HTML),
    FaultKind.WRONG_JSON: ("application/json", '{"id":1,"cnt":'),
    FaultKind.EMPTY: ("text/plain", ""),
}
_CONTENT_TYPES = {
    Format.TEXT: "text/plain",
    Format.NUMBERS: "text/plain",
    Format.XML: "text/xml",
    Format.JSON: "application/json",
}
_SCRIPTS = {
    "/sys/send.php": Script.SEND,
    "/sys/status.php": Script.STATUS,
    "/sys/balance.php": Script.BALANCE,
    "/sys/info.php": Script.INFO,
    "/sys/get.php": Script.GET,
    "/sys/wait_call.php": Script.WAIT_CALL,
    "/rest/send/": Script.SEND,
}
_REST = "/rest/"


@frozen
class _Reading:
    """A request read to its end."""

    seen: SeenRequest
    files: tuple[File, ...]
    charset: str
    form: Format


class Api:
    """Serves the scripts and remembers every request."""

    def __init__(self, gateway: Gateway, faults: Faults, clock: Clock) -> None:
        self._gateway = gateway
        self._faults = faults
        self._clock = clock
        self._at_once = 0
        self.seen: list[SeenRequest] = []

    def add_routes(self, app: web.Application) -> None:
        """Add the scripts, and a catch-all that remembers requests to anything else."""
        for path in _SCRIPTS:
            app.router.add_route("GET", path, self._serve)
            app.router.add_route("POST", path, self._serve)
        app.router.add_route("*", "/{path:.*}", self._refuse)

    async def _refuse(self, http: web.Request) -> web.Response:
        self.seen.append((await _read(http)).seen)
        return web.Response(status=404, text=_HTML, content_type="text/html")

    async def _serve(self, http: web.Request) -> web.StreamResponse:
        reading = await _read(http)
        self.seen.append(reading.seen)
        script = _SCRIPTS[http.path]
        fault = self._faults.meet(script)
        with self._one_more():
            if fault is None:
                return _respond(reading, self._ask(script, reading, http.remote))
            return await self._fail(fault, script, reading, http)

    @contextmanager
    def _one_more(self) -> Iterator[None]:
        self._at_once += 1
        self._gateway.tally.at_once(self._at_once)
        try:
            yield
        finally:
            self._at_once -= 1

    def _ask(self, script: Script, reading: _Reading, client: str | None) -> bytes:
        request = Request(
            script=script,
            params=reading.seen.values,
            files=reading.files,
            client=client or "",
        )
        answer = self._gateway.answer(request, self._clock.now(), self._at_once)
        return encode(answer, reading.form, reading.charset)

    async def _fail(
        self, fault: Fault, script: Script, reading: _Reading, http: web.Request
    ) -> web.StreamResponse:
        body = self._ask(script, reading, http.remote) if fault.registered else None
        match fault.kind:
            case FaultKind.NO_ANSWER:
                return await _hang()
            case FaultKind.DROP:
                return _drop(http)
            case FaultKind.CUT:
                return await _cut(http, reading, body or _nothing(reading), fault.cut_after)
            case FaultKind.SLOW:
                await asyncio.sleep(fault.seconds)
                return _respond(reading, body or self._ask(script, reading, http.remote))
            case _:
                return _stand_in(fault)


async def _read(http: web.Request) -> _Reading:
    """Read the whole request before anything is done: a cut one has no effect."""
    query = http.raw_path.partition("?")[2].encode("utf-8", "surrogateescape")
    params = split_form(query, Place.QUERY)
    files: list[tuple[bytes, bytes]] = []
    rest = http.path.startswith(_REST)
    if http.content_type.startswith("multipart/"):
        parts, files = await _read_parts(await http.multipart())
        params += parts
    elif http.content_type == "application/json" or rest:
        params += split_json(await http.read())
    else:
        params += split_form(await http.read(), Place.BODY)
    # JSON is UTF-8 by definition, whatever a charset parameter says.
    charset = "utf-8" if rest else find_charset(params)
    decoded = decode(params, charset)
    names = [name.decode(charset, "replace") for name, _ in files]
    seen = SeenRequest(http.method, http.path, http.host, decoded, tuple(names))
    caught = tuple(File(name, content) for name, (_, content) in zip(names, files, strict=True))
    return _Reading(seen, caught, charset, Format.JSON if rest else _format(seen))


async def _read_parts(
    reader: MultipartReader,
) -> tuple[list[RawParam], list[tuple[bytes, bytes]]]:
    params, files = [], []
    async for part in reader:
        if not isinstance(part, BodyPartReader):
            continue
        content = bytes(await part.read(decode=True))
        if part.filename is None:
            params.append(RawParam(_raw(part.name or ""), content, Place.PART))
        else:
            files.append((_raw(part.filename), content))
    return params, files


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _format(seen: SeenRequest) -> Format:
    value = seen.values.get("fmt", "0")
    return Format(int(value)) if value in ("1", "2", "3") else Format.TEXT


def _respond(reading: _Reading, body: bytes) -> web.Response:
    kind = _CONTENT_TYPES[reading.form]
    return web.Response(body=body, content_type=kind, charset=reading.charset)


def _nothing(reading: _Reading) -> bytes:
    """Return an answer that is true although the request had no effect."""
    refusal = Refusal(ErrorCode.BLOCKED, ErrorCode.BLOCKED.text)
    return encode(refusal, reading.form, reading.charset)


async def _hang() -> web.StreamResponse:
    """Wait until the client goes away or the emulator is stopped: either cancels the handler."""
    await asyncio.Event().wait()
    raise AssertionError("nobody sets this event")


def _drop(http: web.Request) -> web.Response:
    if http.transport is not None:
        http.transport.abort()
    return web.Response()


async def _cut(http: web.Request, reading: _Reading, body: bytes, count: int) -> web.StreamResponse:
    response = web.StreamResponse()
    response.content_type = _CONTENT_TYPES[reading.form]
    response.charset = reading.charset
    response.content_length = len(body)
    with suppress(ConnectionResetError):  # the client may be gone already
        await response.prepare(http)
        await response.write(body[:count])
    if http.transport is not None:
        http.transport.close()
    return response


def _stand_in(fault: Fault) -> web.Response:
    kind, body = _BODIES[fault.kind]
    status = 500 if fault.kind is FaultKind.SERVER_ERROR else 200
    text = body if fault.body is None else fault.body
    return web.Response(status=status, text=text, content_type=kind)
