"""How many invoices travel together just now: halved by a lost answer, grown back by good ones.

A small batch bounds what an unknown outcome can hold up. Kept per company, among its lists; read
once a turn, since there is one writer.
"""

from __future__ import annotations

from sync.domain.backoff import BatchPace
from sync.domain.facts import Facts
from sync.models import CatalogueList
from sync.services.work import Work
from tenants.scoping import tenant_scope

KIND = "sage.pace"


class Pace:
    """The pace of one turn."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._now = _stored(work)

    @property
    def batch_size(self) -> int:
        """The present size, at most the policy's."""
        return min(self._now.size, self._work.policy.batch_size)

    def note_sent(self, facts: Facts) -> None:
        """Learn from a batch that was just sent: lost answers halve, a settled one counts as good."""
        before, most = self._now, self._work.policy.batch_size
        after = before.after_timeout() if facts.losses else before.after_good(most)
        is_full = before.size >= most and not facts.losses
        if after == before or is_full:
            return
        self._now = after
        _store(self._work, after)


def _stored(work: Work) -> BatchPace:
    with tenant_scope(work.tenant_id):
        rows = CatalogueList.objects.for_tenant(work.tenant_id)
        row = rows.filter(company_id=work.company_id, kind=KIND).first()
    if row is None:
        return BatchPace(size=work.policy.batch_size)
    return BatchPace(size=row.rows["size"], good_in_a_row=row.rows["good_in_a_row"])


def _store(work: Work, pace: BatchPace) -> None:
    with tenant_scope(work.tenant_id):
        CatalogueList.objects.for_tenant(work.tenant_id).update_or_create(
            company_id=work.company_id,
            kind=KIND,
            defaults={
                "tenant_id": work.tenant_id,
                "rows": {"size": pace.size, "good_in_a_row": pace.good_in_a_row},
                "row_count": 1,
                "read_at": work.clock(),
            },
        )
