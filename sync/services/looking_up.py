"""Asks Sage now for what somebody has just mended or added there.

Each opens its own scopes, none around a call. The caller wakes the company afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping

from sync.services import catalogue
from sync.services.clients import open_work
from sync.services.work import Clock
from tenants.models import Company
from tenants.scoping import tenant_scope

#: What may have been mended in Sage, by the name people use, and the list it stands in.
LISTS: Mapping[str, str] = {
    "accounts": catalogue.ACCOUNTS,
    "vendors": catalogue.VENDORS,
    "periods": catalogue.PERIODS,
}


def read_list(company: Company, name: str, *, clock: Clock) -> None:
    """Read one of `LISTS` whole; raises NotReady and the IntegrationError family."""
    work = open_work(tenant_id=company.tenant_id, company_id=company.pk, clock=clock, worker="web")
    catalogue.refresh(work, LISTS[name])


def read_vendor(company: Company, number: str, *, clock: Clock) -> None:
    """Read a Sage vendor we do not know yet; raises NotReady and the IntegrationError family."""
    with tenant_scope(company.tenant_id):
        vendors = catalogue.Lists(company.tenant_id, company.pk).vendors()
    if number.upper() in {vendor.number.upper() for vendor in vendors}:
        return
    work = open_work(tenant_id=company.tenant_id, company_id=company.pk, clock=clock, worker="web")
    vendor = work.sage.find_vendor(number)
    if vendor is not None:
        with tenant_scope(company.tenant_id):
            catalogue.store_vendor(work, vendor)
