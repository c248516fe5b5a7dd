"""Default GL accounts by vendor or by Sage vendor group; and, when asked, written into Sage.

A default kept here decides lines nothing else maps. Writing it into Sage's own vendors is another
matter: it is counted first, needs a reason, and each vendor is written by the next pass, one by
one, so that a failure on the way loses none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from integrations.errors import Busy, NotFound, OutcomeUnknown, Rejected
from integrations.sage300.types import SageVendor
from sync.domain.account_targets import find_target
from sync.domain.gl_accounts import SageAccounts, fold_number
from sync.domain.problems import Problem
from sync.domain.words import count_of
from sync.models import CompanyPolicy, Posting, VendorLink
from sync.models.vendor import LinkState
from sync.queries.lists import Lists
from sync.queries.rule_effects import NOT_YET_SENT
from sync.services import journal
from sync.services.acts import Done, NotOpen, Overtaken
from sync.services.catalogue import store_vendor
from sync.services.work import Work
from tenants import audit
from tenants.audit import Actor
from tenants.models import Company
from tenants.scoping import tenant_scope

BY_VENDOR, BY_GROUP = "vendor", "group"
BY_ACCOUNT = "GLAccount"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One linked Sage vendor whose default would change; accounts as Sage spells them."""

    link: VendorLink
    vendor: SageVendor
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatePlan:
    """What writing the defaults into Sage would do; `same` already have theirs."""

    changes: Sequence[Change]
    same: int

    @property
    def mark(self) -> str:
        """Names this plan, so that what is done is what was agreed to."""
        return ",".join(sorted(f"{one.vendor.number}:{one.after}" for one in self.changes))


def set_default(
    company: Company, kind: str, key: str, gl_account: str, *, actor: Actor, now: datetime
) -> Done | NotOpen:
    """Give a BILL vendor (by its id) or a Sage group (by its code) a default; "" takes it away."""
    row = (
        CompanyPolicy.objects.for_tenant(company.tenant_id)
        .select_for_update()
        .filter(company=company)
        .first()
    )
    if row is None:
        return NotOpen(sentence="Nothing was done: this company has no policy yet.")
    lists = Lists(company.tenant_id, company.pk)
    name = _name(company, kind, key, lists)
    if name is None:
        return NotOpen(sentence=f"Nothing was done: there is no {kind} {key[:40]} here.")
    target = ""
    if gl_account.strip():
        accounts = SageAccounts.of(lists.accounts())
        found = find_target(gl_account, accounts, origin=f"default of {kind} {name}")
        if isinstance(found, Problem):
            return NotOpen(sentence=f"Nothing was done. {found.sentence}")
        target = found.formatted
    stored = row.vendor_accounts if kind == BY_VENDOR else row.group_accounts
    before = stored.get(key, "")
    if before == target:
        return Done(sentence=f"The default of {name} was {target or 'none'} already.")
    changed = {**stored, key: target} if target else {k: v for k, v in stored.items() if k != key}
    if kind == BY_VENDOR:
        row.vendor_accounts = changed
    else:
        row.group_accounts = changed
    row.version += 1
    row.changed_at = now
    row.save()
    Posting.objects.for_tenant(company.tenant_id).of_company(company.pk).in_state(
        *NOT_YET_SENT
    ).filter(is_skipped_by_person=False).update(is_dirty=True)
    told = f"Default of {kind} {name}: {target or 'none'}" + (f", was {before}." if before else ".")
    _record(company, f"defaults.{kind}_changed", told, {"before": before, "after": target}, actor,
            now)  # fmt: skip
    return Done(sentence=f"{told} Bills not yet in Sage are decided anew.")


def plan_update(company: Company, *, group_code: str = "") -> UpdatePlan:
    """Which linked Sage vendors (of one group, or all) do not have the default kept here."""
    owned = CompanyPolicy.objects.for_tenant(company.tenant_id).filter(company=company).first()
    by_vendor: Mapping[str, str] = owned.vendor_accounts if owned else {}
    by_group: Mapping[str, str] = owned.group_accounts if owned else {}
    lists = Lists(company.tenant_id, company.pk)
    vendors = {vendor.number.upper(): vendor for vendor in lists.vendors()}
    links = VendorLink.objects.for_tenant(company.tenant_id).filter(
        company=company, state=LinkState.LINKED
    )
    changes, same = [], 0
    for link in links.order_by("name", "pk"):
        vendor = vendors.get(link.sage_number.upper())
        if vendor is None or (group_code and vendor.group_code != group_code):
            continue
        wanted = by_vendor.get(link.bill_vendor_id) or by_group.get(vendor.group_code, "")
        if not wanted:
            continue
        if _has(vendor, wanted):
            same += 1
        else:
            before = vendor.gl_account
            changes.append(Change(link=link, vendor=vendor, before=before, after=wanted))
    return UpdatePlan(changes=changes, same=same)


