"""Recognising that somebody wants no more messages, or wants them again. Pure.

A message counts if nothing stands in it but one phrase of the tables below, written once or more,
and words that change nothing about it: "STOP please", "ну стоп уже, спасибо". So "stop by my
office at 5" is no stop word. Phrases that answer other questions as well ("cancel", "end") count
only where they are the whole message. A start word always has to be the whole message: whoever is
sent nothing by mistake can say so again, whoever is sent something by mistake has said it once
already.

Spellings are not in the tables. They are those of people who type in a hurry, on a keyboard that
is set to another language, or on one that lacks letters: see ``_spellings`` and ``_folded``.
"""

from __future__ import annotations

import enum
import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

import attrs


class Said(enum.Enum):
    """What somebody has said about messages to come."""

    STOP = "stop"
    """There shall be no more."""
    START = "start"
    """They may come again."""


# --- the phrases, in small letters, by language ----------------------------------------------

# Only where somebody who writes the language would understand nothing else by it. The English ones
# hold the seven that regulations of the United States name: 47 CFR 64.1200(a)(10).
_STOP: Final = {
    "en": """stop, stopall, stop all, unsubscribe, unsub, opt out, optout, remove me,
        no more messages, no more sms, no more texts, do not text, dont text,
        do not message, dont message, stop texting, stop sending, stop messaging""",
    "ru": """стоп, ctop, отписаться, отписатся, отпишись, отпишите, отписать, отписка,
        отписываюсь, не писать, не пиши, не пишите, не присылать, не присылай,
        не присылайте, не отправлять, не отправляйте, не слать, не шлите,
        не беспокоить, не беспокойте, хватит писать, хватит слать, хватит присылать,
        прекратить, прекратите, отказ от рассылки,
        отказаться от рассылки, отказываюсь от рассылки, отключить рассылку,
        отключите рассылку, отменить рассылку, отменить подписку, удалите мой номер,
        удалить мой номер""",
    "uk": """стоп, відписатися, відписатись, відпишіть, відписка, не писати, не пишіть,
        не надсилати, не надсилайте, припиніть, скасувати підписку""",
    "be": """стоп, адпісацца, не пісаць, не пішыце, не дасылаць, не дасылайце, спыніце""",
    "kk": """тоқта, тоқтату, тоқтат, тоқтатыңыз, жазбаңыз, жіберме, жібермеңіз,
        жазылымнан бас тарту""",
    "tg": """қатъ кунед, нанависед, нафиристед""",
    "uz": """to'xta, to'xtat, to'xtating, to'xtatish, тўхта, тўхтат, тўхтатинг, тўхтатиш,
        yozmang, ёзманг, yubormang, юборманг, obunani bekor qilish, обунани бекор қилиш""",
    "ky": """токто, токтот, токтотуу, токтотуңуз, жазбаңыз, жибербе, жибербеңиз""",
    "hy": """ստոպ, դադարեցնել, դադարեցրեք, ապաբաժանորդագրվել, մի գրեք""",
    "ka": """სტოპ, შეწყვიტეთ, გამოწერის გაუქმება, ნუ მწერთ""",
    "az": """dayandır, dayandırın, dayandırmaq, yazmayın, göndərməyin, abunəni ləğv et""",
    "tr": """durdur, durdurun, abonelikten çık, abonelikten çıkmak istiyorum, mesaj atmayın,
        mesaj göndermeyin, yazmayın, göndermeyin""",
    "de": """stopp, abmelden, abmeldung, abbestellen, austragen, keine sms mehr,
        keine nachrichten mehr, keine werbung, keine werbung mehr""",
    "fr": """arrêt, arrêter, arrêtez, désabonner, désabonnez, désabonnement, se désabonner,
        me désabonner, désinscription, désinscrire, me désinscrire, plus de sms, plus de pub""",
    "es": """darme de baja, dar de baja, desuscribir, desuscribirme, cancelar suscripción,
        no enviar, no envíen, no me escriban, no más mensajes""",
    "pt": """descadastrar, cancelar inscrição, cancelar assinatura""",
    "it": """disiscrivi, disiscrivimi, disiscrizione, cancella iscrizione, cancellami""",
    "pl": """wypisz, wypisz mnie, nie pisać, nie piszcie, nie wysyłać, nie wysyłajcie""",
    "cs, sk": "odhlásit, odhlásiť, neposílat, neposílejte, neposielať, neposielajte",
    "ro": """dezabonare, dezabonează, dezabonați, nu mai trimiteți""",
    "bg": """отписване, отпиши ме, не изпращайте, спрете""",
    "lt, lv": """nesiųskite, atrakstīties, nesūtiet""",
    "nl, sv, da, no, fi": "afmelden, uitschrijven, avregistrera, afmeld, avmeld, lopeta",
    "el": "στοπ",
    "mn": "зогсоох",
    "id": "berhenti",
    "he": "הסר, הסרה",
    "ar, fa": "إلغاء الاشتراك, لغو11, لغو 11",
    "zh": "退订, 退訂, 取消订阅, 取消訂閱",
    "ja, ko": "配信停止, 수신거부",
}

