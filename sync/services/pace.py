"""How many invoices travel together just now: halved by a lost answer, grown back by good ones.

A small batch bounds what an unknown outcome can hold up. Kept per company, among its lists.
"""

from __future__ import annotations

from sync.domain.backoff import BatchPace
from sync.domain.facts import Facts
from sync.models import CatalogueList
from sync.services.work import Work
from tenants.scoping import tenant_scope

KIND = "sage.pace"


def batch_size(work: Work) -> int:
    """The present size, at most the policy's."""
    return min(_pace(work).size, work.policy.batch_size)


def note_sent(work: Work, facts: Facts) -> None:
    """Learn from a batch that was just sent: lost answers halve, a settled one counts as good."""
    before = _pace(work)
    after = before.after_timeout() if facts.losses else before.after_good(work.policy.batch_size)
    is_full = before.size >= work.policy.batch_size and not facts.losses
    if after == before or is_full:
        return
    with tenant_scope(work.tenant_id):
        CatalogueList.objects.for_tenant(work.tenant_id).update_or_create(
            company_id=work.company_id,
            kind=KIND,
            defaults={
                "tenant_id": work.tenant_id,
                "rows": {"size": after.size, "good_in_a_row": after.good_in_a_row},
                "row_count": 1,
                "read_at": work.clock(),
            },
        )


def _pace(work: Work) -> BatchPace:
    with tenant_scope(work.tenant_id):
        rows = CatalogueList.objects.for_tenant(work.tenant_id)
        row = rows.filter(company_id=work.company_id, kind=KIND).first()
    if row is None:
        return BatchPace(size=work.policy.batch_size)
    return BatchPace(size=row.rows["size"], good_in_a_row=row.rows["good_in_a_row"])
