"""A run that somebody asked for has its row, and so its id, before any worker is free.

Whichever worker comes first opens it, also one that the schedule woke, so that an asked-for run is
neither lost nor made twice. It also closes the run of a worker that was killed, which could not say
so itself.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from sync.models import Run
from sync.services import turns
from tenants.scoping import TenantQuerySet, tenant_scope

LEFT = (
    "This run's worker was stopped before it could end it. What it had read and sent is kept, and the"
    " next run goes on from there; nobody needs to act."
)


def ask_for_run(*, tenant_id: uuid.UUID, company_id: uuid.UUID, trigger: str, now: datetime) -> Run:
    """Make the company due and return the run's row; one that nobody has opened yet serves again."""
    with tenant_scope(tenant_id):
        run = _unopened(tenant_id, company_id).first() or Run.objects.create(
            tenant_id=tenant_id,
            company_id=company_id,
            trigger=trigger,
            started_at=now,
            heard_at=now,
        )
        turns.poll_now(company_id=company_id)
    return run


def open_run(
    *,
    tenant_id: uuid.UUID,
    company_id: uuid.UUID,
    trigger: str,
    run_id: uuid.UUID | None,
    now: datetime,
) -> Run:
    """The row of a pass that begins now: the one asked for, or a new one.

    Whoever opens one has the company's turn, so one that is still open was left by its worker.
    """
    with tenant_scope(tenant_id):
        _close_left(tenant_id, company_id, now)
        run = _unopened(tenant_id, company_id).select_for_update().first()
        if run is None:
            fresh = Run(tenant_id=tenant_id, company_id=company_id, trigger=trigger)
            is_free = run_id and not Run.objects.for_tenant(tenant_id).filter(pk=run_id).exists()
            fresh.pk = run_id if is_free else fresh.pk
            run = fresh
        run.started_at = run.heard_at = now
        run.save()
    return run


def _close_left(tenant_id: uuid.UUID, company_id: uuid.UUID, now: datetime) -> None:
    left = Run.objects.for_tenant(tenant_id).filter(company_id=company_id, ended_at=None)
    left.exclude(steps=[]).update(ended_at=now, outcome="broke", sentence=LEFT)


def _unopened(tenant_id: uuid.UUID, company_id: uuid.UUID) -> TenantQuerySet[Run]:
    rows: TenantQuerySet[Run] = Run.objects.for_tenant(tenant_id).filter(
        company_id=company_id, ended_at=None, steps=[]
    )
    return rows.order_by("started_at")
