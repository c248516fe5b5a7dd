"""Getting a company to work: when it starts, and how a new one is made from another.

A company works from the moment both connections pass their checks and its policy was saved once.
Going live from a test database is a second company: policy, mappings and vendor links go with it,
but every link is looked up again in the new books, and nothing that was posted is carried over.
"""

from __future__ import annotations

from datetime import datetime

from django.utils.text import Truncator

from integrations.models import BillConnection, Sage300Connection
from sync.domain.policy_document import policy_from_dict, policy_to_dict
from sync.models import CompanyPolicy, MappingRule, VendorLink
from sync.models.vendor import LinkState
from sync.services import journal, turns
from tenants import audit
from tenants.audit import Actor
from tenants.enrolment import create_company, free_company_slug
from tenants.models import Company
from tenants.scoping import tenant_scope

RULE_COLUMNS = (
    "name", "gl_account", "account_id", "department_id", "location_id", "class_id", "item_id",
    "vendor_id",
)  # fmt: skip


def start_if_ready(company: Company) -> bool:
    """Give the company its turns, due now, once nothing is missing; needs the open scope."""
    rows = (
        BillConnection.objects.for_tenant(company.tenant_id),
        Sage300Connection.objects.for_tenant(company.tenant_id),
        CompanyPolicy.objects.for_tenant(company.tenant_id),
    )
    if not all(each.filter(company=company).exists() for each in rows):
        return False
    turns.keep_turns(tenant_id=company.tenant_id, company_id=company.pk)
    turns.poll_now(company_id=company.pk)
    return True


def copy_company(
    source: Company, *, name: str, time_zone: str, currency: str, actor: Actor, now: datetime
) -> Company:
    """Make a company with this one's policy, mappings and vendor links to be looked up again."""
    company = create_company(
        tenant=source.tenant,
        slug=free_company_slug(source.tenant, name),
        name=name,
        time_zone=time_zone,
        currency=currency,
        now=now,
    )
    with tenant_scope(source.tenant_id):
        rules = _copy_rules(source, company, now)
        links = _copy_policy(source, company, now)
        audit.record(
            tenant=source.tenant_id, actor=actor, action="company.copied", subject=name,
            subject_id=company.pk, now=now,
            details={"from": source.name, "rules": rules, "vendor_links": links},
        )  # fmt: skip
        line = journal.company_line(
            tenant_id=company.tenant_id, company_id=company.pk, event="company.copied", now=now,
            actor=actor.name,
            sentence=f"Made from {source.name}: policy, {rules} mapping rules and {links} vendor "
            "links to look up again. Nothing posted was carried over.",
        )  # fmt: skip
        journal.write([line])
    return company


def set_paused(
    company: Company, *, is_paused: bool, reason: str, actor: Actor, now: datetime
) -> bool:
    """Pause or resume all work of a company; False when it was so already. Needs the scope."""
    said = reason.strip() or f"{actor.name} paused {company.name}."
    changed = (
        Company.objects.for_tenant(company.tenant_id)
        .filter(pk=company.pk, is_paused=not is_paused)
        .update(is_paused=is_paused, paused_reason=Truncator(said).chars(300) if is_paused else "")
    )
    if not changed:
        return False
    event = "company.paused" if is_paused else "company.resumed"
    audit.record(
        tenant=company.tenant_id, actor=actor, action=event, subject=company.name,
        subject_id=company.pk, details={"reason": reason} if reason else {}, now=now,
    )  # fmt: skip
    line = journal.company_line(
        tenant_id=company.tenant_id, company_id=company.pk, event=event, now=now,
        actor=actor.name,
        sentence=f"Paused: {said}" if is_paused else f"Resumed by {actor.name}.",
    )  # fmt: skip
    journal.write([line])
    if not is_paused:
        turns.poll_now(company_id=company.pk)
    return True


def _copy_rules(source: Company, company: Company, now: datetime) -> int:
    rows = MappingRule.objects.for_tenant(source.tenant_id).filter(company=source)
    copies = [
        MappingRule(
            tenant_id=source.tenant_id,
            company=company,
            made_by_id=row.made_by_id,
            made_at=now,
            **{column: getattr(row, column) for column in RULE_COLUMNS},
        )
        for row in rows
    ]
    MappingRule.objects.bulk_create(copies)
    return len(copies)


def _copy_policy(source: Company, company: Company, now: datetime) -> int:
    """Copy the policy; linked vendors become its number map, which is looked up in the books."""
    row = CompanyPolicy.objects.for_tenant(source.tenant_id).filter(company=source).first()
    if row is None:
        return 0
    linked = dict(
        VendorLink.objects.for_tenant(source.tenant_id)
        .filter(company=source, state=LinkState.LINKED)
        .exclude(sage_number="")
        .values_list("bill_vendor_id", "sage_number")
    )
    policy = row.policy()
    changed = {"number_map": {**policy.number_map, **linked}, "currency": company.currency}
    CompanyPolicy.objects.create(
        tenant_id=source.tenant_id,
        company=company,
        values=policy_to_dict(policy_from_dict(changed, base=policy)),
        vendor_accounts=row.vendor_accounts,
        group_accounts=row.group_accounts,
        skip_rules=row.skip_rules,
        changed_at=now,
    )
    return len(linked)
