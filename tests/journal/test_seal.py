"""What messages say, as it lies on the disk: as it is, encrypted, or not at all."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from notify_core.clock import SystemClock
from notify_core.config.model import TextAtRest
from notify_core.errors import JournalError
from notify_core.journal.base import Journal
from notify_core.journal.codec import GONE
from notify_core.journal.model import Entry
from notify_core.journal.opening import open_journal
from notify_core.journal.seal import Encrypted, LeftOut, Unsealed
from notify_core.message import Mail, Message, Priority, Sms
from notify_core.secret import Secret
from notify_core.testing import ScriptedProvider, notifier_with
from tests.journal.making import NOW, TYPES, config_with, journal_config, waiting

CANARY = "canary-text-8812"
MESSAGE = Sms(
    to="+79990000001", text=CANARY, alternatives=(Mail(subject=CANARY, text=f"{CANARY} again"),)
)


def new_key() -> Secret:
    return Secret(Fernet.generate_key().decode())


KEY, OTHER = new_key(), new_key()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def opened(path: Path, *keys: Secret, text: TextAtRest = TextAtRest.KEEP) -> Journal:
    config = journal_config(f"sqlite:///{path}", text_keys=keys, text=text)
    return open_journal(config, TYPES, SystemClock())


def write(path: Path, *keys: Secret, number: int = 1, message: Message = MESSAGE) -> None:
    with closing(opened(path, *keys)) as journal:
        journal.add([waiting(message, number)])


def on_disk(path: Path) -> bytes:
    """Every byte of the database and of what lies beside it."""
    return b"".join(each.read_bytes() for each in path.parent.iterdir())


def loaded(path: Path, *keys: Secret, number: int = 1) -> Message:
    with closing(opened(path, *keys)) as journal:
        entry = journal.load(f"{number:024x}")
    assert entry is not None
    return entry.message


def claimed(path: Path, *keys: Secret) -> list[Entry]:
    with closing(opened(path, *keys)) as journal:
        return list(journal.claim("me", NOW, NOW, [Priority.NORMAL], 9))


# --- at rest --------------------------------------------------------------------------------


def test_without_a_key_a_text_lies_there_as_it_is(path: Path) -> None:
    """So the tests below look in the right place."""
    write(path)

    assert CANARY.encode() in on_disk(path)


def test_with_a_key_no_text_lies_there(path: Path) -> None:
    """Neither while it waits nor after it was sent, nor that of an alternative."""
    config = config_with(f"sqlite:///{path}", text_keys=(KEY,))
    with notifier_with(config) as notifier:
        notifier.send(MESSAGE)
        notifier.enqueue(MESSAGE)
        before = on_disk(path)
        notifier.worker().work_off()
        after = on_disk(path)

    assert CANARY.encode() not in before
    assert CANARY.encode() not in after
    assert CANARY.encode() not in on_disk(path)


def test_a_worker_sends_the_text_that_was_encrypted(path: Path) -> None:
    provider = ScriptedProvider()
    with notifier_with(config_with(f"sqlite:///{path}", provider, text_keys=(KEY,))) as notifier:
        notifier.enqueue(MESSAGE)

        notifier.worker().work_off()

    assert [message.body for message, _ in provider.sent] == [CANARY]


def test_a_text_that_is_never_kept_does_not_lie_there(path: Path) -> None:
    """It is sent all the same, if it can be at once."""
    provider = ScriptedProvider()
    config = config_with(f"sqlite:///{path}", provider, text=TextAtRest.NEVER)
    with notifier_with(config) as notifier:
        (delivery,) = notifier.send(MESSAGE)
        on_the_way = on_disk(path)
        kept = notifier.get(delivery.id)

    assert delivery.accepted
    assert kept.accepted
    assert [message.body for message, _ in provider.sent] == [CANARY]
    assert CANARY.encode() not in on_the_way + on_disk(path)


def test_what_is_never_kept_cannot_be_enqueued(path: Path) -> None:
    config = config_with(f"sqlite:///{path}", text=TextAtRest.NEVER)
    with notifier_with(config) as notifier, pytest.raises(JournalError) as caught:
        notifier.enqueue(MESSAGE)

    assert str(caught.value) == (
        "with journal.text: never nothing can be enqueued; use send, or text: keep"
    )


# --- keys -----------------------------------------------------------------------------------


def test_a_text_is_read_with_the_key_that_it_was_written_with(path: Path) -> None:
    write(path, KEY)

    assert loaded(path, KEY).body == CANARY


def test_a_text_that_was_written_before_keys_were_changed_is_read(path: Path) -> None:
    """With the old key behind the new one, which writes from now on."""
    write(path, OTHER)
    write(path, KEY, OTHER, number=2)

    assert loaded(path, KEY, OTHER).body == CANARY
    assert loaded(path, KEY, number=2).body == CANARY


def test_a_text_that_was_written_before_there_was_a_key_is_read(path: Path) -> None:
    write(path)

    assert loaded(path, KEY).body == CANARY


UNREADABLE = {
    "another key": (
        (OTHER,),
        "a text in the journal was encrypted with another key; add that key to "
        "journal.text_keys behind the new one",
    ),
    "no key": ((), "a text in the journal is encrypted; set journal.text_keys"),
}


@pytest.mark.parametrize(("keys", "told"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_text_that_cannot_be_read_is_found_by_the_check(
    path: Path, keys: tuple[Secret, ...], told: str
) -> None:
    write(path, KEY)

    with closing(opened(path, *keys)) as journal:
        assert journal.check() == [f"delivery {1:024x}: {told}"]


@pytest.mark.parametrize("keys", [(OTHER,), ()], ids=["another key", "no key"])
def test_a_delivery_whose_text_cannot_be_read_is_shown_without_it(
    path: Path, keys: tuple[Secret, ...]
) -> None:
    """How it stands does not hang on its text."""
    write(path, KEY)

    assert loaded(path, *keys) is GONE


@pytest.mark.parametrize("keys", [(OTHER,), ()], ids=["another key", "no key"])
def test_a_delivery_whose_text_cannot_be_read_is_left_to_who_has_the_key(
    path: Path, keys: tuple[Secret, ...], caplog: pytest.LogCaptureFixture
) -> None:
    """It is not sent without its text, and keeps no other from being sent."""
    write(path, KEY)
    write(path, *keys, number=2)

    assert [entry.id for entry in claimed(path, *keys)] == [f"{2:024x}"]
    assert f"delivery {1:024x} cannot be carried on" in caplog.text
    assert {entry.id for entry in claimed(path, KEY, *keys)} == {f"{1:024x}", f"{2:024x}"}


@pytest.mark.parametrize("key", ["", "short", "не ключ", "x" * 44])
def test_what_is_no_key_is_refused_without_repeating_it(path: Path, key: str) -> None:
    with pytest.raises(JournalError) as caught:
        opened(path, Secret(key))

    assert str(caught.value).startswith(
        "journal.text_keys is no Fernet key: 32 bytes in URL-safe base64; make one with: python -c"
    )
    assert not key or f"{key!r}" not in str(caught.value)
    assert not path.exists()


# --- seals ----------------------------------------------------------------------------------


def test_the_same_text_is_never_encrypted_to_the_same() -> None:
    """Whoever looks cannot tell that two messages say the same."""
    seal = Encrypted([KEY])

    assert seal.closed(CANARY) != seal.closed(CANARY)


@pytest.mark.parametrize("text", ["", "{}", "привет 🎉", "x" * 100_000])
def test_a_text_of_any_length_comes_back(text: str) -> None:
    seal = Encrypted([KEY])

    closed = seal.closed(text)

    assert closed is not None
    assert seal.opened(closed) == text


def test_a_text_that_was_tampered_with_is_not_read() -> None:
    seal = Encrypted([KEY])
    closed = seal.closed(CANARY)
    assert closed is not None

    with pytest.raises(JournalError, match="another key"):
        seal.opened(closed[:-4] + "AAA=")


def test_the_seals_that_do_not_encrypt_read_what_lies_there() -> None:
    """Also after a change to them."""
    assert Unsealed().closed(CANARY) == CANARY
    assert LeftOut().closed(CANARY) is None
    assert Unsealed().opened(CANARY) == LeftOut().opened(CANARY) == CANARY
