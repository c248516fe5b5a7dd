"""Writes the log: one line for every operation, in the same transaction as what it tells."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from sync.models import LogEntry, Posting, VendorLink
from sync.models.many_rows import insert_rows


def line_for(
    posting: Posting,
    *,
    event: str,
    sentence: str,
    now: datetime,
    actor: str = "",
    attempt_id: uuid.UUID | None = None,
    run_id: uuid.UUID | None = None,
) -> LogEntry:
    """A log line about one posting as it stands now, not yet saved."""
    accounts = dict.fromkeys(
        line.get("formatted") or line["gl_account"]
        for line in posting.lines
        if line.get("gl_account")
    )
    return LogEntry(
        tenant_id=posting.tenant_id,
        company_id=posting.company_id,
        at=now,
        event=event,
        posting_id=posting.pk,
        attempt_id=attempt_id,
        run_id=run_id,
        actor=actor,
        invoice_number=posting.invoice_number[:100],
        vendor_name=posting.vendor_name[:200],
        gl_accounts=", ".join(accounts)[:500],
        amount=posting.amount,
        status=posting.sage_status if posting.state == "IN_SAGE" else posting.state,
        batch_number=posting.sage_batch_number,
        entry_number=posting.sage_entry_number,
        sentence=sentence[:1000],
    )


def vendor_line(
    link: VendorLink,
    *,
    event: str,
    sentence: str,
    now: datetime,
    actor: str = "",
    attempt_id: uuid.UUID | None = None,
) -> LogEntry:
    """A log line about one vendor, not yet saved."""
    return LogEntry(
        tenant_id=link.tenant_id,
        company_id=link.company_id,
        at=now,
        event=event,
        vendor_link_id=link.pk,
        attempt_id=attempt_id,
        actor=actor,
        vendor_name=link.name[:200],
        status=link.state,
        sentence=sentence[:1000],
    )


def company_line(
    *,
    tenant_id: uuid.UUID,
    company_id: uuid.UUID,
    event: str,
    sentence: str,
    now: datetime,
    actor: str = "",
    amount: Decimal | None = None,
    batch_number: int | None = None,
    attempt_id: uuid.UUID | None = None,
    run_id: uuid.UUID | None = None,
) -> LogEntry:
    """A log line about the company as a whole, not yet saved."""
    return LogEntry(
        tenant_id=tenant_id,
        company_id=company_id,
        at=now,
        event=event,
        actor=actor,
        amount=amount,
        batch_number=batch_number,
        attempt_id=attempt_id,
        run_id=run_id,
        sentence=sentence[:1000],
    )


def write(lines: Sequence[LogEntry]) -> None:
    """Save the lines, in one statement."""
    insert_rows(lines)