# These answer other questions as well, or are words of another meaning elsewhere.
_STOP_ALONE: Final = {
    "en": "end, quit, cancel, revoke, remove",
    "ru": "хватит",
    "tr, az": "ret, iptal, dayan",
    "de": "ende",
    "es, pt": "baja, parar, pare, sair, cancelar",
    "it, pl": "basta",
    "ar, fa, th": "إيقاف, توقف, لغو, ยกเลิก",
    "ja": "停止",
}

# No "yes", "да" or the like: people say these to whatever they were asked last.
_START: Final = {
    "en": "start, unstop, subscribe, opt in, optin",
    "ru": "старт, подписаться, подпишите",
    "uk": "старт, підписатися, підписатись",
    "be": "старт, падпісацца",
    "kk, ky": "бастау, баштоо",
    "uz": "boshlash, бошлаш",
    "hy": "բաժանորդագրվել",
    "tr, az": "başla, başlat, abone ol, abunə ol",
    "de": "abonnieren",
    "fr": "s'abonner",
    "es": "suscribir, suscribirme",
}

# What may stand beside a stop word without changing what it says.
_BESIDE: Final = {
    "en": """please, pls, plz, thanks, thank, you, thx, now, me, my, all, any, this, number, from,
        sms, text, texts, texting, message, messages, messaging, sending, spam, ads, list, hi,
        hello, immediately, anymore, and, ok, okay""",
    "ru": """пожалуйста, пож, пжл, пж, плиз, спасибо, спс, прошу, мне, меня, нас, нам, больше, смс,
        смски, сообщение, сообщения, сообщений, рассылка, рассылки, рассылку, рассылок, реклама,
        рекламы, рекламу, спам, спама, от, вас, ваш, ваша, ваши, вашу, ваших, вашей, все, всё,
        всех, этот, эту, мой, моего, номер, номера, на, с, сюда, уже, ну, здравствуйте""",
    "uk": """будь, ласка, дякую, мені, більше, повідомлення, повідомлень, розсилка, розсилки,
        розсилку, реклами, рекламу, від, мій, номер""",
    "be": "калі, ласка, дзякуй, мне, больш, паведамленні, паведамленняў, рассылку",
    "kk, ky": "өтінемін, рақмет, рахмет, маған, енді, хабарлама, сураныч, мага",
    "tg, uz": "лутфан, раҳмат, iltimos, rahmat, илтимос, menga, менга, endi",
    "az, tr": "lütfen, teşekkürler, sağol, zəhmət, olmasa, mənə, bana, artık, mesaj, reklam",
    "hy, ka": "խնդրում, եմ, გთხოვთ, მადლობა",
    "de": "bitte, danke, mir, mich, sofort, alle, nachrichten, werbung, newsletter, mehr",
    "fr": "merci, svp, stp, s'il, vous, te, plaît, moi, tous, publicité, pub, au",
    "es, pt, it": "por, favor, gracias, mensajes, obrigado, obrigada, grazie, favore, messaggi",
    "pl, cs": "proszę, dziękuję, dzięki, mi, mnie, wiadomości, prosím, děkuji, ďakujem",
    "ro, bg": "vă, rog, mulțumesc, моля, благодаря, ми",
}

