"""Is this entry in Sage the one we sent, to the cent?

An entry is ours when its folded `OrderNumber` is ours; everything else about it may have been
edited by a person, and each difference is told with both figures.
"""

from __future__ import annotations

from decimal import Decimal

from integrations.sage300.types import BatchHeader, Invoice, InvoiceBatch
from sync.domain.facts import Entry, Sighting


def fold(text: str) -> str:
    """Sage's masks upper-case and right-trim document, order and vendor numbers."""
    return text.strip().upper()


def is_ours(entry: Entry, invoice: Invoice) -> bool:
    """Whether Sage's entry carries our order number."""
    return fold(invoice.order_number) == fold(entry.order_number)


def is_number_of(entry: Entry, vendor_number: str, document_number: str) -> bool:
    """Whether vendor and document number are the ones this entry would use."""
    return fold(vendor_number) == fold(entry.vendor_number) and fold(document_number) == fold(
        entry.document_number
    )


def differences(entry: Entry, invoice: Invoice) -> tuple[str, ...]:
    """Every way in which Sage's entry is not what we sent, each with both figures; () if none."""
    found = []
    if fold(invoice.vendor_number) != fold(entry.vendor_number):
        found.append(f"vendor {entry.vendor_number} sent, {invoice.vendor_number} in Sage")
    if fold(invoice.document_number) != fold(entry.document_number):
        found.append(f"number {entry.document_number} sent, {invoice.document_number} in Sage")
    if invoice.total != entry.total:
        found.append(f"total {entry.total:,.2f} sent, {invoice.total:,.2f} in Sage")
    sent = [(fold(account), amount) for account, amount in entry.lines]
    held = [(fold(line.gl_account), line.amount) for line in invoice.details]
    if sorted(sent) != sorted(held):
        found.append(f"lines {_lines(sent)} sent, {_lines(held)} in Sage")
    if invoice.undistributed_amount:
        found.append(
            f"{invoice.undistributed_amount:,.2f} is not distributed in Sage, usually tax that"
            " Sage added"
        )
    return tuple(found)


def _lines(lines: list[tuple[str, Decimal]]) -> str:
    shown = ", ".join(f"{account} {amount:,.2f}" for account, amount in lines[:4])
    return shown + (f" and {len(lines) - 4} more" if len(lines) > 4 else "")


def sightings(entries: tuple[Entry, ...], batch: InvoiceBatch) -> tuple[Sighting, ...]:
    """Our entries in this batch, in the batch's order."""
    by_order = {fold(entry.order_number): entry for entry in entries}
    seen = []
    for invoice in batch.invoices:
        entry = by_order.get(fold(invoice.order_number))
        if entry is not None:
            seen.append(
                Sighting(
                    posting_id=entry.posting_id,
                    batch_number=batch.header.number,
                    entry_number=invoice.entry_number,
                    document_number=invoice.document_number,
                    status=batch.header.status,
                    posting_sequence=batch.header.posting_sequence,
                    differences=differences(entry, invoice),
                )
            )
    return tuple(seen)


def fingerprint(header: BatchHeader) -> str:
    """Everything a list shows of a batch, so that any change of it shows."""
    return "|".join(
        (
            str(header.entry_count),
            header.status,
            header.description,
            f"{header.total:f}",
            str(header.posting_sequence),
            str(header.error_count),
            header.last_edited,
        )
    )
