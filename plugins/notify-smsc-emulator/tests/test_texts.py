"""Counting, cutting and transliterating."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_smsc_emulator.texts import (
    count_binary_parts,
    count_parts,
    cut_to_parts,
    transliterate,
)

TEXTS = st.text(st.sampled_from("aЯ{€\n🙂"), max_size=700)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        pytest.param("", 1, id="nothing"),
        pytest.param("a" * 160, 1, id="one Latin SMS"),
        pytest.param("a" * 161, 2, id="two Latin parts"),
        pytest.param("a" * 306, 2, id="two full Latin parts"),
        pytest.param("a" * 307, 3, id="three Latin parts"),
        pytest.param("я" * 70, 1, id="one Cyrillic SMS"),
        pytest.param("я" * 71, 2, id="two Cyrillic parts"),
        pytest.param("я" * 135, 3, id="three Cyrillic parts"),
        pytest.param("a" * 70 + "я", 2, id="one Cyrillic letter makes all Cyrillic"),
        pytest.param("{" * 80, 1, id="the extension counts twice"),
        pytest.param("{" * 81, 2, id="the extension counts twice, two parts"),
        pytest.param("`" * 71, 2, id="the backtick is not Latin"),
        pytest.param("🙂" * 36, 2, id="an emoji counts twice"),
    ],
)
def test_parts_are_counted_by_the_alphabet(text: str, parts: int) -> None:
    assert parts == count_parts(text)


@pytest.mark.parametrize(("size", "parts"), [(0, 1), (140, 1), (141, 2)])
def test_a_binary_part_holds_140_bytes(size: int, parts: int) -> None:
    assert parts == count_binary_parts(size)


@given(TEXTS, st.integers(1, 5))
def test_a_cut_text_is_a_beginning_that_fits(text: str, parts: int) -> None:
    cut = cut_to_parts(text, parts)
    assert text.startswith(cut)
    assert count_parts(cut) <= parts


@given(TEXTS, st.integers(1, 20))
def test_a_text_that_fits_is_not_cut(text: str, more: int) -> None:
    assert text == cut_to_parts(text, count_parts(text) + more)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("0", "Щука"), ("1", "Schuka"), ("2", "w,yKa"), ("3", "Щука")],
)
def test_translit_has_two_modes(mode: str, expected: str) -> None:
    assert expected == transliterate("Щука", mode)


@given(st.text(st.sampled_from("абвгдеёжзийклмнопрстуфхцчшщъыьэюяАЯ"), min_size=1, max_size=70))
def test_translit_brings_cyrillic_into_one_latin_sms_or_more(text: str) -> None:
    latin = transliterate(text, "1")
    assert latin.isascii()
