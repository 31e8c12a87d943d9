"""Special recipients: whoever writes to them chooses what becomes of the message.

A number is special by its last six digits, an e-mail address by the part before ``@``, a
nickname by itself (``_`` or ``-``). The page and the table of the README are made from here.
"""

from enum import Enum

from attrs import frozen

from .disorder import Disorder, DisorderKind
from .model import ErrorCode, Status, Step
from .settings import Settings


class Pause(Enum):
    """What a stage waits for."""

    HAND_OVER = "hand-over"
    """The way to the operator."""
    DELIVERY = "delivery"
    """The way to the handset, and each step after that."""
    LATE = "late"
    """The time until ``status.php`` knows the message."""
    LIFE = "life"
    """The life time of the message if it has one, else the usual delivery time."""


@frozen
class Stage:
    """After the pause, or so many seconds, the message has this status."""

    after: Pause | float
    status: Status
    err: int | None = None


@frozen
class Special:
    """One special recipient."""

    ending: str
    name: str
    meaning: str
    error: ErrorCode | None = None
    first: Status = Status.WAITING
    course: tuple[Stage, ...] = ()
    disorders: tuple[Disorder, ...] = ()
    """What happens to the callbacks about its statuses."""


_PASSED = Stage(Pause.HAND_OVER, Status.PASSED)
_DELIVERED = Stage(Pause.DELIVERY, Status.DELIVERED)
_ORDINARY = (_PASSED, _DELIVERED)


def _refused(code: ErrorCode, meaning: str) -> Special:
    return Special(f"0055{code:02}", f"error-{code:d}", meaning, error=code)


def _ends(status: Status, err: int, meaning: str, after: Pause = Pause.DELIVERY) -> Special:
    course = (_PASSED, Stage(after, status, err))
    return Special(f"0077{status:02}", f"status-{status:d}", meaning, course=course)


def _goes_on(status: Status, meaning: str) -> Special:
    course = (*_ORDINARY, Stage(Pause.DELIVERY, status))
    return Special(f"0077{status:02}", f"status-{status:d}", meaning, course=course)


def _fails(err: int, meaning: str) -> Special:
    course = (_PASSED, Stage(Pause.DELIVERY, Status.FAILED, err))
    return Special(f"008{err:03}", f"err-{err}", f"status 20, err {err}: {meaning}", course=course)


def _done_but(err: int, meaning: str) -> Special:
    course = (_PASSED, Stage(Pause.DELIVERY, Status.DELIVERED, err))
    return Special(f"0066{err:02}", f"done-{err}", meaning, course=course)


def _delivered_after(seconds: int) -> Special:
    course = (Stage(0.0, Status.PASSED), Stage(float(seconds), Status.DELIVERED))
    meaning = f"delivered {seconds} s after the acceptance, whatever is set"
    return Special(f"0033{seconds:02}", f"after-{seconds}", meaning, course=course)


def _reported(ending: str, name: str, meaning: str, disorder: Disorder) -> Special:
    return Special(ending, f"receipt-{name}", meaning, course=_ORDINARY, disorders=(disorder,))


_VIRTUAL = Special(
    "008200",
    "err-200",
    "status 1, err 200: virtual sending, nothing was delivered",
    course=(_PASSED, Stage(Pause.DELIVERY, Status.DELIVERED, 200)),
)

