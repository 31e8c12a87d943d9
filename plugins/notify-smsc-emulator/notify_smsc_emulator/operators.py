"""Invented but constant facts about numbers: country, operator, HLR data.

The countries' codes are those of ITU E.164 and E.212; operators, regions and IMSIs are made up.
"""

from attrs import frozen

from .model import CaughtMessage, Status


@frozen(kw_only=True)
class Operator:
    """Who serves a number."""

    country: str
    name: str
    region: str
    mcc: str
    mnc: str
    tz: str
    """Hours relative to Moscow."""

    @property
    def mccmnc(self) -> str:
        """Country and operator code in one."""
        return self.mcc + self.mnc

    @property
    def fields(self) -> dict[str, str]:
        """The names of ``info.php?get_operator=1``."""
        return {
            "country": self.country,
            "operator": self.name,
            "region": self.region,
            "mcc": self.mcc,
            "mnc": self.mnc,
            "tz": self.tz,
        }

    @classmethod
    def of(cls, phone: str) -> "Operator":
        """Return the operator of a number, `NOBODY` if there is none."""
        for prefix, operator in _BY_PREFIX:
            if phone.isdecimal() and phone.startswith(prefix):
                return operator
        return NOBODY


NOBODY = Operator(country="", name="", region="", mcc="", mnc="", tz="")

_BY_PREFIX: tuple[tuple[str, Operator], ...] = (
    (
        "77",
        Operator(
            country="Казахстан", name="Эмулятор", region="Алматы", mcc="401", mnc="01", tz="2"
        ),
    ),
    (
        "7",
        Operator(country="Россия", name="Эмулятор", region="Москва", mcc="250", mnc="01", tz="0"),
    ),
    (
        "375",
        Operator(country="Беларусь", name="Эмулятор", region="Минск", mcc="257", mnc="01", tz="0"),
    ),
)


@frozen(kw_only=True)
class Subscriber:
    """What an HLR query finds out; empty while it is not known."""

    imsi: str = ""
    msc: str = ""
    mcc: str = ""
    mnc: str = ""
    country: str = ""
    operator: str = ""
    roaming_country: str = ""
    roaming_operator: str = ""

    @property
    def fields(self) -> dict[str, str]:
        """The names of ``status.php``, in the order of ``fmt=1``."""
        return {
            "imsi": self.imsi,
            "msc": self.msc,
            "mcc": self.mcc,
            "mnc": self.mnc,
            "cn": self.country,
            "net": self.operator,
            "rcn": self.roaming_country,
            "rnet": self.roaming_operator,
        }


def subscriber(message: CaughtMessage) -> Subscriber:
    """Return what an HLR query has found out so far."""
    operator = Operator.of(message.phone)
    if message.status is not Status.DELIVERED or message.err or operator is NOBODY:
        return Subscriber()
    return Subscriber(
        imsi=operator.mccmnc + message.phone[-10:],
        msc=message.phone[:4] + "0000000",
        mcc=operator.mcc,
        mnc=operator.mnc,
        country=operator.country,
        operator=operator.name,
    )
