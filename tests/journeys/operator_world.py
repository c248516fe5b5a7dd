"""What an operator's pages have to show: tenants that fare differently, and one that is suspended."""

from __future__ import annotations

from datetime import timedelta

from integrations.models import BillConnection, BillQuotaRow
from sync import jobs
from tenants import suspending
from tenants.audit import Actor
from tenants.scoping import tenant_scope
from tests import builders
from tests.integration.sync.firms import a_firm, went_wrong
from tests.journeys.world import PASSWORD, World

OPERATOR = "operator@connector.example"
LIST = "/admin/tenants/tenant/"


def an_operator_with_password() -> None:
    person = builders.an_operator(email=OPERATOR, name="L. Moreau", time_zone="America/Chicago")
    person.set_password(PASSWORD)
    person.save()


def beside(world: World) -> None:
    """Make the other tenants, and name the operator's pages by their pictures in the world."""
    an_operator_with_password()
    a_firm("Northfield")
    paused = (
        "Sage refuses the password of MLCONN. Sending is paused so the user does not get locked."
    )
    a_firm("Tamarack", state="paused", paused_reason=paused, posting={"state": "READY"})
    reade = a_firm("Reade", posting={"state": "ATTENTION", "mode": "data", "sentence": "Refused."})
    went_wrong(reade, "rejected")
    went_wrong(reade, "unknown")
    a_firm("Arbor", last_ok_at=world.now - timedelta(hours=9))
    keystone, key = a_firm("Keystone"), "a7c3" * 16
    with tenant_scope(keystone.tenant_id):
        BillConnection.objects.for_tenant(keystone.tenant_id).update(quota_key=key)
    BillQuotaRow.objects.create(key=key, calls=16_400, hour_started_at=world.now)
    pell = a_firm("Pell").tenant
    suspending.suspend(
        pell, reason="unpaid", actor=Actor(name="L. Moreau, operator"),
        now=world.now - timedelta(days=6),
    )  # fmt: skip
    jobs.heartbeat()
    chosen = "&".join(f"id={key}" for key in (world.tenant.pk, reade.tenant_id, pell.pk))
    world.operator_pages = {
        "admin-index": "/admin/",
        "admin-tenants": LIST,
        "admin-tenant": f"{LIST}{world.tenant.pk}/change/",
        "admin-plan": f"{LIST}operate/?deed=run&of=tenants&{chosen}",
        "admin-add": f"{LIST}add/",
        "admin-company": f"/admin/tenants/company/{world.company.pk}/change/",
        "admin-search": "/admin/sync/posting/?q=cow-31877",
    }
