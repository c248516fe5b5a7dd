"""A company connected to the models: all that the services ask for, as little as will do."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from integrations.bill.types import BillVendor
from integrations.models import BillConnection, Sage300Connection
from integrations.sage300.types import GLAccount, PostProcess, SageVendor
from sync.domain.packing import pack
from sync.domain.policy import DuplicateRule, Policy
from sync.domain.policy_document import policy_to_dict
from sync.models import CatalogueList, CompanyPolicy, VendorLink
from sync.queries import lists
from tenants.models import Company
from tenants.scoping import tenant_scope
from tests import builders
from tests.simulation.bills import PERIODS
from tests.simulation.world import START, Nature

VENDORS = tuple(f"V{number}{more}" for number in range(4) for more in ("", "R"))
ACCOUNT = "6000"
PROCESS = PostProcess(
    from_field="From", to_field="To", all_field="ProcessAllBatches", not_all_value="DoNot"
)


def open_company(nature: Nature) -> tuple[Company, Policy]:
    """A company whose four vendors are linked and whose lines all go to one account."""
    policy = Policy(
        release=nature.release,
        batch_size=nature.batch_size,
        batch_description="{tag}",
        duplicate_rule=DuplicateRule.SUFFIX,
        catch_all_account=ACCOUNT,
    )
    slug = f"model-{uuid.uuid4().hex[:12]}"
    company = builders.a_company(builders.a_tenant(slug=slug), slug=slug, time_zone="UTC")
    with tenant_scope(company.tenant_id):
        _connect(company, policy)
        _list(
            company, lists.ACCOUNTS, [GLAccount(number=ACCOUNT, formatted=ACCOUNT, description="")]
        )
        _list(company, lists.VENDORS, [SageVendor(number=one, name=one) for one in VENDORS])
        _list(company, lists.PERIODS, PERIODS)
        for one in VENDORS:
            VendorLink.objects.create(
                tenant_id=company.tenant_id, company=company, bill_vendor_id=one, name=one,
                snapshot=pack(BillVendor(id=one, name=one)), read_at=START, state="linked",
                sage_number=one, linked_at=START,
            )  # fmt: skip
    return company, policy


def _connect(company: Company, policy: Policy) -> None:
    owner = {"tenant_id": company.tenant_id, "company": company}
    BillConnection.objects.create(
        environment="practice", user_name="model", password="model", organization_id="model",
        developer_key="model", **owner,
    )  # fmt: skip
    Sage300Connection.objects.create(
        base_url="https://sage.example.com", company_database="MODEL", user_name="MODEL",
        password="model", post_process=pack(PROCESS), **owner,
    )  # fmt: skip
    CompanyPolicy.objects.create(values=policy_to_dict(policy), changed_at=START, **owner)


def _list(company: Company, kind: str, rows: Sequence[Any]) -> None:
    CatalogueList.objects.create(
        tenant_id=company.tenant_id, company=company, kind=kind, rows=[pack(row) for row in rows],
        row_count=len(rows), read_at=START,
    )  # fmt: skip
