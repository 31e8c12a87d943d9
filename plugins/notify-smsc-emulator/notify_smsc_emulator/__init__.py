"""A development gateway on loopback that stands for SMSC.RU."""

from .callbacks import SentReceipt
from .clock import Clock, ManualClock, RealClock
from .cutting import CuttingProxy
from .decoding import Param, Place, SeenRequest
from .faults import Fault, FaultKind
from .model import CaughtMessage, Channel, ErrorCode, File, Script, Status, Transport
from .runner import Emulator
from .settings import SendField, Settings
from .smtp import SeenLetter
from .specials import SPECIALS, Special

__all__ = [
    "SPECIALS",
    "CaughtMessage",
    "Channel",
    "Clock",
    "CuttingProxy",
    "Emulator",
    "ErrorCode",
    "Fault",
    "FaultKind",
    "File",
    "ManualClock",
    "Param",
    "Place",
    "RealClock",
    "Script",
    "SeenLetter",
    "SeenRequest",
    "SendField",
    "SentReceipt",
    "Settings",
    "Special",
    "Status",
    "Transport",
]
