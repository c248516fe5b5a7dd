"""Five bugs a posting protocol is easily built with, planted here to see that the simulator sees.

Each is a subclass or a wrapped command of this test tree; nothing in the package knows of them.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

from integrations.sage300.types import BatchHeader, BatchStatus, InvoiceBatch
from sync.domain.commands import Answer, BatchRead, Command, Created, Lost, PostBatch, ReadBatch
from sync.domain.facts import Facts
from tests.simulation.books import Books
from tests.simulation.office import ModelBill
from tests.simulation.passes import Pass
from tests.simulation.wire import Wire
from tests.simulation.world import Process, World

Commanding = Generator[float, None, Answer]


class NoIntent(Pass):
    """The intent is not committed before the POST leaves."""

    def __init__(self, name: str, world: World, store: Books, wire: Wire, bill: ModelBill) -> None:
        super().__init__(name, world, store, wire, bill)
        store.saves_intent = False


class RetryInTransport(Pass):
    """The transport sends a POST again when its answer is lost."""

    def command(self, command: Command, facts: Facts) -> Commanding:
        answer = yield from super().command(command, facts)
        if isinstance(command, PostBatch) and isinstance(answer, Lost):
            answer = yield from super().command(command, facts)
        return answer


class NoReadBack(Pass):
    """What was sent is taken for what Sage holds; a batch of ours is never read again."""

    def __init__(self, name: str, world: World, store: Books, wire: Wire, bill: ModelBill) -> None:
        super().__init__(name, world, store, wire, bill)
        # Kept with the rows, as the bug would keep it: every worker believes it.
        self.believed: dict[int, InvoiceBatch] = store.__dict__.setdefault("believed", {})

    def command(self, command: Command, facts: Facts) -> Commanding:
        if isinstance(command, ReadBatch) and command.number in self.believed:
            yield 0.1
            return BatchRead(number=command.number, batch=self.believed[command.number])
        answer = yield from super().command(command, facts)
        if isinstance(command, PostBatch) and isinstance(answer, Created):
            self.believed[answer.number] = self._as_sent(command, facts, answer.number)
        return answer

    def _as_sent(self, command: PostBatch, facts: Facts, number: int) -> InvoiceBatch:
        invoices = tuple(
            replace(invoice, entry_number=index)
            for index, invoice in enumerate(self.wire.invoices(command, facts), start=1)
        )
        header = BatchHeader(
            number=number,
            description=command.tag,
            status=BatchStatus.OPEN,
            entry_count=len(invoices),
            total=invoices[0].total,
        )
        return InvoiceBatch(header=header, invoices=invoices)


class NoEpochCheck(Pass):
    """A worker that slept past its lease goes on as if nothing had happened."""

    def __init__(self, name: str, world: World, store: Books, wire: Wire, bill: ModelBill) -> None:
        super().__init__(name, world, store, wire, bill)
        store.checks_epoch = False


class CursorBeforeRows(Pass):
    """The cursor is moved in a commit of its own, before the rows it stands for."""

    def take_in(self) -> Process:
        yield 0.5
        bills = self.bill.changed_since(self.store.company.cursor)
        self.save_cursor(bills)
        for bill in bills:
            yield 2.0
            self.save_bill(bill)


PLANTED: tuple[type[Pass], ...] = (
    NoIntent,
    RetryInTransport,
    NoReadBack,
    NoEpochCheck,
    CursorBeforeRows,
)
