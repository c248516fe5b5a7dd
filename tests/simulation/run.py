"""One seed from the first bill to the last check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from tests.simulation.books import Books
from tests.simulation.invariants import Findings, check
from tests.simulation.office import (
    Clerk,
    ModelBill,
    administrator,
    approver,
    bookkeeper,
    enter_bills,
    repairer,
)
from tests.simulation.passes import Pass
from tests.simulation.person import Person
from tests.simulation.sage import ModelSage
from tests.simulation.wire import Wire
from tests.simulation.world import (
    HEALING_SECONDS,
    HOSTILE_SECONDS,
    Adapt,
    Process,
    Violation,
    World,
)

MakeWorker = Callable[[str, World, Books, Wire, ModelBill], Pass]
MakeStore = Callable[[World], Books]


@dataclass(slots=True)
class Outcome:
    """How one seed ended."""

    seed: int
    bills: int
    posts: int
    faults: Counter[str]
    findings: Findings
    violation: str = ""

    @property
    def is_good(self) -> bool:
        return not self.violation and not self.findings.faults


class Scene:
    """A world with its people, its Sage, its BILL, our database and the workers."""

    def __init__(
        self,
        seed: int,
        make_worker: MakeWorker = Pass,
        make_store: MakeStore = Books,
        adapt: Adapt = lambda drawn: drawn,
    ) -> None:
        self.world = world = World(seed, adapt)
        self.sage, self.bill, self.store = ModelSage(world), ModelBill(world), make_store(world)
        self.wire = Wire(world, self.sage, self.bill, self.store)
        self.clerk = Clerk(world, self.bill, self.sage)
        self.person = Person(world, self.store, self.sage, self.bill)
        self.make_worker = make_worker
        self.processes: dict[str, Process] = {}
        self.lives = 0
        self.backups: list[tuple[object, ...]] = []
        enter_bills(world, self.bill, self.sage)
        for _ in range(world.nature.workers):
            self.start_worker()
        world.spawn(self.clerk.run())
        world.spawn(approver(world, self.bill))
        world.spawn(administrator(world, self.sage, self.store.is_thorough))
        world.spawn(repairer(world, self.sage))  # type: ignore[arg-type]
        world.spawn(bookkeeper(world, self.sage))
        world.spawn(self.wire.outages())
        world.spawn(self.person.run())
        world.spawn(self.crashes())
        world.spawn(self.disasters())

    def start_worker(self) -> None:
        self.lives += 1
        name = f"w{self.lives}"
        process = self.make_worker(name, self.world, self.store, self.wire, self.bill).run()
        self.processes[name] = process
        self.world.spawn(process)

    def kill(self, name: str) -> None:
        """The process dies between two commands; what it has sent goes on without it."""
        self.processes.pop(name).close()
        self.world.after(self.world.rng.uniform(5, 120), self.start_worker)

    def crashes(self) -> Process:
        while self.world.is_hostile:
            yield self.world.rng.expovariate(1 / self.world.nature.crash_seconds)
            if self.world.is_hostile and self.processes:
                self.world.happened("worker killed")
                self.kill(self.world.rng.choice(sorted(self.processes)))

    def disasters(self) -> Process:
        """At most one restore in a seed, of our database or of Sage, to a state some while ago."""
        rng = self.world.rng
        kind = rng.choice(("none", "none", "none", "none", "ours", "ours", "sage"))
        if kind == "none":
            return
        yield rng.uniform(600, 7000)
        backup = self.store.snapshot() if kind == "ours" else self.sage.snapshot()
        yield rng.uniform(60, 2500)
        for name in list(self.processes):
            self.kill(name)
        if kind == "ours":
            self.world.happened("our database restored")
            self.store.restore(backup)
        else:
            yield from self._restore_sage(backup)

    def _restore_sage(self, backup: tuple[object, ...]) -> Process:
        """Everybody is sent home until the product has looked at the restored Sage."""
        self.sage.restore(backup)
        self.world.happened("sage restored")
        self.clerk.is_away = True
        self.person.was_sage_restored = True
        yield 2000
        self.clerk.is_away = False

    def heal(self) -> None:
        """Let everybody catch up, until nothing has changed for three quarters of an hour."""
        ends = HOSTILE_SECONDS + HEALING_SECONDS
        still = 0
        self.world.run(HOSTILE_SECONDS + 3600)
        while self.world.seconds < ends and still < 3:
            before = self._state()
            self.world.run(self.world.seconds + 900)
            is_open = self.store.unsettled() or self.store.blocked()
            still = still + 1 if self._state() == before and not is_open else 0

    def _state(self) -> tuple[object, ...]:
        cleared = self.world.faults["history cleared"]
        return self.store.commits, self.wire.posts, self.store.company.hold, cleared

    def run(self) -> Outcome:
        violation = ""
        try:
            self.world.run(HOSTILE_SECONDS)
            self.world.is_hostile = False
            self.sage.bad_at_insert.clear()
            self.heal()
        except Violation as error:
            violation = str(error)
        findings = check(
            self.store,
            self.sage,
            self.bill,
            copied=self.clerk.copied,
            renumbered=self.clerk.renumbered - self.clerk.copied,
            is_held=bool(self.store.company.hold),
        )
        return Outcome(
            seed=self.world.seed,
            bills=len(self.bill.bills),
            posts=self.wire.posts,
            faults=self.world.faults,
            findings=findings,
            violation=violation,
        )


def run_seed(seed: int, make_worker: MakeWorker = Pass) -> Outcome:
    """Play one seed; the same seed plays the same story."""
    return Scene(seed, make_worker).run()
