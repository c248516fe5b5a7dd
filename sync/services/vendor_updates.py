"""Keeps those fields of Sage's vendors as BILL has them that the company lets us own.

What differs is written and nothing else; each vendor is read in Sage before.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from integrations.bill.types import BillVendor
from integrations.errors import NotFound, OutcomeUnknown, Rejected
from sync.domain.packing import unpack
from sync.domain.policy import Policy
from sync.domain.vendor_fields import changes, wanted_vendor
from sync.models import CompanyPolicy, VendorLink
from sync.models.vendor import LinkState
from sync.services import journal
from sync.services.work import Work
from tenants.scoping import tenant_scope


def update_due(work: Work, *, until: datetime) -> int:
    """Write the fields the company lets us own, where BILL's vendor has changed since we last did.

    None is begun after `until`.
    """
    if not work.policy.owned_vendor_fields:
        return 0
    with tenant_scope(work.tenant_id):
        links = list(
            VendorLink.objects.for_tenant(work.tenant_id).filter(
                company_id=work.company_id, state=LinkState.LINKED
            )
        )
        accounts = CompanyPolicy.objects.for_tenant(work.tenant_id).get(company_id=work.company_id)
    done = 0
    for link in links:
        if work.clock() > until:
            break
        account = str(accounts.vendor_accounts.get(link.bill_vendor_id, ""))
        stamp = write_stamp(link, work.policy, account)
        if link.sent_hash != stamp:
            done += _update(work, link, account, stamp)
    return done


def write_stamp(link: VendorLink, policy: Policy, account: str) -> str:
    """What `sent_hash` is once the fields we own stand in Sage as they should."""
    owned = ",".join(sorted(policy.owned_vendor_fields))
    parts = [link.content_hash, owned, account, policy.vendor_terms, policy.vendor_tax_group,
             policy.vendor_gl_account]  # fmt: skip
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _update(work: Work, link: VendorLink, account: str, stamp: str) -> bool:
    there = work.sage.find_vendor(link.sage_number)
    if there is None:
        return False
    vendor = unpack(BillVendor, link.snapshot)
    wanted = wanted_vendor(vendor, number=there.number, policy=work.policy, gl_account=account)
    found = changes(there, wanted.vendor, work.policy.owned_vendor_fields)
    sentence = ""
    if found:
        try:
            work.sage.update_vendor(there.number, found)
            sentence = f"Updated in Sage: {', '.join(sorted(found))}."
        except (Rejected, NotFound, OutcomeUnknown) as error:
            sentence = f"Sage did not take the change: {error.sentence}"
    with tenant_scope(work.tenant_id):
        link.sent_hash = stamp
        link.save(update_fields=["sent_hash"])
        if sentence:
            line = journal.vendor_line(
                link, event="vendor.updated", sentence=sentence, now=work.clock()
            )
            journal.write([line])
    return bool(found)
