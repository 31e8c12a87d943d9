"""The small languages inside the parameters: times, ids, phones, lists, letters.

Every reader returns the value or raises `Refused` with the number that ``send.php`` answers:
https://smscentre.com/api/http/send/sms , letters: https://smscentre.com/api/smtp
"""

import re
from collections.abc import Mapping
from datetime import datetime, time, timedelta

from .model import Channel, ErrorCode, MessageId, Refused
from .settings import moscow_zone

_HOUR_S = 3600
_LARGEST_ID = 2**31 - 1
_TAGGED = re.compile(r"\[text\](.*?)\[/text\]", re.DOTALL | re.IGNORECASE)
_LIST_LINE = re.compile(r"([^:;]*)[:;](.*)", re.DOTALL)
_PHONES = re.compile(r"[+\d\s(),-]+|[^\s:;]+@[^\s:;]+")

# The numbers that the vendor's libraries use for channels; 12 and unknown ones are plain SMS:
# https://smsc.ru/api/code/libraries/http_smtp/php/
_MAIL_FORMATS: Mapping[str, tuple[str, str]] = {
    "1": ("flash", "1"),
    "2": ("push", "1"),
    "3": ("hlr", "1"),
    "4": ("bin", "1"),
    "5": ("bin", "2"),
    "6": ("ping", "1"),
    "7": ("mms", "1"),
    "8": ("mail", "1"),
    "9": ("call", "1"),
    "10": ("viber", "1"),
    "11": ("soc", "1"),
    "13": ("tg", "1"),
}

_PREFIXES: Mapping[str, Channel] = {
    "__HLR__": Channel.HLR,
    "__PING__": Channel.PING,
    "__CALL__": Channel.CALL,
    "__VIBER__": Channel.VIBER,
    "__SOC__": Channel.SOC,
}


def read_id(value: str) -> MessageId | None:
    """Read the id that the client chose; empty and 0 mean that it chose none.

    Digits alone are an integer, so more than 2147483647 is refused and not taken for a string.
    """
    if not value or value == "0":
        return None
    if re.fullmatch(r"[0-9]+", value):
        return _in_range(int(value), 1, _LARGEST_ID)
    if re.fullmatch(r"[A-Za-z0-9._-]{1,40}", value):
        return value
    raise Refused(ErrorCode.PARAMETERS)


def read_life(value: str) -> float:
    """Read ``valid``, whole hours 1…24 or ``hh:mm`` 00:01…24:00, as seconds; 0 when empty."""
    if not value:
        return 0
    if re.fullmatch(r"\d{1,2}", value):
        return _in_range(int(value), 1, 24) * _HOUR_S
    if match := re.fullmatch(r"(\d\d):([0-5]\d)", value):
        return _in_range(int(match[1]) * 60 + int(match[2]), 1, 24 * 60) * 60
    raise Refused(ErrorCode.PARAMETERS)


def read_number(value: str, low: int, high: int, default: int) -> int:
    """Read a whole number within bounds; empty means the default."""
    if not value:
        return default
    if not re.fullmatch(r"\d{1,9}", value):
        raise Refused(ErrorCode.PARAMETERS)
    return _in_range(int(value), low, high)


def _in_range(number: int, low: int, high: int) -> int:
    if not low <= number <= high:
        raise Refused(ErrorCode.PARAMETERS)
    return number


def read_zone(value: str, default: float) -> float:
    """Read ``tz``, hours relative to Moscow; empty means the account's own."""
    if not value:
        return default
    if not re.fullmatch(r"[+-]?\d{1,2}(\.\d)?", value) or abs(float(value)) > 20:
        raise Refused(ErrorCode.PARAMETERS)
    return float(value)


def read_time(value: str, now: float, zone_hours: float) -> float:
    """Read ``time`` in any of its forms as unix time; ``now`` when empty, 0 or in the past.

    Forms: ``DDMMYYhhmm``, ``DD.MM.YY hh:mm``, ``h1-h2``, ``0<unix time>``, ``+<minutes>``.
    """
    if value in ("", "0"):
        return now
    if re.fullmatch(r"\d{10}", value):
        return max(now, _read_date(value, "%d%m%y%H%M", zone_hours))
    if re.fullmatch(r"\d\d\.\d\d\.\d\d \d\d:\d\d", value):
        return max(now, _read_date(value, "%d.%m.%y %H:%M", zone_hours))
    if match := re.fullmatch(r"(\d{1,2})-(\d{1,2})", value):
        return _next_in_window(int(match[1]), int(match[2]), now, zone_hours)
    if match := re.fullmatch(r"0(\d{1,11})", value):
        return max(now, float(match[1]))
    if match := re.fullmatch(r"\+(\d{1,7})", value):
        return now + int(match[1]) * 60
    raise Refused(ErrorCode.DATE)


