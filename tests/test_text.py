"""How many parts a short message needs, and when one character makes it dearer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_core.text import Alphabet, PartCount, count_parts

# GSM 03.38, table by table, written down a second time on purpose.
BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = "\f^{}\\[~]|€"
EMOJI = "👋"

gsm_texts = st.text(alphabet=BASIC + EXTENDED, max_size=500)
any_texts = st.text(
    alphabet=st.one_of(st.sampled_from(BASIC + EXTENDED), st.sampled_from("яж’\xa0" + EMOJI)),
    max_size=300,
)


def reference(text: str) -> int:
    """Count the parts by laying whole characters into them one by one."""
    if set(text) <= set(BASIC + EXTENDED):
        sizes, single, several = [len("\x1b" * (c in EXTENDED)) + 1 for c in text], 160, 153
    else:
        sizes, single, several = [len(c.encode("utf-16-be")) // 2 for c in text], 70, 67
    if sum(sizes) <= single:
        return 1
    parts: list[list[int]] = [[]]
    for size in sizes:
        if sum(parts[-1]) + size > several:
            parts.append([])
        parts[-1].append(size)
    return len(parts)


@pytest.mark.parametrize("character", BASIC)
def test_a_character_of_the_basic_table_counts_one(character: str) -> None:
    assert count_parts(character) == PartCount(1, Alphabet.GSM_7, 1)


@pytest.mark.parametrize("character", EXTENDED)
def test_a_character_of_the_extension_table_counts_two(character: str) -> None:
    assert count_parts(character) == PartCount(1, Alphabet.GSM_7, 2)


def test_the_basic_table_is_whole() -> None:
    escape = 1

    assert len(set(BASIC)) + escape == 128


@pytest.mark.parametrize(
    ("text", "parts", "alphabet", "units"),
    [
        pytest.param("", 1, Alphabet.GSM_7, 0, id="nothing"),
        pytest.param("a" * 160, 1, Alphabet.GSM_7, 160, id="one full part"),
        pytest.param("a" * 161, 2, Alphabet.GSM_7, 161, id="one character more"),
        pytest.param("a" * 306, 2, Alphabet.GSM_7, 306, id="two full parts"),
        pytest.param("a" * 307, 3, Alphabet.GSM_7, 307, id="two full parts and one"),
        pytest.param("a" * 1530, 10, Alphabet.GSM_7, 1530, id="ten full parts"),
        pytest.param("a" * 1531, 11, Alphabet.GSM_7, 1531, id="ten full parts and one"),
        pytest.param("€" * 80, 1, Alphabet.GSM_7, 160, id="one part of signs that count two"),
        pytest.param("€" * 81, 2, Alphabet.GSM_7, 162, id="one such sign more"),
        pytest.param("a" * 159 + "€", 2, Alphabet.GSM_7, 161, id="half of a sign too much"),
        pytest.param(
            "a" * 152 + "€" + "a" * 152, 3, Alphabet.GSM_7, 306, id="a sign is never split"
        ),
        pytest.param("€" * 153, 3, Alphabet.GSM_7, 306, id="76 such signs to a part, not 76.5"),
        pytest.param("я" * 70, 1, Alphabet.UCS_2, 70, id="one full part in Cyrillic"),
        pytest.param("я" * 71, 2, Alphabet.UCS_2, 71, id="one letter more"),
        pytest.param("я" * 134, 2, Alphabet.UCS_2, 134, id="two full parts in Cyrillic"),
        pytest.param("я" * 135, 3, Alphabet.UCS_2, 135, id="two full parts and one letter"),
        pytest.param(EMOJI * 35, 1, Alphabet.UCS_2, 70, id="an emoji counts two"),
        pytest.param(EMOJI * 36, 2, Alphabet.UCS_2, 72, id="one emoji more"),
        pytest.param("я" * 66 + EMOJI + "я" * 66, 3, Alphabet.UCS_2, 134, id="nor is an emoji"),
        pytest.param("€" * 35 + "я" * 35, 1, Alphabet.UCS_2, 70, id="€ counts one in UCS-2"),
        pytest.param("a\r\nb", 1, Alphabet.GSM_7, 4, id="line ends are characters"),
        pytest.param("a\tb", 1, Alphabet.UCS_2, 3, id="a tab is in neither table"),
        pytest.param("ç", 1, Alphabet.UCS_2, 1, id="the table has Ç but not ç"),
        pytest.param("`", 1, Alphabet.UCS_2, 1, id="a backquote is in neither table"),
    ],
)
def test_a_text_needs_so_many_parts(text: str, parts: int, alphabet: Alphabet, units: int) -> None:
    counted = count_parts(text)

    assert (counted.parts, counted.alphabet, counted.units) == (parts, alphabet, units)


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        (
            "It’s ready" + "a" * 61,
            "U+2019 makes this 2 parts; 1 without, in the 7-bit alphabet",
        ),
        ("a" * 100 + "\xa0", "U+00A0 makes this 2 parts; 1 without, in the 7-bit alphabet"),
        ("a" * 140 + "…", "U+2026 makes this 3 parts; 1 without, in the 7-bit alphabet"),
        ("a" * 90 + EMOJI, "U+1F44B makes this 2 parts; 1 without, in the 7-bit alphabet"),
        (
            "a" * 90 + "“”",
            "U+201C, U+201D make this 2 parts; 1 without, in the 7-bit alphabet",
        ),
    ],
)
def test_a_stray_character_that_doubles_the_parts_is_named(text: str, warning: str) -> None:
    assert count_parts(text).warning == warning


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a" * 500, id="the 7-bit alphabet"),
        pytest.param("It’s ready", id="one part either way"),
        pytest.param("a" * 310 + "’", id="5 parts in place of 3 are not twice as many"),
        pytest.param("Ваш заказ готов, ждём вас в магазине до 21:00. " * 3, id="Cyrillic"),
        pytest.param("Dzień dobry, zamówienie jest już gotowe, prosimy o odbiór " * 3, id="Polish"),
    ],
)
def test_a_text_that_costs_what_it_must_gets_no_warning(text: str) -> None:
    assert count_parts(text).warning is None


def test_a_count_shows_no_character_of_the_text() -> None:
    assert "’" not in repr(count_parts("a" * 90 + "’"))


@given(any_texts)
def test_parts_are_those_of_laying_characters_one_by_one(text: str) -> None:
    assert count_parts(text).parts == reference(text)


@given(gsm_texts)
def test_parts_of_a_7_bit_text_are_those_of_laying_characters_one_by_one(text: str) -> None:
    assert count_parts(text).parts == reference(text)


@given(any_texts, any_texts)
def test_a_longer_text_never_needs_fewer_parts(text: str, more: str) -> None:
    assert count_parts(text).parts <= count_parts(text + more).parts
