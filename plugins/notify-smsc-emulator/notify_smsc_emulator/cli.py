"""The command ``notify emulator``."""

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation

import click

from notify_core.errors import PluginError

from .runner import Emulator
from .settings import Settings, check_address


def _read_amount(_context: click.Context, _parameter: click.Parameter, value: str) -> Decimal:
    try:
        return Decimal(value)
    except InvalidOperation as exc:
        raise click.BadParameter(f"{value!r} is not an amount") from exc


def _read_address(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> str | None:
    try:
        if value is not None:
            check_address(value)
    except ValueError as exc:
        raise click.BadParameter(str(exc)) from exc
    return value


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--http-port", default=8025, show_default=True, help="0: any free one.")
@click.option("--smtp-port", default=2525, show_default=True, help="0: any free one.")
@click.option("--login", default="test", show_default=True)
@click.option("--password", default="test", show_default=True)
@click.option("--api-key", default="test-key", show_default=True)
@click.option(
    "--callback-url",
    callback=_read_address,
    help="Where receipts go, with charset, fmt and secret.",
)
@click.option(
    "--incoming-url", callback=_read_address, help="Where incoming messages go, likewise."
)
@click.option("--calls-url", callback=_read_address, help="Where awaited calls go, likewise.")
@click.option(
    "--speed",
    type=click.FloatRange(0, min_open=True),
    default=1.0,
    show_default=True,
    help="How fast its clock goes.",
)
@click.option("--balance", callback=_read_amount, default="1000.00", show_default=True)
@click.option("--no-rate-rules", is_flag=True, help="No blocking, no limits, no duplicates.")
@click.option("--json", "as_json", is_flag=True, help="Say in one line of JSON when it is ready.")
def emulator(
    host: str,
    http_port: int,
    smtp_port: int,
    login: str,
    password: str,
    api_key: str,
    callback_url: str | None,
    incoming_url: str | None,
    calls_url: str | None,
    speed: float,
    balance: Decimal,
    no_rate_rules: bool,
    as_json: bool,
) -> None:
    """Run a gateway that stands for SMSC.RU and sends nothing."""
    settings = Settings(
        login=login,
        password=password,
        api_key=api_key,
        callback_url=callback_url,
        incoming_url=incoming_url,
        calls_url=calls_url,
        speed=speed,
        balance=balance,
        rate_rules=not no_rate_rules,
    )
    ready = Emulator(settings, host=host, http_port=http_port, smtp_port=smtp_port)
    with started(ready) as gateway, until_interrupted():
        about = ready_shape(gateway, host)
        click.echo(json.dumps(about) if as_json else _describe(about, gateway.settings))
    click.echo("stopped", err=as_json)


@contextlib.contextmanager
def started(emulator: Emulator) -> Iterator[Emulator]:
    """Run an emulator. Raises ``PluginError`` with the way out if a port cannot be opened."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(emulator)
        except OSError as error:
            raise PluginError(
                "smsc-emulator",
                f"a port cannot be opened: {error.strerror or error}; "
                "is an emulator running already? Choose others: --http-port 0 --smtp-port 0",
            ) from error
        yield emulator


def ready_shape(gateway: Emulator, host: str) -> Mapping[str, object]:
    """Return what ``--json`` prints: where everything is; of the credentials only the names.

    The address of the receipts comes without its query, in which their secret stands.
    """
    callback_url = gateway.settings.callback_url
    return {
        "page": f"{gateway.url}/",
        "gateway": f"{gateway.url}/sys/send.php",
        "url": gateway.url,
        "host": host,
        "http_port": gateway.http_port,
        "smtp_port": gateway.smtp_port,
        "letters_to": "send@send.localhost",
        "login": gateway.settings.login,
        "credentials": ["login", "password", "api_key"],
        "callback_url": callback_url.partition("?")[0] if callback_url else None,
    }


def _describe(about: Mapping[str, object], settings: Settings) -> str:
    return "\n".join(
        [
            f"page      {about['page']}",
            f"gateway   {about['gateway']}",
            f"letters   {about['host']}:{about['smtp_port']}, to {about['letters_to']}",
            f"login     {settings.login}, password {settings.password}",
            f"API key   {settings.api_key}",
            f"receipts  {settings.callback_url or 'not posted'}",
            "Ctrl-C stops it.",
        ]
    )


@contextlib.contextmanager
def until_interrupted() -> Iterator[None]:
    """Wait after the block; Ctrl-C ends either quietly."""
    with contextlib.suppress(KeyboardInterrupt):
        yield
        threading.Event().wait()
