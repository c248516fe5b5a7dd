"""Firms as an operator meets them: connected, answering, or not well in one way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from integrations.models import BillConnection, Sage300Connection
from sync.models import Answer, Attempt, DueWork
from tenants.models import Company
from tenants.scoping import tenant_scope
from tests import builders
from tests.integration.sync.workbench import now
from tests.integration.sync.world import connect


def a_firm(name: str, *, posting: dict[str, Any] | None = None, **columns: Any) -> Company:
    """A tenant with one connected company that answered a minute ago."""
    tenant = builders.a_tenant(slug=name.lower(), name=name, created_at=now())
    company = builders.a_company(tenant, name=f"{name} Works", slug="works")
    connect(company, sage_url="https://sage.example")
    well = {"last_ok_at": now() - timedelta(minutes=1)}
    with tenant_scope(tenant.pk):
        for model in (BillConnection, Sage300Connection):
            model.objects.for_tenant(tenant).update(**well)
        Sage300Connection.objects.for_tenant(tenant).update(median_seconds=0.6, slow_seconds=1.4)
        if columns:
            Sage300Connection.objects.for_tenant(tenant).update(**columns)
    DueWork.objects.filter(company_id=company.pk).update(
        next_run_at=now() + timedelta(minutes=3), served_at=now() - timedelta(minutes=1)
    )
    if posting:
        builders.a_posting(company, at=now() - timedelta(hours=2), **posting)
    return company


def went_wrong(company: Company, outcome: str) -> None:
    with tenant_scope(company.tenant_id):
        shared = {"tenant_id": company.tenant_id, "company": company}
        attempt = Attempt.objects.create(
            **shared, operation="PostBatch", request_hash="0" * 64, started_at=now(),
            deadline_at=now(),
        )  # fmt: skip
        Answer.objects.create(
            tenant_id=company.tenant_id, attempt=attempt, outcome=outcome, ended_at=now()
        )
