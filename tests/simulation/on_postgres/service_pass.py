"""A worker that makes its passes with the real services, on PostgreSQL."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from integrations.errors import IntegrationError
from sync.domain.commands import Answer, Command
from sync.services import circuit, deciding, intake, sending
from sync.services.clients import paused_windows
from sync.services.connections import SAGE
from sync.services.work import Work
from tests.simulation.interpreter import FOREVER
from tests.simulation.office import Bill
from tests.simulation.on_postgres.books import PostgresBooks
from tests.simulation.on_postgres.database_clock import set_clock
from tests.simulation.on_postgres.fibers import Fibers, hand_over
from tests.simulation.on_postgres.steps import WatchedPass
from tests.simulation.on_postgres.windows import BillWindow, SageWindow
from tests.simulation.passes import TURN_SECONDS, Passing


class ServicePass(WatchedPass):
    """In the place of `Pass`: the same process, with the services' own doing."""

    store: PostgresBooks  # type: ignore[assignment]

    def __init__(self, *given: Any, fibers: Fibers, **more: Any) -> None:
        super().__init__(*given, **more)
        self.fibers = fibers

    def one_pass(self) -> Passing:
        self.again = FOREVER
        yield from self.fibers.play(self._serve, lambda: set_clock(self.world.now))
        self.steps.ended(self.world.seconds, self.name)
        return self.again

    def _serve(self) -> None:
        """What `running.py` does in a pass, without the lists, the vendors and the run's own row."""
        work = self._work()
        is_left_alone = SAGE in paused_windows(work) or bool(circuit.why_resting(work))
        with suppress(IntegrationError):
            intake.poll_bills(work)
        deciding.decide_all(work)
        if is_left_alone:
            return
        try:
            self._send(work)
        except IntegrationError as failure:
            circuit.note_failure(work, failure)
        else:
            circuit.note_success(work)

    def _send(self, work: Work) -> None:
        sent = sending.send(work, seconds=TURN_SECONDS, progress=lambda done, total: None)
        if any(note.startswith("Another worker") for note in sent.notes):
            return
        self.store.hold(" ".join(sent.notes) if sent.is_stopped else "")
        soonest = None if sent.is_stopped else sending.next_settling(work)
        if soonest is not None:
            self.again = max(0.0, (soonest - self.world.now).total_seconds())

    def _work(self) -> Work:
        sage = SageWindow(self._ask)
        return self.store.work(
            self.name, sage=sage, bill=BillWindow(self._ask, self._read_changes, self.bill)
        )

    def _ask(self, command: Command, body: Any) -> Answer:
        answer: Answer = hand_over(self.ask(command, body))
        return answer

    def _read_changes(self, cursor: int) -> list[Bill] | None:
        found: list[Bill] | None = hand_over(self.read_changes(cursor))
        return found
