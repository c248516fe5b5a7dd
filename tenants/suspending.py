"""Stopping all work for a customer, and starting it again: an operator's deed, with a reason.

Nothing of the customer's is touched. Workers pass its companies over, pages and tokens say that it
is suspended and why, and BILL's notifications are still kept, so that nothing is missed.
"""

from __future__ import annotations

from datetime import datetime

from tenants import audit
from tenants.audit import Actor
from tenants.models import Tenant, TenantStatus
from tenants.scoping import tenant_scope

LONGEST_REASON = 300


def suspend(tenant: Tenant, *, reason: str, actor: Actor, now: datetime) -> bool:
    """Stop all work for the tenant; False when it is suspended already. Opens its scope."""
    return _set(
        tenant, TenantStatus.SUSPENDED, "tenant.suspended", reason=reason, actor=actor, now=now,
        told={"suspended_at": now, "suspended_by": actor.name[:160], "suspended_reason": reason},
    )  # fmt: skip


def resume(tenant: Tenant, *, reason: str, actor: Actor, now: datetime) -> bool:
    """Work for the tenant again; False when it is active already. Opens its scope."""
    return _set(
        tenant, TenantStatus.ACTIVE, "tenant.resumed", reason=reason, actor=actor, now=now,
        told={"suspended_at": None, "suspended_by": "", "suspended_reason": ""},
    )  # fmt: skip


def _set(
    tenant: Tenant,
    status: TenantStatus,
    action: str,
    *,
    reason: str,
    told: dict[str, object],
    actor: Actor,
    now: datetime,
) -> bool:
    with tenant_scope(tenant.pk):
        rows = Tenant.objects.filter(pk=tenant.pk).exclude(status=status)
        if not rows.update(status=status, **told):
            return False
        audit.record(
            tenant=tenant, actor=actor, action=action, subject=tenant.name, now=now,
            details={"reason": reason},
        )  # fmt: skip
    tenant.refresh_from_db()
    return True
