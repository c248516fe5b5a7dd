"""Keeps those fields of Sage's vendors as BILL has them that the company lets us own.

What differs is written and nothing else. Each vendor is read in Sage first, so what was written
though its answer was lost is seen, and what was not is written by a later run.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from integrations.bill.types import BillVendor
from integrations.errors import Busy, NotFound, OutcomeUnknown, Rejected
from sync.domain.packing import unpack
from sync.domain.policy import Policy
from sync.domain.vendor_fields import changes, wanted_vendor
from sync.models import CompanyPolicy, LogEntry, VendorLink
from sync.models.vendor import LinkState
from sync.services import journal
from sync.services.work import Work
from tenants.scoping import tenant_scope

UNKNOWN = "vendor.update_unknown"


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
    """Write what differs in Sage; tell whether it was taken.

    The same change may be written twice without harm, so one whose answer was lost is left to the
    next run, which looks first.
    """
    there = work.sage.find_vendor(link.sage_number)
    if there is None:
        return False
    vendor = unpack(BillVendor, link.snapshot)
    wanted = wanted_vendor(vendor, number=there.number, policy=work.policy, gl_account=account)
    found = changes(there, wanted.vendor, work.policy.owned_vendor_fields)
    if not found:
        _stands(work, link, stamp)
        return False
    fields = ", ".join(sorted(found))
    try:
        work.sage.update_vendor(there.number, found)
    except Busy:
        return False  # somebody has it open on a screen; a later run writes it
    except (Rejected, NotFound) as error:
        sentence = f"Sage did not take the change of {fields}: {error.sentence}"
        _tell(work, link, "vendor.update_refused", sentence, stamp=stamp)
        return False
    except OutcomeUnknown:
        if not _is_told_unknown(work, link):
            sentence = (
                f"Sage's answer to the change of {fields} was lost, so it may have been made or not."
                " The next run looks, and sends it again where it is missing."
            )
            _tell(work, link, UNKNOWN, sentence)
        return False
    _tell(work, link, "vendor.updated", f"Updated in Sage: {fields}.", stamp=stamp)
    return True


def _stands(work: Work, link: VendorLink, stamp: str) -> None:
    """Sage has every field as it should be; said where a lost answer had left it open."""
    if _is_told_unknown(work, link):
        sentence = "Updated in Sage; found there after a lost answer."
        _tell(work, link, "vendor.updated", sentence, stamp=stamp)
        return
    with tenant_scope(work.tenant_id):
        link.sent_hash = stamp
        link.save(update_fields=["sent_hash"])


def _tell(work: Work, link: VendorLink, event: str, sentence: str, *, stamp: str = "") -> None:
    """Say what became of an update; without a `stamp` it stays due."""
    with tenant_scope(work.tenant_id):
        if stamp:
            link.sent_hash = stamp
            link.save(update_fields=["sent_hash"])
        line = journal.vendor_line(link, event=event, sentence=sentence, now=work.clock())
        journal.write([line])


def _is_told_unknown(work: Work, link: VendorLink) -> bool:
    """Whether the last we said of this vendor's updates is that the answer was lost."""
    with tenant_scope(work.tenant_id):
        lines = LogEntry.objects.for_tenant(work.tenant_id).filter(
            vendor_link_id=link.pk, event__startswith="vendor.update"
        )
        return lines.order_by("-at").values_list("event", flat=True).first() == UNKNOWN
