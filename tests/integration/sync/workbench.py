"""What the tests of the accountant's workbenches share: a synced company, its people, its rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sync.models import MappingRule, VendorLink
from tenants.audit import Actor
from tenants.scoping import tenant_scope
from tests.integration.sync.world import BAKERY_NUMBERS, Desk, a_desk, a_policy
from tests.kept_world import a_kept_desk

PRIYA, DANA = Actor(name="Priya Raman"), Actor(name="Dana Whitfield")
TRADE_SHOWS, UTILITIES = "0caCbkTradeShows0001", "0caCbkUtilities00001"


def now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def a_synced_desk(settings: Any, **policy: Any) -> Iterator[Desk]:
    """The bakery after its first sync."""

    @contextmanager
    def make() -> Iterator[Desk]:
        with a_desk(settings, policy=a_policy(BAKERY_NUMBERS, **policy)) as desk:
            desk.sync()
            yield desk

    with a_kept_desk(settings, f"bakery {sorted(policy.items())}", make) as desk:
        yield desk


def link_of(desk: Desk, name: str) -> VendorLink:
    with tenant_scope(desk.company.tenant_id):
        rows = VendorLink.objects.for_tenant(desk.company.tenant_id)
        return rows.get(company=desk.company, name=name)


def rules(desk: Desk) -> list[MappingRule]:
    with tenant_scope(desk.company.tenant_id):
        rows = MappingRule.objects.for_tenant(desk.company.tenant_id)
        return list(rows.filter(company=desk.company).order_by("made_at"))


def states(desk: Desk, **filters: Any) -> dict[str, str]:
    return {posting.invoice_number: posting.state for posting in desk.postings(**filters)}
