"""Notices batches of ours that our own rows do not know: our database was put back to an earlier day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from integrations.sage300.types import BatchHeader
from sync.domain.batching import tag_in
from sync.models import Batch
from sync.services import journal
from sync.services.marks import Marks
from sync.services.work import Work
from tenants.scoping import operator_scope, tenant_scope

FORGOTTEN = (
    "Sage holds batches of ours that our records do not know ({numbers}): our database was put back"
    " to an earlier day. They are read, and what is ours is adopted, before anything is sent."
)


def note_forgotten(work: Work, marks: Marks, headers: Sequence[BatchHeader], now: datetime) -> bool:
    """Tell of batches under our tags that no row knows: our own database was put back.

    From now on, and for a while, every batch above the low mark is read before anything is sent.
    """
    tags = {
        header.number: tag
        for header in headers
        if header.number > marks.low and (tag := tag_in(header.description))
    }
    if not tags:
        return False
    with operator_scope():
        rows = Batch.objects.filter(database_key=work.database_key, tag__in=set(tags.values()))
        known = set(rows.values_list("tag", flat=True))
    forgotten = [n for n, tag in tags.items() if tag not in known and n not in marks.told]
    if not forgotten:
        return False
    marks.told = [*marks.told, *forgotten]
    marks.watch(now)
    line = journal.company_line(
        tenant_id=work.tenant_id,
        company_id=work.company_id,
        event="restore.noticed",
        sentence=FORGOTTEN.format(numbers=", ".join(str(number) for number in forgotten)),
        now=now,
        run_id=work.run_id,
    )
    with tenant_scope(work.tenant_id):
        journal.write([line])
    return True
