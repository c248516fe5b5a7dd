"""Reads from Sage what a comparison needs, and remembers how each batch of ours looked.

One list tells how the headers of our batches look; only those that changed since they were last
read in full are read again. Nothing is written to Sage, and no transaction is open during a call.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from integrations.sage300.types import BatchHeader, Invoice, InvoiceBatch
from sync.domain.comparison import differences, fingerprint, fold
from sync.domain.facts import Entry
from sync.domain.packing import pack, unpack
from sync.domain.words import period_name
from sync.models import BatchReading, Posting
from sync.queries.reconciling import looked_at
from sync.services.assembling import entry_of
from sync.services.landings import status_words
from sync.services.work import Work
from tenants.scoping import tenant_scope

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRead:
    """One entry as Sage showed it; `order` is its folded order number, `period` "" where not told."""

    order: str
    number: int
    document: str
    amount: Decimal
    period: str = ""
    currency: str = ""
    differences: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class BatchesRead:
    """What Sage shows of our batches; `is_complete` is False where time ran out before the last.

    `headers` by number: those of ours that Sage lists. `entries` are ours, `added` other people's.
    """

    headers: dict[int, BatchHeader] = field(default_factory=dict)
    entries: dict[int, list[EntryRead]] = field(default_factory=dict)
    added: dict[int, list[EntryRead]] = field(default_factory=dict)
    wanted: int = 0
    is_complete: bool = True

    @property
    def statuses(self) -> dict[int, str]:
        """Sage's own word for each batch it lists."""
        return {number: status_words(header.status) for number, header in self.headers.items()}


def read_batches(work: Work, *, floor: date, seconds: float, progress: Progress) -> BatchesRead:
    """Read the headers of our batches, and in full those that look otherwise than when last read."""
    numbers = _numbers(work, floor)
    found = BatchesRead(wanted=len(numbers))
    if not numbers:
        return found
    listed = work.sage.list_batches(min(numbers) - 1)
    found.headers = {header.number: header for header in listed if header.number in numbers}
    known = _readings(work, min(numbers))
    changed = [
        number
        for number, header in sorted(found.headers.items())
        if number not in known or known[number].fingerprint != fingerprint(header)[:200]
    ]
    until = time.monotonic() + seconds
    for done, number in enumerate(changed):
        if done and time.monotonic() > until:
            found.is_complete = False
            return found
        progress(done, len(changed))
        batch = work.sage.find_batch(number)
        if batch is None:
            del found.headers[number]
        else:
            known[number] = _keep(work, batch)
    for number in found.headers:
        found.entries[number] = _unpacked(known[number].entries)
        found.added[number] = _unpacked(known[number].added)
    return found


def _numbers(work: Work, floor: date) -> frozenset[int]:
    """The batches in which, by our rows, an entry lies that is looked at."""
    with tenant_scope(work.tenant_id):
        rows = looked_at(tenant_id=work.tenant_id, company_id=work.company_id, floor=floor)
        numbers = rows.exclude(sage_batch_number=None).filter(cleared_in_sage_at=None)
        found = numbers.values_list("sage_batch_number", flat=True).distinct()
        return frozenset(number for number in found if number is not None)


def _readings(work: Work, lowest: int) -> dict[int, BatchReading]:
    """What was read before; older readings than are looked at any more are dropped."""
    with tenant_scope(work.tenant_id):
        rows = BatchReading.objects.for_tenant(work.tenant_id).filter(company_id=work.company_id)
        rows.filter(number__lt=lowest).delete()
        return {row.number: row for row in rows}


def _keep(work: Work, batch: InvoiceBatch) -> BatchReading:
    with tenant_scope(work.tenant_id):
        sent = _sent(work, batch)
        ours: list[EntryRead] = []
        added: list[EntryRead] = []
        for invoice in batch.invoices:
            entry = sent.get(fold(invoice.order_number)) if invoice.order_number else None
            (added if entry is None else ours).append(_entry_read(invoice, entry))
        row, _ = BatchReading.objects.for_tenant(work.tenant_id).update_or_create(
            company_id=work.company_id,
            number=batch.header.number,
            defaults={
                "tenant_id": work.tenant_id,
                "fingerprint": fingerprint(batch.header)[:200],
                "entries": [pack(entry) for entry in ours],
                "added": [pack(entry) for entry in added],
                "read_at": work.clock(),
            },
        )
    return row


def _sent(work: Work, batch: InvoiceBatch) -> dict[str, Entry]:
    """What we sent of the entries in this batch, by folded order number."""
    orders = {fold(invoice.order_number) for invoice in batch.invoices if invoice.order_number}
    rows = Posting.objects.for_tenant(work.tenant_id).of_company(work.company_id)
    found = rows.filter(database_key=work.database_key, order_number__in=orders)
    return {fold(row.order_number): entry_of(row) for row in found.exclude(invoice=None)}


def _entry_read(invoice: Invoice, entry: Entry | None) -> EntryRead:
    has_period = bool(invoice.fiscal_year and invoice.fiscal_period)
    return EntryRead(
        order=fold(invoice.order_number),
        number=invoice.entry_number,
        document=invoice.document_number,
        amount=invoice.total,
        period=period_name(invoice.fiscal_year, invoice.fiscal_period) if has_period else "",
        currency=invoice.currency,
        differences=differences(entry, invoice) if entry else (),
    )


def _unpacked(rows: Iterable[Mapping[str, object]]) -> list[EntryRead]:
    return [unpack(EntryRead, row) for row in rows]


def by_order(found: BatchesRead) -> dict[str, list[tuple[int, EntryRead]]]:
    """Our entries by their folded order number, each with its batch."""
    entries: dict[str, list[tuple[int, EntryRead]]] = {}
    for number, rows in found.entries.items():
        for entry in rows:
            entries.setdefault(entry.order, []).append((number, entry))
    return entries
