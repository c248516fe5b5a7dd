"""A model of Sage 300: batches, entries, posted documents, and every way it is known to behave."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from decimal import Decimal

from integrations.sage300.types import (
    BatchHeader,
    BatchStatus,
    Invoice,
    InvoiceBatch,
    PostedDocument,
    PostingError,
)
from tests.simulation.invoices import Period
from tests.simulation.world import World

Pair = tuple[str, str]


@dataclass(slots=True)
class ABatch:
    """One batch as Sage holds it."""

    number: int
    description: str
    status: BatchStatus = BatchStatus.OPEN
    invoices: dict[int, Invoice] = field(default_factory=dict)
    last_entry: int = 0
    sequence: int = 0
    errors: int = 0
    edits: int = 0
    born: float = 0.0
    posted_at: float = 0.0
    _header: BatchHeader | None = None

    def header(self) -> BatchHeader:
        """As a list shows it; made anew only when something changed."""
        if self._header is None:
            self._header = BatchHeader(
                number=self.number,
                description=self.description,
                status=self.status,
                entry_count=len(self.invoices),
                total=sum((invoice.total for invoice in self.invoices.values()), Decimal(0)),
                posting_sequence=self.sequence,
                error_count=self.errors,
                last_edited=str(self.edits),
            )
        return self._header

    def edited(self) -> None:
        """Somebody or something changed it."""
        self.edits += 1
        self._header = None

    def read(self) -> InvoiceBatch:
        return InvoiceBatch(header=self.header(), invoices=tuple(self.invoices.values()))


class Refusal(Exception):
    """Sage says no; `invoice` is the entry at fault where there is one."""

    def __init__(
        self,
        words: str,
        invoice: Invoice | None = None,
        *,
        is_taken: bool = False,
        is_closed: bool = False,
    ) -> None:
        super().__init__(words)
        self.words, self.invoice = words, invoice
        self.is_taken, self.is_closed = is_taken, is_closed


def pair_of(invoice: Invoice) -> Pair:
    return invoice.vendor_number, invoice.document_number


def period_in(invoice: Invoice) -> Period:
    return invoice.fiscal_year, invoice.fiscal_period


class ModelSage:
    """Sage's rows and rules. A batch number is drawn once; numbers go on, save after a restore."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.batches: dict[int, ABatch] = {}
        self.documents: dict[Pair, PostedDocument] = {}
        self.errors: dict[int, tuple[PostingError, ...]] = {}
        self.unposted: Counter[Pair] = Counter()
        self.next_number = 1
        self.sequence = 0
        self.bad_at_insert: set[str] = set()
        self.bad_at_posting: set[str] = set()
        self.closed: set[Period] = set()
        self.printed: set[int] = set()
        #: Every document ever posted, by order number: what invariant I1 is counted on.
        self.ledger: Counter[str] = Counter()
        self.cleared: set[str] = set()
        #: Grows with each restore; a request that was under way then dies with the server.
        self.lifetime = 0

    # --- reads ---

    def headers(self, after: int) -> tuple[BatchHeader, ...]:
        return tuple(b.header() for b in self.batches.values() if b.number > after)

    def read(self, number: int) -> InvoiceBatch | None:
        batch = self.batches.get(number)
        return batch.read() if batch else None

    def posted(self, pairs: tuple[Pair, ...]) -> tuple[PostedDocument, ...]:
        return tuple(self.documents[pair] for pair in pairs if pair in self.documents)

    def posted_of(self, number: int) -> tuple[PostedDocument, ...]:
        return tuple(d for d in self.documents.values() if d.batch_number == number)

    def document_at(self, spot: tuple[int, int]) -> PostedDocument | None:
        """The document that was posted from this batch and entry."""
        documents = self.documents.values()
        return next((d for d in documents if (d.batch_number, d.entry_number) == spot), None)

    # --- writes ---

    def draw(self, description: str) -> ABatch:
        batch = ABatch(self.next_number, description, born=self.world.seconds)
        self.batches[batch.number] = batch
        self.next_number += 1
        return batch

    def is_taken(self, pair: Pair) -> bool:
        return self.unposted[pair] > 0 or pair in self.documents

    def check(self, invoice: Invoice) -> None:
        """The business rules at insert; raises Refusal."""
        if invoice.order_number in self.bad_at_insert:
            raise Refusal("The account is inactive.", invoice)
        if period_in(invoice) in self.closed:
            raise Refusal("The fiscal period is closed.", invoice, is_closed=True)
        if self.is_taken(pair_of(invoice)):
            raise Refusal("The document number already exists.", invoice, is_taken=True)

    def insert(self, batch: ABatch, invoice: Invoice) -> int:
        if batch.status is not BatchStatus.OPEN:
            raise Refusal("The batch cannot be edited.")
        batch.last_entry += 1
        batch.edited()
        batch.invoices[batch.last_entry] = replace(
            invoice, entry_number=batch.last_entry, undistributed_amount=Decimal(0)
        )
        self.unposted[pair_of(invoice)] += 1
        return batch.last_entry

    def drop(self, batch: ABatch, entry: int) -> None:
        self.unposted[pair_of(batch.invoices.pop(entry))] -= 1
        batch.edited()

    def edit(self, batch: ABatch, entry: int, invoice: Invoice) -> None:
        self.unposted[pair_of(batch.invoices[entry])] -= 1
        self.unposted[pair_of(invoice)] += 1
        batch.invoices[entry] = invoice
        batch.edited()

    def turn(self, batch: ABatch, status: BatchStatus) -> None:
        batch.status = status
        batch.edited()

    def set_ready(self, number: int) -> None:
        batch = self.batches.get(number)
        if batch is None or self.world.nature.is_old_release:
            raise Refusal("The batch status cannot be changed.")
        if batch.status is not BatchStatus.OPEN:
            raise Refusal("The batch is not open.")
        self.turn(batch, BatchStatus.READY_TO_POST)

    def process(self, number: int) -> None:
        """Post one batch; anything but Ready To Post is left alone without a word."""
        batch = self.batches.get(number)
        if batch is None or batch.status is not BatchStatus.READY_TO_POST:
            return
        if self.world.nature.wants_listing and number not in self.printed:
            return
        self.sequence += 1
        batch.sequence = self.sequence
        moved: list[tuple[int, str]] = []
        for entry, invoice in list(batch.invoices.items()):
            words = self._why_not_posted(invoice)
            if words:
                moved.append((entry, words))
                continue
            self._post(batch, entry, invoice)
        if moved:
            self._move(batch, moved)
        self.turn(batch, BatchStatus.POSTED)
        batch.posted_at = self.world.seconds

    def _why_not_posted(self, invoice: Invoice) -> str:
        if invoice.order_number and invoice.order_number in self.bad_at_posting:
            return "The G/L account is not defined."
        if period_in(invoice) in self.closed:
            return "The fiscal period is closed."
        if pair_of(invoice) in self.documents:
            return "The document already exists."
        return ""

    def _post(self, batch: ABatch, entry: int, invoice: Invoice) -> None:
        self.unposted[pair_of(invoice)] -= 1
        self.documents[pair_of(invoice)] = PostedDocument(
            vendor_number=invoice.vendor_number,
            document_number=invoice.document_number,
            order_number=invoice.order_number,
            batch_number=batch.number,
            entry_number=entry,
            posting_sequence=batch.sequence,
            amount=invoice.total,
        )
        if invoice.order_number:
            self.ledger[invoice.order_number] += 1

    def _move(self, batch: ABatch, moved: list[tuple[int, str]]) -> None:
        nature = self.world.nature
        text = f"{batch.description} errors" if nature.error_batch_tagged else "Error batch"
        other = self.draw(text[:60])
        rows = []
        for entry, words in moved:
            invoice = batch.invoices[entry]
            if not nature.keeps_moved_listed:
                del batch.invoices[entry]
            self.unposted[pair_of(invoice)] -= 1
            to = self.insert(other, invoice)
            rows.append(
                PostingError(
                    batch_number=batch.number,
                    entry_number=entry,
                    message=words,
                    error_batch=other.number if nature.tells_error_batch else 0,
                    error_entry=to if nature.tells_error_batch else 0,
                )
            )
        batch.errors = len(moved)
        self.errors[batch.number] = tuple(rows)

    def remove(self, number: int, entries: tuple[int, ...]) -> None:
        batch = self.batches.get(number)
        if batch is None or batch.status is not BatchStatus.OPEN:
            raise Refusal("The batch cannot be edited.")
        nature = self.world.nature
        if not nature.removal_allowed:
            raise Refusal("Entries cannot be deleted.")
        if not nature.empties_allowed and len(entries) >= len(batch.invoices):
            raise Refusal("The last entry cannot be deleted.")
        if any(entry not in batch.invoices for entry in entries):
            raise Refusal("The row does not exist.")
        for entry in entries:
            self.drop(batch, entry)

    def rename(self, number: int, description: str) -> None:
        batch = self.batches.get(number)
        if batch is None or batch.status is not BatchStatus.OPEN:
            raise Refusal("The batch cannot be edited.")
        batch.description = description
        batch.edited()

    def delete(self, batch: ABatch) -> None:
        for invoice in batch.invoices.values():
            self.unposted[pair_of(invoice)] -= 1
        batch.invoices.clear()
        self.turn(batch, BatchStatus.DELETED)

    # --- time running on and back ---

    def clear_history(self, before: float) -> None:
        """Posted batches and documents older than this are gone; the numbers go on."""
        old = {
            b.number
            for b in self.batches.values()
            if b.status is BatchStatus.POSTED and b.posted_at < before
        } - {self.next_number - 1}
        for number in old:
            del self.batches[number]
            self.errors.pop(number, None)
        for pair in [p for p, d in self.documents.items() if d.batch_number in old]:
            self.cleared.add(self.documents.pop(pair).order_number)

    def snapshot(self) -> tuple[object, ...]:
        copies = {
            n: replace(batch, invoices=dict(batch.invoices)) for n, batch in self.batches.items()
        }
        return (
            copies, dict(self.documents), dict(self.errors), Counter(self.unposted),
            self.next_number, self.sequence, Counter(self.ledger), set(self.cleared),
        )  # fmt: skip

    def restore(self, snapshot: tuple[object, ...]) -> None:
        (
            self.batches, self.documents, self.errors, self.unposted,
            self.next_number, self.sequence, self.ledger, self.cleared,
        ) = snapshot  # type: ignore[assignment] # fmt: skip
        self.lifetime += 1

    def copies(self, order_number: str) -> list[tuple[ABatch, int, Invoice]]:
        """Unposted entries with this order number that can still be posted."""
        return [
            (batch, entry, invoice)
            for batch in self.batches.values()
            if batch.status not in {BatchStatus.DELETED, BatchStatus.POSTED}
            for entry, invoice in batch.invoices.items()
            if invoice.order_number == order_number
        ]
