"""The command ``notify emulator``."""

import threading
from decimal import Decimal, InvalidOperation

import click

from .runner import Emulator
from .settings import Settings


def _read_amount(_context: click.Context, _parameter: click.Parameter, value: str) -> Decimal:
    try:
        return Decimal(value)
    except InvalidOperation as exc:
        raise click.BadParameter(f"{value!r} is not an amount") from exc


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--http-port", default=8025, show_default=True, help="0: any free one.")
@click.option("--smtp-port", default=2525, show_default=True, help="0: any free one.")
@click.option("--login", default="test", show_default=True)
@click.option("--password", default="test", show_default=True)
@click.option("--api-key", default="test-key", show_default=True)
@click.option("--callback-url", help="Where receipts go, with charset, fmt and secret.")
@click.option("--balance", callback=_read_amount, default="1000.00", show_default=True)
@click.option("--no-rate-rules", is_flag=True, help="No blocking, no limits, no duplicates.")
def emulator(
    host: str,
    http_port: int,
    smtp_port: int,
    login: str,
    password: str,
    api_key: str,
    callback_url: str | None,
    balance: Decimal,
    no_rate_rules: bool,
) -> None:
    """Run a gateway that stands for SMSC.RU and sends nothing."""
    settings = Settings(
        login=login,
        password=password,
        api_key=api_key,
        callback_url=callback_url,
        balance=balance,
        rate_rules=not no_rate_rules,
    )
    with Emulator(settings, host=host, http_port=http_port, smtp_port=smtp_port) as gateway:
        click.echo(_describe(gateway, host))
        _wait_for_interrupt()


def _describe(gateway: Emulator, host: str) -> str:
    settings = gateway.settings
    return "\n".join(
        [
            f"page      {gateway.url}/",
            f"gateway   {gateway.url}/sys/send.php",
            f"letters   {host}:{gateway.smtp_port}, to send@send.localhost",
            f"login     {settings.login}, password {settings.password}",
            f"API key   {settings.api_key}",
            f"receipts  {settings.callback_url or 'not posted'}",
            "Ctrl-C stops it.",
        ]
    )


def _wait_for_interrupt() -> None:
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        click.echo("stopped")
