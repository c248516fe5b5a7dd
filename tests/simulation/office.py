"""The people: BILL's bills and who changes them, a clerk in Sage, an accountant in the product."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from integrations.sage300.types import BatchStatus, Invoice
from sync.domain.commands import Standing
from tests.simulation.invoices import DAY, DAYS, an_invoice, period_of
from tests.simulation.sage import ABatch, ModelSage
from tests.simulation.world import Process, World

#: A cleared history is months old: far older than any look of ours takes.
CLEARED_AFTER = 8000.0
CLEARING_ENDS = 18_000.0


@dataclass(frozen=True, slots=True)
class Bill:
    """One bill as BILL has it now; `change` grows with every change of the list."""

    id: str
    vendor: str
    number: str
    total: Decimal
    change: int
    is_approved: bool = True
    is_archived: bool = False
    day: date = DAY
    currency: str = "USD"

    @property
    def hash(self) -> str:
        return f"{self.vendor}/{self.number}/{self.total}/{self.day}"


class ModelBill:
    """BILL's own rows; every change moves a bill to the end of the change list."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.bills: dict[str, Bill] = {}
        self.changes = 0

    def write(self, bill: Bill) -> None:
        self.changes += 1
        self.bills[bill.id] = replace(bill, change=self.changes)

    def changed_since(self, cursor: int) -> list[Bill]:
        return sorted((b for b in self.bills.values() if b.change > cursor), key=lambda b: b.change)

    def standing(self, bill_id: str, mapped: str) -> Standing:
        bill = self.bills[bill_id]
        if bill.is_archived:
            return Standing.ARCHIVED
        if not bill.is_approved:
            return Standing.NOT_APPROVED
        return Standing.APPROVED if bill.hash == mapped else Standing.CHANGED


def enter_bills(world: World, bill: ModelBill, sage: ModelSage) -> None:
    """Bills come in over the first hour; some are bad for Sage, some share vendor and number."""
    rng = world.rng
    for index in range(world.nature.bills):
        key = f"bill{index:02d}"
        twin = rng.random() < 0.06 and index
        number = f"INV-{index - 1 if twin else index}"
        kind = (index - 1 if twin else index) % 4
        total = Decimal(rng.randint(100, 99999)).scaleb(-2)
        new = Bill(
            key, f"V{kind}", number, total, 0, is_approved=rng.random() < 0.9,
            day=a_day(world, key), currency="CAD" if kind and world.nature.currencies > 1 else "USD",
        )  # fmt: skip
        world.at(rng.uniform(0, 3600), lambda new=new: bill.write(new))  # type: ignore[misc]
        if rng.random() < 0.07:
            sage.bad_at_insert.add(key.upper())
        if rng.random() < 0.05:
            sage.bad_at_posting.add(key.upper())


def a_day(world: World, key: str) -> date:
    """A day to post on; a bill's very own, in the same period, where their order must be known."""
    day = world.rng.choice(DAYS)
    if not world.nature.has_own_days:
        return day
    apart = timedelta(days=int(key.removeprefix("bill")) % 6)
    return day + apart if day.day < 20 else day - apart


def approver(world: World, bill: ModelBill) -> Process:
    """Un-approves, approves again, changes and archives bills; links their vendors otherwise."""
    rng = world.rng
    while world.is_hostile:
        yield rng.expovariate(1 / (world.nature.person_seconds * 2))
        if not bill.bills or not world.is_hostile:
            continue
        one = bill.bills[rng.choice(sorted(bill.bills))]
        roll = rng.random()
        if roll < 0.4:
            world.happened("bill un-approved")
            bill.write(replace(one, is_approved=False))
            again = one.id
            world.after(rng.uniform(30, 900), lambda key=again: _approve(bill, key))  # type: ignore[misc]
        elif roll < 0.47:
            world.happened("bill's number corrected")
            bill.write(replace(one, number=f"{one.number}R"[:12]))
        elif roll < 0.54:
            world.happened("vendor re-linked")
            other = one.vendor[:-1] if one.vendor.endswith("R") else f"{one.vendor}R"
            bill.write(replace(one, vendor=other))
        elif roll < 0.75:
            world.happened("bill changed")
            is_moved = rng.random() < 0.3
            day = a_day(world, one.id) if is_moved else one.day
            bill.write(replace(one, total=one.total + rng.randint(1, 9), day=day))
        elif roll < 0.8:
            world.happened("bill archived")
            bill.write(replace(one, is_archived=True))
        else:
            bill.write(replace(one, is_approved=True))


def _approve(bill: ModelBill, key: str) -> None:
    bill.write(replace(bill.bills[key], is_approved=True))


