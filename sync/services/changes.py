"""What a change in BILL does to a posting, by where the posting stands.

Before it is sent, the bill is simply decided anew. While it is being sent, the protocol reads BILL
again by itself. Once it lies in Sage nothing is overwritten: the change becomes a dated fact.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime

from integrations.bill.types import Approval, Bill
from sync.domain.packing import pack
from sync.domain.posting_state import BEFORE_SENDING, PostingState
from sync.models import Posting
from sync.services import journal


def note_change(
    posting: Posting,
    *,
    before: Mapping[str, object],
    bill: Bill,
    now: datetime,
    run_id: uuid.UUID | None,
) -> None:
    """Mark the posting for a new decision, or write the fact that BILL changed after sending.

    `before` is the bill's earlier snapshot. The caller holds the transaction.
    """
    state = PostingState(posting.state)
    what = describe(before, bill)
    rows = Posting.objects.for_tenant(posting.tenant_id).filter(pk=posting.pk)
    lies_in_sage = state is PostingState.IN_SAGE or (
        posting.sage_batch_number is not None and state not in BEFORE_SENDING
    )
    if lies_in_sage:
        note = (
            f"{what} in BILL after it was sent. We never overwrite an invoice in Sage: correct it"
            " there by hand where it must follow, then mark it as dealt with."
        )
        rows.update(changed_in_bill_at=now, change_note=note[:300], changed_at=now)
        line = journal.line_for(
            posting, event="bill.changed_after_sending", sentence=note, now=now, run_id=run_id
        )
        journal.write([line])
        return
    values = {**posting_columns(bill), "is_dirty": True, "changed_at": now}
    if bill.approval_status == Approval.APPROVED and posting.approval_seen_at is None:
        values["approval_seen_at"] = now
    rows.update(**values)
    posting.refresh_from_db(fields=list(values))
    if state is PostingState.ATTENTION:
        sentence = f"{what} in BILL; it is looked at anew."
        posting.advance(PostingState.WAITING, now=now, sentence=sentence)
    if state in BEFORE_SENDING or state is PostingState.ATTENTION:
        line = journal.line_for(
            posting, event="bill.changed", sentence=f"{what} in BILL.", now=now, run_id=run_id
        )
        journal.write([line])


def posting_columns(bill: Bill) -> dict[str, object]:
    """What lists show of a bill, straight from BILL."""
    return {
        "invoice_number": bill.invoice_number[:100],
        "vendor_name": bill.vendor_name[:200],
        "bill_vendor_id": bill.vendor_id,
        "amount": bill.amount,
        "invoice_date": bill.invoice_date,
        "due_date": bill.due_date,
    }


_NAMES = {
    "amount": "Amount",
    "invoice_number": "Invoice number",
    "invoice_date": "Invoice date",
    "due_date": "Due date",
    "vendor_id": "Vendor",
    "lines": "Lines",
    "coding": "Coding",
    "description": "Description",
}


_APPROVALS = {
    "APPROVED": "Approved",
    "APPROVING": "Approved by some, not all",
    "ASSIGNED": "Waits for approval",
    "UNASSIGNED": "Has no approver any more",
    "DENIED": "Denied",
    "": "Approval is not known any more",
}


def describe(before: Mapping[str, object], bill: Bill) -> str:
    """What changed, in words: "Amount, Lines changed", "Denied", "Archived"."""
    after = pack(bill)
    if after.get("archived") and not before.get("archived"):
        return "Archived"
    if before.get("archived") and not after.get("archived"):
        return "Restored"
    if after.get("approval_status") != before.get("approval_status"):
        return _APPROVALS.get(bill.approval_status, f"Approval is now {bill.approval_status}")
    names = [label for key, label in _NAMES.items() if after.get(key) != before.get(key)]
    return f"{', '.join(names)} changed" if names else "Changed"