def _read_date(value: str, form: str, zone_hours: float) -> float:
    try:
        moment = datetime.strptime(value, form)
    except ValueError as exc:
        raise Refused(ErrorCode.DATE) from exc
    return moment.replace(tzinfo=moscow_zone(zone_hours)).timestamp()


def _next_in_window(first: int, last: int, now: float, zone_hours: float) -> float:
    """Return ``now`` inside the hours, else the moment when they begin next."""
    if not first < last <= 24:
        raise Refused(ErrorCode.DATE)
    local = datetime.fromtimestamp(now, moscow_zone(zone_hours))
    if first <= local.hour < last:
        return now
    opening = datetime.combine(local.date(), time(first), local.tzinfo)
    return (opening if opening > local else opening + timedelta(days=1)).timestamp()


def split_phones(value: str) -> tuple[str, ...]:
    """Take a list of recipients apart at ``,`` and ``;``, leaving out empty places."""
    return tuple(phone for piece in re.split("[,;]", value) if (phone := piece.strip()))


def clean_phone(phone: str) -> str:
    """Bring a recipient into the form in which it is stored and looked up.

    Without a leading ``+`` a Russian 8… is corrected to 7…, as the gateway may do.
    """
    digits = re.sub(r"[\s()-]", "", phone)
    if not re.fullmatch(r"\+?\d+", digits):
        return phone.strip()
    if re.fullmatch(r"8\d{10}", digits):
        return "7" + digits[1:]
    return digits.removeprefix("+")


def read_list(value: str, multiline: bool = False) -> tuple[tuple[str, str], ...]:
    """Read ``list``: lines of phones, ``:`` or ``;``, text. Return (phones, text) pairs.

    With ``nl=1`` (multiline) a line that does not begin with a recipient continues the text
    of the line before; how the gateway tells them apart is not documented.
    """
    pairs: list[tuple[str, str]] = []
    for line in value.replace("\r\n", "\n").split("\n"):
        match = _LIST_LINE.fullmatch(line)
        starts = match and (not multiline or _PHONES.fullmatch(match[1]))
        if match and starts:
            pairs.append((match[1], match[2]))
        elif multiline and pairs:
            pairs[-1] = (pairs[-1][0], f"{pairs[-1][1]}\n{line}")
        elif line.strip():
            raise Refused(ErrorCode.PARAMETERS)
    return tuple(pairs)


def split_comment(text: str) -> tuple[str, str]:
    """Part the text from the comment that follows a line ``~~~`` and is not sent."""
    match = re.search(r"(?:^|\n)~~~\r?(?:\n|$)", text)
    if not match:
        return text, ""
    return text[: match.start()], text[match.end() :]


def split_prefix(text: str) -> tuple[Channel | None, str]:
    """Part the text from a prefix such as ``__CALL__`` that switches the channel."""
    for prefix, channel in _PREFIXES.items():
        if text.startswith(prefix):
            return channel, text.removeprefix(prefix).lstrip()
    return None, text


def read_letter(body: str) -> dict[str, str]:
    """Read the body of a letter into the parameters that ``send.php`` takes.

    ``login:psw:id:time,tz:translit,format,sender,test:phones:text``, where ``tz`` and ``test``
    may be missing; with empty phones the rest is a list; with an empty login ``psw`` is the
    API key.
    """
    tagged = _TAGGED.search(body)
    fields = (tagged[1].strip("\r\n") if tagged else body.rstrip("\r\n")).split(":", 6)
    if len(fields) != 7:
        raise Refused(ErrorCode.PARAMETERS)
    login, password, message_id, when, options, phones, rest = fields
    moment, zone = _pad(when, 2)
    translit, form, sender, test = _pad(options, 4)
    params = {"login": login, "psw": password} if login else {"apikey": password}
    params |= {"id": message_id, "time": moment, "tz": zone, "translit": translit}
    params |= {"sender": sender, "test": test}
    params |= {"phones": phones, "mes": rest} if phones else {"list": rest}
    if form in _MAIL_FORMATS:
        name, flag = _MAIL_FORMATS[form]
        params[name] = flag
    return params


def _pad(value: str, count: int) -> list[str]:
    pieces = value.split(",")
    if len(pieces) > count:
        raise Refused(ErrorCode.PARAMETERS)
    return [piece.strip() for piece in pieces] + [""] * (count - len(pieces))