_MOST_WORDS: Final = 8
_LONGEST: Final = 160
"""Longer messages are not looked at. Nobody writes so much to say stop."""

_Phrase: TypeAlias = tuple[str, ...]


@attrs.frozen
class Words:
    """The phrases that count, as they look when they are folded."""

    _stop: frozenset[_Phrase]
    _stop_alone: frozenset[_Phrase]
    _start: frozenset[_Phrase]
    _beside: frozenset[str]

    @classmethod
    def known(
        cls,
        stop: Iterable[str] = (),
        start: Iterable[str] = (),
        ignored: Iterable[str] = (),
    ) -> Words:
        """Return the built-in phrases without those ``ignored``, and ``stop`` and ``start``.

        A phrase that is given here has the meaning that is given here.
        """
        own_stop, own_start, left_out = _phrases(stop), _phrases(start), _phrases(ignored)
        own = own_stop | own_start | left_out
        return cls(
            (_phrases(_all(_STOP)) - own) | own_stop,
            _phrases(_all(_STOP_ALONE)) - own,
            (_phrases(_all(_START)) - own) | own_start,
            frozenset(phrase[0] for phrase in _phrases(_all(_BESIDE)) if len(phrase) == 1),
        )

    def said(self, text: str) -> Said | None:
        """Return what a message says; None for a message about anything else."""
        words = _folded(text) if len(text) <= _LONGEST else ()
        if not words or len(words) > _MOST_WORDS:
            return None
        if words in self._start:
            return Said.START
        if words in self._stop_alone or self._says_stop(words):
            return Said.STOP
        return None

    def _says_stop(self, words: _Phrase) -> bool:
        """Tell whether nothing stands there but stop words and what may stand beside them."""
        has_said = False
        while words:
            length = self._length_of_phrase(words)
            if length == 0 and not self._is_beside(words[0]):
                return False
            has_said = has_said or length > 0
            words = words[length or 1 :]
        return has_said

    def _length_of_phrase(self, words: _Phrase) -> int:
        """Return the length of the longest stop phrase at the beginning; 0 if there is none."""
        lengths = range(len(words), 0, -1)
        return next((length for length in lengths if words[:length] in self._stop), 0)

    def _is_beside(self, word: str) -> bool:
        # A long number is the one to which a stop word is sent, or the sender's own.
        return word in self._beside or (word.isdecimal() and len(word) >= _NUMBER_DIGITS)


_NUMBER_DIGITS: Final = 5


def _all(table: Mapping[str, str]) -> Iterator[str]:
    for phrases in table.values():
        yield from phrases.split(",")


def _phrases(given: Iterable[str]) -> frozenset[_Phrase]:
    return frozenset(
        folded for each in given for spelling in _spellings(each) if (folded := _folded(spelling))
    )


# --- spellings of a phrase -------------------------------------------------------------------


def _spellings(phrase: str) -> Iterator[str]:
    """Yield how a phrase is typed: as it is, with Latin letters, or on the wrong keyboard."""
    phrase = phrase.strip().casefold()
    yield phrase
    yield from _in_latin(phrase)
    if len(phrase) < _SHORTEST_ON_OTHER_KEYS:
        return
    if all(letter in _KEYS for letter in phrase):
        yield "".join(_KEYS[letter] for letter in phrase)
    elif all(letter in _RUSSIAN_OF_KEY for letter in phrase):
        yield "".join(_RUSSIAN_OF_KEY[letter] for letter in phrase)


_SHORTEST_ON_OTHER_KEYS: Final = 4
"""Shorter ones may be a word or an abbreviation there: "end" is "утв"."""