SPECIALS: tuple[Special, ...] = (
    _refused(ErrorCode.NO_MONEY, "refused, error 3 `no money`, with an id"),
    _refused(ErrorCode.DENIED, "refused, error 6 `message is denied`, with an id"),
    _refused(ErrorCode.NUMBER, "refused, error 7 `invalid number`, with an id"),
    _refused(ErrorCode.UNDELIVERABLE, "refused, error 8 `can't to deliver`, with an id"),
    _refused(ErrorCode.TOO_OFTEN, "refused, error 9 `too many concurrent requests`, no id"),
    Special(
        "007700",
        "status-0",
        "stays at status 0: no receipt, unless `valid` ends",
        course=(_PASSED,),
    ),
    _goes_on(Status.READ, "delivered, then read: status 2"),
    _ends(Status.EXPIRED, 6, "status 3, expired (at the end of `valid`, if given)", Pause.LIFE),
    _goes_on(Status.CLICKED, "delivered, then the link was clicked: status 4"),
    _ends(Status.SPAM, 253, "status 6, refused by the recipient's spam filter"),
    _ends(Status.FAILED, 255, "status 20, cannot deliver, no code from the operator"),
    _ends(Status.WRONG_NUMBER, 249, "status 22, wrong number"),
    _ends(Status.FORBIDDEN, 252, "status 23, forbidden"),
    _ends(Status.NO_MONEY, 247, "status 24, no money"),
    _ends(Status.UNREACHABLE, 248, "status 25, unreachable number"),
    Special("007791", "waiting", "stays at status -1, unless `valid` ends"),
    Special("007792", "stopped", "status -2, mailing stopped", first=Status.STOPPED),
    Special(
        "007793",
        "late",
        "unknown to status.php (-3) for `late_s` seconds, then delivered",
        first=Status.NOT_FOUND,
        course=(Stage(Pause.LATE, Status.PASSED), _DELIVERED),
    ),
    Special("007794", "lost", "accepted, yet never found (-3)", first=Status.NOT_FOUND),
    *(_delivered_after(seconds) for seconds in (0, 1, 2, 5, 10, 15, 20, 30, 45, 60, 90)),
    _reported(
        "004400",
        "never",
        "delivered, and there is never a callback: only status.php tells",
        Disorder(kind=DisorderKind.DROP),
    ),
    _reported(
        "004402",
        "twice",
        "delivered, and each callback comes twice",
        Disorder(kind=DisorderKind.DUPLICATE),
    ),
    _reported(
        "004403",
        "late",
        "delivered, and each callback comes `receipt_late_s` late",
        Disorder(kind=DisorderKind.DELAY),
    ),
    _reported(
        "004404",
        "get",
        "delivered, and each callback comes by GET",
        Disorder(kind=DisorderKind.GET),
    ),
    Special(
        "004405",
        "receipt-backwards",
        "delivered, then read; that it is delivered is told `receipt_late_s` late",
        course=(*_ORDINARY, Stage(Pause.DELIVERY, Status.READ)),
        disorders=(Disorder(kind=DisorderKind.DELAY, status=Status.DELIVERED),),
    ),
    _reported(
        "004406",
        "forged",
        "delivered, and the signature of each callback is wrong",
        Disorder(kind=DisorderKind.FORGE),
    ),
    _done_but(1, "status 1 with err 1: HLR or ping done, subscriber does not exist"),
    _done_but(6, "status 1 with err 6: HLR or ping done, subscriber offline"),
    _VIRTUAL,
    _fails(1, "subscriber does not exist"),
    _fails(6, "subscriber offline"),
    _fails(11, "no SMS service"),
    _fails(12, "error in the phone or SIM"),
    _fails(13, "subscriber blocked"),
    _fails(21, "service not supported by the handset"),
    _fails(219, "SIM was replaced"),
    _fails(220, "operator queue is full"),
    _fails(237, "no answer to a call"),
    _fails(238, "no template"),
    _fails(239, "forbidden IP address"),
    _fails(240, "busy or rejected"),
    _fails(241, "conversion error, or not all parts were transferred"),
    _fails(242, "answering machine"),
    _fails(243, "no contract"),
    _fails(244, "mailings forbidden"),
    _fails(245, "status not received"),
    _fails(246, "time restriction"),
    _fails(247, "message limit exceeded"),
    _fails(248, "no route"),
    _fails(249, "wrong number format"),
    _fails(250, "number forbidden by settings"),
    _fails(251, "daily limit per number exceeded"),
    _fails(252, "number forbidden"),
    _fails(253, "spam filter"),
    _fails(254, "sender id forbidden"),
    _fails(255, "operator refused without a code"),
)


def find_special(phone: str) -> Special | None:
    """Return what is special about a recipient, None for an ordinary one."""
    name = phone.partition("@")[0] if not phone.startswith("@") else phone[1:]
    name = name.lower().replace("_", "-")
    number = phone if phone.isdigit() else ""
    for special in SPECIALS:
        if name == special.name or number.endswith(special.ending):
            return special
    return None


def plan_steps(
    special: Special | None, settings: Settings, received: float, send_at: float, life_s: float
) -> tuple[Step, ...]:
    """Lay out the statuses that a message will have; ``life_s`` 0 means no life time given."""
    steps = [Step(received, special.first if special else Status.WAITING)]
    at = max(received, send_at)
    for stage in special.course if special else _ORDINARY:
        at += _seconds(stage.after, settings, life_s)
        steps.append(Step(at, stage.status, stage.err))
    return tuple(steps)


def virtual_steps(settings: Settings, received: float, send_at: float) -> tuple[Step, ...]:
    """Lay out the statuses of a message of an account in test mode."""
    return plan_steps(_VIRTUAL, settings, received, send_at, 0)


def hlr_steps(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Give a finished HLR query the err that it always has: 0 when the subscriber is there."""
    return tuple(
        Step(step.at, step.status, 0)
        if step.status is Status.DELIVERED and step.err is None
        else step
        for step in steps
    )


def _seconds(pause: Pause | float, settings: Settings, life_s: float) -> float:
    match pause:
        case float():
            return pause
        case Pause.HAND_OVER:
            return settings.hand_over_s
        case Pause.DELIVERY:
            return settings.delivery_s
        case Pause.LATE:
            return settings.late_s
        case Pause.LIFE:
            return life_s or settings.delivery_s
