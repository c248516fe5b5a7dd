"""Fiscal periods that Sage itself has refused: it tells its calendar, but not what is locked.

A refused period counts as closed until the knob's time is over or somebody says that it is open;
then the next bill asks Sage again. Kept among the company's lists, so that bills are decided anew.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.conf import settings

from sync.models import CatalogueList

KIND = "sage.refused_periods"
Period = tuple[str, str]


def refused_periods(*, tenant_id: uuid.UUID, company_id: uuid.UUID, now: datetime) -> set[Period]:
    """The (year, period) that count as closed now; inside the caller's scope."""
    row = _row(tenant_id, company_id)
    limit = now - timedelta(seconds=settings.CONNECTOR.refused_period_seconds)
    return {
        (item["year"], item["period"])
        for item in (row.rows if row else [])
        if datetime.fromisoformat(item["at"]) > limit
    }


def note_refused(
    *, tenant_id: uuid.UUID, company_id: uuid.UUID, period: Period, now: datetime
) -> None:
    """Count a period as closed from now on; inside the caller's scope."""
    known = refused_periods(tenant_id=tenant_id, company_id=company_id, now=now)
    if period in known:
        return
    row = _row(tenant_id, company_id)
    year, number = period
    rows = [*(row.rows if row else []), {"year": year, "period": number, "at": now.isoformat()}]
    _store(tenant_id, company_id, rows, now)


def forget_refused(*, tenant_id: uuid.UUID, company_id: uuid.UUID, now: datetime) -> None:
    """Somebody says that the periods are open again; inside the caller's scope."""
    if _row(tenant_id, company_id) is not None:
        _store(tenant_id, company_id, [], now)


def _row(tenant_id: uuid.UUID, company_id: uuid.UUID) -> CatalogueList | None:
    rows = CatalogueList.objects.for_tenant(tenant_id)
    return rows.filter(company_id=company_id, kind=KIND).first()


def _store(
    tenant_id: uuid.UUID, company_id: uuid.UUID, rows: list[dict[str, str]], now: datetime
) -> None:
    CatalogueList.objects.for_tenant(tenant_id).update_or_create(
        company_id=company_id,
        kind=KIND,
        defaults={"tenant_id": tenant_id, "rows": rows, "row_count": len(rows), "read_at": now},
    )
