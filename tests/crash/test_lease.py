"""A process that was stopped for longer than its lease, and goes on as if nothing had been."""

from __future__ import annotations

from datetime import datetime, timedelta

import attrs

from notify_core.config.model import Config, JournalConfig
from notify_core.message import Sms
from notify_core.secret import Secret
from notify_core.testing import ManualClock, ScriptedProvider, notifier_with, scripted_config


class HurryingClock(ManualClock):
    """Goes ``step_s`` seconds on each time somebody looks: whoever works is stopped all the time.

    With 0 it is an ordinary one.
    """

    step_s = 0.0

    def now(self) -> datetime:
        self.advance(self.step_s)
        return super().now()


def journalled(config: Config) -> Config:
    journal = JournalConfig(url=Secret("memory:"), lease=timedelta(seconds=1))
    return attrs.evolve(config, journal=journal)


def test_whoever_was_stopped_while_an_attempt_was_written_makes_it_no_more() -> None:
    """Its lease has ended: somebody else may have asked, found nothing and sent the message."""
    clock, provider = HurryingClock(), ScriptedProvider()
    with notifier_with(journalled(scripted_config(a=provider)), clock=clock) as notifier:
        clock.step_s = 1.0
        report = notifier.send(Sms(to="+79990000001", text="hi"))
        clock.step_s = 0.0
        sent_by_the_stopped = len(provider.sent)
        for _ in range(5):
            clock.advance(10)
            notifier.worker().work_off()
        delivery = notifier.get(report.deliveries[0].id)

    assert sent_by_the_stopped == 0
    assert report.under_way == report.deliveries
    assert delivery.accepted
    assert len(provider.sent) == 1
