"""Which messages say stop, which say start, and which only hold such a word."""

from __future__ import annotations

import pytest

from notify_core.policy.words import Said, Words

WORDS = Words.known()

BY_LANGUAGE = [
    *("STOP", "STOPALL", "Stop all", "UNSUBSCRIBE", "opt out", "Opt-out", "remove me"),  # English
    *("CANCEL", "END", "QUIT", "Revoke", "Don't text me", "do not text", "no more messages"),
    *("СТОП", "Отписаться", "отписатся", "ОТПИСКА", "НЕ ПИСАТЬ", "не пишите", "Не присылайте"),
    *("не беспокоить", "отказ от рассылки", "Удалите мой номер"),  # Russian
    *("відписатися", "не надсилайте", "Припиніть"),  # Ukrainian
    *("адпісацца", "не дасылайце"),  # Belarusian
    *("тоқта", "ТОҚТАТУ", "жібермеңіз", "Toqta"),  # Kazakh
    *("нанависед", "қатъ кунед"),  # Tajik
    *("to'xtating", "тўхтатинг", "yozmang"),  # Uzbek
    *("токтот", "жибербеңиз"),  # Kyrgyz
    *("դադարեցնել", "մի գրեք"),  # Armenian
    *("სტოპ", "გამოწერის გაუქმება"),  # Georgian
    *("dayandır", "göndərməyin"),  # Azerbaijani
    *("iptal", "RET", "abonelikten çık"),  # Turkish
    *("Stopp", "Abmelden", "Keine Werbung mehr"),  # German
    *("ARRÊT", "désabonner", "plus de pub"),  # French
    *("BAJA", "darme de baja", "no enviar", "parar", "sair"),  # Spanish, Portuguese
    *("disiscrivimi", "basta"),  # Italian
    *("wypisz mnie", "nie wysyłać"),  # Polish
    *("odhlásit", "dezabonare", "отписване", "nesiųskite", "atrakstīties"),  # and neighbours
    *("afmelden", "avregistrera", "lopeta", "στοπ", "зогсоох", "berhenti"),
    *("הסר", "إلغاء الاشتراك", "退订", "退訂", "配信停止", "수신거부", "ยกเลิก"),
]

SPELLINGS = [
    *("stop", "Stop!", " STOP ", "«Стоп»", '"STOP"', "(стоп)", "СТОП...", "стоп)))", "/stop"),
    *("🛑 STOP", "stop 🙏🏽", "СТОП❗️", "S T O P", "С.Т.О.П.", "с-т-о-п", "STOOOOP", "СТОООП!!!"),
    *("CTOП", "CTOП", "СТOП", "ЅТОР", "STОР", "CTOP", "ST0P", "СТ0П"),  # letters that look alike
    *("ＳＴＯＰ", "𝐒𝐓𝐎𝐏", "Ⓢⓣⓞⓟ", "ST\u200bOP", "\u2066STOP\u2069", "s\u0336t\u0336o\u0336p\u0336"),
    *("CNJG", "cnjg", "ЫЕЩЗ", "jngbcfnmcz", "yt gbcfnm", "YT GBCFNM"),  # keys
    *(
        "OTPISATSYA",
        "otpisatsia",
        "otpiska",
        "NE PISAT",
        "ne pishite",
        "vidpysatys",
    ),
    *("токта", "ТОКТАТУ", "жибермениз", "to'xtating", "to‘xtat", "toʻxtat"),
    *("DAYANDIR", "gondermeyin", "ARRET", "desabonner", "odhlasit", "لغو"),
    *("لغو۱۱", "لغو 11", "STOP STOP STOP", "Стоп, отписаться"),
]

WITH_COURTESY = [
    *("STOP please", "please stop", "Stop, thank you!", "STOP sending me messages"),
    *("стоп спасибо", "Пожалуйста, стоп", "СТОП рассылка", "не пишите мне больше", "ну стоп уже"),
    *("отпишите меня от рассылки, пожалуйста", "STOP 36180", "stop au 36180", "Stopp bitte"),
    *("STOP s'il vous plaît", "стоп, дякую", "stop por favor"),
]

ABOUT_ANYTHING_ELSE = [
    *(
        "stop by my office at 5",
        "Don't stop!",
        "non-stop",
        "bus stop",
        "when will it stop",
        "stop?no",
    ),
    *("Please cancel my order", "cancel please", "the end", "I quit my job", "end of the month?"),
    *(
        "не останавливайтесь",
        "не стоп",
        "стоп-кран",
        "стоп, а где мой заказ",
        "остановка",
        "стопка",
    ),
    *(
        "не пишите адрес на коробке",
        "не звоните",
        "отказ",
        "отмена",
        "нет",
        "НЕТ",
        "no",
        "yes",
        "да",
    ),
    *(
        "стоп 5",
        "5",
        "1234",
        "",
        " ",
        "🛑",
        "...",
        "ytb",
        "утв",
        "red",
        "спасибо",
        "thank you",
        "ok",
    ),
    *("stop start", "start please", "I want to unsubscribe from life", "unstoppable", "stopover"),
    "stop " * 9,
    "стоп" + " " * 160,
]


@pytest.mark.parametrize("text", [*BY_LANGUAGE, *SPELLINGS, *WITH_COURTESY])
def test_a_message_says_stop(text: str) -> None:
    assert WORDS.said(text) is Said.STOP


@pytest.mark.parametrize("text", ABOUT_ANYTHING_ELSE)
def test_a_message_about_anything_else_says_nothing(text: str) -> None:
    assert WORDS.said(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "START",
        "/start",
        "Start.",
        "UNSTOP",
        "Subscribe",
        "СТАРТ",
        "подписаться",
        "CNFHN",
        "ЫЕФКЕ",
        "start",
        "підписатись",
        "başla",
        "S'abonner",
        "podpisatsya",
        "СТАРТ!",
    ],
)
def test_a_start_word_is_the_whole_message(text: str) -> None:
    assert WORDS.said(text) is Said.START


def test_words_of_ones_own_are_known_beside_the_others() -> None:
    words = Words.known(stop=["Halt ein"], start=["weiter"])

    assert words.said("HALT EIN, bitte") is Said.STOP
    assert words.said("Weiter!") is Said.START
    assert words.said("stop") is Said.STOP


def test_words_of_ones_own_are_known_on_the_wrong_keyboard() -> None:
    assert Words.known(stop=["тишина"]).said("nbibyf") is Said.STOP


def test_a_built_in_word_can_mean_something_else() -> None:
    """Where an appointment is cancelled with CANCEL nobody is taken for one who said stop."""
    words = Words.known(ignored=["Cancel"])

    assert words.said("CANCEL") is None
    assert words.said("END") is Said.STOP


def test_a_word_of_ones_own_has_the_meaning_that_is_given_to_it() -> None:
    words = Words.known(start=["end"])

    assert words.said("end") is Said.START


def test_no_phrase_says_both() -> None:
    """Every phrase that says start says nothing else, in whatever spelling."""
    assert not WORDS._start & (WORDS._stop | WORDS._stop_alone)


def test_a_long_message_costs_nothing() -> None:
    """Some characters are eighteen once they are taken apart."""
    assert WORDS.said("ﷺ" * 100_000) is None
