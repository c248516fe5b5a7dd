"""Notices that Sage's history was cleared: a posted document is gone while the numbers go on.

Clear History takes the oldest first, so the fifteen oldest tell whether it happened. It is a note on
the bill, never an alarm, and nothing is sent again for it.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from sync.domain.posting_state import PostingState
from sync.models import Posting
from sync.services import journal
from sync.services.marks import find_marks, keep_marks
from sync.services.work import Work
from tenants.scoping import tenant_scope

PAIRS = 15


def note_cleared(work: Work) -> int:
    """Once in a while, note the bills whose posted documents were cleared; return how many."""
    now = work.clock()
    with tenant_scope(work.tenant_id):
        marks = find_marks(tenant_id=work.tenant_id, company_id=work.company_id)
        if marks is None:
            return 0
        limit = timedelta(seconds=settings.CONNECTOR.history_check_seconds)
        if marks.history_checked_at is not None and now - marks.history_checked_at < limit:
            return 0
        marks.history_checked_at = now
        keep_marks(marks, tenant_id=work.tenant_id, company_id=work.company_id, now=now)
    count = 0
    while gone := _gone(work):
        _note(work, gone)
        count += len(gone)
        if len(gone) < PAIRS:
            break
    return count


def _gone(work: Work) -> list[Posting]:
    """Which of the oldest posted bills Sage no longer has among its posted documents."""
    with tenant_scope(work.tenant_id):
        oldest = list(
            Posting.objects.for_tenant(work.tenant_id)
            .of_company(work.company_id)
            .in_state(PostingState.IN_SAGE)
            .filter(sage_status="Posted", cleared_in_sage_at=None)
            .order_by("posting_date", "pk")[:PAIRS]
        )
    if not oldest:
        return []
    pairs = tuple((posting.vendor_number, posting.sage_document_number) for posting in oldest)
    there = {
        (document.vendor_number, document.document_number)
        for document in work.sage.find_posted(pairs)
    }
    return [posting for posting, pair in zip(oldest, pairs, strict=True) if pair not in there]


def _note(work: Work, postings: list[Posting]) -> None:
    now = work.clock()
    sentence = "Sage no longer lists it among its posted documents: its history was cleared."
    with tenant_scope(work.tenant_id):
        Posting.objects.for_tenant(work.tenant_id).filter(
            pk__in=[posting.pk for posting in postings], cleared_in_sage_at=None
        ).update(cleared_in_sage_at=now, sentence=sentence)
        journal.write(
            [
                journal.line_for(
                    posting, event="posting.cleared", sentence=sentence, now=now, run_id=work.run_id
                )
                for posting in postings
            ]
        )
