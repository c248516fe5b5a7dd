"""Looks through Sage's open batches for the invoice that already uses a bill's number.

Sage says only that the number is used; an invoice that is not posted yet can be found in no other
way than by reading the open batches. A person asks for it, since it may read many.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from integrations.sage300.types import BatchStatus
from sync.domain.comparison import fold
from sync.models import Posting
from sync.services import journal
from sync.services.work import Work
from tenants.scoping import tenant_scope

LONGEST_SCAN = 200
_UNPOSTED = frozenset({BatchStatus.OPEN, BatchStatus.READY_TO_POST})


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Where the number is used, batch 0 where it was not found; `sentence` tells it."""

    batch_number: int = 0
    entry_number: int = 0
    amount: Decimal = Decimal(0)
    batches_read: int = 0
    sentence: str = ""


def scan_open_batches(work: Work, posting: Posting) -> Found:
    """Read the unposted batches, newest first, and write what was found on the posting.

    Reads at most LONGEST_SCAN batches in full; writes nothing to Sage.
    """
    headers = [
        header
        for header in sorted(work.sage.list_batches(0), key=lambda one: -one.number)
        if header.status in _UNPOSTED and header.entry_count
    ]
    found = Found(batches_read=min(len(headers), LONGEST_SCAN))
    for header in headers[:LONGEST_SCAN]:
        batch = work.sage.find_batch(header.number)
        for invoice in batch.invoices if batch else ():
            if _uses_number_of(posting, invoice.vendor_number, invoice.document_number):
                found = Found(
                    batch_number=header.number,
                    entry_number=invoice.entry_number,
                    amount=invoice.total,
                    batches_read=found.batches_read,
                )
                break
        if found.batch_number:
            break
    return _told(work, posting, found, left=len(headers) - found.batches_read)


def _uses_number_of(posting: Posting, vendor: str, document: str) -> bool:
    return fold(vendor) == fold(posting.vendor_number) and fold(document) == fold(
        posting.document_number
    )


def _told(work: Work, posting: Posting, found: Found, *, left: int) -> Found:
    name = f"Document {posting.document_number} of vendor {posting.vendor_number}"
    if found.batch_number:
        sentence = (
            f"{name} is in Sage's batch {found.batch_number}, entry {found.entry_number}, with"
            f" {found.amount:,.2f}, and is not posted yet. If it is the same invoice, mark the bill"
            " as handled outside; if not, give one of them another number."
        )
    else:
        sentence = f"{name} is in none of the {found.batches_read} unposted batches that were read."
        if left:
            sentence += f" {left} older ones were not read; look through them in Sage."
        else:
            sentence += " Check the bill again: whoever used the number may have given it up."
    now = work.clock()
    with tenant_scope(work.tenant_id):
        rows = Posting.objects.for_tenant(work.tenant_id)
        rows.filter(pk=posting.pk, state=posting.state).update(sentence=sentence, changed_at=now)
        line = journal.line_for(
            posting, event="posting.scanned", sentence=sentence, now=now, run_id=work.run_id
        )
        journal.write([line])
    return Found(
        batch_number=found.batch_number,
        entry_number=found.entry_number,
        amount=found.amount,
        batches_read=found.batches_read,
        sentence=sentence,
    )