class Clerk:
    """Somebody at work in Sage, in our batches and beside them."""

    def __init__(self, world: World, bill: ModelBill, sage: ModelSage) -> None:
        self.world, self.bill, self.sage = world, bill, sage
        #: Order numbers of entries whose number the clerk changed: what Sage's keys no longer guard.
        self.renumbered: set[str] = set()
        #: Order numbers of entries the clerk copied, and may post twice by hand.
        self.copied: set[str] = set()
        self.is_away = False

    def run(self) -> Process:
        rng = self.world.rng
        acts = [
            self.key_in, self.edit_amount, self.edit_number, self.add_entry, self.set_ready,
            self.post, self.post, self.rename, self.delete_entry, self.delete_batch, self.reopen,
            self.copy_entry,
        ]  # fmt: skip
        while self.world.is_hostile:
            yield rng.expovariate(1 / self.world.nature.person_seconds)
            if self.world.is_hostile and not self.is_away:
                act = rng.choice(acts)
                if act():
                    self.world.happened(f"clerk: {act.__name__.replace('_', ' ')}")

    def _some(self, *statuses: BatchStatus) -> ABatch | None:
        found = [b for b in self.sage.batches.values() if b.status in statuses]
        return self.world.rng.choice(found) if found else None

    def _some_entry(self) -> tuple[ABatch, int, Invoice] | None:
        batch = self._some(BatchStatus.OPEN)
        if batch is None or not batch.invoices:
            return None
        entry = self.world.rng.choice(sorted(batch.invoices))
        return batch, entry, batch.invoices[entry]

    def key_in(self) -> bool:
        """Keys an invoice by hand that also is a bill."""
        if not self.bill.bills:
            return False
        one = self.bill.bills[self.world.rng.choice(sorted(self.bill.bills))]
        if self.sage.is_taken((one.vendor, one.number)):
            return False
        invoice = an_invoice(one.vendor, one.number, "", one.total, one.day, one.currency)
        self.sage.insert(self.sage.draw("Keyed by hand"), invoice)
        return True

    def edit_amount(self) -> bool:
        found = self._some_entry()
        if found is None:
            return False
        batch, entry, invoice = found
        self.sage.edit(batch, entry, replace(invoice, total=invoice.total + 1))
        return True

    def edit_number(self) -> bool:
        found = self._some_entry()
        if found is None:
            return False
        batch, entry, invoice = found
        number = f"{invoice.document_number}X"[:22]
        if self.sage.is_taken((invoice.vendor_number, number)):
            return False
        self.sage.edit(batch, entry, replace(invoice, document_number=number))
        self.renumbered.add(invoice.order_number)
        return True

    def add_entry(self) -> bool:
        batch = self._some(BatchStatus.OPEN)
        if batch is None:
            return False
        number = f"OWN-{self.world.rng.randint(1, 10**6)}"
        self.sage.insert(batch, an_invoice("V9", number, "", Decimal(5)))
        return True

    def copy_entry(self) -> bool:
        """Copies an entry, order number and all, under a number of its own."""
        found = self._some_entry()
        if found is None or not found[2].order_number:
            return False
        batch, _, invoice = found
        number = f"{invoice.document_number}C"[:22]
        if self.sage.is_taken((invoice.vendor_number, number)):
            return False
        self.sage.insert(batch, replace(invoice, document_number=number))
        self.copied.add(invoice.order_number)
        return True

    def set_ready(self) -> bool:
        batch = self._some(BatchStatus.OPEN)
        if batch is None or not batch.invoices:
            return False
        self.sage.turn(batch, BatchStatus.READY_TO_POST)
        return True

    def reopen(self) -> bool:
        batch = self._some(BatchStatus.READY_TO_POST)
        if batch is None:
            return False
        self.sage.turn(batch, BatchStatus.OPEN)
        return True

    def post(self) -> bool:
        batch = self._some(BatchStatus.OPEN, BatchStatus.READY_TO_POST)
        if batch is None or not batch.invoices:
            return False
        self.sage.turn(batch, BatchStatus.READY_TO_POST)
        self.sage.printed.add(batch.number)
        self.sage.process(batch.number)
        return True

    def rename(self) -> bool:
        batch = self._some(BatchStatus.OPEN)
        if batch is None:
            return False
        self.sage.rename(batch.number, "Invoices of December")
        return True

    def delete_entry(self) -> bool:
        found = self._some_entry()
        if found is None:
            return False
        self.sage.drop(found[0], found[1])
        return True

    def delete_batch(self) -> bool:
        batch = self._some(BatchStatus.OPEN)
        if batch is None:
            return False
        self.sage.delete(batch)
        return True


def administrator(world: World, sage: ModelSage, is_restored: Callable[[], bool]) -> Process:
    """Clears history now and then, but not before a restore of our database is worked through."""
    while world.seconds < CLEARING_ENDS:
        yield world.rng.expovariate(1 / 5000)
        if world.seconds > CLEARED_AFTER and not is_restored():
            world.happened("history cleared")
            sage.clear_history(world.seconds - CLEARED_AFTER)


def bookkeeper(world: World, sage: ModelSage) -> Process:
    """Closes a fiscal period now and then, and opens it again for what came late."""
    rng = world.rng
    while world.is_hostile:
        yield rng.expovariate(1 / world.nature.closing_seconds)
        if not world.is_hostile:
            return
        period = period_of(rng.choice(DAYS))
        world.happened("period closed")
        sage.closed.add(period)
        yield rng.uniform(300, 3000)
        sage.closed.discard(period)


def repairer(world: World, sage: ModelSage) -> Iterator[float]:
    """Mends what made Sage refuse, some time in the middle."""
    yield world.rng.uniform(3600, 7200)
    sage.bad_at_insert.clear()
    yield world.rng.uniform(100, 2000)
    sage.bad_at_posting.clear()
