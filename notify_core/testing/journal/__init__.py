"""What every journal promises, as tests for whoever writes one."""

from __future__ import annotations

from notify_core.testing.journal.asking import Asking
from notify_core.testing.journal.claiming import Claiming
from notify_core.testing.journal.housekeeping import Housekeeping
from notify_core.testing.journal.together import Together
from notify_core.testing.journal.writing import Writing


class JournalContract(Claiming, Writing, Asking, Housekeeping, Together):
    """A suite of tests for a journal: subclass it, and give it ``open``.

    pytest finds the tests in a subclass whose name begins with ``Test``. Each test begins with an
    empty journal, and closes what it has opened::

        class TestMyJournal(JournalContract):
            @pytest.fixture(autouse=True)
            def where(self, tmp_path):
                self.path = tmp_path / "journal"

            def open(self, clock):
                return MyJournal(self.path, clock)

    With ``shared`` False what is opened twice in a test is not the same; then what several
    processes promise each other is tested with one journal. What a test asserts is in its name;
    ``pytest.register_assert_rewrite("notify_core.testing.journal")`` at the top of a
    ``conftest.py`` shows the values too.
    """
