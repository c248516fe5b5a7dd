"""What an owner's pages have to show: one company at work, one stopped at IIS, people and tokens."""

from __future__ import annotations

from datetime import timedelta

from integrations.models import BillConnection, PingResult, Sage300Connection
from integrations.ping import keeping
from integrations.ping.ladder import Step, Verdict
from integrations.ping.sage import WINDOWS_SIGN_IN
from tenants.models import ApiToken, Company, Invitation, Role
from tenants.scoping import tenant_scope
from tests import builders
from tests.journeys.world import World

BILL_STEPS = (
    ("Address", 0.001, "https://gateway.prod.bill.com:443"),
    ("BILL answers", 0.088, "BILL production"),
    ("Sign-in", 0.21, "signed in"),
    ("Organization", 0.094, "008CalderLogistics01"),
    ("Bills", 0.13, "readable"),
    ("One bill by its id", 0.126, "readable"),
    ("Vendors", 0.118, "readable"),
    ("Chart of accounts", 0.101, "readable"),
    ("Other lists", 0.4, "readable"),
    ("Notifications", 0.24, "0 registered"),
    ("Cannot pay", 0.001, "signed in with a sync token, which BILL lets pay nothing"),
)
SAGE_STEPS = (
    ("Address", 0.001, "https://sage.calderlogistics.example:443"),
    ("The name resolves", 0.004, "203.0.113.24"),
    ("The server takes the call", 0.021, "port 443"),
    (
        "The certificate is good",
        0.038,
        "issued to sage.calderlogistics.example, until March 14, 2027",
    ),
    ("Web API answers", 0.058, "HTTP 401"),
    ("Sign-in and vendors", 0.0, ""),
    ("Vendor groups", 0.0, ""),
    ("Invoice batches", 0.0, ""),
    ("Posted documents", 0.0, ""),
    ("G/L accounts", 0.0, ""),
    ("Fiscal calendar", 0.0, ""),
    ("Company profile", 0.0, ""),
    ("Right to enter invoices", 0.0, ""),
    ("Posting by the connector", 0.0, ""),
)


def furnish(world: World) -> None:
    """Make it, and name the owner's pages by their pictures in the world."""
    logistics = builders.a_company(
        world.tenant, slug="logistics", name="Calder Logistics", time_zone="America/Chicago"
    )
    with tenant_scope(world.tenant.pk):
        _connect(world, logistics)
    Invitation.objects.create(
        tenant=world.tenant, email="s.keller@calderfoods.example", role=Role.ACCOUNTANT,
        secret_hash="a", invited_by=world.owner, created_at=world.now - timedelta(days=1),
        expires_at=world.now + timedelta(days=6),
    )  # fmt: skip
    Invitation.objects.create(
        tenant=world.tenant, email="lena.brandt@brandt-audit.example", role=Role.VIEWER,
        secret_hash="b", invited_by=world.owner, created_at=world.now - timedelta(days=11),
        expires_at=world.now - timedelta(days=4),
    )  # fmt: skip
    for label, role in (("Month-end workbook", Role.VIEWER), ("Warehouse portal", Role.ACCOUNTANT)):
        ApiToken.issue(
            tenant=world.tenant, role=role, label=label, created_by=world.owner,
            now=world.now - timedelta(days=20),
        )  # fmt: skip
    firm = f"/{world.tenant.slug}"
    bakery, stopped = f"{firm}/{world.company.slug}", f"{firm}/logistics"
    world.owner_pages |= {
        "setup": f"{stopped}/setup/",
        "connections": f"{stopped}/connections/",
        "connect-bill": f"{bakery}/connections/bill/",
        "connect-sage": f"{stopped}/connections/sage300/",
        "connections-working": f"{bakery}/connections/",
        "policy": f"{bakery}/policy/",
        "policy-changed": f"{bakery}/policy/?preset=usual",
        "copy-company": f"{bakery}/copy/",
        "people": f"{firm}/people/",
        "person": f"{firm}/people/{world.accountant.pk}/",
        "new-company": f"{firm}/new-company/",
    }


def _connect(world: World, company: Company) -> None:
    mine = {"tenant_id": world.tenant.pk, "company": company, "credentials_set_at": world.now}
    BillConnection.objects.create(
        environment="production", user_name="ml-connector", password="x",
        organization_id="008CalderLogistics01", developer_key="x", is_token=True,
        last_ok_at=world.now, **mine,
    )  # fmt: skip
    Sage300Connection.objects.create(
        base_url="https://sage.calderlogistics.example/Sage300WebApi", company_database="CALLOG",
        user_name="MLCONN", password="x", state="paused", paused_at=world.now,
        paused_reason=f"Not connected yet: {WINDOWS_SIGN_IN}", **mine,
    )  # fmt: skip
    bill = [
        Step(name=name, verdict=Verdict.OK, seconds=seconds, answer=answer)
        for name, seconds, answer in BILL_STEPS
    ]
    sage = [
        Step(
            name=name,
            verdict=Verdict.OK
            if place < 4
            else Verdict.FAILED
            if place == 4
            else Verdict.NOT_TRIED,
            seconds=seconds,
            answer=answer,
            what_to_do=WINDOWS_SIGN_IN if place == 4 else "",
        )
        for place, (name, seconds, answer) in enumerate(SAGE_STEPS)
    ]
    keep = {"version": 1, "is_of_stored": True, "by": world.owner.name, "now": world.now}
    keeping.keep(company, PingResult.Side.BILL, bill, **keep)
    keeping.keep(company, PingResult.Side.SAGE, sage, **keep)
    keeping.keep(world.company, PingResult.Side.BILL, bill, **keep)
