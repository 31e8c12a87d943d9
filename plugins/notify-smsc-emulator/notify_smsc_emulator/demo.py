"""The command ``notify demo``: every channel and every kind of trouble, against an emulator."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import click
from attrs import asdict
from rich.console import RenderableType

from notify_core.cli.output import answer, only_answer_on_stdout
from notify_core.cli.shapes import Shape, delivery_shape
from notify_core.cli.tables import line, table
from notify_core.config.load import loads
from notify_core.delivery import Delivery
from notify_core.errors import ProviderError
from notify_core.notifier import Notifier
from notify_core.plugins import Plugins

from .cli import started, until_interrupted
from .demo_scenarios import Ending, Scenario, count_caught, scenarios
from .runner import Emulator

HTTP_PORT = 8025
SMTP_PORT = 2525
_NAME = "demo.yaml"
_UNTIL_DELIVERED_S = 60.0
_COLUMNS = (
    *("Scenario", "Message", "Route", "Channel", "Provider", "Outcome"),
    *("Id", "Parts", "Cost", "Status", "Caught", "As it must"),
)


@click.command()
@click.option("--http-port", default=HTTP_PORT, show_default=True, help="0: any free one.")
@click.option("--smtp-port", default=SMTP_PORT, show_default=True, help="0: any free one.")
@click.option(
    "--write-config", type=click.Path(path_type=Path), help="Write the configuration to a new file."
)
@click.option("--stay", is_flag=True, help="Keep the emulator and its page until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@click.pass_context
def demo(
    context: click.Context,
    /,
    http_port: int,
    smtp_port: int,
    write_config: Path | None,
    stay: bool,
    as_json: bool,
) -> None:
    """Show what all this does, on an emulator.

    A message on every channel, providers that fail, answers that are lost. Exits with 0 only if
    everything ended as it must.
    """
    if stay and write_config is None and (http_port, smtp_port) != (HTTP_PORT, SMTP_PORT):
        raise click.UsageError("--stay on other ports needs --write-config too")
    with started(Emulator(http_port=http_port, smtp_port=smtp_port)) as gateway:
        config = configuration(gateway.http_port, gateway.smtp_port)
        if write_config is not None:
            _write(config, write_config)
        with only_answer_on_stdout(as_json):
            endings = run(gateway, config, context.obj)
        shape = demo_shape(endings, gateway)
        with until_interrupted() if stay else contextlib.nullcontext():
            answer(shape, demo_tables, as_json=as_json)
            if not as_json:
                click.echo(_what_next(gateway, write_config, stay=stay))
    context.exit(0 if shape["ok"] else 1)


def configuration(http_port: int, smtp_port: int) -> str:
    """Return ``demo.yaml`` for an emulator on these ports."""
    text = files(__package__).joinpath(_NAME).read_text(encoding="utf-8")
    return text.replace(f":{HTTP_PORT}", f":{http_port}").replace(
        f"port: {SMTP_PORT}", f"port: {smtp_port}"
    )


def run(gateway: Emulator, config: str, plugins: Plugins) -> list[Ending]:
    """Send everything, let the time pass in which it is delivered, and look what came of it."""
    with Notifier(loads(config, _NAME, plugins, {}), plugins=plugins) as notifier:
        sent = [(scenario, _send(scenario, notifier, gateway)) for scenario in scenarios()]
        gateway.advance(_UNTIL_DELIVERED_S)
        followed = [(scenario, _with_status(delivery, notifier)) for scenario, delivery in sent]
    caught = gateway.caught()
    return [
        Ending(scenario, delivery, count_caught(delivery, caught))
        for scenario, delivery in followed
    ]


def _write(config: str, path: Path) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(config)
    except OSError as error:
        raise click.BadParameter(
            f"{path}: {error.strerror}", param_hint="--write-config"
        ) from error


def _send(scenario: Scenario, notifier: Notifier, gateway: Emulator) -> Delivery:
    for fault in scenario.faults:
        gateway.fault(**asdict(fault))
    (delivery,) = notifier.send(scenario.message)
    return delivery


def _with_status(delivery: Delivery, notifier: Notifier) -> Delivery:
    if not delivery.accepted:
        return delivery
    try:
        return notifier.fetch_status(delivery)
    except ProviderError:  # the console cannot be asked; the check of the ending notices others
        return delivery


# --- what is shown --------------------------------------------------------------------------


def demo_shape(endings: Sequence[Ending], gateway: Emulator) -> Shape:
    """Return what ``--json`` prints; ``deliveries`` are those of ``notify send``."""
    return {
        "ok": not any(ending.surprises for ending in endings),
        "scenarios": [
            {
                "title": ending.scenario.title,
                "message": type(ending.scenario.message).__name__,
                "caught": ending.caught,
                "surprises": ending.surprises,
                "delivery": delivery_shape(ending.delivery),
            }
            for ending in endings
        ],
        "caught": dict(Counter(message.channel.value for message in gateway.caught())),
        "page": f"{gateway.url}/",
    }


def demo_tables(shape: Shape) -> list[RenderableType]:
    """Return the same as tables."""
    rows = [_row(scenario) for scenario in shape["scenarios"]]
    caught = sorted(shape["caught"].items())
    met = sum(not scenario["surprises"] for scenario in shape["scenarios"])
    return [
        table(_COLUMNS, rows),
        line(""),
        line(
            f"the emulator on {shape['page']} caught: "
            + ", ".join(f"{count} {name}" for name, count in caught)
        ),
        line(f"{met} of {len(rows)} scenarios ended as they must", "bold"),
        *(
            line(f"{scenario['title']}: {surprise}", "red")
            for scenario in shape["scenarios"]
            for surprise in scenario["surprises"]
        ),
    ]


def _row(scenario: Shape) -> tuple[object, ...]:
    delivery = scenario["delivery"]
    return (
        scenario["title"],
        scenario["message"],
        delivery["route"],
        delivery["channel"],
        delivery["provider"],
        delivery["outcome"],
        delivery["provider_id"] or delivery["own_id"],
        delivery["parts"],
        delivery["cost"],
        delivery["status"] and delivery["status"]["state"],
        scenario["caught"],
        "no" if scenario["surprises"] else "yes",
    )


def _what_next(gateway: Emulator, written: Path | None, *, stay: bool) -> str:
    notify = "notify" if shutil.which("notify") else f"{sys.executable} -m notify_core.cli"
    if not stay:
        return (
            "To look at the messages and send your own, keep the emulator running:\n"
            f"  {notify} demo --stay --write-config demo.yaml"
        )
    to = f"--config {written or files(__package__).joinpath(_NAME)} --to +79991234567"
    return "\n".join(
        [
            f"The messages are on {gateway.url}/ . In another terminal:",
            f"  {notify} send sms {to} --text Hello",
            f"  {notify} explain telegram {to} --text 4711 --tag otp",
            f"  {notify} cost sms {to} --text Hello",
            "Ctrl-C stops it.",
        ]
    )