def ask_update(
    company: Company,
    *,
    mark: str,
    reason: str,
    actor: Actor,
    now: datetime,
    group_code: str = "",
) -> Done | NotOpen | Overtaken:
    """Have the defaults of the plan with this `mark` written into Sage by the next pass."""
    reason = reason.replace("\x00", "").strip()[:250]
    if not reason:
        return NotOpen(
            sentence="Nothing was done yet. Please say why: it changes vendors in Sage itself."
        )
    plan = plan_update(company, group_code=group_code)
    if plan.mark != mark:
        return Overtaken(
            sentence=f"Nothing was done: meanwhile it is {count_of(len(plan.changes), 'vendor')}."
            " Look at the new list and press again."
        )
    for change in plan.changes:
        change.link.default_account = change.after
        change.link.default_reason = f"{actor.name}: {reason}"[:300]
    VendorLink.objects.for_tenant(company.tenant_id).bulk_update(
        [change.link for change in plan.changes], ["default_account", "default_reason"]
    )
    told = f"{count_of(len(plan.changes), 'Sage vendor')} to get their default account: {reason}"
    _record(company, "defaults.update_asked", told, {"vendors": mark[:2000]}, actor, now)
    return Done(sentence=f"{told}. Each is written by the next pass and told in the log.")


def write_due(work: Work, *, until: datetime) -> int:
    """Write every default that was asked for into Sage; return how many were written.

    None is begun after `until`.
    """
    with tenant_scope(work.tenant_id):
        links = list(
            VendorLink.objects.for_tenant(work.tenant_id)
            .filter(company_id=work.company_id, state=LinkState.LINKED)
            .exclude(default_account="")
            .order_by("name", "pk")
        )
        if not links:
            return 0
        accounts = SageAccounts.of(Lists(work.tenant_id, work.company_id).accounts())
    done = 0
    for link in links:
        if work.clock() > until:
            break
        done += _write(work, link, accounts)
    return done


def _write(work: Work, link: VendorLink, accounts: SageAccounts) -> bool:
    found = find_target(link.default_account, accounts, origin=link.default_reason)
    if isinstance(found, Problem):
        return _told(work, link, f"Sage's default of {link.name} stays: {found.sentence}")
    wanted = {"DistributionType": BY_ACCOUNT, "GLAccount": found.number}
    try:
        work.sage.update_vendor(link.sage_number, wanted)
        vendor = work.sage.find_vendor(link.sage_number)
    except (Rejected, NotFound) as error:
        words = f"{error.sentence} {error.vendor_message}".strip()
        return _told(work, link, f"Sage did not take the default of {link.name}: {words}")
    except (OutcomeUnknown, Busy):
        return False  # the same value is written again by the next pass
    if vendor is None or not _has(vendor, found.number):
        return _told(work, link, f"Sage kept another default account for {link.name}.")
    with tenant_scope(work.tenant_id):
        store_vendor(work, vendor)
    _told(
        work, link, f"Default account of Sage vendor {vendor.number} is {found.formatted} now."
        f" {link.default_reason}"
    )  # fmt: skip
    return True


def _told(work: Work, link: VendorLink, sentence: str) -> bool:
    """Take the request off the row and say what became of it; False, for a failure's return."""
    with tenant_scope(work.tenant_id):
        VendorLink.objects.for_tenant(work.tenant_id).filter(pk=link.pk).update(
            default_account="", default_reason=""
        )
        line = journal.vendor_line(
            link, event="vendor.default_written", sentence=sentence, now=work.clock()
        )
        journal.write([line])
    return False


def _has(vendor: SageVendor, account: str) -> bool:
    is_by_account = vendor.distribution_type in ("", BY_ACCOUNT)
    return is_by_account and fold_number(vendor.gl_account) == fold_number(account)


def _name(company: Company, kind: str, key: str, lists: Lists) -> str | None:
    if kind == BY_GROUP:
        return next((group.code for group in lists.groups() if group.code == key), None)
    if kind != BY_VENDOR:
        return None
    rows = VendorLink.objects.for_tenant(company.tenant_id).filter(company=company)
    return rows.filter(bill_vendor_id=key).values_list("name", flat=True).first()


def _record(
    company: Company,
    action: str,
    told: str,
    details: Mapping[str, str],
    actor: Actor,
    now: datetime,
) -> None:
    line = journal.company_line(
        tenant_id=company.tenant_id, company_id=company.pk, event=action, sentence=told, now=now,
        actor=actor.name,
    )  # fmt: skip
    journal.write([line])
    audit.record(
        tenant=company.tenant_id, actor=actor, action=action, subject=told, subject_id=company.pk,
        details=details, now=now,
    )  # fmt: skip