# The same keys on a keyboard that is set to Russian, and to English.
_KEYS: Final = dict(
    zip(
        " йцукенгшщзхъфывапролджэячсмитьбюё",
        " qwertyuiop[]asdfghjkl;'zxcvbnm,.`",
        strict=True,
    )
)
_RUSSIAN_OF_KEY: Final = {key: letter for letter, key in _KEYS.items()}

# Every way in which many people write a letter of theirs with Latin ones.
_LATIN: Final[Mapping[str, Sequence[str]]] = {
    **dict(zip("абвгдезклмнопрстуфэ", ([each] for each in "abvgdezklmnoprstufe"), strict=True)),
    **{
        "ё": ("e", "yo"),
        "ж": ("zh", "j"),
        "и": ("i", "y"),
        "й": ("y", "i", "j"),
        "х": ("kh", "h", "x"),
    },
    **{"ц": ("ts", "c"), "ч": ("ch",), "ш": ("sh",), "щ": ("sch", "shch"), "ъ": ("",)},
    **{"ы": ("y", "i"), "ь": ("",), "ю": ("yu", "iu"), "я": ("ya", "ia", "ja")},
    **{"і": ("i",), "ї": ("yi", "i"), "є": ("ye", "ie"), "ґ": ("g",), "ў": ("u", "o'")},
    **{"қ": ("q", "k"), "ң": ("n", "ng"), "ғ": ("g",), "ү": ("u",), "ұ": ("u",), "ө": ("o",)},
    **{"ә": ("a",), "ҳ": ("h",), "ҷ": ("j",), "ӣ": ("i",), "ӯ": ("u",), " ": (" ",)},
}


def _in_latin(phrase: str) -> Iterator[str]:
    if all(letter in _LATIN for letter in phrase):
        for letters in itertools.product(*(_LATIN[letter] for letter in phrase)):
            yield "".join(letters)


# --- what a text looks like ------------------------------------------------------------------


def _folded(text: str) -> _Phrase:
    """Return the words of a text without all in which two spellings of a word can differ.

    That is case, width, accents, what cannot be seen, letters that look like others, letters that
    a keyboard lacks, an o that is a zero, and a letter that is held down. Whatever is neither
    letter nor digit ends a word: S.T.O.P is one word all the same.
    """
    plain = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    seen = "".join(each for each in plain if unicodedata.category(each) not in _UNSEEN)
    words = _WORD.findall(seen.translate(_SAME))
    return tuple(_plain_word(each) for each in _joined(words))


_UNSEEN: Final = frozenset({"Mn", "Me", "Cf"})
"""Accents, the rings around letters, and what has no width."""

_WORD: Final = re.compile(r"[^\W_]+")
_HELD_DOWN: Final = re.compile(r"(\w)\1{2,}")

_PAIRS: Final = (
    ("авекмнорстухіјѕиһ", "abekmhopctyxijsih"),  # Cyrillic
    ("αβεηικμνορτυχ", "abehikmnoptyx"),  # Greek
    ("ıłøđə", "ilode"),  # Latin, without what an accent is taken from
    ("қңғәөүұҳҷґє", "khгaoyyxчгe"),  # Cyrillic, as a Russian keyboard has them
)
# An apostrophe belongs to the word that it stands in.
_SAME: Final = {
    **{ord(one): other for given, meant in _PAIRS for one, other in zip(given, meant, strict=True)},
    **dict.fromkeys(map(ord, "'`´‘’ʻʼ′"), None),
}


def _joined(words: Sequence[str]) -> Iterator[str]:
    """Yield the words; three single letters or more in a row are one."""
    for is_letter, run in itertools.groupby(words, key=lambda word: len(word) == 1):
        letters = list(run)
        if is_letter and len(letters) > 2:
            yield "".join(letters)
        else:
            yield from letters


def _plain_word(word: str) -> str:
    word = "".join(str(int(each)) if each.isdecimal() else each for each in word)
    return word if word.isdecimal() else _HELD_DOWN.sub(r"\1", word).replace("0", "o")
