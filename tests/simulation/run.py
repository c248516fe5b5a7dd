"""One seed from the first bill to the last check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from tests.simulation.accountant import Accountant
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
from tests.simulation.store import Store
from tests.simulation.wire import Wire
from tests.simulation.worker import Worker
from tests.simulation.world import (
    HEALING_SECONDS,
    HOSTILE_SECONDS,
    Adapt,
    Process,
    Violation,
    World,
)

MakeStore = Callable[[World], Store]
MakeWorker = Callable[[str, World, Store, Wire, ModelBill], Worker]
MakePerson = Callable[[World, Store, ModelSage, ModelBill], Accountant | Person]


def an_accountant(world: World, store: Store, sage: ModelSage, bill: ModelBill) -> Accountant:
    return Accountant(world, store, sage)


@dataclass(frozen=True, slots=True)
class House:
    """Who works for the company: its workers, its rows, and the person at the product."""

    worker: MakeWorker
    store: MakeStore
    person: MakePerson


#: Step by step as the services do it; `on_postgres` holds them to it.
AS_SERVICES = House(Pass, Books, Person)  # type: ignore[arg-type]


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
        house: House = House(Worker, Store, an_accountant),
        adapt: Adapt = lambda drawn: drawn,
    ) -> None:
        self.world = world = World(seed, adapt)
        self.sage, self.bill, self.store = ModelSage(world), ModelBill(world), house.store(world)
        self.wire = Wire(world, self.sage, self.bill, self.store)
        self.clerk = Clerk(world, self.bill, self.sage)
        self.accountant = house.person(world, self.store, self.sage, self.bill)
        self.make_worker = house.worker
        self.processes: dict[str, Process] = {}
        self.lives = 0
        self.backups: list[tuple[object, ...]] = []
        enter_bills(world, self.bill, self.sage)
        for _ in range(world.nature.workers):
            self.start_worker()
        world.spawn(self.clerk.run())
        world.spawn(approver(world, self.bill))
        world.spawn(administrator(world, self.sage, lambda: self.store.company.is_thorough))
        world.spawn(repairer(world, self.sage))  # type: ignore[arg-type]
        world.spawn(bookkeeper(world, self.sage))
        world.spawn(self.wire.outages())
        world.spawn(self.accountant.run())
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
        self.accountant.was_sage_restored = True
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


def run_seed(seed: int, make_worker: MakeWorker = Worker) -> Outcome:
    """Play one seed; the same seed plays the same story."""
    return Scene(seed, House(make_worker, Store, an_accountant)).run()


def run_as_services(seed: int) -> Outcome:
    """Play one seed with passes as the services make them."""
    return Scene(seed, AS_SERVICES).run()
