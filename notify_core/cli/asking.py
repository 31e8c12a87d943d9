"""``notify status`` and ``balance``: questions to a provider."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import click

from notify_core.cli import shapes, tables
from notify_core.cli.exits import Exit
from notify_core.cli.options import LOOKS_LIKE_A_NUMBER, config_option, json_option
from notify_core.cli.output import answer, only_answer_on_stdout
from notify_core.cli.session import Session, opened
from notify_core.contact import EMAIL, PHONE, TELEGRAM
from notify_core.errors import ProviderError, RecipientError
from notify_core.notifier import Notifier
from notify_core.outcome import Account, Receipt
from notify_core.phones import PhoneNumbers
from notify_core.plugins import Plugins

_KINDS = {PHONE, EMAIL, TELEGRAM}
_LONG_NUMBER = re.compile(r"\+[\d\s()./-]+|(?:[\s()./-]*\d){10,}[\s()./-]*")


@click.command()
@click.option("--provider", required=True, help="Its name in the configuration.")
@click.option("--id", "ids", multiple=True, help="The provider's id. May be repeated.")
@click.option("--own-id", "own_ids", multiple=True, help="Our id, where that is all we have.")
@click.option("--to", multiple=True, required=True, help="The address, one for each id in order.")
@config_option
@json_option
@click.pass_obj
def status(
    plugins: Plugins,
    /,
    provider: str,
    ids: tuple[str, ...],
    own_ids: tuple[str, ...],
    to: tuple[str, ...],
    config: Path,
    as_json: bool,
) -> None:
    """Ask a provider what became of messages."""
    _check_pairs(ids, own_ids, to)
    with opened(config, plugins) as session, only_answer_on_stdout(as_json):
        check_known([provider], session.notifier)
        asked = _receipts(provider, ids, own_ids, _international(to, provider, session))
        statuses = session.notifier.query_status(provider, asked)
    answer(shapes.statuses_shape(asked, statuses), tables.statuses_tables, as_json=as_json)


@click.command()
@click.argument("providers", nargs=-1)
@config_option
@json_option
@click.pass_context
def balance(
    context: click.Context, /, providers: tuple[str, ...], config: Path, as_json: bool
) -> None:
    """Ask for the balance.

    Without PROVIDERS all are asked that can tell. An answer proves the credentials too.
    """
    with opened(config, context.obj) as session, only_answer_on_stdout(as_json):
        check_known(providers, session.notifier)
        answers = _ask(providers or _able(session.notifier), session.notifier)
    answer(shapes.accounts_shape(answers), tables.accounts_tables, as_json=as_json)
    if any(isinstance(told, ProviderError) for told in answers.values()):
        context.exit(Exit.NO_ANSWER)


def _check_pairs(ids: Sequence[str], own_ids: Sequence[str], to: Sequence[str]) -> None:
    if bool(ids) == bool(own_ids):
        raise click.UsageError("give either --id or --own-id")
    if len(to) != len(ids or own_ids):
        raise click.UsageError("give one --to for each id, in the same order")


def _receipts(
    provider: str, ids: Sequence[str], own_ids: Sequence[str], to: Sequence[str]
) -> list[Receipt]:
    if ids:
        pairs = zip(ids, to, strict=True)
        return [Receipt(provider=provider, provider_id=each, address=at) for each, at in pairs]
    pairs = zip(own_ids, to, strict=True)
    return [Receipt(provider=provider, own_id=each, address=at) for each, at in pairs]


def _international(to: Sequence[str], provider: str, session: Session) -> Sequence[str]:
    """Return the addresses with each number in the form in which ``send`` sends it."""
    able = session.notifier.providers[provider]
    types = session.plugins.message_types()
    kinds = {kind for channel in able.channels for kind in types[channel].address_kinds}
    if PHONE not in kinds:
        return to
    phones = PhoneNumbers(session.config.default_region)
    # A short one may be an address of another kind, a group for example.
    number = LOOKS_LIKE_A_NUMBER if kinds.union(able.address_kinds) <= _KINDS else _LONG_NUMBER
    try:
        return [phones.normalise(at).number if number.fullmatch(at) else at for at in to]
    except RecipientError as error:
        raise click.UsageError(f"--to: {error}; write it as +79991234567") from error


def check_known(names: Iterable[str], notifier: Notifier) -> None:
    """Raise ``UsageError`` if one of them is no provider of the configuration."""
    for name in names:
        if name not in notifier.providers:
            known = ", ".join(notifier.providers)
            raise click.UsageError(f"{name!r} is not a provider here; known: {known}")


def _able(notifier: Notifier) -> list[str]:
    return [name for name, able in notifier.providers.items() if able.balance]


def _ask(names: Iterable[str], notifier: Notifier) -> Mapping[str, Account | ProviderError]:
    return {name: _account_or_error(name, notifier) for name in names}


def _account_or_error(name: str, notifier: Notifier) -> Account | ProviderError:
    try:
        return notifier.check(name)
    except ProviderError as error:
        return error
