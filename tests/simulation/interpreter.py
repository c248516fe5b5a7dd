"""Driving one batch, as `services/posting.py` does it, over rows in memory."""

from __future__ import annotations

from collections.abc import Generator

from sync.domain.circuit import Circuit
from sync.domain.commands import (
    Answer,
    Approvals,
    BatchRead,
    Command,
    Done,
    Headers,
    Paused,
    PostBatch,
    PostedFound,
    ProcessBatch,
    RemoveEntries,
    RenameBatch,
    Resumed,
    SetReady,
    Stop,
    Wait,
)
from sync.domain.facts import Facts
from sync.domain.protocol import Step, next_step
from sync.domain.storing import may_wait
from tests.simulation.books import Books
from tests.simulation.office import Bill, ModelBill
from tests.simulation.store import LEASE_SECONDS, Batch, Lease, Once
from tests.simulation.wire import Wire
from tests.simulation.world import Process, Violation, World

STEP_LIMIT = 3000
CIRCUIT_FAILURES = 5
FOREVER = float("inf")
#: As long as these may take, a lease must last: the knobs of the same name.
WRITE_SECONDS, POST_SECONDS = 180.0, 240.0
LEASE_PARTS = 4
WRITES = (PostBatch, SetReady, ProcessBatch, RemoveEntries, RenameBatch)
#: What a call outside the protocol is asked by, and what it gives.
Asking = Generator[float, None, Answer]


class LeaseLost(Exception):
    """Somebody else is the writer now."""


class CallFailed(Exception):
    """A read outside the protocol gave no answer: the pass ends here."""


class Interpreter:
    """One process of the product, with what every room of a pass uses."""

    def __init__(self, name: str, world: World, store: Books, wire: Wire, bill: ModelBill) -> None:
        self.name, self.world, self.store = name, world, store
        self.wire, self.bill = wire, bill
        self.once = Once()

    def run(self) -> Process:
        """What the process does all day; yields the seconds that pass."""
        raise NotImplementedError

    def command(self, command: Command, facts: Facts) -> Asking:
        return (yield from self.wire.call(command, facts))

    def step(self, facts: Facts, answer: Answer | None) -> Step:
        return next_step(facts, answer, self.world.now, self.world.rules)

    def ask(self, command: Command, facts: Facts | None) -> Asking:
        """Carry one command out at a window."""
        yield 0.05
        answer = yield from self.command(command, facts)  # type: ignore[arg-type]
        return answer

    def read(self, command: Command) -> Asking:
        answer = yield from self.ask(command, None)
        if not isinstance(answer, Headers | BatchRead | PostedFound):
            raise CallFailed(str(command))
        return answer

    def must_hold(self, lease: Lease) -> None:
        if self.store.checks_epoch and self.store.epoch != lease.epoch:
            raise LeaseLost

    def take_on(
        self, lease: Lease, batch: Batch, *, is_new: bool = False
    ) -> Generator[float, None, Facts]:
        """`posting.drive`: save, run one command, hand the answer back."""
        answer: Answer | None = None if is_new else Resumed()
        stored = facts = batch.facts
        has_written, kept_at = False, self.world.seconds
        for _ in range(STEP_LIMIT):
            step = self.step(facts, answer)
            facts, command = step.facts, step.command
            is_over = isinstance(command, Done | Wait | Stop)
            is_due = self.world.seconds - kept_at > LEASE_SECONDS / LEASE_PARTS
            if has_written or is_due or not may_wait(stored, facts, command):
                saved = self.store.save_step(lease, batch, stored, facts, command)
                if saved is None:
                    raise LeaseLost
                batch, is_kept = saved
                stored, has_written, kept_at = facts, False, self.world.seconds
                if not is_kept and not is_over:
                    raise LeaseLost
            self.world.note(self.name, batch.tag[5:10], command)
            if is_over:
                return facts
            if isinstance(command, WRITES):
                has_written = True
                if not self._may_write(lease, command):
                    raise LeaseLost
            answer = yield from self.ask(command, facts)
            self.world.note(self.name, batch.tag[5:10], "<-", answer)
            if isinstance(answer, Paused):
                self.store.company.paused = answer.why
            if isinstance(answer, Approvals):
                for key in sorted(answer.standings):
                    self.save_bill(self.bill.bills[key])
        raise Violation(f"{batch.tag} never comes to an end")

    def _may_write(self, lease: Lease, command: Command) -> bool:
        """Whether the lease outlasts this write; one that might not is renewed."""
        seconds = POST_SECONDS if isinstance(command, ProcessBatch) else WRITE_SECONDS
        lasts = self.store.expires > self.world.seconds + seconds
        return (lasts and self.store.epoch == lease.epoch) or self.store.renew(lease)

    def seconds_to_next(self) -> float:
        """After a turn: how long until the first batch that waits may be looked at again."""
        waits = [b.facts.not_before for b in self.store.unsettled() if b.facts.not_before]
        if not waits:
            return FOREVER
        return max(0.0, (min(waits) - self.world.now).total_seconds())

    def note_pass(self, *, is_good: bool) -> None:
        company = self.store.company
        if is_good:
            company.circuit = Circuit()
            return
        company.circuit = company.circuit.after_failure(
            self.world.now, limit=CIRCUIT_FAILURES, uniform=self.world.rng.uniform
        )

    def save_bill(self, bill: Bill) -> None:
        """Take in one bill that was just read."""
        raise NotImplementedError
