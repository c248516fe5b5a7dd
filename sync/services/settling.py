"""Settles what a look found in Sage: heals strays, and follows our own entries until they are posted.

An unknown batch under our tag is read in full and healed; a batch of ours is read again only where
its header changed.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from integrations.sage300.types import BatchHeader, PostProcess
from sync.domain import facts_json, following
from sync.domain.facts import Facts
from sync.models import Batch
from sync.services.lease import Lease, LeaseLost, holds_lease
from sync.services.looks import Look, moving
from sync.services.posting import drive
from sync.services.sweeps import sweep
from sync.services.work import Work
from tenants.scoping import tenant_scope


def follow_up(work: Work, lease: Lease, found: Look, *, process: PostProcess | None) -> int:
    """Heal strays and read our own changed batches again; return how many were driven."""
    driven = 0
    swept = sweep(work, lease, found)
    if swept is not None:
        facts = drive(work, lease, swept, process=process, is_new=True)
        driven += 1
        found.hold = facts.why if facts.is_stopped else ""
    for batch in [] if found.hold else _reopened(work, lease, found):
        facts = drive(work, lease, batch, process=process, is_new=True)
        driven += 1
        if facts.is_stopped:
            # Refused credentials are not tried again batch by batch.
            found.hold = facts.why
            break
    return driven


def _suspected(work: Work, headers: Sequence[BatchHeader]) -> list[uuid.UUID]:
    """Our followed batches that may have changed; told without reading their facts, of which a
    company that never posts gathers thousands.
    """
    now = following.listed(headers)
    numbers: dict[uuid.UUID, set[int]] = {}
    for key, number in moving(work).values_list("batch_id", "sage_batch_number").distinct():
        if key is not None and number is not None:
            numbers.setdefault(key, set()).add(number)
    rows = Batch.objects.for_tenant(work.tenant_id).filter(company_id=work.company_id)
    prints = rows.filter(pk__in=moving(work).values("batch_id")).order_by("made_at")
    return [
        key
        for key, known in prints.values_list("pk", "facts__prints").iterator()
        if any(n not in now or now[n] != (known or {}).get(str(n)) for n in numbers.get(key, ()))
    ]


def _reopened(work: Work, lease: Lease, found: Look) -> list[Batch]:
    """Open those whose headers changed again, so that the protocol reads and judges them."""
    reopened = []
    with tenant_scope(work.tenant_id):
        if not holds_lease(lease):
            raise LeaseLost(lease.database_key)
        rows = Batch.objects.for_tenant(work.tenant_id).select_for_update()
        now = following.listed(found.headers)
        for batch in rows.filter(pk__in=_suspected(work, found.headers)).order_by("made_at"):
            facts = facts_json.from_json(batch.facts)
            numbers = following.changed(facts, now)
            if numbers:
                _reopen(batch, following.follow(facts, numbers))
                reopened.append(batch)
    return reopened


def _reopen(batch: Batch, facts: Facts) -> None:
    batch.facts, batch.stage, batch.settled_at = facts_json.to_json(facts), facts.stage, None
    batch.version += 1
    batch.save(update_fields=["facts", "stage", "settled_at", "version"])
