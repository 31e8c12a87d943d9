"""A development gateway on loopback that stands for SMSC.RU."""

from .clock import Clock, ManualClock, RealClock
from .counters import Counters
from .cutting import CuttingProxy
from .decoding import Param, Place, SeenRequest
from .disorder import Disorder, DisorderKind
from .faults import Fault, FaultKind
from .incoming import AwaitedCall, IncomingMessage
from .lives import Life
from .model import (
    CallbackKind,
    CaughtMessage,
    Channel,
    ErrorCode,
    File,
    Script,
    Status,
    Step,
    Transport,
)
from .postman import SentReceipt
from .receiver import CallbackReceiver, ReceivedCall
from .runner import Emulator
from .settings import SendField, Settings
from .smtp import SeenLetter
from .specials import SPECIALS, Special

__all__ = [
    "SPECIALS",
    "AwaitedCall",
    "CallbackKind",
    "CallbackReceiver",
    "CaughtMessage",
    "Channel",
    "Clock",
    "Counters",
    "CuttingProxy",
    "Disorder",
    "DisorderKind",
    "Emulator",
    "ErrorCode",
    "Fault",
    "FaultKind",
    "File",
    "IncomingMessage",
    "Life",
    "ManualClock",
    "Param",
    "Place",
    "RealClock",
    "ReceivedCall",
    "Script",
    "SeenLetter",
    "SeenRequest",
    "SendField",
    "SentReceipt",
    "Settings",
    "Special",
    "Status",
    "Step",
    "Transport",
]
